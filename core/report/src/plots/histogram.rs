//! The scores of a detector with its threshold, counts on a logarithmic scale.

use super::Plot;
use chaffinch_protocol::display::counted;
use chaffinch_protocol::{BINS, Histogram};
use std::fmt::Write as _;

/// Bars of a histogram.
const BARS: usize = 50;

const WIDTH: u32 = 360;
const HEIGHT: u32 = 132;
const LEFT: f64 = 4.0;
const BOTTOM: f64 = 112.0;
const TOP: f64 = 14.0;
const ACROSS: f64 = 352.0;

/// For each bar all samples, those removed or relabeled, and those kept.
fn bars(scores: &Histogram) -> Vec<[u64; 3]> {
    let wide = BINS / BARS;
    let mut bars = vec![[0; 3]; BARS];
    for bin in 0..=BINS {
        // A score of 1 is in the last bar.
        let bar = &mut bars[(bin / wide).min(BARS - 1)];
        bar[0] += scores.samples[bin];
        bar[1] += scores.faulty[bin];
        bar[2] += scores.fine[bin];
    }
    bars
}

/// What is below the threshold is flagged.
pub(crate) fn histogram(scores: &Histogram, threshold: f32, flagged: u64) -> Plot {
    let (name, bars) = (&scores.detector, bars(scores));
    let most = bars.iter().map(|bar| bar[0]).max().unwrap_or(0).max(1);
    // A few suspects must be seen beside thousands of others.
    let tall = |count: u64| (1.0 + count as f64).ln() / (1.0 + most as f64).ln() * (BOTTOM - TOP);
    let wide = ACROSS / BARS as f64;
    let x = |score: f64| LEFT + ACROSS * score;
    let mut body = String::new();
    for (index, [all, faulty, fine]) in bars.iter().enumerate().filter(|(_, bar)| bar[0] > 0) {
        let left = x(index as f64 / BARS as f64);
        let below = (index as f64 + 0.5) / (BARS as f64) < f64::from(threshold);
        let fill = if below { "var(--accent)" } else { "var(--bar)" };
        let bar = |body: &mut String, count: u64, inset: f64, fill: &str| {
            let (tall, wide) = (tall(count), wide - 1.0 - inset * 2.0);
            let (left, top) = (left + 0.5 + inset, BOTTOM - tall);
            let _ = write!(
                body,
                "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{tall:.1}\" fill=\"{fill}\"/>"
            );
        };
        bar(&mut body, *all, 0.0, fill);
        for (count, fill) in [(*fine, "var(--good)"), (*faulty, "var(--bad)")] {
            if count > 0 {
                bar(&mut body, count, 1.6, fill);
            }
        }
    }
    let at = x(f64::from(threshold.clamp(0.0, 1.0)));
    let (anchor, beside) = if threshold > 0.8 { ("end", at - 4.0) } else { ("start", at + 4.0) };
    let _ = write!(
        body,
        "<path d=\"M{LEFT} {BOTTOM}H{}\" stroke=\"var(--line)\" fill=\"none\"/>\
         <path d=\"M{at:.1} 2V{BOTTOM}\" stroke=\"var(--ink)\" stroke-dasharray=\"3 2\" fill=\"none\"/>\
         <text x=\"{beside:.1}\" y=\"11\" font-size=\"11\" text-anchor=\"{anchor}\" fill=\"var(--ink)\">{threshold:.2}</text>\
         <text x=\"{LEFT}\" y=\"127\" font-size=\"11\" fill=\"var(--muted)\">0 issue</text>\
         <text x=\"{}\" y=\"127\" font-size=\"11\" text-anchor=\"end\" fill=\"var(--muted)\">fine 1</text>",
        LEFT + ACROSS,
        LEFT + ACROSS
    );
    let says = format!(
        "Scores of {name}: {} below the threshold of {threshold:.2}",
        counted(flagged, "sample", "samples")
    );
    Plot { name: format!("scores-{name}"), says, width: WIDTH, height: HEIGHT, body }
}
