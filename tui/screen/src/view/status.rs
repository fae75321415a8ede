//! The top line and the bottom two: running job, last message, key hints.

use crate::action::Action;
use crate::key::shown;
use crate::model::{Level, Mode, Model, Prompt, PromptKind, sort_name};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use chaffinch_protocol::{Attached, DetectorSummary, EnsembleRule, SessionSummary, Sort};
use ratatui::layout::{Position, Rect};

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

/// The prompt, or the last message. Returns the position of the text cursor.
pub(crate) fn message(model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
    if let Mode::Prompt(prompt) = &model.mode {
        let searches = matches!(prompt.kind, PromptKind::Search { .. }) && !prompt.line.text.is_empty();
        let right = match model.list.hits.as_ref().filter(|hits| searches && hits.text == prompt.line.text) {
            Some(hits) => paint.put_right(area.right() - 1, area.y, area.width, Role::Dim, &hits.words()),
            None => match model.list.incoming.as_ref().and_then(|incoming| incoming.delayed.as_ref()) {
                Some(why) => paint.put_right(area.right() - 1, area.y, area.width / 2, Role::Warning, why),
                None => area.right(),
            },
        };
        return Some(self::prompt(prompt, Rect { width: right.saturating_sub(area.x), ..area }, paint));
    }
    let right = counts(model, area, paint);
    // Two cells apart from the counts.
    let area = Rect { width: right.saturating_sub(area.x + 3), ..area };
    if let Some(why) = model.list.incoming.as_ref().and_then(|incoming| incoming.delayed.as_ref()) {
        paint.put(area.x + 1, area.y, area.width, Role::Warning, why);
    } else if let Some(toast) = &model.toast {
        let (role, glyph) = match toast.level {
            Level::Info => (Role::Info, ""),
            Level::Warning => (Role::Warning, "! "),
            Level::Error => (Role::Error, "✗ "),
        };
        let whole = format!("{glyph}{}", toast.text);
        let text = text::fit_path(&whole, usize::from(area.width.saturating_sub(1)));
        let end = paint.put(area.x + 1, area.y, area.width, role, &text);
        // The path of the sample stays in sight beside what is said about another one.
        path(model, end + 3, area.right(), paint);
    } else if model.keeps_waiting() {
        let stop = model.keymap.key_for(Action::Cancel).map(shown).unwrap_or_default();
        let keys = text::counted(model.ahead.len() as u64, "key", "keys");
        let words = format!("{keys} typed ahead: waiting for the engine   {stop} drops them");
        paint.put(area.x + 1, area.y, area.width, Role::Warning, &words);
    } else if let Some(keys) = &model.macros.recording {
        let end = model.keymap.key_for(Action::RecordMacro).map(shown).unwrap_or_default();
        let words = format!(
            "recording {}: {}   {end} stops",
            text::counted(keys.len() as u64, "key", "keys"),
            shown(keys)
        );
        paint.put(area.x + 1, area.y, area.width, Role::Warning, &words);
    } else if !model.macros.replay.is_empty() {
        let words = format!(
            "replaying, {} left   Esc stops",
            text::counted(model.macros.replay.len() as u64, "key", "keys")
        );
        paint.put(area.x + 1, area.y, area.width, Role::Dim, &words);
    } else if let Some(from) = model.review.visual {
        let count = from.abs_diff(model.list.cursor) + 1;
        paint.put(
            area.x + 1,
            area.y,
            area.width,
            Role::Marked,
            &format!("range of {count}: decide, or v marks it"),
        );
    } else if model.list.walk.is_some() {
        paint.put(area.x + 1, area.y, area.width, Role::Dim, "searching…   Esc stops");
    } else {
        path(model, area.x + 1, area.right(), paint);
    }
    None
}

/// The path of the sample under the cursor between two columns, if there is room for enough of it.
fn path(model: &Model, from: u16, to: u16, paint: &mut Paint<'_>) {
    /// Fewer cells say nothing.
    const LEAST: u16 = 12;
    let y = model.layout().message.y;
    let room = to.saturating_sub(from);
    if let Some(row) = model.row().filter(|_| room >= LEAST) {
        let path = model.details.get(row.sample).map_or(&row.path, |detail| &detail.full_path);
        let path = text::fit_middle(path, usize::from(room)).into_owned();
        paint.put(from, y, room, Role::Dim, &path);
    }
}

/// Marks, position in the list and save state. Returns the column where they start.
fn counts(model: &Model, area: Rect, paint: &mut Paint<'_>) -> u16 {
    let y = area.y;
    let mut x = area.right() - 1;
    let open = model.review.journal.outstanding.len();
    if open > 0 {
        x = paint.put_right(x, y, area.width, Role::Saving, &format!("saving {open}…"));
    } else if !model.review.journal.refused.is_empty() {
        let refused = text::count(model.review.journal.refused.len() as u64);
        let words = format!("{} {refused} not saved", model.display.theme.glyph(Role::Error));
        x = paint.put_right(x, y, area.width, Role::Error, &words);
    } else if model.review.journal.saved {
        let saved = format!("{} saved", model.display.theme.glyph(Role::Saved));
        x = paint.put_right(x, y, area.width, Role::Saved, &saved);
    }
    if model.list.total > 0 {
        let words = format!("{}/{}", text::count(model.list.cursor + 1), text::count(model.list.total));
        x = paint.put_right(x.saturating_sub(2), y, area.width, Role::Dim, &words);
    }
    if !model.review.marks.is_empty() {
        let words =
            format!("{} {} marked", model.display.theme.glyph(Role::Marked), model.review.marks.len());
        x = paint.put_right(x.saturating_sub(2), y, area.width, Role::Marked, &words);
    }
    x
}

fn prompt(prompt: &Prompt, area: Rect, paint: &mut Paint<'_>) -> Position {
    let label = match &prompt.kind {
        PromptKind::Filter { .. } => "filter ".to_owned(),
        PromptKind::Search { .. } => "/".to_owned(),
        PromptKind::Meaning { .. } => "~ ".to_owned(),
        PromptKind::Note(samples) if samples.len() > 1 => format!("note on {} samples ", samples.len()),
        PromptKind::Note(_) => "note ".to_owned(),
        PromptKind::Times => "repeat count ".to_owned(),
    };
    let x = paint.put(area.x + 1, area.y, area.width, Role::Key, &label);
    let wrong = prompt.wrong.as_ref().and_then(|wrong| wrong.at);
    marked(&prompt.line, wrong, Rect { x, width: area.right().saturating_sub(x), ..area }, paint)
}

/// A line being typed, scrolled so that its cursor is visible.
pub(crate) fn line(line: &crate::model::Line, area: Rect, paint: &mut Paint<'_>) -> Position {
    marked(line, None, area, paint)
}

/// The same with a part of it, from one byte to another, drawn as wrong.
fn marked(
    line: &crate::model::Line,
    wrong: Option<(usize, usize)>,
    area: Rect,
    paint: &mut Paint<'_>,
) -> Position {
    let before = text::safe(&line.text[..line.at]).into_owned();
    let room = usize::from(area.width.saturating_sub(1));
    let skip = text::width(&before).saturating_sub(room);
    let mut cut = before.as_str();
    while text::width(&before) - text::width(cut) < skip {
        let mut chars = cut.chars();
        chars.next();
        cut = chars.as_str();
    }
    let shown = format!("{cut}{}", text::safe(&line.text[line.at..]));
    paint.put(area.x, area.y, area.width, Role::Text, &shown);
    if let Some((start, end)) = wrong {
        let skipped = text::width(&before) - text::width(cut);
        let column = |at: usize| text::width(&text::safe(&line.text[..at])).saturating_sub(skipped) as u16;
        let (from, to) = (column(start).min(area.width), column(end).min(area.width));
        let word = Rect { x: area.x + from, width: to.saturating_sub(from).max(1), height: 1, ..area };
        paint.buffer.set_style(word.intersection(area), paint.style(Role::Error));
    }
    Position { x: (area.x + text::width(cut) as u16).min(area.right().saturating_sub(1)), y: area.y }
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
    for hint in model.hints(area) {
        let x = paint.put_styled(hint.area.x, area.y, area.width, key_style, &hint.keys) + 1;
        paint.put_styled(x, area.y, area.width, bar, hint.words);
    }
}
