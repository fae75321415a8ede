//! Pickers: help, palette, classes, tags.

use super::status;
use crate::model::{Model, Picker, PickerKind, tag_word};
use crate::paint::{Paint, centered};
use crate::text;
use crate::theme::Role;
use ratatui::layout::{Position, Rect};

/// Draws a picker over the screen. Returns where the text cursor belongs.
pub(crate) fn picker(model: &Model, picker: &Picker, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
    let (title, width, height) = match &picker.kind {
        PickerKind::Help => {
            ("keys: type to find".to_owned(), area.width.saturating_sub(4).min(100), area.height - 2)
        }
        PickerKind::Palette => {
            ("run an action".to_owned(), area.width.saturating_sub(6).min(90), (area.height - 2).min(20))
        }
        PickerKind::Relabel(samples) => (relabel_title(samples.len()), 56, (area.height - 2).min(18)),
        PickerKind::Settle { remove, .. } => {
            (format!("the labels differ: which is right for all {}?", remove.len() + 1), 60, 10)
        }
        PickerKind::Tag(samples) if samples.len() > 1 => (format!("tag {} samples", samples.len()), 44, 18),
        PickerKind::Tag(_) => ("tag".to_owned(), 44, 18),
    };
    let inner = paint.window(centered(area, width, height), &title);
    if inner.height < 2 {
        return None;
    }
    let x = paint.put(inner.x, inner.y, 2, Role::Key, "› ");
    let cursor =
        status::line(&picker.line, Rect { x, width: inner.right() - x, height: 1, y: inner.y }, paint);
    let rows = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
    if picker.found.is_empty() {
        let typed = text::safe(picker.line.text.trim()).into_owned();
        let words = match picker.kind {
            PickerKind::Relabel(_) => format!("Enter makes '{typed}' a new class"),
            PickerKind::Tag(_) => format!("Enter adds the tag '{}'", tag_word(&typed)),
            PickerKind::Palette => match picker.row(model.list.total) {
                Some(Ok(row)) => {
                    let last = model.list.total.saturating_sub(1);
                    format!("Enter goes to row {}", text::count(row.min(last) + 1))
                }
                Some(Err(why)) => why,
                None => "nothing matches".to_owned(),
            },
            _ => "nothing matches".to_owned(),
        };
        paint.put(rows.x, rows.y, rows.width, Role::Dim, &words);
        return Some(cursor);
    }
    // The chosen line stays in the window, and the window moves by pages.
    let height = usize::from(rows.height).max(1);
    let first = picker.selected / height * height;
    for (line, index) in picker.found.iter().enumerate().skip(first).take(height) {
        let y = rows.y + (line - first) as u16;
        let item = &picker.items[*index];
        item_line(model, picker, item, Rect { y, height: 1, ..rows }, paint);
        if line == picker.selected {
            let chosen = Rect { y, height: 1, ..rows };
            paint.put(rows.x, y, 1, Role::Selected, paint.theme.glyph(Role::Selected));
            paint.buffer.set_style(chosen, paint.style(Role::Selected));
        }
    }
    Some(cursor)
}

fn relabel_title(count: usize) -> String {
    if count == 1 { "relabel to".to_owned() } else { format!("relabel {count} samples to") }
}

fn item_line(
    model: &Model,
    picker: &Picker,
    item: &crate::model::PickerItem,
    area: Rect,
    paint: &mut Paint<'_>,
) {
    let x = area.x + 2;
    match picker.kind {
        PickerKind::Help => {
            // Keys come first: users look for them, and they line up.
            paint.put(x, area.y, 11, Role::Key, &item.side);
            let next = paint.put(x + 12, area.y, area.right().saturating_sub(x + 12), Role::Text, &item.name);
            paint.put(next + 1, area.y, area.right().saturating_sub(next + 1), Role::Dim, &item.note);
        }
        PickerKind::Palette => {
            let side = text::width(&item.side) as u16;
            paint.put_right(area.right(), area.y, 10, Role::Key, &item.side);
            let room = area.right().saturating_sub(x + side + 1);
            let name = if item.action.is_some() { Role::Text } else { Role::Dim };
            paint.put(x, area.y, room.min(19), name, &item.name);
            paint.put(x + 20, area.y, room.saturating_sub(20), Role::Dim, &item.note);
        }
        PickerKind::Relabel(_) | PickerKind::Tag(_) | PickerKind::Settle { .. } => {
            let side = text::width(&item.side) as u16 + 1;
            paint.put_right(area.right(), area.y, 12, Role::Dim, &item.side);
            let given = model.row().and_then(|row| model.class(row.label)) == Some(item.name.as_str());
            let role = if given { Role::Given } else { Role::Text };
            paint.put(x, area.y, area.right().saturating_sub(x + side), role, &item.name);
        }
    }
}
