//! Which part of a Parquet file is damaged.

use super::{builder, guarded};
use crate::Error;
use crate::dataset::shards::NOTHING_SCANNED;
use chaffinch_data::packing::Blob;
use chaffinch_protocol::display::safe_text;
use parquet::arrow::ProjectionMask;
use std::io;
use std::path::Path;

/// How many bytes are read at once to see whether they can be.
const PART: u64 = 4 << 20;

/// What to say of a file of which these columns cannot be decoded from a row on: the row group and the column, unless it
/// cannot be read at all.
pub(super) fn blame(file: &Path, leaves: &[usize], row: u64, error: Error) -> Error {
    let Ok(metadata) = guarded(file, || Ok(builder(file)?.metadata().clone())) else { return error };
    let groups = metadata.row_groups();
    let mut end = 0;
    for (number, group) in groups.iter().enumerate() {
        end += group.num_rows().max(0) as u64;
        // Those before were decoded.
        for &leaf in leaves.iter().filter(|_| end > row) {
            let Err(why) = decode(file, number, leaf) else { continue };
            // The place of a column may be nonsense, too.
            if let Ok((start, length)) = guarded(file, || Ok(group.column(leaf).byte_range()))
                && let Err(error) = try_bytes(file, start, length)
            {
                return Error::io("read", file)(error);
            }
            let column = group.column(leaf).column_path().string();
            return Error::format(
                file,
                format!(
                    "it is damaged: row group {} of {}, column '{}': {why}; {NOTHING_SCANNED}",
                    number + 1,
                    groups.len(),
                    safe_text(&column)
                ),
            );
        }
    }
    error
}

/// Decodes a column of a row group; what is wrong with it, if it cannot be.
fn decode(file: &Path, group: usize, leaf: usize) -> std::result::Result<(), String> {
    let read = guarded(file, || {
        let builder = builder(file)?;
        let mask = ProjectionMask::leaves(builder.parquet_schema(), [leaf]);
        Ok(match builder.with_row_groups(vec![group]).with_projection(mask).build() {
            Ok(mut batches) => batches.find_map(|batch| batch.err().map(|error| error.to_string())),
            Err(error) => Some(error.to_string()),
        })
    });
    match read {
        Ok(None) => Ok(()),
        Ok(Some(why)) => Err(why),
        Err(_) => Err("its parts are inconsistent".to_owned()),
    }
}

/// Reads bytes, to tell a damaged file from a disk or a network that fails.
fn try_bytes(file: &Path, start: u64, length: u64) -> io::Result<()> {
    let blob = Blob::open(file)?;
    let end = start.saturating_add(length).min(blob.size());
    let mut at = start.min(end);
    while at < end {
        let part = (end - at).min(PART);
        blob.bytes(at, part)?;
        at += part;
    }
    Ok(())
}
