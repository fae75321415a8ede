//! Handling of the engine's events.

use super::{
    Effect, Effects, ahead, detector, macros, motion, panels, part, prompt, renumbered, saved, say, search,
    send, show, targets, trial, walk,
};
use crate::action::Action;
use crate::key::shown;
use crate::model::{Anchor, Level, Model, Shown, ViewState};
use crate::picture::{EncodeJob, EncodeResult, Pixels};
use crate::text::counted;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{
    Command, Event, OutputEvent, PROTOCOL_VERSION, Picture, Row, ScanReport, SessionSummary, Sort, ViewEvent,
};
use std::sync::Arc;

/// Bytes of a warning that is said again at the end of a scan.
const SHORT: usize = 80;

pub(super) fn event(model: &mut Model, event: Event, fx: &mut Effects) {
    match event {
        Event::Session(summary) => {
            session(model, summary, fx);
            trial::renewed(model);
            panels::refresh(model, fx);
        }
        Event::Overview { ticket, overview } => {
            panels::overviewed(model, ticket, overview);
            trial::renewed(model);
        }
        Event::Tried(_) | Event::PromptsSet(_) => answered(model, event),
        Event::Progress(progress) => model.jobs.progress = Some(progress),
        Event::ScanDone(report) => {
            let watched = model.jobs.progress.take().is_some();
            let model_name = model.session.as_ref().map(|session| session.model.clone()).unwrap_or_default();
            let (level, mut text) = scanned(&report, &model_name);
            if let (Level::Info, Some(caveat)) = (level, report.reading.caveat()) {
                let said = format!("; {caveat}");
                let keys = model.keymap.key_for(Action::Reading).map(shown).unwrap_or_default();
                // Half a caveat is none: where it does not fit beside the counts, the page with all of it is named.
                let room = usize::from(model.display.size.width).saturating_sub(16);
                let fits = crate::text::width(&text) + crate::text::width(&said) <= room;
                text.push_str(&if fits || keys.is_empty() {
                    said
                } else {
                    format!("; {keys}: what was not checked")
                });
            }
            // Its words were on the screen only until now.
            let warned = model.toast.as_ref().is_some_and(|toast| toast.level != Level::Info);
            // So was a warning of before the scan that is still there.
            let before = watched && warned && !model.jobs.troubles.is_empty();
            let met = std::mem::take(&mut model.jobs.met).max(u64::from(before));
            let level = if met > 0 && level == Level::Info {
                let keys = model.keymap.key_for(Action::Jobs).map(shown).unwrap_or_default();
                let last = model.jobs.troubles.back().filter(|_| met == 1);
                match last.map(|(about, message)| format!("; {about}: {message}")) {
                    Some(words) if words.len() <= SHORT => text.push_str(&words),
                    _ => text.push_str(&format!("; {keys}: {}", counted(met, "warning", "warnings"))),
                }
                Level::Warning
            } else {
                level
            };
            // Who joins is told of a scan that was before: what they are warned of stays.
            if watched || level == Level::Error || !warned {
                say(model, level, text);
            }
            model.jobs.report = Some(report);
            // Requests during the scan had no embeddings to use.
            model.details.expire();
            // What is drawn into pictures may be another now.
            let marked =
                model.display.regions && model.session.as_ref().is_some_and(|session| session.has_regions());
            if marked || model.display.relevance {
                model.pictures.clear();
            }
        }
        Event::Trouble { about, message } => {
            // A decision that was not saved is to be read first; this is kept, too.
            let refused = !model.review.journal.refused.is_empty();
            if model.toast.as_ref().is_none_or(|toast| toast.level != Level::Error || !refused) {
                say(model, Level::Warning, format!("{about}: {message}"));
            }
            model.jobs.trouble(about, message);
        }
        Event::Listed { ticket, total, decided, by_choice, note } => {
            if let Some(incoming) = model.list.incoming.as_mut().filter(|it| it.ticket == ticket) {
                incoming.note = note;
            }
            listed(model, ticket, (total, decided, by_choice), fx)
        }
        Event::Learned { better, .. } => model.list.learning.offered = better,
        Event::Delayed { ticket, why } => {
            if let Some(incoming) = model.list.incoming.as_mut().filter(|it| it.ticket == ticket) {
                incoming.delayed = Some(why);
            }
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
        Event::Output(event) => output(model, &event),
        Event::Saved(saved) => saved::saved(model, saved, fx),
        Event::RowsOf { ticket, rows } => targets::resolved(model, ticket, rows),
        Event::NotSaved { message } => saved::not_saved(model, message, fx),
        Event::Unchanged { message } => saved::unchanged(model, message, fx),
        Event::Refused { message } => refused(model, message),
        Event::Log { line } => model.jobs.note(line),
        Event::Elsewhere(elsewhere) => saved::elsewhere(model, elsewhere),
        Event::Notice { message } => {
            say(model, Level::Info, message.as_str());
            model.jobs.note(message);
        }
        Event::Dismissed { .. } => fx.push(Effect::Dismissed),
        Event::Bye { .. } => fx.push(Effect::Gone),
    }
}

/// What became of a scan. One that failed as a whole counted nothing.
fn scanned(report: &ScanReport, model: &str) -> (Level, String) {
    match report.failed.iter().find(|(about, _)| about == "scan") {
        Some((_, why)) if why == "stopped" => (Level::Info, "scan stopped: gs resumes it".into()),
        Some((_, why)) => (Level::Error, format!("the scan failed: {why}")),
        None => {
            let samples = counted(report.samples, "sample", "samples");
            // Which model it was is chosen by the pictures where none is named.
            let with = match model {
                "" => String::new(),
                _ if report.embedded == 0 => String::new(),
                model => format!(" with {model}"),
            };
            let suspects = counted(report.suspects, "suspect", "suspects");
            let scanned = format!("scanned {samples}{with}: {suspects}");
            match report.failed.as_slice() {
                [] => (Level::Info, scanned),
                [(name, why)] => (Level::Error, format!("{scanned}; {name}: {why}")),
                [(name, why), more @ ..] => {
                    let more = counted(more.len() as u64, "other", "others");
                    (Level::Error, format!("{scanned}; {name}: {why}; {more} as well, see gP"))
                }
            }
        }
    }
}

/// An answer for the page that asked; what no page asked for is about the parameters of a detector.
fn answered(model: &mut Model, event: Event) {
    let taken = model.views.all.iter().any(|page| page.answered(model, &event));
    match event {
        Event::Tried(_) if taken => model.jobs.progress = None,
        Event::Tried(tried) => trial::tried(model, tried),
        _ => {}
    }
}

/// An answer about something to be written.
fn output(model: &mut Model, event: &OutputEvent) {
    if matches!(event, OutputEvent::Written { .. } | OutputEvent::NotWritten { .. }) {
        model.jobs.progress = None;
    }
    for page in model.views.all {
        page.output(model, event);
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
    // By the engine's account, not by what the screen has shown ahead of it.
    let ranked = (summary.ensemble.clone(), summary.detectors.clone());
    let reranked = model.list.ranked.as_ref() != Some(&ranked);
    model.list.ranked = Some(ranked);
    let before = model.session.replace(summary);
    let Some(summary) = &model.session else { return };
    match before {
        None => {
            let stale = summary.stale;
            let disputed = summary.disputed;
            let state: ViewState = match model.views.afresh {
                true => ViewState::default(),
                false => serde_json::from_str(&summary.remembered).unwrap_or_default(),
            };
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
            if disputed > 0 {
                say(model, Level::Warning, disagree(disputed));
            }
            if stale && model.jobs.scan_when_stale {
                send(fx, Command::Scan { detectors: Vec::new(), opening: true });
            }
        }
        Some(before) => {
            let renumbered = before.numbering != summary.numbering;
            // What was learned is not about what is seen now.
            model.list.learning.offered &= !renumbered && before.blind == summary.blind;
            let at = chosen.as_ref().and_then(|name| summary.detectors.iter().position(|d| d.name == *name));
            model.detector = at.unwrap_or(0);
            let gone = chosen.filter(|_| at.is_none());
            // A pending threshold takes precedence over the engine's old one.
            let changed = before.samples != summary.samples
                || before.suspects != summary.suspects
                || before.classes != summary.classes
                || before.blind != summary.blind
                || reranked;
            if let Some((name, value, _)) = &model.time.threshold
                && let Some(session) = &mut model.session
                && let Some(detector) = session.detectors.iter_mut().find(|d| d.name == *name)
            {
                detector.threshold = *value;
            }
            if renumbered {
                renumbered::forget(model, fx);
            } else if changed || model.list.query.sort == Default::default() && model.list.total == 0 {
                model.details.expire();
                model.forget_views();
                motion::refresh(model, fx);
            }
            // No key may change the parameters of another one than those that were looked at.
            let ran = model.panels.idle.take_if(|idle| {
                model.session.iter().flat_map(|session| &session.detectors).any(|one| one.name == *idle)
            });
            if let Some(name) = ran {
                detector::tune(model, &name);
            } else if let Some(name) = gone
                && model.panels.idle.is_none()
                && model.panel().is_some_and(|page| page.name() == "detectors")
            {
                say(model, Level::Warning, format!("{name} has no results any more"));
                model.panels.idle = Some(name);
            }
        }
    }
}

/// On how many samples reviewers disagree, and how to list them.
fn disagree(disputed: u64) -> String {
    let samples = counted(disputed, "sample", "samples");
    format!(
        "reviewers disagree on {samples}: the filter is:disputed lists {}",
        if disputed == 1 { "it" } else { "them" }
    )
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
    // What pictures are lit by follows the search.
    let resorted = list.shown.sort != list.query.sort;
    let is_one = |is: fn(&Sort) -> bool| [&list.shown.sort, &list.query.sort].into_iter().any(is);
    let meant = is_one(|sort| matches!(sort, Sort::Meaning(_)));
    let relit = meant && resorted && model.display.relevance;
    if is_one(|sort| matches!(sort, Sort::Learned(_))) && resorted {
        // They say why a sample is where it is.
        model.details.expire();
    }
    list.shown = list.query.clone();
    list.learning.note = incoming.note;
    let taken = !list.learning.note.is_empty() && incoming.keyed && resorted;
    if taken {
        list.learning.offered = false;
    }
    (list.total, list.decided, list.by_choice) = (total, decided, by_choice);
    list.cursor = incoming.cursor.unwrap_or(0).min(total.saturating_sub(1));
    // A sample that has another number now is where its path is, if that is near.
    let sought = list.sought.take().and_then(|path| rows.iter().position(|row| row.path == path));
    if let Some(place) = sought {
        list.cursor = start + place as u64;
    }
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
    if relit {
        model.pictures.clear();
    }
    if taken {
        say(model, Level::Info, model.list.learning.note.clone());
    }
    prompt::listed(model, incoming.ticket);
    let after = model.list.rows.get(model.list.cursor).map(|row| row.sample);
    let renumbered = std::mem::take(&mut model.list.renumbered);
    if renumbered || !incoming.keyed && before.is_some() && before != after {
        model.list.changed_at = Some(model.time.now);
    }
    if renumbered && !model.ahead.is_empty() {
        ahead::drop_all(model, "dropped: the dataset has changed");
    }
    if let Some(forward) = incoming.find {
        let row = |model: &Model| model.list.rows.get(model.list.cursor).cloned();
        let is_there = || row(model).is_some_and(|row| model.choice(&row).is_none());
        if incoming.anchor != Anchor::Top || !is_there() {
            motion::undecided(model, forward, fx);
        }
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
            Some(row) => {
                if model.list.leaves {
                    show::leave(model);
                }
                motion::go(model, row);
            }
            None => unlisted(model, sample),
        }
    }
}

/// The sample to go to is not in the list.
fn unlisted(model: &mut Model, sample: SampleId) {
    let leaving = std::mem::take(&mut model.list.leaves);
    if let Some(toast) = model.toast.take().filter(|_| !leaving) {
        return say(model, toast.level, format!("{}   (not in this list)", toast.text));
    }
    let path = model.details.get(sample).map(|detail| detail.row.path.clone());
    let path = path.or_else(|| {
        let all = model.besides();
        all.iter().find(|other| other.sample == sample).map(|other| other.path.clone())
    });
    let key = |action| model.keymap.key_for(action).map(shown).unwrap_or_default();
    let how = if !model.list.query.filter.is_empty() {
        format!("   {} clears the filter", key(Action::ClearFilter))
    } else if !model.list.query.all {
        format!("   {} lists all samples", key(Action::ToggleAll))
    } else {
        String::new()
    };
    let path = path.unwrap_or_else(|| "this sample".to_owned());
    say(model, Level::Warning, format!("not in this list: {path}{how}"));
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

/// Something else was refused.
fn refused(model: &mut Model, message: String) {
    say(model, Level::Error, message);
    // If a list is on its way, it is the list: the shown one stays.
    if model.list.incoming.take().is_some() {
        model.list.query = model.list.shown.clone();
    }
}

/// Sends the view state to the engine if it has changed.
pub(super) fn remember(model: &mut Model, fx: &mut Effects) {
    model.time.remember_at = None;
    if model.session.is_none() || model.list.ticket == 0 || model.views.afresh {
        return;
    }
    if let Ok(state) = serde_json::to_string(&model.view_state())
        && state != model.time.remembered
    {
        model.time.remembered.clone_from(&state);
        send(fx, Command::Remember { state });
    }
}
