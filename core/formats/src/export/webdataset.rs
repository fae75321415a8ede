//! Shards of WebDataset: tar files in which each sample is a picture, the number of its class, and a JSON of the rest.

use super::other_cells::OtherCells;
use super::other_files::ends_the_copy;
use super::pictures::plain;
use super::{Export, Format, Request, Target, Written};
use crate::text::json_numbers;
use crate::{Error, Result};
use chaffinch_compute::job::Job;
use chaffinch_data::class_names;
use chaffinch_data::output::whole_folder;
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::sample::{SampleId, Split};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use tar::{Builder, Header};

pub(super) const FORMAT: Format = Format {
    name: "webdataset",
    summary: "The cleaned dataset as tar shards `SPLIT-000000.tar` of WebDataset, and `classes.txt`",
    file_name: "webdataset",
    target: Target::NewFolder,
    stage: Some("write"),
    guards: false,
    write: |export, request, job| write(export, request, job, LONGEST),
};

/// Bytes that a shard has at most, unless a single sample has more.
const LONGEST: u64 = 1 << 30;
/// What the shards of samples without a split begin with.
const WITHOUT_SPLIT: &str = "samples";
/// The file with the name of each class, in the order of their numbers.
const CLASSES: &str = "classes.txt";

/// Writes shards of at most `longest` bytes.
pub(super) fn write(export: &Export<'_>, request: &Request, job: &Job<'_>, longest: u64) -> Result<Written> {
    export.outside(&request.output)?;
    whole_folder(&request.output, |half| {
        let mut written = Written { paths: vec![request.output.clone()], ..Written::default() };
        fill(export, half, job, longest, &mut written)?;
        Ok(written)
    })
}

fn fill(export: &Export<'_>, half: &Path, job: &Job<'_>, longest: u64, written: &mut Written) -> Result<()> {
    let manifest = export.source.manifest;
    let classes = export.classes_left();
    let others = OtherCells::of(export);
    let mut splits: BTreeMap<Split, Vec<SampleId>> = BTreeMap::new();
    let (mut removed, mut relabeled, mut count, mut shards) = (0_u64, 0_u64, 0_u64, 0_u64);
    for id in manifest.ids() {
        match export.removed(id) {
            true => removed += 1,
            false => splits.entry(manifest.split(id)).or_default().push(id),
        }
    }
    let mut keys = Keys::default();
    let mut done = 0;
    for (split, ids) in splits {
        let name = if split == Split::None { WITHOUT_SPLIT } else { split.name() };
        let mut shard: Option<Shard> = None;
        let mut number = 0;
        for id in ids {
            if done % 64 == 0 {
                job.checkpoint()?;
                job.progress(done, manifest.len() as u64);
            }
            done += 1;
            let source = manifest.source(id);
            let bytes = match source.read() {
                Ok(bytes) => bytes,
                Err(error) if ends_the_copy(&error) => return Err(Error::io("read", &source.shown())(error)),
                Err(error) => {
                    written.left_out.push(format!("{}: {error}", safe_path(&source.shown())));
                    continue;
                }
            };
            let (key, extension) = keys.of(manifest.path(id), &bytes);
            let picture = PathBuf::from(format!("{key}.{extension}"));
            let path = manifest.path(id);
            if picture != path {
                let (old, new) = (safe_path(path), safe_path(&picture));
                written.renamed.push(format!("{old} is {new}, because a key is unique and has no dots"));
            }
            let label = export.label(id);
            let class = classes.binary_search_by(|class| class.as_str().cmp(&label)).ok();
            // Readers expect the same members of all samples, and numbers here.
            let class = class.map_or_else(|| "-1".to_owned(), |class| class.to_string());
            let about = json_numbers::json(&Value::from(about(export, id, &label, &others)));
            let members =
                [(extension.as_str(), &bytes[..]), ("cls", class.as_bytes()), ("json", about.as_bytes())];
            let size: u64 = members.iter().map(|(_, bytes)| member_size(&key, bytes)).sum();
            if shard.as_ref().is_some_and(|shard| shard.size + size > longest) {
                shard.take().map_or(Ok(()), Shard::finish)?;
            }
            let open = match &mut shard {
                Some(open) => open,
                none => {
                    let path = half.join(format!("{name}-{number:06}.tar"));
                    number += 1;
                    shards += 1;
                    none.insert(Shard::new(path)?)
                }
            };
            for (what, bytes) in members {
                open.add(&format!("{key}.{what}"), bytes)?;
            }
            open.size += size;
            count += 1;
            relabeled += u64::from(export.new_label(id).is_some());
        }
        shard.take().map_or(Ok(()), Shard::finish)?;
    }
    job.progress(manifest.len() as u64, manifest.len() as u64);
    if let (0, Some(first)) = (count, written.left_out.first()) {
        let message = format!("none of the files to copy can be read; the first: {first}");
        return Err(Error::Dataset { path: manifest.root().to_path_buf(), message });
    }
    names(half, &classes, written)?;
    let (shards, samples) = (counted(shards, "shard", "shards"), counted(count, "sample", "samples"));
    let mut summary = format!("{samples} in {shards}, {removed} removed, {relabeled} relabeled");
    if !written.left_out.is_empty() {
        summary += &format!(", {} left out", written.left_out.len());
    }
    written.summary = Some(summary);
    written.warning = others.contradictions();
    Ok(())
}

/// The names of classes, one per line.
fn names(half: &Path, classes: &[String], written: &mut Written) -> Result<()> {
    let mut text = String::new();
    for class in classes {
        let line = class.replace(['\n', '\r'], " ");
        if line != *class {
            let name = chaffinch_protocol::display::safe_text(&line).into_owned();
            written
                .renamed
                .push(format!("the class '{name}' has a line break, which is a blank in {CLASSES}"));
        }
        text += &line;
        text.push('\n');
    }
    let path = half.join(CLASSES);
    fs::write(&path, text).map_err(Error::io("write", &path))
}

/// The JSON of a sample.
fn about(export: &Export<'_>, id: SampleId, label: &str, others: &OtherCells<'_>) -> Map<String, Value> {
    let manifest = export.source.manifest;
    let mut about = Map::new();
    let class = if label.is_empty() { Value::Null } else { Value::from(label) };
    about.insert("label".into(), class);
    about.insert("split".into(), Value::from(manifest.split_as_written(id)));
    about.insert("decision".into(), Value::from(export.decision(id)));
    about.insert("tags".into(), Value::from(export.source.decisions.tags(id).join(",")));
    let path = class_names::of_bytes(manifest.path(id).as_os_str().as_bytes());
    about.insert("path".into(), Value::from(path));
    let mut taken = ["label", "split", "decision", "tags", "path"].map(String::from).into();
    for (at, column) in manifest.extra().iter().enumerate() {
        let name = super::sample_table::free_name(&column.name, &mut taken);
        about.insert(name, others.value(at, id));
    }
    about
}

/// A tar file that is being written.
struct Shard {
    path: PathBuf,
    tar: Builder<BufWriter<File>>,
    size: u64,
}

impl Shard {
    fn new(path: PathBuf) -> Result<Shard> {
        let file = File::create_new(&path).map_err(Error::io("create", &path))?;
        Ok(Shard { path, tar: Builder::new(BufWriter::with_capacity(1 << 18, file)), size: 0 })
    }

    fn add(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        // Nothing of this machine or moment: the same samples give the same bytes.
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        self.tar.append_data(&mut header, name, bytes).map_err(Error::io("write", &self.path))
    }

    fn finish(self) -> Result<()> {
        let end = || -> io::Result<()> {
            let mut out = self.tar.into_inner()?;
            out.flush()?;
            out.get_ref().sync_all()
        };
        end().map_err(Error::io("write", &self.path))
    }
}

/// What a member takes: its header, perhaps one for a long name, and its bytes in blocks.
fn member_size(key: &str, bytes: &[u8]) -> u64 {
    const BLOCK: u64 = 512;
    let blocks = |length: u64| length.div_ceil(BLOCK) * BLOCK;
    let long = if key.len() > 90 { BLOCK + blocks(key.len() as u64 + 8) } else { 0 };
    BLOCK + long + blocks(bytes.len() as u64)
}

/// Keys of samples, each given once.
#[derive(Default)]
struct Keys(HashMap<String, u32>);

impl Keys {
    /// The key of a sample, and the extension of its picture: the path with dots and hidden folders made plain.
    fn of(&mut self, path: &Path, bytes: &[u8]) -> (String, String) {
        let parts = path.components().filter_map(|part| match part {
            Component::Normal(part) => Some(part),
            _ => None,
        });
        let mut parts: Vec<String> = parts.map(|part| plain(part).to_string_lossy().into_owned()).collect();
        let name = parts.pop().unwrap_or_default();
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if is_extension(extension) => (stem, extension.to_owned()),
            _ => (name.as_str(), extension_of(bytes).to_owned()),
        };
        for part in &mut parts {
            if part.starts_with('.') {
                part.replace_range(..1, "_");
            }
        }
        let stem = stem.replace('.', "_");
        parts.push(if stem.is_empty() { "picture".to_owned() } else { stem });
        let key = parts.join("/");
        let mut number = self.0.get(&key).copied().unwrap_or(0);
        let mut free = key.clone();
        // Without case, as on other systems.
        while number > 0 && self.0.contains_key(&free) || number == 0 && self.0.contains_key(&key) {
            number = number.max(1) + 1;
            free = format!("{key}-{number}");
        }
        self.0.insert(key, number.max(1));
        self.0.entry(free.clone()).or_insert(1);
        (free, extension)
    }
}

fn is_extension(text: &str) -> bool {
    !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What the first bytes of a picture say it is.
fn extension_of(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xd8, ..] => "jpg",
        [0x89, b'P', b'N', b'G', ..] => "png",
        [b'G', b'I', b'F', ..] => "gif",
        [b'B', b'M', ..] => "bmp",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "webp",
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => "tif",
        _ => "jpg",
    }
}
