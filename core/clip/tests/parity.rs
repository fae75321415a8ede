//! Vectors against those of the reference implementation, on the device that `CHAFFINCH_TEST_DEVICE` names. Fixtures:
//! `scripts/fixtures/make_clip_fixtures.py`.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // Helpers of tests fail and tell as tests do.

mod device;

use chaffinch_clip::{Bundled, ClipEmbedder, DeviceChoice, ModelSource, load};
use chaffinch_compute::embedding::{EmbedError, Embedder};
use device::{device, tolerance};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(serde::Deserialize)]
struct Expected {
    images: BTreeMap<String, Vec<f32>>,
    texts: Vec<Text>,
    logit_scale: Option<f32>,
}

#[derive(serde::Deserialize)]
struct Text {
    text: String,
    vector: Vec<f32>,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn open(folder: &Path) -> ClipEmbedder {
    load(&ModelSource::Folder(folder.into()), device()).unwrap()
}

/// Largest difference and smallest cosine of unit vectors.
fn compare(found: &[f32], expected: &[f32], worst: &mut (f32, f64)) {
    assert_eq!(found.len(), expected.len());
    let difference = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let cosine: f64 = found.iter().zip(expected).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    *worst = (worst.0.max(difference), worst.1.min(cosine));
}

/// Compares a checkpoint with its `expected.json`; pictures are in `pictures`.
fn check(folder: &Path, pictures: &Path) {
    check_model(&open(folder), folder, pictures, tolerance());
}

/// The same of a model that was loaded from there; vectors may differ by at most this much, and must have at least that
/// cosine.
fn check_model(model: &ClipEmbedder, folder: &Path, pictures: &Path, (most, least): (f32, f64)) {
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Expected = serde_json::from_str(&text).unwrap();
    let (mut images, mut texts) = ((0.0, 1.0), (0.0, 1.0));
    for (name, vector) in &expected.images {
        let picture = image::open(pictures.join(format!("{name}.png"))).unwrap().into_rgb8();
        let found = model.embed_images(&model.preprocess(&picture), 1).unwrap();
        compare(&found, vector, &mut images);
    }
    if !expected.texts.is_empty() {
        let prompts: Vec<&str> = expected.texts.iter().map(|text| text.text.as_str()).collect();
        let found = model.embed_texts(&prompts).unwrap();
        for (found, expected) in found.chunks(model.dim()).zip(&expected.texts) {
            compare(found, &expected.vector, &mut texts);
        }
    }
    println!("{}: images {images:?}, texts {texts:?} (max abs, min cosine)", folder.display());
    for (difference, cosine) in [images, texts] {
        assert!(difference <= most && cosine >= least, "{}: {difference} {cosine}", folder.display());
    }
    if let Some(scale) = expected.logit_scale {
        assert!((model.logit_scale() / scale - 1.0).abs() < 1e-3);
    }
}

#[test]
fn small_checkpoints_agree() {
    for name in [
        "quick",
        "gelu-eps",
        "asymmetric",
        "eos7",
        "legacy",
        "vision-only",
        "siglip",
        "siglip2",
        "vit",
        "vit-classifier",
        "dinov2",
        "dinov2-registers",
        "open-clip",
    ] {
        check(&fixtures().join(name), &fixtures().join("preprocess"));
    }
}

/// Fixture: `scripts/train/make_photo_fixture.py`.
#[test]
fn the_model_for_photographs_agrees() {
    let model = load(&ModelSource::Bundled(Bundled::Photo), device()).unwrap();
    check_model(&model, &fixtures().join("photo"), &fixtures().join("preprocess"), tolerance());
}

#[test]
fn in_bf16_they_agree_as_well_as_such_numbers_can() {
    for name in [
        "quick",
        "gelu-eps",
        "asymmetric",
        "eos7",
        "legacy",
        "vision-only",
        "siglip",
        "siglip2",
        "dinov2",
        "open-clip",
    ] {
        let folder = fixtures().join(name);
        match load(&ModelSource::Folder(folder.clone()), DeviceChoice::CpuBf16) {
            Ok(model) => {
                assert_ne!(model.fingerprint(), open(&folder).fingerprint(), "filed under another name");
                check_model(&model, &folder, &fixtures().join("preprocess"), (0.02, 0.999));
            }
            Err(error) => {
                assert!(error.to_string().contains("AMX"), "{error}");
                // Past the capture of a passing test's output.
                let _ = writeln!(std::io::stderr(), "NOT RUN: models in bf16: {error}");
                return;
            }
        }
    }
    let vit = load(&ModelSource::Folder(fixtures().join("vit")), DeviceChoice::CpuBf16);
    let error = vit.err().unwrap().to_string();
    assert!(error.contains("type vit") && error.contains("--device cpu"), "{error}");
}

#[test]
#[ignore = "needs CHAFFINCH_VITB32_FIXTURE, a folder that make_clip_fixtures.py --vitb32 wrote: cargo test --release -p chaffinch-clip --test parity vitb32 -- --ignored"]
fn vitb32_agrees() {
    let folder =
        std::env::var_os("CHAFFINCH_VITB32_FIXTURE").expect("CHAFFINCH_VITB32_FIXTURE names a folder");
    let folder = Path::new(&folder);
    check(folder, folder);
    if let Ok(model) = load(&ModelSource::Folder(folder.into()), DeviceChoice::CpuBf16) {
        check_model(&model, folder, folder, (0.02, 0.999));
    }
    let model = open(folder);
    let picture = image::open(folder.join("wide.png")).unwrap().into_rgb8();
    let pixels = model.preprocess(&picture).repeat(64);
    model.embed_images(&pixels[..pixels.len() / 64], 1).unwrap();
    let start = std::time::Instant::now();
    model.embed_images(&pixels, 64).unwrap();
    println!("{:.1} images/s on {}", 64.0 / start.elapsed().as_secs_f64(), model.device());
}

#[test]
fn a_vision_only_checkpoint_reads_no_prompts() {
    let model = open(&fixtures().join("vision-only"));
    assert!(!model.has_text_tower());
    assert_eq!(model.dim(), 20);
    assert!(matches!(model.embed_texts(&["a cat"]), Err(EmbedError::NoTextTower(_))));
}
