//! The keys in the last line, and where each of them stands.

use super::{Mode, Model, PickerKind, Prompt, PromptKind};
use crate::action::Action;
use crate::key::shown;
use crate::text;
use ratatui::layout::Rect;

/// A key in the last line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// What it does.
    pub action: Action,
    /// The key, as shown.
    pub keys: String,
    /// The words behind it.
    pub words: &'static str,
    /// Its cells, with those of the words behind it.
    pub area: Rect,
}

impl Model {
    /// The actions whose keys work here, most useful first.
    fn hint_actions(&self) -> Vec<Action> {
        use Action as A;
        match &self.mode {
            Mode::List if self.review.marks.is_empty() && self.review.visual.is_none() => {
                self.views.page.hints(self)
            }
            Mode::List if self.list.total == 0 => self.views.first().hints(self),
            Mode::List => vec![
                A::Keep,
                A::Remove,
                A::AcceptSuggestion,
                A::Relabel,
                A::Unsure,
                A::Tag,
                A::ClearMarks,
                A::Help,
            ],
            Mode::Prompt(Prompt { kind: PromptKind::Filter { .. }, .. }) => {
                vec![A::PromptAccept, A::PromptCancel, A::PromptComplete]
            }
            Mode::Prompt(_) => vec![A::PromptAccept, A::PromptCancel],
            Mode::Picker(picker) => match picker.kind {
                PickerKind::Help => vec![A::PromptAccept, A::PromptCancel, A::PromptNext, A::PromptPageDown],
                PickerKind::Palette => vec![A::PromptAccept, A::PromptCancel, A::PromptNext],
                _ => vec![A::PromptAccept, A::PromptCancel, A::PromptNext, A::PromptComplete],
            },
            Mode::Panel(panel) if panel.editing.is_some() => vec![A::PromptAccept, A::PromptCancel],
            Mode::Panel(panel) => panel.page.hints(self),
            Mode::Confirm(_) => Vec::new(),
        }
    }

    /// As many of them as fit into a line.
    pub fn hints(&self, area: Rect) -> Vec<Hint> {
        let mut hints = Vec::new();
        let mut x = area.x + 1;
        for action in self.hint_actions() {
            let Some(keys) = self.keymap.key_for(action).map(shown) else { continue };
            // What leads back from everywhere else leads out of the program here.
            let out = action == Action::Back && self.at_home();
            let words = if out { Action::Quit.short() } else { action.short() };
            let width = (text::width(&keys) + 1 + text::width(words)) as u16;
            if x.saturating_add(width + 1) > area.right() {
                break;
            }
            hints.push(Hint { action, keys, words, area: Rect { x, width, height: 1, ..area } });
            x += width + 2;
        }
        hints
    }
}
