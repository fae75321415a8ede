//! Keys, pasted text and the mouse.

use super::{Effects, act, ahead, decide, macros, motion, panels, prompt, renumbered, say};
use crate::action::{Action, Kind, Scope};
use crate::key::{KeyChord, shown};
use crate::keymap::Lookup;
use crate::model::{Level, Mode, Model, Panel};
use crossterm::event::{KeyCode, MouseButton, MouseEvent, MouseEventKind};

/// Rows scrolled per step of the wheel.
const WHEEL_ROWS: i32 = 3;

pub(super) fn key(model: &mut Model, key: KeyChord, fx: &mut Effects) {
    if model.time.quitting.is_some() {
        // While the last decisions are being saved, only a second quit is accepted.
        if key == KeyChord::ctrl('c') {
            act(model, Action::Cancel, fx);
        }
        return;
    }
    macros::note(model, key);
    if let Mode::Confirm(_) = model.mode {
        return confirm(model, key, fx);
    }
    if key.code == KeyCode::Esc && !model.pending.is_empty() {
        model.pending.clear();
        return;
    }
    model.pending.push(key);
    match lookup(model, &model.pending) {
        Lookup::Action(action) => {
            let count = std::mem::take(&mut model.pending).len();
            macros::forget(model, action, count);
            if ahead::unseen(model, action) {
                let path = model.row().map_or("it", |row| row.path.as_str());
                let text = format!("the list has just changed: press again to decide about {path}");
                return say(model, Level::Warning, text);
            }
            act(model, action, fx);
        }
        Lookup::Prefix => {}
        Lookup::Nothing => {
            let keys = std::mem::take(&mut model.pending);
            unused(model, &keys, key);
        }
    }
}

/// What these keys do where the reviewer is. On a page, keys of the list that do not depend on a sample work too.
pub(super) fn lookup(model: &Model, keys: &[KeyChord]) -> Lookup {
    let found = model.keymap.lookup(model.mode.scope(), keys);
    let Mode::Panel(Panel { editing: None, .. }) = &model.mode else { return found };
    if found != Lookup::Nothing {
        return found;
    }
    match model.keymap.lookup(Scope::List, keys) {
        Lookup::Action(action) if works_on_pages(action) => Lookup::Action(action),
        Lookup::Prefix => {
            let next = model.keymap.continuations(Scope::List, keys);
            let any = next.iter().any(|(_, action)| works_on_pages(*action));
            if any { Lookup::Prefix } else { Lookup::Nothing }
        }
        _ => Lookup::Nothing,
    }
}

/// Whether an action of the list makes sense while a page covers it.
pub(super) fn works_on_pages(action: Action) -> bool {
    match action.kind() {
        Kind::Page(_) => true,
        Kind::Program(_) => !matches!(action, Action::CopyRecord | Action::Cancel | Action::Back),
        _ => matches!(action, Action::Undo | Action::Redo | Action::Scan | Action::CancelJob),
    }
}

/// These keys are bound to nothing here: they are text, or the reviewer is told.
fn unused(model: &mut Model, keys: &[KeyChord], last: KeyChord) {
    match (&model.mode, last.typed()) {
        (Mode::Prompt(_) | Mode::Picker(_), Some(c)) => {
            prompt::typed(model, c.encode_utf8(&mut [0; 4]));
        }
        (Mode::Panel(panel), Some(c)) if panel.editing.is_some() => {
            panels::typed(model, c.encode_utf8(&mut [0; 4]));
        }
        (Mode::Panel(panel), _) if panel.editing.is_none() => {
            let close = match panel.page.scope() {
                Scope::Pane => Action::PaneClose,
                _ => Action::PanelClose,
            };
            let close = model.keymap.key_for(close).map(shown).unwrap_or_default();
            let text = format!("{} is not used on this page; {close} closes it", shown(keys));
            say(model, Level::Warning, text);
        }
        (Mode::List, _) => {
            let help = model.keymap.key_for(Action::Help).map(shown).unwrap_or_default();
            say(model, Level::Warning, format!("{} is not used here   {help} help", shown(keys)));
        }
        _ => {}
    }
}

fn confirm(model: &mut Model, key: KeyChord, fx: &mut Effects) {
    // Not Enter: it also accepts suggestions and is pressed many times in a row.
    let yes = matches!(key.typed(), Some('y' | 'Y'));
    let no = matches!(key.code, KeyCode::Char('n' | 'N' | 'q') | KeyCode::Esc) || key == KeyChord::ctrl('c');
    if yes {
        let asked = std::mem::take(&mut model.mode);
        model.mode = prompt::below(model);
        if renumbered::is_void(model, &asked) {
            return;
        }
        if let Mode::Confirm(confirm) = asked {
            decide::confirmed(model, confirm.yes, fx);
        }
    } else if no {
        model.mode = prompt::below(model);
        model.review.resolved = None;
        say(model, Level::Info, "nothing changed");
    } else {
        say(model, Level::Warning, format!("{key} is not an answer: y or n"));
    }
}

pub(super) fn paste(model: &mut Model, text: &str) {
    // Pasted text is never treated as keys: a path pasted into the list must not make decisions.
    if matches!(model.mode, Mode::Prompt(_) | Mode::Picker(_)) {
        prompt::typed(model, text);
    } else if panels::editing(model) {
        panels::typed(model, text);
    } else {
        say(model, Level::Warning, "pasted text is ignored here: open a prompt first");
    }
}

pub(super) fn mouse(model: &mut Model, event: MouseEvent) {
    let (x, y) = (event.column, event.row);
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => click(model, x, y),
        MouseEventKind::ScrollUp => wheel(model, -WHEEL_ROWS, x, y),
        MouseEventKind::ScrollDown => wheel(model, WHEEL_ROWS, x, y),
        _ => {}
    }
}

fn click(model: &mut Model, x: u16, y: u16) {
    if model.mode == Mode::List {
        let page = model.views.page;
        page.click(model, x, y);
    }
}

fn wheel(model: &mut Model, rows: i32, x: u16, y: u16) {
    model.time.key_at = model.time.now;
    let over_info = model.layout().info.contains((x, y).into());
    let columns = model.views.page.list_cells(model).map_or(1, |cells| i64::from(cells.columns));
    match &mut model.mode {
        Mode::List if over_info => {
            model.views.look.scroll = model.views.look.scroll.saturating_add_signed(rows as i16);
        }
        Mode::List => {
            let row = model.list.cursor.saturating_add_signed(i64::from(rows) * columns);
            motion::go(model, row);
        }
        Mode::Picker(picker) => {
            let last = picker.found.len().saturating_sub(1);
            picker.selected = picker.selected.saturating_add_signed(rows as isize).min(last);
        }
        Mode::Panel(_) => panels::scroll(model, rows as i16),
        Mode::Prompt(_) | Mode::Confirm(_) => {}
    }
}
