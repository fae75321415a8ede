//! Files of arrays for tests, assembled from their parts.

use arrow_array::builder::{Float32Builder, ListBuilder};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

/// The bytes of a NumPy file in row-major order.
pub(crate) fn npy_bytes(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    npy_ordered(descr, shape, false, data)
}

/// The bytes of a NumPy file.
pub(crate) fn npy_ordered(descr: &str, shape: &str, fortran: bool, data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let head = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
    let head = format!("{head:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((head.len() as u16).to_le_bytes());
    bytes.extend(head.as_bytes());
    bytes.extend(data);
    bytes
}

/// Numbers of 32 bits as bytes.
pub(crate) fn f32s(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Writes a matrix of 32-bit numbers as a tensor `name`, with metadata.
pub(crate) fn safetensors(path: &Path, name: &str, numbers: &[f32], cols: usize, metadata: &[(&str, &str)]) {
    let data = f32s(numbers);
    let view = TensorView::new(Dtype::F32, vec![numbers.len() / cols, cols], &data).unwrap();
    let metadata: HashMap<String, String> =
        metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    fs::write(path, safetensors::serialize([(name, view)], Some(metadata)).unwrap()).unwrap();
}

/// Writes a matrix of 32-bit numbers `probabilities`, tensors of whole numbers beside it, and metadata.
pub(crate) fn beside(
    path: &Path,
    (numbers, cols): (&[f32], usize),
    lists: &[(&str, &[i64])],
    metadata: &[(&str, &str)],
) {
    let data = f32s(numbers);
    let bytes = |list: &[i64]| list.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let lists: Vec<(&str, Vec<u8>)> = lists.iter().map(|(name, list)| (*name, bytes(list))).collect();
    let matrix = TensorView::new(Dtype::F32, vec![numbers.len() / cols, cols], &data).unwrap();
    fn list(bytes: &[u8]) -> TensorView<'_> {
        TensorView::new(Dtype::I64, vec![bytes.len() / 8], bytes).unwrap()
    }
    let all = std::iter::once(("probabilities", matrix));
    let all: Vec<_> = all.chain(lists.iter().map(|(name, bytes)| (*name, list(bytes)))).collect();
    let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    fs::write(path, safetensors::serialize(all, Some(metadata)).unwrap()).unwrap();
}

/// Writes columns of texts and one of vectors, `None` where one is missing.
pub(crate) fn parquet(path: &Path, texts: &[(&str, &[&str])], vectors: (&str, &[Option<&[f32]>])) {
    let mut lists = ListBuilder::new(Float32Builder::new());
    for vector in vectors.1 {
        match vector {
            Some(vector) => {
                lists.values().append_slice(vector);
                lists.append(true);
            }
            None => lists.append(false),
        }
    }
    let texts = texts.iter().map(|(name, texts)| {
        (*name, Arc::new(texts.iter().copied().map(Some).collect::<StringArray>()) as ArrayRef)
    });
    let all: Vec<(&str, ArrayRef)> =
        texts.chain([(vectors.0, Arc::new(lists.finish()) as ArrayRef)]).collect();
    let batch = RecordBatch::try_from_iter_with_nullable(all.into_iter().map(|(name, it)| (name, it, true)));
    write(path, &batch.unwrap());
}

/// Writes a table.
pub(crate) fn write(path: &Path, batch: &RecordBatch) {
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}
