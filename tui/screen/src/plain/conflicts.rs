//! The list of what reviewers decided differently, in lines.

use super::Plain;
use crate::text::{self, counted};
use anyhow::Result;
use chaffinch_protocol::Command;

/// How many are told; a list of thousands is for a file.
const TOLD: u64 = 20;

impl Plain<'_> {
    /// Tells the conflicts in the order in which they are walked: the label, and who decided what.
    pub(super) fn conflicts(&mut self) -> Result<()> {
        let total = self.model.list.total;
        let samples = counted(total, "sample", "samples");
        self.tell(&format!("reviewers disagree on {samples}; a decision about one settles it:"))?;
        for place in 0..total.min(TOLD) {
            let Some(sample) = self.model.list.rows.get(place).map(|row| row.sample) else { break };
            if !self.model.details.fresh(sample) && self.commands.send(Command::Detail { sample }).is_ok() {
                self.wait(|plain| plain.model.details.fresh(sample))?;
            }
            let line = self.conflict(place);
            self.tell(&line)?;
        }
        let more = total.saturating_sub(TOLD);
        if more > 0 {
            self.tell(&format!("and {more} more; the command chaffinch conflicts lists all"))?;
        }
        Ok(())
    }

    /// `2: dog/7.jpg, label dog: keep by anna; remove by ben`.
    fn conflict(&self, place: u64) -> String {
        let model = &self.model;
        let Some(row) = model.list.rows.get(place) else { return String::new() };
        let label = text::safe(model.class(row.label).unwrap_or("none"));
        let mut line = format!("{}: {}, label {label}: ", place + 1, row.path);
        let Some(detail) = model.details.get(row.sample) else {
            line.push_str("who decided what is not known yet");
            return line;
        };
        let own = detail.row.decision.as_ref().map(|decision| {
            let choice = decision.choice.to_string();
            (detail.reviewer.clone(), text::safe(&choice).into_owned())
        });
        let said = own.iter().chain(&detail.other_decisions);
        let said: Vec<String> = said.map(|(reviewer, choice)| format!("{choice} by {reviewer}")).collect();
        line.push_str(&said.join("; "));
        line
    }
}
