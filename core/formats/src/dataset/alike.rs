//! Whether the shards of a dataset have the same columns and classes.

use chaffinch_protocol::display::{counted, safe_path, safe_text};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Names to show in a remark.
const SHOWN: usize = 4;

/// How many samples lack a label because their shards do, which [`tell`] says.
pub(super) fn without_labels(shards: &[Looks]) -> u64 {
    let labeled = shards.iter().any(|shard| shard.label.is_some());
    shards.iter().filter(|shard| labeled && shard.label.is_none()).map(|shard| shard.rows).sum()
}

/// What a shard looks like.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// Relative to the dataset.
    pub(super) path: PathBuf,
    pub(super) rows: u64,
    /// The columns that are read, without that of the label.
    pub(super) columns: BTreeSet<String>,
    /// What says the label.
    pub(super) label: Option<String>,
    pub(super) classes: Classes,
}

/// What labels are in a shard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Classes {
    /// Not known, as there are none.
    #[default]
    Unknown,
    /// Numbers of these names.
    Named(Vec<String>),
    Numbers,
    Texts,
}

/// Says in what shards differ from the first of them, each with the name of both.
pub(super) fn tell(shards: &[Looks], ledger: &mut Ledger) {
    let Some(first) = shards.first() else { return };
    if let Some(labeled) = shards.iter().find(|shard| shard.label.is_some()) {
        labels(shards, labeled, ledger);
    }
    let differing = |name: &&String| shards.iter().any(|shard| !shard.columns.contains(*name));
    let all: BTreeSet<&String> = shards.iter().flat_map(|shard| &shard.columns).collect();
    let some: Vec<&String> = all.into_iter().filter(differing).collect();
    if let Some(name) = some.first() {
        let has = |wanted: bool| shards.iter().find(|shard| shard.columns.contains(*name) == wanted);
        let (with, without) = (has(true).unwrap_or(first), has(false).unwrap_or(first));
        let columns = counted(some.len() as u64, "column is", "columns are");
        let names: Vec<String> = some.iter().take(SHOWN).map(|name| quoted(name)).collect();
        let more = if some.len() > SHOWN { ", …" } else { "" };
        let text = format!(
            "{columns} not in all shards, and {} empty in the others: {}{more}; {} has {}, {} does not",
            if some.len() == 1 { "is" } else { "are" },
            names.join(", "),
            safe_path(&with.path),
            quoted(name),
            safe_path(&without.path)
        );
        ledger.add(RemarkKind::LayoutDoubtful, some.len() as u64, text);
    }
}

fn labels(shards: &[Looks], labeled: &Looks, ledger: &mut Ledger) {
    let (known, label) = (safe_path(&labeled.path), labeled.label.as_deref().unwrap_or_default());
    let (bare, others): (Vec<&Looks>, Vec<&Looks>) = shards.iter().partition(|shard| shard.label.is_none());
    if let Some(first) = bare.first() {
        let rows = bare.iter().map(|shard| shard.rows).sum();
        let text = format!(
            "{} no label, because {} none: {}, unlike {known} with its {}",
            counted(rows, "sample has", "samples have"),
            counted(bare.len() as u64, "shard has", "shards have"),
            safe_path(&first.path),
            quoted(label)
        );
        ledger.add(RemarkKind::LabelsMissing, rows, text);
    }
    let mut count = |which: &dyn Fn(&Looks) -> bool, kind, say: &dyn Fn(&str, &Looks) -> String| {
        let found: Vec<&Looks> = others.iter().copied().filter(|shard| which(shard)).collect();
        if let Some(first) = found.first() {
            let more = counted(found.len() as u64 - 1, "other shard is", "other shards are");
            let more = if found.len() > 1 { format!("; {more} like it") } else { String::new() };
            ledger.add(kind, found.len() as u64, say(&safe_path(&first.path), first) + &more);
        }
    };
    let other_name = |shard: &Looks| shard.label.as_deref() != Some(label);
    count(&other_name, RemarkKind::LayoutDoubtful, &|path, shard| {
        let other = quoted(shard.label.as_deref().unwrap_or_default());
        format!("the labels are {} in {known} and {other} in {path}; --label-column chooses", quoted(label))
    });
    let Some(kind) = others.iter().find(|shard| shard.classes != Classes::Unknown) else { return };
    let known = safe_path(&kind.path);
    let form = |classes: &Classes| match classes {
        Classes::Unknown => "unknown",
        Classes::Named(_) | Classes::Texts => "names",
        Classes::Numbers => "numbers",
    };
    let other_form =
        |shard: &Looks| shard.classes != Classes::Unknown && form(&shard.classes) != form(&kind.classes);
    count(&other_form, RemarkKind::ClassesDoubtful, &|path, shard| {
        format!(
            "the labels are {} in {known} and {} in {path}, which are different classes",
            form(&kind.classes),
            form(&shard.classes)
        )
    });
    let Classes::Named(names) = &kind.classes else { return };
    let of = |shard: &Looks| match &shard.classes {
        Classes::Named(own) => own.clone(),
        _ => names.clone(),
    };
    let set = |names: &[String]| names.iter().cloned().collect::<BTreeSet<String>>();
    let other_order = |shard: &Looks| of(shard) != *names && set(&of(shard)) == set(names);
    count(&other_order, RemarkKind::LayoutGuessed, &|path, _| {
        format!("{known} and {path} number the classes differently; they were matched by their names")
    });
    let other_names = |shard: &Looks| set(&of(shard)) != set(names);
    count(&other_names, RemarkKind::ClassesDoubtful, &|path, shard| {
        let (own, all) = (set(&of(shard)), set(names));
        let only = |some: &BTreeSet<String>, other: &BTreeSet<String>, path: &str| {
            let lacking: Vec<String> = some.difference(other).take(SHOWN).map(|name| quoted(name)).collect();
            (!lacking.is_empty()).then(|| format!("{} only in {path}", lacking.join(", ")))
        };
        let lacking: Vec<String> =
            only(&all, &own, &known).into_iter().chain(only(&own, &all, path)).collect();
        format!("{known} and {path} have different classes: {}", lacking.join("; "))
    });
}

fn quoted(name: &str) -> String {
    format!("'{}'", safe_text(name))
}

/// Whether texts are names or numbers; [`Classes::Unknown`] of none.
pub(super) fn classes_of<'a>(mut labels: impl Iterator<Item = &'a str>) -> Classes {
    let number = |label: &str| label.parse::<i64>().is_ok();
    match labels.next() {
        None => Classes::Unknown,
        Some(first) if number(first) && labels.all(number) => Classes::Numbers,
        Some(_) => Classes::Texts,
    }
}

/// The path of a shard for a remark: its name, if it is the dataset.
pub(super) fn path_of(dataset: &Path, shard: &Path) -> PathBuf {
    match shard.as_os_str().is_empty() {
        true => dataset.file_name().map(PathBuf::from).unwrap_or_default(),
        false => shard.to_path_buf(),
    }
}
