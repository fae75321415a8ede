//! Several emulated cards: whatever computes a batch, the bytes are the same, and what one card cannot do is said and done by another.

use super::{run, text};
use serde_json::{Value, json};

/// For the weights and a few images, so that batches are small, which an emulated card computes soon.
const MEMORY: (&str, &str) = ("EMULATED_GPU_MEMORY", "2000000");

/// Embeds pictures as a scan does, several calls ahead.
fn scan(device: &str, images: usize) -> Value {
    json!({"model": "quick", "device": device, "images": images, "each": 16, "wait": true, "texts": true})
}

fn cards(counted: &Value, what: &str) -> Vec<u64> {
    counted["cards"].as_array().unwrap().iter().map(|card| card[what].as_u64().unwrap()).collect()
}

fn sentences(said: &Value) -> Vec<String> {
    serde_json::from_value(said["happened"].clone()).unwrap_or_else(|_| panic!("{said}"))
}

/// Fails unless these are the vectors, under the fingerprint, of one card.
fn same(said: &Value, one: &Value, what: &str) {
    for part in ["vectors", "fingerprint", "texts"] {
        assert!(!one[part].is_null(), "{what}: {}", one["failed"]);
        assert!(
            said[part] == one[part],
            "{what}: {part} are others; {} {}",
            said["failed"],
            said["happened"]
        );
    }
}

#[test]
fn several_cards_give_the_bytes_of_one() {
    let three = [MEMORY, ("EMULATED_GPU_DEVICES", "3")];
    let (one, _) = run(&scan("cuda:0", 120), &three);
    let (said, counted) = run(&scan("cuda:0,1,2", 120), &three);
    same(&said, &one, "three");
    assert_eq!(text(&said["device"]), "cuda:0,1,2 (emulated)");
    // One stream on each card, one copy of the weights, and each has its share of the work.
    let (launches, peaks) = (cards(&counted, "launches"), cards(&counted, "peak"));
    assert!(launches.iter().min() > launches.iter().max().map(|most| most / 2).as_ref(), "{launches:?}");
    assert!(peaks.iter().all(|&peak| peak > 0 && peak <= 2_000_000), "each card has a budget: {peaks:?}");
    assert_eq!((&counted["streams"], &counted["torn"], &counted["left"]), (&json!(1), &json!(0), &json!(0)));
    println!("launches on three cards for 120 pictures: {launches:?}, peaks {peaks:?}");
}

#[test]
fn a_scan_spreads_over_the_cards_of_one_kind_and_says_which_are_left_out() {
    // With full batches: where no card has memory for those, all are opened at once to find the one that has most.
    let memory = ("EMULATED_GPU_MEMORY", "20000000");
    let scan = |device: &str| json!({"model": "quick", "device": device, "images": 2000, "each": 256, "wait": true, "texts": true});
    let (one, _) = run(&scan("auto"), &[memory]);
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("memory");
    // Another program has most of the memory of card 3.
    let used: Vec<u8> =
        (0..16_u64).flat_map(|card| if card == 3 { 19_600_000_u64 } else { 0 }.to_le_bytes()).collect();
    for device in ["auto", "cuda"] {
        std::fs::write(&shared, &used).unwrap();
        let settings = [
            memory,
            ("EMULATED_GPU_DEVICES", "6"),
            ("EMULATED_GPU_NAME", "emulated,emulated,other,emulated"),
            ("EMULATED_GPU_SHARED", shared.to_str().unwrap()),
            ("EMULATED_GPU_FAIL", "cublasGemmStridedBatchedEx@4=13"),
        ];
        let (said, counted) = run(&scan(device), &settings);
        same(&said, &one, device);
        assert_eq!(text(&said["device"]), "cuda:0,1,5 (emulated)", "{}", said["happened"]);
        let happened = sentences(&said);
        for (name, words) in [
            ("cuda:2 (other)", "of another kind than cuda:0 (emulated)"),
            ("cuda:3 (emulated)", "memory"),
            ("cuda:4", "CUBLAS_STATUS_EXECUTION_FAILED"),
        ] {
            let about = |one: &&String| one.starts_with(&format!("a GPU is left out: cannot use {name}"));
            let found: Vec<_> = happened.iter().filter(about).collect();
            assert!(
                found.len() == 1 && found[0].contains(words) && !found[0].contains('\n'),
                "{name}: {happened:?}"
            );
        }
        assert_eq!(happened.len(), 3, "{happened:?}");
        let launches = cards(&counted, "launches");
        assert!(launches[0] > 0 && launches[1] > 0 && launches[5] > 0, "{launches:?}");
        println!("{device}: launches {launches:?}; {happened:?}");
    }
}

/// The calls of a card when the model is on three, and when pictures were embedded, too.
fn calls_of_three(card: usize) -> (u64, u64) {
    let three = [MEMORY, ("EMULATED_GPU_DEVICES", "3")];
    let calls = |images| cards(&run(&scan("cuda:0,1,2", images), &three).1, "calls")[card];
    (calls(0), calls(120))
}

#[test]
fn a_card_that_breaks_at_any_call_costs_itself_alone() {
    let (one, _) = run(&scan("cuda:0", 120), &[MEMORY]);
    // The one that leads, which reads texts, too, and another.
    for card in [0, 1] {
        let (loaded, all) = calls_of_three(card);
        let mut told = 0;
        for part in 0..8 {
            let call = loaded + (all - loaded) * part / 8;
            let fail = format!("*@{card}#{call}+=719");
            let settings = [MEMORY, ("EMULATED_GPU_DEVICES", "3"), ("EMULATED_GPU_FAIL", fail.as_str())];
            let (said, _) = run(&scan("cuda:0,1,2", 120), &settings);
            same(&said, &one, &fail);
            let happened = sentences(&said);
            let left = if card == 0 { "cuda:1,2 (emulated)" } else { "cuda:0,2 (emulated)" };
            if !happened.is_empty() {
                assert_eq!(
                    (text(&said["device"]).as_str(), happened.len()),
                    (left, 1),
                    "{fail}: {happened:?}"
                );
                let sentence = &happened[0];
                assert!(
                    sentence.starts_with("a GPU is left out from here on")
                        && sentence.contains(&format!("cuda:{card}"))
                        && !sentence.contains('\n'),
                    "{sentence}"
                );
                told += 1;
            }
        }
        println!("card {card}, of {} calls: {told} of 8 breaks were met", all - loaded);
        assert!(told >= 6, "{told}");
    }
}

#[test]
fn if_all_cards_break_that_is_a_sentence() {
    let task = |device: &str, images: usize| json!({"model": "quick", "device": device, "images": images, "each": 16});
    let (_, counted) = run(&task("cuda:0", 0), &[MEMORY]);
    let name = "cublasGemmStridedBatchedEx";
    let call = counted["calls"][name].as_u64().unwrap() + 3;
    let fail = [0, 1, 2].map(|card| format!("{name}@{card}#{call}+=13")).join(",");
    let task = task("cuda:0,1,2", 120);
    let (said, _) = run(&task, &[MEMORY, ("EMULATED_GPU_DEVICES", "3"), ("EMULATED_GPU_FAIL", &fail)]);
    let failed = text(&said["failed"]);
    assert!(failed.contains("on cuda:") && !failed.contains('\n'), "{said}");
    assert_eq!(sentences(&said).len(), 2, "{said}");
}

#[test]
fn a_card_whose_memory_ends_is_relieved_by_others_and_no_bit_changes() {
    let (one, _) = run(&scan("cuda:0", 120), &[MEMORY]);
    let (_, counted) = run(&scan("cuda:0", 0), &[MEMORY]);
    let loaded = counted["calls"]["cuMemAllocAsync"].as_u64().unwrap();
    let fail = format!("cuMemAllocAsync@1#{}+=2", loaded + 5);
    let settings = [MEMORY, ("EMULATED_GPU_DEVICES", "3"), ("EMULATED_GPU_FAIL", fail.as_str())];
    let (said, _) = run(&scan("cuda:0,1,2", 120), &settings);
    same(&said, &one, &fail);
    let happened = sentences(&said);
    assert!(
        happened.len() == 1 && happened[0].contains("out of memory on") && happened[0].contains("cuda:1"),
        "{happened:?}"
    );
}

#[test]
fn cards_that_were_named_must_work() {
    let fail = ("EMULATED_GPU_FAIL", "cublasGemmStridedBatchedEx@1=13");
    let (said, _) = run(&scan("cuda:0,1", 3), &[("EMULATED_GPU_DEVICES", "2"), fail]);
    let error = text(&said["error"]);
    assert!(
        error.starts_with("cannot use cuda:1") && error.contains("CUBLAS_STATUS_EXECUTION_FAILED"),
        "{said}"
    );
}
