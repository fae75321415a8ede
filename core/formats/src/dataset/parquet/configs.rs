//! Several configurations in one folder, as datasets of the Hugging Face hub have them: each is a dataset of its own, and
//! joining them is rarely what is meant.

use super::Shard;
use crate::dataset::alike::Classes;
use crate::dataset::names_of_parts::split_named;
use crate::dataset::{Candidate, DatasetOptions, shards};
use crate::{Error, Result};
use chaffinch_data::packing::{Written, below};
use chaffinch_protocol::display::{excerpt, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use saphyr::{LoadableYamlNode, Yaml};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How much of a README is read.
const HEAD: u64 = 1 << 20;
/// Configurations to name in a sentence.
const SHOWN: usize = 4;

/// One of them.
struct Config {
    name: String,
    files: BTreeSet<PathBuf>,
}

/// Says that the files are those of several configurations.
///
/// # Errors
/// When the README of the dataset says that they are, and their labels contradict each other.
pub(super) fn check(
    candidate: &Candidate,
    shards: &[Shard],
    options: &DatasetOptions,
    ledger: &mut Ledger,
) -> Result<()> {
    // What a pattern chooses is wanted as it is.
    if !candidate.is_dir() || candidate.is_elsewhere() && !candidate.is_address() {
        return Ok(());
    }
    let files: Vec<&Path> = shards.iter().map(|shard| shard.path.as_path()).collect();
    let declared = declared(&candidate.head(Path::new("README.md"), HEAD), &files);
    let is_declared = !declared.is_empty();
    let configs = if is_declared { declared } else { in_folders(candidate.path(), &files) };
    let all = |config: &Config| config.files.len() == files.len();
    if configs.len() < 2 || configs.iter().any(all) {
        return Ok(());
    }
    let names: Vec<String> =
        configs.iter().take(SHOWN).map(|config| format!("'{}'", excerpt(&config.name))).collect();
    let names = format!("{}{}", names.join(", "), if configs.len() > SHOWN { ", …" } else { "" });
    let one = configs.iter().find_map(|config| own_folder(config, &configs));
    let choose = match one {
        Some(folder) => format!("scan {}", safe_path(&below(candidate.path(), &folder))),
        None => "scan a pattern of its files in quotation marks".to_owned(),
    };
    if is_declared
        && options.label_column.is_none()
        && let Some(differ) = contradiction(&configs, shards)
    {
        let message = format!(
            "README.md says that it has several configurations, {names}, and {differ}; {choose} to read one of them, or name \
             the column of labels with --label-column to join them"
        );
        return Err(Error::Dataset { path: candidate.path().to_path_buf(), message });
    }
    let text = match is_declared {
        true => format!("README.md says that the files are those of several configurations, {names}"),
        false => {
            format!("the folders {names} have the same splits, as several configurations of a dataset do")
        }
    };
    let text = format!("{text}; they were joined into one dataset: {choose} to read one of them");
    ledger.add(RemarkKind::LayoutDoubtful, configs.len() as u64, text);
    Ok(())
}

/// Those that the head of a README lists, as far as their files are there.
fn declared(readme: &[u8], files: &[&Path]) -> Vec<Config> {
    let text = String::from_utf8_lossy(readme);
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    if lines.next().map(str::trim_end) != Some("---") {
        return Vec::new();
    }
    let head: Vec<&str> = lines.take_while(|line| line.trim_end() != "---").collect();
    // What is broken there is not the dataset.
    let documents = Yaml::load_from_str(&head.join("\n")).unwrap_or_default();
    let top = documents.first().filter(|top| top.as_mapping().is_some());
    let Some(Yaml::Sequence(list)) = top.and_then(|top| top.as_mapping_get("configs")) else {
        return Vec::new();
    };
    let config = |entry: &Yaml<'_>| -> Option<Config> {
        entry.as_mapping()?;
        let name = entry.as_mapping_get("config_name")?.as_str()?.to_owned();
        let mut patterns = Vec::new();
        if let Some(files) = entry.as_mapping_get("data_files") {
            texts(files, &mut patterns);
        }
        let mut own: BTreeSet<PathBuf> =
            patterns.iter().flat_map(|pattern| chosen(pattern, files)).map(Path::to_path_buf).collect();
        let folder = entry.as_mapping_get("data_dir").and_then(|folder| folder.as_str());
        if let (true, Some(folder)) = (patterns.is_empty(), folder) {
            let below = files.iter().filter(|file| file.starts_with(folder.trim_start_matches("./")));
            own.extend(below.map(|file| file.to_path_buf()));
        }
        (!own.is_empty()).then_some(Config { name, files: own })
    };
    list.iter().filter_map(config).collect()
}

/// The paths in what a configuration lists: a text, texts, or those of each split.
fn texts(value: &Yaml<'_>, found: &mut Vec<String>) {
    match value {
        Yaml::Sequence(list) => list.iter().for_each(|one| texts(one, found)),
        Yaml::Mapping(map) => {
            let said = map.iter().filter(|(key, _)| key.as_str() != Some("split"));
            said.for_each(|(_, value)| texts(value, found));
        }
        other => found.extend(other.as_str().map(str::to_owned)),
    }
}

/// The files that a pattern chooses, or that it names.
fn chosen<'f>(pattern: &str, files: &[&'f Path]) -> Vec<&'f Path> {
    let pattern = pattern.trim_start_matches("./");
    let Some(written) = Written::of(Path::new(pattern)) else {
        return files.iter().copied().filter(|file| *file == Path::new(pattern)).collect();
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
    files.iter().copied().filter(|file| is(file)).collect()
}

/// The folders that seem to be some: several with files of the same split, where they are not called like splits or values
/// of a column.
fn in_folders(dataset: &Path, files: &[&Path]) -> Vec<Config> {
    let mut folders: BTreeMap<&str, (BTreeSet<String>, BTreeSet<PathBuf>)> = BTreeMap::new();
    for file in files {
        let mut parts = file.iter();
        let (Some(first), Some(_)) = (parts.next().and_then(|name| name.to_str()), parts.next()) else {
            continue;
        };
        if split_named(first).is_none() && !first.contains('=') {
            let (splits, own) = folders.entry(first).or_default();
            splits.insert(shards::split_in(dataset, file));
            own.insert(file.to_path_buf());
        }
    }
    let shared = |splits: &BTreeSet<String>| {
        let has = |split: &String| {
            !split.is_empty() && folders.values().filter(|(others, _)| others.contains(split)).count() > 1
        };
        splits.iter().any(has)
    };
    let some = folders.iter().filter(|(_, (splits, _))| shared(splits));
    some.map(|(name, (_, files))| Config { name: (*name).to_owned(), files: files.clone() }).collect()
}

/// The folder in which all files of a configuration are, and none of another one.
fn own_folder(config: &Config, all: &[Config]) -> Option<PathBuf> {
    let folder = config.files.first()?.parent()?;
    let folder =
        folder.ancestors().find(|folder| config.files.iter().all(|file| file.starts_with(folder)))?;
    let others = all.iter().filter(|other| other.name != config.name).flat_map(|other| &other.files);
    let is_own = !folder.as_os_str().is_empty()
        && others.filter(|file| !config.files.contains(*file)).all(|file| !file.starts_with(folder));
    is_own.then(|| folder.to_path_buf())
}

/// In what the labels of two configurations differ that cannot be those of one dataset.
fn contradiction(configs: &[Config], shards: &[Shard]) -> Option<String> {
    let of =
        |config: &Config| shards.iter().find(|shard| config.files.contains(&shard.path)).map(Shard::looks);
    let (first, others) = configs.split_first()?;
    let known = of(first)?;
    others.iter().find_map(|config| {
        let other = of(config)?;
        let (one, two) = (excerpt(&first.name), excerpt(&config.name));
        match (&known.label, &other.label, &known.classes, &other.classes) {
            (Some(label), Some(second), ..) if label != second => Some(format!(
                "the labels are '{}' in '{one}' and '{}' in '{two}'",
                excerpt(label),
                excerpt(second)
            )),
            (.., Classes::Named(names), Classes::Named(others)) if set(names) != set(others) => {
                Some(format!("'{one}' and '{two}' have different classes"))
            }
            _ => None,
        }
    })
}

fn set(names: &[String]) -> BTreeSet<&String> {
    names.iter().collect()
}
