//! The leak report: a table of pairs and a summary, compatible with existing leak scripts.

use super::{Found, Leak, Method, Side};
use crate::{Error, Result};
use chaffinch_data::atomic;
use chaffinch_data::output;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Counts of pairs and images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Counts {
    /// Training images.
    pub train_images: usize,
    /// Test images.
    pub test_images: usize,
    /// Training images that could not be compared; see [`Counts::status`].
    pub train_unknown: usize,
    /// Test images that could not be compared.
    pub test_unknown: usize,
    /// `leaks_found`, `no_leaks_found`, or `unknown` if none was found but images could not be compared.
    pub status: &'static str,
    /// Pairs.
    pub pairs: usize,
    /// Training images in at least one pair.
    pub leaked_train_images: usize,
    /// Test images in at least one pair.
    pub leaked_test_images: usize,
    /// Percentage of all test images that are in at least one pair.
    pub leaked_test_percent: f64,
    /// Pairs by method.
    pub by_method: BTreeMap<&'static str, usize>,
    /// Pairs by kind of leak.
    pub by_leak_type: BTreeMap<&'static str, usize>,
    /// Pairs by how alike their pictures are; see [`super::Likeness`].
    pub by_likeness: BTreeMap<&'static str, usize>,
    /// The minimum cosine of embeddings that counted, if they were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semantic_cut: Option<f32>,
}

impl Counts {
    /// Counts what these methods found.
    pub fn new(found: &Found, train: Side<'_>, test: Side<'_>, methods: &BTreeSet<Method>) -> Counts {
        let leaks = &found.leaks;
        let images = |side: fn(&Leak) -> u32| leaks.iter().map(side).collect::<BTreeSet<u32>>().len();
        let leaked_test_images = images(|leak| leak.test.0);
        let (train_unknown, test_unknown) = (train.unknown(methods), test.unknown(methods));
        let mut counts = Counts {
            train_images: train.manifest.len(),
            test_images: test.manifest.len(),
            train_unknown,
            test_unknown,
            status: match (leaks.len(), train_unknown + test_unknown) {
                (0, 0) => "no_leaks_found",
                (0, _) => "unknown",
                _ => "leaks_found",
            },
            pairs: leaks.len(),
            leaked_train_images: images(|leak| leak.train.0),
            leaked_test_images,
            leaked_test_percent: 100.0 * leaked_test_images as f64 / test.manifest.len().max(1) as f64,
            by_method: BTreeMap::new(),
            by_leak_type: BTreeMap::new(),
            by_likeness: BTreeMap::new(),
            semantic_cut: found.semantic_cut,
        };
        for leak in leaks {
            *counts.by_method.entry(method(leak)).or_default() += 1;
            *counts.by_leak_type.entry(leak_type(leak)).or_default() += 1;
            *counts.by_likeness.entry(leak.likeness.name()).or_default() += 1;
        }
        counts
    }
}

/// The names used in such reports. Bytes are compared by BLAKE3 here, which makes no difference.
fn method(leak: &Leak) -> &'static str {
    match leak.method {
        Method::Exact => "md5_exact",
        Method::Perceptual => "phash",
        Method::Semantic => "clip_features",
    }
}

/// The method that a report calls by this name, as the command line calls it.
pub fn method_named(name: &str) -> &str {
    match name {
        "md5_exact" => "exact",
        "phash" => "perceptual",
        "clip_features" => "semantic",
        other => other,
    }
}

fn leak_type(leak: &Leak) -> &'static str {
    match (leak.method, leak.distance) {
        (Method::Exact, _) | (Method::Perceptual, Some(0)) => "exact_duplicate",
        (Method::Semantic, _) if leak.similarity < 0.99 => "semantic_duplicate",
        _ => "near_duplicate",
    }
}

/// Writes the pairs: `train_image,test_image,method,similarity,leak_type,hamming_distance,likeness`; or, if there are none, one
/// row of `status,train_images,test_images`. If images could not be compared, that status is `unknown`, and
/// `train_unknown,test_unknown` say how many. Paths are absolute and keep their bytes.
///
/// # Errors
/// When the target is inside one of the sets, or cannot be written.
pub fn write_csv(
    target: &Path,
    leaks: &[Leak],
    counts: &Counts,
    train: Side<'_>,
    test: Side<'_>,
) -> Result<()> {
    outside(target, train, test)?;
    atomic::write(target, |out| {
        let mut table = csv::Writer::from_writer(out);
        if leaks.is_empty() {
            let all = [
                ("status", counts.status.to_owned()),
                ("train_images", counts.train_images.to_string()),
                ("test_images", counts.test_images.to_string()),
                ("train_unknown", counts.train_unknown.to_string()),
                ("test_unknown", counts.test_unknown.to_string()),
            ];
            let known = counts.train_unknown + counts.test_unknown == 0;
            let columns = if known { &all[..3] } else { &all[..] };
            table.write_record(columns.iter().map(|(heading, _)| heading))?;
            table.write_record(columns.iter().map(|(_, value)| value))?;
            return table.flush();
        }
        table.write_record([
            "train_image",
            "test_image",
            "method",
            "similarity",
            "leak_type",
            "hamming_distance",
            "likeness",
        ])?;
        for leak in leaks {
            table.write_record([
                train.manifest.full_path(leak.train).as_os_str().as_bytes(),
                test.manifest.full_path(leak.test).as_os_str().as_bytes(),
                method(leak).as_bytes(),
                format!("{:?}", leak.similarity).as_bytes(),
                leak_type(leak).as_bytes(),
                leak.distance.map_or_else(String::new, |bits| bits.to_string()).as_bytes(),
                leak.likeness.name().as_bytes(),
            ])?;
        }
        table.flush()
    })
}

/// The path of the summary of a report: `report_summary.txt` beside `report.csv`.
pub fn summary_path(report: &Path) -> PathBuf {
    let mut name = OsString::from(report.file_stem().unwrap_or_default());
    name.push("_summary.txt");
    report.with_file_name(name)
}

/// Writes the counts as text.
///
/// # Errors
/// When the target is inside one of the sets, or cannot be written.
pub fn write_summary(target: &Path, counts: &Counts, train: Side<'_>, test: Side<'_>) -> Result<()> {
    outside(target, train, test)?;
    atomic::write(target, |out| write_words(out, counts, train, test))
}

fn write_words(out: &mut impl Write, counts: &Counts, train: Side<'_>, test: Side<'_>) -> io::Result<()> {
    let root = |side: Side<'_>| chaffinch_protocol::display::safe_path(side.manifest.root()).to_string();
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    writeln!(out, "Leaks between {} and {}", root(train), root(test))?;
    writeln!(out)?;
    writeln!(out, "Training images: {}", counts.train_images)?;
    writeln!(out, "Test images: {}", counts.test_images)?;
    if counts.train_unknown + counts.test_unknown > 0 {
        writeln!(out, "Training images that could not be compared: {}", counts.train_unknown)?;
        writeln!(out, "Test images that could not be compared: {}", counts.test_unknown)?;
    }
    writeln!(out, "Total leaks (pairs): {}", counts.pairs)?;
    writeln!(out, "Leaked test images: {}", counts.leaked_test_images)?;
    writeln!(out, "Leaked training images: {}", counts.leaked_train_images)?;
    writeln!(out, "Leak rate by image: {:.2}%", counts.leaked_test_percent)?;
    writeln!(out, "Leak rate by pair: {:.2}%", percent(counts.pairs, counts.test_images))?;
    if let Some(cut) = counts.semantic_cut {
        writeln!(out, "Least cosine of embeddings that counts: {cut:.4}")?;
    }
    for (heading, parts) in [
        ("Pairs by method", &counts.by_method),
        ("Pairs by kind", &counts.by_leak_type),
        ("Pairs by likeness at a second look", &counts.by_likeness),
    ] {
        writeln!(out)?;
        writeln!(out, "{heading}:")?;
        for (name, pairs) in parts {
            writeln!(out, "  {name}: {pairs} ({:.1}%)", percent(*pairs, counts.pairs))?;
        }
    }
    for (name, side) in [("training", train), ("test", test)] {
        if !side.ledger.is_empty() {
            writeln!(out)?;
            writeln!(out, "How the {name} set was read:")?;
            side.ledger.remarks.iter().try_for_each(|remark| writeln!(out, "  {}", remark.text))?;
        }
    }
    Ok(())
}

fn outside(target: &Path, train: Side<'_>, test: Side<'_>) -> Result<()> {
    if target.file_name().is_none() {
        return Err(Error::Invalid(format!("{} is not a file name", target.display())));
    }
    output::outside(train.manifest.root(), target)?;
    output::outside(test.manifest.root(), target)
}
