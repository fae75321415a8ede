//! A blind review: nothing is seen of what others decided, nor of what was concluded from that.

use super::Service;
use crate::Result;
use crate::state::State;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Blind, BlindWish, Event, Share};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is said where a blind review was not ended.
const GOES_ON: &str = "your blind review goes on: what others decided is hidden until you end it";

/// The samples of a blind review.
#[derive(Default)]
pub(super) struct BlindReview {
    /// How many are drawn, and which: the same number draws the same.
    drawn: Option<(Share, u64)>,
    /// Those, once the dataset is known.
    rows: Option<Arc<BTreeSet<u32>>>,
}

impl BlindReview {
    /// The only samples that are listed, if not all are.
    pub(super) fn only(&self) -> Option<Arc<BTreeSet<u32>>> {
        self.rows.clone()
    }

    /// As a client needs to know it.
    pub(super) fn summary(&self) -> Blind {
        Blind { samples: self.rows.as_ref().map(|rows| rows.len() as u64) }
    }
}

impl Service {
    /// Begins or ends the blind review of a terminal.
    pub(super) fn set_blind(&mut self, at: u64, wish: Option<BlindWish>) {
        let Some(reviewer) = self.desks.get(&at).map(|desk| desk.reviewer.clone()) else { return };
        self.turn(&reviewer, wish);
        if let Err(error) = self.keep(&reviewer, wish) {
            self.tell(at, Event::Trouble { about: "session".into(), message: error.to_string() });
        }
        for (number, _) in self.desks.iter().filter(|(_, desk)| desk.reviewer == reviewer) {
            self.tell_session(*number);
        }
        self.learn(at);
    }

    /// Begins a blind review before anything is told, or goes on with the one that was not ended. Returns what is to be said
    /// of it.
    pub(super) fn begin_blind(&mut self, reviewer: &str, wish: Option<BlindWish>) -> Option<Event> {
        if let Some(wish) = wish {
            self.turn(reviewer, Some(wish));
            let kept = self.keep(reviewer, Some(wish));
            return kept
                .err()
                .map(|error| Event::Trouble { about: "session".into(), message: error.to_string() });
        }
        let wish = self.setup.session.load_blind(reviewer)?;
        // A terminal that watched it may still be there.
        if !self.seats.get(reviewer).is_some_and(|seat| seat.journal.is_blind()) {
            self.turn(reviewer, Some(wish));
        }
        Some(Event::Notice { message: GOES_ON.to_owned() })
    }

    /// Whether the review is blind outlasts the terminal; a session that cannot be written to keeps nothing.
    fn keep(&self, reviewer: &str, wish: Option<BlindWish>) -> Result<()> {
        let session = &self.setup.session;
        if session.is_writable() { Ok(session.save_blind(reviewer, wish)?) } else { Ok(()) }
    }

    /// The rank is made anew, as some rules learn from decisions.
    fn turn(&mut self, reviewer: &str, wish: Option<BlindWish>) {
        let Some(seat) = self.seats.get_mut(reviewer) else { return };
        seat.journal.set_blind(wish.is_some());
        let drawn = wish.and_then(|wish| Some((wish.sample?, wish.seed)));
        seat.blind = BlindReview { drawn, rows: None };
        if self.rule.learns() {
            let (findings, decisions) = (self.state.findings.clone(), seat.journal.decisions());
            seat.state = Arc::new(State::new(findings, &self.moved, self.rule.clone(), decisions, None));
        }
        self.draw(reviewer);
        for desk in self.desks.values_mut().filter(|desk| desk.reviewer == reviewer) {
            desk.list = None;
        }
    }

    /// Draws the samples, from those that others have decided, or from the suspects where they have decided nothing. The
    /// order depends on contents alone, so that a dataset in another order gives the same samples.
    pub(super) fn draw(&mut self, reviewer: &str) {
        let Some(seat) = self.seats.get_mut(reviewer) else { return };
        let Some((share, seed)) = seat.blind.drawn else { return };
        let mut pool = seat.journal.decided_by_others();
        if pool.is_empty() {
            pool = seat.state.ranking.order.iter().map(|&row| SampleId(row)).collect();
        }
        let hashes = &self.state.findings.file_metadata.hashes;
        let key = |id: &SampleId| {
            let hash = hashes.get(id.index()).map_or([0; 8], |hash| {
                let mut first = [0; 8];
                first.copy_from_slice(&hash.0[..8]);
                first
            });
            (mixed(u64::from_le_bytes(hash) ^ mixed(seed)), id.0)
        };
        pool.sort_by_cached_key(key);
        pool.truncate(usize::try_from(share.of(pool.len() as u64)).unwrap_or(usize::MAX));
        seat.blind.rows = Some(Arc::new(pool.into_iter().map(|id| id.0).collect()));
    }
}

/// A number in which every bit depends on every bit of another (the finalizer of SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut x = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
