//! What is in a tar file, by its headers alone.

use crate::dataset::packed::clean_name;
use crate::{Error, Result};
use chaffinch_data::packing::{Blob, below, is_address};
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use tar::{Archive, EntryType};

/// Headers and contents take whole blocks.
const BLOCK: u64 = 512;
/// What programs add to an archive at most, for tapes. To look at less in a bucket is not worth a request.
const PADDING: u64 = 20 * BLOCK;
/// Bytes to look at after the end of an archive.
const LOOKED_AT: u64 = 1 << 16;
/// Members of at most this many bytes are kept if they may say something of a picture.
const SAID: u64 = 1 << 16;

/// A tar file, relative to the dataset, and its members in their order.
pub(super) struct Listed {
    pub(super) path: PathBuf,
    pub(super) members: Vec<Found>,
}

/// A file in a tar file.
pub(super) struct Found {
    pub(super) name: PathBuf,
    /// Where its bytes start.
    pub(super) start: u64,
    pub(super) length: u64,
    /// Its bytes, if they are few and may say something of a picture.
    pub(super) says: Option<Vec<u8>>,
}

/// Lists the members of a tar file, with the bytes of those that `may_say` something of a picture. What is not an ordinary file, and earlier members of the same name, are left out.
///
/// # Errors
/// When it cannot be read, or is not a tar file.
pub(super) fn list(
    root: &Path,
    path: &Path,
    may_say: fn(&Path) -> bool,
    ledger: &mut Ledger,
) -> Result<Listed> {
    let full = below(root, path);
    let file = Blob::open(&full).map_err(Error::io("read", &full))?;
    let size = file.size();
    compressed(&full, &file)?;
    let mut archive = Archive::new(file.reader(0));
    let mut members: Vec<Found> = Vec::new();
    let (mut links, mut repeated, mut nameless, mut hidden) = (0, 0, 0, 0);
    let mut known: HashMap<PathBuf, usize> = HashMap::new();
    let mut cut = None;
    let (mut end, mut half) = (0, 0);
    let entries = archive.entries_with_seek().map_err(Error::io("read", &full))?;
    for entry in entries {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) if members.is_empty() => {
                return Err(Error::format(&full, format!("it is not a tar file, or a damaged one: {error}")));
            }
            Err(error) => {
                cut = Some(error.to_string());
                break;
            }
        };
        end = (entry.raw_file_position() + entry.size()).next_multiple_of(BLOCK);
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            _ => {
                links += 1;
                continue;
            }
        }
        let name = clean_name(&entry.path_bytes());
        if name.as_os_str().is_empty() {
            nameless += 1;
            continue;
        }
        if name.iter().any(|part| part.as_encoded_bytes().starts_with(b".")) {
            hidden += 1;
            continue;
        }
        let (start, length) = (entry.raw_file_position(), entry.size());
        if start.saturating_add(length) > size {
            cut = Some(format!("{} ends too early", safe_path(&name)));
            half += 1;
            continue;
        }
        // Read while the reader is there: in a bucket, coming back takes a request.
        let mut says = None;
        if length <= SAID && may_say(&name) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(Error::io("read", full.join(&name)))?;
            says = Some(bytes);
        }
        let found = Found { name: name.clone(), start, length, says };
        // As when it is unpacked, the last one counts.
        match known.get(&name) {
            Some(&place) => {
                repeated += 1;
                members[place] = found;
            }
            None => {
                known.insert(name, members.len());
                members.push(found);
            }
        }
    }
    // What is written to its end has empty blocks there.
    if cut.is_none() && end + BLOCK > size {
        cut = Some("it has no mark of its end".to_owned());
    }
    let shown = safe_path(Path::new(full.file_name().unwrap_or_default()));
    // Two archives in one file, of which programs read the first.
    let usual = if is_address(&full) { PADDING } else { 2 * BLOCK };
    if cut.is_none() && size.saturating_sub(end) > usual {
        let rest = file.bytes(end, (size - end).min(LOOKED_AT)).map_err(Error::io("read", &full))?;
        if rest.iter().any(|byte| *byte != 0) {
            let text = format!(
                "{shown} goes on after the end of its archive, and what follows was not read: join archives with tar --concatenate"
            );
            ledger.add(RemarkKind::FilesMissing, 1, text);
        }
    }
    let mut out = |kind, count: u64, what: &str| {
        ledger.leave_out(kind, count, format!("{what} in {shown}"));
    };
    out(RemarkKind::FilesMissing, half, "1 member of which only a part is there");
    out(RemarkKind::OtherFiles, links, &counted(links, "link or the like", "links and the like"));
    out(RemarkKind::OtherFiles, hidden, &counted(hidden, "hidden member", "hidden members"));
    let names = counted(nameless, "member whose name leads", "members whose names lead");
    out(RemarkKind::OtherFiles, nameless, &format!("{names} out of the file,"));
    let earlier = counted(repeated, "member that is replaced", "members that are replaced");
    out(RemarkKind::RowsRepeated, repeated, &format!("{earlier} by a later one of the same name"));
    if let Some(error) = cut {
        let before = counted(members.len() as u64, "member before that was", "members before that were");
        let text =
            format!("{shown} is cut or damaged: {error}; {before} read, and what follows is not known");
        ledger.add(RemarkKind::FilesMissing, 1, text);
    }
    Ok(Listed { path: path.to_path_buf(), members })
}

/// Refuses what only looks like a tar file.
fn compressed(full: &Path, file: &Blob) -> Result<()> {
    let start = file.bytes(0, file.size().min(6)).map_err(Error::io("read", full))?;
    let what = match start.as_slice() {
        [0x1f, 0x8b, ..] => "gzip",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "xz",
        [b'B', b'Z', b'h', ..] => "bzip2",
        [] => return Err(Error::format(full, "it is empty")),
        _ => return Ok(()),
    };
    Err(Error::format(
        full,
        format!(
            "it is compressed with {what}, so that pictures cannot be read in place; decompress it first"
        ),
    ))
}
