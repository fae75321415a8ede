//! Columns of a Parquet file that name the samples or the splits of its rows.

use crate::arrow_kinds::{is_bytes, is_text};
use crate::headings::{PATHS, is_id, is_label, names_samples};
use crate::{Error, Result};
use arrow_schema::{DataType, Field, FieldRef, SchemaRef};
use chaffinch_protocol::display::excerpt;
use std::path::Path;

/// What the name of a picture is called in a structure, as the `datasets` library writes it.
const INSIDE: [&str; 4] = ["path", "file_name", "filename", "name"];

/// The column that names the sample of each row: the first of the usual ones that has texts.
pub(super) fn ids_column(schema: &SchemaRef) -> Option<usize> {
    let fields = schema.fields();
    let of = |name: &str| {
        fields.iter().position(|field| field.name().trim().eq_ignore_ascii_case(name) && has_names(field))
    };
    PATHS.into_iter().find_map(of)
}

/// Whether a column may name the rows, as texts or as whole numbers.
pub(super) fn may_name(kind: &DataType) -> bool {
    kind.is_integer() || is_text(kind) || matches!(kind, DataType::Float64 | DataType::Boolean)
}

/// Whether a column of names has texts, which some programs write as bytes; those of pictures are not read.
pub(super) fn has_names(field: &FieldRef) -> bool {
    let is_bytes = match field.data_type() {
        DataType::Dictionary(_, values) => is_bytes(values),
        kind => is_bytes(kind),
    };
    let is_picture = ["image", "img"].iter().any(|name| field.name().trim().eq_ignore_ascii_case(name));
    is_text(field.data_type()) || (is_bytes && !is_picture)
}

/// Whether a column of labels has texts as bytes.
pub(super) fn has_labels(field: &FieldRef) -> bool {
    is_label(field.name()) && is_bytes(field.data_type())
}

/// The text in a structure that names the samples, such as the path of a picture.
pub(super) fn name_inside(field: &Field) -> Option<usize> {
    let DataType::Struct(inner) = field.data_type() else { return None };
    let place = |name: &&str| {
        inner.iter().position(|one| one.name().eq_ignore_ascii_case(name) && is_text(one.data_type()))
    };
    if names_samples(field.name()) { INSIDE.iter().find_map(place) } else { None }
}

/// Whether the names in a column are in structures.
pub(super) fn are_inside(schema: &SchemaRef, column: Option<usize>) -> bool {
    column.is_some_and(|column| name_inside(schema.field(column)).is_some())
}

/// The names of rows. Where they are in structures, pictures need not have any: none at all are no names.
pub(super) fn given(names: Vec<String>, are_inside: bool) -> Option<Vec<String>> {
    (!are_inside || names.iter().any(|name| !name.is_empty())).then_some(names)
}

/// The column that names the sample of each row, also in a structure, if no other one may name them.
///
/// # Errors
/// When names are where they are not read: the rows would be taken in order.
pub(super) fn naming_column(path: &Path, schema: &SchemaRef) -> Result<Option<usize>> {
    let fields = schema.fields();
    let may_name =
        |field: &&FieldRef| is_id(field.name()) && (may_name(field.data_type()) || has_names(field));
    let own = ids_column(schema);
    if own.is_some() || fields.iter().any(|field| may_name(&field)) {
        return Ok(own);
    }
    if let Some(column) = fields.iter().position(|field| name_inside(field).is_some()) {
        return Ok(Some(column));
    }
    let hides = |field: &&FieldRef| match field.data_type() {
        DataType::Struct(inner) => inner.iter().any(|field| names_samples(field.name()) && has_names(field)),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            is_id(field.name()) && is_text(item.data_type())
        }
        DataType::Map(..) => is_id(field.name()),
        _ => false,
    };
    match fields.iter().find(hides) {
        None => Ok(None),
        Some(field) => {
            let message = format!(
                "its column '{}' has names of samples inside of a structure or list, which are not read; write them to a column path \
                 of texts",
                excerpt(field.name())
            );
            Err(Error::format(path, message))
        }
    }
}
