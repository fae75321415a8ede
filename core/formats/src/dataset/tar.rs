//! Tar files: folders of pictures in one file, or shards of WebDataset. Members lie in them as they are, so that pictures are
//! read in place.

mod classes_of_shards;
mod keys;
mod members;
mod said;
mod webdataset;

use super::declared::Declared;
use super::folders;
use super::names_of_parts::split_named;
use super::packed::{Member, PackedRows, Place};
use super::reading_options::OF_TAR;
use super::shard_sets::{self, Described, Shard};
use super::{Candidate, ClassNames, DatasetOptions, Format, Opened, is_image};
use crate::{Error, Result};
use chaffinch_data::packing::{Blob, Holds, below, is_address};
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
pub(crate) use keys::{Part as WebdatasetPart, is_webdataset, parts as webdataset_parts};
use members::{Found, Listed};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "tar files",
    summary: "a tar file, or a folder of them",
    details: "class folders in them as on a disk, or WebDataset shards, whose `cls` and `json` members give labels, splits \
              and other columns, with the names of `classes.txt` for numbers (`txt` members are a column, which \
              `--label-column txt` takes); else folders or the names of shards \
              (`cat.tar`) give labels; pictures are read in place; splits also from the names of shards; missing shards are \
              named; in a bucket, too, and chosen by patterns such as `shard-{000..049}.tar` and `train-*.tar`",
    written: "`webdataset` writes shards; `cleaned` writes the pictures as files in class folders, with the other columns \
              in `metadata.csv`",
    lost: "compressed tar files, which are refused; links; other members of a sample",
    class_names: ClassNames::Written,
    annotated: None,
    elsewhere: true,
    options: |_| OF_TAR,
    detect: |candidate| {
        if !candidate.is_dir() {
            return candidate.has_extension(&["tar"]);
        }
        candidate.with_extension("tar").next().is_some()
            && !candidate.files().iter().any(|path| is_image(path))
    },
    read,
};

/// A list of classes is small.
const LARGEST_CLASSES: u64 = 64 << 20;

fn read(candidate: &Candidate, options: &DatasetOptions) -> Result<Opened> {
    let dataset = candidate.path();
    let (root, paths): (PathBuf, Vec<PathBuf>) = match candidate.is_dir() {
        true => {
            (candidate.root().to_path_buf(), candidate.with_extension("tar").map(Path::to_path_buf).collect())
        }
        // The file is the dataset, and its members are below it.
        false => (dataset.to_path_buf(), vec![PathBuf::new()]),
    };
    let mut ledger = Ledger::default();
    let mut listed = Vec::new();
    for path in &paths {
        listed.push(members::list(&root, path, keys::may_say, &mut ledger)?);
    }
    let names = listed.iter().flat_map(|one| one.members.iter().map(|member| member.name.as_path()));
    let webdataset = is_webdataset(names);
    let classes = if webdataset { Classes::of(candidate)? } else { Classes::default() };
    if candidate.is_dir() {
        let rest = candidate.files().iter().filter(|path| !paths.contains(path));
        let rest: Vec<&PathBuf> = rest.filter(|path| Some(*path) != classes.file.as_ref()).collect();
        if let Some(file) = &classes.file {
            let text = format!("{} has the names of the classes", safe_path(file));
            ledger.leave_out(RemarkKind::OtherFiles, 1, text);
        }
        if let Some(first) = rest.first() {
            let text = format!("files that are not tar files: {} and the like", safe_path(first));
            ledger.leave_out(RemarkKind::OtherFiles, rest.len() as u64, text);
        }
    }
    if listed.iter().all(|one| one.members.iter().all(|member| !is_image(&member.name))) {
        let notes: String = ledger.remarks.iter().map(|remark| format!("; {}", remark.text)).collect();
        return Err(Error::Dataset {
            path: dataset.to_path_buf(),
            message: format!("its tar files contain no pictures{notes}"),
        });
    }
    let declared = Declared::of(candidate, listed.iter().map(|one| &one.path));
    let of = |one: &Listed| Shard {
        path: one.path.clone(),
        rows: one.members.iter().filter(|member| is_image(&member.name)).count() as u64,
        split: declared.split_in(dataset, &one.path),
    };
    let all: Vec<Shard> = listed.iter().map(of).collect();
    shard_sets::check(candidate, &all, &Described::of(candidate), &mut ledger);
    match webdataset {
        true => {
            let whole = webdataset::Whole { root, dataset, options, names: &classes.names, declared };
            webdataset::read(&listed, &whole, ledger)
        }
        false => plain(listed, root, (dataset, &declared), options, ledger),
    }
}

/// The file beside the shards of a dataset that names classes by their numbers, and these names; `None` if there is none.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn webdataset_classes(dataset: &Path) -> Result<Option<(PathBuf, Vec<String>)>> {
    let Classes { names, full, .. } = Classes::of(&Candidate::new(dataset)?)?;
    Ok(full.map(|file| (file, names)))
}

/// The names of classes by their numbers, as `export --format webdataset` writes them beside the shards.
#[derive(Default)]
struct Classes {
    names: Vec<String>,
    /// Relative to the dataset, if it is in it.
    file: Option<PathBuf>,
    /// Where it is, in it or not.
    full: Option<PathBuf>,
}

impl Classes {
    const FILE: &str = "classes.txt";

    fn of(candidate: &Candidate) -> Result<Classes> {
        let file = candidate.called(Classes::FILE).next().map(Path::to_path_buf);
        let full = match (&file, candidate.is_dir()) {
            (Some(file), _) => below(candidate.root(), file),
            // A pattern does not choose it, and a shard does not hold it.
            (None, true) => candidate.root().join(Classes::FILE),
            (None, false) => candidate.path().with_file_name(Classes::FILE),
        };
        if file.is_none() && (is_address(&full) || !full.is_file()) {
            return Ok(Classes::default());
        }
        let read = || {
            let blob = Blob::open(&full)?;
            match blob.size() {
                ..=LARGEST_CLASSES => blob.bytes(0, blob.size()),
                _ => Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long for a list of classes")),
            }
        };
        let bytes = read().map_err(Error::io("read", &full))?;
        let text = std::str::from_utf8(&bytes);
        let text =
            text.map_err(|_| Error::format(&full, "it is not text in UTF-8: expected a class a line"))?;
        let names = text.lines().map(|line| line.trim().to_owned()).collect();
        Ok(Classes { names, file, full: Some(full) })
    }
}

/// Pictures as in a folder.
fn plain(
    listed: Vec<Listed>,
    root: PathBuf,
    (dataset, declared): (&Path, &Declared),
    options: &DatasetOptions,
    mut ledger: Ledger,
) -> Result<Opened> {
    if options.label_column.is_some() {
        let message = "tar files of folders have no use for --label-column; leave it out".to_owned();
        return Err(Error::Dataset { path: dataset.to_path_buf(), message });
    }
    // Folders are understood as those of all shards together.
    let mut names: Vec<PathBuf> = Vec::new();
    let mut others: BTreeMap<String, (u64, PathBuf)> = BTreeMap::new();
    for member in listed.iter().flat_map(|one| &one.members) {
        match is_image(&member.name) {
            true => names.push(member.name.clone()),
            false => {
                let extension = super::extension(&member.name).unwrap_or_default();
                others.entry(extension).or_insert((0, member.name.clone())).0 += 1;
            }
        }
    }
    for (extension, (count, first)) in others {
        let what = if extension.is_empty() { "no extension".to_owned() } else { format!(".{extension}") };
        let members = counted(count, "member", "members");
        let text =
            format!("{members} with {what}, which are not pictures that are read: {}", safe_path(&first));
        ledger.leave_out(RemarkKind::OtherFiles, count, text);
    }
    // Names that are in several shards are so many pictures.
    names.sort_unstable();
    let mut said = Ledger::default();
    let placed = folders::placed(names, options, &mut said);
    let mut rows = PackedRows::default();
    let mut splits = Vec::new();
    let paths: Vec<PathBuf> = listed.iter().map(|one| one.path.clone()).collect();
    for Listed { path, members } in listed {
        rows.container(&path, Holds::Ranges);
        let shard_split = declared.split_in(dataset, &path);
        for Found { name, start, length, .. } in members.into_iter().filter(|member| is_image(&member.name)) {
            let (label, split) = placed.get(&name).cloned().unwrap_or_default();
            let split = if split.is_empty() { shard_split.clone() } else { split };
            let place = Place::Inside { start, length };
            rows.push(Member { name, label, split, other: Vec::new(), place });
        }
        splits.push(shard_split);
    }
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let bare = rows.members().iter().all(|member| member.label.is_none());
    if !(bare && classes_of_shards::take(&paths, &mut rows, options, &mut ledger)) {
        said.remarks.into_iter().for_each(|remark| ledger.add(remark.kind, remark.count, remark.text));
        ledger.doubt = said.doubt;
    }
    let from_shards = rows.members().iter().all(|member| split_named(&member.split).is_some());
    if from_shards {
        let files = paths.iter().copied().zip(splits.iter().map(String::as_str));
        declared.tell(&files.collect::<Vec<_>>(), &mut ledger);
    }
    rows.finish(Vec::new(), root, dataset, ledger)
}
