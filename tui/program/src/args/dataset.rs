//! How to read a dataset.

use chaffinch_formats::dataset::FORMATS;
use clap::Args;
use std::path::PathBuf;

/// How to read a dataset.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Dataset")]
pub(crate) struct DatasetArgs {
    /// The table's column of paths
    #[arg(long, value_name = "NAME")]
    pub(crate) path_column: Option<String>,
    /// The table's column of labels
    #[arg(long, value_name = "NAME")]
    pub(crate) label_column: Option<String>,
    /// The table's column of splits
    #[arg(long, value_name = "NAME")]
    pub(crate) split_column: Option<String>,
    /// The folder that a table's relative paths start from [default: the table's own]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
}

/// What a dataset may be: `a folder of images or …`.
pub(crate) fn dataset_forms() -> String {
    let forms: Vec<&str> = FORMATS.iter().map(|format| format.summary).collect();
    forms.join(" or ")
}
