//! Datasets in buckets, on a real server: what is read there is what is read on a disk, whatever the server does.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::bucket::Server;
use chaffinch_tests::pictures;
use chaffinch_tests::proxy::Proxy;
use chaffinch_tests::sandbox::{Ran, Sandbox, number, report};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Requests that a kill may cost while pictures are read: 32 under way, 64 of the last second, which is kept as a whole, and
/// those of the groups of 32 that are read ahead.
const LOST: usize = 180;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/formats/fixtures")
}

fn with(sandbox: &Sandbox, server: &Server, args: &[&str]) -> Ran {
    let mut command = sandbox.command(args);
    command.envs(server.environment());
    let ran = Ran::from(command.output().unwrap());
    assert!(!ran.stdout.contains("of-a-test") && !ran.stderr.contains("of-a-test"), "{}", ran.stderr);
    ran
}

/// What is read of a dataset: path, label, split of each sample.
fn read(sandbox: &Sandbox, server: &Server, dataset: &str) -> Vec<String> {
    let session = sandbox.path().join(dataset.replace(['/', ':'], "_"));
    let session = text(&session);
    let scan = ["scan", dataset, "--session", session, "--detectors", "image-quality"];
    let ran = with(sandbox, server, &scan);
    assert_eq!(ran.code, 0, "{dataset}: {}", ran.stderr);
    let rank = ["rank", dataset, "--session", session, "--all", "--top", "0", "--format", "csv"];
    let ranked = with(sandbox, server, &rank).stdout;
    let mut rows: Vec<String> = csv::Reader::from_reader(ranked.as_bytes())
        .into_records()
        .map(|row| row.unwrap())
        .map(|row| [1, 2, 6].map(|column| row[column].to_owned()).join(" "))
        .collect();
    rows.sort_unstable();
    rows
}

#[test]
fn label_files_say_what_they_say_on_a_disk() {
    let Some(server) = Server::start() else { return };
    let sandbox = Sandbox::new();
    let datasets = fixtures().join("datasets");
    for (folder, file) in [
        ("coco", ""),
        ("yolo", ""),
        ("imagefolder", ""),
        ("manifests", "lines.jsonl"),
        ("label-studio", "rows.csv"),
        ("label-studio", "export.json"),
    ] {
        if !sandbox.path().join(folder).exists() {
            fs::create_dir(sandbox.path().join(folder)).unwrap();
            server.fill("labels", folder, &datasets.join(folder));
        }
        let place = Path::new(folder).join(file);
        let here = read(&sandbox, &server, text(&datasets.join(&place)));
        let there = read(&sandbox, &server, format!("s3://labels/{}", text(&place)).trim_end_matches('/'));
        assert!(here.len() >= 3 && here.iter().any(|row| row.split(' ').nth(1) != Some("")), "{here:?}");
        assert_eq!(there, here, "{}", place.display());
    }
    let copy = sandbox.path().join("copy");
    let session = sandbox.path().join("s3___labels_imagefolder");
    let export = ["export", "s3://labels/imagefolder", "--session", text(&session), "--format", "cleaned"];
    let ran = with(&sandbox, &server, &[&export[..], &["--output", text(&copy)]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let labels = |rows: Vec<String>| -> Vec<String> {
        let of = |row: &String| row.split_once(' ').unwrap().1.to_owned();
        let mut labels: Vec<String> = rows.iter().map(of).collect();
        labels.sort_unstable();
        labels
    };
    let copied = read(&sandbox, &server, text(&copy));
    assert_eq!(labels(copied), labels(read(&sandbox, &server, "s3://labels/imagefolder")));
}

#[test]
fn broken_label_files_are_named_where_they_are() {
    let Some(server) = Server::start() else { return };
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 1, 2, 16);
    fs::write(sandbox.data().join("metadata.jsonl"), "{\"file_name\": \"a.png\", \"label\"").unwrap();
    server.fill("broken", "x", &sandbox.data());
    let ran = with(&sandbox, &server, &["scan", "s3://broken/x"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("s3://broken/x/metadata.jsonl"), "{}", ran.stderr);
    let ran = with(
        &sandbox,
        &server,
        &["scan", "s3://broken/x", "--label-files", "ignore", "--detectors", "image-quality"],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn addresses_of_google_and_datasets_saved_to_disk() {
    let Some(server) = Server::start() else { return };
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 2, 3, 16);
    server.fill("pictures", "set", &sandbox.data());
    let here = read(&sandbox, &server, text(&sandbox.data()));
    assert_eq!(read(&sandbox, &server, "gs://pictures/set"), here);
    let disk = fixtures().join("packed/disk");
    server.fill("pictures", "disk", &disk);
    let here = read(&sandbox, &server, text(&disk));
    for scheme in ["s3", "gs"] {
        assert_eq!(read(&sandbox, &server, &format!("{scheme}://pictures/disk")), here);
    }
}

#[test]
fn a_listing_may_have_several_pages() {
    let Some(server) = Server::start() else { return };
    let sandbox = Sandbox::new();
    let many = sandbox.path().join("many");
    pictures::dataset(&many.join("z"), 2, 2, 16);
    for number in 0..2_050 {
        fs::write(many.join(format!("{number:04}.bin")), b"").unwrap();
    }
    server.fill("many", "set", &many);
    let proxy = Proxy::start(server.port(), Duration::ZERO, |_| None);
    let mut command = sandbox.command(["scan", "s3://many/set", "--detectors", "image-quality", "--json"]);
    command.envs(server.environment()).env("AWS_ENDPOINT_URL", proxy.address());
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(number(&report(&ran), "samples"), 4, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("2050 objects with .bin") || ran.stderr.contains("2,050 objects with .bin"),
        "{}",
        ran.stderr
    );
    assert!(proxy.seen("continuation-token").len() >= 2, "{:?}", proxy.seen("list-type"));
}

/// Requests for 400 pictures, of which 200 may have 16 bits and are looked at before.
const ALL: usize = 600;

/// 400 pictures in a bucket.
fn slow(server: &Server) -> Sandbox {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 4, 100, 16);
    server.fill("slow", "set", &sandbox.data());
    sandbox
}

#[test]
fn a_killed_scan_asks_only_for_the_rest() {
    let Some(server) = Server::start() else { return };
    let sandbox = slow(&server);
    // In the first look at those with 16 bits, and in the reading; with a model, whose work is kept, too.
    let kills = [
        (150, "image-quality", 120),
        (450, "image-quality", LOST),
        // Up to five groups and what is left of a batch wait for a model that is slower than the bucket.
        (560, "cluster-outliers", 5 * 32 + 48 + 32),
    ];
    for (killed_at, detectors, bound) in kills {
        let proxy = Proxy::start(server.port(), Duration::from_millis(500), |_| None);
        let session = sandbox.path().join(format!("killed at {killed_at}"));
        let command = || {
            let args =
                ["scan", "s3://slow/set", "--session", text(&session), "--json", "--model", "bundled-small"];
            let mut command = sandbox.command(args);
            command.args(["--detectors", detectors]);
            command.envs(server.environment()).env("AWS_ENDPOINT_URL", proxy.address());
            command
        };
        let pictures = || proxy.seen("/slow/set/").len();
        let mut child = command()
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while pictures() < killed_at && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(20));
        }
        // On Unix, this is SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        let before = pictures();
        assert!(before < ALL, "it was done before it was killed: {before}");
        let ran = Ran::from(command().output().unwrap());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(number(&report(&ran), "samples"), 400);
        let lost = pictures() - ALL;
        assert!(lost < bound, "{lost} requests were made twice, {before} before the kill");
    }
}

static ASKED: AtomicUsize = AtomicUsize::new(0);
static BUSY: AtomicBool = AtomicBool::new(true);

#[test]
fn a_server_that_stops_answering_ends_a_scan_which_goes_on_later() {
    let Some(server) = Server::start() else { return };
    let sandbox = slow(&server);
    let proxy = Proxy::start(server.port(), Duration::from_millis(20), |line| {
        let busy = line.contains("/slow/set/")
            && ASKED.fetch_add(1, Ordering::Relaxed) >= 400
            && BUSY.load(Ordering::Relaxed);
        busy.then_some(("503 Slow Down", "<Error><Code>SlowDown</Code></Error>"))
    });
    let scan = || {
        let mut command =
            sandbox.command(["scan", "s3://slow/set", "--detectors", "image-quality", "--json"]);
        // Otherwise the sizes of some pictures are asked for first.
        command.args(["--model", "bundled-small"]);
        command.envs(server.environment()).env("AWS_ENDPOINT_URL", proxy.address());
        command.env("AWS_MAX_ATTEMPTS", "2");
        Ran::from(command.output().unwrap())
    };
    let ran = scan();
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    for said in ["s3://slow/set/", "SlowDown", "what was read is kept"] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("of-a-test"), "{}", ran.stderr);
    BUSY.store(false, Ordering::Relaxed);
    let before = proxy.seen("/slow/set/").len();
    let ran = scan();
    let found = report(&ran);
    assert_eq!((number(&found, "samples"), number(&found, "unreadable")), (400, 0), "{}", ran.stderr);
    let asked = proxy.seen("/slow/set/").len() - before;
    assert!(asked < ALL - 400 + LOST, "{asked} requests for the last 200");
}

/// The files below a folder, relative to it.
fn names_of(folder: &Path) -> Vec<String> {
    let mut found: Vec<String> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| text(entry.path().strip_prefix(folder).unwrap()).to_owned())
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn a_table_of_this_machine_has_its_pictures_in_a_bucket() {
    let Some(server) = Server::start() else { return };
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 2, 2, 16);
    server.fill("pets", "set/one", &sandbox.data());
    let names = names_of(&sandbox.data());
    assert_eq!(names.len(), 4);
    let address = "s3://pets/set/one";
    let scan = |table: &str, root: &[&str]| {
        let scan = [&["scan", table, "--detectors", "image-quality", "--json"][..], root].concat();
        with(&sandbox, &server, &scan)
    };
    // Names of objects, and whole addresses.
    for (file, before) in [("keys.csv", String::new()), ("whole.csv", format!("{address}/"))] {
        let table = sandbox.path().join(file);
        let rows: String = names.iter().map(|name| format!("{before}{name},a\n")).collect();
        fs::write(&table, format!("path,label\n{rows}{before}gone.png,b\n")).unwrap();
        let ran = scan(text(&table), &["--root", address]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(number(&report(&ran), "samples"), 5, "{}", ran.stdout);
        assert_eq!(number(&report(&ran), "unreadable"), 1, "{}", ran.stdout);
        // The session keeps where they are, and a copy has them.
        let again = scan(text(&table), &[]);
        assert_eq!((again.code, number(&report(&again), "samples")), (0, 5), "{}", again.stderr);
        let copy = sandbox.path().join(format!("copy-of-{file}"));
        let export = ["export", text(&table), "--format", "cleaned", "--output", text(&copy)];
        let ran = with(&sandbox, &server, &export);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let copied = names_of(&copy);
        assert_eq!(copied.iter().filter(|name| name.starts_with("a/")).count(), 4, "{copied:?}");
    }
    // What does not say where they are says what to do.
    let ran = scan(
        text(&sandbox.path().join("whole.csv")),
        &["--root", text(sandbox.path()), "--session", "other"],
    );
    assert!(ran.code == 2 && ran.stderr.contains("--root s3://pets/set/one"), "{}", ran.stderr);
    let ran = scan(text(&sandbox.data()), &["--root", address]);
    assert!(ran.code == 2 && ran.stderr.contains("has no use for --root"), "{}", ran.stderr);
    let ran =
        scan(text(&sandbox.path().join("keys.csv")), &["--root", "s3://pets/nothing", "--session", "third"]);
    assert!(ran.code == 2 && ran.stderr.contains("nothing has this prefix"), "{}", ran.stderr);
}
