//! `scan`: brings a session up to date and prints a summary.

use super::args::{DatasetArgs, EngineArgs, Global, dataset_forms};
use super::drive::{self, Scanned, Shown};
use super::interrupt::INTERRUPTED;
use super::listing::Listing;
use super::output::{Align, Table, count, duration, json, remark, results, terminal_width};
use super::{gates, model_loader, place, reading, setup};
use anyhow::{Context, Result, bail};
use chaffinch_data::index::Shard;
use chaffinch_data::issue::is_built_in;
use chaffinch_data::session::Session;
use chaffinch_protocol::display::{quoted, safe_path};
use chaffinch_protocol::{DetectorSummary, ScanReport};
use chaffinch_report::Gate;
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

/// Scan a dataset: index the files, compute embeddings, run the detectors
#[derive(Debug, Args)]
pub(super) struct Scan {
    /// A folder of images, a table, Parquet or tar files, a bucket, …
    #[arg(value_name = "DATASET", long_help = dataset_forms())]
    dataset: PathBuf,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    reading: DatasetArgs,
    /// Read and embed only one of N equal parts of the dataset, such as 2/4, into the session that --session names; `merge`
    /// takes all of them over and runs the detectors
    #[arg(long, value_name = "I/N", conflicts_with_all = ["fail_on", "embeddings", "pred_probs"])]
    shard: Option<Shard>,
    /// Take no decisions over from the session of a dataset with the same pictures, now and later; decisions that this
    /// session has stay
    #[arg(long)]
    no_carry_over: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Where vectors are kept.
#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    /// Keep embeddings in a folder that sessions share, now and later: a picture that one of them has embedded is embedded by none
    /// again. `none` keeps them in the session
    #[arg(long, value_name = "DIR|none", conflicts_with = "embeddings")]
    store: Option<PathBuf>,
}

impl StoreArgs {
    /// Makes a session use the store, if one was named.
    fn apply(&self, session: &Session) -> Result<()> {
        match &self.store {
            None => {}
            Some(none) if none.as_os_str() == "none" => session.use_store(None)?,
            Some(dir) => {
                std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", safe_path(dir)))?;
                let dir = dir.canonicalize().with_context(|| format!("cannot find {}", safe_path(dir)))?;
                if dir.to_str().is_none() {
                    bail!("the path of a store must be valid UTF-8, but {} is not", safe_path(&dir));
                }
                session.use_store(Some(dir))?;
            }
        }
        Ok(())
    }
}

/// What a scan prints, and what it fails on.
#[derive(Debug, Args)]
pub(super) struct OutputArgs {
    /// Print the report as JSON
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Exit with status 1 if a count is beyond a limit, such as `leaks>0` or `label-quality>1%`; a name alone means that there
    /// are any; can be repeated
    #[arg(long, value_name = "GATE", help_heading = "Output")]
    fail_on: Vec<Gate>,
}

/// The report for scripts.
#[derive(Serialize)]
struct Report<'a> {
    dataset: &'a str,
    session: &'a str,
    model: &'a str,
    interrupted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<Shard>,
    #[serde(flatten)]
    report: &'a ScanReport,
}

/// Scans and reports. The exit status is 1 if a gate failed.
pub(super) fn run(args: &Scan, global: &Global) -> Result<ExitCode> {
    if args.shard.is_some() && global.session.is_none() {
        bail!("a shard needs a session of its own: add --session DIR");
    }
    let wanted = Wanted {
        dataset: &args.dataset,
        engine: &args.engine,
        reading: &args.reading,
        shards: &[],
        carry_over: !args.no_carry_over,
        store: &args.store,
    };
    scan(&wanted, args.shard, &args.output, global)
}

/// What to scan, and how.
pub(super) struct Wanted<'a> {
    pub(super) dataset: &'a Path,
    pub(super) engine: &'a EngineArgs,
    pub(super) reading: &'a DatasetArgs,
    /// The sessions of all shards, in their order, if there are any.
    pub(super) shards: &'a [PathBuf],
    /// Whether decisions of other sessions about the same pictures are wanted.
    pub(super) carry_over: bool,
    /// Where vectors are kept.
    pub(super) store: &'a StoreArgs,
}

/// Scans a dataset or a shard of it, and reports.
pub(super) fn scan(
    args: &Wanted<'_>,
    shard: Option<Shard>,
    output: &OutputArgs,
    global: &Global,
) -> Result<ExitCode> {
    if !args.carry_over {
        place::decline(args.dataset, global)?;
    }
    let mut setup = setup::for_dataset(args.dataset, global, args.engine, args.reading)?;
    (setup.given.shard, setup.given.shards) = (shard, args.shards.to_vec());
    args.store.apply(&setup.session)?;
    // Here, where its progress can be seen, not when the engine needs it.
    if setup.uses.embeddings.is_none()
        && let Err(error) = model_loader::download(setup.config.model(), global)
    {
        setup.model = model_loader::failing(error);
    }
    let shown = Shown::from(global);
    let named = setup.uses.detectors.clone();
    let registry = setup.detectors.now();
    let changed = |name: &String| registry.changed().any(|changed| changed.names.contains(name));
    let there = |name: &String| registry.find(name).is_some() || changed(name);
    if args.engine.detectors.is_empty() && !named.is_empty() && !named.iter().any(there) {
        bail!(
            "none of the detectors that this session was scanned with is there now ({}): add their folder with \
             --plugins, or run the usual ones with --detectors default",
            named.join(", ")
        );
    }
    let named: &[String] = if args.engine.detectors.is_empty() { &[] } else { &named };
    let scanned = drive::scan(setup, named, shown)?;
    reading::tell(&scanned.report.reading, "", global.quiet);
    let session = Path::new(&scanned.summary.session);
    match args.carry_over {
        true if shard.is_none() => place::take_over(session, global),
        true => {}
        false => Session::open(session)?.decline_carry_over()?,
    }
    results(|out| {
        if output.json {
            let Scanned { summary, report, interrupted } = &scanned;
            let (dataset, session, model) = (&summary.dataset, &summary.session, &summary.model);
            json(out, &Report { dataset, session, model, interrupted: *interrupted, shard, report })
        } else if let Some(shard) = shard {
            write_shard(out, shard, &scanned)
        } else {
            write(out, &scanned)
        }
    })?;
    if scanned.interrupted {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    if shard.is_some() {
        return Ok(ExitCode::SUCCESS);
    }
    required(named, &scanned.report, &changed)?;
    if !global.quiet && !output.json && scanned.report.suspects > 0 {
        remark(&next(args, global));
    }
    if output.fail_on.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let listing = Listing::open(args.dataset, global)?;
    Ok(gates::tell(&gates::judge(&output.fail_on, &listing, &scanned.report.failed, global)?))
}

/// Detectors requested by name must not fail, and at least one detector must succeed. Code that has changed does not even run.
fn required(named: &[String], report: &ScanReport, changed: &dyn Fn(&String) -> bool) -> Result<()> {
    let failed: Vec<&str> = report.failed.iter().map(|(name, _)| name.as_str()).collect();
    let missing: Vec<&str> = named.iter().map(String::as_str).filter(|name| failed.contains(name)).collect();
    if !missing.is_empty() {
        let ran = named.iter().any(|name| missing.contains(&name.as_str()) && !changed(name));
        let what = if ran { "failed" } else { "did not run" };
        bail!("{} {what}; see the warnings above", missing.join(", "));
    }
    // What one found before it failed is not a success of this scan.
    let failed_too = |name: &str| is_built_in(name) || failed.contains(&name);
    if !failed.is_empty() && report.detectors.iter().all(|detector| failed_too(&detector.name)) {
        let ran = report.failed.iter().any(|(name, _)| !changed(name));
        let what = if ran { "every detector that ran failed" } else { "no detector ran" };
        bail!("{what}; see the warnings above");
    }
    Ok(())
}

/// Writes what was done for a shard.
fn write_shard(out: &mut dyn Write, shard: Shard, scanned: &Scanned) -> Result<()> {
    let Scanned { summary, report, interrupted } = scanned;
    let samples = count(report.samples, "image", "images");
    if *interrupted {
        writeln!(out, "Stopped early; scan the shard again to resume.")?;
    } else {
        let unreadable = report.unreadable;
        writeln!(out, "{}: shard {shard}, {samples}, {unreadable} unreadable", summary.dataset)?;
        writeln!(out, "Merge it with the others: chaffinch merge SHARD… --session DIR")?;
    }
    writeln!(out, "{}", effort(&summary.model, report))?;
    Ok(())
}

/// Writes a human-readable summary.
pub(super) fn write(out: &mut dyn Write, scanned: &Scanned) -> Result<()> {
    let Scanned { summary, report, interrupted } = scanned;
    let classes = count(summary.classes.len() as u64, "class", "classes");
    // A scan that was stopped early did not count them.
    let samples = count(report.samples.max(summary.samples), "image", "images");
    let mut state = format!("{} unreadable", report.unreadable);
    if report.not_read > 0 {
        state += &format!(", {} in formats that are not read", report.not_read);
    }
    if report.damaged > 0 {
        state += &format!(", {} damaged", report.damaged);
    }
    if report.reading.left_out > 0 {
        state += &format!(", {} left out", count(report.reading.left_out, "file", "files"));
    }
    writeln!(out, "{}: {samples} in {classes}, {state}", summary.dataset)?;
    if *interrupted {
        writeln!(out, "Stopped early; scan again to resume.")?;
    }
    writeln!(out)?;
    detectors(report.detectors.iter().map(found)).write(out, terminal_width())?;
    writeln!(out)?;
    let suspects = count(report.suspects, "suspect", "suspects");
    match report.reading.caveat() {
        Some(caveat) => writeln!(out, "{suspects} in {}; {caveat}", summary.session)?,
        None => writeln!(out, "{suspects} in {}", summary.session)?,
    }
    writeln!(out, "{}", effort(&summary.model, report))?;
    Ok(())
}

/// What a detector found, in a line of a table.
pub(super) struct Found<'a> {
    pub(super) name: &'a str,
    pub(super) flagged: u64,
    pub(super) scored: u64,
    pub(super) threshold: f32,
    pub(super) summary: &'a str,
}

/// A table of counts by detector.
pub(super) fn detectors<'a>(all: impl IntoIterator<Item = Found<'a>>) -> Table {
    let mut table = Table::new(&[
        ("detector", Align::Left),
        ("flagged", Align::Right),
        ("scored", Align::Right),
        ("threshold", Align::Right),
        ("what it finds", Align::Left),
    ]);
    for Found { name, flagged, scored, threshold, summary } in all {
        let (flagged, scored) = (flagged.to_string(), scored.to_string());
        table.row(vec![name.to_owned(), flagged, scored, format!("{threshold:.2}"), summary.to_owned()]);
    }
    table
}

fn found(detector: &DetectorSummary) -> Found<'_> {
    let DetectorSummary { name, flagged, scored, threshold, summary, .. } = detector;
    Found { name, flagged: *flagged, scored: *scored, threshold: *threshold, summary }
}

/// Describes the work done.
fn effort(model: &str, report: &ScanReport) -> String {
    let mut text = format!(
        "{}: {} read, {} embedded, {} reused",
        duration(report.seconds),
        count(report.indexed, "file", "files"),
        report.embedded,
        report.reused
    );
    if !model.is_empty() {
        text += &format!("; model {model}");
    }
    if report.peak_memory > 0 {
        text += &format!("; peak memory {} MiB", report.peak_memory >> 20);
    }
    text
}

/// The next command to run, ready to be pasted.
fn next(args: &Wanted<'_>, global: &Global) -> String {
    let target = global.session.as_deref().unwrap_or(args.dataset);
    let folders: String =
        args.engine.plugins.iter().map(|dir| format!(" --plugins {}", quoted(dir))).collect();
    format!("Review them with: chaffinch open {}{folders}", quoted(target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detectors_requested_by_name_must_work() {
        let failed = |name: &str| ScanReport {
            failed: vec![(name.into(), "panicked".into())],
            ..ScanReport::default()
        };
        let checked = |named: &[String], report: &ScanReport| required(named, report, &|_| false);
        let worked = DetectorSummary { name: "other".into(), ..DetectorSummary::default() };
        let mut report = ScanReport { detectors: vec![worked], ..failed("mine") };
        assert!(checked(&[], &report).is_ok());
        assert!(checked(&["mine".into()], &report).is_err());
        report.detectors[0].name = "mine".into();
        assert!(checked(&[], &report).is_err(), "that is what it found before");
        report.detectors.clear();
        assert!(checked(&[], &report).is_err());
        assert!(checked(&[], &ScanReport::default()).is_ok());
        // What has changed has not run, and so has not failed.
        let said = |named: &[String], changes: bool| {
            required(named, &failed("mine"), &|_| changes).unwrap_err().to_string()
        };
        assert!(said(&[], false).starts_with("every detector that ran failed;"));
        assert!(said(&[], true).starts_with("no detector ran;"));
        assert!(said(&["mine".into()], true).starts_with("mine did not run;"));
    }
}
