//! What is known to be wrong.

use chaffinch_protocol::decision::{Choice, Decision};
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;

/// More kinds than these are no kinds but descriptions.
pub const MAX_KINDS: usize = 200;

const UNKNOWN: u8 = 0;
const FINE: u8 = 1;
const ERROR: u8 = 2;

/// For each sample whether it is an error, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Truth {
    known: Vec<u8>,
    /// Names of kinds, in the order in which they were first met.
    names: Vec<String>,
    /// The place in `names` of each sample's kind; empty where there are no kinds.
    kinds: Vec<Option<u8>>,
    unmatched: usize,
}

impl Truth {
    /// Takes the truth from values, `None` where it is not known.
    pub fn new(errors: impl IntoIterator<Item = Option<bool>>) -> Truth {
        let code = |error: Option<bool>| error.map_or(UNKNOWN, |error| if error { ERROR } else { FINE });
        Truth { known: errors.into_iter().map(code).collect(), ..Truth::default() }
    }

    /// Takes what a person decided for the truth about `count` samples: keep says that a sample is fine, remove and
    /// relabel that it is an error; about all others nothing is known. The kind of an error is `remove` or
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

    /// The same truth about those samples only whose row `counts`.
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

    /// A truth about `count` samples of which nothing is known yet; with `kinds`, kinds of errors may be set.
    pub fn unknown(count: usize, kinds: bool) -> Truth {
        Truth {
            known: vec![UNKNOWN; count],
            kinds: if kinds { vec![None; count] } else { Vec::new() },
            ..Truth::default()
        }
    }

    /// Says whether a sample is an error; `None` where that is not known.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn set(&mut self, id: SampleId, error: Option<bool>) {
        self.known[id.index()] = error.map_or(UNKNOWN, |error| if error { ERROR } else { FINE });
    }

    /// Names the kind of a sample's error, and whether there was room for it: there are at most [`MAX_KINDS`].
    ///
    /// # Panics
    /// When there is no such sample, or the truth was made without kinds.
    #[must_use]
    pub fn set_kind(&mut self, id: SampleId, kind: &str) -> bool {
        let place = self.names.iter().position(|known| known == kind).unwrap_or_else(|| {
            self.names.push(kind.to_owned());
            self.names.len() - 1
        });
        self.kinds[id.index()] = u8::try_from(place).ok().filter(|_| place < MAX_KINDS);
        self.kinds[id.index()].is_some()
    }

    /// Counts a row that belongs to no sample, or to several.
    pub fn add_unmatched(&mut self) {
        self.unmatched += 1;
    }

    /// The kind of an error; `None` where it is not told, or the sample is no known error.
    pub fn kind(&self, row: u32) -> Option<&str> {
        let kind = (*self.kinds.get(row as usize)?)?;
        (self.known[row as usize] == ERROR).then(|| self.names[usize::from(kind)].as_str())
    }

    /// How many known errors there are of each kind.
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

    /// Rows that belong to no sample, or to several.
    pub fn unmatched(&self) -> usize {
        self.unmatched
    }

    /// Samples whose truth is known, and whether they are errors.
    pub fn known(&self) -> Vec<(u32, bool)> {
        let rows = (0_u32..).zip(&self.known);
        rows.filter(|(_, known)| **known != UNKNOWN).map(|(row, known)| (row, *known == ERROR)).collect()
    }
}
