//! ImageNet's flat validation folder, whose labels are in a list: by the number in the name of a picture, or by its name.

mod rewrite;

use super::annotated::{Annotated, Entry};
use super::around::Around;
use super::several::Label;
use super::{Candidate, DatasetOptions};
use crate::text::{Document, TableText, broken};
use crate::{Error, Result};
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{counted, safe_path, thousands};
use csv::ByteRecord;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

const WHOSE: &str = "ImageNet";

/// Whether a folder has a list of labels.
pub(super) fn detect(candidate: &Candidate) -> bool {
    let lists = ["txt", "csv"].into_iter().flat_map(|extension| candidate.with_extension(extension));
    let name =
        |path: &Path| path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    lists.map(name).any(|name| kind(&name).is_some())
}

/// What a list has in each line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The name of a picture and its classes with boxes.
    Solution,
    /// The WordNet id of the picture of that number.
    Synsets,
    /// The number of the class of the picture of that number.
    Numbers,
}

/// The kind of a list by its name in lower case.
fn kind(name: &str) -> Option<Kind> {
    match name {
        "loc_val_solution.csv" => Some(Kind::Solution),
        _ if name.ends_with("_synset_labels.txt") => Some(Kind::Synsets),
        _ if name.ends_with("validation_ground_truth.txt") => Some(Kind::Numbers),
        _ => None,
    }
}

/// The list of a folder that says most: with names, then with WordNet ids, then with numbers.
pub(super) fn in_folder(around: &Around<'_>) -> Result<Vec<Annotated>> {
    let kind_of = |path: &Path| kind(&path.file_name()?.to_str()?.to_ascii_lowercase());
    let mut lists: Vec<(Kind, &Path)> =
        around.called(|name| kind(name).is_some()).filter_map(|path| Some((kind_of(path)?, path))).collect();
    lists.sort();
    let mut all: Vec<Annotated> = Vec::new();
    for (kind, path) in lists {
        let file = around.root.join(path);
        let options = DatasetOptions { root: None, ..around.options.clone() };
        let mut list = Annotated::new(WHOSE, &file, around.root, &[], &options)?;
        list.rewrite = rewrite::file;
        match kind {
            Kind::Solution => solution(around, &mut list)?,
            Kind::Synsets | Kind::Numbers => by_number(around, kind, &mut list)?,
        }
        // Other folders have the labels of their names.
        list.whole = false;
        all.push(list);
    }
    Ok(all)
}

/// `ImageId,PredictionString`: the classes of a picture, each with a box.
fn solution(around: &Around<'_>, list: &mut Annotated) -> Result<()> {
    let table = TableText::read(&list.file, b',')?;
    let mut stems: HashMap<&str, usize> = HashMap::new();
    for (row, sample) in around.samples.iter().enumerate() {
        if let Some(stem) = sample.path.file_stem().and_then(|stem| stem.to_str()) {
            stems.insert(stem, row);
        }
    }
    let mut reader = table.reader();
    let mut record = ByteRecord::new();
    let mut first = true;
    while reader.read_byte_record(&mut record).map_err(|error| broken(&list.file, error))? {
        let cell = |at: usize| String::from_utf8_lossy(record.get(at).unwrap_or_default()).trim().to_owned();
        let (name, classes) = (cell(0), cell(1));
        if std::mem::take(&mut first) && name.eq_ignore_ascii_case("ImageId") {
            continue;
        }
        let class = classes.split_ascii_whitespace().next().map(str::to_owned);
        let place = stems.get(name.as_str()).map(|&row| around.samples[row].path.clone());
        let label = class.map_or(Label::None, Label::One);
        list.entries.push(Entry {
            name: place.unwrap_or_else(|| PathBuf::from(name)),
            label,
            ..Entry::default()
        });
    }
    Ok(())
}

/// A line for each picture, in the order of the numbers in their names: `ILSVRC2012_val_00000001.JPEG`.
fn by_number(around: &Around<'_>, kind: Kind, list: &mut Annotated) -> Result<()> {
    let (text, _) = Document::read(&list.file)?.into_string(&list.file)?;
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim).collect();
    let shown = safe_path(list.file.strip_prefix(around.root).unwrap_or(&list.file));
    let Some(pictures) = numbered(around, &list.file) else { return Ok(()) };
    let last = pictures.last_key_value().map_or(0, |(number, _)| *number);
    if last > lines.len() as u64 {
        let message = format!(
            "it has {}, but there is an image with the number {}: {}",
            counted(lines.len() as u64, "line", "lines"),
            thousands(last),
            safe_path(&around.samples[pictures[&last]].path)
        );
        return Err(Error::format(&list.file, message));
    }
    let ids = if kind == Kind::Numbers { synsets(around)? } else { None };
    let word_net = |name: &str| {
        name.len() == 9 && name.starts_with('n') && name[1..].bytes().all(|b| b.is_ascii_digit())
    };
    let folders = || {
        let labels = around.samples.iter().filter_map(|sample| sample.label.as_deref());
        labels.filter(|label| word_net(label)).count() > 1
    };
    if kind == Kind::Numbers && ids.is_none() && folders() {
        let text = format!(
            "{shown} was not read: it has numbers of classes, and the class folders have WordNet ids; put map_clsloc.txt \
             beside it, which says which is which"
        );
        list.ledger.add(RemarkKind::LabelsMissing, pictures.len() as u64, text);
        return Ok(());
    }
    if let Some((_, from)) = &ids {
        list.also.push(from.clone());
    }
    let lost = (1..).zip(&lines).filter(|(number, line)| !line.is_empty() && !pictures.contains_key(number));
    let lost: Vec<u64> = lost.map(|(number, _)| number).collect();
    if let Some(first) = lost.first() {
        let entries = counted(lost.len() as u64, "entry", "entries");
        let have = if lost.len() == 1 { "has" } else { "have" };
        let text = format!("{entries} of {shown} {have} no image: the first is on line {first}");
        list.ledger.add(RemarkKind::FilesMissing, lost.len() as u64, text);
    }
    for (number, row) in pictures {
        let line = number.checked_sub(1).and_then(|at| lines.get(at as usize)).copied().unwrap_or_default();
        let label = match (&ids, line) {
            (_, "") => Label::None,
            (Some((ids, from)), number) => match ids.get(number) {
                Some(id) => Label::One(id.clone()),
                None => {
                    let message = format!("{} has no class of the number {number}", safe_path(from));
                    return Err(Error::format(&list.file, message));
                }
            },
            (None, name) => Label::One(name.to_owned()),
        };
        list.entries.push(Entry { name: around.samples[row].path.clone(), label, ..Entry::default() });
    }
    if kind == Kind::Numbers && ids.is_none() {
        let text = format!(
            "the classes of {shown} are numbers; map_clsloc.txt beside it would say their WordNet ids"
        );
        list.ledger.add(RemarkKind::LayoutGuessed, 1, text);
    }
    Ok(())
}

/// The pictures of the part that a list is about, by the number at the end of their names.
fn numbered(around: &Around<'_>, file: &Path) -> Option<BTreeMap<u64, usize>> {
    let about = file.file_name()?.to_str()?.to_ascii_lowercase();
    let word = if about.contains("test") { "test" } else { "val" };
    let mut groups: BTreeMap<(PathBuf, String), BTreeMap<u64, usize>> = BTreeMap::new();
    for (row, sample) in around.samples.iter().enumerate() {
        let Some(stem) = sample.path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        let name = stem.trim_end_matches(|c: char| c.is_ascii_digit());
        let Ok(number) = stem[name.len()..].parse::<u64>() else { continue };
        let folder = sample.path.parent().unwrap_or(Path::new(""));
        groups.entry((folder.to_path_buf(), name.to_ascii_lowercase())).or_default().insert(number, row);
    }
    let is = |key: &(PathBuf, String)| {
        let folder = key.0.iter().any(|part| part.to_string_lossy().to_ascii_lowercase().starts_with(word));
        key.1.contains(word) || folder
    };
    let best = groups.into_iter().filter(|(key, _)| is(key)).max_by_key(|(_, pictures)| pictures.len());
    best.map(|(_, pictures)| pictures)
}

/// The WordNet ids of the numbers of classes: lines of an id, a number and a name.
fn synsets(around: &Around<'_>) -> Result<Option<(HashMap<String, String>, PathBuf)>> {
    let Some(path) = around.called(|name| name == "map_clsloc.txt").next() else { return Ok(None) };
    let file = around.root.join(path);
    let ids = synsets_of(&file)?;
    Ok((!ids.is_empty()).then_some((ids, file)))
}

/// The same of a file.
fn synsets_of(file: &Path) -> Result<HashMap<String, String>> {
    let (text, _) = Document::read(file)?.into_string(file)?;
    let line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let (id, number) = (words.next()?, words.next()?);
        Some((number.to_owned(), id.to_owned()))
    };
    Ok(text.lines().filter_map(line).collect())
}

#[cfg(test)]
mod tests;
