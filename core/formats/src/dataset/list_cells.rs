//! Labels in cells that are lists, such as `['cat', 'fur']`.

use std::borrow::Cow;

/// What a cell of labels says after a label is changed: a list stays one, with its other labels.
pub(crate) fn relabeled<'n>(cell: &str, old: &str, new: &'n str) -> Cow<'n, str> {
    let list = cell.trim();
    if !(list.starts_with('[') && list.ends_with(']')) || old.is_empty() {
        return Cow::Borrowed(new);
    }
    for quote in ['\'', '"'] {
        let quoted = |label: &str| {
            let escaped = label.replace('\\', "\\\\").replace(quote, &format!("\\{quote}"));
            format!("{quote}{escaped}{quote}")
        };
        if cell.matches(&quoted(old)).count() == 1 {
            return Cow::Owned(cell.replace(&quoted(old), &quoted(new)));
        }
    }
    Cow::Borrowed(new)
}

#[cfg(test)]
mod tests {
    use super::relabeled;

    #[test]
    fn a_list_stays_a_list_with_its_other_labels() {
        assert_eq!(relabeled("['cat', 'fur']", "cat", "dog"), "['dog', 'fur']");
        assert_eq!(relabeled(r#" ["fur","cat"] "#, "cat", "o\"wl"), r#" ["fur","o\"wl"] "#);
        assert_eq!(relabeled("['it\\'s', 'x']", "it's", "y"), "['y', 'x']");
        // No list, or not surely this label.
        for cell in ["cat", "[cat]", "['cat', 'cat']", "['cats']", "[]"] {
            assert_eq!(relabeled(cell, "cat", "dog"), "dog", "{cell}");
        }
    }
}
