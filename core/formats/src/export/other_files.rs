//! Files of a folder that are not samples: what belongs to the dataset comes along into a cleaned copy, and everything
//! else is listed.
//!
//! Documents (README, license), what classes are called, and pictures in formats that are not read come along: nothing
//! was decided about them, and a copy without them would be a loss. Tables, lists and archives may name or hold samples
//! that were removed or moved, so they stay behind.

use crate::Result;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::output::{CopyMode, Tree};
use chaffinch_data::prompts::PromptSet;
use chaffinch_protocol::display::{counted, safe_path, safe_text};
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// The beginnings of the names of documents, in lower case.
const DOCUMENTS: [&str; 9] =
    ["readme", "license", "licence", "copying", "notice", "citation", "authors", "changelog", "datasheet"];
/// The extensions of documents.
const WRITTEN: [&str; 9] = ["", "md", "txt", "rst", "pdf", "html", "cff", "bib", "docx"];
/// Pictures that are not read.
const PICTURES: [&str; 24] = [
    "heic", "heif", "hif", "avif", "jxl", "jp2", "j2k", "jpf", "jpx", "jxr", "psd", "svg", "exr", "hdr",
    "dng", "cr2", "cr3", "nef", "arw", "raf", "orf", "rw2", "dcm", "tga",
];
/// Extensions that are named at most.
const NAMED: usize = 6;

/// The files of a dataset's folder that are not samples.
#[derive(Debug, Default)]
pub(super) struct OtherFiles {
    /// Those that come along, in byte order of their paths in the dataset.
    belong: Vec<PathBuf>,
    /// The others by extension: their number, and the first.
    others: BTreeMap<String, (u64, PathBuf)>,
    hidden: u64,
}

impl OtherFiles {
    /// Lists them. A table says itself which files belong to it, so there are none beside it; and
    /// what lies beside files that hold the pictures was left out when they were read.
    pub(super) fn of(manifest: &Manifest) -> OtherFiles {
        let mut all = OtherFiles::default();
        if manifest.table().is_some() || manifest.packing().is_some() {
            return all;
        }
        let samples: HashSet<&OsStr> = manifest.ids().map(|id| manifest.path(id).as_os_str()).collect();
        let read: HashSet<&Path> = manifest.beside().iter().map(|beside| beside.path()).collect();
        let root = manifest.root();
        let mut entries = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            // What cannot be listed was said when the dataset was read.
            let Ok(entry) = entry else { continue };
            let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let hidden = entry.depth() > 0 && entry.file_name().as_bytes().starts_with(b".");
            if entry.file_type().is_dir() {
                if hidden {
                    all.hidden += 1;
                    entries.skip_current_dir();
                }
            } else if hidden {
                all.hidden += 1;
            } else if samples.contains(path.as_os_str()) || read.contains(path) {
                // Placed as what it is.
            } else if entry.file_type().is_file() && belongs(path) {
                all.belong.push(path.to_path_buf());
            } else {
                let extension = extension(path).unwrap_or_default();
                all.others.entry(extension).or_insert_with(|| (0, path.to_path_buf())).0 += 1;
            }
        }
        all
    }

    /// Puts those that belong to the dataset into the copy, where they were. Returns how many, and what failed.
    ///
    /// # Errors
    /// When a folder of the copy cannot be written to.
    pub(super) fn put(&self, root: &Path, tree: &mut Tree, mode: CopyMode) -> Result<(u64, Vec<String>)> {
        let (mut put, mut failed) = (0, Vec::new());
        for path in &self.belong {
            let name = path.file_name().unwrap_or_default();
            let inside = |real: PathBuf| if is_outside(root, &real) { Err(outside()) } else { Ok(real) };
            let real = std::fs::canonicalize(root.join(path)).and_then(inside);
            match real.map(|real| tree.put(&real, path.parent().unwrap_or(Path::new("")), name, mode)) {
                Ok(Ok(_)) => put += 1,
                Ok(Err(crate::Error::Io { reason, .. })) if !ends_the_copy(&reason) => {
                    failed.push(format!("{}: {reason}", safe_path(path)));
                }
                Ok(Err(error)) => return Err(error),
                Err(error) => failed.push(format!("{}: {error}", safe_path(path))),
            }
        }
        Ok((put, failed))
    }

    /// How many stay behind, hidden ones included.
    pub(super) fn left(&self) -> u64 {
        self.others.values().map(|(count, _)| count).sum::<u64>() + self.hidden
    }

    /// Which stay behind, in a sentence; `None` if none does.
    pub(super) fn words(&self) -> Option<String> {
        let mut kinds: Vec<(&String, &(u64, PathBuf))> = self.others.iter().collect();
        kinds.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
        let mut parts: Vec<String> = kinds
            .iter()
            .take(NAMED)
            .map(|(extension, (count, first))| {
                let kind = if extension.is_empty() {
                    "without an extension".into()
                } else {
                    format!(".{extension}")
                };
                format!("{count} {} ({})", safe_text(&kind), safe_path(first))
            })
            .collect();
        let more: u64 = kinds.iter().skip(NAMED).map(|(_, (count, _))| count).sum();
        parts.extend((more > 0).then(|| format!("{more} of other kinds")));
        parts.extend((self.hidden > 0).then(|| format!("{} hidden", self.hidden)));
        let files = counted(
            self.left(),
            "file or folder that holds no sample",
            "files or folders that hold no sample",
        );
        (!parts.is_empty()).then(|| format!("{files}: {}", parts.join(", ")))
    }
}

/// The extension of a file in lower case.
fn extension(path: &Path) -> Option<String> {
    path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase)
}

/// Whether a file that is not a sample belongs to the dataset, whatever is decided about its samples.
fn belongs(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let extension = extension(path).unwrap_or_default();
    let document =
        DOCUMENTS.iter().any(|known| name.starts_with(known)) && WRITTEN.contains(&extension.as_str());
    name == PromptSet::NAMES_FILE || extension == "md" || document || PICTURES.contains(&extension.as_str())
}

/// Whether a file, by its real path, lies outside of a folder.
pub(super) fn is_outside(folder: &Path, real: &Path) -> bool {
    std::fs::canonicalize(folder).is_ok_and(|folder| !real.starts_with(folder))
}

/// Why such a file is left out.
pub(super) fn outside() -> io::Error {
    io::Error::other("it is not a picture and lies outside of the dataset")
}

/// Whether an error concerns all files and not only one.
pub(super) fn ends_the_copy(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}
