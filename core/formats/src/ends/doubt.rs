//! Names that end in the whole path of one sample, where the paths of others end in it, too: `crops/1.jpg` beside the samples
//! `1.jpg` and `cat/1.jpg`.

use super::{Ends, common, components, reversed};
use crate::dataset::split_named;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::{SampleId, Split};
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;

/// What stands before the paths of samples in the names of a file, as far as no other sample may be meant: the same before a
/// path that others end in says that this is meant.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// The dataset's folder.
    root: Vec<u8>,
    /// Before whole paths.
    any: HashSet<Vec<u8>>,
    /// Before those of them that have folders themselves, so that it is none of these.
    deep: HashSet<Vec<u8>>,
    /// Whether the dataset has splits, which folders may be called after.
    splits: bool,
}

impl Before {
    fn is_root(&self, rest: &[u8]) -> bool {
        !self.root.is_empty() && (self.root.starts_with(rest) || rest.starts_with(&self.root))
    }
}

impl Ends {
    /// What stands before the paths of samples in these names.
    pub(crate) fn before<'n>(
        &self,
        names: impl IntoIterator<Item = &'n [u8]>,
        manifest: &Manifest,
    ) -> Before {
        let mut before = Before::default();
        if !self.has_longer() {
            return before;
        }
        before.root = reversed(manifest.root().as_os_str().as_bytes());
        before.splits = manifest.ids().any(|id| manifest.split(id) != Split::None);
        for name in names {
            let key = reversed(name);
            let Some((short, [])) = self.shorter(&key) else { continue };
            let path = &self.keys[short].0;
            let rest = key[path.len()..].to_vec();
            if components(path).count() > 1 {
                before.deep.insert(rest.clone());
            }
            before.any.insert(rest);
        }
        before
    }

    /// The sample whose whole path a name ends in, and another one that may be meant as well, because its path ends in that
    /// of the first and nothing says what stands before it in the name.
    pub(crate) fn in_doubt(&self, name: &[u8], before: &Before, manifest: &Manifest) -> Option<[u32; 2]> {
        if !self.has_longer() {
            return None;
        }
        let key = reversed(name);
        let (short, longer) = self.shorter(&key)?;
        let (path, row) = &self.keys[short];
        let rest = &key[path.len()..];
        // The end of another path, in full.
        if longer.iter().any(|(other, _)| other.starts_with(&key)) || before.is_root(rest) {
            return None;
        }
        let (_, other) = longer.first()?;
        if before.deep.contains(rest) {
            return None;
        }
        let folder = components(rest).next()?;
        let named = split_named(&String::from_utf8_lossy(folder)).filter(|_| before.splits);
        let split = named.unwrap_or_default();
        if split != Split::None && split == manifest.split(SampleId(*row)) {
            return None;
        }
        let alike = |(other, _): &&(Vec<u8>, u32)| {
            common(&key, other) > path.len()
                || components(&other[path.len()..]).any(|own| same_in_any_case(own, folder))
        };
        match longer.iter().find(alike) {
            Some((_, other)) => Some([*row, *other]),
            None if split == Split::None && before.any.contains(rest) => None,
            None => Some([*row, *other]),
        }
    }

    /// A sample in this split whose path ends in that of the one in `row`, which is in another split.
    pub(crate) fn longer_in(&self, row: u32, split: Split, manifest: &Manifest) -> Option<u32> {
        let own = SampleId(row);
        if split == Split::None || manifest.split(own) == split || !self.has_longer() {
            return None;
        }
        let key = reversed(manifest.path(own).as_os_str().as_bytes());
        let longer = self.longer(&key).iter();
        longer.map(|(_, row)| *row).find(|row| manifest.split(SampleId(*row)) == split)
    }

    /// The longest path that a key goes on after, and those that end in it.
    fn shorter(&self, key: &[u8]) -> Option<(usize, &[(Vec<u8>, u32)])> {
        let ends = key.iter().enumerate().rev().filter(|(at, byte)| **byte == 0 && at + 1 < key.len());
        for (at, _) in ends {
            let short = &key[..=at];
            let place = self.keys.partition_point(|(other, _)| other.as_slice() < short);
            if self.keys.get(place).is_some_and(|(other, _)| other == short) {
                return Some((place, self.longer(short)));
            }
        }
        None
    }

    /// The paths that end in this one and have more before it.
    fn longer(&self, key: &[u8]) -> &[(Vec<u8>, u32)] {
        let start = self.keys.partition_point(|(other, _)| other.as_slice() <= key);
        let end = start + self.keys[start..].partition_point(|(other, _)| other.starts_with(key));
        &self.keys[start..end]
    }

    /// Whether a path ends in another one.
    fn has_longer(&self) -> bool {
        *self.has_longer.get_or_init(|| {
            self.keys.windows(2).any(|pair| pair[0].0 != pair[1].0 && pair[1].0.starts_with(&pair[0].0))
        })
    }
}

fn same_in_any_case(one: &[u8], other: &[u8]) -> bool {
    String::from_utf8_lossy(one).to_lowercase() == String::from_utf8_lossy(other).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::Place::{self, At, Nothing, Several};
    use super::*;
    use chaffinch_data::manifest::NewSample;

    /// A dataset below `/new/pets`, each path after the first letter of its split.
    fn dataset(paths: &[&str]) -> Manifest {
        let sample = |path: &&str| {
            let (split, path) = path.split_once(':').unwrap_or(("", path));
            let split = split_named(split).unwrap_or_default();
            NewSample { path: path.into(), label: None, split }
        };
        Manifest::new("/new/pets", paths.iter().map(sample))
    }

    fn ends(manifest: &Manifest) -> Ends {
        Ends::new(manifest.ids().map(|id| manifest.path(id).as_os_str().as_bytes()))
    }

    fn places(paths: &[&str], names: &[&str]) -> Vec<Place> {
        let manifest = dataset(paths);
        let names: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
        ends(&manifest).places_in(&manifest, &names)
    }

    #[test]
    fn what_stands_before_a_short_path_must_be_known() {
        let paths = ["1.png", "2.png", "ant/1.png", "ant/3.png"];
        for doubtful in ["crops/1.png", "/srv/ANT/1.png", "train/1.png", r"C:\x\1.png"] {
            assert_eq!(places(&paths, &[doubtful]), [Several], "{doubtful}");
        }
        assert_eq!(places(&paths, &["1.png", "ant/1.png", "./2.png"]), [At(0), At(2), At(1)], "in full");
        assert_eq!(places(&paths, &["/new/pets/1.png", "/mnt/new/pets/2.png"]), [At(0), At(1)], "the root");
        assert_eq!(places(&paths, &["pets/1.png"]), [At(0)], "its end");
        assert_eq!(places(&paths, &["/srv/x/2.png"]), [At(1)], "no other ends in it");
        // What stands before others stands before this, too.
        assert_eq!(places(&paths, &["/old/1.png", "/old/ant/3.png"]), [At(0), At(3)]);
        assert_eq!(places(&paths, &["/old/1.png", "/old/2.png", "/old/ant/1.png"]), [At(0), At(1), At(2)]);
        assert_eq!(places(&paths, &["/old/1.png", "/older/2.png"]), [Several, At(1)]);
        // A folder that is called like that of another picture is this folder, unless it holds it.
        assert_eq!(places(&paths, &["Ant/1.png", "Ant/2.png"]), [Several, At(1)]);
        assert_eq!(places(&paths, &["/ant/1.png", "/ant/ant/3.png"]), [At(2), At(3)]);
        // Where no path ends in another one, nothing is in doubt.
        assert_eq!(
            places(&["a/1.png", "b/2.png"], &["x/a/1.png", "y/b/2.png", "3.png"]),
            [At(0), At(1), Nothing]
        );
    }

    #[test]
    fn folders_may_be_called_after_splits() {
        let paths = ["test:1.png", "test:2.png", "train:ant/1.png"];
        assert_eq!(places(&paths, &["train/1.png", "train/2.png"]), [Several, Nothing]);
        assert_eq!(places(&paths, &["test/1.png", "test/2.png"]), [At(0), At(1)], "its own split");
        // Without splits, it is a folder like any other.
        let paths = ["1.png", "2.png", "ant/1.png"];
        assert_eq!(places(&paths, &["train/1.png", "train/2.png"]), [At(0), At(1)]);
    }

    #[test]
    fn a_longer_path_in_another_split_is_found() {
        let manifest = dataset(&["test:1.png", "train:ant/1.png", "train:ant/2.png"]);
        let longer = |split| ends(&manifest).longer_in(0, split, &manifest);
        assert_eq!(longer(Split::Train), Some(1));
        assert_eq!((longer(Split::Test), longer(Split::Validation), longer(Split::None)), (None, None, None));
        assert_eq!(ends(&manifest).longer_in(2, Split::Test, &manifest), None);
    }
}
