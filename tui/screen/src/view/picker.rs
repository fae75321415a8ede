//! Pickers: help, palette, classes, tags.

use super::message;
use crate::model::{Model, Picker, PickerKind, PickerLine};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use ratatui::layout::{Position, Rect};

/// The title of a picker.
fn title(picker: &Picker) -> String {
    match &picker.kind {
        PickerKind::Help => "keys: type to find".to_owned(),
        PickerKind::Palette => "run an action".to_owned(),
        PickerKind::Theme => "theme".to_owned(),
        PickerKind::Relabel(samples) => relabel_title(samples.len()),
        PickerKind::Settle { remove, .. } => {
            format!("the labels differ: which is right for all {}?", remove.len() + 1)
        }
        PickerKind::KeepBy { samples, .. } => {
            let removed = text::counted(samples.len().saturating_sub(1) as u64, "other", "others");
            format!("keep one by which rule? {removed} removed")
        }
        PickerKind::Tag(samples) if samples.len() > 1 => format!("tag {} samples", samples.len()),
        PickerKind::Tag(_) => "tag".to_owned(),
    }
}

/// Draws a picker over the screen. Returns where the text cursor belongs.
pub(crate) fn picker(model: &Model, picker: &Picker, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
    let inner = paint.window(model.picker_frame(picker, area), &title(picker));
    if inner.height < 2 {
        return None;
    }
    let x = paint.put(inner.x, inner.y, 2, Role::Key, "› ");
    let cursor =
        message::line(&picker.line, Rect { x, width: inner.right() - x, height: 1, y: inner.y }, paint);
    let rows = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
    let typed = text::safe(picker.line.text.trim()).into_owned();
    let row = (picker.kind == PickerKind::Palette).then(|| model.row_named(&typed)).flatten();
    if picker.found.is_empty() || row.is_some() {
        let words = match (&picker.kind, row) {
            (_, Some(row)) => {
                format!("Enter goes to row {} of {}", text::count(row + 1), text::count(model.list.total))
            }
            _ => "nothing matches".to_owned(),
        };
        paint.put(rows.x, rows.y, rows.width, Role::Dim, &words);
        return Some(cursor);
    }
    for (line, y) in picker.lines(usize::from(rows.height)).into_iter().zip(rows.top()..rows.bottom()) {
        let area = Rect { y, height: 1, ..rows };
        match line {
            PickerLine::Blank => {}
            PickerLine::Heading(words) => {
                paint.put(area.x, y, area.width, Role::Title, words);
            }
            PickerLine::Item(place) => {
                item_line(model, picker, &picker.items[picker.found[place]], area, paint);
                if place == picker.selected {
                    paint.put(rows.x, y, 1, Role::Selected, paint.theme.glyph(Role::Selected));
                    paint.buffer.set_style(area, paint.style(Role::Selected));
                }
            }
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
        PickerKind::KeepBy { .. } => {
            let next = paint.put(x, area.y, 14, Role::Text, &item.name).max(x + 14);
            let room = area.right().saturating_sub(next + 1);
            paint.put(next + 1, area.y, room, Role::Dim, &item.note);
        }
        PickerKind::Relabel(_) | PickerKind::Tag(_) | PickerKind::Settle { .. } | PickerKind::Theme => {
            let side = text::width(&item.side) as u16 + 1;
            paint.put_right(area.right(), area.y, 12, Role::Dim, &item.side);
            let given = model.row().and_then(|row| model.class(row.label)) == Some(item.name.as_str());
            let role = if given { Role::Given } else { Role::Text };
            paint.put(x, area.y, area.right().saturating_sub(x + side), role, &item.name);
        }
    }
}
