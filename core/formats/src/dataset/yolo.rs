//! YOLO: a description in `data.yaml`, and either class folders or a text file of boxes for each picture.

mod boxes;
mod description;
mod lists;
mod rewrite;

use super::annotated::{Annotated, Entry};
use super::around::Around;
use super::places::joined;
use super::several::Label;
use super::{Candidate, choice, extension};
use crate::Result;
use crate::tally::Tally;
use chaffinch_data::class_names;
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Ledger, RemarkKind};
use description::Description;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const WHOSE: &str = "YOLO";

/// Whether a folder looks like a dataset of YOLO.
pub(super) fn detect(candidate: &Candidate) -> bool {
    has_description(candidate) || has_labels(candidate)
}

fn has_description(candidate: &Candidate) -> bool {
    let yaml = ["yaml", "yml"].into_iter().flat_map(|one| candidate.with_extension(one));
    yaml.take(8)
        .any(|file| Description::read(&candidate.path().join(file)).is_ok_and(|found| found.is_some()))
}

/// The folder of the dataset that a file describes; `None` if it describes none.
pub(super) fn described(file: &Path) -> Option<PathBuf> {
    let description = Description::read(file).ok()??;
    let own = file.parent()?;
    Some(description.folder(own).filter(|folder| folder.is_dir()).unwrap_or_else(|| own.to_path_buf()))
}

/// The numbers of classes that a file states under `names`, if it is a description of this kind.
pub(super) fn class_numbers(file: &Path) -> Option<ClassNumbers> {
    let names = description::names_in(file)?;
    Some(names.numbers())
}

/// Whether there are text files in a folder called `labels`.
fn has_labels(candidate: &Candidate) -> bool {
    candidate.with_extension("txt").any(|file| file.iter().any(|part| part == "labels"))
}

/// What a folder says: the boxes beside its pictures, or the classes and splits of its description.
pub(super) fn in_folder(around: &Around<'_>) -> Result<Vec<Annotated>> {
    let mut described: Option<(PathBuf, Description)> = None;
    for path in around.called(|name| name.ends_with(".yaml") || name.ends_with(".yml")).take(8) {
        let file = around.root.join(path);
        if described.is_none() {
            described = Description::read(&file)?.map(|found| (file, found));
        }
    }
    let beside = boxes::beside(around);
    // Boxes in class folders, of classes that nothing names, are no better labels than the folders.
    let mut classes = around.samples.iter().filter_map(|sample| sample.label.as_deref());
    let first = classes.next();
    let apart = beside.values().any(|path| path.iter().any(|part| part.eq_ignore_ascii_case("labels")));
    let folders_say = classes.any(|class| Some(class) != first) && !apart && described.is_none();
    if !folders_say && boxes::are_boxes(around, &beside, described.is_some()) {
        return Ok(vec![from_boxes(around, described, &beside)?]);
    }
    Ok(match described {
        Some((file, description)) => vec![from_folders(around, &file, &description)?],
        None => Vec::new(),
    })
}

/// Labels from the boxes of pictures.
fn from_boxes(
    around: &Around<'_>,
    described: Option<(PathBuf, Description)>,
    beside: &BTreeMap<usize, &Path>,
) -> Result<Annotated> {
    let first = beside.values().next().copied().unwrap_or(Path::new(""));
    let mut said = Ledger::default();
    let (file, names, splits, lists) = match described {
        Some((file, description)) => {
            let parts = description.there(&file, around);
            let splits = parts.splits(around, &shown(around, &file), &mut said);
            (file, description.names, splits, parts.lists(around.root))
        }
        None => (around.root.join(first), None, BTreeMap::new(), Vec::new()),
    };
    let mut all = Annotated::new(
        WHOSE,
        &file,
        around.root,
        &[],
        &super::DatasetOptions { root: None, ..around.options.clone() },
    )?;
    all.ledger = said;
    all.rewrite = rewrite::file;
    all.places_say_splits = lists.is_empty();
    all.also.extend(lists.iter().map(|(_, list)| list.clone()));
    all.lists = lists;
    let names = match names {
        Some(names) => names,
        None => {
            let (names, from) = description::names_beside(around, first)?;
            all.also.extend(from);
            names
        }
    };
    let mut tally = boxes::Tally::default();
    for (row, sample) in around.samples.iter().enumerate() {
        let label = match beside.get(&row) {
            Some(path) => {
                all.also.push(around.root.join(path));
                boxes::read(&around.root.join(path), path, &names, &mut tally)?
            }
            None => Label::None,
        };
        let split = splits.get(&row).copied().unwrap_or_default().name().to_owned();
        let file = beside.get(&row).map(|path| around.root.join(path));
        all.entries.push(Entry { name: sample.path.clone(), label, split, file, ..Entry::default() });
    }
    tally.enter(&names, &mut all.ledger);
    all.class_numbers = names.numbers();
    Ok(all)
}

/// The description as it is told.
fn shown(around: &Around<'_>, file: &Path) -> String {
    safe_path(file.strip_prefix(around.root).unwrap_or(file))
}

/// Splits from the paths of a description, and classes that are numbers by their names.
fn from_folders(around: &Around<'_>, file: &Path, description: &Description) -> Result<Annotated> {
    let options = super::DatasetOptions { root: None, ..around.options.clone() };
    let mut all = Annotated::new(WHOSE, file, around.root, &[], &options)?;
    let shown = shown(around, file);
    let parts = description.there(file, around);
    let splits = parts.splits(around, &shown, &mut all.ledger);
    let names = description.names.clone().unwrap_or_default();
    all.class_numbers = names.numbers();
    let below = |row: usize| -> Option<String> {
        let path = &around.samples[row].path;
        // What is only listed has the class that its folders say.
        let Some(folder) = parts.folder_of(path) else { return around.samples[row].label.clone() };
        let mut parts = path.strip_prefix(folder).ok()?.iter();
        let first = parts.next()?;
        parts.next().is_some().then(|| first.to_string_lossy().into_owned())
    };
    let rows: Vec<usize> = match splits.is_empty() {
        true => (0..around.samples.len()).collect(),
        false => splits.keys().copied().collect(),
    };
    let classes: BTreeSet<String> = rows.iter().filter_map(|&row| below(row)).collect();
    let by_name = |class: &String| names.0.values().any(|name| name == class);
    let by_number = |class: &String| class.parse().is_ok_and(|number: u64| names.0.contains_key(&number));
    let numbers = !classes.is_empty() && classes.iter().all(by_number) && !classes.iter().all(by_name);
    tell_classes(&classes, &names, numbers, &shown, &mut all.ledger);
    let mut contradicted = Tally::default();
    for (&row, split) in &splits {
        let own = around.samples[row].split;
        if own != Split::None && own != *split {
            contradicted.add(|| (around.samples[row].path.clone(), own, *split));
        }
    }
    if let Some((count, (path, own, split))) = contradicted.told() {
        let images = counted(count, "image is", "images are");
        let text = format!(
            "{images} in another split by {shown} than by the folders, which count: {} in {own}, not {split}",
            safe_path(path)
        );
        all.ledger.add(RemarkKind::LayoutDoubtful, count, text);
    }
    if !numbers && splits.keys().all(|&row| around.samples[row].split != Split::None) {
        return Ok(all);
    }
    // What the folders are taken for may be the parts of the description.
    all.only_splits = !numbers && rows.iter().all(|&row| below(row) == around.samples[row].label);
    all.also.extend(parts.lists(around.root).into_iter().map(|(_, list)| list));
    for row in rows {
        let class = below(row);
        let label = class.map(|class| match class.parse::<u64>().ok().filter(|_| numbers) {
            Some(number) => names.0.get(&number).cloned().unwrap_or(class),
            None => class,
        });
        all.entries.push(Entry {
            name: around.samples[row].path.clone(),
            label: label.map_or(Label::None, Label::One),
            split: splits.get(&row).copied().unwrap_or_default().name().to_owned(),
            ..Entry::default()
        });
    }
    let count = all.entries.len() as u64;
    let text = format!(
        "the class folders of {} are numbers, which {shown} names",
        counted(count, "image", "images")
    );
    all.ledger.add(RemarkKind::LayoutGuessed, if numbers { count } else { 0 }, text);
    Ok(all)
}

/// Says which class folders a description does not name.
fn tell_classes(
    classes: &BTreeSet<String>,
    names: &description::Names,
    numbers: bool,
    shown: &str,
    ledger: &mut Ledger,
) {
    let named = |class: &&String| names.0.values().any(|name| class_names::same(name, class));
    let strange: Vec<String> = classes.iter().filter(|class| !named(class)).cloned().collect();
    if numbers || names.0.is_empty() || strange.is_empty() {
        return;
    }
    let left: Vec<String> = names.0.values().filter(|name| !classes.contains(*name)).cloned().collect();
    let (count, quoted) = (strange.len() as u64, choice::quoted_names);
    let folders = counted(count, "class folder is", "class folders are");
    let counts = if count == 1 { "counts" } else { "count" };
    let instead = match left.is_empty() {
        true => String::new(),
        false => format!(", which names {}", quoted(&left)),
    };
    let text = format!(
        "{folders} not among the names of {shown}, and {counts} all the same: {}{instead}",
        quoted(&strange)
    );
    ledger.add(RemarkKind::ClassesDoubtful, count, text);
}

/// A path of a description below the folder of the dataset, relative to it.
fn below_root(root: &Path, path: &Path) -> Option<PathBuf> {
    joined(root, path).strip_prefix(root).ok().map(Path::to_path_buf)
}

/// Whether a file is a list of pictures.
fn is_list(path: &Path) -> bool {
    extension(path).as_deref() == Some("txt")
}

#[cfg(test)]
mod tests;
