//! Commands and events of views of many samples: groups, clusters, the map, parts of a picture.

use crate::sample::SampleId;
use crate::{Row, Ticket};
use serde::{Deserialize, Serialize};

/// A command from a view to the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "view")]
pub enum ViewCommand {
    /// List the groups that detectors flag, worst first. Answered by [`ViewEvent::Groups`].
    Groups {
        /// Returned with the answer.
        ticket: Ticket,
        /// Only groups that span splits.
        leaks: bool,
        /// Also return the index of the group of this sample.
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
    /// The next or previous group with an undecided member. Answered by [`ViewEvent::GroupFound`].
    FindGroup {
        /// The ticket of the list.
        ticket: Ticket,
        /// The group to start from, exclusive.
        from: u64,
        /// Forward or backward.
        forward: bool,
    },
    /// Which member of a group each policy would keep. Answered by [`ViewEvent::GroupBest`].
    GroupBest {
        /// The ticket of the list.
        ticket: Ticket,
        /// Which group.
        place: u64,
    },
    /// Keep one sample and remove others, as one journal entry. Answered by [`super::Event::Saved`] once it is on disk.
    KeepOnly {
        /// The one to keep.
        keep: SampleId,
        /// The others.
        remove: Vec<SampleId>,
    },
    /// The clusters of one class with their medoids. Answered by [`ViewEvent::Clusters`].
    Clusters {
        /// Returned with the answer.
        ticket: Ticket,
        /// The class, an index into [`super::SessionSummary::classes`].
        class: u32,
        /// Also return the similarity of each medoid to this sample.
        beside: Option<SampleId>,
    },
    /// The embeddings in two dimensions, counted on a grid of points. Answered by [`ViewEvent::Map`].
    Map {
        /// Returned with the answer.
        ticket: Ticket,
        /// Which map.
        axes: Axes,
        /// The list whose samples are highlighted; 0 for none.
        list: Ticket,
        /// The part of the map.
        area: Area,
        /// Points across.
        width: u16,
        /// Points down.
        height: u16,
        /// Also return where this sample lies.
        of: Option<SampleId>,
    },
    /// The rows of a list that have a text in their path or their labels. Answered by [`ViewEvent::Hits`].
    Search {
        /// Returned with the answer.
        ticket: Ticket,
        /// The list.
        list: Ticket,
        /// The text, in any case; after a tilde, letters that occur in this order.
        text: String,
        /// The row to start from, inclusive.
        from: u64,
        /// Forward or backward; at the end it goes on at the other one.
        forward: bool,
    },
    /// Samples of a list inside a part of the map. Answered by [`ViewEvent::Inside`].
    Inside {
        /// Returned with the answer.
        ticket: Ticket,
        /// Which map.
        axes: Axes,
        /// The list.
        list: Ticket,
        /// The part of the map.
        area: Area,
        /// Maximum number of samples, in list order.
        most: u32,
    },
    /// A part of one picture at full resolution. Answered by [`super::Event::Picture`].
    Part {
        /// Returned with the answer.
        ticket: Ticket,
        /// Which slot of the screen asks.
        slot: u32,
        /// The sample.
        sample: SampleId,
        /// The center of the part, horizontal and vertical, as a fraction of the picture: 0 to [`u16::MAX`]. Shifted
        /// inwards if the part would extend beyond the picture.
        middle: (u16, u16),
        /// Maximum width of the part in pixels of the picture.
        width: u32,
        /// Maximum height.
        height: u32,
        /// Whether the parts that matter to detectors are marked.
        #[serde(default)]
        regions: bool,
        /// Whether it is dark but where the model sees the given label, or what the list is searched for.
        #[serde(default)]
        relevance: bool,
    },
}

/// What the two axes of a map are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axes {
    /// The two principal components: available immediately.
    #[default]
    Components,
    /// Axes without a meaning of their own: similar samples are next to each other (t-SNE). Computed in the background
    /// on first request.
    Neighborhoods,
    /// The same by uniform manifold approximation (UMAP), which keeps more of how groups lie to each other. Computed in the background on
    /// first request.
    Umap,
}

impl Axes {
    /// What such a map is called in a filter.
    pub const fn key(self) -> &'static str {
        match self {
            Axes::Components => "map",
            Axes::Neighborhoods => "tsne",
            Axes::Umap => "umap",
        }
    }

    /// The next one of those that keys go through.
    #[must_use]
    pub const fn next(self) -> Axes {
        match self {
            Axes::Components => Axes::Neighborhoods,
            Axes::Neighborhoods => Axes::Umap,
            Axes::Umap => Axes::Components,
        }
    }
}

/// An event from the engine to a view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "view")]
pub enum ViewEvent {
    /// The list of groups is ready.
    Groups {
        /// The ticket of the question.
        ticket: Ticket,
        /// Groups in it.
        total: u64,
        /// Groups whose members are all decided.
        decided: u64,
        /// The index of the group of the requested sample.
        place: Option<u64>,
    },
    /// One group.
    Group(Box<GroupView>),
    /// The group that was searched for, if there is one.
    GroupFound {
        /// The ticket of the list.
        ticket: Ticket,
        /// Its index.
        place: Option<u64>,
    },
    /// Which member of a group each policy would keep.
    GroupBest {
        /// The ticket of the list.
        ticket: Ticket,
        /// The index of the group.
        place: u64,
        /// Its members as they were compared.
        samples: Vec<SampleId>,
        /// The policies, in the order of the command line.
        best: Vec<GroupBest>,
    },
    /// The clusters of a class.
    Clusters {
        /// The ticket of the question.
        ticket: Ticket,
        /// The class.
        class: u32,
        /// The clusters, largest first.
        clusters: Vec<ClusterView>,
        /// How they were computed, or why there are none, in one sentence.
        note: String,
    },
    /// The map.
    Map(Box<MapView>),
    /// Rows with a text.
    Hits {
        /// The ticket of the question.
        ticket: Ticket,
        /// The nearest one in the direction that was asked for.
        row: Option<u64>,
        /// Its number among them, from 1.
        place: u64,
        /// How many there are.
        total: u64,
    },
    /// Samples in a part of the map.
    Inside {
        /// The ticket of the question.
        ticket: Ticket,
        /// Total number of samples.
        total: u64,
        /// The first of them.
        samples: Vec<SampleId>,
    },
}

/// How alike the members of a group are, from surest to vaguest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likeness {
    /// Every file has the same bytes.
    SameBytes,
    /// The decoded pixels are the same.
    SamePixels,
    /// The same picture, saved or scaled another way, confirmed by a second look at the pixels.
    SamePicture,
    /// Alike: a template, a burst, a crop. Not to be offered for removal.
    #[default]
    Alike,
}

impl Likeness {
    /// Whether the members are copies, of which one may be kept and the others removed.
    pub fn is_copy(self) -> bool {
        self != Likeness::Alike
    }
}

/// One group of copies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupView {
    /// The ticket of the list.
    pub ticket: Ticket,
    /// Its index in the list.
    pub place: u64,
    /// Groups of the list of which every member is decided now.
    #[serde(default)]
    pub groups_decided: u64,
    /// The detector that found it.
    pub detector: String,
    /// The splits it spans, if that makes it a leak.
    pub leak: Vec<String>,
    /// How alike its members are, at least.
    pub likeness: Likeness,
    /// Whether its members have different labels.
    pub labels_differ: bool,
    /// The detector's reason for its worst member.
    pub reason: String,
    /// The rule by which the first member is the best, in one sentence.
    pub rule: String,
    /// All members: the best first, the others in dataset order.
    pub samples: Vec<SampleId>,
    /// The first member of the window.
    pub start: u64,
    /// The window.
    pub members: Vec<GroupMember>,
}

/// Which member of a group a policy would keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupBest {
    /// The name of the policy, as on the command line: `keep-larger`.
    pub policy: String,
    /// What it goes by, in a few words.
    pub rule: String,
    /// The member that it keeps.
    pub keep: SampleId,
    /// That member's path, made safe for a terminal.
    pub path: String,
    /// What speaks for it, in a few words: `640×480, the others at most 320×240`.
    pub because: String,
}

/// One member of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupMember {
    /// Its row.
    pub row: Row,
    /// Size in pixels after applying the orientation.
    pub width: u32,
    /// Size in pixels after applying the orientation.
    pub height: u32,
    /// File size.
    pub bytes: u64,
    /// Its score from the detector that found the group.
    pub score: Option<f32>,
    /// Its similarity to the best member, if the detector reports it.
    pub similarity: Option<f32>,
}

/// One cluster of a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterView {
    /// The member that represents it.
    pub medoid: Row,
    /// The member least similar to the medoid.
    pub outermost: Row,
    /// Members.
    pub size: u64,
    /// Members that are suspects.
    pub suspects: u64,
    /// Mean cosine of the members to the medoid.
    pub mean: f32,
    /// Cosine of the medoid to the requested sample.
    pub similarity: Option<f32>,
}

/// A part of the map, as fractions of its width and height, 0 to 1, from the top left corner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// Left edge.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Right edge, inclusive.
    pub right: f32,
    /// Bottom edge, inclusive.
    pub bottom: f32,
}

impl Area {
    /// The whole map.
    pub const WHOLE: Area = Area { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 };

    /// Whether it contains a point.
    pub fn contains(&self, x: f32, y: f32) -> bool {
        x >= self.left && x <= self.right && y >= self.top && y <= self.bottom
    }
}

/// The embeddings in two dimensions, inside an area.
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
    /// Which map it is: principal components while the other one is being computed.
    pub axes: Axes,
    /// The progress of the other map, 0 to 1; `None` if it is not being computed.
    pub making: Option<f32>,
    /// How the map was computed, or why there is none, in one sentence.
    pub note: String,
    /// Samples in the area.
    pub inside: u64,
    /// Where the sample lies that was asked about, across and down in shares of the whole map; `None` without an embedding.
    #[serde(default)]
    pub of: Option<(f32, f32)>,
    /// Points with samples, row by row.
    pub points: Vec<MapPoint>,
}

impl MapView {
    /// An empty map.
    pub fn empty(ticket: Ticket, area: Area, (width, height): (u16, u16)) -> MapView {
        // More points than any terminal has would be a mistake.
        let (width, height) = (width.clamp(1, 4096), height.clamp(1, 4096));
        let (axes, making, note) = (Axes::default(), None, String::new());
        MapView { ticket, area, width, height, axes, making, note, inside: 0, of: None, points: Vec::new() }
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
    /// Samples of the list.
    pub listed: u32,
    /// The first sample of the list, or else of the dataset.
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
            of: Some((0.5, 0.25)),
        };
        let event = Event::View(Box::new(ViewEvent::Map(Box::new(map))));
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }
}
