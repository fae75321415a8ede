//! What stands between the fields of a table.

/// Delimiters that people use.
const KNOWN: [u8; 4] = [b',', b'\t', b';', b'|'];
/// Records to look at.
const RECORDS: usize = 50;
/// Bytes to look at.
const BYTES: usize = 1 << 16;

/// A first line `sep=;`, as Excel reads and writes it: where the table begins after it, and the delimiter.
pub(super) fn named(text: &[u8]) -> (usize, Option<u8>) {
    match text {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', sign, rest @ ..] => match rest {
            [b'\r', b'\n', ..] => (7, Some(*sign)),
            [b'\n', ..] => (6, Some(*sign)),
            _ => (0, None),
        },
        _ => (0, None),
    }
}

/// The delimiter of a table: the usual one if it makes a table of at least two columns, else the one that gives the
/// most columns, the same number in every record. The usual one if there is none.
pub(super) fn detect(text: &[u8], usual: u8) -> u8 {
    // Blank lines before the header say nothing.
    let text = &text[text.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()..];
    // The last record of the part may be cut off.
    let part = match text.len() > BYTES {
        true => &text[..memchr::memrchr(b'\n', &text[..BYTES]).unwrap_or(BYTES)],
        false => text,
    };
    let columns = |delimiter: u8| {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(part);
        let mut records = reader.byte_records().take(RECORDS);
        let first = records.next()?.ok()?.len();
        records.all(|record| record.is_ok_and(|record| record.len() == first)).then_some(first)
    };
    // Whatever the records say, a header with the usual delimiter is meant.
    let end = memchr::memchr(b'\n', part).unwrap_or(part.len());
    let header = &part[..end];
    let found: Vec<(usize, u8)> =
        KNOWN.iter().filter_map(|&delimiter| Some((columns(delimiter)?, delimiter))).collect();
    let best = found.iter().filter(|(count, _)| *count > 1).max_by_key(|(count, delimiter)| {
        (*delimiter == usual, *count, std::cmp::Reverse(KNOWN.iter().position(|known| known == delimiter)))
    });
    let usual_fits = found.iter().any(|(_, sign)| *sign == usual);
    match best {
        Some((_, delimiter)) if *delimiter == usual || !header.contains(&usual) || !usual_fits => *delimiter,
        // A single column whose values have the usual sign in them.
        None if !usual_fits && !header.contains(&usual) => {
            found.first().map_or(usual, |(_, delimiter)| *delimiter)
        }
        _ => usual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_what_makes_columns() {
        let of = |text: &str| char::from(detect(text.as_bytes(), b','));
        assert_eq!(of("path,label\na,b\n"), ',');
        assert_eq!(of("path;label;weight\na;b;0,5\nc;d;1,5\n"), ';');
        assert_eq!(of("path\tlabel\na\tb\n"), '\t');
        assert_eq!(of("path|label\na|b\n"), '|');
        assert_eq!(of("path;note, more\na;b\n"), ';');
        assert_eq!(of("path,note\na;1,b\nc,d\n"), ',');
        assert_eq!(of("path,label\na,b\nc\n"), ',', "a broken row does not change it");
        assert_eq!((of("path\na\n"), of("")), (',', ','));
        assert_ne!(of("path\na, b.jpg\nc.jpg\n"), ',', "one column of names with commas");
        assert_eq!(of("path;label\n\"a\n;b\";c\n"), ';');
        assert_eq!(char::from(detect(b"path,label\na,b\n", b'\t')), ',');
        assert_eq!(named(b"sep=;\r\na;b"), (7, Some(b';')));
        assert_eq!(named(b"separator"), (0, None));
    }
}
