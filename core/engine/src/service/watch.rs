//! Loading detectors anew, on threads of their own: when what is in their folders has changed, and when one is let in.

use crate::Detectors;
use crate::answers::internal::Internal;
use chaffinch_host::{LetIn, Registry, is_named, let_in};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::collections::BTreeSet;
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

/// Lets a detector run again at the wish of a terminal, and loads all anew. It takes a moment, so the command loop does not
/// wait for it. Only code with the digest that was shown is let in, if one was.
pub(super) fn admit(
    detectors: &Detectors,
    at: u64,
    (name, shown): (&str, &str),
    internal: &Sender<Internal>,
) {
    let registry = detectors.now();
    let shown = Some(shown).filter(|shown| !shown.is_empty());
    let message = match let_in(registry.workers(), name, shown) {
        Err(error) => {
            // What is there now is shown, whatever it is.
            if let Some(loaded) = detectors.load() {
                let _ = internal.send(Internal::Loaded(Arc::new(loaded), Vec::new()));
            }
            Internal::NotLetIn(at, error.to_string())
        }
        Ok(freed) if freed.is_empty() => {
            Internal::NotLetIn(at, format!("nothing keeps '{name}' from running"))
        }
        Ok(freed) => match detectors.load() {
            None => Internal::NotLetIn(at, "the detectors of this session cannot be loaded anew".into()),
            Some(loaded) => {
                let names = let_run(&loaded, name, &freed);
                Internal::Loaded(Arc::new(loaded), names)
            }
        },
    };
    let _ = internal.send(message);
}

/// The detectors to run once this name or path is let in. Of a library that never said what is in it, those that it has now.
fn let_run(loaded: &Registry, name: &str, freed: &[LetIn]) -> Vec<String> {
    // One that was set aside and has changed is there twice.
    let names: BTreeSet<&String> = freed.iter().flat_map(LetIn::names).collect();
    if !names.is_empty() {
        return names.into_iter().cloned().collect();
    }
    let known = loaded.detectors().iter().map(|detector| (detector.info().name(), detector.path()));
    known.filter(|(one, path)| is_named(name, [*one], path)).map(|(one, _)| one.to_owned()).collect()
}
