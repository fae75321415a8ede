//! Columns that say the label a second time, as a number or a name: in whatever a dataset is packed in, they say the new label
//! once a sample is relabeled, in the dataset, in a copy and in every export; or it is said that they do not.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, StructArray};
use arrow_schema::{DataType, Field, Fields, Schema};
use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Ran, Sandbox, table};
use image::ImageFormat;
use parquet::arrow::ArrowWriter;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The classes of the pictures, by their numbers.
const NAMES: [&str; 3] = ["bird", "cat", "dog"];
/// The class of each picture.
const CLASSES: [usize; 8] = [1, 2, 1, 0, 2, 0, 1, 2];
/// The one that becomes a dog, and the one that gets a new class.
const DOG: usize = 0;
const NEW: usize = 2;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn picture(number: usize) -> Vec<u8> {
    pictures::encoded(&pictures::picture(CLASSES[number], number as u64, 32), ImageFormat::Png)
}

fn draw(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for number in 0..CLASSES.len() {
        fs::write(folder.join(format!("{number}.png")), picture(number)).unwrap();
    }
}

/// What one of the two columns says of a class.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Name,
    Number,
    /// Something of its own.
    Other,
}

impl Says {
    fn of(self, class: usize) -> String {
        match self {
            Says::Name => NAMES[class].to_owned(),
            Says::Number => class.to_string(),
            Says::Other => format!("the {}s", NAMES[class]),
        }
    }
}

/// A dataset that carries its labels twice.
struct Packing {
    name: &'static str,
    /// Writes it into a folder, and returns what is scanned of it and the options for that.
    make: fn(&Path) -> (PathBuf, Vec<String>),
    /// What the labels are, and the other column.
    labels: Says,
    twin: &'static str,
    beside: Says,
    /// What the other column says beside a new class; `None` if that cannot be known.
    beside_new: Option<&'static str>,
}

fn rows(row: impl Fn(usize, usize) -> String) -> String {
    CLASSES.iter().enumerate().map(|(number, &class)| row(number, class)).collect()
}

fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A folder of pictures with a file beside them.
fn beside(folder: &Path, name: &str, text: String) -> PathBuf {
    draw(folder);
    fs::write(folder.join(name), text).unwrap();
    folder.to_path_buf()
}

/// Pictures with their labels as numbers with names and as texts, as the `datasets` library writes them; without pictures, a
/// table for those beside it.
fn parquet_file(file: &Path, with_pictures: bool) {
    let image = Fields::from(vec![
        Field::new("bytes", DataType::Binary, true),
        Field::new("path", DataType::Utf8, true),
    ]);
    let described = "{\"info\": {\"features\": {\"label\": {\"names\": [\"bird\", \"cat\", \"dog\"], \"_type\": \"ClassLabel\"}}}}";
    let mut fields = vec![
        Field::new("label", DataType::Int64, true),
        Field::new("class_name", DataType::Utf8, true),
        Field::new("target", DataType::Utf8, true),
    ];
    let texts = |says: Says| CLASSES.map(|class| says.of(class)).to_vec();
    let mut arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(CLASSES.iter().map(|&class| class as i64))),
        Arc::new(StringArray::from(texts(Says::Name))),
        Arc::new(StringArray::from(texts(Says::Other))),
    ];
    let names = StringArray::from_iter_values((0..CLASSES.len()).map(|number| format!("{number}.png")));
    if with_pictures {
        let bytes: Vec<Vec<u8>> = (0..CLASSES.len()).map(picture).collect();
        let bytes = BinaryArray::from_iter_values(bytes.iter());
        fields.push(Field::new("image", DataType::Struct(image.clone()), true));
        arrays.push(Arc::new(StructArray::new(image, vec![Arc::new(bytes), Arc::new(names)], None)));
    } else {
        fields.push(Field::new("file_name", DataType::Utf8, false));
        arrays.push(Arc::new(names));
    }
    let mut schema = Schema::new(fields);
    if with_pictures {
        schema = schema.with_metadata([("huggingface", described)]);
    }
    let schema = Arc::new(schema);
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_key_value_metadata(with_pictures.then(|| {
            vec![parquet::file::metadata::KeyValue::new("huggingface".into(), described.to_owned())]
        }))
        .build();
    let mut writer =
        ArrowWriter::try_new(fs::File::create(file).unwrap(), schema.clone(), Some(properties)).unwrap();
    writer.write(&RecordBatch::try_new(schema, arrays).unwrap()).unwrap();
    writer.close().unwrap();
}

/// Pictures in a tar file, each with its other members.
fn tar_file(file: &Path, members: impl Fn(usize) -> Vec<(&'static str, String)>) {
    let mut builder = tar::Builder::new(fs::File::create(file).unwrap());
    for (number, &class) in CLASSES.iter().enumerate() {
        let mut add = |kind: &str, bytes: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, format!("{number}.{kind}"), bytes).unwrap();
        };
        add("png", &picture(number));
        members(class).into_iter().for_each(|(kind, text)| add(kind, text.as_bytes()));
    }
    builder.finish().unwrap();
}

const CSV: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    let row = |number, class| format!("{number}.png,{},{class}\n", NAMES[class]);
    beside(place, "t.csv", format!("path,label,class_id\n{}", rows(row)));
    (place.join("t.csv"), Vec::new())
};
const JSON_LINES: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    let row = |number, class| {
        format!("{{\"path\": \"{number}.png\", \"label\": \"{}\", \"class_id\": {class}}}\n", NAMES[class])
    };
    beside(place, "t.jsonl", rows(row));
    (place.join("t.jsonl"), Vec::new())
};
const METADATA_CSV: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    let row = |number, class| format!("{number}.png,{class},{}\n", Says::Other.of(class));
    (beside(place, "metadata.csv", format!("file_name,label,label_name\n{}", rows(row))), Vec::new())
};
const METADATA_CSV_BY_NAME: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    let row = |number, class| format!("{number}.png,{class},{}\n", NAMES[class]);
    let text = format!("file_name,class_id,label_name\n{}", rows(row));
    (beside(place, "metadata.csv", text), columns(&["--label-column", "label_name"]))
};
const METADATA_JSON_LINES: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    let row = |number, class| {
        format!(
            "{{\"file_name\": \"{number}.png\", \"class_id\": {class}, \"label\": \"{}\"}}\n",
            NAMES[class]
        )
    };
    (beside(place, "metadata.jsonl", rows(row)), Vec::new())
};
const METADATA_PARQUET: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    draw(place);
    parquet_file(&place.join("metadata.parquet"), false);
    (place.to_path_buf(), Vec::new())
};
const CLASS_FOLDERS: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    for (number, &class) in CLASSES.iter().enumerate() {
        fs::create_dir_all(place.join(NAMES[class])).unwrap();
        fs::write(place.join(NAMES[class]).join(format!("{number}.png")), picture(number)).unwrap();
    }
    let row = |number, class: usize| format!("{}/{number}.png,{class}\n", NAMES[class]);
    fs::write(place.join("metadata.csv"), format!("file_name,class_id\n{}", rows(row))).unwrap();
    (place.to_path_buf(), Vec::new())
};
const JOINED: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    let (pictures, labels) = (place.join("pictures"), place.join("labels.csv"));
    draw(&pictures);
    let row = |number, class| format!("{number},{class},{}\n", NAMES[class]);
    fs::write(&labels, format!("id,class_id,class\n{}", rows(row))).unwrap();
    (pictures, columns(&["--labels", text(&labels)]))
};
const JOINED_LINES: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    let (pictures, labels) = (place.join("pictures"), place.join("labels.jsonl"));
    draw(&pictures);
    let row = |number, class| {
        format!("{{\"id\": {number}, \"class_id\": {class}, \"class\": \"{}\"}}\n", NAMES[class])
    };
    fs::write(&labels, rows(row)).unwrap();
    (pictures, columns(&["--labels", text(&labels)]))
};
const JOINED_PARQUET: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    let (pictures, labels) = (place.join("pictures"), place.join("labels.parquet"));
    draw(&pictures);
    parquet_file(&labels, false);
    (pictures, columns(&["--labels", text(&labels)]))
};
const PARQUET: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    fs::create_dir_all(place).unwrap();
    parquet_file(&place.join("t.parquet"), true);
    (place.join("t.parquet"), Vec::new())
};
const PARQUET_BY_NAME: fn(&Path) -> (PathBuf, Vec<String>) =
    |place| (PARQUET(place).0, columns(&["--label-column", "class_name"]));
const SHARDS: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    fs::create_dir_all(place).unwrap();
    let json =
        |class: usize| format!("{{\"label\": {class}, \"class_name\": \"{}\"}}", Says::Other.of(class));
    tar_file(&place.join("t.tar"), |class| vec![("cls", class.to_string()), ("json", json(class))]);
    (place.join("t.tar"), Vec::new())
};
const SHARDS_BY_NAME: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    fs::create_dir_all(place).unwrap();
    let json = |class: usize| format!("{{\"label\": \"{}\"}}", NAMES[class]);
    tar_file(&place.join("t.tar"), |class| vec![("cls", format!("{class}\n")), ("json", json(class))]);
    (place.join("t.tar"), columns(&["--label-column", "label"]))
};
const SHARDS_OF_JSON: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    fs::create_dir_all(place).unwrap();
    let json = |class: usize| format!("{{\"class_id\": {class}, \"label\": \"{}\"}}", NAMES[class]);
    tar_file(&place.join("t.tar"), |class| vec![("json", json(class))]);
    (place.join("t.tar"), Vec::new())
};

const SHARDS_OF_MEMBERS: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    fs::create_dir_all(place).unwrap();
    tar_file(&place.join("t.tar"), |class| {
        vec![("cls", NAMES[class].to_owned()), ("class_index", format!("{class}\n"))]
    });
    (place.join("t.tar"), Vec::new())
};
const SHARDS_OF_TEXTS: fn(&Path) -> (PathBuf, Vec<String>) = |place| {
    fs::create_dir_all(place).unwrap();
    let json = |class: usize| format!("{{\"label\": \"{}\"}}", NAMES[class]);
    tar_file(&place.join("t.tar"), |class| vec![("label_id.txt", class.to_string()), ("json", json(class))]);
    (place.join("t.tar"), Vec::new())
};

const PACKINGS: [Packing; 18] = {
    use Says::{Name, Number, Other};
    const fn packing(
        name: &'static str,
        make: fn(&Path) -> (PathBuf, Vec<String>),
        labels: Says,
        (twin, beside): (&'static str, Says),
        beside_new: Option<&'static str>,
    ) -> Packing {
        Packing { name, make, labels, twin, beside, beside_new }
    }
    [
        packing("csv", CSV, Name, ("class_id", Number), None),
        packing("json lines", JSON_LINES, Name, ("class_id", Number), None),
        packing("metadata.csv", METADATA_CSV, Number, ("label_name", Other), None),
        packing("metadata.csv by name", METADATA_CSV_BY_NAME, Name, ("class_id", Number), None),
        packing("metadata.jsonl", METADATA_JSON_LINES, Name, ("class_id", Number), None),
        packing("metadata.parquet", METADATA_PARQUET, Number, ("class_name", Name), None),
        packing("class folders", CLASS_FOLDERS, Name, ("class_id", Number), None),
        packing("a table of labels", JOINED, Name, ("class_id", Number), None),
        packing("labels in json lines", JOINED_LINES, Name, ("class_id", Number), None),
        packing("labels in parquet", JOINED_PARQUET, Number, ("class_name", Name), None),
        packing("parquet", PARQUET, Name, ("class_name", Name), Some("zebra")),
        packing("parquet, the third column", PARQUET, Name, ("target", Other), None),
        packing("parquet by name", PARQUET_BY_NAME, Name, ("label", Number), Some("3")),
        packing("shards", SHARDS, Number, ("class_name", Other), None),
        packing("shards by name", SHARDS_BY_NAME, Name, ("cls", Number), None),
        packing("shards of members", SHARDS_OF_MEMBERS, Name, ("class_index", Number), None),
        packing("shards of texts", SHARDS_OF_TEXTS, Name, ("label_id.txt", Number), None),
        packing("shards of json", SHARDS_OF_JSON, Name, ("class_id", Number), None),
    ]
};

/// The label of a sample and what stands beside it, by the number of its picture.
type Pairs = BTreeMap<usize, (String, String)>;

/// The pairs in a table; nothing beside the labels if the column is not there.
fn pairs(rows: &[BTreeMap<String, String>], twin: &str) -> Pairs {
    let names = [format!("{twin}_column"), format!("{twin}-2"), twin.to_owned()];
    let pair = |row: &BTreeMap<String, String>| {
        let number = Path::new(&row["path"]).file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let value = names.iter().find_map(|name| row.get(name)).cloned().unwrap_or_default();
        (number, (row["label"].clone(), value))
    };
    rows.iter().map(pair).collect()
}

struct World {
    sandbox: Sandbox,
    scans: usize,
}

impl World {
    /// Scans a dataset into a session of its own.
    fn scan(&mut self, dataset: &Path, options: &[String]) -> PathBuf {
        self.scans += 1;
        let session = self.sandbox.path().join(format!("session-{}", self.scans));
        let args = [
            "scan",
            text(dataset),
            "--session",
            text(&session),
            "--detectors",
            "duplicates",
            "--no-carry-over",
        ];
        self.sandbox.ok(args.into_iter().chain(options.iter().map(String::as_str)));
        session
    }

    /// What a session reads.
    fn read(&self, session: &Path, twin: &str) -> Pairs {
        let out = self.sandbox.path().join("rows.csv");
        self.sandbox.ok(["export", text(session), "--format", "csv", "--output", text(&out), "--force"]);
        pairs(&table(&fs::read_to_string(out).unwrap()), twin)
    }

    /// Gives the sample of a picture a new label.
    fn relabel(&self, session: &Path, number: usize, label: &str) {
        let out = self.sandbox.path().join("rows.csv");
        self.sandbox.ok(["export", text(session), "--format", "csv", "--output", text(&out), "--force"]);
        let rows = table(&fs::read_to_string(out).unwrap());
        let path = rows
            .iter()
            .map(|row| &row["path"])
            .find(|path| path.ends_with(&format!("{number}.png")))
            .unwrap();
        let file = self.sandbox.path().join("decisions.csv");
        let decisions = format!("image_path,user_action,new_label,reviewer\n{path},relabel,{label},anna\n");
        fs::write(&file, decisions).unwrap();
        self.sandbox.ok(["import", "csv", text(&file), "--session", text(session)]);
    }

    fn export(&self, session: &Path, format: &str, to: &str) -> (PathBuf, Ran) {
        let out = self.sandbox.path().join(to);
        let ran = self.sandbox.ok([
            "export",
            text(session),
            "--format",
            format,
            "--output",
            text(&out),
            "--copy",
            "copy",
        ]);
        (out, ran)
    }
}

fn expected(packing: &Packing, changed: &[(usize, String, String)]) -> Pairs {
    let mut pairs: Pairs = (CLASSES.iter().enumerate())
        .map(|(number, &class)| (number, (packing.labels.of(class), packing.beside.of(class))))
        .collect();
    for (number, label, value) in changed {
        pairs.insert(*number, (label.clone(), value.clone()));
    }
    pairs
}

/// All that a command said.
fn said(ran: &Ran) -> String {
    format!("{}{}", ran.stdout, ran.stderr)
}

/// Whether a command says that the other column contradicts new labels.
fn speaks_of(ran: &Ran, twin: &str) -> bool {
    ["goes with the labels", "has no known value"]
        .iter()
        .any(|what| said(ran).contains(&format!("the column '{twin}' {what}")))
}

#[test]
fn what_says_the_label_a_second_time_changes_with_it_in_every_packing() {
    for packing in &PACKINGS {
        let Packing { name, make, twin, .. } = packing;
        let mut world = World { sandbox: Sandbox::new(), scans: 0 };
        let (dataset, options) = make(&world.sandbox.path().join("made"));
        let session = world.scan(&dataset, &options);
        assert_eq!(world.read(&session, twin), expected(packing, &[]), "{name}");
        world.relabel(&session, DOG, &packing.labels.of(2));
        let changed = expected(packing, &[(DOG, packing.labels.of(2), packing.beside.of(2))]);

        // Exports of decisions say what the dataset says, beside it.
        for (format, to) in [("csv", "x.csv"), ("jsonl", "x.jsonl")] {
            let (out, _) = world.export(&session, format, to);
            let text = fs::read_to_string(out).unwrap();
            let rows = match format {
                "csv" => table(&text),
                _ => text.lines().map(object).collect(),
            };
            assert_eq!(pairs(&rows, twin), expected(packing, &[]), "{name}: {format}");
        }
        let (out, _) = world.export(&session, "parquet", "x.parquet");
        let read = world.scan(&out, &[]);
        assert_eq!(world.read(&read, twin), expected(packing, &[]), "{name}: parquet");
        // Exports of the cleaned dataset say the new label twice.
        let (out, ran) = world.export(&session, "cleaned-table", "cleaned.csv");
        let cleaned = table(&fs::read_to_string(out).unwrap());
        assert_eq!(pairs(&cleaned, twin), changed, "{name}: cleaned-table");
        assert!(!speaks_of(&ran, twin), "{name}: {}", ran.stderr);
        for format in ["cleaned", "hf", "webdataset"] {
            let (out, ran) = world.export(&session, format, format);
            let own = if format == "cleaned" { keeps_tables(name).then(|| options.clone()) } else { None };
            let read = world.scan(&out, &own.unwrap_or_default());
            let mut written = world.read(&read, twin);
            // A column whose name has a meaning beside pictures is not in a cleaned copy, which is said.
            let is_left_out = ran.stderr.contains(&format!("the column '{twin}': write a cleaned-table"));
            if is_left_out {
                written.iter_mut().for_each(|(number, pair)| pair.1.clone_from(&changed[number].1));
            }
            assert_eq!(written, changed, "{name}: {format}\n{}", ran.stderr);
            assert!(is_left_out || !speaks_of(&ran, twin), "{name}: {format}: {}", ran.stderr);
        }

        // A plan that is applied to a copy, and in place.
        let plan = world.sandbox.path().join("plan.json");
        let ran = world.sandbox.ok(["plan", text(&session), "--output", text(&plan)]);
        assert!(!speaks_of(&ran, twin), "{name}: {}{}", ran.stdout, ran.stderr);
        let copy = world.sandbox.path().join("copy");
        world.sandbox.ok(["apply", text(&plan), "--output", text(&copy), "--copy", "copy"]);
        let (copied, copied_options) = in_copy(&copy, &dataset, &options);
        let read = world.scan(&copied, &copied_options);
        assert_eq!(world.read(&read, twin), changed, "{name}: the copy");
        world.sandbox.ok(["apply", text(&plan), "--in-place", "--yes"]);
        let read = world.scan(&dataset, &options);
        assert_eq!(world.read(&read, twin), changed, "{name}: in place");

        // A class that no sample has: what goes with it is known, or it is said that it is not.
        let new = if packing.labels == Says::Number { "7" } else { "zebra" };
        world.relabel(&read, NEW, new);
        let plan = world.sandbox.path().join("plan-2.json");
        let ran = world.sandbox.ok(["plan", text(&read), "--output", text(&plan)]);
        let unknown =
            format!("the column '{twin}' has no known value beside the new label of 1 sample ('{new}')");
        assert_eq!(said(&ran).contains(&unknown), packing.beside_new.is_none(), "{name}: {}", said(&ran));
        let (_, ran) = world.export(&read, "hf", "hf-2");
        let is_known = packing.beside_new.is_some() && packing.beside == Says::Name;
        assert_eq!(said(&ran).contains(&unknown), !is_known, "{name}: {}", said(&ran));
        world.sandbox.ok(["apply", text(&plan), "--in-place", "--yes"]);
        let read = world.scan(&dataset, &options);
        let mut found = world.read(&read, twin);
        let (label, value) = found.remove(&NEW).unwrap();
        let mut rest = changed;
        rest.remove(&NEW);
        assert_eq!((label.as_str(), found), (new, rest), "{name}: a new class");
        // What was beside the old label is not beside the new one.
        assert_eq!(value, packing.beside_new.unwrap_or_default(), "{name}");
    }
}

/// An object of JSON as a row of texts.
fn object(line: &str) -> BTreeMap<String, String> {
    let fields: BTreeMap<String, serde_json::Value> = serde_json::from_str(line).unwrap();
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    fields.into_iter().map(|(name, value)| (name, text(value))).collect()
}

/// Whether a cleaned copy of a packing has tables that say the labels, and is read like the dataset.
fn keeps_tables(name: &str) -> bool {
    ["metadata.csv", "metadata.csv by name", "metadata.jsonl"].contains(&name)
}

/// A dataset in the folder of a copy, and how it is read there.
fn in_copy(copy: &Path, dataset: &Path, options: &[String]) -> (PathBuf, Vec<String>) {
    let mut options = options.to_vec();
    if let [option, labels] = options.as_mut_slice()
        && option == "--labels"
    {
        *labels = text(&copy.join(Path::new(labels).file_name().unwrap())).to_owned();
    }
    if dataset.is_dir() {
        return (copy.to_path_buf(), options);
    }
    (copy.join(dataset.file_name().unwrap()), options)
}

#[test]
fn a_column_that_goes_with_the_labels_in_nearly_all_rows_is_said_to_stay() {
    let mut world = World { sandbox: Sandbox::new(), scans: 0 };
    let place = world.sandbox.path().join("made");
    fs::create_dir_all(&place).unwrap();
    // One row contradicts the others.
    let row = |at: usize| {
        let (class, picture) = (at % 3, pictures::picture(at % 3, at as u64, 32));
        fs::write(place.join(format!("{at}.png")), pictures::encoded(&picture, ImageFormat::Png)).unwrap();
        format!("{at}.png,{},{}\n", NAMES[class], if at == 3 { 2 } else { class })
    };
    let table = place.join("t.csv");
    fs::write(&table, format!("path,label,class_id\n{}", (0..20).map(row).collect::<String>())).unwrap();
    let session = world.scan(&table, &[]);
    world.relabel(&session, 4, "bird");
    let plan = world.sandbox.path().join("plan.json");
    let ran = world.sandbox.ok(["plan", text(&session), "--output", text(&plan)]);
    let stays = "the column 'class_id' goes with the labels in all but 1 row, so it stays as it is; correct it where 1 sample is \
                 relabeled";
    assert!(said(&ran).contains(stays), "{}", said(&ran));
}

#[test]
fn a_name_beside_its_number_does_not_differ_from_it() {
    let sandbox = Sandbox::new();
    let (file, _) = PARQUET(&sandbox.path().join("made"));
    let session = sandbox.path().join("session");
    let ran = sandbox.ok(["scan", text(&file), "--session", text(&session), "--detectors", "duplicates"]);
    assert!(!ran.stderr.contains("may both hold the labels"), "{}", ran.stderr);
    let alike = "the labels were taken from the column 'label', not from 'class_name', which divides the images alike";
    assert!(ran.stderr.contains(alike), "{}", ran.stderr);
}
