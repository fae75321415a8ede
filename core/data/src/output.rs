//! Checks output paths, and fills new folders atomically.

use crate::class_names;
use crate::session::{OWN, is_session};
use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::display::{counted, safe_path};
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// How files get into the copy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CopyMode {
    /// As hard links, which take no space; as symbolic links if the file system does not support hard links.
    #[default]
    Link,
    /// As symbolic links to the dataset.
    Symlink,
    /// As copies.
    Copy,
    /// As copies that share their blocks until one is changed, where the file system has them; else as hard links, or as
    /// copies.
    Auto,
}

/// How files got into a folder, as counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placed {
    /// As hard links.
    pub hard: u64,
    /// As symbolic links.
    pub symbolic: u64,
    /// As full copies.
    pub copied: u64,
    /// As copies that share their blocks.
    pub cloned: u64,
}

impl Placed {
    /// `hard links`, or with their numbers if there are several kinds; empty if there are no files.
    pub fn words(&self) -> String {
        let kinds = [
            (self.hard, "hard link", "hard links"),
            (self.symbolic, "symbolic link", "symbolic links"),
            (self.copied, "copy", "copies"),
            (self.cloned, "reflink", "reflinks"),
        ];
        let there: Vec<_> = kinds.into_iter().filter(|(count, ..)| *count > 0).collect();
        match there.as_slice() {
            [(1, one, _)] => (*one).to_owned(),
            [(_, _, many)] => (*many).to_owned(),
            all => {
                let words: Vec<String> =
                    all.iter().map(|(count, one, many)| counted(*count, one, many)).collect();
                words.join(", ")
            }
        }
    }
}

/// The class folder of samples without a label.
pub const UNLABELED: &str = "_unlabeled";
/// Bytes that a name may have on the usual file systems.
const LONGEST: usize = 255;

/// Refuses a path inside the dataset at `root`, one that a session has for a file of its own, and `-`, by which people do not
/// mean a file.
///
/// # Errors
/// When `target` is one of these, or cannot be resolved.
pub fn outside(root: &Path, target: &Path) -> Result<()> {
    if target.as_os_str() == "-" {
        let message = "'-' is not standard output here; name a file, or write ./- for a file of that name";
        return Err(Error::Invalid(message.into()));
    }
    let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    let absolute = std::path::absolute(target).map_err(Error::io("find", target))?;
    // The target need not exist yet: its existing part counts.
    let real: Option<PathBuf> = absolute.ancestors().find_map(|part| fs::canonicalize(part).ok());
    if real.is_some_and(|real| real.starts_with(&root)) {
        let message = format!(
            "{} is inside the dataset, which Chaffinch never writes to; choose another folder",
            target.display()
        );
        return Err(Error::Invalid(message));
    }
    let is_own = |part: &&Path| {
        let name = part.file_name().and_then(|name| name.to_str());
        let within = part.parent().is_some_and(is_session);
        within && name.is_some_and(|name| OWN.contains(&name))
    };
    if absolute.ancestors().any(|part| is_own(&part)) {
        let message = format!(
            "{} is where a session keeps what it needs, which would be lost; choose another path",
            safe_path(target)
        );
        return Err(Error::Invalid(message));
    }
    Ok(())
}

/// Creates a folder beside `target`, lets `fill` fill it, and renames it when it is complete.
///
/// # Errors
/// When `target` is not empty or cannot be written, or `fill` fails; nothing is left behind in that case.
pub fn whole_folder<T>(target: &Path, fill: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    match fs::read_dir(target) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                let message = format!(
                    "{} is not empty, and files in it might be lost; choose a new or an empty folder",
                    target.display()
                );
                return Err(Error::Invalid(message));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Error::io("list", target)(error)),
    }
    let absolute = std::path::absolute(target).map_err(Error::io("find", target))?;
    // A link is followed: it is the folder that it leads to which is replaced.
    let absolute = fs::canonicalize(&absolute).unwrap_or(absolute);
    let mut name = OsString::from(".");
    name.push(absolute.file_name().unwrap_or_default());
    name.push(format!(".{}.new", std::process::id()));
    let half = absolute.with_file_name(name);
    remove_abandoned(&absolute);
    fs::create_dir_all(&half).map_err(Error::io("create", &half))?;
    // Held while it is filled, so that a program that finds it can tell whether it was abandoned.
    let _held = fs::File::open(&half).inspect(|folder| {
        let _ = rustix::fs::flock(folder, rustix::fs::FlockOperation::NonBlockingLockExclusive);
    });
    let done = fill(&half).and_then(|report| {
        fs::rename(&half, &absolute).map_err(Error::io("write", target))?;
        Ok(report)
    });
    if done.is_err() {
        let _ = fs::remove_dir_all(&half);
    }
    done
}

/// Removes half folders of this target that a killed program left behind: nobody holds them any more.
fn remove_abandoned(target: &Path) {
    let Some((parent, name)) = target.parent().zip(target.file_name()) else { return };
    let Ok(entries) = fs::read_dir(parent) else { return };
    let begin = [b".", name.as_bytes(), b"."].concat();
    for entry in entries.flatten() {
        let found = entry.file_name();
        let middle = found.as_bytes().strip_prefix(&begin[..]).and_then(|rest| rest.strip_suffix(b".new"));
        if middle.is_some_and(|pid| !pid.is_empty() && pid.iter().all(u8::is_ascii_digit))
            && let Ok(folder) = fs::File::open(entry.path())
            && rustix::fs::flock(&folder, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The folder of a sample with this split, as it was written, and this class within a copy: `SPLIT/CLASS`, or `CLASS`
/// without a split.
pub fn sample_folder(split: &str, label: &str) -> PathBuf {
    let class = if label.is_empty() { UNLABELED.into() } else { folder_name(label) };
    match split.trim() {
        "" => PathBuf::from(class),
        split => Path::new(&folder_name(split)).join(class),
    }
}

/// A class name as a single folder name that cannot leave the copy, with the bytes that the name stands for. A name that
/// is too long for a file system is cut and gets a digest, so that two of them stay apart.
pub fn folder_name(name: &str) -> OsString {
    let bytes = class_names::bytes(name);
    let mut bytes: Vec<u8> =
        bytes.iter().map(|&byte| if byte == b'/' || byte == 0 { b'_' } else { byte }).collect();
    if bytes == b"." || bytes == b".." {
        bytes.fill(b'_');
    }
    if bytes.len() > LONGEST {
        let digest = ContentHash::of(&bytes).to_string();
        bytes.truncate(whole_characters(&bytes, LONGEST - 9));
        bytes.push(b'-');
        bytes.extend_from_slice(&digest.as_bytes()[..8]);
    }
    OsString::from_vec(bytes)
}

/// The length of the longest part of a name that has at most `most` bytes and does not end within a character.
fn whole_characters(name: &[u8], most: usize) -> usize {
    let mut end = most.min(name.len());
    while end > 0 && end < name.len() && name[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    end
}

/// A folder that is being filled; its subfolders are created on demand.
pub struct Tree {
    root: PathBuf,
    made: HashSet<PathBuf>,
    placed: Placed,
    /// The numbers to try next for names that were taken.
    next: HashMap<PathBuf, u32>,
}

impl Tree {
    /// A folder that is still empty.
    pub fn new(root: PathBuf) -> Tree {
        Tree { root, made: HashSet::new(), placed: Placed::default(), next: HashMap::new() }
    }

    /// How the files were placed so far that existed before.
    pub fn placed(&self) -> Placed {
        self.placed
    }

    /// Puts an existing file into `folder` under `name`, or the next free name; returns its path within the tree.
    pub fn put(&mut self, source: &Path, folder: &Path, name: &OsStr, mode: CopyMode) -> Result<PathBuf> {
        let mut how = How::Copy;
        let path = self.under_free_name(folder, name, |target| {
            how = link_or_copy(source, target, mode)?;
            Ok(())
        })?;
        match how {
            How::Hard => self.placed.hard += 1,
            How::Symbolic => self.placed.symbolic += 1,
            How::Copy => self.placed.copied += 1,
            How::Clone => self.placed.cloned += 1,
        }
        Ok(path)
    }

    /// The same for a new file with these `bytes`.
    pub fn put_bytes(&mut self, bytes: &[u8], folder: &Path, name: &OsStr) -> Result<PathBuf> {
        self.under_free_name(folder, name, |target| new_file(target)?.write_all(bytes))
    }

    /// The same for a picture with these `bytes` that lay in another file.
    pub fn put_unpacked(&mut self, bytes: &[u8], folder: &Path, name: &OsStr) -> Result<PathBuf> {
        let path = self.put_bytes(bytes, folder, name)?;
        self.placed.copied += 1;
        Ok(path)
    }

    fn under_free_name(
        &mut self,
        folder: &Path,
        name: &OsStr,
        mut make: impl FnMut(&Path) -> io::Result<()>,
    ) -> Result<PathBuf> {
        let parent = self.root.join(folder);
        if !self.made.contains(folder) {
            fs::create_dir_all(&parent).map_err(Error::io("create", &parent))?;
            self.made.insert(folder.to_owned());
        }
        let wanted = folder.join(name);
        let mut number = self.next.get(&wanted).copied().unwrap_or(1);
        loop {
            let name = if number == 1 { name.to_owned() } else { numbered(name, number) };
            let target = parent.join(&name);
            match make(&target) {
                Ok(()) => {
                    // The same name may come a thousand times.
                    if number > 1 {
                        self.next.insert(wanted, number + 1);
                    }
                    return Ok(folder.join(name));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(Error::io("write", &target)(error)),
            }
        }
    }
}

fn new_file(target: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(target)
}

/// How a file was placed.
#[derive(Clone, Copy)]
enum How {
    Hard,
    Symbolic,
    Copy,
    Clone,
}

fn link_or_copy(source: &Path, target: &Path, mode: CopyMode) -> io::Result<How> {
    let symbolic = || symlink(source, target).map(|()| How::Symbolic);
    match mode {
        CopyMode::Symlink => symbolic(),
        CopyMode::Link => match fs::hard_link(source, target) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists && may_be_linked(&error) => symbolic(),
            other => other.map(|()| How::Hard),
        },
        CopyMode::Copy => copy(source, target).map(|()| How::Copy),
        CopyMode::Auto => match clone(source, target) {
            Ok(Some(how)) => Ok(how),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            Ok(None) | Err(_) => match fs::hard_link(source, target) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists && may_be_linked(&error) => {
                    copy(source, target).map(|()| How::Copy)
                }
                other => other.map(|()| How::Hard),
            },
        },
    }
}

fn copy(source: &Path, target: &Path) -> io::Result<()> {
    let mut from = fs::File::open(source)?;
    let mut to = new_file(target)?;
    let done = io::copy(&mut from, &mut to).and_then(|_| to.set_modified(from.metadata()?.modified()?));
    if done.is_err() {
        // Half a file would be taken for a whole one.
        let _ = fs::remove_file(target);
    }
    done
}

/// A copy that shares its blocks with the source; `None`, and nothing left behind, where that is not possible. What cannot be
/// removed again is filled instead: an empty file would take the name from the real one.
fn clone(source: &Path, target: &Path) -> io::Result<Option<How>> {
    let mut from = fs::File::open(source)?;
    let mut to = new_file(target)?;
    let cloned = rustix::fs::ioctl_ficlone(&to, &from).is_ok();
    if !cloned && fs::remove_file(target).is_ok() {
        return Ok(None);
    }
    if !cloned {
        io::copy(&mut from, &mut to)?;
    }
    to.set_modified(from.metadata()?.modified()?)?;
    Ok(Some(if cloned { How::Clone } else { How::Copy }))
}

/// Whether a hard link failed because it is not supported, so that a symbolic one may work.
fn may_be_linked(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    matches!(error.kind(), CrossesDevices | PermissionDenied | TooManyLinks | Unsupported)
}

/// `cat.jpg` as `cat-2.jpg`, with less of a long name.
pub fn numbered(name: &OsStr, number: u32) -> OsString {
    let path = Path::new(name);
    let mut end = OsString::from(format!("-{number}"));
    if let Some(extension) = path.extension() {
        end.push(".");
        end.push(extension);
    }
    let stem = path.file_stem().unwrap_or_default().as_bytes();
    let kept = whole_characters(stem, LONGEST.saturating_sub(end.len()));
    let mut out = OsStr::from_bytes(&stem[..kept]).to_owned();
    out.push(end);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_session_needs_is_no_place_for_an_output() {
        let temp = tempfile::tempdir().unwrap();
        let (root, session) = (temp.path().join("data"), temp.path().join("session"));
        fs::create_dir_all(&root).unwrap();
        let refused = |name: &str| outside(&root, &session.join(name)).is_err();
        assert!(!refused("decisions/anna.jsonl"), "it is no session");
        fs::create_dir_all(&session).unwrap();
        fs::write(session.join(crate::session::MARK), "").unwrap();
        for name in OWN {
            assert!(refused(name) && refused(&format!("{name}/below")), "{name}");
        }
        assert!(outside(&root, Path::new("-")).is_err() && outside(&root, Path::new("./-")).is_ok());
        assert!(!refused("report.html") && !refused("out/decisions.csv"));
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let (one, other) = ("\u{e9}".repeat(200), "\u{e9}".repeat(201));
        assert_ne!(folder_name(&one), folder_name(&other));
        assert!(folder_name(&one).len() <= LONGEST && folder_name(&one).to_str().is_some());
        let long = OsString::from(format!("{}.jpg", "\u{e9}".repeat(125)));
        let second = numbered(&long, 2);
        assert!(
            second.len() <= LONGEST && second.to_str().is_some_and(|name| name.ends_with("\u{e9}-2.jpg"))
        );
    }

    #[test]
    fn folders_have_the_bytes_of_their_class() {
        assert_eq!(folder_name("cl\\xff").as_bytes(), b"cl\xff");
        assert_eq!((folder_name(".."), folder_name("../a")), ("__".into(), ".._a".into()));
        assert_eq!(sample_folder("train", ""), Path::new("train/_unlabeled"));
    }
}
