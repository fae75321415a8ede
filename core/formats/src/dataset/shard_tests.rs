//! Shards that are missing, there twice, damaged or unlike the others: each is said with its name.

use super::testing::{says, tree};
use super::{DatasetOptions, Opened, open};
use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::Schema;
use chaffinch_data::faults;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::sample::Split;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

pub(super) fn read(path: &Path) -> Opened {
    let opened = open(path, &DatasetOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    let ledger = &opened.ledger;
    assert_eq!(ledger.found, opened.manifest.len() as u64 + ledger.left_out, "{ledger:#?}");
    opened
}

pub(super) fn with(path: &Path, change: impl FnOnce(&mut DatasetOptions)) -> Opened {
    let mut options = DatasetOptions::default();
    change(&mut options);
    open(path, &options).unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn labels(opened: &Opened) -> Vec<&str> {
    opened.manifest.ids().map(|id| opened.manifest.label_name(id)).collect()
}

/// Rows with pictures, no two alike, and labels by number with these names.
pub(super) fn named(start: i64, numbers: &[i64], names: &[&str]) -> RecordBatch {
    let pictures: Vec<Vec<u8>> = (start..).take(numbers.len()).map(|row| vec![row as u8; 9]).collect();
    let pictures: ArrayRef = Arc::new(BinaryArray::from_iter_values(&pictures));
    let labels: ArrayRef = Arc::new(Int64Array::from(numbers.to_vec()));
    let batch = RecordBatch::try_from_iter([("image", pictures), ("label", labels)]).unwrap();
    if names.is_empty() {
        return batch;
    }
    let info = serde_json::json!({"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}});
    let metadata = HashMap::from([("huggingface".to_owned(), info.to_string())]);
    let schema = Schema::new_with_metadata(batch.schema().fields().clone(), metadata);
    batch.with_schema(Arc::new(schema)).unwrap()
}

pub(super) fn parquet(path: &Path, batch: &RecordBatch) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(4)).build();
    let metadata = batch.schema().metadata().clone();
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    for (key, value) in metadata {
        writer.append_key_value_metadata(parquet::file::metadata::KeyValue::new(key, value));
    }
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn arrow(path: &Path, batch: &RecordBatch) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = StreamWriter::try_new(File::create(path).unwrap(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
}

pub(super) fn tar(path: &Path, members: &[(&str, &str)]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut archive = tar::Builder::new(File::create(path).unwrap());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
}

/// A folder of `train-NNNNN-of-00004.parquet` with two samples each.
fn shards(numbers: &[i64]) -> tempfile::TempDir {
    let temp = tempfile::tempdir().unwrap();
    for &number in numbers {
        let path = temp.path().join(format!("data/train-{number:05}-of-00004.parquet"));
        parquet(&path, &named(2 * number, &[0, 1], &["cat", "dog"]));
    }
    temp
}

#[test]
fn missing_shards_are_named() {
    let whole = shards(&[0, 1, 2, 3]);
    assert_eq!(read(whole.path()).ledger.count(RemarkKind::FilesMissing), 0);
    let temp = shards(&[0, 3]);
    let opened = read(temp.path());
    assert_eq!(opened.ledger.count(RemarkKind::FilesMissing), 2);
    let text =
        "2 of 4 shards are missing: data/train-00001-of-00004.parquet, data/train-00002-of-00004.parquet";
    assert!(says(&opened, RemarkKind::FilesMissing, text), "{:#?}", opened.ledger);
    // What was chosen is not all there is, and what was not chosen is not missing.
    let one = read(&temp.path().join("data/train-00003-of-00004.parquet"));
    assert!(says(&one, RemarkKind::LayoutGuessed, "is shard 4 of 4"), "{:#?}", one.ledger);
    let chosen = read(&temp.path().join("data/train-{00000..00000}-of-00004.parquet"));
    assert_eq!(chosen.ledger.count(RemarkKind::FilesMissing), 0, "{:#?}", chosen.ledger);
    let starred = read(&temp.path().join("data/train-*.parquet"));
    assert_eq!(starred.ledger.count(RemarkKind::FilesMissing), 2, "{:#?}", starred.ledger);
    // WebDataset counts without saying how many there are.
    let temp = tempfile::tempdir().unwrap();
    for number in [0, 1, 4] {
        let key = format!("{number}.png");
        tar(
            &temp.path().join(format!("wds-{number:06}.tar")),
            &[(&key, &key), (&format!("{number}.cls"), "cat")],
        );
    }
    let opened = read(temp.path());
    let text = "2 shards are missing: wds-000002.tar, wds-000003.tar";
    assert!(says(&opened, RemarkKind::FilesMissing, text), "{:#?}", opened.ledger);
}

#[test]
fn what_describes_a_dataset_says_what_is_missing() {
    let temp = tree(&[
        ("dataset_dict.json", r#"{"splits": ["train", "test"]}"#),
        (
            "train/state.json",
            r#"{"_data_files": [{"filename": "data-00000-of-00002.arrow"}, {"filename": "data-00001-of-00002.arrow"}],
                "_split": "train"}"#,
        ),
        (
            "train/dataset_info.json",
            r#"{"splits": {"train": {"num_examples": 5}, "test": {"num_examples": 7}}}"#,
        ),
    ]);
    arrow(&temp.path().join("train/data-00000-of-00002.arrow"), &named(0, &[0, 1], &["cat", "dog"]));
    // Left over from when it had three files.
    arrow(&temp.path().join("train/data-00000-of-00003.arrow"), &named(9, &[0], &["cat", "dog"]));
    let opened = read(temp.path());
    assert_eq!(labels(&opened), ["cat", "dog"]);
    assert_eq!(opened.ledger.count(RemarkKind::FilesMissing), 2, "{:#?}", opened.ledger);
    for text in [
        "1 of 2 files that train/state.json lists is missing: train/data-00001-of-00002.arrow; 3 of the 5 samples that \
         dataset_info.json counts were not found",
        "the split 'test' that dataset_dict.json lists is missing; dataset_info.json counts 7 samples in it",
    ] {
        assert!(says(&opened, RemarkKind::FilesMissing, text), "{text}\n{:#?}", opened.ledger);
    }
    let text = "1 file was left out, which state.json does not list: train/data-00000-of-00003.arrow";
    assert!(says(&opened, RemarkKind::LayoutDoubtful, text), "{:#?}", opened.ledger);
    fs::write(temp.path().join("train/state.json"), "{").unwrap();
    let opened = read(temp.path());
    assert!(says(&opened, RemarkKind::LayoutDoubtful, "train/state.json (it is not valid JSON"));
}

#[test]
fn what_a_missing_shard_held_is_said_where_it_is_known() {
    let info =
        r#"{"splits": {"train": {"num_examples": 6, "shard_lengths": [2, 4]}, "test": {"num_examples": 2}}}"#;
    let temp = tree(&[("dataset_info.json", info)]);
    arrow(&temp.path().join("pets-train-00000-of-00002.arrow"), &named(0, &[0, 1], &["cat", "dog"]));
    arrow(&temp.path().join("pets-test-00000-of-00001.arrow"), &named(5, &[0], &["cat", "dog"]));
    let opened = read(temp.path());
    for text in [
        "1 of 2 shards is missing: pets-train-00001-of-00002.arrow, with 4 samples",
        "dataset_info.json counts 2 samples in the split 'test', and 1 was found",
    ] {
        assert!(says(&opened, RemarkKind::FilesMissing, text), "{text}\n{:#?}", opened.ledger);
    }
    assert_eq!(opened.ledger.count(RemarkKind::FilesMissing), 2);
}

#[test]
fn shards_that_are_there_twice_are_named() {
    let temp = shards(&[0, 1, 2, 3]);
    let data = temp.path().join("data");
    fs::copy(data.join("train-00002-of-00004.parquet"), data.join("train-00002-of-00004 (1).parquet"))
        .unwrap();
    let opened = read(temp.path());
    let text = "1 shard is there twice, and all of them were read: data/train-00002-of-00004";
    assert!(says(&opened, RemarkKind::LayoutDoubtful, text), "{:#?}", opened.ledger);
    let temp = shards(&[0, 1, 2, 3]);
    let data = temp.path().join("data");
    fs::copy(data.join("train-00002-of-00004.parquet"), data.join("more.parquet")).unwrap();
    parquet(&data.join("train-00000-of-00001.parquet"), &named(50, &[0, 1], &["cat", "dog"]));
    let opened = read(temp.path());
    for text in [
        "1 shard seems to be a copy of another one, and was read, too: data/train-00002-of-00004.parquet of \
         data/more.parquet",
        "shards of two sets are called data/train-…: of 00001 and of 00004",
    ] {
        assert!(says(&opened, RemarkKind::LayoutDoubtful, text), "{text}\n{:#?}", opened.ledger);
    }
}

/// What a scan says of the files that it could not read.
fn faults_of(opened: &Opened) -> String {
    let manifest = &opened.manifest;
    let read = |id| manifest.source(id).read().err().map(|error| (id, faults::because(&error)));
    let unreadable = manifest.ids().filter_map(read).collect();
    let metadata = FileMetadata {
        hashes: vec![chaffinch_compute::content::ContentHash::default(); manifest.len()].into(),
        unreadable,
        ..FileMetadata::default()
    };
    let mut ledger = chaffinch_protocol::Ledger::default();
    faults::enter(manifest, &metadata, &mut ledger);
    let texts = ledger.remarks.iter().map(|remark| format!("{:?}: {}", remark.kind, remark.text));
    texts.collect::<Vec<String>>().join("\n")
}

/// Where the bytes of a column of a row group are in a file.
fn column(path: &Path, group: usize, column: usize) -> (usize, usize) {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let (start, length) = reader.metadata().row_group(group).column(column).byte_range();
    (start as usize, (start + length) as usize)
}

#[test]
fn a_damaged_page_is_a_damaged_file_and_not_a_broken_disk() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("train.parquet");
    let batch = named(0, &[0, 1, 0, 1, 0, 1, 0, 1, 0, 1], &["cat", "dog"]);
    parquet(&path, &batch);
    let whole = fs::read(&path).unwrap();
    let damaged = |at: (usize, usize)| {
        let mut bytes = whole.clone();
        bytes[at.0..at.1].fill(0xff);
        fs::write(&path, bytes).unwrap();
    };
    damaged(column(&path, 1, 0));
    let opened = read(&path);
    let read_whole = opened.manifest.ids().filter(|&id| opened.manifest.source(id).read().is_ok()).count();
    assert_eq!((opened.manifest.len(), read_whole), (10, 6));
    let said = faults_of(&opened);
    let text = "FilesUnreadable: 4 of 10 files could not be read because the file that holds them is damaged; the first \
                is ";
    assert!(said.starts_with(text), "{said}");
    assert!(said.contains("(train.parquet, row group 2 of 3, column 'image': "), "{said}");
    assert!(!said.contains("disk"), "{said}");
    fs::write(&path, &whole).unwrap();
    damaged(column(&path, 2, 1));
    let error = open(&path, &DatasetOptions::default()).unwrap_err().to_string();
    assert!(error.contains("train.parquet: it is damaged: row group 3 of 3, column 'label': "), "{error}");
    assert!(error.contains("nothing was scanned"), "{error}");
}

#[test]
fn an_empty_cell_is_no_missing_file() {
    let temp = tempfile::tempdir().unwrap();
    let pictures: ArrayRef = Arc::new(BinaryArray::from_opt_vec(vec![Some(b"a"), None, Some(b"b")]));
    let labels: ArrayRef = Arc::new(StringArray::from(vec!["cat", "cat", "dog"]));
    let batch = RecordBatch::try_from_iter([("image", pictures), ("label", labels)]).unwrap();
    parquet(&temp.path().join("a.parquet"), &batch);
    arrow(&temp.path().join("a.arrow"), &batch);
    for name in ["a.parquet", "a.arrow"] {
        let said = faults_of(&read(&temp.path().join(name)));
        assert!(
            said.starts_with("NoPicture: 1 of 3 files has no picture, because the cell is empty: "),
            "{said}"
        );
    }
}

#[test]
fn two_archives_in_one_file_are_said() {
    let temp = tempfile::tempdir().unwrap();
    let [one, two] = ["a.tar", "b.tar"].map(|name| temp.path().join(name));
    tar(&one, &[("cat/1.png", "x"), ("dog/2.png", "y")]);
    tar(&two, &[("cow/3.png", "z")]);
    let padded = [fs::read(&one).unwrap(), vec![0; 8192]].concat();
    let both = [fs::read(&one).unwrap(), fs::read(&two).unwrap()].concat();
    fs::remove_file(&two).unwrap();
    for (bytes, is_said) in [(padded, false), (both, true)] {
        fs::write(&one, bytes).unwrap();
        let opened = read(&one);
        assert_eq!(labels(&opened), ["cat", "dog"]);
        let text = "a.tar goes on after the end of its archive, and what follows was not read: join archives with tar --concatenate";
        assert_eq!(
            opened.ledger.remarks.iter().any(|remark| remark.text == text),
            is_said,
            "{:#?}",
            opened.ledger
        );
    }
}

#[test]
fn a_cut_shard_is_named() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.tar");
    tar(&path, &[("cat/1.png", &"x".repeat(2000)), ("dog/2.png", "y")]);
    let opened = read(&path);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..1024]).unwrap();
    let said = faults_of(&opened);
    assert!(
        said.contains("because the file that holds it is damaged") || said.contains("holds them"),
        "{said}"
    );
    assert!(said.contains("(a.tar ends too early)") && !said.contains("disk"), "{said}");
}

#[test]
fn shards_that_differ_are_named() {
    let said = |one: &RecordBatch, other: &RecordBatch| {
        let temp = tempfile::tempdir().unwrap();
        for (name, batch) in [("a", one), ("b", other)] {
            parquet(&temp.path().join(format!("{name}.parquet")), batch);
        }
        let opened = read(temp.path());
        let texts: Vec<&str> = opened.ledger.remarks.iter().map(|remark| remark.text.as_str()).collect();
        (labels(&opened).join(" "), texts.join("\n"), opened.ledger.count(RemarkKind::LabelsMissing))
    };
    let first = named(0, &[0, 1], &["cat", "dog"]);
    let (labels, text, _) = said(&first, &named(5, &[0, 1], &["dog", "cat"]));
    assert_eq!(labels, "cat dog dog cat");
    assert!(text.contains("a.parquet and b.parquet number the classes differently"), "{text}");
    let (_, text, _) = said(&first, &named(5, &[0, 1], &["cat", "cow"]));
    let wanted =
        "a.parquet and b.parquet have different classes: 'dog' only in a.parquet; 'cow' only in b.parquet";
    assert!(text.contains(wanted), "{text}");
    let (_, text, _) = said(&first, &named(5, &[0, 1], &[]));
    assert!(text.contains("the labels are names in a.parquet and numbers in b.parquet"), "{text}");
    let bare = named(5, &[0, 1], &[]).project(&[0]).unwrap();
    let (_, text, missing) = said(&first, &bare);
    assert_eq!(missing, 2);
    assert!(
        text.contains("because 1 shard has none: b.parquet, unlike a.parquet with its 'label'"),
        "{text}"
    );
    let more: ArrayRef = Arc::new(StringArray::from(vec!["x", "y"]));
    let (picture, label) =
        (first.column(0).clone(), Arc::new(StringArray::from(vec!["cat", "dog"])) as ArrayRef);
    let other = RecordBatch::try_from_iter([("image", picture), ("label", label), ("site", more)]).unwrap();
    let (_, text, _) = said(&named(5, &[0, 1], &["cat", "dog"]), &other);
    assert!(text.contains("1 column is not in all shards, and is empty in the others: 'site'"), "{text}");
    assert!(text.contains("b.parquet has 'site', a.parquet does not"), "{text}");
    let (_, text, missing) = said(&bare, &named(9, &[0, 1], &[]).project(&[0]).unwrap());
    assert!(missing == 4 && text.contains("there is no column of labels"), "{text}");
}

#[test]
fn a_file_that_describes_a_dataset_names_its_folder() {
    let temp = tree(&[
        ("yolo/data.yaml", "path: sub\nnames: [cat, dog]\ntrain: images\n"),
        ("yolo/sub/images/1.png", ""),
        ("other/data.yml", "nc: 2\nnames: [cat, dog]\ntrain: ../images\n"),
        ("disk/dataset_dict.json", r#"{"splits": ["train"]}"#),
        ("disk/train/state.json", r#"{"_data_files": []}"#),
        ("disk/train/dataset_info.json", "{}"),
    ]);
    for (file, folders) in [
        ("yolo/data.yaml", &["yolo/sub"][..]),
        ("other/data.yml", &["other"]),
        ("disk/dataset_dict.json", &["disk"]),
        ("disk/train/state.json", &["disk/train", "disk"]),
        ("disk/train/dataset_info.json", &["disk/train", "disk"]),
    ] {
        let error = open(&temp.path().join(file), &DatasetOptions::default()).unwrap_err().to_string();
        assert!(!error.contains("unknown"), "{error}");
        for folder in folders {
            let folder = temp.path().join(folder);
            assert!(error.contains(&format!(": {}", folder.display())), "{error}");
        }
    }
}

#[test]
fn arrow_files_of_paths_are_read() {
    let temp = tree(&[("pictures/1.png", "a"), ("pictures/2.png", "b")]);
    let paths: ArrayRef = Arc::new(StringArray::from(vec!["pictures/1.png", "pictures/2.png"]));
    let labels: ArrayRef = Arc::new(StringArray::from(vec!["cat", "dog"]));
    let batch = RecordBatch::try_from_iter([("path", paths), ("label", labels)]).unwrap();
    for name in ["pets.feather", "pets.arrow"] {
        let file = temp.path().join(name);
        arrow(&file, &batch);
        let opened = read(&file);
        let found = opened.manifest.ids().map(|id| opened.manifest.path(id).display().to_string());
        assert_eq!(found.collect::<Vec<_>>(), ["pictures/1.png", "pictures/2.png"]);
        assert_eq!(labels_read(&opened), ["cata", "dogb"]);
        fs::remove_file(&file).unwrap();
    }
    fs::create_dir(temp.path().join("away")).unwrap();
    let away = temp.path().join("away/pets.arrow");
    arrow(&away, &batch);
    let error = open(&away, &DatasetOptions::default()).unwrap_err().to_string();
    assert!(error.contains("none of its 2 files exists"), "{error}");
    let opened = with(&away, |options| options.root = Some(temp.path().to_path_buf()));
    assert_eq!(labels_read(&opened), ["cata", "dogb"]);
}

/// Each label with the bytes of the picture.
fn labels_read(opened: &Opened) -> Vec<String> {
    let text = |id| String::from_utf8(opened.manifest.source(id).read().unwrap()).unwrap();
    opened.manifest.ids().map(|id| format!("{}{}", opened.manifest.label_name(id), text(id))).collect()
}

#[test]
fn columns_of_splits_under_other_names_are_found_as_in_tables() {
    let pictures: ArrayRef = Arc::new(BinaryArray::from_iter_values([[1_u8; 9], [2; 9]]));
    let sets: ArrayRef = Arc::new(StringArray::from(vec!["train", "test"]));
    let valid: ArrayRef = Arc::new(Int64Array::from(vec![0, 1]));
    for (column, values, expected) in [
        ("partition", sets, [Split::Train, Split::Test]),
        ("is_valid", valid, [Split::Train, Split::Validation]),
    ] {
        let batch = RecordBatch::try_from_iter([("image", pictures.clone()), (column, values)]).unwrap();
        let temp = tempfile::tempdir().unwrap();
        let files = [temp.path().join("a.parquet"), temp.path().join("b.arrow")];
        parquet(&files[0], &batch);
        arrow(&files[1], &batch);
        for file in &files {
            let opened = with(file, |_| {});
            let splits: Vec<Split> = opened.manifest.ids().map(|id| opened.manifest.split(id)).collect();
            assert_eq!(splits, expected, "{column} {}", file.display());
            let said =
                opened.ledger.remarks.iter().any(|remark| remark.text.contains("--split-column chooses"));
            assert!(said, "{:?}", opened.ledger);
        }
    }
}

#[test]
fn a_number_without_a_name_among_named_classes_is_said() {
    let temp = tempfile::tempdir().unwrap();
    let files = [temp.path().join("a.parquet"), temp.path().join("b.arrow")];
    let batch = named(0, &[0, 7, 1, -1], &["cat", "dog"]);
    parquet(&files[0], &batch);
    arrow(&files[1], &batch);
    for file in &files {
        let opened = with(file, |_| {});
        assert_eq!(labels(&opened), ["cat", "7", "dog", ""]);
        let of = opened.ledger.remarks.iter().find(|remark| remark.text.contains("without a name"));
        assert_eq!(
            of.map(|remark| remark.text.as_str()),
            Some("1 sample has the number of a class without a name, since the schema names 2 classes: '7'")
        );
    }
    // Numbers that are names are none.
    parquet(&files[0], &named(0, &[0, 1], &["0", "7"]));
    assert!(with(&files[0], |_| {}).ledger.remarks.iter().all(|remark| !remark.text.contains("no name for")));
}

#[test]
fn splits_that_contradict_the_name_of_their_file_are_said() {
    let temp = tempfile::tempdir().unwrap();
    let sample = |key: &str, split: &str| {
        (format!("{key}.json"), format!(r#"{{"label": "cat", "split": "{split}"}}"#))
    };
    let members = [sample("a", "test"), sample("b", "train"), sample("c", "test")];
    let pictures = ["a.png", "b.png", "c.png"];
    let mut all: Vec<(&str, &str)> = pictures.iter().map(|name| (*name, "a picture")).collect();
    all.extend(members.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    all.sort_unstable();
    tar(&temp.path().join("train-000000.tar"), &all);
    let opened = read(temp.path());
    let text =
        "2 samples say another split than their file, whose split was not taken: 'test' in a file of 'train'";
    assert!(says(&opened, RemarkKind::LayoutDoubtful, text), "{:#?}", opened.ledger);
    let texts: Vec<&str> = opened.ledger.remarks.iter().map(|remark| remark.text.as_str()).collect();
    assert!(!texts.iter().any(|text| text.contains("splits were taken from the names")), "{texts:?}");
}

/// What says nothing of the split of a sample leaves it to the file, in every packing.
#[test]
fn nothing_in_a_column_of_splits_leaves_them_to_the_files() {
    let splits = |opened: &Opened| -> Vec<Split> {
        opened.manifest.ids().map(|id| opened.manifest.split(id)).collect()
    };
    let [train, test, validation] = [Split::Train, Split::Test, Split::Validation];
    for said in [[None, None], [None, Some("test")], [Some(""), Some("test")]] {
        let second = if said[1].is_some() { test } else { train };
        let column: ArrayRef = Arc::new(StringArray::from(said.to_vec()));
        let none: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>, None]));
        let of = |start: i64, column: &ArrayRef, paths: bool| {
            let batch = named(start, &[0, 1], &[]);
            let names: Vec<String> = (start..start + 2).map(|row| format!("{row}.png")).collect();
            let first: (&str, ArrayRef) = match paths {
                true => ("path", Arc::new(StringArray::from(names)) as ArrayRef),
                false => ("image", batch.column(0).clone()),
            };
            let label = ("label", batch.column(1).clone());
            RecordBatch::try_from_iter([first, label, ("split", column.clone())]).unwrap()
        };
        for paths in [false, true] {
            let temp = tempfile::tempdir().unwrap();
            parquet(&temp.path().join("train-00000-of-00001.parquet"), &of(0, &column, paths));
            parquet(&temp.path().join("validation-00000-of-00001.parquet"), &of(5, &none, paths));
            if paths {
                (0..7).for_each(|row| fs::write(temp.path().join(format!("{row}.png")), "x").unwrap());
                let files = ["train-00000-of-00001.parquet", "validation-00000-of-00001.parquet"];
                let read = files.map(|file| splits(&with(&temp.path().join(file), |_| {})));
                assert_eq!(read.concat(), [train, second, validation, validation], "{said:?}");
                continue;
            }
            let opened = read(temp.path());
            assert_eq!(splits(&opened), [train, second, validation, validation], "{said:?}");
            let text = "splits were taken from the names of 2 files";
            assert!(says(&opened, RemarkKind::LayoutGuessed, text), "{:#?}", opened.ledger);
        }
        let temp = tempfile::tempdir().unwrap();
        arrow(&temp.path().join("train/data.arrow"), &of(0, &column, false));
        arrow(&temp.path().join("validation/data.arrow"), &of(5, &none, false));
        assert_eq!(splits(&read(temp.path())), [train, second, validation, validation], "{said:?}");
        let json = |split: Option<&str>| serde_json::json!({"label": "cat", "split": split}).to_string();
        let temp = tempfile::tempdir().unwrap();
        let (a, b) = (json(said[0]), json(said[1]));
        tar(
            &temp.path().join("train-0.tar"),
            &[("a.png", "1"), ("a.json", &a), ("b.png", "2"), ("b.json", &b)],
        );
        tar(&temp.path().join("validation-0.tar"), &[("c.png", "3"), ("c.json", &json(None))]);
        assert_eq!(splits(&read(temp.path())), [train, second, validation], "{said:?}");
    }
}

/// Names of samples whose keys repeat in several shards are those of the members, below their shard.
#[test]
fn keys_that_repeat_in_several_shards_stay_in_the_names() {
    let temp = tempfile::tempdir().unwrap();
    let members = |keys: &[&str], label: &str| -> Vec<(String, String)> {
        let both = |key: &&str| {
            [(format!("{key}.png"), (*key).to_owned()), (format!("{key}.cls"), label.to_owned())]
        };
        keys.iter().flat_map(both).collect()
    };
    let write = |name: &str, keys: &[&str]| {
        let all = members(keys, "cat");
        let all: Vec<(&str, &str)> = all.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        tar(&temp.path().join(name), &all);
    };
    let names = || -> Vec<String> {
        let opened = read(temp.path());
        opened.manifest.ids().map(|id| opened.manifest.path(id).display().to_string()).collect()
    };
    write("train-000000.tar", &["000001", "000002", "000003"]);
    write("train-000001.tar", &["000001", "000002"]);
    let all = ["0/000001.png", "0/000002.png", "0/000003.png", "1/000001.png", "1/000002.png"];
    let all = all.map(|name| format!("train-00000{name}"));
    assert_eq!(names(), all);
    // Without one of them, the others are called as before.
    write("train-000000.tar", &["000002", "000003"]);
    assert_eq!(names(), all[1..]);
}

#[test]
fn several_configurations_in_one_folder_are_said() {
    let temp = tempfile::tempdir().unwrap();
    let write = |path: &str, start, names: &[&str]| {
        parquet(&temp.path().join(path), &named(start, &[0, 1], names));
    };
    write("small/train-00000-of-00001.parquet", 0, &["cat", "dog"]);
    write("large/train-00000-of-00001.parquet", 2, &["cat", "dog"]);
    let scan = format!("scan {}", temp.path().join("large").display());
    let guessed = "the folders 'large', 'small' have the same splits, as several configurations of a dataset do; they were \
                   joined into one dataset: ";
    let opened = read(temp.path());
    let text = format!("{guessed}{scan} to read one of them");
    assert!(says(&opened, RemarkKind::LayoutDoubtful, &text), "{:#?}", opened.ledger);
    // One of them, or what a pattern chooses.
    for path in ["large", "*/train-*.parquet"] {
        let opened = read(&temp.path().join(path));
        assert!(!says(&opened, RemarkKind::LayoutDoubtful, "configurations"), "{:#?}", opened.ledger);
    }
    let readme = "---\nlicense: mit\nconfigs:\n- config_name: small\n  data_files:\n  - split: train\n    path: small/train-*\n\
                  - config_name: big\n  data_dir: large\n---\n# Cats\n";
    fs::write(temp.path().join("README.md"), readme).unwrap();
    let opened = read(temp.path());
    let text =
        "README.md says that the files are those of several configurations, 'small', 'big'; they were joined";
    assert!(says(&opened, RemarkKind::LayoutDoubtful, text), "{:#?}", opened.ledger);
    // Whose labels are not those of one dataset.
    write("large/train-00000-of-00001.parquet", 2, &["siamese", "poodle"]);
    let error = open(temp.path(), &DatasetOptions::default()).unwrap_err().to_string();
    assert!(error.contains("'small' and 'big' have different classes; scan "), "{error}");
    let joined = with(temp.path(), |options| options.label_column = Some("label".into()));
    assert_eq!(joined.manifest.classes(), ["cat", "dog", "poodle", "siamese"]);
    // One that has all files is what is read.
    fs::write(
        temp.path().join("README.md"),
        readme
            .replace("# Cats", "")
            .replace("license: mit\nconfigs:", "configs:\n- config_name: all\n  data_files: '*/*.parquet'"),
    )
    .unwrap();
    let opened = read(temp.path());
    assert!(!says(&opened, RemarkKind::LayoutDoubtful, "configurations"), "{:#?}", opened.ledger);
}
