//! Detectors and the form of the chosen one, made from its declaration.

use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::model::{Level, Mode, Model, Page, step, value_words};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use crate::update::{detector, panels, say, send, trial};
use crate::view::blocks::{inner, waiting};
use crate::view::list::letters;
use crate::view::message;
use chaffinch_protocol::{
    Command, DetectorForm, DetectorState, DetectorSummary, FormKind, FormParam, Overview, Overviewed,
};
use ratatui::layout::{Position, Rect};

/// The detectors and their parameters.
pub(super) struct Detectors;

impl Page for Detectors {
    fn name(&self) -> &'static str {
        "detectors"
    }

    fn scope(&self) -> Scope {
        Scope::Panel
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Detectors]
    }

    fn hints(&self, model: &Model) -> Vec<Action> {
        use Action as A;
        if model.tuned().is_none() {
            return vec![A::PanelClose];
        }
        let keys = [
            A::PanelClose,
            A::PanelNext,
            A::PanelLeft,
            A::PanelRight,
            A::PanelAccept,
            A::PanelReset,
            A::PanelRun,
            A::PanelTry,
            A::PanelCancelJob,
        ];
        let running = model.jobs.progress.is_some();
        keys.into_iter().filter(|key| *key != A::PanelCancelJob || running).collect()
    }

    fn meaning(&self, _model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        (action == Action::PanelAccept).then_some(("edit", "Type a value, or go to the next choice"))
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let area = inner(area);
        let session = model.session.as_ref()?;
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
        for (index, detector) in session.detectors.iter().enumerate() {
            let chosen = index == model.detector && model.panels.idle.is_none();
            let mark = if chosen { paint.theme.glyph(Role::Selected).to_owned() } else { " ".to_owned() };
            let words = format!(
                "{mark} {} {:<18} {:>9} {:>9} {:>6.3}  {:>7}",
                letters.get(index).copied().unwrap_or(' '),
                text::fit(&detector.name, 18),
                text::count(detector.flagged),
                text::count(detector.scored),
                detector.threshold,
                text::clock(detector.seconds),
            );
            let role = match (chosen, detector.built_in) {
                (true, _) => Role::Given,
                // Nothing can be set for what reading the files found.
                (false, true) => Role::Dim,
                (false, false) => Role::Text,
            };
            line(role, &words, paint);
        }
        let forms = model.panels.forms.as_deref().unwrap_or_default();
        let known = forms.iter().filter(|form| form.about.state != DetectorState::Refused);
        for form in known.filter(|form| !form.ran) {
            let why = match form.about.state {
                DetectorState::Ready => "not run yet",
                state => state.words(),
            };
            let chosen = model.tuned() == Some(form.name.as_str());
            let mark = if chosen { paint.theme.glyph(Role::Selected).to_owned() } else { " ".to_owned() };
            let role = if chosen { Role::Given } else { Role::Dim };
            line(role, &format!("{mark}   {:<18} {why}", text::fit(&form.name, 18)), paint);
        }
        y += 1;
        let rest = Rect { y, height: area.bottom().saturating_sub(y), ..area };
        if model.panels.forms.is_none() {
            waiting(rest, "loading parameters…", paint);
            return None;
        }
        let Some(name) = model.tuned() else {
            waiting(rest, "there are no detectors: this is what reading the files found", paint);
            return None;
        };
        form(model, name, model.panels.form(name), rest, paint)
    }

    fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
        // Not on what has no parameters, if there is anything else.
        let run = |detector: &&DetectorSummary| !detector.built_in;
        let first = model.session.iter().flat_map(|session| &session.detectors).find(run);
        let first = first.map(|detector| detector.name.clone());
        let selected = model.chosen().filter(run).is_some();
        if let Some(first) = first.filter(|_| model.panels.idle.is_none() && !selected) {
            detector::tune(model, &first);
        }
        panels::open(model, &Detectors, fx);
    }

    fn act(&self, model: &mut Model, action: Action, fx: &mut Effects) -> bool {
        use Action as A;
        let Some(name) = model.tuned().map(str::to_owned) else {
            say(model, Level::Warning, "there are no detectors");
            return true;
        };
        if !model.tunes_results() {
            // It stays the one that is set up when it runs.
            model.panels.idle = Some(name.clone());
        }
        let fields = model.panels.form(&name).map_or(1, |form| form.params.len() + 1);
        let field = &mut model.panels.field;
        match action {
            A::PanelUp => *field = field.saturating_sub(1),
            A::PanelDown => *field = (*field + 1).min(fields - 1),
            A::PanelStart | A::PanelPageUp => *field = 0,
            A::PanelEnd | A::PanelPageDown => *field = fields - 1,
            A::PanelLeft | A::PanelRight | A::PanelReset | A::PanelAccept
                if model.panels.field == 0 && !model.tunes_results() =>
            {
                let text = format!("{name} has no results yet: its threshold can be moved once it has run");
                say(model, Level::Warning, text);
            }
            A::PanelLeft => change(model, &name, -1.0),
            A::PanelRight => change(model, &name, 1.0),
            A::PanelReset => reset(model, &name),
            A::PanelAccept => match param(model, &name) {
                None => {
                    let value = model.chosen_threshold().unwrap_or(0.5);
                    panels::edit(model, &format!("{value:.3}"));
                }
                Some(param) if matches!(param.kind, FormKind::Flag | FormKind::Choice) => {
                    let count = if param.kind == FormKind::Flag { 2 } else { param.choices.len().max(1) };
                    let next = (model.panels.value(&name, &param) as usize + 1) % count;
                    set(model, &name, &param, next as f64);
                }
                Some(param) => {
                    let value = value_words(&param, model.panels.value(&name, &param));
                    panels::edit(model, &value);
                }
            },
            A::PanelRun => run(model, name, fx),
            A::PanelTry => trial::ask(model, fx),
            A::PanelNext | A::PanelPrevious => {
                detector::next_tuned(model, action == A::PanelNext);
                panels::chosen_anew(model, fx);
            }
            _ => return false,
        }
        true
    }

    fn submit(&self, model: &mut Model, text: &str) {
        let Some(name) = model.tuned().map(str::to_owned) else { return };
        let Ok(value) = text.parse::<f64>() else {
            return say(model, Level::Warning, format!("'{text}' is not a number"));
        };
        let Some(param) = param(model, &name) else {
            if !model.tunes_results() {
                return;
            }
            if !(0.0..=1.0).contains(&value) {
                return say(model, Level::Warning, "a threshold must be between 0 and 1");
            }
            let now = model.chosen_threshold().unwrap_or(0.5);
            return detector::threshold(model, value as f32 - now);
        };
        let whole = param.kind != FormKind::Integer || value.fract() == 0.0;
        if !(param.min..=param.max).contains(&value) || !whole {
            let kind = if param.kind == FormKind::Integer { "whole number" } else { "number" };
            let text = format!("{} must be a {kind} from {} to {}", param.name, param.min, param.max);
            return say(model, Level::Warning, text);
        }
        set(model, &name, &param, value);
    }

    fn overview(&self, _model: &Model) -> Option<Overview> {
        Some(Overview::Forms)
    }

    fn overviewed(&self, model: &mut Model, overviewed: Overviewed) -> Option<Overviewed> {
        let Overviewed::Forms(forms) = overviewed else { return Some(overviewed) };
        model.panels.forms = Some(forms);
        // What was set up is not there any more: no key is to fall on another one.
        let idle = model
            .panels
            .idle
            .take_if(|idle| !model.panels.forms.iter().flatten().any(|form| form.name == *idle));
        if let Some(name) = idle {
            say(model, Level::Warning, format!("{name} is not there any more"));
            if model.panel().is_some_and(|page| page.name() == "detectors") {
                model.panels.under.clear();
                model.mode = Mode::List;
            }
        }
        None
    }

    fn plain_lines(&self, model: &Model) -> Vec<String> {
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
        for form in model.idle() {
            lines.push(format!("{}: no results yet. {}", form.name, form.summary));
            for param in &form.params {
                let value = value_words(param, model.panels.value(&form.name, param));
                lines.push(format!("  {} = {value}. {}", param.name, param.help));
            }
        }
        lines
    }
}

/// One field per line; help for the selected one on the last line.
fn form(
    model: &Model,
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
    let count = trial::words(model, name);
    let end = match count.is_empty() {
        true => area.right(),
        false => paint.put_right(area.right(), area.y, area.width, Role::Edited, &count).saturating_sub(1),
    };
    paint.put(x + 1, area.y, end.saturating_sub(x + 1), Role::Dim, &summary);
    let rows = usize::from(area.height - 2);
    let params = form.map(|form| form.params.as_slice()).unwrap_or_default();
    let chosen = model.panels.field.min(params.len());
    let first = chosen / rows * rows;
    let mut cursor = None;
    for (index, y) in (first..=params.len()).zip(area.y + 1..area.bottom() - 1) {
        let row = Rect { y, height: 1, ..area };
        let param = index.checked_sub(1).and_then(|index| params.get(index));
        let at = field(model, name, form, param, index == chosen, row, paint);
        if index == chosen
            && let Some(line) = model.typing()
        {
            let typing = Rect { x: at, width: row.right().saturating_sub(at), ..row };
            paint.put(at, y, typing.width, Role::Text, &" ".repeat(usize::from(typing.width)));
            cursor = Some(message::line(line, typing, paint));
        }
    }
    let help = match chosen.checked_sub(1).and_then(|index| params.get(index)) {
        Some(param) => param.help.clone(),
        None if !model.tunes_results() => "It has no results yet; the threshold can be moved then".to_owned(),
        None => "Samples with a lower score are flagged; no rerun needed".to_owned(),
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
            let default = format!("default {}", value_words(param, param.default));
            let note = match param.kind {
                // What may be cut is the default, which is one of them.
                FormKind::Choice => format!("{range}  {default}"),
                _ => format!("{default}  {range}"),
            };
            let edited = (value - param.value).abs() > 1e-9;
            (param.name.clone(), value_words(param, value), note, edited)
        }
        None => {
            let results = model.tunes_results();
            let now = model.chosen_threshold().filter(|_| results);
            let now = now.or_else(|| form.and_then(|form| form.threshold));
            let own = form.map(|form| match form.threshold {
                Some(own) => format!("default {own:.3}  0 to 1"),
                None => "default not known  0 to 1".to_owned(),
            });
            let own = own.unwrap_or_default();
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

/// The parameter of the selected field; none for the threshold.
fn param(model: &Model, name: &str) -> Option<FormParam> {
    let index = model.panels.field.checked_sub(1)?;
    model.panels.form(name)?.params.get(index).cloned()
}

fn change(model: &mut Model, name: &str, by: f64) {
    let Some(param) = param(model, name) else { return detector::threshold(model, by as f32 * 0.01) };
    let step = step(&param);
    let value = model.panels.value(name, &param) + by * step;
    // Values stay on multiples of the step, so that no digits accumulate.
    set(model, name, &param, (value / step).round() * step);
}

fn set(model: &mut Model, name: &str, param: &FormParam, value: f64) {
    trial::edited(model, name);
    let value = value.clamp(param.min, param.max);
    let key = (name.to_owned(), param.name.clone());
    if (value - param.value).abs() < 1e-9 {
        model.panels.edited.remove(&key);
    } else {
        model.panels.edited.insert(key, value);
    }
}

fn reset(model: &mut Model, name: &str) {
    match param(model, name) {
        Some(param) => set(model, name, &param, param.default),
        None => match model.panels.form(name).and_then(|form| form.threshold).zip(model.chosen_threshold()) {
            Some((own, now)) => detector::threshold(model, own - now),
            None => {
                let text = format!("the default threshold of {name} is not known, so it stays where it is");
                say(model, Level::Warning, text);
            }
        },
    }
}

/// Runs the detector with the values in its form.
fn run(model: &mut Model, name: String, fx: &mut Effects) {
    if model.jobs.progress.is_some() && !model.panels.trial.awaited {
        return say(model, Level::Warning, "a job is running: wait for it or cancel it first");
    }
    trial::forget(model);
    let edited = std::mem::take(&mut model.panels.edited);
    let (own, others): (Vec<_>, Vec<_>) = edited.into_iter().partition(|((of, _), _)| *of == name);
    model.panels.edited = others.into_iter().collect();
    let params = own.into_iter().map(|((_, param), value)| (param, value)).collect();
    let again = if model.tunes_results() { " again" } else { "" };
    say(model, Level::Info, format!("running {name}{again}"));
    send(fx, Command::Rerun { detector: name, params });
}
