//! The cleaned dataset as a table.

use super::{Export, Format, Target, Written};
use crate::Result;
use chaffinch_data::atomic;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "cleaned-table",
    summary: "CSV of the cleaned dataset: path, label, split and the extra columns of your table",
    file_name: "cleaned.csv",
    target: Target::File,
    stage: None,
    write: |export, request, _| {
        export.cleaned_table(&request.output)?;
        Ok(Written::file(&request.output))
    },
};

impl Export<'_> {
    /// Writes the cleaned dataset as a table: `path`, `label`, `split` and the extra columns of the user's table,
    /// without removed samples and with the new labels.
    ///
    /// # Errors
    /// When the target is inside the dataset, or cannot be written.
    pub fn cleaned_table(&self, target: &Path) -> Result<()> {
        self.outside(target)?;
        let manifest = self.source.manifest;
        atomic::write(target, |out| {
            let mut out = csv::Writer::from_writer(out);
            let extra = manifest.extra().iter().map(|column| column.name.as_str());
            out.write_record(["path", "label", "split"].into_iter().chain(extra))?;
            for id in manifest.ids().filter(|&id| !self.removed(id)) {
                out.write_field(manifest.path(id).as_os_str().as_bytes())?;
                out.write_field(self.label(id))?;
                out.write_field(manifest.split(id).name())?;
                for column in manifest.extra() {
                    out.write_field(&column.values[id.index()])?;
                }
                out.write_record(None::<&[u8]>)?;
            }
            out.flush()
        })
    }
}
