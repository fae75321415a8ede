//! `export`: writes decisions for other programs.

use super::args::{CopyMode, Formulas, Global, reviewer};
use super::interrupt::INTERRUPTED;
use super::listing::Listing;
use super::output::{count, remark, results, warning};
use super::reading;
use super::stages::Stages;
use anyhow::{Result, bail};
use chaffinch_compute::job::Job;
use chaffinch_data::Error;
use chaffinch_data::journal::{Decisions, Now, changed_files};
use chaffinch_formats::export;
use chaffinch_formats::export::{FORMATS, Finders, Format, Request, Target};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::query::Source;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

/// The program's own detectors by what they find.
const FINDERS: Finders = Finders {
    labels: &["label-quality", "clean-selection", "clip-prompt"],
    outliers: &["neighbor-outliers", "cluster-outliers"],
    copies: &["duplicates"],
    leaks: &["leaks"],
    quality: &["image-quality"],
};

/// Export decisions as a manifest, as lists, or as a cleaned copy of the dataset
#[derive(Debug, Args)]
pub(super) struct Export {
    /// Folder of a session, or its dataset
    #[arg(value_name = "SESSION")]
    target: PathBuf,
    /// What to write
    #[arg(long, value_parser = formats())]
    format: &'static Format,
    #[arg(long, short, value_name = "PATH", help = where_to())]
    output: PathBuf,
    /// How to create the files of a copy
    #[arg(long, value_enum, default_value = "link")]
    copy: CopyMode,
    /// Reviewer whose decisions win where reviewers disagree [default: from $CHAFFINCH_REVIEWER or the configuration,
    /// or else your login name]
    #[arg(long, value_name = "NAME", value_parser = reviewer)]
    reviewer: Option<String>,
    /// Include all samples in the manifest, not only suspects and reviewed ones
    #[arg(long)]
    all: bool,
    /// What to do with cells of CSV files that a spreadsheet would run as formulas
    #[arg(long, value_enum, default_value = "guard")]
    formulas: Formulas,
    /// Replace existing files; a folder for a copy must be new or empty all the same
    #[arg(long)]
    force: bool,
}

/// Parses the name of a format; the help describes each.
fn formats() -> impl TypedValueParser<Value = &'static Format> {
    let values = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.summary));
    PossibleValuesParser::new(values)
        .try_map(|name| Format::find(&name).ok_or_else(|| format!("unknown format '{name}'")))
}

fn where_to() -> String {
    let folders = FORMATS.iter().filter(|format| format.target != Target::File);
    let names: Vec<String> = folders.map(|format| format!("`{}`", format.name)).collect();
    let (last, others) =
        names.split_last().map_or(("", &names[..]), |(last, others)| (last.as_str(), others));
    format!("Output file, or folder for {} and {last}", others.join(", "))
}

/// Exports, and prints the paths of the files.
pub(super) fn run(args: &Export, global: &Global) -> Result<ExitCode> {
    let (target, format) = (&args.output, args.format);
    if !args.force && format.would_replace(target) {
        bail!("{} already exists; choose another path, or use --force to replace it", safe_path(target));
    }
    let listing = Listing::open_as(&args.target, global, args.reviewer.as_deref())?;
    reading::tell(&listing.reading, "", global.quiet);
    let name = listing.manifest.root().file_name().unwrap_or_default().to_string_lossy().into_owned();
    let changed = changed_files(&listing.manifest, &listing.file_metadata, listing.journal.decisions());
    // What was decided about other content says nothing of what is there now.
    let other = changed.iter().filter(|(_, now)| *now == Now::Changed).map(|(id, _)| *id);
    let decisions = listing.journal.snapshot().without(other);
    let source = Source { decisions: &decisions, ..listing.source() };
    let export = export::Export { source, dataset: &name, embeddings: &|| listing.atlas() };
    let request = Request {
        output: target.clone(),
        all: args.all,
        copy: args.copy.into(),
        formulas: args.formulas.into(),
        finders: FINDERS,
    };
    let outcome = match format.stage {
        Some(stage) => {
            let stages = Stages::new(1, global.quiet)?;
            let outcome = stages.run(stage, 1, |job| format.write(&export, &request, job));
            stages.finish();
            outcome
        }
        None => format.write(&export, &request, &Job::new(&AtomicBool::new(false), &|_, _| {})),
    };
    let written = match outcome {
        Err(Error::Stopped) => return Ok(ExitCode::from(INTERRUPTED)),
        outcome => outcome?,
    };
    tell_changed(&listing, &changed);
    tell_disputes(&listing, &decisions, args.reviewer.is_some());
    tell_unsure(&decisions, global);
    written.left_out.iter().for_each(|reason| warning("left out", reason));
    written.warning.iter().for_each(|text| warning("export", text));
    written.renamed.iter().for_each(|reason| warning("renamed", reason));
    if !global.quiet {
        written.notes.iter().for_each(|text| remark(&format!("note: {text}")));
    }
    let decided = count(decisions.decided() as u64, "decision", "decisions");
    results(|out| {
        for path in &written.paths {
            match &written.summary {
                Some(summary) => writeln!(out, "{}: {summary}", safe_path(path))?,
                None => writeln!(out, "{} ({decided})", safe_path(path))?,
            }
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Says whose decisions were exported where reviewers disagree.
fn tell_disputes(listing: &Listing, decisions: &Decisions, named: bool) {
    let disputes = listing.journal.disputes(decisions);
    if let Some(words) = disputes.words() {
        let (used, others) = (disputes.used_words(), disputes.other_words());
        let choose = if named { "" } else { "; --reviewer NAME chooses whose decisions win" };
        warning(
            "decisions",
            &format!("{words}: exported the decisions of {used}; {others} decided otherwise{choose}"),
        );
    }
}

/// Says what becomes of samples that somebody looked at and could not decide.
fn tell_unsure(decisions: &Decisions, global: &Global) {
    let [.., unsure] = decisions.by_choice();
    if unsure > 0 && !global.quiet {
        let samples = count(unsure, "sample is", "samples are");
        remark(&format!(
            "note: {samples} decided as unsure: exported unchanged, as if undecided; the filter decision:unsure lists them"
        ));
    }
}

/// Lists decided files that are no longer what was decided about.
fn tell_changed(listing: &Listing, changed: &[(SampleId, Now)]) {
    for (now, about, one, many, so) in [
        (
            Now::Changed,
            "changed",
            "decided file has changed since",
            "decided files have changed since",
            "exported as undecided; scan again, then decide again",
        ),
        (Now::Gone, "gone", "decided file is gone", "decided files are gone", "scan again if that is right"),
    ] {
        let names: Vec<String> = changed
            .iter()
            .filter(|(_, found)| *found == now)
            .map(|(id, _)| {
                let choice = listing.journal.decision(*id).map(|decision| decision.choice.to_string());
                let (path, choice) = (safe_path(listing.manifest.path(*id)), choice.unwrap_or_default());
                format!("{path} ({})", safe_text(&choice))
            })
            .collect();
        if !names.is_empty() {
            let files = count(names.len() as u64, one, many);
            warning(about, &format!("{files}: {}; {so}", names.join(", ")));
        }
    }
}
