//! The pictures of the samples that stay, as files in folders of splits and classes, for formats that describe them in
//! files of their own.

use super::other_files::{ends_the_copy, is_outside, outside};
use super::placement::{Place, Placement};
use super::{Export, Request, Written, joined};
use crate::{Error, Result, dataset};
use chaffinch_compute::job::Job;
use chaffinch_data::output::{CopyMode, Placed, Tree, whole_folder};
use chaffinch_data::packing::Source;
use chaffinch_protocol::display;
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::SampleId;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What to know of copies that are hard links.
pub(super) const HARD_LINKS: &str = "the files are hard links to those of the dataset: a program that changes one in \
                                     place changes both; --copy copy makes full copies";

/// What is to be copied.
pub(super) enum Original {
    File(PathBuf),
    Bytes(Vec<u8>),
}

impl Original {
    pub(super) fn of(source: &Source<'_>) -> io::Result<Original> {
        let Source::File(path) = source else { return source.read().map(Original::Bytes) };
        // The real file: a link to a link would break along with it.
        let real = fs::canonicalize(path)?;
        match fs::metadata(&real)?.is_file() {
            true => Ok(Original::File(real)),
            false => Err(io::Error::other("not a regular file")),
        }
    }

    /// The same for a sample. A file that is not a picture and lies outside of the dataset has nothing to do with it: a link
    /// or a row of a table leads there, and what it says would leave with the copy.
    pub(super) fn of_sample(export: &Export<'_>, id: SampleId, source: &Source<'_>) -> io::Result<Original> {
        let original = Original::of(source)?;
        let known = export.source.file_metadata;
        if let Original::File(real) = &original
            && !known.decodable(id)
            && !known.not_read(id)
            && is_outside(export.source.manifest.root(), real)
        {
            return Err(outside());
        }
        Ok(original)
    }

    pub(super) fn put(
        &self,
        tree: &mut Tree,
        folder: &Path,
        name: &OsStr,
        mode: CopyMode,
    ) -> Result<PathBuf> {
        match self {
            Original::File(real) => tree.put(real, folder, name, mode),
            Original::Bytes(bytes) => tree.put_unpacked(bytes, folder, &named(name, bytes)),
        }
    }
}

/// The name of a picture that had none as a file, with the extension of what it is.
fn named(name: &OsStr, bytes: &[u8]) -> OsString {
    let extension = match bytes {
        _ if dataset::is_image(Path::new(name)) => "",
        [0xff, 0xd8, 0xff, ..] => ".jpg",
        [0x89, b'P', b'N', b'G', ..] => ".png",
        [b'G', b'I', b'F', b'8', ..] => ".gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => ".webp",
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => ".tif",
        [b'B', b'M', ..] => ".bmp",
        _ => "",
    };
    let mut named = name.to_owned();
    named.push(extension);
    named
}

/// Pictures that were put into a folder.
pub(super) struct Pictures {
    /// The samples in the order of the dataset, each with the folder of its split (empty if there are none), and its
    /// path below it. All are UTF-8 without backslashes.
    pub(super) placed: Vec<(SampleId, PathBuf, PathBuf)>,
    removed: u64,
    relabeled: u64,
    left_out: Vec<String>,
    renamed: Vec<String>,
    how: Placed,
}

impl Pictures {
    /// Puts the pictures of all samples that stay into `SPLIT/CLASS/NAME` below the folder `above`, or `CLASS/NAME`
    /// where no sample has a split.
    fn put(
        export: &Export<'_>,
        tree: &mut Tree,
        above: &Path,
        mode: CopyMode,
        job: &Job<'_>,
    ) -> Result<Pictures> {
        let manifest = export.source.manifest;
        let new: BTreeSet<String> = manifest
            .ids()
            .filter(|&id| !export.removed(id))
            .filter_map(|id| export.new_label(id).map(Cow::into_owned))
            .collect();
        let placement = Placement::made(manifest, &new);
        let mut all = Pictures {
            placed: Vec::new(),
            removed: 0,
            relabeled: 0,
            left_out: Vec::new(),
            renamed: placement.renamed(),
            how: Placed::default(),
        };
        // Those that stay first, so that it is a relabeled one that gets another name where both have the same.
        let moves = |id: &SampleId| export.new_label(*id).is_some();
        let order = manifest.ids().filter(|id| !moves(id)).chain(manifest.ids().filter(moves));
        for (done, id) in (0..).zip(order) {
            if done % 256 == 0 {
                job.checkpoint()?;
                job.progress(done, manifest.len() as u64);
            }
            if export.removed(id) {
                all.removed += 1;
                continue;
            }
            let source = manifest.source(id);
            let left_out =
                |reason: &dyn std::fmt::Display| format!("{}: {reason}", display::safe_path(&source.shown()));
            let there = match Original::of_sample(export, id, &source) {
                Ok(there) => there,
                Err(error) => {
                    all.left_out.push(left_out(&error));
                    continue;
                }
            };
            let new = export.new_label(id);
            let Place { folder, name, .. } = placement.place(id, new.as_deref(), false);
            let wanted = plain(&name);
            match there.put(tree, &above.join(plain_path(&folder)), &wanted, mode) {
                Ok(path) => {
                    if path.file_name() != Some(&*name) {
                        let why = if wanted == name {
                            "that name was taken"
                        } else {
                            "other programs cannot read that name"
                        };
                        let (old, new) = (display::safe_path(manifest.path(id)), display::safe_path(&path));
                        all.renamed.push(format!("{old} is {new}, because {why}"));
                    }
                    all.relabeled += u64::from(new.is_some());
                    let below = path.strip_prefix(above).unwrap_or(&path);
                    let split = match placement.has_splits() {
                        true => below.iter().next().map(PathBuf::from).unwrap_or_default(),
                        false => PathBuf::new(),
                    };
                    let rest = below.strip_prefix(&split).unwrap_or(below).to_path_buf();
                    all.placed.push((id, above.join(&split), rest));
                }
                // One file that cannot be copied is no reason to lose the others; a full disk is.
                Err(Error::Io { reason: error, .. }) if !ends_the_copy(&error) => {
                    all.left_out.push(left_out(&error));
                }
                Err(error) => return Err(error),
            }
        }
        job.progress(manifest.len() as u64, manifest.len() as u64);
        all.placed.sort_unstable_by_key(|(id, ..)| *id);
        all.how = tree.placed();
        Ok(all)
    }

    fn words(&self) -> String {
        let files = counted(self.placed.len() as u64, "picture", "pictures");
        let how = match self.how.words() {
            words if words.is_empty() => words,
            words => format!(" ({words})"),
        };
        let mut text = format!("{files}{how}, {} removed, {} relabeled", self.removed, self.relabeled);
        if !self.left_out.is_empty() {
            text += &format!(", {} left out", self.left_out.len());
        }
        text
    }
}

/// Writes a new folder with the pictures below `above` in it, and lets `describe` write the files about them.
///
/// # Errors
/// When the folder is not empty, cannot be written, no picture can be read, or the job is stopped; nothing is left behind
/// in that case.
pub(super) fn described(
    export: &Export<'_>,
    request: &Request,
    job: &Job<'_>,
    above: &dyn Fn(bool) -> PathBuf,
    describe: impl FnOnce(&Pictures, &mut Tree, &mut Written) -> Result<()>,
) -> Result<Written> {
    export.outside(&request.output)?;
    whole_folder(&request.output, |half| {
        let mut tree = Tree::new(half.to_owned());
        let above = above(Placement::has_any_split(export.source.manifest));
        let pictures = Pictures::put(export, &mut tree, &above, request.copy, job)?;
        if let (0, Some(first)) = (pictures.placed.len(), pictures.left_out.first()) {
            let message = format!("none of the files to copy can be read; the first: {first}");
            return Err(Error::Dataset { path: export.source.manifest.root().to_path_buf(), message });
        }
        let mut written = Written { paths: vec![request.output.clone()], ..Written::default() };
        describe(&pictures, &mut tree, &mut written)?;
        written.summary = Some(pictures.words());
        if pictures.how.hard > 0 {
            written.notes.push(HARD_LINKS.into());
        }
        if !pictures.placed.is_empty() {
            let files: HashMap<PathBuf, SampleId> =
                pictures.placed.iter().map(|(id, split, path)| (split.join(path), *id)).collect();
            let misread = export.misread(half, &files);
            written.warning = joined([written.warning.take(), misread]);
        }
        let Pictures { left_out, renamed, .. } = pictures;
        written.left_out.splice(0..0, left_out);
        written.renamed.splice(0..0, renamed);
        Ok(written)
    })
}

/// A name that every program can read: text without backslashes and control characters, which become `_`.
pub(super) fn plain(name: &OsStr) -> OsString {
    let safe = |c: char| if c == '\\' || c == '\u{fffd}' || c.is_control() { '_' } else { c };
    name.to_string_lossy().chars().map(safe).collect::<String>().into()
}

/// The same of every part of a path.
fn plain_path(path: &Path) -> PathBuf {
    path.iter().map(plain).collect()
}

/// A path of parts that are text.
pub(super) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
