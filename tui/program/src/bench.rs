//! `bench`: measures the performance-critical parts without a dataset or a session. Hidden from the help: its figures are
//! for `scripts/peers` and `docs/benchmarks.md`.

mod detectors;
mod pipeline;
mod texts;

use super::args::Global;
use super::model_loader::loader;
use super::output::{json, results};
use anyhow::{Context, Result, ensure};
use chaffinch_clip::{DeviceChoice, MemoryBudget, SearchDevice, keep_on_device};
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::image::decode::decode;
use chaffinch_compute::image::phash;
use chaffinch_compute::job::Job;
use chaffinch_compute::linear::matmul_transposed;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::processor_time::processor_time;
use chaffinch_compute::{hamming, neighbors};
use chaffinch_confident::{Filter, Method, Table, filter, scores};
use clap::{Args, Subcommand};
use rayon::prelude::*;
use serde::Serialize;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Benchmark a part of the program
#[derive(Debug, Args)]
#[command(hide = true)]
pub(super) struct Bench {
    #[command(subcommand)]
    part: Part,
}

/// The part to benchmark.
#[derive(Debug, Subcommand)]
enum Part {
    /// A square matrix product on every thread
    Product(Product),
    /// The image tower, on generated input or on files
    Embed(Embed),
    /// A pass over files without a model, and with one that only receives its input
    Pipeline(pipeline::Pipeline),
    /// Decoding and hashing on one thread
    Images(Images),
    /// All pairs of similar hashes
    Hashes(Hashes),
    /// The nearest neighbors of every row
    Neighbors(Neighbors),
    /// Neighbors, and the outliers, near duplicates and label errors derived from them
    Audit(Audit),
    /// Complete detectors and the ranking on generated vectors, through the host
    Detectors(detectors::Detectors),
}

#[derive(Debug, Args)]
struct Product {
    /// Rows and columns of the matrices
    #[arg(long, default_value_t = 1024)]
    side: usize,
    /// Number of rounds; the median is reported
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

#[derive(Debug, Args)]
struct Embed {
    /// `bundled`, `bundled-photo`, `bundled-small`, a name on the Hugging Face Hub, or a folder
    #[arg(long, default_value = "bundled")]
    model: String,
    /// Device that runs the model: auto, cpu, cpu:bf16, cuda, or GPUs by number as cuda:0,1 [default: cpu]
    #[arg(long)]
    device: Option<String>,
    /// Images per batch
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// Batches per round
    #[arg(long, default_value_t = 1)]
    batches: usize,
    /// Number of rounds; the median is reported
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Also read, decode and preprocess the files in this folder
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// Maximum number of files
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    count: usize,
}

#[derive(Debug, Args)]
struct Images {
    /// Folder of images
    folder: PathBuf,
    /// Maximum number of files
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    count: usize,
    /// Do not compute hashes
    #[arg(long)]
    decode_only: bool,
    /// Number of rounds; the median is reported
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[derive(Debug, Args)]
struct Hashes {
    /// File of 64-bit integers, little-endian
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Maximum number of different bits
    #[arg(long, default_value_t = 10)]
    radius: u32,
    /// Number of rounds; the median is reported
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[derive(Debug, Args)]
struct Neighbors {
    /// File of 32-bit floats, row by row, little-endian
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Numbers per row
    #[arg(long)]
    cols: usize,
    /// Neighbors per row
    #[arg(long, default_value_t = 10)]
    k: usize,
    /// Device that filters: auto, cpu, cuda:N, or `rehearsed` for its steps on the CPU
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Maximum GPU memory, such as 6GiB
    #[arg(long, value_name = "SIZE")]
    vram_budget: Option<String>,
    /// Number of rounds; the median is reported
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Write the row indices of the neighbors to this file, as 32-bit integers
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Audit {
    /// File of 32-bit floats, row by row, little-endian
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Numbers per row
    #[arg(long)]
    cols: usize,
    /// File of 32-bit class numbers starting at 0, little-endian
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Number of rounds; the median is reported
    #[arg(long, default_value_t = 1)]
    rounds: usize,
}

/// The measurements: medians over the rounds.
#[derive(Debug, Serialize)]
struct Figures {
    what: String,
    /// Number of images, rows or hashes per round.
    items: u64,
    /// Wall time per round.
    seconds: f64,
    /// CPU time per round, summed over all threads.
    cpu_seconds: f64,
    /// Floating-point operations per round, in billions; 0 where they are not counted.
    gflop: f64,
    /// Number of pairs, neighbors or vectors found.
    found: u64,
}

/// Runs one benchmark.
pub(super) fn run(args: &Bench, _: &Global) -> Result<ExitCode> {
    let figures = match &args.part {
        Part::Detectors(args) => {
            results(|out| json(out, &detectors::run(args)?))?;
            return Ok(ExitCode::SUCCESS);
        }
        Part::Pipeline(args) => {
            results(|out| json(out, &pipeline::run(args)?))?;
            return Ok(ExitCode::SUCCESS);
        }
        Part::Product(args) => product(args),
        Part::Embed(args) => embed(args)?,
        Part::Images(args) => images(args)?,
        Part::Hashes(args) => hashes(args)?,
        Part::Neighbors(args) => nearest(args)?,
        Part::Audit(args) => audit(args)?,
    };
    results(|out| json(out, &figures))?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `work` several times and takes the medians.
fn timed(
    what: &str,
    rounds: usize,
    items: usize,
    gflop: f64,
    mut work: impl FnMut() -> Result<u64>,
) -> Result<Figures> {
    let (mut walls, mut cpus, mut found) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds.max(1) {
        let (cpu, wall) = (processor_time(), Instant::now());
        found = work()?;
        walls.push(wall.elapsed().as_secs_f64());
        cpus.push((processor_time() - cpu).as_secs_f64());
    }
    walls.sort_by(f64::total_cmp);
    cpus.sort_by(f64::total_cmp);
    let middle = walls.len() / 2;
    let (seconds, cpu_seconds) = (walls[middle], cpus[middle]);
    Ok(Figures { what: what.to_owned(), items: items as u64, seconds, cpu_seconds, gflop, found })
}

/// A square matrix product on every thread: the lower bound for everything built on matrix products.
fn product(args: &Product) -> Figures {
    let side = args.side;
    let numbers = |seed: u32| -> Vec<f32> {
        (0..side * side).map(|i| ((i as u32).wrapping_mul(seed) >> 8) as f32 / 16_777_216.0 - 0.5).collect()
    };
    let (a, b) = (numbers(2_654_435_761), numbers(2_246_822_519));
    let threads = rayon::current_num_threads();
    let gflop = 2.0 * (side as f64).powi(3) * threads as f64 / 1e9;
    let mut outs = vec![vec![0.0; side * side]; threads];
    let work = || {
        outs.par_iter_mut().with_max_len(1).for_each(|out| matmul_transposed(&a, side, &b, side, side, out));
        Ok(u64::from(black_box(outs[0][0]) > 0.0))
    };
    timed("product", args.rounds, threads, gflop, work).unwrap_or_else(|error| Figures {
        what: super::output::chain(&error),
        items: 0,
        seconds: 0.0,
        cpu_seconds: 0.0,
        gflop,
        found: 0,
    })
}

/// The image tower, on generated input or on files.
fn embed(args: &Embed) -> Result<Figures> {
    let load = loader(&args.model, args.device.as_deref().unwrap_or("cpu"), None, false)?;
    let embedder = load()?;
    let model = embedder.as_ref();
    let length = model.input_len();
    if let Some(folder) = &args.images {
        let files = files(folder, args.count)?;
        let work = || {
            let mut vectors = 0;
            // Two groups at a time: all threads prepare one while the model runs on the other.
            let mut groups = files.chunks(args.batch.max(1));
            let mut ready = groups.next().map(|group| prepared(model, group)).transpose()?;
            while let Some(pixels) = ready {
                let next = groups.next();
                let (found, coming) = rayon::join(
                    || model.embed_images(&pixels, pixels.len() / length),
                    || next.map(|group| prepared(model, group)).transpose(),
                );
                vectors += found?.len() / model.dim();
                ready = coming?;
            }
            Ok(vectors as u64)
        };
        return timed("embed-files", args.rounds, files.len(), 0.0, work);
    }
    let count = args.batch * args.batches;
    let pixels: Vec<u8> =
        (0..args.batch * length).map(|i| ((i as u32).wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    model.embed_images(&pixels, args.batch)?; // Warms up memory and threads.
    timed("embed", args.rounds, count, 0.0, || {
        let mut vectors = 0;
        for _ in 0..args.batches {
            vectors += model.embed_images(&pixels, args.batch)?.len() / model.dim();
        }
        Ok(vectors as u64)
    })
}

fn prepared(model: &dyn Embedder, files: &[PathBuf]) -> Result<Vec<u8>> {
    let one = |path: &PathBuf| -> Result<Vec<u8>> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let decoded = decode(&bytes).with_context(|| format!("cannot decode {}", path.display()))?;
        Ok(model.preprocess(&decoded.image))
    };
    let all: Vec<Vec<u8>> = files.par_iter().with_max_len(1).map(one).collect::<Result<_>>()?;
    Ok(all.concat())
}

/// The first files of a folder, by name.
fn files(folder: &Path, count: usize) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files.truncate(count);
    ensure!(!files.is_empty(), "no files in {}", folder.display());
    Ok(files)
}

/// Decoding and hashing on one thread: the cost of reading each file.
fn images(args: &Images) -> Result<Figures> {
    let files = files(&args.folder, args.count)?;
    let bytes: Vec<Vec<u8>> = files
        .iter()
        .map(|path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display())))
        .collect::<Result<_>>()?;
    timed(if args.decode_only { "decode" } else { "decode-hash" }, args.rounds, files.len(), 0.0, || {
        let mut all = 0;
        for bytes in &bytes {
            let decoded = decode(bytes)?;
            if args.decode_only {
                all ^= u64::from(decoded.image.as_raw()[0]);
            } else {
                let (phash, dhash) = phash::hashes(&decoded.image);
                all ^= phash ^ dhash;
            }
        }
        Ok(all)
    })
}

/// All pairs of similar hashes.
fn hashes(args: &Hashes) -> Result<Figures> {
    let bytes = std::fs::read(&args.data).with_context(|| format!("cannot read {}", args.data.display()))?;
    let hashes: Vec<u64> = bytes
        .chunks_exact(8)
        .map(|eight| eight.iter().rev().fold(0, |all, &byte| all << 8 | u64::from(byte)))
        .collect();
    let stop = AtomicBool::new(false);
    let job = Job::new(&stop, &|_, _| {});
    timed("hashes", args.rounds, hashes.len(), 0.0, || {
        Ok(hamming::near_pairs(&hashes, &|_| true, args.radius, &job)?.len() as u64)
    })
}

/// The nearest neighbors of every row.
fn nearest(args: &Neighbors) -> Result<Figures> {
    let matrix = matrix(&args.data, args.cols)?;
    let stop = AtomicBool::new(false);
    let job = Job::new(&stop, &|_, _| {});
    let (rows, cols) = (matrix.rows() as f64, args.cols as f64);
    let mut last = None;
    let budget: Option<MemoryBudget> = args.vram_budget.as_deref().map(str::parse).transpose()?;
    let device = match args.device.as_str() {
        "rehearsed" => SearchDevice::Rehearsed,
        device => SearchDevice::Of(device.parse::<DeviceChoice>()?),
    };
    let kept = |numbers: &[f32]| keep_on_device(&device, numbers, args.cols, budget);
    // The driver starts with the first call, which takes seconds.
    let (name, _) = kept(&vec![0.0; args.cols])?;
    let what = format!("neighbors on {name}");
    let figures = timed(&what, args.rounds, matrix.rows(), rows * rows * cols / 1e9, || {
        let lists = match kept(matrix.as_slice())?.1 {
            Some(vectors) => neighbors::nearest_on_device(vectors.as_ref(), &matrix, args.k, &job)?,
            None => neighbors::nearest(&matrix, &|_| true, args.k, &job)?,
        };
        let found = lists.indices.iter().filter(|&&index| index != u32::MAX).count();
        last = Some(lists);
        Ok(found as u64)
    })?;
    if let (Some(path), Some(lists)) = (&args.output, last) {
        let bytes: Vec<u8> = lists.indices.iter().flat_map(|index| index.to_le_bytes()).collect();
        std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(figures)
}

fn matrix(path: &Path, cols: usize) -> Result<EmbeddingMatrix> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let number =
        |four: &[u8]| f32::from_bits(four.iter().rev().fold(0, |all, &byte| all << 8 | u32::from(byte)));
    let numbers: Vec<f32> = bytes.chunks_exact(4).map(number).collect();
    ensure!(
        cols > 0 && numbers.len().is_multiple_of(cols),
        "the size of {} is not a multiple of {cols} 32-bit floats",
        path.display()
    );
    Ok(EmbeddingMatrix::from_vec(numbers, cols))
}

/// What Datalab finds from features and labels: neighbors, and from them outliers, near duplicates and labels that
/// contradict those of the neighbors. Counts the flagged samples.
fn audit(args: &Audit) -> Result<Figures> {
    let matrix = matrix(&args.data, args.cols)?;
    let bytes =
        std::fs::read(&args.labels).with_context(|| format!("cannot read {}", args.labels.display()))?;
    let label = |four: &[u8]| four.iter().rev().fold(0, |all, &byte| all << 8 | u32::from(byte));
    let labels: Vec<u32> = bytes.chunks_exact(4).map(label).collect();
    ensure!(labels.len() == matrix.rows(), "{} labels for {} rows", labels.len(), matrix.rows());
    let classes = labels.iter().max().map_or(0, |&most| most as usize + 1);
    let stop = AtomicBool::new(false);
    let job = Job::new(&stop, &|_, _| {});
    timed("audit", args.rounds, matrix.rows(), 0.0, || {
        let lists = neighbors::nearest(&matrix, &|_| true, 10, &job)?;
        let (mut likeness, mut twins) = (Vec::new(), 0);
        let mut shares = vec![0.0_f32; labels.len() * classes];
        for (row, shares) in shares.chunks_exact_mut(classes).enumerate() {
            let count = lists.of(row).count().max(1) as f32;
            let mut sum = 0.0;
            for (other, similarity) in lists.of(row) {
                sum += similarity;
                shares[labels[other] as usize] += 1.0 / count;
            }
            likeness.push(sum / count);
            twins += u64::from(lists.of(row).next().is_some_and(|(_, similarity)| similarity > 0.98));
        }
        let mut sorted = likeness.clone();
        sorted.sort_by(f32::total_cmp);
        let (low, middle) = (sorted[sorted.len() / 4], sorted[sorted.len() / 2]);
        let fence = low - 3.0 * (middle - low);
        let outliers = likeness.iter().filter(|&&likeness| likeness < fence).count() as u64;
        let table = Table::new(&shares, classes, &labels)?;
        let wrong =
            filter(&table, Filter::PruneByNoiseRate)?.into_iter().filter(|&wrong| wrong).count() as u64;
        black_box(scores(&table, Method::SelfConfidence, false));
        Ok(outliers + twins + wrong)
    })
}
