//! `label-quality`: finds wrong labels given class probabilities in files.

use super::args::Global;
use super::output::{json, remark, results};
use anyhow::{Context, Result, bail, ensure};
use chaffinch_confident::{Ensemble, Filter, Method};
use chaffinch_data::atomic;
use chaffinch_formats::probabilities::{self, Read};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_review::label_quality::{Input, JudgeOptions, Judged, Report};
use clap::{Args, ValueEnum};
use std::io::{self, Write};
use std::path::PathBuf;
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
    /// One row per sample: row,label,suggested_label,score,issue
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
    /// Given labels, as names or numbers from 0: .npy, .txt with one per line, or .parquet or .csv with a column `label`
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Class names, one per line, in the order of label numbers and of columns without a header
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
    /// follows_quality]
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
}

/// Reads the files, scores the labels, and writes the output.
pub(super) fn run(args: &LabelQuality, global: &Global) -> Result<ExitCode> {
    let options = options(args)?;
    let Read { input, remarks } =
        probabilities::read(&args.pred_probs, &args.labels, args.classes.as_deref(), args.truth.as_deref())?;
    if !global.quiet {
        remarks.iter().for_each(|text| remark(text));
    }
    let judged = input.judge(&options).with_context(|| safe_path(&args.labels))?;
    // By default, the cutoff that depends on the quality of the probabilities.
    let chosen = if args.filter.is_empty() { None } else { options.filters.first() };
    let deciding = chosen.unwrap_or(&Filter::FollowsQuality).name();
    let flagged = judged.flagged.get(deciding).map_or(&[][..], Vec::as_slice);
    if let Some(path) = &args.scores {
        atomic::write(path, |out| judged.scores.iter().try_for_each(|score| writeln!(out, "{score}")))?;
    }
    if let Some(path) = &args.issues {
        let table = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        atomic::write(path, |out| match table {
            true => rows(out, &input, &judged, flagged, true),
            false => {
                let named = flagged.iter().enumerate().filter(|(_, flag)| **flag);
                named.map(|(row, _)| row).try_for_each(|row| writeln!(out, "{row}"))
            }
        })?;
    }
    results(|out| match args.format {
        QualityFormat::Json => json(out, &Report::new(&options, &input, &judged)),
        QualityFormat::Csv => Ok(rows(out, &input, &judged, flagged, false)?),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The options; the first named filter determines the issues.
fn options(args: &LabelQuality) -> Result<JudgeOptions> {
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
    let filters = if args.filter.is_empty() {
        Filter::ALL.to_vec()
    } else {
        args.filter.iter().map(|name| filter(name)).collect::<Result<_>>()?
    };
    ensure!(
        args.ensemble.is_none() || args.pred_probs.len() > 1,
        "--ensemble combines several models; pass --pred-probs once for each"
    );
    let ensemble = args.ensemble.as_deref().map(ensemble).transpose()?;
    let ensemble = ensemble.unwrap_or(Ensemble::ScoresByAccuracy);
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
