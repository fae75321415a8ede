//! Walking over more rows than are cached: for the next class, to mark many. Window by window, so that
//! neither memory nor the screen suffers, and any key still works in between.

use super::{Effects, motion, say, send};
use crate::model::{Level, Model, Purpose, Then, Walk};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Row};

/// Rows per request.
const WINDOW: u64 = 1024;
/// Rows that can be marked at once.
const MOST: u64 = 10_000;

/// Marks rows, and does something with them then.
pub(super) fn gather(model: &mut Model, from: u64, to: u64, then: Then, fx: &mut Effects) {
    if model.list.total == 0 {
        return;
    }
    let count = to - from + 1;
    if count > MOST {
        let text = format!("{count} rows: at most {MOST} can be marked at once; narrow the filter");
        return say(model, Level::Warning, text);
    }
    let purpose = Purpose::Gather { to, samples: Vec::new(), then };
    model.list.walk = Some(Walk { purpose, next: from, forward: true, awaiting: None });
    step(model, fx);
}

/// Starts a walk from the cursor.
pub(super) fn start(model: &mut Model, purpose: Purpose, forward: bool, fx: &mut Effects) {
    // A message from before must not stay when the cursor has gone elsewhere.
    model.toast = None;
    let cursor = model.list.cursor;
    let next =
        if forward { Some(cursor + 1).filter(|row| *row < model.list.total) } else { cursor.checked_sub(1) };
    match next {
        Some(next) => {
            model.list.walk = Some(Walk { purpose, next, forward, awaiting: None });
            step(model, fx);
        }
        None => nothing(model, &purpose, forward),
    }
}

/// Rows arrived; if the walk waits for them, it continues.
pub(super) fn rows(model: &mut Model, start: u64, rows: &[Row], fx: &mut Effects) {
    let Some(walk) = &mut model.list.walk else { return };
    if walk.awaiting != Some(start) {
        return;
    }
    walk.awaiting = None;
    let end = start + rows.len() as u64;
    if walk.next < start || walk.next >= end {
        // Fewer rows than expected: the list has changed, and the new one is about to arrive.
        model.list.walk = None;
        return;
    }
    loop {
        let Some(walk) = &mut model.list.walk else { return };
        if walk.next < start || walk.next >= end {
            break;
        }
        let row = rows[(walk.next - start) as usize].clone();
        if !look(model, &row) {
            return;
        }
    }
    step(model, fx);
}

/// Looks at rows that are held, then asks for more.
fn step(model: &mut Model, fx: &mut Effects) {
    while let Some(walk) = &model.list.walk {
        let Some(row) = model.list.rows.get(walk.next).cloned() else { break };
        if !look(model, &row) {
            return;
        }
    }
    let Some(walk) = &mut model.list.walk else { return };
    let start = if walk.forward { walk.next } else { (walk.next + 1).saturating_sub(WINDOW) };
    let len =
        WINDOW.min(model.list.total - start).min(if walk.forward { WINDOW } else { walk.next + 1 - start });
    walk.awaiting = Some(start);
    send(fx, Command::Rows { ticket: model.list.ticket, start, len: len as u32 });
}

/// Looks at the next row. Returns whether the walk continues.
fn look(model: &mut Model, row: &Row) -> bool {
    let total = model.list.total;
    let Some(mut walk) = model.list.walk.take() else { return false };
    let index = walk.next;
    let hit = match &mut walk.purpose {
        Purpose::Class(label) => row.label != *label,
        Purpose::Gather { to, samples, then } => {
            samples.push(row.sample);
            if index >= *to {
                let (samples, then) = (std::mem::take(samples), *then);
                finish(model, samples, then);
                return false;
            }
            false
        }
    };
    if hit {
        motion::go(model, index);
        return false;
    }
    let next = if walk.forward { Some(index + 1).filter(|row| *row < total) } else { index.checked_sub(1) };
    match next {
        Some(next) => {
            walk.next = next;
            model.list.walk = Some(walk);
            true
        }
        None => {
            nothing(model, &walk.purpose, walk.forward);
            false
        }
    }
}

fn finish(model: &mut Model, samples: Vec<SampleId>, then: Then) {
    model.review.marks.extend(samples);
    match then {
        Then::Mark => {
            let text = format!("{} marked", model.review.marks.len());
            say(model, Level::Info, text);
        }
        Then::Do(action) => model.next = Some(action),
    }
}

fn nothing(model: &mut Model, purpose: &Purpose, forward: bool) {
    let direction = if forward { "below" } else { "above" };
    if matches!(purpose, Purpose::Class(_)) {
        say(model, Level::Info, format!("no other class {direction}"));
    }
}
