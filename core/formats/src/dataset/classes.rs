//! Class names as they are compared: spellings of one name merged, words for "no label" taken as none, twins remarked.

use super::Opened;
use chaffinch_data::class_names::{self, Meaning};
use chaffinch_data::manifest::NO_LABEL;
use chaffinch_protocol::display::{counted, safe_text};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeMap;

/// Names to show in a remark.
const SHOWN: usize = 4;

/// Cleans the class names of a dataset that was just read, and remarks on what it did and what is doubtful. With
/// `keep_words`, words for "no label" are classes. `joined` labels are from a table.
pub(super) fn clean(opened: Opened, keep_words: bool, joined: bool) -> Opened {
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
        joined || manifest.table().is_some() || manifest.beside().iter().any(|table| table.label.is_some());
    let meanings = match in_table {
        true => class_names::meanings(names),
        false => names.iter().map(|name| class_names::folder_meaning(name)).collect(),
    };
    let none = |index: usize| {
        let blank = class_names::clean(&names[index]).is_empty();
        blank || (meanings[index] == Meaning::NoLabel && !keep_words)
    };
    let new: Vec<Option<String>> = (0..names.len())
        .map(|index| (!none(index)).then(|| class_names::clean(&names[index]).into_owned()))
        .collect();
    let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<(String, u64)> {
        let indices = (0..names.len()).filter(|&index| wanted(index));
        indices.map(|index| (shown(&names[index]), counts[index])).collect()
    };
    no_labels(&mut ledger, &of(&none));
    merged(&mut ledger, names, &new);
    doubtful(&mut ledger, &of(&|index| meanings[index] == Meaning::Doubtful && !keep_words));
    let manifest = manifest.renamed(&new);
    twins(&mut ledger, manifest.classes());
    if manifest.table().is_some() {
        combined(&mut ledger, manifest.classes());
    }
    Opened { manifest, ledger }
}

fn no_labels(ledger: &mut Ledger, words: &[(String, u64)]) {
    let rows: u64 = words.iter().map(|(_, count)| count).sum();
    let is = counted(rows, "label was", "labels were");
    let text =
        format!("{is} read as no label: {}; --keep-null-labels keeps them as classes", with_counts(words));
    ledger.add(RemarkKind::ClassesMerged, rows, text);
}

/// Remarks on names that became one.
fn merged(ledger: &mut Ledger, names: &[String], new: &[Option<String>]) {
    let mut spellings: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (old, new) in names.iter().zip(new) {
        if let Some(new) = new {
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

fn twins(ledger: &mut Ledger, names: &[String]) {
    let twins = class_names::twins(names);
    let examples: Vec<String> = twins
        .iter()
        .take(SHOWN)
        .map(|names| names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(" and "))
        .collect();
    let more = if twins.len() > SHOWN { ", …" } else { "" };
    let count = twins.len() as u64;
    let sets =
        counted(count, "class may be spelled in several ways", "classes may be spelled in several ways");
    ledger.add(
        RemarkKind::ClassesDoubtful,
        count,
        format!("{sets}, and each spelling counts as a class of its own: {}{more}", examples.join(", ")),
    );
}

fn combined(ledger: &mut Ledger, names: &[String]) {
    let found = class_names::combined(names);
    let examples: Vec<String> = found.iter().take(SHOWN).map(|name| shown(name)).collect();
    let more = if found.len() > SHOWN { ", …" } else { "" };
    let count = found.len() as u64;
    let classes = counted(
        count,
        "class reads like several labels of one image and counts as a class of its own",
        "classes read like several labels of one image, and each counts as a class of its own",
    );
    let text = format!("{classes}: {}{more}; Chaffinch takes one label per image", examples.join(", "));
    ledger.add(RemarkKind::ClassesDoubtful, count, text);
}

fn with_counts(words: &[(String, u64)]) -> String {
    let shown: Vec<String> = words.iter().take(8).map(|(word, count)| format!("{word} ({count})")).collect();
    shown.join(", ") + if words.len() > 8 { ", …" } else { "" }
}

fn shown(name: &str) -> String {
    format!("'{}'", safe_text(name))
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
