//! Visual Layer: exports of issues as CSV or JSON, the tagged manifest made from them, which `export --format manifest`
//! writes, and clusters of duplicates.

mod clusters;
mod records;

use super::class_numbers::Numbering;
use super::detector::Detector;
use super::people::Filled;
use super::{Importer, PATH_COLUMN, Read, Target, file_name, json};
use crate::text::Sheet;
use crate::{Error, Result};
use chaffinch_data::class_names;
use chaffinch_data::issue::Issue;
use chaffinch_data::nearest::hint;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::display::{counted, excerpt};
use chaffinch_protocol::sample::SampleId;
pub(super) use records::{Records, is_manifest};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(super) const IMPORTER: Importer = Importer {
    name: "visual-layer",
    summary: "Visual Layer's issues and clusters, and tagged manifests with tags, actions and reviewers",
    files: "CSV or JSON with `image_path`, `issue_type`, `confidence`, `suggested_label`, `reason`; manifests with \
            `user_tags`, `user_action`, `new_label`, `reviewer`, `review_date`, `notes`; JSON of clusters",
    in_folder: &[],
    options: &[PATH_COLUMN],
    read,
};

/// Samples to name in a sentence.
const SHOWN: usize = 3;

fn read(files: &[PathBuf], target: &Target<'_>) -> Result<Read> {
    let mut read = Read::default();
    for file in files {
        let extension = file.extension().map(|extension| extension.to_ascii_lowercase());
        if extension.is_some_and(|extension| extension == "json") {
            let value = json::read(file)?;
            match clusters::of(&value) {
                Some(clusters) => clusters::read(file, clusters, target, &mut read)?,
                None => {
                    records(&Records::of_json(file, objects(file, &value)?, target), target, true, &mut read)?
                }
            }
        } else {
            records(&Records::of_sheet(&Sheet::read(file)?, target)?, target, true, &mut read)?;
        }
    }
    Ok(read)
}

/// The objects of a JSON export: a list, or one under any key.
fn objects<'a>(file: &Path, value: &'a Value) -> Result<&'a [Value]> {
    let list = match value {
        Value::Array(all) => Some(all),
        Value::Object(map) => {
            map.values().filter_map(Value::as_array).find(|all| all.iter().any(Value::is_object))
        }
        _ => None,
    };
    let list = list.filter(|all| !all.is_empty() && all.iter().all(Value::is_object));
    list.map(Vec::as_slice).ok_or_else(|| Error::format(file, "it has no list of images with their issues"))
}

/// Takes the issues of records, if `issues`, and what people said.
pub(super) fn records(records: &Records, target: &Target<'_>, issues: bool, read: &mut Read) -> Result<()> {
    let samples = records.samples(target, read)?;
    records.tell_other_labels(&samples, target, read);
    let said = records.all.iter().zip(&samples);
    let given: Vec<_> =
        said.filter_map(|(record, sample)| Some(((*sample)?, record.original.clone()))).collect();
    let suggested = records.all.iter().map(|record| record.suggested.clone()).collect();
    let file = file_name(&records.file);
    let classes = Numbering::of((&file, true), &given, &suggested, target, read);
    let classes = classes.map_err(|why| Error::format(&records.file, why))?;
    let mut detectors: BTreeMap<String, Detector> = BTreeMap::new();
    let mut own: BTreeSet<&str> = BTreeSet::new();
    let mut problems: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    // New labels that are not classes yet.
    let mut strange: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    // Labels that are not those of the sample, and what was decided about each by whom.
    let mut relabeled: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut decided: BTreeMap<(Option<String>, SampleId), (Choice, u64)> = BTreeMap::new();
    let (mut again, mut undated): (Vec<u64>, Vec<u64>) = Default::default();
    for (record, sample) in records.all.iter().zip(&samples) {
        let Some(id) = *sample else { continue };
        let kind = record.issue.as_str();
        if issues && !kind.is_empty() && target.own.contains(kind) {
            own.insert(kind);
        } else if issues && !kind.is_empty() {
            let detector = detectors.entry(kind.to_owned()).or_insert_with(|| {
                Detector::new(kind, format!("Visual Layer says: {}", kind.replace('_', " ")))
            });
            let confidence = records.confidence(record)?;
            let name = classes.name(&record.suggested, target);
            let suggested = detector.suggestion(id, name, target);
            let reason = match record.reason.as_str() {
                "" if !name.is_empty() => format!("Visual Layer suggests {name}"),
                reason => reason.to_owned(),
            };
            let issue = Issue { score: 1.0 - confidence, suggested, reason, ..Issue::default() };
            detector.add(id, issue, true);
        }
        let (said, problem) = record.filled.said(target.manifest.label_name(id));
        if let Some((reviewer, mut said)) = said {
            let given = target.manifest.label_name(id);
            if said.choice.is_some() && !record.original.is_empty() && !same_label(&record.original, given) {
                let both = format!("'{}' instead of '{}'", excerpt(&record.original), excerpt(given));
                relabeled.entry(both).or_default().push(record.line);
            }
            if said.is_undated() {
                undated.push(record.line);
            }
            if let Some(choice) = said.choice.clone() {
                let first = decided.entry((reviewer.clone(), id)).or_insert((choice.clone(), record.line));
                if first.0 != choice {
                    again.extend([first.1, record.line]);
                    said.choice = None;
                }
            }
            if let Some(Choice::Relabel(label)) = &said.choice
                && target.manifest.find_class(label).is_none()
            {
                strange.entry(label.clone()).or_default().push(record.line);
            }
            if !said.is_empty() {
                read.said.push((reviewer, id, said));
            }
        }
        if let Some(problem) = problem {
            problems.entry(problem).or_default().push(record.line);
        }
    }
    let listed: BTreeSet<SampleId> = samples.iter().flatten().copied().collect();
    for (_, mut detector) in detectors {
        detector.rest_is_fine(listed.iter().copied());
        read.detectors.push(detector);
    }
    let at = |lines: &[u64]| {
        let shown: Vec<String> = lines.iter().take(SHOWN).map(u64::to_string).collect();
        let more = if lines.len() > SHOWN { ", …" } else { "" };
        format!("{} {}{more} of {}", records.unit, shown.join(", "), file_name(&records.file))
    };
    for (problem, lines) in problems {
        let rows = counted(lines.len() as u64, "row has", "rows have");
        read.warnings.push(format!(
            "{rows} {}, which was not taken as a decision: {}",
            excerpt(&problem),
            at(&lines)
        ));
    }
    for (both, lines) in relabeled {
        let rows = counted(
            lines.len() as u64,
            "row gives its sample the label",
            "rows give their samples the label",
        );
        read.warnings
            .push(format!("{rows} {both}, which the dataset has, and decides about it: {}", at(&lines)));
    }
    if !again.is_empty() {
        again.sort_unstable();
        again.dedup();
        read.warnings.push(format!(
            "rows of one reviewer decide differently about the same sample, and the first of them was taken: {}",
            at(&again)
        ));
    }
    if !undated.is_empty() {
        let dates = counted(undated.len() as u64, "date is", "dates are");
        read.warnings.push(format!(
            "{dates} not written as in 2026-03-31 or 2026-03-31T14:30:00Z, so the time of this import was taken: {}",
            at(&undated)
        ));
    }
    for (label, lines) in strange {
        let rows = counted(lines.len() as u64, "row relabels", "rows relabel");
        let hint = hint(&label, target.manifest.classes().iter().map(String::as_str));
        read.warnings.push(format!(
            "{rows} to '{}', which is not a class of the dataset: {}{hint}",
            excerpt(&label),
            at(&lines)
        ));
    }
    if !own.is_empty() {
        let names: Vec<&str> = own.into_iter().collect();
        let names = excerpt(&names.join(", ")).into_owned();
        read.notes.push(format!(
            "flags of detectors that this session has itself were not imported again: {names}"
        ));
    }
    Ok(())
}

fn same_label(one: &str, other: &str) -> bool {
    class_names::clean(one) == class_names::clean(other)
}

/// Cells of a row that people fill.
pub(super) fn filled(get: &dyn Fn(&[&str]) -> String) -> Filled {
    Filled {
        action: get(&["user_action"]),
        new_label: json::whole(&get(&["new_label"])).to_owned(),
        tags: get(&["user_tags"]),
        note: get(&["notes", "note"]),
        reviewer: get(&["reviewer"]),
        date: get(&["review_date"]),
    }
}
