//! The manifest of a result.

use super::super::listing::Listing;
use anyhow::{Context, Result, bail, ensure};
use chaffinch_compute::content::ContentHash;
use chaffinch_data::class_names;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::session::{MARK, Session};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::SampleId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The version of the file. Version 1 had no settings in force, version 2 no digests of files.
const SCHEMA: u32 = 3;

/// Files of a session on which results depend, beside the decisions.
const SETTINGS: [&str; 3] = [MARK, "settings.toml", "chaffinch.toml"];

/// The folder of decisions.
const DECISIONS: &str = "decisions";

/// How many files that differ are named of each kind.
const NAMED: usize = 5;

/// The largest manifest that is read.
const MOST: u64 = 1 << 30;

/// What a result comes from, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    schema: u32,
    /// The program that made it, with its version.
    program: String,
    /// The dataset.
    pub(super) dataset: String,
    /// The model's fingerprint; empty without one.
    model: String,
    /// How many samples there are.
    pub(super) samples: u64,
    pub(super) digests: Digests,
    /// Of each path the digest of its samples, so that those that differ can be named.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Settings of the session: name of the file, and its text.
    settings: BTreeMap<String, String>,
    /// What the results were made with, wherever it was set, and the versions of detectors.
    #[serde(default)]
    in_force: BTreeMap<String, String>,
    /// Journals: name of the file, and its text.
    decisions: BTreeMap<String, String>,
}

/// BLAKE3 digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Digests {
    /// Of all samples: path, content, label and split.
    dataset: ContentHash,
    /// Of what each detector says of each sample, by its name.
    pub(super) detectors: BTreeMap<String, ContentHash>,
    /// Of the list of suspects, as `rank` gives it.
    ranking: ContentHash,
}

impl Record {
    /// Of a session as it is.
    pub(super) fn of(listing: &Listing, session: &Session) -> Result<Record> {
        let dir = session.dir();
        let mut settings = BTreeMap::new();
        for name in SETTINGS {
            let path = dir.join(name);
            if path.is_file() {
                settings.insert(name.to_owned(), text(&path)?);
            }
        }
        let mut decisions = BTreeMap::new();
        for path in files(&dir.join(DECISIONS))? {
            decisions.insert(name(&path)?, text(&path)?);
        }
        let (dataset, files) = samples(listing);
        let results = listing.results.iter();
        let detectors = results.map(|(name, result)| (name.clone(), judged(result, listing))).collect();
        Ok(Record {
            schema: SCHEMA,
            program: listing.about.program.clone(),
            dataset: listing.about.dataset.clone(),
            model: session.uses().loaded.map(|loaded| loaded.fingerprint).unwrap_or_default(),
            samples: listing.manifest.len() as u64,
            digests: Digests {
                dataset,
                detectors,
                ranking: ContentHash::of(&serde_json::to_vec(&listing.suspects())?),
            },
            files,
            settings,
            in_force: in_force(listing),
            decisions,
        })
    }

    /// The settings that are others in another one, each with its value in this one and in the other.
    fn changed<'a>(&'a self, again: &'a Record) -> Vec<(&'a str, Option<&'a str>, Option<&'a str>)> {
        if self.in_force.is_empty() {
            return Vec::new();
        }
        let names: BTreeSet<&String> = self.in_force.keys().chain(again.in_force.keys()).collect();
        let both = |name: &'a String| {
            let of = |record: &'a Record| record.in_force.get(name).map(String::as_str);
            (name.as_str(), of(self), of(again))
        };
        names.into_iter().map(both).filter(|(_, old, new)| old != new).collect()
    }

    /// Reads one.
    pub(super) fn load(path: &Path) -> Result<Record> {
        let shown = || safe_path(path);
        let size = fs::metadata(path).with_context(|| format!("cannot read {}", shown()))?.len();
        ensure!(path.is_file() && size <= MOST, "{} is not a manifest of chaffinch replay --record", shown());
        let record: Record = serde_json::from_str(&text(path)?)
            .with_context(|| format!("{} is not a manifest of chaffinch replay --record", shown()))?;
        if !(1..=SCHEMA).contains(&record.schema) {
            bail!(
                "{} has version {} of the format; this program reads up to {SCHEMA}",
                shown(),
                record.schema
            );
        }
        Ok(record)
    }

    /// The file.
    pub(super) fn written(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Makes a session with these settings, without decisions and results, of a dataset that may have moved.
    pub(super) fn restore(&self, dir: &Path, dataset: &Path) -> Result<()> {
        fs::create_dir(dir).with_context(|| format!("cannot create {}", safe_path(dir)))?;
        for (name, text) in &self.settings {
            ensure!(SETTINGS.contains(&name.as_str()), "the manifest has a setting '{}'", safe_text(name));
            let text = if name == MARK { moved(text, dataset)? } else { text.clone() };
            write(&dir.join(name), &text)?;
        }
        Ok(())
    }

    /// Puts the decisions into a session.
    pub(super) fn decide(&self, dir: &Path) -> Result<()> {
        let folder = dir.join(DECISIONS);
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", safe_path(&folder)))?;
        for (name, text) in &self.decisions {
            let plain = !name.contains('/') && name.ends_with(".jsonl");
            ensure!(plain, "the manifest has a journal '{}'", safe_text(name));
            write(&folder.join(name), text)?;
        }
        Ok(())
    }

    /// Some of the files that differ in another one, to be put behind a sentence; empty for a record that does not know them.
    fn named(&self, again: &Record) -> String {
        if self.files.is_empty() {
            return String::new();
        }
        let changed =
            self.files.iter().filter(|(path, old)| again.files.get(*path).is_some_and(|new| new != *old));
        let gone = self.files.keys().filter(|path| !again.files.contains_key(*path));
        let new = again.files.keys().filter(|path| !self.files.contains_key(*path));
        let kinds: [(&str, Vec<&String>); 3] = [
            ("changed", changed.map(|(path, _)| path).collect()),
            ("gone", gone.collect()),
            ("new", new.collect()),
        ];
        let mut words = String::new();
        for (what, paths) in kinds.iter().filter(|(_, paths)| !paths.is_empty()) {
            let first: Vec<&str> = paths.iter().take(NAMED).map(|path| path.as_str()).collect();
            let more = paths.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            words += &format!("; {what}: {}{more}", first.join(", "));
        }
        words
    }

    /// Whether anything was decided.
    pub(super) fn has_decisions(&self) -> bool {
        !self.decisions.is_empty()
    }

    /// What is different in another one, a sentence each, causes first. `origin` says where a setting comes from now.
    pub(super) fn differences(&self, again: &Record, origin: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let mut all = Vec::new();
        if self.program != again.program {
            all.push(format!("program: {} recorded it, this is {}", self.program, again.program));
        }
        if self.model != again.model {
            let name = |model: &str| if model.is_empty() { "none".to_owned() } else { model.to_owned() };
            all.push(format!("model: {}, now {}", name(&self.model), name(&again.model)));
        }
        for (name, old, new) in self.changed(again) {
            // A detector that is not there at all is named below.
            let Some((old, new)) = old.zip(new) else { continue };
            let from = origin(name).map_or_else(String::new, |origin| format!(" (from {origin})"));
            all.push(match name.strip_prefix("detectors.").and_then(|name| name.strip_suffix(".version")) {
                Some(detector) => format!("detector {detector}: version {old}, now {new}"),
                None => format!("setting {name}: {old}, now {new}{from}"),
            });
        }
        let (old, new) = (&self.digests, &again.digests);
        if self.samples != again.samples {
            all.push(format!(
                "dataset: {} samples, now {}{}",
                self.samples,
                again.samples,
                self.named(again)
            ));
        } else if old.dataset != new.dataset {
            let named = self.named(again);
            all.push(format!("dataset: paths, contents, labels or splits of samples changed{named}"));
        }
        let names: BTreeSet<&String> = old.detectors.keys().chain(new.detectors.keys()).collect();
        for name in names {
            match (old.detectors.get(name), new.detectors.get(name)) {
                (Some(old), Some(new)) if old != new => all.push(format!("{name}: other results")),
                (Some(_), None) => all.push(format!("{name}: no results now")),
                (None, Some(_)) => all.push(format!("{name}: had no results")),
                _ => {}
            }
        }
        if old.ranking != new.ranking {
            all.push("ranking: another list of suspects".to_owned());
        }
        all
    }
}

/// The rule, and the threshold, version and parameters of each detector.
fn in_force(listing: &Listing) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([("ensemble".to_owned(), listing.rule.name())]);
    for (name, result) in &listing.results {
        let record = result.record();
        let mut add = |key: &str, value: String| all.insert(format!("detectors.{name}.{key}"), value);
        add("threshold", listing.set.get(name).copied().unwrap_or(record.threshold).to_string());
        add("version", record.version.clone());
        record.params.iter().for_each(|(param, value)| _ = add(param, value.to_string()));
    }
    all
}

/// The session's mark for a dataset at another place.
fn moved(text: &str, dataset: &Path) -> Result<String> {
    let mut mark: toml::Table = text.parse().context("the manifest's session.toml is damaged")?;
    if let (Some(path), true) = (dataset.to_str(), mark.contains_key("dataset")) {
        let absolute = dataset.canonicalize().ok().and_then(|path| path.to_str().map(str::to_owned));
        mark.insert("dataset".into(), absolute.unwrap_or_else(|| path.to_owned()).into());
    }
    Ok(toml::to_string(&mark)?)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", safe_path(path)))
}

/// A digest of all samples, in the order of their paths, and one of those of each path, cut to what tells two states of a
/// file apart.
fn samples(listing: &Listing) -> (ContentHash, BTreeMap<String, String>) {
    const DIGITS: usize = 16;
    let mut rows: Vec<Vec<u8>> = listing.manifest.ids().map(|id| row(listing, id)).collect();
    rows.sort_unstable();
    let digest = |rows: &[Vec<u8>]| digest_of(rows).to_string()[..DIGITS].to_owned();
    let files = rows.chunk_by(|a, b| path_of(a) == path_of(b));
    let files = files.map(|rows| (class_names::of_bytes(path_of(&rows[0])), digest(rows))).collect();
    (digest_of(&rows), files)
}

/// The path at the beginning of a row, which no path has a NUL in.
fn path_of(row: &[u8]) -> &[u8] {
    row.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// All that a sample is: path, content, label and split.
fn row(listing: &Listing, id: SampleId) -> Vec<u8> {
    let manifest = &listing.manifest;
    let mut row = manifest.path(id).as_os_str().as_bytes().to_vec();
    let hash = listing.file_metadata.hashes.get(id.index()).copied().unwrap_or_default();
    row.push(0);
    row.extend(hash.0);
    for text in [manifest.label_name(id), manifest.split(id).name()] {
        row.extend(text.as_bytes());
        row.push(0);
    }
    row
}

fn digest_of(rows: &[Vec<u8>]) -> ContentHash {
    let mut all = Vec::new();
    for row in rows {
        all.extend((row.len() as u64).to_le_bytes());
        all.extend(row);
    }
    ContentHash::of(&all)
}

/// A digest of what a detector says: scores, suggestions, groups, related samples and reasons, in the order of samples.
fn judged(result: &DetectorResult, listing: &Listing) -> ContentHash {
    let mut all = Vec::new();
    for id in listing.manifest.ids() {
        let Some(issue) = result.issue(id) else {
            all.push(0);
            continue;
        };
        all.push(1);
        all.extend(issue.score.to_le_bytes());
        all.extend(issue.suggested.unwrap_or(u32::MAX).to_le_bytes());
        all.extend(issue.group.unwrap_or(u32::MAX).to_le_bytes());
        for text in [result.suggested_other(id).unwrap_or_default(), &issue.reason] {
            all.extend((text.len() as u64).to_le_bytes());
            all.extend(text.as_bytes());
        }
        all.extend((issue.related.len() as u64).to_le_bytes());
        for (other, similarity) in &issue.related {
            all.extend(other.0.to_le_bytes());
            all.extend(similarity.to_le_bytes());
        }
    }
    ContentHash::of(&all)
}

/// The files of a folder by name; none if there is no such folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let cannot = || format!("cannot read {}", safe_path(folder));
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        all.push(entry.with_context(cannot)?.path());
    }
    all.retain(|path| path.is_file());
    all.sort_unstable();
    Ok(all)
}

fn name(path: &Path) -> Result<String> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).with_context(|| format!("{} is not valid UTF-8", safe_path(path)))
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", safe_path(path)))
}
