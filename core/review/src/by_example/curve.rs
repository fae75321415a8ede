//! A share that falls with the score, fitted to examples.

/// An example with its weight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighted {
    pub(super) score: f64,
    /// 1 = faulty, 0 = fine.
    pub(super) share: f64,
    pub(super) weight: f64,
}

/// Where between two examples the share changes from that of one to that of the other.
#[derive(Debug, Clone, Copy)]
pub(super) enum Gap {
    /// Evenly on the way.
    Even,
    /// At this part of it.
    At(f64),
}

/// Scores from `first` to `last` with one share.
#[derive(Debug, Clone, Copy)]
struct Block {
    first: f64,
    last: f64,
    share: f64,
    weight: f64,
}

/// Blocks in the order of scores, with falling shares.
#[derive(Debug)]
pub(super) struct Curve(Vec<Block>);

impl Curve {
    /// The falling curve with the least squares: adjacent blocks that rise are pooled.
    pub(super) fn fit(sorted: Vec<Weighted>) -> Curve {
        let mut blocks: Vec<Block> = Vec::with_capacity(sorted.len());
        for Weighted { score, share, weight } in sorted {
            let mut last = Block { first: score, last: score, share, weight };
            // Equal scores have one share.
            while let Some(before) =
                blocks.pop_if(|before| before.share <= last.share || before.last == last.first)
            {
                let weight = before.weight + last.weight;
                let share = if weight > 0.0 {
                    (before.weight * before.share + last.weight * last.share) / weight
                } else {
                    last.share
                };
                last = Block { first: before.first, last: last.last, share, weight };
            }
            blocks.push(last);
        }
        Curve(blocks)
    }

    /// The share in the middle of each of `bins` bins from 0 to 1, and at 1.
    pub(super) fn over_bins(&self, bins: usize, gap: &mut dyn FnMut() -> Gap) -> Vec<f64> {
        let gaps: Vec<Gap> = self.0.iter().map(|_| gap()).collect();
        let mut at = 0;
        let middle = |bin: usize| ((bin as f64 + 0.5) / bins as f64).min(1.0);
        let share = |bin: usize| {
            let score = middle(bin);
            while at + 1 < self.0.len() && self.0[at + 1].first <= score {
                at += 1;
            }
            let Some(own) = self.0.get(at) else { return 0.0 };
            let Some(next) = self.0.get(at + 1).filter(|_| score > own.last) else { return own.share };
            let way = (score - own.last) / (next.first - own.last);
            match gaps[at] {
                Gap::Even => own.share + way * (next.share - own.share),
                Gap::At(part) if way < part => own.share,
                Gap::At(_) => next.share,
            }
        };
        (0..=bins).map(share).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(examples: &[(f64, f64)]) -> Curve {
        Curve::fit(examples.iter().map(|&(score, share)| Weighted { score, share, weight: 1.0 }).collect())
    }

    #[test]
    fn rising_neighbors_and_equal_scores_are_pooled() {
        let fitted = curve(&[(0.1, 1.0), (0.2, 0.0), (0.3, 1.0), (0.5, 0.0), (0.5, 1.0), (0.9, 0.0)]);
        let shares: Vec<f64> = fitted.0.iter().map(|block| block.share).collect();
        assert_eq!(shares, [1.0, 0.5, 0.0]);
        assert_eq!((fitted.0[1].first, fitted.0[1].last), (0.2, 0.5));
    }

    #[test]
    fn between_two_blocks_the_share_goes_from_one_to_the_other() {
        let fitted = curve(&[(0.2, 1.0), (0.4, 0.0)]);
        let even = fitted.over_bins(10, &mut || Gap::Even);
        assert_eq!((even[0], even[1], even[4], even[10]), (1.0, 1.0, 0.0, 0.0));
        assert!((even[2] - 0.75).abs() < 1e-9 && (even[3] - 0.25).abs() < 1e-9, "{even:?}");
        let late = fitted.over_bins(10, &mut || Gap::At(0.9));
        assert_eq!((late[2], late[3], late[4]), (1.0, 1.0, 0.0));
    }
}
