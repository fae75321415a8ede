//! `export`: what was decided, for other programs.

use super::args::{CopyMode, Export, ExportFormat, Global};
use super::interrupt::INTERRUPTED;
use super::listing::Listing;
use super::output::{count, results, warning};
use super::stages::Stages;
use anyhow::{Context, Result, bail};
use chaffinch_data::Error;
use chaffinch_formats::export;
use chaffinch_formats::export::CleanReport;
use chaffinch_protocol::display::safe_path;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Writes what was asked for and says where.
pub(super) fn run(args: &Export, global: &Global) -> Result<ExitCode> {
    let target = &args.output;
    if !args.force && occupied(target, args.format) {
        bail!("{} exists already; choose a new place, or add --force to replace it", safe_path(target));
    }
    let listing = Listing::open(&args.target, global)?;
    let name = listing.manifest.root().file_name().unwrap_or_default().to_string_lossy().into_owned();
    let export = export::Export { source: listing.source(), dataset: &name };
    let written = match args.format {
        ExportFormat::Manifest => one(target, export.manifest(target, args.all))?,
        ExportFormat::RemovalList => one(target, export.removal_list(target))?,
        ExportFormat::RelabelMap => one(target, export.relabel_map(target))?,
        ExportFormat::CleanedTable => one(target, export.cleaned_table(target))?,
        ExportFormat::All => all(&export, target, args.all)?,
        ExportFormat::Cleaned => match cleaned(&export, args, global)? {
            Some(report) => {
                results(|out| Ok(writeln!(out, "{}: {}", safe_path(target), words(&report))?))?;
                return Ok(ExitCode::SUCCESS);
            }
            None => return Ok(ExitCode::from(INTERRUPTED)),
        },
    };
    let decided = count(listing.journal.decided_count() as u64, "decision", "decisions");
    results(|out| {
        for path in &written {
            writeln!(out, "{} ({decided})", safe_path(path))?;
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// An empty folder is as good as none where a folder is made.
fn occupied(target: &Path, format: ExportFormat) -> bool {
    match format {
        ExportFormat::All => {
            fs::read_dir(target).map_or(target.exists(), |mut entries| entries.next().is_some())
        }
        // The copy itself refuses a folder with anything in it, with or without --force.
        ExportFormat::Cleaned => false,
        _ => target.exists(),
    }
}

fn one(target: &Path, outcome: chaffinch_data::Result<()>) -> Result<Vec<PathBuf>> {
    outcome?;
    Ok(vec![target.to_path_buf()])
}

/// Every list and table, in one folder.
fn all(export: &export::Export<'_>, folder: &Path, every_sample: bool) -> Result<Vec<PathBuf>> {
    let at = |name: &str| folder.join(name);
    let files = [at("manifest.csv"), at("removal_list.txt"), at("relabel_map.json"), at("cleaned.csv")];
    // Refused before a folder is made, should it lie in the dataset.
    let root = fs::canonicalize(export.source.manifest.root()).unwrap_or_default();
    let wanted = std::path::absolute(folder).context("cannot tell where the output goes")?;
    let real = wanted.ancestors().find_map(|part| fs::canonicalize(part).ok());
    if real.is_some_and(|real| real.starts_with(&root)) {
        bail!(
            "{} lies inside the dataset, which is never written to; choose another place",
            safe_path(folder)
        );
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", safe_path(folder)))?;
    export.manifest(&files[0], every_sample)?;
    export.removal_list(&files[1])?;
    export.relabel_map(&files[2])?;
    export.cleaned_table(&files[3])?;
    Ok(files.to_vec())
}

/// The copy; `None` when it was stopped by Ctrl-C and nothing is left of it.
fn cleaned(export: &export::Export<'_>, args: &Export, global: &Global) -> Result<Option<CleanReport>> {
    let stages = Stages::new(1, global.quiet)?;
    let outcome = stages.run("copy", 1, |job| export.cleaned(&args.output, args.copy.into(), job));
    stages.finish();
    match outcome {
        Ok(report) => {
            report.missing.iter().for_each(|reason| warning("left out", reason));
            Ok(Some(report))
        }
        Err(Error::Stopped) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn words(report: &CleanReport) -> String {
    let mut text = format!(
        "{}, {} removed, {} under another class",
        count(report.written, "file", "files"),
        report.removed,
        report.relabelled
    );
    if report.renamed > 0 {
        text += &format!(", {} renamed", report.renamed);
    }
    if !report.missing.is_empty() {
        text += &format!(", {} that cannot be read left out", report.missing.len());
    }
    text
}

impl From<CopyMode> for export::CopyMode {
    fn from(mode: CopyMode) -> export::CopyMode {
        match mode {
            CopyMode::Link => export::CopyMode::Link,
            CopyMode::Symlink => export::CopyMode::Symlink,
            CopyMode::Copy => export::CopyMode::Copy,
        }
    }
}
