//! Columns of texts under any heading that may name the samples, where rows would be taken in order otherwise.

use super::{Samples, SideColumn, column};
use crate::headings::{is_label_of_names, is_of_pictures, may_be_id, names_others, names_samples};
use crate::joiner::Joiner;
use crate::rows_of::by_content;
use chaffinch_compute::content::ContentHash;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{excerpt, excerpt_path};
use chaffinch_protocol::sample::SampleId;
use std::collections::{HashMap, HashSet};

/// Share of the cells, in per cent, that must name samples, and different ones, for a column to name them.
const SURE: usize = 90;
/// The same for rows in another order to be likely.
const HALF: usize = 50;
/// Rows from which it means something that all texts differ.
const ROWS: usize = 5;
/// Rows of which none names a sample before a column is taken to name none.
const TRIED: usize = 1000;

/// Finds the samples that the texts in columns of a table name.
pub(crate) struct Texts<'a> {
    manifest: &'a Manifest,
    file_metadata: &'a FileMetadata,
    /// What names are looked up in, made for the first column that may have some.
    known: Option<(Joiner<'a>, HashMap<ContentHash, Vec<SampleId>>)>,
}

impl<'a> Texts<'a> {
    pub(crate) fn new(manifest: &'a Manifest, file_metadata: &'a FileMetadata) -> Texts<'a> {
        Texts { manifest, file_metadata, known: None }
    }

    /// The sample of each text in a column, where nearly all name one of their own by path, stem or content hash.
    pub(crate) fn samples(&mut self, cells: &[String]) -> Option<Samples> {
        self.shared(cells, SURE)
    }

    /// What is wrong with taking rows in order where a column names samples in half of the rows or more, and others than those in
    /// this order. What to do is for the caller to say.
    pub(crate) fn of_another_order(&mut self, side: &[SideColumn]) -> Option<String> {
        let others = |beside: &SideColumn| {
            let found = self.shared(&beside.cells, HALF)?;
            let other = (0_u32..).zip(&found).find(|(row, id)| id.is_some_and(|id| id.0 != *row));
            let (row, id) = other.and_then(|(row, id)| Some((row, (*id)?)))?;
            Some(format!(
                "{} names samples, not all of them once, and row {} is {} by it, so it is unknown which samples the rows are",
                column(&beside.heading),
                row + 1,
                excerpt_path(self.manifest.path(id))
            ))
        };
        let own =
            |beside: &&SideColumn| !is_label_of_names(&beside.heading) && !names_others(&beside.heading);
        side.iter().filter(own).find_map(others)
    }

    /// The sample of each text in a column, where so many of a hundred name different ones.
    fn shared(&mut self, cells: &[String], share: usize) -> Option<Samples> {
        let different: HashSet<&str> = cells.iter().map(String::as_str).collect();
        if cells.len() < 2 || different.len() * 100 < cells.len() * share || mostly_numbers(cells) {
            return None;
        }
        let (joiner, contents) =
            self.known.get_or_insert_with(|| (Joiner::new(self.manifest), by_content(self.file_metadata)));
        let names: Vec<&str> = cells.iter().map(|cell| without_query(cell)).collect();
        joiner.learn(names.iter().map(|name| name.as_bytes()));
        let mut found: Samples = Vec::with_capacity(names.len());
        for name in names {
            if found.len() == TRIED && found.iter().all(Option::is_none) {
                return None;
            }
            let meant = match name.to_lowercase().parse::<ContentHash>() {
                Ok(hash) => contents.get(&hash).cloned().unwrap_or_default(),
                Err(_) if name.is_empty() => Vec::new(),
                Err(_) => joiner.loosely(name),
            };
            found.push(if let [only] = meant[..] { Some(only) } else { None });
        }
        let samples: HashSet<SampleId> = found.iter().flatten().copied().collect();
        (samples.len() * 100 >= cells.len() * share).then_some(found)
    }
}

/// What is wrong with taking rows in order where a column has another text in each of them that names no sample, or names of files that
/// several samples have, unless labels beside it are those of the samples in this order. What to do is for the caller to say.
pub(crate) fn unread_names(side: &[SideColumn], manifest: &Manifest) -> Option<String> {
    if side.iter().any(|column| proves(column, manifest)) {
        return None;
    }
    let may_name = |beside: &&SideColumn| {
        let cells = &beside.cells;
        let different: HashSet<&str> = cells.iter().map(|cell| cell.trim()).collect();
        cells.len() >= ROWS
            && (different.len() == cells.len() || names_samples(&beside.heading))
            && (may_be_id(&beside.heading)
                || is_of_pictures(&beside.heading)
                || cells.iter().all(|cell| is_file(cell)))
            && !cells.iter().any(|cell| cell.trim().is_empty())
            && !mostly_numbers(cells)
            && !cells.iter().all(|cell| manifest.find_class(cell.trim()).is_some())
    };
    let own = || side.iter().filter(|beside| !names_others(&beside.heading));
    if let Some(why) = own().find_map(|beside| of_several(beside, manifest)) {
        return Some(why);
    }
    let beside = own().find(may_name)?;
    Some(format!(
        "{} has another text in each row, such as '{}', which names no sample, so it is unknown which samples the rows are",
        column(&beside.heading),
        beside.cells.first().map(|cell| excerpt(cell)).unwrap_or_default()
    ))
}

/// What is wrong with taking rows in order where a column has the names of samples, of which several have the same.
fn of_several(beside: &SideColumn, manifest: &Manifest) -> Option<String> {
    let cells = &beside.cells;
    let may_name = cells.len() > 1
        && !is_label_of_names(&beside.heading)
        && !mostly_numbers(cells)
        && cells.iter().all(|cell| is_file(cell));
    if !may_name {
        return None;
    }
    let mut joiner = Joiner::new(manifest);
    joiner.learn(cells.iter().map(|cell| cell.as_bytes()));
    let found: Vec<Vec<SampleId>> =
        cells.iter().take(TRIED).map(|cell| joiner.loosely(without_query(cell.trim()))).collect();
    let some = found.iter().filter(|samples| !samples.is_empty()).count();
    let (row, [one, other]) = found.iter().enumerate().find_map(|(row, samples)| match samples[..] {
        [one, other, ..] => Some((row, [one, other])),
        _ => None,
    })?;
    (some * 100 >= found.len() * HALF).then(|| {
        format!(
            "{} names files that several samples have, such as '{}' ({} or {}), so it is unknown which samples the rows are: write \
             more of the paths",
            column(&beside.heading),
            excerpt(&cells[row]),
            excerpt_path(manifest.path(one)),
            excerpt_path(manifest.path(other))
        )
    })
}

/// Whether labels are nearly those of the samples in the order of the dataset, and of several classes.
pub(super) fn proves(column: &SideColumn, manifest: &Manifest) -> bool {
    if !is_label_of_names(&column.heading) || column.cells.len() != manifest.len() {
        return false;
    }
    let pairs = || column.cells.iter().map(|cell| manifest.find_class(cell.trim())).zip(manifest.ids());
    let agree = pairs().filter(|(said, id)| said.is_some() && *said == manifest.label(*id)).count();
    let classes: HashSet<_> = pairs().filter_map(|(said, _)| said).collect();
    classes.len() > 1 && agree * 100 >= column.cells.len() * SURE
}

/// Whether half of the cells or more are numbers, as some hexadecimal ids are. 0007 is a name.
fn mostly_numbers(cells: &[String]) -> bool {
    let is_padded = |cell: &str| matches!(cell.as_bytes(), [b'0', second, ..] if second.is_ascii_digit());
    let is_number = |cell: &str| cell.parse::<f64>().is_ok() && !is_padded(cell);
    let numbers = cells.iter().filter(|cell| is_number(cell.trim())).count();
    numbers > 0 && numbers * 2 >= cells.len()
}

/// Whether a text is written like a path, an address, the name of a picture or a content hash.
pub(crate) fn is_file(cell: &str) -> bool {
    let cell = without_query(cell.trim());
    let has_extension = cell.rsplit_once('.').is_some_and(|(_, last)| {
        (2..=5).contains(&last.len()) && last.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    let is_path = cell.contains('/') && !cell.contains(' ');
    has_extension || is_path || cell.to_lowercase().parse::<ContentHash>().is_ok()
}

/// An address without what is asked of its server.
fn without_query(name: &str) -> &str {
    match name.contains("://") {
        true => name.split(['?', '#']).next().unwrap_or(name),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::manifest::NewSample;
    use chaffinch_protocol::sample::Split;

    const PATHS: [&str; 6] =
        ["cat/c0.jpg", "cat/c1.jpg", "cat/c2.jpg", "dog/d0.jpg", "dog/d1.jpg", "dog/d2.jpg"];

    fn dataset() -> (Manifest, FileMetadata) {
        let label = |path: &str| path.split('/').next().map(str::to_owned);
        let sample = |path: &str| NewSample { path: path.into(), label: label(path), split: Split::None };
        let hashes = PATHS.iter().map(|path| ContentHash::of(path.as_bytes())).collect();
        (Manifest::new("/data", PATHS.map(sample)), FileMetadata { hashes, ..FileMetadata::default() })
    }

    #[test]
    fn texts_name_samples_by_path_stem_content_or_address() {
        let (manifest, files) = dataset();
        let ways: [&dyn Fn(&str) -> String; 4] = [
            &|path| path.to_owned(),
            &|path| path[4..6].to_owned(),
            &|path| ContentHash::of(path.as_bytes()).to_string(),
            &|path| format!("https://example.org/{path}?v=1"),
        ];
        for way in ways {
            let cells: Vec<String> = PATHS.iter().rev().map(|path| way(path)).collect();
            let wanted: Samples = (0..6).rev().map(|row| Some(SampleId(row))).collect();
            assert_eq!(Texts::new(&manifest, &files).samples(&cells), Some(wanted), "{cells:?}");
        }
        for other in [["x"; 6], ["cat/c0.jpg"; 6], PATHS.map(|path| &path[..3])] {
            assert_eq!(Texts::new(&manifest, &files).samples(&other.map(str::to_owned)), None, "{other:?}");
        }
    }

    #[test]
    fn names_that_several_samples_have_are_refused() {
        let label = |path: &str| path.split('/').next().map(str::to_owned);
        let sample = |path: &str| NewSample { path: path.into(), label: label(path), split: Split::None };
        let manifest =
            Manifest::new("/data", ["cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "dog/2.jpg"].map(sample));
        let side = |heading: &str, cells: [&str; 4]| SideColumn {
            heading: heading.to_owned(),
            cells: cells.map(str::to_owned).to_vec(),
        };
        let names = side("uid", ["2.jpg", "1.jpg", "1.jpg", "2.jpg"]);
        let why = unread_names(std::slice::from_ref(&names), &manifest).unwrap();
        assert!(
            why.contains(
                "'uid' names files that several samples have, such as '2.jpg' (cat/2.jpg or dog/2.jpg)"
            ),
            "{why}"
        );
        let labels = side("label", ["cat", "cat", "dog", "dog"]);
        assert_eq!(unread_names(&[names, labels], &manifest), None);
        for other in [
            side("nearest", ["2.jpg", "1.jpg", "1.jpg", "2.jpg"]),
            side("uid", ["7.jpg", "8.jpg", "7.jpg", "8.jpg"]),
            side("uid", ["1", "2", "1", "2"]),
        ] {
            assert_eq!(unread_names(std::slice::from_ref(&other), &manifest), None, "{other:?}");
        }
    }

    #[test]
    fn texts_that_name_nothing_are_refused_unless_labels_prove_the_order() {
        let manifest = dataset().0;
        let column = |heading: &str, cells: [&str; 6]| SideColumn {
            heading: heading.to_owned(),
            cells: cells.map(str::to_owned).to_vec(),
        };
        let names = column("bild", ["a.png", "b.png", "c.png", "d.png", "e.png", "f.png"]);
        let ids = column("uid", ["u5", "u3", "u1", "u2", "u0", "u4"]);
        let padded = column("frame", ["0005", "0003", "0001", "0002", "0000", "0004"]);
        let photos = column("photo", ["P5", "P3", "P1", "P2", "P0", "P4"]);
        let again = column("key", ["005", "003", "001", "005", "003", "001"]);
        for side in [&names, &ids, &padded, &photos, &again] {
            let why = unread_names(std::slice::from_ref(side), &manifest).unwrap();
            assert!(why.contains(&side.heading) && why.contains(&side.cells[0]), "{why}");
            let labels = column("label", ["cat", "cat", "cat", "dog", "dog", "dog"]);
            assert_eq!(unread_names(&[side.clone(), labels], &manifest), None);
        }
        let words = column("text", ["one is", "two is", "three is", "four is", "five is", "six is"]);
        let scores = column("uid", ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]);
        assert_eq!(unread_names(&[words, scores], &manifest), None);
    }
}
