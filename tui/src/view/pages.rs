//! The views that fill the screen instead of the list: what each draws, and which pictures it needs where.

mod clusters;
mod compare;
mod grid;
mod group;
mod map;
mod short;

pub(crate) use map::map_area;

use super::paint::Paint;
use super::{picture, sample};
use crate::action::Action;
use crate::model::{Cells, Layout, Mode, Model, Page, Screen, Shot, Shown};
use crate::terminal::placements::Wanted;
use crate::theme::Role;
use ratatui::layout::{Position, Rect};

/// Draws the view that is shown.
pub(super) fn draw(model: &Model, paint: &mut Paint<'_>) {
    match model.views.page {
        Page::List => {}
        Page::Grid => grid::draw(model, paint),
        Page::Compare => compare::draw(model, paint),
        Page::Group => group::draw(model, paint),
        Page::Clusters => clusters::draw(model, paint),
        Page::Map => map::draw(model, paint),
    }
}

/// The pictures of the view, on the screen or about to be.
pub(crate) fn places(model: &Model) -> Vec<Shot> {
    match model.views.page {
        Page::List => Vec::new(),
        Page::Grid => grid::shots(model),
        Page::Compare => compare::shots(model),
        Page::Group => group::shots(model),
        Page::Clusters => clusters::shots(model),
        Page::Map => map::shots(model),
    }
}

/// The cells of the view, where it has some.
pub(crate) fn grid_cells(model: &Model) -> Option<Cells> {
    match model.views.page {
        Page::Grid => model.views.grid(model),
        Page::Group => group::cells(model),
        Page::Clusters => clusters::cells(model),
        Page::List | Page::Compare | Page::Map => None,
    }
}

/// Pictures that the terminal itself is to show.
pub(super) fn wanted(model: &Model) -> Vec<Wanted> {
    let shots = match model.views.page {
        Page::Compare => compare::visible(model),
        _ => places(model),
    };
    let ready = |shot: Shot| match model.pictures.get(shot.key) {
        Some(Shown::Ready(encoded)) if !encoded.graphics.is_empty() => Some(Wanted {
            slot: shot.slot,
            area: picture::middle(encoded, shot.area),
            graphics: encoded.graphics.clone(),
        }),
        _ => None,
    };
    shots.into_iter().filter_map(ready).collect()
}

/// Draws one picture, or why there is none.
fn shot(model: &Model, shot: &Shot, paint: &mut Paint<'_>) {
    if !model.pictures_on {
        return picture::note(shot.area, Role::Dim, "pictures are off", paint);
    }
    // While the cursor travels a picture would only be in the way of the next key.
    if model.now < model.hold_until {
        return;
    }
    match model.pictures.get(shot.key) {
        Some(Shown::Ready(encoded)) => picture::blit(model, encoded, shot.area, paint),
        Some(Shown::Failed(why)) => picture::note(shot.area, Role::Error, why, paint),
        None => {}
    }
}

/// What is said about the sample under the cursor: at the side as beside the list, else in two lines.
fn info(model: &Model, paint: &mut Paint<'_>) {
    let area = Screen::of(model.size).info;
    if area.height > 2 {
        let glyph = paint.theme.glyph(Role::Border).to_owned();
        for y in area.top()..area.bottom() {
            paint.put(area.x - 1, y, 1, Role::Border, &glyph);
        }
        sample::info(model, &Layout { info: area, ..Layout::default() }, paint);
    } else if area.height == 2 {
        short::lines(model, area, paint);
    }
}

/// Where the hidden cursor waits.
pub(super) fn park(model: &Model) -> Option<Position> {
    let place = match model.views.page {
        Page::List => return None,
        Page::Grid => {
            let cells = model.views.grid(model)?;
            cells.caption((model.list.cursor.saturating_sub(model.list.top)) as usize)
        }
        Page::Map => {
            let (map, (x, y)) = (map_area(model.size), model.views.map.cursor);
            Rect { x: map.x + x, y: map.y + y, ..map }
        }
        Page::Compare | Page::Group | Page::Clusters => Screen::whole(model.size),
    };
    Some(Position { x: place.x, y: place.y })
}

/// Keys that work in the view.
pub(super) fn hints(model: &Model) -> Option<Vec<Action>> {
    use Action as A;
    if model.mode != Mode::List || !model.marks.is_empty() || model.visual.is_some() {
        return None;
    }
    Some(match model.views.page {
        Page::List => return None,
        Page::Grid => vec![
            A::Keep,
            A::Remove,
            A::Relabel,
            A::Unsure,
            A::Help,
            A::Grid,
            A::Larger,
            A::Smaller,
            A::Mark,
            A::Compare,
            A::Group,
            A::Undo,
        ],
        Page::Compare => vec![
            A::Keep,
            A::Remove,
            A::Right,
            A::Blink,
            A::Zoom,
            A::Help,
            A::Larger,
            A::Overlay,
            A::GoToOther,
            A::Relabel,
            A::Compare,
            A::Undo,
        ],
        Page::Group => vec![
            A::KeepBest,
            A::KeepGroup,
            A::RemoveGroup,
            A::Help,
            A::NextUndecided,
            A::NextClass,
            A::Remove,
            A::Mark,
            A::ToggleAll,
            A::Undo,
            A::Group,
        ],
        Page::Clusters => {
            vec![A::Filter, A::NextClass, A::PreviousClass, A::Help, A::Keep, A::Remove, A::Clusters, A::Undo]
        }
        Page::Map => {
            vec![
                A::Visual,
                A::Filter,
                A::Larger,
                A::Smaller,
                A::Neighborhoods,
                A::Help,
                A::Mark,
                A::GoToOther,
                A::Map,
                A::Undo,
            ]
        }
    })
}
