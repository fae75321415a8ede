//! State of the pages that show samples: grid, compare, groups, clusters and map.

mod cells;

pub use cells::Cells;

use super::{Kept, PageRef, slot};
use crate::action::Action;
use crate::picture::Part;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Area, Axes, ClusterView, GroupView, MapPoint, MapView, Query, Row, Ticket};
use ratatui::layout::{Rect, Size};
use std::collections::BTreeMap;

/// The pages and what they know.
#[derive(Clone, Debug)]
pub struct Views {
    /// All pages, both full-screen ones and those on top of them; the first is shown at the start.
    pub all: &'static [PageRef],
    /// What is shown.
    pub page: PageRef,
    /// What is shown when a page over it is closed.
    pub below: PageRef,
    /// The page that has put a list of its own in the place of the list, and the query to go back to when it is closed.
    pub borrowed: Option<(PageRef, Query)>,
    /// Columns of the grid, if set by the user.
    pub columns: Option<u16>,
    /// How samples are looked at.
    pub look: Look,
    /// The sample that was under the cursor.
    pub of: Option<SampleId>,
    /// Side by side, or alternating.
    pub compare: Compare,
    /// Groups of copies.
    pub groups: Groups,
    /// Clusters of a class.
    pub medoids: Medoids,
    /// The map.
    pub map: MapState,
    /// The last ticket given out.
    pub last_ticket: Ticket,
    /// Line mode: views that need pictures are not shown.
    pub spoken: bool,
    /// Whether a script types: it starts at the first row whatever was done before, and leaves no trace of where it was.
    pub afresh: bool,
    /// The displayed data may be stale and is requested again.
    pub stale: bool,
    /// What pages keep besides, by its type.
    pub kept: Kept,
}

/// How samples are looked at, whatever the page.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// The picture fills the screen.
    pub zoom: bool,
    /// A part of the picture is shown, pixel by pixel.
    pub part: Option<Part>,
    /// Width and height of pictures seen in part.
    pub whole: BTreeMap<SampleId, (u32, u32)>,
    /// Lines by which the details are scrolled.
    pub scroll: u16,
    /// Names and scores are hidden, so that pictures are larger and judged on their own.
    pub bare: bool,
    /// The chosen one of the samples shown beside the one under the cursor.
    pub chosen: Option<usize>,
}

/// Two samples.
#[derive(Clone, Debug, Default)]
pub struct Compare {
    /// Both in one spot; true while the other one is shown.
    pub blink: Option<bool>,
}

/// The list of groups, and the one that is shown.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// The list's ticket; 0 before the first request.
    pub ticket: Ticket,
    /// Only leaks.
    pub leaks: bool,
    /// Groups, once known.
    pub total: Option<u64>,
    /// How many of them were fully decided when the list was made.
    pub decided: u64,
    /// The group that is wanted.
    pub place: u64,
    /// The sample whose group is looked for.
    pub of: Option<SampleId>,
    /// The group that is shown.
    pub shown: Option<Box<GroupView>>,
    /// The member under the cursor, counted from the first of all.
    pub cursor: usize,
    /// The pending request: group, first member, when.
    pub asked: Option<(u64, u64, u64)>,
    /// Whether to search upward if nothing below is undecided.
    pub then_above: bool,
    /// When the next undecided group was asked for, until it is known.
    pub finding: Option<u64>,
    /// When it was asked which member each rule keeps, until it is known.
    pub judging: Option<u64>,
}

/// The clusters of one class.
#[derive(Clone, Debug, Default)]
pub struct Medoids {
    /// The class that is wanted.
    pub class: Option<u32>,
    /// The last request: ticket, class, sample, when; answered if the last is none.
    pub asked: Option<(Ticket, u32, Option<SampleId>, Option<u64>)>,
    /// The class that is known, and the sample that similarities are to.
    pub known: Option<(u32, Option<SampleId>)>,
    /// Its clusters.
    pub clusters: Vec<ClusterView>,
    /// How they were made, or why there are none.
    pub note: String,
    /// The cell under the cursor: the medoids first, then the member farthest from each.
    pub cursor: usize,
}

/// A request for the map: list, part, size in points.
pub type MapQuestion = (Ticket, Axes, Area, (u16, u16));

/// The map.
#[derive(Clone, Debug, Default)]
pub struct MapState {
    /// Which map is wanted.
    pub axes: Axes,
    /// When to ask whether it is finished.
    pub again: Option<u64>,
    /// The zoom level, and the position of its upper left corner as fractions of the whole map.
    pub zoom: u8,
    /// Left border.
    pub left: f32,
    /// Upper border.
    pub top: f32,
    /// The cell of the cursor.
    pub cursor: (u16, u16),
    /// The cell where an area starts.
    pub corner: Option<(u16, u16)>,
    /// The sample that the cursor is to go to once its place is known.
    pub seek: Option<SampleId>,
    /// The sample that the cursor was put on, until it is moved: others may share its cell or even its point.
    pub held: Option<SampleId>,
    /// The last step: which way, how many in a row, and when.
    pub run: Option<(Action, u16, u64)>,
    /// What is shown.
    pub shown: Option<Box<MapView>>,
    /// The request that it answers, or the pending one with its ticket and time.
    pub asked: Option<(MapQuestion, Ticket, Option<u64>)>,
    /// The question whose samples will be marked.
    pub marking: Option<Ticket>,
}

impl MapState {
    /// The part of the map that is shown.
    pub fn area(&self) -> Area {
        let side = 0.5_f32.powi(i32::from(self.zoom));
        Area { left: self.left, top: self.top, right: self.left + side, bottom: self.top + side }
    }

    /// The point that is nearest to the middle of the cursor's cell, samples of the list before others.
    pub fn point(&self) -> Option<&MapPoint> {
        let view = self.shown.as_ref()?;
        let (x, y) = (i32::from(self.cursor.0) * 2 + 1, i32::from(self.cursor.1) * 4 + 2);
        let near = |point: &&MapPoint| {
            let (dx, dy) = (i32::from(point.x) - x, i32::from(point.y) - y);
            (dx * dx + dy * dy, point.listed == 0)
        };
        let mut here = view.points.iter().filter(|point| {
            point.x.abs_diff(self.cursor.0 * 2) <= 6 && point.y.abs_diff(self.cursor.1 * 4) <= 12
        });
        let held = here.clone().find(|point| Some(point.sample) == self.held);
        held.or_else(|| here.by_ref().min_by_key(near))
    }

    /// The sample under the cursor.
    pub fn sample(&self) -> Option<SampleId> {
        self.point().map(|point| point.sample)
    }
}

impl Groups {
    /// The member under the cursor, if it is held.
    pub fn member(&self) -> Option<&chaffinch_protocol::GroupMember> {
        let group = self.shown.as_ref()?;
        group.members.get(self.cursor.checked_sub(group.start as usize)?)
    }
}

impl Views {
    /// The first of these pages is shown, and nothing is known yet.
    pub fn new(all: &'static [PageRef]) -> Views {
        // There is at least one, as a test makes sure.
        let first = all[0];
        Views {
            all,
            page: first,
            below: first,
            borrowed: None,
            columns: None,
            look: Look::default(),
            of: None,
            compare: Compare::default(),
            groups: Groups::default(),
            medoids: Medoids::default(),
            map: MapState::default(),
            last_ticket: 0,
            spoken: false,
            afresh: false,
            stale: false,
            kept: Kept::default(),
        }
    }

    /// The page that is shown at the start.
    pub fn first(&self) -> PageRef {
        self.all[0]
    }

    /// The page that owns an action.
    pub fn opened_by(&self, action: Action) -> Option<PageRef> {
        self.all.iter().copied().find(|page| page.actions().contains(&action))
    }
}

impl Medoids {
    /// The row in a cell.
    pub fn at(&self, cell: usize) -> Option<&Row> {
        let count = self.clusters.len();
        match self.clusters.get(cell) {
            Some(cluster) => Some(&cluster.medoid),
            None => self.clusters.get(cell.checked_sub(count)?).map(|cluster| &cluster.outermost),
        }
    }

    /// The row under the cursor.
    pub fn row(&self) -> Option<&Row> {
        self.at(self.cursor)
    }
}

/// Parts of the screen that all views share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// What the view itself has.
    pub body: Rect,
    /// Details of the sample under the cursor: a column at the side, or two lines below.
    pub info: Rect,
}

impl Screen {
    /// The parts for a terminal of this size.
    pub fn of(size: Size) -> Screen {
        let whole = Screen::whole(size);
        if whole.area() == 0 {
            return Screen::default();
        }
        if size.width >= 140 {
            let side = 48.min(size.width * 3 / 10);
            let body = Rect { width: whole.width - side - 1, ..whole };
            return Screen { body, info: Rect { x: body.right() + 1, width: side, ..whole } };
        }
        let lines = if whole.height >= 12 { 2 } else { 0 };
        let body = Rect { height: whole.height - lines, ..whole };
        Screen { body, info: Rect { y: body.bottom(), height: lines, ..whole } }
    }

    /// Everything between the first line and the last two.
    pub fn whole(size: Size) -> Rect {
        let layout = super::Layout::of(size, false);
        if layout.is_blank() {
            return Rect::default();
        }
        Rect::new(0, 1, size.width, size.height - 3)
    }
}

/// One picture of a view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shot {
    /// Its slot on the screen.
    pub slot: u32,
    /// What is shown.
    pub key: super::PictureKey,
    /// Where.
    pub area: Rect,
}

impl Shot {
    /// The picture in a cell.
    pub fn in_cell(place: usize, sample: SampleId, area: Rect) -> Shot {
        Shot { slot: slot::GRID + place as u32, key: (sample, area.as_size()).into(), area }
    }
}
