//! `open`: opens a session in the terminal interface.

use super::args::{AttachArgs, BlindArgs, DatasetArgs, EngineArgs, Global, ReviewerArgs, ScreenArgs};
use super::attach::Wish as Part;
use super::engine_process::{self, Plan, Waiting};
use super::output::{self, remark, warning};
use super::{model_loader, place, settings, setup, uses};
use crate::looks;
use anyhow::{Result, ensure};
use chaffinch_data::config::{Config, Flags};
use chaffinch_data::session::is_session;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{BlindWish, Command, Event};
use chaffinch_screen::looks::Looks;
use chaffinch_screen::picture::Wish;
use chaffinch_screen::plain::{self, Manner};
use chaffinch_screen::{ExitReason, Options};
use clap::Args;
use crossbeam_channel::{Receiver, Sender};
use std::io::IsTerminal;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::PoisonError;

/// Open a dataset in the terminal interface; scans it in the background if needed
#[derive(Debug, Args)]
pub(super) struct Open {
    /// Dataset, or folder of a session
    #[arg(value_name = "DATASET|SESSION")]
    pub(super) target: PathBuf,
    /// How to show pictures: auto, kitty, iterm2, sixel, blocks, truecolor, 256, ascii or off [default: from
    /// $CHAFFINCH_PICTURES or the configuration, or else auto]
    #[arg(long, value_name = "HOW")]
    pub(super) pictures: Option<String>,
    #[command(flatten)]
    pub(super) reviewer: ReviewerArgs,
    #[command(flatten)]
    pub(super) attach: AttachArgs,
    #[command(flatten)]
    pub(super) blind: BlindArgs,
    #[command(flatten)]
    pub(super) screen: ScreenArgs,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
    #[command(flatten)]
    pub(super) reading: DatasetArgs,
}

/// Opens the dataset or session.
pub(super) fn run(args: &Open, global: &Global) -> Result<ExitCode> {
    let pictures = args.pictures.as_deref();
    let engine = args.engine.by(&args.reviewer);
    let (screen, attach, blind) = (&args.screen, &args.attach, args.blind.wish());
    let shown = Shown { screen, pictures, attach, blind };
    run_target(&args.target, global, &engine, &args.reading, shown)
}

/// Theme and keymap: the configuration's, overridden by flags. Prints warnings about what was ignored.
pub(super) fn looks(config: &Config, screen: &ScreenArgs) -> Result<Looks> {
    let flags = Flags { theme: screen.theme.clone(), keymap: screen.keymap.clone(), ..Flags::default() };
    let config = config.clone().with_flags(flags);
    let looks = looks::load(&config, |name| std::env::var(name).ok())?;
    for text in &looks.warnings {
        warning("configuration", text);
    }
    Ok(looks)
}

/// How it is shown.
pub(super) struct Shown<'a> {
    pub(super) screen: &'a ScreenArgs,
    /// How pictures are shown.
    pub(super) pictures: Option<&'a str>,
    /// How it takes part if the session is open elsewhere.
    pub(super) attach: &'a AttachArgs,
    /// Begins a blind review.
    pub(super) blind: Option<BlindWish>,
}

/// Opens a dataset or a session, and computes what is missing in the background.
pub(super) fn run_target(
    target: &Path,
    global: &Global,
    engine: &EngineArgs,
    reading: &DatasetArgs,
    shown: Shown<'_>,
) -> Result<ExitCode> {
    let Shown { screen, pictures, attach, blind } = shown;
    ensure!(
        screen.plain || std::io::stdin().is_terminal() && std::io::stdout().is_terminal(),
        "the interface needs a terminal (with SSH, use ssh -t); without one, use --plain, or scan and rank"
    );
    ensure!(
        screen.plain || std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
        "the interface does not work with TERM=dumb, which promises no cursor; use --plain, or another terminal"
    );
    let location = place::find(target, global)?;
    if is_session(&location.dir) {
        place::take_over(&location.dir, global);
    }
    place::warn_of_half_changed(&location);
    let config = settings::config(global, Some(&location.dir))?;
    let resolved = uses::resolve(&location, global, engine, &setup::options(reading))?;
    resolved.tell(global);
    if !engine_process::is_running(&location.dir) {
        resolved.confirm()?;
    }
    let picture = pictures.map_or_else(|| config.ui().picture.clone(), str::to_owned);
    // Report errors before starting anything.
    Wish::parse(&picture)?;
    let looks = looks(&config, screen)?;
    if resolved.uses.embeddings.is_none()
        && let Err(error) = model_loader::download(resolved.config.model(), global)
    {
        warning("model", &error.to_string());
    }
    let named = Flags { reviewer: engine.reviewer.clone(), ..Flags::default() };
    let reviewer = config.with_flags(named).reviewer();
    let part = Part { args: attach, reviewer, blind };
    let Some(join) = part.settle(&engine_process::attached(&location.dir)?)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let engine = Waiting::reach(Plan {
        target: target.into(),
        session: location.dir,
        global: global.clone(),
        engine: engine.clone(),
        reading: reading.clone(),
        join,
    })?;
    let why = engine.dismissal();
    let (commands, events) = engine.ends();
    let ended =
        if screen.plain { lines(commands, events, looks) } else { cells(commands, events, looks, picture) };
    // Work continues if the terminal is lost, so that it can be opened again.
    let left = engine.end(matches!(ended, Ok(ExitReason::Lost)));
    let unsaved = match ended {
        Ok(ExitReason::Unsaved(count)) => {
            let decisions = output::count(count as u64, "decision was", "decisions were");
            Some(format!("{decisions} not confirmed as saved; check the most recent ones"))
        }
        Ok(ExitReason::Refused(count)) => {
            let samples = output::count(count as u64, "sample", "samples");
            Some(format!("what was decided or noted about {samples} was refused and is not saved"))
        }
        _ => None,
    };
    // Also before a failure of the engine.
    if let Some(words) = unsaved {
        remark(&words);
    }
    let reason = match (ended, &left) {
        (Err(error), Err(also)) => {
            warning("engine", &also.to_string());
            return Err(error);
        }
        (ended, _) => ended?,
    };
    if let Some(left) = left?.filter(|_| reason != ExitReason::Lost) {
        remark(&left);
    }
    match reason {
        ExitReason::EngineGone => {
            remark(
                "the engine exited; everything shown as saved is on disk, so open the session again to continue",
            );
        }
        ExitReason::Dismissed => {
            remark(&safe_text(&why.lock().unwrap_or_else(PoisonError::into_inner)));
        }
        _ => {}
    }
    Ok(ExitCode::from(u8::try_from(reason.code()).unwrap_or(2)))
}

fn cells(
    commands: Sender<Command>,
    events: Receiver<Event>,
    looks: Looks,
    picture: String,
) -> Result<ExitReason> {
    let options = Options { picture, scan: false, looks: Some(looks), ..Options::default() };
    chaffinch_screen::run(commands, events, options)
}

fn lines(commands: Sender<Command>, events: Receiver<Event>, looks: Looks) -> Result<ExitReason> {
    let manner = Manner { prompt: std::io::stdin().is_terminal(), scanning: true };
    let input = std::io::stdin().lock();
    plain::run(commands, events, looks, manner, input, &mut std::io::stdout().lock())
}
