//! A column of a row group with rows removed or values changed: as the bytes that it is, page by page, or value by value.

use super::parquet_output::Output;
use super::parquet_pages::{PageAt, PageKind, pages};
use super::parquet_values::{copy, without};
use parquet::basic::Encoding;
use parquet::column::reader::ColumnReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::reader::RowGroupReader;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::sync::Arc;

/// How what is written anew is encoded.
pub(super) struct Properties {
    /// As it was.
    same: WriterPropertiesPtr,
    /// With the same compression, but each value as it is: for pages between others.
    plain: WriterPropertiesPtr,
}

impl Properties {
    pub(super) fn of(metadata: &ParquetMetaData) -> Properties {
        let mut same = WriterProperties::builder().set_statistics_enabled(EnabledStatistics::Chunk);
        let mut plain = WriterProperties::builder()
            .set_statistics_enabled(EnabledStatistics::None)
            .set_dictionary_enabled(false);
        for column in metadata.row_groups().first().map(RowGroupMetaData::columns).unwrap_or_default() {
            let (path, dictionary) = (column.column_path(), column.dictionary_page_offset().is_some());
            same = same
                .set_column_compression(path.clone(), column.compression())
                .set_column_dictionary_enabled(path.clone(), dictionary);
            plain = plain.set_column_compression(path.clone(), column.compression());
        }
        Properties { same: Arc::new(same.build()), plain: Arc::new(plain.build()) }
    }
}

/// A column of a row group.
pub(super) struct Part<'p> {
    pub(super) raw: &'p File,
    pub(super) old: &'p dyn RowGroupReader,
    pub(super) column: usize,
    pub(super) chunk: &'p ColumnChunkMetaData,
    /// Rows of the group, and those of them that go.
    pub(super) rows: u64,
    pub(super) dropped: &'p BTreeSet<u64>,
}

impl Part<'_> {
    /// Copies it.
    pub(super) fn as_it_is(
        &self,
        out: &mut Output<'_>,
    ) -> std::result::Result<ColumnChunkMetaData, ParquetError> {
        let (chunk, at) = (self.chunk, out.at as i64);
        let (start, len) = chunk.byte_range();
        out.range(self.raw, start, len)?;
        let moved = |offset: i64| offset - start as i64 + at;
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
        builder.build()
    }

    /// Writes it without rows, and with other values in some.
    pub(super) fn changed(
        &self,
        values: &BTreeMap<u64, &str>,
        properties: &Properties,
        out: &mut Output<'_>,
    ) -> std::result::Result<ColumnChunkMetaData, ParquetError> {
        let flat = self.chunk.column_descr().max_rep_level() == 0;
        if values.is_empty()
            && flat
            && let ColumnReader::ByteArrayColumnReader(_) = self.old.get_column_reader(self.column)?
        {
            let (start, len) = self.chunk.byte_range();
            let pages = pages(self.raw, start, len)?.unwrap_or_default();
            let counted = pages.iter().map(|page| match page.kind {
                PageKind::Rows { count, .. } => count,
                PageKind::Dictionary => 0,
            });
            if counted.sum::<u64>() == self.rows {
                return self.spliced(&pages, properties, out);
            }
        }
        let at = out.at as i64;
        let closed = out.pages(self.chunk, &properties.same, |writer| {
            copy(self.old, self.column, writer, self.rows, self.dropped, values)
        })?;
        let chunk = closed.metadata;
        let data = chunk.data_page_offset() + at;
        let dictionary = chunk.dictionary_page_offset().map(|offset| offset + at);
        chunk.into_builder().set_data_page_offset(data).set_dictionary_page_offset(dictionary).build()
    }

    /// Copies the pages that keep all of their rows, and writes the others anew.
    fn spliced(
        &self,
        pages: &[PageAt],
        properties: &Properties,
        out: &mut Output<'_>,
    ) -> std::result::Result<ColumnChunkMetaData, ParquetError> {
        let mut reader = match self.old.get_column_reader(self.column)? {
            ColumnReader::ByteArrayColumnReader(reader) => reader,
            _ => return Err(ParquetError::General("its type is not the one of the schema".into())),
        };
        // The first row of each page.
        let mut row = 0;
        let begins: Vec<u64> = pages
            .iter()
            .map(|page| {
                let first = row;
                row += if let PageKind::Rows { count, .. } = page.kind { count } else { 0 };
                first
            })
            .collect();
        let stays = |place: usize| match pages[place].kind {
            PageKind::Rows { count, .. } => {
                self.dropped.range(begins[place]..begins[place] + count).next().is_none()
            }
            PageKind::Dictionary => false,
        };
        let looks_up = |place: usize| {
            matches!(pages[place].kind, PageKind::Rows { by_dictionary: true, .. }) && stays(place)
        };
        let needs_dictionary = (0..pages.len()).any(looks_up);
        let begin = out.at;
        let (mut uncompressed, mut data, mut dictionary) = (0, None, None);
        let mut encodings: BTreeSet<i32> = self.chunk.encodings().map(|encoding| encoding as i32).collect();
        encodings.extend([Encoding::PLAIN as i32, Encoding::RLE as i32]);
        // Pages side by side are copied at once.
        let mut range: Option<(u64, u64)> = None;
        let mut read = 0;
        for (place, page) in pages.iter().enumerate() {
            let waiting = range.map_or(0, |(_, len)| len);
            match page.kind {
                PageKind::Dictionary if !needs_dictionary => {}
                PageKind::Dictionary => {
                    dictionary = Some((out.at + waiting) as i64);
                    range = extended(range, page, self.raw, out)?;
                    uncompressed += page.uncompressed;
                }
                PageKind::Rows { .. } if stays(place) => {
                    data.get_or_insert((out.at + waiting) as i64);
                    range = extended(range, page, self.raw, out)?;
                    uncompressed += page.uncompressed;
                }
                PageKind::Rows { count, .. } => {
                    if let Some((start, len)) = range.take() {
                        out.range(self.raw, start, len)?;
                    }
                    reader.skip_records((begins[place] - read) as usize)?;
                    read = begins[place] + count;
                    let at = out.at as i64;
                    let mut left = false;
                    let closed = out.pages(self.chunk, &properties.plain, |writer| {
                        left = without(&mut reader, writer, begins[place]..read, self.dropped)?;
                        Ok(())
                    })?;
                    if left {
                        data.get_or_insert(at);
                        uncompressed += closed.metadata.uncompressed_size().max(0) as u64;
                    }
                }
            }
        }
        if let Some((start, len)) = range {
            out.range(self.raw, start, len)?;
        }
        let known = |encoding: &Encoding| encodings.contains(&(*encoding as i32));
        let all = [
            Encoding::PLAIN,
            Encoding::PLAIN_DICTIONARY,
            Encoding::RLE,
            Encoding::DELTA_BINARY_PACKED,
            Encoding::DELTA_LENGTH_BYTE_ARRAY,
            Encoding::DELTA_BYTE_ARRAY,
            Encoding::RLE_DICTIONARY,
        ];
        ColumnChunkMetaData::builder(self.chunk.column_descr_ptr())
            .set_compression_codec(self.chunk.compression_codec())
            .set_encodings(all.into_iter().filter(known).collect())
            .set_total_compressed_size((out.at - begin) as i64)
            .set_total_uncompressed_size(uncompressed as i64)
            .set_num_values(self.chunk.num_values() - self.dropped.len() as i64)
            .set_data_page_offset(data.unwrap_or(begin as i64))
            .set_dictionary_page_offset(dictionary)
            .build()
    }
}

/// A range of pages with one more, or with that one alone if it is not beside them.
fn extended(
    range: Option<(u64, u64)>,
    page: &PageAt,
    raw: &File,
    out: &mut Output<'_>,
) -> io::Result<Option<(u64, u64)>> {
    match range {
        Some((start, len)) if start + len == page.start => Ok(Some((start, len + page.len))),
        Some((start, len)) => {
            out.range(raw, start, len)?;
            Ok(Some((page.start, page.len)))
        }
        None => Ok(Some((page.start, page.len))),
    }
}
