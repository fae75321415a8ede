//! `dataset`: what is wrong with a dataset as a whole.

use super::args::{Global, ReportFormat};
use super::interrupt::INTERRUPTED;
use super::listing::Listing;
use super::output::{count, json, remark, results, terminal_width};
use super::stages::Stages;
use anyhow::Result;
use chaffinch_data::Error;
use chaffinch_protocol::display::safe_text;
use chaffinch_report::Whole;
use chaffinch_review::dataset::{self, Inputs};
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Find what is wrong with the dataset as a whole: imbalance, drift, spurious correlations, …
#[derive(Debug, Args)]
pub(super) struct Dataset {
    /// Folder of a session, or its dataset
    #[arg(value_name = "SESSION|DATASET")]
    target: PathBuf,
    /// Output format
    #[arg(long, value_enum, default_value = "table")]
    format: ReportFormat,
}

/// The version of the JSON, which `configs/schema/dataset.schema.json` describes.
const SCHEMA: u32 = 1;
/// Samples of a finding that the table names.
const NAMED: usize = 3;
/// Room for text where the width of the terminal is not known.
const WIDTH: usize = 100;

/// The output as JSON.
#[derive(Debug, Serialize)]
struct Output<'a> {
    schema: u32,
    program: &'a str,
    dataset: &'a str,
    samples: u64,
    #[serde(flatten)]
    whole: &'a Whole,
}

/// Prints the findings, worst first.
pub(super) fn run(args: &Dataset, global: &Global) -> Result<ExitCode> {
    let listing = Listing::open(&args.target, global)?;
    let beside = listing.beside()?;
    let atlas = listing.atlas();
    let inputs = Inputs {
        manifest: &listing.manifest,
        file_metadata: &listing.file_metadata,
        results: &listing.results,
        matrix: atlas.as_ref().map(|atlas| &**atlas.matrix()),
        beside,
    };
    let stages = Stages::new(1, global.quiet)?;
    let found = stages.run("look at the dataset", 1, |job| dataset::find(&inputs, job));
    stages.finish();
    let found = match found {
        Err(Error::Stopped) => return Ok(ExitCode::from(INTERRUPTED)),
        found => found?,
    };
    let whole = Whole::new(&found, &listing.manifest);
    let samples = listing.manifest.len() as u64;
    if !global.quiet && atlas.is_some() && whole.compared < samples {
        let compared = count(whole.compared, "sample", "samples");
        remark(&format!("{compared} with embeddings were compared, evenly spaced over the dataset"));
    }
    results(|out| match args.format {
        ReportFormat::Table => table(out, &whole),
        ReportFormat::Json => {
            let dataset = safe_text(&listing.about.dataset);
            let program = &listing.about.program;
            json(out, &Output { schema: SCHEMA, program, dataset: &dataset, samples, whole: &whole })
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Each finding in a few lines: a sentence is too long for a cell.
fn table(out: &mut dyn Write, whole: &Whole) -> Result<()> {
    let width = terminal_width().unwrap_or(WIDTH).max(40);
    if whole.findings.is_empty() {
        writeln!(out, "nothing was found about the dataset as a whole")?;
    }
    for (at, one) in whole.findings.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{:<8} {:.3}  {}", one.severity, one.score, whole.title(&one.kind))?;
        for line in wrapped(&one.text, width - 2) {
            writeln!(out, "  {line}")?;
        }
        let figures: Vec<String> =
            one.evidence.iter().map(|(name, value)| format!("{name} {}", number(*value))).collect();
        for line in wrapped(&figures.join(", "), width - 2) {
            writeln!(out, "  {line}")?;
        }
        if !one.samples.is_empty() {
            let more = match one.samples.len().checked_sub(NAMED) {
                Some(more @ 1..) => format!(" and {more} more"),
                _ => String::new(),
            };
            let named: Vec<&str> = one.samples.iter().take(NAMED).map(String::as_str).collect();
            writeln!(out, "  {}{more}", named.join(", "))?;
        }
    }
    let left: Vec<String> = whole.not_checked().collect();
    if !left.is_empty() {
        writeln!(out)?;
    }
    for line in left {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// A number with as many digits as tell it.
fn number(value: f64) -> String {
    match value {
        value if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:.0}"),
        value if value.abs() < 1e-4 => format!("{value:.1e}"),
        value => format!("{value:.4}"),
    }
}

/// A text in lines of at most so many characters, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_between_words_and_numbers_tell_what_they_are() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("immeasurably", 3), ["immeasurably"]);
        assert_eq!([200.0, 0.25, 1e-9].map(number), ["200", "0.2500", "1.0e-9"]);
    }
}
