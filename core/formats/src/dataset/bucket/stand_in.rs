//! Label files in a bucket, read by the formats that read them on a disk: they are fetched into a temporary folder, in which
//! an empty file stands for each other object.

use super::super::packed::clean_name;
use super::super::{DatasetOptions, Opened, extension, is_image, list, missing, open};
use crate::{Error, Result};
use chaffinch_data::packing::{Bucket, Holds, Object, PackingBuilder};
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Extensions of files that may have labels.
const LABELS: [&str; 11] =
    ["csv", "tsv", "json", "jsonl", "ndjson", "parquet", "txt", "xml", "yaml", "yml", "names"];
/// What all of them may have together.
const MOST_BYTES: u64 = 2 << 30;
/// How many are fetched at the same time.
const REQUESTS: usize = 32;

/// Whether an object may have labels of others.
pub(super) fn may_have_labels(name: &str) -> bool {
    extension(Path::new(name)).is_some_and(|own| LABELS.contains(&own.as_str()))
}

/// Opens what lies under an address as if it were a folder; or one of its objects, a table.
///
/// # Errors
/// When a label file cannot be fetched, and as for a folder.
pub(super) fn read(
    address: &Path,
    objects: &[Object],
    table: Option<&Path>,
    options: &DatasetOptions,
) -> Result<Opened> {
    let temp = tempfile::Builder::new().prefix("chaffinch-").tempdir();
    let temp = temp.map_err(Error::io("create", &std::env::temp_dir()))?;
    let folder = temp.path().canonicalize().map_err(Error::io("find", temp.path()))?;
    let mut ledger = Ledger::default();
    fill(&folder, address, objects, &mut ledger)?;
    // What is asked for beside the labels is done to what this returns.
    let options = DatasetOptions { label_pattern: None, ..options.clone() };
    let target = table.map_or_else(|| folder.clone(), |table| folder.join(table));
    let opened = open(&target, &options).map_err(|error| elsewhere(error, &folder, address))?;
    let from = folder.to_string_lossy().into_owned();
    let to = address.to_string_lossy().into_owned();
    for remark in &opened.ledger.remarks {
        ledger.add(remark.kind, remark.count, remark.text.replace(&from, &to));
    }
    (ledger.found, ledger.left_out) =
        (ledger.found + opened.ledger.found, ledger.left_out + opened.ledger.left_out);
    Ok(in_bucket(Opened { ledger, ..opened }, &folder, address, objects))
}

/// Opens a table of this machine whose paths are those of objects below an address.
///
/// # Errors
/// When the bucket cannot be listed, the pictures are in the table itself, and as for a table.
pub(super) fn rooted(table: &Path, address: &Path, options: &DatasetOptions) -> Result<Opened> {
    let refused =
        |path: &Path, message: &str| Error::Dataset { path: path.to_path_buf(), message: message.into() };
    let bucket = Bucket::of(address).map_err(Error::io("open", address))?;
    let objects = bucket.list(&mut |_| true).map_err(Error::io("list", address))?;
    if objects.is_empty() {
        return Err(refused(address, "nothing has this prefix"));
    }
    let temp = tempfile::Builder::new().prefix("chaffinch-").tempdir();
    let temp = temp.map_err(Error::io("create", &std::env::temp_dir()))?;
    let folder = temp.path().canonicalize().map_err(Error::io("find", temp.path()))?;
    for object in &objects {
        let name = clean_name(object.name.as_bytes());
        // No row can name what no file can be called.
        if name.as_os_str() == object.name.as_str()
            && let Err(error) = make(&folder, &name)
            && error.kind() == std::io::ErrorKind::StorageFull
        {
            return Err(Error::io("create", &folder.join(name))(error));
        }
    }
    let options = DatasetOptions { root: Some(folder.clone()), ..options.clone() };
    let (full, mut opened) = list(table, &options)?;
    if opened.manifest.packing().is_some() {
        return Err(refused(
            &full,
            "its pictures are in it, and none in the bucket of --root; leave that out",
        ));
    }
    // Whole addresses are below the one that was given, too.
    let start = format!("{}/", address.to_string_lossy().trim_end_matches('/'));
    opened.manifest = opened.manifest.with_paths(|path| {
        let below = path.to_str().and_then(|text| text.strip_prefix(&start));
        below.map_or_else(|| path.to_path_buf(), PathBuf::from)
    });
    let mut opened =
        missing::settle(opened, &full, &options).map_err(|error| elsewhere(error, &folder, address))?;
    let (from, to) = (folder.to_string_lossy(), address.to_string_lossy());
    for remark in &mut opened.ledger.remarks {
        remark.text = remark.text.replace(&*from, &to);
    }
    Ok(in_bucket(opened, &folder, address, &objects))
}

/// The samples with their bytes in the bucket.
fn in_bucket(opened: Opened, folder: &Path, address: &Path, objects: &[Object]) -> Opened {
    let by_name: HashMap<&str, &Object> =
        objects.iter().map(|object| (object.name.as_str(), object)).collect();
    let manifest = opened.manifest;
    let root = manifest.root().to_path_buf();
    let below = |path: &Path| -> PathBuf {
        let full = root.join(path);
        // Paths of tables may have `..` in them, which objects do not know.
        let mut clean = PathBuf::new();
        for part in full.strip_prefix(folder).unwrap_or(&full).components() {
            match part {
                std::path::Component::ParentDir => drop(clean.pop()),
                std::path::Component::CurDir => {}
                part => clean.push(part),
            }
        }
        clean
    };
    let mut packing = PackingBuilder::default();
    packing.container(address, Holds::Objects);
    for id in manifest.ids() {
        match below(manifest.path(id)).to_str().and_then(|name| by_name.get(name)) {
            Some(object) => packing.push(object.modified.max(0).unsigned_abs(), object.size),
            // It is missing, or on this machine, and read like any other file.
            None => packing.push_file(),
        }
    }
    // Copies and repairs cannot read the label files again, so that they write class folders.
    let manifest = manifest.with_beside(Vec::new());
    let manifest = manifest.with_paths(below).with_root(address);
    Opened { manifest: manifest.with_packing(packing.finish()), ledger: opened.ledger }
}

/// Fetches the label files, and makes an empty file for each other object.
fn fill(folder: &Path, address: &Path, objects: &[Object], ledger: &mut Ledger) -> Result<()> {
    let (mut fetched, mut odd, mut first) = (Vec::new(), 0_u64, None);
    for object in objects {
        let name = clean_name(object.name.as_bytes());
        let made = (name.as_os_str() == object.name.as_str()).then(|| make(folder, &name));
        match made {
            Some(Ok(())) if may_have_labels(&object.name) => fetched.push(object),
            Some(Ok(())) => {}
            Some(Err(error)) if error.kind() == std::io::ErrorKind::StorageFull => {
                return Err(Error::io("create", &folder.join(name))(error));
            }
            Some(Err(_)) | None => {
                odd += 1;
                first.get_or_insert(&object.name);
            }
        }
    }
    if let Some(first) = first {
        let objects = counted(odd, "object", "objects");
        let text = format!("{objects} with a name that no file can have: {}", excerpt(first));
        ledger.leave_out(RemarkKind::OtherFiles, odd, text);
    }
    let bytes: u64 = fetched.iter().map(|object| object.size).sum();
    if bytes > MOST_BYTES {
        let message = format!(
            "the {} that may have labels have {} MiB together, which is too much to fetch; --label-files ignore goes on \
             without them",
            counted(fetched.len() as u64, "object", "objects"),
            bytes >> 20
        );
        return Err(Error::Dataset { path: address.to_path_buf(), message });
    }
    let bucket = Bucket::of(address).map_err(Error::io("open", address))?;
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..REQUESTS.min(fetched.len()) {
            scope.spawn(|| {
                while let Some(object) = fetched.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = fetch(bucket, object, folder, address) {
                        next.store(fetched.len(), Ordering::Relaxed);
                        if let Ok(mut failed) = failed.lock() {
                            failed.get_or_insert(error);
                        }
                        return;
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap_or_default().map_or(Ok(()), Err)
}

fn make(folder: &Path, name: &Path) -> std::io::Result<()> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    File::create_new(path).map(drop)
}

fn fetch(bucket: &Bucket, object: &Object, folder: &Path, address: &Path) -> Result<()> {
    let shown = address.join(&object.name);
    let bytes = bucket.read(&object.name, object.size).map_err(Error::io("read", &shown))?;
    let path = folder.join(&object.name);
    fs::write(&path, bytes).map_err(Error::io("write", &path))
}

/// An error about a file of the temporary folder, as one about the object that it stands for.
fn elsewhere(error: Error, folder: &Path, address: &Path) -> Error {
    let place = |path: PathBuf| {
        path.strip_prefix(folder).map_or(path.clone(), |below| {
            if below.as_os_str().is_empty() { address.to_path_buf() } else { address.join(below) }
        })
    };
    let text = |message: String| message.replace(&safe_path(folder), &safe_path(address));
    match error {
        Error::Format { path, message } => Error::Format { path: place(path), message: text(message) },
        Error::Dataset { path, message } => Error::Dataset { path: place(path), message: text(message) },
        Error::Io { action, path, reason } => Error::Io { action, path: place(path), reason },
        other => other,
    }
}

/// Whether there are pictures, and objects that may have their labels.
pub(super) fn is_needed(objects: &[Object]) -> bool {
    objects.iter().any(|object| may_have_labels(&object.name))
        && objects.iter().any(|object| is_image(Path::new(&object.name)))
}
