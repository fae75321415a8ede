//! Columns of a table by their names: which is meant where several would do.

use super::DatasetOptions;
use super::split_columns::{Held, SPLIT_NAMES};
use crate::same_headings;
use crate::{Error, Result};
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{excerpt, listed, safe_path};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Names to show in a remark.
const SHOWN: usize = 3;
/// Columns that a message lists.
const LISTED: usize = 30;
/// Rows whose files are looked for.
const TRIED: usize = 20;

/// Columns that may hold the paths, in this order.
pub(super) const PATH_NAMES: [&str; 18] = [
    "path",
    "image_path",
    "file",
    "filename",
    "image",
    "file_name",
    "file_path",
    "filepath",
    "img_path",
    "image_file",
    "image_name",
    "img",
    "img_name",
    "image_filename",
    "relpath",
    "rel_path",
    "relative_path",
    "full_path",
];
/// Columns of a table beside pictures that may hold the path, relative to the table.
pub(super) const BESIDE_PATHS: &[&str] = &["file_name", "image_file_name", "image"];
/// Columns that may hold the labels, in this order.
pub(crate) const LABEL_NAMES: [&str; 6] = ["label", "class", "class_name", "category", "labels", "target"];
/// Taken for the label only where no other column is.
pub(super) const LAST_LABELS: [&str; 6] =
    ["original_label", "choice", "label_name", "class_label", "ground_truth", "gt_label"];

/// Whether a table beside pictures with a column of this name, in lower case, is read for more than its values.
pub(crate) fn is_known_column(name: &str) -> bool {
    name == "split" || LABEL_NAMES.contains(&name) || BESIDE_PATHS.contains(&name)
}

/// Which column is what.
pub(super) struct Columns {
    pub(super) path: usize,
    pub(super) label: Option<usize>,
    pub(super) split: Option<usize>,
}

/// One row of a table.
pub(super) trait Row {
    /// The bytes of a cell, if the row has it.
    fn cell(&self, column: usize) -> Option<&[u8]>;
}

/// The rows of a table.
pub(super) trait Records {
    /// Calls `row` with one after the other, until it returns false.
    ///
    /// # Errors
    /// When the table cannot be read.
    fn each(&self, row: &mut dyn FnMut(&dyn Row) -> bool) -> Result<()>;
}

/// The columns with one of the usual names, in the order of these names.
pub(super) fn named(headings: &[String], usual: &[&str]) -> Vec<usize> {
    let of = |name: &&str| {
        let name = (*name).to_owned();
        (0..headings.len()).filter(move |&column| headings[column].eq_ignore_ascii_case(&name))
    };
    usual.iter().flat_map(of).collect()
}

/// The columns of exactly this name; if there is none, those that differ in case, or the one of this number where several
/// share their heading.
pub(super) fn asked(headings: &[String], name: &str) -> Vec<usize> {
    let exact: Vec<usize> = (0..headings.len()).filter(|&column| headings[column] == name).collect();
    let found = if exact.is_empty() { named(headings, &[name]) } else { exact };
    if found.is_empty() { same_headings::by_number(headings, name).into_iter().collect() } else { found }
}

/// Says which columns there are.
pub(super) fn among(headings: &[String]) -> String {
    let mut names: Vec<String> =
        headings.iter().take(LISTED).map(|name| format!("'{}'", excerpt(name))).collect();
    if headings.len() > LISTED {
        names.push(format!("and {} more", headings.len() - LISTED));
    }
    match headings.len() {
        1 if headings[0].starts_with('#') => {
            format!("the first line is {}, where the names of the columns are to be: remove it", names[0])
        }
        1 => format!("the only column is {}", names[0]),
        _ => format!("the columns are {}", names.join(", ")),
    }
}

/// `'a', 'b', 'c', …`.
pub(super) fn quoted_names(names: &[String]) -> String {
    let all: Vec<String> = names.iter().take(SHOWN).map(|name| format!("'{}'", excerpt(name))).collect();
    format!("{}{}", all.join(", "), if names.len() > SHOWN { ", …" } else { "" })
}

/// What is to be said where two columns may be meant and differ: the first was taken.
pub(super) fn doubt(file: &Path, what: &str, first: &str, other: &str) -> String {
    let (file, first, other) = (safe_path(file), excerpt(first), excerpt(other));
    format!(
        "the columns '{first}' and '{other}' of {file} may both hold the {what}s, and differ: '{first}' was taken; \
         --{what}-column chooses"
    )
}

/// What is to be said where others divide the images as the column does that was taken.
pub(super) fn alike(what: &str, taken: &str, others: &str, many: bool) -> String {
    let divide = if many { "divide" } else { "divides" };
    format!(
        "the {what}s were taken from the column {taken}, not from {others}, which {divide} the images alike; \
         --{what}-column chooses"
    )
}

/// What is to be said where two fields of samples may be meant, of which the first was taken.
pub(super) fn doubt_of_fields(file: &str, first: &str, other: &str) -> String {
    let (first, other) = (excerpt(first), excerpt(other));
    format!(
        "the fields '{first}' and '{other}' of {file} may both hold the labels: '{first}' was taken; --label-column \
         chooses"
    )
}

/// A table whose columns are to be chosen.
pub(super) struct Choices<'a> {
    pub(super) file: &'a Path,
    pub(super) records: &'a dyn Records,
    pub(super) headings: &'a [String],
    /// What is said to a table without a column of paths: what its beginning looks like.
    pub(super) start: &'a str,
}

/// What was chosen where several columns would do.
pub(super) type Chosen = Vec<(RemarkKind, String)>;

impl Choices<'_> {
    /// Finds the columns, and says what was chosen where several would do.
    ///
    /// # Errors
    /// When a column that was asked for is not there, there is none of paths, or several have different ones.
    pub(super) fn find(&self, options: &DatasetOptions, root: &Path) -> Result<(Columns, Chosen)> {
        let headings = self.headings;
        let mut chosen = Vec::new();
        let candidates = |wish: &Option<String>, usual: &[&str]| match wish {
            None => Ok(named(headings, usual)),
            Some(name) => match asked(headings, name).as_slice() {
                [] => {
                    let message = format!("there is no column '{}'; {}", excerpt(name), among(headings));
                    Err(Error::format(self.file, message))
                }
                found => Ok(found.to_vec()),
            },
        };
        let mut paths = candidates(&options.path_column, &PATH_NAMES)?;
        if paths.is_empty() {
            paths.extend(self.inside_of_objects(&PATH_NAMES, "path", &mut chosen));
        }
        if paths.is_empty() {
            let bare = headings.iter().any(|heading| super::is_image(Path::new(heading)));
            let advice = match bare {
                true => format!(
                    "{} looks like a row of data: add a header line with a column called path",
                    self.start
                ),
                false => format!(
                    "{} has no path column: rename a column to one of {}, or choose one with --path-column",
                    self.start,
                    PATH_NAMES.join(", ")
                ),
            };
            return Err(Error::format(self.file, format!("{advice}; {}", among(headings))));
        }
        let path = self.path(&paths, root, &mut chosen)?;
        self.refuse_differing(path, "path", &options.path_column)?;
        let others =
            |found: Vec<usize>| -> Vec<usize> { found.into_iter().filter(|&one| one != path).collect() };
        let mut labels = others(candidates(&options.label_column, &LABEL_NAMES)?);
        if labels.is_empty() && options.label_column.is_none() {
            labels = others(named(headings, &LAST_LABELS));
            labels.truncate(1);
            if labels.is_empty() {
                labels.extend(self.inside_of_objects(&LABEL_NAMES, "label", &mut chosen));
            }
        }
        if let Some(&label) = labels.first() {
            self.refuse_differing(label, "label", &options.label_column)?;
        }
        let label = self.one(&labels, "label", &mut chosen)?;
        let mut splits: Vec<usize> = others(candidates(&options.split_column, &SPLIT_NAMES)?)
            .into_iter()
            .filter(|&one| Some(one) != label)
            .collect();
        if splits.is_empty() && options.split_column.is_none() {
            splits.extend(self.inside_of_objects(&SPLIT_NAMES, "split", &mut chosen));
        }
        if let Some(&split) = splits.first() {
            self.refuse_differing(split, "split", &options.split_column)?;
        }
        let mut split = self.one(&splits, "split", &mut chosen)?;
        if split.is_none() && options.split_column.is_none() {
            let maybe: Vec<usize> =
                self.splits()?.into_iter().filter(|&one| one != path && Some(one) != label).collect();
            split = self.one(&maybe, "split", &mut chosen)?;
            if let ([_], Some(split)) = (maybe.as_slice(), split) {
                let text = format!(
                    "the splits were taken from the column {}; --split-column chooses another",
                    self.names(&[split])
                );
                chosen.push((RemarkKind::LayoutGuessed, text));
            }
        }
        Ok((Columns { path, label, split }, chosen))
    }

    /// The only column that is called like a field inside of an object with one of the usual names: `annotation.label`. It is
    /// for where no other column is called so.
    fn inside_of_objects(&self, usual: &[&str], what: &str, chosen: &mut Chosen) -> Option<usize> {
        let is = |column: &usize| {
            let last = self.headings[*column].trim().rsplit_once('.').map(|(_, last)| last);
            last.is_some_and(|last| usual.iter().any(|name| last.eq_ignore_ascii_case(name)))
        };
        let mut found = (0..self.headings.len()).filter(is);
        let column = found.next().filter(|_| found.next().is_none())?;
        let text = format!(
            "the {what}s were taken from the column {}; --{what}-column chooses another",
            self.names(&[column])
        );
        chosen.push((RemarkKind::LayoutGuessed, text));
        Some(column)
    }

    /// Refuses a column that shares its heading with one that differs, unless its number was asked for.
    ///
    /// # Errors
    /// When there is such a column, or the table cannot be read.
    fn refuse_differing(&self, column: usize, what: &str, asked: &Option<String>) -> Result<()> {
        let option = format!("--{what}-column");
        let how = (asked.as_deref(), Some(option.as_str()));
        same_headings::refuse_differing(self.file, self.headings, column, how, |other| {
            let mut differ = false;
            self.records.each(&mut |row| {
                let cell = |column| row.cell(column).map(<[u8]>::trim_ascii);
                differ = cell(column) != cell(other);
                !differ
            })?;
            Ok(differ)
        })
    }

    /// Columns that hold splits and nothing else.
    ///
    /// # Errors
    /// If the table cannot be read.
    fn splits(&self) -> Result<Vec<usize>> {
        let mut held: Vec<Held> = self.headings.iter().map(|heading| Held::new(heading)).collect();
        self.records.each(&mut |row| {
            let mut any = false;
            for (column, held) in held.iter_mut().enumerate() {
                any |= held.see(&String::from_utf8_lossy(row.cell(column).unwrap_or_default()));
            }
            any
        })?;
        Ok((0..held.len()).filter(|&column| held[column].is_of_splits()).collect())
    }

    /// The column of paths: of several, the one whose files exist below the root. `chosen` gets a sentence if there was a
    /// choice.
    ///
    /// # Errors
    /// If the files of several exist, and they differ.
    fn path(&self, candidates: &[usize], root: &Path, chosen: &mut Chosen) -> Result<usize> {
        let first = candidates.first().copied().unwrap_or_default();
        if candidates.len() < 2 {
            return Ok(first);
        }
        let mut exists = vec![false; candidates.len()];
        let mut same = true;
        let mut tried = 0;
        self.records.each(&mut |row| {
            for (exists, &column) in exists.iter_mut().zip(candidates) {
                let Some(cell) = row.cell(column).filter(|cell| !cell.is_empty() && !cell.contains(&0))
                else {
                    continue;
                };
                same &= Some(cell) == row.cell(first);
                *exists |= root.join(OsStr::from_bytes(cell)).is_file();
            }
            tried += 1;
            tried < TRIED
        })?;
        let there: Vec<usize> = candidates
            .iter()
            .zip(&exists)
            .filter(|(_, exists)| **exists)
            .map(|(&column, _)| column)
            .collect();
        match there.as_slice() {
            // That none of the files exists is said when they are looked for.
            _ if same => Ok(first),
            [] => Ok(first),
            [one] => {
                let rest: Vec<usize> = candidates.iter().copied().filter(|column| column != one).collect();
                let text = format!(
                    "the paths were taken from the column {}, not from {}, whose files do not exist",
                    self.names(&[*one]),
                    self.names(&rest)
                );
                chosen.push((RemarkKind::LayoutGuessed, text));
                Ok(*one)
            }
            several => {
                let names = self.names(several);
                let message = format!(
                    "the columns {names} may both hold the paths, and name different files; choose one with --path-column"
                );
                Err(Error::format(self.file, message))
            }
        }
    }

    /// The column of labels or splits: of several, the first. `chosen` gets a sentence, which is a warning if they do not
    /// divide the rows alike.
    ///
    /// # Errors
    /// If the table cannot be read.
    fn one(&self, candidates: &[usize], what: &str, chosen: &mut Chosen) -> Result<Option<usize>> {
        let Some((&first, others)) = candidates.split_first() else { return Ok(None) };
        if others.is_empty() {
            return Ok(Some(first));
        }
        chosen.push(match self.difference(first, others)? {
            Some(other) => {
                let text = doubt(self.file, what, &self.headings[first], &self.headings[other]);
                (RemarkKind::LayoutDoubtful, text)
            }
            None => {
                let text = alike(what, &self.names(&[first]), &self.names(others), others.len() > 1);
                (RemarkKind::LayoutGuessed, text)
            }
        });
        Ok(Some(first))
    }

    /// The first of the other columns that does not stand for this one, row by row.
    fn difference(&self, first: usize, others: &[usize]) -> Result<Option<usize>> {
        let mut there: Vec<HashMap<Vec<u8>, Vec<u8>>> = vec![HashMap::new(); others.len()];
        let mut back = there.clone();
        let mut different = None;
        self.records.each(&mut |row| {
            for (place, &column) in others.iter().enumerate() {
                let (Some(one), Some(other)) = (row.cell(first), row.cell(column)) else { continue };
                let (one, other) = (one.trim_ascii().to_vec(), other.trim_ascii().to_vec());
                let known = there[place].entry(one.clone()).or_insert_with(|| other.clone()) == &other;
                let again = back[place].entry(other).or_insert_with(|| one.clone()) == &one;
                if !known || !again {
                    different = Some(column);
                    return false;
                }
            }
            true
        })?;
        Ok(different)
    }

    /// `'a', 'b' and 'c'`.
    fn names(&self, columns: &[usize]) -> String {
        let name = |&column: &usize| {
            let name = &self.headings[column];
            let again = self.headings.iter().filter(|heading| *heading == name).count() > 1;
            let place = if again { format!(" (column {})", column + 1) } else { String::new() };
            format!("'{}'{place}", excerpt(name))
        };
        let all: Vec<String> = columns.iter().map(name).collect();
        listed(&all, "and")
    }
}
