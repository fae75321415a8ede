//! `report`: what was found, decided and left, as a page, a summary, JSON or a data card.

use super::args::{Global, reviewer};
use super::interrupt::INTERRUPTED;
use super::listing::{DatasetState, Listing};
use super::output::{count, results};
use super::stages::Stages;
use super::{gates, reading, targets};
use anyhow::Result;
use chaffinch_data::Error;
use chaffinch_engine::outputs::Outputs;
use chaffinch_protocol::display::safe_path;
use chaffinch_report::{FORMATS, Format, Gate, Request};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::path::PathBuf;
use std::process::ExitCode;

/// Write a report of what was found, decided and left
#[derive(Debug, Args)]
pub(super) struct Report {
    /// Folder of a session, or its dataset
    #[arg(value_name = "SESSION|DATASET")]
    target: PathBuf,
    /// What to write
    #[arg(long, value_parser = formats(), default_value = "html")]
    format: &'static Format,
    /// Output file
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// List only the first N suspects; 0 = all [default: 5000 in HTML, 100 in Markdown, otherwise all]
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Longer side of the pictures in HTML, in pixels; 0 = no pictures
    #[arg(long, value_name = "PX", default_value_t = 128, value_parser = clap::value_parser!(u32).range(0..=512))]
    thumbnails: u32,
    /// Also write the plots as SVG files into DIR, and show them in Markdown
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Exit with status 1 if a count is beyond a limit, such as `leaks>0` or `label-quality>1%`; can be repeated
    #[arg(long, value_name = "GATE")]
    fail_on: Vec<Gate>,
    /// Reviewer whose decisions win where reviewers disagree [default: from $CHAFFINCH_REVIEWER or the configuration,
    /// or else your login name]
    #[arg(long, value_name = "NAME", value_parser = reviewer)]
    reviewer: Option<String>,
    /// Replace an existing file
    #[arg(long)]
    force: bool,
}

/// Parses the name of a format; the help describes each.
fn formats() -> impl TypedValueParser<Value = &'static Format> {
    let values = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.summary));
    PossibleValuesParser::new(values)
        .try_map(|name| Format::find(&name).ok_or_else(|| format!("unknown format '{name}'")))
}

/// Writes the report, prints its path, and compares its counts with limits.
pub(super) fn run(args: &Report, global: &Global) -> Result<ExitCode> {
    targets::replace(&args.output, args.force || !args.output.exists())?;
    let listing = Listing::open_as(&args.target, global, args.reviewer.as_deref(), DatasetState::Any)?;
    reading::tell(&listing.reading, "", global.quiet);
    let judged = gates::judge(&args.fail_on, &listing, &[], global)?;
    listing.beside()?;
    let atlas = listing.atlas();
    let outputs = listing.outputs(atlas.as_ref())?;
    let top = match args.top {
        None => Outputs::listed_by_default(args.format),
        // Zero is none at all; a list of nothing says nothing.
        Some(0) => None,
        top => top,
    };
    let request =
        Request { output: args.output.clone(), top, thumbnails: args.thumbnails, plots: args.plots.clone() };
    let stages = Stages::new(1, global.quiet)?;
    let outcome = stages.run("report", 1, |job| outputs.report(args.format, &request, job));
    stages.finish();
    let written = match outcome {
        Err(Error::Stopped) => return Ok(ExitCode::from(INTERRUPTED)),
        outcome => outcome?,
    };
    results(|out| {
        let suspects = count(written.suspects, "suspect", "suspects");
        for (index, path) in written.paths.iter().enumerate() {
            match index {
                0 if args.format.lists && written.listed < written.suspects => {
                    writeln!(out, "{} ({} of {suspects})", safe_path(path), written.listed)?;
                }
                0 => writeln!(out, "{} ({suspects})", safe_path(path))?,
                _ => writeln!(out, "{}", safe_path(path))?,
            }
        }
        Ok(())
    })?;
    Ok(gates::tell(&judged))
}
