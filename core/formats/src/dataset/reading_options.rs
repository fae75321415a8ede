//! Options of reading that only some formats have a use for.

use super::Candidate;
use chaffinch_data::dataset::{DatasetOptions, Folders, LabelFiles};

/// An option that some formats read and others do not. What is not here says something of every dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadingOption {
    /// Which column, field or key has the paths.
    PathColumn,
    /// Which one has the labels.
    LabelColumn,
    /// Which one has the splits.
    SplitColumn,
    /// The folder of relative paths.
    Root,
    /// What the topmost folders are.
    Layout,
    /// What to do with files beside the pictures that hold labels.
    LabelFiles,
}

use ReadingOption::{LabelColumn, Layout, PathColumn, Root, SplitColumn};

/// Those of tables of paths.
pub(super) const OF_TABLES: &[ReadingOption] = &[PathColumn, LabelColumn, SplitColumn, Root];
/// Those of files with pictures in them.
pub(super) const OF_COLUMNS: &[ReadingOption] = &[PathColumn, LabelColumn, SplitColumn];
/// Those of folders of pictures.
pub(super) const OF_FOLDERS: &[ReadingOption] = &[Layout, ReadingOption::LabelFiles];
/// Those of folders with tables beside the pictures.
pub(super) const OF_TABLES_BESIDE: &[ReadingOption] =
    &[Layout, ReadingOption::LabelFiles, LabelColumn, SplitColumn];
/// Those of files whose every entry names a picture.
pub(super) const OF_ENTRIES: &[ReadingOption] = &[Root];
/// The same with fields of labels and splits.
pub(super) const OF_FIELDS: &[ReadingOption] = &[LabelColumn, SplitColumn, Root];
/// Those of tar files.
pub(super) const OF_TAR: &[ReadingOption] = &[LabelColumn, Layout];
/// Those of formats that leave nothing open.
pub(super) const NONE: &[ReadingOption] = &[];

/// Those of a folder of pictures, which may have the samples of FiftyOne with their fields.
pub(super) fn of_folder(candidate: &Candidate) -> &'static [ReadingOption] {
    let fields =
        ["samples.json", "labels.json"].into_iter().any(|name| candidate.called(name).next().is_some());
    if fields { OF_TABLES_BESIDE } else { OF_FOLDERS }
}

impl ReadingOption {
    /// All of them.
    pub const ALL: [ReadingOption; 6] =
        [PathColumn, LabelColumn, SplitColumn, Root, Layout, ReadingOption::LabelFiles];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            PathColumn => "--path-column",
            LabelColumn => "--label-column",
            SplitColumn => "--split-column",
            Root => "--root",
            Layout => "--layout",
            ReadingOption::LabelFiles => "--label-files",
        }
    }

    /// Whether it was given.
    pub fn is_given(self, options: &DatasetOptions) -> bool {
        match self {
            PathColumn => options.path_column.is_some(),
            LabelColumn => options.label_column.is_some(),
            SplitColumn => options.split_column.is_some(),
            Root => options.root.is_some(),
            Layout => options.folders != Folders::Auto,
            ReadingOption::LabelFiles => options.label_files != LabelFiles::Auto,
        }
    }

    /// Whether the table of `--labels` reads it, whatever the dataset is.
    pub(super) fn is_joined(self) -> bool {
        matches!(self, LabelColumn | SplitColumn)
    }
}

#[cfg(test)]
mod tests;
