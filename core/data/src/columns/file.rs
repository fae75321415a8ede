//! Arrow IPC files of one record batch, written whole and read through a memory map.
//!
//! Opening looks at no value: ten million rows of lists and texts would have to be read for it. So nothing here is
//! taken for valid by whoever reads it later: offsets are followed with [`get`](slice::get), texts are checked when
//! they are read ([`text`]), and numbers that name something are looked up.
#![allow(unsafe_code)] // Mapping is unsafe: another program could cut the file short. So is not looking.

use crate::{Error, Result, atomic};
use arrow_array::{Array, GenericStringArray, OffsetSizeTrait, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::root_as_footer;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, Schema};
use memmap2::{Mmap, UncheckedAdvice};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The only key of the metadata: several would be written in an order that differs between runs.
const KEY: &str = "chaffinch";

/// Length of the magic word at both ends.
const MAGIC: &[u8] = b"ARROW1";

/// What is mapped at the moment.
static MAPPED: Mutex<Vec<Weak<Mmap>>> = Mutex::new(Vec::new());

/// Files of which less is mapped are left alone.
const WORTH_RELEASING: usize = 256 << 20;

/// Lets go of the memory in which mapped files are seen at the moment, where it is much; what is looked at again
/// comes back from the system's cache. After work that goes through whole columns.
pub fn release_mapped() {
    let mut mapped = MAPPED.lock().unwrap_or_else(PoisonError::into_inner);
    mapped.retain(|map| map.strong_count() > 0);
    let maps: Vec<Arc<Mmap>> = mapped.iter().filter_map(Weak::upgrade).collect();
    drop(mapped);
    if maps.iter().map(|map| map.len()).sum::<usize>() >= WORTH_RELEASING {
        for map in maps {
            // SAFETY: the maps are of files and only read, so that a page let go of is the same when it is back.
            let _ = unsafe { map.unchecked_advise(UncheckedAdvice::DontNeed) };
        }
    }
}

/// One text of a column, wherever its offsets point; `None` where there is none or it is no text.
pub fn text<O: OffsetSizeTrait>(array: &GenericStringArray<O>, row: usize) -> Option<&str> {
    if array.nulls().is_some_and(|nulls| row >= nulls.len() || nulls.is_null(row)) {
        return None;
    }
    let offsets = array.value_offsets();
    let (start, end) = (offsets.get(row)?.to_usize()?, offsets.get(row + 1)?.to_usize()?);
    std::str::from_utf8(array.value_data().get(start..end)?).ok()
}

/// A schema's metadata that holds one JSON text.
pub fn metadata(head: &impl Serialize) -> HashMap<String, String> {
    // Plain data with text keys cannot fail to serialise.
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

/// Maps a file and reads its record batch without copying it.
pub fn read(path: &Path) -> Result<RecordBatch> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let buffer = map(&file, path)?;
    // A damaged file may make the reader panic; that must not take a session with it.
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| decode(&buffer)));
    match read {
        Ok(Ok(batch)) => Ok(batch),
        Ok(Err(error)) => Err(damaged(path, &error.to_string())),
        Err(_) => Err(damaged(path, "it is not a readable Arrow file")),
    }
}

/// The bytes of a file where the system has them. Meant for files that nobody changes while they are read: those of the
/// session's folder are written under another name, renamed when they are whole, and never touched afterwards.
///
/// # Errors
/// When the file cannot be mapped.
pub fn map(file: &File, path: &Path) -> Result<Buffer> {
    // SAFETY: the bytes are only read, as plain numbers or text that is checked. Should another program cut the file
    // short, reading what is gone ends this program, which loses nothing: decisions are on disk when they are made.
    let map = unsafe { Mmap::map(file) }.map_err(Error::io("map", path))?;
    let len = map.len();
    let start = NonNull::new(map.as_ptr().cast_mut()).ok_or_else(|| damaged(path, "it cannot be mapped"))?;
    let map = Arc::new(map);
    MAPPED.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&map));
    // SAFETY: the map covers these bytes, and is owned by the buffer from here on.
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
    // SAFETY: whoever reads these arrays checks what they follow, as the head of this file says; lengths of buffers
    // are checked where arrays are made of them.
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

/// A file that cannot be used, and what to do.
pub fn damaged(path: &Path, what: &str) -> Error {
    Error::format(path, format!("{what}; delete this file and scan again"))
}
