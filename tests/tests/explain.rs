//! Explanations of pictures: `chaffinch explain` through the program itself.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::sandbox::{Sandbox, json};
use image::{RgbImage, imageops};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn explained(sandbox: &Sandbox, data: &Path, more: &[&str]) -> Vec<Value> {
    let mut args = vec!["explain", data.to_str().unwrap(), "--json", "--offline"];
    args.extend(more);
    json(&sandbox.ok(args)).as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The mean relevance of the left and the right half.
fn halves(explanation: &Value) -> [f64; 2] {
    let rows: Vec<Vec<f64>> = explanation["relevance"].as_array().unwrap().iter().map(numbers).collect();
    let middle = rows[0].len() / 2;
    let mean = |from: usize, to: usize| -> f64 {
        rows.iter().flat_map(|row| &row[from..to]).sum::<f64>() / (rows.len() * (to - from)) as f64
    };
    [mean(0, middle), mean(rows[0].len() - middle, rows[0].len())]
}

#[test]
fn relevance_is_where_the_object_is() {
    let (sandbox, data) = Sandbox::with_demo();
    let mut right = 0;
    let files: Vec<_> =
        fs::read_dir(data.join("horse")).unwrap().map(|entry| entry.unwrap().path()).collect();
    for (number, file) in files.iter().take(20).enumerate() {
        // In the left half on a flat ground, and in the right one.
        let horse = image::open(file).unwrap().into_rgb8();
        let (width, height) = horse.dimensions();
        let mut maps = Vec::new();
        for left in [0, i64::from(width)] {
            let mut picture = RgbImage::from_pixel(2 * width, 2 * height, image::Rgb([120, 130, 125]));
            imageops::overlay(&mut picture, &horse, left, i64::from(height) / 2);
            let path = sandbox.path().join(format!("{number}-{left}.png"));
            picture.save(&path).unwrap();
            let found = explained(&sandbox, &data, &[path.to_str().unwrap(), "--class", "horse"]);
            maps.push(halves(&found[0]["explanations"][0]));
        }
        right += usize::from(maps[0][0] > maps[0][1]) + usize::from(maps[1][1] > maps[1][0]);
    }
    assert!(right >= 32, "{right} of 40");
}

#[test]
fn labels_are_explained_unless_something_is_named() {
    let (sandbox, data) = Sandbox::with_demo();
    let suspects = json(&sandbox.ok(["rank", data.to_str().unwrap(), "--format", "json"]));
    let suspects = suspects.as_array().unwrap();
    let wrong = suspects.iter().find(|row| row["suggested_label"] != "").unwrap();
    let path = wrong["path"].as_str().unwrap();
    let found = explained(&sandbox, &data, &[path]);
    let asked = |found: &Value| -> Vec<[String; 2]> {
        let one = |one: &Value| ["text", "asked"].map(|key| one[key].as_str().unwrap().to_owned());
        found["explanations"].as_array().unwrap().iter().map(one).collect()
    };
    let [given, suggested] = ["label", "suggested_label"].map(|key| wrong[key].as_str().unwrap().to_owned());
    assert_eq!(
        asked(&found[0]),
        [[given.clone(), "given label".into()], [suggested, "suggested label".into()]]
    );
    assert_eq!((&found[0]["path"], &found[0]["label"]), (&wrong["path"], &wrong["label"]));
    for one in found[0]["explanations"].as_array().unwrap() {
        let rows = one["relevance"].as_array().unwrap();
        assert!(rows.len() > 2 && rows.iter().all(|row| numbers(row).len() == rows.len()), "{one}");
        let similarity = one["similarity"].as_f64().unwrap();
        assert!((-1.0..=1.0).contains(&similarity), "{similarity}");
    }
    let texts = ["--text", "a photo of a red car", "--class", &given, path];
    let named = explained(&sandbox, &data, &texts);
    assert_eq!(
        asked(&named[0]),
        [[given.clone(), "class".into()], ["a photo of a red car".into(), "text".into()]]
    );
    assert_eq!(named, explained(&sandbox, &data, &texts), "the same again");
    let words = named[0]["explanations"][1]["words"].as_array().unwrap();
    let words: Vec<&str> = words.iter().map(|word| word["word"].as_str().unwrap()).collect();
    assert_eq!(words, ["a", "photo", "of", "a", "red", "car"]);
    // The end of a path will do, and people read where it is.
    let end = path.rsplit('/').next().unwrap();
    let shown = sandbox.run(["explain", data.to_str().unwrap(), path, "--text", "sky", "--offline"]);
    assert!(
        shown.stdout.starts_with(&format!("{path}\n  sky (text), similarity ")),
        "{end}: {}",
        shown.stdout
    );
}

#[test]
fn a_text_that_is_longer_than_the_model_reads_is_said() {
    let (sandbox, data) = Sandbox::with_demo();
    let data = data.to_str().unwrap();
    let long = format!("a photo of a {}cat", "very ".repeat(90));
    let said = "reads only the first 30 tokens of 'a photo of a very";
    for args in [
        &["explain", data, "cat/001.jpg", "--text", &long, "--offline"][..],
        &["search", data, &long, "--offline"],
    ] {
        let ran = sandbox.run(args);
        let told = ran.stderr.matches(said).count();
        assert!(ran.code == 0 && told == 1, "{args:?}: {}", ran.stderr);
    }
    let names = sandbox.path().join("names.txt");
    fs::write(&names, format!("{long}\n")).unwrap();
    let ran = sandbox.run(["classify", data, "--vocabulary", names.to_str().unwrap(), "--offline"]);
    assert!(ran.stderr.contains("reads only the first 30 tokens of 'a"), "{}", ran.stderr);
    let ran = sandbox.run(["search", data, "a photo of a cat", "--offline"]);
    assert!(!ran.stderr.contains("reads only"), "{}", ran.stderr);
}

#[test]
fn the_name_of_the_class_carries_its_prompt() {
    let (sandbox, data) = Sandbox::with_demo();
    let files = fs::read_dir(data.join("frog")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<String> = files.map(|file| file.to_str().unwrap().to_owned()).collect();
    paths.sort();
    // The last ones are planted faults.
    paths.truncate(20);
    let mut args: Vec<&str> = paths.iter().map(String::as_str).collect();
    args.extend(["--text", "a photo of a frog"]);
    let most = |found: &&Value| {
        let words = found["explanations"][0]["words"].as_array().unwrap().clone();
        let adds = |word: &Value| word["adds"].as_f64().unwrap();
        words.iter().max_by(|a, b| adds(a).total_cmp(&adds(b))).unwrap()["word"] == "frog"
    };
    let found = explained(&sandbox, &data, &args);
    let right = found.iter().filter(most).count();
    assert!(right >= 14, "{right} of {}", found.len());
}

#[test]
fn of_several_pictures_those_that_can_be_read_are_explained() {
    let (sandbox, data) = Sandbox::with_demo();
    let broken = sandbox.path().join("broken.png");
    fs::write(&broken, "no picture").unwrap();
    let out = sandbox.path().join("overlays");
    let args = ["explain", data.to_str().unwrap(), "--offline", "--json", "--text", "a cat", "--out"];
    let paths = [out.to_str().unwrap(), broken.to_str().unwrap(), "nowhere.jpg", "cat/001.jpg"];
    let ran = sandbox.run([&args[..], &paths].concat());
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("broken.png") && ran.stderr.contains("nowhere.jpg"), "{}", ran.stderr);
    let found: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0]["path"].as_str().unwrap().ends_with("cat/001.jpg"));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
}

#[test]
fn a_file_that_changed_or_is_damaged_is_explained_with_a_warning() {
    let (sandbox, data) = Sandbox::with_demo();
    let plain = explained(&sandbox, &data, &["cat/002.jpg"]);
    assert_eq!(plain[0]["warnings"], serde_json::json!([]));
    fs::copy(data.join("dog/001.jpg"), data.join("cat/002.jpg")).unwrap();
    let bytes = fs::read(data.join("cat/001.jpg")).unwrap();
    let cut = sandbox.path().join("cut.jpg");
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let cut = cut.to_str().unwrap();
    let ran =
        sandbox.run(["explain", data.to_str().unwrap(), "--offline", "--class", "cat", "cat/002.jpg", cut]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let said =
        |what: &str| ran.stderr.lines().any(|line| line.starts_with("warning: ") && line.contains(what));
    assert!(
        said("it has changed since the last scan") && said("of the picture is missing"),
        "{}",
        ran.stderr
    );
    let found = explained(&sandbox, &data, &["cat/002.jpg"]);
    assert!(found[0]["warnings"][0].as_str().unwrap().contains("changed"), "{}", found[0]["warnings"]);
}

#[test]
fn what_lies_outside_of_what_the_model_sees_is_said() {
    let (sandbox, data) = Sandbox::with_demo();
    let shown = |width: u32, height: u32| {
        let file = sandbox.path().join(format!("{width}.png"));
        RgbImage::new(width, height).save(&file).unwrap();
        let args = ["explain", data.to_str().unwrap(), "--offline", "--class", "cat", file.to_str().unwrap()];
        sandbox.ok(args).stdout
    };
    let wide = shown(300, 100);
    assert!(
        wide.contains("the model saw only the pixels 100 to 200 of 300 from left to right\n"),
        "{}",
        wide
    );
    assert!(!shown(100, 100).contains("saw only"));
}

#[test]
fn overlays_are_files_of_a_new_folder() {
    let (sandbox, data) = Sandbox::with_demo();
    let out = sandbox.path().join("overlays");
    let to = ["--out", out.to_str().unwrap(), "--class", "cat", "--class", "dog"];
    let found = explained(&sandbox, &data, &[&["cat/001.jpg", "dog/001.jpg"], &to[..]].concat());
    let mut files = BTreeSet::new();
    for one in found.iter().flat_map(|one| one["explanations"].as_array().unwrap()) {
        let file = one["overlay"].as_str().unwrap();
        let like = data.join(if file.contains("/cat-") { "cat/001.jpg" } else { "dog/001.jpg" });
        let [lit, plain] = [Path::new(file), &like].map(|path| image::open(path).unwrap().into_rgb8());
        assert_eq!(lit.dimensions(), plain.dimensions(), "{file}");
        files.insert(file.to_owned());
    }
    assert_eq!((files.len(), fs::read_dir(&out).unwrap().count()), (4, 4));
    assert!(files.contains(out.join("cat-001.dog.png").to_str().unwrap()), "{files:?}");
}

#[test]
fn what_cannot_be_explained_is_said() {
    let (sandbox, data) = Sandbox::with_demo();
    let refused = |more: &[&str], what: &str| {
        let ran = sandbox.run([&["explain", data.to_str().unwrap(), "--offline"], more].concat());
        assert!(ran.code == 2 && ran.stderr.contains(what), "{}{}", ran.stdout, ran.stderr);
    };
    refused(&["nowhere.jpg"], "no sample has the path 'nowhere.jpg', and there is no such file");
    refused(&["cat/001.jpg", "--text", " "], "--text is empty");
    refused(&["cat/001.jpg", "--class", "Catt"], "the dataset has no class 'Catt'; did you mean 'cat'?");
    let inside = data.join("overlays");
    refused(&["cat/001.jpg", "--out", inside.to_str().unwrap()], "inside the dataset");
    let outside = sandbox.path().join("outside.png");
    RgbImage::new(40, 30).save(&outside).unwrap();
    refused(&[outside.to_str().unwrap()], "name what to look for with --text or --class");
    let broken = sandbox.path().join("broken.png");
    fs::write(&broken, "no picture").unwrap();
    refused(&[broken.to_str().unwrap(), "--text", "a cat"], "broken.png");
    let full = sandbox.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("file"), "").unwrap();
    refused(&["cat/001.jpg", "--out", full.to_str().unwrap()], "is not empty");
}
