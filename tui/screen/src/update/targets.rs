//! The targets of an action.

use super::{Effects, say, send, show, walk};
use crate::action::Action;
use crate::model::{Level, Model, Resolved, Resolving, Then, group};
use crate::text::counted;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, ListedRow, Row};
use std::collections::BTreeMap;

/// What an action applies to.
pub(super) struct Targets {
    /// The samples.
    pub(super) samples: Vec<SampleId>,
    /// Their rows, where they are marked or a group; else empty.
    pub(super) rows: Vec<Row>,
}

impl Targets {
    /// Whether they are marked samples or a group, not the one under the cursor.
    pub(super) fn many(&self) -> bool {
        !self.rows.is_empty()
    }
}

/// Whether an action applies to more than the sample under the cursor.
fn is_group(action: Action) -> bool {
    matches!(action, Action::KeepGroup | Action::RemoveGroup | Action::RelabelGroup | Action::UnsureGroup)
}

/// The targets of an action: the marked samples that are in sight; else the group, for group actions; else the sample
/// under the cursor. `None` with a message, or with a request in progress that repeats the action at its end.
pub(super) fn targets(model: &mut Model, action: Action, fx: &mut Effects) -> Option<Targets> {
    if let Some(from) = model.review.visual.take() {
        let to = model.list.cursor;
        walk::gather(model, from.min(to), from.max(to), Then::Do(action), fx);
        return None;
    }
    if !model.review.marks.is_empty() {
        let marked = model.review.marks.iter().copied().collect();
        let rows = rows_of(model, action, marked, fx)?;
        let page = model.views.page;
        // What a filter hides is not decided about unseen.
        let seen: Vec<Row> = rows
            .into_iter()
            .filter(|listed| listed.listed || page.shows(model, listed.row.sample))
            .map(|listed| listed.row)
            .collect();
        if seen.is_empty() {
            say(model, Level::Warning, all_hidden(model));
            return None;
        }
        return Some(Targets { samples: seen.iter().map(|row| row.sample).collect(), rows: seen });
    }
    let Some(sample) = model.sample() else {
        say(model, Level::Warning, "no sample is loaded yet");
        return None;
    };
    if !is_group(action) {
        return Some(Targets { samples: vec![sample], rows: Vec::new() });
    }
    let members = match model.views.page.group(model) {
        Some(group) => group,
        None => {
            let Some(detail) = model.details.get(sample) else {
                say(model, Level::Warning, "the group is still loading");
                return None;
            };
            group(detail)
        }
    };
    if members.is_empty() {
        say(model, Level::Warning, "this sample is in no group: mark samples instead");
        return None;
    }
    let rows: Vec<Row> = rows_of(model, action, members, fx)?.into_iter().map(|listed| listed.row).collect();
    Some(Targets { samples: rows.iter().map(|row| row.sample).collect(), rows })
}

/// The rows of samples wherever they are, in this order: at once if they are cached, else `None` and the action is
/// repeated when they have arrived.
pub(crate) fn rows_of(
    model: &mut Model,
    action: Action,
    samples: Vec<SampleId>,
    fx: &mut Effects,
) -> Option<Vec<ListedRow>> {
    if let Some(Resolved { rows, .. }) = model.review.resolved.take_if(|known| known.samples == samples) {
        return Some(rows);
    }
    let held: BTreeMap<SampleId, &Row> = model.list.rows.all().map(|row| (row.sample, row)).collect();
    let row =
        |sample: &SampleId| held.get(sample).map(|row| ListedRow { row: Row::clone(row), listed: true });
    if let Some(rows) = samples.iter().map(row).collect() {
        return Some(rows);
    }
    let ticket = show::ticket(model);
    let at = model.time.now;
    model.review.resolving = Some(Resolving { ticket, samples: samples.clone(), action, at });
    send(fx, Command::RowsOf { ticket, samples });
    None
}

/// The rows have arrived.
pub(super) fn resolved(model: &mut Model, ticket: u64, rows: Vec<ListedRow>) {
    if let Some(Resolving { samples, action, .. }) =
        model.review.resolving.take_if(|asked| asked.ticket == ticket)
    {
        if rows.is_empty() {
            return say(model, Level::Warning, "these samples are no longer in the dataset");
        }
        model.review.resolved = Some(Resolved { samples, rows });
        model.next = Some(action);
    }
}

/// Why none of the marked samples is decided about.
fn all_hidden(model: &Model) -> String {
    let key = |action| model.keymap.key_for(action).map(crate::key::shown).unwrap_or_default();
    let count = model.review.marks.len() as u64;
    let clear = key(Action::ClearMarks);
    let all = match count {
        1 => "the marked sample is".to_owned(),
        _ => format!("all {count} marked samples are"),
    };
    if model.list.query.filter.is_empty() {
        return format!(
            "{all} not in this list   {} lists all samples, {clear} unmarks",
            key(Action::ToggleAll)
        );
    }
    format!("{all} hidden by the filter   {} clears it, {clear} unmarks", key(Action::ClearFilter))
}

/// What is said about marked samples that a decision has left out because they are not in sight; empty if there are
/// none.
pub(super) fn left_out(model: &Model, count: usize) -> String {
    if count == 0 {
        return String::new();
    }
    let (are, were) = if count == 1 { ("is", "was") } else { ("are", "were") };
    let samples = counted(count as u64, "marked sample", "marked samples");
    let why = if model.list.query.filter.is_empty() { "not in this list" } else { "hidden by the filter" };
    format!("{samples} {are} {why} and {were} left alone")
}
