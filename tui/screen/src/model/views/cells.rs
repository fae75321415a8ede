//! Cells of equal size, each with a picture, a gutter on its left and a caption below.

use ratatui::layout::Rect;

/// The maximum number of pictures on one screen: terminals hold no more for us.
const MOST: u16 = 160;
/// The narrowest cell.
const NARROWEST: u16 = 6;

/// Cells in rows and columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// All of them.
    pub area: Rect,
    /// Columns, at least one.
    pub columns: u16,
    /// Rows, at least one.
    pub rows: u16,
    /// Lines of a caption.
    lines: u16,
}

impl Cells {
    /// This many columns, and as many rows as keep pictures nearly square.
    pub fn of(area: Rect, columns: u16, lines: u16) -> Cells {
        let columns = columns.clamp(1, (area.width / NARROWEST).max(1));
        let width = area.width / columns;
        // A cell of the terminal is about twice as tall as wide.
        let wanted = (width / 2).max(2) + lines;
        let rows = ((area.height + wanted / 2) / wanted.max(1)).max(1);
        let rows = rows.min((area.height / (lines + 2)).max(1)).min((MOST / columns).max(1));
        Cells { area, columns, rows, lines }
    }

    /// The largest cells that fit this many pictures.
    pub fn fitting(area: Rect, count: usize, lines: u16) -> Cells {
        let most = (area.width / 8).clamp(1, 20);
        let all = (1..=most).map(|columns| {
            let rows = (count as u16).div_ceil(columns).max(1);
            let fitting = rows.min((area.height / (lines + 2)).max(1));
            Cells { area, columns, rows: fitting, lines }
        });
        let worth = |cells: &Cells| {
            let picture = cells.picture(0);
            (cells.count().min(count), picture.width.min(picture.height * 2))
        };
        // On a tie the first has the fewest columns.
        all.rev().max_by_key(worth).unwrap_or_default()
    }

    /// So many columns and rows.
    pub fn exactly(area: Rect, columns: u16, rows: u16, lines: u16) -> Cells {
        Cells { area, columns: columns.max(1), rows: rows.max(1), lines }
    }

    /// Cells that there are.
    pub fn count(&self) -> usize {
        usize::from(self.columns) * usize::from(self.rows)
    }

    /// A cell with its gutter.
    pub fn cell(&self, index: usize) -> Rect {
        let (columns, rows) = (self.columns.max(1), self.rows.max(1));
        let (width, height) = (self.area.width / columns, self.area.height / rows);
        let (x, y) = ((index % usize::from(columns)) as u16, (index / usize::from(columns)) as u16);
        Rect::new(self.area.x + x * width, self.area.y + y * height, width, height).intersection(self.area)
    }

    /// The picture of a cell.
    pub fn picture(&self, index: usize) -> Rect {
        let cell = self.cell(index);
        Rect {
            x: cell.x + 1,
            width: cell.width.saturating_sub(1),
            height: cell.height.saturating_sub(self.lines),
            ..cell
        }
    }

    /// The caption of a cell.
    pub fn caption(&self, index: usize) -> Rect {
        let cell = self.cell(index);
        let lines = self.lines.min(cell.height);
        Rect { x: cell.x + 1, y: cell.bottom() - lines, width: cell.width.saturating_sub(1), height: lines }
    }

    /// The cell at a position on the screen.
    pub fn at(&self, x: u16, y: u16) -> Option<usize> {
        (0..self.count()).find(|index| self.cell(*index).contains((x, y).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stay_inside_and_apart_at_every_size() {
        for (width, height) in [(40, 7), (60, 13), (80, 19), (151, 47), (300, 90)] {
            let area = Rect::new(0, 1, width, height);
            for columns in 0..40 {
                for lines in 0..3 {
                    let cells = Cells::of(area, columns, lines);
                    assert!(cells.count() >= 1 && cells.count() <= 160);
                    for index in 0..cells.count() {
                        let cell = cells.cell(index);
                        assert_eq!(cell.intersection(area), cell);
                        assert!(cells.picture(index).area() > 0, "{width}x{height} {columns} {lines}");
                        assert_eq!(cells.picture(index).intersection(cells.caption(index)).area(), 0);
                        assert_eq!(cells.at(cell.x, cell.y), Some(index));
                    }
                }
            }
        }
    }

    #[test]
    fn few_pictures_are_large() {
        let area = Rect::new(0, 1, 80, 18);
        let pair = Cells::fitting(area, 2, 2);
        assert_eq!((pair.columns, pair.rows), (2, 1));
        assert!(pair.picture(0).width > 30);
        let nine = Cells::fitting(area, 9, 2);
        assert!(nine.count() >= 9, "{nine:?}");
    }
}
