//! A column of bytes with rows removed, page by page, in one pass over its pages.
//!
//! Pages that keep all of their rows are copied as they are, and those that keep none are passed over. Only pages that keep some
//! are written anew. A dictionary comes first, with the pages that name its values; if one of these loses a row, they are all
//! written anew with a dictionary of what is left, so that what was removed is not in the file any more.

use super::output::Output;
use super::parquet_checks::ChunkChecks;
use super::parquet_chunk::Decoder;
use super::parquet_fault::Fault;
use super::parquet_header::{PageAt, PageKind};
use super::parquet_output::{Properties, write_pages};
use super::parquet_pages::Pages;
use super::parquet_values::sift;
use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::writer::{ColumnCloseResult, ColumnWriter};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::properties::WriterPropertiesPtr;
use std::collections::BTreeSet;
use std::io::Write;
use std::ops::Range;

/// What becomes of the rows of a column chunk.
pub(super) struct Splice<'s> {
    pub(super) chunk: &'s ColumnChunkMetaData,
    /// How many there are, which of them go, and what some must be.
    pub(super) rows: u64,
    pub(super) dropped: &'s BTreeSet<u64>,
    pub(super) checks: ChunkChecks<'s>,
    pub(super) properties: &'s Properties,
}

/// The chunk that was written.
#[derive(Default)]
pub(super) struct Spliced {
    uncompressed: u64,
    /// Where the rows and the dictionary begin.
    data: Option<u64>,
    dictionary: Option<u64>,
    /// Whether pages of the old chunk find their values in the new one's dictionary.
    has_old_dictionary: bool,
    encodings: BTreeSet<i32>,
}

impl Splice<'_> {
    /// Writes what is left of the chunk.
    ///
    /// # Errors
    /// When it cannot be read, decoded or written, or a row is not what it must be.
    pub(super) fn write(&self, mut pages: Pages<'_>, out: &mut Output<'_>) -> Result<Spliced, Fault> {
        let mut decoder = Decoder::new(self.chunk);
        let mut new = Spliced::default();
        let mut next = pages.next()?;
        let mut row = 0;
        if let Some(dictionary) = next.filter(|page| page.kind == PageKind::Dictionary) {
            let mut named = vec![(dictionary, pages.take(&dictionary)?)];
            loop {
                next = pages.next()?;
                let Some(page) = next.filter(|page| page.names_values()) else { break };
                named.push((page, pages.take(&page)?));
            }
            row = self.with_dictionary(&named, &mut decoder, &mut new, out)?;
        }
        while let Some(page) = next {
            let rows = self.rows_of(&page, &mut row)?;
            let readable = !page.names_values() || new.has_old_dictionary;
            match (self.keeps_all(&rows) && readable, self.checks.any_in(rows.clone())) {
                (true, false) => {
                    new.old(&page, out.at());
                    pages.copy(&page, out)?;
                }
                (true, true) => {
                    let bytes = pages.take(&page)?;
                    decoder.page(&page, bytes.clone())?;
                    self.look(&mut decoder, rows)?;
                    new.old(&page, out.at());
                    out.write_all(&bytes)?;
                }
                (false, false) if !self.keeps_some(&rows) => pages.pass(&page),
                (false, _) => {
                    decoder.page(&page, pages.take(&page)?)?;
                    self.anew(&[rows], &mut decoder, &self.properties.plain, &mut new, out)?;
                }
            }
            next = pages.next()?;
        }
        match row == self.rows {
            true => Ok(new),
            false => Err(Fault::general(format!("its pages have {row} rows instead of {}", self.rows))),
        }
    }

    /// Writes the dictionary and the pages that name its values; returns the row behind them.
    fn with_dictionary(
        &self,
        named: &[(PageAt, Bytes)],
        decoder: &mut Decoder<'_>,
        new: &mut Spliced,
        out: &mut Output<'_>,
    ) -> Result<u64, Fault> {
        let mut row = 0;
        let ranges: Vec<Range<u64>> =
            named.iter().map(|(page, _)| self.rows_of(page, &mut row)).collect::<Result<_, _>>()?;
        let is_as_it_was = ranges.iter().all(|rows| self.keeps_all(rows));
        for ((page, bytes), rows) in named.iter().zip(&ranges) {
            if page.kind == PageKind::Dictionary {
                decoder.dictionary(*page, bytes.clone());
            } else if is_as_it_was && self.checks.any_in(rows.clone()) {
                decoder.page(page, bytes.clone())?;
                self.look(decoder, rows.clone())?;
            } else if !is_as_it_was && (self.keeps_some(rows) || self.checks.any_in(rows.clone())) {
                decoder.page(page, bytes.clone())?;
            }
        }
        if is_as_it_was {
            for (page, bytes) in named {
                new.old(page, out.at());
                out.write_all(bytes)?;
            }
            return Ok(row);
        }
        let decoded: Vec<Range<u64>> = (ranges.into_iter())
            .filter(|rows| self.keeps_some(rows) || self.checks.any_in(rows.clone()))
            .collect();
        self.anew(&decoded, decoder, &self.properties.dictionary, new, out)?;
        Ok(row)
    }

    /// Writes what is left of rows that were decoded.
    fn anew(
        &self,
        ranges: &[Range<u64>],
        decoder: &mut Decoder<'_>,
        properties: &WriterPropertiesPtr,
        new: &mut Spliced,
        out: &mut Output<'_>,
    ) -> Result<(), Fault> {
        if !ranges.iter().any(|rows| self.keeps_some(rows)) {
            return ranges.iter().try_for_each(|rows| self.look(decoder, rows.clone()));
        }
        let begin = out.at();
        let closed = write_pages(out, self.chunk, properties, |writer| {
            let ColumnWriter::ByteArrayColumnWriter(writer) = writer else {
                return Err(Fault::general("its type is not the one of the schema"));
            };
            ranges.iter().try_for_each(|rows| {
                let most = self.chunk.column_descr().max_def_level();
                sift(&mut decoder.values, Some(&mut *writer), rows.clone(), self.dropped, self.checks, most)
            })
        })?;
        new.anew(&closed, begin);
        Ok(())
    }

    /// Compares rows that were decoded with what they must be.
    fn look(&self, decoder: &mut Decoder<'_>, rows: Range<u64>) -> Result<(), Fault> {
        let most = self.chunk.column_descr().max_def_level();
        sift(&mut decoder.values, None, rows, self.dropped, self.checks, most)
    }

    /// The rows of the next page.
    fn rows_of(&self, page: &PageAt, row: &mut u64) -> Result<Range<u64>, Fault> {
        let begin = *row;
        *row = begin.saturating_add(page.rows());
        match *row <= self.rows {
            true => Ok(begin..*row),
            false => Err(Fault::general(format!("its pages have more than {} rows", self.rows))),
        }
    }

    /// Whether what has these rows stays as it is. If all rows of the chunk go, nothing does, not even what has none.
    fn keeps_all(&self, rows: &Range<u64>) -> bool {
        (self.dropped.len() as u64) < self.rows && self.dropped.range(rows.clone()).next().is_none()
    }

    fn keeps_some(&self, rows: &Range<u64>) -> bool {
        (self.dropped.range(rows.clone()).count() as u64) < rows.end - rows.start
    }
}

impl Spliced {
    /// A page is copied to `at`.
    fn old(&mut self, page: &PageAt, at: u64) {
        self.uncompressed += page.uncompressed;
        match page.kind {
            PageKind::Dictionary => (self.dictionary, self.has_old_dictionary) = (Some(at), true),
            PageKind::Rows { .. } => self.data = self.data.or(Some(at)),
            PageKind::Index => {}
        }
    }

    /// Pages were written to `begin`.
    fn anew(&mut self, closed: &ColumnCloseResult, begin: u64) {
        let written = &closed.metadata;
        let place = |offset: i64| begin + offset.max(0) as u64;
        self.uncompressed += written.uncompressed_size().max(0) as u64;
        self.encodings.extend(written.encodings().map(|encoding| encoding as i32));
        self.dictionary = self.dictionary.or(written.dictionary_page_offset().map(place));
        self.data = self.data.or(Some(place(written.data_page_offset())));
    }

    /// The metadata of a chunk that begins at `begin` and ends at `end`.
    ///
    /// # Errors
    /// When the library does not take it.
    pub(super) fn metadata(
        mut self,
        old: &ColumnChunkMetaData,
        values: i64,
        begin: u64,
        end: u64,
    ) -> Result<ColumnChunkMetaData, Fault> {
        self.encodings.extend(old.encodings().map(|encoding| encoding as i32));
        let all = [
            Encoding::PLAIN,
            Encoding::PLAIN_DICTIONARY,
            Encoding::RLE,
            Encoding::DELTA_BINARY_PACKED,
            Encoding::DELTA_LENGTH_BYTE_ARRAY,
            Encoding::DELTA_BYTE_ARRAY,
            Encoding::RLE_DICTIONARY,
        ];
        let known = |encoding: &Encoding| self.encodings.contains(&(*encoding as i32));
        Ok(ColumnChunkMetaData::builder(old.column_descr_ptr())
            .set_compression_codec(old.compression_codec())
            .set_encodings(all.into_iter().filter(known).collect())
            .set_total_compressed_size((end - begin) as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_num_values(values)
            .set_data_page_offset(self.data.unwrap_or(begin) as i64)
            .set_dictionary_page_offset(self.dictionary.map(|at| at as i64))
            .build()?)
    }
}
