//! One group of copies, with the best member first and the rule that makes it the best, decided as a whole.

use crate::action::Action;
use crate::effect::Effects;
use crate::key::shown;
use crate::model::{
    Cells, Confirm, Consequence, Groups, Level, Mode, Model, Page, Picker, PickerItem, PickerKind, Screen,
    Shot,
};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use crate::update::{ahead, decide, each, mark, say, send, show, targets};
use crate::view::cells::{gutter, info, shot};
use crate::view::{list, picture};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{
    Command, GroupBest, GroupMember, GroupView, Likeness, Row, Ticket, ViewCommand, ViewEvent,
};
use ratatui::layout::{Position, Rect};

/// Lines above the pictures.
const HEAD: u16 = 2;
/// Members per request.
const WINDOW: usize = 64;

/// The group.
pub(super) struct Group;

impl Page for Group {
    fn name(&self) -> &'static str {
        "group"
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Group, Action::KeepBest, Action::KeepBy]
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        use Action as A;
        vec![
            A::KeepBest,
            A::KeepBy,
            A::KeepGroup,
            A::RemoveGroup,
            A::NextClass,
            A::NextUndecided,
            A::Help,
            A::Back,
            A::Undo,
            A::Remove,
            A::Mark,
            A::ToggleAll,
            A::PreviousClass,
        ]
    }

    fn meaning(&self, model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        Some(match action {
            Action::NextClass => ("next group", "Go to the next group"),
            Action::PreviousClass => ("previous group", "Go to the previous group"),
            Action::NextUndecided => ("next undecided", "Go to the next group with an undecided member"),
            Action::ToggleAll if model.views.groups.leaks => ("all groups", "Show all groups again"),
            Action::ToggleAll => ("only leaks", "Show only groups that span splits, or all groups again"),
            Action::Mark => ("mark", "Mark or unmark the member and go to the next one"),
            _ => return None,
        })
    }

    fn draw(&self, model: &Model, _area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let body = Screen::of(model.display.size).body;
        let groups = &model.views.groups;
        let (Some(group), Some(cells)) = (&groups.shown, cells(model)) else {
            let words = match groups.total {
                Some(0) if groups.leaks => "no group spans splits",
                Some(0) => "no detector flags any group of copies",
                _ => "loading groups…",
            };
            picture::note(body, Role::Dim, words, paint);
            return None;
        };
        let total = groups.total.unwrap_or(0);
        let line = Rect { x: body.x + 1, height: 1, width: body.width.saturating_sub(2), ..body };
        let head = head(groups, group, total, usize::from(line.width));
        let pieces: Vec<(Role, &str)> = head.iter().map(|(role, words)| (*role, words.as_str())).collect();
        paint.pieces(line, &pieces);
        let below = Rect { y: line.y + 1, ..line };
        match labels_differ(model, group) {
            // No member of these is better than another.
            labels if !group.likeness.is_copy() => {
                let labels = labels.map(|labels| format!("labels differ: {labels}   ")).unwrap_or_default();
                paint.pieces(below, &[(Role::Severe, &labels), (Role::Dim, &by_marks(model))]);
            }
            // What has to be settled first; the rule says nothing about it.
            Some(labels) => {
                let key = model.keymap.key_for(Action::KeepBest).map(shown).unwrap_or_default();
                let (labels, asks) =
                    (format!("labels differ: {labels}"), format!("   {key} asks which is right"));
                paint.pieces(below, &[(Role::Severe, &labels), (Role::Dim, &asks)]);
            }
            None => {
                paint.put(below.x, below.y, below.width, Role::Dim, &group.rule);
            }
        }
        for one in self.shots(model) {
            shot(model, &one, paint);
        }
        for (cell, place, member) in members(model) {
            let here = place == groups.cursor;
            let marked = model.review.marks.contains(&member.row.sample);
            gutter(model, &cells, cell, &member.row, (here, marked), paint);
            let best = place == 0 && group.likeness.is_copy();
            caption(model, cells.caption(cell), member, best, paint);
            if here {
                let first = Rect { height: 1, ..cells.caption(cell) };
                paint.buffer.set_style(first, paint.style(Role::Cursor));
            }
        }
        info(model, paint);
        None
    }

    fn open(&self, model: &mut Model, action: Action, fx: &mut Effects) {
        match action {
            Action::KeepBest => keep_best(model, fx),
            Action::KeepBy => keep_by(model, fx),
            _ => toggle(model),
        }
    }

    fn act(&self, model: &mut Model, action: Action, fx: &mut Effects) -> bool {
        use Action as A;
        let cursor = model.views.groups.cursor;
        let cells = cells(model).unwrap_or_default();
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
                let text = if groups.leaks { "groups that span splits" } else { "all groups" };
                say(model, Level::Info, text);
            }
            A::Mark => {
                if model.sample().is_some() {
                    mark::toggle(model);
                    go(model, cursor + 1);
                }
            }
            A::MarkAll => model.review.marks.extend(self.group(model).unwrap_or_default()),
            A::Visual => say(model, Level::Info, "mark members one by one, or all at once"),
            _ => return false,
        }
        true
    }

    fn click(&self, model: &mut Model, x: u16, y: u16) {
        let Some(cells) = cells(model) else { return };
        if let Some(cell) = cells.at(x, y) {
            go(model, first_on_screen(model, &cells) + cell);
        }
    }

    /// Asks for the list, or for the members on the screen.
    fn request(&self, model: &mut Model, fx: &mut Effects) {
        let now = model.time.now;
        let stale = model.views.stale;
        if model.views.groups.ticket == 0 {
            let ticket = show::ticket(model);
            let groups = &mut model.views.groups;
            groups.ticket = ticket;
            groups.asked = Some((u64::MAX, 0, now));
            let (leaks, sample) = (groups.leaks, groups.of);
            return send(fx, Command::View(ViewCommand::Groups { ticket, leaks, sample }));
        }
        let groups = &mut model.views.groups;
        match groups.total {
            // The response is overdue.
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

    fn event(&self, model: &mut Model, event: ViewEvent, fx: &mut Effects) -> Option<ViewEvent> {
        match event {
            ViewEvent::Groups { ticket, total, decided, place } => {
                listed(model, ticket, total, decided, place);
            }
            ViewEvent::Group(group) => got(model, group),
            ViewEvent::GroupFound { ticket, place } => found(model, ticket, place, fx),
            ViewEvent::GroupBest { ticket, place, samples, best } => {
                judged(model, (ticket, place), samples, best)
            }
            other => return Some(other),
        }
        None
    }

    fn invalidate(&self, model: &mut Model) {
        let groups = &mut model.views.groups;
        groups.seek(groups.member().map(|member| member.row.sample));
    }

    fn forget_samples(&self, model: &mut Model) {
        let leaks = model.views.groups.leaks;
        model.views.groups = Groups { leaks, ..Groups::default() };
    }

    fn expire(&self, model: &mut Model, limit: u64) {
        let groups = &mut model.views.groups;
        groups.asked = groups.asked.filter(|(.., at)| *at > limit);
        groups.finding = groups.finding.filter(|at| *at > limit);
        groups.judging = groups.judging.filter(|at| *at > limit);
    }

    fn oldest_request(&self, model: &Model) -> Option<u64> {
        model.views.groups.asked.map(|(.., at)| at)
    }

    fn each_row_mut(&self, model: &mut Model, change: &mut dyn FnMut(&mut Row)) {
        if let Some(group) = &mut model.views.groups.shown {
            group.members.iter_mut().for_each(|member| change(&mut member.row));
        }
    }

    fn row<'a>(&self, model: &'a Model) -> Option<&'a Row> {
        model.views.groups.member().map(|member| &member.row)
    }

    fn group(&self, model: &Model) -> Option<Vec<SampleId>> {
        Some(model.views.groups.shown.as_ref()?.samples.clone())
    }

    fn reveal(&self, model: &mut Model, sample: Option<SampleId>) {
        // The next group may already be shown or requested.
        model.views.groups.seek(sample);
    }

    fn advance(&self, model: &mut Model, fx: &mut Effects) -> bool {
        let groups = &model.views.groups;
        let Some(group) = &groups.shown else { return true };
        let decided = |sample: &SampleId| match model.review.journal.overlay.get(sample) {
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

    fn busy(&self, model: &Model) -> bool {
        let groups = &model.views.groups;
        let here = groups.shown.as_ref().is_some_and(|group| {
            (group.ticket, group.place) == (groups.ticket, groups.place) && groups.member().is_some()
        });
        groups.finding.is_some() || groups.judging.is_some() || groups.total != Some(0) && !here
    }

    fn shows(&self, model: &Model, sample: SampleId) -> bool {
        model.views.groups.shown.as_ref().is_some_and(|group| group.samples.contains(&sample))
    }

    fn shots(&self, model: &Model) -> Vec<Shot> {
        let Some(cells) = cells(model) else { return Vec::new() };
        let members = members(model).into_iter();
        members.map(|(cell, _, member)| Shot::in_cell(cell, member.row.sample, cells.picture(cell))).collect()
    }

    fn position_text(&self, model: &Model) -> Option<String> {
        let groups = &model.views.groups;
        let group = groups.shown.as_ref()?;
        let (member, count) = (groups.cursor + 1, group.samples.len());
        let best = if member == 1 { ", the best" } else { "" };
        let (number, total) = (group.place + 1, groups.total.unwrap_or(0));
        Some(format!("group {number} of {total}, member {member} of {count}{best}"))
    }

    fn plain_lines(&self, model: &Model) -> Vec<String> {
        model.views.groups.shown.iter().map(|group| group.rule.clone()).collect()
    }
}

impl Groups {
    /// Requests the list again and shows the group of a sample.
    fn seek(&mut self, sample: Option<SampleId>) {
        self.ticket = 0;
        self.total = None;
        self.asked = None;
        self.finding = None;
        self.judging = None;
        self.of = sample;
    }
}

fn toggle(model: &mut Model) {
    if show::is_open(model, &Group) {
        return show::close(model);
    }
    let sample = model.sample();
    show::show(model, &Group);
    model.views.groups.shown = None;
    model.views.groups.seek(sample);
}

/// The cells of the group that is shown.
fn cells(model: &Model) -> Option<Cells> {
    let group = model.views.groups.shown.as_ref()?;
    let body = Screen::of(model.display.size).body;
    let area = Rect { y: body.y + HEAD, height: body.height.checked_sub(HEAD)?, ..body };
    // At most a window of members is held.
    let count = group.samples.len().min(48);
    Some(Cells::fitting(area, count, if model.views.look.bare { 1 } else { 2 }))
}

/// Members on the screen: their cell, their index among all, and their data.
fn members(model: &Model) -> Vec<(usize, usize, &GroupMember)> {
    let (Some(cells), Some(group)) = (cells(model), &model.views.groups.shown) else { return Vec::new() };
    let count = cells.count().max(1);
    let first = first_on_screen(model, &cells);
    let held = |cell: usize| {
        let place = first + cell;
        let member = group.members.get(place.checked_sub(group.start as usize)?)?;
        Some((cell, place, member))
    };
    (0..count).filter_map(held).collect()
}

/// The first member on the screen.
fn first_on_screen(model: &Model, cells: &Cells) -> usize {
    let count = cells.count().max(1);
    model.views.groups.cursor / count * count
}

fn listed(model: &mut Model, ticket: Ticket, total: u64, decided: u64, place: Option<u64>) {
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
        (0, _) if groups.leaks => "no group spans splits",
        (0, _) => "no detector flags any group of copies",
        (_, true) => {
            return ahead::drop_for(model, "this sample is in no flagged group: showing the worst one");
        }
        _ => return,
    };
    // A page without anything on it answers no key.
    if total == 0 && show::is_open(model, &Group) {
        match std::mem::take(&mut model.views.groups.leaks) {
            true => model.views.groups.seek(None),
            false => show::close(model),
        }
    }
    say(model, Level::Info, text);
}

fn got(model: &mut Model, group: Box<GroupView>) {
    let groups = &mut model.views.groups;
    if group.ticket != groups.ticket || group.place != groups.place {
        return;
    }
    groups.asked = None;
    if let Some(sample) = groups.of.take() {
        groups.cursor = group.samples.iter().position(|other| *other == sample).unwrap_or(0);
    }
    groups.cursor = groups.cursor.min(group.samples.len().saturating_sub(1));
    groups.decided = group.groups_decided;
    groups.shown = Some(group);
}

fn found(model: &mut Model, ticket: Ticket, place: Option<u64>, fx: &mut Effects) {
    if ticket != model.views.groups.ticket {
        return;
    }
    model.views.groups.finding = None;
    let above = std::mem::take(&mut model.views.groups.then_above);
    match place {
        Some(place) => to(model, place),
        None if above => find(model, false, fx),
        // An error stays visible.
        None if model.toast.as_ref().is_some_and(|toast| toast.level == Level::Error) => {}
        None => {
            // What was just saved stays in sight.
            let saved = model.toast.as_ref().map(|toast| format!("{}   ", toast.text)).unwrap_or_default();
            let open = groups_open(model);
            let words = if open { "every other group is decided" } else { "all groups are decided" };
            say(model, Level::Info, format!("{saved}{words}"));
        }
    }
}

/// Whether the group that is shown has an undecided member.
fn groups_open(model: &Model) -> bool {
    let Some(group) = &model.views.groups.shown else { return false };
    group.members.iter().any(|member| model.choice(&member.row).is_none())
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
fn go(model: &mut Model, member: usize) {
    let groups = &mut model.views.groups;
    let count = groups.shown.as_ref().map_or(0, |group| group.samples.len());
    groups.cursor = member.min(count.saturating_sub(1));
}

fn find(model: &mut Model, forward: bool, fx: &mut Effects) {
    let (ticket, from) = (model.views.groups.ticket, model.views.groups.place);
    model.views.groups.then_above = false;
    model.views.groups.finding = Some(model.time.now);
    send(fx, Command::View(ViewCommand::FindGroup { ticket, from, forward }));
}

/// Keeps the best and removes the others, or asks first. If one member is marked, that one is kept.
fn keep_best(model: &mut Model, fx: &mut Effects) {
    if !show::is_open(model, &Group) {
        // Nothing is removed by a rule that the user has not seen.
        toggle(model);
        return say(model, Level::Info, "press again to keep the best and remove the others");
    }
    let Some(group) = &model.views.groups.shown else {
        return say(model, Level::Warning, "the group is still loading");
    };
    if !group.likeness.is_copy() {
        let text = format!("these are alike, not copies of one picture: {}", by_marks(model));
        return say(model, Level::Warning, text);
    }
    let marked: Vec<SampleId> =
        group.samples.iter().copied().filter(|sample| model.review.marks.contains(sample)).collect();
    let keep = match marked.as_slice() {
        [] => group.samples.first().copied(),
        [one] => Some(*one),
        _ => return say(model, Level::Warning, "mark only one member: the one to keep"),
    };
    let Some(keep) = keep else { return };
    let group = group.clone();
    if group.labels_differ {
        let held = group.members.len() == group.samples.len();
        let rows = match held {
            true => Some(group.members.iter().map(|member| member.row.clone()).collect()),
            false => targets::rows_of(model, Action::KeepBest, group.samples.clone(), fx)
                .map(|rows| rows.into_iter().map(|listed| listed.row).collect::<Vec<Row>>()),
        };
        // No rule knows which of the labels is right.
        return rows.into_iter().for_each(|rows: Vec<Row>| each::ask_label(model, keep, &rows));
    }
    let remove: Vec<SampleId> = group.samples.iter().copied().filter(|sample| *sample != keep).collect();
    if remove.len() <= decide::ASK_ABOVE {
        return decide::keep_only(model, keep, remove, fx);
    }
    let which = if marked.is_empty() { "the best" } else { "the marked one" };
    let question =
        format!("keep {which} and remove {}?", text::counted(remove.len() as u64, "sample", "samples"));
    model.mode = Mode::Confirm(Confirm { question, yes: Consequence::KeepOnly(keep, remove) });
}

/// Asks the engine which member each rule keeps.
fn keep_by(model: &mut Model, fx: &mut Effects) {
    if !show::is_open(model, &Group) {
        toggle(model);
        return say(model, Level::Info, "press again to choose the rule by which one is kept");
    }
    let Some(group) = &model.views.groups.shown else {
        return say(model, Level::Warning, "the group is still loading");
    };
    if !group.likeness.is_copy() {
        let text = format!("these are alike, not copies of one picture: {}", by_marks(model));
        return say(model, Level::Warning, text);
    }
    let (ticket, place) = (group.ticket, group.place);
    model.views.groups.judging = Some(model.time.now);
    send(fx, Command::View(ViewCommand::GroupBest { ticket, place }));
}

/// It is known which member each rule keeps: the choice is shown, and nothing is decided before it is made.
fn judged(model: &mut Model, of: (Ticket, u64), samples: Vec<SampleId>, best: Vec<GroupBest>) {
    if model.views.groups.judging.take().is_none() {
        return;
    }
    let shown = model.views.groups.shown.as_ref().map(|group| (group.ticket, group.place));
    if shown != Some(of) || model.mode != Mode::List || !show::is_open(model, &Group) {
        return;
    }
    if best.is_empty() {
        return say(model, Level::Warning, "every picture of the group is removed already");
    }
    let item = |best: &GroupBest| PickerItem {
        name: best.policy.clone(),
        note: format!("{}   ({}: {})", best.path, best.rule, best.because),
        ..PickerItem::default()
    };
    let items = best.iter().map(item).collect();
    let best = best.into_iter().map(|best| (best.policy, best.keep)).collect();
    model.mode = Mode::Picker(Picker::new(PickerKind::KeepBy { best, samples }, items));
}

/// How to decide about pictures that are only alike.
fn by_marks(model: &Model) -> String {
    let keys = [Action::Mark, Action::Remove].map(|action| model.keymap.key_for(action).map(shown));
    let [mark, remove] = keys.map(Option::unwrap_or_default);
    format!("mark with {mark} what is to go and press {remove}")
}

/// What a group is, in so many cells: which detector found it says least, and is left out first.
fn head(groups: &Groups, group: &GroupView, total: u64, room: usize) -> Vec<(Role, String)> {
    let all = |detector: bool, long: bool| {
        let mut head =
            vec![(Role::Title, format!("group {} of {}", text::count(group.place + 1), text::count(total)))];
        if detector {
            head.push((Role::Dim, format!(" · {}", group.detector)));
        }
        let pictures = text::counted(group.samples.len() as u64, "picture", "pictures");
        head.push((Role::Text, format!(" · {pictures}")));
        head.push((Role::Dim, format!(" · {}", likeness(group.likeness))));
        if !group.leak.is_empty() {
            head.push((Role::Severe, format!(" · leak: {}", group.leak.join(", "))));
        }
        let decided = match long {
            true => text::counted(groups.decided, "group", "groups"),
            false => text::count(groups.decided),
        };
        head.extend((groups.decided > 0).then(|| (Role::Dim, format!(" · {decided} decided"))));
        head
    };
    let width = |head: &[(Role, String)]| head.iter().map(|(_, words)| text::width(words)).sum::<usize>();
    let forms = [all(true, true), all(false, true)];
    forms.into_iter().find(|head| width(head) <= room).unwrap_or_else(|| all(false, false))
}

/// How alike the members of a group are, in words.
fn likeness(likeness: Likeness) -> &'static str {
    match likeness {
        Likeness::SameBytes => "the same file",
        Likeness::SamePixels => "the same pixels",
        Likeness::SamePicture => "the same picture",
        Likeness::Alike => "alike, not copies",
    }
}

/// The labels of a group with their counts, if they differ.
fn labels_differ(model: &Model, group: &GroupView) -> Option<String> {
    let rows: Vec<Row> = group.members.iter().map(|member| member.row.clone()).collect();
    let more = if group.members.len() < group.samples.len() { ", …" } else { "" };
    let labels = each::differing(model, &rows).map(|labels| format!("{labels}{more}"));
    group.labels_differ.then(|| labels.unwrap_or_else(|| "see the other members".to_owned()))
}

/// Size, label and name of a member. Its score stands in the panel, once.
fn caption(model: &Model, area: Rect, member: &GroupMember, best: bool, paint: &mut Paint<'_>) {
    let role = list::decision_role(model.choice(&member.row));
    let mut x = paint.put(area.x, area.y, 1, role, model.display.theme.glyph(role)) + 1;
    let right = area.right().saturating_sub(1);
    let mut put =
        |x: u16, y: u16, role: Role, words: &str| paint.put(x, y, right.saturating_sub(x), role, words);
    let pixels = format!("{}×{}", member.width, member.height);
    let size = format!("{pixels} {}", text::bytes(member.bytes));
    let room = usize::from(right.saturating_sub(x));
    // Sizes are what is compared here: they are not cut for the sake of a word.
    if best && room >= text::width(&pixels) + 5 {
        x = put(x, area.y, Role::Keep, "best ");
    }
    if area.height < 2 {
        return;
    }
    let whole = usize::from(right.saturating_sub(x)) >= text::width(&size);
    put(x, area.y, Role::Text, if whole { &size } else { &pixels });
    let mut x = area.x;
    if member.row.split.name() != "" {
        x = put(x, area.y + 1, Role::Dim, &format!("{} ", member.row.split));
    }
    let label = model.class(member.row.label).unwrap_or("–").to_owned();
    x = put(x, area.y + 1, Role::Given, &label);
    let name = member.row.path.rsplit('/').next().unwrap_or_default();
    let room = usize::from(right.saturating_sub(x + 1));
    if room > 6 {
        put(x + 1, area.y + 1, Role::Dim, &text::fit_middle(name, room));
    }
}
