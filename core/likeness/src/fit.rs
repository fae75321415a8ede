//! Whether a picture is what is in a window of another.

use crate::GAIN;
use crate::area::Area;
use crate::blocks::Agreement;
use crate::colors::Shades;
use crate::sketch::{Read, SIDE};
use crate::spectrum::{Span, Window};

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
/// How much longer than high a part may be than the place where it is, as a share; to which is added what a pixel is.
const STRETCHED: f32 = 0.02;
const STRETCHED_PIXELS: f32 = 1.5;
/// Levels of contrast, and of details, below which any two pictures are near.
const FAINT: f32 = 8.0;
const FAINT_DETAIL: f32 = 2.0;
/// The most that a place may differ, in levels and in shares of the contrast.
const NOISE: f32 = 3.0;
const SHARE: f32 = 0.55;
/// Cells of a place.
const PLACE: usize = 3;
/// The share of a picture's places that have edges in two directions at least: a straight edge fits anywhere along itself, and
/// the outline of any one thing before a plain ground fits that of any other if the window is moved.
const TELLING: f32 = 0.33;
/// Levels from cell to cell of the weaker edge of a place, and its share of the stronger one.
const EDGE: f32 = 2.5;
const SECOND_EDGE: f32 = 0.2;
/// Of these places, the share in which the edges agree, and the least correlation there.
const AGREEING: f32 = 0.9;
const LEAST_PLACE: f32 = 0.5;
/// The fewest such places.
const FEWEST: usize = 6;
/// Pixels that a cell has at least; finer details are lost in the smaller picture.
const PIXELS: f32 = 0.9;

/// Where a picture is in another.
pub(crate) struct Fit {
    /// The window.
    pub(crate) window: Window,
    /// The correlation.
    pub(crate) correlation: f32,
    /// Whether there is more to see than one thing before a plain ground.
    pub(crate) shows: bool,
    /// Whether both agree in every place, and there is enough to see to tell this from the same window of another picture.
    pub(crate) told_apart: bool,
}

/// Moves the window of `whole` until `part`, seen through a turn, fits best. `None` if they do not agree everywhere, in the fine
/// details, too.
pub(crate) fn fit(whole: &Read<'_>, part: &Read<'_>, window: Window, turn: u8) -> Option<Fit> {
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
    let pixels = pixels(first, second, window);
    let step = if pixels < PIXELS { 2 } else { 1 };
    let both = |window: Window| seen(&whole, &part, window, step);
    let agreement = |a: &Cells, b: &Cells| Agreement::of(&a.gray(), &b.gray(), a.width, (step, pixels));
    // Fine steps take the longest, and pictures of one kind come up to them.
    if !both(window).is_some_and(|(a, b)| agreement(&a, &b).is_promising()) {
        return None;
    }
    let (window, best) =
        climb(window, &FINE_STEPS, |window| both(window).map_or(-1.0, |(a, b)| a.correlation(&b)));
    let (a, b) = both(window)?;
    let (least, least_detail) = if fine { (LEAST_FINE, LEAST_FINE_DETAIL) } else { (LEAST, LEAST_DETAIL) };
    let agree = best >= least
        && GAIN.contains(&(b.spread / a.spread))
        && a.detail_correlation(&b) >= least_detail
        && a.is_near(&b);
    let colors = Shades::of(first, second, window, turn);
    if !agree || !colors.are_near() {
        return None;
    }
    let agreement = agreement(&a, &b);
    // Stretched a little or moved a little, a picture fits others of its template, too.
    let loose = window.is_nearly_whole() || is_stretched(first, second, (window, turn));
    let told_apart =
        agreement.is_telling(loose) && agreement.everywhere() && colors.agree() && a.agrees_in_places(&b);
    Some(Fit { window, correlation: best, shows: agreement.shows_something(), told_apart })
}

/// Whether the part has other proportions than the place where it is.
fn is_stretched(whole: &Read<'_>, part: &Read<'_>, (window, turn): (Window, u8)) -> bool {
    let span = |(from, to): Span, pixels: usize| (to - from) * pixels as f32;
    let (width, height) = (span(window.across, whole.size.0), span(window.down, whole.size.1));
    let (own, other) = if turn & 4 == 0 { part.size } else { (part.size.1, part.size.0) };
    let ratio = (width * other as f32 / (height * own as f32)).ln().abs();
    ratio > STRETCHED + STRETCHED_PIXELS / whole.shortest.min(part.shortest) as f32
}

/// Pixels of a cell in the smaller of the two pictures.
fn pixels(whole: &Read<'_>, part: &Read<'_>, window: Window) -> f32 {
    let span = |(from, to): Span| to - from;
    let share = span(window.across).max(span(window.down));
    (whole.shortest as f32).min(part.shortest as f32 / share) / SIDE as f32
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
fn seen(whole: &Area, part: &Area, window: Window, step: usize) -> Option<(Cells, Cells)> {
    // A cell that sticks out by a trace is inside.
    let inside = |(from, to): Span| {
        let (first, last) = (from * SIDE as f32 - 0.02, to * SIDE as f32 + 0.02);
        (first.ceil().max(0.0) as usize..=(last.floor() as usize).min(SIDE)).step_by(step).collect::<Vec<_>>()
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
    mean: f32,
    spread: f32,
}

impl Cells {
    /// `None` if there is too little to see.
    fn new(mut cells: Vec<f32>, width: usize) -> Option<Cells> {
        let count = cells.len() as f32;
        let mean = cells.iter().sum::<f32>() / count;
        cells.iter_mut().for_each(|cell| *cell -= mean);
        let spread = (cells.iter().map(|cell| cell * cell).sum::<f32>() / count).sqrt();
        (spread >= FAINT).then_some(Cells { cells, width, mean, spread })
    }

    /// Levels of gray.
    fn gray(&self) -> Vec<f32> {
        self.cells.iter().map(|cell| cell + self.mean).collect()
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

    /// Whether there are edges in two directions in enough places, and they agree in most of these.
    fn agrees_in_places(&self, other: &Cells) -> bool {
        let (telling, agreeing, all) = self.places(other);
        telling >= FEWEST
            && telling as f32 >= TELLING * all as f32
            && agreeing as f32 >= AGREEING * telling as f32
    }

    /// How many places have edges in two directions in one of both, in how many of these they agree, and how many there are.
    fn places(&self, other: &Cells) -> (usize, usize, usize) {
        let (edges, others) = (self.edges(), other.edges());
        let width = self.width.saturating_sub(2);
        let (across, down) = (width / PLACE, edges.len() / width.max(1) / PLACE);
        let (mut telling, mut agreeing) = (0, 0);
        for place in 0..across * down {
            let first = place / across * PLACE * width + place % across * PLACE;
            let inside = || (0..PLACE).flat_map(|row| first + row * width..first + row * width + PLACE);
            if !is_telling(inside().map(|at| edges[at])) && !is_telling(inside().map(|at| others[at])) {
                continue;
            }
            telling += 1;
            let (mut both, mut each) = (0.0, 0.0);
            for (a, b) in inside().map(|at| (edges[at], others[at])) {
                both += a.0 * b.0 + a.1 * b.1;
                each += a.0 * a.0 + a.1 * a.1 + b.0 * b.0 + b.1 * b.1;
            }
            agreeing += usize::from(2.0 * both >= LEAST_PLACE * each);
        }
        (telling, agreeing, across * down)
    }

    /// How much gray grows to the right and downward, of each cell but those at the sides.
    fn edges(&self) -> Vec<(f32, f32)> {
        let (width, cells) = (self.width, &self.cells);
        let inner = |at: &usize| {
            let x = at % width;
            x > 0 && x + 1 < width && *at >= width && at + width < cells.len()
        };
        let edge = |at: usize| {
            ((cells[at + 1] - cells[at - 1]) / 2.0, (cells[at + width] - cells[at - width]) / 2.0)
        };
        (0..cells.len()).filter(inner).map(edge).collect()
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

/// Whether a place has edges in two directions (the smaller eigenvalue of the structure tensor, as of a corner in Shi and Tomasi
/// 1994).
fn is_telling(edges: impl Iterator<Item = (f32, f32)>) -> bool {
    let (mut across, mut down, mut mixed, mut count) = (0.0, 0.0, 0.0, 0.0_f32);
    for (x, y) in edges {
        across += x * x;
        down += y * y;
        mixed += x * y;
        count += 1.0;
    }
    let middle: f32 = (across + down) / 2.0;
    let half = ((across - down) / 2.0_f32).hypot(mixed);
    let (weaker, stronger) = (middle - half, middle + half);
    weaker >= count * EDGE.powi(2) && weaker >= SECOND_EDGE.powi(2) * stronger
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let lengths = (product(a, a) * product(b, b)).sqrt();
    if lengths > 0.0 { product(a, b) / lengths } else { 0.0 }
}
