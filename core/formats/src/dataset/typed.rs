//! Which columns have numbers, truth values, lists or objects, so that they are written as what they were: cells are text.

use crate::text::json_numbers;
use arrow_schema::{DataType, Fields};
use serde_json::Value;
use std::collections::BTreeMap;

/// What the values of columns are, by the names of these.
#[derive(Debug, Default)]
pub(super) struct Typed(BTreeMap<String, bool>);

impl Typed {
    /// A value of a column. One text among them makes the column one of texts, because its cells do not tell `5` from `"5"`.
    pub(super) fn see(&mut self, column: &str, value: Option<&Value>) {
        match value {
            None | Some(Value::Null) => {}
            Some(Value::String(_)) => self.mark(column, value.is_some_and(json_numbers::is_number)),
            Some(_) => self.mark(column, true),
        }
    }

    /// Columns of an Arrow schema, by their places.
    pub(super) fn see_fields(&mut self, fields: &Fields, columns: &[usize]) {
        columns
            .iter()
            .for_each(|&column| self.mark(fields[column].name(), is_typed(fields[column].data_type())));
    }

    /// Values of a column, which are typed or not.
    pub(super) fn mark(&mut self, column: &str, typed: bool) {
        match self.0.get_mut(column) {
            Some(all) => *all &= typed,
            None => drop(self.0.insert(column.to_owned(), typed)),
        }
    }

    /// The names of the columns of which every value is not text.
    pub(super) fn names(self) -> impl Iterator<Item = String> {
        self.0.into_iter().filter(|(_, typed)| *typed).map(|(name, _)| name)
    }
}

/// Whether values of this type are numbers, truth values, lists or structures in JSON.
fn is_typed(data: &DataType) -> bool {
    match data {
        DataType::Dictionary(_, values) => is_typed(values),
        data => is_nested(data) || is_number(data) || *data == DataType::Boolean,
    }
}

/// Whether cells of this type are JSON.
pub(super) fn is_nested(data: &DataType) -> bool {
    matches!(
        data,
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) | DataType::Struct(_)
    )
}

fn is_number(data: &DataType) -> bool {
    data.is_integer() || matches!(data, DataType::Float16 | DataType::Float32 | DataType::Float64)
}
