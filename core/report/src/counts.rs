//! The numbers of a report by name: what gates compare with limits.

use crate::subject::Subject;
use chaffinch_data::issue::{DAMAGED, NOT_READ, UNREADABLE};
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::groups::across_splits;
use serde::Serialize;

/// One number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Its name: letters of the alphabet in lower case, digits and hyphens, or that of a detector.
    pub name: String,
    /// The number.
    pub value: u64,
    /// What it is a part of, for shares; `None` where a share makes no sense.
    pub of: Option<u64>,
    /// What is counted: `suspects without a decision`.
    pub what: String,
    /// Whether it is the number of samples that the detector of this name flags.
    pub detector: bool,
}

impl Count {
    /// Its share of what it is a part of, 0 to 1; 0 of nothing is 0.
    pub fn share(&self) -> Option<f64> {
        self.of.map(|of| if of == 0 { 0.0 } else { self.value as f64 / of as f64 })
    }
}

/// All numbers: samples and decisions, what reading the dataset left open, and the flagged samples of each detector.
pub fn counts(subject: &Subject<'_>) -> Vec<Count> {
    let Subject { source, ledger, .. } = subject;
    let samples = source.manifest.len() as u64;
    let mut all: Vec<Count> = Vec::new();
    let mut add = |name: &str, value: u64, of: Option<u64>, what: &str, detector: bool| {
        // A detector may be called like one of the others.
        if all.iter().all(|known| known.name != name || known.detector != detector) {
            all.push(Count { name: name.into(), value, of, what: what.into(), detector });
        }
    };
    let undecided = source.ranking.order.iter();
    let undecided = undecided.filter(|row| source.decisions.get(SampleId(**row)).is_none()).count() as u64;
    let [keep, remove, relabel, unsure] = source.decisions.by_choice();
    let (leaking, groups) = across_splits(source.results, source.manifest.splits());
    let leaking = leaking.iter().filter(|leaks| **leaks).count() as u64;
    let flagged = |name: &str| {
        let place = source.results.keys().position(|known| known == name);
        place.and_then(|place| source.ranking.counts.get(place)).map_or(0, |counts| counts.flagged)
    };
    let flagged_files: u64 = [UNREADABLE, DAMAGED, NOT_READ].map(flagged).iter().sum();
    // In a folder, files in a format that is not read are not samples; in a table, they are. Neither was looked at.
    let unreadable = flagged_files + ledger.count(RemarkKind::UnsupportedPictures);
    for (name, value, what) in [
        ("samples", samples, "samples of the dataset"),
        ("suspects", source.ranking.order.len() as u64, "samples that detectors flag under the rule"),
        ("undecided", undecided, "suspects without a decision"),
        ("decided", source.decisions.decided() as u64, "samples with a decision"),
        ("kept", keep, "samples decided to be kept"),
        ("removed", remove, "samples decided to be removed"),
        ("relabeled", relabel, "samples decided to get another label"),
        ("unsure", unsure, "samples the reviewer was not sure about"),
        ("disputed", source.decisions.disputed(), "samples about which reviewers disagree"),
        ("leaks", leaking, "samples with a copy in another split"),
        (
            "unreadable",
            unreadable,
            "files that cannot be decoded, or only in part, or are in a format that is not read",
        ),
    ] {
        add(name, value, Some(samples), what, false);
    }
    add("leak-groups", groups, None, "groups of copies that span splits", false);
    add("left-out", ledger.left_out, Some(ledger.found), "files or rows that are not samples", false);
    let serious = ledger.remarks.iter().filter(|remark| remark.kind.is_serious()).count() as u64;
    add("warnings", serious, None, "warnings about the dataset", false);
    let faults = ledger.remarks.iter().filter(|remark| remark.kind == RemarkKind::DatasetFault);
    add("dataset-faults", faults.count() as u64, None, "faults of the dataset as a whole", false);
    for kind in KINDS {
        add(kind_name(kind), ledger.count(kind), None, "files, rows or classes with this remark", false);
    }
    for name in source.results.keys() {
        // Shares are of all samples: one without a score is no reason to say that others are more.
        add(name, flagged(name), Some(samples), &format!("samples flagged by {name}"), true);
    }
    all
}

/// The kinds of remarks that are counts of their own.
const KINDS: [RemarkKind; 22] = [
    RemarkKind::Finding,
    RemarkKind::FilesMissing,
    RemarkKind::NoPicture,
    RemarkKind::FilesUnreadable,
    RemarkKind::FilesDamaged,
    RemarkKind::NotJudged,
    RemarkKind::UnsupportedPictures,
    RemarkKind::FoldersNotListed,
    RemarkKind::DecisionsChanged,
    RemarkKind::ImportsLost,
    RemarkKind::LabelsMissing,
    RemarkKind::LabelsSeveral,
    RemarkKind::ClassesDoubtful,
    RemarkKind::ClassesMerged,
    RemarkKind::LayoutDoubtful,
    RemarkKind::LayoutGuessed,
    RemarkKind::Encoding,
    RemarkKind::RowsRepeated,
    RemarkKind::MachineMade,
    RemarkKind::OtherFiles,
    RemarkKind::DecisionsGone,
    RemarkKind::Other,
];

/// The name of a kind of remark, as in the ledger's file.
pub(crate) fn kind_name(kind: RemarkKind) -> &'static str {
    match kind {
        RemarkKind::DatasetFault => "dataset-fault",
        RemarkKind::Finding => "finding",
        RemarkKind::FilesMissing => "files-missing",
        RemarkKind::NoPicture => "no-picture",
        RemarkKind::FilesUnreadable => "files-unreadable",
        RemarkKind::FilesDamaged => "files-damaged",
        RemarkKind::NotJudged => "not-judged",
        RemarkKind::UnsupportedPictures => "unsupported-pictures",
        RemarkKind::FoldersNotListed => "folders-not-listed",
        RemarkKind::DecisionsChanged => "decisions-changed",
        RemarkKind::ImportsLost => "imports-lost",
        RemarkKind::LabelsMissing => "labels-missing",
        RemarkKind::LabelsSeveral => "labels-several",
        RemarkKind::ClassesDoubtful => "classes-doubtful",
        RemarkKind::ClassesMerged => "classes-merged",
        RemarkKind::LayoutDoubtful => "layout-doubtful",
        RemarkKind::LayoutGuessed => "layout-guessed",
        RemarkKind::Encoding => "encoding",
        RemarkKind::RowsRepeated => "rows-repeated",
        RemarkKind::MachineMade => "machine-made",
        RemarkKind::OtherFiles => "other-files",
        RemarkKind::DecisionsGone => "decisions-gone",
        RemarkKind::Other => "other",
    }
}
