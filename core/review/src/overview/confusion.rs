//! Given against suggested labels.

use crate::query::Source;
use chaffinch_protocol::Confused;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;

/// Suspects by given and suggested label, in the order of classes.
pub fn confusion(source: &Source<'_>) -> Vec<Confused> {
    let verdicts = source.verdicts();
    let mut counts: BTreeMap<(u32, u32), (u64, u64)> = BTreeMap::new();
    let mut labels: Vec<u32> = Vec::new();
    for &row in source.ranking.order.iter() {
        let id = SampleId(row);
        let Some(given) = source.manifest.label(id) else { continue };
        labels.clear();
        let suggested = verdicts.flags(id).filter_map(|flag| flag.suggested());
        labels.extend(suggested.filter(|label| *label != given.0));
        labels.sort_unstable();
        labels.dedup();
        for label in &labels {
            let (count, decided) = counts.entry((given.0, *label)).or_default();
            *count += 1;
            *decided += u64::from(source.decisions.get(id).is_some());
        }
    }
    let confused = counts.into_iter();
    confused
        .map(|((given, suggested), (count, decided))| Confused { given, suggested, count, decided })
        .collect()
}
