//! Entries into journals: at one seat, and heard at all others.

use super::Service;
use crate::answers::rows;
use crate::{Error, Result};
use chaffinch_data::journal::{Applied, Decisions, Journal};
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Elsewhere, Event, Saved, SavedKind, ViewCommand};
use std::collections::BTreeMap;

/// Whether a command changes what is said of samples that it names by their numbers.
pub(super) fn names_samples(command: &Command) -> bool {
    matches!(
        command,
        Command::Decide { .. }
            | Command::DecideEach { .. }
            | Command::Tag { .. }
            | Command::Untag { .. }
            | Command::View(ViewCommand::KeepOnly { .. })
    )
}

impl Service {
    fn known(&self, samples: &[SampleId]) -> Result<()> {
        let count = self.state.findings.manifest.len();
        match samples.iter().find(|id| id.index() >= count) {
            Some(id) => Err(Error::Invalid(format!("there is no sample {}, the dataset has {count}", id.0))),
            None if samples.is_empty() => Err(Error::Invalid("no sample is selected".into())),
            None => Ok(()),
        }
    }

    /// Adds a journal entry for samples that exist, and reports the outcome.
    pub(super) fn enter(
        &mut self,
        at: u64,
        samples: &[SampleId],
        entry: impl FnOnce(&mut Journal) -> Result<Applied>,
    ) {
        let known = self.known(samples);
        self.write(at, SavedKind::Decision, |journal| known.and_then(|()| entry(journal)).map(Some));
    }

    /// Undoes or redoes, and reports the outcome.
    pub(super) fn step(&mut self, at: u64, kind: SavedKind) {
        self.write(at, kind, |journal| if kind == SavedKind::Undo { journal.undo() } else { journal.redo() });
    }

    fn write(&mut self, at: u64, kind: SavedKind, act: impl FnOnce(&mut Journal) -> Result<Option<Applied>>) {
        let Some(reviewer) = self.desks.get(&at).map(|desk| desk.reviewer.clone()) else { return };
        let snapshot = |(name, seat): (&String, &super::seat::Seat)| (name.clone(), seat.journal.snapshot());
        let before: BTreeMap<String, Decisions> = self.seats.iter().map(snapshot).collect();
        let Some(mut seat) = self.seats.remove(&reviewer) else { return };
        let outcome = self.setup.session.writable().and_then(|()| act(&mut seat.journal));
        if let Ok(Some(applied)) = &outcome
            && !applied.unchanged
        {
            for other in self.seats.values_mut() {
                other.journal.hear(&seat.journal, &applied.samples);
            }
        }
        self.seats.insert(reviewer.clone(), seat);
        match outcome {
            Ok(Some(applied)) if applied.unchanged => {
                if let Some(seat) = self.seat(at) {
                    let manifest = &self.state.findings.manifest;
                    let message = rows::unchanged_text(manifest, &seat.journal, &applied);
                    self.tell(at, Event::Unchanged { message });
                }
            }
            Ok(Some(applied)) => self.tell_saved(at, kind, &applied, &before),
            Ok(None) => {
                let what = if kind == SavedKind::Undo { "undo" } else { "redo" };
                self.tell(at, Event::NotSaved { message: format!("nothing to {what}") });
            }
            Err(error) => {
                let message = safe_text(&error.to_string()).into_owned();
                self.tell(at, Event::NotSaved { message });
            }
        }
        // Last, so that it is what one sees.
        self.tell_repairs(&reviewer);
    }

    /// Tells who decided that it is saved, and those who may see it that it is.
    fn tell_saved(
        &mut self,
        at: u64,
        kind: SavedKind,
        applied: &Applied,
        before: &BTreeMap<String, Decisions>,
    ) {
        let manifest = self.state.findings.manifest.clone();
        let text = rows::saved_text(&manifest, kind, applied);
        let Some(by) = self.desks.get(&at).map(|desk| desk.reviewer.clone()) else { return };
        for (number, desk) in &mut self.desks {
            let (Some(seat), Some(before)) = (self.seats.get(&desk.reviewer), before.get(&desk.reviewer))
            else {
                continue;
            };
            let after = seat.journal.decisions();
            if seat.journal.is_blind() && desk.reviewer != by {
                // What is left out changes nothing that is seen.
                continue;
            }
            let listed = desk.recount(&applied.samples, (before, after), manifest.len());
            let (decided, disputed) = (after.decided() as u64, after.disputed());
            let event = if *number == at {
                Event::Saved(Saved {
                    kind,
                    decision: applied.samples.first().and_then(|&id| after.get(id).cloned()),
                    samples: applied.samples.clone(),
                    text: text.clone(),
                    undoable: seat.journal.undoable() as u64,
                    redoable: seat.journal.redoable() as u64,
                    decided,
                    disputed,
                    listed,
                })
            } else {
                Event::Elsewhere(Elsewhere {
                    by: safe_text(&by).into_owned(),
                    samples: applied.samples.iter().map(|&id| (id, after.get(id).cloned())).collect(),
                    text: text.clone(),
                    decided,
                    disputed,
                    opened: disputed.saturating_sub(before.disputed()),
                    listed,
                })
            };
            let _ = desk.outlet.send(event);
        }
        let all: Vec<u64> = self.desks.keys().copied().collect();
        all.into_iter().for_each(|desk| self.learn(desk));
    }
}
