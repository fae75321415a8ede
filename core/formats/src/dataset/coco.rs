//! COCO: pictures, categories and annotated objects in one JSON file for each split.

mod rewrite;

use super::annotated::{Annotated, Entry};
use super::around::Around;
use super::choice::LABEL_NAMES;
use super::json::{self, Outer, Shape};
use super::names_of_parts::split_named;
use super::reading_options::OF_ENTRIES;
use super::several::Objects;
use super::unnamed_classes::WITHOUT_NAME;
use super::{Candidate, ClassNames, DatasetOptions, Format};
use crate::{Error, Result};
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "a COCO .json file",
    summary: "a COCO dataset",
    details: "`annotations/instances_SPLIT.json`, Roboflow's `_annotations.coco.json`, or one such file; pictures are also looked \
              for in the folder that the file's name says; the label of a picture is the category of most of its \
              annotations, then of the largest area, then the first; `all_labels` has all",
    written: "`coco` writes COCO; `cleaned` writes class folders, `cleaned-table` a CSV table",
    lost: "boxes, masks, key points, captions, licenses",
    class_names: ClassNames::Written,
    annotated: Some(|candidate, options| single(candidate.path(), options)),
    elsewhere: false,
    options: |_| OF_ENTRIES,
    detect: |candidate| {
        candidate.has_extension(&["json"]) && file(candidate).is_some_and(|shape| is_coco(&shape))
    },
    read: |candidate, options| single(candidate.path(), options)?.into_rows(),
};

fn file(candidate: &Candidate) -> Option<Shape> {
    Shape::of_file(candidate.path())
}

const WHOSE: &str = "COCO";

/// Prefixes of the names of files, with the ones to read first.
const PREFIXES: [&str; 6] =
    ["instances", "_annotations", "annotations", "panoptic", "person_keypoints", "stuff"];

/// Whether an object is a COCO file.
fn is_coco(shape: &Shape) -> bool {
    let says = |names: &[&str]| {
        shape.inner.iter().any(|key| names.iter().any(|name| key.trim().eq_ignore_ascii_case(name)))
    };
    // Behind a long list of images, the other keys are not seen. Images that have labels of their own are a table.
    let listed = shape.inner.contains("file_name") && shape.inner.contains("id") && !says(&LABEL_NAMES);
    let bare = shape.inner.is_empty() && shape.has_any(&["licenses", "info"]);
    let pictures = shape.has("images") && (listed || bare || shape.has_any(&["annotations", "categories"]));
    shape.outer == Outer::Object && !shape.has("data") && (pictures || shape.has("annotations"))
}

/// An id, which may be a number or a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Id {
    Number(i64),
    Text(String),
}

impl fmt::Display for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Number(number) => number.fmt(out),
            Id::Text(text) => out.write_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Id, D::Error> {
        struct Ids;
        impl Visitor<'_> for Ids {
            type Value = Id;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an id: a whole number or a text")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> std::result::Result<Id, E> {
                Ok(Id::Number(value))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<Id, E> {
                Ok(i64::try_from(value).map_or_else(|_| Id::Text(value.to_string()), Id::Number))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> std::result::Result<Id, E> {
                match value.fract() == 0.0 && value.abs() < 9e15 {
                    true => Ok(Id::Number(value as i64)),
                    false => Err(E::invalid_value(de::Unexpected::Float(value), &self)),
                }
            }
            fn visit_str<E: de::Error>(self, value: &str) -> std::result::Result<Id, E> {
                // Some files have the same number as a text in one place and bare in another.
                let number = value.parse::<i64>().ok().filter(|number| number.to_string() == value);
                Ok(number.map_or_else(|| Id::Text(value.to_owned()), Id::Number))
            }
        }
        from.deserialize_any(Ids)
    }
}

#[derive(serde::Deserialize)]
struct File {
    #[serde(default)]
    images: Option<Vec<Image>>,
    #[serde(default)]
    annotations: Option<Vec<Annotation>>,
    #[serde(default)]
    categories: Option<Vec<Category>>,
}

#[derive(serde::Deserialize)]
struct Image {
    id: Id,
    #[serde(default)]
    file_name: Option<String>,
}

#[derive(serde::Deserialize)]
struct Category {
    id: Id,
    #[serde(default)]
    name: Option<String>,
}

#[derive(serde::Deserialize)]
struct Annotation {
    image_id: Id,
    #[serde(default)]
    category_id: Option<Id>,
    #[serde(default)]
    area: Option<f64>,
    #[serde(default)]
    bbox: Option<Vec<f64>>,
    /// The parts of a panoptic annotation.
    #[serde(default)]
    segments_info: Vec<Segment>,
}

#[derive(serde::Deserialize)]
struct Segment {
    category_id: Id,
    #[serde(default)]
    area: Option<f64>,
}

impl Annotation {
    fn area(&self) -> f64 {
        let of_box = || match self.bbox.as_deref() {
            Some([_, _, width, height]) => width * height,
            _ => 0.0,
        };
        self.area.unwrap_or_else(of_box)
    }
}

/// The classes by the ids of their categories.
struct Classes {
    known: HashMap<Id, (String, u64)>,
    /// Ids without a category, with how often they occur.
    strange: BTreeMap<Id, u64>,
}

impl Classes {
    fn new(categories: Vec<Category>) -> Classes {
        let mut ids: Vec<(Id, Option<String>)> =
            categories.into_iter().map(|category| (category.id, category.name)).collect();
        ids.sort_by(|a, b| a.0.cmp(&b.0));
        let named = (0..).zip(ids).map(|(order, (id, name))| {
            let name = name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| id.to_string());
            (id, (name, order))
        });
        Classes { known: named.collect(), strange: BTreeMap::new() }
    }

    /// As the dataset has them.
    fn numbers(&self) -> ClassNumbers {
        let number = |(id, (name, _)): (&Id, &(String, u64))| match id {
            Id::Number(id) => Some((u64::try_from(*id).ok()?, name.clone())),
            Id::Text(_) => None,
        };
        ClassNumbers::of_ids(self.known.iter().filter_map(number))
    }

    /// The name of a category and its place. One without a name is called by its number.
    fn get(&mut self, id: &Id) -> (String, u64) {
        if let Some(known) = self.known.get(id) {
            return known.clone();
        }
        *self.strange.entry(id.clone()).or_default() += 1;
        let order = match id {
            Id::Number(number) => u64::try_from(*number).unwrap_or(u64::MAX),
            Id::Text(_) => u64::MAX,
        };
        (id.to_string(), order)
    }
}

/// Opens one file with the pictures that it lists.
fn single(path: &Path, options: &DatasetOptions) -> Result<Annotated> {
    let home = home(path);
    let Some(read) = read(path, &home, options)? else {
        let message = "this COCO file has no annotation with a category: there are no labels in it";
        return Err(Error::format(path, message));
    };
    Ok(read)
}

/// The files of a folder. One file for each split, and those after it that say the same pictures in another way.
pub(super) fn in_folder(around: &Around<'_>) -> Result<Vec<Annotated>> {
    let mut files: Vec<(usize, PathBuf)> = Vec::new();
    for (path, shape) in around.objects() {
        if is_coco(&shape) {
            let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
            let rank = PREFIXES.iter().position(|prefix| name.starts_with(prefix));
            files.push((rank.unwrap_or(2), around.root.join(path)));
        }
    }
    files.sort();
    let mut all = Vec::new();
    for (_, file) in files {
        let home = home(&file);
        // Pictures are looked for in the folder that was opened.
        let home = if home.starts_with(around.root) { home } else { around.root.to_path_buf() };
        let options = DatasetOptions { root: None, ..around.options.clone() };
        let Some(read) = read(&file, &home, &options)? else { continue };
        if read.entries.iter().any(|entry| entry.label.name().is_some()) {
            all.push(read);
        }
    }
    Ok(all)
}

/// The folder that paths are relative to: the one above a folder of annotations.
fn home(file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let name = folder.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let aside = ["annotations", "annotation", "labels", "label", "ann", "anns"];
    match folder.parent() {
        Some(above) if aside.contains(&name.as_str()) => above.to_path_buf(),
        _ => folder.to_path_buf(),
    }
}

/// The part of the dataset that the name of a file says, such as `train2017` in `instances_train2017.json`, if it is
/// that of a split.
fn part(file: &Path) -> Option<String> {
    let stem = file.file_stem()?.to_str()?;
    let mut rest = stem;
    for prefix in PREFIXES {
        if let Some(after) = rest.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix)) {
            rest = &rest[after.len()..];
            break;
        }
    }
    let rest = rest.trim_matches(['_', '-', '.', ' ']);
    let words = || stem.split(['_', '-', '.', ' ']).filter(|word| !word.is_empty());
    // Roboflow names the folder of a file after the split.
    let folder = file.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let all = [rest].into_iter().chain(words()).chain(folder);
    all.into_iter().find(|word| split_named(word).is_some()).map(str::to_owned)
}

/// Folders in which the pictures of a part may be, the likeliest first.
fn folders(file: &Path, home: &Path, part: Option<&str>) -> Vec<PathBuf> {
    let own = file.parent().unwrap_or(Path::new("/"));
    let own = if own.starts_with(home) { own.to_path_buf() } else { home.to_path_buf() };
    let mut names: Vec<String> = part.iter().map(|part| (*part).to_owned()).collect();
    if let Some(part) = part {
        let split = split_named(part).unwrap_or_default();
        names.push(part.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned());
        names.push(split.name().to_owned());
        names.extend(
            (split.name() == "validation")
                .then_some(["val", "valid"])
                .into_iter()
                .flatten()
                .map(str::to_owned),
        );
    }
    names.retain(|name| !name.is_empty());
    let mut all: Vec<PathBuf> = Vec::new();
    for name in &names {
        let name = Path::new(name);
        all.extend([
            name.to_path_buf(),
            Path::new("images").join(name),
            name.join("images"),
            Path::new("data").join(name),
        ]);
    }
    all.extend(["", "images", "data", "JPEGImages", "imgs"].map(PathBuf::from));
    all.push(own.clone());
    all.push(own.join("images"));
    all
}

/// What is wrong with categories of one id that have different names.
fn repeated_categories(categories: &[Category]) -> Option<String> {
    let mut names: BTreeMap<&Id, BTreeSet<&str>> = BTreeMap::new();
    for category in categories {
        names.entry(&category.id).or_default().insert(category.name.as_deref().unwrap_or_default().trim());
    }
    names.retain(|_, names| names.len() > 1);
    let (id, different) = names.first_key_value()?;
    let ids = counted(names.len() as u64, "category id stands", "category ids stand");
    let mut different = different.iter().map(|name| format!("'{}'", excerpt(name)));
    let [one, other] = [(); 2].map(|()| different.next().unwrap_or_default());
    Some(format!(
        "{ids} for more than one name, such as {}, which is {one} and {other}",
        excerpt(&id.to_string())
    ))
}

/// Reads a file; `None` if it has no annotation with a category, such as captions.
fn read(file: &Path, home: &Path, options: &DatasetOptions) -> Result<Option<Annotated>> {
    let File { images, annotations, categories } = json::read(file)?;
    let (images, annotations) = (images.unwrap_or_default(), annotations.unwrap_or_default());
    let labeled = |one: &Annotation| one.category_id.is_some() || !one.segments_info.is_empty();
    if !annotations.is_empty() && !annotations.iter().any(labeled) {
        return Ok(None);
    }
    let part = part(file);
    let mut read = Annotated::new(WHOSE, file, home, &folders(file, home, part.as_deref()), options)?;
    read.rewrite = rewrite::file;
    let shown = safe_path(Path::new(file.file_name().unwrap_or_default()));
    let categories = categories.unwrap_or_default();
    let mut rows: HashMap<Id, usize> = HashMap::with_capacity(images.len());
    let mut again: BTreeSet<Id> = BTreeSet::new();
    for (row, image) in images.iter().enumerate() {
        if rows.insert(image.id.clone(), row).is_some() {
            again.insert(image.id.clone());
        }
    }
    if let Some(id) = again.first() {
        let ids = counted(again.len() as u64, "image id stands", "image ids stand");
        let message = format!("{ids} for more than one image, such as {}", excerpt(&id.to_string()));
        return Err(Error::format(file, message));
    }
    if let Some(message) = repeated_categories(&categories) {
        return Err(Error::format(file, message));
    }
    let mut classes = Classes::new(categories);
    let mut objects: Vec<Objects> = vec![Objects::default(); images.len()];
    let (mut dangling, mut bare) = (0_u64, 0_u64);
    let mut first_dangling = None;
    for annotation in &annotations {
        let Some(&row) = rows.get(&annotation.image_id) else {
            dangling += 1;
            first_dangling.get_or_insert(&annotation.image_id);
            continue;
        };
        match &annotation.category_id {
            Some(id) => {
                let (name, order) = classes.get(id);
                objects[row].add(&name, annotation.area(), order);
            }
            None if annotation.segments_info.is_empty() => bare += 1,
            None => {}
        }
        for segment in &annotation.segments_info {
            let (name, order) = classes.get(&segment.category_id);
            objects[row].add(&name, segment.area.unwrap_or(0.0), order);
        }
    }
    if let Some(id) = first_dangling {
        let of = counted(dangling, "annotation is", "annotations are");
        let text = format!(
            "{of} of an image that {shown} does not list, such as image {}",
            excerpt(&id.to_string())
        );
        read.ledger.add(RemarkKind::LabelsMissing, dangling, text);
    }
    let text = format!("{} no category in {shown}", counted(bare, "annotation has", "annotations have"));
    read.ledger.add(RemarkKind::LabelsMissing, bare, text);
    if let Some((id, _)) = classes.strange.first_key_value() {
        let count: u64 = classes.strange.values().sum();
        let have = counted(count, "annotation has", "annotations have");
        let text = format!(
            "{have} a category {WITHOUT_NAME} in {shown}, which is called by its id: {}",
            excerpt(&id.to_string())
        );
        let kind =
            if classes.known.is_empty() { RemarkKind::LayoutGuessed } else { RemarkKind::ClassesDoubtful };
        read.ledger.add(kind, count, text);
    }
    read.class_numbers = classes.numbers();
    for (image, objects) in images.into_iter().zip(objects) {
        let Some(name) = image.file_name.filter(|name| !name.is_empty()) else {
            let message = format!("image {} has no file_name", excerpt(&image.id.to_string()));
            return Err(Error::format(file, message));
        };
        read.entries.push(Entry {
            name: PathBuf::from(name),
            label: objects.label(),
            split: part.clone().unwrap_or_default(),
            ..Entry::default()
        });
    }
    Ok(Some(read))
}

#[cfg(test)]
mod tests;
