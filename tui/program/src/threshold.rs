//! `threshold`: shows, proposes and moves the thresholds of detectors.

use super::args::Global;
use super::listing::Listing;
use super::output::{Align, Table, count, json, remark, results, terminal_width, thousands};
use super::{libraries, place, settings};
use anyhow::{Result, bail, ensure};
use chaffinch_data::session::{Session, Settings};
use chaffinch_data::set_value::SetValue;
use chaffinch_host::{Registry, still_taken};
use chaffinch_protocol::display::{quoted, safe_text};
use chaffinch_protocol::{Expected, Histogram};
use chaffinch_review::by_example::LEAST;
use chaffinch_review::overview;
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show the thresholds of detectors, and those that your decisions propose; move one
#[derive(Debug, Args)]
pub(super) struct Threshold {
    /// Folder of a session, or its dataset
    #[arg(value_name = "SESSION")]
    target: PathBuf,
    /// Only this detector
    #[arg(value_name = "DETECTOR")]
    detector: Option<String>,
    /// Move its threshold to this value, from 0 to 1: lower scores are flagged
    #[arg(long, value_name = "VALUE", requires = "detector", conflicts_with_all = ["accept", "reset"])]
    set: Option<f32>,
    /// Move its threshold to the proposed one
    #[arg(long, requires = "detector", conflicts_with = "reset")]
    accept: bool,
    /// Move its threshold back to that of the configuration or the detector, and drop parameters set in the session that the
    /// detector no longer takes: by its declaration, or if it is not loaded, by its last run
    #[arg(long, requires = "detector")]
    reset: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// One detector.
#[derive(Debug, Serialize)]
struct Row {
    detector: String,
    threshold: f32,
    default: f32,
    flagged: u64,
    /// Decided samples that say something about it.
    faulty: u64,
    fine: u64,
    proposed: Option<Proposed>,
    /// Whether nothing is proposed because the decisions say nothing about the rest.
    uncovered: bool,
    /// The parameters of its last run.
    #[serde(skip)]
    taken: BTreeMap<String, SetValue>,
}

#[derive(Debug, Serialize)]
struct Proposed {
    threshold: f32,
    flagged: u64,
    precision: Expected,
    /// `None` if it is not known.
    recall: Option<Expected>,
    /// Without a random sample: the score up to which thresholds are proposed.
    reach: Option<f32>,
}

/// Prints the table, or moves a threshold.
pub(super) fn run(args: &Threshold, global: &Global) -> Result<ExitCode> {
    let listing = Listing::open(&args.target, global)?;
    let names = match &args.detector {
        Some(name) => vec![listing.detector(name)?],
        None => listing.results.keys().cloned().collect(),
    };
    let rows = names.iter().map(|name| row(&listing, name)).collect::<Result<Vec<Row>>>()?;
    if let [row] = rows.as_slice()
        && (args.set.is_some() || args.accept || args.reset)
    {
        return set(args, row, global);
    }
    results(|out| match args.json {
        true => json(out, &rows),
        false => table(&rows).write(out, terminal_width()),
    })?;
    if !global.quiet
        && !args.json
        && let Some(why) = why_not(&rows)
    {
        remark(&why);
    }
    Ok(ExitCode::SUCCESS)
}

/// Why nothing is proposed, or not more.
fn why_not(rows: &[Row]) -> Option<String> {
    let silent = rows.iter().all(|row| row.proposed.is_none());
    let reaching =
        rows.iter().find(|row| row.proposed.as_ref().is_some_and(|proposed| proposed.reach.is_some()));
    if let Some(row) = reaching {
        return Some(format!(
            "nothing past the scores that you decided about is proposed ({}), and recall is not known, because suspects are not a \
             random sample; {RANDOM}",
            safe_text(&row.detector)
        ));
    }
    match silent {
        false => None,
        true if rows.iter().any(|row| row.uncovered) => {
            Some(format!("nothing is proposed: {UNCOVERED}; {RANDOM}"))
        }
        true if rows.iter().any(enough) => {
            Some("nothing is proposed: no score tells the faulty samples from the fine ones".to_owned())
        }
        true => Some(format!(
            "nothing is proposed before {LEAST} samples are decided as faulty and {LEAST} as fine; both in the order of \
             `rank --by DETECTOR` or at random"
        )),
    }
}

/// Why decisions may say nothing.
const UNCOVERED: &str =
    "below no threshold are most samples decided, and those that are decided are not a random sample";
/// What to do about it.
const RANDOM: &str = "also decide samples in random order: 'chaffinch rank SESSION --all --by random', or T and ,r in the interface";

/// Whether there are enough decisions for a proposal.
fn enough(row: &Row) -> bool {
    row.faulty.min(row.fine) >= LEAST
}

fn row(listing: &Listing, name: &str) -> Result<Row> {
    let histogram: Histogram = overview::histogram(&listing.source(), 0, name)?;
    let threshold = listing.set.get(name).copied().unwrap_or(histogram.default);
    let proposed = histogram.proposal.map(|proposal| Proposed {
        threshold: proposal.threshold,
        flagged: proposal.flagged,
        precision: proposal.precision,
        recall: proposal.recall,
        reach: proposal.reach,
    });
    Ok(Row {
        detector: name.to_owned(),
        threshold,
        default: histogram.default,
        flagged: Histogram::below(&histogram.samples, threshold),
        faulty: histogram.examples.0,
        fine: histogram.examples.1,
        proposed,
        uncovered: histogram.uncovered,
        taken: listing.results.get(name).map(|result| result.record().params.clone()).unwrap_or_default(),
    })
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        ("detector", Align::Left),
        ("threshold", Align::Right),
        ("flagged", Align::Right),
        ("faulty", Align::Right),
        ("fine", Align::Right),
        ("proposed", Align::Right),
        ("flags", Align::Right),
        ("precision", Align::Left),
        ("recall", Align::Left),
    ]);
    for row in rows {
        let of = |text: fn(&Proposed) -> String| row.proposed.as_ref().map_or_else(String::new, text);
        table.row(vec![
            row.detector.clone(),
            format!("{:.3}", row.threshold),
            thousands(row.flagged),
            thousands(row.faulty),
            thousands(row.fine),
            of(|proposed| format!("{:.3}", proposed.threshold)),
            of(|proposed| thousands(proposed.flagged)),
            of(|proposed| share(proposed.precision)),
            of(|proposed| proposed.recall.map_or_else(|| "not known".to_owned(), share)),
        ]);
    }
    table
}

/// A share with its interval.
fn share(share: Expected) -> String {
    let percent = |share: f32| format!("{:.0}", 100.0 * share);
    format!("{} % ({} to {})", percent(share.share), percent(share.low), percent(share.high))
}

/// What became of the parameters that were set for a detector in the session.
#[derive(Debug, Default)]
struct Dropped {
    /// Those that were taken out.
    gone: Vec<String>,
    /// Those that stay although it is unclear whether they still count: the detector is not loaded.
    left: Vec<String>,
}

/// Takes out what was set for a detector in the session and what it does not take any more: by its declaration, or where it is not
/// loaded, by what its last run took.
fn drop_params(
    stored: &mut Settings,
    name: &str,
    registry: &Registry,
    last: &BTreeMap<String, SetValue>,
) -> Dropped {
    let Some(set) = stored.params.remove(name) else { return Dropped::default() };
    let shown = |(param, value): (&String, &SetValue)| safe_text(&format!("{param} = {value}")).into_owned();
    let loaded = registry.find(name);
    let kept = match loaded {
        Some(detector) => still_taken(detector.info(), &set),
        None => set.clone().into_iter().filter(|(param, _)| last.contains_key(param)).collect(),
    };
    let gone = set.iter().filter(|(param, _)| !kept.contains_key(*param)).map(shown).collect();
    let left = kept.iter().filter(|_| loaded.is_none()).map(shown).collect();
    if !kept.is_empty() {
        stored.params.insert(name.to_owned(), kept);
    }
    Dropped { gone, left }
}

fn set(args: &Threshold, row: &Row, global: &Global) -> Result<ExitCode> {
    let name = &row.detector;
    let to = match (args.set, &row.proposed) {
        (Some(value), _) => {
            ensure!((0.0..=1.0).contains(&value), "--set {value}: a threshold is a number from 0 to 1");
            Some(value)
        }
        (None, _) if args.reset => None,
        (None, Some(proposed)) => Some(proposed.threshold),
        (None, None) if row.uncovered => {
            bail!("no threshold is proposed for {}: {UNCOVERED}; {RANDOM}", safe_text(name))
        }
        (None, None) if enough(row) => bail!(
            "no threshold is proposed for {}: its scores do not tell the {} faulty samples from the {} fine ones",
            safe_text(name),
            row.faulty,
            row.fine
        ),
        (None, None) => bail!(
            "no threshold is proposed for {}: decide on {LEAST} faulty and {LEAST} fine samples that it scores ({} and {} \
             so far)",
            safe_text(name),
            row.faulty,
            row.fine
        ),
    };
    let location = place::find(&args.target, global)?;
    let session = Session::open(&location.dir)?;
    let mut stored = session.load_settings()?;
    match to {
        Some(to) => stored.thresholds.insert(name.clone(), to),
        None => stored.thresholds.remove(name),
    };
    let config = settings::config(global, Some(&location.dir))?;
    let dropped = match args.reset {
        true => drop_params(&mut stored, name, &libraries::load(&config), &row.taken),
        false => Dropped::default(),
    };
    let rule = config.ensemble_over(stored.ensemble.clone());
    stored.ensemble.get_or_insert(rule);
    session.save_settings(&stored)?;
    drop(session);
    if !dropped.gone.is_empty() {
        let gone = dropped.gone.join(", ");
        remark(&format!("removed from the settings of this session for {}: {gone}", safe_text(name)));
    }
    if !dropped.left.is_empty() {
        remark(&format!(
            "still set in this session for {}, since its last run took them: {}; to change them, press P in: chaffinch open {} \
             --plugins FOLDER",
            safe_text(name),
            dropped.left.join(", "),
            quoted(&args.target)
        ));
    }
    let now = self::row(&Listing::open(&args.target, global)?, name)?;
    results(|out| {
        if args.json {
            return json(out, &now);
        }
        writeln!(
            out,
            "{} flags below {:.3}: {} (before: {:.3}, {})",
            safe_text(name),
            now.threshold,
            count(now.flagged, "sample", "samples"),
            row.threshold,
            thousands(row.flagged)
        )?;
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_last_run_of_a_detector_that_is_not_loaded_took_stays_set() {
        let set =
            [("k".to_owned(), SetValue::Number(3.0)), ("mode".to_owned(), SetValue::Choice("slow".into()))];
        let mut stored = Settings::default();
        stored.params.insert("modal".into(), set.into());
        stored.params.insert("other".into(), [("k".to_owned(), SetValue::Number(1.0))].into());
        let last = ["kk", "mode"].map(|name| (name.to_owned(), SetValue::Number(1.0))).into();
        let dropped = drop_params(&mut stored, "modal", &Registry::default(), &last);
        assert_eq!((dropped.gone, dropped.left), (vec!["k = 3".into()], vec!["mode = \"slow\"".into()]));
        assert_eq!(stored.params["modal"].keys().collect::<Vec<_>>(), ["mode"]);
        assert_eq!(stored.params["other"].len(), 1);
        let dropped = drop_params(&mut stored, "modal", &Registry::default(), &BTreeMap::new());
        assert_eq!((dropped.gone, dropped.left), (vec!["mode = \"slow\"".into()], Vec::<String>::new()));
        assert_eq!(stored.params.keys().collect::<Vec<_>>(), ["other"]);
    }
}
