//! Searching the list while the text is typed, and going from match to match, around the end.

use super::{Effects, motion, say, send, show};
use crate::model::{Hits, Level, Mode, Model, Prompt, PromptKind};
use chaffinch_protocol::{Command, ViewCommand, ViewEvent};

/// Searches from a row on.
pub(super) fn search(model: &mut Model, text: &str, from: u64, forward: bool, fx: &mut Effects) {
    if text.is_empty() || model.list.ticket == 0 {
        model.list.hits = None;
        return;
    }
    let ticket = show::ticket(model);
    model.list.searching = Some((ticket, text.to_owned()));
    let (list, text) = (model.list.ticket, text.to_owned());
    send(fx, Command::View(ViewCommand::Search { ticket, list, text, from, forward }));
}

/// Goes to the next or the previous match of the last search.
pub(super) fn next(model: &mut Model, forward: bool, fx: &mut Effects) {
    let (text, cursor, last) =
        (model.list.search.clone(), model.list.cursor, model.list.total.saturating_sub(1));
    let from = match forward {
        true if cursor >= last => 0,
        true => cursor + 1,
        false => cursor.checked_sub(1).unwrap_or(last),
    };
    search(model, &text, from, forward, fx);
}

/// Takes the engine's answer, or returns an event that is none.
pub(super) fn answered(model: &mut Model, event: ViewEvent) -> Option<ViewEvent> {
    let ViewEvent::Hits { ticket, row, place, total } = event else { return Some(event) };
    let (_, text) = model.list.searching.take_if(|(asked, _)| *asked == ticket)?;
    let start = match &model.mode {
        Mode::Prompt(Prompt { kind: PromptKind::Search { from }, .. }) => Some(*from),
        _ => None,
    };
    let before = model.list.cursor;
    let hits = Hits { text, place, total };
    // While it is typed, a text that is nowhere leaves the cursor where the search began.
    match (row, start) {
        (Some(row), None) => show::show_row(model, row),
        (row, start) => row.or(start).into_iter().for_each(|row| motion::go(model, row)),
    }
    if start.is_none() {
        let around = match row {
            Some(row) if row < before && place == 1 && total > 1 => "   from the top again",
            _ => "",
        };
        let words = match total {
            0 => format!("no '{}' in this list", hits.text),
            _ => format!("'{}': {}{around}", hits.text, hits.words()),
        };
        say(model, Level::Info, words);
    }
    model.list.hits = Some(hits);
    None
}
