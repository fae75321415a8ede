//! The page of prompts as it is drawn: the set, and what was counted with it.

use super::blocks::{percent, waiting};
use super::message;
use crate::action::Action;
use crate::key::shown;
use crate::model::{BenchLine, Model, PromptBench};
use crate::paint::Paint;
use crate::text::{self, count};
use crate::theme::Role;
use chaffinch_protocol::{PromptTally, STOPPED, Tried};
use ratatui::layout::{Position, Rect};

/// Cells of the numbers of a class: seen, moved, flagged, moved, agreement.
const NUMBERS: [usize; 5] = [8, 10, 8, 10, 6];

/// Lines of the set that fit on a screen of this height.
pub(crate) fn page(height: u16) -> usize {
    usize::from(height.saturating_sub(6)).max(1)
}

/// Draws the page. Returns where the text cursor is, if a line is being typed.
pub(crate) fn draw(
    model: &Model,
    bench: &PromptBench,
    area: Rect,
    paint: &mut Paint<'_>,
) -> Option<Position> {
    let Some(sheet) = &bench.sheet else {
        waiting(area, "reading the prompts…", paint);
        return None;
    };
    paint.put(area.x, area.y, area.width, Role::Title, &format!("Prompts, {}", sheet.origin));
    if !sheet.closed.is_empty() {
        waiting(area, &sheet.closed, paint);
        return None;
    }
    if bench.is_edited() {
        paint.put_right(area.right(), area.y, area.width, Role::Edited, &unsaved_words(model, bench));
    }
    let (role, words) = counts(model, bench);
    paint.put(area.x, area.y + 1, area.width, role, &words);
    let body = Rect { y: area.y + 2, height: area.height.saturating_sub(3), ..area };
    let page = usize::from(body.height).max(1);
    let first = bench.at / page * page;
    let stale = bench.is_counting() || bench.fault().is_some();
    let mut cursor = None;
    for (at, y) in (first..bench.lines()).zip(body.top()..body.bottom()) {
        let row = Rect { y, height: 1, ..body };
        cursor = cursor.or(draw_line(model, (bench, stale), at, row, paint));
    }
    if area.height > 3 {
        let (role, words) = foot(model, bench);
        paint.put(area.x, area.bottom() - 1, area.width, role, &words);
    }
    cursor
}

fn key(model: &Model, action: Action) -> String {
    model.keymap.key_for(action).map(shown).unwrap_or_default()
}

fn unsaved_words(model: &Model, bench: &PromptBench) -> String {
    match bench.saving {
        Some(_) => "saving…".to_owned(),
        None => format!("not saved: {} saves", key(model, Action::PanelRun)),
    }
}

/// What was counted over all classes, or why nothing was.
pub(crate) fn counts(model: &Model, bench: &PromptBench) -> (Role, String) {
    match &bench.tried {
        _ if bench.fault().is_some() => (Role::Dim, "not counted, as they cannot be used".to_owned()),
        // Ended for the count of another terminal: both would end each other's without end.
        Some(tried) if tried.failed == STOPPED && !bench.is_counting() => {
            let again = key(model, Action::PanelTry);
            (Role::Warning, format!("not counted: another terminal counts; {again} counts here"))
        }
        _ if bench.is_counting() => (Role::Dim, "counting what they would change…".to_owned()),
        None => (Role::Dim, String::new()),
        Some(tried) if !tried.failed.is_empty() => {
            (Role::Warning, format!("not counted: {}", text::safe(&tried.failed)))
        }
        Some(tried) => (Role::Text, totals(tried)),
    }
}

fn totals(tried: &Tried) -> String {
    let sum = |of: fn(&PromptTally) -> u64| tried.classes.iter().map(of).sum::<u64>();
    let (labeled, agreed) = (sum(|one| one.labeled), sum(|one| one.agreed));
    let shares: Vec<f64> = (tried.classes.iter().filter(|one| one.labeled > 0))
        .map(|one| one.agreed as f64 / one.labeled as f64)
        .collect();
    let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64 * 100.0;
    let moved = match tried.compared {
        Some(moved) if moved.newly + moved.formerly > 0 => {
            format!(" (+{}/−{})", count(moved.newly), count(moved.formerly))
        }
        Some(_) => " (as in the last scan)".to_owned(),
        None => String::new(),
    };
    format!(
        "{} agree with their label ({mean:.1}% by class); {} flagged{moved}",
        percent(agreed, labeled),
        count(tried.flagged)
    )
}

/// The last line: what is wrong with the set, or what else should be known.
fn foot(model: &Model, bench: &PromptBench) -> (Role, String) {
    let Some(sheet) = &bench.sheet else { return (Role::Dim, String::new()) };
    match bench.fault() {
        Some(fault) => (Role::Error, fault),
        None if bench.overtaken && bench.is_edited() => {
            let (save, reset) = (key(model, Action::PanelRun), key(model, Action::PanelReset));
            (
                Role::Warning,
                format!("other prompts were saved meanwhile: {save} replaces them, {reset} takes them"),
            )
        }
        None if sheet.outdated => {
            let scan = key(model, Action::Scan);
            (
                Role::Warning,
                format!("the flags in the list are of other prompts: {scan} there brings them up to date"),
            )
        }
        None => (Role::Dim, text::safe(&sheet.remark).into_owned()),
    }
}

/// Draws a line. Returns where the text cursor is, if the line is being typed.
fn draw_line(
    model: &Model,
    (bench, stale): (&PromptBench, bool),
    at: usize,
    row: Rect,
    paint: &mut Paint<'_>,
) -> Option<Position> {
    let (line, here) = (bench.line(at), at == bench.at);
    let heading = matches!(line, BenchLine::Templates | BenchLine::Alternatives | BenchLine::Classes);
    let role = match (heading, here) {
        (true, _) => Role::Dim,
        (false, true) => Role::Given,
        (false, false) => Role::Text,
    };
    let typed = if here { model.typing() } else { None };
    if let Some(typed) = typed {
        let row = Rect { x: row.x + 2, width: row.width.saturating_sub(2), ..row };
        return Some(message::line(typed, row, paint));
    }
    let numbers: u16 = NUMBERS.iter().sum::<usize>() as u16;
    let counted = matches!(line, BenchLine::Class(_) | BenchLine::Classes) && row.width > numbers + 12;
    let room = row.width - if counted { numbers } else { 0 };
    paint.put(row.x, row.y, room, role, &line_words(model, bench, at));
    if counted {
        let words = match line {
            // Those of another set say nothing of one that cannot be used.
            BenchLine::Class(_) if bench.fault().is_some() => numbers_of(None),
            BenchLine::Class(class) => numbers_of(bench.counts().get(class)),
            _ => ["look so", "", "flagged", "", "agree"].map(str::to_owned),
        };
        let role = if stale || heading { Role::Dim } else { role };
        let words = words.iter().zip(NUMBERS).map(|(words, cells)| format!("{words:>cells$}"));
        paint.put_right(row.right(), row.y, numbers, role, &words.collect::<String>());
    }
    if here {
        let style = paint.style(Role::Selected);
        paint.buffer.set_style(row, style);
    }
    None
}

/// A line in words.
pub(crate) fn line_words(model: &Model, bench: &PromptBench, at: usize) -> String {
    let line = bench.line(at);
    let text = bench.text(line).unwrap_or_default();
    let text = text::safe(&text);
    match line {
        BenchLine::Templates => "Templates, with {} for the class".to_owned(),
        BenchLine::Alternatives => "Pictures of no class".to_owned(),
        BenchLine::Classes => "Classes".to_owned(),
        BenchLine::Template(_) | BenchLine::Alternative(_) => format!("  {text}"),
        BenchLine::Temperature => format!("Temperature {text}, which divides the model's scale"),
        BenchLine::Class(class) => {
            let name = text::safe(model.class(Some(class as u32)).unwrap_or_default()).into_owned();
            // What it is called may be something else than its name.
            if text.starts_with(&name) { format!("  {text}") } else { format!("  {name}: {text}") }
        }
    }
}

fn numbers_of(tally: Option<&PromptTally>) -> [String; 5] {
    let Some(tally) = tally else { return Default::default() };
    let moved = |(more, fewer): (u64, u64)| match more + fewer {
        0 => String::new(),
        _ => format!("+{}/−{}", count(more), count(fewer)),
    };
    [
        count(tally.seen),
        moved(tally.seen_moved),
        count(tally.flagged),
        moved(tally.flagged_moved),
        percent(tally.agreed, tally.labeled),
    ]
}
