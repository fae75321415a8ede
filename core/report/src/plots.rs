//! Plots as SVG. In a page they take its colors; as files they have their own, for light and dark.

mod confusion;
mod histogram;
mod map;

pub(crate) use confusion::confusion;
pub(crate) use histogram::histogram;
pub(crate) use map::{Place, map, position};

/// A plot.
#[derive(Debug, Clone)]
pub(crate) struct Plot {
    /// The name of its file, without an extension.
    pub(crate) name: String,
    /// What it shows, for those who do not see it.
    pub(crate) says: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The elements.
    pub(crate) body: String,
}

/// The colors of a plot of its own: those of the page, light and dark.
const STYLE: &str = "<style>svg{--ink:#1d1f22;--muted:#5a5f66;--line:#d9dadc;--bar:#8a9099;--accent:#0a5fa8;\
--bad:#b3261e;--good:#1e7a3c;--paper:#fff;background:#fff}@media(prefers-color-scheme:dark){svg{--ink:#e9e9e7;\
--muted:#a6abb3;--line:#3a3e44;--bar:#6f7680;--accent:#7cb8ee;--bad:#ff8f86;--good:#7fd098;--paper:#17191c;\
background:#17191c}}</style>";

impl Plot {
    /// For a page, which defines the colors.
    pub(crate) fn inline(&self) -> String {
        let Plot { says, width, height, body, .. } = self;
        format!(
            "<svg role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {width} {height}\" class=\"plot\">{body}</svg>",
            escaped(says)
        )
    }

    /// As a file.
    pub(crate) fn file(&self) -> String {
        let Plot { says, width, height, body, .. } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"system-ui, sans-serif\">\n<title>{}</title>{STYLE}\n{body}\n</svg>\n",
            escaped(says)
        )
    }
}

/// Escapes text for XML and HTML, also inside quotes.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A text with at most this many characters, the middle left out.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= most {
        return text.to_owned();
    }
    let (head, tail) = ((most - 1).div_ceil(2), (most - 1) / 2);
    let head: String = letters[..head].iter().collect();
    let tail: String = letters[letters.len() - tail..].iter().collect();
    format!("{head}…{tail}")
}
