//! Everything that reading and judging the dataset left open, as one ledger.

use chaffinch_data::columns::DetectorResult;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The notes of a detector that concern the dataset as a whole, one remark per line: faults that are no longer flagged
/// because too many samples have them, samples that were not judged, and other remarks.
const NOTES: [(&str, RemarkKind); 3] = [
    ("warning", RemarkKind::DatasetFault),
    ("not judged", RemarkKind::NotJudged),
    ("remark", RemarkKind::Other),
];

/// The ledger of reading, with the remarks of the detectors.
pub fn reading(ledger: &Ledger, results: &BTreeMap<String, Arc<DetectorResult>>) -> Ledger {
    let mut ledger = ledger.clone();
    for (name, result) in results {
        let notes = &result.record().notes;
        for (note, kind) in NOTES {
            let lines = notes.iter().filter(|(known, _)| known == note).flat_map(|(_, text)| text.lines());
            for line in lines.filter(|line| !line.trim().is_empty()) {
                ledger.add(kind, leading_number(line), format!("{}: {}", safe_text(name), safe_text(line)));
            }
        }
    }
    ledger
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

    #[test]
    fn what_a_detector_drops_is_a_remark() {
        let notes = vec![
            ("summary".to_owned(), "no poor pictures found".to_owned()),
            ("warning".to_owned(), "1,200 of 1,200 pictures are dark\n4 of 9 are flat".to_owned()),
        ];
        let record = RunRecord { name: "image-quality".into(), notes, ..RunRecord::default() };
        let result = ResultBuilder::new(0).finish(record, &[]);
        let results = BTreeMap::from([("image-quality".to_owned(), Arc::new(result))]);
        let remarks: Vec<(u64, String)> = reading(&Ledger::default(), &results)
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
}
