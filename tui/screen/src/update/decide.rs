//! Decisions: their targets, whether to ask first, and what the screen shows until they are on disk.

use super::targets::{left_out, targets};
use super::{Effects, each, motion, open, say, send};
use crate::action::{Action, kind};
use crate::model::{Confirm, Consequence, Level, Mode, Model, Op};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, ViewCommand};

/// Above this many samples a decision asks for confirmation.
pub(crate) const ASK_ABOVE: usize = 20;

/// Handles a decision action.
pub(super) fn act(model: &mut Model, it: kind::Decide, fx: &mut Effects) {
    use kind::Decide as D;
    let action = Action::from(it);
    match it {
        D::Keep | D::KeepGroup => ask(model, action, Choice::Keep, fx),
        D::Remove | D::RemoveGroup => ask(model, action, Choice::Remove, fx),
        D::Unsure | D::UnsureGroup => ask(model, action, Choice::Unsure, fx),
        D::AcceptSuggestion => each::accept(model, fx),
        D::Relabel | D::RelabelGroup => relabel(model, action, fx),
        D::Candidate1
        | D::Candidate2
        | D::Candidate3
        | D::Candidate4
        | D::Candidate5
        | D::Candidate6
        | D::Candidate7
        | D::Candidate8
        | D::Candidate9 => candidate(model, action, action.candidate().unwrap_or(0), fx),
        D::ClearDecision => clear(model, action, fx),
        D::Repeat => match model.review.last_choice.clone() {
            Some(choice) => repeat(model, action, choice, fx),
            None => say(model, Level::Warning, "nothing to repeat yet"),
        },
        D::Undo => {
            model.review.journal.push(Op::Undo);
            send(fx, Command::Undo);
        }
        D::Redo => {
            model.review.journal.push(Op::Redo);
            send(fx, Command::Redo);
        }
        D::Note => open::note(model, action, fx),
        D::Tag => open::tag(model, action, fx),
    }
}

/// Decides, or asks first if it affects many samples.
fn ask(model: &mut Model, action: Action, choice: Choice, fx: &mut Effects) {
    let Some(found) = targets(model, action, fx) else { return };
    if matches!(action, Action::KeepGroup | Action::RemoveGroup)
        && let Some(labels) = each::differing(model, &found.rows)
    {
        // No key settles which label is right without saying that they differ.
        let (count, verb) = (found.samples.len(), choice.word());
        let question = format!("the labels differ ({labels}): {verb} all {count} samples?");
        return confirm(model, question, Consequence::Decide(found.samples, choice));
    }
    ask_about(model, found.samples, choice, fx);
}

/// Opens a question.
pub(super) fn confirm(model: &mut Model, question: String, yes: Consequence) {
    model.mode = Mode::Confirm(Confirm { question, yes });
}

/// Decides on these samples, or asks first if they are many or the class is new.
pub(super) fn ask_about(model: &mut Model, samples: Vec<SampleId>, choice: Choice, fx: &mut Effects) {
    let new = match &choice {
        Choice::Relabel(name) => {
            let known = model.session.as_ref().is_some_and(|session| session.classes.contains(name));
            (!known && !model.review.recent.contains(name)).then(|| name.clone())
        }
        _ => None,
    };
    let many = samples.len() > ASK_ABOVE;
    if new.is_none() && !many {
        return decide(model, samples, Some(choice), fx);
    }
    let what =
        if samples.len() == 1 { "this sample".to_owned() } else { format!("{} samples", samples.len()) };
    let question = match new {
        Some(name) => format!("'{name}' is a new class: relabel {what} to it?"),
        None => match &choice {
            Choice::Relabel(name) => format!("relabel {what} to {name}?"),
            Choice::Unsure => format!("mark {what} as unsure?"),
            other => format!("{} {what}?", other.word()),
        },
    };
    confirm(model, question, Consequence::Decide(samples, choice));
}

/// A question was answered with yes.
pub(super) fn confirmed(model: &mut Model, consequence: Consequence, fx: &mut Effects) {
    match consequence {
        Consequence::Decide(samples, choice) => decide(model, samples, Some(choice), fx),
        Consequence::DecideEach(each, remark) => each::decide(model, each, remark, fx),
        Consequence::KeepOnly(keep, remove) => keep_only(model, keep, remove, fx),
        Consequence::Send(command) => {
            model.views.page.sent(model, &command);
            if let Some(page) = model.panel() {
                page.sent(model, &command);
            }
            send(fx, command);
        }
    }
}

/// Sends a decision, shows it as saving, and moves on.
pub(super) fn decide(model: &mut Model, samples: Vec<SampleId>, choice: Option<Choice>, fx: &mut Effects) {
    if let Some(choice) = &choice {
        model.review.last_choice = Some(choice.clone());
        used(model, choice);
    }
    sit(model, &samples, choice.as_ref());
    let decision = choice.clone().map(|choice| each::decision_here(model, choice));
    send(fx, Command::Decide { samples: samples.clone(), decision });
    let remark = unmark(model, &samples);
    let moves = choice.is_some();
    model.review.journal.push_with(Op::Decide { samples: samples.clone(), choice }, remark);
    after(model, &samples, moves, fx);
}

/// A class used for relabeling is offered first.
pub(super) fn used(model: &mut Model, choice: &Choice) {
    if let Choice::Relabel(name) = choice {
        model.review.recent.retain(|known| known != name);
        model.review.recent.insert(0, name.clone());
        model.review.recent.truncate(12);
    }
}

/// Unmarks what was decided about. Returns what is to be said about marked samples that were not.
pub(super) fn unmark(model: &mut Model, samples: &[SampleId]) -> String {
    let marks = &mut model.review.marks;
    let marked = samples.iter().filter(|sample| marks.remove(sample)).count();
    let left = if marked > 0 { marks.len() } else { 0 };
    left_out(model, left)
}

/// After a decision about these samples was sent: moves on if the one under the cursor is among them.
pub(super) fn after(model: &mut Model, samples: &[SampleId], moves: bool, fx: &mut Effects) {
    let here = model.sample();
    model.list.placed = true;
    motion::touch(model);
    let advance = model.review.advance && moves && here.is_some_and(|here| samples.contains(&here));
    if advance && !model.views.page.advance(model, fx) {
        model.toast = None;
        motion::undecided(model, true, fx);
    }
}

/// Sends that one member of a group is kept and the others removed, and moves on to the next group.
pub(crate) fn keep_only(model: &mut Model, keep: SampleId, remove: Vec<SampleId>, fx: &mut Effects) {
    let all = [&[keep], remove.as_slice()].concat();
    let remark = unmark(model, &all);
    send(fx, Command::View(ViewCommand::KeepOnly { keep, remove: remove.clone() }));
    model.review.journal.push_with(Op::KeepOnly { keep, remove }, remark);
    motion::touch(model);
    if model.review.advance {
        model.views.page.advance(model, fx);
    }
}

/// Updates the statistics of this run.
pub(super) fn sit(model: &mut Model, samples: &[SampleId], choice: Option<&Choice>) {
    if choice.is_some() {
        let now = model.time.now;
        model.review.sitting.decided(now, samples.len() as u64);
    }
    for sample in samples {
        let Some(row) = model.list.rows.place_of(*sample).and_then(|at| model.list.rows.get(at)) else {
            continue;
        };
        let suggested = model.class(row.suggested).filter(|_| row.suggested != row.label);
        if let Some(suggested) = suggested.map(str::to_owned) {
            model.review.sitting.answered(*sample, &suggested, choice);
        }
    }
}

/// Clears decisions.
fn clear(model: &mut Model, action: Action, fx: &mut Effects) {
    if let Some(found) = targets(model, action, fx) {
        decide(model, found.samples, None, fx);
    }
}

/// Repeats the last decision; a class that no part of the screen names is named in a question.
fn repeat(model: &mut Model, action: Action, choice: Choice, fx: &mut Effects) {
    let Some(found) = targets(model, action, fx) else { return };
    match choice {
        Choice::Relabel(name) if found.many() => each::relabel(model, &found, &name),
        Choice::Relabel(name) => {
            each::relabel_to(model, each::labeled(model, &found), name.clone(), fx);
            // One that has the label already was kept, and the next one is to be relabeled again.
            model.review.last_choice = Some(Choice::Relabel(name));
        }
        choice => ask_about(model, found.samples, choice, fx),
    }
}

/// Relabels to one of the candidates that the panel shows.
fn candidate(model: &mut Model, action: Action, index: usize, fx: &mut Effects) {
    let Some(sample) = model.row().map(|row| row.sample) else {
        return say(model, Level::Warning, "no sample is loaded yet");
    };
    // Only what is on the screen may be selected by its number.
    let Some(detail) = model.details.get(sample) else {
        return say(model, Level::Warning, "the candidates are still loading");
    };
    let Some(class) = detail.candidates.get(index).map(|candidate| candidate.class) else {
        return say(model, Level::Warning, format!("there is no candidate {}", index + 1));
    };
    let Some(name) = model.class(Some(class)).map(str::to_owned) else { return };
    let Some(found) = targets(model, action, fx) else { return };
    if found.many() {
        // The number belongs to the sample under the cursor, so the class is named before it goes to others.
        return each::relabel(model, &found, &name);
    }
    each::relabel_to(model, each::labeled(model, &found), name, fx);
}

/// Opens the list of classes.
fn relabel(model: &mut Model, action: Action, fx: &mut Effects) {
    if let Some(found) = targets(model, action, fx) {
        open::relabel(model, each::labeled(model, &found));
    }
}
