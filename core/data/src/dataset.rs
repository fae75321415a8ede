//! How to read a dataset, where its format leaves it open.

use crate::packing::{Written, is_address};
use chaffinch_compute::image::decode::Ground;

use std::path::{Path, PathBuf};

/// Extensions of image files, in lower case.
pub const IMAGE_EXTENSIONS: [&str; 9] = ["jpg", "jpeg", "png", "gif", "webp", "bmp", "tif", "tiff", "jxl"];

/// Whether there is a dataset at a path. Of a bucket, nothing is asked: it counts as there. Of a pattern, the folder counts.
pub fn is_there(dataset: &Path) -> bool {
    is_address(dataset)
        || dataset.exists()
        || Written::of(dataset).is_some_and(|pattern| pattern.folder().is_dir())
}

/// How to read a dataset, where its format leaves it open.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DatasetOptions {
    /// The table's path column, if it has an unusual name.
    pub path_column: Option<String>,
    /// The table's label column.
    pub label_column: Option<String>,
    /// The table's split column.
    pub split_column: Option<String>,
    /// The base folder of a table's relative paths; by default the table's folder.
    pub root: Option<PathBuf>,
    /// What the folders of a dataset are, where their names leave it open.
    #[serde(default)]
    pub folders: Folders,
    /// Whether to take the labels `cat` and `dog` from a flat folder of `cat.12.jpg` and `dog.7.jpg`.
    pub labels_from_names: bool,
    /// Whether words for "no label" such as `nan` and `null` are classes.
    #[serde(default)]
    pub keep_null_labels: bool,
    /// What is put in the place of transparency.
    #[serde(default)]
    pub ground: Ground,
    /// What to do with files beside the pictures that hold labels.
    #[serde(default)]
    pub label_files: LabelFiles,
    /// A table whose labels are joined to the samples. The label and split columns are then those of this table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<PathBuf>,
    /// The column of this table that names the samples, by path, stem or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// A regular expression over paths whose group `label` is the label, and whose group `split` the split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_pattern: Option<String>,
}

impl Default for DatasetOptions {
    fn default() -> DatasetOptions {
        DatasetOptions {
            path_column: None,
            label_column: None,
            split_column: None,
            root: None,
            folders: Folders::Auto,
            labels_from_names: true,
            keep_null_labels: false,
            ground: Ground::default(),
            label_files: LabelFiles::Auto,
            labels: None,
            key: None,
            label_pattern: None,
        }
    }
}

/// What the topmost folders of a dataset are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Folders {
    /// Inferred from their names and from what is below them.
    #[default]
    Auto,
    /// Classes.
    Classes,
    /// Splits, or other parts of the dataset, with class folders below them.
    Splits,
}

impl Folders {
    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Folders::Auto => "auto",
            Folders::Classes => "classes",
            Folders::Splits => "splits",
        }
    }
}

/// What to do with files beside the pictures that hold labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelFiles {
    /// Those that can be read are read; others are refused where the pictures have no labels without them.
    #[default]
    Auto,
    /// The same, but nothing is refused: labels are not needed.
    Optional,
    /// None is read, and none is missed: labels are those of folders and file names.
    Ignore,
}

impl LabelFiles {
    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            LabelFiles::Auto => "auto",
            LabelFiles::Optional => "optional",
            LabelFiles::Ignore => "ignore",
        }
    }
}
