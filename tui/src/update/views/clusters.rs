//! The clusters of a class.

use super::{close, filter_by, show, ticket};
use crate::action::Action;
use crate::model::{Level, Model, Page};
use crate::update::{Effects, say, send};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{ClusterView, Command, Ticket, ViewCommand};

pub(super) fn toggle(model: &mut Model) {
    if model.views.page == Page::Clusters {
        return close(model);
    }
    let classes = model.session.as_ref().map_or(0, |session| session.classes.len());
    if classes == 0 {
        return say(model, Level::Warning, "the dataset has no classes");
    }
    let class = model.row().and_then(|row| row.label).unwrap_or(0);
    show(model, Page::Clusters);
    model.views.medoids.class = Some(class);
    model.views.medoids.cursor = 0;
}

/// Asks for the clusters of the class that is wanted.
pub(super) fn ask(model: &mut Model, fx: &mut Effects) {
    if let Some(class) = model.views.medoids.class {
        ask_for(model, class, None, fx);
    }
}

/// Asks for the medoids that the sample under the cursor can be compared with.
pub(super) fn ask_beside(model: &mut Model, fx: &mut Effects) {
    if let Some((sample, Some(class))) = model.row().map(|row| (row.sample, row.label)) {
        ask_for(model, class, Some(sample), fx);
    }
}

fn ask_for(model: &mut Model, class: u32, beside: Option<SampleId>, fx: &mut Effects) {
    let medoids = &model.views.medoids;
    let asked = medoids.asked.filter(|(_, c, b, _)| (*c, *b) == (class, beside));
    let fresh = medoids.known == Some((class, beside)) && !model.views.stale;
    // One question at a time, so that a travelling cursor does not queue them.
    let waits = medoids.asked.is_some_and(|(.., at)| at.is_some());
    if waits || fresh && asked.is_some() {
        return;
    }
    model.views.stale = false;
    let ticket = ticket(model);
    model.views.medoids.asked = Some((ticket, class, beside, Some(model.now)));
    send(fx, Command::View(ViewCommand::Clusters { ticket, class, beside }));
}

pub(super) fn got(model: &mut Model, ticket: Ticket, class: u32, clusters: Vec<ClusterView>, note: String) {
    let medoids = &mut model.views.medoids;
    let Some((asked, _, beside, at)) = &mut medoids.asked else { return };
    if *asked != ticket {
        return;
    }
    *at = None;
    medoids.known = Some((class, *beside));
    medoids.cursor = medoids.cursor.min((clusters.len() * 2).saturating_sub(1));
    medoids.clusters = clusters;
    medoids.note = note;
}

/// Goes to a cell.
pub(super) fn go(model: &mut Model, cell: usize) {
    let medoids = &mut model.views.medoids;
    medoids.cursor = cell.min((medoids.clusters.len() * 2).saturating_sub(1));
}

pub(super) fn act(model: &mut Model, action: Action, _fx: &mut Effects) -> bool {
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
        A::Mark => {
            if let Some(sample) = model.sample()
                && !model.marks.remove(&sample)
            {
                model.marks.insert(sample);
            }
        }
        A::Visual | A::MarkAll => say(model, Level::Info, "filter by the cluster, then mark in the list"),
        _ => return false,
    }
    true
}

/// Offers the members of a cluster as a filter.
fn filter(model: &mut Model, cluster: usize) {
    let name = model.class(model.views.medoids.class).unwrap_or("").to_owned();
    let name = name.replace('\\', "\\\\").replace('"', "\\\"");
    filter_by(model, "cluster:", &format!("cluster:\"{name}/{}\"", cluster + 1));
}
