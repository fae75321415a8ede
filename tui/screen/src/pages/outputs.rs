//! Dialogs for what a session can write: a form that the engine describes, and a preview of what would be written. Nothing
//! here knows what a format or a policy is.

use crate::action::{Action, Scope};
use crate::effect::Effects;
use crate::key::shown;
use crate::model::{Consequence, Level, Mode, Model, Page};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use crate::update::{open, panels, say, send, show};
use crate::view::blocks::{bar_text, inner, waiting};
use crate::view::message;
use chaffinch_protocol::{
    Command, OutputCommand, OutputEvent, OutputField, OutputForm, OutputKind, OutputLine, OutputMark, Ticket,
};
use ratatui::layout::{Position, Rect};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Completions that are shown.
const OPTIONS: usize = 8;

/// What the open dialog knows.
#[derive(Clone, Debug, Default)]
struct Dialog {
    kind: OutputKind,
    /// The values that the reviewer has set; the others are the engine's.
    values: BTreeMap<String, String>,
    form: Option<OutputForm>,
    /// Whether the form on the screen is older than the values.
    outdated: bool,
    /// The pending request for a form.
    asked: Option<Ticket>,
    field: usize,
    /// The first line of the preview on the screen.
    top: usize,
    /// The request for completions.
    completing: Option<Ticket>,
    options: Vec<String>,
    /// What is being written.
    writing: Option<Ticket>,
    /// What was written.
    written: Option<Vec<OutputLine>>,
}

/// The dialogs.
pub(super) struct Outputs;

impl Page for Outputs {
    fn name(&self) -> &'static str {
        "outputs"
    }

    fn scope(&self) -> Scope {
        Scope::Panel
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Export, Action::Plan, Action::Report, Action::Apply]
    }

    fn hints(&self, model: &Model) -> Vec<Action> {
        use Action as A;
        let mut hints = vec![A::PanelClose, A::PanelRun, A::PanelDown, A::PanelRight, A::PanelAccept];
        if dialog(model).writing.is_some() || dialog(model).asked.is_some() {
            hints.insert(1, A::PanelCancelJob);
        }
        hints.extend([A::PanelPageDown, A::PanelPageUp, A::PanelReset]);
        hints
    }

    fn meaning(&self, model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        Some(match action {
            Action::PanelRun => ("write", "Write it with the values on the screen"),
            Action::PanelDown => ("next field", "Go to the next field"),
            Action::PanelUp => ("field above", "Go to the field above"),
            Action::PanelRight => ("next value", "Take the next value of the field"),
            Action::PanelLeft => ("value before", "Take the value before this one"),
            Action::PanelAccept if chosen(model).is_some_and(|field| field.choices.is_empty()) => {
                ("type", "Type where to write it; Tab completes")
            }
            Action::PanelAccept => ("next value", "Take the next value of the field"),
            Action::PanelPageDown => ("more", "Scroll the preview down"),
            Action::PanelPageUp => ("back", "Scroll the preview up"),
            Action::PanelStart => ("start", "Scroll the preview to its start"),
            Action::PanelEnd => ("end", "Scroll the preview to its end"),
            Action::PanelReset => ("default", "Reset the field to its default"),
            _ => return None,
        })
    }

    fn draw(&self, model: &Model, area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let area = inner(area);
        let dialog = dialog(model);
        paint.put(area.x, area.y, area.width, Role::Title, title(dialog.kind));
        let Some(form) = &dialog.form else {
            waiting(area, "looking at what there is to write…", paint);
            return None;
        };
        let mut y = area.y + 1;
        let mut cursor = None;
        for (index, field) in form.fields.iter().enumerate() {
            if y >= area.bottom() {
                return cursor;
            }
            let row = Rect { y, height: 1, ..area };
            cursor = cursor.or(draw_field(model, field, index == dialog.field, row, paint));
            y += 1;
        }
        let help = chosen(model).map(|field| field.help.as_str()).unwrap_or_default();
        paint.put(area.x + 2, y, area.width.saturating_sub(2), Role::Dim, help);
        y += 2;
        let rest = Rect { y: y.min(area.bottom()), height: area.bottom().saturating_sub(y), ..area };
        if model.typing().is_some() && !dialog.options.is_empty() {
            for (option, y) in dialog.options.iter().take(OPTIONS).zip(rest.top()..rest.bottom()) {
                paint.put(
                    area.x + 2,
                    y,
                    area.width.saturating_sub(2),
                    Role::Key,
                    &text::fit_path(option, usize::from(area.width.saturating_sub(3))),
                );
            }
            let more = dialog.options.len().saturating_sub(OPTIONS);
            if more > 0 && usize::from(rest.height) > OPTIONS {
                paint.put(
                    area.x + 2,
                    rest.y + OPTIONS as u16,
                    area.width,
                    Role::Dim,
                    &format!("and {more} more"),
                );
            }
            return cursor;
        }
        let lines = shown_lines(model, dialog);
        let height = usize::from(rest.height);
        let top = dialog.top.min(lines.len().saturating_sub(height));
        for ((role, words), y) in lines.iter().skip(top).zip(rest.top()..rest.bottom()) {
            paint.put(area.x, y, area.width, *role, words);
        }
        let below = lines.len().saturating_sub(top + height);
        if below > 0 {
            paint.put_right(area.right(), area.bottom() - 1, area.width, Role::Dim, &format!("  ▾{below} "));
        }
        cursor
    }

    fn open(&self, model: &mut Model, action: Action, fx: &mut Effects) {
        let kind = match action {
            Action::Plan => OutputKind::Plan,
            Action::Report => OutputKind::Report,
            Action::Apply => OutputKind::Apply,
            _ => OutputKind::Export,
        };
        model.views.kept.change(|dialog: &mut Dialog| {
            // What is being written goes on, whatever is looked at meanwhile.
            let writing = dialog.writing;
            *dialog = Dialog { kind, writing, outdated: true, ..Dialog::default() };
        });
        panels::open(model, &Outputs, fx);
    }

    fn act(&self, model: &mut Model, action: Action, fx: &mut Effects) -> bool {
        use Action as A;
        let fields = dialog(model).form.as_ref().map_or(0, |form| form.fields.len());
        let page = usize::from(model.display.size.height / 2).max(1);
        let most = shown_lines(model, dialog(model)).len();
        let change = |model: &mut Model, change: &dyn Fn(&mut Dialog)| model.views.kept.change(change);
        match action {
            A::PanelUp => change(model, &|dialog| dialog.field = dialog.field.saturating_sub(1)),
            A::PanelDown | A::PanelNext => {
                change(model, &|dialog| dialog.field = (dialog.field + 1).min(fields.saturating_sub(1)));
            }
            A::PanelPrevious => change(model, &|dialog| dialog.field = dialog.field.saturating_sub(1)),
            A::PanelPageDown => change(model, &|dialog| dialog.top = (dialog.top + page).min(most)),
            A::PanelPageUp => change(model, &|dialog| dialog.top = dialog.top.min(most).saturating_sub(page)),
            A::PanelStart => change(model, &|dialog| dialog.top = 0),
            A::PanelEnd => change(model, &|dialog| dialog.top = most.saturating_sub(page)),
            A::PanelLeft => step(model, false),
            A::PanelRight => step(model, true),
            A::PanelReset => {
                if let Some(name) = chosen(model).map(|field| field.name.clone()) {
                    change(model, &|dialog| {
                        dialog.values.remove(&name);
                        dialog.outdated = true;
                    });
                }
            }
            A::PanelAccept => match chosen(model) {
                Some(field) if field.choices.is_empty() => {
                    let value = field.value.clone();
                    change(model, &|dialog| dialog.options.clear());
                    panels::edit(model, &value);
                }
                _ => step(model, true),
            },
            A::PanelRun => return write(model, fx),
            _ => return false,
        }
        true
    }

    fn submit(&self, model: &mut Model, text: &str) {
        let Some(name) = chosen(model).map(|field| field.name.clone()) else { return };
        model.views.kept.change(|dialog: &mut Dialog| {
            dialog.values.insert(name, text.to_owned());
            dialog.options.clear();
            dialog.outdated = true;
        });
    }

    /// Asks the engine how the path can go on.
    fn complete(&self, model: &mut Model, fx: &mut Effects) -> bool {
        let Some(text) = model.typing().map(|line| line.text.clone()) else { return false };
        let ticket = show::ticket(model);
        model.views.kept.change(|dialog: &mut Dialog| dialog.completing = Some(ticket));
        send(fx, Command::Output(OutputCommand::Complete { ticket, text }));
        true
    }

    /// Asks for the form of the values, once it is open.
    fn request(&self, model: &mut Model, fx: &mut Effects) {
        let dialog = dialog(model);
        let open = model.panel().is_some_and(|page| page.name() == self.name());
        // The path on the screen is not changed while another one is typed.
        if !open || !dialog.outdated || model.typing().is_some() {
            return;
        }
        let (kind, values) = (dialog.kind, dialog.values.clone());
        let ticket = show::ticket(model);
        model.views.kept.change(|dialog: &mut Dialog| {
            dialog.outdated = false;
            dialog.asked = Some(ticket);
        });
        send(fx, Command::Output(OutputCommand::Form { ticket, kind, values }));
    }

    fn output(&self, model: &mut Model, event: &OutputEvent) {
        match event {
            OutputEvent::Form(form) => {
                model.views.kept.change(|dialog: &mut Dialog| {
                    if dialog.asked != Some(form.ticket) {
                        return;
                    }
                    dialog.field = dialog.field.min(form.fields.len().saturating_sub(1));
                    // The preview on the screen stays until there is another one, so that nothing flickers.
                    let shown = dialog.form.take().filter(|_| form.unfinished);
                    let OutputForm { preview, obstacle, .. } = shown.unwrap_or_else(|| form.clone());
                    dialog.form = Some(OutputForm { preview, obstacle, ..form.clone() });
                    if !form.unfinished {
                        dialog.asked = None;
                    }
                });
            }
            OutputEvent::Completed { ticket, text, options } => completed(model, *ticket, text, options),
            OutputEvent::Written { ticket, lines } => {
                let own = ended(model, *ticket);
                let first = lines.first().map_or("", |line| line.text.as_str());
                let worst = lines.iter().any(|line| line.mark == OutputMark::Warning);
                let level = if worst { Level::Warning } else { Level::Info };
                say(model, level, format!("written: {first}"));
                if own {
                    model.views.kept.change(|dialog: &mut Dialog| {
                        dialog.written = Some(lines.clone());
                        (dialog.top, dialog.outdated) = (0, false);
                    });
                }
            }
            OutputEvent::NotWritten { ticket, message } => {
                let own = ended(model, *ticket);
                say(model, Level::Error, message.clone());
                if own {
                    model.views.kept.change(|dialog: &mut Dialog| dialog.outdated = true);
                }
            }
        }
    }

    fn sent(&self, model: &mut Model, command: &Command) {
        if let Command::Output(OutputCommand::Write { ticket, .. }) = command {
            model.views.kept.change(|dialog: &mut Dialog| dialog.writing = Some(*ticket));
        }
    }

    /// The preview is of other values than those on the screen.
    fn busy(&self, model: &Model) -> bool {
        let dialog = dialog(model);
        dialog.outdated || dialog.asked.is_some()
    }

    fn loading(&self, model: &Model) -> bool {
        model.views.kept.get::<Dialog>().is_none_or(|dialog| dialog.form.is_none())
    }

    fn invalidate(&self, model: &mut Model) {
        model.views.kept.change(|dialog: &mut Dialog| dialog.outdated = dialog.written.is_none());
    }

    fn plain_lines(&self, model: &Model) -> Vec<String> {
        let dialog = dialog(model);
        let mut lines = vec![title(dialog.kind).to_owned()];
        for field in dialog.form.iter().flat_map(|form| &form.fields) {
            lines.push(format!("{}: {}. {}", field.name, text::safe(&field.value), field.help));
        }
        lines.extend(shown_lines(model, dialog).into_iter().map(|(_, words)| words.into_owned()));
        lines
    }
}

fn title(kind: OutputKind) -> &'static str {
    match kind {
        OutputKind::Export => "Export decisions",
        OutputKind::Plan => "Plan changes to the dataset",
        OutputKind::Report => "Write a report",
        OutputKind::Apply => "Write a changed copy; the dataset itself is left as it is",
    }
}

fn dialog(model: &Model) -> &Dialog {
    static NONE: LazyLock<Dialog> = LazyLock::new(Dialog::default);
    model.views.kept.get::<Dialog>().unwrap_or(&NONE)
}

/// The field under the cursor.
fn chosen(model: &Model) -> Option<&OutputField> {
    let dialog = model.views.kept.get::<Dialog>()?;
    dialog.form.as_ref()?.fields.get(dialog.field)
}

/// Draws a field. Returns where the text cursor is, if its value is being typed.
fn draw_field(
    model: &Model,
    field: &OutputField,
    here: bool,
    area: Rect,
    paint: &mut Paint<'_>,
) -> Option<Position> {
    const NAMES: u16 = 10;
    paint.put(area.x + 2, area.y, NAMES, if here { Role::Given } else { Role::Text }, &field.name);
    let at = area.x + 3 + NAMES;
    let room = area.right().saturating_sub(at);
    if here && let Some(line) = model.typing() {
        return Some(message::line(line, Rect { x: at, width: room, ..area }, paint));
    }
    let fits = usize::from(room.saturating_sub(4));
    let value = match field.choices.is_empty() {
        true => text::fit_path(&field.value, fits),
        false => text::fit(&field.value, fits),
    };
    let words = if here { format!("‹ {value} ›") } else { format!("  {value}") };
    let x = paint.put(at, area.y, room, Role::Text, &words) + 2;
    if let Some(choice) = field.choices.iter().find(|choice| choice.name == field.value) {
        paint.put(x, area.y, area.right().saturating_sub(x), Role::Dim, &choice.summary);
    }
    if here {
        let glyph = paint.theme.glyph(Role::Selected).to_owned();
        paint.put(area.x, area.y, 1, Role::Selected, &glyph);
        let style = paint.style(Role::Selected);
        paint.buffer.set_style(area, style);
    }
    None
}

/// What is shown below the form: what was written, or what would be.
fn shown_lines<'d>(model: &Model, dialog: &'d Dialog) -> Vec<(Role, Cow<'d, str>)> {
    let mut lines = Vec::new();
    let line = |line: &'d OutputLine| (role(line.mark), Cow::from(&line.text));
    if dialog.writing.is_some() {
        let cancel = model.keymap.key_for(Action::PanelCancelJob).map(shown).unwrap_or_default();
        lines.push((Role::Info, format!("writing…   {cancel} stops it, and nothing is left behind").into()));
        if let Some(progress) = model.jobs.progress.as_ref().filter(|progress| progress.total > 0) {
            lines.push((
                Role::Progress,
                bar_text(model, progress.done as f64 / progress.total as f64, 40).into(),
            ));
        }
        lines.push((Role::Text, Cow::default()));
    }
    if let Some(written) = &dialog.written {
        lines.push((Role::Title, "Written".into()));
        lines.extend(written.iter().map(line));
        return lines;
    }
    if dialog.asked.is_some() || dialog.outdated {
        let cancel = model.keymap.key_for(Action::PanelCancelJob).map(shown).unwrap_or_default();
        lines.push((Role::Dim, format!("looking at what would be written…   {cancel} cancels it").into()));
    }
    let Some(form) = &dialog.form else { return lines };
    if !form.obstacle.is_empty() {
        lines.push((Role::Error, Cow::from(&form.obstacle)));
    }
    lines.extend(form.preview.iter().map(line));
    lines
}

fn role(mark: OutputMark) -> Role {
    match mark {
        OutputMark::Text => Role::Text,
        OutputMark::Heading => Role::Title,
        OutputMark::Removed => Role::Remove,
        OutputMark::Changed => Role::Relabel,
        OutputMark::Remark => Role::Dim,
        OutputMark::Warning => Role::Warning,
    }
}

/// Takes the next value of the field under the cursor, or the one before.
fn step(model: &mut Model, forward: bool) {
    let Some(field) = chosen(model).filter(|field| !field.choices.is_empty()) else {
        let key = model.keymap.key_for(Action::PanelAccept).map(shown).unwrap_or_default();
        return say(model, Level::Info, format!("{key} types a path"));
    };
    let count = field.choices.len();
    let at = field.choices.iter().position(|choice| choice.name == field.value).unwrap_or(0);
    let next = if forward { (at + 1) % count } else { (at + count - 1) % count };
    let (name, value) = (field.name.clone(), field.choices[next].name.clone());
    model.views.kept.change(|dialog: &mut Dialog| {
        // The next key starts from what is seen, before the engine has answered.
        if let Some(form) = &mut dialog.form
            && let Some(field) = form.fields.iter_mut().find(|field| field.name == name)
        {
            field.value.clone_from(&value);
        }
        dialog.values.insert(name.clone(), value.clone());
        (dialog.outdated, dialog.written, dialog.top) = (true, None, 0);
    });
}

/// Writes what is on the screen; what would be replaced is asked about first.
fn write(model: &mut Model, fx: &mut Effects) -> bool {
    let dialog = dialog(model).clone();
    let Some(form) = &dialog.form else {
        say(model, Level::Warning, "the engine has not answered yet");
        return true;
    };
    let refusal = match () {
        () if dialog.writing.is_some() => "it is still being written",
        () if dialog.written.is_some() => "it is written; change a value to write another one",
        () if dialog.outdated || dialog.asked.is_some() => "what would be written is still being looked at",
        () => form.obstacle.as_str(),
    };
    if !refusal.is_empty() {
        say(model, Level::Warning, refusal.to_owned());
        return true;
    }
    let ticket = show::ticket(model);
    let values = form.fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect();
    let replace = !form.replaces.is_empty();
    let command = Command::Output(OutputCommand::Write { ticket, kind: dialog.kind, values, replace });
    if replace {
        open::ask(model, form.replaces.clone(), Consequence::Send(command));
        return true;
    }
    Outputs.sent(model, &command);
    send(fx, command);
    true
}

/// What was being written is written, or is not. Returns whether it was started here.
fn ended(model: &mut Model, ticket: Ticket) -> bool {
    let own = dialog(model).writing == Some(ticket);
    if own {
        model.views.kept.change(|dialog: &mut Dialog| dialog.writing = None);
    }
    own
}

/// The engine knows how the path can go on: as far as all ways agree, it goes on, and they are listed.
fn completed(model: &mut Model, ticket: Ticket, text: &str, options: &[String]) {
    let awaited = dialog(model).completing == Some(ticket);
    let Mode::Panel(panel) = &mut model.mode else { return };
    let Some(line) = panel.editing.as_mut().filter(|line| awaited && line.text == text) else { return };
    let common =
        options.iter().skip(1).fold(options.first().cloned().unwrap_or_default(), |common, option| {
            let same = common.chars().zip(option.chars()).take_while(|(a, b)| a == b);
            same.map(|(c, _)| c).collect()
        });
    if common.len() > line.text.len() {
        *line = crate::model::Line::new(&common);
    }
    let listed = if options.len() > 1 { options.to_vec() } else { Vec::new() };
    let none = options.is_empty();
    model.views.kept.change(|dialog: &mut Dialog| {
        dialog.completing = None;
        dialog.options = listed;
    });
    if none {
        say(model, Level::Info, "nothing there begins like this; it would be new");
    }
}
