//! Paths that are not UTF-8: what is said of them wherever a file is written that has them in it.

use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeSet;
use std::path::Path;

/// How a file has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Are {
    /// As they are on the disk.
    Bytes,
    /// As text.
    Escaped,
}

/// Those of the samples that a file has in it.
pub(super) struct OddPaths<'m> {
    manifest: &'m Manifest,
    /// In the order of the paths, whatever that of the file is.
    odd: BTreeSet<(&'m Path, SampleId)>,
}

impl<'m> OddPaths<'m> {
    /// None yet.
    pub(super) fn new(manifest: &'m Manifest) -> OddPaths<'m> {
        OddPaths { manifest, odd: BTreeSet::new() }
    }

    /// Those of all samples.
    pub(super) fn of_all(manifest: &'m Manifest) -> OddPaths<'m> {
        let mut all = OddPaths::new(manifest);
        manifest.ids().for_each(|id| all.see(id));
        all
    }

    /// Looks at a sample that the file has.
    pub(super) fn see(&mut self, id: SampleId) {
        let path = self.manifest.path(id);
        if path.to_str().is_none() {
            self.odd.insert((path, id));
        }
    }

    /// Says how many there are, and what follows; `None` if there are none.
    pub(super) fn told(&self, are: Are) -> Option<String> {
        let first = safe_path(self.odd.first()?.0);
        let count = self.odd.len() as u64;
        let paths = counted(count, "path is not UTF-8 and is", "paths are not UTF-8 and are");
        let how = match (are, count) {
            (Are::Bytes, 1) => "as its bytes, which programs that only read UTF-8 refuse",
            (Are::Bytes, _) => "as their bytes, which programs that only read UTF-8 refuse",
            (Are::Escaped, _) => "with escapes such as \\xff, so that other programs find no file by it",
        };
        Some(format!("{paths} written {how}: {first}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::exporting;
    use super::super::{Format, Request};
    use chaffinch_compute::job::Job;
    use chaffinch_data::journal::Decisions;
    use chaffinch_data::manifest::{Manifest, NewSample};
    use chaffinch_protocol::sample::Split;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn every_table_with_paths_says_which_are_not_utf_8() {
        let sample = |path: &[u8]| NewSample {
            path: OsStr::from_bytes(path).into(),
            label: Some("cat".into()),
            split: Split::None,
        };
        let temp = tempfile::tempdir().unwrap();
        for (paths, count) in [
            (&[&b"a.jpg"[..], "caf\u{e9}.jpg".as_bytes()][..], None),
            (&[b"a.jpg", b"b\xff.jpg"], Some("1 path is not UTF-8 and is written ")),
            (&[b"a.jpg", b"b\xff.jpg", b"c\xfe.jpg"], Some("2 paths are not UTF-8 and are written ")),
        ] {
            let samples = paths.iter().map(|path| sample(path));
            let manifest = Arc::new(Manifest::new(temp.path().join("data"), samples));
            for name in
                ["csv", "jsonl", "parquet", "manifest", "final-manifest", "cleanlab", "cleanvision", "all"]
            {
                let output = temp.path().join(name).join(format!("{}", paths.len())).join("out");
                let request = Request { output, all: true, ..Request::default() };
                let stop = AtomicBool::new(false);
                let written = exporting(&manifest, &Decisions::default(), |export| {
                    let job = Job::new(&stop, &|_, _| {});
                    Format::find(name).unwrap().write(export, &request, &job).unwrap()
                });
                let said: Vec<&String> = (written.notes.iter().chain(&written.left_out))
                    .filter(|text| text.contains("not UTF-8"))
                    .collect();
                match count {
                    None => assert!(said.is_empty(), "{name}: {said:?}"),
                    Some(count) => {
                        let whole = |text: &&String| text.starts_with(count) && text.contains(": b");
                        assert!(!said.is_empty() && said.iter().all(whole), "{name}: {written:?}");
                        // In one folder each sentence is said once.
                        assert!(said.len() <= if name == "all" { 2 } else { 1 }, "{name}: {said:?}");
                    }
                }
            }
        }
    }
}
