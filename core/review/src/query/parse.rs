//! Filters as text.
//!
//! A filter is a list of terms, which must all match. `or` between two terms gives a choice, `-` or `not` before one
//! negates it, and parentheses group. Words of a key that a sample has once (`class:a class:b`) are a choice too: as a
//! demand they could never be met.

mod term;

use super::glob::Glob;
use crate::{Error, Result};
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Area, Axes};

/// How deep parentheses may be nested.
const DEEPEST: usize = 32;

/// One term of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) negated: bool,
    pub(super) test: Test,
    /// Where it stands in the filter, in bytes.
    pub(super) at: (usize, usize),
}

/// What a term tests.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Path(String),
    /// A pattern that the path, or a part of it, has to be.
    PathLike(Glob),
    Class(Text),
    Suggested(Text),
    Detector(Text),
    /// Flagged by the last run of a detector and not by the one before; or the other way round.
    Run(String, Run),
    Split(Split),
    /// A word in `DECISIONS` except `none`.
    Choice(String),
    Decided(bool),
    Tag(Text),
    Note(Text),
    Reviewer(Text),
    /// The ensemble's score.
    Score(Comparison, f32),
    /// The score of one detector.
    ScoreOf(String, Comparison, f32),
    /// An attribute: its name, or `DETECTOR.NAME`.
    Attribute(String, Comparison, f32),
    Leak,
    /// Samples on which reviewers disagree.
    Disputed,
    Unreadable,
    Map(Axes, Area),
    /// Class and number, counted from 1.
    Cluster(String, usize),
    /// Ranges of rows, both ends included.
    Samples(Vec<(u32, u32)>),
    /// At least one of these lists of terms.
    Any(Vec<Vec<Word>>),
}

/// The value after a colon: as it is, or a pattern if it has wildcards outside quotes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Text {
    Plain(String),
    Like(Glob),
}

/// Which of its last two runs flags a sample, where only one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    Last,
    Before,
}

/// How a score is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Below,
    AtMost,
    Above,
    AtLeast,
}

impl Comparison {
    /// Whether it is true of a value; nothing is true of NaN.
    pub(super) fn holds(self, value: f32, number: f32) -> bool {
        match self {
            Comparison::Below => value < number,
            Comparison::AtMost => value <= number,
            Comparison::Above => value > number,
            Comparison::AtLeast => value >= number,
        }
    }
}

/// The terms of a filter.
///
/// # Errors
/// [`Error::Filter`], which names the word.
pub(super) fn words(text: &str) -> Result<Vec<Word>> {
    let mut parser = Parser { text, at: 0, open: Vec::new() };
    let whole = parser.alternatives()?;
    Ok(one_of(whole, (0, text.len())))
}

/// Whether any term, however deep, has this property.
pub(super) fn any_word(words: &[Word], has: &dyn Fn(&Test) -> bool) -> bool {
    words.iter().any(|word| match &word.test {
        Test::Any(lists) => lists.iter().any(|list| any_word(list, has)),
        test => has(test),
    })
}

/// A choice between lists of terms; a single list needs none.
fn one_of(mut lists: Vec<Vec<Word>>, at: (usize, usize)) -> Vec<Word> {
    match lists.len() {
        0 => Vec::new(),
        1 => lists.remove(0),
        _ => vec![Word { negated: false, test: Test::Any(lists), at }],
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// Where parentheses were opened that are not closed yet.
    open: Vec<usize>,
}

/// A word as written: where, the length before the first quote, the whole text without quotes, and which of its
/// characters were quoted.
struct Token {
    at: (usize, usize),
    bare: usize,
    text: String,
    quoted: Vec<bool>,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Lists of terms with `or` between them, up to the end or a closing parenthesis.
    fn alternatives(&mut self) -> Result<Vec<Vec<Word>>> {
        let mut lists = Vec::new();
        let mut list: Vec<Word> = Vec::new();
        loop {
            self.skip_blanks();
            let start = self.at;
            let next = self.rest().chars().next();
            let closes = next == Some(')') && !self.open.is_empty();
            if next.is_none() || closes {
                if let (None, Some(&open)) = (next, self.open.last()) {
                    return Err(wrong("this parenthesis is not closed", (open, open + 1)));
                }
                if list.is_empty() && !lists.is_empty() {
                    return Err(wrong("a term is missing after 'or'", (start, self.text.len().max(start))));
                }
                lists.push(merged(list));
                return Ok(lists);
            }
            match self.operator(list.is_empty()) {
                Some((Operator::Or, at)) if list.is_empty() => {
                    return Err(wrong(
                        "a term is missing before 'or' (quote the word to search for it in paths)",
                        at,
                    ));
                }
                Some((Operator::Or, _)) => lists.push(merged(std::mem::take(&mut list))),
                Some((Operator::And, at)) if list.is_empty() => {
                    return Err(wrong(
                        "a term is missing before 'and' (quote the word to search for it in paths)",
                        at,
                    ));
                }
                Some((Operator::And, _)) => {}
                None => list.extend(self.term()?),
            }
        }
    }

    /// `or`, `|` or `and` at this place. In small letters these are words like others where nothing stands on one side.
    fn operator(&mut self, first: bool) -> Option<(Operator, (usize, usize))> {
        let rest = self.rest();
        let length = rest.find(|c: char| c.is_whitespace() || c == ')').unwrap_or(rest.len());
        let word = &rest[..length];
        let operator = match word {
            "|" | "||" | "OR" => Operator::Or,
            "&" | "&&" | "AND" => Operator::And,
            _ if word.eq_ignore_ascii_case("or") => Operator::Or,
            _ if word.eq_ignore_ascii_case("and") => Operator::And,
            _ => return None,
        };
        let last = rest[length..].trim_start().is_empty() || rest[length..].trim_start().starts_with(')');
        if word.chars().all(|c| c.is_lowercase()) && (first || last) {
            return None;
        }
        let at = (self.at, self.at + length);
        self.at += length;
        Some((operator, at))
    }

    /// One term, negated or not; a group in parentheses is several.
    fn term(&mut self) -> Result<Vec<Word>> {
        let start = self.at;
        let mut negated = false;
        loop {
            let rest = self.rest();
            let follows = |c: char| !c.is_whitespace() && (c != ')' || self.open.is_empty());
            let length = match rest.strip_prefix('-') {
                Some(tail) if tail.starts_with(follows) => 1,
                _ if rest.starts_with("NOT ") && !rest[4..].trim_start().is_empty() => {
                    rest.len() - rest[4..].trim_start().len()
                }
                _ => break,
            };
            self.at += length;
            negated = !negated;
        }
        if self.rest().starts_with('(') {
            if self.open.len() >= DEEPEST {
                return Err(wrong("too many parentheses", (self.at, self.at + 1)));
            }
            self.open.push(self.at);
            let open = self.at;
            self.at += 1;
            let lists = self.alternatives()?;
            self.at += 1;
            self.open.pop();
            if lists.iter().all(Vec::is_empty) {
                return Err(wrong(
                    "there is nothing in these parentheses (quote them to search for them in paths)",
                    (open, self.at),
                ));
            }
            return Ok(match negated {
                false => one_of(lists, (start, self.at)),
                true => vec![Word { negated, test: Test::Any(lists), at: (start, self.at) }],
            });
        }
        let token = self.token()?;
        let at = (start, token.at.1);
        Ok(vec![Word { negated, test: term::test(&token)?, at }])
    }

    fn token(&mut self) -> Result<Token> {
        let start = self.at;
        let mut token =
            Token { at: (start, start), bare: usize::MAX, text: String::new(), quoted: Vec::new() };
        let mut quote = None;
        let mut depth = 0_usize;
        let rest = self.rest().to_owned();
        let mut chars = rest.char_indices();
        let mut end = rest.len();
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' => {
                    token.bare = token.bare.min(token.text.len());
                    quote = if quote.is_some() { None } else { Some(start + offset) };
                    continue;
                }
                '\\' if quote.is_some() => match chars.next() {
                    Some((_, escaped)) => token.text.push(escaped),
                    None => break,
                },
                c if quote.is_none() && c.is_whitespace() => {
                    end = offset;
                    break;
                }
                ')' if quote.is_none() && depth == 0 && !self.open.is_empty() => {
                    end = offset;
                    break;
                }
                c => {
                    if quote.is_none() {
                        depth = if c == '(' { depth + 1 } else { depth - usize::from(c == ')' && depth > 0) };
                    }
                    token.text.push(c);
                }
            }
            token.quoted.push(quote.is_some());
        }
        if let Some(quote) = quote {
            return Err(wrong("this quote is not closed", (quote, self.text.len())));
        }
        self.at = start + end;
        token.at = (start, self.at);
        Ok(token)
    }
}

#[derive(Clone, Copy)]
enum Operator {
    Or,
    And,
}

/// Words with a key that a sample has once become a choice.
fn merged(list: Vec<Word>) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::with_capacity(list.len());
    for word in list {
        let key = single(&word);
        let same = |other: &&mut Word| match &other.test {
            Test::Any(lists) if !other.negated => {
                lists.iter().all(|list| matches!(list.as_slice(), [one] if single(one) == key))
            }
            _ => single(other) == key,
        };
        match out.iter_mut().find(|other| key.is_some() && same(other)) {
            None => out.push(word),
            Some(earlier) => {
                let at = (earlier.at.0, word.at.1);
                let before = std::mem::replace(&mut earlier.test, Test::Any(Vec::new()));
                earlier.test = match before {
                    Test::Any(mut lists) => {
                        lists.push(vec![word]);
                        Test::Any(lists)
                    }
                    test => Test::Any(vec![vec![Word { negated: false, test, at: earlier.at }], vec![word]]),
                };
                earlier.at = at;
            }
        }
    }
    out
}

/// The key of a term that a sample can meet for one value only.
fn single(word: &Word) -> Option<&'static str> {
    match &word.test {
        _ if word.negated => None,
        Test::Class(_) => Some("class"),
        Test::Suggested(_) => Some("suggested"),
        Test::Split(_) => Some("split"),
        Test::Choice(_) | Test::Decided(_) => Some("decision"),
        Test::Reviewer(_) => Some("reviewer"),
        Test::Cluster(..) => Some("cluster"),
        _ => None,
    }
}

fn wrong(message: impl Into<String>, at: (usize, usize)) -> Error {
    Error::Filter { message: message.into(), at }
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
        assert_eq!(tests(r#"-class:"polar bear""#), [(true, Test::Class(Text::Plain("polar bear".into())))]);
        assert_eq!(tests("- x"), [(false, path("-")), (false, path("x"))]);
        assert_eq!(tests("12:30"), [(false, path("12:30"))]);
    }

    #[test]
    fn keys_and_comparisons() {
        assert_eq!(tests("Split:VAL"), [(false, Test::Split(Split::Validation))]);
        assert_eq!(
            tests("score<0.3 score>=1"),
            [(false, Test::Score(Comparison::Below, 0.3)), (false, Test::Score(Comparison::AtLeast, 1.0)),]
        );
        assert_eq!(tests("decided -undecided"), [(false, Test::Decided(true)), (true, Test::Decided(false))]);
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
        assert_eq!(
            tests("label-quality<=0.1"),
            [(false, Test::ScoreOf("label-quality".into(), Comparison::AtMost, 0.1))]
        );
        assert_eq!(tests("sample:3,8-12"), [(false, Test::Samples(vec![(2, 2), (7, 11)]))]);
        assert_eq!(tests("label:cat"), tests("class:cat"));
    }

    #[test]
    fn mistakes_say_what_may_have_been_meant() {
        let error = |text: &str| words(text).unwrap_err().to_string();
        assert!(error("clas:cat").contains("unknown key 'clas:'; did you mean 'class'?"));
        assert!(error("decision:removed").contains(
            "must be one of keep, remove, relabel, unsure, none, not 'removed'; did you mean 'remove'?"
        ));
        assert!(error("<1").contains("say what is compared, such as score<1"));
        assert!(error("score<x").contains("'x' is not a number"));
        assert!(error("split:trian").contains("did you mean 'train'?"));
        assert!(error("class:").contains("needs a value"));
        assert!(error("\"open").contains("quote is not closed"));
        assert!(error("map:0.5,0,0.2,1").contains("such as map:0.1,0.2,0.5,0.6"));
        assert!(error("map:nan,0,1,1").contains("needs the left, top"));
        assert!(error("cluster:cat").contains("such as cat/1"));
        for wrong in ["0", "5-3", "1,", "1-", "one", "99999999999"] {
            assert!(error(&format!("sample:{wrong}")).contains("such as 3,8-12"), "{wrong}");
        }
        assert!(error("cluster:cat/0").contains("such as cat/1"));
        assert!(error("is:odd").contains("must be one of leak, unreadable, disputed"));
    }

    #[test]
    fn a_mistake_says_where() {
        let place = |text: &'static str| match words(text).unwrap_err() {
            Error::Filter { at, .. } => &text[at.0..at.1],
            other => panic!("{other}"),
        };
        assert_eq!(place("größe -clas:cat x"), "clas:cat");
        assert_eq!(place("a score<x b"), "score<x");
        assert_eq!(place("a \"b c"), "\"b c");
        assert_eq!(place("a (b or c"), "(");
        assert_eq!(place("a OR"), "");
        assert_eq!(place("OR a"), "OR");
        assert_eq!(place("a () b"), "()");
    }

    #[test]
    fn choices_and_groups() {
        let shape = |text: &str| {
            fn of(words: &[Word]) -> String {
                let one = |word: &Word| {
                    let sign = if word.negated { "-" } else { "" };
                    match &word.test {
                        Test::Any(lists) => {
                            let lists: Vec<String> = lists.iter().map(|list| of(list)).collect();
                            format!("{sign}({})", lists.join(" | "))
                        }
                        Test::Path(text) => format!("{sign}{text}"),
                        Test::Class(Text::Plain(text)) => format!("{sign}class:{text}"),
                        other => format!("{sign}{other:?}"),
                    }
                };
                words.iter().map(one).collect::<Vec<_>>().join(" ")
            }
            of(&words(text).unwrap())
        };
        for (text, meant) in [
            ("a b or c", "(a b | c)"),
            ("a b OR c | d", "(a b | c | d)"),
            ("a (b or c)", "a (b | c)"),
            ("a AND b and c", "a b c"),
            ("(a b) c", "a b c"),
            ("-(a or b) c", "-(a | b) c"),
            ("NOT a -NOT b", "-a b"),
            ("-(a b)", "-(a b)"),
            ("class:a class:b x", "(class:a | class:b) x"),
            ("class:a class:b class:c", "(class:a | class:b | class:c)"),
            ("-class:a -class:b", "-class:a -class:b"),
            // What is grouped is meant as it stands.
            ("class:a (class:b or class:c)", "class:a (class:b | class:c)"),
            ("class:x(1) (class:x(1))", "(class:x(1) | class:x(1))"),
            // Where it joins nothing it is part of a name.
            ("or", "or"),
            ("a or", "a or"),
            ("orange and", "orange and"),
            ("a) b", "a) b"),
            ("not a", "not a"),
        ] {
            assert_eq!(shape(text), meant, "{text}");
        }
    }

    #[test]
    fn wildcards_are_patterns_unless_they_are_quoted() {
        assert!(matches!(tests("*.png")[0].1, Test::PathLike(_)));
        assert!(matches!(tests("path:*/a*")[0].1, Test::PathLike(_)));
        assert!(matches!(tests("class:c?t")[0].1, Test::Class(Text::Like(_))));
        assert_eq!(tests("\"*.png\""), [(false, path("*.png"))]);
        assert_eq!(tests("path:\"a*\""), [(false, path("a*"))]);
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
