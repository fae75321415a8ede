use super::{Filter, Pass, Window, plan, resize, resize_gray, resize_window};
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

fn noise(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let mixed = (x * 7919 + y * 104_729 + x * y * 31).wrapping_mul(2_654_435_761);
        image::Rgb([(mixed >> 24) as u8, (mixed >> 16) as u8, (mixed >> 8) as u8])
    })
}

/// Start and length of a part, from shares of the whole.
fn part(low: f64, high: f64, whole: u32) -> (u32, u32) {
    let start = (low.min(high) * f64::from(whole)) as u32;
    (start, ((low.max(high) * f64::from(whole)) as u32 - start + 1).min(whole - start))
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
        let image = noise(width, height);
        let (left, wide) = part(left, right, to_width);
        let (top, high) = part(top, bottom, to_height);
        let whole = resize(&image, to_width, to_height, filter);
        let window = Window { left, top, width: wide, height: high };
        let cropped = image::imageops::crop_imm(&whole, left, top, wide, high).to_image();
        prop_assert_eq!(resize_window(&image, to_width, to_height, window, filter).into_raw(), cropped.into_raw());
    }
}

/// What a device does with a plan.
fn carried_out(image: &RgbImage, to: (u32, u32), window: Window, filter: Filter) -> Vec<u8> {
    let Some(plan) = plan(image.dimensions(), to.0, to.1, window, filter) else {
        return vec![0; (window.width * window.height * 3) as usize];
    };
    let mut bytes = image.as_raw().clone();
    for pass in &plan.passes {
        let (inner, positions, length) = (pass.inner as usize, pass.starts.len(), pass.length as usize);
        let byte = |at: usize| {
            let (part, position) = (at / inner / positions, at / inner % positions);
            let from = pass.skipped + (part * length + pass.starts[position] as usize) * inner + at % inner;
            let weights = &pass.weights[position * pass.longest as usize..][..pass.counts[position] as usize];
            let products = weights
                .iter()
                .enumerate()
                .map(|(at, weight)| i32::from(bytes[from + at * inner]).wrapping_mul(*weight));
            (products.fold(Pass::HALF, i32::wrapping_add) >> Pass::BITS).clamp(0, 255) as u8
        };
        bytes = (0..pass.len()).map(byte).collect();
    }
    let pixel = |at: u32| {
        let (x, y) = (plan.left + at % window.width, plan.top + at / window.width);
        let from = ((y * plan.stride + x) * 3) as usize;
        bytes[from..from + 3].to_vec()
    };
    (0..window.width * window.height).flat_map(pixel).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn a_plan_gives_the_bytes_of_the_processor(
        (width, height) in (1_u32..40, 1_u32..90),
        (to_width, to_height) in (1_u32..60, 1_u32..60),
        (left, top, right, bottom) in (0.0..1.0_f64, 0.0..1.0_f64, 0.0..1.0_f64, 0.0..1.0_f64),
        (kind, kept_width, kept_height) in (0..4_usize, any::<bool>(), any::<bool>()),
    ) {
        let filter = [Filter::Bicubic, Filter::Lanczos, Filter::Bilinear, Filter::Box][kind];
        let image = noise(width, height);
        let to = (if kept_width { width } else { to_width }, if kept_height { height } else { to_height });
        let (left, wide) = part(left, right, to.0);
        let (top, high) = part(top, bottom, to.1);
        let window = Window { left, top, width: wide, height: high };
        let expected = resize_window(&image, to.0, to.1, window, filter).into_raw();
        prop_assert_eq!(carried_out(&image, to, window, filter), expected);
    }
}
