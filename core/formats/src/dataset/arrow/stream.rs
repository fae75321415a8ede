//! The messages of an Arrow file, in either of its two forms, with the places of their bodies.

use crate::dataset::shards::NOTHING_SCANNED;
use crate::{Error, Result};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{Message, MessageHeader, root_as_footer, root_as_message};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use chaffinch_data::packing::{Blob, BlobReader};
use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a file begins with that has an index at its end. Messages follow, as in a stream.
const MAGIC: &[u8; 8] = b"ARROW1\0\0";
const CONTINUATION: [u8; 4] = [0xff; 4];
/// Up to where its start may be filled up with zeros.
const LARGEST_ALIGNMENT: u64 = 128;
/// What describes a message is small.
const MAX_HEAD: u64 = 256 << 20;

/// A file that is read message by message.
pub(super) struct Stream {
    path: PathBuf,
    file: BlobReader,
    at: u64,
    length: u64,
    schema: SchemaRef,
    dictionaries: HashMap<i64, ArrayRef>,
    /// How many batches of rows were read.
    batches: u64,
    cut: bool,
    /// Whether values are read where they are in the file.
    in_place: bool,
}

/// The body of a message, and where it is in the file.
pub(super) struct Body {
    bytes: Buffer,
    start: u64,
}

impl Body {
    /// Where in the file a value of the body is; `None` if it is none, since it was decompressed or copied.
    pub(super) fn place_of(&self, value: &[u8]) -> Option<u64> {
        if value.is_empty() {
            return Some(self.start);
        }
        let offset = (value.as_ptr() as usize).checked_sub(self.bytes.as_ptr() as usize)?;
        (offset + value.len() <= self.bytes.len()).then_some(self.start + offset as u64)
    }
}

impl Stream {
    /// Opens a file and reads its schema.
    ///
    /// # Errors
    /// When it cannot be read or is not an Arrow file.
    pub(super) fn open(path: &Path) -> Result<Stream> {
        let file = Blob::open(path).map_err(Error::io("read", path))?;
        let length = file.size();
        let mut stream = Stream {
            path: path.to_path_buf(),
            file: file.reader(0),
            at: 0,
            length,
            schema: Arc::new(Schema::empty()),
            dictionaries: HashMap::new(),
            batches: 0,
            cut: false,
            in_place: false,
        };
        let mut magic = [0; 8];
        if length >= 8 {
            stream.read(&mut magic)?;
            if &magic != MAGIC {
                stream.seek(0)?;
            } else if let Some((schema, first)) = stream.index()? {
                stream.schema = Arc::new(schema);
                stream.seek(first)?;
                return Ok(stream);
            } else {
                stream.seek(magic.len() as u64)?;
                stream.skip_padding()?;
            }
        }
        let head = stream.head()?.ok_or_else(|| stream.broken("it is empty"))?;
        let message = message(path, &head)?;
        let schema = message.header_as_schema().ok_or_else(|| stream.broken("it begins without a schema"))?;
        let schema = guarded(|| try_fb_to_schema(schema));
        let schema = schema.map_err(|error| stream.broken(&format!("it is damaged: its schema: {error}")))?;
        stream.schema = Arc::new(schema);
        Ok(stream)
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Values are to be read in place, so that they must not be compressed.
    pub(super) fn read_in_place(&mut self) {
        self.in_place = true;
    }

    /// Whether it ended in the middle of a message.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or has compressed buffers where values are read in place.
    pub(super) fn next(&mut self) -> Result<Option<(RecordBatch, Body)>> {
        while let Some(head) = self.head()? {
            let path = self.path.clone();
            let message = message(&path, &head)?;
            let size =
                u64::try_from(message.bodyLength()).map_err(|_| self.damaged("its length is negative"))?;
            if size > self.length - self.at {
                self.cut = true;
                return Ok(None);
            }
            let start = self.at;
            let mut bytes = MutableBuffer::from_len_zeroed(size as usize);
            self.read(bytes.as_slice_mut())?;
            let bytes = Buffer::from(bytes);
            let version = message.version();
            match message.header_type() {
                MessageHeader::RecordBatch => {
                    let batch = message.header_as_record_batch();
                    let batch = batch.ok_or_else(|| self.damaged("its head is none"))?;
                    if self.in_place && batch.compression().is_some() {
                        let advice = "its buffers are compressed, so that pictures cannot be read in place; write it \
                                      without compression, or as Parquet";
                        return Err(self.broken(advice));
                    }
                    let read = || {
                        let (schema, known) = (self.schema.clone(), &self.dictionaries);
                        read_record_batch(&bytes, batch, schema, known, None, &version)
                    };
                    let batch = guarded(read).map_err(|error| self.damaged(&error))?;
                    self.batches += 1;
                    return Ok(Some((batch, Body { bytes, start })));
                }
                MessageHeader::DictionaryBatch => {
                    let batch = message.header_as_dictionary_batch();
                    let batch = batch.ok_or_else(|| self.damaged("its head is none"))?;
                    let (schema, known) = (self.schema.clone(), &mut self.dictionaries);
                    let read = guarded(|| read_dictionary(&bytes, batch, &schema, known, &version));
                    read.map_err(|error| self.damaged(&error))?;
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// What the index at the end of the file says: the schema, and where the first message with rows is. `None` if there is
    /// none, as in a file that is cut.
    fn index(&mut self) -> Result<Option<(Schema, u64)>> {
        let mut tail = [0; 10];
        let Some(end) = self.length.checked_sub(tail.len() as u64) else { return Ok(None) };
        self.seek(end)?;
        self.read(&mut tail)?;
        let [a, b, c, d, magic @ ..] = tail;
        let size = u64::from(u32::from_le_bytes([a, b, c, d]));
        let start = end.checked_sub(size).filter(|_| magic == MAGIC[..6] && size <= MAX_HEAD);
        let Some(start) = start else { return Ok(None) };
        let mut bytes = vec![0; size as usize];
        self.seek(start)?;
        self.read(&mut bytes)?;
        let Ok(footer) = root_as_footer(&bytes) else { return Ok(None) };
        let Some(schema) = footer.schema() else { return Ok(None) };
        let Ok(schema) = guarded(|| try_fb_to_schema(schema)) else { return Ok(None) };
        let blocks = [footer.dictionaries(), footer.recordBatches()].into_iter().flatten().flatten();
        let first = blocks.map(|block| u64::try_from(block.offset()).unwrap_or(start)).min();
        Ok(Some((schema, first.unwrap_or(start).min(start))))
    }

    /// Some programs (arrow-rs, polars) fill up the start of a file to more than eight bytes.
    fn skip_padding(&mut self) -> Result<()> {
        let mut word = [0; 8];
        while self.at < LARGEST_ALIGNMENT && self.length - self.at >= 8 {
            self.read(&mut word)?;
            if word != [0; 8] {
                return self.seek(self.at - 8);
            }
        }
        Ok(())
    }

    /// What describes the next message; `None` at the end.
    fn head(&mut self) -> Result<Option<Vec<u8>>> {
        let mut word = [0; 4];
        if !self.has(4) {
            return Ok(None);
        }
        self.read(&mut word)?;
        if word == CONTINUATION {
            if !self.has(4) {
                return Ok(None);
            }
            self.read(&mut word)?;
        }
        let size = u64::from(u32::from_le_bytes(word));
        if size == 0 {
            return Ok(None);
        }
        if size > MAX_HEAD {
            return Err(self.broken("it is damaged, or no Arrow file"));
        }
        if !self.has(size) {
            return Ok(None);
        }
        let mut head = vec![0; size as usize];
        self.read(&mut head)?;
        Ok(Some(head))
    }

    /// Whether there are so many more bytes.
    fn has(&mut self, bytes: u64) -> bool {
        let left = self.length - self.at;
        self.cut |= left < bytes && left > 0;
        left >= bytes
    }

    fn read(&mut self, into: &mut [u8]) -> Result<()> {
        self.file.read_exact(into).map_err(Error::io("read", &self.path))?;
        self.at += into.len() as u64;
        Ok(())
    }

    fn seek(&mut self, to: u64) -> Result<()> {
        self.file.seek(SeekFrom::Start(to)).map_err(Error::io("read", &self.path))?;
        self.at = to;
        Ok(())
    }

    /// Names the batch that cannot be read, or the dictionary before it.
    fn damaged(&self, why: &str) -> Error {
        let batch = self.batches + 1;
        self.broken(&format!("it is damaged: record batch {batch}: {why}; {NOTHING_SCANNED}"))
    }

    fn broken(&self, what: &str) -> Error {
        Error::format(&self.path, what.to_owned())
    }
}

fn message<'a>(path: &Path, head: &'a [u8]) -> Result<Message<'a>> {
    root_as_message(head)
        .map_err(|error| Error::format(path, format!("it is damaged, or no Arrow file: {error}")))
}

/// The decoder checks most of a damaged file, and panics on the rest.
fn guarded<T>(read: impl FnOnce() -> std::result::Result<T, ArrowError>) -> std::result::Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("its parts are inconsistent".into()),
    }
}
