//! Destinations: expanded, completed, proposed.

use crate::{Error, Result};
use chaffinch_data::output;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Ways to complete a path that are told.
const TOLD: usize = 200;

/// The absolute path that a text means: `~` is the home folder, and a relative one starts in the working folder.
///
/// # Errors
/// When it is empty, or there is no working folder.
pub(super) fn expanded(text: &str) -> Result<PathBuf> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::Invalid("type where to write it".into()));
    }
    let path = match (text.strip_prefix('~'), std::env::home_dir()) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            home.join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(text),
    };
    std::path::absolute(&path).map_err(Error::io("find", &path))
}

/// Where something with this name is written by default: into the working folder, else beside the dataset, else into the
/// home folder; never into the dataset at `root`, and never over anything.
pub(super) fn proposed(root: &Path, dataset: &Path, name: &str) -> PathBuf {
    let stem = dataset.file_stem().unwrap_or_default().to_string_lossy();
    let stem: String =
        stem.chars().filter(|c| !c.is_control() && !matches!(c, '*' | '?' | '{' | '}')).collect();
    let stem = if stem.is_empty() { "dataset".to_owned() } else { stem };
    let folders =
        [std::env::current_dir().ok(), dataset.parent().map(Path::to_path_buf), std::env::home_dir()];
    let fits = |folder: &PathBuf| {
        let there = folder.is_dir() && folder.parent().is_some();
        there && output::outside(root, &folder.join(name)).is_ok() && writable(folder)
    };
    let folder = folders.into_iter().flatten().find(fits).unwrap_or_else(std::env::temp_dir);
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    let first = OsString::from(format!("{stem}-{name}"));
    let taken = |path: &PathBuf| fs::symlink_metadata(path).is_ok();
    let names = std::iter::once(first.clone()).chain((2..).map(|number| output::numbered(&first, number)));
    names.map(|name| folder.join(name)).find(|path| !taken(path)).unwrap_or_else(|| folder.join(&first))
}

fn writable(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(metadata) = fs::metadata(folder) else { return false };
    // Whoever owns it may write as its mode says; for others the attempt tells.
    metadata.mode() & 0o222 != 0
}

/// The ways to complete a path, in alphabetical order: folders end with a slash. What was typed stays as it is.
pub(crate) fn completed(text: &str) -> Vec<String> {
    let (typed, begun) = match text.rfind('/') {
        Some(slash) => text.split_at(slash + 1),
        None if text == "~" => return vec!["~/".to_owned()],
        None => ("", text),
    };
    let Ok(folder) = expanded(if typed.is_empty() { "." } else { typed }) else { return Vec::new() };
    let Ok(entries) = fs::read_dir(&folder) else { return Vec::new() };
    let fits = |name: &String| {
        let hidden = name.starts_with('.') && !begun.starts_with('.');
        let odd = name.chars().any(char::is_control);
        !hidden && !odd && name.starts_with(begun)
    };
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).filter(fits).collect();
    names.sort_unstable();
    // What all of them begin with is what the first and the last begin with.
    if names.len() > TOLD {
        names.drain(TOLD - 1..names.len() - 1);
    }
    // In a folder of a million files, only those that are told are looked at.
    let option = |name: String| {
        let slash = if folder.join(&name).is_dir() { "/" } else { "" };
        format!("{typed}{name}{slash}")
    };
    let mut options: Vec<String> = names.into_iter().map(option).collect();
    options.sort_unstable();
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_completed_as_they_were_typed() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        fs::create_dir(at("out")).unwrap();
        fs::create_dir(at("output")).unwrap();
        fs::write(at("outline.csv"), "").unwrap();
        fs::write(at(".hidden"), "").unwrap();
        let base = temp.path().display();
        let of = |text: &str| {
            let all = completed(&format!("{base}/{text}"));
            all.into_iter().map(|path| path[format!("{base}/").len()..].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of("out"), ["out/", "outline.csv", "output/"]);
        assert_eq!(of("outp"), ["output/"]);
        assert_eq!(of(".h"), [".hidden"]);
        assert_eq!(of("x"), Vec::<String>::new());
        assert_eq!(completed("/nowhere/at/all/x"), Vec::<String>::new());
    }

    #[test]
    fn of_many_ways_the_first_and_the_last_are_told() {
        let temp = tempfile::tempdir().unwrap();
        for number in 0..TOLD + 50 {
            fs::write(temp.path().join(format!("a{number:04}")), "").unwrap();
        }
        fs::create_dir(temp.path().join("z")).unwrap();
        let typed = format!("{}/", temp.path().display());
        let options = completed(&typed);
        assert_eq!(options.len(), TOLD);
        assert_eq!(options.first(), Some(&format!("{typed}a0000")));
        assert_eq!(options.last(), Some(&format!("{typed}z/")), "they do not all begin with an a");
    }

    #[test]
    fn nothing_is_proposed_inside_the_dataset_or_over_a_file() {
        let temp = tempfile::tempdir().unwrap();
        let dataset = temp.path().join("pets");
        fs::create_dir(&dataset).unwrap();
        let first = proposed(&dataset, &dataset, "plan.json");
        assert!(output::outside(&dataset, &first).is_ok() && !first.exists(), "{first:?}");
        assert!(first.ends_with("pets-plan.json"), "{first:?}");
        assert!(expanded("  ").is_err());
        assert!(expanded("x").unwrap().is_absolute());
    }
}
