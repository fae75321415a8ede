use super::Duplicates;
use crate::groups::{Link, group};
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::MemoryHost;
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

#[test]
fn exact_copies_form_a_group_and_the_best_is_no_suspect() {
    let host = MemoryHost::new()
        .contents(&[content(1), content(2), content(1), content(1)])
        .hashes(&[BASE, !BASE, BASE, BASE], &[5, 7, 5, 5]);
    let outcome = host.run(&Duplicates);
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.scores, [Some(0.55), Some(1.0), Some(0.0), Some(0.0)]);
    assert_eq!(outcome.flagged(0.5), [2, 3], "the copy to keep is no suspect");
    let first = outcome.issue(0).unwrap();
    assert_eq!((first.group, first.related.as_slice()), (Some(0), &[(2, 1.0), (3, 1.0)][..]));
    assert_eq!(first.reason, "the same file as 2 others; this is the copy to keep");
    assert_eq!(outcome.issue(3).unwrap().reason, "the same file as 2 others; a better copy is in the group");
    assert_eq!(outcome.note("summary"), Some("1 group with 2 redundant samples"));
}

#[test]
fn largest_picture_is_kept() {
    let near = flipped(BASE, &[0, 1, 2, 3]);
    let host = MemoryHost::new().hashes(&[BASE, near, BASE], &[9, 9, 9]).dimensions(&[
        size(32, 32, 900),
        size(64, 64, 500),
        size(64, 64, 400),
    ]);
    let outcome = host.run(&Duplicates);
    assert_eq!(outcome.scores[1], Some(0.55));
    let redundant = outcome.issue(2).unwrap();
    assert!(redundant.score > 0.0 && redundant.score < 0.2);
    assert_eq!(redundant.related[0], (0, 1.0));
    assert_eq!(redundant.related[1], (1, 1.0 - 4.0 / 64.0));
    assert!(redundant.reason.starts_with("the same picture as 2 others"));
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
fn flat_colours_are_copies_only_when_their_bytes_agree() {
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
        [Some(0.0), Some(0.45)],
        "train is kept, and suspect since the labels differ"
    );
    assert_eq!(
        outcome.issue(0).unwrap().reason,
        "the same file as another, which is in train (this one is in test); labelled cat and dog, so check the \
         label; the other is the copy to keep"
    );
    assert_eq!(outcome.note("summary"), Some("1 group with 1 redundant sample; 1 group across splits"));
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
}

#[test]
fn embeddings_count_only_when_asked() {
    let host = || MemoryHost::new().hashes(&[BASE, !BASE], &[1, 2]).embeddings(&[1.0, 0.0, 1.0, 0.05], 2);
    assert!(host().run(&Duplicates).flagged(0.5).is_empty());
    let outcome = host().lend_undeclared().param("semantic", 0.95).run(&Duplicates);
    assert_eq!(outcome.flagged(0.5), [1]);
    assert!(outcome.issue(1).unwrap().reason.starts_with("almost the same picture as another"));
    assert!((0.2..0.4).contains(&outcome.scores[1].unwrap()));
    let refused = MemoryHost::new().hashes(&[1], &[1]).param("semantic", 0.9).run(&Duplicates);
    assert!(refused.error.unwrap().contains("beside a detector"));
}

#[test]
fn undecodable_files_have_no_score() {
    let host =
        MemoryHost::new().decodable(&[true, false]).contents(&[content(1); 2]).hashes(&[BASE, 0], &[1, 0]);
    assert_eq!(host.run(&Duplicates).scores, [Some(1.0), None]);
}

#[test]
fn an_empty_dataset_is_fine() {
    let outcome = MemoryHost::new().hashes(&[], &[]).run(&Duplicates);
    assert_eq!((outcome.error, outcome.scores.len()), (None, 0));
}

#[test]
fn chains_are_cut_after_two_steps_and_no_pair_is_lost() {
    let near = |phash| Link::Perceptual { phash, dhash: phash };
    let links: BTreeMap<(u32, u32), Link> =
        (0..6).map(|a| ((a, a + 1), near(2))).chain([((7, 8), Link::Exact)]).collect();
    let groups = group(&links, |sample| sample);
    assert_eq!(groups, [vec![0, 1], vec![2, 3], vec![4, 5, 6], vec![7, 8]]);
    let reversed = group(&links, std::cmp::Reverse);
    assert_eq!(reversed, [vec![2, 0, 1], vec![4, 3], vec![6, 5], vec![8, 7]]);
}
