use super::*;
use crate::theme::exact_index;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::Line;
use std::num::NonZero;

fn frame(terminal: &mut Terminal<Screen>, line: Line<'static>) -> String {
    terminal.draw(|frame| frame.render_widget(line, frame.area())).unwrap();
    terminal.backend_mut().park(Position { x: 0, y: 0 });
    String::from_utf8(terminal.backend_mut().take().concat()).unwrap()
}

#[test]
fn a_frame_without_a_change_is_no_bytes() {
    let mut terminal = Terminal::new(Screen::new(Size::new(20, 3))).unwrap();
    let line = || Line::from(vec!["a".red(), "b猫".bold(), "c".on_blue()]);
    let first = frame(&mut terminal, line());
    assert!(first.starts_with("\x1b[?2026h") && first.ends_with("\x1b[?2026l"));
    assert_eq!(frame(&mut terminal, line()), "");
    assert_eq!(frame(&mut terminal, line()), "");
}

#[test]
fn only_what_differs_is_written() {
    let mut terminal = Terminal::new(Screen::new(Size::new(20, 3))).unwrap();
    frame(&mut terminal, Line::from("one two three"));
    let second = frame(&mut terminal, Line::from("one TWO three"));
    assert_eq!(second, "\x1b[?2026h\x1b[4CTWO\r\x1b[?2026l");
}

#[test]
fn what_cannot_be_seen_is_not_written() {
    let mut terminal = Terminal::new(Screen::new(Size::new(20, 3))).unwrap();
    frame(&mut terminal, Line::from(vec!["a  ".red(), "b".into()]));
    let second = frame(&mut terminal, Line::from(vec!["a".red(), "  ".bold().green(), "b".into()]));
    assert_eq!(second, "");
}

#[test]
fn blanks_are_erased_together() {
    let mut terminal = Terminal::new(Screen::new(Size::new(40, 3))).unwrap();
    frame(&mut terminal, Line::from("a long line of many words"));
    assert_eq!(frame(&mut terminal, Line::from("a")), "\x1b[?2026ha \x1b[K\r\x1b[?2026l");
    frame(&mut terminal, Line::from("a long line of many words to the right edge"));
    let gap = frame(&mut terminal, Line::from(format!("a{:37}t", "")));
    assert!(gap.contains("X") && gap.len() < 45, "{gap:?}");
}

#[test]
fn what_lies_under_a_picture_is_not_written_again() {
    let mut terminal = Terminal::new(Screen::new(Size::new(40, 3))).unwrap();
    let picture = Rect::new(1, 0, 3, 1);
    for (guarded, again) in [(vec![], true), (vec![picture], false)] {
        frame(&mut terminal, Line::from("a2c4e"));
        terminal.backend_mut().settle();
        terminal.backend_mut().guard(guarded);
        assert_eq!(frame(&mut terminal, Line::from("A2c4E")).contains("A2c4E"), again);
        assert!(!terminal.backend().drew(picture));
    }
    // What differs there is written, and known to be.
    frame(&mut terminal, Line::from("A2X4E"));
    assert!(terminal.backend().drew(picture));
}

#[test]
fn a_cell_that_must_be_drawn_anew_is() {
    let mut screen = Screen::new(Size::new(9, 1));
    let plain = Cell::new("p");
    let mut anew = plain.clone();
    anew.set_diff_option(CellDiffOption::AlwaysUpdate);
    screen.draw([(0, 0, &plain)].into_iter()).unwrap();
    screen.take();
    screen.draw([(0, 0, &plain)].into_iter()).unwrap();
    assert!(screen.take().is_empty());
    screen.draw([(0, 0, &anew)].into_iter()).unwrap();
    assert_eq!(screen.take().concat(), b"\x1b[?2026h\x08p\x1b[?2026l");
}

#[test]
fn a_large_frame_comes_in_pieces() {
    let mut screen = Screen::new(Size::new(200, 60));
    let cell = |n: u16| {
        let mut cell = Cell::new("▀");
        cell.set_fg(Color::Rgb(n as u8, 3, 5)).set_bg(Color::Rgb(7, n as u8, 3));
        cell
    };
    let cells: Vec<_> = (0..200 * 60_u16).map(|n| (n % 200, n / 200, cell(n))).collect();
    screen.draw(cells.iter().map(|(x, y, cell)| (*x, *y, cell))).unwrap();
    let pieces = screen.take();
    assert!(pieces.len() > 20 && pieces.iter().all(|piece| piece.len() < 4 * PIECE), "{}", pieces.len());
}

/// Cells as they can occur side by side: short words in few looks, and now and then something wide.
fn cells() -> impl Strategy<Value = Vec<(u16, u16, String, Style)>> {
    let color = prop_oneof![
        3 => Just(Color::Reset),
        1 => Just(Color::Red),
        1 => Just(Color::White),
        1 => Just(Color::Indexed(75)),
        1 => Just(Color::Rgb(95, 175, 255)),
        1 => Just(Color::Rgb(1, 2, 3)),
    ];
    let modifier = prop_oneof![
        4 => Just(Modifier::empty()),
        2 => Just(Modifier::BOLD),
        1 => Just(Modifier::DIM),
        1 => Just(Modifier::REVERSED),
        1 => Just(Modifier::UNDERLINED | Modifier::ITALIC),
    ];
    let style = (color.clone(), color, modifier)
        .prop_map(|(fg, bg, modifier)| Style::new().fg(fg).bg(bg).add_modifier(modifier));
    let words = prop_oneof![
        4 => "[a-c ]{1,14}",
        2 => " {1,40}",
        1 => "[█░]{1,12}",
        1 => "[a猫]{1,6}",
    ];
    prop::collection::vec((0_u16..40, 0_u16..6, words, style), 0..14)
}

fn seen(color: vt100::Color) -> Color {
    match color {
        vt100::Color::Default => Color::Reset,
        vt100::Color::Idx(n @ 0..=15) => {
            let names = [
                Color::Black,
                Color::Red,
                Color::Green,
                Color::Yellow,
                Color::Blue,
                Color::Magenta,
                Color::Cyan,
                Color::Gray,
                Color::DarkGray,
                Color::LightRed,
                Color::LightGreen,
                Color::LightYellow,
                Color::LightBlue,
                Color::LightMagenta,
                Color::LightCyan,
                Color::White,
            ];
            names[usize::from(n)]
        }
        vt100::Color::Idx(n) => Color::Indexed(n),
        vt100::Color::Rgb(r, g, b) => Color::Rgb(r, g, b),
    }
}

fn same(a: Color, b: Color) -> bool {
    let number = |color| match color {
        Color::Rgb(r, g, b) => exact_index(r, g, b).map_or(color, Color::Indexed),
        _ => color,
    };
    number(a) == number(b)
}

/// How the terminal's contents differ from the screen, if they do.
fn wrong(terminal: &vt100::Screen, buffer: &Buffer) -> Option<String> {
    let area = buffer.area;
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            let (want, got) = (&buffer[(x, y)], terminal.cell(y, x)?);
            let symbol = if got.has_contents() { got.contents() } else { " " };
            let style = CellStyle::of(want);
            let lines = got.underline() == style.modifier.contains(Modifier::UNDERLINED)
                && got.inverse() == style.modifier.contains(Modifier::REVERSED);
            let hidden = want.symbol() == " " && !style.modifier.contains(Modifier::REVERSED);
            let ink = same(seen(got.fgcolor()), style.fg)
                && got.bold() == style.modifier.contains(Modifier::BOLD)
                && got.dim() == style.modifier.contains(Modifier::DIM)
                && got.italic() == style.modifier.contains(Modifier::ITALIC);
            let fine =
                symbol == want.symbol() && same(seen(got.bgcolor()), style.bg) && lines && (hidden || ink);
            if !fine {
                return Some(format!("{x}, {y}: {want:?} and not {got:?}"));
            }
            x += want.symbol().width().max(1) as u16;
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_terminal_shows_every_cell_as_it_is(
        frames in prop::collection::vec((cells(), any::<u8>()), 1..8),
        guarded in prop::option::of((0_u16..30, 0_u16..5)),
    ) {
        let side = |side: u16| NonZero::new(side).unwrap();
        let (mut width, mut height) = (40, 6);
        let mut shown = vt100::Parser::new(side(height), side(width), 0);
        let mut terminal = Terminal::new(Screen::new(Size::new(width, height))).unwrap();
        terminal.backend_mut().guard(guarded.map(|(x, y)| Rect::new(x, y, 9, 2)).into_iter().collect());
        for (cells, also) in frames {
            match also {
                // Another size, as the loop takes it in.
                0..=15 => {
                    (width, height) = (30 + u16::from(also), 4 + u16::from(also) % 3);
                    shown.screen_mut().set_size(side(height), side(width));
                    terminal.backend_mut().resize(Size::new(width, height));
                }
                // Everything is redrawn.
                16..=31 => {
                    shown.process(b"\x1b[2;2Hgarbage\x1b[7m");
                    terminal.backend_mut().forget();
                    terminal.clear().unwrap();
                }
                _ => {}
            }
            // Each frame is the last one with something changed, as on a real screen, or another one altogether.
            let mut last = None;
            terminal
                .draw(|frame| {
                    let area = frame.area();
                    for (x, y, words, style) in &cells {
                        if *x < area.width && *y < area.height {
                            let room = usize::from(area.width - x);
                            let (end, _) = frame.buffer_mut().set_stringn(*x, *y, words, room, *style);
                            for x in *x..end {
                                // The terminal of the test has no cells that are both.
                                let cell = &mut frame.buffer_mut()[(x, *y)];
                                if cell.modifier.contains(Modifier::BOLD) {
                                    cell.modifier.remove(Modifier::DIM);
                                }
                            }
                        }
                    }
                    if also % 2 == 0 {
                        frame.set_cursor_position((0, 0));
                    }
                    last = Some(frame.buffer_mut().clone());
                })
                .unwrap();
            terminal.backend_mut().park(Position { x: u16::from(also) % 30, y: 3 });
            shown.process(&terminal.backend_mut().take().concat());
            let fault = wrong(shown.screen(), &last.unwrap());
            prop_assert!(fault.is_none(), "{}", fault.unwrap_or_default());
        }
    }
}
