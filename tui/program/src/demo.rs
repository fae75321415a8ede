//! `demo`: scans and opens the built-in sample set.

use super::args::{AttachArgs, DatasetArgs, EngineArgs, Global, ReviewerArgs, ScreenArgs};
use super::drive::{self, Shown};
use super::interrupt::INTERRUPTED;
use super::listing::{Entry, Listing};
use super::output::{Align, Table, remark, results, terminal_width};
use super::sample_set::{self, SampleSet};
use super::{open, scan, setup};
use anyhow::Result;
use chaffinch_data::Error;
use chaffinch_protocol::display::quoted;
use clap::Args;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Scan and open the built-in sample set, or print a summary if stdout is not a terminal
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Print the summary even if stdout is a terminal
    #[arg(long)]
    summary: bool,
    /// Number of suspects in the summary
    #[arg(long, value_name = "N", default_value_t = 25)]
    top: usize,
    #[command(flatten)]
    reviewer: ReviewerArgs,
    #[command(flatten)]
    screen: ScreenArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

/// Scans the set, then opens the interface in a terminal or prints a summary.
pub(super) fn run(args: &Demo, global: &Global) -> Result<ExitCode> {
    let set = sample_set::unpack()?;
    let reading = DatasetArgs::default();
    let engine = args.engine.by(&args.reviewer);
    let terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    let opens = args.screen.plain || terminal && !args.summary;
    let review = || {
        let (screen, attach) = (&args.screen, &AttachArgs::default());
        let shown = open::Shown { screen, pictures: None, attach, blind: None };
        open::run_target(&set.images, global, &engine, &reading, shown)
    };
    let setup = match setup::for_dataset(&set.images, global, &engine, &reading) {
        // It is open elsewhere: continue it here.
        Err(error) if opens && in_use(&error) => {
            return review();
        }
        setup => setup?,
    };
    let named = setup.uses.detectors.clone();
    let named: &[String] = if args.engine.detectors.is_empty() { &[] } else { &named };
    let scanned = drive::scan(setup, named, Shown::from(global))?;
    if scanned.interrupted {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    if opens {
        return review();
    }
    let listing = Listing::open(&set.images, global)?;
    let suspects = listing.suspects();
    results(|out| {
        scan::write(out, &scanned)?;
        writeln!(out)?;
        table(&suspects, args.top, &set).write(out, terminal_width())?;
        writeln!(out)?;
        planted(out, &suspects, args.top, &set)
    })?;
    if !global.quiet {
        remark(&format!("Open it in a terminal with: chaffinch open {}", quoted(&set.images)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether another program is using the session.
fn in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<Error>(), Some(Error::SessionInUse { .. }))
}

/// The first suspects, with the planted faults.
fn table(suspects: &[Entry], top: usize, set: &SampleSet) -> Table {
    let mut table = Table::new(&[
        ("rank", Align::Right),
        ("path", Align::Left),
        ("suggested", Align::Left),
        ("score", Align::Right),
        ("planted", Align::Left),
        ("reason", Align::Left),
    ]);
    for entry in suspects.iter().take(top) {
        table.row(vec![
            entry.rank.to_string(),
            entry.path.clone(),
            entry.suggested_label.clone(),
            entry.score.map_or_else(String::new, |score| format!("{score:.3}")),
            set.faults.get(&entry.path).cloned().unwrap_or_default(),
            entry.reason.clone(),
        ]);
    }
    table
}

/// How many planted faults were found, by kind.
fn planted(out: &mut dyn Write, suspects: &[Entry], top: usize, set: &SampleSet) -> Result<()> {
    let mut kinds: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    for (path, fault) in &set.faults {
        let rank = suspects.iter().find(|entry| entry.path == *path).map(|entry| entry.rank);
        let (first, all, planted) = kinds.entry(fault).or_default();
        *first += usize::from(rank.is_some_and(|rank| rank <= top as u64));
        *all += usize::from(rank.is_some());
        *planted += 1;
    }
    let mut table = Table::new(&[
        ("planted fault", Align::Left),
        ("planted", Align::Right),
        ("suspects", Align::Right),
        ("listed above", Align::Right),
    ]);
    for (fault, (first, all, planted)) in kinds {
        table.row(vec![fault.to_owned(), planted.to_string(), all.to_string(), first.to_string()]);
    }
    table.write(out, terminal_width())
}
