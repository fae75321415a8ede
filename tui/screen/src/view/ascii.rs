//! The screen in ASCII, for terminals and fonts that have nothing else. Applied to the finished screen, so that every
//! part of it can be drawn with the usual signs.

use ratatui::buffer::Buffer;

/// Cells in which the terminal shows a picture by kitty's placeholders.
const PLACEHOLDER: char = '\u{10eeee}';

/// Replaces every sign that is not ASCII.
pub(super) fn fold(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() && !cell.symbol().starts_with(PLACEHOLDER) {
            let wide = crate::text::width(cell.symbol()) > 1;
            let sign = cell.symbol().chars().next().map_or(' ', sign);
            // A wide character has a second cell that is never drawn by itself.
            let mut bytes = [0; 4];
            cell.set_symbol(if wide { "??" } else { sign.encode_utf8(&mut bytes) });
        }
    }
}

/// The ASCII sign for one of ours; a question mark for what belongs to a name.
fn sign(c: char) -> char {
    match c {
        '│' | '┃' | '┆' => '|',
        '─' | '━' | '┄' => '-',
        '╭' | '╮' | '╰' | '╯' | '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' => {
            '+'
        }
        '▌' => '>',
        '█' | '▉' | '▊' | '▋' | '▇' | '▆' | '▅' => '#',
        '▄' | '▃' | '▀' => '=',
        '▂' | '▁' => '_',
        '▓' => '%',
        '▒' => ':',
        '░' | '·' => '.',
        '●' | '◆' | '•' => '*',
        '✓' => '+',
        '✗' | '×' => 'x',
        '→' | '▸' | '›' => '>',
        '←' | '‹' => '<',
        '↑' | '▲' => '^',
        '↓' | '▼' | '▾' => 'v',
        // Points of the map: how many of the eight are there.
        '\u{2800}'..='\u{28ff}' => match (c as u32 & 0xff).count_ones() {
            0 => ' ',
            1 | 2 => '.',
            3 | 4 => ':',
            _ => '#',
        },
        '…' => '~',
        '–' | '−' | '—' => '-',
        _ => '?',
    }
}
