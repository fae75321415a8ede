//! The shortest motion of the cursor from one cell to another.
//!
//! Not by crossterm's commands: `MoveRight(1)` writes the 1 that terminals assume and `MoveTo` both coordinates, and
//! frames consist of many short motions.

use ratatui::layout::Position;

/// Steps that are written one by one at most.
const STEPS: usize = 4;

/// The sequence that moves the cursor; `from` is none if its position is uncertain.
pub(super) fn shortest_motion(from: Option<Position>, to: Position) -> String {
    let mut best = match (to.x, to.y) {
        (0, 0) => "\x1b[H".to_owned(),
        (0, y) => format!("\x1b[{}H", y + 1),
        (x, y) => format!("\x1b[{};{}H", y + 1, x + 1),
    };
    let Some(from) = from else { return best };
    if from == to {
        return String::new();
    }
    for way in down(from.y, to.y).into_iter().flat_map(|down| {
        let sideways = across(from.x, to.x).into_iter();
        sideways.map(move |across| format!("{down}{across}"))
    }) {
        if way.len() < best.len() {
            best = way;
        }
    }
    best
}

/// Ways to another row in the same column. Down by line feeds, which never scroll: the row is on the screen.
fn down(from: u16, to: u16) -> Vec<String> {
    let steps = usize::from(to.abs_diff(from));
    if steps == 0 {
        return vec![String::new()];
    }
    let mut ways = vec![relative(steps, if to > from { 'B' } else { 'A' }), format!("\x1b[{}d", to + 1)];
    if to > from && steps <= STEPS {
        ways.push("\n".repeat(steps));
    }
    ways
}

/// Ways to another column in the same row.
fn across(from: u16, to: u16) -> Vec<String> {
    let steps = usize::from(to.abs_diff(from));
    if steps == 0 {
        return vec![String::new()];
    }
    let mut ways = vec![relative(steps, if to > from { 'C' } else { 'D' }), format!("\x1b[{}G", to + 1)];
    if to < from && steps <= STEPS {
        ways.push("\x08".repeat(steps));
    }
    ways.push(match to {
        0 => "\r".to_owned(),
        to => format!("\r{}", relative(usize::from(to), 'C')),
    });
    ways
}

fn relative(steps: usize, letter: char) -> String {
    if steps == 1 { format!("\x1b[{letter}") } else { format!("\x1b[{steps}{letter}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::num::NonZero;

    fn way(from: (u16, u16), to: (u16, u16)) -> String {
        shortest_motion(Some(from.into()), to.into())
    }

    #[test]
    fn short_ways() {
        for (from, to, expected) in [
            ((5, 5), (5, 5), ""),
            ((5, 5), (6, 5), "\x1b[C"),
            ((5, 5), (3, 5), "\x08\x08"),
            ((50, 5), (0, 6), "\r\n"),
            ((50, 5), (50, 7), "\n\n"),
            ((50, 5), (0, 5), "\r"),
            ((50, 5), (2, 5), "\x1b[3G"),
            ((50, 5), (50, 4), "\x1b[A"),
            ((90, 30), (0, 2), "\x1b[3H"),
            ((90, 30), (7, 2), "\x1b[3;8H"),
        ] {
            assert_eq!(way(from, to).len(), expected.len(), "{from:?} to {to:?}");
        }
        assert_eq!(shortest_motion(None, (0, 0).into()), "\x1b[H");
        assert_eq!(shortest_motion(None, (4, 0).into()), "\x1b[1;5H");
    }

    proptest! {
        #[test]
        fn every_way_arrives(from in (0_u16..120, 0_u16..50), to in (0_u16..120, 0_u16..50)) {
            let size = |side: u16| NonZero::new(side).unwrap();
            let mut terminal = vt100::Parser::new(size(50), size(120), 0);
            terminal.process(shortest_motion(None, from.into()).as_bytes());
            let way = way(from, to);
            terminal.process(way.as_bytes());
            prop_assert_eq!(terminal.screen().cursor_position(), (to.1, to.0), "{:?}", way);
        }
    }
}
