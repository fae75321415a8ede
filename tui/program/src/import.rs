//! `import`: takes over what other programs found, and what people decided there.

use super::args::{Global, ReviewerArgs};
use super::output::{Table, count, json, remark, results, terminal_width, warning};
use super::scan::{self, Found};
use super::{place, settings};
use anyhow::{Result, bail, ensure};
use chaffinch_data::columns::{DetectorResult, check_name};
use chaffinch_data::config::Flags;
use chaffinch_data::issue::BUILT_IN;
use chaffinch_data::journal::{Journal, Said};
use chaffinch_data::row_order::RowOrders;
use chaffinch_data::session;
use chaffinch_data::session::{Session, SessionLocation, is_session};
use chaffinch_formats::import::{HIGHER_IS_WORSE, IMPORTERS, Importer, PATH_COLUMN, Target};
use chaffinch_protocol::display::{quoted, safe_path, safe_text};
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::verdict::is_flagged;
use clap::Args;
use clap::builder::{PossibleValue, TypedValueParser};
use serde::Serialize;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Names to show in a sentence.
const SHOWN: usize = 3;

/// Import what other programs found in the same samples, and decisions made there
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Program whose files these are
    #[arg(value_name = "PROGRAM", value_parser = Programs, required_unless_present_any = ["remove", "list"])]
    program: Option<First>,
    /// Session or its dataset, unless --session names it, and then the program's files
    #[arg(value_name = "FILE", required_unless_present_any = ["remove", "list"])]
    paths: Vec<PathBuf>,
    /// Begin the detectors' names with this instead of the program's name, such as to import two runs
    #[arg(long = "as", value_name = "PREFIX", value_parser = prefix)]
    prefix: Option<String>,
    /// High numbers are bad, in columns of csv without another program's scale
    #[arg(long)]
    higher_is_worse: bool,
    /// Column of a table that names the images by path [default: found by its name, or by what is in it]
    #[arg(long, value_name = "NAME")]
    path_column: Option<String>,
    /// Remove this imported detector from the session; decisions stay
    #[arg(long, value_name = "DETECTOR", conflicts_with = "list")]
    remove: Option<String>,
    /// List the imported detectors of the session
    #[arg(long)]
    list: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reviewer: ReviewerArgs,
}

/// The first word: with `--list` and `--remove`, it is the session or its dataset.
#[derive(Debug, Clone)]
enum First {
    Program(&'static Importer),
    Other(PathBuf),
}

/// Parses the name of a program; the help describes each.
#[derive(Clone)]
struct Programs;

impl TypedValueParser for Programs {
    type Value = First;

    fn parse_ref(
        &self,
        _: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<First, clap::Error> {
        let program = value.to_str().and_then(Importer::find);
        Ok(program.map_or_else(|| First::Other(value.into()), First::Program))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let values =
            IMPORTERS.iter().map(|importer| PossibleValue::new(importer.name).help(importer.summary));
        Some(Box::new(values))
    }
}

fn prefix(text: &str) -> Result<String, String> {
    check_name(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

/// A detector for scripts.
#[derive(Debug, Serialize)]
pub(super) struct ImportedEntry {
    name: String,
    program: String,
    summary: String,
    flagged: u64,
    scored: u64,
    threshold: f32,
}

impl ImportedEntry {
    fn new(result: &DetectorResult) -> ImportedEntry {
        let record = result.record();
        let scores = result.scores().iter().filter(|score| !score.is_nan());
        let flagged = scores.clone().filter(|score| is_flagged(**score, record.threshold)).count() as u64;
        ImportedEntry {
            name: record.name.clone(),
            program: record.imported.clone(),
            summary: record.summary.clone(),
            flagged,
            scored: scores.count() as u64,
            threshold: record.threshold,
        }
    }
}

/// What one reviewer said elsewhere, for scripts.
#[derive(Debug, Serialize)]
struct Person {
    reviewer: String,
    added: u64,
    known: u64,
    /// Samples about which the journal says something else, which stays.
    kept: u64,
}

/// The report for scripts.
#[derive(Debug, Serialize)]
struct Report {
    session: String,
    detectors: Vec<ImportedEntry>,
    reviewers: Vec<Person>,
    warnings: Vec<String>,
    notes: Vec<String>,
}

/// Imports files, or removes or lists what was imported.
pub(super) fn run(args: &Import, global: &Global) -> Result<ExitCode> {
    match (&args.program, &args.remove) {
        (_, Some(name)) => remove(name, &session_of(args, global)?)?,
        (_, None) if args.list => list(args, &session_of(args, global)?)?,
        (Some(First::Program(program)), None) => import(args, program, global)?,
        (Some(First::Other(word)), None) => {
            let names: Vec<&str> = IMPORTERS.iter().map(|importer| importer.name).collect();
            bail!("unknown program '{}'; name one of {} before the files", safe_path(word), names.join(", "));
        }
        (None, None) => bail!("name the program whose files these are"),
    }
    Ok(ExitCode::SUCCESS)
}

/// The session to list or to remove from: that of `--session`, or of the only word.
fn session_of(args: &Import, global: &Global) -> Result<SessionLocation> {
    let first = args.program.as_ref().map(|first| match first {
        First::Program(program) => PathBuf::from(program.name),
        First::Other(path) => path.clone(),
    });
    let words: Vec<PathBuf> = first.into_iter().chain(args.paths.iter().cloned()).collect();
    let location = match (words.as_slice(), &global.session) {
        ([], None) => bail!("name the dataset or its session; chaffinch session list shows all"),
        ([], Some(dir)) => {
            ensure!(is_session(dir), "{} is not a session; scan the dataset with it first", safe_path(dir));
            session::resolve(dir, None)?
        }
        ([one], _) => place::find(one, global)?,
        ([_, other, ..], _) => {
            bail!("{} is one too many: name only the dataset or its session", safe_path(other))
        }
    };
    place::scanned(&location, global)?;
    Ok(location)
}

/// The session, and the files of the program.
fn place<'a>(args: &'a Import, global: &Global) -> Result<(SessionLocation, &'a [PathBuf])> {
    let (location, files) = match &global.session {
        Some(dir) => {
            ensure!(is_session(dir), "{} is not a session; scan the dataset with it first", safe_path(dir));
            let location = session::resolve(dir, None)?;
            // As for other commands, the dataset may be named, too.
            let named = |path: &PathBuf| session::same(path, &location.dataset) || session::same(path, dir);
            let files = match args.paths.split_first() {
                Some((first, rest)) if !rest.is_empty() && named(first) => rest,
                _ => &args.paths[..],
            };
            (location, files)
        }
        None => {
            let Some((target, files)) = args.paths.split_first() else {
                bail!("name the session with --session DIR; chaffinch session list shows all");
            };
            if args.program.is_some() && files.is_empty() {
                bail!(
                    "name the dataset or its session before {}, or the session with --session DIR",
                    safe_path(target)
                );
            }
            (place::find(target, global)?, files)
        }
    };
    place::scanned(&location, global)?;
    Ok((location, files))
}

fn import(args: &Import, program: &Importer, global: &Global) -> Result<()> {
    let given = [(PATH_COLUMN, args.path_column.is_some()), (HIGHER_IS_WORSE, args.higher_is_worse)];
    let unread = given.into_iter().find(|(option, given)| *given && !program.options.contains(option));
    if let Some((option, _)) = unread {
        let takers = IMPORTERS.iter().filter(|importer| importer.options.contains(&option));
        let takers: Vec<&str> = takers.map(|importer| importer.name).collect();
        bail!("{} has no use for {option}; leave it out (it is for {})", program.name, takers.join(", "));
    }
    let (location, files) = place(args, global)?;
    let flags = Flags { reviewer: args.reviewer.reviewer.clone(), ..Flags::default() };
    let config = settings::config(global, Some(&location.dir))?.with_flags(flags);
    let session = Session::open(&location.dir)?;
    let Some((manifest, file_metadata)) = session.load_samples()? else {
        return Err(place::no_results(&session));
    };
    let (known, _) = session.load_results(manifest.len(), manifest.classes());
    let own = known.iter().filter(|(_, result)| !result.record().is_imported());
    let own = own.map(|(name, _)| name.clone()).chain(BUILT_IN.map(str::to_owned)).collect();
    let target = Target::new(&manifest, &file_metadata, own, args.higher_is_worse)
        .with_path_column(args.path_column.clone())
        .with_orders(RowOrders::new(&session));
    let files: Vec<PathBuf> = files.iter().map(|file| session_for(program, file)).collect();
    let outcome = program.read(&files, &target, args.prefix.as_deref())?;
    let mut warnings = outcome.warnings;
    if outcome.imports.is_empty() && outcome.said.is_empty() {
        // They may say why.
        warnings.iter().for_each(|text| warning("import", text));
        bail!(
            "there is nothing to import: {} has no scores, flags, decisions, tags or notes that can be used",
            files.iter().map(|file| safe_path(file)).collect::<Vec<_>>().join(", ")
        );
    }
    for reviewer in outcome.said.keys().flatten() {
        Journal::check_reviewer(reviewer)?;
    }
    for imported in &outcome.imports {
        session.save_import(imported, &manifest, &file_metadata)?;
    }
    for (digest, order) in &outcome.orders {
        session.keep_row_order(digest, order)?;
    }
    let names: Vec<String> = outcome.imports.iter().map(|imported| imported.record().name.clone()).collect();
    let (manifest, file_metadata) = (Arc::new(manifest), Arc::new(file_metadata));
    let mut reviewers = Vec::new();
    for (reviewer, said) in outcome.said {
        let reviewer = reviewer.unwrap_or_else(|| config.reviewer());
        let mut journal = Journal::open(&session.decisions_dir(), &reviewer)?;
        journal.bind(&manifest, Some(&file_metadata));
        reviewers.push(adopt(&mut journal, &reviewer, &said, &manifest, &mut warnings)?);
    }
    let (results_now, _) = session.load_results(manifest.len(), manifest.classes());
    let detectors = names.iter().filter_map(|name| results_now.get(name)).map(ImportedEntry::new).collect();
    let report =
        Report { session: safe_path(session.dir()), detectors, reviewers, warnings, notes: outcome.notes };
    tell(args, &report, global)
}

/// A file as it was named, or the session of the dataset that was named in its place.
fn session_for(program: &Importer, file: &Path) -> PathBuf {
    let found = Some(file).filter(|file| program.reads_sessions() && !is_session(file));
    let found = found.and_then(|dataset| session::resolve(dataset, None).ok());
    found.filter(|found| is_session(&found.dir)).map_or_else(|| file.to_path_buf(), |found| found.dir)
}

/// Adds what a reviewer said, and says what the journal keeps.
fn adopt(
    journal: &mut Journal,
    reviewer: &str,
    said: &[(SampleId, Said)],
    manifest: &chaffinch_data::manifest::Manifest,
    warnings: &mut Vec<String>,
) -> Result<Person> {
    let adopted = journal.adopt(said)?;
    let reviewer = safe_text(reviewer).into_owned();
    if let Some(first) = adopted.differing.first() {
        let all = adopted.differing.iter().take(SHOWN).map(|id| safe_path(manifest.path(*id)));
        let more = if adopted.differing.len() > SHOWN { ", …" } else { "" };
        let samples = count(adopted.differing.len() as u64, "sample", "samples");
        debug_assert!(first.index() < manifest.len());
        warnings.push(format!(
            "the journal of {reviewer} says something else of {samples}, which stays: {}{more}",
            all.collect::<Vec<_>>().join(", ")
        ));
    }
    let kept = adopted.differing.len() as u64;
    Ok(Person { reviewer, added: adopted.added, known: adopted.known, kept })
}

fn tell(args: &Import, report: &Report, global: &Global) -> Result<()> {
    report.warnings.iter().for_each(|text| warning("import", text));
    if !global.quiet {
        report.notes.iter().for_each(|text| remark(&format!("note: {}", safe_text(text))));
    }
    results(|out| {
        if args.json {
            return json(out, report);
        }
        if !report.detectors.is_empty() {
            table(&report.detectors).write(out, terminal_width())?;
        }
        for Person { reviewer, added, known, .. } in &report.reviewers {
            let samples = count(*added, "sample", "samples");
            writeln!(out, "{reviewer}: decisions, tags and notes on {samples} added, {known} known already")?;
        }
        Ok(())
    })?;
    if !global.quiet && !args.json {
        remark(&format!("Review them with: chaffinch open {}", quoted(Path::new(&report.session))));
    }
    Ok(())
}

fn table(entries: &[ImportedEntry]) -> Table {
    scan::detectors(entries.iter().map(found))
}

fn found(entry: &ImportedEntry) -> Found<'_> {
    let ImportedEntry { name, flagged, scored, threshold, summary, .. } = entry;
    Found { name, flagged: *flagged, scored: *scored, threshold: *threshold, summary }
}

/// The imported detectors of a session.
pub(super) fn entries(dir: &Path) -> Result<Vec<ImportedEntry>> {
    let session = Session::open_to_read(dir)?;
    let Some((manifest, _)) = session.load_samples()? else { return Ok(Vec::new()) };
    let (known, _) = session.load_results(manifest.len(), manifest.classes());
    Ok(known.values().filter(|result| result.record().is_imported()).map(ImportedEntry::new).collect())
}

/// Writes the imported detectors as a table.
pub(super) fn write(out: &mut dyn Write, entries: &[ImportedEntry]) -> Result<()> {
    table(entries).write(out, terminal_width())
}

fn list(args: &Import, location: &SessionLocation) -> Result<()> {
    let entries = entries(&location.dir)?;
    results(|out| match (args.json, entries.is_empty()) {
        (true, _) => json(out, &entries),
        (false, true) => Ok(writeln!(out, "nothing was imported into {}", safe_path(&location.dir))?),
        (false, false) => write(out, &entries),
    })
}

fn remove(name: &str, location: &SessionLocation) -> Result<()> {
    let session = Session::open(&location.dir)?;
    if !session.remove_import(name)? {
        let names: Vec<String> = entries(&location.dir)?.into_iter().map(|entry| entry.name).collect();
        let known = if names.is_empty() { "nothing was imported".to_owned() } else { names.join(", ") };
        bail!("there is no imported detector '{}' in this session ({known})", safe_text(name));
    }
    results(|out| Ok(writeln!(out, "removed {name}")?))
}
