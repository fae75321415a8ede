//! The rows of an export or a manifest, from CSV or JSON.

use super::super::json;
use super::super::people::Filled;
use super::super::{Read, Target, other_labels};
use super::filled;
use crate::dataset::{SPLIT_NAMES, split_named};
use crate::headings::PATHS;
use crate::row_splits::RowSplits;
use crate::text::{Sheet, file_names, is_missing};
use crate::{Error, Result};
use chaffinch_data::class_names;
use chaffinch_data::row_keys::ImageIds;
use chaffinch_protocol::display::{counted, excerpt, excerpt_path};
use chaffinch_protocol::sample::{SampleId, Split};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// One row.
#[derive(Debug)]
pub(in super::super) struct Record {
    /// The path as bytes; empty if there is none.
    path: Vec<u8>,
    /// What other columns of paths have; empty if nothing.
    others: Vec<Vec<u8>>,
    /// What the dataset's author calls it.
    id: String,
    split: Split,
    pub(super) issue: String,
    confidence: String,
    pub(super) suggested: String,
    pub(super) reason: String,
    /// The label that the sample had when the table was written; empty if it does not say.
    pub(super) original: String,
    /// The label beside the path; empty if there is none.
    pub(super) label: String,
    pub(super) filled: Filled,
    /// The line, or the number of the record.
    pub(super) line: u64,
}

/// All rows of a file.
#[derive(Debug)]
pub(in super::super) struct Records {
    pub(super) file: PathBuf,
    pub(super) all: Vec<Record>,
    /// What rows are counted in: lines or records.
    pub(super) unit: &'static str,
}

/// Whether a table is a manifest that people fill, such as the one that `export --format manifest` writes.
pub(in super::super) fn is_manifest(sheet: &Sheet) -> bool {
    sheet.column("user_action").is_some() || sheet.column("user_tags").is_some()
}

impl Record {
    fn new((path, others): (Vec<u8>, Vec<Vec<u8>>), line: u64, get: &dyn Fn(&[&str]) -> String) -> Record {
        let text = |names: &[&str]| get(names).trim().to_owned();
        let whole = |names: &[&str]| json::whole(&text(names)).to_owned();
        Record {
            path,
            others,
            id: whole(&["image_id", "id"]),
            split: split_named(&text(&SPLIT_NAMES)).unwrap_or_default(),
            issue: text(&["vl_flag_type", "issue_type", "flag"]),
            confidence: text(&["vl_confidence", "confidence"]),
            suggested: whole(&["vl_suggested_label", "suggested_label"]),
            reason: text(&["vl_reason", "reason"]),
            original: whole(&["original_label"]),
            label: whole(&["label"]),
            filled: filled(&text),
            line,
        }
    }
}

impl Records {
    pub(in super::super) fn of_sheet(sheet: &Sheet, target: &Target<'_>) -> Result<Records> {
        let path = match &target.path_column {
            Some(name) => Some(sheet.required(name)?),
            None => sheet.any_column(&PATHS),
        };
        if path.is_none() && sheet.any_column(&["image_id", "id"]).is_none() {
            return Err(sheet.without("image_path, path or image_id, which names the images"));
        }
        if !is_manifest(sheet) && sheet.any_column(&["vl_flag_type", "issue_type", "flag"]).is_none() {
            return Err(sheet.without("issue_type or user_action"));
        }
        let files = file_names(target.manifest);
        let asked = target.path_column.is_some();
        let columns = PATHS.iter().filter(|_| !asked).filter_map(|name| sheet.column(name));
        let others: Vec<usize> = columns.filter(|column| Some(*column) != path).collect();
        let record = |row: usize| {
            let get = |names: &[&str]| {
                // Labels may be bytes of folders' names.
                let column = sheet.any_column(names);
                match column
                    .map(|column| sheet.bytes(row, column))
                    .filter(|cell| std::str::from_utf8(cell).is_err())
                {
                    Some(cell) if names.contains(&"new_label") => class_names::of_bytes(cell),
                    _ => Some(sheet.text_of(row, column))
                        .filter(|text| !missing(names, text))
                        .unwrap_or_default(),
                }
            };
            let name = |column: usize| sheet.file_name(row, column, &files);
            let path = path.map(name).unwrap_or_default();
            Record::new((path, others.iter().copied().map(name).collect()), sheet.line(row), &get)
        };
        let all = (0..sheet.len()).map(record).collect();
        Records { file: sheet.path().to_path_buf(), all, unit: "line" }.checked()
    }

    pub(super) fn of_json(file: &Path, objects: &[Value], target: &Target<'_>) -> Records {
        let named: Vec<&str> = match &target.path_column {
            Some(name) => vec![name.as_str()],
            None => PATHS.to_vec(),
        };
        let record = |(object, number): (&Value, u64)| {
            let get = |names: &[&str]| {
                let found = names.iter().find_map(|name| object.get(*name));
                Some(json::text(found)).filter(|text| !missing(names, text)).unwrap_or_default()
            };
            let values: Vec<Vec<u8>> = named
                .iter()
                .map(|name| get(&[*name]).into_bytes())
                .filter(|value| !value.is_empty())
                .collect();
            let (path, others) = values
                .split_first()
                .map_or_else(Default::default, |(first, rest)| (first.clone(), rest.to_vec()));
            Record::new((path, others), number, &get)
        };
        let all = objects.iter().zip(1..).map(record).collect();
        Records { file: file.to_path_buf(), all, unit: "record" }
    }

    fn checked(self) -> Result<Records> {
        if self.all.is_empty() {
            return Err(Error::format(&self.file, "the table has a header but no rows"));
        }
        Ok(self)
    }

    /// Warns if most labels beside the paths are those of other classes than the samples have.
    pub(super) fn tell_other_labels(
        &self,
        samples: &[Option<SampleId>],
        target: &Target<'_>,
        read: &mut Read,
    ) {
        let rows = self.all.iter().zip(samples).map(|(record, sample)| {
            (String::from_utf8_lossy(&record.path), Cow::Borrowed(record.label.as_str()), *sample)
        });
        other_labels::tell((&self.file, "label"), rows, target, read);
    }

    /// The sample of each row: by its path, or by its id if it has no path.
    pub(super) fn samples(&self, target: &Target<'_>, read: &mut Read) -> Result<Vec<Option<SampleId>>> {
        if self.all.iter().any(|record| !record.path.is_empty()) {
            // Of rows with one path, the id says which is meant.
            let repeated = ImageIds::of(target.manifest).repeated();
            let name = |record: &Record| {
                let known = repeated.get(record.id.as_bytes());
                let path = |id| target.manifest.path(id).as_os_str().as_bytes();
                let key = known.filter(|(id, _)| path(*id) == record.path.as_slice()).map(|(_, key)| key);
                key.unwrap_or(&record.path).clone()
            };
            let names: Vec<Vec<u8>> = self.all.iter().map(name).collect();
            let splits = RowSplits::new(self.all.iter().map(|record| record.split));
            let mut samples = target.samples_in_turn(&self.file, (&names, splits.as_ref()), read)?;
            if let Some(splits) = splits {
                target.leave_other_splits(&self.file, &splits, &mut samples, read);
            }
            self.compare_ids(&samples, target, read);
            self.compare_paths(&samples, target)?;
            return Ok(samples);
        }
        let named = |name: &str| target.manifest.extra().iter().find(|column| column.name == name);
        if let Some(column) = named("image_id").or_else(|| named("id")) {
            let mut rows: HashMap<&str, Vec<u32>> = HashMap::new();
            for (value, row) in column.values.iter().zip(0..) {
                rows.entry(json::whole(value.trim())).or_default().push(row);
            }
            let found = |record: &Record| match rows.get(record.id.as_str()).map(Vec::as_slice) {
                Some([row]) => Some(SampleId(*row)),
                _ => None,
            };
            let found: Vec<Option<SampleId>> = self.all.iter().map(found).collect();
            if found.iter().any(Option::is_some) {
                let missing = found.iter().filter(|one| one.is_none()).count();
                if missing > 0 {
                    read.warnings.push(format!(
                        "the ids of {missing} of {} rows are those of no sample or of several",
                        found.len()
                    ));
                }
                return Ok(found);
            }
        }
        let names: Vec<Vec<u8>> = self.all.iter().map(|record| record.id.as_bytes().to_vec()).collect();
        target.samples(&self.file, &names, read)
    }

    /// Refuses rows that name one sample by one of their paths and another one by another: which of them was decided about is not
    /// known.
    fn compare_paths(&self, samples: &[Option<SampleId>], target: &Target<'_>) -> Result<()> {
        let most = self.all.iter().map(|record| record.others.len()).max().unwrap_or_default();
        for at in 0..most {
            let other = |record: &Record| record.others.get(at).cloned().unwrap_or_default();
            let names: Vec<Vec<u8>> = self.all.iter().map(other).collect();
            // What names no sample says nothing of these.
            let Ok(found) = target.samples_in_turn(&self.file, (&names, None), &mut Read::default()) else {
                continue;
            };
            for ((record, sample), other) in self.all.iter().zip(samples).zip(found) {
                if let (Some(one), Some(other)) = (*sample, other)
                    && target.manifest.path(one) != target.manifest.path(other)
                {
                    let [one, other] = [one, other].map(|id| excerpt_path(target.manifest.path(id)));
                    let message = format!(
                        "{} {}: two columns of paths name different samples, {one} and {other}; choose one with --path-column",
                        self.unit, record.line
                    );
                    return Err(Error::format(&self.file, message));
                }
            }
        }
        Ok(())
    }

    /// Says where an id is the path of another sample than that of its row.
    fn compare_ids(&self, samples: &[Option<SampleId>], target: &Target<'_>, read: &mut Read) {
        let by_path: HashMap<&[u8], SampleId> =
            target.manifest.ids().map(|id| (target.manifest.path(id).as_os_str().as_bytes(), id)).collect();
        let rows = self.all.iter().zip(samples).filter_map(|(record, sample)| Some((record, (*sample)?)));
        let mut wrong = rows.filter_map(|(record, id)| {
            let other = *by_path.get(record.id.as_bytes())?;
            let same = target.manifest.path(other) == target.manifest.path(id);
            (!same).then_some((record, id, other))
        });
        if let Some((record, id, other)) = wrong.next() {
            let rows = counted(1 + wrong.count() as u64, "row has", "rows have");
            read.warnings.push(format!(
                "{rows} an id that is the path of another sample, and was taken for that of its own path: {} {} is {} by its \
                 path and {} by its id",
                self.unit,
                record.line,
                excerpt_path(target.manifest.path(id)),
                excerpt_path(target.manifest.path(other)),
            ));
        }
    }

    /// How sure an issue is, 0 if it was not written.
    pub(super) fn confidence(&self, record: &Record) -> Result<f32> {
        if record.confidence.is_empty() {
            return Ok(0.0);
        }
        let number: Option<f32> =
            record.confidence.parse().ok().filter(|number| (0.0..=1.0).contains(number));
        number.ok_or_else(|| {
            let (unit, line, text) = (self.unit, record.line, excerpt(&record.confidence));
            Error::format(
                &self.file,
                format!("{unit} {line}: the confidence '{text}' is not a number from 0 to 1"),
            )
        })
    }
}

/// Whether a cell was empty before pandas wrote it. In a note or the name of a class it may be a word.
fn missing(names: &[&str], text: &str) -> bool {
    match names {
        ["new_label"] | ["notes", ..] | ["user_tags"] | ["reviewer"] => text.eq_ignore_ascii_case("nan"),
        _ => is_missing(text),
    }
}
