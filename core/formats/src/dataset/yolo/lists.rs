//! Lists of the pictures of splits, a path a line, with lines that go, come or change.

use super::below_root;
use crate::dataset::annotated::Annotated;
use crate::dataset::places::{self, Found};
use crate::dataset::rewrite::{EntryChanges, NewFile};
use crate::{Error, Result};
use chaffinch_protocol::display::safe_path;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the pictures are that the lines of a list in `folder` name: relative to that or to the dataset, absolute, or with the
/// leading folders of another computer.
pub(super) fn find(
    lines: &[&str],
    folder: &Path,
    home: &Path,
    exists: &dyn Fn(&Path) -> Option<PathBuf>,
) -> Found {
    let plain: Vec<PathBuf> = lines.iter().map(|line| PathBuf::from(line.replace('\\', "/"))).collect();
    let names: Vec<&Path> = lines
        .iter()
        .zip(&plain)
        .map(
            |(line, plain)| {
                if exists(&folder.join(line)).is_some() { Path::new(*line) } else { plain.as_path() }
            },
        )
        .collect();
    let mut folders = vec![folder.to_path_buf()];
    if folder != home {
        folders.push(home.to_path_buf());
    }
    places::find(&names, &folders, exists, true)
}

/// A list that changes.
struct List<'a> {
    file: &'a Path,
    old: String,
    lines: Vec<String>,
}

/// The lists after these changes; those that stay as they are are left out.
///
/// # Errors
/// When a list cannot be read, or a picture gets a split that has none.
pub(super) fn edited(read: &Annotated, changes: &EntryChanges) -> Result<Vec<NewFile>> {
    let by_path: HashMap<&Path, usize> =
        read.entries.iter().enumerate().map(|(at, entry)| (entry.name.as_path(), at)).collect();
    let mut lists: BTreeMap<u8, List<'_>> = BTreeMap::new();
    for (split, file) in &read.lists {
        let old = fs::read_to_string(file).map_err(Error::io("read", file))?;
        let lines = old.split_inclusive('\n').map(str::to_owned).collect();
        lists.entry(split.code()).or_insert(List { file, old, lines });
    }
    let mut come: Vec<(u8, PathBuf, String)> = Vec::new();
    for list in lists.values_mut() {
        let folder = list.file.parent().unwrap_or(&read.home);
        let mut kept = Vec::new();
        let lines = std::mem::take(&mut list.lines);
        let bare: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
        let exists = |path: &Path| {
            let own = below_root(&read.home, path)?;
            by_path.contains_key(own.as_path()).then(|| read.home.join(own))
        };
        let found = find(&bare, folder, &read.home, &exists);
        for (line, place) in lines.iter().zip(found.paths) {
            let (bare, line) = (line.trim(), line.clone());
            let entry = place.and_then(|place| by_path.get(below_root(&read.home, &place)?.as_path()));
            let Some(change) = entry.and_then(|entry| changes.get(entry)) else {
                kept.push(line);
                continue;
            };
            if change.remove {
                continue;
            }
            let mut new = line.clone();
            if let (Some(place), Some(entry)) = (&change.path, entry) {
                let (from, to) = (read.entries[*entry].name.to_string_lossy(), place.to_string_lossy());
                let Some(begin) = bare.strip_suffix(&*from) else {
                    let message = format!("its line '{bare}' does not name a picture that moves by its path");
                    return Err(Error::format(list.file, message));
                };
                new = line.replacen(bare, &format!("{begin}{to}"), 1);
            }
            match &change.split {
                Some((split, _)) => come.push((split.code(), folder.to_path_buf(), new)),
                None => kept.push(new),
            }
        }
        list.lines = kept;
    }
    for (code, folder, line) in come {
        match lists.get_mut(&code).filter(|list| list.file.parent() == Some(&folder)) {
            Some(list) => {
                if let Some(last) = list.lines.last_mut().filter(|last| !last.ends_with('\n')) {
                    last.push('\n');
                }
                let end = if line.ends_with('\n') { "" } else { "\n" };
                list.lines.push(format!("{line}{end}"));
            }
            None => {
                let message = format!(
                    "there is no list of that split in {}, so that a picture cannot be moved to it; add one",
                    safe_path(&folder)
                );
                return Err(Error::format(&read.file, message));
            }
        }
    }
    let new = lists.into_values().filter_map(|list| {
        let text = list.lines.concat();
        (text != list.old).then(|| (list.file.to_path_buf(), Some(text.into_bytes())))
    });
    Ok(new.collect())
}
