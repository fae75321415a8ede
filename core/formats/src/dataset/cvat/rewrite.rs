//! CVAT's annotations with images removed and the labels of tags and shapes changed.

use super::{SHAPES, attribute};
use crate::dataset::DatasetOptions;
use crate::dataset::annotated::Annotated;
use crate::dataset::rewrite::{self, EntryChange, EntryChanges, NewFile};
use crate::text::Document;
use crate::text::json_parts::Patch;
use crate::{Error, Result};
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::collections::BTreeSet;
use std::ops::Range;

pub(super) fn file(read: &Annotated, changes: &EntryChanges, _: &DatasetOptions) -> Result<Vec<NewFile>> {
    let file = read.file.as_path();
    let document = Document::read(file)?;
    let mark = document.mark;
    let (text, encoding) = document.into_string(file)?;
    let new = edited(&text, changes).map_err(|why| Error::format(file, why))?;
    Ok(vec![(file.to_path_buf(), Some(rewrite::encoded(file, &new, mark, encoding)?))])
}

/// Where the value of an attribute stands, between its quotation marks.
fn value_span(text: &str, element: &Range<usize>, key: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = element.start;
    // The name of the element, then pairs of names and quoted values.
    while at < element.end && !bytes[at].is_ascii_whitespace() {
        at += 1;
    }
    while at < element.end {
        let from = at;
        while at < element.end && bytes[at] != b'=' {
            at += 1;
        }
        let name = text[from..at].trim();
        while at < element.end && !matches!(bytes[at], b'"' | b'\'') {
            at += 1;
        }
        let quote = *bytes.get(at).filter(|_| at < element.end)?;
        let start = at + 1;
        let end = start + text[start..element.end].find(char::from(quote))?;
        if name == key {
            return Some(start..end);
        }
        at = end + 1;
    }
    None
}

/// An image that is open.
struct Open<'a> {
    change: Option<&'a EntryChange>,
    start: usize,
    tag_end: usize,
    empty: bool,
    changed: bool,
    tags: bool,
}

fn edited(text: &str, changes: &EntryChanges) -> std::result::Result<String, String> {
    let mut reader = Reader::from_str(text);
    let mut patch = Patch::default();
    let (mut path, mut images): (Vec<String>, usize) = (Vec::new(), 0);
    let mut open: Option<Open<'_>> = None;
    let mut known: BTreeSet<String> = BTreeSet::new();
    // Where another label goes: after the last one.
    let mut labels_end = None;
    loop {
        let before = reader.buffer_position() as usize;
        let event = reader.read_event().map_err(|error| format!("it is not valid XML: {error}"))?;
        let after = reader.buffer_position() as usize;
        let (element, empty): (&BytesStart<'_>, bool) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(_) => {
                let closed = path.pop();
                if closed.as_deref() == Some("image") && path.len() == 1 {
                    if let Some(image) = open.take() {
                        finish(text, image, before, after, &mut patch)?;
                    }
                } else if closed.as_deref() == Some("label")
                    && path.last().is_some_and(|last| last == "labels")
                {
                    labels_end = Some(after);
                }
                continue;
            }
            Event::Text(words) if path.ends_with(&["label".into(), "name".into()]) && open.is_none() => {
                known.insert(words.xml10_content().into_owned());
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let name = element.name().as_ref().to_owned();
        let span = before..after;
        match (name.as_str(), path.len(), &mut open) {
            ("image", 1, open) => {
                let change = changes.get(&images);
                images += 1;
                let image =
                    Open { change, start: before, tag_end: after, empty, changed: false, tags: false };
                if let Some(change) = change.filter(|change| !change.remove) {
                    if let Some((_, split)) = &change.split {
                        let place = value_span(text, &span, "subset").ok_or("an image has no subset")?;
                        patch.replace(place, escape(split.as_str()).into_owned());
                    }
                    if let Some(new) = &change.path {
                        let new = new.to_str().ok_or("XML cannot hold a name that is not UTF-8")?;
                        let place = value_span(text, &span, "name").ok_or("an image has no name")?;
                        patch.replace(place, escape(new).into_owned());
                    }
                }
                match empty {
                    true => finish(text, image, after, after, &mut patch)?,
                    false => *open = Some(image),
                }
            }
            (kind, 2, Some(image)) if kind == "tag" || SHAPES.contains(&kind) => {
                let own = attribute(element, "label")?.unwrap_or_default();
                let wanted =
                    image.change.filter(|change| !change.remove).and_then(|change| change.label.as_ref());
                image.tags |= kind == "tag";
                if let (Some(label), Some(change)) = (wanted, image.change)
                    && (change.is_old(&own) || (kind == "tag" && change.old.is_empty()))
                    && let Some(place) = value_span(text, &span, "label")
                {
                    patch.replace(place, escape(label.as_str()).into_owned());
                    image.changed = true;
                }
            }
            _ => {}
        }
        if !empty {
            path.push(name);
        }
    }
    if images == 0 || changes.keys().next_back().is_some_and(|&last| last >= images) {
        return Err("its images are not those that were read".to_owned());
    }
    let wanted: BTreeSet<&String> =
        changes.values().filter(|change| !change.remove).filter_map(|change| change.label.as_ref()).collect();
    if let Some(at) = labels_end.filter(|_| !known.is_empty()) {
        let same = |label: &&&String| !known.iter().any(|own| chaffinch_data::class_names::same(own, label));
        let new: String = wanted
            .iter()
            .filter(same)
            .map(|label| {
                format!("<label><name>{}</name><attributes></attributes></label>", escape(label.as_str()))
            })
            .collect();
        patch.insert(at, new);
    }
    Ok(patch.applied(text))
}

fn finish(
    text: &str,
    image: Open<'_>,
    before: usize,
    after: usize,
    patch: &mut Patch,
) -> std::result::Result<(), String> {
    let Some(change) = image.change else { return Ok(()) };
    if change.remove {
        let blanks = text[..image.start].len() - text[..image.start].trim_end().len();
        patch.replace(image.start - blanks..after, "");
        return Ok(());
    }
    let Some(label) = change.label.as_ref().filter(|_| !image.changed) else { return Ok(()) };
    if !change.old.is_empty() {
        return Err(format!("no tag or shape of an image has the label '{}'", change.old));
    }
    let tag = format!("<tag label=\"{}\" source=\"manual\"></tag>", escape(label.as_str()));
    match image.empty {
        true => {
            let slash = image.tag_end - 2;
            patch.replace(slash..image.tag_end, format!(">{tag}</image>"));
        }
        false => patch.insert(before, tag),
    }
    Ok(())
}
