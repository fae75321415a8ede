//! Which members of a tar file belong to one sample of WebDataset: the key is everything up to the first dot of a name's
//! last part.

use crate::dataset::companions::speaks_of_a_class;
use crate::dataset::is_image;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

/// Members that say something of their sample.
const SAY: [&str; 8] = ["cls", "cls.txt", "class", "label", "cls2", "json", "txt", "index"];
/// Members that hold the class.
pub(super) const CLASS: [&str; 4] = ["cls", "cls.txt", "class", "label"];

/// A member of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The key of the sample.
    pub(crate) key: String,
    /// What of it the member is, in lower case: `jpg`, `cls`.
    pub(crate) what: String,
}

impl Part {
    /// By the rule alone.
    fn of(name: &Path) -> Option<Part> {
        let text = name.to_str()?;
        let base = text.rfind('/').map_or(0, |slash| slash + 1);
        let dot = base + text[base..].find('.')?;
        Some(Part { key: text[..dot].to_owned(), what: text[dot + 1..].to_ascii_lowercase() })
    }

    /// What stands before the kind of a member, and the kind: `1` and `cls` of `1.cls`.
    fn split(&self) -> (&str, &str) {
        let said = SAY.iter().filter_map(|say| {
            let before = self.what.strip_suffix(say)?;
            before.strip_suffix('.').or(before.is_empty().then_some("")).map(|before| (before, *say))
        });
        let longest = said.max_by_key(|(_, say)| say.len());
        longest.or_else(|| self.what.rsplit_once('.')).unwrap_or(("", &self.what))
    }

    /// Whether it says something of its sample.
    pub(super) fn says(&self) -> bool {
        SAY.contains(&self.what.as_str())
    }

    /// Whether it is called like one that says the class once more, as `class_index` beside `cls` does.
    pub(super) fn says_again(&self) -> bool {
        let bare = self.what.strip_suffix(".txt").unwrap_or(&self.what);
        !self.says() && !bare.contains('.') && speaks_of_a_class(bare)
    }

    /// Whether it holds the class and nothing else.
    pub(crate) fn says_class(&self) -> bool {
        CLASS.contains(&self.what.as_str())
    }
}

/// Whether a member may say something of a picture.
pub(super) fn may_say(name: &Path) -> bool {
    Part::of(name).is_some_and(|part| {
        let (_, kind) = part.split();
        SAY.contains(&kind) || speaks_of_a_class(kind)
    })
}

/// The parts that the members of a file are, or of several files.
///
/// A dot in the name of a picture is not always meant as the end of its key: where a member says something of
/// `a.1.jpg` alone, as `a.1.cls` does, the picture is a sample of its own, unless there is one that is `a`.
pub(crate) fn parts<'a>(names: impl Iterator<Item = &'a Path>) -> Vec<Part> {
    #[derive(Default)]
    struct Group {
        plain: bool,
        pictures: BTreeSet<String>,
        said: BTreeSet<String>,
    }
    let mut groups: HashMap<String, Group> = HashMap::new();
    let mut all: Vec<Part> = Vec::new();
    for name in names {
        let part =
            Part::of(name).unwrap_or_else(|| Part { key: name.display().to_string(), what: String::new() });
        let (before, kind) = part.split();
        let picture = is_image(name);
        if picture || SAY.contains(&kind) {
            let group = groups.entry(part.key.clone()).or_default();
            group.plain |= picture && before.is_empty();
            let dotted = if picture { &mut group.pictures } else { &mut group.said };
            if !before.is_empty() {
                dotted.insert(before.to_owned());
            }
        }
        all.push(part);
    }
    for part in &mut all {
        let Some(group) = groups.get(&part.key) else { continue };
        if group.plain || group.pictures.is_disjoint(&group.said) {
            continue;
        }
        let (before, kind) = part.split();
        if group.pictures.contains(before) {
            let key = match group.pictures.len() {
                1 => part.key.clone(),
                _ => format!("{}.{before}", part.key),
            };
            *part = Part { key, what: kind.to_owned() };
        }
    }
    all
}

/// Whether members say something of a picture beside them.
pub(crate) fn is_webdataset<'a>(names: impl Iterator<Item = &'a Path> + Clone) -> bool {
    let parts = parts(names.clone());
    let pictures: HashSet<&str> = parts
        .iter()
        .zip(names)
        .filter(|(_, name)| is_image(name))
        .map(|(part, _)| part.key.as_str())
        .collect();
    parts.iter().any(|part| part.says() && pictures.contains(part.key.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&str]) -> Vec<String> {
        parts(names.iter().map(Path::new)).iter().map(|part| format!("{}|{}", part.key, part.what)).collect()
    }

    #[test]
    fn keys_end_at_the_first_dot_unless_each_picture_has_its_own_class() {
        assert_eq!(keys(&["a.b/c.jpg", "a.b/c.cls"]), ["a.b/c|jpg", "a.b/c|cls"]);
        assert_eq!(keys(&["a.jpg", "a.seg.png", "a.cls.txt"]), ["a|jpg", "a|seg.png", "a|cls.txt"]);
        assert_eq!(keys(&["a.b.jpg", "a.b.cls", "a.b.JSON"]), ["a|jpg", "a|cls", "a|json"]);
        assert_eq!(
            keys(&["a.1.jpg", "a.1.cls", "a.2.jpg", "a.2.npy", "a.txt"]),
            ["a.1|jpg", "a.1|cls", "a.2|jpg", "a.2|npy", "a|txt"]
        );
        assert_eq!(keys(&["a.left.jpg", "a.right.jpg", "a.cls"]), ["a|left.jpg", "a|right.jpg", "a|cls"]);
        // A picture that is the sample has another one beside it.
        assert_eq!(keys(&["a.jpg", "a.seg.png", "a.seg.json"]), ["a|jpg", "a|seg.png", "a|seg.json"]);
        assert_eq!(keys(&["README"]), ["README|"]);
    }
}
