//! A table for Embedding Atlas: all samples with their place on the map and their neighbors, which it then does not compute.

use super::parquet_table::{More, write_with};
use super::{Export, Format, Request, Target, Written};
use crate::Result;
use arrow_array::builder::{Float32Builder, Int64Builder, ListBuilder};
use arrow_array::{ArrayRef, Float32Array, StructArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Fields};
use chaffinch_compute::job::Job;
use chaffinch_compute::neighbors::{NeighborLists, nearest};
use chaffinch_protocol::sample::SampleId;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) const FORMAT: Format = Format {
    name: "embedding-atlas",
    summary: "Parquet of all samples for Embedding Atlas, with `projection_x`, `projection_y` and `neighbors`",
    file_name: "embedding_atlas.parquet",
    target: Target::File,
    stage: Some("write"),
    guards: false,
    write,
};

/// Neighbors of each sample, as many as Embedding Atlas looks for.
const NEIGHBORS: usize = 15;

fn write(export: &Export<'_>, request: &Request, job: &Job<'_>) -> Result<Written> {
    export.outside(&request.output)?;
    let atlas = export.atlas()?;
    let points = atlas.projection().points();
    let usable = |row: usize| points.get(row).is_some_and(|point| !point[0].is_nan());
    let lists = nearest(atlas.matrix(), &usable, NEIGHBORS, job)?;
    let axis = |name: &str, axis: usize, sign: f32| More {
        field: Field::new(name, DataType::Float32, true),
        feature: value("float32"),
        values: Box::new(move |ids: &[SampleId]| -> ArrayRef {
            let place = |id: &SampleId| points.get(id.index()).map(|point| point[axis] * sign);
            Arc::new(Float32Array::from_iter(ids.iter().map(|id| place(id).filter(|place| !place.is_nan()))))
        }),
    };
    let sequence = |of: &str| json!({"feature": value(of), "_type": "List"});
    let neighbors = More {
        field: Field::new("neighbors", DataType::Struct(fields()), true),
        feature: json!({"ids": sequence("int64"), "distances": sequence("float32")}),
        values: Box::new(|ids| neighbors(&lists, &usable, ids)),
    };
    // Its y axis points up, that of the map points down.
    let more = vec![axis("projection_x", 0, 1.0), axis("projection_y", 1, -1.0), neighbors];
    let mut written = write_with(export, request, more, job)?;
    if let Some(recall) = lists.recall {
        written.notes.push(format!("{:.1} % of the nearest neighbors were found", 100.0 * recall));
    }
    written.notes.push(
        "to see it: embedding-atlas FILE --x projection_x --y projection_y --neighbors neighbors".into(),
    );
    Ok(written)
}

fn value(kind: &str) -> Value {
    json!({"dtype": kind, "_type": "Value"})
}

fn fields() -> Fields {
    let list = |kind| DataType::List(Arc::new(Field::new("item", kind, true)));
    [Field::new("ids", list(DataType::Int64), true), Field::new("distances", list(DataType::Float32), true)]
        .into_iter()
        .collect()
}

/// The rows of the neighbors, counted from 0, and their cosine distances: the sample itself first, as Embedding Atlas
/// has it.
fn neighbors(lists: &NeighborLists, usable: &dyn Fn(usize) -> bool, ids: &[SampleId]) -> ArrayRef {
    let mut rows = ListBuilder::new(Int64Builder::new());
    let mut distances = ListBuilder::new(Float32Builder::new());
    let mut valid = Vec::with_capacity(ids.len());
    for &id in ids {
        let known = usable(id.index()) && lists.k > 0;
        if known {
            rows.values().append_value(i64::from(id.0));
            distances.values().append_value(0.0);
            for (row, similarity) in lists.of(id.index()) {
                rows.values().append_value(row as i64);
                distances.values().append_value((1.0 - similarity).max(0.0));
            }
        }
        rows.append(true);
        distances.append(true);
        valid.push(known);
    }
    let columns: Vec<ArrayRef> = vec![Arc::new(rows.finish()), Arc::new(distances.finish())];
    Arc::new(StructArray::new(fields(), columns, Some(NullBuffer::from(valid))))
}
