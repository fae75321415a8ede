//! Pages that are worked in: opening them, keeping them fresh, and their keys.

use super::{Effects, act as perform, form, motion, say, send};
use crate::action::Action;
use crate::model::{Level, Line, Matrix, Mode, Model, Panel, PanelKind};
use chaffinch_protocol::{Command, Overviewed, Query, Sort};

/// Opens a page and asks for what it shows.
pub(super) fn open(model: &mut Model, kind: PanelKind, fx: &mut Effects) {
    model.mode = Mode::Panel(Panel { kind, editing: None });
    model.panels.scroll = 0;
    ask(model, fx);
}

/// Which page is open.
pub(crate) fn kind(model: &Model) -> Option<PanelKind> {
    match &model.mode {
        Mode::Panel(panel) => Some(panel.kind),
        _ => None,
    }
}

/// The name of the chosen detector.
pub(crate) fn detector(model: &Model) -> Option<&str> {
    // In the form all detectors can be chosen, also those without results.
    let session = model.session.as_ref()?;
    session.detectors.get(model.detector).map(|detector| detector.name.as_str())
}

/// Asks for what the open page shows.
fn ask(model: &mut Model, fx: &mut Effects) {
    let Some(kind) = kind(model) else { return };
    if let Some(about) = kind.overview(detector(model)) {
        model.panels.ticket += 1;
        model.panels.awaited = true;
        send(fx, Command::Overview { ticket: model.panels.ticket, about });
    }
}

/// Something changed in the engine: the open page may be out of date.
pub(super) fn refresh(model: &mut Model, fx: &mut Effects) {
    if kind(model).is_some() {
        ask(model, fx);
    }
}

/// The engine's answer.
pub(super) fn overview(model: &mut Model, ticket: u64, overview: Overviewed) {
    if ticket != model.panels.ticket {
        return;
    }
    let panels = &mut model.panels;
    panels.awaited = false;
    match overview {
        Overviewed::Histogram(histogram) => panels.histogram = Some(histogram),
        Overviewed::Confusion(confused) => {
            let before = panels.confusion.as_ref().and_then(Matrix::pair);
            panels.confusion = Some(Matrix::new(confused, before));
        }
        Overviewed::Forms(forms) => panels.forms = Some(forms),
        Overviewed::Statistics(statistics) => panels.statistics = Some(statistics),
    }
}

/// Does an action of an open page.
pub(super) fn act(model: &mut Model, action: Action, fx: &mut Effects) {
    use Action as A;
    let Some(kind) = kind(model) else { return };
    match (action, kind) {
        (A::PanelClose, _) => model.mode = Mode::List,
        (A::PanelCancelJob, _) => perform(model, A::CancelJob, fx),
        (A::PanelNext | A::PanelPrevious, PanelKind::Histogram | PanelKind::Detectors) => {
            let forward = action == A::PanelNext;
            perform(model, if forward { A::NextDetector } else { A::PreviousDetector }, fx);
            model.panels.field = 0;
            ask(model, fx);
        }
        (_, PanelKind::Histogram) => histogram(model, action, fx),
        (_, PanelKind::Confusion) => confusion(model, action, fx),
        (_, PanelKind::Detectors) => form::act(model, action, fx),
        (_, PanelKind::Statistics | PanelKind::Log) => scroll(model, action, kind),
    }
}

fn histogram(model: &mut Model, action: Action, fx: &mut Effects) {
    use Action as A;
    let by = match action {
        A::PanelLeft => -0.01,
        A::PanelRight => 0.01,
        A::PanelUp => 0.001,
        A::PanelDown => -0.001,
        A::PanelPageUp => 0.1,
        A::PanelPageDown => -0.1,
        A::PanelStart => -1.0,
        A::PanelEnd => 1.0,
        A::PanelScale => {
            model.panels.linear = !model.panels.linear;
            return;
        }
        A::PanelReset => {
            let chosen = detector(model);
            let own = model.panels.histogram.as_ref().filter(|h| chosen == Some(h.detector.as_str()));
            let own = own.map(|histogram| histogram.default);
            let now = super::act::chosen_threshold(model);
            match own.zip(now) {
                Some((own, now)) => own - now,
                None => return,
            }
        }
        A::PanelAccept => return list_detector(model, fx),
        A::PanelRun => return perform(model, A::RerunDetector, fx),
        _ => return,
    };
    super::act::threshold(model, by);
}

/// Closes the page and lists what the chosen detector flags, worst first.
fn list_detector(model: &mut Model, fx: &mut Effects) {
    let Some(name) = detector(model).map(str::to_owned) else { return };
    model.mode = Mode::List;
    // The list must be made with the threshold on the screen.
    if let Some((detector, threshold, _)) = model.threshold.take() {
        send(fx, Command::SetThreshold { detector, threshold });
    }
    let query = Query {
        all: false,
        filter: format!("detector:{name}"),
        sort: Sort::Detector(name.clone()),
        descending: false,
    };
    motion::relist(model, query, crate::model::Anchor::Top, fx);
    let back = model.keymap.key_for(Action::ClearFilter).map(crate::key::shown).unwrap_or_default();
    say(model, Level::Info, format!("what {name} flags, worst first   {back} takes the filter away"));
}

fn confusion(model: &mut Model, action: Action, fx: &mut Effects) {
    use Action as A;
    let page = usize::from(model.size.height / 2).max(1);
    let Some(matrix) = &mut model.panels.confusion else { return };
    let last = matrix.classes.len().saturating_sub(1);
    let (row, column) = &mut matrix.at;
    match action {
        A::PanelLeft => *column = column.saturating_sub(1),
        A::PanelRight => *column = (*column + 1).min(last),
        A::PanelUp => *row = row.saturating_sub(1),
        A::PanelDown => *row = (*row + 1).min(last),
        A::PanelPageUp => *row = row.saturating_sub(page),
        A::PanelPageDown => *row = (*row + page).min(last),
        A::PanelStart => (*row, *column) = (0, 0),
        A::PanelEnd => (*row, *column) = (last, last),
        A::PanelNext | A::PanelPrevious => {
            let here = matrix.pair();
            let place = matrix.pairs.iter().position(|pair| Some(*pair) == here);
            let count = matrix.pairs.len().max(1);
            let next = match place {
                Some(place) if action == A::PanelNext => (place + 1) % count,
                Some(place) => (place + count - 1) % count,
                None => 0,
            };
            if let Some(pair) = matrix.pairs.get(next).copied() {
                matrix.go_to(pair);
            }
        }
        A::PanelAccept => enter_cell(model, fx),
        _ => {}
    }
}

/// Closes the page and lists the suspects of the cell under the cursor.
fn enter_cell(model: &mut Model, fx: &mut Effects) {
    let Some(matrix) = &model.panels.confusion else { return };
    let Some((given, suggested)) = matrix.pair() else { return };
    if !matrix.cells.contains_key(&(given, suggested)) {
        return say(model, Level::Warning, "no suspect has this pair of labels");
    }
    let name = |place: u32| model.class(Some(place)).unwrap_or_default().to_owned();
    let (given, suggested) = (name(given), name(suggested));
    let filter = format!("class:{} suggested:{}", quoted(&given), quoted(&suggested));
    model.mode = Mode::List;
    let query = Query { all: false, filter, ..model.list.query.clone() };
    motion::relist(model, query, crate::model::Anchor::Top, fx);
    let back = model.keymap.key_for(Action::ClearFilter).map(crate::key::shown).unwrap_or_default();
    say(model, Level::Info, format!("{given} that may be {suggested}   {back} takes the filter away"));
}

/// A name as the filter language takes it: in quotes where it would fall apart.
pub(crate) fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '\'' | '(' | ')');
    if !name.is_empty() && name.chars().all(plain) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

fn scroll(model: &mut Model, action: Action, kind: PanelKind) {
    use Action as A;
    let page = model.size.height.saturating_sub(4);
    let down = match action {
        A::PanelDown => 1,
        A::PanelUp => -1,
        A::PanelPageDown => page as i16,
        A::PanelPageUp => -(page as i16),
        A::PanelStart => i16::MIN,
        A::PanelEnd => i16::MAX,
        _ => return,
    };
    // The log is held at its end, where news come in.
    let by = if kind == PanelKind::Log { down.saturating_neg() } else { down };
    model.panels.scroll = model.panels.scroll.saturating_add_signed(by).min(10_000);
}

/// Whether a value is being typed.
pub(super) fn editing(model: &Model) -> bool {
    matches!(&model.mode, Mode::Panel(Panel { editing: Some(_), .. }))
}

/// Does an action of the line in which a value is typed.
pub(super) fn prompt(model: &mut Model, action: Action) {
    use Action as A;
    let Mode::Panel(panel) = &mut model.mode else { return };
    let Some(line) = &mut panel.editing else { return };
    match action {
        A::PromptCancel => panel.editing = None,
        A::PromptAccept => {
            let text = line.text.trim().to_owned();
            panel.editing = None;
            form::typed(model, &text);
        }
        A::PromptLeft => line.left(),
        A::PromptRight => line.right(),
        A::PromptHome => line.at = 0,
        A::PromptEnd => line.at = line.text.len(),
        A::PromptBackspace if line.text.is_empty() => panel.editing = None,
        A::PromptBackspace => line.backspace(),
        A::PromptDelete => line.delete(),
        A::PromptDeleteWord => line.delete_word(),
        A::PromptDeleteLine => line.delete_line(),
        _ => {}
    }
}

/// Begins to type a value.
pub(super) fn edit(model: &mut Model, value: &str) {
    if let Mode::Panel(panel) = &mut model.mode {
        panel.editing = Some(Line::new(value));
    }
}

/// Text was typed into the line of a value.
pub(super) fn typed(model: &mut Model, text: &str) {
    if let Mode::Panel(Panel { editing: Some(line), .. }) = &mut model.mode {
        line.insert(text);
    }
}
