//! Typed lines and lists to choose from.

use super::{Effects, act as perform, complete, decide, macros, motion, say, send, walk};
use crate::action::{Action, Scope, kind};
use crate::key::shown;
use crate::model::{
    Level, Line, Mode, Model, Op, Picker, PickerItem, PickerKind, Prompt, PromptKind, Purpose,
};
use chaffinch_core::decision::{Choice, TAGS};
use chaffinch_core::protocol::{Command, Query};
use chaffinch_core::sample::SampleId;

/// Milliseconds without a key after which a filter is applied while it is typed.
pub(super) const APPLY: u64 = 180;

pub(super) fn open_filter(model: &mut Model) {
    let before = model.list.query.clone();
    let mut line = Line::new(&before.filter);
    if !line.text.is_empty() {
        line.insert(" ");
    }
    let kind = PromptKind::Filter { before: Box::new(before) };
    model.mode = Mode::Prompt(Prompt { kind, line, apply_at: None });
}

pub(super) fn open_search(model: &mut Model) {
    model.mode = Mode::Prompt(Prompt { kind: PromptKind::Search, line: Line::default(), apply_at: None });
}

pub(super) fn open_times(model: &mut Model) {
    model.mode = Mode::Prompt(Prompt { kind: PromptKind::Times, line: Line::default(), apply_at: None });
}

pub(super) fn open_note(model: &mut Model, action: Action, fx: &mut Effects) {
    let Some(samples) = decide::targets(model, action, fx) else { return };
    let earlier = model.detail_of(&samples).map_or("", |detail| &detail.note);
    let line = Line::new(earlier);
    model.mode = Mode::Prompt(Prompt { kind: PromptKind::Note(samples), line, apply_at: None });
}

/// Beside a tag that the sample has: choosing it again takes it away.
const GIVEN: &str = "take away";

pub(super) fn open_tag(model: &mut Model, action: Action, fx: &mut Effects) {
    let Some(samples) = decide::targets(model, action, fx) else { return };
    // What a sample has stands on top, the reviewer's own above those that are always there.
    let has = model.detail_of(&samples).map_or(&[][..], |detail| &detail.tags);
    let given = has.iter().map(|tag| item(tag, "", GIVEN));
    let own = model.tags.iter().map(|tag| item(tag, "", "own"));
    let always = TAGS.iter().map(|tag| item(tag, "", ""));
    let others = own.chain(always).filter(|item| !has.contains(&item.name));
    let items = given.chain(others).collect();
    model.mode = Mode::Picker(Picker::new(PickerKind::Tag(samples), items));
}

pub(super) fn open_relabel(model: &mut Model, samples: Vec<SampleId>) {
    let Some(session) = &model.session else { return };
    let mut items: Vec<PickerItem> = Vec::new();
    let mut add = |name: &str, note: &str, side: String| {
        if !items.iter().any(|item| item.name == name) {
            items.push(PickerItem { name: name.to_owned(), note: note.to_owned(), side, action: None });
        }
    };
    // What is likely stands on top: the class used last, then what is suggested, then the candidates.
    for name in &model.recent {
        add(name, "", "used before".to_owned());
    }
    if let Some(row) = model.row() {
        if let Some(name) = model.class(row.suggested) {
            add(name, "", "suggested".to_owned());
        }
        if let Some(detail) = model.details.get(row.sample) {
            for candidate in &detail.candidates {
                if let Some(name) = model.class(Some(candidate.class)) {
                    add(
                        name,
                        "",
                        candidate.probability.map(|p| format!("{:.0} %", p * 100.0)).unwrap_or_default(),
                    );
                }
            }
        }
    }
    let known: std::collections::BTreeSet<String> = items.iter().map(|item| item.name.clone()).collect();
    let rest = session.classes.iter().filter(|name| !known.contains(*name));
    items.extend(rest.map(|name| item(name, "", "")));
    model.mode = Mode::Picker(Picker::new(PickerKind::Relabel(samples), items));
}

pub(super) fn open_help(model: &mut Model) {
    let mut items = Vec::new();
    for scope in Scope::ALL {
        for action in Action::ALL.iter().filter(|action| action.scope() == scope) {
            let mut keys: Vec<String> = model.keymap.keys_for(*action).into_iter().map(shown).collect();
            match action.candidate() {
                // Nine lines that differ in a digit would hide the others.
                Some(0) => keys
                    .extend(model.keymap.key_for(Action::Candidate9).map(|key| format!("… {}", shown(key)))),
                Some(_) => continue,
                None => {}
            }
            if !keys.is_empty() {
                let note = if scope == Scope::List { String::new() } else { format!("[{}]", scope.name()) };
                let can = (scope == Scope::List).then_some(*action);
                items.push(PickerItem {
                    name: action.doc().to_owned(),
                    note,
                    side: keys.join("  "),
                    action: can,
                });
            }
        }
    }
    model.mode = Mode::Picker(Picker::new(PickerKind::Help, items));
}

pub(super) fn open_palette(model: &mut Model) {
    let list =
        Action::ALL.iter().filter(|action| action.scope() == Scope::List && **action != Action::Palette);
    let items = list
        .map(|action| {
            let side = model.keymap.key_for(*action).map(shown).unwrap_or_default();
            PickerItem {
                name: action.name().to_owned(),
                note: action.doc().to_owned(),
                side,
                action: Some(*action),
            }
        })
        .collect();
    model.mode = Mode::Picker(Picker::new(PickerKind::Palette, items));
}

fn item(name: &str, note: &str, side: &str) -> PickerItem {
    PickerItem { name: name.to_owned(), note: note.to_owned(), side: side.to_owned(), action: None }
}

/// Text was typed or pasted.
pub(super) fn typed(model: &mut Model, text: &str) {
    edit(model, |line| line.insert(text));
}

/// Changes the line, and what depends on it.
fn edit(model: &mut Model, change: impl FnOnce(&mut Line)) {
    let now = model.now;
    model.completion = None;
    match &mut model.mode {
        Mode::Prompt(prompt) => {
            change(&mut prompt.line);
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

/// Does an action of the prompt.
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
        // As in other programs: deleting in an empty line leaves it.
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
        // One step beyond an end comes in at the other; a page stops there.
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

fn cancel(model: &mut Model, fx: &mut Effects) {
    if let Mode::Prompt(Prompt { kind: PromptKind::Filter { before }, .. }) = std::mem::take(&mut model.mode)
    {
        restore(model, *before, fx);
    }
}

fn restore(model: &mut Model, before: Query, fx: &mut Effects) {
    if model.list.query != before {
        motion::filter(model, &before.filter, fx);
    }
}

fn accept(model: &mut Model, fx: &mut Effects) {
    match std::mem::take(&mut model.mode) {
        Mode::Prompt(Prompt { kind, line, .. }) => match kind {
            PromptKind::Filter { .. } => motion::filter(model, line.text.trim(), fx),
            PromptKind::Search if line.text.is_empty() => {}
            PromptKind::Search => {
                model.search = line.text;
                walk::start(model, Purpose::Search(model.search.to_lowercase()), true, fx);
            }
            PromptKind::Times => match line.text.trim().parse::<usize>() {
                Ok(times @ 1..) => macros::replay(model, times),
                _ => say(model, Level::Warning, "that is no number of times"),
            },
            PromptKind::Note(samples) => {
                model.journal.push(Op::Tag);
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
            if let Ok(number) = typed.parse::<u64>() {
                motion::go(model, number.saturating_sub(1));
            } else if let Some(action) = chosen.and_then(|item| item.action) {
                perform(model, action, fx);
            } else {
                say(model, Level::Warning, "that works only in its own place");
            }
        }
        PickerKind::Relabel(samples) => {
            // What is typed in full wins over what it happens to match, also where it is a new class.
            let exact = picker.items.iter().any(|item| item.name == typed);
            let name = match chosen {
                Some(item) if !exact => item.name,
                _ => typed,
            };
            if name.is_empty() {
                return say(model, Level::Warning, "there is no class to choose: type the name of a new one");
            }
            decide::ask_about(model, samples, Choice::Relabel(name), fx);
        }
        PickerKind::Tag(samples) => {
            let exact = picker.items.iter().any(|item| item.name == typed);
            let tag = match chosen {
                Some(item) if !exact => item.name,
                _ => typed,
            };
            if tag.is_empty() || tag.contains(char::is_whitespace) {
                return say(model, Level::Warning, "a tag is one word");
            }
            let given = picker.items.iter().any(|item| item.name == tag && item.side == GIVEN);
            if given {
                model.journal.push(Op::Tag);
                return send(fx, Command::Untag { samples, tags: vec![tag] });
            }
            if !TAGS.contains(&tag.as_str()) {
                model.tags.retain(|known| *known != tag);
                model.tags.insert(0, tag.clone());
                model.tags.truncate(24);
                motion::touch(model);
            }
            model.journal.push(Op::Tag);
            send(fx, Command::Tag { samples, tags: vec![tag], note: String::new() });
        }
    }
}

/// The time has come to apply a filter that is being typed.
pub(super) fn apply(model: &mut Model, fx: &mut Effects) {
    if let Mode::Prompt(prompt) = &mut model.mode
        && prompt.apply_at.is_some_and(|at| at <= model.now)
    {
        prompt.apply_at = None;
        let text = prompt.line.text.trim().to_owned();
        motion::filter(model, &text, fx);
    }
}
