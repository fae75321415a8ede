//! The new labels of relabeled samples.

use super::{Export, Format, Target, Written};
use crate::Result;
use chaffinch_data::atomic;
use chaffinch_data::class_names;
use chaffinch_data::row_keys::RowKeys;
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::SampleId;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "relabel-map",
    summary: "JSON of new labels by path",
    file_name: "relabel_map.json",
    target: Target::File,
    stage: None,
    guards: false,
    write: |export, request, _| {
        let labels = export.relabel_map(&request.output)?;
        let summary = Some(counted(labels, "new label", "new labels"));
        Ok(Written { summary, ..Written::file(&request.output) })
    },
};

impl Export<'_> {
    /// Writes the new labels of relabeled samples as a JSON object by path, sorted. Bytes of paths that are not UTF-8 are
    /// written as `\xff`, and a backslash that would read like that as `\x5c`. Where all classes are integers, labels are
    /// written as integers. Rows of one path that do not all get the same label are told apart by their number among these,
    /// as in `1.jpg#2`. Returns how many there are.
    ///
    /// # Errors
    /// When the target is inside the dataset, or cannot be written.
    pub fn relabel_map(&self, target: &Path) -> Result<u64> {
        let manifest = self.source.manifest;
        let keys = RowKeys::of(manifest);
        self.relabel_map_by(target, |id| {
            let alike = |row: &u32| self.new_label(SampleId(*row)) == self.new_label(id);
            match manifest.rows_of_path(id).iter().all(alike) {
                true => Cow::Borrowed(manifest.path(id).as_os_str().as_bytes()),
                false => keys.key(id),
            }
        })
    }

    /// The same by another key.
    pub(super) fn relabel_map_by<'k>(
        &self,
        target: &Path,
        key: impl Fn(SampleId) -> Cow<'k, [u8]>,
    ) -> Result<u64> {
        self.outside(target)?;
        let manifest = self.source.manifest;
        let numbers =
            !manifest.classes().is_empty() && manifest.classes().iter().all(|class| integer(class).is_some());
        let label = |label: &str| match integer(label).filter(|_| numbers) {
            Some(number) => Value::from(number),
            None => Value::from(label),
        };
        let map: BTreeMap<String, Value> = self
            .source
            .decisions
            .iter()
            .filter_map(|(id, _)| Some((class_names::of_bytes(&key(id)), label(&self.new_label(id)?))))
            .collect();
        atomic::write(target, |out| {
            serde_json::to_writer_pretty(&mut *out, &map).map_err(io::Error::from)?;
            out.write_all(b"\n")
        })?;
        Ok(map.len() as u64)
    }
}

/// An integer in its canonical spelling.
fn integer(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| number.to_string() == text)
}
