//! Why files could not be read, in kinds: what is missing or was refused by the system may be whole.

use crate::file_metadata::FileMetadata;
use crate::manifest::Manifest;
use crate::packing::NoPicture;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::memory::TooLarge;
use chaffinch_protocol::display::{counted, safe_path, safe_text, thousands};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeMap;
use std::{fmt, io};

/// Names to show in a remark.
const SHOWN: usize = 4;
const MISSING: &str = "the file is missing";
const REFUSED: &str = "the file may not be read: permission denied";
const EMPTY: &str = "there is no picture: its cell is empty";
const DAMAGED: &str = "the file that holds it is damaged";
const NO_ROOM: &str = "there is too little memory for it";
pub(crate) const FOLDER: &str = "it is a folder";
pub(crate) const SPECIAL: &str = "it is not an ordinary file";

/// Why a file could not be read or decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// There is no such file.
    Missing,
    /// There is nothing where its picture should be: a cell without a value.
    NoPicture,
    /// The system does not let this user read it.
    Refused,
    /// The system failed to read it: a disk, a network.
    Io,
    /// The file that holds it was read, and is damaged where the picture is.
    Damaged,
    /// It is too large for the memory budget.
    NoRoom,
    /// It is a folder, a pipe or a device.
    NoFile,
    /// Its bytes were read, but are no picture that can be decoded.
    Undecodable,
}

impl Fault {
    /// The fault of a file; `None` if it could be decoded.
    pub fn of(file_metadata: &FileMetadata, id: SampleId) -> Option<Fault> {
        let reason = file_metadata.unreadable.get(&id)?;
        let read = file_metadata.hashes.get(id.index()).is_some_and(|hash| *hash != ContentHash::default());
        Some(match reason.as_str() {
            _ if read => Fault::Undecodable,
            MISSING => Fault::Missing,
            EMPTY => Fault::NoPicture,
            REFUSED => Fault::Refused,
            FOLDER | SPECIAL => Fault::NoFile,
            reason if reason.starts_with(NO_ROOM) => Fault::NoRoom,
            reason if reason.starts_with(DAMAGED) => Fault::Damaged,
            _ => Fault::Io,
        })
    }

    /// Whether the file itself may be perfectly fine.
    pub const fn may_be_whole(self) -> bool {
        matches!(self, Fault::Missing | Fault::Refused | Fault::Io | Fault::NoRoom)
    }

    /// What can be said of a file with this fault, given the stored reason.
    pub fn sentence(self, reason: &str) -> String {
        match self {
            Fault::Missing => format!("{reason}: the picture was not checked"),
            Fault::Refused | Fault::Damaged => format!("{reason}; the picture was not checked"),
            Fault::Io => format!("{reason}; the picture may be whole, so check the disk first"),
            Fault::NoRoom => format!("{reason}; the picture was not checked"),
            Fault::NoFile | Fault::NoPicture => reason.to_owned(),
            Fault::Undecodable => format!("the file cannot be read as a picture: {reason}"),
        }
    }
}

/// An I/O error as a sentence without a path, as it is stored with a sample.
pub fn because(error: &io::Error) -> String {
    match error.kind() {
        _ if error.get_ref().is_some_and(|inner| inner.is::<NoPicture>()) => EMPTY.into(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => format!("{DAMAGED}: {error}"),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => MISSING.into(),
        io::ErrorKind::PermissionDenied => REFUSED.into(),
        _ if error.get_ref().is_some_and(|inner| inner.is::<TooLarge>()) => without_room(error),
        _ => format!("the file could not be read: {error}"),
    }
}

/// That the memory budget has no room for a file, for this reason.
pub(crate) fn without_room(reason: &dyn fmt::Display) -> String {
    format!("{NO_ROOM}: {reason}")
}

/// Adds a remark to the ledger for each kind of fault that files have.
pub fn enter(manifest: &Manifest, file_metadata: &FileMetadata, ledger: &mut Ledger) {
    let mut found: BTreeMap<(Fault, &str), (u64, SampleId)> = BTreeMap::new();
    // Pictures in formats that are not read have a remark of their own.
    for (&id, reason) in file_metadata.unreadable.iter().filter(|(id, _)| !file_metadata.not_read(**id)) {
        if let Some(fault) = Fault::of(file_metadata, id) {
            // What a file is instead of a picture tells what to do about all of its kind.
            let kind = reason.split(": ").next().unwrap_or_default();
            let of_file = reason.strip_prefix(DAMAGED).and_then(|rest| rest.split_once("': "));
            let kind = match fault {
                Fault::Undecodable if kind.starts_with("it ") => kind,
                // Each damaged part of each file has its remark.
                Fault::Damaged => of_file.map_or(reason.as_str(), |(place, _)| place),
                _ => "",
            };
            found.entry((fault, kind)).or_insert((0, id)).0 += 1;
        }
    }
    for ((fault, _), (count, first)) in found {
        let of = match count {
            1 => format!("1 of {}", counted(manifest.len() as u64, "file", "files")),
            _ => format!("{} of {}", thousands(count), counted(manifest.len() as u64, "file", "files")),
        };
        let is = if count == 1 { "is" } else { "are" };
        let (kind, what) = match fault {
            Fault::Missing => (RemarkKind::FilesMissing, format!("{is} missing")),
            Fault::NoPicture => (
                RemarkKind::NoPicture,
                format!("{} no picture, because the cell is empty", if count == 1 { "has" } else { "have" }),
            ),
            Fault::Damaged => {
                let them = if count == 1 { "it" } else { "them" };
                let what = format!("could not be read because the file that holds {them} is damaged");
                (RemarkKind::FilesUnreadable, what)
            }
            Fault::Refused => {
                (RemarkKind::FilesUnreadable, "may not be read, because permission was denied".to_owned())
            }
            Fault::Io => (
                RemarkKind::FilesUnreadable,
                "could not be read because of an error of the disk or the network, and may be whole"
                    .to_owned(),
            ),
            Fault::NoRoom => {
                (RemarkKind::FilesUnreadable, "could not be read with so little memory".to_owned())
            }
            Fault::NoFile => (RemarkKind::FilesUnreadable, format!("{is} no ordinary file")),
            Fault::Undecodable => (RemarkKind::FilesUnreadable, "could not be decoded".to_owned()),
        };
        let which = match count {
            1 => format!(": {}", safe_path(manifest.path(first))),
            _ => format!("; the first is {}", safe_path(manifest.path(first))),
        };
        let why = match fault {
            Fault::Io | Fault::NoRoom | Fault::Undecodable | Fault::Damaged => {
                let reason = file_metadata.unreadable.get(&first).map_or("", String::as_str);
                let said = format!("{DAMAGED}: ");
                let reason = reason.strip_prefix(said.as_str()).unwrap_or(reason);
                format!(" ({})", safe_text(reason))
            }
            _ => String::new(),
        };
        ledger.add(kind, count, format!("{of} {what}{which}{why}"));
    }
    unseen_classes(manifest, file_metadata, ledger);
}

/// Remarks on classes of which no picture could be decoded: nothing is known of them.
fn unseen_classes(manifest: &Manifest, file_metadata: &FileMetadata, ledger: &mut Ledger) {
    if file_metadata.unreadable.is_empty() {
        return;
    }
    let mut seen = vec![false; manifest.classes().len()];
    for id in manifest.ids().filter(|id| file_metadata.decodable(*id)) {
        if let Some(seen) = manifest.label(id).and_then(|label| seen.get_mut(label.index())) {
            *seen = true;
        }
    }
    let unseen: Vec<String> = (manifest.classes().iter().zip(&seen))
        .filter(|(_, seen)| !**seen)
        .map(|(name, _)| format!("'{}'", safe_text(name)))
        .collect();
    let more = if unseen.len() > SHOWN { ", …" } else { "" };
    let (count, names) = (unseen.len() as u64, unseen[..unseen.len().min(SHOWN)].join(", "));
    let classes = counted(count, "class has", "classes have");
    ledger.add(
        RemarkKind::ClassesDoubtful,
        count,
        format!("{classes} no picture that can be read: {names}{more}"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::NewSample;
    use chaffinch_protocol::sample::Split;

    #[test]
    fn what_could_not_be_read_is_not_called_broken() {
        let error = |code: i32| because(&io::Error::from_raw_os_error(code));
        // ENOENT, EACCES, EIO, and a picture that was read.
        let reasons = [error(2), error(13), error(5), "the file is empty".to_owned()];
        let sample =
            |row: usize| NewSample { path: format!("{row}.jpg").into(), label: None, split: Split::None };
        let manifest = Manifest::new("/data", (0..5).map(sample));
        let mut hashes = vec![ContentHash::default(); 3];
        hashes.extend([ContentHash::of(b""), ContentHash::of(b"x")]);
        let unreadable = (0..).map(SampleId).zip(reasons).collect();
        let file_metadata = FileMetadata { hashes: hashes.into(), unreadable, ..FileMetadata::default() };
        let faults: Vec<Option<Fault>> = manifest.ids().map(|id| Fault::of(&file_metadata, id)).collect();
        let expected =
            [Some(Fault::Missing), Some(Fault::Refused), Some(Fault::Io), Some(Fault::Undecodable), None];
        assert_eq!(faults, expected);
        let sentence = |row: u32| {
            let id = SampleId(row);
            Fault::of(&file_metadata, id).unwrap().sentence(&file_metadata.unreadable[&id])
        };
        assert!((0..3).all(|row| !sentence(row).contains("as a picture")), "{}", sentence(2));
        assert!(sentence(3).starts_with("the file cannot be read as a picture: "));
        let mut ledger = Ledger::default();
        enter(&manifest, &file_metadata, &mut ledger);
        let texts: Vec<&str> = ledger.remarks.iter().map(|remark| remark.text.as_str()).collect();
        assert_eq!(texts[0], "1 of 5 files is missing: 0.jpg");
        assert!(texts[2].contains("may be whole: 2.jpg"), "{texts:?}");
        assert_eq!(texts[3], "1 of 5 files could not be decoded: 3.jpg (the file is empty)");
    }

    #[test]
    fn each_kind_of_file_that_is_no_picture_has_its_own_remark() {
        let reasons = [
            "it is a Git LFS pointer, not the picture: run `git lfs pull`",
            "it is a text file, not a picture: a",
        ];
        let sample =
            |row: usize| NewSample { path: format!("{row}.jpg").into(), label: None, split: Split::None };
        let manifest = Manifest::new("/data", (0..4).map(sample));
        let unreadable = (0..4).map(|row| (SampleId(row), reasons[row as usize % 2].to_owned())).collect();
        let hashes: Vec<ContentHash> = (0..4_u8).map(|row| ContentHash::of(&[row])).collect();
        let file_metadata = FileMetadata { hashes: hashes.into(), unreadable, ..FileMetadata::default() };
        let mut ledger = Ledger::default();
        enter(&manifest, &file_metadata, &mut ledger);
        let texts: Vec<&str> = ledger.remarks.iter().map(|remark| remark.text.as_str()).collect();
        assert_eq!(texts.len(), 2, "{texts:?}");
        let labeled = |row: usize| NewSample { label: Some(["cat", "dog"][row / 2].into()), ..sample(row) };
        let manifest = Manifest::new("/data", (0..4).map(labeled));
        let mut file_metadata = file_metadata.clone();
        file_metadata.unreadable.remove(&SampleId(3));
        let mut ledger = Ledger::default();
        enter(&manifest, &file_metadata, &mut ledger);
        let last = &ledger.remarks.last().unwrap().text;
        assert_eq!(last, "1 class has no picture that can be read: 'cat'");
        assert!(
            texts[0].starts_with("2 of 4 files could not be decoded; the first is 0.jpg (it is a Git LFS")
        );
    }
}
