//! The page of jobs, detectors, problems and log.

use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::model::{Model, Page};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use crate::update::panels;
use crate::view::blocks::bar_text;
use chaffinch_protocol::{Progress, ScanReport, SessionSummary};
use ratatui::layout::{Position, Rect};

/// The jobs.
pub(super) struct Jobs;

impl Page for Jobs {
    fn name(&self) -> &'static str {
        "jobs"
    }

    fn scope(&self) -> Scope {
        Scope::Pane
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Jobs]
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![Action::PaneClose, Action::PaneDown, Action::PaneUp, Action::PaneCancelJob]
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let width = usize::from(area.width.saturating_sub(2));
        let lines = lines(model, width);
        let most = lines.len().saturating_sub(usize::from(area.height));
        let first = usize::from(model.panels.scroll).min(most);
        for (at, (role, line)) in lines.iter().skip(first).take(usize::from(area.height)).enumerate() {
            paint.put(area.x + 1, area.y + at as u16, area.width - 1, *role, line);
        }
        if most > first {
            let more = format!("  ▾{} ", most - first);
            paint.put_right(area.right(), area.bottom() - 1, area.width, Role::Dim, &more);
        }
        None
    }

    fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
        panels::open(model, &Jobs, fx);
    }

    fn act(&self, model: &mut Model, action: Action, _fx: &mut Effects) -> bool {
        use Action as A;
        let page = model.display.size.height as i16 - 4;
        let by = match action {
            A::PaneDown => 1,
            A::PaneUp => -1,
            A::PanePageDown => page,
            A::PanePageUp => -page,
            A::PaneTop => i16::MIN,
            A::PaneBottom => 30_000,
            _ => return false,
        };
        panels::scroll(model, by);
        // Past its end nothing is seen, and every key back would seem dead.
        let width = usize::from(model.display.size.width.saturating_sub(2));
        let most = lines(model, width)
            .len()
            .saturating_sub(usize::from(model.display.size.height.saturating_sub(3)));
        model.panels.scroll = model.panels.scroll.min(u16::try_from(most).unwrap_or(u16::MAX));
        true
    }

    fn plain_lines(&self, model: &Model) -> Vec<String> {
        lines(model, 100).into_iter().map(|(_, line)| text::safe(&line).into_owned()).collect()
    }
}

/// A line and how it looks.
type Line = (Role, String);

fn lines(model: &Model, width: usize) -> Vec<Line> {
    let mut lines = vec![(Role::Title, "Jobs".to_owned())];
    match &model.jobs.progress {
        Some(progress) => running(model, progress, width, &mut lines),
        None => lines.push((Role::Dim, "  no job is running".to_owned())),
    }
    if let Some(report) = &model.jobs.report {
        last_scan(report, width, &mut lines);
    }
    if let Some(session) = &model.session {
        about_session(model, session, width, &mut lines);
        detectors(session, width, &mut lines);
    }
    if !model.jobs.troubles.is_empty() {
        part("Problems", &mut lines);
        for (about, message) in &model.jobs.troubles {
            for line in text::wrap(&format!("{about}: {message}"), width.saturating_sub(2)) {
                lines.push((Role::Warning, format!("  {line}")));
            }
        }
    }
    part("Log, newest first", &mut lines);
    for line in model.jobs.log.iter().rev() {
        indented(Role::Dim, 2, "", line, width, &mut lines);
    }
    lines
}

/// A text after its name, wrapped, with its further lines below its first.
fn indented(role: Role, indent: usize, name: &str, text: &str, width: usize, lines: &mut Vec<Line>) {
    let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
    // Where a line of its own begins says as much as what is in it.
    let first = format!("{name}{text}");
    for (at, line) in text::wrap(&first, width.saturating_sub(indent + 2)).into_iter().enumerate() {
        let indent = indent + if at > 0 { 2 } else { 0 };
        lines.push((role, format!("{:indent$}{line}", "")));
    }
}

/// A heading with a blank line above it.
fn part(title: &str, lines: &mut Vec<Line>) {
    lines.push((Role::Text, String::new()));
    lines.push((Role::Title, title.to_owned()));
}

fn running(model: &Model, progress: &Progress, width: usize, lines: &mut Vec<Line>) {
    let Progress { stage, step, done, total, rate, .. } = progress;
    let of = if *total > 0 { format!(" of {}", text::count(*total)) } else { String::new() };
    let rest = progress.remaining.map(|s| format!(", {} left", text::clock(s))).unwrap_or_default();
    let done_so_far = text::count(*done);
    let line = format!("  {stage} ({} of {}): {done_so_far}{of}, {rate:.0}/s{rest}", step.0, step.1);
    lines.push((Role::Text, line));
    if *total > 0 {
        let bar = bar_text(model, *done as f64 / *total as f64, width.saturating_sub(4).min(60));
        lines.push((Role::Progress, format!("  {bar}")));
    }
}

fn last_scan(report: &ScanReport, width: usize, lines: &mut Vec<Line>) {
    // What was not read has no counts.
    if report.samples == 0 && !report.failed.is_empty() {
        lines.push((Role::Text, "  the last scan did not get to read the dataset".to_owned()));
        return failures(report, width, lines);
    }
    let line = format!(
        "  last scan: {}, {} unreadable, {} embedded, {} reused, {}",
        text::counted(report.samples, "sample", "samples"),
        text::count(report.unreadable),
        text::count(report.embedded),
        text::count(report.reused),
        text::clock(report.seconds)
    );
    lines.push((Role::Text, line));
    let stage = |(name, seconds): &(String, f64)| format!("{name} {}", text::clock(*seconds));
    let stages: Vec<String> = report.stages.iter().map(stage).collect();
    for line in text::wrap(&stages.join("  "), width.saturating_sub(4)) {
        lines.push((Role::Dim, format!("    {line}")));
    }
    failures(report, width, lines);
}

fn failures(report: &ScanReport, width: usize, lines: &mut Vec<Line>) {
    for (name, reason) in &report.failed {
        indented(Role::Error, 2, &format!("{name} did not run"), reason, width, lines);
    }
}

fn about_session(model: &Model, session: &SessionSummary, width: usize, lines: &mut Vec<Line>) {
    part("Session", lines);
    for (name, value) in [
        ("dataset", &session.dataset),
        ("session", &session.session),
        ("model", &session.model),
        ("reviewer", &session.reviewer),
    ] {
        for (at, line) in text::wrap(value, width.saturating_sub(14)).into_iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            lines.push((Role::Text, format!("  {name:<9} {line}")));
        }
    }
    let [keep, remove, relabel, unsure] = model.list.by_choice;
    let line = format!("  in this list {keep} kept, {remove} removed, {relabel} relabeled, {unsure} unsure");
    lines.push((Role::Text, line));
}

fn detectors(session: &SessionSummary, width: usize, lines: &mut Vec<Line>) {
    part("Detectors", lines);
    for detector in &session.detectors {
        let line = format!(
            "  {:<18} {:>9} flagged of {:<9} below {:.3}   {:.1} s",
            detector.name,
            text::count(detector.flagged),
            text::count(detector.scored),
            detector.threshold,
            detector.seconds
        );
        lines.push((Role::Text, line));
        for (name, note) in &detector.notes {
            indented(Role::Dim, 6, name, note, width, lines);
        }
    }
}
