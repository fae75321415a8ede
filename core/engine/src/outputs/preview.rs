//! What would be written, in lines.

use chaffinch_protocol::display::{counted, thousands};
use chaffinch_protocol::{OutputLine, OutputMark};
use chaffinch_review::repair::{Count, Plan};

/// Lines of a kind that are listed, here and where it says what was written: an interface draws them again and again.
const LISTED: usize = 200;

/// Counts by class and split, and the first changes.
pub(super) fn of_plan(plan: &Plan) -> Vec<OutputLine> {
    let mut lines = vec![OutputLine::new(OutputMark::Heading, totals(plan))];
    lines.extend(counts(plan));
    if !plan.changes.is_empty() {
        lines.push(OutputLine::default());
    }
    let changes = plan.changes.iter().take(LISTED).map(|change| {
        let mark = if change.remove { OutputMark::Removed } else { OutputMark::Changed };
        OutputLine::new(mark, change.words())
    });
    lines.extend(changes);
    more(plan.changes.len(), "change", "changes", &mut lines);
    if !plan.conflicts.is_empty() {
        let conflicts = counted(plan.conflicts.len() as u64, "conflict", "conflicts");
        lines.push(OutputLine::default());
        lines
            .push(OutputLine::new(OutputMark::Warning, format!("{conflicts}, in which nothing is changed:")));
        let told = plan.conflicts.iter().take(LISTED);
        lines.extend(told.map(|conflict| OutputLine::new(OutputMark::Warning, conflict.words())));
        more(plan.conflicts.len(), "conflict", "conflicts", &mut lines);
    }
    lines
}

fn more(count: usize, one: &str, many: &str, lines: &mut Vec<OutputLine>) {
    if let Some(more @ 1..) = count.checked_sub(LISTED) {
        let what = if more == 1 { one } else { many };
        lines
            .push(OutputLine::new(OutputMark::Remark, format!("and {} more {what}", thousands(more as u64))));
    }
}

/// `12 samples: 3 removed, 1 relabeled, 0 moved to another split`.
pub(super) fn totals(plan: &Plan) -> String {
    format!(
        "{}: {} removed, {} relabeled, {} moved to another split",
        counted(plan.samples, "sample", "samples"),
        thousands(plan.removed()),
        thousands(plan.relabeled()),
        thousands(plan.moved())
    )
}

/// A table of the classes and splits that change.
fn counts(plan: &Plan) -> Vec<OutputLine> {
    let head = Count::COLUMNS.map(str::to_owned);
    let rows: Vec<[String; 7]> = plan.counts.changed().take(LISTED).map(Count::cells).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let all = || std::iter::once(&head).chain(&rows);
    let widths: Vec<usize> =
        (0..7).map(|at| all().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).enumerate().map(|(at, (cell, &width))| match at {
            0 | 1 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    let mark = |at: usize| if at == 0 { OutputMark::Remark } else { OutputMark::Text };
    let mut lines: Vec<OutputLine> =
        all().enumerate().map(|(at, row)| OutputLine::new(mark(at), line(row))).collect();
    more(plan.counts.changed().count(), "class", "classes", &mut lines);
    lines
}

/// The first of many lines, and how many more there are.
pub(super) fn first(
    mark: OutputMark,
    all: &[String],
    words: impl Fn(&str) -> String,
    (one, many): (&str, &str),
) -> Vec<OutputLine> {
    let mut lines: Vec<OutputLine> =
        all.iter().take(LISTED).map(|text| OutputLine::new(mark, words(text))).collect();
    more(all.len(), one, many, &mut lines);
    lines
}
