//! JSON of FiftyOne: `samples`, each with a `filepath`, or what names samples elsewhere, and a field of vectors. A vector is a
//! list of numbers, or what FiftyOne's `VectorField` stores: a NumPy file, compressed by zlib, in base64
//! (`{"$binary": {"base64": …}}`).

use crate::arrays::{self, Picked};
use crate::dataset::split_tag;
use crate::headings::{PATHS, is_id, names_samples};
use crate::row_names::SideColumn;
use crate::row_splits;
use crate::text::json_keys;
use crate::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chaffinch_protocol::display::excerpt;
use chaffinch_review::label_quality::{Grid, Numbers};
use flate2::read::ZlibDecoder;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;

/// The most bytes of a vector once it is decompressed.
const MOST: u64 = 64 << 20;

/// Names of fields of vectors, in the order in which they are preferred.
const FIELDS: [&str; 4] = ["embedding", "embeddings", "image_embedding", "vector"];

/// Reads a file.
///
/// # Errors
/// When it cannot be read, has no samples or no field of vectors, or several that may be meant.
pub(super) fn read(path: &Path) -> Result<Picked> {
    let text = fs::read(path).map_err(Error::io("read", path))?;
    let whole: Value =
        json_keys::read(&text).map_err(|error| Error::format(path, format!("it is not JSON: {error}")))?;
    drop(text);
    let samples = match &whole {
        Value::Object(whole) => whole.get("samples").and_then(Value::as_array),
        Value::Array(samples) => Some(samples),
        _ => None,
    };
    let samples: Vec<&Map<String, Value>> =
        samples.into_iter().flatten().filter_map(Value::as_object).collect();
    if samples.is_empty() {
        return Err(Error::format(path, "it has no 'samples' as FiftyOne writes them"));
    }
    let field = field(path, &samples)?;
    let (mut numbers, mut dim): (Vec<f64>, Option<usize>) = (Vec::new(), None);
    let mut before = 0;
    for (index, sample) in samples.iter().enumerate() {
        let broken = |reason: &str| {
            let (field, number) = (excerpt(&field), index + 1);
            Error::format(path, format!("sample {number}: '{field}' is not a vector: {reason}"))
        };
        let vector = match sample.get(&field) {
            // What has no vector is a finding about its sample.
            None | Some(Value::Null) => None,
            Some(value) => Some(vector(value).map_err(|reason| broken(&reason))?),
        };
        match (vector, dim) {
            (Some(vector), dim_before) => {
                let expected = *dim.get_or_insert(vector.len());
                if vector.len() != expected {
                    return Err(broken(&format!("it has {} numbers instead of {expected}", vector.len())));
                }
                if dim_before.is_none() {
                    numbers.extend(std::iter::repeat_n(f64::NAN, before * expected));
                }
                numbers.extend(vector);
            }
            (None, Some(dim)) => numbers.extend(std::iter::repeat_n(f64::NAN, dim)),
            (None, None) => before += 1,
        }
    }
    let grid = Grid {
        numbers: Numbers::Double(numbers.into()),
        rows: samples.len(),
        cols: dim.unwrap_or(0),
        names: None,
    };
    let cells = |name: &str| samples.iter().map(|sample| cell(sample.get(name))).collect();
    let has = |name: &&str| samples.iter().any(|sample| sample.get(*name).is_some_and(Value::is_string));
    let scalar = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    let names: BTreeSet<&String> = (samples.iter().flat_map(|sample| sample.iter()))
        .filter(|(_, value)| scalar(value))
        .map(|(name, _)| name)
        .collect();
    let side = |name: &String| SideColumn { heading: name.clone(), cells: cells(name) };
    if let Some(name) = ["filepath"].into_iter().chain(PATHS).find(has) {
        // Splits are only compared with those of the samples.
        let side = names.into_iter().map(side).filter(|column| !is_id(&column.heading));
        let mut side: Vec<SideColumn> = side.filter(row_splits::is_of_use).collect();
        if side.is_empty() {
            let tag = |sample: &&Map<String, Value>| split_tag(sample).unwrap_or_default().to_owned();
            side.push(SideColumn { heading: "split".to_owned(), cells: samples.iter().map(tag).collect() });
        }
        return Ok(Picked { ids: Some(cells(name)), side, ..grid.into() });
    }
    if !names.iter().any(|name| is_id(name))
        && let Some(name) = samples.iter().flat_map(|sample| sample.iter()).find_map(hidden)
    {
        let message = format!(
            "its field '{}' has names of samples inside of an object, which are not read; write them to a field filepath",
            excerpt(name)
        );
        return Err(Error::format(path, message));
    }
    // Other programs name samples by ids.
    let side = names.into_iter().map(side);
    Ok(Picked { side: side.collect(), ..grid.into() })
}

/// A text, a number or a truth value as text; anything else is empty.
fn cell(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        _ => String::new(),
    }
}

/// A field that has a name of a sample inside.
fn hidden<'s>((name, value): (&'s String, &'s Value)) -> Option<&'s str> {
    let inner = value.as_object()?;
    inner.iter().any(|(key, value)| names_samples(key) && value.is_string()).then_some(name.as_str())
}

/// The field of vectors.
fn field(path: &Path, samples: &[&Map<String, Value>]) -> Result<String> {
    let has = |name: &str| samples.iter().any(|sample| sample.get(name).is_some_and(is_vector));
    if let Some(name) = FIELDS.iter().find(|name| has(name)) {
        return Ok((*name).to_owned());
    }
    let mut names: Vec<&String> = samples
        .iter()
        .flat_map(|sample| sample.iter())
        .filter(|(_, value)| is_vector(value))
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    names.dedup();
    match names[..] {
        [one] => Ok(one.clone()),
        [] => Err(Error::format(
            path,
            "no sample has a field with a vector: a list of numbers, or FiftyOne's binary form",
        )),
        _ => {
            let names: Vec<String> = names.iter().map(|name| format!("'{}'", excerpt(name))).collect();
            let message = format!(
                "several fields have vectors ({}); call the one that is meant 'embedding'",
                names.join(", ")
            );
            Err(Error::format(path, message))
        }
    }
}

fn is_vector(value: &Value) -> bool {
    match value {
        Value::Array(numbers) => {
            numbers.len() > 1 && numbers.iter().all(|number| number.is_number() || number.is_null())
        }
        other => binary(other).is_some(),
    }
}

/// The base64 of a binary value, in the old and the new form of MongoDB's extended JSON.
fn binary(value: &Value) -> Option<&str> {
    let inside = value.as_object()?.get("$binary")?;
    inside.as_str().or_else(|| inside.get("base64")?.as_str())
}

fn vector(value: &Value) -> std::result::Result<Vec<f64>, String> {
    if let Value::Array(numbers) = value {
        let number = |value: &Value| match value {
            Value::Null => Some(f64::NAN),
            value => value.as_f64(),
        };
        let numbers: Option<Vec<f64>> = numbers.iter().map(number).collect();
        return numbers.ok_or_else(|| "it has something else than numbers".to_owned());
    }
    let text = binary(value).ok_or_else(|| "it is neither a list nor binary".to_owned())?;
    let packed = STANDARD.decode(text.trim()).map_err(|error| format!("its base64 is broken ({error})"))?;
    let mut bytes = Vec::new();
    ZlibDecoder::new(packed.as_slice())
        .take(MOST)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("it is not compressed by zlib as FiftyOne does ({error})"))?;
    arrays::npy::vector(&bytes)
}
