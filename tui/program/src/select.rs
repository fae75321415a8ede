//! `select`: selects the samples whose labels can be trusted.

use super::args::{Global, ReportFormat};
use super::interrupt;
use super::listing::Listing;
use super::output::{Align, Table, count, json, remark, results, terminal_width, warning};
use super::session_model::SessionModel;
use super::stages::Stages;
use super::{prompt_set, reading, targets};
use anyhow::{Context, Result, bail, ensure};
use chaffinch_compute::cut_texts;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::output::outside;
use chaffinch_formats::probabilities::{self, Read};
use chaffinch_formats::truth;
use chaffinch_protocol::display::safe_path;
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::selection;
use chaffinch_review::selection::{
    ClassPrompts, Figures, Limits, Pooling, Report, Selected, Source, Three, Truth, regression, zero_shot,
};
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

/// Sources of probabilities in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SelectSource {
    /// Zero-shot classification with the prompts of each class
    ZeroShot,
    /// A regression on the embeddings with the given labels
    Regression,
}

/// How to combine the probabilities of a class's prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PromptPooling {
    /// Treats classes alike whatever their number of prompts
    Mean,
    /// As published: classes with more prompts weigh more
    Sum,
}

/// Select samples with trustworthy labels for training
#[derive(Debug, Args)]
pub(super) struct Select {
    /// Folder of a scanned session, or its dataset; or pass --pred-probs and --labels instead
    #[arg(value_name = "SESSION", required_unless_present = "pred_probs", conflicts_with_all = ["pred_probs", "labels", "classes"])]
    target: Option<PathBuf>,
    /// Probabilities, one row per sample: .npy, or .parquet or .csv with class names as the header; repeat for each model
    #[arg(long, value_name = "FILE", requires = "labels")]
    pred_probs: Vec<PathBuf>,
    /// Given labels, as names or numbers from 0: .npy, .txt with one per line, or .parquet or .csv with a column `label`
    #[arg(long, value_name = "FILE", requires = "pred_probs")]
    labels: Option<PathBuf>,
    /// Class names in the order of label numbers and of columns without a header: one per line, or with their
    /// numbers, as in `0 dog` or `class_to_idx.json`
    #[arg(long, value_name = "FILE", requires = "pred_probs")]
    classes: Option<PathBuf>,
    /// The truth, for precision and recall: true labels, or whether each label is an error; for a session, a table with
    /// a column `path`
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Minimum probability of belonging to the better of two groups of its class, 0 to 1
    #[arg(long, value_name = "P", default_value_t = 0.5)]
    theta_gmm: f64,
    /// Minimum probability of the label relative to that of the most likely class, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    theta_cons: f64,
    /// For a session: sources of probabilities, which must all agree
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_enum, default_values = ["zero-shot", "regression"])]
    sources: Vec<SelectSource>,
    /// For a session: how to combine the probabilities of a class's prompts
    #[arg(long, value_enum, default_value = "mean")]
    pooling: PromptPooling,
    /// For a session: a prompt file, or a built-in set such as `cifar10-described`; later ones override earlier ones
    /// [default: from the configuration]
    #[arg(long, value_name = "FILE|NAME")]
    prompts: Vec<PathBuf>,
    /// For a session: judge each sample by a regression that was not trained on it
    #[arg(long)]
    out_of_sample: bool,
    /// For a session: the model whose embeddings to use [default: that of the last scan]
    #[arg(long, value_name = "NAME|DIR")]
    model: Option<String>,
    /// For a session: device that runs the model: auto, cpu, cpu:bf16, cuda, or GPUs by number as cuda:0,1 [default: from
    /// the session or the configuration]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Also write the selected samples to FILE: a table of row, label and, for a session, path; or only the rows, counted
    /// from 0, one per line, if FILE ends in .txt
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    force: bool,
    /// Output format
    #[arg(long, value_enum, default_value = "table")]
    format: ReportFormat,
}

/// Selects samples, writes the list if requested, and prints the figures.
pub(super) fn run(args: &Select, global: &Global) -> Result<ExitCode> {
    for (name, limit) in [("--theta-gmm", args.theta_gmm), ("--theta-cons", args.theta_cons)] {
        ensure!((0.0..=1.0).contains(&limit), "{name} is {limit}, but must be between 0 and 1");
    }
    if let Some(path) = args.output.as_deref() {
        targets::replace(path, args.force || !path.exists())?;
    }
    let outcome = match &args.target {
        Some(target) => of_session(args, target, global),
        None => of_files(args, global),
    };
    interrupt::status(outcome)
}

fn limits(args: &Select) -> Limits {
    Limits { mixture: args.theta_gmm, consistency: args.theta_cons }
}

fn of_files(args: &Select, global: &Global) -> Result<()> {
    let labels = args.labels.as_deref().context("--labels is missing")?;
    let Read { input, remarks } =
        probabilities::read(&args.pred_probs, labels, args.classes.as_deref(), args.truth.as_deref())?;
    if !global.quiet {
        remarks.iter().for_each(|text| remark(text));
    }
    let sources: Vec<Source> = (args.pred_probs.iter().zip(input.evidence()))
        .map(|(path, evidence)| Source { name: safe_path(path), evidence })
        .collect();
    let truth: Option<Truth> = input.errors().map(|errors| errors.iter().map(|&wrong| Some(wrong)).collect());
    let selected = selection::select(&sources, input.labels(), input.classes().len(), limits(args))
        .with_context(|| safe_path(labels))?;
    let report = Report::new(&selected, input.labels(), input.classes(), limits(args), truth.as_ref());
    let label = |row: usize| input.classes()[input.labels()[row] as usize].clone();
    finish(args, &selected, &report, &["row", "label"], |row| vec![row.to_string(), label(row)])
}

fn of_session(args: &Select, target: &Path, global: &Global) -> Result<()> {
    let listing = Listing::open(target, global)?;
    reading::tell(&listing.reading, "", global.quiet);
    let manifest = &listing.manifest;
    if let Some(output) = &args.output {
        outside(manifest.root(), output)?;
    }
    let sources = sources(args, target, global, &listing)?;
    let truth = args.truth.as_deref().map(|path| truth(path, manifest)).transpose()?;
    let (labels, classes) = (manifest.labels(), manifest.classes());
    let selected = selection::select(&sources, labels, classes.len(), limits(args))?;
    let report = Report::new(&selected, labels, classes, limits(args), truth.as_ref());
    finish(args, &selected, &report, &["row", "path", "label"], |row| {
        let id = SampleId(row as u32);
        let path = manifest.path(id).to_string_lossy().into_owned();
        vec![row.to_string(), path, manifest.label_name(id).to_owned()]
    })
}

/// Reads the truth about each sample of a session.
fn truth(path: &Path, manifest: &Manifest) -> Result<Truth> {
    let known = truth::read(path, manifest)?;
    if let Some(words) = known.foreign() {
        warning("truth", words);
    }
    let mut truth = vec![None; manifest.len()];
    known.known().into_iter().for_each(|(row, wrong)| truth[row as usize] = Some(wrong));
    Ok(truth)
}

/// The evidence from the model and the regression about each sample of a session.
fn sources(args: &Select, target: &Path, global: &Global, listing: &Listing) -> Result<Vec<Source>> {
    let (manifest, file_metadata) = (&listing.manifest, &listing.file_metadata);
    let named = (args.model.clone(), args.device.clone());
    let SessionModel { config, dataset, session, embedder, matrix } =
        SessionModel::open(target, global, named, (file_metadata, manifest.rendering()))?;
    let usable = |row: usize| file_metadata.decodable(SampleId(row as u32));
    let (labels, classes) = (manifest.labels(), manifest.classes());
    let stages = Stages::new(1, global.quiet)?;
    let mut sources = Vec::new();
    for source in [SelectSource::ZeroShot, SelectSource::Regression] {
        if !args.sources.contains(&source) {
            continue;
        }
        sources.push(match source {
            SelectSource::ZeroShot => {
                let prompts = prompt_set::of_command(&args.prompts, (&config, &dataset), &session, global)?;
                if let Some(why) = prompts.nameless(classes) {
                    bail!("{why}; or use --sources regression, which needs no names");
                }
                let texts: Vec<String> = classes.iter().flat_map(|class| prompts.for_class(class)).collect();
                let cut = cut_texts::words(&embedder, texts.iter().map(String::as_str));
                cut.iter().for_each(|text| warning("prompts", text));
                let prompts = ClassPrompts::embed(&embedder, &prompts, classes)?;
                let pooling = match args.pooling {
                    PromptPooling::Mean => Pooling::Mean,
                    PromptPooling::Sum => Pooling::Sum,
                };
                let evidence = zero_shot(&matrix, labels, &prompts, pooling, &usable);
                Source { name: "zero-shot".into(), evidence }
            }
            SelectSource::Regression => {
                let contents = args.out_of_sample.then_some(&*file_metadata.hashes);
                let evidence = stages.run("regression", 1, |job| {
                    regression(&matrix, labels, classes.len(), contents, &usable, job)
                });
                stages.finish();
                Source { name: "regression".into(), evidence: evidence? }
            }
        });
    }
    Ok(sources)
}

/// Writes the list and prints the figures.
fn finish(
    args: &Select,
    selected: &Selected,
    report: &Report,
    heading: &[&str],
    row: impl Fn(usize) -> Vec<String>,
) -> Result<()> {
    if let Some(path) = &args.output {
        let rows = || (0..selected.clean.len()).filter(|&row| selected.clean[row]);
        let plain = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"));
        let work = || -> Result<()> {
            let mut bytes = Vec::new();
            if plain {
                rows().try_for_each(|row| writeln!(bytes, "{row}"))?;
            } else {
                let mut table = csv::Writer::from_writer(&mut bytes);
                table.write_record(heading)?;
                rows().try_for_each(|index| table.write_record(row(index)))?;
                table.flush()?;
                drop(table);
            }
            Ok(std::fs::write(path, bytes)?)
        };
        work().with_context(|| format!("cannot write {}", safe_path(path)))?;
    }
    for (class, figures) in report.classes.iter().filter(|(_, class)| class.filled) {
        let best = count(figures.selected as u64, "best one", "best ones");
        remark(&format!(
            "no sample of {} was selected; took its {best} instead",
            chaffinch_protocol::display::safe_text(class)
        ));
    }
    results(|out| match args.format {
        ReportFormat::Json => json(out, report),
        ReportFormat::Table => write(out, report),
    })
}

fn write(out: &mut dyn Write, report: &Report) -> Result<()> {
    let Figures { n, .. } = report.together.intersection;
    writeln!(out, "{n} of {} selected", count(report.n as u64, "sample", "samples"))?;
    writeln!(out)?;
    let mut table = Table::new(&[
        ("source", Align::Left),
        ("criterion", Align::Left),
        ("selected", Align::Right),
        ("precision", Align::Right),
        ("recall", Align::Right),
    ]);
    // A single source equals all sources together.
    let alone = report.sources.len() == 1;
    let sources = report.sources.iter().filter(|_| !alone).map(|(name, three)| (name.as_str(), three));
    for (name, three) in sources.chain([("all", &report.together)]) {
        let Three { gmm, consistency, intersection } = three;
        for (criterion, figures) in
            [("gmm", gmm), ("consistency", consistency), ("intersection", intersection)]
        {
            let share =
                |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
            table.row(vec![
                name.to_owned(),
                criterion.to_owned(),
                figures.n.to_string(),
                share(figures.precision),
                share(figures.recall),
            ]);
        }
    }
    table.write(out, terminal_width())?;
    writeln!(out)?;
    let mut table =
        Table::new(&[("class", Align::Left), ("samples", Align::Right), ("selected", Align::Right)]);
    for (name, class) in &report.classes {
        let name = chaffinch_protocol::display::safe_text(name).into_owned();
        table.row(vec![name, class.n.to_string(), class.selected.to_string()]);
    }
    table.write(out, terminal_width())
}
