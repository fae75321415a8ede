//! Rows that say their split mean no sample of another.

use crate::dataset::split_of_folder;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::{SampleId, Split};
use std::path::Path;

/// Words of a column of splits that say none.
const NONE: [&str; 7] = ["", "none", "null", "nan", "n/a", "-", "all"];

/// A word in a column of splits that is none of the usual ones; empty if it says none. Numbers are those of folds.
pub(crate) fn other_word(word: &str) -> &str {
    let word = word.trim();
    let is_none = NONE.iter().any(|none| word.eq_ignore_ascii_case(none));
    if is_none || word.parse::<f64>().is_ok() { "" } else { word }
}

/// Whether a name in a row of this split may mean a sample, unless it is in another split, and the name is not its whole path. The word counts if the
/// split is none. A dataset without splits in a folder that is called after one is this split.
pub(crate) fn may_mean((name, said, word): (&[u8], Split, &str), id: SampleId, manifest: &Manifest) -> bool {
    if said == Split::None && word.is_empty() {
        return true;
    }
    let written = manifest.split_as_written(id);
    let is_same = |own: Split| match said {
        Split::None => written.trim().eq_ignore_ascii_case(word),
        said => own == said,
    };
    match manifest.split(id) {
        Split::None if !written.trim().is_empty() => is_same(Split::None) || ends_in(name, manifest.path(id)),
        Split::None => {
            let folder = manifest.root().file_name().unwrap_or_default();
            match split_of_folder(folder) {
                None => true,
                Some(own) => is_same(own) || ends_in(name, &Path::new(folder).join(manifest.path(id))),
            }
        }
        own => is_same(own) || ends_in(name, manifest.path(id)),
    }
}

fn ends_in(name: &[u8], path: &Path) -> bool {
    Path::new(&String::from_utf8_lossy(name).replace('\\', "/")).ends_with(path)
}
