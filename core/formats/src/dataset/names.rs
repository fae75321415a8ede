//! Labels in file names: `cat.123.jpg`.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

/// Leading words written by cameras, scanners and export scripts, which say nothing about the class.
const MEANINGLESS: [&str; 18] = [
    "dsc",
    "dscf",
    "dscn",
    "frame",
    "gopr",
    "image",
    "images",
    "img",
    "imgp",
    "mvi",
    "page",
    "photo",
    "pic",
    "picture",
    "pxl",
    "scan",
    "screenshot",
    "untitled",
];

/// Labels from file names, when the names follow a pattern: at least 95 % are a word of letters, a separator (`.`, `_`,
/// `-`) and digits, with 2 to 1000 different words, none of them a camera's.
pub(super) fn labels<'a>(paths: impl Iterator<Item = &'a Path> + Clone) -> Option<Vec<Option<String>>> {
    let (mut files, mut named) = (0_usize, 0_usize);
    let mut words = BTreeSet::new();
    for path in paths.clone() {
        files += 1;
        if let Some(word) = word(path) {
            named += 1;
            if !words.contains(word) {
                if words.len() == 1000 || MEANINGLESS.contains(&word.to_ascii_lowercase().as_str()) {
                    return None;
                }
                words.insert(word);
            }
        }
    }
    let agree = words.len() >= 2 && named * 100 >= files * 95;
    agree.then(|| paths.map(|path| word(path).map(str::to_owned)).collect())
}

/// The word in one name. Inner separators are part of it: `american_bulldog_12` is an `american_bulldog`.
fn word(path: &Path) -> Option<&str> {
    let stem = path.file_stem().and_then(OsStr::to_str)?;
    let rest = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let word = rest.strip_suffix(['.', '_', '-'])?;
    let ends_are_letters = word.chars().next().is_some_and(char::is_alphabetic)
        && word.chars().last().is_some_and(char::is_alphabetic);
    let inside = |c: char| c.is_alphabetic() || matches!(c, '_' | '-' | ' ');
    (rest.len() < stem.len() && ends_are_letters && word.chars().all(inside)).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Option<Vec<Option<String>>> {
        labels(names.iter().map(Path::new))
    }

    #[test]
    fn words_and_numbers_are_labels() {
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(of(&["cat.0.jpg", "dog_12.JPG"]), Some(vec![some("cat"), some("dog")]));
        assert_eq!(of(&["great_dane_1.png", "pug-2.png"]), Some(vec![some("great_dane"), some("pug")]));
    }

    #[test]
    fn other_names_are_none() {
        assert_eq!(of(&["cat.0.jpg", "cat.1.jpg"]), None, "one word is not a set of classes");
        assert_eq!(of(&["IMG_0001.jpg", "DSC_0002.jpg"]), None, "cameras");
        assert_eq!(of(&["a1.jpg", "b2.jpg"]), None, "no separator");
        assert_eq!(of(&["cat.0.jpg", "dog.1.jpg", "x.jpg"]), None, "a third does not agree");
        let long: Vec<String> = (0..1200).map(|n| format!("{}_1.jpg", spell(n))).collect();
        assert_eq!(labels(long.iter().map(Path::new)), None, "too many");
    }

    #[test]
    fn five_percent_may_differ() {
        let mut all: Vec<String> =
            (0..95).map(|n| format!("{}_{n}.jpg", if n % 2 == 0 { "cat" } else { "dog" })).collect();
        all.extend((0..5).map(|n| format!("{n}.jpg")));
        let found = labels(all.iter().map(Path::new)).unwrap();
        assert_eq!(found[94].as_deref(), Some("cat"));
        assert_eq!(found[95], None);
    }

    fn spell(number: u32) -> String {
        number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
    }
}
