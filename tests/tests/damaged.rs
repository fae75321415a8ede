//! Damaged pictures, pictures in formats that are not read, and pictures that conversion changes, through the program.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures::{self, encoded, picture};
use chaffinch_tests::sandbox::{Sandbox, number};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn jpeg(number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&picture(3, number, 160)).unwrap();
    bytes
}

/// Detectors and reasons of suspects by path.
fn suspects(sandbox: &Sandbox) -> BTreeMap<String, (String, String)> {
    let row = |row: BTreeMap<String, String>| {
        (row["path"].clone(), (row["detectors"].clone(), row["reason"].clone()))
    };
    sandbox.rank(1_000).into_iter().map(row).collect()
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name), bytes).unwrap();
}

#[test]
fn a_decoder_that_panics_is_an_error_and_nothing_else() {
    let sandbox = Sandbox::new();
    let fixture = "../core/formats/fixtures/packed/disk/test/data-00000-of-00001.arrow";
    let mut bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(fixture)).unwrap();
    // The length of a buffer, which the decoder does not check.
    bytes[735] = 0xff;
    let path = sandbox.path().join("damaged.arrow");
    fs::write(&path, bytes).unwrap();
    let ran = sandbox.run(["scan", path.to_str().unwrap()]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("its parts are inconsistent"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

#[test]
fn damage_is_no_breakage_and_an_unknown_format_is_neither() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 2, 6, 64);
    let folder = sandbox.data().join("airplane");
    let whole = jpeg(1);
    put(&folder, "cut.jpg", &whole[..whole.len() * 6 / 10]);
    let mut zeros = jpeg(2);
    let (middle, end) = (zeros.len() / 2, zeros.len() - 2);
    zeros[middle..end].fill(0);
    put(&folder, "zeros.jpg", &zeros);
    let rows = encoded(&picture(4, 9, 160), ImageFormat::Png);
    put(&folder, "rows.png", &rows[..rows.len() / 2]);
    put(&folder, "avif.jpg", b"\0\0\0\x1cftypavif\0\0\0\0mif1miafMA1B\0\0\0\x08mdat");
    put(&folder, "note.png", b"This is a note and not a picture.");
    put(&folder, "head.jpg", &whole[..100]);

    let report = sandbox.scan();
    let counts = ["samples", "unreadable", "not_read", "damaged"].map(|field| number(&report, field));
    assert_eq!(counts, [18, 2, 1, 3], "{report}");
    let found = suspects(&sandbox);
    let of = |name: &str| &found[&format!("airplane/{name}")];
    for name in ["cut.jpg", "zeros.jpg", "rows.png"] {
        let (detectors, reason) = of(name);
        assert!(detectors.contains("damaged") && !detectors.contains("unreadable"), "{name}: {detectors}");
        let percent = reason.split("the lower ").nth(1).and_then(|rest| rest.split(' ').next());
        let percent: u32 = percent.unwrap_or_else(|| panic!("{name}: {reason}")).parse().unwrap();
        assert!((25..75).contains(&percent), "{name}: {reason}");
    }
    let (detectors, reason) = of("avif.jpg");
    assert_eq!(
        (detectors.as_str(), reason.as_str()),
        ("unsupported-format", "it is a picture in the AVIF format, which is not read")
    );
    for name in ["note.png", "head.jpg"] {
        assert_eq!(of(name).0, "unreadable", "{:?}", of(name));
    }
    assert!(!found.values().any(|(detectors, _)| detectors.contains("conversion")));
    // What is left of a damaged picture is embedded; the second scan reads nothing and says the same.
    let again = sandbox.scan();
    let same = ["unreadable", "not_read", "damaged"].map(|field| number(&again, field));
    assert_eq!((same, number(&again, "decoded"), number(&again, "indexed")), ([2, 1, 3], 0, 0), "{again}");
    assert_eq!(suspects(&sandbox), found);
}

#[test]
fn what_conversion_changes_is_said() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 2, 6, 64);
    let folder = sandbox.data().join("airplane");
    for number in 0..4_u16 {
        let dark = ImageBuffer::from_fn(64, 64, |x, y| Luma([(x as u16 * 3 + y as u16) % 255 + number % 2]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        DynamicImage::ImageLuma16(dark).write_to(&mut bytes, ImageFormat::Png).unwrap();
        put(&folder, &format!("deep-{number}.png"), bytes.get_ref());
    }
    let ink =
        RgbaImage::from_fn(64, 64, |x, y| Rgba([0, 0, 0, if (x / 9 + y / 7) % 2 == 0 { 255 } else { 0 }]));
    ink.save(folder.join("ink.png")).unwrap();
    let report = sandbox.scan();
    let conversion = report["detectors"].as_array().unwrap().iter().find(|one| one["name"] == "conversion");
    let text = conversion.unwrap().to_string();
    assert_eq!((number(&report, "unreadable"), number(&report, "damaged")), (0, 0));
    let found = suspects(&sandbox);
    assert!(found["airplane/ink.png"].0.contains("conversion"), "{:?}", found["airplane/ink.png"]);
    assert_eq!(conversion.unwrap()["flagged"], 1, "{text}");
    // Stretched, so not black.
    let dark =
        found.iter().filter(|(path, (_, reason))| path.contains("deep") && reason.contains("almost black"));
    assert_eq!(dark.count(), 0);
}

#[test]
fn frames_of_one_sensor_look_alike() {
    let sandbox = Sandbox::new();
    let folder = sandbox.data().join("cell");
    fs::create_dir_all(&folder).unwrap();
    for number in 0..6_u16 {
        // One pixel decides about the depth of a frame: 12 bits or 14.
        let frame = ImageBuffer::from_fn(48, 48, |x, y| match (x, y) {
            (0, 0) => Luma([4080 + 10 * number]),
            (x, y) => Luma([((x * 53 + y * 29) % 1500) as u16 + 900]),
        });
        let mut bytes = std::io::Cursor::new(Vec::new());
        DynamicImage::ImageLuma16(frame).write_to(&mut bytes, ImageFormat::Png).unwrap();
        put(&folder, &format!("{number}.png"), bytes.get_ref());
    }
    let report = sandbox.scan();
    let text = report.to_string();
    assert!(text.contains("6 of 6 pictures with 16 bits per channel use at most 14 of them"), "{text}");
    // Their hashes and vectors are those of the same brightness, so that all are found to be one picture.
    let copies =
        suspects(&sandbox).values().filter(|(detectors, _)| detectors.contains("duplicates")).count();
    assert!(copies >= 5, "{copies}");
    assert_eq!(number(&sandbox.scan(), "decoded"), 0);
}

/// A letter: a head that all share, and text of its own.
fn letter(seed: u32) -> RgbImage {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut page = RgbImage::from_pixel(480, 640, Rgb([255; 3]));
    let line = |page: &mut RgbImage, y: u32, state: &mut u32| {
        let mut next = |below: u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (*state >> 8) % below
        };
        let end = 48 + 384 * (6 + next(5)) / 10;
        let mut x = 48;
        while x < end {
            let length = 8 + next(34);
            for (x, y) in (y..y + 7).flat_map(|y| (x..(x + length).min(end)).map(move |x| (x, y))) {
                if (x * 7 + y * 3 + length) % 4 < 2 {
                    page.put_pixel(x, y, Rgb([30; 3]));
                }
            }
            x += length + 6;
        }
    };
    let mut head = 77;
    (0..4).for_each(|row| line(&mut page, 30 + 14 * row, &mut head));
    (0..28).for_each(|row| line(&mut page, 150 + 16 * row, &mut state));
    page
}

#[test]
fn letters_on_one_template_are_never_offered_as_copies() {
    let sandbox = Sandbox::new();
    for number in 0..40_u32 {
        let class = ["letter", "invoice"][number as usize % 2];
        put(
            &sandbox.data().join(class),
            &format!("{number}.png"),
            &encoded(&letter(number), ImageFormat::Png),
        );
    }
    let mut copy = Vec::new();
    JpegEncoder::new_with_quality(&mut copy, 80).encode_image(&letter(6)).unwrap();
    put(&sandbox.data().join("letter"), "copy.jpg", &copy);
    sandbox.scan();
    for (path, (detectors, reason)) in suspects(&sandbox) {
        if !detectors.contains("duplicates") || ["letter/copy.jpg", "letter/6.png"].contains(&path.as_str()) {
            continue;
        }
        assert!(!reason.contains("the same picture as"), "{path}: {reason}");
        assert!(
            !reason.contains("the copy to keep") && !reason.contains("labels differ"),
            "{path}: {reason}"
        );
    }
    let found = suspects(&sandbox);
    let copies = ["letter/copy.jpg", "letter/6.png"].map(|path| found.get(path));
    let said = copies.iter().flatten().any(|(_, reason)| reason.contains("the same picture as another"));
    assert!(said, "{copies:?}");
}
