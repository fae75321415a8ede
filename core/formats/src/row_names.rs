//! Which column of a table says which sample each row is about, where none is called so: a column is known by what is in it.

use crate::headings::{is_index, is_unnamed, names_samples};
use crate::joiner::Joiner;
use chaffinch_compute::content::ContentHash;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{excerpt, listed};
use chaffinch_protocol::sample::SampleId;
use std::cmp::Reverse;
use std::collections::HashSet;

/// Rows of which none names a sample before a column is taken to name none.
const TRIED: usize = 1000;
/// Columns to name in a sentence.
const SHOWN: usize = 4;

/// A column beside the numbers that a table is read for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SideColumn {
    pub(crate) heading: String,
    pub(crate) cells: Vec<String>,
}

/// Which sample each row is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RowNames {
    /// What each row names; `None` if rows are in the order of the samples.
    pub(crate) ids: Option<Vec<String>>,
    /// How that was found, if the headings do not say it: a sentence that begins with the rows goes on with it.
    pub(crate) said: Option<String>,
}

/// Finds the column that names the samples of a dataset. `option` would name them in a file of its own.
///
/// # Errors
/// When columns say that the rows are in an order of their own, or contradict each other, with what to do.
pub(crate) fn find(side: Vec<SideColumn>, manifest: &Manifest, option: &str) -> Result<RowNames, String> {
    if side.is_empty() {
        return Ok(RowNames::default());
    }
    let mut joiner = Joiner::new(manifest);
    let judged: Vec<Judged> = side.iter().map(|column| Judged::of(column, &mut joiner, manifest)).collect();
    let taken = |at: usize, side: Vec<SideColumn>| {
        let heading = side[at].heading.clone();
        let said = format!("are named by the column {}", called(&heading));
        let said = (!names_samples(&heading) && !is_index(&heading)).then_some(said);
        RowNames { ids: side.into_iter().nth(at).map(|column| column.cells), said }
    };
    let order = |at: &usize| {
        let heading = &side[*at].heading;
        (!names_samples(heading), !is_index(heading), Reverse(judged[*at].matched), *at)
    };
    // Numbers may be the names of files as well as those of rows, whatever their order is.
    let of_rows = |at: usize| judged[at].of_rows && is_index(&side[at].heading) && !is_id(&side[at].heading);
    let naming = |&at: &usize| judged[at].names && !judged[at].counts && !of_rows(at);
    if let Some(at) = (0..side.len()).filter(naming).min_by_key(order) {
        return Ok(taken(at, side));
    }
    let both = |&at: &usize| judged[at].names && (judged[at].counts || of_rows(at)) && !judged[at].in_order;
    if let Some(at) = (0..side.len()).filter(both).min_by_key(order) {
        let heading = &side[at].heading;
        if !is_index(heading) || is_id(heading) {
            return Ok(taken(at, side));
        }
        return Err(format!(
            "the numbers in {} are names of pictures, which are in another order in the dataset, and may be the numbers of rows \
             as well; call the column path, or leave it out",
            column(heading)
        ));
    }
    for (at, beside) in side.iter().enumerate() {
        let heading = &beside.heading;
        if judged[at].counts || !(is_index(heading) || names_samples(heading)) {
            continue;
        }
        if judged[at].numbers {
            return Err(format!(
                "{} has numbers of rows that do not count up from 0 or 1, so it is unknown which samples the rows are; add a \
                 column path, or pass {option} FILE",
                column(heading)
            ));
        }
        return Ok(taken(at, side));
    }
    let others: Vec<String> = (0..side.len())
        .filter(|&at| judged[at].differ && !judged[at].numbers)
        .map(|at| called(&side[at].heading))
        .collect();
    let shown = &others[..others.len().min(SHOWN)];
    let said = format!(
        "are taken for the samples in the order of the dataset, as {} {} no samples",
        listed(shown, "and"),
        if shown.len() == 1 { "names" } else { "name" }
    );
    Ok(RowNames { ids: None, said: (!others.is_empty()).then_some(said) })
}

fn is_id(heading: &str) -> bool {
    heading.trim().eq_ignore_ascii_case("id")
}

fn called(heading: &str) -> String {
    if is_unnamed(heading) { "without a name".to_owned() } else { format!("'{}'", excerpt(heading)) }
}

fn column(heading: &str) -> String {
    if is_unnamed(heading) {
        "a column without a name".to_owned()
    } else {
        format!("the column {}", called(heading))
    }
}

/// What the cells of a column are.
struct Judged {
    /// Whether most of them name a sample each.
    names: bool,
    /// How many different ones do.
    matched: usize,
    /// Whether they name the samples in the order of the dataset.
    in_order: bool,
    /// Whether they are whole numbers.
    numbers: bool,
    /// Whether they count up from 0 or 1.
    counts: bool,
    /// Whether they are numbers of samples in the order of the dataset, counted from 0 or 1, in whatever order.
    of_rows: bool,
    /// Whether all of them are different.
    differ: bool,
}

impl Judged {
    fn of(column: &SideColumn, joiner: &mut Joiner<'_>, manifest: &Manifest) -> Judged {
        let cells = &column.cells;
        let numbers: Option<Vec<u64>> = cells.iter().map(|cell| number(cell)).collect();
        let counts = numbers.as_deref().is_some_and(|numbers| {
            let start = numbers.first().copied().unwrap_or(0);
            start <= 1 && (start..).zip(numbers).all(|(expected, number)| expected == *number)
        });
        let mut different: HashSet<&str> = HashSet::new();
        let (mut matched, mut in_order) = (0, cells.len() == manifest.len());
        for (row, cell) in (0_u32..).zip(cells) {
            let first = different.insert(cell);
            if row as usize >= TRIED && matched == 0 {
                in_order = false;
                continue;
            }
            let name = if numbers.is_some() { cell.trim_end_matches(".0") } else { cell.as_str() };
            let is_hash = name.to_lowercase().parse::<ContentHash>().is_ok();
            let found = if is_hash || name.is_empty() { Vec::new() } else { joiner.loosely(name) };
            matched += usize::from(first && (is_hash || !found.is_empty()));
            in_order &= found == [SampleId(row)];
        }
        let half = cells.len().div_ceil(2);
        let differ = different.len() == cells.len() && cells.len() > 1;
        Judged {
            names: matched > 0 && matched >= half,
            matched,
            in_order,
            numbers: numbers.is_some(),
            of_rows: numbers
                .is_some_and(|numbers| numbers.iter().all(|&number| number <= manifest.len() as u64)),
            counts,
            differ,
        }
    }
}

/// A whole number as programs write it: 007 is a name, 7.0 is how a column with a gap spells 7.
fn number(cell: &str) -> Option<u64> {
    let cell = cell.strip_suffix(".0").unwrap_or(cell);
    cell.parse::<u64>().ok().filter(|number| number.to_string() == cell)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::manifest::NewSample;
    use chaffinch_protocol::sample::Split;

    fn found(
        paths: &[&str],
        columns: &[(&str, &[&str])],
    ) -> Result<(Option<String>, Option<String>), String> {
        let sample = |path: &&str| NewSample { path: path.into(), label: None, split: Split::None };
        let manifest = Manifest::new("/data", paths.iter().map(sample));
        let texts = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect();
        let side = columns
            .iter()
            .map(|(heading, cells)| SideColumn { heading: (*heading).to_owned(), cells: texts(cells) })
            .collect();
        find(side, &manifest, "--ids").map(|RowNames { ids, said }| (ids.map(|ids| ids.join(" ")), said))
    }

    const PATHS: [&str; 3] = ["cat/a.jpg", "cat/b.jpg", "dog/c.jpg"];
    const NUMBERED: [&str; 3] = ["a/0.jpg", "a/10.jpg", "a/2.jpg"];

    #[test]
    fn a_column_is_known_by_what_is_in_it() {
        for cells in [
            &["dog/c.jpg", "cat/a.jpg", "cat/b.jpg"][..],
            &["c", "a", "b"],
            &["/x/dog/c.jpg", "a.jpg", "b.jpg"],
            &["c", "a", "?"],
        ] {
            let (ids, said) = found(&PATHS, &[("label", &["dog", "cat", "cat"]), ("uuid", cells)]).unwrap();
            assert_eq!(ids, Some(cells.join(" ")));
            assert_eq!(said.as_deref(), Some("are named by the column 'uuid'"));
        }
        // The usual names are preferred, and need not be said.
        let both: [(&str, &[&str]); 2] = [("x", &["a", "b", "c"]), ("key", &["c", "b", "a"])];
        assert_eq!(found(&PATHS, &both), Ok((Some("c b a".to_owned()), None)));
        let hash = "0".repeat(64);
        let hashes = [hash.as_str(), "1", "2"];
        assert_eq!(found(&PATHS, &[("md", &[&hash, &hash, &hash])]).unwrap().0, None);
        assert_eq!(found(&["a.jpg"], &[("md", &hashes[..1])]).unwrap().0, Some(hash.clone()));
    }

    #[test]
    fn rows_are_in_order_only_where_nothing_says_otherwise() {
        assert_eq!(found(&PATHS, &[]), Ok((None, None)));
        for index in ["", "index", "id", "image_id", "row", "n"] {
            for counting in [["0", "1", "2"], ["1", "2", "3"], ["0.0", "1.0", "2.0"]] {
                assert_eq!(found(&PATHS, &[(index, &counting)]), Ok((None, None)), "{index}");
            }
        }
        let (ids, said) =
            found(&PATHS, &[("label", &["cat", "cat", "dog"]), ("text", &["x", "y", "z"])]).unwrap();
        assert_eq!(ids, None);
        assert_eq!(
            said.as_deref(),
            Some("are taken for the samples in the order of the dataset, as 'text' names no samples")
        );
        for index in ["", "idx", "image_id"] {
            let error = found(&PATHS, &[(index, &["2", "0", "1"])]).unwrap_err();
            assert!(error.contains("do not count up from 0 or 1"), "{error}");
        }
        // Names that are none of the samples are for the reader of the names to refuse.
        assert_eq!(found(&PATHS, &[("id", &["x", "y", "z"])]).unwrap().0.as_deref(), Some("x y z"));
    }

    #[test]
    fn numbers_that_are_names_of_pictures_are_no_order() {
        for heading in ["id", "image_id", "uuid"] {
            assert_eq!(
                found(&NUMBERED, &[(heading, &["0", "2", "10"])]).unwrap().0.as_deref(),
                Some("0 2 10")
            );
        }
        let ten = [
            "a/0.jpg", "a/1.jpg", "a/10.jpg", "a/2.jpg", "a/3.jpg", "a/4.jpg", "a/5.jpg", "a/6.jpg",
            "a/7.jpg", "a/8.jpg", "a/9.jpg",
        ];
        let counting: Vec<String> = (0..11).map(|number| number.to_string()).collect();
        let counting: Vec<&str> = counting.iter().map(String::as_str).collect();
        for heading in ["id", "image_id", "name"] {
            assert!(found(&ten, &[(heading, &counting)]).unwrap().0.is_some(), "{heading}");
        }
        for heading in ["", "index", "__index_level_0__"] {
            let error = found(&ten, &[(heading, &counting)]).unwrap_err();
            assert!(
                error.contains("are names of pictures, which are in another order in the dataset"),
                "{error}"
            );
        }
        // Shuffled by the program that wrote them, they are as doubtful.
        let mut shuffled = counting.clone();
        shuffled.reverse();
        for heading in ["", "index", "__index_level_0__"] {
            let error = found(&ten, &[(heading, &shuffled)]).unwrap_err();
            assert!(error.contains("may be the numbers of rows as well"), "{error}");
        }
        assert_eq!(found(&ten, &[("image_id", &shuffled)]).unwrap().0, Some(shuffled.join(" ")));
        // Larger numbers are those of no rows.
        let large = ["a/2024.jpg", "a/2025.jpg"];
        assert_eq!(found(&large, &[("", &["2025", "2024"])]).unwrap().0.as_deref(), Some("2025 2024"));
        // In the order of the dataset it makes no difference.
        let same = ["a/0.jpg", "a/1.jpg", "a/2.jpg"];
        assert_eq!(found(&same, &[("", &["0", "1", "2"])]), Ok((None, None)));
    }
}
