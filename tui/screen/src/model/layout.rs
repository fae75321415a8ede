//! The screen layout, used for drawing and for knowing how many rows and pixels to request.

use ratatui::layout::{Rect, Size};

/// Smallest usable screen.
pub const SMALLEST: Size = Size { width: 40, height: 10 };
/// Rows of a screen from which on the list has heads over its columns.
const ROOMY: u16 = 20;
/// Cells of one thumbnail, and of the gap after it.
const THUMB: (u16, u16) = (12, 6);

/// The parts of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Progress of background work, and what is open.
    pub top: Rect,
    /// What stands in the columns of the list; empty where every line counts.
    pub heads: Rect,
    /// The list.
    pub list: Rect,
    /// The line between list and sample, one cell wide.
    pub divider: Rect,
    /// The picture.
    pub picture: Rect,
    /// The strip of neighbors with its captions; empty where there is no room.
    pub strip: Rect,
    /// How many neighbors fit into the strip.
    pub thumbs: u16,
    /// The details of the sample.
    pub info: Rect,
    /// Prompt or message.
    pub message: Rect,
    /// Keys that work here.
    pub hints: Rect,
}

/// User preferences for the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrangement {
    /// Percentage of the width for the list; none chooses by width.
    pub list_width: Option<u16>,
    /// Whether the strip of neighbors is shown where there is room.
    pub strip: bool,
}

impl Default for Arrangement {
    fn default() -> Arrangement {
        Arrangement { list_width: None, strip: true }
    }
}

impl Layout {
    /// Whether the window is too small to show anything.
    pub fn is_blank(&self) -> bool {
        self.top.area() == 0
    }

    /// The parts for a terminal of this size.
    pub fn of(size: Size, zoom: bool) -> Layout {
        Layout::arranged(size, zoom, Arrangement::default())
    }

    /// The same, with user preferences.
    pub fn arranged(size: Size, zoom: bool, chosen: Arrangement) -> Layout {
        let Size { width, height } = size;
        if width < SMALLEST.width || height < SMALLEST.height {
            return Layout { message: Rect::new(0, 0, width, height.min(1)), ..Layout::default() };
        }
        let body = Rect::new(0, 1, width, height - 3);
        let mut layout = Layout {
            top: Rect::new(0, 0, width, 1),
            message: Rect::new(0, height - 2, width, 1),
            hints: Rect::new(0, height - 1, width, 1),
            ..Layout::default()
        };
        if zoom {
            layout.picture = Rect { height: body.height - 1, ..body };
            layout.info = Rect { y: body.bottom() - 1, height: 1, ..body };
            return layout;
        }
        let usual = if width >= 120 { 44 } else { 52 };
        let share = chosen.list_width.unwrap_or(usual).clamp(20, 80);
        let list_width = (u32::from(width) * u32::from(share) / 100) as u16;
        let heads = u16::from(height >= ROOMY);
        layout.heads = Rect { width: list_width, height: heads, ..body };
        layout.list = Rect { y: body.y + heads, height: body.height - heads, width: list_width, ..body };
        layout.divider = Rect { x: list_width, width: 1, ..body };
        let side = Rect { x: list_width + 1, width: width - list_width - 1, ..body };
        let strip = if chosen.strip && width >= 120 && side.height >= 26 { THUMB.1 + 1 } else { 0 };
        let room = side.height - strip;
        // A cell is about twice as tall as wide, so a square picture has half as many rows as columns.
        let picture = (room * 11 / 20).min(side.width / 2 + 1).max(3);
        layout.picture = Rect { height: picture, ..side };
        layout.strip = Rect { y: side.y + picture, height: strip, ..side };
        layout.thumbs = if strip > 0 { (side.width / (THUMB.0 + 1)).min(8) } else { 0 };
        let info = side.y + picture + strip;
        layout.info = Rect { y: info, height: side.bottom() - info, ..side };
        layout
    }

    /// The cells of one thumbnail's picture.
    pub fn thumb(&self, index: u16) -> Rect {
        let x = self.strip.x + index * (THUMB.0 + 1);
        Rect::new(x, self.strip.y, THUMB.0, THUMB.1.min(self.strip.height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stay_on_the_screen_at_every_size() {
        for width in 0..220 {
            for height in 0..70 {
                for zoom in [false, true] {
                    let screen = Rect::new(0, 0, width, height);
                    let layout = Layout::of(Size { width, height }, zoom);
                    let parts =
                        [layout.top, layout.list, layout.picture, layout.strip, layout.info, layout.hints];
                    for part in parts.into_iter().filter(|part| part.area() > 0) {
                        assert_eq!(part.intersection(screen), part, "{width}x{height}");
                    }
                    for index in 0..layout.thumbs {
                        assert_eq!(layout.thumb(index).intersection(layout.strip), layout.thumb(index));
                    }
                }
            }
        }
    }
}
