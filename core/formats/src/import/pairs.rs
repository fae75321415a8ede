//! Tables with a column `is_X_issue` and one `X_score` for each kind of issue, as cleanlab and CleanVision write them.

use super::class_numbers::Numbering;
use super::detector::{Detector, FLAGGED};
use super::groups::Groups;
use super::rows::{self, RowsOf};
use super::{Read, Target, file_name};
use crate::Result;
use crate::headings::is_index;
use crate::text::Sheet;
use chaffinch_data::issue::Issue;
use chaffinch_protocol::display::excerpt;
use chaffinch_protocol::sample::SampleId;

/// Columns that such tables have beside the issues.
pub(super) const GIVEN: &str = "given_label";
const PREDICTED: &str = "predicted_label";
const SETS: &str = "near_duplicate_sets";
const DISTANCE: &str = "distance_to_nearest_neighbor";

/// A program that writes such tables.
pub(super) struct Program {
    /// Its name in sentences.
    pub(super) name: &'static str,
    /// The kinds of issues that it is known for: name, what it finds, and its threshold.
    pub(super) kinds: &'static [(&'static str, &'static str, Option<f32>)],
}

/// The columns of one kind of issue.
#[derive(Debug)]
struct Pair {
    kind: String,
    flag: usize,
    score: Option<usize>,
}

/// The kinds of issues in a table.
fn pairs(sheet: &Sheet) -> Vec<Pair> {
    let pair = |(flag, heading): (usize, &String)| {
        let kind = heading.strip_prefix("is_")?.strip_suffix("_issue")?;
        let mut names = vec![format!("{kind}_score")];
        names.extend((kind == "label").then(|| "label_quality".to_owned()));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let score = sheet.any_column(&names).filter(|&column| column != flag);
        Some(Pair { kind: kind.to_owned(), flag, score })
    };
    sheet.headings.iter().enumerate().filter_map(pair).collect()
}

/// Whether a table has a kind of issue.
pub(super) fn any(sheet: &Sheet) -> bool {
    !pairs(sheet).is_empty()
}

/// What the numbers of a table mean, if it has them for classes.
///
/// # Errors
/// As of [`Numbering::of`].
pub(super) fn class_numbers(
    sheet: &Sheet,
    rows: &RowsOf,
    target: &Target<'_>,
    read: &mut Read,
) -> std::result::Result<Numbering, String> {
    let given = sheet.column(GIVEN);
    let of_row = |(row, sample): (usize, &Option<SampleId>)| Some(((*sample)?, sheet.text_of(row, given)));
    let given: Vec<_> = rows.samples.iter().enumerate().filter_map(of_row).collect();
    let predicted = sheet.column(PREDICTED);
    let suggested = (0..sheet.len()).map(|row| sheet.text_of(row, predicted)).collect();
    Numbering::of((&file_name(sheet.path()), rows.certain()), &given, &suggested, target, read)
}

/// A detector for each kind of issue.
pub(super) fn detectors(
    sheet: &Sheet,
    rows: &RowsOf,
    (program, numbers): (&Program, &Numbering),
    target: &Target<'_>,
    read: &mut Read,
) -> Result<()> {
    let pairs = pairs(sheet);
    if pairs.is_empty() {
        return Err(sheet.without("is_…_issue, which says what it flags"));
    }
    let samples = rows.samples.as_slice();
    let predicted = sheet.column(PREDICTED);
    let known = [GIVEN, SETS, DISTANCE].into_iter().filter_map(|name| sheet.column(name));
    let own = pairs.iter().flat_map(|pair| std::iter::once(pair.flag).chain(pair.score));
    let index = (0..sheet.headings.len()).filter(|&column| is_index(&sheet.headings[column]));
    let used = own.chain(known).chain(index).chain(rows.path).chain(predicted).collect();
    rows::tell_unused(sheet, &used, read);
    for Pair { kind, flag, score } in pairs {
        let known = program.kinds.iter().find(|(name, ..)| *name == kind);
        let summary = known.map_or_else(
            || format!("{} says: {}", program.name, kind.replace('_', " ")),
            |(_, summary, _)| format!("{} ({})", summary, program.name),
        );
        let mut detector = Detector::new(&kind, summary);
        detector.usual = known.and_then(|(.., usual)| *usual);
        for (row, sample) in samples.iter().enumerate() {
            let Some(id) = *sample else { continue };
            let flagged = sheet.flag(row, flag)?;
            let number = score.map(|column| sheet.number(row, column)).transpose()?.flatten();
            let (value, flagged) = match (number, flagged) {
                (None, None) => continue,
                (None, Some(true)) => (FLAGGED, true),
                (None, Some(false)) => (1.0, false),
                (Some(number), flagged) => (number, flagged.unwrap_or(false)),
            };
            let mut issue = Issue { score: value, ..Issue::default() };
            let label =
                (kind == "label").then(|| sheet.text_of(row, predicted)).filter(|label| !label.is_empty());
            if flagged {
                let words = kind.replace('_', " ");
                issue.reason = match number {
                    Some(number) => format!("{}'s score for {words} is {number:.4}", program.name),
                    None => format!("{} flags it as {words}", program.name),
                };
                let label = label.as_deref().map(|label| numbers.name(label, target));
                if let Some(label) = label.filter(|label| !label.is_empty()) {
                    let class = target.class(label);
                    let name = class.map_or(label, |class| target.manifest.class(class));
                    issue.reason += &format!(", and it predicts {}", excerpt(name));
                    issue.suggested = detector.suggestion(id, label, target);
                }
            }
            detector.add(id, issue, flagged);
        }
        if kind == "near_duplicate" {
            sets(sheet, samples, &mut detector)?;
        }
        read.detectors.push(detector);
    }
    Ok(())
}

/// Adds the sets of near duplicates that cleanlab's `get_issues` writes as lists of row numbers.
fn sets(sheet: &Sheet, samples: &[Option<SampleId>], detector: &mut Detector) -> Result<()> {
    let (Some(column), Some(distance)) = (sheet.column(SETS), sheet.column(DISTANCE)) else {
        return Ok(());
    };
    let mut groups = Groups::default();
    for (row, sample) in samples.iter().enumerate() {
        let Some(id) = *sample else { continue };
        let text = sheet.text(row, column);
        let numbers =
            text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<usize>().ok());
        let others: Vec<SampleId> = numbers
            .filter_map(|number| samples.get(number).copied().flatten())
            .filter(|other| *other != id)
            .collect();
        if others.is_empty() {
            continue;
        }
        let similarity = 1.0 - sheet.number(row, distance)?.unwrap_or(0.0).clamp(0.0, 1.0);
        others.iter().for_each(|other| groups.join(id, *other));
        if let Some(issue) = detector.issue_mut(id) {
            issue.related = others.into_iter().map(|other| (other, similarity)).collect();
        }
    }
    set_groups(detector, groups);
    Ok(())
}

/// Gives the samples of a detector their groups.
pub(super) fn set_groups(detector: &mut Detector, groups: Groups) {
    for (id, group) in groups.all() {
        if let Some(issue) = detector.issue_mut(id) {
            issue.group = Some(group);
            detector.groups = true;
        }
    }
}
