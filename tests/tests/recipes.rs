//! The recipes in `docs/contributing.md` work as written, and take no more files and lines than promised.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::artefacts::root;
use chaffinch_tests::recipe::{Cost, Recipe, Scratch};
use std::fs;

/// Every recipe of the page with what it takes.
const RECIPES: [(&str, Cost); 7] = [
    ("Add a detector", Cost { files: 2, edits: 1, edited_lines: 1, mod_lines: 0 }),
    // One line is for a test.
    ("Add an export format", Cost { files: 1, edits: 3, edited_lines: 3, mod_lines: 1 }),
    // Five lines are an example for tests.
    ("Add a dataset format", Cost { files: 1, edits: 4, edited_lines: 7, mod_lines: 1 }),
    // Two lines of code and a section of the manual.
    ("Add a command", Cost { files: 1, edits: 3, edited_lines: 6, mod_lines: 1 }),
    ("Add a page", Cost { files: 1, edits: 3, edited_lines: 3, mod_lines: 1 }),
    ("Bind a key", Cost { files: 0, edits: 1, edited_lines: 1, mod_lines: 0 }),
    ("Add a setting", Cost { files: 0, edits: 1, edited_lines: 2, mod_lines: 0 }),
];

fn page() -> String {
    fs::read_to_string(root().join("docs/contributing.md")).unwrap()
}

#[test]
fn every_recipe_takes_what_it_should() {
    let page = page();
    let headings: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        // The manual section that a recipe inserts has the name of a command.
        .filter(|heading| heading.starts_with(char::is_uppercase))
        .collect();
    assert_eq!(headings, RECIPES.map(|(heading, _)| heading));
    for (heading, cost) in RECIPES {
        assert_eq!(Recipe::read(&page, heading).cost(), cost, "{heading}");
    }
}

/// All in one copy, since compiling it takes most of the time.
#[test]
fn recipes_compile_without_warnings() {
    let page = page();
    let scratch = Scratch::new();
    for (heading, cost) in RECIPES {
        Recipe::read(&page, heading).follow(scratch.path());
        println!("{heading}: {cost:?}");
    }
    scratch.cargo("clippy", &["-p", "chaffinch", "-p", "chaffinch-faded", "--", "-D", "warnings"]);
    scratch.cargo("test", &["-p", "chaffinch-faded"]);
}
