//! Which of the samples of one content each decision is about.

use super::entry::Place;
use crate::manifest::Manifest;
use crate::packing::Source;
use chaffinch_protocol::sample::SampleId;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Pairs of lost decisions and new paths of one content that are compared.
const COMPARED: usize = 1 << 12;

/// The other samples with the same content when an entry was written.
#[derive(Clone, Default)]
pub(super) struct Copies<'k> {
    pub(super) count: u32,
    pub(super) paths: HashSet<&'k [u8]>,
}

/// Keys that are the same sample.
pub(super) struct Class<'k> {
    /// One of them.
    pub(super) root: u32,
    /// All known paths, the latest one first.
    pub(super) paths: Vec<&'k [u8]>,
    pub(super) copies: Copies<'k>,
    /// Its class and split, if it was one of several copies.
    pub(super) place: Option<&'k Place>,
}

impl<'k> Class<'k> {
    /// Its latest path.
    fn path(&self) -> &'k Path {
        Path::new(OsStr::from_bytes(self.paths[0]))
    }
}

/// Distributes the rows of one content among the classes that refer to it: first by known path, latest path first. Then
/// a sample whose path is gone may have been renamed to one that is new, or be packed otherwise: the one with the same file
/// name and most of the path in common, then the only one in its class and split, then the one with most of the path in
/// common. If several would do as well, none is taken: the decision could be about either. Only rows of a file of many
/// pictures are taken in order where nothing that is said of them differs. A file that had the same
/// content when the entry was written is another sample and never takes over the decision; and if there are fewer such
/// files than then, one of them is gone, and it may be this one. Classes without a row are orphans.
pub(super) fn claim(classes: &[&Class<'_>], rows: &[u32], manifest: &Manifest) -> Vec<(u32, u32)> {
    let path = |row: u32| manifest.path(SampleId(row));
    let bytes = |row: u32| path(row).as_os_str().as_bytes();
    // The first of each path stands for all.
    let paths: HashMap<&[u8], u32> = rows.iter().rev().map(|&row| (bytes(row), row)).collect();
    let mut taken: HashSet<u32> = HashSet::new();
    let mut claimed: BTreeMap<u32, u32> = BTreeMap::new();
    for latest_only in [true, false] {
        for Class { root, paths: known, .. } in classes {
            let known = if latest_only { &known[..1] } else { &known[..] };
            let row =
                known.iter().filter_map(|path| paths.get(path).copied()).find(|row| !taken.contains(row));
            if let Some(row) = row.filter(|_| !claimed.contains_key(root)) {
                taken.insert(row);
                claimed.insert(*root, row);
            }
        }
    }
    let mut waiting: Vec<&Class<'_>> = classes
        .iter()
        .copied()
        .filter(|class| !claimed.contains_key(&class.root) && rows.len() > class.copies.count as usize)
        .collect();
    let may_be = |class: &Class<'_>, row: u32| !class.copies.paths.contains(bytes(row));
    let mut free: Vec<u32> = rows
        .iter()
        .copied()
        .filter(|row| !taken.contains(row) && paths.get(bytes(*row)) == Some(row))
        .collect();
    let same_name = |class: &Class<'_>, row: u32| same_name(class.path(), path(row));
    let same_place = |class: &Class<'_>, row: u32| class.place?.likeness(&Place::of(manifest, SampleId(row)));
    let any_name = |class: &Class<'_>, row: u32| Some(in_common(class.path(), path(row)));
    let ways: [&dyn Fn(&Class<'_>, u32) -> Option<usize>; 3] = [&same_name, &same_place, &any_name];
    for likeness in ways {
        let likes = |class: &Class<'_>, row: u32| may_be(class, row).then(|| likeness(class, row))?;
        if waiting.len() * free.len() > COMPARED {
            break;
        }
        // As long as a class and a row are each other's best, and nothing else is as good.
        while let Some((class, row)) = mutual(&waiting, &free, likes) {
            claimed.insert(waiting[class].root, free[row]);
            waiting.remove(class);
            free.remove(row);
        }
    }
    let fits =
        |class: &&Class<'_>| free.iter().all(|&row| may_be(class, row) && same_place(class, row).is_some());
    if waiting.len() <= free.len() && waiting.iter().all(fits) && are_interchangeable(rows, manifest) {
        waiting.sort_by_key(|class| class.paths[0]);
        claimed.extend(waiting.iter().zip(&free).map(|(class, &row)| (class.root, row)));
    }
    claimed.into_iter().collect()
}

/// Whether rows of one content are in files of many pictures, and what is said of them is the same: which of them a decision
/// is about makes no difference then.
fn are_interchangeable(rows: &[u32], manifest: &Manifest) -> bool {
    let same = |a: u32, b: u32| {
        let said = |row: u32| Place::of(manifest, SampleId(row));
        let columns = manifest.extra();
        said(a) == said(b)
            && columns.iter().all(|column| column.values[a as usize] == column.values[b as usize])
    };
    let packed = |row: &u32| !matches!(manifest.source(SampleId(*row)), Source::File(_));
    rows.iter().all(packed) && rows.windows(2).all(|pair| same(pair[0], pair[1]))
}

/// How much of a path is the same, for files that kept their name.
fn same_name(old: &Path, new: &Path) -> Option<usize> {
    (old.file_name() == new.file_name()).then(|| in_common(old, new))
}

/// The components that two paths have in common at their beginning and at their end.
fn in_common(old: &Path, new: &Path) -> usize {
    let front = old.components().zip(new.components()).take_while(|(a, b)| a == b).count();
    let back = old.components().rev().zip(new.components().rev()).take_while(|(a, b)| a == b).count();
    front + back
}

/// The places of a class and a row that are each other's only best match.
fn mutual(
    classes: &[&Class<'_>],
    rows: &[u32],
    likes: impl Fn(&Class<'_>, u32) -> Option<usize>,
) -> Option<(usize, usize)> {
    let only_best = |scores: Vec<Option<usize>>| {
        let best = scores.iter().flatten().max().copied()?;
        let mut places = scores.iter().enumerate().filter(|(_, score)| **score == Some(best));
        places.next().map(|(place, _)| place).filter(|_| places.next().is_none())
    };
    (0..classes.len()).find_map(|class| {
        let row = only_best(rows.iter().map(|&row| likes(classes[class], row)).collect())?;
        let back = only_best(classes.iter().map(|other| likes(other, rows[row])).collect())?;
        (back == class).then_some((class, row))
    })
}
