//! Class probabilities of a dataset's samples, given for a scan: columns are matched to the classes of the dataset by name,
//! rows to its samples.

use super::class_columns::{self, ClassColumns, cleaned};
use super::readings::Readings;
use crate::arrays::{self, Pick, Picked};
use crate::dataset::ALL_LABELS;
use crate::embeddings::{by_names, in_order, placed};
use crate::headings::{PATHS, is_id};
use crate::row_names::{self, RowNames};
use crate::row_splits::RowSplits;
use crate::rows_of::RowsOf;
use crate::{Error, Result};
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::probabilities::GivenProbabilities;
use chaffinch_data::row_order::{FirstGiven, RowOrders, Told};
use chaffinch_data::uses::ProbabilityFiles;
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_review::label_quality::{Grid, Numbers, SUM_TOLERANCE};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The option that names rows.
const IDS: &str = "--pred-probs-ids";

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
    /// Other ways to read the numbers that they are called by.
    readings: Readings,
    /// Columns that are not classes of the dataset.
    others: Vec<String>,
    /// How the columns of classes were found, if not by their names.
    said: Option<String>,
    /// How far from 1 a row may add up.
    tolerance: f64,
    /// Which sample each row is about.
    names: RowNames,
    /// What is known of the file if its rows have no names.
    first: FirstGiven,
}

/// All models as one.
#[derive(Debug)]
pub struct Joined {
    /// The mean of what the models say of each sample.
    pub probabilities: GivenProbabilities,
    /// What there is to say of the files, a sentence each, which begins with a number of rows or columns.
    pub remarks: Vec<String>,
    /// What there is to say and to remember of rows without names.
    pub told: Told,
}

/// Reads files, and checks them against a dataset as far as that is possible before its pictures are read. A table has a
/// column `path` and one for each class; an array has the classes of `classes` as its columns. Rows without names are those of the
/// pictures that `orders` know them for, or else of the samples in their order.
///
/// # Errors
/// When a file cannot be read, a class has no column, or rows without names are not as many as the samples.
pub fn read_given(
    files: &ProbabilityFiles,
    manifest: &Manifest,
    orders: &RowOrders<'_>,
) -> Result<Vec<GivenModel>> {
    if let Some(first) = files.files.first().filter(|_| manifest.classes().is_empty() && !manifest.is_empty())
    {
        let message = "the dataset has no labels, so no column is one of its classes; give the labels, for instance with --labels";
        return Err(Error::format(first, message));
    }
    let classes = files
        .classes
        .as_ref()
        .map(|path| Ok::<_, Error>((path, arrays::names(path, manifest.classes())?)))
        .transpose()?;
    let classes = classes.as_ref().map(|(path, names)| (path.as_path(), names.as_slice()));
    let ids = files.ids.as_deref();
    let models = read_for((&files.files, ids), manifest, manifest.classes(), classes, orders)?;
    for model in models.iter().filter(|model| model.by_place()) {
        in_order(model.rows, manifest.len(), IDS).map_err(|why| Error::format(&model.named_by, why))?;
    }
    Ok(models)
}

/// [`read_given`], with `wanted` as the classes, of which samples need not have all, and with any number of rows. `files` may have a
/// list of what their rows are; `classes` are the names in the order of numbers, and the file that has them.
pub(super) fn read_for(
    (files, ids): (&[PathBuf], Option<&Path>),
    manifest: &Manifest,
    wanted: &[String],
    classes: Option<(&Path, &[String])>,
    orders: &RowOrders<'_>,
) -> Result<Vec<GivenModel>> {
    let ids = ids.map(|path| Ok::<_, Error>((path, arrays::lines(path)?))).transpose()?;
    let order = classes.map(|(_, names)| names);
    let read = |file: &PathBuf| {
        let found: RefCell<Option<std::result::Result<ClassColumns, String>>> = RefCell::default();
        let readings: RefCell<Readings> = RefCell::default();
        let headed = Cell::new(false);
        let pick = |headings: &[String]| {
            let mut picks = vec![Pick::Nothing; headings.len()];
            let names = |name: &str| headings.iter().position(|own| own.trim().eq_ignore_ascii_case(name));
            if let Some(column) = PATHS.into_iter().find_map(names) {
                picks[column] = Pick::Ids;
            }
            let own = manifest.class_numbers();
            let columns = class_columns::find(headings, wanted, order, own);
            if let (Ok(columns), None) = (&columns, order) {
                readings.replace(Readings::of(headings, wanted, columns, own));
            }
            for &column in columns.iter().flat_map(|found| &found.columns) {
                picks[column] = Pick::Numbers;
            }
            headed.set(headings.iter().any(|name| name.parse::<f64>().is_err()));
            found.replace(Some(columns));
            picks
        };
        let picked = arrays::picked(file, &pick);
        let (found, mut readings) = (found.into_inner(), readings.into_inner());
        let picked = match (picked, &found) {
            // Of a table without columns of classes, all is read, and what is wrong with that says nothing.
            (Err(Error::Format { .. }), Some(Err(why))) if headed.get() => {
                return Err(Error::format(file, why));
            }
            (picked, _) => picked?,
        };
        let Picked { grid: Grid { numbers, rows, cols, names }, ids: own, rest, side } = picked;
        let (columns, mut others, said) = match (found, names) {
            (Some(Ok(ClassColumns { columns, said })), Some(_)) => {
                // Of the columns that were read, these are all.
                let mut sorted = columns.clone();
                sorted.sort_unstable();
                let place = |column: &usize| sorted.binary_search(column).unwrap_or_default();
                readings = readings.placed(place);
                (columns.iter().map(place).collect(), Vec::new(), said)
            }
            (Some(Err(why)), Some(_)) => return Err(Error::format(file, why)),
            (_, names) => {
                let found = bound(file, wanted, cols, names.as_deref(), classes)?;
                if names.is_none() && order.is_none() {
                    let numbers: Vec<String> = (0..cols).map(|number| number.to_string()).collect();
                    let taken = ClassColumns { columns: found.0.clone(), said: None };
                    readings = Readings::of(&numbers, wanted, &taken, manifest.class_numbers());
                }
                found
            }
        };
        // What a table has beside its classes may be anything.
        others.extend(rest);
        if let Some((path, named)) = &ids
            && named.len() != rows
        {
            let lines = counted(named.len() as u64, "line", "lines");
            let rows = counted(rows as u64, "row", "rows");
            return Err(Error::format(path, format!("it has {lines}, but {} has {rows}", safe_path(file))));
        }
        let named_by = ids.as_ref().map_or(file.as_path(), |(path, _)| path).to_path_buf();
        let wrong = |why: String| Error::format(&named_by, why);
        let first = if ids.is_none() { orders.of_file(file)? } else { FirstGiven::default() };
        let known = first.is_known();
        let names = match (&ids, own) {
            (Some((_, lines)), _) => row_names::of_names(lines.clone(), manifest),
            (None, Some(own)) => row_names::of_paths(own, &side, manifest, "--pred-probs-ids FILE"),
            (None, None) => row_names::find(side, known, manifest, "--pred-probs-ids FILE"),
        };
        let names = names.map_err(wrong)?;
        let tolerance = tolerance(&numbers, cols);
        Ok(GivenModel {
            file: file.clone(),
            named_by,
            numbers,
            rows,
            cols,
            columns,
            readings,
            others,
            said,
            tolerance,
            names,
            first,
        })
    };
    files.iter().map(read).collect()
}

/// The column of each class, the columns that are none, and what is to be said of that.
type Bound = (Vec<usize>, Vec<String>, Option<String>);

fn bound(
    file: &Path,
    classes: &[String],
    cols: usize,
    heading: Option<&[String]>,
    named: Option<(&Path, &[String])>,
) -> Result<Bound> {
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
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name)) {
        let message = format!("the class '{}' is named twice", excerpt(twice));
        return Err(Error::format(path, message));
    }
    let found = class_columns::find_named(&names, classes).map_err(|why| Error::format(path, why))?;
    let used: BTreeSet<usize> = found.columns.iter().copied().collect();
    let others = (0..names.len()).filter(|column| !used.contains(column));
    let others = others.map(|column| names[column].clone()).collect();
    Ok((found.columns, others, found.said))
}

/// How far the sum of a row may be from 1: what rounding each number to the decimals that all of them have can do, from two to
/// four decimals, and no more than this.
const MOST: f64 = 0.05;

/// The tolerance for sums of numbers with the decimals that they were written with.
fn tolerance(numbers: &Numbers, cols: usize) -> f64 {
    let count = match numbers {
        Numbers::Single(all) => all.len(),
        Numbers::Double(all) => all.len(),
    };
    let rounded = |decimals: i32| {
        let scale = 10_f64.powi(decimals);
        let whole = |number: f64| {
            let scaled = number * scale;
            !number.is_finite() || (scaled - scaled.round()).abs() < 1e-3
        };
        (0..count).all(|index| whole(arrays::number(numbers, index)))
    };
    // Fewer decimals than two leave nothing to tell.
    let decimals = (2..=4).find(|&decimals| rounded(decimals)).filter(|_| !rounded(1));
    let implied = decimals.map_or(0.0, |decimals| 0.5 * 10_f64.powi(-decimals) * cols as f64);
    implied.clamp(SUM_TOLERANCE, MOST)
}

/// A row of probabilities of the dataset's classes.
pub(super) struct Row {
    pub(super) probabilities: Vec<f64>,
    /// Why it was made to add up to 1, if it was.
    pub(super) scaled: Option<Scaled>,
}

/// Why the numbers of a row were scaled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scaled {
    /// They are rounded.
    Rounded,
    /// Other classes have a part of it.
    Others,
}

impl GivenModel {
    /// Whether rows are those of the samples in their order, as far as is known.
    pub(super) fn by_place(&self) -> bool {
        self.names.ids.is_none() && !self.first.is_known()
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// What columns say of the split of each row.
    pub(super) fn splits(&self) -> Option<&RowSplits> {
        self.names.splits.as_ref()
    }

    /// Which row each sample has. What there is to say of rows without names is added to `told`.
    ///
    /// # Errors
    /// As of [`RowsOf::named`]; when rows without names are not as many as the samples.
    pub(super) fn rows_of(
        &self,
        manifest: &Manifest,
        file_metadata: &FileMetadata,
        told: &mut Told,
    ) -> Result<RowsOf> {
        if self.names.ids.is_some() {
            return self.names.rows_of(&self.named_by, manifest, file_metadata);
        }
        let placed = placed(&self.first, (self.rows, IDS), manifest, file_metadata)
            .map_err(|why| Error::format(&self.named_by, why))?;
        told.add(("probabilities", &self.file), (&self.first, &placed), &by_names(IDS), manifest);
        Ok(RowsOf { rows: placed.rows, ..RowsOf::default() })
    }

    /// What there is to say of how columns and rows were found.
    pub(super) fn found(&self, rows: &RowsOf, manifest: &Manifest) -> Vec<String> {
        let file = safe_path(&self.file);
        let mut remarks = Vec::new();
        if let Some(said) = &self.said {
            let columns = counted(self.columns.len() as u64, "column", "columns");
            remarks.push(format!("{columns} of {file} {said}"));
        }
        if let Some(named) = &self.names.said {
            remarks.push(format!("{} of {file} {named}", counted(self.rows as u64, "row", "rows")));
        }
        if rows.unmatched.0 > 0 {
            let (count, first) = &rows.unmatched;
            let of = counted(self.rows as u64, "row", "rows");
            let verb = if *count == 1 { "is" } else { "are" };
            remarks.push(format!("{count} of {of} of {file} {verb} about no sample: '{first}'"));
        }
        let doubts = self.names.doubts(rows, manifest);
        remarks.extend(doubts.into_iter().map(|text| format!("{file}: {text}")));
        remarks.extend(self.in_turn(rows));
        remarks
    }

    /// What there is to say of rows that differ and are about samples of one path, of which only their order tells which is whose.
    fn in_turn(&self, rows: &RowsOf) -> Option<String> {
        let differ = |about: &&Vec<u32>| {
            let mut numbers = about.iter().map(|&row| self.as_written(row as usize));
            let first = numbers.next();
            numbers.any(|other| Some(&other) != first.as_ref())
        };
        let doubtful: Vec<&Vec<u32>> = rows.in_turn.iter().filter(differ).collect();
        let [first, second, ..] = doubtful.first()?.as_slice() else { return None };
        let count = doubtful.iter().map(|about| about.len() as u64).sum();
        let name = self.names.ids.as_ref().and_then(|ids| ids.get(*first as usize)).map(|name| excerpt(name));
        Some(format!(
            "{} of {} differ and name paths that several samples have, such as rows {} and {} ('{}'): they were taken for these in \
             turn, but the file is in another order than the dataset; put its rows in that order",
            counted(count, "row", "rows"),
            safe_path(&self.file),
            first + 1,
            second + 1,
            name.unwrap_or_default()
        ))
    }

    /// What there is to say of rows that were scaled since their numbers are rounded.
    pub(super) fn rounded(&self, count: u64) -> Option<String> {
        let (rows, file) = (counted(count, "row", "rows"), safe_path(&self.file));
        let were = if count == 1 { "was" } else { "were" };
        let said = format!(
            "{rows} of {file} {were} scaled to add up to 1, which the decimals that were written leave them short of"
        );
        (count > 0).then_some(said)
    }

    /// What there is to say of rows that were scaled since columns of other classes were left out.
    pub(super) fn without_others(&self, count: u64) -> Option<String> {
        let names: Vec<String> =
            self.others.iter().take(LISTED).map(|name| format!("'{}'", excerpt(name))).collect();
        let more = if self.others.len() > LISTED { ", …" } else { "" };
        let (rows, file) = (counted(count, "row", "rows"), safe_path(&self.file));
        let were = if count == 1 { "was" } else { "were" };
        let said = format!(
            "{rows} of {file} {were} scaled to add up to 1 without columns that are not classes of the dataset: {}{more}",
            names.join(", ")
        );
        (count > 0).then_some(said)
    }

    /// What there is to say of columns of numbers that are no class.
    pub(super) fn others(&self) -> Option<String> {
        let others: Vec<&String> = self.others.iter().filter(|name| !is_id(name)).collect();
        let names: Vec<String> =
            others.iter().take(LISTED).map(|name| format!("'{}'", excerpt(name))).collect();
        let more = if others.len() > LISTED { ", …" } else { "" };
        let columns = counted(others.len() as u64, "column of", "columns of");
        let said = format!(
            "{columns} {} that no label names {} left out: {}{more}; --classes FILE with all classes keeps them",
            safe_path(&self.file),
            if others.len() == 1 { "was" } else { "were" },
            names.join(", ")
        );
        (!others.is_empty()).then_some(said)
    }

    /// The column of each class as the labels of samples with these rows say, and what there is to say of that.
    ///
    /// # Errors
    /// When the columns may be called by numbers in several ways, and the labels do not say which is meant.
    fn columns_for(&self, rows: &RowsOf, manifest: &Manifest) -> Result<(Vec<usize>, Option<String>)> {
        let likeliest = |row: u32| {
            let number = |column: &usize| arrays::number(&self.numbers, row as usize * self.cols + column);
            let most = self.columns.iter().max_by(|one, other| number(one).total_cmp(&number(other)))?;
            // Of several that are as likely, none is.
            let once = self.columns.iter().filter(|column| number(column) >= number(most)).count() == 1;
            once.then_some(*most)
        };
        let row_of = |id| Some((manifest.label(id)?.index(), likeliest(rows.rows[id.index()]?)?));
        let known: Vec<(usize, usize)> = manifest.ids().filter_map(row_of).collect();
        let judged = self.readings.judge(&self.columns, &known, manifest.classes());
        let judged = judged.map_err(|why| Error::format(&self.file, why))?;
        let of = format!(
            "{} of {}",
            counted(self.columns.len() as u64, "column", "columns"),
            safe_path(&self.file)
        );
        let said = judged.as_ref().map(|judged| format!("{of} {}", judged.said));
        let columns = judged.and_then(|judged| judged.columns);
        Ok((columns.unwrap_or_else(|| self.columns.clone()), said))
    }

    /// The numbers of the dataset's classes in a row, as they are in the file.
    pub(super) fn as_written(&self, row: usize) -> Vec<f64> {
        let at = |&column: &usize| arrays::number(&self.numbers, row * self.cols + column);
        self.columns.iter().map(at).collect()
    }

    /// The probabilities of the dataset's classes in a row; `None` if the row is not a distribution, or says nothing of the
    /// classes.
    pub(super) fn row(&self, row: usize) -> Option<Row> {
        self.row_of(row, &self.columns)
    }

    /// [`GivenModel::row`] with these columns of the classes.
    fn row_of(&self, row: usize, columns: &[usize]) -> Option<Row> {
        let numbers = (0..self.cols).map(|column| arrays::number(&self.numbers, row * self.cols + column));
        let range = -SUM_TOLERANCE..=1.0 + SUM_TOLERANCE;
        // Sums of floating-point numbers are not exact either.
        let most = self.tolerance + f64::EPSILON * self.cols as f64;
        if !numbers.clone().all(|p| range.contains(&p)) || numbers.sum::<f64>() > 1.0 + most {
            return None;
        }
        let at = |&column: &usize| arrays::number(&self.numbers, row * self.cols + column).clamp(0.0, 1.0);
        let mut probabilities: Vec<f64> = columns.iter().map(at).collect();
        let sum: f64 = probabilities.iter().sum();
        let off = (sum - 1.0).abs();
        let scaled = match off {
            off if off <= SUM_TOLERANCE => None,
            off if off <= most && self.others.is_empty() => Some(Scaled::Rounded),
            _ if !self.others.is_empty() && sum > SUM_TOLERANCE => Some(Scaled::Others),
            _ => return None,
        };
        if scaled.is_some() {
            probabilities.iter_mut().for_each(|p| *p /= sum);
        }
        Some(Row { probabilities, scaled })
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
    let mut told = Told::default();
    let mut bound = Vec::new();
    for model in models {
        let rows = model.rows_of(manifest, file_metadata, &mut told)?;
        let (columns, said) = model.columns_for(&rows, manifest)?;
        // How columns were found is said by what the labels say of them, if they do.
        let by_labels = columns != model.columns;
        remarks.extend(
            model.found(&rows, manifest).into_iter().skip(usize::from(by_labels && model.said.is_some())),
        );
        remarks.extend(said);
        bound.push((rows.rows, columns));
    }
    let classes = manifest.classes().len();
    let mut usable = 0_usize;
    let mut added = Vec::new();
    let mut scaled = vec![(0_u64, 0_u64); models.len()];
    for id in manifest.ids() {
        let mut said: Vec<Vec<f64>> = Vec::new();
        let mut has_row = false;
        for ((model, (rows, columns)), scaled) in models.iter().zip(&bound).zip(&mut scaled) {
            let Some(row) = rows[id.index()] else { continue };
            has_row = true;
            if let Some(row) = model.row_of(row as usize, columns) {
                said.push(row.probabilities);
                scaled.0 += u64::from(row.scaled == Some(Scaled::Others));
                scaled.1 += u64::from(row.scaled == Some(Scaled::Rounded));
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
        added.push(id);
    }
    let probabilities = probabilities.marked(&added, manifest);
    let rounded = models.iter().zip(&scaled).filter_map(|(model, (_, count))| model.rounded(*count));
    let other = models.iter().zip(&scaled).filter_map(|(model, (count, _))| model.without_others(*count));
    remarks.extend(rounded.chain(other));
    if let (0, Some(model)) = (usable, models.first()) {
        let first: Vec<String> = (0..model.cols.min(LISTED))
            .filter(|_| model.rows > 0)
            .map(|column| format!("{:.4}", arrays::number(&model.numbers, column)))
            .collect();
        // Where pictures have several labels, their probabilities are of each class on its own.
        let several = manifest.extra().iter().any(|column| column.name == ALL_LABELS);
        let advice = match several {
            true => "; chaffinch label-quality --multi-label judges several labels per picture",
            false => "",
        };
        let numbers = || (0..model.rows * model.cols).map(|at| arrays::number(&model.numbers, at));
        // Logits are of either sign.
        let instead = match (numbers().any(|x| x < 0.0), numbers().any(|x| x > 1.0)) {
            (true, _) => "pass probabilities, not logits",
            (false, true) => "pass shares of 1, not per cent or logits",
            (false, false) => "pass those of all classes",
        };
        let message = format!(
            "no row is a distribution: numbers from 0 to 1 that add up to 1 (the first: {}); {instead}{advice}",
            first.join(", ")
        );
        return Err(Error::format(&model.file, message));
    }
    Ok(Joined { probabilities, remarks, told })
}

#[cfg(test)]
mod tests;
