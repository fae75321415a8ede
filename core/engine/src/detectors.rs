//! The detectors that there are: loaded at the start, and again when what is in their folders has changed, so that one
//! that is put there appears without a restart.

use chaffinch_host::Registry;
use std::sync::{Arc, PoisonError, RwLock};

/// Loads all detectors anew.
pub type DetectorLoader = Arc<dyn Fn() -> Registry + Send + Sync>;

/// The detectors that there are now. Clones share them: a thread that looks at their folders keeps nothing else of the
/// session.
#[derive(Clone)]
pub struct Detectors {
    now: Arc<RwLock<Arc<Registry>>>,
    load: Option<DetectorLoader>,
}

impl Detectors {
    /// These, for as long as the engine runs.
    pub fn new(registry: impl Into<Arc<Registry>>) -> Detectors {
        Detectors { now: Arc::new(RwLock::new(registry.into())), load: None }
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

    /// Loads them anew; `None` if that is not possible here. They become those that there are with [`Detectors::set`].
    pub(crate) fn load(&self) -> Option<Registry> {
        self.load.as_ref().map(|load| load())
    }

    pub(crate) fn set(&self, registry: Arc<Registry>) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = registry;
    }
}
