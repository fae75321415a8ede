//! How to read a dataset.

use chaffinch_compute::image::decode::Ground;
use chaffinch_formats::dataset::FORMATS;
use clap::Args;
use std::path::PathBuf;

/// How to read a dataset.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Dataset")]
pub(crate) struct DatasetArgs {
    /// Column of the table that has the paths
    #[arg(long, value_name = "NAME")]
    pub(crate) path_column: Option<String>,
    /// Column of the table that has the labels
    #[arg(long, value_name = "NAME")]
    pub(crate) label_column: Option<String>,
    /// Column of the table that has the splits
    #[arg(long, value_name = "NAME")]
    pub(crate) split_column: Option<String>,
    /// Folder that relative paths in the table refer to [default: the table's folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Color to put transparent pictures on: white, black or #rrggbb [default: transparency is dropped]
    #[arg(long, value_name = "COLOR")]
    pub(crate) ground: Option<Ground>,
}

/// The supported kinds of datasets: `a folder of images or …`.
pub(crate) fn dataset_forms() -> String {
    let forms: Vec<&str> = FORMATS.iter().map(|format| format.summary).collect();
    forms.join(" or ")
}
