//! Clusters of duplicates: leaks between splits, and one picture under several labels.

use super::super::detector::{Detector, FLAGGED};
use super::super::{Read, Target, file_name, json};
use crate::{Error, Result};
use chaffinch_data::issue::Issue;
use chaffinch_protocol::display::{counted, excerpt};
use chaffinch_protocol::sample::{SampleId, Split};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The clusters of a file, if it has any: a list of them, or one under any key.
pub(super) fn of(value: &Value) -> Option<&[Value]> {
    let members = |cluster: &Value| {
        cluster.get("images").or_else(|| cluster.get("members")).is_some_and(Value::is_array)
    };
    let clusters = |list: &&Vec<Value>| !list.is_empty() && list.iter().all(members);
    match value {
        Value::Array(all) => Some(all).filter(clusters).map(Vec::as_slice),
        Value::Object(map) => map.values().filter_map(Value::as_array).find(clusters).map(Vec::as_slice),
        _ => None,
    }
}

/// One image of a cluster.
struct Member {
    cluster: usize,
    label: String,
    split: Split,
}

pub(super) fn read(file: &Path, clusters: &[Value], target: &Target<'_>, read: &mut Read) -> Result<()> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut members: Vec<Member> = Vec::new();
    let ids: Vec<String> = clusters
        .iter()
        .enumerate()
        .map(|(number, cluster)| {
            let id = json::text(cluster.get("cluster_id").or_else(|| cluster.get("id")));
            if id.is_empty() { number.to_string() } else { id }
        })
        .collect();
    for (number, cluster) in clusters.iter().enumerate() {
        let images = cluster.get("images").or_else(|| cluster.get("members")).and_then(Value::as_array);
        for image in images.into_iter().flatten() {
            let get = |names: &[&str]| json::text(names.iter().find_map(|name| image.get(*name)));
            let path = match image {
                Value::String(path) => path.clone(),
                _ => get(&["path", "image_path", "filename"]),
            };
            let path = if path.is_empty() { get(&["id", "image_id"]) } else { path };
            if path.is_empty() {
                let id = excerpt(&ids[number]).into_owned();
                return Err(Error::format(
                    file,
                    format!("an image of cluster {id} has neither a path nor an id"),
                ));
            }
            members.push(Member {
                cluster: number,
                label: get(&["label", "class", "category"]),
                split: of_path(&path),
            });
            names.push(path.into_bytes());
        }
    }
    let samples = target.samples(file, &names, read)?;
    let manifest = target.manifest;
    for (member, sample) in members.iter_mut().zip(&samples) {
        let Some(id) = *sample else { continue };
        if manifest.split(id) != Split::None {
            member.split = manifest.split(id);
        }
        if member.label.is_empty() {
            manifest.label_name(id).clone_into(&mut member.label);
        }
    }
    let mut duplicate = Detector::new("duplicate", "Another image is the same or nearly (Visual Layer)");
    let mut leak = Detector::new("leak", "The image is in the training set, too (Visual Layer)");
    let mut labels = Detector::new("multi-label", "Images of one cluster have several labels (Visual Layer)");
    duplicate.groups = true;
    let mut by_cluster: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, member) in members.iter().enumerate() {
        by_cluster.entry(member.cluster).or_default().push(index);
    }
    let (mut leaks, mut different, mut several) = (0_u64, 0_u64, 0_u64);
    for (cluster, indices) in by_cluster.iter().filter(|(_, indices)| indices.len() > 1) {
        let id = excerpt(&ids[*cluster]).into_owned();
        let all = || indices.iter().map(|&index| &members[index]);
        let names: BTreeSet<&str> =
            all().map(|member| member.label.as_str()).filter(|label| !label.is_empty()).collect();
        let is_leak =
            all().any(|member| member.split == Split::Train) && all().any(|member| held_out(member.split));
        leaks += u64::from(is_leak);
        different += u64::from(is_leak && names.len() > 1);
        several += u64::from(names.len() > 1);
        let of_names = names.iter().map(|name| excerpt(name).into_owned()).collect::<Vec<_>>().join(", ");
        for &index in indices {
            let Some(sample) = samples[index] else { continue };
            let others = indices.iter().filter_map(|&other| samples[other]).filter(|other| *other != sample);
            let related: Vec<(SampleId, f32)> = others.map(|other| (other, 1.0 - FLAGGED)).collect();
            let add = |detector: &mut Detector, reason: String| {
                let group = Some(*cluster as u32);
                let related = related.clone();
                detector.add(
                    sample,
                    Issue { score: FLAGGED, group, related, reason, ..Issue::default() },
                    true,
                );
            };
            let images = counted(indices.len() as u64, "image", "images");
            add(&mut duplicate, format!("Visual Layer has it in cluster {id} of {images}"));
            if is_leak && held_out(members[index].split) {
                let with = if names.len() > 1 { "another label" } else { "the same label" };
                add(&mut leak, format!("cluster {id} has it in the training set, too, with {with}"));
            }
            if names.len() > 1 {
                add(&mut labels, format!("images of cluster {id} have the labels {of_names}"));
            }
        }
    }
    read.notes.push(format!(
        "{}: {}; {} in training and in other splits ({} with one label, {different} with several); {} several labels",
        file_name(file),
        counted(by_cluster.len() as u64, "cluster", "clusters"),
        counted(leaks, "is", "are"),
        leaks - different,
        counted(several, "has", "have"),
    ));
    let listed: Vec<SampleId> = samples.iter().flatten().copied().collect();
    for mut detector in [duplicate, leak, labels] {
        detector.rest_is_fine(listed.iter().copied());
        read.detectors.push(detector);
    }
    Ok(())
}

/// Whether a split must not share images with the training set.
fn held_out(split: Split) -> bool {
    !matches!(split, Split::None | Split::Train)
}

/// The split that a folder of a path names.
fn of_path(path: &str) -> Split {
    let folders = path.split(['/', '\\']).rev().skip(1);
    folders.filter_map(crate::dataset::split_named).next().unwrap_or_default()
}
