//! The recipes of `docs/contributing.md` work as they are written, and take no more than they should.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::artefacts::root;
use chaffinch_tests::recipe::{Cost, Recipe, Scratch};
use std::fs;

/// A recipe of the page, followed in a copy of the checkout. `packages` must then pass cargo's check.
fn follow(heading: &str, packages: &[&str]) -> (Scratch, Cost) {
    let page = fs::read_to_string(root().join("docs/contributing.md")).unwrap();
    let recipe = Recipe::read(&page, heading);
    let scratch = Scratch::new();
    recipe.follow(scratch.path());
    let args: Vec<&str> = packages.iter().flat_map(|package| ["-p", package]).collect();
    scratch.cargo("check", &args);
    println!("{heading}: {:?}", recipe.cost());
    (scratch, recipe.cost())
}

#[test]
fn a_detector_takes_two_files_and_two_lines() {
    let (scratch, cost) = follow("Add a detector", &["chaffinch-faded"]);
    assert_eq!(cost, Cost { files: 2, edits: 2, edited_lines: 2 });
    scratch.cargo("test", &["-p", "chaffinch-faded"]);
}
