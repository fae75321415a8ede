//! Samples that a detector names by their number, which a reviewer cannot look up: their paths are said as well.

use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::safe_path;
use chaffinch_protocol::sample::SampleId;

/// How a sample is named by its number.
const WORD: &str = "sample ";

/// The most paths that are added to a text.
const NAMED: usize = 3;

/// A text with the paths of the samples that it names by number, unless it has them already.
pub(crate) fn with_paths(text: &str, manifest: &Manifest) -> String {
    let mut named: Vec<u32> = Vec::new();
    let inside = |at: usize| text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
    for (at, _) in text.match_indices(WORD).filter(|(at, _)| !inside(*at)) {
        let rest = &text[at + WORD.len()..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = rest[..digits].parse::<u32>().ok();
        let there = number.filter(|number| (*number as usize) < manifest.len() && !named.contains(number));
        named.extend(there);
    }
    let path = |number: u32| safe_path(manifest.path(SampleId(number)));
    let paths = named.into_iter().take(NAMED).map(|number| (number, path(number)));
    let paths = paths.filter(|(_, path)| !text.contains(path.as_str()));
    let words: Vec<String> = paths.map(|(number, path)| format!("{WORD}{number} is {path}")).collect();
    if words.is_empty() { text.to_owned() } else { format!("{text}; {}", words.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::with_paths;
    use chaffinch_data::manifest::{Manifest, NewSample};
    use chaffinch_protocol::sample::Split;

    #[test]
    fn numbers_of_samples_get_their_paths() {
        let sample =
            |path: &&str| NewSample { path: (*path).into(), label: Some("cat".into()), split: Split::None };
        let paths = ["cat/a.jpg", "cat/b\u{1b}[2J.jpg", "cat/c.jpg", "cat/d.jpg", "cat/e.jpg"];
        let manifest = Manifest::new("/data", paths.iter().map(sample));
        let said = |text: &str| with_paths(text, &manifest);
        assert_eq!(said("gives sample 0 the score 2"), "gives sample 0 the score 2; sample 0 is cat/a.jpg");
        assert!(
            !said("sample 1 is bad").contains('\u{1b}')
                && said("sample 1 is bad").contains("; sample 1 is cat/b")
        );
        for same in [
            "names sample 5 of 5",
            "resample 3 times",
            "the sample",
            "sample x",
            "sample 99999999999999",
            "sample 2 (cat/c.jpg)",
        ] {
            assert_eq!(said(same), same);
        }
        let all = said("sample 4, sample 3, sample 3, sample 2 and sample 0");
        assert!(
            all.ends_with("; sample 4 is cat/e.jpg, sample 3 is cat/d.jpg, sample 2 is cat/c.jpg"),
            "{all}"
        );
    }
}
