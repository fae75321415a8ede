//! The paths of samples to remove.

use super::{Export, Format, Target, Written};
use crate::Result;
use chaffinch_data::atomic;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::display::{counted, safe_path};
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "removal-list",
    summary: "Paths of the samples to remove, one per line",
    file_name: "removal_list.txt",
    target: Target::File,
    stage: None,
    guards: false,
    write: |export, request, _| {
        let (listed, left_out) = export.removal_list(&request.output)?;
        let summary = Some(counted(listed, "path", "paths"));
        Ok(Written { summary, left_out, ..Written::file(&request.output) })
    },
};

impl Export<'_> {
    /// Writes the paths of samples to remove, sorted, one per line. If a line begins with a backslash, the path after
    /// it has newlines, carriage returns and backslashes escaped as `\n`, `\r` and `\\`. A file that another row of the
    /// dataset keeps is left out, since deleting what is listed would lose it. Returns how many paths are listed, and what was
    /// left out, each with the reason.
    ///
    /// # Errors
    /// When the target is inside the dataset, or cannot be written.
    pub fn removal_list(&self, target: &Path) -> Result<(u64, Vec<String>)> {
        self.outside(target)?;
        let removed = self.source.decisions.iter().filter(|(_, decision)| decision.choice == Choice::Remove);
        let manifest = self.source.manifest;
        let file = |id| -> PathBuf { manifest.full_path(id).components().collect() };
        let wanted: BTreeSet<PathBuf> = removed.map(|(id, _)| file(id)).collect();
        let kept = manifest.ids().filter(|&id| !self.removed(id)).map(file);
        let kept: BTreeSet<PathBuf> = match wanted.is_empty() {
            true => BTreeSet::new(),
            false => kept.filter(|path| wanted.contains(path)).collect(),
        };
        let mut left_out = BTreeSet::new();
        let mut paths: BTreeSet<&[u8]> = BTreeSet::new();
        for id in manifest.ids().filter(|&id| self.removed(id)) {
            if kept.contains(&file(id)) {
                let path = safe_path(manifest.path(id));
                left_out.insert(format!("{path}: another row of the dataset keeps the same file"));
            } else {
                paths.insert(manifest.path(id).as_os_str().as_bytes());
            }
        }
        let listed = paths.len() as u64;
        atomic::write(target, |out| {
            for path in paths {
                if path.starts_with(b"\\") || path.contains(&b'\n') || path.contains(&b'\r') {
                    out.write_all(&escaped(path))?;
                } else {
                    out.write_all(path)?;
                }
                out.write_all(b"\n")?;
            }
            Ok(())
        })?;
        Ok((listed, left_out.into_iter().collect()))
    }
}

fn escaped(path: &[u8]) -> Vec<u8> {
    let mut out = vec![b'\\'];
    for &byte in path {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            byte => out.push(byte),
        }
    }
    out
}
