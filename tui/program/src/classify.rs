//! `classify`: what samples show in the words of any vocabulary.

use super::args::{Format, Global};
use super::entries;
use super::interrupt;
use super::listing::Listing;
use super::output::{Align, Table, count, json, remark, results, tell_undecoded, terminal_width, warning};
use super::prompt_set;
use super::session_model::SessionModel;
use super::stages::Stages;
use anyhow::{Context, Result, bail, ensure};
use chaffinch_compute::embedding::Embedder;
use chaffinch_data::prompts::imagenet_names;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Query, Sort};
use chaffinch_review::query;
use chaffinch_review::vocabulary::{Seen, Vocabulary};
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// A vocabulary that is not a file.
const IMAGENET: &str = "imagenet";

/// Say what samples show in the words of any vocabulary, and which fit no class
#[derive(Debug, Args)]
pub(super) struct Classify {
    /// Folder of a scanned session, or its dataset
    #[arg(value_name = "SESSION")]
    target: PathBuf,
    /// More names than the classes: a file with one a line, or `imagenet` for its thousand; can be repeated
    #[arg(long, value_name = "FILE|imagenet")]
    vocabulary: Vec<PathBuf>,
    /// How many names a sample gets
    #[arg(long, value_name = "N", default_value_t = 5)]
    names: usize,
    /// Divides the model's scale: above 1 the probabilities are less sure
    #[arg(long, value_name = "T", default_value_t = 1.0)]
    temperature: f32,
    /// List only samples that probably show no class of the dataset, the worst first
    #[arg(long)]
    unfit: bool,
    /// Filter as in the interface, such as `class:cat -decided score<0.3`
    #[arg(
        long,
        value_name = "WORDS",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    filter: String,
    /// List only the first N; 0 = all [default: 20 in a table, otherwise all]
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// A prompt file, or a built-in set such as `cifar10-described`; later ones override earlier ones [default: from the
    /// configuration]
    #[arg(long, value_name = "FILE|NAME")]
    prompts: Vec<PathBuf>,
    /// The model whose embeddings to use [default: that of the last scan]
    #[arg(long, value_name = "NAME|DIR")]
    model: Option<String>,
    /// Device that runs the model: auto, cpu, cpu:bf16, cuda, or GPUs by number as cuda:0,1 [default: from the session
    /// or the configuration]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// A name with its probability.
#[derive(Debug, Serialize)]
struct Named {
    name: String,
    probability: f32,
    /// Whether it is a class of the dataset.
    class: bool,
}

/// One sample.
#[derive(Debug, Serialize)]
struct Line {
    path: String,
    label: String,
    names: Vec<Named>,
    /// The probability that it shows a class of the dataset.
    fits: f32,
}

/// Classifies and prints.
pub(super) fn run(args: &Classify, global: &Global) -> Result<ExitCode> {
    ensure!(args.names > 0, "--names is 0, but must be at least 1");
    let warm = args.temperature > 0.0 && args.temperature.is_finite();
    ensure!(warm, "--temperature is {}, but must be above 0", args.temperature);
    interrupt::status(classified(args, global))
}

fn classified(args: &Classify, global: &Global) -> Result<()> {
    let others = vocabulary(args)?;
    let listing = Listing::open(&args.target, global)?;
    let manifest = &*listing.manifest;
    let named = (args.model.clone(), args.device.clone());
    let SessionModel { config, dataset, session, embedder, matrix } =
        SessionModel::open(&args.target, global, named, (&listing.file_metadata, manifest.rendering()))?;
    let prompts = prompt_set::of_command(&args.prompts, (&config, &dataset), &session, global)?;
    if let Some(why) = prompts.nameless(manifest.classes()) {
        bail!("{why}");
    }
    let stages = Stages::new(1, global.quiet)?;
    let vocabulary = stages.run("names", 1, |job| {
        let step = |done: u64, total: u64| {
            job.progress(done, total);
            Ok(job.checkpoint()?)
        };
        Vocabulary::embed(&embedder, &prompts, (manifest.classes(), &others), &step)
    })?;
    stages.finish();
    vocabulary.cut(&embedder, &prompts).iter().for_each(|text| warning("prompts", text));
    let scale = embedder.logit_scale() / args.temperature;
    let usable = |row: usize| listing.file_metadata.decodable(SampleId(row as u32));
    let names = args.names.min(vocabulary.names().len());
    let seen = vocabulary.classify(&matrix, manifest.labels(), (scale, names), &usable);
    let query = Query { all: true, filter: args.filter.clone(), sort: Sort::Path, descending: false };
    let mut rows = query::select(&listing.source(), &query)?;
    let unseen = rows.iter().filter(|&&row| seen[row as usize].is_none()).count();
    let of = |row: u32| seen[row as usize].as_ref();
    rows.retain(|&row| of(row).is_some_and(|seen| !args.unfit || seen.fits < 0.5));
    if args.unfit {
        let fits = |row: u32| of(row).map_or(1.0, |seen| seen.fits);
        rows.sort_by(|&a, &b| fits(a).total_cmp(&fits(b)));
    }
    let shown = entries::shown(args.top, args.format, rows.len());
    let lines = rows.iter().take(shown).filter_map(|&row| Some((SampleId(row), of(row)?)));
    let line = |(id, seen): (SampleId, &Seen)| Line {
        path: manifest.path(id).to_string_lossy().into_owned(),
        label: manifest.label_name(id).to_owned(),
        names: (seen.top.iter())
            .map(|&(name, probability)| Named {
                name: vocabulary.names()[name as usize].clone(),
                probability,
                class: vocabulary.is_class(name),
            })
            .collect(),
        fits: seen.fits,
    };
    results(|out| match args.format {
        Format::Table => table(out, lines.map(line)),
        Format::Csv => csv(
            out,
            lines.map(|(id, seen)| (manifest.path(id).as_os_str().as_bytes(), line((id, seen)))),
            names,
        ),
        Format::Json => json(out, &lines.map(line).collect::<Vec<_>>()),
    })?;
    if !global.quiet {
        tell_undecoded(unseen);
        if args.format == Format::Table && rows.len() > shown {
            let all = count(rows.len() as u64, "sample", "samples");
            remark(&format!("showing {shown} of {all}; use --top 0 to list all"));
        }
    }
    Ok(())
}

/// The names beside the classes.
fn vocabulary(args: &Classify) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for file in &args.vocabulary {
        if file.as_os_str() == IMAGENET && !file.exists() {
            names.extend(imagenet_names());
            continue;
        }
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", safe_path(file)))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let before = names.len();
        names.extend(lines.map(str::to_owned));
        ensure!(names.len() > before, "{}: it has no names; write one a line", safe_path(file));
    }
    Ok(names)
}

fn table(out: &mut dyn Write, lines: impl Iterator<Item = Line>) -> Result<()> {
    let mut table = Table::new(&[
        ("path", Align::Left),
        ("label", Align::Left),
        ("fits", Align::Right),
        ("shows", Align::Left),
    ]);
    for Line { path, label, names, fits } in lines {
        let shows: Vec<String> = (names.iter())
            .map(|Named { name, probability, .. }| format!("{} {probability:.3}", safe_text(name)))
            .collect();
        table.row(vec![
            safe_text(&path).into_owned(),
            safe_text(&label).into_owned(),
            format!("{fits:.3}"),
            shows.join(", "),
        ]);
    }
    table.write(out, terminal_width())
}

/// The columns that label tools of image folders write, so that their readers take it.
fn csv<'a>(out: &mut dyn Write, lines: impl Iterator<Item = (&'a [u8], Line)>, names: usize) -> Result<()> {
    let mut table = csv::Writer::from_writer(out);
    for number in 1..=names {
        table.write_field(format!("label_{number}"))?;
        table.write_field(format!("probability_{number}"))?;
    }
    table.write_record(["fname", "original_lazy_label"])?;
    for (path, line) in lines {
        for Named { name, probability, .. } in &line.names {
            table.write_field(name)?;
            table.write_field(format!("{probability:.3}"))?;
        }
        table.write_field(path)?;
        table.write_field(&line.label)?;
        table.write_record(None::<&[u8]>)?;
    }
    Ok(table.flush()?)
}
