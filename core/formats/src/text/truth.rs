//! Words that say yes or no in tables of other programs.

/// What a cell says in any usual spelling; `None` if it is something else, or empty.
pub(crate) fn truth(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "1.0" | "yes" | "y" | "t" => Some(true),
        "false" | "0" | "0.0" | "no" | "n" | "f" => Some(false),
        _ => None,
    }
}
