//! Plain text tables that lose nothing on narrow terminals.

use anyhow::Result;
use chaffinch_protocol::display::safe_text;
use chaffinch_screen::text;
use std::io::Write;
use unicode_width::UnicodeWidthStr;

/// Columns of text get no narrower than this.
const NARROWEST: usize = 12;
/// A last column is broken into lines beside the others if it has this much room, and else below them.
const BESIDE: usize = 24;
/// How far what stands below a row is moved to the right.
const INDENT: usize = 4;

/// The alignment of a column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A plain text table with two spaces between columns. Where it is wider than the terminal, the last column of text is
/// broken into lines, other columns of text are shortened in the middle, and what still does not fit follows in a second
/// part with the first column again.
pub(super) struct Table {
    header: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(header: &[(&'static str, Align)]) -> Table {
        Table { header: header.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; control characters are escaped.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.into_iter().map(|cell| safe_text(&cell).into_owned()).collect());
    }

    pub(super) fn write(&self, out: &mut dyn Write, width: Option<usize>) -> Result<()> {
        let all: Vec<usize> = (0..self.header.len()).collect();
        let natural: Vec<usize> = all.iter().map(|column| self.natural(*column)).collect();
        let Some(width) = width.filter(|width| total(&natural) > *width) else {
            return self.part(out, &all, &natural, Last::Whole);
        };
        let (last, others) = all.split_last().map_or((0, &[][..]), |(last, others)| (*last, others));
        let long =
            self.header.get(last).is_some_and(|(_, align)| *align == Align::Left) && !others.is_empty();
        if !long || natural[last] <= NARROWEST {
            return self.parts(out, &all, width);
        }
        let shrunk = self.shrunk(others, width);
        let room = width.saturating_sub(total(&shrunk) + 2);
        if total(&natural[..others.len()]) + 2 + BESIDE <= width {
            let widths = [&natural[..others.len()], &[0]].concat();
            let room = width.saturating_sub(total(&widths));
            return self.part(out, &all, &widths, Last::Beside(room));
        }
        match total(&shrunk) <= width {
            true if room >= BESIDE => {
                self.part(out, &all, &[shrunk.as_slice(), &[0]].concat(), Last::Beside(room))
            }
            true => self.part(out, &all, &[shrunk.as_slice(), &[0]].concat(), Last::Below(width)),
            false => self.parts(out, &all, width),
        }
    }

    /// The cells that a column needs.
    fn natural(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width());
        cells.chain([self.header[column].0.width()]).max().unwrap_or(0)
    }

    /// The widths of these columns in a width, with columns of text shortened, the widest first.
    fn shrunk(&self, columns: &[usize], width: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = columns.iter().map(|column| self.natural(*column)).collect();
        while total(&widths) > width {
            let text = |place: &usize| {
                let (name, align) = self.header[columns[*place]];
                align == Align::Left && widths[*place] > NARROWEST.max(name.width())
            };
            let Some(widest) = (0..widths.len()).filter(text).max_by_key(|place| widths[*place]) else {
                break;
            };
            widths[widest] -= 1;
        }
        widths
    }

    /// As many columns as fit, then the others with the first one again.
    fn parts(&self, out: &mut dyn Write, columns: &[usize], width: usize) -> Result<()> {
        let mut rest = columns;
        let mut first = true;
        while !rest.is_empty() {
            let lead: &[usize] = if first { &[] } else { &columns[..1] };
            let fits = |count: usize| {
                let part = [lead, &rest[..count]].concat();
                total(&self.shrunk(&part, width)) <= width
            };
            let count = (1..=rest.len()).rev().find(|count| fits(*count)).unwrap_or(1);
            let part = [lead, &rest[..count]].concat();
            if !first {
                writeln!(out)?;
            }
            self.part(out, &part, &self.shrunk(&part, width), Last::Whole)?;
            (rest, first) = (&rest[count..], false);
        }
        Ok(())
    }

    fn part(&self, out: &mut dyn Write, columns: &[usize], widths: &[usize], last: Last) -> Result<()> {
        let header: Vec<String> = self.header.iter().map(|(name, _)| (*name).to_owned()).collect();
        for row in std::iter::once(&header).chain(&self.rows) {
            let mut line = String::new();
            let mut more: Vec<String> = Vec::new();
            for (place, column) in columns.iter().enumerate() {
                let cell = row.get(*column).map_or("", String::as_str);
                let gap = if place == 0 { "" } else { "  " };
                if place + 1 == columns.len() {
                    let lines = match last {
                        Last::Whole => Vec::new(),
                        Last::Beside(room) => text::wrap(cell, room),
                        Last::Below(width) => text::wrap(cell, width.saturating_sub(INDENT)),
                    };
                    match last {
                        Last::Whole => {}
                        Last::Beside(_) => {
                            let indent = " ".repeat(line.width() + gap.len());
                            line.extend([gap, lines.first().map_or("", String::as_str)]);
                            more = lines.iter().skip(1).map(|text| format!("{indent}{text}")).collect();
                            continue;
                        }
                        Last::Below(_) => {
                            more = lines.iter().map(|text| format!("{}{text}", " ".repeat(INDENT))).collect();
                            continue;
                        }
                    }
                }
                let cell = text::fit_middle(cell, widths[place]).into_owned();
                let room = " ".repeat(widths[place].saturating_sub(cell.width()));
                match self.header[*column].1 {
                    Align::Left => line.extend([gap, &cell, &room]),
                    Align::Right => line.extend([gap, &room, &cell]),
                }
            }
            writeln!(out, "{}", line.trim_end())?;
            for line in more {
                writeln!(out, "{}", line.trim_end())?;
            }
        }
        Ok(())
    }
}

/// What becomes of the last column.
#[derive(Clone, Copy)]
enum Last {
    /// It is a column like the others.
    Whole,
    /// Broken into lines of this width beside the others.
    Beside(usize),
    /// Broken into lines below the others, in this width altogether.
    Below(usize),
}

/// The cells of columns with these widths.
fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(table: &Table, width: Option<usize>) -> String {
        let mut out = Vec::new();
        table.write(&mut out, width).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn tables_align_and_escape_control_characters() {
        let mut table = Table::new(&[("rank", Align::Right), ("path", Align::Left), ("reason", Align::Left)]);
        table.row(vec!["1".into(), "cat/\x1b[2J.jpg".into(), "looks like a dog".into()]);
        table.row(vec!["10".into(), "猫.jpg".into(), String::new()]);
        let expected =
            "rank  path             reason\n   1  cat/\\x1b[2J.jpg  looks like a dog\n  10  猫.jpg\n";
        assert_eq!(written(&table, None), expected);
        assert_eq!(written(&table, Some(80)), expected);
    }

    #[test]
    fn a_last_column_of_sentences_is_broken_into_lines() {
        let mut table = Table::new(&[("path", Align::Left), ("reason", Align::Left)]);
        table.row(vec!["cat/1.jpg".into(), "it looks like a dog, and a copy of it is labeled dog".into()]);
        let text = written(&table, Some(40));
        assert_eq!(
            text,
            "path       reason\ncat/1.jpg  it looks like a dog, and a\n           copy of it is labeled dog\n"
        );
        let mut table = Table::new(&[("path", Align::Left), ("n", Align::Right), ("session", Align::Left)]);
        table.row(vec![
            "/data/some/where/far/away/pets".into(),
            "3".into(),
            "/state/sessions/0123456789ab".into(),
        ]);
        let text = written(&table, Some(38));
        assert!(text.contains("\n    /state/sessions/0123456789ab\n"), "{text}");
    }

    #[test]
    fn numbers_are_never_cut_off() {
        let names = ["detector", "a", "b", "c", "d", "e", "f"];
        let mut table = Table::new(
            &names.map(|name| (name, if name == "detector" { Align::Left } else { Align::Right })),
        );
        table.row(
            ["neighbor-outliers", "11111", "22222", "33333", "44444", "55555", "66666"]
                .map(String::from)
                .to_vec(),
        );
        for width in [20, 30, 44, 50] {
            let text = written(&table, Some(width));
            assert!(text.lines().all(|line| line.width() <= width), "{width}: {text}");
            for number in ["11111", "22222", "33333", "44444", "55555", "66666"] {
                assert!(text.contains(number), "{width}: {text}");
            }
        }
    }
}
