//! Columns that a dataset and another table both have: equal values say which rows are about which samples.

use super::{Judged, Samples, SideColumn, called, column, counts_up};
use crate::dataset::LABEL_NAMES;
use crate::headings::{is_id, is_id_or_number, is_plain_index, may_be_id, names_samples, same};
use crate::text::as_whole;
use chaffinch_data::manifest::{ExtraColumn, Manifest};
use chaffinch_protocol::display::{excerpt, excerpt_path};
use chaffinch_protocol::sample::SampleId;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// What the cells of a column are among the values of a column of the dataset.
pub(super) struct Equal {
    /// The only sample with the value of each row.
    pub(super) samples: Samples,
    /// How many rows have one.
    pub(super) matched: usize,
    /// Rows with a value.
    filled: usize,
    /// The first row whose value several samples have.
    several: Option<usize>,
}

impl Equal {
    /// Compares the values as they are written, or as whole numbers where that finds more: a program that read 007 writes 7.
    pub(super) fn of(cells: &[String], own: &[String]) -> Equal {
        let written = Equal::by(cells, own, |cell| cell.trim().to_owned());
        if written.matched == cells.len() {
            return written;
        }
        let numbers = Equal::by(cells, own, |cell| {
            let cell = cell.trim();
            let whole = as_whole(cell);
            let is_number = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
            let short = whole.trim_start_matches('0');
            match (is_number, short) {
                (false, _) => cell.to_owned(),
                (true, "") => "0".to_owned(),
                (true, short) => short.to_owned(),
            }
        });
        if numbers.matched > written.matched { numbers } else { written }
    }

    fn by(cells: &[String], own: &[String], form: impl Fn(&str) -> String) -> Equal {
        let mut known: HashMap<String, Option<SampleId>> = HashMap::with_capacity(own.len());
        for (row, value) in (0_u32..).zip(own) {
            let value = form(value);
            if !value.is_empty() {
                known.entry(value).and_modify(|sample| *sample = None).or_insert(Some(SampleId(row)));
            }
        }
        let found: Vec<Option<&Option<SampleId>>> = cells.iter().map(|cell| known.get(&form(cell))).collect();
        let samples: Samples = found.iter().map(|sample| sample.copied().flatten()).collect();
        Equal {
            matched: samples.iter().flatten().count(),
            filled: cells.iter().filter(|cell| !cell.trim().is_empty()).count(),
            several: found.iter().position(|sample| *sample == Some(&None)),
            samples,
        }
    }

    /// Whether every row is about a sample.
    pub(super) fn is_whole(&self) -> bool {
        self.matched == self.samples.len() && self.matched > 0
    }

    /// Whether most rows are about a sample, and none about several.
    pub(super) fn joins(&self) -> bool {
        self.matched > 0 && self.matched * 2 >= self.filled && self.several.is_none()
    }
}

/// A row that means one sample in this way and another one in that.
pub(super) fn differ(one: &[Option<SampleId>], other: &[Option<SampleId>]) -> Option<(usize, [SampleId; 2])> {
    let mut rows =
        one.iter().zip(other).enumerate().filter_map(|(row, (one, two))| Some((row, (*one)?, (*two)?)));
    rows.find(|(_, one, two)| one != two).map(|(row, one, two)| (row, [one, two]))
}

/// Whether numbers are measurements, by which nothing is told apart.
fn measures(cells: &[String]) -> bool {
    let fraction =
        |cell: &str| cell.parse::<f64>().is_ok_and(|number| number.fract() != 0.0 || !number.is_finite());
    cells.iter().any(|cell| fraction(cell.trim()))
        && cells.iter().all(|cell| cell.trim().parse::<f64>().is_ok())
}

/// A column that joins the rows to the samples.
pub(super) struct Key {
    pub(super) at: usize,
    pub(super) samples: Samples,
    /// The column of the dataset.
    pub(super) own: String,
    /// Why its numbers may as well be those of rows, which are others.
    pub(super) doubt: Option<String>,
}

impl Key {
    /// What there is to say of it: a sentence that begins with the rows goes on with it.
    pub(super) fn said(&self, side: &[SideColumn]) -> String {
        let heading = &side[self.at].heading;
        match same(&self.own, heading) {
            true => format!("are named by {}, which the dataset has, too", column(heading)),
            false => format!(
                "are named by {}, which has the values of the dataset's column {}",
                column(heading),
                called(&self.own)
            ),
        }
    }
}

/// The columns that both have and whose values join the rows to the samples, the likeliest first.
///
/// # Errors
/// When the ids of a row are those of several samples, with what to do.
fn shared(
    side: &[SideColumn],
    judged: &[Judged],
    manifest: &Manifest,
    option: &str,
) -> Result<Vec<Key>, String> {
    let mut keys = Vec::new();
    for (at, beside) in side.iter().enumerate() {
        let SideColumn { heading, cells } = beside;
        let is_id = is_id(heading);
        // Classes are told apart by nothing where each has one picture.
        let is_class = LABEL_NAMES.iter().any(|name| heading.trim().eq_ignore_ascii_case(name));
        let different = || !is_class && cells.iter().collect::<HashSet<_>>().len() == cells.len();
        if measures(cells) || !(is_id || different()) {
            continue;
        }
        for own in manifest.extra().iter().filter(|own| same(&own.name, heading)) {
            // The same column in the same order is not a question.
            let in_order = cells.len() == own.values.len()
                && cells.iter().zip(&own.values).all(|(cell, own)| cell.trim() == own.trim());
            // Two counters of rows say nothing but their order, whatever they begin with.
            if is_plain_index(heading) && judged[at].counts && counts_up(&own.values) {
                continue;
            }
            let equal = Equal::of(cells, &own.values);
            if let Some(row) = equal.several.filter(|_| is_id && !in_order) {
                // Most of them are, so that the column is one of ids.
                if equal.matched * 2 < equal.filled {
                    continue;
                }
                return Err(format!(
                    "row {} is about '{}' by {}, which several samples have; add a column path, or pass {option}",
                    row + 1,
                    excerpt(&cells[row]),
                    column(heading)
                ));
            }
            if !equal.joins() {
                continue;
            }
            let sure = is_id_or_number(heading) && !is_plain_index(heading) && equal.is_whole();
            let doubt = judged[at].by_number.as_deref().filter(|_| !sure).and_then(|numbers| {
                let (row, [one, two]) = differ(&equal.samples, numbers)?;
                let advice = match is_id_or_number(heading) && !is_plain_index(heading) {
                    true => "or write the values that the dataset has",
                    false => "or call it id in both if it names the samples",
                };
                Some(format!(
                    "the numbers in {} may be the values of that column of the dataset, or the numbers of rows: row {} ({}) is \
                     {} by the one and {} by the other; add a column path, leave the column out if the rows are in the order of \
                     the dataset, {advice}",
                    column(heading),
                    row + 1,
                    excerpt(&cells[row]),
                    excerpt_path(manifest.path(one)),
                    excerpt_path(manifest.path(two)),
                ))
            });
            keys.push(Key { at, samples: equal.samples, own: own.name.clone(), doubt });
        }
    }
    let matched = |key: &Key| key.samples.iter().flatten().count();
    keys.sort_by_key(|key| {
        let heading = &side[key.at].heading;
        (!is_id(heading), is_plain_index(heading), Reverse(matched(key)), key.at)
    });
    Ok(keys)
}

/// Refuses the numbers of a column, which are those in the names of files, where the dataset has this column, too, or one of ids
/// under another heading, and most of them mean other samples by that.
///
/// # Errors
/// When there is such a column, with what to do.
pub(super) fn refuse_other_numbers(
    beside: &SideColumn,
    by_file: &[Option<SampleId>],
    manifest: &Manifest,
) -> Result<(), String> {
    let SideColumn { heading, cells } = beside;
    let own = manifest.extra().iter().filter(|own| same(&own.name, heading));
    for own in own {
        let equal = Equal::of(cells, &own.values);
        if let Some((row, [one, two])) = differ(&equal.samples, by_file).filter(|_| equal.joins()) {
            return Err(format!(
                "the numbers in {} may be the values of that column of the dataset, or those in the names of the files: row {} ({}) \
                 is {} by the one and {} by the other; add a column path, or write the values that the dataset has",
                column(heading),
                row + 1,
                excerpt(&cells[row]),
                excerpt_path(manifest.path(one)),
                excerpt_path(manifest.path(two)),
            ));
        }
    }
    doubtful(beside, by_file, "the numbers in the names of the files", manifest, may_be_id)
}

/// The column that both have and that joins the rows to the samples, if there is one.
///
/// # Errors
/// When columns join them to different samples, or one names other samples by their paths, with what to do.
pub(super) fn best(
    side: &[SideColumn],
    judged: &[Judged],
    manifest: &Manifest,
    option: &str,
) -> Result<Option<Key>, String> {
    let mut keys = shared(side, judged, manifest, option)?;
    let Some(best) = keys.iter().position(|key| key.doubt.is_none()) else {
        return Ok(if keys.is_empty() { None } else { Some(keys.swap_remove(0)) });
    };
    let key = keys.swap_remove(best);
    let is_key = |at: usize| is_id(&side[at].heading);
    for other in keys.iter().filter(|other| other.doubt.is_none() && is_key(other.at) == is_key(key.at)) {
        if let Some((row, samples)) = differ(&key.samples, &other.samples) {
            let names = [(key.at, ""), (other.at, "")];
            return Err(contradiction(side, names, row, samples, manifest));
        }
    }
    for (at, other) in judged.iter().enumerate() {
        let names = other.names && !other.counts && names_samples(&side[at].heading);
        let more = at == key.at && other.matched > key.samples.iter().flatten().count();
        if ((names && at != key.at) || more)
            && let Some((row, samples)) = differ(&key.samples, &other.by_path)
        {
            return Err(contradiction(side, [(key.at, ""), (at, "")], row, samples, manifest));
        }
    }
    Ok(Some(key))
}

/// The columns of the dataset that are called like ids, too, but otherwise, and have all values of a column of ids.
fn otherwise<'m>(
    column: &SideColumn,
    manifest: &'m Manifest,
    is_id: impl Fn(&str) -> bool,
) -> Vec<(&'m str, Equal)> {
    let SideColumn { heading, cells } = column;
    // An index that counts up counts rows; one that the dataset kept may be what it was before.
    if !is_id_or_number(heading) || is_plain_index(heading) || measures(cells) {
        return Vec::new();
    }
    let own = manifest.extra().iter().filter(|own| is_id(&own.name) && !same(&own.name, heading));
    let equal = own.map(|own| (own.name.as_str(), Equal::of(cells, &own.values)));
    equal.filter(|(_, equal)| equal.is_whole() && equal.several.is_none()).collect()
}

/// Refuses a column whose values mean `others` if they are ids of other samples in a column of the dataset that is called
/// otherwise. `words` say what they may be as well.
///
/// # Errors
/// When there is such a column, with what to do.
pub(super) fn refuse_doubtful(
    beside: &SideColumn,
    others: &[Option<SampleId>],
    words: &str,
    manifest: &Manifest,
) -> Result<(), String> {
    doubtful(beside, others, words, manifest, is_id)
}

/// [`refuse_doubtful`], with `is_id` for the headings of the dataset's columns of ids.
fn doubtful(
    beside: &SideColumn,
    others: &[Option<SampleId>],
    words: &str,
    manifest: &Manifest,
    is_id: impl Fn(&str) -> bool,
) -> Result<(), String> {
    for (own, equal) in otherwise(beside, manifest, is_id) {
        if let Some((row, [one, two])) = differ(&equal.samples, others) {
            return Err(format!(
                "the values of {} may be those of the dataset's column {}, or {words}: row {} ({}) is {} by the one and {} by the \
                 other; give the column that is meant one heading in both tables, or add a column path",
                column(&beside.heading),
                called(own),
                row + 1,
                excerpt(&beside.cells[row]),
                excerpt_path(manifest.path(one)),
                excerpt_path(manifest.path(two)),
            ));
        }
    }
    Ok(())
}

/// The first column of ids whose values are those of a column of ids in the dataset that is called otherwise.
///
/// # Errors
/// When they may be numbers of rows, or columns contradict each other, with what to do.
pub(super) fn otherwise_called(
    side: &[SideColumn],
    judged: &[Judged],
    manifest: &Manifest,
) -> Result<Option<Key>, String> {
    let mut found: Option<Key> = None;
    for (at, beside) in side.iter().enumerate() {
        if let Some(numbers) = &judged[at].by_number {
            refuse_doubtful(beside, numbers, "the numbers of rows", manifest)?;
        }
        for (own, equal) in otherwise(beside, manifest, is_id) {
            if let Some(before) = &found
                && let Some((row, samples)) = differ(&before.samples, &equal.samples)
            {
                let names = [(before.at, before.own.as_str()), (at, own)];
                return Err(contradiction(side, names, row, samples, manifest));
            }
            found.get_or_insert_with(|| Key { at, samples: equal.samples, own: own.to_owned(), doubt: None });
        }
    }
    Ok(found)
}

/// The column of the dataset that has all these numbers of rows, in another order.
pub(super) fn elsewhere<'m>(cells: &[String], manifest: &'m Manifest) -> Option<&'m str> {
    let in_order: Samples = manifest.ids().map(Some).collect();
    let is_other = |own: &&ExtraColumn| {
        let equal = Equal::of(cells, &own.values);
        equal.is_whole() && differ(&equal.samples, &in_order).is_some()
    };
    manifest.extra().iter().filter(|own| is_id(&own.name)).find(is_other).map(|own| own.name.as_str())
}

/// That two columns name different samples.
pub(super) fn contradiction(
    side: &[SideColumn],
    [(one, first), (two, second)]: [(usize, &str); 2],
    row: usize,
    samples: [SampleId; 2],
    manifest: &Manifest,
) -> String {
    let shown = |at: usize, own: &str| {
        let heading = &side[at].heading;
        let cell = excerpt(&side[at].cells[row]).into_owned();
        match own.is_empty() || same(own, heading) {
            true => format!("{} ({cell})", column(heading)),
            false => format!("{} ({cell}) as {}", column(heading), called(own)),
        }
    };
    format!(
        "row {} is about {} by {} and about {} by {}; leave out the column that is not meant",
        row + 1,
        excerpt_path(manifest.path(samples[0])),
        shown(one, first),
        excerpt_path(manifest.path(samples[1])),
        shown(two, second),
    )
}

/// A column of the dataset whose values names without a heading are, and the samples that it means by them.
///
/// # Errors
/// When two columns have them for different samples, or a name may as well be a path, with what to do.
pub(super) fn of_names(
    names: &[String],
    by_path: &[Option<SampleId>],
    manifest: &Manifest,
) -> Result<Option<(String, Samples)>, String> {
    let numbers = names.iter().all(|line| line.trim().parse::<f64>().is_ok());
    // Numbers may be in any column, and an index has those of rows.
    let may_name = |own: &&ExtraColumn| !numbers || (is_id(&own.name) && !is_plain_index(&own.name));
    let none_by_path = by_path.iter().all(Option::is_none);
    let mut found: Option<(&ExtraColumn, Samples)> = None;
    for own in manifest.extra().iter().filter(may_name) {
        let equal = Equal::of(names, &own.values);
        if equal.several.is_some() || !(equal.is_whole() || (none_by_path && !numbers && equal.joins())) {
            continue;
        }
        let named = |row: usize| format!("row {} ({})", row + 1, excerpt(&names[row]));
        let path = |sample: SampleId| excerpt_path(manifest.path(sample));
        if let Some((row, [one, two])) = differ(by_path, &equal.samples) {
            return Err(format!(
                "{} is {} by its path, and {} by the dataset's column {}; write whole paths",
                named(row),
                path(one),
                path(two),
                called(&own.name)
            ));
        }
        match &found {
            Some((before, samples)) if let Some((row, [one, two])) = differ(samples, &equal.samples) => {
                return Err(format!(
                    "{} is {} by the dataset's column {}, and {} by its column {}; write paths",
                    named(row),
                    path(one),
                    called(&before.name),
                    path(two),
                    called(&own.name)
                ));
            }
            Some((_, samples)) if samples.iter().flatten().count() >= equal.matched => {}
            _ => found = Some((own, equal.samples)),
        }
    }
    Ok(found.map(|(own, samples)| (own.name.clone(), samples)))
}
