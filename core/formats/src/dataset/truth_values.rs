//! Cells that say yes or no.

/// Whether a cell says that the picture has the class, or is in the split, of its column.
pub(crate) fn is_set(value: &str) -> bool {
    let value = value.trim();
    matches!(value, "1" | "1.0") || value.eq_ignore_ascii_case("true")
}

/// Whether a cell says that it does not, or says nothing.
pub(crate) fn is_clear(value: &str) -> bool {
    let value = value.trim();
    matches!(value, "" | "0" | "0.0") || value.eq_ignore_ascii_case("false")
}
