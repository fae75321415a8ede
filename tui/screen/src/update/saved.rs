//! What was sent to the journal is on disk, or was not saved: the screen shows it, with the engine's counts.

use super::{Effect, Effects, motion, say};
use crate::action::Action;
use crate::key::shown;
use crate::model::{Anchor, Level, Model, Op};
use chaffinch_protocol::decision::{Choice, Decision};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Elsewhere, ListCounts, Row, Saved, SavedKind};
use std::collections::{BTreeMap, BTreeSet};

/// The oldest thing that was sent is on disk.
pub(super) fn saved(model: &mut Model, saved: Saved, fx: &mut Effects) {
    let (op, remark) = model.review.journal.pop().unzip();
    let journal = &mut model.review.journal;
    journal.undoable = Some(saved.undoable);
    journal.redoable = saved.redoable;
    journal.saved = true;
    for sample in op.iter().flat_map(Op::samples) {
        journal.refused.remove(&sample);
    }
    let mut opened = false;
    if let Some(session) = &mut model.session {
        opened = saved.disputed > session.disputed;
        session.decided = saved.decided;
        session.disputed = saved.disputed;
    }
    counted_anew(model, saved.listed);
    if saved.kind == SavedKind::Undo {
        model.review.sitting.undone += saved.samples.len() as u64;
    }
    let first = saved.samples.first().copied();
    let moves = saved.kind != SavedKind::Decision;
    if moves {
        // Of several, only what stands for the first one is said; what was undone does not count.
        let one = saved.samples.len() == 1 || saved.kind == SavedKind::Redo;
        let choice = saved.decision.as_ref().map(|decision| &decision.choice).filter(|_| one);
        model.review.sitting.stands(&saved.samples, choice);
    }
    let tagged = matches!(op, Some(Op::Tag(_)));
    // Who said what is in the details.
    model.details.expire();
    let mut decided = op.as_ref().map(Op::choices).filter(|choices| !choices.is_empty() && !moves);
    let several = model.session.as_ref().is_some_and(|session| session.reviewers.len() > 1);
    let clears = decided.iter().flatten().any(|(_, choice)| choice.is_none());
    if clears && several {
        // What another reviewer has decided is in force again.
        decided = decided.filter(|_| saved.samples.len() == 1);
    } else if !moves && !tagged {
        let own = model.session.as_ref().map(|session| session.reviewer.clone()).unwrap_or_default();
        model.details.each_mut(|detail| {
            if saved.samples.contains(&detail.row.sample) {
                detail.reviewer.clone_from(&own);
            }
        });
    }
    let uniform = saved.samples.len() == 1 || decided.is_some();
    match decided {
        _ if saved.samples.len() == 1 => set(model, &saved.samples, saved.decision.as_ref()),
        Some(choices) => set_each(model, choices.into_iter().collect()),
        // Several samples that may now differ: the list is requested again.
        None => match first.filter(|_| moves) {
            Some(first) => {
                let anchor = Anchor::Position(Some(first), model.list.cursor);
                let query = model.list.query.clone();
                motion::relist(model, query, anchor, fx);
            }
            None => motion::refresh(model, fx),
        },
    }
    let key = |action| model.keymap.key_for(action).map(shown).unwrap_or_default();
    let hint = match saved.kind {
        SavedKind::Decision | SavedKind::Redo => {
            format!("{}   {} undo", saved.text, key(Action::Undo))
        }
        SavedKind::Undo => format!("{}   {} redo", saved.text, key(Action::Redo)),
    };
    match remark.filter(|remark| !remark.is_empty()) {
        None if opened => {
            let walks = key(Action::Conflicts);
            say(model, Level::Warning, format!("{hint}   others decided otherwise: {walks} walks conflicts"));
        }
        // What was left out is more important than what was done.
        Some(remark) => say(model, Level::Warning, format!("{hint}   {remark}")),
        None => say(model, Level::Info, hint),
    }
    if let Some(first) = first.filter(|_| moves && uniform) {
        motion::go_to(model, first, fx);
    }
    model.views.stale = true;
    if let Some(first) = first.filter(|_| moves) {
        model.views.page.reveal(model, Some(first));
    }
    finish_quitting(model, fx);
}

/// Something was saved in another terminal.
pub(super) fn elsewhere(model: &mut Model, elsewhere: Elsewhere) {
    let Elsewhere { by, samples, text, decided, disputed, opened, listed } = elsewhere;
    let mut watches = false;
    if let Some(session) = &mut model.session {
        (session.decided, session.disputed) = (decided, disputed);
        watches = session.watches;
    }
    counted_anew(model, listed);
    model.details.expire();
    let decisions: BTreeMap<SampleId, Option<Decision>> = samples.into_iter().collect();
    change(model, &mut |row: &mut Row| {
        if let Some(decision) = decisions.get(&row.sample) {
            row.decision.clone_from(decision);
        }
    });
    model.views.stale = true;
    let text = format!("{by}: {text}");
    if opened > 0 && !watches {
        let walks = model.keymap.key_for(Action::Conflicts).map(shown).unwrap_or_default();
        say(model, Level::Warning, format!("{text}   you decided otherwise: {walks} walks conflicts"));
    } else if watches {
        say(model, Level::Info, text.as_str());
    }
    // What one is told of one's own decisions stays on the screen.
    model.jobs.note(text);
}

/// The engine has counted the decisions of a list, which is the one on the screen or the next one.
fn counted_anew(model: &mut Model, counts: Option<ListCounts>) {
    let Some(ListCounts { ticket, by_choice }) = counts else { return };
    let list = &mut model.list;
    if ticket == list.ticket {
        list.by_choice = by_choice;
        list.decided = by_choice.iter().sum();
    } else if let Some(incoming) = &mut list.incoming
        && incoming.ticket == ticket
        && let Some((_, decided, counts)) = &mut incoming.counts
    {
        (*decided, *counts) = (by_choice.iter().sum(), by_choice);
    }
}

fn set(model: &mut Model, samples: &[SampleId], decision: Option<&Decision>) {
    let samples: BTreeSet<_> = samples.iter().copied().collect();
    change(model, &mut |row: &mut Row| {
        if samples.contains(&row.sample) {
            row.decision = decision.cloned();
        }
    });
}

/// Several samples were decided about, whose tags and notes stay.
fn set_each(model: &mut Model, choices: BTreeMap<SampleId, Option<Choice>>) {
    change(model, &mut |row: &mut Row| {
        if let Some(choice) = choices.get(&row.sample) {
            row.decision = choice.clone().map(|choice| match row.decision.take() {
                Some(before) => Decision { choice, ..before },
                None => choice.into(),
            });
        }
    });
}

fn change(model: &mut Model, mut change: &mut dyn FnMut(&mut Row)) {
    model.list.rows.each_mut(&mut change);
    model.details.each_mut(|detail| change(&mut detail.row));
    for page in model.views.all {
        page.each_row_mut(model, &mut change);
    }
}

/// The oldest thing that was sent to be saved was not.
pub(super) fn not_saved(model: &mut Model, message: String, fx: &mut Effects) {
    let op = model.review.journal.pop().map(|(op, _)| op);
    let level = if matches!(op, Some(Op::Undo | Op::Redo)) { Level::Warning } else { Level::Error };
    // Who only watches has nothing to save.
    if model.session.as_ref().is_some_and(|session| !session.watches) {
        model.review.journal.refused.extend(op.iter().flat_map(Op::samples));
    }
    say(model, level, message);
    match op {
        Some(op @ (Op::Decide { .. } | Op::DecideEach(_) | Op::KeepOnly { .. })) => {
            let samples = op.samples();
            // While quitting, the user must see that this was not saved.
            let waiting = model.time.quitting.take().is_some();
            model.views.stale = true;
            model.views.page.reveal(model, samples.first().copied());
            let place = samples.first().and_then(|first| model.list.rows.place_of(*first));
            if let Some(row) = place.filter(|_| !waiting) {
                motion::go(model, row);
            }
            motion::refresh(model, fx);
        }
        _ => finish_quitting(model, fx),
    }
}

/// The oldest thing that was sent was there already.
pub(super) fn unchanged(model: &mut Model, message: String, fx: &mut Effects) {
    let (op, remark) = model.review.journal.pop().unzip();
    for sample in op.iter().flat_map(Op::samples) {
        model.review.journal.refused.remove(&sample);
    }
    let remark = remark.unwrap_or_default();
    match remark.is_empty() {
        true => say(model, Level::Info, message),
        false => say(model, Level::Warning, format!("{message}   {remark}")),
    }
    finish_quitting(model, fx);
}

/// Quits once the last save is confirmed.
fn finish_quitting(model: &mut Model, fx: &mut Effects) {
    if model.time.quitting.is_some() && model.review.journal.outstanding.is_empty() {
        fx.push(Effect::Quit(0));
    }
}
