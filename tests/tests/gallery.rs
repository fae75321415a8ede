//! Every detector of the gallery finds the faults that are planted for it, from its folder to the ranking.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::artefacts::root;
use chaffinch_tests::python::{has, numpy, run};
use chaffinch_tests::random::Random;
use chaffinch_tests::sandbox::{Sandbox, report, table};
use chaffinch_tests::{npy, pictures, tools};
use image::imageops::FilterType;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Numbers in a planted vector.
const WIDTH: usize = 8;

/// A detector of the gallery, copied as the gallery's page says, and a dataset.
struct Tried {
    sandbox: Sandbox,
    folder: PathBuf,
    name: &'static str,
}

impl Tried {
    fn new(name: &'static str) -> Tried {
        let sandbox = Sandbox::new();
        let folder = sandbox.path().join(name);
        copy(&root().join("sdk/gallery").join(name), &folder);
        Tried { sandbox, folder, name }
    }

    /// Pictures in class folders, and their paths in the order of the dataset.
    fn pictures(&self, classes: usize, each: usize) -> Vec<String> {
        sorted(pictures::dataset(&self.sandbox.data(), classes, each, 32))
    }

    /// The paths that it flags in a scan with more options, and the reasons that it gives.
    fn flagged(&self, more: &[&str]) -> (BTreeSet<String>, Vec<String>) {
        let mut args = self.sandbox.scan_args();
        args.extend(
            ["--plugins", self.folder.to_str().unwrap(), "--detectors", self.name].map(str::to_owned),
        );
        args.extend(more.iter().map(|&option| option.to_owned()));
        let scan = report(&self.sandbox.ok(args));
        assert_eq!(scan["failed"], serde_json::json!([]), "{scan}");
        let session = self.sandbox.session();
        let filter = format!("detector:{}", self.name);
        let list =
            ["rank", session.to_str().unwrap(), "--by", self.name, "--filter", &filter, "--format", "csv"];
        let rows = table(&self.sandbox.ok(list).stdout);
        let column = |name: &'static str| rows.iter().map(move |row| row[name].clone());
        (column("path").collect(), column("reason").collect())
    }

    /// Passes the conformance kit.
    fn conforms(&self) {
        let ran = self.sandbox.run(["plugins", "check", self.folder.to_str().unwrap()]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert!(!ran.stdout.contains("missing in its documentation"), "{}", ran.stdout);
    }

    /// Builds it as its description says, with the contract and the header of this checkout.
    fn build(&self) {
        let text = fs::read_to_string(self.folder.join("detector.toml")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("build = \"")?.strip_suffix('"')).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(&self.folder);
        command.env("CPATH", root().join("sdk/c")).env_remove("CARGO_TARGET_DIR");
        let built = command.output().unwrap();
        assert!(built.status.success(), "{line}: {}", String::from_utf8_lossy(&built.stderr));
    }

    /// Writes vectors for the samples in order, and returns the option that names them.
    fn vectors(&self, rows: &[[f32; WIDTH]]) -> String {
        let path = self.sandbox.path().join("vectors.npy");
        npy::write(&path, rows);
        path.to_str().unwrap().to_owned()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let target = to.join(entry.file_name().unwrap());
        match entry.is_dir() {
            true if entry.ends_with("target") => {}
            true => copy(&entry, &target),
            // Follows links, as `cp -rL` does.
            false => drop(fs::copy(&entry, &target).unwrap()),
        }
    }
}

fn sorted(paths: Vec<PathBuf>) -> Vec<String> {
    let mut paths: Vec<String> = paths.iter().map(|path| path.to_str().unwrap().to_owned()).collect();
    paths.sort_unstable();
    paths
}

fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|&path| path.to_owned()).collect()
}

/// A vector near one direction.
fn usual(random: &mut Random) -> [f32; WIDTH] {
    std::array::from_fn(|column| if column == 0 { 3.0 } else { random.between(-0.2, 0.2) })
}

/// Planted among sixty vectors near one direction: two that point elsewhere.
fn finds_what_points_elsewhere(name: &'static str) {
    let tried = Tried::new(name);
    tried.conforms();
    let paths = tried.pictures(3, 20);
    let mut random = Random::new(7);
    let mut rows: Vec<[f32; WIDTH]> = paths.iter().map(|_| usual(&mut random)).collect();
    rows[11] = [-1.0, 2.0, -2.0, 2.0, -2.0, 2.0, -2.0, 2.0];
    rows[42] = [-1.0, -2.0, 2.0, -2.0, 2.0, -2.0, 2.0, -2.0];
    let vectors = tried.vectors(&rows);
    let (flagged, _) = tried.flagged(&["--embeddings", &vectors]);
    assert!(flagged.contains(&paths[11]) || flagged.contains(&paths[42]), "{flagged:?}");
    assert!(flagged.len() <= 3, "{flagged:?}");
    let session = tried.sandbox.session();
    let worst = ["rank", session.to_str().unwrap(), "--by", name, "--all", "--top", "2", "--format", "csv"];
    let worst: BTreeSet<String> =
        table(&tried.sandbox.ok(worst).stdout).iter().map(|row| row["path"].clone()).collect();
    assert_eq!(worst, set(&[&paths[11], &paths[42]]));
}

#[test]
fn isolation_forest_finds_what_is_alone() {
    if numpy() {
        finds_what_points_elsewhere("isolation-forest");
    }
}

#[test]
fn ecod_finds_what_is_in_the_tails() {
    if numpy() {
        finds_what_points_elsewhere("ecod");
    }
}

#[test]
fn people_are_found_by_prompts() {
    let tried = Tried::new("people");
    tried.conforms();
    let paths = tried.pictures(2, 10);
    let one = |place: usize| -> [f32; WIDTH] {
        std::array::from_fn(|column| if column == place { 1.0 } else { 0.05 })
    };
    let mut rows = vec![one(0); paths.len()];
    rows[4] = one(1);
    rows[15] = one(2);
    let vectors = tried.vectors(&rows);
    // What a model would say of the prompts: a direction for faces, one for groups, and one for everything else.
    let description = fs::read_to_string(tried.folder.join("detector.toml")).unwrap();
    let texts = |key: &str| -> Vec<String> {
        let list = description.split(&format!("{key} = [")).nth(1).unwrap().split(']').next().unwrap();
        list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let (find, against) = (texts("find"), texts("against"));
    assert!(find.len() > 3 && against.len() > 3);
    let place = |text: &str| if text.contains("group") { 2 } else { 1 };
    let mut said: Vec<[f32; WIDTH]> = find.iter().map(|text| one(place(text))).collect();
    said.extend(against.iter().map(|_| one(0)));
    npy::write(&tried.sandbox.path().join("texts.npy"), &said);
    let lines: Vec<String> = find.iter().chain(&against).cloned().collect();
    fs::write(tried.sandbox.path().join("texts.txt"), lines.join("\n")).unwrap();
    let texts = tried.sandbox.path().join("texts.npy");
    let (flagged, _) =
        tried.flagged(&["--embeddings", &vectors, "--text-embeddings", texts.to_str().unwrap()]);
    assert_eq!(flagged, set(&[&paths[4], &paths[15]]));
}

#[test]
fn blur_is_found_by_frequencies() {
    if !tools::installed(&["cc"], "gcc") {
        return;
    }
    let tried = Tried::new("blur-frequency");
    tried.build();
    tried.conforms();
    let paths = tried.pictures(4, 6);
    for number in [3, 16] {
        let path = tried.sandbox.data().join(&paths[number]);
        let picture = image::open(&path).unwrap();
        let small = picture.resize_exact(4, 4, FilterType::Triangle);
        small.resize_exact(32, 32, FilterType::CatmullRom).save(&path).unwrap();
    }
    assert_eq!(tried.flagged(&[]).0, set(&[&paths[3], &paths[16]]));
}

#[test]
fn out_of_distribution_compares_with_the_training_split() {
    let tried = Tried::new("out-of-distribution");
    let manifest = tried.folder.join("Cargo.toml");
    let contract = root().join("core/plugin");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("../../../core/plugin", contract.to_str().unwrap())).unwrap();
    tried.build();
    let mut paths = Vec::new();
    // Of another size, so that no picture is in both splits.
    for (split, each, side) in [("train", 20, 24), ("test", 6, 25)] {
        for path in pictures::dataset(&tried.sandbox.data().join(split), 2, each, side) {
            paths.push(PathBuf::from(split).join(path));
        }
    }
    let paths = sorted(paths);
    let mut random = Random::new(3);
    let mut rows: Vec<[f32; WIDTH]> = paths.iter().map(|_| usual(&mut random)).collect();
    rows[1] = [0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    assert!(paths[1].starts_with("test/"));
    let vectors = tried.vectors(&rows);
    let (flagged, reasons) = tried.flagged(&["--embeddings", &vectors]);
    assert!(flagged.contains(&paths[1]) && flagged.len() <= 2, "{flagged:?}");
    assert!(flagged.iter().all(|path| path.starts_with("test/")), "{flagged:?}");
    assert!(reasons[0].starts_with("only 0 of 40 training pictures"), "{reasons:?}");
}

#[test]
fn a_column_of_agreement_is_judged_by_a_rule() {
    let tried = Tried::new("few-agree");
    let paths = tried.pictures(2, 5);
    let agreement = |number: usize| ["1.0", "0.9", "0.5", "", "0.67"][number % 5];
    let line = |(number, path): (usize, &String)| format!("data/{path},x,{}\n", agreement(number));
    let rows: String = paths.iter().enumerate().map(line).collect();
    let file = tried.sandbox.path().join("table.csv");
    fs::write(&file, format!("path,label,agreement\n{rows}")).unwrap();
    let mut args = tried.sandbox.scan_args();
    args[1] = file.to_str().unwrap().to_owned();
    args.extend(["--plugins", tried.folder.to_str().unwrap(), "--detectors", tried.name].map(str::to_owned));
    let scan = report(&tried.sandbox.ok(args));
    let all = scan["detectors"].as_array().unwrap();
    let found = all.iter().find(|one| one["name"] == tried.name).unwrap_or_else(|| panic!("{scan}"));
    assert_eq!((&found["flagged"], &found["scored"]), (&2.into(), &8.into()));
}

/// A model that knows each class by its mean picture, and two pictures with the label of another class.
fn finds_wrong_labels(save: &str) {
    let tried = Tried::new("own-model");
    let paths = tried.pictures(3, 12);
    let script = format!(
        r#"
import sys
import numpy as np
from PIL import Image
data, out = sys.argv[1:]
means = []
for name in sorted(__import__("os").listdir(data)):
    folder = data + "/" + name
    files = [folder + "/" + file for file in sorted(__import__("os").listdir(folder))]
    means.append(np.mean([np.asarray(Image.open(f).convert("RGB").resize((8, 8))) / 255.0 for f in files], 0))
means = np.array(means, np.float32).reshape(len(means), -1)
weight, bias = 2 * means, -(means**2).sum(1)
{save}
"#
    );
    run(&script, &[&tried.sandbox.data(), &tried.folder]);
    let swap = |from: &str, to: &str| {
        fs::rename(tried.sandbox.data().join(from), tried.sandbox.data().join(to)).unwrap();
    };
    swap("airplane/0002.png", "bird/0902.png");
    swap("bird/0005.jpg", "automobile/0905.jpg");
    let (flagged, reasons) = tried.flagged(&[]);
    assert_eq!(flagged, set(&["bird/0902.png", "automobile/0905.jpg"]), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.starts_with("your model says bird")), "{reasons:?}");
    assert_eq!(paths.len(), 36);
}

#[test]
fn a_model_of_ones_own_finds_wrong_labels() {
    if numpy() && has("PIL", "python3-pil") {
        finds_wrong_labels("np.savez(out + '/weights.npz', weight=20 * weight, bias=20 * bias)");
    }
}

#[test]
fn a_torch_model_of_ones_own_finds_wrong_labels() {
    if numpy() && has("PIL", "python3-pil") && has("torch", "PyTorch") {
        finds_wrong_labels(
            r#"
import torch
class Nearest(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        self.linear.weight.data = torch.from_numpy(20 * weight)
        self.linear.bias.data = torch.from_numpy(20 * bias)
    def forward(self, pictures):
        return self.linear(pictures.permute(0, 2, 3, 1).flatten(1))
torch.jit.trace(Nearest().eval(), torch.zeros(1, 3, 8, 8)).save(out + "/model.pt")"#,
        );
    }
}

#[test]
fn the_gallery_lists_every_detector_in_it() {
    let gallery = root().join("sdk/gallery");
    let page = fs::read_to_string(gallery.join("README.md")).unwrap();
    let folders = fs::read_dir(&gallery).unwrap().map(|entry| entry.unwrap().path());
    let names: Vec<String> = folders
        .filter(|path| path.join("detector.toml").is_file())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 7);
    for name in &names {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
        let description = fs::read_to_string(gallery.join(name).join("detector.toml")).unwrap();
        assert!(description.contains(&format!("name = \"{name}\"")), "{name}");
        let tests = include_str!("gallery.rs");
        assert!(tests.contains(&format!("\"{name}\"")), "{name} has no test");
    }
}
