//! Completion of filters: putting one in.

use crate::model::{Completion, Mode, Model, Prompt, PromptKind, completions};

/// Puts the next or the previous completion in. Says whether there was one.
pub(super) fn complete(model: &mut Model, forward: bool) -> bool {
    let Mode::Prompt(Prompt { kind: PromptKind::Filter { .. }, line, .. }) = &model.mode else {
        return false;
    };
    let mut completion = match model.completion.take() {
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
    let Some(text) = completion.options.get(completion.chosen).cloned() else { return false };
    let apply = model.now + super::prompt::APPLY;
    if let Mode::Prompt(prompt) = &mut model.mode {
        let line = &mut prompt.line;
        line.text.replace_range(completion.start..line.at, &text);
        line.at = completion.start + text.len();
        prompt.apply_at = Some(apply);
    }
    // With one choice only, the next key completes what comes after it.
    if completion.options.len() > 1 {
        completion.options.dedup();
        model.completion = Some(completion);
    }
    true
}
