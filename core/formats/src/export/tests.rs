use super::*;
use crate::Error;
use chaffinch_compute::job::Job;
use chaffinch_data::columns::ResultBuilder;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::issue::{Issue, RunRecord};
use chaffinch_data::journal::{Decisions, Journal};
use chaffinch_data::manifest::{ExtraColumn, Manifest, NewSample};
use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::decision::Decision;
use chaffinch_protocol::sample::Split;
use chaffinch_review::ranking;
use chaffinch_review::ranking::{Ranking, Results};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const ROWS: [(&str, &str, Split); 6] = [
    ("train/cat/1.jpg", "cat", Split::Train),
    ("train/dog/1.jpg", "dog", Split::Train),
    ("train/dog/x,\"y\"\n.jpg", "dog", Split::Train),
    ("test/cat/2.jpg", "cat", Split::Test),
    ("loose/3.jpg", "", Split::None),
    ("train/cat/gone.jpg", "cat", Split::Train),
];

struct World {
    temp: tempfile::TempDir,
    manifest: Arc<Manifest>,
    file_metadata: FileMetadata,
    results: Results,
    thresholds: BTreeMap<String, f32>,
    ranking: Ranking,
    decisions: Decisions,
}

impl World {
    fn new() -> World {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("data");
        for (path, ..) in &ROWS[..5] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, path.as_os_str().as_encoded_bytes()).unwrap();
        }
        let samples = ROWS.iter().map(|(path, label, split)| NewSample {
            path: path.into(),
            label: (!label.is_empty()).then(|| (*label).to_owned()),
            split: *split,
        });
        let wheel = ExtraColumn {
            name: "wheels".into(),
            values: ["1", "2", "", "4", "5", "6"].map(String::from).to_vec(),
        };
        let manifest = Arc::new(Manifest::new(&root, samples).with_extra(vec![wheel]));
        let mut builder = ResultBuilder::new(6);
        builder.scores(&[0.9; 6]);
        let issue = Issue {
            score: 0.05,
            suggested: Some(0),
            reason: "it looks like a cat".into(),
            ..Issue::default()
        };
        builder.issue(SampleId(1), issue);
        let record = RunRecord { name: "labels".into(), threshold: 0.5, ..RunRecord::default() };
        let results: Results =
            [("labels".to_owned(), Arc::new(builder.finish(record, manifest.classes())))].into();
        let ranking = ranking::rank(&results, &BTreeMap::new(), &EnsembleRule::Or, 6);
        let mut journal = Journal::open(&temp.path().join("decisions"), "anna").unwrap();
        journal.bind(&manifest, None);
        let relabel = Decision {
            choice: Choice::Relabel("cat".into()),
            tags: vec!["mislabel_confirmed".into(), "relabel".into()],
            note: "sure".into(),
        };
        journal.decide(&[SampleId(1)], Some(relabel)).unwrap();
        journal.decide(&[SampleId(2), SampleId(3)], Some(Choice::Remove.into())).unwrap();
        journal.decide(&[SampleId(4)], Some(Choice::Unsure.into())).unwrap();
        let decisions = journal.snapshot();
        World {
            temp,
            manifest,
            file_metadata: FileMetadata::default(),
            results,
            thresholds: BTreeMap::new(),
            ranking,
            decisions,
        }
    }

    fn export(&self) -> Export<'_> {
        let source = Source {
            manifest: &self.manifest,
            file_metadata: &self.file_metadata,
            results: &self.results,
            previous: &self.results,
            thresholds: &self.thresholds,
            ranking: &self.ranking,
            decisions: &self.decisions,
            atlas: None,
            direction: None,
            learned: None,
        };
        Export { source, dataset: "pets", place: None, embeddings: &|| None }
    }

    fn out(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn clean(&self, target: &Path, mode: CopyMode) -> Result<CleanReport> {
        let stop = AtomicBool::new(false);
        self.export().cleaned(target, mode, &Job::new(&stop, &|_, _| {}))
    }
}

/// All files below a folder, sorted.
fn files(folder: &Path) -> Vec<String> {
    let walk = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.unwrap());
    let files = walk.filter(|entry| !entry.file_type().is_dir());
    let mut files: Vec<String> = files
        .map(|entry| entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    files
}

#[test]
fn the_manifest_has_the_fifteen_columns() {
    let world = World::new();
    let out = world.out("manifest.csv");
    world.export().manifest(&out, false).unwrap();
    let text = fs::read_to_string(&out).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "image_id,image_path,dataset,split,original_label,vl_flag_type,vl_confidence,vl_suggested_label,vl_reason,user_tags,user_action,new_label,reviewer,review_date,notes"
    );
    let line = lines.next().unwrap();
    let head = "train/dog/1.jpg,train/dog/1.jpg,pets,train,dog,labels,0.95,cat,it looks like a cat,\"mislabel_confirmed,relabel\",relabel,cat,anna,2";
    assert!(line.starts_with(head) && line.ends_with("Z,sure"), "{line}");
    let mut reader = csv::Reader::from_path(&out).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
    let short: Vec<(&str, &str)> = rows.iter().map(|row| (&row[1], &row[10])).collect();
    let odd = ROWS[2].0;
    assert_eq!(
        short,
        [(ROWS[1].0, "relabel"), (odd, "remove"), (ROWS[3].0, "remove"), (ROWS[4].0, "unsure")]
    );
    world.export().manifest(&out, true).unwrap();
    assert_eq!(csv::Reader::from_path(&out).unwrap().records().count(), 6);
}

#[test]
fn lists_say_what_to_remove_and_relabel() {
    let world = World::new();
    let (list, map) = (world.out("removal_list.txt"), world.out("relabel_map.json"));
    world.export().removal_list(&list).unwrap();
    assert_eq!(fs::read_to_string(list).unwrap(), "test/cat/2.jpg\n\\train/dog/x,\"y\"\\n.jpg\n");
    // What is said of it is what is in it.
    let stop = AtomicBool::new(false);
    for (format, expected) in [("removal-list", "2 paths"), ("relabel-map", "1 new label")] {
        let request = Request { output: world.out("again"), ..Request::default() };
        let format = Format::find(format).unwrap();
        let written = format.write(&world.export(), &request, &Job::new(&stop, &|_, _| {})).unwrap();
        assert_eq!(written.summary.as_deref(), Some(expected));
    }
    world.export().relabel_map(&map).unwrap();
    assert_eq!(fs::read_to_string(map).unwrap(), "{\n  \"train/dog/1.jpg\": \"cat\"\n}\n");
}

#[test]
fn two_paths_never_become_one() {
    let mut world = World::new();
    let paths =
        [&b"cat/\xff.jpg"[..], b"cat/\\xff.jpg", b"cat/\\x5cxff.jpg", b"cat/a\nb.jpg", b"cat/a\\nb.jpg"];
    let samples = paths.map(|path| NewSample {
        path: PathBuf::from(OsStr::from_bytes(path)),
        label: Some("cat".into()),
        split: Split::None,
    });
    world.manifest = Arc::new(Manifest::new("/nowhere", samples));
    let mut journal = Journal::open(&world.out("bytes"), "anna").unwrap();
    journal.bind(&world.manifest, None);
    let all: Vec<SampleId> = world.manifest.ids().collect();
    journal.decide(&all, Some(Choice::Relabel("dog".into()).into())).unwrap();
    world.decisions = journal.snapshot();
    world.export().relabel_map(&world.out("map.json")).unwrap();
    let map: BTreeMap<String, String> =
        serde_json::from_str(&fs::read_to_string(world.out("map.json")).unwrap()).unwrap();
    assert_eq!(map.len(), paths.len(), "{map:?}");
    journal.decide(&all, Some(Choice::Remove.into())).unwrap();
    world.decisions = journal.snapshot();
    world.export().removal_list(&world.out("list.txt")).unwrap();
    let list = fs::read(world.out("list.txt")).unwrap();
    let lines: BTreeSet<&[u8]> = list.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), paths.len());
}

#[test]
fn a_file_may_go_to_a_new_folder() {
    let world = World::new();
    let stop = AtomicBool::new(false);
    for format in FORMATS {
        let output = world.out("new").join(format.name).join("place");
        let request = Request { output: output.clone(), ..Request::default() };
        let export =
            Export { embeddings: &|| Some(super::testing::atlas(&world.manifest)), ..world.export() };
        format.write(&export, &request, &Job::new(&stop, &|_, _| {})).unwrap();
        assert!(output.exists(), "{}", format.name);
    }
    let request = Request { output: world.out("data/new/deep.csv"), ..Request::default() };
    for format in FORMATS {
        assert!(format.write(&world.export(), &request, &Job::new(&stop, &|_, _| {})).is_err());
        assert!(!world.out("data/new").exists(), "{}", format.name);
    }
}

#[test]
fn integers_stay_integers() {
    let mut world = World::new();
    let samples = ["1", "20"].map(|label| NewSample {
        path: label.into(),
        label: Some(label.into()),
        split: Split::None,
    });
    world.manifest = Arc::new(Manifest::new("/nowhere", samples));
    let mut journal = Journal::open(&world.out("numbers"), "anna").unwrap();
    journal.bind(&world.manifest, None);
    journal.decide(&[SampleId(0)], Some(Choice::Relabel("20".into()).into())).unwrap();
    world.decisions = journal.snapshot();
    world.export().relabel_map(&world.out("map.json")).unwrap();
    assert_eq!(fs::read_to_string(world.out("map.json")).unwrap(), "{\n  \"1\": 20\n}\n");
}

#[test]
fn the_cleaned_table_keeps_what_it_does_not_know() {
    let world = World::new();
    world.export().cleaned_table(&world.out("clean.csv")).unwrap();
    assert_eq!(
        fs::read_to_string(world.out("clean.csv")).unwrap(),
        "path,label,split,wheels\ntrain/cat/1.jpg,cat,train,1\ntrain/dog/1.jpg,cat,train,2\nloose/3.jpg,,,5\ntrain/cat/gone.jpg,cat,train,6\n"
    );
}

#[test]
fn the_cleaned_copy_is_new_and_whole() {
    let world = World::new();
    let before = files(&world.out("data"));
    for (mode, name) in [(CopyMode::Link, "a"), (CopyMode::Symlink, "b"), (CopyMode::Copy, "deep/c")] {
        let target = world.out(name);
        let report = world.clean(&target, mode).unwrap();
        assert_eq!((report.written, report.removed, report.relabeled), (3, 2, 1));
        assert_eq!(report.renamed, ["train/dog/1.jpg is train/cat/1-2.jpg, because that name was taken"],);
        assert!(report.missing.len() == 1 && report.missing[0].contains("gone.jpg"), "{report:?}");
        let copied = ["loose/3.jpg", "metadata.csv", "train/cat/1-2.jpg", "train/cat/1.jpg"];
        assert_eq!(files(&target), copied);
        let text = fs::read_to_string(target.join("train/cat/1-2.jpg")).unwrap();
        assert!(text.ends_with("train/dog/1.jpg"), "{text}");
        assert!(world.clean(&target, mode).unwrap_err().to_string().contains("not empty"));
    }
    assert_eq!(files(&world.out("data")), before);
    assert_eq!(files(world.temp.path()).iter().filter(|name| name.contains(".new")).count(), 0);
}

#[test]
fn a_relabel_to_the_same_class_is_none() {
    let mut world = World::new();
    let mut journal = Journal::open(&world.out("same"), "anna").unwrap();
    journal.bind(&world.manifest, None);
    journal.decide(&[SampleId(0)], Some(Choice::Relabel(" cat ".into()).into())).unwrap();
    world.decisions = journal.snapshot();
    world.export().relabel_map(&world.out("map.json")).unwrap();
    assert_eq!(fs::read_to_string(world.out("map.json")).unwrap(), "{}\n");
    assert_eq!(world.clean(&world.out("clean"), CopyMode::Copy).unwrap().relabeled, 0);
    world.export().manifest(&world.out("m.csv"), false).unwrap();
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_path(world.out("m.csv")).unwrap().records().map(|row| row.unwrap()).collect();
    let row = rows.iter().find(|row| &row[1] == ROWS[0].0).unwrap();
    assert_eq!((&row[10], &row[11]), ("keep", ""));
}

#[test]
fn names_that_do_not_fit_end_no_export() {
    let mut world = World::new();
    let long = "x".repeat(300);
    let samples = ROWS.iter().enumerate().map(|(row, (path, ..))| NewSample {
        path: path.into(),
        label: Some(if row == 0 { long.clone() } else { "../up".into() }),
        split: Split::None,
    });
    world.manifest = Arc::new(Manifest::new(world.out("data"), samples));
    let mut journal = Journal::open(&world.out("none"), "anna").unwrap();
    journal.bind(&world.manifest, None);
    world.decisions = journal.snapshot();
    let report = world.clean(&world.out("clean"), CopyMode::Copy).unwrap();
    assert_eq!((report.written, report.missing.len(), report.renamed.len()), (5, 1, 2), "{report:?}");
    let names = files(&world.out("clean"));
    assert!(names.iter().any(|name| name.starts_with("xxxx") && name.ends_with("/1.jpg")), "{names:?}");
    assert!(names.contains(&".._up/3.jpg".to_owned()), "{names:?}");
}

#[test]
fn nothing_goes_into_the_dataset() {
    let world = World::new();
    let inside = world.out("data/clean");
    assert!(world.clean(&inside, CopyMode::Copy).unwrap_err().to_string().contains("inside the dataset"));
    std::os::unix::fs::symlink(world.out("data"), world.out("way")).unwrap();
    assert!(world.clean(&world.out("way/clean"), CopyMode::Copy).is_err());
    assert!(world.export().manifest(&world.out("way/m.csv"), true).is_err());
    assert!(world.export().removal_list(&inside).is_err() && world.export().relabel_map(&inside).is_err());
    assert!(world.export().cleaned_table(&inside).is_err() && !inside.exists());
}

#[test]
fn a_stopped_copy_leaves_nothing() {
    let world = World::new();
    let stop = AtomicBool::new(true);
    let outcome = world.export().cleaned(&world.out("x/clean"), CopyMode::Copy, &Job::new(&stop, &|_, _| {}));
    assert!(matches!(outcome, Err(Error::Stopped)));
    assert_eq!(files(&world.out("x")), [""; 0]);
}

#[test]
fn a_label_leads_nowhere_else() {
    let mut world = World::new();
    let mut journal = Journal::open(&world.out("hostile"), "anna").unwrap();
    journal.bind(&world.manifest, None);
    for (row, label) in [(0, "../../evil"), (1, ".."), (3, "/etc")] {
        journal.decide(&[SampleId(row)], Some(Choice::Relabel(label.into()).into())).unwrap();
    }
    world.decisions = journal.snapshot();
    world.clean(&world.out("clean"), CopyMode::Symlink).unwrap();
    let names = files(&world.out("clean"));
    assert!(names.iter().any(|name| name == "train/.._.._evil/1.jpg"), "{names:?}");
    assert!(
        names.iter().any(|name| name == "train/__/1.jpg")
            && names.iter().any(|name| name == "test/_etc/2.jpg")
    );
}

#[test]
fn what_belongs_to_the_dataset_comes_along_and_the_rest_is_listed() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    for (path, bytes) in [
        ("cat/1.jpg", &b"1"[..]),
        ("cat/2.heic", b"2"),
        ("dog/3.jpg", b"3"),
        ("README.md", b"about"),
        ("classes.toml", b"cat = \"a cat\""),
        ("LICENSE", b"free"),
        ("old.zip", b"PK"),
        ("dog/notes.json", b"{}"),
        (".git/HEAD", b"ref"),
    ] {
        let path = data.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let manifest = Arc::new(crate::dataset::open(&data, &Default::default()).unwrap().manifest);
    let out = temp.path().join("out");
    let stop = AtomicBool::new(false);
    let job = Job::new(&stop, &|_, _| {});
    let write = |export: &Export<'_>| {
        let cleaned = Format::find("cleaned").unwrap();
        let request = |name: &str, copy| Request { output: out.join(name), copy, ..Request::default() };
        [("link", CopyMode::Link), ("full", CopyMode::Copy)]
            .map(|(name, mode)| cleaned.write(export, &request(name, mode), &job).unwrap())
    };
    let [linked, full] = testing::exporting(&manifest, &Decisions::default(), write);
    for copy in ["link", "full"] {
        let expected = ["LICENSE", "README.md", "cat/1.jpg", "cat/2.heic", "classes.toml", "dog/3.jpg"];
        assert_eq!(files(&out.join(copy)), expected);
    }
    let summary = linked.summary.unwrap();
    assert_eq!(summary, "2 files (hard links), 0 removed, 0 relabeled, with 4 other files of the dataset");
    assert!(linked.notes.iter().any(|note| note.contains("changes both")), "{:?}", linked.notes);
    assert_eq!(
        linked.left_out,
        ["3 files or folders that hold no sample: 1 .json (dog/notes.json), 1 .zip (old.zip), 1 hidden"]
    );
    assert!(full.summary.unwrap().starts_with("2 files (copies), ") && full.notes.is_empty());
}

#[test]
fn the_manifest_has_the_notes_of_all_reviewers() {
    let mut world = World::new();
    let dir = world.out("decisions");
    let mut ben = Journal::open(&dir, "ben").unwrap();
    ben.bind(&world.manifest, None);
    ben.tag(&[SampleId(1)], &[], "a wolf").unwrap();
    let mut anna = Journal::open(&dir, "anna").unwrap();
    anna.bind(&world.manifest, None);
    world.decisions = anna.snapshot();
    let out = world.out("manifest.csv");
    world.export().manifest(&out, false).unwrap();
    let text = fs::read_to_string(&out).unwrap();
    assert!(text.contains("anna: sure; ben: a wolf"), "{text}");
}
