//! Class folders without a sample: empty ones, and those all of whose files were left out.

use super::layout::Layout;
use super::left_out::LeftOut;
use crate::dataset::names_of_parts::{is_answer, is_generic};
use chaffinch_data::manifest::NewSample;
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Names to show in a remark.
const SHOWN: usize = 4;

/// Remarks on the folders that stand beside class folders or splits and have no sample. `empty` are all folders without a
/// file in them or below them.
pub(super) fn enter(
    layout: &Layout,
    samples: &[NewSample],
    empty: &[PathBuf],
    left_out: &LeftOut,
    ledger: &mut Ledger,
) {
    let mut known: BTreeSet<&Path> = BTreeSet::new();
    let mut before = None;
    for sample in samples {
        // Neighbors mostly share their folder.
        let folder = sample.path.parent();
        if folder != before {
            known.extend(layout.meaningful(&sample.path));
            before = folder;
        }
    }
    let beside: BTreeSet<&Path> = known.iter().filter_map(|folder| folder.parent()).collect();
    let stands = |folder: &Path| {
        let parent = folder.parent().unwrap_or(Path::new(""));
        let name = folder.file_name().unwrap_or_default();
        beside.contains(parent) && !is_answer(name) && !is_generic(name)
    };
    let empty: Vec<&Path> = empty.iter().map(PathBuf::as_path).filter(|folder| stands(folder)).collect();
    if !empty.is_empty() {
        let one = "folder beside the classes and splits is empty";
        let folders = counted(empty.len() as u64, one, "folders beside the classes and splits are empty");
        let text = format!("{folders}: {}", list(&empty));
        ledger.add(RemarkKind::ClassesDoubtful, empty.len() as u64, text);
    }
    let gone: Vec<&Path> = left_out
        .folders_of_pictures()
        .flat_map(Path::ancestors)
        .filter(|folder| folder.parent().is_some() && stands(folder) && !holds(samples, folder))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    if !gone.is_empty() {
        let one = "class has no sample, because all of its files were left out";
        let classes = counted(
            gone.len() as u64,
            one,
            "classes have no sample, because all of their files were left out",
        );
        ledger.add(RemarkKind::ClassesDoubtful, gone.len() as u64, format!("{classes}: {}", list(&gone)));
    }
}

/// Whether a folder has a sample in it or below it. Samples are in byte order.
fn holds(samples: &[NewSample], folder: &Path) -> bool {
    let mut prefix = folder.as_os_str().as_encoded_bytes().to_vec();
    prefix.push(b'/');
    let at = samples.partition_point(|sample| sample.path.as_os_str().as_encoded_bytes() < prefix.as_slice());
    samples.get(at).is_some_and(|sample| sample.path.as_os_str().as_encoded_bytes().starts_with(&prefix))
}

fn list(folders: &[&Path]) -> String {
    let shown: Vec<String> = folders.iter().take(SHOWN).map(|folder| safe_path(folder)).collect();
    let more = if folders.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
