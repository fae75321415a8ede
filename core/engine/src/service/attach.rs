//! Terminals come, leave, and take each other's place.

use super::Service;
use super::desk::Desk;
use crate::outlet::Outlet;
use crate::{Error, Result};
use chaffinch_data::journal::Journal;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{Attached, Event, How, Join};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who is attached, for threads that greet newcomers while the command loop is busy.
#[derive(Clone, Default)]
pub(crate) struct Roster(Arc<Mutex<Listed>>);

#[derive(Default)]
struct Listed {
    all: Vec<(u64, Attached)>,
    /// Those that are gone, also where the command loop has not heard of it yet.
    gone: BTreeSet<u64>,
}

impl Roster {
    fn listed(&self) -> MutexGuard<'_, Listed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Vec<Attached> {
        let listed = self.listed();
        let there = listed.all.iter().filter(|(number, _)| !listed.gone.contains(number));
        there.map(|(_, attached)| attached.clone()).collect()
    }

    /// The connection of this terminal has ended.
    pub(crate) fn gone(&self, number: u64) {
        self.listed().gone.insert(number);
    }

    fn set(&self, all: Vec<(u64, Attached)>) {
        let mut listed = self.listed();
        listed.gone.retain(|gone| all.iter().any(|(number, _)| number == gone));
        listed.all = all;
    }
}

impl Service {
    /// Lets a terminal take part, and tells it everything that there is to know.
    ///
    /// # Errors
    /// When it cannot take part as it wants to, or the journal cannot be read; then nothing has changed.
    pub(crate) fn join(&mut self, number: u64, join: Join, outlet: Outlet) -> Result<()> {
        let (reviewer, replaced) = match join.how {
            How::Watch => (self.watched(&join.reviewer)?, None),
            How::Review => (join.reviewer.clone(), None),
            How::TakeOver => (join.reviewer.clone(), self.to_replace(&join.reviewer)?),
        };
        let watches = join.how == How::Watch;
        if !watches {
            Journal::check_reviewer(&reviewer)?;
        }
        let holder = self.holder(&reviewer).filter(|holder| !watches && Some(*holder) != replaced);
        if let Some(there) = holder.and_then(|holder| self.desks.get(&holder)) {
            return Err(Error::Invalid(there.attached().in_the_way()));
        }
        let notes = self.open_seat(&reviewer)?;
        let mut desk = Desk::start(number, outlet.clone(), &self.internal.0);
        desk.reviewer.clone_from(&reviewer);
        (desk.watches, desk.terminal) = (watches, join.terminal);
        desk.numbering = self.numbering;
        let words = desk.attached().words();
        self.desks.insert(number, desk);
        // Only now, when the newcomer is there for certain.
        if let Some(replaced) = replaced {
            self.replace(replaced, &words);
        }
        self.hall.admit(number, outlet);
        self.came = true;
        let of_blind = if watches { None } else { self.begin_blind(&reviewer, join.blind) };
        self.tell_session(number);
        self.learn(number);
        if let Some(event) = of_blind {
            self.tell(number, event);
        }
        for event in std::mem::take(&mut self.greetings) {
            self.tell(number, event);
        }
        for message in notes {
            self.tell(number, Event::Trouble { about: "journal".into(), message });
        }
        if let Some(progress) = self.hall.progress() {
            self.tell(number, Event::Progress(progress));
        }
        // It may be waiting for a scan, and none will follow.
        if let Some(report) = self.report.clone().filter(|_| !self.is_scanning()) {
            self.tell_report(number, report);
        }
        let verb = if watches { "is there" } else { "is reviewing, too" };
        self.tell_company(number, &format!("{words} {verb}"));
        Ok(())
    }

    /// The terminal in whose place another one decides, if any does.
    fn to_replace(&self, reviewer: &str) -> Result<Option<u64>> {
        if let Some(holder) = self.holder(reviewer) {
            return Ok(Some(holder));
        }
        let mut others = self.desks.iter().filter(|(_, desk)| !desk.watches);
        match (others.next(), others.next()) {
            (None, _) => Ok(None),
            (Some((number, _)), None) => Ok(Some(*number)),
            (Some(_), Some(_)) => {
                let names: Vec<String> = self.roster_of(None).iter().map(Attached::words).collect();
                Err(Error::Invalid(format!(
                    "several terminals are attached ({}): name the reviewer to take over from with --reviewer NAME",
                    names.join(", ")
                )))
            }
        }
    }

    /// Ends a terminal in favor of another one.
    fn replace(&mut self, number: u64, by: &str) {
        let why = format!(
            "the session was opened in another terminal by {by}, which continues it; everything shown as saved is on disk"
        );
        self.tell(number, Event::Dismissed { why });
        self.remove(number);
    }

    /// A terminal is not there any more. What it sent before counts.
    pub(super) fn left(&mut self, number: u64) {
        let Some(desk) = self.desks.get(&number) else { return };
        let words = desk.attached().words();
        self.remove(number);
        self.tell_company(number, &format!("{words} has left"));
    }

    /// A terminal quits while others stay: its decisions are on disk before it is told good-bye.
    pub(super) fn bid_farewell(&mut self, number: u64) {
        let Some(reviewer) = self.desks.get(&number).map(|desk| desk.reviewer.clone()) else { return };
        let decides = self.holder(&reviewer) == Some(number);
        let settled = if decides { self.settle(&reviewer) } else { Ok(()) };
        let unsaved = settled.err().map(|error| safe_text(&error.to_string()).into_owned());
        self.end_work_of(number);
        self.tell(number, Event::Bye { unsaved: unsaved.unwrap_or_default() });
        self.left(number);
    }

    /// Takes a terminal away.
    fn remove(&mut self, number: u64) {
        self.hall.forget(number);
        let Some(desk) = self.desks.remove(&number) else { return };
        if let Err(error) = self.close_seat(&desk.reviewer) {
            let message = safe_text(&error.to_string()).into_owned();
            self.hall.tell(&Event::Trouble { about: "journal".into(), message });
            self.unsettled.get_or_insert(error);
        }
        // Its queues may still be at work.
        let closing = std::thread::Builder::new().name("leaving".into()).spawn(move || desk.close());
        drop(closing);
        self.list_company();
    }

    /// Who is attached, in the order in which they came; `own` is the one that is told.
    pub(super) fn roster_of(&self, own: Option<u64>) -> Vec<Attached> {
        let desks = self.desks.iter();
        desks.map(|(number, desk)| Attached { own: Some(*number) == own, ..desk.attached() }).collect()
    }

    fn list_company(&self) {
        self.roster.set(self.desks.iter().map(|(number, desk)| (*number, desk.attached())).collect());
    }

    /// Tells the others that one came or left, and who is there now.
    fn tell_company(&self, number: u64, message: &str) {
        self.list_company();
        for other in self.desks.keys().filter(|other| **other != number) {
            self.tell_session(*other);
            self.tell(*other, Event::Notice { message: message.to_owned() });
        }
    }

    /// Tells the others what one has changed that is the session's.
    pub(super) fn notice(&self, at: u64, what: &str) {
        let Some(by) = self.desks.get(&at).map(|desk| safe_text(&desk.reviewer).into_owned()) else { return };
        for other in self.desks.keys().filter(|other| **other != at) {
            self.tell(*other, Event::Notice { message: format!("{by} {what}") });
        }
    }
}
