//! The engine's neighbors on embeddings that another program made.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

#[path = "../src/paintings.rs"]
mod paintings;
// Included by path: the crate's feature would have all detectors compiled a second time.
#[path = "../../core/plugin/src/testing/npy.rs"]
#[allow(unreachable_pub)]
mod reader;

use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::neighbors;
use paintings::Paintings;
use reader::npy;
use std::sync::atomic::AtomicBool;

/// scikit-learn's nine nearest of `banksy_1` by cosine, of which the first is the picture itself.
#[test]
#[ignore = "needs the paintings' embeddings beside the repository: cargo test --release -p chaffinch-tests --test paintings -- --ignored"]
fn banksy_1_has_the_known_neighbors() {
    let paintings = Paintings::read();
    let mut data = paintings.embeddings.clone();
    for row in data.chunks_exact_mut(paintings.dim) {
        let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        row.iter_mut().for_each(|x| *x /= norm);
    }
    let matrix = EmbeddingMatrix::from_vec(data, paintings.dim);
    let stop = AtomicBool::new(false);
    let lists = neighbors::nearest(&matrix, &|_| true, 8, &Job::new(&stop, &|_, _| {})).unwrap();
    let row = paintings.names.iter().position(|name| name == "1").unwrap();
    let found: Vec<String> =
        lists.of(row).map(|(other, cosine)| format!("{} {cosine:.2}", paintings.names[other])).collect();
    let known = [
        "04 1.00",
        "0337 0.82",
        "0382 0.77",
        "0209 0.73",
        "0347 0.72",
        "0299 0.71",
        "0154 0.69",
        "0319 0.68",
    ];
    assert_eq!(found, known);
    assert_eq!(paintings.names_of([row]), ["1"]);
    assert!((0..320).all(|row| lists.of(row).all(|(other, _)| other != row)));
}
