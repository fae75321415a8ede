//! `probe`: what cleaning buys, as the accuracy of linear probes on samples that are trusted.

use super::args::{Global, ReportFormat};
use super::interrupt;
use super::listing::Listing;
use super::output::{Align, Table, count, json, remark, results, terminal_width, warning};
use super::stages::Stages;
use super::targets;
use anyhow::{Context, Result, bail};
use chaffinch_compute::job::Job;
use chaffinch_compute::out_of_sample::Link;
use chaffinch_compute::probe::Trainer;
use chaffinch_data::manifest::NO_LABEL;
use chaffinch_data::output::outside;
use chaffinch_formats::predictions::{self, Predictions};
use chaffinch_protocol::display::safe_path;
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_review::probe::{self, Accuracy, Cleaned, Cleaning, Gain, Parts, Point, Row, Trusted};
use chaffinch_review::verdict::Verdicts;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The split whose labels are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Against {
    /// The split test, or val, whichever has labels; folds without either
    Auto,
    /// The split train
    Train,
    /// The split val
    Val,
    /// The split test
    Test,
    /// Five parts that take turns
    Folds,
}

/// The kind of regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Of all classes together
    Softmax,
    /// Of each class against the rest
    Sigmoid,
}

impl From<Kind> for Link {
    fn from(kind: Kind) -> Link {
        match kind {
            Kind::Softmax => Link::Softmax,
            Kind::Sigmoid => Link::Sigmoid,
        }
    }
}

/// The labels to train the written probe on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Use {
    /// As given
    Given,
    /// Those of an automatic selection
    Selected,
    /// The selection, with what its probes absorb and relabel
    Absorbed,
    /// With the decisions so far
    Decided,
    /// With the decisions and all suggestions
    Accepted,
}

impl From<Use> for Cleaning {
    fn from(labels: Use) -> Cleaning {
        match labels {
            Use::Given => Cleaning::Given,
            Use::Selected => Cleaning::Selected,
            Use::Absorbed => Cleaning::Absorbed,
            Use::Decided => Cleaning::Decided,
            Use::Accepted => Cleaning::Accepted,
        }
    }
}

/// Measure what cleaning buys: train linear probes and compare their accuracy
#[derive(Debug, Args)]
pub(super) struct Probe {
    /// Folder of a scanned session, or its dataset
    #[arg(value_name = "SESSION")]
    target: PathBuf,
    /// The samples whose labels are trusted: no probe is trained on them
    #[arg(long, value_enum, value_name = "SPLIT", default_value = "auto")]
    against: Against,
    /// The kind of regression
    #[arg(long, value_enum, default_value = "softmax")]
    kind: Kind,
    /// Also the accuracy after each of N equal parts of the decisions
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "10")]
    curve: Option<usize>,
    /// Absorb a label that a probe gives at least this probability, 0 to 1
    #[arg(long, value_name = "P", default_value_t = 0.8)]
    theta_r: f32,
    /// Relabel to a class that a probe gives at least this probability, 0 to 1
    #[arg(long, value_name = "P", default_value_t = 0.9)]
    theta_r2: f32,
    /// The labels for --weights and --predictions [default: decided if there are decisions, else given]
    #[arg(long = "with", value_enum, value_name = "LABELS")]
    with: Option<Use>,
    /// Also write the weights to FILE, as safetensors
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Also write the probabilities of all samples to FILE, in .csv, .npy or .parquet
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Replace existing files
    #[arg(long)]
    force: bool,
    /// Output format
    #[arg(long, value_enum, default_value = "table")]
    format: ReportFormat,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Report {
    /// `test`, `val`, `train` or `folds`.
    against: &'static str,
    /// Trusted samples.
    trusted: usize,
    /// Samples that are not trained on since a trusted one is a copy of them.
    copies_left_out: usize,
    kind: &'static str,
    rows: Vec<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    curve: Option<Vec<CurvePoint>>,
}

#[derive(Debug, Serialize)]
struct Line {
    #[serde(skip)]
    cleaning: Cleaning,
    labels: &'static str,
    trained: usize,
    changed: usize,
    left_out: usize,
    #[serde(flatten)]
    accuracy: Accuracy,
    /// Over the labels as given.
    gain: Option<Gain>,
}

#[derive(Debug, Serialize)]
struct CurvePoint {
    decisions: usize,
    #[serde(flatten)]
    accuracy: Accuracy,
}

impl From<Row> for Line {
    fn from(row: Row) -> Line {
        let Row { cleaning, trained, changed, left_out, accuracy, gain } = row;
        Line { cleaning, labels: cleaning.name(), trained, changed, left_out, accuracy, gain }
    }
}

impl From<Point> for CurvePoint {
    fn from(Point { decisions, accuracy }: Point) -> CurvePoint {
        CurvePoint { decisions, accuracy }
    }
}

/// Trains the probes, writes what is requested, and prints the figures.
pub(super) fn run(args: &Probe, global: &Global) -> Result<ExitCode> {
    for (name, limit) in [("--theta-r", args.theta_r), ("--theta-r2", args.theta_r2)] {
        anyhow::ensure!((0.0..=1.0).contains(&limit), "{name} is {limit}, but must be between 0 and 1");
    }
    anyhow::ensure!(
        args.with.is_none() || args.weights.is_some() || args.predictions.is_some(),
        "--with says which labels --weights and --predictions are of; pass one of them"
    );
    for path in args.weights.iter().chain(&args.predictions) {
        targets::replace(path, args.force || !path.exists())?;
    }
    if let Some(path) = &args.predictions {
        predictions::Kind::of(path)?;
    }
    interrupt::status(measure(args, global))
}

fn measure(args: &Probe, global: &Global) -> Result<()> {
    let listing = Listing::open(&args.target, global)?;
    listing.tell_unloaded(global);
    let manifest = &*listing.manifest;
    for path in args.weights.iter().chain(&args.predictions) {
        outside(manifest.root(), path)?;
    }
    let Some(atlas) = listing.atlas() else {
        bail!("the session has no embeddings to train on; run chaffinch scan first");
    };
    let decisions = listing.journal.decisions();
    let truth = probe::decided(manifest, decisions);
    let trusted = match args.against {
        Against::Auto => Trusted::of(manifest),
        Against::Train => Trusted::Split(Split::Train),
        Against::Val => Trusted::Split(Split::Validation),
        Against::Test => Trusted::Split(Split::Test),
        Against::Folds => Trusted::Folds,
    };
    let contents =
        &*probe::merged(&listing.file_metadata.hashes, listing.results.values().map(AsRef::as_ref));
    let parts = Parts::new(manifest, (&listing.file_metadata, contents), truth, trusted)?;
    let link = Link::from(args.kind);
    let matrix = atlas.matrix();
    let classes = manifest.classes().len();
    let trainer = Trainer::new(matrix, classes, contents, link);
    let stages = Stages::new(4, global.quiet)?;
    let trains = |row: usize| parts.trains(row);
    let given = manifest.labels();
    let selected =
        stages.run("selection", 1, |job| probe::selected(matrix, given, classes, contents, &trains, job))?;
    let limits = (args.theta_r, args.theta_r2);
    let absorbed = stages
        .run("absorbing", 2, |job| probe::absorbed(&trainer, (given, &selected), &trains, limits, job))?;
    let verdicts = Verdicts::new(&listing.results, &listing.thresholds);
    let mut all = vec![
        Cleaned { cleaning: Cleaning::Given, labels: given.to_vec() },
        Cleaned { cleaning: Cleaning::Selected, labels: selected },
        Cleaned { cleaning: Cleaning::Absorbed, labels: absorbed },
    ];
    if decisions.decided() > 0 {
        all.push(Cleaned { cleaning: Cleaning::Decided, labels: probe::decided(manifest, decisions) });
    }
    let accepted = probe::accepted(manifest, decisions, verdicts);
    all.push(Cleaned { cleaning: Cleaning::Accepted, labels: accepted });
    // Labels that nobody has decided about are not known better where none are trusted.
    let known = |one: &&Cleaned| {
        trusted != Trusted::Folds || matches!(one.cleaning, Cleaning::Given | Cleaning::Decided)
    };
    let judged: Vec<Cleaned> = all.iter().filter(known).cloned().collect();
    let rows = stages.run("probes", 3, |job| probe::compare(&trainer, &parts, given, &judged, job))?;
    let curve = args.curve.map(|points| {
        let order = probe::by_time(decisions);
        let apply = |first: usize| probe::first_decided(manifest, decisions, &order, first);
        let points = points.saturating_add(1);
        stages.run("curve", 4, |job| probe::curve(&trainer, &parts, (order.len(), points), apply, job))
    });
    let curve = curve.transpose()?;
    write_files(args, &listing, &trainer, &all, &stages)?;
    stages.finish();
    tell(trusted, &parts, global);
    let report = Report {
        against: name(trusted),
        trusted: rows.first().map_or(0, |row| row.accuracy.of),
        copies_left_out: parts.copies,
        kind: link.name(),
        rows: rows.into_iter().map(Line::from).collect(),
        curve: curve.map(|points| points.into_iter().map(CurvePoint::from).collect()),
    };
    results(|out| match args.format {
        ReportFormat::Json => json(out, &report),
        ReportFormat::Table => table(out, &report),
    })
}

/// Says what the figures do not: what they are measured against, and what was left out.
fn tell(trusted: Trusted, parts: &Parts, global: &Global) {
    if trusted == Trusted::Folds {
        warning(
            "probe",
            "no split is trusted, so what selections and suggestions buy is not known; each fifth is judged by a probe of the \
             others, against the labels as decided, and wrong labels that are left count against every row; --against names a split",
        );
    }
    if parts.copies > 0 && !global.quiet {
        let copies = count(parts.copies as u64, "sample", "samples");
        remark(&format!("{copies} with a copy among the trusted ones left out of training"));
    }
}

fn name(trusted: Trusted) -> &'static str {
    match trusted {
        // As the option is written.
        Trusted::Split(Split::Validation) => "val",
        Trusted::Split(split) => split.name(),
        Trusted::Folds => "folds",
    }
}

/// Trains on all that may be trained on, and writes the weights and the predictions.
fn write_files(
    args: &Probe,
    listing: &Listing,
    trainer: &Trainer<'_>,
    all: &[Cleaned],
    stages: &Stages,
) -> Result<()> {
    if args.weights.is_none() && args.predictions.is_none() {
        return Ok(());
    }
    let has_decisions = all.iter().any(|one| one.cleaning == Cleaning::Decided);
    let usual = if has_decisions { Cleaning::Decided } else { Cleaning::Given };
    let wanted = args.with.map_or(usual, Cleaning::from);
    let Some(cleaned) = all.iter().find(|one| one.cleaning == wanted) else {
        bail!("nothing is decided yet, so there are no labels `{}` to train on", wanted.name());
    };
    let (manifest, file_metadata) = (&*listing.manifest, &listing.file_metadata);
    let trains = |row: usize| file_metadata.decodable(SampleId(row as u32));
    let labels: Vec<u32> = (cleaned.labels.iter().enumerate())
        .map(|(row, &label)| if trains(row) { label } else { NO_LABEL })
        .collect();
    let trained = stages.run("training", 4, |job: &Job<'_>| trainer.train(&labels, None, job))?;
    if let Some(path) = &args.weights {
        let model = listing.about.uses.loaded.as_ref().map_or("", |loaded| loaded.fingerprint.as_str());
        let link = Link::from(args.kind).name();
        predictions::weights(path, &trained, manifest.classes(), (model, link))?;
    }
    if let Some(path) = &args.predictions {
        let classes = manifest.classes().len();
        let mut rows = vec![f32::NAN; manifest.len() * classes];
        let usable: Vec<u32> = (0..manifest.len()).filter(|&row| trains(row)).map(|row| row as u32).collect();
        trainer.predict(&trained, &usable, |sample, row| {
            rows[sample as usize * classes..][..classes].copy_from_slice(row);
        });
        Predictions { manifest, rows: &rows }
            .write(path)
            .with_context(|| format!("cannot write {}", safe_path(path)))?;
    }
    Ok(())
}

fn table(out: &mut dyn Write, report: &Report) -> Result<()> {
    let Report { trusted, against, .. } = report;
    let samples = count(*trusted as u64, "trusted sample", "trusted samples");
    let of = if *against == "folds" { "in five folds".to_owned() } else { format!("of the split {against}") };
    writeln!(out, "{samples} {of}")?;
    writeln!(out)?;
    let mut table = Table::new(&[
        ("trained on", Align::Left),
        ("samples", Align::Right),
        ("changed", Align::Right),
        ("left out", Align::Right),
        ("accuracy", Align::Right),
        ("95 %", Align::Right),
        ("by class", Align::Right),
        ("gain", Align::Right),
        ("95 %", Align::Right),
    ]);
    for Line { cleaning, trained, changed, left_out, accuracy, gain, .. } in &report.rows {
        let of = |range: (f64, f64)| format!("{:.4} to {:.4}", range.0, range.1);
        let signed = |range: (f64, f64)| format!("{:+.4} to {:+.4}", range.0, range.1);
        table.row(vec![
            cleaning.words().to_owned(),
            trained.to_string(),
            changed.to_string(),
            left_out.to_string(),
            format!("{:.4}", accuracy.accuracy),
            of(accuracy.interval),
            format!("{:.4}", accuracy.mean_class),
            gain.map_or_else(|| "-".to_owned(), |gain| format!("{:+.4}", gain.gain)),
            gain.map_or_else(|| "-".to_owned(), |gain| signed(gain.interval)),
        ]);
    }
    table.write(out, terminal_width())?;
    let Some(points) = &report.curve else { return Ok(()) };
    writeln!(out)?;
    let mut table = Table::new(&[
        ("decisions", Align::Right),
        ("accuracy", Align::Right),
        ("95 %", Align::Right),
        ("by class", Align::Right),
    ]);
    for CurvePoint { decisions, accuracy } in points {
        let (low, high) = accuracy.interval;
        table.row(vec![
            decisions.to_string(),
            format!("{:.4}", accuracy.accuracy),
            format!("{low:.4} to {high:.4}"),
            format!("{:.4}", accuracy.mean_class),
        ]);
    }
    table.write(out, terminal_width())
}
