//! Tables of ground truth.

use crate::headings::naming;
use crate::joiner::Joiner;
use crate::text::{TableText, broken};
use chaffinch_data::class_names;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::nearest::hint;
use chaffinch_data::{Error, Result};
use chaffinch_protocol::display::{counted, excerpt, excerpt_path, safe_path, safe_text};
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::evaluate::{MAX_KINDS, Truth};
use csv::ByteRecord;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
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
/// Where several samples have one path, its rows are about them in turn, and a single row is about all of them.
///
/// A column `copy_of` or `duplicate_of` has the path of the sample that an erroneous copy repeats, see
/// [`Truth::set_copy`].
///
/// # Errors
/// When the table cannot be read, a column is missing, a value cannot be parsed, two rows say different things of a sample, or no row
/// matches a sample.
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
    let names: Vec<Vec<u8>> =
        table.reader().byte_records().flatten().filter_map(|row| Some(row.get(paths)?.to_vec())).collect();
    joiner.learn(names.iter().map(Vec::as_slice));
    let mut labels_seen = LabelsSeen::default();
    let mut truth = Truth::unknown(manifest.len(), kinds.is_some());
    let too_many = || {
        let column = kinds.map_or("", |column| &headers[column]);
        Error::format(path, format!("column {column} has more than {MAX_KINDS} kinds"))
    };
    let mut told = Told::new(path, manifest, joiner.repeated());
    let names = |at: &usize| usual.contains(&headers[*at].as_str()) && *at != paths && Some(*at) != copies;
    let others: Vec<usize> = (0..headers.len()).filter(names).collect();
    let (mut rows, mut matched) = (0_u64, 0_usize);
    while reader.read_byte_record(&mut record).map_err(|error| broken(path, error))? {
        rows += 1;
        let line = table.line(&record);
        let value = |column: Option<usize>| column.and_then(|column| record.get(column)).unwrap_or_default();
        let written = value(Some(paths));
        // Bytes first: a path is what it is on the disk.
        let found = joiner.find(written).or_else(|| slashed(&mut joiner, &cells.decode(written)));
        let Some(found) = found else {
            truth.add_unmatched();
            continue;
        };
        for &other in &others {
            if let Some(id) = joiner.find(value(Some(other)))
                && manifest.path(id) != manifest.path(found)
            {
                let [one, two] = [found, id].map(|id| excerpt_path(manifest.path(id)));
                let [by, and] = [paths, other].map(|column| excerpt(&headers[column]).into_owned());
                let message = format!(
                    "line {line}: the columns '{by}' and '{and}' name different samples, {one} and {two}; leave out the one that \
                     does not name the samples"
                );
                return Err(Error::format(path, message));
            }
        }
        matched += 1;
        let row = Row {
            error: match errors {
                Some(_) => Some(boolean(value(errors)).ok_or_else(|| {
                    let text = String::from_utf8_lossy(value(errors)).into_owned();
                    Error::format(
                        path,
                        format!("line {line}: '{text}' is not a boolean: use 0, 1, false or true"),
                    )
                })?),
                None => None,
            },
            label: labels.map(|_| {
                let label = class_names::of_bytes(&cells.decode(value(labels)));
                class_names::clean(&label).into_owned()
            }),
            kind: kinds.map(|_| cells.text(value(kinds)).trim().to_owned()),
            copy_of: Some(value(copies).trim_ascii())
                .filter(|original| !original.is_empty())
                .and_then(|original| joiner.find(original)),
        };
        if let (None, Some(label)) = (row.error, &row.label) {
            labels_seen.add(label, manifest);
        }
        let Some(id) = told.about(found, line, &row)? else { continue };
        if !row.tell(id, manifest, &mut truth) {
            return Err(too_many());
        }
        told.keep(found, row);
    }
    for (id, row) in told.of_all() {
        if !row.tell(id, manifest, &mut truth) {
            return Err(too_many());
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
    truth.set_foreign(labels_seen.check(path, manifest)?);
    Ok(truth)
}

/// The sample of a path, which may have been written on Windows.
fn slashed(joiner: &mut Joiner<'_>, path: &[u8]) -> Option<SampleId> {
    let with_slashes =
        || path.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect::<Vec<u8>>();
    joiner.find(path).or_else(|| path.contains(&b'\\').then(|| joiner.find(&with_slashes()))?)
}

/// The sample that each of these names means by the rules for the paths of a truth: with exactly this path, the last if several have
/// it, or else the only one whose path ends with the name, or the other way round.
pub fn find(names: &[Vec<u8>], manifest: &Manifest) -> Vec<Option<SampleId>> {
    let mut joiner = Joiner::new(manifest);
    joiner.learn(names.iter().map(Vec::as_slice));
    names.iter().map(|name| slashed(&mut joiner, name)).collect()
}

/// What a row says.
#[derive(Hash)]
struct Row {
    /// In a table with a column of errors, whether it is one, if that is known.
    error: Option<Option<bool>>,
    label: Option<String>,
    kind: Option<String>,
    copy_of: Option<SampleId>,
}

impl Row {
    /// Adds it to the truth about a sample. Returns false if there would be too many kinds.
    fn tell(&self, id: SampleId, manifest: &Manifest, truth: &mut Truth) -> bool {
        let kind = self.kind.as_deref().filter(|kind| !NO_KIND.contains(&kind.to_lowercase().as_str()));
        let error = match (self.error, &self.label) {
            (Some(error), _) => error,
            (None, Some(label)) => {
                let given = manifest.label_name(id);
                (!label.is_empty() && !given.is_empty()).then_some(label != given)
            }
            (None, None) => Some(kind.is_some()),
        };
        truth.set(id, error);
        if let Some(original) = self.copy_of {
            truth.set_copy(id, original);
        }
        kind.is_none_or(|kind| truth.set_kind(id, &safe_text(kind)))
    }
}

/// Which samples rows were about already.
struct Told<'a> {
    path: &'a Path,
    manifest: &'a Manifest,
    /// The samples of each path that several have, by the one that is found for it.
    repeated: BTreeMap<SampleId, Vec<SampleId>>,
    /// For each sample the line of its row, 0 if it has none yet, and a hash of what the row says.
    rows: Vec<(u64, u64)>,
    /// The only row about several samples, by the one that is found for their path.
    alone: BTreeMap<SampleId, Row>,
}

impl<'a> Told<'a> {
    fn new(path: &'a Path, manifest: &'a Manifest, repeated: BTreeMap<SampleId, Vec<SampleId>>) -> Told<'a> {
        Told { path, manifest, repeated, rows: vec![(0, 0); manifest.len()], alone: BTreeMap::new() }
    }

    /// The sample that a row is about, of which one was `found` by its path; `None` if that is said already. Samples of one
    /// path have its rows in turn.
    ///
    /// # Errors
    /// When an earlier row said something else of the same sample.
    fn about(&mut self, found: SampleId, line: u64, row: &Row) -> Result<Option<SampleId>> {
        let mut hasher = DefaultHasher::new();
        row.hash(&mut hasher);
        let hash = hasher.finish();
        let samples = self.repeated.get(&found).map_or(std::slice::from_ref(&found), Vec::as_slice);
        if let Some(&free) = samples.iter().find(|id| self.rows[id.index()].0 == 0) {
            self.rows[free.index()] = (line, hash);
            return Ok(Some(free));
        }
        match samples.iter().map(|id| self.rows[id.index()]).find(|(_, other)| *other != hash) {
            None => Ok(None),
            Some((other, _)) => {
                let sample = excerpt_path(self.manifest.path(found));
                let message = format!(
                    "lines {other} and {line} say different things of {sample}; leave one of them out"
                );
                Err(Error::format(self.path, message))
            }
        }
    }

    /// Keeps the first row about several samples, unless another one is about them, too.
    fn keep(&mut self, found: SampleId, row: Row) {
        if let Some(samples) = self.repeated.get(&found) {
            match samples.iter().filter(|id| self.rows[id.index()].0 > 0).count() {
                1 => _ = self.alone.insert(found, row),
                _ => _ = self.alone.remove(&found),
            }
        }
    }

    /// Samples whose only row was told of another one of their path, with it.
    fn of_all(&self) -> impl Iterator<Item = (SampleId, &Row)> {
        let untold = |id: &SampleId| self.rows[id.index()].0 == 0;
        self.alone.iter().flat_map(move |(found, row)| {
            let samples = self.repeated.get(found).map_or(&[][..], Vec::as_slice);
            samples.iter().copied().filter(untold).map(move |id| (id, row))
        })
    }
}

/// Which labels of a truth are classes.
#[derive(Default)]
struct LabelsSeen {
    known: bool,
    unknown: BTreeSet<String>,
    /// Rows with these.
    rows: u64,
}

impl LabelsSeen {
    fn add(&mut self, label: &str, manifest: &Manifest) {
        if label.is_empty() {
            return;
        }
        if manifest.find_class(label).is_some() {
            self.known = true;
            return;
        }
        self.rows += 1;
        if self.unknown.len() < 4 {
            self.unknown.insert(label.to_owned());
        }
    }

    /// Labels none of which is a class are not truth about this dataset: numbers, say, where classes have names.
    /// Some are, as of pictures of something else, and are said.
    fn check(self, path: &Path, manifest: &Manifest) -> Result<Option<String>> {
        if self.unknown.is_empty() || manifest.classes().is_empty() {
            return Ok(None);
        }
        let listed = |names: &mut dyn Iterator<Item = &String>| {
            let names: Vec<String> = names.take(4).map(|name| format!("'{}'", excerpt(name))).collect();
            names.join(", ")
        };
        let (labels, classes) = (listed(&mut self.unknown.iter()), listed(&mut manifest.classes().iter()));
        if self.known {
            let rows = counted(self.rows, "row has a label that is", "rows have labels that are");
            return Ok(Some(format!(
                "{rows} no class of the dataset, and count as errors: {labels}; the classes are {classes}"
            )));
        }
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
