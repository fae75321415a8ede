//! All samples with everything that is known of them, as CSV.

use super::formulas::Formulas;
use super::odd_paths::{Are, OddPaths};
use super::sample_table::{Cell, SampleTable};
use super::{Export, Format, Request, Target, Written};
use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_data::{atomic, class_names};
use chaffinch_protocol::display::counted;
use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;

pub(super) const FORMAT: Format = Format {
    name: "csv",
    summary: "CSV of all samples: label, split, decision, tags, and what each detector says",
    file_name: "samples.csv",
    target: Target::File,
    stage: None,
    guards: true,
    write,
};

fn write(export: &Export<'_>, request: &Request, _job: &Job<'_>) -> Result<Written> {
    export.outside(&request.output)?;
    let table = SampleTable::of(export);
    let mut guarded = 0;
    atomic::write(&request.output, |out| {
        let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
        let mut guard = |text: &[u8], out: &mut csv::Writer<_>| {
            let safe = request.formulas.guarded(text);
            guarded += u64::from(matches!(safe, Cow::Owned(_)));
            out.write_field(&safe)
        };
        for column in &table.columns {
            guard(column.name.as_bytes(), &mut out)?;
        }
        out.write_record(None::<&[u8]>)?;
        for id in export.source.manifest.ids() {
            for column in &table.columns {
                match table.cell(column, id) {
                    Cell::Nothing => out.write_field(b"")?,
                    Cell::Path(path) => guard(path.as_os_str().as_bytes(), &mut out)?,
                    Cell::Class(name) => guard(&class_names::bytes(&name), &mut out)?,
                    Cell::Text(text) => guard(text.as_bytes(), &mut out)?,
                    Cell::Json { text, .. } => guard(text.as_bytes(), &mut out)?,
                    Cell::Tags(tags) => guard(tags.join(",").as_bytes(), &mut out)?,
                    Cell::Number(number) => out.write_field(number.to_string())?,
                    Cell::Flag(flag) => out.write_field(if flag { "True" } else { "False" })?,
                }
            }
            out.write_record(None::<&[u8]>)?;
        }
        out.flush()
    })?;
    let manifest = export.source.manifest;
    let samples = counted(manifest.len() as u64, "sample", "samples");
    Ok(Written {
        summary: Some(Formulas::told(samples, guarded)),
        renamed: table.renamed,
        notes: OddPaths::of_all(manifest).told(Are::Bytes).into_iter().collect(),
        ..Written::file(&request.output)
    })
}
