//! Popups: continuations of a key, and questions.

use crate::key::shown;
use crate::model::{Confirm, FORMS, Mode, Model, Prompt, PromptKind};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use ratatui::layout::Rect;

/// After the first key of a sequence: what may follow.
fn continuations(model: &Model) -> Vec<(String, &'static str)> {
    if model.pending.is_empty() {
        return Vec::new();
    }
    let mut next = model.keymap.continuations(model.mode.scope(), &model.pending);
    next.sort_by_key(|(_, action)| *action);
    next.iter().map(|(keys, action)| (shown(keys), action.doc())).collect()
}

/// Where they are shown, if there are any.
pub(crate) fn which_key_frame(model: &Model, area: Rect) -> Option<Rect> {
    let lines = continuations(model);
    let widest = lines.iter().map(|(keys, doc)| text::width(keys).max(3) + 2 + text::width(doc)).max()?;
    let width = (widest as u16 + 4).min(area.width);
    let height = (lines.len() as u16 + 2).min(area.height - 2);
    Some(Rect { x: area.right() - width, y: area.bottom() - 2 - height, width, height })
}

/// Draws them.
pub(crate) fn which_key(model: &Model, area: Rect, paint: &mut Paint<'_>) {
    let Some(frame) = which_key_frame(model, area) else { return };
    let inner = paint.window(frame, &shown(&model.pending));
    for (at, (keys, doc)) in continuations(model).iter().take(usize::from(inner.height)).enumerate() {
        let y = inner.y + at as u16;
        paint.put(inner.x, y, inner.width, Role::Key, keys);
        paint.put(inner.x + 5, y, inner.width.saturating_sub(5), Role::Text, doc);
    }
}

/// Lines above a filter being typed: what lies under them is drawn again afterwards.
const HIGHEST: usize = 11;

/// What is shown above a filter being typed.
enum Above {
    /// What is wrong with it.
    Wrong(Vec<String>),
    /// What its last word may be, with what that means, and which is chosen.
    Options(Vec<(String, &'static str)>, Option<usize>),
    /// Examples of what may be typed.
    Forms(Vec<(String, &'static str)>),
}

fn above(model: &Model, line: Rect) -> Option<(Above, Rect)> {
    let Mode::Prompt(Prompt {
        kind: kind @ (PromptKind::Filter { .. } | PromptKind::Meaning { .. }),
        line: typed,
        completion,
        wrong,
        closing,
        ..
    }) = &model.mode
    else {
        return None;
    };
    if line.y < 4 || closing.is_some() {
        return None;
    }
    let frame = |width: usize, height: usize| {
        let height = (height.min(HIGHEST) as u16 + 2).min(line.y - 1);
        Rect { x: line.x + 1, y: line.y - height, width: (width as u16 + 4).min(line.width - 1), height }
    };
    let means = matches!(kind, PromptKind::Meaning { .. });
    let (options, chosen) = match completion {
        _ if means => (Vec::new(), None),
        Some(completion) => (completion.options.clone(), Some(completion.chosen)),
        None => (crate::model::completions(model, typed).1, None),
    };
    let whole = options.len() == 1 && typed.text.ends_with(&options[0]);
    let options = if whole { Vec::new() } else { options };
    if let Some(wrong) = wrong {
        // A word that is still being typed is not wrong yet, as long as it can become something.
        let unfinished = wrong.at.is_none_or(|(_, end)| typed.at >= end);
        if wrong.entered || !unfinished || options.is_empty() {
            let lines = text::wrap(&wrong.message, usize::from(line.width.saturating_sub(6)).min(90));
            let width = lines.iter().map(|line| text::width(line)).max().unwrap_or(0);
            let frame = frame(width, lines.len());
            return Some((Above::Wrong(lines), frame));
        }
    }
    if means && typed.text.is_empty() {
        let forms = FORMS.map(|(form, meaning)| (form.to_owned(), meaning));
        let width = forms.iter().map(|(form, meaning)| text::width(form) + 4 + text::width(meaning)).max();
        return Some((Above::Forms(forms.into()), frame(width.unwrap_or(0), FORMS.len())));
    }
    if options.is_empty() {
        return None;
    }
    let options: Vec<(String, &'static str)> = options
        .into_iter()
        .map(|option| {
            let meaning = crate::model::meaning(&option);
            (option, meaning)
        })
        .collect();
    let widest =
        |width: &dyn Fn(&(String, &'static str)) -> usize| options.iter().map(width).max().unwrap_or(0);
    let names = widest(&|(option, _)| text::width(&text::safe(option)));
    let meanings = widest(&|(_, meaning)| text::width(meaning));
    let width = if meanings > 0 { names + 4 + meanings } else { names + 2 };
    let frame = frame(width, options.len());
    Some((Above::Options(options, chosen), frame))
}

/// Where that is shown.
pub(crate) fn completions_frame(model: &Model, line: Rect) -> Option<Rect> {
    above(model, line).map(|(_, frame)| frame)
}

/// Above a filter being typed: what its last word may be, or what is wrong with it.
pub(crate) fn completions(model: &Model, line: Rect, paint: &mut Paint<'_>) {
    let Some((above, frame)) = above(model, line) else { return };
    let (options, chosen, title) = match above {
        Above::Options(options, chosen) => (options, chosen, "Tab"),
        Above::Forms(forms) => (forms, None, "such as"),
        Above::Wrong(lines) => {
            let inner = paint.window(frame, "not understood");
            for (line, y) in lines.iter().zip(inner.top()..inner.bottom()) {
                paint.put(inner.x, y, inner.width, Role::Error, line);
            }
            return;
        }
    };
    let more = options.len().saturating_sub(usize::from(frame.height.saturating_sub(2)));
    let title = if more > 0 { format!("Tab: {more} more") } else { title.to_owned() };
    let inner = paint.window(frame, &title);
    let names = options.iter().map(|(option, _)| text::width(&text::safe(option))).max().unwrap_or(0) as u16;
    // The chosen one stays in sight.
    let height = usize::from(inner.height).max(1);
    let first = chosen.map_or(0, |chosen| chosen / height * height);
    for (at, (option, meaning)) in options.iter().enumerate().skip(first).take(height) {
        let y = inner.y + (at - first) as u16;
        if chosen == Some(at) {
            let glyph = paint.theme.glyph(Role::Selected).to_owned();
            paint.put(inner.x, y, 1, Role::Selected, &glyph);
        }
        paint.put(inner.x + 2, y, inner.width.saturating_sub(2), Role::Text, option);
        let x = inner.x + 4 + names;
        paint.put(x, y, inner.right().saturating_sub(x), Role::Dim, meaning);
        if chosen == Some(at) {
            let style = paint.style(Role::Selected);
            paint.buffer.set_style(Rect { y, height: 1, ..inner }, style);
        }
    }
}

/// A question.
pub(crate) fn confirm(model: &Model, confirm: &Confirm, area: Rect, paint: &mut Paint<'_>) {
    let inner = paint.window(model.confirm_frame(confirm, area), "sure?");
    let lines = text::wrap(&confirm.question, usize::from(inner.width.saturating_sub(2)));
    for (at, line) in lines.iter().enumerate() {
        paint.put(inner.x, inner.y + at as u16, inner.width, Role::Text, line);
    }
    let y = inner.bottom().saturating_sub(1);
    paint.pieces(
        Rect { y, height: 1, ..inner },
        &[(Role::Key, "y"), (Role::Text, " yes   "), (Role::Key, "n"), (Role::Text, " no")],
    );
}
