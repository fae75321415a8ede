//! Pacing: how many bytes may be in flight. Whatever has been written but not shown yet delays the next
//! key and its frame, so it is kept small: the terminal reports how far it has got, and only then more is sent.
//! Pictures wait for room among all bytes, frames of text only for room among their own.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes in flight at first, while the link is unknown.
const FIRST: usize = 32 * 1024;
/// Bounds of the limit later.
const LEAST: usize = 24 * 1024;
const MOST: usize = 256 * 1024;
/// How long data in flight may delay a frame.
const DELAY: f64 = 0.15;
/// After this many bytes the terminal is asked how far it has got.
const FENCE: usize = 12 * 1024;
/// The same after text, of which less is sent.
const TEXT_FENCE: usize = 4 * 1024;
/// Bounds of the text that may be in flight when another frame is drawn.
const LEAST_TEXT: usize = 16 * 1024;
const MOST_TEXT: usize = 48 * 1024;
/// How long text may delay text.
const TEXT_DELAY: f64 = 0.1;
/// The longest a frame waits for a reply.
const FRAME_PATIENCE: Duration = Duration::from_secs(2);
/// After this time a reply is considered lost, so that a missing one does not stop pictures for good.
const LOST: Duration = Duration::from_secs(10);

/// Number of rate samples used.
const SEEN: usize = 8;

/// Bytes up to a question.
#[derive(Clone, Copy, Debug)]
struct Fence {
    bytes: usize,
    /// Of these, text.
    text: usize,
    /// When the query was sent.
    at: Instant,
    /// The last reply before the first of these bytes, or when they were written if nothing was in flight.
    since: Instant,
    /// Bytes that had arrived by then.
    before: u64,
    /// Whether more was in flight than a fast link would leave waiting.
    full: bool,
}

/// Counts the bytes in flight and measures how fast they arrive.
#[derive(Clone, Debug, Default)]
pub struct Pacer {
    unfenced: usize,
    unfenced_text: usize,
    /// For the bytes that no question follows yet: [`Fence::since`] and [`Fence::before`].
    section: Option<(Instant, u64)>,
    fences: VecDeque<Fence>,
    arrived: u64,
    last_answer: Option<Instant>,
    last_text: Option<Instant>,
    round_trip: Option<Duration>,
    /// The last measured rates in bytes per second.
    seen: VecDeque<f64>,
    answers: bool,
}

impl Pacer {
    /// Whether more of a picture may go out.
    pub fn room(&mut self, now: Instant) -> bool {
        self.give_up(now);
        self.on_the_way() + FENCE <= self.window()
    }

    /// How long the next frame of text has to wait; nothing where there is room for it.
    pub fn text_wait(&mut self, now: Instant) -> Duration {
        self.give_up(now);
        let full = self.answers && self.full_of_text();
        let Some(first) = self.fences.front().filter(|_| full) else { return Duration::ZERO };
        let since = self.last_text.map_or(first.at, |last| last.max(first.at));
        FRAME_PATIENCE.saturating_sub(now.saturating_duration_since(since))
    }

    /// Whether the limit for text, or for everything, is reached.
    fn full_of_text(&self) -> bool {
        let text = self.unfenced_text + self.fences.iter().map(|fence| fence.text).sum::<usize>();
        text >= self.text_window() || self.on_the_way() >= self.window() + LEAST_TEXT
    }

    fn give_up(&mut self, now: Instant) {
        if self.fences.front().is_some_and(|fence| now.saturating_duration_since(fence.at) > LOST) {
            self.fences.clear();
            (self.unfenced, self.unfenced_text, self.section) = (0, 0, None);
            self.answers = false;
        }
    }

    /// Bytes written but not acknowledged.
    pub fn on_the_way(&self) -> usize {
        self.unfenced + self.fences.iter().map(|fence| fence.bytes).sum::<usize>()
    }

    fn window(&self) -> usize {
        self.carries(DELAY).map_or(FIRST, |bytes| bytes.clamp(LEAST, MOST))
    }

    fn text_window(&self) -> usize {
        self.carries(TEXT_DELAY).unwrap_or(LEAST_TEXT).clamp(LEAST_TEXT, MOST_TEXT)
    }

    /// What the link carries in a round trip plus this many seconds.
    fn carries(&self, more: f64) -> Option<usize> {
        let trip = self.round_trip.map_or(0.0, |trip| trip.as_secs_f64());
        self.rate().map(|rate| (f64::from(rate) * (trip + more)) as usize)
    }

    /// Records a chunk of a picture about to be written. Returns whether a query should follow it.
    pub fn sent(&mut self, bytes: usize, last: bool, now: Instant) -> bool {
        self.add(bytes, now);
        self.fence(if last { 1 } else { FENCE }, now)
    }

    /// Records text about to be written. Returns whether a query should follow it.
    pub fn wrote(&mut self, bytes: usize, now: Instant) -> bool {
        self.add(bytes, now);
        self.unfenced_text += bytes;
        self.last_text = Some(now);
        self.fence(TEXT_FENCE, now)
    }

    fn add(&mut self, bytes: usize, now: Instant) {
        if self.section.is_none() {
            let since = self.last_answer.filter(|_| self.on_the_way() > 0);
            // Data sent before the first reply with nothing in flight started with its own bytes.
            let oldest = self.fences.front().map(|fence| fence.since);
            self.section = Some((since.into_iter().chain(oldest).max().unwrap_or(now), self.arrived));
        }
        self.unfenced += bytes;
    }

    fn fence(&mut self, from: usize, now: Instant) -> bool {
        if self.unfenced < from {
            return false;
        }
        let full = self.on_the_way() + FENCE > self.window() || self.full_of_text();
        let (since, before) = self.section.take().unwrap_or((now, self.arrived));
        let (bytes, text) = (std::mem::take(&mut self.unfenced), std::mem::take(&mut self.unfenced_text));
        self.fences.push_back(Fence { bytes, text, at: now, since, before, full });
        true
    }

    /// The terminal is known to reply.
    pub fn speaks(&mut self) {
        self.answers = true;
    }

    /// Whether the terminal is known to reply.
    pub fn heard(&self) -> bool {
        self.answers
    }

    /// The terminal has replied to the oldest query.
    pub fn answered(&mut self, now: Instant) {
        self.answers = true;
        let Some(fence) = self.fences.pop_front() else { return };
        let whole = now.saturating_duration_since(fence.at);
        let trip = self.round_trip.map_or(whole, |trip| trip.min(whole));
        self.round_trip = Some(trip);
        self.arrived += fence.bytes as u64;
        self.last_answer = Some(now);
        let took = now.saturating_duration_since(fence.since).as_secs_f64().max(0.001);
        let seen = (self.arrived - fence.before) as f64 / took;
        // A link that has little to carry shows how fast it is at least, and not how fast it could be. So does one that
        // stood still for a part of the time, which is why the best of some times counts.
        if fence.full || self.rate().is_some_and(|rate| seen > f64::from(rate)) {
            self.seen.push_back(seen);
            if self.seen.len() > SEEN {
                self.seen.pop_front();
            }
        }
    }

    /// Bytes per second, once measured.
    pub fn rate(&self) -> Option<u32> {
        let best = self.seen.iter().copied().max_by(f64::total_cmp);
        best.map(|rate| rate.clamp(1.0, 1e9) as u32)
    }

    /// Another terminal, or a dropped link: the data in flight is lost.
    pub fn forget(&mut self) {
        *self = Pacer::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `total` bytes in chunks over a link and returns the maximum number in flight in the second half.
    fn over(rate: f64, trip: f64, total: usize) -> (usize, Pacer) {
        let (mut pacer, start) = (Pacer::default(), Instant::now());
        let (mut time, mut free_at, mut most, mut left) = (0.0_f64, 0.0_f64, 0, total);
        let mut answers: VecDeque<f64> = VecDeque::new();
        let at = |time: f64| start + Duration::from_secs_f64(time);
        while left > 0 || !answers.is_empty() {
            while left > 0 && pacer.room(at(time)) {
                let piece = left.min(12_288);
                left -= piece;
                free_at = free_at.max(time) + piece as f64 / rate;
                if pacer.sent(piece, left == 0, at(time)) {
                    answers.push_back(free_at + trip);
                }
                if left < total / 2 {
                    most = most.max(pacer.on_the_way());
                }
            }
            let Some(next) = answers.pop_front() else { break };
            time = time.max(next);
            pacer.answered(at(time));
        }
        (most, pacer)
    }

    #[test]
    fn a_slow_link_holds_little_and_a_fast_one_more() {
        let (slow, pacer) = over(25_000.0, 0.1, 300_000);
        assert!(slow <= LEAST + 12_288, "{slow}");
        assert!((12_000..60_000).contains(&pacer.rate().unwrap()), "{:?}", pacer.rate());
        let (middle, _) = over(125_000.0, 0.1, 1_000_000);
        assert!(middle <= 64 * 1024, "{middle}");
        let (fast, _) = over(12_500_000.0, 0.1, 20_000_000);
        assert!(fast > 128 * 1024, "{fast}");
    }

    #[test]
    fn nothing_follows_without_an_answer_until_it_is_lost() {
        let (mut pacer, start) = (Pacer::default(), Instant::now());
        let mut sent = 0;
        while pacer.room(start) {
            pacer.sent(10_000, false, start);
            sent += 10_000;
        }
        assert!(sent <= FIRST, "{sent}");
        assert!(!pacer.room(start + Duration::from_secs(9)));
        assert!(pacer.room(start + Duration::from_secs(11)));
    }

    #[test]
    fn answers_nobody_asked_for_do_no_harm() {
        let mut pacer = Pacer::default();
        pacer.answered(Instant::now());
        assert_eq!((pacer.on_the_way(), pacer.rate()), (0, None));
    }

    #[test]
    fn small_pictures_far_away_do_not_make_a_link_slow() {
        let (mut pacer, mut now) = (Pacer::default(), Instant::now());
        // One after another over a link that carries 125,000 bytes a second.
        for _ in 0..50 {
            assert!(pacer.sent(2_000, true, now));
            now += Duration::from_millis(116);
            pacer.answered(now);
        }
        // Too little at a time to fill the link: the observed rate is not taken for its capacity.
        assert_eq!(pacer.round_trip, Some(Duration::from_millis(116)));
        assert_eq!(pacer.rate(), None);
        // Behind a large frame as well.
        for _ in 0..10 {
            let mut asked = 0;
            for _ in 0..5 {
                asked += usize::from(pacer.wrote(4_096, now));
            }
            asked += usize::from(pacer.sent(2_000, true, now));
            now += Duration::from_millis(100);
            for _ in 0..asked {
                now += Duration::from_millis(33);
                pacer.answered(now);
            }
            now += Duration::from_secs(1);
        }
        assert!(pacer.rate().is_some_and(|rate| rate > 50_000), "{:?}", pacer.rate());
    }

    /// Draws frames of so many bytes as fast as they are let out, sixty a second at most, and says how many bytes
    /// were on their way at most and how many frames came.
    fn draw(pacer: &mut Pacer, rate: f64, trip: f64, frame: usize, seconds: f64) -> (usize, usize) {
        let start = Instant::now();
        let at = |time: f64| start + Duration::from_secs_f64(time);
        let (mut time, mut free_at, mut most, mut frames) = (0.0_f64, 0.0_f64, 0, 0);
        let mut answers: VecDeque<f64> = VecDeque::new();
        while time < seconds {
            while answers.front().is_some_and(|answer| *answer <= time) {
                answers.pop_front();
                pacer.answered(at(time));
            }
            if pacer.text_wait(at(time)).is_zero() {
                frames += 1;
                let mut left = frame;
                while left > 0 {
                    let piece = left.min(4_096);
                    left -= piece;
                    free_at = free_at.max(time) + piece as f64 / rate;
                    if pacer.wrote(piece, at(time)) {
                        answers.push_back(free_at + trip);
                    }
                }
                most = most.max(pacer.on_the_way());
            }
            time += 0.016;
        }
        (most, frames)
    }

    #[test]
    fn frames_are_held_back_where_the_link_is_slower_than_they_are() {
        let mut pacer = Pacer::default();
        pacer.speaks();
        let (most, frames) = draw(&mut pacer, 25_000.0, 0.1, 3_000, 10.0);
        assert!(most <= LEAST_TEXT + 3_000, "{most}");
        // As many as the link carries, nearly.
        assert!((60..=90).contains(&frames), "{frames}");
        let mut pacer = Pacer::default();
        pacer.speaks();
        let (most, frames) = draw(&mut pacer, 125_000.0, 0.1, 20_000, 10.0);
        assert!(most <= MOST_TEXT + 20_000, "{most}");
        assert!(frames >= 50, "{frames}");
    }

    #[test]
    fn frames_on_a_fast_link_are_all_drawn() {
        let mut pacer = Pacer::default();
        pacer.speaks();
        let (_, frames) = draw(&mut pacer, 12_500_000.0, 0.1, 1_300, 10.0);
        assert!(frames >= 620, "{frames}");
    }

    #[test]
    fn a_terminal_that_does_not_answer_stalls_nothing() {
        // One that never did is not waited for at all.
        let (mut pacer, start) = (Pacer::default(), Instant::now());
        for _ in 0..100 {
            assert_eq!(pacer.text_wait(start), Duration::ZERO);
            pacer.wrote(5_000, start);
        }
        // One that did gets a frame now and then, and after a while all of them.
        let mut pacer = Pacer::default();
        pacer.speaks();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        for _ in 0..4 {
            pacer.wrote(5_000, start);
        }
        assert!(pacer.text_wait(start) > Duration::ZERO);
        assert_eq!(pacer.text_wait(at(2)), Duration::ZERO);
        pacer.wrote(5_000, at(2));
        assert!(pacer.text_wait(at(3)) > Duration::ZERO);
        for _ in 0..100 {
            assert_eq!(pacer.text_wait(at(11)), Duration::ZERO);
            pacer.wrote(5_000, at(11));
        }
        pacer.answered(at(12));
        assert!(pacer.text_wait(at(12)) > Duration::ZERO, "it answers again");
    }
}
