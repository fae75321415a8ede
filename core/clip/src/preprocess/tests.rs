use super::*;
use candle_core::Device;
use std::collections::BTreeMap;

fn fixtures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/preprocess")
}

fn new(text: &str, family: Family, size: usize) -> Result<Preprocessing, String> {
    let path = Path::new("m/preprocessor_config.json");
    Preprocessing::new(Some(text), path, family, size).map_err(|error| error.to_string())
}

/// Made by `scripts/fixtures/make_clip_fixtures.py` with Pillow.
#[test]
fn numbers_are_those_of_the_reference_implementation() {
    let text = std::fs::read_to_string(fixtures().join("configs.json")).unwrap();
    let configs: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    let tensors =
        candle_core::safetensors::load(fixtures().join("expected.safetensors"), &Device::Cpu).unwrap();
    let mut worst: f32 = 0.0;
    for picture in ["wide", "tall", "small", "checks"] {
        let image = image::open(fixtures().join(format!("{picture}.png"))).unwrap().into_rgb8();
        let mut compare = |config: &str, found: &[f32]| {
            let expected = tensors[&format!("{config}.{picture}")].flatten_all().unwrap();
            let expected: Vec<f32> = expected.to_vec1().unwrap();
            assert_eq!(found.len(), expected.len());
            let difference = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(difference <= 1e-6, "{config} {picture}: {difference}");
            worst = worst.max(difference);
        };
        for (name, config) in &configs {
            let family = if config["family"] == "clip" { Family::Clip } else { Family::Siglip };
            let size = tensors[&format!("{name}.{picture}")].dim(1).unwrap();
            let preprocessing = new(&config.to_string(), family, size).unwrap();
            let bytes = preprocessing.apply(&image);
            compare(name, &preprocessing.normalized(&bytes));
            let bytes = Tensor::from_vec(bytes, (1, 3, size, size), &Device::Cpu).unwrap();
            let stepwise = preprocessing.normalized_on(&bytes, DType::F32).unwrap();
            compare(name, &stepwise.flatten_all().unwrap().to_vec1().unwrap());
        }
        let usual = Preprocessing::new(None, Path::new(""), Family::Clip, 224).unwrap();
        let usual = usual.normalized(&usual.apply(&image));
        compare("clip224", &usual.into_iter().step_by(997).collect::<Vec<f32>>());
    }
    println!("largest difference {worst}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |text: &str, size: usize, words: &[&str]| {
        let error = new(text, Family::Clip, size).err().unwrap();
        words.iter().for_each(|word| assert!(error.contains(word), "{error}"));
    };
    refused("{}", 336, &["m/preprocessor_config.json", "224 x 224", "336 x 336"]);
    refused(r#"{"do_center_crop": false}"#, 224, &["no fixed square size"]);
    refused(r#"{"crop_size": {"height": 8, "width": 9}}"#, 8, &["not a square"]);
    refused(r#"{"size": {"shortest_edge": 8, "longest_edge": 9}}"#, 8, &["longest_edge"]);
    refused(r#"{"resample": 5}"#, 224, &["resample 5"]);
    refused(r#"{"image_std": [0.1, 0.0, 0.1]}"#, 224, &["image_std"]);
    refused("[", 224, &["EOF"]);
}

#[test]
fn extreme_proportions_take_little_memory() {
    let usual = Preprocessing::new(None, Path::new(""), Family::Clip, 224).unwrap();
    for (width, height) in [(1, 60_000), (60_000, 1), (1, 1)] {
        let image = RgbImage::from_pixel(width, height, image::Rgb([10, 20, 30]));
        let out = usual.apply(&image);
        assert_eq!((out[0], out.len()), (10, usual.len()));
    }
}

#[test]
fn what_the_model_sees_is_told_in_shares_of_the_picture() {
    let crop = r#"{"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}"#;
    let clip = new(crop, Family::Clip, 32).unwrap();
    assert_eq!(clip.seen(64, 64), [0.0, 0.0, 1.0, 1.0]);
    assert_eq!(clip.seen(128, 64), [0.25, 0.0, 0.75, 1.0]);
    assert_eq!(clip.seen(10, 40), [0.0, 0.375, 1.0, 0.625]);
    let squeezed = new(r#"{"size": {"height": 32, "width": 32}}"#, Family::Siglip, 32).unwrap();
    assert_eq!(squeezed.seen(128, 64), [0.0, 0.0, 1.0, 1.0]);
    // Around a picture that is smaller than the crop, it is black.
    let kept = r#"{"do_resize": false, "crop_size": {"height": 32, "width": 32}}"#;
    assert_eq!(new(kept, Family::Clip, 32).unwrap().seen(16, 32), [-0.5, 0.0, 1.5, 1.0]);
}
