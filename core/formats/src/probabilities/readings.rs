//! Columns of probabilities that are called by numbers, where these may be names of classes, or places in several orders: which is
//! meant is told by the labels of the samples.

use super::class_columns::{self, ClassColumns, cleaned};
use crate::row_names::{Speaks, clearly};
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_protocol::display::excerpt;

/// Classes to name in a sentence.
const SHOWN: usize = 4;

/// One way to read the numbers of columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// The column of each class.
    pub(super) columns: Vec<usize>,
    /// What the numbers are then.
    words: &'static str,
}

/// The way that was taken, and the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Readings {
    others: Vec<Reading>,
    /// Whether the numbers are names of classes by the one that was taken.
    by_name: bool,
}

/// What the labels say of the ways to read numbers.
pub(super) struct Judged {
    /// The column of each class, if it is another one than was taken at first.
    pub(super) columns: Option<Vec<usize>>,
    /// What there is to say: what follows `10 columns of FILE`.
    pub(super) said: String,
}

impl Readings {
    /// The other ways to read the headings that columns of `classes` were found by.
    pub(super) fn of(
        headings: &[String],
        classes: &[String],
        taken: &ClassColumns,
        own: &ClassNumbers,
    ) -> Readings {
        let wanted: Vec<String> = classes.iter().map(|name| cleaned(name)).collect();
        let by_name = wanted.iter().all(|name| name.parse::<u64>().is_ok());
        let mut sorted = wanted.clone();
        sorted.sort_unstable();
        let mut natural = wanted.clone();
        natural.sort_by_key(|name| digits(name));
        let stated: Vec<String> = own.names().map(str::to_owned).collect();
        let mut others: Vec<Reading> = Vec::new();
        let mut add = |columns: Option<Vec<usize>>, words| {
            let same = |one: &[usize], other: &[usize]| {
                let [mut one, mut other] = [one.to_vec(), other.to_vec()];
                one.sort_unstable();
                other.sort_unstable();
                one == other
            };
            if let Some(columns) = columns
                && columns != taken.columns
                && same(&columns, &taken.columns)
                && others.iter().all(|other| other.columns != columns)
            {
                others.push(Reading { columns, words });
            }
        };
        // What the dataset says of names that are no numbers leaves nothing to guess.
        let is_stated = !by_name && own.are_clear() && wanted.iter().all(|name| stated.contains(name));
        if !is_stated {
            let by_place = |order: &[String]| class_columns::by_place(headings, &wanted, order);
            if by_name {
                add(by_place(&stated), "numbers of classes, as the dataset numbers them");
            }
            add(by_place(&sorted), "places of the classes in the order of their names as text");
            add(by_place(&natural), "places of the classes in the order of the numbers in their names");
            let numbers: Option<Vec<String>> = wanted.iter().map(|name| only_number(name)).collect();
            let columns = numbers.and_then(|numbers| class_columns::by_text(headings, &numbers));
            add(columns, "the numbers in the names of the classes");
        }
        Readings { others, by_name }
    }

    /// The same for columns that are picked out of a table: `place` is where each is then.
    pub(super) fn placed(mut self, place: impl Fn(&usize) -> usize) -> Readings {
        for reading in &mut self.others {
            reading.columns = reading.columns.iter().map(&place).collect();
        }
        self
    }

    /// Compares the ways by the labels of samples: `rows` are the classes of these by their places, and the column with the highest
    /// number in their rows. `None` if there is no other way.
    ///
    /// # Errors
    /// When the labels speak rather for another way, and not clearly so, with what to do.
    pub(super) fn judge(
        &self,
        taken: &[usize],
        rows: &[(usize, usize)],
        classes: &[String],
    ) -> Result<Option<Judged>, String> {
        if self.others.is_empty() {
            return Ok(None);
        }
        let agree = |columns: &[usize], (class, column): (usize, usize)| columns.get(class) == Some(&column);
        let compared = |other: &Reading| {
            let [mut first, mut second] = [0, 0];
            for &row in rows {
                let (one, two) = (agree(taken, row), agree(&other.columns, row));
                first += usize::from(one && !two);
                second += usize::from(two && !one);
            }
            (first, second)
        };
        let counts: Vec<(usize, usize)> = self.others.iter().map(compared).collect();
        let gain = |at: &usize| counts[*at].1 as i64 - counts[*at].0 as i64;
        let best = (0..counts.len()).rev().max_by_key(gain).unwrap_or(0);
        let (first, second) = counts[best];
        let shown = |columns: &[usize]| {
            let differ = (0..classes.len()).filter(|&class| columns[class] != taken[class]);
            let of: Vec<String> =
                differ.take(SHOWN).map(|class| format!("'{}'", excerpt(&classes[class]))).collect();
            of.join(", ")
        };
        let other = &self.others[best];
        match clearly(first, second) {
            Speaks::Second => Ok(Some(Judged {
                columns: Some(other.columns.clone()),
                said: format!(
                    "were taken for {}, by which the labels of {second} more samples are the most likely classes, and of {first} \
                     fewer; --classes FILE says another order",
                    other.words
                ),
            })),
            Speaks::ForNeither if second > 0 && second >= first => Err(format!(
                "its columns are called by numbers, which may be {} or {}, and the labels of samples do not say which, such as for \
                 {}; pass --classes FILE with the names in the order of the columns, one a line, or call the columns by the names of \
                 the classes",
                if self.by_name { "names of classes" } else { "places in an order of the classes" },
                other.words,
                shown(&other.columns)
            )),
            Speaks::ForNeither if self.by_name => Ok(Some(Judged {
                columns: None,
                said: format!(
                    "were taken for the classes of these names, and may be {} as well: the labels of too few samples tell; \
                     --classes FILE says what they are",
                    other.words
                ),
            })),
            Speaks::ForNeither | Speaks::First => Ok(None),
        }
    }
}

/// A name with its numbers by their values, by which names are sorted as people do.
fn digits(name: &str) -> Vec<(u64, String)> {
    let mut parts: Vec<(u64, String)> = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|sign: char| sign.is_ascii_digit()).unwrap_or(rest.len());
        let (before, after) = rest.split_at(text);
        let end = after.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(after.len());
        let (number, left) = after.split_at(end);
        if !before.is_empty() {
            // Numbers come before letters.
            parts.push((u64::MAX, before.to_owned()));
        }
        if !number.is_empty() {
            parts.push((number.parse().unwrap_or(u64::MAX - 1), String::new()));
        }
        rest = left;
    }
    parts
}

/// The only number in a name, as programs write it.
fn only_number(name: &str) -> Option<String> {
    let mut numbers = name.split(|sign: char| !sign.is_ascii_digit()).filter(|part| !part.is_empty());
    let number: u64 = numbers.next().filter(|_| numbers.next().is_none())?.parse().ok()?;
    Some(number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn readings(headings: &str, classes: &str, own: &ClassNumbers) -> (Vec<usize>, Readings) {
        let (headings, classes) = (list(headings), list(classes));
        let taken = class_columns::find(&headings, &classes, None, own).unwrap();
        let readings = Readings::of(&headings, &classes, &taken, own);
        (taken.columns, readings)
    }

    const ELEVEN: &str = "0 1 10 2 3 4 5 6 7 8 9";
    const COLUMNS: &str = "path 0 1 2 3 4 5 6 7 8 9 10";

    #[test]
    fn numbers_that_are_names_may_be_places() {
        let (taken, readings) = readings(COLUMNS, ELEVEN, &ClassNumbers::default());
        assert_eq!(taken, [1, 2, 11, 3, 4, 5, 6, 7, 8, 9, 10]);
        let judge = |columns: &[usize], samples: usize| {
            let rows: Vec<(usize, usize)> = (0..samples).map(|at| (at % 11, columns[at % 11])).collect();
            readings.judge(&taken, &rows, &list(ELEVEN))
        };
        let places: Vec<usize> = (1..12).collect();
        assert!(judge(&taken, 22).unwrap().is_none(), "by name");
        let found = judge(&places, 22).unwrap().unwrap();
        assert_eq!(found.columns.as_deref(), Some(&places[..]));
        assert!(found.said.contains("in the order of their names as text"), "{}", found.said);
        let found = judge(&taken, 0).unwrap().unwrap();
        assert!(found.columns.is_none() && found.said.contains("names"), "{}", found.said);
        let why = judge(&places, 4).err().unwrap();
        assert!(why.contains("may be names of classes or places") && why.contains("--classes FILE"), "{why}");
    }

    #[test]
    fn the_dataset_may_number_classes_that_are_numbers_otherwise() {
        let own = ClassNumbers::of_list(["2", "0", "1"]);
        let (taken, readings) = readings("path 0 1 2", "0 1 2", &own);
        assert_eq!(taken, [1, 2, 3]);
        let rows: Vec<(usize, usize)> = (0..12).map(|at| (at % 3, [2, 3, 1][at % 3])).collect();
        let found = readings.judge(&taken, &rows, &list("0 1 2")).unwrap().unwrap();
        assert_eq!(found.columns, Some(vec![2, 3, 1]));
    }

    #[test]
    fn numbers_in_names_of_classes_are_one_more_way() {
        let classes =
            "class_0 class_1 class_10 class_2 class_3 class_4 class_5 class_6 class_7 class_8 class_9";
        let (taken, readings) = readings(COLUMNS, classes, &ClassNumbers::default());
        assert_eq!(taken, (1..12).collect::<Vec<_>>(), "in the order of their names");
        let by_number = [1, 2, 11, 3, 4, 5, 6, 7, 8, 9, 10];
        let rows: Vec<(usize, usize)> = (0..22).map(|at| (at % 11, by_number[at % 11])).collect();
        let found = readings.judge(&taken, &rows, &list(classes)).unwrap().unwrap();
        assert_eq!(found.columns.as_deref(), Some(&by_number[..]));
        // Where the dataset says what they are, or nothing differs, there is no other.
        let stated = ClassNumbers::of_list(list(classes));
        assert_eq!(super::tests::readings(COLUMNS, classes, &stated).1.others, []);
        assert_eq!(super::tests::readings("path 0 1 2", "a b c", &ClassNumbers::default()).1.others, []);
        assert_eq!(super::tests::readings("path a b c", "a b c", &ClassNumbers::default()).1.others, []);
    }

    #[test]
    fn names_are_sorted_by_their_numbers() {
        let mut names = list("class_10 class_2 3 10 b 3_cat class_1x");
        names.sort_by_key(|name| digits(name));
        assert_eq!(names.join(" "), "3 3_cat 10 b class_1x class_2 class_10");
        assert_eq!(
            (only_number("class_03").as_deref(), only_number("a1b2"), only_number("cat")),
            (Some("3"), None, None)
        );
    }
}
