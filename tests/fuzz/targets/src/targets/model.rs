//! The files of a model: configuration, weights, tokenizer, preprocessing.

use crate::Target;
use crate::fixtures::{Named, folder};
use crate::stage::{Stage, play, seeds};
use chaffinch_clip::{DeviceChoice, ModelSource, load};
use chaffinch_compute::embedding::Embedder;

/// The target.
pub const TARGET: Target = Target {
    name: "model",
    reads: "a model's config.json, safetensors and their index, tokenizer.json, vocabulary and preprocessing",
    run,
    seeds: || seeds(STAGES),
};

const STAGES: &[Stage] = &[
    Stage { files: siglip2, varied: "config.json" },
    Stage { files: siglip2, varied: "preprocessor_config.json" },
    Stage { files: siglip2, varied: "tokenizer.json" },
    Stage { files: siglip2, varied: "tokenizer_config.json" },
    Stage { files: siglip2, varied: "model.safetensors" },
    Stage { files: asymmetric, varied: "model.safetensors.index.json" },
    Stage { files: asymmetric, varied: "config.json" },
    Stage { files: open_clip, varied: "open_clip_config.json" },
    Stage { files: open_clip, varied: "tokenizer.json" },
    Stage { files: vision, varied: "config.json" },
    Stage { files: vit, varied: "config.json" },
    Stage { files: vit, varied: "preprocessor_config.json" },
];

/// The largest picture that is put into a model here.
const SIDE: usize = 128;

fn run(bytes: &[u8]) {
    play(TARGET.name, STAGES, bytes, |number, folder| {
        let Ok(model) = load(&ModelSource::Folder(folder.to_path_buf()), DeviceChoice::Cpu) else { return };
        let texts = ["a photo of a gr\u{f6}\u{df}e cat \u{1f389}", "", "123 <|endoftext|> \u{0}\u{200d}"];
        if let Ok(vectors) = model.embed_texts(&texts) {
            assert_eq!(vectors.len(), texts.len() * model.dim());
        }
        if number == 2 || number == 3 || model.image_size() > SIDE {
            return;
        }
        let image = chaffinch_compute::image::RgbImage::from_fn(20, 12, |x, y| {
            [(x * 12) as u8, (y * 20) as u8, 99].into()
        });
        let input = model.preprocess(&image);
        assert_eq!(input.len(), model.input_len());
        if let Ok(vectors) = model.embed_images(&input, 1) {
            assert_eq!(vectors.len(), model.dim());
        }
    });
}

fn without_expected(name: &str) -> Vec<Named> {
    let mut files = folder(&format!("clip/tests/fixtures/{name}"));
    files.retain(|(name, _)| name != "expected.json");
    files
}

fn siglip2() -> Vec<Named> {
    without_expected("siglip2")
}

fn asymmetric() -> Vec<Named> {
    without_expected("asymmetric")
}

fn open_clip() -> Vec<Named> {
    without_expected("open-clip")
}

fn vision() -> Vec<Named> {
    without_expected("dinov2")
}

fn vit() -> Vec<Named> {
    without_expected("vit")
}
