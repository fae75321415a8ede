//! Forms of what can be written, and completed paths, each on a separate thread: a path is completed while a form is looked at.
//! Only the newest form is worth finishing.

use super::worker_queue::WorkerQueue;
use crate::Error;
use crate::outlet::Outlet;
use crate::outputs::{self, Snapshot};
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{Event, OutputCommand, OutputEvent, OutputForm, OutputKind, Ticket};
use crossbeam_channel::Receiver;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a form says whose preview was canceled.
const CANCELED: &str = "the preview was canceled; change a value to look again";

struct FormQuestion {
    ticket: Ticket,
    kind: OutputKind,
    values: BTreeMap<String, String>,
    snapshot: Snapshot,
    work: Arc<FormWork>,
}

/// How the work on a form ends.
#[derive(Default)]
struct FormWork {
    stop: AtomicBool,
    /// Stopped at the wish of the reviewer, who is told so.
    canceled: AtomicBool,
    done: AtomicBool,
}

/// The queues for forms and for paths.
pub(crate) struct Forms {
    forms: WorkerQueue<FormQuestion>,
    paths: WorkerQueue<(Ticket, String)>,
    /// The work on the newest form, if there is any.
    newest: Option<Arc<FormWork>>,
}

impl Forms {
    pub(crate) fn start(events: &Outlet) -> Forms {
        let (of_forms, of_paths) = (events.clone(), events.clone());
        Forms {
            forms: WorkerQueue::start(move |inbox| serve_forms(inbox, &of_forms)),
            paths: WorkerQueue::start(move |inbox| serve_paths(inbox, &of_paths)),
            newest: None,
        }
    }

    pub(crate) fn ask(&mut self, command: OutputCommand, snapshot: Snapshot) {
        match command {
            OutputCommand::Form { ticket, kind, values } => {
                self.drop_newest();
                let work = Arc::<FormWork>::default();
                self.newest = Some(work.clone());
                self.forms.ask(FormQuestion { ticket, kind, values, snapshot, work });
            }
            OutputCommand::Complete { ticket, text } => self.paths.ask((ticket, text)),
            // A job of its own.
            OutputCommand::Write { .. } => {}
        }
    }

    /// Ends the work on the newest form. Returns whether there was any.
    pub(crate) fn cancel(&mut self) -> bool {
        let Some(work) = self.newest.take().filter(|work| !work.done.load(Ordering::Relaxed)) else {
            return false;
        };
        work.canceled.store(true, Ordering::Relaxed);
        work.stop.store(true, Ordering::Relaxed);
        true
    }

    fn drop_newest(&mut self) {
        if let Some(work) = self.newest.take() {
            work.stop.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn stop(mut self) {
        self.drop_newest();
        self.forms.stop();
        self.paths.stop();
    }
}

fn serve_forms(inbox: &Receiver<FormQuestion>, events: &Outlet) {
    let tell = |form: OutputForm| events.send(Event::Output(Box::new(OutputEvent::Form(form))));
    while let Ok(FormQuestion { ticket, kind, values, snapshot, work }) = inbox.recv() {
        if work.stop.load(Ordering::Relaxed) && !work.canceled.load(Ordering::Relaxed) {
            continue;
        }
        let blocked = |error: &str, form: OutputForm| OutputForm {
            obstacle: safe_text(error).into_owned(),
            unfinished: false,
            preview: Vec::new(),
            ..form
        };
        let form = match outputs::form(ticket, kind, &values, &snapshot) {
            Ok(form) => form,
            Err(error) => {
                work.done.store(true, Ordering::Relaxed);
                let form = OutputForm { ticket, kind, ..OutputForm::default() };
                if tell(blocked(&error.to_string(), form)).is_err() {
                    return;
                }
                continue;
            }
        };
        if tell(form.clone()).is_err() {
            return;
        }
        let job = Job::new(&work.stop, &|_, _| {});
        let previewed = outputs::previewed(form.clone(), &snapshot, &job);
        work.done.store(true, Ordering::Relaxed);
        let answer = match previewed {
            Ok(form) => form,
            Err(Error::Stopped) if work.canceled.load(Ordering::Relaxed) => blocked(CANCELED, form),
            Err(Error::Stopped) => continue,
            Err(error) => blocked(&error.to_string(), form),
        };
        if tell(answer).is_err() {
            return;
        }
    }
}

fn serve_paths(inbox: &Receiver<(Ticket, String)>, events: &Outlet) {
    while let Ok((ticket, text)) = inbox.recv() {
        let options = outputs::completed(&text);
        let answer = OutputEvent::Completed { ticket, text, options };
        if events.send(Event::Output(Box::new(answer))).is_err() {
            return;
        }
    }
}
