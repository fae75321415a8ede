//! The fields of forms.

use super::paths;
use crate::{Error, Result};
use chaffinch_formats::export::{self, CopyMode, Formulas};
use chaffinch_protocol::{OutputChoice, OutputField};
use chaffinch_review::repair::{Copies, Leaks, Policies};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The names of fields.
pub(super) const FORMAT: &str = "format";
pub(super) const TO: &str = "to";
pub(super) const SAMPLES: &str = "samples";
pub(super) const FILES: &str = "files";
pub(super) const FORMULAS: &str = "formulas";
pub(super) const LEAKS: &str = "splits";
pub(super) const COPIES: &str = "copies";
pub(super) const TOP: &str = "suspects";
pub(super) const PICTURES: &str = "pictures";

/// Values by the names of fields.
pub(super) struct Values<'a>(pub(super) &'a BTreeMap<String, String>);

impl Values<'_> {
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.trim())
    }

    /// The path to write to.
    pub(super) fn to(&self) -> Result<PathBuf> {
        paths::expanded(self.get(TO))
    }

    pub(super) fn export_format(&self) -> Result<&'static export::Format> {
        let name = self.get(FORMAT);
        let name = if name.is_empty() { "manifest" } else { name };
        export::Format::find(name)
            .ok_or_else(|| Error::Invalid(format!("there is no export format '{name}'")))
    }

    pub(super) fn report_format(&self) -> Result<&'static chaffinch_report::Format> {
        let name = self.get(FORMAT);
        let name = if name.is_empty() { "html" } else { name };
        chaffinch_report::Format::find(name)
            .ok_or_else(|| Error::Invalid(format!("there is no report format '{name}'")))
    }

    pub(super) fn policies(&self) -> Policies {
        let (leaks, copies) = (self.get(LEAKS), self.get(COPIES));
        Policies {
            leaks: Leaks::ALL.into_iter().find(|policy| policy.name() == leaks),
            copies: Copies::ALL.into_iter().find(|policy| policy.name() == copies),
        }
    }

    pub(super) fn copy_mode(&self, default: CopyMode) -> CopyMode {
        match self.get(FILES) {
            "link" => CopyMode::Link,
            "symlink" => CopyMode::Symlink,
            "copy" => CopyMode::Copy,
            "auto" => CopyMode::Auto,
            _ => default,
        }
    }

    pub(super) fn formulas(&self) -> Formulas {
        if self.get(FORMULAS) == "keep" { Formulas::Keep } else { Formulas::Guard }
    }

    /// How many suspects a report lists; `None` for all.
    pub(super) fn top(&self, format: &chaffinch_report::Format) -> Option<usize> {
        match self.get(TOP) {
            "all" => None,
            text => text.parse().ok().or_else(|| super::Outputs::listed_by_default(format)),
        }
    }

    /// The longer side of pictures in a report.
    pub(super) fn thumbnails(&self) -> u32 {
        match self.get(PICTURES) {
            "none" => 0,
            text => text.parse().unwrap_or(128),
        }
    }

    /// A field with choices: its value if that is one of them, else the default.
    pub(super) fn choice(
        &self,
        name: &str,
        help: &str,
        default: &str,
        choices: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> OutputField {
        let choices: Vec<OutputChoice> = choices
            .into_iter()
            .map(|(name, summary)| OutputChoice { name: name.to_owned(), summary: summary.to_owned() })
            .collect();
        let value = self.get(name);
        let known = choices.iter().any(|choice| choice.name == value);
        let value = if known { value } else { default };
        OutputField { name: name.to_owned(), help: help.to_owned(), value: value.to_owned(), choices }
    }
}

/// The path to write to.
pub(super) fn to(help: &str, path: &std::path::Path) -> OutputField {
    OutputField {
        name: TO.to_owned(),
        help: help.to_owned(),
        value: path.to_string_lossy().into_owned(),
        choices: Vec::new(),
    }
}

/// What files get into a copy by.
pub(super) const COPY_MODES: [(&str, &str); 4] = [
    ("auto", "reflinks, which take no space; hard links or copies where they are not possible"),
    ("copy", "full copies"),
    ("link", "hard links, which take no space; symbolic links where they are not possible"),
    ("symlink", "symbolic links"),
];

pub(super) const LEAKS_HELP: &str = "What to do with pictures that are in several splits";
pub(super) const COPIES_HELP: &str = "Which of several copies of a picture to keep; the others are removed";

/// The policies for leaks, none first.
pub(super) fn leaks() -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = Leaks::ALL.into_iter().map(|policy| (policy.name(), policy.rule()));
    std::iter::once(("leave", "leave them as they are")).chain(all)
}

/// The policies for copies, none first.
pub(super) fn copies() -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = Copies::ALL.into_iter().map(|policy| (policy.name(), policy.rule()));
    std::iter::once(("keep-all", "leave them as they are")).chain(all)
}
