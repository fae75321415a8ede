use super::Leaks;
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::{MemoryHost, Picture};

/// A pHash with half its bits set.
const BASE: u64 = 0xF0F0_A5A5_3C3C_9696;

fn contents(numbers: &[u8]) -> Vec<[u8; 32]> {
    numbers.iter().map(|&number| [number; 32]).collect()
}

/// Pictures by scene and by how they were saved.
fn pictures(all: &[(u32, u32)]) -> Vec<Picture> {
    let picture = |&(scene, saved): &(u32, u32)| {
        Picture::from_fn(96, 96, |x, y| {
            let wave = |x: u32, y: u32| (x * (3 + scene) / 8 + y * (5 + scene * scene)) % 17 * 14;
            let noise = (x * 31 + y * 17 + saved * 7) % (1 + 2 * saved.min(3));
            [wave(x / 6, y / 6), wave(y / 8, x / 8), 120].map(|value| (value + noise).min(255) as u8)
        })
    };
    all.iter().map(picture).collect()
}

#[test]
fn only_the_later_copy_is_named_and_the_surest_likeness_counts() {
    let host = MemoryHost::new()
        .classes(&["cat", "dog"])
        .labels(&[0, 0, 1, 1, 0])
        .splits(&[Split::Train, Split::Test, Split::Test, Split::Validation, Split::None])
        .contents(&contents(&[1, 1, 2, 3, 1]))
        .hashes(&[BASE, BASE, BASE ^ 0b11, !BASE, BASE], &[7; 5])
        .pictures(pictures(&[(1, 0), (1, 0), (1, 1), (2, 0), (1, 0)]));
    let outcome = host.run(&Leaks);
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.scores, [None, Some(0.0), Some(2.0 / 64.0), Some(1.0), None]);
    assert_eq!(outcome.flagged(0.5), [1, 2]);
    assert_eq!(outcome.issue(1).unwrap().related, [(0, 1.0)]);
    assert_eq!(outcome.issue(1).unwrap().reason, "in test, and the same file is in train");
    assert_eq!(
        outcome.issue(2).unwrap().reason,
        "in test, and the same picture is in train; it is labeled dog here and cat there"
    );
    assert_eq!(
        outcome.note("summary"),
        Some(
            "0 of 1 in validation (0.00 %) are also in an earlier set\n2 of 2 in test (100.00 %) are also in an earlier set"
        )
    );
}

#[test]
fn validation_leaks_from_train_and_test_from_both() {
    let host = MemoryHost::new()
        .splits(&[Split::Train, Split::Validation, Split::Test, Split::Train])
        .contents(&contents(&[1, 1, 1, 1]))
        .hashes(&[BASE; 4], &[7; 4]);
    let outcome = host.run(&Leaks);
    assert_eq!(outcome.scores, [None, Some(0.0), Some(0.0), None]);
    assert_eq!(outcome.issue(1).unwrap().related, [(0, 1.0), (3, 1.0)]);
    let test = outcome.issue(2).unwrap();
    assert_eq!(test.related, [(0, 1.0), (1, 1.0), (3, 1.0)]);
    assert_eq!(test.reason, "in test, and the same file is in train twice and in validation");
}

#[test]
fn one_set_or_none_has_nothing_to_leak() {
    for splits in [[Split::None; 2], [Split::Test; 2], [Split::Test, Split::None]] {
        let host = MemoryHost::new().splits(&splits).contents(&contents(&[1, 1])).hashes(&[BASE; 2], &[7; 2]);
        let outcome = host.run(&Leaks);
        assert_eq!((outcome.error, outcome.scores), (None, vec![None, None]), "{splits:?}");
        let outcome = host.run(&Leaks);
        assert_eq!(outcome.note("summary"), Some("there are no two splits to compare"));
    }
}

#[test]
fn flat_pictures_leak_by_their_bytes_only() {
    let host = MemoryHost::new()
        .splits(&[Split::Train, Split::Test, Split::Test])
        .contents(&contents(&[1, 2, 1]))
        .hashes(&[1 << 63; 3], &[0; 3]);
    assert_eq!(host.run(&Leaks).scores, [None, Some(1.0), Some(0.0)]);
}

#[test]
fn embeddings_count_only_when_asked() {
    let vectors = [1.0, 0.0, 0.98, 0.198_997_49, 0.0, 1.0];
    let host = || {
        MemoryHost::new()
            .splits(&[Split::Train, Split::Test, Split::Test])
            .contents(&contents(&[1, 2, 3]))
            .hashes(&[BASE, !BASE, 0x1234_5678_9ABC_DEF0], &[1, 2, 3])
            .embeddings(&vectors, 2)
    };
    assert!(host().run(&Leaks).flagged(0.5).is_empty());
    let outcome = host().param("semantic", 0.95).run(&Leaks);
    assert_eq!(outcome.flagged(0.5), [1]);
    let score = outcome.scores[1].unwrap();
    assert!((0.3..0.4).contains(&score), "{score}");
    assert!(outcome.issue(1).unwrap().reason.contains("cosine 0.980"));
}

#[test]
fn a_likeness_is_no_copy() {
    let host = |saved: (u32, u32)| {
        MemoryHost::new()
            .splits(&[Split::Train, Split::Test])
            .contents(&contents(&[1, 2]))
            .hashes(&[BASE, BASE], &[7; 2])
            .pictures(pictures(&[(1, 0), saved]))
            .run(&Leaks)
    };
    let reason = |outcome: &chaffinch_plugin::testing::Outcome| outcome.issue(1).unwrap().reason.clone();
    let (pixels, picture, alike) = (host((1, 0)), host((1, 1)), host((2, 0)));
    assert_eq!(reason(&pixels), "in test, and a picture with the same pixels is in train");
    assert_eq!(reason(&picture), "in test, and the same picture is in train");
    assert_eq!(
        reason(&alike),
        "in test, and a picture that looks alike at a glance, but is not the same, is in train"
    );
    assert!((0.4..0.5).contains(&alike.scores[1].unwrap()) && picture.scores[1].unwrap() < 0.1);
}
