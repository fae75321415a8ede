//! Class probabilities of a dataset's samples, given for a scan: columns are matched to the classes of the dataset by name,
//! rows to its samples.

use crate::arrays::{self, PATHS, Pick, Picked};
use crate::embeddings::in_order;
use crate::joiner::RowsOf;
use crate::{Error, Result};
use chaffinch_data::class_names;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::nearest::hint;
use chaffinch_data::probabilities::GivenProbabilities;
use chaffinch_data::uses::ProbabilityFiles;
use chaffinch_protocol::display::{counted, safe_path, safe_text};
use chaffinch_review::label_quality::{Grid, Numbers, SUM_TOLERANCE};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Names of columns to list in a message.
const LISTED: usize = 8;

/// The probabilities of one model, as they are in a file.
#[derive(Debug)]
pub struct GivenModel {
    file: PathBuf,
    /// The file that names the rows.
    named_by: PathBuf,
    numbers: Numbers,
    rows: usize,
    cols: usize,
    /// The column of each class of the dataset.
    columns: Vec<usize>,
    /// Columns that are no classes of the dataset.
    others: Vec<String>,
    /// What each row names; `None` if rows are those of the dataset.
    ids: Option<Vec<String>>,
}

/// All models as one.
#[derive(Debug)]
pub struct Joined {
    /// The mean of what the models say of each sample.
    pub probabilities: GivenProbabilities,
    /// What there is to say of the files, a sentence each, which begins with a number of rows or columns.
    pub remarks: Vec<String>,
}

/// Reads files, and checks them against a dataset as far as that is possible before its pictures are read. A table has a
/// column `path` and one for each class; an array has the classes of `classes` as its columns.
///
/// # Errors
/// When a file cannot be read, a class has no column, or rows without names are not as many as the samples.
pub fn read_given(files: &ProbabilityFiles, manifest: &Manifest) -> Result<Vec<GivenModel>> {
    let classes =
        files.classes.as_ref().map(|path| Ok::<_, Error>((path, arrays::names(path)?))).transpose()?;
    let ids = files.ids.as_ref().map(|path| Ok::<_, Error>((path, arrays::lines(path)?))).transpose()?;
    let read = |file: &PathBuf| {
        let known: BTreeSet<String> = manifest.classes().iter().map(|name| cleaned(name)).collect();
        let pick = |name: &str| match cleaned(name) {
            name if known.contains(&name) => Pick::Numbers,
            name if PATHS.contains(&name.to_lowercase().as_str()) => Pick::Ids,
            _ => Pick::Nothing,
        };
        let Picked { grid: Grid { numbers, rows, cols, names }, ids: own, rest, unordered } =
            arrays::picked(file, &pick)?;
        let named = classes.as_ref().map(|(path, names)| (path.as_path(), names.as_slice()));
        let (columns, mut others) = bound(file, manifest.classes(), cols, names.as_deref(), named)?;
        // What a table has beside its classes may be anything.
        others.extend(rest);
        if let Some((path, named)) = &ids
            && named.len() != rows
        {
            let lines = counted(named.len() as u64, "line", "lines");
            let rows = counted(rows as u64, "row", "rows");
            return Err(Error::format(path, format!("it has {lines}, but {} has {rows}", safe_path(file))));
        }
        let named_by = ids.as_ref().map_or(file, |(path, _)| *path).clone();
        let ids = ids.as_ref().map(|(_, ids)| ids.clone()).or(own);
        if ids.is_none() {
            in_order(rows, manifest.len(), unordered, "--pred-probs-ids")
                .map_err(|why| Error::format(file, why))?;
        }
        Ok(GivenModel { file: file.clone(), named_by, numbers, rows, cols, columns, others, ids })
    };
    files.files.iter().map(read).collect()
}

fn cleaned(name: &str) -> String {
    class_names::clean(name).into_owned()
}

/// The column of each class, and the columns that are none.
fn bound(
    file: &Path,
    classes: &[String],
    cols: usize,
    heading: Option<&[String]>,
    named: Option<(&Path, &[String])>,
) -> Result<(Vec<usize>, Vec<String>)> {
    let (path, names): (&Path, Vec<String>) = match (heading, named) {
        (Some(heading), _) => (file, heading.iter().map(|name| cleaned(name)).collect()),
        (None, Some((path, names))) => {
            if names.len() != cols {
                let (names, cols) =
                    (counted(names.len() as u64, "name", "names"), counted(cols as u64, "column", "columns"));
                return Err(Error::format(
                    path,
                    format!("it has {names}, but {} has {cols}", safe_path(file)),
                ));
            }
            (path, names.iter().map(|name| cleaned(name)).collect())
        }
        // Classes that are the numbers of the columns need no names.
        (None, None) => {
            let numbers: Vec<String> = (0..cols).map(|number| number.to_string()).collect();
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            if classes != sorted {
                let message = format!(
                    "its {} have no names; pass --classes FILE with the class names in the order of the columns, one a line",
                    counted(cols as u64, "column", "columns")
                );
                return Err(Error::format(file, message));
            }
            (file, numbers)
        }
    };
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    if let Some(twice) = (0..names.len()).find(|&index| numbers.insert(&names[index], index).is_some()) {
        let message = format!("the class '{}' is named twice", safe_text(&names[twice]));
        return Err(Error::format(path, message));
    }
    let find = |class: &String| {
        numbers.get(&*class_names::clean(class)).copied().ok_or_else(|| {
            let seen: Vec<String> =
                names.iter().take(LISTED).map(|name| format!("'{}'", safe_text(name))).collect();
            let more = if names.len() > LISTED { ", …" } else { "" };
            let message = format!(
                "the class '{}' has no column of probabilities{} (columns: {}{more})",
                safe_text(class),
                hint(class, names.iter().map(String::as_str)),
                seen.join(", ")
            );
            Error::format(path, message)
        })
    };
    let columns: Vec<usize> = classes.iter().map(find).collect::<Result<_>>()?;
    let used: BTreeSet<usize> = columns.iter().copied().collect();
    let others = (0..names.len()).filter(|column| !used.contains(column));
    let others = others.map(|column| names[column].clone()).collect();
    Ok((columns, others))
}

impl GivenModel {
    /// The probabilities of the dataset's classes in a row, and whether they were made to add up to 1, as other classes have
    /// a part of it; `None` if the row is no distribution, or says nothing of the classes.
    fn row(&self, row: usize) -> Option<(Vec<f64>, bool)> {
        let numbers = (0..self.cols).map(|column| arrays::number(&self.numbers, row * self.cols + column));
        let range = -SUM_TOLERANCE..=1.0 + SUM_TOLERANCE;
        if !numbers.clone().all(|p| range.contains(&p)) || numbers.sum::<f64>() > 1.0 + SUM_TOLERANCE {
            return None;
        }
        let at = |&column: &usize| arrays::number(&self.numbers, row * self.cols + column).clamp(0.0, 1.0);
        let found: Vec<f64> = self.columns.iter().map(at).collect();
        let sum: f64 = found.iter().sum();
        if (sum - 1.0).abs() <= SUM_TOLERANCE {
            return Some((found, false));
        }
        let scaled = !self.others.is_empty() && sum > SUM_TOLERANCE;
        scaled.then(|| (found.iter().map(|p| p / sum).collect(), true))
    }
}

/// Joins what several models say: the mean of the rows of each sample.
///
/// # Errors
/// When a row may be about several samples, several rows are about one, or no row is a distribution.
pub fn join(
    models: &[GivenModel],
    source: String,
    manifest: &Manifest,
    file_metadata: &FileMetadata,
) -> Result<Joined> {
    let mut probabilities = GivenProbabilities::new(manifest.classes(), source);
    let mut remarks = Vec::new();
    let mut bound = Vec::new();
    for model in models {
        let rows = match &model.ids {
            Some(ids) => RowsOf::named(&model.named_by, ids, manifest, file_metadata)?,
            None => RowsOf::in_order(manifest.len()),
        };
        let file = safe_path(&model.file);
        if rows.unmatched.0 > 0 {
            let (count, first) = &rows.unmatched;
            let of = counted(model.rows as u64, "row", "rows");
            let verb = if *count == 1 { "is" } else { "are" };
            remarks.push(format!("{count} of {of} of {file} {verb} about no sample: '{first}'"));
        }
        bound.push(rows.rows);
    }
    let classes = manifest.classes().len();
    let mut usable = 0_usize;
    let mut scaled = vec![0_u64; models.len()];
    for id in manifest.ids() {
        let mut said: Vec<Vec<f64>> = Vec::new();
        let mut has_row = false;
        for ((model, rows), scaled) in models.iter().zip(&bound).zip(&mut scaled) {
            let Some(row) = rows[id.index()] else { continue };
            has_row = true;
            if let Some((row, was_scaled)) = model.row(row as usize) {
                said.push(row);
                *scaled += u64::from(was_scaled);
            }
        }
        if !has_row {
            continue;
        }
        let mean = (0..classes)
            .map(|class| (said.iter().map(|row| row[class]).sum::<f64>() / said.len() as f64) as f32);
        let mean: Option<Vec<f32>> = (!said.is_empty()).then(|| mean.collect());
        usable += usize::from(mean.is_some());
        let hash = file_metadata.hashes.get(id.index()).copied().unwrap_or_default();
        probabilities.push(manifest.path(id), hash, mean.as_deref());
    }
    for (model, count) in models.iter().zip(scaled).filter(|(_, count)| *count > 0) {
        let names: Vec<String> =
            model.others.iter().take(LISTED).map(|name| format!("'{}'", safe_text(name))).collect();
        let more = if model.others.len() > LISTED { ", …" } else { "" };
        let (rows, file) = (counted(count, "row", "rows"), safe_path(&model.file));
        let were = if count == 1 { "was" } else { "were" };
        remarks.push(format!(
            "{rows} of {file} {were} scaled to add up to 1 without columns that are no classes of the dataset: {}{more}",
            names.join(", ")
        ));
    }
    if let (0, Some(model)) = (usable, models.first()) {
        let first: Vec<String> = (0..model.cols.min(LISTED))
            .filter(|_| model.rows > 0)
            .map(|column| format!("{:.4}", arrays::number(&model.numbers, column)))
            .collect();
        let message = format!(
            "no row is a distribution: numbers from 0 to 1 that add up to 1 (the first: {}); pass probabilities, not logits",
            first.join(", ")
        );
        return Err(Error::format(&model.file, message));
    }
    Ok(Joined { probabilities, remarks })
}

#[cfg(test)]
mod tests;
