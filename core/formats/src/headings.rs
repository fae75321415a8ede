//! Headings of columns that say which sample a row is about, in tables of other programs.

/// Columns that hold paths or names of files, in the order in which they are preferred.
pub(crate) const PATHS: [&str; 16] = [
    "path",
    "image_path",
    "filepath",
    "file_path",
    "file_path_abs",
    "file_name",
    "filename",
    "file",
    "img_path",
    "image_name",
    "image_file",
    "image",
    "img",
    "img_name",
    "fname",
    "full_path",
];

/// Columns that name samples in some tables, and number something else in others.
pub(crate) const KEYS: [&str; 3] = ["image_id", "img_id", "key"];

/// Names that pandas, R and others give to a column of the numbers of rows, which may also be names of classes.
const INDEXES: [&str; 5] = ["index", "idx", "id", "row", "level_0"];

/// How pandas calls an index in a Parquet file.
pub(crate) const STORED: &str = "__index_level_";

/// All of [`PATHS`] and [`KEYS`].
pub(crate) fn naming() -> impl Iterator<Item = &'static str> {
    PATHS.iter().chain(&KEYS).copied()
}

/// Whether a column names the samples, by its heading in any case.
pub(crate) fn names_samples(heading: &str) -> bool {
    naming().any(|name| heading.trim().eq_ignore_ascii_case(name))
}

/// Whether a list is called like one of samples: as a column, or in the plural.
pub(crate) fn name_samples(heading: &str) -> bool {
    let heading = heading.trim();
    let one = heading.strip_suffix(['s', 'S']).unwrap_or(heading);
    [heading, one].into_iter().any(|name| names_samples(name) || name.eq_ignore_ascii_case("id"))
}

/// Whether a column has no name of its own: pandas writes its index like that.
pub(crate) fn is_unnamed(heading: &str) -> bool {
    let name = heading.trim();
    name.is_empty() || name.eq_ignore_ascii_case("unnamed: 0") || name == "..1" || name == "...1"
}

/// Whether a column has one of the names of an index.
pub(crate) fn is_usual_index(heading: &str) -> bool {
    INDEXES.iter().any(|name| heading.trim().eq_ignore_ascii_case(name))
}

/// Whether a program wrote the names or numbers of rows under this heading.
pub(crate) fn is_index(heading: &str) -> bool {
    is_unnamed(heading) || heading.starts_with(STORED) || is_usual_index(heading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_known_in_any_case() {
        assert!(["", "Unnamed: 0", "id", "Index", "__index_level_0__"].into_iter().all(is_index));
        assert!(["cat", "indexes", "grid"].into_iter().all(|heading| !is_index(heading)));
        assert!(["Path", "IMAGE_ID", " fname "].into_iter().all(names_samples) && !names_samples("label"));
    }
}
