//! Columns of one table that share a heading, which can only be told apart by their numbers.

use crate::{Error, Result};
use chaffinch_protocol::display::{excerpt, listed};
use std::path::Path;

/// The other columns with the heading of this one.
fn others(headings: &[String], column: usize) -> Vec<usize> {
    (0..headings.len()).filter(|&other| other != column && headings[other] == headings[column]).collect()
}

/// The column of this number, counted from 1, if others have its heading and none is called like that.
pub(crate) fn by_number(headings: &[String], name: &str) -> Option<usize> {
    let column = name.parse::<usize>().ok()?.checked_sub(1)?;
    let called = headings.iter().any(|heading| heading == name);
    (!called && column < headings.len() && !others(headings, column).is_empty()).then_some(column)
}

/// Refuses a column that is needed if another one has its heading and differs. `asked` is what the user calls it, `option`
/// what chooses it by its number, if anything does.
///
/// # Errors
/// When there is such a column, with what to do.
pub(crate) fn refuse_differing(
    file: &Path,
    headings: &[String],
    column: usize,
    (asked, option): (Option<&str>, Option<&str>),
    mut differs: impl FnMut(usize) -> Result<bool>,
) -> Result<()> {
    if asked.is_some_and(|asked| by_number(headings, asked) == Some(column)) {
        return Ok(());
    }
    let mut all = others(headings, column);
    let mut any = false;
    for &other in &all {
        any = any || differs(other)?;
    }
    if !any {
        return Ok(());
    }
    all.push(column);
    all.sort_unstable();
    let last = all.last().map_or(1, |last| last + 1);
    let numbers: Vec<String> = all.iter().map(|column| (column + 1).to_string()).collect();
    let choose = option
        .map_or_else(String::new, |option| format!("choose one by its number, such as {option} {last}, or "));
    // Without an option, what is in them is not known.
    let differ = if option.is_some() { " and differ" } else { "" };
    let message = format!(
        "the columns {} are {} called '{}'{differ}; {choose}rename one of them",
        listed(&numbers, "and"),
        if numbers.len() == 2 { "both" } else { "all" },
        excerpt(&headings[column])
    );
    Err(Error::format(file, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_columns_that_share_a_heading_have_numbers() {
        let headings = ["path", "label", "label", "4"].map(str::to_owned);
        assert_eq!(by_number(&headings, "3"), Some(2));
        assert_eq!(by_number(&headings, "2"), Some(1));
        for none in ["1", "4", "0", "5", "label", "-2"] {
            assert_eq!(by_number(&headings, none), None, "{none}");
        }
    }
}
