//! What is known of a detector's samples, by score.

use super::Reviewed;
use crate::bins::bin;
use crate::covered::{Answer, drawn};
use chaffinch_protocol::BINS;

/// The samples of one bin of scores.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bin {
    pub(super) samples: u64,
    /// Of all decisions.
    pub(super) bad: u64,
    /// See `bad`.
    pub(super) fine: u64,
    /// Of what is decided as a whole and of the random sample.
    pub(super) sure_bad: u64,
    /// Those among them that the reviewer is unsure about.
    pub(super) sure_unsure: u64,
    /// Samples that are in neither.
    pub(super) rest: u64,
}

/// A sample with a score that was decided about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decided {
    pub(super) score: f32,
    pub(super) answer: Answer,
}

/// What a review covers.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) bins: Vec<Bin>,
    /// The random sample of what is not decided as a whole.
    pub(super) drawn: Vec<Decided>,
    /// All that is decided.
    pub(super) decided: Vec<Decided>,
}

impl Known {
    pub(super) fn of(reviewed: &Reviewed<'_>) -> Known {
        let Reviewed { scores, answers, said, suspects } = *reviewed;
        let whole = whole(scores, said, suspects);
        // Of suspects the ones at the end of the sample may be decided because of their rank.
        let mut ranked = whole.clone();
        suspects.iter().for_each(|&row| ranked[row as usize] = true);
        let sample = drawn(answers, |row| ranked[row]);
        let mut sure = whole.clone();
        sample.iter().for_each(|&row| sure[row as usize] = true);

        let decided = |row: usize| {
            Some(Decided { score: scores[row], answer: said[row]? }).filter(|decided| !decided.score.is_nan())
        };
        let mut bins = vec![Bin::default(); BINS + 1];
        for row in (0..scores.len()).filter(|&row| !scores[row].is_nan()) {
            let bin = &mut bins[bin(scores[row])];
            bin.samples += 1;
            bin.bad += u64::from(said[row] == Some(Answer::Bad));
            bin.fine += u64::from(said[row] == Some(Answer::Fine));
            bin.rest += u64::from(!sure[row]);
            bin.sure_bad += u64::from(sure[row] && said[row] == Some(Answer::Bad));
            bin.sure_unsure += u64::from(sure[row] && said[row] == Some(Answer::Unsure));
        }
        Known {
            bins,
            drawn: sample
                .iter()
                .filter(|&&row| !whole[row as usize])
                .filter_map(|&row| decided(row as usize))
                .collect(),
            decided: (0..scores.len()).filter_map(decided).collect(),
        }
    }

    /// Samples of which neither a whole range nor the random sample says anything by itself.
    pub(super) fn rest(&self) -> u64 {
        self.bins.iter().map(|bin| bin.rest).sum()
    }

    /// A sum over the bins below each edge.
    pub(super) fn below(&self, of: impl Fn(&Bin) -> u64) -> Vec<u64> {
        let sums = self.bins.iter().scan(0, |sum, bin| {
            *sum += of(bin);
            Some(*sum)
        });
        std::iter::once(0).chain(sums).collect()
    }
}

/// Samples in ranges that are decided as a whole: from the start of the ranking, and of the detector's own order.
fn whole(scores: &[f32], said: &[Option<Answer>], suspects: &[u32]) -> Vec<bool> {
    let open = |row: usize| said[row].is_none();
    let first =
        (0..scores.len()).filter(|&row| open(row)).map(|row| scores[row]).fold(f32::INFINITY, f32::min);
    let mut whole: Vec<bool> = scores.iter().map(|&score| score < first).collect();
    for &row in suspects.iter().take_while(|&&row| !open(row as usize)) {
        whole[row as usize] = true;
    }
    whole
}
