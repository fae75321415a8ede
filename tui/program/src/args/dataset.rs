//! How to read a dataset.

use chaffinch_compute::image::decode::Ground;
use chaffinch_data::dataset::{Folders, LabelFiles};
use chaffinch_formats::dataset::{FORMATS, Format};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How to read a dataset, and where its labels come from.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Dataset")]
pub(crate) struct DatasetArgs {
    #[command(flatten)]
    pub(crate) own: ReadingArgs,
    /// Table with labels to join to the images, such as labels.csv; its other columns are kept
    #[arg(long, value_name = "FILE", conflicts_with = "label_pattern")]
    pub(crate) labels: Option<PathBuf>,
    /// Column of --labels that names the images by path, stem or id [default: found by its name]
    #[arg(long, value_name = "NAME", requires = "labels")]
    pub(crate) key: Option<String>,
    /// Regular expression that finds labels in paths: (?<label>…), and (?<split>…) for splits
    #[arg(long, value_name = "REGEX")]
    pub(crate) label_pattern: Option<String>,
}

/// How to read a dataset with labels of its own.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Dataset")]
pub(crate) struct ReadingArgs {
    /// Column of the table that has the paths
    #[arg(long, value_name = "NAME")]
    pub(crate) path_column: Option<String>,
    /// Column of the table that has the labels
    #[arg(long, value_name = "NAME")]
    pub(crate) label_column: Option<String>,
    /// Column of the table that has the splits
    #[arg(long, value_name = "NAME")]
    pub(crate) split_column: Option<String>,
    /// Folder, or address of a bucket, that relative paths in the table refer to [default: the table's folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Keep words for "no label" (nan, NA, null, unlabeled) and combinations (cat|dog) as classes
    #[arg(long)]
    pub(crate) keep_null_labels: bool,
    /// Color to put transparent pictures on: white, black or #rrggbb [default: transparency is dropped]
    #[arg(long, value_name = "COLOR")]
    pub(crate) ground: Option<Ground>,
    /// What the topmost folders of a dataset are [default: inferred from their names and from what is below them]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) layout: Option<Layout>,
    /// What to do with files beside the pictures that hold labels [default: read them, or stop if they cannot be read]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) label_files: Option<LabelFilesArg>,
}

/// Values of `--label-files`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LabelFilesArg {
    /// Read, or refused if they cannot be read and the pictures have no other labels
    Auto,
    /// Read if they can be, and otherwise only said: labels are not needed
    Optional,
    /// Ignored: labels are those of folders and file names
    Ignore,
}

impl From<LabelFilesArg> for LabelFiles {
    fn from(wish: LabelFilesArg) -> LabelFiles {
        match wish {
            LabelFilesArg::Auto => LabelFiles::Auto,
            LabelFilesArg::Optional => LabelFiles::Optional,
            LabelFilesArg::Ignore => LabelFiles::Ignore,
        }
    }
}

/// Values of `--layout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Layout {
    /// Inferred
    Auto,
    /// Classes
    Classes,
    /// Splits or sources, with class folders in them
    Splits,
}

impl From<Layout> for Folders {
    fn from(layout: Layout) -> Folders {
        match layout {
            Layout::Auto => Folders::Auto,
            Layout::Classes => Folders::Classes,
            Layout::Splits => Folders::Splits,
        }
    }
}

/// The supported kinds of datasets, one per line.
pub(crate) fn dataset_forms() -> String {
    let form = |format: &Format| format!("\n- {}", format.summary.replace('`', ""));
    let forms: String = FORMATS.iter().map(form).collect();
    format!("A dataset, whose format is found by itself:\n{forms}")
}
