//! `conflicts`: the samples on which reviewers disagree.

use super::args::{Format, Global};
use super::listing::Listing;
use super::output::{Align, Table, count, json, remark, results, terminal_width};
use anyhow::Result;
use chaffinch_data::journal::{Disagreement, Side};
use chaffinch_protocol::display::{safe_path, safe_text};
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The version of the output as JSON.
const SCHEMA: u32 = 1;

/// List the samples on which reviewers disagree: who decided what and when
///
/// A conflict is settled in the interface, on the page of conflicts: what is decided there takes precedence over all that was
/// decided before, and is marked with the tag `adjudicated`. A different decision after that opens the conflict again.
#[derive(Debug, Args)]
pub(super) struct Conflicts {
    /// Folder of the session, or the dataset that was scanned
    #[arg(value_name = "SESSION")]
    target: PathBuf,
    /// Also list conflicts that were settled
    #[arg(long)]
    settled: bool,
    /// Output format
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// What a reviewer decided.
#[derive(Serialize)]
struct Said {
    reviewer: String,
    at: String,
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
}

/// A sample with what was decided about it.
#[derive(Serialize)]
struct Conflict {
    path: String,
    label: String,
    split: &'static str,
    open: bool,
    decisions: Vec<Said>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adjudicated: Option<Said>,
}

#[derive(Serialize)]
struct Report {
    schema: u32,
    open: u64,
    settled: u64,
    conflicts: Vec<Conflict>,
}

/// Prints them.
pub(super) fn run(args: &Conflicts, global: &Global) -> Result<ExitCode> {
    let listing = Listing::open(&args.target, global)?;
    let all = listing.journal.disagreements();
    let open = all.iter().filter(|one| one.open).count() as u64;
    let settled = all.len() as u64 - open;
    let listed = all.iter().filter(|one| one.open || args.settled);
    let conflicts: Vec<Conflict> = listed.map(|one| conflict(&listing, one)).collect();
    let report = Report { schema: SCHEMA, open, settled, conflicts };
    results(|out| match args.format {
        Format::Json => json(out, &report),
        Format::Csv => csv(out, &report),
        Format::Table => table(out, &report),
    })?;
    if args.format == Format::Table && !global.quiet {
        let open = count(open, "conflict", "conflicts");
        let hint = if args.settled || settled == 0 { "" } else { "; --settled lists them too" };
        remark(&format!("{open} open, {settled} settled{hint}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn conflict(listing: &Listing, one: &Disagreement) -> Conflict {
    let manifest = &listing.manifest;
    Conflict {
        path: safe_path(manifest.path(one.sample)),
        label: safe_text(manifest.label_name(one.sample)).into_owned(),
        split: manifest.split(one.sample).name(),
        open: one.open,
        decisions: one.sides.iter().map(said).collect(),
        adjudicated: one.settled.as_ref().map(said),
    }
}

fn said(side: &Side) -> Said {
    let label = match &side.decision.choice {
        chaffinch_protocol::decision::Choice::Relabel(label) => Some(safe_text(label).into_owned()),
        _ => None,
    };
    Said {
        reviewer: safe_text(&side.reviewer).into_owned(),
        at: side.at.clone(),
        decision: side.decision.choice.word(),
        label,
        note: safe_text(&side.decision.note).into_owned(),
    }
}

/// One line for each decision, an adjudication last.
fn rows(report: &Report) -> impl Iterator<Item = [String; 8]> {
    report.conflicts.iter().flat_map(|one| {
        let sides = one
            .decisions
            .iter()
            .map(|said| (said, ""))
            .chain(one.adjudicated.iter().map(|said| (said, "yes")));
        sides.map(|(said, adjudicated)| {
            [
                one.path.clone(),
                one.label.clone(),
                if one.open { "open" } else { "settled" }.to_owned(),
                said.reviewer.clone(),
                said.at.clone(),
                said.decision.to_owned(),
                said.label.clone().unwrap_or_default(),
                adjudicated.to_owned(),
            ]
        })
    })
}

const COLUMNS: [&str; 8] =
    ["path", "label", "state", "reviewer", "at", "decision", "new_label", "adjudicated"];

fn csv(out: &mut dyn Write, report: &Report) -> Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(COLUMNS)?;
    for row in rows(report) {
        table.write_record(row)?;
    }
    table.flush()?;
    Ok(())
}

fn table(out: &mut dyn Write, report: &Report) -> Result<()> {
    if report.conflicts.is_empty() {
        return Ok(());
    }
    let columns = COLUMNS.map(|name| (name, Align::Left));
    let mut table = Table::new(&columns);
    for row in rows(report) {
        table.row(row.into());
    }
    table.write(out, terminal_width())
}
