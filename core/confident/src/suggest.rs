//! Suggested labels.

use crate::table::{Real, Table};

/// The most likely class of each sample, the first of equal ones.
pub fn suggested<T: Real>(table: &Table<'_, T>) -> Vec<u32> {
    (0..table.len()).map(|sample| table.argmax(sample) as u32).collect()
}

/// The absorb and relabel rule of C. Feng and others, *CLIPCleaner* (2024): the probability from which a model is
/// believed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// A sample whose most likely class is its given label counts as clean from here on (θ_r).
    pub absorb: f64,
    /// A sample whose most likely class is another one is given that label from here on (θ_r2).
    pub relabel: f64,
}

/// The rule's result for one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Clean with its label.
    Absorb,
    /// Clean with this label instead.
    Relabel(u32),
    /// Not to be trusted either way.
    Leave,
}

/// Applies the rule to every sample.
pub fn apply_rule<T: Real>(table: &Table<'_, T>, rule: Rule) -> Vec<Verdict> {
    let judge = |sample: usize| {
        let class = table.argmax(sample);
        let p = table.most(sample);
        if class == table.given(sample) {
            if p >= rule.absorb { Verdict::Absorb } else { Verdict::Leave }
        } else if p >= rule.relabel {
            Verdict::Relabel(class as u32)
        } else {
            Verdict::Leave
        }
    };
    (0..table.len()).map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_has_two_limits() {
        let probabilities = [0.8, 0.2, 0.7, 0.3, 0.1, 0.9, 0.2, 0.8];
        let table = Table::new(&probabilities, 2, &[0, 0, 0, 0]).unwrap();
        let verdicts = apply_rule(&table, Rule { absorb: 0.8, relabel: 0.9 });
        assert_eq!(verdicts, [Verdict::Absorb, Verdict::Leave, Verdict::Relabel(1), Verdict::Leave]);
        assert_eq!(suggested(&table), [0, 0, 1, 1]);
    }
}
