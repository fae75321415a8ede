//! Labels from paths, by a regular expression of the user.

use super::Opened;
use super::names_of_parts::split_named;
use crate::{Error, Result};
use chaffinch_data::as_written::TextsBuilder;
use chaffinch_data::class_names;
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_protocol::sample::{SampleId, Split};
use regex::bytes::Regex;
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;

/// The groups that count.
const LABEL: &str = "label";
const SPLIT: &str = "split";
/// Names to show in a remark.
const SHOWN: usize = 3;

/// Takes the labels of samples from their paths. A sample whose path does not match has no label.
///
/// # Errors
/// When the pattern is none, has no group `label`, or matches no path.
pub(super) fn take(opened: Opened, pattern: &str) -> Result<Opened> {
    let Opened { manifest, mut ledger } = opened;
    let invalid = |what: &str| Error::Invalid(format!("--label-pattern {}: {what}", excerpt(pattern)));
    let regex = Regex::new(pattern).map_err(|error| invalid(&reason(&error)))?;
    let groups: Vec<&str> = regex.capture_names().flatten().collect();
    if !groups.contains(&LABEL) {
        return Err(invalid(
            "it has no group called label; write (?<label>…) around the part that is the label",
        ));
    }
    let mut labels: Vec<Option<String>> = Vec::with_capacity(manifest.len());
    let mut splits: Vec<Split> = Vec::with_capacity(manifest.len());
    let mut written = TextsBuilder::default();
    let mut strange: BTreeSet<String> = BTreeSet::new();
    let (mut bare, mut without_split) = (Vec::new(), 0_u64);
    for id in manifest.ids() {
        let path = manifest.path(id).as_os_str().as_bytes();
        let captures = regex.captures(path);
        let group = |name: &str| {
            let found = captures.as_ref().and_then(|captures| captures.name(name));
            found.map(|found| class_names::of_bytes(found.as_bytes())).filter(|text| !text.trim().is_empty())
        };
        let label = group(LABEL);
        if label.is_none() {
            bare.push(id);
        }
        labels.push(label);
        let (mut split, mut text) = (manifest.split(id), manifest.split_as_written(id).to_owned());
        if let Some(name) = group(SPLIT) {
            split = split_named(&name).unwrap_or_default();
            if split == Split::None {
                without_split += 1;
                strange.insert(name.clone());
            }
            text = name;
        }
        splits.push(split);
        written.push(&text);
    }
    if bare.len() == manifest.len() {
        let first = safe_path(manifest.path(SampleId(0)));
        return Err(invalid(&format!("it finds a label in none of the paths; the first is {first}")));
    }
    ledger.remarks.retain(|remark| remark.kind != RemarkKind::LabelsMissing);
    let taken = (manifest.len() - bare.len()) as u64;
    let text = format!(
        "the labels of {} were taken from their paths by --label-pattern",
        counted(taken, "image", "images")
    );
    ledger.add(RemarkKind::LayoutGuessed, taken, text);
    let shown: Vec<String> = bare.iter().take(SHOWN).map(|&id| safe_path(manifest.path(id))).collect();
    let more = if bare.len() > SHOWN { ", …" } else { "" };
    let (images, shown) = (counted(bare.len() as u64, "image has", "images have"), shown.join(", "));
    let text = format!("{images} no label, because --label-pattern finds none in their paths: {shown}{more}");
    ledger.add(RemarkKind::LabelsMissing, bare.len() as u64, text);
    let names: Vec<String> = strange.iter().take(SHOWN).map(|name| format!("'{}'", excerpt(name))).collect();
    let text = format!(
        "{} a split other than train, validation or test, which counts as none: {}",
        counted(without_split, "path has", "paths have"),
        names.join(", ")
    );
    ledger.add(RemarkKind::LayoutGuessed, without_split, text);
    let manifest = manifest.with_labels(&labels).with_splits(&splits).with_written_splits(written.finish());
    Ok(Opened { manifest, ledger })
}

/// What is wrong with a pattern, on one line.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::Syntax(text) => {
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DatasetOptions, list};
    use super::*;
    use std::fs;
    use std::path::Path;

    fn read(files: &[&str], pattern: &str) -> Result<Opened> {
        let temp = tempfile::tempdir().unwrap();
        for file in files {
            let path = temp.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        let options = DatasetOptions { label_pattern: Some(pattern.into()), ..DatasetOptions::default() };
        list(temp.path(), &options).map(|(_, opened)| opened)
    }

    #[test]
    fn labels_and_splits_come_from_paths() {
        let files = ["a/tr_cat-1.png", "a/te_dog-2.png", "b/notes.png"];
        let opened = read(&files, r"(?<split>tr|test|te)?_(?<label>[a-z]+)-\d+\.png$").unwrap();
        let manifest = &opened.manifest;
        let all: Vec<(&Path, &str)> =
            manifest.ids().map(|id| (manifest.path(id), manifest.label_name(id))).collect();
        assert_eq!(
            all,
            [
                (Path::new("a/te_dog-2.png"), "dog"),
                (Path::new("a/tr_cat-1.png"), "cat"),
                (Path::new("b/notes.png"), "")
            ]
        );
        let texts: Vec<&str> = opened.ledger.remarks.iter().map(|remark| remark.text.as_str()).collect();
        assert!(texts.iter().any(|text| text.starts_with("1 image has no label")), "{texts:?}");
        let opened =
            read(&["1.test.cat.png", "2.train.dog.png"], r"\.(?<split>\w+)\.(?<label>\w+)\.").unwrap();
        assert_eq!(opened.manifest.classes(), ["cat", "dog"]);
        assert_eq!(
            opened.manifest.ids().map(|id| opened.manifest.split(id)).collect::<Vec<_>>(),
            [Split::Test, Split::Train]
        );
    }

    #[test]
    fn a_pattern_that_cannot_work_says_why() {
        let error = |pattern: &str| read(&["cat/1.png"], pattern).unwrap_err().to_string();
        assert!(error("(").contains("--label-pattern (: unclosed group"), "{}", error("("));
        assert!(error("(cat)").contains("no group called label"), "{}", error("(cat)"));
        assert!(error("(?<label>dog)").contains("none of the paths; the first is cat/1.png"));
    }
}
