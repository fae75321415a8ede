//! All samples with everything that is known of them, as Parquet. Pictures that lie in other files are in it; those that
//! are files of their own are named by their paths, and the folder these start from is in the file's metadata.

use super::odd_paths::{Are, OddPaths};
use super::sample_table::{Cell, Column, Kind, SampleTable};
use super::{Export, Format, Request, Target, Written};
use crate::dataset::ROOT_KEY;
use crate::text::json_numbers;
use crate::{Error, Result};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    StructArray,
};
use arrow_schema::{DataType, Field, Fields, Schema};
use chaffinch_compute::job::Job;
use chaffinch_data::{atomic, class_names};
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::sample::SampleId;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

pub(super) const FORMAT: Format = Format {
    name: "parquet",
    summary: "The same as Parquet, which `scan` reads; with pictures where these lie in tar or Parquet files or a bucket",
    file_name: "samples.parquet",
    target: Target::File,
    stage: Some("write"),
    guards: false,
    write,
};

/// Rows of a batch.
const ROWS: usize = 1 << 14;
/// Rows of a batch with pictures, which has to fit into memory.
const PICTURES: usize = 100;
/// The column of pictures, as the `datasets` library calls it.
const IMAGE: &str = "image";

/// A column that only some formats have.
pub(super) struct More<'a> {
    pub(super) field: Field,
    /// How the `datasets` library describes it.
    pub(super) feature: Value,
    /// Its values for some samples.
    pub(super) values: Box<dyn Fn(&[SampleId]) -> ArrayRef + 'a>,
}

fn write(export: &Export<'_>, request: &Request, job: &Job<'_>) -> Result<Written> {
    write_with(export, request, Vec::new(), job)
}

/// Writes the table with more columns at its end.
///
/// # Errors
/// When the target is inside the dataset or cannot be written, or the job is stopped.
pub(super) fn write_with(
    export: &Export<'_>,
    request: &Request,
    more: Vec<More<'_>>,
    job: &Job<'_>,
) -> Result<Written> {
    export.outside(&request.output)?;
    let manifest = export.source.manifest;
    let table = SampleTable::of(export);
    let pictures = manifest.packing().is_some();
    // An own column of that name would be taken for the pictures.
    let image = || table.columns.iter().all(|column| column.name != IMAGE);
    let picture_name = if image() { IMAGE } else { "picture" };
    let mut written = Written::file(&request.output);
    let mut stopped = None;
    let footer = footer(export, &table, pictures.then_some(picture_name), &more);
    let described = footer.iter().map(|(key, value)| (key.clone(), value.clone()));
    let schema = schema(&table, pictures.then_some(picture_name), &more);
    // Readers take it from the footer or from the schema in it.
    let schema = Arc::new(schema.with_metadata(described.collect::<BTreeMap<_, _>>()));
    let properties = properties(footer);
    let ids: Vec<SampleId> = manifest.ids().collect();
    atomic::write(&request.output, |out| {
        let mut writer =
            ArrowWriter::try_new(out, schema.clone(), Some(properties)).map_err(io::Error::other)?;
        let mut done = 0;
        for ids in ids.chunks(if pictures { PICTURES } else { ROWS }) {
            if let Err(error) = job.checkpoint() {
                stopped = Some(error);
                return Err(io::Error::from(io::ErrorKind::Interrupted));
            }
            job.progress(done, manifest.len() as u64);
            done += ids.len() as u64;
            let mut arrays: Vec<ArrayRef> = Vec::new();
            if pictures {
                arrays.push(images(export, ids, &mut written.left_out));
            }
            for column in &table.columns {
                arrays.push(match column.kind {
                    Kind::Number => {
                        Arc::new(Float32Array::from_iter(ids.iter().map(
                            |&id| match table.cell(column, id) {
                                Cell::Number(number) => Some(number),
                                _ => None,
                            },
                        )))
                    }
                    Kind::Flag => {
                        Arc::new(BooleanArray::from_iter(ids.iter().map(
                            |&id| match table.cell(column, id) {
                                Cell::Flag(flag) => Some(flag),
                                Cell::Json { value, .. } => value.as_bool(),
                                _ => None,
                            },
                        )))
                    }
                    Kind::Integer => {
                        let number =
                            |&id: &SampleId| json(&table, column, id).and_then(|value| value.as_i64());
                        Arc::new(Int64Array::from_iter(ids.iter().map(number)))
                    }
                    Kind::Double => {
                        let number =
                            |&id: &SampleId| json(&table, column, id).and_then(|value| value.as_f64());
                        Arc::new(Float64Array::from_iter(ids.iter().map(number)))
                    }
                    Kind::Text => {
                        Arc::new(StringArray::from_iter(ids.iter().map(|&id| text(table.cell(column, id)))))
                    }
                });
            }
            arrays.extend(more.iter().map(|column| (column.values)(ids)));
            let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(io::Error::other)?;
            writer.write(&batch).map_err(io::Error::other)?;
            if pictures {
                writer.flush().map_err(io::Error::other)?;
            }
        }
        job.progress(manifest.len() as u64, manifest.len() as u64);
        writer.close().map_err(io::Error::other).map(drop)
    })
    .map_err(|error| stopped.map_or(error, Error::from))?;
    if !pictures {
        written.left_out.extend(OddPaths::of_all(manifest).told(Are::Escaped));
    }
    written.summary = Some(counted(manifest.len() as u64, "sample", "samples"));
    written.renamed = table.renamed;
    Ok(written)
}

fn schema(table: &SampleTable<'_>, pictures: Option<&str>, more: &[More<'_>]) -> Schema {
    let mut fields = Vec::new();
    fields.extend(pictures.map(|name| Field::new(name, DataType::Struct(image_fields()), true)));
    fields.extend(table.columns.iter().map(|column| {
        let data = match column.kind {
            Kind::Text => DataType::Utf8,
            Kind::Number => DataType::Float32,
            Kind::Flag => DataType::Boolean,
            Kind::Integer => DataType::Int64,
            Kind::Double => DataType::Float64,
        };
        Field::new(&column.name, data, true)
    }));
    fields.extend(more.iter().map(|column| column.field.clone()));
    Schema::new(fields)
}

fn image_fields() -> Fields {
    [Field::new("bytes", DataType::Binary, true), Field::new("path", DataType::Utf8, true)]
        .into_iter()
        .collect()
}

/// What stands in the footer: the columns as the `datasets` library describes them, and the folder of relative paths.
fn footer(
    export: &Export<'_>,
    table: &SampleTable<'_>,
    pictures: Option<&str>,
    more: &[More<'_>],
) -> Vec<(String, String)> {
    let mut features = Map::new();
    if let Some(name) = pictures {
        features.insert(name.to_owned(), json!({"_type": "Image"}));
    }
    for column in &table.columns {
        let kind = match column.kind {
            Kind::Text => "string",
            Kind::Number => "float32",
            Kind::Flag => "bool",
            Kind::Integer => "int64",
            Kind::Double => "float64",
        };
        features.insert(column.name.clone(), json!({"dtype": kind, "_type": "Value"}));
    }
    for column in more {
        features.insert(column.field.name().clone(), column.feature.clone());
    }
    let features: Value = json!({"info": {"features": features}});
    let mut footer = vec![("huggingface".to_owned(), features.to_string())];
    if let Some(root) = export.source.manifest.root().to_str().filter(|_| pictures.is_none()) {
        footer.push((ROOT_KEY.to_owned(), root.to_owned()));
    }
    footer
}

fn properties(footer: Vec<(String, String)>) -> WriterProperties {
    let footer = footer.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(Default::default()))
        .set_created_by(concat!("chaffinch ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(footer))
        .build()
}

/// The pictures of some samples. One that cannot be read is empty, and listed.
fn images(export: &Export<'_>, ids: &[SampleId], left_out: &mut Vec<String>) -> ArrayRef {
    let manifest = export.source.manifest;
    let mut bytes = Vec::with_capacity(ids.len());
    for &id in ids {
        let source = manifest.source(id);
        match source.read() {
            Ok(read) => bytes.push(Some(read)),
            Err(error) => {
                left_out.push(format!("the picture {}: {error}", safe_path(&source.shown())));
                bytes.push(None);
            }
        }
    }
    let bytes: BinaryArray = bytes.iter().map(|one| one.as_deref()).collect();
    let names = StringArray::from_iter_values(ids.iter().map(|&id| path_text(manifest.path(id))));
    Arc::new(StructArray::new(image_fields(), vec![Arc::new(bytes), Arc::new(names)], None))
}

/// What a cell of the dataset's other columns is.
fn json<'a>(table: &SampleTable<'a>, column: &Column<'a>, id: SampleId) -> Option<Value> {
    match table.cell(column, id) {
        Cell::Json { value, .. } => {
            let written = json_numbers::spelling(&value).and_then(|text| text.parse::<f64>().ok());
            Some(written.map_or(value, Value::from))
        }
        _ => None,
    }
}

fn text(cell: Cell<'_>) -> Option<String> {
    match cell {
        Cell::Path(path) => Some(path_text(path)),
        Cell::Class(text) | Cell::Text(text) => Some(text.into_owned()),
        Cell::Tags(tags) => Some(tags.join(",")),
        Cell::Json { text, .. } => Some(text.to_owned()),
        Cell::Nothing | Cell::Number(_) | Cell::Flag(_) => None,
    }
}

/// A path as it is, so that the file is found; one that is not text with its bytes as `\xff`.
fn path_text(path: &Path) -> String {
    path.to_str().map_or_else(|| class_names::of_bytes(path.as_os_str().as_bytes()), str::to_owned)
}
