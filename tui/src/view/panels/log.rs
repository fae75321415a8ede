//! The log, newest at the bottom, with what went wrong among it.

use super::super::paint::Paint;
use super::waiting;
use crate::model::Model;
use crate::text;
use crate::theme::Role;
use ratatui::layout::Rect;

pub(super) fn page(model: &Model, area: Rect, paint: &mut Paint<'_>) {
    let width = usize::from(area.width);
    let mut lines: Vec<(Role, String)> = Vec::new();
    for line in &model.jobs.log {
        lines.extend(text::wrap(line, width).into_iter().map(|line| (Role::Text, line)));
    }
    if !model.jobs.troubles.is_empty() {
        lines.push((Role::Title, "Troubles".to_owned()));
        for (about, message) in &model.jobs.troubles {
            let sign = model.theme.glyph(Role::Warning);
            let wrapped = text::wrap(&format!("{sign} {about}: {message}"), width);
            lines.extend(wrapped.into_iter().map(|line| (Role::Warning, line)));
        }
    }
    if lines.is_empty() {
        return waiting(area, "nothing was logged yet", paint);
    }
    let height = usize::from(area.height);
    let most = lines.len().saturating_sub(height);
    let up = usize::from(model.panels.scroll).min(most);
    let first = most - up;
    for (at, (role, line)) in lines.iter().skip(first).take(height).enumerate() {
        paint.put(area.x, area.y + at as u16, area.width, *role, line);
    }
    if up > 0 {
        paint.put_right(area.right(), area.bottom() - 1, area.width, Role::Dim, &format!("  ▾{up} "));
    }
}
