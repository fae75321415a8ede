//! How often a detector is expected to be right about a suspect: at first by how sure it is, and from the reviewer's decisions
//! as they come.

use super::ensemble::Member;

/// Decisions from which the order follows them.
const LEAST: usize = 20;
/// Decisions from which expectations count twice and three times: the more are known, the less turns are given to lists that
/// may be right after all.
const TWICE: usize = 50;
const THRICE: usize = 200;
/// How many decisions a first expectation is worth.
const FIRST: f32 = 4.0;
/// No expectation is lower: a list that was never right keeps a few turns, because the next one may be.
const LOWEST: f32 = 0.02;
/// Upper ends of the ranges of calibrated scores in which decisions are counted separately.
const RANGES: [f32; 6] = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5];

/// What is expected of each detector.
pub(super) struct Trust {
    members: Vec<Record>,
    times: u32,
}

/// What was decided about the suspects of one detector.
#[derive(Clone, Copy, Default)]
struct Record {
    /// Suspects found bad, and as many as were expected.
    bad: f32,
    expected: f32,
    /// By range: suspects decided, and those of them found bad.
    ranges: [(f32, f32); RANGES.len()],
}

impl Trust {
    /// Learns from decided samples and whether each was found bad.
    pub(super) fn learn(members: &[Member<'_>], decided: &[(u32, bool)]) -> Trust {
        let mut records = vec![Record::default(); members.len()];
        let known = if decided.len() < LEAST { &[] } else { decided };
        for (member, record) in members.iter().zip(&mut records) {
            let flagged = known
                .iter()
                .filter(|(row, _)| (*row as usize) < member.scores.len() && member.flags(*row as usize));
            for &(row, bad) in flagged {
                record.add(member.calibration.of(member.scores[row as usize]), bad);
            }
        }
        let times = match known.len() {
            0..TWICE => 1,
            TWICE..THRICE => 2,
            _ => 3,
        };
        Trust { members: records, times }
    }

    /// The share of bad ones to expect among suspects of a detector with the calibrated score `c`, 0.02 to 1.
    pub(super) fn expected(&self, member: usize, c: f32) -> f64 {
        f64::from(self.members[member].expectation(c).clamp(LOWEST, 1.0))
    }

    /// The turns that a suspect takes of its list: one if it is surely bad, more otherwise.
    pub(super) fn turns(&self, expected: f64) -> f64 {
        (0..self.times).fold(1.0, |turns, _| turns / expected)
    }
}

impl Record {
    fn add(&mut self, c: f32, bad: bool) {
        let hit = f32::from(u8::from(bad));
        self.bad += hit;
        self.expected += first(c);
        let range = &mut self.ranges[range(c)];
        range.0 += 1.0;
        range.1 += hit;
    }

    /// The share of bad ones among suspects with this score.
    fn expectation(&self, c: f32) -> f32 {
        let ratio = (FIRST + self.bad) / (FIRST + self.expected);
        let (decided, bad) = self.ranges[range(c)];
        (FIRST * (ratio * first(c)).min(1.0) + bad) / (FIRST + decided)
    }
}

/// The expectation before any decision: 1 where the detector is certain, 0 at its threshold, and closer to 0 halfway.
fn first(c: f32) -> f32 {
    let sure = (1.0 - 2.0 * c).clamp(0.0, 1.0);
    sure * sure
}

fn range(c: f32) -> usize {
    RANGES.iter().position(|&end| c < end).unwrap_or(RANGES.len() - 1)
}
