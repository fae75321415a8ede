//! The form of a detector, made from its declaration.

use super::{Effects, panels, say, send};
use crate::action::Action;
use crate::model::{Level, Model, step, value_words};
use chaffinch_protocol::{Command, FormKind, FormParam};

/// What a key does in the form.
pub(super) fn act(model: &mut Model, action: Action, fx: &mut Effects) {
    use Action as A;
    let Some(name) = panels::detector(model).map(str::to_owned) else {
        return say(model, Level::Warning, "no detector has run yet");
    };
    let fields = model.panels.form(&name).map_or(1, |form| form.params.len() + 1);
    let field = &mut model.panels.field;
    match action {
        A::PanelUp => *field = field.saturating_sub(1),
        A::PanelDown => *field = (*field + 1).min(fields - 1),
        A::PanelStart | A::PanelPageUp => *field = 0,
        A::PanelEnd | A::PanelPageDown => *field = fields - 1,
        A::PanelLeft => change(model, &name, -1.0),
        A::PanelRight => change(model, &name, 1.0),
        A::PanelReset => reset(model, &name),
        A::PanelAccept => match param(model, &name) {
            None => {
                let value = super::act::chosen_threshold(model).unwrap_or(0.5);
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
        _ => {}
    }
}

/// The parameter of the chosen field; none for the threshold.
fn param(model: &Model, name: &str) -> Option<FormParam> {
    let place = model.panels.field.checked_sub(1)?;
    model.panels.form(name)?.params.get(place).cloned()
}

fn change(model: &mut Model, name: &str, by: f64) {
    let Some(param) = param(model, name) else { return super::act::threshold(model, by as f32 * 0.01) };
    let step = step(&param);
    let value = model.panels.value(name, &param) + by * step;
    // Steps fall on multiples of the step, so that no digits pile up.
    set(model, name, &param, (value / step).round() * step);
}

fn set(model: &mut Model, name: &str, param: &FormParam, value: f64) {
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
        None => {
            let own = model.panels.form(name).map(|form| form.threshold);
            if let Some((own, now)) = own.zip(super::act::chosen_threshold(model)) {
                super::act::threshold(model, own - now);
            }
        }
    }
}

/// A value was typed.
pub(super) fn typed(model: &mut Model, text: &str) {
    let Some(name) = panels::detector(model).map(str::to_owned) else { return };
    let Ok(value) = text.parse::<f64>() else {
        return say(model, Level::Warning, format!("'{text}' is no number"));
    };
    let Some(param) = param(model, &name) else {
        if !(0.0..=1.0).contains(&value) {
            return say(model, Level::Warning, "a threshold lies between 0 and 1");
        }
        let now = super::act::chosen_threshold(model).unwrap_or(0.5);
        return super::act::threshold(model, value as f32 - now);
    };
    let whole = param.kind != FormKind::Integer || value.fract() == 0.0;
    if !(param.min..=param.max).contains(&value) || !whole {
        let kind = if param.kind == FormKind::Integer { "whole number" } else { "number" };
        let text = format!("{} is a {kind} from {} to {}", param.name, param.min, param.max);
        return say(model, Level::Warning, text);
    }
    set(model, &name, &param, value);
}

/// Runs the detector with what stands in its form.
fn run(model: &mut Model, name: String, fx: &mut Effects) {
    if model.jobs.progress.is_some() {
        return say(model, Level::Warning, "a job is running: let it end, or cancel it first");
    }
    let edited = std::mem::take(&mut model.panels.edited);
    let (own, others): (Vec<_>, Vec<_>) = edited.into_iter().partition(|((of, _), _)| *of == name);
    model.panels.edited = others.into_iter().collect();
    let params = own.into_iter().map(|((_, param), value)| (param, value)).collect();
    say(model, Level::Info, format!("running {name} again"));
    send(fx, Command::Rerun { detector: name, params });
}
