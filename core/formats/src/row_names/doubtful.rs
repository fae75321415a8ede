//! Rows that may mean other samples than they seem to: numbers that may be places or names of files, names of another split.

use super::evidence::{Speaks, speaks};
use super::judged::Judged;
use super::{RowNames, Samples, SideColumn, column, columns};
use crate::dataset::split_named;
use crate::ends::{reversed, said_of};
use crate::headings::names_files;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{counted, excerpt, excerpt_path, listed};
use chaffinch_protocol::sample::{SampleId, Split};
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Folders before paths to name in a sentence.
const ROOTS: usize = 3;
/// Share of the numbers in a column that must be names of pictures, in per cent, for the column to name them.
const SURE: usize = 90;

/// The samples by numbers that are whole names of files, where they are others than `rows`, which have these numbers, and what
/// stands beside the numbers says that names are meant.
///
/// # Errors
/// When nothing says which samples are meant, with what to do.
pub(crate) fn rows_or_files(
    side: &[SideColumn],
    numbers: &[u64],
    rows: &[Option<SampleId>],
    manifest: &Manifest,
) -> Result<Option<Samples>, String> {
    let stem = |id| manifest.path(id).file_stem()?.to_str()?.parse::<u64>().ok();
    let mut known: BTreeMap<u64, SampleId> = BTreeMap::new();
    for id in manifest.ids() {
        let Some(number) = stem(id) else { return Ok(None) };
        if known.insert(number, id).is_some() {
            return Ok(None);
        }
    }
    let files: Option<Samples> = numbers.iter().map(|number| known.get(number).copied().map(Some)).collect();
    let Some(files) = files else { return Ok(None) };
    let Some((row, [one, two])) = columns::differ(&files, rows) else { return Ok(None) };
    match speaks(side, [&files, rows], manifest) {
        Speaks::First => Ok(Some(files)),
        Speaks::Second => Ok(None),
        Speaks::ForNeither => Err(format!(
            "its numbers of rows are names of pictures as well, which are in another order in the dataset: row {} is {} by its \
             number as a name and {} by it as a place, and no labels beside it say which is meant",
            row + 1,
            excerpt_path(manifest.path(one)),
            excerpt_path(manifest.path(two)),
        )),
    }
}

/// What there is to say of rows that name samples of several splits by ends of their paths which say no split: a row of a picture
/// that is gone is taken for one of the same name in another split.
pub(crate) fn of_several_splits<'n>(
    rows: impl Iterator<Item = (&'n str, SampleId)>,
    manifest: &Manifest,
) -> Option<String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut first = None;
    for (name, id) in rows {
        let split = manifest.split(id);
        let (name, path) = (name.replace('\\', "/"), manifest.path(id));
        let name = Path::new(&name);
        let folders = |path: &Path| {
            path.parent().is_some_and(|parent| {
                parent.iter().filter_map(|folder| split_named(folder.to_str()?)).any(|said| said == split)
            })
        };
        // Where the split is no folder, the whole path says no more.
        if split != Split::None && folders(path) && !folders(name) {
            *counts.entry(split.name()).or_default() += 1;
            first.get_or_insert_with(|| (name.display().to_string(), id));
        }
    }
    let (name, id) = first.filter(|_| counts.len() > 1)?;
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(split, count)| format!("{} for pictures of {split}", counted(count, "row", "rows")))
        .collect();
    Some(format!(
        "no split is said, and {} were taken: '{}' for {}; if some are of the other split, write whole paths",
        listed(&counts, "and"),
        excerpt(&name),
        excerpt_path(manifest.path(id))
    ))
}

/// What there is to say of rows whose names have different folders before paths of the dataset: those of one of them may be other
/// pictures.
pub(crate) fn of_several_roots<'n>(
    rows: impl Iterator<Item = (&'n str, SampleId)>,
    manifest: &Manifest,
) -> Option<String> {
    let root = reversed(manifest.root().as_os_str().as_bytes());
    let mut counts: BTreeMap<Vec<u8>, (u64, &str)> = BTreeMap::new();
    for (name, id) in rows {
        let (key, path) = (reversed(name.as_bytes()), reversed(manifest.path(id).as_os_str().as_bytes()));
        let Some(mut before) = key.strip_prefix(path.as_slice()) else { continue };
        let is_said = said_of(manifest, id);
        while let Some(folder) = before.split(|byte| *byte == 0).next().filter(|folder| is_said(folder)) {
            before = &before[folder.len() + 1..];
        }
        if root.starts_with(before) || before.starts_with(&root) {
            before = &[];
        }
        counts.entry(before.to_vec()).or_insert((0, name)).0 += 1;
    }
    if counts.len() < 2 {
        return None;
    }
    let mut counts: Vec<(u64, &str)> = counts.into_values().collect();
    counts.sort_by(|one, other| other.cmp(one));
    let more = counts.len() > ROOTS;
    let mut words: Vec<String> = counts
        .iter()
        .take(ROOTS)
        .map(|(count, name)| format!("{} such as '{}'", counted(*count, "row", "rows"), excerpt(name)))
        .collect();
    words.extend(more.then(|| "others".to_owned()));
    Some(format!(
        "paths of the dataset were found behind different folders, in {}; leave out rows of other pictures",
        listed(&words, "and")
    ))
}

/// Refuses numbers of which many are no pictures: that the others are may be chance.
///
/// # Errors
/// When there are such, with what to do.
pub(super) fn refuse_half(by: &SideColumn, judged: &Judged, option: &str) -> Result<(), String> {
    let found = judged.by_path.iter().flatten().count();
    if !judged.numbers || names_files(&by.heading) || found * 100 >= by.cells.len() * SURE {
        return Ok(());
    }
    let first = by.cells.iter().zip(&judged.by_path).find(|(_, id)| id.is_none());
    Err(format!(
        "{found} of {} in {} are names of pictures, and others are none, such as {}, so it is unknown whether they name pictures; \
         call the column path if they do, leave it out if not, or pass {option}",
        counted(by.cells.len() as u64, "number", "numbers"),
        column(&by.heading),
        first.map(|(cell, _)| excerpt(cell)).unwrap_or_default()
    ))
}

/// Rows that are numbered by a column, as what stands beside it says.
pub(super) fn numbered(by: &SideColumn, rows: &[Option<SampleId>], manifest: &Manifest) -> RowNames {
    let said = format!(
        "are numbered by {}, whose numbers are names of files as well: what stands beside them goes with the order of the dataset",
        column(&by.heading)
    );
    let in_order = rows.len() == manifest.len() && manifest.ids().zip(rows).all(|(id, row)| *row == Some(id));
    match in_order {
        true => RowNames { said: Some(said), ..RowNames::default() },
        false => RowNames {
            ids: Some(by.cells.clone()),
            samples: Some(rows.to_vec()),
            said: Some(said),
            splits: None,
        },
    }
}
