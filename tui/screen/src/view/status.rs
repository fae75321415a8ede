//! The first line and the last: running job, key hints.

use super::message;
use crate::action::Action;
use crate::key::shown;
use crate::model::{Mode, Model, sort_name};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use chaffinch_protocol::{Attached, DetectorSummary, EnsembleRule, SessionSummary, Sort};
use ratatui::layout::Rect;

/// The open session, its progress, and the running job.
pub(crate) fn top(model: &Model, area: Rect, paint: &mut Paint<'_>) {
    paint.buffer.set_style(area, paint.style(Role::Bar));
    let Some(session) = &model.session else {
        paint.put(area.x + 1, area.y, area.width - 1, Role::Bar, "chaffinch");
        return;
    };
    let mut right = area.right() - 1;
    if let Some(progress) = &model.jobs.progress {
        let mut words = String::new();
        if progress.step.1 > 1 {
            words.push_str(&format!("{}/{} ", progress.step.0, progress.step.1));
        }
        words.push_str(&progress.stage);
        if progress.total > 0 {
            words.push_str(&format!(" {}%", progress.done * 100 / progress.total.max(1)));
        } else {
            words.push_str(&format!(" {}", text::count(progress.done)));
        }
        if progress.rate > 0.0 && area.width >= 70 {
            words.push_str(&format!(" {}/s", text::count(progress.rate as u64)));
        }
        if let Some(remaining) = progress.remaining {
            words.push_str(&format!(" {}", text::clock(remaining)));
        }
        let start = paint.put_right(right, area.y, area.width / 2, Role::Bar, &words);
        let bar = Rect { x: start.saturating_sub(11), y: area.y, width: 10, height: 1 };
        if progress.total > 0 && area.width >= 70 {
            paint.track(bar);
            paint.bar(bar, progress.done as f32 / progress.total as f32, None, Role::Progress);
            right = bar.x.saturating_sub(1);
        } else {
            right = start.saturating_sub(1);
        }
    } else if session.stale && !model.jobs.scan_when_stale {
        let words = match session.obstacle.as_str() {
            "" => "out of date: gs scans".to_owned(),
            why => format!("not updated: {why}"),
        };
        right = paint.put_right(right, area.y, area.width / 2, Role::Bar, &words).saturating_sub(1);
    } else if let Some(words) = kept_out(model, session).or_else(|| model.offer()) {
        right = paint.put_right(right, area.y, area.width / 2, Role::Bar, &words).saturating_sub(1);
    }
    // What changes the meaning of every key comes first.
    let left = match model.standing() {
        Some(words) => {
            paint.put_styled(area.x + 1, area.y, area.width / 3, paint.over(Role::Bar, Role::Warning), words)
                + 1
        }
        None => area.x + 1,
    };
    let room = right.saturating_sub(left);
    // The name of the dataset gives way before anything that says what is listed.
    let words = heading(model, session, usize::from(room).saturating_sub(NAME + 3));
    let name_room = usize::from(room).saturating_sub(text::width(&words) + 3).clamp(NAME, 40);
    let name = text::fit_middle(&session.dataset, name_room).into_owned();
    let title = paint.over(Role::Bar, Role::Title);
    let x = paint.put_styled(left, area.y, room, title, &name);
    paint.put(x + 2, area.y, right.saturating_sub(x + 2), Role::Bar, &words);
}

/// Detectors that do not run because their code has changed, and the key of the page that lets them in.
fn kept_out(model: &Model, session: &SessionSummary) -> Option<String> {
    let key = model.keymap.key_for(Action::ManageDetectors).map(shown).unwrap_or_default();
    match session.changed.iter().map(|changed| changed.names.len().max(1)).sum() {
        0 => None,
        1 => Some(format!("a detector has changed: {key}")),
        count => Some(format!("{count} detectors have changed: {key}")),
    }
}

/// Cells of the dataset's name, and of a filter, at least.
const NAME: usize = 8;
const FILTER: usize = 24;

/// What is listed, in at most so many cells: each part has a longer and a shorter form, and those that say least become
/// short first. If nothing else helps, the filter is shortened in its middle.
fn heading(model: &Model, session: &SessionSummary, room: usize) -> String {
    let list = &model.list;
    let mut parts = [
        Part::new(model.decided_words(), decided_in_short(model)),
        combined(session),
        match session.disputed {
            0 => Part::default(),
            disputed => Part::same(format!("{} disputed", text::count(disputed))),
        },
        reading(model, session),
        match list.query.filter.as_str() {
            "" => Part::default(),
            filter => Part::same(format!("filter {filter}")),
        },
        match (&list.query.sort, list.query.descending) {
            (Sort::Meaning(text), false) => Part::new(format!("~ {text}"), "by meaning".to_owned()),
            (Sort::Meaning(text), true) => Part::new(format!("~ {text}, reversed"), "by -meaning".to_owned()),
            (sort, false) if *sort == Default::default() => Part::default(),
            (sort, false) => Part::same(format!("by {}", sort_name(sort))),
            (sort, true) => {
                Part::new(format!("by {} reversed", sort_name(sort)), format!("by -{}", sort_name(sort)))
            }
        },
        company(session),
    ];
    let mut short = [false; 7];
    let words = |parts: &[Part; 7], short: &[bool; 7]| -> Vec<String> {
        let parts =
            parts.iter().zip(short).map(|(part, short)| if *short { &part.short } else { &part.long });
        parts.filter(|words| !words.is_empty()).cloned().collect()
    };
    // How it was read, who else is there, what was decided, how it is ordered, thresholds.
    for part in [3, 6, 0, 5, 1] {
        if text::width(&words(&parts, &short).join(" · ")) > room {
            short[part] = true;
        }
    }
    // Thresholds stand on their page, too; a filter of which nothing can be read is none.
    let all = text::width(&words(&parts, &short).join(" · "));
    let filter = text::width(&parts[4].short);
    if all > room && filter > 0 && (filter + room).saturating_sub(all) < FILTER.min(filter) {
        parts[1] = Part::default();
    }
    let mut words = words(&parts, &short);
    let over = text::width(&words.join(" · ")).saturating_sub(room);
    if over > 0
        && let Some(filter) = words.iter_mut().find(|words| words.starts_with("filter "))
    {
        let cells = text::width(filter).saturating_sub(over).max(FILTER.min(text::width(filter)));
        *filter = text::fit_middle(filter, cells).into_owned();
    }
    words.join(" · ")
}

/// A part of the heading.
#[derive(Default)]
struct Part {
    long: String,
    short: String,
}

impl Part {
    fn new(long: String, short: String) -> Part {
        Part { long, short }
    }

    fn same(words: String) -> Part {
        Part { short: words.clone(), long: words }
    }
}

/// Who else is attached: `with ben`, `of anna, with ben and 1 watching`.
fn company(session: &SessionSummary) -> Part {
    let others: Vec<&Attached> = session.attached.iter().filter(|one| !one.own).collect();
    if others.is_empty() {
        return Part::default();
    }
    let mut with: Vec<String> = Vec::new();
    for one in others.iter().filter(|one| !one.watches) {
        // Whom one watches is not beside one.
        if !(session.watches && one.reviewer == session.reviewer) {
            with.push(one.reviewer.clone());
        }
    }
    match others.iter().filter(|one| one.watches).count() {
        0 => {}
        count => with.push(format!("{count} watching")),
    }
    let with = match with.split_last() {
        None => String::new(),
        Some((last, [])) => format!("with {last}"),
        Some((last, rest)) => format!("with {} and {last}", rest.join(", ")),
    };
    let of = if session.watches { format!("of {}", session.reviewer) } else { String::new() };
    let parts: Vec<String> = [of, with].into_iter().filter(|words| !words.is_empty()).collect();
    Part::new(parts.join(", "), format!("{} here", session.attached.len()))
}

/// `3/12 decided`.
fn decided_in_short(model: &Model) -> String {
    let total = model.list.total;
    let decided: u64 = model.counts().iter().sum();
    match total {
        0 => model.decided_words(),
        _ => format!("{}/{} decided", text::count(decided.min(total)), text::count(total)),
    }
}

/// That reading the dataset left something open, and the key that shows what.
fn reading(model: &Model, session: &SessionSummary) -> Part {
    let Some(headline) = session.reading.headline() else { return Part::default() };
    match model.keymap.key_for(Action::Reading).map(shown) {
        Some(keys) => Part::new(format!("{headline}: {keys}"), format!("! {keys}")),
        None => Part::same(headline),
    }
}

/// The ensemble's rule and the thresholds, where they are others than the defaults: both decide what is a suspect.
fn combined(session: &SessionSummary) -> Part {
    let rule = match session.ensemble {
        EnsembleRule::Or => None,
        _ => Some(format!("rule {}", session.ensemble.name())),
    };
    let moved: Vec<&DetectorSummary> =
        session.detectors.iter().filter(|detector| detector.is_moved()).collect();
    let (long, short) = match moved.as_slice() {
        [] => (None, None),
        [one] => (
            Some(format!("{} below {}", one.name, threshold(one.threshold))),
            Some("1 threshold moved".to_owned()),
        ),
        several => {
            let words = Some(format!("{} thresholds moved", several.len()));
            (words.clone(), words)
        }
    };
    let join = |moved: Option<String>| rule.iter().cloned().chain(moved).collect::<Vec<_>>().join(" · ");
    Part::new(join(long), join(short))
}

/// A threshold with as many digits as it needs.
fn threshold(value: f32) -> String {
    let digits = if (value * 100.0 - (value * 100.0).round()).abs() < 1e-3 { 2 } else { 3 };
    format!("{value:.digits$}")
}

/// Keys that work here, as many as fit.
pub(crate) fn hints(model: &Model, area: Rect, paint: &mut Paint<'_>) {
    let bar = paint.style(Role::Bar);
    paint.buffer.set_style(area, bar);
    let key_style = paint.over(Role::Bar, Role::Key);
    if let Mode::Confirm(_) = model.mode {
        let mut x = area.x + 1;
        for (key, words) in [("y", "yes"), ("n", "no")] {
            x = paint.put_styled(x, area.y, 8, key_style, key) + 1;
            x = paint.put_styled(x, area.y, 8, bar, words) + 2;
        }
        return;
    }
    if let Some((_, Some(rest))) = model.said(model.layout().message) {
        paint.buffer.set_style(area, paint.style(Role::Text));
        message::put(model, &rest, area, paint);
    }
    for hint in model.hints(area) {
        let x = paint.put_styled(hint.area.x, area.y, area.width, key_style, &hint.keys) + 1;
        paint.put_styled(x, area.y, area.width, bar, hint.words);
    }
}
