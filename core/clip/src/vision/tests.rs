use super::*;
use crate::config::{Backbone, Cleaning, EncoderConfig, TextConfig, VisionConfig, preprocessor};
use crate::files::{FileSet, Layout, OPEN_CLIP_CONFIG};
use crate::naming::Naming;
use crate::ops::Activation;
use crate::preprocess::Preprocessing;
use crate::text::TextTower;
use crate::tokenizer::{ClipTokenizer, Padding};
use crate::weights::Weights;
use candle_core::{DType, Device};
use std::path::Path;

/// timm's SigLIP has fixed sizes, the smallest of which is too large for a fixture; this one is small.
const ENCODER: EncoderConfig = EncoderConfig {
    hidden_size: 48,
    intermediate_size: 96,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    layer_norm_eps: 1e-6,
    activation: Activation::Gelu,
};

fn close(found: &Tensor, expected: &serde_json::Value, what: &str) {
    let found: Vec<f32> = found.flatten_all().unwrap().to_vec1().unwrap();
    let length = found.iter().map(|x| x * x).sum::<f32>().sqrt();
    let expected: Vec<f32> =
        expected.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found / length - expected).abs() < 1e-4, "{what}: {} {expected}", found / length);
    }
}

/// Made by `scripts/fixtures/make_clip_fixtures.py` with OpenCLIP and timm.
#[test]
fn timms_siglip_in_open_clips_layout_agrees() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let folder = fixtures.join("open-clip-siglip");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let weights = Weights::open(&FileSet::of_folder(&folder), Layout::OpenClip, &folder).unwrap();
    let weights = weights.named(Naming::OpenClipSiglip);
    let vision = VisionConfig {
        backbone: Backbone::Transformer,
        encoder: ENCODER,
        image_size: 32,
        trained_size: 32,
        patch_size: 8,
        registers: 0,
        qkv_bias: true,
    };
    let tokenizer = read("tokenizer.json");
    let path = folder.join("tokenizer.json");
    let tokenizer =
        ClipTokenizer::from_json(tokenizer.as_bytes(), &path, 16, Some(Padding { id: None }), None).unwrap();
    assert_eq!(tokenizer.padding(), Some((0, "<pad>".into(), false)));
    let tokenizer = tokenizer.cleaned(Cleaning::Canonical);
    let text = TextConfig {
        encoder: ENCODER,
        vocab_size: tokenizer.largest_id() as usize + 1,
        max_position_embeddings: 16,
        eos_token_id: 2,
        pad_token_id: None,
        projection_size: 48,
        cleaning: Cleaning::Canonical,
    };
    let config = ModelConfig {
        family: Family::Siglip,
        naming: Naming::OpenClipSiglip,
        vision,
        text: Some(text),
        projection_dim: 48,
    };
    let device = Device::Cpu;
    let loader = Loader {
        weights: &weights,
        device: &device,
        dtype: DType::F32,
        stepwise: false,
        in_tiles: false,
        device_name: "cpu",
        stop: &false.into(),
    };
    let tower = VisionTower::load(&loader, &config).unwrap();
    let words = preprocessor(&read(OPEN_CLIP_CONFIG), Path::new(OPEN_CLIP_CONFIG), 32).unwrap();
    let preprocessing =
        Preprocessing::new(Some(&words), Path::new(OPEN_CLIP_CONFIG), Family::Siglip, 32).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&read("expected.json")).unwrap();
    let images = expected["images"].as_object().unwrap();
    assert_eq!(images.len(), 4);
    for (name, vector) in images {
        let picture = image::open(fixtures.join(format!("preprocess/{name}.png"))).unwrap().into_rgb8();
        let pixels = preprocessing.normalized(&preprocessing.apply(&picture));
        let pixels = Tensor::from_vec(pixels, (1, 3, 32, 32), &device).unwrap();
        close(&tower.forward(&pixels).unwrap(), vector, name);
    }
    let tower = TextTower::load(&loader, &config, &text).unwrap();
    let texts = expected["texts"].as_array().unwrap();
    assert_eq!(texts.len(), 6);
    for one in texts {
        let words = one["text"].as_str().unwrap();
        let ids = tokenizer.encode(words).unwrap();
        assert_eq!(ids.len(), 16);
        close(&tower.forward(&ids, 16, &device).unwrap(), &one["vector"], words);
    }
}
