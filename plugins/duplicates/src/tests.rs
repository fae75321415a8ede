use super::Duplicates;
use crate::groups::{Link, Pair, group};
use crate::scenes::{Change, changed};
use chaffinch_plugin::Orientation;
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::{MemoryHost, Picture};
use std::collections::BTreeMap;

/// A pHash with half its bits set, and the same with `flips` pairs of bits exchanged.
const BASE: u64 = 0xF0F0_A5A5_3C3C_9696;

fn flipped(hash: u64, bits: &[u32]) -> u64 {
    bits.iter().fold(hash, |hash, &bit| hash ^ (1 << bit))
}

fn content(number: u8) -> [u8; 32] {
    [number; 32]
}

fn size(width: u32, height: u32, bytes: u64) -> Dimensions {
    Dimensions { width, height, bytes }
}

/// Pictures by scene and by how they were saved.
fn pictures(all: &[(u32, u32)]) -> Vec<Picture> {
    let picture = |&(scene, saved): &(u32, u32)| {
        Picture::from_fn(96, 96, |x, y| {
            let wave = |x: u32, y: u32| (x * (3 + scene) / 8 + y * (5 + scene * scene)) % 17 * 14;
            let lighter = 2 * saved.min(3);
            [wave(x / 6, y / 6), wave(y / 8, x / 8), 120].map(|value| (value + lighter).min(255) as u8)
        })
    };
    all.iter().map(picture).collect()
}

#[test]
fn exact_copies_form_a_group_and_the_best_is_no_suspect() {
    let host = MemoryHost::new()
        .contents(&[content(1), content(2), content(1), content(1)])
        .hashes(&[BASE, !BASE, BASE, BASE], &[5, 7, 5, 5]);
    let outcome = host.run(&Duplicates);
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.scores, [Some(0.55), Some(1.0), Some(0.01), Some(0.01)]);
    assert_eq!(outcome.flagged(0.5), [2, 3], "the copy to keep is not a suspect");
    let first = outcome.issue(0).unwrap();
    assert_eq!((first.group, first.related.as_slice()), (Some(0), &[(2, 1.0), (3, 1.0)][..]));
    assert_eq!(first.reason, "the same file as 2 others; this is the copy to keep");
    assert_eq!(outcome.issue(3).unwrap().reason, "the same file as 2 others; a better copy is in the group");
    assert_eq!(outcome.note("summary"), Some("1 group with 2 redundant samples"));
}

#[test]
fn largest_picture_is_kept() {
    let near = flipped(BASE, &[0, 1, 2, 3]);
    let host = MemoryHost::new()
        .hashes(&[BASE, near, BASE], &[9, 9, 9])
        .dimensions(&[size(32, 32, 900), size(64, 64, 500), size(64, 64, 400)])
        .pictures(pictures(&[(1, 0), (1, 1), (1, 2)]));
    let outcome = host.run(&Duplicates);
    assert_eq!(outcome.scores[1], Some(0.55));
    let redundant = outcome.issue(2).unwrap();
    assert!(redundant.score > 0.0 && redundant.score < 0.2);
    assert_eq!(redundant.related[0], (0, 1.0));
    assert_eq!(redundant.related[1], (1, 1.0 - 4.0 / 64.0));
    assert!(redundant.reason.starts_with("the same picture as 2 others"));
}

/// Of pictures with as many pixels the one that has its colors is kept, however many bytes another has.
#[test]
fn the_copy_with_its_colors_is_kept() {
    let colored = |x: u32, y: u32| {
        let wave = (x / 6 * 3 + y / 6 * 5) % 17 * 10;
        [60 + wave / 2, 40 + wave, 90 + wave / 2].map(|value| value as u8)
    };
    let picture =
        |change: fn([u8; 3]) -> [u8; 3]| Picture::from_fn(96, 96, move |x, y| change(colored(x, y)));
    let original = || picture(|rgb| rgb);
    let gray = || {
        picture(|[r, g, b]| {
            [((299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b)) / 1000) as u8; 3]
        })
    };
    let swapped = || picture(|[r, g, b]| [b, r, g]);
    let saved = || picture(|[r, g, b]| [r + 1, g, b]);
    let kept = |pictures: Vec<Picture>| {
        let count = pictures.len();
        // The later ones have more bytes.
        let sizes: Vec<Dimensions> = (0..count).map(|row| size(96, 96, 100 + row as u64)).collect();
        let host = MemoryHost::new()
            .hashes(&vec![BASE; count], &vec![9; count])
            .dimensions(&sizes)
            .pictures(pictures);
        let outcome = host.run(&Duplicates);
        assert_eq!(outcome.error, None);
        (0..count).filter(|&row| outcome.scores[row] == Some(0.55)).collect::<Vec<_>>()
    };
    assert_eq!(kept(vec![original(), gray()]), [0]);
    assert_eq!(kept(vec![original(), gray(), gray()]), [0]);
    assert_eq!(kept(vec![original(), saved()]), [1], "more bytes where both have the colors");
    assert_eq!(kept(vec![original(), saved(), swapped()])[..1], [1], "two agree");
}

/// Photographs of muted colors have theirs as well; a copy is compared with the others, and with no fixed level.
#[test]
fn of_muted_pictures_too_the_copy_with_its_colors_is_kept() {
    let muted = |x: u32, y: u32| {
        let wave = ((x / 6 * 3 + y / 6 * 5) % 17 * 10) as u8;
        [wave + 3, wave, wave + 1]
    };
    let picture = |change: fn([u8; 3]) -> [u8; 3]| Picture::from_fn(96, 96, move |x, y| change(muted(x, y)));
    let changes: [fn([u8; 3]) -> [u8; 3]; 3] = [|rgb| rgb, |[_, g, _]| [g; 3], |[r, g, b]| [b, g, r]];
    for (others, kept) in [(vec![1], vec![0]), (vec![0, 2], vec![0, 1])] {
        let all: Vec<Picture> =
            [0].into_iter().chain(others).map(|change: usize| picture(changes[change])).collect();
        let count = all.len();
        // The later ones have more bytes.
        let sizes: Vec<Dimensions> = (0..count).map(|row| size(96, 96, 100 + row as u64)).collect();
        let host = MemoryHost::new().hashes(&vec![BASE; count], &vec![9; count]).dimensions(&sizes);
        let outcome = host.pictures(all).run(&Duplicates);
        assert_eq!(outcome.error, None);
        let best = (0..count).find(|&row| outcome.scores[row] == Some(0.55)).unwrap();
        assert!(kept.contains(&best), "{best}: {:?}", outcome.scores);
    }
}

/// Decoding says that a part of a picture is lost, and not always how much.
#[test]
fn a_damaged_copy_is_never_kept_where_another_is_intact() {
    let sizes = [size(128, 128, 900), size(64, 64, 100), size(64, 64, 200)];
    let host = |scores: &[f32]| {
        MemoryHost::new()
            .hashes(&[BASE; 3], &[9; 3])
            .splits(&[Split::Train, Split::Test, Split::Test])
            .dimensions(&sizes)
            .pictures(pictures(&[(1, 0), (1, 1), (1, 2)]))
            .scores_of("damaged", scores)
            .run(&Duplicates)
    };
    // In training, larger, with more bytes; how much is lost is not known.
    let outcome = host(&[0.1, 1.0, 0.0]);
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.flagged(0.5), [0, 2]);
    let reason = &outcome.issue(0).unwrap().reason;
    assert!(reason.ends_with("; this one is damaged, and a better copy is in the group"), "{reason}");
    // Where all are damaged, and without the result, it is as it was.
    assert_eq!(host(&[0.09, 0.09, 0.09]).flagged(0.5), [1, 2]);
    // As large, the less damaged one.
    let outcome = MemoryHost::new()
        .hashes(&[BASE; 2], &[9; 2])
        .dimensions(&sizes[1..])
        .pictures(pictures(&[(1, 1), (1, 2)]))
        .scores_of("damaged", &[0.09, 0.02])
        .run(&Duplicates);
    assert_eq!(outcome.flagged(0.5), [1]);
}

#[test]
fn where_the_split_decides_against_the_picture_the_reason_says_so() {
    let reason = |sizes: [Dimensions; 2]| {
        let host = MemoryHost::new()
            .hashes(&[BASE; 2], &[9; 2])
            .splits(&[Split::Test, Split::Train])
            .dimensions(&sizes)
            .pictures(pictures(&[(1, 0), (1, 1)]));
        host.run(&Duplicates).issue(0).unwrap().reason.clone()
    };
    let smaller = reason([size(96, 96, 100), size(48, 48, 100)]);
    assert!(smaller.ends_with("; the other is in train and is the copy to keep"), "{smaller}");
    let equal = reason([size(96, 96, 100), size(96, 96, 100)]);
    assert!(equal.ends_with("; the other is the copy to keep"), "{equal}");
}

#[test]
fn the_wide_radius_needs_the_dhash() {
    let far = flipped(BASE, &[0, 1, 2, 3, 4, 5, 6, 7]);
    let host = |dhash: u64| MemoryHost::new().hashes(&[BASE, far], &[0xFF, dhash]);
    assert_eq!(host(0xFF).run(&Duplicates).flagged(0.5), [1]);
    assert!(host(0xFFFF_FF00).run(&Duplicates).flagged(0.5).is_empty());
    assert!(host(0xFF).param("wide-radius", 0.0).run(&Duplicates).flagged(0.5).is_empty());
    assert_eq!(host(0xFFFF_FF00).param("radius", 8.0).run(&Duplicates).flagged(0.5), [1]);
}

#[test]
fn mirrored_and_turned_copies_are_found_by_their_hashes() {
    const FIRST: u64 = BASE ^ 0x0102;
    let turned = |number: usize| flipped(Orientation::ALL[number].of_phash(FIRST), &[3, 60]);
    let dhash = Orientation::ALL[1].of_dhash(9).unwrap();
    let host = |radius: f64| {
        let hashes = [FIRST, turned(1), 0x1234_5678_9ABC_DEF0, turned(5), turned(7)];
        MemoryHost::new().hashes(&hashes, &[9, dhash, 9, 9, 9]).param("radius", radius)
    };
    assert!(host(5.0).param("turned", 0.0).run(&Duplicates).flagged(0.5).is_empty(), "unless switched off");
    let pictures = pictures(&[(1, 0), (1, 1), (2, 0), (1, 2), (1, 3)]);
    let outcome = host(5.0).pictures(pictures).run(&Duplicates);
    assert_eq!(outcome.flagged(0.5), [1, 3, 4]);
    let reason = |sample: usize| outcome.issue(sample).unwrap().reason.clone();
    assert_eq!(reason(1), "mirrored, the same picture as 3 others; a better copy is in the group");
    let issue = outcome.issue(3).unwrap();
    assert!((0.1..0.2).contains(&issue.score) && issue.related[0].1 > 0.9, "{issue:?}");
    let wide = host(1.0);
    // The last two were turned by the same quarter, so that one is the other upside down.
    assert_eq!(
        wide.run(&Duplicates).flagged(0.5),
        [1, 4],
        "the dHash agrees, which says nothing of quarters"
    );
    assert_eq!(wide.param("wide-radius", 1.0).run(&Duplicates).flagged(0.5), [4]);
}

#[test]
fn flat_colors_are_copies_only_when_their_bytes_agree() {
    let host = MemoryHost::new()
        .contents(&[content(1), content(2), content(1), content(3), content(4)])
        .hashes(&[1 << 63, 1 << 63, 1 << 63, BASE, BASE], &[0, 0, 0, 0, 0]);
    assert_eq!(host.run(&Duplicates).flagged(0.5), [2]);
}

#[test]
fn leaks_and_labels_are_named() {
    let host = MemoryHost::new()
        .classes(&["cat", "dog"])
        .labels(&[0, 1, 0, NO_LABEL])
        .splits(&[Split::Test, Split::Train, Split::Test, Split::Train])
        .contents(&[content(1), content(1), content(2), content(3)])
        .hashes(&[BASE, BASE, !BASE, 0x1234_5678_9ABC_DEF0], &[3, 3, 4, 5]);
    let outcome = host.run(&Duplicates);
    assert_eq!(
        outcome.scores[..2],
        [Some(0.0), Some(0.0)],
        "nobody knows which label is right, so neither is the copy to keep"
    );
    assert_eq!(
        outcome.issue(0).unwrap().reason,
        "labels differ: cat, dog: which one is right? This is the same file as another, which is in train (this one \
         is in test)"
    );
    assert_eq!(
        outcome.note("summary"),
        Some("1 group with 1 redundant sample; 1 group across splits; 1 group with different labels")
    );
    assert_eq!(outcome.note("leaks"), Some("1 picture of 2 in test (50.00 %) has a copy in train"));
}

#[test]
fn three_splits_are_counted() {
    let host = MemoryHost::new()
        .splits(&[Split::Train, Split::Test, Split::Test, Split::Validation])
        .contents(&[content(1); 4])
        .hashes(&[BASE; 4], &[3; 4]);
    let outcome = host.run(&Duplicates);
    assert_eq!(
        outcome.issue(0).unwrap().reason,
        "the same file as 3 others, one of them in validation and 2 of them in test (this one is in train); this \
         is the copy to keep"
    );
    assert_eq!(
        outcome.note("leaks"),
        Some(
            "1 picture of 1 in validation (100.00 %) has a copy in train\n2 pictures of 2 in test (100.00 %) have \
             copies in train\n2 pictures of 2 in test (100.00 %) have copies in validation"
        )
    );
}

#[test]
fn embeddings_count_only_when_asked() {
    let host = || MemoryHost::new().hashes(&[BASE, !BASE], &[1, 2]).embeddings(&[1.0, 0.0, 1.0, 0.05], 2);
    assert!(host().run(&Duplicates).flagged(0.5).is_empty());
    let outcome = host().param("semantic", 0.95).run(&Duplicates);
    assert_eq!(outcome.flagged(0.5), [1]);
    assert!(outcome.issue(1).unwrap().reason.starts_with("much like another"));
    assert!((0.2..0.4).contains(&outcome.scores[1].unwrap()));
    let expected = "cosine 0.95: 1 pair, 1 repeat an earlier picture, 1 left\ncosine 0.99: 1 pair, ";
    assert!(outcome.note("near embeddings").unwrap().starts_with(expected));
}

#[test]
fn the_nearest_share_is_relative_to_the_usual_distance() {
    // Neighbors at 0.1 to 0.3 rad, and one pair at 0.01.
    let angles = [0.0_f32, 0.1, 0.3, 0.6, 0.8, 1.1, 1.11];
    let data: Vec<f32> = angles.iter().flat_map(|angle| [angle.cos(), angle.sin()]).collect();
    let hashes: Vec<u64> = (0..7_u32).map(|index| BASE.rotate_left(9 * index) ^ u64::from(index)).collect();
    let host = MemoryHost::new().hashes(&hashes, &[1, 2, 3, 4, 5, 6, 7]).embeddings(&data, 2);
    let outcome =
        host.param("nearest-share", 0.13).param("radius", 0.0).param("wide-radius", 0.0).run(&Duplicates);
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.flagged(0.5), [6]);
}

#[test]
fn more_copies_than_neighbors_are_all_found() {
    let count = 30;
    let data: Vec<f32> = (0..count).flat_map(|s| [1.0, 0.001 * s as f32]).collect();
    let hashes: Vec<u64> = (0..count as u64).map(|index| index.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
    let host = MemoryHost::new().hashes(&hashes, &hashes).embeddings(&data, 2).param("semantic", 0.99);
    let outcome = host.param("radius", 0.0).param("wide-radius", 0.0).run(&Duplicates);
    let expected =
        format!("cosine 0.99: {} pairs, 29 repeat an earlier picture, 1 left", count * (count - 1) / 2);
    assert_eq!(outcome.note("near embeddings"), Some(expected.as_str()));
    assert_eq!(outcome.flagged(0.5).len(), 29);
}

/// The paintings without perceptual hashes, so that embeddings alone make copies.
fn paintings(paintings: &crate::paintings::Paintings) -> MemoryHost {
    let flat = vec![0; paintings.names.len()];
    MemoryHost::new().hashes(&flat, &flat).embeddings(&paintings.embeddings, paintings.dim)
}

#[test]
#[ignore = "needs the paintings' embeddings beside the repository: cargo test --release -p chaffinch-duplicates -- --ignored"]
fn paintings_repeat_each_other_as_known() {
    let known = crate::paintings::Paintings::read();
    let outcome = paintings(&known).param("semantic", 0.8).run(&Duplicates);
    assert_eq!(outcome.error, None);
    assert_eq!(
        outcome.note("near embeddings").unwrap().lines().collect::<Vec<_>>(),
        [
            "cosine 0.80: 175 pairs, 101 repeat an earlier picture, 219 left",
            "cosine 0.85: 45 pairs, 35 repeat an earlier picture, 285 left",
            "cosine 0.90: 14 pairs, 13 repeat an earlier picture, 307 left",
            "cosine 0.95: 2 pairs, 2 repeat an earlier picture, 318 left",
            "cosine 0.99: 1 pair, 1 repeat an earlier picture, 319 left",
        ]
    );
    // The earlier one is kept.
    let outcome = paintings(&known).param("semantic", 0.9).run(&Duplicates);
    assert_eq!(outcome.flagged(0.5).len(), 13);
    let pairs = [("1", "04", 1.0), ("011", "0118", 0.976_992), ("0160", "0196", 0.940_204)];
    for (first, second, cosine) in pairs {
        let row = |name: &str| known.names.iter().position(|known| known == name).unwrap();
        let (keep, copy) = (row(first).min(row(second)), row(first).max(row(second)));
        let issue = outcome.issue(copy).unwrap();
        assert_eq!(issue.related[0].0, keep);
        assert!((issue.related[0].1 - cosine).abs() < 1e-5, "{first} {second}: {:?}", issue.related);
        assert!(issue.score < 0.5 && outcome.issue(keep).unwrap().score > 0.5);
    }
}

/// cleanlab 2.9.0's Datalab on the same features.
#[test]
#[ignore = "needs the paintings' embeddings beside the repository: cargo test --release -p chaffinch-duplicates -- --ignored"]
fn paintings_have_the_near_duplicates_that_datalab_finds() {
    let known = crate::paintings::Paintings::read();
    let outcome = paintings(&known).param("nearest-share", 0.13).run(&Duplicates);
    assert_eq!(outcome.error, None);
    let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for issue in &outcome.issues {
        groups.entry(issue.group.unwrap()).or_default().push(issue.sample);
    }
    let groups: Vec<Vec<&str>> = groups.into_values().map(|rows| known.names_of(rows)).collect();
    assert_eq!(groups, [vec!["04", "1"], vec!["011", "0118"]]);
}

#[test]
fn a_large_group_has_the_evidence_that_comparing_all_of_it_gives() {
    // Versions of one picture whose hashes are far apart or not, some of them saved more than once, and the first most often.
    let mut bits = 1_u64;
    let mut next = || {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (bits >> 33) as u32
    };
    let mut versions = vec![(BASE, 0)];
    versions.extend((1..=90).map(|number| (flipped(BASE, &[0; 6].map(|_| next() % 64)), number)));
    let of = |sample: usize| {
        if sample % 4 == 3 { versions[0] } else { versions[next() as usize % versions.len()] }
    };
    let files: Vec<(u64, u8)> = (0..400).map(of).collect();
    let hashes: Vec<u64> = files.iter().map(|file| file.0).collect();
    let host = MemoryHost::new().hashes(&hashes, &hashes).param("radius", 6.0);
    let outcome = host.run(&Duplicates);
    assert_eq!(outcome.error, None);
    let mut groups: BTreeMap<Option<u32>, Vec<usize>> = BTreeMap::new();
    for issue in &outcome.issues {
        groups.entry(issue.group).or_default().push(issue.sample);
    }
    assert!(groups.values().any(|members| members.len() > 200), "{groups:?}");
    for issue in outcome.issues.iter().filter(|issue| issue.group.is_some()) {
        let others = groups[&issue.group].iter().copied().filter(|&other| other != issue.sample);
        let bits = |other: usize| (hashes[issue.sample] ^ hashes[other]).count_ones();
        let mut expected: Vec<(usize, f32)> =
            others.map(|other| (other, 1.0 - bits(other) as f32 / 64.0)).collect();
        expected.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        expected.truncate(crate::MAX_RELATED);
        assert_eq!(issue.related, expected, "{}", issue.sample);
    }
}

#[test]
fn a_sentence_names_the_most_common_of_many_labels() {
    let names: Vec<String> = (0..40).map(|class| format!("c{class}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let labels: Vec<u32> = (0..40).chain([39]).collect();
    let host = MemoryHost::new().classes(&names).labels(&labels).contents(&[content(1); 41]);
    let outcome = host.hashes(&[BASE; 41], &[5; 41]).run(&Duplicates);
    let reason = &outcome.issue(0).unwrap().reason;
    assert!(reason.starts_with("labels differ: c39, c0, c1, "), "{reason}");
    assert!(reason.contains(", c30 and 8 more: which one is right?"), "{reason}");
}

#[test]
fn undecodable_files_have_no_score() {
    let host =
        MemoryHost::new().decodable(&[true, false]).contents(&[content(1); 2]).hashes(&[BASE, 0], &[1, 0]);
    let outcome = host.run(&Duplicates);
    assert_eq!(outcome.scores, [Some(1.0), None]);
    let expected = "no copies found; 1 file could not be read and was not checked";
    assert_eq!(outcome.note("summary"), Some(expected));
}

#[test]
fn an_empty_dataset_is_fine() {
    let outcome = MemoryHost::new().hashes(&[], &[]).run(&Duplicates);
    assert_eq!((outcome.error, outcome.scores.len()), (None, 0));
}

#[test]
fn chains_are_cut_after_two_steps_and_no_pair_is_lost() {
    let near =
        Pair { link: Link::Perceptual { phash: 2, dhash: 2 }, likeness: Likeness::SamePicture, apart: 0.0 };
    let links: BTreeMap<(u32, u32), Pair> =
        (0..6).map(|a| ((a, a + 1), near)).chain([((7, 8), Pair::EXACT)]).collect();
    let groups = group(&links, |sample| sample);
    assert_eq!(groups, [vec![0, 1], vec![2, 3], vec![4, 5, 6], vec![7, 8]]);
    let reversed = group(&links, std::cmp::Reverse);
    assert_eq!(reversed, [vec![2, 0, 1], vec![4, 3], vec![6, 5], vec![8, 7]]);
}

#[test]
fn likeness_is_graded() {
    let host = MemoryHost::new()
        .contents(&[
            content(1),
            content(1),
            content(2),
            content(3),
            content(4),
            content(5),
            content(6),
            content(7),
        ])
        .hashes(&[BASE, BASE, !BASE, !BASE, 7 << 20, 7 << 20, 0x7777 << 9, 0x7777 << 9], &[5; 8])
        .param("wide-radius", 5.0)
        .pictures(pictures(&[(1, 0), (1, 0), (2, 0), (2, 0), (3, 0), (3, 1), (4, 0), (5, 0)]));
    let outcome = host.run(&Duplicates);
    assert_eq!(outcome.error, None);
    let note = outcome.note("likeness").unwrap();
    assert_eq!(note, "same bytes: 1, same pixels: 1, same picture: 1, alike: 1");
    let likeness: Vec<Option<Likeness>> = (0..8)
        .map(|sample| Likeness::of_group(note, outcome.issue(sample).unwrap().group.unwrap()))
        .collect();
    for (pair, expected) in likeness.chunks(2).zip(Likeness::ALL) {
        assert_eq!(pair, [Some(expected); 2]);
    }
    let reason = |sample: usize| outcome.issue(sample).unwrap().reason.clone();
    assert_eq!(reason(3), "the same pixels as another; the other is the copy to keep");
    assert_eq!(reason(5), "the same picture as another; the other is the copy to keep");
    assert_eq!(
        reason(7),
        "looks like another at a glance, but the pixels differ: a template, a burst or a crop"
    );
    let scores: Vec<f32> = outcome.scores.iter().map(|score| score.unwrap()).collect();
    assert!(scores[1] < scores[3] && scores[3] <= scores[5] && scores[5] < scores[7] && scores[7] < 0.5);
    assert_eq!(outcome.note("summary"), Some("3 groups with 3 redundant samples; 1 group only alike"));
}

#[test]
fn templates_are_never_copies_and_take_nothing_from_them() {
    // Two copies of one letter, and two more letters with the same head.
    let host = MemoryHost::new()
        .classes(&["letter", "invoice"])
        .labels(&[0, 0, 1, 1])
        .contents(&[content(1), content(1), content(2), content(3)])
        .hashes(&[BASE; 4], &[5; 4])
        .pictures(pictures(&[(1, 0), (1, 0), (2, 0), (3, 0)]));
    let outcome = host.run(&Duplicates);
    assert_eq!(outcome.note("likeness"), Some("same bytes: 1, same pixels: 0, same picture: 0, alike: 1"));
    let groups: Vec<Option<u32>> = (0..4).map(|sample| outcome.issue(sample).unwrap().group).collect();
    assert_eq!(groups, [Some(0), Some(0), Some(1), Some(1)]);
    for issue in &outcome.issues[2..] {
        assert!(
            !issue.reason.contains("the copy to keep") && !issue.reason.contains("labels differ"),
            "{issue:?}"
        );
    }
    // One more letter has no group of its own, and is said all the same.
    let host = MemoryHost::new()
        .contents(&[content(1), content(1), content(2)])
        .hashes(&[BASE; 3], &[5; 3])
        .pictures(pictures(&[(1, 0), (1, 0), (2, 0)]));
    let outcome = host.run(&Duplicates);
    let lone = outcome.issue(2).unwrap();
    assert_eq!((lone.group, lone.related.len()), (None, 2));
    assert!((0.4..0.5).contains(&lone.score) && lone.reason.starts_with("looks like 2 others at a glance"));
}

#[test]
fn copies_whose_labels_differ_come_first() {
    let host = MemoryHost::new()
        .classes(&["cat", "dog"])
        .labels(&[0, 0, 1, 0])
        .contents(&[content(1), content(1), content(2), content(3)])
        .hashes(&[BASE, BASE, !BASE, !BASE ^ 3], &[5; 4])
        .pictures(pictures(&[(1, 0), (1, 0), (2, 0), (2, 1)]));
    let outcome = host.run(&Duplicates);
    let order = outcome.issues.iter().map(|issue| (issue.score, issue.sample));
    let first = order.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    assert_eq!(first, (0.0, 2));
    for sample in [2, 3] {
        let issue = outcome.issue(sample).unwrap();
        assert_eq!(issue.score, 0.0);
        assert!(
            issue.reason.starts_with("labels differ: cat, dog: which one is right? This is"),
            "{issue:?}"
        );
        assert!(!issue.reason.contains("to keep"), "{issue:?}");
    }
}

#[test]
fn without_a_second_look_nothing_is_called_a_copy() {
    let outcome = MemoryHost::new().hashes(&[BASE, BASE ^ 1], &[5; 2]).run(&Duplicates);
    assert_eq!(outcome.note("likeness"), Some("same bytes: 0, same pixels: 0, same picture: 0, alike: 1"));
    assert!(outcome.note("second look").unwrap().contains("no pixels"));
    assert_eq!(outcome.flagged(0.5), [1]);
}

/// Scenes with different hashes, so that only what they show tells that they are copies.
fn scenes(all: &[(u32, Change)]) -> MemoryHost {
    let picture = |&(seed, change): &(u32, Change)| {
        Picture::from_fn(240, 192, |x, y| {
            changed(seed, change, (x as f32 + 0.5) / 240.0, (y as f32 + 0.5) / 192.0)
        })
    };
    let numbers = 0..all.len() as u64;
    let hashes: Vec<u64> =
        numbers.clone().map(|number| (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
    let contents: Vec<[u8; 32]> = numbers.map(|number| content(number as u8)).collect();
    MemoryHost::new().contents(&contents).hashes(&hashes, &hashes).pictures(all.iter().map(picture).collect())
}

#[test]
fn crops_borders_and_turns_are_found_and_named() {
    let cases = [
        (Change::Cropped, "more of the picture that another is a crop of", "a crop of another"),
        (
            Change::CroppedAndMirrored,
            "more of the picture that another is a crop of, mirrored",
            "a crop of another, mirrored",
        ),
        (Change::Bordered, "another without its border", "another with a border around it"),
    ];
    for (number, (change, first, second)) in cases.into_iter().enumerate() {
        let seed = 10 * number as u32;
        let others = (1..8).map(|other| (seed + other, Change::None));
        let all: Vec<(u32, Change)> =
            [(seed, Change::None), (seed, change)].into_iter().chain(others).collect();
        let without = scenes(&all).param("parts", 0.0).run(&Duplicates);
        assert!(without.flagged(0.5).is_empty(), "only if they are wanted");
        let outcome = scenes(&all).run(&Duplicates);
        assert_eq!(outcome.error, None);
        assert_eq!(outcome.flagged(0.5), [1], "{change:?}");
        let reason = |sample: usize| outcome.issue(sample).unwrap().reason.clone();
        assert_eq!((reason(0).as_str(), reason(1).as_str()), (first, second));
        assert!((0.41..0.42).contains(&outcome.scores[1].unwrap()), "before what only has near hashes");
        let note = outcome.note("likeness").unwrap();
        assert_eq!(note, "same bytes: 0, same pixels: 0, same picture: 0, alike: 1", "{change:?}");
    }
}

/// It is larger, and yet what a border was put around is the better picture, wherever it stands.
#[test]
fn of_a_picture_and_itself_with_a_border_the_one_with_the_border_is_flagged() {
    for (bordered, plain) in [(0, 1), (1, 0)] {
        let mut all: Vec<(u32, Change)> = (0..9).map(|seed| (seed, Change::None)).collect();
        (all[bordered], all[plain]) = ((20, Change::Bordered), (20, Change::None));
        let outcome = scenes(&all).run(&Duplicates);
        assert_eq!(outcome.flagged(0.5), [bordered]);
        assert_eq!(outcome.issue(bordered).unwrap().reason, "another with a border around it");
    }
}

#[test]
fn a_quarter_turn_is_the_same_picture_whatever_the_hashes_say() {
    let all = [(1, Change::None), (1, Change::Turned), (2, Change::None), (3, Change::Turned)];
    let outcome = scenes(&all).run(&Duplicates);
    assert_eq!(outcome.flagged(0.5), [1]);
    let issue = outcome.issue(1).unwrap();
    assert_eq!(issue.reason, "turned, the same picture as another; the other is the copy to keep");
    assert!(issue.score < 0.2);
    let outcome = scenes(&all).param("turned", 0.0).run(&Duplicates);
    assert!(outcome.flagged(0.5).is_empty());
}

/// Chains of pictures that are alike in pairs only, so that the choice of the first decides who is flagged.
#[test]
fn which_samples_are_flagged_does_not_depend_on_their_order() {
    let steps: Vec<Vec<u32>> = (0..7).map(|step| (0..4 * step).collect()).collect();
    let hashes: Vec<u64> = steps.iter().map(|bits| flipped(BASE, bits)).collect();
    let flagged = |order: &[usize]| {
        let contents: Vec<[u8; 32]> = order.iter().map(|&sample| content(50 - 7 * sample as u8)).collect();
        let hashes: Vec<u64> = order.iter().map(|&sample| hashes[sample]).collect();
        let host = MemoryHost::new().contents(&contents).hashes(&hashes, &vec![9; order.len()]);
        let outcome = host.run(&Duplicates);
        assert_eq!(outcome.error, None);
        let mut scores: Vec<(usize, Option<f32>)> = order.iter().copied().zip(outcome.scores).collect();
        scores.sort_by_key(|&(sample, _)| sample);
        scores
    };
    let expected = flagged(&[0, 1, 2, 3, 4, 5, 6]);
    assert!(expected.iter().any(|(_, score)| score.is_some_and(|score| score < 0.5)));
    for order in [[6, 5, 4, 3, 2, 1, 0], [3, 0, 6, 2, 5, 1, 4], [1, 3, 5, 0, 2, 4, 6]] {
        assert_eq!(flagged(&order), expected, "{order:?}");
    }
}
