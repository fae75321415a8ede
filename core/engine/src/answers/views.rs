//! Serves views of many samples at once on a separate thread: groups, clusters and the map.

use super::groups::Groups;
use super::list_result::ListResult;
use super::rows as answers;
use super::search;
use super::worker_queue::WorkerQueue;
use crate::outlet::Outlet;
use crate::state::State;
use chaffinch_compute::neighbors;
use chaffinch_data::journal::Decisions;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Area, Axes, ClusterView, Event, MapPoint, MapView, Ticket, ViewCommand, ViewEvent};
use chaffinch_review::atlas::{Atlas, Neighborhoods};
use crossbeam_channel::Receiver;
use std::fmt::Write;
use std::sync::Arc;

/// A request with everything needed to answer it.
pub(crate) struct ViewQuestion {
    pub(crate) command: ViewCommand,
    pub(crate) state: Arc<State>,
    pub(crate) decisions: Decisions,
    /// The list named in the request, if it is the current one.
    pub(crate) list: Option<Arc<ListResult>>,
}

/// The queue for views.
pub(crate) fn desk(events: &Outlet) -> WorkerQueue<ViewQuestion> {
    let events = events.clone();
    WorkerQueue::start(move |inbox| serve(inbox, &events))
}

fn serve(inbox: &Receiver<ViewQuestion>, events: &Outlet) {
    let mut groups: Option<Groups> = None;
    while let Ok(question) = inbox.recv() {
        let waiting: Vec<ViewQuestion> = std::iter::once(question).chain(inbox.try_iter()).collect();
        for index in 0..waiting.len() {
            // If several maps or searches are requested, only the newest is worth computing.
            let kind = |question: &ViewQuestion| std::mem::discriminant(&question.command);
            let newer = || waiting[index + 1..].iter().any(|later| kind(later) == kind(&waiting[index]));
            if is_replaced(&waiting[index].command) && newer() {
                continue;
            }
            if let Some(answer) = answer(&waiting[index], &mut groups)
                && events.send(Event::View(Box::new(answer))).is_err()
            {
                return;
            }
        }
    }
}

/// Whether a newer request of its kind takes its place.
fn is_replaced(command: &ViewCommand) -> bool {
    matches!(command, ViewCommand::Map { .. } | ViewCommand::Search { .. })
}

fn answer(question: &ViewQuestion, groups: &mut Option<Groups>) -> Option<ViewEvent> {
    let ViewQuestion { command, state, decisions, list } = question;
    let known = |ticket: &Ticket| groups.as_ref().filter(|groups| groups.ticket == *ticket);
    match command {
        ViewCommand::Groups { ticket, leaks, sample } => {
            let made = Groups::new(*ticket, state.clone(), *leaks);
            let summary = made.summary(*sample, decisions);
            *groups = Some(made);
            Some(summary)
        }
        ViewCommand::Group { ticket, place, start, len } => {
            let view = known(ticket)?.group(*place, *start, *len, decisions)?;
            Some(ViewEvent::Group(Box::new(view)))
        }
        ViewCommand::GroupBest { ticket, place } => known(ticket)?.best(*place, decisions),
        ViewCommand::FindGroup { ticket, from, forward } => {
            Some(known(ticket)?.find(*from, *forward, decisions))
        }
        ViewCommand::Clusters { ticket, class, beside } => {
            Some(clusters(state, decisions, *ticket, *class, *beside))
        }
        ViewCommand::Search { ticket, text, from, forward, .. } => {
            let found = match list {
                Some(list) => search::search(state, list, text, *from, *forward),
                None => search::Found::default(),
            };
            let search::Found { row, place, total } = found;
            Some(ViewEvent::Hits { ticket: *ticket, row, place, total })
        }
        ViewCommand::Map { ticket, axes, area, width, height, of, .. } => {
            let mut view = MapView::empty(*ticket, *area, (*width, *height));
            map(state, list.as_deref(), *axes, *of, &mut view);
            Some(ViewEvent::Map(Box::new(view)))
        }
        ViewCommand::Inside { ticket, axes, area, most, .. } => {
            let (total, samples) = inside(state, list.as_deref(), *axes, *area, *most as usize);
            Some(ViewEvent::Inside { ticket: *ticket, total, samples })
        }
        // Handled elsewhere.
        ViewCommand::KeepOnly { .. } | ViewCommand::Part { .. } => None,
    }
}

const NO_EMBEDDINGS: &str = "there are no embeddings yet: run a scan first";

fn clusters(
    state: &State,
    decisions: &Decisions,
    ticket: Ticket,
    class: u32,
    beside: Option<SampleId>,
) -> ViewEvent {
    let Some(atlas) = &state.findings.atlas else {
        return ViewEvent::Clusters { ticket, class, clusters: Vec::new(), note: NO_EMBEDDINGS.into() };
    };
    let matrix = atlas.matrix();
    let made = atlas.clusters(class);
    let medoids: Vec<u32> = made.all.iter().map(|cluster| cluster.medoid).collect();
    let beside = beside.filter(|id| id.index() < matrix.rows());
    let alike = beside.map(|id| neighbors::block(matrix, &[id.0], &medoids));
    let order = &state.ranking.flags;
    let suspect = |row: &&u32| order.get(**row as usize).is_some_and(|flags| *flags > 0);
    let views = made.all.iter().enumerate().map(|(index, cluster)| ClusterView {
        medoid: answers::row(state, decisions, SampleId(cluster.medoid)),
        outermost: answers::row(state, decisions, SampleId(cluster.outermost)),
        size: cluster.members.len() as u64,
        suspects: cluster.members.iter().filter(suspect).count() as u64,
        mean: cluster.mean,
        similarity: alike.as_ref().and_then(|alike| alike.get(index).copied()),
    });
    let clusters: Vec<ClusterView> = views.collect();
    let note = match clusters.len() {
        0 => "no sample of this class has an embedding".to_owned(),
        _ => "spherical k-means; each cluster is shown by the picture nearest its center".to_owned(),
    };
    ViewEvent::Clusters { ticket, class, clusters, note }
}

/// The points of a map; sets its note.
fn points<'a>(atlas: &'a Atlas, axes: Axes, view: &mut MapView) -> &'a [[f32; 2]] {
    let projection = atlas.projection();
    let held = projection.explained() * 100.0;
    view.note = format!("principal components: two axes with {held:.0} % of the variance");
    match atlas.neighborhoods(axes) {
        None => {}
        Some(Neighborhoods::Made(points)) => {
            let placed = points.iter().filter(|[x, _]| !x.is_nan()).count();
            view.note = match axes {
                Axes::Umap => "neighborhoods (UMAP): nearby samples are similar, distances between groups mean little more",
                _ => "neighborhoods (t-SNE): nearby samples are similar, distances between groups mean little",
            }
            .into();
            if placed < projection.points().iter().filter(|[x, _]| !x.is_nan()).count() {
                let _ = write!(view.note, "; a subsample of {placed} samples");
            }
            view.axes = axes;
            return points;
        }
        Some(Neighborhoods::Making(share)) => view.making = Some(share),
        Some(Neighborhoods::None(why)) => view.note = format!("{why}; {}", view.note),
    }
    projection.points()
}

fn map(state: &State, list: Option<&ListResult>, axes: Axes, of: Option<SampleId>, view: &mut MapView) {
    let Some(atlas) = &state.findings.atlas else {
        view.note = NO_EMBEDDINGS.into();
        return;
    };
    let points = points(atlas, axes, view);
    view.of = of.and_then(|of| points.get(of.index())).map(|[x, y]| (*x, *y)).filter(|(x, _)| x.is_finite());
    let (area, width, height) = (view.area, view.width, view.height);
    let scale = |share: f32, low: f32, high: f32, cells: u16| {
        let share = if high > low { (share - low) / (high - low) } else { 0.5 };
        ((share * f32::from(cells)) as u16).min(cells - 1)
    };
    let dot = |row: u32| -> Option<usize> {
        let [x, y] = *points.get(row as usize)?;
        area.contains(x, y).then(|| {
            let x = scale(x, area.left, area.right, width);
            let y = scale(y, area.top, area.bottom, height);
            usize::from(y) * usize::from(width) + usize::from(x)
        })
    };
    const NO_SAMPLE: u32 = u32::MAX;
    // All, listed, first.
    let mut grid = vec![(0_u32, 0_u32, NO_SAMPLE); usize::from(width) * usize::from(height)];
    for &row in list.map_or(&[][..], |list| &list.rows) {
        if let Some(at) = dot(row) {
            grid[at].1 += 1;
            if grid[at].2 == NO_SAMPLE {
                grid[at].2 = row;
            }
        }
    }
    for row in 0..points.len() as u32 {
        if let Some(at) = dot(row) {
            view.inside += 1;
            grid[at].0 += 1;
            if grid[at].2 == NO_SAMPLE {
                grid[at].2 = row;
            }
        }
    }
    // Where several samples share a point, the one that was asked about stands for them.
    if let Some(of) = of
        && let Some(at) = dot(of.0)
    {
        grid[at].2 = of.0;
    }
    let manifest = &state.findings.manifest;
    let made = grid.iter().enumerate().filter(|(_, cell)| cell.0 > 0).map(|(at, &(all, listed, first))| {
        let sample = SampleId(first);
        let (x, y) = ((at % usize::from(width)) as u16, (at / usize::from(width)) as u16);
        MapPoint { x, y, all, listed, sample, label: manifest.label(sample).map(|label| label.0) }
    });
    view.points = made.collect();
}

fn inside(
    state: &State,
    list: Option<&ListResult>,
    axes: Axes,
    area: Area,
    most: usize,
) -> (u64, Vec<SampleId>) {
    let (Some(atlas), Some(list)) = (&state.findings.atlas, list) else { return (0, Vec::new()) };
    let Some(points) = atlas.points(axes) else { return (0, Vec::new()) };
    let lies = |row: &&u32| points.get(**row as usize).is_some_and(|[x, y]| area.contains(*x, *y));
    let mut samples = Vec::new();
    let mut total = 0;
    for row in list.rows.iter().filter(lies) {
        total += 1;
        if samples.len() < most {
            samples.push(SampleId(*row));
        }
    }
    (total, samples)
}
