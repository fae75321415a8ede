//! Common parts of interactive pages: lines, bars, percentages and placeholders.

use crate::model::Model;
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use ratatui::layout::Rect;

/// A page without the columns at its borders.
pub(crate) fn inner(area: Rect) -> Rect {
    Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area }
}

/// Draws lines of pieces, scrolled.
pub(crate) fn lines(model: &Model, lines: &[Vec<(Role, String)>], area: Rect, paint: &mut Paint<'_>) {
    let most = lines.len().saturating_sub(usize::from(area.height));
    let first = usize::from(model.panels.scroll).min(most);
    for (at, line) in lines.iter().skip(first).take(usize::from(area.height)).enumerate() {
        let pieces: Vec<(Role, &str)> = line.iter().map(|(role, words)| (*role, words.as_str())).collect();
        paint.pieces(Rect { y: area.y + at as u16, height: 1, ..area }, &pieces);
    }
    if most > first {
        paint.put_right(
            area.right(),
            area.bottom() - 1,
            area.width,
            Role::Dim,
            &format!("  ▾{} ", most - first),
        );
    }
}

/// A bar as text.
pub(crate) fn bar_text(model: &Model, share: f64, cells: usize) -> String {
    let full = (share.clamp(0.0, 1.0) * cells as f64).round() as usize;
    let (on, off) = (model.display.theme.glyph(Role::BarFull), model.display.theme.glyph(Role::BarEmpty));
    format!("{}{} {:.0} %", on.repeat(full), off.repeat(cells - full), share * 100.0)
}

/// A percentage; a dash if the total is zero.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{:.0}%", part as f64 * 100.0 / whole as f64) }
}

/// A waiting message in the middle of an area.
pub(crate) fn waiting(area: Rect, words: &str, paint: &mut Paint<'_>) {
    let lines = text::wrap(words, usize::from(area.width));
    for (at, line) in lines.iter().enumerate().take(usize::from(area.height)) {
        let y = area.y + area.height / 3 + at as u16;
        if y < area.bottom() {
            paint.put(area.x + 1, y, area.width.saturating_sub(1), Role::Dim, line);
        }
    }
}
