//! Columns of Arrow and Parquet datasets: which holds the pictures, the labels, the splits; the names of classes that the
//! `datasets` library keeps in the schema; and cells as text.

use super::alike::{Classes, Looks};
use super::choice::{self, LABEL_NAMES, LAST_LABELS, PATH_NAMES};
use super::companions::one_to_one;
use super::declared::ClassNames;
use super::several::{ALL_LABELS, BETWEEN};
use super::split_columns::SPLIT_NAMES;
use super::typed::is_nested;
use super::{DatasetOptions, Opened};
use crate::arrow_kinds::{bytes_of, is_bytes, is_picture, is_text};
use crate::arrow_text;
use crate::same_headings;
use crate::text::as_whole;
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, Field, Fields, Schema};
use chaffinch_data::class_names;
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{excerpt, safe_path};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Names of columns that hold the bytes of pictures, likeliest first.
const PICTURE_NAMES: [&str; 16] = [
    "image",
    "img",
    "picture",
    "photo",
    "pixels",
    "bytes",
    "image_bytes",
    "img_bytes",
    "jpg",
    "jpeg",
    "png",
    "webp",
    "image_data",
    "content",
    "data",
    "binary",
];

/// Where the bytes of the pictures are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    /// The column.
    pub(super) column: usize,
    /// Whether it is a structure of `bytes` and perhaps `path`, as the `datasets` library writes it.
    pub(super) nested: bool,
    /// The path of the bytes in a Parquet schema.
    pub(super) leaf: String,
}

/// What the columns of a dataset are.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) picture: Option<Picture>,
    /// The column of names or paths.
    pub(super) path: Option<usize>,
    pub(super) label: Option<usize>,
    pub(super) split: Option<usize>,
    /// The columns that are kept.
    pub(super) other: Vec<usize>,
    /// Another column that may hold the labels.
    pub(super) rival: Option<usize>,
    /// Columns that are neither used nor kept.
    pub(super) dropped: Vec<String>,
}

/// What the `datasets` library says of columns: the names of classes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Features {
    classes: ClassNames,
}

impl Features {
    /// From the metadata of a schema, or from a `dataset_info.json`.
    pub(super) fn parse(text: &str) -> Features {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let features = value.get("features").or_else(|| value.get("info")?.get("features"));
        let mut classes = BTreeMap::new();
        named(features, "", &mut classes);
        Features { classes }
    }

    /// Those that are declared elsewhere, where a file has none.
    pub(super) fn or(self, declared: &ClassNames) -> Features {
        if self.classes.is_empty() { Features { classes: declared.clone() } } else { self }
    }

    /// Of a schema.
    pub(super) fn of(schema: &Schema) -> Features {
        schema.metadata().get("huggingface").map(|text| Features::parse(text)).unwrap_or_default()
    }

    /// The names of a column's classes, if it has numbers for them.
    pub(super) fn classes(&self, column: &str) -> Option<&[String]> {
        self.classes.get(column).map(Vec::as_slice)
    }
}

/// Adds the names of the classes of each feature, also of those inside of structures.
fn named(features: Option<&Value>, before: &str, classes: &mut BTreeMap<String, Vec<String>>) {
    for (name, feature) in features.and_then(Value::as_object).into_iter().flatten() {
        let dotted = format!("{before}{name}");
        // A list of classes: several of one picture.
        let own = feature.get("feature").filter(|inner| inner.is_object()).unwrap_or(feature);
        let names = own.get("names").and_then(Value::as_array);
        match names.filter(|_| own["_type"] == "ClassLabel") {
            Some(names) => {
                let names = names.iter().map(|name| name.as_str().unwrap_or_default().to_owned());
                classes.insert(dotted, names.collect());
            }
            None if own.get("_type").is_none_or(Value::is_object) => {
                named(Some(own), &format!("{dotted}."), classes);
            }
            None => {}
        }
    }
}

impl Columns {
    /// Chooses.
    ///
    /// # Errors
    /// When a column that was asked for is not there.
    pub(super) fn choose(
        file: &Path,
        fields: &Fields,
        features: &Features,
        options: &DatasetOptions,
    ) -> Result<Columns> {
        let headings: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        let named = |asked: &Option<String>, usual: &[&str]| -> Result<Vec<usize>> {
            let Some(name) = asked else { return Ok(choice::named(&headings, usual)) };
            match choice::asked(&headings, name).as_slice() {
                [] => {
                    let among = choice::among(&headings);
                    let message = format!("there is no column '{}'; {among}", excerpt(name));
                    Err(Error::format(file, message))
                }
                found => Ok(found.to_vec()),
            }
        };
        let asked = named(&options.path_column, &[])?;
        let picture = picture(fields, &asked);
        let text = |column: &usize| is_text(fields[*column].data_type());
        let path = named(&options.path_column, &PATH_NAMES)?.into_iter().find(text);
        let chosen = picture.as_ref().is_some_and(|picture| asked.contains(&picture.column));
        // What was asked for is the pictures; their names may be in a column of their own.
        let usual = || choice::named(&headings, &PATH_NAMES).into_iter().find(text);
        let path = path.or_else(|| usual().filter(|_| chosen));
        if let (Some(&column), None) = (asked.first(), path)
            && picture.as_ref().is_none_or(|picture| picture.column != column)
        {
            let name = excerpt(fields[column].name());
            return Err(Error::format(
                file,
                format!("the column '{name}' holds neither pictures nor their paths"),
            ));
        }
        let taken = |column: usize| {
            picture.as_ref().is_some_and(|picture| picture.column == column) || path == Some(column)
        };
        let free = |found: Vec<usize>| -> Vec<usize> {
            let scalar = |column: &usize| is_scalar(fields[*column].data_type());
            found.into_iter().filter(|column| !taken(*column)).filter(scalar).collect()
        };
        let mut labels: Vec<usize> = named(&options.label_column, &LABEL_NAMES)?;
        labels.retain(|column| !taken(*column) && is_label(fields[*column].data_type()));
        let classes = |column: &usize| features.classes(fields[*column].name()).is_some();
        if options.label_column.is_none() {
            // A column of classes is one, whatever it is called.
            let mut all: Vec<usize> = labels.iter().copied().filter(classes).collect();
            // What is called a split is one, also with names for its numbers.
            let splits = choice::named(&headings, &SPLIT_NAMES);
            let other =
                |column: &usize| classes(column) && !labels.contains(column) && !splits.contains(column);
            all.extend((0..fields.len()).filter(other));
            all.extend(labels.iter().copied().filter(|column| !classes(column)));
            if all.is_empty() {
                all = free(choice::named(&headings, &LAST_LABELS));
                all.retain(|column| is_label(fields[*column].data_type()));
            }
            labels = all;
        }
        let label = labels.first().copied();
        // Columns are read by their names, so that which of two is meant cannot be said.
        for column in label.into_iter().chain(path) {
            same_headings::refuse_differing(file, &headings, column, (None, None), |_| Ok(true))?;
        }
        let rival = labels.get(1).copied();
        let splits = free(named(&options.split_column, &SPLIT_NAMES)?);
        let split = splits.into_iter().find(|column| Some(*column) != label);
        let (mut other, mut dropped) = (Vec::new(), Vec::new());
        for (column, field) in fields.iter().enumerate() {
            if taken(column) || Some(column) == label || Some(column) == split {
                continue;
            }
            match holds_bytes(field.data_type()) {
                true => dropped.push(field.name().clone()),
                false => other.push(column),
            }
        }
        Ok(Columns { picture, path, label, split, other, rival, dropped })
    }

    /// The other column that may hold the labels.
    pub(super) fn rival(&self, file: &Path, fields: &Fields) -> Option<Rival> {
        let name = |column: usize| fields[column].name().clone();
        Some(Rival { file: file.to_path_buf(), label: name(self.label?), other: name(self.rival?) })
    }

    /// Says which columns of bytes were left out, if any.
    pub(super) fn dropped(&self, file: &Path) -> Option<String> {
        let names: Vec<String> = self.dropped.iter().map(|name| format!("'{}'", excerpt(name))).collect();
        let (column, hold, was) = match names.len() {
            1 => ("column", "holds", "was"),
            _ => ("columns", "hold", "were"),
        };
        (!names.is_empty()).then(|| {
            format!(
                "the {column} {} of {} {hold} bytes and {was} left out; --path-column chooses the column of pictures",
                names.join(", "),
                safe_path(file)
            )
        })
    }
}

/// A column that may hold the labels, too.
pub(super) struct Rival {
    file: PathBuf,
    label: String,
    other: String,
}

/// Says of such columns, once for each column of labels, whether they divide the images as the labels do.
pub(super) fn tell_rivals(rivals: &[Rival], opened: &mut Opened) {
    let mut said = BTreeSet::new();
    for Rival { file, label, other } in rivals.iter().filter(|rival| said.insert(&rival.label)) {
        let manifest = &opened.manifest;
        let column = manifest.extra().iter().find(|column| column.name == *other);
        let pairs = column.map(|column| {
            let rows = manifest.ids().zip(&column.values);
            rows.map(|(id, value)| (manifest.label_name(id), value.trim()))
        });
        let quoted = |name: &str| format!("'{}'", excerpt(name));
        let (kind, text) = match pairs.and_then(one_to_one) {
            Some(_) => {
                let text = choice::alike("label", &quoted(label), &quoted(other), false);
                (RemarkKind::LayoutGuessed, text)
            }
            None => (RemarkKind::LayoutDoubtful, choice::doubt(file, "label", label, other)),
        };
        opened.ledger.add(kind, 1, text);
    }
}

/// Says that no column of the files has labels, unless columns of 0 and 1 say them; `names` are those of all others.
pub(super) fn tell_unlabeled(names: &[String], opened: &mut Opened) {
    let manifest = &opened.manifest;
    let flags =
        manifest.extra().iter().any(|column| column.name == ALL_LABELS && !names.contains(&column.name));
    if flags || !manifest.classes().is_empty() {
        return;
    }
    let names: Vec<String> = names.iter().map(|name| format!("'{}'", excerpt(name))).collect();
    let choose = match names.is_empty() {
        true => String::new(),
        false => format!("; choose one with --label-column: {}", names.join(", ")),
    };
    let text = format!("there is no column of labels{choose}");
    opened.ledger.add(RemarkKind::LabelsMissing, opened.manifest.len() as u64, text);
}

/// What a file with these columns looks like beside others, but for its path and rows.
pub(super) fn looks(fields: &Fields, columns: &Columns, features: &Features) -> Looks {
    let name = |column: usize| fields[column].name().clone();
    let read = columns.other.iter().copied().chain(columns.split).chain(columns.path);
    let classes = columns.label.map(|column| match features.classes(fields[column].name()) {
        Some(names) => Classes::Named(names.to_vec()),
        None if is_text(fields[column].data_type()) => Classes::Texts,
        None if fields[column].data_type().is_integer() => Classes::Numbers,
        None => Classes::Unknown,
    });
    Looks {
        columns: read.map(name).collect(),
        label: columns.label.map(name),
        classes: classes.unwrap_or_default(),
        ..Looks::default()
    }
}

/// The column of pictures: that which was asked for, a structure with bytes in it first, then columns of bytes by their names,
/// then the only one.
fn picture(fields: &Fields, asked: &[usize]) -> Option<Picture> {
    let rank = |name: &str| {
        PICTURE_NAMES.iter().position(|usual| name.eq_ignore_ascii_case(usual)).unwrap_or(usize::MAX)
    };
    let nested = |field: &Field| is_picture(field.data_type());
    let best = |wanted: &dyn Fn(&Field) -> bool| {
        let found = fields.iter().enumerate().filter(|(_, field)| wanted(field));
        found.min_by_key(|(column, field)| (!asked.contains(column), rank(field.name()), *column))
    };
    let plain = |field: &Field| is_bytes(field.data_type());
    let asks_for = |wanted: &dyn Fn(&Field) -> bool| asked.iter().any(|&column| wanted(&fields[column]));
    if let Some((column, field)) = best(&nested).filter(|_| !asks_for(&plain)) {
        return Some(Picture { column, nested: true, leaf: format!("{}.bytes", field.name()) });
    }
    let (column, field) = best(&plain)?;
    // Beside a column of paths, bytes under any name may be a checksum or a vector.
    let has_paths = fields.iter().any(|field| {
        is_text(field.data_type()) && PATH_NAMES.iter().any(|name| field.name().eq_ignore_ascii_case(name))
    });
    let only = !has_paths && fields.iter().filter(|field| plain(field)).count() == 1;
    (only || asked.contains(&column) || rank(field.name()) < usize::MAX).then(|| Picture {
        column,
        nested: false,
        leaf: field.name().clone(),
    })
}

fn holds_bytes(data: &DataType) -> bool {
    match data {
        DataType::Struct(inner) => inner.iter().any(|field| holds_bytes(field.data_type())),
        DataType::List(inner) | DataType::LargeList(inner) | DataType::FixedSizeList(inner, _) => {
            holds_bytes(inner.data_type())
        }
        DataType::FixedSizeBinary(_) => true,
        data => is_bytes(data),
    }
}

fn is_scalar(data: &DataType) -> bool {
    is_text(data) || data.is_primitive() || matches!(data, DataType::Boolean | DataType::Dictionary(..))
}

/// Whether the values of a column are written like their texts.
pub(super) fn is_single(data: &DataType) -> bool {
    is_text(data)
        || data.is_integer()
        || matches!(data, DataType::Boolean | DataType::Float32 | DataType::Float64)
}

/// Whether a column may hold labels, or lists of them.
fn is_label(data: &DataType) -> bool {
    match data {
        DataType::List(inner) | DataType::LargeList(inner) => is_scalar(inner.data_type()),
        data => is_scalar(data) || is_bytes(data),
    }
}

/// Cells of a column as text; those without a value are empty.
pub(super) struct Cells<'a> {
    array: &'a ArrayRef,
    formatter: ArrayFormatter<'a>,
    classes: Option<&'a [String]>,
}

const FORMAT: FormatOptions<'static> = FormatOptions::new().with_null("");

impl<'a> Cells<'a> {
    /// `classes` are the names that numbers stand for.
    ///
    /// # Errors
    /// When values of this kind cannot be written as text.
    pub(super) fn new(file: &Path, array: &'a ArrayRef, classes: Option<&'a [String]>) -> Result<Cells<'a>> {
        let formatter = ArrayFormatter::try_new(array.as_ref(), &FORMAT)
            .map_err(|error| Error::format(file, error.to_string()))?;
        Ok(Cells { array, formatter, classes })
    }

    /// The text of a cell.
    pub(super) fn text(&self, row: usize) -> String {
        if self.array.is_null(row) {
            return String::new();
        }
        if is_bytes(self.array.data_type()) {
            return bytes_of(self.array, row).map(class_names::of_bytes).unwrap_or_default();
        }
        match is_nested(self.array.data_type()) {
            true => arrow_text::text(self.array, row),
            false => self.formatter.value(row).try_to_string().unwrap_or_default(),
        }
    }

    /// The name of a cell's class; `None` if it has none, as −1 says.
    pub(super) fn label(&self, row: usize) -> Option<String> {
        if let Some(inner) = self.list(row) {
            let cells =
                Cells { array: &inner, formatter: ArrayFormatter::try_new(&inner, &FORMAT).ok()?, ..*self };
            let labels: Vec<String> = (0..inner.len()).filter_map(|row| cells.one(row)).collect();
            return (!labels.is_empty()).then(|| labels.join(BETWEEN));
        }
        self.one(row)
    }

    /// The values of a cell, if they are a list.
    fn list(&self, row: usize) -> Option<ArrayRef> {
        let lists = self.array.as_list_opt::<i32>().map(|lists| lists.value(row));
        let lists = lists.or_else(|| self.array.as_list_opt::<i64>().map(|lists| lists.value(row)));
        lists.filter(|_| !self.array.is_null(row))
    }

    /// What a cell says, where numbers may stand for names: those.
    pub(super) fn said(&self, row: usize) -> String {
        match self.classes {
            Some(_) => self.one(row).unwrap_or_default(),
            None => self.text(row),
        }
    }

    fn one(&self, row: usize) -> Option<String> {
        let text = self.text(row);
        match self.classes {
            Some(classes) => {
                let number = as_whole(&text);
                if number == "-1" {
                    return None;
                }
                let name = number.parse::<usize>().ok().and_then(|number| classes.get(number));
                Some(name.cloned().unwrap_or(text))
            }
            None => Some(text),
        }
        .filter(|label| !label.is_empty())
    }
}

/// A column of a structure.
pub(super) fn inner<'a>(array: &'a ArrayRef, name: &str) -> Option<&'a ArrayRef> {
    array.as_struct_opt().and_then(|array| array.column_by_name(name))
}
