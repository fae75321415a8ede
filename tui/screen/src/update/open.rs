//! Opening prompts and pickers.

use super::Effects;
use super::keys::works_on_pages;
use super::targets::{Targets, targets};
use crate::action::{Action, Scope};
use crate::key::shown;
use crate::key_card;
use crate::model::{
    Confirm, Consequence, Line, Mode, Model, Picker, PickerItem, PickerKind, Prompt, PromptKind,
};
use crate::synonyms::synonyms;
use crate::theme::AUTO;
use chaffinch_protocol::Sort;
use chaffinch_protocol::decision::TAGS;
use chaffinch_protocol::sample::SampleId;

/// Opens the filter, with a space after the existing text.
pub(super) fn filter(model: &mut Model) {
    let before = model.list.query.clone();
    let mut line = Line::new(&before.filter);
    if !line.text.is_empty() {
        line.insert(" ");
    }
    let kind = PromptKind::Filter { before: Box::new(before) };
    model.mode = Mode::Prompt(Prompt::new(kind, line));
}

/// Opens the line for an order by meaning, with the present one in it.
pub(super) fn meaning(model: &mut Model) {
    let before = model.list.query.clone();
    let line = match &before.sort {
        Sort::Meaning(text) => Line::new(text),
        _ => Line::default(),
    };
    let here = (model.sample(), model.list.cursor);
    let this = model.row().map(|row| row.path.clone());
    let kind = PromptKind::Meaning { before: Box::new(before), here, this };
    model.mode = Mode::Prompt(Prompt::new(kind, line));
}

/// Opens the search.
pub(super) fn search(model: &mut Model) {
    let from = model.list.cursor;
    model.list.hits = None;
    model.mode = Mode::Prompt(Prompt::new(PromptKind::Search { from }, Line::default()));
}

/// Asks a question, over the open page if there is one.
pub(crate) fn ask(model: &mut Model, question: String, yes: Consequence) {
    let below = std::mem::replace(&mut model.mode, Mode::Confirm(Confirm { question, yes }));
    if let Mode::Panel(panel) = below {
        model.panels.below = Some(panel);
    }
}

/// Asks how many times to replay the recorded keys.
pub(super) fn times(model: &mut Model) {
    model.mode = Mode::Prompt(Prompt::new(PromptKind::Times, Line::default()));
}

/// Opens the note for the targets of an action.
pub(super) fn note(model: &mut Model, action: Action, fx: &mut Effects) {
    let Some(Targets { samples, .. }) = targets(model, action, fx) else { return };
    let earlier = model.detail_of(&samples).map_or("", |detail| &detail.note);
    let line = Line::new(earlier);
    model.mode = Mode::Prompt(Prompt::new(PromptKind::Note(samples), line));
}

/// Shown next to a tag that the sample has: selecting it again removes it.
pub(super) const GIVEN: &str = "remove";

/// Opens the list of tags.
pub(super) fn tag(model: &mut Model, action: Action, fx: &mut Effects) {
    let Some(Targets { samples, .. }) = targets(model, action, fx) else { return };
    // The sample's tags come first, then the reviewer's own, then the built-in ones.
    let has = model.detail_of(&samples).map_or(&[][..], |detail| &detail.tags);
    let given = has.iter().map(|tag| item(tag, "", GIVEN));
    let own = model.review.tags.iter().map(|tag| item(tag, "", "yours"));
    let always = TAGS.iter().map(|tag| item(tag, "", ""));
    let others = own.chain(always).filter(|item| !has.contains(&item.name));
    let items = given.chain(others).collect();
    model.mode = Mode::Picker(Picker::new(PickerKind::Tag(samples), items));
}

/// Opens the list of classes.
pub(super) fn relabel(model: &mut Model, samples: Vec<(SampleId, Option<u32>)>) {
    let Some(session) = &model.session else { return };
    let mut items: Vec<PickerItem> = Vec::new();
    let mut add = |name: &str, note: &str, side: String| {
        if !items.iter().any(|item| item.name == name) {
            items.push(PickerItem {
                name: name.to_owned(),
                note: note.to_owned(),
                side,
                ..PickerItem::default()
            });
        }
    };
    // Likely ones come first: the class used last, then the suggestion, then the candidates.
    for name in &model.review.recent {
        add(name, "", "used before".to_owned());
    }
    if let Some(row) = model.row() {
        if let Some(name) = model.class(row.suggested) {
            add(name, "", "suggested".to_owned());
        }
        if let Some(detail) = model.details.get(row.sample) {
            for candidate in &detail.candidates {
                if let Some(name) = model.class(Some(candidate.class)) {
                    add(name, "", String::new());
                }
            }
        }
    }
    let known: std::collections::BTreeSet<String> = items.iter().map(|item| item.name.clone()).collect();
    let rest = session.classes.iter().filter(|name| !known.contains(*name));
    items.extend(rest.map(|name| item(name, "", "")));
    model.mode = Mode::Picker(Picker::new(PickerKind::Relabel(samples), items));
}

/// Opens the list of all keys: first those of the page that is shown, then the others in parts.
pub(super) fn help(model: &mut Model) {
    let page = model.panel().unwrap_or(model.views.page);
    let mut here: Vec<Action> = Vec::new();
    if page.scope() != Scope::List {
        here.extend(Action::ALL.iter().filter(|action| action.scope() == page.scope()));
    } else if page != model.views.first() {
        here.extend(page.hints(model));
    }
    let title = format!("On this page: {}", page.name());
    let on_it = |action: &Action| {
        let item = help_item(model, *action, &title)?;
        let name = page.meaning(model, *action).map_or(item.name, |(_, sentence)| sentence.to_owned());
        Some(PickerItem { name, ..item })
    };
    let mut items: Vec<PickerItem> = here.iter().filter_map(on_it).collect();
    let list = Action::ALL.iter().filter(|action| action.scope() == Scope::List);
    let mut others: Vec<(&str, Action)> = list.map(|action| (key_card::part_of(*action), *action)).collect();
    for (heading, scope) in key_card::ELSEWHERE {
        others.extend(
            Action::ALL.iter().filter(|action| action.scope() == scope).map(|action| (heading, *action)),
        );
    }
    let others = others.into_iter().filter(|(_, action)| !here.contains(action));
    items.extend(others.filter_map(|(heading, action)| help_item(model, action, heading)));
    over(model, Picker::new(PickerKind::Help, items));
}

/// The keys of an action and what it does; nothing without a key.
fn help_item(model: &Model, action: Action, part: &str) -> Option<PickerItem> {
    let mut keys: Vec<String> = model.keymap.keys_for(action).into_iter().map(shown).collect();
    match action.candidate() {
        // Nine lines that differ only in a digit would drown out the others.
        Some(0) => {
            keys.extend(model.keymap.key_for(Action::Candidate9).map(|key| format!("… {}", shown(key))));
        }
        Some(_) => return None,
        None => {}
    }
    (!keys.is_empty()).then(|| PickerItem {
        name: action.doc().to_owned(),
        side: keys.join("  "),
        action: (action.scope() == Scope::List).then_some(action),
        part: part.to_owned(),
        synonyms: synonyms(action),
        ..PickerItem::default()
    })
}

/// Opens the list of all actions.
pub(super) fn palette(model: &mut Model) {
    // On a page that covers the samples only what does not depend on them.
    let page = model.panel().is_some();
    let list = Action::ALL.iter().filter(|action| {
        let fits = action.scope() == Scope::List && (!page || works_on_pages(**action));
        fits && **action != Action::Palette
    });
    let mut items: Vec<PickerItem> = list
        .map(|action| PickerItem {
            name: action.name().to_owned(),
            note: action.doc().to_owned(),
            side: model.keymap.key_for(*action).map(shown).unwrap_or_default(),
            action: Some(*action),
            synonyms: synonyms(*action),
            ..PickerItem::default()
        })
        .collect();
    // Looked for here, and done on the command line.
    items.push(PickerItem {
        name: "export".to_owned(),
        note: "Quit, then: chaffinch export DATASET".to_owned(),
        synonyms: "save write output csv",
        ..PickerItem::default()
    });
    over(model, Picker::new(PickerKind::Palette, items));
}

/// Opens the list of themes.
pub(super) fn theme(model: &mut Model) {
    let now = model.display.theme_name.clone();
    let names = model.display.themes.iter().map(|(name, _)| name.as_str());
    let auto =
        std::iter::once(AUTO).filter(|auto| !model.display.themes.iter().any(|(name, _)| name == auto));
    let mut items: Vec<PickerItem> =
        auto.chain(names).map(|name| item(name, "", if name == now { "now" } else { "" })).collect();
    items.sort_by_key(|item| item.name != AUTO);
    over(model, Picker::new(PickerKind::Theme, items));
}

fn item(name: &str, note: &str, side: &str) -> PickerItem {
    PickerItem {
        name: name.to_owned(),
        note: note.to_owned(),
        side: side.to_owned(),
        ..PickerItem::default()
    }
}

/// Shows a list to choose from over the page, which is there again when it is closed.
fn over(model: &mut Model, picker: Picker) {
    if let Mode::Panel(panel) = std::mem::replace(&mut model.mode, Mode::Picker(picker)) {
        model.panels.below = Some(panel);
    }
}
