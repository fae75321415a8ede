//! Two ways to take rows for samples, of which what stands beside the rows may tell the right one.

use super::{SideColumn, number};
use crate::headings::{is_id, is_label, is_label_of_names, same};
use crate::row_splits::RowSplits;
use crate::text::as_whole;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::{LabelId, SampleId, Split};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Which of two ways is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    First,
    Second,
    /// It is not known.
    ForNeither,
}

/// Of two counts of rows that speak for one way only, how clear it is which way is right: six rows of six, or 16 of 20, are.
pub(crate) fn clearly(first: usize, second: usize) -> Speaks {
    let clear = first.abs_diff(second).pow(2) >= 6 * (first + second).max(1);
    match (clear, first > second) {
        (true, true) => Speaks::First,
        (true, false) => Speaks::Second,
        (false, _) => Speaks::ForNeither,
    }
}

/// Compares what columns say of each row with what the dataset says of the samples that it is about in one way and in the other:
/// labels, splits, and columns that both have.
pub(super) fn speaks(side: &[SideColumn], ways: [&[Option<SampleId>]; 2], manifest: &Manifest) -> Speaks {
    let (mut first, mut second) = (0, 0);
    for column in side.iter().filter(|column| column.cells.len() == ways[0].len()) {
        let Some(agree) = agreements(column, ways, manifest) else { continue };
        for (one, other) in agree[0].iter().zip(&agree[1]) {
            first += usize::from(*one && !*other);
            second += usize::from(*other && !*one);
        }
    }
    clearly(first, second)
}

/// For each way, in which rows a column agrees with the dataset; `None` if nothing in the dataset can be compared with it.
fn agreements(
    column: &SideColumn,
    ways: [&[Option<SampleId>]; 2],
    manifest: &Manifest,
) -> Option<[Vec<bool>; 2]> {
    let cells = || column.cells.iter().map(|cell| bare(cell));
    let compare = |same: &dyn Fn(&str, SampleId) -> bool| {
        ways.map(|way| cells().zip(way).map(|(cell, id)| id.is_some_and(|id| same(&cell, id))).collect())
    };
    if is_label_of_names(&column.heading) {
        let named = column.cells.iter().filter(|cell| manifest.find_class(cell.trim()).is_some()).count();
        if named * 2 > column.cells.len() {
            return Some(compare(&|cell, id| {
                manifest.find_class(cell).is_some_and(|class| manifest.label(id) == Some(class))
            }));
        }
        let is_number = |cell: &String| as_whole(cell.trim()).parse::<u64>().is_ok();
        let numbers = is_label(&column.heading) && column.cells.iter().all(is_number);
        return numbers.then(|| ways.map(|way| by_number(&column.cells, way, manifest)));
    }
    let own = manifest.extra().iter().find(|own| same(&own.name, &column.heading));
    if let Some(own) = own.filter(|_| !is_id(&column.heading)) {
        return Some(compare(&|cell, id| {
            !cell.is_empty() && own.values.get(id.index()).is_some_and(|value| bare(value) == cell)
        }));
    }
    if own.is_some() {
        return None;
    }
    let splits = RowSplits::beside(std::slice::from_ref(column), column.cells.len())?;
    let is_same = |(row, id): (usize, &Option<SampleId>)| {
        let split = splits.of(row);
        split != Split::None && id.is_some_and(|id| split == manifest.split(id))
    };
    Some(ways.map(|way| way.iter().enumerate().map(is_same).collect()))
}

/// In which rows the class is the one that their number meets most often.
fn by_number(cells: &[String], way: &[Option<SampleId>], manifest: &Manifest) -> Vec<bool> {
    let label = |id: &Option<SampleId>| manifest.label((*id)?);
    let mut met: BTreeMap<&str, BTreeMap<LabelId, usize>> = BTreeMap::new();
    for (cell, id) in cells.iter().zip(way) {
        if let Some(label) = label(id) {
            *met.entry(as_whole(cell.trim())).or_default().entry(label).or_default() += 1;
        }
    }
    let most: BTreeMap<&str, LabelId> = met
        .into_iter()
        .filter_map(|(cell, labels)| {
            let most = labels.iter().max_by_key(|(label, count)| (**count, std::cmp::Reverse(**label)));
            Some((cell, *most?.0))
        })
        .collect();
    let agrees = |(cell, id): (&String, &Option<SampleId>)| {
        let class = most.get(as_whole(cell.trim()));
        class.is_some_and(|class| label(id) == Some(*class))
    };
    cells.iter().zip(way).map(agrees).collect()
}

/// A cell as it is compared: 7.0 is how a column with a gap spells 7.
fn bare(cell: &str) -> Cow<'_, str> {
    let cell = cell.trim();
    match number(cell) {
        Some(number) => Cow::Owned(number.to_string()),
        None => Cow::Borrowed(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_say_nothing() {
        assert_eq!((clearly(5, 0), clearly(0, 0)), (Speaks::ForNeither, Speaks::ForNeither));
        assert_eq!((clearly(6, 0), clearly(0, 6)), (Speaks::First, Speaks::Second));
        assert_eq!((clearly(60, 45), clearly(300, 200)), (Speaks::ForNeither, Speaks::First));
    }
}
