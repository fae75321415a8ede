//! Typing into prompts and selecting from lists.

use super::targets::left_out;
use super::{
    Effect, Effects, ahead, complete, each, macros, motion, open, renumbered, say, search, send, show,
};
use crate::action::kind;
use crate::model::{
    Anchor, Level, Line, Mode, Model, Op, Picker, PickerItem, PickerKind, Prompt, PromptKind, Wrong,
    expression,
};
use chaffinch_protocol::decision::TAGS;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Query, Sort, Ticket};
use std::collections::BTreeSet;

/// Milliseconds without a key after which a filter is applied while it is typed.
pub(super) const APPLY: u64 = 180;

/// Text was typed or pasted.
pub(super) fn typed(model: &mut Model, text: &str) {
    edit(model, |line| line.insert(text));
}

/// Changes the line, and what depends on it.
fn edit(model: &mut Model, change: impl FnOnce(&mut Line)) {
    let now = model.time.now;
    match &mut model.mode {
        Mode::Prompt(prompt) => {
            change(&mut prompt.line);
            prompt.completion = None;
            prompt.wrong = None;
            prompt.closing = None;
            if matches!(
                prompt.kind,
                PromptKind::Filter { .. } | PromptKind::Search { .. } | PromptKind::Meaning { .. }
            ) {
                prompt.apply_at = Some(now + APPLY);
            }
        }
        Mode::Picker(picker) => {
            let before = picker.line.text.clone();
            change(&mut picker.line);
            if picker.line.text != before {
                picker.refresh();
            }
        }
        _ => {}
    }
}

/// Handles a prompt action.
pub(super) fn act(model: &mut Model, it: kind::Prompt, fx: &mut Effects) {
    use kind::Prompt as P;
    match it {
        P::PromptAccept => accept(model, fx),
        P::PromptCancel => cancel(model, fx),
        P::PromptComplete => complete(model),
        P::PromptNext => select(model, 1),
        P::PromptPrevious => select(model, -1),
        P::PromptPageDown => select(model, 10),
        P::PromptPageUp => select(model, -10),
        // As in other programs, backspace on an empty line closes it.
        P::PromptBackspace if typed_so_far(model).is_some_and(|line| line.text.is_empty()) => {
            cancel(model, fx);
        }
        P::PromptLeft
        | P::PromptRight
        | P::PromptHome
        | P::PromptEnd
        | P::PromptBackspace
        | P::PromptDelete
        | P::PromptDeleteWord
        | P::PromptDeleteLine => edit(model, |line| line.act(it.into())),
    }
}

/// The line of the open prompt or picker.
fn typed_so_far(model: &Model) -> Option<&Line> {
    match &model.mode {
        Mode::Prompt(prompt) => Some(&prompt.line),
        Mode::Picker(picker) => Some(&picker.line),
        _ => None,
    }
}

fn select(model: &mut Model, by: isize) {
    if complete::complete(model, by > 0) {
        return;
    }
    if let Mode::Picker(picker) = &mut model.mode {
        let last = picker.found.len().saturating_sub(1);
        // Single steps wrap around at the ends; page steps stop there.
        picker.selected = match by {
            1 if picker.selected == last => 0,
            -1 if picker.selected == 0 => last,
            by => picker.selected.saturating_add_signed(by).min(last),
        };
    }
}

fn complete(model: &mut Model) {
    if complete::complete(model, true) {
        return;
    }
    if let Mode::Picker(picker) = &mut model.mode
        && let Some(name) = picker.completed().map(|item| item.name.clone())
    {
        picker.line = Line::new(&name);
        picker.refresh();
    }
}

/// What receives the keys once a prompt is closed: the page it lay over, or the list.
pub(super) fn below(model: &mut Model) -> Mode {
    model.panels.below.take().map_or(Mode::List, Mode::Panel)
}

fn cancel(model: &mut Model, fx: &mut Effects) {
    let search = match &model.mode {
        Mode::Prompt(Prompt { kind: PromptKind::Search { from }, .. }) => Some(*from),
        _ => None,
    };
    match std::mem::take(&mut model.mode) {
        Mode::Prompt(Prompt { kind: PromptKind::Filter { before }, .. }) => {
            return restore(model, *before, fx);
        }
        Mode::Prompt(Prompt { kind: PromptKind::Meaning { before, here, .. }, .. }) => {
            return reorder(model, *before, here, fx);
        }
        _ => {}
    }
    if let Some(from) = search {
        model.list.hits = None;
        model.list.searching = None;
        motion::go(model, from);
    }
    model.mode = below(model);
}

fn restore(model: &mut Model, before: Query, fx: &mut Effects) {
    if model.list.query != before {
        motion::filter(model, &before.filter, fx);
    }
}

/// Returns to the order before one by meaning was typed, and to the sample that the cursor was on.
fn reorder(model: &mut Model, before: Query, (sample, row): (Option<SampleId>, u64), fx: &mut Effects) {
    if model.list.query != before {
        motion::relist(model, before, Anchor::Position(sample, row), fx);
    }
}

fn accept(model: &mut Model, fx: &mut Effects) {
    let mode = std::mem::take(&mut model.mode);
    model.mode = below(model);
    if renumbered::is_void(model, &mode) {
        return;
    }
    match mode {
        Mode::Prompt(Prompt { kind, line, .. }) => match kind {
            PromptKind::Filter { before } => enter_filter(model, *before, line, fx),
            kind @ PromptKind::Meaning { .. } => enter_meaning(model, kind, line, fx),
            PromptKind::Search { .. } if line.text.is_empty() => {}
            PromptKind::Search { from } => {
                model.list.search.clone_from(&line.text);
                let last = model.list.total.saturating_sub(1);
                // The row under the cursor is known; a search is for another one, unless there is none.
                let next = if from >= last { 0 } else { from + 1 };
                search::search(model, &line.text, next, true, fx);
            }
            PromptKind::Times => match line.text.trim().parse::<usize>() {
                Ok(times @ 1..) => macros::replay(model, times),
                _ => say(model, Level::Warning, "enter a repeat count"),
            },
            PromptKind::Note(samples) => {
                let text = line.text.trim().to_owned();
                let before = model.detail_of(&samples).map(|detail| detail.note.clone());
                if before.as_deref() == Some(text.as_str()) {
                    let same = if text.is_empty() { "no note" } else { "the note is as it was" };
                    return say(model, Level::Info, same);
                }
                tagged(model, &samples);
                send(
                    fx,
                    match text.is_empty() {
                        true => Command::Untag { samples, tags: Vec::new(), note: true },
                        false => Command::Tag { samples, tags: Vec::new(), note: text },
                    },
                );
            }
        },
        Mode::Picker(picker) => picked(model, picker, fx),
        other => model.mode = other,
    }
}

/// Closes the filter once its list is there. Until then the line stays, so that a mistake loses nothing.
fn enter_filter(model: &mut Model, before: Query, line: Line, fx: &mut Effects) {
    let text = line.text.trim().to_owned();
    motion::filter(model, &text, fx);
    let Some(ticket) = model.list.incoming.as_ref().map(|incoming| incoming.ticket) else { return };
    let mut prompt = Prompt::new(PromptKind::Filter { before: Box::new(before) }, line);
    prompt.closing = Some(ticket);
    model.mode = Mode::Prompt(prompt);
}

/// Closes an order by meaning once its list is there. An empty line returns to the rank.
fn enter_meaning(model: &mut Model, kind: PromptKind, line: Line, fx: &mut Effects) {
    let PromptKind::Meaning { before, here, this } = &kind else { return };
    if line.text.trim().is_empty() {
        let (mut before, here) = (Query::clone(before), *here);
        if matches!(before.sort, Sort::Meaning(_)) {
            before.sort = Sort::Rank;
        }
        return reorder(model, before, here, fx);
    }
    motion::by_meaning(model, expression(&line.text, this.as_deref()), fx);
    let Some(ticket) = model.list.incoming.as_ref().map(|incoming| incoming.ticket) else { return };
    let mut prompt = Prompt::new(kind, line);
    prompt.closing = Some(ticket);
    model.mode = Mode::Prompt(prompt);
}

/// Whether a list was asked for by what is in the prompt, and whether that stands there as it was sent.
fn asked_by(prompt: &Prompt, asked: &Query) -> (bool, bool) {
    let typed = prompt.line.text.trim();
    match (&prompt.kind, &asked.sort) {
        (PromptKind::Filter { .. }, _) => (typed == asked.filter, true),
        (PromptKind::Meaning { this, .. }, Sort::Meaning(text)) => {
            (expression(typed, this.as_deref()) == *text, typed == text)
        }
        _ => (false, false),
    }
}

/// A list has arrived: closes the filter that waited for it.
pub(super) fn listed(model: &mut Model, ticket: Ticket) {
    if matches!(&model.mode, Mode::Prompt(Prompt { closing: Some(awaited), .. }) if *awaited == ticket) {
        model.mode = Mode::List;
    }
}

/// A list could not be made. A filter being typed says so where it is typed, and anything else in a message; the shown
/// list stays.
pub(super) fn not_listed(
    model: &mut Model,
    ticket: Ticket,
    message: String,
    at: Option<(u32, u32)>,
    fx: &mut Effects,
) {
    if model.list.incoming.as_ref().is_none_or(|incoming| incoming.ticket != ticket) {
        return;
    }
    model.list.incoming = None;
    let asked = std::mem::replace(&mut model.list.query, model.list.shown.clone());
    let unlearned =
        at.is_none() && matches!(asked.sort, Sort::Learned(_)) && asked.sort == model.list.shown.sort;
    let at = at.map(|(start, end)| (start as usize, end as usize));
    if let Mode::Prompt(prompt) = &mut model.mode
        && let (true, as_sent) = asked_by(prompt, &asked)
    {
        // The filter was sent without the blanks at its ends.
        let skipped = prompt.line.text.len() - prompt.line.text.trim_start().len();
        let at = at.filter(|_| as_sent).map(|(start, end)| (start + skipped, end + skipped));
        let at = at.filter(|(start, end)| prompt.line.text.get(*start..*end).is_some());
        let entered = prompt.closing.take().is_some();
        prompt.wrong = Some(Wrong { message, at, entered });
        // What was typed after Enter was meant for a list that there is not.
        return ahead::drop_all(model, "dropped");
    }
    if model.list.ticket == 0 {
        // Where the last run ended, which is no more: all of the list is better than none.
        let query = Query { filter: String::new(), sort: Sort::Rank, ..asked };
        motion::relist(model, query, Anchor::Top, fx);
    } else if unlearned {
        // The order that is shown is no more.
        motion::relist(model, Query { sort: Sort::Rank, ..asked }, Anchor::Stay, fx);
    }
    say(model, Level::Warning, message);
}

fn picked(model: &mut Model, picker: Picker, fx: &mut Effects) {
    let typed = picker.line.text.trim().to_owned();
    // Where what matches is not seen, only the whole name decides.
    let decides =
        matches!(picker.kind, PickerKind::Relabel(_) | PickerKind::Settle { .. } | PickerKind::KeepBy { .. });
    let chosen = if model.views.spoken && decides { picker.named() } else { picker.chosen() }.cloned();
    match picker.kind {
        PickerKind::Help | PickerKind::Palette => {
            if let Some(row) = model.row_named(&typed) {
                show::show_row(model, row);
            } else if let Some(action) = chosen.as_ref().and_then(|item| item.action) {
                model.next = Some(action);
            } else if let Some(item) = chosen.filter(|item| !item.note.is_empty()) {
                say(model, Level::Info, item.note);
            } else {
                say(model, Level::Warning, "that action is only available on its own page");
            }
        }
        PickerKind::Theme => {
            let Some(name) = chosen.map(|item| item.name) else { return };
            model.display.theme_name.clone_from(&name);
            model.display.dress();
            fx.push(Effect::Redraw);
            let keep =
                format!("theme {name}; to keep it, write theme = \"{name}\" under [ui] in config.toml");
            say(model, Level::Info, keep);
        }
        PickerKind::Relabel(samples) => {
            let Some(name) = chosen.map(|item| item.name) else {
                return say(model, Level::Warning, "type a class name");
            };
            each::relabel_to(model, samples, name, fx);
        }
        PickerKind::KeepBy { best, samples } => {
            let rule = chosen.and_then(|item| best.into_iter().find(|(name, _)| *name == item.name));
            match rule {
                Some((_, keep)) => each::keep_of(model, keep, samples, fx),
                None => say(model, Level::Warning, format!("there is no rule '{typed}'")),
            }
        }
        PickerKind::Settle { keep, remove } => {
            // Only the labels that the group has can be right.
            match chosen {
                Some(item) => each::settle(model, keep, remove, item.name, fx),
                None => say(model, Level::Warning, format!("no picture of the group is labeled '{typed}'")),
            }
        }
        PickerKind::Tag(samples) => {
            let Some(PickerItem { name: tag, side, .. }) = chosen else {
                return say(model, Level::Warning, "type a tag");
            };
            if side == open::GIVEN {
                tagged(model, &samples);
                return send(fx, Command::Untag { samples, tags: vec![tag], note: false });
            }
            if !TAGS.contains(&tag.as_str()) {
                model.review.tags.retain(|known| *known != tag);
                model.review.tags.insert(0, tag.clone());
                model.review.tags.truncate(24);
                motion::touch(model);
            }
            tagged(model, &samples);
            send(fx, Command::Tag { samples, tags: vec![tag], note: String::new() });
        }
    }
}

/// Tags or a note about these samples are on their way.
fn tagged(model: &mut Model, samples: &[SampleId]) {
    let of = |marks: &BTreeSet<SampleId>| marks.iter().filter(|sample| !samples.contains(sample)).count();
    let marked = samples.iter().any(|sample| model.review.marks.contains(sample));
    let left = if marked { of(&model.review.marks) } else { 0 };
    let remark = left_out(model, left);
    model.review.journal.push_with(Op::Tag(samples.to_vec()), remark);
}

/// Applies a filter that is being typed, when it is due.
pub(super) fn apply(model: &mut Model, fx: &mut Effects) {
    if let Mode::Prompt(prompt) = &mut model.mode
        && prompt.apply_at.is_some_and(|at| at <= model.time.now)
    {
        prompt.apply_at = None;
        if let PromptKind::Search { from } = prompt.kind {
            let text = prompt.line.text.clone();
            let next = if from >= model.list.total.saturating_sub(1) { 0 } else { from + 1 };
            return search::search(model, &text, next, true, fx);
        }
        let text = prompt.line.text.trim().to_owned();
        if let PromptKind::Meaning { before, here, this } = &prompt.kind {
            if text.is_empty() {
                let (before, here) = (Query::clone(before), *here);
                return reorder(model, before, here, fx);
            }
            let expression = expression(&text, this.as_deref());
            return motion::by_meaning(model, expression, fx);
        }
        motion::filter(model, &text, fx);
    }
}
