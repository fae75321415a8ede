//! Broken files of every reader: an error, a finding, or samples, and never a panic. Each dataset format and each program of
//! `import` needs a seed here; mutations of it come from a fixed generator. `CHAFFINCH_FUZZ_SECONDS=60` goes on for as long
//! with each seed, and a file that fails is kept.

use crate::arrays::testing::{f32s, npy_bytes, parquet, safetensors};
use crate::dataset::{self, FORMATS};
use crate::embeddings;
use crate::import::{IMPORTERS, Importer, Target};
use crate::probabilities;
use chaffinch_compute::content::ContentHash;
use chaffinch_data::dataset::{DatasetOptions, IMAGE_EXTENSIONS};
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::journal::Journal;
use chaffinch_data::manifest::{Manifest, NewSample};
use chaffinch_data::row_order::RowOrders;
use chaffinch_data::session::Session;
use chaffinch_data::uses::{EmbeddingFiles, ProbabilityFiles};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Mutations of each seed.
const ROUNDS: u64 = 60;
/// Samples whose bytes are read of each dataset.
const READ: usize = 16;

/// What stands where a number, a name or a structure is expected.
const STRANGE: [&[u8]; 14] = [
    b"18446744073709551615",
    b"-1",
    b"NaN",
    b"1e999",
    b"null",
    b"[]",
    b"{}",
    b"\"\"",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff\xff\xff\xff",
    b"../../..",
    b"\r",
    b",,,,,,,,",
];

/// SplitMix64, so that each run is the same.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

fn mutated(original: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..=chance.below(3) {
        let at = chance.below(bytes.len());
        let end = (at + 1 + chance.below(40)).min(bytes.len());
        match chance.below(8) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << chance.below(8),
            1 if !bytes.is_empty() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][chance.below(5)],
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at.min(end)..end)),
            4 => {
                let part = bytes[at.min(end)..end].to_vec();
                let to = chance.below(bytes.len());
                bytes.splice(to..to, part);
            }
            5 => {
                let strange = STRANGE[chance.below(STRANGE.len())];
                bytes.splice(at.min(end)..end, strange.iter().copied());
            }
            6 => {
                let deep = [b'[', b'{', b'<', b'"', b'-'][chance.below(5)];
                bytes.splice(at..at, std::iter::repeat_n(deep, 2_000));
            }
            _ => {
                let part = bytes[at.min(end)..end].to_vec();
                (0..20).for_each(|_| bytes.extend_from_slice(&part));
            }
        }
    }
    bytes
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        match entry.file_type().is_dir() {
            true => fs::create_dir_all(target).unwrap(),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// The files below a folder that say something, in order.
fn saying(folder: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(|entry| entry.unwrap());
    let files = walk.filter(|entry| entry.file_type().is_file()).map(|entry| entry.into_path());
    let is_picture = |path: &PathBuf| {
        path.extension().and_then(|own| own.to_str()).is_some_and(|own| IMAGE_EXTENSIONS.contains(&own))
    };
    files.filter(|path| !is_picture(path) && !path.ends_with("expected.json")).collect()
}

/// Reads a folder again and again, each time with one file changed.
fn shake(name: &str, folder: &TempDir, read: &dyn Fn(&Path)) {
    let files = saying(folder.path());
    assert!(!files.is_empty(), "{name}");
    read(folder.path());
    let seconds = std::env::var("CHAFFINCH_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut chance =
        Chance(name.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))));
    let mut round = 0;
    while end.map_or(round < ROUNDS, |end| Instant::now() < end) {
        round += 1;
        let file = &files[chance.below(files.len())];
        let original = fs::read(file).unwrap();
        let bytes = mutated(&original, &mut chance);
        fs::write(file, &bytes).unwrap();
        if catch_unwind(AssertUnwindSafe(|| read(folder.path()))).is_err() {
            let kept = std::env::temp_dir()
                .join(format!("chaffinch-crash-{}", file.file_name().unwrap().to_string_lossy()));
            fs::write(&kept, &bytes).unwrap();
            panic!(
                "{name}: round {round} of {} panicked; the file is kept as {}",
                file.display(),
                kept.display()
            );
        }
        fs::write(file, original).unwrap();
    }
}

fn tree(files: &[(&str, &[u8])]) -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = temp.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    temp
}

fn of_fixture(name: &str) -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    copy(&fixtures().join(name), temp.path());
    temp
}

const FIFTYONE: &[u8] = br#"{"samples":[{"filepath":"data/a.png","tags":["train","odd"],"ground_truth":
{"_cls":"Classification","label":"cat","confidence":0.5},"weight":1.5},{"filepath":"data/b.png","tags":[],
"ground_truth":{"_cls":"Detections","detections":[{"label":"dog","bounding_box":[0,0,0.5,0.5]}]},"split":"test"}]}"#;
const LABELS: &[u8] =
    br#"{"classes":["cat","dog"],"labels":{"a":0,"b":{"label":"dog","confidence":0.9},"c":null}}"#;
const CVAT: &[u8] = b"<annotations><version>1.1</version><meta><task><labels><label><name>cat</name></label></labels></task></meta>\
<image id=\"0\" name=\"a.png\" subset=\"train\" width=\"2\" height=\"2\"><tag label=\"cat\"><attribute name=\"x\">1</attribute>\
</tag></image><image id=\"1\" name=\"b.png\"><box label=\"dog\" xtl=\"0\" ytl=\"0\" xbr=\"1\" ybr=\"1\"/></image></annotations>";

/// A folder of each format, and what of it is the dataset.
fn seeds(format: &str) -> Vec<(TempDir, &'static str)> {
    let of = |names: &[(&str, &'static str)]| -> Vec<(TempDir, &'static str)> {
        names.iter().map(|(folder, below)| (of_fixture(folder), *below)).collect()
    };
    let picture: &[u8] = b"\x89PNG\r\n\x1a\n";
    match format {
        // Listings come from a server: the tests of buckets have those.
        "s3://BUCKET/PREFIX" => Vec::new(),
        "Arrow files" => of(&[("packed/disk", ""), ("packed", "plain.arrow")]),
        "Parquet files" => of(&[("packed/parquet", ""), ("packed", "plain.parquet")]),
        "tar files" => of(&[("packed/wds", ""), ("packed", "folders.tar")]),
        "the binary files of CIFAR or MNIST" => of(&[("packed/cifar", ""), ("packed/mnist", "")]),
        "a Label Studio export" => of(&[
            ("datasets/label-studio", "export.json"),
            ("datasets/label-studio", "min.json"),
            ("datasets/label-studio", "rows.csv"),
        ]),
        "a COCO .json file" => of(&[("datasets/coco", ""), ("datasets/coco", "result.json")]),
        "a FiftyOne labels.json or samples.json" => vec![
            (
                tree(&[
                    ("metadata.json", b"{}"),
                    ("samples.json", FIFTYONE),
                    ("data/a.png", picture),
                    ("data/b.png", picture),
                ]),
                "",
            ),
            (tree(&[("labels.json", LABELS), ("data/a.png", picture), ("data/b.png", picture)]), ""),
        ],
        "a CVAT .xml file" => vec![(
            tree(&[("annotations.xml", CVAT), ("a.png", picture), ("b.png", picture)]),
            "annotations.xml",
        )],
        "an ImageNet folder" => {
            let truth = b"ImageId,PredictionString\nILSVRC2012_val_00000001,n01440764 1 2 3 4\n";
            vec![(tree(&[("LOC_val_solution.csv", truth), ("val/ILSVRC2012_val_00000001.jpg", picture)]), "")]
        }
        "a YOLO folder" => {
            let yaml = b"train: images\nnames: {0: cat, 1: dog}\n";
            let files: [(&str, &[u8]); 3] =
                [("data.yaml", yaml), ("images/a.png", picture), ("labels/a.txt", b"0 .5 .5 1 1\n")];
            let mut seeds = of(&[("datasets/yolo", "")]);
            seeds.push((tree(&files), ""));
            seeds
        }
        "an imagefolder" => of(&[("datasets/imagefolder", "")]),
        "a folder" => vec![(
            tree(&[
                ("classes.toml", b"[classes]\ncat = \"cat\"\n"),
                ("cat/a.png", picture),
                ("dog/b.png", picture),
            ]),
            "",
        )],
        "a .jsonl or .json manifest" => of(&[
            ("datasets/manifests", "lines.jsonl"),
            ("datasets/manifests", "records.json"),
            ("datasets/manifests", "columns.json"),
        ]),
        "a .csv or .tsv table" => {
            vec![(
                tree(&[
                    ("t.csv", b"path,label,split,x\na.png,cat,train,1\nb.png,\"do\"\"g\",test,\n"),
                    ("a.png", picture),
                ]),
                "t.csv",
            )]
        }
        other => panic!("{other} has no seed: add a small dataset of this format here"),
    }
}

#[test]
fn broken_datasets_of_every_format() {
    for format in FORMATS {
        for (folder, below) in seeds(format.name) {
            shake(format.name, &folder, &|folder| {
                let path = if below.is_empty() { folder.to_path_buf() } else { folder.join(below) };
                if let Ok(opened) = dataset::open(&path, &DatasetOptions::default()) {
                    let manifest = &opened.manifest;
                    manifest.ids().take(READ).for_each(|id| drop(manifest.source(id).read()));
                }
            });
        }
    }
}

const PATHS: [&str; 4] = ["bird/0.png", "bird/1.png", "cat/0.png", "dog/0.png"];

fn samples() -> (Manifest, FileMetadata) {
    let sample = |path: &&str| NewSample {
        path: path.into(),
        label: path.split('/').next().map(str::to_owned),
        split: Default::default(),
    };
    let hashes = PATHS.iter().map(|path| ContentHash::of(path.as_bytes())).collect();
    (Manifest::new("/here", PATHS.iter().map(sample)), FileMetadata { hashes, ..FileMetadata::default() })
}

/// The folder of a session in which somebody decided.
fn session_of_anna() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let dataset = tempfile::tempdir().unwrap();
    let session = Session::open_or_create(folder.path(), dataset.path()).unwrap();
    let (manifest, file_metadata) = samples();
    let mut journal = Journal::open(&session.decisions_dir(), "anna").unwrap();
    journal.bind(&Arc::new(manifest), Some(&Arc::new(file_metadata)));
    journal.decide(&[SampleId(1)], Some(Choice::Remove.into())).unwrap();
    folder
}

#[test]
fn broken_results_of_every_program() {
    let (manifest, file_metadata) = samples();
    for importer in IMPORTERS {
        let folder = match importer.name {
            "cleanlab" | "cleanvision" | "fastdup" | "imagededup" => of_fixture(&format!("import/{}", importer.name)),
            "fiftyone" => tree(&[("samples.json", FIFTYONE)]),
            "visual-layer" => tree(&[
                ("a.csv", b"image_path,issue_type,confidence,reason\nbird/0.png,mislabel,0.9,x\n"),
                ("b.json", br#"[{"image_path":"bird/0.png","issue_type":"dark","confidence":1}]"#),
                ("c.json", br#"{"clusters":[{"cluster_id":1,"images":[{"path":"bird/0.png","label":"a"},{"path":"cat/0.png"}]}]}"#),
            ]),
            "csv" => tree(&[("a.csv", b"path,score,is_bad,decision,reviewer\nbird/0.png,0.5,True,keep,anna\n")]),
            "chaffinch" => session_of_anna(),
            other => panic!("{other} has no seed: add small results of this program here"),
        };
        shake(importer.name, &folder, &|folder| {
            for file in saying(folder) {
                let target = Target::new(&manifest, &file_metadata, BTreeSet::new(), false);
                let _ = Importer::find(importer.name).unwrap().read(&[file], &target, None);
            }
        });
    }
}

#[test]
fn broken_embeddings_and_probabilities() {
    let (manifest, file_metadata) = samples();
    let numbers: Vec<f32> = (1_u8..=12).map(f32::from).collect();
    let array = npy_bytes("<f4", "(4, 3)", &f32s(&numbers));
    let folder = tree(&[
        ("a.npy", &array),
        ("clip/img_emb/img_emb_0.npy", &array),
        ("f.json", br#"{"samples":[{"filepath":"bird/0.png","embedding":[1,2,3]}]}"#),
        ("p.csv", b"path,bird,cat,dog\nbird/0.png,0.5,0.25,0.25\nbird/1.png,1,0,0\n"),
        ("ids.txt", b"bird/0.png\nbird/1.png\ncat/0.png\ndog/0.png\n"),
        ("classes.txt", b"bird\ncat\ndog\n"),
    ]);
    let at = |name: &str| folder.path().join(name);
    safetensors(
        &at("a.safetensors"),
        "embeddings",
        &numbers,
        3,
        &[("paths", r#"["bird/0.png","bird/1.png","cat/0.png","dog/0.png"]"#)],
    );
    let rows: Vec<Option<&[f32]>> = numbers.chunks(3).map(Some).collect();
    parquet(&at("a.parquet"), &[("path", &PATHS)], ("embedding", &rows));
    shake("embeddings", &folder, &|folder| {
        let at = |name: &str| folder.join(name);
        for name in ["a.npy", "a.safetensors", "a.parquet", "clip", "f.json"] {
            let ids = (name == "a.npy").then(|| at("ids.txt"));
            let files = EmbeddingFiles { file: at(name), ids, texts: None };
            if let Ok(vectors) = embeddings::read(&files, &manifest, &[], &RowOrders::default()) {
                let _ = vectors.bind(&manifest, &file_metadata);
            }
        }
        let _ = embeddings::read_texts(&at("a.safetensors"));
        for (name, classes) in [("a.npy", Some(at("classes.txt"))), ("p.csv", None), ("a.parquet", None)] {
            let files = ProbabilityFiles { files: vec![at(name)], classes, ids: None };
            let _ = probabilities::read_given(&files, &manifest, &RowOrders::default());
        }
        let _ = crate::truth::read(&at("p.csv"), &manifest);
        let labels = DatasetOptions { labels: Some(at("p.csv")), ..DatasetOptions::default() };
        let _ = dataset::open(folder, &labels);
    });
}

#[test]
fn brackets_within_brackets_are_an_error_at_once() {
    let (manifest, _) = samples();
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape':{}", "{".repeat(60));
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    let folder = tree(&[("a.npy", &bytes)]);
    let files = EmbeddingFiles { file: folder.path().join("a.npy"), ids: None, texts: None };
    let error = embeddings::read(&files, &manifest, &[], &RowOrders::default()).err().unwrap().to_string();
    assert!(error.contains("its header is not a description of an array"), "{error}");
}
