//! A fake engine: a few generated samples, no files, instant responses.

use chaffinch_protocol::decision::{Choice, Decision};
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_protocol::{
    Blind, Candidate, Command, Compared, Detail, DetailAttribute, DetailEntry, DetailIssue, DetailRegion,
    DetailRelated, DetectorSummary, Event, Likeness, ListCounts, ListedRow, PROTOCOL_VERSION, Picture,
    PromptSheet, Query, Row, Saved, SavedKind, SessionSummary, Sort, Ticket, Tried,
};
use std::collections::BTreeMap;

/// One entry of the journal: what was before and the decision.
type Entry = (Vec<SampleId>, Vec<Option<Decision>>, Vec<Option<Decision>>);

/// The fake engine.
pub(crate) struct FakeEngine {
    pub(crate) summary: SessionSummary,
    pub(crate) samples: Vec<Row>,
    pub(crate) unreadable: BTreeMap<SampleId, String>,
    pub(crate) groups: Vec<Vec<SampleId>>,
    /// How alike the members of its groups are.
    pub(crate) likeness: Likeness,
    pub(crate) refuse: Option<String>,
    /// What other reviewers decided, about every sample.
    pub(crate) others: Vec<(String, String)>,
    /// What was said about every sample.
    pub(crate) history: Vec<DetailEntry>,
    /// What detectors say of every sample.
    pub(crate) attributes: Vec<DetailAttribute>,
    pub(crate) regions: Vec<DetailRegion>,
    /// What a detector has found since: listed before everything else.
    pub(crate) first: Vec<SampleId>,
    /// What its learned orders say; none is there without it.
    pub(crate) note: String,
    pub(crate) seen: Vec<Command>,
    /// Detectors that were disabled, and those that were let in.
    pub(super) off: Vec<String>,
    pub(super) let_in: Vec<String>,
    /// Whether there are results of a detector that is not loaded, and whether they were removed.
    pub(super) absent: bool,
    pub(super) removed: bool,
    /// The list of groups: its ticket, and whether it holds leaks only.
    pub(super) group_ticket: (Ticket, bool),
    pub(super) list: Vec<SampleId>,
    ticket: Ticket,
    pub(super) done: Vec<Entry>,
    pub(super) undone: Vec<Entry>,
    /// Whether all samples lie close together on the map.
    pub(super) crowded: bool,
    /// The prompts in use, and why nothing is counted with others.
    pub(super) prompts: PromptSheet,
    pub(super) uncounted: Option<String>,
}

fn detector(name: &str, summary: &str, threshold: f32, flagged: u64) -> DetectorSummary {
    DetectorSummary {
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        summary: summary.to_owned(),
        threshold,
        default: threshold,
        scored: 100,
        flagged,
        seconds: 1.5,
        ..DetectorSummary::default()
    }
}

impl FakeEngine {
    /// This many samples of four classes, the first one worst.
    pub(crate) fn new(count: u32) -> FakeEngine {
        let classes: Vec<String> = ["bird", "cat", "dog", "horse"].map(str::to_owned).into();
        let detectors = vec![
            detector("blurry", "the picture is out of focus", 0.3, 3),
            detector("duplicate", "the same picture twice", 0.5, 2),
            detector("label-error", "the label is probably wrong", 0.5, 40),
        ];
        let samples = (0..count)
            .map(|n| {
                let label = n % 4;
                let suggested = (n % 3 == 0).then_some((label + 1) % 4);
                Row {
                    sample: SampleId(n),
                    path: format!("train/{}/n{n:05}.jpg", classes[label as usize]),
                    label: Some(label),
                    suggested,
                    score: Some((n as f32 / count.max(1) as f32 * 0.9 + 0.02).min(1.0)),
                    flags: match n % 3 {
                        0 => vec![2],
                        1 => vec![0, 2],
                        _ => vec![1],
                    },
                    split: if n % 5 == 4 { Split::Test } else { Split::Train },
                    decision: None,
                    value: None,
                    content: String::new(),
                }
            })
            .collect();
        FakeEngine {
            summary: SessionSummary {
                protocol: PROTOCOL_VERSION,
                dataset: "/data/animals".to_owned(),
                session: "/state/animals".to_owned(),
                samples: u64::from(count),
                classes,
                model: "tiny-clip on cpu".to_owned(),
                detectors,
                reviewer: "ana".to_owned(),
                reviewers: vec!["ana".to_owned()],
                suspects: u64::from(count),
                ..SessionSummary::default()
            },
            samples,
            unreadable: BTreeMap::new(),
            groups: vec![vec![SampleId(2), SampleId(14), SampleId(26)]],
            likeness: Likeness::SamePicture,
            refuse: None,
            others: Vec::new(),
            history: Vec::new(),
            attributes: Vec::new(),
            regions: Vec::new(),
            first: Vec::new(),
            note: String::new(),
            seen: Vec::new(),
            off: Vec::new(),
            absent: false,
            removed: false,
            let_in: Vec::new(),
            group_ticket: (0, false),
            list: Vec::new(),
            ticket: 0,
            done: Vec::new(),
            crowded: false,
            undone: Vec::new(),
            prompts: super::prompts::sheet(),
            uncounted: None,
        }
    }

    /// What it says first.
    pub(crate) fn hello(&self) -> Event {
        Event::Session(Box::new(self.summary.clone()))
    }

    /// Its answers to one command.
    pub(crate) fn handle(&mut self, command: Command) -> Vec<Event> {
        self.seen.push(command.clone());
        match command {
            Command::List { ticket, query } => vec![self.list(ticket, &query)],
            Command::Rows { ticket, start, len } if ticket == self.ticket => {
                let end = (start + u64::from(len)).min(self.list.len() as u64);
                let ids = self.list[start.min(end) as usize..end as usize].iter();
                let rows = ids.map(|id| self.samples[id.index()].clone()).collect();
                vec![Event::Rows { ticket, start, rows }]
            }
            Command::RowsOf { ticket, samples } => {
                let row = |id: &SampleId| ListedRow {
                    row: self.samples[id.index()].clone(),
                    listed: self.list.contains(id),
                };
                vec![Event::RowsOf { ticket, rows: samples.iter().map(row).collect() }]
            }
            Command::Locate { ticket, sample } if ticket == self.ticket => {
                let row = self.list.iter().position(|id| *id == sample).map(|row| row as u64);
                vec![Event::Located { ticket, sample, row }]
            }
            Command::FindUndecided { ticket, from, forward } if ticket == self.ticket => {
                let open = |row: &u64| self.samples[self.list[*row as usize].index()].decision.is_none();
                let row = if forward {
                    (from + 1..self.list.len() as u64).find(open)
                } else {
                    (0..from).rev().find(open)
                };
                vec![Event::Found { ticket, row }]
            }
            Command::Detail { sample } => vec![Event::Detail(Box::new(self.detail(sample)))],
            Command::Picture { ticket, slot, sample, max_width, max_height, .. } => {
                vec![Event::Picture(self.picture(ticket, slot, sample, max_width, max_height))]
            }
            Command::Decide { samples, decision } => self.decide(samples, decision),
            Command::DecideEach { decisions } => {
                let (samples, each) = decisions.into_iter().map(|(id, it)| (id, Some(it))).unzip();
                self.enter(samples, each, "each")
            }
            Command::Tag { samples, tags, note } => {
                let mut decision = self.samples[samples[0].index()].decision.clone();
                if let Some(decision) = &mut decision {
                    decision.tags.extend(tags);
                    decision.note = note;
                }
                self.decide(samples, decision)
            }
            Command::Untag { samples, tags, note } => {
                let mut decision = self.samples[samples[0].index()].decision.clone();
                if let Some(decision) = &mut decision {
                    decision.tags.retain(|tag| !tags.contains(tag));
                    if note {
                        decision.note.clear();
                    }
                }
                self.decide(samples, decision)
            }
            Command::Undo => match self.done.pop() {
                Some(entry) => {
                    for (sample, before) in entry.0.iter().zip(&entry.1) {
                        self.samples[sample.index()].decision = before.clone();
                    }
                    let saved = self.saved(SavedKind::Undo, &entry.0, "undone");
                    self.undone.push(entry);
                    vec![saved]
                }
                None => vec![Event::NotSaved { message: "nothing to undo".to_owned() }],
            },
            Command::Redo => match self.undone.pop() {
                Some(entry) => {
                    for (sample, after) in entry.0.iter().zip(&entry.2) {
                        self.samples[sample.index()].decision = after.clone();
                    }
                    let saved = self.saved(SavedKind::Redo, &entry.0, "done again");
                    self.done.push(entry);
                    vec![saved]
                }
                None => vec![Event::NotSaved { message: "nothing to redo".to_owned() }],
            },
            Command::SetThreshold { detector, threshold } => {
                for known in self.summary.detectors.iter_mut().filter(|known| known.name == detector) {
                    known.threshold = threshold;
                }
                vec![self.hello()]
            }
            Command::SetEnsemble { rule } => {
                self.summary.ensemble = rule;
                vec![self.hello()]
            }
            Command::Overview { ticket, about } => {
                vec![Event::Overview { ticket, overview: super::overview::of(self, ticket, &about) }]
            }
            Command::Try { ticket, prompts: Some(words), .. } => {
                vec![super::prompts::tried(self, ticket, &words)]
            }
            Command::SetPrompts { ticket, prompts, temperature } => {
                super::prompts::set(self, ticket, (prompts, temperature))
            }
            Command::Try { ticket, detector, params, .. } => {
                let flagged = params.values().map(|value| (value * 100.0) as u64).sum();
                let compared = Some(Compared { newly: 3, formerly: 1 });
                vec![Event::Tried(Tried {
                    ticket,
                    detector,
                    flagged,
                    scored: 100,
                    compared,
                    ..Tried::default()
                })]
            }
            Command::Enable { detector, enabled } => {
                self.off.retain(|name| *name != detector);
                if !enabled {
                    self.off.push(detector);
                }
                vec![self.hello()]
            }
            Command::RemoveResults { back, .. } => {
                self.removed = !back;
                vec![self.hello()]
            }
            Command::LetIn { detector, .. } => {
                self.summary.changed.retain(|changed| changed.path != detector);
                self.let_in.push(detector);
                vec![self.hello()]
            }
            Command::Remember { state } => {
                self.summary.remembered = state;
                Vec::new()
            }
            Command::View(command) => self.view(command),
            Command::Output(command) => super::outputs_engine::answers(command),
            Command::Blind { on, .. } => {
                self.summary.blind = on.then(Blind::default);
                vec![self.hello()]
            }
            Command::Stop => vec![Event::Bye { unsaved: String::new() }],
            _ => Vec::new(),
        }
    }

    fn list(&mut self, ticket: Ticket, query: &Query) -> Event {
        let class = |label: Option<u32>| label.map_or("", |l| self.summary.classes[l as usize].as_str());
        let fits = |row: &&Row| {
            query.filter.split_whitespace().all(|word| match word.split_once(':') {
                Some(("class", name)) => class(row.label) == name,
                Some(("newly" | "formerly", _)) => row.sample.0 < 3,
                Some(("suggested", name)) => class(row.suggested) == name,
                Some(("detector", name)) => {
                    let flagged = |flag: &u16| self.summary.detectors[usize::from(*flag)].name == name;
                    row.flags.iter().any(flagged)
                }
                _ if word == "is:disputed" => row.sample.0 % 7 == 3,
                _ if word == "undecided" => row.decision.is_none(),
                _ => row.path.contains(word),
            })
        };
        let mut rows: Vec<&Row> = self.samples.iter().filter(fits).collect();
        match query.sort {
            Sort::Class => rows.sort_by_key(|row| row.label),
            Sort::Path => rows.sort_by(|a, b| a.path.cmp(&b.path)),
            Sort::Meaning(_) | Sort::Learned(_) => rows.reverse(),
            _ => {}
        }
        rows.sort_by_key(|row| !self.first.contains(&row.sample));
        if query.descending {
            rows.reverse();
        }
        self.ticket = ticket;
        self.list = rows.iter().map(|row| row.sample).collect();
        let by_choice = self.by_choice();
        let note = if matches!(query.sort, Sort::Learned(_)) { self.note.clone() } else { String::new() };
        let total = self.list.len() as u64;
        Event::Listed { ticket, total, decided: by_choice.iter().sum(), by_choice, note }
    }

    fn decide(&mut self, samples: Vec<SampleId>, decision: Option<Decision>) -> Vec<Event> {
        let path = &self.samples[samples[0].index()].path;
        let text = match decision.as_ref().map(|d| &d.choice) {
            None => format!("cleared {path}"),
            Some(Choice::Keep) => format!("kept {path}"),
            Some(Choice::Remove) => format!("removed {path}"),
            Some(Choice::Relabel(name)) => format!("relabeled {path} to {name}"),
            Some(Choice::Unsure) => format!("unsure about {path}"),
        };
        let each = vec![decision; samples.len()];
        self.enter(samples, each, &text)
    }

    /// An entry of the journal.
    pub(super) fn enter(
        &mut self,
        samples: Vec<SampleId>,
        each: Vec<Option<Decision>>,
        text: &str,
    ) -> Vec<Event> {
        if let Some(message) = self.refuse.clone() {
            return vec![Event::NotSaved { message }];
        }
        let held = |sample: &SampleId| &self.samples[sample.index()].decision;
        let changed: Vec<(SampleId, Option<Decision>)> =
            samples.iter().copied().zip(each.iter().cloned()).filter(|(id, it)| held(id) != it).collect();
        if changed.is_empty() {
            return vec![Event::Unchanged { message: "no change".to_owned() }];
        }
        let cleared = each.iter().all(Option::is_none);
        let (samples, each) = if cleared { changed.into_iter().unzip() } else { (samples, each) };
        let before = samples.iter().map(|s| self.samples[s.index()].decision.clone()).collect();
        for (sample, decision) in samples.iter().zip(&each) {
            self.samples[sample.index()].decision = decision.clone();
        }
        self.done.push((samples.clone(), before, each));
        self.undone.clear();
        vec![self.saved(SavedKind::Decision, &samples, text)]
    }

    /// Rows of the list by their decision.
    fn by_choice(&self) -> [u64; 4] {
        let mut counts = [0; 4];
        for id in &self.list {
            if let Some(decision) = &self.samples[id.index()].decision {
                counts[decision.choice.index()] += 1;
            }
        }
        counts
    }

    pub(super) fn saved(&self, kind: SavedKind, samples: &[SampleId], text: &str) -> Event {
        let text = if kind == SavedKind::Decision {
            text.to_owned()
        } else {
            format!("{text}: {}", self.samples[samples[0].index()].path)
        };
        Event::Saved(Saved {
            kind,
            samples: samples.to_vec(),
            decision: self.samples[samples[0].index()].decision.clone(),
            text,
            undoable: self.done.len() as u64,
            redoable: self.undone.len() as u64,
            decided: self.samples.iter().filter(|row| row.decision.is_some()).count() as u64,
            disputed: self.summary.disputed,
            listed: Some(ListCounts { ticket: self.ticket, by_choice: self.by_choice() }),
        })
    }

    fn related(&self, sample: SampleId, similarity: f32) -> DetailRelated {
        let row = &self.samples[sample.index()];
        let content = row.content.clone();
        DetailRelated {
            sample,
            path: row.path.clone(),
            label: row.label,
            split: row.split,
            similarity,
            content,
        }
    }

    fn detail(&self, sample: SampleId) -> Detail {
        let row = self.samples[sample.index()].clone();
        let count = self.samples.len() as u32;
        let issues = row.flags.iter().map(|flag| {
            let detector = &self.summary.detectors[usize::from(*flag)];
            let group = self.groups.iter().find(|g| *flag == 1 && g.contains(&sample)).cloned();
            DetailIssue {
                detector: detector.name.clone(),
                score: row.score.unwrap_or(0.0),
                threshold: detector.threshold,
                flagged: true,
                suggested: row.suggested,
                reason: match flag {
                    0 => "The picture has no sharp edges: its Laplacian varies by 12 only.".to_owned(),
                    1 => "Two other files show the same picture.".to_owned(),
                    _ => "Nine of the ten nearest neighbors have another label.".to_owned(),
                },
                related: Vec::new(),
                group: group.unwrap_or_default(),
            }
        });
        let label = row.label.unwrap_or(0);
        Detail {
            full_path: format!("/data/animals/{}", row.path),
            hash: format!("{:08x}abcdef", sample.0.wrapping_mul(2_654_435_761)),
            width: 500,
            height: 375,
            bytes: 34_567,
            unreadable: self.unreadable.get(&sample).cloned(),
            tags: row.decision.as_ref().map(|decision| decision.tags.clone()).unwrap_or_default(),
            note: row.decision.as_ref().map(|decision| decision.note.clone()).unwrap_or_default(),
            other_notes: Vec::new(),
            other_decisions: self.others.clone(),
            history: self.history.clone(),
            reviewer: row.decision.as_ref().map(|_| self.summary.reviewer.clone()).unwrap_or_default(),
            issues: issues.collect(),
            candidates: [(1, 0.81), (0, 0.12), (2, 0.05), (3, 0.02)]
                .map(|(step, likeness)| Candidate { class: (label + step) % 4, likeness: Some(likeness) })
                .into(),
            neighbors: (1..=6)
                .map(|n| self.related(SampleId((sample.0 + n * 3) % count), 0.97 - n as f32 * 0.03))
                .collect(),
            exemplars: row
                .suggested
                .map(|class| {
                    self.samples.iter().filter(move |other| other.label == Some(class)).skip(5).take(3)
                })
                .into_iter()
                .flatten()
                .map(|other| self.related(other.sample, 0.81))
                .collect(),
            extra: vec![("camera".to_owned(), "X100".to_owned())],
            attributes: self.attributes.clone(),
            regions: self.regions.clone(),
            learned: String::new(),
            row,
        }
    }

    pub(super) fn picture(
        &self,
        ticket: Ticket,
        slot: u32,
        sample: SampleId,
        max_width: u32,
        max_height: u32,
    ) -> Picture {
        if let Some(error) = self.unreadable.get(&sample) {
            let error = Some(error.clone());
            return Picture {
                ticket,
                slot,
                sample,
                width: 0,
                height: 0,
                rgb: Vec::new(),
                whole: (0, 0),
                error,
            };
        }
        // Four to three, as large as fits.
        let scale = f64::min(f64::from(max_width) / 4.0, f64::from(max_height) / 3.0);
        let (width, height) = (((scale * 4.0) as u32).max(1), ((scale * 3.0) as u32).max(1));
        let pixel = |x: u32, y: u32| {
            let hue = sample.0.wrapping_mul(37);
            let near = (x as i64 - i64::from(width) / 2).pow(2) + (y as i64 - i64::from(height) / 2).pow(2);
            if near < i64::from(height).pow(2) / 9 {
                [230, (hue % 200) as u8, 60]
            } else {
                [(x * 255 / width) as u8, (y * 255 / height) as u8, (hue % 256) as u8]
            }
        };
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
        Picture { ticket, slot, sample, width, height, rgb, whole: (500, 375), error: None }
    }
}
