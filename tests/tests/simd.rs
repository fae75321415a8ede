//! No flag depends on the vector instructions of the processor, and scores differ by what rounding leaves.
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

/// How far scores may be apart. `cluster-outliers` divides by the spread of a class, which is as small as 0.0001 among drawn
/// pictures that are almost alike; `label-quality` trains models until they hardly change.
fn allowed(detector: &str) -> f32 {
    if ["cluster-outliers", "label-quality"].contains(&detector) { 1e-3 } else { 1e-5 }
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
    let mut scan = sandbox.command(sandbox.scan_args());
    let ran = Ran::from(scan.env("CHAFFINCH_SIMD", level).output().unwrap());
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
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
fn flags_are_the_same_with_other_vector_instructions() {
    let best = judged("auto");
    assert!(best.len() >= 6, "{:?}", best.keys());
    let mut apart = Vec::new();
    for level in ["avx2", "off"] {
        let other = judged(level);
        assert!(best.keys().eq(other.keys()));
        for (name, samples) in &best {
            let mut worst = 0.0_f32;
            for (row, (one, other)) in samples.iter().zip(&other[name]).enumerate() {
                assert_eq!(
                    (one.1, one.2),
                    (other.1, other.2),
                    "{name}, sample {row}: {one:?}, with {level} {other:?}"
                );
                match (one.0, other.0) {
                    (Some(one), Some(other)) => worst = worst.max((one - other).abs()),
                    (one, other) => assert_eq!(one, other, "{name}, sample {row}, {level}"),
                }
            }
            println!("{level}: scores of {name} differ by at most {worst:.1e}");
            apart.extend(
                (worst > allowed(name)).then(|| format!("{level}: scores of {name} differ by {worst:e}")),
            );
        }
    }
    assert!(apart.is_empty(), "{apart:#?}");
}

#[test]
fn an_unknown_level_is_an_error() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(["doctor"]);
    let ran = Ran::from(command.env("CHAFFINCH_SIMD", "sse9").output().unwrap());
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("$CHAFFINCH_SIMD: 'sse9' is not one of off, avx2, auto"), "{}", ran.stderr);
}
