//! Encoding of pictures for a graphics protocol: size, quality and format.

use super::kitty::MOST_CELLS;
use super::palette::{palette_png, reduce, true_png};
use super::{Pixels, iterm, sixel};
use chaffinch_compute::image::resample::{Filter, resize};
use image::RgbImage;
use ratatui::layout::Size;
use std::sync::atomic::{AtomicU64, Ordering};

/// A graphics protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Kitty's: pictures are placed over cells.
    Kitty,
    /// Kitty's with placeholder characters for the parts of a picture: inside tmux.
    Placeholders,
    /// iTerm2's.
    Iterm,
    /// Sixels.
    Sixel,
}

impl Protocol {
    /// Its name, as shown.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Kitty => "kitty graphics",
            Protocol::Placeholders => "kitty graphics through tmux",
            Protocol::Iterm => "iTerm2 pictures",
            Protocol::Sixel => "sixels",
        }
    }

    /// Whether pictures occupy the cells, so that drawing a cell erases part of them.
    pub fn in_cells(self) -> bool {
        matches!(self, Protocol::Iterm | Protocol::Sixel)
    }
}

/// Quality levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// Characters.
    #[default]
    Cells,
    /// Half as wide and high as it could be, or less where the link is slow, in few colors.
    Half,
    /// All pixels, colors reduced.
    Full,
    /// All pixels, every color exactly.
    Exact,
}

/// The cells a picture takes, and how large a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Cells across and down that there are.
    pub room: Size,
    /// Pixels of one cell.
    pub cell: (u32, u32),
}

impl Geometry {
    /// The cells for a picture of this size in its own proportions: as many as there are room for.
    pub fn cells(self, width: u32, height: u32) -> Size {
        let (cell_width, cell_height) = (u64::from(self.cell.0.max(1)), u64::from(self.cell.1.max(1)));
        let room = (
            u64::from(self.room.width.min(MOST_CELLS)) * cell_width,
            u64::from(self.room.height.min(MOST_CELLS)) * cell_height,
        );
        let (width, height) = (u64::from(width.max(1)), u64::from(height.max(1)));
        // Whichever side touches the border first decides.
        let (across, down) = if room.0 * height <= room.1 * width {
            (room.0, (room.0 * height).div_ceil(width))
        } else {
            ((room.1 * width).div_ceil(height), room.1)
        };
        let cells = |pixels: u64, cell: u64, most: u16| {
            ((pixels + cell / 2) / cell).clamp(1, u64::from(most.clamp(1, MOST_CELLS))) as u16
        };
        Size::new(cells(across, cell_width, self.room.width), cells(down, cell_height, self.room.height))
    }
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A PNG, for kitty's protocol.
    Png(Vec<u8>),
    /// A whole sequence that draws where the cursor is.
    Sequence(String),
}

impl Payload {
    /// Its bytes.
    pub fn len(&self) -> usize {
        match self {
            Payload::Png(bytes) => bytes.len(),
            Payload::Sequence(text) => text.len(),
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A picture in the form of a protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graphic {
    /// Its unique number.
    pub key: u64,
    /// How good it is.
    pub quality: Quality,
    /// The protocol that shows it.
    pub protocol: Protocol,
    /// Cells it is shown over.
    pub cells: Size,
    /// What is sent.
    pub payload: Payload,
}

/// Pixels below which every color is kept: it costs next to nothing.
const SMALL: u32 = 64 * 64;
/// Pixels below which there is no half-size step.
const NO_HALF: u32 = 160 * 160;
/// Colors of the half step: 64 are two thirds of the bytes of 256, and it is looked at for a moment.
const HALF_COLORS: usize = 64;
/// The half step is not made smaller than this share of half the sides, however slow the link.
const LEAST_HALF: f64 = 0.3;

static LAST_KEY: AtomicU64 = AtomicU64::new(0);

/// The next step above one: small pictures skip those that would not help.
pub(super) fn step_above(held: Quality, pixels: &Pixels) -> Quality {
    match held {
        Quality::Cells if pixels.width * pixels.height > NO_HALF => Quality::Half,
        Quality::Cells | Quality::Half => Quality::Full,
        _ => Quality::Exact,
    }
}

/// Encodes a picture for a protocol. None if it has no pixels. The half-size step takes at most about `budget` bytes on
/// its way, about, where it can be made smaller.
pub(super) fn make(
    pixels: &Pixels,
    protocol: Protocol,
    quality: Quality,
    geometry: Geometry,
    budget: Option<usize>,
) -> Option<Graphic> {
    if pixels.width == 0 || pixels.height == 0 {
        return None;
    }
    let cells = geometry.cells(pixels.width, pixels.height);
    let (full_width, full_height) =
        (u32::from(cells.width) * geometry.cell.0.max(1), u32::from(cells.height) * geometry.cell.1.max(1));
    let exact = quality == Quality::Exact || pixels.width * pixels.height <= SMALL;
    let payload = match protocol {
        Protocol::Kitty | Protocol::Placeholders => Payload::Png(match quality {
            _ if exact => true_png(pixels).ok()?,
            Quality::Full => {
                // Drawings and screenshots are often smaller with all their colors.
                let (few, all) = (palette_png(&reduce(pixels, 256)).ok()?, true_png(pixels).ok()?);
                let best = if all.len() <= few.len() { all } else { few };
                within_cap(pixels, best)?
            }
            _ => half_within(pixels, budget, |half| palette_png(&reduce(half, HALF_COLORS)).ok())?,
        }),
        Protocol::Iterm => {
            let file = match quality {
                _ if exact => iterm::exact(pixels)?,
                Quality::Full => {
                    let cap = cap(pixels);
                    let mut file = iterm::jpeg(pixels, 80).ok()?;
                    for quality in [65, 50] {
                        if file.len() > cap {
                            file = iterm::jpeg(pixels, quality).ok()?;
                        }
                    }
                    file
                }
                _ => half_within(pixels, budget, |half| iterm::jpeg(half, 50).ok())?,
            };
            Payload::Sequence(iterm::sequence(&file, cells.width, cells.height))
        }
        // The terminal does not scale sixels, so every pixel is sent; repeated ones are cheap.
        Protocol::Sixel => {
            let picture = match quality {
                Quality::Full | Quality::Exact => reduce(&scaled(pixels, full_width, full_height), 256),
                _ => {
                    let half = scaled(pixels, full_width.div_ceil(2), full_height.div_ceil(2));
                    reduce(&scaled(&half, full_width, full_height), 64)
                }
            };
            Payload::Sequence(sixel::encode(&picture))
        }
    };
    let key = LAST_KEY.fetch_add(1, Ordering::Relaxed) + 1;
    Some(Graphic { key, quality, protocol, cells, payload })
}

/// The file of a picture with half the sides, or shorter ones where it would not be within the budget.
fn half_within(
    pixels: &Pixels,
    budget: Option<usize>,
    file: impl Fn(&Pixels) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let with_sides = |share: f64| {
        let side = |length: u32| ((f64::from(length) * share).ceil() as u32).max(1);
        file(&scaled(pixels, side(pixels.width), side(pixels.height)))
    };
    let half = with_sides(0.5)?;
    // Base64 turns three bytes into four.
    let room = budget.map_or(usize::MAX, |bytes| bytes / 4 * 3);
    if half.len() <= room {
        return Some(half);
    }
    let share = (room as f64 / half.len() as f64).sqrt() * 0.97;
    with_sides(0.5 * share.max(LEAST_HALF))
}

/// Bytes of a file that a picture of full quality may have: 200,000 on their way, where each three are four. More only
/// where there are many pixels, half a byte for each.
fn cap(pixels: &Pixels) -> usize {
    const FILE: usize = 148_000;
    FILE.max(pixels.rgb.len() / 6)
}

/// A PNG within the cap: with fewer colors, and only if that is not enough with fewer pixels.
fn within_cap(pixels: &Pixels, mut best: Vec<u8>) -> Option<Vec<u8>> {
    let cap = cap(pixels);
    for colors in [128, 64] {
        // Half the colors are about four fifths of the bytes, so what cannot be enough is not tried.
        let hopeless = colors > 64 && best.len() / 5 * 4 > cap / 20 * 21;
        if best.len() > cap && !hopeless {
            best = palette_png(&reduce(pixels, colors)).ok()?;
        }
    }
    if best.len() > cap {
        let side = (cap as f64 / best.len() as f64).sqrt() * 0.97;
        let smaller = |length: u32| ((f64::from(length) * side) as u32).max(1);
        let small = scaled(pixels, smaller(pixels.width), smaller(pixels.height));
        best = palette_png(&reduce(&small, 64)).ok()?;
    }
    Some(best)
}

/// Resizes. Enlarged pixels stay square, since they are what is judged; anything else is filtered.
pub(super) fn scaled(pixels: &Pixels, width: u32, height: u32) -> Pixels {
    if (width, height) == (pixels.width, pixels.height) {
        return pixels.clone();
    }
    let enlarged = width >= pixels.width * 2 && height >= pixels.height * 2;
    let filter = if enlarged { Filter::Box } else { Filter::Lanczos };
    let image = RgbImage::from_raw(pixels.width, pixels.height, pixels.rgb.clone()).unwrap_or_default();
    Pixels { width, height, rgb: resize(&image, width, height, filter).into_raw() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::tests::photo;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cells_fit_and_keep_proportions(
            width in 1_u32..4000,
            height in 1_u32..4000,
            room_width in 1_u16..300,
            room_height in 1_u16..120,
            cell in (1_u32..40, 1_u32..60),
        ) {
            let geometry = Geometry { room: Size::new(room_width, room_height), cell };
            let cells = geometry.cells(width, height);
            prop_assert!(cells.width >= 1 && cells.width <= room_width);
            prop_assert!(cells.height >= 1 && cells.height <= room_height);
            // Within half a cell of the exact proportions, on the side that does not touch the border.
            let (across, down) =
                (f64::from(cells.width) * f64::from(cell.0), f64::from(cells.height) * f64::from(cell.1));
            let wrong_width = (down * f64::from(width) / f64::from(height) - across).abs();
            let wrong_height = (across * f64::from(height) / f64::from(width) - down).abs();
            let tolerance = |cells: u16, cell: u32| {
                f64::from(cell) * if cells == 1 { 1.0 } else { 0.51 } + 1.0
            };
            prop_assert!(
                wrong_width <= tolerance(cells.width, cell.0)
                    || wrong_height <= tolerance(cells.height, cell.1)
                    || cells.width == 1
                    || cells.height == 1,
                "{cells:?} {wrong_width} {wrong_height}"
            );
        }
    }

    #[test]
    fn each_step_costs_more_and_the_first_costs_little() {
        let pixels = photo(600, 450);
        let geometry = Geometry { room: Size::new(60, 30), cell: (10, 20) };
        for protocol in [Protocol::Kitty, Protocol::Iterm, Protocol::Sixel] {
            let sizes: Vec<usize> = [Quality::Half, Quality::Full]
                .into_iter()
                .map(|quality| make(&pixels, protocol, quality, geometry, None).unwrap().payload.len())
                .collect();
            assert!(sizes[0] * 2 < sizes[1], "{}: {sizes:?}", protocol.name());
        }
    }

    #[test]
    fn a_slow_link_gets_a_smaller_half() {
        let pixels = photo(600, 450);
        let geometry = Geometry { room: Size::new(60, 30), cell: (10, 20) };
        let half =
            |protocol, budget| make(&pixels, protocol, Quality::Half, geometry, budget).unwrap().payload;
        for protocol in [Protocol::Kitty, Protocol::Iterm] {
            let free = half(protocol, None).len();
            assert_eq!(half(protocol, Some(2 * free)).len(), free, "{}", protocol.name());
            for share in [2, 3] {
                let within = half(protocol, Some(free / share)).len();
                // A JPEG has some hundred bytes before its first pixel.
                assert!(within < free / share + 1_200, "{}: {within} of {free}", protocol.name());
            }
            assert!(half(protocol, Some(0)).len() > free / 30, "{}", protocol.name());
        }
    }

    #[test]
    fn noise_stays_within_the_cap() {
        let mixed = |i: u32| {
            let mixed = i.wrapping_add(1).wrapping_mul(2_654_435_761);
            ((mixed ^ mixed >> 15).wrapping_mul(2_246_822_519) >> 24) as u8
        };
        let side = 540;
        let noise = |strength: u8| Pixels {
            width: side,
            height: side,
            rgb: (0..side * side * 3).map(|i| 100 + mixed(i) / strength).collect(),
        };
        let geometry = Geometry { room: Size::new(54, 27), cell: (10, 20) };
        for protocol in [Protocol::Kitty, Protocol::Iterm] {
            for strength in [2, 8, 40] {
                let graphic = make(&noise(strength), protocol, Quality::Full, geometry, None).unwrap();
                let wire = match &graphic.payload {
                    Payload::Png(png) => png.len() / 3 * 4,
                    Payload::Sequence(text) => text.len(),
                };
                assert!(wire <= 200_000, "{} with noise / {strength}: {wire}", protocol.name());
            }
        }
        // A small file is not made worse.
        let smooth = photo(300, 200);
        let Some(Payload::Png(png)) =
            make(&smooth, Protocol::Kitty, Quality::Full, geometry, None).map(|g| g.payload)
        else {
            panic!("kitty takes PNG")
        };
        assert_eq!(png, palette_png(&reduce(&smooth, 256)).unwrap());
    }

    #[test]
    fn small_pictures_keep_every_color_and_skip_steps() {
        let pixels = photo(32, 32);
        let geometry = Geometry { room: Size::new(60, 30), cell: (10, 20) };
        let graphic = make(&pixels, Protocol::Kitty, Quality::Full, geometry, None).unwrap();
        let Payload::Png(png) = &graphic.payload else { panic!("kitty takes PNG") };
        assert_eq!(image::load_from_memory(png).unwrap().into_rgb8().into_raw(), pixels.rgb);
        assert_eq!(graphic.cells, Size::new(60, 30), "the terminal enlarges it");
        assert_eq!(step_above(Quality::Cells, &pixels), Quality::Full);
        assert_eq!(step_above(Quality::Cells, &photo(400, 300)), Quality::Half);
    }

    #[test]
    fn enlarged_pixels_stay_squares() {
        let pixels = Pixels { width: 2, height: 1, rgb: vec![0, 0, 0, 200, 100, 50] };
        let large = scaled(&pixels, 8, 4);
        assert!(
            large.rgb.chunks(24).all(|row| row[..12] == [0; 12] && row[12..] == [200, 100, 50].repeat(4))
        );
    }

    #[test]
    fn no_pixels_are_no_picture() {
        let nothing = Pixels { width: 0, height: 0, rgb: Vec::new() };
        let geometry = Geometry { room: Size::new(60, 30), cell: (0, 0) };
        for protocol in [Protocol::Kitty, Protocol::Placeholders, Protocol::Iterm, Protocol::Sixel] {
            assert_eq!(make(&nothing, protocol, Quality::Full, geometry, None), None);
        }
    }
}
