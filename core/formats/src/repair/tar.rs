//! Tar files with members removed, renamed or relabeled. The blocks of all other members are copied as they are.

use super::output::Output;
use super::refusal::refused;
use super::tar_classes::Numbers;
use crate::dataset::{LABEL_NAMES, WebdatasetPart, clean_name, json_like, json_set, webdataset_parts};
use crate::{Error, Result};
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_review::repair::Change;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use tar::{Archive, Builder, EntryType, Header};

/// Bytes of a block.
const BLOCK: u64 = 512;
/// How long a member may be that says the label.
const LONGEST: u64 = 1 << 20;

/// What a member of a class says where there is none.
const NO_CLASS: &str = "-1";

/// A member of a tar file.
pub(super) struct Member {
    pub(super) name: PathBuf,
    /// Where its blocks begin, with those that hold a long name or attributes.
    begin: u64,
    /// Where its bytes are.
    start: u64,
    length: u64,
    header: Header,
    /// Whether it is an ordinary file.
    is_file: bool,
}

impl Member {
    /// Where its blocks end.
    fn end(&self) -> u64 {
        self.start + self.length.next_multiple_of(BLOCK)
    }
}

/// All members of a file in their order, whatever they are.
///
/// # Errors
/// When it cannot be read, or is cut or damaged.
pub(super) fn members(path: &Path) -> Result<Vec<Member>> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    let mut archive = Archive::new(BufReader::with_capacity(1 << 10, file));
    let damaged = |error: io::Error| Error::format(path, format!("it is cut or damaged: {error}"));
    let mut all: Vec<Member> = Vec::new();
    for entry in archive.entries_with_seek().map_err(Error::io("read", path))? {
        let entry = entry.map_err(damaged)?;
        let kind = entry.header().entry_type();
        let member = Member {
            name: clean_name(&entry.path_bytes()),
            begin: all.last().map_or(0, Member::end),
            start: entry.raw_file_position(),
            length: entry.size(),
            header: entry.header().clone(),
            is_file: matches!(kind, EntryType::Regular | EntryType::Continuous),
        };
        if member.start.saturating_add(member.length) > size {
            let name = safe_path(&member.name);
            return Err(damaged(io::Error::other(format!("{name} ends too early"))));
        }
        all.push(member);
    }
    Ok(all)
}

/// A part of the new file.
enum Part {
    /// Bytes of the old one.
    Old(u64, u64),
    New(Vec<u8>),
}

/// A new tar file as parts of the old one.
pub(super) struct Parts(Vec<Part>);

/// A change to one picture.
pub(super) struct Wanted<'a> {
    pub(super) change: &'a Change,
    /// Where its bytes are.
    pub(super) start: u64,
    /// Its new name, where that says its label.
    pub(super) renamed: Option<PathBuf>,
    /// What else of it says the label, by key or kind of member, as it goes with the new one.
    pub(super) beside: Vec<(String, String)>,
}

/// What becomes of a member.
enum Fate {
    Drop,
    /// It gets another name.
    Rename(PathBuf),
    /// It gets other bytes.
    Replace(Vec<u8>),
}

impl Parts {
    /// The file with these changes; each with the new name of its picture, if it gets one. `column` is where the labels were
    /// asked to be, if not as usual; `numbers` has those of classes, to which new ones are added.
    ///
    /// # Errors
    /// When a change cannot be made in a tar file.
    pub(super) fn new(
        path: &Path,
        members: &[Member],
        changes: &[Wanted<'_>],
        webdataset: bool,
        column: Option<&str>,
        mut numbers: Option<&mut Numbers>,
    ) -> Result<Parts> {
        let mut by_name: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
        let mut by_key: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let in_samples = webdataset_parts(members.iter().map(|member| member.name.as_path()));
        let by_start: BTreeMap<u64, usize> =
            members.iter().enumerate().rev().map(|(index, member)| (member.start, index)).collect();
        for (index, member) in members.iter().enumerate().filter(|(_, member)| member.is_file) {
            by_name.entry(&member.name).or_default().push(index);
            by_key.entry(&in_samples[index].key).or_default().push(index);
        }
        let file = File::open(path).map_err(Error::io("read", path))?;
        let mut fates: BTreeMap<usize, Fate> = BTreeMap::new();
        for Wanted { change, start, renamed, beside } in changes {
            let shown = safe_path(&change.path.path());
            let Some(&at) = by_start.get(start) else {
                return Err(refused(path, format!("{shown} is not in it; make a new plan")));
            };
            let name = members[at].name.as_path();
            // Earlier members of the same name, too: the last one would no longer hide them.
            let own = by_name.get(name).map_or(&[][..], Vec::as_slice);
            let sample = by_key.get(in_samples[at].key.as_str()).filter(|_| webdataset);
            let all = sample.map_or(own, Vec::as_slice);
            if change.remove {
                fates.extend(all.iter().map(|&index| (index, Fate::Drop)));
            } else if !webdataset {
                let to = renamed.as_ref().filter(|_| name == change.path.path());
                let Some(to) = to else {
                    let message = format!(
                        "the path of {shown} is not the name of its member, so it cannot be relabeled"
                    );
                    return Err(refused(path, message));
                };
                fates.extend(own.iter().map(|&index| (index, Fate::Rename(to.clone()))));
            } else if let Some(split) = change.to_split {
                let message =
                    format!("the split of {shown} is that of its shard, so it cannot be moved to {split}");
                return Err(refused(path, message));
            } else if let Some(label) = &change.to_label {
                let own: Vec<(usize, &WebdatasetPart)> =
                    all.iter().map(|&index| (index, &in_samples[index])).collect();
                let numbers = numbers.as_deref_mut();
                let labels = Labels { column, old: &change.label, new: label, beside };
                let (said, others) = relabeled(&file, path, members, &own, numbers, &labels)?;
                if said.is_empty() {
                    let says = match column {
                        Some(column) => format!("no member says '{}'", safe_text(column)),
                        None => "no cls or json member says the label".to_owned(),
                    };
                    return Err(refused(path, format!("{says} of {shown}, so it cannot be relabeled")));
                }
                let new = said.into_iter().chain(others);
                fates.extend(new.map(|(index, text)| (index, Fate::Replace(text.into_bytes()))));
            }
        }
        let size = file.metadata().map_err(Error::io("read", path))?.len();
        let mut parts = Parts(Vec::new());
        for (index, member) in members.iter().enumerate() {
            match fates.get(&index) {
                None => parts.old(member.begin, member.end()),
                Some(Fate::Drop) => {}
                Some(Fate::Rename(to)) => {
                    parts.0.push(Part::New(header(path, member, to, member.length)?));
                    parts.old(member.start, member.end());
                }
                Some(Fate::Replace(bytes)) => {
                    let mut blocks = header(path, member, &member.name, bytes.len() as u64)?;
                    blocks.extend_from_slice(bytes);
                    blocks.resize((blocks.len() as u64).next_multiple_of(BLOCK) as usize, 0);
                    parts.0.push(Part::New(blocks));
                }
            }
        }
        // The zeros at the end.
        parts.old(members.last().map_or(0, Member::end).min(size), size);
        Ok(parts)
    }

    fn old(&mut self, from: u64, to: u64) {
        match self.0.last_mut() {
            Some(Part::Old(_, end)) if *end == from => *end = to,
            _ if from < to => self.0.push(Part::Old(from, to)),
            _ => {}
        }
    }

    /// Writes the new file.
    pub(super) fn write(&self, source: &Path, out: &mut Output<'_>, job: &Job<'_>) -> Result<()> {
        let file = File::open(source).map_err(Error::io("read", source))?;
        for part in &self.0 {
            job.checkpoint()?;
            let copied = match part {
                Part::New(bytes) => out.write_all(bytes),
                Part::Old(from, to) => out.range(&file, *from, to - from),
            };
            copied.map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    Error::format(source, "it became shorter while it was copied")
                }
                _ => Error::io("copy", source)(error),
            })?;
        }
        Ok(())
    }
}

/// The blocks before the bytes of a member that gets another name or length.
fn header(path: &Path, member: &Member, name: &Path, length: u64) -> Result<Vec<u8>> {
    let mut header = member.header.clone();
    header.set_size(length);
    let mut builder = Builder::new(Vec::new());
    let written = builder.append_data(&mut header, name, io::empty());
    // What the builder adds at its end when it is dropped goes to its own buffer.
    written.map(|()| builder.get_ref().clone()).map_err(|error| {
        refused(
            path,
            format!("{} cannot be written as {}: {error}", safe_path(&member.name), safe_path(name)),
        )
    })
}

/// What a new label is written as.
struct Labels<'a> {
    /// The column that was asked for, if the labels are not where they usually are.
    column: Option<&'a str>,
    old: &'a str,
    new: &'a str,
    /// What else goes with the new label, by key or kind of member.
    beside: &'a [(String, String)],
}

impl Labels<'_> {
    /// Whether a member alone says the label: one of those that say a class, or the one that was asked for.
    fn are_in(&self, part: &WebdatasetPart) -> bool {
        match self.column {
            Some(column) => part.what != "json" && part.what.eq_ignore_ascii_case(column),
            None => part.says_class(),
        }
    }

    /// The key of a JSON object that says the label, and whether it is the usual one, whose numbers are those of classes.
    fn key<'o>(&self, object: &'o Map<String, Value>) -> Option<(&'o String, bool)> {
        let called = |usual: &str| object.keys().find(|key| key.eq_ignore_ascii_case(usual));
        let usual = LABEL_NAMES.iter().find_map(|usual| called(usual));
        let key = self.column.map_or(usual, called)?;
        Some((key, usual == Some(key)))
    }

    /// What a member says that goes with the label, as it is beside the new one.
    fn beside(&self, part: &WebdatasetPart) -> Option<&str> {
        let found = self.beside.iter().find(|(what, _)| part.what != "json" && *what == part.what);
        found.map(|(_, text)| text.as_str())
    }

    /// A JSON object in which what goes with the label says the new one; `None` if it has none of that.
    fn in_object(&self, text: &str, object: &Map<String, Value>) -> Option<String> {
        let mut new: Option<String> = None;
        for (key, beside) in self.beside {
            if let Some(old) = object.get(key) {
                let value = json_like(Some(old), beside, !old.is_string());
                new = Some(json_set(new.as_deref().unwrap_or(text), key, &value));
            }
        }
        new
    }
}

/// Members with their new texts.
type NewTexts = Vec<(usize, String)>;

/// The members of a sample that say its label, and others that only say what goes with it.
fn relabeled(
    file: &File,
    path: &Path,
    members: &[Member],
    of: &[(usize, &WebdatasetPart)],
    mut numbers: Option<&mut Numbers>,
    labels: &Labels<'_>,
) -> Result<(NewTexts, NewTexts)> {
    let Labels { old, new, .. } = *labels;
    let (mut said, mut others) = (Vec::new(), Vec::new());
    for &(index, part) in of {
        let member = &members[index];
        let alone = labels.are_in(part);
        let beside = labels.beside(part).filter(|_| !alone);
        if !(alone || beside.is_some() || part.what == "json") || member.length > LONGEST {
            continue;
        }
        let mut bytes = vec![0; member.length as usize];
        file.read_exact_at(&mut bytes, member.start).map_err(Error::io("read", path))?;
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        // With the blanks at its ends.
        let bare = text.trim();
        let at = text.len() - text.trim_start().len();
        let instead = |new: &str| [&text[..at], new, &text[at + bare.len()..]].concat();
        if let Some(new) = beside {
            // Readers expect a number where there was one.
            let is_unknown = new.is_empty() && part.says_class() && bare.parse::<i64>().is_ok();
            others.push((index, instead(if is_unknown { NO_CLASS } else { new.trim() })));
            continue;
        }
        if alone {
            let number = match (&mut numbers, bare.parse::<i64>()) {
                (Some(numbers), Ok(_)) if part.says_class() => Some(numbers.of(new)?.to_string()),
                (None, Ok(_)) if bare != old && !old.is_empty() && new.parse::<i64>().is_err() => {
                    let (name, new) = (safe_path(&member.name), safe_text(new));
                    let message = format!(
                        "{name} says {bare}, a number that only the json has a name for, so it is unknown which one \
                         '{new}' has; write the names of all numbers to classes.txt, one a line, and scan again"
                    );
                    return Err(refused(path, message));
                }
                _ => None,
            };
            let new = number.as_deref().unwrap_or(new);
            said.push((index, instead(new)));
            continue;
        }
        let Ok(object) = serde_json::from_str::<Map<String, Value>>(text) else { continue };
        let changed = labels.in_object(text, &object);
        let Some((key, is_usual)) = labels.key(&object).map(|(key, usual)| (key.clone(), usual)) else {
            others.extend(changed.map(|text| (index, text)));
            continue;
        };
        let is_number = object[&key].is_number();
        let written = match &object[&key] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let all = numbers.as_deref_mut().filter(|_| is_number && is_usual);
        let named = all.as_ref().map_or(&*written, |all| all.named(&written)).to_owned();
        let value = match (all, new.parse::<i64>()) {
            (Some(numbers), _) => Value::from(numbers.of(new)?),
            (_, Ok(number)) if is_number => Value::from(number),
            _ => json_like(Some(&object[&key]), new, false),
        };
        if named == old || old.is_empty() || object[&key].is_null() {
            said.push((index, json_set(changed.as_deref().unwrap_or(text), &key, &value)));
        } else if said.is_empty() {
            let (old, written) = (safe_text(old), safe_text(&written));
            return Err(refused(path, format!("{} says '{written}', not '{old}'", safe_path(&member.name))));
        } else {
            others.extend(changed.map(|text| (index, text)));
        }
    }
    Ok((said, others))
}
