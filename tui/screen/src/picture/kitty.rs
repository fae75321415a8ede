//! Kitty's graphics protocol: a PNG is sent to the terminal in chunks under a number, and then shown by that number,
//! either placed over cells or by placeholder characters for its parts.
//!
//! The protocol is described at <https://sw.kovidgoyal.net/kitty/graphics-protocol/>.

use crate::text::base64;
use ratatui::buffer::Cell;
use ratatui::layout::Rect;
use ratatui::style::Color;
use std::fmt::Write;

/// Most base64 in one command; the protocol allows no more.
const CHUNK: usize = 4096;
/// Commands in one piece, so that a piece stays below 16 KiB.
const TOGETHER: usize = 3;

/// Marks of rows and columns in placeholder cells, by number: combining characters of class 230 in Unicode 6.0 that
/// do not decompose, as the protocol defines them. The first 256 are more cells than a picture gets.
const MARKS: [u32; 256] = [
    0x0305, 0x030d, 0x030e, 0x0310, 0x0312, 0x033d, 0x033e, 0x033f, 0x0346, 0x034a, 0x034b, 0x034c, 0x0350,
    0x0351, 0x0352, 0x0357, 0x035b, 0x0363, 0x0364, 0x0365, 0x0366, 0x0367, 0x0368, 0x0369, 0x036a, 0x036b,
    0x036c, 0x036d, 0x036e, 0x036f, 0x0483, 0x0484, 0x0485, 0x0486, 0x0487, 0x0592, 0x0593, 0x0594, 0x0595,
    0x0597, 0x0598, 0x0599, 0x059c, 0x059d, 0x059e, 0x059f, 0x05a0, 0x05a1, 0x05a8, 0x05a9, 0x05ab, 0x05ac,
    0x05af, 0x05c4, 0x0610, 0x0611, 0x0612, 0x0613, 0x0614, 0x0615, 0x0616, 0x0617, 0x0657, 0x0658, 0x0659,
    0x065a, 0x065b, 0x065d, 0x065e, 0x06d6, 0x06d7, 0x06d8, 0x06d9, 0x06da, 0x06db, 0x06dc, 0x06df, 0x06e0,
    0x06e1, 0x06e2, 0x06e4, 0x06e7, 0x06e8, 0x06eb, 0x06ec, 0x0730, 0x0732, 0x0733, 0x0735, 0x0736, 0x073a,
    0x073d, 0x073f, 0x0740, 0x0741, 0x0743, 0x0745, 0x0747, 0x0749, 0x074a, 0x07eb, 0x07ec, 0x07ed, 0x07ee,
    0x07ef, 0x07f0, 0x07f1, 0x07f3, 0x0816, 0x0817, 0x0818, 0x0819, 0x081b, 0x081c, 0x081d, 0x081e, 0x081f,
    0x0820, 0x0821, 0x0822, 0x0823, 0x0825, 0x0826, 0x0827, 0x0829, 0x082a, 0x082b, 0x082c, 0x082d, 0x0951,
    0x0953, 0x0954, 0x0f82, 0x0f83, 0x0f86, 0x0f87, 0x135d, 0x135e, 0x135f, 0x17dd, 0x193a, 0x1a17, 0x1a75,
    0x1a76, 0x1a77, 0x1a78, 0x1a79, 0x1a7a, 0x1a7b, 0x1a7c, 0x1b6b, 0x1b6d, 0x1b6e, 0x1b6f, 0x1b70, 0x1b71,
    0x1b72, 0x1b73, 0x1cd0, 0x1cd1, 0x1cd2, 0x1cda, 0x1cdb, 0x1ce0, 0x1dc0, 0x1dc1, 0x1dc3, 0x1dc4, 0x1dc5,
    0x1dc6, 0x1dc7, 0x1dc8, 0x1dc9, 0x1dcb, 0x1dcc, 0x1dd1, 0x1dd2, 0x1dd3, 0x1dd4, 0x1dd5, 0x1dd6, 0x1dd7,
    0x1dd8, 0x1dd9, 0x1dda, 0x1ddb, 0x1ddc, 0x1ddd, 0x1dde, 0x1ddf, 0x1de0, 0x1de1, 0x1de2, 0x1de3, 0x1de4,
    0x1de5, 0x1de6, 0x1dfe, 0x20d0, 0x20d1, 0x20d4, 0x20d5, 0x20d6, 0x20d7, 0x20db, 0x20dc, 0x20e1, 0x20e7,
    0x20e9, 0x20f0, 0x2cef, 0x2cf0, 0x2cf1, 0x2de0, 0x2de1, 0x2de2, 0x2de3, 0x2de4, 0x2de5, 0x2de6, 0x2de7,
    0x2de8, 0x2de9, 0x2dea, 0x2deb, 0x2dec, 0x2ded, 0x2dee, 0x2def, 0x2df0, 0x2df1, 0x2df2, 0x2df3, 0x2df4,
    0x2df5, 0x2df6, 0x2df7, 0x2df8, 0x2df9, 0x2dfa, 0x2dfb, 0x2dfc, 0x2dfd, 0x2dfe, 0x2dff, 0xa66f, 0xa67c,
    0xa67d, 0xa6f0, 0xa6f1, 0xa8e0, 0xa8e1, 0xa8e2, 0xa8e3, 0xa8e4, 0xa8e5,
];

/// Cells across or down that placeholders can name.
pub const MOST_CELLS: u16 = MARKS.len() as u16;

/// How commands reach the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    /// Through tmux, which passes on only wrapped sequences.
    pub tmux: bool,
}

impl Wire {
    /// A command as it is written.
    pub fn command(self, keys: &str, payload: &str) -> String {
        let separator = if payload.is_empty() { "" } else { ";" };
        self.wrap(&format!("\x1b_G{keys}{separator}{payload}\x1b\\"))
    }

    /// Any sequence, wrapped where it has to be.
    pub fn wrap(self, sequence: &str) -> String {
        if self.tmux {
            format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))
        } else {
            sequence.to_owned()
        }
    }

    /// Sends a PNG under a number, in pieces between which text may be written, but no other command of this
    /// protocol. `cells` makes it ready for placeholders over so many columns and rows.
    pub fn transmit(self, id: u32, png: &[u8], cells: Option<(u16, u16)>) -> Vec<Vec<u8>> {
        let coded = base64(png);
        let mut pieces = Vec::new();
        let mut piece = String::new();
        let mut chunks = coded.as_bytes().chunks(CHUNK).enumerate().peekable();
        while let Some((at, chunk)) = chunks.next() {
            let more = u8::from(chunks.peek().is_some());
            let keys = match (at, cells) {
                (0, None) => format!("a=t,f=100,i={id},q=2,m={more}"),
                (0, Some((columns, rows))) => {
                    format!("a=T,U=1,f=100,i={id},c={columns},r={rows},q=2,m={more}")
                }
                _ => format!("q=2,m={more}"),
            };
            piece.push_str(&self.command(&keys, &String::from_utf8_lossy(chunk)));
            if (at + 1) % TOGETHER == 0 || more == 0 {
                pieces.push(std::mem::take(&mut piece).into_bytes());
            }
        }
        pieces
    }

    /// Shows a picture that was sent over these cells; `place` tells places on the screen apart. `source` is the part of
    /// it that is shown, in its own pixels: from the left, from the top, width and height.
    pub fn place(self, id: u32, place: u32, area: Rect, source: Option<[u32; 4]>) -> String {
        let crop = source.map_or(String::new(), |[x, y, w, h]| format!(",x={x},y={y},w={w},h={h}"));
        let keys = format!("a=p,i={id},p={place}{crop},c={},r={},C=1,q=2", area.width, area.height);
        format!("\x1b7\x1b[{};{}H{}\x1b8", area.y + 1, area.x + 1, self.command(&keys, ""))
    }

    /// Removes a picture from a place on the screen; the terminal keeps its data.
    pub fn lift(self, id: u32, place: u32) -> String {
        self.command(&format!("a=d,d=i,i={id},p={place},q=2"), "")
    }

    /// Deletes a picture from the terminal.
    pub fn forget(self, id: u32) -> String {
        self.command(&format!("a=d,d=I,i={id},q=2"), "")
    }

    /// Aborts a transmission; the terminal discards what it received.
    pub fn abort(self) -> String {
        self.command("q=2,m=0", "")
    }
}

/// The placeholder cell for one part of a picture. The number is the foreground color, one of 256, since tmux keeps
/// no other exactly.
pub fn placeholder(id: u8, row: u16, column: u16) -> Cell {
    let mark = |n: u16| MARKS.get(usize::from(n)).and_then(|c| char::from_u32(*c)).unwrap_or(' ');
    let mut symbol = String::new();
    let _ = write!(symbol, "\u{10eeee}{}{}", mark(row), mark(column));
    let mut cell = Cell::default();
    cell.set_symbol(&symbol).set_fg(Color::Indexed(id));
    cell
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    /// Puts pieces together again: the keys of the first command and the whole payload, in base64.
    fn joined(pieces: &[Vec<u8>], wire: Wire) -> (String, String) {
        let mut text: String = pieces.iter().map(|piece| String::from_utf8(piece.clone()).unwrap()).collect();
        if wire.tmux {
            let parts: Vec<String> = text
                .split("\x1bPtmux;")
                .filter(|part| !part.is_empty())
                .map(|part| {
                    assert!(part.len() < 64 * 1024, "tmux drops long sequences");
                    part.strip_suffix("\x1b\\").unwrap().replace("\x1b\x1b", "\x1b")
                })
                .collect();
            text = parts.concat();
        }
        let (mut first, mut payload, mut more) = (String::new(), String::new(), true);
        for command in text.split_inclusive("\x1b\\") {
            assert!(more, "nothing follows the last chunk");
            let body = command.strip_prefix("\x1b_G").unwrap().strip_suffix("\x1b\\").unwrap();
            let (keys, data) = body.split_once(';').unwrap();
            assert!(data.len() <= CHUNK);
            more = keys.ends_with("m=1");
            assert!(!more || data.len() % 4 == 0, "only the last chunk may be padded");
            if first.is_empty() {
                first = keys.to_owned();
            }
            payload.push_str(data);
        }
        assert!(!more, "the last chunk says that it is the last");
        (first, payload)
    }

    proptest! {
        #[test]
        fn pieces_join_to_what_was_sent(
            png in prop::collection::vec(any::<u8>(), 1..60_000),
            tmux: bool,
            cells in prop::option::of((1_u16..200, 1_u16..100)),
        ) {
            let wire = Wire { tmux };
            let pieces = wire.transmit(9, &png, cells);
            prop_assert!(pieces.iter().all(|piece| piece.len() <= 16 * 1024));
            let (keys, payload) = joined(&pieces, wire);
            prop_assert_eq!(payload, base64(&png));
            prop_assert!(keys.contains("f=100,i=9"));
            prop_assert_eq!(keys.contains("U=1"), cells.is_some());
        }
    }

    #[test]
    fn placeholders_are_one_cell_wide_and_all_different() {
        let mut seen = std::collections::BTreeSet::new();
        for row in 0..MOST_CELLS {
            for column in [0, 1, 77, MOST_CELLS - 1] {
                let cell = placeholder(200, row, column);
                assert_eq!(cell.symbol().width(), 1, "row {row}, column {column}");
                assert!(seen.insert(cell.symbol().to_owned()));
                assert_eq!(cell.fg, Color::Indexed(200));
            }
        }
        let marks: Vec<u32> = placeholder(1, 0, 5).symbol().chars().map(u32::from).collect();
        assert_eq!(marks, [0x10_eeee, 0x305, 0x33d]);
    }

    #[test]
    fn commands_name_picture_and_place() {
        let wire = Wire::default();
        let placed = wire.place(7, 3, Rect::new(4, 1, 30, 15), None);
        assert_eq!(placed, "\x1b7\x1b[2;5H\x1b_Ga=p,i=7,p=3,c=30,r=15,C=1,q=2\x1b\\\x1b8");
        assert_eq!(Wire { tmux: true }.forget(7), "\x1bPtmux;\x1b\x1b_Ga=d,d=I,i=7,q=2\x1b\x1b\\\x1b\\");
    }
}
