//! The manifest of fifteen columns with what was found of leaks: held-out copies of training pictures get a tag, and are
//! removed where they are undecided.

use super::concluded::Concluded;
use super::manifest::COLUMNS;
use super::odd_paths::{Are, OddPaths};
use super::{Export, Format, Request, Target, Written};
use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_data::atomic;
use chaffinch_data::row_keys::ImageIds;
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::SampleId;

pub(super) const FORMAT: Format = Format {
    name: "final-manifest",
    summary: "The same with leaks: held-out copies of training pictures are tagged, and removed if undecided",
    file_name: "final_cleaning_manifest.csv",
    target: Target::File,
    stage: None,
    guards: false,
    write,
};

fn write(export: &Export<'_>, request: &Request, _job: &Job<'_>) -> Result<Written> {
    export.outside(&request.output)?;
    let concluded = Concluded::of(export, &request.finders);
    let (mut rows, mut removed) = (0_u64, 0_u64);
    let mut odd = OddPaths::new(export.source.manifest);
    atomic::write(&request.output, |out| {
        let mut out = csv::Writer::from_writer(out);
        out.write_record(COLUMNS)?;
        let ids = ImageIds::of(export.source.manifest);
        for &row in export.source.ranking.full_order() {
            let id = SampleId(row);
            if !request.all && !concluded.is_listed(id) {
                continue;
            }
            rows += 1;
            odd.see(id);
            removed += u64::from(concluded.goes_as_leak(id));
            let tags = concluded.tags(id).join(",");
            out.write_byte_record(&export.manifest_row(&ids, id, &tags, concluded.action(id)))?;
        }
        out.flush()
    })?;
    let summary = format!("{}, {removed} removed as leaks", counted(rows, "row", "rows"));
    let notes = odd.told(Are::Bytes).into_iter().collect();
    Ok(Written { summary: Some(summary), notes, ..Written::file(&request.output) })
}
