//! `data.yaml`: the names of classes, and where the splits are.

use super::{below_root, is_list};
use crate::dataset::around::Around;
use crate::dataset::places::joined;
use crate::text::Document;
use crate::{Error, Result};
use chaffinch_protocol::sample::Split;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The names of classes by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names(pub(super) BTreeMap<u64, String>);

/// What a file describes.
#[derive(Debug, Clone, Default)]
pub(super) struct Description {
    pub(super) names: Option<Names>,
    /// The folder that other paths are relative to.
    path: Option<PathBuf>,
    /// The folders and lists of each split.
    parts: Vec<(Split, PathBuf)>,
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
        found.names = match top.as_mapping_get("names") {
            None => None,
            Some(Yaml::Sequence(list)) => {
                let named = (0..).zip(list).filter_map(|(number, name)| Some((number, text_of(Some(name))?)));
                Some(Names(named.collect()))
            }
            Some(Yaml::Mapping(map)) => {
                let mut names = BTreeMap::new();
                for (key, name) in map {
                    let number = text_of(Some(key)).and_then(|key| key.trim().parse().ok());
                    let (Some(number), Some(name)) = (number, text_of(Some(name))) else {
                        let message = "its names are not names by numbers: expected a list, or numbers with a name each";
                        return Err(Error::format(file, message));
                    };
                    names.insert(number, name);
                }
                Some(Names(names))
            }
            Some(_) => return Err(Error::format(file, "its names are neither a list nor names by numbers")),
        };
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
        Parts(self.parts.iter().filter_map(|(split, part)| Some((*split, find(part)?))).collect())
    }
}

/// The folders and lists of splits that are there, relative to the dataset.
pub(super) struct Parts(Vec<(Split, PathBuf)>);

impl Parts {
    /// The splits of pictures, by row.
    pub(super) fn splits(&self, around: &Around<'_>) -> BTreeMap<usize, Split> {
        let mut splits = BTreeMap::new();
        for (split, part) in &self.0 {
            if is_list(part) {
                let folder = part.parent().unwrap_or(Path::new(""));
                let text = fs::read_to_string(around.root.join(part)).unwrap_or_default();
                let listed: HashSet<PathBuf> = text
                    .lines()
                    .map(str::trim)
                    .filter(|line| !line.is_empty())
                    .flat_map(|line| {
                        [
                            below_root(around.root, &folder.join(line)),
                            below_root(around.root, Path::new(line)),
                        ]
                    })
                    .flatten()
                    .collect();
                let rows =
                    (0..around.samples.len()).filter(|&row| listed.contains(&around.samples[row].path));
                rows.for_each(|row| _ = splits.entry(row).or_insert(*split));
                continue;
            }
            let rows = (0..around.samples.len()).filter(|&row| around.samples[row].path.starts_with(part));
            rows.for_each(|row| _ = splits.entry(row).or_insert(*split));
        }
        splits
    }

    /// The lists of splits, absolute.
    pub(super) fn lists(&self, root: &Path) -> Vec<(Split, PathBuf)> {
        let lists = self.0.iter().filter(|(_, part)| is_list(part));
        lists.map(|(split, part)| (*split, root.join(part))).collect()
    }

    /// The folder of the split that a picture is in.
    pub(super) fn folder_of(&self, picture: &Path) -> Option<&Path> {
        let parts = self.0.iter().map(|(_, part)| part.as_path());
        let above = parts.filter(|part| !is_list(part) && picture.starts_with(part));
        above.max_by_key(|part| part.iter().count())
    }
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
