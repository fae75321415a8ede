//! Pictures and their labels as a file of an annotation tool gives them.

use super::places::{self, joined};
use super::rewrite::{EntryChanges, NewFile};
use super::rows::Rows;
use super::several::{ALL_LABELS, Label};
use super::{DatasetOptions, Opened};
use crate::{Error, Result};
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Rewrites a file, and those that belong to it.
pub(crate) type Rewrite = fn(&Annotated, &EntryChanges, &DatasetOptions) -> Result<Vec<NewFile>>;

/// Of a format whose files are only read.
pub(super) fn refuse(read: &Annotated, _: &EntryChanges, _: &DatasetOptions) -> Result<Vec<NewFile>> {
    let message = "files of this format are not rewritten; use export --format cleaned";
    Err(Error::format(&read.file, message))
}

/// What a file says of pictures.
#[derive(Debug)]
pub(crate) struct Annotated {
    /// Whose format it is in, for remarks: `COCO`.
    pub(super) whose: &'static str,
    /// The file, absolute.
    pub(super) file: PathBuf,
    /// Other files that were read with it, absolute.
    pub(super) also: Vec<PathBuf>,
    /// The folder of the dataset, absolute: paths are relative to it.
    pub(super) home: PathBuf,
    /// Absolute folders in which the pictures may be, the likeliest first.
    pub(super) folders: Vec<PathBuf>,
    /// The names of other columns.
    pub(super) columns: Vec<String>,
    /// Those of them that have numbers or truth values.
    pub(super) typed: BTreeSet<String>,
    /// The numbers of its classes, if it has them.
    pub(super) class_numbers: ClassNumbers,
    /// The pictures in the order of the file.
    pub(super) entries: Vec<Entry>,
    /// What is to be said of the file.
    pub(super) ledger: Ledger,
    /// Whether it is about all pictures of the dataset if it names most of them.
    pub(super) whole: bool,
    /// Whether it says nothing but the splits, beside labels that folders say.
    pub(super) only_splits: bool,
    /// Whether the places of pictures say their splits, so that one that changes its split moves.
    pub(super) places_say_splits: bool,
    /// Lists of the pictures of splits that belong to it, absolute.
    pub(super) lists: Vec<(Split, PathBuf)>,
    /// How it is written with changes.
    pub(super) rewrite: Rewrite,
}

/// A picture.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// As the file names it: relative, absolute, and perhaps without its extension.
    pub(super) name: PathBuf,
    /// Another name under which it may be.
    pub(super) alias: Option<PathBuf>,
    /// Its path where no picture is found, if that is not its name.
    pub(super) written: Option<PathBuf>,
    pub(super) label: Label,
    /// The file of its own that gives its label, absolute, if there is one.
    pub(super) file: Option<PathBuf>,
    /// As it is written; may be empty.
    pub(super) split: String,
    /// One value for each of the other columns.
    pub(super) other: Vec<String>,
}

impl Annotated {
    /// Rewrites its file, and those that belong to it.
    ///
    /// # Errors
    /// When a change cannot be made.
    pub(crate) fn rewritten(&self, changes: &EntryChanges, options: &DatasetOptions) -> Result<Vec<NewFile>> {
        (self.rewrite)(self, changes, options)
    }

    /// All files that it is read from, absolute.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.file.as_path()).chain(self.also.iter().map(PathBuf::as_path))
    }

    /// Whether an entry says the split of its picture.
    pub(crate) fn says_split(&self, entry: usize) -> bool {
        !self.places_say_splits && self.entries.get(entry).is_some_and(|entry| !entry.split.is_empty())
    }

    /// Nothing yet, from a file of a dataset whose pictures are below one of these folders, or below `--root` if that is
    /// given.
    ///
    /// # Errors
    /// When the root cannot be made absolute.
    pub(super) fn new(
        whose: &'static str,
        file: &Path,
        home: &Path,
        below: &[PathBuf],
        options: &DatasetOptions,
    ) -> Result<Annotated> {
        let home = match &options.root {
            Some(root) => std::path::absolute(root).map_err(Error::io("find", root))?,
            None => home.to_path_buf(),
        };
        let mut folders: Vec<PathBuf> = Vec::new();
        for below in below {
            let folder = joined(&home, below);
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        if folders.is_empty() {
            folders.push(home.clone());
        }
        Ok(Annotated {
            whose,
            file: file.to_path_buf(),
            also: Vec::new(),
            home,
            folders,
            columns: Vec::new(),
            typed: BTreeSet::new(),
            class_numbers: ClassNumbers::default(),
            entries: Vec::new(),
            ledger: Ledger::default(),
            whole: true,
            only_splits: false,
            places_say_splits: false,
            lists: Vec::new(),
            rewrite: refuse,
        })
    }

    /// Where the pictures are; `thorough` as in [`places::find`].
    pub(super) fn find(&self, exists: &dyn Fn(&Path) -> Option<PathBuf>, thorough: bool) -> places::Found {
        let names: Vec<&Path> = self.entries.iter().map(|entry| entry.name.as_path()).collect();
        let mut found = places::find(&names, &self.folders, exists, thorough);
        let other = |entry: &Entry| entry.alias.clone().or_else(|| with_slashes(&entry.name));
        let missing = (0..self.entries.len()).filter(|&at| found.paths[at].is_none());
        let (rows, aliases): (Vec<usize>, Vec<PathBuf>) =
            missing.filter_map(|at| Some((at, other(&self.entries[at])?))).unzip();
        if !aliases.is_empty() {
            let aliases: Vec<&Path> = aliases.iter().map(PathBuf::as_path).collect();
            let more = places::find(&aliases, &self.folders, exists, thorough);
            rows.into_iter().zip(more.paths).for_each(|(at, path)| found.paths[at] = path);
            found.dropped = found.dropped.or(more.dropped);
        }
        found
    }

    /// The pictures as samples, each entry as one.
    ///
    /// # Errors
    /// When the file names none, or one without a name.
    pub(super) fn into_rows(self) -> Result<Opened> {
        if self.entries.is_empty() {
            return Err(Error::format(&self.file, format!("this {} file names no image", self.whose)));
        }
        let nameless = |entry: &Entry| {
            entry.name.as_os_str().is_empty() || entry.name.as_os_str().as_encoded_bytes().contains(&0)
        };
        if let Some(at) = self.entries.iter().position(nameless) {
            return Err(Error::format(&self.file, format!("image {} has no file name", at + 1)));
        }
        let found = self.find(&places::on_disk(), false);
        let several = self.entries.iter().any(|entry| !entry.label.all().is_empty());
        let mut rows = Rows::new(self.columns.iter().cloned().chain(several.then(|| ALL_LABELS.to_owned())));
        let mut said = Said::default();
        for (entry, path) in self.entries.into_iter().zip(found.paths) {
            said.count(&entry.label);
            let path = match path {
                Some(path) => path.strip_prefix(&self.home).map(Path::to_path_buf).unwrap_or(path),
                None => entry.written.unwrap_or(entry.name),
            };
            let label = entry.label.name().map(str::to_owned);
            let mut other = entry.other;
            other.resize(self.columns.len(), String::new());
            other.push(entry.label.all());
            rows.push(path, label, &entry.split, other);
        }
        let (manifest, mut ledger) = rows.finish(self.home, &self.file)?;
        ledger.found += self.ledger.found;
        ledger.left_out += self.ledger.left_out;
        for remark in self.ledger.remarks {
            ledger.add(remark.kind, remark.count, remark.text);
        }
        if let Some((count, leading)) = found.dropped {
            ledger.add(RemarkKind::LayoutGuessed, count, without_leading(count, &leading));
        }
        let name = self.file.file_name().map(PathBuf::from).unwrap_or_default();
        said.enter(&safe_path(&name), &mut ledger);
        let manifest = manifest.with_typed(self.typed).with_class_numbers(self.class_numbers);
        Ok(Opened { manifest, ledger })
    }
}

/// A path of Windows with slashes.
fn with_slashes(name: &Path) -> Option<PathBuf> {
    let text = name.to_str().filter(|text| text.contains('\\'))?;
    Some(PathBuf::from(text.replace('\\', "/")))
}

/// Says that pictures were found without the leading folders of their paths.
pub(super) fn without_leading(count: u64, leading: &Path) -> String {
    let images = counted(count, "image was", "images were");
    format!("{images} found without the leading folders of the path, such as {}", safe_path(leading))
}

/// What is to be said of the labels of a file.
#[derive(Debug, Default)]
pub(super) struct Said {
    all: u64,
    none: u64,
    most: u64,
    several: u64,
}

impl Said {
    /// Counts a picture.
    pub(super) fn count(&mut self, label: &Label) {
        self.all += 1;
        match label {
            Label::None => self.none += 1,
            Label::One(_) => {}
            Label::Most(_) => self.most += 1,
            Label::Several(_) => self.several += 1,
        }
    }

    /// Adds the remarks.
    pub(super) fn enter(&self, file: &str, ledger: &mut Ledger) {
        let have = |count| counted(count, "image has", "images have");
        let its = |count| if count == 1 { "its label is" } else { "their label is" };
        let text = format!(
            "{} objects of several classes in {file}: {} that of most objects, and the column {ALL_LABELS} has all",
            have(self.most),
            its(self.most)
        );
        ledger.add(RemarkKind::LayoutGuessed, self.most, text);
        let count = if self.several == 1 { "counts" } else { "count" };
        let text = format!(
            "{} several labels in {file} and {count} as unlabeled, because one label per image is compared; the column \
             {ALL_LABELS} has them",
            have(self.several)
        );
        ledger.add(RemarkKind::LabelsSeveral, self.several, text);
        let text = match self.none == self.all {
            true => format!("no image has a label in {file}"),
            false => format!("{} no label in {file}", have(self.none)),
        };
        ledger.add(RemarkKind::LabelsMissing, self.none, text);
    }
}
