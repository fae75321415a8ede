//! Plans about pictures that are files, and about files that name pictures.

use super::{Contents, Edits, Move, Rewrite};
use crate::dataset;
use crate::export::tables_beside::{Changes, TablesBeside};
use crate::repair::annotations::Annotations;
use crate::repair::parquet_file::ParquetEdits;
use crate::repair::refusal::refused;
use crate::repair::targets::Targets;
use crate::{Error, Result};
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::repair::{Change, Plan};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

impl Edits {
    /// A folder, whose files are the samples.
    ///
    /// # Errors
    /// When a change cannot be made.
    pub(super) fn folder(&mut self, plan: &Plan) -> Result<()> {
        let annotations = Annotations::of(dataset::annotations(&self.dataset, &plan.reading)?);
        let manifest = &self.manifest;
        let tables = TablesBeside::in_their_place(manifest);
        if let Some(lost) = tables.lost.first() {
            return Err(refused(
                &self.dataset,
                format!("a table beside the pictures cannot be read: {lost}"),
            ));
        }
        let taken = |path: &Path| manifest.root().join(path).symlink_metadata().is_ok();
        let mut targets =
            Targets::of(manifest, &plan.changes, Some(&tables), !annotations.is_empty(), &taken);
        let changes: BTreeMap<SampleId, &Change> =
            plan.changes.iter().map(|change| (change.id(), change)).collect();
        let mut places: BTreeMap<SampleId, PathBuf> = BTreeMap::new();
        let mut splits: BTreeMap<SampleId, String> = BTreeMap::new();
        for (&id, change) in &changes {
            let from = manifest.path(id).to_path_buf();
            let to = match change.remove {
                true => None,
                false => {
                    // What a file of annotations says changes there.
                    let mut own = (*change).clone();
                    own.to_label = own.to_label.filter(|_| !annotations.labels(id));
                    own.to_split = own.to_split.filter(|_| !annotations.says_split(id));
                    let (to, split) = targets.place(&own)?;
                    splits.extend(split.map(|split| (id, split)));
                    places.insert(id, to.clone());
                    Some(to)
                }
            };
            if to.as_ref() != Some(&from) {
                self.moves.push(Move { from, to, hash: change.hash });
            }
        }
        let place = |id: SampleId| match changes.get(&id) {
            Some(change) if change.remove => None,
            _ => Some(places.get(&id).map_or(manifest.path(id), PathBuf::as_path)),
        };
        let wanted = Changes {
            removed: &|id| changes.get(&id).is_some_and(|change| change.remove),
            label: &|id| changes.get(&id).and_then(|change| change.to_label.clone()),
            split: &|id| splits.get(&id).cloned(),
            place: &place,
        };
        for (path, rows) in tables.rows_edited(&wanted).map_err(|why| refused(&self.dataset, why))? {
            let edits =
                ParquetEdits { dropped: rows.dropped, values: rows.values, ..ParquetEdits::default() };
            let path = manifest.root().join(path);
            self.rewrites.push(Rewrite { path, contents: Contents::Parquet(edits) });
        }
        for (path, bytes) in tables.edited(&wanted) {
            let path = manifest.root().join(path);
            match bytes {
                None => {}
                Some(Ok(bytes)) => self.rewrites.push(Rewrite { path, contents: Contents::Bytes(bytes) }),
                Some(Err(why)) => {
                    return Err(Error::format(&path, format!("it cannot be rewritten: {}", safe_text(&why))));
                }
            }
        }
        let mut expected = BTreeMap::new();
        for id in manifest.ids() {
            let Some(path) = place(id) else { continue };
            let change = changes.get(&id);
            let label = change.map_or(manifest.label_name(id), |change| change.label_after());
            let split = change.map_or(manifest.split(id), |change| change.split_after());
            expected.insert(path.to_path_buf(), (label.to_owned(), split));
        }
        let companions = tables.companions();
        self.companions = companions;
        self.expected = expected;
        self.annotations = annotations.all_files();
        annotations.edit(self, &changes, &places, &plan.reading)
    }

    /// A file of annotations, whose entries are the samples.
    ///
    /// # Errors
    /// When a change cannot be made.
    pub(super) fn annotated(&mut self, plan: &Plan) -> Result<()> {
        let annotations = Annotations::of(dataset::annotations(&self.dataset, &plan.reading)?);
        let changes: BTreeMap<SampleId, &Change> =
            plan.changes.iter().map(|change| (change.id(), change)).collect();
        for id in self.manifest.ids() {
            let change = changes.get(&id);
            if change.is_some_and(|change| change.remove) {
                continue;
            }
            let label = change.map_or(self.manifest.label_name(id), |change| change.label_after());
            let split = change.map_or(self.manifest.split(id), |change| change.split_after());
            self.expected.insert(self.manifest.path(id).to_path_buf(), (label.to_owned(), split));
        }
        self.annotations = annotations.all_files();
        annotations.edit(self, &changes, &BTreeMap::new(), &plan.reading)
    }
}
