//! `rollback`: restores a dataset as it was before a plan was applied in place.

use super::args::Global;
use super::interrupt::INTERRUPTED;
use super::output::{remark, results};
use super::stages::Stages;
use super::{apply, place};
use anyhow::{Result, bail};
use chaffinch_data::Error;
use chaffinch_formats::repair::{self, Found};
use chaffinch_protocol::display::safe_path;
use chaffinch_review::repair::Plan;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Undo a plan that was applied in place: restore every file as it was
#[derive(Debug, Args)]
pub(super) struct Rollback {
    /// Plan, or the dataset or its session for the plan that was applied last
    #[arg(value_name = "PLAN|SESSION")]
    target: PathBuf,
}

/// Restores the files.
pub(super) fn run(args: &Rollback, global: &Global) -> Result<ExitCode> {
    let found = find(&args.target, global)?;
    let stages = Stages::new(1, global.quiet)?;
    let undone = stages.run("roll back", 1, |job| repair::rollback(&found, job));
    stages.finish();
    let undone = match undone {
        Err(Error::Stopped) => {
            remark("stopped; run the same command to go on");
            return Ok(ExitCode::from(INTERRUPTED));
        }
        undone => undone?,
    };
    results(|out| Ok(writeln!(out, "{}: restored ({})", safe_path(&found.dataset), apply::words(&undone))?))?;
    Ok(ExitCode::SUCCESS)
}

fn find(target: &Path, global: &Global) -> Result<Found> {
    // A table may be called .json as little as a plan is a table.
    let plan = match target.is_file().then(|| Plan::load(target)) {
        Some(Ok(plan)) => Some(plan),
        Some(Err(error)) if target.extension().is_some_and(|name| name == "json") => return Err(error.into()),
        _ => None,
    };
    let dataset = match &plan {
        Some(plan) => plan.dataset.path(),
        None => place::find(target, global)?.dataset,
    };
    let all = repair::found(&dataset);
    let Some(last) = all.first() else {
        bail!("nothing was applied to {} in place, so there is nothing to roll back", safe_path(&dataset));
    };
    let Some(plan) = plan else { return Ok(last.clone()) };
    match all.iter().position(|one| one.plan == plan.id()) {
        Some(0) => Ok(last.clone()),
        Some(_) => bail!(
            "another plan was applied to {} after this one; roll that back first: chaffinch rollback DATASET",
            safe_path(&dataset)
        ),
        None => bail!("this plan was not applied to {} in place, or was rolled back", safe_path(&dataset)),
    }
}
