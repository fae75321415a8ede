//! What is wrong with the dataset as a whole, as reports and `chaffinch dataset` say it.

use crate::Result;
use crate::subject::Subject;
use chaffinch_compute::job::Job;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::dataset::DatasetFindings;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_review::dataset::{self, Inputs};
use serde::Serialize;
use std::collections::BTreeMap;

/// All findings with names in place of numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Whole {
    /// Samples whose embeddings were compared: all, or an even share of a larger dataset.
    pub compared: u64,
    /// The findings, worst first.
    pub findings: Vec<WholeFinding>,
    /// What was looked for.
    pub kinds: Vec<WholeKind>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WholeFinding {
    /// The name of its kind.
    pub kind: String,
    /// `serious`, `warning` or `info`.
    pub severity: &'static str,
    /// 0 = surely an issue, 1 = surely fine; the threshold of the kind is at 0.5.
    pub score: f64,
    /// One sentence.
    pub text: String,
    /// The numbers it rests on.
    pub evidence: BTreeMap<String, f64>,
    /// The classes it is about.
    pub classes: Vec<String>,
    /// Paths of samples that show it, the clearest first.
    pub samples: Vec<String>,
}

/// One kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WholeKind {
    /// Its name.
    pub name: String,
    /// Its name as a title.
    pub title: String,
    /// Why it was not looked for; empty if it was.
    pub not_checked: String,
}

impl Whole {
    /// Looks for everything in a session, if it is to be judged.
    ///
    /// # Errors
    /// When stopped, or when results do not fit the dataset.
    pub(crate) fn of(subject: &Subject<'_>, job: &Job<'_>) -> Result<Whole> {
        let Some(beside) = subject.beside else { return Ok(Whole::default()) };
        let source = &subject.source;
        let inputs = Inputs {
            manifest: source.manifest,
            file_metadata: source.file_metadata,
            results: source.results,
            matrix: source.atlas.map(|atlas| &**atlas.matrix()),
            beside,
        };
        Ok(Whole::new(&dataset::find(&inputs, job)?, source.manifest))
    }

    /// Of these findings about this dataset.
    pub fn new(found: &DatasetFindings, manifest: &Manifest) -> Whole {
        let classes = manifest.classes();
        let class = |class: &u32| Some(safe_text(classes.get(*class as usize)?).into_owned());
        let findings = found.findings.iter().map(|one| WholeFinding {
            kind: one.kind.clone(),
            severity: one.severity.name(),
            score: one.score,
            text: one.text.clone(),
            evidence: one.figures.iter().map(|figure| (figure.name.clone(), figure.value)).collect(),
            classes: one.classes.iter().filter_map(class).collect(),
            samples: one.samples.iter().map(|&id| safe_path(manifest.path(id))).collect(),
        });
        let kinds = found.kinds.iter().map(|kind| WholeKind {
            name: kind.name.clone(),
            title: kind.title.clone(),
            not_checked: kind.not_checked.clone(),
        });
        Whole { compared: found.compared, findings: findings.collect(), kinds: kinds.collect() }
    }

    /// The title of a kind.
    pub fn title<'a>(&'a self, kind: &'a str) -> &'a str {
        self.kinds.iter().find(|one| one.name == kind).map_or(kind, |one| &one.title)
    }

    /// What was not looked for, and why, one sentence a kind.
    pub fn not_checked(&self) -> impl Iterator<Item = String> + '_ {
        let left = self.kinds.iter().filter(|kind| !kind.not_checked.is_empty());
        left.map(|kind| format!("Not looked for: {}, because {}.", lowered(&kind.title), kind.not_checked))
    }
}

/// A title inside a sentence.
fn lowered(title: &str) -> String {
    let mut chars = title.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}
