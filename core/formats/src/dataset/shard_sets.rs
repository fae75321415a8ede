//! Whether all shards of a dataset are there, and each of them once: by the numbers in their names, and by the files that
//! describe a dataset.

mod described;
mod numbered;

use super::Candidate;
use chaffinch_data::packing::below;
use chaffinch_protocol::display::{counted, safe_path, safe_text, thousands};
use chaffinch_protocol::{Ledger, RemarkKind};
pub(super) use described::Described;
use described::Info;
use numbered::Set;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Names to show in a remark.
const SHOWN: usize = 5;
/// How many bytes of each end of two files of one size are compared.
const COMPARED: u64 = 1 << 16;

/// A shard of a dataset.
#[derive(Debug)]
pub(super) struct Shard {
    /// Relative to the dataset; empty if it is the dataset.
    pub(super) path: PathBuf,
    /// How many samples it has.
    pub(super) rows: u64,
    /// The split that its name says; may be empty.
    pub(super) split: String,
}

/// Says which shards are missing, how many samples they have where that is known, and which are there twice.
pub(super) fn check(candidate: &Candidate, shards: &[Shard], described: &Described, ledger: &mut Ledger) {
    if !candidate.is_dir() {
        alone(candidate.path(), ledger);
        return;
    }
    let broken = described.broken.len() as u64;
    let files = counted(broken, "file that says", "files that say");
    let text = format!(
        "{files} which shards there are cannot be read, so that missing ones are not noticed: {}",
        described.broken.join(", ")
    );
    ledger.add(RemarkKind::LayoutDoubtful, broken, text);
    let mut check = Check { described, shards, told: BTreeSet::new(), ledger: &mut *ledger };
    let paths: BTreeSet<&Path> = shards.iter().map(|shard| shard.path.as_path()).collect();
    let sets = numbered::sets(shards.iter().map(|shard| shard.path.as_path()));
    // What a pattern with numbers does not choose is not wanted.
    if !candidate.chooses_names() {
        check.listed(&paths);
        check.splits(&paths);
        sets.iter().for_each(|set| check.numbered(set));
        check.counts(&sets);
    }
    twice(&sets, ledger);
    if !candidate.is_elsewhere() {
        copies(candidate.root(), &paths, &sets, ledger);
    }
}

/// Says that a shard is the dataset.
fn alone(dataset: &Path, ledger: &mut Ledger) {
    let Some(name) = dataset.file_name().map(Path::new) else { return };
    let Some((number, total)) = numbered::one_of(name) else { return };
    let text = format!(
        "{} is shard {} of {}, and the others are not part of the dataset; open the folder to have all",
        safe_path(name),
        thousands(number),
        thousands(total)
    );
    ledger.add(RemarkKind::LayoutGuessed, 1, text);
}

struct Check<'a> {
    described: &'a Described,
    shards: &'a [Shard],
    /// Missing files that were told.
    told: BTreeSet<PathBuf>,
    ledger: &'a mut Ledger,
}

impl Check<'_> {
    /// Files that a `state.json` lists.
    fn listed(&mut self, paths: &BTreeSet<&Path>) {
        let mut of: BTreeMap<&Path, Vec<&Path>> = BTreeMap::new();
        for (file, state) in &self.described.listed {
            of.entry(state).or_default().push(file);
        }
        for (state, files) in of {
            let missing: Vec<&Path> = files.iter().copied().filter(|file| !paths.contains(file)).collect();
            let Some(first) = missing.first() else { continue };
            let folder = first.parent().unwrap_or(Path::new(""));
            let split = self.described.saved.get(folder).map(String::as_str).unwrap_or_default();
            let text = format!(
                "{} that {} lists {}: {}{}",
                of_all(missing.len() as u64, files.len() as u64, "file", "files"),
                safe_path(state),
                is_missing(missing.len() as u64),
                shown(missing.iter().copied()),
                self.samples(folder, split)
            );
            self.ledger.add(RemarkKind::FilesMissing, missing.len() as u64, text);
            self.told.extend(missing.into_iter().map(Path::to_path_buf));
        }
    }

    /// Splits that a `dataset_dict.json` lists.
    fn splits(&mut self, paths: &BTreeSet<&Path>) {
        for (folder, dict) in &self.described.splits {
            let listed = self.described.listed.keys().any(|file| file.starts_with(folder));
            if paths.iter().any(|path| path.starts_with(folder)) || listed {
                continue;
            }
            let name = folder.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            let counts = self.described.infos.values().filter_map(|splits| splits.get(&*name)?.samples);
            let samples = counts.max().map_or(String::new(), |count| {
                format!("; dataset_info.json counts {} in it", counted(count, "sample", "samples"))
            });
            let (split, dict) = (safe_text(&name), safe_path(dict));
            let text = format!("the split '{split}' that {dict} lists is missing{samples}");
            self.ledger.add(RemarkKind::FilesMissing, 1, text);
        }
    }

    /// Shards whose numbers are missing.
    fn numbered(&mut self, set: &Set) {
        let missing = set.missing();
        if missing == 0 {
            if let Some((first, before)) = set.late_start() {
                let (first, before) = (safe_path(&first), safe_path(&before));
                let text =
                    format!("the first shard is {first}; if {before} belongs to the dataset, it is missing");
                self.ledger.add(RemarkKind::LayoutGuessed, 1, text);
            }
            return;
        }
        let first: Vec<PathBuf> = set.missing_names().take(SHOWN + 1).collect();
        if first.iter().all(|name| self.told.contains(name)) {
            return;
        }
        let which = match &set.total {
            Some(total) => of_all(missing, total.parse().unwrap_or(missing), "shard", "shards"),
            None => counted(missing, "shard", "shards"),
        };
        let split = self.split_of(set);
        let total = set.total.as_ref().and_then(|total| total.parse().ok());
        let samples = match self.info(&set.folder, &split) {
            Some(info) if total == Some(info.of_shards.len()) => {
                let lost: u64 =
                    set.missing_places().filter_map(|place| info.of_shards.get(place as usize)).sum();
                format!(", with {}", counted(lost, "sample", "samples"))
            }
            _ => self.samples(&set.folder, &split),
        };
        let names = shown(first.iter().map(PathBuf::as_path));
        let text = format!("{which} {}: {names}{samples}", is_missing(missing));
        self.ledger.add(RemarkKind::FilesMissing, missing, text);
        self.told.extend(first);
    }

    /// Splits that have another number of samples than a `dataset_info.json` says, although no shard is known to be
    /// missing.
    fn counts(&mut self, sets: &[Set]) {
        for (folder, splits) in &self.described.infos {
            let saved = self.described.saved.get(folder);
            for (split, info) in splits {
                let Some(expected) = info.samples.filter(|_| saved.is_none_or(|own| own == split)) else {
                    continue;
                };
                let known =
                    |set: &Set| set.folder == *folder && self.split_of(set) == *split && set.missing() > 0;
                let told = |file: &PathBuf| file.parent() == Some(folder.as_path());
                if sets.iter().any(known) || saved.is_some() && self.told.iter().any(told) {
                    continue;
                }
                let found = self.rows(folder, split);
                if found == expected {
                    continue;
                }
                let name = safe_path(&folder.join("dataset_info.json"));
                let (count, split) = (counted(expected, "sample", "samples"), safe_text(split));
                let text = format!(
                    "{name} counts {count} in the split '{split}', and {} found",
                    if found == 1 { "1 was".to_owned() } else { format!("{} were", thousands(found)) }
                );
                match (saved, found < expected) {
                    // A selection that is saved keeps the number of the whole.
                    (Some(_), _) => {
                        self.ledger.add(RemarkKind::LayoutGuessed, found.abs_diff(expected), text)
                    }
                    (None, true) => self.ledger.add(RemarkKind::FilesMissing, expected - found, text),
                    (None, false) => self.ledger.add(RemarkKind::LayoutDoubtful, found - expected, text),
                }
            }
        }
    }

    /// How many samples of a split are in a folder. Where one shard does not say its split, all count.
    fn rows(&self, folder: &Path, split: &str) -> u64 {
        let here = || self.shards.iter().filter(|shard| shard.path.parent() == Some(folder));
        let saved = self.described.saved.contains_key(folder);
        let all = saved || here().all(|shard| shard.split.is_empty());
        here().filter(|shard| all || shard.split == split).map(|shard| shard.rows).sum()
    }

    /// The split of a set.
    fn split_of(&self, set: &Set) -> String {
        let saved = self.described.saved.get(&set.folder).filter(|split| !split.is_empty());
        let first = || set.there.values().flatten().next();
        let named = || {
            let shard = self.shards.iter().find(|shard| Some(&shard.path) == first())?;
            Some(shard.split.clone())
        };
        saved.cloned().or_else(named).unwrap_or_default()
    }

    fn info(&self, folder: &Path, split: &str) -> Option<&Info> {
        self.described.infos.get(folder)?.get(split)
    }

    /// How many samples of a split there should be, and are, as the end of a remark.
    fn samples(&self, folder: &Path, split: &str) -> String {
        let Some(expected) = self.info(folder, split).and_then(|info| info.samples) else {
            return String::new();
        };
        let found = self.rows(folder, split);
        if found >= expected {
            return String::new();
        }
        format!(
            "; {} of the {} that dataset_info.json counts {} not found",
            thousands(expected - found),
            counted(expected, "sample", "samples"),
            if expected - found == 1 { "was" } else { "were" }
        )
    }
}

/// Says which numbers are there twice.
fn twice(sets: &[Set], ledger: &mut Ledger) {
    for set in sets {
        let again: Vec<&Vec<PathBuf>> = set.there.values().filter(|paths| paths.len() > 1).collect();
        let Some(first) = again.first() else { continue };
        let shards = counted(again.len() as u64, "shard is", "shards are");
        let (one, other) = (safe_path(&first[0]), safe_path(&first[1]));
        let text = format!("{shards} there twice, and all of them were read: {one} and {other}");
        ledger.add(RemarkKind::LayoutDoubtful, again.len() as u64, text);
    }
    for pair in sets.windows(2) {
        let [one, other] = pair else { continue };
        let of = |set: &Set| (set.folder.clone(), set.prefix.clone(), set.extension.clone());
        let same = of(one) == of(other);
        if let (true, Some(first), Some(second)) = (same, &one.total, &other.total) {
            let prefix = safe_path(&one.folder.join(&one.prefix));
            let text = format!(
                "shards of two sets are called {prefix}…: of {first} and of {second}; if one is an earlier form of the \
                 other, remove its files"
            );
            ledger.add(RemarkKind::LayoutDoubtful, 1, text);
        }
    }
}

/// Says which files are one file under two names.
fn copies(root: &Path, paths: &BTreeSet<&Path>, sets: &[Set], ledger: &mut Ledger) {
    let told = |one: &Path, other: &Path| {
        let has = |paths: &Vec<PathBuf>| [one, other].iter().all(|path| paths.iter().any(|own| own == path));
        sets.iter().flat_map(|set| set.there.values()).any(has)
    };
    let mut sizes: BTreeMap<u64, Vec<&Path>> = BTreeMap::new();
    for path in paths {
        if let Ok(metadata) = below(root, path).metadata() {
            sizes.entry(metadata.len()).or_default().push(path);
        }
    }
    let mut found: Vec<(&Path, &Path)> = Vec::new();
    for same_size in sizes.into_values().filter(|paths| paths.len() > 1) {
        let mut ends: BTreeMap<Vec<u8>, &Path> = BTreeMap::new();
        for path in same_size {
            let Ok(own) = both_ends(&below(root, path)) else { continue };
            match ends.get(&own) {
                Some(first) if !told(first, path) => found.push((first, path)),
                Some(_) => {}
                None => drop(ends.insert(own, path)),
            }
        }
    }
    let Some((one, other)) = found.first() else { return };
    let seem = counted(
        found.len() as u64,
        "shard seems to be a copy of another one, and was read, too",
        "shards seem to be copies of others, and were read, too",
    );
    let text = format!("{seem}: {} of {}", safe_path(other), safe_path(one));
    ledger.add(RemarkKind::LayoutDoubtful, found.len() as u64, text);
}

/// The first and the last bytes of a file.
fn both_ends(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let length = size.min(COMPARED);
    let mut bytes = vec![0; 2 * length as usize];
    let (start, end) = bytes.split_at_mut(length as usize);
    file.read_exact_at(start, 0)?;
    file.read_exact_at(end, size - length)?;
    Ok(bytes)
}

/// `1 of 3 shards`.
fn of_all(some: u64, all: u64, one: &str, many: &str) -> String {
    format!("{} of {}", thousands(some), counted(all, one, many))
}

fn is_missing(count: u64) -> &'static str {
    if count == 1 { "is missing" } else { "are missing" }
}

fn shown<'a>(names: impl Iterator<Item = &'a Path>) -> String {
    let names: Vec<String> = names.take(SHOWN + 1).map(safe_path).collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
}
