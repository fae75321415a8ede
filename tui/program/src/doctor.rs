//! `doctor`: reports what works on this machine, what is missing, and what to do about it.

use super::args::Global;
use super::output::{count, json, results};
use super::plugins::Listing;
use super::{libraries, models, output, settings};
use anyhow::Result;
use chaffinch_compute::memory;
use chaffinch_data::config::Flags;
use chaffinch_data::session;
use chaffinch_data::session::Session;
use chaffinch_host::{Confinement, confinement};
use chaffinch_protocol::display::{safe_path, safe_text};
use clap::Args;
use serde::Serialize;
use std::env;
use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check this machine and report problems
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Additional folder of detector libraries; can be repeated
    #[arg(long, value_name = "DIR")]
    plugins: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Note,
    Bad,
}

/// One finding.
#[derive(Debug, Serialize)]
struct Finding {
    about: &'static str,
    state: State,
    text: String,
}

/// Checks everything. Exits with 2 if anything is bad, so that scripts can check before a long run.
pub(super) fn run(args: &Doctor, global: &Global) -> Result<ExitCode> {
    let mut findings = terminal();
    findings.push(locale());
    findings.extend(model(global));
    findings.extend(chaffinch_clip::idle_gpu().map(|words| finding("gpu", State::Note, words)));
    findings.extend(detectors(&args.plugins, global));
    findings.push(workers());
    findings.push(memory());
    findings.push(sessions(global));
    findings.extend(vanished(global));
    findings.push(configuration(global));
    results(|out| if args.json { json(out, &findings) } else { write(out, &findings) })?;
    let bad = findings.iter().any(|finding| finding.state == State::Bad);
    Ok(ExitCode::from(if bad { 2 } else { 0 }))
}

fn write(out: &mut dyn Write, findings: &[Finding]) -> Result<()> {
    writeln!(out, "chaffinch {}", env!("CARGO_PKG_VERSION"))?;
    for finding in findings {
        let mark = match finding.state {
            State::Ok => "ok  ",
            State::Note => "note",
            State::Bad => "BAD ",
        };
        writeln!(out, "{mark}  {:10} {}", finding.about, safe_text(&finding.text))?;
    }
    Ok(())
}

fn finding(about: &'static str, state: State, text: impl Into<String>) -> Finding {
    Finding { about, state, text: text.into() }
}

fn variable(name: &str) -> String {
    env::var_os(name).map(|value| value.to_string_lossy().into_owned()).unwrap_or_default()
}

fn terminal() -> Vec<Finding> {
    let mut findings = Vec::new();
    let term = variable("TERM");
    findings.push(match term.as_str() {
        "" => {
            finding("terminal", State::Note, "TERM is not set, but the interface needs it (ssh -t sets it)")
        }
        "dumb" => finding("terminal", State::Note, "the interface does not work with TERM=dumb"),
        _ => finding("terminal", State::Ok, format!("TERM={term}")),
    });
    let color = variable("COLORTERM");
    findings.push(match color.as_str() {
        "truecolor" | "24bit" => {
            finding("colors", State::Ok, format!("COLORTERM={color}: 16 million colors"))
        }
        _ if !variable("NO_COLOR").is_empty() => finding("colors", State::Ok, "NO_COLOR is set: no colors"),
        _ => finding(
            "colors",
            State::Note,
            "COLORTERM is not truecolor: pictures have 256 colors; over SSH, set SendEnv COLORTERM",
        ),
    });
    findings.push(match crossterm::terminal::size() {
        Ok((columns, rows)) if std::io::stdout().is_terminal() => {
            let state = if columns < 80 || rows < 24 { State::Note } else { State::Ok };
            finding("size", state, format!("{columns} columns, {rows} rows"))
        }
        _ => finding("size", State::Note, "stdout is not a terminal"),
    });
    let between: Vec<&str> = [("TMUX", "tmux"), ("STY", "screen"), ("SSH_CONNECTION", "SSH")]
        .into_iter()
        .filter(|(name, _)| !variable(name).is_empty())
        .map(|(_, word)| word)
        .collect();
    if !between.is_empty() {
        findings.push(finding("between", State::Ok, between.join(" inside ")));
    }
    findings
}

fn locale() -> Finding {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    let set = names.into_iter().map(|name| (name, variable(name))).find(|(_, value)| !value.is_empty());
    match set {
        Some((name, value)) if value.to_lowercase().replace('-', "").contains("utf8") => {
            finding("locale", State::Ok, format!("{name}={value}"))
        }
        Some((name, value)) => finding(
            "locale",
            State::Note,
            format!("{name}={value} is not UTF-8; file names may be displayed incorrectly"),
        ),
        None => {
            finding("locale", State::Note, "not set; export LANG=C.UTF-8 to display file names correctly")
        }
    }
}

fn model(global: &Global) -> Vec<Finding> {
    match models::words(global) {
        Ok((words, notes)) => {
            let notes = notes.into_iter().map(|note| finding("model", State::Note, note));
            std::iter::once(finding("model", State::Ok, words)).chain(notes).collect()
        }
        Err(error) => vec![finding("model", State::Bad, output::chain(&error))],
    }
}

fn detectors(named: &[PathBuf], global: &Global) -> Vec<Finding> {
    // Errors in the configuration are a separate finding.
    let config = settings::config(global, None).unwrap_or_default();
    let flags = Flags { plugin_folders: named.to_vec(), ..Flags::default() };
    let config = config.with_flags(flags);
    let listing = Listing::new(&libraries::load(&config), &libraries::folders(&config));
    let names: Vec<&str> = listing.detectors.iter().map(|detector| detector.name).collect();
    let mut findings = vec![if names.is_empty() {
        finding("detectors", State::Bad, format!("none found. {}", libraries::looked_in(&listing.folders)))
    } else {
        finding("detectors", State::Ok, format!("{}: {}", names.len(), names.join(", ")))
    }];
    let refused = listing.refused.iter();
    let aside = listing.detectors.iter().filter_map(|one| Some((one.name, one.set_aside.as_ref()?)));
    findings.extend(aside.map(|(name, reason)| {
        finding(
            "set aside",
            State::Note,
            format!("{name}, because {reason}; chaffinch plugins let-in {name} runs it again"),
        )
    }));
    findings
        .extend(refused.map(|one| finding("refused", State::Note, format!("{}: {}", one.path, one.reason))));
    findings
}

/// What detectors that do not ship with the program may do.
fn workers() -> Finding {
    let all = "detectors in processes of their own write only to temporary folders, caches and their own folder, and use no network";
    match confinement() {
        Confinement::Full => finding("confined", State::Ok, all),
        Confinement::Partial => {
            finding("confined", State::Note, format!("a part of this holds, as this kernel is old: {all}"))
        }
        Confinement::None => finding(
            "confined",
            State::Note,
            "this kernel does not support or allow Landlock: detectors in processes of their own may write wherever you may",
        ),
    }
}

/// What the program lets itself use, and why.
fn memory() -> Finding {
    let budget = memory::shares().budget();
    match budget.check() {
        Ok(()) => finding("memory", State::Ok, budget.to_string()),
        Err(sentence) => finding("memory", State::Bad, sentence),
    }
}

fn sessions(global: &Global) -> Finding {
    let folder = match settings::sessions_folder(global) {
        Ok(folder) => folder,
        Err(error) => return finding("sessions", State::Bad, output::chain(&error)),
    };
    match writable(&folder) {
        Ok(()) => finding("sessions", State::Ok, format!("{} is writable", safe_path(&folder))),
        Err(error) => {
            let text = format!(
                "cannot write to {}: {error}; choose another folder with --session",
                safe_path(&folder)
            );
            finding("sessions", State::Bad, text)
        }
    }
}

/// Sessions of datasets that are gone, which take space and may belong to a dataset that has moved.
fn vanished(global: &Global) -> Option<Finding> {
    let folder = settings::sessions_folder(global).ok()?;
    let gone = |dir: &PathBuf| {
        Session::open_to_read(dir).is_ok_and(|session| !chaffinch_data::dataset::is_there(&session.dataset()))
    };
    let gone = session::folders(&folder).iter().filter(|dir| gone(dir)).count() as u64;
    let words = count(gone, "session of a dataset that is gone", "sessions of datasets that are gone");
    (gone > 0).then(|| finding("sessions", State::Note, format!("{words}; see chaffinch session list")))
}

/// Tests the nearest existing folder, and leaves nothing behind.
fn writable(folder: &Path) -> std::io::Result<()> {
    let there = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(folder);
    let trial = there.join(format!(".chaffinch-{}", std::process::id()));
    fs::write(&trial, b"trial")?;
    fs::remove_file(&trial)
}

fn configuration(global: &Global) -> Finding {
    match settings::config_words(global) {
        Ok(words) => finding("settings", State::Ok, words),
        Err(error) => finding("settings", State::Bad, output::chain(&error)),
    }
}
