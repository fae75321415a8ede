//! Choosing one of the samples beside the one under the cursor.

use super::say;
use crate::model::{Level, Model};

/// The next or the previous one; `shown` where the first one is shown before any is chosen.
pub(crate) fn choose(model: &mut Model, forward: bool, shown: bool) {
    let count = model.besides().len();
    if count == 0 {
        return say(model, Level::Info, "nothing to compare with yet");
    }
    let chosen = match model.views.look.chosen {
        Some(chosen) => chosen.min(count - 1),
        None if shown || !forward => 0,
        None => count - 1,
    };
    model.views.look.chosen = Some((chosen + if forward { 1 } else { count - 1 }) % count);
}
