//! `prompts`: shows, replaces and resets the prompts of a session.

use super::args::{EngineArgs, Global};
use super::finders::FINDERS;
use super::output::{remark, results, warning};
use super::{place, prompt_set, uses};
use anyhow::{Result, bail};
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::prompts::PromptSet;
use chaffinch_data::session::Session;
use chaffinch_protocol::display::{quoted, safe_path, safe_text};
use chaffinch_protocol::{PromptWords, TEMPERATURE};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show the prompts that a session asks the model with, as a prompt file; or replace them
///
/// What is set here, or edited in the interface, stays with the session and counts in the place of `[prompts] files` of the
/// configuration, until it is reset.
#[derive(Debug, Args)]
pub(super) struct Prompts {
    /// Folder of a session, or its dataset
    #[arg(value_name = "SESSION")]
    target: PathBuf,
    /// Replace them by those of a prompt file, or of a built-in set such as `cifar10-described`
    #[arg(long, value_name = "FILE|NAME", conflicts_with = "reset")]
    set: Option<PathBuf>,
    /// Return to the prompts of the configuration, and to its temperature
    #[arg(long)]
    reset: bool,
}

/// Prints the set in use, or changes it.
pub(super) fn run(args: &Prompts, global: &Global) -> Result<ExitCode> {
    let location = place::find(&args.target, global)?;
    let resolved = uses::resolve(&location, global, &EngineArgs::default(), &DatasetOptions::default())?;
    let configured = prompt_set::configured(&resolved.config, &location.dataset)?;
    if args.reset || args.set.is_some() {
        let session = Session::open(&location.dir)?;
        let changed = match &args.set {
            Some(file) => set(&session, file, &configured)?,
            None => reset(&session)?,
        };
        if !global.quiet {
            let dir = quoted(session.dir());
            remark(&match changed {
                true => format!(
                    "{} from now on; bring the results up to date with: chaffinch scan {dir}",
                    if args.reset { "the prompts of the configuration count" } else { "these prompts count" }
                ),
                false => "this session has no prompts of its own, so nothing was changed".to_owned(),
            });
        }
        return Ok(ExitCode::SUCCESS);
    }
    let session = Session::open_to_read(&location.dir)?;
    let prompts = session.prompts(&configured)?;
    prompts.warnings().iter().for_each(|text| warning("prompts", text));
    let text = toml::to_string_pretty(&prompts.edited())?;
    let from = match session.prompts_path().is_file() {
        true => "edited in this session".to_owned(),
        false => PromptSet::origin(resolved.config.prompt_files()),
    };
    results(|out| Ok(write!(out, "# Prompts, {from}\n\n{text}")?))?;
    Ok(ExitCode::SUCCESS)
}

/// Keeps the prompts of a file with a session. Returns whether that changed anything.
fn set(session: &Session, file: &PathBuf, configured: &PromptSet) -> Result<bool> {
    // Read as prompts, it would be the built-in ones.
    if std::fs::read_to_string(file)
        .is_ok_and(|text| text.parse::<toml::Table>().is_ok_and(|table| table.is_empty()))
    {
        bail!(
            "{}: it has no prompts; write templates, alternatives or classes, as `chaffinch prompts` prints them, or return to the \
             configured ones with --reset",
            safe_path(file)
        );
    }
    let read = PromptSet::load(&[file])?;
    read.warnings().iter().for_each(|text| warning("prompts", text));
    let words: PromptWords = read.edited();
    let classes = session.load_samples()?.map(|(manifest, _)| manifest.classes().to_vec());
    let fault = words.fault().or_else(|| configured.unknown_class(&words, &classes?));
    if let Some(fault) = fault {
        bail!("{}: {}", safe_path(file), safe_text(&fault));
    }
    session.save_prompts(Some(&words))?;
    Ok(true)
}

/// Drops the prompts of a session, and its temperature. Returns whether there were any.
fn reset(session: &Session) -> Result<bool> {
    let had = session.prompts_path().exists();
    session.save_prompts(None)?;
    let mut settings = session.load_settings()?;
    let params = settings.params.get_mut(FINDERS.prompts);
    let moved = params.is_some_and(|params| params.remove(TEMPERATURE).is_some());
    if moved {
        settings.params.retain(|_, params| !params.is_empty());
        session.save_settings(&settings)?;
    }
    Ok(had || moved)
}
