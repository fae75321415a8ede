//! The same picture gives the same bytes, regardless of the batch and the number of threads, on the device that
//! `CHAFFINCH_TEST_DEVICE` names.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // Helpers of tests fail and tell as tests do.

mod device;

use chaffinch_clip::{Bundled, ClipEmbedder, DeviceChoice, ModelSource, load};
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::image::RgbImage;
use device::device;
use std::path::Path;
use std::process::Command;

/// More than one batch, and a last batch that is not full.
const COUNT: usize = 37;
const PROMPTS: [&str; 5] =
    ["a cat", "a photo of a dog", "", "the ship on the sea at dawn, a painting", "truck"];

fn models() -> Vec<ClipEmbedder> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let folders =
        ["quick", "asymmetric", "siglip", "vit"].map(|name| ModelSource::Folder(fixtures.join(name)));
    let sources: Vec<ModelSource> =
        Bundled::ALL.into_iter().map(ModelSource::Bundled).chain(folders).collect();
    let models = sources.iter().map(|source| load(source, device()).unwrap());
    // Where the processor has the instructions.
    models.chain(sources.iter().filter_map(|source| load(source, DeviceChoice::CpuBf16).ok())).collect()
}

/// Vectors of all prompts, empty if the model has no text tower.
fn texts(model: &ClipEmbedder) -> Vec<f32> {
    if model.has_text_tower() { model.embed_texts(&PROMPTS).unwrap() } else { Vec::new() }
}

fn picture(seed: usize) -> RgbImage {
    let seed = seed as u32;
    RgbImage::from_fn(40 + seed % 7, 33 + seed % 5, |x, y| {
        let mixed = ((x * 7 + y * 13 + seed * 101) ^ (x * y)).wrapping_mul(2_654_435_761);
        image::Rgb([(mixed >> 24) as u8, (x * 6) as u8, (y * 5 + seed) as u8])
    })
}

fn bits(vector: &[f32]) -> Vec<u32> {
    vector.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn company_does_not_matter() {
    for model in models() {
        let inputs: Vec<Vec<u8>> = (0..COUNT).map(|seed| model.preprocess(&picture(seed))).collect();
        let all = model.embed_images(&inputs.concat(), COUNT).unwrap();
        for count in [1, 2, 3, 7, 32] {
            for start in [0, 3, COUNT - count] {
                let part = &inputs[start..start + count];
                let part = model.embed_images(&part.concat(), count).unwrap();
                let whole = &all[start * model.dim()..][..count * model.dim()];
                assert_eq!(bits(&part), bits(whole), "{} from {start}, {count} images", model.name());
            }
        }
        let all = texts(&model);
        for (index, prompt) in PROMPTS.iter().enumerate().filter(|_| model.has_text_tower()) {
            let alone = model.embed_texts(&[prompt]).unwrap();
            assert_eq!(
                bits(&alone),
                bits(&all[index * model.dim()..][..model.dim()]),
                "{} {prompt}",
                model.name()
            );
        }
    }
}

#[test]
fn threads_do_not_matter() {
    let digest = |threads: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "digest_for_its_parent", "--nocapture"]);
        let out = command.env("RAYON_NUM_THREADS", threads).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        text.lines().find_map(|line| line.split_once("digest ")).map(|(_, digest)| digest.to_owned()).unwrap()
    };
    let one = digest("1");
    for threads in ["2", "3", "8"] {
        assert_eq!(digest(threads), one, "{threads} threads");
    }
}

#[test]
#[ignore = "run by threads_do_not_matter"]
fn digest_for_its_parent() {
    let mut hasher = blake3::Hasher::new();
    for model in models() {
        let inputs: Vec<u8> = (0..COUNT).flat_map(|seed| model.preprocess(&picture(seed))).collect();
        let vectors = [model.embed_images(&inputs, COUNT).unwrap(), texts(&model)].concat();
        for x in &vectors {
            hasher.update(&x.to_le_bytes());
        }
    }
    println!("digest {}", hasher.finalize().to_hex());
}
