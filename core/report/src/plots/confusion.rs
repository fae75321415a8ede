//! Given against suggested labels as a grid.

use super::{Plot, escaped, shortened};
use crate::facts::Confusion;
use chaffinch_protocol::display::counted;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Classes in the grid: those with the most confusions. More cannot be read.
const MOST: usize = 14;
const CELL: f64 = 34.0;
const LEFT: f64 = 118.0;
const TOP: f64 = 96.0;

/// The grid; `None` without confusions. `confusions` are sorted, most first.
pub(crate) fn confusion(confusions: &[Confusion]) -> Option<Plot> {
    let mut weights: BTreeMap<&str, u64> = BTreeMap::new();
    for one in confusions {
        *weights.entry(&one.given).or_default() += one.count;
        *weights.entry(&one.suggested).or_default() += one.count;
    }
    let mut names: Vec<(&str, u64)> = weights.into_iter().collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    names.truncate(MOST);
    let mut names: Vec<&str> = names.into_iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    let place = |name: &str| names.iter().position(|known| *known == name);
    let most = confusions.first()?.count.max(1);
    let mut body = String::new();
    let side = names.len() as f64 * CELL;
    for (index, name) in names.iter().enumerate() {
        let middle = (index as f64 + 0.5) * CELL;
        let name = escaped(&shortened(name, 16));
        let _ = write!(
            body,
            "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"12\" text-anchor=\"end\" fill=\"var(--ink)\">{name}</text>\
             <text transform=\"translate({:.1} {:.1}) rotate(-50)\" font-size=\"12\" fill=\"var(--ink)\">{name}</text>",
            LEFT - 8.0,
            TOP + middle + 4.0,
            LEFT + middle + 2.0,
            TOP - 8.0
        );
        let _ = write!(
            body,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"var(--line)\" opacity=\".5\"/>",
            LEFT + index as f64 * CELL + 1.0,
            TOP + index as f64 * CELL + 1.0,
            CELL - 2.0,
            CELL - 2.0
        );
    }
    for one in confusions {
        let (Some(row), Some(column)) = (place(&one.given), place(&one.suggested)) else { continue };
        let share = (1.0 + one.count as f64).ln() / (1.0 + most as f64).ln();
        let (x, y) = (LEFT + column as f64 * CELL, TOP + row as f64 * CELL);
        // Dark enough to tell from the ground, light enough to read the number on it.
        let (ink, fill) = (if share > 0.55 { "var(--paper)" } else { "var(--ink)" }, 0.12 + 0.88 * share);
        let _ = write!(
            body,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"var(--accent)\" \
             opacity=\"{fill:.2}\"/><text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\" text-anchor=\"middle\" \
             fill=\"{ink}\">{}</text>",
            x + 1.0,
            y + 1.0,
            CELL - 2.0,
            CELL - 2.0,
            x + CELL / 2.0,
            y + CELL / 2.0 + 4.0,
            one.count
        );
    }
    let first = &confusions[0];
    let says = format!(
        "Given labels in rows, suggested labels in columns; most often {} for {}: {}",
        first.suggested,
        first.given,
        counted(first.count, "suspect", "suspects")
    );
    let (width, height) = ((LEFT + side + 60.0) as u32, (TOP + side + 8.0) as u32);
    Some(Plot { name: "confusions".into(), says, width, height, body })
}
