//! Several configurations in one folder, as datasets of the Hugging Face hub have them: each is a dataset of its own, and
//! joining them is rarely what is meant.

use super::Shard;
use crate::dataset::alike::Classes;
use crate::dataset::declared::{Config, Declared};
use crate::dataset::names_of_parts::split_named;
use crate::dataset::{Candidate, DatasetOptions, shards};
use crate::{Error, Result};
use chaffinch_data::packing::below;
use chaffinch_protocol::display::{excerpt, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Configurations to name in a sentence.
const SHOWN: usize = 4;

/// Says that the files are those of several configurations.
///
/// # Errors
/// When the README of the dataset says that they are, and their labels contradict each other.
pub(super) fn check(
    candidate: &Candidate,
    shards: &[Shard],
    declared: &Declared,
    options: &DatasetOptions,
    ledger: &mut Ledger,
) -> Result<()> {
    // What a pattern chooses is wanted as it is.
    if !candidate.is_dir() || candidate.is_elsewhere() && !candidate.is_address() {
        return Ok(());
    }
    let files: Vec<&Path> = shards.iter().map(|shard| shard.path.as_path()).collect();
    let is_declared = !declared.configs.is_empty();
    let guessed = if is_declared { Vec::new() } else { in_folders(candidate.path(), &files) };
    let configs = if is_declared { &declared.configs } else { &guessed };
    let all = |config: &Config| config.files.len() == files.len();
    if configs.len() < 2 || configs.iter().any(all) {
        return Ok(());
    }
    let names: Vec<String> =
        configs.iter().take(SHOWN).map(|config| format!("'{}'", excerpt(&config.name))).collect();
    let names = format!("{}{}", names.join(", "), if configs.len() > SHOWN { ", …" } else { "" });
    let one = configs.iter().find_map(|config| own_folder(config, configs));
    let choose = match one {
        Some(folder) => format!("scan {}", safe_path(&below(candidate.path(), &folder))),
        None => "scan a pattern of its files in quotation marks".to_owned(),
    };
    if is_declared
        && options.label_column.is_none()
        && let Some(differ) = contradiction(configs, shards)
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
    some.map(|(name, (_, files))| Config::guessed(name, files.clone())).collect()
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
