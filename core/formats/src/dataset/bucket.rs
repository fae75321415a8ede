//! Buckets of an object store: pictures as objects, with class folders in their names.

mod stand_in;

use super::packed::{Member, PackedRows, Place};
use super::{Candidate, ClassNames, DatasetOptions, Format, Opened, ReadingOption, folders, is_image};
use crate::{Error, Result};
use chaffinch_data::dataset::LabelFiles;
use chaffinch_data::packing::{Bucket, Holds};
use chaffinch_protocol::display::{counted, excerpt};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "s3://BUCKET/PREFIX",
    summary: "`s3://BUCKET/PREFIX` or `gs://BUCKET/PREFIX`",
    details: "objects as files of a folder, with the label files of any format that is read in a folder; a table of them, also on this machine with `--root s3://BUCKET/PREFIX`; or \
              tar, Parquet or Arrow files, of which only what is needed is read. Server, region and credentials as usual: \
              `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_PROFILE`, `~/.aws`; without \
              credentials, public buckets. `gs://` takes HMAC keys",
    written: "`cleaned` writes the pictures as files in class folders, `cleaned-table` a CSV table",
    lost: "tar, Parquet and Arrow files beside pictures; roles of machines as credentials",
    class_names: ClassNames::Folders,
    annotated: None,
    elsewhere: true,
    // Its files of labels may be those of any format.
    options: |_| &ReadingOption::ALL,
    detect: Candidate::is_address,
    read,
};

/// Opens a dataset of this machine with the address of a bucket as its root: a table whose paths are those of objects.
///
/// # Errors
/// When it is not a table, and as of [`stand_in::rooted`].
pub(super) fn rooted(path: &Path, address: &Path, options: &DatasetOptions) -> Result<Opened> {
    let candidate = Candidate::new(path)?;
    if candidate.is_elsewhere() || candidate.is_dir() {
        let message = "--root with the address of a bucket is for a table on this machine whose paths are names of objects; \
                       scan the address itself, or leave --root out";
        return Err(Error::Dataset { path: path.to_path_buf(), message: message.into() });
    }
    stand_in::rooted(path, address, options)
}

fn read(candidate: &Candidate, options: &DatasetOptions) -> Result<Opened> {
    let dataset = candidate.path();
    let objects = candidate.objects();
    if options.label_files != LabelFiles::Ignore && stand_in::is_needed(objects) {
        return stand_in::read(dataset, objects, None, options);
    }
    if let (false, Some(folder), Some(name)) = (candidate.is_dir(), dataset.parent(), dataset.file_name())
        && stand_in::may_have_labels(&name.to_string_lossy())
    {
        let bucket = Bucket::of(folder).map_err(Error::io("open", folder))?;
        let objects = bucket.list(&mut |_| true).map_err(Error::io("list", folder))?;
        return stand_in::read(folder, &objects, Some(Path::new(name)), options);
    }
    let mut ledger = Ledger::default();
    let mut others: BTreeMap<String, (u64, &str)> = BTreeMap::new();
    let mut pictures = Vec::new();
    for object in objects {
        let path = Path::new(&object.name);
        match is_image(path) {
            true => pictures.push(object),
            false => {
                let extension = super::extension(path).unwrap_or_default();
                others.entry(extension).or_insert((0, &object.name)).0 += 1;
            }
        }
    }
    for (extension, (count, first)) in &others {
        let what = if extension.is_empty() { "no extension".to_owned() } else { format!(".{extension}") };
        let count_of = counted(*count, "object", "objects");
        let text =
            format!("{count_of} with {what}, which are not pictures that are read: {}", excerpt(first));
        ledger.leave_out(RemarkKind::OtherFiles, *count, text);
    }
    if pictures.is_empty() {
        let zip = others.contains_key("zip");
        let advice = match (objects.is_empty(), zip) {
            (true, _) => "nothing has this prefix",
            (_, true) => "it has archives that are not read in a bucket; copy and unpack them",
            _ => {
                "none of its objects is a picture, a tar file, a Parquet file or an Arrow file; other formats are read from \
                  a disk"
            }
        };
        return Err(Error::Dataset { path: dataset.to_path_buf(), message: advice.into() });
    }
    let names: Vec<PathBuf> = pictures.iter().map(|object| PathBuf::from(&object.name)).collect();
    let placed = folders::placed(names, options, &mut ledger);
    let mut rows = PackedRows::default();
    rows.container(Path::new(""), Holds::Objects);
    for object in pictures {
        let name = PathBuf::from(&object.name);
        let (label, split) = placed.get(&name).cloned().unwrap_or_default();
        let place = Place::Inside { start: object.modified.max(0).unsigned_abs(), length: object.size };
        rows.push(Member { name, label, split, other: Vec::new(), place });
    }
    rows.finish(Vec::new(), dataset.to_path_buf(), dataset, ledger)
}
