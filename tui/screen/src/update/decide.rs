//! Decisions: their targets, whether to ask first, and what the screen shows until they are on disk.

use super::targets::targets;
use super::{Effects, motion, open, say, send};
use crate::action::{Action, kind};
use crate::model::{Confirm, Consequence, Level, Mode, Model, Op};
use chaffinch_protocol::decision::{Choice, Decision};
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
        D::AcceptSuggestion => accept(model, fx),
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
            Some(choice) => ask(model, action, choice, fx),
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
    if let Some(samples) = targets(model, action, fx) {
        ask_about(model, samples, choice, fx);
    }
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
    model.mode = Mode::Confirm(Confirm { question, yes: Consequence::Decide(samples, choice) });
}

/// A question was answered with yes.
pub(super) fn confirmed(model: &mut Model, consequence: Consequence, fx: &mut Effects) {
    match consequence {
        Consequence::Decide(samples, choice) => decide(model, samples, Some(choice), fx),
        Consequence::KeepOnly(keep, remove) => keep_only(model, keep, remove, fx),
    }
}

/// Sends a decision, shows it as saving, and moves on.
pub(super) fn decide(model: &mut Model, samples: Vec<SampleId>, choice: Option<Choice>, fx: &mut Effects) {
    let here = model.sample();
    if let Some(choice) = &choice {
        model.review.last_choice = Some(choice.clone());
        if let Choice::Relabel(name) = choice {
            model.review.recent.retain(|known| known != name);
            model.review.recent.insert(0, name.clone());
            model.review.recent.truncate(12);
        }
    }
    count(model, &samples, choice.as_ref());
    sit(model, &samples, choice.as_ref());
    let decision = choice.clone().map(Decision::from);
    send(fx, Command::Decide { samples: samples.clone(), decision });
    let advance =
        model.review.advance && choice.is_some() && here.is_some_and(|here| samples.contains(&here));
    model.review.marks.clear();
    model.review.journal.push(Op::Decide { samples, choice });
    motion::touch(model);
    if advance && !model.views.page.advance(model, fx) {
        model.toast = None;
        motion::undecided(model, true, fx);
    }
}

/// Sends that one member of a group is kept and the others removed, and moves on to the next group.
pub(crate) fn keep_only(model: &mut Model, keep: SampleId, remove: Vec<SampleId>, fx: &mut Effects) {
    count(model, &[keep], Some(&Choice::Keep));
    count(model, &remove, Some(&Choice::Remove));
    model.review.marks.clear();
    send(fx, Command::View(ViewCommand::KeepOnly { keep, remove: remove.clone() }));
    model.review.journal.push(Op::KeepOnly { keep, remove });
    motion::touch(model);
    if model.review.advance {
        model.views.page.advance(model, fx);
    }
}

/// Updates the statistics of this run.
fn sit(model: &mut Model, samples: &[SampleId], choice: Option<&Choice>) {
    let Some(choice) = choice else { return };
    let now = model.time.now;
    model.review.sitting.decided(now, samples.len() as u64);
    for sample in samples {
        let Some(row) = model.list.rows.place_of(*sample).and_then(|at| model.list.rows.get(at)) else {
            continue;
        };
        let suggested = model.class(row.suggested).filter(|_| row.suggested != row.label);
        let (Some(suggested), true) = (suggested, *choice != Choice::Unsure) else { continue };
        let accepted = matches!(choice, Choice::Relabel(name) if name == suggested);
        model.review.sitting.suggested += 1;
        model.review.sitting.accepted += u64::from(accepted);
        model.review.sitting.kept += u64::from(*choice == Choice::Keep);
    }
}

/// Updates the counts of the list as far as its rows are cached; exact ones arrive with the next list.
pub(super) fn count(model: &mut Model, samples: &[SampleId], choice: Option<&Choice>) {
    for sample in samples {
        let Some(row) = model.list.rows.place_of(*sample).and_then(|at| model.list.rows.get(at)) else {
            continue;
        };
        let before = model.choice(row).map(Choice::index);
        let list = &mut model.list;
        if let Some(before) = before {
            list.by_choice[before] = list.by_choice[before].saturating_sub(1);
            list.decided = list.decided.saturating_sub(1);
        }
        if let Some(choice) = choice {
            list.by_choice[choice.index()] += 1;
            list.decided += 1;
        }
    }
}

/// Clears decisions.
fn clear(model: &mut Model, action: Action, fx: &mut Effects) {
    if let Some(samples) = targets(model, action, fx) {
        decide(model, samples, None, fx);
    }
}

/// Relabels to the suggested label.
fn accept(model: &mut Model, fx: &mut Effects) {
    let Some(row) = model.row() else { return };
    let suggested = row.suggested.or_else(|| {
        model
            .details
            .get(row.sample)
            .and_then(|detail| detail.issues.iter().find_map(|issue| issue.suggested))
    });
    match model.class(suggested).map(str::to_owned) {
        Some(name) => ask(model, Action::AcceptSuggestion, Choice::Relabel(name), fx),
        None => say(model, Level::Warning, "no suggested label: choose another decision"),
    }
}

/// Relabels to one of the candidates that the panel shows.
fn candidate(model: &mut Model, action: Action, index: usize, fx: &mut Effects) {
    let Some(row) = model.row() else { return };
    let (sample, label) = (row.sample, row.label);
    // Only what is on the screen may be selected by its number.
    let Some(detail) = model.details.get(sample) else {
        return say(model, Level::Warning, "the candidates are still loading");
    };
    let Some(class) = detail.candidates.get(index).map(|candidate| candidate.class) else {
        return say(model, Level::Warning, format!("there is no candidate {}", index + 1));
    };
    if model.review.marks.is_empty() && model.review.visual.is_none() && label == Some(class) {
        return ask(model, action, Choice::Keep, fx);
    }
    if let Some(name) = model.class(Some(class)).map(str::to_owned) {
        ask(model, action, Choice::Relabel(name), fx);
    }
}

/// Opens the list of classes.
fn relabel(model: &mut Model, action: Action, fx: &mut Effects) {
    if let Some(samples) = targets(model, action, fx) {
        open::relabel(model, samples);
    }
}
