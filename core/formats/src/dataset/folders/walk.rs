//! Lists a folder: which files are pictures, and why the others are not.

use super::left_out::{self, LeftOut};
use super::machine_made;
use super::unread_labels::may_hold_labels;
use crate::dataset::is_image;
use crate::{Error, Result};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// How many files of unknown kinds are looked into, to tell pictures whose names do not say so.
const SNIFFED: usize = 2_000;

/// What a folder contains. All paths are relative to it and in byte order.
#[derive(Default)]
pub(super) struct Found {
    /// The pictures, by extension.
    pub(super) images: Vec<PathBuf>,
    /// The first of these that is a link to nothing, with its target, and how many such links there are.
    pub(super) dangling: (Option<(PathBuf, PathBuf)>, u64),
    /// Files that may hold labels.
    pub(super) tables: Vec<PathBuf>,
    /// The topmost folders that have no file in them or below them, but for those made by machines.
    pub(super) empty: Vec<PathBuf>,
    /// The files that are not samples.
    pub(super) left_out: LeftOut,
    /// What could not be listed.
    pub(super) ledger: Ledger,
}

/// Lists a folder. Links are followed, except in loops and in folders that are left out.
///
/// # Errors
/// When the folder itself cannot be listed.
pub(super) fn walk(root: &Path) -> Result<Found> {
    let mut found = Found::default();
    let mut images: Vec<Vec<u8>> = Vec::new();
    let mut loops: Vec<PathBuf> = Vec::new();
    let mut others: Vec<PathBuf> = Vec::new();
    let mut empty: BTreeSet<PathBuf> = BTreeSet::new();
    let mut entries = WalkDir::new(root).follow_links(true).into_iter();
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let Some(path) = error.path().map(Path::to_path_buf) else { continue };
                let name = relative(root, &path);
                if error.loop_ancestor().is_some() {
                    loops.push(name);
                } else if error.depth() == 0 {
                    let source = error.into_io_error().unwrap_or_else(|| std::io::Error::other("unknown"));
                    return Err(Error::io("list", root)(source));
                } else if !path.is_symlink() {
                    filled(&mut empty, &name);
                    found.not_listed(&name, error.io_error());
                } else if is_image(&path) && !unwanted(&name) {
                    // The index will report this picture as missing.
                    filled(&mut empty, &name);
                    found.dangle(&path, &name);
                    images.push(name.into_os_string().into_vec());
                } else {
                    found.left_out.broken_link(&name);
                }
                continue;
            }
        };
        let (path, file_type) = (entry.path(), entry.file_type());
        if file_type.is_dir() {
            let hidden = entry.depth() > 0 && machine_made::hidden(entry.file_name());
            let machine = (entry.depth() > 0).then(|| machine_made::folder(entry.file_name())).flatten();
            if hidden || machine.is_some() {
                entries.skip_current_dir();
                found.pass_over(root, path, machine);
            } else if entry.depth() > 0 {
                empty.insert(relative(root, path));
            }
            continue;
        }
        let name = relative(root, path);
        if machine_made::file(entry.file_name()) {
            found.left_out.machine_file(&name);
        } else if machine_made::placeholder(entry.file_name()) {
            filled(&mut empty, &name);
            found.left_out.placeholder(&name);
        } else if machine_made::hidden(entry.file_name()) {
            found.left_out.hidden(&name);
        } else if is_image(path) {
            filled(&mut empty, &name);
            images.push(name.into_os_string().into_vec());
        } else if !file_type.is_file() {
            found.left_out.special(&name);
        } else {
            filled(&mut empty, &name);
            others.push(name);
        }
    }
    others.sort_unstable();
    let mut sniffed = 0;
    for name in others {
        let format = (sniffed < SNIFFED && left_out::is_unknown(&name)).then(|| {
            sniffed += 1;
            signature(&root.join(&name))
        });
        match format.flatten() {
            Some(format) => found.left_out.unnamed(format, &name),
            None => found.left_out.file(&name),
        }
        if may_hold_labels(&name) {
            found.tables.push(name);
        }
    }
    loops.sort_unstable();
    for name in loops {
        let text = format!("the link {} forms a loop and was not followed", safe_path(&name));
        found.ledger.add(RemarkKind::OtherFiles, 1, text);
    }
    // The order of a folder's entries is that of its file system.
    images.sort_unstable();
    found.tables.sort_unstable();
    let topmost = |folder: &&PathBuf| folder.parent().is_none_or(|parent| !empty.contains(parent));
    found.empty = empty.iter().filter(topmost).cloned().collect();
    found.ledger.remarks.sort_by(|a, b| (a.kind, &a.text).cmp(&(b.kind, &b.text)));
    found.images = images.into_iter().map(|bytes| PathBuf::from(OsString::from_vec(bytes))).collect();
    Ok(found)
}

impl Found {
    /// Counts the files of a folder that is left out as a whole.
    fn pass_over(&mut self, root: &Path, folder: &Path, machine: Option<&'static str>) {
        let name = folder.file_name().map(|name| safe_path(Path::new(name))).unwrap_or_default();
        // A link in such a folder may lead anywhere, such as to the whole disk.
        for entry in WalkDir::new(folder).follow_links(false).follow_root_links(false) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.path_is_symlink() && entry.path().is_dir() => {}
                Ok(entry) => {
                    let path = relative(root, entry.path());
                    match machine {
                        Some(what) => self.left_out.in_machine_folder(&name, what, &path),
                        None => self.left_out.hidden(&path),
                    }
                }
                Err(error) => {
                    if let Some(path) = error.path() {
                        self.not_listed(&relative(root, path), error.io_error());
                    }
                }
            }
        }
    }

    fn not_listed(&mut self, name: &Path, error: Option<&std::io::Error>) {
        let reason = error.map_or_else(String::new, |error| format!(": {error}"));
        let text = format!(
            "the folder {} could not be listed{}; how many files it has is unknown",
            safe_path(name),
            safe_text(&reason)
        );
        self.ledger.add(RemarkKind::FoldersNotListed, 1, text);
    }

    fn dangle(&mut self, path: &Path, name: &Path) {
        let target = std::fs::read_link(path).unwrap_or_default();
        self.dangling.1 += 1;
        if self.dangling.0.as_ref().is_none_or(|(first, _)| name < first) {
            self.dangling.0 = Some((name.to_path_buf(), target));
        }
    }
}

/// The format of a picture by its first bytes, if it is one that is read.
fn signature(path: &Path) -> Option<&'static str> {
    let mut start = Vec::new();
    File::open(path).ok()?.take(12).read_to_end(&mut start).ok()?;
    match start.as_slice() {
        [0xff, 0xd8, 0xff, ..] => Some("JPEG"),
        [0x89, b'P', b'N', b'G', ..] => Some("PNG"),
        [b'G', b'I', b'F', b'8', ..] => Some("GIF"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => Some("WebP"),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Some("TIFF"),
        _ => None,
    }
}

/// Whether a broken link is left out by its name.
fn unwanted(name: &Path) -> bool {
    name.file_name().is_some_and(|name| name.as_bytes().starts_with(b"."))
}

fn relative(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_path_buf()
}

/// Takes the folders of a file from those that are empty.
fn filled(empty: &mut BTreeSet<PathBuf>, file: &Path) {
    // A folder without a file has none above it either.
    for folder in file.ancestors() {
        if !empty.remove(folder) && folder != file {
            break;
        }
    }
}
