//! The prompts that a command asks with: those that it names, those of the session, or those of the configuration.

use super::args::{EngineArgs, Global};
use super::output::{remark, warning};
use super::uses;
use anyhow::Result;
use chaffinch_data::config::Config;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::prompts::PromptSet;
use chaffinch_data::session::{Session, SessionLocation};
use chaffinch_protocol::display::quoted;
use std::path::{Path, PathBuf};

/// The set of the configuration.
pub(super) fn configured(config: &Config, dataset: &Path) -> Result<PromptSet> {
    Ok(PromptSet::load(config.prompt_files())?.for_dataset(config.class_name_files(), dataset)?)
}

/// The digest of the set in use for a session; empty if it cannot be read, which is said by what uses it.
pub(super) fn digest(session: &Session, dataset: PathBuf, global: &Global) -> String {
    let location = SessionLocation { dir: session.dir().to_path_buf(), dataset };
    let set = || -> Result<PromptSet> {
        let resolved = uses::resolve(&location, global, &EngineArgs::default(), &DatasetOptions::default())?;
        Ok(session.prompts(&configured(&resolved.config, &location.dataset)?)?)
    };
    set().map(|set| set.digest()).unwrap_or_default()
}

/// The set for a command: of the files that it names, or the set in use. Says where it is from if it is the session's, and what is
/// likely to work badly.
pub(super) fn of_command(
    named: &[PathBuf],
    (config, dataset): (&Config, &Path),
    session: &Session,
    global: &Global,
) -> Result<PromptSet> {
    let prompts = match named {
        [] => {
            tell(session, global);
            session.prompts(&configured(config, dataset)?)?
        }
        files => PromptSet::load(files)?.for_dataset(config.class_name_files(), dataset)?,
    };
    prompts.warnings().iter().for_each(|text| warning("prompts", text));
    Ok(prompts)
}

/// Says that a session has prompts of its own.
pub(super) fn tell(session: &Session, global: &Global) {
    if !global.quiet && session.prompts_path().is_file() {
        let dir = quoted(session.dir());
        remark(&format!(
            "using the prompts that were edited in this session; chaffinch prompts {dir} shows them"
        ));
    }
}
