//! `plugins`: lists loaded and refused detectors, checks some, creates one, or lets one in again.

use super::args::{Global, detectors};
use super::detector_results::AbsentEntry;
use super::import::{self, ImportedEntry};
use super::libraries::{aside, folders, looked_in, pins, workers};
use super::new_plugin::Language;
use super::output::{json, remark, results};
use super::{check_plugin, detector_results, new_plugin, settings};
use anyhow::{Result, bail, ensure};
use chaffinch_data::config::Flags;
use chaffinch_data::session::{self, Session, is_session};
use chaffinch_host::{
    Changed, Confinement, LetIn, LoadedDetector, NEEDS, Place, PluginFolder, Registry, Workers, confinement,
};
use chaffinch_plugin::{Needs, Param, ParamKind, Scope};
use chaffinch_protocol::DetectorState;
use chaffinch_protocol::display::{safe_path, safe_text};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// List detectors, check or create one, or let one in that was set aside
#[derive(Debug, Args)]
pub(super) struct Plugins {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List loaded and refused detectors
    List {
        /// Additional folder of detector libraries; can be repeated
        #[arg(long, value_name = "DIR", value_parser = detectors())]
        plugins: Vec<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Test detectors on a small generated dataset and report problems
    Check {
        /// Library, detector.toml, or folder with either
        #[arg(value_name = "FILE|FOLDER")]
        path: PathBuf,
        /// Seconds that a run may take
        #[arg(long, value_name = "N", default_value_t = 120)]
        limit: u64,
    },
    /// Disable a detector in a session: it does not run, and what it found flags nothing
    Disable(detector_results::Of),
    /// Enable a detector in a session again
    Enable(detector_results::Of),
    /// Remove what a detector found from a session, such as one that is not loaded any more
    Remove(detector_results::Of),
    /// Put back what was removed of a detector
    Restore(detector_results::Of),
    /// Run a detector again that was set aside after it crashed or hung, or whose code has changed
    LetIn {
        /// Its name, or its library
        name: String,
    },
    /// Create a new detector
    New {
        /// Name: lowercase letters, digits and hyphens
        name: String,
        /// Folder to create it in [default: plugins/ of the current checkout, or else the working directory]
        #[arg(long, value_name = "DIR")]
        path: Option<PathBuf>,
        /// Language to write it in
        #[arg(long, value_enum, default_value_t = Language::Rust)]
        language: Language,
        /// Folder of the crate chaffinch-plugin [default: from a checkout, or else a copy that is written beside it]
        #[arg(long, value_name = "DIR")]
        contract: Option<PathBuf>,
    },
}

/// Runs the subcommand.
pub(super) fn run(args: &Plugins, global: &Global) -> Result<ExitCode> {
    match &args.action {
        Action::List { plugins, json } => list(plugins, *json, global)?,
        Action::Check { path, limit } => return check_plugin::check(path, *limit),
        Action::New { name, path, language, contract } => {
            new_plugin::run(name, path.as_deref(), *language, contract.as_deref())?;
        }
        Action::LetIn { name } => let_in(name)?,
        Action::Disable(of) => detector_results::enable(of, false, global)?,
        Action::Enable(of) => detector_results::enable(of, true, global)?,
        Action::Remove(of) => detector_results::remove(of, false, global)?,
        Action::Restore(of) => detector_results::remove(of, true, global)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Lets what was set aside or has changed run again.
fn let_in(name: &str) -> Result<()> {
    let workers = Workers::default().remembering(aside()).pinning(pins());
    let freed = chaffinch_host::let_in(&workers, name, None)?;
    if freed.is_empty() {
        let all: Vec<String> = aside().all().into_values().map(|entry| label(&entry)).collect();
        match all.is_empty() {
            true => bail!(
                "nothing is set aside, and '{}' has not changed since it was first used",
                safe_text(name)
            ),
            false => bail!(
                "'{}' is not set aside (set aside: {}), and has not changed since it was first used",
                safe_text(name),
                all.join(", ")
            ),
        }
    }
    for one in freed {
        remark(&match one {
            LetIn::Aside(entry) => {
                format!(
                    "{} runs again; it was set aside because {}",
                    label(&entry),
                    safe_text(&entry.clause())
                )
            }
            LetIn::Changed { names, path, what } => {
                let label = if names.is_empty() { safe_path(&path) } else { names.join(", ") };
                format!("{} runs as it is now: {}", safe_text(&label), safe_text(&what))
            }
        });
    }
    Ok(())
}

/// The name of what was set aside: a library that died while it was loaded has only its file.
fn label(entry: &chaffinch_host::AsideEntry) -> String {
    match entry.name.as_str() {
        "" => safe_path(&entry.path),
        name => safe_text(name).into_owned(),
    }
}

/// Everything known about the libraries.
#[derive(Serialize)]
pub(super) struct Listing {
    pub(super) detectors: Vec<DetectorEntry>,
    pub(super) refused: Vec<RefusedEntry>,
    /// Those of the refused whose code is not the code that ran before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<ChangedEntry>,
    /// What holds of detectors in processes of their own: `full`, `partial` or `none`.
    confined: &'static str,
    pub(super) folders: Vec<String>,
    /// What was imported from other programs into the session that was named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) imported: Vec<ImportedEntry>,
    /// Detectors that are not loaded, of which that session has results.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_loaded: Vec<AbsentEntry>,
}

/// One detector.
#[derive(Serialize)]
pub(super) struct DetectorEntry {
    pub(super) name: &'static str,
    version: &'static str,
    summary: &'static str,
    /// The library or `detector.toml`.
    library: String,
    /// The digest of its code.
    digest: String,
    /// `ready` or `set-aside`; with a session, also `disabled` or `outdated`.
    state: DetectorState,
    /// Where it was found.
    origin: &'static str,
    /// How the program talks to it: `ABI 7`, `worker protocol 1`, `no code`.
    speaks: String,
    /// Whether it has run as it is now, so that a change of its code is noticed.
    pinned: bool,
    /// What it may use, if it runs in a process of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<String>,
    /// Where it runs: `engine`, `worker` (a process of its own), or `file` (without code).
    runs_in: &'static str,
    /// Why it was set aside, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) set_aside: Option<String>,
    /// What it means that it is out of date, with a session.
    #[serde(skip)]
    outdated: Option<&'static str>,
    needs: Vec<&'static str>,
    /// Columns of the dataset that it reads.
    columns: Vec<&'static str>,
    /// Detectors that run before it.
    after: Vec<&'static str>,
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

/// Code that has changed since it was first used.
#[derive(Serialize)]
struct ChangedEntry {
    names: Vec<String>,
    path: String,
    was: String,
    now: String,
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
            changed: registry.changed().map(|changed| ChangedEntry::new(&changed)).collect(),
            confined: match confinement() {
                Confinement::Full => "full",
                Confinement::Partial => "partial",
                Confinement::None => "none",
            },
            folders: folders.iter().map(|folder| safe_path(folder.path())).collect(),
            imported: Vec::new(),
            not_loaded: Vec::new(),
        }
    }
}

impl ChangedEntry {
    fn new(changed: &Changed<'_>) -> ChangedEntry {
        let (was, now) = (changed.was.to_owned(), changed.now.to_owned());
        let names = changed.names.iter().map(|name| safe_text(name).into_owned());
        ChangedEntry { names: names.collect(), path: safe_path(changed.path), was, now }
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
            digest: detector.digest().to_owned(),
            runs_in: match detector.place() {
                Place::Engine => "engine",
                Place::Worker => "worker",
                Place::File => "file",
            },
            state: DetectorState::of(false, detector.aside().is_some(), false, false),
            set_aside: detector.aside().map(|entry| safe_text(&entry.reason).into_owned()),
            outdated: None,
            origin: detector.origin().words(),
            speaks: detector.speaks().to_owned(),
            pinned: detector.pinned(),
            limits: detector.limits().map(ToString::to_string),
            needs: need_names(info.needed()),
            columns: detector.columns(),
            after: detector.after(),
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
    NEEDS.into_iter().filter(|(_, need)| needs.contains(*need)).map(|(name, _)| name).collect()
}

/// Lists the libraries. Refused ones are listed too, and are not an error.
fn list(named: &[PathBuf], as_json: bool, global: &Global) -> Result<()> {
    let flags = Flags { plugin_folders: named.to_vec(), ..Flags::default() };
    let config = settings::config(global, None)?.with_flags(flags);
    let folders = folders(&config);
    let registry = Registry::load_with(&folders, workers(&config));
    let mut listing = Listing::new(&registry, &folders);
    if let Some(named) = global.session.as_deref() {
        // Its dataset is as good.
        let place = session::resolve(named, None)?.dir;
        ensure!(
            is_session(&place),
            "{} has no session yet; run chaffinch scan first, or leave --session out",
            safe_path(named)
        );
        listing.imported = import::entries(&place)?;
        listing.not_loaded = detector_results::absent(&place, &registry)?;
        let session = Session::open_to_read(&place)?;
        let settings = session.load_settings()?;
        let outdated = detector_results::outdated(&session, &registry, &config.reviewer(), global)?;
        for detector in &mut listing.detectors {
            let aside = detector.set_aside.is_some();
            detector.state = DetectorState::of(
                settings.is_off(detector.name),
                aside,
                false,
                outdated.contains_key(detector.name),
            );
            detector.outdated = outdated.get(detector.name).map(|why| why.means());
        }
    }
    results(|out| if as_json { json(out, &listing) } else { write(out, &listing) })
}

/// What holds of detectors in processes of their own, in words.
fn confined(how: &str) -> &'static str {
    match how {
        "full" => "writes only to temporary folders, caches and its own folder",
        "partial" => "in part, as this kernel is old; see chaffinch doctor",
        _ => "no: this kernel does not support or allow it; see chaffinch doctor",
    }
}

fn write(out: &mut dyn Write, listing: &Listing) -> Result<()> {
    for detector in &listing.detectors {
        writeln!(out, "{} {}: {}", detector.name, safe_text(detector.version), safe_text(detector.summary))?;
        let kind = match detector.runs_in {
            "file" => "file",
            _ => "library",
        };
        writeln!(out, "  {kind:10} {}", detector.library)?;
        let code = detector.digest.get(..12).unwrap_or(&detector.digest);
        let pinned = match (detector.runs_in, detector.pinned) {
            ("worker", true) => ", pinned",
            ("worker", false) => ", pinned when it first runs",
            _ => "",
        };
        writeln!(out, "  from       {}; code {code}, {}{pinned}", detector.origin, detector.speaks)?;
        if let Some(limits) = &detector.limits {
            writeln!(out, "  runs in    a process of its own: {limits}")?;
            writeln!(out, "  confined   {}", confined(listing.confined))?;
        }
        if let Some(reason) = &detector.set_aside {
            writeln!(out, "  {}  {reason}", DetectorState::SetAside.words().to_uppercase())?;
            writeln!(out, "             chaffinch plugins let-in {} runs it again", detector.name)?;
        }
        match detector.state {
            DetectorState::Disabled => {
                writeln!(out, "  {}   in this session", DetectorState::Disabled.words().to_uppercase())?;
            }
            DetectorState::Outdated => {
                writeln!(
                    out,
                    "  {}  {}",
                    DetectorState::Outdated.words().to_uppercase(),
                    detector.outdated.unwrap_or_default()
                )?;
            }
            _ => {}
        }
        let needs = if detector.needs.is_empty() { "nothing".to_owned() } else { detector.needs.join(", ") };
        writeln!(out, "  needs      {needs}")?;
        for (label, names) in [("columns", &detector.columns), ("after", &detector.after)] {
            if !names.is_empty() {
                writeln!(out, "  {label:10} {}", safe_text(&names.join(", ")))?;
            }
        }
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
    detector_results::write(out, &listing.not_loaded)?;
    if !listing.imported.is_empty() {
        writeln!(out, "Imported into the session:")?;
        import::write(out, &listing.imported)?;
    }
    for refused in &listing.refused {
        writeln!(out, "refused: {}\n  {}", refused.path, refused.reason)?;
    }
    Ok(())
}
