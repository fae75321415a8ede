//! A column beside what a file is read for.

/// Its heading, and a cell for each row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SideColumn {
    pub(crate) heading: String,
    pub(crate) cells: Vec<String>,
}
