//! Which columns of a table of labels name the images and hold the labels, and what is to be said where others would do.

use super::candidate::Candidate;
use super::ways::{Way, ways};
use super::{content, numbered};
use crate::Error;
use crate::Result;
use crate::dataset::DatasetOptions;
use crate::dataset::choice::{self, LABEL_NAMES};
use crate::dataset::companions::one_to_one;
use crate::headings::{is_id, is_plain_index, same};
use crate::text::{Sheet, as_whole};
use chaffinch_data::manifest::{ExtraColumn, Manifest};
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{counted, excerpt, excerpt_path};
use std::path::Path;

/// Columns that may name the images, in this order.
const KEYS: [&str; 18] = [
    "path",
    "image_path",
    "file_path",
    "filepath",
    "file_name",
    "filename",
    "file",
    "img_path",
    "image_file",
    "image_name",
    "img_name",
    "image",
    "img",
    "image_id",
    "img_id",
    "stem",
    "name",
    "id",
];
/// Columns that say the classes in other words, beside those that are labels by their names.
const OTHER_WORDS: [&str; 10] = [
    "class_id",
    "class_idx",
    "class_index",
    "label_id",
    "label_idx",
    "label_name",
    "class_label",
    "category_id",
    "category_name",
    "target_name",
];

/// A column, and what is to be said of others that would do.
pub(super) struct Choice {
    pub(super) column: usize,
    pub(super) said: Option<(RemarkKind, String)>,
}

/// The column that names the images. `own` are the columns of the dataset itself.
///
/// # Errors
/// When there is none, or several name different images.
pub(super) fn key(
    sheet: &Sheet,
    options: &DatasetOptions,
    manifest: &Manifest,
    own: &[ExtraColumn],
) -> Result<Choice> {
    let choice = choose_key(sheet, options, manifest, own)?;
    let heading = sheet.headings[choice.column].trim();
    let is_usual = choice::named(&sheet.headings, &KEYS).contains(&choice.column);
    if names_image(heading, !is_usual, manifest) {
        let message = format!(
            "it has no header line: its first line names the image '{}'; add one, such as path,label",
            excerpt(heading)
        );
        return Err(Error::format(sheet.path(), message));
    }
    Ok(choice)
}

/// Whether a text is the name of an image, also without its extension if `by_stem`.
fn names_image(text: &str, by_stem: bool, manifest: &Manifest) -> bool {
    let name = Path::new(text);
    manifest.ids().map(|id| manifest.path(id)).any(|path| {
        !text.is_empty()
            && (path.ends_with(name)
                || name.ends_with(path)
                || (by_stem && path.with_extension("").ends_with(name)))
    })
}

fn choose_key(
    sheet: &Sheet,
    options: &DatasetOptions,
    manifest: &Manifest,
    own: &[ExtraColumn],
) -> Result<Choice> {
    if let Some(name) = &options.key {
        let column = sheet.sole(sheet.required(name)?, Some(name), "--key")?;
        return Ok(Choice { column, said: None });
    }
    let usual = choice::named(&sheet.headings, &KEYS);
    let may_join = |column: &usize| {
        let heading = &sheet.headings[*column];
        let asked = options.label_column.as_deref().is_some_and(|name| same(name, heading));
        let is_label =
            asked || !choice::named(std::slice::from_ref(&sheet.headings[*column]), &LABEL_NAMES).is_empty();
        !usual.contains(column)
            && !is_label
            && (is_id(heading) || own.iter().any(|own| same(&own.name, heading)))
    };
    let more: Vec<usize> = (0..sheet.headings.len()).filter(may_join).collect();
    let candidate = |&column: &usize| {
        let heading = &sheet.headings[column];
        let numbers = (0..sheet.len()).all(|row| sheet.text(row, column).parse::<f64>().is_ok());
        // Under a heading that is none of the usual ones, numbers mean images only by a column that both have.
        let only_shared = !usual.contains(&column) && (numbers || !is_id(heading));
        // An index counts rows, so that what it counted before is not a key.
        let counts = |way: &Way| {
            let number = |row| sheet.text(row, column).parse::<u32>().ok();
            (0..sheet.len()).all(|row| way.places[row].row().is_none_or(|at| number(row) == Some(at)))
        };
        let is_index = numbers && is_plain_index(heading);
        let ways = ways(sheet, column, manifest, own).into_iter();
        let ways = ways.filter(|way| (way.is_shared || !only_shared) && (!is_index || counts(way)));
        let way = ways.enumerate().max_by_key(|(at, way)| (way.found, way.is_shared, std::cmp::Reverse(*at)));
        way.map(|(_, way)| Candidate { column, way })
    };
    let candidates: Vec<Candidate> =
        usual.iter().chain(&more).filter_map(candidate).filter(|one| one.way.found > 0).collect();
    let best = candidates.iter().find(|one| one.joins(sheet)).or(candidates.first());
    let quoted = |column: usize| format!("'{}'", excerpt(&sheet.headings[column]));
    let contradiction = |one: &Candidate, other: &Candidate| {
        let (row, samples) = one.way.differs(&other.way)?;
        let [first, second] = samples.map(|sample| excerpt_path(manifest.path(sample)));
        Some(format!(
            "the columns {} and {} of {} name different images: line {} is {first} by the one and {second} by the other",
            quoted(one.column),
            quoted(other.column),
            super::safe_path(sheet.path().file_name().map_or(sheet.path(), Path::new)),
            sheet.line(row),
        ))
    };
    let choose = |text: String| Error::format(sheet.path(), format!("{text}; choose one with --key"));
    let Some(best) = best else {
        if let Some(&column) = usual.first() {
            // That it names no image is said where the images are looked for.
            return Ok(Choice { column: sheet.sole(column, None, "--key")?, said: None });
        }
        // Headings may be in any language.
        let named = content::columns(sheet, options, manifest);
        let Some((first, others)) = named.split_first() else {
            let what = format!("called {} or the like that names the images; choose one with --key", KEYS[0]);
            return Err(sheet.without(&what));
        };
        return match others.iter().find_map(|other| contradiction(first, other)) {
            Some(text) => Err(choose(text)),
            None => Ok(Choice { column: sheet.sole(first.column, None, "--key")?, said: None }),
        };
    };
    // Numbers may count anything, and names of images are nothing else, whatever the column is called.
    let named = match !best.joins(sheet) || content::counts(sheet, best.column) {
        // Of two columns without a known heading, the one that names no images has the labels.
        true if sheet.headings.len() > 2 || content::has_labels(sheet, options) => {
            content::columns(sheet, options, manifest)
        }
        _ => Vec::new(),
    };
    let agrees = |one: &Candidate| best.joins(sheet) && one.way.differs(&best.way).is_none();
    let named = if named.iter().any(agrees) { None } else { named.split_first() };
    let mut best = best;
    if let Some((first, others)) = named {
        if let Some(text) = others.iter().find_map(|other| contradiction(first, other)) {
            return Err(choose(text));
        }
        if best.joins(sheet)
            && !(best.is_weak(sheet) && first.is_surer(best))
            && let Some(text) = contradiction(best, first)
        {
            return Err(choose(text));
        }
        best = first;
    }
    let column = sheet.sole(best.column, None, "--key")?;
    if best.is_weak(sheet) {
        let rivals = numbered::rivals(sheet, &candidates, &more, best, manifest);
        if let Some(text) = rivals.iter().find_map(|rival| contradiction(best, rival)) {
            return Err(choose(text));
        }
        if let Some(text) = numbered::one_off(sheet, best, manifest) {
            return Err(choose(text));
        }
    }
    let mut said = None;
    // What else both have may be anything, and an index is that of another order.
    let names = |heading: &str| is_id(heading) && !is_plain_index(heading);
    let rivals = candidates.iter().filter(|other| other.column != column && other.joins(sheet));
    for other in rivals.filter(|other| names(&sheet.headings[other.column])) {
        let Some(text) = contradiction(best, other) else { continue };
        if !other.is_weak(sheet) && !best.is_weak(sheet) {
            return Err(choose(text));
        }
        let text = format!("{text}; {} was taken, and --key chooses", quoted(column));
        said.get_or_insert((RemarkKind::LayoutDoubtful, text));
    }
    if said.is_none()
        && let Some(&first) = usual.first()
        && first != column
        && !candidates.iter().any(|one| one.column == first && one.joins(sheet))
    {
        let found = candidates.iter().find(|one| one.column == first).map_or(0, |one| one.way.found);
        let text = format!(
            "the images were found by the column {}, not by {}, which names {}; --key chooses",
            quoted(column),
            quoted(first),
            if found == 0 {
                "none".to_owned()
            } else {
                format!("only {}", counted(found as u64, "one", "of them"))
            }
        );
        said = Some((RemarkKind::LayoutGuessed, text));
    }
    Ok(Choice { column, said })
}

/// The column of labels.
///
/// # Errors
/// When there is none that is sure.
pub(super) fn label(sheet: &Sheet, key: usize, options: &DatasetOptions) -> Result<Choice> {
    if let Some(name) = &options.label_column {
        let column = sheet.sole(sheet.required(name)?, Some(name), "--label-column")?;
        return Ok(Choice { column, said: None });
    }
    let free = |found: Vec<usize>| found.into_iter().filter(|&column| column != key).collect::<Vec<_>>();
    let named = free(choice::named(&sheet.headings, &LABEL_NAMES));
    let others = free((0..sheet.headings.len()).collect());
    let column = match (named.first(), others.as_slice()) {
        (Some(&column), _) => sheet.sole(column, None, "--label-column")?,
        // What else would the table be for?
        (None, [only]) => *only,
        _ => return Err(sheet.without("called label or the like; choose one with --label-column")),
    };
    let rivals = named.into_iter().chain(free(choice::named(&sheet.headings, &OTHER_WORDS)));
    let rivals: Vec<usize> = rivals.filter(|&rival| rival != column).collect();
    let differs = |&&rival: &&usize| {
        let cells: Vec<(String, String)> = (0..sheet.len())
            .map(|row| (sheet.text(row, column).into_owned(), sheet.text(row, rival).into_owned()))
            .collect();
        one_to_one(cells.iter().map(|(one, other)| (one.as_str(), other.as_str()))).is_none()
    };
    let heading = |column: usize| sheet.headings[column].as_str();
    let said = match (rivals.iter().find(differs), rivals.is_empty()) {
        (_, true) => None,
        (Some(&rival), _) => {
            let text = choice::doubt(sheet.path(), "label", heading(column), heading(rival));
            Some((RemarkKind::LayoutDoubtful, text))
        }
        (None, _) => {
            let names: Vec<String> = rivals.iter().map(|&rival| heading(rival).to_owned()).collect();
            let taken = choice::quoted_names(&[heading(column).to_owned()]);
            let text = choice::alike("label", &taken, &choice::quoted_names(&names), names.len() > 1);
            Some((RemarkKind::LayoutGuessed, text))
        }
    };
    Ok(Choice { column, said })
}

/// Whether labels are whole numbers that a program wrote as decimals, as it does where a column has gaps.
pub(super) fn whole_numbers(sheet: &Sheet, label: usize) -> bool {
    let mut decimals = false;
    let is_whole = |row: usize| {
        let cell = sheet.text(row, label);
        let whole = as_whole(&cell);
        decimals |= whole.len() < cell.len();
        crate::text::is_missing(&cell) || whole.parse::<i64>().is_ok_and(|number| number.to_string() == whole)
    };
    (0..sheet.len()).all(is_whole) && decimals
}
