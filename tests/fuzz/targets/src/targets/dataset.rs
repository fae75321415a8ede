//! What targets of dataset formats share.

use crate::stage::{Stage, play};
use chaffinch_data::dataset::{DatasetOptions, LabelFiles};
use chaffinch_formats::Result;
use chaffinch_formats::dataset::{Opened, open};
use std::path::Path;

/// Samples whose bytes are read of each dataset.
const READ: usize = 8;

/// A dataset of which one file is the input, and what of it is opened: a path below its folder, empty for all.
pub(super) type Case = (Stage, &'static str);

/// Reads the case that the input chooses.
pub(super) fn run(target: &'static str, cases: &[Case], bytes: &[u8]) {
    let stages: Vec<Stage> = cases.iter().map(|case| case.0).collect();
    play(target, &stages, bytes, |number, folder| {
        let below = cases[number].1;
        let path = if below.is_empty() { folder.to_path_buf() } else { folder.join(below) };
        read(&path);
    });
}

/// The cases as they should be.
pub(super) fn seeds(cases: &[Case]) -> Vec<Vec<u8>> {
    let stages: Vec<Stage> = cases.iter().map(|case| case.0).collect();
    crate::stage::seeds(&stages)
}

/// Opens a dataset; one whose files of labels are recognized and refused, without them, so that what is behind is reached.
fn opened(path: &Path) -> Result<Opened> {
    let some = DatasetOptions { label_files: LabelFiles::Optional, ..DatasetOptions::default() };
    open(path, &DatasetOptions::default()).or_else(|_| open(path, &some))
}

/// Opens a dataset and reads a few samples.
pub(super) fn read(path: &Path) {
    let Ok(opened) = opened(path) else { return };
    let manifest = &opened.manifest;
    let ledger = &opened.ledger;
    if manifest.packing().is_none() && path.is_dir() {
        assert_eq!(ledger.found, manifest.len() as u64 + ledger.left_out, "{ledger:?}");
    }
    manifest.ids().take(READ).for_each(|id| {
        assert!(manifest.label(id).is_none_or(|label| label.index() < manifest.classes().len()));
        drop(manifest.source(id).read());
    });
}

#[cfg(test)]
mod tests {
    use super::super::{annotations, archives, arrow, binaries, labels, parquet, tables};
    use super::*;
    use crate::stage::seeds;

    /// A seed that is refused at once reaches nothing.
    #[test]
    fn every_seed_is_a_dataset() {
        let all = [
            annotations::CASES,
            archives::CASES,
            arrow::CASES,
            binaries::CASES,
            labels::CASES,
            parquet::CASES,
            tables::CASES,
        ];
        for (group, cases) in all.iter().enumerate() {
            let stages: Vec<Stage> = cases.iter().map(|case| case.0).collect();
            for (seed, (stage, below)) in seeds(&stages).iter().zip(*cases) {
                let name = ["0", "1", "2", "3", "4", "5", "6"][group];
                play(name, &stages, seed, |_, folder| {
                    let path = if below.is_empty() { folder.to_path_buf() } else { folder.join(below) };
                    let opened = opened(&path).unwrap_or_else(|error| panic!("{}: {error}", stage.varied));
                    assert!(!opened.manifest.is_empty(), "{}", stage.varied);
                });
            }
        }
    }
}
