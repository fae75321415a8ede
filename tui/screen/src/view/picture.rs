//! Pictures: the sample's own, and the strip of samples it is compared with.

use crate::model::{Layout, Model, Shot, Shown, related};
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
        Some(Shown::Failed(why)) => note(area, Role::Error, &no_picture(why), paint),
        None => {}
    }
}

/// Why there is no picture, as a person would say it.
pub(crate) fn no_picture(why: &str) -> String {
    // What the system says of a file that is not there.
    if why.contains("(os error 2)") {
        return "the file is gone; gs rescans".to_owned();
    }
    format!("no picture: {why}")
}

/// Draws the neighbors with their labels below them.
pub(crate) fn strip(model: &Model, layout: &Layout, paint: &mut Paint<'_>) {
    let Some(detail) = model.sample().and_then(|sample| model.details.get(sample)) else { return };
    // Without pictures the same labels are in the list of similar samples.
    if layout.thumbs == 0 || !model.display.pictures_on || model.time.now < model.time.hold_until {
        return;
    }
    let related = related(detail);
    for (index, (kind, other)) in related.iter().take(usize::from(layout.thumbs)).enumerate() {
        let area = layout.thumb(index as u16);
        if let Some(Shown::Ready(encoded)) = model.pictures.get((other.sample, area.as_size())) {
            blit(model, encoded, area, paint);
        }
        let same = other.label == detail.row.label;
        let label = model.class(other.label).unwrap_or("–");
        // What it would stand beside.
        let label = if *kind == "suggested" { format!("→ {label}") } else { label.to_owned() };
        let role = if same { Role::Dim } else { Role::Suggested };
        paint.put(area.x, area.bottom(), area.width, role, &label);
        if model.views.look.chosen == Some(index) {
            let line = Rect { y: area.bottom(), height: 1, ..area };
            paint.buffer.set_style(line, paint.style(Role::Selected));
        }
    }
}

/// Pictures that the terminal itself is to show, over which cells, the one under the cursor first. A window over them
/// takes only the cells that it covers: what is decided in it is about the picture.
pub(crate) fn wanted(model: &Model, windows: &[Rect]) -> Vec<Wanted> {
    let (Some(_), Some((protocol, _))) = (model.row(), model.display.target) else { return Vec::new() };
    if !model.display.pictures_on || model.time.now < model.time.hold_until || model.is_blank() {
        return Vec::new();
    }
    let ready = |shot: Shot| match model.pictures.get(shot.key) {
        Some(Shown::Ready(encoded)) if !encoded.graphics.is_empty() => {
            let area = middle(encoded, shot.area);
            let parts = apart(area, windows);
            // A picture made of cells is whole or not there.
            let hidden = parts.is_empty() || protocol.in_cells() && parts != [area];
            (!hidden).then(|| Wanted { slot: shot.slot, area, parts, graphics: encoded.graphics.clone() })
        }
        _ => None,
    };
    model.views.page.visible(model).into_iter().filter_map(ready).collect()
}

/// What is left of an area beside windows over it.
fn apart(area: Rect, windows: &[Rect]) -> Vec<Rect> {
    let mut parts = vec![area];
    for window in windows {
        parts = parts.into_iter().flat_map(|part| beside(part, *window)).collect();
    }
    parts
}

/// Above, left of, right of and below a window.
fn beside(part: Rect, window: Rect) -> Vec<Rect> {
    let hole = part.intersection(window);
    if hole.area() == 0 {
        return vec![part];
    }
    let rows = |top: u16, bottom: u16| Rect { y: top, height: bottom - top, ..part };
    let columns = |left: u16, right: u16| Rect { x: left, width: right - left, ..hole };
    let all = [
        rows(part.top(), hole.top()),
        columns(part.left(), hole.left()),
        columns(hole.right(), part.right()),
        rows(hole.bottom(), part.bottom()),
    ];
    all.into_iter().filter(|rest| rest.area() > 0).collect()
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
    if encoded.graphics.iter().any(|graphic| model.display.held.contains(&graphic.key)) {
        // The terminal shows it over these cells, so what stands in them is not seen; blanks take the fewest bytes.
        let cells = middle(encoded, area).intersection(paint.buffer.area);
        cells.positions().for_each(|position| paint.buffer[position].reset());
        return;
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rect() -> impl Strategy<Value = Rect> {
        (0_u16..30, 0_u16..20, 1_u16..30, 1_u16..20).prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
    }

    proptest! {
        #[test]
        fn every_cell_is_in_one_part_or_under_a_window(area in rect(), windows in prop::collection::vec(rect(), 0..4)) {
            let parts = apart(area, &windows);
            for cell in area.positions() {
                let covered = windows.iter().any(|window| window.contains(cell));
                let held = parts.iter().filter(|part| part.contains(cell)).count();
                prop_assert_eq!(held, usize::from(!covered), "{:?}", cell);
            }
            prop_assert!(parts.iter().all(|part| part.intersection(area) == *part));
        }
    }
}
