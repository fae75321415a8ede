//! How the user names a detector: the one place that decides what a word stands for.

use std::path::Path;

/// The name of the file that describes a detector; every project has one, so it names none.
pub(crate) const DESCRIPTION: &str = "detector.toml";

/// Whether a word names a detector in the code at a path: by the name of one, by its file, its folder or its path.
pub fn is_named<'a>(word: &str, names: impl IntoIterator<Item = &'a str>, path: &Path) -> bool {
    let given = std::path::absolute(word).ok();
    let given = given.as_deref();
    let file = path.file_name().filter(|file| *file != DESCRIPTION);
    names.into_iter().any(|name| name == word)
        || file.is_some_and(|file| file == word)
        || given.is_some_and(|given| given == path || Some(given) == path.parent())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_name_a_file_a_folder_or_a_path() {
        let named = |word: &str, path: &str| is_named(word, ["one", "two"], Path::new(path));
        for word in ["one", "two", "libx.so", "/a/libx.so", "/a"] {
            assert!(named(word, "/a/libx.so"), "{word}");
        }
        for word in ["three", "", "x.so", "/b/libx.so", "/", "detector.toml"] {
            assert!(!named(word, "/a/libx.so"), "{word}");
        }
        assert!(named("/a/odd", "/a/odd/detector.toml"));
        assert!(!named("detector.toml", "/a/odd/detector.toml"), "every project has one");
    }
}
