//! Whether a dataset is one that was scanned elsewhere: by file sizes first, then by the contents of a few files.

use crate::file_metadata::FileMetadata;
use crate::manifest::Manifest;
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeSet;

/// Files whose size is looked at.
const SIZED: usize = 2048;

/// Files that are read.
const READ: usize = 24;

/// How much of a dataset is known from another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Likeness {
    /// Samples here and in the other dataset.
    pub samples: (u64, u64),
    /// Files that were read, and how many of them the other dataset has.
    pub read: (u64, u64),
    /// Files whose size was looked at, and how many have the size of one of the other dataset.
    pub sized: (u64, u64),
}

impl Likeness {
    /// Whether it is the same dataset, perhaps with changes: most files of both are known to the other.
    pub fn is_same(&self) -> bool {
        let most = |(all, some): (u64, u64)| all > 0 && some * 2 >= all;
        most(self.sized) && most(self.read) && comparable(self.samples)
    }

    /// Whether nothing that was looked at differs.
    pub fn is_whole(&self) -> bool {
        self.samples.0 == self.samples.1 && self.sized.0 == self.sized.1 && self.read.0 == self.read.1
    }
}

/// Compares the files of a dataset with what is known about another one. Files of the other one are not read.
pub fn likeness(here: &Manifest, there: &FileMetadata) -> Likeness {
    let samples = (here.len() as u64, there.len() as u64);
    match comparable(samples) {
        true => Here::of(here).likeness(there),
        false => Likeness { samples, read: (0, 0), sized: (0, 0) },
    }
}

/// A dataset to be compared with several others: the sizes of its files are looked at once.
pub struct Here<'a> {
    manifest: &'a Manifest,
    /// Of samples that are there; `None` if the size is known only when one is read.
    sizes: Vec<(SampleId, Option<u64>)>,
    looked: usize,
}

impl<'a> Here<'a> {
    /// Looks at the sizes of some files.
    pub fn of(manifest: &'a Manifest) -> Here<'a> {
        let looked = spread(manifest.len(), SIZED);
        let size = |id: SampleId| manifest.source(id).stamp().ok().map(|stamp| (id, stamp.bytes));
        let sizes = looked.iter().filter_map(|&row| size(SampleId(row as u32))).collect();
        Here { manifest, sizes, looked: looked.len() }
    }

    /// Compares it with what is known about another dataset.
    pub fn likeness(&self, there: &FileMetadata) -> Likeness {
        let samples = (self.manifest.len() as u64, there.len() as u64);
        if !comparable(samples) {
            return Likeness { samples, read: (0, 0), sized: (0, 0) };
        }
        let sizes: BTreeSet<u64> = there.dimensions.iter().map(|size| size.bytes).collect();
        let fits = |size: &Option<u64>| size.is_none_or(|size| sizes.contains(&size));
        let sized: Vec<SampleId> =
            self.sizes.iter().filter(|(_, size)| fits(size)).map(|(id, _)| *id).collect();
        // A table may name files that were missing at both places.
        let absent = there.hashes.iter().filter(|hash| **hash == ContentHash::default()).count();
        let looked = self.looked - absent.min(self.looked - self.sizes.len());
        let counted = (looked as u64, sized.len() as u64);
        // Nothing that is read could make them the same.
        if sized.len() * 2 < looked {
            return Likeness { samples, read: (0, 0), sized: counted };
        }
        let hashes = contents(there);
        let read = spread(sized.len(), READ);
        let known = |at: &&usize| {
            let bytes = self.manifest.source(sized[**at]).read();
            bytes.is_ok_and(|bytes| hashes.contains(&ContentHash::of(&bytes)))
        };
        let same = read.iter().filter(known).count() as u64;
        Likeness { samples, read: (read.len() as u64, same), sized: counted }
    }
}

/// Compares two datasets by what is known about both, without reading a file.
pub fn known_likeness(here: &FileMetadata, there: &FileMetadata) -> Likeness {
    let samples = (here.len() as u64, there.len() as u64);
    if !comparable(samples) {
        return Likeness { samples, read: (0, 0), sized: (0, 0) };
    }
    let hashes = contents(there);
    let looked = spread(here.len(), SIZED);
    let same = looked.iter().filter(|row| hashes.contains(&here.hashes[**row])).count();
    let counted = (looked.len() as u64, same as u64);
    Likeness { samples, read: counted, sized: counted }
}

/// Whether datasets of these sizes can be the same one with changes.
pub(super) fn comparable((here, there): (u64, u64)) -> bool {
    here.min(there) > 0 && here.min(there) * 2 >= here.max(there)
}

/// All contents of files that could be read.
fn contents(file_metadata: &FileMetadata) -> BTreeSet<&ContentHash> {
    file_metadata.hashes.iter().filter(|hash| **hash != ContentHash::default()).collect()
}

/// At most `most` numbers below `count`, evenly spread.
fn spread(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|number| number * count / most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::NewSample;
    use chaffinch_plugin::Dimensions;
    use chaffinch_protocol::sample::Split;
    use std::fs;
    use std::path::Path;

    /// Files of these contents, and what a scan would know about them.
    fn dataset(folder: &Path, contents: &[&str]) -> (Manifest, FileMetadata) {
        fs::create_dir_all(folder).unwrap();
        let mut known = FileMetadata::default();
        let names = (0..contents.len()).map(|number| format!("{number}.jpg"));
        let rows: Vec<NewSample> =
            names.map(|name| NewSample { path: name.into(), label: None, split: Split::None }).collect();
        for (text, row) in contents.iter().zip(&rows) {
            fs::write(folder.join(&row.path), text).unwrap();
        }
        known.hashes =
            contents.iter().map(|text| ContentHash::of(text.as_bytes())).collect::<Vec<_>>().into();
        known.dimensions = contents
            .iter()
            .map(|text| Dimensions { width: 1, height: 1, bytes: text.len() as u64 })
            .collect();
        (Manifest::new(folder, rows), known)
    }

    #[test]
    fn files_that_were_always_missing_make_no_difference() {
        let temp = tempfile::tempdir().unwrap();
        let (_, mut known) = dataset(&temp.path().join("a"), &["one", "two", "three"]);
        let (_, facts) = dataset(&temp.path().join("c"), &["", "two", "three"]);
        known.hashes = vec![ContentHash::default(), facts.hashes[1], facts.hashes[2]].into();
        known.dimensions = [0, 3, 5]
            .into_iter()
            .map(|bytes| Dimensions { width: u32::from(bytes > 0), height: 1, bytes })
            .collect();
        let (here, _) = dataset(&temp.path().join("b"), &["one", "two", "three"]);
        fs::remove_file(temp.path().join("b/0.jpg")).unwrap();
        assert!(likeness(&here, &known).is_whole(), "{:?}", likeness(&here, &known));
    }

    #[test]
    fn contents_decide_and_not_names_or_sizes() {
        let temp = tempfile::tempdir().unwrap();
        let (_, known) = dataset(&temp.path().join("a"), &["one", "two", "three", "seven"]);
        for (number, (contents, same, whole)) in [
            (vec!["seven", "three", "two", "one"], true, true),
            (vec!["seven", "three", "two", "new one"], true, false),
            (vec!["one", "two", "three", "seven", "eight"], true, false),
            (vec!["eno", "owt", "eerht", "neves"], false, false),
            (vec!["one"], false, false),
        ]
        .into_iter()
        .enumerate()
        {
            let (here, facts) = dataset(&temp.path().join(number.to_string()), &contents);
            let found = [likeness(&here, &known), known_likeness(&facts, &known)];
            assert_eq!(found.map(|one| one.is_same()), [same; 2], "{contents:?}: {found:?}");
            assert_eq!(
                found.map(|one| one.is_same() && one.is_whole()),
                [whole; 2],
                "{contents:?}: {found:?}"
            );
        }
    }
}
