//! The embeddings in two dimensions: all samples as a density, suspects as dots.

use super::Plot;
use chaffinch_protocol::display::thousands;
use std::fmt::Write as _;

pub(crate) const WIDTH: u32 = 880;
pub(crate) const HEIGHT: u32 = 540;
/// Points of the density across and down.
const GRID: (usize, usize) = (176, 108);
/// Steps of the density.
const STEPS: usize = 5;
const EDGE: f64 = 10.0;

/// Where a suspect is, and whether it was found faulty; `None` while undecided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) at: [f32; 2],
    pub(crate) faulty: Option<bool>,
}

/// The position on the plot of one on the map.
pub(crate) fn position(at: [f32; 2]) -> (f64, f64) {
    let along = |share: f32, length: u32| EDGE + f64::from(share) * (f64::from(length) - 2.0 * EDGE);
    (along(at[0], WIDTH), along(at[1], HEIGHT))
}

/// `points` are all samples, NaN for those without a position.
pub(crate) fn map(points: &[[f32; 2]], suspects: &[Place]) -> Plot {
    let mut counts = vec![0_u32; GRID.0 * GRID.1];
    for point in points.iter().filter(|point| !point[0].is_nan()) {
        let cell = |share: f32, cells: usize| ((share * cells as f32) as usize).min(cells - 1);
        counts[cell(point[1], GRID.1) * GRID.0 + cell(point[0], GRID.0)] += 1;
    }
    let most = counts.iter().max().copied().unwrap_or(0).max(1);
    let mut paths = vec![String::new(); STEPS];
    for (cell, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let share = (1.0 + f64::from(*count)).ln() / (1.0 + f64::from(most)).ln();
        let step = ((share * STEPS as f64) as usize).min(STEPS - 1);
        let at =
            [((cell % GRID.0) as f32 + 0.5) / GRID.0 as f32, ((cell / GRID.0) as f32 + 0.5) / GRID.1 as f32];
        let (x, y) = position(at);
        let _ = write!(paths[step], "M{x:.0} {y:.0}h0");
    }
    let mut body = String::new();
    for (step, path) in paths.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
        let opacity = 0.22 + 0.6 * step as f64 / STEPS as f64;
        let _ = write!(
            body,
            "<path d=\"{path}\" stroke=\"var(--bar)\" stroke-width=\"4.4\" stroke-linecap=\"round\" \
             opacity=\"{opacity:.2}\" fill=\"none\"/>"
        );
    }
    // One path for each color: thousands of circles would make the page slow.
    for (faulty, color) in [(None, "var(--accent)"), (Some(false), "var(--good)"), (Some(true), "var(--bad)")]
    {
        let mut path = String::new();
        for place in suspects.iter().filter(|place| place.faulty == faulty) {
            let (x, y) = position(place.at);
            let _ = write!(path, "M{x:.1} {y:.1}h0");
        }
        if !path.is_empty() {
            let _ = write!(
                body,
                "<path d=\"{path}\" stroke=\"{color}\" stroke-width=\"5\" stroke-linecap=\"round\" fill=\"none\"/>"
            );
        }
    }
    let shown = points.iter().filter(|point| !point[0].is_nan()).count() as u64;
    let says = format!(
        "Map of the embeddings: {} samples as a density, {} suspects as dots",
        thousands(shown),
        thousands(suspects.len() as u64)
    );
    Plot { name: "map".into(), says, width: WIDTH, height: HEIGHT, body }
}
