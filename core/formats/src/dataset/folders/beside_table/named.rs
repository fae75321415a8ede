//! Which pictures of a dataset the records of a table name.

use super::{BesideTable, Record};
use crate::dataset::path_spellings::Spelling;
use crate::ends::{Ends, Place};
use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

/// What a record names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// This picture, by its path as it is written or in this other spelling.
    At(usize, Option<Spelling>),
    /// The only picture whose path ends like one from elsewhere.
    ByEnd(usize),
    /// One from elsewhere, whose end several pictures have.
    Several,
    /// Nothing that is there.
    Nothing,
}

impl Named {
    /// The picture.
    pub(crate) fn picture(self) -> Option<usize> {
        match self {
            Named::At(picture, _) | Named::ByEnd(picture) => Some(picture),
            Named::Several | Named::Nothing => None,
        }
    }
}

impl BesideTable {
    /// The pictures of all records of a table in `folder`. `find` looks for a path relative to the dataset; `all` are the
    /// pictures below the folder with their paths. Paths from elsewhere, which begin at the root of another computer or with a
    /// folder that is not here, are matched by the longest common end.
    pub(crate) fn named<'p>(
        &self,
        folder: &Path,
        find: impl Fn(&Path) -> Option<usize>,
        all: impl FnOnce() -> Vec<(usize, &'p Path)>,
    ) -> Vec<Named> {
        let direct = |record: &Record| {
            let places = self.spelled_places(folder, record);
            let found = places.iter().find_map(|(spelling, place)| Some((find(place)?, *spelling)));
            found.map_or(Named::Nothing, |(picture, spelling)| Named::At(picture, spelling))
        };
        let mut named: Vec<Named> = self.records.iter().map(direct).collect();
        if self.is_annotations() || !named.contains(&Named::Nothing) {
            return named;
        }
        let all = all();
        let tops: HashSet<&OsStr> =
            all.iter().filter_map(|(_, path)| path.strip_prefix(folder).ok()?.iter().next()).collect();
        let lost: Vec<(usize, Vec<u8>)> = (named.iter().enumerate())
            .filter(|(_, one)| **one == Named::Nothing)
            .filter_map(|(at, _)| Some((at, self.written_path(&self.records[at])?)))
            .filter(|(_, path)| is_from_elsewhere(path, &tops))
            .map(|(at, path)| (at, path.as_os_str().as_bytes().to_vec()))
            .collect();
        if lost.is_empty() {
            return named;
        }
        let taken: BTreeSet<usize> = named.iter().filter_map(|one| one.picture()).collect();
        let ends = Ends::new(all.iter().map(|(_, path)| path.as_os_str().as_bytes()));
        let names: Vec<&[u8]> = lost.iter().map(|(_, name)| name.as_slice()).collect();
        for (&(at, _), place) in lost.iter().zip(ends.places(&names, taken.len())) {
            named[at] = match place.row().map(|row| all[row as usize].0) {
                // What a record names as it is, no other one means.
                Some(picture) if taken.contains(&picture) => Named::Nothing,
                Some(picture) => Named::ByEnd(picture),
                None if place == Place::Several => Named::Several,
                None => Named::Nothing,
            };
        }
        named
    }
}

/// Whether a path begins where nothing of the dataset is.
fn is_from_elsewhere(path: &Path, tops: &HashSet<&OsStr>) -> bool {
    let text = path.to_string_lossy();
    // Those of Windows, and addresses.
    if text.contains(":\\") || text.contains(":/") || text.starts_with('\\') {
        return true;
    }
    let mut parts = path.components().filter(|part| *part != Component::CurDir);
    match (parts.next(), parts.next()) {
        (Some(Component::RootDir), _) => true,
        (Some(Component::Normal(first)), Some(_)) => !tops.contains(first),
        (Some(Component::Normal(first)), None) => {
            let first = first.as_bytes().split(|byte| *byte == b'\\').collect::<Vec<_>>();
            first.len() > 1 && !tops.contains(OsStr::from_bytes(first[0]))
        }
        _ => false,
    }
}
