//! `diff`: what differs between two sessions, or two versions of a dataset.

use super::args::Global;
use super::gates;
use super::listing::Listing;
use super::output::{Align, Table, count, json, results, terminal_width};
use anyhow::{Result, ensure};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_report::Gate;
use chaffinch_review::difference::{Difference, Pair, difference};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The version of the output as JSON.
const SCHEMA: u32 = 1;

/// Show what differs between two sessions, or two versions of a dataset
///
/// Samples are the same if their contents are, whatever their names. Exits with status 0, whether anything differs or not.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// Folder of a session, or its dataset: the state before
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// Folder of a session, or its dataset: the state after
    #[arg(value_name = "AFTER")]
    after: PathBuf,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    format: DiffFormat,
    /// Exit with status 1 if a count of AFTER is beyond a limit, such as `leaks>0`; can be repeated
    #[arg(long, value_name = "GATE")]
    fail_on: Vec<Gate>,
}

/// Values of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    /// Each difference on a line, and a table of detectors
    Text,
    /// JSON, with a version of its schema
    Json,
}

/// A sample in both.
#[derive(Serialize)]
struct Line {
    path: Option<String>,
    new_path: Option<String>,
    label: Option<String>,
    new_label: Option<String>,
    split: Option<&'static str>,
    new_split: Option<&'static str>,
}

#[derive(Serialize)]
struct Report {
    schema: u32,
    before: String,
    after: String,
    samples: [u64; 2],
    suspects: [u64; 2],
    added: Vec<Line>,
    removed: Vec<Line>,
    relabeled: Vec<Line>,
    moved: Vec<Line>,
    renamed: Vec<Line>,
    detectors: Vec<chaffinch_review::difference::Flagged>,
    more: bool,
}

/// Prints the differences.
pub(super) fn run(args: &Diff, global: &Global) -> Result<ExitCode> {
    ensure!(global.session.is_none(), "--session names one session; name both as arguments");
    let (before, after) = (Listing::open(&args.before, global)?, Listing::open(&args.after, global)?);
    let judged = gates::judge(&args.fail_on, &after, &[], global)?;
    let found = difference(&before.source(), &after.source());
    let lines = |pairs: &[Pair]| pairs.iter().map(|pair| line(pair, &before, &after)).collect();
    let Difference { added, removed, relabeled, moved, renamed, flagged } = &found;
    let report = Report {
        schema: SCHEMA,
        before: before.about.dataset.clone(),
        after: after.about.dataset.clone(),
        samples: [&before, &after].map(|side| side.manifest.len() as u64),
        suspects: [&before, &after].map(|side| side.ranking.order.len() as u64),
        added: lines(added),
        removed: lines(removed),
        relabeled: lines(relabeled),
        moved: lines(moved),
        renamed: lines(renamed),
        more: flagged.iter().any(|one| one.is_more()),
        detectors: flagged.clone(),
    };
    results(|out| match args.format {
        DiffFormat::Json => json(out, &report),
        DiffFormat::Text => write(out, &report),
    })?;
    Ok(gates::tell(&judged))
}

fn line(pair: &Pair, before: &Listing, after: &Listing) -> Line {
    let path = |side: &Listing, id| safe_path(side.manifest.path(id));
    let label = |side: &Listing, id| safe_text(side.manifest.label_name(id)).into_owned();
    Line {
        path: pair.old.map(|id| path(before, id)),
        new_path: pair.new.map(|id| path(after, id)),
        label: pair.old.map(|id| label(before, id)),
        new_label: pair.new.map(|id| label(after, id)),
        split: pair.old.map(|id| before.manifest.split(id).name()),
        new_split: pair.new.map(|id| after.manifest.split(id).name()),
    }
}

fn write(out: &mut dyn Write, report: &Report) -> Result<()> {
    let [old, new] = report.samples.map(|samples| count(samples, "sample", "samples"));
    writeln!(
        out,
        "{old} before, {new} after: {} added, {} removed, {} relabeled, {} moved to another split, {} renamed",
        report.added.len(),
        report.removed.len(),
        report.relabeled.len(),
        report.moved.len(),
        report.renamed.len()
    )?;
    let named = |text: &Option<String>| match text.as_deref() {
        None | Some("") => "no label".to_owned(),
        Some(label) => label.to_owned(),
    };
    let split = |name: Option<&'static str>| name.filter(|name| !name.is_empty()).unwrap_or("no split");
    let shown = |path: &Option<String>| path.clone().unwrap_or_default();
    for one in &report.removed {
        writeln!(out, "- {} ({})", shown(&one.path), named(&one.label))?;
    }
    for one in &report.added {
        writeln!(out, "+ {} ({})", shown(&one.new_path), named(&one.new_label))?;
    }
    for one in &report.relabeled {
        writeln!(out, "~ {} {} -> {}", shown(&one.new_path), named(&one.label), named(&one.new_label))?;
    }
    for one in &report.moved {
        writeln!(out, "~ {} {} -> {}", shown(&one.new_path), split(one.split), split(one.new_split))?;
    }
    for one in &report.renamed {
        writeln!(out, "> {} -> {}", shown(&one.path), shown(&one.new_path))?;
    }
    writeln!(out)?;
    let mut table = Table::new(&[
        ("detector", Align::Left),
        ("before", Align::Right),
        ("after", Align::Right),
        ("difference", Align::Right),
    ]);
    let number = |count: Option<u64>| count.map_or_else(|| "not run".to_owned(), |count| count.to_string());
    for one in &report.detectors {
        let change = match (one.before, one.after) {
            (Some(before), Some(after)) if before != after => format!("{:+}", after as i64 - before as i64),
            _ => String::new(),
        };
        table.row(vec![one.detector.clone(), number(one.before), number(one.after), change]);
    }
    table.write(out, terminal_width())?;
    let [old, new] = report.suspects;
    writeln!(
        out,
        "\n{} before, {} after",
        count(old, "suspect", "suspects"),
        count(new, "suspect", "suspects")
    )?;
    Ok(())
}
