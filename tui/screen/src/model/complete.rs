//! Completion of filters: the candidates at the text cursor.

use super::{Line, Model};
use chaffinch_protocol::decision::TAGS;

/// The maximum number of completions offered.
const OFFERED: usize = 8;
/// The terms of a filter, besides part of a path, and what they find.
const WORDS: [(&str, &str); 32] = [
    ("class:", "given label"),
    ("suggested:", "suggested label"),
    ("detector:", "flagged by it"),
    ("newly:", "flagged by its last run, not before"),
    ("formerly:", "flagged by its run before, not now"),
    ("score<", "worse than this: score<0.3"),
    ("undecided", "without a decision"),
    ("decision:keep", "decided to keep"),
    ("decision:remove", "decided to remove"),
    ("decision:relabel", "decided to relabel"),
    ("decision:unsure", "decided as unsure"),
    ("decision:none", "without a decision"),
    ("tag:", "with this tag"),
    ("note:", "with this in its note"),
    ("reviewer:", "decided by this person"),
    ("path:", "with this in its path; * is any text"),
    ("split:train", "of this split"),
    ("split:validation", "of this split"),
    ("split:test", "of this split"),
    ("split:none", "of no split"),
    ("is:leak", "copies across splits"),
    ("is:unreadable", "files that cannot be decoded"),
    ("is:disputed", "decided differently by reviewers"),
    ("decided", "with a decision"),
    ("score>", "better than this"),
    ("map:", "in this part of the map"),
    ("tsne:", "in this part of the neighborhood map"),
    ("umap:", "in this part of the UMAP"),
    ("cluster:", "in this cluster: cat/2"),
    ("sample:", "by number in the dataset: 3,8-12"),
    ("or", "either side: class:cat or class:dog"),
    ("-", "not: -class:cat, -(a or b)"),
];

/// What a term of a filter finds.
pub fn meaning(option: &str) -> &'static str {
    match option {
        "decision:" => "keep, remove, relabel, unsure, none",
        "split:" => "train, validation, test, none",
        "is:" => "leak, unreadable, disputed",
        _ => WORDS.iter().find(|(word, _)| *word == option).map_or("", |(_, meaning)| meaning),
    }
}

/// The beginnings of terms, offered where nothing is typed yet.
fn beginnings() -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for (word, _) in WORDS {
        let several = ["decision:", "split:", "is:"].iter().any(|key| word.starts_with(key));
        let key = if several { &word[..=word.find(':').unwrap_or(0)] } else { word };
        if !keys.iter().any(|known| known == key)
            && !matches!(
                word,
                "map:"
                    | "tsne:"
                    | "umap:"
                    | "cluster:"
                    | "sample:"
                    | "decided"
                    | "score>"
                    | "newly:"
                    | "formerly:"
            )
        {
            keys.push(key.to_owned());
        }
    }
    keys
}

/// Completions for the word at the cursor, and where that word starts.
pub fn completions(model: &Model, line: &Line) -> (usize, Vec<String>) {
    let start = word_start(&line.text[..line.at]);
    let word = &line.text[start..line.at];
    if word.is_empty() {
        let mut words = beginnings();
        // It joins two terms, and there is none yet.
        words.retain(|word| word != "or" || start > 0);
        return (start, words);
    }
    let session = model.session.as_deref();
    let values: Vec<String> = match word.split_once(':') {
        Some(("class" | "suggested", _)) => {
            session.map(|session| session.classes.clone()).unwrap_or_default()
        }
        Some(("reviewer", _)) => session.map(|session| session.reviewers.clone()).unwrap_or_default(),
        Some(("detector" | "newly" | "formerly", _)) => {
            session.map(|s| s.detectors.iter().map(|d| d.name.clone()).collect()).unwrap_or_default()
        }
        Some(("tag", _)) => {
            TAGS.iter().map(|tag| (*tag).to_owned()).chain(model.review.tags.clone()).collect()
        }
        _ => {
            let mut found = with_start(WORDS.iter().map(|(word, _)| (*word).to_owned()), word);
            // A detector's name compares its score.
            let names = session.map(|session| session.detectors.as_slice()).unwrap_or_default();
            found.extend(with_start(names.iter().map(|detector| format!("{}<", detector.name)), word));
            let attributes = session.map(|session| session.attributes()).unwrap_or_default();
            found.extend(with_start(attributes.iter().map(|name| format!("attr.{name}<")), word));
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
    let signs = head[start..].len() - head[start..].trim_start_matches(['-', '(']).len();
    if head[start..].len() > signs { start + signs } else { start }
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
        assert_eq!(word_start("x -(a or (cla"), 10);
        assert_eq!(word_start("größe "), 8);
    }
}
