//! `evaluate`: compares results with a list of known errors.

use super::args::{Global, ReportFormat, rule};
use super::listing::Listing;
use super::output::{Align, Table, count, json, remark, results, terminal_width, thousands, warning};
use super::plot;
use anyhow::{Context, Result, ensure};
use chaffinch_formats::truth;
use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::ensemble::RULES;
use chaffinch_protocol::ensemble::thresholds_under;
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::evaluate::{
    ENSEMBLE, Evaluation, Figures, Intervals, Resampling, Truth, curves, evaluate, evaluate_rank, write_svg,
};
use chaffinch_review::ranking;
use chaffinch_review::remaining::{Estimate, Next, Remaining, remaining};
use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

/// Compare results with a list of known errors
#[derive(Debug, Args)]
pub(super) struct Evaluate {
    /// Folder of a session, or its dataset
    #[arg(value_name = "SESSION")]
    target: PathBuf,
    /// Table of known errors: a column `path`, and `is_error` (0 or 1) or `label` (the correct one)
    #[arg(long, value_name = "CSV")]
    truth: Option<PathBuf>,
    /// Only count samples with a decision, as without --truth, where the decisions are the truth
    #[arg(long)]
    reviewed: bool,
    /// Only count samples listed in this file: one path per line, or a table with a column `path`
    #[arg(long, value_name = "FILE")]
    subset: Option<PathBuf>,
    /// Only count samples without a decision, which `stacking` has not learned from
    #[arg(long)]
    undecided: bool,
    /// How to combine detectors, as in `rank` [default: from the session or the configuration]
    #[arg(long, value_name = "RULE", value_parser = rule)]
    ensemble: Option<String>,
    /// Compare all rules
    #[arg(long)]
    ensembles: bool,
    /// Number of bootstrap resamples for the 95 % intervals; 0 = no intervals
    #[arg(long, value_name = "N", default_value_t = 1000)]
    bootstrap: usize,
    /// Seed of the bootstrap
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Draw precision-recall curves of the named detectors, or of all
    #[arg(long, value_name = "NAMES", num_args = 0..=1, value_delimiter = ',', require_equals = true)]
    plot: Option<Vec<String>>,
    /// Write the precision-recall curves to an SVG file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value = "table")]
    format: ReportFormat,
}

/// Writes the figures to stdout.
pub(super) fn run(args: &Evaluate, global: &Global) -> Result<ExitCode> {
    let listing = Listing::open_by(&args.target, global, args.ensemble.as_deref())?;
    let truth = truth(args, &listing)?;
    let resampling = Resampling { resamples: args.bootstrap, seed: args.seed };
    let (results_of, thresholds, ranking) = (&listing.results, &listing.thresholds, &listing.ranking);
    let mut evaluation = evaluate(results_of, thresholds, ranking, &truth, Some(resampling));
    if args.truth.is_none() {
        evaluation.remaining = Some(remaining(ranking, listing.journal.decisions()));
    }
    if args.ensembles {
        evaluation.ensembles = ensembles(&listing, &truth);
    }
    let mut drawn = BTreeMap::new();
    if args.plot.is_some() || args.svg.is_some() {
        drawn = curves(results_of, thresholds, ranking, &truth);
    }
    if let Some(file) = &args.svg {
        write_svg(file, &drawn, &listing.manifest)?;
    }
    if let Some(names) = args.plot.as_ref().filter(|names| !names.is_empty()) {
        for name in names.iter().filter(|name| *name != ENSEMBLE) {
            listing.detector(name)?;
        }
        drawn.retain(|name, _| names.contains(name));
    }
    results(|out| match args.format {
        ReportFormat::Json => json(out, &evaluation),
        ReportFormat::Table => {
            write(out, &evaluation)?;
            if args.plot.is_some() {
                writeln!(out)?;
                plot::draw(out, &drawn)?;
            }
            Ok(())
        }
    })?;
    if let Some(words) = truth.foreign() {
        warning("truth", words);
    }
    if args.truth.is_some() && evaluation.n_errors == evaluation.n {
        warning(
            "truth",
            "every sample with known truth is an error, so precision and AUPRC are 1 whatever is flagged, and only recall \
             says something; list samples that are fine, too, with is_error 0",
        );
    }
    if !global.quiet {
        explain(args, &evaluation);
    }
    Ok(ExitCode::SUCCESS)
}

/// The figures of every rule. Rules with too few decisions to learn from are skipped with a remark.
fn ensembles(listing: &Listing, truth: &Truth) -> BTreeMap<String, Figures> {
    let mut found = BTreeMap::new();
    for name in RULES.into_iter().chain(["2-of-n", "3-of-n"]) {
        let Some(rule) = EnsembleRule::parse(name, &listing.weights) else { continue };
        let thresholds = thresholds_under(&rule, listing.set.clone());
        let count = listing.manifest.len();
        let reviewed = ranking::reviewed(&rule, listing.journal.decisions());
        let ranking = ranking::rank_reviewed(
            &listing.results,
            &thresholds,
            &rule,
            count,
            &reviewed,
            &listing.manifest.places(),
        );
        if ranking.note.is_empty() {
            found.insert(name.to_owned(), evaluate_rank(&ranking, &listing.results, truth));
        } else {
            remark(&format!("{name} is left out: {}", ranking.note));
        }
    }
    found
}

/// Remarks about the scope of the figures.
fn explain(args: &Evaluate, evaluation: &Evaluation) {
    if evaluation.unmatched > 0 {
        let rows = count(evaluation.unmatched as u64, "row", "rows");
        remark(&format!("ignored {rows} of the truth without a matching sample"));
    }
    if args.only_reviewed() {
        remark(
            "only reviewed samples count; if suspects were reviewed first, precision and recall differ from those of \
             the whole dataset",
        );
    }
    if let Some(file) = &args.svg {
        remark(&format!("wrote {}", safe_path(file)));
    }
    if args.plot.is_some() && matches!(args.format, ReportFormat::Json) {
        remark("--plot has no effect on JSON; use --svg to write a picture");
    }
}

impl Evaluate {
    /// Whether only samples with a decision count.
    fn only_reviewed(&self) -> bool {
        self.reviewed || self.truth.is_none()
    }
}

/// The known errors: from the table, from the decisions, or from the table for samples with a decision.
fn truth(args: &Evaluate, listing: &Listing) -> Result<Truth> {
    let decisions = listing.journal.decisions();
    let decided = Truth::from_decisions(listing.manifest.len(), decisions.iter());
    let mut truth = match &args.truth {
        Some(file) => truth::read(file, &listing.manifest)?,
        None => decided.clone(),
    };
    if args.only_reviewed() {
        let rows: BTreeSet<u32> = decided.known().into_iter().map(|(row, _)| row).collect();
        ensure!(
            !rows.is_empty(),
            "no decisions yet; keep, remove or relabel some samples first, or pass the truth with --truth"
        );
        truth = truth.only(|row| rows.contains(&row));
        ensure!(!truth.known().is_empty(), "the truth is not known for any sample with a decision");
    }
    if args.undecided {
        truth = truth.only(|row| listing.journal.decision(SampleId(row)).is_none());
        ensure!(!truth.known().is_empty(), "every sample with known truth already has a decision");
    }
    if let Some(file) = &args.subset {
        let names: Vec<Vec<u8>> = names(file)?.into_iter().collect();
        let manifest = &listing.manifest;
        let found = truth::find(&names, manifest);
        let lost: Vec<&Vec<u8>> =
            names.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(name, _)| name).collect();
        if let Some(first) = lost.first() {
            let lines = count(lost.len() as u64, "name", "names");
            let first = String::from_utf8_lossy(first);
            let first = safe_text(&first);
            remark(&format!("ignored {lines} of the subset without exactly one matching sample: {first}"));
        }
        // Samples of one path are meant by it alike.
        let paths: BTreeSet<&Path> = found.iter().flatten().map(|id| manifest.path(*id)).collect();
        truth = truth.only(|row| paths.contains(manifest.path(SampleId(row))));
        ensure!(
            !truth.known().is_empty(),
            "{} lists no sample with known truth; each line must be the path of a sample, or an end of it that no other has",
            safe_path(file)
        );
    }
    Ok(truth)
}

/// Paths in a file: one per line, or the column `path` of a table.
fn names(file: &Path) -> Result<BTreeSet<Vec<u8>>> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", safe_path(file)))?;
    let heading = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let heading = String::from_utf8_lossy(heading).trim().trim_start_matches('\u{feff}').to_lowercase();
    let Some(column) = heading.split(',').position(|name| name.trim() == "path") else {
        let lines = bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        return Ok(lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect());
    };
    let mut table = csv::ReaderBuilder::new().flexible(true).from_reader(bytes.as_slice());
    let rows = table.byte_records().map(|row| row.map(|row| row.get(column).unwrap_or_default().to_vec()));
    rows.collect::<Result<_, _>>().with_context(|| format!("cannot read {}", safe_path(file)))
}

fn write(out: &mut dyn Write, evaluation: &Evaluation) -> Result<()> {
    let all = count(evaluation.n as u64, "sample", "samples");
    writeln!(
        out,
        "{all} with known truth, {} among them",
        count(evaluation.n_errors as u64, "error", "errors")
    )?;
    writeln!(out)?;
    let mut table = Table::new(&[
        ("detector", Align::Left),
        ("scored", Align::Right),
        ("AUROC", Align::Right),
        ("AUPRC", Align::Right),
        ("lift", Align::Right),
        ("flagged", Align::Right),
        ("precision", Align::Right),
        ("recall", Align::Right),
        ("F1", Align::Right),
    ]);
    for (name, figures) in &evaluation.detectors {
        table.row(row(name, figures));
    }
    table.row(row(ENSEMBLE, &evaluation.ensemble));
    for (name, figures) in &evaluation.ensembles {
        table.row(row(&format!("ensemble: {name}"), figures));
    }
    table.write(out, terminal_width())?;
    writeln!(out)?;
    if evaluation.resamples > 0 {
        intervals(out, evaluation)?;
    }
    if !evaluation.kinds.is_empty() {
        kinds(out, evaluation)?;
    }
    let mut first = Table::new(&[
        ("top of the ensemble", Align::Right),
        ("precision", Align::Right),
        ("recall", Align::Right),
    ]);
    for (k, precision) in &evaluation.ensemble.precision_at {
        let recall = evaluation.ensemble.recall_at.get(k).copied().unwrap_or_default();
        first.row(vec![k.to_string(), format!("{precision:.3}"), format!("{recall:.3}")]);
    }
    first.write(out, terminal_width())?;
    if let Some(found) = &evaluation.remaining {
        writeln!(out)?;
        left(out, found)?;
    }
    Ok(())
}

/// What the decisions say about the samples without one.
fn left(out: &mut dyn Write, found: &Remaining) -> Result<()> {
    let errors = |number: f64| thousands(number.round() as u64);
    let undecided = count(found.undecided as u64, "sample", "samples");
    match &found.left {
        Some(left) if found.undecided > 0 => {
            let Estimate { number, low, high } = *left;
            // Who has decided sixty looks for sixty.
            let uncounted = found.in_order.saturating_sub(found.sampled);
            let uncounted = match uncounted {
                0 => String::new(),
                1 => format!(
                    " ({} are decided; the last one is a suspect, which may be so for its rank, and does not count)",
                    thousands(found.in_order as u64)
                ),
                some => format!(
                    " ({} are decided; the last {} are suspects, which may be so for their rank, and do not count)",
                    thousands(found.in_order as u64),
                    thousands(some as u64)
                ),
            };
            writeln!(
                out,
                "errors left: about {} among {undecided} without a decision (95 % interval {} to {}), from the first {} of \
                 the random order, {} of them errors{uncounted}",
                errors(number),
                errors(low.floor()),
                errors(high.ceil()),
                thousands(found.sampled as u64),
                thousands(found.sampled_bad as u64),
            )?;
        }
        Some(_) => writeln!(out, "errors left: none; every sample has a decision")?,
        None => writeln!(
            out,
            "errors left: not known, because suspects are not a random sample. Review {} of the random order ({} so far): \
             'chaffinch rank SESSION --all --by random', or T and ,r in the interface",
            sample_to_review(found.samples),
            thousands(found.sampled as u64)
        )?,
    }
    if let Some(goal) = &found.goal {
        writeln!(
            out,
            "to be 95 % sure that less than {} % of all samples are errors that are left: review about {} more in \
             random order",
            goal.share * 100.0,
            thousands(goal.reviews as u64)
        )?;
    }
    if let Some(next) = &found.next {
        writeln!(out, "{}", upcoming(next))?;
    }
    Ok(())
}

/// What is known about the suspects that come next, in a sentence.
fn upcoming(next: &Next) -> String {
    let Next { suspects, decided, bad, sampled, sampled_bad, by_rank, low, high } = *next;
    let number = |some: usize| thousands(some as u64);
    let percent = |some: usize| format!("{:.0}", 100.0 * some as f64 / suspects.max(1) as f64);
    let all = if suspects == 1 { "it".to_owned() } else { format!("all {}", number(suspects)) };
    let high = high.filter(|high| *high < suspects);
    let low = low.filter(|low| *low > 0);
    let what = match (low, high) {
        (None, None) => "not known".to_owned(),
        (None, Some(high)) => format!("at most {} ({} %)", number(high), percent(high)),
        (Some(low), None) => format!("at least {} ({} %)", number(low), percent(low)),
        (Some(low), Some(high)) => {
            format!("{} to {} ({} to {} %)", number(low), number(high), percent(low), percent(high))
        }
    };
    let mut why = Vec::new();
    if by_rank && decided > 0 {
        let found = format!("{} of the {} decided last before them are errors", number(bad), number(decided));
        why.push(match high {
            Some(_) => format!("if errors become no more frequent along the ranking: {found}"),
            None => format!("as {found}, and {all} may be, too"),
        });
    }
    if sampled > 0 {
        let sampled = count(sampled as u64, "suspect", "suspects");
        let so = if why.is_empty() { "as " } else { "" };
        why.push(format!(
            "{so}{} of {sampled} of the random order from there on are errors",
            number(sampled_bad)
        ));
    }
    let why = if why.is_empty() { String::new() } else { format!(", {}", why.join("; ")) };
    let bound = if sampled > 0 { "" } else { "; for a lower bound, review suspects in random order" };
    format!("errors to expect among {}: {what}{why}{bound}", next_suspects(suspects))
}

/// The suspects that come next, of which there are so many.
fn next_suspects(suspects: usize) -> String {
    match suspects {
        1 => "the next suspect".to_owned(),
        some => format!("the next {} suspects", thousands(some as u64)),
    }
}

/// How many samples to review for an estimate, of so many.
fn sample_to_review(samples: usize) -> String {
    match samples {
        0..=20 => "all samples".to_owned(),
        21..=250 => format!("at least the first 20, or better half of the {samples} samples,"),
        _ => "the first 200 or so".to_owned(),
    }
}

/// The 95 % intervals of every detector.
fn intervals(out: &mut dyn Write, evaluation: &Evaluation) -> Result<()> {
    let mut table = Table::new(&[
        ("95 % interval", Align::Left),
        ("AUROC", Align::Right),
        ("AUPRC", Align::Right),
        ("precision", Align::Right),
        ("recall", Align::Right),
        ("F1", Align::Right),
    ]);
    let own = std::iter::once((ENSEMBLE, &evaluation.ensemble));
    for (name, figures) in evaluation.detectors.iter().map(|(name, f)| (name.as_str(), f)).chain(own) {
        let intervals = figures.intervals.unwrap_or_default();
        let range = |interval: Option<(f64, f64)>| {
            interval.map_or_else(|| "-".to_owned(), |(low, high)| format!("{low:.3}-{high:.3}"))
        };
        let Intervals { auroc, auprc, precision, recall, f1 } = intervals;
        let ranges = [auroc, auprc, precision, recall, f1].map(range);
        table.row(std::iter::once(name.to_owned()).chain(ranges).collect());
    }
    table.write(out, terminal_width())?;
    writeln!(out)?;
    Ok(())
}

/// How the ensemble does on each kind of error, and the detector that finds most of it.
fn kinds(out: &mut dyn Write, evaluation: &Evaluation) -> Result<()> {
    let mut table = Table::new(&[
        ("kind of error", Align::Left),
        ("errors", Align::Right),
        ("AUROC", Align::Right),
        ("precision", Align::Right),
        ("recall", Align::Right),
        ("F1", Align::Right),
        ("most found by", Align::Left),
    ]);
    for (kind, figures) in &evaluation.ensemble.by_kind {
        let found = |name: &String| evaluation.detectors[name].by_kind.get(kind).map_or(0, |kind| kind.found);
        // Ties go to the first.
        let best = evaluation.detectors.keys().rev().max_by_key(|name| found(name));
        let best = best.filter(|name| found(name) > 0);
        table.row(vec![
            kind.clone(),
            figures.errors.to_string(),
            figures.auroc.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}")),
            figures.precision.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}")),
            format!("{:.3}", figures.recall),
            format!("{:.3}", figures.f1),
            best.map_or_else(|| "none".to_owned(), |name| format!("{name} ({})", found(name))),
        ]);
    }
    table.write(out, terminal_width())?;
    writeln!(out)?;
    Ok(())
}

fn row(name: &str, figures: &Figures) -> Vec<String> {
    let optional = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    vec![
        name.to_owned(),
        figures.scored.to_string(),
        optional(figures.auroc),
        optional(figures.auprc),
        optional(figures.lift_at_errors),
        figures.flagged.to_string(),
        optional(figures.precision),
        format!("{:.3}", figures.recall),
        format!("{:.3}", figures.f1),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_to_review_more_samples_than_there_are() {
        let left = |samples: usize| {
            let mut out = Vec::new();
            super::left(&mut out, &Remaining { samples, undecided: samples, ..Remaining::default() })
                .unwrap();
            String::from_utf8(out).unwrap()
        };
        assert!(
            left(163).contains("Review at least the first 20, or better half of the 163 samples, of the"),
            "{}",
            left(163)
        );
        assert!(left(12).contains("Review all samples of the random order"));
        assert!(left(5000).contains("Review the first 200 or so of the random order"));
    }

    #[test]
    fn what_comes_next_is_said_with_what_it_rests_on() {
        let next =
            Next { suspects: 95, decided: 20, bad: 20, by_rank: true, high: Some(95), ..Next::default() };
        let said = upcoming(&next);
        assert!(said.contains("next 95 suspects: not known, as 20 of the 20 decided last"), "{said}");
        assert!(
            said.ends_with(
                "are errors, and all 95 may be, too; for a lower bound, review suspects in random order"
            ),
            "{said}"
        );
        let nothing = upcoming(&Next { by_rank: false, ..next });
        assert!(nothing.ends_with("suspects: not known; for a lower bound, review suspects in random order"));
        let later = Next { suspects: 40, decided: 30, bad: 11, high: Some(24), ..next };
        let said = upcoming(&later);
        assert!(said.contains("40 suspects: at most 24 (60 %), if errors become no more frequent"), "{said}");
        let sampled =
            Next { suspects: 63, low: Some(19), high: Some(42), sampled: 32, sampled_bad: 16, ..next };
        let sampled = Next { by_rank: false, ..sampled };
        assert_eq!(
            upcoming(&sampled),
            "errors to expect among the next 63 suspects: 19 to 42 (30 to 67 %), as 16 of 32 suspects of the random order \
             from there on are errors"
        );
    }

    #[test]
    fn subsets_are_lines_or_tables() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("subset");
        std::fs::write(&file, "cat/1.jpg\r\ncat/2.jpg\n").unwrap();
        assert_eq!(names(&file).unwrap(), BTreeSet::from([b"cat/1.jpg".to_vec(), b"cat/2.jpg".to_vec()]));
        std::fs::write(&file, "label,path\ncat,\"a,b.jpg\"\n").unwrap();
        assert_eq!(names(&file).unwrap(), BTreeSet::from([b"a,b.jpg".to_vec()]));
    }
}
