//! The log, newest at the bottom, including problems.

use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::model::{Model, Page};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use crate::update::panels;
use crate::view::blocks::{inner, waiting};
use ratatui::layout::{Position, Rect};

/// The log.
pub(super) struct Log;

impl Page for Log {
    fn name(&self) -> &'static str {
        "log"
    }

    fn scope(&self) -> Scope {
        Scope::Panel
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Log]
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        panels::READING.to_vec()
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let area = inner(area);
        let width = usize::from(area.width);
        let mut lines: Vec<(Role, String)> = Vec::new();
        for line in &model.jobs.log {
            lines.extend(text::wrap(line, width).into_iter().map(|line| (Role::Text, line)));
        }
        if !model.jobs.troubles.is_empty() {
            lines.push((Role::Title, "Problems".to_owned()));
            for (about, message) in &model.jobs.troubles {
                let sign = model.display.theme.glyph(Role::Warning);
                let wrapped = text::wrap(&format!("{sign} {about}: {message}"), width);
                lines.extend(wrapped.into_iter().map(|line| (Role::Warning, line)));
            }
        }
        if lines.is_empty() {
            waiting(area, "the log is empty", paint);
            return None;
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
        None
    }

    fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
        panels::open(model, &Log, fx);
    }

    fn act(&self, model: &mut Model, action: Action, _fx: &mut Effects) -> bool {
        let Some(down) = panels::scrolled(model, action) else { return false };
        // It stays at its end, where new lines arrive.
        panels::scroll(model, down.saturating_neg());
        true
    }

    fn plain_lines(&self, model: &Model) -> Vec<String> {
        model.jobs.log.iter().map(|line| text::safe(line).into_owned()).collect()
    }
}
