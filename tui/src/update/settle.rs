//! After every message: what the screen shows now may need rows, details and pictures that are not there. And what
//! happens because time has passed.

use super::{Effect, Effects, engine, motion, prompt, send, views};
use crate::model::{Layout, Model, PATIENCE, Page, PictureKey, Shown, slot};
use crate::picture::{EncodeJob, Part, Pixels, Protocol, Quality};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, ViewCommand};
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
        model.pictures.steps = model.pictures.steps.map(|step| step.filter(|(_, at)| *at > limit));
        model.details.asked = model.details.asked.filter(|(_, at)| *at > limit);
        model.views.give_up(limit);
    }
}

/// Asks for what is missing.
pub(super) fn settle(model: &mut Model, fx: &mut Effects) {
    if model.session.is_none() || model.list.ticket == 0 {
        return;
    }
    views::align(model);
    if model.resting()
        && let Some((key, graphic)) = model.pictures.prepared.take()
    {
        model.pictures.add(key, Some(graphic));
    }
    rows(model, fx);
    views::ask(model, fx);
    if model.now < model.hold_until {
        return;
    }
    let layout = model.layout();
    let Some(sample) = model.sample() else { return };
    details(model, sample, fx);
    if model.pictures_on && model.views.page != Page::List {
        views::pictures(model, fx);
    } else if model.pictures_on {
        pictures(model, &layout, sample, fx);
        better(model, &layout, sample, fx);
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
    let wanted = [Some(sample), model.views.other(model), ahead]
        .into_iter()
        .flatten()
        .find(|sample| !model.details.fresh(*sample));
    if let Some(sample) = wanted {
        model.details.asked = Some((sample, model.now));
        send(fx, Command::Detail { sample });
    }
}

fn pictures(model: &mut Model, layout: &Layout, sample: SampleId, fx: &mut Effects) {
    let main = layout.picture.as_size();
    if !ask(model, slot::MAIN, main_key(model, sample, main), fx) {
        return;
    }
    // Only when the picture under the cursor is there: the next one, and the neighbours.
    if let Some(next) = model.rows.get(model.list.cursor + 1).map(|row| row.sample) {
        ask(model, slot::AHEAD, main_key(model, next, main), fx);
    }
    let thumb = layout.thumb(0).as_size();
    for (place, neighbor) in strip(model, layout, sample).into_iter().enumerate() {
        ask(model, slot::NEIGHBOR + place as u32, (neighbor, thumb).into(), fx);
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

/// Asks for the next better form of one picture: first of what is looked at, then, while no key is pressed, of what
/// stands beside it and of what comes next.
fn better(model: &mut Model, layout: &Layout, sample: SampleId, fx: &mut Effects) {
    let main = layout.picture.as_size();
    let best = match (model.resting(), model.zoom) {
        (false, _) if !model.pausing() => Quality::Half,
        (true, true) => Quality::Exact,
        _ => Quality::Full,
    };
    let mut wanted = vec![(slot::MAIN, main_key(model, sample, main), best)];
    if model.resting() {
        let thumb = layout.thumb(0).as_size();
        for (place, neighbor) in strip(model, layout, sample).into_iter().enumerate() {
            wanted.push((slot::NEIGHBOR + place as u32, (neighbor, thumb).into(), Quality::Full));
        }
        if let Some(next) = model.rows.get(model.list.cursor + 1) {
            wanted.push((slot::AHEAD, main_key(model, next.sample, main), Quality::Full));
        }
    }
    climb(model, wanted, fx);
}

/// Has the first of these made better that is not as good yet as it may be.
pub(super) fn climb(model: &mut Model, wanted: Vec<(u32, PictureKey, Quality)>, fx: &mut Effects) {
    let Some(target) = model.target else { return };
    for (slot, key, best) in wanted {
        let Some(Shown::Ready(held)) = model.pictures.get(key) else { continue };
        let Some(pixels) = held.source.clone() else { continue };
        let above = held.quality();
        if above >= best.min(affordable(model.link, target.0, &pixels)) {
            continue;
        }
        if model.pictures.prepared.as_ref().is_some_and(|(prepared, _)| *prepared == key) {
            continue;
        }
        let (target, above) = (Some(target), Some(above));
        let budget = model.link.map(|rate| rate as usize / HALF_SHARE);
        let job = EncodeJob { slot, ticket: 0, key, pixels, target, above, budget };
        let step = &mut model.pictures.steps[usize::from(job.slow())];
        if step.is_none() {
            *step = Some((key, model.now));
            fx.push(Effect::Encode(job));
        }
        return;
    }
}

/// The half step may take this part of a second on its way.
const HALF_SHARE: usize = 5;

/// Seconds that a picture may take on its way.
const WORTH_WAITING: u64 = 4;

/// The best quality that a slow link brings in time. What is one sequence holds up everything behind it, so there
/// it is half as long.
fn affordable(link: Option<u32>, protocol: Protocol, pixels: &Pixels) -> Quality {
    let Some(rate) = link.map(u64::from) else { return Quality::Exact };
    let pixels = u64::from(pixels.width) * u64::from(pixels.height);
    let seconds = if protocol.in_cells() { WORTH_WAITING / 2 } else { WORTH_WAITING };
    // Bytes as measured on photographs, a little generous.
    let (full, exact) = match protocol {
        Protocol::Kitty | Protocol::Placeholders => (pixels / 2, pixels * 3 / 2),
        Protocol::Iterm => (pixels / 3, pixels * 3 / 2),
        Protocol::Sixel => (pixels, pixels),
    };
    if exact <= rate * seconds {
        Quality::Exact
    } else if full <= rate * seconds {
        Quality::Full
    } else {
        Quality::Half
    }
}

/// The picture under the cursor where it is shown alone: a part of it, where one is chosen.
pub(crate) fn main_key(model: &Model, sample: SampleId, cells: Size) -> PictureKey {
    let part = model.views.part.filter(|_| model.zoom || model.views.page == Page::Compare);
    PictureKey { sample, cells, part }
}

/// Asks for a picture, unless it is there or under way. Says whether it is there.
pub(super) fn ask(model: &mut Model, slot: u32, key: PictureKey, fx: &mut Effects) -> bool {
    if model.pictures.get(key).is_some() {
        return true;
    }
    let PictureKey { sample, cells: Size { width, height }, part } = key;
    // A slot with an answer under way waits for it, so that a travelling cursor does not queue decoding. In a grid the
    // engine has one question a cell at most, and the newer one takes the place of the older.
    let asked = model.pictures.asked.get(&slot);
    let waits = asked.is_some_and(|(_, under_way, _)| slot < slot::GRID || *under_way == key);
    if width == 0 || height == 0 || waits {
        return false;
    }
    model.pictures.last_ticket += 1;
    let ticket = model.pictures.last_ticket;
    model.pictures.asked.insert(slot, (ticket, key, model.now));
    let (max_width, max_height) = model.pixels(key.cells);
    let command = match part {
        None => Command::Picture { ticket, slot, sample, max_width, max_height },
        Some(Part { middle, magnify }) => {
            let pixels = |most: u32| (most / u32::from(magnify.max(1))).max(1);
            let (width, height) = (pixels(max_width), pixels(max_height));
            Command::View(ViewCommand::Part { ticket, slot, sample, middle, width, height })
        }
    };
    send(fx, command);
    false
}
