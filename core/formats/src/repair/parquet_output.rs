//! A Parquet file that is written from its beginning to its end: ranges of another one, and pages of columns.

use parquet::column::writer::{ColumnCloseResult, ColumnWriter, get_column_writer};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// The new file, which is written from its beginning to its end.
pub(super) struct Output<'o> {
    out: &'o mut File,
    /// Bytes so far.
    pub(super) at: u64,
}

impl<'o> Output<'o> {
    pub(super) fn new(out: &'o mut File) -> Output<'o> {
        Output { out, at: 0 }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Copies a range of another file, within the kernel where it can do that.
    pub(super) fn range(&mut self, mut from: &File, start: u64, len: u64) -> io::Result<()> {
        from.seek(SeekFrom::Start(start))?;
        let copied = io::copy(&mut from.take(len), self.out)?;
        self.at += copied;
        if copied < len { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Writes pages of a column; offsets in what is returned count from where they begin.
    pub(super) fn pages(
        &mut self,
        chunk: &ColumnChunkMetaData,
        properties: &WriterPropertiesPtr,
        fill: impl FnOnce(&mut ColumnWriter<'_>) -> std::result::Result<(), ParquetError>,
    ) -> std::result::Result<ColumnCloseResult, ParquetError> {
        let mut tracked = TrackedWrite::new(&mut *self.out);
        let writer = Box::new(SerializedPageWriter::new(&mut tracked));
        let mut writer = get_column_writer(chunk.column_descr_ptr(), properties.clone(), writer);
        fill(&mut writer)?;
        let closed = writer.close()?;
        let written = tracked.bytes_written() as u64;
        tracked.into_inner()?;
        self.at += written;
        Ok(closed)
    }
}
