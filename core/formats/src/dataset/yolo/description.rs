//! `data.yaml`: the names of classes, and where the splits are.

use super::{below_root, is_list, lists};
use crate::dataset::annotated::without_leading as without_leading_folders;
use crate::dataset::around::Around;
use crate::dataset::places::joined;
use crate::tally::Tally;
use crate::text::Document;
use crate::{Error, Result};
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Ledger, RemarkKind};
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The names of classes by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names(pub(super) BTreeMap<u64, String>);

impl Names {
    /// As the dataset has them.
    pub(super) fn numbers(&self) -> ClassNumbers {
        ClassNumbers::of_ids(self.0.iter().map(|(number, name)| (*number, name)))
    }
}

/// What a file describes.
#[derive(Debug, Clone, Default)]
pub(super) struct Description {
    pub(super) names: Option<Names>,
    /// The folder that other paths are relative to.
    path: Option<PathBuf>,
    /// The folders and lists of each split.
    parts: Vec<(Split, PathBuf)>,
}

/// The names of classes in a file, whatever else it describes; `None` if it is not read as such.
pub(super) fn names_in(file: &Path) -> Option<Names> {
    let (text, _) = Document::read(file).ok()?.into_string(file).ok()?;
    let documents = Yaml::load_from_str(&text).ok()?;
    names_of(documents.first()?).ok()?
}

/// The names of classes under `names`.
///
/// # Errors
/// When they are something else, with what.
fn names_of(top: &Yaml<'_>) -> std::result::Result<Option<Names>, String> {
    match top.as_mapping_get("names") {
        None => Ok(None),
        Some(Yaml::Sequence(list)) => {
            let named = (0..).zip(list).filter_map(|(number, name)| Some((number, text_of(Some(name))?)));
            Ok(Some(Names(named.collect())))
        }
        Some(Yaml::Mapping(map)) => {
            let mut names = BTreeMap::new();
            for (key, name) in map {
                let number = text_of(Some(key)).and_then(|key| key.trim().parse().ok());
                let (Some(number), Some(name)) = (number, text_of(Some(name))) else {
                    return Err(
                        "its names are not names by numbers: expected a list, or numbers with a name each"
                            .to_owned(),
                    );
                };
                names.insert(number, name);
            }
            Ok(Some(Names(names)))
        }
        Some(_) => Err("its names are neither a list nor names by numbers".to_owned()),
    }
}

impl Description {
    /// Reads a file; `None` if it describes something else.
    pub(super) fn read(file: &Path) -> Result<Option<Description>> {
        let (text, _) = Document::read(file)?.into_string(file)?;
        let starts = |word: &str| text.lines().any(|line| line.trim_start().starts_with(word));
        let is = starts("names:") && ["train:", "val:", "test:", "nc:", "path:"].into_iter().any(starts);
        if !is {
            return Ok(None);
        }
        let documents = Yaml::load_from_str(&text)
            .map_err(|error| Error::format(file, format!("it is not valid YAML: {error}")))?;
        let Some(top) = documents.first().filter(|top| top.as_mapping().is_some()) else { return Ok(None) };
        let mut found = Description {
            path: text_of(top.as_mapping_get("path")).map(PathBuf::from),
            ..Description::default()
        };
        found.names = names_of(top).map_err(|why| Error::format(file, why))?;
        for (key, split) in [
            ("train", Split::Train),
            ("val", Split::Validation),
            ("valid", Split::Validation),
            ("test", Split::Test),
        ] {
            let parts = match top.as_mapping_get(key) {
                Some(Yaml::Sequence(list)) => list.iter().filter_map(|one| text_of(Some(one))).collect(),
                one => text_of(one).into_iter().collect::<Vec<_>>(),
            };
            found.parts.extend(parts.into_iter().map(|part| (split, PathBuf::from(part))));
        }
        Ok(Some(found))
    }

    /// The folder that its paths are relative to, if it names one. `own` is that of the file.
    pub(super) fn folder(&self, own: &Path) -> Option<PathBuf> {
        self.path.as_ref().map(|path| joined(own, path))
    }

    /// The folders and lists of each split that are there, relative to the dataset.
    pub(super) fn there(&self, file: &Path, around: &Around<'_>) -> Parts {
        let own = file.parent().unwrap_or(around.root);
        let mut bases = Vec::new();
        if let Some(path) = &self.path {
            bases.extend([own.join(path), around.root.join(path)]);
            // Ultralytics looks for the dataset in a folder of its own.
            bases.extend(path.file_name().map(|name| own.join(name)));
        }
        bases.extend([own.to_path_buf(), around.root.to_path_buf()]);
        let find = |part: &Path| {
            // Roboflow writes `../train/images` for a folder beside the file.
            let plain: PathBuf = part.iter().skip_while(|name| *name == "..").collect();
            let tried = bases.iter().flat_map(|base| [base.join(part), base.join(&plain)]);
            tried.filter(|path| path.exists()).find_map(|path| below_root(around.root, &path))
        };
        let find_elsewhere = |part: &Path| {
            let shorter = without_leading(part);
            let tried = shorter.iter().flat_map(|part| bases.iter().map(move |base| base.join(part)));
            tried.filter(|path| path.exists()).find_map(|path| below_root(around.root, &path))
        };
        let (mut there, mut missing) = (Vec::new(), Vec::new());
        for (split, part) in &self.parts {
            match find(part) {
                Some(found) => there.push((*split, found)),
                None => missing.push((*split, part.clone())),
            }
        }
        // What is left of the paths of another computer must tell the splits apart.
        let guessed: Vec<Option<PathBuf>> = missing.iter().map(|(_, part)| find_elsewhere(part)).collect();
        let is_one = |at: usize| {
            let found = guessed[at].as_ref()?;
            let same = |(other, path): (&(Split, PathBuf), &Option<PathBuf>)| {
                other.0 != missing[at].0 && path.as_ref() == Some(found)
            };
            let shared =
                missing.iter().zip(&guessed).any(same) || there.iter().any(|(_, path)| path == found);
            (!shared).then(|| found.clone())
        };
        let found: Vec<Option<PathBuf>> = (0..missing.len()).map(is_one).collect();
        let mut left = Vec::new();
        for ((split, part), found) in missing.into_iter().zip(found) {
            match found {
                Some(found) => there.push((split, found)),
                None => left.push(part),
            }
        }
        let missing = left;
        Parts { there, missing }
    }
}

/// What may be left of a path of another computer here: the path without its leading folders, the longest first.
fn without_leading(part: &Path) -> Vec<PathBuf> {
    let text = part.to_string_lossy().replace('\\', "/");
    // What is relative may be in another dataset, unless it is a list.
    let is_far = text.starts_with('/') || text.contains(":/") || text.starts_with("../") && is_list(part);
    if !is_far {
        return Vec::new();
    }
    let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty() && *name != "..").collect();
    (1..names.len()).map(|from| names[from..].iter().collect()).collect()
}

/// The folders and lists of splits.
pub(super) struct Parts {
    /// Those that are there, relative to the dataset.
    there: Vec<(Split, PathBuf)>,
    /// Those that are not, as they are written.
    missing: Vec<PathBuf>,
}

impl Parts {
    /// The splits of pictures, by row. `ledger` gets what is to be said of lists, and of what is not there; `shown` is the
    /// description.
    pub(super) fn splits(
        &self,
        around: &Around<'_>,
        shown: &str,
        ledger: &mut Ledger,
    ) -> BTreeMap<usize, Split> {
        let mut splits = BTreeMap::new();
        let mut several = Tally::default();
        for (split, part) in &self.there {
            let rows: Vec<usize> = match is_list(part) {
                true => listed(around, part, ledger),
                false => {
                    let below = |row: &usize| around.samples[*row].path.starts_with(part);
                    (0..around.samples.len()).filter(below).collect()
                }
            };
            for row in rows {
                let first = *splits.entry(row).or_insert(*split);
                if first != *split {
                    several.add(|| (around.samples[row].path.clone(), first, *split));
                }
            }
        }
        if let Some((count, (path, first, other))) = several.told() {
            let images = counted(count, "image is", "images are");
            let text = format!(
                "{images} in two splits by {shown}, of which the first counts: {} in {first} and {other}",
                safe_path(path)
            );
            ledger.add(RemarkKind::LayoutDoubtful, count, text);
        }
        if let Some(first) = self.missing.first() {
            let count = self.missing.len() as u64;
            let paths = counted(count, "path of a split is", "paths of splits are");
            let text = format!("{paths} not in this folder, though {shown} names them: {}", safe_path(first));
            ledger.add(RemarkKind::LayoutGuessed, count, text);
        }
        splits
    }

    /// The lists of splits, absolute.
    pub(super) fn lists(&self, root: &Path) -> Vec<(Split, PathBuf)> {
        let lists = self.there.iter().filter(|(_, part)| is_list(part));
        lists.map(|(split, part)| (*split, root.join(part))).collect()
    }

    /// The folder of the split that a picture is in.
    pub(super) fn folder_of(&self, picture: &Path) -> Option<&Path> {
        let parts = self.there.iter().map(|(_, part)| part.as_path());
        let above = parts.filter(|part| !is_list(part) && picture.starts_with(part));
        above.max_by_key(|part| part.iter().count())
    }
}

/// The rows of the pictures that a list names, and what is to be said of it.
fn listed(around: &Around<'_>, part: &Path, ledger: &mut Ledger) -> Vec<usize> {
    let text = fs::read_to_string(around.root.join(part)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let folder = around.root.join(part.parent().unwrap_or(Path::new("")));
    let exists = |path: &Path| Some(around.root.join(&around.samples[around.picture(path)?].path));
    let found = lists::find(&lines, &folder, around.root, &exists);
    let rows: Vec<usize> = found.paths.iter().flatten().filter_map(|path| around.picture(path)).collect();
    if let Some((count, leading)) = &found.dropped {
        let text = format!("{} in {}", without_leading_folders(*count, leading), safe_path(part));
        ledger.add(RemarkKind::LayoutGuessed, *count, text);
    }
    let mut strange = lines.iter().zip(&found.paths).filter(|(_, path)| path.is_none());
    if let Some((first, _)) = strange.next() {
        let count = 1 + strange.count() as u64;
        let lines = counted(count, "line", "lines");
        let names = if count == 1 { "names" } else { "name" };
        let text =
            format!("{lines} of {} {names} no image of this folder: {}", safe_path(part), excerpt(first));
        ledger.add(RemarkKind::FilesMissing, count, text);
    }
    rows
}

/// The names of classes where no description has them: `classes.txt` beside the labels or above them.
pub(super) fn names_beside(around: &Around<'_>, labels: &Path) -> Result<(Names, Option<PathBuf>)> {
    const FILES: [&str; 5] =
        ["classes.txt", "obj.names", "classes.names", "_darknet.labels", "predefined_classes.txt"];
    let folders = labels.ancestors().skip(1);
    for folder in folders {
        for name in FILES {
            let file = around.root.join(folder).join(name);
            if file.is_file() {
                let (text, _) = Document::read(&file)?.into_string(&file)?;
                let names = (0..).zip(text.trim_end().lines().map(|line| line.trim().to_owned()));
                return Ok((Names(names.collect()), Some(file)));
            }
        }
    }
    for path in around.called(|name| name.ends_with(".yaml") || name.ends_with(".yml")).take(8) {
        let file = around.root.join(path);
        if let Some(names) = names_in(&file) {
            return Ok((names, Some(file)));
        }
    }
    Ok((Names::default(), None))
}

/// A plain value as text.
fn text_of(value: Option<&Yaml<'_>>) -> Option<String> {
    match value? {
        Yaml::Value(Scalar::String(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Yaml::Value(Scalar::Integer(number)) => Some(number.to_string()),
        Yaml::Value(Scalar::FloatingPoint(number)) => Some(number.to_string()),
        Yaml::Value(Scalar::Boolean(value)) => Some(value.to_string()),
        Yaml::Tagged(_, inner) => text_of(Some(inner)),
        _ => None,
    }
}
