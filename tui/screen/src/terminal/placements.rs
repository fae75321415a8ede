//! Placements of pictures: which pictures the terminal holds, where it shows them, and what is in flight. Given what
//! should be shown now, it returns what to write, and drops at once what is no longer needed.

use super::commands::ansi;
use crate::picture::kitty::Wire;
use crate::picture::{Graphic, Payload, Protocol};
use crossterm::cursor::{MoveTo, RestorePosition, SavePosition};
use ratatui::layout::Rect;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A picture to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The place on the screen, by number.
    pub slot: u32,
    /// Its cells.
    pub area: Rect,
    /// Those of them that no window lies over; without a window, all of them in one part.
    pub parts: Vec<Rect>,
    /// Forms of it, the best one last.
    pub graphics: Vec<Arc<Graphic>>,
}

impl Wanted {
    fn has(&self, key: u64) -> bool {
        self.graphics.iter().any(|graphic| graphic.key == key)
    }
}

/// The maximum number of pictures a terminal holds for us: numbers up to 255 survive tmux.
const IMAGES: usize = 200;
/// Their pixels in bytes, at most, as the terminal unpacks them; terminals throw away what is too much for them.
const MEMORY: u64 = 128 << 20;
/// Bytes of pixels in one cell, about.
const CELL_BYTES: u64 = 800;

#[derive(Clone, Debug)]
struct Image {
    key: u64,
    id: u32,
    bytes: u64,
    /// Its size in pixels, where it can be shown in parts.
    pixels: Option<(u32, u32)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    key: u64,
    id: u32,
    area: Rect,
    /// Places that the terminal knows by number, and their cells.
    places: Vec<(u32, Rect)>,
}

/// From here on the numbers of parts: those of whole pictures are below.
const PARTS: u32 = 10_000;
/// The most parts of one picture; what lies under more windows than that is not shown.
const MOST_PARTS: usize = 16;

/// The places of a picture on the screen.
fn places(want: &Wanted) -> Vec<(u32, Rect)> {
    match want.parts.as_slice() {
        [whole] if *whole == want.area => vec![(want.slot + 1, want.area)],
        parts => {
            let first = PARTS + want.slot * MOST_PARTS as u32;
            (first..).zip(parts.iter().copied().take(MOST_PARTS)).collect()
        }
    }
}

/// The pixels of a part, if it is not the whole.
fn source(part: Rect, area: Rect, pixels: Option<(u32, u32)>) -> Option<[u32; 4]> {
    let (width, height) = pixels.filter(|_| part != area)?;
    let across = |cells: u16| u32::from(cells) * width / u32::from(area.width.max(1));
    let down = |cells: u16| u32::from(cells) * height / u32::from(area.height.max(1));
    let (left, right) = (across(part.x - area.x), across(part.right() - area.x));
    let (top, bottom) = (down(part.y - area.y), down(part.bottom() - area.y));
    Some([left, top, (right - left).max(1), (bottom - top).max(1)])
}

#[derive(Clone, Debug)]
struct Upload {
    image: Image,
    slot: u32,
    area: Rect,
    pieces: Vec<Vec<u8>>,
    next: usize,
}

/// The pictures of the terminal.
#[derive(Clone, Debug, Default)]
pub struct Placements {
    protocol: Option<Protocol>,
    wire: Wire,
    /// Least recently wanted first.
    images: Vec<Image>,
    shown: BTreeMap<u32, Shown>,
    upload: Option<Upload>,
    /// All numbers ever used, to be deleted at the end.
    used: BTreeSet<u32>,
}

impl Placements {
    /// Switches the picture method. Returns what to write to end the old one.
    pub fn switch(&mut self, protocol: Option<Protocol>, tmux: bool) -> String {
        let out = self.lost();
        self.protocol = protocol;
        self.wire = Wire { tmux };
        out
    }

    /// Assumes nothing about the terminal's pictures any more. Returns what to write to delete them.
    pub fn lost(&mut self) -> String {
        let out = self.farewell();
        self.images.clear();
        self.shown.clear();
        self.upload = None;
        self.used.clear();
        out
    }

    /// What to write before the terminal is restored.
    pub fn farewell(&self) -> String {
        let mut out = String::new();
        if !self.used.is_empty() {
            out.push_str(&self.wire.abort());
            self.used.iter().for_each(|id| out.push_str(&self.wire.forget(*id)));
        }
        out
    }

    /// Pictures that the terminal holds and shows over the cells, by key.
    pub fn held(&self) -> BTreeSet<u64> {
        let held = self.images.iter().filter(|_| self.protocol == Some(Protocol::Kitty));
        held.map(|image| image.key).collect()
    }

    /// Pictures that placeholders can name, by key.
    pub fn live(&self) -> BTreeMap<u64, u8> {
        let held = self.images.iter().filter(|_| self.protocol == Some(Protocol::Placeholders));
        held.filter_map(|image| Some((image.key, u8::try_from(image.id).ok()?))).collect()
    }

    /// Cells in which a picture lies that is no longer wanted there: they are to be drawn, whatever they held.
    pub fn stale(&self, wanted: &[Wanted]) -> Vec<Rect> {
        if !self.protocol.is_some_and(Protocol::in_cells) {
            return Vec::new();
        }
        self.shown.iter().filter(|(slot, shown)| !keeps(wanted, **slot, shown)).map(|(_, s)| s.area).collect()
    }

    /// Cells in which pictures lie that drawing would take a piece out of.
    pub fn in_cells(&self) -> Vec<Rect> {
        if !self.protocol.is_some_and(Protocol::in_cells) {
            return Vec::new();
        }
        let coming = self.upload.as_ref().map(|upload| upload.area);
        self.shown.values().map(|shown| shown.area).chain(coming).collect()
    }

    /// Updates the shown pictures to the wanted ones and returns what to write. `drawn` returns whether a cell
    /// of an area has just been drawn.
    pub fn reconcile(&mut self, wanted: &[Wanted], drawn: impl Fn(Rect) -> bool) -> String {
        let mut out = String::new();
        let Some(protocol) = self.protocol else { return out };
        let wire = self.wire;
        let gone: Vec<u32> = self
            .shown
            .iter()
            .filter(|(slot, shown)| !keeps(wanted, **slot, shown) || protocol.in_cells() && drawn(shown.area))
            .map(|(slot, _)| *slot)
            .collect();
        for slot in gone {
            if let Some(shown) = self.shown.remove(&slot)
                && protocol == Protocol::Kitty
            {
                shown.places.iter().for_each(|(place, _)| out.push_str(&wire.lift(shown.id, *place)));
            }
        }
        if protocol == Protocol::Kitty {
            for want in wanted {
                let held = want.graphics.iter().rev().find_map(|graphic| self.image(graphic.key));
                let Some(&Image { key, id, pixels, .. }) = held else { continue };
                let now = places(want);
                let before = self.shown.get(&want.slot).cloned();
                let old = before.filter(|before| before.key != key || before.places != now);
                if old.is_none() && self.shown.contains_key(&want.slot) {
                    continue;
                }
                let same = |place: &(u32, Rect)| {
                    old.as_ref().is_some_and(|old| old.id == id && old.places.contains(place))
                };
                for place in now.iter().filter(|place| !same(place)) {
                    out.push_str(&wire.place(id, place.0, place.1, source(place.1, want.area, pixels)));
                }
                // Only then the old one, so that nothing flickers.
                for old in old.iter() {
                    let stays = |place: u32| old.id == id && now.iter().any(|(now, _)| *now == place);
                    let gone = old.places.iter().filter(|(place, _)| !stays(*place));
                    gone.for_each(|(place, _)| out.push_str(&wire.lift(old.id, *place)));
                }
                self.shown.insert(want.slot, Shown { key, id, area: want.area, places: now });
            }
        }
        let cut = self.cancel(wanted, !out.is_empty());
        self.begin(wanted);
        cut + &out
    }

    fn image(&self, key: u64) -> Option<&Image> {
        self.images.iter().find(|image| image.key == key)
    }

    /// Aborts transmissions that are no longer wanted; restarts one if a command has to go in between.
    fn cancel(&mut self, wanted: &[Wanted], between: bool) -> String {
        let Some(upload) = &mut self.upload else { return String::new() };
        let in_cells = self.protocol.is_some_and(Protocol::in_cells);
        let still =
            wanted.iter().any(|want| want.has(upload.image.key) && (!in_cells || want.area == upload.area));
        let begun = upload.next > 0 && !in_cells;
        let id = upload.image.id;
        if still && !(begun && between) {
            return String::new();
        }
        // The next step restarts what is still wanted.
        self.upload = None;
        if begun { self.wire.abort() + &self.wire.forget(id) } else { String::new() }
    }

    /// Starts sending the first wanted picture that is missing.
    fn begin(&mut self, wanted: &[Wanted]) {
        let Some(protocol) = self.protocol.filter(|_| self.upload.is_none()) else { return };
        for want in wanted {
            let Some(best) = want.graphics.last().filter(|best| best.protocol == protocol) else { continue };
            // Wanted pictures stay longest.
            if let Some(at) = self.images.iter().position(|image| image.key == best.key) {
                let image = self.images.remove(at);
                self.images.push(image);
                continue;
            }
            if self.shown.get(&want.slot).is_some_and(|shown| shown.key == best.key) {
                continue;
            }
            let bytes = u64::from(best.cells.width) * u64::from(best.cells.height) * CELL_BYTES;
            let mut pieces = Vec::new();
            let mut id = 0;
            let mut pixels = None;
            match &best.payload {
                Payload::Png(png) => {
                    let freed = self.make_room(bytes);
                    id = (1..=255).find(|id| self.images.iter().all(|image| image.id != *id)).unwrap_or(255);
                    self.used.insert(id);
                    pixels = png_size(png);
                    let cells =
                        (protocol == Protocol::Placeholders).then_some((best.cells.width, best.cells.height));
                    pieces = self.wire.transmit(id, png, cells);
                    if let Some(first) = pieces.first_mut() {
                        first.splice(0..0, freed.into_bytes());
                    }
                }
                Payload::Sequence(text) => {
                    // Sixels are understood by a tmux that has them, and by no other.
                    let text = match protocol {
                        Protocol::Iterm => self.wire.wrap(text),
                        _ => text.clone(),
                    };
                    let there = ansi!(SavePosition, MoveTo(want.area.x, want.area.y));
                    pieces.push((there + &text + &ansi!(RestorePosition)).into_bytes());
                }
            }
            let image = Image { key: best.key, id, bytes, pixels };
            self.upload = Some(Upload { image, slot: want.slot, area: want.area, pieces, next: 0 });
            return;
        }
    }

    /// Deletes the least recently wanted picture from the terminal.
    fn make_room(&mut self, bytes: u64) -> String {
        let mut out = String::new();
        let mut held = bytes + self.images.iter().map(|image| image.bytes).sum::<u64>();
        let mut at = 0;
        while at < self.images.len() && (self.images.len() >= IMAGES || held > MEMORY) {
            let image = &self.images[at];
            if self.shown.values().any(|shown| shown.key == image.key) {
                at += 1;
                continue;
            }
            held -= image.bytes;
            out.push_str(&self.wire.forget(image.id));
            self.images.remove(at);
        }
        out
    }

    /// Whether something needs sending.
    pub fn sending(&self) -> bool {
        self.upload.is_some()
    }

    /// The next chunk, and whether it is the last of its picture.
    pub fn next_piece(&mut self) -> Option<(Vec<u8>, bool)> {
        let upload = self.upload.as_mut()?;
        let piece = upload.pieces.get_mut(upload.next).map(std::mem::take);
        upload.next += 1;
        let last = upload.next >= upload.pieces.len();
        if last && let Some(upload) = self.upload.take() {
            if self.protocol.is_some_and(Protocol::in_cells) {
                let Image { key, id, .. } = upload.image;
                self.shown.insert(upload.slot, Shown { key, id, area: upload.area, places: Vec::new() });
            } else {
                self.images.push(upload.image);
            }
        }
        piece.map(|piece| (piece, last))
    }
}

/// Width and height of a PNG, which stand at the same place in every one.
fn png_size(png: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from_be_bytes(png.get(at..at + 4)?.try_into().ok()?));
    Some((number(16)?, number(20)?)).filter(|_| png.starts_with(b"\x89PNG"))
}

/// Whether the picture in a slot is still wanted there.
fn keeps(wanted: &[Wanted], slot: u32, shown: &Shown) -> bool {
    wanted.iter().any(|want| want.slot == slot && want.area == shown.area && want.has(shown.key))
}

#[cfg(test)]
mod tests;
