//! Results of detectors and of other programs as a session keeps them.

use super::pets::samples;
use crate::Target;
use crate::fixtures::Named;
use crate::stage::{Stage, play, seeds};
use chaffinch_data::columns::{DetectorResult, ResultBuilder};
use chaffinch_data::imported::Imported;
use chaffinch_data::issue::{Boxed, Issue, RunRecord};
use chaffinch_data::set_value::SetValue;
use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::ranking::rank;
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

/// The target.
pub const TARGET: Target = Target {
    name: "results",
    reads: "a detector's result and an imported one as a session keeps them",
    run,
    seeds: || seeds(STAGES),
};

const STAGES: &[Stage] =
    &[Stage { files, varied: "detectors/nearest.arrow" }, Stage { files, varied: "imported/nearest.arrow" }];

fn run(bytes: &[u8]) {
    play(TARGET.name, STAGES, bytes, |number, folder| {
        let (manifest, metadata) = samples();
        let path = folder.join(STAGES[number].varied);
        if number == 1 {
            if let Ok(imported) = Imported::load(&path, manifest.classes()) {
                look(&imported.bind(&manifest, &metadata).result, manifest.classes());
            }
            return;
        }
        let Ok(result) = DetectorResult::load(&path, manifest.classes()) else { return };
        look(&result, manifest.classes());
        let results = [(result.record().name.clone(), Arc::new(result))].into();
        let count = manifest.len();
        for rule in [EnsembleRule::Or, EnsembleRule::default()] {
            let _ = rank(&results, &BTreeMap::new(), &rule, count);
        }
    });
}

/// Reads everything, since columns are only checked where they are read.
fn look(result: &DetectorResult, classes: &[String]) {
    let rows = result.len().min(64) as u32 + 2;
    for id in (0..rows).map(SampleId) {
        let issue = result.issue(id);
        assert!(
            issue.is_none_or(|issue| issue.suggested.is_none_or(|label| (label as usize) < classes.len()))
        );
        let _ = (
            result.score(id),
            result.suggested_other(id),
            result.group(id),
            result.reason(id),
            result.regions(id),
        );
        result.attributes().for_each(|name| _ = result.attribute(name, id));
    }
    let _ = (result.ranks().len(), result.grouped().len(), result.suggests(), result.has_regions());
    result.grouped().iter().take(8).for_each(|(group, _)| drop(result.group_members(*group)));
}

fn files() -> Vec<Named> {
    let (manifest, metadata) = samples();
    let record = RunRecord {
        name: "nearest".into(),
        version: "1.2".into(),
        groups: true,
        threshold: 0.5,
        params: [("k".to_owned(), SetValue::Number(9.0))].into(),
        notes: vec![("classes".into(), "2".into())],
        ..RunRecord::default()
    };
    let issue = Issue {
        score: 0.1,
        suggested: Some(1),
        group: Some(7),
        related: vec![(SampleId(1), 0.75), (SampleId(3), 0.5)],
        reason: "a gr\u{f6}\u{df}er reason".into(),
    };
    let mut builder = ResultBuilder::new(manifest.len());
    builder.scores(&[f32::NAN, 0.2, 0.4, 1.0]);
    builder.issue(SampleId(2), issue.clone());
    builder.issue(SampleId(1), Issue { score: 0.3, group: Some(7), ..Issue::default() });
    builder.attribute("tone", "px", &[1.0, f32::NAN, 3.0, 4.0]);
    builder.regions(SampleId(3), vec![Boxed { edges: [0.1, 0.2, 0.5, 0.9], label: "text".into() }]);
    let result = builder.finish(record.clone(), manifest.classes());
    let issues = BTreeMap::from([(SampleId(2), issue)]);
    let imported = Imported::new(record, &issues, &["crow".into()], &manifest, &metadata);
    let folder = tempfile::tempdir().unwrap();
    let (own, others) = (folder.path().join("own"), folder.path().join("others"));
    result.save(&own).unwrap();
    imported.save(&others).unwrap();
    vec![
        ("detectors/nearest.arrow".into(), fs::read(own).unwrap()),
        ("imported/nearest.arrow".into(), fs::read(others).unwrap()),
    ]
}
