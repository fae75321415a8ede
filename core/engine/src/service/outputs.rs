//! What is to be written: forms go to their queue, writing is a job like a scan.

use super::meter::Meter;
use super::{Service, Work};
use crate::Error;
use crate::answers::internal::Internal;
use crate::outputs::{self, BLIND, Snapshot};
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{Event, OutputCommand, OutputEvent, OutputForm, OutputKind, Ticket};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

impl Service {
    pub(super) fn output(&mut self, at: u64, command: OutputCommand) {
        let Some(desk) = self.desks.get(&at) else { return };
        let blind = self.seat(at).is_some_and(|seat| seat.journal.is_blind());
        let (state, setup, reviewer) = (self.state_of(at), self.setup.clone(), desk.reviewer.clone());
        let snapshot = Snapshot { state, setup, reviewer };
        match command {
            OutputCommand::Form { ticket, kind, .. } if blind => {
                let form = OutputForm { ticket, kind, obstacle: BLIND.into(), ..OutputForm::default() };
                self.tell(at, Event::Output(Box::new(OutputEvent::Form(form))));
            }
            OutputCommand::Write { ticket, kind, values, replace } => {
                let begun = match blind {
                    true => Err(Error::Invalid(BLIND.into())),
                    false => self.begin_output(at, ticket, kind, values, replace, snapshot),
                };
                if let Err(why) = begun {
                    self.tell(at, Event::Output(Box::new(not_written(ticket, &why))));
                }
            }
            command => {
                if let Some(desk) = self.desks.get_mut(&at) {
                    desk.forms.ask(command, snapshot);
                }
            }
        }
    }

    fn begin_output(
        &mut self,
        at: u64,
        ticket: Ticket,
        kind: OutputKind,
        values: BTreeMap<String, String>,
        replace: bool,
        snapshot: Snapshot,
    ) -> crate::Result<()> {
        let gone = || Error::Invalid("the terminal has left".into());
        let events = self.desks.get(&at).map(|desk| desk.outlet.clone()).ok_or_else(gone)?;
        if self.job.is_some() {
            return Err(Error::Invalid("a job is running; wait for it, or cancel it first".into()));
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (internal, flag) = (self.internal.0.clone(), stop.clone());
        let stage = outputs::stage(kind);
        let spawned = std::thread::Builder::new().name("output".into()).spawn(move || {
            let meter = Mutex::new(Meter::default());
            let progress = |done: u64, total: u64| {
                let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(progress) = meter.tick(stage, done, total, (1, 1)) {
                    let _ = events.send(Event::Progress(progress));
                }
            };
            progress(0, 0);
            let job = Job::new(&flag, &progress);
            let work =
                std::panic::AssertUnwindSafe(|| outputs::write(kind, &values, replace, &snapshot, &job));
            let event = match std::panic::catch_unwind(work) {
                Ok(Ok(lines)) => OutputEvent::Written { ticket, lines },
                Ok(Err(error)) => not_written(ticket, &error),
                Err(payload) => {
                    let why = format!("it failed: {}", chaffinch_plugin::PanicMessage(&*payload));
                    not_written(ticket, &Error::Invalid(why))
                }
            };
            let _ = internal.send(Internal::Output(at, Box::new(event)));
        });
        let thread =
            spawned.map_err(|error| Error::Invalid(format!("cannot start a thread to write it: {error}")))?;
        (self.job, self.work) = (Some((stop, thread)), Some(Work::Output(at)));
        Ok(())
    }

    /// A job that writes has ended.
    pub(super) fn output_done(&mut self, at: u64, event: OutputEvent) {
        if let Some((_, job)) = self.job.take() {
            let _ = job.join();
        }
        self.work = None;
        self.tell(at, Event::Output(Box::new(event)));
    }
}

fn not_written(ticket: Ticket, error: &Error) -> OutputEvent {
    let message = match error {
        Error::Stopped => "stopped; nothing was written".to_owned(),
        error => safe_text(&error.to_string()).into_owned(),
    };
    OutputEvent::NotWritten { ticket, message }
}
