//! The fake engine's responses to views.

use super::engine::FakeEngine;
use chaffinch_protocol::decision::{Choice, Decision};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::search::SearchText;
use chaffinch_protocol::{
    Axes, ClusterView, Command, Event, GroupBest, GroupMember, GroupView, MapPoint, MapView, Ticket,
    ViewCommand, ViewEvent,
};

/// The position of a sample on the fake map: each class is in a corner.
fn place(sample: SampleId, crowded: bool) -> (f32, f32) {
    let n = sample.0;
    if crowded {
        return (0.3 + (n / 3) as f32 * 4e-4, 0.3 + (n % 3) as f32 * 4e-4);
    }
    let (x, y) = ((n % 4 % 2) as f32, (n % 4 / 2) as f32);
    let turn = n as f32 * 2.4;
    let far = (n % 13) as f32 / 13.0 * 0.18;
    (0.25 + x * 0.5 + turn.cos() * far, 0.25 + y * 0.5 + turn.sin() * far)
}

impl FakeEngine {
    pub(super) fn view(&mut self, command: ViewCommand) -> Vec<Event> {
        let event = match command {
            ViewCommand::Groups { ticket, leaks, sample } => {
                let shown: Vec<&Vec<SampleId>> = self.shown_groups(leaks);
                let place = sample.and_then(|s| shown.iter().position(|group| group.contains(&s)));
                let decided = shown.iter().filter(|group| self.is_decided(group)).count() as u64;
                let (total, place) = (shown.len() as u64, place.map(|place| place as u64));
                self.group_ticket = (ticket, leaks);
                ViewEvent::Groups { ticket, total, decided, place }
            }
            ViewCommand::Group { ticket, place, start, len } if ticket == self.group_ticket.0 => {
                ViewEvent::Group(Box::new(self.group(ticket, place, start, len)))
            }
            ViewCommand::FindGroup { ticket, from, forward } => {
                let shown = self.shown_groups(self.group_ticket.1);
                let open = |place: &usize| !self.is_decided(shown[*place]);
                let from = from as usize;
                let place =
                    if forward { (from + 1..shown.len()).find(open) } else { (0..from).rev().find(open) };
                ViewEvent::GroupFound { ticket, place: place.map(|place| place as u64) }
            }
            ViewCommand::KeepOnly { keep, remove } => return self.keep_only(keep, &remove),
            ViewCommand::Clusters { ticket, class, beside } => {
                let members: Vec<u32> = self
                    .samples
                    .iter()
                    .filter(|row| row.label == Some(class))
                    .map(|row| row.sample.0)
                    .collect();
                let clusters = members
                    .chunks(members.len().div_ceil(3).max(1))
                    .map(|part| ClusterView {
                        medoid: self.samples[part[0] as usize].clone(),
                        outermost: self.samples[part[part.len() - 1] as usize].clone(),
                        size: part.len() as u64,
                        suspects: 2,
                        mean: 0.83,
                        similarity: beside.map(|_| 0.7),
                    })
                    .collect();
                ViewEvent::Clusters { ticket, class, clusters, note: "pretended clusters".to_owned() }
            }
            ViewCommand::Search { ticket, text, from, forward, .. } => {
                let text = SearchText::new(&text);
                let class =
                    |label: Option<u32>| label.map_or("", |l| self.summary.classes[l as usize].as_str());
                let has = |name: &str| text.as_ref().is_some_and(|text| text.is_in(name));
                let hit = |sample: &SampleId| {
                    let row = &self.samples[sample.index()];
                    has(&row.path) || has(class(row.label)) || has(class(row.suggested))
                };
                let hits: Vec<u64> =
                    (0..).zip(&self.list).filter(|(_, sample)| hit(sample)).map(|(row, _)| row).collect();
                let place = match forward {
                    true => hits.iter().position(|row| *row >= from).or((!hits.is_empty()).then_some(0)),
                    false => hits.iter().rposition(|row| *row <= from).or(hits.len().checked_sub(1)),
                };
                let row = place.map(|place| hits[place]);
                let place = place.map_or(0, |place| place as u64 + 1);
                ViewEvent::Hits { ticket, row, place, total: hits.len() as u64 }
            }
            ViewCommand::Map { ticket, axes, area, width, height, of, .. } => {
                let at = |sample: SampleId| place(sample, self.crowded);
                let points: Vec<MapPoint> = (0..self.samples.len() as u32)
                    .map(SampleId)
                    .filter(|sample| area.contains(at(*sample).0, at(*sample).1))
                    .map(|sample| {
                        let (x, y) = at(sample);
                        let x = (x - area.left) / (area.right - area.left) * f32::from(width - 1);
                        let y = (y - area.top) / (area.bottom - area.top) * f32::from(height - 1);
                        let listed = u32::from(self.list.contains(&sample));
                        let label = self.samples[sample.index()].label;
                        MapPoint { x: x as u16, y: y as u16, all: 1, listed, sample, label }
                    })
                    .collect();
                // One sample stands for those of a point: the one that was asked about.
                let mut points = points;
                if self.crowded {
                    points.sort_by_key(|point| (point.x, point.y, Some(point.sample) != of));
                    points.dedup_by_key(|point| (point.x, point.y));
                }
                let (inside, note) = (points.len() as u64, "a pretended map".to_owned());
                // The other map takes two questions.
                let asked = |command: &&Command| {
                    matches!(command, Command::View(ViewCommand::Map { axes: Axes::Neighborhoods, .. }))
                };
                let made = self.seen.iter().filter(asked).count() > 2;
                let making = (axes == Axes::Neighborhoods && !made).then_some(0.34);
                let axes = if making.is_some() { Axes::Components } else { axes };
                let empty = MapView::empty(ticket, area, (width, height));
                ViewEvent::Map(Box::new(MapView {
                    axes,
                    making,
                    note,
                    inside,
                    points,
                    of: of.map(at),
                    ..empty
                }))
            }
            ViewCommand::Inside { ticket, area, most, .. } => {
                let at = |sample: SampleId| place(sample, self.crowded);
                let lies = |s: &&SampleId| area.contains(at(**s).0, at(**s).1);
                let mut samples: Vec<SampleId> = self.list.iter().filter(lies).copied().collect();
                let total = samples.len() as u64;
                samples.truncate(most as usize);
                ViewEvent::Inside { ticket, total, samples }
            }
            ViewCommand::Part { ticket, slot, sample, width, height, .. } => {
                return vec![Event::Picture(self.picture(ticket, slot, sample, width, height))];
            }
            ViewCommand::GroupBest { ticket, place } => {
                let samples = self.shown_groups(self.group_ticket.1)[place as usize].clone();
                let best = ["keep-larger", "keep-sharper", "keep-labeled", "keep-older", "keep-test"];
                let best = best.into_iter().enumerate().map(|(at, policy)| {
                    let keep = samples[at % samples.len()];
                    GroupBest {
                        policy: policy.to_owned(),
                        rule: "a pretended rule".to_owned(),
                        keep,
                        path: self.samples[keep.index()].path.clone(),
                        because: "500×375".to_owned(),
                    }
                });
                let best = best.collect();
                ViewEvent::GroupBest { ticket, place, samples, best }
            }
            ViewCommand::Group { .. } => return Vec::new(),
        };
        vec![Event::View(Box::new(event))]
    }

    fn shown_groups(&self, leaks: bool) -> Vec<&Vec<SampleId>> {
        let leak = |group: &&Vec<SampleId>| {
            let splits = group.iter().map(|s| self.samples[s.index()].split);
            !leaks || splits.collect::<std::collections::BTreeSet<_>>().len() > 1
        };
        self.groups.iter().filter(leak).collect()
    }

    fn is_decided(&self, group: &[SampleId]) -> bool {
        group.iter().all(|s| self.samples[s.index()].decision.is_some())
    }

    fn groups_decided(&self) -> u64 {
        let groups = self.shown_groups(self.group_ticket.1);
        groups.into_iter().filter(|group| self.is_decided(group)).count() as u64
    }

    fn group(&self, ticket: Ticket, place: u64, start: u64, len: u32) -> GroupView {
        let samples = self.shown_groups(self.group_ticket.1)[place as usize].clone();
        let held = samples.iter().enumerate().skip(start as usize).take(len as usize);
        let member = |(at, sample): (usize, &SampleId)| GroupMember {
            row: self.samples[sample.index()].clone(),
            width: 500_u32.saturating_sub(at as u32 * 20),
            height: 375,
            bytes: 34_567,
            score: Some(0.1),
            similarity: (at > 0).then_some(0.97),
        };
        GroupView {
            groups_decided: self.groups_decided(),
            ticket,
            place,
            detector: "duplicate".to_owned(),
            leak: if self.group_ticket.1 { vec!["train".to_owned(), "test".to_owned()] } else { Vec::new() },
            likeness: self.likeness,
            labels_differ: samples
                .iter()
                .any(|s| self.samples[s.index()].label != self.samples[samples[0].index()].label),
            reason: "Two other files show the same picture.".to_owned(),
            rule: "best: highest score of duplicate, then train before test, most pixels".to_owned(),
            members: held.map(member).collect(),
            start,
            samples,
        }
    }

    fn keep_only(&mut self, keep: SampleId, remove: &[SampleId]) -> Vec<Event> {
        let all = [&[keep], remove].concat();
        let choice = |sample: &SampleId| if *sample == keep { Choice::Keep } else { Choice::Remove };
        let each = all.iter().map(|sample| Some(Decision::from(choice(sample)))).collect();
        let text = format!("{} samples: keep 1 and remove {}", all.len(), remove.len());
        self.enter(all, each, &text)
    }
}
