//! Line mode: for screen readers, for dumb terminals and for scripts. The same
//! model, keys and actions as on the screen; nothing is ever overwritten.

mod conflicts;
mod describe;
mod outcome;
mod questions;
mod words;

use crate::action::Action;
use crate::key::{KeyChord, parse_sequence};
use crate::looks::Looks;
use crate::model::{Level, Mode, Model};
use crate::run::ExitReason;
use crate::text::counted;
use crate::update::{Effect, Msg, update};
use anyhow::{Result, bail};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, Event, Ticket};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use outcome::{Failed, Heard, Outcome};
use ratatui::layout::Size;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};
use words::Order;

/// How long to wait for a response before reading the next line anyway.
const PATIENCE: Duration = Duration::from_secs(60);

/// How lines are read and written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Interactive: a prompt is written before each line.
    pub prompt: bool,
    /// A scan was requested; wait for its end before describing the first sample.
    pub scanning: bool,
}

/// Runs until the lines end or `quit` is one of them. A script ends at a question that its next line does not answer.
///
/// # Errors
/// When output fails, when a line of a script was not understood or not carried out, when a question was not answered, or
/// when anything was not saved.
pub fn run(
    commands: Sender<Command>,
    events: Receiver<Event>,
    looks: Looks,
    manner: Manner,
    input: impl BufRead,
    out: &mut dyn Write,
) -> Result<ExitReason> {
    let mut model = Model::new(looks.keymap.clone(), looks.theme.clone(), Size::new(100, 40));
    model.views.spoken = true;
    model.views.afresh = !manner.prompt;
    looks.furnish(&mut model);
    model.display.pictures_on = false;
    model.jobs.scan_when_stale = false;
    let mut plain = Plain {
        model,
        commands,
        events,
        out,
        over: None,
        told: None,
        said: None,
        heard: Heard::default(),
        scanning: manner.scanning,
        script: !manner.prompt,
        lost: false,
        started: Instant::now(),
    };
    plain.wait(|plain| !plain.scanning)?;
    plain.settle()?;
    // An engine that never said anything has said why elsewhere.
    if let (None, Some(reason)) = (&plain.model.session, plain.over) {
        return Ok(reason);
    }
    plain.greet()?;
    let mut failed = Failed::default();
    let mut lines = input.lines();
    let unanswered = loop {
        let line = lines.next().transpose()?;
        if let Some(why) = plain.unanswered(line.as_deref().map(str::trim), manner) {
            break Some(why);
        }
        let Some(line) = line else { break None };
        failed.count(plain.line(line.trim())?);
        if plain.over.is_some() {
            break None;
        }
        if manner.prompt {
            plain.put("> ")?;
        }
    };
    if plain.over.is_none() {
        plain.model.mode = Mode::List;
        plain.send(Msg::Act(Action::Quit))?;
        plain.wait(|plain| plain.over.is_some())?;
    }
    let reason = plain.over.unwrap_or(ExitReason::EngineGone);
    let words: Vec<String> = [unanswered, failed.words(manner.prompt)].into_iter().flatten().collect();
    if reason == ExitReason::Quit && !words.is_empty() {
        bail!(words.join("; "));
    }
    Ok(reason)
}

struct Plain<'a> {
    model: Model,
    commands: Sender<Command>,
    events: Receiver<Event>,
    out: &'a mut dyn Write,
    over: Option<ExitReason>,
    /// The sample that was described last, and the list and the page it stood in.
    told: Option<(SampleId, Ticket, &'static str)>,
    /// The message that was written last.
    said: Option<(Level, String)>,
    heard: Heard,
    scanning: bool,
    /// Whether lines come from a script, which does not wait to see what became of the one before.
    script: bool,
    /// A line failed that would have chosen a sample or gone on to the next: what is decided now may be meant for another one.
    lost: bool,
    started: Instant,
}

impl Plain<'_> {
    fn put(&mut self, text: &str) -> Result<()> {
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }

    fn tell(&mut self, line: &str) -> Result<()> {
        // Text from files is already sanitized; this is for typed text.
        let line = crate::text::safe(line).into_owned();
        self.put(&format!("{line}\n"))
    }

    fn send(&mut self, msg: Msg) -> Result<()> {
        for effect in update(&mut self.model, msg) {
            match effect {
                Effect::Send(command) => {
                    if self.commands.send(command).is_err() {
                        // What it said last tells why it is gone.
                        let dismissed =
                            self.events.try_iter().any(|event| matches!(event, Event::Dismissed { .. }));
                        let reason = if dismissed { ExitReason::Dismissed } else { ExitReason::EngineGone };
                        self.over.get_or_insert(reason);
                    }
                }
                Effect::Copy(text) => self.tell(&text)?,
                Effect::Quit(0) => {
                    self.over.get_or_insert(ExitReason::Quit);
                }
                Effect::Quit(open) => {
                    self.over.get_or_insert(ExitReason::Unsaved(open));
                }
                Effect::Gone => {
                    self.over.get_or_insert(ExitReason::EngineGone);
                }
                Effect::Run(words) => self.tell(&format!("! not in line mode: {}", words.join(" ")))?,
                Effect::Dismissed => {
                    self.over.get_or_insert(ExitReason::Dismissed);
                }
                Effect::Encode(_) | Effect::Redraw | Effect::Mouse(_) | Effect::Suspend => {}
            }
        }
        Ok(())
    }

    /// Handles events until a condition holds or the engine has been silent for too long.
    fn wait(&mut self, done: impl Fn(&Plain<'_>) -> bool) -> Result<()> {
        let mut limit = Instant::now() + PATIENCE;
        while !done(self) && self.over.is_none_or(|over| over == ExitReason::Quit) && Instant::now() < limit {
            match self.events.recv_timeout(Duration::from_millis(50)) {
                Ok(event) => {
                    limit = Instant::now() + PATIENCE;
                    self.scanning &= !matches!(event, Event::ScanDone(_) | Event::Bye { .. });
                    self.heard.note(&event);
                    self.send(Msg::Engine(event))?;
                }
                Err(RecvTimeoutError::Timeout) => {
                    // A long stage of a scan may be silent for longer than any question may.
                    if self.scanning {
                        limit = Instant::now() + PATIENCE;
                    }
                    self.tick()?;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.over.get_or_insert(ExitReason::EngineGone);
                }
            }
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<()> {
        let now = self.started.elapsed().as_millis() as u64;
        self.send(Msg::Tick(now.max(self.model.time.now)))
    }

    /// Waits until all requests are answered and all decisions are on disk.
    fn settle(&mut self) -> Result<()> {
        // The clock jumps ahead, so that nothing waits for keys to rest.
        let later = self.model.time.now + 1_000;
        self.send(Msg::Tick(later))?;
        self.wait(|plain| {
            let (model, list) = (&plain.model, &plain.model.list);
            let still = list.searching.is_none()
                && list.incoming.is_none()
                && list.finding.is_none()
                && list.locating.is_none();
            let idle = model.list.walk.is_none() && model.macros.replay.is_empty();
            let idle = idle && model.next.is_none() && model.review.resolving.is_none();
            let idle = idle && !model.views.page.busy(model) && model.ahead.is_empty();
            let saved = model.review.journal.outstanding.is_empty() && model.time.threshold.is_none();
            let fresh = model.sample().is_some_and(|sample| model.details.fresh(sample));
            let counted = !model.panels.awaited && model.panel().is_none_or(|page| !page.busy(model));
            list.ticket != 0 && still && idle && saved && counted && (list.total == 0 || fresh)
        })
    }

    fn greet(&mut self) -> Result<()> {
        let words = match &self.model.session {
            Some(session) => format!(
                "{}: {} in {}, {} decided in all. This list: {}. Type help for the commands.",
                session.dataset,
                counted(session.suspects, "suspect", "suspects"),
                counted(session.samples, "sample", "samples"),
                session.decided,
                self.model.decided_words()
            ),
            None => "the engine does not respond".to_owned(),
        };
        self.tell(&words)?;
        let model = self.model.session.as_ref().map(|session| session.model.clone()).unwrap_or_default();
        if !model.is_empty() {
            self.tell(&format!("model: {model}"))?;
        }
        let obstacle =
            self.model.session.as_ref().map(|session| session.obstacle.clone()).unwrap_or_default();
        if !obstacle.is_empty() {
            self.tell(&format!("not updated: {obstacle}"))?;
        }
        if self.model.session.as_ref().is_some_and(|session| session.blind.is_some()) {
            let ends = Action::ToggleBlind.name();
            self.tell(&format!("! blind review: what others decided is hidden until {ends} ends it"))?;
        }
        let disputed = self.model.session.as_ref().map_or(0, |session| session.disputed);
        if disputed > 0 {
            let samples = counted(disputed, "sample", "samples");
            let (name, them) = (Action::Conflicts.name(), if disputed == 1 { "it" } else { "them" });
            self.tell(&format!("! reviewers disagree on {samples}: type {name} to list and settle {them}"))?;
        }
        let remarks = self.model.session.iter().flat_map(|session| &session.reading.remarks);
        let remarks: Vec<String> = remarks
            .map(|remark| {
                let sign = if remark.kind.is_serious() { "! " } else { "note: " };
                format!("{sign}{}", remark.text)
            })
            .collect();
        for line in remarks {
            self.tell(&line)?;
        }
        self.model.toast = None;
        self.describe()
    }

    /// Runs one line.
    fn line(&mut self, line: &str) -> Result<Outcome> {
        self.said = None;
        self.model.toast = None;
        self.heard = Heard::default();
        let mut order = Ok(Order::Again);
        let outcome = match &self.model.mode {
            Mode::Confirm(_) => match words::answer(line) {
                Some(yes) => {
                    self.send(Msg::Key(KeyChord::char(if yes { 'y' } else { 'n' }).into()))?;
                    Outcome::Done
                }
                // It is asked again.
                None => {
                    self.tell(&format!("! '{line}' is not an answer: type yes or no"))?;
                    Outcome::NotUnderstood
                }
            },
            Mode::Prompt(_) | Mode::Picker(_) => self.fill_in(line)?,
            _ => {
                order = words::order(&self.model.keymap, line);
                match order.clone() {
                    Ok(known) if self.lost && known.decides() => {
                        self.tell(&format!(
                            "! '{line}' was not done: an earlier line failed, so it may mean another sample; choose one with filter, \
                             search, top or go"
                        ))?;
                        Outcome::NotDone
                    }
                    Ok(known) => self.order(known)?,
                    Err(why) => {
                        self.tell(&format!("! {why}"))?;
                        Outcome::NotUnderstood
                    }
                }
            }
        };
        if self.over.is_some() {
            return Ok(outcome);
        }
        self.settle()?;
        let mistaken = self.mistaken()?;
        let level = self.model.toast.as_ref().map(|toast| toast.level);
        self.report()?;
        let outcome = match outcome {
            Outcome::Done if mistaken => Outcome::NotUnderstood,
            Outcome::Done => self.heard.outcome(level),
            outcome => outcome,
        };
        self.lost = self.script
            && match outcome {
                Outcome::Done => self.lost && !order.as_ref().is_ok_and(Order::chooses),
                _ => self.lost || order.as_ref().ok().is_none_or(Order::leads),
            };
        Ok(outcome)
    }

    /// Says what is wrong with a filter, and where. Returns whether something is.
    fn mistaken(&mut self) -> Result<bool> {
        let Mode::Prompt(prompt) = &self.model.mode else { return Ok(false) };
        let Some(wrong) = prompt.wrong.clone() else { return Ok(false) };
        let word = wrong.at.and_then(|(start, end)| prompt.line.text.get(start..end)).unwrap_or_default();
        let place = if word.is_empty() { String::new() } else { format!(" (at '{word}')") };
        self.model.mode = Mode::List;
        self.tell(&format!("error: {}{place}; the list is unchanged", wrong.message))?;
        Ok(true)
    }

    fn order(&mut self, order: Order) -> Result<Outcome> {
        match order {
            Order::Again => self.told = None,
            Order::Help => {
                for line in words::help(&self.model.keymap) {
                    self.tell(&line)?;
                }
            }
            Order::Export => {
                for line in describe::export(&self.model) {
                    self.tell(&line)?;
                }
                // A script that goes on as if something had been written must not succeed.
                return Ok(Outcome::NotDone);
            }
            Order::Go(place) => {
                let Some(row) = place.row(self.model.list.cursor, self.model.list.total) else {
                    self.tell("! the list is empty")?;
                    return Ok(Outcome::NotDone);
                };
                self.send(Msg::Act(Action::Palette))?;
                self.send(Msg::Paste((row + 1).to_string()))?;
                self.send(Msg::Act(Action::PromptAccept))?;
            }
            // What follows may have been meant for something else: nothing is decided by half a line.
            Order::Act(action, rest) if !rest.is_empty() && action.decides() => {
                self.tell(&format!("! '{}' takes no argument, so it was not done: '{rest}'", action.name()))?;
                return Ok(Outcome::NotUnderstood);
            }
            Order::Act(action, rest) => {
                self.send(Msg::Act(action))?;
                self.settle()?;
                if action == Action::Conflicts && self.model.views.page.adjudicates() {
                    self.conflicts()?;
                }
                if !rest.is_empty() && matches!(self.model.mode, Mode::Prompt(_) | Mode::Picker(_)) {
                    return self.fill_in(&rest);
                }
                if !rest.is_empty() && action.takes_words() {
                    // What is in the way is said as in the list.
                    self.tell(&format!("! '{} {rest}' was not done", action.name()))?;
                    return Ok(Outcome::NotDone);
                }
                if !rest.is_empty() {
                    self.tell(&format!("! '{}' takes no argument: '{rest}' was ignored", action.name()))?;
                    return Ok(Outcome::NotUnderstood);
                }
            }
        }
        Ok(Outcome::Done)
    }

    /// Puts a line into the open prompt; an empty one closes it.
    fn fill_in(&mut self, line: &str) -> Result<Outcome> {
        if line.is_empty() {
            self.send(Msg::Act(Action::PromptCancel))?;
            return Ok(Outcome::Done);
        }
        self.send(Msg::Act(Action::PromptEnd))?;
        self.send(Msg::Act(Action::PromptDeleteLine))?;
        self.send(Msg::Paste(line.to_owned()))?;
        self.send(Msg::Act(Action::PromptAccept))?;
        Ok(Outcome::Done)
    }

    /// Writes what happened, any question, and the sample if it has changed.
    fn report(&mut self) -> Result<()> {
        if let Some(toast) = self.model.toast.take() {
            let said = (toast.level, toast.text.clone());
            if self.said.as_ref() != Some(&said) {
                let sign = match toast.level {
                    Level::Info => "",
                    Level::Warning => "! ",
                    Level::Error => "error: ",
                };
                self.tell(&format!("{sign}{}", toast.text))?;
                self.said = Some(said);
            }
        }
        if self.heard.saved {
            let words = self.model.decided_words();
            self.tell(&words)?;
        }
        match &self.model.mode {
            Mode::List => {
                if self.told.is_none() || self.told != self.here() {
                    self.describe()?;
                }
            }
            Mode::Confirm(confirm) => {
                let question = format!("{} (yes or no)", confirm.question);
                self.tell(&question)?;
            }
            Mode::Panel(_) => {
                for line in describe::page(&self.model) {
                    self.tell(&line)?;
                }
                self.model.mode = Mode::List;
            }
            Mode::Prompt(_) | Mode::Picker(_) => {
                for line in describe::question(&self.model) {
                    self.tell(&line)?;
                }
            }
        }
        Ok(())
    }

    fn here(&self) -> Option<(SampleId, Ticket, &'static str)> {
        Some((self.model.sample()?, self.model.list.ticket, self.model.views.page.name()))
    }

    fn describe(&mut self) -> Result<()> {
        self.told = self.here();
        for line in describe::sample(&self.model) {
            self.tell(&line)?;
        }
        Ok(())
    }
}

/// The keys of a line, if all of it is keys.
fn keys(line: &str) -> Option<Vec<KeyChord>> {
    parse_sequence(line).ok()
}
