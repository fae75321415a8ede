//! `apply`: carries out a plan, as a copy or in place.

use super::args::{CopyMode, Global};
use super::ask;
use super::interrupt::INTERRUPTED;
use super::output::{count, remark, results, warning};
use super::stages::Stages;
use anyhow::{Result, bail};
use chaffinch_data::Error;
use chaffinch_formats::repair::{self, Applied};
use chaffinch_protocol::display::{quoted, safe_path};
use chaffinch_review::repair::Plan;
use clap::{ArgGroup, Args};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Carry out a plan: write a changed copy of the dataset, or change it in place
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("where").required(true).args(["output", "in_place"]))]
pub(super) struct Apply {
    /// Plan written by chaffinch plan
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Folder to write the changed dataset to; must be new or empty
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// How to create files that do not change, with --output
    #[arg(long, value_enum, default_value = "auto")]
    copy: CopyMode,
    /// Change the dataset itself; removed files are kept beside it, and chaffinch rollback restores everything
    #[arg(long)]
    in_place: bool,
    /// Do not ask before changing the dataset
    #[arg(long, requires = "in_place")]
    yes: bool,
}

/// Carries out the plan.
pub(super) fn run(args: &Apply, global: &Global) -> Result<ExitCode> {
    let plan = Plan::load(&args.plan)?;
    match &args.output {
        Some(output) => copy(args, &plan, output, global),
        None => in_place(args, &plan, global),
    }
}

fn copy(args: &Apply, plan: &Plan, output: &Path, global: &Global) -> Result<ExitCode> {
    let stages = Stages::new(1, global.quiet)?;
    let made = stages.run("apply", 1, |job| repair::apply_to(plan, output, args.copy.into(), job));
    stages.finish();
    let copied = match made {
        Err(Error::Stopped) => {
            remark("stopped; nothing was written");
            return Ok(ExitCode::from(INTERRUPTED));
        }
        made => made?,
    };
    copied.left_out.iter().for_each(|reason| warning("left out", reason));
    if copied.placed.hard > 0 && !global.quiet {
        remark(
            "note: the files are hard links to those of the dataset: a program that changes one in place changes both; \
             --copy copy makes full copies",
        );
    }
    if let Some(labels) = copied.labels.as_ref().filter(|_| !global.quiet) {
        remark(&format!(
            "note: its labels are in {0}; scan it with --labels {0}",
            safe_path(&output.join(labels))
        ));
    }
    results(|out| Ok(writeln!(out, "{}: {}; {}", safe_path(output), copied.words(), changes(plan))?))?;
    Ok(ExitCode::SUCCESS)
}

fn in_place(args: &Apply, plan: &Plan, global: &Global) -> Result<ExitCode> {
    if !args.yes {
        let question = format!("Change {} in place ({})?", safe_path(&plan.dataset.path()), changes(plan));
        match ask::yes(&question, false) {
            Some(true) => {}
            Some(false) => {
                remark("nothing was changed");
                return Ok(ExitCode::SUCCESS);
            }
            None => bail!("--in-place changes the dataset itself; confirm it with --yes"),
        }
    }
    let stages = Stages::new(1, global.quiet)?;
    let made = stages.run("apply", 1, |job| repair::apply_in_place(plan, job));
    stages.finish();
    let file = quoted(&args.plan);
    let applied = match made {
        Err(Error::Stopped) => {
            remark(&format!(
                "stopped; to go on: chaffinch apply {file} --in-place; to undo what was done: chaffinch rollback {file}"
            ));
            return Ok(ExitCode::from(INTERRUPTED));
        }
        made => made?,
    };
    results(|out| Ok(writeln!(out, "{}: {}", safe_path(&plan.dataset.path()), words(&applied))?))?;
    if !global.quiet {
        let folder = safe_path(&applied.folder);
        remark(&format!("to undo it: chaffinch rollback {file}; to keep it for good: remove {folder}"));
        remark("the session knows of the changes after the next chaffinch scan");
    }
    Ok(ExitCode::SUCCESS)
}

fn changes(plan: &Plan) -> String {
    let (removed, relabeled, moved) = (plan.removed(), plan.relabeled(), plan.moved());
    format!(
        "{} removed, {relabeled} relabeled, {moved} moved to another split",
        count(removed, "sample", "samples")
    )
}

/// What was done to files, in words.
fn words(applied: &Applied) -> String {
    let files = count(applied.removed, "file", "files");
    format!("{files} removed, {} moved, {} rewritten", applied.moved, applied.rewritten)
}
