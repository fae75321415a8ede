//! Questions that a line must answer.

use super::{Manner, Plain, describe, words};
use crate::model::Mode;

impl Plain<'_> {
    /// Why no more lines are read, if the open question is not answered by the next one: that line was written for
    /// something else, and so were those after it, which might then decide about another sample than they were meant for.
    pub(super) fn unanswered(&self, next: Option<&str>, manner: Manner) -> Option<String> {
        let (asked, how) = match &self.model.mode {
            Mode::Confirm(confirm) => (confirm.question.clone(), "answer it with yes or no in the next line"),
            Mode::Prompt(_) | Mode::Picker(_) => {
                let asked = describe::question(&self.model).into_iter().next().unwrap_or_default();
                let asked = asked.split(';').next().unwrap_or_default().to_owned();
                (asked, "type that behind the command or in the next line")
            }
            _ => return None,
        };
        let Some(line) = next else {
            return Some(format!("the input ended at '{asked}', so nothing was done about it; {how}"));
        };
        let answers = !matches!(self.model.mode, Mode::Confirm(_)) || words::answer(line).is_some();
        (!answers && !manner.prompt).then(|| {
            format!(
                "'{line}' does not answer '{asked}', so nothing was done about it, and neither this line nor any after it was \
                 carried out; {how}"
            )
        })
    }
}
