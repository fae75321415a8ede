//! A session as the engine tells it, one question at a time.

use super::line::Line;
use anyhow::{Result, bail};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{
    Command, Detail, Event, Overview, Overviewed, Picture, Progress, Query, Row, SessionSummary, Ticket,
};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, select};
use serde::Deserialize;
use std::time::{Duration, Instant};

/// How long the engine may take to open the session, which it does with a scan of what is new still to come.
const OPENING: Duration = Duration::from_secs(150);
/// How long an answer may take: a search may have to load a model first.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long the first answers wait for what the last scan stored.
const SETTLING: Duration = Duration::from_secs(5);

/// The engine's end of a conversation.
pub(super) struct Review {
    commands: Sender<Command>,
    events: Receiver<Event>,
    pub(super) summary: SessionSummary,
    /// What a scan that is running is doing.
    pub(super) scanning: Option<Progress>,
    /// What went wrong since it was last asked for.
    pub(super) troubles: Vec<String>,
    ticket: Ticket,
    /// Whether it was waited for what the last scan stored, which is read after the session is open.
    settled: bool,
    /// Whether a scan has ended since.
    begun: bool,
    /// Why the engine answers no more.
    gone: Option<String>,
}

/// A window of a list.
pub(super) struct Listed {
    pub(super) total: u64,
    pub(super) rows: Vec<Row>,
}

impl Review {
    /// Waits for the engine to open the session.
    ///
    /// # Errors
    /// If it does not, or if a person has decided under this name.
    pub(super) fn begin((commands, events): (Sender<Command>, Receiver<Event>)) -> Result<Review> {
        let mut review = Review {
            commands,
            events,
            summary: SessionSummary::default(),
            scanning: None,
            troubles: Vec::new(),
            ticket: 0,
            settled: false,
            begun: false,
            gone: None,
        };
        review.hear_until(OPENING, |event| matches!(event, Event::Session(_)).then_some(()))?;
        if review.summary.watches {
            bail!("the session is open for watching only");
        }
        let Overviewed::History(decided) = review.overview(Overview::History)? else {
            bail!("the engine answered something else");
        };
        let own = review.summary.reviewer.clone();
        if decided.iter().any(|one| one.reviewer == own) {
            bail!("'{own}' has decided in this session; name the assistant otherwise with --reviewer");
        }
        Ok(review)
    }

    /// The next line, and `None` at the end of the input; hears the engine while it waits.
    ///
    /// # Errors
    /// If the engine is gone.
    pub(super) fn next_line(&mut self, lines: &Receiver<Line>) -> Result<Option<Line>> {
        loop {
            if let Some(why) = &self.gone {
                bail!(why.clone());
            }
            select! {
                recv(lines) -> line => return Ok(line.ok()),
                recv(self.events) -> event => match event {
                    Ok(event) => self.hear(&event),
                    Err(_) => self.gone = Some("the engine exited".to_owned()),
                },
            }
        }
    }

    /// A window of the samples that match a query.
    ///
    /// # Errors
    /// Why there is no such list, in a sentence.
    pub(super) fn list(&mut self, query: Query, start: u64, len: u32) -> Result<Listed> {
        let ticket = self.next_ticket();
        let total = self.ask(Command::List { ticket, query }, |event| match event {
            Event::Listed { ticket: of, total, .. } if *of == ticket => Some(Ok(*total)),
            Event::NotListed { ticket: of, message, .. } if *of == ticket => Some(Err(message.clone())),
            _ => None,
        })?;
        if start >= total || len == 0 {
            return Ok(Listed { total, rows: Vec::new() });
        }
        let rows = self.ask(Command::Rows { ticket, start, len }, |event| match event {
            Event::Rows { ticket: of, rows, .. } if *of == ticket => Some(Ok(rows.clone())),
            _ => None,
        })?;
        Ok(Listed { total, rows })
    }

    /// Everything about a sample.
    pub(super) fn detail(&mut self, sample: SampleId) -> Result<Detail> {
        self.ask(Command::Detail { sample }, |event| match event {
            Event::Detail(detail) if detail.row.sample == sample => Some(Ok((**detail).clone())),
            _ => None,
        })
    }

    /// Its picture, at most `side` pixels wide and high.
    pub(super) fn picture(&mut self, sample: SampleId, side: u32, marks: Marks) -> Result<Picture> {
        let ticket = self.next_ticket();
        let command = Command::Picture {
            ticket,
            slot: 0,
            sample,
            max_width: side,
            max_height: side,
            regions: marks == Marks::Regions,
            relevance: marks == Marks::Relevance,
        };
        self.ask(command, |event| match event {
            Event::Picture(picture) if picture.ticket == ticket => Some(Ok(picture.clone())),
            _ => None,
        })
    }

    /// Something about the whole dataset.
    pub(super) fn overview(&mut self, about: Overview) -> Result<Overviewed> {
        let ticket = self.next_ticket();
        self.ask(Command::Overview { ticket, about }, |event| match event {
            Event::Overview { ticket: of, overview } if *of == ticket => Some(Ok(overview.clone())),
            _ => None,
        })
    }

    /// Adds own tags and a note, without deciding; `false` if they were there.
    pub(super) fn tag(&mut self, sample: SampleId, tag: &str, note: &str) -> Result<bool> {
        self.enter(Command::Tag { samples: vec![sample], tags: vec![tag.to_owned()], note: note.to_owned() })
    }

    /// Removes own tags; an error if there are none.
    pub(super) fn untag(&mut self, sample: SampleId, tags: Vec<String>) -> Result<bool> {
        self.enter(Command::Untag { samples: vec![sample], tags, note: false })
    }

    /// Removes the own note; an error if there is none.
    pub(super) fn remove_note(&mut self, sample: SampleId) -> Result<bool> {
        self.enter(Command::Untag { samples: vec![sample], tags: Vec::new(), note: true })
    }

    fn enter(&mut self, command: Command) -> Result<bool> {
        self.ask(command, |event| match event {
            Event::Saved(_) => Some(Ok(true)),
            Event::Unchanged { .. } => Some(Ok(false)),
            Event::NotSaved { message } => Some(Err(message.clone())),
            _ => None,
        })
    }

    /// Waits a moment for vectors to be read, which a search and what is told of the dataset need, the first time. An engine that
    /// is at work for a terminal has them, and says nothing.
    ///
    /// # Errors
    /// If the engine is gone.
    pub(super) fn settle(&mut self) -> Result<()> {
        if !self.settled {
            self.settled = true;
            let limit = Instant::now() + SETTLING;
            while !self.begun && self.gone.is_none() {
                match self.events.recv_deadline(limit) {
                    Ok(event) => self.hear(&event),
                    Err(_) => break,
                }
            }
        }
        match &self.gone {
            Some(why) => bail!(why.clone()),
            None => Ok(()),
        }
    }

    fn next_ticket(&mut self) -> Ticket {
        self.ticket += 1;
        self.ticket
    }

    /// Sends a command and waits for the answer to it.
    fn ask<T>(
        &mut self,
        command: Command,
        mut answers: impl FnMut(&Event) -> Option<Result<T, String>>,
    ) -> Result<T> {
        while let Ok(event) = self.events.try_recv() {
            self.hear(&event);
        }
        let numbering = self.summary.numbering;
        if self.commands.send(command).is_err() {
            bail!("the engine exited");
        }
        let answer = self.hear_until(PATIENCE, |event| match event {
            Event::Session(session) if session.numbering != numbering => {
                Some(Err("the dataset changed meanwhile, and its samples have new ids; ask again".to_owned()))
            }
            Event::Refused { message } => Some(Err(message.clone())),
            event => answers(event),
        })?;
        answer.map_err(anyhow::Error::msg)
    }

    /// Hears events until one is what is waited for.
    fn hear_until<T>(
        &mut self,
        patience: Duration,
        mut wanted: impl FnMut(&Event) -> Option<T>,
    ) -> Result<T> {
        let limit = Instant::now() + patience;
        loop {
            if let Some(why) = &self.gone {
                bail!(why.clone());
            }
            match self.events.recv_deadline(limit) {
                Ok(event) => {
                    self.hear(&event);
                    if let Some(found) = wanted(&event) {
                        return Ok(found);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    bail!("the engine did not answer within {} s", patience.as_secs())
                }
                Err(RecvTimeoutError::Disconnected) => self.gone = Some("the engine exited".to_owned()),
            }
        }
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::Session(session) => {
                if session.numbering != self.summary.numbering {
                    // Ids that were told are compared with what they name, so nothing has to be forgotten here.
                    let _ = self.commands.send(Command::Renumbered { numbering: session.numbering });
                }
                self.summary = (**session).clone();
            }
            Event::Progress(progress) => self.scanning = Some(progress.clone()),
            Event::ScanDone(_) => {
                self.scanning = None;
                self.begun = true;
            }
            Event::Trouble { about, message } if self.troubles.len() < 20 => {
                self.troubles.push(format!("{about}: {message}"));
            }
            Event::Dismissed { why } => self.gone = Some(why.clone()),
            Event::Bye { unsaved } => {
                let more = if unsaved.is_empty() { String::new() } else { format!(": {unsaved}") };
                self.gone = Some(format!("the engine exited{more}"));
            }
            _ => {}
        }
    }
}

/// What is drawn into a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Marks {
    /// Nothing.
    #[default]
    None,
    /// The parts that matter to detectors.
    Regions,
    /// It is dark but where the model sees the given label.
    Relevance,
}
