//! The words of the commands that judge labels by class probabilities.

use super::ReportFormat;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How labels are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ScoreMethod {
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
pub(in crate::cli) enum QualityFormat {
    /// One object of figures
    Json,
    /// One row a sample: row,label,suggested_label,score,issue
    Csv,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct LabelQuality {
    /// Out-of-sample probabilities, a row a sample: .npy, or .parquet or .csv with the class names as heading; once for each
    /// model
    #[arg(long, value_name = "FILE", required = true)]
    pub(in crate::cli) pred_probs: Vec<PathBuf>,
    /// How several models are joined: avg_pred_probs, avg_scores, and both with _acc (weighted by accuracy) or _ll
    /// (by log-loss) after it [default: avg_scores_acc]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) ensemble: Option<String>,
    /// Given labels, names or numbers from 0: .npy, .txt with one a line, or .parquet or .csv with a column `label`
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) labels: PathBuf,
    /// Class names, one a line, in the order of label numbers and of columns that have no heading
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) classes: Option<PathBuf>,
    /// True labels, or whether each label is an error (booleans): .npy, .txt, .parquet or .csv
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) truth: Option<PathBuf>,
    /// How labels are scored
    #[arg(long, value_enum, default_value = "self_confidence")]
    pub(in crate::cli) method: ScoreMethod,
    /// Make probabilities comparable between classes before they are scored
    #[arg(long)]
    pub(in crate::cli) adjusted: bool,
    /// Filters to report, and the first of them decides what --issues and CSV call an issue [default: all, and
    /// follows_quality decides]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(in crate::cli) filter: Vec<String>,
    /// Also write the scores here, one a line in input order
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) scores: Option<PathBuf>,
    /// Also write the flagged rows here, counted from 0, one a line; as a table where FILE ends in .csv
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) issues: Option<PathBuf>,
    /// The form of the report
    #[arg(long, value_enum, default_value = "json")]
    pub(in crate::cli) format: QualityFormat,
}

/// Where `select` has probabilities from in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SelectSource {
    /// The model that reads text, asked about the prompts of each class
    ZeroShot,
    /// A regression on the embeddings with the labels as they are
    Regression,
}

/// How answers to the prompts of a class are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PromptPooling {
    /// Classes of few prompts lose nothing
    Mean,
    /// As published: a class counts for more the more prompts it has
    Sum,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Select {
    /// A session's folder, or its dataset, that was scanned; or give --pred-probs and --labels instead
    #[arg(value_name = "SESSION", required_unless_present = "pred_probs", conflicts_with_all = ["pred_probs", "labels", "classes"])]
    pub(in crate::cli) target: Option<PathBuf>,
    /// Probabilities, a row a sample: .npy, or .parquet or .csv with the class names as heading; once for each model
    #[arg(long, value_name = "FILE", requires = "labels")]
    pub(in crate::cli) pred_probs: Vec<PathBuf>,
    /// Given labels, names or numbers from 0: .npy, .txt with one a line, or .parquet or .csv with a column `label`
    #[arg(long, value_name = "FILE", requires = "pred_probs")]
    pub(in crate::cli) labels: Option<PathBuf>,
    /// Class names, one a line, in the order of label numbers and of columns that have no heading
    #[arg(long, value_name = "FILE", requires = "pred_probs")]
    pub(in crate::cli) classes: Option<PathBuf>,
    /// The truth, for precision and recall: true labels or whether each label is an error; of a session a table with
    /// a column `path`
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) truth: Option<PathBuf>,
    /// Least probability of belonging to the better of two groups of its class, 0 to 1
    #[arg(long, value_name = "P", default_value_t = 0.5)]
    pub(in crate::cli) theta_gmm: f64,
    /// Least probability of the label over that of the most likely class, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    pub(in crate::cli) theta_cons: f64,
    /// Of a session: sources of probabilities; all of them must agree
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_enum, default_values = ["zero-shot", "regression"])]
    pub(in crate::cli) sources: Vec<SelectSource>,
    /// Of a session: how the answers to a class's prompts are joined
    #[arg(long, value_enum, default_value = "mean")]
    pub(in crate::cli) pooling: PromptPooling,
    /// Of a session: a file of prompts, or the name of a built-in set such as `cifar10-described`; later ones go
    /// before earlier ones [default: the configuration's]
    #[arg(long, value_name = "FILE|NAME")]
    pub(in crate::cli) prompts: Vec<PathBuf>,
    /// Of a session: judge each sample by a regression that was not trained on it
    #[arg(long)]
    pub(in crate::cli) out_of_sample: bool,
    /// Of a session: the model it was scanned with [default: the configuration's]
    #[arg(long, value_name = "NAME|DIR")]
    pub(in crate::cli) model: Option<String>,
    /// Of a session: where the model runs: auto, cpu, cpu:bf16, cuda:N [default: the configuration's]
    #[arg(long, value_name = "DEVICE")]
    pub(in crate::cli) device: Option<String>,
    /// Also write the selected samples here: a table of row, label and, of a session, path; rows from 0, one a line,
    /// where FILE ends in .txt
    #[arg(long, short, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Replace a file that exists already
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// The form of the report
    #[arg(long, value_enum, default_value = "table")]
    pub(in crate::cli) format: ReportFormat,
}
