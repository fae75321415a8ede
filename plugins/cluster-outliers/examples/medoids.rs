//! Measures k-medoids on an existing distance matrix.
//!
//! `cargo run --release -p chaffinch-cluster-outliers --example medoids -- FILE POINTS MEDOIDS`: FILE holds POINTS * POINTS 32-bit
//! floating-point numbers, lowest byte first.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // A measurement fails loudly and tells what it found.

use chaffinch_cluster_outliers::fasterpam;
use std::time::Instant;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [file, points, medoids] = words.as_slice() else {
        println!("FILE POINTS MEDOIDS are wanted; nothing is measured");
        return;
    };
    let bytes = std::fs::read(file).unwrap();
    let numbers: Vec<f32> =
        bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    drop(bytes);
    let distances = fasterpam::Distances::new(&numbers, points.parse().unwrap());
    let start = Instant::now();
    let (seconds, found) = {
        let before = processor_seconds();
        let found = fasterpam::cluster::<()>(distances, medoids.parse().unwrap(), &|| Ok(())).unwrap();
        (processor_seconds() - before, found)
    };
    let wall = start.elapsed().as_secs_f64();
    println!("{{\"seconds\": {wall:.3}, \"cpu_seconds\": {seconds:.2}, \"loss\": {}}}", found.inertia);
}

fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = text.rsplit(')').next().unwrap();
    fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}
