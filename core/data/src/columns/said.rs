//! What a detector says of samples beside its scores, as further columns of its result: attributes, one column each, and
//! regions, four numbers and a label for each.

use crate::issue::Boxed;
use arrow_array::builder::{Float32Builder, LargeListBuilder, LargeStringBuilder};
use arrow_array::{Array, ArrayRef, Float32Array, LargeListArray, LargeStringArray, RecordBatch};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the name of an attribute's column begins with.
const ATTRIBUTE: &str = "attr.";
const REGIONS: &str = "regions";
const LABELS: &str = "region_labels";

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Units and values by name, NaN where there is none.
    pub(super) attributes: BTreeMap<String, (String, Vec<f32>)>,
    pub(super) regions: BTreeMap<u32, Vec<Boxed>>,
}

impl Said {
    /// The unit of each attribute.
    pub(super) fn units(&self) -> BTreeMap<String, String> {
        self.attributes.iter().map(|(name, (unit, _))| (name.clone(), unit.clone())).collect()
    }

    /// The columns for `count` samples.
    pub(super) fn columns(self, count: usize) -> Vec<(String, bool, ArrayRef)> {
        let attribute = |(name, (_, values)): (String, (String, Vec<f32>))| {
            let values: Float32Array =
                values.into_iter().map(|value| (!value.is_nan()).then_some(value)).collect();
            (format!("{ATTRIBUTE}{name}"), true, Arc::new(values) as ArrayRef)
        };
        let mut columns: Vec<_> = self.attributes.into_iter().map(attribute).collect();
        if self.regions.is_empty() {
            return columns;
        }
        let mut edges = LargeListBuilder::new(Float32Builder::new());
        let mut labels = LargeListBuilder::new(LargeStringBuilder::new());
        for row in 0..count as u32 {
            for one in self.regions.get(&row).into_iter().flatten() {
                edges.values().append_slice(&one.edges);
                labels.values().append_value(&one.label);
            }
            edges.append(true);
            labels.append(true);
        }
        columns.push((REGIONS.into(), false, Arc::new(edges.finish())));
        columns.push((LABELS.into(), false, Arc::new(labels.finish())));
        columns
    }
}

/// The same in a result.
#[derive(Debug, Default)]
pub(super) struct Heard {
    attributes: BTreeMap<String, Float32Array>,
    regions: Option<(LargeListArray, LargeListArray)>,
}

impl Heard {
    /// What a file has, or the column that has the wrong type.
    pub(super) fn of(batch: &RecordBatch) -> Result<Heard, &'static str> {
        let mut heard = Heard::default();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            if let Some(name) = field.name().strip_prefix(ATTRIBUTE) {
                let values: &Float32Array = column.as_any().downcast_ref().ok_or("attr")?;
                heard.attributes.insert(name.to_owned(), values.clone());
            }
        }
        let list = |name: &str| -> Option<LargeListArray> {
            batch.column_by_name(name)?.as_any().downcast_ref::<LargeListArray>().cloned()
        };
        heard.regions = list(REGIONS).zip(list(LABELS));
        if batch.column_by_name(REGIONS).is_some() && heard.regions.is_none() {
            return Err(REGIONS);
        }
        Ok(heard)
    }

    /// The names of attributes, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes.keys().map(String::as_str)
    }

    /// The value of an attribute.
    pub(super) fn value(&self, name: &str, row: usize) -> Option<f32> {
        let values = self.attributes.get(name)?;
        let value = (row < values.len() && values.is_valid(row)).then(|| values.value(row))?;
        value.is_finite().then_some(value)
    }

    /// Whether any sample has regions.
    pub(super) fn has_regions(&self) -> bool {
        self.regions.is_some()
    }

    /// The regions of a sample. A damaged file has none.
    pub(super) fn regions(&self, row: usize) -> Vec<Boxed> {
        let Some((edges, labels)) = self.regions.as_ref().filter(|(edges, _)| row < edges.len()) else {
            return Vec::new();
        };
        let part = |list: &LargeListArray| {
            let offsets = list.offsets();
            let (start, end) = (usize::try_from(offsets[row]).ok()?, usize::try_from(offsets[row + 1]).ok()?);
            (start <= end && end <= list.values().len()).then(|| list.values().slice(start, end - start))
        };
        let Some((edges, labels)) = part(edges).zip((row < labels.len()).then(|| part(labels)).flatten())
        else {
            return Vec::new();
        };
        let (Some(edges), Some(labels)) = (
            edges.as_any().downcast_ref::<Float32Array>(),
            labels.as_any().downcast_ref::<LargeStringArray>(),
        ) else {
            return Vec::new();
        };
        let boxes = edges.values().as_chunks::<4>().0;
        let label = |at: usize| super::file::text(labels, at).unwrap_or_default().to_owned();
        boxes
            .iter()
            .take(labels.len())
            .enumerate()
            .map(|(at, edges)| Boxed { edges: *edges, label: label(at) })
            .collect()
    }
}
