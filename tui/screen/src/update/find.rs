//! Choosing what is listed and in which order, and finding a row.

use super::motion::{self, relist};
use super::{Effects, detector, open, say, search, show, targets};
use crate::action::Action;
use crate::action::kind::Find;
use crate::key::shown;
use crate::model::{Anchor, Level, Model, like};
use crate::text::counted;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Query, Sort};

/// Handles an action on the list as a whole.
pub(super) fn act(model: &mut Model, action: Find, fx: &mut Effects) {
    match action {
        Find::Search => open::search(model),
        Find::NextHit | Find::PreviousHit if model.list.search.is_empty() => {
            let key = model.keymap.key_for(Action::Search).map(shown).unwrap_or_default();
            say(model, Level::Warning, format!("nothing was searched for yet: {key} searches"));
        }
        Find::NextHit | Find::PreviousHit => search::next(model, action == Find::NextHit, fx),
        Find::Filter => open::filter(model),
        Find::ClearFilter if model.list.query.filter.is_empty() => {
            say(model, Level::Info, "there is no filter to clear");
        }
        Find::ClearFilter => motion::filter(model, "", fx),
        Find::Meaning => open::meaning(model),
        Find::LikeThis => match model.row().map(|row| row.path.clone()) {
            Some(path) => {
                motion::by_meaning(model, like(&path), fx);
                show::the_list(model);
                say(model, Level::Info, format!("by likeness to {path}"));
            }
            None => say(model, Level::Warning, "no sample is loaded yet"),
        },
        Find::LikeMarked => like_marked(model, fx),
        Find::ToggleAll => {
            let query = Query { all: !model.list.query.all, ..model.list.query.clone() };
            let text = if query.all { "all samples" } else { "suspects only" };
            relist(model, query, Anchor::Stay, fx);
            show::the_list(model);
            say(model, Level::Info, text);
        }
        Find::SortRank => sort(model, Sort::Rank, fx),
        Find::SortClass => sort(model, Sort::Class, fx),
        Find::SortPath => sort(model, Sort::Path, fx),
        Find::SortGroup => sort(model, Sort::Group, fx),
        Find::SortAttribute => match next_attribute(model) {
            Some(name) => sort(model, Sort::Attribute(name), fx),
            None => say(model, Level::Info, "no detector gives attributes to samples"),
        },
        Find::SortRandom => sort(model, Sort::Random, fx),
        Find::SortUncertain => sort(model, Sort::Uncertain, fx),
        Find::SortDiverse => sort(model, Sort::Diverse, fx),
        Find::SortClusters => sort(model, Sort::Clusters, fx),
        Find::SortLearned => {
            let next = model.list.learning.next(&model.list.query.sort);
            sort(model, next, fx);
        }
        Find::SortDetector => {
            if let Some(name) = detector::chosen(model) {
                sort(model, Sort::Detector(name), fx);
            }
        }
        Find::SortReverse => {
            let query = Query { descending: !model.list.query.descending, ..model.list.query.clone() };
            relist(model, query, Anchor::Stay, fx);
            show::the_list(model);
        }
    }
}

/// Changes the order of the list and shows it.
fn sort(model: &mut Model, sort: Sort, fx: &mut Effects) {
    motion::sort(model, sort, fx);
    show::the_list(model);
}

/// The most marks that one order can be about.
const MARKS: usize = 256;

fn like_marked(model: &mut Model, fx: &mut Effects) {
    let marked: Vec<SampleId> = model.review.marks.iter().copied().collect();
    match marked.len() {
        0 => return say(model, Level::Warning, "no sample is marked"),
        count if count > MARKS => {
            return say(model, Level::Warning, format!("{count} samples are marked; mark up to {MARKS}"));
        }
        _ => {}
    }
    let Some(rows) = targets::rows_of(model, Action::LikeMarked, marked, fx) else { return };
    let parts: Vec<String> = rows.iter().map(|listed| like(&listed.row.path)).collect();
    motion::by_meaning(model, parts.join(" + "), fx);
    show::the_list(model);
    let marked = counted(rows.len() as u64, "marked sample", "marked samples");
    say(model, Level::Info, format!("by likeness to {marked}"));
}

/// The attribute to sort by: the one after that of the current order, as it is to be named.
fn next_attribute(model: &Model) -> Option<String> {
    let names = model.session.as_ref()?.attributes();
    let now = match &model.list.query.sort {
        Sort::Attribute(name) => names.iter().position(|known| known == name),
        _ => None,
    };
    names.get(now.map_or(0, |at| (at + 1) % names.len().max(1))).cloned()
}
