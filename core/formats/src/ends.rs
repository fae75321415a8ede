//! Finds paths by their ends: what another program calls `/home/ann/data/cat/1.jpg` is `cat/1.jpg` here.

mod doubt;
mod frames;
mod several;
mod splits;

use crate::dataset::split_named;
use crate::text::composed;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::{SampleId, Split};
pub(crate) use doubt::Before;
pub(crate) use frames::{Frames, Meant};
pub(crate) use several::doubts;
#[cfg(test)]
pub(crate) use several::{of_several_roots, of_several_splits};
pub(crate) use splits::{may_mean, other_word};
use std::collections::HashMap;
use std::sync::OnceLock;

/// Paths sorted by their components from the last to the first, so that those with the same end stand together.
pub(crate) struct Ends {
    /// The reversed components, each followed by a NUL byte, and the row.
    keys: Vec<(Vec<u8>, u32)>,
    /// Whether one of the paths ends in another one, once that was asked.
    has_longer: OnceLock<bool>,
    /// The place of each row among the keys, once that was asked.
    of_rows: OnceLock<Vec<usize>>,
}

/// The paths with the longest common end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// No path has the same file name.
    Nothing,
    /// Several paths have as much in common, the first of these rows and others.
    Several(u32),
    /// One path has the most in common.
    One {
        /// Its row.
        row: u32,
        /// How many components.
        common: usize,
        /// Whether one of both paths is the end of the other.
        whole: bool,
    },
}

impl Ends {
    /// Of paths, whose rows count from 0.
    pub(crate) fn new<'a>(paths: impl IntoIterator<Item = &'a [u8]>) -> Ends {
        let mut keys: Vec<(Vec<u8>, u32)> = paths.into_iter().map(reversed).zip(0..).collect();
        keys.sort_unstable();
        Ends { keys, has_longer: OnceLock::new(), of_rows: OnceLock::new() }
    }

    /// The path with the longest common end. If one of several is an end of `path` itself, it is that one.
    pub(crate) fn find(&self, path: &[u8]) -> Found {
        self.find_key(&reversed(path))
    }

    /// [`Ends::find`] by the key of a path.
    fn find_key(&self, key: &[u8]) -> Found {
        let at = self.keys.partition_point(|(other, _)| other.as_slice() < key);
        let beside = [at.checked_sub(1), Some(at)].into_iter().flatten().filter_map(|at| self.keys.get(at));
        let length = beside.map(|(other, _)| common(key, other)).max().unwrap_or(0);
        if length == 0 {
            return Found::Nothing;
        }
        let prefix = &key[..length];
        let start = self.keys.partition_point(|(other, _)| other.as_slice() < prefix);
        let end = start + self.keys[start..].partition_point(|(other, _)| other.starts_with(prefix));
        let rows = &self.keys[start..end];
        let components = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == 0).count();
        let one = |(other, row): &(Vec<u8>, u32)| Found::One {
            row: *row,
            common: components(prefix),
            whole: other.len() == length || key.len() == length,
        };
        match rows {
            [] => Found::Nothing,
            [only] => one(only),
            // Shorter keys sort first: this path has nothing that differs, the others do.
            [first, second, ..] if first.0.len() == length && second.0.len() > length => one(first),
            [first, ..] => Found::Several(first.1),
        }
    }
}

impl Ends {
    /// Rows whose paths have the longest common end, in order.
    pub(crate) fn candidates(&self, path: &[u8]) -> Vec<u32> {
        let mut rows: Vec<u32> = self.alike(path).collect();
        rows.sort_unstable();
        rows
    }

    /// The same in the order of their paths.
    fn alike(&self, path: &[u8]) -> impl Iterator<Item = u32> {
        let key = reversed(path);
        let at = self.keys.partition_point(|(other, _)| *other < key);
        let beside = [at.checked_sub(1), Some(at)].into_iter().flatten().filter_map(|at| self.keys.get(at));
        let length = beside.map(|(other, _)| common(&key, other)).max().unwrap_or(0);
        let start = self.keys.partition_point(|(other, _)| other.as_slice() < &key[..length]);
        let rows = self.keys[start..].iter();
        rows.take_while(move |(other, _)| length > 0 && other.starts_with(&key[..length]))
            .map(|(_, row)| *row)
    }

    /// The row that a name means which may mean several: the only one of these in its split.
    pub(crate) fn in_split(&self, name: &[u8], split: Split, manifest: &Manifest) -> Option<u32> {
        let key = reversed(name);
        // `dog/2.jpg` is not `owl/2.jpg`, in whatever split.
        let is_whole = |row: u32| {
            let length = common(&key, self.path_of(row));
            length == key.len() || length == self.path_of(row).len()
        };
        let is_in =
            |row: &u32| split != Split::None && manifest.split(SampleId(*row)) == split && is_whole(*row);
        let mut own = self.alike(name).filter(is_in);
        let one = own.next()?;
        // Where there is one, other names may mean it as well.
        (own.next().is_none() && self.alike(name).nth(1).is_some()).then_some(one)
    }
}

/// Which sample a name of another program means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// This row.
    At(u32),
    /// The same row as an earlier name, which is the same.
    Again(u32),
    /// None.
    Nothing,
    /// Several would do, or other names mean the same row and have as much in common with it.
    Several,
}

impl Place {
    /// The row that is meant, whether by this name first or not.
    pub(crate) fn row(self) -> Option<u32> {
        match self {
            Place::At(row) | Place::Again(row) => Some(row),
            Place::Nothing | Place::Several => None,
        }
    }
}

impl Ends {
    /// The rows of all names together. Where most names are ends of paths or the other way round, the others do not match:
    /// `dog/7.jpg` is not `cat/7.jpg`, though no other file is called so. Of different names for one row that with the
    /// longest common end has it.
    ///
    /// Of other names of the file, `whole` are whole paths.
    pub(crate) fn places(&self, names: &[&[u8]], whole: usize) -> Vec<Place> {
        let mut found: Vec<Found> = names.iter().map(|name| self.find(name)).collect();
        leave_parts(&mut found, whole);
        self.leave_doubtful(&mut found, names, Frames::default(), &|_| Split::None, &|_, _| false);
        placed(&found, names, reversed)
    }

    /// The same where the paths are those of a dataset, whole or without their extensions. A name that ends in the path of one
    /// sample, in which others end as well, may mean several, unless the other names say what stands before it. A name in the
    /// dataset's folder is a whole path, and one that has something else before its end than the other names means none.
    pub(crate) fn places_in(&self, manifest: &Manifest, names: &[&[u8]]) -> Vec<Place> {
        let before = self.before(names.iter().copied(), manifest);
        let frames = Frames::new(manifest.root());
        let find = |name: &&[u8]| {
            if let Some(inside) = frames.inside(name, &reversed(name)) {
                return match self.find_key(inside) {
                    // Rows of one path.
                    found @ Found::Several(row) if self.path_of(row) == inside => found,
                    Found::One { row, .. } if self.path_of(row) == inside => Found::One {
                        row,
                        common: inside.iter().filter(|byte| **byte == 0).count(),
                        whole: true,
                    },
                    _ => Found::Nothing,
                };
            }
            match self.in_doubt(name, &before, manifest) {
                Some([one, _]) => Found::Several(one),
                None => self.find(name),
            }
        };
        let mut found: Vec<Found> = names.iter().map(find).collect();
        leave_parts(&mut found, 0);
        let is_said = |row: u32, folder: &[u8]| said_of(manifest, SampleId(row))(folder);
        let split = |row: u32| manifest.split(SampleId(row));
        let frames = self.leave_doubtful(&mut found, names, frames, &split, &is_said);
        placed(&found, names, |name| {
            let key = reversed(name);
            frames.inside(name, &key).map(<[u8]>::to_vec).unwrap_or(key)
        })
    }

    /// Leaves out what names need not mean by what the other names have before their ends. `is_said` tells whether a folder is
    /// called after what is said of a row.
    fn leave_doubtful(
        &self,
        found: &mut [Found],
        names: &[&[u8]],
        mut frames: Frames,
        split: &dyn Fn(u32) -> Split,
        is_said: &dyn Fn(u32, &[u8]) -> bool,
    ) -> Frames {
        for (name, found) in names.iter().zip(found.iter()) {
            match *found {
                Found::One { row, .. } => {
                    let is_said = |folder: &[u8]| is_said(row, folder);
                    let (path, split) = (self.path_of(row), split(row));
                    frames.add(name, Some(Meant { row, path, split, is_said: &is_said }));
                }
                Found::Nothing | Found::Several(_) => frames.add(name, None),
            }
        }
        let frames = frames.finish(self.keys.len());
        for (name, found) in names.iter().zip(found) {
            if let Found::One { row, .. } = *found {
                let is_said = |folder: &[u8]| is_said(row, folder);
                let (path, split) = (self.path_of(row), split(row));
                if frames.doubt(name, &Meant { row, path, split, is_said: &is_said }) {
                    *found = Found::Nothing;
                }
            }
        }
        frames
    }

    /// How many of these names were taken for samples in other folders than their own, and the first of them with its sample.
    pub(crate) fn in_other_folders(&self, names: &[&[u8]], places: &[Place]) -> Option<(u64, usize, u32)> {
        let differs = |(at, place): (usize, &Place)| {
            let (key, row) = (reversed(names[at]), place.row()?);
            let length = common(&key, self.path_of(row));
            (length < key.len() && length < self.path_of(row).len()).then_some((at, row))
        };
        let mut all = places.iter().enumerate().filter_map(differs);
        let (at, row) = all.next()?;
        Some((all.count() as u64 + 1, at, row))
    }

    /// The key of the path in a row.
    fn path_of(&self, row: u32) -> &[u8] {
        let of_rows = self.of_rows.get_or_init(|| {
            let mut of_rows = vec![0; self.keys.len()];
            (0..).zip(&self.keys).for_each(|(at, (_, row))| of_rows[*row as usize] = at);
            of_rows
        });
        let at = of_rows.get(row as usize).copied().unwrap_or_default();
        self.keys.get(at).map_or(&[], |(key, _)| key.as_slice())
    }
}

/// Whether folders of names may be called after what a dataset says of a sample: its class, or its split.
pub(crate) fn said_of(manifest: &Manifest, id: SampleId) -> impl Fn(&[u8]) -> bool {
    let (label, split) = (manifest.label_name(id), manifest.split(id));
    move |folder: &[u8]| {
        let folder = String::from_utf8_lossy(folder);
        (!label.is_empty() && label == folder)
            || (split != Split::None && split_named(&folder) == Some(split))
    }
}

/// Where most names are ends of paths or the other way round, as `whole` more are, the others do not match.
fn leave_parts(found: &mut [Found], whole: usize) {
    let count = |wanted: bool| {
        found.iter().filter(|one| matches!(one, Found::One { whole, .. } if *whole == wanted)).count()
    };
    if count(true) + whole >= count(false) {
        for one in found {
            if matches!(one, Found::One { whole: false, .. }) {
                *one = Found::Nothing;
            }
        }
    }
}

/// The rows that names mean, each of which seems to mean what was found for it.
fn placed(found: &[Found], names: &[&[u8]], key: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Place> {
    // For each row, the longest common end, and the names that have it.
    let mut best: HashMap<u32, (usize, Vec<usize>)> = HashMap::new();
    for (index, one) in found.iter().enumerate() {
        if let Found::One { row, common, .. } = *one {
            let (longest, indices) = best.entry(row).or_default();
            if common > *longest {
                (*longest, *indices) = (common, vec![index]);
            } else if common == *longest {
                indices.push(index);
            }
        }
    }
    let place = |(index, one): (usize, &Found)| match *one {
        Found::Nothing => Place::Nothing,
        Found::Several(_) => Place::Several,
        Found::One { row, .. } => {
            let Some((_, indices)) = best.get(&row).filter(|(_, indices)| indices.contains(&index)) else {
                return Place::Nothing;
            };
            let first = indices[0];
            match indices.iter().all(|&other| key(names[other]) == key(names[first])) {
                true if index == first => Place::At(row),
                true => Place::Again(row),
                false => Place::Several,
            }
        }
    };
    found.iter().enumerate().map(place).collect()
}

/// The components of a path from the last to the first, each followed by a NUL byte. Those that lead nowhere are left out.
pub(crate) fn reversed(path: &[u8]) -> Vec<u8> {
    let path = &*composed(path);
    // A name on Unix may have a backslash, but a path without any slash rarely has several parts of such names.
    let slash = if path.contains(&b'/') { b'/' } else { b'\\' };
    let mut key = Vec::with_capacity(path.len() + 1);
    let mut up = 0_usize;
    for part in path.rsplit(|&byte| byte == slash) {
        match part {
            b"" | b"." | b"file:" => {}
            b".." => up += 1,
            _ if up > 0 => up -= 1,
            part => {
                key.extend_from_slice(part);
                key.push(0);
            }
        }
    }
    // What is above the folder that a path begins in.
    (0..up).for_each(|_| key.extend_from_slice(b"..\0"));
    key
}

/// The components of a key, the last of its path first.
fn components(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    key.split(|byte| *byte == 0).filter(|part| !part.is_empty())
}

/// The length of what two keys have in common, in whole components.
fn common(one: &[u8], other: &[u8]) -> usize {
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    one[..same].iter().rposition(|byte| *byte == 0).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(paths: &[&str], path: &str) -> Found {
        Ends::new(paths.iter().map(|path| path.as_bytes())).find(path.as_bytes())
    }

    #[test]
    fn the_longest_common_end_decides() {
        let paths = ["cat/1.jpg", "dog/1.jpg", "dog/2.jpg", "1.jpg"];
        let one = |row, common, whole| Found::One { row, common, whole };
        assert_eq!(find(&paths, "/home/ann/dog/1.jpg"), one(1, 2, true));
        assert_eq!(find(&paths, "dog/2.jpg"), one(2, 2, true));
        assert_eq!(find(&paths, "2.jpg"), one(2, 1, true));
        assert_eq!(find(&paths, "./cat//1.jpg"), one(0, 2, true));
        assert_eq!(find(&paths, r"C:\data\dog\1.jpg"), one(1, 2, true));
        assert_eq!(find(&paths, "/x/1.jpg"), one(3, 1, true), "nothing of it differs");
        assert_eq!(find(&paths, "/x/2.jpg"), one(2, 1, false));
        assert_eq!(find(&paths[..2], "/x/1.jpg"), Found::Several(0));
        assert_eq!(find(&paths, "11.jpg"), Found::Nothing);
        assert_eq!(find(&paths, ""), Found::Nothing);
        assert_eq!(find(&["a/b.jpg", "a/b.jpg"], "a/b.jpg"), Found::Several(0));
        assert_eq!(find(&[], "a"), Found::Nothing);
    }

    #[test]
    fn names_are_placed_together() {
        use Place::{Again, At, Nothing, Several};
        let places = |paths: &[&str], names: &[&str]| {
            let names: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
            Ends::new(paths.iter().map(|path| path.as_bytes())).places(&names, 0)
        };
        let paths = ["cat/1.jpg", "cat/2.jpg", "dog/1.jpg"];
        assert_eq!(
            places(&paths, &["/d/dog/1.jpg", "/d/cat/1.jpg", "/d/dog/2.jpg", "/d/cat/1.jpg"]),
            [At(2), At(0), Nothing, Again(0)],
            "a dog is not a cat"
        );
        assert_eq!(places(&["a/x/1.jpg", "a/y/2.jpg"], &["/b/x/1.jpg", "/b/y/2.jpg"]), [At(0), At(1)]);
        assert_eq!(places(&paths, &["1.jpg", "2.jpg"]), [Several, At(1)]);
        assert_eq!(places(&paths, &["/a/cat/1.jpg", "/b/cat/1.jpg"]), [Several, Several]);
        assert_eq!(places(&paths, &["x/2.jpg", "cat/2.jpg"]), [Nothing, At(1)]);
    }

    #[test]
    fn names_that_begin_alike_are_not_the_same() {
        let paths = ["a/x.jpg", "a-b/x.jpg", "a/xx.jpg"];
        assert_eq!(find(&paths, "q/a/x.jpg"), Found::One { row: 0, common: 2, whole: true });
        assert_eq!(find(&paths, "q/b/x.jpg"), Found::Several(0));
    }
}
