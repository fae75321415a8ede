//! The detectors as they are managed: their state and where they come from, what their last runs cost and changed.

use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::key::shown;
use crate::model::{Level, Model, Page, quoted};
use crate::paint::Paint;
use crate::text::{self, count};
use crate::theme::Role;
use crate::update::{detector, manage, panels, say, send};
use crate::view::blocks::{inner, waiting};
use chaffinch_protocol::{Command, DetectorForm, DetectorState, Overview, Query};
use ratatui::layout::{Position, Rect};

/// Lines about the chosen detector, at least.
const ABOUT: u16 = 10;

/// Where the cursor is.
#[derive(Clone, Debug, Default)]
struct Managed {
    at: usize,
    /// The detector there: others may come before it.
    name: String,
}

/// The detectors.
pub(super) struct Manage;

impl Page for Manage {
    fn name(&self) -> &'static str {
        "manage"
    }

    fn scope(&self) -> Scope {
        Scope::Panel
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::ManageDetectors]
    }

    fn hints(&self, model: &Model) -> Vec<Action> {
        use Action as A;
        let Some(form) = chosen(model) else { return vec![A::PanelClose] };
        let mut hints = vec![A::PanelClose, A::PanelDown];
        if kept_out(form) {
            hints.push(A::PanelLetIn);
        }
        if is_absent(form) {
            hints.push(A::PanelRemove);
        }
        if form.about.state != DetectorState::Refused && !form.about.removed {
            hints.push(A::PanelToggle);
        }
        if form.about.state != DetectorState::Refused && !is_absent(form) {
            hints.push(A::PanelRun);
        }
        if form.about.compared.is_some() {
            hints.extend([A::PanelNewly, A::PanelFormerly]);
        }
        if form.ran || model.idle().any(|idle| idle.name == form.name) {
            hints.push(A::PanelAccept);
        }
        if model.jobs.progress.is_some() {
            hints.push(A::PanelCancelJob);
        }
        hints
    }

    fn meaning(&self, _model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        Some(match action {
            Action::PanelAccept => ("parameters", "Set the detector's threshold and parameters"),
            Action::PanelRun => ("run", "Run the detector again"),
            _ => return None,
        })
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let area = inner(area);
        let Some(forms) = &model.panels.forms else {
            waiting(area, "looking at the detectors…", paint);
            return None;
        };
        if forms.is_empty() {
            waiting(
                area,
                "there are no detectors; chaffinch plugins list says where they are looked for",
                paint,
            );
            return None;
        }
        let head = line(["detector", "state", "flagged", "seconds", "memory"].map(str::to_owned), area.width);
        paint.put(area.x, area.y, area.width, Role::Title, &head);
        let (page, at) = (page(model), at(model));
        let first = at / page * page;
        let body = Rect { y: area.y + 1, height: page as u16, ..area };
        for (place, y) in (first..forms.len()).zip(body.top()..body.bottom().min(area.bottom())) {
            let here = place == at;
            paint.put(
                area.x,
                y,
                area.width,
                role(model, &forms[place], here),
                &row(model, &forms[place], area.width),
            );
            if here {
                let glyph = paint.theme.glyph(Role::Selected).to_owned();
                paint.put(area.x, y, 1, Role::Selected, &glyph);
                let style = paint.style(Role::Selected);
                paint.buffer.set_style(Rect { y, height: 1, ..area }, style);
            }
        }
        let rows = (forms.len() - first).min(page) as u16;
        let top = (area.y + 2 + rows).min(area.bottom());
        let rest = Rect { y: top, height: area.bottom() - top, ..area };
        let lines = about(model, &forms[at], usize::from(area.width));
        for ((role, words), y) in lines.iter().zip(rest.top()..rest.bottom()) {
            paint.put(rest.x, y, rest.width, *role, words);
        }
        None
    }

    fn open(&self, model: &mut Model, _action: Action, fx: &mut Effects) {
        panels::open(model, &Manage, fx);
    }

    fn act(&self, model: &mut Model, action: Action, fx: &mut Effects) -> bool {
        use Action as A;
        let last = model.panels.forms.as_ref().map_or(0, |forms| forms.len().saturating_sub(1));
        if let Some(to) = panels::moved(action, at(model), page(model), last) {
            go(model, to);
            return true;
        }
        let Some(form) = chosen(model).cloned() else { return false };
        match action {
            A::PanelAccept => parameters(model, &form, fx),
            A::PanelToggle => toggle(model, &form, fx),
            A::PanelLetIn if kept_out(&form) => {
                let known = form.about.state == DetectorState::SetAside;
                let detector = if known { form.name } else { form.about.path };
                manage::let_in(model, detector, form.about.digest, fx);
            }
            A::PanelLetIn if form.about.state == DetectorState::Refused => {
                say(model, Level::Warning, format!("{} cannot be loaded: {}", form.name, form.about.why));
            }
            A::PanelLetIn => say(model, Level::Info, format!("nothing keeps {} from running", form.name)),
            A::PanelRemove => remove(model, &form, fx),
            A::PanelRun => run(model, &form, fx),
            A::PanelNewly => compare(model, &form, true, fx),
            A::PanelFormerly => compare(model, &form, false, fx),
            _ => return false,
        }
        true
    }

    fn click(&self, model: &mut Model, _x: u16, y: u16) {
        let (page, at) = (page(model), at(model));
        let last = model.panels.forms.as_ref().map_or(0, |forms| forms.len().saturating_sub(1));
        if let Some(line) = y.checked_sub(2).filter(|line| usize::from(*line) < page) {
            go(model, panels::shown_at(line, at, page, last));
        }
    }

    fn overview(&self, _model: &Model) -> Option<Overview> {
        Some(Overview::Forms)
    }

    fn plain_lines(&self, model: &Model) -> Vec<String> {
        let forms = model.panels.forms.as_deref().unwrap_or_default();
        let lines = |form: &DetectorForm| {
            about(model, form, 1000).into_iter().map(|(_, words)| text::safe(&words).into_owned()).collect()
        };
        forms.iter().flat_map(|form| -> Vec<String> { lines(form) }).collect()
    }
}

/// Detectors that fit above what is said about one.
fn page(model: &Model) -> usize {
    let height = model.display.size.height.saturating_sub(3);
    usize::from(height.saturating_sub(ABOUT + 2).max(height / 3)).max(1)
}

fn at(model: &Model) -> usize {
    let forms = model.panels.forms.as_deref().unwrap_or_default();
    let Some(managed) = model.views.kept.get::<Managed>() else { return 0 };
    let same = forms.iter().position(|form| form.name == managed.name);
    same.unwrap_or(managed.at).min(forms.len().saturating_sub(1))
}

fn go(model: &mut Model, at: usize) {
    let forms = model.panels.forms.as_deref().unwrap_or_default();
    let name = forms.get(at).map(|form| form.name.clone()).unwrap_or_default();
    model.views.kept.change(|managed: &mut Managed| *managed = Managed { at, name });
}

fn chosen(model: &Model) -> Option<&DetectorForm> {
    model.panels.forms.as_ref()?.get(at(model))
}

/// Whether it runs again once it is let in.
fn kept_out(form: &DetectorForm) -> bool {
    matches!(form.about.state, DetectorState::SetAside | DetectorState::Changed)
}

/// Whether it is not loaded, and only its results are there.
fn is_absent(form: &DetectorForm) -> bool {
    form.about.state == DetectorState::NotLoaded || !form.about.written.is_empty()
}

fn running(model: &Model, form: &DetectorForm) -> bool {
    model.jobs.progress.as_ref().is_some_and(|progress| progress.stage == form.name)
}

fn state(model: &Model, form: &DetectorForm) -> &'static str {
    if running(model, form) {
        return "running";
    }
    match form.about.state {
        DetectorState::Ready if !form.ran => "not run yet",
        state => state.words(),
    }
}

fn role(model: &Model, form: &DetectorForm, here: bool) -> Role {
    match form.about.state {
        _ if running(model, form) => Role::Progress,
        DetectorState::SetAside | DetectorState::Changed | DetectorState::Outdated => Role::Warning,
        DetectorState::NotLoaded if form.about.removed => Role::Dim,
        DetectorState::NotLoaded => Role::Warning,
        DetectorState::Failed | DetectorState::Refused => Role::Error,
        DetectorState::Disabled | DetectorState::NotChosen => Role::Dim,
        DetectorState::Ready if here => Role::Given,
        DetectorState::Ready => Role::Text,
    }
}

/// A line of the table.
fn line(cells: [String; 5], width: u16) -> String {
    let room = usize::from(width).saturating_sub(2 + 13 + 10 + 10 + 11).clamp(8, 40);
    let [name, state, flagged, seconds, memory] = cells;
    let name = text::fit(&name, room).into_owned();
    let pad = " ".repeat(room.saturating_sub(text::width(&name)));
    format!("  {name}{pad} {state:<12}{flagged:>10}{seconds:>10}{memory:>11}")
}

fn row(model: &Model, form: &DetectorForm, width: u16) -> String {
    let about = &form.about;
    let flagged = about.flagged.map(count).unwrap_or_default();
    let cells = [
        form.name.clone(),
        state(model, form).to_owned(),
        flagged,
        about.seconds.map(seconds).unwrap_or_default(),
        about.memory.map(text::bytes).unwrap_or_default(),
    ];
    line(cells, width)
}

/// Two figures at least.
fn seconds(seconds: f64) -> String {
    if seconds < 0.95 { format!("{seconds:.2}") } else { format!("{seconds:.1}") }
}

/// Everything known about one.
fn about(model: &Model, form: &DetectorForm, width: usize) -> Vec<(Role, String)> {
    let about = &form.about;
    let mut lines = vec![(Role::Title, format!("{} {}  {}", form.name, form.version, form.summary))];
    let mut put = |role: Role, label: &str, words: String| {
        if words.is_empty() {
            return;
        }
        for (number, part) in text::wrap(&words, width.saturating_sub(11)).into_iter().enumerate() {
            let label = if number == 0 { label } else { "" };
            lines.push((role, format!("  {label:<8} {part}")));
        }
    };
    let bad = if matches!(about.state, DetectorState::Disabled | DetectorState::NotChosen) {
        Role::Dim
    } else {
        Role::Warning
    };
    put(bad, "why", about.why.clone());
    let key = |action| model.keymap.key_for(action).map(shown).unwrap_or_default();
    if let Some(compared) = about.compared {
        let words = format!(
            "{} newly flagged ({} lists them), {} no longer ({})",
            count(compared.newly),
            key(Action::PanelNewly),
            count(compared.formerly),
            key(Action::PanelFormerly)
        );
        // A run that failed found nothing to compare.
        let label = if about.state == DetectorState::Failed { "before" } else { "last run" };
        put(Role::Text, label, words);
    }
    for (number, line) in about.printed.lines().enumerate() {
        put(Role::Text, if number == 0 { "printed" } else { "" }, line.to_owned());
    }
    if is_absent(form) {
        let verb = if about.removed { "puts them back" } else { "removes them" };
        put(Role::Text, "results", format!("{} {verb}", key(Action::PanelRemove)));
    }
    let from = match about.origin.as_str() {
        "" => about.path.clone(),
        origin => format!("{origin}: {}", about.path),
    };
    put(Role::Text, "from", from);
    let code = about.digest.get(..12).unwrap_or(&about.digest);
    let pinned = if about.pinned { ", pinned" } else { "" };
    if !code.is_empty() {
        let speaks = if about.speaks.is_empty() { String::new() } else { format!(", {}", about.speaks) };
        put(Role::Text, "code", format!("{code}{speaks}{pinned}"));
    }
    if about.apart {
        put(Role::Text, "runs in", format!("a process of its own: {}; {}", about.limits, about.confined));
    } else if !about.speaks.is_empty() {
        put(Role::Text, "runs in", "the engine".into());
    }
    put(Role::Text, "needs", needs(form));
    lines
}

/// What it needs, in words.
fn needs(form: &DetectorForm) -> String {
    let about = &form.about;
    let mut words = about.needs.join(", ");
    for (label, names) in [("columns", &about.columns), ("after", &about.after)] {
        if !names.is_empty() {
            let comma = if words.is_empty() { "" } else { "; " };
            words.push_str(&format!("{comma}{label} {}", names.join(", ")));
        }
    }
    if words.is_empty() && !about.speaks.is_empty() { "nothing".into() } else { words }
}

/// Opens the page with the parameters of a detector.
fn parameters(model: &mut Model, form: &DetectorForm, fx: &mut Effects) {
    let idle = model.idle().any(|idle| idle.name == form.name);
    if !form.ran && !idle {
        let text = format!("{} is not loaded, so it has no parameters to set", form.name);
        return say(model, Level::Warning, text);
    }
    detector::tune(model, &form.name);
    model.panels.field = 0;
    super::detectors::Detectors.open(model, Action::Detectors, fx);
}

/// Enables or disables a detector in this session.
fn toggle(model: &mut Model, form: &DetectorForm, fx: &mut Effects) {
    if form.about.state == DetectorState::Refused {
        let words = format!("{} does not run: {}", form.name, form.about.why);
        return say(model, Level::Warning, words);
    }
    if form.about.removed {
        let key = model.keymap.key_for(Action::PanelRemove).map(shown).unwrap_or_default();
        let words = format!("the results of {} were removed; {key} puts them back", form.name);
        return say(model, Level::Warning, words);
    }
    let enabled = !form.enabled;
    let words = match enabled {
        true if is_absent(form) => "enabled in this session: its results count",
        // Nothing is told of how code that has changed would run.
        true if form.about.speaks.is_empty() => "enabled in this session: it runs once it is let in",
        true => "enabled in this session: it runs",
        false => "disabled in this session",
    };
    say(model, Level::Info, format!("{} {words}", form.name));
    send(fx, Command::Enable { detector: form.name.clone(), enabled });
}

/// Takes what a detector found that is not loaded out of the session, or puts it back.
fn remove(model: &mut Model, form: &DetectorForm, fx: &mut Effects) {
    if !is_absent(form) {
        let key = model.keymap.key_for(Action::PanelToggle).map(shown).unwrap_or_default();
        let words = format!(
            "{} is there, and the next scan would bring its results back: {key} disables it",
            form.name
        );
        return say(model, Level::Warning, words);
    }
    let back = form.about.removed;
    let key = model.keymap.key_for(Action::PanelRemove).map(shown).unwrap_or_default();
    let words = match back {
        true => format!("the results of {} are back", form.name),
        false => format!("the results of {} are removed; {key} puts them back", form.name),
    };
    say(model, Level::Info, words);
    send(fx, Command::RemoveResults { detector: form.name.clone(), back });
}

/// Runs a detector again.
fn run(model: &mut Model, form: &DetectorForm, fx: &mut Effects) {
    let key = model.keymap.key_for(Action::PanelLetIn).map(shown).unwrap_or_default();
    match form.about.state {
        _ if model.jobs.progress.is_some() => {
            say(model, Level::Warning, "a job is running: wait for it or cancel it first");
        }
        DetectorState::Refused | DetectorState::NotLoaded => {
            say(model, Level::Warning, format!("{} cannot run: {}", form.name, form.about.why));
        }
        DetectorState::SetAside | DetectorState::Changed => {
            say(model, Level::Warning, format!("{} does not run before it is let in: {key}", form.name));
        }
        _ => {
            say(model, Level::Info, format!("running {} again", form.name));
            send(fx, Command::Rerun { detector: form.name.clone(), params: Default::default() });
        }
    }
}

/// Lists what only one of a detector's last two runs flags.
fn compare(model: &mut Model, form: &DetectorForm, newly: bool, fx: &mut Effects) {
    if form.about.compared.is_none() {
        let words = format!("{} has not run twice on these samples", form.name);
        return say(model, Level::Warning, words);
    }
    let (term, words) = if newly { ("newly", "newly flagged") } else { ("formerly", "no longer flagged") };
    let filter = format!("{term}:{}", quoted(&form.name));
    panels::list(model, Query { all: true, filter, ..Query::default() }, fx);
    let back = model.keymap.key_for(Action::ClearFilter).map(shown).unwrap_or_default();
    say(model, Level::Info, format!("{words} by {}   {back} clears the filter", form.name));
}
