//! Labels of the pictures of a folder from the files of annotation tools.

use crate::dataset::annotated::{Annotated, Said, without_leading};
use crate::dataset::around::Around;
use crate::dataset::names_of_parts::split_named;
use crate::dataset::several::ALL_LABELS;
use crate::dataset::{coco, cvat, fiftyone, imagenet, yolo};
use crate::{Error, Result};
use chaffinch_data::as_written::TableBeside;
use chaffinch_data::class_names;
use chaffinch_data::dataset::LabelFiles;
use chaffinch_data::manifest::{ExtraColumn, NewSample};
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Finds the files of one format in a folder, and reads them.
type Find = fn(&Around<'_>) -> Result<Vec<Annotated>>;

/// The formats that are looked for, those that say more of a picture first.
const FORMATS: [Find; 5] =
    [coco::in_folder, fiftyone::in_folder, cvat::in_folder, imagenet::in_folder, yolo::in_folder];

/// What the files of annotation tools gave.
#[derive(Debug, Default)]
pub(super) struct FromTools {
    /// A mark for each file that gave labels.
    pub(super) marks: Vec<TableBeside>,
    /// All files that were read, relative to the dataset.
    pub(super) files: Vec<PathBuf>,
    /// The rows whose pictures they name.
    given: BTreeSet<usize>,
    /// Of these, how many are named by files about all pictures.
    whole: usize,
    /// Their labels and the splits that folders do not say.
    labels: BTreeMap<usize, String>,
    splits: Vec<(usize, Split, String)>,
    /// Each file that gave labels, with the row of each of its entries.
    pub(super) taken: Vec<(Annotated, Vec<Option<usize>>)>,
}

impl FromTools {
    /// Whether they give labels.
    pub(super) fn gives_labels(&self) -> bool {
        !self.given.is_empty()
    }
}

/// Reads the files: what they say of the pictures, and their other columns. [`FromTools::give`] changes the samples.
///
/// # Errors
/// When a file is malformed, or the pictures of all of them are elsewhere, unless labels are optional.
pub(super) fn read(
    around: &Around<'_>,
    extra: &mut Vec<ExtraColumn>,
    ledger: &mut Ledger,
) -> Result<FromTools> {
    let optional = around.options.label_files == LabelFiles::Optional;
    let mut all = FromTools::default();
    let mut elsewhere: Option<Error> = None;
    for find in FORMATS {
        let files = match find(around) {
            Ok(files) => files,
            Err(error) if optional => {
                ledger.add(RemarkKind::LabelsMissing, 1, format!("labels were not read: {error}"));
                continue;
            }
            Err(error) => return Err(advised(error)),
        };
        for file in files {
            if let Some(error) = all.take(file, around, extra, ledger) {
                elsewhere.get_or_insert(error);
            }
        }
    }
    all.files.sort_unstable();
    all.files.dedup();
    match elsewhere {
        Some(error) if !optional && !all.gives_labels() => {
            let without = around.samples.iter().all(|sample| sample.label.is_none());
            if without { Err(advised(error)) } else { Ok(all) }
        }
        _ => Ok(all),
    }
}

/// The same error with what to do without the file.
fn advised(error: Error) -> Error {
    match error {
        Error::Format { path, message } => {
            Error::Format { path, message: format!("{message}; --label-files ignore goes on without it") }
        }
        other => other,
    }
}

impl FromTools {
    /// Takes what a file says. Returns what is wrong if none of its pictures is in the folder.
    fn take(
        &mut self,
        file: Annotated,
        around: &Around<'_>,
        extra: &mut Vec<ExtraColumn>,
        ledger: &mut Ledger,
    ) -> Option<Error> {
        let relative = |path: &Path| path.strip_prefix(around.root).unwrap_or(path).to_path_buf();
        let own = relative(&file.file);
        let shown = safe_path(&own);
        for remark in &file.ledger.remarks {
            ledger.add(remark.kind, remark.count, remark.text.clone());
        }
        if file.entries.is_empty() {
            return None;
        }
        let exists = |path: &Path| Some(around.root.join(&around.samples[around.picture(path)?].path));
        let found = file.find(&exists, true);
        let rows: Vec<Option<usize>> =
            found.paths.iter().map(|path| path.as_deref().and_then(|path| around.picture(path))).collect();
        let images = counted(file.entries.len() as u64, "image", "images");
        if rows.iter().all(Option::is_none) {
            let first = safe_path(&file.entries[0].name);
            let is = match file.entries.len() {
                1 => format!("its only image, {first}, is not in this folder"),
                _ => format!("none of its {images} is in this folder, such as {first}"),
            };
            ledger.add(RemarkKind::LabelsMissing, 1, format!("{shown} was not read: {is}"));
            let message = format!("this is a {} file, but {is}", file.whose);
            return Some(Error::format(&file.file, message));
        }
        if rows.iter().flatten().all(|row| self.given.contains(row)) {
            let text = format!("{shown} was not read: another file gives the labels of its {images}");
            ledger.add(RemarkKind::LayoutGuessed, 1, text);
            return None;
        }
        if let Some((count, leading)) = &found.dropped {
            ledger.add(RemarkKind::LayoutGuessed, *count, without_leading(*count, leading));
        }
        if file.only_splits {
            self.take_splits(file, rows, around, ledger);
            return None;
        }
        let (mut missing, mut repeated, mut given) = (0_u64, 0_u64, BTreeSet::new());
        let (mut first_missing, mut first_repeated) = (None, None);
        let mut said = Said::default();
        for (entry, row) in file.entries.iter().zip(&rows) {
            let Some(row) = *row else {
                missing += 1;
                first_missing.get_or_insert(entry.name.clone());
                continue;
            };
            if self.given.contains(&row) {
                continue;
            }
            if !given.insert(row) {
                repeated += 1;
                first_repeated.get_or_insert(entry.name.clone());
                continue;
            }
            said.count(&entry.label);
            if let Some(label) = entry.label.name() {
                self.labels.insert(row, label.to_owned());
            }
            if around.samples[row].split == Split::None && !entry.split.is_empty() {
                let read = Split::from_name(&entry.split).or_else(|| split_named(&entry.split));
                self.splits.push((row, read.unwrap_or_default(), entry.split.clone()));
            }
            let all = entry.label.all();
            let all = (!all.is_empty()).then(|| (ALL_LABELS.to_owned(), all));
            let other = file.columns.iter().cloned().zip(entry.other.iter().cloned());
            for (name, value) in other.chain(all) {
                column(extra, &name, around.samples.len()).values[row] = value;
            }
        }
        // What has no label there, is said by itself.
        let count = given.iter().filter(|row| self.labels.contains_key(row)).count() as u64;
        let more = file.also.iter().filter(|path| **path != file.file).count() as u64;
        let more = match more {
            0 => String::new(),
            more => format!(" and {}", counted(more, "more file", "more files")),
        };
        let text = format!(
            "the labels of {} were read from {shown}{more} ({})",
            counted(count, "image", "images"),
            file.whose
        );
        ledger.add(RemarkKind::LayoutGuessed, count, text);
        said.enter(&shown, ledger);
        if let Some(first) = &first_missing {
            let of = counted(missing, "image", "images");
            let is = if missing == 1 { "is" } else { "are" };
            let text = format!("{of} of {shown} {is} missing: {}", safe_path(first));
            ledger.add(RemarkKind::FilesMissing, missing, text);
        }
        if let Some(first) = &first_repeated {
            let entries = counted(repeated, "entry", "entries");
            let repeat = if repeated == 1 { "repeats" } else { "repeat" };
            let text = format!("{entries} of {shown} {repeat} an earlier image: {}", safe_path(first));
            ledger.add(RemarkKind::RowsRepeated, repeated, text);
        }
        self.whole += if file.whole { given.len() } else { 0 };
        self.given.extend(given);
        self.marks.push(TableBeside::new(&own, Some(file.whose.to_owned())));
        self.files.push(own);
        self.files.extend(file.also.iter().map(|path| relative(path)));
        self.taken.push((file, rows));
        None
    }

    /// Takes the splits of a file that says nothing else: labels are those of the folders.
    fn take_splits(
        &mut self,
        file: Annotated,
        rows: Vec<Option<usize>>,
        around: &Around<'_>,
        ledger: &mut Ledger,
    ) {
        let own = file.file.strip_prefix(around.root).unwrap_or(&file.file).to_path_buf();
        let mut count = 0;
        for (entry, row) in file.entries.iter().zip(&rows) {
            let Some(row) = *row else { continue };
            if around.samples[row].split == Split::None && !entry.split.is_empty() {
                let read = Split::from_name(&entry.split).or_else(|| split_named(&entry.split));
                self.splits.push((row, read.unwrap_or_default(), entry.split.clone()));
                count += 1;
            }
        }
        let images = counted(count, "image", "images");
        let text = format!("the splits of {images} were read from {} ({})", safe_path(&own), file.whose);
        ledger.add(RemarkKind::LayoutGuessed, count, text);
        self.marks.push(TableBeside::new(&own, Some(file.whose.to_owned())));
        self.files.push(own);
        self.files.extend(
            file.also.iter().map(|path| path.strip_prefix(around.root).unwrap_or(path).to_path_buf()),
        );
        self.taken.push((file, rows));
    }

    /// Gives labels and splits to the samples. Labels take the place of those of folders: for the pictures that files name,
    /// and those in the same folders; for all pictures if files name most of them. `written` are the splits as written.
    pub(super) fn give(&mut self, samples: &mut [NewSample], written: &mut [String], ledger: &mut Ledger) {
        for (row, split, text) in self.splits.drain(..) {
            samples[row].split = split;
            written[row] = text;
        }
        if self.given.is_empty() {
            return;
        }
        let folder = |sample: &NewSample| sample.path.parent().unwrap_or(Path::new("")).to_path_buf();
        let folders: BTreeSet<PathBuf> = self.given.iter().map(|&row| folder(&samples[row])).collect();
        let most = self.whole * 2 >= samples.len();
        let (mut replaced, mut bare, mut first) = (0_u64, 0_u64, None);
        for (row, sample) in samples.iter_mut().enumerate() {
            let given = self.given.contains(&row);
            let beside = given || sample.path.parent().is_some_and(|folder| folders.contains(folder));
            if !beside && !most {
                continue;
            }
            let label = self.labels.remove(&row);
            let old = sample.label.take();
            let same = |old: &String| label.as_ref().is_some_and(|new| class_names::same(old, new));
            replaced += u64::from(given && old.as_ref().is_some_and(|old| !same(old)));
            // A folder of its own without a single entry, such as one of tests, has its own remark.
            if !given && beside {
                bare += 1;
                first.get_or_insert_with(|| sample.path.clone());
            }
            sample.label = label;
        }
        let images = counted(replaced, "label of the class folders was", "labels of the class folders were");
        ledger.add(RemarkKind::LayoutGuessed, replaced, format!("{images} replaced by those of files"));
        if let Some(first) = first {
            let images = counted(bare, "image has", "images have");
            let text = format!("{images} no entry in the files that give labels: {}", safe_path(&first));
            ledger.add(RemarkKind::LabelsMissing, bare, text);
        }
    }
}

fn column<'a>(extra: &'a mut Vec<ExtraColumn>, name: &str, samples: usize) -> &'a mut ExtraColumn {
    let at = extra.iter().position(|column| column.name == name).unwrap_or_else(|| {
        let values = vec![String::new(); samples];
        extra.push(ExtraColumn { name: name.to_owned(), values });
        extra.len() - 1
    });
    &mut extra[at]
}
