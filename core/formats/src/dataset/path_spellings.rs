//! Paths that are written in another way than the names of the files: as Windows, a browser, a spreadsheet or macOS writes
//! them.

use crate::text::spellings;
use chaffinch_protocol::display::thousands;
use chaffinch_protocol::{Ledger, RemarkKind};
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;
use std::path::Path;

/// In what the way differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Spelling {
    Addresses,
    Slashes,
    Blanks,
    Escapes,
    Accents,
}

impl Spelling {
    /// What these paths have, and how they were read.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Spelling::Addresses => ("file:// before them", "read without it"),
            Spelling::Slashes => ("backslashes", "read as slashes"),
            Spelling::Blanks => ("blanks at an end", "read without them"),
            Spelling::Escapes => ("escapes such as %20", "read without them"),
            Spelling::Accents => {
                ("accents written in another way (Unicode NFC or NFD) than the files", "read as these")
            }
        }
    }
}

/// The other ways to read a path, the nearest first.
pub(crate) fn others(written: &str) -> Vec<(Spelling, String)> {
    let mut all: Vec<(Spelling, String)> = Vec::new();
    let mut steps = vec![written.to_owned()];
    let mut add = |spelling: Spelling, from: &str, to: String, steps: &mut Vec<String>| {
        if to != from && !to.is_empty() && !to.contains('\0') && !steps.contains(&to) {
            all.push((spelling, to.clone()));
            steps.push(to);
        }
    };
    // Each further step starts from what the earlier ones left.
    add(Spelling::Blanks, written, written.trim().to_owned(), &mut steps);
    let last = steps.last().cloned().unwrap_or_default();
    if let Some((scheme, rest)) = last.split_once("://")
        && scheme.eq_ignore_ascii_case("file")
    {
        let rest = rest.strip_prefix("localhost").filter(|rest| rest.starts_with('/')).unwrap_or(rest);
        add(Spelling::Addresses, &last, rest.to_owned(), &mut steps);
    }
    let last = steps.last().cloned().unwrap_or_default();
    add(Spelling::Slashes, &last, last.replace('\\', "/"), &mut steps);
    let last = steps.last().cloned().unwrap_or_default();
    if let Ok(decoded) = percent_decode_str(&last).decode_utf8() {
        add(Spelling::Escapes, &last, decoded.into_owned(), &mut steps);
    }
    for step in steps.clone() {
        for other in spellings(&step) {
            add(Spelling::Accents, &step, other, &mut steps);
        }
    }
    all
}

/// Whether a path as it is written in a table is that of a sample below `root`.
pub(crate) fn is_path(root: &Path, written: &str, path: &Path) -> bool {
    let full = root.join(path);
    let same = |written: &str| root.join(written) == full;
    same(written) || others(written).iter().any(|(_, other)| same(other))
}

/// Says how many paths were read in another way.
pub(crate) fn tell(counts: &BTreeMap<Spelling, u64>, of: &str, ledger: &mut Ledger) {
    for (spelling, &count) in counts {
        let (paths, have, were) = if count == 1 { ("path", "has", "was") } else { ("paths", "have", "were") };
        let ((what, read), count_of) = (spelling.words(), thousands(count));
        let text = format!("{count_of} {paths}{of} {have} {what}, and {were} {read}");
        ledger.add(RemarkKind::LayoutGuessed, count, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_in_other_ways_step_by_step() {
        let of = |written: &str| others(written).into_iter().map(|(_, other)| other).collect::<Vec<_>>();
        assert!(of("a/1.jpg").is_empty() && of("100%.jpg").is_empty());
        assert_eq!(of(" a\\b%20c.jpg"), ["a\\b%20c.jpg", "a/b%20c.jpg", "a/b c.jpg"]);
        assert_eq!(of("file:///d/a%20b.jpg"), ["/d/a%20b.jpg", "/d/a b.jpg"]);
        assert_eq!(of("FILE://localhost/d/1.jpg"), ["/d/1.jpg"]);
        assert_eq!(others("caf\u{e9}.jpg"), [(Spelling::Accents, "cafe\u{301}.jpg".to_owned())]);
        let root = Path::new("/d");
        for same in ["./a/1.jpg", "/d/a/1.jpg", "a\\1.jpg", "a/1.jpg "] {
            assert!(is_path(root, same, Path::new("a/1.jpg")), "{same}");
        }
        assert!(!is_path(root, "b/1.jpg", Path::new("a/1.jpg")));
    }
}
