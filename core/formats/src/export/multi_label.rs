//! Clusters of pictures that are the same or nearly and have several labels: a row for each picture.

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
    name: "multi-label",
    summary: "CSV of copies that have several labels, a row for each picture",
    file_name: "multi_label_clusters.csv",
    target: Target::File,
    stage: None,
    guards: false,
    write,
};

const COLUMNS: [&str; 9] = [
    "cluster_id",
    "image_path",
    "image_id",
    "current_label",
    "all_labels_in_cluster",
    "num_different_labels",
    "split",
    "recommended_action",
    "user_tags",
];

fn write(export: &Export<'_>, request: &Request, _job: &Job<'_>) -> Result<Written> {
    export.outside(&request.output)?;
    let manifest = export.source.manifest;
    let clusters = clusters(export, &request.finders);
    let (mut several, mut odd) = (0_u64, OddPaths::new(manifest));
    atomic::write(&request.output, |out| {
        let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
        out.write_record(COLUMNS)?;
        let ids = ImageIds::of(manifest);
        for cluster in clusters.iter().filter(|cluster| cluster.is_multi_label()) {
            several += 1;
            for &id in &cluster.members {
                odd.see(id);
                out.write_record([
                    cluster.number.to_string().as_bytes(),
                    manifest.path(id).as_os_str().as_bytes(),
                    &ids.id(id),
                    &class_names::bytes(manifest.label_name(id)),
                    &class_names::bytes(&cluster.labels.join(",")),
                    cluster.labels.len().to_string().as_bytes(),
                    manifest.split_as_written(id).as_bytes(),
                    b"MANUAL_REVIEW",
                    b"ambiguous_class,needs_review",
                ])?;
            }
        }
        out.flush()
    })?;
    let summary = counted(several, "cluster with several labels", "clusters with several labels");
    let notes = odd.told(Are::Bytes).into_iter().collect();
    Ok(Written { summary: Some(summary), notes, ..Written::file(&request.output) })
}
