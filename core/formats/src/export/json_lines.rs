//! All samples with everything that is known of them, one JSON object per line.

use super::odd_paths::{Are, OddPaths};
use super::sample_table::{Cell, SampleTable, json_number};
use super::{Export, Format, Request, Target, Written};
use crate::Result;
use crate::text::json_numbers;
use chaffinch_compute::job::Job;
use chaffinch_data::{atomic, class_names};
use chaffinch_protocol::display::counted;
use serde_json::{Map, Value};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

pub(super) const FORMAT: Format = Format {
    name: "jsonl",
    summary: "The same as one JSON object per line",
    file_name: "samples.jsonl",
    target: Target::File,
    stage: None,
    guards: false,
    write,
};

fn write(export: &Export<'_>, request: &Request, _job: &Job<'_>) -> Result<Written> {
    export.outside(&request.output)?;
    let table = SampleTable::of(export);
    atomic::write(&request.output, |out| {
        for id in export.source.manifest.ids() {
            let cells =
                table.columns.iter().map(|column| (column.name.clone(), json(table.cell(column, id))));
            let row: Map<String, Value> = cells.collect();
            writeln!(out, "{}", json_numbers::json(&row.into()))?;
        }
        Ok(())
    })?;
    let manifest = export.source.manifest;
    let samples = counted(manifest.len() as u64, "sample", "samples");
    let notes = OddPaths::of_all(manifest).told(Are::Escaped).into_iter().collect();
    Ok(Written { summary: Some(samples), renamed: table.renamed, notes, ..Written::file(&request.output) })
}

/// A cell as JSON.
pub(super) fn json(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Nothing => Value::Null,
        Cell::Path(path) => Value::from(class_names::of_bytes(path.as_os_str().as_bytes())),
        Cell::Class(text) | Cell::Text(text) => Value::from(text.into_owned()),
        Cell::Tags(tags) => Value::from(tags),
        Cell::Number(number) => json_number(number),
        Cell::Flag(flag) => Value::from(flag),
        Cell::Json { value, .. } => value,
    }
}
