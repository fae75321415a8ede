//! `leaks`: which images of a training set stand in its test set.

use super::args::{Global, ReportFormat, dataset_forms};
use super::interrupt;
use super::model_loader::loader;
use super::output::{Align, Table, count, json, remark, results, terminal_width, thousands, warning};
use super::settings;
use super::stages::Stages;
use anyhow::{Context, Result, ensure};
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::index;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::session;
use chaffinch_data::session::Session;
use chaffinch_data::store;
use chaffinch_data::store::EmbeddingStore;
use chaffinch_formats::dataset;
use chaffinch_protocol::display::safe_path;
use chaffinch_review::leaks;
use chaffinch_review::leaks::{Counts, Method, Options, Side};
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tempfile::TempDir;

/// Find images of a training set that stand in its test set
#[derive(Debug, Args)]
pub(super) struct Leaks {
    #[arg(long, value_name = "DATASET", help = format!("The training set: {}", dataset_forms()))]
    train: PathBuf,
    /// The test set
    #[arg(long, value_name = "DATASET")]
    test: PathBuf,
    /// The report; its summary goes beside it, as NAME_summary.txt
    #[arg(long, value_name = "CSV")]
    output: PathBuf,
    /// The methods; a pair is reported by the first that finds it
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_enum, default_values = ["exact", "perceptual"])]
    methods: Vec<LeakMethod>,
    /// Bits of the 64-bit pHash that may differ
    #[arg(long, value_name = "BITS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=16))]
    phash_threshold: u32,
    /// Least cosine of embeddings
    #[arg(long, value_name = "COSINE", default_value_t = 0.95)]
    semantic_threshold: f32,
    /// The model for `semantic`: `bundled`, a name on the hub, or a folder [default: the configuration's]
    #[arg(long, value_name = "NAME|DIR")]
    model: Option<String>,
    /// Where the model runs: auto, cpu, cpu:bf16, cuda:N [default: the configuration's]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// The form of the counts on stdout
    #[arg(long, value_enum, default_value = "table")]
    format: ReportFormat,
}

/// How leaks are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LeakMethod {
    /// The same bytes
    Exact,
    /// Near perceptual hashes
    Perceptual,
    /// Near embeddings: the nearest training image of each test image
    Semantic,
}

/// Writes the report and its summary, and the counts to stdout.
pub(super) fn run(args: &Leaks, global: &Global) -> Result<ExitCode> {
    let semantic = args.methods.contains(&LeakMethod::Semantic);
    let count = if semantic { 5 } else { 3 };
    let work = Work { stages: Stages::new(count, global.quiet)?, count };
    let outcome = work.run(args, global);
    work.stages.finish();
    if outcome.is_err() && work.stages.stopped() {
        remark("stopped: no report was written");
        return Ok(ExitCode::from(interrupt::INTERRUPTED));
    }
    outcome
}

/// One of the two sets, opened.
struct Opened {
    manifest: Manifest,
    file_metadata: FileMetadata,
    embeddings: Option<EmbeddingMatrix>,
}

impl Opened {
    fn side(&self) -> Side<'_> {
        Side {
            manifest: &self.manifest,
            file_metadata: &self.file_metadata,
            embeddings: self.embeddings.as_ref(),
        }
    }
}

/// What every step needs.
struct Work {
    stages: Stages,
    /// Of stages.
    count: u32,
}

impl Work {
    fn run(&self, args: &Leaks, global: &Global) -> Result<ExitCode> {
        ensure!(
            std::fs::canonicalize(&args.train).ok() != std::fs::canonicalize(&args.test).ok()
                || !args.train.exists(),
            "--train and --test are the same place, so that every image would leak"
        );
        let mut train = self.open(&args.train, "read the training set", 1)?;
        let mut test = self.open(&args.test, "read the test set", 2)?;
        if args.methods.contains(&LeakMethod::Semantic) {
            self.embed(args, global, &mut train, &mut test)?;
        }
        let options = Options {
            methods: args.methods.iter().map(|&method| method.into()).collect(),
            phash_threshold: args.phash_threshold,
            semantic_threshold: args.semantic_threshold,
        };
        let (train, test) = (train.side(), test.side());
        let leaks = self.stages.run("compare", self.count, |job| leaks::find(train, test, &options, job))?;
        let counts = Counts::new(&leaks, train, test);
        let summary = leaks::summary_path(&args.output);
        leaks::write_csv(&args.output, &leaks, train, test)?;
        leaks::write_summary(&summary, &counts, train, test)?;
        self.stages.finish();
        results(|out| match args.format {
            ReportFormat::Json => json(out, &counts),
            ReportFormat::Table => write(out, &counts, &args.output, &summary),
        })?;
        Ok(ExitCode::SUCCESS)
    }

    /// Reads a set. What a session of it knows already is not read again.
    fn open(&self, path: &Path, stage: &str, number: u32) -> Result<Opened> {
        let known = known(path);
        let reading = known.as_ref().map(|(_, options)| options.clone()).unwrap_or_default();
        let opened = dataset::open(path, &reading)?;
        let known = known.and_then(|(samples, _)| samples);
        let previous = known.as_ref().map(|(manifest, file_metadata)| (manifest, file_metadata));
        let (file_metadata, _) =
            self.stages.run(stage, number, |job| index::refresh(&opened.manifest, previous, job))?;
        if !file_metadata.unreadable.is_empty() {
            let files = count(file_metadata.unreadable.len() as u64, "file", "files");
            self.stages.line(&format!("{files} in {} cannot be read as a picture", path.display()));
        }
        Ok(Opened { manifest: opened.manifest, file_metadata, embeddings: None })
    }

    fn embed(&self, args: &Leaks, global: &Global, train: &mut Opened, test: &mut Opened) -> Result<()> {
        let config = settings::config(global, None)?;
        let model = args.model.as_deref().unwrap_or(config.model());
        let device = args.device.as_deref().unwrap_or(config.device());
        let embedder = loader(model, device, config.vram_budget())?()?;
        for (number, path, set) in [(3, &args.train, train), (4, &args.test, test)] {
            let place = vectors(path, set)?;
            let mut store = EmbeddingStore::open(place.path(), embedder.fingerprint(), embedder.dim())?;
            for note in store.notes() {
                warning("embedding store", note);
            }
            let filled = self.stages.run("embed", number, |job| {
                store::fill(&mut store, &set.manifest, &set.file_metadata, embedder.as_ref(), job)
            })?;
            if filled.reused > 0 {
                let images = count(filled.reused, "image", "images");
                self.stages.line(&format!("the embeddings of {images} in {} were known", safe_path(path)));
            }
            set.embeddings = Some(store.gather(&set.file_metadata.hashes)?);
        }
        Ok(())
    }
}

/// A folder of embeddings.
enum Vectors {
    /// A session's.
    Kept(PathBuf),
    /// One that goes when we go.
    Passing(TempDir),
}

impl Vectors {
    fn path(&self) -> &Path {
        match self {
            Vectors::Kept(path) => path,
            Vectors::Passing(folder) => folder.path(),
        }
    }
}

/// Where a set's embeddings are, or are to be kept: in its session, else in that of the folder it lies in, else in a
/// session that is begun for it. They are found by content, and several programs may add to them.
fn vectors(path: &Path, set: &Opened) -> Result<Vectors> {
    match kept(path, set) {
        Ok(folder) => Ok(Vectors::Kept(folder)),
        Err(error) => {
            warning("session", &format!("{error}; embeddings are not kept"));
            Ok(Vectors::Passing(tempfile::tempdir().context("cannot make a temporary folder")?))
        }
    }
}

fn kept(path: &Path, set: &Opened) -> chaffinch_data::Result<PathBuf> {
    let place = session::resolve(path, None)?;
    let above = place.dataset.parent().and_then(|folder| session::default_dir(folder).ok());
    let known = [Some(place.dir.clone()), above].into_iter().flatten();
    if let Some(session) = known.filter_map(|dir| Session::open_to_read(&dir).ok()).next() {
        return Ok(session.embeddings_dir());
    }
    let session = Session::open_or_create(&place.dir, &place.dataset)?;
    session.save_samples(&set.manifest, &set.file_metadata)?;
    Ok(session.embeddings_dir())
}

/// What a session of this dataset holds: its samples, and how they were read. Whatever is wrong with it, the files
/// themselves can be read.
fn known(path: &Path) -> Option<(Option<(Manifest, FileMetadata)>, DatasetOptions)> {
    let place = session::resolve(path, None).ok()?;
    let session = Session::open_to_read(&place.dir).ok()?;
    let options = session.load_reading().ok().flatten().unwrap_or_default();
    match session.load_samples() {
        Ok(samples) => Some((samples, options)),
        Err(error) => {
            warning("session", &error.to_string());
            Some((None, options))
        }
    }
}

impl From<LeakMethod> for Method {
    fn from(method: LeakMethod) -> Method {
        match method {
            LeakMethod::Exact => Method::Exact,
            LeakMethod::Perceptual => Method::Perceptual,
            LeakMethod::Semantic => Method::Semantic,
        }
    }
}

fn write(out: &mut dyn Write, counts: &Counts, report: &Path, summary: &Path) -> Result<()> {
    let images =
        |number: usize, of: usize| format!("{} of {}", thousands(number as u64), thousands(of as u64));
    writeln!(
        out,
        "{}: {} test images ({:.2} %) and {} training images",
        count(counts.pairs as u64, "pair", "pairs"),
        images(counts.leaked_test_images, counts.test_images),
        counts.leaked_test_percent,
        images(counts.leaked_train_images, counts.train_images)
    )?;
    if counts.pairs > 0 {
        writeln!(out)?;
        let mut table = Table::new(&[("found by", Align::Left), ("pairs", Align::Right)]);
        for (method, pairs) in &counts.by_method {
            table.row(vec![(*method).to_owned(), thousands(*pairs as u64)]);
        }
        table.write(out, terminal_width())?;
        writeln!(out)?;
    }
    writeln!(out, "written: {} and {}", safe_path(report), safe_path(summary))?;
    Ok(())
}
