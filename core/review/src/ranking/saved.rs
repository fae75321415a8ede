//! Stores a rank, so that reopening ten million rows does not recompute it.

use crate::Result;
use crate::ranking::{Counts, Kept, Ranking};
use arrow_array::{Array, ArrayRef, Float32Array, RecordBatch, UInt16Array, UInt32Array};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{Field, Schema};
use chaffinch_data::columns::{Column, FORMAT, file};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

#[derive(Serialize, Deserialize)]
struct RankHeader {
    format: u32,
    /// What the rank was computed from.
    key: String,
    suspects: usize,
    /// Of each detector.
    counts: Vec<Counts>,
}

/// Writes a rank. `key` identifies everything it was computed from.
///
/// # Errors
/// When it cannot be written.
pub fn save_rank(path: &Path, key: &str, ranking: &Ranking) -> Result<()> {
    let Kept { score, flags, rest, full, suspects, counts } = ranking.kept();
    let count = score.len();
    let arrays: [(&str, ArrayRef); 4] = [
        ("score", Arc::new(Float32Array::new(ScalarBuffer::new(score.buffer(), 0, count), None))),
        ("flags", Arc::new(UInt16Array::new(ScalarBuffer::new(flags.buffer(), 0, count), None))),
        ("rest", Arc::new(Float32Array::new(ScalarBuffer::new(rest.buffer(), 0, count), None))),
        ("order", Arc::new(UInt32Array::new(ScalarBuffer::new(full.buffer(), 0, count), None))),
    ];
    let head = RankHeader { format: FORMAT, key: key.to_owned(), suspects, counts };
    let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), false);
    let fields: Vec<Field> = arrays.iter().map(field).collect();
    let schema = Schema::new(fields).with_metadata(file::metadata(&head));
    let batch = RecordBatch::try_new(Arc::new(schema), arrays.into_iter().map(|(_, array)| array).collect());
    file::write(path, &batch.map_err(|error| crate::Error::format(path, error.to_string()))?)
}

/// Reads a rank of `count` samples computed from what `key` identifies. `None` if there is none or it is unusable; it
/// must be recomputed in that case.
pub fn load_rank(path: &Path, key: &str, count: usize) -> Option<Ranking> {
    let batch = file::read(path).ok()?;
    let head: RankHeader = file::head(path, &batch.schema()).ok()?;
    if head.format != FORMAT || head.key != key || batch.num_rows() != count {
        return None;
    }
    let column = |name: &str| batch.column_by_name(name).map(|array| array.as_any());
    let score = column("score")?.downcast_ref::<Float32Array>()?.values().inner().clone();
    let flags = column("flags")?.downcast_ref::<UInt16Array>()?.values().inner().clone();
    let rest = column("rest")?.downcast_ref::<Float32Array>()?.values().inner().clone();
    let full = column("order")?.downcast_ref::<UInt32Array>()?.values().inner().clone();
    Ranking::from_kept(Kept {
        score: Column::mapped(score)?,
        flags: Column::mapped(flags)?,
        rest: Column::mapped(rest)?,
        full: Column::mapped(full)?,
        suspects: head.suspects,
        counts: head.counts,
    })
}
