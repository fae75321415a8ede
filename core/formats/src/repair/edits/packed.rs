//! Plans about pictures that lie in Parquet and tar files.

use super::{Contents, Edits, Rewrite};
use crate::Result;
use crate::dataset::{self, is_webdataset};
use crate::repair::parquet_checks::Checks;
use crate::repair::parquet_file::ParquetEdits;
use crate::repair::refusal::refused;
use crate::repair::tar;
use crate::repair::tar_classes::Numbers;
use crate::repair::targets::Targets;
use chaffinch_compute::content::ContentHash;
use chaffinch_data::class_names;
use chaffinch_data::packing::{Holds, Source};
use chaffinch_protocol::display::safe_path;
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_review::repair::{Change, Plan};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The first number of each class, by the spelling that names are compared by.
fn numbered(names: &[String]) -> BTreeMap<String, usize> {
    let by_name = names.iter().enumerate().rev();
    by_name.map(|(number, name)| (class_names::clean(name).into_owned(), number)).collect()
}

impl Edits {
    /// Parquet files.
    ///
    /// # Errors
    /// When a change cannot be made.
    pub(super) fn parquet(&mut self, plan: &Plan) -> Result<()> {
        let files = dataset::parquet_files(&self.dataset, &plan.reading)?;
        let mut edits: Vec<ParquetEdits> = files.iter().map(|_| ParquetEdits::default()).collect();
        // How many classes each column has, and the first number of each spelling.
        let mut classes: BTreeMap<String, (usize, BTreeMap<String, usize>)> = BTreeMap::new();
        // How each split is written where it is written first.
        let mut written: BTreeMap<Split, SampleId> = BTreeMap::new();
        for id in self.manifest.ids() {
            written.entry(self.manifest.split(id)).or_insert(id);
        }
        let mut first: Vec<u64> = Vec::new();
        let mut rows = 0;
        for file in &files {
            first.push(rows);
            rows += file.rows;
        }
        if rows != self.manifest.len() as u64 {
            return Err(refused(&self.dataset, "its rows are not those that were read; make a new plan"));
        }
        let mut added: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for change in &plan.changes {
            let row = u64::from(change.row);
            let at = first.partition_point(|&first| first <= row).saturating_sub(1);
            let (file, own) = (&files[at], row - first[at]);
            let shown = safe_path(&change.path.path());
            self.check_in(change, &mut edits[at].checks, own);
            if change.remove {
                edits[at].dropped.insert(own);
                continue;
            }
            if let Some(split) = change.to_split {
                let Some(column) = &file.split else {
                    let message =
                        format!("the split of {shown} is that of its file, so it cannot be moved to {split}");
                    return Err(refused(&file.path, message));
                };
                let text = written.get(&split).map_or(split.name(), |&id| self.manifest.split_as_written(id));
                edits[at].values.entry(column.clone()).or_default().insert(own, text.to_owned());
            }
            if let Some(label) = &change.to_label {
                let Some(column) = &file.label else {
                    let message = format!("it has no column of labels, so that of {shown} cannot be changed");
                    return Err(refused(&file.path, message));
                };
                let value = match &file.classes {
                    None => label.clone(),
                    Some(names) => {
                        let (count, numbers) =
                            classes.entry(column.clone()).or_insert_with(|| (names.len(), numbered(names)));
                        let number =
                            *numbers.entry(class_names::clean(label).into_owned()).or_insert_with(|| {
                                added.entry(column.clone()).or_default().push(label.clone());
                                *count += 1;
                                *count - 1
                            });
                        number.to_string()
                    }
                };
                edits[at].values.entry(column.clone()).or_default().insert(own, value);
            }
        }
        // All files of a dataset list the same classes.
        for (column, names) in added {
            for (file, edits) in
                files.iter().zip(&mut edits).filter(|(file, _)| file.label.as_ref() == Some(&column))
            {
                if file.classes.as_ref().map(Vec::len)
                    != classes.get(&column).map(|(count, _)| count - names.len())
                {
                    let message = "its classes are not those of the other files, so that none can be added";
                    return Err(refused(&file.path, message));
                }
                edits.classes = Some((column.clone(), names.clone()));
            }
        }
        // A file that a row names is elsewhere when this is tried.
        self.in_order = self.manifest.ids().all(|id| matches!(self.manifest.source(id), Source::Packed(_)));
        for (file, edits) in files.into_iter().zip(edits).filter(|(_, edits)| !edits.is_empty()) {
            self.rewrites.push(Rewrite { path: file.path, contents: Contents::Parquet(edits) });
        }
        Ok(())
    }

    /// Has a picture compared that is in a Parquet file. What could not be read when it was scanned has no hash.
    fn check_in(&self, change: &Change, checks: &mut Checks, row: u64) {
        if change.hash != ContentHash::default()
            && let Source::Packed(packed) = self.manifest.source(change.id())
            && let Holds::Cells { column } = packed.container.holds()
        {
            checks.dataset.clone_from(&self.dataset);
            checks.column.clone_from(column);
            checks.rows.insert(row, (change.path.path(), change.hash));
        }
    }

    /// Tar files.
    ///
    /// # Errors
    /// When a change cannot be made.
    pub(super) fn tar(&mut self, plan: &Plan) -> Result<()> {
        let manifest = &self.manifest;
        let containers = manifest.packing().map_or(&[][..], |packing| packing.containers());
        let files: BTreeMap<&Path, Vec<tar::Member>> = (containers.par_iter())
            .map(|container| Ok((container.path(), tar::members(container.path())?)))
            .collect::<Result<_>>()?;
        let names: Vec<&Path> = files.values().flatten().map(|member| member.name.as_path()).collect();
        let webdataset = is_webdataset(names.iter().copied());
        let classes = webdataset.then(|| dataset::webdataset_classes(&self.dataset)).transpose()?.flatten();
        let mut numbers = classes.map(|(file, names)| Numbers::new(file, names));
        let known: BTreeSet<&Path> = names.into_iter().collect();
        let taken = |path: &Path| known.contains(path);
        let mut targets = Targets::of(manifest, &plan.changes, None, false, &taken);
        let mut wanted: BTreeMap<PathBuf, Vec<tar::Wanted<'_>>> = BTreeMap::new();
        for change in &plan.changes {
            let Source::Packed(packed) = manifest.source(change.id()) else { continue };
            let renamed = match change.remove || webdataset {
                true => None,
                false => Some(targets.place(change)?.0),
            };
            let one = tar::Wanted { change, start: packed.start, renamed };
            wanted.entry(packed.container.path().to_path_buf()).or_default().push(one);
        }
        for (path, changes) in wanted {
            let members = files.get(path.as_path()).map_or(&[][..], Vec::as_slice);
            let column = plan.reading.label_column.as_deref();
            let parts = tar::Parts::new(&path, members, &changes, webdataset, column, numbers.as_mut())?;
            self.rewrites.push(Rewrite { path, contents: Contents::Tar(parts) });
        }
        self.in_order = webdataset && !self.rewrites.is_empty();
        let added = numbers.map(Numbers::rewritten).transpose()?.flatten();
        self.rewrites.extend(added.map(|(path, bytes)| Rewrite { path, contents: Contents::Bytes(bytes) }));
        Ok(())
    }
}
