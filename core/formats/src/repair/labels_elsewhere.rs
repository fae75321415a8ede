//! Labels that a table of their own gives to a dataset: what a plan changes there, and what is left of the plan for the
//! dataset itself.

use super::file_changes::{Contents, Rewrite};
use super::parquet_file::ParquetEdits;
use super::refusal::refused;
use super::targets::{most, splits_written};
use crate::dataset::{self, Companions, Edit, LabelTable, RowEdits};
use crate::{Error, Result};
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{excerpt, safe_path, safe_text};
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_review::repair::{Change, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The file with the labels of a plan's dataset, absolute, if there is one.
///
/// # Errors
/// When there is no current folder.
pub(super) fn file_of(plan: &Plan) -> Result<Option<PathBuf>> {
    let file = plan.reading.labels.as_deref();
    file.map(|file| std::path::absolute(file).map_err(Error::io("find", file))).transpose()
}

/// What changes in the table of labels.
pub(super) struct Elsewhere {
    /// The table as it is afterwards, if it changes.
    pub(super) table: Option<Rewrite>,
    /// Its columns that go with the labels, by their places among those that are kept.
    pub(super) companions: BTreeSet<usize>,
}

/// The rest of the plan, and what changes in the table.
///
/// # Errors
/// When the table cannot be read or written, or says nothing of a sample that changes.
pub(super) fn taken(file: &Path, plan: &Plan, manifest: &Manifest) -> Result<(Plan, Elsewhere)> {
    let LabelTable { table, label, split, rows, others, numbers } =
        LabelTable::read(file, manifest, &plan.reading)?;
    let own = DatasetOptions { labels: None, ..dataset::without_labels(&plan.reading) };
    let own = dataset::open(&plan.dataset.path(), &own)?.manifest;
    let named: BTreeSet<SampleId> = rows.iter().flatten().copied().collect();
    let says_split = |id: SampleId| split.is_some() && named.contains(&id) && own.split(id) == Split::None;
    let mut rest = plan.clone();
    for change in &mut rest.changes {
        let id = change.id();
        if change.to_label.take().is_some() && !named.contains(&id) {
            let (path, table) = (safe_path(&change.path.path()), safe_path(file));
            let message =
                format!("{path} has no row in {table}, where its new label would be; add one first");
            return Err(refused(&plan.dataset.path(), message));
        }
        if says_split(id) {
            change.to_split = None;
        }
    }
    let label_text = |label: &String| match &numbers {
        Some(numbers) => numbers.number(label).map(|number| number.to_string()),
        None => Some(label.clone()),
    };
    let mut labels = plan.changes.iter().filter_map(|change| change.to_label.as_ref());
    if let Some(label) = labels.find(|label| label_text(label).is_none()) {
        let message = format!(
            "{} has numbers for the classes, and none is known for '{}'; relabel to a class that has one",
            safe_path(file),
            excerpt(label)
        );
        return Err(refused(&plan.dataset.path(), message));
    }
    rest.changes.retain(|change| change.remove || change.to_split.is_some());
    let written = splits_written(manifest);
    let split_text = |split: Split| {
        written.get(&split.code()).and_then(most).cloned().unwrap_or_else(|| split.name().to_owned())
    };
    let changes: BTreeMap<SampleId, &Change> =
        plan.changes.iter().map(|change| (change.id(), change)).collect();
    let companions = Companions::of(manifest);
    let beside = |label: &str| -> Vec<(usize, String)> {
        companions.iter().filter_map(|one| Some((*others.get(&one.extra)?, one.cell(label)))).collect()
    };
    let edit = |index: usize| match rows.get(index).copied().flatten().and_then(|id| changes.get(&id)) {
        None => Edit::Keep,
        Some(change) if change.remove => Edit::Drop,
        Some(change) => {
            let new = change.to_split.filter(|_| says_split(change.id())).map(split_text);
            let beside = change.to_label.iter().flat_map(|label| beside(label));
            let others: Vec<(usize, String)> = split.zip(new).into_iter().chain(beside).collect();
            match (&change.to_label, others.is_empty()) {
                (None, true) => Edit::Keep,
                (label, _) => Edit::Change { name: None, label: label.as_ref().and_then(label_text), others },
            }
        }
    };
    if (0..rows.len()).all(|index| matches!(edit(index), Edit::Keep)) {
        return Ok((rest, Elsewhere { table: None, companions: BTreeSet::new() }));
    }
    let refused = |why: String| Error::format(file, format!("it cannot be rewritten: {}", safe_text(&why)));
    let contents = match table.is_parquet() {
        true => {
            let RowEdits { dropped, values } = table.rows_edited(Some(label), edit).map_err(refused)?;
            Contents::Parquet(ParquetEdits { dropped, values, ..ParquetEdits::default() })
        }
        false => Contents::Bytes(table.edited(Some(label), edit, &[]).map_err(refused)?),
    };
    let table = Some(Rewrite { path: file.to_path_buf(), contents });
    Ok((rest, Elsewhere { table, companions: others.into_keys().collect() }))
}
