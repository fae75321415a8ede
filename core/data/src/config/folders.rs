//! Where settings and sessions are stored.

use etcetera::BaseStrategy;
use std::env;
use std::path::PathBuf;

const NAME: &str = "chaffinch";

/// The user's configuration folder: `$CHAFFINCH_CONFIG_HOME`, or else `$XDG_CONFIG_HOME/chaffinch`.
pub fn config_home() -> Option<PathBuf> {
    own("CHAFFINCH_CONFIG_HOME").or_else(|| Some(strategy()?.config_dir().join(NAME)))
}

/// The user's folder for sessions: `$CHAFFINCH_STATE_HOME`, or else `$XDG_STATE_HOME/chaffinch`.
pub fn state_home() -> Option<PathBuf> {
    own("CHAFFINCH_STATE_HOME").or_else(|| Some(strategy()?.state_dir()?.join(NAME)))
}

/// The user's folder for detectors and the like: `$CHAFFINCH_DATA_HOME`, or else `$XDG_DATA_HOME/chaffinch`.
pub fn data_home() -> Option<PathBuf> {
    own("CHAFFINCH_DATA_HOME").or_else(|| Some(strategy()?.data_dir().join(NAME)))
}

/// The name of a project's configuration folder.
const PROJECT: &str = ".chaffinch";

/// The project's configuration folder: `.chaffinch` in the working directory or the nearest directory above it.
pub(super) fn project_home() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    here.ancestors().map(|folder| folder.join(PROJECT)).find(|folder| folder.is_dir())
}

fn own(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn strategy() -> Option<etcetera::base_strategy::Xdg> {
    etcetera::base_strategy::Xdg::new().ok()
}
