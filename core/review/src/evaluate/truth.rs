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
            unmatched: 0,
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

    /// Counts a row that matches no sample, or several.
    pub fn add_unmatched(&mut self) {
        self.unmatched += 1;
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
