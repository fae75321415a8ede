//! A column of a row group with rows removed or values changed: as the bytes that it is, page by page, or value by value.

use super::output::Output;
use super::parquet_checks::ChunkChecks;
use super::parquet_chunk;
use super::parquet_fault::Fault;
use super::parquet_output::{Properties, write_pages};
use super::parquet_pages::Pages;
use super::parquet_splice::Splice;
use super::parquet_values::copy;
use parquet::basic::Type;
use parquet::file::metadata::ColumnChunkMetaData;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::sync::Arc;

/// A column of a row group.
pub(super) struct Part<'p> {
    pub(super) file: &'p Arc<File>,
    pub(super) chunk: &'p ColumnChunkMetaData,
    /// Rows of the group, those of them that go, and what some must be.
    pub(super) rows: u64,
    pub(super) dropped: &'p BTreeSet<u64>,
    pub(super) checks: ChunkChecks<'p>,
    pub(super) properties: &'p Properties,
}

impl Part<'_> {
    /// Writes it with other values in some rows.
    ///
    /// # Errors
    /// When it cannot be read or written, cannot have a value, or a row is not what it must be.
    pub(super) fn write(
        &self,
        values: &BTreeMap<u64, &str>,
        out: &mut Output<'_>,
    ) -> Result<ColumnChunkMetaData, Fault> {
        let (start, len) = self.chunk.byte_range();
        let is_as_it_was = self.dropped.is_empty() && values.is_empty();
        if is_as_it_was && self.checks.is_empty() {
            let begin = out.at();
            out.range(self.file, start, len)?;
            return self.moved(begin);
        }
        let is_flat = self.chunk.column_descr().max_rep_level() == 0;
        if is_flat && values.is_empty() && self.chunk.column_type() == Type::BYTE_ARRAY {
            let begin = out.at();
            let Part { chunk, rows, dropped, checks, properties, .. } = *self;
            let splice = Splice { chunk, rows, dropped, checks, properties };
            let new = splice.write(Pages::new(self.file, start, len)?, out)?;
            return match is_as_it_was {
                true => self.moved(begin),
                false => new.metadata(chunk, chunk.num_values() - dropped.len() as i64, begin, out.at()),
            };
        }
        if !self.checks.is_empty() {
            return Err(Fault::general("it holds no pictures"));
        }
        self.by_value(values, out)
    }

    /// Looks at what some of its rows must be, if all of them go.
    ///
    /// # Errors
    /// When it cannot be read, or a row is not what it must be.
    pub(super) fn look(&self, out: &mut Output<'_>) -> Result<(), Fault> {
        match self.checks.is_empty() {
            true => Ok(()),
            false => self.write(&BTreeMap::new(), out).map(drop),
        }
    }

    /// The metadata of the same bytes at another place.
    fn moved(&self, begin: u64) -> Result<ColumnChunkMetaData, Fault> {
        let chunk = self.chunk;
        let by = begin as i64 - chunk.byte_range().0 as i64;
        let moved = |offset: i64| offset + by;
        let mut builder = ColumnChunkMetaData::builder(chunk.column_descr_ptr())
            .set_compression_codec(chunk.compression_codec())
            .set_encodings_mask(*chunk.encodings_mask())
            .set_total_compressed_size(chunk.compressed_size())
            .set_total_uncompressed_size(chunk.uncompressed_size())
            .set_num_values(chunk.num_values())
            .set_data_page_offset(moved(chunk.data_page_offset()))
            .set_dictionary_page_offset(chunk.dictionary_page_offset().map(moved))
            .set_unencoded_byte_array_data_bytes(chunk.unencoded_byte_array_data_bytes())
            .set_repetition_level_histogram(chunk.repetition_level_histogram().cloned())
            .set_definition_level_histogram(chunk.definition_level_histogram().cloned());
        if let Some(statistics) = chunk.statistics() {
            builder = builder.set_statistics(statistics.clone());
        }
        if let Some(statistics) = chunk.geo_statistics() {
            builder = builder.set_geo_statistics(Box::new(statistics.clone()));
        }
        if let Some(pages) = chunk.page_encoding_stats() {
            builder = builder.set_page_encoding_stats(pages.clone());
        }
        Ok(builder.build()?)
    }

    fn by_value(
        &self,
        values: &BTreeMap<u64, &str>,
        out: &mut Output<'_>,
    ) -> Result<ColumnChunkMetaData, Fault> {
        let at = out.at() as i64;
        let reader = parquet_chunk::values(self.file, self.chunk, self.rows)?;
        let closed = write_pages(out, self.chunk, &self.properties.same, |writer| {
            copy(reader, writer, self.chunk.column_descr(), self.rows, self.dropped, values)
        })?;
        let chunk = closed.metadata;
        let data = chunk.data_page_offset() + at;
        let dictionary = chunk.dictionary_page_offset().map(|offset| offset + at);
        let moved = chunk.into_builder().set_data_page_offset(data).set_dictionary_page_offset(dictionary);
        Ok(moved.build()?)
    }
}
