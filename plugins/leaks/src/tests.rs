use super::Leaks;
use crate::scenes::{Change, changed};
use chaffinch_plugin::Orientation;
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
    let near = outcome.scores[2].unwrap();
    assert_eq!(outcome.scores, [None, Some(0.0), Some(near), Some(1.0), None]);
    assert!(near > 0.0 && near < 2.0 / 64.0, "both hashes and the pixels are near: {near}");
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

#[test]
fn the_second_hash_and_turns_count() {
    let near = |first: u64, second: u64, dhash: u64, parameter: (&str, f64)| {
        let host = MemoryHost::new()
            .splits(&[Split::Train, Split::Test])
            .contents(&contents(&[1, 2]))
            .hashes(&[first, second], &[0xFF, dhash]);
        !host.param(parameter.0, parameter.1).run(&Leaks).flagged(0.5).is_empty()
    };
    let far = BASE ^ 0b1111_1111;
    assert!(near(BASE, far, 0xFF, ("radius", 5.0)));
    assert!(!near(BASE, far, 0xFFFF_FF00, ("radius", 5.0)), "the dHash does not agree");
    assert!(!near(BASE, far, 0xFF, ("wide-radius", 0.0)));
    let mirrored = Orientation::ALL[1];
    let (first, dhash) = (BASE ^ 0x0102, mirrored.of_dhash(0xFF).unwrap());
    assert!(near(first, mirrored.of_phash(first), dhash, ("turned", 1.0)));
    assert!(!near(first, mirrored.of_phash(first), dhash, ("turned", 0.0)));
}

#[test]
fn parts_of_pictures_leak() {
    let reason = |train: Change, test: Change| {
        let all = [(1, train), (2, Change::None), (1, test), (3, Change::None), (4, Change::None)];
        let picture = |&(seed, change): &(u32, Change)| {
            Picture::from_fn(240, 192, |x, y| {
                changed(seed, change, (x as f32 + 0.5) / 240.0, (y as f32 + 0.5) / 192.0)
            })
        };
        let hashes: Vec<u64> = (1..6_u64).map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        let outcome = MemoryHost::new()
            .splits(&[Split::Train, Split::Train, Split::Test, Split::Test, Split::Train])
            .contents(&contents(&[1, 2, 3, 4, 5]))
            .hashes(&hashes, &hashes)
            .pictures(all.iter().map(picture).collect())
            .run(&Leaks);
        assert_eq!(outcome.flagged(0.5), [2], "{train:?}, {test:?}");
        assert!((0.41..0.42).contains(&outcome.scores[2].unwrap()) || train == Change::Turned);
        outcome.issue(2).unwrap().reason.clone()
    };
    assert_eq!(
        reason(Change::None, Change::Cropped),
        "in test, and a picture that it is a crop of is in train"
    );
    assert_eq!(
        reason(Change::CroppedAndMirrored, Change::None),
        "in test, and a crop of it, mirrored, is in train"
    );
    assert_eq!(
        reason(Change::Bordered, Change::None),
        "in test, and the same picture with a border around it is in train"
    );
    assert_eq!(reason(Change::Turned, Change::None), "in test, and the same picture, turned, is in train");
}
