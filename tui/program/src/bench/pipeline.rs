//! What a scan costs around the model: one pass over files for nothing, for inputs that are thrown away, and for a model that only
//! receives them.

use super::files;
use crate::model_loader::loader;
use anyhow::{Context, Result, ensure};
use chaffinch_compute::embedding::{EmbedError, Embedder, ModelFingerprint};
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::job::Job;
use chaffinch_data::index::{Pass, Vectors};
use chaffinch_data::manifest::{Manifest, NewSample};
use chaffinch_data::store::EmbeddingStore;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Length of the vectors that the null model returns: that of ViT-B/32.
const DIM: usize = 512;

#[derive(Debug, Args)]
pub(super) struct Pipeline {
    /// Folder of images
    folder: PathBuf,
    /// Model whose input is made: a name or a folder
    #[arg(long, default_value = "bundled-photo")]
    model: String,
    /// Images per batch
    #[arg(long, default_value_t = 256)]
    batch: usize,
    /// Maximum number of files
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    count: usize,
    /// Number of rounds, each of all three in turn; the medians are reported
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Images per second, medians over the rounds.
#[derive(Debug, Serialize)]
pub(super) struct Rates {
    items: u64,
    /// Side of the model's input in pixels.
    side: u64,
    /// Read, hashed and decoded.
    decoded: f64,
    /// The same, and made the model's input, which nothing takes.
    prepared: f64,
    /// The same, received by a model that does nothing, its vectors stored.
    null: f64,
    /// The last over the one before: what feeding a model costs.
    share: f64,
}

/// What is done with a picture.
#[derive(Clone, Copy, PartialEq)]
enum With {
    Nothing,
    Prepared,
    Null,
}

/// Makes the input of a model, and receives it.
struct Null {
    model: Arc<dyn Embedder>,
    fingerprint: ModelFingerprint,
    batch: usize,
    with: With,
    received: AtomicU64,
}

impl Embedder for Null {
    fn name(&self) -> &str {
        "null"
    }

    fn fingerprint(&self) -> &ModelFingerprint {
        &self.fingerprint
    }

    fn dim(&self) -> usize {
        DIM
    }

    fn device(&self) -> String {
        "none".into()
    }

    fn batch_size(&self) -> usize {
        self.batch
    }

    fn input_len(&self) -> usize {
        self.model.input_len()
    }

    fn preprocess(&self, image: &RgbImage) -> Vec<u8> {
        let input = self.model.preprocess(image);
        if self.with == With::Null { input } else { Vec::new() }
    }

    fn ahead(&self) -> usize {
        2
    }

    fn embed_images(&self, _: &[u8], count: usize) -> Result<Vec<f32>, EmbedError> {
        self.received.fetch_add(count as u64, Ordering::Relaxed);
        let mut vectors = vec![0.0; count * DIM];
        vectors.iter_mut().step_by(DIM).for_each(|first| *first = 1.0);
        Ok(vectors)
    }

    fn embed_texts(&self, _: &[&str]) -> Result<Vec<f32>, EmbedError> {
        Err(EmbedError::NoTextTower("null".into()))
    }

    fn logit_scale(&self) -> f32 {
        1.0
    }
}

pub(super) fn run(args: &Pipeline) -> Result<Rates> {
    let files = files(&args.folder, args.count)?;
    let sample = |path: &PathBuf| NewSample {
        path: path.file_name().unwrap_or_default().into(),
        label: None,
        split: Default::default(),
    };
    let manifest = Manifest::new(&args.folder, files.iter().map(sample));
    let model = loader(&args.model, "cpu", None, true)?()?;
    let side = ((model.input_len() / 3) as f64).sqrt() as u64;
    let kinds = [With::Nothing, With::Prepared, With::Null];
    let mut seconds = [const { Vec::new() }; 3];
    for round in 0..args.rounds.max(1) {
        for (with, seconds) in kinds.into_iter().zip(&mut seconds) {
            seconds.push(pass(args, &manifest, &model, with, round)?);
        }
    }
    let [decoded, prepared, null] = seconds.map(|mut seconds| {
        seconds.sort_by(f64::total_cmp);
        files.len() as f64 / seconds[seconds.len() / 2]
    });
    Ok(Rates { items: files.len() as u64, side, decoded, prepared, null, share: null / prepared })
}

/// Seconds of one pass, as a scan makes it.
fn pass(
    args: &Pipeline,
    manifest: &Manifest,
    model: &Arc<dyn Embedder>,
    with: With,
    round: usize,
) -> Result<f64> {
    let folder = std::env::temp_dir().join(format!("chaffinch-pipeline-{}-{round}", std::process::id()));
    let null = Null {
        model: model.clone(),
        fingerprint: ModelFingerprint::new("0", "null"),
        batch: args.batch,
        with,
        received: AtomicU64::new(0),
    };
    let mut store = EmbeddingStore::open(&folder, null.fingerprint(), DIM)?;
    let stop = AtomicBool::new(false);
    let job = Job::new(&stop, &|_, _| {});
    let reading = Pass { manifest, previous: None, measurers: &[], keep: None };
    let vectors = (with != With::Nothing).then_some(Vectors { store: &mut store, embedder: &null });
    let started = Instant::now();
    let passed = reading.run(vectors, &job);
    let seconds = started.elapsed().as_secs_f64();
    let removed = std::fs::remove_dir_all(&folder);
    removed.with_context(|| format!("cannot remove {}", folder.display()))?;
    let passed = passed?;
    let unreadable = passed.file_metadata.unreadable.len();
    ensure!(unreadable == 0, "{unreadable} files of {} are not pictures", args.folder.display());
    let received = null.received.into_inner();
    let expected = if with == With::Null { passed.filled.embedded } else { 0 };
    ensure!(received == expected, "the model received {received} pictures, not {expected}");
    Ok(seconds)
}
