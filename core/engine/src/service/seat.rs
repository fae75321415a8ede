//! What the engine keeps for each reviewer whose review is open: the journal, and everything that depends on what this
//! reviewer sees of decisions. One terminal at most decides at a seat; others may watch it.

use super::Service;
use super::blind::BlindReview;
use crate::state::State;
use crate::{Error, Result};
use chaffinch_data::journal::Journal;
use chaffinch_protocol::Event;
use chaffinch_protocol::display::safe_text;
use std::sync::Arc;

/// The place of one reviewer.
pub(super) struct Seat {
    pub(super) journal: Journal,
    pub(super) blind: BlindReview,
    /// The findings with the rank that this reviewer sees: some rules learn from decisions.
    pub(super) state: Arc<State>,
    /// Where the reviewer was.
    pub(super) remembered: String,
}

impl Service {
    /// The seat of a terminal.
    pub(super) fn seat(&self, at: u64) -> Option<&Seat> {
        self.desks.get(&at).and_then(|desk| self.seats.get(&desk.reviewer))
    }

    /// The snapshot that a terminal sees.
    pub(super) fn state_of(&self, at: u64) -> Arc<State> {
        self.seat(at).map_or_else(|| self.state.clone(), |seat| seat.state.clone())
    }

    /// The terminal that decides as a reviewer.
    pub(super) fn holder(&self, reviewer: &str) -> Option<u64> {
        let mut desks = self.desks.iter();
        desks.find(|(_, desk)| !desk.watches && desk.reviewer == reviewer).map(|(number, _)| *number)
    }

    /// Opens the seat of a reviewer if it is not open. Returns what is to be said about the journals.
    pub(super) fn open_seat(&mut self, reviewer: &str) -> Result<Vec<String>> {
        if self.seats.contains_key(reviewer) {
            return Ok(Vec::new());
        }
        let session = &self.setup.session;
        let mut journal = Journal::open(&session.decisions_dir(), reviewer)?;
        let findings = &self.state.findings;
        let file_metadata = (!findings.file_metadata.is_empty()).then(|| findings.file_metadata.clone());
        journal.bind(&findings.manifest, file_metadata.as_ref());
        for other in self.seats.values_mut() {
            journal.meet(&other.journal);
            other.journal.meet(&journal);
        }
        let state = match self.rule.learns() {
            true => {
                let (findings, rule) = (findings.clone(), self.rule.clone());
                let kept = Some(session);
                let state = State::new(findings, &self.moved, rule, journal.decisions(), kept);
                if !state.found {
                    state.keep_rank(&self.setup);
                }
                Arc::new(state)
            }
            false => self.state.clone(),
        };
        let notes = journal.notes().to_vec();
        let remembered = session.load_view(reviewer);
        let seat = Seat { journal, blind: BlindReview::default(), state, remembered };
        self.seats.insert(reviewer.to_owned(), seat);
        Ok(notes)
    }

    /// Closes the seat of a reviewer unless a terminal is there.
    ///
    /// # Errors
    /// When decisions are not on disk then.
    pub(super) fn close_seat(&mut self, reviewer: &str) -> Result<()> {
        let settled = self.settle(reviewer);
        if self.desks.values().all(|desk| desk.reviewer != reviewer) {
            self.seats.remove(reviewer);
        }
        settled
    }

    /// Sees to it that a reviewer's decisions are on disk.
    pub(super) fn settle(&mut self, reviewer: &str) -> Result<()> {
        let writable = self.setup.session.is_writable();
        let settled = match self.seats.get_mut(reviewer).filter(|_| writable) {
            Some(seat) => seat.journal.settle(),
            None => Ok(()),
        };
        self.tell_repairs(reviewer);
        settled
    }

    /// Makes the snapshots of all seats anew from the one that all share.
    pub(super) fn spread(&mut self) {
        for seat in self.seats.values_mut() {
            let old = match self.rule.learns() {
                true => {
                    let (findings, decisions) = (self.state.findings.clone(), seat.journal.decisions());
                    let renewed = seat.state.renewed(findings, &self.moved, &self.rule, decisions);
                    std::mem::replace(&mut seat.state, Arc::new(renewed))
                }
                false => std::mem::replace(&mut seat.state, self.state.clone()),
            };
            // Freeing the columns of ten million rows takes a while.
            rayon::spawn(move || drop(old));
        }
    }

    /// What detectors and remarks may learn of decisions when they run for all, at the wish of a terminal: what everyone may
    /// see. That is one reviewer's own decisions while that review is blind, and nothing while several are.
    pub(super) fn common_view(&self, at: Option<u64>) -> Option<(&str, &Journal)> {
        let name = |(reviewer, seat): (&'_ String, &'_ Seat)| (reviewer.clone(), seat.journal.is_blind());
        let all: Vec<(String, bool)> = self.seats.iter().map(name).collect();
        let mut blind = all.iter().filter(|(_, blind)| *blind);
        let reviewer = match (blind.next(), blind.next()) {
            (Some((reviewer, _)), None) => Some(reviewer.as_str()),
            (Some(_), Some(_)) => None,
            (None, _) => {
                let own = at.and_then(|at| self.desks.get(&at)).map(|desk| desk.reviewer.as_str());
                own.or_else(|| all.first().map(|(reviewer, _)| reviewer.as_str()))
            }
        };
        let (reviewer, seat) = self.seats.get_key_value(reviewer?)?;
        Some((reviewer.as_str(), &seat.journal))
    }

    /// Says what was written to a journal again, and makes its folder a session again if it was removed.
    pub(super) fn tell_repairs(&mut self, reviewer: &str) {
        let remarks = self.seats.get_mut(reviewer).map(|seat| seat.journal.take_remarks());
        for message in remarks.unwrap_or_default() {
            let restored = self.setup.session.restore();
            for (number, _) in self.desks.iter().filter(|(_, desk)| desk.reviewer == reviewer) {
                let message = message.clone();
                self.tell(*number, Event::Trouble { about: "journal".into(), message });
                if let Err(error) = &restored {
                    self.refuse(*number, error);
                }
            }
        }
    }

    /// The reviewer who is watched, by the name as shown; whoever came first for an empty one.
    pub(super) fn watched(&self, wanted: &str) -> Result<String> {
        let mut reviewing: Vec<&str> = Vec::new();
        for desk in self.desks.values().filter(|desk| !desk.watches) {
            reviewing.push(&desk.reviewer);
        }
        let wanted = safe_text(wanted);
        let found = reviewing.iter().find(|name| wanted.is_empty() || safe_text(name) == wanted);
        match (found, reviewing.as_slice()) {
            (Some(name), _) => Ok((*name).to_owned()),
            (None, []) => Err(Error::Invalid(
                "no one is reviewing this session now, so there is no one to watch".into(),
            )),
            (None, names) => Err(Error::Invalid(format!(
                "{wanted} is not reviewing this session now; {} can be watched",
                safe_text(&names.join(", "))
            ))),
        }
    }
}
