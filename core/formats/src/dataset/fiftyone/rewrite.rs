//! `labels.json` and `samples.json` with entries removed and labels changed.

use super::labels::MEDIA;
use super::samples::{self, Kind};
use crate::Result;
use crate::dataset::DatasetOptions;
use crate::dataset::annotated::Annotated;
use crate::dataset::names_of_parts::split_named;
use crate::dataset::rewrite::{self, EntryChange, EntryChanges, NewFile};
use crate::text::json_parts::{Part, Patch};
use chaffinch_data::class_names;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// `labels.json`, and `data.json` beside it.
pub(super) fn labels(read: &Annotated, changes: &EntryChanges, _: &DatasetOptions) -> Result<Vec<NewFile>> {
    let file = read.file.as_path();
    let mut gone: BTreeSet<String> = BTreeSet::new();
    let bytes = rewrite::json(file, |whole, patch| {
        let object = whole.get("labels").ok_or("it has no labels")?;
        let fields = object.fields();
        // Entries are in the order of their names.
        let names: BTreeMap<&str, usize> =
            fields.iter().enumerate().map(|(at, field)| (field.key.as_str(), at)).collect();
        let mut classes = Classes::of(whole);
        let places: Vec<usize> = names.values().copied().collect();
        let mut removed = vec![false; fields.len()];
        for (at, change) in changes {
            let place = *places.get(*at).ok_or("its labels are not those that were read")?;
            let field = &fields[place];
            if change.split.is_some() || change.path.is_some() {
                return Err("it has no place for splits".to_owned());
            }
            if change.remove {
                removed[place] = true;
                gone.insert(field.key.clone());
            } else if let Some(label) = &change.label {
                set(field.value, label, &mut classes, patch);
            }
        }
        let spans: Vec<_> = fields.iter().map(|field| field.span.clone()).collect();
        patch.remove(&spans, |at| removed[at]);
        classes.write(whole, patch);
        Ok(())
    })?;
    let mut all = vec![(file.to_path_buf(), Some(bytes))];
    let media = file.with_file_name(MEDIA);
    if media.is_file() && !gone.is_empty() {
        let bytes = rewrite::json(&media, |whole, patch| {
            let fields = whole.fields();
            let spans: Vec<_> = fields.iter().map(|field| field.span.clone()).collect();
            patch.remove(&spans, |at| gone.contains(&fields[at].key));
            Ok(())
        })?;
        all.push((media, Some(bytes)));
    }
    Ok(all)
}

/// Sets the label of a target in the form in which it is written.
fn set(target: Part<'_>, label: &str, classes: &mut Classes, patch: &mut Patch) {
    if let (true, Some(inner)) = (target.is_object(), target.get("label")) {
        return set(inner, label, classes, patch);
    }
    if target.is_object() {
        return patch.set_key(target, "label", &classes.written(label, false));
    }
    if target.is_array() {
        let numbers = target.items().first().is_some_and(Part::is_number);
        return patch.set(target, &json!([classes.written(label, numbers)]));
    }
    let named = target.text().starts_with('"');
    patch.set(target, &classes.written(label, !named));
}

struct Classes {
    names: Vec<String>,
    added: Vec<String>,
    /// Whether labels without a form are numbers.
    listed: bool,
}

impl Classes {
    fn of(whole: Part<'_>) -> Classes {
        let list = whole.get("classes").filter(Part::is_array);
        let name = |part: &Part<'_>| part.value().as_str().unwrap_or_default().to_owned();
        let names: Vec<String> = list.map(|list| list.items().iter().map(name).collect()).unwrap_or_default();
        Classes { listed: !names.is_empty(), names, added: Vec::new() }
    }

    fn written(&mut self, label: &str, number: bool) -> Value {
        if !number || !self.listed {
            return Value::from(label);
        }
        let found = self.names.iter().position(|name| class_names::same(name, label));
        let at = found.unwrap_or_else(|| {
            self.names.push(label.to_owned());
            self.added.push(label.to_owned());
            self.names.len() - 1
        });
        Value::from(at)
    }

    fn write(self, whole: Part<'_>, patch: &mut Patch) {
        if let Some(list) = whole.get("classes") {
            self.added.iter().for_each(|name| patch.append(list, &Value::from(name.as_str()).to_string()));
        }
    }
}

/// `samples.json`.
pub(super) fn samples(
    read: &Annotated,
    changes: &EntryChanges,
    options: &DatasetOptions,
) -> Result<Vec<NewFile>> {
    let file = read.file.as_path();
    let (label, split) = samples::fields_of(file, options)?;
    let bytes = rewrite::json(file, |whole, patch| {
        let items = whole.get("samples").map(|list| list.items()).unwrap_or_default();
        for (at, change) in changes {
            let sample = *items.get(*at).ok_or("its samples are not those that were read")?;
            if !change.remove {
                edit(sample, change, label.as_ref(), split.as_deref(), patch)?;
            }
        }
        let spans: Vec<_> = items.iter().map(Part::span).collect();
        patch.remove(&spans, |at| changes.get(&at).is_some_and(|change| change.remove));
        Ok(())
    })?;
    Ok(vec![(file.to_path_buf(), Some(bytes))])
}

fn edit(
    sample: Part<'_>,
    change: &EntryChange,
    field: Option<&(String, Kind)>,
    split: Option<&str>,
    patch: &mut Patch,
) -> std::result::Result<(), String> {
    if let Some(path) = &change.path {
        let path = path.to_str().ok_or("JSON cannot hold a name that is not UTF-8")?;
        patch.set_key(sample, "filepath", &Value::from(path));
    }
    if let Some((wanted, written)) = &change.split {
        match split {
            Some(field) => patch.set_key(sample, field, &Value::from(written.as_str())),
            None => {
                let tags = sample.get("tags").filter(Part::is_array);
                let items = tags.map(|tags| tags.items()).unwrap_or_default();
                let is = |tag: &&Part<'_>| tag.value().as_str().is_some_and(|tag| split_named(tag).is_some());
                match (tags, items.iter().find(is)) {
                    (_, Some(tag)) => patch.set(*tag, &Value::from(written.as_str())),
                    (Some(tags), None) => patch.append(tags, &Value::from(written.as_str()).to_string()),
                    (None, None) => patch.set_key(sample, "tags", &json!([wanted.name()])),
                }
            }
        }
    }
    let Some(label) = &change.label else { return Ok(()) };
    let usual = ("ground_truth".to_owned(), Kind::Classification);
    let (name, kind) = field.unwrap_or(&usual);
    let new = Value::from(label.as_str());
    let classification = json!({"_cls": "Classification", "tags": [], "label": label});
    let Some(value) = sample.get(name).filter(|value| value.text() != "null") else {
        let value = if *kind == Kind::Plain { new } else { classification };
        patch.set_key(sample, name, &value);
        return Ok(());
    };
    match samples::kind(&value.value()) {
        Some(Kind::Classification) => patch.set_key(value, "label", &new),
        Some(Kind::Classifications) => {
            patch.set(value, &json!({"_cls": "Classifications", "classifications": [classification]}))
        }
        Some(Kind::Objects) => {
            let mut changed = false;
            for list in ["detections", "polylines", "keypoints"] {
                for object in value.get(list).map(|list| list.items()).unwrap_or_default() {
                    let Some(old) = object.get("label") else { continue };
                    if change.is_old(&crate::dataset::json::cell(Some(&old.value()))) {
                        patch.set(old, &new);
                        changed = true;
                    }
                }
            }
            if !changed {
                return Err(format!("no object in '{name}' has the label '{}'", change.old));
            }
        }
        Some(Kind::Plain) | None => {
            let number = label.parse::<i64>().ok().filter(|_| value.is_number());
            patch.set(value, &number.map_or(new, Value::from));
        }
    }
    Ok(())
}
