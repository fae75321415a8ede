//! What the cells of a column are: names of samples, numbers of rows, or something else.

use super::{Samples, SideColumn};
use crate::headings::is_id_or_number;
use crate::joiner::Joiner;
use crate::text::as_whole;
use chaffinch_compute::content::ContentHash;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::SampleId;
use std::collections::HashSet;

/// Rows of which none names a sample before a column is taken to name none.
const TRIED: usize = 1000;

/// What the cells of a column are.
pub(super) struct Judged {
    /// Whether most of them name a sample each.
    pub(super) names: bool,
    /// How many different ones do.
    pub(super) matched: usize,
    /// Whether they name the samples in the order of the dataset.
    pub(super) in_order: bool,
    /// Whether they are whole numbers.
    pub(super) numbers: bool,
    /// Whether they count up from 0 or 1.
    pub(super) counts: bool,
    /// Whether they are numbers of samples in the order of the dataset, counted from 0 or 1, in whatever order.
    pub(super) of_rows: bool,
    /// Whether all of them are different.
    pub(super) differ: bool,
    /// The only sample that each names.
    pub(super) by_path: Samples,
    /// Whether they name them by numbers that are written otherwise in the names of the files.
    pub(super) by_file_number: bool,
    /// The sample of each as the number of a row, if all are such and differ.
    pub(super) by_number: Option<Samples>,
}

impl Judged {
    pub(super) fn of(column: &SideColumn, joiner: &mut Joiner<'_>, manifest: &Manifest) -> Judged {
        let cells = &column.cells;
        joiner.learn(cells.iter().map(|cell| cell.as_bytes()));
        let numbers: Option<Vec<u64>> = cells.iter().map(|cell| number(cell)).collect();
        let counts = numbers.as_deref().is_some_and(count_up);
        let mut different: HashSet<&str> = HashSet::new();
        let (mut matched, mut in_order) = (0, cells.len() == manifest.len());
        let mut by_path: Samples = vec![None; cells.len()];
        for (row, cell) in (0_u32..).zip(cells) {
            let first = different.insert(cell);
            if row as usize >= TRIED && matched == 0 {
                in_order = false;
                continue;
            }
            let name = if numbers.is_some() { as_whole(cell) } else { cell.as_str() };
            let is_hash = name.to_lowercase().parse::<ContentHash>().is_ok();
            let found = if is_hash || name.is_empty() { Vec::new() } else { joiner.loosely(name) };
            matched += usize::from(first && (is_hash || !found.is_empty()));
            in_order &= found == [SampleId(row)];
            if let [only] = found[..] {
                by_path[row as usize] = Some(only);
            }
        }
        let half = cells.len().div_ceil(2);
        let differ = different.len() == cells.len() && cells.len() > 1;
        let by_number = numbers.as_deref().and_then(|numbers| rows(numbers, manifest.len()));
        let mut by_file_number = false;
        if let (Some(numbers), 0) = (numbers.as_deref(), matched)
            && is_id_or_number(&column.heading)
            && differ
            && let Some(found) = file_numbers(numbers, joiner, by_number.is_some())
        {
            matched = found.iter().flatten().count();
            in_order = cells.len() == manifest.len()
                && (0_u32..).zip(&found).all(|(row, id)| *id == Some(SampleId(row)));
            (by_path, by_file_number) = (found, true);
        }
        Judged {
            by_file_number,
            names: matched > 0 && matched >= half,
            matched,
            in_order,
            by_path,
            by_number,
            numbers: numbers.is_some(),
            of_rows: numbers
                .is_some_and(|numbers| numbers.iter().all(|&number| number <= manifest.len() as u64)),
            counts,
            differ,
        }
    }
}

/// The samples that numbers mean by those in the names of files, if most do; all, if they may be those of rows instead.
fn file_numbers(numbers: &[u64], joiner: &Joiner<'_>, of_rows: bool) -> Option<Samples> {
    let known = joiner.by_file_number()?;
    let samples: Samples = numbers.iter().map(|number| known.get(number).copied()).collect();
    let found = samples.iter().flatten().count();
    (found == numbers.len() || (!of_rows && found * 2 >= numbers.len())).then_some(samples)
}

/// The samples by different numbers of rows, counted from 0, or from 1 where all rows are there.
fn rows(numbers: &[u64], samples: usize) -> Option<Samples> {
    let (least, most) = (numbers.iter().min()?, numbers.iter().max()?);
    let from_one = *least == 1 && *most == samples as u64 && numbers.len() == samples;
    let mut seen = vec![false; samples];
    let mut once = |number: &u64| {
        let row = number - u64::from(from_one);
        let place = seen.get_mut(usize::try_from(row).ok()?)?;
        (!std::mem::replace(place, true)).then_some(Some(SampleId(row as u32)))
    };
    numbers.iter().map(&mut once).collect()
}

/// Whether numbers count up from 0 or 1.
fn count_up(numbers: &[u64]) -> bool {
    let start = numbers.first().copied().unwrap_or(0);
    start <= 1 && (start..).zip(numbers).all(|(expected, number)| expected == *number)
}

/// Whether cells are numbers that count up from 0 or 1.
pub(crate) fn counts_up(cells: &[String]) -> bool {
    let numbers: Option<Vec<u64>> = cells.iter().map(|cell| number(cell)).collect();
    numbers.as_deref().is_some_and(count_up)
}

/// A whole number as programs write it: 007 is a name, 7.0 is how a column with a gap spells 7.
pub(super) fn number(cell: &str) -> Option<u64> {
    let cell = as_whole(cell);
    cell.parse::<u64>().ok().filter(|number| number.to_string() == cell)
}
