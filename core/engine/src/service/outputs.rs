//! What is to be written: forms go to their queue, writing is a job like a scan.

use super::Service;
use super::meter::Meter;
use crate::Error;
use crate::answers::internal::Internal;
use crate::outputs::{self, Snapshot};
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{Event, OutputCommand, OutputEvent, OutputForm, OutputKind, Ticket};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

/// Why nothing is written during a blind review.
const BLIND: &str =
    "this is a blind review, and what is written would show what others decided; end it first";

impl Service {
    pub(super) fn output(&mut self, command: OutputCommand) {
        let snapshot = Snapshot { state: self.state.clone(), setup: self.setup.clone() };
        match command {
            OutputCommand::Form { ticket, kind, .. } if self.journal.is_blind() => {
                let form = OutputForm { ticket, kind, obstacle: BLIND.into(), ..OutputForm::default() };
                self.tell(Event::Output(Box::new(OutputEvent::Form(form))));
            }
            OutputCommand::Write { ticket, kind, values, replace } => {
                if let Err(why) = self.begin_output(ticket, kind, values, replace, snapshot) {
                    self.tell(Event::Output(Box::new(not_written(ticket, &why))));
                }
            }
            command => self.forms.ask(command, snapshot),
        }
    }

    fn begin_output(
        &mut self,
        ticket: Ticket,
        kind: OutputKind,
        values: BTreeMap<String, String>,
        replace: bool,
        snapshot: Snapshot,
    ) -> crate::Result<()> {
        if self.journal.is_blind() {
            return Err(Error::Invalid(BLIND.into()));
        }
        if self.job.is_some() {
            return Err(Error::Invalid("a job is running; wait for it, or cancel it first".into()));
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (events, internal, flag) = (self.events.clone(), self.internal.0.clone(), stop.clone());
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
            let _ = internal.send(Internal::Output(Box::new(event)));
        });
        let thread =
            spawned.map_err(|error| Error::Invalid(format!("cannot start a thread to write it: {error}")))?;
        self.job = Some((stop, thread));
        Ok(())
    }

    /// A job that writes has ended.
    pub(super) fn output_done(&mut self, event: OutputEvent) {
        if let Some((_, job)) = self.job.take() {
            let _ = job.join();
        }
        self.tell(Event::Output(Box::new(event)));
    }
}

fn not_written(ticket: Ticket, error: &Error) -> OutputEvent {
    let message = match error {
        Error::Stopped => "stopped; nothing was written".to_owned(),
        error => safe_text(&error.to_string()).into_owned(),
    };
    OutputEvent::NotWritten { ticket, message }
}
