//! The scores of one detector, its threshold and its effect.

use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::key::shown;
use crate::model::{Level, Model, Page};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use crate::update::{detector, job, panels, say, send};
use crate::view::blocks::{inner, percent, waiting};
use chaffinch_protocol::{
    BINS, Command, Expected, Histogram as Counts, Overview, Overviewed, Query, Sort, edge,
};
use ratatui::layout::{Position, Rect};

/// Bars of an eighth of a cell and more.
const EIGHTHS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The scores of the selected detector.
pub(super) struct Histogram;

impl Page for Histogram {
    fn name(&self) -> &'static str {
        "histogram"
    }

    fn scope(&self) -> Scope {
        Scope::Panel
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Histogram]
    }

    fn hints(&self, model: &Model) -> Vec<Action> {
        use Action as A;
        let Some(chosen) = model.chosen() else { return vec![A::PanelClose] };
        let keys = [
            A::PanelClose,
            A::PanelLeft,
            A::PanelRight,
            A::PanelNext,
            A::PanelAccept,
            A::PanelReset,
            A::PanelScale,
            A::PanelRun,
        ];
        let mut keys: Vec<Action> =
            keys.into_iter().filter(|key| *key != A::PanelRun || !chosen.built_in).collect();
        let proposed = model.panels.histogram.as_ref().and_then(|histogram| histogram.proposal);
        if proposed.is_some_and(|proposed| edge(proposed.threshold) != edge(chosen.threshold)) {
            keys.insert(1, A::PanelPropose);
        }
        keys
    }

    fn meaning(&self, _model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        (action == Action::PanelAccept).then_some(("list", "List what the detector flags, worst first"))
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let area = inner(area);
        let Some(name) = model.chosen_name() else {
            waiting(area, "no detector has run yet", paint);
            return None;
        };
        let Some(histogram) = model.panels.histogram.as_ref().filter(|histogram| histogram.detector == name)
        else {
            waiting(area, &format!("counting the scores of {name}…"), paint);
            return None;
        };
        let detector = model.chosen()?;
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
        None
    }

    fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
        panels::open(model, &Histogram, fx);
    }

    fn act(&self, model: &mut Model, action: Action, fx: &mut Effects) -> bool {
        use Action as A;
        let by = match action {
            A::PanelLeft => -0.01,
            A::PanelRight => 0.01,
            A::PanelUp => 0.001,
            A::PanelDown => -0.001,
            A::PanelPageUp => 0.1,
            A::PanelPageDown => -0.1,
            A::PanelStart => -1.0,
            A::PanelEnd => 1.0,
            A::PanelScale => {
                model.panels.linear = !model.panels.linear;
                return true;
            }
            A::PanelReset | A::PanelPropose => {
                let Some((shown, now)) = shown_now(model) else { return true };
                let to = match action {
                    A::PanelReset => Some(shown.default),
                    _ => shown.proposal.map(|proposal| proposal.threshold),
                };
                let Some(to) = to else {
                    let why = match missing(shown.examples) {
                        Some(more) => format!("nothing is proposed yet: {more}"),
                        None => nothing(shown).to_owned(),
                    };
                    say(model, Level::Warning, why);
                    return true;
                };
                to - now
            }
            A::PanelNext | A::PanelPrevious => {
                panels::next_detector(model, action == A::PanelNext, fx);
                return true;
            }
            A::PanelAccept => {
                list_detector(model, fx);
                return true;
            }
            A::PanelRun => {
                job::rerun(model, fx);
                return true;
            }
            _ => return false,
        };
        detector::threshold(model, by);
        true
    }

    /// A click on the chart puts the threshold there.
    fn click(&self, model: &mut Model, x: u16, y: u16) {
        let size = model.display.size;
        let area = inner(Rect::new(0, 1, size.width, size.height.saturating_sub(3)));
        let Some(now) = model.chosen().map(|detector| detector.threshold) else { return };
        if area.contains((x, y).into()) && y > area.y {
            let share = f32::from(x - area.x) / f32::from(area.width.saturating_sub(1).max(1));
            detector::threshold(model, share - now);
        }
    }

    fn overview(&self, model: &Model) -> Option<Overview> {
        model.chosen_name().map(|name| Overview::Histogram(name.to_owned()))
    }

    fn overviewed(&self, model: &mut Model, overviewed: Overviewed) -> Option<Overviewed> {
        let Overviewed::Histogram(histogram) = overviewed else { return Some(overviewed) };
        model.panels.histogram = Some(histogram);
        None
    }

    /// What the threshold does, and the scores in twenty parts.
    fn plain_lines(&self, model: &Model) -> Vec<String> {
        let Some(histogram) = &model.panels.histogram else {
            return vec!["nothing has been counted yet".to_owned()];
        };
        let chosen = model.chosen();
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
}

/// The scores of the selected detector, if they are here, and its threshold on the screen.
fn shown_now(model: &Model) -> Option<(&Counts, f32)> {
    let chosen = model.chosen()?;
    let shown = model.panels.histogram.as_ref().filter(|histogram| histogram.detector == chosen.name)?;
    Some((shown, chosen.threshold))
}

/// Why enough decisions propose nothing.
const NOTHING: &str = "nothing is proposed: these scores do not tell what you removed from what you kept";

/// Why most samples below no threshold being decided proposes nothing.
const UNCOVERED: &str = "nothing is proposed: most samples below any threshold are open; decide the worst, or some of all in random order";

fn nothing(histogram: &Counts) -> &'static str {
    if histogram.uncovered { UNCOVERED } else { NOTHING }
}

/// What to decide before a threshold is proposed.
fn missing((faulty, fine): (u64, u64)) -> Option<String> {
    const LEAST: u64 = 3;
    (faulty < LEAST || fine < LEAST)
        .then(|| format!("decide on {LEAST} faulty and {LEAST} fine samples ({faulty} and {fine} so far)"))
}

/// What is proposed, or what is missing for it.
fn proposed(histogram: &Counts) -> Option<String> {
    let whole = |share: f32| format!("{:.0}", 100.0 * share);
    let share =
        |share: Expected| format!("{}% ({} to {})", whole(share.share), whole(share.low), whole(share.high));
    match histogram.proposal {
        Some(proposal) => Some(format!(
            "proposed {:.3}: flags {}; precision {}, recall {}",
            proposal.threshold,
            text::count(proposal.flagged),
            share(proposal.precision),
            match proposal.recall {
                Some(recall) => share(recall),
                None => "not known".to_owned(),
            }
        )),
        None if histogram.examples == (0, 0) => None,
        None => Some(match missing(histogram.examples) {
            Some(more) => format!("for a proposal {more}"),
            None => nothing(histogram).to_owned(),
        }),
    }
}

/// Closes the page and lists what the selected detector flags, worst first.
fn list_detector(model: &mut Model, fx: &mut Effects) {
    let Some(name) = model.chosen_name().map(str::to_owned) else { return };
    // The list must be made with the threshold on the screen.
    if let Some((detector, threshold, _)) = model.time.threshold.take() {
        send(fx, Command::SetThreshold { detector, threshold });
    }
    let query = Query {
        all: false,
        filter: format!("detector:{name}"),
        sort: Sort::Detector(name.clone()),
        descending: false,
    };
    panels::list(model, query, fx);
    let back = model.keymap.key_for(Action::ClearFilter).map(shown).unwrap_or_default();
    say(model, Level::Info, format!("flagged by {name}, worst first   {back} clears the filter"));
}

/// The effect of the threshold as text.
fn words(histogram: &Counts, threshold: f32) -> Vec<(Role, String)> {
    let sum = |counts: &[u64]| counts.iter().sum::<u64>();
    let below = |counts: &[u64]| Counts::below(counts, threshold);
    let (scored, flagged) = (sum(&histogram.samples), below(&histogram.samples));
    let alone = below(&histogram.alone);
    let (faulty, fine) = (below(&histogram.faulty), below(&histogram.fine));
    let (faulty_above, fine_above) = (sum(&histogram.faulty) - faulty, sum(&histogram.fine) - fine);
    let mut words = vec![
        (
            Role::Text,
            format!(
                "{} of {} flagged below {threshold:.3} (default {:.3})",
                text::count(flagged),
                text::count(scored),
                histogram.default
            ),
        ),
        (
            Role::Text,
            format!(
                "{} in all, {} only because of this threshold",
                text::counted(histogram.elsewhere + alone, "suspect", "suspects"),
                text::count(alone)
            ),
        ),
    ];
    if sum(&histogram.faulty) + sum(&histogram.fine) > 0 {
        let line = format!(
            "decided: {faulty} faulty and {fine} fine below ({} faulty), {faulty_above} faulty and {fine_above} fine above",
            percent(faulty, faulty + fine)
        );
        words.push((Role::Dim, line));
    }
    if let Some(line) = proposed(histogram) {
        words.push((Role::Text, line));
    }
    if let Some(reach) = histogram.proposal.and_then(|proposal| proposal.reach) {
        let line = format!("from {reach:.3} on your decisions say nothing: suspects are not a random sample");
        words.push((Role::Dim, line));
    }
    if histogram.unscored > 0 {
        words.push((
            Role::Dim,
            format!("{} without a score", text::counted(histogram.unscored, "sample", "samples")),
        ));
    }
    words
}

fn chart(model: &Model, histogram: &Counts, threshold: f32, area: Rect, paint: &mut Paint<'_>) {
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
            // Flagged scores have solid bars and the rest shaded ones, so that they differ without color.
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
    let words = format!("tallest column {}, {scale}", text::count(most));
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
