//! Pictures: the sample's own, and the strip of samples it is compared with.

use super::paint::Paint;
use crate::model::{Layout, Model, Shown};
use crate::picture::Encoded;
use crate::text;
use crate::theme::Role;
use ratatui::layout::Rect;

/// Draws the picture of the sample under the cursor.
pub(super) fn main(model: &Model, layout: &Layout, paint: &mut Paint<'_>) {
    let area = layout.picture;
    let Some(row) = model.row() else { return };
    if !model.pictures_on {
        return note(area, Role::Dim, "pictures are off", paint);
    }
    // While the cursor travels a picture would only be in the way of the next key.
    if model.now < model.hold_until {
        return;
    }
    match model.pictures.get((row.sample, area.as_size())) {
        Some(Shown::Ready(encoded)) => blit(encoded, area, paint),
        Some(Shown::Failed(why)) => note(area, Role::Error, &format!("no picture: {why}"), paint),
        None => {}
    }
}

/// Draws the neighbours with their labels below them.
pub(super) fn strip(model: &Model, layout: &Layout, paint: &mut Paint<'_>) {
    let Some(detail) = model.sample().and_then(|sample| model.details.get(sample)) else { return };
    if layout.thumbs == 0 || model.now < model.hold_until {
        return;
    }
    let related = super::related(detail);
    for (place, (_, other)) in related.iter().take(usize::from(layout.thumbs)).enumerate() {
        let area = layout.thumb(place as u16);
        if let Some(Shown::Ready(encoded)) = model.pictures.get((other.sample, area.as_size())) {
            blit(encoded, area, paint);
        }
        let same = other.label == detail.row.label;
        let label = model.class(other.label).unwrap_or("–");
        let role = if same { Role::Dim } else { Role::Suggested };
        paint.put(area.x, area.bottom(), area.width, role, label);
    }
}

/// Puts a picture into the middle of an area.
fn blit(encoded: &Encoded, area: Rect, paint: &mut Paint<'_>) {
    if encoded.width == 0 {
        return;
    }
    let left = area.x + area.width.saturating_sub(encoded.width) / 2;
    let top = area.y + area.height.saturating_sub(encoded.height) / 2;
    for (y, cells) in encoded.cells.chunks(usize::from(encoded.width)).enumerate() {
        for (x, cell) in cells.iter().enumerate() {
            let (x, y) = (left + x as u16, top + y as u16);
            if x < area.right() && y < area.bottom() {
                paint.buffer[(x, y)] = cell.clone();
            }
        }
    }
}

/// Words where a picture would be.
fn note(area: Rect, role: Role, words: &str, paint: &mut Paint<'_>) {
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
