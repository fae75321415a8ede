//! Shards of WebDataset: the members of a sample share their name up to its first dot.

use super::members::Listed;
use crate::dataset::choice::{self, LABEL_NAMES, SPLIT_NAMES};
use crate::dataset::packed::{Member, PackedRows, Place};
use crate::dataset::{DatasetOptions, Opened, is_image, shards};
use crate::{Error, Result};
use chaffinch_data::packing::{Container, Holds, below};
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Members that say something of their sample.
const SAY: [&str; 8] = ["cls", "cls.txt", "class", "label", "cls2", "json", "txt", "index"];
/// Members that hold the class.
const CLASS: [&str; 4] = ["cls", "cls.txt", "class", "label"];
/// How long such a member may be.
const LONGEST: u64 = 1 << 20;

/// The name of a member's sample, and what of it the member is.
pub(crate) fn parts(name: &Path) -> Option<(String, String)> {
    let text = name.to_str()?;
    let base = text.rfind('/').map_or(0, |slash| slash + 1);
    let dot = base + text[base..].find('.')?;
    Some((text[..dot].to_owned(), text[dot + 1..].to_ascii_lowercase()))
}

/// Whether a member may say something of a picture.
pub(super) fn says(name: &Path) -> bool {
    parts(name).is_some_and(|(_, what)| SAY.contains(&what.as_str()))
}

/// Whether a member of this part of a sample holds the class and nothing else.
pub(crate) fn says_class(what: &str) -> bool {
    CLASS.contains(&what)
}

/// Whether members say something of a picture beside them.
pub(crate) fn is_one<'a>(names: impl Iterator<Item = &'a Path> + Clone) -> bool {
    let pictures: HashSet<String> = names
        .clone()
        .filter(|name| is_image(name))
        .filter_map(|name| parts(name).map(|(key, _)| key))
        .collect();
    let says = |name: &Path| {
        parts(name).is_some_and(|(key, what)| SAY.contains(&what.as_str()) && pictures.contains(&key))
    };
    names.into_iter().any(says)
}

/// The members of a sample in a shard.
#[derive(Default)]
struct Sample {
    picture: Option<usize>,
    said: Vec<(String, usize)>,
    others: u64,
}

/// Reads the samples of all shards.
///
/// # Errors
/// When a member cannot be read.
pub(super) fn read(
    listed: &[Listed],
    root: PathBuf,
    dataset: &Path,
    options: &DatasetOptions,
    mut ledger: Ledger,
) -> Result<Opened> {
    let mut rows = PackedRows::default();
    let mut columns: Vec<String> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut splits = Vec::new();
    let (mut lonely, mut used, mut others, mut broken) = (0, 0, 0, 0);
    let mut first_broken = None;
    for shard in listed {
        let full = below(&root, &shard.path);
        let container = Container::new(&full, Holds::Ranges);
        let shard_split = shards::split_in(dataset, &shard.path);
        rows.container(&shard.path, Holds::Ranges);
        for (key, sample) in samples(shard) {
            let Some(picture) = sample.picture else {
                lonely += sample.said.len() as u64 + sample.others;
                continue;
            };
            others += sample.others;
            used += sample.said.len() as u64;
            let mut said = Said::default();
            for (what, index) in &sample.said {
                let found = &shard.members[*index];
                let read = || container.read(found.start, found.length.min(LONGEST));
                let bytes = match &found.says {
                    Some(bytes) => Cow::Borrowed(bytes),
                    None => Cow::Owned(read().map_err(Error::io("read", full.join(&found.name)))?),
                };
                if !said.hear(what, &bytes) {
                    broken += 1;
                    first_broken.get_or_insert_with(|| found.name.clone());
                }
            }
            let found = &shard.members[picture];
            let mut other = vec![String::new(); columns.len()];
            for (name, value) in said.other {
                let place = *places.entry(name.clone()).or_insert_with(|| {
                    columns.push(name);
                    columns.len() - 1
                });
                other.resize(columns.len().max(other.len()), String::new());
                other[place] = value;
            }
            let folder = Path::new(&key).parent().and_then(Path::file_name).and_then(|name| name.to_str());
            rows.push(Member {
                name: found.name.clone(),
                label: said.label.or_else(|| folder.map(str::to_owned)),
                split: said.split.unwrap_or_else(|| shard_split.clone()),
                other,
                place: Place::Inside { start: found.start, length: found.length },
            });
        }
        splits.push(shard_split);
    }
    let width = columns.len();
    rows.members_mut().iter_mut().for_each(|member| member.other.resize(width, String::new()));
    let text = counted(used, "member gives", "members give");
    ledger.leave_out(RemarkKind::OtherFiles, used, format!("{text} labels and other columns"));
    let text = counted(others, "other member of a sample", "other members of samples");
    ledger.leave_out(RemarkKind::OtherFiles, others, text);
    let text = counted(lonely, "member belongs to a sample", "members belong to samples");
    ledger.leave_out(RemarkKind::OtherFiles, lonely, format!("{text} without a picture"));
    if let Some(first) = first_broken {
        let members = counted(broken, "member is", "members are");
        let text = format!("{members} no text or no JSON, and said nothing: {}", safe_path(&first));
        ledger.add(RemarkKind::LabelsMissing, broken, text);
    }
    let bare = rows.members().iter().filter(|member| member.label.is_none()).count() as u64;
    let text =
        format!("{} no cls member and no label in their json", counted(bare, "sample has", "samples have"));
    ledger.add(RemarkKind::LabelsMissing, bare, text);
    match &options.label_column {
        Some(name) => {
            let column = choice::asked(&columns, name).first().copied().ok_or_else(|| {
                let message =
                    format!("no json or txt member has '{}'; {}", excerpt(name), choice::among(&columns));
                Error::Dataset { path: dataset.to_path_buf(), message }
            })?;
            for member in rows.members_mut() {
                member.label =
                    Some(std::mem::take(&mut member.other[column])).filter(|label| !label.is_empty());
                member.other.remove(column);
            }
            columns.remove(column);
        }
        None => numbers(&rows, &columns, &mut ledger),
    }
    shards::tell(&splits, &mut ledger);
    rows.finish(columns, root, dataset, ledger)
}

/// Says which column seems to have the names of classes that are only numbers.
fn numbers(rows: &PackedRows, columns: &[String], ledger: &mut Ledger) {
    let members = rows.members();
    let number = |text: &str| text.parse::<i64>().is_ok();
    if !members.iter().any(|member| member.label.is_some())
        || !members.iter().filter_map(|member| member.label.as_deref()).all(number)
    {
        return;
    }
    let names = |column: &usize| {
        // One name for each number, and one number for each name.
        let (mut there, mut back) = (HashMap::new(), HashMap::new());
        members
            .iter()
            .filter_map(|member| Some((member.label.as_deref()?, member.other[*column].as_str())))
            .all(|(label, name)| {
                !name.is_empty()
                    && !number(name)
                    && *there.entry(label).or_insert(name) == name
                    && *back.entry(name).or_insert(label) == label
            })
            && there.len() > 1
    };
    if let Some(column) = (0..columns.len()).find(names) {
        let column = excerpt(&columns[column]);
        let text = format!(
            "the classes are numbers, for which '{column}' seems to have the names; --label-column '{column}' takes them"
        );
        ledger.add(RemarkKind::LayoutDoubtful, 1, text);
    }
}

/// The samples of a shard in the order of their first members.
fn samples(shard: &Listed) -> Vec<(String, Sample)> {
    let mut samples: Vec<(String, Sample)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (index, member) in shard.members.iter().enumerate() {
        let (key, what) =
            parts(&member.name).unwrap_or_else(|| (member.name.display().to_string(), String::new()));
        let place = *places.entry(key.clone()).or_insert_with(|| {
            samples.push((key, Sample::default()));
            samples.len() - 1
        });
        let sample = &mut samples[place].1;
        // `seg.png` beside `jpg` is another picture of the same sample.
        let plain = !what.contains('.');
        if is_image(&member.name) && (sample.picture.is_none() || plain && !is_plain(shard, sample)) {
            sample.others += u64::from(sample.picture.is_some());
            sample.picture = Some(index);
        } else if SAY.contains(&what.as_str()) {
            sample.said.push((what, index));
        } else {
            sample.others += 1;
        }
    }
    samples
}

/// Whether the chosen picture's name has nothing but its extension after the first dot.
fn is_plain(shard: &Listed, sample: &Sample) -> bool {
    let name = sample.picture.and_then(|index| parts(&shard.members[index].name));
    name.is_some_and(|(_, what)| !what.contains('.'))
}

/// What the members of a sample say.
#[derive(Default)]
struct Said {
    label: Option<String>,
    /// Whether the label is a text in JSON, which names a class whatever it reads like.
    named: bool,
    split: Option<String>,
    other: Vec<(String, String)>,
}

impl Said {
    /// Takes in a member; false if it cannot be understood.
    fn hear(&mut self, what: &str, bytes: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        if CLASS.contains(&what) {
            let label = Some(text.trim().to_owned()).filter(|label| !label.is_empty() && label != "-1");
            // A number beside a name is that of the class.
            if !(self.named && text.trim().parse::<i64>().is_ok()) {
                self.label = label;
            }
            return true;
        }
        if what != "json" {
            self.other.push((what.to_owned(), text.trim_end_matches('\n').to_owned()));
            return true;
        }
        let Ok(Value::Object(object)) = serde_json::from_str(text) else { return false };
        let named = |usual: &[&str]| {
            let found = usual.iter().find_map(|usual| {
                object.keys().find(|key| key.eq_ignore_ascii_case(usual) && is_scalar(&object[*key]))
            });
            found.cloned()
        };
        let (label, split) = (named(&LABEL_NAMES), named(&SPLIT_NAMES));
        for (key, value) in &object {
            let text = match value {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let number = |label: &String| label.parse::<i64>().is_ok();
            let named = value.is_string() && !text.trim().is_empty();
            if Some(key) == label.as_ref()
                && (self.label.is_none() || named && self.label.as_ref().is_some_and(number))
            {
                self.named = named;
                self.label = Some(text).filter(|label| !label.is_empty() && label != "-1");
            } else if Some(key) == split.as_ref() {
                self.split = Some(text);
            } else {
                self.other.push((key.clone(), text));
            }
        }
        true
    }
}

fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null)
}
