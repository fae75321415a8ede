//! Tables that are written back: every byte of what does not change, and new labels where the old ones are.

use super::testing::exporting;
use super::*;
use crate::dataset;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::journal::Journal;
use chaffinch_protocol::decision::Choice;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

struct World {
    temp: tempfile::TempDir,
    file: PathBuf,
}

/// A table with the pictures 1.jpg to 5.jpg beside it.
fn world(name: &str, text: &[u8]) -> World {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    fs::create_dir(&data).unwrap();
    for number in 1..=5 {
        fs::write(data.join(format!("{number}.jpg")), format!("{number}")).unwrap();
    }
    let file = data.join(name);
    fs::write(&file, text).unwrap();
    World { temp, file }
}

impl World {
    /// What a format writes after these decisions: a new label, or `x` for a picture that goes.
    fn exported(&self, format: &str, decided: &[(&str, &str)], known: bool) -> PathBuf {
        let manifest = Arc::new(dataset::open(&self.file, &DatasetOptions::default()).unwrap().manifest);
        let mut journal =
            Journal::open(&self.temp.path().join(format!("{format}-decisions")), "anna").unwrap();
        journal.bind(&manifest, None);
        for (path, label) in decided {
            let id = manifest.ids().find(|&id| manifest.path(id) == Path::new(path)).unwrap();
            let choice = if *label == "x" { Choice::Remove } else { Choice::Relabel((*label).into()) };
            journal.decide(&[id], Some(choice.into())).unwrap();
        }
        let format = Format::find(format).unwrap();
        let output = self.temp.path().join(format!("out-{}-{known}", format.name)).join(format.file_name);
        let request = Request { output: output.clone(), copy: CopyMode::Copy, ..Request::default() };
        exporting(&manifest, journal.decisions(), |export| {
            let export = Export { place: known.then_some(self.file.as_path()), ..*export };
            format.write(&export, &request, &Job::new(&AtomicBool::new(false), &|_, _| {})).unwrap()
        });
        output
    }

    fn table(&self, decided: &[(&str, &str)], known: bool) -> String {
        String::from_utf8_lossy(&fs::read(self.exported("cleaned-table", decided, known)).unwrap())
            .into_owned()
    }
}

const TABLES: [(&str, &str); 7] = [
    (
        "quoted.csv",
        "\"path\",\"label\",n\n\"1.jpg\",\"cat\",1\n2.jpg,\"dog\",\"2\"\n3.jpg,cat,\"a \"\"b\"\"\"\n",
    ),
    ("excel.csv", "sep=;\r\npath;label;n\r\n1.jpg;cat;1,5\r\n2.jpg;dog;2\r\n"),
    ("mixed.csv", "path,label\r\n1.jpg,cat\n\n2.jpg,dog\r\n3.jpg,cat"),
    ("lines.csv", "path,label,n\n1.jpg,cat,\"a\r\nb\"\n2.jpg,dog,\"c\n\"\n"),
    ("old.csv", "path,label\r1.jpg,cat\r2.jpg,dog\r"),
    ("marked.tsv", "\u{feff}path\tlabel \n1.jpg\t cat\n2.jpg\tdog\n"),
    ("flags.csv", "path,\"cat\",dog\n1.jpg,\"1\",0.0\n2.jpg,0,1.0\n3.jpg,1,1.0\n4.jpg,,0.0\n"),
];

#[test]
fn a_table_about_which_nothing_was_decided_keeps_every_byte() {
    for (name, text) in TABLES {
        assert_eq!(world(name, text.as_bytes()).table(&[], true), text, "{name}");
    }
}

#[test]
fn only_the_cells_that_change_are_written_anew() {
    let after = [
        "\"path\",\"label\",n\n2.jpg,\"a, cow\",\"2\"\n3.jpg,cat,\"a \"\"b\"\"\"\n",
        "sep=;\r\npath;label;n\r\n2.jpg;a, cow;2\r\n",
        "path,label\r\n2.jpg,\"a, cow\"\r\n3.jpg,cat",
        "path,label,n\n2.jpg,\"a, cow\",\"c\n\"\n",
        "path,label\r2.jpg,\"a, cow\"\r",
        "\u{feff}path\tlabel \n2.jpg\ta, cow\n",
    ];
    for ((name, text), after) in TABLES.into_iter().zip(after) {
        let world = world(name, text.as_bytes());
        assert_eq!(world.table(&[("1.jpg", "x"), ("2.jpg", "a, cow")], true), after, "{name}");
    }
}

#[test]
fn what_is_no_longer_the_table_that_was_read_is_written_from_what_was_read() {
    let (name, text) = TABLES[0];
    let world = world(name, text.as_bytes());
    assert_eq!(
        world.table(&[], false),
        "path,label,n\n1.jpg,cat,1\n2.jpg,dog,2\n3.jpg,cat,\"a \"\"b\"\"\"\n"
    );
}

#[test]
fn columns_of_0_and_1_say_new_labels_themselves() {
    let (name, text) = TABLES[6];
    let decided = [("1.jpg", "dog"), ("3.jpg", "cat"), ("4.jpg", "cat")];
    let world = world(name, text.as_bytes());
    let expected = "path,\"cat\",dog\n1.jpg,\"0\",1.0\n2.jpg,0,1.0\n3.jpg,1,0.0\n4.jpg,1,0.0\n";
    assert_eq!(world.table(&decided, true), expected);
    assert_eq!(world.table(&decided, false), expected.replace('"', ""), "the same without the file");
    // A class that has no column gets one.
    let world = self::world(name, text.as_bytes());
    let cow = "path,\"cat\",dog,cow\n1.jpg,\"0\",0.0,1\n2.jpg,0,1.0,0\n3.jpg,1,1.0,0\n4.jpg,,0.0,0\n";
    assert_eq!(world.table(&[("1.jpg", "cow")], true), cow);
    assert_eq!(world.table(&[("1.jpg", "cow")], false), cow.replace('"', ""));
}

#[test]
fn columns_of_0_and_1_come_back_from_every_export_with_the_new_labels() {
    let json = "{\"path\": \"1.jpg\", \"dog\": 0, \"cat\": 1}\n{\"path\": \"2.jpg\", \"dog\": 1, \"cat\": 0}\n{\"path\": \"3.jpg\", \"dog\": 1, \"cat\": 0}\n";
    let csv = "path,cat,dog\n1.jpg,1,0\n2.jpg,0,1\n3.jpg,0,1\n";
    for (name, text) in [("t.csv", csv), ("t.jsonl", json)] {
        let world = world(name, text.as_bytes());
        for format in ["cleaned-table", "hf", "cleaned", "webdataset"] {
            let output = world.exported(format, &[("2.jpg", "cat")], true);
            let root = output.is_file().then(|| world.file.parent().unwrap().to_path_buf());
            let options = DatasetOptions { root, ..DatasetOptions::default() };
            let read = dataset::open(&output, &options).unwrap().manifest;
            let column = |name: &str, id: SampleId| {
                let column = read.extra().iter().find(|column| column.name == name);
                column.unwrap_or_else(|| panic!("{format}: {name}")).values[id.index()].clone()
            };
            let mut rows: Vec<[String; 4]> = read
                .ids()
                .map(|id| {
                    let bytes = String::from_utf8(read.source(id).read().unwrap()).unwrap();
                    [bytes, read.label_name(id).to_owned(), column("cat", id), column("dog", id)]
                })
                .collect();
            rows.sort_unstable();
            assert_eq!(
                rows,
                [["1", "cat", "1", "0"], ["2", "cat", "1", "0"], ["3", "dog", "0", "1"]]
                    .map(|row| row.map(str::to_owned)),
                "{name} as {format}"
            );
            assert!(format != "cleaned-table" || read.table().unwrap().label.is_none(), "{name}");
        }
    }
}
