//! Tables of ground truth.

use crate::headings::naming;
use crate::joiner::Joiner;
use crate::text::{TableText, broken};
use chaffinch_data::class_names;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::nearest::hint;
use chaffinch_data::{Error, Result};
use chaffinch_protocol::display::{counted, excerpt, safe_path, safe_text};
use chaffinch_review::evaluate::{MAX_KINDS, Truth};
use csv::ByteRecord;
use std::collections::BTreeSet;
use std::path::Path;

/// Usual names of the column of paths that a message lists.
const SHOWN: usize = 8;
const ERRORS: [&str; 3] = ["is_error", "label_error", "error"];
const LABELS: [&str; 4] = ["true_label", "clean_label", "label", "class_name"];
const COPIES: [&str; 2] = ["copy_of", "duplicate_of"];
const KINDS: [&str; 6] = ["kind", "fault", "fault_kind", "error_type", "pollution_type", "issue_type"];
/// Values in a column of kinds for samples that are fine.
const NO_KIND: [&str; 5] = ["", "none", "clean", "fine", "ok"];

/// Reads a CSV table with a column of paths (`path`, `image_path`, `file_name`, ...) and either `is_error` (0, 1, true,
/// false) or the true label (`true_label`, `clean_label`, `label`, `class_name`). A row belongs to the sample with
/// exactly that path, or else to the only one whose path ends with it. Empty values mean unknown.
///
/// A column `kind` or `fault` names the kind of each error. Where there is neither `is_error` nor a label, a
/// sample is an error when it has a kind, other than `none`, `clean`, `fine` and `ok`.
///
/// A column `copy_of` or `duplicate_of` has the path of the sample that an erroneous copy repeats, see
/// [`Truth::set_copy`].
///
/// # Errors
/// When the table cannot be read, a column is missing, a value cannot be parsed, or no row matches a sample.
pub fn read(path: &Path, manifest: &Manifest) -> Result<Truth> {
    let table = TableText::read(path, b',')?;
    let mut reader = table.reader();
    let mut record = ByteRecord::new();
    reader.read_byte_record(&mut record).map_err(|error| broken(path, error))?;
    let headers: Vec<String> =
        record.iter().map(|name| String::from_utf8_lossy(name).trim().to_lowercase()).collect();
    let find =
        |names: &[&str]| names.iter().find_map(|name| headers.iter().position(|header| header == name));
    let missing = |what: &str, names: &[&str]| {
        let hint =
            headers.iter().map(|header| hint(header, names.iter().copied())).find(|hint| !hint.is_empty());
        let message = format!(
            "there is no column for {what}: name it {}{}; the columns are {}",
            names.join(" or "),
            hint.unwrap_or_default(),
            headers.iter().map(|name| format!("'{}'", excerpt(name))).collect::<Vec<_>>().join(", ")
        );
        Error::format(path, message)
    };
    let usual: Vec<&str> = naming().collect();
    let paths = find(&usual).ok_or_else(|| missing("paths", &usual[..SHOWN]))?;
    let (errors, labels, kinds) = (find(&ERRORS), find(&LABELS), find(&KINDS));
    let copies = find(&COPIES);
    if errors.is_none() && labels.is_none() && kinds.is_none() {
        return Err(missing("the ground truth", &[&ERRORS[..1], &LABELS[..]].concat()));
    }
    // Paths and labels of folders are compared byte by byte, whatever the rest of the table is.
    let cells = table.cells(path, |_, column| column == paths)?;
    let mut joiner = Joiner::new(manifest);
    let mut labels_seen = LabelsSeen::default();
    let mut truth = Truth::unknown(manifest.len(), kinds.is_some());
    let (mut rows, mut matched) = (0_u64, 0_usize);
    while reader.read_byte_record(&mut record).map_err(|error| broken(path, error))? {
        rows += 1;
        let line = table.line(&record);
        let value = |column: Option<usize>| column.and_then(|column| record.get(column)).unwrap_or_default();
        let written = value(Some(paths));
        // Bytes first: a path is what it is on the disk.
        let found = joiner.find(written).or_else(|| joiner.find(&cells.decode(written)));
        let Some(id) = found else {
            truth.add_unmatched();
            continue;
        };
        matched += 1;
        let error = if errors.is_some() {
            boolean(value(errors)).ok_or_else(|| {
                let text = String::from_utf8_lossy(value(errors)).into_owned();
                Error::format(
                    path,
                    format!("line {line}: '{text}' is not a boolean: use 0, 1, false or true"),
                )
            })?
        } else if labels.is_none() {
            Some(!NO_KIND.contains(&String::from_utf8_lossy(value(kinds)).trim().to_lowercase().as_str()))
        } else {
            let label = class_names::of_bytes(&cells.decode(value(labels)));
            let (label, given) = (class_names::clean(&label), manifest.label_name(id));
            labels_seen.add(&label, manifest);
            (!label.is_empty() && !given.is_empty()).then_some(label != given)
        };
        truth.set(id, error);
        let original = value(copies).trim_ascii();
        if !original.is_empty()
            && let Some(original) = joiner.find(original)
        {
            truth.set_copy(id, original);
        }
        if let Some(column) = kinds {
            let kind = cells.text(value(kinds));
            let kind = kind.trim();
            let none = NO_KIND.contains(&kind.to_lowercase().as_str());
            if !none && !truth.set_kind(id, &safe_text(kind)) {
                let column = &headers[column];
                let message = format!("column {column} has more than {MAX_KINDS} kinds");
                return Err(Error::format(path, message));
            }
        }
    }
    if matched == 0 {
        let example = manifest.ids().next().map(|id| safe_path(manifest.path(id)));
        let message = format!(
            "no sample matches a path in its {}; paths should look like {}",
            counted(rows, "row", "rows"),
            example.unwrap_or_default()
        );
        return Err(Error::format(path, message));
    }
    labels_seen.check(path, manifest)?;
    Ok(truth)
}

/// Which labels of a truth are classes.
#[derive(Default)]
struct LabelsSeen {
    known: bool,
    unknown: BTreeSet<String>,
}

impl LabelsSeen {
    fn add(&mut self, label: &str, manifest: &Manifest) {
        if label.is_empty() || self.known {
            return;
        }
        self.known = manifest.find_class(label).is_some();
        if !self.known && self.unknown.len() < 4 {
            self.unknown.insert(label.to_owned());
        }
    }

    /// Labels none of which is a class are no truth about this dataset: numbers, say, where classes have names.
    fn check(self, path: &Path, manifest: &Manifest) -> Result<()> {
        if self.known || self.unknown.is_empty() || manifest.classes().is_empty() {
            return Ok(());
        }
        let listed = |names: &mut dyn Iterator<Item = &String>| {
            let names: Vec<String> = names.take(4).map(|name| format!("'{}'", excerpt(name))).collect();
            names.join(", ")
        };
        let (labels, classes) = (listed(&mut self.unknown.iter()), listed(&mut manifest.classes().iter()));
        let message = format!(
            "none of its labels is a class of the dataset: it has {labels}, the classes are {classes}; write the names of classes"
        );
        Err(Error::format(path, message))
    }
}

/// `Some(None)` for an empty value.
fn boolean(value: &[u8]) -> Option<Option<bool>> {
    match value.trim_ascii().to_ascii_lowercase().as_slice() {
        b"" => Some(None),
        b"0" | b"false" | b"no" | b"0.0" => Some(Some(false)),
        b"1" | b"true" | b"yes" | b"1.0" => Some(Some(true)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
