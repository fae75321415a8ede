//! Benchmarks of reading and of neighbor search: `cargo bench -p chaffinch-compute`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a measurement fails loudly; criterion's macros write no docs"
)]

use chaffinch_compute::image::decode::decode;
use chaffinch_compute::image::resample::{Filter, Window, resize_window};
use chaffinch_compute::image::{RgbImage, phash};
use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::{hamming, neighbors};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::io::Cursor;
use std::sync::atomic::AtomicBool;

/// The same numbers every time, 0..=255.
fn noise(index: u32) -> u8 {
    (index.wrapping_mul(2_654_435_761) >> 24) as u8
}

/// 500 x 375: gradients with noise, which compress like photographs of that size.
fn photograph() -> RgbImage {
    RgbImage::from_fn(500, 375, |x, y| {
        let grain = noise(y * 500 + x) / 16;
        image::Rgb([(x / 3) as u8 + grain, (y / 2) as u8 + grain, ((x + y) / 5) as u8 + grain])
    })
}

fn reading(criterion: &mut Criterion) {
    let picture = photograph();
    let mut jpeg = Cursor::new(Vec::new());
    picture.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    let window = Window { left: 37, top: 0, width: 224, height: 224 };
    let mut group = criterion.benchmark_group("500x375");
    group.throughput(Throughput::Elements(1));
    group.bench_function("decode JPEG", |b| b.iter(|| decode(black_box(&jpeg)).unwrap()));
    group.bench_function("resize to 224, bicubic", |b| {
        b.iter(|| resize_window(black_box(&picture), 298, 224, window, Filter::Bicubic));
    });
    group.bench_function("decode and resize", |b| {
        b.iter(|| resize_window(&decode(black_box(&jpeg)).unwrap().image, 298, 224, window, Filter::Bicubic));
    });
    group.bench_function("pHash and dHash", |b| b.iter(|| phash::hashes(black_box(&picture))));
    group.finish();
}

fn pairs(criterion: &mut Criterion) {
    let stop = AtomicBool::new(false);
    let job = Job::new(&stop, &|_, _| {});
    let hash = |i: u64| (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17) ^ i;
    let hashes: Vec<u64> = (0..50_000).map(hash).collect();
    let mut group = criterion.benchmark_group("pairs");
    group.sample_size(10);
    group.throughput(Throughput::Elements(hashes.len() as u64));
    group.bench_function("50,000 hashes within 10 bits", |b| {
        b.iter(|| hamming::near_pairs(black_box(&hashes), &|_| true, 10, &job).unwrap());
    });
    let (rows, cols) = (4096, 512);
    let vectors = || {
        let mut data: Vec<f32> =
            (0..rows * cols).map(|index| f32::from(noise(index as u32)) / 255.0 - 0.5).collect();
        for row in data.chunks_exact_mut(cols) {
            let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
            row.iter_mut().for_each(|x| *x /= length);
        }
        EmbeddingMatrix::from_vec(data, cols)
    };
    group.throughput(Throughput::Elements(rows as u64));
    group.bench_function("10 neighbors of 4,096 x 512", |b| {
        b.iter_batched(
            vectors,
            |matrix| neighbors::nearest(&matrix, &|_| true, 10, &job).unwrap(),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, reading, pairs);
criterion_main!(benches);
