//! Plans about pictures that lie in Parquet and tar files.

use super::{Contents, Edits, Rewrite};
use crate::Result;
use crate::dataset::{self, Companion, Companions, flags, is_webdataset};
use crate::repair::flag_columns::FlagColumns;
use crate::repair::parquet_checks::Checks;
use crate::repair::parquet_file::ParquetEdits;
use crate::repair::refusal::refused;
use crate::repair::tar;
use crate::repair::tar_classes::Numbers;
use crate::repair::targets::Targets;
use chaffinch_compute::content::ContentHash;
use chaffinch_data::class_names;
use chaffinch_data::packing::{Holds, Source};
use chaffinch_protocol::display::{excerpt, safe_path};
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

/// The numbers of classes in the columns of Parquet files that list them.
#[derive(Default)]
struct Classes {
    /// How many classes each column has, and the first number of each spelling.
    known: BTreeMap<String, (usize, BTreeMap<String, usize>)>,
    added: BTreeMap<String, Vec<String>>,
}

impl Classes {
    /// The number of a class, which gets the next one if it has none. `names` are those that the column lists.
    fn number(&mut self, column: &str, names: &[String], label: &str) -> usize {
        let (count, numbers) =
            self.known.entry(column.to_owned()).or_insert_with(|| (names.len(), numbered(names)));
        *numbers.entry(class_names::clean(label).into_owned()).or_insert_with(|| {
            self.added.entry(column.to_owned()).or_default().push(label.to_owned());
            *count += 1;
            *count - 1
        })
    }
}

impl Edits {
    /// Parquet files.
    ///
    /// # Errors
    /// When a change cannot be made.
    pub(super) fn parquet(&mut self, plan: &Plan) -> Result<()> {
        let files = dataset::parquet_files(&self.dataset, &plan.reading)?;
        let mut edits: Vec<ParquetEdits> = files.iter().map(|_| ParquetEdits::default()).collect();
        let mut classes = Classes::default();
        let relabels = plan.changes.iter().any(|change| change.to_label.is_some());
        let companions = if relabels { Companions::of(&self.manifest) } else { Companions::default() };
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
        let places = match files.iter().all(|file| file.label.is_none()) {
            true => flags::that_say_labels(&self.manifest),
            false => Vec::new(),
        };
        let flags = FlagColumns::at(&self.manifest, &places);
        let by_row: BTreeMap<SampleId, &Change> =
            plan.changes.iter().map(|change| (change.id(), change)).collect();
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
                let new = match &file.label {
                    Some(column) => {
                        let value = match &file.classes {
                            None => label.clone(),
                            Some(names) => classes.number(column, names, label).to_string(),
                        };
                        vec![(column.clone(), value)]
                    }
                    None if flags.is_empty() => {
                        let message =
                            format!("it has no column of labels, so that of {shown} cannot be changed");
                        return Err(refused(&file.path, message));
                    }
                    None => {
                        let new = flags.changed(change.id().index(), label);
                        new.into_iter().map(|new| (new.heading, new.text)).collect()
                    }
                };
                for (column, value) in new {
                    // What says a label is one of the other columns if it is one of 0 and 1.
                    if file.label.is_none() && !file.others.contains_key(&column) {
                        let message = format!(
                            "it has no column of 0 and 1 called '{}' for the new label of {shown}, and no column can be \
                             added; give it a column of labels first",
                            excerpt(&column)
                        );
                        return Err(refused(&file.path, message));
                    }
                    edits[at].values.entry(column).or_default().insert(own, value);
                }
                for one in companions.iter() {
                    let Some(names) = file.others.get(one.heading) else { continue };
                    let names = names.as_deref().filter(|names| one.numbers(names));
                    let value = match (one.beside(label), names) {
                        (Some(text), _) => text.to_owned(),
                        (None, Some(names)) => classes.number(one.heading, names, label).to_string(),
                        (None, None) => String::new(),
                    };
                    edits[at].values.entry(one.heading.to_owned()).or_default().insert(own, value);
                }
            }
        }
        flags.stay(&self.dataset, &self.manifest, &by_row)?;
        let in_all = |wanted: &dyn Fn(&Companion<'_>, &Option<Vec<String>>) -> bool| -> BTreeSet<usize> {
            let has = |one: &Companion<'_>| {
                let mut columns = files.iter().filter_map(|file| file.others.get(one.heading)).peekable();
                columns.peek().is_some() && columns.all(|names| wanted(one, names))
            };
            companions.iter().filter(|one| has(one)).map(|one| one.extra).collect()
        };
        let mut written = in_all(&|_, _| true);
        written.extend(places);
        let numbered = in_all(&|one, names| names.as_deref().is_some_and(|names| one.numbers(names)));
        // All files of a dataset list the same classes.
        for (column, names) in classes.added {
            let listed = classes.known.get(&column).map(|(count, _)| count - names.len());
            for (file, edits) in files.iter().zip(&mut edits) {
                let Some(own) = file.classes_of(&column) else { continue };
                if own.map(<[String]>::len) != listed {
                    let message = "its classes are not those of the other files, so that none can be added";
                    return Err(refused(&file.path, message));
                }
                edits.classes.insert(column.clone(), names.clone());
            }
        }
        (self.companions, self.numbered) = (written, numbered);
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
        let relabels = webdataset && plan.changes.iter().any(|change| change.to_label.is_some());
        let companions = if relabels { Companions::of(manifest) } else { Companions::default() };
        let mut wanted: BTreeMap<PathBuf, Vec<tar::Wanted<'_>>> = BTreeMap::new();
        for change in &plan.changes {
            let Source::Packed(packed) = manifest.source(change.id()) else { continue };
            let renamed = match change.remove || webdataset {
                true => None,
                false => Some(targets.place(change)?.0),
            };
            let beside = |label: &String| -> Vec<(String, String)> {
                companions.iter().map(|one| (one.heading.to_owned(), one.cell(label))).collect()
            };
            let beside = change.to_label.as_ref().map(beside).unwrap_or_default();
            let one = tar::Wanted { change, start: packed.start, renamed, beside };
            wanted.entry(packed.container.path().to_path_buf()).or_default().push(one);
        }
        for (path, changes) in wanted {
            let members = files.get(path.as_path()).map_or(&[][..], Vec::as_slice);
            let column = plan.reading.label_column.as_deref();
            let parts = tar::Parts::new(&path, members, &changes, webdataset, column, numbers.as_mut())?;
            self.rewrites.push(Rewrite { path, contents: Contents::Tar(parts) });
        }
        let written = companions.iter().map(|one| one.extra).collect();
        self.companions = written;
        self.in_order = webdataset && !self.rewrites.is_empty();
        let added = numbers.map(Numbers::rewritten).transpose()?.flatten();
        self.rewrites.extend(added.map(|(path, bytes)| Rewrite { path, contents: Contents::Bytes(bytes) }));
        Ok(())
    }
}
