//! Detectors in processes of their own, so that whatever one of them does harms nothing else.
//!
//! `message` is what the two sides say to each other, a line of JSON at a time; arrays are lent as memory files
//! (`shared`). On the engine's side, `process` starts a worker, watches it within `limits` and kills it with all its
//! children, `heard` reads its lines and says what is wrong with one (by `grammar`), `death` says how it ended, `conversation` answers what it asks for (`said`: what is newer than revision 1) within its `budget`, and `aside` remembers the code that
//! died. On the worker's side, `launch` confines the new process (`confine`); it then becomes the program of the detector, or loads
//! its library (`serve`), which sees the engine through `remote` as it would see it in the engine's own process.

mod aside;
mod budget;
mod confine;
mod conversation;
mod death;
mod describe;
mod files;
mod grammar;
mod heard;
mod launch;
mod limits;
mod message;
mod process;
mod rehearsal;
mod remote;
mod said;
mod serve;
mod shared;
mod stderr;

pub use aside::{Aside, AsideEntry};
pub use confine::{Confinement, confinement};
pub(crate) use conversation::{Lent, converse};
pub(crate) use death::Ended;
pub use death::is_misbehavior;
pub(crate) use describe::{Undescribed, describe};
pub use grammar::message_names;
pub use launch::{Launch, launch};
pub use limits::Limits;
pub(crate) use message::PROTOCOL;
pub(crate) use process::Job;
pub use rehearsal::Rehearsal;
pub(crate) use shared::SharedData;

use crate::pins::Pins;
use std::path::PathBuf;

/// How workers are started and what they may use.
#[derive(Debug, Clone)]
pub struct Workers {
    /// The program that becomes a worker: `chaffinch`.
    program: PathBuf,
    limits: Limits,
    aside: Aside,
    pins: Pins,
    /// Whether the program's own detectors run in workers, too.
    all: bool,
}

impl Default for Workers {
    /// Workers of this very program, without a memory of what died before.
    fn default() -> Workers {
        Workers::of("/proc/self/exe")
    }
}

impl Workers {
    /// Workers of the program at this path, which must have the command `worker`.
    pub fn of(program: impl Into<PathBuf>) -> Workers {
        Workers {
            program: program.into(),
            limits: Limits::default(),
            aside: Aside::default(),
            pins: Pins::default(),
            all: false,
        }
    }

    /// The same within these limits.
    #[must_use]
    pub fn within(self, limits: Limits) -> Workers {
        Workers { limits, ..self }
    }

    /// The same with a memory of what died, in which detectors are set aside.
    #[must_use]
    pub fn remembering(self, aside: Aside) -> Workers {
        Workers { aside, ..self }
    }

    /// The same with a memory of the code that has run, so that code that has changed is noticed.
    #[must_use]
    pub fn pinning(self, pins: Pins) -> Workers {
        Workers { pins, ..self }
    }

    /// The same, with all detectors in workers if `all`, also those that ship with the program.
    #[must_use]
    pub fn for_all(self, all: bool) -> Workers {
        Workers { all, ..self }
    }

    pub(crate) fn are_for_all(&self) -> bool {
        self.all
    }

    /// What was set aside.
    pub fn aside(&self) -> &Aside {
        &self.aside
    }

    /// The code that has run.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}
