//! What views of many samples at once ask and are told: groups, clusters, the map, parts of a picture.

use crate::sample::SampleId;
use crate::{Row, Ticket};
use serde::{Deserialize, Serialize};

/// What a view asks of the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "view")]
pub enum ViewCommand {
    /// List the groups that detectors flag, worst first. Answered by [`ViewEvent::Groups`].
    Groups {
        /// Comes back with the answer.
        ticket: Ticket,
        /// Only groups that reach across splits.
        leaks: bool,
        /// Say where the group of this sample stands.
        sample: Option<SampleId>,
    },
    /// One group of that list, with a window of its members. Answered by [`ViewEvent::Group`].
    Group {
        /// The ticket of the list.
        ticket: Ticket,
        /// Which group.
        place: u64,
        /// First member.
        start: u64,
        /// How many.
        len: u32,
    },
    /// The next or previous group with a member that is not decided. Answered by [`ViewEvent::GroupFound`].
    FindGroup {
        /// The ticket of the list.
        ticket: Ticket,
        /// The group to start from, itself left out.
        from: u64,
        /// Forward or backward.
        forward: bool,
    },
    /// Keep one sample and remove others, as one entry of the journal. Answered by
    /// [`super::Event::Saved`] once it is on disk.
    KeepOnly {
        /// The one to keep.
        keep: SampleId,
        /// The others.
        remove: Vec<SampleId>,
    },
    /// The clusters of one class with their medoids. Answered by [`ViewEvent::Clusters`].
    Clusters {
        /// Comes back with the answer.
        ticket: Ticket,
        /// The class, a place in [`super::SessionSummary::classes`].
        class: u32,
        /// Say how alike each medoid is to this sample.
        beside: Option<SampleId>,
    },
    /// The embeddings in two dimensions, counted on a grid of points. Answered by [`ViewEvent::Map`].
    Map {
        /// Comes back with the answer.
        ticket: Ticket,
        /// Which map.
        axes: Axes,
        /// The list whose samples are told apart from the others; 0 for none.
        list: Ticket,
        /// The part of the map.
        area: Area,
        /// Points across.
        width: u16,
        /// Points down.
        height: u16,
    },
    /// Samples of a list that lie in a part of the map. Answered by [`ViewEvent::Inside`].
    Inside {
        /// Comes back with the answer.
        ticket: Ticket,
        /// Which map.
        axes: Axes,
        /// The list.
        list: Ticket,
        /// The part of the map.
        area: Area,
        /// At most so many of them, the first of the list first.
        most: u32,
    },
    /// A part of one picture, pixel by pixel. Answered by [`super::Event::Picture`].
    Part {
        /// Comes back with the answer.
        ticket: Ticket,
        /// Which place on the screen asks.
        slot: u32,
        /// The sample.
        sample: SampleId,
        /// The middle of the part, across and down, in shares of the picture: 0 to [`u16::MAX`]. Moved inwards
        /// where the part would reach beyond the picture.
        middle: (u16, u16),
        /// Greatest width of the part in pixels of the picture.
        width: u32,
        /// Greatest height.
        height: u32,
    },
}

/// What the two directions of a map are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axes {
    /// The two principal components: there at once.
    #[default]
    Components,
    /// Nothing by themselves: samples lie beside those they are like (t-SNE). Made in the background once it is asked for.
    Neighborhoods,
}

/// What the engine says to a view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "view")]
pub enum ViewEvent {
    /// The list of groups is ready.
    Groups {
        /// The ticket of the question.
        ticket: Ticket,
        /// Groups in it.
        total: u64,
        /// Of them, groups whose members are all decided.
        decided: u64,
        /// Where the group of the sample stands that was asked about.
        place: Option<u64>,
    },
    /// One group.
    Group(Box<GroupView>),
    /// The group that was looked for, if there is one.
    GroupFound {
        /// The ticket of the list.
        ticket: Ticket,
        /// Its place.
        place: Option<u64>,
    },
    /// The clusters of a class.
    Clusters {
        /// The ticket of the question.
        ticket: Ticket,
        /// The class.
        class: u32,
        /// The clusters, largest first.
        clusters: Vec<ClusterView>,
        /// How they were made, or why there are none, in one sentence.
        note: String,
    },
    /// The map.
    Map(Box<MapView>),
    /// Samples in a part of the map.
    Inside {
        /// The ticket of the question.
        ticket: Ticket,
        /// How many there are.
        total: u64,
        /// The first of them.
        samples: Vec<SampleId>,
    },
}

/// One group of copies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupView {
    /// The ticket of the list.
    pub ticket: Ticket,
    /// Its place in the list.
    pub place: u64,
    /// Who found it.
    pub detector: String,
    /// The splits it reaches across, where that makes it a leak.
    pub leak: Vec<String>,
    /// What the detector says of its worst member.
    pub reason: String,
    /// By which rule the first member is the best, in one sentence.
    pub rule: String,
    /// All members: the best first, the others in the order of the dataset.
    pub samples: Vec<SampleId>,
    /// The first member of the window.
    pub start: u64,
    /// The window.
    pub members: Vec<GroupMember>,
}

/// One member of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupMember {
    /// Its line.
    pub row: Row,
    /// Pixels as shown.
    pub width: u32,
    /// Pixels as shown.
    pub height: u32,
    /// File size.
    pub bytes: u64,
    /// What the detector that found the group scores it.
    pub score: Option<f32>,
    /// How alike it is to the best, as far as the detector says.
    pub similarity: Option<f32>,
}

/// One cluster of a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterView {
    /// The member that stands for it.
    pub medoid: Row,
    /// The member that is least like the medoid.
    pub outermost: Row,
    /// Members.
    pub size: u64,
    /// Of them, suspects.
    pub suspects: u64,
    /// Mean cosine of the members to the medoid.
    pub mean: f32,
    /// Cosine of the medoid to the sample that was asked about.
    pub similarity: Option<f32>,
}

/// A part of the map: shares of its whole width and height, 0 to 1, from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// Left border.
    pub left: f32,
    /// Upper border.
    pub top: f32,
    /// Right border, itself in it.
    pub right: f32,
    /// Lower border, itself in it.
    pub bottom: f32,
}

impl Area {
    /// The whole map.
    pub const WHOLE: Area = Area { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 };

    /// Whether a place lies in it.
    pub fn contains(&self, x: f32, y: f32) -> bool {
        x >= self.left && x <= self.right && y >= self.top && y <= self.bottom
    }
}

/// The embeddings in two dimensions, as far as they lie in an area.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapView {
    /// The ticket of the question.
    pub ticket: Ticket,
    /// The part of the map.
    pub area: Area,
    /// Points across.
    pub width: u16,
    /// Points down.
    pub height: u16,
    /// Which map it is: that of principal components while the other is being made.
    pub axes: Axes,
    /// The share of the other that is made, 0 to 1; none where nothing is under way.
    pub making: Option<f32>,
    /// How the map was made, or why there is none, in one sentence.
    pub note: String,
    /// Samples in the area.
    pub inside: u64,
    /// Points with samples, row by row.
    pub points: Vec<MapPoint>,
}

impl MapView {
    /// Nothing yet.
    pub fn empty(ticket: Ticket, area: Area, (width, height): (u16, u16)) -> MapView {
        // More points than any terminal has are a mistake.
        let (width, height) = (width.clamp(1, 4096), height.clamp(1, 4096));
        let (axes, making, note) = (Axes::default(), None, String::new());
        MapView { ticket, area, width, height, axes, making, note, inside: 0, points: Vec::new() }
    }
}

/// One point of the map with the samples that fall on it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapPoint {
    /// Column.
    pub x: u16,
    /// Row.
    pub y: u16,
    /// Samples.
    pub all: u32,
    /// Of them, samples of the list.
    pub listed: u32,
    /// The first of the list, else the first of the dataset.
    pub sample: SampleId,
    /// Its given label.
    pub label: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, Event};

    #[test]
    fn views_pass_as_text_like_everything_else() {
        let keep = ViewCommand::KeepOnly { keep: SampleId(3), remove: vec![SampleId(1), SampleId(7)] };
        let command = Command::View(keep);
        let text = serde_json::to_string(&command).unwrap();
        assert_eq!(serde_json::from_str::<Command>(&text).unwrap(), command);
        assert!(text.contains("\"command\":\"view\"") && text.contains("\"view\":\"keep_only\""), "{text}");
        let point = MapPoint { x: 1, y: 2, all: 3, listed: 1, sample: SampleId(9), label: Some(4) };
        let (ticket, note) = (5, "by two axes".to_owned());
        let map = MapView {
            ticket,
            area: Area::WHOLE,
            width: 160,
            height: 80,
            axes: Axes::Neighborhoods,
            making: Some(0.5),
            note,
            inside: 3,
            points: vec![point],
        };
        let event = Event::View(Box::new(ViewEvent::Map(Box::new(map))));
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }
}
