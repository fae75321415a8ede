//! What is known of every sample, as columns: what the dataset says, what was decided, and what each detector found.
//!
//! Rows are those of the dataset, removed samples included: a column says what was decided.

use super::Export;
use super::manifest::notes;
use super::other_cells::json_cell;
use crate::text::json_numbers;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::manifest::ExtraColumn;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::verdict::is_flagged;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Nothing,
    /// A path as in the dataset, which may be any bytes.
    Path(&'a Path),
    /// The name of a class.
    Class(Cow<'a, str>),
    Text(Cow<'a, str>),
    Tags(&'a [String]),
    Number(f32),
    Flag(bool),
    /// What is not text in the dataset, and the text of its cell.
    Json {
        text: &'a str,
        value: Value,
    },
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Flag,
    /// Numbers of the dataset, without and with decimal places.
    Integer,
    Double,
}

/// What a detector says of a sample.
#[derive(Debug, Clone, Copy)]
enum Says {
    Score,
    Flag,
    Suggestion,
    Reason,
}

#[derive(Clone, Copy)]
enum Holds<'a> {
    Path,
    Label,
    Split,
    Decision,
    NewLabel,
    Tags,
    Note,
    Reviewer,
    Date,
    Score,
    Detector(&'a DetectorResult, f32, Says),
    Attribute(&'a DetectorResult, &'a str),
    Extra(&'a ExtraColumn, bool),
}

/// A column.
pub(super) struct Column<'a> {
    pub(super) name: String,
    pub(super) kind: Kind,
    holds: Holds<'a>,
}

/// The columns of all samples.
pub(super) struct SampleTable<'a> {
    export: Export<'a>,
    pub(super) columns: Vec<Column<'a>>,
    /// Columns of the dataset that have another name here, in sentences.
    pub(super) renamed: Vec<String>,
}

impl<'a> SampleTable<'a> {
    pub(super) fn of(export: &Export<'a>) -> SampleTable<'a> {
        let mut columns: Vec<Column<'a>> = [
            ("path", Holds::Path),
            ("label", Holds::Label),
            ("split", Holds::Split),
            ("decision", Holds::Decision),
            ("new_label", Holds::NewLabel),
            ("tags", Holds::Tags),
            ("note", Holds::Note),
            ("reviewer", Holds::Reviewer),
            ("date", Holds::Date),
            ("score", Holds::Score),
        ]
        .map(|(name, holds)| Column::new(name.to_owned(), holds))
        .into();
        let verdicts = export.source.verdicts();
        for (name, result) in export.source.results {
            let result: &'a DetectorResult = result;
            let threshold = verdicts.threshold(name, result);
            let mut add = |heading: String, says| {
                columns.push(Column::new(heading, Holds::Detector(result, threshold, says)));
            };
            add(format!("{name}_score"), Says::Score);
            add(format!("is_{name}_issue"), Says::Flag);
            if result.suggests() {
                add(format!("{name}_suggestion"), Says::Suggestion);
            }
            add(format!("{name}_reason"), Says::Reason);
            for attribute in result.attributes() {
                columns.push(Column::new(format!("{name}_{attribute}"), Holds::Attribute(result, attribute)));
            }
        }
        let mut taken: BTreeSet<String> = columns.iter().map(|column| column.name.to_lowercase()).collect();
        let mut renamed = Vec::new();
        for extra in export.source.manifest.extra() {
            let name = free_name(&extra.name, &mut taken);
            if name != extra.name {
                let (old, new) = (safe_text(&extra.name), safe_text(&name));
                renamed.push(format!(
                    "the column '{old}' of the dataset is '{new}', because that name was taken"
                ));
            }
            let typed = export.source.manifest.is_typed(&extra.name);
            let kind = if typed { kind_of(extra) } else { Kind::Text };
            columns.push(Column { name, kind, holds: Holds::Extra(extra, typed) });
        }
        SampleTable { export: *export, columns, renamed }
    }

    /// The cell of a sample.
    pub(super) fn cell(&self, column: &Column<'a>, id: SampleId) -> Cell<'a> {
        let (manifest, decisions) = (self.export.source.manifest, self.export.source.decisions);
        let text = |text: &'a str| if text.is_empty() { Cell::Nothing } else { Cell::Text(text.into()) };
        let owned = |text: String| if text.is_empty() { Cell::Nothing } else { Cell::Text(text.into()) };
        let class = |name: &'a str| if name.is_empty() { Cell::Nothing } else { Cell::Class(name.into()) };
        match column.holds {
            Holds::Path => Cell::Path(manifest.path(id)),
            Holds::Label => class(manifest.label_name(id)),
            Holds::Split => text(manifest.split_as_written(id)),
            Holds::Decision => text(self.export.decision(id)),
            Holds::NewLabel => self.export.new_label(id).map_or(Cell::Nothing, Cell::Class),
            Holds::Tags => match decisions.tags(id) {
                [] => Cell::Nothing,
                tags => Cell::Tags(tags),
            },
            Holds::Note => match notes(&decisions.notes(id)) {
                note if note.is_empty() => Cell::Nothing,
                note => Cell::Text(note),
            },
            Holds::Reviewer => text(decisions.review(id).map_or("", |review| review.author)),
            Holds::Date => owned(decisions.review(id).map_or_else(String::new, |review| review.at())),
            Holds::Score => self.export.source.ranking.score(id.index()).map_or(Cell::Nothing, Cell::Number),
            Holds::Detector(result, threshold, says) => {
                let Some(score) = result.score(id) else { return Cell::Nothing };
                match says {
                    Says::Score => Cell::Number(score),
                    Says::Flag => Cell::Flag(is_flagged(score, threshold)),
                    Says::Suggestion => class(self.export.suggested_by(result, id).unwrap_or_default()),
                    Says::Reason => text(result.reason(id)),
                }
            }
            Holds::Attribute(result, name) => result.attribute(name, id).map_or(Cell::Nothing, Cell::Number),
            Holds::Extra(extra, typed) => match &*extra.values[id.index()] {
                cell if typed && !cell.is_empty() => Cell::Json { text: cell, value: json_cell(true, cell) },
                cell => text(cell),
            },
        }
    }
}

impl<'a> Column<'a> {
    fn new(name: String, holds: Holds<'a>) -> Column<'a> {
        let kind = match holds {
            Holds::Score | Holds::Attribute(..) | Holds::Detector(_, _, Says::Score) => Kind::Number,
            Holds::Detector(_, _, Says::Flag) => Kind::Flag,
            _ => Kind::Text,
        };
        Column { name, kind, holds }
    }
}

/// What the cells of a column are that has no texts; one of several kinds is one of text, which is JSON.
fn kind_of(column: &ExtraColumn) -> Kind {
    // Whole numbers beside others must be among those that a double has.
    let is_double = |value: &Value| match value.as_i64() {
        Some(whole) => whole.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS,
        // What is written in another way is a double, unless it is a whole number with too many digits.
        None => {
            value.is_f64() || json_numbers::spelling(value).is_some_and(|text| text.contains(['.', 'e', 'E']))
        }
    };
    let mut values = column.values.iter().filter(|text| !text.is_empty()).peekable();
    let any = values.peek().is_some();
    let (mut flags, mut integers, mut doubles) = (any, any, any);
    for value in values.map(|text| json_cell(true, text)) {
        flags &= value.is_boolean();
        integers &= value.is_i64();
        doubles &= is_double(&value);
        if !(flags || integers || doubles) {
            break;
        }
    }
    match (flags, integers, doubles) {
        (true, ..) => Kind::Flag,
        (_, true, _) => Kind::Integer,
        (.., true) => Kind::Double,
        _ => Kind::Text,
    }
}

/// A name that is not taken yet, compared without case: `NAME`, or else `NAME-2`.
pub(super) fn free_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut free = if name.trim().is_empty() { "column".to_owned() } else { name.to_owned() };
    let mut number = 1;
    while !taken.insert(free.to_lowercase()) {
        number += 1;
        free = format!("{name}-{number}");
    }
    free
}

/// A number as JSON, in the decimal places that it has as a 32-bit number.
pub(super) fn json_number(number: f32) -> serde_json::Value {
    number.to_string().parse::<f64>().map_or(serde_json::Value::Null, serde_json::Value::from)
}
