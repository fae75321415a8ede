//! Compressions of Parquet files that are not read.

use crate::{Error, Result};
use chaffinch_protocol::display::safe_text;
use parquet::basic::CompressionCodec;
use parquet::file::metadata::ParquetMetaData;
use std::path::Path;

/// Refuses a file with a column that is compressed so.
///
/// # Errors
/// When there is one: it is whole, and another program has to write it anew.
pub(super) fn check(file: &Path, metadata: &ParquetMetaData) -> Result<()> {
    let mut chunks = metadata.row_groups().iter().flat_map(|group| group.columns());
    let strange = chunks.find_map(|chunk| Some((chunk, unread(chunk.compression_codec())?)));
    let Some((chunk, name)) = strange else { return Ok(()) };
    let message = format!(
        "its column '{}' is compressed with {name}, which is not read; write it anew with zstd, in Python \
         `pq.write_table(pq.read_table(\"old.parquet\"), \"new.parquet\", compression=\"zstd\")` of pyarrow.parquet",
        safe_text(&chunk.column_path().string())
    );
    Err(Error::format(file, message))
}

/// The name of a compression that is not read.
fn unread(compression: CompressionCodec) -> Option<&'static str> {
    match compression {
        CompressionCodec::BROTLI => Some("Brotli"),
        CompressionCodec::LZO => Some("LZO"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Int64Array, RecordBatch};
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use std::fs::File;
    use std::sync::Arc;

    #[test]
    fn a_compression_that_is_not_read_is_named_with_what_to_do() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a.parquet");
        let labels: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let batch = RecordBatch::try_from_iter([("label", labels)]).unwrap();
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let read = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
        let metadata = read.metadata().as_ref().clone();
        check(&path, &metadata).unwrap();
        for (codec, name) in [(CompressionCodec::BROTLI, "Brotli"), (CompressionCodec::LZO, "LZO")] {
            let group = metadata.row_group(0).clone();
            let chunk = group.column(0).clone().into_builder().set_compression_codec(codec).build().unwrap();
            let group = group.into_builder().set_column_metadata(vec![chunk]).build().unwrap();
            let metadata = metadata.clone().into_builder().set_row_groups(vec![group]).build();
            let error = check(&path, &metadata).unwrap_err().to_string();
            let text = format!(
                "its column 'label' is compressed with {name}, which is not read; write it anew with zstd"
            );
            assert!(error.contains(&text) && !error.contains("damaged"), "{error}");
        }
    }
}
