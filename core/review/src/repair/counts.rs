//! Samples by class and split, before and after a plan.

use super::Change;
use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::sample::Split;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The samples of one class in one split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The class, empty for samples without a label.
    pub class: String,
    /// The split.
    pub split: Split,
    /// Samples now.
    pub before: u64,
    /// Those that are removed.
    pub removed: u64,
    /// Those that go to another class or split.
    pub leaving: u64,
    /// Those that come from another class or split.
    pub coming: u64,
    /// Samples afterwards.
    pub after: u64,
}

impl Count {
    /// What [`Count::cells`] are called.
    pub const COLUMNS: [&str; 7] = ["class", "split", "before", "removed", "leaving", "coming", "after"];

    /// It as a row of a table, made safe for a terminal; the first two are words, the others numbers.
    pub fn cells(&self) -> [String; 7] {
        let signed =
            |sign: &str, number: u64| if number > 0 { format!("{sign}{number}") } else { String::new() };
        let class = if self.class.is_empty() { "(none)".into() } else { safe_text(&self.class) };
        [
            class.into_owned(),
            self.split.name().to_owned(),
            self.before.to_string(),
            signed("-", self.removed),
            signed("-", self.leaving),
            signed("+", self.coming),
            self.after.to_string(),
        ]
    }
}

/// The samples of every class in every split that has some before or after, by class and split.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counts(pub Vec<Count>);

impl Counts {
    pub(super) fn of(manifest: &Manifest, changes: &[Change], job: &Job<'_>) -> Result<Counts> {
        let mut all: BTreeMap<(String, u8), Count> = BTreeMap::new();
        for id in manifest.ids() {
            job.checkpoint()?;
            at(&mut all, manifest.label_name(id), manifest.split(id)).before += 1;
        }
        for change in changes {
            let (label, split) = (change.label_after(), change.split_after());
            if change.remove {
                at(&mut all, &change.label, change.split).removed += 1;
            } else if (label, split) != (&change.label, change.split) {
                at(&mut all, &change.label, change.split).leaving += 1;
                at(&mut all, label, split).coming += 1;
            }
        }
        let count = |mut count: Count| {
            count.after = count.before + count.coming - count.removed - count.leaving;
            count
        };
        Ok(Counts(all.into_values().map(count).collect()))
    }

    /// Those that the plan changes.
    pub fn changed(&self) -> impl Iterator<Item = &Count> {
        self.0.iter().filter(|count| count.removed + count.leaving + count.coming > 0)
    }
}

fn at<'a>(all: &'a mut BTreeMap<(String, u8), Count>, class: &str, split: Split) -> &'a mut Count {
    let new =
        || Count { class: class.to_owned(), split, before: 0, removed: 0, leaving: 0, coming: 0, after: 0 };
    all.entry((class.to_owned(), split.code())).or_insert_with(new)
}
