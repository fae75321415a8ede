//! Pages that are worked in.

mod confusion;
mod detectors;
mod histogram;
mod log;
mod statistics;

use super::paint::Paint;
use crate::action::Action;
use crate::model::{Model, Panel, PanelKind};
use crate::text;
use crate::theme::Role;
use ratatui::layout::{Position, Rect};

/// Draws a page. Returns where a text cursor belongs.
pub(super) fn page(model: &Model, panel: &Panel, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    match panel.kind {
        PanelKind::Histogram => histogram::page(model, area, paint),
        PanelKind::Confusion => confusion::page(model, area, paint),
        PanelKind::Detectors => return detectors::page(model, panel, area, paint),
        PanelKind::Statistics => lines(model, panel, statistics::lines(model, area.width), area, paint),
        PanelKind::Log => log::page(model, area, paint),
    }
    None
}

/// Keys that work in a page, for the last line.
pub(super) fn keys(panel: &Panel) -> Vec<Action> {
    use Action as A;
    if panel.editing.is_some() {
        return vec![A::PromptAccept, A::PromptCancel];
    }
    match panel.kind {
        PanelKind::Histogram => {
            let move_it = [A::PanelClose, A::PanelLeft, A::PanelRight, A::PanelNext, A::PanelAccept];
            move_it.into_iter().chain([A::PanelReset, A::PanelScale, A::PanelRun]).collect()
        }
        PanelKind::Confusion => {
            vec![A::PanelClose, A::PanelAccept, A::PanelNext, A::PanelPrevious, A::PanelStart]
        }
        PanelKind::Detectors => vec![
            A::PanelClose,
            A::PanelNext,
            A::PanelLeft,
            A::PanelRight,
            A::PanelAccept,
            A::PanelReset,
            A::PanelRun,
            A::PanelCancelJob,
        ],
        PanelKind::Statistics | PanelKind::Log => {
            vec![A::PanelClose, A::PanelDown, A::PanelUp, A::PanelStart, A::PanelEnd]
        }
    }
}

/// Draws lines of pieces, scrolled.
fn lines(model: &Model, panel: &Panel, lines: Vec<Vec<(Role, String)>>, area: Rect, paint: &mut Paint<'_>) {
    debug_assert!(panel.editing.is_none());
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
pub(super) fn bar_text(model: &Model, share: f64, cells: usize) -> String {
    let full = (share.clamp(0.0, 1.0) * cells as f64).round() as usize;
    let (on, off) = (model.theme.glyph(Role::BarFull), model.theme.glyph(Role::BarEmpty));
    format!("{}{} {:.0} %", on.repeat(full), off.repeat(cells - full), share * 100.0)
}

/// A part of a whole in percent; a dash where there is no whole.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{:.0} %", part as f64 * 100.0 / whole as f64) }
}

/// Says that something is on its way, in the middle of an area.
fn waiting(area: Rect, words: &str, paint: &mut Paint<'_>) {
    let lines = text::wrap(words, usize::from(area.width));
    for (at, line) in lines.iter().enumerate().take(usize::from(area.height)) {
        let y = area.y + area.height / 3 + at as u16;
        if y < area.bottom() {
            paint.put(area.x + 1, y, area.width.saturating_sub(1), Role::Dim, line);
        }
    }
}

/// A page in plain lines.
pub(super) fn spoken(model: &Model, panel: &Panel) -> Vec<String> {
    match panel.kind {
        PanelKind::Histogram => histogram::spoken(model),
        PanelKind::Confusion => confusion::spoken(model),
        PanelKind::Detectors => detectors::spoken(model),
        PanelKind::Statistics => {
            let lines = statistics::lines(model, 80).into_iter();
            lines.map(|line| line.into_iter().map(|(_, words)| words).collect()).collect()
        }
        PanelKind::Log => model.jobs.log.iter().map(|line| text::safe(line).into_owned()).collect(),
    }
}
