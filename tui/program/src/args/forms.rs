//! The forms of lists and reports.

use clap::ValueEnum;

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a person
    Table,
    /// For a spreadsheet
    Csv,
    /// For a script
    Json,
}

/// The form of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For a person
    Table,
    /// For a script
    Json,
}
