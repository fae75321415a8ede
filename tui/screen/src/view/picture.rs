//! Pictures: the sample's own, and the strip of samples it is compared with.

use crate::model::{Layout, Mode, Model, Shot, Shown, related};
use crate::paint::Paint;
use crate::picture::{Encoded, kitty};
use crate::terminal::placements::Wanted;
use crate::text;
use crate::theme::Role;
use ratatui::layout::Rect;

/// Draws the picture of the sample under the cursor.
pub(crate) fn main(model: &Model, layout: &Layout, paint: &mut Paint<'_>) {
    let area = layout.picture;
    let Some(row) = model.row() else { return };
    if !model.display.pictures_on {
        return note(area, Role::Dim, "pictures are off", paint);
    }
    // While the cursor travels a picture would only be in the way of the next key.
    if model.time.now < model.time.hold_until {
        return;
    }
    match model.pictures.get(model.main_key(row.sample, area.as_size())) {
        Some(Shown::Ready(encoded)) => blit(model, encoded, area, paint),
        Some(Shown::Failed(why)) => note(area, Role::Error, &format!("no picture: {why}"), paint),
        None => {}
    }
}

/// Draws the neighbors with their labels below them.
pub(crate) fn strip(model: &Model, layout: &Layout, paint: &mut Paint<'_>) {
    let Some(detail) = model.sample().and_then(|sample| model.details.get(sample)) else { return };
    // Without pictures the same labels are in the list of similar samples.
    if layout.thumbs == 0 || !model.display.pictures_on || model.time.now < model.time.hold_until {
        return;
    }
    let related = related(detail);
    for (index, (_, other)) in related.iter().take(usize::from(layout.thumbs)).enumerate() {
        let area = layout.thumb(index as u16);
        if let Some(Shown::Ready(encoded)) = model.pictures.get((other.sample, area.as_size())) {
            blit(model, encoded, area, paint);
        }
        let same = other.label == detail.row.label;
        let label = model.class(other.label).unwrap_or("–");
        let role = if same { Role::Dim } else { Role::Suggested };
        paint.put(area.x, area.bottom(), area.width, role, label);
        if model.views.look.chosen == Some(index) {
            let line = Rect { y: area.bottom(), height: 1, ..area };
            paint.buffer.set_style(line, paint.style(Role::Selected));
        }
    }
}

/// Pictures that the terminal itself is to show, over which cells, the one under the cursor first. None of them
/// while a window lies over the list: it would lie under the picture.
pub(crate) fn wanted(model: &Model) -> Vec<Wanted> {
    let covered = !model.pending.is_empty()
        || matches!(model.mode, Mode::Panel(_) | Mode::Picker(_) | Mode::Confirm(_));
    let (Some(_), Some(_)) = (model.row(), model.display.target) else { return Vec::new() };
    if covered
        || !model.display.pictures_on
        || model.time.now < model.time.hold_until
        || model.layout().top.area() == 0
    {
        return Vec::new();
    }
    let ready = |shot: Shot| match model.pictures.get(shot.key) {
        Some(Shown::Ready(encoded)) if !encoded.graphics.is_empty() => Some(Wanted {
            slot: shot.slot,
            area: middle(encoded, shot.area),
            graphics: encoded.graphics.clone(),
        }),
        _ => None,
    };
    model.views.page.visible(model).into_iter().filter_map(ready).collect()
}

/// The cells of a picture in the middle of an area.
pub(crate) fn middle(encoded: &Encoded, area: Rect) -> Rect {
    let (width, height) = (encoded.width.min(area.width), encoded.height.min(area.height));
    let (x, y) = (area.x + (area.width - width) / 2, area.y + (area.height - height) / 2);
    Rect { x, y, width, height }
}

/// Puts a picture into the middle of an area.
pub(crate) fn blit(model: &Model, encoded: &Encoded, area: Rect, paint: &mut Paint<'_>) {
    if encoded.width == 0 {
        return;
    }
    let Rect { x: left, y: top, .. } = middle(encoded, area);
    let live = encoded.graphics.iter().rev().find_map(|graphic| model.display.live.get(&graphic.key));
    if let Some(id) = live {
        for (row, y) in (top..area.bottom()).enumerate().take(usize::from(encoded.height)) {
            for (column, x) in (left..area.right()).enumerate().take(usize::from(encoded.width)) {
                paint.buffer[(x, y)] = kitty::placeholder(*id, row as u16, column as u16);
            }
        }
        return;
    }
    for (y, cells) in encoded.cells.chunks(usize::from(encoded.width)).enumerate() {
        for (x, cell) in cells.iter().enumerate() {
            let (x, y) = (left + x as u16, top + y as u16);
            if x < area.right() && y < area.bottom() {
                paint.buffer[(x, y)] = cell.clone();
            }
        }
    }
}

/// Text in place of a picture.
pub(crate) fn note(area: Rect, role: Role, words: &str, paint: &mut Paint<'_>) {
    let lines = text::wrap(words, usize::from(area.width.saturating_sub(4)));
    let top = area.y + area.height.saturating_sub(lines.len() as u16) / 2;
    for (at, line) in lines.iter().enumerate() {
        let y = top + at as u16;
        if y < area.bottom() {
            let x = area.x + area.width.saturating_sub(text::width(line) as u16) / 2;
            paint.put(x, y, area.right() - x, role, line);
        }
    }
}
