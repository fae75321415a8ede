//! The scores of one detector, its threshold, and what follows from it.

use super::super::paint::Paint;
use super::{percent, waiting};
use crate::model::Model;
use crate::text;
use crate::theme::Role;
use crate::update::chosen_detector;
use chaffinch_protocol::{BINS, Histogram, edge};
use ratatui::layout::Rect;

/// Bars of an eighth of a cell and more.
const EIGHTHS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

pub(super) fn page(model: &Model, area: Rect, paint: &mut Paint<'_>) {
    let Some(name) = chosen_detector(model) else {
        return waiting(area, "no detector has run yet", paint);
    };
    let Some(histogram) = model.panels.histogram.as_ref().filter(|histogram| histogram.detector == name)
    else {
        return waiting(area, &format!("counting the scores of {name}…"), paint);
    };
    let Some(detector) = model.session.as_ref().and_then(|s| s.detectors.get(model.detector)) else { return };
    let threshold = detector.threshold;
    let x = paint.put(area.x, area.y, area.width, Role::Title, name);
    let room = area.right().saturating_sub(x + 2);
    paint.put(x + 2, area.y, room, Role::Dim, &detector.summary);
    let words = words(histogram, threshold);
    let below = words.len() as u16;
    // Title, chart, axis, numbers of the axis, words.
    let height = area.height.saturating_sub(3 + below);
    if height >= 2 {
        chart(model, histogram, threshold, Rect { y: area.y + 1, height, ..area }, paint);
    }
    let top = area.bottom().saturating_sub(below);
    for (at, (role, line)) in words.iter().enumerate() {
        let y = top + at as u16;
        if y > area.y {
            paint.put(area.x, y, area.width, *role, line);
        }
    }
}

/// What the threshold does, in words.
fn words(histogram: &Histogram, threshold: f32) -> Vec<(Role, String)> {
    let sum = |counts: &[u64]| counts.iter().sum::<u64>();
    let below = |counts: &[u64]| Histogram::below(counts, threshold);
    let (scored, flagged) = (sum(&histogram.samples), below(&histogram.samples));
    let alone = below(&histogram.alone);
    let (faulty, fine) = (below(&histogram.faulty), below(&histogram.fine));
    let (faulty_above, fine_above) = (sum(&histogram.faulty) - faulty, sum(&histogram.fine) - fine);
    let mut words = vec![
        (
            Role::Text,
            format!(
                "{} of {} flagged below {threshold:.3}, its own is {:.3}",
                text::count(flagged),
                text::count(scored),
                histogram.default
            ),
        ),
        (
            Role::Text,
            format!(
                "{} suspects in all, {} of them by this threshold alone",
                text::count(histogram.elsewhere + alone),
                text::count(alone)
            ),
        ),
    ];
    if sum(&histogram.faulty) + sum(&histogram.fine) > 0 {
        let line = format!(
            "decided: below {faulty} faulty and {fine} fine ({} faulty), above {faulty_above} faulty and {fine_above} fine",
            percent(faulty, faulty + fine)
        );
        words.push((Role::Dim, line));
    }
    if histogram.unscored > 0 {
        words.push((Role::Dim, format!("{} samples have no score", text::count(histogram.unscored))));
    }
    words
}

fn chart(model: &Model, histogram: &Histogram, threshold: f32, area: Rect, paint: &mut Paint<'_>) {
    let width = usize::from(area.width);
    let bins = BINS + 1;
    let at = edge(threshold);
    let columns: Vec<(u64, bool)> = (0..width)
        .map(|column| {
            let (from, to) =
                (column * bins / width, ((column + 1) * bins / width).max(column * bins / width + 1));
            let count = histogram.samples.get(from..to.min(histogram.samples.len())).unwrap_or_default();
            (count.iter().sum(), from < at)
        })
        .collect();
    let most = columns.iter().map(|(count, _)| *count).max().unwrap_or(0).max(1);
    let share = |count: u64| match model.panels.linear {
        true => count as f64 / most as f64,
        false => (count as f64).ln_1p() / (most as f64).ln_1p(),
    };
    let eighths = f64::from(area.height) * 8.0;
    let line = (at * width / bins).min(width.saturating_sub(1)) as u16;
    for (column, (count, flagged)) in columns.iter().enumerate() {
        let x = area.x + column as u16;
        let filled = if *count == 0 { 0 } else { ((share(*count) * eighths).round() as usize).max(1) };
        for row in 0..area.height {
            let y = area.bottom() - 1 - row;
            let here = filled.saturating_sub(usize::from(row) * 8).min(8);
            // What is flagged has solid bars and the rest has shaded ones: no colour is needed to tell them apart.
            if here > 0 && *flagged {
                paint.put(x, y, 1, Role::Flagged, EIGHTHS[here - 1]);
            } else if here > 0 {
                let glyph = paint.theme.glyph(Role::Unflagged).to_owned();
                paint.put(x, y, 1, Role::Unflagged, if here >= 4 { &glyph } else { "░" });
            } else if column as u16 == line {
                let glyph = paint.theme.glyph(Role::Threshold).to_owned();
                paint.put(x, y, 1, Role::Threshold, &glyph);
            }
        }
    }
    let scale = if model.panels.linear { "linear" } else { "logarithmic" };
    let words = format!("{} at most in a column, {scale}", text::count(most));
    paint.put_right(area.right(), area.y, area.width, Role::Dim, &words);
    axis(area, line, threshold, paint);
}

fn axis(area: Rect, line: u16, threshold: f32, paint: &mut Paint<'_>) {
    let y = area.bottom();
    paint.put(area.x, y, area.width, Role::Border, &"─".repeat(usize::from(area.width)));
    paint.put(area.x + line, y, 1, Role::Threshold, "▲");
    for (place, label) in [(0.0, "0"), (0.25, ".25"), (0.5, ".5"), (0.75, ".75"), (1.0, "1")] {
        let x = area.x + (f64::from(area.width.saturating_sub(1)) * place) as u16;
        let x = x.min(area.right().saturating_sub(label.len() as u16));
        paint.put(x, y + 1, 3, Role::Dim, label);
    }
    let label = format!("{threshold:.3}");
    let start = (area.x + line).saturating_sub(2).clamp(area.x, area.right().saturating_sub(5).max(area.x));
    paint.put(start.saturating_sub(1).max(area.x), y + 1, 7, Role::Text, &format!(" {label} "));
}

/// The page in plain lines: what the threshold does, and the scores in twenty parts.
pub(super) fn spoken(model: &Model) -> Vec<String> {
    let Some(histogram) = &model.panels.histogram else { return vec!["nothing was counted".to_owned()] };
    let chosen = model.session.as_ref().and_then(|session| session.detectors.get(model.detector));
    let threshold = chosen.map_or(histogram.default, |detector| detector.threshold);
    let mut lines = vec![histogram.detector.clone()];
    lines.extend(words(histogram, threshold).into_iter().map(|(_, line)| line));
    for part in 0..20 {
        let bins = histogram.samples.iter().skip(part * 50).take(if part == 19 { 51 } else { 50 });
        let from = part as f64 * 0.05;
        lines.push(format!("{from:.2} to {:.2}: {}", from + 0.05, text::count(bins.sum())));
    }
    lines
}
