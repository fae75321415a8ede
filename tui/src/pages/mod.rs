//! The pages of the interface, one file each.
//!
//! # How to add a page
//!
//! 1. Write `pages/NAME.rs` with a unit struct and its [`Page`]: `name`, `hints`, `draw` and `open`, and whatever else
//!    of the trait it needs. A page that is worked in or read says `Scope::Panel` and opens by `panels::open`; one that
//!    shows samples opens by `show::toggle`.
//!
//!    ```ignore
//!    //! What the page shows, in one sentence.
//!
//!    /// The page.
//!    pub(super) struct Sources;
//!
//!    impl Page for Sources {
//!        fn name(&self) -> &'static str {
//!            "sources"
//!        }
//!
//!        fn scope(&self) -> Scope {
//!            Scope::Panel
//!        }
//!
//!        fn actions(&self) -> &'static [Action] {
//!            &[Action::Sources]
//!        }
//!
//!        fn hints(&self, _model: &Model) -> Vec<Action> {
//!            panels::READING.to_vec()
//!        }
//!
//!        fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
//!            paint.text(inner(area), Role::Title, "Sources");
//!            None
//!        }
//!
//!        fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
//!            panels::open(model, &Sources, fx);
//!        }
//!    }
//!    ```
//!
//! 2. Two lines in this file: `mod sources;` and, in [`PAGES`], `&sources::Sources,`.
//!
//! 3. For the action that opens it, a line in `action.rs`, under `Page` (or under `View`, if it shows samples), where it
//!    stands in the help:
//!
//!    ```text
//!    Sources "sources" "sources" "Show where the samples come from",
//!    ```
//!
//!    and, if it has a key, a line in `configs/keymaps/default.toml`: `gS = "sources"`. `docs/keys.md` is made from
//!    these.
//!
//! Nothing else names a page: keys, drawing, hints, pictures, answers of the engine, plain lines and what is remembered
//! ask the registry. What a page keeps between two keys is a struct with `Default` in its own file, which
//! `model.views.kept` holds by its type.

mod clusters;
mod compare;
mod confusion;
mod detectors;
mod grid;
mod group;
mod histogram;
mod jobs;
mod list;
mod log;
mod map;
mod statistics;

#[cfg(test)]
pub(crate) use map::map_area;

use crate::keymap::Keymap;
use crate::model::{Model, Page, PageRef};
use crate::theme::Theme;
use ratatui::layout::Size;

/// All pages. The first is shown at the start.
pub const PAGES: &[&dyn Page] = &[
    &list::List,
    &grid::Grid,
    &compare::Compare,
    &group::Group,
    &clusters::Clusters,
    &map::Map,
    &jobs::Jobs,
    &histogram::Histogram,
    &confusion::Confusion,
    &detectors::Detectors,
    &statistics::Statistics,
    &log::Log,
];

impl Model {
    /// An interface that knows nothing yet.
    pub fn new(keymap: Keymap, theme: Theme, size: Size) -> Model {
        Model::with_pages(PAGES, keymap, theme, size)
    }
}

/// The page of this name.
pub fn named(name: &str) -> Option<PageRef> {
    PAGES.iter().copied().find(|page| page.name() == name)
}

#[cfg(test)]
mod tests {
    use super::{PAGES, named};
    use crate::action::{Action, Kind};

    #[test]
    fn every_name_is_of_one_page() {
        for page in PAGES {
            assert_eq!(PAGES.iter().filter(|other| other.name() == page.name()).count(), 1, "{page:?}");
            assert_eq!(named(page.name()), Some(*page));
        }
    }

    #[test]
    fn every_action_that_pages_do_is_of_one_page() {
        for action in
            Action::ALL.iter().filter(|action| matches!(action.kind(), Kind::View(_) | Kind::Page(_)))
        {
            let owners = PAGES.iter().filter(|page| page.actions().contains(action)).count();
            assert_eq!(owners, 1, "{action}");
        }
        for page in PAGES {
            for action in page.actions() {
                assert!(
                    matches!(action.kind(), Kind::View(_) | Kind::Page(_)),
                    "{page:?} cannot do {action}"
                );
            }
        }
    }
}
