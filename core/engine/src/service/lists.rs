//! Lists, rows and details for one terminal.

use super::Service;
use super::desk::Desk;
use crate::Error;
use crate::answers::dataset::DatasetQuestion;
use crate::answers::learner::LearnQuestion;
use crate::answers::light::Light;
use crate::answers::list_result::ListResult;
use crate::answers::lists::ListQuestion;
use crate::answers::outline::Outline;
use crate::answers::overview::{Known, OverviewQuestion};
use crate::answers::pictures::Request;
use crate::answers::rows;
use crate::meaning::Toward;
use chaffinch_data::columns::DetectorResult;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::sample::{LabelId, SampleId};
use chaffinch_protocol::{Event, ListedRow, Overview, Query, Ticket};
use chaffinch_review::query;
use std::sync::Arc;

impl Service {
    pub(super) fn list(&mut self, at: u64, ticket: Ticket, query: Query) {
        if query::needs_embeddings(&query) {
            self.open_matrix();
        }
        if let (Some(desk), Some(seat)) = (self.desks.get(&at), self.seat(at)) {
            let (state, decisions) = (seat.state.clone(), seat.journal.snapshot());
            let (blind, only) = (seat.journal.is_blind(), seat.blind.only());
            let (setup, reader) = (self.setup.clone(), self.reader.clone());
            desk.lists.ask(ListQuestion { ticket, query, state, decisions, blind, only, setup, reader });
        }
    }

    pub(super) fn listed(&mut self, at: u64, ticket: Ticket, order: Arc<ListResult>) {
        let Some(desk) = self.desks.get_mut(&at) else { return };
        let Some(seat) = self.seats.get(&desk.reviewer) else { return };
        let learned = order.learned.as_ref();
        if learned.is_some_and(|learned| learned.blind != seat.journal.is_blind()) {
            // It was learned from decisions that may not be seen now, and is asked for again.
            return;
        }
        // Decisions made since the list was asked for count as well.
        let by_choice = order.count(seat.journal.decisions(), self.state.findings.manifest.len());
        desk.counts = by_choice;
        let _ = desk.outlet.send(Event::Listed {
            ticket,
            total: order.rows.len() as u64,
            decided: by_choice.iter().sum(),
            by_choice,
            note: learned.map_or_else(String::new, |order| safe_text(&order.learned.note()).into_owned()),
        });
        desk.list = Some((ticket, order));
    }

    /// Looks whether what was decided teaches a better order, if that is wanted and enough was decided since the last time.
    pub(super) fn learn(&mut self, at: u64) {
        let wanted = self.setup.config.ui().learn;
        let Some(desk) = self.desks.get_mut(&at).filter(|desk| wanted && !desk.watches) else { return };
        if let Some(seat) = self.seats.get(&desk.reviewer) {
            let (state, decisions) = (seat.state.clone(), seat.journal.snapshot());
            desk.learner.ask(LearnQuestion { state, decisions, blind: seat.journal.is_blind() });
        }
    }

    /// Tells what was learned, unless it was learned from decisions that may not be seen now.
    pub(super) fn learned(&self, at: u64, blind: bool, event: Event) {
        if self.seat(at).is_some_and(|seat| seat.journal.is_blind() == blind) {
            self.tell(at, event);
        }
    }

    pub(super) fn not_listed(&self, at: u64, ticket: Ticket, error: &Error) {
        let place = match error {
            Error::Filter { at, .. } => Some((at.0 as u32, at.1 as u32)),
            _ => None,
        };
        let message = safe_text(&error.to_string()).into_owned();
        self.tell(at, Event::NotListed { ticket, message, at: place });
    }

    pub(super) fn order(&self, at: u64, ticket: Ticket) -> Option<Arc<ListResult>> {
        self.desks.get(&at)?.order(ticket)
    }

    pub(super) fn rows(&self, at: u64, ticket: Ticket, start: u64, len: u32) {
        // A request for an outdated list gets no answer: the client has a newer ticket.
        if let (Some(order), Some(seat)) = (self.order(at, ticket), self.seat(at)) {
            let from = usize::try_from(start).unwrap_or(usize::MAX).min(order.rows.len());
            let to = from.saturating_add(len.min(4096) as usize).min(order.rows.len());
            let rows = order.rows[from..to]
                .iter()
                .map(|&row| rows::row_listed(&seat.state, seat.journal.decisions(), SampleId(row), &order));
            self.tell(at, Event::Rows { ticket, start: from as u64, rows: rows.collect() });
        }
    }

    pub(super) fn rows_of(&self, at: u64, ticket: Ticket, samples: &[SampleId]) {
        let (Some(desk), Some(seat)) = (self.desks.get(&at), self.seat(at)) else { return };
        let count = self.state.findings.manifest.len();
        let order = desk.list.as_ref().map(|(_, order)| order);
        let row = |id: &SampleId| ListedRow {
            row: rows::row(&seat.state, seat.journal.decisions(), *id),
            listed: order.is_some_and(|order| order.has(*id, count)),
        };
        let rows = samples.iter().filter(|id| id.index() < count).map(row).collect();
        self.tell(at, Event::RowsOf { ticket, rows });
    }

    pub(super) fn locate(&self, at: u64, ticket: Ticket, sample: SampleId) {
        if let Some(order) = self.order(at, ticket) {
            self.tell(at, Event::Located { ticket, sample, row: order.position(sample) });
        }
    }

    pub(super) fn find_undecided(&self, at: u64, ticket: Ticket, from: u64, forward: bool) {
        if let (Some(order), Some(seat)) = (self.order(at, ticket), self.seat(at)) {
            let row = order.find(from, forward, |id| seat.journal.decision(id).is_none());
            self.tell(at, Event::Found { ticket, row });
        }
    }

    pub(super) fn detail(&mut self, at: u64, sample: SampleId) {
        if sample.index() < self.state.findings.manifest.len() {
            self.open_matrix();
            if let (Some(desk), Some(seat)) = (self.desks.get(&at), self.seat(at)) {
                let mut detail = rows::detail(&seat.state, &seat.journal, sample);
                if let Some(order) = desk.list.as_ref().and_then(|(_, list)| list.learned.as_ref()) {
                    let source = seat.state.source(seat.journal.decisions());
                    detail.learned = safe_text(&order.learned.moved(source.evidence(), sample)).into_owned();
                }
                self.tell(at, Event::Detail(Box::new(detail)));
            }
        }
    }

    pub(super) fn overview(&mut self, at: u64, ticket: Ticket, about: Overview) {
        if about == Overview::Findings {
            self.open_matrix();
        }
        if let (Some(desk), Some(seat)) = (self.desks.get(&at), self.seat(at)) {
            if about == Overview::Findings {
                return desk.findings.ask(DatasetQuestion {
                    ticket,
                    state: seat.state.clone(),
                    setup: self.setup.clone(),
                });
            }
            // Only the page of detectors shows it, and all decisions are read for it.
            let known = match about {
                Overview::Forms => self.known_now(at),
                Overview::Prompts => self.known.clone(),
                _ => Known::default(),
            };
            desk.overviews.ask(OverviewQuestion {
                ticket,
                about,
                state: seat.state.clone(),
                decisions: seat.journal.snapshot(),
                setup: self.setup.clone(),
                known,
            });
        }
    }

    /// Asks for a picture, with regions drawn over it and lit by relevance if they are wanted.
    pub(super) fn picture(&self, at: u64, (regions, relevance): (bool, bool), request: Request) {
        if let Some(desk) = self.desks.get(&at) {
            let outlines = self.outlines(request.sample, regions);
            let light = relevance.then(|| self.light(desk, request.sample));
            let known = rows::known_contents(&self.state.findings.file_metadata, request.sample);
            desk.pictures.ask(Request { outlines, light, known, ..request });
        }
    }

    /// Where a picture is lit: where the model sees what the list is searched for, or else its given label.
    fn light(&self, desk: &Desk, sample: SampleId) -> Light {
        let findings = &self.state.findings;
        let searched = desk.list.as_ref().and_then(|(_, list)| list.direction.as_ref());
        let of = |label: LabelId| {
            let vectors = findings.class_vectors.as_ref();
            match vectors.and_then(|vectors| vectors.class(label.index())) {
                Some(class) => Toward::Class(class.to_vec()),
                None => Toward::Text(findings.manifest.class(label).to_owned()),
            }
        };
        let toward = match searched {
            Some(direction) => Some(Toward::Direction(direction.vector().to_vec())),
            None => findings.manifest.label(sample).map(of),
        };
        let loaded = self.setup.session.uses().loaded;
        Light { reader: self.reader.clone(), loaded, toward, rendering: findings.manifest.rendering() }
    }

    /// What is drawn over the picture of a sample, if it is wanted.
    fn outlines(&self, sample: SampleId, wanted: bool) -> Vec<Outline> {
        let results = self.state.findings.results.values().filter(|result| wanted && result.has_regions());
        let of = |(place, result): (usize, &Arc<DetectorResult>)| {
            result.regions(sample).iter().map(|region| Outline::new(region, place)).collect::<Vec<_>>()
        };
        results.enumerate().flat_map(of).collect()
    }

    /// Opens the embeddings of an earlier scan when neighbors are first needed for a detail.
    pub(super) fn open_matrix(&mut self) {
        let findings = &self.state.findings;
        if findings.matrix.is_some() || findings.file_metadata.is_empty() || self.job.is_some() {
            return;
        }
        if let Some((matrix, vectors)) = rows::open_matrix(&self.setup.session, findings) {
            let mut findings = findings.clone();
            findings.set_matrix(matrix, &self.setup.session);
            findings.class_vectors = vectors.map(Arc::new);
            let shared = Arc::new(self.state.with_findings(findings));
            for seat in self.seats.values_mut() {
                seat.state = match Arc::ptr_eq(&seat.state, &self.state) {
                    true => shared.clone(),
                    false => Arc::new(seat.state.with_findings(shared.findings.clone())),
                };
            }
            self.state = shared;
        }
    }
}
