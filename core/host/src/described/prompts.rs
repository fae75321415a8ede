//! A detector without code that finds pictures that look like what a text says.

use crate::Result;
use crate::declared::{DeclaredParameter, ParameterKind};
use chaffinch_data::toml_table::Table;
use chaffinch_plugin::{Error, Issue, OwnedMatrix, Report, Result as Answer, Score, View};

/// The texts of `[prompts]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prompts {
    /// What is looked for.
    find: Vec<String>,
    /// What else it could be; the alternatives of the prompt set if there are none.
    against: Vec<String>,
}

/// Samples that score below this get a reason, so that it is there if the threshold moves.
const REASON_BELOW: f32 = 0.7;
/// Similarities held at once.
const AT_ONCE: usize = 1 << 26;
const TEMPERATURE: &str = "temperature";

/// Whether two prompts are one to a model, which does not tell upper case or runs of spaces apart.
fn same(one: &str, other: &str) -> bool {
    let words = |text: &str| text.to_lowercase().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    words(one) == words(other)
}

impl Prompts {
    /// Reads the table.
    pub(super) fn read(mut table: Table<'_, '_>) -> Result<Prompts> {
        let find = table.texts("find")?.unwrap_or_default();
        let against = table.texts("against")?.unwrap_or_default();
        let problem = match find.iter().chain(&against).any(|text| text.trim().is_empty()) {
            _ if find.is_empty() => {
                Some("'find' in [prompts] must list what to look for, as in [\"a photo with a watermark\"]")
            }
            true => Some("a prompt in [prompts] is empty"),
            false => None,
        };
        let both = || {
            let text = find.iter().find(|text| against.iter().any(|other| same(text, other)))?;
            let problem = format!(
                "'{text}' is in 'against' and in 'find', so the pictures that look like it count as both; take it out of one of them"
            );
            Some(table.complain("against", problem))
        };
        let problem = problem.map(|problem| table.complain("find", problem)).or_else(both);
        // A mistyped key is why prompts are missing.
        table.finish()?;
        problem.map_or(Ok(Prompts { find, against }), Err)
    }

    /// The parameters that every detector of this kind has.
    pub(super) fn parameters() -> Vec<DeclaredParameter> {
        vec![DeclaredParameter {
            name: TEMPERATURE.into(),
            help: "Divisor for all logits; higher is less confident".into(),
            kind: ParameterKind::Number,
            default: 1.0,
            min: 0.05,
            max: 20.0,
            choices: Vec::new(),
            needs: 0,
        }]
    }

    /// Scores each picture by the probability that the nearest text is one of the others.
    pub(super) fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Answer<()> {
        let against = if self.against.is_empty() { view.alternatives()? } else { self.against.clone() };
        if against.is_empty() {
            return Err(Error::new(
                "there is nothing to compare with; add against = [\"a photo\"] to [prompts]",
            ));
        }
        let texts: Vec<&str> = self.find.iter().chain(&against).map(String::as_str).collect();
        let OwnedMatrix { data: vectors, .. } = view.embed_texts(&texts)?;
        let scale = view.model()?.1 / view.number(TEMPERATURE)? as f32;
        if texts.len().saturating_mul(view.len()) > AT_ONCE * 16 {
            return Err(Error::new(format!("{} prompts are too many", texts.len())));
        }
        let cosines = view.similarities(&vectors, texts.len())?;
        let mut scores = vec![f32::NAN; view.len()];
        let mut found = Vec::new();
        for (sample, row) in cosines.chunks_exact(texts.len()).enumerate() {
            if !view.decodable(sample) {
                continue;
            }
            let best = |range: std::ops::Range<usize>| {
                let all = range.map(|index| (index, row[index] * scale));
                all.reduce(|a, b| if b.1 > a.1 { b } else { a })
            };
            let (Some(wanted), Some(other)) = (best(0..self.find.len()), best(self.find.len()..texts.len()))
            else {
                continue;
            };
            let score = 1.0 / (1.0 + (wanted.1 - other.1).exp());
            scores[sample] = score;
            if score < REASON_BELOW {
                found.push((sample, score, wanted.0, other.0));
            }
        }
        report.scores(&scores)?;
        for (sample, score, wanted, other) in found {
            let (wanted, other) = (texts[wanted], texts[other]);
            // No probability: it would be that of two texts, which knows nothing of how rare each is among the pictures.
            let reason = match score < 0.5 {
                true => format!("looks like “{wanted}” rather than “{other}”"),
                false => format!("looks nearly as much like “{wanted}” as like “{other}”"),
            };
            report.issue(Issue::new(sample, Score::clamp(score)?).reason(&reason))?;
        }
        Ok(())
    }
}
