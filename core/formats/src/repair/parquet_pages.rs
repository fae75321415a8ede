//! Where the pages of a column chunk are, so that they can be copied as they are. The `parquet` crate reads what is in pages,
//! not where they begin and end.
//!
//! A page begins with a header in Thrift's compact protocol, of which only the sizes are of interest:
//! <https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A page of a column without lists, in which each value is a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageAt {
    /// Where its header begins.
    pub(super) start: u64,
    /// Bytes with its header.
    pub(super) len: u64,
    /// The same with its data uncompressed.
    pub(super) uncompressed: u64,
    pub(super) kind: PageKind,
}

/// What is in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    Dictionary,
    /// Rows, as values or as numbers of values in the dictionary.
    Rows {
        count: u64,
        by_dictionary: bool,
    },
}

/// Bytes that are first read of a header; pages have statistics with values in them.
const HEADER: usize = 512;
/// More than any header has.
const MOST: usize = 1 << 24;

/// The pages in a range of a file; `None` if something in it is not known.
pub(super) fn pages(file: &File, start: u64, len: u64) -> io::Result<Option<Vec<PageAt>>> {
    let (mut at, end) = (start, start.saturating_add(len));
    let mut all = Vec::new();
    while at < end {
        let Some((header, size)) = header(file, at, end)? else { return Ok(None) };
        let Some(page) = header.page(at, size) else { return Ok(None) };
        at = at.saturating_add(page.len);
        all.push(page);
    }
    Ok((at == end).then_some(all))
}

/// The header at a place, and how long it is.
fn header(file: &File, at: u64, end: u64) -> io::Result<Option<(Header, u64)>> {
    let mut wanted = HEADER;
    loop {
        let left = usize::try_from(end - at).unwrap_or(usize::MAX).min(wanted);
        let mut bytes = vec![0; left];
        file.read_exact_at(&mut bytes, at)?;
        let mut reader = Compact { bytes: &bytes, at: 0 };
        if let Some(header) = reader.header() {
            return Ok(Some((header, reader.at as u64)));
        }
        if left < wanted || wanted >= MOST {
            return Ok(None);
        }
        wanted *= 8;
    }
}

/// The fields of a header that are of interest.
#[derive(Debug, Default)]
struct Header {
    kind: Option<i64>,
    uncompressed: Option<i64>,
    compressed: Option<i64>,
    values: Option<i64>,
    encoding: Option<i64>,
}

impl Header {
    fn page(&self, start: u64, size: u64) -> Option<PageAt> {
        let length = |field: Option<i64>| u64::try_from(field?).ok();
        let kind = match self.kind? {
            // A data page of either version.
            0 | 3 => {
                PageKind::Rows { count: length(self.values)?, by_dictionary: matches!(self.encoding?, 2 | 8) }
            }
            2 => PageKind::Dictionary,
            _ => return None,
        };
        let (len, uncompressed) = (size + length(self.compressed)?, size + length(self.uncompressed)?);
        Some(PageAt { start, len, uncompressed, kind })
    }
}

/// A reader of Thrift's compact protocol. Every method is `None` at the end of the bytes.
struct Compact<'b> {
    bytes: &'b [u8],
    at: usize,
}

/// How deep structures may be in each other.
const DEEP: usize = 16;

impl Compact<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn jump(&mut self, bytes: u64) -> Option<()> {
        self.at = self.at.checked_add(usize::try_from(bytes).ok()?)?;
        (self.at <= self.bytes.len()).then_some(())
    }

    /// The next field of a structure: its number and its type; a type of 0 ends the structure.
    fn field(&mut self, last: &mut i64) -> Option<(i64, u8)> {
        let head = self.byte()?;
        if head == 0 {
            return Some((0, 0));
        }
        *last = if head >> 4 == 0 { self.signed()? } else { *last + i64::from(head >> 4) };
        Some((*last, head & 0x0f))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > DEEP {
            return None;
        }
        match kind {
            1 | 2 => {}
            3 => self.jump(1)?,
            4..=6 => _ = self.varint()?,
            7 => self.jump(8)?,
            8 => {
                let len = self.varint()?;
                self.jump(len)?;
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                for _ in 0..count {
                    // A truth value has no byte as a field, but one in a list.
                    let kind = head & 0x0f;
                    if matches!(kind, 1 | 2) { self.jump(1)? } else { self.skip(kind, depth + 1)? }
                }
            }
            12 => {
                let mut last = 0;
                loop {
                    match self.field(&mut last)? {
                        (_, 0) => break,
                        (_, kind) => self.skip(kind, depth + 1)?,
                    }
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn header(&mut self) -> Option<Header> {
        let (mut header, mut last) = (Header::default(), 0);
        loop {
            match self.field(&mut last)? {
                (_, 0) => return Some(header),
                (1, 5) => header.kind = Some(self.signed()?),
                (2, 5) => header.uncompressed = Some(self.signed()?),
                (3, 5) => header.compressed = Some(self.signed()?),
                // Data pages of version 1 and 2 have their encoding in different fields.
                (5, 12) => (header.values, header.encoding) = self.rows(2)?,
                (8, 12) => (header.values, header.encoding) = self.rows(4)?,
                (_, kind) => self.skip(kind, 0)?,
            }
        }
    }

    fn rows(&mut self, encoding: i64) -> Option<(Option<i64>, Option<i64>)> {
        let (mut found, mut last) = ((None, None), 0);
        loop {
            match self.field(&mut last)? {
                (_, 0) => return Some(found),
                (1, 5) => found.0 = Some(self.signed()?),
                (number, 5) if number == encoding => found.1 = Some(self.signed()?),
                (_, kind) => self.skip(kind, 0)?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::basic::Encoding;
    use parquet::column::page::Page;
    use parquet::data_type::{ByteArray, ByteArrayType};
    use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::sync::Arc;

    #[test]
    fn the_pages_are_those_that_the_library_reads() {
        let schema = Arc::new(parse_message_type("message m { optional binary b; }").unwrap());
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for (dictionary, statistics) in
                [(true, EnabledStatistics::Page), (false, EnabledStatistics::None)]
            {
                let properties = WriterProperties::builder()
                    .set_writer_version(version)
                    .set_statistics_enabled(statistics)
                    .set_dictionary_enabled(dictionary)
                    .set_dictionary_page_size_limit(20_000)
                    .set_data_page_size_limit(5_000)
                    .set_write_batch_size(7);
                let file = tempfile::tempfile().unwrap();
                let out = file.try_clone().unwrap();
                let mut writer =
                    SerializedFileWriter::new(out, schema.clone(), Arc::new(properties.build())).unwrap();
                let mut group = writer.next_row_group().unwrap();
                let mut column = group.next_column().unwrap().unwrap();
                let values: Vec<ByteArray> =
                    (0..90_usize).map(|n| ByteArray::from(vec![n as u8; 700 + n])).collect();
                let levels: Vec<i16> = (0..100).map(|n| i16::from(n % 10 != 3)).collect();
                column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).unwrap();
                column.close().unwrap();
                group.close().unwrap();
                writer.close().unwrap();

                let reader = SerializedFileReader::new(file.try_clone().unwrap()).unwrap();
                let (start, len) = reader.metadata().row_group(0).column(0).byte_range();
                let ours = pages(&file, start, len).unwrap().unwrap();
                let mut theirs = reader.get_row_group(0).unwrap().get_column_page_reader(0).unwrap();
                let mut number = 0;
                while let Some(page) = theirs.get_next_page().unwrap() {
                    let kind = match &page {
                        Page::DictionaryPage { .. } => PageKind::Dictionary,
                        page => PageKind::Rows {
                            count: u64::from(page.num_values()),
                            by_dictionary: matches!(
                                page.encoding(),
                                Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY
                            ),
                        },
                    };
                    assert_eq!(ours[number].kind, kind);
                    number += 1;
                }
                assert_eq!(number, ours.len());
                assert!(number > 3, "{ours:?}");
                assert_eq!(ours.iter().map(|page| page.len).sum::<u64>(), len);
                // Whatever is cut off, nothing is made up.
                for cut in [1, 10, 100, 1000] {
                    assert_eq!(pages(&file, start, len - cut).unwrap(), None);
                }
            }
        }
    }
}
