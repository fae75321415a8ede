//! How many bytes of pictures may be on their way. Whatever has been written and not been shown yet stands between
//! the next key and its frame, so it is kept little: the terminal says when it has come so far, and only then
//! follows more.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes on their way at first, while nothing is known of the link.
const FIRST: usize = 32 * 1024;
/// Bounds of what is allowed later.
const LEAST: usize = 12 * 1024;
const MOST: usize = 256 * 1024;
/// How long what is on its way may hold up a frame.
const DELAY: f64 = 0.15;
/// After so many bytes the terminal is asked how far it is.
const FENCE: usize = 12 * 1024;
/// After this time an answer is taken as lost, so that one that never comes does not end pictures for good.
const LOST: Duration = Duration::from_secs(10);

/// The question how far the terminal is; it answers `CSI 0 n`.
pub const QUESTION: &str = "\x1b[5n";

/// Bytes on their way.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    unfenced: usize,
    fences: VecDeque<(usize, Instant)>,
    last_answer: Option<Instant>,
    round_trip: Option<Duration>,
    rate: Option<f64>,
}

impl Flow {
    /// Whether more may go out.
    pub fn room(&mut self, now: Instant) -> bool {
        if self.fences.front().is_some_and(|(_, at)| now.duration_since(*at) > LOST) {
            self.fences.clear();
            self.unfenced = 0;
        }
        self.on_the_way() < self.window()
    }

    /// Bytes that were written and not answered for.
    pub fn on_the_way(&self) -> usize {
        self.unfenced + self.fences.iter().map(|(bytes, _)| bytes).sum::<usize>()
    }

    fn window(&self) -> usize {
        let Some(rate) = self.rate else { return FIRST };
        let trip = self.round_trip.map_or(0.0, |trip| trip.as_secs_f64());
        ((rate * (trip + DELAY)) as usize).clamp(LEAST, MOST)
    }

    /// Bytes are about to be written. Says whether the question is to follow them.
    pub fn sent(&mut self, bytes: usize, last: bool, now: Instant) -> bool {
        self.unfenced += bytes;
        if self.unfenced < FENCE && !last {
            return false;
        }
        self.fences.push_back((std::mem::take(&mut self.unfenced), now));
        true
    }

    /// The terminal has come to the oldest question.
    pub fn answered(&mut self, now: Instant) {
        let Some((bytes, at)) = self.fences.pop_front() else { return };
        let whole = now.duration_since(at);
        let trip = self.round_trip.map_or(whole, |trip| trip.min(whole));
        self.round_trip = Some(trip);
        // While one piece follows another, the time between two answers is the time for the bytes between them.
        let busy = self.last_answer.filter(|last| *last > at);
        let took = match busy {
            Some(last) => now.duration_since(last),
            None => whole.saturating_sub(trip / 2),
        };
        self.last_answer = Some(now);
        let sample = bytes as f64 / took.as_secs_f64().max(0.001);
        self.rate = Some(self.rate.map_or(sample, |rate| rate * 0.6 + sample * 0.4));
    }

    /// Bytes a second, once measured.
    pub fn rate(&self) -> Option<u32> {
        self.rate.map(|rate| rate.clamp(1.0, 1e9) as u32)
    }

    /// Another terminal, or a link that was cut: what was on its way is gone.
    pub fn forget(&mut self) {
        *self = Flow::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `total` bytes in pieces over a link and says how many were on their way at most, in the second half.
    fn over(rate: f64, trip: f64, total: usize) -> (usize, Flow) {
        let (mut flow, start) = (Flow::default(), Instant::now());
        let (mut time, mut free_at, mut most, mut left) = (0.0_f64, 0.0_f64, 0, total);
        let mut answers: VecDeque<f64> = VecDeque::new();
        let at = |time: f64| start + Duration::from_secs_f64(time);
        while left > 0 || !answers.is_empty() {
            while left > 0 && flow.room(at(time)) {
                let piece = left.min(12_288);
                left -= piece;
                free_at = free_at.max(time) + piece as f64 / rate;
                if flow.sent(piece, left == 0, at(time)) {
                    answers.push_back(free_at + trip);
                }
                if left < total / 2 {
                    most = most.max(flow.on_the_way());
                }
            }
            let Some(next) = answers.pop_front() else { break };
            time = time.max(next);
            flow.answered(at(time));
        }
        (most, flow)
    }

    #[test]
    fn a_slow_link_holds_little_and_a_fast_one_more() {
        let (slow, flow) = over(25_000.0, 0.1, 300_000);
        assert!(slow <= LEAST + 12_288, "{slow}");
        assert!((12_000..60_000).contains(&flow.rate().unwrap()), "{:?}", flow.rate());
        let (middle, _) = over(125_000.0, 0.1, 1_000_000);
        assert!(middle <= 64 * 1024, "{middle}");
        let (fast, _) = over(12_500_000.0, 0.1, 20_000_000);
        assert!(fast > 128 * 1024, "{fast}");
    }

    #[test]
    fn nothing_follows_without_an_answer_until_it_is_lost() {
        let (mut flow, start) = (Flow::default(), Instant::now());
        let mut sent = 0;
        while flow.room(start) {
            flow.sent(10_000, false, start);
            sent += 10_000;
        }
        assert!(sent <= FIRST + 10_000, "{sent}");
        assert!(!flow.room(start + Duration::from_secs(9)));
        assert!(flow.room(start + Duration::from_secs(11)));
    }

    #[test]
    fn answers_nobody_asked_for_do_no_harm() {
        let mut flow = Flow::default();
        flow.answered(Instant::now());
        assert_eq!((flow.on_the_way(), flow.rate()), (0, None));
    }
}
