//! No vector and no score depends on the vector instructions of the processor, to the last bit.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_data::session::Session;
use chaffinch_tests::pictures::{encoded, picture};
use chaffinch_tests::sandbox::{Ran, Sandbox};
use image::ImageFormat;
use std::collections::BTreeMap;
use std::fs;

const CLASSES: usize = 4;
const EACH: usize = 40;

/// A scan with these vector instructions.
fn scanned(sandbox: &Sandbox, level: &str, more: &[&str]) {
    let mut args = sandbox.scan_args();
    args.extend(more.iter().map(|word| (*word).to_owned()));
    let mut scan = sandbox.command(args);
    let ran = Ran::from(scan.env("CHAFFINCH_SIMD", level).output().unwrap());
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

/// By detector: for each sample its score, whether it is flagged, and the suggested label.
type Judged = BTreeMap<String, Vec<(Option<f32>, bool, Option<u32>)>>;

/// A dataset with wrong labels, copies, and a few poor pictures.
fn planted(sandbox: &Sandbox) {
    for number in 0..CLASSES * EACH {
        let wrong = number % 13 == 5;
        let folder = sandbox.data().join(format!("class-{}", (number + usize::from(wrong)) % CLASSES));
        fs::create_dir_all(&folder).unwrap();
        let mut made = picture(number % CLASSES, number as u64, 64);
        match number {
            7 => made.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(|level| level / 12)),
            20 => made = image::imageops::blur(&made, 5.0),
            _ => {}
        }
        made.save(folder.join(format!("{number:04}.png"))).unwrap();
        if number % 29 == 3 {
            fs::write(folder.join(format!("{number:04}-copy.jpg")), encoded(&made, ImageFormat::Jpeg))
                .unwrap();
        }
    }
}

fn judged(level: &str) -> Judged {
    let sandbox = Sandbox::new();
    planted(&sandbox);
    scanned(&sandbox, level, &[]);
    let session = Session::open(&sandbox.session()).unwrap();
    let (manifest, _) = session.load_samples().unwrap().unwrap();
    let (results, damaged) = session.load_results(manifest.len(), manifest.classes());
    assert!(damaged.is_empty(), "{damaged:?}");
    let all = results.into_iter().map(|(name, result)| {
        let threshold = result.record().threshold;
        let samples = manifest.ids().map(|id| {
            let score = result.score(id);
            (score, score.is_some_and(|score| score < threshold), result.suggested(id))
        });
        (name, samples.collect())
    });
    all.collect()
}

#[test]
fn scores_are_the_same_with_other_vector_instructions() {
    let best = judged("auto");
    assert!(best.len() >= 6, "{:?}", best.keys());
    let mut apart = Vec::new();
    for level in ["avx2", "off"] {
        let other = judged(level);
        assert!(best.keys().eq(other.keys()));
        for (name, samples) in &best {
            let mut worst = 0.0_f32;
            for (row, (one, other)) in samples.iter().zip(&other[name]).enumerate() {
                if one != other {
                    apart.push(format!("{name}, sample {row}: {one:?}, with {level} {other:?}"));
                }
                worst = worst.max((one.0.unwrap_or(0.0) - other.0.unwrap_or(0.0)).abs());
            }
            println!("{level}: scores of {name} differ by at most {worst:.1e}");
        }
    }
    assert!(apart.is_empty(), "{apart:#?}");
}

/// The vectors of a few pictures with this model, as they are stored.
fn vectors(model: &str, level: &str) -> Vec<u8> {
    let sandbox = Sandbox::new();
    for number in 0..6 {
        let folder = sandbox.data().join(format!("class-{}", number % 2));
        fs::create_dir_all(&folder).unwrap();
        picture(number % 2, number as u64, 64).save(folder.join(format!("{number}.png"))).unwrap();
    }
    scanned(&sandbox, level, &["--model", model, "--detectors", "neighbor-outliers"]);
    let chunks = walkdir::WalkDir::new(sandbox.session().join("embeddings")).sort_by_file_name();
    let chunks = chunks.into_iter().map(Result::unwrap);
    let chunks = chunks.filter(|entry| entry.path().extension().is_some_and(|end| end == "safetensors"));
    let all: Vec<u8> = chunks.flat_map(|entry| fs::read(entry.path()).unwrap()).collect();
    assert!(!all.is_empty(), "no vectors of {model}");
    all
}

#[test]
fn vectors_of_the_bundled_models_are_the_same_with_other_vector_instructions() {
    for model in ["bundled-small", "bundled-photo"] {
        let best = vectors(model, "auto");
        for level in ["avx2", "off"] {
            assert!(vectors(model, level) == best, "{model} with {level}");
        }
    }
}

#[test]
fn an_unknown_level_is_an_error() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(["doctor"]);
    let ran = Ran::from(command.env("CHAFFINCH_SIMD", "sse9").output().unwrap());
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("$CHAFFINCH_SIMD: 'sse9' is not one of off, avx2, auto"), "{}", ran.stderr);
}
