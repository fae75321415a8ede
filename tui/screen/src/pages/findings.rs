//! What is wrong with the dataset as a whole, worst first, and what each finding rests on.

use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::key::shown;
use crate::model::{Level, Model, Page};
use crate::paint::Paint;
use crate::text::{self, count, counted};
use crate::theme::Role;
use crate::update::{panels, say};
use crate::view::blocks::{inner, waiting};
use chaffinch_protocol::dataset::{DatasetFinding, DatasetFindings, Severity};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Overview, Overviewed, Query};
use ratatui::layout::{Position, Rect};

/// Columns of the text of the chosen finding, beside the list, on a wide screen.
const WIDE: u16 = 140;

/// What is known, and where the cursor is.
#[derive(Clone, Debug, Default)]
struct Table {
    known: Option<DatasetFindings>,
    at: usize,
}

/// The findings.
pub(super) struct Findings;

impl Page for Findings {
    fn name(&self) -> &'static str {
        "findings"
    }

    fn scope(&self) -> Scope {
        Scope::Panel
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Findings]
    }

    fn hints(&self, model: &Model) -> Vec<Action> {
        use Action as A;
        match chosen(model) {
            None => vec![A::PanelClose],
            Some(one) if one.samples.is_empty() => vec![A::PanelClose, A::PanelDown, A::PanelUp],
            Some(_) => vec![A::PanelClose, A::PanelAccept, A::PanelDown, A::PanelUp],
        }
    }

    fn meaning(&self, _model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        (action == Action::PanelAccept).then_some(("samples", "List the samples that show the finding"))
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let area = inner(area);
        let Some(table) = known(model) else {
            waiting(area, "looking at the dataset as a whole…", paint);
            return None;
        };
        let found = table.known.as_ref()?;
        paint.put(area.x, area.y, area.width, Role::Title, &heading(model, found));
        let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let (list, rest) = parts(body, found.findings.len());
        let page = usize::from(list.height).max(1);
        let first = table.at / page * page;
        for (place, y) in (first..found.findings.len()).zip(list.top()..list.bottom()) {
            let one = &found.findings[place];
            paint.put(list.x, y, list.width, role(one.severity), &line(found, one));
            if place == table.at {
                let style = paint.style(Role::Selected);
                paint.buffer.set_style(Rect { y, height: 1, ..list }, style);
            }
        }
        let lines = told(model, found, table.at, usize::from(rest.width));
        for ((role, words), y) in lines.iter().zip(rest.top()..rest.bottom()) {
            paint.put(rest.x, y, rest.width, *role, words);
        }
        None
    }

    fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
        panels::open(model, &Findings, fx);
    }

    fn act(&self, model: &mut Model, action: Action, fx: &mut Effects) -> bool {
        let Some(table) = known(model) else { return false };
        let count = table.known.as_ref().map_or(0, |known| known.findings.len());
        let at = table.at;
        if action == Action::PanelAccept {
            list(model, fx);
            return true;
        }
        match panels::moved(action, at, page(model, count), count.saturating_sub(1)) {
            Some(to) => model.views.kept.change(|table: &mut Table| table.at = to),
            None => return false,
        }
        true
    }

    fn click(&self, model: &mut Model, _x: u16, y: u16) {
        let count =
            known(model).and_then(|table| table.known.as_ref()).map_or(0, |known| known.findings.len());
        let page = page(model, count);
        if let Some(line) = y.checked_sub(2).filter(|line| usize::from(*line) < page) {
            model.views.kept.change(|table: &mut Table| {
                table.at = panels::shown_at(line, table.at, page, count.saturating_sub(1));
            });
        }
    }

    fn forget_samples(&self, model: &mut Model) {
        model.views.kept.change(|table: &mut Table| table.known = None);
    }

    fn overview(&self, _model: &Model) -> Option<Overview> {
        Some(Overview::Findings)
    }

    fn overviewed(&self, model: &mut Model, overviewed: Overviewed) -> Option<Overviewed> {
        let Overviewed::Findings(found) = overviewed else { return Some(overviewed) };
        model.views.kept.change(|table: &mut Table| {
            table.at = table.at.min(found.findings.len().saturating_sub(1));
            table.known = Some(found);
        });
        None
    }

    fn plain_lines(&self, model: &Model) -> Vec<String> {
        let Some(found) = known(model).and_then(|table| table.known.as_ref()) else { return Vec::new() };
        let mut lines = vec![heading(model, found)];
        for one in &found.findings {
            lines.push(format!(
                "{} ({}, {:.2}): {}",
                found.title(&one.kind),
                one.severity.name(),
                one.score,
                text::safe(&one.text)
            ));
            lines.push(format!("  {}", figures(one)));
        }
        lines.extend(not_checked(found));
        lines
    }
}

fn known(model: &Model) -> Option<&Table> {
    model.views.kept.get::<Table>().filter(|table| table.known.is_some())
}

fn chosen(model: &Model) -> Option<&DatasetFinding> {
    let table = known(model)?;
    table.known.as_ref()?.findings.get(table.at)
}

/// Where the list is, and where what is told of the chosen finding: below it, or beside it on a wide screen.
fn parts(body: Rect, count: usize) -> (Rect, Rect) {
    if body.width >= WIDE {
        let width = body.width / 3;
        let rest = Rect { x: body.x + width + 2, width: body.width.saturating_sub(width + 2), ..body };
        return (Rect { width, ..body }, rest);
    }
    let height = (count as u16).min(body.height / 2);
    let gap = u16::from(height > 0);
    let rest = Rect { y: body.y + height + gap, height: body.height.saturating_sub(height + gap), ..body };
    (Rect { height, ..body }, rest)
}

/// Lines of the list that fit.
fn page(model: &Model, count: usize) -> usize {
    let size = model.display.size;
    let body = Rect::new(0, 0, size.width.saturating_sub(2), size.height.saturating_sub(4));
    usize::from(parts(body, count).0.height).max(1)
}

fn heading(model: &Model, found: &DatasetFindings) -> String {
    let all = model.session.as_ref().map_or(0, |session| session.samples);
    let compared = match found.compared {
        0 => "no embeddings to compare".to_owned(),
        some if some < all => format!("{} of {} samples compared", count(some), count(all)),
        some => counted(some, "sample compared", "samples compared"),
    };
    match found.findings.len() as u64 {
        0 => format!("Nothing is wrong with the dataset as a whole   {compared}"),
        some => format!(
            "{} about the dataset as a whole, worst first   {compared}",
            counted(some, "finding", "findings")
        ),
    }
}

fn role(severity: Severity) -> Role {
    match severity {
        Severity::Serious => Role::Severe,
        Severity::Warning => Role::Doubtful,
        Severity::Info => Role::Text,
    }
}

fn line(found: &DatasetFindings, one: &DatasetFinding) -> String {
    format!("{:<8} {:.2}  {}", one.severity.name(), one.score, found.title(&one.kind))
}

/// The numbers of a finding.
fn figures(one: &DatasetFinding) -> String {
    let number = |value: f64| match value {
        value if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:.0}"),
        value if value.abs() < 1e-4 => format!("{value:.1e}"),
        value => format!("{value:.4}"),
    };
    let all = one
        .figures
        .iter()
        .map(|figure| format!("{} {}", figure.name.replace('_', " "), number(figure.value)));
    all.collect::<Vec<String>>().join(", ")
}

fn not_checked(found: &DatasetFindings) -> impl Iterator<Item = String> + '_ {
    let left = found.kinds.iter().filter(|kind| !kind.not_checked.is_empty());
    left.map(|kind| format!("{} was not looked for: {}", kind.title, text::safe(&kind.not_checked)))
}

/// What is told of the chosen finding, and of kinds that were not looked for.
fn told(model: &Model, found: &DatasetFindings, at: usize, width: usize) -> Vec<(Role, String)> {
    let mut lines = Vec::new();
    let mut add = |role: Role, words: &str| {
        lines.extend(text::wrap(words, width).into_iter().map(|line| (role, line)));
    };
    if let Some(one) = found.findings.get(at) {
        add(Role::Text, &text::safe(&one.text));
        add(Role::Dim, &figures(one));
        let key = model.keymap.key_for(Action::PanelAccept).map(shown).unwrap_or_default();
        if !one.samples.is_empty() && !key.is_empty() {
            let samples = counted(one.samples.len() as u64, "sample", "samples");
            add(Role::Info, &format!("{key} lists {samples}"));
        }
        add(Role::Text, " ");
    }
    not_checked(found).for_each(|words| add(Role::Dim, &words));
    lines
}

/// Lists the samples of the chosen finding.
fn list(model: &mut Model, fx: &mut Effects) {
    let Some(one) = chosen(model) else { return };
    let (samples, title) = (one.samples.clone(), one.kind.clone());
    if samples.is_empty() {
        return say(model, Level::Info, "this finding is about the dataset and names no samples");
    }
    let title = known(model)
        .and_then(|table| table.known.as_ref())
        .map_or(title.clone(), |found| found.title(&title).to_lowercase());
    let query = Query { all: true, filter: numbers(&samples), ..Query::default() };
    panels::list(model, query, fx);
    let back = model.keymap.key_for(Action::ClearFilter).map(shown).unwrap_or_default();
    let count = counted(samples.len() as u64, "sample", "samples");
    say(model, Level::Info, format!("{count} of the finding: {title}   {back} clears the filter"));
}

/// The filter that lists these samples: their numbers from 1, those that follow each other as ranges.
fn numbers(samples: &[SampleId]) -> String {
    let mut rows: Vec<u32> = samples.iter().map(|id| id.0).collect();
    rows.sort_unstable();
    rows.dedup();
    let ranges = rows.chunk_by(|a, b| a + 1 == *b).map(|range| match range {
        [only] => format!("{}", only + 1),
        [first, .., last] => format!("{}-{}", first + 1, last + 1),
        [] => String::new(),
    });
    format!("sample:{}", ranges.collect::<Vec<String>>().join(","))
}
