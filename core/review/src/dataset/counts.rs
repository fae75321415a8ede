//! Counting, and numbers in sentences.

use chaffinch_protocol::display::thousands;
use std::collections::BTreeMap;

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 0.1 => "under 0.1 %".into(),
        percent if percent < 10.0 && percent.fract() > 0.049 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// A number with its noun.
pub(super) fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { many })
}

/// The values of a column as numbers in the order of the values, [`u32::MAX`] for a missing one, and the values.
pub(super) fn numbered(values: &[String]) -> (Vec<u32>, Vec<&str>) {
    let mut known: BTreeMap<&str, u32> =
        values.iter().filter(|value| !is_missing(value)).map(|value| (value.as_str(), 0)).collect();
    (0..).zip(known.values_mut()).for_each(|(at, number)| *number = at);
    let codes = values.iter().map(|value| known.get(value.as_str()).copied().unwrap_or(u32::MAX)).collect();
    (codes, known.into_keys().collect())
}

/// Whether a cell says that there is no value.
pub(super) fn is_missing(value: &str) -> bool {
    matches!(
        value.trim().to_ascii_lowercase().as_str(),
        "" | "null" | "none" | "nan" | "na" | "n/a" | "<na>" | "nat"
    )
}

/// Counts of pairs: a row for each value of the first, a column for each of the second. Numbers out of range do not count.
pub(super) fn crossed(pairs: impl Iterator<Item = (u32, u32)>, rows: usize, columns: usize) -> Vec<Vec<u64>> {
    let mut table = vec![vec![0; columns]; rows];
    for (row, column) in pairs {
        if let Some(count) = table.get_mut(row as usize).and_then(|row| row.get_mut(column as usize)) {
            *count += 1;
        }
    }
    table
}
