//! Tables, class names and exports, through the program as by a user.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Ran, Sandbox};
use image::ImageFormat;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Writes as many pictures into a folder, called 0.png, 1.png, …
fn draw(folder: &Path, count: usize) {
    fs::create_dir_all(folder).unwrap();
    for number in 0..count {
        let picture = pictures::picture(number % 3, number as u64, 32);
        fs::write(folder.join(format!("{number}.png")), pictures::encoded(&picture, ImageFormat::Png))
            .unwrap();
    }
}

/// A sandbox with a table of these rows and its pictures.
fn table(header: &str, rows: &[&[u8]]) -> Sandbox {
    let sandbox = Sandbox::new();
    draw(&sandbox.data().join("images"), rows.len());
    let mut text = format!("{header}\n").into_bytes();
    for (number, row) in rows.iter().enumerate() {
        text.extend_from_slice(format!("images/{number}.png").as_bytes());
        text.extend_from_slice(row);
        text.push(b'\n');
    }
    fs::write(sandbox.data().join("labels.csv"), text).unwrap();
    sandbox
}

fn scan(sandbox: &Sandbox, more: &[&str]) -> Ran {
    let (table, session) = (sandbox.data().join("labels.csv"), sandbox.session());
    let words = ["scan".as_ref(), table.as_os_str(), "--session".as_ref(), session.as_os_str()];
    let detectors = ["--detectors", "duplicates"].map(OsStr::new);
    sandbox.ok(words.into_iter().chain(detectors).chain(more.iter().map(OsStr::new)))
}

fn export(sandbox: &Sandbox, format: &str, target: &str) -> Ran {
    let session = sandbox.session();
    let target = sandbox.path().join(target);
    let words = ["export".as_ref(), session.as_os_str(), "--output".as_ref(), target.as_os_str()];
    sandbox.ok(words.into_iter().chain(["--format", format].map(OsStr::new)))
}

fn classes(sandbox: &Sandbox) -> Vec<String> {
    let (manifest, _) =
        chaffinch_data::samples::load_samples(&sandbox.session().join("samples.arrow")).unwrap();
    manifest.classes().to_vec()
}

#[test]
fn names_are_compared_without_blanks_and_composed() {
    let sandbox = table(
        "path,label",
        &[b",cat", b",cat ", ",caf\u{e9}".as_bytes(), ",cafe\u{301}".as_bytes(), b",Dog", b",dog"],
    );
    let ran = scan(&sandbox, &["-v"]);
    assert_eq!(classes(&sandbox), ["Dog", "caf\u{e9}", "cat", "dog"]);
    assert!(ran.stderr.contains("2 classes are spelled in several ways"), "{}", ran.stderr);
    assert!(ran.stderr.contains("'Dog' and 'dog'"), "{}", ran.stderr);
}

#[test]
fn a_table_in_latin_1_has_its_two_classes_and_keeps_its_bytes() {
    let sandbox = table("path,label", &[b",caf\xe9", b",caf\xe8", b",caf\xe9", b",caf\xe8"]);
    let ran = scan(&sandbox, &["-v"]);
    assert!(ran.stderr.contains("labels.csv is not UTF-8 and was read as Windows-1252"), "{}", ran.stderr);
    assert_eq!(classes(&sandbox), ["caf\u{e8}", "caf\u{e9}"]);
    export(&sandbox, "cleaned-table", "out.csv");
    assert_eq!(
        fs::read(sandbox.path().join("out.csv")).unwrap(),
        fs::read(sandbox.data().join("labels.csv")).unwrap()
    );
}

#[test]
fn words_for_no_label_are_none_unless_they_are_kept() {
    let rows: [&[u8]; 8] = [b",nan", b",NaN", b",NA", b",", b",cat", b",dog", b",cat", b",dog"];
    let sandbox = table("path,label", &rows);
    let ran = scan(&sandbox, &["-v"]);
    assert_eq!(classes(&sandbox), ["cat", "dog"]);
    assert!(
        ran.stderr.contains("3 labels were read as no label: 'NA' (1), 'NaN' (1), 'nan' (1)"),
        "{}",
        ran.stderr
    );
    let sandbox = table("path,label", &rows);
    scan(&sandbox, &["--keep-null-labels"]);
    assert_eq!(classes(&sandbox), ["NA", "NaN", "cat", "dog", "nan"]);
}

#[test]
fn a_table_comes_out_as_it_went_in() {
    let rows: [&[u8]; 6] = [
        b",cat,train,0.0",
        b",dog,val,0.5",
        b",cat,holdout,1.0",
        b",dog,fold3,1.5",
        b",cat,TRAIN,2.5",
        b",dog,dev,3",
    ];
    let sandbox = table("image_id,class,split,weight", &rows);
    scan(&sandbox, &["--path-column", "image_id"]);
    export(&sandbox, "cleaned-table", "out.csv");
    let (before, after) = (sandbox.data().join("labels.csv"), sandbox.path().join("out.csv"));
    assert_eq!(fs::read_to_string(after).unwrap(), fs::read_to_string(before).unwrap());
    export(&sandbox, "cleaned", "copy");
    assert!(sandbox.path().join("copy/holdout/cat/2.png").is_file(), "splits keep their names");
}

#[test]
fn folders_that_are_no_text_stay_apart_and_keep_their_bytes() {
    let sandbox = Sandbox::new();
    for name in [&b"cl\xff"[..], b"cl\xfe"] {
        draw(&sandbox.data().join(OsStr::from_bytes(name)).join("below"), 2);
    }
    sandbox.ok(sandbox.scan_args().into_iter().chain(["--detectors".into(), "duplicates".into()]));
    assert_eq!(classes(&sandbox), ["cl\\xfe", "cl\\xff"]);
    export(&sandbox, "cleaned", "copy");
    let file = sandbox.path().join("copy").join(OsStr::from_bytes(b"cl\xff")).join("below/0.png");
    assert!(file.is_file(), "{}", file.display());
}

#[test]
fn a_label_that_may_be_a_name_or_a_place_is_an_error() {
    let sandbox = Sandbox::new();
    let at = |name: &str| sandbox.path().join(name).to_str().unwrap().to_owned();
    let order = ["0", "1", "10", "11", "2", "3", "4", "5", "6", "7", "8", "9"];
    let row = |own: usize| {
        let cell = |column: usize| if column == own { "0.89" } else { "0.01" };
        (0..12).map(cell).collect::<Vec<_>>().join(",") + "\n"
    };
    let body: String = (0..12).map(row).collect();
    fs::write(at("p.csv"), &body).unwrap();
    fs::write(at("named.csv"), format!("{}\n{body}", order.join(","))).unwrap();
    fs::write(at("classes.txt"), order.join("\n")).unwrap();
    fs::write(at("labels.csv"), format!("label\n{}\n", order.join("\n"))).unwrap();
    let words = |command: &'static str, probabilities: &str| {
        vec![
            command.to_owned(),
            "--pred-probs".into(),
            at(probabilities),
            "--labels".into(),
            at("labels.csv"),
        ]
    };
    for command in ["label-quality", "select"] {
        let mut refused = words(command, "p.csv");
        refused.extend(["--classes".into(), at("classes.txt")]);
        let ran = sandbox.run(refused);
        assert_eq!(ran.code, 2, "{command}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("may be a name or a place"), "{}", ran.stderr);
        sandbox.ok(words(command, "named.csv"));
    }
}

#[test]
fn formats_that_programs_read_refuse_to_guard_formulas() {
    let sandbox = Sandbox::new();
    draw(&sandbox.data().join("cat"), 2);
    draw(&sandbox.data().join("dog"), 2);
    sandbox.ok(sandbox.scan_args().into_iter().chain(["--detectors".into(), "duplicates".into()]));
    let (session, out) = (sandbox.session(), sandbox.path().join("out.csv"));
    let export = |format: &str| {
        let (session, out) = (text(&session), text(&out));
        let words = ["export", session, "--format", format, "--output", out, "--formulas", "keep", "--force"];
        sandbox.run(words)
    };
    for format in ["manifest", "jsonl", "cleaned-table", "multi-label", "label-studio"] {
        let ran = export(format);
        assert_eq!(ran.code, 2, "{format}: {}", ran.stdout);
        assert!(ran.stderr.contains(&format!("{format} has no use for --formulas")), "{}", ran.stderr);
        assert!(!out.exists(), "{format}");
    }
    let ran = export("csv");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn class_names_that_are_no_words_are_not_asked_of_a_model() {
    let sandbox = Sandbox::new();
    for class in ["0", "1", "2"] {
        draw(&sandbox.data().join(class), 6);
    }
    let words = || sandbox.scan_args().into_iter().chain(["--detectors".into(), "clip-prompt".into()]);
    let ran = sandbox.run(words());
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("3 class names are not words") && said.contains("classes.toml"), "{said}");
    assert!(!said.contains("rather than"), "{said}");
    fs::write(sandbox.data().join("classes.toml"), "0 = 'red'\n1 = 'green'\n2 = 'blue'\n").unwrap();
    let said = sandbox.ok(words());
    assert!(!said.stderr.contains("no words"), "{}", said.stderr);
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Relabels a picture, as a reviewer did elsewhere.
fn relabel(sandbox: &Sandbox, path: &str, label: &str) {
    let file = sandbox.path().join("decisions.csv");
    fs::write(&file, format!("image_path,user_action,new_label,reviewer\n{path},relabel,{label},anna\n"))
        .unwrap();
    sandbox.ok(["import", "csv", text(&file), "--session", text(&sandbox.session())]);
}

#[test]
fn new_labels_are_written_into_columns_of_0_and_1_and_read_again() {
    let sandbox = table("path,cat,dog", &[b",1,\"0\"", b",0,1", b",1,0", b",0,1"]);
    scan(&sandbox, &[]);
    relabel(&sandbox, "images/1.png", "cat");
    let before = fs::read_to_string(sandbox.data().join("labels.csv")).unwrap();
    let after = before.replace("images/1.png,0,1", "images/1.png,1,0");
    export(&sandbox, "cleaned-table", "out.csv");
    assert_eq!(fs::read_to_string(sandbox.path().join("out.csv")).unwrap(), after);
    let (plan, copy) = (sandbox.path().join("plan.json"), sandbox.path().join("copy"));
    sandbox.ok(["plan", text(&sandbox.session()), "--output", text(&plan)]);
    sandbox.ok(["apply", text(&plan), "--output", text(&copy)]);
    assert_eq!(fs::read_to_string(copy.join("labels.csv")).unwrap(), after);
}

#[test]
fn a_plan_refuses_what_would_be_refused_when_it_is_applied() {
    let sandbox = table("path,note", &[b",a", b",b", b",c"]);
    scan(&sandbox, &[]);
    relabel(&sandbox, "images/1.png", "cat");
    let plan = sandbox.path().join("plan.json");
    let ran = sandbox.run(["plan", text(&sandbox.session()), "--output", text(&plan)]);
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    let refused = "it has no column of labels, so that of images/1.png cannot be changed";
    assert!(ran.stderr.contains(refused) && !plan.exists(), "{}", ran.stderr);
}

#[test]
fn options_that_a_dataset_has_no_use_for_are_refused() {
    let sandbox = table("path,label", &[b",cat", b",dog"]);
    draw(&sandbox.path().join("folders/cat"), 2);
    draw(&sandbox.path().join("folders/dog"), 2);
    let (csv, folders) = (sandbox.data().join("labels.csv"), sandbox.path().join("folders"));
    for (dataset, option, value) in [
        (&csv, "--layout", "splits"),
        (&csv, "--label-files", "ignore"),
        (&folders, "--label-column", "nope"),
        (&folders, "--path-column", "nope"),
        (&folders, "--root", "/"),
    ] {
        let ran = sandbox.run(["scan", text(dataset), option, value, "--session", text(&sandbox.session())]);
        assert_eq!(ran.code, 2, "{option}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(&format!("has no use for {option}; leave it out")), "{}", ran.stderr);
    }
    let ran = sandbox.run(["import", "fastdup", text(&csv), "--path-column", "x", "--session", "none"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("fastdup has no use for --path-column"), "{}", ran.stderr);
}

#[test]
fn of_rows_of_one_picture_the_one_is_removed_that_was_decided_about() {
    let sandbox = Sandbox::new();
    draw(&sandbox.data().join("images"), 3);
    let file = sandbox.data().join("labels.csv");
    let rows = [
        "images/0.png,cat,train",
        "images/1.png,dog,train",
        "images/0.png,dog,train",
        "images/2.png,cat,train",
        "images/0.png,cat,test",
    ];
    let text = |rows: &[&str]| format!("path,label,split\n{}\n", rows.join("\n"));
    fs::write(&file, text(&rows)).unwrap();
    scan(&sandbox, &[]);
    // By path, the rows of the first picture come first, in their order.
    let session = sandbox.session();
    let ran = sandbox.plain([session.to_str().unwrap()], "toggle-all\nsort-path\ngo 2\nx\ngo 1\nkeep\nq\n");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let rest = text(&[rows[0], rows[1], rows[3], rows[4]]);
    let out = sandbox.path().join("out.csv");
    export(&sandbox, "cleaned-table", "out.csv");
    assert_eq!(fs::read_to_string(&out).unwrap(), rest);
    let plan = sandbox.path().join("plan.json");
    let (session, plan) = (session.to_str().unwrap(), plan.to_str().unwrap());
    let shown = sandbox.ok(["plan", session, "--output", plan]).stdout;
    assert!(shown.contains("1 removed"), "{shown}");
    sandbox.ok(["apply", plan, "--in-place", "--yes"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), rest);
    // What was decided about another row stays with it, and nothing is removed twice.
    scan(&sandbox, &[]);
    fs::remove_file(&out).unwrap();
    export(&sandbox, "cleaned-table", "out.csv");
    assert_eq!(fs::read_to_string(&out).unwrap(), rest);
    let listed = sandbox.ok(["rank", session, "--all", "--top", "0", "--format", "csv"]).stdout;
    let decided: Vec<[String; 2]> = chaffinch_tests::sandbox::table(&listed)
        .into_iter()
        .filter(|row| !row["decision"].is_empty())
        .map(|row| [row["label"].clone(), row["decision"].clone()])
        .collect();
    assert_eq!(decided, [["cat".to_owned(), "keep".to_owned()]]);
}

#[test]
fn columns_that_say_the_label_in_other_words_change_with_it() {
    let sandbox =
        table("path,label,class_name,source", &[b",0,cat,a", b",1,dog,a", b",0,cat,b", b",1,dog,b"]);
    scan(&sandbox, &[]);
    relabel(&sandbox, "images/2.png", "1");
    export(&sandbox, "cleaned-table", "cleaned.csv");
    let cleaned = fs::read_to_string(sandbox.path().join("cleaned.csv")).unwrap();
    let expected = "path,label,class_name,source\nimages/0.png,0,cat,a\nimages/1.png,1,dog,a\nimages/2.png,1,dog,b\n\
                    images/3.png,1,dog,b\n";
    assert_eq!(cleaned, expected);
    let (plan, copy) = (sandbox.path().join("plan.json"), sandbox.path().join("copy"));
    sandbox.ok(["plan", text(&sandbox.session()), "--output", text(&plan)]);
    sandbox.ok(["apply", text(&plan), "--output", text(&copy)]);
    let table =
        walkdir::WalkDir::new(&copy).into_iter().flatten().find(|entry| entry.file_name() == "labels.csv");
    assert_eq!(fs::read_to_string(table.unwrap().path()).unwrap(), expected);
}

/// Nothing shows what an abbreviation would mean: only the whole name of a class relabels without a question.
#[test]
fn part_of_a_name_is_no_class_in_line_mode() {
    let sandbox = table("path,label", &[b",polar bear", b",tabby cat", b",dog", b",10"]);
    scan(&sandbox, &[]);
    for part in ["bear", "cat", "o", "1", "0", "tabby"] {
        let lines = format!("toggle-all\nfilter 3.png\nrelabel {part}\nno\nquit\n");
        let ran = sandbox.plain([text(&sandbox.session())], &lines);
        assert!(ran.stdout.contains(&format!("'{part}' is a new class")), "{part}: {}", ran.stdout);
        assert!(ran.code == 0 && !ran.stdout.contains("relabel to"), "{part}: {}", ran.stdout);
    }
    let ran =
        sandbox.plain([text(&sandbox.session())], "toggle-all\nfilter 3.png\nrelabel POLAR bear\nquit\n");
    assert!(ran.stdout.contains("relabel to polar bear"), "{}", ran.stdout);
}

#[test]
fn columns_of_a_table_of_labels_keep_their_kind_in_exports() {
    let sandbox = Sandbox::new();
    draw(&sandbox.data(), 3);
    let labels = sandbox.path().join("labels.jsonl");
    let row = |number: usize| {
        format!(
            "{{\"file_name\": \"{number}.png\", \"label\": \"cat\", \"text\": \"7\", \"id\": {number}, \"weight\": 0.5, \
             \"seen\": true, \"box\": [1, 2]}}\n"
        )
    };
    fs::write(&labels, (0..3).map(row).collect::<String>()).unwrap();
    let lines = |session: &Path, to: &str| -> Vec<serde_json::Value> {
        let out = sandbox.path().join(to);
        let words = ["export".as_ref(), session.as_os_str(), "--output".as_ref(), out.as_os_str()];
        sandbox.ok(words.into_iter().chain(["--format", "jsonl"].map(OsStr::new)));
        fs::read_to_string(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let scan = |labels: &Path, session: &str| {
        let (data, session) = (sandbox.data(), sandbox.path().join(session));
        let words = ["scan".as_ref(), data.as_os_str(), "--labels".as_ref(), labels.as_os_str()];
        let more = ["--session".as_ref(), session.as_os_str(), "--detectors".as_ref(), "duplicates".as_ref()];
        sandbox.ok(words.into_iter().chain(more));
        session
    };
    let session = scan(&labels, "joined");
    let written = lines(&session, "one.jsonl");
    assert_eq!(written.len(), 3);
    let kinds =
        |line: &serde_json::Value| ["text", "id", "weight", "seen", "box"].map(|name| line[name].clone());
    let value = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
    let expected = ["\"7\"", "2", "0.5", "true", "[1,2]"].map(value);
    assert_eq!(kinds(&written[2]), expected);
    // The same table as Parquet.
    let table = sandbox.path().join("labels.parquet");
    let words = ["export".as_ref(), session.as_os_str(), "--output".as_ref(), table.as_os_str()];
    sandbox.ok(words.into_iter().chain(["--format", "parquet"].map(OsStr::new)));
    let again = lines(&scan(&table, "again"), "two.jsonl");
    let numbers = |line: &serde_json::Value| ["id", "weight", "seen"].map(|name| line[name].clone());
    assert_eq!(
        again.iter().map(numbers).collect::<Vec<_>>(),
        written.iter().map(numbers).collect::<Vec<_>>()
    );
}

#[test]
fn a_label_inside_an_object_changes_there() {
    let sandbox = Sandbox::new();
    draw(&sandbox.data(), 3);
    let row = |number: usize, label: &str, class: usize| {
        format!(
            "{{\"image\": {{\"path\": \"{number}.png\"}}, \"said\": {{\"label\": \"{label}\", \"class_id\":  {class}, \"w\": 1.50}}}}\n"
        )
    };
    let table = sandbox.data().join("t.jsonl");
    let [first, second, third] = [row(0, "cat", 1), row(1, "dog", 2), row(2, "cat", 1)];
    fs::write(&table, [first.as_str(), &second, &third].concat()).unwrap();
    let session = sandbox.session();
    let words = ["scan".as_ref(), table.as_os_str(), "--session".as_ref(), session.as_os_str()];
    sandbox.ok(words.into_iter().chain(["--detectors", "duplicates"].map(OsStr::new)));
    assert_eq!(classes(&sandbox), ["cat", "dog"]);
    let decisions = sandbox.path().join("decisions.csv");
    fs::write(&decisions, "image_path,user_action,new_label,reviewer\n0.png,relabel,dog,anna\n").unwrap();
    let words = ["import".as_ref(), "csv".as_ref(), decisions.as_os_str(), "--session".as_ref()];
    sandbox.ok(words.into_iter().chain([session.as_os_str()]));
    let plan = sandbox.path().join("plan.json");
    sandbox.ok(["plan".as_ref(), session.as_os_str(), "--output".as_ref(), plan.as_os_str()]);
    sandbox.ok(["apply".as_ref(), plan.as_os_str(), "--in-place".as_ref(), "--yes".as_ref()]);
    let expected = [row(0, "dog", 2), second, third].concat();
    assert_eq!(fs::read_to_string(&table).unwrap(), expected);
}
