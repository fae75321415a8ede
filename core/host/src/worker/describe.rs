//! Asks a library what is in it, in a process of its own: loading runs its code already.

use super::death::Death;
use super::message::FromWorker;
use super::process::Worker;
use super::serve::refused;
use super::{Job, Limits, Workers};
use crate::PluginError;
use crate::declared::Declared;
use std::path::Path;
use std::time::Duration;

/// How long a library may take to load, if detectors are not allowed longer.
const LOADED: Duration = Duration::from_secs(20);

/// Why nothing is known of a library.
#[derive(Debug)]
pub(crate) enum Undescribed {
    /// It cannot be used.
    Refused(PluginError),
    /// Loading it ended its process.
    Died(Death),
}

/// What the detectors in a library say of themselves.
///
/// # Errors
/// When it cannot be used, or ended its process.
pub(crate) fn describe(workers: &Workers, path: &Path) -> Result<Vec<Declared>, Undescribed> {
    let limits = workers.limits().clone();
    let limits = Limits { time: limits.time.max(Some(LOADED)), ..limits };
    let job = Job::Library(path.into());
    let mut worker = Worker::start(workers, &job, &limits, 0, &[]).map_err(Undescribed::Died)?;
    worker.only_loads();
    match worker.next(&|| false).map_err(Undescribed::Died)? {
        Some(FromWorker::Hello { detectors, .. }) if !detectors.is_empty() => {
            worker.finish();
            Ok(detectors)
        }
        Some(FromWorker::Unusable(unusable)) => Err(Undescribed::Refused(refused(unusable, path))),
        _ => Err(Undescribed::Died(worker.end_for("said nothing of its detectors"))),
    }
}
