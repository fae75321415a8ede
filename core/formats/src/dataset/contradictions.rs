//! Pictures that several rows give different labels.

use chaffinch_data::class_names;
use chaffinch_protocol::display::{counted, excerpt, excerpt_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeMap;
use std::path::Path;

/// Pictures, and labels of each, to show in a remark.
const SHOWN: usize = 3;

/// The rows about each picture that has several, as their labels with their numbers.
#[derive(Default)]
pub(super) struct Contradictions<'a> {
    labels: BTreeMap<&'a Path, BTreeMap<String, u64>>,
}

impl<'a> Contradictions<'a> {
    /// Adds a row. One without a label contradicts nothing.
    pub(super) fn add(&mut self, picture: &'a Path, label: &str) {
        let label = class_names::clean(label);
        if !label.is_empty() {
            let labels = self.labels.entry(picture).or_default();
            *labels.entry(label.into_owned()).or_default() += 1;
        }
    }

    /// Says which pictures have several labels, and what becomes of them.
    pub(super) fn tell(&self, becomes: &str, ledger: &mut Ledger) {
        let mut several = self.labels.iter().filter(|(_, labels)| labels.len() > 1);
        let shown: Vec<String> =
            several.by_ref().take(SHOWN).map(|(path, labels)| words(path, labels)).collect();
        let more = several.count();
        let count = (shown.len() + more) as u64;
        let images = counted(count, "image has", "images have");
        let more = if more > 0 { ", …" } else { "" };
        let text = format!("{images} rows with different labels{becomes}: {}{more}", shown.join(", "));
        ledger.add(RemarkKind::LabelsSeveral, count, text);
    }
}

/// `a.jpg (cat in 2 rows, dog in 1)`.
fn words(path: &Path, labels: &BTreeMap<String, u64>) -> String {
    let mut all: Vec<(&String, u64)> = labels.iter().map(|(label, rows)| (label, *rows)).collect();
    all.sort_by_key(|(label, rows)| (std::cmp::Reverse(*rows), *label));
    let more = if all.len() > SHOWN { ", …" } else { "" };
    let one = |(at, (label, rows)): (usize, &(&String, u64))| match at {
        0 => format!("{} in {}", excerpt(label), counted(*rows, "row", "rows")),
        _ => format!("{} in {rows}", excerpt(label)),
    };
    let shown: Vec<String> = all.iter().take(SHOWN).enumerate().map(one).collect();
    format!("{} ({}{more})", excerpt_path(path), shown.join(", "))
}
