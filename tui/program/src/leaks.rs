//! `leaks`: finds training images that are also in the test set.

use super::args::{Global, ReportFormat};
use super::bundled::{self, Choice};
use super::interrupt;
use super::model_loader;
use super::output::{Align, Table, count, json, remark, results, terminal_width, thousands, warning};
use super::stages::Stages;
use super::{reading, settings};
use anyhow::{Context, Result, ensure};
use chaffinch_clip::Bundled;
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::dataset::{DatasetOptions, LabelFiles};
use chaffinch_data::faults;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::index;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::session;
use chaffinch_data::session::Session;
use chaffinch_data::store;
use chaffinch_data::store::EmbeddingStore;
use chaffinch_formats::dataset;
use chaffinch_protocol::display::safe_path;
use chaffinch_protocol::{Ledger, RemarkKind};
use chaffinch_review::leaks;
use chaffinch_review::leaks::{Counts, Method, Options, Side};
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tempfile::TempDir;

/// Find training images that are also in the test set
#[derive(Debug, Args)]
pub(super) struct Leaks {
    #[arg(
        long,
        value_name = "DATASET",
        help = "Training set: a folder, a table, or another format that scan reads"
    )]
    train: PathBuf,
    /// Test set
    #[arg(long, value_name = "DATASET")]
    test: PathBuf,
    /// Report file; a summary is written next to it as NAME_summary.txt
    #[arg(long, value_name = "CSV")]
    output: PathBuf,
    /// Methods; each pair is reported by the first method that finds it
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_enum, default_values = ["exact", "perceptual"])]
    methods: Vec<LeakMethod>,
    /// Maximum number of different bits of the 64-bit pHash
    #[arg(long, value_name = "BITS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=16))]
    phash_threshold: u32,
    /// Minimum cosine similarity of embeddings [default: learned from the distances between both sets]
    #[arg(long, value_name = "COSINE")]
    semantic_threshold: Option<f32>,
    /// Model for `semantic`: `bundled`, `bundled-photo`, `bundled-small`, a name on the Hugging Face Hub, or a folder [default: from the configuration]
    #[arg(long, value_name = "NAME|DIR")]
    model: Option<String>,
    /// Device that runs the model: auto, cpu, cpu:bf16, cuda, or GPUs by number as cuda:0,1 [default: from the
    /// configuration]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Format of the counts on stdout
    #[arg(long, value_enum, default_value = "table")]
    format: ReportFormat,
}

/// How to find leaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LeakMethod {
    /// Identical bytes
    Exact,
    /// Similar perceptual hashes
    Perceptual,
    /// Similar embeddings: the nearest training image of each test image
    Semantic,
}

/// Writes the report and its summary, and prints the counts.
pub(super) fn run(args: &Leaks, global: &Global) -> Result<ExitCode> {
    let semantic = args.methods.contains(&LeakMethod::Semantic);
    let count = if semantic { 5 } else { 3 };
    let work = Work { stages: Stages::new(count, global.quiet)?, count };
    let outcome = work.run(args, global);
    work.stages.finish();
    if outcome.is_err() && work.stages.stopped() {
        remark("stopped; no report was written");
        return Ok(ExitCode::from(interrupt::INTERRUPTED));
    }
    outcome
}

/// What was found on reading, but for labels that are missing, which nothing here asks for.
fn without_labels(ledger: &Ledger) -> Ledger {
    let mut ledger = ledger.clone();
    ledger.remarks.retain(|remark| remark.kind != RemarkKind::LabelsMissing);
    ledger
}

/// One of the two sets, opened.
struct Opened {
    manifest: Manifest,
    file_metadata: FileMetadata,
    embeddings: Option<EmbeddingMatrix>,
    ledger: Ledger,
}

impl Opened {
    fn side(&self) -> Side<'_> {
        Side {
            manifest: &self.manifest,
            file_metadata: &self.file_metadata,
            embeddings: self.embeddings.as_ref(),
            ledger: &self.ledger,
        }
    }
}

/// State shared by all steps.
struct Work {
    stages: Stages,
    /// The number of stages.
    count: u32,
}

impl Work {
    fn run(&self, args: &Leaks, global: &Global) -> Result<ExitCode> {
        ensure!(
            std::fs::canonicalize(&args.train).ok() != std::fs::canonicalize(&args.test).ok()
                || !args.train.exists(),
            "--train and --test are the same dataset, so every image would leak"
        );
        about_one_of(global, &args.train, &args.test)?;
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
        let found = self.stages.run("compare", self.count, |job| leaks::find(train, test, &options, job))?;
        let counts = Counts::new(&found, train, test, &options.methods);
        let summary = leaks::summary_path(&args.output);
        leaks::write_csv(&args.output, &found.leaks, &counts, train, test)?;
        leaks::write_summary(&summary, &counts, train, test)?;
        self.stages.finish();
        reading::tell(&without_labels(train.ledger), "training set", global.quiet);
        reading::tell(&without_labels(test.ledger), "test set", global.quiet);
        results(|out| match args.format {
            ReportFormat::Json => json(out, &counts),
            ReportFormat::Table => write(out, &counts, &args.output, &summary),
        })?;
        Ok(ExitCode::SUCCESS)
    }

    /// Reads a set, except for what its session already knows.
    fn open(&self, path: &Path, stage: &str, number: u32) -> Result<Opened> {
        let known = known(path);
        let mut options = known.as_ref().map(|(_, options)| options.clone()).unwrap_or_default();
        if options.label_files == LabelFiles::Auto {
            // Leaks are leaks without labels, too.
            options.label_files = LabelFiles::Optional;
        }
        let opened = dataset::open(path, &options)?;
        let known = known.and_then(|(samples, _)| samples);
        let previous = known.as_ref().map(|(manifest, file_metadata)| (manifest, file_metadata));
        let (manifest, file_metadata) = self.stages.run(stage, number, |job| {
            let depths = index::depths(&opened.manifest, previous, None, job)?;
            let manifest = opened.manifest.clone().with_depths(depths);
            let (file_metadata, _) = index::refresh(&manifest, previous, job)?;
            Ok::<_, chaffinch_data::Error>((manifest, file_metadata))
        })?;
        let mut ledger = opened.ledger;
        faults::enter(&manifest, &file_metadata, &mut ledger);
        Ok(Opened { manifest, file_metadata, embeddings: None, ledger })
    }

    fn embed(&self, args: &Leaks, global: &Global, train: &mut Opened, test: &mut Opened) -> Result<()> {
        let config = settings::config(global, None)?;
        let kept = scanned_with(&[&args.train, &args.test]).filter(|_| args.model.is_none());
        if let Some(model) = kept.as_deref().filter(|model| *model != config.model() && !global.quiet) {
            self.stages.line(&format!("using what these sets were scanned with: model {model}"));
        }
        let model = match args.model.as_deref().or(kept.as_deref()).unwrap_or(config.model()) {
            Bundled::EITHER => {
                let both = [&*train, &*test].into_iter();
                let sizes = both.flat_map(|set| set.file_metadata.dimensions.iter());
                let choice = Choice::for_sizes(sizes);
                if !global.quiet {
                    choice.tell();
                }
                choice.name()
            }
            named => named,
        };
        let device = args.device.as_deref().unwrap_or(config.device());
        let embedder = model_loader::open(model, device, config.vram_budget(), global)?;
        self.stages.line(&format!("model {} on {}", embedder.name(), embedder.device()));
        let sets =
            [(3, "embed the training set", &args.train, train), (4, "embed the test set", &args.test, test)];
        for (number, stage, path, set) in sets {
            let folder = vectors(path, set)?;
            let mut place = folder.path().to_path_buf();
            place.extend(set.manifest.rendering().folders());
            let mut store = EmbeddingStore::open(&place, embedder.fingerprint(), embedder.dim())?;
            for note in store.notes() {
                warning("embedding store", note);
            }
            let filled = self.stages.run(stage, number, |job| {
                store::fill(&mut store, &set.manifest, &set.file_metadata, &embedder, job)
            });
            for sentence in embedder.happened() {
                warning("model", &sentence);
            }
            let filled = filled?;
            if filled.reused > 0 {
                let images = count(filled.reused, "image", "images");
                self.stages.line(&format!("reused the embeddings of {images} in {}", safe_path(path)));
            }
            set.embeddings = Some(store.gather(&set.file_metadata.hashes)?);
        }
        Ok(())
    }
}

/// The model of the first of these sets whose session has results of one.
fn scanned_with(sets: &[&Path]) -> Option<String> {
    let uses = |set: &&Path| {
        let location = session::resolve(set, None).ok()?;
        Some(Session::open_to_read(&location.dir).ok()?.uses())
    };
    let by_model = |uses: &chaffinch_data::uses::Uses| uses.loaded.is_some() && uses.embeddings.is_none();
    sets.iter().filter_map(uses).find(by_model).and_then(|uses| match bundled::kept(&uses) {
        Some(model) => Some(model.name().to_owned()),
        None => uses.model,
    })
}

/// A session that is named must be that of one of the sets, whose own session is used in any case.
fn about_one_of(global: &Global, train: &Path, test: &Path) -> Result<()> {
    let Some(named) = global.session.as_deref() else { return Ok(()) };
    let Ok(session) = Session::open_to_read(named) else { return Ok(()) };
    let bound = session.dataset();
    ensure!(
        [train, test].iter().any(|set| session::same(set, &bound)),
        "the session {} belongs to the dataset {}, which is neither --train nor --test",
        safe_path(named),
        safe_path(&bound)
    );
    Ok(())
}

/// A folder of embeddings.
enum Vectors {
    /// That of a session.
    Kept(PathBuf),
    /// A temporary one.
    Temporary(TempDir),
}

impl Vectors {
    fn path(&self) -> &Path {
        match self {
            Vectors::Kept(path) => path,
            Vectors::Temporary(folder) => folder.path(),
        }
    }
}

/// Where a set's embeddings are stored: in its session, or that of its parent folder, or in a new session. They are keyed
/// by content, and several programs may add to them.
fn vectors(path: &Path, set: &Opened) -> Result<Vectors> {
    match kept(path, set) {
        Ok(folder) => Ok(Vectors::Kept(folder)),
        Err(error) => {
            warning("session", &format!("{error}; embeddings will not be saved"));
            Ok(Vectors::Temporary(tempfile::tempdir().context("cannot create a temporary folder")?))
        }
    }
}

fn kept(path: &Path, set: &Opened) -> chaffinch_data::Result<PathBuf> {
    let location = session::resolve(path, None)?;
    let above = location.dataset.parent().and_then(|folder| session::default_dir(folder).ok());
    let known = [Some(location.dir.clone()), above].into_iter().flatten();
    if let Some(session) = known.filter_map(|dir| Session::open_to_read(&dir).ok()).next() {
        return Ok(session.embeddings_dir());
    }
    let session = Session::open_or_create(&location.dir, &location.dataset)?;
    session.save_ledger(&set.ledger)?;
    session.save_samples(&set.manifest, &set.file_metadata)?;
    Ok(session.embeddings_dir())
}

/// The samples in the session of this dataset, and how they were read. A damaged session is not an obstacle, since the files
/// can be read instead.
fn known(path: &Path) -> Option<(Option<(Manifest, FileMetadata)>, DatasetOptions)> {
    let location = session::resolve(path, None).ok()?;
    let session = Session::open_to_read(&location.dir).ok()?;
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
    if counts.train_unknown + counts.test_unknown > 0 {
        let sides = [
            (counts.train_unknown, "training image", "training images"),
            (counts.test_unknown, "test image", "test images"),
        ];
        let parts: Vec<String> = sides
            .into_iter()
            .filter(|(images, _, _)| *images > 0)
            .map(|(images, one, many)| count(images as u64, one, many))
            .collect();
        writeln!(out, "not compared: {}", parts.join(" and "))?;
    }
    if let Some(cut) = counts.semantic_cut {
        writeln!(out, "embeddings count as near from a cosine of {cut:.4} on")?;
    }
    if counts.pairs > 0 {
        writeln!(out)?;
        let mut table = Table::new(&[("found by", Align::Left), ("pairs", Align::Right)]);
        for (method, pairs) in &counts.by_method {
            table.row(vec![leaks::method_named(method).to_owned(), thousands(*pairs as u64)]);
        }
        table.write(out, terminal_width())?;
        writeln!(out)?;
        let mut table = Table::new(&[("at a second look", Align::Left), ("pairs", Align::Right)]);
        for (likeness, pairs) in &counts.by_likeness {
            table.row(vec![likeness.replace('_', " "), thousands(*pairs as u64)]);
        }
        table.write(out, terminal_width())?;
        writeln!(out)?;
    }
    writeln!(out, "wrote {} and {}", safe_path(report), safe_path(summary))?;
    Ok(())
}
