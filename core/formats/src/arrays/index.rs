//! Columns in which a program wrote the numbers of rows.

use super::number;
use crate::headings::{is_unnamed, is_usual_index};
use crate::{Error, Result};
use chaffinch_data::columns::Column;
use chaffinch_protocol::display::excerpt;
use chaffinch_review::label_quality::{Grid, Numbers};
use std::path::Path;

/// Leaves out a first column that has no name, or the name of an index, and counts up from 0 or 1.
///
/// # Errors
/// When a column has no name and does not count up.
pub(super) fn without_index(path: &Path, grid: Grid) -> Result<Grid> {
    let Some(first) = grid.names.as_ref().and_then(|names| names.first()) else { return Ok(grid) };
    let counts = |least: usize| {
        let value = |row: usize| number(&grid.numbers, row * grid.cols);
        let start = if grid.rows > 0 { value(0) } else { 0.0 };
        (start == 0.0 || start == 1.0)
            && grid.rows >= least
            && (0..grid.rows).all(|row| value(row) == start + row as f64)
    };
    let usual = is_usual_index(first);
    // 0 and 1 alone may be probabilities.
    if grid.cols > 1 && ((is_unnamed(first) && counts(0)) || (usual && counts(3))) {
        return Ok(without_first(grid));
    }
    let nameless = grid.names.iter().flatten().position(|name| name.trim().is_empty());
    match nameless {
        Some(column) => {
            let message = format!(
                "column {} has no name and does not count rows; name it after its class, or leave it out",
                column + 1
            );
            Err(Error::format(path, message))
        }
        None => Ok(grid),
    }
}

/// What an index says of the rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Index {
    /// They are in order: it counts up from 0 or 1.
    Counts,
    /// Which sample each row is.
    Names(Vec<String>),
    /// They are in an order of their own, which is unknown.
    Unknown(String),
}

/// Tells what a column whose heading is that of an index says of the rows.
pub(super) fn index(heading: &str, cells: Vec<String>) -> Index {
    // 007 is a name, 7.0 is how a column with a gap spells 7.
    let number = |cell: &String| {
        let number: u64 = cell.trim_end_matches(".0").parse().ok()?;
        (number.to_string() == cell.trim_end_matches(".0")).then_some(number)
    };
    let Some(numbers) = cells.iter().map(number).collect::<Option<Vec<u64>>>() else {
        return Index::Names(cells);
    };
    let start = numbers.first().copied().unwrap_or(0);
    let mut expected = start..;
    if start <= 1 && numbers.iter().all(|number| Some(*number) == expected.next()) {
        return Index::Counts;
    }
    let column = match is_unnamed(heading) {
        true => "a column without a name".to_owned(),
        false => format!("the column '{}'", excerpt(heading)),
    };
    Index::Unknown(format!(
        "{column} has numbers of rows that do not count up from 0 or 1, so it is unknown which samples the rows are; add a \
         column path"
    ))
}

fn without_first(grid: Grid) -> Grid {
    fn rest<T: bytemuck::Pod>(data: &Column<T>, cols: usize) -> Column<T> {
        data.chunks_exact(cols).flat_map(|row| &row[1..]).copied().collect()
    }
    let cols = grid.cols;
    Grid {
        numbers: match &grid.numbers {
            Numbers::Single(data) => Numbers::Single(rest(data, cols)),
            Numbers::Double(data) => Numbers::Double(rest(data, cols)),
        },
        rows: grid.rows,
        cols: cols - 1,
        names: grid.names.map(|names| names[1..].to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_counts_names_or_is_unknown() {
        let of = |cells: &[&str]| index("", cells.iter().map(|&cell| cell.to_owned()).collect());
        for counts in [&["0", "1", "2"][..], &["1", "2"], &["0.0", "1.0"], &[]] {
            assert_eq!(of(counts), Index::Counts, "{counts:?}");
        }
        for names in [&["cat/a.png", "1"][..], &["000", "001"], &["", "1"]] {
            assert!(matches!(of(names), Index::Names(_)), "{names:?}");
        }
        for unknown in [&["1", "0"][..], &["0", "2"], &["0", "0"], &["5", "6"]] {
            assert!(matches!(of(unknown), Index::Unknown(_)), "{unknown:?}");
        }
    }
}
