//! CVAT for images: one XML file with the tags and shapes of each picture.

mod rewrite;

use super::annotated::{Annotated, Entry};
use super::around::Around;
use super::reading_options::OF_ENTRIES;
use super::several::{Label, Objects};
use super::{ClassNames, DatasetOptions, Format};
use crate::text::Document;
use crate::{Error, Result};
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "a CVAT .xml file",
    summary: "a CVAT export",
    details: "`annotations.xml` of \u{201c}CVAT for images\u{201d} by itself or in a folder with the pictures; the label is the tag, or the class \
              of most shapes; subsets are splits",
    written: "`cvat` writes CVAT for images; `cleaned` writes class folders, `cleaned-table` a CSV table",
    lost: "shapes, attributes, tracks of videos",
    class_names: ClassNames::Written,
    annotated: Some(|candidate, options| single(candidate.path(), options)),
    elsewhere: false,
    options: |_| OF_ENTRIES,
    detect: |candidate| candidate.has_extension(&["xml"]) && is_cvat(candidate.path()),
    read: |candidate, options| single(candidate.path(), options)?.into_rows(),
};

/// One file with the pictures that it lists.
fn single(file: &Path, options: &DatasetOptions) -> Result<Annotated> {
    read(file, file.parent().unwrap_or(Path::new("/")), options)
}

const WHOSE: &str = "CVAT";
/// How much of a file is looked at.
const LOOKED_AT: u64 = 1 << 12;
/// Elements that mark a part of a picture.
const SHAPES: [&str; 8] = ["box", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton"];

/// Whether a file begins like one of CVAT's.
fn is_cvat(file: &Path) -> bool {
    let mut head = Vec::new();
    if File::open(file).and_then(|file| file.take(LOOKED_AT).read_to_end(&mut head)).is_err() {
        return false;
    }
    head.retain(|&byte| byte != 0);
    let text = String::from_utf8_lossy(&head);
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    // What may stand before the first element.
    while let Some(after) = rest.strip_prefix("<?").or_else(|| rest.strip_prefix("<!")) {
        let Some(end) = after.find('>') else { return false };
        rest = after[end + 1..].trim_start();
    }
    rest.strip_prefix("<annotations").is_some_and(|rest| rest.starts_with(['>', ' ', '\n', '\r', '\t', '/']))
}

/// The files of a folder.
pub(super) fn in_folder(around: &Around<'_>) -> Result<Vec<Annotated>> {
    let mut all = Vec::new();
    let called = |name: &str| name.ends_with(".xml") && name.contains("annotations");
    for path in around.called(called) {
        let file = around.root.join(path);
        if is_cvat(&file) {
            let options = DatasetOptions { root: None, ..around.options.clone() };
            all.push(read(&file, file.parent().unwrap_or(around.root), &options)?);
        }
    }
    Ok(all)
}

/// The picture that is being read.
#[derive(Default)]
struct Picture {
    name: String,
    subset: String,
    tags: Vec<String>,
    objects: Objects,
}

impl Picture {
    fn into_entry(self) -> Entry {
        let label = if self.tags.is_empty() { self.objects.label() } else { Label::of_tags(self.tags) };
        let split = if self.subset.eq_ignore_ascii_case("default") { String::new() } else { self.subset };
        let name = PathBuf::from(&self.name);
        // Exports put the pictures of a subset into a folder of its name.
        let alias = (!split.is_empty()).then(|| Path::new(&split).join(&name));
        Entry { name, alias, label, split, ..Entry::default() }
    }
}

fn read(file: &Path, home: &Path, options: &DatasetOptions) -> Result<Annotated> {
    let (text, _) = Document::read(file)?.into_string(file)?;
    let mut read = Annotated::new(WHOSE, file, home, &["images", "", "data"].map(PathBuf::from), options)?;
    let shown = safe_path(Path::new(file.file_name().unwrap_or_default()));
    read.rewrite = rewrite::file;
    let mut reader = Reader::from_str(&text);
    let mut labels: BTreeMap<String, u64> = BTreeMap::new();
    let (mut path, mut picture): (Vec<String>, Option<Picture>) = (Vec::new(), None);
    let (mut tracks, mut unnamed) = (0_u64, 0_u64);
    let at = |reader: &Reader<&[u8]>| {
        text[..(reader.buffer_position() as usize).min(text.len())].matches('\n').count() + 1
    };
    loop {
        let event = reader.read_event().map_err(|error| {
            // Nothing but markup that is never closed is an error of syntax.
            let what = match error {
                quick_xml::Error::Syntax(_) => "it ends too early, as if it was cut off",
                _ => "it is not valid XML",
            };
            Error::format(file, format!("line {}: {what}: {error}", at(&reader)))
        })?;
        let (element, empty) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(_) => {
                if path.pop().as_deref() == Some("image") && path.len() == 1 {
                    read.entries.extend(picture.take().map(Picture::into_entry));
                }
                continue;
            }
            Event::Text(words) if path.ends_with(&["label".into(), "name".into()]) && picture.is_none() => {
                let order = labels.len() as u64;
                labels.entry(words.xml10_content().into_owned()).or_insert(order);
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let name = element.name().as_ref().to_owned();
        let value = |key: &str| {
            attribute(element, key).map_err(|why| Error::format(file, format!("line {}: {why}", at(&reader))))
        };
        match (name.as_str(), path.len(), &mut picture) {
            ("image", 1, picture) => {
                let Some(name) = value("name")?.filter(|name| !name.is_empty()) else {
                    return Err(Error::format(file, format!("line {}: an image has no name", at(&reader))));
                };
                let new =
                    Picture { name, subset: value("subset")?.unwrap_or_default(), ..Picture::default() };
                match empty {
                    true => read.entries.push(new.into_entry()),
                    false => *picture = Some(new),
                }
            }
            ("track", 1, _) => tracks += 1,
            ("tag", 2, Some(picture)) => match value("label")?.filter(|label| !label.is_empty()) {
                Some(label) => picture.tags.push(label),
                None => unnamed += 1,
            },
            (shape, 2, Some(picture)) if SHAPES.contains(&shape) => {
                let corner = |key: &str| {
                    Ok::<f64, Error>(value(key)?.and_then(|text| text.parse().ok()).unwrap_or(0.0))
                };
                let area = match shape {
                    "box" => (corner("xbr")? - corner("xtl")?) * (corner("ybr")? - corner("ytl")?),
                    "mask" => corner("width")? * corner("height")?,
                    "ellipse" => corner("rx")? * corner("ry")? * std::f64::consts::PI,
                    "polygon" => polygon(&value("points")?.unwrap_or_default()),
                    _ => 0.0,
                };
                match value("label")?.filter(|label| !label.is_empty()) {
                    Some(label) => {
                        let order = labels.get(&label).copied().unwrap_or(u64::MAX);
                        picture.objects.add(&label, area, order);
                    }
                    None => unnamed += 1,
                }
            }
            _ => {}
        }
        if !empty {
            path.push(name);
        }
    }
    if let Some(open) = path.last() {
        let message = format!("it ends too early, as if it was cut off: <{}> is not closed", excerpt(open));
        return Err(Error::format(file, message));
    }
    if read.entries.is_empty() && tracks > 0 {
        let message = "it describes a video, which is not read: export it as \u{201c}CVAT for images\u{201d}";
        return Err(Error::format(file, message));
    }
    let tracks_are = counted(tracks, "track of a video was", "tracks of videos were");
    read.ledger.add(RemarkKind::LabelsMissing, tracks, format!("{tracks_are} not read from {shown}"));
    let marks = counted(unnamed, "tag or shape has", "tags or shapes have");
    read.ledger.add(RemarkKind::LabelsMissing, unnamed, format!("{marks} no label in {shown}"));
    Ok(read)
}

/// The value of an attribute without its escapes.
fn attribute(element: &BytesStart<'_>, key: &str) -> std::result::Result<Option<String>, String> {
    let broken = |error: &dyn std::fmt::Display| format!("it is not valid XML: {error}");
    let Some(found) = element.try_get_attribute(key).map_err(|error| broken(&error))? else {
        return Ok(None);
    };
    let value = found.normalized_value(XmlVersion::Explicit1_0).map_err(|error| broken(&error))?;
    Ok(Some(value.into_owned()))
}

/// The area of a polygon: `x,y;x,y;…`.
fn polygon(points: &str) -> f64 {
    let point = |text: &str| {
        let (x, y) = text.split_once(',')?;
        Some((x.trim().parse::<f64>().ok()?, y.trim().parse::<f64>().ok()?))
    };
    let points: Vec<(f64, f64)> = points.split(';').filter_map(point).collect();
    let next = points.iter().cycle().skip(1);
    points.iter().zip(next).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum::<f64>().abs() / 2.0
}

#[cfg(test)]
mod tests;
