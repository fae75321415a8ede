//! CSV and TSV tables of images.

use super::choice::{Choices, Columns, Records, Row};
use super::reading_options::OF_TABLES;
use super::rows::{EMPTY, Rows, tell_labels};
use super::{ClassNames, DatasetOptions, Format, Opened, extension};
use crate::text::{Cells, TableText, broken, delimiter_words, windows_or_latin};
use crate::{Error, Result};
use chaffinch_data::as_written::TableForm;
use chaffinch_data::class_names;
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use csv::ByteRecord;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "a .csv or .tsv table",
    summary: "a CSV or TSV table",
    details: "a header row, a column of paths, and optional columns of labels (or one of 0 and 1 for each class) and splits; \
              other columns are kept",
    written: "`cleaned-table` writes the same table with what was decided, and every other byte as it was",
    lost: "several labels of one picture count as none; the column `all_labels` has them",
    class_names: ClassNames::Written,
    annotated: None,
    elsewhere: false,
    options: |_| OF_TABLES,
    detect: |candidate| candidate.has_extension(&["csv", "tsv", "tab"]),
    read: |candidate, options| {
        let file = candidate.path();
        open(file, delimiter(file).unwrap_or(b','), options)
    },
};

/// Paths to look for on the disk, to learn how their bytes are meant.
const TRIED: usize = 20;

/// The rows of a table without its header.
struct TableRecords<'a> {
    file: &'a Path,
    table: &'a TableText,
}

impl Records for TableRecords<'_> {
    fn each(&self, row: &mut dyn FnMut(&dyn Row) -> bool) -> Result<()> {
        let mut reader = self.table.reader();
        let mut record = ByteRecord::new();
        let mut is_header = true;
        while reader.read_byte_record(&mut record).map_err(|error| broken(self.file, error))? {
            if !std::mem::take(&mut is_header) && !row(&record) {
                break;
            }
        }
        Ok(())
    }
}

impl Row for ByteRecord {
    fn cell(&self, column: usize) -> Option<&[u8]> {
        self.get(column)
    }
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
    if !reader.read_byte_record(&mut record).map_err(|error| broken(file, error))? {
        let message =
            "it is empty; expected a header line with a column called path, and a row for each image";
        return Err(Error::format(file, message));
    }
    let named: Vec<String> =
        record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
    let records = TableRecords { file, table: &table };
    let choices = Choices { file, records: &records, headings: &named, start: "line 1" };
    let (columns, chosen) = choices.find(options, &root)?;
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
    // A guess by the letters alone is wrong where the files have other names.
    if !on_disk
        && cells.encoding() != encoding_rs::UTF_8
        && !columns.exists(file, &table, |path| root.join(path_of(cells.decode(path).into_owned())))?
        && let Some(found) = columns.encoding_of_paths(file, &table, &root)?
    {
        cells = found;
    }
    let utf8 = table.document().encoding == encoding_rs::UTF_8;
    let paths_as_bytes = utf8 && (on_disk || cells.encoding() == encoding_rs::UTF_8);
    let headings: Vec<String> = record.iter().map(|cell| cells.text(cell).into_owned()).collect();
    let kept: Vec<usize> = (0..headings.len()).filter(|&column| !columns.has(column)).collect();
    let mut rows = Rows::new(kept.iter().map(|&column| headings[column].trim().to_owned()));
    if let Some(column) = columns.split {
        rows.split_column(&headings[column], options.split_column.is_some());
    }
    while reader.read_byte_record(&mut record).map_err(|error| broken(file, error))? {
        let line = table.line(&record);
        if record.len() != headings.len() {
            let (has, expected) = (counted(record.len() as u64, "field", "fields"), headings.len());
            return Err(Error::format(file, format!("line {line} has {has}, but the header has {expected}")));
        }
        let path = &record[columns.path];
        if path.is_empty() || path.contains(&0) {
            let column = excerpt(headings[columns.path].trim());
            return Err(Error::format(file, format!("line {line} has no path in column '{column}'")));
        }
        let path = if paths_as_bytes { path.to_vec() } else { cells.decode(path).into_owned() };
        let label = columns.label.map(|column| columns.label_of(&record, column, &cells, on_disk));
        if let (true, Some(column)) =
            (label.as_ref().is_some_and(|label| label.contains('\0')), columns.label)
        {
            let column = excerpt(headings[column].trim());
            return Err(Error::format(
                file,
                format!("line {line} has a NUL character in its label, column '{column}'"),
            ));
        }
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
    let flags = if columns.label.is_none() { rows.labels_from_flags() } else { None };
    rows.no_label = columns.label.map(|_| EMPTY);
    if columns.split.is_none() {
        rows.splits_from_flags();
    }
    let in_flags = flags.iter().flat_map(|flags| &flags.columns).map(|&column| kept[column]).collect();
    let (manifest, mut ledger) = rows.finish(root, file)?;
    for (kind, text) in chosen {
        ledger.add(kind, 1, text);
    }
    encoding_remarks(&mut ledger, file, &table, &cells, usual);
    if columns.label.is_none() {
        tell_labels(flags, &manifest, &mut ledger);
    }
    let form = TableForm {
        columns: headings,
        path: columns.path,
        label: columns.label,
        split: columns.split,
        flags: in_flags,
        delimiter: table.delimiter,
        encoding: if utf8 { cells.encoding() } else { table.document().encoding }.name().to_owned(),
        mark: table.document().mark,
        crlf: table.crlf,
        paths_as_bytes,
    };
    Ok(Opened { manifest: manifest.with_table(form), ledger })
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

/// What the columns of a table hold besides text.
impl Columns {
    fn has(&self, column: usize) -> bool {
        column == self.path || Some(column) == self.label || Some(column) == self.split
    }

    /// Whether paths that are not UTF-8 are meant byte by byte: some of them exist like that.
    fn paths_are_bytes(&self, file: &Path, table: &TableText, root: &Path) -> Result<bool> {
        self.exists(file, table, |path| root.join(OsStr::from_bytes(path)))
    }

    /// Whether one of the first paths that are not UTF-8 exists where `place` says.
    fn exists(&self, file: &Path, table: &TableText, place: impl Fn(&[u8]) -> PathBuf) -> Result<bool> {
        Ok(self.existing(file, table, place)? > 0)
    }

    /// How many of the first paths that are not UTF-8 exist where `place` says.
    fn existing(&self, file: &Path, table: &TableText, place: impl Fn(&[u8]) -> PathBuf) -> Result<usize> {
        if std::str::from_utf8(table.document().text()).is_ok() {
            return Ok(0);
        }
        let mut reader = table.reader();
        let mut record = ByteRecord::new();
        let (mut tried, mut existing) = (0, 0);
        while tried < TRIED && reader.read_byte_record(&mut record).map_err(|error| broken(file, error))? {
            let Some(path) = record.get(self.path).filter(|path| std::str::from_utf8(path).is_err()) else {
                continue;
            };
            existing += usize::from(place(path).symlink_metadata().is_ok());
            tried += 1;
        }
        Ok(existing)
    }

    /// The older encoding in which most of the first paths exist; `None` if none does in any.
    fn encoding_of_paths(&self, file: &Path, table: &TableText, root: &Path) -> Result<Option<Cells>> {
        let mut best = (0, None);
        for cells in Cells::older() {
            let found =
                self.existing(file, table, |path| root.join(path_of(cells.decode(path).into_owned())))?;
            if found > best.0 {
                best = (found, Some(cells));
            }
        }
        Ok(best.1)
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
    use encoding_rs::SHIFT_JIS;
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
        let column = |name: &str, values: [&str; 2]| chaffinch_data::manifest::ExtraColumn {
            name: name.into(),
            values: values.map(Into::into).into(),
        };
        assert_eq!(manifest.extra(), [column("cluster", ["0156", "7"]), column("note", ["x, y", ""])]);
        let said: Vec<&str> = opened.ledger.remarks.iter().map(|remark| remark.text.as_str()).collect();
        assert_eq!(said, ["1 row has no label, as a cell is empty where it would be"]);
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
            alike
                .ledger
                .remarks
                .iter()
                .any(|remark| remark.text.contains("'label', not from 'class', which divides")),
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
    }

    #[test]
    fn a_column_of_flags_for_each_class_gives_the_label_where_one_is_set() {
        let text = "path,cat,dog,weight\n1.jpg,1,0,3\n2.jpg,0.0,1.0,4\n3.jpg,1,1,5\n4.jpg,0,,6\n";
        let opened = read("t.csv", text, &DatasetOptions::default()).unwrap();
        let label = |row| opened.manifest.label_name(SampleId(row));
        assert_eq!([label(0), label(1), label(2), label(3)], ["cat", "dog", "", ""]);
        let names: Vec<&str> = opened.manifest.extra().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["cat", "dog", "weight", "all_labels"]);
        assert_eq!(opened.manifest.extra()[3].values, ["", "", "cat|dog", ""]);
        let kinds: Vec<RemarkKind> = opened.ledger.remarks.iter().map(|remark| remark.kind).collect();
        let expected = [RemarkKind::LabelsMissing, RemarkKind::LabelsSeveral, RemarkKind::LayoutDoubtful];
        assert_eq!(kinds, expected, "{:?}", opened.ledger);
        let one =
            read("t.csv", "path,cat,weight\n1.jpg,1,3\n2.jpg,0,4\n", &DatasetOptions::default()).unwrap();
        assert!(one.manifest.classes().is_empty());
    }

    #[test]
    fn several_labels_in_a_cell_are_kept_and_count_as_none() {
        let text = "path,label\n1.jpg,cat|dog\n2.jpg,cat\n3.jpg,\"['dog']\"\n4.jpg,\"[\"\"cat\"\", \"\"bird\"\"]\"\n5.jpg,[]\n6.jpg,dog|nan\n7.jpg,dog\n";
        let opened = read("t.csv", text, &DatasetOptions::default()).unwrap();
        let manifest = &opened.manifest;
        let labels: Vec<&str> = manifest.ids().map(|id| manifest.label_name(id)).collect();
        assert_eq!(labels, ["", "cat", "dog", "", "", "dog", "dog"]);
        assert_eq!(manifest.extra()[0].name, "all_labels");
        assert_eq!(manifest.extra()[0].values, ["cat|dog", "", "", "cat|bird", "", "", ""]);
        assert_eq!(manifest.label_as_written(SampleId(0)), "cat|dog");
        assert_eq!(opened.ledger.count(RemarkKind::LabelsSeveral), 2, "{:?}", opened.ledger);
        let kept = DatasetOptions { keep_null_labels: true, ..DatasetOptions::default() };
        let opened = read("t.csv", text, &kept).unwrap();
        assert_eq!(opened.manifest.label_name(SampleId(0)), "cat|dog");
        assert!(opened.manifest.extra().is_empty());
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

    /// The letters alone may look like any encoding; the files on the disk have one name.
    #[test]
    fn the_names_of_files_tell_the_encoding() {
        for (encoding, name) in [
            (encoding_rs::WINDOWS_1250, "\u{17c}\u{f3}\u{142}w"),
            (encoding_rs::ISO_8859_2, "\u{17c}\u{f3}\u{142}w"),
            (encoding_rs::WINDOWS_1254, "\u{11f}\u{131}\u{15f}"),
            (encoding_rs::ISO_8859_7, "\u{3b3}\u{3ac}\u{3c4}\u{3b1}"),
            (encoding_rs::WINDOWS_1251, "\u{43a}\u{43e}\u{448}\u{43a}\u{430}"),
            (encoding_rs::MACINTOSH, "\u{e9}t\u{e9}"),
            (SHIFT_JIS, "\u{732b}"),
            (encoding_rs::BIG5, "\u{8c93}"),
        ] {
            let temp = tempfile::tempdir().unwrap();
            let mut text = "path,label\n".to_owned();
            for number in 0..3 {
                fs::write(temp.path().join(format!("{name} {number}.jpg")), b"x").unwrap();
                text += &format!("{name} {number}.jpg,{name}\n");
            }
            let file = temp.path().join("t.csv");
            fs::write(&file, encoding.encode(&text).0).unwrap();
            match super::super::open(&file, &DatasetOptions::default()) {
                Ok(opened) => assert_eq!(opened.manifest.classes(), [name], "{}", encoding.name()),
                // It may be refused as ambiguous, and never misread.
                Err(error) => assert!(error.to_string().contains("save it as UTF-8"), "{error}"),
            }
        }
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
