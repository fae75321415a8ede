//! Maps of neighborhoods: computed on a thread of their own on first request, whatever the method.

use super::projection::stretch;
use crate::{Error, Result};
use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::neighbors;
use chaffinch_data::map_places;
use chaffinch_protocol::Axes;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// Maximum number of samples on the map, evenly spaced: more take minutes and merge into one cloud on a screen.
pub(super) const MOST: usize = 50_000;
/// Fewer samples have no neighborhoods.
const FEWEST: usize = 16;

/// A row that gets a place, and where it starts: its position on the map of principal components.
pub(super) type Placed = (u32, [f32; 2]);

/// A way to place rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method {
    /// What a map by it is called, also in a session.
    pub(super) axes: Axes,
    /// Increased when it places rows elsewhere than before.
    pub(super) version: u32,
    /// Horizontal and vertical positions of these rows, one after the other, in any range.
    pub(super) place: fn(&EmbeddingMatrix, &[Placed], &Job<'_>) -> Result<Vec<f32>>,
}

impl Method {
    /// Identifies a map by this method of these rows.
    fn identity(&self, matrix: &EmbeddingMatrix, input: &[Placed]) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.axes.key().as_bytes()).update(&self.version.to_le_bytes());
        for (row, start) in input {
            hasher.update(&row.to_le_bytes()).update(bytemuck::cast_slice(start));
            hasher.update(bytemuck::cast_slice(matrix.row(*row as usize)));
        }
        hasher.finalize().to_hex().to_string()
    }
}

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
#[derive(Debug)]
pub(super) struct Drawing {
    method: Method,
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
    /// One that was not asked for yet.
    pub(super) fn new(method: Method) -> Drawing {
        Drawing { method, begun: OnceLock::new(), shared: Arc::default() }
    }

    /// Its state. The first call starts it with `input`: the rows that get a place, and where they start.
    pub(super) fn ask(
        &self,
        matrix: &Arc<EmbeddingMatrix>,
        kept: Option<&Path>,
        input: impl FnOnce() -> Vec<Placed>,
    ) -> Neighborhoods<'_> {
        self.begun.get_or_init(|| {
            let (matrix, shared, method) = (matrix.clone(), self.shared.clone(), self.method);
            let kept = kept.map(|folder| folder.join(format!("{}.safetensors", method.axes.key())));
            let input = input();
            let work = move || {
                let tell = |done: u64, total: u64| {
                    shared.done.store((done * 1000 / total.max(1)) as u32, Ordering::Relaxed);
                };
                let made = draw(method, &matrix, &input, kept.as_deref(), &Job::new(&shared.stop, &tell));
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

/// A position for each row of the matrix by a method, 0 to 1 in both directions.
///
/// # Errors
/// When there are too few, they cannot be laid out, or when stopped.
fn draw(
    method: Method,
    matrix: &EmbeddingMatrix,
    input: &[Placed],
    kept: Option<&Path>,
    job: &Job<'_>,
) -> Result<Vec<[f32; 2]>> {
    if input.len() < FEWEST {
        let message = format!("a neighborhood map needs at least {FEWEST} samples with embeddings");
        return Err(Error::Invalid(message));
    }
    let identity = method.identity(matrix, input);
    let known = kept.and_then(|path| map_places::load(path, &identity));
    let places = match known.filter(|places| places.len() == 2 * input.len()) {
        Some(places) => places,
        None => {
            let places = (method.place)(matrix, input, job)?;
            // Where the session cannot be written, it is computed again next time.
            if let Some(path) = kept {
                let _ = path.parent().map(std::fs::create_dir_all);
                let _ = map_places::save(path, &identity, &places);
            }
            places
        }
    };
    if places.iter().any(|point| !point.is_finite()) {
        return Err(Error::Invalid("these embeddings have no neighborhoods: they are all the same".into()));
    }
    let mut points = vec![[f32::NAN; 2]; matrix.rows()];
    for (&row, point) in input.iter().map(|(row, _)| row).zip(places.as_chunks().0) {
        points[row as usize] = *point;
    }
    for axis in 0..2 {
        stretch(&mut points, axis);
    }
    Ok(points)
}

/// For each row its `k` nearest among the rows, by their places among these, with their distances: nearest first.
///
/// # Errors
/// When stopped.
pub(super) fn nearest(
    matrix: &EmbeddingMatrix,
    rows: &[u32],
    k: usize,
    job: &Job<'_>,
) -> Result<Vec<Vec<(u32, f32)>>> {
    let mut places = vec![u32::MAX; matrix.rows()];
    for (index, &row) in (0_u32..).zip(rows) {
        places[row as usize] = index;
    }
    let quiet = Job::new(job.stop_flag(), &|_, _| {});
    let lists = neighbors::nearest(matrix, &|row| places[row] != u32::MAX, k, &quiet)?;
    let of = |row: u32| {
        let distance = |cosine: f32| (2.0 - 2.0 * cosine).max(0.0).sqrt();
        lists.of(row as usize).map(|(other, cosine)| (places[other], distance(cosine))).collect()
    };
    Ok(rows.iter().map(|&row| of(row)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atlas::{tsne, umap};
    use std::time::{Duration, Instant};

    const METHODS: [Method; 2] = [tsne::METHOD, umap::METHOD];

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

    fn made(
        method: Method,
        matrix: &Arc<EmbeddingMatrix>,
        rows: Vec<u32>,
    ) -> std::result::Result<Vec<[f32; 2]>, String> {
        made_in(None, method, matrix, rows)
    }

    fn made_in(
        kept: Option<&Path>,
        method: Method,
        matrix: &Arc<EmbeddingMatrix>,
        rows: Vec<u32>,
    ) -> std::result::Result<Vec<[f32; 2]>, String> {
        let drawing = Drawing::new(method);
        let projection = super::super::Projection::new(matrix, &|_| true);
        let input = || rows.iter().map(|&row| (row, projection.points()[row as usize])).collect();
        let began = Instant::now();
        loop {
            match drawing.ask(matrix, kept, input) {
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
        METHODS.into_iter().for_each(neighbors_are_alike);
    }

    fn neighbors_are_alike(method: Method) {
        let matrix = groups(300);
        let points = made(method, &matrix, (1..300).collect()).unwrap();
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
        assert_eq!(bits(&points), bits(&made(method, &matrix, (1..300).collect()).unwrap()));
    }

    #[test]
    fn a_kept_map_is_shown_as_long_as_the_embeddings_are_the_same() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("maps");
        let matrix = groups(40);
        let rows = || (0..40).collect::<Vec<u32>>();
        for method in METHODS {
            let first = made_in(Some(&folder), method, &matrix, rows()).unwrap();
            // It would be computed anew otherwise.
            let never = Method { place: |_, _, _| Err(Error::Stopped), ..method };
            assert_eq!(made_in(Some(&folder), never, &matrix, rows()).unwrap(), first);
            assert!(made_in(Some(&folder), never, &matrix, (0..39).collect()).is_err());
            assert!(made_in(Some(&folder), Method { version: 99, ..never }, &matrix, rows()).is_err());
        }
    }

    #[test]
    fn few_and_equal_samples_have_a_sentence_or_a_map() {
        let matrix = groups(15);
        let same = Arc::new(EmbeddingMatrix::from_vec([1.0, 0.0, 0.0, 0.0].repeat(40), 4));
        for method in METHODS {
            assert!(made(method, &matrix, (0..15).collect()).unwrap_err().contains("at least 16 samples"));
            match made(method, &same, (0..40).collect()) {
                Ok(points) => assert!(points.iter().flatten().all(|share| (0.0..=1.0).contains(share))),
                Err(why) => assert!(why.contains("embeddings"), "{why}"),
            }
        }
    }

    #[test]
    fn whoever_stops_asking_stops_the_work() {
        for method in METHODS {
            let stop = AtomicBool::new(false);
            let tell = |done: u64, _| stop.store(done > 2, Ordering::Relaxed);
            let matrix = groups(60);
            let input: Vec<_> = (0..60).map(|row| (row, [0.01 * row as f32, 0.5])).collect();
            let ended = draw(method, &matrix, &input, None, &Job::new(&stop, &tell));
            assert!(matches!(ended, Err(Error::Stopped)));
        }
    }
}
