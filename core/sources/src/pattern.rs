//! Patterns that choose several files: `shards-{000..049}.tar`, `train-*.parquet`.

use crate::bucket::is_address;
use glob::MatchOptions;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How many names the braces of a pattern may stand for.
const MOST: usize = 100_000;

/// `*` does not match a `/`, and hidden files are not meant.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Its braces stand for too many names.
    #[error("the braces stand for more than {MOST} names")]
    TooMany,
    /// A `[` or `**` that means nothing.
    #[error("'{name}' is not a valid pattern: {reason}")]
    Malformed {
        /// One of the names that the braces stand for.
        name: String,
        /// Why not.
        reason: String,
    },
}

/// A pattern, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    folder: PathBuf,
    rest: String,
}

/// A pattern that can be compared with names.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// Names that must be there.
    names: BTreeSet<String>,
    /// What other names are compared with.
    wild: Vec<glob::Pattern>,
}

/// The files that a pattern chooses, relative to its folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Those that are there, in byte order.
    pub found: Vec<String>,
    /// Names for which the braces stand and that are not there.
    pub missing: Vec<String>,
}

impl Written {
    /// The pattern that a path is. `None` of a path without wildcards and braces, and of one that is there as it is written.
    pub fn of(path: &Path) -> Option<Written> {
        let text = path.to_str()?;
        let first = text.find(['*', '?', '[', '{'])?;
        let means = text.contains(['*', '?'])
            || text.find('[').is_some_and(|at| text[at..].contains(']'))
            || braces(text).is_some();
        if !means || !is_address(path) && path.symlink_metadata().is_ok() {
            return None;
        }
        let slash = text[..first].rfind('/').map_or(0, |slash| slash + 1);
        let folder = match &text[..slash] {
            "" => ".",
            "/" => "/",
            folder => folder.trim_end_matches('/'),
        };
        // The name of a bucket cannot be a pattern.
        (folder != "s3:" && folder != "gs:")
            .then(|| Written { folder: folder.into(), rest: text[slash..].to_owned() })
    }

    /// The folder, or the address, below which all files are that it may choose.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The same pattern below another path of the same folder.
    #[must_use]
    pub fn below(&self, folder: &Path) -> PathBuf {
        folder.join(&self.rest)
    }

    /// What all names that it may choose begin with, below the folder.
    pub fn start(&self) -> &str {
        let end = self.rest.find(['*', '?', '[', '{']).unwrap_or(self.rest.len());
        &self.rest[..end]
    }

    /// Reads the pattern.
    ///
    /// # Errors
    /// When it stands for too many names, or is malformed.
    pub fn read(&self) -> Result<Pattern, PatternError> {
        let (mut names, mut wild) = (BTreeSet::new(), Vec::new());
        for name in expand(&self.rest)? {
            if name.contains(['*', '?', '[']) {
                let read = glob::Pattern::new(&name);
                wild.push(
                    read.map_err(|error| PatternError::Malformed { reason: error.msg.to_owned(), name })?,
                );
            } else {
                names.insert(name);
            }
        }
        Ok(Pattern { names, wild })
    }
}

impl Pattern {
    /// Names that must be there, and need not be searched for.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// How many folders deep files must be searched for; `None` without wildcards.
    pub fn depth(&self) -> Option<usize> {
        let deep = |one: &glob::Pattern| match one.as_str().contains("**") {
            true => usize::MAX,
            false => one.as_str().split('/').count(),
        };
        self.wild.iter().map(deep).max()
    }

    /// Chooses from all names below the folder.
    pub fn choose<'a>(&self, all: impl IntoIterator<Item = &'a str>) -> Chosen {
        let mut found = BTreeSet::new();
        for name in all {
            if self.names.contains(name) || self.wild.iter().any(|one| one.matches_with(name, OPTIONS)) {
                found.insert(name.to_owned());
            }
        }
        let missing = self.names.iter().filter(|name| !found.contains(*name)).cloned().collect();
        Chosen { found: found.into_iter().collect(), missing }
    }
}

/// All names that a pattern's braces stand for, in order.
fn expand(text: &str) -> Result<Vec<String>, PatternError> {
    let mut names = vec![text.to_owned()];
    loop {
        let mut next = Vec::new();
        let mut changed = false;
        for name in names {
            match braces(&name) {
                None => next.push(name),
                Some(Braces { start, end, stands_for }) => {
                    changed = true;
                    let stands_for = stands_for?;
                    next.extend(
                        stands_for.into_iter().map(|one| format!("{}{one}{}", &name[..start], &name[end..])),
                    );
                }
            }
            if next.len() > MOST {
                return Err(PatternError::TooMany);
            }
        }
        names = next;
        if !changed {
            // What stands beside inner braces came once for each of theirs.
            let mut seen = BTreeSet::new();
            names.retain(|name| seen.insert(name.clone()));
            return Ok(names);
        }
    }
}

/// The first innermost braces with a list or a range in them.
struct Braces {
    start: usize,
    end: usize,
    stands_for: Result<Vec<String>, PatternError>,
}

fn braces(text: &str) -> Option<Braces> {
    let mut open = None;
    for (at, sign) in text.char_indices() {
        match (sign, open) {
            ('{', _) => open = Some(at),
            ('}', Some(start)) => {
                let inside = &text[start + 1..at];
                let stands_for = range(inside).or_else(|| {
                    inside.contains(',').then(|| Ok(inside.split(',').map(str::to_owned).collect()))
                });
                if let Some(stands_for) = stands_for {
                    return Some(Braces { start, end: at + 1, stands_for });
                }
                open = None;
            }
            _ => {}
        }
    }
    None
}

/// `000..049`: as wide as the wider end if that begins with a zero.
fn range(text: &str) -> Option<Result<Vec<String>, PatternError>> {
    let (first, last) = text.split_once("..")?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(first) || !digits(last) {
        return None;
    }
    let padded = |text: &str| text.len() > 1 && text.starts_with('0');
    let width = if padded(first) || padded(last) { first.len().max(last.len()) } else { 0 };
    let (Ok(from), Ok(to)) = (first.parse::<u64>(), last.parse::<u64>()) else {
        return Some(Err(PatternError::TooMany));
    };
    let (least, most) = (from.min(to), from.max(to));
    if most - least >= MOST as u64 {
        return Some(Err(PatternError::TooMany));
    }
    Some(Ok((least..=most).map(|number| format!("{number:0width$}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(pattern: &str, all: &[&str]) -> (Vec<String>, Vec<String>) {
        let written = Written::of(Path::new(pattern)).unwrap();
        let chosen = written.read().unwrap().choose(all.iter().copied());
        (chosen.found, chosen.missing)
    }

    #[test]
    fn braces_stand_for_names_of_which_the_missing_are_known() {
        assert_eq!(expand("a-{08..11}.tar").unwrap(), ["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"]);
        assert_eq!(expand("{train,val}-{0..1}").unwrap(), ["train-0", "train-1", "val-0", "val-1"]);
        assert_eq!(expand("{a,b{1..2}}").unwrap(), ["a", "b1", "b2"]);
        assert_eq!(expand("a{b}c{..}{1..x}").unwrap(), ["a{b}c{..}{1..x}"]);
        assert_eq!(expand("{3..1}").unwrap(), ["1", "2", "3"]);
        for many in ["{0..9999999}", "{0..99999999999999999999999}", "{0..999}{0..999}"] {
            assert_eq!(expand(many), Err(PatternError::TooMany), "{many}");
        }
        let (found, missing) = chosen("/d/s-{0..2}.tar", &["s-2.tar", "s-0.tar", "s-3.tar"]);
        assert_eq!((found, missing), (vec!["s-0.tar".into(), "s-2.tar".into()], vec!["s-1.tar".into()]));
    }

    #[test]
    fn wildcards_stay_in_their_folder() {
        let all = ["train-0.tar", "train-1.tar", "val-0.tar", "x/train-0.tar", ".train-2.tar"];
        assert_eq!(chosen("/d/train-*.tar", &all).0, ["train-0.tar", "train-1.tar"]);
        assert_eq!(chosen("/d/*/train-?.tar", &all).0, ["x/train-0.tar"]);
        assert_eq!(chosen("/d/{train,val}-[0].tar", &all).0, ["train-0.tar", "val-0.tar"]);
        let malformed = Written::of(Path::new("/d/***/[a].tar")).unwrap().read();
        assert!(matches!(malformed, Err(PatternError::Malformed { .. })), "{malformed:?}");
    }

    #[test]
    fn a_path_is_a_pattern_only_where_it_means_something_and_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a[1].tar");
        assert_eq!(Written::of(&path).unwrap().folder(), folder.path());
        std::fs::write(&path, "").unwrap();
        assert_eq!(Written::of(&path), None);
        for none in ["a.tar", "a{b}.tar", "a[.tar", "s3://buck*t"] {
            assert_eq!(Written::of(Path::new(none)), None, "{none}");
        }
        let remote = Written::of(Path::new("s3://b/data/train-{0..9}.tar")).unwrap();
        assert_eq!((remote.folder(), remote.start()), (Path::new("s3://b/data"), "train-"));
        assert_eq!(Written::of(Path::new("*.tar")).unwrap().folder(), Path::new("."));
    }
}
