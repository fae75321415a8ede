//! Whether a picture is what is in a window of another.

use crate::GRAY;
use crate::area::Area;
use crate::sketch::{COLORS, Read, SIDE};
use crate::spectrum::{Span, Window};
use crate::turn;

/// Cells each way while the window is moved.
const COARSE: usize = 16;
/// How far a side of the window is moved to fit, at first and at last.
const COARSE_STEPS: [f32; 2] = [0.03, 0.015];
const FINE_STEPS: [f32; 2] = [0.0075, 0.004];
/// The correlation that a window has at least before it is moved by fine steps.
const PROMISING: f32 = 0.88;
/// The correlation that it has at least after the first of the coarse steps.
const POSSIBLE: f32 = 0.8;
/// The correlation that it has at least before it is moved.
const LIKELY: f32 = 0.6;
/// The least correlation, of all and of the details.
const LEAST: f32 = 0.94;
const LEAST_DETAIL: f32 = 0.75;
/// Pixels of the shorter side from which on saving a picture again leaves its cells nearly as they were, and the least
/// correlations then.
const FINE: usize = 96;
const LEAST_FINE: f32 = 0.96;
const LEAST_FINE_DETAIL: f32 = 0.82;
/// Mean levels of color that may differ.
const COLOR: f32 = 12.0;
/// Levels of contrast, and of details, below which any two pictures are near.
const FAINT: f32 = 8.0;
const FAINT_DETAIL: f32 = 2.0;
/// The most that a place may differ, in levels and in shares of the contrast.
const NOISE: f32 = 3.0;
const SHARE: f32 = 0.55;
/// Cells of a place.
const PLACE: usize = 3;

/// Moves the window of `whole` until `part`, seen through a turn, fits best. Returns the window and the correlation; `None` if
/// they do not agree everywhere, in the fine details, too.
pub(crate) fn fit(whole: &Read<'_>, part: &Read<'_>, window: Window, turn: u8) -> Option<(Window, f32)> {
    let (first, second) = (whole, part);
    let fine = whole.shortest.min(part.shortest) >= FINE;
    let (whole, part) = (Area::new(whole, 0), Area::new(part, turn));
    let coarse = Cells::new(part.cells(Window::WHOLE, COARSE), COARSE)?;
    let measure = |window: Window| {
        Cells::new(whole.cells(window, COARSE), COARSE).map_or(-1.0, |inside| inside.correlation(&coarse))
    };
    if measure(window) < LIKELY {
        return None;
    }
    let mut window = window;
    for (step, least) in COARSE_STEPS.into_iter().zip([POSSIBLE, PROMISING]) {
        let (moved, correlation) = climb(window, &[step], measure);
        if correlation < least {
            return None;
        }
        window = moved;
    }
    let both = |window: Window| seen(&whole, &part, window);
    let (window, best) =
        climb(window, &FINE_STEPS, |window| both(window).map_or(-1.0, |(a, b)| a.correlation(&b)));
    let (a, b) = both(window)?;
    let (least, least_detail) = if fine { (LEAST_FINE, LEAST_FINE_DETAIL) } else { (LEAST, LEAST_DETAIL) };
    let agree = best >= least && a.detail_correlation(&b) >= least_detail && a.is_near(&b);
    (agree && color_apart(first, second, window, turn) <= COLOR).then_some((window, best))
}

/// Mean levels that the colors in a window differ by from those of the part; 0 if one picture is gray.
fn color_apart(whole: &Read<'_>, part: &Read<'_>, window: Window, turn: u8) -> f32 {
    if whole.colorfulness() < GRAY || part.colorfulness() < GRAY {
        return 0.0;
    }
    let inside = |(from, to): Span, cell: usize| {
        let place = from + (to - from) * (cell as f32 + 0.5) / COLORS as f32;
        ((place * COLORS as f32) as usize).min(COLORS - 1)
    };
    let apart = (0..COLORS * COLORS).map(|cell| {
        let (x, y) = (cell % COLORS, cell / COLORS);
        let (u, v) = turn::cell(turn, (x, y), COLORS);
        let (first, second) =
            (whole.color(inside(window.across, x), inside(window.down, y)), part.color(u, v));
        ((first.0 - second.0).abs() + (first.1 - second.1).abs()) / 2.0
    });
    apart.sum::<f32>() / (COLORS * COLORS) as f32
}

/// Moves sides of the window as long as that is better.
fn climb(window: Window, steps: &[f32], measure: impl Fn(Window) -> f32) -> (Window, f32) {
    let mut best = (window, measure(window));
    for &step in steps {
        // A window is off by less than this many steps.
        for _ in 0..6 {
            let moved = moved(best.0, step).map(|window| (window, measure(window)));
            match moved.max_by(|a, b| a.1.total_cmp(&b.1)) {
                Some(better) if better.1 > best.1 => best = better,
                _ => break,
            }
        }
    }
    best
}

/// The windows with one side moved, or two opposite ones.
fn moved(window: Window, step: f32) -> impl Iterator<Item = Window> {
    const WAYS: [(f32, f32); 8] = [
        (-1.0, 0.0),
        (1.0, 0.0),
        (0.0, -1.0),
        (0.0, 1.0),
        (-1.0, -1.0),
        (1.0, 1.0),
        (1.0, -1.0),
        (-1.0, 1.0),
    ];
    let spans = move |(from, to): Span| {
        WAYS.into_iter()
            .map(move |(first, last)| ((from + step * first).max(0.0), (to + step * last).min(1.0)))
            .filter(|(from, to)| to - from > 0.4)
    };
    let across = spans(window.across).map(move |across| Window { across, ..window });
    let down = spans(window.down).map(move |down| Window { down, ..window });
    across.chain(down)
}

/// The cells of `whole` that are inside the window, and the same places of `part`.
fn seen(whole: &Area, part: &Area, window: Window) -> Option<(Cells, Cells)> {
    // A cell that sticks out by a trace is inside.
    let inside = |(from, to): Span| {
        let (first, last) = (from * SIDE as f32 - 0.02, to * SIDE as f32 + 0.02);
        (first.ceil().max(0.0) as usize..=(last.floor() as usize).min(SIDE)).collect::<Vec<_>>()
    };
    let (across, down) = (inside(window.across), inside(window.down));
    let shares = |corners: &[usize]| corners.iter().map(|&at| at as f32 / SIDE as f32).collect::<Vec<_>>();
    let within = |corners: &[usize], (from, to): Span| {
        corners.iter().map(|&at| (at as f32 / SIDE as f32 - from) / (to - from)).collect::<Vec<_>>()
    };
    let width = across.len() - 1;
    let first = Cells::new(whole.between(&shares(&across), &shares(&down)), width)?;
    let second = part.between(&within(&across, window.across), &within(&down, window.down));
    Some((first, Cells::new(second, width)?))
}

/// Cells of gray less their mean, row by row.
struct Cells {
    cells: Vec<f32>,
    width: usize,
    spread: f32,
}

impl Cells {
    /// `None` if there is too little to see.
    fn new(mut cells: Vec<f32>, width: usize) -> Option<Cells> {
        let count = cells.len() as f32;
        let mean = cells.iter().sum::<f32>() / count;
        cells.iter_mut().for_each(|cell| *cell -= mean);
        let spread = (cells.iter().map(|cell| cell * cell).sum::<f32>() / count).sqrt();
        (spread >= FAINT).then_some(Cells { cells, width, spread })
    }

    fn correlation(&self, other: &Cells) -> f32 {
        correlation(&self.cells, &other.cells)
    }

    /// The correlation of what each cell differs from those around it; 0 if there is next to nothing of this kind.
    fn detail_correlation(&self, other: &Cells) -> f32 {
        let (a, b) = (self.details(), other.details());
        let faint = |details: &[f32]| {
            details.iter().map(|cell| cell * cell).sum::<f32>() < details.len() as f32 * FAINT_DETAIL.powi(2)
        };
        if faint(&a) || faint(&b) { 0.0 } else { correlation(&a, &b) }
    }

    /// Each cell but those at the sides, less the mean of the four next to it.
    fn details(&self) -> Vec<f32> {
        let width = self.width;
        let inner = |at: &usize| {
            let (x, y) = (at % width, at / width);
            x > 0 && x + 1 < width && y > 0 && at + width < self.cells.len()
        };
        let cells = &self.cells;
        (0..cells.len())
            .filter(inner)
            .map(|at| {
                cells[at] - (cells[at - 1] + cells[at + 1] + cells[at - width] + cells[at + width]) / 4.0
            })
            .collect()
    }

    /// Whether no place differs much once both have the same contrast.
    fn is_near(&self, other: &Cells) -> bool {
        let spread = (self.spread * other.spread).sqrt();
        let differs: Vec<f32> = self
            .cells
            .iter()
            .zip(&other.cells)
            .map(|(a, b)| ((a / self.spread - b / other.spread) * spread).powi(2))
            .collect();
        let most = (NOISE + SHARE * spread).powi(2);
        let (across, down) = (self.width / PLACE, self.cells.len() / self.width / PLACE);
        (0..across * down).all(|place| {
            let first = place / across * PLACE * self.width + place % across * PLACE;
            let rows = (0..PLACE).flat_map(|row| &differs[first + row * self.width..][..PLACE]);
            rows.sum::<f32>() <= most * (PLACE * PLACE) as f32
        })
    }
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let lengths = (product(a, a) * product(b, b)).sqrt();
    if lengths > 0.0 { product(a, b) / lengths } else { 0.0 }
}
