//! `export`: writes decisions for other programs.

use super::args::{CopyMode, Formulas, Global, reviewer};
use super::interrupt::INTERRUPTED;
use super::listing::{DatasetState, Listing};
use super::output::{count, remark, results, warning};
use super::stages::Stages;
use super::{reading, targets};
use anyhow::{Result, bail};
use chaffinch_compute::job::Job;
use chaffinch_data::Error;
use chaffinch_engine::outputs::OutputRemark;
use chaffinch_formats::export::{FORMATS, Format, Request, Target};
use chaffinch_protocol::display::{listed, safe_path};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

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
    #[arg(long, value_enum, help = which_are_guarded())]
    formulas: Option<Formulas>,
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

/// The names of the formats whose cells are guarded.
fn guarded() -> String {
    let names: Vec<String> =
        FORMATS.iter().filter(|format| format.guards).map(|format| format!("`{}`", format.name)).collect();
    listed(&names, "and")
}

fn which_are_guarded() -> String {
    let formats = guarded();
    format!(
        "What to do with cells that a spreadsheet would run as formulas, in {formats}; other formats keep every value \
         as it is [default: guard]"
    )
}

/// Exports, and prints the paths of the files.
pub(super) fn run(args: &Export, global: &Global) -> Result<ExitCode> {
    let (target, format) = (&args.output, args.format);
    if args.formulas.is_some() && !format.guards {
        bail!(
            "{} has no use for --formulas, because programs read it and need every value as it is; leave it out (it is \
             for {})",
            format.name,
            guarded()
        );
    }
    targets::replace(target, args.force || !format.would_replace(target))?;
    let listing = Listing::open_as(&args.target, global, args.reviewer.as_deref(), DatasetState::Whole)?;
    reading::tell(&listing.reading, "", global.quiet);
    let outputs = listing.outputs(None)?;
    let request = Request {
        output: target.clone(),
        all: args.all,
        copy: args.copy.into(),
        formulas: args.formulas.map(Into::into).unwrap_or_default(),
        ..Request::default()
    };
    let embeddings = || listing.atlas();
    let outcome = match format.stage {
        Some(stage) => {
            let stages = Stages::new(1, global.quiet)?;
            let outcome = stages.run(stage, 1, |job| outputs.export(format, request, &embeddings, job));
            stages.finish();
            outcome
        }
        None => outputs.export(format, request, &embeddings, &Job::new(&AtomicBool::new(false), &|_, _| {})),
    };
    let written = match outcome {
        Err(Error::Stopped) => return Ok(ExitCode::from(INTERRUPTED)),
        outcome => outcome?,
    };
    let choose = if args.reviewer.is_some() { "" } else { "; --reviewer NAME chooses whose decisions win" };
    for OutputRemark { about, text, warning: serious } in outputs.remarks(choose) {
        match serious {
            true => warning(about, &text),
            false if !global.quiet => remark(&format!("note: {text}")),
            false => {}
        }
    }
    written.left_out.iter().for_each(|reason| warning("left out", reason));
    written.warning.iter().for_each(|text| warning("export", text));
    written.renamed.iter().for_each(|reason| warning("renamed", reason));
    if !global.quiet {
        written.notes.iter().for_each(|text| remark(&format!("note: {text}")));
    }
    let decided = count(outputs.decisions().decided() as u64, "decision", "decisions");
    results(|out| {
        for path in &written.paths {
            match &written.summary {
                Some(summary) => writeln!(out, "{}: {summary}", safe_path(path))?,
                // Of several files, none has all decisions.
                None if written.paths.len() > 1 => writeln!(out, "{}", safe_path(path))?,
                None => writeln!(out, "{} ({decided})", safe_path(path))?,
            }
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
