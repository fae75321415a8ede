//! The samples on which reviewers disagree, walked like the list: a decision settles what they decided differently.

use super::list::List;
use crate::action::Action;
use crate::effect::Effects;
use crate::model::{Anchor, Level, Model, Page, Shot};
use crate::paint::Paint;
use crate::update::{motion, say, show};
use chaffinch_protocol::Query;
use ratatui::layout::{Position, Rect};

/// The filter that lists them.
const DISPUTED: &str = "is:disputed";

/// The conflicts.
pub(super) struct Conflicts;

impl Page for Conflicts {
    fn name(&self) -> &'static str {
        "conflicts"
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Conflicts]
    }

    fn is_base(&self) -> bool {
        true
    }

    fn is_over_the_list(&self) -> bool {
        true
    }

    fn adjudicates(&self) -> bool {
        true
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        use Action as A;
        vec![
            A::Keep,
            A::Remove,
            A::Relabel,
            A::Unsure,
            A::Down,
            A::Help,
            A::Back,
            A::Undo,
            A::Who,
            A::AcceptSuggestion,
            A::Up,
            A::Compare,
        ]
    }

    fn meaning(&self, model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        Some(match action {
            Action::Keep => ("keep", "Settle the conflict: keep the sample, go to the next one"),
            Action::Remove => ("remove", "Settle the conflict: remove the sample, go to the next one"),
            Action::Relabel => ("relabel…", "Settle the conflict: type part of the class name"),
            Action::Unsure => ("unsure", "Settle the conflict as unsure and go to the next one"),
            Action::Conflicts => ("list", "Go back to the list"),
            other => return List.meaning(model, other),
        })
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        List.draw(model, area, paint)
    }

    fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
        if show::is_open(model, &Conflicts) {
            return show::close(model);
        }
        let Some(session) = &model.session else { return };
        if session.blind.is_some() {
            return say(model, Level::Warning, "in a blind review nothing is seen of what others decided");
        }
        if session.disputed == 0 {
            let words = match session.reviewers.len() {
                0 | 1 => "you are the only reviewer of this session so far",
                _ => "reviewers disagree on no sample",
            };
            return say(model, Level::Info, words);
        }
        if model.views.borrowed.is_none() {
            model.views.borrowed = Some((&Conflicts, model.list.query.clone()));
        }
        show::show(model, &Conflicts);
        let query = Query { filter: DISPUTED.to_owned(), all: true, ..Query::default() };
        motion::relist(model, query, Anchor::Top, fx);
        say(model, Level::Info, "what you decide here settles the conflict");
    }

    fn act(&self, model: &mut Model, action: Action, fx: &mut Effects) -> bool {
        List.act(model, action, fx)
    }

    fn click(&self, model: &mut Model, x: u16, y: u16) {
        List.click(model, x, y);
    }

    /// The next conflict, in the order of the list: one that was settled stays in it until the page is opened again.
    fn advance(&self, model: &mut Model, _fx: &mut Effects) -> bool {
        let row = model.list.cursor;
        if row + 1 < model.list.total {
            motion::go(model, row + 1);
        }
        true
    }

    fn shots(&self, model: &Model) -> Vec<Shot> {
        List.shots(model)
    }

    fn pictures(&self, model: &mut Model, fx: &mut Effects) -> bool {
        List.pictures(model, fx)
    }

    fn pan_area(&self, model: &Model) -> Option<(u32, u32)> {
        List.pan_area(model)
    }

    fn cursor_cell(&self, model: &Model) -> Position {
        List.cursor_cell(model)
    }
}
