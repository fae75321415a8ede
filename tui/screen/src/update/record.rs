//! Everything known about a sample as one line of JSON, for the clipboard.

use crate::model::Model;
use serde_json::{Value, json};

/// The record of the sample under the cursor; none until its row is loaded.
pub(super) fn record(model: &Model) -> Option<String> {
    let row = model.row()?;
    let detail = model.details.get(row.sample);
    let issues: Vec<Value> = detail
        .map(|detail| detail.issues.as_slice())
        .unwrap_or_default()
        .iter()
        .map(|issue| {
            json!({
                "detector": issue.detector,
                "score": issue.score,
                "flagged": issue.flagged,
                "suggested": model.class(issue.suggested),
                "reason": issue.reason,
            })
        })
        .collect();
    let record = json!({
        "path": detail.map_or(&row.path, |detail| &detail.full_path),
        "label": model.class(row.label),
        "suggested": model.class(row.suggested),
        "score": row.score,
        "split": row.split.name(),
        "decision": model.choice(row).map(ToString::to_string),
        "reviewer": detail.map(|detail| &detail.reviewer).filter(|name| !name.is_empty()),
        "tags": row.decision.as_ref().map(|decision| &decision.tags),
        "note": row.decision.as_ref().map(|decision| &decision.note),
        "issues": issues,
    });
    Some(record.to_string())
}
