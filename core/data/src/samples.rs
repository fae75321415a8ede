//! The manifest and the file metadata as one file.
//!
//! Columns: `path`, `path_bytes` (only if some path is not valid UTF-8: its exact bytes, while `path` has replacement
//! characters), `label`, `split`, `hash`, `width`, `height`, `bytes`, `modified`, `phash`, `dhash`, `unreadable`,
//! `remarks` (what decoding found beside the pixels, as JSON; only if there is any), and every column kept from the
//! user's table as `extra.NAME`. Where labels or splits were written in another way than their column says,
//! `label_written` and `split_written` have what was written. If samples are in containers, `container`, `start` and
//! `length` say where.

use crate::as_written::{TableBeside, TableForm, Texts};
use crate::class_numbers::ClassNumbers;
use crate::columns::{Column, FORMAT, file};
use crate::file_metadata::{FileMetadata, Sizes};
use crate::manifest::{ExtraColumn, Manifest, ManifestColumns, NO_LABEL};
use crate::packing::{Packing, StoredContainer};
use crate::remarks;
use crate::{Error, Result};
use arrow_array::builder::LargeStringBuilder;
use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, FixedSizeBinaryArray, Int8Array, Int32Array, LargeBinaryArray,
    LargeStringArray, RecordBatch, StringArray, TimestampNanosecondArray, UInt32Array, UInt64Array,
};
use arrow_buffer::{Buffer, OffsetBuffer};
use arrow_schema::{ArrowError, Field, Schema};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::image::decode::{Depths, Ground};
use chaffinch_protocol::sample::{SampleId, Split};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Incremented when decoding finds more or something else in the same bytes. Files read before that are read again.
const DECODER: u32 = 3;

const EXTRA: &str = "extra.";
const LABEL_WRITTEN: &str = "label_written";
const SPLIT_WRITTEN: &str = "split_written";
const CONTAINER: &str = "container";
const START: &str = "start";
const LENGTH: &str = "length";
const SPLITS: [Split; 4] = [Split::None, Split::Train, Split::Validation, Split::Test];

#[derive(Serialize, Deserialize)]
struct SamplesHeader {
    format: u32,
    /// The [`DECODER`] that the files were read with.
    #[serde(default)]
    decoder: u32,
    /// The root, if it is valid UTF-8.
    root: Option<String>,
    /// The root's bytes otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root_bytes: Option<Vec<u8>>,
    /// What the table looked like, if the dataset is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<TableForm>,
    /// The files beside the pictures that were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    beside: Vec<TableBeside>,
    /// The extra columns whose cells are JSON.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    typed: Vec<String>,
    /// The numbers that the dataset gives to its classes.
    #[serde(default, skip_serializing_if = "ClassNumbers::is_empty")]
    class_numbers: ClassNumbers,
    /// The files that hold samples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    containers: Vec<StoredContainer>,
    #[serde(default)]
    ground: Ground,
    /// The depths of its 16-bit pictures.
    #[serde(default)]
    depths: Depths,
}

/// Writes the samples.
///
/// # Errors
/// When the file metadata does not match the manifest, or the file cannot be written.
pub fn save_samples(path: &Path, manifest: &Manifest, file_metadata: &FileMetadata) -> Result<()> {
    if manifest.len() != file_metadata.len() {
        let message = format!(
            "there is file metadata for {} samples, but the manifest has {}",
            file_metadata.len(),
            manifest.len()
        );
        return Err(Error::Invalid(message));
    }
    let batch = batch(manifest, file_metadata).map_err(|error| Error::format(path, error.to_string()))?;
    file::write(path, &batch)
}

fn batch(manifest: &Manifest, file_metadata: &FileMetadata) -> std::result::Result<RecordBatch, ArrowError> {
    let mut fields: Vec<Field> = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    let mut add = |name: &str, nullable: bool, array: ArrayRef| {
        fields.push(Field::new(name, array.data_type().clone(), nullable));
        arrays.push(array);
    };
    let (paths, raw) = paths(manifest)?;
    add("path", false, Arc::new(paths));
    if let Some(raw) = raw {
        add("path_bytes", true, Arc::new(raw));
    }
    let keys: Int32Array =
        manifest.labels().iter().map(|&label| (label != NO_LABEL).then_some(label as i32)).collect();
    let names = StringArray::from_iter_values(manifest.classes());
    add("label", true, Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(names))?));
    let keys: Int8Array = manifest.splits().iter().map(|&code| (code != 0).then_some(code as i8)).collect();
    let names = StringArray::from_iter_values(SPLITS.iter().map(|split| split.name()));
    add("split", true, Arc::new(DictionaryArray::<Int8Type>::try_new(keys, Arc::new(names))?));
    add("hash", false, Arc::new(FixedSizeBinaryArray::try_new(32, file_metadata.hashes.buffer(), None)?));
    let (width, height, bytes) = file_metadata.dimensions.columns();
    add("width", false, Arc::new(UInt32Array::from_iter_values(width.iter().copied())));
    add("height", false, Arc::new(UInt32Array::from_iter_values(height.iter().copied())));
    add("bytes", false, Arc::new(UInt64Array::from_iter_values(bytes.iter().copied())));
    let modified = TimestampNanosecondArray::from_iter_values(file_metadata.modified.iter().copied());
    add("modified", false, Arc::new(modified.with_timezone("UTC")));
    add("phash", false, Arc::new(UInt64Array::from_iter_values(file_metadata.phash.iter().copied())));
    add("dhash", false, Arc::new(UInt64Array::from_iter_values(file_metadata.dhash.iter().copied())));
    let unreadable: LargeStringArray = manifest.ids().map(|id| file_metadata.unreadable.get(&id)).collect();
    add("unreadable", true, Arc::new(unreadable));
    for (name, texts) in
        [(LABEL_WRITTEN, manifest.written_labels()), (SPLIT_WRITTEN, manifest.written_splits())]
    {
        let Some(Texts { codes, texts }) = texts else { continue };
        let keys: Int32Array = codes.iter().map(|&code| (code != NO_LABEL).then_some(code as i32)).collect();
        let texts = StringArray::from_iter_values(texts);
        add(name, true, Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(texts))?));
    }
    if !file_metadata.remarks.is_empty() {
        let of = |id| file_metadata.remarks.get(&id).map(|remarks| remarks::write(remarks));
        let remarks: LargeStringArray = manifest.ids().map(of).collect();
        add("remarks", true, Arc::new(remarks));
    }
    if let Some(packing) = manifest.packing() {
        let (containers, starts, lengths) = packing.columns();
        add(CONTAINER, false, Arc::new(UInt32Array::from_iter_values(containers.iter().copied())));
        add(START, false, Arc::new(UInt64Array::from_iter_values(starts.iter().copied())));
        add(LENGTH, false, Arc::new(UInt64Array::from_iter_values(lengths.iter().copied())));
    }
    for column in manifest.extra() {
        let values = LargeStringArray::from_iter_values(&column.values);
        add(&format!("{EXTRA}{}", column.name), false, Arc::new(values));
    }
    let root = manifest.root().as_os_str();
    let head = SamplesHeader {
        format: FORMAT,
        decoder: DECODER,
        ground: manifest.ground(),
        depths: manifest.rendering().depths,
        root: root.to_str().map(str::to_owned),
        root_bytes: root.to_str().is_none().then(|| root.as_bytes().to_vec()),
        table: manifest.table().cloned(),
        beside: manifest.beside().to_vec(),
        typed: manifest.typed().map(str::to_owned).collect(),
        class_numbers: manifest.class_numbers().clone(),
        containers: manifest.packing().map(|packing| packing.stored(manifest.root())).unwrap_or_default(),
    };
    let schema = Schema::new(fields).with_metadata(file::metadata(&head));
    RecordBatch::try_new(Arc::new(schema), arrays)
}

/// Paths as text, and those that are not valid UTF-8 also as bytes.
fn paths(
    manifest: &Manifest,
) -> std::result::Result<(LargeStringArray, Option<LargeBinaryArray>), ArrowError> {
    let (bytes, ends) = manifest.path_columns();
    let offsets = std::iter::once(0).chain(ends.iter().map(|&end| end as i64)).collect::<Vec<i64>>();
    // A path may end inside a character of the joined bytes; the constructor checks both.
    let whole = LargeStringArray::try_new(OffsetBuffer::new(offsets.into()), Buffer::from(bytes), None);
    if let Ok(whole) = whole {
        return Ok((whole, None));
    }
    let mut text = LargeStringBuilder::with_capacity(manifest.len(), bytes.len());
    let mut raw: Vec<Option<&[u8]>> = Vec::with_capacity(manifest.len());
    for id in manifest.ids() {
        let path = manifest.path(id);
        text.append_value(path.to_string_lossy());
        raw.push(path.to_str().is_none().then(|| path.as_os_str().as_bytes()));
    }
    Ok((text.finish(), Some(LargeBinaryArray::from_iter(raw))))
}

/// Reads a file written by [`save_samples`].
///
/// # Errors
/// When the file cannot be read, is damaged, or has another version.
pub fn load_samples(path: &Path) -> Result<(Manifest, FileMetadata)> {
    let batch = file::read(path)?;
    let schema = batch.schema();
    let head: SamplesHeader = file::head(path, &schema)?;
    if head.format != FORMAT {
        return Err(file::damaged(
            path,
            &format!("it has format version {}, this program reads version {FORMAT}", head.format),
        ));
    }
    let root = match (head.root, head.root_bytes) {
        (Some(root), _) => PathBuf::from(root),
        (None, Some(bytes)) => PathBuf::from(OsString::from_vec(bytes)),
        (None, None) => return Err(file::damaged(path, "it does not record the path of the dataset")),
    };
    let read = Reader { path, batch: &batch };
    let columns = read.columns()?;
    let (labels, splits) = (read.texts(LABEL_WRITTEN)?, read.texts(SPLIT_WRITTEN)?);
    let packing = read.packing(&root, head.containers)?;
    let manifest = Manifest::from_columns(root, columns)
        .and_then(|manifest| manifest.with_written(labels, splits, head.table))
        .ok_or_else(|| file::damaged(path, "its columns are inconsistent"))?;
    let manifest = match packing {
        Some(packing) => manifest.with_packing(packing),
        None => manifest,
    };
    let mut file_metadata = read.file_metadata()?;
    if head.decoder != DECODER {
        // No file has this time, so each counts as changed.
        file_metadata.modified = file_metadata.modified.iter().map(|_| i64::MIN).collect();
    }
    let extra = read.extra()?;
    let manifest = manifest.with_extra(extra).with_typed(head.typed).with_beside(head.beside);
    let manifest = manifest.with_class_numbers(head.class_numbers);
    Ok((manifest.with_ground(head.ground).with_depths(head.depths), file_metadata))
}

struct Reader<'a> {
    path: &'a Path,
    batch: &'a RecordBatch,
}

impl Reader<'_> {
    fn column<T: Array + 'static>(&self, name: &str) -> Result<&T> {
        let array = self.batch.column_by_name(name).and_then(|array| array.as_any().downcast_ref::<T>());
        array.ok_or_else(|| {
            file::damaged(self.path, &format!("its column '{name}' is missing or has the wrong type"))
        })
    }

    fn columns(&self) -> Result<ManifestColumns> {
        let (path_bytes, path_ends) = self.paths()?;
        let Texts { codes: labels, texts: classes } = self.dictionary("label")?;
        let split: &DictionaryArray<Int8Type> = self.column("split")?;
        let splits = match split.keys().null_count() {
            0 => self.mapped(split.keys().values().inner())?,
            _ => split.keys().iter().map(|key| key.map_or(0, |key| key as u8)).collect(),
        };
        Ok(ManifestColumns { path_bytes, path_ends, labels, splits, classes })
    }

    /// A dictionary of texts with its numbers.
    fn dictionary(&self, name: &str) -> Result<Texts> {
        let array: &DictionaryArray<Int32Type> = self.column(name)?;
        let texts = array.values().as_any().downcast_ref::<StringArray>();
        let texts =
            texts.ok_or_else(|| file::damaged(self.path, &format!("its column '{name}' is not text")))?;
        let texts =
            (0..texts.len()).map(|row| file::text(texts, row).unwrap_or_default().to_owned()).collect();
        let keys = array.keys();
        let codes = match keys.null_count() {
            0 => self.mapped(keys.values().inner())?,
            _ => keys.iter().map(|key| key.map_or(NO_LABEL, |key| key as u32)).collect(),
        };
        Ok(Texts { codes, texts })
    }

    /// The same for a column that may be missing.
    fn texts(&self, name: &str) -> Result<Option<Texts>> {
        self.batch.column_by_name(name).map(|_| self.dictionary(name)).transpose()
    }

    /// Where the samples are that are in containers.
    fn packing(&self, root: &Path, containers: Vec<StoredContainer>) -> Result<Option<Packing>> {
        if containers.is_empty() {
            return Ok(None);
        }
        let of: &UInt32Array = self.column(CONTAINER)?;
        let (starts, lengths): (&UInt64Array, &UInt64Array) = (self.column(START)?, self.column(LENGTH)?);
        let packing = Packing::from_columns(
            root,
            containers,
            self.mapped(of.values().inner())?,
            self.mapped(starts.values().inner())?,
            self.mapped(lengths.values().inner())?,
        );
        let damaged = || file::damaged(self.path, "the places of its samples are inconsistent");
        packing.map(Some).ok_or_else(damaged)
    }

    /// All paths concatenated, and where each ends.
    fn paths(&self) -> Result<(Column<u8>, Column<u64>)> {
        let text: &LargeStringArray = self.column("path")?;
        if self.batch.column_by_name("path_bytes").is_some() {
            let raw: &LargeBinaryArray = self.column("path_bytes")?;
            let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(text.len()));
            for row in 0..text.len() {
                let path = match raw.is_null(row) {
                    true => file::text(text, row).map(str::as_bytes),
                    false => span(raw.value_offsets(), row).and_then(|span| raw.value_data().get(span)),
                };
                bytes.extend_from_slice(path.unwrap_or_default());
                ends.push(bytes.len() as u64);
            }
            return Ok((bytes.into(), ends.into()));
        }
        let broken = || file::damaged(self.path, "its paths are inconsistent");
        let offsets = text.value_offsets();
        if offsets.first().copied().unwrap_or(0) != 0 || offsets.len() != text.len() + 1 {
            return Err(broken());
        }
        let last = offsets.last().and_then(|&last| usize::try_from(last).ok()).unwrap_or(0);
        if last > text.value_data().len() {
            return Err(broken());
        }
        let ends = text.offsets().inner().inner();
        let ends = match ends.len() {
            0 => ends.clone(),
            _ => ends.slice(size_of::<i64>()),
        };
        Ok((self.mapped(&text.values().slice_with_length(0, last))?, self.mapped(&ends)?))
    }

    /// A column that stays mapped.
    fn mapped<T: bytemuck::Pod>(&self, buffer: &Buffer) -> Result<Column<T>> {
        Column::mapped(buffer.clone()).ok_or_else(|| file::damaged(self.path, "a column has the wrong type"))
    }

    fn file_metadata(&self) -> Result<FileMetadata> {
        let hash: &FixedSizeBinaryArray = self.column("hash")?;
        if hash.value_length() != 32 {
            return Err(file::damaged(self.path, "its hashes have the wrong length"));
        }
        let width: &UInt32Array = self.column("width")?;
        let height: &UInt32Array = self.column("height")?;
        let bytes: &UInt64Array = self.column("bytes")?;
        let modified: &TimestampNanosecondArray = self.column("modified")?;
        let phash: &UInt64Array = self.column("phash")?;
        let dhash: &UInt64Array = self.column("dhash")?;
        let unreadable: &LargeStringArray = self.column("unreadable")?;
        let (width, height, bytes) = (
            self.mapped(width.values().inner())?,
            self.mapped(height.values().inner())?,
            self.mapped(bytes.values().inner())?,
        );
        let dimensions = Sizes::from_columns(width, height, bytes)
            .ok_or_else(|| file::damaged(self.path, "its sizes are inconsistent"))?;
        let said = valid(unreadable);
        let remarks = match self.batch.column_by_name("remarks") {
            Some(_) => {
                let texts: &LargeStringArray = self.column("remarks")?;
                let of = |row: usize| {
                    (SampleId(row as u32), remarks::read(file::text(texts, row).unwrap_or_default()))
                };
                valid(texts).into_iter().map(of).filter(|(_, remarks)| !remarks.is_empty()).collect()
            }
            None => BTreeMap::new(),
        };
        let why = |row: usize| Some((SampleId(row as u32), file::text(unreadable, row)?.to_owned()));
        Ok(FileMetadata {
            hashes: self.mapped::<ContentHash>(hash.values())?,
            dimensions,
            modified: self.mapped(modified.values().inner())?,
            phash: self.mapped(phash.values().inner())?,
            dhash: self.mapped(dhash.values().inner())?,
            unreadable: said.into_iter().filter_map(why).collect(),
            remarks,
        })
    }

    fn extra(&self) -> Result<Vec<ExtraColumn>> {
        let schema = self.batch.schema();
        let columns = schema.fields().iter().zip(self.batch.columns());
        columns
            .filter_map(|(field, array)| Some((field.name().strip_prefix(EXTRA)?, array)))
            .map(|(name, array)| {
                let values = array.as_any().downcast_ref::<LargeStringArray>();
                let values = values
                    .ok_or_else(|| file::damaged(self.path, &format!("its column '{name}' is not text")))?;
                let value = |row: usize| file::text(values, row).unwrap_or_default().to_owned();
                Ok(ExtraColumn { name: name.to_owned(), values: (0..values.len()).map(value).collect() })
            })
            .collect()
    }
}

/// The rows that have a text.
fn valid(texts: &LargeStringArray) -> Vec<usize> {
    match texts.nulls() {
        Some(nulls) => nulls.valid_indices().collect(),
        None => (0..texts.len()).collect(),
    }
}

/// The bytes of one row.
fn span(offsets: &[i64], row: usize) -> Option<std::ops::Range<usize>> {
    Some(usize::try_from(*offsets.get(row)?).ok()?..usize::try_from(*offsets.get(row + 1)?).ok()?)
}

#[cfg(test)]
mod tests;
