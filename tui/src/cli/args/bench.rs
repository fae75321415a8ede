//! The words of `bench`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What is measured.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Bench {
    /// A square matrix product on every thread
    Product(BenchProduct),
    /// The image tower, on numbers or from files
    Embed(BenchEmbed),
    /// Decoding and hashing, on one thread
    Images(BenchImages),
    /// All pairs of near hashes
    Hashes(BenchHashes),
    /// The nearest neighbours of every row
    Neighbors(BenchNeighbors),
    /// Neighbours, and what they say of outliers, near duplicates and labels
    Audit(BenchAudit),
    /// Whole detectors and the ranking on made vectors, through the host
    Detectors(BenchDetectors),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BenchProduct {
    /// Rows and columns of the matrices
    #[arg(long, default_value_t = 1024)]
    pub(in crate::cli) side: usize,
    /// Rounds, of which the median counts
    #[arg(long, default_value_t = 5)]
    pub(in crate::cli) rounds: usize,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BenchEmbed {
    /// `bundled`, a name on the hub, or a folder
    #[arg(long, default_value = "bundled")]
    pub(in crate::cli) model: String,
    /// Where it runs: auto, cpu, cpu:bf16, cuda:N [default: cpu]
    #[arg(long)]
    pub(in crate::cli) device: Option<String>,
    /// Images a batch
    #[arg(long, default_value_t = 32)]
    pub(in crate::cli) batch: usize,
    /// Batches a round
    #[arg(long, default_value_t = 1)]
    pub(in crate::cli) batches: usize,
    /// Rounds, of which the median counts
    #[arg(long, default_value_t = 3)]
    pub(in crate::cli) rounds: usize,
    /// Read, decode and prepare the files of this folder as well
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) images: Option<PathBuf>,
    /// Files of the folder
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    pub(in crate::cli) count: usize,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BenchImages {
    /// A folder of images
    pub(in crate::cli) folder: PathBuf,
    /// Files of the folder
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    pub(in crate::cli) count: usize,
    /// Without the hashes
    #[arg(long)]
    pub(in crate::cli) decode_only: bool,
    /// Rounds, of which the median counts
    #[arg(long, default_value_t = 3)]
    pub(in crate::cli) rounds: usize,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BenchHashes {
    /// A file of 64-bit numbers, lowest byte first
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) data: PathBuf,
    /// Bits that may differ
    #[arg(long, default_value_t = 10)]
    pub(in crate::cli) radius: u32,
    /// Rounds, of which the median counts
    #[arg(long, default_value_t = 3)]
    pub(in crate::cli) rounds: usize,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BenchNeighbors {
    /// A file of 32-bit floating-point numbers, row by row, lowest byte first
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) data: PathBuf,
    /// Numbers a row
    #[arg(long)]
    pub(in crate::cli) cols: usize,
    /// Neighbours a row
    #[arg(long, default_value_t = 10)]
    pub(in crate::cli) k: usize,
    /// Rounds, of which the median counts
    #[arg(long, default_value_t = 1)]
    pub(in crate::cli) rounds: usize,
    /// Write the rows of the neighbours here, as 32-bit numbers
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BenchAudit {
    /// A file of 32-bit floating-point numbers, row by row, lowest byte first
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) data: PathBuf,
    /// Numbers a row
    #[arg(long)]
    pub(in crate::cli) cols: usize,
    /// A file of 32-bit class numbers from 0, lowest byte first
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) labels: PathBuf,
    /// Rounds, of which the median counts
    #[arg(long, default_value_t = 1)]
    pub(in crate::cli) rounds: usize,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BenchDetectors {
    /// Samples
    #[arg(long, default_value_t = 1_000_000)]
    pub(in crate::cli) rows: usize,
    /// Numbers a sample
    #[arg(long, default_value_t = 512)]
    pub(in crate::cli) cols: usize,
    /// Classes
    #[arg(long, default_value_t = 1_000)]
    pub(in crate::cli) classes: usize,
    /// The share of the samples that have a wrong label
    #[arg(long, default_value_t = 0.05)]
    pub(in crate::cli) wrong: f64,
    /// Detectors, in the order in which they run
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "label-quality,neighbor-outliers,neighbor-labels,duplicates"
    )]
    pub(in crate::cli) detectors: Vec<String>,
}
