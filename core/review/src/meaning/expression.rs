//! What is searched for by meaning, as text: `cat + snow - 0.5*indoors`.
//!
//! An expression is a sum of parts. `+` adds the next part and `-` (or `−`) takes it away; a number and `*` before a part
//! is its weight. A part is a text, `like:PATH` for a sample of the dataset, or `file:PATH` for any picture. A minus is part
//! of a text unless a blank or nothing stands before it, so that `t-shirt` is one; quotes make everything a text.

use crate::{Error, Result};
use std::cmp::Ordering;

/// The most parts.
const MOST: usize = 256;
/// The names of parts that are not texts, with the colon.
const KEYS: [&str; 2] = ["like:", "file:"];

/// A sum of parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    terms: Vec<Term>,
}

/// One part with its weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// By how much it counts; below 0 where it is taken away.
    pub weight: f64,
    /// What it is.
    pub part: Part,
    /// Where it stands in the expression, in bytes: its first, and the one after its last.
    pub at: (usize, usize),
}

/// What a part of an expression names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A text, for the text tower.
    Text(String),
    /// A sample, by its path in the dataset or the end of it.
    Sample(String),
    /// A file, for the image tower.
    Picture(String),
}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    /// An error that names the word, if a part is missing, a quote is not closed, or a weight is not a number.
    pub fn parse(text: &str) -> Result<Expression> {
        let mut parser = Parser { text, at: 0 };
        let mut terms = Vec::new();
        parser.skip_blanks();
        if parser.rest().is_empty() {
            let message = "nothing to search for: type a text, or like:PATH for a sample";
            return Err(wrong(message, (0, text.len())));
        }
        loop {
            let sign = parser.sign(terms.is_empty())?;
            terms.push(parser.term(sign)?);
            if terms.len() > MOST {
                return Err(wrong(&format!("more than {MOST} parts"), (0, text.len())));
            }
            parser.skip_blanks();
            if parser.rest().is_empty() {
                return Ok(Expression { terms });
            }
        }
    }

    /// The parts in the order in which they are added up: the same for the same parts in any order, since the sum of
    /// rounded numbers depends on it.
    pub fn terms(&self) -> Vec<&Term> {
        let mut terms: Vec<&Term> = self.terms.iter().collect();
        let order = |a: &&Term, b: &&Term| -> Ordering {
            a.part.cmp(&b.part).then(a.weight.total_cmp(&b.weight)).then(a.at.cmp(&b.at))
        };
        terms.sort_by(order);
        terms
    }

    /// Whether a part is a text or a file, for which a model is needed.
    pub fn needs_model(&self) -> bool {
        self.terms.iter().any(|term| !matches!(term.part, Part::Sample(_)))
    }
}

/// A value in quotes, as the parser reads it back.
pub fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A word of an expression that is wrong.
pub(super) fn wrong(message: &str, at: (usize, usize)) -> Error {
    Error::Filter { message: message.to_owned(), at }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// The sign before a part, which only the first may lack.
    fn sign(&mut self, first: bool) -> Result<f64> {
        let sign = match self.rest().chars().next() {
            Some('+') => 1.0,
            Some('-' | '\u{2212}') => -1.0,
            _ if first => return Ok(1.0),
            _ => {
                let end = self.at + self.word().len();
                return Err(wrong("a + or - is missing before it", (self.at, end)));
            }
        };
        self.at += self.rest().chars().next().map_or(0, char::len_utf8);
        self.skip_blanks();
        Ok(sign)
    }

    /// Up to the next blank.
    fn word(&self) -> &'a str {
        let rest = self.rest();
        &rest[..rest.find(char::is_whitespace).unwrap_or(rest.len())]
    }

    fn term(&mut self, sign: f64) -> Result<Term> {
        let start = self.at;
        let weight = self.weight()?;
        let from = self.at;
        let key = KEYS.iter().find(|key| self.rest().starts_with(**key));
        self.at += key.map_or(0, |key| key.len());
        let value = match self.rest().starts_with('"') {
            true => self.quoted()?,
            false => self.plain(key.is_some()).to_owned(),
        };
        let at = (from, self.at);
        if value.trim().is_empty() {
            let message = match key {
                Some(key) => format!("{key} needs a path"),
                None => "a part is missing here".to_owned(),
            };
            return Err(wrong(&message, (start, self.at + self.word().len())));
        }
        let part = match key {
            Some(&"like:") => Part::Sample(value),
            Some(_) => Part::Picture(value),
            None => Part::Text(value),
        };
        Ok(Term { weight: sign * weight, part, at })
    }

    /// The number before a `*`; 1 if there is none.
    fn weight(&mut self) -> Result<f64> {
        let rest = self.rest();
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let behind = rest[number..].trim_start();
        if number == 0 || !behind.starts_with('*') {
            return Ok(1.0);
        }
        let at = (self.at, self.at + number);
        let weight = rest[..number].parse::<f64>().ok().filter(|weight| *weight <= 1e6);
        let weight = weight.ok_or_else(|| wrong("the weight is not a number up to a million", at))?;
        self.at = self.text.len() - behind.len() + 1;
        self.skip_blanks();
        Ok(weight)
    }

    /// A value in quotes, in which `\"` and `\\` are a quote and a backslash.
    fn quoted(&mut self) -> Result<String> {
        let start = self.at;
        let mut value = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + at + 1;
                    return Ok(value);
                }
                '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
                c => value.push(c),
            }
        }
        Err(wrong("the quote is not closed", (start, self.text.len())))
    }

    /// A value without quotes: up to the next sign that is one. In a path, a plus is one only after a blank.
    fn plain(&mut self, path: bool) -> &'a str {
        let rest = self.rest();
        let mut before = ' ';
        let mut end = rest.len();
        for (at, c) in rest.char_indices() {
            let sign = match c {
                '+' if !path => true,
                '+' | '-' | '\u{2212}' => before.is_whitespace(),
                _ => false,
            };
            if sign {
                end = at;
                break;
            }
            before = c;
        }
        let value = rest[..end].trim_end();
        self.at += value.len();
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> Vec<(f64, Part)> {
        Expression::parse(text).unwrap().terms.into_iter().map(|term| (term.weight, term.part)).collect()
    }

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    fn error(text: &str) -> (String, String) {
        match Expression::parse(text) {
            Err(Error::Filter { message, at }) => (message, text[at.0..at.1].to_owned()),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_text_is_searched_for_as_it_stands() {
        assert_eq!(parts("a photo with a watermark"), [(1.0, text("a photo with a watermark"))]);
        assert_eq!(parts("  a black t-shirt, 2 stripes "), [(1.0, text("a black t-shirt, 2 stripes"))]);
        assert_eq!(parts("\"cats + dogs, \\\"live\\\"\""), [(1.0, text("cats + dogs, \"live\""))]);
        assert_eq!(parts("\"like:x\""), [(1.0, text("like:x"))]);
        assert_eq!(parts("3 cats"), [(1.0, text("3 cats"))]);
    }

    #[test]
    fn parts_are_added_and_taken_away_with_weights() {
        let expected = [(1.0, text("cat")), (1.0, text("snow")), (-0.5, text("indoors"))];
        for written in
            ["cat + snow - 0.5*indoors", "cat+snow -.5 * indoors", " cat + snow \u{2212} 0.5* indoors"]
        {
            assert_eq!(parts(written), expected, "{written}");
        }
        assert_eq!(parts("-indoors"), [(-1.0, text("indoors"))]);
        assert_eq!(parts("- 2*\"a b\" + c"), [(-2.0, text("a b")), (1.0, text("c"))]);
    }

    #[test]
    fn samples_and_files_are_parts() {
        let sample = |path: &str| Part::Sample(path.to_owned());
        assert_eq!(parts("like:cat/a+b - 1.jpg"), [(1.0, sample("cat/a+b")), (-1.0, text("1.jpg"))]);
        assert_eq!(parts("2*like:\"cat/a - 1.jpg\""), [(2.0, sample("cat/a - 1.jpg"))]);
        assert_eq!(parts("file:/tmp/my cat.png"), [(1.0, Part::Picture("/tmp/my cat.png".into()))]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        assert_eq!(error("").0, "nothing to search for: type a text, or like:PATH for a sample");
        assert_eq!(error("cat +").0, "a part is missing here");
        assert_eq!(error("cat + + dog").0, "a part is missing here");
        assert_eq!(error("\"cat"), ("the quote is not closed".into(), "\"cat".into()));
        assert_eq!(error("like: + cat").0, "like: needs a path");
        assert_eq!(error("1.2.3*cat"), ("the weight is not a number up to a million".into(), "1.2.3".into()));
        assert_eq!(error("\"a\" dog").1, "dog");
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(typed in "[ a-c+*0-9.\"\\\\:\u{2212}é-]{0,24}|(like:|file:)?\\PC{0,24}") {
            match Expression::parse(&typed) {
                Ok(expression) => {
                    prop_assert!(!expression.terms.is_empty());
                    for term in &expression.terms {
                        prop_assert!(term.weight.is_finite() && typed.get(term.at.0..term.at.1).is_some());
                    }
                }
                Err(Error::Filter { at, .. }) => prop_assert!(typed.get(at.0..at.1).is_some()),
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
    }
}
