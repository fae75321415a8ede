//! Groups of copies, decided as a whole.

use super::{close, show, ticket};
use crate::action::Action;
use crate::model::{Confirm, Consequence, Groups, Level, Mode, Model, Op, Page};
use crate::update::{Effects, decide, motion, say, send};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, GroupView, Ticket, ViewCommand};

/// Members asked for at once.
const WINDOW: usize = 64;

impl Groups {
    /// The list is made again, and the group of a sample is shown.
    pub(in crate::update) fn seek(&mut self, sample: Option<SampleId>) {
        self.ticket = 0;
        self.total = None;
        self.asked = None;
        self.of = sample;
    }

    /// The first member on the screen.
    pub(in crate::update) fn first_on_screen(&self, model: &Model) -> usize {
        let count = crate::view::grid_cells(model).map_or(1, |cells| cells.count().max(1));
        self.cursor / count * count
    }
}

pub(super) fn toggle(model: &mut Model) {
    if model.views.page == Page::Group {
        return close(model);
    }
    let sample = model.sample();
    show(model, Page::Group);
    model.views.groups.shown = None;
    model.views.groups.seek(sample);
}

/// Asks for the list, or for the members on the screen.
pub(super) fn ask(model: &mut Model, fx: &mut Effects) {
    let now = model.now;
    let stale = model.views.stale;
    if model.views.groups.ticket == 0 {
        let ticket = ticket(model);
        let groups = &mut model.views.groups;
        groups.ticket = ticket;
        groups.asked = Some((u64::MAX, 0, now));
        let (leaks, sample) = (groups.leaks, groups.of);
        return send(fx, Command::View(ViewCommand::Groups { ticket, leaks, sample }));
    }
    let groups = &mut model.views.groups;
    match groups.total {
        // The answer has been waited for long enough.
        None if groups.asked.is_none() => return groups.seek(groups.of),
        None | Some(0) => return,
        Some(_) => {}
    }
    let start = (groups.cursor / WINDOW * WINDOW) as u64;
    let shown = groups.shown.as_ref().is_some_and(|group| {
        group.place == groups.place && group.start == start && group.ticket == groups.ticket
    });
    let asked = groups.asked.is_some_and(|(place, first, _)| (place, first) == (groups.place, start));
    if !stale && (shown || asked) {
        return;
    }
    groups.asked = Some((groups.place, start, now));
    let (ticket, place) = (groups.ticket, groups.place);
    model.views.stale = false;
    send(fx, Command::View(ViewCommand::Group { ticket, place, start, len: WINDOW as u32 }));
}

pub(super) fn listed(model: &mut Model, ticket: Ticket, total: u64, decided: u64, place: Option<u64>) {
    let groups = &mut model.views.groups;
    if groups.ticket != ticket {
        return;
    }
    groups.total = Some(total);
    groups.decided = decided;
    groups.asked = None;
    let lost = groups.of.is_some() && place.is_none();
    groups.place = place.unwrap_or(groups.place).min(total.saturating_sub(1));
    if lost {
        groups.of = None;
        (groups.place, groups.cursor) = (0, 0);
    }
    let text = match (total, lost) {
        (0, _) if groups.leaks => "no group reaches across splits",
        (0, _) => "no detector flags a group of copies",
        (_, true) => "this sample is in no flagged group: here is the worst one",
        _ => return,
    };
    if total == 0 && model.views.spoken {
        close(model);
    }
    say(model, Level::Info, text);
}

pub(super) fn got(model: &mut Model, group: Box<GroupView>) {
    let groups = &mut model.views.groups;
    if group.ticket != groups.ticket || group.place != groups.place {
        return;
    }
    groups.asked = None;
    if let Some(sample) = groups.of.take() {
        groups.cursor = group.samples.iter().position(|other| *other == sample).unwrap_or(0);
    }
    groups.cursor = groups.cursor.min(group.samples.len().saturating_sub(1));
    groups.shown = Some(group);
}

pub(super) fn found(model: &mut Model, ticket: Ticket, place: Option<u64>, fx: &mut Effects) {
    if ticket != model.views.groups.ticket {
        return;
    }
    let above = std::mem::take(&mut model.views.groups.then_above);
    match place {
        Some(place) => to(model, place),
        None if above => find(model, false, fx),
        // A fault stays in sight.
        None if model.toast.as_ref().is_some_and(|toast| toast.level == Level::Error) => {}
        None => say(model, Level::Info, "no other group is undecided"),
    }
}

/// Shows another group.
fn to(model: &mut Model, place: u64) {
    let groups = &mut model.views.groups;
    let last = groups.total.unwrap_or(0).saturating_sub(1);
    groups.place = place.min(last);
    groups.cursor = 0;
    groups.of = None;
    groups.asked = None;
}

/// Goes to a member.
pub(super) fn go(model: &mut Model, member: usize) {
    let groups = &mut model.views.groups;
    let count = groups.shown.as_ref().map_or(0, |group| group.samples.len());
    groups.cursor = member.min(count.saturating_sub(1));
}

pub(super) fn act(model: &mut Model, action: Action, fx: &mut Effects) -> bool {
    use Action as A;
    let cursor = model.views.groups.cursor;
    let cells = crate::view::grid_cells(model).unwrap_or_default();
    let (columns, page) = (usize::from(cells.columns).max(1), cells.count().max(1));
    match action {
        A::Left => go(model, cursor.saturating_sub(1)),
        A::Right => go(model, cursor + 1),
        A::Up => go(model, cursor.checked_sub(columns).unwrap_or(cursor)),
        A::Down => go(model, cursor + columns),
        A::PageDown | A::HalfPageDown => go(model, cursor + page),
        A::PageUp | A::HalfPageUp => go(model, cursor.saturating_sub(page)),
        A::Top => go(model, 0),
        A::Bottom => go(model, usize::MAX),
        A::NextClass => to(model, model.views.groups.place.saturating_add(1)),
        A::PreviousClass => to(model, model.views.groups.place.saturating_sub(1)),
        A::NextUndecided | A::PreviousUndecided => find(model, action == A::NextUndecided, fx),
        A::ToggleAll => {
            let groups = &mut model.views.groups;
            groups.leaks = !groups.leaks;
            (groups.place, groups.cursor) = (0, 0);
            groups.seek(None);
            let text = if groups.leaks { "groups that reach across splits" } else { "all groups" };
            say(model, Level::Info, text);
        }
        A::Mark => {
            if let Some(sample) = model.sample() {
                if !model.marks.remove(&sample) {
                    model.marks.insert(sample);
                }
                go(model, cursor + 1);
            }
        }
        A::MarkAll => model.marks.extend(model.views.group_samples().unwrap_or_default()),
        A::Visual => say(model, Level::Info, "mark members one by one, or all of them"),
        _ => return false,
    }
    true
}

fn find(model: &mut Model, forward: bool, fx: &mut Effects) {
    let (ticket, from) = (model.views.groups.ticket, model.views.groups.place);
    model.views.groups.then_above = false;
    send(fx, Command::View(ViewCommand::FindGroup { ticket, from, forward }));
}

/// Keeps the best and removes the others, or asks first. Where one member is marked, that one is kept.
pub(super) fn keep_best(model: &mut Model, fx: &mut Effects) {
    if model.views.page != Page::Group {
        // Nothing is removed by a rule that has not been seen.
        toggle(model);
        return say(model, Level::Info, "this is the group: once more keeps the best and removes the others");
    }
    let Some(group) = &model.views.groups.shown else {
        return say(model, Level::Warning, "the group is still being read");
    };
    let marked: Vec<SampleId> =
        group.samples.iter().copied().filter(|sample| model.marks.contains(sample)).collect();
    let keep = match marked.as_slice() {
        [] => group.samples.first().copied(),
        [one] => Some(*one),
        _ => return say(model, Level::Warning, "mark one member at most: the one to keep"),
    };
    let Some(keep) = keep else { return };
    let remove: Vec<SampleId> = group.samples.iter().copied().filter(|sample| *sample != keep).collect();
    if remove.len() <= decide::ASK_ABOVE {
        return keep_only(model, keep, remove, fx);
    }
    let which = if marked.is_empty() { "the best" } else { "the marked one" };
    let question = format!("keep {which} and remove {} samples?", remove.len());
    model.mode = Mode::Confirm(Confirm { question, yes: Consequence::KeepOnly(keep, remove) });
}

/// Sends the decision, and goes on to the next group.
pub(in crate::update) fn keep_only(
    model: &mut Model,
    keep: SampleId,
    remove: Vec<SampleId>,
    fx: &mut Effects,
) {
    decide::count(model, &[keep], Some(&Choice::Keep));
    decide::count(model, &remove, Some(&Choice::Remove));
    model.marks.clear();
    send(fx, Command::View(ViewCommand::KeepOnly { keep, remove: remove.clone() }));
    model.journal.push(Op::KeepOnly { keep, remove });
    motion::touch(model);
    if model.advance {
        advance(model, fx);
    }
}

/// After a decision in a view with a cursor of its own: on to what is undecided there. Says whether it is such a view.
pub(in crate::update) fn advance(model: &mut Model, fx: &mut Effects) -> bool {
    if model.views.page.is_over_the_list() {
        return false;
    }
    if model.views.page != Page::Group {
        return true;
    }
    let groups = &model.views.groups;
    let Some(group) = &groups.shown else { return true };
    let decided = |sample: &SampleId| match model.journal.overlay.get(sample) {
        Some(choice) => choice.is_some(),
        None => group.members.iter().any(|m| m.row.sample == *sample && m.row.decision.is_some()),
    };
    let open = |place: &usize| !decided(&group.samples[*place]);
    let count = group.samples.len();
    let next = (groups.cursor + 1..count).chain(0..groups.cursor.min(count)).find(open);
    match next {
        Some(next) => go(model, next),
        None => {
            find(model, true, fx);
            model.views.groups.then_above = true;
        }
    }
    true
}
