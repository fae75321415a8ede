//! `label-quality`: wrong labels from probabilities in files.

use super::args::Global;
use super::output::{json, results};
use anyhow::{Context, Result, bail, ensure};
use chaffinch_confident::{Ensemble, Filter, Method};
use chaffinch_data::atomic;
use chaffinch_formats::probabilities;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_review::label_quality::{Input, JudgeOptions, Judged, Report};
use clap::{Args, ValueEnum};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// How labels are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScoreMethod {
    /// The probability of the given label
    #[value(name = "self_confidence")]
    SelfConfidence,
    /// That against the most likely other class
    #[value(name = "normalized_margin")]
    NormalizedMargin,
    /// That weighed with how undecided the model is
    #[value(name = "confidence_weighted_entropy")]
    ConfidenceWeightedEntropy,
}

/// What `label-quality` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum QualityFormat {
    /// One object of figures
    Json,
    /// One row a sample: row,label,suggested_label,score,issue
    Csv,
}

/// Find wrong labels from class probabilities that a model of your own gave
#[derive(Debug, Args)]
pub(super) struct LabelQuality {
    /// Out-of-sample probabilities, a row a sample: .npy, or .parquet or .csv with the class names as heading; once for each
    /// model
    #[arg(long, value_name = "FILE", required = true)]
    pred_probs: Vec<PathBuf>,
    /// How several models are joined: avg_pred_probs, avg_scores, and both with _acc (weighted by accuracy) or _ll
    /// (by log-loss) after it [default: avg_scores_acc]
    #[arg(long, value_name = "NAME")]
    ensemble: Option<String>,
    /// Given labels, names or numbers from 0: .npy, .txt with one a line, or .parquet or .csv with a column `label`
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Class names, one a line, in the order of label numbers and of columns that have no heading
    #[arg(long, value_name = "FILE")]
    classes: Option<PathBuf>,
    /// True labels, or whether each label is an error (booleans): .npy, .txt, .parquet or .csv
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// How labels are scored
    #[arg(long, value_enum, default_value = "self_confidence")]
    method: ScoreMethod,
    /// Make probabilities comparable between classes before they are scored
    #[arg(long)]
    adjusted: bool,
    /// Filters to report, and the first of them decides what --issues and CSV call an issue [default: all, and
    /// follows_quality decides]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    filter: Vec<String>,
    /// Also write the scores here, one a line in input order
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
    /// Also write the flagged rows here, counted from 0, one a line; as a table where FILE ends in .csv
    #[arg(long, value_name = "FILE")]
    issues: Option<PathBuf>,
    /// The form of the report
    #[arg(long, value_enum, default_value = "json")]
    format: QualityFormat,
}

/// Reads, judges, and writes what was asked for.
pub(super) fn run(args: &LabelQuality, _: &Global) -> Result<ExitCode> {
    let question = question(args)?;
    let input =
        probabilities::read(&args.pred_probs, &args.labels, args.classes.as_deref(), args.truth.as_deref())?;
    let judged = input.judge(&question).with_context(|| safe_path(&args.labels))?;
    // Without a choice, the cut that follows the quality of the probabilities.
    let chosen = if args.filter.is_empty() { None } else { question.filters.first() };
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
        QualityFormat::Json => json(out, &Report::new(&question, &input, &judged)),
        QualityFormat::Csv => Ok(rows(out, &input, &judged, flagged, false)?),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What is asked; of filters that were named the first one decides.
fn question(args: &LabelQuality) -> Result<JudgeOptions> {
    let method = match args.method {
        ScoreMethod::SelfConfidence => Method::SelfConfidence,
        ScoreMethod::NormalizedMargin => Method::NormalizedMargin,
        ScoreMethod::ConfidenceWeightedEntropy => Method::ConfidenceWeightedEntropy,
    };
    ensure!(
        !args.adjusted || method.can_be_adjusted(),
        "--adjusted does not go with {}: the entropy of adjusted rows has no meaning",
        method.name()
    );
    let filters = if args.filter.is_empty() {
        Filter::ALL.to_vec()
    } else {
        args.filter.iter().map(|name| filter(name)).collect::<Result<_>>()?
    };
    ensure!(
        args.ensemble.is_none() || args.pred_probs.len() > 1,
        "--ensemble joins several models: give --pred-probs once for each"
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
        bail!("there is no ensemble '{}' (there are: {})", safe_text(&name), names.join(", "));
    };
    Ok(found)
}

fn filter(name: &str) -> Result<Filter> {
    let name = name.trim().replace('-', "_");
    let found = Filter::ALL.into_iter().find(|filter| filter.name() == name);
    let Some(found) = found else {
        let names: Vec<&str> = Filter::ALL.iter().map(|filter| filter.name()).collect();
        bail!("there is no filter '{}' (there are: {})", safe_text(&name), names.join(", "));
    };
    Ok(found)
}

/// One row a sample, or a flagged one only.
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
