//! Files beside the pictures that hold their labels and are read.

use crate::dataset::DatasetOptions;
use crate::dataset::choice;
use crate::dataset::table::LABEL_NAMES;
use crate::text::{TableText, broken, line};
use crate::{Error, Result};
use chaffinch_data::manifest::{ExtraColumn, NewSample};
use chaffinch_protocol::display::{counted, safe_path, safe_text};
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Ledger, RemarkKind};
use csv::ByteRecord;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Columns that may hold the path, relative to the table.
const PATHS: &[&str] = &["file_name", "image_file_name", "image"];

/// What files beside the pictures gave.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// The files that were read.
    pub(super) read: Vec<PathBuf>,
    /// Whether they have labels.
    pub(super) gives_labels: bool,
    /// Their other columns, one value per sample.
    pub(super) extra: Vec<ExtraColumn>,
}

/// A table beside the pictures.
struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// The column of labels among those that may be. Of several, it must not matter which one is meant.
    fn label(&self, file: &Path, columns: &[usize]) -> Result<Option<usize>> {
        let Some((&first, others)) = columns.split_first() else { return Ok(None) };
        for &other in others {
            let pairs: BTreeSet<(&str, &str)> =
                self.rows.iter().map(|row| (row[first].trim(), row[other].trim())).collect();
            let count =
                |column: usize| self.rows.iter().map(|row| row[column].trim()).collect::<BTreeSet<_>>().len();
            if count(first) != pairs.len() || count(other) != pairs.len() {
                let (one, other) = (safe_text(&self.headings[first]), safe_text(&self.headings[other]));
                let message = format!(
                    "the columns '{one}' and '{other}' may both hold the labels, and differ; choose one with --label-column"
                );
                return Err(Error::format(file, message));
            }
        }
        Ok(Some(first))
    }
}

impl Beside {
    /// Reads the tables that are known to go with pictures, and gives their labels to the samples below them. `tables`
    /// and `samples` are in byte order.
    ///
    /// # Errors
    /// When a table is malformed, or has several columns that may hold the labels.
    pub(super) fn read(
        root: &Path,
        tables: &[PathBuf],
        samples: &mut [NewSample],
        options: &DatasetOptions,
        ledger: &mut Ledger,
    ) -> Result<Beside> {
        let mut beside = Beside::default();
        let mut taken: BTreeSet<&Path> = BTreeSet::new();
        for path in tables {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
            let folder = path.parent().unwrap_or(Path::new(""));
            let full = root.join(path);
            match name.as_str() {
                "metadata.csv" | "metadata.jsonl" if !samples_below(samples, folder).is_empty() => {
                    let table = if name.ends_with("csv") { csv_table(&full)? } else { json_lines(&full)? };
                    if !taken.insert(folder) {
                        let text = format!("{} was not read: metadata.csv beside it was", safe_path(path));
                        ledger.add(RemarkKind::LabelsMissing, 1, text);
                        continue;
                    }
                    if beside.take(path, &full, &table, samples, options, ledger)? {
                        beside.read.push(path.clone());
                    }
                }
                "val_annotations.txt" if !samples_below(samples, folder).is_empty() => {
                    let read = beside.annotations(path, &full, samples, ledger)?;
                    beside.read.extend(read.then(|| path.clone()));
                }
                _ => {}
            }
        }
        Ok(beside)
    }

    /// Takes labels, splits and other columns from a table of the pictures below its folder. Returns whether it is one.
    fn take(
        &mut self,
        path: &Path,
        full: &Path,
        table: &Table,
        samples: &mut [NewSample],
        options: &DatasetOptions,
        ledger: &mut Ledger,
    ) -> Result<bool> {
        let column = |name: &str| table.headings.iter().position(|h| h.eq_ignore_ascii_case(name));
        let Some(file_name) = PATHS.iter().find_map(|name| column(name)) else {
            let text = format!("{} was not read: it has no column file_name", safe_path(path));
            ledger.add(RemarkKind::LabelsMissing, 1, text);
            return Ok(false);
        };
        let label = match &options.label_column {
            Some(name) => match column(name) {
                Some(column) => Some(column),
                None => {
                    let message = format!("there is no column '{}'", safe_text(name));
                    return Err(Error::format(full, message));
                }
            },
            None => {
                let named = choice::named(&table.headings, &LABEL_NAMES).into_iter();
                table.label(full, &named.filter(|&column| column != file_name).collect::<Vec<_>>())?
            }
        };
        let split = column(options.split_column.as_deref().unwrap_or("split"));
        let folder = path.parent().unwrap_or(Path::new(""));
        let below = samples_below(samples, folder);
        let (mut given, mut missing, mut repeated, mut replaced) = (BTreeSet::new(), 0_u64, 0_u64, 0_u64);
        let mut first_missing = None;
        if label.is_some() {
            self.gives_labels = true;
        } else if samples.iter().all(|sample| sample.label.is_none()) {
            let others: Vec<String> = (table.headings.iter().enumerate())
                .filter(|(column, _)| *column != file_name)
                .map(|(_, heading)| format!("'{}'", safe_text(heading)))
                .collect();
            let text = format!(
                "{} has no column called label or the like; --label-column chooses one: {}",
                safe_path(path),
                others.join(", ")
            );
            ledger.add(RemarkKind::LabelsMissing, u64::from(!others.is_empty()), text);
        }
        let mut labels: BTreeMap<usize, Option<String>> = BTreeMap::new();
        for row in &table.rows {
            let Some(picture) = resolve(folder, &row[file_name]) else { continue };
            let Ok(index) = samples.binary_search_by(|sample| in_bytes(&sample.path, &picture)) else {
                missing += 1;
                first_missing.get_or_insert(picture);
                continue;
            };
            if !given.insert(index) {
                repeated += 1;
                continue;
            }
            if let Some(label) = label {
                let text = row[label].trim();
                labels.insert(index, (!text.is_empty()).then(|| text.to_owned()));
            }
            if let Some(split) = split
                && samples[index].split == Split::None
            {
                samples[index].split = Split::from_name(row[split].trim()).unwrap_or_default();
            }
            for (column, heading) in table.headings.iter().enumerate() {
                if column == file_name || Some(column) == label || Some(column) == split {
                    continue;
                }
                self.extra_column(heading, samples.len()).values[index].clone_from(&row[column]);
            }
        }
        let shown = safe_path(path);
        if label.is_some() {
            for index in below.clone() {
                let new = labels.remove(&index).flatten();
                replaced += u64::from(samples[index].label.is_some() && samples[index].label != new);
                samples[index].label = new;
            }
            let count = given.len() as u64;
            let mut text =
                format!("the labels of {} were read from {shown}", counted(count, "image", "images"));
            if replaced > 0 {
                let folders = counted(replaced, "label", "labels");
                text += &format!("; {folders} differ from the class folders");
            }
            ledger.add(RemarkKind::LayoutGuessed, count, text);
        }
        let without = below.filter(|index| !given.contains(index)).count() as u64;
        let images = counted(without, "image has", "images have");
        ledger.add(RemarkKind::LabelsMissing, without, format!("{images} no row in {shown}"));
        if let Some(first) = first_missing {
            let rows = counted(missing, "row of", "rows of");
            let name = if missing == 1 { "names a file that is" } else { "name files that are" };
            let text = format!("{rows} {shown} {name} missing: {}", safe_path(&first));
            ledger.add(RemarkKind::FilesMissing, missing, text);
        }
        let rows = counted(repeated, "row of", "rows of");
        let verb = if repeated == 1 { "repeats" } else { "repeat" };
        ledger.add(RemarkKind::RowsRepeated, repeated, format!("{rows} {shown} {verb} an earlier file"));
        Ok(true)
    }

    fn extra_column(&mut self, name: &str, samples: usize) -> &mut ExtraColumn {
        let at = self.extra.iter().position(|column| column.name == name).unwrap_or_else(|| {
            let values = vec![String::new(); samples];
            self.extra.push(ExtraColumn { name: name.to_owned(), values });
            self.extra.len() - 1
        });
        &mut self.extra[at]
    }

    /// Takes labels from lines of a file name, a tab and a class, as Tiny ImageNet has them. Returns whether it has any.
    fn annotations(
        &mut self,
        path: &Path,
        full: &Path,
        samples: &mut [NewSample],
        ledger: &mut Ledger,
    ) -> Result<bool> {
        let text = fs::read_to_string(full).map_err(Error::io("read", full))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut count = 0;
        for line in text.lines() {
            let mut fields = line.split('\t');
            let (Some(name), Some(class)) = (fields.next(), fields.next()) else { continue };
            let places = [folder.join(name), folder.join("images").join(name)];
            for picture in places {
                if let Ok(index) = samples.binary_search_by(|sample| in_bytes(&sample.path, &picture)) {
                    samples[index].label = Some(class.trim().to_owned());
                    count += 1;
                }
            }
        }
        let images = counted(count, "image", "images");
        let text = format!("the labels of {images} were read from {}", safe_path(path));
        ledger.add(RemarkKind::LayoutGuessed, count, text);
        Ok(count > 0)
    }
}

/// The rows of the samples below a folder.
fn samples_below(samples: &[NewSample], folder: &Path) -> std::ops::Range<usize> {
    if folder.as_os_str().is_empty() {
        return 0..samples.len();
    }
    // In byte order, other names may stand between a folder's own pictures, such as `a-b` between `a` and `a/b`.
    let mut prefix = folder.as_os_str().as_encoded_bytes().to_vec();
    prefix.push(b'/');
    let bytes = |sample: &NewSample| sample.path.as_os_str().as_encoded_bytes().to_vec();
    let start = samples.partition_point(|sample| bytes(sample) < prefix);
    let end = samples.partition_point(|sample| {
        let path = bytes(sample);
        path < prefix || path.starts_with(&prefix)
    });
    start..end
}

fn in_bytes(a: &Path, b: &Path) -> std::cmp::Ordering {
    a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes())
}

/// The path of a picture that a table names, relative to the dataset; `None` if it leads out of it.
fn resolve(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut path = folder.to_path_buf();
    for part in Path::new(name.trim()).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

fn csv_table(file: &Path) -> Result<Table> {
    let table = TableText::read(file, b',')?;
    let cells = table.cells(file, |_, _| false)?;
    let mut reader = table.reader();
    let mut record = ByteRecord::new();
    let mut next =
        |record: &mut ByteRecord| reader.read_byte_record(record).map_err(|error| broken(file, error));
    next(&mut record)?;
    let headings: Vec<String> = record.iter().map(|cell| cells.text(cell).trim().to_owned()).collect();
    let mut rows = Vec::new();
    while next(&mut record)? {
        if record.len() != headings.len() {
            let (line, has) = (line(&record), counted(record.len() as u64, "field", "fields"));
            let message = format!("line {line} has {has}, but the header has {}", headings.len());
            return Err(Error::format(file, message));
        }
        rows.push(record.iter().map(|cell| cells.text(cell).into_owned()).collect());
    }
    Ok(Table { headings, rows })
}

/// One JSON object per line.
fn json_lines(file: &Path) -> Result<Table> {
    let text = fs::read_to_string(file).map_err(Error::io("read", file))?;
    let mut headings: Vec<String> = Vec::new();
    let mut objects = Vec::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let value: Value = serde_json::from_str(line)
            .map_err(|error| Error::format(file, format!("line {}: {error}", number + 1)))?;
        let Value::Object(object) = value else {
            return Err(Error::format(file, format!("line {} is not a JSON object", number + 1)));
        };
        for name in object.keys() {
            if !headings.contains(name) {
                headings.push(name.clone());
            }
        }
        objects.push(object);
    }
    let words = |value: Option<&Value>| match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let row = |object: &serde_json::Map<String, Value>| {
        headings.iter().map(|name| words(object.get(name))).collect()
    };
    Ok(Table { rows: objects.iter().map(row).collect(), headings: headings.clone() })
}
