//! Files of annotation tools, whose entries say the labels, as they are after a plan.

use super::edits::Contents;
use super::edits::{Edits, Move, Rewrite, hash_of};
use super::targets::{most, splits_written};
use crate::dataset::Taken;
use crate::dataset::rewrite::{EntryChange, EntryChanges};
use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_review::repair::Change;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The files of a dataset.
pub(super) struct Annotations {
    files: Vec<Taken>,
    /// The samples that they name, and of these the ones in files that say splits.
    named: BTreeSet<usize>,
    splits: BTreeSet<usize>,
}

impl Annotations {
    pub(super) fn of(files: Vec<Taken>) -> Annotations {
        let (mut named, mut splits) = (BTreeSet::new(), BTreeSet::new());
        for (file, rows) in &files {
            // A picture without a split may get one where others have theirs.
            let says_splits = (0..rows.len()).any(|entry| file.says_split(entry));
            named.extend(rows.iter().flatten());
            splits.extend(rows.iter().flatten().filter(|_| says_splits));
        }
        Annotations { files, named, splits }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether a file says the label of a sample.
    pub(super) fn labels(&self, id: SampleId) -> bool {
        self.named.contains(&id.index())
    }

    /// Whether a file says the split of a sample.
    pub(super) fn says_split(&self, id: SampleId) -> bool {
        self.splits.contains(&id.index())
    }

    /// All files that are read, absolute.
    pub(super) fn all_files(&self) -> BTreeSet<PathBuf> {
        self.files.iter().flat_map(|(file, _)| file.files()).map(PathBuf::from).collect()
    }

    /// Adds what becomes of the files to the changes of a dataset. `places` are the new paths of pictures.
    ///
    /// # Errors
    /// When a change cannot be made.
    pub(super) fn edit(
        &self,
        edits: &mut Edits,
        changes: &BTreeMap<SampleId, &Change>,
        places: &BTreeMap<SampleId, PathBuf>,
        options: &DatasetOptions,
    ) -> Result<()> {
        let written = splits_written(&edits.manifest);
        for (file, rows) in &self.files {
            let mut entries = EntryChanges::new();
            for (entry, row) in rows.iter().enumerate() {
                let Some(change) = row.and_then(|row| changes.get(&SampleId(row as u32))) else { continue };
                let id = change.id();
                let split = change.to_split.filter(|_| self.says_split(id));
                let path =
                    places.get(&id).filter(|place| place.as_path() != edits.manifest.path(id)).cloned();
                let text = |split: Split| {
                    written
                        .get(&split.code())
                        .and_then(most)
                        .cloned()
                        .unwrap_or_else(|| split.name().to_owned())
                };
                entries.insert(
                    entry,
                    EntryChange {
                        remove: change.remove,
                        old: edits.manifest.label_as_written(id).to_owned(),
                        label: change.to_label.clone(),
                        split: split.map(|split| (split, text(split))),
                        path,
                    },
                );
            }
            if entries.is_empty() {
                continue;
            }
            for (path, contents) in file.rewritten(&entries, options)? {
                match contents {
                    Some(bytes) => edits.rewrites.push(Rewrite { path, contents: Contents::Bytes(bytes) }),
                    None => {
                        let hash = hash_of(&path).unwrap_or_else(|_| ContentHash::default());
                        let from = path.strip_prefix(edits.root()).map(PathBuf::from);
                        let from = from.map_err(|_| Error::format(&path, "it is outside the dataset"))?;
                        edits.moves.push(Move { from, to: None, hash });
                    }
                }
            }
        }
        Ok(())
    }
}
