//! Matches columns to classes by name; if names are missing, by number, and if that would be a guess, it is refused.
//!
//! A label is a name or a place in the list of classes. Which of the two is decided here for every kind of file, from
//! all labels together and never from their type: `3` is the same label as text, as an integer and as `3.0`.

use super::grid::Values;
use chaffinch_data::class_names;
use chaffinch_data::nearest::hint;
use std::borrow::Cow;
use std::collections::HashMap;

/// Maximum number of classes listed in a message.
const LISTED: usize = 12;

/// Why labels and columns cannot be matched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Labels are names and columns have none.
    #[error(
        "labels are names, but the columns of probabilities have none; pass --classes FILE with the class names in column order"
    )]
    ColumnsWithoutNames,
    /// Labels are numbers and columns have names.
    #[error(
        "labels are numbers, but the columns of probabilities have names ({0}); pass --classes FILE with the class names in numeric order"
    )]
    NumbersForNames(String),
    /// Labels are booleans.
    #[error("labels are true or false, not classes")]
    FlagsForLabels,
    /// Labels may be names or places, and the two differ.
    #[error(
        "row {row} has the label {label}, which may be a name or a place: it is the class '{label}', or, counted from 0, the class '{place}'; name the columns in the header of a table of probabilities and leave out --classes, or write labels that are not numbers"
    )]
    NameOrPlace {
        /// The row, from 0.
        row: usize,
        /// Its label.
        label: String,
        /// The class in that place of the list.
        place: String,
    },
    /// The number of names differs from the number of columns.
    #[error("got {names} class names for {columns} columns of probabilities")]
    Count {
        /// Names given.
        names: usize,
        /// Columns.
        columns: usize,
    },
    /// A duplicate class name.
    #[error("duplicate class name '{0}'")]
    Twice(String),
    /// A class without a column.
    #[error("class '{name}' has no column of probabilities{hint} (columns: {columns})")]
    NoColumn {
        /// The class.
        name: String,
        /// A suggestion.
        hint: String,
        /// The columns' names.
        columns: String,
    },
    /// A label that is not a class.
    #[error("row {row} has the label {label}, which is not a class{hint} (classes: {classes})")]
    NoClass {
        /// The row, from 0.
        row: usize,
        /// Its label.
        label: String,
        /// A suggestion.
        hint: String,
        /// The classes.
        classes: String,
    },
}

/// How labels that are numbers are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A label is the name of a class.
    Names,
    /// A label is a place in the list of classes, counted from 0.
    Places,
    /// Both say the same of every label.
    Either,
}

/// Columns with their class names, and the meaning of label numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The class of each column.
    names: Vec<String>,
    /// The column of each place in the list of classes; empty if there is no such list.
    places: Vec<u32>,
    /// Whether names were given, by a header or a list.
    named: bool,
}

/// What a label may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Candidates {
    name: Option<u32>,
    place: Option<u32>,
}

impl Binding {
    /// Matches columns to classes. `heading` are the column names; `classes` the names in the order of the label
    /// numbers, which is also the order of columns without a header.
    ///
    /// # Errors
    /// When names and columns do not agree.
    pub fn new(
        columns: usize,
        heading: Option<&[String]>,
        classes: Option<&[String]>,
    ) -> Result<Binding, BindError> {
        let cleaned = |names: Option<&[String]>| -> Option<Vec<String>> {
            Some(names?.iter().map(|name| class_names::clean(name).into_owned()).collect())
        };
        let (heading, classes) = (cleaned(heading), cleaned(classes));
        for names in [&heading, &classes].into_iter().flatten() {
            let mut sorted: Vec<&String> = names.iter().collect();
            sorted.sort_unstable();
            if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(BindError::Twice(pair[0].clone()));
            }
            if names.len() != columns {
                return Err(BindError::Count { names: names.len(), columns });
            }
        }
        let in_order: Vec<u32> = (0..columns as u32).collect();
        Ok(match (heading, classes) {
            (None, None) => {
                let names = in_order.iter().map(u32::to_string).collect();
                Binding { names, places: in_order, named: false }
            }
            (None, Some(classes)) => Binding { names: classes, places: in_order, named: true },
            // A header names the columns and gives no list: columns called 2, 0, 1 are matched to labels by name.
            (Some(heading), None) => Binding { names: heading, places: Vec::new(), named: true },
            (Some(heading), Some(classes)) => {
                let find = |name: &String| {
                    let index = heading.iter().position(|column| column == name);
                    index.map(|index| index as u32).ok_or_else(|| BindError::NoColumn {
                        name: name.clone(),
                        hint: hint(name, heading.iter().map(String::as_str)),
                        columns: listed(&heading),
                    })
                };
                let places = classes.iter().map(find).collect::<Result<_, _>>()?;
                Binding { names: heading, places, named: true }
            }
        })
    }

    /// The class of each column.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The column of each label, and how labels were read.
    ///
    /// # Errors
    /// When a label is not a class, may be one of two, or labels and columns cannot be matched.
    pub fn labels(&self, labels: &Values) -> Result<(Vec<u32>, Reading), BindError> {
        let (columns, reading) = self.columns(labels, Reading::Either)?;
        let columns = columns
            .into_iter()
            .enumerate()
            .map(|(row, column)| column.ok_or(row))
            .collect::<Result<_, _>>()
            .map_err(|row: usize| {
                let label = match labels {
                    Values::Numbers(numbers) => numbers[row].to_string(),
                    Values::Names(names) => format!("'{}'", names[row]),
                    Values::Flags(flags) => flags[row].to_string(),
                };
                let hint = hint(label.trim_matches('\''), self.names.iter().map(String::as_str));
                BindError::NoClass { row, label, hint, classes: listed(&self.names) }
            })?;
        Ok((columns, reading))
    }

    /// The column of each label, `None` for one that is not a class, and how labels were read. `reading` is how other
    /// labels of the same samples were read.
    ///
    /// # Errors
    /// When labels may be one of two classes, or labels and columns cannot be matched.
    pub fn columns(
        &self,
        labels: &Values,
        reading: Reading,
    ) -> Result<(Vec<Option<u32>>, Reading), BindError> {
        let found = self.candidates(labels)?;
        let reading = match reading {
            Reading::Either => self.reading(labels, &found)?,
            known => known,
        };
        let column = |found: &Candidates| match reading {
            Reading::Names => found.name,
            Reading::Places => found.place,
            Reading::Either => found.name.or(found.place),
        };
        Ok((found.iter().map(column).collect(), reading))
    }

    /// What each label may be.
    fn candidates(&self, labels: &Values) -> Result<Vec<Candidates>, BindError> {
        let columns: HashMap<&str, u32> = match self.named {
            true => self.names.iter().map(String::as_str).zip(0..).collect(),
            false => HashMap::new(),
        };
        let place =
            |number: i64| usize::try_from(number).ok().and_then(|place| self.places.get(place)).copied();
        let named = |label: &str| columns.get(&*class_names::clean(label)).copied();
        let numbers: Vec<i64>;
        let (found, numbers): (Vec<Candidates>, Option<&[i64]>) = match labels {
            Values::Flags(_) => return Err(BindError::FlagsForLabels),
            Values::Numbers(numbers) => {
                let mut known: HashMap<i64, Candidates> = HashMap::new();
                let find = |&number: &i64| {
                    let candidates = || Candidates { name: named(&number.to_string()), place: place(number) };
                    *known.entry(number).or_insert_with(candidates)
                };
                (numbers.iter().map(find).collect(), Some(numbers))
            }
            Values::Names(names) => {
                // A place is only meant where all labels are whole numbers.
                let all: Option<Vec<i64>> = names.iter().map(|name| whole(name)).collect();
                numbers = all.unwrap_or_default();
                let numbers = (!numbers.is_empty()).then_some(numbers.as_slice());
                let find = |(row, name): (usize, &String)| Candidates {
                    name: named(name).or_else(|| named(&whole(name)?.to_string())),
                    place: numbers.and_then(|numbers| place(numbers[row])),
                };
                (names.iter().enumerate().map(find).collect(), numbers)
            }
        };
        if found.iter().any(|found| found.name.is_some()) {
            return Ok(found);
        }
        match numbers {
            Some(_) if self.places.is_empty() => Err(BindError::NumbersForNames(listed(&self.names))),
            None if !self.named && !found.is_empty() => Err(BindError::ColumnsWithoutNames),
            _ => Ok(found),
        }
    }

    /// Whether labels are names or places.
    fn reading(&self, labels: &Values, found: &[Candidates]) -> Result<Reading, BindError> {
        let by_name = found.iter().filter(|found| found.name.is_some()).count();
        let by_place = found.iter().filter(|found| found.place.is_some()).count();
        let differs =
            |found: &Candidates| found.name.is_some() && found.place.is_some() && found.name != found.place;
        let differing = found.iter().position(differs);
        match differing {
            // One reading explains all labels and the other does not.
            _ if by_name == found.len() && by_place < found.len() => Ok(Reading::Names),
            _ if by_place == found.len() && by_name < found.len() => Ok(Reading::Places),
            None if by_name == by_place => Ok(Reading::Either),
            None if by_name > by_place => Ok(Reading::Names),
            None => Ok(Reading::Places),
            Some(row) => {
                let label = match labels {
                    Values::Numbers(numbers) => Cow::Owned(numbers[row].to_string()),
                    Values::Names(names) => Cow::Borrowed(names[row].trim()),
                    Values::Flags(_) => Cow::Borrowed(""),
                };
                let place = found[row].place.map_or("", |place| &self.names[place as usize]);
                Err(BindError::NameOrPlace { row, label: label.into_owned(), place: place.to_owned() })
            }
        }
    }
}

/// A whole number, also as pandas writes it in a column that once had missing values: `3.0`.
fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_suffix(".0").unwrap_or(text);
    digits.parse().ok()
}

/// Names for a message, the first ones only.
fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("'{name}'")).collect();
    let more = if names.len() > LISTED { ", …" } else { "" };
    shown.join(", ") + more
}
