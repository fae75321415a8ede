//! What the engine says, as JSON for an assistant: names in place of numbers, and ids that cannot name another sample.

use super::review::Review;
use anyhow::{Result, bail};
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::dataset::DatasetFindings;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Detail, DetailRelated, Row, SessionSummary};
use serde_json::{Map, Value, json};

/// Related samples and entries of the history that are told.
const MOST: usize = 10;

/// What a sample is known by: its path, the label that it has in the dataset, and its contents.
struct Known<'a> {
    path: &'a str,
    label: Option<&'a str>,
    content: &'a str,
}

impl Known<'_> {
    /// Eight digits.
    fn digits(&self) -> String {
        let Known { path, label, content } = self;
        let all = format!("{path}\0{}\0{content}", label.unwrap_or_default());
        ContentHash::of(all.as_bytes()).to_string()[..8].to_owned()
    }
}

/// What an assistant calls a sample: its number, and eight digits of what it is known by, so that a number that means another
/// sample by now, or another picture, is noticed.
fn handle(summary: &SessionSummary, row: &Row) -> String {
    let known = Known { path: &row.path, label: class(summary, row.label), content: &row.content };
    format!("{}-{}", row.sample.0 + 1, known.digits())
}

/// The same of a sample beside another one.
fn handle_of(summary: &SessionSummary, one: &DetailRelated) -> String {
    let known = Known { path: &one.path, label: class(summary, one.label), content: &one.content };
    format!("{}-{}", one.sample.0 + 1, known.digits())
}

/// The sample of an id, with everything about it.
///
/// # Errors
/// If there is none, or the id is of another sample.
pub(super) fn find(review: &mut Review, id: &str) -> Result<Detail> {
    let number = id.split_once('-').and_then(|(number, _)| number.parse::<u32>().ok());
    let Some(number @ 1..) = number else {
        bail!(
            "'{id}' is not an id of a sample; ids are like 12-1f3a5c7e, and list_samples and search return them"
        );
    };
    if u64::from(number) > review.summary.samples {
        bail!("there is no sample '{id}'; the dataset has {}", review.summary.samples);
    }
    let detail = review.detail(SampleId(number - 1))?;
    if handle(&review.summary, &detail.row) != id {
        bail!("'{id}' is not an id of a sample of the dataset as it is now; list its samples again");
    }
    Ok(detail)
}

/// The session in short.
pub(super) fn summary(review: &Review) -> Value {
    let SessionSummary { dataset, samples, classes, model, detectors, .. } = &review.summary;
    let detector = |one: &chaffinch_protocol::DetectorSummary| json!({ "name": one.name, "finds": one.summary, "flagged": one.flagged, "scored": one.scored, "threshold": one.threshold });
    let mut told = json!({
        "dataset": dataset,
        "samples": samples,
        "suspects": review.summary.suspects,
        "decided": review.summary.decided,
        "disputed": review.summary.disputed,
        "classes": classes,
        "model": model,
        "ranked_by": review.summary.ensemble.name(),
        "detectors": detectors.iter().map(detector).collect::<Vec<_>>(),
        "your_name": review.summary.reviewer,
        "out_of_date": review.summary.stale,
    });
    if let Some(progress) = review.scanning.as_ref().filter(|progress| progress.total > 0) {
        told["scanning"] = json!({ "stage": progress.stage, "done": progress.done, "total": progress.total });
    }
    if !review.troubles.is_empty() {
        told["troubles"] = json!(review.troubles);
    }
    told
}

/// A row of a list.
pub(super) fn row(summary: &SessionSummary, row: &Row) -> Value {
    let flags = row.flags.iter().filter_map(|&flag| summary.detectors.get(usize::from(flag)));
    let mut told = Map::new();
    told.insert("id".into(), json!(handle(summary, row)));
    told.insert("path".into(), json!(row.path));
    told.insert("label".into(), json!(class(summary, row.label)));
    told.insert("suggested_label".into(), json!(class(summary, row.suggested)));
    told.insert("score".into(), json!(row.score));
    told.insert("flagged_by".into(), json!(flags.map(|one| &one.name).collect::<Vec<_>>()));
    told.insert("split".into(), json!(row.split.name()));
    told.insert("decision".into(), json!(row.decision.as_ref().map(|decision| decision.choice.to_string())));
    Value::Object(told)
}

/// Everything about a sample.
pub(super) fn detail(summary: &SessionSummary, detail: &Detail) -> Value {
    let issue = |issue: &chaffinch_protocol::DetailIssue| {
        json!({
            "detector": issue.detector,
            "flags_it": issue.flagged,
            "score": issue.score,
            "threshold": issue.threshold,
            "suggested_label": class(summary, issue.suggested),
            "reason": issue.reason,
            "evidence": related(summary, &issue.related),
        })
    };
    let entry = |entry: &chaffinch_protocol::DetailEntry| json!({ "by": entry.reviewer, "at": entry.at, "what": entry.words, "undone": entry.undone });
    let mut told = row(summary, &detail.row);
    told["width"] = json!(detail.width);
    told["height"] = json!(detail.height);
    told["bytes"] = json!(detail.bytes);
    told["unreadable"] = json!(detail.unreadable);
    told["tags"] = json!(detail.tags);
    told["your_note"] = json!(detail.note);
    let notes = detail.other_notes.iter().map(|(by, note)| json!({ "by": by, "note": note }));
    told["notes_of_others"] = json!(notes.collect::<Vec<_>>());
    told["decided_by"] = json!(Some(&detail.reviewer).filter(|name| !name.is_empty()));
    told["issues"] = json!(detail.issues.iter().map(issue).collect::<Vec<_>>());
    told["candidate_labels"] = json!(
        detail
            .candidates
            .iter()
            .filter_map(|one| summary.classes.get(one.class as usize))
            .collect::<Vec<_>>()
    );
    told["neighbors"] = related(summary, &detail.neighbors);
    told["history"] = json!(detail.history.iter().take(MOST).map(entry).collect::<Vec<_>>());
    if !detail.extra.is_empty() {
        told["columns"] = detail.extra.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    }
    told
}

fn related(summary: &SessionSummary, all: &[DetailRelated]) -> Value {
    let one = |one: &DetailRelated| {
        json!({
            "id": handle_of(summary, one),
            "path": one.path,
            "label": class(summary, one.label),
            "split": one.split.name(),
            "similarity": one.similarity,
        })
    };
    all.iter().take(MOST).map(one).collect()
}

/// What is wrong with the dataset as a whole.
pub(super) fn findings(summary: &SessionSummary, all: &DatasetFindings) -> Value {
    let finding = |one: &chaffinch_protocol::dataset::DatasetFinding| {
        let figures: Map<String, Value> =
            one.figures.iter().map(|figure| (figure.name.clone(), json!(figure.value))).collect();
        json!({
            "kind": one.kind,
            "severity": one.severity.name(),
            "score": one.score,
            "text": one.text,
            "figures": figures,
            "classes": one.classes.iter().filter_map(|&id| summary.classes.get(id as usize)).collect::<Vec<_>>(),
        })
    };
    let unchecked = all.kinds.iter().filter(|kind| !kind.not_checked.is_empty());
    let unchecked = unchecked.map(|kind| json!({ "kind": kind.name, "why": kind.not_checked }));
    json!({
        "findings": all.findings.iter().map(finding).collect::<Vec<_>>(),
        "not_checked": unchecked.collect::<Vec<_>>(),
    })
}

fn class(summary: &SessionSummary, index: Option<u32>) -> Option<&str> {
    summary.classes.get(index? as usize).map(String::as_str)
}
