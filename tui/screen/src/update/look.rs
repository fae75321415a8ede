//! How the sample under the cursor is seen, on pages that have no way of their own.

use super::{beside, say};
use crate::action::kind::Look;
use crate::model::{Level, Model};

/// Does an action about how things are seen.
pub(super) fn act(model: &mut Model, action: Look) {
    match action {
        Look::ScrollDown => model.views.look.scroll = model.views.look.scroll.saturating_add(3),
        Look::ScrollUp => model.views.look.scroll = model.views.look.scroll.saturating_sub(3),
        Look::Zoom => {
            say(model, Level::Info, "in the list, in the grid and in compare a picture is shown larger");
        }
        Look::ActualSize => say(model, Level::Info, "compare it first to see its pixels"),
        Look::Larger | Look::Smaller => {
            say(model, Level::Info, "these pictures are as large as there is room");
        }
        Look::Left | Look::Right => beside::choose(model, action == Look::Right, false),
    }
}
