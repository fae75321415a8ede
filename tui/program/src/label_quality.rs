//! `label-quality`: finds wrong labels given class probabilities in files.

mod several;

use super::args::Global;
use super::output::{json, remark, results};
use anyhow::{Context, Result, anyhow, bail, ensure};
use chaffinch_confident::{Ensemble, Filter, Method};
use chaffinch_data::atomic;
use chaffinch_formats::probabilities::{self, Read};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_review::label_quality::{Input, JudgeOptions, Judged, Report};
use clap::{Args, ValueEnum};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How to score labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScoreMethod {
    /// The probability of the given label
    #[value(name = "self_confidence")]
    SelfConfidence,
    /// The probability of the given label minus that of the most likely other class
    #[value(name = "normalized_margin")]
    NormalizedMargin,
    /// The probability of the given label, weighted by the entropy of the prediction
    #[value(name = "confidence_weighted_entropy")]
    ConfidenceWeightedEntropy,
}

/// The output of `label-quality`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum QualityFormat {
    /// A JSON object of figures
    Json,
    /// One row per sample: row,label,suggested_label,score,issue, or row,labels,add,remove,score,issue with several labels
    Csv,
}

/// Find wrong labels, given class probabilities from your own model
#[derive(Debug, Args)]
pub(super) struct LabelQuality {
    /// Out-of-sample probabilities, one row per sample: .npy, or .parquet or .csv with class names as the header and, to join
    /// rows by it, a column `path` as in --labels; repeat for each model
    #[arg(long, value_name = "FILE", required = true)]
    pred_probs: Vec<PathBuf>,
    /// How to combine several models: avg_pred_probs or avg_scores, optionally with the suffix _acc (weighted by accuracy)
    /// or _ll (by log loss) [default: avg_scores_acc]
    #[arg(long, value_name = "NAME")]
    ensemble: Option<String>,
    /// Given labels, as names or numbers from 0: .npy, .txt with one per line, or .parquet, .csv or .jsonl with a column
    /// `label`; rows with several labels as --multi-label says
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Class names in the order of label numbers and of columns without a header: one per line, or with their
    /// numbers, as in `0 dog` or `class_to_idx.json`
    #[arg(long, value_name = "FILE")]
    classes: Option<PathBuf>,
    /// True labels, or whether each label is an error (booleans): .npy, .txt, .parquet or .csv
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// How to score labels
    #[arg(long, value_enum, default_value = "self_confidence")]
    method: ScoreMethod,
    /// Adjust probabilities to be comparable across classes before scoring
    #[arg(long)]
    adjusted: bool,
    /// Filters to report; the first one determines the issues for --issues and CSV [default: all, with issues by
    /// follows_quality, or by prune_by_noise_rate with several labels a row]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    filter: Vec<String>,
    /// Also write the scores to FILE, one per line in input order
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
    /// Also write the flagged rows to FILE, counted from 0, one per line; as a table if FILE ends in .csv
    #[arg(long, value_name = "FILE")]
    issues: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value = "json")]
    format: QualityFormat,
    #[command(flatten)]
    several: several::Several,
}

/// Reads the files, scores the labels, and writes the output.
pub(super) fn run(args: &LabelQuality, global: &Global) -> Result<ExitCode> {
    if args.several.multi_label {
        return several::run(args, global);
    }
    if let Some(why) = probabilities::has_several_labels(&args.labels)? {
        if !global.quiet {
            remark(&format!("{why}: each row may have several labels, as with --multi-label"));
        }
        return several::run(args, global);
    }
    if let Some(option) = args.several.used() {
        bail!(
            "{option} is for rows with several labels, and those of {} have one each; --multi-label reads them as several",
            safe_path(&args.labels)
        );
    }
    let options = options(args)?;
    let read =
        probabilities::read(&args.pred_probs, &args.labels, args.classes.as_deref(), args.truth.as_deref());
    let Read { input, remarks } =
        read.map_err(|error| match probabilities::may_have_several_labels(&args.labels) {
            true => anyhow!("{error}; if a row may have several labels, pass --multi-label"),
            false => error.into(),
        })?;
    if !global.quiet {
        remarks.iter().for_each(|text| remark(text));
    }
    let judged = input.judge(&options).with_context(|| safe_path(&args.labels))?;
    // By default, the cutoff that depends on the quality of the probabilities.
    let chosen = if args.filter.is_empty() { None } else { options.filters.first() };
    let deciding = chosen.unwrap_or(&Filter::FollowsQuality).name();
    let flagged = judged.flagged.get(deciding).map_or(&[][..], Vec::as_slice);
    if let Some(path) = &args.scores {
        write_scores(path, &judged.scores)?;
    }
    if let Some(path) = &args.issues {
        write_issues(path, flagged, |out| rows(out, &input, &judged, flagged, true))?;
    }
    results(|out| match args.format {
        QualityFormat::Json => json(out, &Report::new(&options, &input, &judged)),
        QualityFormat::Csv => Ok(rows(out, &input, &judged, flagged, false)?),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Writes one score per line.
fn write_scores(path: &Path, scores: &[f64]) -> Result<()> {
    Ok(atomic::write(path, |out| scores.iter().try_for_each(|score| writeln!(out, "{score}")))?)
}

/// Writes the flagged rows: their numbers, or those of a table.
fn write_issues(
    path: &Path,
    flagged: &[bool],
    rows: impl Fn(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let table = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    Ok(atomic::write(path, |out| match table {
        true => rows(out),
        false => {
            let named = flagged.iter().enumerate().filter(|(_, flag)| **flag);
            named.map(|(row, _)| row).try_for_each(|row| writeln!(out, "{row}"))
        }
    })?)
}

fn method(args: &LabelQuality) -> Result<Method> {
    let method = match args.method {
        ScoreMethod::SelfConfidence => Method::SelfConfidence,
        ScoreMethod::NormalizedMargin => Method::NormalizedMargin,
        ScoreMethod::ConfidenceWeightedEntropy => Method::ConfidenceWeightedEntropy,
    };
    ensure!(
        !args.adjusted || method.can_be_adjusted(),
        "--adjusted cannot be used with {}: the entropy of adjusted rows is meaningless",
        method.name()
    );
    Ok(method)
}

fn filters(args: &LabelQuality) -> Result<Vec<Filter>> {
    match args.filter.as_slice() {
        [] => Ok(Filter::ALL.to_vec()),
        names => names.iter().map(|name| filter(name)).collect(),
    }
}

/// How several models are combined, if it was said.
fn said_ensemble(args: &LabelQuality) -> Result<Option<Ensemble>> {
    ensure!(
        args.ensemble.is_none() || args.pred_probs.len() > 1,
        "--ensemble combines several models; pass --pred-probs once for each"
    );
    args.ensemble.as_deref().map(ensemble).transpose()
}

/// The options; the first named filter determines the issues.
fn options(args: &LabelQuality) -> Result<JudgeOptions> {
    let (method, filters) = (method(args)?, filters(args)?);
    let ensemble = said_ensemble(args)?.unwrap_or(Ensemble::ScoresByAccuracy);
    Ok(JudgeOptions { method, adjusted: args.adjusted, filters, ensemble })
}

fn ensemble(name: &str) -> Result<Ensemble> {
    let name = name.trim().replace('-', "_");
    let found = Ensemble::ALL.into_iter().find(|ensemble| ensemble.name() == name);
    let Some(found) = found else {
        let names: Vec<&str> = Ensemble::ALL.iter().map(|ensemble| ensemble.name()).collect();
        bail!("unknown ensemble '{}' (expected one of {})", safe_text(&name), names.join(", "));
    };
    Ok(found)
}

fn filter(name: &str) -> Result<Filter> {
    let name = name.trim().replace('-', "_");
    let found = Filter::ALL.into_iter().find(|filter| filter.name() == name);
    let Some(found) = found else {
        let names: Vec<&str> = Filter::ALL.iter().map(|filter| filter.name()).collect();
        bail!("unknown filter '{}' (expected one of {})", safe_text(&name), names.join(", "));
    };
    Ok(found)
}

/// One row per sample, or per flagged sample.
fn rows(
    out: &mut dyn Write,
    input: &Input,
    judged: &Judged,
    flagged: &[bool],
    only_flagged: bool,
) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(["row", "label", "suggested_label", "score", "issue"])?;
    let classes = input.classes();
    for (row, &label) in input.labels().iter().enumerate() {
        let issue = flagged.get(row).copied().unwrap_or(false);
        if only_flagged && !issue {
            continue;
        }
        table.write_record([
            row.to_string().as_str(),
            &classes[label as usize],
            &classes[judged.suggested[row] as usize],
            &judged.scores[row].to_string(),
            if issue { "1" } else { "0" },
        ])?;
    }
    table.flush()
}
