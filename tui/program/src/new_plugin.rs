//! `plugins new`: creates a detector in any language.
//!
//! Each language is a file in `new_plugin`, which says what to write and what to do next.

mod c;
mod described;
mod python;
mod rust;

use super::output::{remark, results};
use anyhow::{Context, Result, bail, ensure};
use chaffinch_data::reserved;
use chaffinch_host::{PluginFolder, Registry};
use chaffinch_protocol::display::safe_path;
use clap::ValueEnum;
use std::fs;
use std::path::Path;

/// What to write a detector in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// A library in Rust
    Rust,
    /// A library in C
    C,
    /// A library in C++
    Cpp,
    /// A program in Python
    Python,
    /// Prompts for the model, without code
    Prompt,
    /// A rule over a column of the dataset, without code
    Rule,
}

/// The files of a new detector.
struct Made {
    /// Paths in its folder, and what they contain.
    files: Vec<(String, Vec<u8>)>,
    /// What to do next.
    next: String,
}

/// Writes the files of a detector called `name`.
pub(super) fn run(
    name: &str,
    path: Option<&Path>,
    language: Language,
    contract: Option<&Path>,
) -> Result<()> {
    check_name(name)?;
    if language == Language::Python {
        python::check_name(name)?;
    }
    ensure!(
        Registry::load(&PluginFolder::own()).find(name).is_none(),
        "{name} is a detector that ships with the program, which keeps its name; choose another name"
    );
    let here = std::env::current_dir().context("cannot determine the working directory")?;
    let inside = rust::checkout(&here).filter(|_| language == Language::Rust);
    let parent = match (path, inside) {
        (Some(path), _) => std::path::absolute(path)?,
        (None, Some(root)) => root.join("plugins"),
        (None, None) => here,
    };
    let folder = parent.join(name);
    ensure!(
        !folder.exists(),
        "{} already exists; choose another name, or another folder with --path",
        safe_path(&folder)
    );
    let made = match language {
        Language::Rust => rust::make(name, &parent, contract)?,
        Language::C => c::make(name, &folder, c::C),
        Language::Cpp => c::make(name, &folder, c::CPP),
        Language::Python => python::make(name, &folder),
        Language::Prompt => described::prompt(name, &folder),
        Language::Rule => described::rule(name, &folder),
    };
    for (file, bytes) in &made.files {
        write(&folder.join(file), bytes)?;
    }
    remark(&made.next);
    results(|out| Ok(writeln!(out, "{}", safe_path(&folder))?))
}

fn check_name(name: &str) -> Result<()> {
    let proper = name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && !name.contains("--")
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    ensure!(
        proper,
        "invalid detector name '{}'; use up to 40 lowercase letters, digits and single hyphens, the first a letter, as in low-contrast",
        name.escape_debug()
    );
    if let Some(meaning) = reserved::detector(name) {
        bail!("a detector cannot be called {name}: {meaning}; choose another name");
    }
    let taken = ["plugin", "core", "clip", "tests"];
    ensure!(!taken.contains(&name), "{name} is the name of a Chaffinch crate; choose another name");
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", safe_path(folder)))?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", safe_path(path)))
}

/// The commands that try a detector in a folder.
fn trying(folder: &Path) -> String {
    let folder = chaffinch_protocol::display::quoted(folder);
    format!("  chaffinch plugins check {folder}\n  chaffinch scan DATASET --plugins {folder}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_names_are_refused() {
        for name in [
            "",
            "Dark",
            "2dark",
            "a/b",
            "dark-",
            "a--b",
            "../x",
            "plugin",
            "unreadable",
            "default",
            "enabled",
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name("low-contrast").is_ok());
    }

    #[test]
    fn every_language_writes_a_description_with_the_name() {
        for language in Language::value_variants() {
            let temp = tempfile::tempdir().unwrap();
            run("odd-one", Some(temp.path()), *language, None).unwrap();
            let folder = temp.path().join("odd-one");
            let description = fs::read_to_string(folder.join("detector.toml")).unwrap();
            let table: toml::Table = description.parse().unwrap();
            assert_eq!(table["name"].as_str(), Some("odd-one"), "{language:?}");
            for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
                let text = fs::read_to_string(&entry).unwrap_or_default();
                assert!(!text.contains("@NAME@") && !text.contains("@FILE@"), "{}", entry.display());
            }
            assert!(run("odd-one", Some(temp.path()), *language, None).is_err());
        }
    }
}
