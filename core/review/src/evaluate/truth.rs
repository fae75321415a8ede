//! Ground truth: what is known to be wrong.

use chaffinch_protocol::decision::{Choice, Decision};
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;

/// Maximum number of kinds: more are not kinds but descriptions.
pub const MAX_KINDS: usize = 200;

const UNKNOWN: u8 = 0;
const FINE: u8 = 1;
const ERROR: u8 = 2;

/// For each sample whether it is an error, if known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Truth {
    known: Vec<u8>,
    /// Names of kinds, in order of first appearance.
    names: Vec<String>,
    /// The index into `names` of each sample's kind; empty if there are no kinds.
    kinds: Vec<Option<u8>>,
    unmatched: usize,
    /// What is to be said of labels that are not classes.
    foreign: Option<String>,
    /// Copies of one another: for each sample that has any, the least row among them.
    copies: BTreeMap<u32, u32>,
    /// Whether it is what a reviewer decided.
    decided: bool,
}

impl Truth {
    /// Creates a ground truth from values, `None` if unknown.
    pub fn new(errors: impl IntoIterator<Item = Option<bool>>) -> Truth {
        let code = |error: Option<bool>| error.map_or(UNKNOWN, |error| if error { ERROR } else { FINE });
        Truth { known: errors.into_iter().map(code).collect(), ..Truth::default() }
    }

    /// Takes a reviewer's decisions as the ground truth for `count` samples: keep means that a sample is fine, remove
    /// and relabel that it is an error; nothing is known about the others. The kind of an error is `remove` or
    /// `relabel`.
    pub fn from_decisions<'a>(
        count: usize,
        decisions: impl IntoIterator<Item = (SampleId, &'a Decision)>,
    ) -> Truth {
        let mut truth = Truth {
            known: vec![UNKNOWN; count],
            kinds: vec![None; count],
            names: vec!["remove".into(), "relabel".into()],
            decided: true,
            ..Truth::default()
        };
        for (id, decision) in decisions {
            let (known, kind) = match &decision.choice {
                Choice::Keep => (FINE, None),
                Choice::Remove => (ERROR, Some(0)),
                Choice::Relabel(_) => (ERROR, Some(1)),
                Choice::Unsure => continue,
            };
            truth.known[id.index()] = known;
            truth.kinds[id.index()] = kind;
        }
        truth
    }

    /// The same ground truth, restricted to samples whose row `counts`.
    #[must_use]
    pub fn only(&self, counts: impl Fn(u32) -> bool) -> Truth {
        let mut truth = self.clone();
        for (row, known) in (0_u32..).zip(&mut truth.known) {
            if !counts(row) {
                *known = UNKNOWN;
            }
        }
        truth
    }

    /// A ground truth for `count` samples about which nothing is known yet; with `kinds`, kinds of errors can be set.
    pub fn unknown(count: usize, kinds: bool) -> Truth {
        Truth {
            known: vec![UNKNOWN; count],
            kinds: if kinds { vec![None; count] } else { Vec::new() },
            ..Truth::default()
        }
    }

    /// Sets whether a sample is an error; `None` if unknown.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn set(&mut self, id: SampleId, error: Option<bool>) {
        self.known[id.index()] = error.map_or(UNKNOWN, |error| if error { ERROR } else { FINE });
    }

    /// Sets the kind of a sample's error; returns false if there would be more than [`MAX_KINDS`].
    ///
    /// # Panics
    /// When there is no such sample, or the ground truth was created without kinds.
    #[must_use]
    pub fn set_kind(&mut self, id: SampleId, kind: &str) -> bool {
        let number = self.names.iter().position(|known| known == kind).unwrap_or_else(|| {
            self.names.push(kind.to_owned());
            self.names.len() - 1
        });
        self.kinds[id.index()] = u8::try_from(number).ok().filter(|_| number < MAX_KINDS);
        self.kinds[id.index()].is_some()
    }

    /// Says that a sample is a copy of another one. Which of them is one too many is a matter of taste: if a detector puts
    /// them into one group, [`evaluate`](super::evaluate) credits it with the copy whichever one it would remove.
    pub fn set_copy(&mut self, copy: SampleId, original: SampleId) {
        let first = |row: u32| self.copies.get(&row).copied().unwrap_or(row);
        let (one, other) = (first(copy.0), first(original.0));
        let (first, joined) = (one.min(other), one.max(other));
        self.copies.values_mut().filter(|group| **group == joined).for_each(|group| *group = first);
        for row in [copy.0, original.0] {
            self.copies.insert(row, first);
        }
    }

    /// The samples that are copies of one another, by group, rows ascending.
    pub fn copies(&self) -> Vec<Vec<u32>> {
        let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        self.copies.iter().for_each(|(&row, &first)| groups.entry(first).or_default().push(row));
        groups.into_values().collect()
    }

    /// The same truth with the errors of a group of copies on those of its members that come first by `worse`, as many as
    /// there were, with their kinds. Members of unknown truth stay as they are.
    pub(super) fn exchanged(&mut self, group: &[u32], worse: impl Fn(u32, u32) -> std::cmp::Ordering) {
        let known = |row: u32| (self.known[row as usize], self.kinds.get(row as usize).copied().flatten());
        let mut members: Vec<u32> =
            group.iter().copied().filter(|&row| self.known[row as usize] != UNKNOWN).collect();
        // Errors first; their kinds in the order of their rows.
        let mut said: Vec<(u8, Option<u8>)> = members.iter().map(|&row| known(row)).collect();
        said.sort_by_key(|(known, _)| std::cmp::Reverse(*known));
        members.sort_by(|&a, &b| worse(a, b).then(a.cmp(&b)));
        for (row, (known, kind)) in members.into_iter().zip(said) {
            self.known[row as usize] = known;
            if let Some(of_row) = self.kinds.get_mut(row as usize) {
                *of_row = kind;
            }
        }
    }

    /// Whether it is what a reviewer decided, who knows of copies what detectors say.
    pub(super) fn is_decided(&self) -> bool {
        self.decided
    }

    /// Counts a row that matches no sample, or several.
    pub fn add_unmatched(&mut self) {
        self.unmatched += 1;
    }

    /// Keeps what is to be said of labels that are not classes of the dataset, a sentence.
    pub fn set_foreign(&mut self, said: Option<String>) {
        self.foreign = said;
    }

    /// What is to be said of labels that are not classes of the dataset.
    pub fn foreign(&self) -> Option<&str> {
        self.foreign.as_deref()
    }

    /// The kind of an error; `None` if it is unknown, or the sample is not a known error.
    pub fn kind(&self, row: u32) -> Option<&str> {
        let kind = (*self.kinds.get(row as usize)?)?;
        (self.known[row as usize] == ERROR).then(|| self.names[usize::from(kind)].as_str())
    }

    /// The number of known errors of each kind.
    pub fn kinds(&self) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        for kind in (0..self.kinds.len() as u32).filter_map(|row| self.kind(row)) {
            *kinds.entry(kind.to_owned()).or_default() += 1;
        }
        kinds
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Rows that match no sample, or several.
    pub fn unmatched(&self) -> usize {
        self.unmatched
    }

    /// Samples whose truth is known, and whether they are errors.
    pub fn known(&self) -> Vec<(u32, bool)> {
        let rows = (0_u32..).zip(&self.known);
        rows.filter(|(_, known)| **known != UNKNOWN).map(|(row, known)| (row, *known == ERROR)).collect()
    }
}
