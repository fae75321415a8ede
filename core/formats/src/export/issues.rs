//! Tables with a column `is_X_issue` and one `X_score` for each kind of issue, as cleanlab and CleanVision write them.

use super::formulas::Formulas;
use super::odd_paths::{Are, OddPaths};
use super::{Export, Finders, Request, Written};
use crate::Result;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::{atomic, class_names};
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::verdict::is_flagged;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;

/// A program that reads such tables.
pub(super) struct Program {
    /// Its name in sentences.
    pub(super) name: &'static str,
    /// The heading of the column of paths.
    pub(super) path: &'static str,
    /// Its kinds of issues, each with the detectors that find the same, the best first. A detector that was imported from
    /// the program comes before them.
    pub(super) kinds: &'static [Kind],
    /// Kinds that a detector finds together with others: the kind, and words of its reason that say so.
    pub(super) said: &'static [(&'static str, &'static str)],
    /// Whether the table has the labels.
    pub(super) labels: bool,
}

/// A kind of issue, and those that find it.
type Kind = (&'static str, fn(&Finders) -> &'static [&'static str]);

/// Where the flags and scores of a kind come from.
enum Found<'a> {
    /// A detector with its threshold.
    Detector(&'a DetectorResult, f32),
    /// Words in the reasons of a detector that finds several kinds and has one score, that of the worst.
    Said(&'a DetectorResult, f32, &'static str),
}

impl Found<'_> {
    /// Whether a sample is flagged, and its score if that is known.
    fn cells(&self, id: SampleId) -> (bool, Option<f32>) {
        match self {
            Found::Detector(result, threshold) => {
                let score = result.score(id);
                (score.is_some_and(|score| is_flagged(score, *threshold)), score)
            }
            Found::Said(result, threshold, words) => {
                let flagged = result.score(id).filter(|score| is_flagged(*score, *threshold));
                let at = result.reason(id).split("; ").position(|part| part.contains(words));
                match (flagged, at) {
                    (Some(score), Some(at)) => (true, (at == 0).then_some(score)),
                    _ => (false, None),
                }
            }
        }
    }
}

impl Program {
    /// Writes its table: the kinds that it knows and a detector finds, then all other detectors under their own names.
    pub(super) fn write(&self, export: &Export<'_>, request: &Request) -> Result<Written> {
        export.outside(&request.output)?;
        let manifest = export.source.manifest;
        let kinds = self.found(export, &request.finders);
        let mut guarded = 0;
        atomic::write(&request.output, |out| {
            let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
            let mut guard = |text: &[u8], out: &mut csv::Writer<_>| {
                let safe = request.formulas.guarded(text);
                guarded += u64::from(matches!(safe, Cow::Owned(_)));
                out.write_field(&safe)
            };
            out.write_field(self.path)?;
            for (kind, ..) in &kinds {
                out.write_field(format!("is_{kind}_issue"))?;
                out.write_field(format!("{kind}_score"))?;
            }
            if self.labels {
                out.write_field("given_label")?;
                out.write_field("predicted_label")?;
            }
            out.write_record(None::<&[u8]>)?;
            for id in manifest.ids() {
                guard(manifest.path(id).as_os_str().as_bytes(), &mut out)?;
                for (_, found) in &kinds {
                    let (flagged, score) = found.cells(id);
                    out.write_field(if flagged { "True" } else { "False" })?;
                    out.write_field(score.map_or_else(String::new, |score| score.to_string()))?;
                }
                if self.labels {
                    let given = manifest.label_name(id);
                    guard(&class_names::bytes(given), &mut out)?;
                    guard(&class_names::bytes(export.suggested(id).unwrap_or(given)), &mut out)?;
                }
                out.write_record(None::<&[u8]>)?;
            }
            out.flush()
        })?;
        let mut written = Written::file(&request.output);
        let samples = counted(manifest.len() as u64, "sample", "samples");
        let issues = counted(kinds.len() as u64, "kind of issue", "kinds of issues");
        written.summary = Some(Formulas::told(format!("{samples}, {issues}"), guarded));
        written.notes.extend(OddPaths::of_all(manifest).told(Are::Bytes));
        let missing = self.kinds.iter().map(|(kind, _)| *kind);
        let missing: Vec<&str> =
            missing.filter(|kind| kinds.iter().all(|(known, ..)| known != kind)).collect();
        if !missing.is_empty() {
            let text = format!("no detector here finds what {} calls {}", self.name, missing.join(", "));
            written.notes.push(text);
        }
        Ok(written)
    }

    /// Its kinds, and the other detectors as kinds of their own, each with the result and the threshold.
    fn found<'a>(&self, export: &Export<'a>, finders: &Finders) -> Vec<(String, Found<'a>)> {
        let verdicts = export.source.verdicts();
        let results = export.source.results;
        let mut used: BTreeSet<&str> = BTreeSet::new();
        let mut found: Vec<(String, Found<'a>)> = Vec::new();
        let prefix = self.name.to_lowercase();
        let many = finders.quality.iter().find_map(|name| results.get_key_value(*name));
        for (kind, detectors) in self.kinds {
            let own = format!("{prefix}_{kind}");
            let names = std::iter::once(own.as_str()).chain(detectors(finders).iter().copied());
            if let Some((name, result)) = names.filter_map(|name| results.get_key_value(name)).next() {
                used.insert(name);
                let detector = Found::Detector(result, verdicts.threshold(name, result));
                found.push(((*kind).to_owned(), detector));
            } else if let Some((words, (name, result))) =
                self.said.iter().find(|(known, _)| known == kind).zip(many)
            {
                let threshold = verdicts.threshold(name, result);
                found.push(((*kind).to_owned(), Found::Said(result, threshold, words.1)));
            }
        }
        for (name, result) in results.iter().filter(|(name, _)| !used.contains(name.as_str())) {
            let kind = name.strip_prefix(&format!("{prefix}_")).unwrap_or(name).replace('-', "_");
            if found.iter().all(|(known, ..)| *known != kind) {
                found.push((kind, Found::Detector(result, verdicts.threshold(name, result))));
            }
        }
        found
    }
}
