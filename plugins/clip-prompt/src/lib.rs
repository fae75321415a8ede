#![doc = include_str!("docs.md")]
//!
//! Run its tests: `cargo test --release -p chaffinch-clip-prompt`.

mod probabilities;
mod words;

use chaffinch_plugin::abi::Str;
use chaffinch_plugin::prelude::*;
use probabilities::{Answer, Prompts};

/// Samples scoring below this get a reason and evidence, so that they are there if the threshold moves.
const WORDS_BELOW: f32 = 0.7;
/// In `combined`, the alternative counts from this many spreads below the class's median.
const HABIT: f32 = 2.0;

/// Compares pictures with prompts for their label, for the other classes and for nothing in particular.
pub struct ClipPrompt;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Combined,
    ZeroShot,
    Alternative,
}

impl Detector for ClipPrompt {
    const INFO: Info =
        Info::new("clip-prompt", "Asks a CLIP model whether each picture looks like its label")
            .version(env!("CARGO_PKG_VERSION"))
            .docs(include_str!("docs.md"))
            .needs(Needs::EMBEDDINGS.and(Needs::TEXTS).and(Needs::LABELS))
            .threshold(0.5)
            .params(&[
                Param::choice(
                    "mode",
                    &[Str::new("combined"), Str::new("zero-shot"), Str::new("alternative")],
                    "Which of the two questions to ask",
                ),
                Param::number(
                    "temperature",
                    1.0,
                    0.05,
                    10.0,
                    "Divisor for all logits; higher is less confident",
                ),
                Param::number(
                    "doubt",
                    0.05,
                    0.001,
                    0.5,
                    "Probability of the given label at which a sample is flagged",
                ),
            ]);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let labels = view.labels();
        let judged: Vec<bool> = (0..view.len())
            .map(|sample| view.decodable(sample) && (labels[sample] as usize) < view.class_count())
            .collect();
        if !judged.contains(&true) {
            return Err(Error::new("no image has a label, so there is nothing to compare the prompts with"));
        }
        let prompts = Prompts::read(view)?;
        let mode = match view.choice("mode")? {
            _ if view.class_count() < 2 => Mode::Alternative,
            1 => Mode::ZeroShot,
            2 => Mode::Alternative,
            // Without alternatives there is only one question to ask.
            _ if prompts.alternatives == 0 => Mode::ZeroShot,
            _ => Mode::Combined,
        };
        if mode == Mode::Alternative && prompts.alternatives == 0 {
            return Err(Error::new(
                "there are no alternative prompts to compare with; add one to the prompt set",
            ));
        }
        let scale = view.model()?.1 / view.number("temperature")? as f32;
        let answers = probabilities::ask(view, &prompts, scale)?;
        let doubt = view.number("doubt")? as f32;
        let habits = if mode == Mode::Combined { habits(view, &answers, &judged) } else { Vec::new() };
        let score = |sample: usize| {
            let answer = &answers[sample];
            // A probability of the given label against one more answer: the alternative, weighed by its odds.
            let against = |habit: f32| 1.0 / (1.0 / answer.given + (habit - answer.lead).exp());
            let given = match mode {
                Mode::ZeroShot => answer.given,
                Mode::Alternative => return 1.0 / (1.0 + (-answer.lead).exp()),
                Mode::Combined => against(habits[labels[sample] as usize]),
            };
            given / (given + doubt)
        };
        let scores: Vec<f32> = judged
            .iter()
            .enumerate()
            .map(|(sample, &judged)| if judged { score(sample) } else { f32::NAN })
            .collect();
        report.scores(&scores)?;
        words::issues(view, report, &scores, &answers, mode)
    }
}

export_detector!(ClipPrompt);

/// For each class, the logit difference between label and alternative from which the alternative counts: zero, or a
/// value far below the class's usual one if that is less. The spread is measured above the median, which wrong labels
/// do not affect.
fn habits(view: &View<'_>, answers: &[Answer], judged: &[bool]) -> Vec<f32> {
    let mut leads: Vec<Vec<f32>> = vec![Vec::new(); view.class_count()];
    for (sample, &label) in view.labels().iter().enumerate() {
        if judged[sample] {
            leads[label as usize].push(answers[sample].lead);
        }
    }
    let habit = |leads: &mut Vec<f32>| {
        if leads.is_empty() {
            return 0.0;
        }
        leads.sort_by(f32::total_cmp);
        let (median, upper) = (leads[leads.len() / 2], leads[leads.len() * 3 / 4]);
        (median - HABIT * (upper - median) / 0.6745).min(0.0)
    };
    leads.iter_mut().map(habit).collect()
}

#[cfg(test)]
mod tests;
