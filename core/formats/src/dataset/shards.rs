//! Names of shards, which often say the split: `train-00000-of-00002.parquet`, `val/000003.tar`.

use super::names_of_parts::split_named;
use crate::tally::Tally;
use chaffinch_protocol::display::{counted, safe_text};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

/// What follows from a shard whose samples cannot be listed, and what to do.
pub(super) const NOTHING_SCANNED: &str =
    "nothing was scanned; get the file anew, or move it out of the dataset to go on without its samples";

/// The split that a shard is named after, as it is spelled: one of its folders, its name, or a word of its name; empty if
/// there is none, or several. Of a shard that is the dataset itself, and therefore has no path in it, the name counts.
pub(super) fn split_in(dataset: &Path, shard: &Path) -> String {
    match shard.as_os_str().is_empty() {
        true => split_of(Path::new(dataset.file_name().unwrap_or_default())),
        false => split_of(shard),
    }
}

fn split_of(shard: &Path) -> String {
    let folders = shard.parent().into_iter().flat_map(Path::iter).filter_map(OsStr::to_str);
    let found: BTreeSet<&str> = folders.filter(|name| split_named(name).is_some()).collect();
    if let Some(folder) = only(&found) {
        return folder.to_owned();
    }
    let stem = shard.file_stem().and_then(OsStr::to_str).unwrap_or_default();
    let whole = stem.split("-0").next().unwrap_or(stem);
    if split_named(whole).is_some() {
        return whole.to_owned();
    }
    // Two letters say nothing in the middle of a name.
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() > 2);
    let found: BTreeSet<&str> = words.filter(|word| split_named(word).is_some()).collect();
    only(&found).unwrap_or_default().to_owned()
}

fn only<'a>(found: &BTreeSet<&'a str>) -> Option<&'a str> {
    found.first().copied().filter(|_| found.len() == 1)
}

/// Says that splits were taken from the names of shards.
pub(super) fn tell(splits: &[String], ledger: &mut Ledger) {
    let named = splits.iter().filter(|split| !split.is_empty()).count() as u64;
    let names: BTreeSet<&String> = splits.iter().filter(|split| !split.is_empty()).collect();
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    let files = counted(named, "file", "files");
    let text = format!("splits were taken from the names of {files} or their folders: {}", names.join(", "));
    ledger.add(RemarkKind::LayoutGuessed, named, text);
}

/// Samples that say another split than the name of their shard does, or what declares it.
#[derive(Debug, Default)]
pub(super) struct Contradicted(Tally<[String; 2]>);

impl Contradicted {
    /// A sample that says this split, in a shard of that one; either may be empty.
    pub(super) fn hear(&mut self, said: &str, shard: &str) {
        // Most samples say what their shard does, or nothing.
        if said == shard || said.is_empty() || shard.is_empty() {
            return;
        }
        let (Some(own), Some(named)) = (split_named(said), split_named(shard)) else { return };
        if own != named {
            self.0.add(|| [said, shard].map(|split| safe_text(split).into_owned()));
        }
    }

    pub(super) fn tell(&self, ledger: &mut Ledger) {
        let Some((count, [own, named])) = self.0.told() else { return };
        let text = format!(
            "{} another split than their file, whose split was not taken: '{own}' in a file of '{named}'",
            counted(count, "sample says", "samples say")
        );
        ledger.add(RemarkKind::LayoutDoubtful, count, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_are_found_in_names() {
        for (name, split) in [
            ("data/train-00000-of-00002.parquet", "train"),
            ("validation-00000-of-00001.parquet", "validation"),
            ("cifar10-train-0003.tar", "train"),
            ("val/000003.tar", "val"),
            ("imagenet_val_07.tar", "val"),
            ("shard-000.tar", ""),
            ("train-test-01.tar", ""),
            ("test.parquet", "test"),
        ] {
            assert_eq!(split_of(Path::new(name)), split, "{name}");
        }
    }
}
