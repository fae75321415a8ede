//! Which column of a table says which sample each row is about, where none is called so: a column is known by what is in it.

mod by_label;
mod by_value;
mod columns;
mod doubtful;
mod evidence;
mod judged;
mod texts;

use crate::ends::doubts;
use crate::headings::{
    is_id, is_id_or_number, is_index, is_of_pictures, is_plain_index, is_unnamed, names_files, names_others,
    names_samples, same,
};
use crate::joiner::Joiner;
use crate::row_splits::RowSplits;
use crate::rows_of::RowsOf;
pub(crate) use crate::side_column::SideColumn;
use chaffinch_compute::content::ContentHash;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{excerpt, excerpt_path, listed};
use chaffinch_protocol::sample::SampleId;
use columns::{Equal, Key};
pub(crate) use doubtful::rows_or_files;
use doubtful::{numbered, refuse_half};
use evidence::speaks;
pub(crate) use evidence::{Speaks, clearly};
pub(crate) use judged::counts_up;
use judged::{Judged, number};
use std::cmp::Reverse;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
pub(crate) use texts::{Texts, is_file, unread_names};

/// Columns to name in a sentence.
const SHOWN: usize = 4;
/// Cells to show in a sentence.
const EXAMPLES: usize = 2;

/// The sample of each row.
pub(crate) type Samples = Vec<Option<SampleId>>;

/// Which sample each row is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RowNames {
    /// What each row names; `None` if rows are in the order of the samples.
    pub(crate) ids: Option<Vec<String>>,
    /// The samples, if these are values of a column of the dataset.
    pub(crate) samples: Option<Samples>,
    /// How that was found, if the headings do not say it: a sentence that begins with the rows goes on with it.
    pub(crate) said: Option<String>,
    /// What columns say of the split of each row.
    pub(crate) splits: Option<RowSplits>,
}

impl RowNames {
    /// By names in a column of paths.
    pub(crate) fn named(ids: Vec<String>) -> RowNames {
        RowNames { ids: Some(ids), ..RowNames::default() }
    }

    /// What there is to say of rows whose names say no split, and that were taken for samples of several, or that have different folders
    /// before the paths of samples.
    pub(crate) fn doubts(&self, rows: &RowsOf, manifest: &Manifest) -> Vec<String> {
        let Some(names) = self.ids.as_ref().filter(|_| self.samples.is_none()) else { return Vec::new() };
        let named = || {
            let bound = manifest.ids().zip(&rows.rows);
            let named = bound.filter_map(|(id, row)| Some((names.get((*row)? as usize)?.as_str(), id)));
            named.filter(|(name, _)| name.parse::<ContentHash>().is_err())
        };
        doubts(named, self.splits.is_some(), manifest)
    }

    /// The row of each sample. `file` has the names.
    ///
    /// # Errors
    /// As of [`RowsOf::named`].
    pub(crate) fn rows_of(
        &self,
        file: &Path,
        manifest: &Manifest,
        file_metadata: &FileMetadata,
    ) -> crate::Result<RowsOf> {
        match (&self.ids, &self.samples) {
            (Some(ids), Some(samples)) => RowsOf::joined(file, ids, samples, manifest),
            (Some(ids), None) => RowsOf::named(file, (ids, self.splits.as_ref()), manifest, file_metadata),
            (None, _) => Ok(RowsOf::in_order(manifest.len())),
        }
    }

    /// Adds whose the rows are, where that is found by more than their names, to what identifies them.
    pub(crate) fn identify(&self, manifest: &Manifest, hasher: &mut blake3::Hasher) {
        let path = |id: SampleId| manifest.path(id).as_os_str().as_bytes();
        let mut add = |path: &[u8]| {
            hasher.update(path).update(&[0]);
        };
        match (&self.ids, &self.samples) {
            (None, _) => manifest.ids().for_each(|id| add(path(id))),
            (Some(_), Some(samples)) => samples.iter().for_each(|id| add(id.map(path).unwrap_or_default())),
            (Some(_), None) => {}
        }
    }
}

/// Takes names as paths, stems or hashes of the samples, or else as the values of a column of the dataset.
///
/// # Errors
/// When a name may be either and means different samples, with what to do.
pub(crate) fn of_names(names: Vec<String>, manifest: &Manifest) -> Result<RowNames, String> {
    if manifest.extra().is_empty() {
        return Ok(RowNames::named(names));
    }
    let mut joiner = Joiner::new(manifest);
    let column = SideColumn { heading: String::new(), cells: names };
    let Judged { by_path, numbers, .. } = Judged::of(&column, &mut joiner, manifest);
    let names = column.cells;
    // Nothing but paths is written like them.
    if !numbers && by_path.iter().all(Option::is_some) {
        return Ok(RowNames::named(names));
    }
    let Some((own, samples)) = columns::of_names(&names, &by_path, manifest)? else {
        return Ok(RowNames::named(names));
    };
    let said = format!("are named by the values of the dataset's column {}", called(&own));
    Ok(RowNames { ids: Some(names), samples: Some(samples), said: Some(said), splits: None })
}

/// Takes the paths that a file has beside its rows, and says where another of its columns means other samples. `option` would
/// name them in a file of its own.
///
/// # Errors
/// When a name may be a path or something else and means different samples, or another column has paths of other samples, with
/// what to do.
pub(crate) fn of_paths(
    names: Vec<String>,
    side: &[SideColumn],
    manifest: &Manifest,
    option: &str,
) -> Result<RowNames, String> {
    let splits = RowSplits::beside(side, names.len());
    // The list of names may be among the columns, which would then be compared with itself.
    let side: Vec<SideColumn> = side.iter().filter(|column| column.cells != names).cloned().collect();
    let column = SideColumn { heading: String::new(), cells: names };
    let mut said = None;
    if !side.is_empty() {
        let by_path = Judged::of(&column, &mut Joiner::new(manifest), manifest).by_path;
        if let Some(why) = other_paths(&by_path, &side, manifest) {
            return Err(format!("{why}; leave out the one that is not meant, or pass {option}"));
        }
        said = otherwise(&by_path, &side, manifest);
    }
    let mut named = of_names(column.cells, manifest)?;
    named.said = named.said.or(said);
    named.splits = splits;
    Ok(named)
}

/// Where another column that is called like one of samples has paths, too, and they are those of other samples than `by_path`: a
/// sentence without an end.
pub(crate) fn other_paths(
    by_path: &[Option<SampleId>],
    side: &[SideColumn],
    manifest: &Manifest,
) -> Option<String> {
    let mut joiner = Joiner::new(manifest);
    side.iter().filter(|column| is_id(&column.heading)).find_map(|column| {
        let judged = Judged::of(column, &mut joiner, manifest);
        let (row, [one, two]) = columns::differ(by_path, &judged.by_path)?;
        (judged.names && !judged.numbers).then(|| {
            format!(
                "its paths and {} name different samples: row {} is {} by its path and {} by the column",
                self::column(&column.heading),
                row + 1,
                excerpt_path(manifest.path(one)),
                excerpt_path(manifest.path(two)),
            )
        })
    })
}

/// What is to be said of rows whose paths are those of `by_path`, where a column that the dataset has, too, says that they
/// are about other samples.
pub(crate) fn otherwise(
    by_path: &[Option<SampleId>],
    side: &[SideColumn],
    manifest: &Manifest,
) -> Option<String> {
    let joint = joint(side, manifest, "").ok()??;
    let heading = &side[joint.at].heading;
    if !is_id(heading) || is_plain_index(heading) {
        return None;
    }
    let (row, [one, two]) = columns::differ(by_path, &joint.samples)?;
    Some(format!(
        "are named by their paths, and {} says otherwise: row {} is {} by its path and {} by the column",
        self::column(heading),
        row + 1,
        excerpt_path(manifest.path(one)),
        excerpt_path(manifest.path(two)),
    ))
}

/// Refuses numbers that are found in names of files where the dataset has a column of this name, which has other values.
fn refuse_other_spelling(beside: &SideColumn, manifest: &Manifest) -> Result<(), String> {
    let own = manifest.extra().iter().find(|own| same(&own.name, &beside.heading));
    let Some(own) = own else { return Ok(()) };
    let first = |cells: &[String]| cells.first().map(|cell| excerpt(cell).into_owned()).unwrap_or_default();
    Err(format!(
        "the dataset has a column {}, too, with other values ('{}', not '{}'): write them alike, or call the column path if it has the \
         numbers of the files",
        called(&own.name),
        first(&own.values),
        first(&beside.cells)
    ))
}

/// A column by which rows are joined to samples.
pub(crate) struct Joint {
    /// Its place.
    pub(crate) at: usize,
    /// The sample of each row.
    pub(crate) samples: Samples,
    /// A sentence that begins with the rows goes on with it.
    pub(crate) said: String,
}

/// Finds the column that a dataset has, too, and that joins the rows to the samples. `option` names them otherwise.
///
/// # Errors
/// When its numbers may be those of rows, or columns contradict each other, with what to do.
pub(crate) fn joint(side: &[SideColumn], manifest: &Manifest, option: &str) -> Result<Option<Joint>, String> {
    if manifest.extra().is_empty() {
        return Ok(None);
    }
    let mut joiner = Joiner::new(manifest);
    let judged: Vec<Judged> = side.iter().map(|column| Judged::of(column, &mut joiner, manifest)).collect();
    let key = match columns::best(side, &judged, manifest, option)? {
        Some(Key { doubt: Some(why), .. }) => return Err(why),
        Some(key) => Some(key),
        None => columns::otherwise_called(side, &judged, manifest)?,
    };
    Ok(key.map(|key| Joint { said: key.said(side), at: key.at, samples: key.samples }))
}

/// Finds the column that names the samples of a dataset: one that both have, or one that is known by what is in it. `option`
/// would name them in a file of its own. Rows without names that are `known` are those of the pictures that they were first given for,
/// whatever order and labels the samples have now.
///
/// # Errors
/// When columns say that the rows are in an order of their own, or contradict each other, with what to do.
pub(crate) fn find(
    side: Vec<SideColumn>,
    known: bool,
    manifest: &Manifest,
    option: &str,
) -> Result<RowNames, String> {
    // What is called after other samples names none of those that the rows are about.
    let side: Vec<SideColumn> = side.into_iter().filter(|column| !names_others(&column.heading)).collect();
    if side.is_empty() {
        return Ok(RowNames::default());
    }
    let mut joiner = Joiner::new(manifest);
    let judged: Vec<Judged> = side.iter().map(|column| Judged::of(column, &mut joiner, manifest)).collect();
    let splits = side.first().and_then(|column| RowSplits::beside(&side, column.cells.len()));
    let taken = |at: usize, mut side: Vec<SideColumn>| {
        let SideColumn { heading, cells } = side.swap_remove(at);
        let name = called(&heading);
        if judged[at].by_file_number {
            let said =
                format!("are named by the column {name}, which has the numbers in the names of the files");
            return RowNames {
                ids: Some(cells),
                samples: Some(judged[at].by_path.clone()),
                said: Some(said),
                splits: splits.clone(),
            };
        }
        let is_doubtful = judged[at].numbers && judged[at].by_number.is_some() && !judged[at].in_order;
        let said = match is_doubtful {
            true => Some(format!(
                "are named by the column {name}, whose numbers were taken for names of files and not for those of rows"
            )),
            false if names_samples(&heading) || is_index(&heading) => None,
            false => Some(format!("are named by the column {name}")),
        };
        // How pandas writes whole numbers of a column with gaps.
        let whole = |cell: String| match number(&cell) {
            Some(number) => number.to_string(),
            None => cell,
        };
        RowNames {
            ids: Some(cells.into_iter().map(whole).collect()),
            samples: None,
            said,
            splits: splits.clone(),
        }
    };
    let joined = |key: Key, mut side: Vec<SideColumn>| {
        let said = Some(key.said(&side));
        RowNames {
            ids: Some(side.swap_remove(key.at).cells),
            samples: Some(key.samples),
            said,
            splits: splits.clone(),
        }
    };
    let mut doubt = None;
    match columns::best(&side, &judged, manifest, option)? {
        Some(Key { doubt: Some(why), .. }) => doubt = Some(why),
        Some(key) => return Ok(joined(key, side)),
        None => {}
    }
    let order = |at: &usize| {
        let heading = &side[*at].heading;
        // Numbers may count anything, and paths are nothing else, whatever their column is called.
        (judged[*at].numbers, !names_samples(heading), !is_index(heading), Reverse(judged[*at].matched), *at)
    };
    // Numbers may be the names of files as well as those of rows, whatever their order is.
    let of_rows = |at: usize| judged[at].of_rows && is_plain_index(&side[at].heading);
    // Numbers that repeat are no key, unless their heading says that they are.
    let is_key = |at: usize| {
        let heading = &side[at].heading;
        !judged[at].numbers || judged[at].differ || is_id_or_number(heading) || names_files(heading)
    };
    let naming = |&at: &usize| judged[at].names && !judged[at].counts && !of_rows(at) && is_key(at);
    if let Some(at) = (0..side.len()).filter(naming).min_by_key(order) {
        refuse_half(&side[at], &judged[at], option)?;
        if judged[at].by_file_number {
            refuse_other_spelling(&side[at], manifest)?;
            columns::refuse_other_numbers(&side[at], &judged[at].by_path, manifest)?;
        }
        columns::refuse_doubtful(&side[at], &judged[at].by_path, "paths or names of files", manifest)?;
        let others: Vec<SideColumn> = (0..side.len()).filter(|&i| i != at).map(|i| side[i].clone()).collect();
        if let Some(why) = other_paths(&judged[at].by_path, &others, manifest) {
            return Err(format!("{why}; leave out the one that is not meant, or pass {option}"));
        }
        let other = (0..side.len())
            .filter(|&other| other != at && naming(&other) && judged[other].numbers)
            .find(|&other| columns::differ(&judged[at].by_path, &judged[other].by_path).is_some());
        let other = other.map(|other| column(&side[other].heading));
        let mut found = taken(at, side);
        if let Some(other) = other {
            let said = found.said.unwrap_or_else(|| "are named by their paths".to_owned());
            found.said = Some(format!("{said}, although {other} has the numbers of other files"));
        }
        return Ok(found);
    }
    if let Some(why) = doubt {
        return Err(why);
    }
    let both = |&at: &usize| judged[at].names && (judged[at].counts || of_rows(at)) && !judged[at].in_order;
    if let Some(at) = (0..side.len()).filter(both).min_by_key(order) {
        let heading = &side[at].heading;
        let rows = judged[at].by_number.as_deref().filter(|_| !names_files(heading));
        let is_count = is_plain_index(heading) || rows.is_some();
        let speaks =
            rows.map_or(Speaks::ForNeither, |rows| speaks(&side, [&judged[at].by_path, rows], manifest));
        if let (true, Speaks::Second, Some(rows)) = (is_count, speaks, rows) {
            return Ok(numbered(&side[at], rows, manifest));
        }
        if !is_count || speaks == Speaks::First {
            if judged[at].by_file_number {
                columns::refuse_other_numbers(&side[at], &judged[at].by_path, manifest)?;
            }
            columns::refuse_doubtful(&side[at], &judged[at].by_path, "names of files", manifest)?;
            return Ok(taken(at, side));
        }
        return Err(format!(
            "the numbers in {} are names of pictures, which are in another order in the dataset, and may be the numbers of rows \
             as well; call the column path, or leave it out",
            column(heading)
        ));
    }
    if let Some(key) = columns::otherwise_called(&side, &judged, manifest)? {
        return Ok(joined(key, side));
    }
    if known {
        return Ok(RowNames::default());
    }
    let ordered = ordered(&side, &judged, manifest, option)?;
    let text = |&at: &usize| is_named(&side[at]) && !judged[at].numbers;
    match (0..side.len()).find(text) {
        Some(at) => Ok(taken(at, side)),
        None => {
            let samples: Vec<SampleId> = manifest.ids().collect();
            refuse_shuffled(&side, &samples, manifest, option)?;
            if let Some(why) = unread_names(&side, manifest) {
                return Err(format!(
                    "{why}; call the column path if it does, leave it out if not, or pass {option}"
                ));
            }
            let said = although(ordered, &side, &samples, manifest);
            Ok(RowNames { said, ..RowNames::default() })
        }
    }
}

fn is_named(column: &SideColumn) -> bool {
    is_index(&column.heading) || names_samples(&column.heading)
}

/// What is to be said of rows without names that are taken in the order of the dataset.
///
/// # Errors
/// When numbers say that they are in another one, with what to do.
pub(crate) fn in_order(
    side: &[SideColumn],
    manifest: &Manifest,
    option: &str,
) -> Result<Option<String>, String> {
    let mut joiner = Joiner::new(manifest);
    let judged: Vec<Judged> = side.iter().map(|column| Judged::of(column, &mut joiner, manifest)).collect();
    let said = ordered(side, &judged, manifest, option)?;
    Ok(although(said, side, &manifest.ids().collect::<Vec<_>>(), manifest))
}

/// What is to be said of rows that are taken in order, with what both tables say of each that contradicts it.
fn although(
    said: Option<String>,
    side: &[SideColumn],
    samples: &[SampleId],
    manifest: &Manifest,
) -> Option<String> {
    let why = by_value::contradicted(side, samples, manifest).map(|why| why.said);
    let Some(why) = why.or_else(|| renumbered(side, samples.len())) else { return said };
    let said = said.unwrap_or_else(|| "are taken for the samples in the order of the dataset".to_owned());
    Some(format!("{said}, although {why}"))
}

/// A column that has the number of each row, in another order, under any heading: a sentence without a beginning.
fn renumbered(side: &[SideColumn], rows: usize) -> Option<String> {
    let is_of_rows = |beside: &&SideColumn| {
        let numbers: Option<Vec<u64>> = beside.cells.iter().map(|cell| number(cell)).collect();
        let Some(numbers) = numbers.filter(|numbers| numbers.len() == rows && rows > 1) else { return false };
        let mut sorted = numbers.clone();
        sorted.sort_unstable();
        sorted != numbers && sorted[0] <= 1 && (sorted[0]..).zip(&sorted).all(|(at, number)| at == *number)
    };
    let beside = side.iter().find(is_of_rows)?;
    Some(format!(
        "{} numbers them in another order; if these are the numbers of the samples, call it index",
        column(&beside.heading)
    ))
}

/// Refuses to take rows for these samples by their places or numbers alone if labels beside them, or what both tables say of
/// each, say that they are about others.
///
/// # Errors
/// When a column agrees with the dataset's as seldom as by chance, with what to do.
pub(crate) fn refuse_shuffled(
    side: &[SideColumn],
    samples: &[SampleId],
    manifest: &Manifest,
    option: &str,
) -> Result<(), String> {
    let contradiction = || by_value::contradicted(side, samples, manifest).filter(|why| !why.assigned);
    let why = by_label::shuffled(side, samples, manifest).or_else(|| contradiction().map(|why| why.said));
    match why {
        Some(why) => {
            Err(format!("{why}, so the rows are in another order; add a column path, or pass {option}"))
        }
        None => Ok(()),
    }
}

fn ordered(
    side: &[SideColumn],
    judged: &[Judged],
    manifest: &Manifest,
    option: &str,
) -> Result<Option<String>, String> {
    // What is numbered like rows, but in another order, was put into that order.
    let shuffled = |at: usize| is_id_or_number(&side[at].heading) && judged[at].by_number.is_some();
    // Nor are ids or numbers of pictures in no order those of samples in order, unless labels beside them are.
    let is_proven = side.iter().any(|column| texts::proves(column, manifest));
    let of_others = |at: usize| {
        let numbers: Vec<Option<u64>> = side[at].cells.iter().map(|cell| number(cell)).collect();
        let heading = &side[at].heading;
        let may_name = is_of_pictures(heading) || is_id_or_number(heading);
        may_name && judged[at].differ && !numbers.is_sorted() && !is_proven
    };
    let wrong = |&at: &usize| {
        judged[at].numbers && !judged[at].counts && (is_named(&side[at]) || shuffled(at) || of_others(at))
    };
    let Some(at) = (0..side.len()).find(wrong) else { return Ok(unused(side, judged, manifest)) };
    let first: Vec<String> =
        side[at].cells.iter().take(EXAMPLES).map(|cell| excerpt(cell).into_owned()).collect();
    let what = match is_named(&side[at]) || shuffled(at) {
        true => "numbers of rows that do not count up from 0 or 1",
        false => "numbers in no order that name no samples",
    };
    Err(format!(
        "{} has {what} ({}, …), so it is unknown which samples the rows are; add a column path, or pass {option}",
        column(&side[at].heading),
        first.join(", ")
    ))
}

/// Which columns might have named the samples, where rows are taken in order.
fn unused(side: &[SideColumn], judged: &[Judged], manifest: &Manifest) -> Option<String> {
    let headings = |wanted: &dyn Fn(usize) -> bool| -> Vec<String> {
        (0..side.len()).filter(|&at| wanted(at)).map(|at| called(&side[at].heading)).collect()
    };
    let is_key = |at: usize| is_id(&side[at].heading) && !is_plain_index(&side[at].heading);
    let counting = headings(&|at| judged[at].counts && judged[at].differ && is_key(at));
    let others =
        headings(&|at| judged[at].differ && !judged[at].counts && (!judged[at].numbers || is_key(at)));
    let has = |at: usize| manifest.extra().iter().any(|own| same(&own.name, &side[at].heading));
    let differ = headings(&|at| judged[at].counts && is_key(at) && has(at) && !is_own(&side[at], manifest));
    let mut why = Vec::new();
    for (at, beside) in side.iter().enumerate() {
        let counts = judged[at].counts && judged[at].differ && is_plain_index(&beside.heading);
        let own = if counts { columns::elsewhere(&beside.cells, manifest) } else { None };
        if let Some(own) = own {
            let (column, own) = (column(&beside.heading), called(own));
            why.push(format!(
                "{column} counts up (the dataset's column {own} has the same numbers in another order)"
            ));
        }
    }
    if !counting.is_empty() {
        let shown = &counting[..counting.len().min(SHOWN)];
        why.push(format!(
            "{} {} up",
            listed(shown, "and"),
            if shown.len() == 1 { "counts" } else { "count" }
        ));
    }
    if !differ.is_empty() {
        let shown = &differ[..differ.len().min(SHOWN)];
        why.push(format!("the dataset has other values in {}", listed(shown, "and")));
    }
    if !others.is_empty() {
        let shown = &others[..others.len().min(SHOWN)];
        why.push(format!(
            "{} {} no samples",
            listed(shown, "and"),
            if shown.len() == 1 { "names" } else { "name" }
        ));
    }
    let said = format!("are taken for the samples in the order of the dataset, as {}", listed(&why, "and"));
    (!why.is_empty()).then_some(said)
}

/// Whether the dataset has this column, in the same order.
fn is_own(column: &SideColumn, manifest: &Manifest) -> bool {
    let own = manifest.extra().iter().filter(|own| same(&own.name, &column.heading));
    let mut equal = own.map(|own| Equal::of(&column.cells, &own.values));
    equal.any(|equal| equal.is_whole())
}

fn called(heading: &str) -> String {
    if is_unnamed(heading) { "without a name".to_owned() } else { format!("'{}'", excerpt(heading)) }
}

fn column(heading: &str) -> String {
    if is_unnamed(heading) {
        "a column without a name".to_owned()
    } else {
        format!("the column {}", called(heading))
    }
}

#[cfg(test)]
mod tests;
