//! Label issues of 50,000 samples in ten classes: `cargo bench -p chaffinch-confident`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a measurement fails loudly; criterion's macros write no docs"
)]

use chaffinch_confident::{Filter, Method, Table, filter, scores};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

const SAMPLES: usize = 50_000;
const CLASSES: usize = 10;

/// Probabilities with one likely class each, and labels that contradict a tenth of them.
fn table() -> (Vec<f32>, Vec<u32>) {
    let number = |index: usize| ((index as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / 16_777_216.0;
    let mut probabilities = Vec::with_capacity(SAMPLES * CLASSES);
    let mut labels = Vec::with_capacity(SAMPLES);
    for sample in 0..SAMPLES {
        let likely = sample % CLASSES;
        let row = (0..CLASSES)
            .map(|class| (if class == likely { 5.0 } else { 0.0 }) + number(sample * CLASSES + class));
        let row: Vec<f32> = row.collect();
        let total: f32 = row.iter().sum();
        probabilities.extend(row.iter().map(|p| p / total));
        labels.push(if sample % 10 == 3 { (likely + 1) % CLASSES } else { likely } as u32);
    }
    (probabilities, labels)
}

fn issues(criterion: &mut Criterion) {
    let (probabilities, labels) = table();
    let mut group = criterion.benchmark_group("label issues");
    group.throughput(Throughput::Elements(SAMPLES as u64));
    group.bench_function("scores and filter, 50,000 x 10", |b| {
        b.iter(|| {
            let table = Table::new(black_box(&probabilities), CLASSES, &labels).unwrap();
            let quality = scores(&table, Method::SelfConfidence, false);
            (quality, filter(&table, Filter::PruneByNoiseRate).unwrap())
        });
    });
    group.finish();
}

criterion_group!(benches, issues);
criterion_main!(benches);
