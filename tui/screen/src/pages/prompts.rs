//! The prompts of the classes: edited here, counted by the engine, and kept with the session.

use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::key::shown;
use crate::model::{BenchLine, Consequence, Level, Mode, Model, Page, PromptBench, TrialBasis};
use crate::paint::Paint;
use crate::update::{open, panels, say, send, show, trial};
use crate::view::blocks::inner;
use crate::view::prompts;
use chaffinch_protocol::{BUSY, Command, Event, Overview, Overviewed, PromptsSet, TEMPERATURE};
use ratatui::layout::{Position, Rect};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// The page.
pub(super) struct Prompts;

impl Page for Prompts {
    fn name(&self) -> &'static str {
        "prompts"
    }

    fn scope(&self) -> Scope {
        Scope::Panel
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Prompts]
    }

    fn hints(&self, model: &Model) -> Vec<Action> {
        use Action as A;
        match bench(model).is_closed() {
            true if bench(model).sheet.as_ref().is_some_and(|sheet| sheet.own) => {
                vec![A::PanelClose, A::PanelReset]
            }
            true => vec![A::PanelClose],
            false => vec![
                A::PanelClose,
                A::PanelAccept,
                A::PanelLetIn,
                A::PanelRemove,
                A::PanelRun,
                A::PanelTry,
                A::PanelReset,
                A::PanelDown,
                A::PanelUp,
            ],
        }
    }

    fn meaning(&self, _model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        Some(match action {
            Action::PanelAccept => ("edit", "Edit the line; words of a class are separated by ;"),
            Action::PanelLetIn => ("add", "Add a line below, or a word to the class"),
            Action::PanelRemove => ("delete", "Delete the line, or the words of the class but its name"),
            Action::PanelRun => ("save", "Keep the prompts with the session, for all scans to come"),
            Action::PanelTry => ("count", "Count again what these prompts would change"),
            Action::PanelReset => ("reset", "Drop what is not saved, or return to the configuration"),
            _ => return None,
        })
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        prompts::draw(model, bench(model), inner(area), paint)
    }

    fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
        panels::open(model, &Prompts, fx);
    }

    fn act(&self, model: &mut Model, action: Action, fx: &mut Effects) -> bool {
        use Action as A;
        let (at, last) = (bench(model).at, bench(model).lines().saturating_sub(1));
        if let Some(to) = panels::moved(action, at, page(model), last) {
            change(model, |bench| bench.at = to);
            return true;
        }
        let edits = [A::PanelAccept, A::PanelLetIn, A::PanelRemove, A::PanelRun, A::PanelTry];
        if edits.contains(&action) && bench(model).is_closed() {
            say(model, Level::Warning, "there is nothing to edit here: the page says why");
            return true;
        }
        match action {
            A::PanelAccept => edit(model),
            A::PanelLetIn => add(model),
            A::PanelRemove => remove(model),
            A::PanelRun => save(model, fx),
            A::PanelTry => change(model, |bench| bench.uncounted = true),
            A::PanelReset => reset(model),
            _ => return false,
        }
        true
    }

    fn submit(&self, model: &mut Model, text: &str) {
        let line = bench(model).line(bench(model).at);
        if text.is_empty() && !matches!(line, BenchLine::Class(_)) {
            let what = if line == BenchLine::Temperature {
                "the temperature is a number"
            } else {
                "an empty line is no prompt"
            };
            return say(model, Level::Warning, format!("{what}, so nothing was changed"));
        }
        let mut outcome = Ok(());
        change(model, |bench| outcome = bench.set(text));
        if let Err(why) = outcome {
            say(model, Level::Warning, why);
        }
    }

    fn click(&self, model: &mut Model, _x: u16, y: u16) {
        let page = page(model);
        if let Some(line) = y.checked_sub(3).filter(|line| usize::from(*line) < page) {
            change(model, |bench| {
                bench.at = panels::shown_at(line, bench.at, page, bench.lines().saturating_sub(1));
            });
        }
    }

    /// Asks for the counts of the set on the screen. The engine ends what it counts for an older one.
    fn request(&self, model: &mut Model, fx: &mut Effects) {
        let open = model.panel().is_some_and(|page| page.name() == self.name());
        if !open || model.typing().is_some() {
            return;
        }
        if bench(model).adding {
            change(model, PromptBench::take_back);
        }
        let bench = bench(model);
        if !bench.uncounted || bench.is_closed() || bench.fault().is_some() {
            return;
        }
        let of = |_| (TEMPERATURE.to_owned(), bench.temperature);
        let params: BTreeMap<String, f64> =
            bench.sheet.iter().filter_map(|sheet| sheet.temperature.as_ref()).map(of).collect();
        let (prompts, basis) = (Some(bench.words.clone()), basis(model));
        let detector = detector(bench).to_owned();
        // What another page tries is not counted any more.
        trial::forget(model);
        let ticket = model.panels.trial.ticket;
        change(model, |bench| {
            (bench.uncounted, bench.asked, bench.basis) = (false, Some(ticket), basis);
        });
        send(fx, Command::Try { ticket, detector, params, prompts });
    }

    fn answered(&self, model: &mut Model, event: &Event) -> bool {
        match event {
            Event::Tried(tried) if bench(model).asked == Some(tried.ticket) => {
                change(model, |bench| {
                    bench.asked = None;
                    bench.tried = Some(Arc::new(tried.clone()));
                });
            }
            Event::PromptsSet(set) => kept(model, set),
            _ => return false,
        }
        true
    }

    fn sent(&self, model: &mut Model, command: &Command) {
        if let Command::SetPrompts { ticket, prompts, .. } = command {
            change(model, |bench| bench.saving = Some((*ticket, prompts.is_none())));
        }
    }

    fn unsaved(&self, model: &Model) -> Option<&'static str> {
        bench(model).is_edited().then_some("the prompts on their page are not saved")
    }

    fn loading(&self, model: &Model) -> bool {
        bench(model).sheet.is_none()
    }

    fn overview(&self, _model: &Model) -> Option<Overview> {
        Some(Overview::Prompts)
    }

    fn overviewed(&self, model: &mut Model, overviewed: Overviewed) -> Option<Overviewed> {
        let Overviewed::Prompts(sheet) = overviewed else { return Some(overviewed) };
        let (basis, typing) = (basis(model), model.typing().is_some());
        change(model, |bench| {
            bench.take(*sheet, typing);
            let waited = bench.tried.as_ref().is_some_and(|tried| tried.failed == BUSY);
            bench.uncounted |= waited || bench.basis != basis;
        });
        None
    }

    fn plain_lines(&self, model: &Model) -> Vec<String> {
        let bench = bench(model);
        let Some(sheet) = &bench.sheet else { return Vec::new() };
        let mut lines = vec![format!("Prompts, {}", sheet.origin)];
        lines.extend([&sheet.closed, &sheet.remark].into_iter().filter(|words| !words.is_empty()).cloned());
        if sheet.closed.is_empty() {
            lines.push(prompts::counts(model, bench).1);
            lines.extend((0..bench.lines()).map(|at| prompts::line_words(model, bench, at)));
        }
        lines
    }
}

fn bench(model: &Model) -> &PromptBench {
    static NONE: LazyLock<PromptBench> = LazyLock::new(PromptBench::default);
    model.views.kept.get::<PromptBench>().unwrap_or(&NONE)
}

fn change(model: &mut Model, change: impl FnOnce(&mut PromptBench)) {
    model.views.kept.change(change);
}

/// Lines that fit.
fn page(model: &Model) -> usize {
    prompts::page(model.display.size.height)
}

/// What counts depend on beside the prompts.
fn basis(model: &Model) -> TrialBasis {
    let Some(session) = &model.session else { return TrialBasis::default() };
    let detector = detector(bench(model));
    let known = session.detectors.iter().find(|one| one.name == detector);
    (known.map(|one| (one.threshold, one.flagged, one.scored)), session.numbering)
}

/// The detector that is tried.
fn detector(bench: &PromptBench) -> &str {
    bench.sheet.as_ref().map_or("", |sheet| &sheet.detector)
}

fn key(model: &Model, action: Action) -> String {
    model.keymap.key_for(action).map(shown).unwrap_or_default()
}

/// Begins to type the line under the cursor.
fn edit(model: &mut Model) {
    match bench(model).text(bench(model).line(bench(model).at)) {
        Some(text) => panels::edit(model, &text),
        None => add(model),
    }
}

/// Begins to type a new line, or a further word of a class.
fn add(model: &mut Model) {
    let mut added = false;
    change(model, |bench| added = bench.add());
    let bench = bench(model);
    match bench.line(bench.at) {
        _ if added => panels::edit(model, ""),
        line @ BenchLine::Class(_) => {
            let text = format!("{}; ", bench.text(line).unwrap_or_default());
            panels::edit(model, &text);
        }
        _ => say(model, Level::Info, "nothing can be added here"),
    }
}

fn remove(model: &mut Model) {
    let bench = bench(model);
    let line = bench.line(bench.at);
    if matches!(line, BenchLine::Template(_)) && bench.words.templates.len() == 1 {
        return say(model, Level::Warning, "at least one template is needed");
    }
    let mut removed = false;
    change(model, |bench| removed = bench.remove());
    match line {
        _ if removed => {}
        BenchLine::Class(_) => say(model, Level::Info, "the class has no words beside its name"),
        _ => say(model, Level::Info, "headings and the temperature cannot be deleted"),
    }
}

/// Keeps the set on the screen with the session.
fn save(model: &mut Model, fx: &mut Effects) {
    let bench = bench(model);
    let refusal = match bench.fault() {
        Some(fault) => format!("not saved: {fault}"),
        None if bench.saving.is_some() => "they are being saved".to_owned(),
        None if !bench.is_edited() => "nothing was changed, so there is nothing to save".to_owned(),
        None => String::new(),
    };
    if !refusal.is_empty() {
        return say(model, Level::Warning, refusal);
    }
    let has = bench.sheet.as_ref().is_some_and(|sheet| sheet.temperature.is_some());
    let (prompts, temperature) = (Some(bench.words.clone()), has.then_some(bench.temperature));
    let command = Command::SetPrompts { ticket: show::ticket(model), prompts, temperature };
    Prompts.sent(model, &command);
    send(fx, command);
}

/// Drops what is not saved; without any, goes back to the configuration once that is confirmed.
fn reset(model: &mut Model) {
    let bench = bench(model);
    if bench.is_edited() {
        change(model, PromptBench::drop_edits);
        return say(model, Level::Info, "dropped what was not saved");
    }
    if !bench.sheet.as_ref().is_some_and(|sheet| sheet.own) {
        return say(model, Level::Info, "they are those of the configuration already");
    }
    let question =
        "return to the prompts and the temperature of the configuration? those of the session are deleted";
    let ticket = show::ticket(model);
    let command = Command::SetPrompts { ticket, prompts: None, temperature: None };
    open::ask(model, question.to_owned(), Consequence::Send(command));
}

/// The engine has kept a set, or has not.
fn kept(model: &mut Model, set: &PromptsSet) {
    let Some((_, reset)) = bench(model).saving.filter(|(ticket, _)| *ticket == set.ticket) else { return };
    let done = set.refused.is_empty();
    change(model, |bench| {
        bench.saving = None;
        bench.adopt = done && reset;
    });
    if !done {
        return say(model, Level::Error, format!("not saved: {}", set.refused));
    }
    let scan = key(model, Action::Scan);
    let what = if reset { "the prompts of the configuration count" } else { "saved" };
    say(model, Level::Info, format!("{what}; flags are of the prompts before until {scan} in the list"));
    if !matches!(model.mode, Mode::Panel(_)) {
        // Nothing asks for them again before the page is opened.
        change(model, |bench| bench.uncounted = true);
    }
}
