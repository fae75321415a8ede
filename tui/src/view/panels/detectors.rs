//! Detectors and the form of the chosen one, made from its declaration.

use super::super::list::letters;
use super::super::{paint::Paint, status};
use super::waiting;
use crate::model::{Model, Panel, value_words};
use crate::text;
use crate::theme::Role;
use crate::update::chosen_detector;
use chaffinch_protocol::{DetectorForm, FormKind, FormParam};
use ratatui::layout::{Position, Rect};

pub(super) fn page(model: &Model, panel: &Panel, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
    let Some(session) = &model.session else { return None };
    let letters = letters(model);
    let mut y = area.y;
    let mut line = |role: Role, words: &str, paint: &mut Paint<'_>| {
        if y < area.bottom() {
            paint.put(area.x, y, area.width, role, words);
        }
        y += 1;
    };
    line(
        Role::Title,
        &format!("    {:<18} {:>9} {:>9} {:>6}", "detector", "flagged", "scored", "below"),
        paint,
    );
    for (place, detector) in session.detectors.iter().enumerate() {
        let chosen = place == model.detector;
        let mark = if chosen { paint.theme.glyph(Role::Selected).to_owned() } else { " ".to_owned() };
        let words = format!(
            "{mark} {} {:<18} {:>9} {:>9} {:>6.3}  {:>7}",
            letters.get(place).copied().unwrap_or(' '),
            text::fit(&detector.name, 18),
            text::count(detector.flagged),
            text::count(detector.scored),
            detector.threshold,
            text::clock(detector.seconds),
        );
        line(if chosen { Role::Given } else { Role::Text }, &words, paint);
    }
    let forms = model.panels.forms.as_deref().unwrap_or_default();
    for form in forms.iter().filter(|form| !form.ran) {
        let why = if form.enabled { "has not run" } else { "switched off in the configuration" };
        line(Role::Dim, &format!("    {:<18} {why}", text::fit(&form.name, 18)), paint);
    }
    y += 1;
    let rest = Rect { y, height: area.bottom().saturating_sub(y), ..area };
    let name = chosen_detector(model)?;
    if model.panels.forms.is_none() {
        waiting(rest, "asking what it can be told…", paint);
        return None;
    }
    form(model, panel, name, model.panels.form(name), rest, paint)
}

/// One field a line; the chosen one's help in the last line.
fn form(
    model: &Model,
    panel: &Panel,
    name: &str,
    form: Option<&DetectorForm>,
    area: Rect,
    paint: &mut Paint<'_>,
) -> Option<Position> {
    if area.height < 3 {
        return None;
    }
    let summary = form.map(|form| format!("{} {}", form.version, form.summary)).unwrap_or_default();
    let x = paint.put(area.x, area.y, area.width, Role::Title, name);
    paint.put(x + 1, area.y, area.right().saturating_sub(x + 1), Role::Dim, &summary);
    let rows = usize::from(area.height - 2);
    let params = form.map(|form| form.params.as_slice()).unwrap_or_default();
    let chosen = model.panels.field.min(params.len());
    let first = chosen / rows * rows;
    let mut cursor = None;
    for (place, y) in (first..=params.len()).zip(area.y + 1..area.bottom() - 1) {
        let row = Rect { y, height: 1, ..area };
        let param = place.checked_sub(1).and_then(|place| params.get(place));
        let at = field(model, name, form, param, place == chosen, row, paint);
        if place == chosen
            && let Some(line) = &panel.editing
        {
            let typing = Rect { x: at, width: row.right().saturating_sub(at), ..row };
            paint.put(at, y, typing.width, Role::Text, &" ".repeat(usize::from(typing.width)));
            cursor = Some(status::line(line, typing, paint));
        }
    }
    let help = match chosen.checked_sub(1).and_then(|place| params.get(place)) {
        Some(param) => param.help.clone(),
        None => "Samples with a score below it are flagged; nothing runs again".to_owned(),
    };
    paint.put(area.x, area.bottom() - 1, area.width, Role::Dim, &help);
    cursor
}

/// Draws a field and returns the column of its value.
fn field(
    model: &Model,
    detector: &str,
    form: Option<&DetectorForm>,
    param: Option<&FormParam>,
    chosen: bool,
    area: Rect,
    paint: &mut Paint<'_>,
) -> u16 {
    let (name, value, note, edited) = match param {
        Some(param) => {
            let value = model.panels.value(detector, param);
            let range = match param.kind {
                FormKind::Flag => String::new(),
                FormKind::Choice => format!("of {}", param.choices.join(", ")),
                _ => format!("{} to {}", value_words(param, param.min), value_words(param, param.max)),
            };
            let note = format!("default {}  {range}", value_words(param, param.default));
            let edited = (value - param.value).abs() > 1e-9;
            (param.name.clone(), value_words(param, value), note, edited)
        }
        None => {
            let now =
                model.session.as_ref().and_then(|s| s.detectors.get(model.detector)).map(|d| d.threshold);
            let own = form.map(|form| format!("default {:.3}  0 to 1", form.threshold)).unwrap_or_default();
            ("threshold".to_owned(), now.map(|now| format!("{now:.3}")).unwrap_or_default(), own, false)
        }
    };
    let mark = if edited { paint.theme.glyph(Role::Edited).to_owned() } else { " ".to_owned() };
    paint.put(area.x + 1, area.y, 1, Role::Edited, &mark);
    let room = (area.width / 3).clamp(10, 22);
    paint.put(area.x + 2, area.y, room, if chosen { Role::Given } else { Role::Text }, &name);
    let at = area.x + 3 + room;
    let shown = if chosen { format!("‹ {value} ›") } else { format!("  {value}") };
    let x = paint.put(
        at,
        area.y,
        area.right().saturating_sub(at),
        if edited { Role::Edited } else { Role::Text },
        &shown,
    );
    let x = x.max(at + 14) + 2;
    paint.put(x, area.y, area.right().saturating_sub(x), Role::Dim, &note);
    if chosen {
        let glyph = paint.theme.glyph(Role::Selected).to_owned();
        paint.put(area.x, area.y, 1, Role::Selected, &glyph);
        let style = paint.style(Role::Selected);
        paint.buffer.set_style(area, style);
    }
    at + 2
}

/// The page in plain lines.
pub(super) fn spoken(model: &Model) -> Vec<String> {
    let mut lines = Vec::new();
    for detector in model.session.iter().flat_map(|session| &session.detectors) {
        lines.push(format!(
            "{}: {} flagged of {} below {:.3}. {}",
            detector.name, detector.flagged, detector.scored, detector.threshold, detector.summary
        ));
        for param in model.panels.form(&detector.name).iter().flat_map(|form| &form.params) {
            let value = value_words(param, model.panels.value(&detector.name, param));
            lines.push(format!("  {} = {value}. {}", param.name, param.help));
        }
    }
    lines
}
