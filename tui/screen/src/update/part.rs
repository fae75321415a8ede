//! Panning and zooming at actual size.

use super::{Effects, motion, say};
use crate::action::Action;
use crate::model::{Level, Model};
use crate::picture::{Part, Pixels};
use chaffinch_protocol::sample::SampleId;

/// Most pixels of the screen for one of a picture.
const LARGEST: u8 = 32;
/// Sizes of pictures that are held.
const SIZES: usize = 64;
/// The middle of a picture.
const MIDDLE: u16 = u16::MAX / 2;

/// Shows the middle of the picture.
pub(crate) fn begin(model: &mut Model) {
    model.views.look.part = Some(Part { middle: (MIDDLE, MIDDLE), magnify: 1 });
    tell(model);
}

/// Shows each pixel twice as large, or half.
pub(crate) fn magnify(model: &mut Model, larger: bool, fx: &mut Effects) {
    match (model.views.look.part, larger) {
        (Some(part), true) => {
            let magnify = part.magnify.saturating_mul(2).min(LARGEST);
            model.views.look.part = Some(Part { magnify, ..part });
        }
        (Some(Part { magnify: 1, .. }), false) => model.views.look.part = None,
        (Some(part), false) => model.views.look.part = Some(Part { magnify: part.magnify / 2, ..part }),
        (None, true) => {
            model.views.page.act(model, Action::ActualSize, fx);
            return;
        }
        (None, false) => return,
    }
    tell(model);
}

fn tell(model: &mut Model) {
    let text = match model.views.look.part {
        Some(part) => format!("{}:1   arrow keys pan, < and > zoom, Esc fits", part.magnify),
        None => "fitted".to_owned(),
    };
    say(model, Level::Info, text);
}

/// Pans the picture by an eighth of its visible part, if the action is a pan. Returns whether it was.
pub(crate) fn pan(model: &mut Model, action: Action) -> bool {
    use Action as A;
    let (Some(part), Some((across, down))) = (model.views.look.part, model.views.page.pan_area(model)) else {
        return false;
    };
    let (x, y) = match action {
        A::Left => (-1, 0),
        A::Right => (1, 0),
        A::Up => (0, -1),
        A::Down => (0, 1),
        A::HalfPageUp | A::PageUp => (0, -4),
        A::HalfPageDown | A::PageDown => (0, 4),
        // These go to the next sample, and the place in the picture stays.
        A::ScrollDown | A::ScrollUp => {
            let row = model.list.cursor;
            let row = if action == A::ScrollDown { row + 1 } else { row.saturating_sub(1) };
            motion::go(model, row);
            return true;
        }
        _ => return false,
    };
    let whole = model.sample().and_then(|sample| model.views.look.whole.get(&sample).copied());
    let (width, height) = whole.unwrap_or((across * 2, down * 2));
    let moved = |middle: u16, by: i32, seen: u32, whole: u32| {
        // In shares of the picture; a side that is seen whole does not move.
        let seen = (f64::from(seen) / f64::from(part.magnify) / f64::from(whole.max(1))).min(1.0);
        let place = f64::from(middle) / f64::from(u16::MAX) + f64::from(by) * seen / 8.0;
        (place.clamp(seen / 2.0, 1.0 - seen / 2.0) * f64::from(u16::MAX)) as u16
    };
    let middle = (moved(part.middle.0, x, across, width), moved(part.middle.1, y, down, height));
    model.views.look.part = Some(Part { middle, ..part });
    true
}

/// The size of a whole picture came with a part of it.
pub(super) fn seen(model: &mut Model, sample: SampleId, whole: (u32, u32)) {
    if whole.0 == 0 {
        return;
    }
    model.views.look.whole.insert(sample, whole);
    if model.views.look.whole.len() > SIZES {
        model.views.look.whole.pop_first();
    }
}

/// A part with each of its pixels as large as it is to be seen.
pub(super) fn enlarged(pixels: Pixels, part: Option<Part>) -> Pixels {
    let times = part.map_or(1, |part| usize::from(part.magnify));
    if times < 2 {
        return pixels;
    }
    let line = pixels.width as usize * 3;
    let mut rgb = Vec::with_capacity(pixels.rgb.len() * times * times);
    for row in pixels.rgb.chunks_exact(line.max(1)) {
        let start = rgb.len();
        for pixel in row.chunks_exact(3) {
            (0..times).for_each(|_| rgb.extend_from_slice(pixel));
        }
        let end = rgb.len();
        (1..times).for_each(|_| rgb.extend_from_within(start..end));
    }
    Pixels { width: pixels.width * times as u32, height: pixels.height * times as u32, rgb }
}

/// What keys mean while a part of a picture is shown.
pub(crate) fn meaning(action: Action) -> Option<(&'static str, &'static str)> {
    Some(match action {
        Action::Left => ("pan left", "Move the part of the picture to the left"),
        Action::Right => ("pan right", "Move the part of the picture to the right"),
        Action::Zoom | Action::ActualSize => ("whole", "Show the whole picture again"),
        Action::Larger => ("larger", "Zoom in on the picture"),
        Action::Smaller => ("smaller", "Zoom out of the picture"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_becomes_a_square() {
        let pixels = Pixels { width: 2, height: 1, rgb: vec![1, 2, 3, 4, 5, 6] };
        let part = |magnify| Some(Part { middle: (0, 0), magnify });
        assert_eq!(enlarged(pixels.clone(), part(1)), pixels);
        let large = enlarged(pixels, part(2));
        assert_eq!((large.width, large.height), (4, 2));
        let row = [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6];
        assert_eq!(large.rgb, [row, row].concat());
    }
}
