//! Everything that reading and judging the dataset left open, as one ledger.

use crate::numbered::with_paths;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::issue::Found;
use chaffinch_data::manifest::Manifest;
use chaffinch_host::CUT_TEXT;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The notes of a detector that concern the dataset as a whole, one remark per line: faults that are no longer flagged
/// because too many samples have them, samples that were not judged, and other remarks.
const NOTES: [(&str, RemarkKind); 4] = [
    ("warning", RemarkKind::DatasetFault),
    ("not judged", RemarkKind::NotJudged),
    ("remark", RemarkKind::Other),
    (CUT_TEXT, RemarkKind::Finding),
];

/// The ledger of reading, with the remarks of the detectors.
pub fn reading(
    ledger: &Ledger,
    results: &BTreeMap<String, Arc<DetectorResult>>,
    manifest: &Manifest,
) -> Ledger {
    let mut ledger = ledger.clone();
    for (name, result) in results {
        let notes = &result.record().notes;
        for (note, kind) in NOTES {
            let lines = notes.iter().filter(|(known, _)| known == note).flat_map(|(_, text)| text.lines());
            for line in lines.filter(|line| !line.trim().is_empty()) {
                ledger.add(
                    kind,
                    leading_number(line),
                    format!("{}: {}", safe_text(name), safe_text(&with_paths(line, manifest))),
                );
            }
        }
        for found in &result.record().findings {
            let kind = match found.severity.as_str() {
                "serious" => RemarkKind::DatasetFault,
                "warning" => RemarkKind::Finding,
                _ => RemarkKind::Other,
            };
            let count = (found.evidence.len() as u64).max(leading_number(&found.text));
            ledger.add(kind, count, format!("{}: {}", safe_text(name), told(found, manifest)));
        }
    }
    ledger
}

/// Samples of a finding that are named.
const NAMED: usize = 3;

/// A finding with the first of its samples.
fn told(found: &Found, manifest: &Manifest) -> String {
    let known = found.evidence.iter().filter(|row| (**row as usize) < manifest.len());
    let paths: Vec<String> = known.map(|row| safe_path(manifest.path(SampleId(*row)))).take(NAMED).collect();
    // One remark is one line.
    let text = safe_text(&found.text.replace(['\n', '\r'], " ")).into_owned();
    match (paths.as_slice(), found.evidence.len().saturating_sub(NAMED)) {
        ([], _) => text,
        (paths, 0) => format!("{text} ({})", paths.join(", ")),
        (paths, more) => format!("{text} ({} and {more} more)", paths.join(", ")),
    }
}

/// The number that a sentence begins with, or one.
fn leading_number(line: &str) -> u64 {
    let digits: String =
        line.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',').collect();
    digits.parse().ok().filter(|number| *number > 0).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::columns::ResultBuilder;
    use chaffinch_data::issue::RunRecord;
    use chaffinch_data::manifest::NewSample;
    use chaffinch_protocol::sample::Split;

    #[test]
    fn what_a_detector_drops_is_a_remark() {
        let notes = vec![
            ("summary".to_owned(), "no poor pictures found".to_owned()),
            ("warning".to_owned(), "1,200 of 1,200 pictures are dark\n4 of 9 are flat".to_owned()),
        ];
        let record = RunRecord { name: "image-quality".into(), notes, ..RunRecord::default() };
        let result = ResultBuilder::new(0).finish(record, &[]);
        let results = BTreeMap::from([("image-quality".to_owned(), Arc::new(result))]);
        let remarks: Vec<(u64, String)> = reading(&Ledger::default(), &results, &Manifest::default())
            .remarks
            .into_iter()
            .map(|remark| (remark.count, remark.text))
            .collect();
        let expected = [
            (1200, "image-quality: 1,200 of 1,200 pictures are dark".to_owned()),
            (4, "image-quality: 4 of 9 are flat".to_owned()),
        ];
        assert_eq!(remarks, expected);
    }

    #[test]
    fn a_finding_is_a_remark_with_its_samples_by_severity() {
        let found = |severity: &str, evidence: &[u32]| Found {
            severity: severity.into(),
            text: format!("{severity}\nthing"),
            evidence: evidence.to_vec(),
        };
        let findings = vec![found("info", &[]), found("serious", &[0, 1, 2, 3, 9]), found("warning", &[1])];
        let record = RunRecord { name: "odd".into(), findings, ..RunRecord::default() };
        let row = |n: u32| NewSample { path: format!("{n}.png").into(), label: None, split: Split::None };
        let manifest = Manifest::new(std::path::Path::new("/d"), (0..4).map(row));
        let results =
            BTreeMap::from([("odd".to_owned(), Arc::new(ResultBuilder::new(4).finish(record, &[])))]);
        let ledger = reading(&Ledger::default(), &results, &manifest);
        let told: Vec<(RemarkKind, u64, &str)> =
            ledger.remarks.iter().map(|one| (one.kind, one.count, one.text.as_str())).collect();
        assert_eq!(
            told,
            [
                (RemarkKind::DatasetFault, 5, "odd: serious thing (0.png, 1.png, 2.png and 2 more)"),
                (RemarkKind::Finding, 1, "odd: warning thing (1.png)"),
                (RemarkKind::Other, 1, "odd: info thing"),
            ]
        );
    }
}
