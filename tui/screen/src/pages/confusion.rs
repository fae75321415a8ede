//! Given against suggested labels, as a heat map of counts.

use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::key::shown;
use crate::model::{Level, Matrix, Model, Page, quoted};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use crate::update::{panels, say};
use crate::view::blocks::{inner, waiting};
use chaffinch_protocol::{Overview, Overviewed, Query};
use ratatui::layout::{Position, Rect};

/// Cells of the screen that one cell of the matrix takes.
const CELL: u16 = 7;

/// The confusions.
pub(super) struct Confusion;

impl Page for Confusion {
    fn name(&self) -> &'static str {
        "confusion"
    }

    fn scope(&self) -> Scope {
        Scope::Panel
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Confusion]
    }

    fn hints(&self, model: &Model) -> Vec<Action> {
        use Action as A;
        match model.panels.confusion.as_ref().is_none_or(|matrix| matrix.classes.is_empty()) {
            true => vec![A::PanelClose],
            false => vec![A::PanelClose, A::PanelAccept, A::PanelNext, A::PanelPrevious, A::PanelStart],
        }
    }

    fn meaning(&self, _model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        (action == Action::PanelAccept).then_some(("list", "List the suspects of the pair"))
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let area = inner(area);
        let Some(matrix) = &model.panels.confusion else {
            waiting(area, "counting confusions…", paint);
            return None;
        };
        if matrix.classes.is_empty() {
            waiting(area, "no detector suggests another label for any suspect", paint);
            return None;
        }
        let name = |index: usize| {
            let class = matrix.classes.get(index).copied();
            text::safe(model.class(class).unwrap_or("?")).into_owned()
        };
        let longest =
            (0..matrix.classes.len()).map(|index| text::width(&name(index))).max().unwrap_or(0) as u16;
        let left = longest.clamp(5, (area.width / 4).clamp(5, 24)) + 1;
        // Title, names of columns, what the cursor is on.
        let body = Rect {
            x: area.x + left,
            y: area.y + 2,
            width: area.width.saturating_sub(left),
            height: area.height.saturating_sub(4),
        };
        let (rows, columns) = (usize::from(body.height), usize::from(body.width / CELL));
        if rows == 0 || columns == 0 {
            return None;
        }
        paint.put(area.x, area.y, area.width, Role::Title, "rows: given label, columns: suggested");
        let (row, column) = matrix.at;
        let (top, first) = (row / rows * rows, column / columns * columns);
        for index in first..(first + columns).min(matrix.classes.len()) {
            let x = body.x + (index - first) as u16 * CELL;
            let role = if index == column { Role::Given } else { Role::Dim };
            paint.put(x, area.y + 1, CELL - 1, role, &name(index));
        }
        for index in top..(top + rows).min(matrix.classes.len()) {
            let y = body.y + (index - top) as u16;
            let role = if index == row { Role::Given } else { Role::Text };
            paint.put(area.x, y, left - 1, role, &name(index));
            for other in first..(first + columns).min(matrix.classes.len()) {
                let x = body.x + (other - first) as u16 * CELL;
                cell(matrix, (index, other), Rect { x, y, width: CELL - 1, height: 1 }, paint);
            }
        }
        foot(model, matrix, (&name(row), &name(column)), area, paint);
        None
    }

    fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
        panels::open(model, &Confusion, fx);
    }

    fn act(&self, model: &mut Model, action: Action, fx: &mut Effects) -> bool {
        use Action as A;
        let page = usize::from(model.display.size.height / 2).max(1);
        let Some(matrix) = &mut model.panels.confusion else { return true };
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
                let index = matrix.pairs.iter().position(|pair| Some(*pair) == here);
                let count = matrix.pairs.len().max(1);
                let next = match index {
                    Some(index) if action == A::PanelNext => (index + 1) % count,
                    Some(index) => (index + count - 1) % count,
                    None => 0,
                };
                if let Some(pair) = matrix.pairs.get(next).copied() {
                    matrix.go_to(pair);
                }
            }
            A::PanelAccept => enter_cell(model, fx),
            _ => return false,
        }
        true
    }

    fn overview(&self, _model: &Model) -> Option<Overview> {
        Some(Overview::Confusion)
    }

    fn overviewed(&self, model: &mut Model, overviewed: Overviewed) -> Option<Overviewed> {
        let Overviewed::Confusion(confused) = overviewed else { return Some(overviewed) };
        let before = model.panels.confusion.as_ref().and_then(Matrix::pair);
        model.panels.confusion = Some(Matrix::new(confused, before));
        None
    }

    /// The most frequent pairs.
    fn plain_lines(&self, model: &Model) -> Vec<String> {
        let Some(matrix) = &model.panels.confusion else {
            return vec!["nothing has been counted yet".to_owned()];
        };
        let name = |class: u32| text::safe(model.class(Some(class)).unwrap_or("?")).into_owned();
        let told = matrix.pairs.iter().filter_map(|pair| matrix.cells.get(pair)).take(40);
        let lines: Vec<String> = told
            .map(|cell| {
                let (given, suggested) = (name(cell.given), name(cell.suggested));
                format!(
                    "given {given}, suggested {suggested}: {}, {} decided",
                    text::counted(cell.count, "suspect", "suspects"),
                    cell.decided
                )
            })
            .collect();
        if lines.is_empty() {
            vec!["no detector suggests another label for any suspect".to_owned()]
        } else {
            lines
        }
    }
}

/// Closes the page and lists the suspects of the cell under the cursor.
fn enter_cell(model: &mut Model, fx: &mut Effects) {
    let Some(matrix) = &model.panels.confusion else { return };
    let Some((given, suggested)) = matrix.pair() else { return };
    if !matrix.cells.contains_key(&(given, suggested)) {
        return say(model, Level::Warning, "no suspects with this pair of labels");
    }
    let name = |index: u32| model.class(Some(index)).unwrap_or_default().to_owned();
    let (given, suggested) = (name(given), name(suggested));
    let filter = format!("class:{} suggested:{}", quoted(&given), quoted(&suggested));
    let query = Query { all: false, filter, ..model.list.query.clone() };
    panels::list(model, query, fx);
    let back = model.keymap.key_for(Action::ClearFilter).map(shown).unwrap_or_default();
    say(model, Level::Info, format!("{given} that may be {suggested}   {back} clears the filter"));
}

fn cell(matrix: &Matrix, at: (usize, usize), area: Rect, paint: &mut Paint<'_>) {
    let pair = (matrix.classes[at.0], matrix.classes[at.1]);
    let count = matrix.cells.get(&pair).map_or(0, |cell| cell.count);
    let (role, glyph) = match matrix.heat(count) {
        0 => (Role::Dim, None),
        1 => (Role::HeatLow, Some(Role::HeatLow)),
        2 => (Role::HeatMiddle, Some(Role::HeatMiddle)),
        _ => (Role::HeatHigh, Some(Role::HeatHigh)),
    };
    if let Some(glyph) = glyph {
        let glyph = paint.theme.glyph(glyph).to_owned();
        paint.put(area.x, area.y, 1, role, &glyph);
    }
    let words = match (count, at.0 == at.1) {
        (0, true) => "–".to_owned(),
        (0, false) => "·".to_owned(),
        (count, _) => short(count),
    };
    paint.put_right(area.right(), area.y, area.width - 1, role, &words);
    if at == matrix.at {
        // Brackets as well as the cursor's look, so that it is found without color.
        let style = paint.style(Role::Selected);
        paint.buffer.set_style(area, style);
        paint.put(area.x, area.y, 1, Role::Selected, "[");
        paint.put(area.right(), area.y, 1, Role::Selected, "]");
    }
}

/// A count in four cells at most.
fn short(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => format!("{}k", count / 1_000),
        _ => format!("{}M", count / 1_000_000),
    }
}

fn foot(model: &Model, matrix: &Matrix, names: (&str, &str), area: Rect, paint: &mut Paint<'_>) {
    let y = area.bottom() - 1;
    let (given, suggested) = names;
    let cell = matrix.pair().and_then(|pair| matrix.cells.get(&pair));
    let line = Rect { y, height: 1, ..area };
    let Some(cell) = cell else {
        let words = if given == suggested { "same label" } else { "no suspects with this pair" };
        paint.pieces(
            line,
            &[
                (Role::Given, given),
                (Role::Dim, " → "),
                (Role::Suggested, suggested),
                (Role::Dim, "   "),
                (Role::Dim, words),
            ],
        );
        return;
    };
    let key = model.keymap.key_for(Action::PanelAccept).map(shown).unwrap_or_default();
    let words = format!(
        "   {}, {} decided   {key} lists {}",
        text::counted(cell.count, "suspect", "suspects"),
        text::count(cell.decided),
        if cell.count == 1 { "it" } else { "them" }
    );
    paint.pieces(
        line,
        &[(Role::Given, given), (Role::Dim, " → "), (Role::Suggested, suggested), (Role::Text, &words)],
    );
}
