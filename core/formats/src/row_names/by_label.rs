//! Rows without names that are taken in the order of the dataset: a column of labels shows whether they are in another one.

use super::{SideColumn, called};
use crate::headings::is_label;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::{LabelId, SampleId};
use std::collections::BTreeMap;

/// Share of the cells that must be names of classes, in per cent, for a column to be one of the dataset's labels.
const KNOWN: usize = 90;
/// Rows per cell of the table of numbers against classes before numbers are compared with classes.
const ROWS_PER_CELL: usize = 5;

/// What is wrong with taking rows for these samples by their places alone, where a column has labels that agree with the
/// dataset's hardly more often than those of shuffled rows would. What to do is for the caller to say.
pub(super) fn shuffled(side: &[SideColumn], samples: &[SampleId], manifest: &Manifest) -> Option<String> {
    side.iter().find_map(|column| {
        let (agree, rows) = agreement(column, samples, manifest)?;
        Some(format!(
            "the labels in the column {} agree with those of the dataset in only {agree} of {}, so the rows are in another order",
            called(&column.heading),
            counted(rows as u64, "row", "rows")
        ))
    })
}

/// In how many of how many rows labels agree, if that is as good as by chance.
fn agreement(column: &SideColumn, samples: &[SampleId], manifest: &Manifest) -> Option<(usize, usize)> {
    if !is_label(&column.heading) || column.cells.len() != samples.len() {
        return None;
    }
    let rows =
        || column.cells.iter().map(|cell| cell.trim()).zip(samples.iter().map(|id| manifest.label(*id)));
    let named: Vec<(LabelId, Option<LabelId>)> =
        rows().filter_map(|(cell, label)| Some((manifest.find_class(cell)?, label))).collect();
    if named.len() * 100 >= column.cells.len() * KNOWN {
        let pairs: Vec<(u32, u32)> =
            named.iter().filter_map(|&(one, other)| Some((one.0, other?.0))).collect();
        let agree = pairs.iter().filter(|(one, other)| one == other).count();
        let (one, other) = (shares(pairs.iter().map(|p| p.0)), shares(pairs.iter().map(|p| p.1)));
        if one.len() < 2 || other.len() < 2 {
            return None;
        }
        let chance = one.iter().filter_map(|(class, share)| Some(share * other.get(class)?)).sum();
        return by_chance(agree, pairs.len(), chance);
    }
    // Which number stands for which class is unknown: each is taken for the class that it meets most often.
    let numbers: Option<Vec<(u32, Option<LabelId>)>> =
        rows().map(|(cell, label)| Some((cell.parse().ok()?, label))).collect();
    let pairs: Vec<(u32, u32)> =
        numbers?.iter().filter_map(|&(number, label)| Some((number, label?.0))).collect();
    let (one, other) = (shares(pairs.iter().map(|p| p.0)), shares(pairs.iter().map(|p| p.1)));
    let few = pairs.len() < ROWS_PER_CELL * one.len() * other.len();
    if one.len() < 2 || other.len() < 2 || one.len() > 2 * other.len() || few {
        return None;
    }
    let mut met: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    pairs.iter().for_each(|&pair| *met.entry(pair).or_default() += 1);
    let mut best: BTreeMap<u32, usize> = BTreeMap::new();
    for ((number, _), count) in met {
        let most = best.entry(number).or_default();
        *most = count.max(*most);
    }
    by_chance(best.values().sum(), pairs.len(), other.values().copied().fold(0.0, f64::max))
}

/// The share of each value.
fn shares(values: impl ExactSizeIterator<Item = u32>) -> BTreeMap<u32, f64> {
    let all = values.len() as f64;
    let mut shares = BTreeMap::new();
    values.for_each(|value| *shares.entry(value).or_default() += 1.0 / all);
    shares
}

/// A quarter of the way from chance to full agreement is more than shuffled rows reach, and less than what two annotators or a
/// label with much noise do.
fn by_chance(agree: usize, rows: usize, chance: f64) -> Option<(usize, usize)> {
    let share = agree as f64 / rows as f64;
    (share < chance + (1.0 - chance) / 4.0).then_some((agree, rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::manifest::NewSample;
    use chaffinch_protocol::sample::Split;

    /// Samples of three classes in the order of their folders, and a column beside them.
    fn shuffled_by(heading: &str, cell: impl Fn(usize) -> String) -> Option<String> {
        let class = |row: usize| ["bird", "cat", "dog"][row / 30];
        let samples = (0..90).map(|row| NewSample {
            path: format!("{}/{row:02}.jpg", class(row)).into(),
            label: Some(class(row).to_owned()),
            split: Split::None,
        });
        let manifest = Manifest::new("/data", samples);
        let column = SideColumn { heading: heading.to_owned(), cells: (0..90).map(cell).collect() };
        shuffled(&[column], &manifest.ids().collect::<Vec<_>>(), &manifest)
    }

    const NAMES: [&str; 3] = ["bird", "cat", "dog"];

    #[test]
    fn labels_of_rows_in_another_order_are_seen() {
        let error = shuffled_by("label", |row| NAMES[row * 7 % 3].to_owned()).unwrap();
        assert!(error.contains(
            "the labels in the column 'label' agree with those of the dataset in only 30 of 90 rows"
        ));
        // Numbers in an order of classes of their own.
        assert!(shuffled_by("target", |row| (row * 7 % 3).to_string()).is_some());
    }

    #[test]
    fn labels_that_agree_more_than_by_chance_say_nothing() {
        for noise in [0, 2, 3, 5] {
            let wrong = |row: usize| noise > 0 && row % 5 < noise - 1;
            let class = |row: usize| (row / 30 + usize::from(wrong(row))) % 3;
            let said = shuffled_by("label", |row| NAMES[class(row)].to_owned());
            assert_eq!(said.is_some(), noise == 5, "{noise}: {said:?}");
        }
        assert_eq!(
            shuffled_by("label", |row| [7, 3, 9][row / 30].to_string()),
            None,
            "classes in another order"
        );
        assert_eq!(shuffled_by("weather", |row| NAMES[row * 7 % 3].to_owned()), None, "not called a label");
        assert_eq!(shuffled_by("label", |row| row.to_string()), None, "no numbers of classes");
        assert_eq!(shuffled_by("label", |_| "cat".to_owned()), None, "one label says nothing");
    }
}
