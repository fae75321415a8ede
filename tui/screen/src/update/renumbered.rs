//! The dataset has changed, and numbers of samples mean others: nothing that is known by them may be shown, or acted on.

use super::{Effects, motion, say, send};
use crate::model::{
    Confirm, Consequence, Details, Level, Mode, Model, Picker, PickerKind, Prompt, PromptKind,
};
use crate::text::counted;
use chaffinch_protocol::Command;
use chaffinch_protocol::decision::Choice;

/// Forgets it, and asks for everything again.
pub(super) fn forget(model: &mut Model, fx: &mut Effects) {
    let Some(numbering) = model.session.as_ref().map(|session| session.numbering) else { return };
    let marked = std::mem::take(&mut model.review.marks).len() as u64;
    let asked = void(&mut model.mode);
    let review = &mut model.review;
    (review.resolving, review.resolved, review.visual) = (None, None, None);
    review.sitting.forget_samples();
    model.next = None;
    model.ahead.typed.clear();
    model.macros.replay.clear();
    model.details = Details::default();
    model.pictures.clear();
    let look = &mut model.views.look;
    (look.part, look.chosen) = (None, None);
    look.whole.clear();
    model.views.of = None;
    let list = &mut model.list;
    let by_number = list.query.filter.contains("sample:");
    if by_number {
        list.query.filter.clear();
    }
    list.sought = list.rows.get(list.cursor).map(|row| row.path.clone()).filter(|_| list.placed);
    list.renumbered = true;
    list.rows.clear();
    (list.incoming, list.finding, list.locating, list.searching) = (None, None, None, None);
    for page in model.views.all {
        page.forget_samples(model);
    }
    // Before anything else that is sent: from here on, numbers are the new ones.
    send(fx, Command::Renumbered { numbering });
    model.forget_views();
    motion::refresh(model, fx);
    model.list.walk = None;
    let mut text = "the dataset has changed".to_owned();
    if by_number {
        text.push_str("; the filter that named samples by their numbers is cleared");
    }
    if marked > 0 {
        text.push_str(&format!("; {} unmarked", counted(marked, "sample was", "samples were")));
    }
    if asked {
        text.push_str("; what is asked about samples will not be done");
    }
    say(model, Level::Warning, text.as_str());
    // The end of the scan takes its place on the screen.
    model.jobs.trouble("dataset".to_owned(), text);
}

/// Takes the samples out of what is asked or typed about them, and says whether there were any. It stays open: what is typed on is
/// meant for it, and no key is to become another one's.
fn void(mode: &mut Mode) -> bool {
    match mode {
        Mode::List | Mode::Panel(_) => false,
        Mode::Prompt(prompt) => match &mut prompt.kind {
            PromptKind::Note(samples) => {
                samples.clear();
                true
            }
            PromptKind::Meaning { here, .. } => {
                here.0 = None;
                false
            }
            _ => false,
        },
        Mode::Picker(picker) => match &mut picker.kind {
            PickerKind::Relabel(samples) => {
                samples.clear();
                true
            }
            PickerKind::Tag(samples) => {
                samples.clear();
                true
            }
            PickerKind::KeepBy { .. } | PickerKind::Settle { .. } => {
                picker.kind = PickerKind::Relabel(Vec::new());
                true
            }
            PickerKind::Help | PickerKind::Palette | PickerKind::Theme => false,
        },
        Mode::Confirm(Confirm { yes: Consequence::Send(_), .. }) => false,
        Mode::Confirm(confirm) => {
            confirm.yes = Consequence::Decide(Vec::new(), Choice::Keep);
            true
        }
    }
}

/// Whether what was asked, and now is answered, was about samples that are gone; says so then. Nothing is ever asked about no
/// samples.
pub(super) fn is_void(model: &mut Model, asked: &Mode) -> bool {
    let none = match asked {
        Mode::Prompt(Prompt { kind: PromptKind::Note(samples), .. }) => samples.is_empty(),
        Mode::Picker(Picker { kind: PickerKind::Relabel(samples), .. }) => samples.is_empty(),
        Mode::Picker(Picker { kind: PickerKind::Tag(samples), .. }) => samples.is_empty(),
        Mode::Confirm(Confirm { yes: Consequence::Decide(samples, _), .. }) => samples.is_empty(),
        _ => false,
    };
    if none {
        say(model, Level::Warning, "not done: the dataset has changed; look at the samples again");
    }
    none
}
