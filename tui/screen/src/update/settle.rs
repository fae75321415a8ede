//! After every message: requests missing rows, details and pictures. Also what
//! happens because time has passed.

use super::{Effect, Effects, engine, manage, motion, prompt, send, show, trial};
use crate::model::{Anchor, Model, PATIENCE};
use chaffinch_protocol::Command;
use chaffinch_protocol::sample::SampleId;

/// Time has passed.
pub(super) fn tick(model: &mut Model, now: u64, fx: &mut Effects) {
    model.time.now = now.max(model.time.now);
    if model.toast.as_ref().and_then(|toast| toast.until).is_some_and(|until| until <= now) {
        model.toast = None;
    }
    if model.time.remember_at.is_some_and(|at| at <= now) {
        engine::remember(model, fx);
    }
    if model.time.threshold.as_ref().is_some_and(|(_, _, at)| *at <= now)
        && let Some((detector, threshold, _)) = model.time.threshold.take()
    {
        send(fx, Command::SetThreshold { detector, threshold });
    }
    trial::tick(model, fx);
    manage::tick(model);
    if model.time.quitting.is_some_and(|at| at <= now) {
        fx.push(Effect::Quit(model.review.journal.outstanding.len()));
    }
    prompt::apply(model, fx);
    let limit = now.saturating_sub(PATIENCE);
    if limit > 0 {
        model.list.rows.give_up(limit);
        model.pictures.asked.retain(|_, (_, _, at)| *at > limit);
        model.pictures.steps = model.pictures.steps.map(|step| step.filter(|(_, at)| *at > limit));
        model.details.asked = model.details.asked.filter(|(_, at)| *at > limit);
        for page in model.views.all {
            page.expire(model, limit);
        }
        // Sent again: nothing is decided twice by it.
        if let Some(resolving) = &mut model.review.resolving
            && resolving.at <= limit
        {
            resolving.at = now;
            let (ticket, samples) = (resolving.ticket, resolving.samples.clone());
            send(fx, Command::RowsOf { ticket, samples });
        }
    }
}

/// Requests what is missing.
pub(super) fn settle(model: &mut Model, fx: &mut Effects) {
    if model.session.is_none() || model.list.ticket == 0 {
        return;
    }
    show::align(model);
    if model.resting()
        && let Some((key, graphic)) = model.pictures.prepared.take()
    {
        model.pictures.add(key, Some(graphic));
    }
    rows(model, fx);
    model.views.page.request(model, fx);
    if let Some(page) = model.panel() {
        page.request(model, fx);
    }
    give_back(model, fx);
    // Keys that wait for details are not to wait for the cursor to rest as well.
    let waits = !model.ahead.is_empty() || model.next.is_some();
    if model.time.now < model.time.hold_until && !waits {
        return;
    }
    let Some(sample) = model.sample() else { return };
    details(model, sample, fx);
    if waits {
        return;
    }
    if model.display.pictures_on {
        show::pictures(model, fx);
    }
}

/// A page that had put a list of its own in the place of the list is closed: the list is what it was.
fn give_back(model: &mut Model, fx: &mut Effects) {
    let views = &model.views;
    if let Some((page, query)) = &views.borrowed
        && *page != views.page
        && *page != views.below
    {
        let query = query.clone();
        model.views.borrowed = None;
        motion::relist(model, query, Anchor::Stay, fx);
    }
}

fn rows(model: &mut Model, fx: &mut Effects) {
    let list = &model.list;
    if list.total == 0 || list.incoming.is_some() {
        return;
    }
    let page = motion::page(model);
    let first = list.top.saturating_sub(2 * page);
    let last = (list.top + 3 * page).min(list.total - 1);
    for start in model.list.rows.request(first, last, model.time.now) {
        let len = crate::model::CHUNK.min(model.list.total - start) as u32;
        send(fx, Command::Rows { ticket: model.list.ticket, start, len });
    }
}

fn details(model: &mut Model, sample: SampleId, fx: &mut Effects) {
    if model.details.asked.is_some() {
        return;
    }
    let ahead = model.list.rows.get(model.list.cursor + 1).map(|row| row.sample);
    let wanted = [Some(sample), model.views.page.compared(model), ahead]
        .into_iter()
        .flatten()
        .find(|sample| !model.details.fresh(*sample));
    if let Some(sample) = wanted {
        model.details.asked = Some((sample, model.time.now));
        send(fx, Command::Detail { sample });
    }
}
