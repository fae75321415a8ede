use super::{Clustering, Distances, cluster, elbow, improve};
use proptest::prelude::*;
use std::convert::Infallible;

fn run(data: &[f32], n: usize, k: usize) -> Clustering {
    let Ok(found) = cluster::<Infallible>(Distances::new(data, n), k, &|| Ok(()));
    found
}

fn elbow_of(data: &[f32], n: usize, ks: &[usize]) -> Vec<Clustering> {
    let Ok(found) = elbow::<Infallible>(Distances::new(data, n), ks, &|| Ok(()));
    found
}

/// Distances on a line.
fn line(points: &[f32]) -> Vec<f32> {
    points.iter().flat_map(|a| points.iter().map(move |b| (a - b).abs())).collect()
}

/// The least inertia of any `k` points.
fn exhaustive(distances: Distances<'_>, n: usize, k: usize) -> f64 {
    let subsets = (0_u32..1 << n).filter(|bits| bits.count_ones() as usize == k);
    let members = |bits: u32| (0..n).filter(|point| bits >> point & 1 == 1).collect::<Vec<_>>();
    subsets.map(|bits| distances.inertia(&members(bits))).fold(f64::INFINITY, f64::min)
}

/// Whether no single swap lowers the inertia.
fn is_local_optimum(distances: Distances<'_>, n: usize, found: &Clustering) -> bool {
    (0..found.medoids.len()).all(|index| {
        (0..n).all(|point| {
            let mut swapped = found.medoids.clone();
            swapped[index] = point;
            distances.inertia(&swapped) >= found.inertia - 1e-5
        })
    })
}

#[test]
fn two_heaps_on_a_line() {
    let data = line(&[0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
    let found = run(&data, 6, 2);
    let mut medoids = found.medoids.clone();
    medoids.sort_unstable();
    assert_eq!((medoids, found.inertia), (vec![1, 4], 4.0));
    assert_eq!(found.assignment[0], found.assignment[2]);
    assert_ne!(found.assignment[2], found.assignment[3]);
}

#[test]
fn one_medoid_and_all_medoids() {
    let data = line(&[0.0, 1.0, 5.0]);
    assert_eq!(run(&data, 3, 1).medoids, [1]);
    assert_eq!(run(&data, 3, 3).inertia, 0.0);
}

#[test]
fn equal_points_do_not_swap_for_ever() {
    let found = run(&[0.0; 64], 8, 3);
    assert_eq!(found.inertia, 0.0);
    assert_eq!(found.medoids.len(), 3);
}

#[test]
fn a_stop_is_passed_on() {
    let data = line(&[0.0, 1.0, 5.0]);
    assert_eq!(cluster(Distances::new(&data, 3), 2, &|| Err("stop")), Err("stop"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_swap_helps_and_the_best_is_near(points in prop::collection::vec((-50.0_f32..50.0, -50.0_f32..50.0), 4..11), k in 1_usize..4) {
        let n = points.len();
        let data: Vec<f32> =
            points.iter().flat_map(|a| points.iter().map(move |b| (a.0 - b.0).hypot(a.1 - b.1))).collect();
        let distances = Distances::new(&data, n);
        let found = run(&data, n, k);
        prop_assert!((found.inertia - distances.inertia(&found.medoids)).abs() < 1e-3);
        prop_assert!(is_local_optimum(distances, n, &found));
        let best = exhaustive(distances, n, k);
        prop_assert!(found.inertia >= best - 1e-3);
        // A local optimum of single swaps is at most five times the optimum (Arya and others, 2004).
        prop_assert!(found.inertia <= 5.0 * best + 1e-3);
        if k == 1 {
            prop_assert!(found.inertia <= best + 1e-3);
        }
    }

    #[test]
    fn any_start_ends_in_a_local_optimum(points in prop::collection::vec(-50.0_f32..50.0, 4..12), seed in 0_usize..1000) {
        let n = points.len();
        let data = line(&points);
        let distances = Distances::new(&data, n);
        let start = vec![seed % n, (seed + 1 + seed / n % (n - 1)) % n];
        prop_assume!(start[0] != start[1]);
        let Ok(found) = improve::<Infallible>(distances, start, &|| Ok(()));
        prop_assert!(is_local_optimum(distances, n, &found));
    }

    #[test]
    fn the_elbow_never_rises(points in prop::collection::vec(-50.0_f32..50.0, 6..20)) {
        let data = line(&points);
        let all = elbow_of(&data, points.len(), &[1, 2, 3, 5, 6]);
        prop_assert!(all.windows(2).all(|pair| pair[1].inertia <= pair[0].inertia));
    }
}

/// Cosine distances of the paintings without those that repeat an earlier one (cosine above 0.9), and the names of
/// those that are left.
fn paintings() -> (Vec<f32>, Vec<String>) {
    let all = crate::paintings::Paintings::read();
    let numbers: Vec<f64> = all.embeddings.iter().map(|&x| f64::from(x)).collect();
    let rows: Vec<Vec<f64>> = numbers
        .chunks_exact(512)
        .map(|row| {
            let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            row.iter().map(|x| x / norm).collect()
        })
        .collect();
    let cosine = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let keep: Vec<usize> = (0..rows.len())
        .filter(|&index| rows[..index].iter().all(|earlier| cosine(earlier, &rows[index]) <= 0.9))
        .collect();
    let distance = |a: usize, b: usize| (1.0 - cosine(&rows[a], &rows[b])).max(0.0) as f32;
    let data = keep.iter().flat_map(|&a| keep.iter().map(move |&b| (a, b))).map(|(a, b)| distance(a, b));
    (data.collect(), keep.iter().map(|&index| all.names[index].clone()).collect())
}

#[test]
#[ignore = "needs the paintings' embeddings beside the repository: cargo test --release -p chaffinch-cluster-outliers -- --ignored"]
fn paintings_have_the_known_inertia() {
    let (data, names) = paintings();
    let n = names.len();
    assert_eq!(n, 307);
    let found = run(&data, n, 10);
    let mut medoids: Vec<&str> = found.medoids.iter().map(|&medoid| names[medoid].as_str()).collect();
    medoids.sort_unstable();
    let known = ["0135", "0136", "0186", "02", "0292", "0299", "033", "0353", "066", "083"];
    assert_eq!(medoids, known);
    let mut sizes = vec![0; 10];
    found.assignment.iter().for_each(|&index| sizes[index] += 1);
    sizes.sort_unstable();
    assert_eq!(sizes, [15, 22, 22, 24, 30, 30, 40, 40, 40, 44]);
    assert!(found.inertia <= 75.4756, "inertia {}", found.inertia);
    assert!(is_local_optimum(Distances::new(&data, n), n, &found));
    assert_eq!(found, run(&data, n, 10));
}

#[test]
#[ignore = "needs the paintings' embeddings beside the repository: cargo test --release -p chaffinch-cluster-outliers -- --ignored"]
fn paintings_have_a_falling_elbow() {
    let (data, names) = paintings();
    let n = names.len();
    let ks: Vec<usize> = (5..=99).step_by(2).collect();
    let all = elbow_of(&data, n, &ks);
    assert!(all.windows(2).all(|pair| pair[1].inertia <= pair[0].inertia));
    // What a single pass of the alternating method reaches.
    let known =
        [(5, 83.400), (7, 81.247), (9, 82.503), (11, 79.721), (21, 71.588), (61, 54.926), (99, 43.295)];
    for (k, inertia) in known {
        let index = (k - 5) / 2;
        assert!(all[index].inertia < inertia, "k = {k}: {}", all[index].inertia);
    }
}
