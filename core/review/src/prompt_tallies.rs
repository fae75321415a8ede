//! What a detector that compares pictures with prompts says of the samples, by class.

use crate::verdict::is_flagged;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::PromptTally;
use chaffinch_protocol::sample::SampleId;

/// Counts a result, compared with one from before. What a sample looks like is the label that is suggested, or its own.
pub fn count(
    manifest: &Manifest,
    (found, last): (&DetectorResult, Option<&DetectorResult>),
    threshold: f32,
) -> Vec<PromptTally> {
    let mut tallies = vec![PromptTally::default(); manifest.classes().len()];
    // Without a score it says neither what it looks like nor whether it is flagged.
    let says = |result: &DetectorResult, row: usize, label: u32| {
        let id = SampleId(row as u32);
        let score = result.score(id)?;
        Some((result.suggested(id).unwrap_or(label) as usize, is_flagged(score, threshold)))
    };
    for (row, &label) in manifest.labels().iter().enumerate() {
        let own = label as usize;
        if own >= tallies.len() {
            continue;
        }
        let now = says(found, row, label);
        if let Some((seen, flagged)) = now {
            tallies[own].labeled += 1;
            tallies[own].agreed += u64::from(seen == own);
            tallies[own].flagged += u64::from(flagged);
            tallies[seen].seen += 1;
        }
        let before = last.and_then(|last| says(last, row, label));
        let (Some(now), Some(before)) = (now, before) else { continue };
        if now.0 != before.0 {
            tallies[now.0].seen_moved.0 += 1;
            tallies[before.0].seen_moved.1 += 1;
        }
        tallies[own].flagged_moved.0 += u64::from(now.1 && !before.1);
        tallies[own].flagged_moved.1 += u64::from(before.1 && !now.1);
    }
    tallies
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::columns::ResultBuilder;
    use chaffinch_data::issue::{Issue, RunRecord};
    use chaffinch_data::manifest::NewSample;
    use chaffinch_protocol::sample::Split;

    #[test]
    fn what_moves_between_classes_is_counted_at_both() {
        // Three cats, two dogs, one without a label.
        let labels = [Some("cat"), Some("cat"), Some("cat"), Some("dog"), Some("dog"), None];
        let samples = labels.iter().enumerate().map(|(row, label)| NewSample {
            path: format!("{row}.png").into(),
            label: label.map(str::to_owned),
            split: Split::None,
        });
        let manifest = Manifest::new("/data", samples);
        let result = |scores: [f32; 6], suggested: &[(u32, u32)]| {
            let mut builder = ResultBuilder::new(6);
            builder.scores(&scores);
            for &(row, class) in suggested {
                let score = scores[row as usize];
                let issue = Issue {
                    score,
                    suggested: Some(class),
                    group: None,
                    related: Vec::new(),
                    reason: String::new(),
                };
                builder.issue(SampleId(row), issue);
            }
            builder.finish(RunRecord::default(), manifest.classes())
        };
        let none = f32::NAN;
        // Before, the first cat looked like a dog; now the last one does, and a dog has no score.
        let before = result([0.2, 0.9, 0.9, 0.9, 0.9, none], &[(0, 1)]);
        let now = result([0.9, 0.9, 0.1, 0.9, none, none], &[(2, 1)]);
        let counted = count(&manifest, (&now, Some(&before)), 0.5);
        let cat = PromptTally {
            labeled: 3,
            agreed: 2,
            seen: 2,
            seen_moved: (1, 1),
            flagged: 1,
            flagged_moved: (1, 1),
        };
        let dog =
            PromptTally { labeled: 1, agreed: 1, seen: 2, seen_moved: (1, 1), ..PromptTally::default() };
        assert_eq!(counted, [cat, dog]);
        let alone = count(&manifest, (&now, None), 0.5);
        assert_eq!((alone[0].seen_moved, alone[0].flagged_moved, alone[0].seen), ((0, 0), (0, 0), 2));
        assert_eq!(count(&manifest, (&now, None), 0.05)[0].flagged, 0, "the threshold counts");
    }
}
