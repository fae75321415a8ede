//! Typing into prompts and selecting from lists.

use super::targets::left_out;
use super::{Effects, complete, decide, each, macros, motion, open, say, send, walk};
use crate::action::kind;
use crate::model::{Level, Line, Mode, Model, Op, Picker, PickerKind, Prompt, PromptKind, Purpose, tag_word};
use chaffinch_protocol::decision::{Choice, TAGS};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Query};
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
            if matches!(prompt.kind, PromptKind::Filter { .. }) {
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
        && let Some(name) = picker.chosen().map(|item| item.name.clone())
    {
        picker.line = Line::new(&name);
    }
}

/// What receives the keys once a prompt is closed: the page it lay over, or the list.
fn below(model: &mut Model) -> Mode {
    model.panels.below.take().map_or(Mode::List, Mode::Panel)
}

fn cancel(model: &mut Model, fx: &mut Effects) {
    if let Mode::Prompt(Prompt { kind: PromptKind::Filter { before }, .. }) = std::mem::take(&mut model.mode)
    {
        restore(model, *before, fx);
    }
    model.mode = below(model);
}

fn restore(model: &mut Model, before: Query, fx: &mut Effects) {
    if model.list.query != before {
        motion::filter(model, &before.filter, fx);
    }
}

fn accept(model: &mut Model, fx: &mut Effects) {
    let mode = std::mem::take(&mut model.mode);
    model.mode = below(model);
    match mode {
        Mode::Prompt(Prompt { kind, line, .. }) => match kind {
            PromptKind::Filter { .. } => motion::filter(model, line.text.trim(), fx),
            PromptKind::Search if line.text.is_empty() => {}
            PromptKind::Search => {
                model.list.search = line.text;
                walk::start(model, Purpose::Search(model.list.search.to_lowercase()), true, fx);
            }
            PromptKind::Times => match line.text.trim().parse::<usize>() {
                Ok(times @ 1..) => macros::replay(model, times),
                _ => say(model, Level::Warning, "enter a repeat count"),
            },
            PromptKind::Note(samples) => {
                tagged(model, &samples);
                send(fx, Command::Tag { samples, tags: Vec::new(), note: line.text });
            }
        },
        Mode::Picker(picker) => picked(model, picker, fx),
        other => model.mode = other,
    }
}

fn picked(model: &mut Model, picker: Picker, fx: &mut Effects) {
    let chosen = picker.chosen().cloned();
    let typed = picker.line.text.trim().to_owned();
    match picker.kind {
        PickerKind::Help | PickerKind::Palette => {
            if let Some(row) = picker.row(model.list.total) {
                match row {
                    Ok(row) => motion::go(model, row),
                    Err(why) => say(model, Level::Warning, why),
                }
            } else if let Some(action) = chosen.and_then(|item| item.action) {
                model.next = Some(action);
            } else {
                say(model, Level::Warning, "that action is only available on its own page");
            }
        }
        PickerKind::Relabel(samples) => {
            // A name typed in full takes precedence over the selected match, even if it is a new class.
            let exact = picker.items.iter().any(|item| item.name == typed);
            let name = match chosen {
                Some(item) if !exact => item.name,
                _ => typed,
            };
            if name.is_empty() {
                return say(model, Level::Warning, "type a class name");
            }
            decide::ask_about(model, samples, Choice::Relabel(name), fx);
        }
        PickerKind::Settle { keep, remove } => {
            // Only the labels that the group has can be right.
            match chosen {
                Some(item) => each::settle(model, keep, remove, item.name, fx),
                None => say(model, Level::Warning, format!("no picture of the group is labeled '{typed}'")),
            }
        }
        PickerKind::Tag(samples) => {
            let exact = picker.items.iter().any(|item| item.name == typed);
            let tag = match chosen {
                Some(item) if !exact => item.name,
                _ => tag_word(&typed),
            };
            if tag.is_empty() {
                return say(model, Level::Warning, "type a tag");
            }
            let given = picker.items.iter().any(|item| item.name == tag && item.side == open::GIVEN);
            if given {
                tagged(model, &samples);
                return send(fx, Command::Untag { samples, tags: vec![tag] });
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
    model.review.journal.push_with(Op::Tag, remark);
}

/// Applies a filter that is being typed, when it is due.
pub(super) fn apply(model: &mut Model, fx: &mut Effects) {
    if let Mode::Prompt(prompt) = &mut model.mode
        && prompt.apply_at.is_some_and(|at| at <= model.time.now)
    {
        prompt.apply_at = None;
        let text = prompt.line.text.trim().to_owned();
        motion::filter(model, &text, fx);
    }
}
