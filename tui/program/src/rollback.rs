//! `rollback`: restores a dataset as it was before a plan was applied in place.

use super::args::Global;
use super::interrupt::INTERRUPTED;
use super::output::{count, remark, results};
use super::place;
use super::stages::Stages;
use anyhow::{Context, Result, bail};
use chaffinch_data::Error;
use chaffinch_formats::repair::{self, Applied, Found, State};
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
    let Some(found) = find(&args.target, global)? else { return Ok(ExitCode::SUCCESS) };
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
    results(|out| Ok(writeln!(out, "{}: {}", safe_path(&found.dataset), words(&found, &undone))?))?;
    Ok(ExitCode::SUCCESS)
}

/// What was done now, in words; the counts are those of the plan, undone.
fn words(found: &Found, undone: &Applied) -> String {
    if found.state != State::Applied {
        return "restored as it was before the plan was begun".to_owned();
    }
    let parts = [
        (undone.removed, "removed file was put back", "removed files were put back"),
        (undone.moved, "moved file was moved back", "moved files were moved back"),
        (
            undone.rewritten,
            "rewritten file got its old contents back",
            "rewritten files got their old contents back",
        ),
    ];
    let parts = parts.into_iter().filter(|(number, ..)| *number > 0);
    let parts: Vec<String> = parts.map(|(number, one, many)| count(number, one, many)).collect();
    format!("restored: {}", parts.join(", "))
}

/// The dataset that is meant. One that is a file may itself be among what was taken away.
fn dataset(target: &Path, global: &Global) -> Result<PathBuf> {
    let named = std::path::absolute(target).with_context(|| format!("cannot find {}", safe_path(target)))?;
    match repair::found(&named).is_empty() {
        false => Ok(named),
        true => Ok(place::find(target, global)?.dataset),
    }
}

/// What is to be undone; `None` if all that there was has been removed: what a program left behind that had changed nothing.
fn find(target: &Path, global: &Global) -> Result<Option<Found>> {
    // Only what is in a file tells a plan from a dataset: both may be called .json.
    let (plan, not_a_plan) = match target.is_file().then(|| Plan::load(target)) {
        Some(Ok(plan)) => (Some(plan), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    let dataset = match &plan {
        Some(plan) => plan.dataset.path(),
        None => dataset(target, global)?,
    };
    let left = repair::remove_leftovers(&dataset)?;
    let all = repair::found(&dataset);
    let Some(last) = all.first() else {
        let shown = safe_path(&dataset);
        for folder in &left {
            remark(&format!(
                "{} was left behind by a program that changed nothing; it was removed",
                safe_path(folder)
            ));
        }
        match not_a_plan.filter(|_| target.extension().is_some_and(|name| name == "json")) {
            _ if !left.is_empty() => return Ok(None),
            Some(error) => bail!(
                "nothing was applied to {shown} in place, so there is nothing to roll back; if it is meant as a plan: {error}"
            ),
            None => bail!("nothing was applied to {shown} in place, so there is nothing to roll back"),
        }
    };
    let Some(plan) = plan else { return Ok(Some(last.clone())) };
    match all.iter().position(|one| one.plan == plan.id()) {
        Some(0) => Ok(Some(last.clone())),
        Some(_) => bail!(
            "another plan was applied to {} after this one; roll that back first: chaffinch rollback DATASET",
            safe_path(&dataset)
        ),
        None => bail!("this plan was not applied to {} in place, or was rolled back", safe_path(&dataset)),
    }
}
