//! What a plan means for files.

mod folder;
mod packed;

pub(super) use super::file_changes::{Contents, Move, Rewrite};
use super::labels_elsewhere::{self, Elsewhere};
use super::refusal::{changed, outdated, refused};
use super::tables::table_rewritten;
use crate::dataset::{self, Companions, Kept};
use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::packing::{Holds, Source, Written, is_address};
use chaffinch_protocol::display::safe_path;
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_review::repair::{Change, Plan};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What the dataset is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A folder, whose files are the samples.
    Folder,
    /// A table, whose rows are the samples: the files that they name stay where they are.
    Table,
    /// A tar file, or a folder of them.
    Tar,
    /// A Parquet file, or a folder of them.
    Parquet,
    /// A file of annotations, whose entries are the samples: the pictures stay where they are.
    Annotations,
}

/// A plan as changes to files.
pub(super) struct Edits {
    pub(super) dataset: PathBuf,
    pub(super) form: Form,
    pub(super) manifest: Manifest,
    /// Samples that go.
    pub(super) dropped: BTreeSet<SampleId>,
    pub(super) moves: Vec<Move>,
    pub(super) rewrites: Vec<Rewrite>,
    /// What a scan must read afterwards: label and split by path.
    pub(super) expected: BTreeMap<PathBuf, (String, Split)>,
    /// Whether samples stay in their order, so that a scan must read them one after the other.
    pub(super) in_order: bool,
    /// Files of annotations that a scan reads, absolute.
    pub(super) annotations: BTreeSet<PathBuf>,
    /// The table that gives labels to the dataset, absolute, if it changes.
    pub(super) labels: Option<PathBuf>,
    /// Samples with their new labels.
    relabeled: Vec<(SampleId, String)>,
    /// The columns that go with the labels and change with them, by their places among those that are kept.
    pub(super) companions: BTreeSet<usize>,
    /// Those of them that have a number for every class.
    pub(super) numbered: BTreeSet<usize>,
}

impl Edits {
    /// Opens the dataset, and compares all that the plan changes with it, down to the bytes.
    ///
    /// # Errors
    /// When the dataset is not what it was when the plan was made, or its format cannot be changed like that. Nothing has
    /// been changed then.
    pub(super) fn of(plan: &Plan, job: &Job<'_>) -> Result<Edits> {
        let dataset = plan.dataset.path();
        if Written::of(&dataset).is_some() {
            return Err(refused(
                &dataset,
                "files chosen by a pattern cannot be changed; scan and plan their folder instead",
            ));
        }
        if is_address(&dataset) || plan.reading.root.as_deref().is_some_and(is_address) {
            let message =
                "a bucket cannot be changed; export the decisions and apply them where its files are made";
            return Err(refused(&dataset, message));
        }
        let manifest = dataset::open(&dataset, &plan.reading)?.manifest;
        let plan: &Plan = &located(plan, &manifest);
        plan.changes.iter().try_for_each(|change| check_place(plan, &manifest, change))?;
        let form = form(&dataset, &manifest)?;
        let relabels = |change: &&Change| change.to_label.is_some() || change.to_split.is_some();
        if plan.reading.label_pattern.is_some()
            && plan.reading.labels.is_none()
            && let Some(change) = plan.changes.iter().find(relabels)
        {
            let message = format!(
                "its labels come from --label-pattern, so {} cannot be relabeled or moved in its files; use export \
                 --format cleaned-table",
                safe_path(&change.path.path())
            );
            return Err(refused(&dataset, message));
        }
        let labels = labels_elsewhere::file_of(plan)?;
        let (rest, elsewhere) = match &labels {
            Some(file) => {
                let (rest, elsewhere) = labels_elsewhere::taken(file, plan, &manifest)?;
                (rest, Some(elsewhere))
            }
            None => (plan.clone(), None),
        };
        match form {
            // What is in a shard is compared while it is rewritten.
            Form::Parquet => {
                let in_shards: BTreeSet<SampleId> = rest.changes.iter().map(Change::id).collect();
                let is_beside = |change: &&Change| {
                    !in_shards.contains(&change.id())
                        || matches!(manifest.source(change.id()), Source::File(_))
                };
                check_contents(
                    plan,
                    &plan.changes.iter().filter(is_beside).collect::<Vec<_>>(),
                    &manifest,
                    job,
                )?;
            }
            _ => check_contents(plan, &plan.changes.iter().collect::<Vec<_>>(), &manifest, job)?,
        }
        let mut edits = Edits {
            dataset,
            form,
            dropped: plan.changes.iter().filter(|change| change.remove).map(Change::id).collect(),
            moves: Vec::new(),
            rewrites: Vec::new(),
            expected: BTreeMap::new(),
            in_order: false,
            annotations: BTreeSet::new(),
            labels: None,
            relabeled: (plan.changes.iter())
                .filter_map(|change| Some((change.id(), change.to_label.clone()?)))
                .collect(),
            companions: BTreeSet::new(),
            numbered: BTreeSet::new(),
            manifest,
        };
        match form {
            Form::Folder => edits.folder(&rest)?,
            Form::Annotations => edits.annotated(&rest)?,
            _ if rest.changes.is_empty() => {}
            Form::Table => edits.table(&rest)?,
            Form::Tar => edits.tar(&rest)?,
            Form::Parquet => edits.parquet(&rest)?,
        }
        if let Some(Elsewhere { table, companions }) = elsewhere {
            // Labels do not change in the files of the dataset, nor does what goes with them.
            edits.companions = companions;
            edits.labels = labels.filter(|_| table.is_some());
            edits.rewrites.extend(table);
        }
        edits.expect(plan);
        Ok(edits)
    }

    /// Enters what all of the plan changes, whatever file says it.
    fn expect(&mut self, plan: &Plan) {
        let moved: BTreeMap<&Path, &Path> =
            self.moves.iter().filter_map(|one| Some((one.from.as_path(), one.to.as_deref()?))).collect();
        for change in plan.changes.iter().filter(|change| !change.remove) {
            let from = self.manifest.path(change.id());
            if let Some(said) = self.expected.get_mut(moved.get(from).copied().unwrap_or(from)) {
                *said = (change.label_after().to_owned(), change.split_after());
            }
        }
    }

    /// How what is written is read again: with the table of labels at its new place.
    pub(super) fn reading(&self, plan: &Plan, labels: impl FnOnce(&Path) -> PathBuf) -> DatasetOptions {
        let labels = self.labels.as_deref().map(labels).or_else(|| plan.reading.labels.clone());
        DatasetOptions { labels, ..plan.reading.clone() }
    }

    /// What new labels leave contradictory, in a sentence.
    pub(super) fn contradictions(&self) -> Option<String> {
        if self.relabeled.is_empty() {
            return None;
        }
        let relabeled: Vec<(SampleId, &str)> =
            self.relabeled.iter().map(|(id, label)| (*id, label.as_str())).collect();
        Companions::of(&self.manifest).left(&relabeled, &|one, label| match &one.extra {
            extra if !self.companions.contains(extra) => Kept::Old,
            extra if self.numbered.contains(extra) => Kept::Changed,
            _ => one.kept(label),
        })
    }

    /// The folder that the paths of moves are relative to.
    pub(super) fn root(&self) -> &Path {
        self.manifest.root()
    }

    /// Where a file that is rewritten is in a copy: a table or a tar file that is the dataset has no folder of its own.
    pub(super) fn beside(&self, file: &Path) -> PathBuf {
        let below = file.strip_prefix(self.root()).ok().filter(|below| !below.as_os_str().is_empty());
        let kept = below.filter(|_| self.dataset.is_dir() || self.form == Form::Annotations);
        kept.map_or_else(|| PathBuf::from(file.file_name().unwrap_or(OsStr::new("data"))), Path::to_path_buf)
    }

    fn table(&mut self, plan: &Plan) -> Result<()> {
        let bytes = table_rewritten(&self.dataset, &self.manifest, &plan.changes)?;
        self.companions.extend(0..self.manifest.extra().len());
        self.rewrites.push(Rewrite { path: self.dataset.clone(), contents: Contents::Bytes(bytes) });
        Ok(())
    }
}

/// Whether a sample is where it was, with its label and split.
fn check_place(plan: &Plan, manifest: &Manifest, change: &Change) -> Result<()> {
    let path = change.path.path();
    let wrong = |what: &str| outdated(&plan.dataset.path(), &path, what);
    if change.id().index() >= manifest.len() || manifest.path(change.id()) != path {
        return Err(wrong("is not where it was when the plan was made"));
    }
    let id = change.id();
    if manifest.label_name(id) != change.label || manifest.split(id) != change.split {
        return Err(wrong("has another label or split than when the plan was made"));
    }
    if change.remove && (change.to_label.is_some() || change.to_split.is_some()) {
        return Err(wrong("is both removed and changed in the plan"));
    }
    Ok(())
}

/// The plan with the rows that its samples have now. A sample that is a file of its own is found by its path: other files
/// that came or went moved its row and are none of the plan's business. Only where several rows name a file, the row tells
/// them apart.
fn located<'a>(plan: &'a Plan, manifest: &Manifest) -> Cow<'a, Plan> {
    let stays = |change: &Change| {
        change.id().index() < manifest.len() && manifest.path(change.id()) == change.path.path()
    };
    if plan.changes.iter().all(stays) {
        return Cow::Borrowed(plan);
    }
    let mut wanted: BTreeMap<PathBuf, u64> = BTreeMap::new();
    for change in &plan.changes {
        *wanted.entry(change.path.path()).or_default() += 1;
    }
    let mut rows: BTreeMap<&Path, (SampleId, u64)> = BTreeMap::new();
    for id in manifest.ids().filter(|&id| wanted.contains_key(manifest.path(id))) {
        rows.entry(manifest.path(id)).or_insert((id, 0)).1 += 1;
    }
    let mut plan = plan.clone();
    for change in &mut plan.changes {
        let path = change.path.path();
        if let (Some(1), Some(&(id, 1))) = (wanted.get(&path), rows.get(path.as_path()))
            && matches!(manifest.source(id), Source::File(_))
        {
            change.row = id.0;
        }
    }
    plan.changes.sort_by_key(|change| change.row);
    Cow::Owned(plan)
}

/// Compares the bytes of samples with those that were decided about.
fn check_contents(plan: &Plan, changes: &[&Change], manifest: &Manifest, job: &Job<'_>) -> Result<()> {
    let (done, total) = (AtomicU64::new(0), changes.len() as u64);
    let wrong = changes.par_iter().find_map_first(|change| {
        let checked =
            job.checkpoint().map_err(Error::from).and_then(|()| check_content(plan, manifest, change));
        job.progress(done.fetch_add(1, Ordering::Relaxed), total);
        checked.err()
    });
    job.progress(total, total);
    wrong.map_or(Ok(()), Err)
}

fn check_content(plan: &Plan, manifest: &Manifest, change: &Change) -> Result<()> {
    // What could not be read when it was scanned has no hash.
    if change.hash == ContentHash::default() {
        return Ok(());
    }
    let source = manifest.source(change.id());
    let bytes = source.read().map_err(Error::io("read", source.shown()))?;
    match ContentHash::of(&bytes) == change.hash {
        true => Ok(()),
        false => Err(changed(&plan.dataset.path(), &change.path.path())),
    }
}

/// What kind of dataset it is.
fn form(dataset: &Path, manifest: &Manifest) -> Result<Form> {
    if dataset::is_parquet(dataset) {
        return Ok(Form::Parquet);
    }
    if let Some(packing) = manifest.packing() {
        let tar = packing.containers().iter().all(|container| {
            let extension = container.path().extension().is_some_and(|name| name.eq_ignore_ascii_case("tar"));
            container.holds() == &Holds::Ranges && extension
        });
        if tar {
            return Ok(Form::Tar);
        }
        let message = "Arrow and binary files are not changed; write them with export --format parquet and plan that file, or write \
                       the pictures as files with export --format cleaned";
        return Err(refused(dataset, message));
    }
    match manifest.table() {
        Some(_) => Ok(Form::Table),
        None if dataset.is_dir() => Ok(Form::Folder),
        None if dataset::is_annotations(dataset) => Ok(Form::Annotations),
        None => {
            Err(refused(dataset, "datasets of this format cannot be changed; use export --format cleaned"))
        }
    }
}

/// The hash of a file.
pub(super) fn hash_of(path: &Path) -> io::Result<ContentHash> {
    ContentHash::of_reader(File::open(path)?)
}
