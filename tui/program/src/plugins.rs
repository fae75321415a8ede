//! `plugins`: lists loaded and refused libraries, checks one, or creates a detector.

use super::args::Global;
use super::import::{self, ImportedEntry};
use super::libraries::{folders, looked_in};
use super::output::{json, results};
use super::{check_plugin, new_plugin, settings};
use anyhow::Result;
use chaffinch_data::config::Flags;
use chaffinch_data::session::MARK;
use chaffinch_host::{LoadedDetector, PluginFolder, Registry};
use chaffinch_plugin::{Needs, Param, ParamKind, Scope};
use chaffinch_protocol::display::{safe_path, safe_text};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// List detectors, check a detector library, or create a detector
#[derive(Debug, Args)]
pub(super) struct Plugins {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List loaded detectors and refused libraries
    List {
        /// Additional folder of detector libraries; can be repeated
        #[arg(long, value_name = "DIR")]
        plugins: Vec<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Test a library on a small generated dataset and report problems
    Check {
        /// Library to check
        file: PathBuf,
        /// Timeout in seconds
        #[arg(long, value_name = "N", default_value_t = 120)]
        limit: u64,
        /// Run in this process, without protection against crashes
        #[arg(long, hide = true)]
        unguarded: bool,
    },
    /// Create the two files of a new detector
    New {
        /// Name: lowercase letters, digits and hyphens
        name: String,
        /// Folder to create it in [default: plugins/ of the current checkout, or else the working directory]
        #[arg(long, value_name = "DIR")]
        path: Option<PathBuf>,
        /// Folder of the crate chaffinch-plugin [default: from a checkout]
        #[arg(long, value_name = "DIR")]
        contract: Option<PathBuf>,
    },
}

/// Runs the subcommand.
pub(super) fn run(args: &Plugins, global: &Global) -> Result<ExitCode> {
    match &args.action {
        Action::List { plugins, json } => list(plugins, *json, global)?,
        Action::Check { file, unguarded: true, .. } => return check_plugin::unguarded(file),
        Action::Check { file, limit, .. } => return check_plugin::guarded(file, *limit),
        Action::New { name, path, contract } => new_plugin::run(name, path.as_deref(), contract.as_deref())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Everything known about the libraries.
#[derive(Serialize)]
pub(super) struct Listing {
    pub(super) detectors: Vec<DetectorEntry>,
    pub(super) refused: Vec<RefusedEntry>,
    pub(super) folders: Vec<String>,
    /// What was imported from other programs into the session that was named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) imported: Vec<ImportedEntry>,
}

/// One detector.
#[derive(Serialize)]
pub(super) struct DetectorEntry {
    pub(super) name: &'static str,
    version: &'static str,
    summary: &'static str,
    library: String,
    needs: Vec<&'static str>,
    threshold: f32,
    scope: &'static str,
    params: Vec<ParamEntry>,
}

/// One parameter.
#[derive(Serialize)]
struct ParamEntry {
    name: &'static str,
    kind: &'static str,
    default: f64,
    min: f64,
    max: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<&'static str>,
    /// What it needs if it is not at its default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs: Vec<&'static str>,
    help: &'static str,
}

/// One refused library.
#[derive(Serialize)]
pub(super) struct RefusedEntry {
    pub(super) path: String,
    pub(super) reason: String,
}

impl Listing {
    pub(super) fn new(registry: &Registry, folders: &[PluginFolder]) -> Listing {
        let refused = registry.refused().iter().map(|refused| RefusedEntry {
            path: safe_path(&refused.path),
            reason: safe_text(&refused.error.to_string()).into_owned(),
        });
        Listing {
            detectors: registry.detectors().iter().map(DetectorEntry::new).collect(),
            refused: refused.collect(),
            folders: folders.iter().map(|folder| safe_path(folder.path())).collect(),
            imported: Vec::new(),
        }
    }
}

impl DetectorEntry {
    fn new(detector: &LoadedDetector) -> DetectorEntry {
        let info = detector.info();
        DetectorEntry {
            name: info.name(),
            version: info.version_text(),
            summary: info.summary(),
            library: safe_path(detector.path()),
            needs: need_names(info.needed()),
            threshold: info.default_threshold(),
            scope: if info.judged() == Scope::Group { "group" } else { "sample" },
            params: info.parameters().iter().map(ParamEntry::new).collect(),
        }
    }
}

impl ParamEntry {
    fn new(param: &Param) -> ParamEntry {
        let kind = match param.kind() {
            ParamKind::Number => "number",
            ParamKind::Integer => "integer",
            ParamKind::Flag => "flag",
            ParamKind::Choice => "choice",
        };
        let (min, max) = param.bounds();
        let (default, choices) = (param.default(), param.choices());
        let needs = need_names(param.needed_at(if default == max { min } else { max }));
        ParamEntry { name: param.name(), kind, default, min, max, choices, needs, help: param.help() }
    }

    /// `clusters = 5 (0 to 100)`
    fn words(&self) -> String {
        let name = safe_text(self.name);
        match self.kind {
            "flag" => format!("{name} = {}", if self.default == 0.0 { "no" } else { "yes" }),
            "choice" => {
                let default = self.choices.get(self.default as usize).copied().unwrap_or("?");
                format!("{name} = {} (one of {})", safe_text(default), safe_text(&self.choices.join(", ")))
            }
            _ if self.needs.is_empty() => format!("{name} = {} ({} to {})", self.default, self.min, self.max),
            _ => {
                let needs = self.needs.join(", ");
                format!("{name} = {} ({} to {}; needs {needs} if set)", self.default, self.min, self.max)
            }
        }
    }
}

/// The names of what a detector needs.
fn need_names(needs: Needs) -> Vec<&'static str> {
    let all = [
        (Needs::PIXELS, "pixels"),
        (Needs::EMBEDDINGS, "embeddings"),
        (Needs::NEIGHBORS, "neighbors"),
        (Needs::TEXTS, "texts"),
        (Needs::HASHES, "hashes"),
        (Needs::LABELS, "labels"),
        (Needs::PROBABILITIES, "probabilities"),
    ];
    all.into_iter().filter(|(need, _)| needs.contains(*need)).map(|(_, name)| name).collect()
}

/// Lists the libraries. Refused ones are listed too, and are not an error.
fn list(named: &[PathBuf], as_json: bool, global: &Global) -> Result<()> {
    let flags = Flags { plugin_folders: named.to_vec(), ..Flags::default() };
    let folders = folders(&settings::config(global, None)?.with_flags(flags));
    let registry = Registry::load(&folders);
    let mut listing = Listing::new(&registry, &folders);
    if let Some(session) = global.session.as_deref().filter(|session| session.join(MARK).is_file()) {
        listing.imported = import::entries(session)?;
    }
    results(|out| if as_json { json(out, &listing) } else { write(out, &listing) })
}

fn write(out: &mut dyn Write, listing: &Listing) -> Result<()> {
    for detector in &listing.detectors {
        writeln!(out, "{} {}: {}", detector.name, safe_text(detector.version), safe_text(detector.summary))?;
        writeln!(out, "  library    {}", detector.library)?;
        let needs = if detector.needs.is_empty() { "nothing".to_owned() } else { detector.needs.join(", ") };
        writeln!(out, "  needs      {needs}")?;
        writeln!(out, "  threshold  {} (one score per {})", detector.threshold, detector.scope)?;
        for (index, param) in detector.params.iter().enumerate() {
            let label = if index == 0 { "parameters" } else { "" };
            writeln!(out, "  {label:10} {}: {}", param.words(), safe_text(param.help))?;
        }
        writeln!(out)?;
    }
    if listing.detectors.is_empty() {
        writeln!(out, "No detectors found. {}", looked_in(&listing.folders))?;
    }
    if !listing.imported.is_empty() {
        writeln!(out, "Imported into the session:")?;
        import::write(out, &listing.imported)?;
    }
    for refused in &listing.refused {
        writeln!(out, "refused: {}\n  {}", refused.path, refused.reason)?;
    }
    Ok(())
}
