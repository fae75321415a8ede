//! Class names as they are compared: spellings of one name merged, words for "no label" taken as none, names that are
//! several labels taken apart, twins remarked.

use super::several::{ALL_LABELS, BETWEEN};
use super::{ClassNames, Opened, unnamed_classes};
use chaffinch_data::class_names::{self, Combined, Meaning};
use chaffinch_data::manifest::{ExtraColumn, Manifest, NO_LABEL};
use chaffinch_protocol::display::{counted, excerpt};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeMap;

/// Names to show in a remark.
const SHOWN: usize = 4;

/// Cleans the class names of a dataset that was just read, and remarks on what it did and what is doubtful. With
/// `keep_words`, words for "no label" are classes, and so are names that read like several labels.
pub(super) fn clean(opened: Opened, written_by: ClassNames, keep_words: bool) -> Opened {
    let Opened { manifest, mut ledger } = opened;
    let names = manifest.classes();
    let mut counts = vec![0_u64; names.len()];
    for &label in manifest.labels() {
        if label != NO_LABEL {
            counts[label as usize] += 1;
        }
    }
    // Words of programs for "no label" are written in tables, not as the names of folders.
    let in_table =
        written_by == ClassNames::Written || manifest.beside().iter().any(|table| table.label.is_some());
    let meanings = match in_table {
        true => class_names::meanings(names),
        false => names.iter().map(|name| class_names::folder_meaning(name)).collect(),
    };
    let combined = if in_table { class_names::combined(names) } else { Vec::new() };
    // A picture may have several labels, which folders cannot say.
    let several: BTreeMap<usize, Vec<String>> = match keep_words {
        true => BTreeMap::new(),
        false => combined.iter().filter_map(|(index, name)| labels_of(*index, name, &meanings)).collect(),
    };
    let none = |index: usize| {
        let blank = class_names::clean(&names[index]).is_empty();
        let no_label = blank || (meanings[index] == Meaning::NoLabel && !keep_words);
        no_label || several.get(&index).is_some_and(Vec::is_empty)
    };
    let new: Vec<Option<String>> = (0..names.len())
        .map(|index| match several.get(&index).map(Vec::as_slice) {
            Some([one]) => Some(one.clone()),
            Some(_) => None,
            None => (!none(index)).then(|| class_names::clean(&names[index]).into_owned()),
        })
        .collect();
    let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<(String, u64)> {
        let indices = (0..names.len()).filter(|&index| wanted(index));
        indices.map(|index| (shown(&names[index]), counts[index])).collect()
    };
    no_labels(&mut ledger, &of(&none));
    merged(&mut ledger, names, &new, &several);
    doubtful(&mut ledger, &of(&|index| meanings[index] == Meaning::Doubtful && !keep_words));
    several_labels(&mut ledger, &of(&|index| several.get(&index).is_some_and(|labels| labels.len() > 1)));
    let one_of = combined.iter().filter(|(index, name)| match name {
        Combined::Doubtful => true,
        Combined::Labels(parts) => keep_words && parts.len() > 1 && new[*index].is_some(),
    });
    let one_of: Vec<String> = one_of.map(|(index, _)| names[*index].clone()).collect();
    doubtful_names(&mut ledger, &one_of);
    let all = all_labels(&manifest, &several);
    let manifest = manifest.renamed(&new);
    let manifest = match all {
        Some(column) => {
            let extra = manifest.extra().iter().cloned().chain([column]).collect();
            manifest.with_extra(extra)
        }
        None => manifest,
    };
    twins(&mut ledger, manifest.classes());
    if in_table && !unnamed_classes::are_said(&ledger) {
        numbers_among_words(&mut ledger, &manifest);
    }
    Opened { manifest, ledger }
}

/// The labels that a name stands for, without words for "no label" and each once.
fn labels_of(index: usize, name: &Combined, meanings: &[Meaning]) -> Option<(usize, Vec<String>)> {
    let Combined::Labels(parts) = name else { return None };
    let mut labels: Vec<String> = Vec::new();
    for part in parts {
        let label = class_names::clean(part).into_owned();
        let none = class_names::meanings(std::slice::from_ref(&label))[0] == Meaning::NoLabel;
        if !none && !labels.contains(&label) {
            labels.push(label);
        }
    }
    (meanings[index] != Meaning::NoLabel).then_some((index, labels))
}

/// The column of all labels of the samples that have several; `None` if there is none.
fn all_labels(manifest: &Manifest, several: &BTreeMap<usize, Vec<String>>) -> Option<ExtraColumn> {
    let texts: BTreeMap<u32, String> = several
        .iter()
        .filter(|(_, labels)| labels.len() > 1)
        .map(|(&index, labels)| (index as u32, labels.join(BETWEEN)))
        .collect();
    let value = |label: &u32| texts.get(label).cloned().unwrap_or_default();
    let taken = manifest.extra().iter().any(|column| column.name == ALL_LABELS);
    (!texts.is_empty() && !taken).then(|| ExtraColumn {
        name: ALL_LABELS.to_owned(),
        values: manifest.labels().iter().map(value).collect(),
    })
}

fn several_labels(ledger: &mut Ledger, names: &[(String, u64)]) {
    let rows: u64 = names.iter().map(|(_, count)| count).sum();
    let images = counted(
        rows,
        "image has several labels and counts as unlabeled",
        "images have several labels and count as unlabeled",
    );
    let text = format!(
        "{images}, because one label per image is compared: {}; the column {ALL_LABELS} has them, and \
         --keep-null-labels makes each combination a class",
        with_counts(names)
    );
    ledger.add(RemarkKind::LabelsSeveral, rows, text);
}

fn no_labels(ledger: &mut Ledger, words: &[(String, u64)]) {
    let rows: u64 = words.iter().map(|(_, count)| count).sum();
    let is = counted(rows, "label was", "labels were");
    let text =
        format!("{is} read as no label: {}; --keep-null-labels keeps them as classes", with_counts(words));
    ledger.add(RemarkKind::ClassesMerged, rows, text);
}

/// Remarks on names that became one.
fn merged(
    ledger: &mut Ledger,
    names: &[String],
    new: &[Option<String>],
    several: &BTreeMap<usize, Vec<String>>,
) {
    let mut spellings: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (index, (old, new)) in names.iter().zip(new).enumerate() {
        // A list of one label is no other spelling.
        if let (Some(new), false) = (new, several.contains_key(&index)) {
            spellings.entry(new).or_default().push(old);
        }
    }
    let several: Vec<(&str, Vec<&str>)> =
        spellings.into_iter().filter(|(_, spellings)| spellings.len() > 1).collect();
    if several.is_empty() {
        return;
    }
    let examples: Vec<String> = several
        .iter()
        .take(SHOWN)
        .map(|(_, spellings)| spellings.iter().map(|name| distinct(name)).collect::<Vec<_>>().join(" and "))
        .collect();
    let more = if several.len() > SHOWN { ", …" } else { "" };
    let count = several.len() as u64;
    let classes = counted(
        count,
        "class is spelled in several ways and was",
        "classes are spelled in several ways and were",
    );
    let text = format!(
        "{classes} merged, without blanks at the ends and in composed letters: {}{more}",
        examples.join(", ")
    );
    ledger.add(RemarkKind::ClassesMerged, count, text);
}

fn doubtful(ledger: &mut Ledger, words: &[(String, u64)]) {
    let count = words.len() as u64;
    let one = "class has a name that often means no label";
    let text = format!(
        "{}: {}",
        counted(count, one, "classes have names that often mean no label"),
        with_counts(words)
    );
    ledger.add(RemarkKind::ClassesDoubtful, count, text);
}

fn numbers_among_words(ledger: &mut Ledger, manifest: &Manifest) {
    let names = class_names::numbers_among_words(manifest.classes()).into_iter();
    doubt(
        ledger,
        names.map(|name| shown(name)),
        "class is a number while others are names, and counts as a class of its own",
        "classes are numbers while others are names, and each counts as a class of its own",
    );
}

fn twins(ledger: &mut Ledger, names: &[String]) {
    let alike = |names: Vec<String>| {
        let names: Vec<String> = names.iter().map(|name| shown(name)).collect();
        names.join(" and ")
    };
    doubt(
        ledger,
        class_names::twins(names).into_iter().map(alike),
        "class may be spelled in several ways, and each spelling counts as a class of its own",
        "classes may be spelled in several ways, and each spelling counts as a class of its own",
    );
}

fn doubtful_names(ledger: &mut Ledger, names: &[String]) {
    doubt(
        ledger,
        names.iter().map(|name| shown(name)),
        "class reads like several labels of one image and counts as a class of its own",
        "classes read like several labels of one image, and each counts as a class of its own",
    );
}

/// Says what is doubtful of classes, with the first of them.
fn doubt(ledger: &mut Ledger, classes: impl Iterator<Item = String>, one: &str, many: &str) {
    let classes: Vec<String> = classes.collect();
    let count = classes.len() as u64;
    let first = &classes[..classes.len().min(SHOWN)];
    let more = if classes.len() > SHOWN { ", …" } else { "" };
    let text = format!("{}: {}{more}", counted(count, one, many), first.join(", "));
    ledger.add(RemarkKind::ClassesDoubtful, count, text);
}

fn with_counts(words: &[(String, u64)]) -> String {
    let shown: Vec<String> = words.iter().take(8).map(|(word, count)| format!("{word} ({count})")).collect();
    shown.join(", ") + if words.len() > 8 { ", …" } else { "" }
}

fn shown(name: &str) -> String {
    format!("'{}'", excerpt(name))
}

/// A name with what is not ASCII as its code points, where it would look like the other spelling.
fn distinct(name: &str) -> String {
    let composed = class_names::clean(name);
    if composed == name.trim() {
        return shown(name);
    }
    format!(
        "'{}'",
        name.chars()
            .map(|c| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() })
            .collect::<String>()
    )
}
