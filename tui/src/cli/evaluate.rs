//! `evaluate`: what was found beside a list of known faults.

use super::args::{Evaluate, Global, ReportFormat};
use super::listing::Listing;
use super::output::{Align, Table, count, json, remark, results, terminal_width};
use anyhow::{Context, Result, ensure};
use chaffinch_core::display::safe_path;
use chaffinch_core::evaluate::{Evaluation, Figures, Truth, evaluate, evaluate_rank};
use chaffinch_core::protocol::EnsembleRule;
use chaffinch_core::ranking::{self, RULES};
use chaffinch_core::sample::SampleId;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

/// Writes the figures to stdout.
pub(super) fn run(args: &Evaluate, global: &Global) -> Result<ExitCode> {
    let listing = Listing::open_by(&args.target, global, args.ensemble.as_deref())?;
    let mut truth = Truth::from_csv(&args.truth, &listing.manifest)?;
    let unmatched = truth.unmatched();
    if let Some(file) = &args.subset {
        truth = narrowed(&truth, &listing, file)?;
    }
    if args.undecided {
        let mut known: Vec<Option<bool>> = vec![None; listing.manifest.len()];
        let open =
            truth.known().into_iter().filter(|(row, _)| listing.journal.decision(SampleId(*row)).is_none());
        open.for_each(|(row, error)| known[row as usize] = Some(error));
        truth = Truth::new(known);
    }
    let mut evaluation = evaluate(&listing.results, &listing.thresholds, &listing.ranking, &truth);
    evaluation.unmatched = unmatched;
    if args.ensembles {
        evaluation.ensembles = ensembles(&listing, &truth);
    }
    results(|out| match args.format {
        ReportFormat::Json => json(out, &evaluation),
        ReportFormat::Table => write(out, &evaluation),
    })?;
    if !global.quiet && unmatched > 0 {
        remark(&format!("{} of the truth belong to no sample", count(unmatched as u64, "row", "rows")));
    }
    Ok(ExitCode::SUCCESS)
}

/// The figures of every rule. One that cannot be applied, for want of decisions, is left out and said.
fn ensembles(listing: &Listing, truth: &Truth) -> BTreeMap<String, Figures> {
    let reviewed = ranking::reviewed(listing.journal.decisions());
    let mut found = BTreeMap::new();
    for name in RULES.into_iter().chain(["2-of-n", "3-of-n"]) {
        let Some(rule) = EnsembleRule::parse(name, &listing.weights) else { continue };
        let thresholds = ranking::thresholds_under(&rule, listing.set.clone());
        let count = listing.manifest.len();
        let ranking = ranking::rank_reviewed(&listing.results, &thresholds, &rule, count, &reviewed);
        if ranking.note.is_empty() {
            found.insert(name.to_owned(), evaluate_rank(&ranking, truth));
        } else {
            remark(&format!("{name} is left out: {}", ranking.note));
        }
    }
    found
}

/// The truth about the samples named in a file only.
fn narrowed(truth: &Truth, listing: &Listing, file: &Path) -> Result<Truth> {
    let named = names(file)?;
    let manifest = &listing.manifest;
    let mut known: Vec<Option<bool>> = vec![None; manifest.len()];
    let mut kept = 0;
    for (row, error) in truth.known() {
        let path = manifest.path(SampleId(row)).as_os_str().as_bytes();
        if named.contains(path) {
            known[row as usize] = Some(error);
            kept += 1;
        }
    }
    ensure!(kept > 0, "{} names no sample whose truth is known; its lines should be paths", safe_path(file));
    Ok(Truth::new(known))
}

/// Paths in a file: one a line, or the column `path` of a table.
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
        "{all} of known truth, {} among them",
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
    table.row(row("ensemble", &evaluation.ensemble));
    for (name, figures) in &evaluation.ensembles {
        table.row(row(&format!("ensemble: {name}"), figures));
    }
    table.write(out, terminal_width())?;
    writeln!(out)?;
    let mut first = Table::new(&[
        ("first of the ensemble", Align::Right),
        ("precision", Align::Right),
        ("recall", Align::Right),
    ]);
    for place in &evaluation.ensemble.at {
        first.row(vec![
            place.k.to_string(),
            format!("{:.3}", place.precision),
            format!("{:.3}", place.recall),
        ]);
    }
    first.write(out, terminal_width())
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
        format!("{:.3}", figures.precision),
        format!("{:.3}", figures.recall),
        format!("{:.3}", figures.f1),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_are_lines_or_tables() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("subset");
        std::fs::write(&file, "cat/1.jpg\r\ncat/2.jpg\n").unwrap();
        assert_eq!(names(&file).unwrap(), BTreeSet::from([b"cat/1.jpg".to_vec(), b"cat/2.jpg".to_vec()]));
        std::fs::write(&file, "label,path\ncat,\"a,b.jpg\"\n").unwrap();
        assert_eq!(names(&file).unwrap(), BTreeSet::from([b"a,b.jpg".to_vec()]));
    }
}
