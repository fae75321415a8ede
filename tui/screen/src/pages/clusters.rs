//! The clusters of a class: the medoids above, the members farthest from them below.

use crate::action::Action;
use crate::effect::Effects;
use crate::model::{Cells, Level, Medoids, Model, Page, Screen, Shot};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use crate::update::{mark, say, send, show};
use crate::view::cells::{gutter, info, shot};
use crate::view::picture;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Row, ViewCommand, ViewEvent};
use ratatui::layout::{Position, Rect};

/// Lines above the pictures.
const HEAD: u16 = 2;

/// The clusters.
pub(super) struct Clusters;

impl Page for Clusters {
    fn name(&self) -> &'static str {
        "clusters"
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Clusters]
    }

    fn needs_pictures(&self, _action: Action) -> bool {
        true
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        use Action as A;
        vec![
            A::Filter,
            A::NextClass,
            A::PreviousClass,
            A::GoToOther,
            A::Help,
            A::Back,
            A::Keep,
            A::Remove,
            A::Undo,
        ]
    }

    fn meaning(&self, _model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        Some(match action {
            Action::Filter => ("list cluster", "List only the members of the cluster under the cursor"),
            Action::NextClass => ("next class", "Show the clusters of the next class"),
            Action::PreviousClass => ("previous class", "Show the clusters of the previous class"),
            Action::GoToOther => ("show in list", "Go to the picture under the cursor in the list"),
            Action::Mark => ("mark", "Mark or unmark the picture under the cursor"),
            _ => return None,
        })
    }

    fn draw(&self, model: &Model, _area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let body = Screen::of(model.display.size).body;
        let medoids = &model.views.medoids;
        let line = Rect { x: body.x + 1, height: 1, width: body.width.saturating_sub(2), ..body };
        let name = model.class(medoids.class).unwrap_or("?").to_owned();
        let classes = model.session.as_ref().map_or(0, |session| session.classes.len());
        let of = format!(
            " · class {} of {classes} · its clusters by number and size",
            medoids.class.unwrap_or(0) + 1
        );
        paint.pieces(line, &[(Role::Title, &name), (Role::Dim, &of)]);
        let Some(cells) = cells(model) else {
            let here = medoids.known.is_some_and(|(class, _)| Some(class) == medoids.class);
            let words = if here { medoids.note.as_str() } else { "finding clusters…" };
            picture::note(body, Role::Dim, words, paint);
            return None;
        };
        paint.put(line.x, line.y + 1, line.width, Role::Dim, &medoids.note);
        for one in self.shots(model) {
            shot(model, &one, paint);
        }
        for cell in 0..cells.count() {
            let Some(row) = medoids.at(cell) else { continue };
            let here = cell == medoids.cursor;
            gutter(model, &cells, cell, row, (here, model.review.marks.contains(&row.sample)), paint);
            let area = cells.caption(cell);
            let count = medoids.clusters.len();
            let room = usize::from(area.width.saturating_sub(1));
            // Where the words do not fit, the numbers are left.
            let either =
                |whole: String, short: String| if text::width(&whole) > room { short } else { whole };
            let words = match medoids.clusters.get(cell) {
                Some(cluster) => {
                    let suspects = text::counted(cluster.suspects, "suspect", "suspects");
                    let size = text::counted(cluster.size, "picture", "pictures");
                    (
                        either(format!("{} · {size}", cell + 1), format!("{} · {}", cell + 1, cluster.size)),
                        either(format!("{suspects} · mean {:.2}", cluster.mean), suspects),
                    )
                }
                None => {
                    let name = row.path.rsplit('/').next().unwrap_or_default();
                    (format!("{} · farthest", cell - count + 1), text::fit_middle(name, room).into_owned())
                }
            };
            paint.put(area.x, area.y, room as u16, Role::Text, &words.0);
            if area.height > 1 {
                paint.put(area.x, area.y + 1, room as u16, Role::Dim, &words.1);
            }
            if here {
                paint.buffer.set_style(Rect { height: 1, ..area }, paint.style(Role::Cursor));
            }
        }
        info(model, paint);
        None
    }

    fn open(&self, model: &mut Model, _action: Action, _fx: &mut Effects) {
        if show::is_open(model, self) {
            return show::close(model);
        }
        let classes = model.session.as_ref().map_or(0, |session| session.classes.len());
        if classes == 0 {
            return say(model, Level::Warning, "the dataset has no classes");
        }
        let class = model.row().and_then(|row| row.label).unwrap_or(0);
        show::show(model, &Clusters);
        model.views.medoids.class = Some(class);
        model.views.medoids.cursor = 0;
    }

    fn act(&self, model: &mut Model, action: Action, _fx: &mut Effects) -> bool {
        use Action as A;
        let (cursor, count) = (model.views.medoids.cursor, model.views.medoids.clusters.len().max(1));
        match action {
            A::Left => go(model, cursor.saturating_sub(1)),
            A::Right => go(model, cursor + 1),
            A::Up => go(model, cursor % count),
            A::Down => go(model, cursor % count + count),
            A::Top => go(model, 0),
            A::Bottom => go(model, usize::MAX),
            A::PageDown | A::HalfPageDown | A::PageUp | A::HalfPageUp => {}
            A::NextClass | A::PreviousClass => {
                let classes = model.session.as_ref().map_or(1, |session| session.classes.len().max(1)) as u32;
                let class = model.views.medoids.class.unwrap_or(0);
                let step = if action == A::NextClass { 1 } else { classes - 1 };
                model.views.medoids.class = Some((class + step) % classes);
                model.views.medoids.cursor = 0;
            }
            A::Filter => filter(model, cursor % count),
            A::Mark => mark::toggle(model),
            A::Visual | A::MarkAll => say(model, Level::Info, "filter by the cluster, then mark in the list"),
            _ => return false,
        }
        true
    }

    fn click(&self, model: &mut Model, x: u16, y: u16) {
        if let Some(cell) = cells(model).and_then(|cells| cells.at(x, y)) {
            go(model, cell);
        }
    }

    fn request(&self, model: &mut Model, fx: &mut Effects) {
        if let Some(class) = model.views.medoids.class {
            ask_for(model, class, None, fx);
        }
    }

    fn event(&self, model: &mut Model, event: ViewEvent, _fx: &mut Effects) -> Option<ViewEvent> {
        let ViewEvent::Clusters { ticket, class, clusters, note } = event else { return Some(event) };
        let medoids = &mut model.views.medoids;
        if let Some((asked, _, beside, at)) = &mut medoids.asked
            && *asked == ticket
        {
            *at = None;
            medoids.known = Some((class, *beside));
            medoids.cursor = medoids.cursor.min((clusters.len() * 2).saturating_sub(1));
            medoids.clusters = clusters;
            medoids.note = note;
        }
        None
    }

    fn invalidate(&self, model: &mut Model) {
        model.views.medoids.asked = None;
    }

    fn forget_samples(&self, model: &mut Model) {
        model.views.medoids = Medoids::default();
    }

    fn expire(&self, model: &mut Model, limit: u64) {
        if self.oldest_request(model).is_some_and(|at| at <= limit) {
            model.views.medoids.asked = None;
        }
    }

    fn oldest_request(&self, model: &Model) -> Option<u64> {
        model.views.medoids.asked.and_then(|(.., at)| at)
    }

    fn each_row_mut(&self, model: &mut Model, change: &mut dyn FnMut(&mut Row)) {
        for cluster in &mut model.views.medoids.clusters {
            change(&mut cluster.medoid);
            change(&mut cluster.outermost);
        }
    }

    fn row<'a>(&self, model: &'a Model) -> Option<&'a Row> {
        model.views.medoids.row()
    }

    fn busy(&self, model: &Model) -> bool {
        model.views.medoids.known.is_none_or(|(class, _)| Some(class) != model.views.medoids.class)
    }

    fn shows(&self, model: &Model, sample: SampleId) -> bool {
        let clusters = &model.views.medoids.clusters;
        clusters
            .iter()
            .any(|cluster| [&cluster.medoid, &cluster.outermost].iter().any(|row| row.sample == sample))
    }

    fn shots(&self, model: &Model) -> Vec<Shot> {
        let Some(cells) = cells(model) else { return Vec::new() };
        let row = |cell: usize| Some((cell, model.views.medoids.at(cell)?.sample));
        let all = (0..cells.count()).filter_map(row);
        all.map(|(cell, sample)| Shot::in_cell(cell, sample, cells.picture(cell))).collect()
    }
}

/// The cells: a column for each cluster.
fn cells(model: &Model) -> Option<Cells> {
    let count = known(model)?;
    let body = Screen::of(model.display.size).body;
    let area = Rect { y: body.y + HEAD, height: body.height.checked_sub(HEAD)?, ..body };
    Some(Cells::exactly(area, count as u16, 2, if model.views.look.bare { 1 } else { 2 }))
}

/// Clusters of the class that is wanted, once they are there.
fn known(model: &Model) -> Option<usize> {
    let medoids = &model.views.medoids;
    let here = medoids.known.is_some_and(|(class, _)| Some(class) == medoids.class);
    Some(medoids.clusters.len()).filter(|count| here && *count > 0)
}

/// Asks for the clusters of a class, and how alike a sample is to each of their medoids.
pub(super) fn ask_for(model: &mut Model, class: u32, beside: Option<SampleId>, fx: &mut Effects) {
    let medoids = &model.views.medoids;
    let asked = medoids.asked.filter(|(_, c, b, _)| (*c, *b) == (class, beside));
    let fresh = medoids.known == Some((class, beside)) && !model.views.stale;
    // One request at a time, so that a fast-moving cursor does not queue them.
    let waits = medoids.asked.is_some_and(|(.., at)| at.is_some());
    if waits || fresh && asked.is_some() {
        return;
    }
    model.views.stale = false;
    let ticket = show::ticket(model);
    model.views.medoids.asked = Some((ticket, class, beside, Some(model.time.now)));
    send(fx, Command::View(ViewCommand::Clusters { ticket, class, beside }));
}

/// Goes to a cell.
fn go(model: &mut Model, cell: usize) {
    let medoids = &mut model.views.medoids;
    medoids.cursor = cell.min((medoids.clusters.len() * 2).saturating_sub(1));
}

/// Offers the members of a cluster as a filter.
fn filter(model: &mut Model, cluster: usize) {
    let name = model.class(model.views.medoids.class).unwrap_or("").to_owned();
    let name = name.replace('\\', "\\\\").replace('"', "\\\"");
    show::filter_by(model, "cluster:", &format!("cluster:\"{name}/{}\"", cluster + 1));
}
