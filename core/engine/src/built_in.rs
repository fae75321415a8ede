//! What reading the files found, as results like those of detectors: broken files, damaged pictures, pictures in formats
//! that are not read, and pictures that conversion changes.

use chaffinch_compute::image::decode::{Damage, Remark};
use chaffinch_data::columns::{DetectorResult, ResultBuilder};
use chaffinch_data::faults::Fault;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::issue::{CONVERSION, DAMAGED, Issue, NOT_READ, RunRecord, UNREADABLE};
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;

/// The score of a picture in a format that is not read: it may be fine, but was not looked at.
const NOT_READ_SCORE: f32 = 0.1;
/// The scores of a damaged picture of which everything and next to nothing is lost: the damage itself is sure.
const DAMAGED_SCORES: (f32, f32) = (0.0, 0.1);
/// The score of a picture that is one flat color without its transparency.
const FLATTENED_SCORE: f32 = 0.2;
/// The score of a picture that was stretched to be seen: said, and no suspect.
const STRETCHED_SCORE: f32 = 0.6;

/// All of them. Broken files always have a result, the others only if there is something to say. They are computed from
/// the file metadata on demand.
pub fn built_in(file_metadata: &FileMetadata, classes: &[String]) -> Vec<DetectorResult> {
    let mut results = vec![unreadable(file_metadata, classes, String::new())];
    results.extend(remarked(file_metadata, classes));
    results
}

/// Files that could not be decoded, but for those in formats that are not read.
pub(crate) fn unreadable(
    file_metadata: &FileMetadata,
    classes: &[String],
    input_digest: String,
) -> DetectorResult {
    let mut result = ResultBuilder::new(file_metadata.len());
    let score = |id: SampleId| match (file_metadata.decodable(id), file_metadata.not_read(id)) {
        (true, _) => 1.0,
        (false, false) => 0.0,
        (false, true) => f32::NAN,
    };
    let scores: Vec<f32> = (0..file_metadata.len() as u32).map(|row| score(SampleId(row))).collect();
    result.scores(&scores);
    for (&id, reason) in file_metadata.unreadable.iter().filter(|(id, _)| !file_metadata.not_read(**id)) {
        let fault = Fault::of(file_metadata, id);
        let reason = fault.map_or_else(|| reason.clone(), |fault| fault.sentence(reason));
        result.issue(id, Issue { reason, ..Issue::default() });
    }
    let record = record(UNREADABLE, "The file is missing or cannot be read as a picture", input_digest, None);
    result.finish(record, classes)
}

/// Those that have something to say.
pub(crate) fn remarked(file_metadata: &FileMetadata, classes: &[String]) -> Vec<DetectorResult> {
    let mut results = Vec::new();
    let of = |wanted: &dyn Fn(&Remark) -> Option<f32>| -> Vec<(SampleId, f32, String)> {
        let all = file_metadata.remarks.iter();
        let said = all.flat_map(|(&id, remarks)| remarks.iter().map(move |remark| (id, remark)));
        said.filter_map(|(id, remark)| Some((id, wanted(remark)?, remark.sentence()))).collect()
    };
    let mut add = |name: &str, summary: &str, issues: Vec<(SampleId, f32, String)>| {
        if issues.is_empty() {
            return;
        }
        let mut result = ResultBuilder::new(file_metadata.len());
        let fine = |row: u32| match name == NOT_READ || file_metadata.decodable(SampleId(row)) {
            true => 1.0,
            false => f32::NAN,
        };
        result.scores(&(0..file_metadata.len() as u32).map(fine).collect::<Vec<f32>>());
        for (id, score, reason) in issues {
            result.issue(id, Issue { score, reason, ..Issue::default() });
        }
        let note = sentences(file_metadata, name).join("\n");
        results.push(result.finish(record(name, summary, String::new(), Some(note)), classes));
    };
    let not_read = |remark: &Remark| matches!(remark, Remark::NotRead(_)).then_some(NOT_READ_SCORE);
    add(NOT_READ, "The picture is in a format that is not read", of(&not_read));
    let damaged = |remark: &Remark| match remark {
        Remark::Damaged(damage) => Some(damage_score(damage)),
        _ => None,
    };
    add(DAMAGED, "A part of the picture is missing or garbled", of(&damaged));
    let converted = |remark: &Remark| match remark {
        Remark::Flattened => Some(FLATTENED_SCORE),
        Remark::Deep { range, .. } if *range < 16 => Some(STRETCHED_SCORE),
        _ => None,
    };
    add(CONVERSION, "Conversion to 8-bit RGB without transparency changes the picture", of(&converted));
    results
}

/// The more is lost, the lower; loss of detail counts half.
fn damage_score(damage: &Damage) -> f32 {
    let share = if damage.detail { damage.share / 2.0 } else { damage.share };
    DAMAGED_SCORES.1 + (DAMAGED_SCORES.0 - DAMAGED_SCORES.1) * share.clamp(0.0, 1.0)
}

fn record(name: &str, summary: &str, input_digest: String, note: Option<String>) -> RunRecord {
    RunRecord {
        name: name.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        summary: summary.into(),
        threshold: 0.5,
        input_digest,
        notes: note.map(|note| ("summary".to_owned(), note)).into_iter().collect(),
        ..RunRecord::default()
    }
}

/// One sentence for each kind of remark that a result of this name is about.
pub(crate) fn sentences(file_metadata: &FileMetadata, name: &str) -> Vec<String> {
    let total = file_metadata.len();
    let (mut formats, mut bits) = (BTreeMap::<&str, u64>::new(), BTreeMap::<u8, u64>::new());
    let (mut damaged, mut flattened) = (0, 0);
    for remark in file_metadata.remarks.values().flatten() {
        match remark {
            Remark::NotRead(format) => *formats.entry(format).or_default() += 1,
            Remark::Deep { bits: 16, .. } => {}
            Remark::Deep { range, .. } => *bits.entry(*range).or_default() += 1,
            Remark::Damaged(_) => damaged += 1,
            Remark::Flattened => flattened += 1,
        }
    }
    let of = |count: u64| format!("{count} of {}", counted(total as u64, "picture", "pictures"));
    let mut sentences = Vec::new();
    if name == NOT_READ && !formats.is_empty() {
        let all: Vec<String> = formats.iter().map(|(format, count)| format!("{count} {format}")).collect();
        let count = of(formats.values().sum());
        sentences.push(format!(
            "{count} in formats that are not read, so they were not checked: {}",
            all.join(", ")
        ));
    }
    if name == DAMAGED && damaged > 0 {
        let are = if damaged == 1 { "is" } else { "are" };
        sentences.push(format!("{} {are} damaged; the detectors saw what is left", of(damaged)));
    }
    if name == CONVERSION {
        for (range, count) in bits {
            let pictures = of(count);
            sentences.push(match range {
                16 => format!(
                    "{pictures} with 16 bits per channel use fewer of them, but were not stretched: they look darker, \
                     as others like them use up to 16"
                ),
                range => format!(
                    "{pictures} with 16 bits per channel use at most {range} of them and were stretched alike; they \
                     would be black otherwise"
                ),
            });
        }
        if flattened > 0 {
            sentences
                .push(format!("{} with nothing but one flat color below the transparency", of(flattened)));
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_a_finding_of_its_own() {
        let damage = Damage { share: 0.5, from: 0.5, at_end: true, garbled: false, detail: false };
        let mut files = FileMetadata::default();
        for _ in 0..6 {
            files.hashes.push(Default::default());
        }
        files.unreadable.insert(SampleId(1), "the file is empty".into());
        files.unreadable.insert(SampleId(2), "it is a picture in the AVIF format, which is not read".into());
        files.remarks.insert(SampleId(2), vec![Remark::NotRead("AVIF".into())]);
        files.remarks.insert(SampleId(3), vec![Remark::Damaged(damage), Remark::Deep { bits: 8, range: 8 }]);
        files.remarks.insert(SampleId(4), vec![Remark::Flattened]);
        let results = built_in(&files, &[]);
        let flagged = |result: &DetectorResult| -> Vec<usize> {
            (0..6).filter(|&row| result.scores()[row] < result.record().threshold).collect()
        };
        let all: Vec<(&str, Vec<usize>)> =
            results.iter().map(|result| (result.record().name.as_str(), flagged(result))).collect();
        assert_eq!(
            all,
            [(UNREADABLE, vec![1]), (NOT_READ, vec![2]), (DAMAGED, vec![3]), (CONVERSION, vec![4])]
        );
        assert_eq!(results[2].reason(SampleId(3)), "the lower 50 % of the picture is missing");
        assert_eq!(results[1].score(SampleId(1)), Some(1.0));
        assert_eq!(results[0].score(SampleId(2)), None, "not read is not broken");
        assert_eq!(
            sentences(&files, DAMAGED),
            ["1 of 6 pictures is damaged; the detectors saw what is left"]
        );
        files.remarks.clear();
        assert_eq!(built_in(&files, &[]).len(), 1);
    }
}
