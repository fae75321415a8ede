//! `open`: the terminal interface on a session.

use super::args::{DatasetArgs, EngineArgs, Global, Open};
use super::engine_process::{Plan, Waiting};
use super::setup;
use crate::picture::Wish;
use crate::{ExitReason, Options};
use anyhow::{Result, ensure};
use chaffinch_core::session;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Opens what was named.
pub(super) fn run(args: &Open, global: &Global) -> Result<ExitCode> {
    run_target(&args.target, global, &args.engine, &args.reading, args.pictures.as_deref())
}

/// Opens a dataset or a session; what is missing is computed in the background.
pub(super) fn run_target(
    target: &Path,
    global: &Global,
    engine: &EngineArgs,
    reading: &DatasetArgs,
    pictures: Option<&str>,
) -> Result<ExitCode> {
    ensure!(
        std::io::stdin().is_terminal() && std::io::stdout().is_terminal(),
        "the interface needs a terminal (ssh -t gives one); without one use scan and rank"
    );
    let place = session::resolve(target, global.session.as_deref())?;
    let mut ui = setup::config(global, Some(&place.dir))?.ui().clone();
    let environment = std::env::var("CHAFFINCH_PICTURES").ok().filter(|name| !name.is_empty());
    if let Some(name) = pictures.map(str::to_owned).or(environment) {
        ui.picture = name;
    }
    // Said before anything is started.
    Wish::parse(&ui.picture)?;
    let plan = Plan {
        target: target.into(),
        session: place.dir,
        global: global.clone(),
        engine: engine.clone(),
        reading: reading.clone(),
    };
    let engine = Waiting::reach(plan)?;
    let keymap = Some(ui.keymap).filter(|name| !name.is_empty() && name != "default").map(PathBuf::from);
    let options = Options { theme: ui.theme, keymap, picture: ui.picture, scan: false, ..Options::default() };
    let (commands, events) = engine.ends();
    let ended = crate::run(commands, events, options);
    // What runs goes on when the terminal is lost; somebody will come back for it.
    engine.end(matches!(ended, Ok(ExitReason::Lost)))?;
    let reason = ended?;
    if let ExitReason::Unsaved(count) = reason {
        super::output::remark(&format!(
            "{count} decisions were not confirmed as saved; look at the last ones again"
        ));
    }
    if reason == ExitReason::EngineGone {
        super::output::remark(
            "the engine ended, or the session was opened in another terminal; what was shown as saved is on disk, \
             open again to go on",
        );
    }
    Ok(ExitCode::from(u8::try_from(reason.code()).unwrap_or(2)))
}
