//! Where windows lie over the screen: drawn there, and clicked there.

use super::{Confirm, Mode, Model, Picker, PickerKind};
use crate::paint::centered;
use crate::text;
use ratatui::layout::Rect;

/// Columns that a window needs at least.
const NARROWEST: u16 = 36;
/// Columns that a window with sentences needs at least.
const SENTENCE: u16 = 60;
/// Rows of a window: what lay under it is drawn again when it closes.
const HIGHEST: u16 = 15;
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
            PickerKind::Help => self.sentences_area(area, 100, high),
            PickerKind::Palette => self.sentences_area(area, 90, high.min(20)),
            PickerKind::Theme => self.window_area(area, 44, high.min(HIGHEST)),
            PickerKind::Relabel(_) => self.window_area(area, 56, high.min(HIGHEST)),
            PickerKind::KeepBy { .. } => self.sentences_area(area, 100, high.min(9)),
            PickerKind::Settle { .. } => self.window_area(area, 60, high.min(10)),
            PickerKind::Tag(_) => self.window_area(area, 44, high.min(HIGHEST)),
        }
    }

    /// Where a window with sentences goes: below the middle of the picture, over what is said about it, where that is wide
    /// enough; the list stays in sight then, and need not be drawn again.
    fn sentences_area(&self, area: Rect, width: u16, height: u16) -> Rect {
        let layout = self.layout();
        let side = layout.info;
        let beside = !matches!(self.mode, Mode::Panel(_)) && self.views.page == self.views.first();
        if beside && !self.views.look.zoom && side.width >= SENTENCE {
            let top = layout.picture.y + layout.picture.height / 2;
            let room = Rect { y: top, height: side.bottom().saturating_sub(top), ..side };
            return Rect { height: height.min(room.height), width: width.min(room.width), ..room };
        }
        centered(area, area.width.saturating_sub(4).min(width), height.min(HIGHEST + 1))
    }

    /// Where a question is asked.
    pub fn confirm_frame(&self, confirm: &Confirm, area: Rect) -> Rect {
        let width = self.window_area(area, QUESTION, 1).width;
        let lines = text::wrap(&confirm.question, usize::from(width.saturating_sub(6))).len() as u16;
        self.window_area(area, QUESTION, lines + 4)
    }
}
