//! k-medoids by FasterPAM (Schubert and Rousseeuw, "Fast and eager k-medoids clustering", 2021), written from the
//! paper.
//!
//! A medoid is a member of the data, and the inertia is the sum of every point's distance to its nearest medoid.
//! FasterPAM takes each point in turn as a candidate and finds in one pass over the points, for all medoids at
//! once, the cost of replacing that medoid by the candidate; a swap that helps is made immediately. It
//! ends when a whole round finds no such swap, so the result is a local optimum of the full swap
//! neighborhood, as PAM's is.

/// Distances between all pairs of `n` points, row by row, with zeros on the diagonal.
#[derive(Debug, Clone, Copy)]
pub struct Distances<'a> {
    data: &'a [f32],
    n: usize,
}

impl<'a> Distances<'a> {
    /// Views `n * n` numbers.
    ///
    /// # Panics
    /// When there are not exactly that many.
    pub fn new(data: &'a [f32], n: usize) -> Distances<'a> {
        assert_eq!(data.len(), n * n, "a distance matrix is square");
        Distances { data, n }
    }

    fn row(&self, point: usize) -> &'a [f32] {
        &self.data[point * self.n..(point + 1) * self.n]
    }

    /// The sum of all points' distances to the nearest of `medoids`.
    #[cfg(test)]
    pub fn inertia(&self, medoids: &[usize]) -> f64 {
        let nearest =
            |point: usize| medoids.iter().map(|&m| self.row(m)[point]).fold(f32::INFINITY, f32::min);
        (0..self.n).map(|point| f64::from(nearest(point))).sum()
    }
}

/// A set of medoids and the assignment of points to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustering {
    /// The medoids, in the order in which they were chosen.
    pub medoids: Vec<usize>,
    /// The index in `medoids` of each point's nearest one.
    pub assignment: Vec<usize>,
    /// Sum of the distances to the nearest medoid.
    pub inertia: f64,
}

/// Called once per round; an error ends the computation.
pub type Checkpoint<'a, E> = &'a dyn Fn() -> Result<(), E>;

/// `k` medoids, starting from BUILD.
///
/// # Errors
/// Those of `checkpoint`.
///
/// # Panics
/// When there are fewer points than medoids, or none.
pub fn cluster<E>(
    distances: Distances<'_>,
    k: usize,
    checkpoint: Checkpoint<'_, E>,
) -> Result<Clustering, E> {
    let medoids = build(distances, Vec::new(), k, checkpoint)?;
    improve(distances, medoids, checkpoint)
}

/// The best clustering for each of `ks` (ascending). Each starts from the previous one plus one more greedy choice
/// and never becomes worse, so the inertia never rises with `k`.
///
/// # Errors
/// Those of `checkpoint`.
pub fn elbow<E>(
    distances: Distances<'_>,
    ks: &[usize],
    checkpoint: Checkpoint<'_, E>,
) -> Result<Vec<Clustering>, E> {
    let mut all: Vec<Clustering> = Vec::with_capacity(ks.len());
    for &k in ks {
        let start = all.last().map_or_else(Vec::new, |last| last.medoids.clone());
        let warm = improve(distances, build(distances, start, k, checkpoint)?, checkpoint)?;
        let fresh = cluster(distances, k, checkpoint)?;
        all.push(if fresh.inertia < warm.inertia { fresh } else { warm });
    }
    Ok(all)
}

/// PAM's BUILD: adds, one at a time, the point that lowers the inertia most. Ties go to the earlier point.
fn build<E>(
    distances: Distances<'_>,
    mut medoids: Vec<usize>,
    k: usize,
    checkpoint: Checkpoint<'_, E>,
) -> Result<Vec<usize>, E> {
    let n = distances.n;
    assert!(k >= 1 && k <= n, "{k} medoids of {n} points");
    let mut nearest = vec![f32::INFINITY; n];
    for &medoid in &medoids {
        lower(&mut nearest, distances.row(medoid));
    }
    while medoids.len() < k {
        checkpoint()?;
        let mut best = (f64::INFINITY, 0);
        for candidate in (0..n).filter(|point| !medoids.contains(point)) {
            let row = distances.row(candidate);
            let total = sum_of_smaller(row, &nearest);
            if total < best.0 {
                best = (total, candidate);
            }
        }
        lower(&mut nearest, distances.row(best.1));
        medoids.push(best.1);
    }
    Ok(medoids)
}

/// The number of parallel accumulators, and how often they are added to before they go into the sum.
const LANES: usize = 16;
const RUN: usize = 16 * LANES;

/// The sum of the pairwise minima, in an order that depends only on their number.
fn sum_of_smaller(row: &[f32], nearest: &[f32]) -> f64 {
    let smaller = |d: f32, near: f32| if d < near { d } else { near };
    let mut total = 0.0;
    for (row, nearest) in row.chunks(RUN).zip(nearest.chunks(RUN)) {
        let ((row, row_rest), (nearest, nearest_rest)) =
            (row.as_chunks::<LANES>(), nearest.as_chunks::<LANES>());
        let mut sums = [0.0_f32; LANES];
        for (d, near) in row.iter().zip(nearest) {
            for lane in 0..LANES {
                sums[lane] += smaller(d[lane], near[lane]);
            }
        }
        let rest = row_rest.iter().zip(nearest_rest).map(|(&d, &near)| smaller(d, near));
        total += sums.iter().copied().chain(rest).map(f64::from).sum::<f64>();
    }
    total
}

fn lower(nearest: &mut [f32], row: &[f32]) {
    nearest.iter_mut().zip(row).for_each(|(near, &d)| *near = near.min(d));
}

/// A point's nearest and second nearest medoid.
#[derive(Debug, Clone, Copy)]
struct Near {
    first: u32,
    second: u32,
    d_first: f32,
    d_second: f32,
}

impl Near {
    fn of(distances: Distances<'_>, medoids: &[usize], point: usize) -> Near {
        let mut near = Near { first: 0, second: 0, d_first: f32::INFINITY, d_second: f32::INFINITY };
        for (place, &medoid) in medoids.iter().enumerate() {
            let d = distances.row(medoid)[point];
            if d < near.d_first {
                near = Near { first: place as u32, second: near.first, d_first: d, d_second: near.d_first };
            } else if d < near.d_second {
                near.second = place as u32;
                near.d_second = d;
            }
        }
        near
    }

    /// Updates this after the medoid at `place` was replaced by one at distance `d`.
    fn replace(&mut self, distances: Distances<'_>, medoids: &[usize], point: usize, place: u32, d: f32) {
        if self.first == place || self.second == place {
            // The nearest one is gone; only a full search finds the next.
            *self = Near::of(distances, medoids, point);
        } else if d < self.d_first {
            *self = Near { first: place, second: self.first, d_first: d, d_second: self.d_first };
        } else if d < self.d_second {
            self.second = place;
            self.d_second = d;
        }
    }
}

/// Swaps medoids against other points until no single swap helps.
///
/// # Errors
/// Those of `checkpoint`.
pub fn improve<E>(
    distances: Distances<'_>,
    mut medoids: Vec<usize>,
    checkpoint: Checkpoint<'_, E>,
) -> Result<Clustering, E> {
    let n = distances.n;
    let mut near: Vec<Near> = (0..n).map(|point| Near::of(distances, &medoids, point)).collect();
    let mut is_medoid = vec![false; n];
    medoids.iter().for_each(|&medoid| is_medoid[medoid] = true);
    let mut removal = removal_losses(&near, medoids.len());
    let mut seconds: Vec<f32> = near.iter().map(|near| near.d_second).collect();
    // Rounding must not count as an improvement; otherwise two equal sets could be swapped forever.
    let tolerance = near.iter().map(|near| f64::from(near.d_first)).sum::<f64>().max(1e-30) * 1e-9;
    let mut loss = vec![0.0; medoids.len()];
    let (mut candidate, mut since_swap) = (0, 0);
    while since_swap < n {
        if candidate % 256 == 0 {
            checkpoint()?;
        }
        if !is_medoid[candidate] {
            let (place, change) = best_swap(distances.row(candidate), &near, &seconds, &removal, &mut loss);
            if change < -tolerance {
                is_medoid[medoids[place]] = false;
                is_medoid[candidate] = true;
                medoids[place] = candidate;
                let row = distances.row(candidate);
                for (point, near) in near.iter_mut().enumerate() {
                    near.replace(distances, &medoids, point, place as u32, row[point]);
                    seconds[point] = near.d_second;
                }
                removal = removal_losses(&near, medoids.len());
                since_swap = 0;
            }
        }
        since_swap += 1;
        candidate = (candidate + 1) % n;
    }
    let assignment = near.iter().map(|near| near.first as usize).collect();
    let inertia = near.iter().map(|near| f64::from(near.d_first)).sum();
    Ok(Clustering { medoids, assignment, inertia })
}

/// The increase of the inertia if a medoid were removed: its points would go to their second nearest.
fn removal_losses(near: &[Near], k: usize) -> Vec<f64> {
    let mut losses = vec![0.0; k];
    if k > 1 {
        for near in near {
            losses[near.first as usize] += f64::from(near.d_second) - f64::from(near.d_first);
        }
    }
    losses
}

/// Points that are processed together.
const LOOK: usize = 8;

/// The medoid that the candidate would best replace, and the change of the inertia. `seconds` repeats each point's distance
/// to its second nearest medoid: most points are not nearer to the candidate, and are skipped.
fn best_swap(row: &[f32], near: &[Near], seconds: &[f32], removal: &[f64], loss: &mut [f64]) -> (usize, f64) {
    if removal.len() == 1 {
        let change = row.iter().zip(near).map(|(&d, near)| f64::from(d) - f64::from(near.d_first)).sum();
        return (0, change);
    }
    loss.copy_from_slice(removal);
    // The gain regardless of which medoid is replaced.
    let mut shared = 0.0;
    for ((row, near), seconds) in row.chunks(LOOK).zip(near.chunks(LOOK)).zip(seconds.chunks(LOOK)) {
        if row.iter().zip(seconds).map(|(d, second)| u32::from(d < second)).sum::<u32>() == 0 {
            continue;
        }
        for (&d, near) in row.iter().zip(near) {
            if d < near.d_first {
                shared += f64::from(d) - f64::from(near.d_first);
                loss[near.first as usize] += f64::from(near.d_first) - f64::from(near.d_second);
            } else if d < near.d_second {
                loss[near.first as usize] += f64::from(d) - f64::from(near.d_second);
            }
        }
    }
    let mut best = (0, f64::INFINITY);
    for (place, &loss) in loss.iter().enumerate() {
        if loss < best.1 {
            best = (place, loss);
        }
    }
    (best.0, best.1 + shared)
}

#[cfg(test)]
#[path = "fasterpam_tests.rs"]
mod tests;
