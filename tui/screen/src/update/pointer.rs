//! Clicks on what is not a row: a key in the last line, a line of a window, a page over the list.

use super::{Effects, act, prompt};
use crate::action::{Action, kind};
use crate::model::{Mode, Model, PickerLine};
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

/// Handles a click. Returns whether there was something to click on.
pub(super) fn click(model: &mut Model, event: MouseEvent, fx: &mut Effects) -> bool {
    if event.kind != MouseEventKind::Down(MouseButton::Left) || model.time.quitting.is_some() {
        return false;
    }
    let at = Position { x: event.column, y: event.row };
    let hints = model.layout().hints;
    if hints.contains(at) {
        let hint = model.hints(hints).into_iter().find(|hint| hint.area.contains(at));
        if let Some(hint) = hint {
            model.time.key_at = model.time.now;
            model.pending.clear();
            act(model, hint.action, fx);
        }
        return true;
    }
    match &model.mode {
        Mode::Picker(_) => picker(model, at, fx),
        Mode::Panel(panel) if panel.editing.is_none() => {
            let page = panel.page;
            page.click(model, at.x, at.y);
        }
        _ => return false,
    }
    true
}

/// A line of a window: the first click chooses it, the second takes it. Beside the window, a click closes it.
fn picker(model: &mut Model, at: Position, fx: &mut Effects) {
    let Mode::Picker(picker) = &model.mode else { return };
    let size = model.display.size;
    let frame = model.picker_frame(picker, Rect::new(0, 0, size.width, size.height));
    if !frame.contains(at) {
        return prompt::act(model, kind::Prompt::PromptCancel, fx);
    }
    // A frame, the line that is typed, and then the lines.
    let Some(line) = at.y.checked_sub(frame.y + 2) else { return };
    let lines = picker.lines(usize::from(frame.height.saturating_sub(3)));
    let Some(PickerLine::Item(place)) = lines.get(usize::from(line)) else { return };
    let place = *place;
    let again = picker.selected == place;
    if let Mode::Picker(picker) = &mut model.mode {
        picker.selected = place;
    }
    if again {
        act(model, Action::PromptAccept, fx);
    }
}
