//! The detector `image-quality` gives CleanVision's scores and flags, and through the real program it says what files
//! tell of themselves.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_compute::image::decode::decode;
use chaffinch_compute::image::source;
use chaffinch_image_quality::{Measures, Sizes};
use chaffinch_plugin::Pixels;
use chaffinch_tests::artefacts::{shared_data, shared_reference};
use chaffinch_tests::pictures::{self, encoded};
use chaffinch_tests::planted::unpacked;
use chaffinch_tests::sandbox::{Sandbox, table};
use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, ImageFormat};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// CleanVision's thresholds in the order of [`scores`]; that of odd size is the detector's own, by the dataset.
const THRESHOLDS: [(&str, f32); 5] =
    [("dark", 0.32), ("light", 0.05), ("low_information", 0.3), ("blurry", 0.29), ("odd_aspect_ratio", 0.35)];

/// The pixels are the same, and on the same pixels the scores agree to 0.0001 (the detector's own tests).
const ALLOWED: f32 = 1e-4;

fn scores(seen: &Measures) -> [f32; 5] {
    [seen.dark, seen.light, seen.information(), seen.sharpness, seen.aspect()]
}

/// Decodes and measures a file, and adds up how long both take.
fn measured(root: &Path, name: &str, decoding: &mut Duration, measuring: &mut Duration) -> Measures {
    let bytes = fs::read(root.join(name)).unwrap();
    let started = Instant::now();
    let decoded = decode(&bytes).unwrap();
    *decoding += started.elapsed();
    let (width, height) = (decoded.image.width() as usize, decoded.image.height() as usize);
    let pixels = Pixels {
        rgb: decoded.image.as_raw(),
        width,
        height,
        full_width: width,
        full_height: height,
        source: source::record(decoded.format, Path::new(name), decoded.stored),
    };
    let started = Instant::now();
    let seen = Measures::of(&pixels);
    *measuring += started.elapsed();
    seen
}

#[test]
#[ignore = "needs CIFAR-10 beside the repository: cargo test --release -p chaffinch-tests --test image_quality -- --ignored"]
fn scores_and_flags_are_those_of_cleanvision() {
    let reference = shared_reference("cleanvision-cifar10-train-first3000.csv");
    let archive = shared_data("cifar10-jpeg.tar.xz");
    let root = unpacked(&archive, "cifar10/train", "cifar10-train").parent().unwrap().to_path_buf();
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_path(&reference).unwrap().records().map(Result::unwrap).collect();
    let mut reader = csv::Reader::from_path(&reference).unwrap();
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();

    let (mut decoding, mut measuring) = (Duration::ZERO, Duration::ZERO);
    let path = column("path");
    let all: Vec<Measures> =
        rows.iter().map(|row| measured(&root, &row[path], &mut decoding, &mut measuring)).collect();
    let sizes = Sizes::of(&all, 3.0);

    let score = |row: &csv::StringRecord, name: &str| -> f32 {
        row[column(&format!("{name}_score"))].parse().unwrap()
    };
    let flag = |row: &csv::StringRecord, name: &str| &row[column(&format!("is_{name}_issue"))] == "True";
    let mut worst = [0.0_f32; 5];
    for (row, seen) in rows.iter().zip(&all) {
        for (place, (name, threshold)) in THRESHOLDS.into_iter().enumerate() {
            let own = scores(seen)[place];
            let difference = (own - score(row, name)).abs();
            worst[place] = worst[place].max(difference);
            assert!(difference <= ALLOWED, "{}: {name} is {own}, not {}", &row[path], score(row, name));
            assert_eq!(own < threshold, flag(row, name), "{}: {name} {own}", &row[path]);
        }
        assert_eq!(sizes.score(seen), score(row, "odd_size"), "{}", &row[path]);
        assert_eq!(sizes.score(seen) < sizes.threshold(), flag(row, "odd_size"), "{}", &row[path]);
        assert_eq!(seen.stored_gray(), flag(row, "grayscale"), "{}", &row[path]);
    }
    let rate = |time: Duration| rows.len() as f64 / time.as_secs_f64();
    println!(
        "{} pictures, one thread: {:.0} decoded/s, {:.0} measured/s",
        rows.len(),
        rate(decoding),
        rate(measuring)
    );
    for ((name, _), worst) in THRESHOLDS.into_iter().zip(worst) {
        println!("  {name:<18} differs by at most {worst:.1e}");
    }
}

#[test]
fn what_files_tell_of_themselves_reaches_the_reviewer() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 4, 15, 48);
    let folder = sandbox.data().join("cat");
    let cat = |number| pictures::picture(3, number, 48);
    fs::write(folder.join("named.jpg"), encoded(&cat(100), ImageFormat::Png)).unwrap();
    DynamicImage::from(cat(101)).into_luma8().save(folder.join("gray.png")).unwrap();
    let mut encoder = GifEncoder::new(fs::File::create(folder.join("moving.gif")).unwrap());
    for number in 102..104 {
        encoder.encode_frame(Frame::new(DynamicImage::from(cat(number)).into_rgba8())).unwrap();
    }
    drop(encoder);
    // Behind the start of a JPEG, an EXIF block of one entry: orientation 6.
    let mut turned = encoded(&cat(104), ImageFormat::Jpeg);
    let tiff = *b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let exif = [&[0xff, 0xe1, 0, 8 + tiff.len() as u8][..], b"Exif\0\0", &tiff[..]].concat();
    turned.splice(2..2, exif);
    fs::write(folder.join("turned.jpg"), turned).unwrap();
    pictures::picture(2, 105, 200).save(folder.join("large.png")).unwrap();

    let (data, session) = (sandbox.data(), sandbox.session());
    let (data, session) = (data.to_str().unwrap(), session.to_str().unwrap());
    sandbox.ok(["scan", data, "--session", session, "--detectors", "image-quality", "--json"]);
    let ran = sandbox.ok(["rank", session, "--by", "image-quality", "--top", "0", "--format", "csv"]);
    let found: BTreeMap<String, String> =
        table(&ran.stdout).into_iter().map(|row| (row["path"].clone(), row["reason"].clone())).collect();
    println!("{found:#?}");
    for (name, reason) in [
        ("named.jpg", "wrong extension: named as a JPEG but it is a PNG"),
        ("gray.png", "gray: stored without color, unlike most others"),
        ("moving.gif", "animated: only its first frame was checked"),
        ("turned.jpg", "not stored upright: EXIF orientation 6, which programs may ignore"),
        ("large.png", "much larger than the others: 200 x 200 among pictures of 48 x 48"),
    ] {
        // Drawn pictures may be noisy, too, which is said behind what is worse.
        let said = &found[&format!("cat/{name}")];
        assert!(said.split("; ").any(|part| part == reason), "{name}: {said}");
    }
}
