//! Lists of ImageNet with other classes. In a list by number, the line of a picture that goes stays: the pictures after it
//! keep their numbers.

use super::{Kind, kind, synsets_of};
use crate::dataset::annotated::{Annotated, refuse};
use crate::dataset::rewrite::{self, EntryChange, EntryChanges, NewFile};
use crate::text::Document;
use crate::{Error, Result};
use chaffinch_protocol::display::{excerpt, safe_path};
use std::collections::BTreeMap;
use std::path::Path;

/// A list.
pub(super) fn file(
    read: &Annotated,
    changes: &EntryChanges,
    _: &crate::dataset::DatasetOptions,
) -> Result<Vec<NewFile>> {
    let name = read.file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let document = Document::read(&read.file)?;
    let (mark, encoding) = (document.mark, document.encoding);
    let (text, _) = document.into_string(&read.file)?;
    let mut by_stem: BTreeMap<&str, &EntryChange> = BTreeMap::new();
    for (at, change) in changes {
        let stem = read.entries.get(*at).and_then(|entry| entry.name.file_stem()?.to_str());
        by_stem.extend(stem.map(|stem| (stem, change)));
    }
    let new = match kind(&name) {
        Some(Kind::Solution) => solution(&read.file, &text, &by_stem)?,
        Some(kind) => by_number(read, kind, &text, &by_stem)?,
        None => return refuse(read, changes, &crate::dataset::DatasetOptions::default()),
    };
    Ok(if new == text {
        Vec::new()
    } else {
        vec![(read.file.clone(), Some(rewrite::encoded(&read.file, &new, mark, encoding)?))]
    })
}

/// A class as a word of a list.
fn word<'a>(file: &Path, label: &'a str) -> Result<&'a str> {
    match label.is_empty() || label.contains(|c: char| c.is_whitespace() || c == ',' || c == '"') {
        true => {
            let message = format!("its classes are single words, so that none can be '{}'", excerpt(label));
            Err(Error::format(file, message))
        }
        false => Ok(label),
    }
}

/// `ImageId,PredictionString`: the class is before each box.
fn solution(file: &Path, text: &str, by_stem: &BTreeMap<&str, &EntryChange>) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (name, rest) = line.split_once(',').unwrap_or((line, ""));
        match by_stem.get(name.trim().trim_matches('"')) {
            None => out += line,
            Some(change) if change.remove => {}
            Some(EntryChange { label: None, .. }) => out += line,
            Some(change @ EntryChange { label: Some(label), .. }) => {
                let label = word(file, label)?;
                out += name;
                out.push(',');
                for part in rest.split_inclusive([' ', '"', '\r', '\n']) {
                    let bare = part.trim_end_matches([' ', '"', '\r', '\n']);
                    match !bare.is_empty() && change.is_old(bare) {
                        true => out.extend([label, &part[bare.len()..]]),
                        false => out += part,
                    }
                }
            }
        }
    }
    Ok(out)
}

/// A line for each picture, in the order of the numbers at the ends of their names.
fn by_number(
    read: &Annotated,
    kind: Kind,
    text: &str,
    by_stem: &BTreeMap<&str, &EntryChange>,
) -> Result<String> {
    let map = read.also.first().filter(|_| kind == Kind::Numbers);
    let ids = map.map(|map| synsets_of(map)).transpose()?;
    let mut new: BTreeMap<usize, String> = BTreeMap::new();
    for (stem, change) in by_stem {
        let Some(label) = change.label.as_deref().filter(|_| !change.remove) else { continue };
        let digits = stem.trim_start_matches(|c: char| !c.is_ascii_digit());
        let digits = digits.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        let Some(line) = digits.parse::<usize>().ok().and_then(|number| number.checked_sub(1)) else {
            continue;
        };
        let value = match (&ids, map) {
            (Some(ids), Some(map)) => {
                let found = ids.iter().find(|(_, id)| id.as_str() == label).map(|(number, _)| number.clone());
                found.ok_or_else(|| {
                    let message =
                        format!("{} has no number for the class '{}'", safe_path(map), excerpt(label));
                    Error::format(&read.file, message)
                })?
            }
            _ => word(&read.file, label)?.to_owned(),
        };
        new.insert(line, value);
    }
    let lines = text.split_inclusive('\n').enumerate().map(|(at, line)| match new.get(&at) {
        Some(value) => {
            let end = &line[line.trim_end_matches(['\r', '\n']).len()..];
            format!("{value}{end}")
        }
        None => line.to_owned(),
    });
    Ok(lines.collect())
}
