//! How the sample under the cursor is displayed, on pages without a display of their own.

use super::{beside, say};
use crate::action::kind::Look;
use crate::model::{Level, Model};

/// Handles a display action.
pub(super) fn act(model: &mut Model, action: Look) {
    match action {
        Look::ScrollDown => model.views.look.scroll = model.views.look.scroll.saturating_add(3),
        Look::ScrollUp => model.views.look.scroll = model.views.look.scroll.saturating_sub(3),
        Look::Zoom => {
            say(model, Level::Info, "zoom works in the list, the grid and the comparison");
        }
        Look::ActualSize => say(model, Level::Info, "open the comparison for actual size"),
        Look::Larger | Look::Smaller => {
            say(model, Level::Info, "these pictures already fill the space");
        }
        Look::Left | Look::Right => beside::choose(model, action == Look::Right, false),
    }
}
