//! The page of jobs, detectors, troubles and log.

use super::paint::Paint;
use crate::model::Model;
use crate::text;
use crate::theme::Role;
use ratatui::layout::Rect;

/// Draws the page.
pub(super) fn page(model: &Model, area: Rect, scroll: u16, paint: &mut Paint<'_>) {
    let width = usize::from(area.width.saturating_sub(2));
    let lines = lines(model, width);
    let most = lines.len().saturating_sub(usize::from(area.height));
    let first = usize::from(scroll).min(most);
    for (at, (role, line)) in lines.iter().skip(first).take(usize::from(area.height)).enumerate() {
        paint.put(area.x + 1, area.y + at as u16, area.width - 1, *role, line);
    }
}

/// The page in plain lines.
pub(super) fn spoken(model: &Model) -> Vec<String> {
    lines(model, 100).into_iter().map(|(_, line)| text::safe(&line).into_owned()).collect()
}

fn lines(model: &Model, width: usize) -> Vec<(Role, String)> {
    let mut lines = vec![(Role::Title, "Jobs".to_owned())];
    let mut add = |role: Role, line: String| lines.push((role, line));
    match &model.jobs.progress {
        Some(p) => {
            let total = if p.total > 0 { format!(" of {}", text::count(p.total)) } else { String::new() };
            let rest = p.remaining.map(|s| format!(", {} left", text::clock(s))).unwrap_or_default();
            let line = format!(
                "  {} ({} of {}): {}{total}, {:.0}/s{rest}",
                p.stage,
                p.step.0,
                p.step.1,
                text::count(p.done),
                p.rate
            );
            add(Role::Text, line);
            if p.total > 0 {
                let bar = super::panels::bar_text(
                    model,
                    p.done as f64 / p.total as f64,
                    width.saturating_sub(4).min(60),
                );
                add(Role::Progress, format!("  {bar}"));
            }
        }
        None => add(Role::Dim, "  nothing is running".to_owned()),
    }
    if let Some(report) = &model.jobs.report {
        let line = format!(
            "  last scan: {} samples, {} unreadable, {} embedded, {} reused, {}",
            text::count(report.samples),
            text::count(report.unreadable),
            text::count(report.embedded),
            text::count(report.reused),
            text::clock(report.seconds)
        );
        add(Role::Text, line);
        let stages: Vec<String> =
            report.stages.iter().map(|(name, seconds)| format!("{name} {}", text::clock(*seconds))).collect();
        for line in text::wrap(&stages.join("  "), width.saturating_sub(4)) {
            add(Role::Dim, format!("    {line}"));
        }
        for (name, reason) in &report.failed {
            add(Role::Error, format!("  {name} was left out: {reason}"));
        }
    }
    if let Some(session) = &model.session {
        add(Role::Text, String::new());
        add(Role::Title, "Session".to_owned());
        for (name, value) in [
            ("dataset", &session.dataset),
            ("session", &session.session),
            ("model", &session.model),
            ("reviewer", &session.reviewer),
        ] {
            add(Role::Text, format!("  {name:<9} {value}"));
        }
        let [keep, remove, relabel, unsure] = model.list.by_choice;
        let line =
            format!("  this list {keep} kept, {remove} removed, {relabel} relabelled, {unsure} unsure");
        add(Role::Text, line);
        add(Role::Text, String::new());
        add(Role::Title, "Detectors".to_owned());
        for detector in &session.detectors {
            let line = format!(
                "  {:<18} {:>9} flagged of {:<9} below {:.3}   {:.1} s",
                detector.name,
                text::count(detector.flagged),
                text::count(detector.scored),
                detector.threshold,
                detector.seconds
            );
            add(Role::Text, line);
            for (name, note) in &detector.notes {
                add(Role::Dim, format!("      {name}: {note}"));
            }
        }
    }
    if !model.jobs.troubles.is_empty() {
        add(Role::Text, String::new());
        add(Role::Title, "Troubles".to_owned());
        for (about, message) in &model.jobs.troubles {
            for line in text::wrap(&format!("{about}: {message}"), width.saturating_sub(2)) {
                add(Role::Warning, format!("  {line}"));
            }
        }
    }
    add(Role::Text, String::new());
    add(Role::Title, "Log, newest first".to_owned());
    for line in model.jobs.log.iter().rev() {
        add(Role::Dim, format!("  {line}"));
    }
    lines
}
