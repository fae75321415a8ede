//! Few samples that stand for many: each chosen sample covers those that are most like it.
//!
//! Two rules, both greedy: **facility location** chooses what adds most to the mean similarity of all samples with the nearest chosen
//! one, and reaches at least 1 - 1/e of the best mean possible (Nemhauser, Wolsey and Fisher 1978), here with the lazy evaluation of
//! Minoux (1978), whose bound says how close it came; **k-center** chooses what is farthest from all chosen ones, so that the
//! farthest sample is at most twice as far as it must be (Gonzalez 1985). The first looks for the usual, the second for the rare.

use crate::Result;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_compute::linear::matmul_transposed;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::Error;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Samples of one matrix product.
const BLOCK: usize = 512;
/// Candidates that are looked at again together.
const TOGETHER: usize = 16;
/// Above this many samples, facility location looks at an even share of them.
const MOST: usize = 50_000;

/// How samples are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// What adds most to the mean similarity.
    FacilityLocation,
    /// What is farthest from all that are chosen.
    KCenter,
}

/// A chosen sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    /// The sample.
    pub sample: u32,
    /// How many samples are most like it of all that are chosen, itself included.
    pub covers: usize,
    /// The mean over all samples of the cosine with the nearest sample chosen until then.
    pub mean: f32,
    /// The least of these cosines.
    pub least: f32,
}

/// Samples that stand for all.
#[derive(Debug, Clone, PartialEq)]
pub struct Representatives {
    /// In the order in which they were chosen.
    pub picks: Vec<Pick>,
    /// Of facility location: the share of the best value possible that is reached for certain.
    pub bound: Option<f32>,
    /// How many samples were looked at: all, or an even share of them.
    pub looked_at: usize,
    /// Of how many.
    pub of: usize,
}

/// Chooses up to `count` of these samples. Ties are in the order of contents, so names of files change nothing.
///
/// # Errors
/// When there is no sample, or when stopped.
pub fn choose(
    matrix: &EmbeddingMatrix,
    contents: &[ContentHash],
    samples: &[u32],
    (rule, count): (Rule, usize),
    job: &Job<'_>,
) -> Result<Representatives> {
    if samples.is_empty() || count == 0 {
        return Err(Error::Invalid("there is no sample to choose from".into()));
    }
    let mut order = samples.to_vec();
    order.par_sort_unstable_by_key(|&sample| (contents[sample as usize], sample));
    // Of equal contents, one stands for all.
    order.dedup_by_key(|sample| contents[*sample as usize]);
    let all = order.len();
    if rule == Rule::FacilityLocation && all > MOST {
        order = (0..MOST).map(|place| order[place * all / MOST]).collect();
    }
    let dim = matrix.cols();
    let data: Vec<f32> = order.iter().flat_map(|&sample| matrix.row(sample as usize)).copied().collect();
    let points = Points { data, dim };
    let mut chosen = Chosen::new(points.len());
    let bound = match rule {
        Rule::FacilityLocation => Some(points.locate(count, &mut chosen, job)?),
        Rule::KCenter => {
            points.spread(count, &mut chosen, job)?;
            None
        }
    };
    let mut covers = vec![0; chosen.picks.len()];
    chosen.by.iter().for_each(|&pick| covers[pick as usize] += 1);
    let picks = (chosen.picks.iter().zip(covers))
        .map(|(&(place, mean, least), covers)| Pick { sample: order[place], covers, mean, least })
        .collect();
    Ok(Representatives { picks, bound, looked_at: points.len(), of: all })
}

/// Unit vectors.
struct Points {
    data: Vec<f32>,
    dim: usize,
}

/// What is chosen, and how near it is to each point.
struct Chosen {
    /// Place, mean and least cosine after it was chosen.
    picks: Vec<(usize, f32, f32)>,
    /// By point, the cosine with the nearest pick, and which that is.
    best: Vec<f32>,
    by: Vec<u32>,
}

impl Chosen {
    fn new(count: usize) -> Chosen {
        Chosen { picks: Vec::new(), best: vec![-1.0; count], by: vec![0; count] }
    }

    fn take(&mut self, place: usize, cosines: &[f32]) {
        let number = self.picks.len() as u32;
        for ((best, by), &cosine) in self.best.iter_mut().zip(&mut self.by).zip(cosines) {
            if cosine > *best {
                (*best, *by) = (cosine, number);
            }
        }
        // A sample is its own nearest one, whatever rounding says.
        (self.best[place], self.by[place]) = (1.0, number);
        let mean = self.best.iter().map(|&cosine| f64::from(cosine)).sum::<f64>() / self.best.len() as f64;
        let least = self.best.iter().copied().fold(1.0, f32::min);
        self.picks.push((place, mean as f32, least));
    }

    fn has(&self, place: usize) -> bool {
        self.picks.iter().any(|pick| pick.0 == place)
    }
}

impl Points {
    fn len(&self) -> usize {
        self.data.len() / self.dim.max(1)
    }

    fn row(&self, place: usize) -> &[f32] {
        &self.data[place * self.dim..(place + 1) * self.dim]
    }

    /// The cosines of all points with some, point by point.
    fn cosines(&self, places: &[usize]) -> Vec<f32> {
        let wanted: Vec<f32> = places.iter().flat_map(|&place| self.row(place)).copied().collect();
        let mut found = vec![0.0; self.len() * places.len()];
        found.par_chunks_mut(BLOCK * places.len()).zip(self.data.par_chunks(BLOCK * self.dim)).for_each(
            |(out, rows)| {
                matmul_transposed(rows, rows.len() / self.dim, &wanted, places.len(), self.dim, out)
            },
        );
        found
    }

    /// What choosing each of these points would add to the sum of cosines with the nearest chosen one.
    fn gains(&self, places: &[usize], best: &[f32]) -> Vec<f64> {
        let cosines = self.cosines(places);
        let mut gains = vec![0.0; places.len()];
        for (row, &best) in cosines.chunks_exact(places.len()).zip(best) {
            for (gain, &cosine) in gains.iter_mut().zip(row) {
                *gain += f64::from((cosine - best).max(0.0));
            }
        }
        gains
    }

    /// Facility location. Returns the share of the best value that is reached for certain.
    fn locate(&self, count: usize, chosen: &mut Chosen, job: &Job<'_>) -> Result<f32> {
        let (all, count) = (self.len(), count.min(self.len()));
        let mut sum = vec![0.0_f64; self.dim];
        for row in self.data.chunks_exact(self.dim) {
            sum.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        // With nothing chosen, every cosine is a gain over -1, and the sum of all is the product with the sum of the points.
        let first = |place: usize| {
            let product: f64 = self.row(place).iter().zip(&sum).map(|(&x, sum)| f64::from(x) * sum).sum();
            product + all as f64
        };
        // Gains only fall as more is chosen, so a gain that was computed earlier is a bound for now.
        let mut heap: BinaryHeap<(Ordered, Reverse<usize>, usize)> =
            (0..all).map(|place| (Ordered(first(place)), Reverse(place), 0)).collect();
        while chosen.picks.len() < count {
            let round = chosen.picks.len();
            job.checkpoint()?;
            job.progress(round as u64, count as u64);
            let Some((_, Reverse(place), seen)) = heap.peek().copied() else { break };
            if seen == round {
                heap.pop();
                chosen.take(place, &self.cosines(&[place]));
                continue;
            }
            let mut stale = Vec::new();
            while stale.len() < TOGETHER
                && let Some(&(_, Reverse(place), seen)) = heap.peek()
                && seen != round
            {
                heap.pop();
                stale.push(place);
            }
            for (&place, gain) in stale.iter().zip(self.gains(&stale, &chosen.best)) {
                heap.push((Ordered(gain), Reverse(place), round));
            }
        }
        let value: f64 = chosen.best.iter().map(|&cosine| f64::from(cosine) + 1.0).sum();
        // No choice of as many is worth more than this one with the largest gains that are left.
        let more: f64 = heap.into_sorted_vec().iter().rev().take(count).map(|one| one.0.0.max(0.0)).sum();
        Ok((value / (value + more)) as f32)
    }

    /// k-center, from the point that is most like all.
    fn spread(&self, count: usize, chosen: &mut Chosen, job: &Job<'_>) -> Result<()> {
        let mut sum = vec![0.0_f64; self.dim];
        for row in self.data.chunks_exact(self.dim) {
            sum.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        let product =
            |place: usize| self.row(place).iter().zip(&sum).map(|(&x, sum)| f64::from(x) * sum).sum::<f64>();
        let mut next = (0..self.len()).fold((0, f64::NEG_INFINITY), |best, place| {
            let value = product(place);
            if value > best.1 { (place, value) } else { best }
        });
        while chosen.picks.len() < count.min(self.len()) && !chosen.has(next.0) {
            job.checkpoint()?;
            job.progress(chosen.picks.len() as u64, count as u64);
            chosen.take(next.0, &self.cosines(&[next.0]));
            next = (chosen.best.iter().enumerate()).fold((0, f64::INFINITY), |least, (place, &cosine)| {
                if f64::from(cosine) < least.1 { (place, f64::from(cosine)) } else { least }
            });
        }
        Ok(())
    }
}

/// A number by its size.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Ordered) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Ordered) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]
    use super::*;
    use proptest::prelude::*;

    fn contents(count: usize) -> Vec<ContentHash> {
        (0..count).map(|row| ContentHash::of(&row.to_le_bytes())).collect()
    }

    fn unit(values: &[f32], dim: usize) -> EmbeddingMatrix {
        let rows = values.chunks_exact(dim).flat_map(|row| {
            let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
            row.iter().map(move |x| x / norm).collect::<Vec<_>>()
        });
        EmbeddingMatrix::from_vec(rows.collect(), dim)
    }

    fn chosen(matrix: &EmbeddingMatrix, rule: Rule, count: usize) -> Representatives {
        let samples: Vec<u32> = (0..matrix.rows() as u32).collect();
        choose(matrix, &contents(matrix.rows()), &samples, (rule, count), &Job::unwatched()).unwrap()
    }

    /// The sum of cosines with the nearest of some samples, plus one each.
    fn value(matrix: &EmbeddingMatrix, picks: &[u32]) -> f64 {
        let cosine = |a: usize, b: u32| {
            matrix.row(a).iter().zip(matrix.row(b as usize)).map(|(x, y)| f64::from(x * y)).sum::<f64>()
        };
        (0..matrix.rows())
            .map(|row| picks.iter().map(|&pick| cosine(row, pick)).fold(-1.0, f64::max) + 1.0)
            .sum()
    }

    #[test]
    fn three_clouds_have_one_each() {
        let mut values = Vec::new();
        for row in 0..60 {
            let mut vector = vec![0.01 * (row % 7) as f32; 4];
            vector[row % 3] = 1.0;
            values.extend(vector);
        }
        for rule in [Rule::FacilityLocation, Rule::KCenter] {
            let found = chosen(&unit(&values, 4), rule, 3);
            let mut clouds: Vec<u32> = found.picks.iter().map(|pick| pick.sample % 3).collect();
            clouds.sort_unstable();
            assert_eq!(clouds, [0, 1, 2], "{rule:?}: {found:?}");
            assert_eq!(found.picks.iter().map(|pick| pick.covers).collect::<Vec<_>>(), [20, 20, 20]);
            assert!(found.picks[2].mean > 0.99 && found.picks[2].least > 0.98, "{found:?}");
        }
        // Of equal contents one is chosen, and no more than there are.
        let matrix = unit(&[1.0, 0.0, 1.0, 0.0, 0.0, 1.0], 2);
        let same = [ContentHash::of(b"a"), ContentHash::of(b"a"), ContentHash::of(b"b")];
        let rule = (Rule::FacilityLocation, 9);
        let found = choose(&matrix, &same, &[0, 1, 2], rule, &Job::unwatched()).unwrap();
        assert_eq!(found.picks.len(), 2);
        assert!(choose(&matrix, &same, &[], rule, &Job::unwatched()).is_err());
    }

    proptest! {
        /// The lazy greedy choice is the greedy one, its bound holds, and k-center is within twice the best radius.
        #[test]
        fn choices_keep_their_bounds(values in prop::collection::vec(-1.0_f32..1.0, 3 * 7..3 * 10)) {
            let values = &values[..values.len() / 3 * 3];
            let matrix = unit(values, 3);
            let count = matrix.rows();
            let pairs = (0..count as u32).flat_map(|a| (0..a).map(move |b| [a, b]));
            let best = pairs.clone().map(|pair| value(&matrix, &pair)).fold(0.0, f64::max);
            let found = chosen(&matrix, Rule::FacilityLocation, 2);
            let picks: Vec<u32> = found.picks.iter().map(|pick| pick.sample).collect();
            let own = value(&matrix, &picks);
            prop_assert!(own >= (1.0 - 1.0 / std::f64::consts::E) * best - 1e-4);
            prop_assert!(f64::from(found.bound.unwrap()) <= own / best + 1e-4);
            let first = (0..count as u32).map(|a| value(&matrix, &[a])).fold(0.0, f64::max);
            prop_assert!((value(&matrix, &picks[..1]) - first).abs() < 1e-3);
            let second = (0..count as u32).map(|a| value(&matrix, &[picks[0], a])).fold(0.0, f64::max);
            prop_assert!((own - second).abs() < 1e-3);
            let radius = |picks: &[u32]| {
                let chord = |a: usize, b: u32| {
                    matrix.row(a).iter().zip(matrix.row(b as usize)).map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>().sqrt()
                };
                (0..count).map(|row| picks.iter().map(|&pick| chord(row, pick)).fold(2.0, f64::min)).fold(0.0, f64::max)
            };
            let spread: Vec<u32> = chosen(&matrix, Rule::KCenter, 2).picks.iter().map(|pick| pick.sample).collect();
            let least = pairs.map(|pair| radius(&pair)).fold(2.0, f64::min);
            prop_assert!(radius(&spread) <= 2.0 * least + 1e-3);
        }
    }
}
