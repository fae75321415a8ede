//! What the head of a README.md says of files, as the Hugging Face hub reads it: the configurations that they are in, and
//! their splits.

use super::{Candidate, shards};
use chaffinch_data::packing::{Blob, Written, below, is_address};
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use saphyr::{LoadableYamlNode, Yaml};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const README: &str = "README.md";
/// How much of it is read.
const HEAD: u64 = 1 << 20;
/// How many folders above a dataset may be those of its README.
const ABOVE: usize = 4;
/// Splits to name in a remark.
const SHOWN: usize = 4;

/// A configuration, as far as its files are there.
#[derive(Debug, Clone, Default)]
pub(super) struct Config {
    pub(super) name: String,
    /// Relative to the dataset.
    pub(super) files: BTreeSet<PathBuf>,
    /// The splits that it gives files.
    splits: BTreeMap<PathBuf, String>,
    is_default: bool,
}

impl Config {
    /// One of these files that nobody declared.
    pub(super) fn guessed(name: &str, files: BTreeSet<PathBuf>) -> Config {
        Config { name: name.to_owned(), files, ..Config::default() }
    }
}

/// What a README declares.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) configs: Vec<Config>,
    splits: BTreeMap<PathBuf, String>,
    /// Files with several splits: how many, and of the first its name, the split that was taken, the other one, and whose
    /// split was taken.
    several: (u64, Option<[String; 4]>),
    /// Files that are in no configuration.
    left: Vec<PathBuf>,
}

impl Declared {
    /// What the README of a dataset says of these files of it, or, if it has none, that of a folder above.
    pub(super) fn of<'p>(candidate: &Candidate, paths: impl IntoIterator<Item = &'p PathBuf>) -> Declared {
        let paths: Vec<&Path> = paths.into_iter().map(PathBuf::as_path).collect();
        let root = candidate.root();
        let mut above = PathBuf::new();
        for folder in root.ancestors().take(ABOVE) {
            // A file that is the dataset has no README in it, and a bucket is not asked for what it does not list.
            let may_be = match (is_address(root), folder == root) {
                (true, _) => candidate.files().iter().any(|file| file == Path::new(README)),
                (false, true) => candidate.is_dir(),
                (false, false) => true,
            };
            if may_be {
                let full: Vec<PathBuf> = paths.iter().map(|path| below(&above, path)).collect();
                let files: Vec<(&Path, &Path)> =
                    full.iter().map(PathBuf::as_path).zip(paths.iter().copied()).collect();
                let configs = configs(&head_of(folder), &files);
                if !configs.is_empty() {
                    return Declared::new(configs, &paths);
                }
            }
            if is_address(root) {
                break;
            }
            above = Path::new(folder.file_name().unwrap_or_default()).join(above);
        }
        Declared::default()
    }

    fn new(configs: Vec<Config>, paths: &[&Path]) -> Declared {
        let mut declared = Declared::default();
        for path in paths {
            if !configs.iter().any(|config| config.files.contains(*path)) {
                declared.left.push(path.to_path_buf());
            }
            let mut saying = configs.iter().filter(|config| config.splits.contains_key(*path));
            let first = saying.clone().find(|config| config.is_default).or_else(|| saying.clone().next());
            let Some(config) = first else { continue };
            let split = &config.splits[*path];
            if let Some(other) = saying.find(|other| other.splits[*path] != *split) {
                let (count, example) = &mut declared.several;
                *count += 1;
                example.get_or_insert_with(|| {
                    let other = &other.splits[*path];
                    let [split, other, config] =
                        [split, other, &config.name].map(|text| excerpt(text).into_owned());
                    [safe_path(path), split, other, config]
                });
            }
            declared.splits.insert(path.to_path_buf(), split.clone());
        }
        declared.configs = configs;
        declared
    }

    /// Whether it says the split of a file.
    pub(super) fn says(&self, path: &Path) -> bool {
        self.splits.contains_key(path)
    }

    /// The split of a file as it is spelled: the declared one, or that of its name; empty if there is none.
    pub(super) fn split_in(&self, dataset: &Path, path: &Path) -> String {
        self.splits.get(path).cloned().unwrap_or_else(|| shards::split_in(dataset, path))
    }

    /// Says where the splits of these files come from: the README, or their names.
    pub(super) fn tell(&self, files: &[(&Path, &str)], ledger: &mut Ledger) {
        let named = files.iter().filter(|(path, _)| !self.says(path)).map(|(_, split)| (*split).to_owned());
        shards::tell(&named.collect::<Vec<_>>(), ledger);
        let declared = files.iter().filter(|(path, split)| self.says(path) && !split.is_empty());
        let splits: Vec<&str> = declared.map(|(_, split)| *split).collect();
        let names: BTreeSet<&str> = splits.iter().copied().collect();
        let more = if names.len() > SHOWN { ", …" } else { "" };
        let names: Vec<String> = names.iter().take(SHOWN).map(|name| excerpt(name).into_owned()).collect();
        let count = splits.len() as u64;
        let (of, names) = (counted(count, "file", "files"), names.join(", "));
        let text = format!("the splits of {of} were taken from {README}, which declares them: {names}{more}");
        ledger.add(RemarkKind::LayoutGuessed, count, text);
        if let (count, Some([path, split, other, config])) = &self.several {
            let gives = counted(*count, "file", "files");
            let text = format!(
                "{README} gives {gives} another split in another configuration, and that of '{config}' was taken: {path} is in \
                 '{split}' and in '{other}'"
            );
            ledger.add(RemarkKind::LayoutDoubtful, *count, text);
        }
        if let Some(first) = self.left.first() {
            let count = self.left.len() as u64;
            let files = counted(count, "file is", "files are");
            let were = if count == 1 { "was" } else { "were" };
            let text = format!(
                "{files} in no configuration of {README} and {were} read all the same: {}",
                safe_path(first)
            );
            ledger.add(RemarkKind::LayoutDoubtful, count, text);
        }
    }
}

/// The beginning of the README in a folder; empty if there is none that can be read.
fn head_of(folder: &Path) -> Vec<u8> {
    let read = || {
        let blob = Blob::open(&below(folder, Path::new(README)))?;
        blob.bytes(0, blob.size().min(HEAD))
    };
    read().unwrap_or_default()
}

/// The configurations that the head of a README lists, as far as their files are there. `files` are theirs from the README
/// on, with what they are called.
fn configs(readme: &[u8], files: &[(&Path, &Path)]) -> Vec<Config> {
    with_head(readme, |top| match top.as_mapping_get("configs") {
        Some(Yaml::Sequence(list)) => list.iter().filter_map(|entry| config(entry, files)).collect(),
        _ => Vec::new(),
    })
}

/// Reads the head of a README, if it has one.
fn with_head<T: Default>(readme: &[u8], read: impl FnOnce(&Yaml<'_>) -> T) -> T {
    let text = String::from_utf8_lossy(readme);
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    if lines.next().map(str::trim_end) != Some("---") {
        return T::default();
    }
    let head = lines.take_while(|line| line.trim_end() != "---").collect::<Vec<_>>().join("\n");
    // What is broken there is not the dataset.
    let documents = Yaml::load_from_str(&head).unwrap_or_default();
    documents.first().filter(|top| top.as_mapping().is_some()).map(read).unwrap_or_default()
}

/// The names of the classes of columns.
pub(super) type ClassNames = BTreeMap<String, Vec<String>>;

/// The names of classes that a README declares, for files that do not say them.
#[derive(Debug, Default)]
pub(super) struct DeclaredNames {
    /// By the configuration that they are said of.
    infos: Vec<(String, ClassNames)>,
    configs: Vec<Config>,
}

impl DeclaredNames {
    /// Those that the README in a dataset's folder declares, which has these files.
    pub(super) fn of(candidate: &Candidate, paths: &[PathBuf]) -> DeclaredNames {
        if !candidate.is_dir() {
            return DeclaredNames::default();
        }
        let head = head_of(candidate.path());
        let files: Vec<(&Path, &Path)> = paths.iter().map(|path| (&**path, &**path)).collect();
        DeclaredNames { infos: infos(&head), configs: configs(&head, &files) }
    }

    /// Those of a file: of its configuration, or else of all of them, where these give a column the same names.
    pub(super) fn of_file(&self, path: &Path) -> ClassNames {
        let holding = || self.configs.iter().filter(|config| config.files.contains(path));
        let config = holding().find(|config| config.is_default).or_else(|| holding().next());
        let own = config.map(|config| self.infos.iter().filter(|(name, _)| *name == config.name));
        let own: Vec<&ClassNames> = own.into_iter().flatten().map(|(_, names)| names).collect();
        if own.is_empty() { united(self.infos.iter().map(|(_, names)| names)) } else { united(own) }
    }
}

/// The names of classes that the README of a folder of a dataset declares, or of the nearest one above in it that has any.
pub(super) fn class_names(folder: &Path, root: &Path) -> ClassNames {
    let folders = folder.ancestors().take_while(|folder| folder.starts_with(root));
    let names = folders.map(|folder| infos(&head_of(folder))).find(|infos| !infos.is_empty());
    united(names.iter().flatten().map(|(_, names)| names))
}

/// The files that may say what the numbers in a table of a dataset stand for, the nearest first.
pub(crate) fn readmes(table: &Path, root: &Path) -> Vec<PathBuf> {
    let folders = table.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    folders.map(|folder| folder.join(README)).filter(|file| file.is_file()).collect()
}

/// The names that all of these give to the classes of a column.
fn united<'n>(all: impl IntoIterator<Item = &'n ClassNames>) -> ClassNames {
    let mut found: BTreeMap<&String, Option<&Vec<String>>> = BTreeMap::new();
    for (column, names) in all.into_iter().flatten() {
        let known = found.entry(column).or_insert(Some(names));
        if *known != Some(names) {
            *known = None;
        }
    }
    found.into_iter().filter_map(|(column, names)| Some((column.clone(), names?.clone()))).collect()
}

/// The names of the classes of each column by the configuration of which the head of a README says them.
fn infos(readme: &[u8]) -> Vec<(String, ClassNames)> {
    let of = |info: &Yaml<'_>| {
        // As the hub calls one that has no name.
        let config = info.as_mapping_get("config_name").and_then(Yaml::as_str).unwrap_or("default");
        let Some(Yaml::Sequence(features)) = info.as_mapping_get("features") else { return None };
        let named = |feature: &Yaml<'_>| {
            let column = feature.as_mapping_get("name").and_then(Yaml::as_str)?;
            let label = feature.as_mapping_get("dtype")?.as_mapping_get("class_label")?;
            Some((column.to_owned(), names(label.as_mapping_get("names")?)?))
        };
        let names: ClassNames = features.iter().filter_map(named).collect();
        (!names.is_empty()).then(|| (config.to_owned(), names))
    };
    with_head(readme, |top| match top.as_mapping_get("dataset_info") {
        Some(Yaml::Sequence(list)) => list.iter().filter_map(of).collect(),
        one => one.and_then(of).into_iter().collect(),
    })
}

/// A list of names, or names by their numbers from 0.
fn names(value: &Yaml<'_>) -> Option<Vec<String>> {
    let text = |name: &Yaml<'_>| {
        name.as_str().map(str::to_owned).or_else(|| name.as_integer().map(|number| number.to_string()))
    };
    if let Yaml::Sequence(list) = value {
        return list.iter().map(text).collect();
    }
    let mut numbered = BTreeMap::new();
    for (key, name) in value.as_mapping()? {
        let number = key.as_integer().or_else(|| key.as_str()?.parse().ok())?;
        numbered.insert(usize::try_from(number).ok()?, text(name)?);
    }
    let whole = numbered.keys().copied().eq(0..numbered.len());
    whole.then(|| numbered.into_values().collect())
}

fn config(entry: &Yaml<'_>, files: &[(&Path, &Path)]) -> Option<Config> {
    entry.as_mapping()?;
    // As the hub calls one that has no name.
    let name = entry.as_mapping_get("config_name").and_then(Yaml::as_str).unwrap_or("default").to_owned();
    let is_default =
        name == "default" || entry.as_mapping_get("default").and_then(Yaml::as_bool) == Some(true);
    let mut patterns = Vec::new();
    if let Some(files) = entry.as_mapping_get("data_files") {
        texts(files, None, &mut patterns);
    }
    let folder = entry.as_mapping_get("data_dir").and_then(Yaml::as_str);
    let folder = Path::new(folder.unwrap_or_default().trim_start_matches("./").trim_start_matches('.'));
    if patterns.is_empty() && !folder.as_os_str().is_empty() {
        patterns.push((None, "**".to_owned()));
    }
    let mut config = Config { name, is_default, ..Config::default() };
    for (split, pattern) in &patterns {
        for own in chosen(&folder.join(pattern.trim_start_matches("./")), files) {
            config.files.insert(own.to_path_buf());
            if let Some(split) = split {
                // The first pattern that chooses a file says its split.
                config.splits.entry(own.to_path_buf()).or_insert_with(|| split.clone());
            }
        }
    }
    (!config.files.is_empty()).then_some(config)
}

/// The paths in what a configuration lists, with their splits: a text, texts, or those of each split.
fn texts(value: &Yaml<'_>, split: Option<&str>, found: &mut Vec<(Option<String>, String)>) {
    match value {
        Yaml::Sequence(list) => list.iter().for_each(|one| texts(one, split, found)),
        Yaml::Mapping(map) => match value.as_mapping_get("path") {
            Some(paths) => texts(paths, value.as_mapping_get("split").and_then(Yaml::as_str), found),
            None => map.iter().for_each(|(key, paths)| texts(paths, key.as_str(), found)),
        },
        other => found.extend(other.as_str().map(|text| (split.map(str::to_owned), text.to_owned()))),
    }
}

/// The files that a pattern chooses, or that it names.
fn chosen<'f>(pattern: &Path, files: &[(&Path, &'f Path)]) -> Vec<&'f Path> {
    let Some(written) = Written::of(pattern) else {
        let is = |file: &&(&Path, &Path)| file.0 == pattern;
        return files.iter().filter(is).map(|(_, path)| *path).collect();
    };
    let Ok(wild) = written.read() else { return Vec::new() };
    let folder = match written.folder() {
        here if here == Path::new(".") => Path::new(""),
        folder => folder,
    };
    let is = |file: &Path| {
        let name = file.strip_prefix(folder).ok().and_then(Path::to_str);
        name.is_some_and(|name| !wild.choose([name]).found.is_empty())
    };
    files.iter().filter(|(full, _)| is(full)).map(|(_, path)| *path).collect()
}
