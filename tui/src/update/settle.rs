//! After every message: what the screen shows now may need rows, details and pictures that are not there. And what
//! happens because time has passed.

use super::{Effect, Effects, engine, motion, prompt, send};
use crate::model::{Layout, Model, PATIENCE, PictureKey, slot};
use chaffinch_core::protocol::Command;
use chaffinch_core::sample::SampleId;
use ratatui::layout::Size;

/// Time has passed.
pub(super) fn tick(model: &mut Model, now: u64, fx: &mut Effects) {
    model.now = now.max(model.now);
    if model.toast.as_ref().and_then(|toast| toast.until).is_some_and(|until| until <= now) {
        model.toast = None;
    }
    if model.remember_at.is_some_and(|at| at <= now) {
        engine::remember(model, fx);
    }
    if model.threshold.as_ref().is_some_and(|(_, _, at)| *at <= now)
        && let Some((detector, threshold, _)) = model.threshold.take()
    {
        send(fx, Command::SetThreshold { detector, threshold });
    }
    if model.quitting.is_some_and(|at| at <= now) {
        fx.push(Effect::Quit(model.journal.outstanding.len()));
    }
    prompt::apply(model, fx);
    let limit = now.saturating_sub(PATIENCE);
    if limit > 0 {
        model.rows.give_up(limit);
        model.pictures.asked.retain(|_, (_, _, at)| *at > limit);
        model.details.asked = model.details.asked.filter(|(_, at)| *at > limit);
    }
}

/// Asks for what is missing.
pub(super) fn settle(model: &mut Model, fx: &mut Effects) {
    if model.session.is_none() || model.list.ticket == 0 {
        return;
    }
    rows(model, fx);
    if model.now < model.hold_until {
        return;
    }
    let layout = model.layout();
    let Some(sample) = model.sample() else { return };
    details(model, sample, fx);
    if model.pictures_on {
        pictures(model, &layout, sample, fx);
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
    for start in model.rows.request(first, last, model.now) {
        let len = crate::model::CHUNK.min(model.list.total - start) as u32;
        send(fx, Command::Rows { ticket: model.list.ticket, start, len });
    }
}

fn details(model: &mut Model, sample: SampleId, fx: &mut Effects) {
    if model.details.asked.is_some() {
        return;
    }
    let ahead = model.rows.get(model.list.cursor + 1).map(|row| row.sample);
    let wanted = [Some(sample), ahead].into_iter().flatten().find(|sample| !model.details.fresh(*sample));
    if let Some(sample) = wanted {
        model.details.asked = Some((sample, model.now));
        send(fx, Command::Detail { sample });
    }
}

fn pictures(model: &mut Model, layout: &Layout, sample: SampleId, fx: &mut Effects) {
    let main = layout.picture.as_size();
    if !ask(model, slot::MAIN, (sample, main), fx) {
        return;
    }
    // Only when the picture under the cursor is there: the next one, and the neighbours.
    if let Some(next) = model.rows.get(model.list.cursor + 1).map(|row| row.sample) {
        ask(model, slot::AHEAD, (next, main), fx);
    }
    let thumb = layout.thumb(0).as_size();
    for (place, neighbor) in strip(model, layout, sample).into_iter().enumerate() {
        ask(model, slot::NEIGHBOR + place as u32, (neighbor, thumb), fx);
    }
}

/// The samples shown in the strip: the duplicate group's evidence first, then neighbours.
pub(crate) fn strip(model: &Model, layout: &Layout, sample: SampleId) -> Vec<SampleId> {
    let Some(detail) = model.details.get(sample) else { return Vec::new() };
    crate::view::related(detail)
        .into_iter()
        .take(layout.thumbs as usize)
        .map(|(_, related)| related.sample)
        .collect()
}

/// Asks for a picture, unless it is there or under way. Says whether it is there.
fn ask(model: &mut Model, slot: u32, key: PictureKey, fx: &mut Effects) -> bool {
    if model.pictures.get(key).is_some() {
        return true;
    }
    let (sample, Size { width, height }) = key;
    // A slot with an answer under way waits for it, so that a travelling cursor does not queue decoding.
    if width == 0 || height == 0 || model.pictures.asked.contains_key(&slot) {
        return false;
    }
    model.pictures.last_ticket += 1;
    let ticket = model.pictures.last_ticket;
    model.pictures.asked.insert(slot, (ticket, key, model.now));
    let (max_width, max_height) = model.pixels(key.1);
    send(fx, Command::Picture { ticket, slot, sample, max_width, max_height });
    false
}
