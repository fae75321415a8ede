//! `session`: lists sessions, compares the models of one, binds one to a dataset that has moved, and removes one.

use super::args::Global;
use super::ask;
use super::listing::Listing;
use super::output::{Align, Table, count, json, remark, results, terminal_width, warning};
use super::{place, settings};
use anyhow::{Result, bail, ensure};
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::session as stored;
use chaffinch_data::session::{SessionInfo, is_session};
use chaffinch_data::uses::Uses;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_review::verdict::is_flagged;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// List sessions, compare the models of one, bind one to a moved dataset, or remove one
#[derive(Debug, Args)]
pub(super) struct Session {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List all sessions, including those of datasets that are gone
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Compare the results of the models that a session was scanned with
    Models {
        /// Folder of a session, or its dataset
        #[arg(value_name = "SESSION")]
        target: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Bind a session to the place where its dataset is now; decisions are kept
    Move {
        /// Folder of a session, or the place where its dataset was
        #[arg(value_name = "SESSION")]
        from: PathBuf,
        /// Where the dataset is now
        #[arg(value_name = "DATASET")]
        to: PathBuf,
        /// Bind it even if the pictures there are different ones
        #[arg(long)]
        force: bool,
    },
    /// Remove a session with its decisions; the dataset stays
    Remove {
        /// Folder of a session, or its dataset
        #[arg(value_name = "SESSION")]
        target: PathBuf,
        /// Remove it without asking
        #[arg(long)]
        yes: bool,
    },
}

/// Runs the subcommand.
pub(super) fn run(args: &Session, global: &Global) -> Result<ExitCode> {
    match &args.action {
        Action::List { json } => list(*json, global)?,
        Action::Models { target, json } => models(target, *json, global)?,
        Action::Move { from, to, force } => move_to(from, to, *force, global)?,
        Action::Remove { target, yes } => remove(target, *yes, global)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// One session in the list.
#[derive(Serialize)]
struct Listed {
    session: String,
    dataset: String,
    exists: bool,
    model: String,
    created: String,
    samples: u64,
    decisions: u64,
    bytes: u64,
}

impl From<SessionInfo> for Listed {
    fn from(info: SessionInfo) -> Listed {
        Listed {
            session: safe_path(&info.dir),
            dataset: safe_path(&info.dataset),
            exists: info.exists,
            model: info.model,
            created: info.created,
            samples: info.samples,
            decisions: info.decisions,
            bytes: info.bytes,
        }
    }
}

fn list(as_json: bool, global: &Global) -> Result<()> {
    let folder = settings::sessions_folder(global)?;
    let folders = match is_session(&folder) {
        // --session names one session.
        true => vec![folder.clone()],
        false => stored::folders(&folder),
    };
    let mut all: Vec<Listed> = Vec::new();
    for dir in folders {
        match stored::inspect(&dir) {
            Ok(info) => all.push(info.into()),
            Err(error) => warning("session", &format!("{}: {error}", safe_path(&dir))),
        }
    }
    results(|out| {
        if as_json {
            return json(out, &all);
        }
        let mut table = Table::new(&[
            ("dataset", Align::Left),
            ("there", Align::Left),
            ("samples", Align::Right),
            ("decisions", Align::Right),
            ("size", Align::Right),
            ("model", Align::Left),
            ("session", Align::Left),
        ]);
        for one in &all {
            table.row(vec![
                one.dataset.clone(),
                if one.exists { "yes" } else { "GONE" }.to_owned(),
                one.samples.to_string(),
                one.decisions.to_string(),
                size(one.bytes),
                one.model.clone(),
                one.session.clone(),
            ]);
        }
        table.write(out, terminal_width())
    })?;
    let gone: Vec<&Listed> = all.iter().filter(|one| !one.exists).collect();
    if !global.quiet && !as_json && !gone.is_empty() {
        let bytes = gone.iter().map(|one| one.bytes).sum();
        remark(&format!(
            "{} of a dataset that is gone, {} in total; bind it to a new place with chaffinch session move, or \
             remove it with chaffinch session remove",
            count(gone.len() as u64, "session", "sessions"),
            size(bytes)
        ));
    }
    Ok(())
}

/// A size for people: `812 KiB`, `1.4 GiB`.
fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if value < 10.0 && unit > 0 {
        format!("{value:.1} {}", units[unit])
    } else {
        format!("{value:.0} {}", units[unit])
    }
}

/// The results of one model.
#[derive(Serialize)]
struct OfModel {
    model: String,
    revision: Option<String>,
    fingerprint: String,
    current: bool,
    /// Samples flagged by at least one detector that depends on the model.
    suspects: u64,
    /// How many of them are suspects of the current model, too.
    shared: u64,
    /// Flagged samples by detector.
    flagged: BTreeMap<String, u64>,
}

/// The flagged samples of each detector, at the thresholds of the session.
type Flagged = BTreeMap<String, BTreeSet<u32>>;

fn models(target: &Path, as_json: bool, global: &Global) -> Result<()> {
    let listing = Listing::open(target, global)?;
    let session = stored::Session::open_to_read(&stored::resolve(target, global.session.as_deref())?.dir)?;
    let flagged = |name: &str, result: &DetectorResult| -> BTreeSet<u32> {
        let threshold = listing.thresholds.get(name).copied().unwrap_or(result.record().threshold);
        let scores = (0..).zip(result.scores());
        scores.filter(|(_, score)| is_flagged(**score, threshold)).map(|(row, _)| row).collect()
    };
    let (count, classes) = (listing.manifest.len(), listing.manifest.classes());
    let current = session.uses();
    let now = current.loaded.as_ref().map(|loaded| loaded.fingerprint.as_str());
    let mut all: Vec<(Uses, Flagged)> = Vec::new();
    for uses in session.earlier() {
        // What an interrupted scan has not yet taken back is no other model.
        let Some(loaded) = uses.loaded.as_ref().filter(|loaded| Some(loaded.fingerprint.as_str()) != now)
        else {
            continue;
        };
        let found = session.load_earlier(&loaded.fingerprint, count, classes)?;
        let found = found.iter().map(|(name, result)| (name.clone(), flagged(name, result))).collect();
        all.push((uses, found));
    }
    ensure!(
        current.loaded.is_some(),
        "{} has no results of a model yet; run chaffinch scan first",
        safe_path(session.dir())
    );
    // Detectors that do not use the model have the same results whichever it is.
    let dependent: BTreeSet<&String> = all.iter().flat_map(|(_, found)| found.keys()).collect();
    let own = |(name, result): (&String, &Arc<DetectorResult>)| {
        (all.is_empty() || dependent.contains(name)).then(|| (name.clone(), flagged(name, result)))
    };
    let now: Flagged = listing.results.iter().filter_map(own).collect();
    let suspects = |flagged: &Flagged| -> BTreeSet<u32> { flagged.values().flatten().copied().collect() };
    let of_now = suspects(&now);
    let row = |(uses, flagged): (&Uses, &Flagged), current: bool| {
        let suspects = suspects(flagged);
        let loaded = uses.loaded.clone().unwrap_or_default();
        OfModel {
            model: safe_text(uses.model_words().unwrap_or_default()).into_owned(),
            revision: loaded.revision,
            fingerprint: loaded.fingerprint,
            current,
            suspects: suspects.len() as u64,
            shared: suspects.intersection(&of_now).count() as u64,
            flagged: flagged.iter().map(|(name, rows)| (name.clone(), rows.len() as u64)).collect(),
        }
    };
    let mut rows = vec![row((&current, &now), true)];
    rows.extend(all.iter().map(|(uses, flagged)| row((uses, flagged), false)));
    results(|out| {
        if as_json {
            return json(out, &rows);
        }
        let mut table = Table::new(&[
            ("model", Align::Left),
            ("current", Align::Left),
            ("suspects", Align::Right),
            ("shared", Align::Right),
            ("flagged by detector", Align::Left),
        ]);
        for row in &rows {
            let flagged: Vec<String> =
                row.flagged.iter().map(|(name, count)| format!("{name} {count}")).collect();
            table.row(vec![
                row.model.clone(),
                if row.current { "yes" } else { "no" }.to_owned(),
                row.suspects.to_string(),
                row.shared.to_string(),
                flagged.join(", "),
            ]);
        }
        table.write(out, terminal_width())
    })?;
    if !global.quiet && !as_json && rows.len() > 1 {
        remark(
            "shared: suspects that the current model has, too; scan with --model to make another one current",
        );
    }
    Ok(())
}

fn move_to(from: &Path, to: &Path, force: bool, global: &Global) -> Result<()> {
    let dir = stored::resolve(from, global.session.as_deref())?.dir;
    if !force {
        let likeness = place::likeness(&dir, to)?;
        let (here, there) = likeness.samples;
        ensure!(
            likeness.is_same(),
            "{} does not have the contents of this session's dataset: {here} images instead of {there}; of those that were \
             compared, {} of {} have a known size and {} of {} known contents; use --force if it is the right one all \
             the same",
            safe_path(to),
            likeness.sized.1,
            likeness.sized.0,
            likeness.read.1,
            likeness.read.0,
        );
        if !likeness.is_whole() && !global.quiet {
            remark(
                "some files differ from those of the last scan; scan again to bring the session up to date",
            );
        }
    }
    let session = stored::Session::open(&dir)?;
    let old = safe_path(&session.dataset());
    let dir = session.move_to(to)?;
    let decisions = count(stored::inspect(&dir)?.decisions, "decision", "decisions");
    results(|out| {
        Ok(writeln!(out, "{}: moved from {old} to {} ({decisions})", safe_path(&dir), safe_path(to))?)
    })
}

fn remove(target: &Path, yes: bool, global: &Global) -> Result<()> {
    let dir = stored::resolve(target, global.session.as_deref())?.dir;
    // Locked, so that it is not removed under a program that uses it.
    let session = stored::Session::open(&dir)?;
    let facts = match stored::inspect(&dir) {
        Ok(info) => format!(
            "{} ({} of {}, {})",
            safe_path(&dir),
            count(info.decisions, "decision", "decisions"),
            safe_path(&info.dataset),
            size(info.bytes)
        ),
        Err(_) => safe_path(&dir),
    };
    if !yes {
        match ask::yes(&format!("Remove the session {facts}?"), false) {
            Some(true) => {}
            Some(false) => bail!("nothing was removed"),
            None => bail!("this would remove the session {facts}; add --yes to do it"),
        }
    }
    session.remove()?;
    results(|out| Ok(writeln!(out, "removed {facts}")?))
}
