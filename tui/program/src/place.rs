//! Finds the session of a command's dataset, and offers one whose dataset has moved here.

use super::args::Global;
use super::ask;
use super::output::{count, remark, warning};
use super::settings;
use anyhow::Result;
use chaffinch_data::Error;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::session;
use chaffinch_data::session::{MARK, Session, SessionInfo, SessionLocation};
use chaffinch_protocol::display::{quoted, safe_path};
use std::path::{Path, PathBuf};

/// Resolves an argument that is a dataset or a session, as every command does that takes one. A session of another
/// dataset is refused.
pub(super) fn find(target: &Path, global: &Global) -> Result<SessionLocation> {
    let location = match session::resolve(target, global.session.as_deref()) {
        Err(Error::OtherDataset { session, bound, named }) if !bound.exists() => {
            return moved_by_name(Error::OtherDataset { session, bound, named });
        }
        location => location?,
    };
    // A session without decisions is worth less than one with them.
    let vacant = Session::open_to_read(&location.dir).map_or(true, |session| !session.has_decisions());
    let named = global.session.is_some() || target.join(MARK).is_file();
    if named || !vacant || !location.dataset.exists() {
        return Ok(location);
    }
    let Some(found) = elsewhere(&location, global) else { return Ok(location) };
    let (new, old) = (safe_path(&location.dataset), safe_path(&found.dataset));
    let decisions = count(found.decisions, "decision", "decisions");
    let facts =
        format!("{new} has the same contents as {old}, which is gone and whose session has {decisions}");
    match ask::yes(&format!("{facts}. Continue that session here?"), true) {
        Some(true) => {
            let dir = Session::open(&found.dir)?.move_to(&location.dataset)?;
            remark(&format!("the session of {old} is now that of {new}: {}", safe_path(&dir)));
            Ok(SessionLocation { dir, ..location })
        }
        Some(false) => Ok(location),
        None => {
            let (dir, dataset) = (quoted(&found.dir), quoted(&location.dataset));
            warning(
                "session",
                &format!("{facts}; to continue it here: chaffinch session move {dir} {dataset}"),
            );
            Ok(location)
        }
    }
}

/// A session that was named but belongs to a dataset that is gone.
fn moved_by_name(error: Error) -> Result<SessionLocation> {
    let Error::OtherDataset { session, bound, named } = &error else { return Err(error.into()) };
    let same = likeness(session, named).is_ok_and(|likeness| likeness.is_same());
    if same {
        let (old, new) = (safe_path(bound), safe_path(named));
        let question = format!(
            "{new} has the same contents as {old}, which is gone. Bind {} to it?",
            safe_path(session)
        );
        if ask::yes(&question, true) == Some(true) {
            let dir = Session::open(session)?.move_to(named)?;
            return Ok(SessionLocation { dir, dataset: named.clone() });
        }
    }
    Err(error.into())
}

/// How much of a session's dataset is found at another place.
pub(super) fn likeness(dir: &Path, dataset: &Path) -> Result<session::Likeness> {
    let session = Session::open_to_read(dir)?;
    let options = session.load_reading()?.unwrap_or_default();
    let Some((manifest, file_metadata)) = session.load_samples()? else {
        anyhow::bail!("{} has never been scanned, so there is nothing to compare", safe_path(dir));
    };
    let there = manifest.root().to_path_buf();
    // Options name a root at the old place, unless it is still there.
    let root = options.root.filter(|root| root.exists() && *root != there);
    let opened = chaffinch_formats::dataset::open(dataset, &DatasetOptions { root, ..options })?;
    Ok(session::likeness(&opened.manifest, &file_metadata))
}

/// The session of a dataset that is gone and had the same contents; the one with the most decisions if there are
/// several.
fn elsewhere(location: &SessionLocation, global: &Global) -> Option<SessionInfo> {
    let folder = settings::sessions_folder(global).ok()?;
    let gone = |dir: &PathBuf| {
        *dir != location.dir && Session::open_to_read(dir).is_ok_and(|session| !session.dataset().exists())
    };
    let candidates: Vec<PathBuf> = session::folders(&folder).into_iter().filter(gone).collect();
    if candidates.is_empty() {
        return None;
    }
    // What a scan has read here need not be read again.
    let own = Session::open_to_read(&location.dir).and_then(|session| session.load_samples()).ok().flatten();
    let same = |dir: &PathBuf| match &own {
        Some((_, here)) => {
            let there = Session::open_to_read(dir).and_then(|session| session.load_samples()).ok().flatten();
            there.is_some_and(|(_, there)| session::known_likeness(here, &there).is_same())
        }
        None => likeness(dir, &location.dataset).is_ok_and(|likeness| likeness.is_same()),
    };
    let candidates = candidates.into_iter().filter(same);
    candidates.filter_map(|dir| session::inspect(&dir).ok()).max_by_key(|info| info.decisions)
}
