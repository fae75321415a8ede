//! What a plan means for files.

use super::refusal::refused;
use super::tables::table_rewritten;
use super::tar;
use super::targets::Targets;
use crate::dataset::{self, is_webdataset};
use crate::export::tables_beside::{Changes, TablesBeside};
use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::packing::{Holds, Source, Written, is_address};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_review::repair::{Change, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that goes, or gets another path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    /// Relative to the root.
    pub(super) from: PathBuf,
    /// `None` if it goes.
    pub(super) to: Option<PathBuf>,
    pub(super) hash: ContentHash,
}

/// A file that gets other contents.
pub(super) struct Rewrite {
    /// Its absolute path.
    pub(super) path: PathBuf,
    pub(super) contents: Contents,
}

/// The new contents of a file.
pub(super) enum Contents {
    Bytes(Vec<u8>),
    Tar(tar::Parts),
}

impl Contents {
    /// Writes them; `source` is the file as it is.
    pub(super) fn write(&self, source: &Path, out: &mut File, job: &Job<'_>) -> Result<()> {
        match self {
            Contents::Bytes(bytes) => out.write_all(bytes).map_err(Error::io("write", source)),
            Contents::Tar(parts) => parts.write(source, out, job),
        }
    }
}

/// What the dataset is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A folder, whose files are the samples.
    Folder,
    /// A table, whose rows are the samples: the files that they name stay where they are.
    Table,
    /// A tar file, or a folder of them.
    Tar,
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
        if is_address(&dataset) {
            let message =
                "a bucket cannot be changed; export the decisions and apply them where its files are made";
            return Err(refused(&dataset, message));
        }
        let manifest = dataset::open(&dataset, &plan.reading)?.manifest;
        check(plan, &manifest, job)?;
        let form = form(&dataset, &manifest)?;
        let joined = plan.reading.labels.is_some() || plan.reading.label_pattern.is_some();
        let relabels = |change: &&Change| change.to_label.is_some() || change.to_split.is_some();
        if joined && let Some(change) = plan.changes.iter().find(relabels) {
            let message = format!(
                "its labels come from --labels or --label-pattern, so {} cannot be relabeled or moved in its files; \
                 use export --format cleaned-table",
                safe_path(&change.path.path())
            );
            return Err(refused(&dataset, message));
        }
        let mut edits = Edits {
            dataset,
            form,
            dropped: plan.changes.iter().filter(|change| change.remove).map(Change::id).collect(),
            moves: Vec::new(),
            rewrites: Vec::new(),
            expected: BTreeMap::new(),
            manifest,
        };
        match form {
            Form::Folder => edits.folder(plan)?,
            Form::Table => edits.table(plan)?,
            Form::Tar => edits.tar(plan)?,
        }
        Ok(edits)
    }

    /// The folder that the paths of moves are relative to.
    pub(super) fn root(&self) -> &Path {
        self.manifest.root()
    }

    fn folder(&mut self, plan: &Plan) -> Result<()> {
        let manifest = &self.manifest;
        let tables = TablesBeside::of(manifest);
        if let Some(lost) = tables.lost.first() {
            return Err(refused(
                &self.dataset,
                format!("a table beside the pictures cannot be read: {lost}"),
            ));
        }
        let taken = |path: &Path| manifest.root().join(path).symlink_metadata().is_ok();
        let mut targets = Targets::of(manifest, &plan.changes, Some(&tables), &taken);
        let changes: BTreeMap<SampleId, &Change> =
            plan.changes.iter().map(|change| (change.id(), change)).collect();
        let mut places: BTreeMap<SampleId, PathBuf> = BTreeMap::new();
        let mut splits: BTreeMap<SampleId, String> = BTreeMap::new();
        for (&id, change) in &changes {
            let from = manifest.path(id).to_path_buf();
            let to = match change.remove {
                true => None,
                false => {
                    let (to, split) = targets.place(change)?;
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
        let edited = tables.edited(&Changes {
            removed: &|id| changes.get(&id).is_some_and(|change| change.remove),
            label: &|id| changes.get(&id).and_then(|change| change.to_label.clone()),
            split: &|id| splits.get(&id).cloned(),
            place: &place,
        });
        for (path, bytes) in edited {
            let path = manifest.root().join(path);
            match bytes {
                None => {}
                Some(Ok(bytes)) => self.rewrites.push(Rewrite { path, contents: Contents::Bytes(bytes) }),
                Some(Err(why)) => {
                    return Err(Error::format(&path, format!("it cannot be rewritten: {}", safe_text(&why))));
                }
            }
        }
        for id in manifest.ids() {
            let Some(path) = place(id) else { continue };
            let change = changes.get(&id);
            let label = change.map_or(manifest.label_name(id), |change| change.label_after());
            let split = change.map_or(manifest.split(id), |change| change.split_after());
            self.expected.insert(path.to_path_buf(), (label.to_owned(), split));
        }
        Ok(())
    }

    fn table(&mut self, plan: &Plan) -> Result<()> {
        let bytes = table_rewritten(&self.dataset, &self.manifest, &plan.changes)?;
        self.rewrites.push(Rewrite { path: self.dataset.clone(), contents: Contents::Bytes(bytes) });
        Ok(())
    }

    fn tar(&mut self, plan: &Plan) -> Result<()> {
        let manifest = &self.manifest;
        let containers = manifest.packing().map_or(&[][..], |packing| packing.containers());
        let mut files: BTreeMap<&Path, Vec<tar::Member>> = BTreeMap::new();
        for container in containers {
            files.insert(container.path(), tar::members(container.path())?);
        }
        let names: Vec<&Path> = files.values().flatten().map(|member| member.name.as_path()).collect();
        let webdataset = is_webdataset(names.iter().copied());
        let known: BTreeSet<&Path> = names.into_iter().collect();
        let taken = |path: &Path| known.contains(path);
        let mut targets = Targets::of(manifest, &plan.changes, None, &taken);
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
            let parts = tar::Parts::new(&path, members, &changes, webdataset)?;
            self.rewrites.push(Rewrite { path, contents: Contents::Tar(parts) });
        }
        Ok(())
    }
}

/// Compares the samples of a plan with those of the dataset.
fn check(plan: &Plan, manifest: &Manifest, job: &Job<'_>) -> Result<()> {
    let total = plan.changes.len() as u64;
    let again = "scan the dataset and make a new plan";
    for (done, change) in (0..).zip(&plan.changes) {
        job.checkpoint()?;
        job.progress(done, total);
        let path = change.path.path();
        let shown = safe_path(&path);
        let wrong = |what: &str| refused(&plan.dataset.path(), format!("{shown} {what}; {again}"));
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
        let source = manifest.source(id);
        // What could not be read when it was scanned has no hash.
        if change.hash != ContentHash::default() {
            let bytes = source.read().map_err(Error::io("read", source.shown()))?;
            if ContentHash::of(&bytes) != change.hash {
                return Err(wrong("has changed since the plan was made"));
            }
        }
    }
    job.progress(total, total);
    Ok(())
}

/// What kind of dataset it is.
fn form(dataset: &Path, manifest: &Manifest) -> Result<Form> {
    if let Some(packing) = manifest.packing() {
        let tar = packing.containers().iter().all(|container| {
            let extension = container.path().extension().is_some_and(|name| name.eq_ignore_ascii_case("tar"));
            container.holds() == &Holds::Ranges && extension
        });
        if tar {
            return Ok(Form::Tar);
        }
        let cells =
            packing.containers().iter().any(|container| matches!(container.holds(), Holds::Cells { .. }));
        let what = if cells { "Parquet files" } else { "files of this format" };
        let message =
            format!("{what} cannot be rewritten; use export --format cleaned to write the pictures as files");
        return Err(refused(dataset, message));
    }
    match manifest.table() {
        Some(_) => Ok(Form::Table),
        None if dataset.is_dir() => Ok(Form::Folder),
        None => {
            Err(refused(dataset, "datasets of this format cannot be changed; use export --format cleaned"))
        }
    }
}

/// The hash of a file.
pub(super) fn hash_of(path: &Path) -> io::Result<ContentHash> {
    fs::read(path).map(|bytes| ContentHash::of(&bytes))
}
