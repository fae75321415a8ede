//! `apply` is killed at random moments, as a copy, in place, and over shards and Parquet files: what is there is the old state or the new one,
//! the same command goes on, and a rollback restores every file.
//!
//! `CHAFFINCH_KILLS=200 cargo test --workspace --test repair_kills` kills as often.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use arrow_array::{ArrayRef, BinaryArray, RecordBatch, StringArray, StructArray};
use arrow_schema::{DataType, Field, Fields, Schema};
use chaffinch_tests::digest::files as tree;
use chaffinch_tests::pictures;
use chaffinch_tests::random::Random;
use chaffinch_tests::sandbox::Sandbox;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// How often each kind of `apply` is killed.
fn kills() -> u64 {
    std::env::var("CHAFFINCH_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

/// What reviewers said, as a table that `import` reads, and a plan of it.
fn planned(sandbox: &Sandbox, dataset: &Path, decisions: &[(String, &str, &str)]) -> PathBuf {
    let session = sandbox.session();
    sandbox.ok(["scan", text(dataset), "--session", text(&session), "--detectors", "duplicates"]);
    let mut rows = "image_path,user_action,new_label,reviewer\n".to_owned();
    decisions.iter().for_each(|(path, action, label)| rows += &format!("{path},{action},{label},anna\n"));
    let table = sandbox.path().join("decisions.csv");
    fs::write(&table, rows).unwrap();
    sandbox.ok(["import", "csv", text(&table), "--session", text(&session)]);
    let plan = sandbox.path().join("plan.json");
    sandbox.ok(["plan", text(&session), "--output", text(&plan)]);
    plan
}

/// A folder of splits and classes with a table beside the pictures, and a plan that removes, relabels and moves.
fn folder(sandbox: &Sandbox) -> PathBuf {
    let data = sandbox.data();
    let mut table = "file_name,label,note\n".to_owned();
    let mut decisions = Vec::new();
    for split in ["train", "test"] {
        for path in pictures::dataset(&data.join(split), 3, 8, 32) {
            let (path, class) =
                (format!("{split}/{}", path.display()), path.iter().next().unwrap().to_owned());
            table += &format!("{path},{},\"kept, as it is\"\n", class.to_str().unwrap());
            match decisions.len() % 3 {
                0 => decisions.push((path, "remove", "")),
                1 => decisions.push((path, "relabel", "a new class")),
                _ => decisions.push((path, "keep", "")),
            }
        }
    }
    fs::write(data.join("metadata.csv"), table).unwrap();
    planned(sandbox, &data, &decisions)
}

/// WebDataset shards with some members that change.
fn shards(sandbox: &Sandbox) -> PathBuf {
    let data = sandbox.data();
    let mut decisions = Vec::new();
    for shard in 0..3_u64 {
        let mut archive =
            tar::Builder::new(fs::File::create(data.join(format!("train-{shard:06}.tar"))).unwrap());
        for number in 0..12_u64 {
            let key = format!("{shard}{number:03}");
            let class = (number % 3) as usize;
            let png = pictures::encoded(
                &pictures::picture(class, shard * 100 + number, 32),
                image::ImageFormat::Png,
            );
            for (name, bytes) in
                [(format!("{key}.png"), png), (format!("{key}.cls"), pictures::CLASSES[class].into())]
            {
                let mut header = tar::Header::new_gnu();
                header.set_size(bytes.len() as u64);
                header.set_mode(0o644);
                archive.append_data(&mut header, name, &bytes[..]).unwrap();
            }
            match number % 4 {
                0 => decisions.push((format!("{key}.png"), "remove", "")),
                1 => decisions.push((format!("{key}.png"), "relabel", "truck")),
                _ => {}
            }
        }
        archive.finish().unwrap();
    }
    planned(sandbox, &data, &decisions)
}

/// Parquet files with pictures in them, of several row groups, with rows that change.
fn parquet_files(sandbox: &Sandbox) -> PathBuf {
    let data = sandbox.data();
    let image = Fields::from(vec![
        Field::new("bytes", DataType::Binary, true),
        Field::new("path", DataType::Utf8, true),
    ]);
    let schema = Arc::new(Schema::new(vec![
        Field::new("image", DataType::Struct(image.clone()), true),
        Field::new("label", DataType::Utf8, true),
    ]));
    let mut decisions = Vec::new();
    for (shard, split) in [(0_u64, "train"), (1, "test")] {
        let path = data.join(format!("{split}-00000-of-00001.parquet"));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(10))
            .set_data_page_row_count_limit(3)
            .set_write_batch_size(1)
            .build();
        let file = fs::File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, schema.clone(), Some(properties)).unwrap();
        let class = |number: u64| (number % 3) as usize;
        let names: Vec<String> = (0..25).map(|number| format!("{shard}{number:03}.png")).collect();
        let picture = |number: u64| {
            let drawn = pictures::picture(class(number), shard * 100 + number, 32);
            pictures::encoded(&drawn, image::ImageFormat::Png)
        };
        let bytes = BinaryArray::from_iter_values((0..25).map(picture));
        let paths = StringArray::from_iter_values(&names);
        let labels = StringArray::from_iter_values((0..25).map(|number| pictures::CLASSES[class(number)]));
        let images = StructArray::new(image.clone(), vec![Arc::new(bytes), Arc::new(paths)], None);
        let columns: Vec<ArrayRef> = vec![Arc::new(images), Arc::new(labels)];
        writer.write(&RecordBatch::try_new(schema.clone(), columns).unwrap()).unwrap();
        writer.close().unwrap();
        for (number, name) in names.into_iter().enumerate() {
            match number % 7 {
                0 => decisions.push((name, "remove", "")),
                1 => decisions.push((name, "relabel", "truck")),
                _ => {}
            }
        }
    }
    planned(sandbox, &data, &decisions)
}

/// Runs the program and kills it after some time, or lets it end; whether it ended by itself.
fn killed(sandbox: &Sandbox, words: &[&str], after: Duration) -> bool {
    let mut command = sandbox.command(words);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    let _ = child.kill();
    child.wait().unwrap().success()
}

/// How long a whole run takes.
fn whole(sandbox: &Sandbox, words: &[&str]) -> Duration {
    let start = Instant::now();
    sandbox.ok(words);
    start.elapsed()
}

fn copies(make: fn(&Sandbox) -> PathBuf) {
    let sandbox = Sandbox::new();
    let plan = make(&sandbox);
    let (before, copy) = (tree(&sandbox.data()), sandbox.path().join("out/copy"));
    let words = ["apply", text(&plan), "--output", text(&copy), "--copy", "copy", "--quiet"];
    let length = whole(&sandbox, &words);
    let after = tree(&copy);
    let mut random = Random::new(19);
    let mut halves = 0;
    for _ in 0..kills() {
        fs::remove_dir_all(sandbox.path().join("out")).unwrap();
        let ended = killed(&sandbox, &words, length.mul_f32(random.between(0.0, 1.1)));
        // Either nothing under that name or all of it.
        match copy.exists() {
            true => assert_eq!(tree(&copy), after),
            false => {
                halves += 1;
                assert!(!ended);
                sandbox.ok(words);
                assert_eq!(tree(&copy), after);
            }
        }
        // What the killed one left behind is gone.
        assert_eq!(fs::read_dir(sandbox.path().join("out")).unwrap().count(), 1);
        assert_eq!(tree(&sandbox.data()), before);
    }
    assert!(halves > 0, "no run was killed in time");
}

fn in_place(make: fn(&Sandbox) -> PathBuf) {
    let sandbox = Sandbox::new();
    let plan = make(&sandbox);
    let data = sandbox.data();
    let before = tree(&data);
    let words = ["apply", text(&plan), "--in-place", "--yes", "--quiet"];
    let length = whole(&sandbox, &words);
    let after = tree(&data);
    assert_ne!(before, after);
    let back = ["rollback", text(&plan), "--quiet"];
    let back_length = whole(&sandbox, &back);
    assert_eq!(tree(&data), before);
    let mut random = Random::new(23);
    let mut halves = 0;
    for number in 0..kills() {
        let ended = killed(&sandbox, &words, length.mul_f32(random.between(0.0, 1.1)));
        let now = tree(&data);
        halves += u64::from(!ended);
        assert!(known(&now, &[&before, &after]), "a file is neither the old nor the new one");
        let begun =
            rollback_folder(sandbox.path()).is_some_and(|folder| folder.join("journal.json").is_file());
        if !begun && !ended {
            assert_eq!(now, before);
        }
        // Half of them go on, the others go back, killed as well.
        if number % 2 == 0 || !begun {
            // Killed after its last step, it has nothing left to do, and says so.
            let again = sandbox.run(words);
            assert!(
                again.code == 0 || now == after && again.stderr.contains("applied already"),
                "{}",
                again.stderr
            );
            assert_eq!(tree(&data), after);
        }
        if !killed(&sandbox, &back, back_length.mul_f32(random.between(0.0, 1.1)))
            && rollback_folder(sandbox.path()).is_some_and(|folder| folder.join("journal.json").is_file())
        {
            sandbox.ok(back);
        }
        assert_eq!(tree(&data), before);
    }
    assert!(halves > 0, "no run was killed in time");
}

/// Whether each file is, wherever it is, one of these states.
fn known(now: &BTreeMap<PathBuf, String>, states: &[&BTreeMap<PathBuf, String>]) -> bool {
    now.iter().all(|(path, digest)| states.iter().any(|state| state.get(path) == Some(digest)))
}

/// The folder with the way back.
fn rollback_folder(above: &Path) -> Option<PathBuf> {
    let names = fs::read_dir(above).unwrap().map(|entry| entry.unwrap().path());
    names
        .into_iter()
        .find(|path| path.file_name().unwrap().to_string_lossy().starts_with(".data.chaffinch-rollback-"))
}

#[test]
fn copies_are_whole_or_not_there() {
    copies(folder);
}

#[test]
fn changes_in_place_go_on_and_back() {
    in_place(folder);
}

#[test]
fn copies_of_shards_are_whole_or_not_there() {
    copies(shards);
}

#[test]
fn shards_in_place_go_on_and_back() {
    in_place(shards);
}

#[test]
fn copies_of_parquet_files_are_whole_or_not_there() {
    copies(parquet_files);
}

#[test]
fn parquet_files_in_place_go_on_and_back() {
    in_place(parquet_files);
}
