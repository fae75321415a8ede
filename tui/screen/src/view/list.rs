//! The list of samples. Only the rows on the screen are touched, however many there are.

use crate::key::shown;
use crate::model::{Emptiness, Model};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::{EnsembleRule, Row, Sort};
use ratatui::layout::Rect;

/// Draws the list.
pub(crate) fn list(model: &Model, area: Rect, paint: &mut Paint<'_>) {
    if area.area() == 0 {
        return;
    }
    if model.list.total == 0 {
        return empty(model, area, paint);
    }
    for line in 0..area.height {
        let index = model.list.top + u64::from(line);
        if index >= model.list.total {
            break;
        }
        let area = Rect { y: area.y + line, height: 1, ..area };
        let name = match model.list.rows.get(index) {
            Some(row) => self::row(model, index, row, area, paint),
            None => {
                let end = paint.put(area.x + 2, area.y, area.width - 2, Role::Dim, "…");
                Rect { x: area.x + 2, width: end - area.x - 2, ..area }
            }
        };
        if index == model.list.cursor {
            paint.put(area.x, area.y, 1, Role::Cursor, model.display.theme.glyph(Role::Cursor));
            // Not the whole row: every cell whose background changes is written again, in two rows for each step.
            paint.buffer.set_style(name, paint.style(Role::Cursor));
        }
    }
}

/// What stands in the columns, and why the scores are not in order where they are not.
pub(crate) fn heads(model: &Model, area: Rect, paint: &mut Paint<'_>) {
    if area.area() == 0 || model.list.total == 0 {
        return;
    }
    let columns = Columns::of(model, area);
    let meaning;
    let words = match &model.list.shown.sort {
        Sort::Meaning(text) => {
            meaning = format!("~ {}", text::safe(text));
            meaning.as_str()
        }
        Sort::Rank if model.list.shown.descending => "best first",
        Sort::Rank if model.session.as_ref().is_some_and(|session| session.ensemble == EnsembleRule::Or) => {
            "likeliest to be bad first"
        }
        Sort::Rank => "worst first",
        Sort::Detector(name) => name.as_str(),
        Sort::Class => "by class",
        Sort::Path => "by path",
        Sort::Random => "random order",
        Sort::Uncertain => "least certain first",
        Sort::Diverse => "unlike first",
        Sort::Clusters => "of each cluster",
        Sort::Learned(_) => &model.list.learning.note,
        Sort::Group => "by group",
        Sort::Attribute(name) => name.as_str(),
    };
    let first = match model.list.shown.sort {
        Sort::Attribute(_) => "value",
        Sort::Meaning(_) => "alike",
        _ => "score",
    };
    let x = paint.put(area.x + 2, area.y, 5, Role::Dim, first) + 1;
    // The same where there is less room.
    let short = match &model.list.shown.sort {
        Sort::Learned(_) => model.list.learning.in_short(),
        _ if words.starts_with("likeliest") => "likeliest first",
        _ => words,
    };
    let labels = "label→other";
    let (start, flags) = (columns.edge.saturating_sub(labels.chars().count() as u16), "flags");
    if columns.letters >= flags.len() as u16 {
        paint.put_right(area.right(), area.y, columns.letters, Role::Dim, flags);
    } else if columns.letters > 0 {
        paint.put_right(area.right(), area.y, columns.letters, Role::Dim, "by");
    }
    let shows_labels = start > x + 4;
    if shows_labels {
        paint.put(start, area.y, columns.edge - start, Role::Dim, labels);
    }
    let end = if shows_labels { start } else { columns.edge };
    let room = end.saturating_sub(x + 1);
    paint.put(x, area.y, room, Role::Dim, if text::width(words) > usize::from(room) { short } else { words });
}

/// Where the columns of a row at the right are.
struct Columns {
    /// Cells for the letters of detectors.
    letters: u16,
    /// Where the labels end.
    edge: u16,
}

impl Columns {
    fn of(model: &Model, area: Rect) -> Columns {
        let room = area.width.saturating_sub(8);
        let detectors = model.session.as_ref().map_or(0, |session| session.detectors.len()) as u16;
        // As many as detectors, where that leaves most of the line to the path.
        let letters = if room > 24 { detectors.min(room / 6).clamp(3, 9) } else { 0 };
        Columns { letters, edge: area.right() - letters - u16::from(letters > 0) }
    }
}

/// The text for an empty list.
fn empty(model: &Model, area: Rect, paint: &mut Paint<'_>) {
    let Emptiness { why, ways } = model.emptiness();
    let wrap = |words: &str| text::wrap(words, usize::from(area.width.saturating_sub(4)));
    let mut lines = wrap(&why);
    if !model.list.query.filter.is_empty() {
        lines.extend(wrap(&model.list.query.filter));
    }
    for (action, does) in ways {
        if let Some(keys) = model.keymap.key_for(action) {
            lines.extend(wrap(&format!("{} {does}", shown(keys))));
        }
    }
    let top = area.y + area.height / 3;
    for (at, line) in lines.iter().enumerate() {
        let y = top + at as u16;
        if y < area.bottom() {
            paint.put(area.x + 2, y, area.width.saturating_sub(3), Role::Dim, line);
        }
    }
}

/// Draws a row. Returns the area of its name.
fn row(model: &Model, index: u64, row: &Row, area: Rect, paint: &mut Paint<'_>) -> Rect {
    let choice = model.choice(row);
    if model.marked(index, row) {
        paint.put(area.x, area.y, 1, Role::Marked, model.display.theme.glyph(Role::Marked));
    }
    let role = decision_role(choice);
    let mut x = paint.put(area.x + 1, area.y, 1, role, model.display.theme.glyph(role));
    let saving = model.review.journal.overlay.contains_key(&row.sample);
    if saving {
        paint.put(x, area.y, 1, Role::Saving, model.display.theme.glyph(Role::Saving));
    }
    x += 1;
    let number = match model.list.shown.sort {
        Sort::Attribute(_) => text::value(row.value),
        Sort::Meaning(_) => text::cosine(row.value),
        _ => text::score(row.score),
    };
    x = paint.put(x, area.y, 4, severity(row.score, row.flags.len()), &number) + 1;

    // From the right: which detectors flag it, then the labels; the path takes what is left.
    let Columns { letters, edge } = Columns::of(model, area);
    if letters > 0 {
        let flags = flags(model, row, usize::from(letters));
        paint.put(area.right() - letters, area.y, letters, Role::Doubtful, &flags);
    }
    let labels_room = (edge.saturating_sub(x)) * 2 / 5;
    let start = labels(model, row, choice, edge, area.y, labels_room, paint);
    let path_room = start.saturating_sub(x + 1);
    let path = text::fit_middle(&row.path, usize::from(path_room));
    let found = model.hit(row);
    let end = paint.put(x, area.y, path_room, if found { Role::Match } else { Role::Text }, &path);
    Rect { x, width: end - x, ..area }
}

/// Given and suggested label, or the decision's, up to a column. Returns where they begin.
pub(crate) fn labels(
    model: &Model,
    row: &Row,
    choice: Option<&Choice>,
    edge: u16,
    y: u16,
    room: u16,
    paint: &mut Paint<'_>,
) -> u16 {
    let given = text::safe(model.class(row.label).unwrap_or("–")).into_owned();
    let (to, role) = match choice {
        Some(Choice::Relabel(name)) => (Some(name.as_str()), Role::Relabel),
        _ => (model.class(row.suggested).filter(|_| row.suggested != row.label), Role::Suggested),
    };
    let Some(to) = to else {
        return paint.put_right(edge, y, room, Role::Dim, &given);
    };
    let to = text::safe(to).into_owned();
    let whole = text::width(&given) + 1 + text::width(&to);
    // If both do not fit, both are shortened equally.
    let (left, rest) = if whole <= usize::from(room) {
        (text::width(&given), text::width(&to))
    } else {
        let half = usize::from(room.saturating_sub(1)) / 2;
        let left = half.min(text::width(&given));
        (left, usize::from(room.saturating_sub(1)) - left)
    };
    let given = text::fit(&given, left).into_owned();
    let to = text::fit(&to, rest).into_owned();
    let start = edge.saturating_sub((text::width(&given) + 1 + text::width(&to)) as u16);
    let x = paint.put(start, y, room, Role::Dim, &given);
    let x = paint.put(x, y, 1, role, "→");
    paint.put(x, y, edge.saturating_sub(x), role, &to);
    start
}

/// One letter for each detector that flags a row; where they do not fit, the first ones and a plus.
fn flags(model: &Model, row: &Row, room: usize) -> String {
    let letters = letters(model);
    let mut flagged: Vec<char> =
        row.flags.iter().filter_map(|flag| letters.get(usize::from(*flag)).copied()).collect();
    if flagged.len() > room {
        flagged.truncate(room.saturating_sub(1));
        flagged.push('+');
    }
    flagged.into_iter().collect()
}

/// A letter for each detector, no two alike as long as there are letters: initials of its words first.
pub(crate) fn letters(model: &Model) -> Vec<char> {
    let mut letters: Vec<char> = Vec::new();
    for detector in model.session.iter().flat_map(|session| &session.detectors) {
        let initials = detector.name.split('-').filter_map(|word| word.chars().next());
        let wanted = initials.chain(detector.name.chars()).chain('a'..='z').filter(char::is_ascii_alphabetic);
        let free = wanted.map(|c| c.to_ascii_uppercase()).find(|c| !letters.contains(c));
        letters.push(free.unwrap_or('*'));
    }
    letters
}

/// The look of a decision.
pub(crate) fn decision_role(choice: Option<&Choice>) -> Role {
    match choice {
        None => Role::Undecided,
        Some(Choice::Keep) => Role::Keep,
        Some(Choice::Remove) => Role::Remove,
        Some(Choice::Relabel(_)) => Role::Relabel,
        Some(Choice::Unsure) => Role::Unsure,
    }
}

/// The look of a score.
pub(crate) fn severity(score: Option<f32>, flags: usize) -> Role {
    match score {
        Some(score) if score < 0.1 && flags > 0 => Role::Severe,
        Some(_) if flags > 0 => Role::Doubtful,
        _ => Role::Fine,
    }
}
