//! CSV and TSV tables of images.

use super::{DatasetOptions, Format, Opened, extension};
use crate::{Error, Result};
use chaffinch_data::manifest::{ExtraColumn, Manifest, NewSample};
use chaffinch_protocol::display::{counted, safe_text};
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Ledger, RemarkKind};
use csv::ByteRecord;
use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "a .csv or .tsv table",
    summary: "a CSV or TSV table",
    details: "a header row, a column of paths, and optional columns of labels and splits; other columns are kept",
    detect: |file, _| delimiter(file).is_some(),
    read: |file, options| open(file, delimiter(file).unwrap_or(b','), options),
};

const PATH_NAMES: [&str; 5] = ["path", "image_path", "file", "filename", "image"];
const LABEL_NAMES: [&str; 5] = ["label", "class", "class_name", "category", "original_label"];
const SPLIT_NAMES: [&str; 2] = ["split", "subset"];

/// Which column is what.
struct TableColumns {
    path: usize,
    label: Option<usize>,
    split: Option<usize>,
}

/// The field delimiter, by the file's extension.
fn delimiter(file: &Path) -> Option<u8> {
    match extension(file)?.as_str() {
        "csv" => Some(b','),
        "tsv" | "tab" => Some(b'\t'),
        _ => None,
    }
}

/// Reads a table with a header. Columns that Chaffinch does not use are kept as text.
fn open(file: &Path, delimiter: u8, options: &DatasetOptions) -> Result<Opened> {
    let root = match &options.root {
        Some(root) => std::path::absolute(root).map_err(Error::io("find", root))?,
        None => file.parent().unwrap_or(Path::new("/")).to_path_buf(),
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_path(file)
        .map_err(|error| broken(file, error))?;
    let headings = headings(reader.byte_headers().map_err(|error| broken(file, error))?);
    let columns = TableColumns::find(file, &headings, options)?;
    let kept: Vec<usize> = (0..headings.len()).filter(|&column| !columns.has(column)).collect();
    let mut extra: Vec<ExtraColumn> = kept
        .iter()
        .map(|&column| ExtraColumn { name: headings[column].clone(), values: Vec::new() })
        .collect();

    let mut samples = Vec::new();
    let mut strange_splits: (u64, BTreeSet<String>) = Default::default();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| broken(file, error))? {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != headings.len() {
            let (has, expected) = (counted(record.len() as u64, "field", "fields"), headings.len());
            return Err(Error::format(file, format!("line {line} has {has}, but the header has {expected}")));
        }
        let path = &record[columns.path];
        if path.is_empty() || path.contains(&0) {
            let column = safe_text(&headings[columns.path]);
            return Err(Error::format(file, format!("line {line} has no path in column '{column}'")));
        }
        let text = |column: usize| String::from_utf8_lossy(&record[column]).into_owned();
        let label = columns.label.map(text).filter(|label| !label.is_empty());
        let split = columns.split.map(text).filter(|split| !split.is_empty());
        let split = split.map_or(Split::None, |name| {
            Split::from_name(name.trim()).unwrap_or_else(|| {
                strange_splits.0 += 1;
                if strange_splits.1.len() < 3 {
                    strange_splits.1.insert(name);
                }
                Split::None
            })
        });
        for (column, &index) in extra.iter_mut().zip(&kept) {
            column.values.push(text(index));
        }
        samples.push(NewSample { path: PathBuf::from(OsString::from_vec(path.to_vec())), label, split });
    }
    if samples.is_empty() {
        return Err(Error::Dataset {
            path: file.to_path_buf(),
            message: "the table has a header but no rows".into(),
        });
    }
    let mut ledger = Ledger { found: samples.len() as u64, ..Ledger::default() };
    if strange_splits.0 > 0 {
        let names: Vec<String> =
            strange_splits.1.iter().map(|name| format!("'{}'", safe_text(name))).collect();
        let rows = counted(strange_splits.0, "row has", "rows have");
        let text = format!("{rows} a split other than train, validation or test: {}", names.join(", "));
        ledger.add(RemarkKind::LayoutGuessed, strange_splits.0, text);
    }
    let different: HashSet<&Path> = samples.iter().map(|sample| sample.path.as_path()).collect();
    let repeated = (samples.len() - different.len()) as u64;
    if repeated > 0 {
        let rows = counted(repeated, "row repeats", "rows repeat");
        ledger.add(RemarkKind::RowsRepeated, repeated, format!("{rows} the path of an earlier row"));
    }
    if columns.label.is_none() {
        let text = "the table has no label column";
        ledger.add(RemarkKind::LabelsMissing, samples.len() as u64, text);
    }
    Ok(Opened { manifest: Manifest::new(root, samples).with_extra(extra), ledger })
}

/// Column names without byte order mark and surrounding whitespace.
fn headings(record: &ByteRecord) -> Vec<String> {
    let text = |field: &[u8]| String::from_utf8_lossy(field).trim_start_matches('\u{feff}').trim().to_owned();
    record.iter().map(text).collect()
}

impl TableColumns {
    fn find(file: &Path, headings: &[String], options: &DatasetOptions) -> Result<TableColumns> {
        let index = |name: &str| headings.iter().position(|heading| heading.eq_ignore_ascii_case(name));
        let among = || {
            let names: Vec<String> = headings.iter().map(|name| format!("'{}'", safe_text(name))).collect();
            names.join(", ")
        };
        let find = |asked: &Option<String>, usual: &[&str]| match asked {
            None => Ok(usual.iter().find_map(|name| index(name))),
            Some(name) => match headings.iter().position(|heading| heading == name).or_else(|| index(name)) {
                Some(column) => Ok(Some(column)),
                None => {
                    let message =
                        format!("there is no column '{}'; the columns are {}", safe_text(name), among());
                    Err(Error::format(file, message))
                }
            },
        };
        let Some(path) = find(&options.path_column, &PATH_NAMES)? else {
            let message = format!(
                "line 1 has no path column: rename a column to one of {}, or choose one with --path-column; the columns are {}",
                PATH_NAMES.join(", "),
                among()
            );
            return Err(Error::format(file, message));
        };
        let other = |column: Option<usize>| column.filter(|&column| column != path);
        let label = other(find(&options.label_column, &LABEL_NAMES)?);
        let split = other(find(&options.split_column, &SPLIT_NAMES)?);
        Ok(TableColumns { path, label, split })
    }

    fn has(&self, column: usize) -> bool {
        column == self.path || Some(column) == self.label || Some(column) == self.split
    }
}

fn broken(file: &Path, error: csv::Error) -> Error {
    let line = error.position().map(|position| format!("line {}: ", position.line())).unwrap_or_default();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => Error::io("read", file)(source),
        kind => Error::format(file, format!("{line}the table cannot be read ({kind:?})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_protocol::sample::SampleId;
    use std::fs;

    fn read(name: &str, text: impl AsRef<[u8]>, options: &DatasetOptions) -> Result<Opened> {
        let index = tempfile::tempdir().unwrap();
        let file = index.path().join(name);
        fs::write(&file, text).unwrap();
        // The files need not exist.
        super::super::list(&file, options).map(|(_, opened)| opened)
    }

    fn message(text: &str, options: &DatasetOptions) -> String {
        read("t.csv", text, options).unwrap_err().to_string()
    }

    #[test]
    fn columns_are_found_and_the_rest_is_kept() {
        let text = "\u{feff}Image_Path,class_name,subset,cluster,note\r\na/1.jpg,cat,train,0156,\"x, y\"\r\n/b/2.jpg,,,7,\r\n";
        let opened = read("t.csv", text, &DatasetOptions::default()).unwrap();
        let manifest = &opened.manifest;
        assert_eq!(manifest.len(), 2);
        assert_eq!((manifest.label_name(SampleId(0)), manifest.split(SampleId(0))), ("cat", Split::Train));
        assert_eq!((manifest.label(SampleId(1)), manifest.split(SampleId(1))), (None, Split::None));
        assert!(manifest.full_path(SampleId(0)).ends_with("a/1.jpg") && manifest.root().is_absolute());
        assert_eq!(manifest.full_path(SampleId(1)), Path::new("/b/2.jpg"));
        let column = |name: &str, values: [&str; 2]| ExtraColumn {
            name: name.into(),
            values: values.map(Into::into).into(),
        };
        assert_eq!(manifest.extra(), [column("cluster", ["0156", "7"]), column("note", ["x, y", ""])]);
        assert!(opened.ledger.is_empty(), "{:?}", opened.ledger);
    }

    #[test]
    fn columns_can_be_named() {
        let options = DatasetOptions {
            path_column: Some("where".into()),
            label_column: Some("what".into()),
            root: Some("/data".into()),
            ..DatasetOptions::default()
        };
        let opened = read("t.tsv", "label\twhere\twhat\n1\tx.png\tcat\n", &options).unwrap();
        assert_eq!(opened.manifest.full_path(SampleId(0)), Path::new("/data/x.png"));
        assert_eq!(opened.manifest.classes(), ["cat"]);
        assert_eq!(opened.manifest.extra()[0].name, "label");
        let missing = message("path,b\n1,2\n", &options);
        assert!(missing.contains("no column 'where'; the columns are 'path', 'b'"), "{missing}");
    }

    #[test]
    fn errors_name_the_line() {
        let options = DatasetOptions::default();
        assert!(
            message("path,label\na.jpg,x\n\"b\n.jpg\",y\nc.jpg\n", &options)
                .contains("line 5 has 1 field, but the header has 2")
        );
        assert!(
            message("path,label\na.jpg,x\n,y\n", &options).contains("line 3 has no path in column 'path'")
        );
        assert!(message("a,b\n1,2\n", &options).contains("line 1 has no path column"));
        assert!(message("path,label\n", &options).contains("no rows"));
    }

    #[test]
    fn bytes_and_strange_splits_pass() {
        let text = b"file,split\na\xff.jpg,extra\na\xff.jpg,Test\n\"new\nline.jpg\",test\n";
        let opened = read("t.csv", text, &DatasetOptions::default()).unwrap();
        assert_eq!(chaffinch_protocol::display::safe_path(opened.manifest.path(SampleId(0))), "a\\xff.jpg");
        assert_eq!(opened.manifest.path(SampleId(2)), Path::new("new\nline.jpg"));
        assert_eq!(opened.manifest.split(SampleId(1)), Split::Test);
        assert_eq!(opened.ledger.remarks.len(), 3, "{:?}", opened.ledger);
    }
}
