//! What is written for other programs: read again by us, it is the same dataset; in every format the same samples.

use super::testing::exporting;
use super::*;
use crate::dataset;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::journal::{Decisions, Journal};
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::decision::Decision;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

/// Names that programs trip over: formulas, dots, blanks, line breaks, quotes, backslashes, no text, hidden stems, twins.
const FILES: [(&[u8], &str, &str); 14] = [
    (b"train/cat/1.jpg", "cat", "train"),
    (b"train/dog/1.jpg", "dog", "train"),
    (b"train/cat/1.png", "cat", "train"),
    (b"train/cat/a.b.c.JPG", "cat", "train"),
    (b"train/dog/=1+1.jpg", "dog", "train"),
    (b"train/dog/x,\"y\"\n.jpg", "dog", "train"),
    (b"train/dog/back\\slash.jpg", "dog", "train"),
    (b"train/dog/\xff\xfe.jpg", "dog", "train"),
    (b"train/cat/100% [1]?#&.jpg", "cat", "train"),
    (b"test/cat/1.jpg", "cat", "test"),
    (b"test/dog/caf\xc3\xa9.jpg", "dog", "test"),
    (b"test/dog/ 2 .jpg", "dog", "test"),
    (b"test/@home/3.jpg", "@home", "test"),
    (b"train/@home/-1.jpg", "@home", "train"),
];

struct Made {
    temp: TempDir,
    manifest: Arc<Manifest>,
    decisions: Decisions,
}

/// A dataset whose pictures are their own paths.
fn made(files: &[(&[u8], &str, &str)], decide: impl Fn(&Manifest, &mut Journal)) -> Made {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    for (path, ..) in files {
        let full = data.join(OsStr::from_bytes(path));
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, path).unwrap();
    }
    let manifest = dataset::open(&data, &DatasetOptions::default()).unwrap().manifest;
    for (path, label, split) in files {
        let id = find(&manifest, path);
        assert_eq!((manifest.label_name(id), manifest.split(id).name()), (*label, *split));
    }
    decided(temp, manifest, decide)
}

fn decided(temp: TempDir, manifest: Manifest, decide: impl Fn(&Manifest, &mut Journal)) -> Made {
    let manifest = Arc::new(manifest);
    let mut journal = Journal::open(&temp.path().join("decisions"), "anna").unwrap();
    journal.bind(&manifest, None);
    decide(&manifest, &mut journal);
    let decisions = journal.snapshot();
    Made { temp, manifest, decisions }
}

fn find(manifest: &Manifest, path: &[u8]) -> SampleId {
    manifest.ids().find(|&id| manifest.path(id).as_os_str().as_bytes() == path).unwrap()
}

impl Made {
    fn out(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn write(&self, format: &str, output: &Path, formulas: Formulas) -> Written {
        let stop = AtomicBool::new(false);
        let request =
            Request { output: output.to_path_buf(), copy: CopyMode::Copy, formulas, ..Request::default() };
        exporting(&self.manifest, &self.decisions, |export| {
            Format::find(format).unwrap().write(export, &request, &Job::new(&stop, &|_, _| {})).unwrap()
        })
    }

    /// Label and split by the bytes of the picture, of what stays after cleaning.
    fn cleaned(&self) -> BTreeMap<Vec<u8>, (String, String)> {
        exporting(&self.manifest, &self.decisions, |export| {
            let ids = self.manifest.ids().filter(|&id| !export.removed(id));
            ids.map(|id| {
                let said = (export.label(id).into_owned(), self.manifest.split(id).name().to_owned());
                (self.manifest.source(id).read().unwrap(), said)
            })
            .collect()
        })
    }
}

/// Label and split by the bytes of the picture.
fn read(path: &Path) -> BTreeMap<Vec<u8>, (String, String)> {
    let manifest = dataset::open(path, &DatasetOptions::default()).unwrap().manifest;
    let said = |id| (manifest.label_name(id).to_owned(), manifest.split(id).name().to_owned());
    let read: BTreeMap<_, _> =
        manifest.ids().map(|id| (manifest.source(id).read().unwrap(), said(id))).collect();
    assert_eq!(read.len(), manifest.len());
    read
}

/// Decisions, one of them for a class that no folder can be called like.
fn hostile_decisions(manifest: &Manifest, journal: &mut Journal) {
    some_decisions(manifest, journal);
    journal
        .decide(&[find(manifest, FILES[6].0)], Some(Choice::Relabel("a new/class".into()).into()))
        .unwrap();
}

fn some_decisions(manifest: &Manifest, journal: &mut Journal) {
    let relabel = Decision {
        choice: Choice::Relabel("dog".into()),
        tags: vec!["mislabel_confirmed".into(), "=x".into()],
        note: "+sure".into(),
    };
    journal.decide(&[find(manifest, FILES[0].0)], Some(relabel)).unwrap();
    journal.decide(&[find(manifest, FILES[6].0)], Some(Choice::Relabel("new".into()).into())).unwrap();
    journal.decide(&[find(manifest, FILES[2].0)], Some(Choice::Remove.into())).unwrap();
    journal.decide(&[find(manifest, FILES[9].0)], Some(Choice::Keep.into())).unwrap();
    journal.decide(&[find(manifest, FILES[10].0)], Some(Choice::Unsure.into())).unwrap();
}

const FOLDERS: [&str; 4] = ["hf", "webdataset", "fiftyone", "coco"];

#[test]
fn folders_are_read_as_what_was_decided() {
    let made = made(&FILES, some_decisions);
    for format in FOLDERS {
        let target = made.out(format);
        let written = made.write(format, &target, Formulas::Guard);
        assert_eq!((&written.left_out, &written.warning), (&Vec::new(), &None), "{format}");
        assert_eq!(read(&target), made.cleaned(), "{format}");
    }
}

#[test]
fn a_class_may_be_called_like_a_path() {
    let made = made(&FILES, hostile_decisions);
    for format in ["hf", "webdataset"] {
        let written = made.write(format, &made.out(format), Formulas::Guard);
        assert_eq!(written.warning, None, "{format}");
        assert_eq!(read(&made.out(format)), made.cleaned(), "{format}");
    }
}

#[test]
fn a_dataset_without_splits_or_labels_comes_back() {
    let files: Vec<(&[u8], &str, &str)> =
        vec![(b"cat/1.jpg", "cat", ""), (b"dog/1.jpg", "dog", ""), (b"dog/2.jpg", "dog", "")];
    let made = made(&files, |_, _| {});
    let bare = tempfile::tempdir().unwrap();
    fs::create_dir(bare.path().join("data")).unwrap();
    for name in ["1.jpg", "2.jpg"] {
        fs::write(bare.path().join("data").join(name), name).unwrap();
    }
    let manifest = dataset::open(&bare.path().join("data"), &DatasetOptions::default()).unwrap().manifest;
    for (made, formats) in [(made, &FOLDERS[..]), (decided(bare, manifest, |_, _| {}), &FOLDERS[..2])] {
        for format in formats {
            made.write(format, &made.out(format), Formulas::Guard);
            assert_eq!(read(&made.out(format)), made.cleaned(), "{format}");
        }
    }
}

#[test]
fn the_same_samples_give_the_same_bytes() {
    let made = made(&FILES, some_decisions);
    for format in FORMATS {
        let places = ["one", "two"].map(|name| made.out(name).join(format.file_name));
        for place in &places {
            made.write(format.name, place, Formulas::Guard);
        }
        let bytes = places.map(|place| {
            let walk =
                walkdir::WalkDir::new(&place).sort_by_file_name().into_iter().map(|entry| entry.unwrap());
            let files = walk.filter(|entry| entry.file_type().is_file());
            files
                .map(|file| {
                    (file.path().strip_prefix(&place).unwrap().to_owned(), fs::read(file.path()).unwrap())
                })
                .collect::<Vec<_>>()
        });
        assert!(!bytes[0].is_empty() && bytes[0] == bytes[1], "{}", format.name);
    }
}

#[test]
fn pictures_in_other_files_go_out_as_they_are() {
    let first = made(&FILES, some_decisions);
    first.write("webdataset", &first.out("wds"), Formulas::Guard);
    let manifest = dataset::open(&first.out("wds"), &DatasetOptions::default()).unwrap().manifest;
    assert!(manifest.packing().is_some());
    let second = decided(tempfile::tempdir().unwrap(), manifest, |_, _| {});
    for format in FOLDERS {
        second.write(format, &second.out(format), Formulas::Guard);
        assert_eq!(read(&second.out(format)), first.cleaned(), "{format}");
    }
    // They are in the Parquet file itself.
    let table = second.out("samples.parquet");
    assert_eq!(second.write("parquet", &table, Formulas::Guard).left_out, [""; 0]);
    assert_eq!(read(&table), first.cleaned());
    // Label Studio has no way to them, which is said.
    let written = second.write("label-studio", &second.out("tasks.json"), Formulas::Guard);
    assert!(written.left_out[0].starts_with("13 pictures lie in other files"), "{:?}", written.left_out);
}

#[test]
fn shards_end_at_their_size_and_number_their_classes() {
    let made = made(&FILES, hostile_decisions);
    let stop = AtomicBool::new(false);
    let request = Request { output: made.out("wds"), ..Request::default() };
    exporting(&made.manifest, &made.decisions, |export| {
        super::webdataset::write(export, &request, &Job::new(&stop, &|_, _| {}), 8000).unwrap()
    });
    let mut names: Vec<String> = fs::read_dir(made.out("wds"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let shards = |split: &str| names.iter().filter(|name| name.starts_with(split)).collect::<Vec<_>>();
    assert_eq!(shards("test"), ["test-000000.tar", "test-000001.tar"]);
    assert_eq!(shards("train").len() + 3, names.len());
    assert!(shards("train").len() > 2 && names[0] == "classes.txt");
    assert_eq!(fs::read_to_string(made.out("wds/classes.txt")).unwrap(), "@home\na new/class\ncat\ndog\n");
    let mut classes = BTreeMap::new();
    for name in names.iter().filter(|name| name.ends_with(".tar")) {
        let path = made.out("wds").join(name);
        assert!(fs::metadata(&path).unwrap().len() <= 8000 + 1024);
        let mut archive = tar::Archive::new(fs::File::open(path).unwrap());
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            let (key, what) = path.rsplit_once('.').unwrap();
            assert!(!key.rsplit('/').next().unwrap().contains('.'), "{path}");
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut text).unwrap();
            let members: &mut BTreeMap<String, Vec<u8>> = classes.entry(key.to_owned()).or_default();
            assert!(members.insert(what.to_owned(), text).is_none(), "{path} comes twice");
        }
    }
    assert_eq!(classes.len(), FILES.len() - 1);
    assert_eq!(classes["train/cat/1"]["cls"], b"3");
    let about: Value = serde_json::from_slice(&classes["train/cat/1"]["json"]).unwrap();
    assert_eq!(
        about,
        serde_json::json!({"label": "dog", "split": "train", "decision": "relabel", "path": "train/cat/1.jpg",
            "tags": "mislabel_confirmed,=x"})
    );
    assert!(classes.contains_key("train/cat/a_b_c"));
}

#[test]
fn classes_that_are_numbers_stay_what_they_are() {
    let files: Vec<(&[u8], &str, &str)> =
        vec![(b"10/1.jpg", "10", ""), (b"2/1.jpg", "2", ""), (b"cat/1.jpg", "cat", "")];
    let made = made(&files, |_, _| {});
    for format in FOLDERS {
        made.write(format, &made.out(format), Formulas::Guard);
        assert_eq!(read(&made.out(format)), made.cleaned(), "{format}");
    }
}

#[test]
fn the_parquet_file_finds_its_pictures_by_itself() {
    let made = made(&FILES, some_decisions);
    let table = made.out("far/samples.parquet");
    let written = made.write("parquet", &table, Formulas::Guard);
    // A path that is not text cannot be one of a table.
    assert_eq!(written.left_out.len(), 1);
    let opened = dataset::open(&table, &DatasetOptions::default()).unwrap();
    assert_eq!(opened.manifest.root(), made.out("data"));
    assert!(opened.ledger.remarks.iter().any(|remark| remark.text.contains("as the file says")));
    let rooted = DatasetOptions { root: Some(made.out("data")), ..DatasetOptions::default() };
    let rooted = dataset::open(&table, &rooted).unwrap().manifest;
    for read in [&opened.manifest, &rooted] {
        let rows = |manifest: &Manifest| -> Vec<(PathBuf, String, String)> {
            let ids = manifest.ids().filter(|&id| manifest.full_path(id).exists());
            ids.map(|id| {
                let (label, split) =
                    (manifest.label_name(id).to_owned(), manifest.split_as_written(id).to_owned());
                (manifest.path(id).to_path_buf(), label, split)
            })
            .filter(|(path, ..)| path.to_str().is_some())
            .collect()
        };
        assert_eq!(read.len(), FILES.len());
        assert_eq!(rows(read), rows(&made.manifest));
        let decision = read.extra().iter().find(|column| column.name == "decision").unwrap();
        assert_eq!(decision.values[find(read, FILES[2].0).index()], "remove");
    }
}

#[test]
fn numbers_with_more_digits_than_a_double_go_out_as_they_came() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("1.jpg"), "1.jpg").unwrap();
    let (wide, small) = (r#""wide":12345678901234567890123"#, r#""small":1e-05"#);
    fs::write(
        data.join("rows.jsonl"),
        format!("{{\"path\": \"1.jpg\", \"label\": \"cat\", {wide}, {small}}}"),
    )
    .unwrap();
    let manifest = dataset::open(&data.join("rows.jsonl"), &DatasetOptions::default()).unwrap().manifest;
    let made = decided(temp, manifest, |_, _| {});
    for format in ["hf", "jsonl"] {
        let place = made.out(if format == "hf" { "hf" } else { "samples.jsonl" });
        made.write(format, &place, Formulas::Guard);
        let files = walkdir::WalkDir::new(&place).into_iter().map(|entry| entry.unwrap().into_path());
        let file = files.filter(|file| file.extension().is_some_and(|end| end == "jsonl")).last().unwrap();
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(wide) && text.contains(small), "{format}: {text}");
    }
    made.write("parquet", &made.out("samples.parquet"), Formulas::Guard);
    let read = dataset::open(&made.out("samples.parquet"), &DatasetOptions::default()).unwrap().manifest;
    let column =
        |name: &str| read.extra().iter().find(|column| column.name == name).unwrap().values[0].clone();
    assert_eq!(column("wide"), "12345678901234567890123");
    assert!(read.is_typed("small") && column("small").parse::<f64>() == Ok(1e-5));
}

/// Each line of a file of JSON Lines below a folder, or of this one.
fn json_lines(path: &Path) -> Vec<Value> {
    let files = walkdir::WalkDir::new(path).into_iter().map(|entry| entry.unwrap().into_path());
    let file = files.filter(|file| file.extension().is_some_and(|end| end == "jsonl")).last().unwrap();
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn numbers_lists_and_objects_of_other_columns_stay_what_they_are() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    fs::create_dir(&data).unwrap();
    for name in ["1.jpg", "2.jpg"] {
        fs::write(data.join(name), name).unwrap();
    }
    let rows = [
        r#"{"path": "1.jpg", "label": "cat", "w": 0.0, "n": 7, "yes": true, "nest": {"a": [1, 2.5]}, "mixed": 5, "code": "007"}"#,
        r#"{"path": "2.jpg", "label": "dog", "w": null, "n": -1, "yes": false, "nest": [], "mixed": "5", "code": "1"}"#,
    ];
    fs::write(data.join("rows.jsonl"), rows.join("\n")).unwrap();
    let manifest = dataset::open(&data.join("rows.jsonl"), &DatasetOptions::default()).unwrap().manifest;
    let made = decided(temp, manifest, |_, _| {});
    let expected = |row: &Value, name: &str| match name {
        // What is a number in one row and a text in another is a text in all.
        "mixed" => Value::from("5"),
        name => row[name].clone(),
    };
    let before: Vec<Value> = rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
    let names = ["w", "n", "yes", "nest", "mixed", "code"];
    for format in ["hf", "jsonl"] {
        let place = made.out(if format == "hf" { "hf" } else { "samples.jsonl" });
        made.write(format, &place, Formulas::Guard);
        let after = json_lines(&place);
        assert_eq!(after.len(), 2);
        for (new, old) in after.iter().zip(&before) {
            for name in names {
                assert_eq!(new[name], expected(old, name), "{format} {name}");
            }
        }
    }
    made.write("webdataset", &made.out("wds"), Formulas::Guard);
    made.write("parquet", &made.out("samples.parquet"), Formulas::Guard);
    for place in ["wds", "samples.parquet"] {
        let read = dataset::open(&made.out(place), &DatasetOptions::default()).unwrap().manifest;
        let typed: Vec<&str> = names.into_iter().filter(|name| read.is_typed(name)).collect();
        // A table has one type for a column, so that what differs from row to row is a text of JSON.
        let nested = if place == "wds" { &["w", "n", "yes", "nest"][..] } else { &["w", "n", "yes"][..] };
        assert_eq!(typed, nested, "{place}");
        let first =
            |name: &str| read.extra().iter().find(|column| column.name == name).unwrap().values[0].clone();
        assert_eq!(names.map(first), ["0.0", "7", "true", "{\"a\":[1,2.5]}", "5", "007"], "{place}");
    }
}

#[test]
fn lists_of_a_parquet_file_are_json() {
    use arrow_array::types::Int64Type;
    use arrow_array::{ArrayRef, ListArray, RecordBatch, StringArray};
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("1.jpg"), "one").unwrap();
    let boxes = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None, Some(3)])]);
    let columns: [(&str, ArrayRef); 3] = [
        ("path", Arc::new(StringArray::from(vec!["1.jpg"]))),
        ("label", Arc::new(StringArray::from(vec!["cat"]))),
        ("boxes", Arc::new(boxes)),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = fs::File::create(data.join("rows.parquet")).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let manifest = dataset::open(&data.join("rows.parquet"), &DatasetOptions::default()).unwrap().manifest;
    assert_eq!(manifest.extra()[0].values, ["[1,null,3]"]);
    let made = decided(temp, manifest, |_, _| {});
    made.write("jsonl", &made.out("samples.jsonl"), Formulas::Guard);
    assert_eq!(json_lines(&made.out("samples.jsonl"))[0]["boxes"], serde_json::json!([1, null, 3]));
}

/// Whether formulas are guarded is said of each format, and no other one changes a byte.
#[test]
fn only_formats_that_say_so_guard_formulas() {
    let both = |made: &Made, format: &Format| {
        [Formulas::Guard, Formulas::Keep].map(|formulas| {
            let path = made.out(format.file_name);
            made.write(format.name, &path, formulas);
            fs::read(path).unwrap()
        })
    };
    let temp = tempfile::tempdir().unwrap();
    for path in ["data/@home/1.jpg", "data/cat/2.jpg"] {
        let file = temp.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, path).unwrap();
    }
    let manifest = dataset::open(&temp.path().join("data"), &DatasetOptions::default()).unwrap().manifest;
    let (paths, all) = (decided(temp, manifest, |_, _| {}), made(&FILES, some_decisions));
    for format in FORMATS.iter().filter(|format| format.target == Target::File) {
        match format.guards {
            true => {
                let [guarded, kept] = both(&paths, format);
                assert_eq!(guarded.len(), kept.len() + guarded.iter().filter(|&&byte| byte == b'\'').count());
                assert!(guarded != kept, "{}", format.name);
            }
            false => {
                let [guarded, kept] = both(&all, format);
                assert!(guarded == kept, "{}", format.name);
            }
        }
    }
}

#[test]
fn tables_have_every_sample_and_guard_formulas() {
    let made = made(&FILES, some_decisions);
    let written = made.write("csv", &made.out("samples.csv"), Formulas::Guard);
    // A note, and the class `@home` of two samples.
    assert_eq!(
        written.summary.unwrap(),
        "14 samples, 3 cells that look like formulas begin with an apostrophe"
    );
    made.write("csv", &made.out("kept.csv"), Formulas::Keep);
    let rows = |name: &str| -> Vec<BTreeMap<String, Vec<u8>>> {
        let mut reader = csv::Reader::from_path(made.out(name)).unwrap();
        let headings = reader.headers().unwrap().clone();
        let row = |row: csv::ByteRecord| {
            headings.iter().map(str::to_owned).zip(row.iter().map(<[u8]>::to_vec)).collect()
        };
        reader.byte_records().map(|one| row(one.unwrap())).collect()
    };
    let (guarded, kept) = (rows("samples.csv"), rows("kept.csv"));
    let of = |rows: &[BTreeMap<String, Vec<u8>>], path: &[u8]| {
        rows.iter().find(|row| row["path"] == path).unwrap().clone()
    };
    let (one, other) = (of(&guarded, FILES[0].0), of(&kept, FILES[0].0));
    assert_eq!((&one["note"][..], &other["note"][..]), (&b"'+sure"[..], &b"+sure"[..]));
    assert_eq!((&one["decision"][..], &one["new_label"][..]), (&b"relabel"[..], &b"dog"[..]));
    assert_eq!(&of(&guarded, FILES[12].0)["label"], b"'@home");
    let read = dataset::open(
        &made.out("kept.csv"),
        &DatasetOptions { root: Some(made.out("data")), ..DatasetOptions::default() },
    );
    let read = read.unwrap().manifest;
    assert_eq!(read.len(), FILES.len());
    for (path, label, split) in FILES {
        let id = find(&read, path);
        assert_eq!((read.label_name(id), read.split_as_written(id)), (label, split));
    }
    made.write("jsonl", &made.out("samples.jsonl"), Formulas::Guard);
    let text = fs::read_to_string(made.out("samples.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), FILES.len());
    let row = lines.iter().find(|row| row["path"] == "train/cat/1.jpg").unwrap();
    assert_eq!((&row["note"], &row["tags"][1]), (&Value::from("+sure"), &Value::from("=x")));
    assert_eq!(row["reviewer"], "anna");
}

#[test]
fn tasks_name_files_and_say_what_was_decided() {
    let made = made(&FILES, some_decisions);
    made.write("label-studio", &made.out("tasks.json"), Formulas::Guard);
    let tasks: Value = serde_json::from_slice(&fs::read(made.out("tasks.json")).unwrap()).unwrap();
    let tasks = tasks.as_array().unwrap();
    assert_eq!(tasks.len(), FILES.len());
    let of = |path: &str| tasks.iter().find(|task| task["data"]["path"] == path).unwrap();
    let image = &of("train/cat/100% [1]?#&.jpg")["data"]["image"];
    assert_eq!(image, "/data/local-files/?d=data/train/cat/100%25%20%5B1%5D%3F%23%26.jpg");
    let relabeled = &of("train/cat/1.jpg")["annotations"][0];
    assert_eq!(relabeled["result"][0]["value"]["choices"][0], "dog");
    assert_eq!(of("train/cat/1.png")["annotations"][0]["was_cancelled"], true);
    assert_eq!(of("test/dog/caf\u{e9}.jpg")["annotations"], Value::Array(Vec::new()));
}

#[test]
fn coco_has_a_category_for_each_class_and_a_file_for_each_split() {
    let made = made(&FILES, hostile_decisions);
    made.write("coco", &made.out("coco"), Formulas::Guard);
    let file = |split: &str| -> Value {
        let path = made.out("coco/annotations").join(format!("instances_{split}.json"));
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    let mut count = 0;
    for split in ["train", "test"] {
        let whole = file(split);
        let names: Vec<&str> =
            whole["categories"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["@home", "a new/class", "cat", "dog"]);
        let images = whole["images"].as_array().unwrap();
        assert_eq!(images.len(), whole["annotations"].as_array().unwrap().len());
        for image in images {
            assert!(made.out("coco").join(split).join(image["file_name"].as_str().unwrap()).is_file());
        }
        count += images.len();
    }
    assert_eq!(count, FILES.len() - 1);
}

#[test]
fn fiftyone_gets_tags_and_labels() {
    let made = made(&FILES, some_decisions);
    made.write("fiftyone", &made.out("fo"), Formulas::Guard);
    let whole: Value = serde_json::from_slice(&fs::read(made.out("fo/samples.json")).unwrap()).unwrap();
    let samples = whole["samples"].as_array().unwrap();
    assert_eq!(samples.len(), FILES.len() - 1);
    let relabeled = samples.iter().find(|one| one["original_label"]["label"] == "cat").unwrap();
    assert_eq!(relabeled["ground_truth"]["label"], "dog");
    assert_eq!(relabeled["tags"], serde_json::json!(["train", "relabel", "mislabel_confirmed", "=x"]));
    for sample in samples {
        assert!(made.out("fo").join(sample["filepath"].as_str().unwrap()).is_file());
    }
}

#[test]
fn columns_that_mean_something_else_get_another_name() {
    let first = made(&FILES[..2], |_, _| {});
    let extra = ["file_name", "decision", "Label", "weight"].map(|name| {
        chaffinch_data::manifest::ExtraColumn { name: name.into(), values: vec![name.to_uppercase(); 2] }
    });
    let manifest = (*first.manifest).clone().with_extra(extra.into());
    let made = decided(first.temp, manifest, |_, _| {});
    let written = made.write("hf", &made.out("hf"), Formulas::Guard);
    assert_eq!(written.renamed.len(), 3, "{:?}", written.renamed);
    let read = dataset::open(&made.out("hf"), &DatasetOptions::default()).unwrap().manifest;
    let column =
        |name: &str| read.extra().iter().find(|column| column.name == name).unwrap().values[0].clone();
    assert_eq!(column("file_name_column"), "FILE_NAME");
    assert_eq!((column("decision-2"), column("weight")), ("DECISION".into(), "WEIGHT".into()));
    assert_eq!(read.label_name(SampleId(0)), "cat");
}

#[test]
fn issues_have_the_names_of_other_programs() {
    let made = made(&FILES[..3], |_, _| {});
    let mut results = chaffinch_review::ranking::Results::new();
    let mut add = |name: &str, scores: [f32; 3], issues: &[(u32, f32, Option<u32>, &str)]| {
        let mut builder = chaffinch_data::columns::ResultBuilder::new(3);
        builder.scores(&scores);
        for (row, score, suggested, reason) in issues {
            let (score, suggested, reason) = (*score, *suggested, (*reason).to_owned());
            let issue = chaffinch_data::issue::Issue { score, suggested, reason, ..Default::default() };
            builder.issue(SampleId(*row), issue);
        }
        let record =
            chaffinch_data::issue::RunRecord { name: name.into(), threshold: 0.5, ..Default::default() };
        results.insert(name.into(), Arc::new(builder.finish(record, made.manifest.classes())));
    };
    let words =
        "dark: 99 % of its pixels have at most 3 % of full brightness; blurry: sharpness 0.1, below 0.29";
    add("quality", [0.9, 0.2, 0.8], &[(1, 0.2, None, words)]);
    add("labels", [0.1, 0.9, 0.9], &[(0, 0.1, Some(1), "")]);
    add("odd-one", [1.0, 1.0, 0.25], &[]);
    let thresholds = BTreeMap::new();
    let ranking =
        chaffinch_review::ranking::rank(&results, &thresholds, &chaffinch_protocol::EnsembleRule::Or, 3);
    let source = Source {
        manifest: &made.manifest,
        file_metadata: &Default::default(),
        results: &results,
        previous: &results,
        thresholds: &thresholds,
        ranking: &ranking,
        decisions: &made.decisions,
        atlas: None,
        direction: None,
        learned: None,
    };
    let export = Export { source, dataset: "pets", place: None, embeddings: &|| None };
    let stop = AtomicBool::new(false);
    let write = |format: &str| -> Vec<BTreeMap<String, String>> {
        let output = made.out(format);
        let finders = Finders { labels: &["labels"], quality: &["quality"], ..Finders::default() };
        let request = Request { output: output.clone(), finders, ..Request::default() };
        Format::find(format).unwrap().write(&export, &request, &Job::new(&stop, &|_, _| {})).unwrap();
        csv::Reader::from_path(output).unwrap().deserialize().map(|row| row.unwrap()).collect()
    };
    let rows = write("cleanvision");
    let cell = |row: usize, name: &str| rows[row][name].clone();
    assert_eq!((cell(1, "is_dark_issue"), cell(1, "dark_score")), ("True".into(), "0.2".into()));
    assert_eq!((cell(1, "is_blurry_issue"), cell(1, "blurry_score")), ("True".into(), String::new()));
    assert_eq!((cell(0, "is_dark_issue"), cell(2, "is_odd_one_issue")), ("False".into(), "True".into()));
    assert_eq!(rows[0][""], "train/cat/1.jpg");
    let rows = write("cleanlab");
    let label =
        ["is_label_issue", "label_score", "given_label", "predicted_label"].map(|name| rows[0][name].clone());
    assert_eq!(label, ["True", "0.1", "cat", "dog"]);
    assert_eq!((&*rows[1]["predicted_label"], rows.len()), ("cat", 3));
    let rows = write("csv");
    assert_eq!((&*rows[0]["labels_suggestion"], &*rows[0]["is_labels_issue"]), ("dog", "True"));
    assert_eq!((&*rows[1]["quality_reason"], &*rows[2]["odd-one_score"]), (words, "0.25"));
}
