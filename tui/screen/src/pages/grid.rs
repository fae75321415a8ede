//! The list as pictures: each cell shows the picture, and always the cursor, the mark and
//! the decision.

use crate::action::Action;
use crate::effect::Effects;
use crate::key::shown;
use crate::model::{Cells, Level, Model, Page, Screen, Shot, ViewState};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use crate::update::{motion, say, show};
use crate::view::cells::{gutter, info, shot};
use crate::view::list::{self, decision_role, severity};
use chaffinch_protocol::Row;
use ratatui::layout::{Position, Rect};

/// The grid.
pub(super) struct Grid;

impl Page for Grid {
    fn name(&self) -> &'static str {
        "grid"
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Grid, Action::Overlay]
    }

    fn needs_pictures(&self, _action: Action) -> bool {
        true
    }

    fn is_base(&self) -> bool {
        true
    }

    fn is_over_the_list(&self) -> bool {
        true
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        use Action as A;
        vec![
            A::Keep,
            A::Remove,
            A::Relabel,
            A::Unsure,
            A::Zoom,
            A::Larger,
            A::Help,
            A::Back,
            A::Undo,
            A::Mark,
            A::Smaller,
            A::Compare,
            A::Group,
        ]
    }

    fn meaning(&self, _model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        Some(match action {
            Action::Larger => ("larger", "Show larger pictures, in fewer columns"),
            Action::Smaller => ("smaller", "Show smaller pictures, in more columns"),
            Action::Zoom => ("zoom", "Show the picture full screen"),
            _ => return None,
        })
    }

    fn draw(&self, model: &Model, _area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let cells = cells(model);
        if model.list.total == 0 {
            list::list(model, cells.area, paint);
            return None;
        }
        for one in self.shots(model) {
            shot(model, &one, paint);
        }
        for index in 0..cells.count() {
            let at = model.list.top + index as u64;
            if at >= model.list.total {
                break;
            }
            let here = at == model.list.cursor;
            let Some(row) = model.list.rows.get(at) else {
                paint.put(cells.picture(index).x, cells.cell(index).y, 1, Role::Dim, "…");
                continue;
            };
            gutter(model, &cells, index, row, (here, model.marked(at, row)), paint);
            caption(model, cells.caption(index), row, here, paint);
        }
        info(model, paint);
        None
    }

    fn open(&self, model: &mut Model, action: Action, _fx: &mut Effects) {
        match action {
            // Where no names stand beside pictures, hiding them would show only later.
            Action::Overlay if model.at_home() => {
                let key = model.keymap.key_for(Action::Grid).map(shown).unwrap_or_default();
                say(
                    model,
                    Level::Info,
                    format!("there are no names beside pictures here, but in the grid ({key})"),
                );
            }
            Action::Overlay => {
                model.views.look.bare = !model.views.look.bare;
                let text =
                    if model.views.look.bare { "names and scores hidden" } else { "names and scores shown" };
                say(model, Level::Info, text);
            }
            _ => show::toggle(model, &Grid),
        }
    }

    fn act(&self, model: &mut Model, action: Action, _fx: &mut Effects) -> bool {
        use Action as A;
        let cells = cells(model);
        let (cursor, columns) = (model.list.cursor, u64::from(cells.columns));
        let half = u64::from(cells.rows / 2).max(1) * columns;
        let last = model.list.total.saturating_sub(1);
        let row = match action {
            A::Left => cursor.saturating_sub(1),
            A::Right => cursor.saturating_add(1),
            // Up from the first row and down from the last stay where they are.
            A::Up => cursor.checked_sub(columns).unwrap_or(cursor),
            A::Down if cursor / columns == last / columns => cursor,
            A::Down => cursor.saturating_add(columns),
            A::HalfPageDown => cursor.saturating_add(half),
            A::HalfPageUp => cursor.saturating_sub(half),
            A::Larger | A::Smaller => {
                resize(model, action == A::Larger);
                return true;
            }
            A::Zoom => {
                show::show(model, model.views.first());
                model.views.look.zoom = true;
                return true;
            }
            _ => return false,
        };
        motion::go(model, row);
        true
    }

    fn click(&self, model: &mut Model, x: u16, y: u16) {
        if let Some(index) = cells(model).at(x, y) {
            let row = model.list.top + index as u64;
            if row < model.list.total {
                motion::go(model, row);
            }
        }
    }

    fn list_cells(&self, model: &Model) -> Option<Cells> {
        Some(cells(model))
    }

    /// Keeps grid rows aligned to the left edge and the cursor on the screen.
    fn settle(&self, model: &mut Model, _moved: bool) {
        let cells = cells(model);
        let (columns, rows) = (u64::from(cells.columns), u64::from(cells.rows));
        let list = &mut model.list;
        let (row, mut top) = (list.cursor / columns, list.top / columns);
        let lead = rows / 4;
        if row < top {
            top = (row + lead + 1).saturating_sub(rows);
        } else if row >= top + rows {
            top = row - lead;
        }
        list.top = top.min(list.total.div_ceil(columns).saturating_sub(rows)) * columns;
    }

    fn shots(&self, model: &Model) -> Vec<Shot> {
        let cells = cells(model);
        let row = |index: usize| Some((index, model.list.rows.get(model.list.top + index as u64)?.sample));
        let rows = (0..cells.count()).filter_map(row);
        rows.map(|(index, sample)| Shot::in_cell(index, sample, cells.picture(index))).collect()
    }

    fn cursor_cell(&self, model: &Model) -> Position {
        cells(model).caption((model.list.cursor.saturating_sub(model.list.top)) as usize).as_position()
    }

    fn remember(&self, model: &Model, state: &mut ViewState) {
        let pages = [model.views.page, model.views.below];
        state.grid = pages.iter().any(|page| page.name() == self.name());
        state.columns = model.views.columns;
    }

    fn restore(&self, model: &mut Model, state: &ViewState) {
        model.views.columns = state.columns;
        if state.grid {
            model.views.page = &Grid;
        }
    }
}

/// The cells on the screen.
fn cells(model: &Model) -> Cells {
    let body = Screen::of(model.display.size).body;
    let lines = u16::from(!model.views.look.bare);
    let cells = Cells::of(body, model.views.columns.unwrap_or(body.width / 16), lines);
    let total = usize::try_from(model.list.total).unwrap_or(usize::MAX);
    // A few pictures take all of the screen, unless the reviewer has chosen how large they are.
    match model.views.columns {
        None if (1..cells.count()).contains(&total) => Cells::fitting(body, total, lines),
        _ => cells,
    }
}

/// Fewer columns or more.
fn resize(model: &mut Model, larger: bool) {
    let columns = cells(model).columns;
    model.views.columns = Some(if larger { columns - 1 } else { columns + 1 }.max(1));
    let now = cells(model).columns;
    model.views.columns = Some(now);
    say(model, Level::Info, text::counted(u64::from(now), "column", "columns"));
    motion::touch(model);
}

fn caption(model: &Model, area: Rect, row: &Row, here: bool, paint: &mut Paint<'_>) {
    if area.area() == 0 {
        return;
    }
    let role = decision_role(model.choice(row));
    let mut x = paint.put(area.x, area.y, 1, role, model.display.theme.glyph(role));
    if area.width >= 12 {
        x = paint.put(x, area.y, 4, severity(row.score, row.flags.len()), &text::score(row.score)) + 1;
    }
    list::labels(
        model,
        row,
        model.choice(row),
        area.right() - 1,
        area.y,
        area.right().saturating_sub(x + 1),
        paint,
    );
    if here {
        paint.buffer.set_style(area, paint.style(Role::Cursor));
    }
}
