//! What everything else asks of a page of the interface. The pages themselves, and how to add one, are in
//! [`crate::pages`].
//!
//! There are two sorts. A page of [`Scope::List`] shows samples: it fills the screen, its keys decide about the sample
//! under its cursor, and it is what [`super::Views::page`] names. A page of [`Scope::Panel`] or [`Scope::Pane`] lies over
//! that one, as [`super::Mode::Panel`], and is worked in or only read.

use super::{Cells, Model, Place, Shot};
use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::paint::Paint;
use chaffinch_core::protocol::{Overview, Overviewed, Row, ViewEvent};
use chaffinch_core::sample::SampleId;
use ratatui::layout::{Position, Rect};
use std::fmt;

/// A page in the registry.
pub type PageRef = &'static dyn Page;

/// One page. Only the first four have to be written; what the others do by default suits a page that has nothing of the
/// kind.
pub trait Page: Sync {
    /// Its name, in one word that no other page has.
    fn name(&self) -> &'static str;

    /// Keys that work in it, for the last line, the most useful first.
    fn hints(&self, model: &Model) -> Vec<Action>;

    /// Draws it between the first line and the last two. Returns where a text cursor belongs.
    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position>;

    /// Does one of [`Page::actions`]: opens it, or closes it where it is open.
    fn open(&self, model: &mut Model, action: Action, fx: &mut Effects);

    /// Which part of the keymap holds in it.
    fn scope(&self) -> Scope {
        Scope::List
    }

    /// Actions that are its own wherever they are asked for.
    fn actions(&self) -> &'static [Action] {
        &[]
    }

    /// Whether one of these is pointless where everything is told in lines.
    fn needs_pictures(&self, _action: Action) -> bool {
        false
    }

    /// Does an action in its own way while it is open. False leaves the action to its usual meaning.
    fn act(&self, _model: &mut Model, _action: Action, _fx: &mut Effects) -> bool {
        false
    }

    /// Takes the value that was typed into it.
    fn typed(&self, _model: &mut Model, _text: &str) {}

    /// Takes a click on a cell of the terminal.
    fn click(&self, _model: &mut Model, _x: u16, _y: u16) {}

    /// Takes the innermost thing back that was begun in it. Says whether there was one.
    fn back(&self, _model: &mut Model) -> bool {
        false
    }

    /// Asks the engine for what it shows and does not have. Called after every message while it is open.
    fn ask(&self, _model: &mut Model, _fx: &mut Effects) {}

    /// Takes the answer to such a question, or gives it back for another page to take. Called whatever is open.
    fn event(&self, _model: &mut Model, event: ViewEvent, _fx: &mut Effects) -> Option<ViewEvent> {
        Some(event)
    }

    /// What it wants counted over the whole dataset. Asked for when it opens and when the session changes.
    fn overview(&self, _model: &Model) -> Option<Overview> {
        None
    }

    /// Takes what was counted, or gives it back.
    fn overviewed(&self, _model: &mut Model, overviewed: Overviewed) -> Option<Overviewed> {
        Some(overviewed)
    }

    /// Forgets what it knows from the engine, because the dataset or what is known of it has changed.
    fn forget(&self, _model: &mut Model) {}

    /// Gives up on questions that were asked before `limit`, so that they are asked again.
    fn give_up(&self, _model: &mut Model, _limit: u64) {}

    /// When its oldest unanswered question was asked.
    fn oldest(&self, _model: &Model) -> Option<u64> {
        None
    }

    /// When something is due in it without a key or an event, while it is open.
    fn due(&self, _model: &Model) -> Option<u64> {
        None
    }

    /// Changes the rows that it holds besides those of the list.
    fn each_row_mut(&self, _model: &mut Model, _change: &mut dyn FnMut(&mut Row)) {}

    /// Adds what a later run needs to come back to it.
    fn remember(&self, _model: &Model, _place: &mut Place) {}

    /// Comes back to what was remembered.
    fn restore(&self, _model: &mut Model, _place: &Place) {}

    /// Whether other pages are closed to it.
    fn is_base(&self) -> bool {
        false
    }

    /// Whether its cursor is the list's.
    fn is_over_the_list(&self) -> bool {
        false
    }

    /// The row under its cursor, if it is held.
    fn row<'a>(&self, model: &'a Model) -> Option<&'a Row> {
        model.list.rows.get(model.list.cursor)
    }

    /// The sample under its cursor.
    fn sample(&self, model: &Model) -> Option<SampleId> {
        self.row(model).map(|row| row.sample)
    }

    /// The sample that it shows beside that one.
    fn other(&self, _model: &Model) -> Option<SampleId> {
        None
    }

    /// The cells in which it shows rows of the list, where it shows more than one of them in a line.
    fn list_cells(&self, _model: &Model) -> Option<Cells> {
        None
    }

    /// Puts in order what depends on the cursor, after every message; `moved` where another sample is under it.
    fn align(&self, _model: &mut Model, _moved: bool) {}

    /// The samples that "the group" means in it, where that is not the group of the sample under the cursor.
    fn group(&self, _model: &Model) -> Option<Vec<SampleId>> {
        None
    }

    /// Shows this sample again: what was decided about it was undone, done again or refused.
    fn seek(&self, _model: &mut Model, _sample: Option<SampleId>) {}

    /// Goes on to what is undecided, after a decision. False leaves that to the list.
    fn advance(&self, _model: &mut Model, _fx: &mut Effects) -> bool {
        !self.is_over_the_list()
    }

    /// The pictures that it needs, on the screen or about to be, and where.
    fn shots(&self, _model: &Model) -> Vec<Shot> {
        Vec::new()
    }

    /// Those of them that are seen now.
    fn visible(&self, model: &Model) -> Vec<Shot> {
        self.shots(model)
    }

    /// Asks for these pictures in an order of its own. False has them asked for as they come.
    fn pictures(&self, _model: &mut Model, _fx: &mut Effects) -> bool {
        false
    }

    /// Pixels of the screen, across and down, in which it shows one picture large enough to be moved over.
    fn large(&self, _model: &Model) -> Option<(u32, u32)> {
        None
    }

    /// Where the hidden cursor waits.
    fn park(&self, model: &Model) -> Position {
        super::Screen::whole(model.display.size).as_position()
    }

    /// Where its cursor is in words, in place of the row of the list.
    fn told(&self, _model: &Model) -> Option<String> {
        None
    }

    /// What it says besides, in lines without charts.
    fn spoken(&self, _model: &Model) -> Vec<String> {
        Vec::new()
    }
}

impl fmt::Debug for dyn Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl PartialEq for dyn Page {
    fn eq(&self, other: &dyn Page) -> bool {
        self.name() == other.name()
    }
}

impl Eq for dyn Page {}
