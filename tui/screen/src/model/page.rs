//! The interface of a page to the rest of the program. The pages themselves, and how to add one, are in
//! [`crate::pages`].
//!
//! There are two kinds. A page of [`Scope::List`] shows samples: it fills the screen, its keys decide about the sample
//! under its cursor, and it is held in [`super::Views::page`]. A page of [`Scope::Panel`] or [`Scope::Pane`] opens on top
//! of that one, as [`super::Mode::Panel`]: a form, a chart or a log.

use super::{Cells, Model, Shot, ViewState};
use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::paint::Paint;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Event, OutputEvent, Overview, Overviewed, Row, ViewEvent};
use ratatui::layout::{Position, Rect};
use std::fmt;

/// A page in the registry.
pub type PageRef = &'static dyn Page;

/// One page. Only name, hints, draw and open are required; the defaults suit a page without the feature in question.
pub trait Page: Sync {
    /// A unique name, in one word.
    fn name(&self) -> &'static str;

    /// Actions whose keys are shown in the last line, most useful first.
    fn hints(&self, model: &Model) -> Vec<Action>;

    /// What an action is here, where it is something other than elsewhere: a few words, and a sentence.
    fn meaning(&self, _model: &Model, _action: Action) -> Option<(&'static str, &'static str)> {
        None
    }

    /// Draws the page between the first line and the last two. Returns the position of the text cursor, if there is one.
    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position>;

    /// Handles one of [`Page::actions`]: opens the page, or closes it if it is open.
    fn open(&self, model: &mut Model, action: Action, fx: &mut Effects);

    /// The part of the keymap that is active in it.
    fn scope(&self) -> Scope {
        Scope::List
    }

    /// Actions that this page handles even while it is closed.
    fn actions(&self) -> &'static [Action] {
        &[]
    }

    /// Whether one of these needs pictures, and so does nothing in line mode.
    fn needs_pictures(&self, _action: Action) -> bool {
        false
    }

    /// Handles an action while the page is open. Returns false to leave the action to its default handler.
    fn act(&self, _model: &mut Model, _action: Action, _fx: &mut Effects) -> bool {
        false
    }

    /// Completes the value that is being typed. Returns false if there is nothing to complete.
    fn complete(&self, _model: &mut Model, _fx: &mut Effects) -> bool {
        false
    }

    /// Takes an answer about something to be written.
    fn output(&self, _model: &mut Model, _event: &OutputEvent) {}

    /// Takes an answer to something that it asked for itself. Returns false to leave it to another page.
    fn answered(&self, _model: &mut Model, _event: &Event) -> bool {
        false
    }

    /// What is lost if the program ends now, in words. Called whether the page is open or not.
    fn unsaved(&self, _model: &Model) -> Option<&'static str> {
        None
    }

    /// A command that was asked about is sent.
    fn sent(&self, _model: &mut Model, _command: &Command) {}

    /// Whether there is nothing on it yet that a key could mean: all keys but those that leave it wait.
    fn loading(&self, _model: &Model) -> bool {
        false
    }

    /// Whether a decision made in it settles what reviewers decided differently.
    fn adjudicates(&self) -> bool {
        false
    }

    /// Accepts a value that was typed into the page.
    fn submit(&self, _model: &mut Model, _text: &str) {}

    /// Handles a click on a cell of the terminal.
    fn click(&self, _model: &mut Model, _x: u16, _y: u16) {}

    /// Cancels what was begun in the page. Returns false if there was nothing to cancel.
    fn cancel(&self, _model: &mut Model) -> bool {
        false
    }

    /// Requests missing data from the engine. Called after every message while the page is open.
    fn request(&self, _model: &mut Model, _fx: &mut Effects) {}

    /// Takes the response to such a request, or returns it for another page. Called whether the page is open or not.
    fn event(&self, _model: &mut Model, event: ViewEvent, _fx: &mut Effects) -> Option<ViewEvent> {
        Some(event)
    }

    /// The statistics over the whole dataset that it shows. Requested when it opens and when the session changes.
    fn overview(&self, _model: &Model) -> Option<Overview> {
        None
    }

    /// Takes these statistics, or returns them for another page.
    fn overviewed(&self, _model: &mut Model, overviewed: Overviewed) -> Option<Overviewed> {
        Some(overviewed)
    }

    /// Invalidates data from the engine after the dataset or its results changed.
    fn invalidate(&self, _model: &mut Model) {}

    /// Forgets all that it knows by the numbers of samples: they mean others now.
    fn forget_samples(&self, _model: &mut Model) {}

    /// Drops requests from before `limit`, so that they are sent again.
    fn expire(&self, _model: &mut Model, _limit: u64) {}

    /// When its oldest pending request was sent.
    fn oldest_request(&self, _model: &Model) -> Option<u64> {
        None
    }

    /// When it next needs an update without a key or an event, while it is open.
    fn deadline(&self, _model: &Model) -> Option<u64> {
        None
    }

    /// Updates the rows that it holds besides those of the list.
    fn each_row_mut(&self, _model: &mut Model, _change: &mut dyn FnMut(&mut Row)) {}

    /// Saves its state for a later run.
    fn remember(&self, _model: &Model, _state: &mut ViewState) {}

    /// Restores its state from an earlier run.
    fn restore(&self, _model: &mut Model, _state: &ViewState) {}

    /// Whether closing another page returns to it.
    fn is_base(&self) -> bool {
        false
    }

    /// Whether it shares the cursor of the list.
    fn is_over_the_list(&self) -> bool {
        false
    }

    /// The row under its cursor, if it has been loaded.
    fn row<'a>(&self, model: &'a Model) -> Option<&'a Row> {
        model.list.rows.get(model.list.cursor)
    }

    /// The sample under its cursor.
    fn sample(&self, model: &Model) -> Option<SampleId> {
        self.row(model).map(|row| row.sample)
    }

    /// A second sample that it shows beside that one.
    fn compared(&self, _model: &Model) -> Option<SampleId> {
        None
    }

    /// The cells that show rows of the list, if it lays them out as a grid.
    fn list_cells(&self, _model: &Model) -> Option<Cells> {
        None
    }

    /// Updates state that depends on the cursor, after every message; `moved` if another sample is under it.
    fn settle(&self, _model: &mut Model, _moved: bool) {}

    /// Whether another sample is about to be under its cursor: keys about that sample wait.
    fn busy(&self, _model: &Model) -> bool {
        false
    }

    /// Whether it shows a sample that the list may not have.
    fn shows(&self, _model: &Model, _sample: SampleId) -> bool {
        false
    }

    /// The samples that group actions apply to, if not the group of the sample under the cursor.
    fn group(&self, _model: &Model) -> Option<Vec<SampleId>> {
        None
    }

    /// Scrolls to a sample whose decision was undone, redone or refused.
    fn reveal(&self, _model: &mut Model, _sample: Option<SampleId>) {}

    /// Moves on to the next undecided sample after a decision. Returns false to let the list do so.
    fn advance(&self, _model: &mut Model, _fx: &mut Effects) -> bool {
        !self.is_over_the_list()
    }

    /// The pictures it needs, visible or about to be, and their areas.
    fn shots(&self, _model: &Model) -> Vec<Shot> {
        Vec::new()
    }

    /// Those of them that are visible now.
    fn visible(&self, model: &Model) -> Vec<Shot> {
        self.shots(model)
    }

    /// Requests these pictures in its own order. Returns false to have them requested in order.
    fn pictures(&self, _model: &mut Model, _fx: &mut Effects) -> bool {
        false
    }

    /// Width and height in pixels of the area in which one picture can be panned, if the page has one now.
    fn pan_area(&self, _model: &Model) -> Option<(u32, u32)> {
        None
    }

    /// The cell of the hidden terminal cursor.
    fn cursor_cell(&self, model: &Model) -> Position {
        super::Screen::whole(model.display.size).as_position()
    }

    /// The position of its cursor in words, instead of the row of the list.
    fn position_text(&self, _model: &Model) -> Option<String> {
        None
    }

    /// Its contents for line mode, without charts.
    fn plain_lines(&self, _model: &Model) -> Vec<String> {
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
