//! Loading detectors anew, on threads of their own: when what is in their folders has changed, and when one is let in.

use crate::Detectors;
use crate::answers::internal::Internal;
use chaffinch_host::{Registry, let_in};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::sync::Arc;
use std::time::Duration;

/// How often folders are looked at. What is in them must be the same twice: it may still be on its way.
const LOOK: Duration = Duration::from_millis(1000);

/// Looks at the folders until the engine ends, which drops the other end of `ended`.
pub(super) fn watch(detectors: &Detectors, internal: &Sender<Internal>, ended: &Receiver<()>) {
    let mut last = detectors.now().stamp();
    let mut known = last;
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK) {
        let stamp = detectors.now().stamp();
        if stamp == last && stamp != known {
            known = stamp;
            let Some(registry) = detectors.load() else { return };
            if internal.send(Internal::Loaded(Arc::new(registry), Vec::new())).is_err() {
                return;
            }
        }
        last = stamp;
    }
}

/// Lets a detector run again at the wish of a terminal, and loads all anew. It takes a moment, so the command loop does not wait for it.
pub(super) fn admit(detectors: &Detectors, at: u64, name: &str, internal: &Sender<Internal>) {
    let registry = detectors.now();
    let message = match let_in(registry.workers(), name) {
        Err(error) => Internal::NotLetIn(at, error.to_string()),
        Ok(freed) if freed.is_empty() => {
            Internal::NotLetIn(at, format!("nothing keeps '{name}' from running"))
        }
        Ok(_) => match detectors.load() {
            None => Internal::NotLetIn(at, "the detectors of this session cannot be loaded anew".into()),
            Some(loaded) => Internal::Loaded(Arc::new(loaded), let_run(&registry, name)),
        },
    };
    let _ = internal.send(message);
}

/// The detectors to run once this name or path is let in.
fn let_run(registry: &Registry, name: &str) -> Vec<String> {
    let given = std::path::absolute(name).ok();
    let mut changed = registry.changed();
    let named = changed.find(|changed| {
        let path = given.as_deref();
        changed.names.iter().any(|one| one == name)
            || path.is_some_and(|path| path == changed.path || Some(path) == changed.path.parent())
    });
    match named.map(|changed| changed.names.to_vec()) {
        Some(names) if !names.is_empty() => names,
        _ => vec![name.to_owned()],
    }
}
