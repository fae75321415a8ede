//! What was left out, guessed or is doubtful about the dataset.

use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::model::{Model, Page};
use crate::paint::Paint;
use crate::text::{self, count, counted};
use crate::theme::Role;
use crate::update::panels;
use crate::view::blocks::{self, inner};
use chaffinch_protocol::Ledger;
use ratatui::layout::{Position, Rect};

/// How the dataset was read.
pub(super) struct Reading;

impl Page for Reading {
    fn name(&self) -> &'static str {
        "reading"
    }

    fn scope(&self) -> Scope {
        Scope::Panel
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Reading]
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        panels::READING.to_vec()
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let area = inner(area);
        blocks::lines(model, &lines(model, usize::from(area.width)), area, paint);
        None
    }

    fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
        panels::open(model, &Reading, fx);
    }

    fn act(&self, model: &mut Model, action: Action, _fx: &mut Effects) -> bool {
        panels::read(model, action)
    }

    fn plain_lines(&self, model: &Model) -> Vec<String> {
        let lines = lines(model, usize::MAX).into_iter();
        lines.map(|line| line.into_iter().map(|(_, words)| words).collect()).collect()
    }
}

type Line = Vec<(Role, String)>;

fn lines(model: &Model, width: usize) -> Vec<Line> {
    let Some(session) = &model.session else { return Vec::new() };
    let Ledger { found, left_out, remarks, .. } = &session.reading;
    let mut lines = vec![vec![(Role::Title, "How the dataset was read".to_owned())]];
    let files = match *found {
        0 => counted(session.samples, "sample", "samples"),
        found => format!(
            "{} found: {}, {} left out",
            count(found),
            counted(session.samples, "sample", "samples"),
            count(*left_out)
        ),
    };
    lines.push(vec![(Role::Text, format!("  {files}"))]);
    for (title, role, serious) in
        [("Look at these first", Role::Warning, true), ("For your information", Role::Text, false)]
    {
        let mut told = remarks.iter().filter(|remark| remark.kind.is_serious() == serious).peekable();
        if told.peek().is_none() {
            continue;
        }
        lines.push(Vec::new());
        lines.push(vec![(Role::Title, title.to_owned())]);
        for remark in told {
            for (at, line) in text::wrap(&remark.text, width.saturating_sub(4)).into_iter().enumerate() {
                let start = if at == 0 { "  - " } else { "    " };
                lines.push(vec![(role, format!("{start}{line}"))]);
            }
        }
    }
    if remarks.is_empty() {
        lines.push(Vec::new());
        lines.push(vec![(Role::Dim, "  nothing was left out, and nothing had to be guessed".to_owned())]);
    }
    lines
}
