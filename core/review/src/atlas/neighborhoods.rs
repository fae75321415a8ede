//! t-distributed stochastic neighbor embedding (L. van der Maaten, G. Hinton 2008) with interpolated repulsion (G.
//! Linderman et al. 2019): similar pictures are close together, while distances between groups mean little.
//!
//! Starts from the principal components, so that nothing is random, and is computed on one thread, since summing in a
//! different order moves points visibly.

use super::projection::stretch;
use crate::{Error, Result};
use bhtsne::{Neighbor, tSNE};
use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::neighbors;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// Maximum number of samples on the map, evenly spaced: more take minutes and merge into one cloud on a screen.
pub(super) const MOST: usize = 30_000;
/// Fewer samples have no neighborhoods.
const FEWEST: usize = 16;
/// Perplexity: the approximate number of neighbors each sample considers.
const PERPLEXITY: f32 = 20.0;
/// Number of iterations; the last third of the usual thousand changes little.
const EPOCHS: usize = 700;
/// Scale of the starting positions relative to the map: large ones barely change.
const START: f32 = 5e-4;

/// State of the map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Neighborhoods<'a> {
    /// Being computed; the progress, 0 to 1.
    Making(f32),
    /// A position for each sample, 0 to 1 in both directions, NaN if it has none.
    Made(&'a [[f32; 2]]),
    /// Not available; the reason.
    None(&'a str),
}

/// A map computed on a separate thread on first request.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    begun: OnceLock<()>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// Progress in thousandths.
    done: AtomicU32,
    made: OnceLock<std::result::Result<Vec<[f32; 2]>, String>>,
}

impl Drawing {
    /// Its state. The first call starts it with `input`: the rows that get a position, and their positions on the map
    /// of principal components.
    pub(super) fn ask(
        &self,
        matrix: &Arc<EmbeddingMatrix>,
        input: impl FnOnce() -> Vec<(u32, [f32; 2])>,
    ) -> Neighborhoods<'_> {
        self.begun.get_or_init(|| {
            let (matrix, shared) = (matrix.clone(), self.shared.clone());
            let input = input();
            let work = move || {
                let tell = |done: u64, total: u64| {
                    shared.done.store((done * 1000 / total.max(1)) as u32, Ordering::Relaxed);
                };
                let made = draw(&matrix, &input, &Job::new(&shared.stop, &tell));
                let _ = shared.made.set(made.map_err(|error| error.to_string()));
            };
            if let Err(error) = std::thread::Builder::new().name("map".into()).spawn(work) {
                let _ = self
                    .shared
                    .made
                    .set(Err(format!("cannot start a thread for the neighborhood map: {error}")));
            }
        });
        self.now()
    }

    /// Its state, without starting it.
    pub(super) fn now(&self) -> Neighborhoods<'_> {
        match self.shared.made.get() {
            Some(Ok(points)) => Neighborhoods::Made(points),
            Some(Err(why)) => Neighborhoods::None(why),
            None => Neighborhoods::Making(self.shared.done.load(Ordering::Relaxed) as f32 / 1000.0),
        }
    }
}

impl Drop for Drawing {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

/// Positions for rows, starting from positions on another map.
fn draw(matrix: &EmbeddingMatrix, input: &[(u32, [f32; 2])], job: &Job<'_>) -> Result<Vec<[f32; 2]>> {
    if input.len() < FEWEST {
        let message = format!("a neighborhood map needs at least {FEWEST} samples with embeddings");
        return Err(Error::Invalid(message));
    }
    let rows: Vec<u32> = input.iter().map(|&(row, _)| row).collect();
    let perplexity = PERPLEXITY.min(((rows.len() - 1) / 3) as f32);
    let neighbors = lists(matrix, &rows, (3.0 * perplexity) as usize, job)?;
    let start: Vec<f32> = input.iter().flat_map(|(_, xy)| xy.map(|share| (share - 0.5) * START)).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.map_err(|error| Error::Invalid(format!("cannot start a thread: {error}")))?;
    let places = pool.install(|| {
        let mut tsne: tSNE<'_, f32, u32> = tSNE::new(&rows);
        tsne.perplexity(perplexity).epochs(EPOCHS).initial_embedding(start);
        tsne.epoch_callback(|epoch, _| {
            job.progress(epoch as u64 + 1, EPOCHS as u64);
            if job.stopped() {
                // The library offers no other way out of its loop.
                resume_unwind(Box::new(Stop));
            }
        });
        let fit = AssertUnwindSafe(|| tsne.fit_sne_with_neighbors(&neighbors).embedding());
        catch_unwind(fit).map_err(|payload| match payload.downcast_ref::<Stop>() {
            Some(Stop) => Error::Stopped,
            None => Error::Invalid("these embeddings cannot be laid out as a neighborhood map".into()),
        })
    })?;
    if places.iter().any(|point| !point.is_finite()) {
        return Err(Error::Invalid("these embeddings have no neighborhoods: they are all the same".into()));
    }
    let mut points = vec![[f32::NAN; 2]; matrix.rows()];
    for (&row, point) in rows.iter().zip(places.as_chunks().0) {
        points[row as usize] = *point;
    }
    for axis in 0..2 {
        stretch(&mut points, axis);
    }
    Ok(points)
}

/// The panic payload of the callback.
struct Stop;

/// For each row its `k` nearest among the rows with their distances, nearest first.
fn lists(matrix: &EmbeddingMatrix, rows: &[u32], k: usize, job: &Job<'_>) -> Result<Vec<Vec<Neighbor<f32>>>> {
    let mut places = vec![u32::MAX; matrix.rows()];
    for (index, &row) in (0_u32..).zip(rows) {
        places[row as usize] = index;
    }
    let quiet = Job::new(job.stop_flag(), &|_, _| {});
    let lists = neighbors::nearest(matrix, &|row| places[row] != u32::MAX, k, &quiet)?;
    let of = |row: u32| {
        let list = lists.of(row as usize).map(|(other, cosine)| Neighbor {
            index: places[other] as usize,
            distance: (2.0 - 2.0 * cosine).max(0.0).sqrt(),
        });
        list.collect()
    };
    Ok(rows.iter().map(|&row| of(row)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// Three groups of unit vectors with a little noise.
    fn groups(count: usize) -> Arc<EmbeddingMatrix> {
        let mut state = 1_u64;
        let mut data = Vec::new();
        for row in 0..count {
            let mut vector: Vec<f32> = (0..8)
                .map(|_| {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    ((state >> 40) as f32 / (1 << 24) as f32 - 0.5) * 0.2
                })
                .collect();
            vector[row % 3] += 1.0;
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            data.extend(vector.iter().map(|x| x / length));
        }
        Arc::new(EmbeddingMatrix::from_vec(data, 8))
    }

    fn made(matrix: &Arc<EmbeddingMatrix>, rows: Vec<u32>) -> std::result::Result<Vec<[f32; 2]>, String> {
        let drawing = Drawing::default();
        let projection = super::super::Projection::new(matrix, &|_| true);
        let input = || rows.iter().map(|&row| (row, projection.points()[row as usize])).collect();
        let began = Instant::now();
        loop {
            match drawing.ask(matrix, input) {
                Neighborhoods::Made(points) => return Ok(points.to_vec()),
                Neighborhoods::None(why) => return Err(why.to_owned()),
                Neighborhoods::Making(share) => assert!((0.0..=1.0).contains(&share)),
            }
            assert!(began.elapsed() < Duration::from_secs(120));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn the_nearest_on_the_map_are_of_the_same_group() {
        let matrix = groups(300);
        let points = made(&matrix, (1..300).collect()).unwrap();
        assert!(points[0][0].is_nan(), "a row that may have no place");
        assert!(points[1..].iter().flatten().all(|share| (0.0..=1.0).contains(share)));
        for (row, [x, y]) in points.iter().enumerate().skip(1) {
            let distance = |other: &usize| {
                let [a, b] = points[*other];
                (a - x).powi(2) + (b - y).powi(2)
            };
            let others = (1..300).filter(|other| *other != row);
            let nearest = others.min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
            assert_eq!(nearest % 3, row % 3);
        }
        let bits = |points: &[[f32; 2]]| points.iter().map(|p| p.map(f32::to_bits)).collect::<Vec<_>>();
        assert_eq!(bits(&points), bits(&made(&matrix, (1..300).collect()).unwrap()));
    }

    #[test]
    fn few_and_equal_samples_have_a_sentence_or_a_map() {
        let matrix = groups(15);
        assert!(made(&matrix, (0..15).collect()).unwrap_err().contains("at least 16 samples"));
        let same = Arc::new(EmbeddingMatrix::from_vec([1.0, 0.0, 0.0, 0.0].repeat(40), 4));
        match made(&same, (0..40).collect()) {
            Ok(points) => assert!(points.iter().flatten().all(|share| (0.0..=1.0).contains(share))),
            Err(why) => assert!(why.contains("embeddings"), "{why}"),
        }
    }

    #[test]
    fn whoever_stops_asking_stops_the_work() {
        let stop = AtomicBool::new(false);
        let tell = |done: u64, _| stop.store(done > 2, Ordering::Relaxed);
        let matrix = groups(60);
        let input: Vec<_> = (0..60).map(|row| (row, [0.01 * row as f32, 0.5])).collect();
        let ended = draw(&matrix, &input, &Job::new(&stop, &tell));
        assert!(matches!(ended, Err(Error::Stopped)));
    }
}
