//! The pages of the interface, one file each.
//!
//! # How to add a page
//!
//! 1. Write `pages/NAME.rs` with a unit struct that implements [`Page`]. `name`, `hints`, `draw` and `open` are required;
//!    override the other methods as needed. A form, a chart or a log returns `Scope::Panel` and opens with
//!    `panels::open`; a page that shows samples opens with `show::toggle`.
//!
//!    ```ignore
//!    //! Where the samples come from.
//!
//!    use crate::action::{Action, Scope};
//!    use crate::effect::Effects;
//!    use crate::model::{Model, Page};
//!    use crate::paint::Paint;
//!    use crate::theme::Role;
//!    use crate::update::panels;
//!    use crate::view::blocks::inner;
//!    use ratatui::layout::{Position, Rect};
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
//!        fn draw(&self, _model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
//!            paint.text(inner(area), Role::Title, "Sources");
//!            None
//!        }
//!
//!        fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
//!            panels::open(model, &Sources, fx);
//!        }
//!
//!        fn act(&self, model: &mut Model, action: Action, _fx: &mut Effects) -> bool {
//!            panels::read(model, action)
//!        }
//!    }
//!    ```
//!
//! 2. Add two lines to this file: `mod sources;` and, in [`PAGES`], `&sources::Sources,`.
//!
//! 3. To open it with an action, add a line to `action.rs`, under `Page` (or under `View` if it shows samples), at its
//!    position in the help:
//!
//!    ```text
//!    Sources "sources" "sources" "Show where the samples come from",
//!    ```
//!
//!    To bind a key, add a line to `configs/keymaps/default.toml`, under `[list]`: `gS = "sources"`. `docs/keys.md` is
//!    generated from both.
//!
//! Nothing else names a page: keys, drawing, hints, pictures, responses of the engine, line mode and saved state all go
//! through the registry. State that a page keeps between two keys is a struct with `Default` in the page's own file,
//! stored by type in `model.views.kept`; see `statistics.rs`.

mod classes;
mod clusters;
mod compare;
mod conflicts;
mod confusion;
mod detectors;
mod findings;
mod grid;
mod group;
mod histogram;
mod history;
mod jobs;
mod list;
mod log;
mod manage;
mod map;
mod outputs;
mod prompts;
mod reading;
mod statistics;
mod who;

#[cfg(test)]
pub(crate) use map::map_area;

use crate::keymap::Keymap;
use crate::model::{Model, Page};
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
    &conflicts::Conflicts,
    &jobs::Jobs,
    &histogram::Histogram,
    &confusion::Confusion,
    &detectors::Detectors,
    &manage::Manage,
    &classes::Classes,
    &history::History,
    &who::Who,
    &statistics::Statistics,
    &findings::Findings,
    &prompts::Prompts,
    &reading::Reading,
    &outputs::Outputs,
    &log::Log,
];

impl Model {
    /// An interface that knows nothing yet.
    pub fn new(keymap: Keymap, theme: Theme, size: Size) -> Model {
        Model::with_pages(PAGES, keymap, theme, size)
    }
}

#[cfg(test)]
mod tests {
    use super::PAGES;
    use crate::action::{Action, Kind};

    #[test]
    fn every_name_is_of_one_page() {
        for page in PAGES {
            assert_eq!(PAGES.iter().filter(|other| other.name() == page.name()).count(), 1, "{page:?}");
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
