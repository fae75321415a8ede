//! Precision-recall curves as an SVG image.

use super::{Curve, ENSEMBLE};
use crate::Result;
use chaffinch_data::atomic;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::output;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 24.0;
/// The side lengths of the plot.
const ACROSS: f64 = 400.0;
const DOWN: f64 = 340.0;
/// Maximum points per curve; more cannot be distinguished.
const POINTS: usize = 800;
/// A colorblind-safe palette (Okabe and Ito, 2008), without yellow and black.
const COLORS: [&str; 6] = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"];
const DASHES: [&str; 3] = ["none", "6 3", "2 2"];

/// Writes the curves with a legend; the ensemble's is black and wide, and a dot marks each threshold.
///
/// # Errors
/// When the target is inside the dataset, or cannot be written.
pub fn write_svg(target: &Path, curves: &BTreeMap<String, Curve>, manifest: &Manifest) -> Result<()> {
    output::outside(manifest.root(), target)?;
    let text = draw(curves);
    atomic::write(target, |out| out.write_all(text.as_bytes()))
}

fn draw(curves: &BTreeMap<String, Curve>) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<title>Precision over recall</title>\n<rect width=\"100%\" height=\"100%\" \
         fill=\"white\"/>\n"
    );
    let (x, y) = (|recall: f64| LEFT + ACROSS * recall, |precision: f64| TOP + DOWN * (1.0 - precision));
    let mut add = |text: std::fmt::Arguments<'_>| {
        let _ = writeln!(out, "{text}");
    };
    for step in 0..=5 {
        let share = f64::from(step) / 5.0;
        let (right, bottom) = (x(1.0), y(0.0));
        add(format_args!(
            "<path d=\"M{0:.1} {TOP}V{bottom:.1}M{LEFT} {1:.1}H{right:.1}\" stroke=\"#ddd\"/>",
            x(share),
            y(share)
        ));
        add(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{share:.1}</text>",
            x(share),
            bottom + 16.0
        ));
        add(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{share:.1}</text>",
            LEFT - 6.0,
            y(share) + 4.0
        ));
    }
    add(format_args!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">recall</text>",
        x(0.5),
        HEIGHT - 16.0
    ));
    add(format_args!(
        "<text transform=\"translate(16 {:.1}) rotate(-90)\" text-anchor=\"middle\">precision</text>",
        y(0.5)
    ));
    // The ensemble last, so that it is on top.
    let detectors = curves.iter().filter(|(name, _)| *name != ENSEMBLE);
    let all = detectors.chain(curves.iter().filter(|(name, _)| *name == ENSEMBLE));
    for (index, (name, curve)) in all.enumerate() {
        let own = name == ENSEMBLE;
        let color = if own { "black" } else { COLORS[index % COLORS.len()] };
        let dash = if own { "none" } else { DASHES[index / COLORS.len() % DASHES.len()] };
        let width = if own { 2.5 } else { 1.5 };
        let points: Vec<String> = curve
            .thinned(POINTS)
            .iter()
            .map(|point| format!("{:.1},{:.1}", x(point.recall), y(point.precision)))
            .collect();
        add(format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" \
             stroke-dasharray=\"{dash}\"/>",
            points.join(" ")
        ));
        if let Some(point) = curve.threshold {
            add(format_args!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{color}\"/>",
                x(point.recall),
                y(point.precision)
            ));
        }
        let line = TOP + 14.0 + 18.0 * index as f64;
        let legend = LEFT + ACROSS + 14.0;
        add(format_args!(
            "<path d=\"M{legend:.1} {line:.1}h22\" stroke=\"{color}\" stroke-width=\"{width}\" \
             stroke-dasharray=\"{dash}\"/>"
        ));
        add(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            legend + 28.0,
            line + 4.0,
            escaped(name)
        ));
    }
    out + "</svg>\n"
}

/// Escapes text for XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
