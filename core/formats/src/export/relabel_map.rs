//! The new labels of relabeled samples.

use super::{Export, Format, Target, Written};
use crate::Result;
use chaffinch_data::atomic;
use serde_json::Value;
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
    write: |export, request, _| {
        export.relabel_map(&request.output)?;
        Ok(Written::file(&request.output))
    },
};

impl Export<'_> {
    /// Writes the new labels of relabeled samples as a JSON object by path, sorted. Where all classes are integers,
    /// labels are written as integers.
    ///
    /// # Errors
    /// When the target is inside the dataset, or cannot be written.
    pub fn relabel_map(&self, target: &Path) -> Result<()> {
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
            .filter_map(|(id, _)| Some((text(manifest.path(id)), label(&self.new_label(id)?))))
            .collect();
        atomic::write(target, |out| {
            serde_json::to_writer_pretty(&mut *out, &map).map_err(io::Error::from)?;
            out.write_all(b"\n")
        })
    }
}

/// An integer in its canonical spelling.
fn integer(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| number.to_string() == text)
}

/// A path as valid JSON text.
fn text(path: &Path) -> String {
    let mut out = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}
