//! YOLO's files of boxes with other classes, or gone with their pictures, and names that are added to the description.

use super::boxes;
use super::description::Description;
use super::lists;
use crate::dataset::DatasetOptions;
use crate::dataset::annotated::Annotated;
use crate::dataset::rewrite::{self, EntryChanges, NewFile};
use crate::text::Document;
use crate::{Error, Result};
use chaffinch_data::class_names;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Files of boxes.
pub(super) fn file(read: &Annotated, changes: &EntryChanges, _: &DatasetOptions) -> Result<Vec<NewFile>> {
    let described = Description::read(&read.file)?.and_then(|found| found.names);
    let boxes_of: HashSet<&Path> = read.entries.iter().filter_map(|entry| entry.file.as_deref()).collect();
    let is_list = |path: &Path| read.lists.iter().any(|(_, list)| list == path);
    let list = read.also.iter().find(|path| !boxes_of.contains(path.as_path()) && !is_list(path)).cloned();
    let (names_file, names) = match (described, list) {
        (Some(names), _) => (Some(read.file.clone()), names.0),
        (None, Some(file)) => {
            let (text, _) = Document::read(&file)?.into_string(&file)?;
            let names = (0..).zip(text.trim_end().lines().map(|line| line.trim().to_owned())).collect();
            (Some(file), names)
        }
        (None, None) => (None, BTreeMap::new()),
    };
    let mut known: BTreeMap<u64, String> = names;
    let mut added: Vec<(u64, String)> = Vec::new();
    let mut all: Vec<NewFile> = lists::edited(read, changes)?;
    for (at, change) in changes {
        let Some(entry) = read.entries.get(*at) else { continue };
        let Some(boxes_file) = &entry.file else {
            if change.label.is_some() && !change.remove {
                let message = "a picture without a file of boxes cannot get a label; draw its box first";
                return Err(Error::format(&read.file, message));
            }
            continue;
        };
        if change.remove {
            all.push((boxes_file.clone(), None));
            continue;
        }
        if change.label.is_none() && change.path.is_none() {
            continue;
        }
        let text = fs::read(boxes_file).map_err(Error::io("read", boxes_file))?;
        let mut new = text.clone();
        if let Some(label) = &change.label {
            let number = |name: &str, known: &BTreeMap<u64, String>| {
                known.iter().find(|(_, own)| class_names::same(own, name)).map(|(number, _)| *number)
            };
            let old = number(&change.old, &known).or_else(|| change.old.parse().ok());
            let to = match number(label, &known) {
                Some(to) => to,
                None if names_file.is_none() => label.parse().map_err(|_| {
                    Error::format(
                        boxes_file,
                        format!("nothing names the classes, so that '{label}' has no number"),
                    )
                })?,
                None => {
                    let to = known.keys().next_back().map_or(0, |last| last + 1);
                    known.insert(to, label.clone());
                    added.push((to, label.clone()));
                    to
                }
            };
            new = boxes::relabeled(&text, old, to);
            if new == text {
                return Err(Error::format(
                    boxes_file,
                    format!("it has no box of the class '{}'", change.old),
                ));
            }
        }
        match &change.path {
            None => all.push((boxes_file.clone(), Some(new))),
            Some(path) => {
                let Some(to) = moved(boxes_file, &read.home, &entry.name, path) else {
                    let message = "its place does not follow that of its picture, which moves";
                    return Err(Error::format(boxes_file, message));
                };
                all.push((boxes_file.clone(), None));
                all.push((to, Some(new)));
            }
        }
    }
    if let Some(file) = names_file.filter(|_| !added.is_empty()) {
        let document = Document::read(&file)?;
        let mark = document.mark;
        let (text, encoding) = document.into_string(&file)?;
        let new = match file == read.file && Description::read(&file)?.is_some() {
            true => with_names(&text, &added)
                .ok_or_else(|| Error::format(&file, "its names cannot be added to; write them as a list"))?,
            false => {
                let lines: String = added.iter().map(|(_, name)| format!("{name}\n")).collect();
                format!("{}\n{lines}", text.trim_end_matches(['\n', '\r']))
            }
        };
        all.push((file.clone(), Some(rewrite::encoded(&file, &new, mark, encoding)?)));
    }
    Ok(all)
}

/// Where a file of boxes goes if its picture does: the same folders change above both.
fn moved(file: &Path, root: &Path, old: &Path, new: &Path) -> Option<PathBuf> {
    let own = file.strip_prefix(root).ok()?;
    let labels = |path: &Path| -> PathBuf {
        let is = |part: &std::ffi::OsStr| ["images", "Images", "JPEGImages"].iter().any(|name| part == *name);
        let parts: Vec<_> = path.iter().collect();
        let at = parts.iter().rposition(|part| is(part));
        let put = |(place, part): (usize, &&std::ffi::OsStr)| match Some(place) == at {
            true => PathBuf::from("labels"),
            false => PathBuf::from(part),
        };
        parts.iter().enumerate().map(put).collect::<PathBuf>().with_extension("txt")
    };
    if own == labels(old) {
        return Some(root.join(labels(new)));
    }
    (own == old.with_extension("txt")).then(|| root.join(new.with_extension("txt")))
}

/// The description with more names at the end of its list.
fn with_names(text: &str, added: &[(u64, String)]) -> Option<String> {
    let quoted = |name: &str| format!("'{}'", name.replace('\'', "''"));
    let (mut at, mut found) = (0, None);
    for line in text.split_inclusive('\n') {
        if line.starts_with("names:") {
            found = Some((at, at + line.len()));
            break;
        }
        at += line.len();
    }
    let (start, end) = found?;
    let value = text[start + 6..end].split(" #").next()?.trim();
    let new = match value.chars().next() {
        Some(bracket @ ('[' | '{')) => {
            let close = if bracket == '[' { ']' } else { '}' };
            let open = start + text[start..].find(bracket)?;
            let end = open + text[open..].find(close)?;
            let more: Vec<String> = added
                .iter()
                .map(|(number, name)| match bracket {
                    '[' => quoted(name),
                    _ => format!("{number}: {}", quoted(name)),
                })
                .collect();
            let inside = text[open + 1..end].trim_end();
            let comma = if inside.is_empty() || inside.ends_with(',') { "" } else { ", " };
            let from = open + 1 + inside.len();
            format!("{}{comma}{}{}", &text[..from], more.join(", "), &text[from..])
        }
        Some(_) => return None,
        None => {
            let (mut last, mut at) = (None, end);
            for line in text[end..].split_inclusive('\n') {
                let bare = line.trim();
                let inner = line.starts_with([' ', '\t']) || line.starts_with('-');
                if !bare.is_empty() && !bare.starts_with('#') {
                    if !inner {
                        break;
                    }
                    last = Some((at, line));
                }
                at += line.len();
            }
            let (at, line) = last?;
            let indent = &line[..line.len() - line.trim_start().len()];
            let is_list = line.trim_start().starts_with('-');
            let more: String = added
                .iter()
                .map(|(number, name)| match is_list {
                    true => format!("{indent}- {}\n", quoted(name)),
                    false => format!("{indent}{number}: {}\n", quoted(name)),
                })
                .collect();
            let end = at + line.len();
            let gap = if line.ends_with('\n') { "" } else { "\n" };
            format!("{}{gap}{more}{}", &text[..end], &text[end..])
        }
    };
    // How many there are.
    let count = |line: &str| -> Option<String> {
        let rest = line.strip_prefix("nc:")?;
        let number = rest.split(" #").next()?.trim();
        let more = number.parse::<usize>().ok()? + added.len();
        Some(line.replacen(number, &more.to_string(), 1))
    };
    Some(new.split_inclusive('\n').map(|line| count(line).unwrap_or_else(|| line.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::with_names;

    #[test]
    fn names_are_added_in_every_form() {
        let added = [(2, "co'w".to_owned())];
        for (text, expected) in [
            ("nc: 2\nnames: [cat, dog]\n", "nc: 3\nnames: [cat, dog, 'co''w']\n"),
            ("names:\n- cat\n- dog\nnc: 2 # two\n", "names:\n- cat\n- dog\n- 'co''w'\nnc: 3 # two\n"),
            ("names:\n  0: cat\n  1: dog", "names:\n  0: cat\n  1: dog\n  2: 'co''w'\n"),
            ("names: {0: cat, 1: dog} # all\n", "names: {0: cat, 1: dog, 2: 'co''w'} # all\n"),
            (
                "names: [\n  'cat',\n  'dog',\n]\ntrain: a\n",
                "names: [\n  'cat',\n  'dog','co''w'\n]\ntrain: a\n",
            ),
        ] {
            assert_eq!(with_names(text, &added).unwrap(), expected);
        }
        assert_eq!(with_names("names: x\n", &added), None);
    }
}
