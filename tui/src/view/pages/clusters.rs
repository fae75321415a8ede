//! The clusters of a class: above who stands for each, below who is farthest from that.

use super::grid::gutter;
use crate::model::{Cells, Model, Screen, Shot};
use crate::text;
use crate::theme::Role;
use crate::view::paint::Paint;
use crate::view::picture;
use ratatui::layout::Rect;

/// Lines above the pictures.
const HEAD: u16 = 2;

/// The cells: a column for each cluster.
pub(super) fn cells(model: &Model) -> Option<Cells> {
    let count = known(model)?;
    let body = Screen::of(model.size).body;
    let area = Rect { y: body.y + HEAD, height: body.height.checked_sub(HEAD)?, ..body };
    Some(Cells::exactly(area, count as u16, 2, if model.views.bare { 1 } else { 2 }))
}

/// Clusters of the class that is wanted, once they are there.
fn known(model: &Model) -> Option<usize> {
    let medoids = &model.views.medoids;
    let here = medoids.known.is_some_and(|(class, _)| Some(class) == medoids.class);
    Some(medoids.clusters.len()).filter(|count| here && *count > 0)
}

pub(super) fn shots(model: &Model) -> Vec<Shot> {
    let Some(cells) = cells(model) else { return Vec::new() };
    let row = |cell: usize| Some((cell, model.views.medoids.at(cell)?.sample));
    let all = (0..cells.count()).filter_map(row);
    all.map(|(cell, sample)| Shot::in_cell(cell, sample, cells.picture(cell))).collect()
}

pub(super) fn draw(model: &Model, paint: &mut Paint<'_>) {
    let body = Screen::of(model.size).body;
    let medoids = &model.views.medoids;
    let line = Rect { x: body.x + 1, height: 1, width: body.width.saturating_sub(2), ..body };
    let name = model.class(medoids.class).unwrap_or("?").to_owned();
    let classes = model.session.as_ref().map_or(0, |session| session.classes.len());
    let of = format!(" · class {} of {classes}", medoids.class.unwrap_or(0) + 1);
    paint.pieces(line, &[(Role::Title, &name), (Role::Dim, &of)]);
    let Some(cells) = cells(model) else {
        let here = medoids.known.is_some_and(|(class, _)| Some(class) == medoids.class);
        let words = if here { medoids.note.as_str() } else { "looking for the clusters…" };
        return picture::note(body, Role::Dim, words, paint);
    };
    paint.put(line.x, line.y + 1, line.width, Role::Dim, &medoids.note);
    for shot in shots(model) {
        super::shot(model, &shot, paint);
    }
    for cell in 0..cells.count() {
        let Some(row) = medoids.at(cell) else { continue };
        let here = cell == medoids.cursor;
        gutter(model, &cells, cell, row, (here, model.marks.contains(&row.sample)), paint);
        let area = cells.caption(cell);
        let count = medoids.clusters.len();
        let words = match medoids.clusters.get(cell) {
            Some(cluster) => (
                format!("{} · {} pictures", cell + 1, text::count(cluster.size)),
                format!("{} suspects · mean {:.2}", text::count(cluster.suspects), cluster.mean),
            ),
            None => (
                format!("{} · farthest", cell - count + 1),
                row.path.rsplit('/').next().unwrap_or_default().to_owned(),
            ),
        };
        paint.put(area.x, area.y, area.width.saturating_sub(1), Role::Text, &words.0);
        if area.height > 1 {
            paint.put(area.x, area.y + 1, area.width.saturating_sub(1), Role::Dim, &words.1);
        }
        if here {
            paint.buffer.set_style(Rect { height: 1, ..area }, paint.style(Role::Cursor));
        }
    }
    super::info(model, paint);
}
