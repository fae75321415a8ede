//! How to read a dataset where its own form does not say it.

use std::path::PathBuf;

/// Extensions of image files, in lower case.
pub const IMAGE_EXTENSIONS: [&str; 8] = ["jpg", "jpeg", "png", "gif", "webp", "bmp", "tif", "tiff"];

/// How to read a dataset where its own form does not say it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DatasetOptions {
    /// The table's column of paths, where it has an unusual name.
    pub path_column: Option<String>,
    /// The table's column of labels.
    pub label_column: Option<String>,
    /// The table's column of splits.
    pub split_column: Option<String>,
    /// The folder that a table's relative paths start from; by default the table's own.
    pub root: Option<PathBuf>,
    /// Whether a flat folder of `cat.12.jpg` and `dog.7.jpg` has the labels `cat` and `dog`.
    pub labels_from_names: bool,
}

impl Default for DatasetOptions {
    fn default() -> DatasetOptions {
        DatasetOptions {
            path_column: None,
            label_column: None,
            split_column: None,
            root: None,
            labels_from_names: true,
        }
    }
}
