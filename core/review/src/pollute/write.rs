//! The polluted copy and the list of what is wrong in it.

use super::poor::poor;
use super::{Fault, Plan, Planted};
use crate::{Error, Result};
use chaffinch_compute::image::decode::decode;
use chaffinch_compute::job::Job;
use chaffinch_data::atomic;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::output;
use chaffinch_data::output::{CopyMode, Tree};
use chaffinch_data::packing::Source;
use chaffinch_data::row_keys::RowKeys;
use chaffinch_protocol::display::safe_path;
use chaffinch_protocol::sample::{LabelId, SampleId};
use image::DynamicImage;
use image::codecs::jpeg::JpegEncoder;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What was planted: `path,fault,label,true_label,source`. Of rows with one path, `source` names one as in `1.jpg#2`.
pub const LIST: &str = "planted.csv";
/// Every sample of the copy: `path,label,true_label,is_error,fault,copy_of`; `evaluate --truth` reads it. `copy_of` is the
/// path of the sample that a planted copy repeats.
pub const TRUTH: &str = "truth.csv";
/// The folder of the dataset itself within the output folder, so that the lists are not part of it.
pub const DATA: &str = "data";

/// What a polluted copy contains.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PolluteReport {
    /// Samples in the copy.
    pub samples: usize,
    /// Planted faults by kind.
    pub planted: BTreeMap<&'static str, usize>,
    /// Faults that could not be planted, with the reason; those samples are unchanged.
    pub failed: Vec<String>,
}

/// A row of the truth.
struct Row {
    path: PathBuf,
    label: String,
    true_label: String,
    fault: Option<(Fault, String)>,
    /// The sample that this one is a copy of, by its path in the polluted copy.
    copy_of: Option<PathBuf>,
}

/// Writes the copy to `target/data` as `SPLIT/CLASS/FILE` or `CLASS/FILE`, and the lists beside it. It is built beside
/// `target` and renamed when it is complete.
///
/// # Errors
/// When `target` is not empty, is inside the dataset, cannot be written, a file cannot be read, or the job is stopped;
/// nothing is left behind in that case.
pub fn write(
    manifest: &Manifest,
    plan: &Plan,
    target: &Path,
    mode: CopyMode,
    job: &Job<'_>,
) -> Result<PolluteReport> {
    output::outside(manifest.root(), target)?;
    output::whole_folder(target, |half| {
        let tree = Tree::new(half.join(DATA));
        let keys = RowKeys::of(manifest);
        Writer { manifest, keys, mode, tree, rows: Vec::new(), places: BTreeMap::new() }.fill(plan, half, job)
    })
}

struct Writer<'a> {
    manifest: &'a Manifest,
    keys: RowKeys<'a>,
    mode: CopyMode,
    tree: Tree,
    rows: Vec<Row>,
    /// Where the dataset's own samples are in the copy.
    places: BTreeMap<SampleId, PathBuf>,
}

impl Writer<'_> {
    fn fill(mut self, plan: &Plan, half: &Path, job: &Job<'_>) -> Result<PolluteReport> {
        let mut report = PolluteReport::default();
        let changed: BTreeMap<SampleId, &Planted> = plan
            .planted
            .iter()
            .filter(|planted| !matches!(planted.fault, Fault::Copy | Fault::Reencoded))
            .filter_map(|planted| Some((planted.sample?, planted)))
            .collect();
        let total = self.manifest.len() as u64;
        for id in self.manifest.ids() {
            if id.0 % 256 == 0 {
                job.checkpoint()?;
                job.progress(u64::from(id.0), total);
            }
            match changed.get(&id) {
                Some(planted) => self.plant(planted, &mut report)?,
                None => {
                    self.sample(id, self.manifest.label(id), None)?;
                }
            }
        }
        for planted in &plan.planted {
            job.checkpoint()?;
            if matches!(planted.fault, Fault::Copy | Fault::Reencoded | Fault::Foreign) {
                self.plant(planted, &mut report)?;
            }
        }
        job.progress(total, total);
        report.samples = self.rows.len();
        self.lists(half)?;
        Ok(report)
    }

    fn plant(&mut self, planted: &Planted, report: &mut PolluteReport) -> Result<()> {
        match self.try_plant(planted) {
            Ok(()) => {
                *report.planted.entry(planted.fault.name()).or_default() += 1;
                Ok(())
            }
            // A file that is not a picture cannot be blurred and stays unchanged.
            Err(Error::Invalid(reason)) => {
                report.failed.push(reason);
                match planted.sample {
                    Some(id) if !matches!(planted.fault, Fault::Copy | Fault::Reencoded) => {
                        self.sample(id, self.manifest.label(id), None)
                    }
                    _ => Ok(()),
                }
            }
            Err(error) => Err(error),
        }
    }

    fn try_plant(&mut self, planted: &Planted) -> Result<()> {
        let Some(id) = planted.sample else {
            let stranger = planted.stranger.as_deref().unwrap_or(Path::new(""));
            let split = planted.beside.map_or("", |id| self.manifest.split_as_written(id));
            let folder = self.folder(split, planted.label);
            let name = stranger.file_name().unwrap_or_default();
            let path = self.put(stranger, &folder, Path::new(name))?;
            let fault = Some((Fault::Foreign, stranger.to_string_lossy().into_owned()));
            let label = self.class(planted.label);
            self.rows.push(Row { path, label, true_label: String::new(), fault, copy_of: None });
            return Ok(());
        };
        match planted.fault {
            Fault::Label => self.sample(id, planted.label, Some(Fault::Label)),
            fault => {
                let source = self.manifest.source(id);
                let bytes = source.read().map_err(Error::io("read", &source.shown()))?;
                let made = made(bytes, &source.shown(), fault, u64::from(id.0))?;
                let kept = matches!(fault, Fault::Copy | Fault::Truncated);
                let extension = if kept { None } else { Some("jpg") };
                self.made(id, fault, &made, extension)
            }
        }
    }

    /// One sample's file, unchanged.
    fn sample(&mut self, id: SampleId, label: Option<LabelId>, fault: Option<Fault>) -> Result<()> {
        let source = self.manifest.source(id);
        let folder = self.folder(self.manifest.split_as_written(id), label);
        let name = Path::new(self.manifest.path(id).file_name().unwrap_or_default());
        let path = match &source {
            Source::File(file) => self.put(file, &folder, name)?,
            Source::Packed(_) => {
                let bytes = source.read().map_err(Error::io("read", &source.shown()))?;
                self.tree.put_bytes(&bytes, &folder, name.as_os_str())?
            }
        };
        let fault = fault.map(|fault| (fault, self.named(id)));
        let true_label = self.manifest.label_name(id).to_owned();
        self.places.insert(id, path.clone());
        self.rows.push(Row { path, label: self.class(label), true_label, fault, copy_of: None });
        Ok(())
    }

    /// A file from outside the dataset, under a neutral name.
    fn made(&mut self, id: SampleId, fault: Fault, bytes: &[u8], extension: Option<&str>) -> Result<()> {
        let source = self.manifest.full_path(id);
        let label = self.manifest.label(id);
        let folder = self.folder(self.manifest.split_as_written(id), label);
        let mut name = PathBuf::from(source.file_name().unwrap_or_default());
        if let Some(extension) = extension {
            name.set_extension(extension);
        }
        let path = self.tree.put_bytes(bytes, &folder, name.as_os_str())?;
        let copied = matches!(fault, Fault::Copy | Fault::Reencoded);
        let copy_of = if copied { self.places.get(&id).cloned() } else { None };
        let fault = Some((fault, self.named(id)));
        let label = self.class(label);
        self.rows.push(Row { path, label: label.clone(), true_label: label, fault, copy_of });
        Ok(())
    }

    /// Puts a file into a folder of the copy; returns its path relative to the copy.
    fn put(&mut self, source: &Path, folder: &Path, name: &Path) -> Result<PathBuf> {
        let real = fs::canonicalize(source).map_err(Error::io("read", source))?;
        self.tree.put(&real, folder, name.as_os_str(), self.mode)
    }

    fn folder(&self, split: &str, label: Option<LabelId>) -> PathBuf {
        output::sample_folder(split, label.map_or("", |label| self.manifest.class(label)))
    }

    /// What the dataset calls a sample: its path, or the key of its row if several have this path.
    fn named(&self, id: SampleId) -> String {
        String::from_utf8_lossy(&self.keys.key(id)).into_owned()
    }

    fn class(&self, label: Option<LabelId>) -> String {
        label.map_or_else(String::new, |label| self.manifest.class(label).to_owned())
    }

    fn lists(&mut self, half: &Path) -> Result<()> {
        self.rows.sort_by(|a, b| a.path.cmp(&b.path));
        atomic::write(&half.join(LIST), |out| {
            let mut table = csv::Writer::from_writer(out);
            table.write_record(["path", "fault", "label", "true_label", "source"])?;
            for row in &self.rows {
                if let Some((fault, source)) = &row.fault {
                    let fields = [&row.label, &row.true_label, source].map(|text| text.as_bytes());
                    let path = row.path.as_os_str().as_bytes();
                    table.write_record([path, fault.name().as_bytes(), fields[0], fields[1], fields[2]])?;
                }
            }
            table.flush()
        })?;
        atomic::write(&half.join(TRUTH), |out| {
            let mut table = csv::Writer::from_writer(out);
            table.write_record(["path", "label", "true_label", "is_error", "fault", "copy_of"])?;
            for row in &self.rows {
                let path = row.path.as_os_str().as_bytes();
                let (error, fault) = row.fault.as_ref().map_or(("0", ""), |(fault, _)| ("1", fault.name()));
                let labels = [&row.label, &row.true_label].map(|text| text.as_bytes());
                let copy_of = row.copy_of.as_deref().unwrap_or(Path::new("")).as_os_str().as_bytes();
                table.write_record([
                    path,
                    labels[0],
                    labels[1],
                    error.as_bytes(),
                    fault.as_bytes(),
                    copy_of,
                ])?;
            }
            table.flush()
        })
    }
}

/// The bytes of a sample with a fault.
fn made(bytes: Vec<u8>, source: &Path, fault: Fault, seed: u64) -> Result<Vec<u8>> {
    match fault {
        Fault::Copy => return Ok(bytes),
        Fault::Truncated => return Ok(bytes[..bytes.len() / 2].to_vec()),
        _ => {}
    }
    let picture = decode(&bytes)
        .map_err(|error| Error::Invalid(format!("{}: no fault was planted: {error}", safe_path(source))))?;
    let (picture, quality) = poor(picture.image, fault, seed % 2 == 1, seed);
    let mut out = Vec::new();
    DynamicImage::ImageRgb8(picture)
        .write_with_encoder(JpegEncoder::new_with_quality(&mut out, quality))
        .map_err(|error| Error::Invalid(format!("{}: {error}", safe_path(source))))?;
    Ok(out)
}
