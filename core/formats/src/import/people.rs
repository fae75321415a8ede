//! What people said about samples in other programs.

use chaffinch_data::journal::Said;
use chaffinch_protocol::decision::Choice;

/// The cells of a row that a person filled.
#[derive(Debug, Default)]
pub(super) struct Filled {
    /// `keep`, `remove`, `relabel` or `unsure`.
    pub(super) action: String,
    pub(super) new_label: String,
    /// Separated by commas.
    pub(super) tags: String,
    pub(super) note: String,
    pub(super) reviewer: String,
    pub(super) date: String,
}

impl Filled {
    /// What was said of a sample with the `given` label, and who said it; `None` if nothing was. What cannot be understood is
    /// said in words.
    pub(super) fn said(&self, given: &str) -> (Option<(Option<String>, Said)>, Option<String>) {
        let differs = !self.new_label.is_empty() && self.new_label != given;
        let mut problem = differs
            .then(|| match self.action.to_ascii_lowercase().as_str() {
                "" => Some("a new label without the action relabel".to_owned()),
                action @ ("keep" | "remove" | "unsure") => {
                    Some(format!("a new label beside the action {action}"))
                }
                _ => None,
            })
            .flatten();
        let choice = match self.action.to_ascii_lowercase().as_str() {
            "" => None,
            "keep" => Some(Choice::Keep),
            "remove" => Some(Choice::Remove),
            "unsure" => Some(Choice::Unsure),
            "relabel" if !self.new_label.is_empty() => Some(Choice::Relabel(self.new_label.clone())),
            "relabel" => {
                problem = Some("relabel without a new label".to_owned());
                None
            }
            other => {
                problem = Some(format!("the action '{other}'"));
                None
            }
        };
        let tags = self.tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned);
        let said = Said { choice, tags: tags.collect(), note: self.note.clone(), at: self.date.clone() };
        let reviewer = (!self.reviewer.is_empty()).then(|| self.reviewer.clone());
        ((!said.is_empty()).then_some((reviewer, said)), problem)
    }
}
