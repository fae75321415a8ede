//! The same pictures as files, in a tar file, in shards and in a bucket: the same ranking, the same decisions.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::bucket::Server;
use chaffinch_tests::pictures;
use chaffinch_tests::proxy::Proxy;
use chaffinch_tests::sandbox::{Ran, Sandbox, json, number, report};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tar::Builder;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(|entry| entry.unwrap());
    walk.filter(|entry| entry.file_type().is_file()).map(|entry| entry.into_path()).collect()
}

/// Four classes of ten pictures, as files in the sandbox's data.
fn dataset() -> Sandbox {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 4, 10, 32);
    sandbox
}

/// The files of the sandbox's data in tar files, from the last to the first.
fn packed(sandbox: &Sandbox, shards: usize) -> PathBuf {
    let folder = sandbox.path().join(format!("in {shards} shards"));
    fs::create_dir(&folder).unwrap();
    let path = |shard: usize| folder.join(format!("shard-{shard:03}.tar"));
    let mut archives: Vec<Builder<File>> =
        (0..shards).map(|shard| Builder::new(File::create(path(shard)).unwrap())).collect();
    for (number, file) in files(&sandbox.data()).iter().rev().enumerate() {
        let name = file.strip_prefix(sandbox.data()).unwrap();
        archives[number % shards].append_path_with_name(file, name).unwrap();
    }
    archives.into_iter().for_each(|archive| drop(archive.into_inner().unwrap()));
    if shards == 1 { path(0) } else { folder }
}

fn scan(sandbox: &Sandbox, dataset: &Path) -> serde_json::Value {
    report(&sandbox.ok(["scan", text(dataset), "--json", "--model", "bundled-small"]))
}

fn rank(sandbox: &Sandbox, dataset: &Path) -> String {
    sandbox.ok(["rank", text(dataset), "--all", "--top", "0", "--format", "csv"]).stdout
}

#[test]
fn packing_changes_no_byte_of_the_ranking() {
    let sandbox = dataset();
    scan(&sandbox, &sandbox.data());
    let expected = rank(&sandbox, &sandbox.data());
    assert_eq!(expected.lines().count(), 41);
    for shards in [1, 3] {
        let dataset = packed(&sandbox, shards);
        let found = scan(&sandbox, &dataset);
        assert_eq!((number(&found, "samples"), number(&found, "unreadable")), (40, 0));
        assert_eq!(rank(&sandbox, &dataset), expected, "{shards} shards");
    }
}

/// Copies under other labels are equally near to every picture: something other than their place in the file decides.
#[test]
fn packing_changes_no_byte_of_the_ranking_of_copies() {
    let sandbox = dataset();
    let originals = files(&sandbox.data());
    for (number, class) in
        fs::read_dir(sandbox.data()).unwrap().map(|entry| entry.unwrap().path()).enumerate()
    {
        for copied in 0..12 {
            let from = &originals[copied % 3 * 10 + copied % 4];
            fs::copy(from, class.join(format!("{}-{number}-{copied}.png", copied * 7 % 5))).unwrap();
        }
    }
    scan(&sandbox, &sandbox.data());
    let expected = rank(&sandbox, &sandbox.data());
    for shards in [1, 3] {
        let dataset = packed(&sandbox, shards);
        scan(&sandbox, &dataset);
        assert_eq!(rank(&sandbox, &dataset), expected, "{shards} shards");
    }
}

#[test]
fn decisions_follow_the_pictures_into_another_form() {
    let sandbox = dataset();
    scan(&sandbox, &sandbox.data());
    println!("{}", sandbox.plain([text(&sandbox.data())], "remove\nnext\nkeep\n").stdout);
    let dataset = packed(&sandbox, 3);
    let ran = sandbox.ok(["scan", text(&dataset), "--model", "bundled-small"]);
    assert!(
        ran.stderr.contains("2 decisions were carried over, with tags and notes, from the session of"),
        "{}",
        ran.stderr
    );
    let decided = |dataset: &Path| {
        let value = json(&sandbox.ok(["rank", text(dataset), "--all", "--top", "0", "--format", "json"]));
        let rows = value.as_array().or_else(|| value["samples"].as_array()).unwrap().clone();
        let decided = rows.into_iter().filter(|row| row["decision"] != "");
        decided.map(|row| (row["path"].clone(), row["decision"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(decided(&dataset).len(), 2);
    assert_eq!(decided(&dataset), decided(&sandbox.data()));
    let session = sandbox.data();
    assert!(ran.stderr.contains(&format!("from the session of {} (", text(&session))), "{}", ran.stderr);
    assert!(ran.stderr.contains("), which ") && ran.stderr.contains(" made: the pictures"), "{}", ran.stderr);
    // Whoever wants none gets none, later either.
    let alone = sandbox.path().join("alone");
    fs::create_dir(&alone).unwrap();
    for entry in fs::read_dir(&dataset).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), alone.join(entry.file_name())).unwrap();
    }
    let ran = sandbox.ok(["scan", text(&alone), "--model", "bundled-small", "--no-carry-over"]);
    assert!(!ran.stderr.contains("carried over"), "{}", ran.stderr);
    assert_eq!(decided(&alone), []);
    let ran = sandbox.ok(["scan", text(&alone), "--model", "bundled-small"]);
    assert!(!ran.stderr.contains("carried over"), "{}", ran.stderr);
    // A part of the pictures, too; but not where the classes are others, which a relabel would not mean.
    let few = sandbox.path().join("few");
    let others = sandbox.path().join("others");
    for file in files(&sandbox.data()) {
        let name = file.strip_prefix(sandbox.data()).unwrap();
        let class = format!("no {}", name.parent().unwrap().display());
        for target in [few.join(name), others.join(class).join(name.file_name().unwrap())] {
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(&file, target).unwrap();
        }
    }
    let kept: Vec<String> =
        decided(&dataset).iter().map(|(path, _)| path.as_str().unwrap().to_owned()).collect();
    let spare = files(&few).into_iter().filter(|file| !kept.iter().any(|path| file.ends_with(path)));
    spare.take(3).for_each(|file| fs::remove_file(file).unwrap());
    for (target, expected) in [(&few, 2), (&others, 0)] {
        sandbox.ok(["scan", text(target), "--model", "bundled-small"]);
        assert_eq!(decided(target).len(), expected, "{}", target.display());
    }
    // Once: what is decided in one of them later is its own.
    sandbox.plain([text(&dataset)], "toggle-all\nnext\nnext\nnext\nnext\nnext\nremove\n");
    assert_eq!((decided(&dataset).len(), decided(&sandbox.data()).len()), (3, 2));
}

#[test]
fn a_second_scan_of_shards_reads_nothing_and_a_changed_shard_is_read_again() {
    let sandbox = dataset();
    let dataset = packed(&sandbox, 3);
    assert_eq!(number(&scan(&sandbox, &dataset), "embedded"), 40);
    let again = scan(&sandbox, &dataset);
    assert_eq!((number(&again, "decoded"), number(&again, "embedded")), (0, 0), "{again}");
    let shard = dataset.join("shard-001.tar");
    let bytes = fs::read(&shard).unwrap();
    fs::write(&shard, &bytes[..bytes.len() / 2]).unwrap();
    let ran = sandbox.run(["scan", text(&dataset), "--json", "--model", "bundled-small"]);
    assert!(ran.stderr.contains("shard-001.tar is cut or damaged"), "{}", ran.stderr);
    assert!(number(&report(&ran), "samples") < 40);
}

#[test]
fn a_cleaned_copy_has_files() {
    let sandbox = dataset();
    let dataset = packed(&sandbox, 3);
    scan(&sandbox, &dataset);
    sandbox.plain([text(&dataset)], "remove\n");
    let copy = sandbox.path().join("copy");
    sandbox.ok(["export", text(&dataset), "--format", "cleaned", "--output", text(&copy)]);
    let copied = files(&copy);
    assert_eq!(copied.len(), 39);
    let table = sandbox.path().join("table.csv");
    let ran = sandbox.ok(["export", text(&dataset), "--format", "cleaned-table", "--output", text(&table)]);
    assert!(
        format!("{}{}", ran.stdout, ran.stderr).contains("--format cleaned writes the pictures"),
        "{ran:?}"
    );
    for file in copied {
        let original = sandbox.data().join(file.strip_prefix(&copy).unwrap());
        assert_eq!(fs::read(&file).unwrap(), fs::read(original).unwrap(), "{}", file.display());
    }
}

#[test]
fn splits_of_shards_are_folders_of_a_cleaned_copy() {
    let sandbox = dataset();
    let folder = sandbox.path().join("shards");
    fs::create_dir(&folder).unwrap();
    for (split, parity) in [("train", 0), ("test", 1)] {
        let mut archive = Builder::new(File::create(folder.join(format!("{split}-000.tar"))).unwrap());
        for (number, file) in
            files(&sandbox.data()).iter().enumerate().filter(|(number, _)| number % 2 == parity)
        {
            // Both shards use the same names.
            let class = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
            let extension = file.extension().unwrap().to_str().unwrap();
            archive.append_path_with_name(file, format!("{class}/{:04}.{extension}", number / 2)).unwrap();
        }
        archive.into_inner().unwrap();
    }
    assert_eq!(number(&scan(&sandbox, &folder), "samples"), 40);
    let copy = sandbox.path().join("copy");
    let ran = sandbox.ok(["export", text(&folder), "--format", "cleaned", "--output", text(&copy)]);
    assert!(!ran.stderr.contains("another label or split"), "{}", ran.stderr);
    let splits: Vec<PathBuf> = files(&copy)
        .iter()
        .map(|file| PathBuf::from(file.strip_prefix(&copy).unwrap().iter().next().unwrap()))
        .collect();
    assert_eq!(splits.iter().filter(|split| **split == Path::new("train")).count(), 20);
    assert_eq!(splits.iter().filter(|split| **split == Path::new("test")).count(), 20);
}

fn with(sandbox: &Sandbox, server: &Server, args: &[&str]) -> Ran {
    let mut command = sandbox.command(args);
    command.envs(server.environment());
    Ran::from(command.output().unwrap())
}

#[test]
fn a_bucket_is_like_a_folder() {
    let Some(server) = Server::start() else { return };
    let sandbox = dataset();
    server.fill("pictures", "a/set", &sandbox.data());
    scan(&sandbox, &sandbox.data());
    let address = "s3://pictures/a/set";
    let ran = with(&sandbox, &server, &["scan", address, "--json", "--model", "bundled-small"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(number(&report(&ran), "embedded"), 40);
    let ranked = with(&sandbox, &server, &["rank", address, "--all", "--top", "0", "--format", "csv"]);
    assert_eq!(ranked.stdout, rank(&sandbox, &sandbox.data()));
    let again = with(&sandbox, &server, &["scan", address, "--json"]);
    assert_eq!(number(&report(&again), "decoded"), 0, "{}", again.stdout);
    let copy = sandbox.path().join("copy");
    let exported =
        with(&sandbox, &server, &["export", address, "--format", "cleaned", "--output", text(&copy)]);
    assert_eq!((exported.code, files(&copy).len()), (0, 40), "{}", exported.stderr);
    // Nothing that is said has the credentials in it.
    for ran in [&ran, &ranked, &again, &exported] {
        assert!(!ran.stdout.contains("of-a-test") && !ran.stderr.contains("of-a-test"));
    }
}

#[test]
fn a_bucket_that_refuses_is_an_error_that_says_why() {
    let Some(server) = Server::start() else { return };
    let sandbox = Sandbox::new();
    let ran = with(&sandbox, &server, &["scan", "s3://nowhere/x"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("there is no bucket nowhere"), "{}", ran.stderr);
    server.fill("empty", "x", &sandbox.data());
    let ran = with(&sandbox, &server, &["scan", "s3://empty/x"]);
    assert!(ran.code == 2 && ran.stderr.contains("nothing has this prefix"), "{}", ran.stderr);
    drop(server);
    let mut command = sandbox.command(["scan", "s3://pictures/x"]);
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").env("AWS_ACCESS_KEY_ID", "half");
    let ran = Ran::from(command.output().unwrap());
    assert!(ran.code == 2 && ran.stderr.contains("AWS_SECRET_ACCESS_KEY is not"), "{}", ran.stderr);
    let mut command = sandbox.command(["scan", "s3://pictures/x"]);
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let ran = Ran::from(command.output().unwrap());
    assert!(ran.code == 2 && ran.stderr.contains("127.0.0.1"), "{}", ran.stderr);
}

#[test]
fn a_pattern_chooses_shards_and_the_missing_ones_are_named() {
    let sandbox = dataset();
    let folder = packed(&sandbox, 3);
    scan(&sandbox, &folder);
    let all = folder.join("shard-{000..004}.tar");
    let ran = sandbox.ok(["scan", text(&all), "--json", "--model", "bundled-small"]);
    assert_eq!(number(&report(&ran), "samples"), 40);
    assert!(ran.stderr.contains("2 files are missing from"), "{}", ran.stderr);
    assert!(ran.stderr.contains("shard-003.tar, shard-004.tar"), "{}", ran.stderr);
    assert_eq!(rank(&sandbox, &all), rank(&sandbox, &folder));
    let some = scan(&sandbox, &folder.join("*-00[01].tar"));
    assert_eq!(number(&some, "samples"), 27);
    let none = sandbox.run(["scan", text(&folder.join("train-*.tar"))]);
    assert!(none.code == 2 && none.stderr.contains("the pattern chooses no file"), "{}", none.stderr);
    let pictures = sandbox.run(["scan", text(&sandbox.data().join("*/*"))]);
    assert!(pictures.code == 2 && pictures.stderr.contains("name the folder instead"), "{}", pictures.stderr);
}

#[test]
fn shards_in_a_bucket_are_read_in_part_and_rank_alike() {
    let Some(server) = Server::start() else { return };
    let sandbox = dataset();
    let folder = packed(&sandbox, 3);
    scan(&sandbox, &folder);
    server.fill("packed", "tar", &folder);
    let local = |format: &str| match format {
        "tar" => folder.clone(),
        other => sandbox.path().join(other),
    };
    for (format, name) in [("parquet", "train.parquet"), ("webdataset", "shards")] {
        let target = local(format).join(name);
        fs::create_dir(local(format)).unwrap();
        sandbox.ok(["export", text(&folder), "--format", format, "--output", text(&target)]);
        scan(&sandbox, &local(format));
        server.fill("packed", format, &local(format));
    }
    let proxy = Proxy::start(server.port(), Duration::ZERO, |_| None);
    let run = |args: &[&str]| {
        let mut command = sandbox.command(args);
        command.envs(server.environment()).env("AWS_ENDPOINT_URL", proxy.address());
        let ran = Ran::from(command.output().unwrap());
        assert_eq!(ran.code, 0, "{args:?} {}", ran.stderr);
        ran
    };
    for address in [
        "s3://packed/tar",
        "s3://packed/tar/shard-{000..002}.tar",
        "s3://packed/tar/*.tar",
        "s3://packed/parquet",
        "s3://packed/parquet/train.parquet",
        "s3://packed/webdataset",
    ] {
        let ran = run(&["scan", address, "--json", "--model", "bundled-small"]);
        let found = report(&ran);
        assert_eq!(
            (number(&found, "samples"), number(&found, "unreadable")),
            (40, 0),
            "{address}: {}",
            ran.stderr
        );
        let ranked = run(&["rank", address, "--all", "--top", "0", "--format", "csv"]).stdout;
        let format = address.split('/').nth(3).unwrap();
        assert_eq!(ranked, rank(&sandbox, &local(format)), "{address}");
        let before = proxy.seen("").len();
        let again = run(&["scan", address, "--json"]);
        assert_eq!(number(&report(&again), "decoded"), 0, "{address}");
        assert!(proxy.seen("").len() - before < 20, "{address}: {:?}", &proxy.seen("")[before..]);
    }
    let one = run(&["scan", "s3://packed/tar/shard-000.tar", "--json", "--model", "bundled-small"]);
    assert_eq!(number(&report(&one), "samples"), 14);
    let missing =
        run(&["scan", "s3://packed/tar/shard-{002..003}.tar", "--json", "--model", "bundled-small"]);
    assert!(missing.stderr.contains("1 file is missing from"), "{}", missing.stderr);
}

/// The options with which scans are killed.
const KILLED: [&str; 5] = ["--json", "--model", "bundled-small", "--detectors", "cluster-outliers"];

/// Pictures in shards, so many that reading them takes some seconds on this machine, and how many there are. Few
/// pictures do not count, however long a busy machine takes over them: what is kept is kept in groups.
fn long() -> (Sandbox, PathBuf, usize) {
    for each in [600, 2_400, 9_600] {
        let sandbox = Sandbox::new();
        pictures::dataset(&sandbox.data(), 4, each, 32);
        let dataset = packed(&sandbox, 3);
        let found = report(&sandbox.ok([&["scan", text(&dataset)], &KILLED[..]].concat()));
        let reading = &found["stages"].as_array().unwrap()[0];
        assert_eq!(reading[0], "read and embed", "{found}");
        if reading[1].as_f64().unwrap() > 3.0 {
            return (sandbox, dataset, 4 * each);
        }
    }
    panic!("this machine is too fast to be interrupted");
}

/// A scan is killed once it has kept something; the next one reads only the rest.
fn killed(sandbox: &Sandbox, dataset: &Path, samples: usize) {
    let expected = rank(sandbox, dataset);
    let session = sandbox.path().join("killed").join(dataset.file_name().unwrap());
    let args = [&["scan", text(dataset), "--session", text(&session)], &KILLED[..]].concat();
    let mut child = sandbox
        .command(&args)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let length = |file: &Path| std::fs::metadata(file).map_or(0, |file| file.len());
    let vectors = || {
        let all = files_if_there(&session.join("embeddings")).into_iter();
        all.filter(|file| file.ends_with("chunk.unfinished")).map(|file| length(&file)).collect::<Vec<u64>>()
    };
    let rows = || length(&session.join("index.unfinished"));
    // Only with both its rows and its vectors is a group done, and only once all of it is written: the file exists before.
    let mut before = Vec::new();
    while child.try_wait().unwrap().is_none() {
        let now = vectors();
        if now == before && now.iter().any(|length| *length > 4096) && rows() > 4096 {
            break;
        }
        before = now;
        std::thread::sleep(Duration::from_millis(5));
    }
    // On Unix, this is SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(session.join("index.unfinished").is_file(), "it was done before it was killed");
    let found = report(&sandbox.ok(args));
    assert_eq!(number(&found, "samples"), samples as u64);
    assert!(number(&found, "decoded") < samples as u64, "{found}");
    let rank = ["rank", text(dataset), "--session", text(&session), "--all", "--top", "0", "--format", "csv"];
    assert_eq!(sandbox.ok(rank).stdout, expected);
    for left in ["index.unfinished", "depths.unfinished"] {
        assert!(!session.join(left).exists(), "{left}");
    }
    assert_eq!(vectors(), Vec::<u64>::new());
}

fn files_if_there(folder: &Path) -> Vec<PathBuf> {
    if folder.is_dir() { files(folder) } else { Vec::new() }
}

#[test]
fn a_killed_scan_of_shards_reads_only_the_rest() {
    let (sandbox, tars, samples) = long();
    killed(&sandbox, &tars, samples);
    let parquet = sandbox.path().join("train.parquet");
    sandbox.ok(["export", text(&tars), "--format", "parquet", "--output", text(&parquet)]);
    sandbox.ok([&["scan", text(&parquet)], &KILLED[..]].concat());
    killed(&sandbox, &parquet, samples);
}

#[test]
fn a_server_that_refuses_or_fails_is_an_error_that_says_why() {
    let sandbox = Sandbox::new();
    let error = |answer| {
        let proxy = Proxy::start(9, Duration::ZERO, answer);
        let mut command = sandbox.command(["scan", "s3://b/x/shard-{0..3}.tar"]);
        command.env("AWS_ENDPOINT_URL", proxy.address());
        command.env("AWS_ACCESS_KEY_ID", "key-of-a-test").env("AWS_SECRET_ACCESS_KEY", "secret-of-a-test");
        let ran = Ran::from(command.output().unwrap());
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(!ran.stderr.contains("of-a-test"), "{}", ran.stderr);
        (ran.stderr, proxy.seen("").len())
    };
    let (text, tries) = error(|_| Some(("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>")));
    assert!(text.contains("refuses access (AccessDenied)") && tries == 1, "{text}");
    let (text, _) = error(|_| Some(("404 Not Found", "<Error><Code>NoSuchBucket</Code></Error>")));
    assert!(text.contains("there is no bucket b"), "{text}");
    let (text, tries) = error(|_| Some(("500 Internal Server Error", "")));
    assert!(text.contains("status 500") && tries == 4, "{text}");
    let (text, _) = error(|_| Some(("301 Moved", "<Error><Code>PermanentRedirect</Code></Error>")));
    assert!(text.contains("another region"), "{text}");
    let (text, _) = error(|_| Some(("200 OK", "<html>a portal</html>")));
    assert!(text.contains("no listing") || text.contains("chooses no file"), "{text}");
}

#[test]
fn a_missing_shard_is_said_again_and_fails_a_gate() {
    let sandbox = dataset();
    let folder = packed(&sandbox, 3);
    fs::remove_file(folder.join("shard-001.tar")).unwrap();
    let said = "1 shard is missing: shard-001.tar";
    let scan = ["scan", text(&folder), "--model", "bundled-small", "--fail-on", "files-missing"];
    let ran = sandbox.run(scan);
    assert!(ran.code == 1 && ran.stderr.contains(said), "{}", ran.stderr);
    let ranked = sandbox.ok(["rank", text(&folder)]);
    assert!(ranked.stderr.contains(said), "{}", ranked.stderr);
}

/// The labels and decisions of the exported shards are those of the dataset.
#[test]
fn decisions_follow_the_pictures_into_shards_of_our_own() {
    let sandbox = dataset();
    scan(&sandbox, &sandbox.data());
    sandbox.plain([text(&sandbox.data())], "keep\nnext\nkeep\n");
    let shards = sandbox.path().join("shards");
    sandbox.ok(["export", text(&sandbox.data()), "--format", "webdataset", "--output", text(&shards)]);
    let ran = sandbox.ok(["scan", text(&shards), "--json", "--model", "bundled-small"]);
    assert!(ran.stderr.contains("2 decisions were carried over"), "{}", ran.stderr);
    let listed = |dataset: &Path| {
        let value = json(&sandbox.ok(["rank", text(dataset), "--all", "--top", "0", "--format", "json"]));
        let rows = value.as_array().or_else(|| value["samples"].as_array()).unwrap().clone();
        let mut rows: Vec<String> =
            rows.iter().map(|row| format!("{} {} {}", row["path"], row["label"], row["decision"])).collect();
        rows.sort();
        rows
    };
    assert_eq!(listed(&shards), listed(&sandbox.data()));
}
