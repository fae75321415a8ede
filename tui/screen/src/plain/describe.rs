//! Descriptions of a sample, a page and a question, one fact per line.

use crate::action::Action;
use crate::key::shown;
use crate::model::{Emptiness, Mode, Model, PickerKind, PromptKind, group, related};
use crate::text;
use crate::view;
use chaffinch_protocol::display::quoted;
use std::path::Path;

/// How many matches of a list are printed.
const TOLD: usize = 20;

/// The sample under the cursor.
pub(super) fn sample(model: &Model) -> Vec<String> {
    let Some(row) = model.row() else {
        if model.list.total > 0 {
            return vec!["the row is still loading: show describes it again".to_owned()];
        }
        let Emptiness { why, ways } = model.emptiness();
        let ways = ways.into_iter().map(|(action, does)| format!("{} {does}", action.name()));
        return std::iter::once(why).chain(ways).collect();
    };
    let class = |index| text::safe(model.class(index).unwrap_or("none")).into_owned();
    let decision = model.choice(row).map_or_else(|| "none".to_owned(), ToString::to_string);
    let position = model.views.page.position_text(model);
    let position = position.unwrap_or_else(|| format!("{} of {}", model.list.cursor + 1, model.list.total));
    let mut lines = vec![
        format!("{position}: {}", row.path),
        format!("label: {}", class(row.label)),
        format!("suggested: {}", class(row.suggested.filter(|label| Some(*label) != row.label))),
        format!("score: {}", row.score.map_or_else(|| "none".to_owned(), |score| format!("{score:.3}"))),
        format!("decision: {}", text::safe(&decision)),
    ];
    if let Some(detail) = model.details.get(row.sample)
        && model.session.as_ref().is_some_and(|session| session.reviewers.len() > 1)
        && !detail.reviewer.is_empty()
    {
        lines.push(format!("reviewer: {}", detail.reviewer));
    }
    if row.split.name() != "" {
        lines.push(format!("split: {}", row.split));
    }
    if let Some(decision) = &row.decision {
        lines.extend((!decision.tags.is_empty()).then(|| format!("tags: {}", decision.tags.join(" "))));
        lines.extend((!decision.note.is_empty()).then(|| format!("note: {}", decision.note)));
    }
    if model.review.marks.contains(&row.sample) {
        lines.push("marked".to_owned());
    }
    lines.extend(model.views.page.plain_lines(model));
    let Some(detail) = model.details.get(row.sample) else { return lines };
    lines.extend(
        detail.other_decisions.iter().map(|(by, choice)| format!("decided otherwise by {by}: {choice}")),
    );
    lines.extend((!detail.learned.is_empty()).then(|| detail.learned.clone()));
    if row.decision.is_none() {
        lines.extend((!detail.tags.is_empty()).then(|| format!("tags: {}", detail.tags.join(" "))));
        lines.extend((!detail.note.is_empty()).then(|| format!("note: {}", detail.note)));
    }
    lines.extend(detail.other_notes.iter().map(|(by, note)| format!("note by {by}: {note}")));
    lines.extend(detail.unreadable.as_ref().map(|why| format!("unreadable: {why}")));
    for issue in &detail.issues {
        let side = if issue.flagged { "flagged below" } else { "fine above" };
        let reason = if issue.flagged { issue.reason.as_str() } else { "" };
        let stop = if reason.is_empty() { "" } else { ". " };
        let (score, threshold) = (issue.score, issue.threshold);
        lines.push(format!("{}: {score:.3}, {side} {threshold:.3}{stop}{reason}", issue.detector));
    }
    let group = group(detail);
    if !group.is_empty() {
        lines.push(format!("group: {}", text::counted(group.len() as u64, "sample", "samples")));
    }
    for (index, candidate) in detail.candidates.iter().enumerate() {
        lines.push(format!("candidate {}: {}", index + 1, class(Some(candidate.class))));
    }
    let mut alike = related(detail);
    alike.sort_by(|(_, a), (_, b)| b.similarity.total_cmp(&a.similarity));
    for (_, other) in alike.iter().take(5) {
        lines.push(format!("similar: {:.2}, {}, {}", other.similarity, class(other.label), other.path));
    }
    if detail.width > 0 {
        lines.push(format!(
            "size: {} by {} pixels, {}",
            detail.width,
            detail.height,
            text::bytes(detail.bytes)
        ));
    }
    for (name, value) in &detail.extra {
        lines.push(format!("{name}: {value}"));
    }
    lines
}

/// The open page.
pub(super) fn page(model: &Model) -> Vec<String> {
    view::spoken(model).into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// How to export, with the command to run.
pub(super) fn export(model: &Model) -> Vec<String> {
    let session = model.session.as_ref().map(|session| session.session.as_str()).unwrap_or_default();
    let session = quoted(Path::new(session));
    vec![
        "export is a command of its own, which also works while the session is open:".to_owned(),
        format!("chaffinch export {session} --format manifest --output manifest.csv"),
        format!("chaffinch export {session} --format cleaned --output cleaned"),
        "chaffinch export --help lists all formats".to_owned(),
    ]
}

/// What the open prompt or list wants.
pub(super) fn question(model: &Model) -> Vec<String> {
    let end = "an empty line cancels";
    match &model.mode {
        Mode::Prompt(prompt) => {
            let what = match &prompt.kind {
                PromptKind::Filter { .. } => "filter: type terms",
                PromptKind::Search { .. } => "search: type text",
                PromptKind::Meaning { .. } => "by meaning: type a text, cat + snow, or like:this",
                PromptKind::Note(_) => "note: type the text",
                PromptKind::Times => "repeat count: type a number",
            };
            vec![format!("{what}; {end}")]
        }
        Mode::Picker(picker) => {
            let what = match &picker.kind {
                PickerKind::Relabel(_) => "relabel: type a class",
                PickerKind::Tag(_) => "tag: type a tag",
                PickerKind::Theme => "theme: type its name",
                PickerKind::KeepBy { .. } => "keep one by a rule: type its name",
                PickerKind::Settle { .. } => "the labels differ: type the right one",
                PickerKind::Help | PickerKind::Palette => "type the name of a command",
            };
            let mut lines = vec![format!("{what}; {end}")];
            for item in picker.items.iter().take(TOLD) {
                let side = if item.side.is_empty() { String::new() } else { format!(" ({})", item.side) };
                lines.push(format!("{}{side}", item.name));
            }
            let more = picker.items.len().saturating_sub(TOLD);
            lines.extend((more > 0).then(|| format!("and {more} more")));
            lines
        }
        _ => {
            let key = model.keymap.key_for(Action::Help).map(shown).unwrap_or_default();
            vec![format!("{key} help")]
        }
    }
}
