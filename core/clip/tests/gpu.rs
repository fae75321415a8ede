//! The build for GPUs on the emulated one of `scripts/cuda/emulator`, which counts what it is asked for and fails on demand.
//! `scripts/cuda/emulator/test` builds it and runs these.
#![cfg(feature = "cuda")]
#![allow(clippy::unwrap_used, clippy::print_stdout)] // Helpers of tests fail and tell as tests do.

#[path = "gpu/several.rs"]
mod several;

use chaffinch_clip::{ClipEmbedder, DeviceChoice, ModelSource, SearchDevice, keep_on_device, load_within};
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::neighbors::{nearest, nearest_on_device};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

/// The folder of the emulated libraries.
fn emulated() -> PathBuf {
    std::env::var_os("CHAFFINCH_EMULATED_GPU").expect("run scripts/cuda/emulator/test").into()
}

fn fixture(name: &str) -> ModelSource {
    ModelSource::Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name))
}

/// A vision tower of ViT-B/32's depth and tokens, but narrow, with weights from a generator.
fn as_deep_as_b32(folder: &Path) -> String {
    let (width, inner, layers, tokens) = (96_usize, 384_usize, 12_usize, 50_usize);
    let config = json!({
        "model_type": "clip_vision_model", "hidden_size": width, "intermediate_size": inner, "num_hidden_layers": layers,
        "num_attention_heads": 12, "image_size": 224, "patch_size": 32, "projection_dim": 64, "hidden_act": "quick_gelu",
    });
    let mut shapes = vec![
        ("vision_model.embeddings.class_embedding".to_owned(), vec![width]),
        ("vision_model.embeddings.patch_embedding.weight".to_owned(), vec![width, 3, 32, 32]),
        ("vision_model.embeddings.position_embedding.weight".to_owned(), vec![tokens, width]),
        ("visual_projection.weight".to_owned(), vec![64, width]),
    ];
    let mut linear = |name: &str, shape: &[usize]| {
        shapes.push((format!("vision_model.{name}.weight"), shape.to_vec()));
        shapes.push((format!("vision_model.{name}.bias"), shape[..1].to_vec()));
    };
    linear("pre_layrnorm", &[width]);
    linear("post_layernorm", &[width]);
    for layer in 0..layers {
        let at = |name: &str| format!("encoder.layers.{layer}.{name}");
        for name in ["q_proj", "k_proj", "v_proj", "out_proj"] {
            linear(&at(&format!("self_attn.{name}")), &[width, width]);
        }
        linear(&at("layer_norm1"), &[width]);
        linear(&at("layer_norm2"), &[width]);
        linear(&at("mlp.fc1"), &[inner, width]);
        linear(&at("mlp.fc2"), &[width, inner]);
    }
    let mut state = 1_u32;
    let mut tensors = Vec::new();
    for (name, shape) in shapes {
        let norm = if name.contains("norm") && name.ends_with("weight") { 1.0 } else { 0.0 };
        let scale = 2.0 / (shape[1..].iter().product::<usize>() as f32).sqrt();
        let bytes: Vec<u8> = (0..shape.iter().product())
            .flat_map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (norm + scale.min(0.2) * ((state >> 8) as f32 / 8_388_608.0 - 1.0)).to_le_bytes()
            })
            .collect();
        tensors.push((name, shape, bytes));
    }
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    std::fs::write(folder.join("model.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    folder.to_str().unwrap().to_owned()
}

/// Runs the child below in a program of its own: the driver's libraries and settings are those of a whole process.
/// Returns what it said and what was counted.
fn run(task: &Value, settings: &[(&str, &str)]) -> (Value, Value) {
    run_together(task, settings, 1).remove(0)
}

/// The same in several programs at a time.
fn run_together(task: &Value, settings: &[(&str, &str)], programs: usize) -> Vec<(Value, Value)> {
    let folder = tempfile::tempdir().unwrap();
    let start = |number: usize| {
        let log = folder.path().join(format!("{number}.json"));
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "child", "--nocapture", "--test-threads=1"]);
        command.env("TASK", task.to_string()).env("EMULATED_GPU_LOG", &log);
        command.env("CHAFFINCH_CUDA_LIBRARIES", emulated()).envs(settings.iter().copied());
        (command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap(), log)
    };
    let started: Vec<_> = (0..programs).map(start).collect();
    started.into_iter().map(|(child, log)| said(task, settings, child, &log)).collect()
}

fn said(task: &Value, settings: &[(&str, &str)], child: std::process::Child, log: &Path) -> (Value, Value) {
    let out = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let words = String::from_utf8_lossy(&out.stderr).into_owned();
    let said = text.lines().find_map(|line| line.split_once("SAID ")).map(|(_, said)| said.to_owned());
    let Some(said) = said else { panic!("{task} {settings:?}: {}\n{text}\n{words}", out.status) };
    let counted = std::fs::read_to_string(log).unwrap_or_else(|_| "{}".into());
    (serde_json::from_str(&said).unwrap(), serde_json::from_str(&counted).unwrap())
}

/// Loads a model and embeds pictures, from several threads if asked.
#[test]
#[ignore = "run by the other tests"]
fn child() {
    let task: Value = serde_json::from_str(&std::env::var("TASK").unwrap()).unwrap();
    let number = |name: &str| task[name].as_u64().unwrap_or(0) as usize;
    if number("rows") > 0 {
        return neighbors(number("rows"));
    }
    let device: DeviceChoice = task["device"].as_str().unwrap().parse().unwrap();
    let budget = task["budget"].as_str().map(|text| text.parse().unwrap());
    let said = match load_within(&fixture(task["model"].as_str().unwrap()), device, budget) {
        Err(error) => json!({"error": error.to_string()}),
        Ok(model) => {
            let picture = |seed: usize| {
                RgbImage::from_fn(40, 33, |x, y| {
                    image::Rgb([x as u8 * 6, y as u8 * 7, (seed as u8).wrapping_mul(9)])
                })
            };
            let inputs: Vec<Vec<u8>> =
                (0..number("images")).map(|seed| model.preprocess(&picture(seed))).collect();
            let found = std::thread::scope(|scope| {
                let all = || {
                    (0..number("times").max(1))
                        .map(|_| match number("each") {
                            0 => model.embed_images(&inputs.concat(), inputs.len()),
                            each => one_ahead(&model, &inputs, each, task["wait"] == true),
                        })
                        .last()
                };
                let handles: Vec<_> = (0..number("threads").max(1)).map(|_| scope.spawn(all)).collect();
                handles.into_iter().map(|handle| handle.join().unwrap().unwrap()).collect::<Vec<_>>()
            });
            let same = found.iter().all(|one| match (one, &found[0]) {
                (Ok(one), Ok(first)) => one == first,
                _ => false,
            });
            let prompts = ["a photo of a cat", "a diagram"];
            let texts = (task["texts"] == true).then(|| model.embed_texts(&prompts).unwrap());
            json!({
                "device": model.device(), "happened": model.happened(), "notes": model.notes(), "fingerprint": model.fingerprint().as_str(), "same": same,
                "batch": model.batch_size(), "vectors": found[0].as_ref().ok(),
                "failed": found[0].as_ref().err().map(ToString::to_string),
                "texts": texts,
            })
        }
    };
    println!("SAID {said}");
}

/// Embeds so many pictures a call, as a scan does: the next call starts before the last one is finished. It may wait for the
/// cards that are opened when there is much to do.
fn one_ahead(
    model: &ClipEmbedder,
    inputs: &[Vec<u8>],
    each: usize,
    wait: bool,
) -> Result<Vec<f32>, chaffinch_compute::embedding::EmbedError> {
    let (mut started, mut found) = (VecDeque::new(), Vec::new());
    for inputs in inputs.chunks(each) {
        // What was given to the model may change as soon as it has started.
        let mut pixels = inputs.concat();
        started.push_back(model.start_images(&pixels, inputs.len())?);
        pixels.fill(0);
        if wait {
            model.wait_for_devices();
        }
        if started.len() >= model.ahead() {
            found.extend(started.pop_front().unwrap().finish()?);
        }
    }
    for last in started {
        found.extend(last.finish()?);
    }
    Ok(found)
}

/// Searches neighbors with and without the device.
fn neighbors(rows: usize) {
    let dim = 32;
    let mut data: Vec<f32> = (0..rows * dim)
        .map(|at| ((at as u32 % 40_009).wrapping_mul(2_654_435_761) >> 8) as f32 / 8_388_608.0 - 1.0)
        .collect();
    for row in data.chunks_exact_mut(dim) {
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        row.iter_mut().for_each(|x| *x /= length);
    }
    let matrix = EmbeddingMatrix::from_vec(data, dim);
    let (stop, quiet) = (AtomicBool::new(false), |_, _| {});
    let job = Job::new(&stop, &quiet);
    let device = SearchDevice::Of(DeviceChoice::CudaAt(vec![0]));
    let (name, kept) = keep_on_device(&device, matrix.as_slice(), dim, None).unwrap();
    let found = kept.map(|kept| nearest_on_device(kept.as_ref(), &matrix, 10, &job).unwrap());
    let expected = nearest(&matrix, &|_| true, 10, &job).unwrap();
    println!(
        "SAID {}",
        json!({"device": name, "filtered": found.is_some(), "same": found == Some(expected)})
    );
}

fn embed(device: &str, images: usize) -> Value {
    json!({"model": "quick", "device": device, "images": images})
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn auto_ends_on_the_processor_with_one_sentence_for_each_failure() {
    let failures: [(&str, &str, &str); 12] = [
        ("CHAFFINCH_CUDA_LIBRARIES", "/nowhere", "no NVIDIA driver"),
        (
            "EMULATED_GPU_DRIVER",
            "12040",
            "driver is too old; install version 580 or later (CUDA 13.0) (it supports CUDA 12.4)",
        ),
        ("EMULATED_GPU_DEVICES", "0", "no such NVIDIA GPU"),
        ("EMULATED_GPU_FAIL", "cuDevicePrimaryCtxRetain=2", "memory is full"),
        ("EMULATED_GPU_FAIL", "cuModuleLoadData=209", "no code for it"),
        ("EMULATED_GPU_ARCH", "75", "no code for it"),
        ("EMULATED_GPU_WRONG", "1", "computes wrong numbers"),
        ("EMULATED_GPU_FAIL", "cublasGemmStridedBatchedEx=13", "CUBLAS_STATUS_EXECUTION_FAILED"),
        ("EMULATED_GPU_FAIL", "cublasCreate_v2=3", "memory is full"),
        ("EMULATED_GPU_FAIL", "cuMemAllocAsync=2", "memory is full"),
        ("EMULATED_GPU_MEMORY", "100000", "free GPU memory"),
        ("EMULATED_GPU_FAIL", "cuLaunchKernel=700", "CUDA_ERROR_ILLEGAL_ADDRESS"),
    ];
    for (name, value, words) in failures {
        let (said, _) = run(&embed("auto", 3), &[(name, value)]);
        let notes = said["notes"].as_array().unwrap_or_else(|| panic!("{name}={value}: {said}"));
        assert!(text(&said["device"]).starts_with("cpu ("), "{name}={value}: {said}");
        assert_eq!(notes.len(), 1, "{name}={value}: {notes:?}");
        let note = text(&notes[0]);
        assert!(
            note.contains(words) && note.contains("runs on the CPU") && !note.contains('\n'),
            "{name}={value}: {note}"
        );
        assert!(said["vectors"].is_array(), "{name}={value}: {said}");
        println!("{name}={value}: {note}");
        // Who asks for the GPU gets an error with the same words.
        let (said, _) = run(&embed("cuda:0", 3), &[(name, value)]);
        assert!(text(&said["error"]).contains(words), "{name}={value}: {said}");
    }
}

#[test]
fn where_the_gpu_works_it_is_used() {
    let (said, counted) = run(&embed("auto", 3), &[]);
    assert_eq!(text(&said["device"]), "cuda:0 (emulated)");
    assert!(counted["launches"].as_u64().unwrap() > 50, "{counted}");
    assert_eq!(counted["left"], 0, "all memory is given back: {counted}");
    for device in ["auto", "cuda"] {
        // For few pictures, one is enough, and the others are not touched.
        let (said, counted) = run(&embed(device, 3), &[("EMULATED_GPU_DEVICES", "4")]);
        assert_eq!((text(&said["device"]).as_str(), &said["notes"]), ("cuda:0 (emulated)", &json!([])));
        assert_eq!((1..4).map(|card| &counted["cards"][card]["calls"]).collect::<Vec<_>>(), [0, 0, 0]);
    }
    let (said, _) = run(&embed("cuda:3", 3), &[("EMULATED_GPU_DEVICES", "4")]);
    assert_eq!(text(&said["device"]), "cuda:3 (emulated)");
}

#[test]
fn threads_share_one_stream() {
    let task = json!({"model": "quick", "device": "cuda:0", "images": 5, "threads": 4});
    let (said, counted) = run(&task, &[]);
    assert_eq!((&said["same"], &counted["streams"]), (&json!(true), &json!(1)), "{counted}");
}

#[test]
fn pictures_go_to_the_gpu_as_bytes_and_batches_take_few_launches() {
    let folder = tempfile::tempdir().unwrap();
    let deep = as_deep_as_b32(folder.path());
    let models: [(&str, usize, u64); 5] = [
        ("quick", 32, 30),
        ("siglip", 32, 45),
        ("dinov2-registers", 24, 30),
        // In the steps of candle-transformers.
        ("vit", 30, 200),
        (deep.as_str(), 224, 150),
    ];
    for (model, side, most) in models {
        let images: u64 = if side < 100 { 200 } else { 20 };
        let task =
            |times: usize| json!({"model": model, "device": "cuda:0", "images": images, "times": times});
        let memory = [("EMULATED_GPU_MEMORY", if side < 100 { "1073741824" } else { "60000000" })];
        let ((once, first), (_, twice)) = (run(&task(1), &memory), run(&task(2), &memory));
        let more = |name: &str| twice[name].as_u64().unwrap() - first[name].as_u64().unwrap();
        let size = batch(&once);
        let batches = images.div_ceil(size);
        let pixels = 3 * side as u64 * side as u64 * size * batches;
        // From page-locked memory, and hardly anything else: shapes and strides of what candle does by itself.
        assert_eq!(more("from_locked"), pixels, "{model}");
        let others = if model == "vit" { 40_000 } else { 4_000 };
        assert!(more("uploaded") < pixels + others, "{model}: {} bytes for {pixels}", more("uploaded"));
        assert!(more("launches") <= most * batches, "{model}: {} launches", more("launches"));
        println!(
            "{model}: {} launches for {batches} batches of {size}, {} bytes, {} calls of the driver",
            more("launches"),
            more("uploaded"),
            calls(&twice) - calls(&first)
        );
    }
}

fn calls(counted: &Value) -> u64 {
    counted["calls"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

/// Images of one batch on the card.
fn batch(said: &Value) -> u64 {
    let fingerprint = text(&said["fingerprint"]);
    let reduced = fingerprint.rsplit_once("-b").and_then(|(_, size)| size.parse().ok());
    reduced.unwrap_or_else(|| said["batch"].as_u64().unwrap())
}

#[test]
fn a_batch_starts_before_the_last_one_is_finished_and_no_copy_is_torn() {
    // A batch is 4 or 8 images.
    let memory = [("EMULATED_GPU_MEMORY", "2000000")];
    let task = |each: usize| json!({"model": "quick", "device": "cuda:0", "images": 100, "each": each});
    let ((all, _), (ahead, counted)) = (run(&task(0), &memory), run(&task(16), &memory));
    assert!(ahead["vectors"].is_array() && ahead["vectors"] == all["vectors"], "{ahead}");
    let (most, torn) = (&counted["most_at_once"], &counted["torn"]);
    assert!(most.as_u64().unwrap() >= 2 && torn == 0, "{most} copies at a time, {torn} torn");
    println!("{most} copies from page-locked memory at a time, {torn} torn");
    // The card is asked for results after it was given the next batch: one wait for a batch, none for the stream.
    let waits = |name: &str| counted["calls"][name].as_u64().unwrap_or(0);
    assert!(waits("cuStreamSynchronize") <= 4, "{counted}");
}

#[test]
fn two_programs_share_a_card() {
    let usual = run(&embed("cuda:0", 40), &[]).0;
    let expected: Vec<f64> = serde_json::from_value(usual["vectors"].clone()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("memory");
    // One program alone takes 10 MB, and the weights of both take 2.
    for memory in ["30000000", "12000000", "4000000"] {
        std::fs::remove_file(&shared).ok();
        let settings = [("EMULATED_GPU_MEMORY", memory), ("EMULATED_GPU_SHARED", shared.to_str().unwrap())];
        let task = json!({"model": "quick", "device": "auto", "images": 40, "times": 5});
        for (said, counted) in run_together(&task, &settings, 2) {
            let found: Vec<f64> = serde_json::from_value(said["vectors"].clone())
                .unwrap_or_else(|_| panic!("{memory}: {said}"));
            let most = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(most < 4e-3 && found.len() == expected.len(), "{memory}: {most}");
            println!("{memory} bytes for two: batches of {}, peak {}", batch(&said), counted["peak"]);
        }
    }
}

#[test]
fn the_peak_stays_below_the_budget() {
    for (model, side) in [("quick", 513), ("quick", 520), ("quick", 700), ("siglip", 520)] {
        let budget = format!("{side}MiB");
        let task = json!({"model": model, "device": "cuda:0", "images": 300, "budget": budget});
        let (said, counted) = run(&task, &[]);
        let (peak, room) = (counted["peak"].as_u64().unwrap(), (side - 512) << 20);
        assert!(said["vectors"].is_array() && peak <= room, "{model} {budget}: {peak} of {room}");
        println!(
            "{model} at {budget}: peak {peak} of {room} besides the context, batches of {}",
            said["batch"]
        );
    }
}

#[test]
fn memory_that_ends_at_any_call_costs_speed_or_the_gpu_and_nothing_else() {
    let (usual, counted) = run(&embed("cuda:0", 9), &[]);
    let calls = counted["calls"]["cuMemAllocAsync"].as_u64().unwrap();
    let expected: Vec<f64> = serde_json::from_value(usual["vectors"].clone()).unwrap();
    for call in (1..=calls).step_by((calls / 40).max(1) as usize) {
        let fail = format!("cuMemAllocAsync#{call}=2");
        let (said, _) = run(&embed("auto", 9), &[("EMULATED_GPU_FAIL", &fail)]);
        let found: Vec<f64> =
            serde_json::from_value(said["vectors"].clone()).unwrap_or_else(|_| panic!("{fail}: {said}"));
        let most = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(most < 4e-3 && found.len() == expected.len(), "{fail}: {most}");
    }
}

/// Of each function of the driver and of cuBLAS that embedding calls: the first, a middle and the last call fails as calls do on a
/// card that breaks. The model is on the CPU then, or says why it failed, or did not need the call.
#[test]
fn an_error_at_any_call_ends_in_a_sentence() {
    let (usual, counted) = run(&embed("cuda:0", 9), &[]);
    let (mut injected, mut on_the_processor, mut failed) = (0, 0, 0);
    for (function, count) in counted["calls"].as_object().unwrap() {
        let count = count.as_u64().unwrap();
        for call in BTreeSet::from([1, count.div_ceil(2), count]) {
            let code = if function.starts_with("cublas") { 14 } else { 719 };
            let fail = format!("{function}#{call}={code}");
            let (said, _) = run(&embed("auto", 9), &[("EMULATED_GPU_FAIL", &fail)]);
            let sentence = |words: &str| !words.is_empty() && !words.contains('\n');
            injected += 1;
            if text(&said["device"]).starts_with("cpu (") {
                assert!(said["vectors"].is_array() && sentence(&text(&said["notes"][0])), "{fail}: {said}");
                on_the_processor += 1;
            } else if said["vectors"].is_array() {
                assert_eq!(said["vectors"], usual["vectors"], "{fail}");
            } else {
                assert!(sentence(&text(&said["failed"])), "{fail}: {said}");
                failed += 1;
            }
        }
    }
    println!(
        "{injected} errors: {on_the_processor} on the CPU, {failed} with a sentence, the others without effect"
    );
    assert!(injected > 50 && on_the_processor > 10, "{injected} {on_the_processor} {failed}");
}

#[test]
fn little_memory_halves_batches() {
    // For the weights and a few images.
    let (said, counted) = run(&embed("cuda:0", 40), &[("EMULATED_GPU_MEMORY", "2000000")]);
    assert!(said["vectors"].is_array(), "{said}");
    assert!(text(&said["fingerprint"]).contains("-f16-b"), "{said}");
    assert!(counted["peak"].as_u64().unwrap() <= 2_000_000, "{counted}");
}

#[test]
fn lists_of_neighbors_are_those_of_the_processor() {
    for rows in [300, 5000] {
        let (said, counted) = run(&json!({"rows": rows}), &[]);
        assert_eq!((&said["filtered"], &said["same"]), (&json!(true), &json!(true)), "{said}");
        assert_eq!(counted["streams"], 1, "{counted}");
    }
}
