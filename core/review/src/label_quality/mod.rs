//! Label quality from given probabilities: columns matched to classes by name, scores and filters.
//!
//! The methods themselves are in `chaffinch-confident`, which detectors use as well.

mod bind;
mod grid;
mod report;
mod sets;

pub use bind::{BindError, Binding, Reading};
pub use chaffinch_confident::InputError;
pub use grid::{Grid, Numbers, Values};
pub use report::{FilterFigures, Joined, Report};
pub use sets::{
    Averaged, Change, ClassFigures, SetFilterFigures, SetInput, SetJudged, SetOptions, SetReport, can_average,
};

use chaffinch_confident::{
    Ensemble, Filter, Filters, Method, Real, Table, TopK, Weights, ensemble_scores, mean_probabilities,
    scores, suggested,
};
use chaffinch_data::columns::Column;
use chaffinch_selection::Evidence;
use std::collections::BTreeMap;

/// How far the sum of a row may be from one: the error of half precision.
pub const SUM_TOLERANCE: f64 = 2e-3;

/// Probabilities and labels of the same samples, with class names.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    models: Vec<Model>,
    binding: Binding,
    labels: Vec<u32>,
    errors: Option<Vec<bool>>,
}

/// The checked probabilities of a model, and what the check found out.
#[derive(Debug, Clone, PartialEq)]
enum Model {
    Single(Column<f32>, TopK<f32>),
    Double(Column<f64>, TopK<f64>),
}

/// Options for [`Input::judge`].
#[derive(Debug, Clone, PartialEq)]
pub struct JudgeOptions {
    /// How labels are scored.
    pub method: Method,
    /// Whether to first make probabilities comparable between classes.
    pub adjusted: bool,
    /// Filters to apply.
    pub filters: Vec<Filter>,
    /// How several models are combined; no effect for a single one.
    pub ensemble: Ensemble,
}

/// What was found, sample by sample in input order.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// 0 = the label is surely wrong, 1 = surely right.
    pub scores: Vec<f64>,
    /// The most likely class.
    pub suggested: Vec<u32>,
    /// By filter whether it considers the label wrong.
    pub flagged: BTreeMap<&'static str, Vec<bool>>,
    /// The models' weights, if there are several.
    pub weights: Option<Weights>,
}

impl Model {
    /// Checks one model's probabilities of these labels.
    fn checked(numbers: Numbers, classes: usize, labels: &[u32]) -> std::result::Result<Model, InputError> {
        fn top_k<T: Real>(
            data: &[T],
            classes: usize,
            labels: &[u32],
        ) -> std::result::Result<TopK<T>, InputError> {
            let table = Table::new(data, classes, labels)?;
            table.check_sums(SUM_TOLERANCE)?;
            Ok(table.top_k())
        }
        Ok(match numbers {
            Numbers::Single(data) => {
                let top_k = top_k(&data, classes, labels)?;
                Model::Single(data, top_k)
            }
            Numbers::Double(data) => {
                let top_k = top_k(&data, classes, labels)?;
                Model::Double(data, top_k)
            }
        })
    }

    /// The probabilities in 64 bits.
    fn wide(&self) -> Vec<f64> {
        match self {
            Model::Single(data, _) => data.iter().map(|&p| f64::from(p)).collect(),
            Model::Double(data, _) => data.to_vec(),
        }
    }
}

impl Input {
    /// Takes the files' content, one matrix per model, and checks every row.
    ///
    /// # Errors
    /// With the index of the model whose numbers do not match these labels or are not probabilities.
    pub fn new(
        numbers: Vec<Numbers>,
        binding: Binding,
        labels: Vec<u32>,
        errors: Option<Vec<bool>>,
    ) -> std::result::Result<Input, (usize, InputError)> {
        let classes = binding.names().len();
        let checked = |(model, numbers): (usize, Numbers)| {
            Model::checked(numbers, classes, &labels).map_err(|error| (model, error))
        };
        let models = numbers.into_iter().enumerate().map(checked).collect::<std::result::Result<_, _>>()?;
        Ok(Input { models, binding, labels, errors })
    }

    fn table<'a, T: Real>(&'a self, data: &'a [T]) -> std::result::Result<Table<'a, T>, InputError> {
        Table::new(data, self.binding.names().len(), &self.labels)
    }

    /// Class names by column.
    pub fn classes(&self) -> &[String] {
        self.binding.names()
    }

    /// The given label of each sample, as a column.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Whether each label is an error, if the ground truth was given.
    pub fn errors(&self) -> Option<&[bool]> {
        self.errors.as_deref()
    }

    /// Number of models.
    pub fn models(&self) -> usize {
        self.models.len()
    }

    /// For each model and sample: the probabilities of the label and of the most likely class.
    pub fn evidence(&self) -> Vec<Evidence> {
        let classes = self.binding.names().len();
        let of = |row: &mut dyn Iterator<Item = f64>, label: usize| {
            row.enumerate().fold((0.0, 0.0_f64), |(own, best), (class, p)| {
                // Rounding of 32-bit sums can leave values slightly below zero.
                let p = p.clamp(0.0, 1.0);
                (if class == label { p } else { own }, best.max(p))
            })
        };
        let model = |model: &Model| {
            let mut evidence = Evidence::default();
            for (sample, &label) in self.labels.iter().enumerate() {
                let index = sample * classes..(sample + 1) * classes;
                let (own, best) = match model {
                    Model::Single(data, _) => {
                        of(&mut data[index].iter().map(|&p| f64::from(p)), label as usize)
                    }
                    Model::Double(data, _) => of(&mut data[index].iter().copied(), label as usize),
                };
                evidence.push(own, best);
            }
            evidence
        };
        self.models.iter().map(model).collect()
    }

    /// The combined probabilities of all models, row by row, and their weights.
    ///
    /// # Errors
    /// Never for input that was read here.
    pub fn joined(&self, ensemble: Ensemble) -> std::result::Result<(Vec<f64>, Weights), InputError> {
        let wide: Vec<Vec<f64>> = self.models.iter().map(Model::wide).collect();
        let tables = wide.iter().map(|data| self.table(data)).collect::<std::result::Result<Vec<_>, _>>()?;
        let weights = Weights::of(&tables, ensemble)?;
        Ok((mean_probabilities(&tables, &weights.weights), weights))
    }

    /// Scores labels and applies filters. With several models, the ensemble scores the labels; filters and suggestions
    /// use the weighted mean of the probabilities.
    ///
    /// # Errors
    /// When the probabilities do not allow it: all labels are equal.
    pub fn judge(&self, question: &JudgeOptions) -> std::result::Result<Judged, InputError> {
        let (classes, labels) = (self.binding.names().len(), &self.labels);
        match self.models.as_slice() {
            [Model::Single(data, top_k)] => {
                judge(&Table::again(data, classes, labels, top_k.clone()), question)
            }
            [Model::Double(data, top_k)] => {
                judge(&Table::again(data, classes, labels, top_k.clone()), question)
            }
            _ => {
                let (mean, weights) = self.joined(question.ensemble)?;
                let mut judged = judge(&self.table(&mean)?, question)?;
                let wide: Vec<Vec<f64>> = self.models.iter().map(Model::wide).collect();
                let tables =
                    wide.iter().map(|data| self.table(data)).collect::<std::result::Result<Vec<_>, _>>()?;
                judged.scores =
                    ensemble_scores(&tables, question.ensemble, question.method, question.adjusted)?;
                judged.weights = Some(weights);
                Ok(judged)
            }
        }
    }
}

fn judge<T: Real>(table: &Table<'_, T>, question: &JudgeOptions) -> std::result::Result<Judged, InputError> {
    // If all labels are equal, they can be scored but not filtered.
    let filters = if question.filters.is_empty() { None } else { Some(Filters::new(table)?) };
    let apply = |filters: &Filters<'_, '_, T>| {
        question.filters.iter().map(|&by| (by.name(), filters.apply(by))).collect()
    };
    Ok(Judged {
        scores: scores(table, question.method, question.adjusted),
        suggested: suggested(table),
        flagged: filters.as_ref().map(apply).unwrap_or_default(),
        weights: None,
    })
}
