//! A screen as an SVG picture, so that the documentation shows what the program drew.
//!
//! Backgrounds and half blocks are pixels of one small embedded PNG, blocks of other heights and shades are
//! rectangles, everything else is text in a fixed-width font, stretched to its cells.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, Rgb, RgbImage};
use std::fmt::Write;
use std::io::Cursor;
use vt100::{Cell, Color, Screen};

/// Pixels of a cell.
const CELL: (u32, u32) = (9, 18);
/// The baseline of letters in a cell, from its top.
const BASELINE: u32 = 14;
const GROUND: [u8; 3] = [0x12, 0x15, 0x1a];
const INK: [u8; 3] = [0xd4, 0xda, 0xe0];
/// The first sixteen colors of xterm.
const SIXTEEN: [u32; 16] = [
    0x00_0000, 0xcd_0000, 0x00_cd00, 0xcd_cd00, 0x00_00ee, 0xcd_00cd, 0x00_cdcd, 0xe5_e5e5, 0x7f_7f7f,
    0xff_0000, 0x00_ff00, 0xff_ff00, 0x5c_5cff, 0xff_00ff, 0x00_ffff, 0xff_ffff,
];

/// Draws a screen.
pub fn svg(screen: &Screen, title: &str) -> String {
    document(size(screen), title, &drawing(screen))
}

/// A screen and how many seconds it is shown.
#[derive(Clone, Debug)]
pub struct Frame {
    size: (u32, u32),
    drawing: String,
    seconds: f64,
}

impl Frame {
    /// Draws a screen.
    pub fn of(screen: &Screen, seconds: f64) -> Frame {
        Frame { size: size(screen), drawing: drawing(screen), seconds }
    }
}

/// Screens of one size one after another, again and again; the first alone for who wants nothing to move.
///
/// # Panics
/// Without a frame.
pub fn animated(frames: &[Frame], title: &str) -> String {
    let total: f64 = frames.iter().map(|frame| frame.seconds).sum();
    let (mut style, mut all, mut begin) = (String::new(), String::new(), 0.0);
    for (number, frame) in frames.iter().enumerate() {
        let percent = |seconds: f64| (seconds / total * 10_000.0).round() / 100.0;
        let (from, to) = (percent(begin), percent(begin + frame.seconds));
        begin += frame.seconds;
        let before = if number == 0 { "" } else { "0%{visibility:hidden}" };
        let after = match number + 1 == frames.len() {
            true => String::new(),
            false => format!("{to}%{{visibility:hidden}}"),
        };
        let _ = writeln!(style, "@keyframes f{number}{{{before}{from}%{{visibility:visible}}{after}}}");
        let _ = writeln!(style, "#f{number}{{animation:f{number} {total}s step-end infinite}}",);
        let hidden = if number == 0 { "" } else { " visibility=\"hidden\"" };
        let _ = writeln!(all, "<g id=\"f{number}\"{hidden}>\n{}</g>", frame.drawing);
    }
    style.push_str("@media (prefers-reduced-motion:reduce){g{animation:none !important}}\n");
    document(frames[0].size, title, &format!("<style>\n{style}</style>\n{all}"))
}

/// Width and height in pixels.
fn size(screen: &Screen) -> (u32, u32) {
    (u32::from(screen.size().1.get()) * CELL.0, u32::from(screen.size().0.get()) * CELL.1)
}

fn document((width, height): (u32, u32), title: &str, drawing: &str) -> String {
    let title = escape(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" font-family=\"DejaVu Sans Mono,Menlo,Consolas,monospace\" \
         font-size=\"15\">\n<title>{title}</title>\n{drawing}</svg>\n"
    )
}

fn drawing(screen: &Screen) -> String {
    let (rows, columns) = (u32::from(screen.size().0.get()), u32::from(screen.size().1.get()));
    let (width, height) = size(screen);
    let mut pixels = RgbImage::from_pixel(columns, rows * 2, Rgb(GROUND));
    let mut shapes = String::new();
    let mut words = String::new();
    for row in 0..rows {
        let mut run: Option<Run> = None;
        for column in 0..columns {
            let Some(cell) = screen.cell(row as u16, column as u16) else { continue };
            let (ink, ground) = colors(cell);
            for half in 0..2 {
                pixels.put_pixel(column, row * 2 + half, Rgb(ground));
            }
            let drawn = block(cell.contents(), (column, row), ink, &mut pixels, &mut shapes);
            let blank = drawn || cell.contents().trim().is_empty();
            let look = look(cell, ink);
            let joins = run.as_ref().is_some_and(|run| run.look == look && !blank);
            if !joins {
                if let Some(done) = run.take() {
                    done.write(row, &mut words);
                }
                if !blank {
                    run = Some(Run { look, column, cells: 0, text: String::new() });
                }
            }
            if let Some(run) = run.as_mut().filter(|_| !blank) {
                run.text.push_str(cell.contents());
                run.cells += if cell.is_wide() { 2 } else { 1 };
            }
        }
        if let Some(done) = run {
            done.write(row, &mut words);
        }
    }
    let mut png = Vec::new();
    pixels.write_to(&mut Cursor::new(&mut png), ImageFormat::Png).expect("a PNG in memory");
    format!(
        "<image width=\"{width}\" height=\"{height}\" \
         preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" \
         href=\"data:image/png;base64,{}\"/>\n{shapes}{words}",
        STANDARD.encode(&png)
    )
}

/// Consecutive characters of the same style.
struct Run {
    look: String,
    column: u32,
    cells: u32,
    text: String,
}

impl Run {
    fn write(&self, row: u32, out: &mut String) {
        let (x, y) = (self.column * CELL.0, row * CELL.1 + BASELINE);
        let _ = writeln!(
            out,
            "<text x=\"{x}\" y=\"{y}\" textLength=\"{}\" {}>{}</text>",
            self.cells * CELL.0,
            self.look,
            escape(&self.text)
        );
    }
}

fn look(cell: &Cell, ink: [u8; 3]) -> String {
    let mut look = format!("fill=\"{}\"", hex(ink));
    for (is, what) in [
        (cell.bold(), " font-weight=\"bold\""),
        (cell.italic(), " font-style=\"italic\""),
        (cell.underline(), " text-decoration=\"underline\""),
        (cell.dim(), " opacity=\".6\""),
    ] {
        if is {
            look.push_str(what);
        }
    }
    look
}

/// Foreground and background of a cell.
fn colors(cell: &Cell) -> ([u8; 3], [u8; 3]) {
    let (ink, ground) = (color(cell.fgcolor(), INK), color(cell.bgcolor(), GROUND));
    if cell.inverse() { (ground, ink) } else { (ink, ground) }
}

fn color(color: Color, usual: [u8; 3]) -> [u8; 3] {
    match color {
        Color::Default => usual,
        Color::Rgb(r, g, b) => [r, g, b],
        Color::Idx(n @ 0..=15) => {
            let [_, r, g, b] = SIXTEEN[usize::from(n)].to_be_bytes();
            [r, g, b]
        }
        Color::Idx(n @ 16..=231) => {
            let step = |v: u8| if v == 0 { 0 } else { 55 + 40 * v };
            let n = n - 16;
            [step(n / 36), step(n / 6 % 6), step(n % 6)]
        }
        Color::Idx(n) => [8 + 10 * (n - 232); 3],
    }
}

/// Draws a cell that is a block. Returns whether it was one.
fn block(text: &str, at: (u32, u32), ink: [u8; 3], pixels: &mut RgbImage, shapes: &mut String) -> bool {
    let (column, row) = at;
    let mut half = |half: u32| pixels.put_pixel(column, row * 2 + half, Rgb(ink));
    let (share, opacity) = match text {
        "▀" => {
            half(0);
            return true;
        }
        "▄" => {
            half(1);
            return true;
        }
        "█" => {
            half(0);
            half(1);
            return true;
        }
        "▁" => (1, ""),
        "▂" => (2, ""),
        "▃" => (3, ""),
        "▅" => (5, ""),
        "▆" => (6, ""),
        "▇" => (7, ""),
        "░" => (8, " opacity=\".25\""),
        "▒" => (8, " opacity=\".5\""),
        "▓" => (8, " opacity=\".75\""),
        _ => return false,
    };
    let height = CELL.1 * share / 8;
    let (x, y) = (column * CELL.0, (row + 1) * CELL.1 - height);
    let _ = writeln!(
        shapes,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{height}\" fill=\"{}\"{opacity}/>",
        CELL.0,
        hex(ink)
    );
    true
}

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZero;

    #[test]
    fn colors_letters_and_blocks_are_drawn_where_they_stand() {
        let side = |n| NonZero::new(n).unwrap();
        let mut parser = vt100::Parser::new(side(2), side(10), 0);
        parser.process("\x1b[31;1ma<b\x1b[m \x1b[38;2;1;2;3;48;2;4;5;6m▀\x1b[m▆\r\n\x1b[7mx".as_bytes());
        let svg = svg(parser.screen(), "a & b");
        assert!(svg.contains("<title>a &amp; b</title>"));
        assert!(svg.contains(
            "<text x=\"0\" y=\"14\" textLength=\"27\" fill=\"#cd0000\" font-weight=\"bold\">a&lt;b</text>"
        ));
        assert!(svg.contains("<rect x=\"45\" y=\"5\" width=\"9\" height=\"13\" fill=\"#d4dae0\"/>"));
        assert!(svg.contains("<text x=\"0\" y=\"32\" textLength=\"9\" fill=\"#12151a\">x</text>"));
        let data = svg.split("base64,").nth(1).unwrap().split('"').next().unwrap();
        assert!(data.starts_with("iVBORw0KGgo"), "{data}");
        let film = animated(&[Frame::of(parser.screen(), 1.0), Frame::of(parser.screen(), 3.0)], "film");
        assert!(film.contains("@keyframes f0{0%{visibility:visible}25%{visibility:hidden}}"), "{film}");
        assert!(film.contains("@keyframes f1{0%{visibility:hidden}25%{visibility:visible}}"), "{film}");
        assert_eq!(film.matches("a&lt;b").count(), 2);
    }
}
