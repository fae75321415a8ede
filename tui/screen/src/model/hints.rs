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

/// Whether it is a way out or the help.
fn is_needed(action: Action) -> bool {
    use Action as A;
    matches!(action, A::Help | A::Back | A::PanelClose | A::PaneClose | A::PromptAccept | A::PromptCancel)
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
                A::ClearMarks,
                A::Unsure,
                A::Tag,
                A::Help,
                A::Back,
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

    /// Those with a key, with their words and their cells.
    fn worded_hints(&self) -> Vec<(Action, String, &'static str, u16)> {
        let mut actions = self.hint_actions();
        let listed = self.mode == Mode::List;
        for needed in [Action::Help, Action::Back] {
            if listed && !actions.contains(&needed) {
                actions.push(needed);
            }
        }
        let worded = |action: Action| {
            let keys = self.keymap.key_for(action).map(shown)?;
            let words = self.hint_words(action);
            let width = (text::width(&keys) + 1 + text::width(words)) as u16;
            Some((action, keys, words, width))
        };
        actions.into_iter().filter_map(worded).collect()
    }

    /// Cells at the end of the last line for the way out and the help, which a long message leaves there, with the gaps before
    /// each of them.
    pub(super) fn needed_room(&self) -> u16 {
        let all = self.worded_hints();
        all.iter().filter(|(action, ..)| is_needed(*action)).map(|(.., width)| width + 2).sum()
    }

    /// As many of them as fit into a line. The way out and the help are always among them, and while a message takes the line
    /// they are all of them.
    pub fn hints(&self, area: Rect) -> Vec<Hint> {
        let mut all = self.worded_hints();
        let beside = self.said(self.layout().message).is_some_and(|(_, rest)| rest.is_some());
        let mut x = area.x + 1;
        if beside {
            all.retain(|(action, ..)| is_needed(*action));
            x = area.right().saturating_sub(self.needed_room()).max(x);
        }
        let mut room = area.right().saturating_sub(x);
        let mut fits = vec![false; all.len()];
        for first in [true, false] {
            for (fit, (action, _, _, width)) in fits.iter_mut().zip(&all) {
                if is_needed(*action) == first && *width <= room {
                    (*fit, room) = (true, room.saturating_sub(width + 2));
                }
            }
        }
        let mut hints = Vec::new();
        for ((action, keys, words, width), fit) in all.into_iter().zip(fits) {
            if fit {
                hints.push(Hint { action, keys, words, area: Rect { x, width, height: 1, ..area } });
                x += width + 2;
            }
        }
        hints
    }

    /// The words behind the key of an action, as it is meant here.
    fn hint_words(&self, action: Action) -> &'static str {
        // What leads back from everywhere else leads out of the program here.
        if action == Action::Back && self.at_home() && self.left().is_none() {
            return Action::Quit.short();
        }
        if let (Mode::Picker(picker), Action::PromptAccept) = (&self.mode, action) {
            match picker.kind {
                PickerKind::Help | PickerKind::Palette => return "run",
                PickerKind::Relabel(_) => return "relabel",
                PickerKind::Tag(_) => return "tag",
                PickerKind::KeepBy { .. } => return "keep it",
                PickerKind::Theme | PickerKind::Settle { .. } => {}
            }
        }
        let page = self.panel().unwrap_or(self.views.page);
        page.meaning(self, action).map_or(action.short(), |(words, _)| words)
    }
}
