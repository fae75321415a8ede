//! What the files of the `datasets` library say that a dataset has: `state.json`, `dataset_dict.json`, `dataset_info.json`.

use crate::dataset::Candidate;
use crate::dataset::packed::clean_name;
use chaffinch_data::packing::{Blob, below};
use chaffinch_protocol::display::safe_path;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What describes a dataset is small.
const LARGEST: u64 = 64 << 20;

/// What the files that describe a dataset say.
#[derive(Debug, Default)]
pub(in crate::dataset) struct Described {
    /// Files that a `state.json` lists, and the `state.json`.
    pub(super) listed: BTreeMap<PathBuf, PathBuf>,
    /// The folders with a `state.json`, and the split that it names; empty if it names none.
    pub(super) saved: BTreeMap<PathBuf, String>,
    /// The files that a `state.json` lists, in its order, and those with the numbers of the rows that are taken of them, by
    /// its folder.
    pub(in crate::dataset) selected: BTreeMap<PathBuf, Selected>,
    /// Folders of splits that a `dataset_dict.json` lists, and the `dataset_dict.json`.
    pub(super) splits: BTreeMap<PathBuf, PathBuf>,
    /// What a `dataset_info.json` says of the splits, by its folder.
    pub(super) infos: BTreeMap<PathBuf, BTreeMap<String, Info>>,
    /// Files that could not be read, and why.
    pub(super) broken: Vec<String>,
}

/// The files of a folder, of whose rows some are taken.
#[derive(Debug, Default)]
pub(in crate::dataset) struct Selected {
    /// The files with the rows.
    pub(in crate::dataset) files: Vec<PathBuf>,
    /// The files with the numbers of rows.
    pub(in crate::dataset) indices: Vec<PathBuf>,
}

/// How many samples a split has.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) samples: Option<u64>,
    /// Of each of its shards, if that is known.
    pub(super) of_shards: Vec<u64>,
}

impl Described {
    /// Reads the files of a dataset.
    pub(in crate::dataset) fn of(candidate: &Candidate) -> Described {
        let mut described = Described::default();
        let root = candidate.root();
        for file in candidate.called("state.json") {
            // Other programs have files of this name, too.
            let Some(state) = described.json(root, file) else { continue };
            let Some(files) = state.get("_data_files").and_then(Value::as_array) else { continue };
            if files.is_empty() {
                continue;
            }
            let split = state.get("_split").and_then(Value::as_str).unwrap_or_default();
            described.saved.insert(folder(file), split.to_owned());
            let names = |files: &[Value]| -> Vec<PathBuf> {
                let names = files.iter().filter_map(|file| file.get("filename").and_then(Value::as_str));
                let names = names.map(|name| clean_name(name.as_bytes()));
                let names = names.filter(|name| !name.as_os_str().is_empty());
                names.map(|name| folder(file).join(name)).collect()
            };
            let files = names(files);
            described.listed.extend(files.iter().map(|name| (name.clone(), file.to_path_buf())));
            let indices = state.get("_indices_data_files").and_then(Value::as_array);
            let indices = indices.map(|files| names(files)).filter(|indices| !indices.is_empty());
            if let Some(indices) = indices {
                described.selected.insert(folder(file), Selected { files, indices });
            }
        }
        for file in candidate.called("dataset_dict.json") {
            let Some(dict) = described.json(root, file) else { continue };
            let splits = dict.get("splits").and_then(Value::as_array).into_iter().flatten();
            let names = splits.filter_map(Value::as_str).map(|name| clean_name(name.as_bytes()));
            let names = names.filter(|name| !name.as_os_str().is_empty());
            described.splits.extend(names.map(|name| (folder(file).join(name), file.to_path_buf())));
        }
        for file in candidate.called("dataset_info.json") {
            let Some(info) = described.json(root, file) else { continue };
            let splits = info.get("splits").and_then(Value::as_object).into_iter().flatten();
            let splits = splits.map(|(name, split)| {
                let lengths = split.get("shard_lengths").and_then(Value::as_array).into_iter().flatten();
                let of_shards = lengths.filter_map(Value::as_u64).collect();
                (name.clone(), Info { samples: split.get("num_examples").and_then(Value::as_u64), of_shards })
            });
            described.infos.insert(folder(file), splits.collect());
        }
        described
    }

    /// Whether a file lies in a folder whose `state.json` lists others and not this one.
    pub(in crate::dataset) fn leaves_out(&self, file: &Path) -> bool {
        self.saved.contains_key(&folder(file)) && !self.listed.contains_key(file)
    }

    fn json(&mut self, root: &Path, file: &Path) -> Option<Value> {
        let read = || -> Result<Value, String> {
            let blob = Blob::open(&below(root, file)).map_err(|error| error.to_string())?;
            let bytes = blob.bytes(0, blob.size().min(LARGEST)).map_err(|error| error.to_string())?;
            serde_json::from_slice(&bytes).map_err(|error| format!("it is not valid JSON: {error}"))
        };
        read().map_err(|why| self.broken.push(format!("{} ({why})", safe_path(file)))).ok()
    }
}

fn folder(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).to_path_buf()
}
