//! The detectors that there are: loaded at the start, and again when what is in their folders has changed, so that one
//! that is put there appears without a restart.

use crate::answers::internal::Internal;
use chaffinch_host::{Registry, let_in};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Loads all detectors anew.
pub type DetectorLoader = Arc<dyn Fn() -> Registry + Send + Sync>;

/// How often folders are looked at. What is in them must be the same twice: it may still be on its way.
const LOOK: Duration = Duration::from_millis(1000);

/// The detectors that there are now.
pub struct Detectors {
    now: RwLock<Arc<Registry>>,
    load: Option<DetectorLoader>,
}

impl Detectors {
    /// These, for as long as the engine runs.
    pub fn new(registry: impl Into<Arc<Registry>>) -> Detectors {
        Detectors { now: RwLock::new(registry.into()), load: None }
    }

    /// The same, loaded anew by `load` when what is in their folders changes.
    #[must_use]
    pub fn loaded_by(self, load: DetectorLoader) -> Detectors {
        Detectors { load: Some(load), ..self }
    }

    /// The detectors now. A scan uses those of its start to its end.
    pub fn now(&self) -> Arc<Registry> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, registry: Arc<Registry>) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = registry;
    }
}

/// Looks at the folders until the engine ends, which drops the other end of `ended`.
pub(crate) fn watch(detectors: &Detectors, internal: &Sender<Internal>, ended: &Receiver<()>) {
    let Some(load) = &detectors.load else { return };
    let mut last = detectors.now().stamp();
    let mut known = last;
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK) {
        let stamp = detectors.now().stamp();
        if stamp == last && stamp != known {
            known = stamp;
            if internal.send(Internal::Loaded(Arc::new(load()), Vec::new())).is_err() {
                return;
            }
        }
        last = stamp;
    }
}

/// Lets a detector run again, and loads all anew. It takes a moment, so the command loop does not wait for it.
pub(crate) fn admit(detectors: &Detectors, name: &str, internal: &Sender<Internal>) {
    let registry = detectors.now();
    let message = match (let_in(registry.workers(), name), &detectors.load) {
        (Err(error), _) => Internal::NotLetIn(error.to_string()),
        (Ok(freed), _) if freed.is_empty() => {
            Internal::NotLetIn(format!("nothing keeps '{name}' from running"))
        }
        (Ok(_), None) => Internal::NotLetIn("the detectors of this session cannot be loaded anew".into()),
        (Ok(_), Some(load)) => {
            let changed = registry.changed().find(|changed| {
                changed.names.iter().any(|one| one == name) || changed.path.to_string_lossy() == name
            });
            let mut names = changed.map(|changed| changed.names.to_vec()).unwrap_or_default();
            if names.is_empty() {
                names.push(name.to_owned());
            }
            Internal::Loaded(Arc::new(load()), names)
        }
    };
    let _ = internal.send(message);
}
