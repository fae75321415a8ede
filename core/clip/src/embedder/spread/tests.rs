//! Several devices that are the processor, which computes in the steps of a GPU. `tests/gpu.rs` has emulated cards that break.

use super::super::loading::load_on;
use super::WORTHWHILE;
use crate::ClipEmbedder;
use crate::device::{DeviceContext, Gpu, Gpus, Kind, Otherwise, Place};
use crate::error::ClipError;
use crate::source::{Checkpoint, ModelSource};
use candle_core::{DType, Device};
use chaffinch_compute::embedding::{EmbedError, Embedder};
use std::path::Path;

/// Free memory that is plenty for the model.
const AMPLE: u64 = 1 << 30;
/// Free memory for its weights and a few images.
const SCARCE: u64 = 2 << 20;

/// What a number stands for: its kind and its free memory; 9 is broken.
fn open(number: usize) -> Result<DeviceContext, ClipError> {
    let (model, free) = match number {
        0..5 => ("H200", AMPLE),
        5 => ("L4", AMPLE),
        6 => ("H200", SCARCE),
        _ => {
            return Err(ClipError::Device {
                device: format!("cuda:{number}"),
                reason: "it is broken".into(),
            });
        }
    };
    let kind = Kind { model: model.into(), capability: (9, 0), processors: 132 };
    Ok(DeviceContext {
        free: Some(free),
        gpu: Some(Gpu { number, kind }),
        ..DeviceContext::at(Place::Device(Device::Cpu), DType::F16, format!("cuda:{number} ({model})"))
    })
}

fn load(numbers: &[usize], otherwise: Otherwise) -> Result<ClipEmbedder, ClipError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/quick");
    let source = ModelSource::Folder(folder);
    let mut gpus = Gpus::opened_by(numbers.iter().copied().collect(), otherwise, Box::new(open));
    let context = gpus.first()?;
    let checkpoint = Checkpoint::open(&source, true, &mut |_| ())?;
    load_on(&source, context, gpus, checkpoint, None)
}

/// The model on all of these.
fn on(numbers: &[usize]) -> ClipEmbedder {
    let model = load(numbers, Otherwise::Error).unwrap();
    // Full batches of small models are large for a processor.
    for placed in &super::open(&model.spread.shared.state).working {
        placed.batches.resize(4);
        placed.text_batches.resize(4);
    }
    model
}

/// So many images of noise.
fn images(model: &ClipEmbedder, count: usize) -> Vec<u8> {
    (0..count * model.input_len()).map(|at| ((at as u32).wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// How many calls each device works on.
fn unfinished(model: &ClipEmbedder) -> Vec<usize> {
    let state = super::open(&model.spread.shared.state);
    state.working.iter().map(|placed| placed.unfinished.load(super::Ordering::Relaxed)).collect()
}

/// Fails as a device does that breaks.
fn broken() -> EmbedError {
    EmbedError::Model("quick on it failed: it broke".into())
}

#[test]
fn calls_go_to_the_device_with_the_least_to_do_and_give_the_same_bits() {
    let (one, three) = (on(&[0]), on(&[0, 1, 2]));
    assert_eq!(three.device(), "cuda:0,1,2 (H200)");
    assert_eq!((one.ahead(), three.ahead()), (2, 6));
    assert_eq!(one.fingerprint(), three.fingerprint());
    let pixels = images(&one, 15);
    let expected = one.embed_images(&pixels, 15).unwrap();
    let each = 3 * one.input_len();
    let started: Vec<_> = pixels.chunks(each).map(|part| three.start_images(part, 3).unwrap()).collect();
    assert_eq!(unfinished(&three), [2, 2, 1]);
    let found: Vec<f32> = started.into_iter().flat_map(|one| one.finish().unwrap()).collect();
    assert_eq!(found, expected);
    assert_eq!(unfinished(&three), [0, 0, 0]);
    let texts = ["a photo of a cat", "a diagram"];
    assert_eq!(three.embed_texts(&texts).unwrap(), one.embed_texts(&texts).unwrap());
    assert!(three.happened().is_empty() && three.notes().is_empty());
}

#[test]
fn what_a_device_has_started_when_it_fails_is_computed_by_another() {
    let model = on(&[0, 1]);
    let pixels = images(&model, 8);
    let expected = on(&[0]).embed_images(&pixels, 8).unwrap();
    let each = 2 * model.input_len();
    let started: Vec<_> = pixels.chunks(each).map(|part| model.start_images(part, 2).unwrap()).collect();
    assert_eq!(unfinished(&model), [2, 2]);
    let first = model.spread.leading();
    model.spread.fail(&first, broken()).unwrap();
    let found: Vec<f32> = started.into_iter().flat_map(|one| one.finish().unwrap()).collect();
    assert_eq!(found, expected);
    assert_eq!((model.device().as_str(), model.ahead()), ("cuda:1 (H200)", 2));
    let happened = model.happened();
    assert!(happened.len() == 1 && happened[0].contains("it broke"), "{happened:?}");
    assert!(model.happened().is_empty(), "it is told once");
    // Said again of the same one, that is no news; of the last one, it is the end.
    model.spread.fail(&first, broken()).unwrap();
    assert!(model.happened().is_empty());
    let error = model.spread.fail(&model.spread.leading(), broken()).unwrap_err().to_string();
    assert!(error.contains("it broke"), "{error}");
    assert_eq!(model.embed_images(&pixels, 8).unwrap(), expected, "the last one is not given up");
}

#[test]
fn others_are_opened_when_there_is_much_to_do() {
    let model = load(&[0, 9, 5, 1, 6, 2], Otherwise::Cpu).unwrap();
    assert_eq!((model.device().as_str(), model.notes().len()), ("cuda:0 (H200)", 0));
    model.spread.give(WORTHWHILE);
    model.wait_for_devices();
    assert_eq!(model.device(), "cuda:0 (H200)", "that many images are too few");
    model.spread.give(1);
    model.wait_for_devices();
    assert_eq!(model.device(), "cuda:0,1,2 (H200)");
    let happened = model.happened();
    let about = |name: &str, words: &str| {
        let start = format!("a GPU is left out: cannot use {name}");
        happened.iter().filter(|one| one.starts_with(&start) && one.contains(words)).count()
    };
    assert_eq!(happened.len(), 3, "{happened:?}");
    assert_eq!(about("cuda:9", "it is broken"), 1, "{happened:?}");
    assert_eq!(about("cuda:5 (L4)", "of another kind than cuda:0 (H200)"), 1, "{happened:?}");
    assert_eq!(about("cuda:6 (H200)", "its free memory suffices for batches of"), 1, "{happened:?}");
}

#[test]
fn the_one_with_the_most_memory_leads_and_those_like_it_follow() {
    let usual = load(&[0], Otherwise::Cpu).unwrap();
    let model = load(&[6, 9, 1, 2], Otherwise::Cpu).unwrap();
    assert_eq!((model.device().as_str(), model.fingerprint()), ("cuda:1 (H200)", usual.fingerprint()));
    let notes = model.notes();
    assert!(notes.len() == 2 && notes.iter().any(|note| note.contains("cuda:6 (H200)")), "{notes:?}");
    model.spread.give(WORTHWHILE + 1);
    model.wait_for_devices();
    assert_eq!(model.device(), "cuda:1,2 (H200)");
    let scarce = load(&[6], Otherwise::Cpu).unwrap();
    assert_ne!(scarce.fingerprint(), usual.fingerprint());
}

#[test]
fn those_that_were_named_must_work_together() {
    for (numbers, words) in [
        ([0, 5], "cannot use cuda:5 (L4): it is of another kind than cuda:0 (H200)"),
        ([0, 6], "cannot use cuda:6 (H200): its free memory suffices"),
        ([6, 0], "cannot use cuda:6 (H200): its free memory suffices"),
        ([0, 9], "cannot use cuda:9: it is broken"),
    ] {
        let error = load(&numbers, Otherwise::Error).err().unwrap().to_string();
        assert!(error.starts_with(words), "{numbers:?}: {error}");
    }
}
