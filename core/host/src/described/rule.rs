//! A detector without code that judges a column of the dataset.

use crate::Result;
use chaffinch_data::toml_table::Table;
use chaffinch_plugin::{Error, Issue, Report, Result as Answer, Score, View};

/// The conditions of `[rule]`. A sample is flagged if one of them holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    /// The column, in a list of one.
    column: Vec<String>,
    /// Numbers below this.
    below: Option<f64>,
    /// Numbers above this.
    above: Option<f64>,
    /// These values.
    one_of: Vec<String>,
    /// Samples without a value.
    missing: bool,
}

impl Rule {
    /// Reads the table.
    pub(super) fn read(mut table: Table<'_, '_>) -> Result<Rule> {
        let column = table.text("column")?;
        let Some(column) = column.filter(|name| !name.is_empty()) else {
            return Err(table.complain("column", "'column' in [rule] must name a column of the dataset"));
        };
        let rule = Rule {
            column: vec![column],
            below: table.number("below")?,
            above: table.number("above")?,
            one_of: table.texts("one-of")?.unwrap_or_default(),
            missing: table.boolean("missing")?.unwrap_or(false),
        };
        let problem = rule.problem().map(|(key, problem)| table.complain(key, problem));
        // A mistyped key is why a condition is missing.
        table.finish()?;
        problem.map_or(Ok(rule), Err)
    }

    /// What is wrong with the conditions, and where.
    fn problem(&self) -> Option<(&'static str, &'static str)> {
        if self.below.is_none() && self.above.is_none() && self.one_of.is_empty() && !self.missing {
            return Some(("column", "[rule] needs a condition: below, above, one-of or missing = true"));
        }
        let crossed = self.below.zip(self.above).is_some_and(|(below, above)| below > above);
        crossed.then_some(("below", "'below' must not be more than 'above': every number would be flagged"))
    }

    /// The columns of the dataset that it reads.
    pub(super) fn columns(&self) -> &[String] {
        &self.column
    }

    /// Scores all samples.
    pub(super) fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Answer<()> {
        let name = &self.column[0];
        let values = view.column(name)?;
        let numeric = self.below.is_some() || self.above.is_some();
        let numbers: Vec<Option<f64>> = values
            .iter()
            .map(|text| text.trim().parse().ok().filter(|number: &f64| numeric && number.is_finite()))
            .collect();
        let odd =
            values.iter().zip(&numbers).filter(|(text, number)| !text.is_empty() && number.is_none()).count();
        let given = values.iter().filter(|text| !text.is_empty()).count();
        if numeric && self.one_of.is_empty() && odd == given && given > 0 {
            return Err(Error::new(format!("the column {name} has no numbers to compare")));
        }
        if numeric && self.one_of.is_empty() && odd > 0 {
            report.note(
                "remark",
                &format!("{odd} values of the column {name} are not numbers, so they were not judged"),
            )?;
        }
        let ends = Ends::of(numbers.iter().flatten().copied());
        let mut scores = Vec::with_capacity(values.len());
        let mut reasons = Vec::new();
        for (sample, (text, number)) in values.iter().zip(&numbers).enumerate() {
            let score = self.score(text, *number, &ends);
            scores.push(if view.decodable(sample) { score } else { f32::NAN });
            if score < 0.5 && view.decodable(sample) {
                reasons.push((sample, score, self.reason(text)));
            }
        }
        report.scores(&scores)?;
        for (sample, score, reason) in reasons {
            report.issue(Issue::new(sample, Score::clamp(score)?).reason(&reason))?;
        }
        Ok(())
    }

    /// Below 0.5 where a condition holds, the lower the further beyond its bound; NaN where there is nothing to judge.
    fn score(&self, text: &str, number: Option<f64>, ends: &Ends) -> f32 {
        if text.is_empty() {
            return if self.missing { 0.0 } else { f32::NAN };
        }
        if self.one_of.iter().any(|value| value == text) {
            return 0.0;
        }
        let Some(number) = number else {
            return if self.one_of.is_empty() && !self.missing { f32::NAN } else { 1.0 };
        };
        let below = self.below.map(|bound| beyond(bound - number, bound - ends.least, ends.most - bound));
        let above = self.above.map(|bound| beyond(number - bound, ends.most - bound, bound - ends.least));
        below.into_iter().chain(above).fold(1.0, f32::min)
    }

    fn reason(&self, text: &str) -> String {
        let name = &self.column[0];
        if text.is_empty() {
            return format!("has no value in the column {name}");
        }
        let bounds = [
            self.below.map(|bound| format!("below {bound}")),
            self.above.map(|bound| format!("above {bound}")),
        ];
        let bounds: Vec<String> = bounds.into_iter().flatten().collect();
        match self.one_of.iter().any(|value| value == text) || bounds.is_empty() {
            true => format!("{name} is {text}"),
            false => format!("{name} is {text}, which is {}", bounds.join(" or ")),
        }
    }
}

/// A score for a number that is `past` its bound, of at most `most` in the data, or short of it, by at most `room`.
fn beyond(past: f64, most: f64, room: f64) -> f32 {
    let share = |part: f64, whole: f64| if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 1.0 };
    let score = if past > 0.0 { 0.499 * (1.0 - share(past, most)) } else { 0.5 + 0.5 * share(-past, room) };
    score as f32
}

/// The least and the most of all numbers.
struct Ends {
    least: f64,
    most: f64,
}

impl Ends {
    fn of(numbers: impl Iterator<Item = f64>) -> Ends {
        let none = Ends { least: f64::INFINITY, most: f64::NEG_INFINITY };
        numbers.fold(none, |ends, number| Ends { least: ends.least.min(number), most: ends.most.max(number) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_where_a_sample_is_no_longer_flagged() {
        let ends = Ends { least: 0.0, most: 10.0 };
        let rule = |below, above| Rule {
            column: vec!["a".into()],
            below,
            above,
            one_of: vec!["bad".into()],
            missing: false,
        };
        let low = rule(Some(4.0), None);
        let score = |rule: &Rule, number: f64| rule.score(&number.to_string(), Some(number), &ends);
        assert!(score(&low, 0.0) < score(&low, 3.0) && score(&low, 3.9) < 0.5);
        assert!(score(&low, 4.0) >= 0.5 && score(&low, 9.0) > score(&low, 5.0));
        let both = rule(Some(4.0), Some(6.0));
        assert!(score(&both, 5.0) >= 0.5 && score(&both, 7.0) < 0.5 && score(&both, 1.0) < 0.5);
        assert_eq!(low.score("bad", None, &ends), 0.0);
        assert_eq!(low.score("good", None, &ends), 1.0);
        assert!(low.score("", None, &ends).is_nan());
    }
}
