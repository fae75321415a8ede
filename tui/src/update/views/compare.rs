//! One sample against another: which one, how they are shown, and parts of them pixel by pixel.

use super::{close, show};
use crate::action::Action;
use crate::model::{Compare, Level, Model, Page, Screen};
use crate::picture::{Part, Pixels};
use crate::update::{Effects, motion, say};
use chaffinch_protocol::sample::SampleId;

/// Most pixels of the screen for one of a picture.
const LARGEST: u8 = 32;
/// Sizes of pictures that are held.
const SIZES: usize = 64;
/// The middle of a picture.
const MIDDLE: u16 = u16::MAX / 2;

pub(super) fn toggle(model: &mut Model) {
    match (model.views.page, model.views.compare.blink.take()) {
        // From one place for both to two places.
        (Page::Compare, Some(_)) => {}
        (Page::Compare, None) => close(model),
        _ => open(model, None),
    }
}

pub(super) fn blink(model: &mut Model) {
    match (model.views.page, model.views.compare.blink) {
        // First this one, whose place is known, then the other.
        (Page::Compare, blink) => model.views.compare.blink = Some(blink.is_some_and(|other| !other)),
        _ => open(model, Some(false)),
    }
}

fn open(model: &mut Model, blink: Option<bool>) {
    if model.sample().is_none() {
        return say(model, Level::Warning, "no sample is here yet");
    }
    if !model.views.page.is_over_the_list() {
        return say(model, Level::Warning, "go back to the list to compare samples");
    }
    show(model, Page::Compare);
    model.views.compare.blink = blink;
}

/// The next or previous one of the samples beside this one.
pub(super) fn choose(model: &mut Model, forward: bool) {
    let count = model.besides().len();
    if count == 0 {
        return say(model, Level::Info, "nothing to compare with yet");
    }
    let chosen = match model.views.chosen {
        Some(chosen) => chosen.min(count - 1),
        // In the list nothing is chosen at first.
        None if model.views.page == Page::Compare => 0,
        None => {
            if forward {
                count - 1
            } else {
                0
            }
        }
    };
    model.views.chosen = Some((chosen + if forward { 1 } else { count - 1 }) % count);
}

pub(super) fn go_to_other(model: &mut Model, fx: &mut Effects) {
    let other = model.views.beside(model).map(|beside| beside.sample);
    let other = if model.views.page.is_over_the_list() { other } else { model.sample() };
    let Some(other) = other else {
        return say(model, Level::Warning, "there is no sample beside this one");
    };
    if !matches!(model.views.page, Page::List | Page::Grid) {
        close(model);
    }
    motion::go_to(model, other, fx);
}

/// With another sample under the cursor the comparison begins anew.
pub(super) fn follow(model: &mut Model) {
    let sample = model.sample();
    if model.views.of != sample {
        model.views.of = sample;
        model.views.chosen = None;
        if let Compare { blink: Some(blink) } = &mut model.views.compare {
            *blink = false;
        }
    }
}

/// Whether a picture is shown large enough to be moved over.
fn is_large(model: &Model) -> bool {
    model.views.page == Page::Compare || model.views.page == Page::List && model.zoom
}

/// Whether keys move over a picture.
pub(super) fn pans(model: &Model) -> bool {
    model.views.part.is_some() && is_large(model)
}

pub(super) fn actual_size(model: &mut Model) {
    if model.views.part.take().is_some() {
        return;
    }
    if !is_large(model) {
        if model.views.page != Page::List {
            return say(model, Level::Info, "compare it first to see its pixels");
        }
        model.zoom = true;
    }
    model.views.part = Some(Part { middle: (MIDDLE, MIDDLE), magnify: 1 });
    tell(model);
}

pub(super) fn magnify(model: &mut Model, larger: bool) {
    match (model.views.part, larger) {
        (Some(part), true) => {
            let magnify = part.magnify.saturating_mul(2).min(LARGEST);
            model.views.part = Some(Part { magnify, ..part });
        }
        (Some(Part { magnify: 1, .. }), false) => model.views.part = None,
        (Some(part), false) => model.views.part = Some(Part { magnify: part.magnify / 2, ..part }),
        (None, true) => return actual_size(model),
        (None, false) => return,
    }
    tell(model);
}

fn tell(model: &mut Model) {
    let text = match model.views.part {
        Some(part) => format!("{}:1   arrow keys move, < and > change it, Esc fits", part.magnify),
        None => "fitted".to_owned(),
    };
    say(model, Level::Info, text);
}

/// Moves over the picture by an eighth of what is seen of it.
pub(super) fn pan(model: &mut Model, action: Action) -> bool {
    use Action as A;
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
    let Some(part) = model.views.part else { return false };
    let area = if model.zoom { model.layout().picture } else { Screen::whole(model.size) };
    let (across, down) = model.pixels(area.as_size());
    let across = if model.zoom || model.views.compare.blink.is_some() { across } else { across / 2 };
    let whole = model.sample().and_then(|sample| model.views.whole.get(&sample).copied());
    let (width, height) = whole.unwrap_or((across * 2, down * 2));
    let moved = |middle: u16, by: i32, seen: u32, whole: u32| {
        // In shares of the picture; a side that is seen whole does not move.
        let seen = (f64::from(seen) / f64::from(part.magnify) / f64::from(whole.max(1))).min(1.0);
        let place = f64::from(middle) / f64::from(u16::MAX) + f64::from(by) * seen / 8.0;
        (place.clamp(seen / 2.0, 1.0 - seen / 2.0) * f64::from(u16::MAX)) as u16
    };
    let middle = (moved(part.middle.0, x, across, width), moved(part.middle.1, y, down, height));
    model.views.part = Some(Part { middle, ..part });
    true
}

/// The size of a whole picture came with a part of it.
pub(in crate::update) fn seen(model: &mut Model, sample: SampleId, whole: (u32, u32)) {
    if whole.0 == 0 {
        return;
    }
    model.views.whole.insert(sample, whole);
    if model.views.whole.len() > SIZES {
        model.views.whole.pop_first();
    }
}

/// A part with each of its pixels as large as it is to be seen.
pub(in crate::update) fn enlarged(pixels: Pixels, part: Option<Part>) -> Pixels {
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
