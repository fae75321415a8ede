//! Requesting pictures, and improving them.

use super::{Effect, Effects, send};
use crate::model::{Model, PictureKey, Shown, slot};
use crate::picture::{EncodeJob, Part, Pixels, Protocol, Quality};
use chaffinch_protocol::{Command, ViewCommand};
use ratatui::layout::Size;

/// Requests a picture, unless it is loaded or pending. Returns whether it is loaded.
pub(crate) fn ask(model: &mut Model, slot: u32, key: PictureKey, fx: &mut Effects) -> bool {
    if model.pictures.get(key).is_some() {
        return true;
    }
    let PictureKey { sample, cells: Size { width, height }, part } = key;
    // A slot with a pending request waits for it, so that a fast-moving cursor does not queue decoding. In a grid the
    // engine has one question a cell at most, and the newer one takes the place of the older.
    let asked = model.pictures.asked.get(&slot);
    let waits = asked.is_some_and(|(_, under_way, _)| slot < slot::GRID || *under_way == key);
    if width == 0 || height == 0 || waits {
        return false;
    }
    model.pictures.last_ticket += 1;
    let ticket = model.pictures.last_ticket;
    model.pictures.asked.insert(slot, (ticket, key, model.time.now));
    let (max_width, max_height) = model.pixels(key.cells);
    let (regions, relevance) = (model.display.regions, model.display.relevance);
    let command = match part {
        None => Command::Picture { ticket, slot, sample, max_width, max_height, regions, relevance },
        Some(Part { middle, magnify }) => {
            let pixels = |most: u32| (most / u32::from(magnify.max(1))).max(1);
            let (width, height) = (pixels(max_width), pixels(max_height));
            Command::View(ViewCommand::Part {
                ticket,
                slot,
                sample,
                middle,
                width,
                height,
                regions,
                relevance,
            })
        }
    };
    send(fx, command);
    false
}

/// Has the first of these made better that is not as good yet as it may be.
pub(crate) fn climb(model: &mut Model, wanted: Vec<(u32, PictureKey, Quality)>, fx: &mut Effects) {
    let Some(target) = model.display.target else { return };
    for (slot, key, best) in wanted {
        let Some(Shown::Ready(held)) = model.pictures.get(key) else { continue };
        let Some(pixels) = held.source.clone() else { continue };
        let above = held.quality();
        if above >= best.min(affordable(model.display.link, target.0, &pixels)) {
            continue;
        }
        if model.pictures.prepared.as_ref().is_some_and(|(prepared, _)| *prepared == key) {
            continue;
        }
        let (target, above) = (Some(target), Some(above));
        let budget = model.display.link.map(|rate| rate as usize / HALF_SHARE);
        let job = EncodeJob { slot, ticket: 0, key, pixels, target, above, budget };
        let step = &mut model.pictures.steps[usize::from(job.slow())];
        if step.is_none() {
            *step = Some((key, model.time.now));
            fx.push(Effect::Encode(job));
        }
        return;
    }
}

/// The half-size step may take this fraction of a second to transfer.
const HALF_SHARE: usize = 5;

/// Seconds that a picture may take to transfer.
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
