//! Completion of filters: the candidates at the text cursor.

use super::{Line, Model};
use chaffinch_protocol::decision::TAGS;

/// The maximum number of completions offered.
const OFFERED: usize = 8;
/// The terms of a filter, besides part of a path.
const WORDS: [&str; 19] = [
    "class:",
    "suggested:",
    "detector:",
    "split:train",
    "split:validation",
    "split:test",
    "split:none",
    "decision:keep",
    "decision:remove",
    "decision:relabel",
    "decision:unsure",
    "decision:none",
    "decided",
    "undecided",
    "tag:",
    "score<",
    "score>",
    "is:leak",
    "is:unreadable",
];

/// Completions for the word at the cursor, and where that word starts.
pub fn completions(model: &Model, line: &Line) -> (usize, Vec<String>) {
    let start = word_start(&line.text[..line.at]);
    let word = &line.text[start..line.at];
    if word.is_empty() {
        return (start, Vec::new());
    }
    let session = model.session.as_deref();
    let values: Vec<String> = match word.split_once(':') {
        Some(("class" | "suggested", _)) => {
            session.map(|session| session.classes.clone()).unwrap_or_default()
        }
        Some(("detector", _)) => {
            session.map(|s| s.detectors.iter().map(|d| d.name.clone()).collect()).unwrap_or_default()
        }
        Some(("tag", _)) => {
            TAGS.iter().map(|tag| (*tag).to_owned()).chain(model.review.tags.clone()).collect()
        }
        _ => {
            let mut found = with_start(WORDS.iter().map(|word| (*word).to_owned()), word);
            if found.is_empty() && !word.contains([':', '<', '>', '"']) {
                let classes = session.map(|session| session.classes.as_slice()).unwrap_or_default();
                found = with_start(classes.iter().cloned(), word);
                found = found.into_iter().map(|name| format!("class:{}", quoted(&name))).collect();
            }
            return (start, found);
        }
    };
    let (key, typed) = word.split_once(':').unwrap_or_default();
    let typed = typed.trim_matches('"');
    let mut found = with_start(values.iter().cloned(), typed);
    if found.is_empty() {
        // Nothing starts with it, so look for names that contain it.
        found = crate::fuzzy::rank(typed, &values)
            .into_iter()
            .take(OFFERED)
            .map(|place| values[place].clone())
            .collect();
    }
    (start, found.into_iter().map(|name| format!("{key}:{}", quoted(&name))).collect())
}

fn with_start(values: impl Iterator<Item = String>, start: &str) -> Vec<String> {
    let start = start.to_lowercase();
    values.filter(|value| value.to_lowercase().starts_with(&start)).take(OFFERED).collect()
}

/// Where the last word starts: after a space outside quotes, and after a minus that negates it.
fn word_start(head: &str) -> usize {
    let (mut start, mut quotes) = (0, false);
    for (at, c) in head.char_indices() {
        match c {
            '"' => quotes = !quotes,
            c if c.is_whitespace() && !quotes => start = at + c.len_utf8(),
            _ => {}
        }
    }
    if head[start..].len() > 1 && head[start..].starts_with('-') { start + 1 } else { start }
}

/// A name in filter syntax, quoted where necessary.
pub fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '\'' | '(' | ')');
    if !name.is_empty() && name.chars().all(plain) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::word_start;

    #[test]
    fn words_begin_behind_blanks_that_are_not_quoted() {
        assert_eq!(word_start("class:a b"), 8);
        assert_eq!(word_start("class:\"polar be"), 0);
        assert_eq!(word_start("x -sco"), 3);
        assert_eq!(word_start("-"), 0);
        assert_eq!(word_start("größe "), 8);
    }
}
