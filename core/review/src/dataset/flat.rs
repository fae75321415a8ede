//! Pictures without content: nearly one color.

use super::counts::{percent, plural};
use super::look::Look;
use super::{Found, Kind, Unchecked, because, rising};
use chaffinch_compute::job::Job;
use chaffinch_plugin::is_flat;
use chaffinch_protocol::sample::SampleId;

pub(super) const KIND: Kind = Kind { name: "near_constant", title: "Near-constant pictures", find };

/// The share at which the score is 0.5, and at which it is 0.
const THRESHOLD: f64 = 0.01;
const WORST: f64 = 0.1;

fn find(look: &Look<'_>, _job: &Job<'_>) -> Result<Vec<Found>, Unchecked> {
    let metadata = look.inputs.file_metadata;
    let read: Vec<u32> = (0..look.inputs.manifest.len() as u32)
        .filter(|&row| metadata.decodable(SampleId(row)) && (row as usize) < metadata.len())
        .collect();
    if read.is_empty() {
        return because("no picture could be read");
    }
    let flat = |row: &&u32| is_flat(metadata.phash[**row as usize], metadata.dhash[**row as usize]);
    let flat: Vec<u32> = read.iter().filter(flat).copied().collect();
    if flat.is_empty() {
        return Ok(Vec::new());
    }
    let share = flat.len() as f64 / read.len() as f64;
    let are = if flat.len() == 1 { "is" } else { "are" };
    let pictures = plural(flat.len() as u64, "picture", "pictures");
    let text =
        format!("{pictures} ({}) {are} without edges: one color, or a smooth gradient", percent(share));
    let found = Found::new(rising(share, THRESHOLD, WORST), text);
    Ok(vec![found.figure("pictures", flat.len() as f64).figure("share", share).samples(flat)])
}
