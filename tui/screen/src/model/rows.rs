//! The rows near the cursor. However long the list is, only these are cached.

use chaffinch_protocol::Row;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;

/// Rows in one request.
pub const CHUNK: u64 = 64;
/// Requests' worth of rows that are held.
const HELD: usize = 48;

/// A sparse window of the list.
#[derive(Clone, Debug, Default)]
pub struct RowCache {
    chunks: BTreeMap<u64, Vec<Row>>,
    /// Pending requests by chunk: since when, and how many. A response from before a change must not be taken for the
    /// one requested after it, so all of them are awaited.
    asked: BTreeMap<u64, (u64, u32)>,
    stale: bool,
}

impl RowCache {
    /// The row at this index, if it is cached.
    pub fn get(&self, index: u64) -> Option<&Row> {
        self.chunks.get(&(index / CHUNK))?.get((index % CHUNK) as usize)
    }

    /// Drops everything: a different list is shown.
    pub fn clear(&mut self) {
        self.chunks.clear();
        self.asked.clear();
        self.stale = false;
    }

    /// Keeps showing the cached rows and requests them again.
    pub fn mark_stale(&mut self) {
        self.stale = true;
    }

    /// First rows of the requests needed to cache these rows. Records them as sent at `now`.
    pub fn request(&mut self, first: u64, last: u64, now: u64) -> Vec<u64> {
        if self.stale {
            self.stale = false;
            // Rows on the screen are requested again and replaced on arrival; the rest is dropped.
            let (low, high) = (first / CHUNK, last / CHUNK);
            self.chunks.retain(|chunk, _| (low..=high).contains(chunk));
            for chunk in low..=high {
                self.asked.entry(chunk).or_insert((now, 0)).1 += 1;
            }
            return (low..=high).map(|chunk| chunk * CHUNK).collect();
        }
        let mut wanted = Vec::new();
        for chunk in first / CHUNK..=last / CHUNK {
            if !self.chunks.contains_key(&chunk) && !self.asked.contains_key(&chunk) {
                self.asked.insert(chunk, (now, 1));
                wanted.push(chunk * CHUNK);
            }
        }
        wanted
    }

    /// Stores rows, if they were requested, and drops those farthest from the cursor.
    pub fn insert(&mut self, start: u64, rows: Vec<Row>, cursor: u64) {
        let chunk = start / CHUNK;
        let Some((_, awaited)) = self.asked.get_mut(&chunk).filter(|_| start.is_multiple_of(CHUNK)) else {
            return;
        };
        *awaited -= 1;
        if *awaited == 0 {
            self.asked.remove(&chunk);
        }
        self.chunks.insert(chunk, rows);
        while self.chunks.len() > HELD {
            let here = cursor / CHUNK;
            let farthest = self.chunks.keys().copied().max_by_key(|chunk| chunk.abs_diff(here));
            if let Some(chunk) = farthest {
                self.chunks.remove(&chunk);
            }
        }
    }

    /// Stores the first rows of a list, which were not requested through [`RowCache::request`].
    pub fn seed(&mut self, start: u64, rows: Vec<Row>) {
        self.asked.insert(start / CHUNK, (0, 1));
        self.insert(start, rows, start);
    }

    /// The cached rows of these samples, mutably.
    pub fn each_mut(&mut self, mut change: impl FnMut(&mut Row)) {
        self.chunks.values_mut().flatten().for_each(&mut change);
    }

    /// The cached rows.
    pub fn all(&self) -> impl Iterator<Item = &Row> {
        self.chunks.values().flatten()
    }

    /// The index of a sample, if its row is cached.
    pub fn place_of(&self, sample: SampleId) -> Option<u64> {
        self.chunks.iter().find_map(|(chunk, rows)| {
            let at = rows.iter().position(|row| row.sample == sample)?;
            Some(chunk * CHUNK + at as u64)
        })
    }

    /// When the oldest pending request was sent.
    pub fn oldest(&self) -> Option<u64> {
        self.asked.values().map(|(at, _)| *at).min()
    }

    /// Drops requests from before `limit`, so that they are sent again.
    pub fn give_up(&mut self, limit: u64) {
        self.asked.retain(|_, (at, _)| *at > limit);
    }

    /// Number of cached rows, for tests.
    pub fn held(&self) -> usize {
        self.chunks.values().map(Vec::len).sum()
    }
}
