//! Output formats of lists and reports.

use clap::ValueEnum;

/// The output format of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// An aligned table, for reading
    Table,
    /// CSV, for spreadsheets
    Csv,
    /// JSON, for scripts
    Json,
}

/// The output format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// An aligned table, for reading
    Table,
    /// JSON, for scripts
    Json,
}
