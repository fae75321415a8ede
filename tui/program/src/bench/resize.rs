//! Pictures made a model's input on the processor and on a GPU: the same bytes, and which of them is faster.

use super::files;
use crate::model_loader::loader;
use anyhow::{Context, Result, ensure};
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::image::decode::decode;
use clap::Args;
use rayon::prelude::*;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

#[derive(Debug, Args)]
pub(super) struct Resize {
    /// Folder of images
    folder: PathBuf,
    /// Model whose input is made: a name or a folder
    #[arg(long, default_value = "bundled-photo")]
    model: String,
    /// Device beside the CPU: auto, cpu or cuda:N
    #[arg(long, default_value = "auto")]
    device: String,
    /// Maximum number of files, which are decoded beforehand and given to the device at once
    #[arg(long, default_value_t = 256)]
    count: usize,
    /// Number of rounds, each of both in turn; the medians are reported
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// Images per second, medians over the rounds.
#[derive(Debug, Serialize)]
pub(super) struct Rates {
    items: u64,
    /// The device beside the CPU.
    device: String,
    /// On all threads.
    processor: f64,
    /// Sent, resized there, and copied back; `null` where nothing is resized there.
    on_device: Option<f64>,
}

pub(super) fn run(args: &Resize) -> Result<Rates> {
    let read = |path: &PathBuf| -> Result<RgbImage> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(decode(&bytes).with_context(|| format!("cannot decode {}", path.display()))?.image)
    };
    let pictures: Vec<RgbImage> =
        files(&args.folder, args.count)?.par_iter().map(read).collect::<Result<_>>()?;
    let model = loader(&args.model, &args.device, None, true)?()?;
    let mut seconds = [const { Vec::new() }; 2];
    for _ in 0..args.rounds.max(1) {
        let started = Instant::now();
        let expected: Vec<Vec<u8>> =
            pictures.par_iter().with_max_len(1).map(|picture| model.preprocess(picture)).collect();
        seconds[0].push(started.elapsed().as_secs_f64());
        let started = Instant::now();
        let Some(found) = model.preprocess_on_device(&pictures)? else { continue };
        seconds[1].push(started.elapsed().as_secs_f64());
        ensure!(found == expected.concat(), "{} resizes to other bytes than the CPU", model.device());
    }
    let [processor, on_device] = seconds.map(|mut seconds| {
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).map(|median| pictures.len() as f64 / median)
    });
    Ok(Rates {
        items: pictures.len() as u64,
        device: model.device(),
        processor: processor.unwrap_or_default(),
        on_device,
    })
}
