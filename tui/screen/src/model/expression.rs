//! Orders by meaning as they are typed.

use super::complete::quoted;

/// Stands for the sample under the cursor.
const THIS: &str = "like:this";

/// What may be typed, and what it is for: shown where nothing is typed yet.
pub const FORMS: [(&str, &str); 5] = [
    ("a photo with a watermark", "any text: the most similar pictures first"),
    ("cat + snow - 0.5*indoors", "parts, added and taken away, with weights"),
    (THIS, "the sample under the cursor"),
    ("like:cats/07.jpg", "any sample, by its path or the end of it"),
    ("file:/data/x.jpg", "a picture from outside"),
];

/// The part of an expression that stands for a sample.
pub fn like(path: &str) -> String {
    format!("like:{}", quoted(path))
}

/// An expression as the engine understands it: in place of `like:this`, the path of the sample under the cursor.
pub fn expression(typed: &str, this: Option<&str>) -> String {
    let typed = typed.trim();
    let Some(path) = this else { return typed.to_owned() };
    let (mut text, mut rest) = (String::with_capacity(typed.len()), typed);
    let begins =
        |before: &str| before.trim_end().is_empty() || before.ends_with([' ', '+', '-', '*', '\u{2212}']);
    let mut quotes = false;
    while let Some(c) = rest.chars().next() {
        let ends = |after: &str| after.chars().next().is_none_or(char::is_whitespace);
        if !quotes && begins(&text) && rest.strip_prefix(THIS).is_some_and(ends) {
            text.push_str(&like(path));
            rest = &rest[THIS.len()..];
            continue;
        }
        let escaped = quotes && c == '\\';
        quotes ^= c == '"';
        let length =
            c.len_utf8() + if escaped { rest[1..].chars().next().map_or(0, char::len_utf8) } else { 0 };
        text.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::expression;

    #[test]
    fn this_is_the_sample_under_the_cursor() {
        let written = |typed: &str| expression(typed, Some("cats/a b.jpg"));
        assert_eq!(written("like:this"), "like:\"cats/a b.jpg\"");
        assert_eq!(written(" 2*like:this - snow "), "2*like:\"cats/a b.jpg\" - snow");
        assert_eq!(written("snow +like:this"), "snow +like:\"cats/a b.jpg\"");
        for text in
            ["like:this.jpg", "\"like:this\"", "\"a \\\" like:this\"", "I unlike:this", "like:thistle"]
        {
            assert_eq!(written(text), text);
        }
        assert_eq!(expression("like:this", None), "like:this");
    }
}
