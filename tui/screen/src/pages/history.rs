//! The decisions in force, latest first.

use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::model::{Level, Mode, Model, Page};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use crate::update::{motion, panels, say};
use crate::view::blocks::{inner, waiting};
use crate::view::list::decision_role;
use chaffinch_protocol::{Overview, Overviewed, PastDecision};
use ratatui::layout::{Position, Rect};

/// What is known, and where the cursor is.
#[derive(Clone, Debug, Default)]
struct Past {
    known: Option<Vec<PastDecision>>,
    at: usize,
}

/// The history.
pub(super) struct History;

impl Page for History {
    fn name(&self) -> &'static str {
        "history"
    }

    fn scope(&self) -> Scope {
        Scope::Panel
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::History]
    }

    fn hints(&self, model: &Model) -> Vec<Action> {
        use Action as A;
        let past = model.views.kept.get::<Past>();
        match past.and_then(|past| past.known.as_ref()).is_none_or(Vec::is_empty) {
            true => vec![A::PanelClose],
            false => {
                vec![A::PanelClose, A::PanelAccept, A::PanelDown, A::PanelUp, A::PanelStart, A::PanelEnd]
            }
        }
    }

    fn meaning(&self, _model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        (action == Action::PanelAccept).then_some(("go there", "Go to the sample of the decision"))
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let area = inner(area);
        let past = model.views.kept.get::<Past>();
        let Some((known, at)) = past.and_then(|past| Some((past.known.as_ref()?, past.at))) else {
            waiting(area, "reading the decisions…", paint);
            return None;
        };
        if known.is_empty() {
            waiting(area, "nothing has been decided yet", paint);
            return None;
        }
        let by = &known[0].reviewer;
        let title = match known.iter().all(|past| past.reviewer == *by) {
            true => format!("Decisions of {by}, latest first (times are UTC)"),
            false => "Decisions in force, latest first (times are UTC)".to_owned(),
        };
        paint.put(area.x, area.y, area.width, Role::Title, &title);
        let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let page = usize::from(body.height).max(1);
        let first = at / page * page;
        for (place, y) in (first..known.len()).zip(body.top()..body.bottom()) {
            let row = Rect { y, height: 1, ..body };
            one(model, &known[place], row, paint);
            if place == at {
                paint.buffer.set_style(row, paint.style(Role::Selected));
            }
        }
        None
    }

    fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
        model.views.kept.change(|past: &mut Past| past.at = 0);
        panels::open(model, &History, fx);
    }

    fn act(&self, model: &mut Model, action: Action, fx: &mut Effects) -> bool {
        let page = page(model);
        let (at, last) = match model.views.kept.get::<Past>() {
            Some(past) => (past.at, past.known.as_ref().map_or(0, |known| known.len().saturating_sub(1))),
            None => (0, 0),
        };
        if action == Action::PanelAccept {
            go(model, at, fx);
            return true;
        }
        let Some(to) = panels::moved(action, at, page, last) else { return false };
        model.views.kept.change(|past: &mut Past| past.at = to);
        true
    }

    fn click(&self, model: &mut Model, _x: u16, y: u16) {
        let page = page(model);
        if let Some(line) = y.checked_sub(2) {
            model.views.kept.change(|past: &mut Past| {
                let last = past.known.as_ref().map_or(0, |known| known.len().saturating_sub(1));
                past.at = panels::shown_at(line, past.at, page, last);
            });
        }
    }

    fn forget_samples(&self, model: &mut Model) {
        model.views.kept.change(|past: &mut Past| past.known = None);
    }

    fn overview(&self, _model: &Model) -> Option<Overview> {
        Some(Overview::History)
    }

    fn overviewed(&self, model: &mut Model, overviewed: Overviewed) -> Option<Overviewed> {
        let Overviewed::History(known) = overviewed else { return Some(overviewed) };
        model.views.kept.change(|past: &mut Past| past.known = Some(known));
        None
    }

    fn plain_lines(&self, model: &Model) -> Vec<String> {
        let known = model.views.kept.get::<Past>().and_then(|past| past.known.clone()).unwrap_or_default();
        let line = |past: PastDecision| {
            format!(
                "{}: {}, {}, by {}",
                past.at,
                past.path,
                text::safe(&past.choice.to_string()),
                past.reviewer
            )
        };
        known.into_iter().map(line).collect()
    }
}

/// Lines of the history on one screen.
fn page(model: &Model) -> usize {
    usize::from(model.display.size.height.saturating_sub(4)).max(1)
}

fn one(model: &Model, past: &PastDecision, area: Rect, paint: &mut Paint<'_>) {
    let role = decision_role(Some(&past.choice));
    let minute: String = past.at.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect();
    let x = paint.put(area.x, area.y, 16, Role::Dim, &minute) + 2;
    let glyph = paint.theme.glyph(role).to_owned();
    let x = paint.put(x, area.y, 1, role, &glyph) + 1;
    let words = past.choice.to_string();
    let x = paint.put(x, area.y, 24, role, &words) + 2;
    // Where several decide, each line says who did, one's own lines too.
    let alone = model
        .session
        .as_ref()
        .is_some_and(|session| session.reviewers.len() < 2 && session.reviewer == past.reviewer);
    let by = if alone { String::new() } else { format!("by {}", past.reviewer) };
    let right = paint.put_right(area.right(), area.y, 20, Role::Dim, &by);
    let label = model.class(past.label).unwrap_or("–").to_owned();
    let x = paint.put(x, area.y, 16.min(right.saturating_sub(x)), Role::Given, &label) + 2;
    let room = right.saturating_sub(x + 1);
    paint.put(x, area.y, room, Role::Text, &text::fit_middle(&past.path, usize::from(room)));
}

/// Goes to the sample of a decision.
fn go(model: &mut Model, at: usize, fx: &mut Effects) {
    let chosen = model.views.kept.get::<Past>().and_then(|past| past.known.as_ref()?.get(at).cloned());
    let Some(past) = chosen else { return };
    model.mode = Mode::List;
    say(model, Level::Info, past.path);
    motion::go_to(model, past.sample, fx);
}
