//! CSV and TSV tables of images.

use super::choice::{self, Choices, Chosen, LABEL_NAMES};
use super::rows::Rows;
use super::{ClassNames, DatasetOptions, Format, Opened, extension};
use crate::text::{Cells, TableText, broken, delimiter_words, line, windows_or_latin};
use crate::{Error, Result};
use chaffinch_data::as_written::TableForm;
use chaffinch_data::class_names;
use chaffinch_data::manifest::ExtraColumn;
use chaffinch_protocol::display::{counted, safe_path, safe_text};
use chaffinch_protocol::{Ledger, RemarkKind};
use csv::ByteRecord;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "a .csv or .tsv table",
    summary: "a CSV or TSV table",
    details: "a header row, a column of paths, and optional columns of labels and splits; other columns are kept",
    written: "`cleaned-table` writes the same table with what was decided",
    lost: "columns of 0 and 1 for each class are not labels",
    class_names: ClassNames::Written,
    detect: |candidate| candidate.has_extension(&["csv", "tsv", "tab"]),
    read: |candidate, options| {
        let file = candidate.path();
        open(file, delimiter(file).unwrap_or(b','), options)
    },
};

pub(super) const PATH_NAMES: [&str; 13] = [
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
];
/// Taken for the label only where no other column is.
const LAST_LABEL: &str = "original_label";
pub(super) const SPLIT_NAMES: [&str; 2] = ["split", "subset"];

/// Names to show in a remark.
const SHOWN: usize = 3;
/// Paths to look for on the disk, to learn how their bytes are meant.
const TRIED: usize = 20;

/// Which column is what.
struct TableColumns {
    path: usize,
    label: Option<usize>,
    split: Option<usize>,
}

/// The usual field delimiter, by the file's extension.
fn delimiter(file: &Path) -> Option<u8> {
    match extension(file)?.as_str() {
        "csv" => Some(b','),
        "tsv" | "tab" => Some(b'\t'),
        _ => None,
    }
}

/// Reads a table with a header; `usual` is the delimiter to expect. Columns that Chaffinch does not use are kept as
/// text.
fn open(file: &Path, usual: u8, options: &DatasetOptions) -> Result<Opened> {
    let root = match &options.root {
        Some(root) => std::path::absolute(root).map_err(Error::io("find", root))?,
        None => file.parent().unwrap_or(Path::new("/")).to_path_buf(),
    };
    let table = TableText::read(file, usual)?;
    let mut reader = table.reader();
    let mut record = ByteRecord::new();
    reader.read_byte_record(&mut record).map_err(|error| broken(file, error))?;
    let named: Vec<String> =
        record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
    let (columns, chosen) = TableColumns::find(file, &named, options, &table, &root)?;
    let on_disk = columns.paths_are_bytes(file, &table, &root)?;
    let mut cells = table.cells(file, |record, column| columns.is_file_name(record, column, on_disk))?;
    if !on_disk && cells.encoding() == encoding_rs::UTF_8 {
        // Nothing but the paths is other than UTF-8: they may be text in an older encoding.
        if let Ok(decoded) = table.cells(file, |_, _| false)
            && columns.exists(file, &table, |path| root.join(path_of(decoded.decode(path).into_owned())))?
        {
            cells = decoded;
        }
    }
    let utf8 = table.document().encoding == encoding_rs::UTF_8;
    let paths_as_bytes = utf8 && (on_disk || cells.encoding() == encoding_rs::UTF_8);
    let headings: Vec<String> = record.iter().map(|cell| cells.text(cell).into_owned()).collect();
    let kept: Vec<usize> = (0..headings.len()).filter(|&column| !columns.has(column)).collect();
    let mut rows = Rows::new(kept.iter().map(|&column| headings[column].trim().to_owned()));
    while reader.read_byte_record(&mut record).map_err(|error| broken(file, error))? {
        let line = line(&record);
        if record.len() != headings.len() {
            let (has, expected) = (counted(record.len() as u64, "field", "fields"), headings.len());
            return Err(Error::format(file, format!("line {line} has {has}, but the header has {expected}")));
        }
        let path = &record[columns.path];
        if path.is_empty() || path.contains(&0) {
            let column = safe_text(headings[columns.path].trim());
            return Err(Error::format(file, format!("line {line} has no path in column '{column}'")));
        }
        let path = if paths_as_bytes { path.to_vec() } else { cells.decode(path).into_owned() };
        let label = columns.label.map(|column| columns.label_of(&record, column, &cells, on_disk));
        // A folder may be called like that, but not without the path saying so.
        if let (Some(label), Some(column)) = (&label, columns.label)
            && label.contains('\n')
            && label.contains(char::from(table.delimiter))
            && !columns.is_folder(&record, column)
        {
            let lines = label.matches('\n').count() + 1;
            let message = format!(
                "line {line} has a label that goes on over {lines} lines; is a quotation mark missing?"
            );
            return Err(Error::format(file, message));
        }
        let written = columns.split.map(|column| cells.text(&record[column])).unwrap_or_default();
        let other = kept.iter().map(|&index| cells.text(&record[index]).into_owned());
        rows.push(path_of(path), label, &written, other);
    }
    let (manifest, mut ledger) = rows.finish(root, file)?;
    for (kind, text) in chosen {
        ledger.add(kind, 1, text);
    }
    encoding_remarks(&mut ledger, file, &table, &cells, usual);
    if columns.label.is_none() {
        let text = without_labels(manifest.extra());
        ledger.add(RemarkKind::LabelsMissing, manifest.len() as u64, text);
    }
    let form = TableForm {
        columns: headings,
        path: columns.path,
        label: columns.label,
        split: columns.split,
        delimiter: table.delimiter,
        encoding: if utf8 { cells.encoding() } else { table.document().encoding }.name().to_owned(),
        mark: table.document().mark,
        crlf: table.crlf,
        paths_as_bytes,
    };
    Ok(Opened { manifest: manifest.with_table(form), ledger })
}

/// Says that there is no column of labels, and which columns might be.
fn without_labels(extra: &[ExtraColumn]) -> String {
    let flags = |column: &&ExtraColumn| {
        column
            .values
            .iter()
            .all(|value| matches!(value.trim(), "0" | "1" | "0.0" | "1.0" | "True" | "False" | ""))
    };
    let names = |columns: Vec<&ExtraColumn>| -> String {
        let all: Vec<String> =
            columns.iter().map(|column| format!("'{}'", safe_text(&column.name))).collect();
        let more = if all.len() > SHOWN { ", …" } else { "" };
        format!("{}{more}", all[..all.len().min(SHOWN)].join(", "))
    };
    let one_hot: Vec<&ExtraColumn> = extra.iter().filter(flags).collect();
    if one_hot.len() > 1 {
        return format!(
            "the table has no label column: {} look like one column for each class, which is not read; write the name \
             of the class to one column",
            names(one_hot)
        );
    }
    match extra.is_empty() {
        true => "the table has no label column".to_owned(),
        false => format!(
            "the table has no column called {} or the like; choose one with --label-column: {}",
            LABEL_NAMES[..2].join(", "),
            names(extra.iter().collect())
        ),
    }
}

fn path_of(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}

/// Says how the bytes were read where that was found and not told.
fn encoding_remarks(ledger: &mut Ledger, file: &Path, table: &TableText, cells: &Cells, usual: u8) {
    let name = safe_path(Path::new(file.file_name().unwrap_or_default()));
    let utf8 = encoding_rs::UTF_8;
    let encoding =
        if table.document().encoding == utf8 { cells.encoding() } else { table.document().encoding };
    if encoding != utf8 {
        // UTF-16 is certain; an older encoding is a guess, though one that loses nothing.
        let guess =
            if table.document().encoding == utf8 { "; save it as UTF-8 if names look wrong" } else { "" };
        let encoding = windows_or_latin(encoding);
        ledger.add(RemarkKind::Encoding, 1, format!("{name} is not UTF-8 and was read as {encoding}{guess}"));
    }
    if table.delimiter != usual {
        let text = format!("the columns of {name} are separated by {}", delimiter_words(table.delimiter));
        ledger.add(RemarkKind::Encoding, 1, text);
    }
}

impl TableColumns {
    /// Finds the columns, and says what was chosen where several would do.
    fn find(
        file: &Path,
        headings: &[String],
        options: &DatasetOptions,
        table: &TableText,
        root: &Path,
    ) -> Result<(TableColumns, Chosen)> {
        let mut chosen = Vec::new();
        let candidates = |asked: &Option<String>, usual: &[&str]| match asked {
            None => Ok(choice::named(headings, usual)),
            Some(name) => match choice::asked(headings, name).as_slice() {
                [] => {
                    let message =
                        format!("there is no column '{}'; {}", safe_text(name), choice::among(headings));
                    Err(Error::format(file, message))
                }
                found => Ok(found.to_vec()),
            },
        };
        let paths = candidates(&options.path_column, &PATH_NAMES)?;
        if paths.is_empty() {
            let bare = headings.iter().any(|heading| super::is_image(Path::new(heading)));
            let advice = match bare {
                true => {
                    "line 1 looks like a row of data: add a header line with a column called path".to_owned()
                }
                false => format!(
                    "line 1 has no path column: rename a column to one of {}, or choose one with --path-column",
                    PATH_NAMES.join(", ")
                ),
            };
            return Err(Error::format(file, format!("{advice}; {}", choice::among(headings))));
        }
        let choices = Choices { file, table, headings };
        let path = choices.path(&paths, root, &mut chosen)?;
        let others =
            |found: Vec<usize>| -> Vec<usize> { found.into_iter().filter(|&one| one != path).collect() };
        let mut labels = others(candidates(&options.label_column, &LABEL_NAMES)?);
        if labels.is_empty() && options.label_column.is_none() {
            labels = choice::named(headings, &[LAST_LABEL]);
        }
        let label = choices.one(&labels, "label", &mut chosen)?;
        let splits: Vec<usize> = others(candidates(&options.split_column, &SPLIT_NAMES)?)
            .into_iter()
            .filter(|&one| Some(one) != label)
            .collect();
        let split = choices.one(&splits, "split", &mut chosen)?;
        Ok((TableColumns { path, label, split }, chosen))
    }

    fn has(&self, column: usize) -> bool {
        column == self.path || Some(column) == self.label || Some(column) == self.split
    }

    /// Whether paths that are not UTF-8 are meant byte by byte: some of them exist like that.
    fn paths_are_bytes(&self, file: &Path, table: &TableText, root: &Path) -> Result<bool> {
        self.exists(file, table, |path| root.join(OsStr::from_bytes(path)))
    }

    /// Whether one of the first paths that are not UTF-8 exists where `place` says.
    fn exists(&self, file: &Path, table: &TableText, place: impl Fn(&[u8]) -> PathBuf) -> Result<bool> {
        if std::str::from_utf8(table.document().text()).is_ok() {
            return Ok(false);
        }
        let mut reader = table.reader();
        let mut record = ByteRecord::new();
        let mut tried = 0;
        while tried < TRIED && reader.read_byte_record(&mut record).map_err(|error| broken(file, error))? {
            let Some(path) = record.get(self.path).filter(|path| std::str::from_utf8(path).is_err()) else {
                continue;
            };
            if place(path).symlink_metadata().is_ok() {
                return Ok(true);
            }
            tried += 1;
        }
        Ok(false)
    }

    /// Whether a cell has its bytes from the name of a file, which says nothing of the table's encoding: the path, and
    /// a label that is a folder of it.
    fn is_file_name(&self, record: &ByteRecord, column: usize, on_disk: bool) -> bool {
        column == self.path || (on_disk && Some(column) == self.label && self.is_folder(record, column))
    }

    fn is_folder(&self, record: &ByteRecord, column: usize) -> bool {
        let path = record.get(self.path).unwrap_or_default();
        path.split(|&byte| byte == b'/').any(|part| Some(part) == record.get(column))
    }

    /// The name of a row's class.
    fn label_of(&self, record: &ByteRecord, column: usize, cells: &Cells, on_disk: bool) -> String {
        let cell = &record[column];
        match on_disk && self.is_folder(record, column) {
            true => class_names::of_bytes(cell),
            false => class_names::of_bytes(&cells.decode(cell)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_protocol::sample::{SampleId, Split};
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
        assert!(message("x\n1\n", &options).contains("the only column is 'x'"));
        assert!(message("a.jpg,cat\nb.jpg,dog\n", &options).contains("line 1 looks like a row of data"));
        let open = message("path,label\n1.jpg,\"cat\n2.jpg,dog\n", &options);
        assert!(open.contains("line 2 opens a quotation mark that is never closed"), "{open}");
        let long = message("path,label\n1.jpg,\"cat\n2.jpg,\"dog\n", &options);
        assert!(long.contains("line 2 has a label that goes on over 2 lines"), "{long}");
    }

    #[test]
    fn of_several_columns_that_would_do_the_first_is_taken_and_said() {
        let options = DatasetOptions::default();
        for (other, values) in
            [("category", ["pet", "pet"]), ("Label", ["1", "1"]), ("class", ["dog", "cat"])]
        {
            let [one, two] = values;
            let text = format!("path,label,{other}\n1.jpg,cat,{one}\n2.jpg,dog,{two}\n3.jpg,dog,{one}\n");
            let found = read("t.csv", &text, &options).unwrap();
            assert_eq!(found.manifest.classes(), ["cat", "dog"]);
            let said = found.ledger.remarks.iter().find(|remark| remark.kind == RemarkKind::LayoutDoubtful);
            let said = &said.unwrap().text;
            assert!(
                said.contains(&format!("'label' and '{other}' of ")) && said.contains("--label-column"),
                "{said}"
            );
        }
        let chosen = DatasetOptions { label_column: Some("category".into()), ..options.clone() };
        let text = "path,label,category\n1.jpg,cat,pet\n2.jpg,dog,pet\n";
        assert_eq!(read("t.csv", text, &chosen).unwrap().manifest.classes(), ["pet"]);
        // Numbers and names of the same classes.
        let alike = read("t.csv", "path,label,class\n1.jpg,1,cat\n2.jpg,2,dog\n", &options).unwrap();
        assert_eq!(alike.manifest.classes(), ["1", "2"]);
        assert!(
            alike.ledger.remarks[0].text.contains("'label', not from 'class', which divides"),
            "{:?}",
            alike.ledger
        );
        let original = read("t.csv", "path,label,original_label\n1.jpg,a,b\n2.jpg,a,a\n", &options).unwrap();
        assert_eq!(original.manifest.classes(), ["a"]);
    }

    #[test]
    fn the_path_column_is_the_one_whose_files_exist() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("t.csv");
        for name in ["1.jpg", "2.jpg", "m1.png", "m2.png"] {
            fs::write(temp.path().join(name), b"x").unwrap();
        }
        let read = |text: &str| {
            fs::write(&file, text).unwrap();
            super::super::open(&file, &DatasetOptions::default())
        };
        let opened = read("filename,image_path,label\n0,1.jpg,a\n1,2.jpg,b\n").unwrap();
        assert_eq!(opened.manifest.path(SampleId(0)), Path::new("1.jpg"));
        assert!(
            opened.ledger.remarks[0].text.contains("'image_path', not from 'filename'"),
            "{:?}",
            opened.ledger
        );
        let error = read("image,img_path,label\nm1.png,1.jpg,a\nm2.png,2.jpg,b\n").unwrap_err().to_string();
        assert!(error.contains("'image' and 'img_path'") && error.contains("--path-column"), "{error}");
    }

    #[test]
    fn a_table_without_labels_names_what_might_be_them() {
        let options = DatasetOptions::default();
        let said = |text: &str| read("t.csv", text, &options).unwrap().ledger.remarks[0].text.clone();
        let other = said("path,species\n1.jpg,a\n");
        assert!(other.contains("--label-column: 'species'"), "{other}");
        let hot = said("path,cat,dog\n1.jpg,1,0\n2.jpg,0,1\n");
        assert!(hot.contains("'cat', 'dog' look like one column for each class"), "{hot}");
    }

    #[test]
    fn encodings_and_delimiters_are_found_and_said() {
        let options = DatasetOptions::default();
        let rows = "path;label\r\nü/1.jpg;café\r\nü/2.jpg;cafè\r\n";
        let latin: Vec<u8> = rows.chars().map(|c| c as u8).collect();
        let wide = |big: bool| -> Vec<u8> {
            let units = "\u{feff}".encode_utf16().chain(rows.encode_utf16());
            units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let files = [
            (rows.as_bytes().to_vec(), "UTF-8"),
            (latin, "windows-1252"),
            (wide(false), "UTF-16LE"),
            (wide(true), "UTF-16BE"),
        ];
        for (bytes, encoding) in files {
            let opened = read("t.csv", bytes, &options).unwrap();
            assert_eq!(opened.manifest.classes(), ["cafè", "café"], "{encoding}");
            assert_eq!(opened.manifest.path(SampleId(0)), Path::new("ü/1.jpg"), "{encoding}");
            let form = opened.manifest.table().unwrap();
            assert_eq!((form.encoding.as_str(), form.delimiter, form.crlf), (encoding, b';', true));
            let remarks = opened.ledger.count(RemarkKind::Encoding);
            assert_eq!(remarks, if encoding == "UTF-8" { 1 } else { 2 }, "{:?}", opened.ledger);
        }
        let mixed = read("t.csv", b"path,label\n1.jpg,caf\xe9\n2.jpg,caf\xc3\xa9\n", &options)
            .unwrap_err()
            .to_string();
        assert!(mixed.contains("line 2 is not UTF-8, but line 3 is"), "{mixed}");
    }

    #[test]
    fn names_of_folders_that_are_not_text_stay_what_they_are() {
        let temp = tempfile::tempdir().unwrap();
        for name in [&b"cl\xff"[..], b"cl\xfe"] {
            let folder = temp.path().join(OsStr::from_bytes(name));
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("1.jpg"), b"x").unwrap();
        }
        let file = temp.path().join("t.csv");
        fs::write(&file, b"path,label,note\ncl\xff/1.jpg,cl\xff,\xc3\xa9\ncl\xfe/1.jpg,cl\xfe,\n").unwrap();
        let opened = super::super::open(&file, &DatasetOptions::default()).unwrap();
        assert_eq!(opened.manifest.classes(), ["cl\\xfe", "cl\\xff"]);
        assert!(opened.manifest.full_path(SampleId(0)).exists());
        assert_eq!(opened.manifest.extra()[0].values, ["é", ""]);
    }

    #[test]
    fn paths_in_an_older_encoding_are_found_on_the_disk() {
        let temp = tempfile::tempdir().unwrap();
        let names = ["Über 1.jpg", "größe 2.jpg", "äußern 3.jpg"];
        let mut text = b"path,label\n".to_vec();
        for name in names {
            fs::write(temp.path().join(name), b"x").unwrap();
            text.extend(name.chars().map(|c| c as u8).chain(*b",cat\n"));
        }
        let file = temp.path().join("t.csv");
        fs::write(&file, text).unwrap();
        let manifest = super::super::open(&file, &DatasetOptions::default()).unwrap().manifest;
        assert!(manifest.ids().all(|id| manifest.full_path(id).exists()), "{:?}", manifest.table());
    }

    #[test]
    fn what_was_written_is_remembered() {
        let text = "image_id,class,split\n1.jpg,cat ,holdout\n2.jpg,nan,TRAIN\n";
        let options = DatasetOptions { path_column: Some("image_id".into()), ..DatasetOptions::default() };
        let manifest = read("t.csv", text, &options).unwrap().manifest;
        let row = |row| (manifest.label_as_written(SampleId(row)), manifest.split_as_written(SampleId(row)));
        assert_eq!((row(0), row(1)), (("cat ", "holdout"), ("nan", "TRAIN")));
        assert_eq!(
            (manifest.classes(), manifest.split(SampleId(1))),
            (&["cat".to_owned()][..], Split::Train)
        );
        assert_eq!(manifest.table().unwrap().columns, ["image_id", "class", "split"]);
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
