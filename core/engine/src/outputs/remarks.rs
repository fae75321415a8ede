//! What to know before relying on what is written.

use super::Outputs;
use chaffinch_data::journal::Now;
use chaffinch_protocol::display::{counted, safe_path, safe_text, thousands};
use chaffinch_protocol::{OutputLine, OutputMark};

/// Files that a remark names; a dataset that moved has a million of them.
const NAMED: usize = 20;

/// A remark on what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputRemark {
    /// What it is about, in a word.
    pub about: &'static str,
    /// What to know.
    pub text: String,
    /// Whether something may be wrong.
    pub warning: bool,
}

impl OutputRemark {
    pub(super) fn line(&self) -> OutputLine {
        let mark = if self.warning { OutputMark::Warning } else { OutputMark::Remark };
        OutputLine::new(mark, self.text.clone())
    }
}

impl Outputs<'_> {
    /// Decided files that have changed or are gone, on what reviewers disagree, and what could not be decided. `choose` is
    /// said after a disagreement: how to choose whose decisions count.
    pub fn remarks(&self, choose: &str) -> Vec<OutputRemark> {
        let mut all = self.changed_remarks([
            "exported as undecided; scan again, then decide again",
            "scan again if that is right",
        ]);
        let disputes = self.subject.journal.disputes(&self.decisions);
        if let Some(words) = disputes.words() {
            let (used, others) = (disputes.used_words(), disputes.other_words());
            let others = if others.is_empty() { others } else { format!("; {others} decided otherwise") };
            let text = format!("{words}: exported the decisions of {used}{others}{choose}");
            all.push(OutputRemark { about: "decisions", text, warning: true });
        }
        let [.., unsure] = self.decisions.by_choice();
        if unsure > 0 {
            let samples = counted(unsure, "sample is", "samples are");
            let text = format!(
                "{samples} decided as unsure: exported unchanged, as if undecided; the filter decision:unsure lists them"
            );
            all.push(OutputRemark { about: "unsure", text, warning: false });
        }
        all
    }

    /// Lists decided files that are no longer what was decided about, and what to do about changed and about missing ones.
    pub fn changed_remarks(&self, [changed, gone]: [&'static str; 2]) -> Vec<OutputRemark> {
        let kinds = [
            (
                Now::Changed,
                "changed",
                "decided file has changed since",
                "decided files have changed since",
                changed,
            ),
            (Now::Gone, "gone", "decided file is gone", "decided files are gone", gone),
        ];
        let remark = |(now, about, one, many, so)| {
            let of = || self.changed.iter().filter(move |(_, found)| *found == now);
            let mut names: Vec<String> = of()
                .take(NAMED)
                .map(|(id, _)| {
                    let choice = self.subject.journal.decision(*id).map(|said| said.choice.to_string());
                    let path = safe_path(self.subject.source.manifest.path(*id));
                    format!("{path} ({})", safe_text(&choice.unwrap_or_default()))
                })
                .collect();
            let count = of().count();
            if count > NAMED {
                names.push(format!("and {} more", thousands((count - NAMED) as u64)));
            }
            (!names.is_empty()).then(|| {
                let files = counted(count as u64, one, many);
                OutputRemark { about, text: format!("{files}: {}; {so}", names.join(", ")), warning: true }
            })
        };
        kinds.into_iter().filter_map(remark).collect()
    }
}
