//! Fields inside the objects of a row, by their dotted names: `annotation.label`. An object in which the path, the label or the
//! split is, is taken apart into columns, so that each of its fields is read, kept and written by itself.

use super::told;
use crate::dataset::DatasetOptions;
use crate::dataset::choice::{self, LABEL_NAMES, LAST_LABELS, PATH_NAMES, SPLIT_NAMES};
use crate::text::json_parts::Part;
use chaffinch_protocol::RemarkKind;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Which fields are objects in all rows, and what is in them.
#[derive(Default)]
pub(super) struct Nested {
    /// The dotted names of what is in each.
    fields: BTreeMap<String, BTreeSet<String>>,
    /// Those that are something else in a row, or have fields with a dot in their names.
    plain: HashSet<String>,
}

impl Nested {
    /// Looks at a row.
    pub(super) fn see(&mut self, row: &Map<String, Value>) {
        for (name, value) in row {
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

    /// All dotted names.
    fn names(&self) -> impl Iterator<Item = &String> {
        let whole = self.fields.iter().filter(|(parent, _)| !self.plain.contains(*parent));
        whole.flat_map(|(_, fields)| fields)
    }

    /// Takes apart the objects that hold what no other column does. Returns how the rest is read, and what is to be said.
    pub(super) fn take_apart(
        &self,
        headings: &mut Vec<String>,
        options: &DatasetOptions,
    ) -> (DatasetOptions, Vec<(RemarkKind, String)>) {
        let (mut reading, mut said, mut taken) = (options.clone(), Vec::new(), BTreeSet::new());
        for (what, option, wish, usual, others) in [
            ("paths", "--path-column", &mut reading.path_column, &PATH_NAMES[..], &[][..]),
            ("labels", "--label-column", &mut reading.label_column, &LABEL_NAMES[..], &LAST_LABELS[..]),
            ("splits", "--split-column", &mut reading.split_column, &SPLIT_NAMES[..], &[][..]),
        ] {
            if let Some(name) = wish {
                let is = |field: &&String| field.as_str() == name.as_str();
                let found = self.names().find(is).filter(|_| choice::asked(headings, name).is_empty());
                taken.extend(found);
                continue;
            }
            let is_column = |column: usize| self.plain.contains(&headings[column]);
            let named = choice::named(headings, usual).into_iter().chain(choice::named(headings, others));
            if named.into_iter().any(is_column) {
                continue;
            }
            let last = |field: &str| field.rsplit('.').next().unwrap_or_default().to_owned();
            let is = |field: &&String| usual.iter().any(|name| last(field).eq_ignore_ascii_case(name));
            let found: Vec<&String> = self.names().filter(is).collect();
            match found.as_slice() {
                [] => {}
                [one] => {
                    let text = format!(
                        "the {what} were taken from {}, a field inside an object; {option} chooses another",
                        choice::quoted_names(&[(*one).clone()])
                    );
                    said.push((RemarkKind::LayoutGuessed, text));
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
            .filter(|(_, fields)| taken.iter().any(|name| fields.contains(*name)))
            .map(|(parent, _)| parent)
            .collect();
        let old = std::mem::take(headings);
        for heading in old {
            match apart.contains(&&heading) {
                true => headings.extend(self.fields[&heading].iter().cloned()),
                false => headings.push(heading),
            }
        }
        (reading, said)
    }
}

/// Adds the dotted names of what is in an object; false if a name has a dot itself.
fn walk(before: &str, object: &Map<String, Value>, found: &mut BTreeSet<String>) -> bool {
    object.iter().all(|(name, value)| {
        let dotted = format!("{before}.{name}");
        match told(value) {
            _ if name.contains('.') => false,
            Value::Object(inner) if !inner.is_empty() => walk(&dotted, inner, found),
            _ => {
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
