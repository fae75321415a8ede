//! Damaged and unsupported checkpoints are refused with the file's name.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // Helpers of tests fail and tell as tests do.

use chaffinch_clip::{ClipError, DeviceChoice, ModelSource, load};
use chaffinch_compute::embedding::Embedder;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A copy of a fixture to break.
fn copy(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    for entry in fixture.read_dir().unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

fn refused(folder: &TempDir) -> ClipError {
    load(&ModelSource::Folder(folder.path().into()), DeviceChoice::Cpu).err().expect("should be refused")
}

/// Loads it, and expects all the words in the message.
fn says(folder: &TempDir, words: &[&str]) {
    let error = refused(folder).to_string();
    words.iter().for_each(|word| assert!(error.contains(word), "{word:?} is not in: {error}"));
}

fn edit(folder: &TempDir, file: &str, from: &str, to: &str) {
    let path = folder.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

/// Rewrites the weights with one tensor renamed, truncated or unchanged.
fn rewrite(folder: &TempDir, change: impl Fn(&str, &mut Vec<usize>) -> Option<String>) {
    let path: PathBuf = folder.path().join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let old = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors = Vec::new();
    for (name, view) in old.tensors() {
        let mut shape = view.shape().to_vec();
        let Some(name) = change(&name, &mut shape) else { continue };
        let length = shape.iter().product::<usize>() * view.data().len()
            / view.shape().iter().product::<usize>().max(1);
        tensors.push((name, TensorView::new(view.dtype(), shape, &view.data()[..length]).unwrap()));
    }
    std::fs::write(&path, safetensors::serialize(tensors, None).unwrap()).unwrap();
}

#[test]
fn missing_and_misshapen_tensors_are_named() {
    for missing in
        ["vision_model.embeddings.class_embedding", "logit_scale", "text_model.encoder.layers.1.mlp.fc2.bias"]
    {
        let folder = copy("quick");
        rewrite(&folder, |name, _| (name != missing).then(|| name.into()));
        says(&folder, &["model.safetensors", missing]);
        assert!(matches!(refused(&folder), ClipError::MissingTensor { .. }));
    }
    for (fixture, missing) in [
        ("vit", "embeddings.cls_token"),
        ("vit-classifier", "vit.encoder.layer.1.attention.attention.key.weight"),
    ] {
        let folder = copy(fixture);
        rewrite(&folder, |name, _| (name != missing).then(|| name.into()));
        says(&folder, &["model.safetensors", missing]);
    }
    let folder = copy("quick");
    let wrong = "text_projection.weight";
    rewrite(&folder, |name, shape| {
        if name == wrong {
            shape[0] -= 1;
        }
        Some(name.into())
    });
    says(&folder, &["model.safetensors", wrong, "[31, 32]", "[32, 32]"]);
}

#[test]
fn files_that_are_cut_short_or_absent_are_named() {
    let folder = copy("quick");
    let path = folder.path().join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    for length in [0, 7, 100, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        says(&folder, &[path.to_str().unwrap()]);
    }
    std::fs::remove_file(&path).unwrap();
    says(&folder, &["has no model.safetensors"]);
    for (fixture, file) in [("quick", "config.json"), ("eos7", "tokenizer.json"), ("legacy", "merges.txt")] {
        let folder = copy(fixture);
        std::fs::remove_file(folder.path().join(file)).unwrap();
        says(&folder, &[folder.path().to_str().unwrap(), file]);
    }
    let folder = copy("asymmetric");
    std::fs::remove_file(folder.path().join("model-00002-of-00002.safetensors")).unwrap();
    says(&folder, &["cannot read", "model-00002-of-00002.safetensors"]);
    edit(&folder, "model.safetensors.index.json", "model-00002", "../model-00002");
    says(&folder, &["index.json", "is not the name of a safetensors file"]);
}

#[test]
fn a_configuration_that_does_not_go_with_the_rest_is_refused() {
    let folder = copy("quick");
    edit(&folder, "config.json", "\"model_type\": \"clip\"", "\"model_type\": \"flava\"");
    says(&folder, &["config.json", "flava", "siglip"]);
    let folder = copy("eos7");
    edit(&folder, "config.json", "\"eos_token_id\": 7", "\"eos_token_id\": 9");
    says(&folder, &["tokenizer.json", "never ends a text with 9"]);
    let folder = copy("quick");
    edit(&folder, "config.json", "\"vocab_size\": 604", "\"vocab_size\": 600");
    says(&folder, &["tokenizer.json", "603", "600"]);
    let folder = copy("quick");
    edit(&folder, "preprocessor_config.json", "\"height\": 32", "\"height\": 40");
    says(&folder, &["preprocessor_config.json", "not a square"]);
}

#[test]
fn fingerprints_follow_the_content() {
    let fingerprint = |folder: &TempDir| {
        let model = load(&ModelSource::Folder(folder.path().into()), DeviceChoice::Cpu).unwrap();
        model.fingerprint().clone()
    };
    let (one, other) = (copy("quick"), copy("quick"));
    let first = fingerprint(&one);
    assert_eq!(first, fingerprint(&other), "the place does not matter");
    assert!(first.as_str().ends_with("-p1"), "{first}");
    edit(&other, "preprocessor_config.json", "\"resample\": 3", "\"resample\": 2");
    assert_ne!(first, fingerprint(&other), "the preprocessing does");
    let other = copy("quick");
    let path = other.path().join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_ne!(first, fingerprint(&other), "one bit of the weights does");
}
