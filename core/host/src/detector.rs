//! A detector that is ready to run, wherever its code is.

use crate::described::Described;
use crate::exported::Exported;
use crate::worker::{AsideEntry, Job, Limits, Workers};
use chaffinch_plugin::Info;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A detector ready to run.
#[derive(Clone)]
pub struct LoadedDetector {
    info: &'static Info,
    code: Code,
    path: PathBuf,
    digest: String,
    aside: Option<AsideEntry>,
}

/// What does a detector's work.
#[derive(Clone)]
pub(crate) enum Code {
    /// A library in this process.
    Here(Exported),
    /// A library or a program in a process of its own.
    Worker(Arc<Away>),
    /// The host, by what a file describes.
    Host(Arc<Described>),
}

/// Code that runs in a process of its own.
pub(crate) struct Away {
    pub(crate) job: Job,
    pub(crate) limits: Limits,
    pub(crate) workers: Workers,
}

impl fmt::Debug for LoadedDetector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedDetector").field("name", &self.info.name()).field("path", &self.path).finish()
    }
}

/// Where a detector runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the engine's process: it ships with the program.
    Engine,
    /// In a process of its own.
    Worker,
    /// It has no code; the engine does what it describes.
    File,
}

impl LoadedDetector {
    pub(crate) fn new(info: &'static Info, code: Code, path: &Path, digest: &str) -> LoadedDetector {
        LoadedDetector { info, code, path: path.into(), digest: digest.into(), aside: None }
    }

    /// The same with what was remembered of its code.
    pub(crate) fn recalled(mut self) -> LoadedDetector {
        if let Code::Worker(away) = &self.code {
            self.aside = away.workers.aside().of(&self.digest);
        }
        self
    }

    /// Its description of itself.
    pub fn info(&self) -> &'static Info {
        self.info
    }

    /// The library or description it came from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Digest of its code: a rebuilt detector runs again.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Where it runs.
    pub fn place(&self) -> Place {
        match self.code {
            Code::Here(_) => Place::Engine,
            Code::Worker(_) => Place::Worker,
            Code::Host(_) => Place::File,
        }
    }

    /// Why it was set aside, if it was. It does not run then.
    pub fn aside(&self) -> Option<&AsideEntry> {
        self.aside.as_ref()
    }

    /// The columns of the dataset that its result depends on.
    pub fn columns(&self) -> Vec<&'static str> {
        self.info.needed_columns()
    }

    /// The detectors that run before it.
    pub fn after(&self) -> Vec<&'static str> {
        self.info.follows()
    }

    pub(crate) fn code(&self) -> &Code {
        &self.code
    }

    /// The detector of a library in this process.
    pub(crate) fn exported(&self) -> Option<&Exported> {
        match &self.code {
            Code::Here(exported) => Some(exported),
            Code::Worker(_) | Code::Host(_) => None,
        }
    }
}
