//! Fields inside the objects of a row, by their dotted names: `annotation.label`. An object in which the path, the label or the
//! split is, is taken apart into columns, so that each of its fields is read, kept and written by itself. What stands beside a
//! path in its object belongs to the sample, also where other rows have the path alone.

use super::DatasetOptions;
use super::choice::{self, LABEL_NAMES, LAST_LABELS, PATH_NAMES};
use super::split_columns::SPLIT_NAMES;
use crate::text::json_parts::Part;
use arrow_schema::{DataType, Fields};
use chaffinch_protocol::RemarkKind;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What a value says: an image as Hugging Face writes it is its path. An object with more than that says more.
pub(super) fn told(value: &Value) -> &Value {
    let is_image =
        |object: &Map<String, Value>| object.keys().all(|key| matches!(key.as_str(), "path" | "bytes"));
    path_in(value).filter(|_| value.as_object().is_some_and(is_image)).unwrap_or(value)
}

/// The path in an object.
pub(super) fn path_in(value: &Value) -> Option<&Value> {
    value.get("path").filter(|path| path.is_string())
}

/// Which fields are objects in all rows, and what is in them.
#[derive(Default)]
pub(super) struct Nested {
    /// The dotted names of what is in each.
    fields: BTreeMap<String, BTreeSet<String>>,
    /// Those that are something else in a row, or have fields with a dot in their names.
    plain: HashSet<String>,
    /// The dotted names of what stands beside the path in objects that have one.
    beside: BTreeMap<String, BTreeSet<String>>,
    /// The one that holds the pictures, in tables that have them in it.
    picture: Option<String>,
    /// Those that are inside of other structures, by their dotted names.
    inner_pictures: BTreeSet<String>,
    /// Whether a column of its own says the labels, whatever it is called.
    has_labels: bool,
}

impl Nested {
    /// Looks at a row.
    pub(super) fn see(&mut self, row: &Map<String, Value>) {
        for (name, value) in row {
            if let (Value::Object(inner), Some(_)) = (value, path_in(value)) {
                let mut fields = BTreeSet::new();
                if !name.contains('.') && walk(name, inner, &mut fields) {
                    let image = ["path", "bytes"].map(|key| format!("{name}.{key}"));
                    fields.retain(|field| !image.contains(field));
                    self.beside.entry(name.clone()).or_default().extend(fields);
                }
            }
            match told(value) {
                Value::Null => {}
                Value::Object(inner) if !name.contains('.') => {
                    let fields = self.fields.entry(name.clone()).or_default();
                    if !walk(name, inner, fields) {
                        self.plain.insert(name.clone());
                    }
                }
                _ if self.plain.contains(name) => {}
                _ => drop(self.plain.insert(name.clone())),
            }
        }
    }

    /// Of a schema, whose structures are objects. `is_picture` says which of these are pictures; `has_labels`, that a column of
    /// its own says the labels.
    pub(super) fn of_fields(
        fields: &Fields,
        is_picture: &dyn Fn(&DataType) -> bool,
        has_labels: bool,
    ) -> Nested {
        let mut nested = Nested { has_labels, ..Nested::default() };
        for field in fields {
            let name = field.name();
            let (mut found, mut pictures) = (BTreeSet::new(), BTreeSet::new());
            match field.data_type() {
                DataType::Struct(inner)
                    if !name.contains('.')
                        && walk_fields(name, inner, is_picture, &mut found, &mut pictures) =>
                {
                    if is_picture(field.data_type()) {
                        nested.plain.insert(name.clone());
                        nested.picture.get_or_insert_with(|| name.clone());
                        let image = ["path", "bytes"].map(|key| format!("{name}.{key}"));
                        found.retain(|field| !image.contains(field));
                        nested.beside.insert(name.clone(), found);
                    } else {
                        nested.fields.insert(name.clone(), found);
                        nested.inner_pictures.extend(pictures);
                    }
                }
                _ => drop(nested.plain.insert(name.clone())),
            }
        }
        nested
    }

    /// All dotted names.
    fn names(&self) -> impl Iterator<Item = &String> {
        let whole = self.fields.iter().filter(|(parent, _)| !self.plain.contains(*parent));
        let beside = self.beside.iter().filter(|(parent, _)| self.plain.contains(*parent));
        whole.chain(beside).flat_map(|(_, fields)| fields)
    }

    /// Takes apart the objects that hold what no other column does. Returns how the rest is read, and what is to be said.
    pub(super) fn take_apart(
        &self,
        headings: &mut Vec<String>,
        options: &DatasetOptions,
    ) -> (DatasetOptions, Vec<(RemarkKind, String)>) {
        let (mut reading, mut said, mut taken) = (options.clone(), Vec::new(), BTreeSet::new());
        let inside = self.inner_pictures.iter().filter(|_| self.picture.is_none());
        taken.extend(inside.clone());
        let mut object_of_path =
            self.picture.as_deref().or_else(|| inside.clone().find_map(|name| outer(name)));
        for (what, option, wish, usual, others) in [
            ("paths", "--path-column", &mut reading.path_column, &PATH_NAMES[..], &[][..]),
            ("labels", "--label-column", &mut reading.label_column, &LABEL_NAMES[..], &LAST_LABELS[..]),
            ("splits", "--split-column", &mut reading.split_column, &SPLIT_NAMES[..], &[][..]),
        ] {
            if let Some(name) = wish {
                // An object with a path in it is asked for by either name.
                let object = choice::asked(headings, name).into_iter().find_map(|column| {
                    let path = format!("{}.path", headings[column]);
                    self.names().find(|field| what == "paths" && **field == path)
                });
                let is = |field: &&String| field.as_str() == name.as_str();
                let inside = || self.names().find(is).filter(|_| choice::asked(headings, name).is_empty());
                let found = object.or_else(inside);
                if let Some(field) = object {
                    name.clone_from(field);
                }
                if let (true, Some(field)) = (what == "paths", found) {
                    object_of_path = outer(field);
                }
                taken.extend(found);
                continue;
            }
            // Pictures need no path, and what else says labels is meant before what is inside of something.
            let needless = match what {
                "paths" => self.picture.is_some() || !self.inner_pictures.is_empty(),
                "labels" => self.has_labels,
                _ => false,
            };
            if needless {
                continue;
            }
            let is_column = |column: usize| self.plain.contains(&headings[column]);
            let named = choice::named(headings, usual).into_iter().chain(choice::named(headings, others));
            if named.into_iter().any(is_column) {
                continue;
            }
            let last = |field: &str| field.rsplit('.').next().unwrap_or_default().to_owned();
            let is = |field: &&String| usual.iter().any(|name| last(field).eq_ignore_ascii_case(name));
            let mut found: Vec<&String> = self.names().filter(is).collect();
            // What stands beside the path is meant before what stands elsewhere.
            let beside = |field: &&&String| object_of_path.is_some() && outer(field) == object_of_path;
            let mut nearest = found.iter().filter(beside).copied();
            if let (Some(one), None) = (nearest.next(), nearest.next()) {
                found = vec![one];
            }
            match found.as_slice() {
                [] => {}
                [one] => {
                    let text = format!(
                        "the {what} were taken from {}, a field inside an object; {option} chooses another",
                        choice::quoted_names(&[(*one).clone()])
                    );
                    said.push((RemarkKind::LayoutGuessed, text));
                    if what == "paths" {
                        object_of_path = outer(one);
                    }
                    *wish = Some((*one).clone());
                    taken.insert(one);
                }
                several => {
                    let names: Vec<String> = several.iter().map(|name| (*name).clone()).collect();
                    let text = format!(
                        "the {what} may be in {}, fields inside objects, and were taken from none; {option} chooses one",
                        choice::quoted_names(&names)
                    );
                    said.push((RemarkKind::LayoutDoubtful, text));
                }
            }
        }
        let apart: Vec<&String> = self
            .fields
            .iter()
            .filter(|(parent, _)| !self.plain.contains(*parent))
            .filter(|(_, fields)| taken.iter().any(|name| fields.contains(*name)))
            .map(|(parent, _)| parent)
            .collect();
        let old = std::mem::take(headings);
        for heading in old {
            if apart.contains(&&heading) {
                headings.extend(self.fields[&heading].iter().cloned());
                continue;
            }
            let beside = self.beside.get(&heading).filter(|_| self.plain.contains(&heading));
            headings.push(heading);
            headings.extend(beside.into_iter().flatten().cloned());
        }
        (reading, said)
    }
}

/// The object in which a field is.
fn outer(field: &str) -> Option<&str> {
    field.rsplit_once('.').map(|(outer, _)| outer)
}

/// Adds the dotted names of what is in an object; false if a name has a dot itself.
fn walk(before: &str, object: &Map<String, Value>, found: &mut BTreeSet<String>) -> bool {
    object.iter().all(|(name, value)| {
        let dotted = format!("{before}.{name}");
        match told(value) {
            _ if name.contains('.') => false,
            // As Hugging Face writes an image that is elsewhere.
            Value::Null if name == "bytes" && object.contains_key("path") => true,
            Value::Object(inner) if !inner.is_empty() => walk(&dotted, inner, found),
            _ => {
                found.insert(dotted);
                true
            }
        }
    })
}

/// Adds the dotted names of what is in a structure, and of the pictures among it; false if a name has a dot itself.
fn walk_fields(
    before: &str,
    fields: &Fields,
    is_picture: &dyn Fn(&DataType) -> bool,
    found: &mut BTreeSet<String>,
    pictures: &mut BTreeSet<String>,
) -> bool {
    fields.iter().all(|field| {
        let dotted = format!("{before}.{}", field.name());
        match field.data_type() {
            _ if field.name().contains('.') => false,
            DataType::Struct(inner) if !inner.is_empty() && !is_picture(field.data_type()) => {
                walk_fields(&dotted, inner, is_picture, found, pictures)
            }
            data => {
                if is_picture(data) {
                    pictures.insert(dotted.clone());
                }
                found.insert(dotted);
                true
            }
        }
    })
}

/// What a row has under a heading: a field of its own, or one inside of objects.
pub(super) fn get<'v>(row: &'v Map<String, Value>, heading: &str) -> Option<&'v Value> {
    row.get(heading).or_else(|| {
        let (first, rest) = heading.split_once('.')?;
        get(row.get(first)?.as_object()?, rest)
    })
}

/// The object in a row in which the field with a heading is, and its name there.
pub(super) fn place<'t, 'h>(row: Part<'t>, heading: &'h str) -> (Part<'t>, &'h str) {
    if row.get(heading).is_some() {
        return (row, heading);
    }
    let inner = heading.split_once('.').and_then(|(first, rest)| Some((row.get(first)?, rest)));
    match inner {
        Some((inner, rest)) if inner.is_object() => place(inner, rest),
        _ => (row, heading),
    }
}
