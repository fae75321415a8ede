//! One term of a filter: a word, a key with a value, or a comparison.

use super::{Comparison, Run, Test, Text, Token, wrong};
use crate::Result;
use crate::query::glob::Glob;
use chaffinch_data::nearest::hint;
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Area, Axes};

/// The keys before a colon.
const KEYS: [&str; 17] = [
    "class",
    "suggested",
    "detector",
    "newly",
    "formerly",
    "split",
    "decision",
    "tag",
    "note",
    "path",
    "reviewer",
    "is",
    "map",
    "tsne",
    "umap",
    "cluster",
    "sample",
];

/// The ensemble's score, as it is compared.
const SCORE: &str = "score";
/// What stands before the name of an attribute and a dot.
const ATTRIBUTE: &str = "attr";

const DECISIONS: [&str; 5] = ["keep", "remove", "relabel", "unsure", "none"];
const IS: [&str; 3] = ["leak", "unreadable", "disputed"];

/// Reads a term.
pub(super) fn test(token: &Token) -> Result<Test> {
    let text = token.text.as_str();
    if token.bare == 0 {
        return Ok(Test::Path(text.to_owned()));
    }
    if text.eq_ignore_ascii_case("decided") || text.eq_ignore_ascii_case("undecided") {
        return Ok(Test::Decided(text.eq_ignore_ascii_case("decided")));
    }
    if let Some(offset) = text.find(['<', '>']).filter(|&offset| offset < token.bare) {
        return comparison(text, offset, token.at);
    }
    match text.split_once(':').filter(|(key, _)| key.len() < token.bare) {
        Some((key, _)) if key.chars().all(|c| c.is_ascii_alphabetic()) && !key.is_empty() => {
            keyed(key, token)
        }
        _ => Ok(path(token, 0)),
    }
}

/// The rest of a word, searched for in paths.
fn path(token: &Token, start: usize) -> Test {
    match value(token, start) {
        Text::Plain(text) => Test::Path(text),
        Text::Like(glob) => Test::PathLike(glob),
    }
}

/// The rest of a word from a byte on.
fn value(token: &Token, start: usize) -> Text {
    let text = &token.text[start..];
    let skipped = token.text[..start].chars().count();
    let quoted = &token.quoted[skipped.min(token.quoted.len())..];
    match Glob::new(text, quoted) {
        Some(glob) => Text::Like(glob),
        None => Text::Plain(text.to_owned()),
    }
}

fn comparison(text: &str, offset: usize, at: (usize, usize)) -> Result<Test> {
    let (key, rest) = text.split_at(offset);
    if key.is_empty() {
        return Err(wrong(format!("say what is compared, such as {SCORE}{rest}"), at));
    }
    let (comparison, number) = match rest.as_bytes() {
        [b'<', b'=', ..] => (Comparison::AtMost, &rest[2..]),
        [b'>', b'=', ..] => (Comparison::AtLeast, &rest[2..]),
        [b'<', ..] => (Comparison::Below, &rest[1..]),
        _ => (Comparison::Above, &rest[1..]),
    };
    match number.parse::<f32>() {
        Ok(number) if number.is_finite() && key.eq_ignore_ascii_case(SCORE) => {
            Ok(Test::Score(comparison, number))
        }
        Ok(number) if number.is_finite() && attribute(key).is_some() => {
            Ok(Test::Attribute(attribute(key).unwrap_or_default().to_owned(), comparison, number))
        }
        Ok(number) if number.is_finite() => Ok(Test::ScoreOf(key.to_owned(), comparison, number)),
        _ => Err(wrong(format!("'{number}' is not a number: compare a score with one such as 0.3"), at)),
    }
}

/// The name of an attribute: what follows `attr.`.
fn attribute(key: &str) -> Option<&str> {
    let (word, name) = key.split_once('.')?;
    word.eq_ignore_ascii_case(ATTRIBUTE).then_some(name).filter(|name| !name.is_empty())
}

fn keyed(key: &str, token: &Token) -> Result<Test> {
    let start = key.len() + 1;
    let text = token.text[start..].to_owned();
    let key = key.to_ascii_lowercase();
    // What datasets call a class elsewhere.
    let key = if key == "label" { "class".to_owned() } else { key };
    let fail = |message: String| wrong(message, token.at);
    if !KEYS.contains(&key.as_str()) {
        let hint = hint(&key, KEYS);
        return Err(fail(format!("unknown key '{key}:'{hint} (quote the word to search for it in paths)")));
    }
    if text.is_empty() {
        return Err(fail(format!("'{key}:' needs a value")));
    }
    let one_of = |known: &[&str]| {
        let hint = hint(&text, known.iter().copied());
        fail(format!("'{key}:' must be one of {}, not '{text}'{hint}", known.join(", ")))
    };
    Ok(match key.as_str() {
        "class" => Test::Class(value(token, start)),
        "suggested" => Test::Suggested(value(token, start)),
        "detector" => Test::Detector(value(token, start)),
        "newly" => Test::Run(text, Run::Last),
        "formerly" => Test::Run(text, Run::Before),
        "tag" => Test::Tag(value(token, start)),
        "note" => Test::Note(value(token, start)),
        "reviewer" => Test::Reviewer(value(token, start)),
        "path" => path(token, start),
        "map" => Test::Map(Axes::Components, area("map", &text).map_err(fail)?),
        "tsne" => Test::Map(Axes::Neighborhoods, area("tsne", &text).map_err(fail)?),
        "umap" => Test::Map(Axes::Umap, area("umap", &text).map_err(fail)?),
        "cluster" => cluster(&text).map_err(fail)?,
        "sample" => samples(&text).map_err(fail)?,
        "split" if text.eq_ignore_ascii_case("none") => Test::Split(Split::None),
        "split" => Test::Split(
            Split::from_name(&text).ok_or_else(|| one_of(&["train", "validation", "test", "none"]))?,
        ),
        "decision" => match text.to_ascii_lowercase().as_str() {
            "none" => Test::Decided(false),
            word if DECISIONS.contains(&word) => Test::Choice(word.to_owned()),
            _ => return Err(one_of(&DECISIONS)),
        },
        _ => match text.to_ascii_lowercase().as_str() {
            "leak" => Test::Leak,
            "unreadable" => Test::Unreadable,
            "disputed" => Test::Disputed,
            _ => return Err(one_of(&IS)),
        },
    })
}

fn area(key: &str, value: &str) -> std::result::Result<Area, String> {
    let numbers: Vec<f32> = value.split(',').filter_map(|number| number.trim().parse().ok()).collect();
    match (numbers.as_slice(), value.split(',').count()) {
        (&[left, top, right, bottom], 4) if left <= right && top <= bottom => {
            Ok(Area { left, top, right, bottom })
        }
        _ => Err(format!(
            "'{key}:' needs the left, top, right and bottom edges from 0 to 1, such as {key}:0.1,0.2,0.5,0.6, not '{value}'"
        )),
    }
}

fn cluster(value: &str) -> std::result::Result<Test, String> {
    match value.rsplit_once('/').map(|(class, number)| (class, number.parse::<usize>())) {
        Some((class, Ok(number))) if number > 0 && !class.is_empty() => {
            Ok(Test::Cluster(class.to_owned(), number))
        }
        _ => Err(format!("'cluster:' needs a class and a number, such as cat/1, not '{value}'")),
    }
}

/// Numbers and ranges of numbers of samples, counted from 1.
fn samples(value: &str) -> std::result::Result<Test, String> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        (0 < first && first <= last).then(|| (first - 1, last - 1))
    };
    let ranges: Option<Vec<(u32, u32)>> = value.split(',').map(range).collect();
    ranges.map(Test::Samples).ok_or_else(|| {
        format!("'sample:' needs numbers in the order of the dataset, such as 3,8-12, not '{value}'")
    })
}
