//! Filters as text.

use crate::{Error, Result};
use chaffinch_data::nearest::hint;
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Area, Axes};

/// The keys before a colon.
const KEYS: [&str; 10] =
    ["class", "suggested", "detector", "split", "decision", "tag", "is", "map", "tsne", "cluster"];

/// The key that can be compared.
const SCORE: &str = "score";

const DECISIONS: [&str; 5] = ["keep", "remove", "relabel", "unsure", "none"];
const IS: [&str; 2] = ["leak", "unreadable"];

/// One word of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) negated: bool,
    pub(super) test: Test,
}

/// What a word tests.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Path(String),
    Class(String),
    Suggested(String),
    Detector(String),
    Split(Split),
    /// A word in `DECISIONS` except `none`.
    Choice(String),
    Decided(bool),
    Tag(String),
    Score(Comparison, f32),
    Leak,
    Unreadable,
    Map(Axes, Area),
    /// Class and number, counted from 1.
    Cluster(String, usize),
}

/// How a score is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// The words of a filter.
pub(super) fn words(text: &str) -> Result<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let negated = rest.starts_with('-') && rest.len() > 1 && !rest[1..].starts_with(char::is_whitespace);
        rest = if negated { &rest[1..] } else { rest };
        let (raw, tail) = token(rest)?;
        words.push(Word { negated, test: test(&raw)? });
        rest = tail.trim_start();
    }
    Ok(words)
}

/// A word as written: the length before the first quote, and the whole text without quotes.
struct Token {
    bare: usize,
    text: String,
}

fn token(input: &str) -> Result<(Token, &str)> {
    let mut token = Token { bare: usize::MAX, text: String::new() };
    let mut quoted = false;
    let mut chars = input.char_indices();
    while let Some((offset, c)) = chars.next() {
        match c {
            '"' => {
                token.bare = token.bare.min(token.text.len());
                quoted = !quoted;
            }
            '\\' if quoted => match chars.next() {
                Some((_, escaped)) => token.text.push(escaped),
                None => break,
            },
            c if c.is_whitespace() && !quoted => return Ok((token, &input[offset..])),
            c => token.text.push(c),
        }
    }
    if quoted {
        return Err(Error::Invalid(format!("unclosed quote in the filter: {input}")));
    }
    Ok((token, ""))
}

fn test(token: &Token) -> Result<Test> {
    let text = token.text.as_str();
    if token.bare == 0 {
        return Ok(Test::Path(text.to_owned()));
    }
    if text.eq_ignore_ascii_case("decided") || text.eq_ignore_ascii_case("undecided") {
        return Ok(Test::Decided(text.eq_ignore_ascii_case("decided")));
    }
    if let Some(offset) = text.find(['<', '>']).filter(|&offset| offset < token.bare) {
        return comparison(text, offset);
    }
    match text.split_once(':').filter(|(key, _)| key.len() < token.bare) {
        Some((key, value)) if key.chars().all(|c| c.is_ascii_alphabetic()) && !key.is_empty() => {
            keyed(key, value)
        }
        _ => Ok(Test::Path(text.to_owned())),
    }
}

fn comparison(text: &str, offset: usize) -> Result<Test> {
    let (key, rest) = text.split_at(offset);
    if !key.eq_ignore_ascii_case(SCORE) {
        let hint = hint(key, [SCORE]);
        return Err(Error::Invalid(format!("'{key}' cannot be compared, only {SCORE} can{hint}")));
    }
    let (comparison, number) = match rest.as_bytes() {
        [b'<', b'=', ..] => (Comparison::AtMost, &rest[2..]),
        [b'>', b'=', ..] => (Comparison::AtLeast, &rest[2..]),
        [b'<', ..] => (Comparison::Below, &rest[1..]),
        _ => (Comparison::Above, &rest[1..]),
    };
    match number.parse::<f32>() {
        Ok(number) if number.is_finite() => Ok(Test::Score(comparison, number)),
        _ => Err(Error::Invalid(format!("'{number}' is not a number: compare a score with one such as 0.3"))),
    }
}

fn keyed(key: &str, value: &str) -> Result<Test> {
    let key = key.to_ascii_lowercase();
    if !KEYS.contains(&key.as_str()) {
        let hint = hint(&key, KEYS);
        let message = format!("unknown key '{key}:'{hint} (quote the word to search for it in paths)");
        return Err(Error::Invalid(message));
    }
    if value.is_empty() {
        return Err(Error::Invalid(format!("'{key}:' needs a value")));
    }
    let value = value.to_owned();
    let one_of = |known: &[&str]| {
        let hint = hint(&value, known.iter().copied());
        Error::Invalid(format!("'{key}:' must be one of {}, not '{value}'{hint}", known.join(", ")))
    };
    Ok(match key.as_str() {
        "class" => Test::Class(value),
        "suggested" => Test::Suggested(value),
        "detector" => Test::Detector(value),
        "tag" => Test::Tag(value),
        "map" => Test::Map(Axes::Components, area("map", &value)?),
        "tsne" => Test::Map(Axes::Neighborhoods, area("tsne", &value)?),
        "cluster" => cluster(&value)?,
        "split" if value.eq_ignore_ascii_case("none") => Test::Split(Split::None),
        "split" => Test::Split(
            Split::from_name(&value).ok_or_else(|| one_of(&["train", "validation", "test", "none"]))?,
        ),
        "decision" => match value.to_ascii_lowercase().as_str() {
            "none" => Test::Decided(false),
            word if DECISIONS.contains(&word) => Test::Choice(word.to_owned()),
            _ => return Err(one_of(&DECISIONS)),
        },
        _ => match value.to_ascii_lowercase().as_str() {
            "leak" => Test::Leak,
            "unreadable" => Test::Unreadable,
            _ => return Err(one_of(&IS)),
        },
    })
}

fn area(key: &str, value: &str) -> Result<Area> {
    let numbers: Vec<f32> = value.split(',').filter_map(|number| number.trim().parse().ok()).collect();
    match (numbers.as_slice(), value.split(',').count()) {
        (&[left, top, right, bottom], 4) if left <= right && top <= bottom => {
            Ok(Area { left, top, right, bottom })
        }
        _ => Err(Error::Invalid(format!(
            "'{key}:' needs the left, top, right and bottom edges from 0 to 1, such as {key}:0.1,0.2,0.5,0.6, not '{value}'"
        ))),
    }
}

fn cluster(value: &str) -> Result<Test> {
    match value.rsplit_once('/').map(|(class, number)| (class, number.parse::<usize>())) {
        Some((class, Ok(number))) if number > 0 && !class.is_empty() => {
            Ok(Test::Cluster(class.to_owned(), number))
        }
        _ => Err(Error::Invalid(format!(
            "'cluster:' needs a class and a number, such as cat/1, not '{value}'"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tests(text: &str) -> Vec<(bool, Test)> {
        words(text).unwrap().into_iter().map(|word| (word.negated, word.test)).collect()
    }

    fn path(text: &str) -> Test {
        Test::Path(text.into())
    }

    #[test]
    fn words_quotes_and_negation() {
        assert_eq!(tests("  "), []);
        assert_eq!(tests("a -b"), [(false, path("a")), (true, path("b"))]);
        assert_eq!(
            tests(r#""a b" -"c:d" "-e" "x\"y\\""#).iter().map(|t| t.1.clone()).collect::<Vec<_>>(),
            [path("a b"), path("c:d"), path("-e"), path("x\"y\\")]
        );
        assert_eq!(tests(r#"-class:"polar bear""#), [(true, Test::Class("polar bear".into()))]);
        assert_eq!(tests("- x"), [(false, path("-")), (false, path("x"))]);
        assert_eq!(tests("12:30"), [(false, path("12:30"))]);
    }

    #[test]
    fn keys_and_comparisons() {
        assert_eq!(
            tests("Split:VAL split:none"),
            [(false, Test::Split(Split::Validation)), (false, Test::Split(Split::None))]
        );
        assert_eq!(
            tests("score<0.3 score>=1"),
            [(false, Test::Score(Comparison::Below, 0.3)), (false, Test::Score(Comparison::AtLeast, 1.0)),]
        );
        assert_eq!(
            tests("decided -undecided decision:none"),
            [(false, Test::Decided(true)), (true, Test::Decided(false)), (false, Test::Decided(false)),]
        );
        assert_eq!(
            tests("map:0,.25,0.5,1 tsne:0,0,1,1 cluster:\"a/b/2\""),
            [
                (false, Test::Map(Axes::Components, Area { left: 0.0, top: 0.25, right: 0.5, bottom: 1.0 }),),
                (false, Test::Map(Axes::Neighborhoods, Area::WHOLE)),
                (false, Test::Cluster("a/b".into(), 2)),
            ]
        );
        assert_eq!(
            tests("decision:Remove is:leak"),
            [(false, Test::Choice("remove".into())), (false, Test::Leak)]
        );
    }

    #[test]
    fn mistakes_say_what_may_have_been_meant() {
        let error = |text: &str| words(text).unwrap_err().to_string();
        assert!(error("clas:cat").contains("unknown key 'clas:'; did you mean 'class'?"));
        assert!(error("decision:removed").contains(
            "must be one of keep, remove, relabel, unsure, none, not 'removed'; did you mean 'remove'?"
        ));
        assert!(error("scor<1").contains("did you mean 'score'?"));
        assert!(error("score<x").contains("'x' is not a number"));
        assert!(error("split:trian").contains("did you mean 'train'?"));
        assert!(error("class:").contains("needs a value"));
        assert!(error("\"open").contains("unclosed quote"));
        assert!(error("map:0.5,0,0.2,1").contains("such as map:0.1,0.2,0.5,0.6"));
        assert!(error("map:nan,0,1,1").contains("needs the left, top"));
        assert!(error("cluster:cat").contains("such as cat/1"));
        assert!(error("cluster:cat/0").contains("such as cat/1"));
        assert!(error("is:odd").contains("must be one of leak, unreadable"));
    }

    proptest! {
        #[test]
        fn any_text_is_understood_or_refused(text in "\\PC{0,20}") {
            let _ = words(&text);
        }

        #[test]
        fn any_quoted_text_is_looked_for(text in "\\PC{0,20}") {
            let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(tests(&quoted), [(false, Test::Path(text))]);
        }
    }
}
