//! Rust source as tokens, as far as needed for imports: comments, strings and test code are left out.

/// A word, a punctuation sign or a literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its text; `::` is one token, and a literal is prefixed with `"`.
    pub text: String,
    /// Its line, from 1 on.
    pub line: usize,
}

impl Token {
    /// Whether it is a name or keyword.
    pub fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }

    fn is(&self, text: &str) -> bool {
        self.text == text
    }
}

/// A path named in the code, by a `use` or in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its parts; the last is `*` for a glob.
    pub path: Vec<String>,
    /// Its local name from a `use`. `None` if the path is used in place.
    pub imported_as: Option<String>,
    /// Whether the `use` re-exports it (`pub use`).
    pub public: bool,
    /// Its line.
    pub line: usize,
}

/// Splits a file into tokens. Invalid Rust yields arbitrary tokens.
pub fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut all, mut at, mut line) = (Vec::new(), 0, 1);
    let word = |c: char| c.is_alphanumeric() || c == '_';
    while at < chars.len() {
        let (start, c) = (at, chars[at]);
        let next = chars.get(at + 1).copied().unwrap_or(' ');
        let mut kept = None;
        if c == '/' && next == '/' {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if c == '/' && next == '*' {
            at = after_comment(&chars, at);
        } else if let Some(end) = after_literal(&chars, at) {
            at = end;
            kept = Some(format!("\"{}", chars[start..at].iter().collect::<String>()));
        } else if c == '\'' {
            // A lifetime: its name is not a word of the code.
            at += 1;
            while at < chars.len() && word(chars[at]) {
                at += 1;
            }
        } else if word(c) {
            while at < chars.len() && word(chars[at]) {
                at += 1;
            }
            kept = Some(chars[start..at].iter().collect());
        } else if c == ':' && next == ':' {
            (at, kept) = (at + 2, Some("::".to_owned()));
        } else {
            at += 1;
            kept = (!c.is_whitespace()).then(|| c.to_string());
        }
        all.extend(kept.map(|text| Token { text, line }));
        line += chars[start..at].iter().filter(|c| **c == '\n').count();
    }
    all
}

/// The end of a block comment, which may be nested.
fn after_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (at, depth) = (at + 2, depth + 1),
            ('*', '/') => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

/// The end of the string or character literal that begins here, if any.
fn after_literal(chars: &[char], start: usize) -> Option<usize> {
    let get = |at: usize| chars.get(at).copied().unwrap_or(' ');
    let mut at = start;
    while matches!(get(at), 'b' | 'c' | 'r') && at < start + 2 {
        at += 1;
    }
    let raw = chars[start..at].contains(&'r');
    let mut hashes = 0;
    while raw && get(at + hashes) == '#' {
        hashes += 1;
    }
    let quote = get(at + hashes);
    if raw && quote == '"' {
        at += hashes + 1;
        while at < chars.len() && !(chars[at] == '"' && (1..=hashes).all(|n| get(at + n) == '#')) {
            at += 1;
        }
        return Some((at + hashes + 1).min(chars.len()));
    }
    let character = quote == '\'' && (get(at + 1) == '\\' || get(at + 2) == '\'');
    if raw || !(quote == '"' || character) {
        return None;
    }
    at += 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    Some((at + 1).min(chars.len()))
}

/// The tokens without code that is compiled only for tests.
pub fn production(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if let Some(end) = attribute(tokens, at) {
            let inner = tokens[at + 1].is("!");
            if !tests_only(&tokens[at..end]) {
                kept.extend_from_slice(&tokens[at..end]);
                at = end;
            } else if inner {
                // The whole file.
                return Vec::new();
            } else {
                at = after_item(tokens, end);
            }
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// The end of the attribute that begins here, if any.
fn attribute(tokens: &[Token], at: usize) -> Option<usize> {
    let open = at + 1 + usize::from(tokens.get(at + 1)?.is("!"));
    (tokens[at].is("#") && tokens.get(open)?.is("[")).then(|| closing(tokens, open) + 1)
}

fn tests_only(attribute: &[Token]) -> bool {
    let has = |word: &str| attribute.iter().any(|token| token.is(word));
    has("cfg") && has("test") && !has("not")
}

/// The index of the matching closing bracket.
pub(crate) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len().saturating_sub(1)
}

/// The end of the item, field or arm that begins here, with its further attributes.
fn after_item(tokens: &[Token], mut at: usize) -> usize {
    const ITEMS: [&str; 14] = [
        "fn",
        "mod",
        "struct",
        "enum",
        "impl",
        "trait",
        "const",
        "static",
        "type",
        "unsafe",
        "extern",
        "async",
        "union",
        "macro_rules",
    ];
    while let Some(end) = (at < tokens.len()).then(|| attribute(tokens, at)).flatten() {
        at = end;
    }
    let mut first = at;
    if tokens.get(first).is_some_and(|token| token.is("pub")) {
        first += 1;
        if tokens.get(first).is_some_and(|token| token.is("(")) {
            first = closing(tokens, first) + 1;
        }
    }
    let keyword = tokens.get(first).map_or("", |token| token.text.as_str());
    let (item, import) = (ITEMS.contains(&keyword), keyword == "use");
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" => return at + 1,
            "," if !item => return at + 1,
            "}" | ")" | "]" => return at,
            "{" if !import => {
                let end = closing(tokens, at) + 1;
                // An arm's block may be followed by a comma.
                return end + usize::from(!item && tokens.get(end).is_some_and(|token| token.is(",")));
            }
            "{" | "(" | "[" => at = closing(tokens, at) + 1,
            _ => at += 1,
        }
    }
    at
}

/// All paths of more than one part, and everything that is imported.
pub fn named(tokens: &[Token]) -> Vec<Named> {
    let mut all = Vec::new();
    let mut at = 0;
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    while at < tokens.len() {
        if let Some(end) = attribute(tokens, at) {
            at = end;
        } else if text(at) == "use" && text(at + 1) != "<" {
            let public = at > 0 && (text(at - 1) == "pub" || (text(at - 1) == ")" && restricted(tokens, at)));
            at = tree(tokens, at + 1, &[], public, &mut all);
        } else if tokens[at].is_word() && text(at + 1) == "::" {
            let line = tokens[at].line;
            let mut path = vec![tokens[at].text.clone()];
            while text(at + 1) == "::" && tokens.get(at + 2).is_some_and(Token::is_word) {
                path.push(tokens[at + 2].text.clone());
                at += 2;
            }
            all.push(Named { path, imported_as: None, public: false, line });
            at += 1;
        } else {
            at += 1;
        }
    }
    all
}

/// Whether the bracket before this index belongs to `pub(crate)` or the like.
fn restricted(tokens: &[Token], at: usize) -> bool {
    tokens[..at].iter().rev().take(6).any(|token| token.is("pub"))
}

/// Reads a tree of imports up to its end and returns what follows.
fn tree(tokens: &[Token], mut at: usize, before: &[String], public: bool, all: &mut Vec<Named>) -> usize {
    let mut path = before.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.line);
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "::" => at += 1,
            "{" => {
                let end = closing(tokens, at);
                at += 1;
                while at < end {
                    at = tree(tokens, at, &path, public, all);
                    at += usize::from(tokens.get(at).is_some_and(|token| token.is(",")));
                }
                return end + 1;
            }
            "*" => {
                path.push("*".into());
                at += 1;
            }
            "as" => {
                let name = tokens.get(at + 1).map(|token| token.text.clone());
                all.push(Named { path, imported_as: name, public, line });
                return at + 2;
            }
            _ if token.is_word() => {
                path.push(token.text.clone());
                at += 1;
            }
            _ => break,
        }
    }
    // `use a::{self, b}` imports `a`.
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let name = path.last().cloned();
    all.push(Named { path, imported_as: name, public, line });
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        named(&production(&tokens(text))).into_iter().map(|named| named.path.join("::")).collect()
    }

    #[test]
    fn trees_are_taken_apart() {
        assert_eq!(
            paths("use crate::{a::{b, c as d}, e::*, f::{self, G}};"),
            ["crate::a::b", "crate::a::c", "crate::e::*", "crate::f", "crate::f::G"]
        );
        let all = named(&tokens("pub(crate) use a::b as c;\nuse x as _;"));
        assert_eq!(all[0].imported_as.as_deref(), Some("c"));
        assert!(all[0].public && !all[1].public);
        assert_eq!(all[1].line, 2);
    }

    #[test]
    fn paths_stand_in_code_and_not_in_comments_or_strings() {
        let text = r##"
            // std::fs::a
            /* std::fs::b /* nested */ std::fs::c */
            fn f<'a>(x: &'a str) -> char {
                let _ = ("std::fs::d \" std::fs::e", r#"std::fs::f "quoted" "#, b"std::fs::g", '"', '\'');
                Vec::<u8>::new();
                std::fs::read(x);
                'c'
            }"##;
        assert_eq!(paths(text), ["Vec", "std::fs::read"]);
    }

    #[test]
    fn literals_are_kept_apart_from_words() {
        let texts: Vec<String> =
            tokens("f(\"a b\", 'c', r#\"d\"e\"#)").into_iter().map(|token| token.text).collect();
        assert_eq!(texts, ["f", "(", "\"\"a b\"", ",", "\"'c'", ",", "\"r#\"d\"e\"#", ")"]);
        assert!(tokens("b\"x\"").iter().all(|token| !token.is_word()));
    }

    #[test]
    fn code_of_tests_is_left_out() {
        let text = "#[cfg(test)]\nmod tests { use a::b; }\nuse c::d;\n#[cfg(test)]\n#[path = \"x\"]\npub(crate) mod x;\n\
                    struct S { #[cfg(test)] field: e::F<u8>, other: g::H }\n#[cfg(test)] use i::{j::K, l};\n\
                    #[cfg(all(test, unix))] fn f<A, B>(a: A) { m::n() }\n#[cfg(not(test))] use o::p;\nfn q() { r::s() }";
        assert_eq!(paths(text), ["c::d", "g::H", "o::p", "r::s"]);
        assert!(production(&tokens("#![cfg(test)]\nuse a::b;")).is_empty());
    }
}
