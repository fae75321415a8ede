//! `agreement`: how far reviewers of a session agree.

use super::args::Global;
use super::listing::Listing;
use super::output::{Align, Table, count, json, results, terminal_width};
use anyhow::{Result, bail};
use chaffinch_data::journal::Conflict;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::display::{listed, safe_text};
use chaffinch_review::agreement::{self, Kappa, Rated};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The version of the output as JSON.
const SCHEMA: u32 = 1;

/// Show how far reviewers agree, beyond what chance would give
///
/// Counts the samples that at least two reviewers decided: Cohen's kappa of each two, over what both decided, and of more than
/// two Fleiss' kappa, over what all decided, each with its 95 % interval; the same for each class. 1 is full agreement,
/// 0 what chance gives. Of more than two reviewers, each also gets the kappa of their decisions beside those of the others.
#[derive(Debug, Args)]
pub(super) struct Agreement {
    /// Folder of the session, or the dataset that was scanned
    #[arg(value_name = "SESSION")]
    target: PathBuf,
    /// Compare these reviewers only; can be repeated
    #[arg(long, value_name = "NAME")]
    of: Vec<String>,
    /// Count all relabels as the same decision, whatever the new label is
    #[arg(long)]
    any_label: bool,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    format: AgreementFormat,
}

/// Values of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AgreementFormat {
    /// Tables
    Text,
    /// JSON, with a version of its schema
    Json,
}

/// A coefficient.
#[derive(Serialize)]
struct Line {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reviewers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    samples: u64,
    observed: Option<f64>,
    kappa: Option<f64>,
    standard_error: Option<f64>,
    interval: Option<[f64; 2]>,
}

/// A reviewer among others.
#[derive(Serialize)]
struct Reviewer {
    reviewer: String,
    samples: u64,
    alike: f64,
    kappa: Option<f64>,
    standard_error: Option<f64>,
    interval: Option<[f64; 2]>,
}

#[derive(Serialize)]
struct Report {
    schema: u32,
    /// `cohen` for two reviewers, `fleiss` for more.
    method: &'static str,
    samples: u64,
    alike: u64,
    /// Samples on which reviewers disagree, not adjudicated.
    disputed: u64,
    /// Those that were adjudicated, which does not change who agreed with whom.
    adjudicated: u64,
    all: Line,
    pairs: Vec<Line>,
    classes: Vec<Line>,
    reviewers: Vec<Reviewer>,
}

/// Prints the agreement.
pub(super) fn run(args: &Agreement, global: &Global) -> Result<ExitCode> {
    let listing = Listing::open(&args.target, global)?;
    let decided = listing.journal.decided_by_several();
    let known: Vec<&str> = listing.journal.decisions().reviewers().iter().map(String::as_str).collect();
    if let Some(unknown) = args.of.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("no reviewer '{}' in this session (there are: {})", safe_text(unknown), known.join(", "));
    }
    let samples: Vec<Rated> = decided.iter().map(|sample| rated(sample, &listing, args)).collect();
    let found = agreement::agreement(&samples);
    if found.shared == 0 {
        let others = match decided.len() {
            0 => String::new(),
            other => {
                let were = if other == 1 { "was" } else { "were" };
                let samples = count(other as u64, "sample", "samples");
                format!("; {samples} {were} decided by several reviewers of the session, who --of leaves out")
            }
        };
        let names: Vec<_> = args.of.iter().map(|name| safe_text(name)).collect();
        match names.as_slice() {
            [] => bail!("no sample was decided by two reviewers, so there is nothing to compare"),
            [one] => {
                bail!("--of names only {one}, and agreement is between two or more: add another --of{others}")
            }
            names => bail!(
                "no sample was decided by two of {}, so there is nothing to compare{others}",
                listed(names, "and")
            ),
        }
    }
    let disagreements = listing.journal.disagreements();
    let name = |name: &String| safe_text(name).into_owned();
    let report = Report {
        schema: SCHEMA,
        method: if found.reviewers.len() == 2 { "cohen" } else { "fleiss" },
        samples: found.shared,
        alike: found.alike,
        disputed: disagreements.iter().filter(|one| one.open).count() as u64,
        adjudicated: disagreements.iter().filter(|one| !one.open).count() as u64,
        all: line(&found.all, found.reviewers.iter().map(name).collect(), None),
        pairs: found
            .pairs
            .iter()
            .map(|pair| line(&pair.kappa, pair.reviewers.iter().map(name).collect(), None))
            .collect(),
        classes: found
            .classes
            .iter()
            .map(|(class, kappa)| line(kappa, Vec::new(), Some(name(class))))
            .collect(),
        reviewers: found
            .each
            .iter()
            .map(|one| Reviewer {
                reviewer: name(&one.reviewer),
                samples: one.samples,
                alike: one.alike,
                kappa: one.kappa.value,
                standard_error: one.kappa.standard_error,
                interval: one.kappa.interval(),
            })
            .collect(),
    };
    results(|out| match args.format {
        AgreementFormat::Json => json(out, &report),
        AgreementFormat::Text => write(out, &report),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn rated(sample: &Conflict, listing: &Listing, args: &Agreement) -> Rated {
    let wanted = |name: &String| args.of.is_empty() || args.of.contains(name);
    let words = |choice: &Choice| match args.any_label {
        true => choice.word().to_owned(),
        false => choice.to_string(),
    };
    let sides = sample.sides.iter().filter(|(name, ..)| wanted(name));
    Rated {
        class: listing.manifest.label_name(sample.sample).to_owned(),
        said: sides.map(|(name, _, decision)| (name.clone(), words(&decision.choice))).collect(),
    }
}

fn line(kappa: &Kappa, reviewers: Vec<String>, class: Option<String>) -> Line {
    Line {
        reviewers,
        class,
        samples: kappa.samples,
        observed: kappa.observed,
        kappa: kappa.value,
        standard_error: kappa.standard_error,
        interval: kappa.interval(),
    }
}

fn write(out: &mut dyn Write, report: &Report) -> Result<()> {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    writeln!(
        out,
        "{} decided by at least two reviewers, {} alike ({})",
        count(report.samples, "sample", "samples"),
        report.alike,
        percent(report.alike as f64 / report.samples as f64)
    )?;
    if report.disputed + report.adjudicated > 0 {
        let open = count(report.disputed, "conflict", "conflicts");
        writeln!(out, "{open} open, {} adjudicated; chaffinch conflicts lists them", report.adjudicated)?;
    }
    writeln!(out)?;
    let table = |first: &'static str| {
        Table::new(&[
            (first, Align::Left),
            ("samples", Align::Right),
            ("alike", Align::Right),
            ("kappa", Align::Right),
            ("95 % interval", Align::Left),
        ])
    };
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    let range = |interval: Option<[f64; 2]>| {
        interval.map_or_else(String::new, |[low, high]| format!("{low:.3} to {high:.3}"))
    };
    let cells = |name: String, line: &Line| {
        let alike = line.observed.map_or_else(|| "-".to_owned(), percent);
        vec![name, line.samples.to_string(), alike, number(line.kappa), range(line.interval)]
    };
    let mut pairs = table("reviewers");
    if report.method == "fleiss" {
        pairs.row(cells("all".to_owned(), &report.all));
    }
    report.pairs.iter().for_each(|line| pairs.row(cells(line.reviewers.join(", "), line)));
    pairs.write(out, terminal_width())?;
    writeln!(out)?;
    let mut classes = table("class");
    for line in &report.classes {
        let class = line.class.as_deref().filter(|class| !class.is_empty()).unwrap_or("no label");
        classes.row(cells(class.to_owned(), line));
    }
    classes.write(out, terminal_width())?;
    if report.method == "fleiss" {
        writeln!(out)?;
        let mut each = Table::new(&[
            ("reviewer", Align::Left),
            ("samples", Align::Right),
            ("as others", Align::Right),
            ("kappa", Align::Right),
            ("95 % interval", Align::Left),
        ]);
        for one in &report.reviewers {
            let samples = one.samples.to_string();
            each.row(vec![
                one.reviewer.clone(),
                samples,
                percent(one.alike),
                number(one.kappa),
                range(one.interval),
            ]);
        }
        each.write(out, terminal_width())?;
    }
    Ok(())
}
