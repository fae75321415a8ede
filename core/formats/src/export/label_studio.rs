//! Tasks of Label Studio: pictures by their paths on its server, suggestions as predictions, decisions as annotations.

use super::{Export, Format, Request, Target, Written};
use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_data::packing::Source;
use chaffinch_data::{atomic, class_names};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::sample::SampleId;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "label-studio",
    summary: "Tasks of Label Studio: suggestions as predictions, decisions as annotations",
    file_name: "tasks.json",
    target: Target::File,
    stage: None,
    guards: false,
    write,
};

fn write(export: &Export<'_>, request: &Request, _job: &Job<'_>) -> Result<Written> {
    export.outside(&request.output)?;
    let manifest = export.source.manifest;
    let mut written = Written::file(&request.output);
    let above = manifest.root().parent().unwrap_or(Path::new("/"));
    let (mut tasks, mut packed) = (0_u64, 0_u64);
    atomic::write(&request.output, |out| {
        out.write_all(b"[")?;
        for id in manifest.ids() {
            let Source::File(file) = manifest.source(id) else {
                packed += 1;
                continue;
            };
            let Ok(below) = file.strip_prefix(above) else {
                let path = safe_path(&file);
                written.left_out.push(format!("{path}: it is outside {}", safe_path(above)));
                continue;
            };
            out.write_all(if tasks == 0 { b"\n" } else { b",\n" })?;
            tasks += 1;
            serde_json::to_writer(&mut *out, &task(export, id, below)).map_err(io::Error::from)?;
        }
        out.write_all(b"\n]\n")
    })?;
    if packed > 0 {
        let pictures = counted(packed, "picture lies", "pictures lie");
        written.left_out.push(format!(
            "{pictures} in other files, where Label Studio cannot read them; export the dataset with --format hf, \
             and scan that"
        ));
    }
    if tasks > 0 {
        written.notes.push(format!(
            "Label Studio finds the pictures if it runs with LOCAL_FILES_SERVING_ENABLED=true and \
             LOCAL_FILES_DOCUMENT_ROOT={}",
            safe_path(above)
        ));
    }
    written.summary = Some(counted(tasks, "task", "tasks"));
    Ok(written)
}

fn task(export: &Export<'_>, id: SampleId, below: &Path) -> Value {
    let (manifest, decisions) = (export.source.manifest, export.source.decisions);
    let choice = |label: &str| {
        json!([{
            "from_name": "choice", "to_name": "image", "type": "choices", "value": {"choices": [label]},
        }])
    };
    let result = |label: &str| if label.is_empty() { json!([]) } else { choice(label) };
    let annotations: Vec<Value> = match decisions.get(id).map(|decision| &decision.choice) {
        Some(Choice::Keep | Choice::Relabel(_)) => {
            vec![json!({"result": result(&export.label(id)), "was_cancelled": false})]
        }
        // Skipped: it has no right label.
        Some(Choice::Remove) => vec![json!({"result": [], "was_cancelled": true})],
        Some(Choice::Unsure) | None => Vec::new(),
    };
    let flags = export.source.verdicts().worst_first(id).into_iter();
    let predictions: Vec<Value> = flags
        .filter_map(|flag| {
            let label = export.suggested_by(export.source.results.get(flag.detector)?, id)?;
            // Its certainty, where 1 is sure.
            let score = (f64::from(1.0 - flag.score) * 1e6).round() / 1e6;
            Some(json!({"model_version": flag.detector, "score": score, "result": choice(label)}))
        })
        .collect();
    let data = json!({
        "image": format!("/data/local-files/?d={}", encoded(below)),
        "path": class_names::of_bytes(manifest.path(id).as_os_str().as_bytes()),
        "label": manifest.label_name(id),
        "split": manifest.split_as_written(id),
        "decision": export.decision(id),
        "tags": decisions.tags(id),
        "note": decisions.note(id),
        "reviewer": decisions.review(id).map_or("", |review| review.author),
        "reason": export.source.verdicts().reason(id),
    });
    json!({"id": id.0 + 1, "data": data, "annotations": annotations, "predictions": predictions})
}

/// A path in the query of an address (RFC 3986): bytes other than letters, digits and `-._~/` as `%XX`.
fn encoded(path: &Path) -> String {
    let mut out = String::new();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
