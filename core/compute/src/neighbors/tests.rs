use super::*;
use crate::Error;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

fn random(rows: usize, cols: usize, seed: u32) -> EmbeddingMatrix {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0 - 0.5
    };
    let mut data: Vec<f32> = (0..rows * cols).map(|_| next()).collect();
    normalize(&mut data, cols);
    EmbeddingMatrix::from_vec(data, cols)
}

fn normalize(data: &mut [f32], cols: usize) {
    for row in data.chunks_exact_mut(cols) {
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        row.iter_mut().for_each(|x| *x /= length);
    }
}

fn find(matrix: &EmbeddingMatrix, usable: &dyn Fn(usize) -> bool, k: usize) -> NeighborLists {
    let stop = AtomicBool::new(false);
    nearest(matrix, usable, k, &Job::new(&stop, &|_, _| {})).unwrap()
}

/// The brute-force reference.
fn plain(
    matrix: &EmbeddingMatrix,
    usable: &dyn Fn(usize) -> bool,
    row: usize,
    k: usize,
) -> Vec<(usize, f32)> {
    let product =
        |other: usize| matrix.row(row).iter().zip(matrix.row(other)).map(|(a, b)| a * b).sum::<f32>();
    let others = (0..matrix.rows()).filter(|&other| other != row && usable(other));
    let mut all: Vec<(usize, f32)> = others.map(|other| (other, product(other))).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.truncate(k);
    all
}

#[test]
fn blocks_find_what_sorting_finds() {
    let matrix = random(2 * BLOCK + 77, 24, 3);
    for usable in [&(|_| true) as &dyn Fn(usize) -> bool, &|row| row % 7 != 3] {
        let lists = find(&matrix, usable, 5);
        for row in (0..matrix.rows()).step_by(97) {
            let found: Vec<(usize, f32)> = lists.of(row).collect();
            if !usable(row) {
                assert!(found.is_empty());
                continue;
            }
            let expected = plain(&matrix, usable, row, 5);
            for ((index, similarity), (other, plain)) in found.iter().zip(&expected) {
                assert!((similarity - plain).abs() < 1e-5);
                assert!(index == other || expected.iter().any(|(other, _)| other == index), "row {row}");
            }
        }
    }
}

#[test]
fn ties_go_to_the_earlier_row_and_lists_are_padded() {
    let data = [1.0, 0.0].repeat(BLOCK + 10);
    let same = EmbeddingMatrix::from_vec(data, 2);
    let lists = find(&same, &|_| true, 3);
    let of = |row: usize| lists.of(row).map(|(index, _)| index).collect::<Vec<_>>();
    assert_eq!((of(0), of(1), of(BLOCK + 5)), (vec![1, 2, 3], vec![0, 2, 3], vec![0, 1, 2]));

    let few = EmbeddingMatrix::from_vec(vec![1.0, 0.0, 0.0, 1.0, f32::NAN, 1.0], 2);
    let lists = find(&few, &|_| true, 4);
    assert_eq!(lists.indices[..4], [1, u32::MAX, u32::MAX, u32::MAX]);
    assert_eq!(lists.similarities[..4], [0.0, -1.0, -1.0, -1.0]);
    assert!(lists.of(2).next().is_none(), "what is not a number is nobody's neighbor");
    let lists = find(&random(300, 8, 1), &|_| true, 7);
    assert_eq!(lists.truncated(3), find(&random(300, 8, 1), &|_| true, 3));
}

/// The same vectors listed in the same order have the same neighbors, however the matrix is arranged, copies among them.
#[test]
fn the_arrangement_of_the_matrix_changes_nothing() {
    let stop = AtomicBool::new(false);
    let job = Job::new(&stop, &|_, _| {});
    for (rows, k) in [(BLOCK + 40, 7), (CLUSTERED_ROWS + 120, 5)] {
        let mut data = random(rows, 6, 4).as_slice().to_vec();
        // Every third is a copy of its neighbor.
        (0..rows - 1).step_by(3).for_each(|row| data.copy_within(row * 6..row * 6 + 6, row * 6 + 6));
        let matrix = EmbeddingMatrix::from_vec(data, 6);
        for left_out in [u32::MAX, 1] {
            let listed: Vec<u32> = (0..rows as u32).filter(|row| row % 50 != left_out).collect();
            let expected = nearest_among(&matrix, &listed, k, &job).unwrap();
            // Row `row` moves to `moved(row)`; 7 has no common factor with the numbers of rows.
            let moved = |row: u32| (row as usize * 7 + 3) % rows;
            let mut elsewhere = vec![0.0; rows * 6];
            for row in 0..rows {
                elsewhere[moved(row as u32) * 6..][..6].copy_from_slice(matrix.row(row));
            }
            let elsewhere = EmbeddingMatrix::from_vec(elsewhere, 6);
            let listed_there: Vec<u32> = listed.iter().map(|&row| moved(row) as u32).collect();
            let found = nearest_among(&elsewhere, &listed_there, k, &job).unwrap();
            for &row in &listed {
                let expected: Vec<_> =
                    expected.of(row as usize).map(|(row, near)| (moved(row as u32), near)).collect();
                assert_eq!(found.of(moved(row)).collect::<Vec<_>>(), expected, "row {row}");
            }
        }
    }
}

#[test]
fn threads_change_nothing() {
    let matrix = random(3 * BLOCK + 5, 40, 9);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| find(&matrix, &|row| row != 4, 10))
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(5));
}

#[test]
fn products_have_the_promised_shape() {
    let matrix = random(BLOCK + 3, 6, 5);
    let vectors = random(3, 6, 8);
    let all = similarities(&matrix, vectors.as_slice(), 3);
    let one = |row: usize, vector: usize| -> f32 {
        matrix.row(row).iter().zip(vectors.row(vector)).map(|(a, b)| a * b).sum()
    };
    assert_eq!(all.len(), 3 * (BLOCK + 3));
    assert!((all[(BLOCK + 1) * 3 + 2] - one(BLOCK + 1, 2)).abs() < 1e-6);
    let part = block(&matrix, &[7, 1], &[1, 2, 7]);
    assert_eq!(part.len(), 6);
    assert!((part[3] - 1.0).abs() < 1e-6 && (part[2] - 1.0).abs() < 1e-6);
    assert!(similarities(&matrix, &[], 0).is_empty() && block(&matrix, &[], &[1]).is_empty());
}

#[test]
fn it_stops() {
    let stop = AtomicBool::new(true);
    let matrix = random(100, 4, 1);
    assert!(matches!(nearest(&matrix, &|_| true, 2, &Job::new(&stop, &|_, _| {})), Err(Error::Stopped)));
}

/// Vectors around many directions, most of their length along the first axes, with copies among them.
fn grouped(rows: usize, cols: usize) -> EmbeddingMatrix {
    let (centers, noise) = (random(60, cols, 5), random(rows, cols, 6));
    let mut data = Vec::with_capacity(rows * cols);
    for row in 0..rows {
        let row = if row % 50 == 49 { row - 7 } else { row };
        let numbers = centers.row(row * 13 % 60).iter().zip(noise.row(row)).enumerate();
        data.extend(numbers.map(|(col, (center, noise))| (center + noise) / (1.0 + col as f32)));
    }
    normalize(&mut data, cols);
    EmbeddingMatrix::from_vec(data, cols)
}

#[test]
fn a_first_look_and_a_bound_change_nothing() {
    let matrix = grouped(CLUSTERED_ROWS + 1_500, 96);
    let usable = |row: usize| row % 11 != 3;
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| find(&matrix, &usable, 10))
    };
    let lists = on(1);
    assert!(lists == on(3), "one thread and three");
    assert_eq!(lists.recall, None);
    let rows: Vec<u32> = (0..matrix.rows() as u32).filter(|&row| usable(row as usize)).collect();
    let set = Set::new(&matrix, &rows);
    let stop = AtomicBool::new(false);
    let job = Job::new(&stop, &|_, _| {});
    let clusters = Clusters::new(set, &job).unwrap();
    let first = clusters.search(set, FIRST_LOOK, Best::new(rows.len(), 10), &job).unwrap();
    assert!(bound::Bound::new(set, &first).width() < 96);
    for row in (0..matrix.rows()).step_by(397).filter(|&row| usable(row)) {
        let found: Vec<(usize, f32)> = lists.of(row).collect();
        for ((index, similarity), (other, plain)) in found.iter().zip(&plain(&matrix, &usable, row, 10)) {
            assert!((similarity - plain).abs() < 1e-5);
            assert!(index == other || (similarity - plain).abs() < 1e-6, "row {row}");
        }
    }
}

#[test]
fn among_many_rows_nearly_all_are_found_and_the_share_is_true() {
    let matrix = grouped(2 * CLUSTERED_ROWS, 48);
    let usable = |row: usize| row % 11 != 3;
    let rows: Vec<u32> = (0..matrix.rows() as u32).filter(|&row| usable(row as usize)).collect();
    let stop = AtomicBool::new(false);
    let job = Job::new(&stop, &|_, _| {});
    let near = |exact_rows: usize, k: usize| nearest_beyond(exact_rows, &matrix, &rows, k, &job).unwrap();
    let (exact, quick) = (near(usize::MAX, 10), near(CLUSTERED_ROWS, 10));
    let claimed = quick.recall.expect("it is approximate");
    assert_eq!(exact.recall, None);
    let (mut found, mut all) = (0, 0);
    for row in (0..matrix.rows()).filter(|&row| usable(row)) {
        let farthest = exact.of(row).last().unwrap().1;
        found += quick.of(row).filter(|(_, similarity)| *similarity >= farthest).count();
        all += 10;
    }
    let true_share = found as f32 / all as f32;
    assert!(claimed >= RECALL && (true_share - claimed).abs() < 0.01, "{true_share} for {claimed}");
    assert!(true_share < 1.0, "all were found, so nothing was left out");
    assert!(quick.truncated(3) == near(CLUSTERED_ROWS, 3), "fewer are the first of more");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert!(quick == pool.install(|| near(CLUSTERED_ROWS, 10)), "the same on more threads");
}

#[test]
fn where_nothing_is_alike_every_pair_is_looked_at() {
    let matrix = random(CLUSTERED_ROWS + 300, 32, 4);
    let stop = AtomicBool::new(false);
    let job = Job::new(&stop, &|_, _| {});
    let rows: Vec<u32> = (0..matrix.rows() as u32).collect();
    let lists = nearest_beyond(CLUSTERED_ROWS, &matrix, &rows, 10, &job).unwrap();
    assert_eq!(lists.recall, None);
    assert!(lists == nearest(&matrix, &|_| true, 10, &job).unwrap());
}

#[test]
#[ignore = "a measurement: run it alone"]
fn fifty_thousand_rows() {
    for cols in [64, 512] {
        let matrix = random(50_000, cols, 2);
        let start = Instant::now();
        let lists = find(&matrix, &|_| true, 10);
        let spent = start.elapsed();
        let products = 50_000.0_f64 * 50_000.0 * cols as f64;
        let rate = products / spent.as_secs_f64() / 1e9;
        eprintln!(
            "{} lists of {cols} numbers in {spent:.2?}: {rate:.0} G products a second",
            lists.indices.len() / 10
        );
    }
}
