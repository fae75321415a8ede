//! Scanning through the program: what is computed once stays, what is broken is named, and nothing is touched.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::artefacts::default_detectors;
use chaffinch_tests::random::Random;
use chaffinch_tests::sandbox::{Ran, Sandbox, number, report};
use chaffinch_tests::{digest, pictures, process};
use image::ImageFormat;
use rustix::process::Signal;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use walkdir::WalkDir;

/// Ten classes of thirty pictures each.
fn ordinary() -> Sandbox {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 10, 30, 32);
    sandbox
}

/// Files of embeddings that are whole: chunks have their name only then.
fn chunks(folder: &Path) -> Vec<PathBuf> {
    let entries = WalkDir::new(folder).into_iter().filter_map(Result::ok).map(walkdir::DirEntry::into_path);
    let mut chunks: Vec<PathBuf> = entries
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("chunk-"))
        .filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"))
        .collect();
    chunks.sort_unstable();
    chunks
}

#[test]
fn a_second_scan_computes_nothing() {
    let sandbox = ordinary();
    let first = sandbox.scan();
    println!("first scan: {first:#}");
    assert_eq!((number(&first, "samples"), number(&first, "unreadable")), (300, 0));
    assert_eq!(
        (number(&first, "indexed"), number(&first, "embedded"), number(&first, "reused")),
        (300, 300, 0)
    );
    assert_eq!(number(&first, "decoded"), 300, "index, model and detectors share one decoding of each file");
    // Files that are not pictures are reported by the host, in addition to the libraries.
    let all = first["detectors"].as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap());
    let names: Vec<&str> = all.filter(|name| *name != "unreadable").collect();
    assert_eq!(
        names,
        default_detectors(),
        "every detector that is not switched off ran, in the order of names"
    );
    let results = digest::files(&sandbox.session().join("detectors"));

    let second = sandbox.scan();
    assert_eq!(
        (number(&second, "indexed"), number(&second, "embedded"), number(&second, "reused")),
        (0, 0, 300)
    );
    assert_eq!(number(&second, "decoded"), 0);
    assert_eq!(second["suspects"], first["suspects"]);
    assert_eq!(digest::files(&sandbox.session().join("detectors")), results);
    println!("second scan: {} s", second["seconds"]);

    // A result that is gone is made of what was measured.
    fs::remove_file(sandbox.session().join("detectors/image-quality.arrow")).unwrap();
    assert_eq!(number(&sandbox.scan(), "decoded"), 0);
    assert_eq!(digest::files(&sandbox.session().join("detectors")).len(), results.len());
}

#[test]
fn a_renamed_file_is_a_hit_and_a_changed_one_a_miss() {
    let sandbox = ordinary();
    sandbox.scan();
    let data = sandbox.data();
    fs::rename(data.join("cat/0000.png"), data.join("cat/renamed.png")).unwrap();
    fs::rename(data.join("dog/0001.jpg"), data.join("bird/moved.jpg")).unwrap();
    let report = sandbox.scan();
    assert_eq!(
        (number(&report, "samples"), number(&report, "embedded"), number(&report, "reused")),
        (300, 0, 300)
    );

    pictures::picture(3, 99_999, 32).save(data.join("cat/0002.png")).unwrap();
    pictures::picture(4, 99_999, 32).save(data.join("deer/new.png")).unwrap();
    fs::remove_file(data.join("ship/0003.jpg")).unwrap();
    let report = sandbox.scan();
    assert_eq!(
        (number(&report, "samples"), number(&report, "embedded"), number(&report, "reused")),
        (300, 2, 298)
    );
    assert_eq!(number(&report, "indexed"), 2, "only changed and new files are read again");
    let ranked = sandbox.rank(300);
    assert!(ranked.iter().all(|row| row["path"] != "ship/0003.jpg"), "a file that is gone is still listed");
}

#[test]
fn a_killed_scan_goes_on_where_it_was_and_leaves_the_same_bytes() {
    let data = Sandbox::new();
    // Small pictures of one kind with noise: five chunks of embeddings.
    let folder = data.data().join("noise");
    fs::create_dir_all(&folder).unwrap();
    for number in 0..9_000_u64 {
        let mut random = Random::new(number);
        let picture =
            image::RgbImage::from_fn(16, 16, |_, _| image::Rgb([0; 3].map(|_: u8| random.bits() as u8)));
        fs::write(folder.join(format!("{number:05}.bmp")), pictures::encoded(&picture, ImageFormat::Bmp))
            .unwrap();
    }
    let args = |session: &Path| -> Vec<String> {
        let mut args = data.scan_args();
        args[3] = session.to_str().unwrap().to_owned();
        args.extend(["--detectors".into(), "cluster-outliers".into()]);
        args
    };
    let whole = data.path().join("whole");
    let straight = report(&data.ok(args(&whole)));
    assert_eq!(number(&straight, "embedded"), 9_000);
    let all = chunks(&whole).len();
    assert!(all >= 3, "there is no middle in {all} chunks");

    let broken = data.path().join("broken");
    let mut killed_at = Vec::new();
    // Killed again and again, each time once something new is there, until nothing is left to do.
    for wanted in 1..all {
        let mut child =
            data.command(args(&broken)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let reached = process::wait_for(Duration::from_secs(120), || {
            chunks(&broken).len() >= wanted || child.try_wait().unwrap().is_some()
        });
        assert!(reached.is_ok(), "no chunk in two minutes");
        process::signal(child.id(), Signal::KILL);
        child.wait().unwrap();
        killed_at.push(chunks(&broken).len());
    }
    assert!(killed_at[0] < all, "the kill came too late: {killed_at:?} of {all} chunks");
    let resumed = report(&data.ok(args(&broken)));
    println!(
        "{all} chunks; killed at {killed_at:?}; then {} embedded, {} reused",
        resumed["embedded"], resumed["reused"]
    );
    assert_eq!(number(&resumed, "embedded") + number(&resumed, "reused"), 9_000);
    assert!(number(&resumed, "reused") >= 2_000, "the killed runs left nothing");
    let names = |session: &Path| -> Vec<(PathBuf, String)> {
        let place = chunks(session)[0].parent().unwrap().parent().unwrap().to_path_buf();
        digest::files(&place).into_iter().collect()
    };
    assert_eq!(names(&whole), names(&broken), "the stores differ");
    assert_eq!(digest::files(&whole.join("detectors")), digest::files(&broken.join("detectors")));
}

#[test]
fn two_programs_on_one_session_are_refused_by_name() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 10, 150, 48);
    let mut first =
        sandbox.command(sandbox.scan_args()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let pid = first.id();
    let mut second: Option<Ran> = None;
    let refused = process::wait_for(Duration::from_secs(30), || {
        if first.try_wait().unwrap().is_some() || !sandbox.session().is_dir() {
            return first.try_wait().unwrap().is_some();
        }
        // The first may not have got as far as its lock; then the second one wins, which is as good.
        let ran = sandbox.run(sandbox.scan_args());
        let is = ran.code == 2;
        second = Some(ran);
        is
    });
    let status = first.wait().unwrap();
    let second = second.expect("the first ended before a second could begin");
    println!("{} {}", second.stdout.trim(), second.stderr.trim());
    assert!(refused.is_ok() && second.code == 2, "the second was not refused: {second:?}");
    assert!(
        second.stderr.contains("in use") && second.stderr.contains(&pid.to_string()),
        "{}",
        second.stderr
    );
    assert!(status.success());
    // Afterwards the session is free, and whole.
    let report = sandbox.scan();
    assert_eq!((number(&report, "embedded"), number(&report, "reused")), (0, 1_500));
}

#[test]
fn a_lock_that_a_killed_program_left_is_no_obstacle() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 10, 100, 48);
    let mut child =
        sandbox.command(sandbox.scan_args()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = process::wait_for(Duration::from_secs(30), || sandbox.session().is_dir());
    assert!(begun.is_ok());
    process::signal(child.id(), Signal::KILL);
    child.wait().unwrap();
    assert_eq!(number(&sandbox.scan(), "samples"), 1_000);
}

/// Bytes that are never to reach a terminal from a file's name.
const HOSTILE: [&[u8]; 7] = [
    b"escape\x1b[31mred\x1b[2J.png",
    b"title\x1b]0;owned\x07.png",
    b"line\nbreak\r.png",
    b"not-utf8-\xff\xfe.png",
    "bidi-\u{202e}gpj.exe\u{2066}.png".as_bytes(),
    b"csi\xc2\x9b5n.png",
    b"--help $(reboot) 'quoted\" .png",
];

#[test]
fn broken_and_hostile_files_are_named_and_stop_nothing() {
    let sandbox = Sandbox::new();
    let data = sandbox.data();
    pictures::dataset(&data, 4, 12, 32);
    let good = fs::read(data.join("bird/0001.jpg")).unwrap();
    let png = fs::read(data.join("bird/0002.png")).unwrap();
    let mut bomb = png.clone();
    // Width and height of the PNG's header: a picture of four billion pixels in a few hundred bytes.
    bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
    let broken: [(&str, &[u8]); 8] = [
        ("bird/empty.jpg", b""),
        ("bird/text.jpg", b"not an image\n"),
        ("cat/head.jpg", &good[..40]),
        ("cat/half.jpg", &good[..good.len() / 2]),
        ("cat/half.png", &png[..png.len() / 2]),
        ("bird/bomb.png", &bomb),
        ("bird/truncated.gif", b"GIF89a\x10\x00\x10\x00"),
        ("cat/noise.webp", b"RIFF\xff\xff\xff\xffWEBPVP8 \x00\x00\x00\x00\xff\xff"),
    ];
    for (name, bytes) in broken {
        fs::write(data.join(name), bytes).unwrap();
    }
    std::os::unix::fs::symlink("/nonexistent", data.join("cat/dangling.jpg")).unwrap();
    std::os::unix::fs::symlink("../cat", data.join("cat/loop")).unwrap();
    // A wrong extension is not a fault of the picture.
    fs::write(data.join("cat/really-a-jpeg.png"), &good).unwrap();
    for (number, name) in HOSTILE.iter().enumerate() {
        pictures::picture(1, 500 + number as u64, 32).save(data.join("cat/plain.png")).unwrap();
        fs::rename(data.join("cat/plain.png"), data.join("automobile").join(OsStr::from_bytes(name)))
            .unwrap();
    }
    let class = OsStr::from_bytes(b"class\x1b]52;c;aGk=\x07\n");
    fs::create_dir(data.join(class)).unwrap();
    pictures::picture(2, 900, 32).save(data.join(class).join("1.png")).unwrap();
    fs::write(data.join(class).join("broken\x1b[5m.jpg"), b"").unwrap();

    let ran = sandbox.ok(sandbox.scan_args());
    let report = report(&ran);
    println!("{report:#}\n{}", ran.stderr);
    assert_eq!(number(&report, "samples"), 48 + 8 + 1 + 1 + 7 + 1 + 1);
    assert_eq!(
        (number(&report, "unreadable"), number(&report, "damaged")),
        (7 + 1 + 1, 1),
        "the broken ones, the link to nothing, and no other; half of a JPEG is shown"
    );
    assert_eq!(report["failed"], Value::Array(Vec::new()));

    let session = sandbox.session();
    let session = session.to_str().unwrap();
    let mut outputs = vec![ran];
    for format in ["csv", "json", "table"] {
        outputs.push(sandbox.ok(["rank", session, "--top", "200", "--format", format]));
    }
    for ran in &outputs {
        // A sequence of JSON may hold anything escaped, and CSV the name unchanged; an escape byte itself, none.
        assert!(!ran.raw.contains(&0x1b), "an escape byte in\n{}", ran.stdout.escape_debug());
        assert!(!ran.raw.contains(&0x07), "a bell in\n{}", ran.stdout.escape_debug());
    }
    // Every broken file is a suspect, and ranks above everything that is merely odd.
    let ranked = sandbox.rank(200);
    let place = |name: &str| ranked.iter().position(|row| row["path"].ends_with(name));
    for (name, _) in broken {
        assert!(
            place(name).is_some_and(|place| place < 20),
            "{name} is at {:?} of {}",
            place(name),
            ranked.len()
        );
    }
}

#[test]
fn thread_counts_change_nothing() {
    let sandbox = ordinary();
    let data = sandbox.data();
    // Something for every detector: copies, strangers and swaps.
    fs::copy(data.join("cat/0000.png"), data.join("cat/copy.png")).unwrap();
    fs::copy(data.join("dog/0000.png"), data.join("ship/copy.png")).unwrap();
    fs::write(data.join("dog/broken.png"), b"").unwrap();
    let scan = |threads: &str| {
        let session = sandbox.path().join(format!("session-{threads}"));
        let mut args = sandbox.scan_args();
        args[3] = session.to_str().unwrap().to_owned();
        let mut command = sandbox.command(&args);
        let ran = Ran::from(command.env("RAYON_NUM_THREADS", threads).output().unwrap());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let rank = |format: &str| sandbox.ok(["rank", &args[3], "--top", "400", "--format", format]).stdout;
        (digest::files(&session.join("detectors")), rank("csv"), chunks(&session), rank("json"))
    };
    let (one, two, three) = (scan("1"), scan("2"), scan("3"));
    assert!(!one.0.is_empty(), "there are no results in SESSION/detectors");
    for other in [&two, &three] {
        assert_eq!(one.0, other.0, "results differ by thread count");
        assert_eq!(one.1, other.1, "the ranking differs by thread count");
        for (chunk, same) in one.2.iter().zip(&other.2) {
            assert!(fs::read(chunk).unwrap() == fs::read(same).unwrap(), "embeddings differ by thread count");
        }
    }
}

#[test]
fn a_dataset_is_never_written_to() {
    let sandbox = ordinary();
    let data = sandbox.data();
    fs::write(data.join("cat/broken.jpg"), b"").unwrap();
    for entry in WalkDir::new(&data).contents_first(true) {
        let entry = entry.unwrap();
        let mode = if entry.file_type().is_dir() { 0o555 } else { 0o444 };
        fs::set_permissions(entry.path(), Permissions::from_mode(mode)).unwrap();
    }
    let before = digest::untouched(&data);
    sandbox.scan();
    // Also where no one said where the session goes.
    let ran = sandbox.ok(["scan", data.to_str().unwrap()]);
    println!("{}", ran.stdout);
    let state: Vec<PathBuf> = digest::files(&sandbox.path().join("state")).into_keys().collect();
    assert!(!state.is_empty(), "the session by default is not under XDG_STATE_HOME");
    sandbox.rank(50);
    assert!(digest::untouched(&data) == before, "the dataset was changed");
    for entry in WalkDir::new(&data) {
        let _ = fs::set_permissions(entry.unwrap().path(), Permissions::from_mode(0o755));
    }
}

#[test]
fn errors_say_what_and_where_and_exit_with_two() {
    let sandbox = Sandbox::new();
    let empty = sandbox.data();
    for (args, words) in [
        (vec!["scan", "/no/such/folder"], "/no/such/folder"),
        (vec!["scan", empty.to_str().unwrap()], "no image files"),
        (vec!["rank", "/no/such/session"], "/no/such/session"),
        (vec!["scan", empty.to_str().unwrap(), "--detectors", "no-such-detector"], ""),
        (vec!["scan"], ""),
        (vec!["frobnicate"], "frobnicate"),
    ] {
        let ran = sandbox.run(&args);
        assert_eq!(ran.code, 2, "{args:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(words), "{args:?}: no '{words}' in: {}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
}

#[test]
fn tables_and_splits_are_datasets_too() {
    let sandbox = Sandbox::new();
    let paths = pictures::dataset(&sandbox.path().join("images"), 4, 10, 32);
    let mut table = String::from("path,label,split,weight\n");
    for (number, path) in paths.iter().enumerate() {
        let split = if number % 5 == 0 { "test" } else { "train" };
        let label = path.parent().unwrap().display();
        table.push_str(&format!("images/{},{label},{split},{number}\n", path.display()));
    }
    let file = sandbox.path().join("table.csv");
    fs::write(&file, table).unwrap();
    let mut args = sandbox.scan_args();
    args[1] = file.to_str().unwrap().to_owned();
    let report = report(&sandbox.ok(args));
    assert_eq!((number(&report, "samples"), number(&report, "unreadable")), (40, 0));
    assert!(sandbox.rank(40).iter().all(|row| row["path"].starts_with("images/")));
}
