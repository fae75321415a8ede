//! Decisions that differ from sample to sample: each to its own suggestion, all to one class, one of a group.

use super::decide::{
    ASK_ABOVE, after, ask_about, confirm, decide as decide_alike, keep_only as decide_keep_only, sit, unmark,
    used,
};
use super::targets::{Targets, left_out, targets};
use super::{Effects, say, send};
use crate::action::Action;
use crate::model::{Consequence, Level, Mode, Model, Op, Picker, PickerItem, PickerKind};
use crate::text::{self, counted};
use chaffinch_protocol::decision::{ADJUDICATED, Choice, Decision};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Row};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Samples without a suggestion that are named.
const NAMED: usize = 2;

/// Relabels each sample to its own suggested label.
pub(super) fn accept(model: &mut Model, fx: &mut Effects) {
    let Some(found) = targets(model, Action::AcceptSuggestion, fx) else { return };
    if found.many() { accept_many(model, &found, fx) } else { accept_one(model, found, fx) }
}

fn accept_one(model: &mut Model, found: Targets, fx: &mut Effects) {
    let Some(row) = model.row() else { return };
    let path = row.path.clone();
    // What a detector would suggest that finds the sample fine is no suggestion, and is not shown as one.
    let suggested = row.suggested.or_else(|| {
        let mut flags = model.details.get(row.sample)?.issues.iter().filter(|issue| issue.flagged);
        flags.find_map(|issue| issue.suggested)
    });
    let Some(name) = model.class(suggested).map(str::to_owned) else {
        return say(model, Level::Warning, "no suggested label: choose another decision");
    };
    if model.views.page.is_over_the_list() {
        let labeled = labeled(model, &found);
        return relabel_to(model, labeled, name, fx);
    }
    // Elsewhere the key is expected to open what is under the cursor, so it does not decide by itself.
    let question = format!("relabel {path} to {name}?");
    confirm(model, question, Consequence::Decide(found.samples, Choice::Relabel(name)));
}

fn accept_many(model: &mut Model, found: &Targets, fx: &mut Effects) {
    let mut each = Vec::new();
    let mut without = Vec::new();
    for row in &found.rows {
        match model.class(row.suggested.filter(|class| Some(*class) != row.label)) {
            Some(name) => each.push((row.sample, Choice::Relabel(name.to_owned()))),
            None => without.push(row.path.as_str()),
        }
    }
    if each.is_empty() {
        let text = match without.as_slice() {
            [path] => format!("no suggested label for {path}"),
            all => format!("none of the {} marked samples has a suggested label", all.len()),
        };
        return say(model, Level::Warning, text);
    }
    let hidden = left_out(model, model.review.marks.len().saturating_sub(found.rows.len()));
    let remark = [unsuggested(&without), hidden].into_iter().filter(|said| !said.is_empty());
    let remark = remark.collect::<Vec<_>>().join("; ");
    if each.len() <= ASK_ABOVE {
        return decide(model, each, remark, fx);
    }
    let left = if without.is_empty() { String::new() } else { format!(" ({remark})") };
    let question = format!("relabel {} samples, each to its suggested label?{left}", each.len());
    confirm(model, question, Consequence::DecideEach(each, remark));
}

/// What is said about samples that have no suggestion.
fn unsuggested(paths: &[&str]) -> String {
    let names = paths.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = if paths.len() > NAMED { ", …" } else { "" };
    match paths.len() {
        0 => String::new(),
        1 => format!("1 sample without a suggestion stays marked: {names}"),
        count => format!("{count} samples without a suggestion stay marked: {names}{more}"),
    }
}

/// Asks whether all of these samples belong to a class; those that have its label already are kept.
pub(super) fn relabel(model: &mut Model, found: &Targets, name: &str) {
    let kept = |row: &Row| model.class(row.label) == Some(name);
    let choice = |row: &Row| if kept(row) { Choice::Keep } else { Choice::Relabel(name.to_owned()) };
    let each: Vec<(SampleId, Choice)> = found.rows.iter().map(|row| (row.sample, choice(row))).collect();
    let keep = found.rows.iter().filter(|row| kept(row)).count();
    let samples = |count: usize| counted(count as u64, "sample", "samples");
    let (all, shown) = (each.len(), text::safe(name));
    let question = match keep {
        0 => format!("relabel {} to {shown}?", samples(all)),
        keep if keep == all => format!("keep {} as {shown}?", samples(all)),
        keep => mixed_question(all - keep, keep, &shown),
    };
    confirm(model, question, Consequence::DecideEach(each, String::new()));
}

/// The samples, each with the label that it has.
pub(super) fn labeled(model: &Model, found: &Targets) -> Vec<(SampleId, Option<u32>)> {
    let here = model.row().map(|row| (row.sample, row.label));
    let label = |sample: &SampleId| {
        let row = found.rows.iter().find(|row| row.sample == *sample).map(|row| row.label);
        row.unwrap_or_else(|| here.filter(|(own, _)| own == sample).and_then(|(_, label)| label))
    };
    found.samples.iter().map(|sample| (*sample, label(sample))).collect()
}

/// Relabels samples to a class that was named; those that have its label already are kept.
pub(super) fn relabel_to(
    model: &mut Model,
    labeled: Vec<(SampleId, Option<u32>)>,
    name: String,
    fx: &mut Effects,
) {
    let kept = |label: Option<u32>| model.class(label) == Some(name.as_str());
    let keep = labeled.iter().filter(|(_, label)| kept(*label)).count();
    if keep == 0 || keep == labeled.len() {
        let choice = if keep == 0 { Choice::Relabel(name) } else { Choice::Keep };
        return ask_about(model, labeled.into_iter().map(|(sample, _)| sample).collect(), choice, fx);
    }
    let choice = |label| if kept(label) { Choice::Keep } else { Choice::Relabel(name.clone()) };
    let each: Vec<(SampleId, Choice)> =
        labeled.iter().map(|(sample, label)| (*sample, choice(*label))).collect();
    if each.len() <= ASK_ABOVE {
        return decide(model, each, String::new(), fx);
    }
    let question = mixed_question(each.len() - keep, keep, &text::safe(&name));
    confirm(model, question, Consequence::DecideEach(each, String::new()));
}

/// Asks about samples of which some have the label already.
fn mixed_question(relabel: usize, keep: usize, name: &str) -> String {
    let samples = counted(relabel as u64, "sample", "samples");
    match keep {
        1 => format!("relabel {samples} to {name}, and keep 1 that is {name} already?"),
        keep => format!("relabel {samples} to {name}, and keep {keep} that are {name} already?"),
    }
}

/// Sends decisions that may differ as one entry of the journal, shows them as saving, and moves on.
pub(super) fn decide(model: &mut Model, each: Vec<(SampleId, Choice)>, remark: String, fx: &mut Effects) {
    let samples: Vec<SampleId> = each.iter().map(|(sample, _)| *sample).collect();
    // The same for all is what it is everywhere else; then nothing was left out for lack of a suggestion.
    if let Some((_, first)) = each.first()
        && remark.is_empty()
        && each.iter().all(|(_, choice)| choice == first)
    {
        return decide_alike(model, samples, Some(first.clone()), fx);
    }
    if let Some(choice) = common(&each) {
        model.review.last_choice = Some(choice);
    }
    for (sample, choice) in &each {
        used(model, choice);
        sit(model, &[*sample], Some(choice));
    }
    let decisions =
        each.iter().map(|(sample, choice)| (*sample, decision_here(model, choice.clone()))).collect();
    send(fx, Command::DecideEach { decisions });
    let hidden = unmark(model, &samples);
    let remark = if remark.is_empty() { hidden } else { remark };
    model.review.journal.push_with(Op::DecideEach(each), remark);
    after(model, &samples, true, fx);
}

/// A choice as a decision: one that settles a conflict, on a page for that.
pub(super) fn decision_here(model: &Model, choice: Choice) -> Decision {
    let mut decision = Decision::from(choice);
    if model.views.page.adjudicates() {
        decision.tags.push(ADJUDICATED.to_owned());
    }
    decision
}

/// Keeps one of a group that was seen and removes the others; where their labels differ, it asks which is right.
pub(super) fn keep_of(model: &mut Model, keep: SampleId, samples: Vec<SampleId>, fx: &mut Effects) {
    let Some(group) = model.views.groups.shown.as_ref().filter(|group| {
        group.samples.len() == samples.len() && samples.iter().all(|sample| group.samples.contains(sample))
    }) else {
        return say(model, Level::Warning, "the group has changed meanwhile: nothing was decided");
    };
    if group.labels_differ {
        let rows: Vec<Row> = group.members.iter().map(|member| member.row.clone()).collect();
        return ask_label(model, keep, &rows);
    }
    let remove: Vec<SampleId> = samples.into_iter().filter(|sample| *sample != keep).collect();
    decide_keep_only(model, keep, remove, fx);
}

/// The decision that can be repeated: the one that all have that are not just kept.
fn common(each: &[(SampleId, Choice)]) -> Option<Choice> {
    let mut others = each.iter().map(|(_, choice)| choice).filter(|choice| **choice != Choice::Keep);
    let first = others.next().cloned().unwrap_or(Choice::Keep);
    others.all(|choice| *choice == first).then_some(first).filter(|choice| *choice != Choice::Remove)
}

/// The labels of these samples with their counts, the most frequent first, if they differ.
pub(crate) fn differing(model: &Model, rows: &[Row]) -> Option<String> {
    let labels = labels(rows);
    (labels.len() > 1).then(|| {
        let word = |(label, count): &(u32, usize)| {
            format!("{} ×{count}", text::safe(model.class(Some(*label)).unwrap_or("?")))
        };
        labels.iter().map(word).collect::<Vec<_>>().join(", ")
    })
}

/// The labels of these samples with their counts, the most frequent first.
fn labels(rows: &[Row]) -> Vec<(u32, usize)> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for label in rows.iter().filter_map(|row| row.label) {
        *counts.entry(label).or_default() += 1;
    }
    let mut counts: Vec<(u32, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(label, count)| (Reverse(*count), *label));
    counts
}

/// Asks which of the labels of a group of copies is right: one member is kept with it, the others are removed.
pub(crate) fn ask_label(model: &mut Model, keep: SampleId, rows: &[Row]) {
    let own = rows.iter().find(|row| row.sample == keep).and_then(|row| row.label);
    let remove = rows.iter().map(|row| row.sample).filter(|sample| *sample != keep).collect();
    let item = |(label, count): &(u32, usize)| PickerItem {
        name: model.class(Some(*label)).unwrap_or("?").to_owned(),
        side: format!("×{count}"),
        ..PickerItem::default()
    };
    let items = labels(rows).iter().map(item).collect();
    model.mode = Mode::Picker(Picker::new(PickerKind::Settle { keep: (keep, own), remove }, items));
}

/// The right label was chosen.
pub(super) fn settle(
    model: &mut Model,
    (keep, own): (SampleId, Option<u32>),
    remove: Vec<SampleId>,
    label: String,
    fx: &mut Effects,
) {
    let kept = if model.class(own) == Some(&label) { Choice::Keep } else { Choice::Relabel(label) };
    let removed = remove.into_iter().map(|sample| (sample, Choice::Remove));
    decide(model, std::iter::once((keep, kept)).chain(removed).collect(), String::new(), fx);
}
