//! Undecided samples come out as they went in: for generated folders and tables, what is exported and read again
//! is the same dataset.

use super::testing::{cleaned, exporting};
use super::*;
use crate::dataset;
use chaffinch_data::class_names;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::journal::Journal;
use chaffinch_data::manifest::Manifest;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Names of folders: spellings, escapes and bytes that are not text.
const CLASSES: [&[u8]; 14] = [
    b"cat",
    b"Cat",
    b" dog ",
    "caf\u{e9}".as_bytes(),
    "cafe\u{301}".as_bytes(),
    b"cl\xff",
    b"cl\xfe",
    b"cl\\xff",
    b"stop sign",
    b"0",
    b"n01440764",
    b"new\nline",
    b"a,\"b\";c",
    "\u{732b}".as_bytes(),
];
const FILES: [&[u8]; 6] =
    [b"1.jpg", b"2.JPG", b"\xff\xfe.png", b"x,\"y\"\n.jpeg", "\u{e9}.jpg".as_bytes(), b" 3.jpg"];

/// Exports without decisions, both as a copy and as a table.
fn exported(manifest: &Manifest, place: &Path) -> (CleanReport, Vec<String>) {
    let mut journal = Journal::open(&place.join("decisions"), "anna").unwrap();
    let manifest = std::sync::Arc::new(manifest.clone());
    journal.bind(&manifest, None);
    let decisions = journal.snapshot();
    exporting(&manifest, &decisions, |export| {
        let copied = cleaned(export, &place.join("copy"));
        (copied, export.cleaned_table(&place.join("table.csv")).unwrap())
    })
}

/// Samples by path, with label, split and what was written of them.
fn rows(manifest: &Manifest) -> BTreeMap<PathBuf, [String; 2]> {
    let row = |id| [manifest.label_name(id).to_owned(), manifest.split(id).name().to_owned()];
    manifest.ids().map(|id| (manifest.path(id).to_path_buf(), row(id))).collect()
}

fn written(manifest: &Manifest) -> Vec<[String; 2]> {
    let row = |id| [manifest.label_as_written(id).to_owned(), manifest.split_as_written(id).to_owned()];
    manifest.ids().map(row).collect()
}

#[derive(Debug, Clone)]
struct Tree {
    above: Vec<&'static str>,
    splits: Vec<&'static str>,
    below: Vec<&'static str>,
    samples: Vec<(usize, usize, usize)>,
}

/// Names of split folders, in the spellings that people use.
fn splits() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::select(vec![
        vec![],
        vec!["train", "test"],
        vec!["Train", "val", "TEST"],
        vec!["train", "valid"],
        vec!["training", "validation", "testing"],
        vec!["Training", "Testing"],
        vec!["train1", "test1"],
        vec!["train2017", "val2017", "test2017"],
        vec!["seg_train", "seg_test"],
        vec!["training_set", "test_set"],
        vec!["dev", "test"],
        vec!["train", "val", "test", "unlabeled"],
    ])
}

fn tree() -> impl Strategy<Value = Tree> {
    let above = prop::sample::select(vec![vec![], vec!["set"], vec!["my data", "v1"]]);
    let splits = splits();
    let below = prop::sample::select(vec![vec![], vec!["images"], vec!["a", "b"]]);
    let sample = (0..3_usize, 0..CLASSES.len(), 0..FILES.len());
    (above, splits, below, prop::collection::vec(sample, 1..12))
        .prop_map(|(above, splits, below, samples)| Tree { above, splits, below, samples })
}

#[derive(Debug, Clone)]
struct Table {
    encoding: &'static str,
    delimiter: char,
    crlf: bool,
    mark: bool,
    headings: Vec<&'static str>,
    rows: Vec<Vec<&'static str>>,
}

fn made_table() -> impl Strategy<Value = Table> {
    let headings = prop::sample::select(vec![
        vec!["path", "label", "split"],
        vec!["weight", "class", " Image_Path ", "note"],
        vec!["filename"],
        vec!["id", "subset", "file", "category", "id"],
    ]);
    let encoding = prop::sample::select(vec!["UTF-8", "windows-1252", "UTF-16LE", "UTF-16BE"]);
    let delimiter = prop::sample::select(vec![',', ';', '\t', '|']);
    (headings, encoding, delimiter, any::<bool>(), any::<bool>()).prop_flat_map(
        |(headings, encoding, delimiter, crlf, mark)| {
            let cell = |heading: &'static str| match heading.trim().to_lowercase().as_str() {
                "path" | "image_path" | "filename" | "file" => prop::sample::select(vec![
                    "a/1.jpg",
                    "a/2.jpg",
                    "b, c/3.jpg",
                    "\u{e9}/4.jpg",
                    "/far/5.jpg",
                ])
                .boxed(),
                "label" | "class" | "category" => prop::sample::select(vec![
                    "cat",
                    " cat",
                    "caf\u{e9}",
                    "caf\u{e8}",
                    "",
                    "nan",
                    "NA",
                    "dog",
                    "None",
                ])
                .boxed(),
                "split" | "subset" => {
                    prop::sample::select(vec!["train", "TRAIN", "holdout", "fold3", "", "valid", "dev"])
                        .boxed()
                }
                _ => prop::sample::select(vec!["", "0156", "x; \"y\", z", "1e-3", "\u{fc}\nline"]).boxed(),
            };
            let row: Vec<BoxedStrategy<&'static str>> =
                headings.iter().map(|heading| cell(heading)).collect();
            prop::collection::vec(row, 1..8).prop_map(move |rows| Table {
                encoding,
                delimiter,
                crlf,
                mark: mark || encoding.starts_with("UTF-16"),
                headings: headings.clone(),
                rows,
            })
        },
    )
}

impl Table {
    fn bytes(&self) -> Vec<u8> {
        let terminator = if self.crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut out = csv::WriterBuilder::new()
            .delimiter(self.delimiter as u8)
            .terminator(terminator)
            .from_writer(Vec::new());
        out.write_record(&self.headings).unwrap();
        self.rows.iter().for_each(|row| out.write_record(row).unwrap());
        let mut text = String::from_utf8(out.into_inner().unwrap()).unwrap();
        if self.mark && self.encoding != "windows-1252" {
            text.insert(0, '\u{feff}');
        }
        match self.encoding {
            "UTF-16LE" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "UTF-16BE" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            "windows-1252" => text.chars().map(|c| c as u8).collect(),
            _ => text.into_bytes(),
        }
    }
}

/// A folder of pictures with tables beside them.
#[derive(Debug, Clone)]
struct Beside {
    splits: Vec<&'static str>,
    /// Whether the pictures are in class folders, too.
    folders: bool,
    /// Whether one table is at the top, or one is in each split.
    top: bool,
    json: bool,
    label: bool,
    split: bool,
    samples: Vec<(usize, &'static str, &'static str, bool)>,
}

fn beside() -> impl Strategy<Value = Beside> {
    let label = prop::sample::select(vec!["cat", "caf\u{e9}", "cat ", "dog", "n/a", "a,\"b\"", "0"]);
    let note = prop::sample::select(vec!["", "0156", "x; \"y\", z", "\u{fc}\nline", " 1e-3 "]);
    let sample = (0..3_usize, label, note, prop::bool::weighted(0.8));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (splits(), flags, prop::collection::vec(sample, 1..10)).prop_map(
        |(splits, (folders, top, json, label, split), samples)| Beside {
            splits,
            folders,
            top,
            json,
            // Without either, nothing says the labels.
            label: label || !folders,
            split: split && top,
            samples,
        },
    )
}

impl Beside {
    fn write(&self, data: &Path) {
        let mut tables: BTreeMap<PathBuf, Vec<Vec<(&str, String)>>> = BTreeMap::new();
        for (number, &(split, label, note, listed)) in self.samples.iter().enumerate() {
            let split = self.splits.get(split % self.splits.len().max(1)).copied().unwrap_or_default();
            let class = if self.folders { label.trim().replace('/', "_") } else { String::new() };
            let folder = Path::new(split).join(class);
            fs::create_dir_all(data.join(&folder)).unwrap();
            let picture = folder.join(format!("{number}.jpg"));
            fs::write(data.join(&picture), number.to_le_bytes()).unwrap();
            let table = if self.top { Path::new("") } else { Path::new(split) };
            let name = picture.strip_prefix(table).unwrap().to_str().unwrap().to_owned();
            let mut row = vec![("note", note.to_owned()), ("file_name", name)];
            row.extend(self.label.then(|| ("label", label.to_owned())));
            row.extend(
                self.split.then(|| ("split", ["holdout", "train", " val", ""][number % 4].to_owned())),
            );
            row.push(("weight", number.to_string()));
            let rows = tables.entry(table.to_path_buf()).or_default();
            if listed || rows.is_empty() {
                rows.push(row);
            }
        }
        for (folder, rows) in tables {
            let text = match self.json {
                true => rows.iter().map(|row| json_line(row)).collect::<String>().into_bytes(),
                false => {
                    let mut out = csv::Writer::from_writer(Vec::new());
                    out.write_record(rows[0].iter().map(|cell| cell.0)).unwrap();
                    rows.iter().for_each(|row| out.write_record(row.iter().map(|cell| &cell.1)).unwrap());
                    out.into_inner().unwrap()
                }
            };
            let name = if self.json { "metadata.jsonl" } else { "metadata.csv" };
            fs::write(data.join(folder).join(name), text).unwrap();
        }
    }
}

fn json_line(row: &[(&str, String)]) -> String {
    let cells: Vec<String> =
        row.iter().map(|(name, value)| format!("{name:?}:  {}", serde_json::json!(value))).collect();
    format!("{{{}}}\n", cells.join(" ,"))
}

/// All files below a folder with what is in them.
fn files_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.unwrap());
    let files = files.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            (entry.path().strip_prefix(folder).unwrap().to_path_buf(), fs::read(entry.path()).unwrap())
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn folders_come_out_as_they_went_in(tree in tree()) {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path().join("data");
        for (number, &(split, class, file)) in tree.samples.iter().enumerate() {
            let mut folder: PathBuf = data.clone();
            folder.extend(&tree.above);
            folder.extend(tree.splits.get(split % tree.splits.len().max(1)));
            folder.push(OsStr::from_bytes(CLASSES[class]));
            folder.extend(tree.below.iter().take(number % 3));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(OsStr::from_bytes(FILES[file])), number.to_le_bytes()).unwrap();
        }
        let options = DatasetOptions::default();
        let before = dataset::open(&data, &options).unwrap().manifest;
        let (report, _) = exported(&before, temp.path());
        prop_assert_eq!((report.written, report.removed, report.relabeled), (before.len() as u64, 0, 0));
        prop_assert!(report.missing.is_empty() && report.renamed.is_empty(), "{:?}", report);
        let copy = dataset::open(&temp.path().join("copy"), &options).unwrap().manifest;
        prop_assert_eq!(rows(&copy), rows(&before));
        prop_assert_eq!(written(&copy), written(&before));
        for id in before.ids() {
            prop_assert_eq!(fs::read(copy.full_path(id)).unwrap(), fs::read(before.full_path(id)).unwrap());
        }
        let options = DatasetOptions { root: Some(data), ..options };
        let table = dataset::open(&temp.path().join("table.csv"), &options).unwrap().manifest;
        prop_assert_eq!(rows(&table), rows(&before));
        prop_assert_eq!(written(&table), written(&before));
    }

    #[test]
    fn pictures_with_tables_come_out_as_they_went_in(made in beside()) {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path().join("data");
        made.write(&data);
        let options = DatasetOptions::default();
        let before = dataset::open(&data, &options).unwrap().manifest;
        let (report, _) = exported(&before, temp.path());
        prop_assert_eq!((report.written, report.relabeled), (before.len() as u64, 0));
        prop_assert!(report.missing.is_empty() && report.renamed.is_empty(), "{:?}", report);
        prop_assert_eq!(&report.misread, &None);
        prop_assert_eq!(files_of(&temp.path().join("copy")), files_of(&data));
        let copy = dataset::open(&temp.path().join("copy"), &options).unwrap().manifest;
        prop_assert_eq!((rows(&copy), written(&copy)), (rows(&before), written(&before)));
        prop_assert_eq!(copy.extra(), before.extra());
        let options = DatasetOptions { root: Some(data), ..options };
        let table = dataset::open(&temp.path().join("table.csv"), &options).unwrap().manifest;
        prop_assert_eq!((rows(&table), written(&table)), (rows(&before), written(&before)));
        prop_assert_eq!(table.extra(), before.extra());
    }

    #[test]
    fn labels_in_names_come_out_as_they_went_in(splits in splits(), numbered in any::<bool>()) {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path().join("data");
        let parts = if splits.is_empty() { vec![""] } else { splits };
        for (part, name) in parts.iter().enumerate() {
            fs::create_dir_all(data.join(name)).unwrap();
            for number in 0..6 {
                // The pictures to be guessed have no label.
                let word = if numbered && part > 0 { "" } else { ["cat.", "dog."][number % 2] };
                fs::write(data.join(name).join(format!("{word}{number}.jpg")), [part as u8, number as u8]).unwrap();
            }
        }
        let options = DatasetOptions::default();
        let before = dataset::open(&data, &options).unwrap().manifest;
        let (report, _) = exported(&before, temp.path());
        prop_assert_eq!(&report.misread, &None);
        prop_assert_eq!(files_of(&temp.path().join("copy")), files_of(&data));
    }

    #[test]
    fn tables_come_out_as_they_went_in(made in made_table()) {
        let temp = tempfile::tempdir().unwrap();
        let (data, out) = (temp.path().join("data"), temp.path().join("out"));
        fs::create_dir(&data).unwrap();
        fs::create_dir(&out).unwrap();
        let file = data.join("table.csv");
        fs::write(&file, made.bytes()).unwrap();
        let options = DatasetOptions::default();
        let before = dataset::list(&file, &options).unwrap().1.manifest;
        prop_assert_eq!(before.len(), made.rows.len());
        let (_, notes) = exported(&before, &out);
        prop_assert_eq!(notes, Vec::<String>::new());
        prop_assert_eq!(fs::read(out.join("table.csv")).unwrap(), made.bytes());
        let after = dataset::list(&out.join("table.csv"), &options).unwrap().1.manifest;
        prop_assert_eq!(rows(&after), rows(&before));
        prop_assert_eq!(written(&after), written(&before));
        prop_assert_eq!(after.extra(), before.extra());
        prop_assert_eq!(after.table(), before.table());
    }
}

#[test]
fn classes_of_bytes_stay_apart() {
    let name = class_names::of_bytes(b"cl\xff");
    assert_eq!((name.as_str(), &*class_names::bytes(&name)), ("cl\\xff", &b"cl\xff"[..]));
}
