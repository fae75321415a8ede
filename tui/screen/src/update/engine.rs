//! Handling of the engine's events.

use super::{Effect, Effects, macros, motion, panels, part, prompt, say, search, send, targets, walk};
use crate::model::{Anchor, Level, Model, Op, Shown, ViewState};
use crate::picture::{EncodeJob, EncodeResult, Pixels};
use crate::text::counted;
use chaffinch_protocol::decision::{Choice, Decision};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{
    Command, Event, ListCounts, PROTOCOL_VERSION, Picture, Row, Saved, SavedKind, ScanReport, SessionSummary,
    ViewEvent,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many log lines and problems are kept.
const KEPT: usize = 500;

pub(super) fn event(model: &mut Model, event: Event, fx: &mut Effects) {
    match event {
        Event::Session(summary) => {
            session(model, summary, fx);
            panels::refresh(model, fx);
        }
        Event::Overview { ticket, overview } => panels::overviewed(model, ticket, overview),
        Event::Progress(progress) => model.jobs.progress = Some(progress),
        Event::ScanDone(report) => {
            model.jobs.progress = None;
            let (level, mut text) = scanned(&report);
            if let (Level::Info, Some(caveat)) = (level, report.reading.caveat()) {
                text.push_str(&format!("; {caveat}"));
            }
            say(model, level, text);
            model.jobs.report = Some(report);
            // Requests during the scan had no embeddings to use.
            model.details.expire();
        }
        Event::Trouble { about, message } => {
            say(model, Level::Warning, format!("{about}: {message}"));
            model.jobs.troubles.push_back((about, message));
            if model.jobs.troubles.len() > KEPT {
                model.jobs.troubles.pop_front();
            }
        }
        Event::Listed { ticket, total, decided, by_choice } => {
            listed(model, ticket, (total, decided, by_choice), fx)
        }
        Event::NotListed { ticket, message, at } => prompt::not_listed(model, ticket, message, at, fx),
        Event::Rows { ticket, start, rows } => got_rows(model, ticket, start, rows, fx),
        Event::Located { ticket, sample, row } => located(model, ticket, sample, row, fx),
        Event::Found { ticket, row } => {
            if ticket == model.list.ticket
                && let Some(forward) = model.list.finding.take()
            {
                match row {
                    Some(row) => motion::go(model, row),
                    None if forward => say(model, Level::Info, "nothing undecided below"),
                    None => say(model, Level::Info, "nothing undecided above"),
                }
            }
        }
        Event::Detail(detail) => model.details.insert(detail),
        Event::Picture(picture) => got_picture(model, picture, fx),
        Event::View(event) => view(model, *event, fx),
        Event::Saved(saved) => got_saved(model, saved, fx),
        Event::RowsOf { ticket, rows } => targets::resolved(model, ticket, rows),
        Event::NotSaved { message } => not_saved(model, message, fx),
        Event::Refused { message } => refused(model, message),
        Event::Log { line } => log(model, line),
        Event::Replaced => fx.push(Effect::Replaced),
        Event::Bye => fx.push(Effect::Gone),
    }
}

/// What became of a scan. One that failed as a whole counted nothing.
fn scanned(report: &ScanReport) -> (Level, String) {
    match report.failed.iter().find(|(about, _)| about == "scan") {
        Some((_, why)) if why == "stopped" => (Level::Info, "scan stopped: gs resumes it".into()),
        Some((_, why)) => (Level::Error, format!("the scan failed: {why}")),
        None => {
            let samples = counted(report.samples, "sample", "samples");
            (Level::Info, format!("scanned {samples}: {}", counted(report.suspects, "suspect", "suspects")))
        }
    }
}

/// A response for a page; goes to the page that requested it.
fn view(model: &mut Model, event: ViewEvent, fx: &mut Effects) {
    let mut left = search::answered(model, event);
    for page in model.views.all {
        let Some(event) = left.take() else { return };
        left = page.event(model, event, fx);
    }
}

pub(super) fn log(model: &mut Model, line: String) {
    model.jobs.log.push_back(line);
    if model.jobs.log.len() > KEPT {
        model.jobs.log.pop_front();
    }
}

fn session(model: &mut Model, summary: Box<SessionSummary>, fx: &mut Effects) {
    if summary.protocol != PROTOCOL_VERSION {
        let text = format!(
            "the engine speaks protocol version {}, this program speaks version {PROTOCOL_VERSION}: \
             stop the engine and reopen the session",
            summary.protocol
        );
        return say(model, Level::Error, text);
    }
    let chosen = model.chosen_name().map(str::to_owned);
    let before = model.session.replace(summary);
    let Some(summary) = &model.session else { return };
    match before {
        None => {
            let stale = summary.stale;
            let state: ViewState = serde_json::from_str(&summary.remembered).unwrap_or_default();
            model.time.remembered = summary.remembered.clone();
            let at = summary.detectors.iter().position(|d| d.name == state.detector);
            model.detector = at.unwrap_or(0);
            model.review.recent.clone_from(&state.recent);
            let tags =
                state.tags.iter().filter(|tag| !model.review.tags.contains(tag)).cloned().collect::<Vec<_>>();
            model.review.tags.extend(tags);
            macros::restore(model, &state.keys);
            model.review.advance = !state.stay;
            for page in model.views.all {
                page.restore(model, &state);
            }
            model.list.top = state.top;
            model.list.placed = state.sample.is_some();
            let anchor =
                if state.sample.is_some() { Anchor::Position(state.sample, state.row) } else { Anchor::Top };
            motion::relist(model, state.query, anchor, fx);
            model.time.remember_at = None;
            if stale && model.jobs.scan_when_stale {
                send(fx, Command::Scan { detectors: Vec::new() });
            }
        }
        Some(before) => {
            let at = chosen.and_then(|name| summary.detectors.iter().position(|d| d.name == name));
            model.detector = at.unwrap_or(0);
            // A pending threshold takes precedence over the engine's old one.
            let changed = before.samples != summary.samples
                || before.suspects != summary.suspects
                || before.ensemble != summary.ensemble
                || before.classes != summary.classes
                || before.detectors != summary.detectors;
            if let Some((name, value, _)) = &model.time.threshold
                && let Some(session) = &mut model.session
                && let Some(detector) = session.detectors.iter_mut().find(|d| d.name == *name)
            {
                detector.threshold = *value;
            }
            if changed || model.list.query.sort == Default::default() && model.list.total == 0 {
                model.details.expire();
                model.forget_views();
                motion::refresh(model, fx);
            }
        }
    }
}

fn listed(model: &mut Model, ticket: u64, counts: (u64, u64, [u64; 4]), fx: &mut Effects) {
    // The cursor of the list, whatever page lies over it.
    let here = model.list.rows.get(model.list.cursor).map(|row| row.sample);
    let offset = model.list.cursor;
    let Some(incoming) = model.list.incoming.as_mut().filter(|incoming| incoming.ticket == ticket) else {
        return;
    };
    incoming.counts = Some(counts);
    if counts.0 == 0 {
        incoming.cursor = Some(0);
        return commit(model, 0, Vec::new(), fx);
    }
    let (sample, row) = match incoming.anchor {
        Anchor::Top => (None, 0),
        Anchor::Stay => (here, offset),
        Anchor::Position(sample, row) => (sample, row),
    };
    incoming.here = sample;
    match sample {
        Some(sample) => send(fx, Command::Locate { ticket, sample }),
        None => motion::arrive(model, row, fx),
    }
}

/// The next list takes the place of the one on the screen.
fn commit(model: &mut Model, start: u64, rows: Vec<Row>, fx: &mut Effects) {
    let page = motion::page(model);
    let before = model.list.rows.get(model.list.cursor).map(|row| row.sample);
    let Some(incoming) = model.list.incoming.take() else { return };
    let (total, decided, by_choice) = incoming.counts.unwrap_or_default();
    let list = &mut model.list;
    // The cursor keeps its height on the screen.
    let height = list.cursor.saturating_sub(list.top).min(page - 1);
    let restored = matches!(incoming.anchor, Anchor::Position(..)).then_some(list.top);
    list.ticket = incoming.ticket;
    list.shown = list.query.clone();
    (list.total, list.decided, list.by_choice) = (total, decided, by_choice);
    list.cursor = incoming.cursor.unwrap_or(0).min(total.saturating_sub(1));
    list.top = match restored {
        Some(top) if (top..top + page).contains(&list.cursor) => top,
        _ => list.cursor.saturating_sub(height),
    };
    list.reveal(page);
    model.review.visual = None;
    model.views.look.scroll = 0;
    model.list.rows.clear();
    if !rows.is_empty() {
        model.list.rows.seed(start, rows);
    }
    prompt::listed(model, incoming.ticket);
    let after = model.list.rows.get(model.list.cursor).map(|row| row.sample);
    if !incoming.keyed && before.is_some() && before != after {
        model.list.changed_at = Some(model.time.now);
    }
    if let Some(forward) = incoming.find {
        motion::undecided(model, forward, fx);
    }
}

fn got_rows(model: &mut Model, ticket: u64, start: u64, rows: Vec<Row>, fx: &mut Effects) {
    if let Some(incoming) = &model.list.incoming
        && incoming.ticket == ticket
        && incoming.cursor.is_some_and(|row| row >= start && row < start + rows.len().max(1) as u64)
    {
        // The cursor may have moved since its sample was looked for.
        let here = model.list.rows.get(model.list.cursor).map(|row| row.sample);
        let stays = incoming.anchor == Anchor::Stay;
        match here.filter(|here| stays && incoming.here != Some(*here)) {
            None => return commit(model, start, rows, fx),
            Some(sample) => {
                if let Some(incoming) = &mut model.list.incoming {
                    (incoming.here, incoming.cursor) = (Some(sample), None);
                }
                return send(fx, Command::Locate { ticket, sample });
            }
        }
    }
    if ticket == model.list.ticket {
        walk::rows(model, start, &rows, fx);
        model.list.rows.insert(start, rows, model.list.cursor);
    }
}

fn located(
    model: &mut Model,
    ticket: u64,
    sample: chaffinch_protocol::sample::SampleId,
    row: Option<u64>,
    fx: &mut Effects,
) {
    if let Some(incoming) = &model.list.incoming
        && incoming.ticket == ticket
    {
        let fallback = match incoming.anchor {
            Anchor::Position(_, row) => row,
            // A filter that hides the sample leaves the cursor where it was on the screen at most.
            Anchor::Stay => model.list.cursor,
            Anchor::Top => 0,
        };
        // A row requested since then takes precedence over the sample's.
        let row = row.filter(|_| !matches!(incoming.anchor, Anchor::Position(None, _)));
        return motion::arrive(model, row.unwrap_or(fallback), fx);
    }
    if ticket == model.list.ticket && model.list.locating == Some(sample) {
        model.list.locating = None;
        match row {
            Some(row) => motion::go(model, row),
            None => {
                let text = model.toast.take().map(|toast| toast.text).unwrap_or_default();
                say(model, Level::Info, format!("{text}   (not in this list)"));
            }
        }
    }
}

fn got_picture(model: &mut Model, picture: Picture, fx: &mut Effects) {
    let Some((ticket, key, _)) = model.pictures.asked.get(&picture.slot).copied() else { return };
    if ticket != picture.ticket {
        return;
    }
    if let Some(error) = picture.error {
        model.pictures.asked.remove(&picture.slot);
        return model.pictures.insert(key, Shown::Failed(error));
    }
    let bytes = u64::from(picture.width) * u64::from(picture.height) * 3;
    if picture.width == 0 || bytes != picture.rgb.len() as u64 {
        model.pictures.asked.remove(&picture.slot);
        return model.pictures.insert(key, Shown::Failed("the picture has no pixels".to_owned()));
    }
    let pixels = Pixels { width: picture.width, height: picture.height, rgb: picture.rgb };
    part::seen(model, key.sample, picture.whole);
    let pixels = part::enlarged(pixels, key.part);
    let (slot, pixels, target) = (picture.slot, Arc::new(pixels), model.display.target);
    fx.push(Effect::Encode(EncodeJob { slot, ticket, key, pixels, target, above: None, budget: None }));
}

pub(super) fn encoded(model: &mut Model, result: EncodeResult) {
    let key = result.key;
    if result.adds {
        model.pictures.steps[usize::from(result.slow)] = None;
        if result.target == model.display.target {
            match result.encoded.graphics.into_iter().next() {
                Some(better) if result.slow && !model.resting() => {
                    model.pictures.prepared = Some((key, better));
                }
                better => model.pictures.add(key, better),
            }
        }
        return;
    }
    let current = model.pictures.asked.get(&result.slot).is_some_and(|(ticket, ..)| *ticket == result.ticket);
    if current {
        model.pictures.asked.remove(&result.slot);
    }
    // Encoded for another method: it is requested again.
    if result.target == model.display.target {
        model.pictures.insert(key, Shown::Ready(Arc::new(result.encoded)));
    }
}

fn got_saved(model: &mut Model, saved: Saved, fx: &mut Effects) {
    let (op, remark) = model.review.journal.pop().unzip();
    let journal = &mut model.review.journal;
    journal.undoable = Some(saved.undoable);
    journal.redoable = saved.redoable;
    journal.saved = true;
    if let Some(session) = &mut model.session {
        session.decided = saved.decided;
    }
    counted_anew(model, saved.listed);
    if saved.kind == SavedKind::Undo {
        model.review.sitting.undone += saved.samples.len() as u64;
    }
    let first = saved.samples.first().copied();
    let moves = saved.kind != SavedKind::Decision;
    let tagged = matches!(op, Some(Op::Tag));
    if moves || tagged {
        // Tags and notes are only in the details.
        model.details.expire();
    }
    let decided = op.as_ref().map(Op::choices).filter(|choices| !choices.is_empty() && !moves);
    let uniform = saved.samples.len() == 1 || decided.is_some();
    match decided {
        _ if saved.samples.len() == 1 => set(model, &saved.samples, saved.decision.as_ref()),
        Some(choices) => set_each(model, choices.into_iter().collect()),
        // Several samples that may now differ: the list is requested again.
        None => {
            model.details.expire();
            match first.filter(|_| moves) {
                Some(first) => {
                    let anchor = Anchor::Position(Some(first), model.list.cursor);
                    let query = model.list.query.clone();
                    motion::relist(model, query, anchor, fx);
                }
                None => motion::refresh(model, fx),
            }
        }
    }
    let key = |action| model.keymap.key_for(action).map(crate::key::shown).unwrap_or_default();
    let hint = match saved.kind {
        SavedKind::Decision | SavedKind::Redo => {
            format!("{}   {} undo", saved.text, key(crate::action::Action::Undo))
        }
        SavedKind::Undo => format!("{}   {} redo", saved.text, key(crate::action::Action::Redo)),
    };
    match remark.filter(|remark| !remark.is_empty()) {
        // What was left out is more important than what was done.
        Some(remark) => say(model, Level::Warning, format!("{hint}   {remark}")),
        None => say(model, Level::Info, hint),
    }
    if let Some(first) = first.filter(|_| moves && uniform) {
        motion::go_to(model, first, fx);
    }
    model.views.stale = true;
    if let Some(first) = first.filter(|_| moves) {
        model.views.page.reveal(model, Some(first));
    }
    finish_quitting(model, fx);
}

/// The engine has counted the decisions of a list, which is the one on the screen or the next one.
fn counted_anew(model: &mut Model, counts: Option<ListCounts>) {
    let Some(ListCounts { ticket, by_choice }) = counts else { return };
    let list = &mut model.list;
    if ticket == list.ticket {
        list.by_choice = by_choice;
        list.decided = by_choice.iter().sum();
    } else if let Some(incoming) = &mut list.incoming
        && incoming.ticket == ticket
        && let Some((_, decided, counts)) = &mut incoming.counts
    {
        (*decided, *counts) = (by_choice.iter().sum(), by_choice);
    }
}

fn set(model: &mut Model, samples: &[SampleId], decision: Option<&Decision>) {
    let samples: BTreeSet<_> = samples.iter().copied().collect();
    change(model, &mut |row: &mut Row| {
        if samples.contains(&row.sample) {
            row.decision = decision.cloned();
        }
    });
}

/// Several samples were decided about, whose tags and notes stay.
fn set_each(model: &mut Model, choices: BTreeMap<SampleId, Option<Choice>>) {
    change(model, &mut |row: &mut Row| {
        if let Some(choice) = choices.get(&row.sample) {
            row.decision = choice.clone().map(|choice| match row.decision.take() {
                Some(before) => Decision { choice, ..before },
                None => choice.into(),
            });
        }
    });
}

fn change(model: &mut Model, mut change: &mut dyn FnMut(&mut Row)) {
    model.list.rows.each_mut(&mut change);
    model.details.each_mut(|detail| change(&mut detail.row));
    for page in model.views.all {
        page.each_row_mut(model, &mut change);
    }
}

/// The oldest thing that was sent to be saved was not.
fn not_saved(model: &mut Model, message: String, fx: &mut Effects) {
    let op = model.review.journal.pop().map(|(op, _)| op);
    let level = if matches!(op, Some(Op::Undo | Op::Redo)) { Level::Warning } else { Level::Error };
    say(model, level, message);
    match op {
        Some(op @ (Op::Decide { .. } | Op::DecideEach(_) | Op::KeepOnly { .. })) => {
            let samples = op.samples();
            // While quitting, the user must see that this was not saved.
            let waiting = model.time.quitting.take().is_some();
            model.views.stale = true;
            model.views.page.reveal(model, samples.first().copied());
            let place = samples.first().and_then(|first| model.list.rows.place_of(*first));
            if let Some(row) = place.filter(|_| !waiting) {
                motion::go(model, row);
            }
            motion::refresh(model, fx);
        }
        _ => finish_quitting(model, fx),
    }
}

/// Something else was refused.
fn refused(model: &mut Model, message: String) {
    say(model, Level::Error, message);
    // If a list is on its way, it is the list: the shown one stays.
    if model.list.incoming.take().is_some() {
        model.list.query = model.list.shown.clone();
    }
}

/// Quits once the last save is confirmed.
fn finish_quitting(model: &mut Model, fx: &mut Effects) {
    if model.time.quitting.is_some() && model.review.journal.outstanding.is_empty() {
        fx.push(Effect::Quit(0));
    }
}

/// Sends the view state to the engine if it has changed.
pub(super) fn remember(model: &mut Model, fx: &mut Effects) {
    model.time.remember_at = None;
    if model.session.is_none() || model.list.ticket == 0 {
        return;
    }
    if let Ok(state) = serde_json::to_string(&model.view_state())
        && state != model.time.remembered
    {
        model.time.remembered.clone_from(&state);
        send(fx, Command::Remember { state });
    }
}
