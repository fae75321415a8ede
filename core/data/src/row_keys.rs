//! Keys that tell samples apart in lists and maps: a table may have several rows of one path, and a path alone does not say
//! which of them is meant.

use crate::manifest::Manifest;
use chaffinch_protocol::sample::SampleId;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;

/// The paths of a dataset's samples, of which those that several rows have end in the number of the row among these, counted
/// from 1: `1.jpg#2`.
#[derive(Debug)]
pub struct RowKeys<'m> {
    manifest: &'m Manifest,
    /// Paths that look like such keys.
    alike: HashSet<&'m [u8]>,
}

impl<'m> RowKeys<'m> {
    /// The keys of a dataset.
    pub fn of(manifest: &'m Manifest) -> RowKeys<'m> {
        let path = |id| manifest.path(id).as_os_str().as_bytes();
        let repeated = manifest.ids().any(|id| !manifest.rows_of_path(id).is_empty());
        let alike = manifest.ids().map(path).filter(|path| repeated && path.contains(&b'#'));
        RowKeys { manifest, alike: alike.collect() }
    }

    /// The key of a sample.
    pub fn key(&self, id: SampleId) -> Cow<'m, [u8]> {
        let path = self.manifest.path(id).as_os_str().as_bytes();
        let rows = self.manifest.rows_of_path(id);
        let Some(place) = rows.iter().position(|&row| row == id.0) else { return Cow::Borrowed(path) };
        let key = |marks: usize, place: usize| {
            [path, "#".repeat(marks).as_bytes(), (place + 1).to_string().as_bytes()].concat()
        };
        // No other picture is called like that.
        let free =
            |marks: &usize| (0..rows.len()).all(|place| !self.alike.contains(key(*marks, place).as_slice()));
        Cow::Owned(key((1..).find(free).unwrap_or(1), place))
    }

    /// The samples that share their paths, by their keys.
    pub fn repeated(&self) -> HashMap<Vec<u8>, SampleId> {
        let shared = self.manifest.ids().filter(|&id| !self.manifest.rows_of_path(id).is_empty());
        shared.map(|id| (self.key(id).into_owned(), id)).collect()
    }
}

/// What a dataset's author calls the samples: by a column of ids that tells all of them apart, or else by their keys.
#[derive(Debug)]
pub struct ImageIds<'m> {
    keys: RowKeys<'m>,
    own: Option<&'m [String]>,
}

impl<'m> ImageIds<'m> {
    /// The ids of a dataset.
    pub fn of(manifest: &'m Manifest) -> ImageIds<'m> {
        let named = |name: &str| manifest.extra().iter().find(|column| column.name == name);
        let own = named("image_id").or_else(|| named("id")).map(|column| column.values.as_slice());
        let different = |values: &&[String]| {
            let mut seen: HashSet<&str> = HashSet::with_capacity(values.len());
            values.iter().all(|value| !value.trim().is_empty() && seen.insert(value))
        };
        ImageIds { keys: RowKeys::of(manifest), own: own.filter(different) }
    }

    /// The id of a sample, as it is written.
    pub fn id(&self, id: SampleId) -> Cow<'m, [u8]> {
        match self.own {
            Some(own) => Cow::Borrowed(own[id.index()].as_bytes()),
            None => self.keys.key(id),
        }
    }

    /// The keys of samples that share their paths, by their ids.
    pub fn repeated(&self) -> HashMap<Vec<u8>, (SampleId, Vec<u8>)> {
        let all = self.keys.repeated().into_iter();
        all.map(|(key, id)| (self.id(id).into_owned(), (id, key))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::NewSample;
    use chaffinch_protocol::sample::Split;

    #[test]
    fn keys_are_different_whatever_files_are_called() {
        let sample = |path: &str| NewSample { path: path.into(), label: None, split: Split::None };
        let paths = ["a.jpg", "a.jpg", "b.jpg", "b.jpg#2", "b.jpg", "c.jpg"];
        let manifest = Manifest::new("/d", paths.map(sample));
        let keys = RowKeys::of(&manifest);
        let all: Vec<String> =
            manifest.ids().map(|id| String::from_utf8(keys.key(id).into_owned()).unwrap()).collect();
        assert_eq!(all, ["a.jpg#1", "a.jpg#2", "b.jpg##1", "b.jpg#2", "b.jpg##2", "c.jpg"]);
        assert_eq!(keys.repeated().len(), 4);
        assert_eq!(keys.repeated()[b"b.jpg##2".as_slice()], SampleId(4));
    }
}
