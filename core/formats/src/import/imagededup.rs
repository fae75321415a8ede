//! imagededup: duplicates by file name, and lists of files to remove.

use super::detector::{Detector, FLAGGED};
use super::groups::Groups;
use super::pairs::set_groups;
use super::{Importer, Read, Target, json};
use crate::{Error, Result};
use chaffinch_data::issue::Issue;
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::sample::SampleId;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

pub(super) const IMPORTER: Importer = Importer {
    name: "imagededup",
    summary: "imagededup's duplicates, with or without scores",
    files: "JSON of `find_duplicates` (`{\"a.jpg\": [\"b.jpg\"]}`, or with Hamming distances or cosines) and of \
            `find_duplicates_to_remove`",
    in_folder: &[],
    options: &[],
    read,
};

/// Bits of its hashes.
const BITS: f32 = 64.0;

fn read(files: &[PathBuf], target: &Target<'_>) -> Result<Read> {
    let mut read = Read::default();
    for file in files {
        match json::read(file)? {
            Value::Object(map) => duplicates(file, &map, target, &mut read)?,
            Value::Array(names) => to_remove(file, &names, target, &mut read)?,
            _ => return Err(odd(file, "an object or a list")),
        }
    }
    Ok(read)
}

fn odd(file: &Path, what: &str) -> Error {
    Error::format(file, format!("it is not what imagededup writes: expected {what} of file names"))
}

fn to_remove(file: &Path, names: &[Value], target: &Target<'_>, read: &mut Read) -> Result<()> {
    let names: Option<Vec<Vec<u8>>> =
        names.iter().map(|name| Some(name.as_str()?.as_bytes().to_vec())).collect();
    let names = names.ok_or_else(|| odd(file, "a list"))?;
    let mut detector = Detector::new("remove", "The file is a duplicate to be removed (imagededup)");
    for id in target.samples(file, &names, read)?.into_iter().flatten() {
        let reason = "imagededup would remove it, since another file is the same".to_owned();
        detector.add(id, Issue { score: FLAGGED, reason, ..Issue::default() }, true);
    }
    read.detectors.push(detector);
    Ok(())
}

/// How alike two files are, as the file says it.
#[derive(Clone, Copy)]
enum Alike {
    /// A Hamming distance.
    Distance(f32),
    /// A cosine.
    Cosine(f32),
    Unknown,
}

fn duplicates(file: &Path, map: &Map<String, Value>, target: &Target<'_>, read: &mut Read) -> Result<()> {
    // Each file, then those that are its duplicates.
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut rows: Vec<(usize, Vec<(usize, Alike)>)> = Vec::new();
    for (name, others) in map {
        let first = names.len();
        names.push(name.as_bytes().to_vec());
        let mut found = Vec::new();
        for other in others.as_array().ok_or_else(|| odd(file, "an object with lists"))? {
            let (name, alike) = match other {
                Value::String(name) => (name, Alike::Unknown),
                Value::Array(pair) => match pair.as_slice() {
                    [Value::String(name), score] => {
                        (name, alike(score).ok_or_else(|| odd(file, "pairs with scores"))?)
                    }
                    _ => return Err(odd(file, "pairs with scores")),
                },
                _ => return Err(odd(file, "lists")),
            };
            found.push((names.len(), alike));
            names.push(name.as_bytes().to_vec());
        }
        rows.push((first, found));
    }
    let samples = target.samples(file, &names, read)?;
    let mut detector = Detector::new("duplicate", "Another file is the same or nearly (imagededup)");
    let mut groups = Groups::default();
    for (first, others) in rows {
        let Some(id) = samples[first] else { continue };
        let related: Vec<(SampleId, f32)> = others
            .iter()
            .filter_map(|(index, alike)| {
                Some((samples[*index].filter(|other| *other != id)?, similarity(*alike)))
            })
            .collect();
        related.iter().for_each(|(other, _)| groups.join(id, *other));
        // Also those that are not in the dataset.
        let others: Vec<(usize, Alike)> =
            others.into_iter().filter(|(index, _)| samples[*index] != Some(id)).collect();
        let nearest = others.iter().map(|(_, alike)| similarity(*alike)).fold(0.0, f32::max);
        let reason = related.first().map(|(other, _)| {
            let path = safe_path(target.manifest.path(*other));
            let others = counted(related.len() as u64, "copy", "copies");
            format!("imagededup finds {others}, such as {path}")
        });
        let issue = Issue {
            score: if others.is_empty() { 1.0 } else { 1.0 - nearest },
            reason: reason.unwrap_or_default(),
            related,
            ..Issue::default()
        };
        detector.add(id, issue, !others.is_empty());
    }
    set_groups(&mut detector, groups);
    read.detectors.push(detector);
    Ok(())
}

fn alike(score: &Value) -> Option<Alike> {
    let number = match score {
        Value::Number(number) => number.clone(),
        // Older versions write numbers of NumPy as text.
        Value::String(text) => serde_json::from_str(text).ok()?,
        _ => return None,
    };
    let value = number.as_f64()? as f32;
    Some(if number.is_f64() { Alike::Cosine(value) } else { Alike::Distance(value) })
}

fn similarity(alike: Alike) -> f32 {
    match alike {
        Alike::Distance(distance) => (1.0 - distance / BITS).clamp(0.0, 1.0),
        Alike::Cosine(cosine) => cosine.clamp(0.0, 1.0),
        Alike::Unknown => 1.0 - FLAGGED,
    }
}
