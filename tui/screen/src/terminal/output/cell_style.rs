//! Styles of cells, and the shortest SGR sequence that goes from one to the next.
//!
//! Not by crossterm's `SetColors` and `SetAttributes`: those write one sequence for each color and attribute, and this
//! is most of what a frame is made of.

use crate::theme::exact_index;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use std::fmt::Write;

/// Attributes that are drawn, and the code that switches each on.
const ATTRIBUTES: [(Modifier, u8); 6] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::REVERSED, 7),
    (Modifier::CROSSED_OUT, 9),
];

/// Attributes that show where there is no character.
const SEEN_ON_BLANKS: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

/// The style of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CellStyle {
    /// Color of the character.
    pub(super) fg: Color,
    /// Background color.
    pub(super) bg: Color,
    /// Attributes.
    pub(super) modifier: Modifier,
}

/// How a terminal draws when nothing was said.
pub(super) const PLAIN: CellStyle =
    CellStyle { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

impl CellStyle {
    /// The style of a cell.
    pub(super) fn of(cell: &Cell) -> CellStyle {
        let known = ATTRIBUTES.iter().fold(Modifier::empty(), |all, (flag, _)| all | *flag);
        CellStyle { fg: compact(cell.fg), bg: compact(cell.bg), modifier: cell.modifier & known }
    }

    /// Whether a blank drawn with this looks like one drawn with the other.
    pub(super) fn same_on_blank(self, other: CellStyle) -> bool {
        self.bg == other.bg
            && (self.modifier & SEEN_ON_BLANKS).is_empty()
            && (other.modifier & SEEN_ON_BLANKS).is_empty()
    }

    /// The nearest to this one with which a blank looks as with `other`.
    pub(super) fn for_blank(self, other: CellStyle) -> CellStyle {
        CellStyle { bg: other.bg, modifier: self.modifier - SEEN_ON_BLANKS, ..self }
    }

    /// The sequence that goes from another style to this one; nothing where they are the same.
    pub(super) fn sgr_from(self, from: CellStyle) -> String {
        if self == from {
            return String::new();
        }
        let mut step = String::new();
        let mut kept = from.modifier;
        let lost = from.modifier - self.modifier;
        for (flag, code) in [
            (Modifier::BOLD | Modifier::DIM, 22),
            (Modifier::ITALIC, 23),
            (Modifier::UNDERLINED, 24),
            (Modifier::REVERSED, 27),
            (Modifier::CROSSED_OUT, 29),
        ] {
            if lost.intersects(flag) {
                push(&mut step, format_args!("{code}"));
                kept -= flag;
            }
        }
        self.add(&mut step, CellStyle { modifier: kept, ..from });
        let mut anew = String::new();
        if self != PLAIN {
            anew.push('0');
            self.add(&mut anew, PLAIN);
        }
        let codes = if anew.len() < step.len() { anew } else { step };
        format!("\x1b[{codes}m")
    }

    /// Codes for what this style has and the other has not.
    fn add(self, codes: &mut String, other: CellStyle) {
        for (flag, code) in ATTRIBUTES {
            if self.modifier.contains(flag) && !other.modifier.contains(flag) {
                push(codes, format_args!("{code}"));
            }
        }
        if self.fg != other.fg {
            color(codes, self.fg, 30);
        }
        if self.bg != other.bg {
            color(codes, self.bg, 40);
        }
    }
}

/// The same color in fewer bytes, where there is one.
fn compact(color: Color) -> Color {
    match color {
        Color::Rgb(r, g, b) => exact_index(r, g, b).map_or(color, Color::Indexed),
        _ => color,
    }
}

fn push(codes: &mut String, code: std::fmt::Arguments<'_>) {
    if !codes.is_empty() {
        codes.push(';');
    }
    let _ = codes.write_fmt(code);
}

fn color(codes: &mut String, color: Color, base: u8) {
    let bright = base + 60;
    let code = match color {
        Color::Rgb(r, g, b) => return push(codes, format_args!("{};2;{r};{g};{b}", base + 8)),
        Color::Indexed(n) => return push(codes, format_args!("{};5;{n}", base + 8)),
        Color::Reset => base + 9,
        Color::Black => base,
        Color::Red => base + 1,
        Color::Green => base + 2,
        Color::Yellow => base + 3,
        Color::Blue => base + 4,
        Color::Magenta => base + 5,
        Color::Cyan => base + 6,
        Color::Gray => base + 7,
        Color::DarkGray => bright,
        Color::LightRed => bright + 1,
        Color::LightGreen => bright + 2,
        Color::LightYellow => bright + 3,
        Color::LightBlue => bright + 4,
        Color::LightMagenta => bright + 5,
        Color::LightCyan => bright + 6,
        Color::White => bright + 7,
    };
    push(codes, format_args!("{code}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_sequence_is_taken() {
        let bold = CellStyle { modifier: Modifier::BOLD, ..PLAIN };
        let blue = CellStyle { fg: Color::Indexed(75), ..PLAIN };
        let marked = CellStyle { bg: Color::Indexed(237), modifier: Modifier::BOLD, ..blue };
        assert_eq!(PLAIN.sgr_from(marked), "\x1b[m");
        assert_eq!(bold.sgr_from(PLAIN), "\x1b[1m");
        assert_eq!(blue.sgr_from(bold), "\x1b[0;38;5;75m");
        assert_eq!(bold.sgr_from(blue), "\x1b[0;1m");
        assert_eq!(CellStyle { modifier: Modifier::DIM, ..PLAIN }.sgr_from(marked), "\x1b[0;2m");
        assert_eq!(CellStyle { modifier: Modifier::empty(), ..marked }.sgr_from(marked), "\x1b[22m");
        assert_eq!(blue.sgr_from(blue), "");
    }

    #[test]
    fn colors_of_the_256_are_named_by_number() {
        let mut cell = Cell::new("x");
        cell.set_fg(Color::Rgb(95, 175, 255)).set_bg(Color::Rgb(95, 175, 254));
        let style = CellStyle::of(&cell);
        assert_eq!((style.fg, style.bg), (Color::Indexed(75), Color::Rgb(95, 175, 254)));
    }
}
