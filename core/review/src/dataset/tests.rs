//! Each kind on a dataset that has its fault, and on one that does not.

use super::*;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::{ExtraColumn, Manifest, NewSample};
use chaffinch_plugin::Dimensions;
use chaffinch_protocol::sample::Split;
use rand::{Rng, RngCore};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

const CLOSE: f64 = 1e-6;

pub(super) fn quiet() -> Job<'static> {
    static NEVER: AtomicBool = AtomicBool::new(false);
    Job::new(&NEVER, &|_, _| {})
}

pub(super) fn unit(vector: &[f64]) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    vector.iter().map(|x| (x / length) as f32).collect()
}

pub(super) fn close(a: f64, b: f64) {
    assert!((a - b).abs() < CLOSE, "{a} is not {b}");
}

/// A dataset made up of bundles of vectors.
struct Made {
    manifest: Manifest,
    file_metadata: FileMetadata,
    matrix: EmbeddingMatrix,
}

const WIDTH: usize = 16;

/// One sample of a dataset to be made.
#[derive(Clone)]
struct One {
    bundle: usize,
    label: &'static str,
    split: Split,
    size: (u32, u32),
    flat: bool,
}

fn one(bundle: usize, label: &'static str) -> One {
    One { bundle, label, split: Split::None, size: (640, 480), flat: false }
}

fn noise(random: &mut ChaCha8Rng) -> f64 {
    (0..6).map(|_| random.random::<f64>() - 0.5).sum::<f64>()
}

impl Made {
    /// Each bundle has a direction of its own, and its samples are scattered around it.
    fn of(samples: &[One]) -> Made {
        let mut random = chance::random(99);
        let mut vectors = Vec::new();
        for sample in samples {
            let mut vector = [0.0; WIDTH];
            vector.iter_mut().for_each(|x| *x = 0.12 * noise(&mut random));
            vector[sample.bundle] += 1.0;
            vectors.extend(unit(&vector));
        }
        let row = |(number, sample): (usize, &One)| NewSample {
            path: format!("{number:04}.png").into(),
            label: Some(sample.label.to_owned()),
            split: sample.split,
        };
        let mut file_metadata = FileMetadata::default();
        for (number, sample) in samples.iter().enumerate() {
            let mut hash = ContentHash::default();
            hash.0[..8].copy_from_slice(&(number as u64 + 1).to_le_bytes());
            file_metadata.hashes.push(hash);
            let (width, height) = sample.size;
            file_metadata.dimensions.push(Dimensions { width, height, bytes: 50_000 });
            file_metadata.modified.push(0);
            file_metadata.phash.push(if sample.flat { 1 } else { random.next_u64() | 0xff });
            file_metadata.dhash.push(if sample.flat { 0 } else { random.next_u64() | 1 });
        }
        Made {
            manifest: Manifest::new("/made", samples.iter().enumerate().map(row)),
            file_metadata,
            matrix: EmbeddingMatrix::from_vec(vectors, WIDTH),
        }
    }

    fn with_columns(mut self, columns: &[(&str, Vec<String>)]) -> Made {
        let extra =
            columns.iter().map(|(name, values)| ExtraColumn { name: (*name).into(), values: values.clone() });
        self.manifest = self.manifest.with_extra(extra.collect());
        self
    }

    fn find(&self) -> DatasetFindings {
        self.find_with(Vec::new())
    }

    fn find_with(&self, names: Vec<f32>) -> DatasetFindings {
        let inputs = Inputs {
            manifest: &self.manifest,
            file_metadata: &self.file_metadata,
            results: &BTreeMap::new(),
            matrix: Some(&self.matrix),
            beside: &Beside { given: None, names },
        };
        find(&inputs, &quiet()).unwrap()
    }
}

/// Three bundles that are three classes, in a mixed order.
fn sound(count: usize) -> Vec<One> {
    let order = chance::shuffled(count, 5);
    order.iter().map(|&at| one(at as usize % 3, ["cat", "dog", "owl"][at as usize % 3])).collect()
}

fn of_kind<'a>(found: &'a DatasetFindings, kind: &str) -> Vec<&'a DatasetFinding> {
    found.findings.iter().filter(|finding| finding.kind == kind).collect()
}

/// The only finding of a kind.
fn only<'a>(found: &'a DatasetFindings, kind: &str) -> &'a DatasetFinding {
    let of_kind = of_kind(found, kind);
    assert_eq!(of_kind.len(), 1, "{kind}: {:#?}", found.findings);
    of_kind[0]
}

fn figure(finding: &DatasetFinding, name: &str) -> f64 {
    finding.figures.iter().find(|figure| figure.name == name).unwrap_or_else(|| panic!("{finding:?}")).value
}

#[test]
fn embeddings_that_do_not_differ_are_said_to_tell_nothing() {
    let samples: Vec<One> = (0..60).map(|number| one(0, ["cat", "dog"][number % 2])).collect();
    let mut made = Made::of(&samples);
    let row = made.matrix.row(0).to_vec();
    made.matrix = EmbeddingMatrix::from_vec(row.repeat(60), WIDTH);
    let found = made.find();
    let overlap = found.kinds.iter().find(|kind| kind.name == "overlapping_classes").unwrap();
    assert!(overlap.not_checked.contains("the embeddings of all pictures are the same"), "{overlap:?}");
}

#[test]
fn nothing_is_found_in_a_sound_dataset_and_what_was_not_looked_for_says_why() {
    let found = Made::of(&sound(300)).find();
    assert_eq!(found.findings, []);
    assert_eq!(found.compared, 300);
    assert_eq!(found.kinds.len(), KINDS.len());
    let not: Vec<&str> = found
        .kinds
        .iter()
        .filter(|kind| !kind.not_checked.is_empty())
        .map(|kind| kind.name.as_str())
        .collect();
    assert_eq!(not, ["split_drift", "metadata_columns", "label_shift", "source_clusters"]);
}

#[test]
fn progress_goes_on_towards_one_whole() {
    let made = Made::of(&sound(300));
    let inputs = Inputs {
        manifest: &made.manifest,
        file_metadata: &made.file_metadata,
        results: &BTreeMap::new(),
        matrix: Some(&made.matrix),
        beside: &Beside { given: None, names: Vec::new() },
    };
    let seen = std::sync::Mutex::new(Vec::new());
    let progress = |done: u64, total: u64| seen.lock().unwrap().push((done, total));
    find(&inputs, &Job::new(&AtomicBool::new(false), &progress)).unwrap();
    let seen = seen.into_inner().unwrap();
    assert!(seen.len() > KINDS.len());
    assert!(seen.iter().all(|(done, total)| *total == seen[0].1 && done <= total), "{seen:?}");
    // The last kind is the last step.
    let steps: Vec<u64> = seen.iter().map(|(done, total)| done * (KINDS.len() as u64 + 2) / total).collect();
    assert!(steps.last() > Some(&(KINDS.len() as u64)), "{steps:?}");
}

#[test]
fn an_empty_dataset_is_no_error() {
    let found = Made::of(&[]).find();
    assert_eq!(found.findings, []);
    assert!(found.kinds.iter().all(|kind| !kind.not_checked.is_empty()), "{:?}", found.kinds);
}

#[test]
fn all_findings_are_the_same_whatever_the_threads() {
    let mut samples = sound(300);
    samples.iter_mut().take(60).for_each(|sample| sample.split = Split::Test);
    samples.iter_mut().skip(60).for_each(|sample| sample.split = Split::Train);
    samples.iter_mut().skip(60).take(40).for_each(|sample| sample.bundle = 7);
    let made =
        Made::of(&samples).with_columns(&[("camera", (0..300).map(|n| format!("c{}", n % 5)).collect())]);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| made.find())
    };
    let one = with(1);
    assert!(!one.findings.is_empty());
    assert_eq!(one, with(3));
}

#[test]
fn a_rare_class_is_found_with_its_samples() {
    let mut samples = sound(300);
    samples.retain({
        let mut owls = 0;
        move |sample| {
            owls += usize::from(sample.label == "owl");
            sample.label != "owl" || owls <= 2
        }
    });
    let made = Made::of(&samples);
    let found = made.find();
    let finding = only(&found, "class_imbalance");
    assert_eq!(finding.classes, [2]);
    assert_eq!(finding.samples.len(), 2);
    assert!(finding.samples.iter().all(|&id| made.manifest.label_name(id) == "owl"));
    assert!(finding.score < 0.5 && figure(finding, "datalab_score") < figure(finding, "threshold"));
}

#[test]
fn an_order_by_class_is_told_from_one_within_classes() {
    let mut by_class = sound(300);
    by_class.sort_by_key(|sample| sample.label);
    let found = Made::of(&by_class).find();
    let finding = only(&found, "non_iid");
    assert_eq!((finding.severity, figure(finding, "datalab_score") < 0.05), (Severity::Info, true));
    // One class of two sources, one after the other.
    let bursts: Vec<One> = (0..300).map(|at| one(at / 50, "cat")).collect();
    let found = Made::of(&bursts).find();
    let finding = only(&found, "non_iid");
    assert!(finding.severity < Severity::Info, "{finding:?}");
}

#[test]
fn a_group_with_wrong_labels_is_found() {
    let mut samples = sound(400);
    let at: Vec<usize> = (0..400).filter(|at| at % 13 == 0).collect();
    for &at in &at {
        samples[at] = one(3, ["cat", "dog", "owl"][at % 3]);
    }
    let made = Made::of(&samples);
    let found = made.find();
    let finding = of_kind(&found, "underperforming_group")[0];
    let inside = finding.samples.iter().filter(|id| at.contains(&id.index())).count();
    assert!(2 * inside > finding.samples.len(), "{inside} of {}", finding.samples.len());
    let finding = only(&found, "data_valuation");
    assert!(figure(finding, "lowest_value") < 0.5);
}

#[test]
fn a_size_that_tells_the_class_is_found() {
    let mut samples = sound(300);
    samples.iter_mut().filter(|sample| sample.label == "cat").for_each(|sample| sample.size = (320, 240));
    samples.iter_mut().filter(|sample| sample.label == "dog").for_each(|sample| sample.size = (1280, 960));
    let found = Made::of(&samples).find();
    let sized: Vec<&str> =
        of_kind(&found, "spurious_correlations").iter().map(|finding| finding.text.as_str()).collect();
    assert!(sized.iter().any(|text| text.contains("property size")), "{sized:?}");
    assert!(sized.iter().all(|text| !text.contains("aspect_ratio")), "{sized:?}");
}

#[test]
fn columns_with_faults_are_found_each_with_its_own() {
    let samples = sound(120);
    let columns = [
        ("file", (0..120).map(|n| (n + 1000).to_string()).collect()),
        ("license", vec!["CC0".to_owned(); 120]),
        ("place", (0..120).map(|n| if n % 3 == 0 { String::new() } else { format!("p{}", n % 4) }).collect()),
        ("species", samples.iter().map(|sample| format!("{} sp.", sample.label)).collect()),
        ("weather", (0..120).map(|n| ["sun", "rain"][(n / 7) % 2].to_owned()).collect()),
    ];
    let found = Made::of(&samples).with_columns(&columns).find();
    let told: Vec<(String, Severity)> = of_kind(&found, "metadata_columns")
        .iter()
        .map(|finding| (finding.text.split('\'').nth(1).unwrap().to_owned(), finding.severity))
        .collect();
    let expected = [
        ("species", Severity::Serious),
        ("place", Severity::Warning),
        ("file", Severity::Info),
        ("license", Severity::Info),
    ];
    assert_eq!(told, expected.map(|(name, severity)| (name.to_owned(), severity)));
}

#[test]
fn annotators_who_label_differently_are_found_and_those_who_do_not_are_not() {
    let mut samples = sound(400);
    let who: Vec<String> = (0..400).map(|n| ["anna", "ben"][usize::from(n % 2 == 1)].to_owned()).collect();
    let shift: Vec<String> = (0..400).map(|n| ["early", "late"][usize::from(n >= 200)].to_owned()).collect();
    samples
        .iter_mut()
        .step_by(2)
        .filter(|sample| sample.label == "owl")
        .for_each(|sample| sample.label = "dog");
    let found = Made::of(&samples).with_columns(&[("annotator", who), ("shift", shift)]).find();
    let finding = only(&found, "label_shift");
    assert!(finding.text.contains("'annotator'") && finding.severity < Severity::Info, "{finding:?}");
    assert!(figure(finding, "cramers_v") > 0.3);
}

#[test]
fn a_camera_that_explains_how_pictures_group_is_found_although_labels_do_not_depend_on_it() {
    let mut samples = sound(400);
    samples.iter_mut().enumerate().for_each(|(at, sample)| sample.bundle = at % 4 + 4);
    let cameras: Vec<String> = (0..400).map(|at| format!("camera {}", at % 4)).collect();
    let found = Made::of(&samples).with_columns(&[("camera", cameras)]).find();
    let finding = only(&found, "source_clusters");
    assert!(figure(finding, "explained_by_column") > 0.3, "{finding:?}");
    assert!(figure(finding, "explained_by_labels") < 0.1);
    assert_eq!(of_kind(&found, "label_shift"), Vec::<&DatasetFinding>::new());
}

#[test]
fn a_split_of_other_pictures_is_found_and_a_random_one_is_not() {
    let mut samples = sound(300);
    samples.iter_mut().for_each(|sample| sample.split = Split::Train);
    samples.iter_mut().skip(200).for_each(|sample| sample.split = Split::Test);
    let found = Made::of(&samples).find();
    assert_eq!(of_kind(&found, "split_drift"), Vec::<&DatasetFinding>::new());
    samples.iter_mut().skip(200).step_by(2).for_each(|sample| sample.bundle = 9);
    let made = Made::of(&samples);
    let found = made.find();
    let finding = only(&found, "split_drift");
    assert!(figure(finding, "p_value") <= 0.01 && finding.severity < Severity::Info, "{finding:?}");
    assert!(finding.samples.iter().take(20).all(|id| id.index() >= 200 && id.index() % 2 == 0));
}

#[test]
fn a_class_that_a_split_does_not_have_is_found() {
    let mut samples = sound(300);
    for sample in &mut samples {
        sample.split = Split::Train;
    }
    samples
        .iter_mut()
        .skip(200)
        .filter(|sample| sample.label != "owl")
        .for_each(|sample| sample.split = Split::Test);
    let found = Made::of(&samples).find();
    let finding = of_kind(&found, "split_drift")[0];
    assert!(finding.text.contains("'owl' is not in every split"), "{}", finding.text);
}

#[test]
fn classes_of_the_same_pictures_overlap_and_confused_names_alone_are_weak() {
    let mut samples = sound(300);
    samples.iter_mut().filter(|sample| sample.label == "owl").for_each(|sample| sample.bundle = 1);
    let found = Made::of(&samples).find();
    let finding = only(&found, "overlapping_classes");
    assert_eq!(finding.classes, [1, 2]);
    assert!(finding.severity < Severity::Info, "{finding:?}");
    // The names of two classes stand in each other's place; the pictures are as different as can be.
    let mut names = vec![0.0_f32; 3 * WIDTH];
    for (class, bundle) in [(0, 0), (1, 2), (2, 1)] {
        names[class * WIDTH + bundle] = 1.0;
    }
    let found = Made::of(&sound(300)).find_with(names);
    let finding = only(&found, "overlapping_classes");
    assert_eq!((finding.classes.as_slice(), finding.severity), ([1, 2].as_slice(), Severity::Info));
    assert!(finding.text.contains("weak evidence") && figure(finding, "share_by_names") > 0.9, "{finding:?}");
}

#[test]
fn a_small_far_group_is_found() {
    let mut samples = sound(400);
    for at in [17, 101, 202, 303, 350, 399] {
        samples[at] = one(12, "dog");
    }
    let found = Made::of(&samples).find();
    let finding = only(&found, "under_represented_region");
    let mut rows: Vec<usize> = finding.samples.iter().map(|id| id.index()).collect();
    rows.sort_unstable();
    assert_eq!(rows, [17, 101, 202, 303, 350, 399]);
    assert_eq!(finding.classes, [1]);
}

#[test]
fn pictures_without_edges_are_found() {
    let mut samples = sound(300);
    [3, 30, 299].into_iter().for_each(|at| samples[at].flat = true);
    let found = Made::of(&samples).find();
    let finding = only(&found, "near_constant");
    assert_eq!(finding.samples.iter().map(|id| id.index()).collect::<Vec<_>>(), [3, 30, 299]);
    close(figure(finding, "share"), 0.01);
    assert_eq!(finding.text, "3 pictures (1 %) are without edges: one color, or a smooth gradient");
}

#[test]
fn every_kind_is_documented_under_the_same_headings() {
    let text = include_str!("../../../../docs/dataset-findings.md");
    for kind in KINDS {
        let section = text.split("\n## ").find(|section| section.contains(&format!("`{}`", kind.name)));
        let section =
            section.unwrap_or_else(|| panic!("docs/dataset-findings.md has no section on {}", kind.name));
        assert!(section.starts_with(kind.title), "{}", kind.name);
        for heading in ["What it finds", "Why it matters", "Score", "Parameters", "Blind spots"] {
            assert!(
                section.contains(&format!("\n### {heading}\n")),
                "{} has no heading {heading}",
                kind.name
            );
        }
    }
}
