//! Shards that are numbered in their names: `train-00000-of-00003.parquet`, `train-000007.tar`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Longer numbers are dates, hashes and the like.
const LONGEST: usize = 9;

/// What the name of a shard says.
struct Name<'a> {
    folder: &'a Path,
    prefix: &'a str,
    digits: &'a str,
    /// How many there are, if it says so.
    total: Option<&'a str>,
    extension: &'a str,
}

impl Name<'_> {
    fn of(path: &Path) -> Option<Name<'_>> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let (stem, extension) = path.file_name().and_then(OsStr::to_str)?.rsplit_once('.')?;
        let of = stem.rsplit_once("-of-").and_then(|(before, after)| {
            let (prefix, digits) = ending(before)?;
            // What follows is a hash, or the mark of a copy.
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            (1..=LONGEST).contains(&end).then(|| (prefix, digits, Some(&after[..end])))
        });
        let plain = || ending(without_copy(stem)).map(|(prefix, digits)| (prefix, digits, None));
        let (prefix, digits, total) = of.or_else(plain)?;
        Some(Name { folder, prefix, digits, total, extension })
    }
}

/// A text without the digits at its end, and these.
fn ending(text: &str) -> Option<(&str, &str)> {
    let at = text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    (1..=LONGEST).contains(&(text.len() - at)).then(|| text.split_at(at))
}

/// A name without what file managers add to that of a copy.
fn without_copy(stem: &str) -> &str {
    let numbered = stem.strip_suffix(')').and_then(|start| {
        let (name, number) = start.rsplit_once(" (")?;
        (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
    });
    let marks = [" - Copy", " copy", "_copy", "-copy"];
    let stem = numbered.unwrap_or(stem);
    marks.into_iter().find_map(|mark| stem.strip_suffix(mark)).unwrap_or(stem)
}

/// Shards that belong together.
#[derive(Debug)]
pub(super) struct Set {
    /// The folder of all of them; that of the first, if they are in several.
    pub(super) folder: PathBuf,
    pub(super) prefix: String,
    pub(super) extension: String,
    width: usize,
    /// How many there are, as their names say it.
    pub(super) total: Option<String>,
    /// The shards that are there, by number.
    pub(super) there: BTreeMap<u64, Vec<PathBuf>>,
}

impl Set {
    /// The first of its numbers, and the one after the last.
    fn range(&self) -> (u64, u64) {
        let first = self.there.keys().next().copied().unwrap_or_default();
        let last = self.there.keys().next_back().copied().unwrap_or_default();
        match self.total.as_deref().and_then(|total| total.parse().ok()) {
            // Some count from 1.
            Some(total) if first > 0 && last >= total => (1, total + 1),
            Some(total) => (0, total),
            None => (first, last + 1),
        }
    }

    /// How many of its shards are missing.
    pub(super) fn missing(&self) -> u64 {
        let (start, end) = self.range();
        end.saturating_sub(start).saturating_sub(self.there.range(start..end.max(start)).count() as u64)
    }

    /// The numbers that are missing, the first being 0.
    pub(super) fn missing_places(&self) -> impl Iterator<Item = u64> {
        let (start, end) = self.range();
        (start..end).filter(move |number| !self.there.contains_key(number)).map(move |number| number - start)
    }

    /// What the missing shards are called.
    pub(super) fn missing_names(&self) -> impl Iterator<Item = PathBuf> {
        let (start, _) = self.range();
        self.missing_places().map(move |place| self.name(start + place))
    }

    /// What the shard of a number is called.
    fn name(&self, number: u64) -> PathBuf {
        let before = self.there.range(..number).next_back();
        let beside = before.and_then(|(_, paths)| paths.first()?.parent());
        let of = self.total.as_deref().map(|total| format!("-of-{total}")).unwrap_or_default();
        let name = format!("{}{number:0width$}{of}.{}", self.prefix, self.extension, width = self.width);
        beside.unwrap_or(&self.folder).join(name)
    }

    /// Its first shard that is there, and the one that would be before it, where numbers start later than they usually
    /// do.
    pub(super) fn late_start(&self) -> Option<(PathBuf, PathBuf)> {
        let (first, paths) = self.there.first_key_value()?;
        (self.total.is_none() && *first > 1).then(|| (paths[0].clone(), self.name(first - 1)))
    }

    /// Whether numbers in these names are those of shards, and not years or the like.
    fn counts(&self) -> bool {
        let zero = self.width > 1 && self.there.keys().any(|number| number.to_string().len() < self.width);
        let (first, shards) = (self.range().0, self.there.len() as u64);
        self.total.is_some() || shards > 1 && (zero || first < 2 && self.missing() <= shards)
    }
}

/// What the names of a set have in common.
type Key<'a> = (&'a str, &'a str, Option<&'a str>);
/// The numbers as they are written, with the shards.
type Numbers<'a> = Vec<(&'a str, &'a Path)>;

impl Set {
    /// The set of these shards; `None` if their numbers do not count shards.
    fn of((prefix, extension, total): Key<'_>, folder: &Path, numbers: &Numbers<'_>) -> Option<Set> {
        let width = numbers.iter().map(|(digits, _)| digits.len()).min().unwrap_or_default();
        let mut there: BTreeMap<u64, Vec<PathBuf>> = BTreeMap::new();
        for (digits, path) in numbers {
            let number: u64 = digits.parse().ok()?;
            if format!("{number:0width$}") != *digits {
                return None;
            }
            there.entry(number).or_default().push(path.to_path_buf());
        }
        let (prefix, extension) = (prefix.to_owned(), extension.to_owned());
        let (folder, total) = (folder.to_path_buf(), total.map(str::to_owned));
        let set = Set { folder, prefix, extension, width, total, there };
        set.counts().then_some(set)
    }
}

/// The sets that these shards are of, by their names.
pub(super) fn sets<'a>(paths: impl Iterator<Item = &'a Path>) -> Vec<Set> {
    let mut groups: BTreeMap<Key<'a>, BTreeMap<&'a Path, Numbers<'a>>> = BTreeMap::new();
    for path in paths {
        let Some(name) = Name::of(path) else { continue };
        let group = groups.entry((name.prefix, name.extension, name.total)).or_default();
        group.entry(name.folder).or_default().push((name.digits, path));
    }
    let mut sets = Vec::new();
    for (key, folders) in groups {
        // Folders that share out one count are one set: train/0.tar, val/1.tar, train/2.tar.
        let all: Numbers<'_> = folders.values().flatten().copied().collect();
        let different: BTreeSet<&str> = all.iter().map(|(digits, _)| *digits).collect();
        let shared = key.2.is_none() && folders.len() > 1 && different.len() == all.len();
        match folders.keys().next().filter(|_| shared) {
            Some(first) => sets.extend(Set::of(key, first, &all)),
            None => sets.extend(folders.iter().filter_map(|(folder, numbers)| Set::of(key, folder, numbers))),
        }
    }
    sets.sort_by(|a, b| (&a.folder, &a.prefix, &a.total).cmp(&(&b.folder, &b.prefix, &b.total)));
    sets
}

/// How many shards the set of this name has and which one it is, from 1 on, if the name says that there are several.
pub(super) fn one_of(name: &Path) -> Option<(u64, u64)> {
    let name = Name::of(name)?;
    let (number, total): (u64, u64) = (name.digits.parse().ok()?, name.total?.parse().ok()?);
    // Some count from 1.
    (total > 1).then(|| (if number < total { number + 1 } else { number }, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is missing from each set, with the numbers that are there twice.
    fn missing(paths: &[&str]) -> Vec<String> {
        let sets = sets(paths.iter().map(Path::new));
        sets.iter().flat_map(Set::missing_names).map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn gaps_are_found_and_other_numbers_left_alone() {
        assert_eq!(missing(&["d/train-00000-of-00003.parquet"]).len(), 2);
        assert_eq!(
            missing(&["train-00000-of-00002-0f3a.parquet", "test-00000-of-00001.parquet"]),
            ["train-00001-of-00002.parquet"]
        );
        assert_eq!(missing(&["x-1-of-3.tar", "x-3-of-3.tar"]), ["x-2-of-3.tar"]);
        assert_eq!(missing(&["w-000000.tar", "w-000003.tar"]), ["w-000001.tar", "w-000002.tar"]);
        assert_eq!(missing(&["a/0000.parquet", "a/0002.parquet", "b/0000.parquet"]), ["a/0001.parquet"]);
        assert_eq!(missing(&["w-8.tar", "w-9.tar", "w-11.tar"]), [] as [&str; 0]);
        assert_eq!(missing(&["w-1.tar", "w-2.tar", "w-4.tar"]), ["w-3.tar"]);
        assert_eq!(missing(&["w-98.tar", "w-099.tar"]), [] as [&str; 0]);
        // Years, classes, and parts of one count in several folders.
        assert_eq!(missing(&["set-2019.tar", "set-2022.tar", "cat.tar"]), [] as [&str; 0]);
        assert_eq!(missing(&["train/00.tar", "val/01.tar", "train/02.tar"]), [] as [&str; 0]);
        assert_eq!(missing(&["train/00.tar", "val/01.tar", "train/03.tar"]), ["val/02.tar"]);
        // A number that no disk has files for.
        let sets = sets([Path::new("x-0-of-999999999.tar")].into_iter());
        assert_eq!((sets[0].missing(), sets[0].missing_names().take(5).count()), (999_999_998, 5));
    }

    #[test]
    fn copies_have_the_number_of_their_original() {
        let paths = ["w-00.tar", "w-01.tar", "w-01 (1).tar", "w-00 - Copy.tar"];
        let sets = sets(paths.iter().map(Path::new));
        assert_eq!(sets[0].there.values().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(one_of(Path::new("a-00001-of-00004.arrow")), Some((2, 4)));
        assert_eq!(one_of(Path::new("a-00000-of-00001.arrow")), None);
    }
}
