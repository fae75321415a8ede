//! A link between a terminal and a program: output arrives later, and no faster than the link allows.
//! Simulated in this process, so it needs no privileges and no tools.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes that travel together.
const PACKET: usize = 1400;

/// The properties of a link, the same in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Link {
    /// Round-trip time.
    pub round_trip: Duration,
    /// Bits per second; `None` for unlimited.
    pub bits: Option<f64>,
}

impl Link {
    /// A link with this round-trip time in milliseconds and bandwidth in Mbit/s.
    pub fn new(milliseconds: u64, megabits: f64) -> Link {
        Link { round_trip: Duration::from_millis(milliseconds), bits: Some(megabits * 1e6) }
    }
}

/// One direction.
#[derive(Debug)]
pub struct Way {
    delay: Duration,
    rate: Option<f64>,
    free_at: Option<Instant>,
    waiting: VecDeque<(Instant, Vec<u8>)>,
    held: usize,
    most: usize,
}

impl Way {
    /// One direction of a link.
    pub fn new(link: Link) -> Way {
        Way {
            delay: link.round_trip / 2,
            rate: link.bits.map(|bits| bits / 8.0),
            free_at: None,
            waiting: VecDeque::new(),
            held: 0,
            most: 0,
        }
    }

    /// Bytes are written at one end.
    pub fn push(&mut self, bytes: &[u8], now: Instant) {
        for packet in bytes.chunks(PACKET) {
            let start = self.free_at.map_or(now, |free| free.max(now));
            let took = self.rate.map_or(0.0, |rate| packet.len() as f64 / rate);
            let sent = start + Duration::from_secs_f64(took);
            self.free_at = Some(sent);
            self.waiting.push_back((sent + self.delay, packet.to_vec()));
        }
        self.held += bytes.len();
        self.most = self.most.max(self.held);
    }

    /// What has arrived at the other end.
    pub fn due(&mut self, now: Instant) -> Vec<u8> {
        let count = self.waiting.iter().take_while(|(at, _)| *at <= now).count();
        let bytes: Vec<u8> = self.waiting.drain(..count).flat_map(|(_, packet)| packet).collect();
        self.held -= bytes.len();
        bytes
    }

    /// When something arrives next.
    pub fn next(&self) -> Option<Instant> {
        self.waiting.front().map(|(at, _)| *at)
    }

    /// The maximum number of bytes in flight since the last call.
    pub fn most(&mut self) -> usize {
        std::mem::replace(&mut self.most, self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_arrive_in_order_after_the_delay_and_at_the_rate() {
        let start = Instant::now();
        let mut way = Way::new(Link { round_trip: Duration::from_millis(100), bits: Some(80_000.0) });
        let sent: Vec<u8> = (0..10_000_u32).map(|n| n as u8).collect();
        way.push(&sent, start);
        let at = |milliseconds: u64| start + Duration::from_millis(milliseconds);
        assert!(way.due(at(49)).is_empty());
        let mut came = way.due(at(550));
        // Ten bytes per millisecond after the first.
        assert!((3_500..=5_000).contains(&came.len()), "{}", came.len());
        assert!(way.due(at(550)).is_empty());
        came.extend(way.due(at(1_051)));
        assert_eq!(came, sent);
        assert_eq!((way.next(), way.most(), way.most()), (None, 10_000, 0));
    }

    #[test]
    fn a_line_without_bounds_is_none() {
        let mut way = Way::new(Link::default());
        let now = Instant::now();
        way.push(b"abc", now);
        assert_eq!(way.due(now), b"abc");
    }
}
