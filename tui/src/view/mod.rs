//! The screen, drawn from the model. Nothing here changes anything.

mod ascii;
mod jobs;
mod list;
mod pages;
mod paint;
mod panels;
mod picker;
mod picture;
mod popup;
mod sample;
mod status;

pub(crate) use pages::{grid_cells, map_area, places};
pub use sample::related;

use crate::model::{Mode, Model, Page};
use crate::terminal::placements::Wanted;
use crate::theme::Role;
use paint::Paint;
use ratatui::Frame;
use ratatui::buffer::CellDiffOption;
use ratatui::layout::Position;

/// Draws everything.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let layout = model.layout();
    frame.buffer_mut().set_style(area, model.theme.style(Role::Text));
    let mut paint = Paint::new(frame.buffer_mut(), &model.theme);
    if layout.top.area() == 0 {
        paint.text(area, Role::Warning, "the window is too small");
        return;
    }
    status::top(model, layout.top, &mut paint);
    status::hints(model, layout.hints, &mut paint);
    let mut cursor = status::message(model, layout.message, &mut paint);
    if let Mode::Jobs(scroll) = model.mode {
        let body = ratatui::layout::Rect { height: area.height - 3, y: 1, ..area };
        jobs::page(model, body, scroll, &mut paint);
    } else if let Mode::Panel(panel) = &model.mode {
        let body = ratatui::layout::Rect { height: area.height - 3, y: 1, ..area };
        cursor = cursor.or(panels::page(model, panel, body, &mut paint));
    } else if model.views.page != Page::List {
        pages::draw(model, &mut paint);
    } else {
        list::list(model, layout.list, &mut paint);
        let glyph = model.theme.glyph(Role::Border).to_owned();
        for y in layout.divider.top()..layout.divider.bottom() {
            paint.put(layout.divider.x, y, 1, Role::Border, &glyph);
        }
        picture::main(model, &layout, &mut paint);
        picture::strip(model, &layout, &mut paint);
        sample::info(model, &layout, &mut paint);
    }
    popup::which_key(model, area, &mut paint);
    popup::completions(model, layout.message, &mut paint);
    match &model.mode {
        Mode::Picker(it) => cursor = picker::picker(model, it, area, &mut paint),
        Mode::Confirm(confirm) => popup::confirm(confirm, area, &mut paint),
        _ => {}
    }
    if model.theme.is_ascii() {
        ascii::fold(frame.buffer_mut());
    }
    for stale in &model.refresh {
        for position in stale.intersection(area).positions() {
            frame.buffer_mut()[position].set_diff_option(CellDiffOption::AlwaysUpdate);
        }
    }
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

/// Pictures that the terminal itself is to show.
pub fn wanted(model: &Model) -> Vec<Wanted> {
    picture::wanted(model)
}

/// What an open page says, in lines without charts.
pub fn spoken(model: &Model) -> Vec<String> {
    match &model.mode {
        Mode::Panel(panel) => panels::spoken(model, panel),
        Mode::Jobs(_) => jobs::spoken(model),
        _ => Vec::new(),
    }
}

/// Where the hidden cursor waits: on the selected row.
pub fn park(model: &Model) -> Position {
    if let Some(place) = pages::park(model) {
        return place;
    }
    let list = model.layout().list;
    let row = model.list.cursor.saturating_sub(model.list.top).min(u64::from(list.height));
    Position { x: list.x, y: list.y + row as u16 }
}
