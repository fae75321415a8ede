//! Earlier results of other programs, decisions that come back, and labels from elsewhere, through the program.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Ran, Sandbox, json, table};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/formats/fixtures/import");

/// Three classes of four pictures, scanned for duplicates.
fn scanned() -> Sandbox {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 3, 4, 32);
    scan(&sandbox, &[]);
    sandbox
}

fn scan(sandbox: &Sandbox, more: &[&str]) -> Ran {
    let (data, session) = (sandbox.data(), sandbox.session());
    let words = ["scan", text(&data), "--session", text(&session), "--detectors", "duplicates"];
    sandbox.ok(words.iter().chain(more))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Paths of all samples in the order of the manifest.
fn samples(session: &Path) -> Vec<String> {
    let (manifest, _) = chaffinch_data::samples::load_samples(&session.join("samples.arrow")).unwrap();
    manifest.ids().map(|id| text(manifest.path(id)).to_owned()).collect()
}

fn write(sandbox: &Sandbox, name: &str, content: &str) -> PathBuf {
    let path = sandbox.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

fn import(sandbox: &Sandbox, program: &str, file: &Path) -> Value {
    let session = sandbox.session();
    json(&sandbox.ok(["import", program, text(file), "--session", text(&session), "--json"]))
}

/// The detectors that flag each sample, by path.
fn flagged(sandbox: &Sandbox, detector: &str) -> Vec<String> {
    let session = sandbox.session();
    let words = ["rank", text(&session), "--top", "0", "--all", "--format", "csv", "--by", detector];
    let rows = table(&sandbox.ok(words).stdout);
    let mut paths: Vec<String> = rows
        .into_iter()
        .filter(|row| row["detectors"].split(';').any(|name| name == detector))
        .map(|row| row["path"].clone())
        .collect();
    paths.sort_unstable();
    paths
}

#[test]
fn what_another_program_flagged_is_ranked_and_stays_through_scans() {
    let sandbox = scanned();
    let paths = samples(&sandbox.session());
    let mut rows = ",is_dark_issue,dark_score\n".to_owned();
    for (number, path) in paths.iter().enumerate() {
        let dark = [1, 7].contains(&number);
        rows += &format!(
            "/elsewhere/{path},{},{}\n",
            if dark { "True" } else { "False" },
            if dark { 0.1 } else { 0.8 }
        );
    }
    rows += "/elsewhere/unknown/9.png,True,0.0\n";
    let file = write(&sandbox, "issues.csv", &rows);
    let ran = sandbox.ok(["import", "cleanvision", text(&file), "--session", text(&sandbox.session())]);
    assert!(ran.stdout.contains("cleanvision_dark"), "{}", ran.stdout);
    assert!(
        ran.stderr.contains("1 name in issues.csv is not a sample of this dataset: /elsewhere/unknown/9.png"),
        "{}",
        ran.stderr
    );
    let expected = vec![paths[1].clone(), paths[7].clone()];
    assert_eq!(flagged(&sandbox, "cleanvision_dark"), expected);
    let result = sandbox.session().join("detectors/cleanvision_dark.arrow");
    let bytes = fs::read(&result).unwrap();
    import(&sandbox, "cleanvision", &file);
    assert_eq!(fs::read(&result).unwrap(), bytes, "the same file gives the same result");

    // Evaluated like any other.
    let truth = write(&sandbox, "truth.csv", &format!("path,is_error\n{},1\n{},0\n", paths[1], paths[2]));
    let session = sandbox.session();
    let ran = sandbox.ok([
        "evaluate",
        text(&session),
        "--truth",
        text(&truth),
        "--format",
        "json",
        "--bootstrap",
        "0",
    ]);
    assert!(ran.stdout.contains("cleanvision_dark"), "{}", ran.stdout);

    // A scan that finds other files: one is renamed, one is changed, one is new and sorts first.
    let at = |path: &str| sandbox.data().join(path);
    fs::rename(at(&paths[1]), at(&paths[1]).with_file_name("zz.jpg")).unwrap();
    pictures::picture(1, 77, 32).save(at(&paths[7])).unwrap();
    pictures::picture(2, 78, 32).save(at(&paths[0]).with_file_name("0000-first.png")).unwrap();
    let ran = scan(&sandbox, &[]);
    let renamed = samples(&sandbox.session()).into_iter().find(|path| path.ends_with("zz.jpg")).unwrap();
    assert_eq!(flagged(&sandbox, "cleanvision_dark"), [renamed]);
    let lost = format!("1 sample has changed and lost what was imported as cleanvision_dark: {}", paths[7]);
    assert!(ran.stderr.contains(&lost), "{}", ran.stderr);
    assert!(ran.stdout.contains("cleanvision_dark"), "{}", ran.stdout);

    let list = json(&sandbox.ok(["import", "--list", "--session", text(&session), "--json"]));
    assert_eq!((list[0]["name"].as_str(), list[0]["flagged"].as_u64()), (Some("cleanvision_dark"), Some(1)));
    let plugins = json(&sandbox.ok(["plugins", "list", "--json", "--session", text(&session)]));
    assert_eq!(plugins["imported"][0]["program"], "cleanvision");
    for target in [&session, &sandbox.data()] {
        let (target, place) = (text(target), text(&session));
        let again = match target == place {
            true => sandbox.ok(["import", "--list", target, "--json"]),
            false => sandbox.ok(["import", "--list", target, "--session", place, "--json"]),
        };
        assert_eq!(json(&again), list);
    }
    sandbox.ok(["import", "--remove", "cleanvision_dark", text(&session)]);
    let ran = sandbox.run(["import", "--remove", "cleanvision_dark", "--session", text(&session)]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("there is no imported detector 'cleanvision_dark'"), "{}", ran.stderr);
    scan(&sandbox, &[]);
    assert!(!result.exists());
}

#[test]
fn decisions_of_a_manifest_come_back_under_their_reviewers() {
    let sandbox = scanned();
    let session = sandbox.session();
    let say = |reviewer: &str, lines: &str| {
        let ran = sandbox.plain([text(&session), "--reviewer", reviewer], lines);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    };
    say(
        "anna",
        "toggle-all\ngo 1\nremove\ngo 2\nrelabel zebra\nyes\ngo 2\ntag odd_one\ngo 3\nnote no idea, really\nq\n",
    );
    say("bob", "toggle-all\ngo 5\nkeep\ngo 6\ntag duplicate_near\nq\n");
    let export = |session: &Path, name: &str| -> String {
        let target = sandbox.path().join(name);
        sandbox.ok(["export", text(session), "--format", "manifest", "--all", "--output", text(&target)]);
        fs::read_to_string(target).unwrap()
    };
    let before = export(&session, "before.csv");
    for name in ["anna", "bob"] {
        assert!(before.contains(name), "{before}");
    }
    // Another session of the same pictures.
    let other = sandbox.path().join("other");
    sandbox.ok(["scan", text(&sandbox.data()), "--session", text(&other), "--detectors", "duplicates"]);
    let manifest = sandbox.path().join("before.csv");
    let ran = sandbox.ok(["import", "csv", text(&manifest), "--session", text(&other)]);
    assert!(ran.stdout.contains("anna: decisions, tags and notes on"), "{}", ran.stdout);
    assert_eq!(export(&other, "after.csv"), before);
    let journals = |session: &Path| -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = fs::read_dir(session.join("decisions"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
            })
            .collect();
        all.sort_unstable();
        all
    };
    let once = journals(&other);
    assert_eq!(once.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["anna.jsonl", "bob.jsonl"]);
    // Importing again, or into the session that it came from, changes nothing.
    let here = journals(&session);
    for (target, expected) in [(&other, &once), (&session, &here)] {
        sandbox.ok(["import", "visual-layer", text(&manifest), "--session", text(target)]);
        assert_eq!(&journals(target), expected);
    }
}

#[test]
fn visual_layers_rows_come_back_in_the_manifest() {
    let sandbox = Sandbox::new();
    let mut rows = "image_id,image_path,split,label\n".to_owned();
    for number in 0..3_u64 {
        let picture = pictures::picture(number as usize, number, 32);
        let name = format!("n0{number}.png");
        picture.save(sandbox.data().join(&name)).unwrap();
        rows += &format!("{},{name},train,{}\n", 151 + number, 151 + number);
    }
    let dataset = sandbox.data().join("t.csv");
    fs::write(&dataset, rows).unwrap();
    let session = sandbox.session();
    sandbox.ok(["scan", text(&dataset), "--session", text(&session), "--detectors", "duplicates"]);
    let export = "image_id,image_path,split,label,issue_type,confidence,suggested_label,reason\n\
                  151,imagenet/train/n00.png,train,151,mislabel,0.92,156.0,looks like 156\n\
                  152,imagenet/train/n01.png,train,152,outlier,0.7,,far from its class\n\
                  153,imagenet/train/n02.png,train,153,,,,\n";
    let file = write(&sandbox, "vl.csv", export);
    import(&sandbox, "visual-layer", &file);
    let target = sandbox.path().join("manifest.csv");
    sandbox.ok(["export", text(&session), "--format", "manifest", "--output", text(&target)]);
    let mut lines: Vec<String> =
        fs::read_to_string(&target).unwrap().lines().skip(1).map(str::to_owned).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "151,n00.png,data,train,151,mislabel,0.92,156,looks like 156,,,,,,",
            "152,n01.png,data,train,152,outlier,0.7,,far from its class,,,,,,"
        ]
    );
}

#[test]
fn broken_files_are_refused_and_change_nothing() {
    let sandbox = scanned();
    let session = sandbox.session();
    let before = fs::read_dir(session.join("detectors")).unwrap().count();
    for (program, name, content, expected) in [
        ("cleanlab", "a.csv", "is_label_issue,label_score\nTrue,0.1\n", "no column of paths or row numbers"),
        ("cleanlab", "b.csv", "issue_type,score,num_issues\nlabel,0.1,2\n", "there is no column is_…_issue"),
        ("fastdup", "c.csv", "from,to,distance\n0,1\n", "is the file cut?"),
        ("imagededup", "d.json", "{\"a.png\": [", "it is not valid JSON"),
        ("fiftyone", "e.json", "{}", "it has no list 'samples'"),
        ("visual-layer", "f.csv", "image_path,issue_type\nnowhere.png,dark\n", "is a sample of this dataset"),
        ("csv", "g.csv", "a,b\n1,2\n", "it has 1 row for 12 samples"),
        ("csv", "missing.csv", "", "it is empty"),
    ] {
        let file = write(&sandbox, name, content);
        let ran = sandbox.run(["import", program, text(&file), "--session", text(&session)]);
        assert_eq!(ran.code, 2, "{program}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(expected) && ran.stderr.contains(name), "{program}: {}", ran.stderr);
    }
    assert_eq!(fs::read_dir(session.join("detectors")).unwrap().count(), before);
    assert!(!session.join("imported").exists() && !session.join("decisions").exists());
    let nowhere = sandbox.path().join("nowhere");
    let ran = sandbox.run(["import", "csv", "x.csv", "--session", text(&nowhere)]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("is not a session; scan the dataset with it first"), "{}", ran.stderr);
    // The dataset's own tables of the fixtures name other pictures.
    let fixture = Path::new(FIXTURES).join("fastdup");
    let ran = sandbox.run(["import", "fastdup", text(&fixture), "--session", text(&session)]);
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn labels_are_joined_and_stay_with_the_session() {
    let sandbox = Sandbox::new();
    for number in 0..6_u64 {
        let picture =
            pictures::encoded(&pictures::picture(number as usize % 2, number, 32), image::ImageFormat::Png);
        fs::write(sandbox.data().join(format!("{number:03}.png")), picture).unwrap();
    }
    let rows = "image_id,given,second,split\n0,cat,cat,train\n1,dog,cat,train\n2,cat,cat,test\n3,dog,dog,test\n4,cat,dog,\n9,cat,cat,\n";
    let labels = write(&sandbox, "labels.csv", rows);
    let ran = scan(&sandbox, &["--labels", text(&labels), "--key", "image_id", "--label-column", "given"]);
    for words in ["1 image has no row in labels.csv", "1 row of labels.csv names no image of the dataset: 9"]
    {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    let read = || chaffinch_data::samples::load_samples(&sandbox.session().join("samples.arrow")).unwrap().0;
    let manifest = read();
    let labels_of = |manifest: &chaffinch_data::manifest::Manifest| -> Vec<String> {
        manifest.ids().map(|id| manifest.label_name(id).to_owned()).collect()
    };
    assert_eq!(labels_of(&manifest), ["cat", "dog", "cat", "dog", "cat", ""]);
    assert_eq!(manifest.extra()[0].name, "second");
    // A later scan of the session needs no options, and a pattern replaces the table.
    let ran = scan(&sandbox, &[]);
    assert!(ran.stderr.contains("labels ") && ran.stderr.contains("labels.csv"), "{}", ran.stderr);
    assert_eq!(labels_of(&read()), labels_of(&manifest));
    scan(&sandbox, &["--label-pattern", r"^00(?<label>\d)"]);
    assert_eq!(labels_of(&read()), ["0", "1", "2", "3", "4", "5"]);
    let ran = sandbox.run([
        "scan",
        text(&sandbox.data()),
        "--session",
        text(&sandbox.session()),
        "--label-pattern",
        "(dog",
    ]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--label-pattern (dog: unclosed group"), "{}", ran.stderr);
    scan(&sandbox, &[]);
    assert_eq!(labels_of(&read()), ["0", "1", "2", "3", "4", "5"], "a pattern that is none is not kept");
}

#[test]
fn decisions_of_another_session_are_imported_by_the_path_of_its_dataset() {
    let sandbox = Sandbox::new();
    let other = sandbox.path().join("other");
    for folder in [sandbox.data(), other.clone()] {
        pictures::dataset(&folder, 2, 3, 24);
    }
    let (here, there) = (sandbox.data(), other.to_str().unwrap());
    let session = sandbox.session();
    let session = session.to_str().unwrap();
    sandbox.ok([
        "scan",
        here.to_str().unwrap(),
        "--session",
        session,
        "--detectors",
        "duplicates",
        "--no-carry-over",
    ]);
    sandbox.ok(["scan", there, "--detectors", "duplicates", "--no-carry-over"]);
    let ran = sandbox.plain([there], "toggle-all\ngo 2\nremove\nquit\n");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = sandbox.ok(["import", "chaffinch", there, "--session", session]);
    assert_eq!(sandbox.journal().len(), 1, "{}{}", ran.stdout, ran.stderr);
}
