//! Columns in which a program wrote the numbers of rows.

use super::number;
use crate::headings::{PATHS, is_plain_index, is_unnamed, is_usual_index};
use crate::row_names::SideColumn;
use crate::text::as_whole;
use crate::{Error, Result};
use chaffinch_data::columns::Column;
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

/// Whether a program wrote what stands beside its rows under this heading: the index of a table of pandas, also after
/// `reset_index`.
pub(super) fn is_written(heading: &str) -> bool {
    is_plain_index(heading)
}

/// What such a column says of the rows: their names, or numbers that count up.
///
/// # Errors
/// When its numbers do not count up: the rows were put in another order, which other files do not have.
pub(super) fn names_in(path: &Path, cells: Vec<String>) -> Result<Option<Vec<String>>> {
    let number = |cell: &String| as_whole(cell).parse::<i64>().ok();
    let Some(numbers) = cells.iter().map(number).collect::<Option<Vec<i64>>>() else {
        // Other numbers are data, which are judged where they are read.
        let data = cells.iter().all(|cell| cell.parse::<f64>().is_ok());
        return Ok((!data).then_some(cells));
    };
    let start = numbers.first().copied().unwrap_or(0);
    if (0..=1).contains(&start) && (start..).zip(&numbers).all(|(expected, number)| expected == *number) {
        return Ok(None);
    }
    let message = "its index has numbers of rows that do not count up from 0 or 1, so it is unknown which rows of other \
                   files these are; name the rows in a column path, or save it without its index if they are in the same order";
    Err(Error::format(path, message))
}

/// What columns beside a matrix name its rows by: one of paths, or an index of names.
///
/// # Errors
/// As of [`names_in`].
pub(super) fn row_names(path: &Path, columns: &[SideColumn]) -> Result<Option<Vec<String>>> {
    let of = |name: &str| {
        columns.iter().find(|column| {
            let numbers = || column.cells.iter().all(|cell| cell.parse::<f64>().is_ok());
            column.heading.trim().eq_ignore_ascii_case(name) && !numbers()
        })
    };
    if let Some(named) = PATHS.into_iter().find_map(of) {
        return Ok(Some(named.cells.clone()));
    }
    match columns.iter().find(|column| is_written(&column.heading)) {
        Some(written) => names_in(path, written.cells.clone()),
        None => Ok(None),
    }
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
