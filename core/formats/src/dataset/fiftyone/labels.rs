//! `labels.json` of an image classification dataset: classes by their number, labels by the name of the picture.

use super::WHOSE;
use crate::dataset::annotated::{Annotated, Entry};
use crate::dataset::several::Label;
use crate::dataset::unnamed_classes::WITHOUT_NAME;
use crate::dataset::{DatasetOptions, json};
use crate::{Error, Result};
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The paths of pictures that were not copied, by their names.
pub(super) const MEDIA: &str = "data.json";

#[derive(serde::Deserialize)]
struct File {
    #[serde(default)]
    classes: Option<Vec<String>>,
    labels: BTreeMap<String, Value>,
}

pub(super) fn read(file: &Path, home: &Path, options: &DatasetOptions) -> Result<Annotated> {
    let File { classes, labels } = json::read(file)?;
    let folders = ["data", "", "images"].map(PathBuf::from);
    let mut read = Annotated::new(WHOSE, file, home, &folders, options)?;
    let media = file.with_file_name(MEDIA);
    let paths: BTreeMap<String, String> = match media.is_file() {
        true => json::read(&media)?,
        false => BTreeMap::new(),
    };
    if media.is_file() {
        read.also.push(media);
    }
    let classes = classes.unwrap_or_default();
    let mut names = Names { classes: &classes, strange: BTreeMap::new(), unread: 0, first: None };
    let confident = labels.values().any(|target| confidence(target).is_some());
    if confident {
        read.columns.push("confidence".to_owned());
    }
    for (name, target) in labels {
        let label = match &target {
            Value::Array(several) => Label::of_tags(several.iter().filter_map(|one| names.label(&name, one))),
            one => names.label(&name, one).map_or(Label::None, Label::One),
        };
        let other = if confident { vec![confidence(&target).unwrap_or_default()] } else { Vec::new() };
        let path = paths.get(&name).cloned().unwrap_or(name);
        read.entries.push(Entry { name: PathBuf::from(path), label, other, ..Entry::default() });
    }
    let Names { strange, unread, first, .. } = names;
    read.class_numbers = ClassNumbers::of_list(&classes);
    let shown = safe_path(Path::new(file.file_name().unwrap_or_default()));
    if let Some((number, _)) = strange.first_key_value() {
        let count: u64 = strange.values().sum();
        let (have, all) = (counted(count, "label is", "labels are"), classes.len());
        let kind = if classes.is_empty() { RemarkKind::LayoutGuessed } else { RemarkKind::ClassesDoubtful };
        let text = format!(
            "{have} a number {WITHOUT_NAME} among the {all} classes of {shown}, and is called by it: {number}"
        );
        read.ledger.add(kind, count, text);
    }
    if let Some(first) = first {
        let have = counted(unread, "image has", "images have");
        let text =
            format!("{have} a label in {shown} that is neither a name nor a number: {}", excerpt(&first));
        read.ledger.add(RemarkKind::LabelsMissing, unread, text);
    }
    if read.entries.is_empty() {
        return Err(Error::format(file, "its \"labels\" are empty: it names no image"));
    }
    Ok(read)
}

/// The confidence of a label as it is written.
fn confidence(target: &Value) -> Option<String> {
    target.get("confidence").filter(|value| value.is_number()).map(Value::to_string)
}

struct Names<'a> {
    classes: &'a [String],
    /// Numbers without a class.
    strange: BTreeMap<i64, u64>,
    /// Labels that are none.
    unread: u64,
    first: Option<String>,
}

impl Names<'_> {
    /// The label of one target: a name, a number of a class, or an object with one of them.
    fn label(&mut self, picture: &str, target: &Value) -> Option<String> {
        match target {
            Value::Null => None,
            Value::String(name) => Some(name.clone()).filter(|name| !name.is_empty()),
            Value::Number(number) => match number.as_i64() {
                // As in data sets of numbers, which have none below zero.
                Some(-1) => None,
                Some(number) => {
                    let known = usize::try_from(number).ok().and_then(|at| self.classes.get(at));
                    Some(known.cloned().unwrap_or_else(|| {
                        *self.strange.entry(number).or_default() += 1;
                        number.to_string()
                    }))
                }
                None => self.unread(picture),
            },
            Value::Object(object) => match object.get("label") {
                Some(Value::Object(_) | Value::Array(_)) => self.unread(picture),
                Some(label) => self.label(picture, label),
                None => None,
            },
            Value::Bool(_) | Value::Array(_) => self.unread(picture),
        }
    }

    fn unread(&mut self, picture: &str) -> Option<String> {
        self.unread += 1;
        self.first.get_or_insert_with(|| picture.to_owned());
        None
    }
}
