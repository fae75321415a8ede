//! The views beside the list: grid, compare, groups, clusters and map. What they know, and where it stands on the
//! screen.

mod cells;

pub use cells::Cells;

use super::{Model, slot};
use crate::picture::Part;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Area, Axes, ClusterView, GroupView, MapPoint, MapView, Row, Ticket};
use ratatui::layout::{Rect, Size};
use std::collections::BTreeMap;

/// What fills the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// The list with the sample beside it.
    #[default]
    List,
    /// The list as pictures.
    Grid,
    /// Two samples side by side.
    Compare,
    /// One group of copies.
    Group,
    /// The clusters of one class.
    Clusters,
    /// The embeddings in two dimensions.
    Map,
}

impl Page {
    /// Whether its cursor is the list's.
    pub fn is_over_the_list(self) -> bool {
        matches!(self, Page::List | Page::Grid | Page::Compare)
    }
}

/// All views.
#[derive(Clone, Debug, Default)]
pub struct Views {
    /// What is shown.
    pub page: Page,
    /// What is shown when a view over it is closed.
    pub below: Page,
    /// Columns of the grid, where a person chose.
    pub columns: Option<u16>,
    /// Names and scores are left out, so that pictures are larger and nothing but them is judged.
    pub bare: bool,
    /// A part of the picture is shown, pixel by pixel.
    pub part: Option<Part>,
    /// The chosen one of the samples shown beside the one under the cursor.
    pub chosen: Option<usize>,
    /// The sample that was under the cursor.
    pub of: Option<SampleId>,
    /// Side by side, or by turns.
    pub compare: Compare,
    /// Groups of copies.
    pub groups: Groups,
    /// Clusters of a class.
    pub medoids: Medoids,
    /// The map.
    pub map: MapState,
    /// The last ticket given out.
    pub last_ticket: Ticket,
    /// Everything is told in lines: views that are nothing without pictures are not shown.
    pub spoken: bool,
    /// What is shown may have changed: it is asked for again.
    pub stale: bool,
    /// Width and height of pictures seen in part.
    pub whole: BTreeMap<SampleId, (u32, u32)>,
}

/// Two samples.
#[derive(Clone, Debug, Default)]
pub struct Compare {
    /// One place for both; true while the other one is in it.
    pub blink: Option<bool>,
}

/// A sample that another is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Beside {
    /// The sample.
    pub sample: SampleId,
    /// Why it is shown: `copy`, `near`, `medoid`, …
    pub kind: &'static str,
    /// Its path.
    pub path: String,
    /// Its given label.
    pub label: Option<u32>,
    /// Cosine, or what the detector says.
    pub similarity: Option<f32>,
}

/// The list of groups, and the one that is shown.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// The list's ticket; 0 before it is asked for.
    pub ticket: Ticket,
    /// Only leaks.
    pub leaks: bool,
    /// Groups, once known.
    pub total: Option<u64>,
    /// Of them, decided as a whole when the list was made.
    pub decided: u64,
    /// The group that is wanted.
    pub place: u64,
    /// The sample whose group is looked for.
    pub of: Option<SampleId>,
    /// The group that is shown.
    pub shown: Option<Box<GroupView>>,
    /// The member under the cursor, counted from the first of all.
    pub cursor: usize,
    /// The question under way: group, first member, when.
    pub asked: Option<(u64, u64, u64)>,
    /// Where nothing below is undecided, it is looked for above.
    pub then_above: bool,
}

/// The clusters of one class.
#[derive(Clone, Debug, Default)]
pub struct Medoids {
    /// The class that is wanted.
    pub class: Option<u32>,
    /// What was asked last: ticket, class, sample, when; it is answered where the last is none.
    pub asked: Option<(Ticket, u32, Option<SampleId>, Option<u64>)>,
    /// The class that is known, and the sample that similarities are to.
    pub known: Option<(u32, Option<SampleId>)>,
    /// Its clusters.
    pub clusters: Vec<ClusterView>,
    /// How they were made, or why there are none.
    pub note: String,
    /// The cell under the cursor: the medoids first, then who is farthest from each.
    pub cursor: usize,
}

/// What was asked of the map: list, part, size in points.
pub type MapQuestion = (Ticket, Axes, Area, (u16, u16));

/// The map.
#[derive(Clone, Debug, Default)]
pub struct MapState {
    /// Which map is wanted.
    pub axes: Axes,
    /// When to ask whether it is made.
    pub again: Option<u64>,
    /// How often it was enlarged by half, and where its upper left corner is, in shares of the whole.
    pub zoom: u8,
    /// Left border.
    pub left: f32,
    /// Upper border.
    pub top: f32,
    /// The cell of the cursor.
    pub cursor: (u16, u16),
    /// The cell where an area begins.
    pub corner: Option<(u16, u16)>,
    /// What is shown.
    pub shown: Option<Box<MapView>>,
    /// The question that it answers, or that is under way with its ticket and time.
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
        let here = view.points.iter().filter(|point| {
            point.x.abs_diff(self.cursor.0 * 2) <= 6 && point.y.abs_diff(self.cursor.1 * 4) <= 12
        });
        here.min_by_key(near)
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
    /// The row under the cursor of a view that has its own.
    pub fn row<'a>(&'a self, model: &'a Model) -> Option<&'a Row> {
        match self.page {
            Page::Group => self.groups.member().map(|member| &member.row),
            Page::Clusters => self.medoids.row(),
            Page::Map => model.details.get(self.map.sample()?).map(|detail| &detail.row),
            Page::List | Page::Grid | Page::Compare => None,
        }
    }

    /// All members of the group that is shown.
    pub fn group_samples(&self) -> Option<Vec<SampleId>> {
        let group = self.groups.shown.as_ref().filter(|_| self.page == Page::Group)?;
        Some(group.samples.clone())
    }

    /// Changes the rows that are held.
    pub fn each_row_mut(&mut self, mut change: impl FnMut(&mut Row)) {
        if let Some(group) = &mut self.groups.shown {
            group.members.iter_mut().for_each(|member| change(&mut member.row));
        }
        for cluster in &mut self.medoids.clusters {
            change(&mut cluster.medoid);
            change(&mut cluster.outermost);
        }
    }

    /// The cells of the grid, where that is shown.
    pub fn grid(&self, model: &Model) -> Option<Cells> {
        (self.page == Page::Grid).then(|| {
            let body = Screen::of(model.size).body;
            let columns = self.columns.unwrap_or(body.width / 16);
            Cells::of(body, columns, u16::from(!self.bare))
        })
    }

    /// Cells on one page of the grid, where that is shown.
    pub fn grid_page(&self, model: &Model) -> Option<u64> {
        self.grid(model).map(|cells| cells.count() as u64)
    }

    /// Columns of the grid, where that is shown.
    pub fn grid_columns(&self, model: &Model) -> Option<u16> {
        self.grid(model).map(|cells| cells.columns)
    }

    /// The sample that is compared, where that is shown.
    pub fn other(&self, model: &Model) -> Option<SampleId> {
        (self.page == Page::Compare).then(|| self.beside(model))?.map(|beside| beside.sample)
    }

    /// The chosen one of the samples beside the one under the cursor.
    pub fn beside(&self, model: &Model) -> Option<Beside> {
        let mut all = model.besides();
        if all.is_empty() {
            return None;
        }
        let chosen = self.chosen.unwrap_or(0).min(all.len() - 1);
        Some(all.swap_remove(chosen))
    }

    /// The dataset or what is known of it has changed: everything is asked for again.
    pub fn forget(&mut self) {
        self.stale = true;
        self.groups.ticket = 0;
        self.groups.total = None;
        self.groups.asked = None;
        self.groups.of = self.groups.member().map(|member| member.row.sample);
        self.medoids.asked = None;
        self.map.asked = None;
    }

    /// Questions from before `limit` are asked again.
    pub fn give_up(&mut self, limit: u64) {
        self.groups.asked = self.groups.asked.filter(|(.., at)| *at > limit);
        if self.medoids.asked.is_some_and(|(.., at)| at.is_some_and(|at| at <= limit)) {
            self.medoids.asked = None;
        }
        if self.map.asked.is_some_and(|(.., at)| at.is_some_and(|at| at <= limit)) {
            self.map.asked = None;
        }
    }

    /// When the oldest unanswered question was asked.
    pub fn oldest(&self) -> Option<u64> {
        let medoids = self.medoids.asked.and_then(|(.., at)| at);
        let map = self.map.asked.and_then(|(.., at)| at);
        [self.groups.asked.map(|(.., at)| at), medoids, map].into_iter().flatten().min()
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

impl Model {
    /// The samples that the one under the cursor can be compared with: the evidence of what flags it, its neighbours,
    /// the medoids of its class.
    pub fn besides(&self) -> Vec<Beside> {
        let Some(detail) = self.sample().and_then(|sample| self.details.get(sample)) else {
            return Vec::new();
        };
        let group = crate::update::group(detail);
        let mut all: Vec<Beside> = crate::view::related(detail)
            .into_iter()
            .map(|(kind, other)| Beside {
                sample: other.sample,
                kind: if group.contains(&other.sample) { "copy" } else { kind },
                path: other.path.clone(),
                label: other.label,
                similarity: Some(other.similarity),
            })
            .collect();
        let sample = detail.row.sample;
        let known = self.views.medoids.known;
        if known.is_some_and(|(class, of)| Some(class) == detail.row.label && of == Some(sample)) {
            for cluster in &self.views.medoids.clusters {
                let row = &cluster.medoid;
                if row.sample != sample && !all.iter().any(|other| other.sample == row.sample) {
                    all.push(Beside {
                        sample: row.sample,
                        kind: "medoid",
                        path: row.path.clone(),
                        label: row.label,
                        similarity: cluster.similarity,
                    });
                }
            }
        }
        all
    }
}

/// Parts of the screen that all views share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// What the view itself has.
    pub body: Rect,
    /// What is said about the sample under the cursor: a column at the side, or two lines below.
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
        if layout.top.area() == 0 {
            return Rect::default();
        }
        Rect::new(0, 1, size.width, size.height - 3)
    }
}

/// One picture of a view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shot {
    /// Which place on the screen.
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
