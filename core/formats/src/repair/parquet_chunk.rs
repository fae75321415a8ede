//! What the `parquet` crate decodes, without reading any byte twice.

use super::parquet_header::{PageAt, PageKind};
use bytes::{Buf, Bytes};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::ByteArrayType;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

/// A chunk of this size is read at once.
const WHOLE: u64 = 1 << 24;
/// The headers of pages are usually shorter.
const HEADER: usize = 512;

/// The values of a column chunk.
///
/// # Errors
/// When it cannot be read.
pub(super) fn values(file: &Arc<File>, chunk: &ColumnChunkMetaData, rows: u64) -> Result<ColumnReader> {
    let (start, len) = chunk.byte_range();
    let bytes = match len <= WHOLE {
        true => {
            let mut bytes = vec![0; len as usize];
            file.read_exact_at(&mut bytes, start)?;
            Range::Memory(start, Bytes::from(bytes))
        }
        false => Range::File(file.clone()),
    };
    let pages = SerializedPageReader::new(Arc::new(bytes), chunk, rows as usize, None)?;
    Ok(get_column_reader(chunk.column_descr_ptr(), Box::new(pages)))
}

/// A range of a file, read by places in the file.
enum Range {
    Memory(u64, Bytes),
    File(Arc<File>),
}

impl Length for Range {
    fn len(&self) -> u64 {
        match self {
            Range::Memory(start, bytes) => start + bytes.len() as u64,
            Range::File(file) => file.metadata().map_or(0, |metadata| metadata.len()),
        }
    }
}

impl ChunkReader for Range {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Result<Box<dyn Read>> {
        Ok(match self {
            Range::Memory(..) => {
                Box::new(self.get_bytes(start, self.len().saturating_sub(start) as usize)?.reader())
            }
            Range::File(file) => {
                Box::new(BufReader::with_capacity(HEADER, Onward { file: file.clone(), at: start }))
            }
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        match self {
            Range::Memory(first, bytes) => {
                let from = start.checked_sub(*first).and_then(|from| usize::try_from(from).ok());
                let range = from.and_then(|from| Some(from..from.checked_add(length)?));
                let range = range.filter(|range| range.end <= bytes.len());
                range
                    .map(|range| bytes.slice(range))
                    .ok_or_else(|| ParquetError::EOF("its pages end too early".into()))
            }
            Range::File(file) => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, start)?;
                Ok(Bytes::from(bytes))
            }
        }
    }
}

/// Reads a file from a place on.
struct Onward {
    file: Arc<File>,
    at: u64,
}

impl Read for Onward {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Decodes the pages of a column of bytes that it is given.
pub(super) struct Decoder<'c> {
    chunk: &'c ColumnChunkMetaData,
    /// The dictionary, until a page needs it.
    dictionary: Option<(PageAt, Bytes)>,
    given: Given,
    pub(super) values: ColumnReaderImpl<ByteArrayType>,
}

impl<'c> Decoder<'c> {
    pub(super) fn new(chunk: &'c ColumnChunkMetaData) -> Decoder<'c> {
        let given = Given::default();
        let values = ColumnReaderImpl::new(chunk.column_descr_ptr(), Box::new(given.clone()));
        Decoder { chunk, dictionary: None, given, values }
    }

    pub(super) fn dictionary(&mut self, page: PageAt, bytes: Bytes) {
        self.dictionary = Some((page, bytes));
    }

    /// Makes the rows of a page the next ones of `values`.
    ///
    /// # Errors
    /// When it cannot be decoded.
    pub(super) fn page(&mut self, page: &PageAt, bytes: Bytes) -> Result<()> {
        if let PageKind::Rows { by_dictionary: true, .. } = page.kind
            && let Some((page, bytes)) = self.dictionary.take()
        {
            self.decode(&page, bytes)?;
        }
        self.decode(page, bytes)
    }

    fn decode(&self, page: &PageAt, bytes: Bytes) -> Result<()> {
        let alone = ColumnChunkMetaData::builder(self.chunk.column_descr_ptr())
            .set_compression_codec(self.chunk.compression_codec())
            .set_data_page_offset(page.start as i64)
            .set_total_compressed_size(page.len as i64)
            .build()?;
        let range = Arc::new(Range::Memory(page.start, bytes));
        let decoded =
            SerializedPageReader::new(range, &alone, page.rows() as usize, None)?.get_next_page()?;
        let decoded = decoded.ok_or_else(|| ParquetError::General("a page is empty".into()))?;
        self.given.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(decoded);
        Ok(())
    }
}

/// Pages that were decoded and not read yet.
#[derive(Clone, Default)]
struct Given(Arc<Mutex<VecDeque<Page>>>);

impl Iterator for Given {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Given {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front())
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        Err(ParquetError::NYI("pages are given one after the other".into()))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.get_next_page().map(drop)
    }
}
