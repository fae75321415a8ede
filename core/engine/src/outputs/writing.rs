//! Writing what a form says.

use super::fields::Values;
use super::{Outputs, Snapshot, preview};
use crate::{Error, Result};
use chaffinch_compute::job::Job;
use chaffinch_formats::export::{CopyMode, Request};
use chaffinch_formats::repair;
use chaffinch_protocol::display::{counted, quoted, safe_path};
use chaffinch_protocol::{OutputKind, OutputLine, OutputMark};
use chaffinch_review::atlas::Atlas;
use std::collections::BTreeMap;
use std::path::Path;

/// What its progress is called.
pub(crate) fn stage(kind: OutputKind) -> &'static str {
    match kind {
        OutputKind::Export => "export",
        OutputKind::Plan => "plan",
        OutputKind::Report => "report",
        OutputKind::Apply => "apply",
    }
}

/// Writes it, and returns what and where.
///
/// # Errors
/// When something would be replaced without leave, nothing can be written there, or the job is stopped.
pub(crate) fn write(
    kind: OutputKind,
    values: &BTreeMap<String, String>,
    replace: bool,
    snapshot: &Snapshot,
    job: &Job<'_>,
) -> Result<Vec<OutputLine>> {
    let values = Values(values);
    let to = values.to()?;
    snapshot.with(kind == OutputKind::Report, job, |outputs, embeddings| {
        let mut lines = match kind {
            OutputKind::Export => export(&values, &to, replace, outputs, embeddings, job)?,
            OutputKind::Plan => plan(&values, &to, replace, outputs, job)?,
            OutputKind::Report => report(&values, &to, replace, outputs, job)?,
            OutputKind::Apply => apply(&values, &to, outputs, job)?,
        };
        lines.extend(
            outputs.remarks("; the list of conflicts settles them").iter().map(super::OutputRemark::line),
        );
        Ok(lines)
    })
}

/// Nothing is written over anything unless that was asked for.
fn leave(exists: bool, replace: bool, to: &Path) -> Result<()> {
    match exists && !replace {
        true => Err(Error::Invalid(format!("{} already exists; choose another path", safe_path(to)))),
        false => Ok(()),
    }
}

fn text(words: String) -> OutputLine {
    OutputLine::new(OutputMark::Text, words)
}

fn remark(words: String) -> OutputLine {
    OutputLine::new(OutputMark::Remark, words)
}

fn warning(words: &str) -> OutputLine {
    OutputLine::new(OutputMark::Warning, words)
}

/// What was not written, each with the reason.
fn left_out(reasons: &[String]) -> Vec<OutputLine> {
    let words = |reason: &str| format!("left out: {reason}");
    preview::first(OutputMark::Warning, reasons, words, ("file", "files"))
}

fn export(
    values: &Values<'_>,
    to: &Path,
    replace: bool,
    outputs: &Outputs<'_>,
    embeddings: &dyn Fn() -> Option<Atlas>,
    job: &Job<'_>,
) -> Result<Vec<OutputLine>> {
    let format = values.export_format()?;
    leave(format.would_replace(to), replace, to)?;
    let request = Request {
        output: to.to_path_buf(),
        all: values.get(super::fields::SAMPLES) == "all",
        copy: values.copy_mode(CopyMode::Link),
        formulas: values.formulas(),
        ..Request::default()
    };
    let written = outputs.export(format, request, embeddings, job)?;
    let decided = counted(outputs.decisions().decided() as u64, "decision", "decisions");
    // Of several files, none has all decisions.
    let summary = written.summary.or_else(|| (written.paths.len() == 1).then_some(decided));
    let summary = summary.map_or_else(String::new, |summary| format!(": {summary}"));
    let mut lines: Vec<OutputLine> =
        written.paths.iter().map(|path| text(format!("{}{summary}", safe_path(path)))).collect();
    lines.extend(left_out(&written.left_out));
    lines.extend(written.warning.iter().map(|words| warning(words)));
    let renamed = |reason: &str| format!("renamed: {reason}");
    lines.extend(preview::first(OutputMark::Warning, &written.renamed, renamed, ("file", "files")));
    lines.extend(written.notes.into_iter().map(remark));
    Ok(lines)
}

fn plan(
    values: &Values<'_>,
    to: &Path,
    replace: bool,
    outputs: &Outputs<'_>,
    job: &Job<'_>,
) -> Result<Vec<OutputLine>> {
    leave(to.exists(), replace, to)?;
    chaffinch_data::output::outside(outputs.subject.source.manifest.root(), to)?;
    let (plan, left) = outputs.plan_to_apply(values.policies(), job)?;
    plan.save(to)?;
    let file = quoted(to);
    let mut lines = vec![text(format!("{}: {}", safe_path(to), preview::totals(&plan)))];
    lines.extend(left.as_deref().map(warning));
    lines.push(remark(format!("to make a changed copy: chaffinch apply {file} --output DIR")));
    lines.push(remark(format!(
        "to change the dataset itself: chaffinch apply {file} --in-place, and chaffinch rollback {file} undoes it"
    )));
    Ok(lines)
}

fn report(
    values: &Values<'_>,
    to: &Path,
    replace: bool,
    outputs: &Outputs<'_>,
    job: &Job<'_>,
) -> Result<Vec<OutputLine>> {
    leave(to.exists(), replace, to)?;
    let format = values.report_format()?;
    let request = chaffinch_report::Request {
        output: to.to_path_buf(),
        top: values.top(format),
        thumbnails: values.thumbnails(),
        plots: None,
    };
    let written = outputs.report(format, &request, job)?;
    let suspects = counted(written.suspects, "suspect", "suspects");
    let of = match format.lists && written.listed < written.suspects {
        true => format!("{} of {suspects}", written.listed),
        false => suspects,
    };
    Ok(written.paths.iter().map(|path| text(format!("{}: {of}", safe_path(path)))).collect())
}

fn apply(values: &Values<'_>, to: &Path, outputs: &Outputs<'_>, job: &Job<'_>) -> Result<Vec<OutputLine>> {
    let plan = outputs.plan(values.policies(), job)?;
    if plan.changes.is_empty() {
        return Err(Error::Invalid("nothing would be changed: decide first, or choose a policy".into()));
    }
    let copied = repair::apply_to(&plan, to, values.copy_mode(CopyMode::Auto), job)?;
    let mut lines =
        vec![text(format!("{}: {}", safe_path(to), copied.words())), text(preview::totals(&plan))];
    lines.extend(left_out(&copied.left_out));
    if copied.placed.hard > 0 {
        lines.push(remark(
            "the files are hard links to those of the dataset: a program that changes one in place changes both".into(),
        ));
    }
    if let Some(labels) = &copied.labels {
        lines.push(remark(format!("its labels are in {}", safe_path(&to.join(labels)))));
    }
    Ok(lines)
}
