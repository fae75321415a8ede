//! Details of single samples, and their pictures encoded for the screen.

use super::{Layout, Model, related};
use crate::picture::{Encoded, Graphic};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Detail, Ticket};
use ratatui::layout::Size;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Areas of the screen that show a picture, as slot numbers of the protocol.
pub mod slot {
    /// The sample under the cursor.
    pub const MAIN: u32 = 0;
    /// The one it is compared with.
    pub const OTHER: u32 = 2;
    /// The next row, prefetched.
    pub const AHEAD: u32 = 1;
    /// The first neighbor; the others follow.
    pub const NEIGHBOR: u32 = 10;
    /// The first cell of a grid; the others follow.
    pub const GRID: u32 = 100;
}

/// Details that are held.
const DETAILS: usize = 32;
/// Bytes of pictures that are held, and how many at most.
const MEMORY: usize = 64 << 20;
const PICTURES: usize = 256;

/// Details of the samples seen last.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// Newest last: generation and detail.
    held: Vec<(u64, Box<Detail>)>,
    /// Counts invalidations of the details.
    generation: u64,
    /// The one pending request: the next is sent when it is answered, so that a fast-moving cursor does not
    /// queue a request for every row it passes.
    pub asked: Option<(SampleId, u64)>,
}

impl Details {
    /// The detail of a sample, possibly stale.
    pub fn get(&self, sample: SampleId) -> Option<&Detail> {
        self.held.iter().rev().find(|(_, detail)| detail.row.sample == sample).map(|(_, detail)| &**detail)
    }

    /// Whether the detail is loaded and up to date.
    pub fn fresh(&self, sample: SampleId) -> bool {
        self.held.iter().any(|(age, detail)| detail.row.sample == sample && *age == self.generation)
    }

    /// Stores a detail.
    pub fn insert(&mut self, detail: Box<Detail>) {
        let sample = detail.row.sample;
        if self.asked.is_some_and(|(asked, _)| asked == sample) {
            self.asked = None;
        }
        self.held.retain(|(_, held)| held.row.sample != sample);
        self.held.push((self.generation, detail));
        if self.held.len() > DETAILS {
            self.held.remove(0);
        }
    }

    /// Marks everything as stale, to be requested again when needed.
    pub fn expire(&mut self) {
        self.generation += 1;
        self.asked = None;
    }

    /// Changes the cached detail.
    pub fn each_mut(&mut self, mut change: impl FnMut(&mut Detail)) {
        self.held.iter_mut().for_each(|(_, detail)| change(detail));
    }
}

pub use crate::picture::PictureKey;

/// A picture, or why there is none.
#[derive(Clone, Debug)]
pub enum Shown {
    /// Cells to be drawn.
    Ready(Arc<Encoded>),
    /// The reason.
    Failed(String),
}

/// Recent pictures, and pending ones.
#[derive(Clone, Debug, Default)]
pub struct Pictures {
    held: Vec<(PictureKey, Shown)>,
    /// Under way, by slot: ticket, what for, since when.
    pub asked: BTreeMap<u32, (Ticket, PictureKey, u64)>,
    /// The last ticket given out.
    pub last_ticket: Ticket,
    /// The better ones being encoded, one fast and one slow: what for, and since when.
    pub steps: [Option<(PictureKey, u64)>; 2],
    /// One that was encoded while keys may still follow, shown if none does.
    pub prepared: Option<(PictureKey, Arc<Graphic>)>,
}

impl Shown {
    fn weight(&self) -> usize {
        match self {
            Shown::Ready(encoded) => encoded.weight(),
            Shown::Failed(why) => why.len(),
        }
    }
}

impl Pictures {
    /// The picture of a sample at a size.
    pub fn get(&self, key: impl Into<PictureKey>) -> Option<&Shown> {
        let key = key.into();
        self.held.iter().rev().find(|(held, _)| *held == key).map(|(_, shown)| shown)
    }

    /// Stores a picture.
    pub fn insert(&mut self, key: PictureKey, shown: Shown) {
        self.held.retain(|(held, _)| *held != key);
        self.held.push((key, shown));
        let mut weight: usize = self.held.iter().map(|(_, shown)| shown.weight()).sum();
        // The newest always stays: it is on the screen.
        while self.held.len() > 1 && (weight > MEMORY || self.held.len() > PICTURES) {
            weight -= self.held.remove(0).1.weight();
        }
    }

    /// Adds a better form to a cached picture. Drops its source if it cannot be encoded.
    pub fn add(&mut self, key: PictureKey, better: Option<Arc<Graphic>>) {
        let Some(Shown::Ready(held)) = self.get(key) else { return };
        let mut encoded = Encoded::clone(held);
        match better {
            Some(graphic) => {
                encoded.graphics.push(graphic);
                // The previous one is shown until the new one has arrived; older ones are not needed.
                let old = encoded.graphics.len().saturating_sub(2);
                encoded.graphics.drain(..old);
            }
            None => encoded.source = None,
        }
        self.insert(key, Shown::Ready(Arc::new(encoded)));
    }

    /// Drops everything: the picture method or the terminal has changed.
    pub fn clear(&mut self) {
        self.held.clear();
        self.asked.clear();
        self.steps = [None; 2];
        self.prepared = None;
    }

    /// When the oldest pending request was sent.
    pub fn oldest(&self) -> Option<u64> {
        self.asked.values().map(|(_, _, at)| *at).min()
    }
}

impl Model {
    /// The picture under the cursor where it is shown alone: a part of it, where one is chosen.
    pub fn main_key(&self, sample: SampleId, cells: Size) -> PictureKey {
        let part = self.views.look.part.filter(|_| self.views.page.pan_area(self).is_some());
        PictureKey { sample, cells, part }
    }

    /// The samples shown in the strip: the evidence of what flags this one first, then neighbors.
    pub fn strip(&self, layout: &Layout, sample: SampleId) -> Vec<SampleId> {
        let Some(detail) = self.details.get(sample) else { return Vec::new() };
        let related = related(detail).into_iter().take(layout.thumbs as usize);
        related.map(|(_, related)| related.sample).collect()
    }
}
