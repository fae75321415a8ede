//! The rows that stay after cleaning, for training code that selects samples by number.

use super::{Export, Format, Request, Target, Written};
use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_data::atomic;
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::SampleId;
use std::io::Write;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "indices",
    summary: "Numbers of the samples that stay, counted from 0 in the order of the dataset, one per line",
    file_name: "selected_indices.txt",
    target: Target::File,
    stage: None,
    guards: false,
    write,
};

fn write(export: &Export<'_>, request: &Request, _job: &Job<'_>) -> Result<Written> {
    rows(export, &request.output, &|id| export.removed(id))
}

/// Writes the rows that are not removed.
///
/// # Errors
/// When the target is inside the dataset, or cannot be written.
pub(super) fn rows(
    export: &Export<'_>,
    target: &Path,
    removed: &dyn Fn(SampleId) -> bool,
) -> Result<Written> {
    export.outside(target)?;
    let manifest = export.source.manifest;
    let mut kept = 0_u64;
    atomic::write(target, |out| {
        for id in manifest.ids().filter(|&id| !removed(id)) {
            writeln!(out, "{}", id.0)?;
            kept += 1;
        }
        Ok(())
    })?;
    let summary = format!("{kept} of {}", counted(manifest.len() as u64, "sample", "samples"));
    Ok(Written { summary: Some(summary), ..Written::file(target) })
}
