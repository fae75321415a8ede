//! The fields of a record as they stand in a file, so that one can be changed and every other byte stays.

use std::ops::Range;

/// A record with other values in some of its fields, counted from 0. Every other byte stays, and a field that has quotation
/// marks keeps them.
pub(crate) fn replaced(record: &[u8], delimiter: u8, new: &[(usize, &[u8])]) -> Vec<u8> {
    let fields = fields(record, delimiter);
    let mut out = Vec::with_capacity(record.len());
    let mut at = 0;
    for (column, field) in fields.iter().enumerate() {
        let Some((_, value)) = new.iter().rfind(|(wanted, _)| *wanted == column) else { continue };
        let old = &record[field.clone()];
        if value_of(old) == *value {
            continue;
        }
        out.extend_from_slice(&record[at..field.start]);
        let marked = old.first() == Some(&b'"');
        out.extend(field_of(value, delimiter, marked || (value.is_empty() && fields.len() == 1)));
        at = field.end;
    }
    out.extend_from_slice(&record[at..]);
    out
}

/// A value as a field, in quotation marks if it has to be or `marked` says so.
pub(crate) fn field_of(value: &[u8], delimiter: u8, marked: bool) -> Vec<u8> {
    let needs = |byte: &u8| *byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r');
    if !marked && !value.iter().any(needs) {
        return value.to_vec();
    }
    let mut field = vec![b'"'];
    for &byte in value {
        field.push(byte);
        if byte == b'"' {
            field.push(b'"');
        }
    }
    field.push(b'"');
    field
}

/// Where the fields of a record without its end of line stand, with their quotation marks.
fn fields(record: &[u8], delimiter: u8) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let mut start = 0;
    loop {
        let end = end_of(record, start, delimiter);
        all.push(start..end);
        if end == record.len() {
            return all;
        }
        start = end + 1;
    }
}

fn end_of(record: &[u8], start: usize, delimiter: u8) -> usize {
    let mut at = start;
    if record.get(at) == Some(&b'"') {
        at += 1;
        while at < record.len() {
            let mark = record[at] == b'"';
            at += 1;
            if mark {
                match record.get(at) {
                    // Two marks stand for one.
                    Some(b'"') => at += 1,
                    _ => break,
                }
            }
        }
    }
    memchr::memchr(delimiter, &record[at..]).map_or(record.len(), |found| at + found)
}

/// What a field says.
fn value_of(field: &[u8]) -> Vec<u8> {
    let Some(rest) = field.strip_prefix(b"\"") else { return field.to_vec() };
    let (mut value, mut at) = (Vec::with_capacity(rest.len()), 0);
    while at < rest.len() {
        match (rest[at], rest.get(at + 1)) {
            (b'"', Some(b'"')) => {
                value.push(b'"');
                at += 1;
            }
            (b'"', _) => {
                value.extend_from_slice(&rest[at + 1..]);
                return value;
            }
            (byte, _) => value.push(byte),
        }
        at += 1;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(record: &str, new: &[(usize, &str)]) -> String {
        let new: Vec<(usize, &[u8])> = new.iter().map(|(at, value)| (*at, value.as_bytes())).collect();
        String::from_utf8(replaced(record.as_bytes(), b',', &new)).unwrap()
    }

    #[test]
    fn only_the_fields_that_change_are_written_anew() {
        assert_eq!(of("\"a\",b , \"c\"\",\"", &[(0, "x")]), "\"x\",b , \"c\"\",\"");
        assert_eq!(of("\"a, \"\"b\"\"\",b,\"c\"", &[(1, "x")]), "\"a, \"\"b\"\"\",x,\"c\"");
        assert_eq!(of("a,b", &[(1, "x,y")]), "a,\"x,y\"");
        assert_eq!(of("a,\"b\nc\",d", &[(2, "e"), (0, "z")]), "z,\"b\nc\",e");
        assert_eq!(of("a,b,", &[(2, "c"), (7, "d")]), "a,b,c");
        assert_eq!(of("a", &[(0, "")]), "\"\"");
        // What stays the same keeps how it is written.
        assert_eq!(of("\"a\",\"b\"", &[(0, "a"), (1, "b")]), "\"a\",\"b\"");
    }

    #[test]
    fn fields_are_those_that_the_reader_finds() {
        for record in ["a,b", "\"a,\"\"\",b", "\"a\"b,c", "a\"b,c\"", ",", "", "\"\",\"\"", "a, \"b,c\""] {
            let mut reader =
                csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(record.as_bytes());
            let mut cells = csv::ByteRecord::new();
            reader.read_byte_record(&mut cells).unwrap();
            let own: Vec<Vec<u8>> = fields(record.as_bytes(), b',')
                .into_iter()
                .map(|at| value_of(&record.as_bytes()[at]))
                .collect();
            let read: Vec<Vec<u8>> = cells.iter().map(<[u8]>::to_vec).collect();
            assert_eq!(own, if read.is_empty() { vec![Vec::new()] } else { read }, "{record:?}");
        }
    }
}
