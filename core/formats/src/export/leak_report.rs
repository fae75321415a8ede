//! Leaks between splits among the clusters of a session: a row for each pair of a training and a held-out picture.

use super::clusters::clusters;
use super::odd_paths::{Are, OddPaths};
use super::{Export, Format, Request, Target, Written};
use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_data::row_keys::ImageIds;
use chaffinch_data::{atomic, class_names};
use chaffinch_protocol::display::counted;
use std::os::unix::ffi::OsStrExt;

pub(super) const FORMAT: Format = Format {
    name: "leak-report",
    summary: "CSV of pictures that are in training and in another split, a row for each pair",
    file_name: "leaks_report.csv",
    target: Target::File,
    stage: None,
    guards: false,
    write,
};

const COLUMNS: [&str; 11] = [
    "cluster_id",
    "leak_type",
    "train_image_path",
    "train_image_id",
    "train_label",
    "val_image_path",
    "val_image_id",
    "val_label",
    "labels_in_cluster",
    "recommended_action",
    "priority",
];

/// The type of a leak, what to do about it, and how urgent that is. With one label, the held-out picture can go; with
/// several, somebody has to say which label is right.
const SAME: [&str; 3] = ["same_label", "REMOVE_VAL", "MEDIUM"];
const DIFFERENT: [&str; 3] = ["different_labels", "REVIEW_MANUAL", "HIGH"];

fn write(export: &Export<'_>, request: &Request, _job: &Job<'_>) -> Result<Written> {
    export.outside(&request.output)?;
    let manifest = export.source.manifest;
    let clusters = clusters(export, &request.finders);
    let (mut leaks, mut different, mut pairs) = (0_u64, 0_u64, 0_u64);
    let mut odd = OddPaths::new(manifest);
    atomic::write(&request.output, |out| {
        let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
        out.write_record(COLUMNS)?;
        let ids = ImageIds::of(manifest);
        for cluster in clusters.iter().filter(|cluster| cluster.is_leak(export)) {
            leaks += 1;
            different += u64::from(cluster.is_multi_label());
            let [kind, action, priority] = if cluster.is_multi_label() { DIFFERENT } else { SAME };
            let number = cluster.number.to_string();
            let labels = cluster.labels.join(",");
            for train in cluster.train(export) {
                for val in cluster.held_out(export) {
                    pairs += 1;
                    [train, val].into_iter().for_each(|id| odd.see(id));
                    let path = |id| manifest.path(id).as_os_str().as_bytes();
                    out.write_record([
                        number.as_bytes(),
                        kind.as_bytes(),
                        path(train),
                        &ids.id(train),
                        &class_names::bytes(manifest.label_name(train)),
                        path(val),
                        &ids.id(val),
                        &class_names::bytes(manifest.label_name(val)),
                        &class_names::bytes(&labels),
                        action.as_bytes(),
                        priority.as_bytes(),
                    ])?;
                }
            }
        }
        out.flush()
    })?;
    let summary = format!(
        "{} ({} with one label, {different} with several), {}",
        counted(leaks, "cluster leaks", "clusters leak"),
        leaks - different,
        counted(pairs, "pair", "pairs")
    );
    let notes = odd.told(Are::Bytes).into_iter().collect();
    Ok(Written { summary: Some(summary), notes, ..Written::file(&request.output) })
}
