//! `replay`: records what a session's results come from, and proves that they can be made again to the byte.

mod record;

use super::args::{Global, detectors};
use super::events;
use super::listing::Listing;
use super::output::{count, results};
use super::{place, settings};
use anyhow::{Context, Result, bail, ensure};
use chaffinch_data::atomic;
use chaffinch_data::config::Origin;
use chaffinch_data::output::outside;
use chaffinch_data::session::Session;
use chaffinch_protocol::display::{safe_path, safe_text};
use clap::Args;
use record::Record;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Prove that a session's results can be made again to the byte
///
/// `--record FILE` writes a manifest of a session: its settings and decisions, and digests of the dataset, of each detector's
/// results and of the ranking. Without it, the argument is such a manifest: the dataset is scanned again in a session
/// of its own, which is removed afterwards, and everything is compared. Exits with status 1 if anything differs.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The manifest to replay; with --record, the session or its dataset
    #[arg(value_name = "MANIFEST|SESSION")]
    target: PathBuf,
    /// Write a manifest of the session to this new file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// The dataset, if it is at another place now
    #[arg(long, value_name = "DATASET", conflicts_with = "record")]
    dataset: Option<PathBuf>,
    /// Additional folder of detector libraries; can be repeated
    #[arg(long, value_name = "DIR", conflicts_with = "record", value_parser = detectors())]
    plugins: Vec<PathBuf>,
}

/// Records or replays.
pub(super) fn run(args: &Replay, global: &Global) -> Result<ExitCode> {
    match &args.record {
        Some(file) => record(&args.target, file, global),
        None => replay(args, global),
    }
}

fn record(target: &Path, file: &Path, global: &Global) -> Result<ExitCode> {
    let location = place::find(target, global)?;
    place::scanned(&location, global)?;
    let session = Session::open_to_read(&location.dir)?;
    if let Some(what) = given(&session) {
        bail!(
            "this session has {what}, which a scan of the pictures does not make again; replay a session without them"
        );
    }
    let listing = Listing::open(target, global)?;
    outside(listing.manifest.root(), file)?;
    let record = Record::of(&listing, &session)?;
    ensure!(!file.exists(), "{} is there already; name a new file", safe_path(file));
    let bytes = record.written()?;
    atomic::write(file, |out| out.write_all(&bytes))?;
    let detectors = count(record.digests.detectors.len() as u64, "detector", "detectors");
    results(|out| {
        Ok(writeln!(
            out,
            "{}: recorded {} and {detectors}; to replay it: chaffinch replay {}",
            safe_path(file),
            count(record.samples, "sample", "samples"),
            chaffinch_protocol::display::quoted(file)
        )?)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What a session has that is from elsewhere.
fn given(session: &Session) -> Option<&'static str> {
    let uses = session.uses();
    if uses.embeddings.is_some() {
        return Some("embeddings from elsewhere");
    }
    if uses.pred_probs.is_some() {
        return Some("class probabilities from elsewhere");
    }
    let imported =
        std::fs::read_dir(session.dir().join("imported")).is_ok_and(|mut all| all.next().is_some());
    imported.then_some("results that were imported")
}

fn replay(args: &Replay, global: &Global) -> Result<ExitCode> {
    ensure!(global.session.is_none(), "replay scans in a session of its own; --session names none");
    let record = Record::load(&args.target)?;
    let dataset = args.dataset.clone().unwrap_or_else(|| record.dataset.clone().into());
    let folder = tempfile::Builder::new()
        .prefix("chaffinch-replay-")
        .tempdir()
        .context("cannot create a temporary folder for the session")?;
    // A detector that learns from decisions saw those that there were when it ran: none, or all of them.
    let mut differing = again(&record, &dataset, When::After, &folder.path().join("first"), args, global)?;
    if !differing.is_empty() && record.has_decisions() {
        let other = again(&record, &dataset, When::Before, &folder.path().join("second"), args, global)?;
        if other.len() < differing.len() {
            differing = other;
        }
    }
    results(|out| {
        for line in &differing {
            writeln!(out, "{}", safe_text(line))?;
        }
        let detectors = count(record.digests.detectors.len() as u64, "detector", "detectors");
        let samples = count(record.samples, "sample", "samples");
        match differing.len() {
            0 => writeln!(out, "the same to the byte: {samples}, {detectors} and the ranking")?,
            some => writeln!(out, "\nnot the same: {}", count(some as u64, "difference", "differences"))?,
        }
        Ok(())
    })?;
    Ok(ExitCode::from(u8::from(!differing.is_empty())))
}

/// When decisions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    After,
}

/// Scans the dataset in a session of its own, in this new folder, and compares.
fn again(
    record: &Record,
    dataset: &Path,
    decisions: When,
    folder: &Path,
    args: &Replay,
    global: &Global,
) -> Result<Vec<String>> {
    std::fs::create_dir(folder).with_context(|| format!("cannot create {}", safe_path(folder)))?;
    let session = folder.join("session");
    record.restore(&session, dataset)?;
    if decisions == When::Before {
        record.decide(&session)?;
    }
    scan(&session, dataset, folder, args, global)?;
    if decisions == When::After {
        record.decide(&session)?;
    }
    let found = Record::of(&Listing::open(&session, global)?, &Session::open_to_read(&session)?)?;
    let config = settings::config(global, Some(&session))?;
    let origins: BTreeMap<String, Origin> =
        config.effective().into_iter().map(|setting| (setting.name, setting.origin)).collect();
    let origin =
        |name: &str| origins.get(name).filter(|origin| **origin != Origin::Default).map(Origin::to_string);
    Ok(record.differences(&found, origin))
}

/// Scans the dataset into a session, in a process of its own: what it says goes through this one.
fn scan(session: &Path, dataset: &Path, folder: &Path, args: &Replay, global: &Global) -> Result<()> {
    let program = std::env::current_exe().context("cannot find the path of the chaffinch program")?;
    let mut scan = Command::new(program);
    // Its results are compared here, and its session is removed, so there is nothing to open.
    scan.arg("scan").arg("--json");
    // Sessions elsewhere, from which decisions about the same pictures could be taken over, are out of sight.
    scan.env("XDG_STATE_HOME", folder.join("state")).stdout(Stdio::null());
    scan.arg(dataset).arg("--session").arg(session);
    args.plugins.iter().for_each(|plugins| _ = scan.arg("--plugins").arg(plugins));
    if let Some(config) = &global.config {
        scan.arg("--config").arg(config);
    }
    if let Some(memory) = &global.memory {
        scan.arg("--memory").arg(memory);
    }
    let flags = [(global.offline, "--offline"), (global.quiet, "--quiet"), (global.verbose, "--verbose")];
    flags.iter().filter(|(set, _)| *set).for_each(|(_, flag)| _ = scan.arg(flag));
    if events::wanted() {
        scan.args(["--progress", "json"]).stderr(Stdio::piped());
    }
    let mut child = scan.spawn().context("cannot start the scan")?;
    if let Some(lines) = child.stderr.take() {
        for line in BufReader::new(lines).split(b'\n') {
            events::pass("scan", &line.context("cannot read what the scan says")?);
        }
    }
    ensure!(
        child.wait().context("cannot wait for the scan")?.success(),
        "the scan failed, so nothing could be compared"
    );
    Ok(())
}
