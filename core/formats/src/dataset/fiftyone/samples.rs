//! `samples.json` of a whole dataset, or a file for each sample below `samples/`: samples with fields, some of which are
//! labels.

use super::WHOSE;
use crate::dataset::annotated::{Annotated, Entry};
use crate::dataset::choice::{self, LABEL_NAMES, is_known_column};
use crate::dataset::names_of_parts::split_named;
use crate::dataset::several::{Label, Objects};
use crate::dataset::typed::Typed;
use crate::dataset::{DatasetOptions, json};
use crate::{Error, Result};
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{excerpt, safe_path};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The field that FiftyOne's own datasets have their labels in.
const TRUTH: &str = "ground_truth";
/// Fields of a sample that describe its file.
pub(crate) const OWN: &[&str] = &[
    "_id",
    "id",
    "filepath",
    "tags",
    "metadata",
    "created_at",
    "last_modified_at",
    "media_type",
    "_media_type",
    "_rand",
    "_dataset_id",
    "_group",
];

#[derive(serde::Deserialize)]
struct File {
    samples: Vec<Map<String, Value>>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// One class.
    Classification,
    /// Several classes.
    Classifications,
    /// Objects with classes.
    Objects,
    /// A text, a number or a truth value.
    Plain,
}

pub(super) fn kind(value: &Value) -> Option<Kind> {
    match value {
        Value::Object(object) => match object.get("_cls").and_then(Value::as_str)? {
            "Classification" => Some(Kind::Classification),
            "Classifications" => Some(Kind::Classifications),
            "Detections" | "Polylines" | "Keypoints" => Some(Kind::Objects),
            _ => None,
        },
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Some(Kind::Plain),
        Value::Null | Value::Array(_) => None,
    }
}

/// The field of labels with what it holds, and the field of splits.
///
/// # Errors
/// When the file cannot be read, or has no field that was asked for.
pub(super) fn fields_of(
    file: &Path,
    options: &DatasetOptions,
) -> Result<(Option<(String, Kind)>, Option<String>)> {
    let File { samples } = json::read(file)?;
    let mut read = Annotated::new(WHOSE, file, Path::new("/"), &[], options)?;
    let fields = fields(&samples);
    let label = label_field(file, &fields, options, &mut read)?;
    let label = label.and_then(|name| Some((name.to_owned(), *fields.get(name)?)));
    Ok((label, split_field(file, &fields, options)?.map(str::to_owned)))
}

/// The fields that are not about the file, with what they hold.
fn fields(samples: &[Map<String, Value>]) -> BTreeMap<&str, Kind> {
    let mut fields: BTreeMap<&str, Kind> = BTreeMap::new();
    for (name, value) in samples.iter().flatten() {
        if let (false, Some(kind)) = (OWN.contains(&name.as_str()), kind(value)) {
            fields.entry(name).or_insert(kind);
        }
    }
    fields
}

pub(super) fn read(file: &Path, home: &Path, options: &DatasetOptions) -> Result<Annotated> {
    let File { samples } = json::read(file)?;
    let mut read = described(&samples, file, home, options)?;
    let metadata = file.with_file_name("metadata.json");
    if metadata.is_file() {
        read.also.push(metadata);
    }
    Ok(read)
}

/// Reads the files of a folder `samples/`, each of which is a sample; `metadata` describes them.
pub(super) fn read_each(
    files: &[PathBuf],
    metadata: &Path,
    home: &Path,
    options: &DatasetOptions,
) -> Result<Annotated> {
    let samples = files.iter().map(|file| json::read(file)).collect::<Result<Vec<_>>>()?;
    let mut read = described(&samples, metadata, home, options)?;
    read.also.extend_from_slice(files);
    Ok(read)
}

/// What the fields of samples say.
fn described(
    samples: &[Map<String, Value>],
    file: &Path,
    home: &Path,
    options: &DatasetOptions,
) -> Result<Annotated> {
    let is_video =
        |sample: &Map<String, Value>| sample.get("_media_type").is_some_and(|kind| kind == "video");
    if !samples.is_empty() && samples.iter().all(is_video) {
        let message = "its samples are videos, which are not read: export their frames, which \
                       to_frames(sample_frames=True) makes of them";
        return Err(Error::format(file, message));
    }
    let mut read = Annotated::new(WHOSE, file, home, &["", "data"].map(PathBuf::from), options)?;
    let fields = fields(samples);
    let label = label_field(file, &fields, options, &mut read)?.map(str::to_owned);
    let split = split_field(file, &fields, options)?.map(str::to_owned);
    let taken = |name: &str| Some(name) == label.as_deref() || Some(name) == split.as_deref();
    let kept: Vec<(&str, Kind)> =
        fields.iter().map(|(name, kind)| (*name, *kind)).filter(|(name, _)| !taken(name)).collect();
    let tagged = samples.iter().any(|sample| tags(sample).next().is_some());
    // A column of another name is not taken for the path or the label where it is read again.
    let renamed = |name: &str| match is_known_column(&name.to_lowercase()) {
        true => format!("field_{name}"),
        false => name.to_owned(),
    };
    read.columns =
        kept.iter().map(|(name, _)| renamed(name)).chain(tagged.then(|| "tags".to_owned())).collect();
    let mut typed = Typed::default();
    for (name, value) in samples
        .iter()
        .flat_map(|sample| kept.iter().filter_map(|(name, _)| Some((*name, sample.get(*name)?))))
    {
        match kind(value) {
            Some(Kind::Plain) => typed.see(&renamed(name), Some(value)),
            Some(_) => typed.mark(&renamed(name), false),
            None => {}
        }
    }
    read.typed = typed.names().collect();
    let mut from_tags = BTreeSet::new();
    for (at, sample) in samples.iter().enumerate() {
        let Some(path) = sample.get("filepath").and_then(Value::as_str).filter(|path| !path.is_empty())
        else {
            return Err(Error::format(file, format!("sample {} has no filepath", at + 1)));
        };
        let mut other: Vec<String> = kept
            .iter()
            .map(|(name, _)| match sample.get(*name).map(|value| (kind(value), value)) {
                Some((Some(Kind::Plain), value)) => json::cell(Some(value)),
                Some((Some(_), value)) => {
                    let label = label_of(value);
                    if label.all().is_empty() {
                        label.name().unwrap_or_default().to_owned()
                    } else {
                        label.all()
                    }
                }
                _ => String::new(),
            })
            .collect();
        if tagged {
            other.push(tags(sample).collect::<Vec<_>>().join(","));
        }
        let split = match &split {
            Some(field) => json::cell(sample.get(field)),
            None => {
                let split = split_tag(sample).unwrap_or_default().to_owned();
                if !split.is_empty() {
                    from_tags.insert(split.clone());
                }
                split
            }
        };
        let label = label.as_deref().and_then(|field| sample.get(field)).map(label_of).unwrap_or_default();
        read.entries.push(Entry { name: PathBuf::from(path), label, split, other, ..Entry::default() });
    }
    if !from_tags.is_empty() {
        let names: Vec<String> = from_tags.iter().map(|tag| excerpt(tag).into_owned()).collect();
        let text = format!("the splits were taken from the tags {}", names.join(", "));
        read.ledger.add(RemarkKind::LayoutGuessed, from_tags.len() as u64, text);
    }
    Ok(read)
}

fn tags(sample: &Map<String, Value>) -> impl Iterator<Item = &str> {
    sample.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The only tag of a sample that is a split.
pub(crate) fn split_tag(sample: &Map<String, Value>) -> Option<&str> {
    let mut splits = tags(sample).filter(|tag| split_named(tag).is_some());
    let one = splits.next()?;
    splits.next().is_none().then_some(one)
}

/// The label that the value of a field gives.
fn label_of(value: &Value) -> Label {
    let name = |value: &Value| {
        value.get("label").map(|label| json::cell(Some(label))).filter(|name| !name.is_empty())
    };
    let list = |key: &str| value.get(key).and_then(Value::as_array).into_iter().flatten();
    match kind(value) {
        None => Label::None,
        Some(Kind::Plain) => Label::One(json::cell(Some(value))).filled(),
        Some(Kind::Classification) => name(value).map_or(Label::None, Label::One),
        Some(Kind::Classifications) => Label::of_tags(list("classifications").filter_map(name)),
        Some(Kind::Objects) => {
            let mut objects = Objects::default();
            let all = ["detections", "polylines", "keypoints"].into_iter().flat_map(list);
            for (order, object) in (0..).zip(all) {
                let sides: Vec<f64> =
                    (object.get("bounding_box").and_then(Value::as_array).into_iter().flatten())
                        .filter_map(Value::as_f64)
                        .collect();
                let area = if let [_, _, width, height] = sides[..] { width * height } else { 0.0 };
                if let Some(name) = name(object) {
                    objects.add(&name, area, order);
                }
            }
            objects.label()
        }
    }
}

/// The field of labels, which is said if it was chosen.
fn label_field<'a>(
    file: &Path,
    fields: &BTreeMap<&'a str, Kind>,
    options: &DatasetOptions,
    read: &mut Annotated,
) -> Result<Option<&'a str>> {
    if let Some(asked) = &options.label_column {
        return named(file, fields, asked).map(Some);
    }
    let of = |kind: Kind| -> Vec<&'a str> {
        fields.iter().filter(|(_, own)| **own == kind).map(|(name, _)| *name).collect()
    };
    let usual = |name: &&&str| LABEL_NAMES.iter().any(|usual| usual.eq_ignore_ascii_case(name));
    let plain: Vec<&str> = of(Kind::Plain).iter().filter(usual).copied().collect();
    if fields.contains_key(TRUTH) {
        return Ok(Some(TRUTH));
    }
    let kinds = [of(Kind::Classification), plain, of(Kind::Classifications), of(Kind::Objects)];
    let Some(candidates) = kinds.into_iter().find(|names| !names.is_empty()) else { return Ok(None) };
    let predicted =
        |name: &&&str| name.to_lowercase().contains("pred") || name.to_lowercase().contains("model");
    let first = candidates.iter().find(|name| !predicted(name)).or(candidates.first()).copied();
    let Some(first) = first else { return Ok(None) };
    let other = candidates.iter().find(|name| **name != first);
    let (kind, text) = match other {
        None => {
            (RemarkKind::LayoutGuessed, format!("the labels were taken from the field '{}'", excerpt(first)))
        }
        Some(other) => (RemarkKind::LayoutDoubtful, choice::doubt_of_fields(&shown(file), first, other)),
    };
    read.ledger.add(kind, 1, text);
    Ok(Some(first))
}

fn split_field<'a>(
    file: &Path,
    fields: &BTreeMap<&'a str, Kind>,
    options: &DatasetOptions,
) -> Result<Option<&'a str>> {
    match &options.split_column {
        Some(asked) => named(file, fields, asked).map(Some),
        None => {
            Ok(fields.get_key_value("split").filter(|(_, kind)| **kind == Kind::Plain).map(|(name, _)| *name))
        }
    }
}

fn named<'a>(file: &Path, fields: &BTreeMap<&'a str, Kind>, asked: &str) -> Result<&'a str> {
    fields.get_key_value(asked).map(|(name, _)| *name).ok_or_else(|| {
        let names: Vec<String> = fields.keys().map(|name| (*name).to_owned()).collect();
        let message = format!("there is no field '{}' of labels; {}", excerpt(asked), choice::among(&names));
        Error::format(file, message)
    })
}

fn shown(file: &Path) -> String {
    safe_path(Path::new(file.file_name().unwrap_or_default()))
}
