//! Clusters of one class: spherical k-means (I. S. Dhillon and D. S. Modha 2001), each with the member nearest to its
//! centre as medoid. A picture of what a class looks like, not a judgement: no score is made of it.

use crate::neighbors;
use crate::store::EmbeddingMatrix;

/// Clusters a class is taken apart into, at most.
const CLUSTERS: usize = 5;
/// Members of a cluster at least, on average: small classes have fewer clusters.
const LEAST: usize = 4;
/// Members the centres are found from, evenly spaced.
const SAMPLED: usize = 4096;
/// Rounds at most; it is over when nothing changes.
const ROUNDS: usize = 24;

/// One cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// The member that stands for it.
    pub medoid: u32,
    /// The member least like the medoid.
    pub outermost: u32,
    /// Mean cosine of the members to the medoid.
    pub mean: f32,
    /// All members, in manifest order.
    pub members: Vec<u32>,
}

/// The clusters of one class, largest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clusters {
    /// The clusters.
    pub all: Vec<Cluster>,
}

impl Clusters {
    /// Takes the members of a class apart.
    pub fn new(matrix: &EmbeddingMatrix, members: &[u32]) -> Clusters {
        if members.is_empty() || matrix.cols() == 0 {
            return Clusters::default();
        }
        let count = members.len().min(SAMPLED);
        let sampled: Vec<u32> = (0..count).map(|place| members[place * members.len() / count]).collect();
        let k = (count / LEAST).clamp(1, CLUSTERS);
        let mut medoids = medoids(matrix, &sampled, k);
        medoids.sort_unstable();
        medoids.dedup();
        let cosines = neighbors::block(matrix, members, &medoids);
        let mut all: Vec<Cluster> = medoids
            .iter()
            .map(|&medoid| Cluster { medoid, outermost: medoid, mean: 0.0, members: Vec::new() })
            .collect();
        let mut sums = vec![(0.0_f64, f32::INFINITY); all.len()];
        for (&member, cosines) in members.iter().zip(cosines.chunks_exact(medoids.len())) {
            let place = nearest(cosines);
            all[place].members.push(member);
            sums[place].0 += f64::from(cosines[place]);
            if cosines[place] < sums[place].1 {
                sums[place].1 = cosines[place];
                all[place].outermost = member;
            }
        }
        for (cluster, (sum, _)) in all.iter_mut().zip(sums) {
            cluster.mean = (sum / cluster.members.len().max(1) as f64) as f32;
        }
        // Of two members with equal embeddings one may have taken the other's.
        all.retain(|cluster| !cluster.members.is_empty());
        all.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then(a.medoid.cmp(&b.medoid)));
        Clusters { all }
    }
}

/// The place of the largest number, the first of equal ones.
fn nearest(cosines: &[f32]) -> usize {
    let mut best = 0;
    for (place, cosine) in cosines.iter().enumerate() {
        if *cosine > cosines[best] {
            best = place;
        }
    }
    best
}

/// The members nearest to the centres of `k` clusters.
fn medoids(matrix: &EmbeddingMatrix, rows: &[u32], k: usize) -> Vec<u32> {
    let cols = matrix.cols();
    let mut centres = Vec::with_capacity(k * cols);
    centres.extend(centre(matrix, rows.iter().copied()));
    // Each further one begins at the member that is least like those before.
    let mut best = vec![f32::NEG_INFINITY; rows.len()];
    let first = farthest(&products(matrix, rows, &centres), &mut best, true);
    centres.clear();
    centres.extend_from_slice(matrix.row(rows[first] as usize));
    while centres.len() < k * cols {
        let last = &centres[centres.len() - cols..];
        let next = farthest(&products(matrix, rows, last), &mut best, false);
        centres.extend_from_slice(matrix.row(rows[next] as usize));
    }
    let mut places = Vec::new();
    for _ in 0..ROUNDS {
        let cosines = products(matrix, rows, &centres);
        let now: Vec<usize> = cosines.chunks_exact(k).map(nearest).collect();
        if now == places {
            break;
        }
        places = now;
        for place in 0..k {
            let members = rows.iter().zip(&places).filter(|(_, at)| **at == place).map(|(row, _)| *row);
            let moved = centre(matrix, members);
            // A cluster that lost its members stays where it was.
            if moved.iter().any(|x| *x != 0.0) {
                centres[place * cols..(place + 1) * cols].copy_from_slice(&moved);
            }
        }
    }
    let cosines = products(matrix, rows, &centres);
    let nearest = |place: usize| {
        let column = cosines.iter().skip(place).step_by(k);
        let at = column.enumerate().fold((0, f32::NEG_INFINITY), |best, (at, cosine)| {
            if *cosine > best.1 { (at, *cosine) } else { best }
        });
        rows[at.0]
    };
    (0..k).map(nearest).collect()
}

/// Products of rows with some centres, `count` numbers a row.
fn products(matrix: &EmbeddingMatrix, rows: &[u32], centres: &[f32]) -> Vec<f32> {
    let cols = matrix.cols();
    let count = centres.len() / cols;
    let mut gathered = Vec::with_capacity(rows.len() * cols);
    for &row in rows {
        gathered.extend_from_slice(matrix.row(row as usize));
    }
    let mut out = vec![0.0; rows.len() * count];
    crate::linear::matmul_transposed(&gathered, rows.len(), centres, count, cols, &mut out);
    out
}

/// Takes in how alike the rows are to one more centre. The place of the row that is now least like all of them, or
/// most like this one where it is only to be seen where the middle is.
fn farthest(cosines: &[f32], best: &mut [f32], middle: bool) -> usize {
    if middle {
        return nearest(cosines);
    }
    best.iter_mut().zip(cosines).for_each(|(best, cosine)| *best = best.max(*cosine));
    let mut found = 0;
    for (place, cosine) in best.iter().enumerate() {
        if *cosine < best[found] {
            found = place;
        }
    }
    found
}

/// The mean of some rows made unit length, zeros where there are none.
fn centre(matrix: &EmbeddingMatrix, rows: impl Iterator<Item = u32>) -> Vec<f32> {
    let mut sum = vec![0.0_f64; matrix.cols()];
    for row in rows {
        sum.iter_mut().zip(matrix.row(row as usize)).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    let length = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
    sum.iter().map(|x| if length > 0.0 { (x / length) as f32 } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three bundles of unit vectors: forty, twenty and ten.
    fn bundles() -> (EmbeddingMatrix, Vec<usize>) {
        let (mut data, mut of) = (Vec::new(), Vec::new());
        for (bundle, size) in [(0, 40), (1, 20), (2, 10)] {
            for number in 0..size {
                let mut row =
                    [0.02 * (number % 7) as f32, 0.02 * (number % 5) as f32, 0.015 * (number % 3) as f32];
                row[bundle] += 1.0;
                let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
                data.extend(row.map(|x| x / length));
                of.push(bundle);
            }
        }
        (EmbeddingMatrix::from_vec(data, 3), of)
    }

    #[test]
    fn bundles_are_told_apart_and_each_has_a_member_that_stands_for_it() {
        let (matrix, of) = bundles();
        let members: Vec<u32> = (0..70).collect();
        let clusters = Clusters::new(&matrix, &members).all;
        assert_eq!(clusters.iter().map(|cluster| cluster.members.len()).sum::<usize>(), 70);
        assert!(clusters.len() >= 3);
        assert!(clusters.windows(2).all(|pair| pair[0].members.len() >= pair[1].members.len()));
        for cluster in &clusters {
            let bundle = of[cluster.medoid as usize];
            assert!(cluster.members.iter().all(|member| of[*member as usize] == bundle), "{cluster:?}");
            assert!(
                cluster.members.contains(&cluster.medoid) && cluster.members.contains(&cluster.outermost)
            );
            assert!(cluster.mean > 0.98 && cluster.mean <= 1.0001);
        }
    }

    #[test]
    fn small_classes_and_equal_members_are_no_trouble() {
        let (matrix, _) = bundles();
        assert_eq!(Clusters::new(&matrix, &[]).all, []);
        let one = Clusters::new(&matrix, &[5]).all;
        assert_eq!((one.len(), one[0].medoid, one[0].outermost), (1, 5, 5));
        let same = EmbeddingMatrix::from_vec([1.0, 0.0].repeat(50), 2);
        let members: Vec<u32> = (0..50).collect();
        let all = Clusters::new(&same, &members).all;
        assert_eq!(all.iter().map(|cluster| cluster.members.len()).sum::<usize>(), 50);
    }
}
