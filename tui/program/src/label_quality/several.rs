//! `label-quality` where samples may have several labels.

use super::{LabelQuality, QualityFormat, filters, method, said_ensemble, write_issues, write_scores};
use crate::args::Global;
use crate::output::{json, remark, results};
use anyhow::{Context, Result, bail, ensure};
use chaffinch_confident::{Aggregation, Ensemble, Filter};
use chaffinch_data::atomic;
use chaffinch_formats::probabilities::{self, ReadSets};
use chaffinch_protocol::display::safe_path;
use chaffinch_review::label_quality::{SetInput, SetJudged, SetOptions, SetReport, can_average};
use clap::{Args, ValueEnum};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// What stands between labels in a cell.
const BETWEEN: &str = "|";

/// How the scores of a sample's classes become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AggregationName {
    /// A moving average from the highest score to the lowest, which counts --alpha
    #[value(name = "exponential_moving_average")]
    ExponentialMovingAverage,
    /// A mean in which low scores count more the lower --temperature is
    #[value(name = "softmin")]
    Softmin,
}

/// Options of labels that are several.
#[derive(Debug, Args)]
pub(super) struct Several {
    /// A row may have several labels or none: a list or texts separated by | ; or , in the column of labels, a column of 0
    /// and 1 for each class, or a .npy matrix of 0 and 1. Rows of probabilities need not add up to 1. Lists, such columns and
    /// matrices are recognized without it
    #[arg(long)]
    pub(super) multi_label: bool,
    /// How the scores of the classes become one score, with several labels a row [default: exponential_moving_average]
    #[arg(long, value_enum, value_name = "NAME")]
    aggregation: Option<AggregationName>,
    /// The weight of each next score in the moving average, 0 to 1; with 1, the lowest score of a class counts alone
    /// [default: 0.8]
    #[arg(long, value_name = "X", value_parser = share)]
    alpha: Option<f64>,
    /// The temperature of softmin, above 0 [default: 0.1]
    #[arg(long, value_name = "X", value_parser = above_zero)]
    temperature: Option<f64>,
    /// Also write the score of each class to FILE: CSV with one row per sample and the classes as the header
    #[arg(long, value_name = "FILE")]
    class_scores: Option<PathBuf>,
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

fn above_zero(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && number.is_finite());
    number.ok_or_else(|| "expected a number above 0".to_owned())
}

impl Several {
    /// An option that says nothing where a row has one label.
    pub(super) fn used(&self) -> Option<&'static str> {
        let options = [
            (self.aggregation.is_some(), "--aggregation"),
            (self.alpha.is_some(), "--alpha"),
            (self.temperature.is_some(), "--temperature"),
            (self.class_scores.is_some(), "--class-scores"),
        ];
        options.into_iter().find(|(used, _)| *used).map(|(_, option)| option)
    }

    fn aggregation(&self) -> Result<Aggregation> {
        let softmin = self.aggregation == Some(AggregationName::Softmin);
        ensure!(!softmin || self.alpha.is_none(), "--alpha is for exponential_moving_average, not softmin");
        ensure!(softmin || self.temperature.is_none(), "--temperature needs --aggregation softmin");
        Ok(match softmin {
            true => Aggregation::SoftMin { temperature: self.temperature.unwrap_or(0.1) },
            false => match self.alpha {
                Some(alpha) => Aggregation::MovingAverage { alpha },
                None => Aggregation::default(),
            },
        })
    }
}

/// Reads the files, scores the labels, and writes the output.
pub(super) fn run(args: &LabelQuality, global: &Global) -> Result<ExitCode> {
    let options = options(args)?;
    let (classes, truth) = (args.classes.as_deref(), args.truth.as_deref());
    let ReadSets { input, remarks } =
        probabilities::read_sets(&args.pred_probs, &args.labels, classes, truth)?;
    if !global.quiet {
        remarks.iter().for_each(|text| remark(text));
    }
    let judged = input.judge(&options).with_context(|| safe_path(&args.labels))?;
    let table = Table { input: &input, judged: &judged };
    if let Some(path) = &args.scores {
        write_scores(path, &judged.scores)?;
    }
    if let Some(path) = &args.several.class_scores {
        atomic::write(path, |out| table.class_scores(out))?;
    }
    if let Some(path) = &args.issues {
        write_issues(path, judged.flagged(), |out| table.rows(out, true))?;
    }
    results(|out| match args.format {
        QualityFormat::Json => json(out, &SetReport::new(&options, &input, &judged)),
        QualityFormat::Csv => Ok(table.rows(out, false)?),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn options(args: &LabelQuality) -> Result<SetOptions> {
    let (method, filters) = (method(args)?, filters(args)?);
    let ensemble = match said_ensemble(args)? {
        None => Ensemble::Scores,
        Some(known) if can_average(known) => known,
        Some(other) => bail!(
            "--ensemble {} weights models by how they predict the one label of each row; with several labels, use {} or {}",
            other.name(),
            Ensemble::Probabilities.name(),
            Ensemble::Scores.name()
        ),
    };
    // The cutoff that depends on the quality of the probabilities was made for one label among many classes; of classes on
    // their own, this one finds more on simulated datasets.
    let first = filters.first().filter(|_| !args.filter.is_empty());
    let deciding = first.copied().unwrap_or(Filter::PruneByNoiseRate);
    let aggregation = args.several.aggregation()?;
    Ok(SetOptions { method, adjusted: args.adjusted, aggregation, filters, deciding, ensemble })
}

/// What was found, as rows.
struct Table<'a> {
    input: &'a SetInput,
    judged: &'a SetJudged,
}

impl Table<'_> {
    /// One row per sample, or per flagged sample.
    fn rows(&self, out: &mut dyn Write, only_flagged: bool) -> io::Result<()> {
        let mut table = csv::Writer::from_writer(out);
        table.write_record(["row", "labels", "add", "remove", "score", "issue"])?;
        let flagged = self.judged.flagged();
        for row in (0..self.input.len()).filter(|&row| !only_flagged || flagged[row]) {
            let change = self.judged.change(self.input, row);
            let given = self.input.given(row).iter().enumerate().filter(|(_, has)| **has);
            table.write_record([
                row.to_string().as_str(),
                &self.cell(given.map(|(class, _)| class)),
                &self.cell(change.add.into_iter()),
                &self.cell(change.remove.into_iter()),
                &self.judged.scores[row].to_string(),
                if flagged[row] { "1" } else { "0" },
            ])?;
        }
        table.flush()
    }

    /// Classes in a cell, as `--labels` reads them: separated texts, or a JSON list where a name has the separator in it.
    fn cell(&self, classes: impl Iterator<Item = usize>) -> String {
        let names: Vec<&str> = classes.map(|class| self.input.classes()[class].as_str()).collect();
        let plain = |name: &String| !name.contains(BETWEEN) && !name.starts_with(['[', '{']);
        match self.input.classes().iter().all(plain) {
            true => names.join(BETWEEN),
            false => serde_json::Value::from(names).to_string(),
        }
    }

    /// The score of each class, one row per sample.
    fn class_scores(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = csv::Writer::from_writer(out);
        table.write_record(self.input.classes())?;
        for scores in self.judged.class_scores.chunks_exact(self.input.classes().len()) {
            table.write_record(scores.iter().map(f64::to_string))?;
        }
        table.flush()
    }
}
