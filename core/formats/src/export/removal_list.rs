//! The paths of samples to remove.

use super::{Export, Format, Target, Written};
use crate::Result;
use chaffinch_data::atomic;
use chaffinch_protocol::decision::Choice;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "removal-list",
    summary: "Paths of the samples to remove, one per line",
    file_name: "removal_list.txt",
    target: Target::File,
    stage: None,
    write: |export, request, _| {
        export.removal_list(&request.output)?;
        Ok(Written::file(&request.output))
    },
};

impl Export<'_> {
    /// Writes the paths of samples to remove, sorted, one per line. If a line begins with a backslash, the path after
    /// it has newlines, carriage returns and backslashes escaped as `\n`, `\r` and `\\`.
    ///
    /// # Errors
    /// When the target is inside the dataset, or cannot be written.
    pub fn removal_list(&self, target: &Path) -> Result<()> {
        self.outside(target)?;
        let removed = self.source.decisions.iter().filter(|(_, decision)| decision.choice == Choice::Remove);
        let mut paths: Vec<&[u8]> =
            removed.map(|(id, _)| self.source.manifest.path(id).as_os_str().as_bytes()).collect();
        paths.sort_unstable();
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
        })
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
