//! New classes in the metadata of a Parquet file, which has it twice: in its footer, and inside the Arrow schema that the footer
//! carries in its own encoding. `pyarrow` and the `datasets` library read the second one.

use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::root_as_message;
use arrow_schema::Schema;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parquet::arrow::{ARROW_SCHEMA_META_KEY, encode_arrow_schema};
use parquet::file::metadata::KeyValue;
use serde_json::Value;

/// Where the `datasets` library describes columns.
const FEATURES: &str = "huggingface";

/// Adds names to those of a column's classes, wherever the metadata lists them.
///
/// # Errors
/// In a clause, when it does not list the column's classes or cannot be read.
pub(super) fn add_classes(
    footer: &mut [KeyValue],
    column: &str,
    names: &[String],
) -> std::result::Result<(), String> {
    let lacking = || format!("its metadata does not list the classes of '{column}'");
    let entry = footer.iter_mut().find(|entry| entry.key == FEATURES).ok_or_else(lacking)?;
    let new = extended(entry.value.as_deref().unwrap_or_default(), column, names).ok_or_else(lacking)?;
    entry.value = Some(new.clone());
    let Some(encoded) = footer.iter_mut().find(|entry| entry.key == ARROW_SCHEMA_META_KEY) else {
        return Ok(());
    };
    let mut schema = decoded(encoded.value.as_deref().unwrap_or_default()).ok_or_else(|| {
        format!("its {ARROW_SCHEMA_META_KEY} cannot be read, so no class can be added to it")
    })?;
    if schema.metadata.contains_key(FEATURES) {
        // The same text, so that whoever reads one of them knows what the other one says.
        schema.metadata.insert(FEATURES, new);
        encoded.value = Some(encode_arrow_schema(&schema));
    }
    Ok(())
}

/// A description of columns with more classes of one; `None` if it does not list them.
fn extended(text: &str, column: &str, names: &[String]) -> Option<String> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    let info = if value.get("features").is_some() { Some(&mut value) } else { value.get_mut("info") };
    let features = info?.get_mut("features")?;
    let list = features.get_mut(column)?.get_mut("names")?.as_array_mut()?;
    list.extend(names.iter().map(|name| Value::from(name.as_str())));
    Some(value.to_string())
}

/// The schema in an entry of the footer: a message of Arrow, with or without its length before it, in base 64.
pub(super) fn decoded(text: &str) -> Option<Schema> {
    let bytes = STANDARD.decode(text).ok()?;
    let message = match bytes.strip_prefix(&[0xff; 4]) {
        Some(rest) => rest.get(4..)?,
        None => &bytes,
    };
    try_fb_to_schema(root_as_message(message).ok()?.header_as_schema()?).ok()
}
