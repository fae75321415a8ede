//! COCO files with images removed and the categories of their annotations changed.

use super::Id;
use crate::Result;
use crate::dataset::DatasetOptions;
use crate::dataset::annotated::Annotated;
use crate::dataset::rewrite::{self, EntryChange, EntryChanges, NewFile};
use crate::text::json_parts::{Part, Patch};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

pub(super) fn file(read: &Annotated, changes: &EntryChanges, _: &DatasetOptions) -> Result<Vec<NewFile>> {
    let file = read.file.as_path();
    let bytes = rewrite::json(file, |whole, patch| edit(whole, patch, changes))?;
    Ok(vec![(file.to_path_buf(), Some(bytes))])
}

fn id(part: Option<Part<'_>>) -> Option<Id> {
    serde_json::from_str(part?.text()).ok()
}

fn edit(whole: Part<'_>, patch: &mut Patch, changes: &EntryChanges) -> std::result::Result<(), String> {
    let list = |key: &str| whole.get(key).map(|list| list.items()).unwrap_or_default();
    let (images, annotations) = (list("images"), list("annotations"));
    if changes.values().any(|change| change.split.is_some()) {
        return Err(rewrite::split_of_file());
    }
    let mut by_id: HashMap<Id, (&EntryChange, Part<'_>)> = HashMap::new();
    for (at, change) in changes {
        let image = images.get(*at).ok_or("its images are not those that were read")?;
        by_id.insert(id(image.get("id")).ok_or("an image has no id")?, (change, *image));
        if let Some(path) = change.path.as_ref().filter(|_| !change.remove) {
            let path = path.to_str().ok_or("JSON cannot hold a name that is not UTF-8")?;
            patch.set_key(*image, "file_name", &Value::from(path));
        }
    }
    let mut categories = Categories::of(whole);
    let mut labeled: HashMap<Id, bool> = HashMap::new();
    for annotation in &annotations {
        let Some(image) = id(annotation.get("image_id")) else { continue };
        let Some((change, _)) = by_id.get(&image) else { continue };
        let Some(label) = change.label.as_deref().filter(|_| !change.remove) else { continue };
        let segments = annotation.get("segments_info").map(|all| all.items()).unwrap_or_default();
        for object in std::iter::once(*annotation).chain(segments) {
            let Some(category) = object.get("category_id") else { continue };
            let old = id(Some(category)).map(|id| categories.name(&id)).unwrap_or_default();
            if change.is_old(&old) {
                patch.replace(category.span(), categories.number(label)?);
                labeled.insert(image.clone(), true);
            }
        }
    }
    let mut added = Vec::new();
    let mut next = annotations.iter().filter_map(|one| one.get("id")?.value().as_i64()).max().unwrap_or(0);
    // In the order of the file.
    for (at, change) in changes {
        let Some(label) = change.label.as_deref().filter(|_| !change.remove) else { continue };
        let image = images[*at];
        let Some(own) = id(image.get("id")).filter(|own| !labeled.contains_key(own)) else { continue };
        if annotations.iter().any(|one| id(one.get("image_id")).as_ref() == Some(&own))
            && !change.old.is_empty()
        {
            return Err(format!("no annotation of image {own} has the category '{}'", change.old));
        }
        next += 1;
        let side = |key: &str| image.get(key).map_or(Value::from(0), |side| side.value());
        let (width, height) = (side("width"), side("height"));
        let area = width.as_f64().unwrap_or(0.0) * height.as_f64().unwrap_or(0.0);
        let category: Value = serde_json::from_str(&categories.number(label)?).unwrap_or_default();
        let image_id = image.get("id").map(|id| id.value()).unwrap_or_default();
        // The box is the whole picture, as exports write it.
        added.push(json!({
            "id": next, "image_id": image_id, "category_id": category, "bbox": [0, 0, width, height],
            "area": if area.fract() == 0.0 { json!(area as u64) } else { json!(area) }, "segmentation": [], "iscrowd": 0,
        }));
    }
    let gone =
        |image: Option<Id>| image.is_some_and(|id| by_id.get(&id).is_some_and(|(change, _)| change.remove));
    let spans: Vec<_> = images.iter().map(Part::span).collect();
    patch.remove(&spans, |at| changes.get(&at).is_some_and(|change| change.remove));
    let spans: Vec<_> = annotations.iter().map(Part::span).collect();
    let removed: Vec<bool> = annotations.iter().map(|one| gone(id(one.get("image_id")))).collect();
    match added.is_empty() {
        true => patch.remove(&spans, |at| removed[at]),
        false => {
            // What is added stands after the last one that stays.
            patch.remove(&spans, |at| removed[at]);
            let texts: Vec<String> = added.iter().map(Value::to_string).collect();
            let Some(list) = whole.get("annotations").filter(Part::is_array) else {
                patch.set_key(whole, "annotations", &Value::from(added));
                return categories.write(whole, patch);
            };
            match removed.iter().rposition(|gone| !gone) {
                Some(last) if last + 1 == spans.len() => {
                    texts.iter().for_each(|text| patch.append(list, text))
                }
                Some(last) => {
                    let text: String = texts.iter().map(|text| format!(", {text}")).collect();
                    patch.insert(spans[last].end, text);
                }
                None => patch.replace(list.span().start + 1..list.span().end - 1, texts.join(", ")),
            }
        }
    }
    categories.write(whole, patch)
}

/// The categories, and those that are added.
struct Categories {
    names: HashMap<Id, String>,
    /// The number of each name as it is written.
    numbers: BTreeMap<String, String>,
    next: i64,
    added: Vec<(i64, String)>,
    texts: bool,
}

impl Categories {
    fn of(whole: Part<'_>) -> Categories {
        let mut all = Categories {
            names: HashMap::new(),
            numbers: BTreeMap::new(),
            next: 1,
            added: Vec::new(),
            texts: false,
        };
        for category in whole.get("categories").map(|list| list.items()).unwrap_or_default() {
            let Some(number) = id(category.get("id")) else { continue };
            let name = category.get("name").and_then(|name| name.value().as_str().map(str::to_owned));
            let name = name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| number.to_string());
            let text = category.get("id").map(|id| id.text().to_owned()).unwrap_or_default();
            all.texts |= text.starts_with('"');
            if let Id::Number(number) = &number {
                all.next = all.next.max(number.saturating_add(1));
            }
            all.numbers.entry(name.clone()).or_insert(text);
            all.names.insert(number, name);
        }
        all
    }

    fn name(&self, id: &Id) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// The number of a class, which is added if the file has none.
    fn number(&mut self, label: &str) -> std::result::Result<String, String> {
        let same = |(name, _): &(&String, &String)| chaffinch_data::class_names::same(name, label);
        if let Some((_, number)) = self.numbers.iter().find(same) {
            return Ok(number.clone());
        }
        if self.texts {
            return Err(format!(
                "it has no category '{label}', and its categories have texts for ids; add it first"
            ));
        }
        let number = self.next;
        self.next += 1;
        self.numbers.insert(label.to_owned(), number.to_string());
        self.added.push((number, label.to_owned()));
        Ok(number.to_string())
    }

    fn write(self, whole: Part<'_>, patch: &mut Patch) -> std::result::Result<(), String> {
        let new: Vec<Value> = self
            .added
            .iter()
            .map(|(id, name)| json!({"id": id, "name": name, "supercategory": ""}))
            .collect();
        match whole.get("categories").filter(Part::is_array) {
            _ if new.is_empty() => {}
            Some(list) => new.iter().for_each(|one| patch.append(list, &one.to_string())),
            None => patch.set_key(whole, "categories", &Value::from(new)),
        }
        Ok(())
    }
}
