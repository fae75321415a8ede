//! k-medoids of 2,000 points: `cargo bench -p chaffinch-cluster-outliers`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a measurement fails loudly; criterion's macros write no docs"
)]

use chaffinch_cluster_outliers::fasterpam::{Distances, cluster};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

const POINTS: usize = 2_000;

fn medoids(criterion: &mut Criterion) {
    let number = |index: u32| (index.wrapping_mul(2_654_435_761) >> 8) as f32 / 16_777_216.0;
    let point = |i: usize| [0, 1, 2].map(|axis| number((i * 3 + axis) as u32) + (i % 10) as f32);
    let points: Vec<[f32; 3]> = (0..POINTS).map(point).collect();
    let distance =
        |a: &[f32; 3], b: &[f32; 3]| a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f32>().sqrt();
    let matrix: Vec<f32> = points.iter().flat_map(|a| points.iter().map(move |b| distance(a, b))).collect();
    criterion.bench_function("10 medoids of 2,000", |b| {
        b.iter(|| cluster::<()>(Distances::new(black_box(&matrix), POINTS), 10, &|| Ok(())).unwrap());
    });
}

criterion_group!(benches, medoids);
criterion_main!(benches);
