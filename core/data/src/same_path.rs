//! Rows that have one path: a table may name a picture more than once, and what tells these rows apart.

use crate::manifest::Manifest;
use chaffinch_protocol::sample::SampleId;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::ffi::OsStrExt;

/// The rows of each path that several have.
#[derive(Debug, Default)]
pub(crate) struct SamePath {
    /// Rows that share their path, ascending, each with the place of its group.
    members: Vec<(u32, u32)>,
    groups: Vec<Vec<u32>>,
}

impl SamePath {
    pub(crate) fn of(manifest: &Manifest) -> SamePath {
        let path = |row: u32| manifest.path(SampleId(row)).as_os_str().as_bytes();
        let count = manifest.len() as u32;
        // The paths of a folder are sorted, and each is there once.
        if (1..count).into_par_iter().all(|row| path(row - 1) < path(row)) {
            return SamePath::default();
        }
        // Eight bytes of a hash suffice to find nearly all that are there once.
        let short = |row: u32| {
            let mut hasher = DefaultHasher::new();
            path(row).hash(&mut hasher);
            hasher.finish()
        };
        let mut all: Vec<u64> = (0..count).into_par_iter().map(short).collect();
        all.par_sort_unstable();
        let mut twice: Vec<u64> =
            all.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        drop(all);
        twice.dedup();
        if twice.is_empty() {
            return SamePath::default();
        }
        let shared = |row: &u32| twice.binary_search(&short(*row)).is_ok();
        let rows: Vec<u32> = (0..count).into_par_iter().filter(shared).collect();
        let mut places: HashMap<&[u8], usize> = HashMap::new();
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for row in rows {
            let place = *places.entry(path(row)).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Vec::new());
            }
            groups[place].push(row);
        }
        groups.retain(|rows| rows.len() > 1);
        let of = |(place, rows): (u32, &Vec<u32>)| rows.iter().map(|&row| (row, place)).collect::<Vec<_>>();
        let mut members: Vec<(u32, u32)> = (0..).zip(&groups).flat_map(of).collect();
        members.sort_unstable();
        SamePath { members, groups }
    }

    /// The rows with the path of this one, ascending; empty if no other has it.
    pub(crate) fn rows(&self, row: u32) -> &[u32] {
        let found = self.members.binary_search_by_key(&row, |(member, _)| *member);
        found.map_or(&[], |at| &self.groups[self.members[at].1 as usize])
    }
}

/// What tells a row from the others of its path. Two rows are only told apart by their order if a table says the same in
/// both.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowMark {
    /// Its label, as written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) label: String,
    /// Its split, as written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) split: String,
    /// A hash of its other columns.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    rest: String,
    /// How many rows before it say the same.
    #[serde(default)]
    nth: u32,
    /// How many rows say the same, itself included.
    of: u32,
    /// How many rows have its label and its split, itself included.
    pub(crate) alike: u32,
}

impl RowMark {
    /// The marks of all rows of a path, in order.
    pub(crate) fn of(manifest: &Manifest, rows: &[u32]) -> Vec<RowMark> {
        let mut extra: Vec<_> = manifest.extra().iter().collect();
        extra.sort_by(|a, b| a.name.cmp(&b.name));
        let rest = |row: u32| {
            let mut hasher = blake3::Hasher::new();
            let mut said = false;
            for column in &extra {
                let value = &column.values[row as usize];
                if value.is_empty() {
                    continue;
                }
                said = true;
                for text in [&column.name, value] {
                    hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
                }
            }
            if said { hasher.finalize().to_hex()[..16].to_owned() } else { String::new() }
        };
        let says = |&row: &u32| {
            let id = SampleId(row);
            let (label, split) = (manifest.label_as_written(id), manifest.split_as_written(id));
            (label.to_owned(), split.to_owned(), rest(row))
        };
        let said: Vec<(String, String, String)> = rows.iter().map(says).collect();
        let mut alike: HashMap<(&str, &str), u32> = HashMap::new();
        let mut same: HashMap<&(String, String, String), u32> = HashMap::new();
        let mut nth = Vec::with_capacity(said.len());
        for one in &said {
            *alike.entry((&one.0, &one.1)).or_default() += 1;
            let same = same.entry(one).or_default();
            nth.push(*same);
            *same += 1;
        }
        let mark = |(one, nth): (&(String, String, String), u32)| RowMark {
            label: one.0.clone(),
            split: one.1.clone(),
            rest: one.2.clone(),
            nth,
            of: same[one],
            alike: alike[&(one.0.as_str(), one.1.as_str())],
        };
        said.iter().zip(nth).map(mark).collect()
    }
}

/// The marks of rows that share their path, each path read once.
#[derive(Default)]
pub(crate) struct Marks {
    known: HashMap<u32, Vec<RowMark>>,
}

impl Marks {
    /// The mark of a sample; `None` if it is the only one of its path.
    pub(crate) fn of(&mut self, manifest: &Manifest, id: SampleId) -> Option<RowMark> {
        let rows = manifest.rows_of_path(id);
        let marks = self.known.entry(*rows.first()?).or_insert_with(|| RowMark::of(manifest, rows));
        rows.binary_search(&id.0).ok().and_then(|at| marks.get(at).cloned())
    }
}

/// Finds the rows of a path by their marks.
pub(crate) struct Marked {
    only: Option<u32>,
    marks: HashMap<RowMark, u32>,
    /// Rows whose label and split no other row of the path has.
    lone: HashMap<(String, String), u32>,
}

impl Marked {
    /// The rows that have the path of this one.
    pub(crate) fn of(manifest: &Manifest, id: SampleId) -> Marked {
        let own = [id.0];
        let rows = manifest.rows_of_path(id);
        let (only, rows) = if rows.is_empty() { (Some(id.0), &own[..]) } else { (None, rows) };
        let marks = RowMark::of(manifest, rows);
        let lone = marks.iter().zip(rows).filter(|(mark, _)| mark.alike == 1);
        let lone = lone.map(|(mark, &row)| ((mark.label.clone(), mark.split.clone()), row)).collect();
        let marks = marks.into_iter().map(|mark| RowMark { alike: 0, ..mark });
        Marked { only, marks: marks.zip(rows.iter().copied()).collect(), lone }
    }

    /// The row of a mark, if it is certain. It is the one that says the same, of several the one in the same place as long
    /// as they are as many as they were. One with other columns than then is the same if nothing else was and is alike. A
    /// row that needed no mark is the only one of its path, or could be any.
    pub(crate) fn find(&self, mark: Option<&RowMark>) -> Option<u32> {
        let Some(mark) = mark else { return self.only };
        let same = self.marks.get(&RowMark { alike: 0, ..mark.clone() }).copied();
        let lone = || self.lone.get(&(mark.label.clone(), mark.split.clone())).copied();
        same.or_else(|| if mark.alike == 1 { lone() } else { None })
    }
}
