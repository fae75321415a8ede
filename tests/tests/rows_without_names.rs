//! Rows of files that do not name them stay with the pictures that they were first given for, whatever is given or moved between.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_compute::embedding::ModelFingerprint;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::probabilities::GivenProbabilities;
use chaffinch_data::samples::load_samples;
use chaffinch_data::store::EmbeddingStore;
use chaffinch_tests::sandbox::{Ran, Sandbox, json};
use chaffinch_tests::{npy, pictures};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Pictures in each of three classes.
const EACH: usize = 5;
const STAY: &str = "stay with the pictures that they were first given for";

/// Three classes of pictures, with a vector and probabilities of its own for each.
struct Given {
    sandbox: Sandbox,
}

impl Given {
    fn new() -> Given {
        let sandbox = Sandbox::new();
        pictures::dataset(&sandbox.data(), 3, EACH, 24);
        let given = Given { sandbox };
        given.write(3 * EACH);
        given
    }

    /// Writes the files for this many samples.
    fn write(&self, count: usize) {
        let at = |row: usize| row as f32 / (2 * count) as f32;
        let vectors: Vec<[f32; 2]> = (0..count).map(|row| [1.0, at(row)]).collect();
        npy::write(Path::new(&self.at("e.npy")), &vectors);
        let row = |row: usize| [0.5 + at(row) / 2.0, 0.3 - at(row) / 4.0, 0.2 - at(row) / 4.0];
        npy::write(Path::new(&self.at("p.npy")), &(0..count).map(row).collect::<Vec<_>>());
        npy::write(Path::new(&self.at("q.npy")), &vec![[0.25_f32, 0.25, 0.5]; count]);
        fs::write(self.at("c.txt"), "airplane\nautomobile\nbird\n").unwrap();
        fs::write(self.at("turned.txt"), "bird\nautomobile\nairplane\n").unwrap();
    }

    fn at(&self, name: &str) -> String {
        self.sandbox.path().join(name).to_str().unwrap().to_owned()
    }

    /// A scan of a dataset into a session, with files by their names.
    fn scan_of(&self, dataset: &str, session: &str, options: &[&str]) -> Ran {
        let words = ["scan", &self.at(dataset), "--session", &self.at(session)];
        let file = |word: &&str| if word.contains('.') { self.at(word) } else { (*word).to_owned() };
        self.sandbox.ok(words.map(str::to_owned).into_iter().chain(options.iter().map(file)))
    }

    fn scan(&self, options: &[&str]) -> Ran {
        self.scan_of("data", "session", options)
    }

    fn samples(&self, session: &str) -> (Manifest, FileMetadata) {
        load_samples(&self.sandbox.path().join(session).join("samples.arrow")).unwrap()
    }

    /// The probabilities of each picture, by its content and, of several rows about one, its label.
    fn said(&self, session: &str) -> BTreeMap<(String, String), Vec<f32>> {
        let (manifest, file_metadata) = self.samples(session);
        let path = self.sandbox.path().join(session).join("probabilities.safetensors");
        let given = GivenProbabilities::load(&path).unwrap().unwrap();
        let bound = given.bind(&manifest, &file_metadata).unwrap();
        assert!(bound.bad.is_empty() && bound.missing.is_empty());
        let rows = bound.found.matrix.chunks(bound.found.classes).map(<[f32]>::to_vec);
        let repeated = |id| !manifest.rows_of_path(id).is_empty();
        let label = |id| if repeated(id) { manifest.label_name(id).to_owned() } else { String::new() };
        let keys = manifest.ids().map(|id| (file_metadata.hashes[id.index()].to_string(), label(id)));
        keys.zip(rows).collect()
    }

    /// The vector of each picture, by its content.
    fn vectors(&self, session: &str) -> BTreeMap<String, Vec<f32>> {
        let folder = self.sandbox.path().join(session).join("embeddings");
        let folders = folder.read_dir().unwrap().map(|entry| entry.unwrap());
        let folders: Vec<_> = folders.filter(|entry| entry.file_type().unwrap().is_dir()).collect();
        assert_eq!(folders.len(), 1);
        let name = folders[0].file_name().into_string().unwrap();
        let store = EmbeddingStore::open(&folder, &ModelFingerprint::stored(&name), 2).unwrap();
        let (_, file_metadata) = self.samples(session);
        file_metadata
            .hashes
            .iter()
            .map(|hash| (hash.to_string(), store.get(hash).unwrap().to_vec()))
            .collect()
    }

    /// Moves the first picture of the first class to the end of the last one.
    fn relabel(&self) {
        let data = self.sandbox.data();
        fs::rename(data.join("airplane/0000.png"), data.join("bird/9999.png")).unwrap();
    }

    /// What an import says, and the scores of a detector by the pictures' contents.
    fn import(&self, words: &[&str], detector: &str) -> (Value, BTreeMap<String, String>) {
        let session = self.at("session");
        let file = self.at(words[1]);
        let said = json(&self.sandbox.ok(["import", words[0], &file, "--session", &session, "--json"]));
        (said, self.scores(detector))
    }

    fn scores(&self, detector: &str) -> BTreeMap<String, String> {
        let session = self.at("session");
        let words = ["rank", &session, "--top", "0", "--all", "--format", "csv", "--by", detector];
        let rows = chaffinch_tests::sandbox::table(&self.sandbox.ok(words).stdout);
        let (manifest, file_metadata) = self.samples("session");
        let hashes: BTreeMap<String, String> = manifest
            .ids()
            .map(|id| {
                (manifest.path(id).to_str().unwrap().to_owned(), file_metadata.hashes[id.index()].to_string())
            })
            .collect();
        rows.into_iter().map(|row| (hashes[&row["path"]].clone(), row["score"].clone())).collect()
    }
}

const OWN: [&str; 2] = ["--embeddings", "e.npy"];
const FIRST: [&str; 6] = ["--embeddings", "e.npy", "--pred-probs", "p.npy", "--classes", "c.txt"];

#[test]
fn probabilities_stay_through_other_files_and_other_classes() {
    let given = Given::new();
    let first = given.scan(&FIRST);
    assert!(!first.stderr.contains(STAY), "{}", first.stderr);
    // What the rows were taken for is said once.
    let taken = "15 rows of ";
    let words = "were taken in the order of the sorted paths: the first is of airplane/0000.png, the last of bird/0004.png";
    assert_eq!(first.stderr.lines().filter(|line| line.contains(taken) && line.contains(words)).count(), 2);
    assert!(!given.scan(&FIRST).stderr.contains(words));
    let before = given.said("session");
    given.relabel();
    let others: [&[&str]; 4] = [
        &["--pred-probs", "none"],
        &["--pred-probs", "q.npy", "--classes", "c.txt"],
        &["--pred-probs", "p.npy", "--pred-probs", "q.npy", "--classes", "c.txt"],
        &["--pred-probs", "p.npy", "--classes", "turned.txt"],
    ];
    for other in others {
        given.scan(&[&OWN[..], other].concat());
        if other.last() == Some(&"turned.txt") {
            let turned = |mut row: Vec<f32>| {
                row.reverse();
                row
            };
            let said = given.said("session").into_iter().map(|(key, row)| (key, turned(row)));
            assert_eq!(said.collect::<BTreeMap<_, _>>(), before);
        }
        let again = given.scan(&FIRST);
        assert_eq!(
            again.stderr.lines().filter(|line| line.contains(STAY)).count(),
            2,
            "{other:?}: {}",
            again.stderr
        );
        assert_eq!(given.said("session"), before, "{other:?}");
    }
    // Two at once have been given before each of them alone.
    let two = ["--pred-probs", "p.npy", "--pred-probs", "q.npy", "--classes", "c.txt"];
    let ran = given.scan(&[&OWN[..], &two].concat());
    assert!(ran.stderr.contains("probabilities of"), "{}", ran.stderr);
    let mean = |(row, other): (f32, f32)| (row + other) / 2.0;
    for (key, row) in given.said("session") {
        for (mean, said) in before[&key].iter().copied().zip([0.25, 0.25, 0.5]).map(mean).zip(row) {
            assert!((mean - said).abs() < 1e-6, "{key:?}");
        }
    }
    // Back where it was, there is nothing to say.
    let data = given.sandbox.data();
    fs::rename(data.join("bird/9999.png"), data.join("airplane/0000.png")).unwrap();
    let back = given.scan(&FIRST);
    assert!(!back.stderr.contains(STAY), "{}", back.stderr);
    assert_eq!(given.said("session"), before);
}

#[test]
fn what_is_remembered_of_a_file_may_be_damaged() {
    let given = Given::new();
    given.scan(&FIRST);
    let before = given.said("session");
    let rows = given.sandbox.session().join("rows");
    let files: Vec<_> = rows.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 2);
    let bytes: Vec<Vec<u8>> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    files.iter().for_each(|path| fs::write(path, "half").unwrap());
    let ran = given.scan(&FIRST);
    assert_eq!(ran.stderr.lines().filter(|line| line.contains(" is damaged, so the rows of ")).count(), 2);
    assert_eq!(given.said("session"), before);
    for (path, bytes) in files.iter().zip(bytes) {
        assert_eq!(fs::read(path).unwrap(), bytes, "written again");
    }
    // Without it, as in a session of an earlier version, the rows are those of the samples as they are now.
    fs::remove_dir_all(&rows).unwrap();
    given.scan(&FIRST);
    assert_eq!(given.said("session"), before);
    assert_eq!(rows.read_dir().unwrap().count(), 2);
}

#[test]
fn rows_about_one_path_keep_their_own() {
    let given = Given::new();
    let table = |lines: &[&str]| {
        let text = lines.iter().map(|line| format!("data/{line}\n")).collect::<String>();
        fs::write(given.at("t.csv"), format!("path,label\n{text}")).unwrap();
    };
    let lines = [
        "airplane/0000.png,airplane",
        "airplane/0000.png,bird",
        "automobile/0000.png,automobile",
        "bird/0000.png,bird",
    ];
    table(&lines);
    given.write(4);
    given.scan_of("t.csv", "session", &FIRST);
    let before = given.said("session");
    assert_eq!(before.len(), 4);
    table(&[lines[3], lines[1], lines[2], lines[0]]);
    for options in [&FIRST[..], &[]] {
        given.scan_of("t.csv", "session", options);
        assert_eq!(given.said("session"), before, "{options:?}");
    }
    // Also where only the session has them.
    table(&[lines[2], lines[0], lines[3], lines[1]]);
    given.scan_of("t.csv", "session", &[]);
    assert_eq!(given.said("session"), before);
}

#[test]
fn a_cleaned_copy_has_the_rows_of_its_pictures() {
    let given = Given::new();
    given.scan(&FIRST);
    let (before, vectors) = (given.said("session"), given.vectors("session"));
    let decisions = "image_path,user_action,new_label\nairplane/0000.png,relabel,bird\n";
    fs::write(given.at("d.csv"), decisions).unwrap();
    let (session, file, copy) = (given.at("session"), given.at("d.csv"), given.at("copy"));
    given.sandbox.ok(["import", "csv", &file, "--session", &session]);
    given.sandbox.ok(["export", &session, "--format", "cleaned", "--output", &copy]);
    // A session beside the first one.
    let ran = given.scan_of("copy", "other", &FIRST);
    let words = format!("{STAY} in the session of ");
    assert_eq!(ran.stderr.lines().filter(|line| line.contains(&words)).count(), 2, "{}", ran.stderr);
    assert_eq!((given.said("other"), given.vectors("other")), (before.clone(), vectors.clone()));
    // Which remembers it, too.
    fs::remove_dir_all(given.sandbox.session().join("rows")).unwrap();
    given.scan_of("copy", "other", &FIRST);
    assert_eq!((given.said("other"), given.vectors("other")), (before.clone(), vectors));
    // Somewhere else nothing is known of the file, and the order that was taken is said.
    fs::create_dir(given.sandbox.path().join("far")).unwrap();
    let ran = given.scan_of("copy", "far/session", &FIRST);
    let (manifest, _) = given.samples("far/session");
    let [first, last] = [manifest.ids().next(), manifest.ids().last()]
        .map(|id| manifest.path(id.unwrap()).display().to_string());
    let words =
        format!("were taken in the order of the sorted paths: the first is of {first}, the last of {last}");
    assert_eq!(ran.stderr.lines().filter(|line| line.contains(&words)).count(), 2, "{}", ran.stderr);
    assert_ne!(given.said("far/session"), before);
}

#[test]
fn imports_by_number_stay_with_their_pictures() {
    let given = Given::new();
    given.scan(&OWN);
    let score = |row: usize| format!("{:.2}", 0.95 - row as f32 / 20.0);
    let table = |index: bool| {
        let heading = if index { ",is_outlier_issue,outlier_score" } else { "is_outlier,outlier_score" };
        let row = |row: usize| {
            let number = if index { format!("{row},") } else { String::new() };
            format!("{number}{},{}\n", if row == 2 { "True" } else { "False" }, score(row))
        };
        format!("{heading}\n{}", (0..3 * EACH).map(row).collect::<String>())
    };
    fs::write(given.at("i.csv"), table(true)).unwrap();
    fs::write(given.at("j.csv"), table(false)).unwrap();
    let all: [(&[&str], &str); 2] =
        [(&["cleanlab", "i.csv"], "cleanlab_outlier"), (&["csv", "j.csv"], "csv_outlier")];
    let stays = |said: &Value| said["warnings"].to_string().contains(STAY);
    let mut before = Vec::new();
    for (words, detector) in all {
        let (said, scores) = given.import(words, detector);
        assert!(!stays(&said) && scores.len() == 3 * EACH, "{said}");
        let (again, same) = given.import(words, detector);
        assert_eq!((&again, &same), (&said, &scores), "the same file changes nothing");
        before.push(scores);
    }
    given.relabel();
    given.scan(&OWN);
    for ((words, detector), before) in all.into_iter().zip(&before) {
        assert_eq!(&given.scores(detector), before);
        let (said, scores) = given.import(words, detector);
        assert!(stays(&said) && said["warnings"].to_string().contains("add a column path"), "{said}");
        assert_eq!(&scores, before, "{words:?}");
    }
    // One is gone, which leaves fewer samples than rows.
    fs::remove_file(given.sandbox.data().join("automobile/0000.png")).unwrap();
    given.scan(&OWN);
    for ((words, detector), before) in all.into_iter().zip(&before) {
        let (said, scores) = given.import(words, detector);
        assert!(said["warnings"].to_string().contains("is about no sample of this dataset"), "{said}");
        assert_eq!(scores.len(), 3 * EACH - 1);
        assert!(scores.iter().all(|(hash, score)| before[hash] == *score), "{words:?}");
    }
}
