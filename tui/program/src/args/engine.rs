//! With what a dataset is scanned.

use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::ensemble::RULES;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// With what a dataset is scanned.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Scan")]
pub(crate) struct EngineArgs {
    /// The model: `bundled`, a name on the hub, or a folder [default: the configuration's]
    #[arg(long, value_name = "NAME|DIR")]
    pub(crate) model: Option<String>,
    /// Where the model runs: auto, cpu, cpu:bf16, cuda:N [default: the configuration's]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    /// How much of a shared GPU's memory may be taken, such as 6GiB [default: the configuration's, else all]
    #[arg(long, value_name = "BYTES")]
    pub(crate) vram_budget: Option<String>,
    /// Detectors to run [default: all that are enabled]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) detectors: Vec<String>,
    /// How detectors are joined: or, and, 2-of-n, majority, mean-rank, average, consensus, weighted, stacking, recall,
    /// precision [default: the session's or configuration's]
    #[arg(long, value_name = "RULE", value_parser = rule)]
    pub(crate) ensemble: Option<String>,
    /// One more folder of detector libraries; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(crate) plugins: Vec<PathBuf>,
}

/// The name of a rule that joins detectors.
pub(crate) fn rule(name: &str) -> Result<String, String> {
    match EnsembleRule::parse(name, &BTreeMap::new()) {
        Some(rule) => Ok(rule.name()),
        None => Err(format!(
            "there is no such rule (there are: {}, and 2-of-n with any number)",
            RULES.join(", ")
        )),
    }
}
