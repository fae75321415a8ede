//! Which samples to show beside one: the evidence of detectors that flag it, its group, its neighbors, the medoids of
//! its class.

use super::Model;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Detail, DetailRelated};

/// A sample that another is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Beside {
    /// The sample.
    pub sample: SampleId,
    /// Why it is shown: `copy`, `near`, `medoid`, …
    pub kind: &'static str,
    /// Its path.
    pub path: String,
    /// Its given label.
    pub label: Option<u32>,
    /// Cosine, or the detector's similarity.
    pub similarity: Option<f32>,
}

/// Samples to show beside this one: the evidence of the detectors that flag it, samples of the suggested class, then its
/// nearest neighbors.
pub fn related(detail: &Detail) -> Vec<(&'static str, &DetailRelated)> {
    let flagged = detail.issues.iter().filter(|issue| issue.flagged);
    let evidence = flagged.flat_map(|issue| issue.related.iter().map(|related| ("evidence", related)));
    let mut all: Vec<(&'static str, &DetailRelated)> = Vec::new();
    let exemplars = detail.exemplars.iter().map(|exemplar| ("suggested", exemplar));
    let neighbors = detail.neighbors.iter().map(|neighbor| ("near", neighbor));
    for (kind, related) in evidence.chain(exemplars).chain(neighbors) {
        let known = all.iter().any(|(_, other)| other.sample == related.sample);
        if !known && related.sample != detail.row.sample {
            all.push((kind, related));
        }
    }
    all
}

/// The group of the worst issue that has one.
pub fn group(detail: &Detail) -> Vec<SampleId> {
    let flagged = detail.issues.iter().filter(|issue| issue.flagged).chain(&detail.issues);
    let group = flagged.map(|issue| &issue.group).find(|group| group.len() > 1);
    group.cloned().unwrap_or_default()
}

impl Model {
    /// The samples that the one under the cursor can be compared with: the evidence of detectors, its neighbors,
    /// the medoids of its class.
    pub fn besides(&self) -> Vec<Beside> {
        let Some(detail) = self.sample().and_then(|sample| self.details.get(sample)) else {
            return Vec::new();
        };
        let group = group(detail);
        let mut all: Vec<Beside> = related(detail)
            .into_iter()
            .map(|(kind, other)| Beside {
                sample: other.sample,
                kind: if group.contains(&other.sample) { "copy" } else { kind },
                path: other.path.clone(),
                label: other.label,
                similarity: Some(other.similarity),
            })
            .collect();
        let sample = detail.row.sample;
        let known = self.views.medoids.known;
        if known.is_some_and(|(class, of)| Some(class) == detail.row.label && of == Some(sample)) {
            for cluster in &self.views.medoids.clusters {
                let row = &cluster.medoid;
                if row.sample != sample && !all.iter().any(|other| other.sample == row.sample) {
                    all.push(Beside {
                        sample: row.sample,
                        kind: "medoid",
                        path: row.path.clone(),
                        label: row.label,
                        similarity: cluster.similarity,
                    });
                }
            }
        }
        all
    }
    /// The selected one of the samples beside the one under the cursor.
    pub fn beside(&self) -> Option<Beside> {
        let mut all = self.besides();
        if all.is_empty() {
            return None;
        }
        let chosen = self.views.look.chosen.unwrap_or(0).min(all.len() - 1);
        Some(all.swap_remove(chosen))
    }
}
