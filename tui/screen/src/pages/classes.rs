//! The classes: how large each is, and how much is known to be wrong with it.

use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::key::shown;
use crate::model::{Level, Model, Page, quoted};
use crate::paint::Paint;
use crate::text::{self, count, counted};
use crate::theme::Role;
use crate::update::{panels, say};
use crate::view::blocks::{inner, percent, waiting};
use chaffinch_protocol::{ClassReview, Overview, Overviewed, Query};
use ratatui::layout::{Position, Rect};
use std::cmp::Reverse;

/// Cells of the numbers: size, suspects, decided, error rate.
const NUMBERS: [usize; 4] = [9, 10, 9, 12];

/// The order of the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Order {
    /// Most suspects first.
    #[default]
    Suspects,
    Size,
    ErrorRate,
    Name,
}

/// What is known, and where the cursor is.
#[derive(Clone, Debug, Default)]
struct Table {
    known: Option<Vec<ClassReview>>,
    order: Order,
    at: usize,
}

/// The classes.
pub(super) struct Classes;

impl Page for Classes {
    fn name(&self) -> &'static str {
        "classes"
    }

    fn scope(&self) -> Scope {
        Scope::Panel
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Classes]
    }

    fn hints(&self, model: &Model) -> Vec<Action> {
        use Action as A;
        let table = model.views.kept.get::<Table>();
        match table.and_then(|table| table.known.as_ref()).is_none_or(Vec::is_empty) {
            true => vec![A::PanelClose],
            false => vec![A::PanelClose, A::PanelAccept, A::PanelDown, A::PanelUp, A::PanelNext],
        }
    }

    fn meaning(&self, _model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        Some(match action {
            Action::PanelAccept => ("suspects", "List the suspects of the class"),
            Action::PanelNext => ("order", "Sort by suspects, size, error rate or name"),
            Action::PanelPrevious => ("order", "Sort by name, error rate, size or suspects"),
            _ => return None,
        })
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let area = inner(area);
        let Some(rows) = rows(model) else {
            waiting(area, "counting the classes…", paint);
            return None;
        };
        let table = model.views.kept.get::<Table>().cloned().unwrap_or_default();
        let key = model.keymap.key_for(Action::PanelNext).map(shown).unwrap_or_default();
        let title = heading(&rows, table.order, &key);
        paint.put(area.x, area.y, area.width, Role::Title, &title);
        let name = name_room(area.width);
        paint.put(area.x, area.y + 1, area.width, Role::Dim, &line("class", HEADS.map(str::to_owned), name));
        let body = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
        let page = usize::from(body.height).max(1);
        let first = table.at / page * page;
        for (place, y) in (first..rows.len()).zip(body.top()..body.bottom()) {
            let words = line(&class_name(model, &rows[place]), numbers(&rows[place]), name);
            let here = place == table.at;
            paint.put(body.x, y, body.width, if here { Role::Given } else { Role::Text }, &words);
            if here {
                let style = paint.style(Role::Selected);
                paint.buffer.set_style(Rect { y, height: 1, ..body }, style);
            }
        }
        None
    }

    fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
        panels::open(model, &Classes, fx);
    }

    fn act(&self, model: &mut Model, action: Action, fx: &mut Effects) -> bool {
        use Action as A;
        let last = rows(model).map_or(0, |rows| rows.len().saturating_sub(1));
        let page = page(model);
        let at = model.views.kept.get::<Table>().map_or(0, |table| table.at);
        let to = match action {
            A::PanelNext | A::PanelPrevious => {
                turn(model, action == A::PanelNext);
                0
            }
            A::PanelAccept => {
                list(model, at, fx);
                return true;
            }
            _ => match panels::moved(action, at, page, last) {
                Some(to) => to,
                None => return false,
            },
        };
        model.views.kept.change(|table: &mut Table| table.at = to);
        true
    }

    fn click(&self, model: &mut Model, _x: u16, y: u16) {
        let page = page(model);
        let last = rows(model).map_or(0, |rows| rows.len().saturating_sub(1));
        if let Some(line) = y.checked_sub(3) {
            model.views.kept.change(|table: &mut Table| {
                table.at = panels::shown_at(line, table.at, page, last);
            });
        }
    }

    fn overview(&self, _model: &Model) -> Option<Overview> {
        Some(Overview::Classes)
    }

    fn overviewed(&self, model: &mut Model, overviewed: Overviewed) -> Option<Overviewed> {
        let Overviewed::Classes(classes) = overviewed else { return Some(overviewed) };
        model.views.kept.change(|table: &mut Table| {
            table.at = table.at.min(classes.len().saturating_sub(1));
            table.known = Some(classes);
        });
        None
    }

    fn plain_lines(&self, model: &Model) -> Vec<String> {
        let lines = rows(model).unwrap_or_default().into_iter().map(|row| {
            let [size, suspects, decided, rate] = numbers(&row);
            format!(
                "{}: {size} samples, {suspects} suspects, {decided} decided, {rate} of them faulty",
                class_name(model, &row)
            )
        });
        lines.collect()
    }
}

/// Lines of the table that fit.
fn page(model: &Model) -> usize {
    usize::from(model.display.size.height.saturating_sub(5)).max(1)
}

const HEADS: [&str; 4] = ["samples", "suspects", "decided", "error rate"];

/// The classes in the chosen order.
fn rows(model: &Model) -> Option<Vec<ClassReview>> {
    let table = model.views.kept.get::<Table>()?;
    let mut rows = table.known.clone()?;
    let rate = |row: &ClassReview| row.faulty * 1_000_000 / (row.faulty + row.fine).max(1);
    match table.order {
        Order::Suspects => rows.sort_by_key(|row| Reverse(row.suspects)),
        Order::Size => rows.sort_by_key(|row| Reverse(row.size)),
        Order::ErrorRate => rows.sort_by_key(|row| Reverse(rate(row))),
        Order::Name => {}
    }
    Some(rows)
}

fn heading(rows: &[ClassReview], order: Order, key: &str) -> String {
    let classes = rows.iter().filter(|row| row.class.is_some()).count() as u64;
    let order = match order {
        Order::Suspects => "most suspects first",
        Order::Size => "largest first",
        Order::ErrorRate => "highest error rate first",
        Order::Name => "by name",
    };
    let change = if key.is_empty() { String::new() } else { format!("   {key}: order") };
    format!("{}, {order}{change}   error rate of the decided", counted(classes, "class", "classes"))
}

fn name_room(width: u16) -> usize {
    usize::from(width).saturating_sub(NUMBERS.iter().sum::<usize>()).clamp(8, 40)
}

fn class_name(model: &Model, row: &ClassReview) -> String {
    text::safe(model.class(row.class).unwrap_or("no label")).into_owned()
}

fn numbers(row: &ClassReview) -> [String; 4] {
    let rate = percent(row.faulty, row.faulty + row.fine);
    [count(row.size), count(row.suspects), count(row.decided), rate]
}

fn line(name: &str, numbers: [String; 4], room: usize) -> String {
    let name = text::fit(name, room).into_owned();
    let mut line = format!("{name}{}", " ".repeat(room - text::width(&name).min(room)));
    for (number, cells) in numbers.iter().zip(NUMBERS) {
        line.push_str(&format!("{number:>cells$}"));
    }
    line
}

fn turn(model: &mut Model, forward: bool) {
    const ALL: [Order; 4] = [Order::Suspects, Order::Size, Order::ErrorRate, Order::Name];
    model.views.kept.change(|table: &mut Table| {
        let at = ALL.iter().position(|order| *order == table.order).unwrap_or(0);
        table.order = ALL[(at + if forward { 1 } else { ALL.len() - 1 }) % ALL.len()];
    });
}

/// Lists the suspects of a class.
fn list(model: &mut Model, at: usize, fx: &mut Effects) {
    let Some(class) = rows(model).and_then(|rows| rows.get(at).copied()).and_then(|row| row.class) else {
        return say(model, Level::Warning, "a filter cannot name samples without a label");
    };
    let name = model.class(Some(class)).unwrap_or_default().to_owned();
    let query = Query { all: false, filter: format!("class:{}", quoted(&name)), ..Query::default() };
    panels::list(model, query, fx);
    let back = model.keymap.key_for(Action::ClearFilter).map(shown).unwrap_or_default();
    say(model, Level::Info, format!("suspects labeled {name}   {back} clears the filter"));
}
