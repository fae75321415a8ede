//! What reading a dataset found beside its samples: the ledger.
//!
//! Every file below a folder, and every row of a table, is either a sample or stands in the ledger with a reason. What
//! was guessed, merged or is doubtful stands there too, so that no report can say "none" of what nobody looked at.

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
    /// Samples whose file does not exist.
    FilesMissing,
    /// Samples whose file exists and could not be decoded or read.
    FilesUnreadable,
    /// Pictures in a format that is not supported.
    UnsupportedPictures,
    /// Folders that could not be listed.
    FoldersNotListed,
    /// Labels that were expected and not found.
    LabelsMissing,
    /// Class names that look like one class spelled twice, or are otherwise doubtful.
    ClassesDoubtful,
    /// Class names that were merged, or words that were taken as "no label".
    ClassesMerged,
    /// Splits or layouts that were inferred, where another reading is possible.
    LayoutGuessed,
    /// A text encoding or delimiter that was detected.
    Encoding,
    /// Rows that repeat the path of another row.
    RowsRepeated,
    /// Folders and files made by machines: thumbnails, caches, checkpoints, hidden files.
    MachineMade,
    /// Files that are no pictures.
    OtherFiles,
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
        ledger.add(RemarkKind::OtherFiles, 2, "2 files are no pictures");
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
}
