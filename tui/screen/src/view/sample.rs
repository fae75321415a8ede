//! The details of the sample under the cursor.

use super::list::{decision_role, letters};
use crate::action::Action;
use crate::model::{Layout, Model, group, related};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use chaffinch_protocol::decision::Choice as Decided;
use chaffinch_protocol::{Detail, DetailAttribute, DetailIssue, DetailRelated, Row};
use ratatui::layout::Rect;

/// One line; lines above the scroll position are skipped.
enum Line<'a> {
    Blank,
    Pieces(Vec<(Role, String)>),
    /// One detector, or two beside one another.
    Issues(Vec<Scored<'a>>),
    /// One class, or two beside one another.
    Candidates(Vec<Choice<'a>>),
    /// The same without bars, which take as many bytes as everything else of it.
    Choices(Vec<Choice<'a>>),
}

/// What a detector says, its letter, and whether it is the one that is chosen.
type Scored<'a> = (&'a DetailIssue, char, bool);

/// The digit that gives the label, its class, how much the picture looks like it, and how it is drawn.
type Choice<'a> = (usize, &'a str, Option<f32>, Role);

/// Columns from which on two detectors, or two candidates, have room in a line.
const TWO: u16 = 58;
/// Columns from which on two candidates have room for bars in a low panel.
const BARS: u16 = 96;
/// Candidates where there is little room; the keys work for all nine.
const FEW: usize = 6;
/// Lines below which every one counts.
const LOW: u16 = 20;
/// Lines that are kept for reasons there, and for what follows them.
const SAID: usize = 4;
const BELOW: usize = 3;
/// The maximum number of similar samples shown.
const MEMBERS: usize = 12;
/// Cells of a class of samples that are alike, where there is little room.
const ALIKE: usize = 22;
/// The longest name of a detector that is shown whole where there are two in a line.
const NAME: u16 = 17;

/// Draws the details.
pub(crate) fn info(model: &Model, layout: &Layout, paint: &mut Paint<'_>) {
    let area = layout.info;
    let Some(row) = model.row() else { return };
    if area.area() == 0 {
        return;
    }
    if model.views.look.zoom {
        let labels = labels(model, row, area.width);
        let pieces: Vec<(Role, &str)> = labels.iter().map(|(role, words)| (*role, words.as_str())).collect();
        let x = paint.pieces(area, &pieces);
        paint.put(x + 2, area.y, area.right().saturating_sub(x + 2), Role::Dim, &row.path);
        return;
    }
    let detail = model.details.get(row.sample);
    let lines = match detail {
        Some(detail) => lines(model, detail, area),
        None => head(model, row, area.width),
    };
    let most = (lines.len() as u16).saturating_sub(area.height);
    let scroll = model.views.look.scroll.min(most);
    for (at, line) in lines.iter().skip(usize::from(scroll)).take(usize::from(area.height)).enumerate() {
        draw(line, Rect { y: area.y + at as u16, height: 1, ..area }, paint);
    }
    if most > scroll {
        let more = format!("  ▾{} ", most - scroll);
        paint.put_right(area.right(), area.bottom() - 1, area.width, Role::Dim, &more);
    }
}

/// The digit of the candidate in a cell of the terminal.
pub(crate) fn candidate_at(model: &Model, layout: &Layout, x: u16, y: u16) -> Option<usize> {
    let area = layout.info;
    let detail = model.row().and_then(|row| model.details.get(row.sample))?;
    if model.views.look.zoom || !area.contains((x, y).into()) {
        return None;
    }
    let lines = lines(model, detail, area);
    let most = (lines.len() as u16).saturating_sub(area.height);
    let line = lines.get(usize::from(model.views.look.scroll.min(most) + y - area.y))?;
    let (Line::Candidates(candidates) | Line::Choices(candidates)) = line else { return None };
    let slots = places(Rect { y, height: 1, ..area });
    let slot = slots.iter().position(|slot| slot.contains((x, y).into()))?;
    candidates.get(slot).map(|(digit, ..)| *digit)
}

fn draw(line: &Line<'_>, area: Rect, paint: &mut Paint<'_>) {
    match line {
        Line::Blank => {}
        Line::Pieces(pieces) => {
            let pieces: Vec<(Role, &str)> =
                pieces.iter().map(|(role, words)| (*role, words.as_str())).collect();
            paint.pieces(area, &pieces);
        }
        Line::Issues(issues) => {
            let room = if area.width < TWO { (area.width / 2).clamp(8, 20) - 2 } else { NAME + 1 };
            for (one, slot) in issues.iter().zip(places(area)) {
                issue(one, room, slot, paint);
            }
        }
        Line::Candidates(candidates) => {
            let room = if area.width < TWO { (area.width / 2).clamp(8, 22) } else { NAME };
            for (one, slot) in candidates.iter().zip(places(area)) {
                let x = candidate(one, room, slot, paint);
                let bar = Rect { x, width: slot.right().saturating_sub(x).min(24), ..slot };
                paint.bar(bar, one.2.unwrap_or_default(), None, one.3);
            }
        }
        Line::Choices(candidates) => {
            for (one, slot) in candidates.iter().zip(places(area)) {
                candidate(one, slot.width.saturating_sub(8).min(28), slot, paint);
            }
        }
    }
}

/// The places in a line: all of it where it is narrow, else its halves.
fn places(area: Rect) -> Vec<Rect> {
    if area.width < TWO {
        return vec![area];
    }
    let width = (area.width - 1) / 2;
    [area.x, area.x + width + 1].map(|x| Rect { x, width, ..area }).into()
}

/// Two in a line, in the order of columns.
fn in_columns<T: Copy>(all: &[T]) -> impl Iterator<Item = Vec<T>> {
    let down = all.len().div_ceil(2);
    (0..down).map(move |at| all.iter().skip(at).step_by(down).copied().collect())
}

/// Draws a class. Returns where its bar begins.
fn candidate((digit, name, _, role): &Choice<'_>, room: u16, area: Rect, paint: &mut Paint<'_>) -> u16 {
    let x = paint.put(area.x, area.y, 2, Role::Key, &format!(" {digit}")) + 1;
    paint.put(x, area.y, room - 1, *role, name);
    x + room
}

fn issue((issue, letter, chosen): &Scored<'_>, name: u16, area: Rect, paint: &mut Paint<'_>) {
    let role = if issue.flagged { Role::Doubtful } else { Role::Fine };
    if *chosen {
        let mark = paint.theme.glyph(Role::Selected).to_owned();
        paint.put(area.x, area.y, 1, Role::Selected, &mark);
    }
    let x = paint.put(area.x + 1, area.y, 2, role, &format!("{letter} "));
    paint.put(x, area.y, name - 1, role, &issue.detector);
    let score = text::score(Some(issue.score));
    let x = paint.put(x + name, area.y, 4, role, &score) + 1;
    // Fine scores get no bar: the others stand out more, and a step sends fewer bytes.
    if issue.flagged {
        let bar = Rect { x, width: area.right().saturating_sub(x).min(24), ..area };
        paint.bar(bar, issue.score, Some(issue.threshold), role);
    }
}

/// What the row alone tells.
fn head<'a>(model: &Model, row: &Row, width: u16) -> Vec<Line<'a>> {
    let mut labels = labels(model, row, width);
    if row.split.name() != "" {
        labels.push((Role::Dim, format!("   {}", row.split)));
    }
    vec![Line::Pieces(labels)]
}

/// The least cells of a label beside others.
const LEAST: usize = 8;

/// Given → suggested, and the decision. Where they do not fit into the width, the labels are shortened: the given one
/// first, which is known, and none away.
pub(crate) fn labels(model: &Model, row: &Row, width: u16) -> Vec<(Role, String)> {
    let mut pieces = whole_labels(model, row);
    let taken = |pieces: &[(Role, String)]| {
        pieces.iter().map(|(_, words)| text::width(&text::safe(words))).sum::<usize>()
    };
    for place in [0, 2] {
        let over = taken(&pieces).saturating_sub(usize::from(width));
        if let Some((_, words)) = pieces.get_mut(place).filter(|_| over > 0) {
            let now = text::width(&text::safe(words));
            *words = text::fit(words, now.saturating_sub(over).max(LEAST)).into_owned();
        }
    }
    pieces
}

fn whole_labels(model: &Model, row: &Row) -> Vec<(Role, String)> {
    let mut pieces = vec![(Role::Given, model.class(row.label).unwrap_or("no label").to_owned())];
    if let Some(suggested) = model.class(row.suggested).filter(|_| row.suggested != row.label) {
        pieces.push((Role::Dim, " → ".to_owned()));
        pieces.push((Role::Suggested, format!("{suggested}?")));
    }
    let choice = model.choice(row);
    if let Some(choice) = choice {
        let role = decision_role(Some(choice));
        let words = decided_by(model, row, choice).unwrap_or_else(|| choice.to_string());
        pieces.push((role, format!("   {} {words}", model.display.theme.glyph(role))));
        if model.review.journal.overlay.contains_key(&row.sample) {
            pieces.push((Role::Saving, " saving".to_owned()));
        }
    }
    pieces
}

/// The decision and who made it, in a session of several reviewers.
fn decided_by(model: &Model, row: &Row, choice: &Decided) -> Option<String> {
    let several = model.session.as_ref().is_some_and(|session| session.reviewers.len() > 1);
    let saved = !model.review.journal.overlay.contains_key(&row.sample);
    let detail = model.details.get(row.sample).filter(|_| several && saved)?;
    let by = detail.reviewer.as_str();
    Some(match choice {
        _ if by.is_empty() => return None,
        Decided::Keep => format!("kept by {by}"),
        Decided::Remove => format!("removed by {by}"),
        Decided::Relabel(name) => format!("relabeled to {name} by {by}"),
        Decided::Unsure => format!("{by} is unsure"),
    })
}

/// What each reviewer decided and when, where several did: the last decision of each, and whether it settled the others.
pub(crate) fn decided_when(model: &Model, detail: &Detail) -> Vec<(String, String)> {
    let mut told: Vec<(String, String)> = Vec::new();
    let decisions = detail.history.iter().filter(|entry| entry.decides && !entry.undone);
    for entry in decisions {
        // The latest first; of a reviewer who settled a conflict, the decision before it says what they thought.
        let settles = |words: &str| words.contains(SETTLED);
        let known: Vec<&(String, String)> = told.iter().filter(|(by, _)| *by == entry.reviewer).collect();
        if known.iter().any(|(_, words)| !settles(words)) || entry.adjudicates && !known.is_empty() {
            continue;
        }
        let settled = if entry.adjudicates { SETTLED } else { "" };
        told.push((entry.reviewer.clone(), format!("{}{settled}, {}", entry.words, minute(&entry.at))));
    }
    let several = told.iter().any(|(by, _)| *by != told[0].0);
    let here = model.views.page.adjudicates();
    if several || here { told } else { Vec::new() }
}

/// Behind the words of a decision that settled a conflict.
const SETTLED: &str = " (adjudicated)";

/// A time to the minute: `2026-11-27 16:05`.
pub(crate) fn minute(at: &str) -> String {
    at.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

fn lines<'a>(model: &'a Model, detail: &'a Detail, area: Rect) -> Vec<Line<'a>> {
    let width = usize::from(area.width);
    let mut lines = head(model, &detail.row, area.width);
    if let Some(why) = &detail.unreadable {
        for line in text::wrap(&format!("unreadable: {why}"), width) {
            lines.push(Line::Pieces(vec![(Role::Error, line)]));
        }
    }
    let told = decided_when(model, detail);
    for (by, words) in &told {
        labeled(format!("{by} "), words, width, &mut lines);
    }
    for (by, choice) in detail.other_decisions.iter().filter(|_| told.is_empty()) {
        labeled(format!("decided otherwise by {by}: "), choice, width, &mut lines);
    }
    for (name, said) in [("tags ", detail.tags.join(" ")), ("note ", detail.note.clone())] {
        if !said.is_empty() {
            labeled(name.to_owned(), &said, width, &mut lines);
        }
    }
    if !detail.learned.is_empty() {
        labeled(String::new(), &detail.learned, width, &mut lines);
    }
    for (by, note) in &detail.other_notes {
        labeled(format!("note by {by} "), note, width, &mut lines);
    }
    let names: Vec<&str> =
        model.session.iter().flat_map(|session| &session.detectors).map(|d| d.name.as_str()).collect();
    let letters = letters(model);
    let index = |issue: &DetailIssue| names.iter().position(|name| *name == issue.detector);
    let letter =
        |issue: &DetailIssue| index(issue).and_then(|index| letters.get(index).copied()).unwrap_or(' ');
    let scored: Vec<Scored<'_>> = (detail.issues.iter())
        .map(|issue| (issue, letter(issue), index(issue) == Some(model.detector)))
        .collect();
    let reason = |(issue, ..): Scored<'_>, start: String| {
        let shown = issue.flagged && !issue.reason.is_empty();
        let wrapped = if shown { text::wrap(&issue.reason, width.saturating_sub(2)) } else { Vec::new() };
        let starts = std::iter::once(start).chain(std::iter::repeat("  ".to_owned()));
        let lines = wrapped.into_iter().zip(starts);
        lines.map(|(line, start)| Line::Pieces(vec![(Role::Doubtful, start), (Role::Text, line)]))
    };
    if area.width < TWO {
        // Problems come first, since there is little room.
        for issue in scored {
            lines.push(Line::Issues(vec![issue]));
            lines.extend(reason(issue, "  ".to_owned()));
        }
        lines.push(Line::Blank);
        lines.extend(candidates(model, detail, FEW).map(|one| Line::Candidates(vec![one])));
    } else if area.height < LOW {
        // Classes first, which have their places; of the detectors only those that have something to say.
        let candidates: Vec<Choice<'_>> = candidates(model, detail, FEW).collect();
        let line = if area.width < BARS { Line::Choices } else { Line::Candidates };
        lines.extend(in_columns(&candidates).map(line));
        let end = (lines.len() + SAID).min(usize::from(area.height).saturating_sub(BELOW));
        lines
            .extend(scored.iter().filter(|(issue, ..)| issue.flagged).flat_map(|said| in_words(said, width)));
        // Where there is room, what follows has its place as well.
        lines.resize_with(lines.len().max(end), || Line::Pieces(Vec::new()));
    } else {
        // Each detector and each candidate has its place, so that from sample to sample only what is said differs; then
        // the reasons, the worst first.
        let mut placed = scored.clone();
        placed.sort_by_key(|(issue, ..)| index(issue).unwrap_or(usize::MAX));
        lines.extend(in_columns(&placed).map(Line::Issues));
        lines.push(Line::Blank);
        let candidates: Vec<Choice<'_>> = candidates(model, detail, usize::MAX).collect();
        lines.extend(in_columns(&candidates).map(Line::Candidates));
        lines.push(Line::Blank);
        for issue in scored {
            lines.extend(reason(issue, format!("{} ", issue.1)));
        }
    }
    evidence(model, detail, area, &mut lines);
    lines.push(Line::Blank);
    facts(detail, area, &mut lines);
    lines.dedup_by(|a, b| matches!((a, b), (Line::Blank, Line::Blank)));
    // On a small screen every line counts.
    if area.height < LOW {
        lines.retain(|line| !matches!(line, Line::Blank));
    }
    lines
}

/// Words with their label before the first line.
fn labeled(label: String, words: &str, width: usize, lines: &mut Vec<Line<'_>>) {
    /// More of a note is never seen, and one of a megabyte would be wrapped with each key.
    const MOST: usize = 10_000;
    let cut = words.char_indices().nth(MOST).map(|(at, _)| format!("{}…", &words[..at]));
    let words = cut.as_deref().unwrap_or(words);
    let room = width.saturating_sub(text::width(&label)).max(width / 2);
    let mut start = label;
    for line in text::wrap(words, room) {
        let next = " ".repeat(text::width(&start));
        lines.push(Line::Pieces(vec![(Role::Dim, start), (Role::Text, line)]));
        start = next;
    }
}

/// A detector with its score, then its reason.
fn in_words((issue, letter, _): &Scored<'_>, width: usize) -> Vec<Line<'static>> {
    let start = format!("{letter} {} {}", text::safe(&issue.detector), text::score(Some(issue.score)));
    let said = if issue.reason.is_empty() { start.clone() } else { format!("{start}: {}", issue.reason) };
    let line = |line: String| match line.strip_prefix(&start) {
        Some(rest) => vec![(Role::Doubtful, start.clone()), (Role::Text, rest.to_owned())],
        None => vec![(Role::Text, format!("  {line}"))],
    };
    text::wrap(&said, width.saturating_sub(2)).into_iter().map(|words| Line::Pieces(line(words))).collect()
}

fn facts(detail: &Detail, area: Rect, lines: &mut Vec<Line<'_>>) {
    let mut facts = Vec::new();
    if detail.width > 0 {
        facts.push(format!("{}×{}", detail.width, detail.height));
    }
    facts.push(text::bytes(detail.bytes));
    // In a small panel it says little and differs for every sample.
    if !detail.hash.is_empty() && area.height >= LOW {
        facts.push(detail.hash.chars().take(8).collect());
    }
    lines.push(Line::Pieces(vec![(Role::Dim, facts.join(" · "))]));
    attributes(detail, area, lines);
    for (name, value) in &detail.extra {
        lines.push(Line::Pieces(vec![(Role::Dim, format!("{name} ")), (Role::Text, value.clone())]));
    }
}

/// Attributes in one line where there is little room, then what the regions show.
fn attributes(detail: &Detail, area: Rect, lines: &mut Vec<Line<'_>>) {
    let piece = |one: &DetailAttribute| {
        let unit = if one.unit.is_empty() { String::new() } else { format!(" {}", one.unit) };
        [
            (Role::Dim, format!("{} ", one.name)),
            (Role::Text, format!("{}{unit}", text::value(Some(one.value)))),
        ]
    };
    if area.height < LOW {
        let mut pieces = Vec::new();
        for one in &detail.attributes {
            let start = if pieces.is_empty() { "" } else { "  " };
            pieces.push((Role::Dim, start.to_owned()));
            pieces.extend(piece(one));
        }
        if !pieces.is_empty() {
            lines.push(Line::Pieces(pieces));
        }
    } else {
        lines.extend(detail.attributes.iter().map(|one| Line::Pieces(piece(one).into())));
    }
    let mut labels: Vec<(&str, usize)> = Vec::new();
    for region in &detail.regions {
        let label = if region.label.is_empty() { region.detector.as_str() } else { region.label.as_str() };
        match labels.iter_mut().find(|(known, _)| *known == label) {
            Some((_, count)) => *count += 1,
            None => labels.push((label, 1)),
        }
    }
    let named = |(label, count): &(&str, usize)| match count {
        1 => (*label).to_owned(),
        count => format!("{count}× {label}"),
    };
    if !labels.is_empty() {
        let words: Vec<String> = labels.iter().map(named).collect();
        let pieces = vec![(Role::Dim, "regions ".to_owned()), (Role::Text, words.join(", "))];
        lines.push(Line::Pieces(pieces));
    }
}

fn candidates<'a>(model: &'a Model, detail: &'a Detail, most: usize) -> impl Iterator<Item = Choice<'a>> {
    detail.candidates.iter().take(most).enumerate().map(|(index, candidate)| {
        let class = Some(candidate.class);
        let role = if class == detail.row.label {
            Role::Given
        } else if class == detail.row.suggested {
            Role::Suggested
        } else {
            Role::Text
        };
        (index + 1, model.class(class).unwrap_or("?"), candidate.likeness, role)
    })
}

fn evidence(model: &Model, detail: &Detail, area: Rect, lines: &mut Vec<Line<'_>>) {
    let group = group(detail);
    if !group.is_empty() {
        let key = |action| model.keymap.key_for(action).map(crate::key::shown);
        let hint = key(Action::Group).zip(key(Action::KeepBest));
        let differ = related(detail)
            .into_iter()
            .any(|(_, other)| group.contains(&other.sample) && other.label != detail.row.label);
        let keeps = if differ { "asks which label is right" } else { "keeps the best" };
        let hint = hint.map(|(show, keep)| format!("   {show} shows it, {keep} {keeps}")).unwrap_or_default();
        lines.push(Line::Blank);
        lines.push(Line::Pieces(vec![(Role::Title, format!("group of {}", group.len())), (Role::Dim, hint)]));
    }
    let (members, mut others): (Vec<_>, Vec<_>) =
        related(detail).into_iter().partition(|(_, other)| group.contains(&other.sample));
    // Those of the suggested class are shown beside the picture: they are the nearest of their class only.
    others.retain(|(kind, _)| *kind != "suggested");
    // Whatever they are shown for, they stand in the order that the heading promises.
    others.sort_by(|(_, a), (_, b)| b.similarity.total_cmp(&a.similarity));
    let told = members.len().min(MEMBERS);
    lines.extend(members.iter().take(told).map(|(_, other)| one_alike(model, detail, other)));
    if others.is_empty() {
        return;
    }
    if area.height < LOW {
        return alike_in_short(model, detail, &others, area.width, lines);
    }
    lines.push(Line::Blank);
    lines.push(Line::Pieces(vec![(Role::Title, "most similar".to_owned())]));
    lines.extend(others.iter().take(MEMBERS - told).map(|(_, other)| one_alike(model, detail, other)));
}

/// A sample beside the one that is shown: its similarity, label and path.
fn one_alike(model: &Model, detail: &Detail, other: &DetailRelated) -> Line<'static> {
    let similarity = (Role::Dim, format!(" {:.2} ", other.similarity));
    let mut pieces = vec![similarity, label_of(model, detail, other)];
    if other.split.name() != "" {
        pieces.push((Role::Dim, format!(" {}", other.split)));
    }
    pieces.push((Role::Dim, format!("  {}", text::fit_middle(&other.path, 40))));
    Line::Pieces(pieces)
}

/// The classes of what is most alike in one line, each in its place: how many, and how near the nearest is. Paths and
/// single similarities would be other ones for every sample.
fn alike_in_short(
    model: &Model,
    detail: &Detail,
    related: &[(&'static str, &DetailRelated)],
    width: u16,
    lines: &mut Vec<Line<'_>>,
) {
    const TITLE: &str = "most similar";
    let mut classes: Vec<(&DetailRelated, usize)> = Vec::new();
    for (_, other) in related {
        match classes.iter_mut().find(|(first, _)| first.label == other.label) {
            Some((_, count)) => *count += 1,
            None => classes.push((other, 1)),
        }
    }
    let free = usize::from(width).saturating_sub(TITLE.len());
    let columns = (free / ALIKE).max(1);
    let mut pieces = vec![(Role::Title, TITLE.to_owned())];
    for (nearest, count) in classes.into_iter().take(columns) {
        let (role, label) = label_of(model, detail, nearest);
        let said =
            format!(" {count}× {} {:.2}", text::fit(&label, ALIKE.saturating_sub(10)), nearest.similarity);
        let blank = " ".repeat((free / columns).saturating_sub(text::width(&said)));
        pieces.push((role, said + &blank));
    }
    lines.push(Line::Pieces(pieces));
}

/// The label of a sample beside the one that is shown, louder where it differs.
fn label_of(model: &Model, detail: &Detail, other: &DetailRelated) -> (Role, String) {
    let role = if other.label == detail.row.label { Role::Dim } else { Role::Suggested };
    (role, model.class(other.label).unwrap_or("–").to_owned())
}
