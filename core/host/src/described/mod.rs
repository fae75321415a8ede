//! Detectors that a file describes: `detector.toml` names a program or a library to run, or says what to look for, and
//! then needs no code at all.
//!
//! `project` reads the file, `folder` tells whether what is in its folder has changed, `prompts` and `rule` do the work of
//! detectors without code.

mod folder;
mod project;
mod prompts;
mod rule;

pub(crate) use folder::{code, difference, digest, files};
pub(crate) use project::{FILE, Kind, Project, name_in, read};
pub(crate) use prompts::Prompts;
pub(crate) use rule::Rule;

use chaffinch_plugin::{Report, Result, View};

/// What the host looks for by itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Described {
    /// Pictures that look like a text.
    Prompts(Prompts),
    /// Values of a column.
    Rule(Rule),
}

impl Described {
    /// The columns of the dataset that it reads.
    fn columns(&self) -> &[String] {
        match self {
            Described::Prompts(_) => &[],
            Described::Rule(rule) => rule.columns(),
        }
    }

    /// Judges a dataset.
    ///
    /// # Errors
    /// When the dataset or the model does not have what it asks about.
    pub(crate) fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        match self {
            Described::Prompts(prompts) => prompts.detect(view, report),
            Described::Rule(rule) => rule.detect(view, report),
        }
    }
}
