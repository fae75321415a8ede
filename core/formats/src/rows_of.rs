//! Which row of another program's file belongs to each sample: by its path, its stem or the hash of its content.

use crate::joiner::Joiner;
use crate::row_splits::RowSplits;
use crate::spelled_otherwise;
use chaffinch_compute::content::ContentHash;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::{Error, Result};
use chaffinch_protocol::display::{counted, excerpt, excerpt_path};
use chaffinch_protocol::sample::{SampleId, Split};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Which row of a file belongs to each sample.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RowsOf {
    /// The row of each sample, `None` if it has none.
    pub(crate) rows: Vec<Option<u32>>,
    /// Rows that belong to no sample, and what the first of them names.
    pub(crate) unmatched: (u64, String),
    /// The rows about each path that several samples have and several rows name, where the file is in another order than the
    /// samples: that they are these samples' in turn is a guess.
    pub(crate) in_turn: Vec<Vec<u32>>,
}

impl RowsOf {
    /// Row by row, without names.
    pub(crate) fn in_order(count: usize) -> RowsOf {
        RowsOf { rows: (0..count as u32).map(Some).collect(), ..RowsOf::default() }
    }

    /// Rows by the samples that the values of a column of the dataset say; `ids` are these values. `path` is the file.
    ///
    /// # Errors
    /// When two rows mean the same sample.
    pub(crate) fn joined(
        path: &Path,
        ids: &[String],
        samples: &[Option<SampleId>],
        manifest: &Manifest,
    ) -> Result<RowsOf> {
        let mut found = RowsOf { rows: vec![None; manifest.len()], ..RowsOf::default() };
        for ((row, name), sample) in (0_u32..).zip(ids).zip(samples) {
            match sample {
                Some(id) => enter(path, (row, name), *id, &mut found.rows, ids, manifest)?,
                None => found.leave(name),
            }
        }
        Ok(found)
    }

    /// Counts a row that belongs to no sample.
    fn leave(&mut self, name: &str) {
        if self.unmatched.0 == 0 {
            self.unmatched.1 = excerpt(name).into_owned();
        }
        self.unmatched.0 += 1;
    }

    /// Rows by what they name: a path, or one that ends with it; a stem; or a content hash, which may be that of several
    /// samples. Samples of one path have the rows that name it in turn, or all of them the only one. A row that says its split
    /// means no sample of another. `path` is the file.
    ///
    /// # Errors
    /// When a name means several samples, two rows mean the same, or no row means any.
    pub(crate) fn named(
        path: &Path,
        (ids, splits): (&[String], Option<&RowSplits>),
        manifest: &Manifest,
        file_metadata: &FileMetadata,
    ) -> Result<RowsOf> {
        let may_mean = |row: u32, name: &str, id: &SampleId| {
            splits.is_none_or(|splits| splits.may_mean(row as usize, name.as_bytes(), *id, manifest))
        };
        let in_split = |row: u32, name: &str| match splits.map_or("", |splits| splits.word(row as usize)) {
            "" => name.to_owned(),
            word => format!("{name} in {}", excerpt(word)),
        };
        let mut joiner = Joiner::new(manifest);
        joiner.learn(ids.iter().map(|name| name.as_bytes()));
        let mut rows: Vec<Option<u32>> = vec![None; manifest.len()];
        let repeated = joiner.repeated();
        let (mut bound, mut rest) = (RowsOf::default(), Vec::new());
        for (row, name) in (0_u32..).zip(ids) {
            let Some(id) = joiner.exact(name.as_bytes()) else {
                rest.push((row, name));
                continue;
            };
            let mut same = repeated.get(&id).map_or(vec![id], Vec::clone);
            same.retain(|id| may_mean(row, name, id));
            let is_of =
                |id: &SampleId| splits.is_some_and(|splits| splits.of(row as usize) == manifest.split(*id));
            if same.iter().any(is_of) {
                same.retain(is_of);
            }
            let free = same.iter().copied().find(|id| rows[id.index()].is_none());
            match free.or(same.last().copied()) {
                Some(id) => enter(path, (row, name), id, &mut rows, ids, manifest)?,
                None => bound.leave(&in_split(row, name)),
            }
        }
        let exact = rows.clone();
        let mut contents = None;
        for (row, name) in rest {
            let found = loosely(&mut joiner, name, file_metadata, &mut contents);
            let is_found = matches!(&found, Loose::Several(found) if !found.is_empty());
            let found = match found {
                Loose::Several(found) => {
                    Loose::Several(found.into_iter().filter(|id| may_mean(row, name, id)).collect())
                }
                found => found,
            };
            let found = match found {
                Loose::Several(found) if found.len() > 1 => {
                    let (a, b) =
                        (excerpt_path(manifest.path(found[0])), excerpt_path(manifest.path(found[1])));
                    let message = format!(
                        "row {} names '{}', which may be {a} or {b}; write more of the path",
                        row + 1,
                        excerpt(name)
                    );
                    return Err(Error::format(path, message));
                }
                Loose::Several(found) | Loose::Content(found) => found,
            };
            // What is named in full is not meant by a part of another name.
            let free: Vec<SampleId> =
                found.into_iter().filter(|id| exact.get(id.index()).is_some_and(Option::is_none)).collect();
            if free.is_empty() {
                bound.leave(&if is_found { in_split(row, name) } else { name.clone() });
            }
            for id in free {
                enter(path, (row, name), id, &mut rows, ids, manifest)?;
            }
        }
        let mut in_order: Vec<(u32, u32)> =
            (0..).zip(&rows).filter_map(|(sample, row)| Some(((*row)?, sample))).collect();
        in_order.sort_unstable();
        if !in_order.is_sorted_by_key(|(_, sample)| *sample) {
            let about = |samples: &Vec<SampleId>| samples.iter().filter_map(|id| rows[id.index()]).collect();
            // Those that are told apart by their splits are no guess.
            let are_told = |samples: &&Vec<SampleId>| {
                let all: HashSet<Split> = samples.iter().map(|id| manifest.split(*id)).collect();
                splits.is_some() && all.len() == samples.len()
            };
            let guessed = repeated.values().filter(|samples| !are_told(samples)).map(about);
            bound.in_turn = guessed.filter(|rows: &Vec<u32>| rows.len() > 1).collect();
        }
        for samples in repeated.values() {
            let Some(known) = samples.iter().filter_map(|id| rows[id.index()]).next_back() else { continue };
            let name = &ids[known as usize];
            for id in samples.iter().filter(|id| may_mean(known, name, id)) {
                rows[id.index()].get_or_insert(known);
            }
        }
        if rows.iter().all(Option::is_none) && !manifest.is_empty() {
            let example = excerpt_path(manifest.path(SampleId(0)));
            let message = format!(
                "none of its {} names a sample{} by path, stem or content hash: the first is '{}', and the dataset has {example}{}",
                counted(ids.len() as u64, "row", "rows"),
                if splits.is_some() { " of the split that it says" } else { "" },
                ids.first().map(|name| excerpt(&in_split(0, name)).into_owned()).unwrap_or_default(),
                spelled_otherwise::hint(ids.iter().map(String::as_str), manifest).unwrap_or_default()
            );
            return Err(Error::format(path, message));
        }
        Ok(RowsOf { rows, ..bound })
    }
}

/// Samples that are meant by a name that is not a path in full.
enum Loose {
    /// One is meant.
    Several(Vec<SampleId>),
    /// All are.
    Content(Vec<SampleId>),
}

fn loosely(
    joiner: &mut Joiner<'_>,
    name: &str,
    file_metadata: &FileMetadata,
    contents: &mut Option<HashMap<ContentHash, Vec<SampleId>>>,
) -> Loose {
    if let Ok(hash) = name.to_lowercase().parse::<ContentHash>() {
        let contents = contents.get_or_insert_with(|| by_content(file_metadata));
        if let Some(found) = contents.get(&hash) {
            return Loose::Content(found.clone());
        }
    }
    Loose::Several(joiner.loosely(name))
}

/// The samples of each content.
pub(crate) fn by_content(file_metadata: &FileMetadata) -> HashMap<ContentHash, Vec<SampleId>> {
    let mut all: HashMap<ContentHash, Vec<SampleId>> = HashMap::new();
    for (row, hash) in (0..).zip(file_metadata.hashes.iter()) {
        all.entry(*hash).or_default().push(SampleId(row));
    }
    all
}

/// Gives a sample its row.
fn enter(
    path: &Path,
    (row, name): (u32, &str),
    id: SampleId,
    rows: &mut [Option<u32>],
    ids: &[String],
    manifest: &Manifest,
) -> Result<()> {
    let Some(before) = rows[id.index()].replace(row) else { return Ok(()) };
    let other = ids.get(before as usize).map(|name| excerpt(name)).unwrap_or_default();
    let names =
        if other == name { format!("'{other}'") } else { format!("'{other}' and '{}'", excerpt(name)) };
    let message = format!(
        "rows {} and {} are both about {} ({names}); leave one of them out",
        before + 1,
        row + 1,
        excerpt_path(manifest.path(id))
    );
    Err(Error::format(path, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::manifest::NewSample;

    fn dataset(paths: &[&str]) -> (Manifest, FileMetadata) {
        let sample = |path: &&str| NewSample { path: path.into(), label: None, split: Default::default() };
        let manifest = Manifest::new("/data", paths.iter().map(sample));
        let hashes = paths.iter().map(|path| ContentHash::of(path.rsplit('/').next().unwrap().as_bytes()));
        (manifest, FileMetadata { hashes: hashes.collect(), ..FileMetadata::default() })
    }

    fn rows(paths: &[&str], ids: &[&str]) -> std::result::Result<(Vec<Option<u32>>, u64), String> {
        let (manifest, file_metadata) = dataset(paths);
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let found = RowsOf::named(Path::new("ids.txt"), (&ids, None), &manifest, &file_metadata);
        found.map(|found| (found.rows, found.unmatched.0)).map_err(|error| error.to_string())
    }

    #[test]
    fn rows_are_bound_by_path_stem_and_content() {
        let paths = ["train/cat/1.jpg", "train/dog/2.jpg", "train/dog/x.1.png"];
        let all = |a, b, c| Ok((vec![a, b, c], 0));
        for ids in [
            ["train/dog/2.jpg", "train/cat/1.jpg", "train/dog/x.1.png"],
            ["/data/train/dog/2.jpg", "./train/cat/1.jpg", "/elsewhere/train/dog/x.1.png"],
            ["2.jpg", "cat/1.jpg", "dog\\x.1.png"],
            ["2", "1", "x.1"],
            ["dog/2", "file:///data/train/cat/1.jpg", "x.1.png"],
        ] {
            assert_eq!(rows(&paths, &ids), all(Some(1), Some(0), Some(2)), "{ids:?}");
        }
        let hashes = ["2.jpg", "1.jpg", "x.1.png"].map(|name| ContentHash::of(name.as_bytes()).to_string());
        assert_eq!(rows(&paths, &hashes.each_ref().map(String::as_str)), all(Some(1), Some(0), Some(2)));
        // The content of two samples is one.
        let hash = ContentHash::of(b"1.jpg").to_string();
        assert_eq!(rows(&["a/1.jpg", "b/1.jpg"], &[&hash]), Ok((vec![Some(0); 2], 0)));
    }

    #[test]
    fn a_short_path_is_not_taken_for_what_stands_below_a_folder() {
        let paths = ["1.jpg", "2.jpg", "ant/1.jpg", "ant/3.jpg"];
        let error = rows(&paths, &["crops/1.jpg"]).unwrap_err();
        assert!(error.contains("row 1 names 'crops/1.jpg', which may be 1.jpg or ant/1.jpg"), "{error}");
        let second = Ok((vec![None, None, None, Some(1)], 1));
        assert_eq!(rows(&paths, &["ANT/1", "ant/3"]), second, "stems beside one in full");
        let all = Ok((vec![Some(0), None, None, Some(1)], 0));
        assert_eq!(rows(&paths, &["/old/1.jpg", "/old/ant/3.jpg"]), all, "the same stands before others");
        assert_eq!(rows(&paths, &["/data/1.jpg", "ant/3.jpg"]), all, "the root");
        assert_eq!(rows(&paths, &["1", "ant/3"]), Ok((vec![Some(0), None, None, Some(1)], 0)), "in full");
        assert_eq!(rows(&paths, &["1", "3"]), Ok((vec![Some(0), None, None, None], 1)), "3 is gone");
    }

    #[test]
    fn samples_of_one_path_have_their_rows_in_turn() {
        let paths = ["a.png", "b.png", "a.png"];
        assert_eq!(rows(&paths, &["a.png", "a.png", "b.png"]), Ok((vec![Some(0), Some(2), Some(1)], 0)));
        assert_eq!(rows(&paths, &["b.png", "a.png"]), Ok((vec![Some(1), Some(0), Some(1)], 0)));
        assert!(rows(&paths, &["a.png"; 3]).unwrap_err().contains("are both about a.png"));
        // Which is a guess where the file is in another order.
        let in_turn = |ids: &[&str]| {
            let (manifest, file_metadata) = dataset(&paths);
            let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            RowsOf::named(Path::new("ids.txt"), (&ids, None), &manifest, &file_metadata).unwrap().in_turn
        };
        assert_eq!(in_turn(&["a.png", "b.png", "a.png"]), Vec::<Vec<u32>>::new());
        assert_eq!(in_turn(&["b.png", "a.png"]), Vec::<Vec<u32>>::new());
        assert_eq!(in_turn(&["b.png", "a.png", "a.png"]), [[1, 2]]);
    }

    #[test]
    fn what_matches_nothing_is_counted_and_what_is_ambiguous_refused() {
        let paths = ["cat/1.jpg", "dog/1.jpg", "dog/2.jpg"];
        assert_eq!(rows(&paths, &["2.jpg", "bird/1.jpg", "2.png"]), Ok((vec![None, None, Some(0)], 2)));
        // A path in full is meant before a part of one.
        assert_eq!(rows(&["1.jpg", "2.jpg"], &["x/1.jpg", "1.jpg"]), Ok((vec![Some(1), None], 1)));
        let error = |ids: &[&str]| rows(&paths, ids).unwrap_err();
        assert!(error(&["1"]).contains("row 1 names '1', which may be cat/1.jpg or dog/1.jpg"));
        assert!(error(&["2", "dog/2.jpg", "dog/2.jpg"]).contains("rows 2 and 3 are both about dog/2.jpg"));
        assert!(error(&["x", "y"]).contains("none of its 2 rows names a sample"));
    }
}
