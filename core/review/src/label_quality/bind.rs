//! Matches columns to classes by name; if names are missing, by number, and if that would be a guess, it is refused.

use super::grid::Values;
use chaffinch_data::nearest::hint;
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

/// Columns with their class names, and the meaning of label numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The class of each column.
    names: Vec<String>,
    /// The column of each label number; empty if numbers have no meaning.
    numbered: Vec<u32>,
    /// Whether names were given, by a header or a list.
    named: bool,
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
        for names in [heading, classes].into_iter().flatten() {
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
                Binding { names, numbered: in_order, named: false }
            }
            (None, Some(classes)) => Binding { names: classes.to_vec(), numbered: in_order, named: true },
            (Some(heading), None) => {
                // Columns called 0, 1, 2, … are matched by name to labels 0, 1, 2, … in any order.
                let index = |number: usize| heading.iter().position(|name| *name == number.to_string());
                let places: Option<Vec<usize>> = (0..columns).map(index).collect();
                let numbered = places.unwrap_or_default().into_iter().map(|index| index as u32).collect();
                Binding { names: heading.to_vec(), numbered, named: true }
            }
            (Some(heading), Some(classes)) => {
                let find = |name: &String| {
                    let index = heading.iter().position(|column| column == name);
                    index.map(|index| index as u32).ok_or_else(|| BindError::NoColumn {
                        name: name.clone(),
                        hint: hint(name, heading.iter().map(String::as_str)),
                        columns: listed(heading),
                    })
                };
                let numbered = classes.iter().map(find).collect::<Result<_, _>>()?;
                Binding { names: heading.to_vec(), numbered, named: true }
            }
        })
    }

    /// The class of each column.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The column of each label.
    ///
    /// # Errors
    /// When a label is not a class, or labels and columns cannot be matched.
    pub fn labels(&self, labels: &Values) -> Result<Vec<u32>, BindError> {
        self.columns(labels)?
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
            })
    }

    /// The column of each label, `None` for one that is not a class.
    ///
    /// # Errors
    /// When labels and columns cannot be matched.
    pub fn columns(&self, labels: &Values) -> Result<Vec<Option<u32>>, BindError> {
        match labels {
            Values::Flags(_) => Err(BindError::FlagsForLabels),
            Values::Numbers(_) if self.numbered.is_empty() => {
                Err(BindError::NumbersForNames(listed(&self.names)))
            }
            Values::Numbers(numbers) => {
                let column = |&number: &i64| self.numbered.get(usize::try_from(number).ok()?).copied();
                Ok(numbers.iter().map(column).collect())
            }
            Values::Names(_) if !self.named => Err(BindError::ColumnsWithoutNames),
            Values::Names(names) => {
                let places: HashMap<&str, u32> = self.names.iter().map(String::as_str).zip(0..).collect();
                Ok(names.iter().map(|name| places.get(name.as_str()).copied()).collect())
            }
        }
    }
}

/// Names for a message, the first ones only.
fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("'{name}'")).collect();
    let more = if names.len() > LISTED { ", …" } else { "" };
    shown.join(", ") + more
}
