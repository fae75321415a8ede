#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]
use super::*;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::out_of_sample::Link;
use chaffinch_data::columns::ResultBuilder;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::issue::{Issue, RunRecord};
use chaffinch_data::manifest::{Manifest, NewSample};
use chaffinch_protocol::sample::{SampleId, Split};
use std::path::PathBuf;

/// Samples of three classes, of which the labels of every `wrong`-th of training are wrong.
struct Made {
    matrix: EmbeddingMatrix,
    manifest: Manifest,
    file_metadata: FileMetadata,
    truth: Vec<u32>,
}

fn made(train: usize, test: usize, wrong: usize) -> Made {
    let mut state = 11_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 16_777_216.0 - 0.5
    };
    let (mut values, mut truth, mut samples) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..train + test {
        let class = row % 3;
        let mut vector: Vec<f32> = (0..6).map(|_| 0.9 * next()).collect();
        vector[class] += 1.0;
        let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        values.extend(vector.iter().map(|x| x / norm));
        truth.push(class as u32);
        let given = if row < train && row % wrong == 1 { (class + 1) % 3 } else { class };
        let split = if row < train { Split::Train } else { Split::Test };
        let path = PathBuf::from(format!("{row:05}.png"));
        samples.push(NewSample { path, label: Some(["a", "b", "c"][given].into()), split });
    }
    let manifest = Manifest::new("/nowhere", samples);
    let hashes: Vec<ContentHash> = (0..train + test).map(|row| ContentHash::of(&row.to_le_bytes())).collect();
    let file_metadata = FileMetadata { hashes: hashes.into(), ..FileMetadata::default() };
    Made { matrix: EmbeddingMatrix::from_vec(values, 6), manifest, file_metadata, truth }
}

fn parts(made: &Made, trusted: Trusted) -> Parts {
    Parts::new(
        &made.manifest,
        (&made.file_metadata, &made.file_metadata.hashes),
        made.manifest.labels().to_vec(),
        trusted,
    )
    .unwrap()
}

fn compared(made: &Made, all: &[Cleaned], trusted: Trusted) -> Vec<Row> {
    let trainer = Trainer::new(&made.matrix, 3, &made.file_metadata.hashes, Link::Softmax);
    compare(&trainer, &parts(made, trusted), made.manifest.labels(), all, &Job::unwatched()).unwrap()
}

fn cleaned(cleaning: Cleaning, labels: &[u32]) -> Cleaned {
    Cleaned { cleaning, labels: labels.to_vec() }
}

#[test]
fn right_labels_are_worth_more_than_wrong_ones_and_less_of_them_than_more() {
    let made = made(300, 300, 3);
    assert_eq!(Trusted::of(&made.manifest), Trusted::Split(Split::Test));
    let all = [cleaned(Cleaning::Given, made.manifest.labels()), cleaned(Cleaning::Decided, &made.truth)];
    let rows = compared(&made, &all, Trusted::Split(Split::Test));
    assert_eq!((rows[0].trained, rows[0].changed, rows[0].left_out, rows[0].accuracy.of), (300, 0, 0, 300));
    assert_eq!((rows[1].trained, rows[1].changed, rows[1].left_out), (300, 100, 0));
    assert!(rows[0].gain.is_none());
    let gain = rows[1].gain.unwrap();
    assert!(gain.gain > 0.05 && gain.interval.0 > 0.0, "{rows:?}");
    let difference = rows[1].accuracy.accuracy - rows[0].accuracy.accuracy;
    assert!((gain.gain - difference).abs() < 1e-12);
}

#[test]
fn a_curve_starts_with_the_given_labels_and_ends_with_all_decisions() {
    let made = made(300, 150, 3);
    let wrong: Vec<usize> = (0..300).filter(|&row| made.manifest.labels()[row] != made.truth[row]).collect();
    let trainer = Trainer::new(&made.matrix, 3, &made.file_metadata.hashes, Link::Softmax);
    let apply = |first: usize| {
        let mut labels = made.manifest.labels().to_vec();
        wrong.iter().take(first).for_each(|&row| labels[row] = made.truth[row]);
        labels
    };
    let parts = parts(&made, Trusted::Split(Split::Test));
    let points = curve(&trainer, &parts, (wrong.len(), 5), apply, &Job::unwatched()).unwrap();
    let at: Vec<usize> = points.iter().map(|point| point.decisions).collect();
    assert_eq!(at, [0, 25, 50, 75, 100]);
    assert!(points[4].accuracy.accuracy > points[0].accuracy.accuracy);
    let one = curve(&trainer, &parts, (0, 5), apply, &Job::unwatched()).unwrap();
    assert_eq!(one.len(), 1);
}

#[test]
fn folds_take_turns_without_a_trusted_split() {
    let mut made = made(200, 0, 1_000);
    assert_eq!(Trusted::of(&made.manifest), Trusted::Folds);
    // Copies are in one fold, so none is asked about by a probe that knows it.
    made.file_metadata.hashes = {
        let mut hashes = made.file_metadata.hashes.to_vec();
        hashes[3] = hashes[0];
        hashes.into()
    };
    let parts = parts(&made, Trusted::Folds);
    let asked: Vec<u32> = parts.all().iter().flat_map(|part| part.asks.iter().copied()).collect();
    assert_eq!(asked.len(), 200);
    for part in parts.all() {
        assert!(part.asks.iter().all(|&row| !part.trains[row as usize]));
        assert_eq!(part.asks.contains(&0), part.asks.contains(&3));
    }
    let rows = compared(&made, &[cleaned(Cleaning::Given, made.manifest.labels())], Trusted::Folds);
    assert!(rows[0].accuracy.of == 200 && rows[0].accuracy.accuracy > 0.8, "{rows:?}");
}

#[test]
fn groups_of_copies_have_one_content() {
    let contents: Vec<ContentHash> = (0..6_u32).map(|row| ContentHash::of(&row.to_le_bytes())).collect();
    let result = |groups: &[&[u32]]| {
        let mut builder = ResultBuilder::new(6);
        for (number, members) in (0..).zip(groups) {
            for &row in *members {
                let issue = Issue { score: 0.1, group: Some(number), ..Issue::default() };
                builder.issue(SampleId(row), issue);
            }
        }
        builder.finish(RunRecord { name: "copies".into(), groups: true, ..RunRecord::default() }, &[])
    };
    let (one, two) = (result(&[&[0, 3], &[1, 2]]), result(&[&[3, 5]]));
    let merged = merged(&contents, [&one, &two].into_iter());
    assert!(merged[0] == merged[3] && merged[3] == merged[5] && merged[1] == merged[2]);
    assert!(merged[0] != merged[1] && merged[4] == contents[4]);
    // The same whatever is told first.
    assert_eq!(merged, super::merged(&contents, [&two, &one].into_iter()));
}

#[test]
fn copies_of_trusted_samples_are_not_trained_on() {
    let mut made = made(90, 30, 1_000);
    made.file_metadata.hashes = {
        let mut hashes = made.file_metadata.hashes.to_vec();
        hashes[0] = hashes[90];
        hashes.into()
    };
    let parts = parts(&made, Trusted::Split(Split::Test));
    assert_eq!(parts.copies, 1);
    assert!(!parts.trains(0) && parts.trains(1) && !parts.trains(90));
}

#[test]
fn absorbing_takes_in_what_is_sure_and_changes_what_is_surely_wrong() {
    let made = made(300, 0, 5);
    let given = made.manifest.labels();
    let trainer = Trainer::new(&made.matrix, 3, &made.file_metadata.hashes, Link::Softmax);
    // The first sixty are selected, with the right labels only.
    let selection: Vec<u32> = (0..300)
        .map(|row| if row < 60 && given[row] == made.truth[row] { given[row] } else { NO_LABEL })
        .collect();
    let job = Job::unwatched();
    let labels = absorbed(&trainer, (given, &selection), &|_| true, (0.5, 0.5), &job).unwrap();
    let taken = labels.iter().filter(|&&label| label != NO_LABEL).count();
    let right = (0..300).filter(|&row| labels[row] == made.truth[row]).count();
    assert!(taken > 200 && right as f64 > 0.9 * taken as f64, "{taken} {right}");
    let changed = (0..300).filter(|&row| labels[row] != NO_LABEL && labels[row] != given[row]).count();
    assert!(changed > 20, "{changed}");
    // Nothing is as sure as that.
    let same = absorbed(&trainer, (given, &selection), &|_| true, (1.1, 1.1), &job).unwrap();
    assert_eq!(same, selection);
}

#[test]
fn automatic_selection_leaves_out_what_is_wrong() {
    let made = made(300, 0, 5);
    let (given, hashes) = (made.manifest.labels(), &made.file_metadata.hashes);
    let labels = selected(&made.matrix, given, 3, hashes, &|_| true, &Job::unwatched()).unwrap();
    let kept = |row: &usize| labels[*row] != NO_LABEL;
    assert!((0..300).filter(kept).all(|row| labels[row] == given[row]));
    let wrong = |row: &usize| given[*row] != made.truth[*row];
    let all_wrong = (0..300).filter(wrong).count();
    let kept_wrong = (0..300).filter(kept).filter(wrong).count();
    assert!(kept_wrong * 3 < all_wrong && (0..300).filter(kept).count() > 100, "{kept_wrong} of {all_wrong}");
}
