//! The pace of the review, how often the reviewer agrees with suggestions, and what is left.

use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::model::{Model, Page};
use crate::paint::Paint;
use crate::text::{self, count, counted};
use crate::theme::Role;
use crate::update::panels;
use crate::view::blocks::{self, bar_text, inner, percent};
use chaffinch_protocol as protocol;
use chaffinch_protocol::{Overview, Overviewed};
use ratatui::layout::{Position, Rect};

/// The progress of the review, once counted.
#[derive(Clone, Debug, Default)]
struct Counted(Option<protocol::Statistics>);

/// The statistics.
pub(super) struct Statistics;

impl Page for Statistics {
    fn name(&self) -> &'static str {
        "statistics"
    }

    fn scope(&self) -> Scope {
        Scope::Panel
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Statistics]
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        panels::READING.to_vec()
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let area = inner(area);
        blocks::lines(model, &lines(model, area.width), area, paint);
        None
    }

    fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
        panels::open(model, &Statistics, fx);
    }

    fn act(&self, model: &mut Model, action: Action, _fx: &mut Effects) -> bool {
        panels::read(model, action)
    }

    fn overview(&self, _model: &Model) -> Option<Overview> {
        Some(Overview::Statistics)
    }

    fn overviewed(&self, model: &mut Model, overviewed: Overviewed) -> Option<Overviewed> {
        let Overviewed::Statistics(statistics) = overviewed else { return Some(overviewed) };
        model.views.kept.change(|counted: &mut Counted| counted.0 = Some(statistics));
        None
    }

    fn plain_lines(&self, model: &Model) -> Vec<String> {
        // A bar is nothing to be read out: its share stands in the line below it.
        let lines = lines(model, 80).into_iter();
        let lines = lines.filter(|line| !line.iter().any(|(role, _)| *role == Role::Progress));
        lines.map(|line| line.into_iter().map(|(_, words)| words).collect()).collect()
    }
}

type Line = Vec<(Role, String)>;

fn lines(model: &Model, width: u16) -> Vec<Line> {
    let mut lines = sitting(model);
    let known = model.views.kept.get::<Counted>().and_then(|counted| counted.0.as_ref());
    let Some(statistics) = known else {
        lines.push(one(Role::Dim, "counting…".to_owned()));
        return lines;
    };
    let left = statistics.suspects.saturating_sub(statistics.suspects_decided);
    lines.push(Vec::new());
    lines.push(one(Role::Title, "What is left".to_owned()));
    let share = statistics.suspects_decided as f64 / statistics.suspects.max(1) as f64;
    lines.push(one(
        Role::Progress,
        format!("  {}", bar_text(model, share, usize::from(width.saturating_sub(12)).min(50))),
    ));
    let mut words = format!(
        "{} of {} still undecided ({} decided)",
        count(left),
        counted(statistics.suspects, "suspect", "suspects"),
        percent(statistics.suspects_decided, statistics.suspects)
    );
    if let Some(rate) = model.review.sitting.per_hour().filter(|rate| *rate > 0.0) {
        words.push_str(&format!(": {} more at this pace", text::clock(left as f64 * 3600.0 / rate)));
    }
    lines.push(one(Role::Text, format!("  {words}")));
    lines.push(Vec::new());
    lines.push(one(Role::Title, "All decisions of this session".to_owned()));
    let [keep, remove, relabel, unsure] = statistics.by_choice;
    lines.push(one(
        Role::Text,
        format!(
            "  {} kept, {} removed, {} relabeled, {} unsure",
            count(keep),
            count(remove),
            count(relabel),
            count(unsure)
        ),
    ));
    lines.push(one(
        Role::Text,
        format!(
            "  {} had a suggested label: {} accepted ({}), {} kept as given ({})",
            count(statistics.suggested),
            count(statistics.accepted),
            percent(statistics.accepted, statistics.suggested),
            count(statistics.kept),
            percent(statistics.kept, statistics.suggested)
        ),
    ));
    lines.push(Vec::new());
    lines.push(one(
        Role::Title,
        format!("  {:<18} {:>9} {:>9} {:>9}", "flagged by", "faulty", "fine", "undecided"),
    ));
    for review in &statistics.detectors {
        let open = review.flagged.saturating_sub(review.faulty + review.fine);
        lines.push(vec![
            (
                Role::Text,
                format!(
                    "  {:<18} {:>9} {:>9} {:>9}",
                    text::fit(&review.name, 18),
                    count(review.faulty),
                    count(review.fine),
                    count(open)
                ),
            ),
            (Role::Dim, format!("   {} faulty", percent(review.faulty, review.faulty + review.fine))),
        ]);
    }
    lines
}

fn sitting(model: &Model) -> Vec<Line> {
    let sitting = &model.review.sitting;
    let mut lines = vec![one(Role::Title, "Since you opened this session".to_owned())];
    let rate = match sitting.per_hour() {
        Some(rate) => format!(": {} per hour without pauses", count(rate.round() as u64)),
        None => "; speed is shown after one minute".to_owned(),
    };
    lines.push(one(
        Role::Text,
        format!(
            "  {} in {}{rate}",
            counted(sitting.decisions, "decision", "decisions"),
            text::clock(sitting.active as f64 / 1000.0)
        ),
    ));
    lines.push(one(
        Role::Text,
        format!(
            "  {} in the last ten minutes, {} undone",
            count(sitting.lately(model.time.now)),
            count(sitting.undone)
        ),
    ));
    let suggested = sitting.suggested();
    lines.push(one(
        Role::Text,
        format!(
            "  you accepted {} of {} ({}) and kept {}",
            count(suggested.accepted),
            counted(suggested.samples, "suggested label", "suggested labels"),
            percent(suggested.accepted, suggested.samples),
            count(suggested.kept)
        ),
    ));
    lines
}

fn one(role: Role, words: String) -> Line {
    vec![(role, words)]
}
