//! Rows that may mean other samples than they seem to: numbers that may be places or names of files.

use super::evidence::{Speaks, speaks};
use super::judged::Judged;
use super::{RowNames, Samples, SideColumn, column, columns};
use crate::headings::names_files;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{counted, excerpt, excerpt_path};
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;

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
