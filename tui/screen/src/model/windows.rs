//! Where windows lie over the screen: drawn there, and clicked there.

use super::{Confirm, Mode, Model, Picker, PickerKind};
use crate::paint::centered;
use crate::text;
use ratatui::layout::Rect;

/// Columns that a window needs at least.
const NARROWEST: u16 = 36;
/// Columns of a question.
const QUESTION: u16 = 56;

impl Model {
    /// Where a window of this size goes: over the list where that is shown, so that it does not lie over the picture that
    /// it is about; else in the middle.
    fn window_area(&self, area: Rect, width: u16, height: u16) -> Rect {
        let list = self.layout().list;
        let beside = !matches!(self.mode, Mode::Panel(_)) && self.views.page == self.views.first();
        if beside && list.width >= NARROWEST.min(width) {
            centered(list, width, height)
        } else {
            centered(area, width, height)
        }
    }

    /// Where a picker goes.
    pub fn picker_frame(&self, picker: &Picker, area: Rect) -> Rect {
        let high = area.height.saturating_sub(2);
        match &picker.kind {
            // Sentences need the width of the screen.
            PickerKind::Help => centered(area, area.width.saturating_sub(4).min(100), high),
            PickerKind::Palette => centered(area, area.width.saturating_sub(6).min(90), high.min(20)),
            PickerKind::Theme => self.window_area(area, 44, high.min(14)),
            PickerKind::Relabel(_) => self.window_area(area, 56, high.min(18)),
            PickerKind::Settle { .. } => self.window_area(area, 60, high.min(10)),
            PickerKind::Tag(_) => self.window_area(area, 44, high.min(18)),
        }
    }

    /// Where a question is asked.
    pub fn confirm_frame(&self, confirm: &Confirm, area: Rect) -> Rect {
        let width = self.window_area(area, QUESTION, 1).width;
        let lines = text::wrap(&confirm.question, usize::from(width.saturating_sub(6))).len() as u16;
        self.window_area(area, QUESTION, lines + 4)
    }
}
