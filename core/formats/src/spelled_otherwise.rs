//! Names in a file that name no sample as they are, and would if they were spelled as the dataset spells them: `img_7.JPG` for
//! `IMG_0007.png`. They are not taken for these samples, as both spellings may exist, but it is said.

use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{excerpt, excerpt_path};
use chaffinch_protocol::sample::SampleId;
use percent_encoding::percent_decode_str;
use std::collections::HashMap;
use std::path::Path;

/// Names to look at.
const TRIED: usize = 1000;
/// Folders that tell names apart.
const FOLDERS: usize = 2;

/// What differs between names and those of samples, if most of them are a sample's but for that: the end of a sentence.
pub(crate) fn hint<'n>(names: impl Iterator<Item = &'n str>, manifest: &Manifest) -> Option<String> {
    let mut samples: HashMap<String, Option<SampleId>> = HashMap::new();
    for id in manifest.ids() {
        for end in ends(&manifest.path(id).to_string_lossy()) {
            samples.entry(end).and_modify(|other| *other = None).or_insert(Some(id));
        }
    }
    // The longest end that one sample has alone.
    let sample = |name: &str| ends(name).iter().find_map(|end| *samples.get(end)?);
    let names: Vec<&str> = names.take(TRIED).collect();
    let pairs: Vec<(&str, SampleId)> = names.iter().filter_map(|&name| Some((name, sample(name)?))).collect();
    let (name, id) = *pairs.first().filter(|_| pairs.len() * 2 > names.len())?;
    let path = manifest.path(id);
    let differs = Name::of(name).differs(&Name::of(&path.to_string_lossy()))?;
    Some(format!(
        "; '{}' would be {} but for {differs}: write the names as the dataset has them",
        excerpt(name),
        excerpt_path(path)
    ))
}

/// The ends of a path with up to two folders, the longest first, without what may be spelled otherwise.
fn ends(path: &str) -> Vec<String> {
    let mut folders: Vec<String> = Vec::new();
    let (before, _) = path.trim().rsplit_once(['/', '\\']).unwrap_or_default();
    let decoded = percent_decode_str(before).decode_utf8_lossy();
    let parts = decoded.rsplit(['/', '\\']).filter(|part| !part.is_empty());
    folders.extend(parts.take(FOLDERS).map(|part| without_zeros(&part.to_lowercase())));
    let name = Name::of(path).bare();
    let end = |count: usize| folders[..count].iter().fold(name.clone(), |end, part| format!("{part}/{end}"));
    (0..=folders.len()).rev().map(end).collect()
}

/// The parts of the name of a file, without its folders.
struct Name {
    stem: String,
    extension: String,
    /// Whether signs were written by their numbers.
    is_encoded: bool,
}

impl Name {
    fn of(path: &str) -> Name {
        let name = path.trim().rsplit(['/', '\\']).next().unwrap_or_default();
        let decoded = percent_decode_str(name).decode_utf8_lossy();
        let is_encoded = decoded != name;
        let file = Path::new(&*decoded);
        let part = |part: Option<&std::ffi::OsStr>| {
            part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default()
        };
        Name { stem: part(file.file_stem()), extension: part(file.extension()), is_encoded }
    }

    /// The stem in lower case, and its numbers without zeros before them.
    fn bare(&self) -> String {
        without_zeros(&self.stem.to_lowercase())
    }

    /// What differs from a name that is the same otherwise, if anything does.
    fn differs(&self, other: &Name) -> Option<String> {
        let lower = |name: &str| name.to_lowercase();
        let zeros = lower(&self.stem) != lower(&other.stem);
        let plain = if zeros { without_zeros } else { str::to_owned };
        let extension = !self.extension.is_empty() && lower(&self.extension) != lower(&other.extension);
        let letters = plain(&self.stem) != plain(&other.stem)
            || (!self.extension.is_empty() && !extension && self.extension != other.extension);
        let all = [
            (letters, "upper and lower case"),
            (extension, "the extension"),
            (zeros, "zeros before a number"),
            (self.is_encoded && !other.is_encoded, "signs such as %20"),
        ];
        let all: Vec<&str> = all.iter().filter(|(differs, _)| *differs).map(|(_, what)| *what).collect();
        (!all.is_empty()).then(|| all.join(" and "))
    }
}

/// A name whose numbers have no zeros before them.
fn without_zeros(name: &str) -> String {
    let mut bare = String::with_capacity(name.len());
    let mut signs = name.chars().peekable();
    let mut in_number = false;
    while let Some(sign) = signs.next() {
        let before_digit = signs.peek().is_some_and(char::is_ascii_digit);
        if sign == '0' && !in_number && before_digit {
            continue;
        }
        in_number = sign.is_ascii_digit();
        bare.push(sign);
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::manifest::NewSample;
    use chaffinch_protocol::sample::Split;

    fn of(paths: &[&str], names: &[&str]) -> String {
        let sample = |path: &&str| NewSample { path: path.into(), label: None, split: Split::None };
        let manifest = Manifest::new("/d", paths.iter().map(sample));
        hint(names.iter().copied(), &manifest).unwrap_or_default()
    }

    #[test]
    fn what_differs_is_named() {
        let paths = ["cat/IMG_0007.jpg", "cat/IMG_0100.jpg", "cat/a b.jpg"];
        for (name, what) in [
            ("x/img_0007.jpg", "upper and lower case"),
            ("IMG_0007.JPG", "upper and lower case"),
            ("IMG_0007.png", "the extension"),
            ("IMG_7.jpg", "zeros before a number"),
            ("img_7", "upper and lower case and zeros before a number"),
            ("a%20b.jpg", "signs such as %20"),
        ] {
            let said = of(&paths, &[name]);
            assert!(said.contains(&format!("but for {what}:")), "{name}: {said}");
        }
        let said = of(&paths, &["IMG_7.jpg", "IMG_100.jpg"]);
        assert_eq!(
            said,
            "; 'IMG_7.jpg' would be cat/IMG_0007.jpg but for zeros before a number: write the names as the dataset has them"
        );
    }

    #[test]
    fn a_name_that_may_be_several_samples_is_none() {
        assert_eq!(of(&["1.jpg", "01.jpg"], &["001.jpg"]), "");
        assert_eq!(of(&["cat/1.jpg", "dog/1.jpg"], &["1.png"]), "");
        assert!(
            of(&["cat/1.jpg", "dog/1.jpg"], &["/old/Dog/01.jpg"])
                .contains("would be dog/1.jpg but for zeros")
        );
        assert_eq!(of(&["1.jpg", "2.jpg", "3.jpg"], &["01.jpg", "x.jpg"]), "", "half of them");
        assert_eq!(of(&[], &["01.jpg"]), "");
        assert_eq!(of(&["1.jpg"], &[]), "");
        assert_eq!(of(&["1.jpg"], &["2.jpg"]), "");
    }

    #[test]
    fn zeros_stay_in_and_after_numbers() {
        for (name, bare) in [("0007", "7"), ("a00b0100", "a0b100"), ("0", "0"), ("00", "0"), ("x0", "x0")] {
            assert_eq!(without_zeros(name), bare);
        }
    }
}
