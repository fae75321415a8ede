//! Any table of paths: its columns of flags and of numbers, or a manifest with decisions.

use super::class_numbers::Numbering;
use super::detector::{Detector, FLAGGED};
use super::pairs::GIVEN;
use super::rows::{self, RowsOf};
use super::visual_layer::{Records, is_manifest, records};
use super::{HIGHER_IS_WORSE, Importer, PATH_COLUMN, Read, Target, file_name};
use crate::headings::is_index;
use crate::row_splits;
use crate::text::{Sheet, is_missing};
use crate::{Error, Result};
use chaffinch_data::issue::Issue;
use chaffinch_protocol::display::excerpt;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeSet;
use std::path::PathBuf;

pub(super) const IMPORTER: Importer = Importer {
    name: "csv",
    summary: "any table of paths with flags and scores, or a manifest of decisions that `export` wrote",
    files: "CSV or TSV with a column of paths; each column of True and False is a detector, with the scores of the column \
            whose name goes with it (`is_x` with `x`, `x_score`); other numbers are detectors without flags; `reason`, \
            `group` and `suggested_label` are taken for all of them",
    in_folder: &[],
    options: &[PATH_COLUMN, HIGHER_IS_WORSE],
    read,
};

/// Columns that are not scores.
const OTHERS: [&str; 14] = [
    "label",
    "class",
    "class_name",
    "split",
    "image_id",
    "img_id",
    "key",
    "id",
    "index",
    "row",
    GIVEN,
    "width",
    "height",
    "component_id",
];
const REASONS: [&str; 2] = ["reason", "message"];
const GROUPS: [&str; 3] = ["group", "group_id", "cluster_id"];
const SUGGESTED: [&str; 3] = ["suggested_label", "predicted_label", "suggestion"];

fn read(files: &[PathBuf], target: &Target<'_>) -> Result<Read> {
    let mut read = Read::default();
    for file in files {
        let sheet = Sheet::read(file)?;
        if is_manifest(&sheet) {
            records(&Records::of_sheet(&sheet, target)?, target, false, &mut read)?;
            if sheet.column("vl_flag_type").is_some() {
                read.notes.push(format!(
                    "the flags of {} were left out, since a scan makes its own; `import visual-layer` takes them",
                    file_name(file)
                ));
            }
        } else {
            columns(&sheet, target, &mut read)?;
        }
    }
    Ok(read)
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Flags,
    Numbers,
    Text,
}

fn holds(sheet: &Sheet, column: usize) -> Holds {
    let cells = || (0..sheet.len()).map(|row| sheet.text(row, column)).filter(|cell| !is_missing(cell));
    if cells().next().is_none() {
        return Holds::Text;
    }
    if (0..sheet.len()).all(|row| sheet.flag(row, column).is_ok()) {
        return Holds::Flags;
    }
    match cells().all(|cell| cell.parse::<f64>().is_ok_and(f64::is_finite)) {
        true => Holds::Numbers,
        false => Holds::Text,
    }
}

/// The name of a column without what says that it is a flag or a score; empty if nothing else is in it.
fn bare(heading: &str) -> String {
    let name = stem(heading);
    let generic = ["flag", "flagged", "issue", "is_issue", "score", "quality", "bad"];
    if generic.contains(&name.as_str()) { String::new() } else { name }
}

/// The name of a column without what stands before or after it in a flag or a score.
fn stem(heading: &str) -> String {
    let mut name = heading.trim().to_lowercase().replace([' ', '-'], "_");
    for (start, end) in [
        ("is_", ""),
        ("has_", ""),
        ("flag_", ""),
        ("score_", ""),
        ("", "_issue"),
        ("", "_flag"),
        ("", "_score"),
    ] {
        if let Some(rest) = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end)) {
            name = rest.to_owned();
        }
    }
    name
}

/// The scores of each flag: those of the column that is called after it, or else one that is called a score or the like, as the flag
/// is called a flag; the only column of numbers belongs to the only flag. They are taken out of `numbers`.
fn scores_of(sheet: &Sheet, flags: &[usize], numbers: &mut Vec<usize>) -> Vec<Option<usize>> {
    let mut scores: Vec<Option<usize>> = vec![None; flags.len()];
    for part in [stem, bare] {
        let named = |column: usize| part(&sheet.headings[column]);
        for (flag, score) in flags.iter().zip(&mut scores).filter(|(_, score)| score.is_none()) {
            *score = numbers.iter().copied().find(|&column| named(column) == named(*flag));
            numbers.retain(|column| Some(*column) != *score);
        }
    }
    if let ([None], [only]) = (&scores[..], &numbers[..]) {
        scores = vec![Some(*only)];
        numbers.clear();
    }
    scores
}

fn columns(sheet: &Sheet, target: &Target<'_>, read: &mut Read) -> Result<()> {
    let rows = rows::samples(sheet, target, read)?;
    let certain = rows.certain();
    let RowsOf { samples, path, .. } = rows;
    let mut used: BTreeSet<usize> = path
        .into_iter()
        .chain([&REASONS[..], &GROUPS, &SUGGESTED].into_iter().filter_map(|names| sheet.any_column(names)))
        .chain((0..sheet.headings.len()).filter(|&column| is_index(&sheet.headings[column])))
        // What says splits was compared with those of the samples.
        .chain((0..sheet.headings.len()).filter(|&at| row_splits::is_worth_reading(&sheet.headings[at])))
        .collect();
    let others = OTHERS.iter().filter_map(|name| sheet.column(name));
    let taken: BTreeSet<usize> = used.iter().copied().chain(others).collect();
    let (mut flags, mut numbers) = (Vec::new(), Vec::new());
    for column in (0..sheet.headings.len()).filter(|column| !taken.contains(column)) {
        match holds(sheet, column) {
            Holds::Flags => flags.push(column),
            Holds::Numbers => numbers.push(column),
            Holds::Text => {}
        }
    }
    if flags.is_empty() && numbers.is_empty() {
        let decides =
            ["decision", "action", "verdict", "status"].iter().any(|name| sheet.column(name).is_some());
        let what = match decides {
            true => {
                "user_action, which has decisions (keep, remove, relabel with new_label, or unsure), and none of numbers or of \
                 True and False beside the paths"
            }
            false => "of numbers or of True and False beside the paths",
        };
        return Err(sheet.without(what));
    }
    used.extend(flags.iter().chain(&numbers));
    rows::tell_unused(sheet, &used, read);
    let of_row = |row: usize, column| Some((samples[row]?, sheet.text_of(row, column)));
    let given: Vec<_> = match sheet.column(GIVEN) {
        None => Vec::new(),
        column => (0..sheet.len()).filter_map(|row| of_row(row, column)).collect(),
    };
    let suggested = sheet.any_column(&SUGGESTED);
    let suggested = (0..sheet.len()).map(|row| sheet.text_of(row, suggested)).collect();
    let classes = Numbering::of((&file_name(sheet.path()), certain), &given, &suggested, target, read);
    let classes = classes.map_err(|why| Error::format(sheet.path(), why))?;
    let scores = scores_of(sheet, &flags, &mut numbers);
    for (&flag, score) in flags.iter().zip(scores) {
        let name = bare(&sheet.headings[flag]);
        let heading = match (name.is_empty(), score) {
            (true, Some(score)) => [bare(&sheet.headings[score]), sheet.headings[flag].clone()],
            (true, None) => [String::new(), sheet.headings[flag].clone()],
            (false, _) => [name, String::new()],
        };
        let name = heading.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        let detector = detector(sheet, (&samples, &classes), (&name, Some(flag), score), target, read)?;
        read.detectors.push(detector);
    }
    for column in numbers {
        let name = Some(bare(&sheet.headings[column])).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| sheet.headings[column].clone());
        let mut detector = detector(sheet, (&samples, &classes), (&name, None, Some(column)), target, read)?;
        detector.notes.push("the table flags nothing by it: move the threshold to flag samples".into());
        read.detectors.push(detector);
    }
    Ok(())
}

/// A detector from a column of flags, a column of scores, or both.
fn detector(
    sheet: &Sheet,
    (samples, classes): (&[Option<SampleId>], &Numbering),
    (name, flag, score): (&str, Option<usize>, Option<usize>),
    target: &Target<'_>,
    read: &mut Read,
) -> Result<Detector> {
    let file = file_name(sheet.path());
    let mut detector = Detector::new(name, format!("{} says: {}", file, name.replace('_', " ")));
    let range = score.map(|column| range(sheet, column)).transpose()?;
    if let (Some((low, high)), Some(column)) = (range, score)
        && (low < 0.0 || high > 1.0)
    {
        let heading = excerpt(&sheet.headings[column]).into_owned();
        read.notes
            .push(format!("column '{heading}' of {file} goes from {low} to {high} and was scaled to 0 to 1"));
    }
    let (reason, group) = (sheet.any_column(&REASONS), sheet.any_column(&GROUPS));
    let suggested = sheet.any_column(&SUGGESTED);
    let mut groups = std::collections::BTreeMap::new();
    for (row, sample) in samples.iter().enumerate() {
        let Some(id) = *sample else { continue };
        let flagged = flag.map(|column| sheet.flag(row, column)).transpose()?.flatten();
        let number = score.map(|column| sheet.number(row, column)).transpose()?.flatten();
        let scaled = number.zip(range).map(|(number, (low, high))| {
            let unit = if low < 0.0 || high > 1.0 {
                (number - low) / (high - low).max(f32::MIN_POSITIVE)
            } else {
                number
            };
            if target.higher_is_worse { 1.0 - unit } else { unit }
        });
        let value = match (scaled, flagged) {
            (None, None) => continue,
            (Some(scaled), _) => scaled,
            (None, Some(flagged)) => {
                if flagged {
                    FLAGGED
                } else {
                    1.0
                }
            }
        };
        let mut issue = Issue { score: value, reason: sheet.text_of(row, reason), ..Issue::default() };
        issue.suggested = suggested.and_then(|column| {
            detector.suggestion(id, classes.name(&sheet.text(row, column), target), target)
        });
        let named = sheet.text_of(row, group);
        if !named.is_empty() {
            let next = groups.len() as u32;
            issue.group = Some(*groups.entry(named).or_insert(next));
            detector.groups = true;
        }
        detector.add(id, issue, flagged.unwrap_or(false));
    }
    Ok(detector)
}

/// The lowest and the highest number of a column.
fn range(sheet: &Sheet, column: usize) -> Result<(f32, f32)> {
    let mut range = (f32::INFINITY, f32::NEG_INFINITY);
    for row in 0..sheet.len() {
        if let Some(number) = sheet.number(row, column)? {
            range = (range.0.min(number), range.1.max(number));
        }
    }
    Ok(range)
}
