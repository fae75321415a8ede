//! What workers say beside scores, and what they ask of columns and of other detectors.

use super::death::Ended;
use super::files::{Files, unlent};
use super::message::{Out, RegionsOf, Wanted};
use super::process::Partner;
use super::shared::ANSWERS;
use chaffinch_plugin::{Error, Region, Report, Result, Severity, View};
use serde_json::{Value, json};

/// The numbers of a message, one for each of `count` samples: in it, null where there is none, or in the worker's file.
///
/// # Errors
/// When there are more or fewer, or when the worker did something wrong, for which it is ended.
pub(super) fn numbers(
    worker: &mut impl Partner,
    files: &Files,
    (values, out): (Option<Vec<Option<f32>>>, Option<Out>),
    (what, count): (&str, usize),
) -> std::result::Result<Vec<f32>, Ended> {
    let given = match (&values, &out) {
        (Some(values), None) => values.len(),
        (None, Some(out)) => out.length,
        (None, None) => {
            return Err(worker.end_for(&format!("sent {what} without \"values\" or \"out\"")).into());
        }
        (Some(_), Some(_)) => {
            return Err(worker.end_for(&format!("sent {what} as \"values\" and as \"out\"")).into());
        }
    };
    // Before as much memory is taken as a worker says.
    if given != count {
        return Err(Error::new(format!("wrote {given} {what} for {count} samples")).into());
    }
    match (values, out) {
        (Some(values), _) => Ok(values.iter().map(|value| value.unwrap_or(f32::NAN)).collect()),
        (None, out) => out
            .and_then(|out| files.out.get::<f32>(out.offset, out.length).ok())
            .ok_or_else(|| worker.end_for(&format!("pointed to {what} that it had not written")).into()),
    }
}

/// Writes a finding.
pub(super) fn finding(report: &Report<'_>, severity: &str, text: &str, evidence: &[u32]) -> Result<()> {
    let Some(severity) = Severity::from_name(severity) else {
        let severity = severity.escape_debug();
        return Err(Error::new(format!(
            "writes a finding of the unknown severity '{severity}'; use info, warning or serious"
        )));
    };
    report.finding(severity, text, evidence)
}

/// Writes the regions of one sample.
pub(super) fn regions(report: &Report<'_>, item: &RegionsOf) -> Result<()> {
    let mut regions = Vec::with_capacity(item.boxes.len());
    for one in &item.boxes {
        let [left, top, right, bottom] = one.edges;
        regions.push(Region::new(left, top, right, bottom).label(&one.label));
    }
    report.regions(item.sample, &regions)
}

/// Answers a request for a column or for the scores of another detector.
pub(super) fn answer(view: &View<'_>, wanted: &Wanted, files: &mut Files) -> Result<Value> {
    let shape = [view.len()];
    let answers = &mut files.answers;
    Ok(match wanted {
        Wanted::ColumnNumbers { name } => {
            json!({ "numbers": answers.put(view.column_numbers(name)?, &shape, ANSWERS).map_err(unlent)? })
        }
        Wanted::LabelsOf { name } => {
            json!({ "labels": answers.put(view.labels_of(name)?, &shape, ANSWERS).map_err(unlent)? })
        }
        Wanted::ScoresOf { detector } => {
            json!({ "scores": answers.put(view.scores_of(detector)?, &shape, ANSWERS).map_err(unlent)? })
        }
        Wanted::Column { name } => json!({ "values": view.column(name)? }),
        other => return Err(Error::new(format!("{} is not a column", other.words()))),
    })
}

/// The error for what a worker does not know according to its greeting.
pub(super) fn too_new(revision: u32) -> Error {
    Error::new(format!(
        "sent what is new in revision {revision} of the protocol; greet with \"revision\": {revision}"
    ))
}
