//! Interactive pages: what they show, and where their cursors are.

use super::{Line, PageRef};
use chaffinch_protocol::{Confused, DetectorForm, FormKind, FormParam, Histogram, Query, Ticket, Tried};
use std::collections::BTreeMap;

/// An open page.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Which.
    pub page: PageRef,
    /// A value being typed.
    pub editing: Option<Line>,
}

/// State of all pages, kept while they are closed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panels {
    /// The page to go back to when the list of keys or actions that lies over it is closed.
    pub below: Option<Panel>,
    /// The pages from which the open one was opened, the last one nearest to it.
    pub under: Vec<PageRef>,
    /// The page that was left for the list of what was chosen in it.
    pub left: Option<Left>,
    /// The last ticket given out.
    pub ticket: Ticket,
    /// Whether its response is pending.
    pub awaited: bool,
    /// Whether that is the first response for the page, which has nothing to show before.
    pub opening: bool,
    /// Scores of one detector.
    pub histogram: Option<Histogram>,
    /// Whether bars are linear instead of logarithmic.
    pub linear: bool,
    /// Confusions.
    pub confusion: Option<Matrix>,
    /// Detectors.
    pub forms: Option<Vec<DetectorForm>>,
    /// The selected field of the form; 0 is the threshold.
    pub field: usize,
    /// The detector without results whose parameters are set; `None` for the selected one.
    pub idle: Option<String>,
    /// Values that were changed but not applied yet, by detector and name.
    pub edited: BTreeMap<(String, String), f64>,
    /// What would be flagged with them.
    pub trial: Trial,
    /// Lines by which a page is scrolled, from its start; for the log from its end.
    pub scroll: u16,
}

/// A page that was left for the list of what was chosen in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// The pages that were open, the one that was left last.
    pub way: Vec<PageRef>,
    /// What was listed before.
    pub before: Query,
    /// What is listed of it.
    pub listed: Query,
    /// The page that shows the list.
    pub over: PageRef,
}

/// A detector that is tried with the values on the screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    /// The last ticket given out.
    pub ticket: Ticket,
    /// When to ask, once no value is changed any more.
    pub due: Option<u64>,
    /// Whether the answer is pending.
    pub awaited: bool,
    /// The answer to the last question.
    pub answer: Option<Tried>,
    /// What it is compared with: the answer says nothing of another threshold or run.
    pub basis: Option<Basis>,
}

/// What a detector flags now, as far as the count of what it would flag depends on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Basis {
    /// Its threshold.
    pub threshold: f32,
    /// The seconds that its last run took, which tell one run from another.
    pub seconds: f64,
    /// Samples that it scored.
    pub scored: u64,
    /// The values that it has.
    pub values: Vec<f64>,
}

impl Panels {
    /// The form of a detector.
    pub fn form(&self, detector: &str) -> Option<&DetectorForm> {
        self.forms.as_ref()?.iter().find(|form| form.name == detector)
    }

    /// The value of a form field on the screen.
    pub fn value(&self, detector: &str, param: &FormParam) -> f64 {
        let key = (detector.to_owned(), param.name.clone());
        self.edited.get(&key).copied().unwrap_or(param.value)
    }
}

/// A value as text.
pub fn value_words(param: &FormParam, value: f64) -> String {
    match param.kind {
        FormKind::Flag => if value == 0.0 { "no" } else { "yes" }.to_owned(),
        FormKind::Choice => param.choices.get(value as usize).cloned().unwrap_or_else(|| value.to_string()),
        FormKind::Integer => format!("{value:.0}"),
        // Enough figures to tell two steps apart, and no more.
        FormKind::Number => {
            let text = format!("{value:.4}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

/// How much one key press changes a value.
pub fn step(param: &FormParam) -> f64 {
    match param.kind {
        FormKind::Number => {
            // A hundredth of the range, rounded down to a power of ten.
            let hundredth = (param.max - param.min) / 100.0;
            10_f64.powf(hundredth.max(1e-6).log10().floor())
        }
        _ => 1.0,
    }
}

/// Confusions as a matrix with classes sorted by how often they are confused.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// Classes that are confused at all, most confused first.
    pub classes: Vec<u32>,
    /// Counts by given and suggested class.
    pub cells: BTreeMap<(u32, u32), Confused>,
    /// Pairs, most frequent first.
    pub pairs: Vec<(u32, u32)>,
    /// The greatest count.
    pub most: u64,
    /// The cursor: row of the given class, column of the suggested one.
    pub at: (usize, usize),
}

impl Matrix {
    /// A matrix with the cursor on the pair it was on before, else on the most frequent one.
    pub fn new(confused: Vec<Confused>, before: Option<(u32, u32)>) -> Matrix {
        let mut weight: BTreeMap<u32, u64> = BTreeMap::new();
        for cell in &confused {
            *weight.entry(cell.given).or_default() += cell.count;
            *weight.entry(cell.suggested).or_default() += cell.count;
        }
        let mut classes: Vec<u32> = weight.keys().copied().collect();
        classes.sort_by_key(|class| (std::cmp::Reverse(weight[class]), *class));
        let mut pairs: Vec<&Confused> = confused.iter().collect();
        pairs.sort_by_key(|cell| (std::cmp::Reverse(cell.count), cell.given, cell.suggested));
        let pairs: Vec<(u32, u32)> = pairs.into_iter().map(|cell| (cell.given, cell.suggested)).collect();
        let most = confused.iter().map(|cell| cell.count).max().unwrap_or(0);
        let cells = confused.into_iter().map(|cell| ((cell.given, cell.suggested), cell)).collect();
        let mut matrix = Matrix { classes, cells, pairs, most, at: (0, 0) };
        let there = before.filter(|(given, _)| matrix.classes.contains(given));
        if let Some(pair) = there.or(matrix.pairs.first().copied()) {
            matrix.go_to(pair);
        }
        matrix
    }

    /// The pair under the cursor.
    pub fn pair(&self) -> Option<(u32, u32)> {
        Some((*self.classes.get(self.at.0)?, *self.classes.get(self.at.1)?))
    }

    /// Moves the cursor to a pair.
    pub fn go_to(&mut self, pair: (u32, u32)) {
        let index = |class: u32| self.classes.iter().position(|other| *other == class);
        if let (Some(row), Some(column)) = (index(pair.0), index(pair.1)) {
            self.at = (row, column);
        }
    }

    /// The heat of a count: 0 for none, 1 to 3 by its logarithm relative to the greatest.
    pub fn heat(&self, count: u64) -> usize {
        if count == 0 {
            return 0;
        }
        let share = (count as f64).ln_1p() / (self.most.max(1) as f64).ln_1p();
        1 + ((share * 3.0) as usize).min(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(given: u32, suggested: u32, count: u64) -> Confused {
        Confused { given, suggested, count, decided: 0 }
    }

    #[test]
    fn the_most_confused_stands_first_and_the_cursor_stays_on_its_pair() {
        let matrix = Matrix::new(vec![cell(0, 1, 2), cell(2, 3, 50), cell(3, 2, 5)], None);
        assert_eq!(matrix.classes, [2, 3, 0, 1]);
        assert_eq!(matrix.pair(), Some((2, 3)));
        assert_eq!((matrix.heat(0), matrix.heat(1), matrix.heat(50)), (0, 1, 3));
        let again = Matrix::new(vec![cell(0, 1, 9), cell(2, 3, 1)], Some((2, 3)));
        assert_eq!((again.pair(), again.classes.as_slice()), (Some((2, 3)), [0, 1, 2, 3].as_slice()));
        let empty = Matrix::new(Vec::new(), Some((2, 3)));
        assert_eq!((empty.pair(), empty.heat(0)), (None, 0));
    }

    #[test]
    fn values_read_as_they_would_be_typed() {
        let number = FormParam { min: 0.0, max: 10.0, ..FormParam::default() };
        assert_eq!((value_words(&number, 0.35), value_words(&number, 3.0)), ("0.35".into(), "3".into()));
        assert!((step(&number) - 0.1).abs() < 1e-12);
        assert!((step(&FormParam { max: 1.0, ..number.clone() }) - 0.01).abs() < 1e-12);
        let choice = FormParam { kind: FormKind::Choice, choices: vec!["a".into(), "b".into()], ..number };
        assert_eq!(value_words(&choice, 1.0), "b");
    }
}
