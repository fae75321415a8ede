//! Pages of columns that are written anew.

use super::output::Output;
use super::parquet_fault::Fault;
use parquet::column::writer::{ColumnCloseResult, ColumnWriter, get_column_writer};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use std::io::Write;
use std::sync::Arc;

/// How what is written anew is encoded.
pub(super) struct Properties {
    /// As it was.
    pub(super) same: WriterPropertiesPtr,
    /// With the same compression, but each value as it is: for pages between others.
    pub(super) plain: WriterPropertiesPtr,
    /// With the same compression, and all values in a dictionary.
    pub(super) dictionary: WriterPropertiesPtr,
}

impl Properties {
    pub(super) fn of(metadata: &ParquetMetaData) -> Properties {
        let mut same = WriterProperties::builder().set_statistics_enabled(EnabledStatistics::Chunk);
        let bare = || WriterProperties::builder().set_statistics_enabled(EnabledStatistics::None);
        let mut plain = bare().set_dictionary_enabled(false);
        let mut dictionary = bare().set_dictionary_enabled(true).set_dictionary_page_size_limit(usize::MAX);
        for column in metadata.row_groups().first().map(RowGroupMetaData::columns).unwrap_or_default() {
            let (path, compression) = (column.column_path(), column.compression());
            same = same
                .set_column_compression(path.clone(), compression)
                .set_column_dictionary_enabled(path.clone(), column.dictionary_page_offset().is_some());
            plain = plain.set_column_compression(path.clone(), compression);
            dictionary = dictionary.set_column_compression(path.clone(), compression);
        }
        Properties {
            same: Arc::new(same.build()),
            plain: Arc::new(plain.build()),
            dictionary: Arc::new(dictionary.build()),
        }
    }
}

/// Writes pages of a column; offsets in what is returned count from where they begin.
pub(super) fn write_pages(
    out: &mut Output<'_>,
    chunk: &ColumnChunkMetaData,
    properties: &WriterPropertiesPtr,
    fill: impl FnOnce(&mut ColumnWriter<'_>) -> Result<(), Fault>,
) -> Result<ColumnCloseResult, Fault> {
    let mut tracked = TrackedWrite::new(out);
    let writer = Box::new(SerializedPageWriter::new(&mut tracked));
    let mut writer = get_column_writer(chunk.column_descr_ptr(), properties.clone(), writer);
    fill(&mut writer)?;
    let closed = writer.close()?;
    tracked.flush()?;
    Ok(closed)
}
