//! Which copies have their colors, and are whole.

use chaffinch_compute::image::decode::Remark;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::pictures;
use chaffinch_likeness::{BYTES, agree_in_color, is_colored, sketch};
use chaffinch_protocol::sample::SampleId;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What a copy has kept of the picture: more is better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kept {
    /// Whether it has colors.
    colored: bool,
    /// How many other copies have the same ones: what tells swapped channels.
    shared: usize,
    /// The part of it that is damaged, as the bits of a share.
    damaged: Reverse<u32>,
}

/// What each member of a group has kept. Pictures that cannot be read have no colors.
pub(super) fn kept(
    manifest: &Manifest,
    file_metadata: &FileMetadata,
    group: &[SampleId],
) -> BTreeMap<SampleId, Kept> {
    let sketched = |id: SampleId| {
        let mut record = vec![0; BYTES];
        if let Ok(decoded) = pictures::decode(&manifest.source(id), manifest.rendering()) {
            let (width, height) = decoded.image.dimensions();
            sketch(decoded.image.as_raw(), width as usize, height as usize, &mut record);
        }
        record
    };
    let sketches: Vec<(SampleId, Vec<u8>)> = group.iter().map(|&id| (id, sketched(id))).collect();
    let kept = |(id, own): &(SampleId, Vec<u8>)| {
        let others = sketches.iter().filter(|(other, theirs)| other != id && agree_in_color(own, theirs));
        (
            *id,
            Kept {
                colored: is_colored(own),
                shared: others.count(),
                damaged: Reverse(damage(file_metadata, *id)),
            },
        )
    };
    sketches.iter().map(kept).collect()
}

fn damage(file_metadata: &FileMetadata, id: SampleId) -> u32 {
    let share = |remark: &Remark| match remark {
        Remark::Damaged(damage) => damage.share.clamp(0.0, 1.0),
        _ => 0.0,
    };
    let remarks = file_metadata.remarks.get(&id).map_or(&[][..], Vec::as_slice);
    // Of positive numbers, the bits are in the order of the numbers.
    remarks.iter().map(share).fold(0.0, f32::max).to_bits()
}
