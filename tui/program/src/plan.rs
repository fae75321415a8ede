//! `plan`: turns decisions and policies into a list of changes.

use super::args::{Global, reviewer};
use super::interrupt::INTERRUPTED;
use super::listing::{DatasetState, Listing};
use super::output::{Align, Table, count, json, remark, results, terminal_width, warning};
use super::stages::Stages;
use super::{reading, targets};
use anyhow::Result;
use chaffinch_data::Error;
use chaffinch_data::output::outside;
use chaffinch_protocol::display::{quoted, safe_path};
use chaffinch_review::repair;
use chaffinch_review::repair::{Copies, Count, Leaks, Policies};
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Plan changes to the dataset from decisions and policies, and show them
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// Folder of a session, or its dataset
    #[arg(value_name = "SESSION")]
    target: PathBuf,
    /// File to write the plan to, for chaffinch apply
    #[arg(long, short, value_name = "JSON")]
    output: Option<PathBuf>,
    /// What to do with pictures that are in several splits [default: leave them]
    #[arg(long, value_enum, value_name = "POLICY")]
    leaks: Option<LeaksArg>,
    /// Which of several copies of a picture to keep; the others are removed [default: all]
    #[arg(long, value_enum, value_name = "POLICY")]
    copies: Option<CopiesArg>,
    /// Reviewer whose decisions win where reviewers disagree [default: from $CHAFFINCH_REVIEWER or the configuration,
    /// or else your login name]
    #[arg(long, value_name = "NAME", value_parser = reviewer)]
    reviewer: Option<String>,
    /// Replace an existing file
    #[arg(long, requires = "output")]
    force: bool,
    /// Format of the plan on stdout
    #[arg(long, value_enum, default_value = "text")]
    format: PlanFormat,
}

/// Values of `--leaks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LeaksArg {
    /// Move all copies to training, or else to the earliest split that has one
    MoveToTrain,
    /// Remove copies in training, or else in the earlier split
    RemoveTrain,
    /// Remove copies in test and validation, or else in the later split
    RemoveTest,
}

/// Values of `--copies`.
#[allow(clippy::enum_variant_names, reason = "they are the values that are typed")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CopiesArg {
    /// Most pixels
    KeepLarger,
    /// Most detail
    KeepSharper,
    /// One with a label
    KeepLabeled,
    /// Changed longest ago
    KeepOlder,
    /// In the latest split: test before validation before training
    KeepTest,
}

/// Values of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlanFormat {
    /// Counts by class and split, and each change on a line
    Text,
    /// JSON, as in the file
    Json,
}

impl From<LeaksArg> for Leaks {
    fn from(arg: LeaksArg) -> Leaks {
        match arg {
            LeaksArg::MoveToTrain => Leaks::MoveToTrain,
            LeaksArg::RemoveTrain => Leaks::RemoveTrain,
            LeaksArg::RemoveTest => Leaks::RemoveTest,
        }
    }
}

impl From<CopiesArg> for Copies {
    fn from(arg: CopiesArg) -> Copies {
        match arg {
            CopiesArg::KeepLarger => Copies::KeepLarger,
            CopiesArg::KeepSharper => Copies::KeepSharper,
            CopiesArg::KeepLabeled => Copies::KeepLabeled,
            CopiesArg::KeepOlder => Copies::KeepOlder,
            CopiesArg::KeepTest => Copies::KeepTest,
        }
    }
}

/// Makes the plan, writes it and shows it.
pub(super) fn run(args: &Plan, global: &Global) -> Result<ExitCode> {
    // It may be the plan that was applied, which a rollback asks for.
    if let Some(path) = args.output.as_deref() {
        targets::replace(path, args.force || !path.exists())?;
    }
    let listing = Listing::open_as(&args.target, global, args.reviewer.as_deref(), DatasetState::Whole)?;
    if let Some(path) = &args.output {
        outside(listing.manifest.root(), path)?;
    }
    reading::tell(&listing.reading, "", global.quiet);
    let outputs = listing.outputs(None)?;
    let policies = Policies { leaks: args.leaks.map(Leaks::from), copies: args.copies.map(Copies::from) };
    let stages = Stages::new(1, global.quiet)?;
    let made = stages.run("plan", 1, |job| outputs.plan_to_apply(policies, job));
    stages.finish();
    let (plan, left) = match made {
        Err(Error::Stopped) => return Ok(ExitCode::from(INTERRUPTED)),
        made => made?,
    };
    for remark in outputs.changed_remarks(["not planned; scan again, then plan again"; 2]) {
        warning(remark.about, &remark.text);
    }
    if let Some(words) = listing.journal.disputes(outputs.decisions()).words() {
        let choose =
            if args.reviewer.is_some() { "" } else { "; --reviewer NAME chooses whose decisions win" };
        warning("decisions", &format!("{words}{choose}"));
    }
    if let Some(words) = left {
        warning("labels", &words);
    }
    if let Some(output) = &args.output {
        plan.save(output)?;
    }
    results(|out| match args.format {
        PlanFormat::Json => json(out, &plan),
        PlanFormat::Text => write(out, &plan),
    })?;
    if let Some(output) = args.output.as_ref().filter(|_| !global.quiet && !plan.changes.is_empty()) {
        remark(&format!("to carry it out: chaffinch apply {} --output DIR", quoted(output)));
    }
    Ok(ExitCode::SUCCESS)
}

fn write(out: &mut dyn Write, plan: &repair::Plan) -> Result<()> {
    writeln!(
        out,
        "{}: {}, {}, {}, {}",
        safe_path(&plan.dataset.path()),
        count(plan.samples, "sample", "samples"),
        format_args!("{} removed", plan.removed()),
        format_args!("{} relabeled", plan.relabeled()),
        format_args!("{} moved to another split", plan.moved())
    )?;
    if plan.counts.changed().next().is_some() {
        writeln!(out)?;
        let mut align = [Align::Right; 7];
        align[..2].fill(Align::Left);
        let columns: Vec<(&str, Align)> = Count::COLUMNS.into_iter().zip(align).collect();
        let mut table = Table::new(&columns);
        plan.counts.changed().for_each(|one| table.row(one.cells().into()));
        table.write(out, terminal_width())?;
        writeln!(out)?;
    }
    plan.changes.iter().try_for_each(|change| writeln!(out, "{}", change.words()))?;
    if !plan.conflicts.is_empty() {
        let conflicts = count(plan.conflicts.len() as u64, "conflict", "conflicts");
        writeln!(out, "\n{conflicts}, in which nothing is changed:")?;
        plan.conflicts.iter().try_for_each(|conflict| writeln!(out, "{}", conflict.words()))?;
    }
    Ok(())
}
