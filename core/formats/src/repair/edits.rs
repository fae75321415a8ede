//! What a plan means for files.

use super::annotations::Annotations;
use super::parquet_file::ParquetEdits;
use super::refusal::refused;
use super::tables::table_rewritten;
use super::tar;
use super::targets::Targets;
use crate::dataset::{self, is_webdataset};
use crate::export::tables_beside::{Changes, TablesBeside};
use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_data::class_names;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::packing::{Holds, Source, Written, is_address};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_review::repair::{Change, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
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
    Parquet(ParquetEdits),
}

impl Contents {
    /// Writes them; `source` is the file as it is.
    pub(super) fn write(&self, source: &Path, out: &mut File, job: &Job<'_>) -> Result<()> {
        match self {
            Contents::Bytes(bytes) => out.write_all(bytes).map_err(Error::io("write", source)),
            Contents::Tar(parts) => parts.write(source, out, job),
            Contents::Parquet(edits) => edits.write(source, out, job),
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
    /// Files of annotations that a scan reads, absolute.
    pub(super) annotations: BTreeSet<PathBuf>,
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
            annotations: BTreeSet::new(),
            manifest,
        };
        match form {
            Form::Folder => edits.folder(plan)?,
            Form::Table => edits.table(plan)?,
            Form::Tar => edits.tar(plan)?,
            Form::Parquet => edits.parquet(plan)?,
            Form::Annotations => edits.annotated(plan)?,
        }
        Ok(edits)
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

    fn folder(&mut self, plan: &Plan) -> Result<()> {
        let annotations = Annotations::of(dataset::annotations(&self.dataset, &plan.reading)?);
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
        let mut expected = BTreeMap::new();
        for id in manifest.ids() {
            let Some(path) = place(id) else { continue };
            let change = changes.get(&id);
            let label = change.map_or(manifest.label_name(id), |change| change.label_after());
            let split = change.map_or(manifest.split(id), |change| change.split_after());
            expected.insert(path.to_path_buf(), (label.to_owned(), split));
        }
        self.expected = expected;
        self.annotations = annotations.all_files();
        annotations.edit(self, &changes, &places, &plan.reading)
    }

    fn annotated(&mut self, plan: &Plan) -> Result<()> {
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

    fn parquet(&mut self, plan: &Plan) -> Result<()> {
        let files = dataset::parquet_files(&self.dataset, &plan.reading)?;
        let mut edits: Vec<ParquetEdits> = files.iter().map(|_| ParquetEdits::default()).collect();
        let mut classes: BTreeMap<String, Vec<String>> = BTreeMap::new();
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
                let text = (self.manifest.ids().find(|&id| self.manifest.split(id) == split))
                    .map_or(split.name(), |id| self.manifest.split_as_written(id));
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
                        let all = classes.entry(column.clone()).or_insert_with(|| names.clone());
                        let found = all.iter().position(|name| class_names::same(name, label));
                        let number = found.unwrap_or_else(|| {
                            all.push(label.clone());
                            added.entry(column.clone()).or_default().push(label.clone());
                            all.len() - 1
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
                    != classes.get(&column).map(|all| all.len() - names.len())
                {
                    let message = "its classes are not those of the other files, so that none can be added";
                    return Err(refused(&file.path, message));
                }
                edits.classes = Some((column.clone(), names.clone()));
            }
        }
        for (file, edits) in files.into_iter().zip(edits).filter(|(_, edits)| !edits.is_empty()) {
            self.rewrites.push(Rewrite { path: file.path, contents: Contents::Parquet(edits) });
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
        let message = "files of this format cannot be rewritten; use export --format cleaned to write the pictures as files";
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
    fs::read(path).map(|bytes| ContentHash::of(&bytes))
}
