//! Where events go: to one terminal, or to all that are attached.

use chaffinch_protocol::{Event, Progress};
use crossbeam_channel::Sender;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The way to a terminal. Sending never waits for it.
#[derive(Clone)]
pub(crate) struct Outlet(Arc<dyn Fn(Event) -> bool + Send + Sync>);

/// The terminal takes nothing any more.
pub(crate) struct Gone;

impl Outlet {
    /// Hands events to a function, which returns whether it took them.
    pub(crate) fn new(send: impl Fn(Event) -> bool + Send + Sync + 'static) -> Outlet {
        Outlet(Arc::new(send))
    }

    pub(crate) fn send(&self, event: Event) -> Result<(), Gone> {
        if (self.0)(event) { Ok(()) } else { Err(Gone) }
    }
}

impl From<Sender<Event>> for Outlet {
    fn from(events: Sender<Event>) -> Outlet {
        Outlet::new(move |event| events.send(event).is_ok())
    }
}

/// All attached terminals, for threads whose work concerns each of them.
#[derive(Clone, Default)]
pub(crate) struct Hall(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    outlets: BTreeMap<u64, Outlet>,
    /// How far the current work is, for terminals that come meanwhile.
    progress: Option<Progress>,
}

impl Hall {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a terminal in.
    pub(crate) fn admit(&self, number: u64, outlet: Outlet) {
        self.inside().outlets.insert(number, outlet);
    }

    /// A terminal has left.
    pub(crate) fn forget(&self, number: u64) {
        self.inside().outlets.remove(&number);
    }

    /// Sends an event to all.
    pub(crate) fn tell(&self, event: &Event) {
        let mut inside = self.inside();
        match event {
            Event::Progress(progress) => inside.progress = Some(progress.clone()),
            Event::ScanDone(_) => inside.progress = None,
            _ => {}
        }
        for outlet in inside.outlets.values() {
            let _ = outlet.send(event.clone());
        }
    }

    /// How far the work is that concerns all.
    pub(crate) fn progress(&self) -> Option<Progress> {
        self.inside().progress.clone()
    }

    /// The work that concerned all has ended, whatever became of it.
    pub(crate) fn over(&self) {
        self.inside().progress = None;
    }

    /// The way to all of them.
    pub(crate) fn outlet(&self) -> Outlet {
        let hall = self.clone();
        Outlet::new(move |event| {
            hall.tell(&event);
            true
        })
    }
}
