//! What reading a dataset found beside its samples: the ledger.
//!
//! Every file below a folder, and every row of a table, is either a sample or stands in the ledger with a reason. What
//! was guessed, merged or is doubtful stands there too, so that no report can say "none" of what nobody looked at.

use crate::display::counted;
use serde::{Deserialize, Serialize};

/// Remarks on how a dataset was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Files found, whatever they are; for a table, its rows.
    pub found: u64,
    /// Of these, how many are not samples. `found - left_out` is the number of samples.
    pub left_out: u64,
    /// The remarks, most serious first, then in the order of [`RemarkKind`].
    pub remarks: Vec<Remark>,
    /// The guess that a person should confirm, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
}

/// A guess about the layout of a dataset where another reading is about as likely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// What was assumed, as in its remark.
    pub text: String,
    /// When the other reading is the right one: `if a and b are the classes`.
    #[serde(default)]
    pub otherwise: String,
    /// The value of `--layout` for the other reading.
    pub other: String,
}

/// One remark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// What it is about.
    pub kind: RemarkKind,
    /// How many files, rows or classes it concerns.
    pub count: u64,
    /// One sentence without a full stop, ready to be shown: `3 .heic files were left out: …`.
    pub text: String,
}

/// What a remark is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemarkKind {
    /// A fault that so many samples have that it is a property of the dataset.
    DatasetFault,
    /// Something that a detector found about the dataset as a whole.
    Finding,
    /// Samples whose file does not exist.
    FilesMissing,
    /// Samples without a picture: cells of a table that are empty.
    NoPicture,
    /// Samples whose file exists and could not be decoded or read.
    FilesUnreadable,
    /// Samples of whose picture only a part is left; detectors saw what is left.
    FilesDamaged,
    /// Samples that some detectors did not judge, as they have no embedding or no probabilities.
    NotJudged,
    /// Pictures in a format that is not supported.
    UnsupportedPictures,
    /// Folders that could not be listed.
    FoldersNotListed,
    /// Decided samples whose file has other content now, so that they are undecided again.
    DecisionsChanged,
    /// Samples that have other contents now, and lost what was imported from other programs.
    ImportsLost,
    /// Labels that were expected and not found.
    LabelsMissing,
    /// Samples with several labels, where one is needed.
    LabelsSeveral,
    /// Class names that look like one class spelled twice, or are otherwise doubtful.
    ClassesDoubtful,
    /// Class names that were merged, or words that were taken as "no label".
    ClassesMerged,
    /// A layout that was inferred, where another reading is about as likely.
    LayoutDoubtful,
    /// Splits or layouts that were inferred, where another reading is possible.
    LayoutGuessed,
    /// A text encoding or delimiter that was detected.
    Encoding,
    /// Rows that repeat the path of another row.
    RowsRepeated,
    /// Folders and files made by machines: thumbnails, caches, checkpoints, hidden files.
    MachineMade,
    /// Files that are not pictures.
    OtherFiles,
    /// Samples with decisions or imported results that are no longer in the dataset.
    DecisionsGone,
    /// Anything else.
    Other,
}

impl RemarkKind {
    /// Whether a person should look before trusting the results.
    pub fn is_serious(self) -> bool {
        !matches!(
            self,
            RemarkKind::ClassesMerged
                | RemarkKind::LayoutGuessed
                | RemarkKind::Encoding
                | RemarkKind::RowsRepeated
                | RemarkKind::MachineMade
                | RemarkKind::OtherFiles
                | RemarkKind::DecisionsGone
                | RemarkKind::Other
        )
    }
}

impl Ledger {
    /// Adds a remark at its position. `count` zero adds nothing.
    pub fn add(&mut self, kind: RemarkKind, count: u64, text: impl Into<String>) {
        if count == 0 {
            return;
        }
        let remark = Remark { kind, count, text: text.into() };
        let key = |remark: &Remark| (!remark.kind.is_serious(), remark.kind);
        let at = self.remarks.partition_point(|known| key(known) <= key(&remark));
        self.remarks.insert(at, remark);
    }

    /// Adds a remark on files that are not samples, and counts them.
    pub fn leave_out(&mut self, kind: RemarkKind, count: u64, text: impl Into<String>) {
        self.found += count;
        self.left_out += count;
        self.add(kind, count, text);
    }

    /// Pictures of which nothing is known because they are not samples: those in formats that are not read. Folders that
    /// could not be listed hold an unknown number of others.
    pub fn unread_pictures(&self) -> u64 {
        self.count(RemarkKind::UnsupportedPictures)
    }

    /// What nobody looked at, as part of a sentence: `3 pictures left out and 1 missing file`. `None` if every file that
    /// was found is a sample that could be read, or is of no interest.
    pub fn unseen(&self) -> Option<String> {
        let mut parts = Vec::new();
        for (kind, one, many) in [
            (RemarkKind::UnsupportedPictures, "picture left out", "pictures left out"),
            (RemarkKind::FilesMissing, "missing file", "missing files"),
            (RemarkKind::NoPicture, "row without a picture", "rows without a picture"),
            (RemarkKind::FilesUnreadable, "unreadable file", "unreadable files"),
            (
                RemarkKind::FoldersNotListed,
                "folder that could not be listed",
                "folders that could not be listed",
            ),
        ] {
            let count = self.count(kind);
            if count > 0 {
                parts.push(counted(count, one, many));
            }
        }
        let last = parts.pop()?;
        Some(if parts.is_empty() { last } else { format!("{} and {last}", parts.join(", ")) })
    }

    /// What forbids to call a dataset without suspects clean, as part of a sentence.
    pub fn caveat(&self) -> Option<String> {
        let count = |which: &dyn Fn(&Remark) -> bool| {
            self.remarks.iter().filter(|remark| which(remark)).count() as u64
        };
        let faults = count(&|remark| remark.kind == RemarkKind::DatasetFault);
        let serious = count(&|remark| remark.kind.is_serious());
        match (self.unseen(), faults, serious) {
            (Some(unseen), ..) => Some(format!("not checked: {unseen}")),
            (None, 0, 0) => None,
            (None, 0, serious) => {
                let warnings = counted(serious, "warning", "warnings");
                Some(format!("there {} {warnings}", if serious == 1 { "is" } else { "are" }))
            }
            (None, faults, _) => Some(format!("{} of the whole dataset", counted(faults, "fault", "faults"))),
        }
    }

    /// One short line for a title: `3 files left out, 2 unreadable`; `None` if there is nothing that a person should
    /// know about.
    pub fn headline(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.left_out > 0 {
            parts.push(format!("{} left out", counted(self.left_out, "file", "files")));
        }
        let serious =
            |remark: &&Remark| remark.kind.is_serious() && remark.kind != RemarkKind::UnsupportedPictures;
        match self.remarks.iter().filter(serious).count() as u64 {
            0 if parts.is_empty() && !self.is_empty() => {
                parts.push(counted(self.remarks.len() as u64, "remark", "remarks"));
            }
            0 => {}
            serious => parts.push(counted(serious, "warning", "warnings")),
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// How many files or rows the remarks of a kind concern.
    pub fn count(&self, kind: RemarkKind) -> u64 {
        self.remarks.iter().filter(|remark| remark.kind == kind).map(|remark| remark.count).sum()
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.remarks.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serious_remarks_come_first() {
        let mut ledger = Ledger::default();
        ledger.add(RemarkKind::OtherFiles, 2, "2 files are not pictures");
        ledger.add(RemarkKind::Encoding, 0, "nothing");
        ledger.add(RemarkKind::UnsupportedPictures, 3, "3 .heic files were left out");
        ledger.add(RemarkKind::UnsupportedPictures, 1, "1 .avif file was left out");
        let kinds: Vec<(RemarkKind, u64)> =
            ledger.remarks.iter().map(|remark| (remark.kind, remark.count)).collect();
        assert_eq!(
            kinds,
            [
                (RemarkKind::UnsupportedPictures, 3),
                (RemarkKind::UnsupportedPictures, 1),
                (RemarkKind::OtherFiles, 2)
            ]
        );
        assert_eq!(ledger.count(RemarkKind::UnsupportedPictures), 4);
    }

    #[test]
    fn what_nobody_looked_at_is_said_in_words() {
        let mut ledger = Ledger { found: 9, ..Ledger::default() };
        assert_eq!((ledger.unseen(), ledger.headline()), (None, None));
        ledger.leave_out(RemarkKind::OtherFiles, 2, "2 files are not pictures");
        assert_eq!((ledger.found, ledger.left_out, ledger.unseen()), (11, 2, None));
        assert_eq!(ledger.headline().as_deref(), Some("2 files left out"));
        assert_eq!(ledger.caveat(), None);
        ledger.leave_out(RemarkKind::UnsupportedPictures, 3, "3 .heic files were left out");
        ledger.add(RemarkKind::FilesMissing, 1, "1 of 9 files is missing");
        assert_eq!(ledger.unseen().as_deref(), Some("3 pictures left out and 1 missing file"));
        assert_eq!(ledger.headline().as_deref(), Some("5 files left out, 1 warning"));
        assert!(ledger.caveat().unwrap().starts_with("not checked: 3 pictures"));
        let mut guess = Ledger::default();
        guess.add(RemarkKind::LayoutGuessed, 4, "a guess");
        assert_eq!(guess.headline().as_deref(), Some("1 remark"));
        guess.add(RemarkKind::DatasetFault, 12, "12 of 12 pictures are dark");
        assert_eq!(guess.caveat().as_deref(), Some("1 fault of the whole dataset"));
    }
}
