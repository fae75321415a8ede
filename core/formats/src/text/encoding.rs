//! The encoding of a text file, found from its bytes and never assumed.

use super::{TableText, broken};
use crate::{Error, Result};
use chaffinch_data::columns;
use chaffinch_data::columns::Column;
use chaffinch_protocol::display::thousands;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use csv::ByteRecord;
use encoding_rs::{Encoding, IBM866, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

/// Files of at least so many bytes are mapped: a table of ten million rows need not be in memory twice.
const MAPPED: u64 = 1 << 24;
/// Bytes from which UTF-16 without a mark is recognized.
const LOOKED_AT: usize = 4096;

/// The bytes of a text file without its mark, in UTF-8 if it was UTF-16, else as they are.
pub(crate) struct Document {
    bytes: Column<u8>,
    start: usize,
    /// UTF-8 unless the file is UTF-16.
    pub(crate) encoding: &'static Encoding,
    /// Whether the file begins with a byte order mark.
    pub(crate) mark: bool,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is not text, or is damaged UTF-16.
    pub(crate) fn read(path: &Path) -> Result<Document> {
        let file = File::open(path).map_err(Error::io("read", path))?;
        let metadata = file.metadata().map_err(Error::io("read", path))?;
        let mapped = match metadata.is_file() && metadata.len() >= MAPPED {
            true => Column::mapped(columns::map(&file, path)?),
            false => None,
        };
        match mapped {
            Some(bytes) => Document::of(path, bytes),
            None => Document::of(path, std::fs::read(path).map_err(Error::io("read", path))?.into()),
        }
    }

    fn of(path: &Path, bytes: Column<u8>) -> Result<Document> {
        let refuse = |what: &str| Err(Error::format(path, format!("{what}; save it as text in UTF-8")));
        match &*bytes {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => refuse("it is UTF-32, which is not supported"),
            [b'P', b'K', 3, 4, ..] => refuse("it is a ZIP archive or a spreadsheet, not text"),
            [0xd0, 0xcf, 0x11, 0xe0, ..] => refuse("it is a spreadsheet, not text"),
            [0x1f, 0x8b, ..] => refuse("it is compressed with gzip"),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => refuse("it is compressed with zstd"),
            [0xef, 0xbb, 0xbf, ..] => Ok(Document { bytes, start: 3, encoding: UTF_8, mark: true }),
            [0xff, 0xfe, rest @ ..] => Document::wide(path, rest, UTF_16LE, true),
            [0xfe, 0xff, rest @ ..] => Document::wide(path, rest, UTF_16BE, true),
            _ => match unmarked(&bytes) {
                Some(encoding) => Document::wide(path, &bytes, encoding, false),
                None => Ok(Document { bytes, start: 0, encoding: UTF_8, mark: false }),
            },
        }
    }

    /// Decodes UTF-16.
    fn wide(path: &Path, bytes: &[u8], encoding: &'static Encoding, mark: bool) -> Result<Document> {
        let (text, damaged) = encoding.decode_without_bom_handling(bytes);
        if damaged {
            let before = text.split('\u{fffd}').next().unwrap_or_default();
            let line = before.matches('\n').count() as u64 + 1;
            let message =
                format!("line {} is damaged {}; save it as UTF-8", thousands(line), encoding.name());
            return Err(Error::format(path, message));
        }
        Ok(Document { bytes: text.into_owned().into_bytes().into(), start: 0, encoding, mark })
    }

    /// The text after the mark.
    pub(crate) fn text(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// The whole file as a string, for files whose parts are all text.
    ///
    /// # Errors
    /// When it mixes encodings.
    pub(crate) fn into_string(self, path: &Path) -> Result<(String, &'static Encoding)> {
        if let Ok(text) = std::str::from_utf8(self.text()) {
            return Ok((text.to_owned(), self.encoding));
        }
        let mut tally = Tally::default();
        for (number, line) in self.text().split(|&byte| byte == b'\n').enumerate() {
            tally.add(line, number as u64 + 1);
        }
        let encoding = tally.encoding(path)?;
        let encoding = if comes_back(encoding, self.text()) { encoding } else { WINDOWS_1252 };
        Ok((encoding.decode_without_bom_handling(self.text()).0.into_owned(), encoding))
    }
}

/// UTF-16 without a mark: text whose every other byte is mostly zero.
fn unmarked(bytes: &[u8]) -> Option<&'static Encoding> {
    let part = &bytes[..bytes.len().min(LOOKED_AT)];
    let zeros = |from: usize| part.iter().skip(from).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), part.len() / 2);
    match half > 3 {
        true if odd * 10 > half * 4 && even * 10 < half => Some(UTF_16LE),
        true if even * 10 > half * 4 && odd * 10 < half => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether decoding loses nothing: two names must not become one.
fn comes_back(encoding: &'static Encoding, piece: &[u8]) -> bool {
    let (text, damaged) = encoding.decode_without_bom_handling(piece);
    !damaged && encoding.encode(&text).0 == piece
}

/// What is known of the pieces of a text.
#[derive(Default)]
struct Tally {
    /// The line of the first piece in UTF-8 that is more than ASCII.
    utf8: Option<u64>,
    /// The line of the first piece that is not UTF-8.
    other: Option<u64>,
    detector: Option<EncodingDetector>,
    /// Whether a piece that is not UTF-8 is not Shift_JIS either.
    not_japanese: bool,
}

impl Tally {
    fn add(&mut self, piece: &[u8], line: u64) {
        if piece.is_ascii() {
            return;
        }
        if std::str::from_utf8(piece).is_ok() {
            self.utf8.get_or_insert(line);
            return;
        }
        self.other.get_or_insert(line);
        self.not_japanese = self.not_japanese || !comes_back(SHIFT_JIS, piece);
        let detector = self.detector.get_or_insert_with(|| EncodingDetector::new(Iso2022JpDetection::Deny));
        detector.feed(piece, false);
        detector.feed(b"\n", false);
    }

    /// The encoding of all pieces.
    fn encoding(self, path: &Path) -> Result<&'static Encoding> {
        match (self.utf8, self.other) {
            (_, None) => Ok(UTF_8),
            (None, Some(other)) => {
                let guess = self.detector.map(|mut detector| {
                    detector.feed(b"", true);
                    detector.guess(None, Utf8Detection::Deny)
                });
                // A few names in Japanese are well-formed Cyrillic of DOS, too, and their classes would have false names.
                if guess == Some(IBM866) && !self.not_japanese {
                    let line = thousands(other);
                    let message = format!(
                        "line {line} is not UTF-8 and may be Shift_JIS as well as IBM866; save it as UTF-8"
                    );
                    return Err(Error::format(path, message));
                }
                Ok(guess.unwrap_or(WINDOWS_1252))
            }
            (Some(utf8), Some(other)) => Err(Error::format(
                path,
                format!(
                    "line {} is not UTF-8, but line {} is: it mixes encodings; save it as UTF-8",
                    thousands(other),
                    thousands(utf8)
                ),
            )),
        }
    }
}

/// How the cells of a table are decoded.
#[derive(Clone, Copy)]
pub(crate) struct Cells {
    encoding: &'static Encoding,
}

impl Cells {
    /// Those that are text already.
    pub(crate) const fn of_text() -> Cells {
        Cells { encoding: UTF_8 }
    }
}

/// Older encodings, the likeliest first: which of them a table is in, the names of files may tell that it leads to.
const OLDER: [&Encoding; 18] = [
    WINDOWS_1252,
    encoding_rs::WINDOWS_1250,
    encoding_rs::WINDOWS_1251,
    encoding_rs::WINDOWS_1253,
    encoding_rs::WINDOWS_1254,
    encoding_rs::WINDOWS_1257,
    encoding_rs::WINDOWS_1258,
    encoding_rs::ISO_8859_2,
    encoding_rs::ISO_8859_5,
    encoding_rs::ISO_8859_7,
    encoding_rs::KOI8_R,
    IBM866,
    encoding_rs::MACINTOSH,
    SHIFT_JIS,
    encoding_rs::EUC_JP,
    encoding_rs::GB18030,
    encoding_rs::BIG5,
    encoding_rs::EUC_KR,
];

impl Cells {
    /// In each older encoding.
    pub(crate) fn older() -> impl Iterator<Item = Cells> {
        OLDER.into_iter().map(|encoding| Cells { encoding })
    }

    /// The encoding.
    pub(crate) fn encoding(&self) -> &'static Encoding {
        self.encoding
    }

    /// A cell as text in UTF-8. Bytes that are not UTF-8 stay in a table that is.
    pub(crate) fn decode<'a>(&self, cell: &'a [u8]) -> Cow<'a, [u8]> {
        if self.encoding == UTF_8 || cell.is_ascii() {
            return Cow::Borrowed(cell);
        }
        match self.encoding.decode_without_bom_handling(cell).0 {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        }
    }

    /// The same as a string.
    pub(crate) fn text<'a>(&self, cell: &'a [u8]) -> Cow<'a, str> {
        match self.decode(cell) {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }
}

/// Decides how the cells of a table are decoded, from all cells but those that are paths or names of files: their bytes
/// say nothing of the table's encoding.
pub(super) fn cells(
    path: &Path,
    table: &TableText,
    is_path: impl Fn(&ByteRecord, usize) -> bool,
) -> Result<Cells> {
    let document = table.document();
    // Text that was UTF-16 is UTF-8 now.
    if document.encoding != UTF_8 || std::str::from_utf8(document.text()).is_ok() {
        return Ok(Cells { encoding: UTF_8 });
    }
    let each = |look: &mut dyn FnMut(&[u8], u64)| -> Result<()> {
        let mut reader = table.reader();
        let mut record = ByteRecord::new();
        while reader.read_byte_record(&mut record).map_err(|error| broken(path, error))? {
            if record.as_slice().is_ascii() {
                continue;
            }
            for (column, cell) in record.iter().enumerate() {
                if !cell.is_ascii() && !is_path(&record, column) {
                    look(cell, table.line(&record));
                }
            }
        }
        Ok(())
    };
    let mut tally = Tally::default();
    each(&mut |cell, line| tally.add(cell, line))?;
    let encoding = tally.encoding(path)?;
    let mut whole = true;
    if encoding != UTF_8 {
        each(&mut |cell, _| whole &= comes_back(encoding, cell))?;
    }
    Ok(Cells { encoding: if whole { encoding } else { WINDOWS_1252 } })
}

/// The encoding's name for people.
pub(crate) fn windows_or_latin(encoding: &'static Encoding) -> String {
    match encoding.name() {
        "windows-1252" => "Windows-1252 (Latin-1)".to_owned(),
        name => match name.strip_prefix("windows-") {
            Some(page) => format!("Windows-{page}"),
            None => name.to_owned(),
        },
    }
}

/// Encodes text for a file in the named encoding; `None` for a sign that the encoding does not have.
pub(crate) fn encoder(name: &str) -> impl Fn(&str) -> Option<Vec<u8>> {
    let encoding = Encoding::for_label(name.as_bytes()).unwrap_or(UTF_8);
    move |text: &str| {
        if encoding == UTF_16LE {
            return Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        }
        if encoding == UTF_16BE {
            return Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
        }
        match encoding.encode(text) {
            (_, _, true) => None,
            (bytes, ..) => Some(bytes.into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> std::result::Result<(String, &'static str), String> {
        let path = Path::new("t.txt");
        let document = Document::of(path, bytes.to_vec().into()).map_err(|error| error.to_string())?;
        let (text, encoding) = document.into_string(path).map_err(|error| error.to_string())?;
        Ok((text, encoding.name()))
    }

    fn wide(text: &str, big: bool, mark: bool) -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn encodings_are_told_apart() {
        let read = |text: &str, name: &'static str| Ok((text.to_owned(), name));
        assert_eq!(text("café\n".as_bytes()), read("café\n", "UTF-8"));
        assert_eq!(text("\u{feff}café".as_bytes()), read("café", "UTF-8"));
        for big in [false, true] {
            let name = if big { "UTF-16BE" } else { "UTF-16LE" };
            assert_eq!(text(&wide("path,label\né,猫\n", big, true)), read("path,label\né,猫\n", name));
            assert_eq!(text(&wide("path,label\na,b\n", big, false)), read("path,label\na,b\n", name));
        }
        assert_eq!(text(b"caf\xe9\ncaf\xe8\n"), read("café\ncafè\n", "windows-1252"));
        assert!(text(b"caf\xe9\n\xc3\xa9\n").unwrap_err().contains("line 1 is not UTF-8, but line 2 is"));
        assert!(text(b"PK\x03\x04xl").unwrap_err().contains("spreadsheet"));
        assert!(text(&[0xff, 0xfe, 0, 0, b'a', 0, 0, 0]).unwrap_err().contains("UTF-32"));
        assert!(text(&[0xff, 0xfe, b'a', 0, 0, 0xd8]).unwrap_err().contains("line 1 is damaged UTF-16LE"));
    }

    #[test]
    fn a_few_japanese_names_are_not_read_as_cyrillic() {
        let names = "path,label\na.jpg,\u{732b}\nb.jpg,\u{72ac}\nc.jpg,\u{9ce5}\n";
        let bytes = SHIFT_JIS.encode(names).0;
        match text(&bytes) {
            Ok((read, encoding)) => assert_eq!((read.as_str(), encoding), (names, "Shift_JIS")),
            Err(error) => assert!(error.contains("line 2 is not UTF-8 and may be Shift_JIS"), "{error}"),
        }
        let russian = "path,label\na.jpg,\u{43a}\u{43e}\u{448}\u{43a}\u{430}\nb.jpg,\u{441}\u{43e}\u{431}\u{430}\u{43a}\u{430}\n";
        let bytes = encoding_rs::WINDOWS_1251.encode(russian).0;
        assert_eq!(text(&bytes).unwrap().0, russian);
    }

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (1..=255).collect();
        let decoded = WINDOWS_1252.decode_without_bom_handling(&all).0;
        assert_eq!(encoder("windows-1252")(&decoded), Some(all));
        assert_eq!(encoder("windows-1252")("猫"), None);
        assert_eq!(encoder("UTF-16LE")("é"), Some(vec![0xe9, 0]));
    }
}
