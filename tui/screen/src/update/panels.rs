//! Interactive pages: opening them, keeping them up to date, and their common keys.

use super::{Effects, detector, job, motion, say, send};
use crate::action::Action;
use crate::model::{Anchor, Left, Level, Line, Mode, Model, PageRef, Panel};
use chaffinch_protocol::{Command, Overviewed, Query};

/// Hints of a read-only page.
pub(crate) const READING: [Action; 5] =
    [Action::PanelClose, Action::PanelDown, Action::PanelUp, Action::PanelStart, Action::PanelEnd];

/// Opens a page and requests its data.
pub(crate) fn open(model: &mut Model, page: PageRef, fx: &mut Effects) {
    model.panels.under = match model.panel() {
        None => Vec::new(),
        // One that was opened before is gone back to.
        Some(_) if model.panels.under.contains(&page) => {
            let way = std::mem::take(&mut model.panels.under);
            way.into_iter().take_while(|other| *other != page).collect()
        }
        Some(other) if other == page => std::mem::take(&mut model.panels.under),
        Some(other) => [std::mem::take(&mut model.panels.under), vec![other]].concat(),
    };
    show(model, page, fx);
}

/// Shows a page in the place of another.
fn show(model: &mut Model, page: PageRef, fx: &mut Effects) {
    model.panels.below = None;
    model.panels.left = None;
    model.mode = Mode::Panel(Panel { page, editing: None });
    model.panels.scroll = 0;
    model.panels.opening = true;
    refresh(model, fx);
}

/// Closes the page: the one from which it was opened is there again, or the list.
fn close(model: &mut Model, fx: &mut Effects) {
    let unsaved = model.panel().and_then(|page| page.unsaved(model));
    match model.panels.under.pop() {
        Some(page) => show(model, page, fx),
        None => model.mode = Mode::List,
    }
    if let Some(words) = unsaved {
        say(model, Level::Warning, words);
    }
}

/// Lists what was chosen in the page, which is left and can be gone back to.
pub(crate) fn list(model: &mut Model, query: Query, fx: &mut Effects) {
    let under = std::mem::take(&mut model.panels.under);
    model.panels.left = model.panel().map(|page| Left {
        way: [under, vec![page]].concat(),
        before: model.list.query.clone(),
        listed: query.clone(),
        over: model.views.page,
    });
    model.mode = Mode::List;
    motion::relist(model, query, Anchor::Top, fx);
}

/// Goes back from such a list to the page; returns whether that was done. Once something else is listed or shown, it is no
/// list of the page any more.
pub(super) fn back(model: &mut Model, fx: &mut Effects) -> bool {
    let Some(mut left) = model.left().cloned() else { return false };
    let Some(page) = left.way.pop() else { return false };
    model.panels.under = left.way;
    motion::relist(model, left.before, Anchor::Top, fx);
    show(model, page, fx);
    true
}

/// Requests the data of the open page: it is new, or something changed in the engine.
pub(super) fn refresh(model: &mut Model, fx: &mut Effects) {
    let Some(page) = model.panel() else { return };
    if let Some(about) = page.overview(model) {
        model.panels.ticket += 1;
        model.panels.awaited = true;
        send(fx, Command::Overview { ticket: model.panels.ticket, about });
    }
}

/// The engine's answer.
pub(super) fn overviewed(model: &mut Model, ticket: u64, overviewed: Overviewed) {
    if ticket != model.panels.ticket {
        return;
    }
    model.panels.awaited = false;
    model.panels.opening = false;
    let mut left = Some(overviewed);
    for page in model.views.all {
        let Some(overviewed) = left.take() else { return };
        left = page.overviewed(model, overviewed);
    }
}

/// Handles an action of an open page.
pub(super) fn act_in_page(model: &mut Model, action: Action, fx: &mut Effects) {
    let Some(page) = model.panel() else { return };
    match action {
        Action::PanelClose | Action::PaneClose => close(model, fx),
        Action::PanelCancelJob | Action::PaneCancelJob => job::cancel(model, fx),
        _ => {
            page.act(model, action, fx);
        }
    }
}

/// Chooses the next or the previous detector for a page that shows one.
pub(crate) fn next_detector(model: &mut Model, forward: bool, fx: &mut Effects) {
    detector::next(model, forward);
    chosen_anew(model, fx);
}

/// Another detector is chosen: its first field, and its data.
pub(crate) fn chosen_anew(model: &mut Model, fx: &mut Effects) {
    model.panels.field = 0;
    refresh(model, fx);
}

/// The line that an action goes to in a list of lines, shown by the page, one of which is chosen. `None` if it does not
/// move.
pub(crate) fn moved(action: Action, at: usize, page: usize, last: usize) -> Option<usize> {
    let to = match action {
        Action::PanelUp => at.saturating_sub(1),
        Action::PanelDown => at + 1,
        Action::PanelPageUp => at.saturating_sub(page),
        Action::PanelPageDown => at + page,
        Action::PanelStart => 0,
        Action::PanelEnd => last,
        _ => return None,
    };
    Some(to.min(last))
}

/// The line of such a list that is shown at a height below its first.
pub(crate) fn shown_at(line: u16, at: usize, page: usize, last: usize) -> usize {
    (at / page * page + usize::from(line)).min(last)
}

/// By how many lines an action scrolls a page that is only read.
pub(crate) fn scrolled(model: &Model, action: Action) -> Option<i16> {
    let page = model.display.size.height.saturating_sub(4) as i16;
    Some(match action {
        Action::PanelDown => 1,
        Action::PanelUp => -1,
        Action::PanelPageDown => page,
        Action::PanelPageUp => -page,
        Action::PanelStart => i16::MIN,
        Action::PanelEnd => i16::MAX,
        _ => return None,
    })
}

/// Handles a scroll action of a read-only page. Returns whether it was one.
pub(crate) fn read(model: &mut Model, action: Action) -> bool {
    let Some(down) = scrolled(model, action) else { return false };
    scroll(model, down);
    true
}

/// Scrolls the open page.
pub(crate) fn scroll(model: &mut Model, by: i16) {
    model.panels.scroll = model.panels.scroll.saturating_add_signed(by).min(10_000);
}

/// Whether a value is being typed.
pub(super) fn editing(model: &Model) -> bool {
    model.typing().is_some()
}

/// Handles an editing action while a value is typed.
pub(super) fn prompt(model: &mut Model, action: Action, fx: &mut Effects) {
    use Action as A;
    if matches!(action, A::PromptComplete | A::PromptNext | A::PromptPrevious) {
        if let Some(page) = model.panel() {
            page.complete(model, fx);
        }
        return;
    }
    let Mode::Panel(panel) = &mut model.mode else { return };
    let Some(line) = &mut panel.editing else { return };
    match action {
        A::PromptCancel => panel.editing = None,
        A::PromptAccept => {
            let (page, text) = (panel.page, line.text.trim().to_owned());
            panel.editing = None;
            page.submit(model, &text);
        }
        A::PromptBackspace if line.text.is_empty() => panel.editing = None,
        _ => {
            line.act(action);
        }
    }
}

/// Starts typing a value.
pub(crate) fn edit(model: &mut Model, value: &str) {
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

/// Handles an action that a page owns, wherever it is triggered.
pub(super) fn open_by(model: &mut Model, action: Action, fx: &mut Effects) {
    match model.views.opened_by(action) {
        Some(page) => page.open(model, action, fx),
        None => say(model, Level::Warning, format!("no page handles '{action}'")),
    }
}
