//! Dataset formats, opened as a [`Manifest`].
//!
//! # How to add a format
//!
//! One file and two lines. The help of `scan`, the message about an unknown format, and the table in
//! `docs/command-line.md` are generated from [`FORMATS`].
//!
//! 1. Write `dataset/NAME.rs` with `pub(super) const FORMAT: Format`, as in `table.rs`: `detect` asks the [`Candidate`] for
//!    names and first bytes, `read` builds the manifest, mostly from `rows::Rows`, and reads no image. A file of labels for
//!    pictures that are elsewhere is an `annotated::Annotated`, which finds them; `folders/label_files.rs` lists those that are
//!    looked for in folders. Names of classes that come from bytes go through [`chaffinch_data::class_names::of_bytes`]; their
//!    spellings are compared here, for all formats, and several labels taken apart.
//! 2. Add `mod NAME;` below.
//! 3. Add `NAME::FORMAT,` to [`FORMATS`]; the first one whose `detect` matches reads the dataset.
//! 4. `CHAFFINCH_UPDATE=1 cargo test -p chaffinch --lib` writes the tables in `docs/command-line.md` and `docs/formats.md`.

mod alike;
mod annotated;
mod apart;
mod around;
mod arrow;
mod bucket;
mod candidate;
mod choice;
mod class_numbers;
mod classes;
mod coco;
mod columns;
mod companions;
mod contradictions;
mod cvat;
mod declared;
mod descriptions;
mod fiftyone;
pub(crate) mod flags;
mod folders;
mod imagenet;
mod in_folders;
mod joined;
mod json;
mod json_table;
mod label_pattern;
mod label_studio;
pub(crate) mod list_cells;
mod missing;
mod names;
mod names_of_parts;
mod nested;
mod number_names;
mod packed;
mod parquet;
pub(crate) mod path_spellings;
mod places;
mod reading_options;
mod records;
pub(crate) mod rewrite;
mod rows;
mod said_splits;
mod several;
mod shard_sets;
mod shards;
mod split_columns;
mod stated_numbers;
mod table;
mod tar;
mod truth_values;
mod typed;
mod unnamed_classes;
mod yolo;

pub(crate) use self::tar::{WebdatasetPart, is_webdataset, webdataset_classes, webdataset_parts};
pub(crate) use choice::{LABEL_NAMES, is_known_column};
pub(crate) use companions::{Companion, Companions, Kept};
pub(crate) use declared::readmes;
pub(crate) use fiftyone::{OF_FILES, split_tag};
pub(crate) use folders::{BesideTable, Edit, Record, RowEdits, json_like, json_set, paths_say};
pub(crate) use joined::{LabelTable, without_labels};
pub(crate) use json_table::{NewValue, RowEdit, rewritten as json_rewritten};
pub(crate) use names_of_parts::{plain_split, split_named, split_of_folder};
pub(crate) use packed::clean_name;
pub(crate) use parquet::{ROOT_KEY, files as parquet_files};
pub(crate) use said_splits::{Cell as SplitCell, SaidSplits};
pub(crate) use several::ALL_LABELS;
pub(crate) use split_columns::{SPLIT_NAMES, may_say_splits};
pub(crate) use stated_numbers::files_of_numbers;

use crate::{Error, Result};
use annotated::Annotated;
pub use candidate::Candidate;
use chaffinch_data::dataset::{DatasetOptions, IMAGE_EXTENSIONS, LabelFiles};
use chaffinch_data::manifest::Manifest;
use chaffinch_data::packing::is_address;
use chaffinch_protocol::Ledger;
use chaffinch_protocol::display::listed;
pub use reading_options::ReadingOption;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// An opened dataset.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The samples.
    pub manifest: Manifest,
    /// How it was read: what was left out, guessed or is doubtful.
    pub ledger: Ledger,
}

/// All formats, in the order they are tried.
pub const FORMATS: &[Format] = &[
    // The first that detects a path reads it.
    arrow::FORMAT,
    parquet::FORMAT,
    tar::FORMAT,
    bucket::FORMAT,
    records::FORMAT,
    label_studio::FORMAT,
    coco::FORMAT,
    fiftyone::FORMAT,
    cvat::FORMAT,
    in_folders::IMAGENET,
    in_folders::YOLO,
    in_folders::IMAGEFOLDER,
    folders::FORMAT,
    json_table::FORMAT,
    table::FORMAT,
];

/// A dataset format.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Its name in error messages: `a folder`.
    pub name: &'static str,
    /// Its name in help texts: `a folder of images`.
    pub summary: &'static str,
    /// What of it is read, for the manual.
    pub details: &'static str,
    /// What exports write for a dataset of it, for the manual.
    pub written: &'static str,
    /// What of it is not read or gets lost in exports, for the manual.
    pub lost: &'static str,
    /// Who wrote the names of classes.
    pub class_names: ClassNames,
    /// Reads one that is a file of annotations, whose every entry is a sample.
    annotated: Option<fn(&Candidate, &DatasetOptions) -> Result<Annotated>>,
    /// Whether its files may be objects of a bucket, or those that a pattern such as `train-*.tar` chooses.
    pub elsewhere: bool,
    /// The options of reading that it has a use for, of those that not all have.
    options: fn(&Candidate) -> &'static [ReadingOption],
    /// Whether a path is in this format, by its name, its kind, the names of the files in it, and the first bytes of
    /// some.
    detect: fn(&Candidate) -> bool,
    /// Reads the dataset. Nothing is decoded and no image is read.
    read: fn(&Candidate, &DatasetOptions) -> Result<Opened>,
}

/// Who wrote the names of classes, on which the meaning of words such as `null` depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassNames {
    /// People, as the names of folders: words of programs for "no label" are classes.
    Folders,
    /// Often programs, into files: such words mean that there is no label.
    Written,
}

/// Opens a dataset in one of [`FORMATS`]. Nothing is decoded and no image is read. In the ledger, the files found are the
/// samples and those that were left out.
///
/// # Errors
/// When the path does not exist, the dataset is empty, a table is malformed, or none of its files exists.
pub fn open(path: &Path, options: &DatasetOptions) -> Result<Opened> {
    if let Some(address) = options.root.as_deref().filter(|root| is_address(root)) {
        return bucket::rooted(path, address, options);
    }
    let (full, opened) = list(path, options)?;
    if full.is_dir() || opened.manifest.packing().is_some() {
        Ok(opened)
    } else {
        missing::settle(opened, &full, options)
    }
}

/// Refuses options that a dataset has no use for, since whoever gave them expects something of them. `given` are those that
/// were given now, `reading` all with which it is read. A path without a dataset is refused where it is read.
///
/// # Errors
/// When there is one.
pub fn refuse_unread(path: &Path, given: &DatasetOptions, reading: &DatasetOptions) -> Result<()> {
    let given: Vec<ReadingOption> =
        ReadingOption::ALL.into_iter().filter(|option| option.is_given(given)).collect();
    if given.is_empty() {
        return Ok(());
    }
    let Ok(candidate) = Candidate::new(path) else { return Ok(()) };
    let Some(format) = FORMATS.iter().find(|format| (format.detect)(&candidate)) else { return Ok(()) };
    let read = (format.options)(&candidate);
    let joined = |option: &ReadingOption| option.is_joined() && reading.labels.is_some();
    match given.into_iter().find(|option| !read.contains(option) && !joined(option)) {
        None => Ok(()),
        Some(option) => {
            let summary = format.summary.replace('`', "");
            let message = format!("{summary} has no use for {}; leave it out", option.name());
            Err(Error::Dataset { path: path.to_path_buf(), message })
        }
    }
}

/// A file of annotations, with the row of each of its entries that is a sample.
pub(crate) type Taken = folders::Taken;

/// The files of annotation tools from which labels were read; none of a dataset of another kind.
///
/// # Errors
/// As of [`open`].
pub(crate) fn annotations(path: &Path, options: &DatasetOptions) -> Result<Vec<Taken>> {
    let candidate = Candidate::new(path)?;
    let Some(format) = FORMATS.iter().find(|format| (format.detect)(&candidate)) else {
        return Ok(Vec::new());
    };
    let options = joined::without_labels(options);
    match format.annotated {
        Some(read) => {
            let read = read(&candidate, &options)?;
            let rows = (0..read.entries.len()).map(Some).collect();
            Ok(vec![(read, rows)])
        }
        None if candidate.is_dir() && !(parquet::FORMAT.detect)(&candidate) => {
            folders::open_with(candidate.path(), &options).map(|(_, taken)| taken)
        }
        None => Ok(Vec::new()),
    }
}

/// Whether a dataset is one file of annotations.
pub(crate) fn is_annotations(path: &Path) -> bool {
    Candidate::new(path).is_ok_and(|candidate| {
        let found = FORMATS.iter().find(|format| (format.detect)(&candidate));
        found.is_some_and(|format| format.annotated.is_some())
    })
}

/// Whether a dataset is Parquet files.
pub(crate) fn is_parquet(path: &Path) -> bool {
    Candidate::new(path).is_ok_and(|candidate| {
        let found = FORMATS.iter().find(|format| (format.detect)(&candidate));
        found.is_some_and(|format| format.name == parquet::FORMAT.name)
    })
}

/// The same without looking for the files of a table, and the absolute path.
pub(crate) fn list(path: &Path, options: &DatasetOptions) -> Result<(PathBuf, Opened)> {
    let candidate = Candidate::new(path)?;
    let full = candidate.path().to_path_buf();
    descriptions::refuse(&candidate)?;
    let may = |format: &&Format| format.elsewhere || !candidate.is_elsewhere();
    let Some(format) = FORMATS.iter().filter(may).find(|format| (format.detect)(&candidate)) else {
        if candidate.is_elsewhere() {
            let message = "a pattern chooses tar, Parquet or Arrow files, and has none of them; name the folder instead";
            return Err(Error::Dataset { path: full, message: message.into() });
        }
        let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        let names = listed(&names, "or");
        let advice = match extension(&full).as_deref() {
            Some("xlsx" | "xls" | "xlsm" | "ods" | "numbers") => "; save the spreadsheet as CSV",
            Some("parquet" | "arrow" | "json" | "xml") => "; write the paths and labels to a CSV table",
            Some("zip" | "tar" | "gz" | "tgz" | "7z" | "rar") => "; unpack the archive",
            Some("txt" | "lst" | "dat") => {
                "; scan the folder of the pictures, with --labels if the file has their labels; or give the table a header line and call it .csv"
            }
            _ if is_image(&full) => "; open the folder that it is in",
            _ => "",
        };
        let message = format!("unknown dataset format{advice}; expected {names}");
        return Err(Error::Dataset { path: full, message });
    };
    let mut opened = (format.read)(&candidate, &joined::without_labels(options))?;
    candidate.tell_missing(&mut opened.ledger);
    let mut class_names = format.class_names;
    if let Some(file) = &options.labels {
        opened = joined::join(opened, (file, &full), options)?;
        class_names = ClassNames::Written;
    } else if let Some(pattern) = &options.label_pattern {
        opened = label_pattern::take(opened, pattern)?;
    }
    opened.manifest = opened.manifest.with_ground(options.ground);
    if opened.manifest.len() >= u32::MAX as usize {
        return Err(Error::Dataset {
            path: full,
            message: "it has more than 4,294,967,294 images, which is the maximum".into(),
        });
    }
    // Whatever the format, classes are compared in one spelling.
    let opened = classes::clean(opened, class_names, options.keep_null_labels);
    let mut opened = class_numbers::from_columns(opened);
    if !opened.ledger.remarks.iter().any(|remark| remark.text.contains("seems to have the names")) {
        let by_option = (format.options)(&candidate).contains(&ReadingOption::LabelColumn);
        opened = number_names::tell(opened, by_option);
    }
    Ok(match options.label_files {
        LabelFiles::Ignore => (full, opened),
        LabelFiles::Auto | LabelFiles::Optional => {
            let opened = stated_numbers::beside(opened, &full);
            (full, opened)
        }
    })
}

/// The extension in lower case.
fn extension(path: &Path) -> Option<String> {
    path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase)
}

/// Whether a file has an image extension.
pub(crate) fn is_image(path: &Path) -> bool {
    extension(path).is_some_and(|extension| IMAGE_EXTENSIONS.contains(&extension.as_str()))
}

#[cfg(test)]
mod accounts_tests;
#[cfg(test)]
mod declared_tests;
#[cfg(test)]
pub(crate) mod examples;
#[cfg(test)]
mod member_label_tests;
#[cfg(test)]
mod packed_tests;
#[cfg(test)]
mod rows_elsewhere_tests;
#[cfg(test)]
mod rows_tests;
#[cfg(test)]
mod shard_tests;
#[cfg(test)]
mod structures_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tools_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_no_dataset_says_so() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("data.parquet");
        let missing = open(&file, &DatasetOptions::default()).unwrap_err().to_string();
        assert!(missing.starts_with("cannot open ") && missing.contains("data.parquet"), "{missing}");
        let file = temp.path().join("data.sqlite");
        fs::write(&file, b"SQLite").unwrap();
        let strange = open(&file, &DatasetOptions::default()).unwrap_err().to_string();
        assert!(
            strange.contains(" Arrow files, ") && strange.contains(" or a .csv or .tsv table"),
            "{strange}"
        );
        let empty = open(temp.path(), &DatasetOptions::default()).unwrap_err().to_string();
        assert!(empty.contains("no image files"), "{empty}");
    }
}
