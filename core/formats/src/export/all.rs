//! Every format that is a single file without pictures, in one folder.

use super::{Export, FORMATS, Format, Request, Target, Written, joined};
use crate::{Error, Result};
use chaffinch_compute::job::Job;
use std::fs;

pub(super) const FORMAT: Format = Format {
    name: "all",
    summary: "Every format that is a single file without pictures, in one folder",
    file_name: "export",
    target: Target::Folder,
    stage: None,
    guards: true,
    write,
};

fn write(export: &Export<'_>, request: &Request, job: &Job<'_>) -> Result<Written> {
    let folder = &request.output;
    // Refuse before creating the folder if it is inside the dataset.
    export.outside(folder)?;
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    let mut all = Written::default();
    for format in FORMATS.iter().filter(|format| format.target == Target::File && format.stage.is_none()) {
        let one = Request { output: folder.join(format.file_name), ..request.clone() };
        let Written { paths, left_out, renamed, notes, warning, .. } = format.write(export, &one, job)?;
        all.paths.extend(paths);
        all.left_out.extend(left_out);
        all.renamed.extend(renamed);
        // What is true of several files is said once.
        let new: Vec<String> = notes.into_iter().filter(|note| !all.notes.contains(note)).collect();
        all.notes.extend(new);
        all.warning = joined([all.warning.take(), warning]);
    }
    Ok(all)
}
