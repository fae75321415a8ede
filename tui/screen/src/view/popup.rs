//! Popups: continuations of a key, and questions.

use crate::key::shown;
use crate::model::{Confirm, Mode, Model, Prompt, PromptKind};
use crate::paint::{Paint, centered};
use crate::text;
use crate::theme::Role;
use ratatui::layout::Rect;

/// After the first key of a sequence: what may follow.
pub(crate) fn which_key(model: &Model, area: Rect, paint: &mut Paint<'_>) {
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
    let frame = Rect { x: area.right() - width, y: area.bottom() - 2 - height, width, height };
    let inner = paint.window(frame, &shown(&model.pending));
    for (at, (keys, doc)) in lines.iter().take(usize::from(inner.height)).enumerate() {
        let y = inner.y + at as u16;
        paint.put(inner.x, y, inner.width, Role::Key, keys);
        paint.put(inner.x + 5, y, inner.width.saturating_sub(5), Role::Text, doc);
    }
}

/// Above a filter being typed: what its last word may be.
pub(crate) fn completions(model: &Model, line: Rect, paint: &mut Paint<'_>) {
    let Mode::Prompt(Prompt { kind: PromptKind::Filter { .. }, line: typed, completion, .. }) = &model.mode
    else {
        return;
    };
    let (options, chosen) = match completion {
        Some(completion) => (completion.options.clone(), Some(completion.chosen)),
        None => (crate::model::completions(model, typed).1, None),
    };
    let whole = options.len() == 1 && typed.text.ends_with(&options[0]);
    if options.is_empty() || whole || line.y < 4 {
        return;
    }
    let widest = options.iter().map(|option| text::width(&text::safe(option))).max().unwrap_or(0) as u16;
    let height = (options.len() as u16 + 2).min(line.y - 1);
    let frame = Rect { x: line.x + 1, y: line.y - height, width: (widest + 6).min(line.width - 1), height };
    let inner = paint.window(frame, "Tab");
    for (at, option) in options.iter().take(usize::from(inner.height)).enumerate() {
        let y = inner.y + at as u16;
        if chosen == Some(at) {
            let glyph = paint.theme.glyph(Role::Selected).to_owned();
            paint.put(inner.x, y, 1, Role::Selected, &glyph);
        }
        paint.put(inner.x + 2, y, inner.width.saturating_sub(2), Role::Text, option);
        if chosen == Some(at) {
            let style = paint.style(Role::Selected);
            paint.buffer.set_style(Rect { y, height: 1, ..inner }, style);
        }
    }
}

/// A question.
pub(crate) fn confirm(confirm: &Confirm, area: Rect, paint: &mut Paint<'_>) {
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
