//! Finds the session of a command's dataset, and offers one whose dataset has moved here.

use super::args::Global;
use super::ask;
use super::output::{count, remark, warning};
use super::settings;
use anyhow::{Result, anyhow};
use chaffinch_data::Error;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::index::ShardRecord;
use chaffinch_data::session;
use chaffinch_data::session::{Carried, Likeness, Session, SessionInfo, SessionLocation, is_session};
use chaffinch_protocol::display::{listed, quoted, safe_path, safe_text};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Resolves an argument that is a dataset or a session, as every command does that takes one. A session of another
/// dataset is refused.
pub(super) fn find(target: &Path, global: &Global) -> Result<SessionLocation> {
    let location = match session::resolve(target, global.session.as_deref()) {
        Err(Error::OtherDataset { session, bound, named }) if !chaffinch_data::dataset::is_there(&bound) => {
            return moved_by_name(Error::OtherDataset { session, bound, named });
        }
        location => location?,
    };
    // A session without decisions is worth less than one with them.
    let vacant = !Session::open_to_read(&location.dir).is_ok_and(|session| session.has_decisions());
    let named = global.session.is_some() || is_session(target);
    if named || !vacant || !chaffinch_data::dataset::is_there(&location.dataset) {
        return Ok(location);
    }
    let Some((found, likeness)) = elsewhere(&location, global) else { return Ok(location) };
    let (new, old) = (safe_path(&location.dataset), safe_path(&found.dataset));
    let decisions = count(found.decisions, "decision", "decisions");
    let resembles = resembles(&new, &old, likeness);
    let facts = format!("{resembles}, which is gone and whose session has {decisions}");
    // A part of a dataset, or one that goes on, may well be a dataset of its own.
    match ask::yes(&format!("{facts}. Continue that session here?"), likeness.is_whole()) {
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

/// Says on stderr that the dataset is half changed, and what to do; nothing if it is not.
pub(super) fn warn_of_half_changed(location: &SessionLocation) {
    if let Some(one) = chaffinch_formats::repair::unfinished(&location.dataset) {
        warning("dataset", &format!("{}: {}", safe_path(&location.dataset), one.warning()));
    }
}

/// Why a session without samples cannot be used yet, and what to do.
pub(super) fn no_results(session: &Session) -> anyhow::Error {
    let name = safe_path(session.dir());
    match ShardRecord::load(&session.shard_path()) {
        Ok(Some(record)) => anyhow!(
            "{name} holds shard {} of a dataset; run chaffinch merge with all shards first",
            record.shard
        ),
        _ => anyhow!("{name} has no results yet; run chaffinch scan first"),
    }
}

/// Has the session of a dataset take no decisions of other sessions over, if it is there already.
///
/// # Errors
/// When that cannot be written.
pub(super) fn decline(target: &Path, global: &Global) -> Result<()> {
    match session::resolve(target, global.session.as_deref()) {
        Ok(location) if is_session(&location.dir) => Ok(Session::open(&location.dir)?.decline_carry_over()?),
        // What is wrong with it says the scan.
        _ => Ok(()),
    }
}

/// Takes over the decisions of a session with the same pictures in another form, such as a Parquet file of them, if this
/// one has none. That is done once, as soon as its pictures are known: what is decided elsewhere later stays there.
pub(super) fn take_over(dir: &Path, global: &Global) {
    if Session::open_to_read(dir).is_ok_and(|session| session.declines_carry_over()) {
        return;
    }
    if let Some((carried, from)) = carry_over(dir, global) {
        remark(&words(&carried, &from));
    }
    if let Ok(session) = Session::open(dir)
        && session.outline().is_some()
        && let Err(error) = session.decline_carry_over()
    {
        warning("session", &error.to_string());
    }
}

/// Takes decisions over: of the sessions with the same pictures, from that of which most decisions are about pictures at the
/// same place, then of which most are about pictures that are here at all.
fn carry_over(dir: &Path, global: &Global) -> Option<(Carried, Session)> {
    let folder = settings::sessions_folder(global).ok()?;
    let takes = |session: &Session| !session.has_decisions() && !session.declines_carry_over();
    let own = Session::open(dir).ok().filter(takes)?;
    let outline = own.outline()?;
    let may_be = |there: &Session| {
        // One whose dataset is gone can be continued here; see `find`.
        let stays = chaffinch_data::dataset::is_there(&there.dataset());
        stays && there.has_decisions() && there.outline().is_some_and(|there| outline.may_be_same(&there))
    };
    let others = session::folders(&folder).into_iter().filter(|other| !session::same(other, dir));
    let sessions = others.filter_map(|other| Session::open_to_read(&other).ok()).filter(may_be);
    let mut known = None;
    let carried = sessions.filter_map(|from| {
        let here = known.get_or_insert_with(|| {
            let samples = own.load_samples().ok().flatten();
            samples.map(|(manifest, file_metadata)| (Arc::new(manifest), Arc::new(file_metadata)))
        });
        let (own, here) = here.as_ref()?;
        let (other, there) = from.load_samples().ok().flatten()?;
        // A decision to relabel means a class of the dataset in which it was made.
        let same = own.classes() == other.classes() && session::known_likeness(here, &there).is_same();
        let carried = same.then(|| Carried::of(&from, (&other, &there), (own, here)).ok()).flatten()?;
        Some((carried, from))
    });
    // What may be meant and is not certain is said, too.
    let carried = carried.filter(|(carried, _)| carried.decisions + carried.unclear > 0);
    let (carried, from) = carried.max_by_key(|(carried, _)| (carried.at_their_place, carried.decisions))?;
    if carried.decisions > 0 {
        own.take_over(&from).ok()?;
    }
    Some((carried, from))
}

/// Whose decisions were taken over, from where, and which were not.
fn words(carried: &Carried, from: &Session) -> String {
    let decisions = count(carried.decisions, "decision was", "decisions were");
    let names: Vec<_> = carried.reviewers.iter().map(|name| safe_text(name)).collect();
    let by = match names.is_empty() {
        true => String::new(),
        false => format!(", which {} made", listed(&names, "and")),
    };
    let left = [
        (carried.gone, "whose picture is not here", "whose pictures are not here"),
        (carried.changed, "whose picture has other contents here", "whose pictures have other contents here"),
        (
            carried.unclear,
            "of which it is not certain which sample is meant",
            "of which it is not certain which samples are meant",
        ),
    ];
    let left = left.into_iter().filter(|(left, ..)| *left > 0);
    let left: Vec<String> =
        left.map(|(left, one, many)| format!("{left} {}", if left == 1 { one } else { many })).collect();
    let (dataset, session) = (safe_path(&from.dataset()), safe_path(from.dir()));
    if carried.decisions == 0 {
        let left = left.join(", ");
        return format!("no decision was carried over from the session of {dataset} ({session}): {left}");
    }
    let left = match left.is_empty() {
        true => String::new(),
        false => format!("; not carried over: {}", left.join(", ")),
    };
    format!(
        "{decisions} carried over, with tags and notes, from the session of {dataset} ({session}){by}: the pictures are the \
         same{left}; scan --no-carry-over begins a session without them"
    )
}

/// Refuses a dataset without a session.
///
/// # Errors
/// When it was never scanned.
pub(super) fn scanned(location: &SessionLocation, global: &Global) -> Result<()> {
    if is_session(&location.dir) {
        return Ok(());
    }
    let session =
        global.session.as_deref().map(|dir| format!(" --session {}", quoted(dir))).unwrap_or_default();
    let (dataset, quoted) = (safe_path(&location.dataset), quoted(&location.dataset));
    anyhow::bail!("{dataset} was never scanned; run chaffinch scan {quoted}{session} first")
}

/// A session that was named but belongs to a dataset that is gone.
fn moved_by_name(error: Error) -> Result<SessionLocation> {
    let Error::OtherDataset { session, bound, named } = &error else { return Err(error.into()) };
    if let Some(likeness) = likeness(session, named).ok().filter(Likeness::is_same) {
        let resembles = resembles(&safe_path(named), &safe_path(bound), likeness);
        let question = format!("{resembles}, which is gone. Bind {} to it?", safe_path(session));
        if ask::yes(&question, likeness.is_whole()) == Some(true) {
            let dir = Session::open(session)?.move_to(named)?;
            return Ok(SessionLocation { dir, dataset: named.clone() });
        }
    }
    Err(error.into())
}

/// Says how far a dataset is one that is gone.
fn resembles(new: &str, old: &str, likeness: Likeness) -> String {
    if likeness.is_whole() {
        return format!("{new} has the same contents as {old}");
    }
    let (here, there) = likeness.samples;
    let (read, known) = likeness.read;
    let (images, files) = (count(here, "image", "images"), count(read, "file", "files"));
    let are = if known == 1 { "is" } else { "are" };
    format!("{new} has {images}, and of {files} compared {known} {are} among the {there} of {old}")
}

/// How much of a session's dataset is found at another place.
pub(super) fn likeness(dir: &Path, dataset: &Path) -> Result<Likeness> {
    let session = Session::open_to_read(dir)?;
    let Some((manifest, file_metadata)) = session.load_samples()? else {
        anyhow::bail!("{} has never been scanned, so there is nothing to compare", safe_path(dir));
    };
    let options = options_there(&session, manifest.root())?;
    let opened = chaffinch_formats::dataset::open(dataset, &options)?;
    Ok(session::likeness(&opened.manifest, &file_metadata))
}

/// How a session's dataset, with its files in `root`, would be read at another place.
fn options_there(session: &Session, root: &Path) -> Result<DatasetOptions> {
    let options = session.load_reading()?.unwrap_or_default();
    // Options name a root at the old place, unless it is still there.
    let there = options.root.filter(|there| chaffinch_data::dataset::is_there(there) && *there != root);
    Ok(DatasetOptions { root: there, ..options })
}

/// The session of a dataset that is gone and had the same contents; the one with the most decisions if there are
/// several.
fn elsewhere(location: &SessionLocation, global: &Global) -> Option<(SessionInfo, Likeness)> {
    let folder = settings::sessions_folder(global).ok()?;
    let gone = |dir: PathBuf| {
        let session = Session::open_to_read(&dir).ok().filter(|_| dir != location.dir)?;
        (!chaffinch_data::dataset::is_there(&session.dataset())).then_some(session)
    };
    let own = Session::open_to_read(&location.dir).ok();
    let outline = own.as_ref().and_then(Session::outline);
    // What the heads of both rule out need not be read: there may be hundreds of sessions.
    let may_be = |there: &Session| match (&outline, there.outline()) {
        (Some(here), Some(there)) => here.may_be_same(&there),
        _ => true,
    };
    let candidates: Vec<Session> =
        session::folders(&folder).into_iter().filter_map(gone).filter(may_be).collect();
    if candidates.is_empty() {
        return None;
    }
    // What a scan has read here need not be read again.
    let own = own.and_then(|session| session.load_samples().ok().flatten());
    let same: Vec<(&Session, Likeness)> = match &own {
        Some((_, here)) => {
            let compared = |there: &Session| {
                let (_, known) = there.load_samples().ok().flatten()?;
                Some(session::known_likeness(here, &known)).filter(Likeness::is_same)
            };
            candidates.iter().filter_map(|there| Some((there, compared(there)?))).collect()
        }
        None => here(&location.dataset, &candidates),
    };
    let infos = same
        .into_iter()
        .filter_map(|(there, likeness)| Some((session::inspect(there.dir()).ok()?, likeness)));
    infos.max_by_key(|(info, _)| info.decisions)
}

/// The sessions with the contents of a dataset that was never scanned. It is listed once for each way of reading it.
fn here<'s>(dataset: &Path, candidates: &'s [Session]) -> Vec<(&'s Session, Likeness)> {
    let mut ways: Vec<(DatasetOptions, Vec<&Session>)> = Vec::new();
    for there in candidates {
        let Ok(reading) = there.load_reading() else { continue };
        let reading = reading.unwrap_or_default();
        // A root that is still there is where the pictures are; any other is beside the dataset at its new place, too.
        let root = reading.root.filter(|root| chaffinch_data::dataset::is_there(root));
        let options = DatasetOptions { root, ..reading };
        match ways.iter_mut().find(|(known, _)| *known == options) {
            Some((_, sessions)) => sessions.push(there),
            None => ways.push((options, vec![there])),
        }
    }
    let mut found = Vec::new();
    for (options, sessions) in ways {
        let Ok(opened) = chaffinch_formats::dataset::open(dataset, &options) else { continue };
        let samples = opened.manifest.len() as u64;
        let may_be = |there: &&Session| there.outline().is_none_or(|outline| outline.is_comparable(samples));
        let sessions: Vec<&Session> = sessions.into_iter().filter(may_be).collect();
        if sessions.is_empty() {
            continue;
        }
        let here = session::Here::of(&opened.manifest);
        found.extend(sessions.into_iter().filter_map(|there| {
            let (_, known) = there.load_samples().ok().flatten()?;
            let likeness = Some(here.likeness(&known)).filter(Likeness::is_same)?;
            Some((there, likeness))
        }));
    }
    found
}
