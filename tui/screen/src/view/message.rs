//! The line before the last: the prompt, or the last message with marks, position and save state.

use crate::action::Action;
use crate::key::shown;
use crate::model::{Level, Mode, Model, Prompt, PromptKind};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use ratatui::layout::{Position, Rect};

/// The prompt, or the last message. Returns the position of the text cursor.
pub(crate) fn draw(model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
    if let Mode::Prompt(prompt) = &model.mode {
        let searches = matches!(prompt.kind, PromptKind::Search { .. }) && !prompt.line.text.is_empty();
        let right = match model.list.hits.as_ref().filter(|hits| searches && hits.text == prompt.line.text) {
            Some(hits) => paint.put_right(area.right() - 1, area.y, area.width, Role::Dim, &hits.words()),
            None => match model.list.incoming.as_ref().and_then(|incoming| incoming.delayed.as_ref()) {
                Some(why) => paint.put_right(area.right() - 1, area.y, area.width / 2, Role::Warning, why),
                None => area.right(),
            },
        };
        return Some(self::prompt(prompt, Rect { width: right.saturating_sub(area.x), ..area }, paint));
    }
    let mut right = area.right() - 1;
    for (role, words) in model.corner() {
        right = paint.put_right(right, area.y, area.width, role, &words).saturating_sub(2);
    }
    let said = model.said(area);
    let area = Rect { width: model.message_room(area), ..area };
    if let Some(why) = model.list.incoming.as_ref().and_then(|incoming| incoming.delayed.as_ref()) {
        paint.put(area.x + 1, area.y, area.width, Role::Warning, why);
    } else if let Some((said, rest)) = said {
        let end = put(model, &said, area, paint);
        // The path of the sample stays in sight beside what is said about another one.
        if rest.is_none() {
            path(model, end + 3, area.right(), paint);
        }
    } else if model.keeps_waiting() {
        let stop = model.keymap.key_for(Action::Cancel).map(shown).unwrap_or_default();
        let keys = text::counted(model.ahead.len() as u64, "key", "keys");
        let words = format!("{keys} typed ahead: waiting for the engine   {stop} drops them");
        paint.put(area.x + 1, area.y, area.width, Role::Warning, &words);
    } else if let Some(keys) = &model.macros.recording {
        let end = model.keymap.key_for(Action::RecordMacro).map(shown).unwrap_or_default();
        let words = format!(
            "recording {}: {}   {end} stops",
            text::counted(keys.len() as u64, "key", "keys"),
            shown(keys)
        );
        paint.put(area.x + 1, area.y, area.width, Role::Warning, &words);
    } else if !model.macros.replay.is_empty() {
        let words = format!(
            "replaying, {} left   Esc stops",
            text::counted(model.macros.replay.len() as u64, "key", "keys")
        );
        paint.put(area.x + 1, area.y, area.width, Role::Dim, &words);
    } else if let Some(from) = model.review.visual {
        let count = from.abs_diff(model.list.cursor) + 1;
        paint.put(
            area.x + 1,
            area.y,
            area.width,
            Role::Marked,
            &format!("range of {count}: decide, or v marks it"),
        );
    } else if model.list.walk.is_some() {
        paint.put(area.x + 1, area.y, area.width, Role::Dim, "searching…   Esc stops");
    } else {
        path(model, area.x + 1, area.right(), paint);
    }
    None
}

/// A part of the last message, drawn as grave as it is. Returns the column after it.
pub(crate) fn put(model: &Model, words: &str, area: Rect, paint: &mut Paint<'_>) -> u16 {
    let role = match model.toast.as_ref().map(|toast| toast.level) {
        Some(Level::Error) => Role::Error,
        Some(Level::Warning) => Role::Warning,
        Some(Level::Info) | None => Role::Info,
    };
    paint.put(area.x + 1, area.y, area.width.saturating_sub(1), role, words)
}

/// The path of the sample under the cursor between two columns, if there is room for enough of it.
fn path(model: &Model, from: u16, to: u16, paint: &mut Paint<'_>) {
    /// Fewer cells say nothing.
    const LEAST: u16 = 12;
    let y = model.layout().message.y;
    let room = to.saturating_sub(from);
    if let Some(row) = model.row().filter(|_| room >= LEAST) {
        let path = model.details.get(row.sample).map_or(&row.path, |detail| &detail.full_path);
        let path = text::fit_middle(path, usize::from(room)).into_owned();
        paint.put(from, y, room, Role::Dim, &path);
    }
}

fn prompt(prompt: &Prompt, area: Rect, paint: &mut Paint<'_>) -> Position {
    let label = match &prompt.kind {
        PromptKind::Filter { .. } => "filter ".to_owned(),
        PromptKind::Search { .. } => "/".to_owned(),
        PromptKind::Meaning { .. } => "~ ".to_owned(),
        PromptKind::Note(samples) if samples.len() > 1 => format!("note on {} samples ", samples.len()),
        PromptKind::Note(_) => "note ".to_owned(),
        PromptKind::Times => "repeat count ".to_owned(),
    };
    let x = paint.put(area.x + 1, area.y, area.width, Role::Key, &label);
    let wrong = prompt.wrong.as_ref().and_then(|wrong| wrong.at);
    marked(&prompt.line, wrong, Rect { x, width: area.right().saturating_sub(x), ..area }, paint)
}

/// A line being typed, scrolled so that its cursor is visible.
pub(crate) fn line(line: &crate::model::Line, area: Rect, paint: &mut Paint<'_>) -> Position {
    marked(line, None, area, paint)
}

/// The same with a part of it, from one byte to another, drawn as wrong.
fn marked(
    line: &crate::model::Line,
    wrong: Option<(usize, usize)>,
    area: Rect,
    paint: &mut Paint<'_>,
) -> Position {
    let before = text::safe(&line.text[..line.at]).into_owned();
    let room = usize::from(area.width.saturating_sub(1));
    let skip = text::width(&before).saturating_sub(room);
    let mut cut = before.as_str();
    while text::width(&before) - text::width(cut) < skip {
        let mut chars = cut.chars();
        chars.next();
        cut = chars.as_str();
    }
    let shown = format!("{cut}{}", text::safe(&line.text[line.at..]));
    paint.put(area.x, area.y, area.width, Role::Text, &shown);
    if let Some((start, end)) = wrong {
        let skipped = text::width(&before) - text::width(cut);
        let column = |at: usize| text::width(&text::safe(&line.text[..at])).saturating_sub(skipped) as u16;
        let (from, to) = (column(start).min(area.width), column(end).min(area.width));
        let word = Rect { x: area.x + from, width: to.saturating_sub(from).max(1), height: 1, ..area };
        paint.buffer.set_style(word.intersection(area), paint.style(Role::Error));
    }
    Position { x: (area.x + text::width(cut) as u16).min(area.right().saturating_sub(1)), y: area.y }
}
