use super::{Filter, Window, resize, resize_gray, resize_window};
use crate::image::phash::luma;
use image::RgbImage;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(serde::Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(serde::Deserialize, Debug)]
struct Case {
    picture: String,
    mode: String,
    filter: String,
    width: u32,
    height: u32,
    fnv: String,
    start: String,
}

fn filter(name: &str) -> Filter {
    match name {
        "bicubic" => Filter::Bicubic,
        "lanczos" => Filter::Lanczos,
        "bilinear" => Filter::Bilinear,
        "box" => Filter::Box,
        other => panic!("{other}"),
    }
}

fn fnv(bytes: &[u8]) -> String {
    let mix = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix))
}

#[test]
fn bytes_are_those_of_pillow() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/resample");
    let text = std::fs::read_to_string(folder.join("cases.json")).unwrap();
    let fixture: Fixture = serde_json::from_str(&text).unwrap();
    let mut pictures: BTreeMap<String, RgbImage> = BTreeMap::new();
    assert!(fixture.cases.len() > 500);
    for case in &fixture.cases {
        let open = || image::open(folder.join(format!("{}.png", case.picture))).unwrap().into_rgb8();
        let picture = pictures.entry(case.picture.clone()).or_insert_with(open);
        let out = if case.mode == "RGB" {
            resize(picture, case.width, case.height, filter(&case.filter)).into_raw()
        } else {
            let (width, height) = picture.dimensions();
            resize_gray(&luma(picture), width, height, case.width, case.height, filter(&case.filter))
        };
        let start: String = out.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(start, case.start, "{case:?}");
        assert_eq!(fnv(&out), case.fnv, "{case:?}");
    }
}

#[test]
fn nothing_to_take_pixels_from_gives_black() {
    assert_eq!(resize(&RgbImage::new(0, 4), 2, 1, Filter::Box).into_raw(), [0; 6]);
    assert!(resize(&RgbImage::new(4, 4), 0, 3, Filter::Lanczos).into_raw().is_empty());
    assert_eq!(resize_gray(&[1, 2, 3], 2, 2, 1, 1, Filter::Bicubic), [0]);
    let outside = Window { left: 3, top: 0, width: 2, height: 2 };
    let gray = RgbImage::from_pixel(8, 8, image::Rgb([9; 3]));
    assert_eq!(resize_window(&gray, 4, 4, outside, Filter::Bicubic).into_raw(), [0; 12]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_window_is_a_crop_of_the_whole(
        (width, height) in (1_u32..40, 1_u32..40),
        (to_width, to_height) in (1_u32..60, 1_u32..60),
        (left, top, right, bottom) in (0.0..1.0_f64, 0.0..1.0_f64, 0.0..1.0_f64, 0.0..1.0_f64),
        kind in 0..4_usize,
    ) {
        let filter = [Filter::Bicubic, Filter::Lanczos, Filter::Bilinear, Filter::Box][kind];
        let image = RgbImage::from_fn(width, height, |x, y| {
            let mixed = (x * 7919 + y * 104_729 + x * y * 31).wrapping_mul(2_654_435_761);
            image::Rgb([(mixed >> 24) as u8, (mixed >> 16) as u8, (mixed >> 8) as u8])
        });
        let part = |low: f64, high: f64, whole: u32| {
            let start = (low.min(high) * f64::from(whole)) as u32;
            (start, ((low.max(high) * f64::from(whole)) as u32 - start + 1).min(whole - start))
        };
        let (left, wide) = part(left, right, to_width);
        let (top, high) = part(top, bottom, to_height);
        let whole = resize(&image, to_width, to_height, filter);
        let window = Window { left, top, width: wide, height: high };
        let cropped = image::imageops::crop_imm(&whole, left, top, wide, high).to_image();
        prop_assert_eq!(resize_window(&image, to_width, to_height, window, filter).into_raw(), cropped.into_raw());
    }
}
