//! What a search finds: shared by the engine, which finds rows, and a client, which marks what was found.

/// A text that is searched for in paths and class names, whatever the case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchText {
    /// In small letters.
    wanted: String,
    /// Whether its letters may have others in between.
    loose: bool,
}

impl SearchText {
    /// From what was typed; a leading tilde makes it loose. `None` if nothing was typed.
    pub fn new(typed: &str) -> Option<SearchText> {
        let wanted = typed.to_lowercase();
        Some(match wanted.strip_prefix('~').filter(|loose| !loose.is_empty()) {
            _ if wanted.is_empty() => return None,
            Some(loose) => SearchText { wanted: loose.to_owned(), loose: true },
            None => SearchText { wanted, loose: false },
        })
    }

    /// Whether a path or a name has it.
    pub fn is_in(&self, name: &str) -> bool {
        match self.loose {
            true => in_order(&self.wanted, name),
            false => name.to_lowercase().contains(&self.wanted),
        }
    }
}

/// Whether a text contains the letters of a pattern in order, with anything in between.
pub fn in_order(pattern: &str, text: &str) -> bool {
    let mut letters = pattern.chars().flat_map(char::to_lowercase).filter(|c| !c.is_whitespace()).peekable();
    for c in text.chars().flat_map(char::to_lowercase) {
        letters.next_if_eq(&c);
    }
    letters.peek().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loose_matches_keep_the_order_of_letters() {
        assert!(in_order("ct42", "train/Cat/n0042.jpg") && in_order("", "x"));
        assert!(!in_order("tc", "cat") && !in_order("catt", "cat"));
        assert!(in_order("dg 42", "train/Dog/n0042.jpg"));
        assert!(!in_order("gd", "dog"));
    }

    #[test]
    fn a_tilde_alone_is_a_letter() {
        let found = |typed: &str, name: &str| SearchText::new(typed).is_some_and(|text| text.is_in(name));
        assert!(found("DOG", "dogs/1.png") && found("~dg", "Dogs/1.png") && found("~", "a~b"));
        assert!(!found("dg", "dogs/1.png") && !found("", "dogs"));
    }
}
