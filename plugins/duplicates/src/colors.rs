//! Which copies have their colors. One that was made gray is never better than the original, and of one whose channels were swapped
//! nothing tells but that others have other colors.

use chaffinch_likeness::{agree_in_color, is_colored};
use chaffinch_plugin::prelude::*;
use std::collections::BTreeMap;

/// What is known of one sample's colors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Colors {
    colored: bool,
    /// How many others have the same ones.
    shared: usize,
}

/// The colors of samples that are in pairs.
#[derive(Default)]
pub(crate) struct AllColors(BTreeMap<u32, Colors>);

impl AllColors {
    /// Of sketches and of each sample's partners. Files with the same bytes count for each of them, though they are linked through the first.
    pub(crate) fn of(view: &View<'_>, records: &[&[u8]], partners: &BTreeMap<u32, Vec<u32>>) -> AllColors {
        let content = |sample: u32| view.content_hashes().get(sample as usize);
        let mut same: BTreeMap<_, usize> = BTreeMap::new();
        partners
            .keys()
            .filter_map(|&sample| content(sample))
            .for_each(|hash| *same.entry(hash).or_default() += 1);
        let record = |sample: u32| records.get(sample as usize).copied().unwrap_or_default();
        let colors = |(&sample, partners): (&u32, &Vec<u32>)| {
            let own = content(sample);
            let agreeing = partners.iter().filter(|&&other| agree_in_color(record(sample), record(other)));
            let others: BTreeMap<_, usize> = agreeing
                .filter_map(|&other| content(other).filter(|other| Some(*other) != own))
                .map(|hash| (hash, same.get(hash).copied().unwrap_or(1)))
                .collect();
            let copies = own.and_then(|own| same.get(own)).map_or(0, |count| count - 1);
            let colored = is_colored(record(sample));
            // Gray ones agree in nothing.
            let shared = if colored { copies + others.values().sum::<usize>() } else { 0 };
            (sample, Colors { colored, shared })
        };
        AllColors(partners.iter().map(colors).collect())
    }

    pub(crate) fn get(&self, sample: usize) -> Colors {
        self.0.get(&(sample as u32)).copied().unwrap_or_default()
    }
}
