//! Arrow IPC files with one record batch, written atomically and read through a memory map.
//!
//! Opening checks no values: that would mean reading ten million rows of lists and texts. So readers must not assume
//! that anything is valid: offsets are followed with [`get`](slice::get), texts are checked when they are read
//! ([`text`]), and numbers that refer to something are looked up.
#![allow(unsafe_code)] // Buffers of mapped files, and arrays that are not looked at as a whole.

use crate::{Error, Result, atomic};
use arrow_array::{Array, GenericStringArray, OffsetSizeTrait, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::root_as_footer;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, Schema};
use chaffinch_compute::mapped::{self, Whole};
use chaffinch_compute::memory;
use memmap2::{Mmap, UncheckedAdvice};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The only metadata key: the order of several would differ between runs.
const KEY: &str = "chaffinch";

/// Length of the magic bytes at both ends.
const MAGIC: &[u8] = b"ARROW1";

/// The current mappings.
static MAPPED: Mutex<Vec<Weak<Mmap>>> = Mutex::new(Vec::new());

/// Releases the resident memory of large mapped files; pages that are accessed again come back from the system's cache.
/// Called after work that visits whole columns.
pub fn release_mapped() {
    let mut mapped = MAPPED.lock().unwrap_or_else(PoisonError::into_inner);
    mapped.retain(|map| map.strong_count() > 0);
    let maps: Vec<Arc<Mmap>> = mapped.iter().filter_map(Weak::upgrade).collect();
    drop(mapped);
    if maps.iter().map(|map| map.len()).sum::<usize>() >= memory::shares().mapped() {
        for map in maps {
            // SAFETY: the maps are file-backed and read-only, so a released page has the same content when it comes
            // back.
            let _ = unsafe { map.unchecked_advise(UncheckedAdvice::DontNeed) };
        }
    }
}

/// One text of a column, wherever its offsets point; `None` if there is none or it is not valid UTF-8.
pub fn text<O: OffsetSizeTrait>(array: &GenericStringArray<O>, row: usize) -> Option<&str> {
    if array.nulls().is_some_and(|nulls| row >= nulls.len() || nulls.is_null(row)) {
        return None;
    }
    let offsets = array.value_offsets();
    let (start, end) = (offsets.get(row)?.to_usize()?, offsets.get(row + 1)?.to_usize()?);
    std::str::from_utf8(array.value_data().get(start..end)?).ok()
}

/// Schema metadata with one JSON text.
pub fn metadata(head: &impl Serialize) -> HashMap<String, String> {
    // Plain data with text keys cannot fail to serialize.
    HashMap::from([(KEY.to_owned(), serde_json::to_string(head).unwrap_or_default())])
}

/// The JSON text of a schema's metadata.
pub fn head<T: DeserializeOwned>(path: &Path, schema: &Schema) -> Result<T> {
    let text = schema.metadata().get(KEY).ok_or_else(|| damaged(path, "it was not written by Chaffinch"))?;
    serde_json::from_str(text).map_err(|error| damaged(path, &error.to_string()))
}

/// Writes one record batch.
pub fn write(path: &Path, batch: &RecordBatch) -> Result<()> {
    let inner = |error: ArrowError| match error {
        ArrowError::IoError(_, error) => error,
        other => io::Error::other(other),
    };
    atomic::write(path, |out| {
        let mut writer = FileWriter::try_new(out, batch.schema_ref()).map_err(inner)?;
        writer.write(batch).map_err(inner)?;
        writer.finish().map_err(inner)
    })
}

/// Maps a file and reads its record batch without copying.
pub fn read(path: &Path) -> Result<RecordBatch> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let buffer = map(&file, path)?;
    // A damaged file may make the reader panic; that must not take down the session.
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| decode(&buffer)));
    match read {
        Ok(Ok(batch)) => Ok(batch),
        Ok(Err(error)) => Err(damaged(path, &error.to_string())),
        Err(_) => Err(damaged(path, "it is not a readable Arrow file")),
    }
}

/// The bytes of a file through a memory map, or in memory if others may write to it. For files that do not change while they
/// are read: those in the session's folder are written under a temporary name, renamed when they are complete, and never
/// modified afterwards.
///
/// # Errors
/// When the file cannot be mapped.
pub fn map(file: &File, path: &Path) -> Result<Buffer> {
    let (map, is_file) = match mapped::whole(file).map_err(Error::io("map", path))? {
        Whole::Mapped(map) => (map, true),
        Whole::Read(bytes) => (bytes, false),
    };
    let len = map.len();
    let start = NonNull::new(map.as_ptr().cast_mut()).ok_or_else(|| damaged(path, "it cannot be mapped"))?;
    let map = Arc::new(map);
    if is_file {
        MAPPED.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&map));
    }
    // SAFETY: the map covers these bytes, and the buffer owns it from here on.
    Ok(unsafe { Buffer::from_custom_allocation(start, len, map) })
}

fn decode(buffer: &Buffer) -> std::result::Result<RecordBatch, ArrowError> {
    let broken = |what: &str| ArrowError::IpcError(what.to_owned());
    let trailer_len = 4 + MAGIC.len();
    let trailer_start = buffer.len().checked_sub(trailer_len).ok_or_else(|| broken("it is too short"))?;
    if !buffer.starts_with(MAGIC) {
        return Err(broken("it is not an Arrow file"));
    }
    let trailer: [u8; 10] = buffer[trailer_start..].try_into().map_err(|_| broken("it is truncated"))?;
    let footer_len = read_footer_length(trailer)?;
    let footer_start = trailer_start.checked_sub(footer_len).ok_or_else(|| broken("its end is damaged"))?;
    let footer =
        root_as_footer(&buffer[footer_start..trailer_start]).map_err(|error| broken(&error.to_string()))?;
    let schema = try_fb_to_schema(footer.schema().ok_or_else(|| broken("it has no schema"))?)?;
    let slice = |offset: i64, meta: i32, body: i64| {
        let start = usize::try_from(offset).ok()?;
        let len = usize::try_from(body).ok()?.checked_add(usize::try_from(meta).ok()?)?;
        (start.checked_add(len)? <= footer_start).then(|| buffer.slice_with_length(start, len))
    };
    let decoder = FileDecoder::new(Arc::new(schema), footer.version());
    // SAFETY: readers of these arrays check everything they follow, as described at the top of this file; buffer
    // lengths are checked where arrays are built from them.
    let mut decoder = unsafe { decoder.with_skip_validation(true) };
    for block in footer.dictionaries().iter().flatten() {
        let data = slice(block.offset(), block.metaDataLength(), block.bodyLength());
        decoder.read_dictionary(
            block,
            &data.ok_or_else(|| broken("a block extends past the end of the file"))?,
        )?;
    }
    let blocks = footer.recordBatches().ok_or_else(|| broken("it has no rows"))?;
    if blocks.len() != 1 {
        return Err(broken("it must have exactly one record batch"));
    }
    let block = blocks.get(0);
    let data = slice(block.offset(), block.metaDataLength(), block.bodyLength());
    let data = data.ok_or_else(|| broken("a block extends past the end of the file"))?;
    let batch = decoder.read_record_batch(block, &data)?.ok_or_else(|| broken("it has no rows"))?;
    match batch.columns().iter().all(|column| column.len() == batch.num_rows()) {
        true => Ok(batch),
        false => Err(broken("its columns have different lengths")),
    }
}

/// The error for an unusable file, and what to do.
pub fn damaged(path: &Path, what: &str) -> Error {
    Error::format(path, format!("{what}; delete this file and scan again"))
}
