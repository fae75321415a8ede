//! The screen, drawn from the model. Nothing here changes anything.

mod ascii;
pub(crate) mod blocks;
pub(crate) mod cells;
pub(crate) mod list;
pub(crate) mod message;
mod picker;
pub(crate) mod picture;
mod popup;
pub(crate) mod prompts;
pub(crate) mod sample;
pub(crate) mod short;
pub(crate) mod status;

use crate::model::{Mode, Model, SMALLEST};
use crate::paint::Paint;
use crate::terminal::placements::Wanted;
use crate::text;
use crate::theme::Role;
use ratatui::Frame;
use ratatui::buffer::CellDiffOption;
use ratatui::layout::{Position, Rect, Size};

/// Draws everything.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let layout = model.layout();
    frame.buffer_mut().set_style(area, model.display.theme.style(Role::Text));
    let mut paint = Paint::new(frame.buffer_mut(), &model.display.theme);
    if layout.is_blank() {
        too_small(area, &mut paint);
        return;
    }
    status::top(model, layout.top, &mut paint);
    status::hints(model, layout.hints, &mut paint);
    let mut cursor = message::draw(model, layout.message, &mut paint);
    let body = Rect { height: area.height - 3, y: 1, ..area };
    let page = model.panel().unwrap_or(model.views.page);
    cursor = cursor.or(page.draw(model, body, &mut paint));
    popup::which_key(model, area, &mut paint);
    popup::completions(model, layout.message, &mut paint);
    match &model.mode {
        Mode::Picker(it) => cursor = picker::picker(model, it, area, &mut paint),
        Mode::Confirm(confirm) => popup::confirm(model, confirm, area, &mut paint),
        _ => {}
    }
    if model.display.theme.is_ascii() {
        ascii::fold(frame.buffer_mut());
    }
    for stale in &model.display.refresh {
        for position in stale.intersection(area).positions() {
            frame.buffer_mut()[position].set_diff_option(CellDiffOption::AlwaysUpdate);
        }
    }
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

/// How large the window must be, in a window that is not.
fn too_small(area: Rect, paint: &mut Paint<'_>) {
    let Size { width, height } = SMALLEST;
    let words = format!(
        "the window is too small: {} x {}, at least {width} x {height} is needed; until then keys only quit",
        area.width, area.height
    );
    let lines = text::wrap(&words, usize::from(area.width));
    for (line, y) in lines.iter().zip(area.top()..area.bottom()) {
        paint.put(area.x, y, area.width, Role::Warning, line);
    }
}

/// Pictures that the terminal itself is to show.
pub fn wanted(model: &Model) -> Vec<Wanted> {
    picture::wanted(model, &windows(model))
}

/// What lies over the page that shows samples.
fn windows(model: &Model) -> Vec<Rect> {
    let Size { width, height } = model.display.size;
    let area = Rect::new(0, 0, width, height);
    let layout = model.layout();
    if layout.is_blank() {
        return vec![area];
    }
    let window = match &model.mode {
        Mode::Panel(_) => Some(area),
        Mode::Picker(it) => Some(model.picker_frame(it, area)),
        Mode::Confirm(confirm) => Some(model.confirm_frame(confirm, area)),
        Mode::List | Mode::Prompt(_) => None,
    };
    let others = [popup::which_key_frame(model, area), popup::completions_frame(model, layout.message)];
    window.into_iter().chain(others.into_iter().flatten()).collect()
}

/// What an open page says, in lines without charts.
pub fn spoken(model: &Model) -> Vec<String> {
    model.panel().map(|page| page.plain_lines(model)).unwrap_or_default()
}

/// Where the hidden cursor waits: on the selected row.
pub fn park(model: &Model) -> Position {
    model.views.page.cursor_cell(model)
}
