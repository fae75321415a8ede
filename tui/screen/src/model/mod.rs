//! Everything the interface knows. Plain data: [`crate::update`] changes it, [`crate::view`] draws it.

mod ahead;
mod beside;
mod complete;
mod detector;
mod display;
mod emptiness;
mod expression;
mod hints;
mod input;
mod journal;
mod kept;
mod layout;
mod learning;
mod line;
mod list;
mod macros;
mod message;
mod page;
mod panel;
mod picker;
mod pictures;
mod place;
mod prompt_bench;
mod review;
mod rows;
mod search;
mod sitting;
mod timing;
mod view_state;
mod views;
mod windows;

pub use ahead::{Ahead, GIVE_UP, Typed};
pub use beside::{Beside, group, related};
pub use complete::{completions, meaning, quoted};
pub use display::Display;
pub use emptiness::Emptiness;
pub use expression::{FORMS, expression, like};
pub use input::{Completion, Confirm, Consequence, Mode, Prompt, PromptKind, Wrong};
pub use journal::{Journal, Op};
pub use kept::{Keep, Kept};
pub use layout::{Arrangement, Layout, SMALLEST};
pub use learning::Learning;
pub use line::Line;
pub use list::{Anchor, Hits, Incoming, List, Purpose, Then, Walk, sort_name};
pub use macros::{LONGEST, MOST, Macros};
pub use page::{Page, PageRef};
pub use panel::{Basis, Left, Matrix, Panel, Panels, Trial, step, value_words};
pub use picker::{Picker, PickerItem, PickerKind, PickerLine, tag_word};
pub use pictures::{Details, PictureKey, Pictures, Shown, slot};
pub use place::Place;
pub use prompt_bench::{BenchLine, PromptBench, TrialBasis};
pub use review::{Resolved, Resolving, Review};
pub use rows::{CHUNK, RowCache};
pub use sitting::{Sitting, Suggested};
pub use timing::{PATIENCE, REST, Timing};
pub use view_state::ViewState;
pub use views::{Cells, Compare, Groups, Look, MapQuestion, MapState, Medoids, Screen, Shot, Views};

use crate::action::Action;
use crate::key::KeyChord;
use crate::keymap::Keymap;
use crate::text;
use crate::theme::Theme;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Detail, Progress, Row, ScanReport, SessionSummary};
use ratatui::layout::Size;
use std::collections::{BTreeSet, VecDeque};

/// How urgent a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something was done.
    Info,
    /// Something could not be done as asked.
    Warning,
    /// Something went wrong.
    Error,
}

/// The message at the bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// How it is drawn.
    pub level: Level,
    /// Its words.
    pub text: String,
    /// When it was said, on the model's clock.
    pub at: u64,
    /// When it disappears by itself, on the model's clock.
    pub until: Option<u64>,
}

/// Jobs in the engine and their reports.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Jobs {
    /// The running job's progress.
    pub progress: Option<Progress>,
    /// What the last scan did.
    pub report: Option<Box<ScanReport>>,
    /// Problems: the subject and the message.
    pub troubles: VecDeque<(String, String)>,
    /// How many of them the running job has met.
    pub met: u64,
    /// The last lines of the log.
    pub log: VecDeque<String>,
    /// Code that has changed, by its path and digest, which the reviewer was told about.
    pub told: BTreeSet<(String, String)>,
    /// Whether a stale session starts a scan by itself.
    pub scan_when_stale: bool,
}

impl Jobs {
    /// How many log lines and problems are kept.
    const KEPT: usize = 500;

    /// Adds a line to the log.
    pub fn note(&mut self, line: String) {
        self.log.push_back(line);
        if self.log.len() > Jobs::KEPT {
            self.log.pop_front();
        }
    }

    /// Adds a problem.
    pub fn trouble(&mut self, about: String, message: String) {
        self.met += u64::from(self.progress.is_some());
        self.troubles.push_back((about, message));
        if self.troubles.len() > Jobs::KEPT {
            self.troubles.pop_front();
        }
    }
}

/// The state of the interface.
#[derive(Clone, Debug)]
pub struct Model {
    /// What the terminal is and can do.
    pub display: Display,
    /// The clock, and what waits for it.
    pub time: Timing,
    /// Keys and their actions.
    pub keymap: Keymap,
    /// The keys of an incomplete sequence.
    pub pending: Vec<KeyChord>,
    /// Keys typed ahead.
    pub ahead: Ahead,
    /// Recorded keys.
    pub macros: Macros,
    /// What receives the keys.
    pub mode: Mode,
    /// The next action to run: selected in the palette, or waiting for rows that have arrived.
    pub next: Option<Action>,
    /// The message at the bottom.
    pub toast: Option<Toast>,
    /// How many messages there have been.
    pub said: u64,
    /// The session, once the engine has reported it.
    pub session: Option<Box<SessionSummary>>,
    /// The selected detector, an index into the session's list.
    pub detector: usize,
    /// Background work.
    pub jobs: Jobs,
    /// The list, its cursor and the rows near it.
    pub list: List,
    /// Details of single samples.
    pub details: Details,
    /// Pictures encoded for the screen.
    pub pictures: Pictures,
    /// Deciding.
    pub review: Review,
    /// The pages that show samples.
    pub views: Views,
    /// The interactive pages.
    pub panels: Panels,
}

impl Model {
    /// An interface without data that shows the first of these pages.
    pub fn with_pages(pages: &'static [PageRef], keymap: Keymap, theme: Theme, size: Size) -> Model {
        Model {
            display: Display::new(theme, size),
            time: Timing::default(),
            keymap,
            pending: Vec::new(),
            ahead: Ahead::default(),
            macros: Macros::default(),
            mode: Mode::List,
            next: None,
            toast: None,
            said: 0,
            session: None,
            detector: 0,
            jobs: Jobs { scan_when_stale: true, ..Jobs::default() },
            list: List::default(),
            details: Details::default(),
            pictures: Pictures::default(),
            review: Review::default(),
            views: Views::new(pages),
            panels: Panels::default(),
        }
    }

    /// The screen layout.
    pub fn layout(&self) -> Layout {
        Layout::arranged(self.display.size, self.views.look.zoom, self.display.arrangement)
    }

    /// Whether the window is too small to show anything.
    pub fn is_blank(&self) -> bool {
        self.layout().is_blank()
    }

    /// Whether the list is shown, with nothing over it.
    pub fn at_home(&self) -> bool {
        self.views.page == self.views.first() && !self.views.look.zoom
    }

    /// The row under the cursor, if it has been loaded.
    pub fn row(&self) -> Option<&Row> {
        self.views.page.row(self)
    }

    /// The details of these samples, if it is only one.
    pub fn detail_of(&self, samples: &[SampleId]) -> Option<&Detail> {
        match samples {
            [one] => self.details.get(*one),
            _ => None,
        }
    }

    /// The sample under the cursor.
    pub fn sample(&self) -> Option<SampleId> {
        self.views.page.sample(self)
    }

    /// The choice for a row, including decisions that are not on disk yet.
    pub fn choice<'a>(&'a self, row: &'a Row) -> Option<&'a Choice> {
        match self.review.journal.overlay.get(&row.sample) {
            Some(choice) => choice.as_ref(),
            None => row.decision.as_ref().map(|decision| &decision.choice),
        }
    }

    /// The name of a class.
    pub fn class(&self, index: Option<u32>) -> Option<&str> {
        let session = self.session.as_ref()?;
        session.classes.get(index? as usize).map(String::as_str)
    }

    /// The row that a [`Place`] names, from 0.
    pub fn row_named(&self, text: &str) -> Option<u64> {
        Place::parse(text)?.row(self.list.cursor, self.list.total)
    }

    /// Whether a row is marked, by itself or as part of the range being made.
    pub fn marked(&self, index: u64, row: &Row) -> bool {
        self.review.marks.contains(&row.sample)
            || self.review.visual.is_some_and(|from| {
                index >= from.min(self.list.cursor) && index <= from.max(self.list.cursor)
            })
    }

    /// The page that was left for the list that is shown, unless something else has been listed or shown since.
    pub fn left(&self) -> Option<&Left> {
        let left = self.panels.left.as_ref()?;
        (left.listed == self.list.query && left.over == self.views.page).then_some(left)
    }

    /// The page on top of the one with samples, also while a list to choose from lies over it.
    pub fn panel(&self) -> Option<PageRef> {
        match &self.mode {
            Mode::Panel(panel) => Some(panel.page),
            _ => self.panels.below.as_ref().map(|panel| panel.page),
        }
    }

    /// Rows of the list by their decision (keep, remove, relabel, unsure), including decisions that are not on disk
    /// yet.
    pub fn counts(&self) -> [u64; 4] {
        let mut counts = self.list.by_choice;
        let overlay = &self.review.journal.overlay;
        if overlay.is_empty() {
            return counts;
        }
        for row in self.list.rows.all() {
            if let Some(choice) = overlay.get(&row.sample) {
                let before = row.decision.as_ref().map(|decision| decision.choice.index());
                if let Some(before) = before {
                    counts[before] = counts[before].saturating_sub(1);
                }
                if let Some(choice) = choice {
                    counts[choice.index()] += 1;
                }
            }
        }
        counts
    }

    /// How far the list is: `3 of 12 suspects decided`.
    pub fn decided_words(&self) -> String {
        let list = &self.list;
        let drawn = self
            .session
            .as_ref()
            .is_some_and(|session| session.blind.is_some_and(|blind| blind.samples.is_some()));
        let (one, many) =
            if list.query.all || drawn { ("sample", "samples") } else { ("suspect", "suspects") };
        let words = text::counted(list.total, one, many);
        if list.total == 0 {
            return words;
        }
        let decided: u64 = self.counts().iter().sum();
        format!("{} of {words} decided", text::count(decided.min(list.total)))
    }

    /// The reviewer whom this terminal watches, if it does.
    pub fn watched(&self) -> Option<&str> {
        let session = self.session.as_ref().filter(|session| session.watches)?;
        Some(&session.reviewer)
    }

    /// What stands first in the first line, because it changes what every decision means.
    pub fn standing(&self) -> Option<&'static str> {
        if self.watched().is_some() {
            return Some("WATCHING");
        }
        let blind = self.session.as_ref().is_some_and(|session| session.blind.is_some());
        match (blind, self.views.page.adjudicates()) {
            (true, _) => Some("BLIND"),
            (_, true) => Some("CONFLICTS"),
            _ => None,
        }
    }

    /// The value being typed into that page.
    pub fn typing(&self) -> Option<&Line> {
        match &self.mode {
            Mode::Panel(panel) => panel.editing.as_ref(),
            _ => None,
        }
    }

    /// The dataset or its results have changed: pages request everything again.
    pub fn forget_views(&mut self) {
        self.views.stale = true;
        for page in self.views.all {
            page.invalidate(self);
        }
    }
}
