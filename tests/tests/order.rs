//! No result depends on what the files are called, or in which order they come.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_data::session::Session;
use chaffinch_protocol::sample::SampleId;
use chaffinch_tests::pictures::picture;
use chaffinch_tests::random::Random;
use chaffinch_tests::sandbox::Sandbox;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

const CLASSES: usize = 3;
const EACH: usize = 30;

/// Detectors that judge groups say which member of a group to keep, and that is by name.
const GROUPS: [&str; 2] = ["duplicates", "leaks"];

/// For each detector the score of each picture, by its number.
type Scores = BTreeMap<String, BTreeMap<usize, Option<f32>>>;

/// Scans the pictures under the names of `order`: picture `n` is the `order[n]`-th file of its class.
fn scan(order: &[usize]) -> Scores {
    let sandbox = Sandbox::new();
    let mut number_of: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for (number, place) in order.iter().enumerate() {
        let (class, wrong) = (number % CLASSES, number % 11 == 5);
        let folder = sandbox.data().join(format!("class-{}", (class + usize::from(wrong)) % CLASSES));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{place:04}.png"));
        picture(class, number as u64, 48).save(&file).unwrap();
        number_of.insert(file.strip_prefix(sandbox.data()).unwrap().to_owned(), number);
    }
    sandbox.scan();
    let session = Session::open(&sandbox.session()).unwrap();
    let (manifest, _) = session.load_samples().unwrap().unwrap();
    let (results, damaged) = session.load_results(manifest.len(), manifest.classes());
    assert!(damaged.is_empty(), "{damaged:?}");
    let by_place = results.into_iter().filter(|(name, _)| !GROUPS.contains(&name.as_str()));
    by_place
        .map(|(name, result)| {
            let score = |id: SampleId| (number_of[manifest.path(id)], result.score(id));
            (name, manifest.ids().map(score).collect())
        })
        .collect()
}

#[test]
fn other_names_of_the_files_give_the_same_scores() {
    let plain: Vec<usize> = (0..CLASSES * EACH).collect();
    let mut shuffled = plain.clone();
    Random::new(5).shuffle(&mut shuffled);
    let (one, other) = (scan(&plain), scan(&shuffled));
    assert!(one.keys().eq(other.keys()) && one.len() >= 6, "{:?}", one.keys());
    for (name, scores) in &one {
        assert!(scores.values().any(Option::is_some), "{name} judged nothing");
        for (number, score) in scores {
            let found = other[name][number];
            let near = match (score, found) {
                (Some(one), Some(other)) => (one - other).abs() <= 1e-5,
                (one, other) => one.is_none() && other.is_none(),
            };
            assert!(near, "{name}, picture {number}: {score:?}, under another name {found:?}");
        }
    }
}
