//! Two lines about a sample, if there is no room for more: its labels and why it is listed, and its likely
//! classes with bars for how much it looks like them.

use crate::model::Model;
use crate::paint::Paint;
use crate::theme::Role;
use crate::view::sample;
use chaffinch_protocol::Candidate;
use ratatui::layout::Rect;

/// Cells of a bar.
const BAR: u16 = 6;
/// Cells of a class with its number and bar.
const CLASS: u16 = 21;

/// Draws the two lines.
pub(super) fn lines(model: &Model, area: Rect, paint: &mut Paint<'_>) {
    let Some(row) = model.row() else { return };
    let line = |y: u16| Rect { x: area.x + 1, y, width: area.width.saturating_sub(2), height: 1 };
    let labels = sample::labels(model, row, line(area.y).width);
    let pieces: Vec<(Role, &str)> = labels.iter().map(|(role, words)| (*role, words.as_str())).collect();
    let first = line(area.y);
    let x = paint.pieces(first, &pieces);
    let Some(detail) = model.details.get(row.sample) else { return };
    let why = detail.issues.iter().find(|issue| issue.flagged && !issue.reason.is_empty());
    if let Some(issue) = why {
        paint.put(x + 2, area.y, first.right().saturating_sub(x + 2), Role::Dim, &issue.reason);
    }
    let second = line(area.y + 1);
    let most = usize::from(second.width / CLASS).min(9);
    for (index, chosen) in detail.candidates.iter().take(most).enumerate() {
        let x = second.x + index as u16 * CLASS;
        candidate(model, index + 1, *chosen, Rect { x, width: CLASS - 1, ..second }, paint);
    }
}

/// One class with its number and its bar.
pub(crate) fn candidate(
    model: &Model,
    number: usize,
    Candidate { class, likeness }: Candidate,
    area: Rect,
    paint: &mut Paint<'_>,
) {
    let row = model.row();
    let role = match row {
        Some(row) if row.label == Some(class) => Role::Given,
        Some(row) if row.suggested == Some(class) => Role::Suggested,
        _ => Role::Text,
    };
    let name_room = area.width.saturating_sub(2 + BAR);
    let digit = if number > 0 { number.to_string() } else { " ".to_owned() };
    paint.put(area.x, area.y, 1, Role::Key, &digit);
    paint.put(area.x + 2, area.y, name_room.saturating_sub(1), role, model.class(Some(class)).unwrap_or("?"));
    let bar = Rect { x: area.x + 2 + name_room, width: BAR, height: 1, ..area };
    if let Some(likeness) = likeness {
        paint.bar(bar, likeness, None, Role::BarFull);
    }
}
