//! Labels from the names of shards, where each has the pictures of one class: `cat.tar` and `dog.tar`.

use crate::dataset::names_of_parts::{are_parts, is_answer, is_generic, is_unlabeled, split, split_and_rest};
use crate::dataset::packed::PackedRows;
use chaffinch_data::class_names;
use chaffinch_data::dataset::{DatasetOptions, Folders};
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::ledger::Doubt;
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Names to show in a remark.
const SHOWN: usize = 3;
/// What shards are called that have no name of their own.
const SHARDS: [&str; 12] = [
    "shard",
    "shards",
    "part",
    "parts",
    "chunk",
    "chunks",
    "batch",
    "block",
    "wds",
    "webdataset",
    "archive",
    "tar",
];

/// Takes the labels of samples from the names of their shards if each shard has a name of its own and these are not splits, parts
/// or numbers; whether it did.
pub(super) fn take(
    shards: &[&Path],
    rows: &mut PackedRows,
    options: &DatasetOptions,
    ledger: &mut Ledger,
) -> bool {
    let names: Vec<&OsStr> = shards.iter().map(|shard| class(shard)).collect();
    let different: BTreeSet<&OsStr> = names.iter().copied().collect();
    let own = |name: &OsStr| {
        let lower = name.to_string_lossy().to_lowercase();
        let plain = lower.trim_matches(|c: char| !c.is_alphanumeric());
        plain.chars().any(char::is_alphabetic)
            && !SHARDS.contains(&plain)
            && split(name).is_none()
            && split_and_rest(name).is_none()
            && !is_generic(name)
            && !is_answer(name)
            && !is_unlabeled(name)
    };
    let are = different.len() > 1
        && options.folders != Folders::Splits
        && different.iter().all(|name| own(name))
        && !are_parts(different.iter().copied());
    if !are {
        return false;
    }
    let containers: Vec<usize> = rows.containers().collect();
    for (member, container) in rows.members_mut().iter_mut().zip(containers) {
        member.label = names.get(container).map(|name| class_names::of_bytes(name.as_bytes()));
    }
    let count = rows.members().len() as u64;
    let shown: Vec<String> = different.iter().take(SHOWN).map(|name| safe_path(Path::new(name))).collect();
    let more = if different.len() > SHOWN { ", …" } else { "" };
    let text = format!(
        "the labels of {} were taken from the names of the shards, since nothing else gives them: {}{more}",
        counted(count, "image", "images"),
        shown.join(", ")
    );
    let otherwise = "if the shards are parts of the dataset and no classes";
    let other = Folders::Splits.name().to_owned();
    let remark = format!("{text}; {otherwise}, use --layout {other}");
    ledger.doubt = Some(Doubt { text, otherwise: otherwise.to_owned(), other });
    ledger.add(RemarkKind::LayoutDoubtful, count, remark);
    true
}

/// The name of a shard without its number: `cat` of `train/cat-000003.tar`.
fn class(shard: &Path) -> &OsStr {
    let stem = shard.file_stem().unwrap_or_default().as_bytes();
    let letters = stem.len() - stem.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let name = match stem.get(..letters) {
        // Of a shard that is called by its number alone, the folder is its name.
        Some([]) | None => return shard.parent().and_then(Path::file_name).unwrap_or_default(),
        Some(name) if letters < stem.len() => {
            name.strip_suffix(b"-").or(name.strip_suffix(b"_")).unwrap_or(name)
        }
        Some(name) => name,
    };
    OsStr::from_bytes(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_class_is_that_without_the_number() {
        let name = |path: &str| class(Path::new(path)).to_string_lossy().into_owned();
        assert_eq!(name("cat.tar"), "cat");
        assert_eq!(name("train/cat-000003.tar"), "cat");
        assert_eq!(name("dog/0001.tar"), "dog");
        assert_eq!(name("a.b_7.tar"), "a.b");
        assert_eq!(name("0001.tar"), "");
    }
}
