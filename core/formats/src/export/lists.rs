//! Lists of what to remove and what to relabel.

use super::Export;
use crate::Result;
use chaffinch_data::atomic;
use chaffinch_protocol::decision::Choice;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

impl Export<'_> {
    /// Writes the paths of samples to remove, sorted, one a line. A line that begins with a backslash has `\n`,
    /// `\r` and `\\` for a newline, a carriage return and a backslash within the path behind it.
    ///
    /// # Errors
    /// When the place lies inside the dataset, or cannot be written.
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

    /// Writes the new labels of relabelled samples as a JSON object by path, sorted. Where all classes are
    /// integers, labels are written as integers.
    ///
    /// # Errors
    /// When the place lies inside the dataset, or cannot be written.
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
            .filter_map(|(id, decision)| match &decision.choice {
                Choice::Relabel(new) => Some((text(manifest.path(id)), label(new))),
                _ => None,
            })
            .collect();
        atomic::write(target, |out| {
            serde_json::to_writer_pretty(&mut *out, &map).map_err(io::Error::from)?;
            out.write_all(b"\n")
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

/// A number that is written like this and no other way.
fn integer(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| number.to_string() == text)
}

/// A path as JSON can hold it.
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
