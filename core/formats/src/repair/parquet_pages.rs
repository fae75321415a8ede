//! The pages of a column chunk, one after the other, so that they can be copied as they are.

use super::output::Output;
use super::parquet_header::PageAt;
use bytes::Bytes;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

/// How much is read at once. Of a page that is larger, the rest is copied or read by itself.
const PIECE: usize = 1 << 18;
/// More than any header has.
const MOST: usize = 1 << 24;

/// The pages of a column chunk. No byte is read twice.
pub(super) struct Pages<'f> {
    file: &'f File,
    /// What was read last, and how much of it is behind.
    held: Vec<u8>,
    behind: usize,
    /// Where the file goes on behind what is held, and where the chunk ends.
    next: u64,
    end: u64,
}

impl<'f> Pages<'f> {
    /// Those in a range of a file.
    ///
    /// # Errors
    /// When the file is shorter.
    pub(super) fn new(file: &'f File, start: u64, len: u64) -> io::Result<Pages<'f>> {
        let end = start.saturating_add(len);
        if end > file.metadata()?.len() {
            return Err(damaged("it ends too early"));
        }
        Ok(Pages { file, held: Vec::new(), behind: 0, next: start, end })
    }

    /// The next page, which then has to be taken, copied or passed over.
    ///
    /// # Errors
    /// When what is there cannot be read, or is not a page.
    pub(super) fn next(&mut self) -> io::Result<Option<PageAt>> {
        let mut wanted = 1;
        loop {
            self.hold(wanted)?;
            let held = &self.held[self.behind..];
            if held.is_empty() {
                return Ok(None);
            }
            let start = self.next - held.len() as u64;
            match PageAt::new(start, held) {
                Some(page) if page.len <= self.end - start => return Ok(Some(page)),
                None if held.len() < MOST && self.next < self.end => wanted = held.len() + 1,
                _ => return Err(damaged("its pages are not where its metadata says")),
            }
        }
    }

    /// Reads on until this many bytes are held, or all that there are.
    fn hold(&mut self, wanted: usize) -> io::Result<()> {
        let there = self.held.len() - self.behind;
        if there >= wanted {
            return Ok(());
        }
        self.held.drain(..self.behind);
        self.behind = 0;
        let left = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
        self.held.resize(there + left.min(PIECE.max(wanted - there)), 0);
        self.file.read_exact_at(&mut self.held[there..], self.next)?;
        self.next += (self.held.len() - there) as u64;
        Ok(())
    }

    /// How much of the page is held, and how much is not.
    fn parts(&self, page: &PageAt) -> (usize, u64) {
        let there = (self.held.len() - self.behind) as u64;
        let held = page.len.min(there);
        (held as usize, page.len - held)
    }

    /// The bytes of the next page.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn take(&mut self, page: &PageAt) -> io::Result<Bytes> {
        let (held, rest) = self.parts(page);
        let mut bytes = Vec::with_capacity(held + usize::try_from(rest).map_err(io::Error::other)?);
        bytes.extend_from_slice(&self.held[self.behind..self.behind + held]);
        // Not into bytes that were set to zero before, of which a page may have many millions.
        let mut file = self.file;
        file.seek(SeekFrom::Start(self.next))?;
        if file.take(rest).read_to_end(&mut bytes)? as u64 != rest {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.pass(page);
        Ok(Bytes::from(bytes))
    }

    /// Copies the next page.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(super) fn copy(&mut self, page: &PageAt, out: &mut Output<'_>) -> io::Result<()> {
        let (held, rest) = self.parts(page);
        out.write_all(&self.held[self.behind..self.behind + held])?;
        out.range(self.file, self.next, rest)?;
        self.pass(page);
        Ok(())
    }

    /// Passes over the next page.
    pub(super) fn pass(&mut self, page: &PageAt) {
        let (held, rest) = self.parts(page);
        self.behind += held;
        self.next += rest;
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::super::testing::pages;
    use crate::repair::parquet_header::PageKind;
    use parquet::basic::Encoding;
    use parquet::column::page::Page;
    use parquet::data_type::{ByteArray, ByteArrayType};
    use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::sync::Arc;

    #[test]
    fn the_pages_are_those_that_the_library_reads() {
        let schema = Arc::new(parse_message_type("message m { optional binary b; }").unwrap());
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for (dictionary, statistics) in
                [(true, EnabledStatistics::Page), (false, EnabledStatistics::None)]
            {
                let properties = WriterProperties::builder()
                    .set_writer_version(version)
                    .set_statistics_enabled(statistics)
                    .set_dictionary_enabled(dictionary)
                    .set_dictionary_page_size_limit(20_000)
                    .set_data_page_size_limit(5_000)
                    .set_write_batch_size(7);
                let file = tempfile::tempfile().unwrap();
                let out = file.try_clone().unwrap();
                let mut writer =
                    SerializedFileWriter::new(out, schema.clone(), Arc::new(properties.build())).unwrap();
                let mut group = writer.next_row_group().unwrap();
                let mut column = group.next_column().unwrap().unwrap();
                let values: Vec<ByteArray> =
                    (0..90_usize).map(|n| ByteArray::from(vec![n as u8; 700 + n])).collect();
                let levels: Vec<i16> = (0..100).map(|n| i16::from(n % 10 != 3)).collect();
                column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).unwrap();
                column.close().unwrap();
                group.close().unwrap();
                writer.close().unwrap();

                let reader = SerializedFileReader::new(file.try_clone().unwrap()).unwrap();
                let (start, len) = reader.metadata().row_group(0).column(0).byte_range();
                let ours = pages(&file, start, len).unwrap();
                let mut theirs = reader.get_row_group(0).unwrap().get_column_page_reader(0).unwrap();
                let mut number = 0;
                while let Some(page) = theirs.get_next_page().unwrap() {
                    let kind = match &page {
                        Page::DictionaryPage { .. } => PageKind::Dictionary,
                        page => PageKind::Rows {
                            count: u64::from(page.num_values()),
                            by_dictionary: matches!(
                                page.encoding(),
                                Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY
                            ),
                        },
                    };
                    assert_eq!(ours[number].kind, kind);
                    number += 1;
                }
                assert_eq!(number, ours.len());
                assert!(number > 3, "{ours:?}");
                assert_eq!(ours.iter().map(|page| page.len).sum::<u64>(), len);
                // Whatever is cut off, nothing is made up.
                for cut in [1, 10, 100, 1000] {
                    assert!(pages(&file, start, len - cut).is_err());
                }
            }
        }
    }
}
