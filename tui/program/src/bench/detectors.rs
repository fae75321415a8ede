//! Complete detectors through the host, and the ranking, on generated vectors: the cost for a dataset of that size once
//! its images are embedded.

use super::texts::Texts;
use anyhow::{Context, Result, ensure};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::memory;
use chaffinch_compute::processor_time::processor_time;
use chaffinch_data::config::Config;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::{Manifest, NewSample};
use chaffinch_data::prompts::PromptSet;
use chaffinch_host::{DatasetServices, RunContext};
use chaffinch_plugin::Dimensions;
use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::sample::Split;
use chaffinch_review::ranking::{Results, rank};
use clap::Args;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
pub(super) struct Detectors {
    /// Number of samples
    #[arg(long, default_value_t = 1_000_000)]
    rows: usize,
    /// Numbers per sample
    #[arg(long, default_value_t = 512)]
    cols: usize,
    /// Number of classes
    #[arg(long, default_value_t = 1_000)]
    classes: usize,
    /// Fraction of the samples with a wrong label
    #[arg(long, default_value_t = 0.05)]
    wrong: f64,
    /// Detectors, in the order they run
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "label-quality,neighbor-outliers,neighbor-labels,duplicates"
    )]
    detectors: Vec<String>,
}

/// The cost of one step.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    what: String,
    seconds: f64,
    cpu_seconds: f64,
    /// Samples below the detector's threshold, or suspects of the ranking.
    flagged: usize,
    /// How many of these have a wrong label.
    wrong: usize,
    /// Peak resident memory of this process so far.
    peak_bytes: u64,
    notes: Vec<(String, String)>,
}

/// Generates the vectors, runs the detectors and ranks the samples.
pub(super) fn run(args: &Detectors) -> Result<Vec<Step>> {
    ensure!(
        args.classes > 1 && args.cols > 0 && args.rows >= args.classes,
        "needs at least two classes, one column, and one row per class"
    );
    let registry = crate::libraries::load(&Config::built_in());
    let mut steps = Vec::new();
    let started = Clock::start();
    let made = Made::new(args)?;
    steps.push(started.step("vectors", 0, 0, Vec::new()));
    let services = DatasetServices::new(
        Arc::new(made.manifest),
        Arc::new(made.file_metadata),
        Some(Arc::new(made.matrix)),
        Some(Arc::new(made.texts)),
        PromptSet::bundled(),
        [],
    );
    let stop = AtomicBool::new(false);
    let mut results = Results::new();
    for name in &args.detectors {
        let detector = registry.find(name).with_context(|| format!("unknown detector {name}"))?;
        let started = Clock::start();
        let job = Job::new(&stop, &|_, _| {});
        let context = RunContext::new(&services, detector, &BTreeMap::new(), job, &|_, _| {})?;
        let result = context.run(String::new()).with_context(|| format!("{name} failed"))?;
        let threshold = result.record().threshold;
        let flagged: Vec<usize> =
            (0..args.rows).filter(|&sample| result.scores()[sample] < threshold).collect();
        let wrong = flagged.iter().filter(|&&sample| made.wrong[sample]).count();
        steps.push(started.step(name, flagged.len(), wrong, result.record().notes.clone()));
        results.insert(name.clone(), Arc::new(result));
    }
    let started = Clock::start();
    let ranking = rank(&results, &BTreeMap::new(), &EnsembleRule::default(), args.rows);
    let suspects = ranking.order.iter();
    let wrong = suspects.clone().filter(|&&sample| made.wrong[sample as usize]).count();
    steps.push(started.step("ranking", suspects.count(), wrong, Vec::new()));
    Ok(steps)
}

struct Clock(Instant, Duration);

impl Clock {
    fn start() -> Clock {
        Clock(Instant::now(), processor_time())
    }

    fn step(&self, what: &str, flagged: usize, wrong: usize, notes: Vec<(String, String)>) -> Step {
        let seconds = self.0.elapsed().as_secs_f64();
        let cpu_seconds = (processor_time() - self.1).as_secs_f64();
        Step {
            what: what.to_owned(),
            seconds,
            cpu_seconds,
            flagged,
            wrong,
            peak_bytes: memory::peak(),
            notes,
        }
    }
}

struct Made {
    manifest: Manifest,
    file_metadata: FileMetadata,
    matrix: EmbeddingMatrix,
    wrong: Vec<bool>,
    texts: Texts,
}

impl Made {
    /// Each class has a center and 4 variants; noise affects every axis, later ones less, like in a model's embeddings.
    fn new(args: &Detectors) -> Result<Made> {
        let (rows, cols, classes) = (args.rows, args.cols, args.classes);
        let numbers = |row: usize, seed: u64, scale: f32, out: &mut [f32]| {
            for (col, out) in out.iter_mut().enumerate() {
                let axis = (1.0 + col as f32).sqrt().recip();
                *out += scale * axis * normal(mixed(seed ^ mixed((row * cols + col) as u64)));
            }
        };
        let mut matrix = EmbeddingMatrix::zeros(rows, cols, &std::env::temp_dir())?;
        matrix.as_mut_slice().par_chunks_mut(cols).enumerate().for_each(|(row, out)| {
            let (class, way) = (class_of(row, classes), mixed(row as u64 ^ 5) as usize % 4);
            numbers(class, 1, 1.0, out);
            numbers(class * 4 + way, 2, 0.5, out);
            numbers(row, 3, 0.6, out);
            let length = out.iter().map(|x| x * x).sum::<f32>().sqrt();
            out.iter_mut().for_each(|x| *x /= length);
        });
        let below = (args.wrong * 10_000.0) as u64;
        let wrong: Vec<bool> = (0..rows as u64).map(|row| mixed(row ^ 7) % 10_000 < below).collect();
        let samples = (0..rows).map(|row| {
            let shift = if wrong[row] { 1 + mixed(row as u64 ^ 9) as usize % (classes - 1) } else { 0 };
            let class = (class_of(row, classes) + shift) % classes;
            let split = Split::None;
            NewSample {
                path: format!("{row:08}.jpg").into(),
                label: Some(format!("class-{class:05}")),
                split,
            }
        });
        let manifest = Manifest::new("made", samples);
        let hash = |row: usize| {
            let mut hash = [0; 32];
            hash.chunks_exact_mut(8).zip(11..).for_each(|(part, seed)| {
                part.copy_from_slice(&mixed(row as u64 ^ mixed(seed)).to_le_bytes())
            });
            ContentHash(hash)
        };
        let file_metadata = FileMetadata {
            hashes: (0..rows).map(hash).collect(),
            dimensions: (0..rows).map(|_| Dimensions { width: 500, height: 375, bytes: 40_000 }).collect(),
            modified: (0..rows as i64).collect(),
            phash: (0..rows as u64).map(|row| mixed(row ^ mixed(21))).collect(),
            dhash: (0..rows as u64).map(|row| mixed(row ^ mixed(22))).collect(),
            unreadable: BTreeMap::new(),
            remarks: BTreeMap::new(),
        };
        let mut centers = vec![0.0_f32; classes * cols];
        centers.chunks_mut(cols).enumerate().for_each(|(class, out)| numbers(class, 1, 1.0, out));
        let texts = Texts::new(centers, cols);
        Ok(Made { manifest, file_metadata, matrix, wrong, texts })
    }
}

fn class_of(row: usize, classes: usize) -> usize {
    mixed(row as u64 ^ 3) as usize % classes
}

/// A number that depends on every bit of another one (the finalizer of SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Approximately normal with unit variance: the sum of four uniform variables.
fn normal(bits: u64) -> f32 {
    let sum: u64 = (0..4).map(|part| bits >> (16 * part) & 0xFFFF).sum();
    (sum as f32 / 65_536.0 - 2.0) * 3.0_f32.sqrt()
}
