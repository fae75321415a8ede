//! Label quality of samples that have any number of labels: scores, filters, and which class each issue is about.

mod report;

pub use report::{Averaged, ClassFigures, SetFilterFigures, SetReport};

use super::{InputError, Numbers};
use chaffinch_confident::{
    Aggregation, Ensemble, Filter, LabelSets, Method, Real, SetIssues, aggregate, class_scores, set_issues,
};
use std::borrow::Cow;

/// Probabilities and labels of the same samples, with class names. Rows of probabilities add up to anything.
#[derive(Debug, Clone, PartialEq)]
pub struct SetInput {
    models: Vec<Numbers>,
    classes: Vec<String>,
    given: Vec<bool>,
    errors: Option<Vec<bool>>,
}

/// Options for [`SetInput::judge`].
#[derive(Debug, Clone, PartialEq)]
pub struct SetOptions {
    /// How each class of a sample is scored.
    pub method: Method,
    /// Whether to first make probabilities comparable between having a class and not.
    pub adjusted: bool,
    /// How the scores of a sample's classes become one.
    pub aggregation: Aggregation,
    /// Filters to apply.
    pub filters: Vec<Filter>,
    /// The filter that determines the issues: one of these.
    pub deciding: Filter,
    /// What is averaged of several models, all of which count alike.
    pub ensemble: Ensemble,
}

/// What was found, sample by sample in input order.
#[derive(Debug, Clone, PartialEq)]
pub struct SetJudged {
    /// 0 = a label is surely wrong or missing, 1 = all are surely right.
    pub scores: Vec<f64>,
    /// The same for each class of each sample, row by row.
    pub class_scores: Vec<f64>,
    /// What each filter flags.
    pub issues: SetIssues,
    /// The filter that determines the issues.
    pub deciding: Filter,
}

/// What is to be done about a sample: classes to add to its labels, and classes to take away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Classes that it likely has.
    pub add: Vec<usize>,
    /// Labels that it likely does not have.
    pub remove: Vec<usize>,
}

/// Whether models can be averaged like this where samples have several labels: weights by accuracy and log loss are about
/// one label.
pub fn can_average(ensemble: Ensemble) -> bool {
    matches!(ensemble, Ensemble::Probabilities | Ensemble::Scores)
}

impl SetInput {
    /// Takes the files' content: one matrix per model with a column for each class, which classes each sample has, row by
    /// row, and whether the labels of each sample are wrong, if that is known.
    ///
    /// # Errors
    /// With the index of the model whose numbers do not match these labels or are not probabilities.
    pub fn new(
        models: Vec<Numbers>,
        classes: Vec<String>,
        given: Vec<bool>,
        errors: Option<Vec<bool>>,
    ) -> Result<SetInput, (usize, InputError)> {
        let check = |numbers: &Numbers| match numbers {
            Numbers::Single(data) => LabelSets::new(data, classes.len(), &given).map(|_| ()),
            Numbers::Double(data) => LabelSets::new(data, classes.len(), &given).map(|_| ()),
        };
        for (model, numbers) in models.iter().enumerate() {
            check(numbers).map_err(|error| (model, error))?;
        }
        if models.is_empty() {
            return Err((0, InputError::NoModels));
        }
        Ok(SetInput { models, classes, given, errors })
    }

    /// Class names by column.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Number of samples.
    #[allow(clippy::len_without_is_empty, reason = "there is always a sample")]
    pub fn len(&self) -> usize {
        self.given.len() / self.classes.len()
    }

    /// Which classes a sample has.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn given(&self, sample: usize) -> &[bool] {
        &self.given[sample * self.classes.len()..(sample + 1) * self.classes.len()]
    }

    /// Whether the labels of each sample are wrong, if the ground truth was given.
    pub fn errors(&self) -> Option<&[bool]> {
        self.errors.as_deref()
    }

    /// Number of models.
    pub fn models(&self) -> usize {
        self.models.len()
    }

    /// Scores labels and applies filters. With several models, filters use the mean of the probabilities.
    ///
    /// # Errors
    /// Never for input that was read here.
    pub fn judge(&self, options: &SetOptions) -> Result<SetJudged, InputError> {
        match self.models.as_slice() {
            [Numbers::Single(data)] => Ok(judge(&self.sets(data)?, options)),
            [Numbers::Double(data)] => Ok(judge(&self.sets(data)?, options)),
            all => {
                let wide: Vec<Cow<'_, [f64]>> = all.iter().map(wide).collect();
                let joined = mean(&wide);
                let mut judged = judge(&self.sets(&joined)?, options);
                if options.ensemble == Ensemble::Scores {
                    let score = |data: &Cow<'_, [f64]>| {
                        let by_class = class_scores(&self.sets(data)?, options.method, options.adjusted);
                        Ok((aggregate(&by_class, self.classes.len(), options.aggregation), by_class))
                    };
                    let (scores, by_class): (Vec<_>, Vec<_>) =
                        wide.iter().map(score).collect::<Result<Vec<_>, InputError>>()?.into_iter().unzip();
                    judged.scores = mean(&scores);
                    judged.class_scores = mean(&by_class);
                }
                Ok(judged)
            }
        }
    }

    fn sets<'a, T: Real>(&'a self, data: &'a [T]) -> Result<LabelSets<'a, T>, InputError> {
        LabelSets::new(data, self.classes.len(), &self.given)
    }
}

fn wide(numbers: &Numbers) -> Cow<'_, [f64]> {
    match numbers {
        Numbers::Single(data) => data.iter().map(|&p| f64::from(p)).collect(),
        Numbers::Double(data) => Cow::Borrowed(data),
    }
}

/// The mean of lists of the same length, number by number.
fn mean<L: AsRef<[f64]>>(lists: &[L]) -> Vec<f64> {
    let len = lists.first().map_or(0, |list| list.as_ref().len());
    let sum = |index: usize| lists.iter().map(|list| list.as_ref()[index]).sum::<f64>();
    (0..len).map(|index| sum(index) / lists.len() as f64).collect()
}

fn judge<T: Real>(sets: &LabelSets<'_, T>, options: &SetOptions) -> SetJudged {
    let class_scores = class_scores(sets, options.method, options.adjusted);
    let mut filters = options.filters.clone();
    if !filters.contains(&options.deciding) {
        filters.push(options.deciding);
    }
    SetJudged {
        scores: aggregate(&class_scores, sets.classes(), options.aggregation),
        class_scores,
        issues: set_issues(sets, &filters),
        deciding: options.deciding,
    }
}

impl SetJudged {
    /// For each sample whether it has an issue.
    pub fn flagged(&self) -> &[bool] {
        self.issues.samples(self.deciding).unwrap_or_default()
    }

    /// What is to be done about a sample: the classes that the deciding filter flags, or where it flags none, that of the
    /// lowest score. Nothing about a sample without an issue.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn change(&self, input: &SetInput, sample: usize) -> Change {
        let mut change = Change::default();
        if !self.flagged()[sample] {
            return change;
        }
        let given = input.given(sample);
        let mut classes: Vec<usize> = self.issues.classes_of(self.deciding, sample).collect();
        if classes.is_empty() {
            let scores = &self.class_scores[sample * given.len()..(sample + 1) * given.len()];
            classes.extend((0..given.len()).min_by(|&a, &b| scores[a].total_cmp(&scores[b])));
        }
        for class in classes {
            if given[class] { change.remove.push(class) } else { change.add.push(class) }
        }
        change
    }
}

#[cfg(test)]
mod tests;
