//! Rows without names that are taken in the order of the dataset: a column of labels shows whether they are in another one.

use super::{SideColumn, called};
use crate::headings::{is_label, is_label_of_names};
use crate::text::as_whole;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::{LabelId, SampleId};
use std::collections::BTreeMap;

/// Share of the cells that must be names of classes, in per cent, for a column to be one of the dataset's labels.
const KNOWN: usize = 90;
/// Rows per cell of the table of numbers against classes from which shuffled rows meet each class by its share alone.
const ROWS_PER_CELL: usize = 5;
/// Rows to shuffle in all, to see how many agree by chance where there are fewer.
const SHUFFLED: usize = 2_000_000;
/// The most that rows are shuffled.
const ROUNDS: usize = 500;

/// What is wrong with taking rows for these samples by their places alone, where a column has labels that agree with the
/// dataset's hardly more often than those of shuffled rows would. What to do is for the caller to say.
pub(super) fn shuffled(side: &[SideColumn], samples: &[SampleId], manifest: &Manifest) -> Option<String> {
    side.iter().find_map(|column| {
        let (agree, rows) = agreement(column, samples, manifest)?;
        Some(format!(
            "the labels in the column {} agree with those of the dataset in only {agree} of {}",
            called(&column.heading),
            counted(rows as u64, "row", "rows")
        ))
    })
}

/// In how many of how many rows labels agree, if that is as good as by chance.
fn agreement(column: &SideColumn, samples: &[SampleId], manifest: &Manifest) -> Option<(usize, usize)> {
    if !is_label_of_names(&column.heading) || column.cells.len() != samples.len() {
        return None;
    }
    let rows =
        || column.cells.iter().map(|cell| cell.trim()).zip(samples.iter().map(|id| manifest.label(*id)));
    let named: Vec<(LabelId, Option<LabelId>)> =
        rows().filter_map(|(cell, label)| Some((manifest.find_class(cell)?, label))).collect();
    let numbers: Option<Vec<(u32, Option<LabelId>)>> =
        rows().map(|(cell, label)| Some((as_whole(cell).parse().ok()?, label))).collect();
    let numbers: Option<Vec<(u32, u32)>> = numbers
        .filter(|_| is_label(&column.heading))
        .map(|all| all.iter().filter_map(|&(number, label)| Some((number, label?.0))).collect());
    if named.len() * 100 >= column.cells.len() * KNOWN {
        let pairs: Vec<(u32, u32)> =
            named.iter().filter_map(|&(one, other)| Some((one.0, other?.0))).collect();
        let found = by_name(&pairs)?;
        // Numbers that are names of classes may be their places.
        return match numbers {
            Some(numbers) => by_number(&numbers).map(|_| found),
            None => Some(found),
        };
    }
    let numbers = numbers?;
    // Classes are numbered in the order of their names, unless it is another one.
    by_name(&numbers)?;
    by_number(&numbers)
}

/// How many pairs are of one class.
fn agreeing(pairs: &[(u32, u32)]) -> usize {
    pairs.iter().filter(|(one, other)| one == other).count()
}

/// In how many of how many rows two labels are one, if that is as good as by chance.
fn by_name(pairs: &[(u32, u32)]) -> Option<(usize, usize)> {
    let (one, other) = (shares(pairs.iter().map(|p| p.0)), shares(pairs.iter().map(|p| p.1)));
    if one.len() < 2 || other.len() < 2 {
        return None;
    }
    let chance = one.iter().filter_map(|(class, share)| Some(share * other.get(class)?)).sum();
    by_chance(agreeing(pairs), pairs.len(), chance)
}

/// The same of numbers of which it is unknown which stands for which class: each is taken for the class that it meets most often.
fn by_number(pairs: &[(u32, u32)]) -> Option<(usize, usize)> {
    let (one, other) = (shares(pairs.iter().map(|p| p.0)), shares(pairs.iter().map(|p| p.1)));
    if one.len() < 2 || other.len() < 2 || one.len() > 2 * other.len() {
        return None;
    }
    let few = pairs.len() < ROWS_PER_CELL * one.len() * other.len();
    let chance = if few { best_by_chance(pairs) } else { other.values().copied().fold(0.0, f64::max) };
    by_chance(best(pairs.to_vec()), pairs.len(), chance)
}

/// In how many rows a number meets the class that it meets most often.
fn best(mut pairs: Vec<(u32, u32)>) -> usize {
    pairs.sort_unstable();
    let of_number = |rows: &[(u32, u32)]| rows.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap_or(0);
    pairs.chunk_by(|a, b| a.0 == b.0).map(of_number).sum()
}

/// The share of [`best`] in shuffled rows. Of few rows, each number meets some class more often than the share of that class.
fn best_by_chance(pairs: &[(u32, u32)]) -> f64 {
    let mut labels: Vec<u32> = pairs.iter().map(|pair| pair.1).collect();
    let rounds = (SHUFFLED / pairs.len()).clamp(3, ROUNDS);
    let (mut state, mut met) = (0_u64, 0);
    for _ in 0..rounds {
        for left in (1..labels.len()).rev() {
            labels.swap(left, (random(&mut state) % (left as u64 + 1)) as usize);
        }
        met += best(pairs.iter().map(|pair| pair.0).zip(labels.iter().copied()).collect());
    }
    met as f64 / (rounds * pairs.len()) as f64
}

/// The next number of SplitMix64, so that the same rows are always shuffled alike.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The share of each value.
pub(super) fn shares<T: Ord>(values: impl ExactSizeIterator<Item = T>) -> BTreeMap<T, f64> {
    let all = values.len() as f64;
    let mut shares = BTreeMap::new();
    values.for_each(|value| *shares.entry(value).or_default() += 1.0 / all);
    shares
}

/// A quarter of the way from chance to full agreement is more than shuffled rows reach, and less than what two annotators or a
/// label with much noise do.
pub(super) fn by_chance(agree: usize, rows: usize, chance: f64) -> Option<(usize, usize)> {
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

    /// Samples of classes in the order of their folders, and numbers beside them.
    fn few(classes: usize, rows: usize, numbers: &[usize]) -> bool {
        let samples = (0..rows).map(|row| NewSample {
            path: format!("{}/{row:03}.jpg", row * classes / rows).into(),
            label: Some(format!("class {}", row * classes / rows)),
            split: Split::None,
        });
        let manifest = Manifest::new("/data", samples);
        let cells = numbers.iter().map(usize::to_string).collect();
        let column = SideColumn { heading: "target".to_owned(), cells };
        shuffled(&[column], &manifest.ids().collect::<Vec<_>>(), &manifest).is_some()
    }

    /// Of few rows in another order most are seen, and of labels in order with some noise none are refused, whatever number
    /// stands for which class.
    #[test]
    fn numbers_of_few_rows_tell_another_order_from_noise() {
        for (classes, rows) in [(2, 24), (3, 24), (3, 60), (5, 40), (10, 60), (100, 1000)] {
            let class = |row: usize| row * classes / rows;
            let mut state = 7;
            let mut seen = 0;
            for _ in 0..40 {
                let mut order: Vec<usize> = (0..rows).collect();
                for left in (1..rows).rev() {
                    order.swap(left, (random(&mut state) % (left as u64 + 1)) as usize);
                }
                let moved: Vec<usize> = order.iter().map(|&row| class(row)).collect();
                seen += usize::from(few(classes, rows, &moved));
            }
            assert!(seen >= 30, "{classes} classes of {rows} rows: seen {seen} of 40 times");
            for every in [4, 5, 10, rows] {
                for first in [0, 1, 5] {
                    let noisy = |row: usize| (class(row) + usize::from(row % every == 1)) % classes;
                    let numbers: Vec<usize> =
                        (0..rows).map(|row| (classes - 1 - noisy(row)) * 2 + first).collect();
                    assert!(!few(classes, rows, &numbers), "{classes} of {rows}, noise 1/{every}");
                    let numbers: Vec<usize> = (0..rows).map(noisy).collect();
                    assert!(!few(classes, rows, &numbers), "{classes} of {rows}, noise 1/{every}");
                }
            }
        }
        // Where each class has one row, any order is as good.
        assert!(!few(6, 6, &[5, 0, 3, 1, 4, 2]));
    }

    #[test]
    fn names_and_numbers_under_other_headings_of_labels_are_compared() {
        for heading in
            ["ground_truth", "gt", "Given Label", "given", "species", "original_label", "class_label"]
        {
            assert!(shuffled_by(heading, |row| NAMES[row * 7 % 3].to_owned()).is_some(), "{heading}");
            assert!(shuffled_by(heading, |row| NAMES[row / 30].to_owned()).is_none(), "{heading}");
        }
        for heading in ["label_idx", "class_id", "y", "targets", "gt", "category_id"] {
            assert!(shuffled_by(heading, |row| (row * 7 % 3).to_string()).is_some(), "{heading}");
            assert!(shuffled_by(heading, |row| format!("{}.0", row * 7 % 3)).is_some(), "{heading}");
        }
        assert!(shuffled_by("given", |row| (row * 7 % 3).to_string()).is_none(), "may be a yes or a no");
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
