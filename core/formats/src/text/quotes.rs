//! Quotation marks that are never closed: a reader of tables takes everything behind them for one cell.

/// The line with a quotation mark that opens a cell and is not closed, counted from 1; `None` if there is none. The table
/// begins at `start`.
pub(super) fn left_open(text: &[u8], start: usize, delimiter: u8) -> Option<u64> {
    let mut at = start;
    let mut opened = None;
    // What a mark at the beginning of a cell stands behind.
    let begins =
        |at: usize| at == start || text[at - 1] == delimiter || matches!(text[at - 1], b'\n' | b'\r');
    while let Some(found) = memchr::memchr(b'"', &text[at..]) {
        let place = at + found;
        at = place + 1;
        match opened {
            None => opened = begins(place).then_some(place),
            // Two marks in a cell stand for one.
            Some(_) if text.get(at) == Some(&b'"') => at += 1,
            Some(_) => opened = None,
        }
    }
    opened.map(|place| memchr::memchr_iter(b'\n', &text[..place]).count() as u64 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marks_that_open_a_cell_must_be_closed() {
        let of = |text: &str| left_open(text.as_bytes(), 0, b',');
        assert_eq!(of("a,b\n1,\"x\n2,y\n"), Some(2));
        assert_eq!(of("\"a\",\"b \"\"c\"\"\"\n1,\"x\ny\"\n"), None);
        assert_eq!(of("a,b\n1,5\" disk\n2,c\"\n"), None);
        assert_eq!(of("\"a"), Some(1));
        assert_eq!(of(""), None);
    }
}
