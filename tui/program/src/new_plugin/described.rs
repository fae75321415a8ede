//! Detectors without code: a description that says what to look for.

use super::{Made, trying};
use std::path::Path;

const PROMPT: &str = include_str!("../templates/prompt.toml.in");
const RULE: &str = include_str!("../templates/rule.toml.in");

pub(super) fn prompt(name: &str, folder: &Path) -> Made {
    make(name, folder, PROMPT)
}

pub(super) fn rule(name: &str, folder: &Path) -> Made {
    make(name, folder, RULE)
}

fn make(name: &str, folder: &Path, description: &str) -> Made {
    Made {
        files: vec![("detector.toml".to_owned(), description.replace("@NAME@", name).into_bytes())],
        next: format!("Created detector.toml. Next:\n{}", trying(folder)),
    }
}
