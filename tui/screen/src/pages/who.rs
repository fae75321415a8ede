//! Everything that reviewers said about the sample under the cursor.

use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::model::{Model, Page};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use crate::update::panels;
use crate::view::blocks::{self, inner, waiting};
use crate::view::sample::minute;
use chaffinch_protocol::{Detail, DetailEntry};
use ratatui::layout::{Position, Rect};

/// Who said what about a sample.
pub(super) struct Who;

impl Page for Who {
    fn name(&self) -> &'static str {
        "who"
    }

    fn scope(&self) -> Scope {
        Scope::Panel
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Who]
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        panels::READING.to_vec()
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let area = inner(area);
        match detail(model) {
            Some(detail) => blocks::lines(model, &lines(model, detail, area.width), area, paint),
            None => waiting(area, "reading what was said about the sample…", paint),
        }
        None
    }

    fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
        panels::open(model, &Who, fx);
    }

    fn act(&self, model: &mut Model, action: Action, _fx: &mut Effects) -> bool {
        panels::read(model, action)
    }

    fn plain_lines(&self, model: &Model) -> Vec<String> {
        let Some(detail) = detail(model) else { return Vec::new() };
        let lines = lines(model, detail, 100).into_iter();
        lines.map(|line| line.into_iter().map(|(_, words)| words).collect()).collect()
    }
}

/// What is known of the sample under the cursor.
fn detail(model: &Model) -> Option<&Detail> {
    model.details.get(model.sample()?)
}

type Line = Vec<(Role, String)>;

fn lines(model: &Model, detail: &Detail, width: u16) -> Vec<Line> {
    let path = text::fit_middle(&detail.row.path, usize::from(width)).into_owned();
    let mut lines = vec![vec![(Role::Title, path)]];
    if detail.history.is_empty() {
        let blind = model.session.as_ref().is_some_and(|session| session.blind.is_some());
        let words = match blind {
            true => "you have said nothing about this sample yet; what others said is hidden",
            false => "nothing was said about this sample yet",
        };
        lines.push(vec![(Role::Dim, words.to_owned())]);
        return lines;
    }
    lines.push(vec![(Role::Dim, "latest first; times are UTC".to_owned())]);
    let widest = detail.history.iter().map(|entry| text::width(&entry.reviewer)).max().unwrap_or(0).min(20);
    lines.extend(detail.history.iter().map(|entry| line(entry, widest)));
    lines
}

fn line(entry: &DetailEntry, widest: usize) -> Line {
    let by = text::fit(&entry.reviewer, widest).into_owned();
    let pad = " ".repeat(widest.saturating_sub(text::width(&by)));
    let role = match entry.decides {
        _ if entry.undone => Role::Dim,
        true => Role::Text,
        false => Role::Dim,
    };
    let mut line = vec![
        (Role::Dim, format!("{}  ", minute(&entry.at))),
        (Role::Given, format!("{by}{pad}  ")),
        (role, entry.words.clone()),
    ];
    if entry.adjudicates {
        line.push((Role::Info, "   adjudicated".to_owned()));
    }
    if entry.undone {
        line.push((Role::Dim, "   undone since".to_owned()));
    }
    line
}
