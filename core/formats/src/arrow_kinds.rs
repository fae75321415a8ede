//! What values of Arrow's types are: texts, bytes, pictures.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

/// Whether values are texts, also as categories.
pub(crate) fn is_text(data: &DataType) -> bool {
    match data {
        DataType::Dictionary(_, values) => is_text(values),
        data => matches!(data, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
    }
}

/// Whether values are bytes, which may be texts or pictures.
pub(crate) fn is_bytes(data: &DataType) -> bool {
    matches!(data, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

/// Whether values are pictures as the `datasets` library writes them: structures with bytes.
pub(crate) fn is_picture(data: &DataType) -> bool {
    match data {
        DataType::Struct(inner) => inner.iter().any(|one| {
            one.name() == "bytes" && (is_bytes(one.data_type()) || *one.data_type() == DataType::Null)
        }),
        _ => false,
    }
}

/// The bytes of a cell, as written by programs whose texts are bytes.
pub(crate) fn bytes_of(array: &ArrayRef, row: usize) -> Option<&[u8]> {
    match array.data_type() {
        _ if array.is_null(row) => None,
        DataType::Binary => Some(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Some(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => Some(array.as_binary_view().value(row)),
        _ => None,
    }
}
