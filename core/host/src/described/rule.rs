//! A detector without code that judges a column of the dataset.

use crate::Result;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::nearest::hint;
use chaffinch_data::toml_table::Table;
use chaffinch_plugin::{Error, Issue, Report, Result as Answer, Score, Split, View};
use chaffinch_protocol::sample::SampleId;

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

/// Columns that every dataset has, unless it has one of its own with this name.
const BUILT_IN: [&str; 6] = ["path", "label", "split", "width", "height", "bytes"];

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
        if rule.below.is_none() && rule.above.is_none() && rule.one_of.is_empty() && !rule.missing {
            let message = "[rule] needs a condition: below, above, one-of or missing = true";
            return Err(table.complain("column", message));
        }
        if let (Some(below), Some(above)) = (rule.below, rule.above)
            && below > above
        {
            return Err(table
                .complain("below", "'below' must not be more than 'above': every number would be flagged"));
        }
        table.finish()?;
        Ok(rule)
    }

    /// The columns of the dataset that it reads.
    pub(super) fn columns(&self) -> &[String] {
        &self.column
    }

    /// Scores all samples.
    pub(super) fn detect(&self, view: &View<'_>, report: &Report<'_>, manifest: &Manifest) -> Answer<()> {
        let name = &self.column[0];
        let values = values(name, view, manifest)?;
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
                &format!("{odd} values of the column {name} are no numbers, so they were not judged"),
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

/// The values of a column as text, empty where there is none.
fn values(name: &str, view: &View<'_>, manifest: &Manifest) -> Answer<Vec<String>> {
    if let Some(column) = manifest.extra().iter().find(|column| column.name == name) {
        return Ok(column.values.clone());
    }
    let size = |sample: usize| view.dimensions().get(sample).copied().unwrap_or_default();
    let of = |sample: usize| -> String {
        match name {
            "path" => manifest.path(SampleId(sample as u32)).to_string_lossy().into_owned(),
            "label" => {
                view.labels().get(sample).map_or_else(String::new, |&label| view.class_name(label).to_owned())
            }
            "split" => match view.split(sample) {
                Split::None => String::new(),
                split => split.name().to_owned(),
            },
            "width" => size(sample).width.to_string(),
            "height" => size(sample).height.to_string(),
            _ => size(sample).bytes.to_string(),
        }
    };
    if BUILT_IN.contains(&name) {
        return Ok((0..view.len()).map(of).collect());
    }
    let known: Vec<&str> =
        manifest.extra().iter().map(|column| column.name.as_str()).chain(BUILT_IN).collect();
    let hint = hint(name, known.iter().copied());
    let known = known.join(", ");
    Err(Error::new(format!("this dataset has no column '{name}' (it has: {known}){hint}")))
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
