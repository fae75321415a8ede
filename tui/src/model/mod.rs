//! Everything the interface knows. Plain data: [`crate::update`] changes it, [`crate::view`] draws it.

mod beside;
mod complete;
mod detector;
mod input;
mod journal;
mod kept;
mod layout;
mod list;
mod macros;
mod page;
mod panel;
mod pictures;
mod rows;
mod search;
mod sitting;
mod views;

pub use beside::{Beside, group, related};
pub use complete::{completions, quoted};
pub use input::{
    Completion, Confirm, Consequence, Line, Mode, Picker, PickerItem, PickerKind, Prompt, PromptKind,
};
pub use journal::{Journal, Op};
pub use kept::{Keep, Kept};
pub use layout::{Arrangement, Layout};
pub use list::{Anchor, Incoming, List, Purpose, Then, Walk, sort_name};
pub use macros::{LONGEST, MOST, Macros};
pub use page::{Page, PageRef};
pub use panel::{Matrix, Panel, Panels, step, value_words};
pub use pictures::{Details, PictureKey, Pictures, Shown, slot};
pub use rows::{CHUNK, RowCache};
pub use sitting::Sitting;
pub use views::{Cells, Compare, Groups, MapQuestion, MapState, Medoids, Screen, Shot, Views};

use crate::key::Key;
use crate::keymap::Keymap;
use crate::picture::Protocol;
use crate::theme::Theme;
use chaffinch_core::decision::Choice;
use chaffinch_core::protocol::{Detail, Progress, Query, Row, ScanReport, SessionSummary};
use chaffinch_core::sample::SampleId;
use ratatui::layout::{Rect, Size};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How much a message asks for attention.
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
    /// When it goes away by itself, on the model's clock.
    pub until: Option<u64>,
}

/// What runs in the engine and what it said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Jobs {
    /// The running job's progress.
    pub progress: Option<Progress>,
    /// What the last scan did.
    pub report: Option<Box<ScanReport>>,
    /// What went wrong: about what, and the message.
    pub troubles: VecDeque<(String, String)>,
    /// The last lines of the log.
    pub log: VecDeque<String>,
}

/// What is kept with the session between two runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The list.
    pub query: Query,
    /// The row of the cursor.
    pub row: u64,
    /// The sample under the cursor, which wins over the row.
    pub sample: Option<SampleId>,
    /// The first row on the screen.
    pub top: u64,
    /// The chosen detector.
    pub detector: String,
    /// Classes used for relabelling, last used first.
    pub recent: Vec<String>,
    /// Whether deciding stays on the sample.
    pub stay: bool,
    /// Whether the list is shown as a grid.
    pub grid: bool,
    /// The grid's columns, where they were chosen.
    pub columns: Option<u16>,
    /// The recorded keys, written as in a keymap.
    pub keys: String,
    /// Tags of the reviewer's own that were used, last used first.
    pub tags: Vec<String>,
}

/// The state of the interface.
#[derive(Clone, Debug)]
pub struct Model {
    /// Milliseconds since the start; the only clock `update` knows.
    pub now: u64,
    /// The terminal in cells.
    pub size: Size,
    /// Keys and their actions.
    pub keymap: Keymap,
    /// Looks.
    pub theme: Theme,
    /// Whether pictures are shown at all.
    pub pictures_on: bool,
    /// Pixels in one cell, across and down, that the chosen way of showing pictures can use.
    pub cell_pixels: (u32, u32),
    /// The graphics protocol, once it is known that there is one, and the pixels of one cell.
    pub target: Option<(Protocol, (u32, u32))>,
    /// Pictures that the terminal holds and cells can name.
    pub live: BTreeMap<u64, u8>,
    /// Bytes a second that pictures take on their way, once measured.
    pub link: Option<u32>,
    /// Cells to be drawn whether they changed or not, because a picture lies in them.
    pub refresh: Vec<Rect>,
    /// When a key was pressed last.
    pub key_at: u64,
    /// Whether a stale session starts a scan by itself.
    pub scan_when_stale: bool,
    /// The session, once the engine has told of it.
    pub session: Option<Box<SessionSummary>>,
    /// The list and the cursor in it.
    pub list: List,
    /// The rows that are near the cursor.
    pub rows: RowCache,
    /// What is known of single samples.
    pub details: Details,
    /// Pictures made ready for the screen.
    pub pictures: Pictures,
    /// Decisions on their way to the disk.
    pub journal: Journal,
    /// Marked samples.
    pub marks: BTreeSet<SampleId>,
    /// The row where a range began.
    pub visual: Option<u64>,
    /// What was searched for last.
    pub search: String,
    /// A search or a collection of rows under way.
    pub walk: Option<Walk>,
    /// What the keys go to.
    pub mode: Mode,
    /// Keys of an unfinished sequence.
    pub pending: Vec<Key>,
    /// The message at the bottom.
    pub toast: Option<Toast>,
    /// Background work.
    pub jobs: Jobs,
    /// The picture fills the screen.
    pub zoom: bool,
    /// Grid, compare, groups, clusters and map.
    pub views: Views,
    /// Lines by which the details are scrolled.
    pub scroll: u16,
    /// Whether a decision moves on to the next undecided sample.
    pub advance: bool,
    /// The chosen detector, a place in the session's list.
    pub detector: usize,
    /// The last decision, to be repeated.
    pub last_choice: Option<Choice>,
    /// Classes used for relabelling, last used first.
    pub recent: Vec<String>,
    /// When waiting for outstanding saves ends and the program quits.
    pub quitting: Option<u64>,
    /// When a second Ctrl-C no longer quits.
    pub interrupt_until: u64,
    /// When the place is to be remembered next.
    pub remember_at: Option<u64>,
    /// What was remembered last.
    pub remembered: String,
    /// A threshold to be sent once the key rests: detector, threshold, when.
    pub threshold: Option<(String, f32, u64)>,
    /// When the cursor moved last.
    pub moved_at: u64,
    /// Until when no picture is shown, because the cursor is travelling.
    pub hold_until: u64,
    /// What pages that are worked in know.
    pub panels: Panels,
    /// Recorded keys.
    pub macros: Macros,
    /// What was done since the start.
    pub sitting: Sitting,
    /// A completion that the next key may replace.
    pub completion: Option<Completion>,
    /// Tags of the reviewer's own.
    pub tags: Vec<String>,
    /// Whether clicks and the wheel are taken.
    pub mouse: bool,
    /// How the screen is divided.
    pub arrangement: Arrangement,
}

impl Model {
    /// An interface that knows nothing yet and shows the first of these pages.
    pub fn with_pages(pages: &'static [PageRef], keymap: Keymap, theme: Theme, size: Size) -> Model {
        Model {
            now: 0,
            size,
            keymap,
            theme,
            pictures_on: true,
            cell_pixels: (1, 2),
            target: None,
            live: BTreeMap::new(),
            link: None,
            refresh: Vec::new(),
            key_at: 0,
            scan_when_stale: true,
            session: None,
            list: List::default(),
            rows: RowCache::default(),
            details: Details::default(),
            pictures: Pictures::default(),
            journal: Journal::default(),
            marks: BTreeSet::new(),
            visual: None,
            search: String::new(),
            walk: None,
            mode: Mode::List,
            pending: Vec::new(),
            toast: None,
            jobs: Jobs::default(),
            zoom: false,
            views: Views::new(pages),
            scroll: 0,
            advance: true,
            detector: 0,
            last_choice: None,
            recent: Vec::new(),
            quitting: None,
            interrupt_until: 0,
            remember_at: None,
            remembered: String::new(),
            threshold: None,
            moved_at: 0,
            hold_until: 0,
            panels: Panels::default(),
            macros: Macros::default(),
            sitting: Sitting::default(),
            completion: None,
            tags: Vec::new(),
            mouse: false,
            arrangement: Arrangement::default(),
        }
    }

    /// Where everything stands on the screen.
    pub fn layout(&self) -> Layout {
        Layout::arranged(self.size, self.zoom, self.arrangement)
    }

    /// Greatest width and height in pixels worth asking for, for so many cells.
    pub fn pixels(&self, cells: Size) -> (u32, u32) {
        let (across, down) = self.target.map_or(self.cell_pixels, |(_, cell)| cell);
        (u32::from(cells.width) * across, u32::from(cells.height) * down)
    }

    /// Whether no key was pressed for long enough that better pictures may come.
    pub fn resting(&self) -> bool {
        self.now >= self.key_at + REST
    }

    /// Whether no key was pressed for long enough that a better picture is made already: the cursor is not travelling.
    pub fn pausing(&self) -> bool {
        self.now >= self.key_at + PAUSE
    }

    /// The row under the cursor, if it has been loaded.
    pub fn row(&self) -> Option<&Row> {
        self.views.page.row(self)
    }

    /// What is known of these samples, where it is one.
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

    /// What was decided about a row, counting decisions that are not on disk yet.
    pub fn choice<'a>(&'a self, row: &'a Row) -> Option<&'a Choice> {
        match self.journal.overlay.get(&row.sample) {
            Some(choice) => choice.as_ref(),
            None => row.decision.as_ref().map(|decision| &decision.choice),
        }
    }

    /// The name of a class.
    pub fn class(&self, place: Option<u32>) -> Option<&str> {
        let session = self.session.as_ref()?;
        session.classes.get(place? as usize).map(String::as_str)
    }

    /// Whether a row is marked, by itself or as part of the range being made.
    pub fn marked(&self, place: u64, row: &Row) -> bool {
        self.marks.contains(&row.sample)
            || self.visual.is_some_and(|from| {
                place >= from.min(self.list.cursor) && place <= from.max(self.list.cursor)
            })
    }

    /// What would bring a later run back to this place.
    pub fn place(&self) -> Place {
        let mut place = Place {
            query: self.list.query.clone(),
            row: self.list.cursor,
            sample: self.sample(),
            top: self.list.top,
            detector: self.chosen_name().unwrap_or_default().to_owned(),
            recent: self.recent.clone(),
            stay: !self.advance,
            grid: false,
            columns: None,
            keys: crate::key::notation(&self.macros.last),
            tags: self.tags.clone(),
        };
        for page in self.views.all {
            page.remember(self, &mut place);
        }
        place
    }

    /// The page that lies over the one with samples.
    pub fn panel(&self) -> Option<PageRef> {
        match &self.mode {
            Mode::Panel(panel) => Some(panel.page),
            _ => None,
        }
    }

    /// The value that is being typed into that page.
    pub fn typing(&self) -> Option<&Line> {
        match &self.mode {
            Mode::Panel(panel) => panel.editing.as_ref(),
            _ => None,
        }
    }

    /// The dataset or what is known of it has changed: pages ask for everything again.
    pub fn forget_views(&mut self) {
        self.views.stale = true;
        for page in self.views.all {
            page.forget(self);
        }
    }

    /// When something changes without a key or an event, on the model's clock.
    pub fn deadline(&self) -> Option<u64> {
        let prompt = match &self.mode {
            Mode::Prompt(prompt) => prompt.apply_at,
            _ => None,
        };
        let held = (self.hold_until > self.now).then_some(self.hold_until);
        let toast = self.toast.as_ref().and_then(|toast| toast.until);
        let threshold = self.threshold.as_ref().map(|(_, _, at)| *at);
        let next = self.key_at + if self.pausing() { REST } else { PAUSE };
        let rest = (self.target.is_some() && !self.resting()).then_some(next);
        let replay = (!self.macros.replay.is_empty()).then_some(self.now + 20);
        let due = self.views.page.due(self);
        let times = [
            [prompt, held, toast, threshold, rest],
            [self.remember_at, self.quitting, self.retry_at(), replay, due],
        ];
        times.into_iter().flatten().flatten().min()
    }

    /// When an unanswered question is asked again.
    fn retry_at(&self) -> Option<u64> {
        let asked = self.details.asked.map(|(_, at)| at);
        let times = [self.rows.oldest(), asked, self.pictures.oldest()];
        let pages = self.views.all.iter().filter_map(|page| page.oldest(self));
        times.into_iter().flatten().chain(pages).min().map(|at| at + PATIENCE)
    }
}

/// Milliseconds without a key after which pictures get better.
pub const REST: u64 = 150;
/// Milliseconds without a key after which a better picture is made, to be there when it may be shown.
const PAUSE: u64 = 50;

/// Milliseconds after which a question without an answer is asked again.
pub const PATIENCE: u64 = 5_000;
