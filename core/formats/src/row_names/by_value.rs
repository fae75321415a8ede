//! Rows without names that are taken in the order of the dataset: a column that both tables have, whose values repeat, shows
//! whether they are in another one.

use super::by_label::{by_chance, shares};
use super::{SideColumn, called, number};
use crate::headings::{is_id, is_label, same};
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::{SampleId, Split};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Share of the cells that must be values of the dataset's column, in per cent, for it to say the same of the samples.
const KNOWN: usize = 90;
/// What is dealt out to samples anew for each model: rows in order may have other values under these headings.
const ASSIGNED: [&str; 8] = ["fold", "split", "cluster", "group", "batch", "epoch", "rank", "seed"];

/// What is wrong with taking rows for these samples by their places alone.
pub(super) struct Contradiction {
    /// Without what to do.
    pub(super) said: String,
    /// Whether the values may have been assigned anew.
    pub(super) assigned: bool,
}

/// Finds a column that both have and that agrees in less than half of the rows, and as seldom as by chance: the first one that
/// is not assigned anew, if there is such.
pub(super) fn contradicted(
    side: &[SideColumn],
    samples: &[SampleId],
    manifest: &Manifest,
) -> Option<Contradiction> {
    let found = side.iter().filter_map(|column| {
        let (agree, rows) = agreement(column, samples, manifest)?;
        let heading = column.heading.trim().to_ascii_lowercase();
        let assigned =
            ASSIGNED.iter().any(|word| heading.split(['_', '-', ' ', '.']).any(|own| own == *word));
        let said = format!(
            "the values of the column {} are those of the dataset in only {agree} of {}",
            called(&column.heading),
            counted(rows as u64, "row", "rows")
        );
        Some(Contradiction { said, assigned })
    });
    found.min_by_key(|found| found.assigned)
}

/// In how many of how many rows the values are the same, if that is as good as by chance.
fn agreement(column: &SideColumn, samples: &[SampleId], manifest: &Manifest) -> Option<(usize, usize)> {
    // Ids tell one sample from another, and labels are compared as classes.
    if column.cells.len() != samples.len() || is_id(&column.heading) || is_label(&column.heading) {
        return None;
    }
    let own = manifest.extra().iter().find(|own| same(&own.name, &column.heading));
    let (own, cells): (Vec<Cow<'_, str>>, Vec<Cow<'_, str>>) = match own {
        Some(own) => {
            let own = samples.iter().filter_map(|id| own.values.get(id.index()));
            (own.map(|cell| bare(cell)).collect(), column.cells.iter().map(|cell| bare(cell)).collect())
        }
        None if column.heading.trim().eq_ignore_ascii_case("split") => {
            let own = samples.iter().map(|id| split(manifest.split(*id)));
            (own.collect(), column.cells.iter().map(|cell| split_or_bare(cell)).collect())
        }
        None => return None,
    };
    let known: BTreeSet<&Cow<'_, str>> = own.iter().collect();
    let found = cells.iter().filter(|cell| known.contains(cell)).count();
    if own.len() != cells.len() || found * 100 < cells.len() * KNOWN {
        return None;
    }
    let pairs: Vec<_> =
        cells.iter().zip(&own).filter(|(one, two)| !one.is_empty() && !two.is_empty()).collect();
    let (one, other) = (shares(pairs.iter().map(|p| p.0)), shares(pairs.iter().map(|p| p.1)));
    if one.len() < 2 || other.len() < 2 {
        return None;
    }
    let agree = pairs.iter().filter(|(one, two)| one == two).count();
    let chance = one.iter().filter_map(|(value, share)| Some(share * other.get(value)?)).sum();
    by_chance(agree, pairs.len(), chance).filter(|(agree, rows)| agree * 2 < *rows)
}

/// A cell as it is compared: 7.0 is how a column with a gap spells 7.
fn bare(cell: &str) -> Cow<'_, str> {
    let cell = cell.trim();
    match number(cell) {
        Some(number) => Cow::Owned(number.to_string()),
        None => Cow::Borrowed(cell),
    }
}

/// A cell of a column of splits as it is compared.
fn split_or_bare(cell: &str) -> Cow<'_, str> {
    match Split::from_name(cell.trim()) {
        Some(found) => split(found),
        None => bare(cell),
    }
}

/// A split as it is compared; empty if there is none.
fn split(split: Split) -> Cow<'static, str> {
    Cow::Borrowed(match split {
        Split::None => "",
        Split::Train => "train",
        Split::Validation => "validation",
        Split::Test => "test",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::manifest::{ExtraColumn, NewSample};

    const ROWS: usize = 24;

    /// Samples with a column, and rows with one.
    fn said(
        own: &str,
        heading: &str,
        own_cell: impl Fn(usize) -> String,
        cell: impl Fn(usize) -> String,
    ) -> Option<bool> {
        let samples = (0..ROWS).map(|row| NewSample {
            path: format!("{row:02}.jpg").into(),
            label: None,
            split: if row % 3 == 0 { Split::Test } else { Split::Train },
        });
        let extra = ExtraColumn { name: own.to_owned(), values: (0..ROWS).map(own_cell).collect() };
        let manifest = Manifest::new("/data", samples).with_extra(vec![extra]);
        let column = SideColumn { heading: heading.to_owned(), cells: (0..ROWS).map(cell).collect() };
        let samples: Vec<SampleId> = manifest.ids().collect();
        contradicted(&[column], &samples, &manifest).map(|found| found.assigned)
    }

    #[test]
    fn values_that_repeat_show_another_order() {
        let patient = |row: usize| format!("p{}", row / 3);
        let turned = |row: usize| patient(row * 7 % ROWS);
        assert_eq!(said("patient", "Patient", patient, turned), Some(false));
        assert_eq!(
            said("fold", "fold", |row| (row % 5).to_string(), |row| format!("{}.0", row * 7 % ROWS % 5)),
            Some(true)
        );
        assert_eq!(
            said("x", "split", patient, |row| if row % 3 == 1 { "testing" } else { "Train" }.to_owned()),
            Some(true)
        );
        // The same in the same order, with some values mended, and what is something else.
        assert_eq!(said("patient", "patient", patient, patient), None);
        assert_eq!(
            said("patient", "patient", patient, |row| patient(if row % 3 == 0 {
                row * 7 % ROWS
            } else {
                row
            })),
            None
        );
        assert_eq!(said("patient", "person", patient, turned), None);
        assert_eq!(said("width", "width", |_| "640".to_owned(), |_| "224".to_owned()), None);
        assert_eq!(said("score", "score", |row| format!("0.{row}"), |row| format!("0.9{row}")), None);
        assert_eq!(said("sex", "sex", |_| "f".to_owned(), |_| "f".to_owned()), None);
    }
}
