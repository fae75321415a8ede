//! Forms of what can be written, and completed paths, on a separate thread; only the newest form is worth finishing.

use super::worker_queue::WorkerQueue;
use crate::Error;
use crate::outlet::Outlet;
use crate::outputs::{self, Snapshot};
use chaffinch_compute::job::Job;
use chaffinch_protocol::{Event, OutputCommand, OutputEvent, OutputForm};
use crossbeam_channel::Receiver;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

struct OutputQuestion {
    command: OutputCommand,
    snapshot: Snapshot,
    unwanted: Arc<AtomicBool>,
}

/// The queue for forms.
pub(crate) struct Forms {
    desk: WorkerQueue<OutputQuestion>,
    /// Stops the work on the newest one.
    newest: Arc<AtomicBool>,
}

impl Forms {
    pub(crate) fn start(events: &Outlet) -> Forms {
        let events = events.clone();
        Forms { desk: WorkerQueue::start(move |inbox| serve(inbox, &events)), newest: Arc::default() }
    }

    pub(crate) fn ask(&mut self, command: OutputCommand, snapshot: Snapshot) {
        if matches!(command, OutputCommand::Form { .. }) {
            self.newest.store(true, Ordering::Relaxed);
            self.newest = Arc::default();
        }
        self.desk.ask(OutputQuestion { command, snapshot, unwanted: self.newest.clone() });
    }

    pub(crate) fn stop(self) {
        self.newest.store(true, Ordering::Relaxed);
        self.desk.stop();
    }
}

fn serve(inbox: &Receiver<OutputQuestion>, events: &Outlet) {
    while let Ok(OutputQuestion { command, snapshot, unwanted }) = inbox.recv() {
        let answer = match command {
            OutputCommand::Form { ticket, kind, values } => {
                let job = Job::new(&unwanted, &|_, _| {});
                let made = job.checkpoint().map_err(|_| Error::Stopped);
                match made.and_then(|()| outputs::form(ticket, kind, &values, &snapshot, &job)) {
                    Ok(form) => OutputEvent::Form(form),
                    Err(Error::Stopped) => continue,
                    Err(error) => {
                        let obstacle =
                            chaffinch_protocol::display::safe_text(&error.to_string()).into_owned();
                        OutputEvent::Form(OutputForm { ticket, kind, obstacle, ..OutputForm::default() })
                    }
                }
            }
            OutputCommand::Complete { ticket, text } => {
                let options = outputs::completed(&text);
                OutputEvent::Completed { ticket, text, options }
            }
            // A job of its own.
            OutputCommand::Write { .. } => continue,
        };
        if events.send(Event::Output(Box::new(answer))).is_err() {
            return;
        }
    }
}
