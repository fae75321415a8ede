//! `pollute`: creates a copy of a dataset with planted faults, and a list of them.

use super::args::{CopyMode, Global, ReadingArgs};
use super::interrupt;
use super::output::{Align, Table, count, json, remark, results, terminal_width, thousands, warning};
use super::stages::Stages;
use anyhow::{Context, Result, bail, ensure};
use chaffinch_data::dataset::{DatasetOptions, LabelFiles};
use chaffinch_data::manifest::Manifest;
use chaffinch_data::row_keys::RowKeys;
use chaffinch_formats::dataset;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::{LabelId, SampleId};
use chaffinch_review::pollute;
use chaffinch_review::pollute::{LabelNoise, PolluteReport, Recipe};
use clap::Args;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Create a copy of a dataset with planted faults, for evaluating detectors
#[derive(Debug, Args)]
pub(super) struct Pollute {
    /// Dataset to copy; it is not modified
    #[arg(value_name = "DATASET")]
    dataset: PathBuf,
    /// New folder for the copy (in `data`) and the tables `planted.csv` and `truth.csv`
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Random seed; the same seed plants the same faults
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Fraction of all samples to relabel with a random other class
    #[arg(long, value_name = "SHARE", group = "noise")]
    symmetric: Option<f64>,
    /// With --symmetric: draw from all classes, so that some samples keep theirs
    #[arg(long, requires = "symmetric")]
    same_too: bool,
    /// Fraction of each class in --pairs to relabel with its paired class
    #[arg(long, value_name = "SHARE", group = "noise", requires = "pairs")]
    asymmetric: Option<f64>,
    /// Table with two columns: true class, given class
    #[arg(long, value_name = "CSV", requires = "asymmetric")]
    pairs: Option<PathBuf>,
    /// Table of the probability of each given class (row) for each true class (column, named in the header; sums to 1)
    #[arg(long, value_name = "CSV", group = "noise")]
    matrix: Option<PathBuf>,
    /// Table of labels to assign, with the columns `path` and `label`
    #[arg(long, value_name = "CSV", group = "noise")]
    labels: Option<PathBuf>,
    /// Number of exact copies to add
    #[arg(long, value_name = "N", default_value_t = 0)]
    copies: usize,
    /// Number of re-encoded copies to add, every second one resized
    #[arg(long, value_name = "N", default_value_t = 0)]
    reencoded: usize,
    /// Number of samples to blur
    #[arg(long, value_name = "N", default_value_t = 0)]
    blurred: usize,
    /// Number of samples to darken
    #[arg(long, value_name = "N", default_value_t = 0)]
    dark: usize,
    /// Number of files to truncate
    #[arg(long, value_name = "N", default_value_t = 0)]
    truncated: usize,
    /// Number of samples to make noisy
    #[arg(long, value_name = "N", default_value_t = 0)]
    noisy: usize,
    /// Number of samples to strew with black and white specks
    #[arg(long, value_name = "N", default_value_t = 0)]
    specked: usize,
    /// Number of samples to compress until blocks show
    #[arg(long, value_name = "N", default_value_t = 0)]
    blocky: usize,
    /// Number of samples to take the contrast from
    #[arg(long, value_name = "N", default_value_t = 0)]
    faint: usize,
    /// Number of samples to blur along one direction
    #[arg(long, value_name = "N", default_value_t = 0)]
    moved: usize,
    /// Number of samples whose lower third is filled with gray
    #[arg(long, value_name = "N", default_value_t = 0)]
    cut: usize,
    /// Number of samples with black bars above and below
    #[arg(long, value_name = "N", default_value_t = 0)]
    boxed: usize,
    /// Folder of unrelated images to add foreign ones from
    #[arg(long, value_name = "DIR")]
    foreign_from: Option<PathBuf>,
    /// Number of foreign images to add, each with a random class
    #[arg(long, value_name = "N", conflicts_with = "foreign_portion")]
    foreign: Option<usize>,
    /// Fraction of foreign images in the polluted dataset
    #[arg(long, value_name = "SHARE")]
    foreign_portion: Option<f64>,
    /// How to create unchanged files in the copy
    #[arg(long, value_enum, default_value = "link")]
    copy: CopyMode,
    #[command(flatten)]
    reading: ReadingArgs,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Writes the copy and prints the counts.
pub(super) fn run(args: &Pollute, global: &Global) -> Result<ExitCode> {
    let options = super::setup::own_options(&args.reading);
    dataset::refuse_unread(&args.dataset, &options, &options)?;
    let opened = dataset::open(&args.dataset, &options)?;
    super::reading::tell(&opened.ledger, "", global.quiet);
    let manifest = opened.manifest;
    let strangers = args.foreign_from.as_deref().map(strangers).transpose()?.unwrap_or_default();
    let foreign = match (args.foreign, args.foreign_portion) {
        (Some(number), _) => number,
        (None, Some(share)) => pollute::portion(share, manifest.len())?,
        (None, None) => 0,
    };
    ensure!(foreign == 0 || args.foreign_from.is_some(), "--foreign needs --foreign-from DIR");
    let recipe = Recipe {
        seed: args.seed,
        labels: noise(args, &manifest)?,
        copies: args.copies,
        reencoded: args.reencoded,
        blurred: args.blurred,
        dark: args.dark,
        truncated: args.truncated,
        noisy: args.noisy,
        specked: args.specked,
        blocky: args.blocky,
        faint: args.faint,
        moved: args.moved,
        cut: args.cut,
        boxed: args.boxed,
        strangers,
        foreign,
    };
    let plan = pollute::plan(&manifest, &recipe)?;
    ensure!(!plan.planted.is_empty(), "no faults to plant; add an option such as --symmetric 0.1");

    let stages = Stages::new(1, global.quiet)?;
    let written =
        stages.run("write", 1, |job| pollute::write(&manifest, &plan, &args.output, args.copy.into(), job));
    stages.finish();
    if written.is_err() && stages.stopped() {
        remark("stopped; nothing was written");
        return Ok(ExitCode::from(interrupt::INTERRUPTED));
    }
    let report = written?;
    for reason in &report.failed {
        warning("not planted", reason);
    }
    results(|out| if args.json { json(out, &report) } else { write(out, &report, &args.output) })?;
    Ok(ExitCode::SUCCESS)
}

fn noise(args: &Pollute, manifest: &Manifest) -> Result<LabelNoise> {
    if let Some(share) = args.symmetric {
        return Ok(LabelNoise::Symmetric { share, same_too: args.same_too });
    }
    if let Some(share) = args.asymmetric {
        let file = args.pairs.as_deref().context("--asymmetric needs --pairs CSV")?;
        return Ok(LabelNoise::Asymmetric { share, pairs: pairs(file, manifest)? });
    }
    if let Some(file) = &args.matrix {
        return Ok(LabelNoise::Matrix(matrix(file, manifest)?));
    }
    match &args.labels {
        Some(file) => Ok(LabelNoise::Given(given(file, manifest)?)),
        None => Ok(LabelNoise::None),
    }
}

/// Images below a folder, sorted.
fn strangers(folder: &Path) -> Result<Vec<PathBuf>> {
    let options = DatasetOptions {
        labels_from_names: false,
        label_files: LabelFiles::Ignore,
        ..DatasetOptions::default()
    };
    let manifest = dataset::open(folder, &options)?.manifest;
    let mut files: Vec<PathBuf> = manifest.ids().map(|id| manifest.full_path(id)).collect();
    files.sort_unstable();
    Ok(files)
}

fn reader(file: &Path) -> Result<csv::Reader<std::fs::File>> {
    csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(file)
        .with_context(|| format!("cannot read {}", safe_path(file)))
}

fn class(name: &str, file: &Path, manifest: &Manifest) -> Result<LabelId> {
    manifest
        .find_class(name)
        .with_context(|| format!("{}: the dataset has no class '{}'", safe_path(file), safe_text(name)))
}

/// Reads two columns of classes, with any header.
fn pairs(file: &Path, manifest: &Manifest) -> Result<Vec<(LabelId, LabelId)>> {
    let mut pairs = Vec::new();
    for row in reader(file)?.records() {
        let row = row.with_context(|| format!("cannot read {}", safe_path(file)))?;
        ensure!(row.len() == 2, "{}: a row has {} columns, not two", safe_path(file), row.len());
        pairs.push((class(&row[0], file, manifest)?, class(&row[1], file, manifest)?));
    }
    ensure!(!pairs.is_empty(), "{} contains no pairs of classes", safe_path(file));
    Ok(pairs)
}

/// Reads a header of true classes and one row for each given class, in the order of the header, unless there is a first
/// column of class names (called `given`, or unnamed).
fn matrix(file: &Path, manifest: &Manifest) -> Result<Vec<Vec<f64>>> {
    let mut table = reader(file)?;
    let cannot = || format!("cannot read {}", safe_path(file));
    let heading = table.headers().with_context(cannot)?.clone();
    let named = heading.get(0).is_some_and(|first| first.is_empty() || first == "given");
    let columns: Vec<LabelId> = heading
        .iter()
        .skip(usize::from(named))
        .map(|name| class(name, file, manifest))
        .collect::<Result<_>>()?;
    let classes = manifest.classes().len();
    let mut matrix = vec![Vec::new(); classes];
    for (index, row) in table.records().enumerate() {
        let row = row.with_context(cannot)?;
        let given = match named {
            true => class(&row[0], file, manifest)?,
            false => *columns.get(index).with_context(|| format!("{}: too many rows", safe_path(file)))?,
        };
        let mut shares = vec![0.0; classes];
        for (column, text) in columns.iter().zip(row.iter().skip(usize::from(named))) {
            shares[column.index()] = text
                .parse()
                .with_context(|| format!("{}: '{}' is not a number", safe_path(file), safe_text(text)))?;
        }
        matrix[given.index()] = shares;
    }
    Ok(matrix)
}

/// Reads a table with the columns `path` and `label`. A path that several rows of the dataset have may stand for each in turn, or
/// with the number of one, as in `1.jpg#2`.
fn given(file: &Path, manifest: &Manifest) -> Result<Vec<Option<LabelId>>> {
    let mut table = reader(file)?;
    let cannot = || format!("cannot read {}", safe_path(file));
    let heading = table.headers().with_context(cannot)?.clone();
    let column = |name: &str| {
        heading
            .iter()
            .position(|column| column.eq_ignore_ascii_case(name))
            .with_context(|| format!("{} has no column '{name}'", safe_path(file)))
    };
    let (path, label) = (column("path")?, column("label")?);
    let mut samples: BTreeMap<&Path, Vec<SampleId>> = BTreeMap::new();
    manifest.ids().for_each(|id| samples.entry(manifest.path(id)).or_default().push(id));
    let keys = RowKeys::of(manifest).repeated();
    let mut said: BTreeMap<&Path, Vec<LabelId>> = BTreeMap::new();
    let mut given = vec![None; manifest.len()];
    for row in table.records() {
        let row = row.with_context(cannot)?;
        let label = class(&row[label], file, manifest)?;
        if let Some((known, _)) = samples.get_key_value(Path::new(&row[path])) {
            said.entry(known).or_default().push(label);
        } else if let Some(id) = keys.get(row[path].as_bytes()) {
            given[id.index()] = Some(label);
        } else {
            bail!("{}: the dataset has no image '{}'", safe_path(file), safe_text(&row[path]));
        }
    }
    // Rows of one path are about its samples in turn, and rows that say the same are about all of them.
    for (path, labels) in said {
        let own = &samples[path];
        let same = labels.windows(2).all(|pair| pair[0] == pair[1]);
        ensure!(
            same || labels.len() == own.len(),
            "{}: {} rows are about {}, which has {} in the dataset; tell them apart as in {}#1",
            safe_path(file),
            labels.len(),
            safe_path(path),
            count(own.len() as u64, "row", "rows"),
            safe_path(path)
        );
        for (at, id) in own.iter().enumerate() {
            given[id.index()] = Some(if same { labels[0] } else { labels[at] });
        }
    }
    Ok(given)
}

fn write(out: &mut dyn Write, report: &PolluteReport, target: &Path) -> Result<()> {
    writeln!(
        out,
        "{} in {}",
        count(report.samples as u64, "sample", "samples"),
        safe_path(&target.join(pollute::DATA))
    )?;
    writeln!(out)?;
    let mut table = Table::new(&[("fault", Align::Left), ("planted", Align::Right)]);
    for (fault, number) in &report.planted {
        table.row(vec![(*fault).to_owned(), thousands(*number as u64)]);
    }
    table.write(out, terminal_width())?;
    writeln!(out)?;
    let (list, truth) = (target.join(pollute::LIST), target.join(pollute::TRUTH));
    writeln!(
        out,
        "wrote the list of faults to {} and the truth for evaluate --truth to {}",
        safe_path(&list),
        safe_path(&truth)
    )?;
    Ok(())
}
