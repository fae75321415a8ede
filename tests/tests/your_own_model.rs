//! Embeddings and class probabilities from elsewhere, through the program.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::artefacts::{shared_data, shared_reference};
use chaffinch_tests::sandbox::{Ran, Sandbox, json, number, report, table};
use chaffinch_tests::{npy, pictures};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Pictures in each of two classes.
const EACH: usize = 20;
/// A sample with the label of one class and everything else of the other.
const WRONG: &str = "airplane/0003.jpg";

/// Twenty airplanes and twenty automobiles, and their paths in the order of the dataset.
fn dataset(sandbox: &Sandbox) -> Vec<String> {
    let mut paths: Vec<String> = pictures::dataset(&sandbox.data(), 2, EACH, 24)
        .into_iter()
        .map(|path| path.into_os_string().into_string().unwrap())
        .collect();
    paths.sort_unstable();
    paths
}

/// Whether a sample looks like an automobile to the model that is not there.
fn other(path: &str) -> bool {
    path.starts_with("automobile") != (path == WRONG)
}

/// One vector for each path, near one of two directions; any length but one.
fn vectors(paths: &[String]) -> Vec<[f32; 4]> {
    let vector = |(index, path): (usize, &String)| {
        let turn = (index as f32 * 0.7).sin() * 0.1;
        if other(path) { [turn, 3.0, 0.1, turn] } else { [3.0, turn, turn, 0.1] }
    };
    paths.iter().enumerate().map(vector).collect()
}

fn at(sandbox: &Sandbox, name: &str) -> String {
    sandbox.path().join(name).to_str().unwrap().to_owned()
}

/// A scan of the sandbox's dataset with more options.
fn scan(sandbox: &Sandbox, more: &[&str]) -> Ran {
    let mut args = sandbox.scan_args();
    args.extend(more.iter().map(|option| (*option).to_owned()));
    sandbox.run(args)
}

fn scanned(sandbox: &Sandbox, more: &[&str]) -> Value {
    let ran = scan(sandbox, more);
    assert_eq!(ran.code, 0, "{more:?}\n{}{}", ran.stdout, ran.stderr);
    report(&ran)
}

/// The reason for which a detector failed; empty if it did not.
fn failure(report: &Value, detector: &str) -> String {
    let failed = report["failed"].as_array().unwrap();
    let found = failed.iter().find(|one| one[0] == detector);
    found.map_or(String::new(), |one| one[1].as_str().unwrap().to_owned())
}

fn remarks(report: &Value) -> String {
    let remarks = report["reading"]["remarks"].as_array().unwrap();
    remarks.iter().map(|remark| format!("{}\n", remark["text"].as_str().unwrap())).collect()
}

/// The paths that a detector flags.
fn flagged(sandbox: &Sandbox, detector: &str) -> Vec<String> {
    let session = at(sandbox, "session");
    let ran = sandbox.ok(["rank", &session, "--by", detector, "--format", "json", "--top", "0"]);
    let rows = json(&ran);
    let by = |row: &&Value| row["detectors"].as_array().unwrap().iter().any(|name| name == detector);
    rows.as_array().unwrap().iter().filter(by).map(|row| row["path"].as_str().unwrap().to_owned()).collect()
}

/// The folders of vectors in a session.
fn fingerprints(sandbox: &Sandbox) -> BTreeSet<String> {
    let entries = sandbox.session().join("embeddings").read_dir().unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn vectors_from_a_file_are_a_model_of_the_session() {
    let sandbox = Sandbox::new();
    let paths = dataset(&sandbox);
    let file = at(&sandbox, "own.npy");
    npy::write(Path::new(&file), &vectors(&paths));
    let first = scanned(&sandbox, &["--embeddings", &file]);
    assert_eq!(first["model"], "embeddings of own.npy");
    assert_eq!((number(&first, "embedded"), number(&first, "reused")), (0, 40));
    assert!(flagged(&sandbox, "neighbor-labels").contains(&WRONG.to_owned()));
    assert_eq!(flagged(&sandbox, "label-quality"), [WRONG]);
    // Nothing reads texts, and whoever needs them says so.
    let reason = failure(&first, "clip-prompt");
    assert!(reason.contains("--text-embeddings"), "{reason}");
    let before = fingerprints(&sandbox);
    assert_eq!(before.len(), 1);
    assert!(fs::read_to_string(sandbox.session().join("session.toml")).unwrap().contains(&file));

    // The session has what it needs: the file may go.
    fs::remove_file(&file).unwrap();
    let again = scan(&sandbox, &[]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stderr.contains("model embeddings of own.npy"), "{}", again.stderr);
    let found = report(&again);
    assert_eq!((&found["model"], number(&found, "embedded")), (&first["model"], 0));
    assert_eq!(fingerprints(&sandbox), before);
    assert_eq!(flagged(&sandbox, "label-quality"), [WRONG]);
    let session = at(&sandbox, "session");
    let shown = sandbox.plain([session.as_str()], "quit\n");
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    sandbox.ok(["export", &session, "--format", "manifest", "--output", &at(&sandbox, "out.csv")]);

    // A new picture without a vector is said, and judged by nobody who compares pictures.
    pictures::picture(1, 99, 24).save(sandbox.data().join("airplane/new.png")).unwrap();
    let more = scanned(&sandbox, &[]);
    assert_eq!(number(&more, "embedded"), 0);
    assert!(remarks(&more).contains("1 picture has no embedding"), "{}", remarks(&more));
    let all = ["rank", &session, "--by", "label-quality", "--all", "--format", "csv"];
    let row = table(&sandbox.ok(all).stdout).into_iter().find(|row| row["path"] == "airplane/new.png");
    let row = row.unwrap();
    assert_eq!(row["score"], "", "{row:?}");
}

#[test]
fn rows_are_named_and_a_wrong_number_of_them_is_an_error() {
    let sandbox = Sandbox::new();
    let paths = dataset(&sandbox);
    let file = at(&sandbox, "own.npy");
    npy::write(Path::new(&file), &vectors(&paths)[..39]);
    let ran = scan(&sandbox, &["--embeddings", &file]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("it has 39 rows, but the dataset has 40 samples"), "{}", ran.stderr);
    // One is left out; the others are named in another order.
    let names: String = paths[..39].iter().rev().map(|path| format!("/elsewhere/{path}\n")).collect();
    fs::write(at(&sandbox, "ids.txt"), names).unwrap();
    let mut turned = vectors(&paths)[..39].to_vec();
    turned.reverse();
    npy::write(Path::new(&file), &turned);
    let ids = at(&sandbox, "ids.txt");
    let found = scanned(&sandbox, &["--embeddings", &file, "--embedding-ids", &ids]);
    assert_eq!(number(&found, "reused"), 39);
    assert!(remarks(&found).contains("1 picture has no embedding"), "{}", remarks(&found));
    assert_eq!(flagged(&sandbox, "label-quality"), [WRONG]);
    for (options, words) in [
        (vec!["--embedding-ids", &ids], "--embeddings"),
        (vec!["--embeddings", &file, "--model", "bundled"], "--model"),
        (vec!["--embeddings", "nowhere.npy"], "nowhere.npy"),
        (vec!["--embeddings", &ids], "unsupported file type"),
    ] {
        let ran = scan(&sandbox, &options);
        assert!(ran.code == 2 && ran.stderr.contains(words), "{options:?}: {}", ran.stderr);
    }
}

#[test]
fn rows_without_a_direction_are_findings_of_their_samples() {
    let sandbox = Sandbox::new();
    let paths = dataset(&sandbox);
    let mut rows = vectors(&paths);
    (rows[5], rows[30]) = ([f32::NAN, 0.0, 1.0, 0.0], [0.0; 4]);
    npy::write(&sandbox.path().join("own.npy"), &rows);
    let found = scanned(&sandbox, &["--embeddings", &at(&sandbox, "own.npy")]);
    assert!(remarks(&found).contains("2 pictures have unusable embeddings"), "{}", remarks(&found));
    let mut bad = flagged(&sandbox, "embeddings");
    bad.sort_unstable();
    assert_eq!(bad, [paths[5].clone(), paths[30].clone()]);
    // They are outliers to nobody.
    assert!(!flagged(&sandbox, "neighbor-outliers").contains(&paths[30]));
    // With vectors for all of them, nothing is left to say.
    npy::write(&sandbox.path().join("own.npy"), &vectors(&paths));
    let whole = scanned(&sandbox, &["--embeddings", &at(&sandbox, "own.npy")]);
    let said = remarks(&whole);
    assert!(!said.contains("unusable") && !said.contains("no embedding"), "{said}");
}

#[test]
fn prompts_are_read_where_their_vectors_are_given() {
    let sandbox = Sandbox::new();
    let paths = dataset(&sandbox);
    npy::write(&sandbox.path().join("own.npy"), &vectors(&paths));
    npy::write(&sandbox.path().join("texts.npy"), &[[5.0_f32, 0.0, 0.0, 0.0], [0.0, 7.0, 0.0, 0.0]]);
    let own = at(&sandbox, "own.npy");
    let texts = at(&sandbox, "texts.npy");
    for names in [
        "airplane\nautomobile\n",
        "a photo of an airplane\na photo of an automobile\n",
        "a photo of a airplane\nautomobile\n",
    ] {
        fs::write(at(&sandbox, "texts.txt"), names).unwrap();
        let ran = scan(&sandbox, &["--embeddings", &own, "--text-embeddings", &texts]);
        let found = report(&ran);
        let reason = failure(&found, "clip-prompt");
        if names.contains("an airplane") {
            // Only prompts that are asked count, and the error says which that are.
            assert!(reason.contains("'a photo of a airplane'"), "{reason}");
        } else {
            assert_eq!(reason, "", "{names}");
            assert_eq!(flagged(&sandbox, "clip-prompt"), [WRONG], "{names}");
        }
    }
    // The session keeps them, too.
    fs::remove_file(&texts).unwrap();
    fs::remove_file(&own).unwrap();
    assert_eq!(failure(&scanned(&sandbox, &[]), "clip-prompt"), "");
}

#[test]
fn results_of_a_model_and_of_given_vectors_come_back_in_turn() {
    let sandbox = Sandbox::new();
    let paths = dataset(&sandbox);
    let file = at(&sandbox, "own.npy");
    npy::write(Path::new(&file), &vectors(&paths));
    scanned(&sandbox, &["--embeddings", &file]);
    let ran = scan(&sandbox, &["--model", "bundled-small"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("scan with --embeddings {file} to return")), "{}", ran.stderr);
    let model = report(&ran);
    assert!(model["model"].as_str().unwrap().contains("bundled"));
    assert!(number(&model, "embedded") > 0);
    // Without an option, it is the last one.
    assert_eq!(number(&scanned(&sandbox, &[]), "embedded"), 0);
    let back = scanned(&sandbox, &["--embeddings", &file]);
    assert_eq!(back["model"], "embeddings of own.npy");
    assert_eq!(flagged(&sandbox, "label-quality"), [WRONG]);
    let session = at(&sandbox, "session");
    let models = sandbox.ok(["session", "models", &session, "--json"]);
    assert!(models.stdout.contains("embeddings of own.npy") && models.stdout.contains("bundled-small"));
}

/// The same command after a picture has moved, which puts the rows of the files into another order than the samples.
#[test]
fn rows_without_names_stay_with_their_pictures_when_the_order_changes() {
    let sandbox = Sandbox::new();
    let paths = dataset(&sandbox);
    let [own, given, classes] = ["own.npy", "p.npy", "classes.txt"].map(|name| at(&sandbox, name));
    npy::write(Path::new(&own), &vectors(&paths));
    let row = |path: &String| if other(path) { [0.05_f32, 0.95] } else { [0.95, 0.05] };
    npy::write(Path::new(&given), &paths.iter().map(row).collect::<Vec<_>>());
    fs::write(&classes, "airplane\nautomobile\n").unwrap();
    let options = ["--embeddings", &own, "--pred-probs", &given, "--classes", &classes];
    let first = scan(&sandbox, &options);
    assert!(first.code == 0 && !first.stderr.contains("stay with"), "{}", first.stderr);
    assert_eq!(flagged(&sandbox, "label-quality"), [WRONG]);
    let before = fingerprints(&sandbox);

    let data = sandbox.data();
    fs::rename(data.join("airplane/0001.jpg"), data.join("automobile/9001.jpg")).unwrap();
    for gone in [None, Some("automobile/0002.png")] {
        if let Some(gone) = gone {
            fs::remove_file(data.join(gone)).unwrap();
        }
        let ran = scan(&sandbox, &options);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let words = ran.stderr.lines().filter(|line| line.contains("stay with the pictures")).count();
        assert_eq!(words, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("--embedding-ids") && ran.stderr.contains("--pred-probs-ids"));
        let found: BTreeSet<String> = flagged(&sandbox, "label-quality").into_iter().collect();
        assert_eq!(found, BTreeSet::from([WRONG.to_owned(), "automobile/9001.jpg".to_owned()]), "{gone:?}");
        let found = flagged(&sandbox, "neighbor-labels");
        // Twenty neighbors are more than are alike, so that the other one is at the threshold.
        assert!(found.contains(&WRONG.to_owned()) && found.len() < 5, "{gone:?}: {found:?}");
        assert_eq!(fingerprints(&sandbox), before);
    }

    // Named, they are what their names say.
    let lines = at(&sandbox, "ids.txt");
    fs::write(&lines, paths.join("\n")).unwrap();
    let named =
        scan(&sandbox, &[&options[..], &["--embedding-ids", &lines, "--pred-probs-ids", &lines]].concat());
    assert!(named.code == 0 && !named.stderr.contains("stay with"), "{}", named.stderr);
}

/// Probabilities of both classes as a table: sure of most samples, and that one label is wrong.
fn probabilities(paths: &[String]) -> String {
    let mut text = String::from("automobile,path,airplane\n");
    for (index, path) in paths.iter().enumerate() {
        let sure = 0.7 + 0.25 * ((index * 7 % 10) as f32 / 10.0);
        let p = if other(path) { sure } else { 1.0 - sure };
        text += &format!("{p},{path},{}\n", 1.0 - p);
    }
    text
}

#[test]
fn given_probabilities_judge_labels_in_place_of_computed_ones() {
    let sandbox = Sandbox::new();
    let paths = dataset(&sandbox);
    // By these vectors, a class is like the other one.
    let vector =
        |sample: usize| -> [f32; 4] { std::array::from_fn(|at| f32::from(u8::from(sample % 4 == at))) };
    let vectors: Vec<[f32; 4]> = (0..40).map(vector).collect();
    npy::write(&sandbox.path().join("own.npy"), &vectors);
    let own = at(&sandbox, "own.npy");
    let file = at(&sandbox, "p.csv");
    fs::write(&file, probabilities(&paths)).unwrap();
    let before = scanned(&sandbox, &["--embeddings", &own]);
    assert!(!flagged(&sandbox, "label-quality").contains(&WRONG.to_owned()), "{before}");
    let found = scanned(&sandbox, &["--pred-probs", &file]);
    assert_eq!(flagged(&sandbox, "label-quality"), [WRONG]);
    assert!(!remarks(&found).contains("probabilities"), "{}", remarks(&found));
    fs::remove_file(&file).unwrap();
    let again = scan(&sandbox, &[]);
    assert!(again.stderr.contains("probabilities of p.csv"), "{}", again.stderr);
    assert_eq!(flagged(&sandbox, "label-quality"), [WRONG]);
    // Arrays need names of their columns.
    let p = |path: &String| if other(path) { 0.8_f32 } else { 0.2 };
    let rows: Vec<[f32; 2]> = paths.iter().map(|path| [p(path), 1.0 - p(path)]).collect();
    npy::write(&sandbox.path().join("p.npy"), &rows);
    let array = at(&sandbox, "p.npy");
    let ran = scan(&sandbox, &["--pred-probs", &array]);
    assert!(ran.code == 2 && ran.stderr.contains("--classes FILE"), "{}", ran.stderr);
    fs::write(at(&sandbox, "classes.txt"), "automobile\nairplane\n").unwrap();
    let classes = at(&sandbox, "classes.txt");
    scanned(&sandbox, &["--pred-probs", &array, "--classes", &classes]);
    assert_eq!(flagged(&sandbox, "label-quality"), [WRONG]);
    npy::write(&sandbox.path().join("p.npy"), &rows[..38]);
    let ran = scan(&sandbox, &["--pred-probs", &array, "--classes", &classes]);
    assert!(ran.code == 2 && ran.stderr.contains("38 rows, but the dataset has 40"), "{}", ran.stderr);
    // What failed has changed nothing.
    assert_eq!(flagged(&sandbox, "label-quality"), [WRONG]);
    scanned(&sandbox, &["--pred-probs", "none"]);
    assert!(!flagged(&sandbox, "label-quality").contains(&WRONG.to_owned()));
    assert!(!sandbox.session().join("probabilities.safetensors").exists());
}

#[test]
fn samples_without_probabilities_are_not_judged_and_say_so() {
    let sandbox = Sandbox::new();
    let paths = dataset(&sandbox);
    npy::write(&sandbox.path().join("own.npy"), &vectors(&paths));
    let text =
        probabilities(&paths).lines().filter(|line| !line.contains("/0007.")).collect::<Vec<_>>().join("\n");
    let bad = format!("{text}\nnan,airplane/0007.jpg,nan\n.5,unknown.png,.5\n");
    fs::write(at(&sandbox, "p.csv"), bad).unwrap();
    let (own, file) = (at(&sandbox, "own.npy"), at(&sandbox, "p.csv"));
    let found = scanned(&sandbox, &["--embeddings", &own, "--pred-probs", &file]);
    for words in [
        "1 picture has no distribution in the probabilities of p.csv",
        "1 picture has no row in the probabilities of p.csv",
        "1 of 40 rows of",
        "is about no sample: 'unknown.png'",
    ] {
        assert!(remarks(&found).contains(words), "{words}: {}", remarks(&found));
    }
    assert_eq!(flagged(&sandbox, "probabilities"), ["airplane/0007.jpg"]);
    let session = at(&sandbox, "session");
    let all =
        table(&sandbox.ok(["rank", &session, "--by", "label-quality", "--all", "--format", "csv"]).stdout);
    let scored: BTreeMap<&str, bool> =
        all.iter().map(|row| (row["path"].as_str(), !row["score"].is_empty())).collect();
    assert!(!scored["airplane/0007.jpg"] && !scored["automobile/0007.jpg"] && scored[WRONG]);
}

#[test]
fn probabilities_of_a_model_that_saw_the_labels_are_doubted() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 2, 30, 24);
    let own = |path: &Path| u8::from(path.starts_with("airplane"));
    let mut paths: Vec<PathBuf> = walkdir::WalkDir::new(sandbox.data())
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(sandbox.data()).unwrap().to_path_buf())
        .collect();
    paths.sort();
    let mut text = String::from("path,airplane,automobile\n");
    paths.iter().for_each(|path| text += &format!("{},{},{}\n", path.display(), own(path), 1 - own(path)));
    fs::write(at(&sandbox, "p.csv"), text).unwrap();
    npy::write(&sandbox.path().join("own.npy"), &[[1.0_f32, 0.5]; 60]);
    let (vectors, file) = (at(&sandbox, "own.npy"), at(&sandbox, "p.csv"));
    let found = scanned(&sandbox, &["--embeddings", &vectors, "--pred-probs", &file]);
    let words = "60 of 60 labels agree with the given probabilities";
    assert!(remarks(&found).contains(words), "{}", remarks(&found));
    // The session remembers that, too.
    assert!(remarks(&scanned(&sandbox, &[])).contains(words));
}

/// A folder's text file by lines.
fn lines(path: PathBuf) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// The integers of a NumPy file.
fn integers(path: PathBuf) -> Vec<usize> {
    let bytes = fs::read(path).unwrap();
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    bytes[start..].as_chunks().0.iter().map(|&number| i64::from_le_bytes(number) as usize).collect()
}

#[test]
#[ignore = "needs probabilities beside the repository, and in $CHAFFINCH_CIFAR10 the unpacked pictures: cargo test --release -p chaffinch-tests --test your_own_model -- --ignored"]
fn given_probabilities_rank_pictures_as_the_reference_does() {
    let pictures = PathBuf::from(std::env::var_os("CHAFFINCH_CIFAR10").expect("the folder of the pictures"));
    let wanted: Vec<String> = match std::env::var("CHAFFINCH_ROWS") {
        Ok(rows) => rows.split(' ').map(str::to_owned).collect(),
        Err(_) => vec!["worst".into(), "aggregate".into(), "synthetic".into()],
    };
    let reference = |file: &str| -> Vec<BTreeMap<String, String>> {
        let mut table = csv::Reader::from_path(shared_reference(file)).unwrap();
        table.deserialize().map(|row| row.unwrap()).collect()
    };
    let (metrics, filters) = (reference("label-quality-metrics.csv"), reference("label-issue-filters.csv"));
    let mut compared = 0;
    for name in wanted {
        let folder = shared_data(&format!("label-quality/{name}-resnet18"));
        let classes = lines(folder.join("classes.txt"));
        let (labels, truth) = (integers(folder.join("labels.npy")), integers(folder.join("true_labels.npy")));
        let ids = lines(folder.join("ids.txt"));
        let sandbox = Sandbox::new();
        // The picture of an id: the place of the image within its class; one of the two numbers them from 1.
        let order = lines(shared_data("cifar10-train-labels.csv"));
        let path = |id: &String| match id.split_once('/') {
            Some((class, file)) => {
                let number: usize = file.strip_suffix(".png").unwrap().parse().unwrap();
                format!("train/{class}/{:04}.jpg", number - 1)
            }
            None => order[id.parse::<usize>().unwrap() + 1].split(',').nth(1).unwrap().to_owned(),
        };
        let (mut data, mut wrong) = (String::from("path,label\n"), String::from("path,is_error\n"));
        for ((id, &label), &right) in ids.iter().zip(&labels).zip(&truth) {
            let path = path(id);
            data += &format!("{path},{}\n", classes[label]);
            wrong += &format!("{path},{}\n", u8::from(label != right));
        }
        fs::write(at(&sandbox, "data.csv"), data).unwrap();
        fs::write(at(&sandbox, "truth.csv"), wrong).unwrap();
        let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let (data, session, root) =
            (at(&sandbox, "data.csv"), at(&sandbox, "session"), pictures.to_str().unwrap());
        // No model is needed here.
        npy::write(&sandbox.path().join("own.npy"), &vec![[1.0_f32, 0.0]; ids.len()]);
        let own = at(&sandbox, "own.npy");
        let judge = |settings: &str| {
            fs::write(at(&sandbox, "config.toml"), format!("[detectors.label-quality]\n{settings}\n"))
                .unwrap();
            let config = at(&sandbox, "config.toml");
            let args = ["scan", &data, "--root", root, "--session", &session, "--config", &config, "--json"];
            let given = ["--pred-probs", &file("pred_probs.npy"), "--classes", &file("classes.txt")];
            let more = ["--detectors", "label-quality", "--embeddings", &own];
            sandbox.ok([&args[..], &given, &more].concat());
            let truth = at(&sandbox, "truth.csv");
            let evaluate = ["evaluate", &session, "--truth", &truth, "--format", "json", "--bootstrap", "0"];
            json(&sandbox.ok(evaluate))
        };
        let same = |what: &str, ours: &Value, theirs: &str| {
            let (ours, theirs) = (ours.as_f64().unwrap(), theirs.parse::<f64>().unwrap());
            eprintln!("{name} {what}: {ours:.9} {theirs:.9}");
            assert!((ours - theirs).abs() < 1e-6, "{name} {what}: {ours} {theirs}");
        };
        let own_row = |row: &&BTreeMap<String, String>| row["dataset"] == name && row["model"] == "resnet18";
        for row in filters.iter().filter(own_row) {
            let filter = &row["filter_by"];
            let found = judge(&format!("method = \"self_confidence\"\nfilter = \"{filter}\""));
            let found = &found["detectors"]["label-quality"];
            same(&format!("{filter} flagged"), &found["flagged"], &row["n_flagged"]);
            same(&format!("{filter} precision"), &found["precision"], &row["precision"]);
            same(&format!("{filter} recall"), &found["recall"], &row["recall"]);
            compared += 1;
        }
        for row in metrics.iter().filter(own_row) {
            let (method, adjusted) = (&row["method"], row["adjusted"] == "True");
            let found = judge(&format!("method = \"{method}\"\nadjusted = {adjusted}"));
            // The detector alone makes the ranking of the session.
            for ours in [&found["detectors"]["label-quality"], &found["ensemble"]] {
                for (figure, column) in [
                    ("auroc", "auroc"),
                    ("auprc", "auprc"),
                    ("lift_at_errors", "lift_at_n_errors"),
                    ("lift_at_100", "lift_at_100"),
                ] {
                    same(&format!("{method} {adjusted} {figure}"), &ours[figure], &row[column]);
                }
            }
            compared += 1;
        }
    }
    assert!(compared >= 12, "{compared}");
}
