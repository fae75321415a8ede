//! The steps that a GPU runs, on the processor: candle's operations in half precision and bf16, in full batches.

use super::*;
use crate::device::{DeviceContext, Gpus, Place};
use crate::source::{Checkpoint, ModelSource};
use crate::{Bundled, DeviceChoice, load};
use candle_core::Device;
use std::path::{Path, PathBuf};

const FIXTURES: [&str; 13] = [
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
];

/// Numbers with eight bits give no more.
const BRAIN: f64 = 0.999;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn stepwise(source: &ModelSource, dtype: DType, budget: Option<&str>) -> ClipEmbedder {
    let context = DeviceContext::at(Place::Device(Device::Cpu), dtype, "stepwise".into());
    let checkpoint = Checkpoint::open(source, true, &mut |_| ()).unwrap();
    let budget = budget.map(|text| text.parse().unwrap());
    let gpus = Gpus::of(&DeviceChoice::Cpu);
    let model = loading::load_on(source, context, gpus, checkpoint, budget).unwrap();
    // Full batches of small models are large for a processor.
    model.spread.first().batches.resize(4);
    model.spread.first().text_batches.resize(4);
    model
}

fn pictures(model: &ClipEmbedder) -> Vec<Vec<u8>> {
    let read =
        |name: &str| image::open(fixtures().join(format!("preprocess/{name}.png"))).unwrap().into_rgb8();
    ["wide", "tall", "small", "checks"].map(|name| model.preprocess(&read(name))).to_vec()
}

/// What the bundled models give for [`pictures`] and two prompts. Change it only with a model or its preprocessing.
const DIGESTS: [&str; 2] = ["9e82dc044b774535", "f1f4f13f99811467"];

#[test]
fn vectors_of_the_bundled_models_are_the_same_bytes_on_every_cpu() {
    let digests = [Bundled::Small, Bundled::Photo].map(|bundled| {
        let model = load(&ModelSource::Bundled(bundled), DeviceChoice::Cpu).unwrap();
        let inputs = pictures(&model);
        let mut numbers = model.embed_images(&inputs.concat(), inputs.len()).unwrap();
        numbers.extend(model.embed_texts(&["a photo of a cat", "a diagram of an engine, blue"]).unwrap());
        let bytes: Vec<u8> = numbers.into_iter().flat_map(f32::to_le_bytes).collect();
        blake3::hash(&bytes).to_hex()[..16].to_owned()
    });
    assert_eq!(digests, DIGESTS);
}

/// The least cosine of rows of unit vectors.
fn least_cosine(a: &[f32], b: &[f32], dim: usize) -> f64 {
    assert_eq!(a.len(), b.len());
    let cosine = |(a, b): (&[f32], &[f32])| -> f64 {
        let product =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        product(a, b) / (product(a, a) * product(b, b)).sqrt()
    };
    a.chunks_exact(dim).zip(b.chunks_exact(dim)).map(cosine).fold(1.0, f64::min)
}

/// Least cosines of images and texts to those in single precision, which other tests compare with the reference.
fn compare(source: &ModelSource, dtype: DType) -> (f64, f64) {
    let exact = load(source, DeviceChoice::Cpu).unwrap();
    let model = stepwise(source, dtype, None);
    assert_ne!(model.fingerprint(), exact.fingerprint());
    let inputs = pictures(&model);
    let found = model.embed_images(&inputs.concat(), inputs.len()).unwrap();
    let images =
        least_cosine(&found, &exact.embed_images(&inputs.concat(), inputs.len()).unwrap(), model.dim());
    let prompts = ["a photo of a cat", "", "a diagram of an engine, blue", "the ship on the sea at dawn"];
    let texts = match model.has_text_tower() {
        true => least_cosine(
            &model.embed_texts(&prompts).unwrap(),
            &exact.embed_texts(&prompts).unwrap(),
            model.dim(),
        ),
        false => 1.0,
    };
    (images, texts)
}

#[test]
fn every_fixture_agrees_in_half_precision_and_bf16() {
    let mut sources: Vec<ModelSource> =
        FIXTURES.map(|name| ModelSource::Folder(fixtures().join(name))).into();
    sources.extend(Bundled::ALL.map(ModelSource::Bundled));
    for source in &sources {
        let half = compare(source, DType::F16);
        println!("{source}: f16 {half:.7?} (least cosines of images and texts)");
        assert!(half.0 >= 0.9999 && half.1 >= 0.9999, "{source} in f16: {half:?}");
        // Candle convolves in bf16 on GPUs only.
        if !matches!(
            source.to_string().rsplit('/').next(),
            Some("vit" | "vit-classifier" | "bundled-photo" | "bundled")
        ) {
            let brain = compare(source, DType::BF16);
            println!("{source}: bf16 {brain:.7?}");
            assert!(brain.0 >= BRAIN && brain.1 >= BRAIN, "{source} in bf16: {brain:?}");
        }
    }
}

#[test]
fn company_and_budget_do_not_matter() {
    for name in ["quick", "siglip", "dinov2-registers", "vit"] {
        let source = ModelSource::Folder(fixtures().join(name));
        let model = stepwise(&source, DType::F16, None);
        let inputs: Vec<Vec<u8>> = pictures(&model).into_iter().cycle().take(11).collect();
        let all = model.embed_images(&inputs.concat(), inputs.len()).unwrap();
        for (index, input) in inputs.iter().enumerate() {
            let alone = model.embed_images(input, 1).unwrap();
            assert_eq!(alone, all[index * model.dim()..][..model.dim()], "{name} {index}");
        }
        let budgeted = stepwise(&source, DType::F16, Some("3GiB"));
        assert_eq!(budgeted.fingerprint(), model.fingerprint());
        assert_eq!(budgeted.embed_images(&inputs.concat(), inputs.len()).unwrap(), all);
    }
}

#[test]
fn the_parts_of_a_picture_are_all_of_it_where_the_tower_pools() {
    let model = load(&ModelSource::Bundled(Bundled::Photo), DeviceChoice::Cpu).unwrap();
    for input in pictures(&model) {
        let parts = model.parts(&input).unwrap();
        assert_eq!((parts.rows, parts.columns, parts.vectors.len()), (7, 7, 49 * model.dim()));
        let whole = model.embed_images(&input, 1).unwrap();
        let sum = |at: usize| parts.vectors.iter().skip(at).step_by(model.dim()).sum::<f32>();
        let worst = whole.iter().enumerate().map(|(at, x)| (sum(at) - x).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-5, "{worst}");
    }
    assert!(model.parts(&[]).is_err());
}

/// What a GPU runs, and what the processor does instead.
#[test]
fn parts_agree_step_by_step() {
    let mut sources: Vec<ModelSource> = ["quick", "siglip", "dinov2-registers", "open-clip"]
        .map(|name| ModelSource::Folder(fixtures().join(name)))
        .into();
    sources.extend(Bundled::ALL.map(ModelSource::Bundled));
    for source in &sources {
        let exact = load(source, DeviceChoice::Cpu).unwrap();
        let input = &pictures(&exact)[0];
        let expected = exact.parts(input).unwrap();
        assert_eq!(expected.vectors.len(), expected.rows * expected.columns * exact.dim(), "{source}");
        for dtype in [DType::F32, DType::F16] {
            let found = stepwise(source, dtype, None).parts(input).unwrap();
            assert_eq!((found.rows, found.columns), (expected.rows, expected.columns));
            let all = |parts: &Parts| parts.vectors.iter().map(|x| x * x).sum::<f32>().sqrt();
            let apart: f32 =
                found.vectors.iter().zip(&expected.vectors).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
            assert!(apart < 0.01 * all(&expected), "{source} {dtype:?}: {apart} of {}", all(&expected));
        }
    }
}

#[test]
fn another_batch_is_filed_under_another_name() {
    let source = ModelSource::Folder(fixtures().join("quick"));
    let usual = stepwise(&source, DType::F16, None);
    let scarce = stepwise(&source, DType::F16, Some("514MiB"));
    assert_ne!(scarce.fingerprint(), usual.fingerprint());
    assert!(scarce.notes().iter().any(|note| note.contains("stored apart")), "{:?}", scarce.notes());
}

#[test]
fn a_row_without_a_direction_costs_itself_alone() {
    let numbers = vec![3.0_f32, 4.0, f32::NAN, 1.0, f32::INFINITY, 0.0, 0.0, 0.0, 0.0, 2.0];
    let found = units(numbers, 2);
    assert_eq!((found[0], found[1], found[8], found[9]), (0.6, 0.8, 0.0, 1.0));
    assert!(found[2..8].iter().all(|number| number.is_nan()));
    assert!(!all_undefined(&found, 2) && !all_undefined(&[f32::NAN; 4], 2));
    assert!(all_undefined(&[f32::NAN; 2 * SUSPICIOUS], 2));
}

#[test]
fn neighbors_are_filtered_where_the_model_is() {
    let model = stepwise(&ModelSource::Folder(fixtures().join("quick")), DType::F16, None);
    let vectors: Vec<f32> =
        (0..40 * model.dim()).map(|at| if at % (model.dim() + 1) == 0 { 1.0 } else { 0.0 }).collect();
    let kept = model.keep_on_device(&vectors).unwrap().unwrap();
    assert_eq!(kept.rows(), 40);
    let exact = load(&ModelSource::Folder(fixtures().join("quick")), DeviceChoice::Cpu).unwrap();
    assert!(exact.keep_on_device(&vectors).unwrap().is_none());
}
