//! Decisions about contents that are no longer where they were: the file was changed, or is gone.

use super::binding::{is_one_of_several, named_twice};
use super::entry::ORPHAN;
use super::{Decisions, Journal};
use crate::Result;
use crate::file_metadata::FileMetadata;
use crate::manifest::Manifest;
use crate::same_path::RowMark;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// What is now at the path of a content that was decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Now {
    /// Other content.
    Changed,
    /// Nothing.
    Gone,
    /// The same content in a table that names it in other rows than then, or in other places, of which several have it: which one
    /// was meant is not certain.
    Unclear,
}

/// A decision that applies to no sample of the dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Where its sample was, as in the dataset.
    pub path: PathBuf,
    /// The decision.
    pub choice: Choice,
    /// What is there now.
    pub now: Now,
}

impl Journal {
    /// Decisions about contents that are not in the dataset it is bound to, by path. They apply to nothing until their
    /// contents are back. A path that was decided about anew is left out, and so are removed samples that are gone, and what
    /// others decided while that is left out.
    pub fn changed(&self) -> Vec<Changed> {
        let Some(manifest) = &self.manifest else { return Vec::new() };
        let mut last: BTreeMap<(&[u8], Option<&RowMark>), Lost<'_>> = BTreeMap::new();
        let others = if self.blind { &[][..] } else { &self.others };
        // One's own decision takes precedence.
        for book in others.iter().chain([&self.own]) {
            for &index in &book.applied {
                let entry = &book.entries[index as usize];
                let twice = named_twice(book.keys(entry));
                for (position, key) in book.keys(entry).enumerate() {
                    if entry.rows.get(position) == Some(&ORPHAN)
                        && let Some(choice) = entry.choice_at(position)
                    {
                        let one_of_several = is_one_of_several(key, &twice);
                        let lost = Lost { choice, hash: key.hash, one_of_several, twins: &key.apart().twins };
                        last.insert((&key.path, key.row()), lost);
                    }
                }
            }
        }
        last.retain(|_, lost| lost.choice.is_some());
        if last.is_empty() {
            return Vec::new();
        }
        let twins = last.values().flat_map(|lost| lost.twins.iter().map(AsRef::as_ref));
        let wanted: HashSet<&[u8]> = last.keys().map(|(path, _)| *path).chain(twins).collect();
        let path = |row: u32| manifest.path(SampleId(row)).as_os_str().as_bytes();
        let found: Vec<u32> =
            (0..manifest.len() as u32).into_par_iter().filter(|&row| wanted.contains(path(row))).collect();
        let mut rows: HashMap<&[u8], Vec<u32>> = HashMap::new();
        for row in found {
            rows.entry(path(row)).or_default().push(row);
        }
        let hashes: HashSet<ContentHash> = last.values().filter_map(|lost| lost.hash).collect();
        let known = self.file_metadata.as_deref().map_or(&[][..], |known| &known.hashes);
        let here: HashSet<ContentHash> = known.iter().filter(|hash| hashes.contains(hash)).copied().collect();
        let changed = last.into_iter().filter_map(|((path, mark), lost)| {
            // One of several copies, none of which is where it was: which of them it is now is not certain.
            let elsewhere = lost.hash.is_some_and(|hash| here.contains(&hash))
                && !lost.twins.iter().any(|twin| rows.contains_key(twin.as_ref()));
            let rows = rows.get(path).map_or(&[][..], Vec::as_slice);
            let now = match rows {
                [] if elsewhere => Now::Unclear,
                rows => self.now_at(rows, mark, &lost),
            };
            let choice = lost.choice?;
            let alike: Vec<u32> = match mark {
                Some(mark) => rows.iter().copied().filter(|row| is_alike(manifest, *row, mark)).collect(),
                None => rows.to_vec(),
            };
            if alike.iter().any(|&row| self.decision(SampleId(row)).is_some()) {
                return None;
            }
            let done = match (&choice, mark) {
                (Choice::Remove, _) if now == Now::Gone => true,
                // Where the table was written as it was decided, its row is another one now.
                (Choice::Remove, Some(mark)) => alike.len() < mark.alike as usize,
                (Choice::Relabel(label), Some(mark)) if alike.len() < mark.alike as usize => {
                    rows.iter().any(|&row| manifest.label_name(SampleId(row)) == label)
                }
                _ => false,
            };
            let path = OsString::from_vec(path.to_vec()).into();
            (!done).then_some(Changed { path, choice, now })
        });
        changed.collect()
    }

    /// What is now in the rows of a path that was decided about.
    fn now_at(&self, rows: &[u32], mark: Option<&RowMark>, lost: &Lost<'_>) -> Now {
        let known = self.file_metadata.as_deref();
        let same = |&row: &u32| match (lost.hash, known) {
            (Some(hash), Some(known)) => [hash, ContentHash::default()].contains(&known.hashes[row as usize]),
            _ => true,
        };
        match rows {
            [] => Now::Gone,
            _ if !rows.iter().any(same) => Now::Changed,
            [_] if mark.is_none() && !lost.one_of_several => Now::Changed,
            _ => Now::Unclear,
        }
    }
}

/// What was decided about a sample that is not found.
struct Lost<'a> {
    choice: Option<Choice>,
    hash: Option<ContentHash>,
    one_of_several: bool,
    /// The paths of the other samples of its content then.
    twins: &'a [Box<[u8]>],
}

/// Whether a row has the label and the split of a mark.
fn is_alike(manifest: &Manifest, row: u32, mark: &RowMark) -> bool {
    let id = SampleId(row);
    manifest.label_as_written(id) == mark.label && manifest.split_as_written(id) == mark.split
}

/// Decided samples whose file no longer has the content that was scanned, in manifest order: a decision says nothing of
/// what is there now. Only files with another size or time are read. One that cannot be read counts as gone.
///
/// # Errors
/// When stopped.
pub fn changed_files(
    manifest: &Manifest,
    file_metadata: &FileMetadata,
    decisions: &Decisions,
    job: &Job<'_>,
) -> Result<Vec<(SampleId, Now)>> {
    let decided: Vec<SampleId> = decisions.iter().map(|(id, _)| id).collect();
    let now = |&id: &SampleId| match job.checkpoint() {
        Ok(()) => Some(Ok((id, now(manifest, file_metadata, id)?))),
        Err(stopped) => Some(Err(stopped.into())),
    };
    decided.par_iter().filter_map(now).collect()
}

fn now(manifest: &Manifest, file_metadata: &FileMetadata, id: SampleId) -> Option<Now> {
    let known = *file_metadata.hashes.get(id.index())?;
    // The scan could not read it either, so nothing is known of its content.
    if known == ContentHash::default() {
        return None;
    }
    let source = manifest.source(id);
    let read = || -> io::Result<bool> {
        let bytes = file_metadata.dimensions.get(id.index()).bytes;
        let untouched = source.stamp()?.is_same(bytes, file_metadata.modified[id.index()]);
        Ok(untouched || ContentHash::of(&source.read()?) == known)
    };
    match read() {
        Ok(true) => None,
        Ok(false) => Some(Now::Changed),
        Err(_) => Some(Now::Gone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::NewSample;
    use chaffinch_plugin::Dimensions;
    use chaffinch_protocol::sample::Split;
    use chaffinch_sources::Source;
    use std::fs;
    use std::sync::Arc;

    #[test]
    fn files_are_compared_with_what_was_scanned() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("data");
        fs::create_dir(&root).unwrap();
        let names = ["same", "touched", "changed", "gone", "undecided"];
        let sample = |name: &str| NewSample { path: name.into(), label: None, split: Split::None };
        let manifest = Arc::new(Manifest::new(&root, names.map(sample)));
        let mut file_metadata = FileMetadata::default();
        for name in names {
            fs::write(root.join(name), name).unwrap();
            let bytes = fs::metadata(root.join(name)).unwrap().len();
            let modified = Source::File(root.join(name)).stamp().unwrap().modified;
            file_metadata.dimensions.push(Dimensions { width: 1, height: 1, bytes });
            // As if it had been written again with what it had.
            file_metadata.modified.push(modified - i64::from(name == "touched"));
            file_metadata.hashes.push(ContentHash::of(name.as_bytes()));
        }
        for name in ["changed", "undecided"] {
            fs::write(root.join(name), "another content").unwrap();
        }
        fs::remove_file(root.join("gone")).unwrap();
        let mut journal = Journal::open(&temp.path().join("decisions"), "anna").unwrap();
        journal.bind(&manifest, Some(&Arc::new(file_metadata.clone())));
        journal.decide(&[0, 1, 2, 3].map(SampleId), Some(Choice::Keep.into())).unwrap();
        let decisions = journal.snapshot();
        let found = changed_files(&manifest, &file_metadata, &decisions, &Job::unwatched()).unwrap();
        assert_eq!(found, [(SampleId(2), Now::Changed), (SampleId(3), Now::Gone)]);
        let rest = decisions.without(found.into_iter().map(|(id, _)| id));
        assert_eq!(rest.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [0, 1]);
        assert_eq!((rest.decided(), rest.by_choice()), (2, [2, 0, 0, 0]));
    }
}
