//! Small windows: what may follow a key, and questions.

use super::paint::{Paint, centered};
use crate::key::shown;
use crate::model::{Confirm, Model};
use crate::text;
use crate::theme::Role;
use ratatui::layout::Rect;

/// After the first key of a sequence: what may follow.
pub(super) fn which_key(model: &Model, area: Rect, paint: &mut Paint<'_>) {
    if model.pending.is_empty() {
        return;
    }
    let mut next = model.keymap.continuations(model.mode.scope(), &model.pending);
    next.sort_by_key(|(_, action)| *action);
    if next.is_empty() {
        return;
    }
    let lines: Vec<(String, &str)> = next.iter().map(|(keys, action)| (shown(keys), action.doc())).collect();
    let widest =
        lines.iter().map(|(keys, doc)| text::width(keys).max(3) + 2 + text::width(doc)).max().unwrap_or(0);
    let width = (widest as u16 + 4).min(area.width);
    let height = (lines.len() as u16 + 2).min(area.height - 2);
    let place = Rect { x: area.right() - width, y: area.bottom() - 2 - height, width, height };
    let inner = paint.window(place, &shown(&model.pending));
    for (at, (keys, doc)) in lines.iter().take(usize::from(inner.height)).enumerate() {
        let y = inner.y + at as u16;
        paint.put(inner.x, y, inner.width, Role::Key, keys);
        paint.put(inner.x + 5, y, inner.width.saturating_sub(5), Role::Text, doc);
    }
}

/// A question.
pub(super) fn confirm(confirm: &Confirm, area: Rect, paint: &mut Paint<'_>) {
    let lines = text::wrap(&confirm.question, 50);
    let inner = paint.window(centered(area, 56, lines.len() as u16 + 4), "sure?");
    for (at, line) in lines.iter().enumerate() {
        paint.put(inner.x, inner.y + at as u16, inner.width, Role::Text, line);
    }
    let y = inner.bottom().saturating_sub(1);
    paint.pieces(
        Rect { y, height: 1, ..inner },
        &[(Role::Key, "y"), (Role::Text, " yes   "), (Role::Key, "n"), (Role::Text, " no")],
    );
}
