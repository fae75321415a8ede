//! `represent`: few samples that stand for many.

use super::args::{Format, Global};
use super::interrupt;
use super::listing::Listing;
use super::output::{Align, Table, json, remark, results, tell_undecoded, terminal_width};
use super::stages::Stages;
use anyhow::{Result, bail, ensure};
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Query, Sort};
use chaffinch_review::query;
use chaffinch_review::representatives::{self, Representatives, Rule};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// How samples are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    /// What adds most to the mean similarity: usual samples
    FacilityLocation,
    /// What is farthest from all that are chosen: rare samples, outliers among them
    KCenter,
}

/// Choose few samples that stand for many
#[derive(Debug, Args)]
pub(super) struct Represent {
    /// Folder of a scanned session, or its dataset
    #[arg(value_name = "SESSION")]
    target: PathBuf,
    /// How many samples to choose; of each class with --by-class
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    count: usize,
    /// How to choose
    #[arg(long, value_enum, default_value = "facility-location")]
    method: Method,
    /// Choose for each class by itself
    #[arg(long)]
    by_class: bool,
    /// Choose among the samples of a filter as in the interface, such as `class:cat -suspect`
    #[arg(
        long,
        value_name = "WORDS",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    filter: String,
    /// Output format
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// A chosen sample.
#[derive(Debug, Serialize)]
struct Line {
    path: String,
    label: String,
    #[serde(skip)]
    sample: SampleId,
    /// How many samples are most like it.
    covers: usize,
    /// The mean cosine of all samples with the nearest one chosen until then.
    mean: f32,
    /// The least one.
    least: f32,
}

/// Chooses and prints.
pub(super) fn run(args: &Represent, global: &Global) -> Result<ExitCode> {
    ensure!(args.count > 0, "--count is 0, but must be at least 1");
    interrupt::status(chosen(args, global))
}

fn chosen(args: &Represent, global: &Global) -> Result<()> {
    let listing = Listing::open(&args.target, global)?;
    let manifest = &*listing.manifest;
    let Some(atlas) = listing.atlas() else {
        bail!("the session has no embeddings to compare; run chaffinch scan first");
    };
    let query = Query { all: true, filter: args.filter.clone(), sort: Sort::Path, descending: false };
    let source = chaffinch_review::query::Source { atlas: Some(&atlas), ..listing.source() };
    let mut rows = query::select(&source, &query)?;
    let before = rows.len();
    rows.retain(|&row| listing.file_metadata.decodable(SampleId(row)));
    let unseen = before - rows.len();
    let mut groups: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for row in rows {
        let group = if args.by_class { manifest.label_name(SampleId(row)) } else { "" };
        groups.entry(group).or_default().push(row);
    }
    ensure!(!groups.is_empty(), "no sample that can be decoded matches the filter");
    let rule = match args.method {
        Method::FacilityLocation => Rule::FacilityLocation,
        Method::KCenter => Rule::KCenter,
    };
    let stages = Stages::new(groups.len() as u32, global.quiet)?;
    let (mut lines, mut remarks) = (Vec::new(), Vec::new());
    for (number, (group, samples)) in (1..).zip(&groups) {
        let contents = &listing.file_metadata.hashes;
        let found = stages.run("representatives", number, |job| {
            representatives::choose(atlas.matrix(), contents, samples, (rule, args.count), job)
        })?;
        remarks.extend(words(&found, group));
        lines.extend(found.picks.iter().map(|pick| Line {
            path: manifest.path(SampleId(pick.sample)).to_string_lossy().into_owned(),
            label: manifest.label_name(SampleId(pick.sample)).to_owned(),
            sample: SampleId(pick.sample),
            covers: pick.covers,
            mean: pick.mean,
            least: pick.least,
        }));
    }
    stages.finish();
    results(|out| match args.format {
        Format::Table => table(out, &lines),
        Format::Csv => {
            csv(out, lines.iter().map(|line| (manifest.path(line.sample).as_os_str().as_bytes(), line)))
        }
        Format::Json => json(out, &lines),
    })?;
    if !global.quiet {
        remarks.iter().for_each(|text| remark(text));
        tell_undecoded(unseen);
    }
    Ok(())
}

/// How good a choice is, and what it did not look at.
fn words(found: &Representatives, group: &str) -> Vec<String> {
    let of = if group.is_empty() { String::new() } else { format!("{}: ", safe_text(group)) };
    let mut words = Vec::new();
    if let Some(bound) = found.bound {
        words.push(format!(
            "{of}at least {:.1} % of the coverage that as many samples can have",
            100.0 * bound
        ));
    }
    if found.looked_at < found.of {
        words.push(format!(
            "{of}chosen from, and measured on, {} of {} samples, evenly",
            found.looked_at, found.of
        ));
    }
    words
}

fn table(out: &mut dyn Write, lines: &[Line]) -> Result<()> {
    let mut table = Table::new(&[
        ("path", Align::Left),
        ("label", Align::Left),
        ("covers", Align::Right),
        ("mean", Align::Right),
        ("least", Align::Right),
    ]);
    for Line { path, label, covers, mean, least, .. } in lines {
        table.row(vec![
            safe_text(path).into_owned(),
            safe_text(label).into_owned(),
            covers.to_string(),
            format!("{mean:.4}"),
            format!("{least:.4}"),
        ]);
    }
    table.write(out, terminal_width())
}

fn csv<'a>(out: &mut dyn Write, lines: impl Iterator<Item = (&'a [u8], &'a Line)>) -> Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(["path", "label", "covers", "mean", "least"])?;
    for (path, Line { label, covers, mean, least, .. }) in lines {
        table.write_field(path)?;
        table.write_record([label, &covers.to_string(), &mean.to_string(), &least.to_string()])?;
    }
    Ok(table.flush()?)
}
