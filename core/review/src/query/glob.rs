//! Patterns with wildcards: `*` for any text, `?` for any character.

use glob::Pattern;
use std::path::Path;

/// A pattern, compared without regard to case.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glob {
    pattern: Pattern,
    /// Whether it is about more than one part of a path.
    has_slash: bool,
}

impl Glob {
    /// The pattern, if the text has a wildcard that is not quoted. `quoted` says which characters are.
    pub(super) fn new(text: &str, quoted: &[bool]) -> Option<Glob> {
        let mut pattern = String::new();
        let mut wild = false;
        for (index, c) in text.chars().enumerate() {
            match c {
                '*' | '?' if !quoted.get(index).copied().unwrap_or(false) => {
                    wild = true;
                    // Several stars are one: to the crate, two have a meaning of their own.
                    if c == '?' || !pattern.ends_with('*') {
                        pattern.push(c);
                    }
                }
                // Everything else stands for itself, brackets as well.
                c => pattern.push_str(&Pattern::escape(&c.to_lowercase().to_string())),
            }
        }
        let pattern = Pattern::new(&pattern).ok().filter(|_| wild)?;
        Some(Glob { pattern, has_slash: text.contains('/') })
    }

    /// Whether the whole of a text matches.
    pub(super) fn is(&self, text: &str) -> bool {
        self.pattern.matches(&text.to_lowercase())
    }

    /// Whether a path matches: one of its parts, or, if the pattern has a slash, the path from one of its parts to its
    /// end.
    pub(super) fn is_path(&self, path: &Path) -> bool {
        let path = path.to_string_lossy().to_lowercase();
        if !self.has_slash {
            return path.split('/').any(|part| self.pattern.matches(part));
        }
        let parts = path.match_indices('/').map(|(at, _)| at + 1);
        std::iter::once(0).chain(parts).any(|start| self.pattern.matches(&path[start..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn glob(pattern: &str) -> Glob {
        Glob::new(pattern, &[]).unwrap()
    }

    #[test]
    fn a_pattern_is_about_a_part_of_a_path_or_about_its_end() {
        for (pattern, path, expected) in [
            ("*.png", "train/cat/a.png", true),
            ("*.png", "train/cat/a.png.jpg", false),
            ("c?t", "train/cat/a.png", true),
            ("c?t", "train/coat/a.png", false),
            ("*/a*", "train/cat/a.png", true),
            ("*/a*", "a.png", false),
            ("cat/a*", "train/cat/A.PNG", true),
            ("cat/a*", "train/bobcat/a.png", false),
            ("train/*.png", "train/cat/a.png", true),
            ("train/**.png", "train/cat/a.png", true),
            ("gr*e.jpg", "x/GRÖSSE.jpg", true),
            ("a[1]*", "x/a[1].jpg", true),
            ("a[1]*", "x/a1.jpg", false),
            ("*", "x", true),
        ] {
            assert_eq!(glob(pattern).is_path(Path::new(path)), expected, "{pattern} {path}");
        }
        assert_eq!(Glob::new("plain", &[]), None);
        assert_eq!(Glob::new("a*", &[true, true]), None);
    }

    proptest! {
        #[test]
        fn any_text_with_a_star_is_a_pattern_that_it_matches_itself(head in "\\PC{0,8}", tail in "\\PC{0,8}") {
            let quoted = vec![true; head.chars().count()];
            let pattern = Glob::new(&format!("{head}*"), &quoted);
            let text = format!("{head}{tail}");
            prop_assert!(pattern.unwrap().is(&text));
        }
    }
}
