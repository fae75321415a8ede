//! One detector's result.

use super::plain::{NONE, PlainColumns};
use super::said::{Heard, Said};
use super::{FORMAT, file};
use crate::issue::{Boxed, Issue, RunRecord};
use crate::{Error, Result};
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Float32Array, Int32Array, LargeListArray, LargeStringArray,
    RecordBatch, StringArray, UInt32Array,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, Field, Schema};
use chaffinch_protocol::sample::SampleId;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// What one detector says about all samples: its scores, and for some samples a suggested label, a group, evidence and
/// a reason. Built by a [`super::ResultBuilder`], or mapped from its file.
#[derive(Debug)]
pub struct DetectorResult {
    record: RunRecord,
    batch: RecordBatch,
    scores: ScalarBuffer<f32>,
    suggested: Int32Array,
    /// For each name that can be suggested, its index in the manifest's classes.
    places: Vec<Option<u32>>,
    group: UInt32Array,
    /// The offsets of each sample's lists in the two columns below.
    related_offsets: OffsetBuffer<i64>,
    related: UInt32Array,
    similarity_offsets: OffsetBuffer<i64>,
    similarity: Float32Array,
    reason: LargeStringArray,
    heard: Heard,
    groups: OnceLock<Vec<(u32, u32)>>,
    ranks: OnceLock<Vec<f32>>,
}

#[derive(Serialize, Deserialize)]
struct ResultHeader {
    format: u32,
    run: RunRecord,
}

impl DetectorResult {
    /// Only a [`super::ResultBuilder`] makes columns, and it keeps them consistent.
    ///
    /// Of the names that can be suggested, the first `known` are the manifest's classes.
    pub(super) fn from_columns(
        record: RunRecord,
        (classes, known): (&[String], usize),
        scores: Vec<f32>,
        (columns, said): (PlainColumns, Said),
    ) -> DetectorResult {
        let places = (0..classes.len()).map(|place| (place < known).then_some(place as u32)).collect();
        match batch(&record, classes, scores, columns, said).map_err(|error| error.to_string()) {
            Ok(batch) => match DetectorResult::from_batch(record, batch, places) {
                Ok(result) => result,
                Err(what) => unreachable!("{what}"),
            },
            Err(error) => unreachable!("{error}"),
        }
    }

    fn from_batch(
        record: RunRecord,
        batch: RecordBatch,
        places: Vec<Option<u32>>,
    ) -> std::result::Result<DetectorResult, &'static str> {
        let score: Float32Array = column(&batch, "score").ok_or("score")?;
        let suggested: DictionaryArray<Int32Type> = column(&batch, "suggested").ok_or("suggested")?;
        let related: LargeListArray = column(&batch, "related").ok_or("related")?;
        let similarity: LargeListArray = column(&batch, "similarity").ok_or("similarity")?;
        let others: &UInt32Array = related.values().as_any().downcast_ref().ok_or("related")?;
        let alike: &Float32Array = similarity.values().as_any().downcast_ref().ok_or("similarity")?;
        // A missing score is already NaN in files written by this program.
        let whole = |row: usize| score.is_valid(row) || score.value(row).is_nan();
        let scores = if score.null_count() == 0 || (0..score.len()).into_par_iter().all(whole) {
            score.values().clone()
        } else {
            score.iter().map(|score| score.unwrap_or(f32::NAN)).collect()
        };
        let group = column(&batch, "group").ok_or("group")?;
        let reason = column(&batch, "reason").ok_or("reason")?;
        let suggested = suggested.keys().clone();
        let heard = Heard::of(&batch)?;
        let (groups, ranks) = (OnceLock::new(), OnceLock::new());
        Ok(DetectorResult {
            related_offsets: related.offsets().clone(),
            related: others.clone(),
            similarity_offsets: similarity.offsets().clone(),
            similarity: alike.clone(),
            record,
            batch,
            scores,
            suggested,
            places,
            group,
            reason,
            heard,
            groups,
            ranks,
        })
    }

    /// Maps a file written by [`DetectorResult::save`]. `classes` are the manifest's current ones; suggested labels are
    /// matched to them by name.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or has another version.
    pub fn load(path: &Path, classes: &[String]) -> Result<DetectorResult> {
        let batch = file::read(path)?;
        let head: ResultHeader = file::head(path, &batch.schema())?;
        if head.format != FORMAT {
            let what = format!("it has format version {}, this program reads version {FORMAT}", head.format);
            return Err(file::damaged(path, &what));
        }
        let names = column::<DictionaryArray<Int32Type>>(&batch, "suggested");
        let names: Option<StringArray> =
            names.and_then(|names| names.values().as_any().downcast_ref::<StringArray>().cloned());
        let names = names.ok_or_else(|| file::damaged(path, "its column 'suggested' is not text"))?;
        let class_index = |name: &str| classes.binary_search_by(|class| class.as_str().cmp(name)).ok();
        let class_indices = (0..names.len())
            .map(|row| class_index(file::text(&names, row)?).map(|class_index| class_index as u32));
        let class_indices = class_indices.collect();
        let result = DetectorResult::from_batch(head.run, batch, class_indices);
        result.map_err(|column| {
            file::damaged(path, &format!("its column '{column}' is missing or has the wrong type"))
        })
    }

    /// All columns.
    pub(crate) fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Writes the result.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        file::write(path, &self.batch)
    }

    /// The record of the run.
    pub fn record(&self) -> &RunRecord {
        &self.record
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// The score of a sample, 0 = surely an issue.
    pub fn score(&self, id: SampleId) -> Option<f32> {
        self.scores.get(id.index()).copied().filter(|score| !score.is_nan())
    }

    /// All scores, NaN if there is none.
    pub fn scores(&self) -> &[f32] {
        &self.scores
    }

    /// Whether it suggests a label for any sample.
    pub fn suggests(&self) -> bool {
        self.suggested.null_count() < self.len()
    }

    /// The suggested label of a sample, an index into the manifest's classes.
    pub fn suggested(&self, id: SampleId) -> Option<u32> {
        let row = id.index();
        if row >= self.len() || self.suggested.is_null(row) {
            return None;
        }
        usize::try_from(self.suggested.value(row)).ok().and_then(|key| *self.places.get(key)?)
    }

    /// The name of a suggested label that is none of the manifest's classes.
    pub fn suggested_other(&self, id: SampleId) -> Option<&str> {
        let row = id.index();
        if row >= self.len() || self.suggested.is_null(row) || self.suggested(id).is_some() {
            return None;
        }
        let names = self.batch.column_by_name("suggested")?.as_any();
        let names = names.downcast_ref::<DictionaryArray<Int32Type>>()?.values();
        let key = usize::try_from(self.suggested.value(row)).ok()?;
        file::text(names.as_any().downcast_ref::<StringArray>()?, key)
    }

    /// The group of a sample.
    pub fn group(&self, id: SampleId) -> Option<u32> {
        let row = id.index();
        (row < self.len() && self.group.is_valid(row)).then(|| self.group.value(row))
    }

    /// The reason, empty if there is none.
    pub fn reason(&self, id: SampleId) -> &str {
        file::text(&self.reason, id.index()).unwrap_or_default()
    }

    /// The names of its attributes, in order.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.heard.names()
    }

    /// The value of an attribute; `None` if the sample or the result has none.
    pub fn attribute(&self, name: &str, id: SampleId) -> Option<f32> {
        self.heard.value(name, id.index())
    }

    /// The unit of an attribute, possibly empty.
    pub fn unit(&self, name: &str) -> &str {
        self.record.units.get(name).map_or("", String::as_str)
    }

    /// Whether it marks parts of pictures.
    pub fn has_regions(&self) -> bool {
        self.heard.has_regions()
    }

    /// The parts of a sample's picture that matter to it.
    pub fn regions(&self, id: SampleId) -> Vec<Boxed> {
        self.heard.regions(id.index())
    }

    /// The issue of a sample; `None` if it has no score.
    pub fn issue(&self, id: SampleId) -> Option<Issue> {
        let score = self.score(id)?;
        let others = list(self.related.values(), &self.related_offsets, id.index());
        let alike = list(self.similarity.values(), &self.similarity_offsets, id.index());
        // A damaged file must not refer to samples that do not exist.
        let known = others.iter().zip(alike).filter(|(other, _)| (**other as usize) < self.len());
        let related = known.map(|(&other, &similarity)| (SampleId(other), similarity)).collect();
        Some(Issue {
            score,
            suggested: self.suggested(id),
            group: self.group(id),
            related,
            reason: self.reason(id).to_owned(),
        })
    }

    /// All samples of a group, in manifest order.
    pub fn group_members(&self, group: u32) -> Vec<SampleId> {
        let index = self.grouped();
        let start = index.partition_point(|&(other, _)| other < group);
        let members = index[start..].iter().take_while(|&&(other, _)| other == group);
        members.map(|&(_, row)| SampleId(row)).collect()
    }

    /// Group and sample, sorted, of all samples that have a group.
    pub fn grouped(&self) -> &[(u32, u32)] {
        self.groups.get_or_init(|| {
            let rows = (0..self.len() as u32).into_par_iter();
            let mut index: Vec<(u32, u32)> =
                rows.filter_map(|row| self.group(SampleId(row)).map(|group| (group, row))).collect();
            index.par_sort_unstable();
            index
        })
    }

    /// For each sample the share of scored samples with a lower score, ties in the middle, NaN if there is no score.
    /// Computed once, as it does not depend on the threshold.
    pub fn ranks(&self) -> &[f32] {
        self.ranks.get_or_init(|| chaffinch_compute::ranks::mean_ranks(&self.scores))
    }
}

/// The part of a column that belongs to one row; empty if its offsets are invalid.
fn list<'a, T>(values: &'a [T], offsets: &[i64], row: usize) -> &'a [T] {
    let offset = |row: usize| offsets.get(row).and_then(|&offset| usize::try_from(offset).ok());
    let span = offset(row).zip(offset(row + 1)).and_then(|(start, end)| values.get(start..end));
    span.unwrap_or_default()
}

/// A column of the expected type.
fn column<T: Array + Clone + 'static>(batch: &RecordBatch, name: &str) -> Option<T> {
    batch.column_by_name(name)?.as_any().downcast_ref::<T>().cloned()
}

fn batch(
    record: &RunRecord,
    classes: &[String],
    scores: Vec<f32>,
    columns: PlainColumns,
    said: Said,
) -> std::result::Result<RecordBatch, ArrowError> {
    let count = scores.len();
    let scored: NullBuffer = scores.iter().map(|score| !score.is_nan()).collect::<Vec<bool>>().into();
    let score = Float32Array::try_new(scores.into(), Some(scored).filter(|scored| scored.null_count() > 0))?;
    let keys: Int32Array = columns.suggested.iter().map(|&key| (key != NONE).then_some(key as i32)).collect();
    let names = Arc::new(StringArray::from_iter_values(classes));
    let suggested = DictionaryArray::<Int32Type>::try_new(keys, names)?;
    let group: UInt32Array = columns.group.iter().map(|&group| (group != NONE).then_some(group)).collect();
    let offsets = OffsetBuffer::new(columns.related_offsets.into());
    let list = |values: ArrayRef| {
        let field = Arc::new(Field::new("item", values.data_type().clone(), false));
        LargeListArray::try_new(field, offsets.clone(), values, None)
    };
    let related = list(Arc::new(UInt32Array::from(columns.related)))?;
    let similarity = list(Arc::new(Float32Array::from(columns.similarity)))?;
    let spoken = columns.reason_offsets.windows(2).map(|pair| pair[0] < pair[1]).collect::<Vec<bool>>();
    let reason = LargeStringArray::try_new(
        OffsetBuffer::new(columns.reason_offsets.into()),
        Buffer::from(columns.reasons.into_bytes()),
        Some(NullBuffer::from(spoken)),
    )?;
    let arrays: [(&str, bool, ArrayRef); 6] = [
        ("score", true, Arc::new(score)),
        ("suggested", true, Arc::new(suggested)),
        ("group", true, Arc::new(group)),
        ("related", false, Arc::new(related)),
        ("similarity", false, Arc::new(similarity)),
        ("reason", true, Arc::new(reason)),
    ];
    let own = arrays.map(|(name, nullable, array)| (name.to_owned(), nullable, array));
    let arrays: Vec<(String, bool, ArrayRef)> = own.into_iter().chain(said.columns(count)).collect();
    let fields: Vec<Field> = arrays
        .iter()
        .map(|(name, nullable, array)| Field::new(name, array.data_type().clone(), *nullable))
        .collect();
    let head = ResultHeader { format: FORMAT, run: record.clone() };
    let schema = Schema::new(fields).with_metadata(file::metadata(&head));
    RecordBatch::try_new(Arc::new(schema), arrays.into_iter().map(|(_, _, array)| array).collect())
}

/// The file name for a detector; anything but a valid detector name is refused.
///
/// # Errors
/// When the name cannot be a file name.
pub fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err(Error::Invalid(format!(
            "'{name}' is not a valid detector name: use letters, digits and dashes"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
