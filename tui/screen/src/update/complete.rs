//! Completion of filters: putting one in.

use crate::model::{Completion, Mode, Model, Prompt, PromptKind, completions};

/// Inserts the next or previous completion. Returns whether there was one.
pub(super) fn complete(model: &mut Model, forward: bool) -> bool {
    let Mode::Prompt(Prompt { kind: PromptKind::Filter { .. }, line, completion, .. }) = &model.mode else {
        return false;
    };
    let mut completion = match completion.clone() {
        Some(mut known) => {
            let count = known.options.len();
            known.chosen = (known.chosen + if forward { 1 } else { count - 1 }) % count;
            known
        }
        None => {
            let (start, options) = completions(model, line);
            let chosen = if forward { 0 } else { options.len().saturating_sub(1) };
            Completion { start, options, chosen }
        }
    };
    let text = completion.options.get(completion.chosen).cloned();
    let apply = model.time.now + super::prompt::APPLY;
    let Mode::Prompt(prompt) = &mut model.mode else { return false };
    prompt.completion = None;
    let Some(text) = text else { return false };
    let line = &mut prompt.line;
    line.text.replace_range(completion.start..line.at, &text);
    line.at = completion.start + text.len();
    prompt.apply_at = Some(apply);
    // With only one choice, the next key completes the following word.
    if completion.options.len() > 1 {
        completion.options.dedup();
        prompt.completion = Some(completion);
    }
    true
}
