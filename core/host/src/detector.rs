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
    origin: Origin,
    speaks: String,
}

/// Where a detector was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Origin {
    /// It ships with the program.
    Program,
    /// Beside the program, but not of its build.
    Beside,
    /// In the user's folder.
    Users,
    /// In a folder or file that was named.
    #[default]
    Named,
}

impl Origin {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Origin::Program => "ships with the program",
            Origin::Beside => "beside the program, but not of its build",
            Origin::Users => "your folder of detectors",
            Origin::Named => "a folder that was named",
        }
    }
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
        let speaks = match &code {
            Code::Here(exported) => format!("ABI {}", exported.abi()),
            Code::Worker(away) => match away.job {
                Job::Library(_) => "a library".into(),
                Job::Program { .. } => format!("worker protocol {}", crate::worker::PROTOCOL),
            },
            Code::Host(_) => "no code".into(),
        };
        let (path, digest) = (path.into(), digest.into());
        LoadedDetector { info, code, path, digest, origin: Origin::default(), speaks }
    }

    /// The same from a library that was built for this version of the contract.
    pub(crate) fn for_abi(self, abi: u32) -> LoadedDetector {
        if abi == 0 { self } else { LoadedDetector { speaks: format!("ABI {abi}"), ..self } }
    }

    /// The same with where it was found.
    pub(crate) fn found(self, origin: Origin) -> LoadedDetector {
        LoadedDetector { origin, ..self }
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

    /// Why it is set aside, if it is. It does not run then. What has just died is set aside at once.
    pub fn aside(&self) -> Option<AsideEntry> {
        match &self.code {
            Code::Worker(away) => away.workers.aside().of(&self.digest),
            Code::Here(_) | Code::Host(_) => None,
        }
    }

    /// Where it was found.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// How the program talks to it: `ABI 7`, `worker protocol 1`, `no code`.
    pub fn speaks(&self) -> &str {
        &self.speaks
    }

    /// What it may use, if it runs in a process of its own.
    pub fn limits(&self) -> Option<&Limits> {
        match &self.code {
            Code::Worker(away) => Some(&away.limits),
            Code::Here(_) | Code::Host(_) => None,
        }
    }

    /// Whether its code is pinned: it runs in a process of its own, and has run as it is now.
    pub fn pinned(&self) -> bool {
        match &self.code {
            Code::Worker(away) => away
                .workers
                .pins()
                .of(&self.path)
                .is_ok_and(|pin| pin.is_some_and(|pin| pin.digest == self.digest)),
            Code::Here(_) | Code::Host(_) => false,
        }
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
