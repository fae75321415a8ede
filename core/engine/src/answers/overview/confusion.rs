//! Given against suggested labels.

use crate::state::State;
use chaffinch_data::journal::Decisions;
use chaffinch_protocol::Confused;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;

/// Counts in the order of classes.
pub(crate) fn confusion(state: &State, decisions: &Decisions) -> Vec<Confused> {
    let findings = &state.findings;
    let mut counts: BTreeMap<(u32, u32), (u64, u64)> = BTreeMap::new();
    let mut labels: Vec<u32> = Vec::new();
    for &row in &state.ranking.order {
        let id = SampleId(row);
        let Some(given) = findings.manifest.label(id) else { continue };
        labels.clear();
        let suggested = state.verdicts().flags(id).filter_map(|flag| flag.suggested());
        labels.extend(suggested.filter(|label| *label != given.0));
        labels.sort_unstable();
        labels.dedup();
        for label in &labels {
            let (count, decided) = counts.entry((given.0, *label)).or_default();
            *count += 1;
            *decided += u64::from(decisions.get(id).is_some());
        }
    }
    let confused = counts.into_iter();
    confused
        .map(|((given, suggested), (count, decided))| Confused { given, suggested, count, decided })
        .collect()
}
