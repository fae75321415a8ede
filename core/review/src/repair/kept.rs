//! Which copies are whole, and what each has kept of the picture.

use chaffinch_compute::image::decode::Remark;
use chaffinch_compute::image::source;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::pictures;
use chaffinch_likeness::{EXAMINED, Standing, Stored, examine, sharper_ones};
use chaffinch_protocol::sample::SampleId;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What a copy has kept of the picture: more is better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kept {
    standing: Standing,
    /// The part of it that is lost, as the bits of a share.
    lost: Reverse<u32>,
}

impl Kept {
    /// Only what shows in the picture.
    pub(super) fn in_sight(&self) -> Standing {
        self.standing.in_sight()
    }
}

/// What was seen of a copy.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Looked {
    pub(super) kept: Kept,
    /// How many others have more detail.
    pub(super) sharper: usize,
}

/// What is seen of each member of a group. Pictures that cannot be read have nothing.
pub(super) fn look_at(
    manifest: &Manifest,
    file_metadata: &FileMetadata,
    group: &[SampleId],
) -> BTreeMap<SampleId, Looked> {
    let examined = |id: SampleId| {
        let mut record = vec![0; EXAMINED];
        if let Ok(decoded) = pictures::decode(&manifest.source(id), manifest.rendering()) {
            let (width, height) = decoded.image.dimensions();
            let stored = Stored {
                orientation: decoded.stored.orientation.into(),
                animated: decoded.stored.animated,
                cmyk: decoded.stored.channels == source::Stored::PRINT,
            };
            examine(decoded.image.as_raw(), width as usize, height as usize, stored, &mut record);
        }
        record
    };
    let all: Vec<(SampleId, Vec<u8>)> = group.iter().map(|&id| (id, examined(id))).collect();
    let kept = |(id, own): &(SampleId, Vec<u8>)| {
        let others = || all.iter().filter(|(other, _)| other != id).map(|(_, record)| record.as_slice());
        let standing = Standing::among(own, others().map(|record| (record, 1)));
        let lost = damage(file_metadata, *id).unwrap_or(0.0);
        // Of positive numbers, the bits are in the order of the numbers.
        let kept = Kept { standing, lost: Reverse(lost.to_bits()) };
        (*id, Looked { kept, sharper: sharper_ones(own, others()) })
    };
    all.iter().map(kept).collect()
}

/// Whether decoding found nothing lost of a picture, be it known how much or not.
pub fn is_whole(file_metadata: &FileMetadata, id: SampleId) -> bool {
    damage(file_metadata, id).is_none()
}

/// The part of a picture that is lost, if any is; loss of detail counts half.
fn damage(file_metadata: &FileMetadata, id: SampleId) -> Option<f32> {
    let share = |remark: &Remark| match remark {
        Remark::Damaged(damage) => {
            Some(if damage.detail { damage.share / 2.0 } else { damage.share }.clamp(0.0, 1.0))
        }
        _ => None,
    };
    let remarks = file_metadata.remarks.get(&id).map_or(&[][..], Vec::as_slice);
    remarks.iter().filter_map(share).reduce(f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_compute::image::RgbImage;
    use chaffinch_compute::image::decode::Damage;
    use chaffinch_data::manifest::NewSample;
    use chaffinch_protocol::sample::Split;

    #[test]
    fn colors_and_those_that_others_share_and_the_less_damaged_come_first() {
        let temp = tempfile::tempdir().unwrap();
        let changes: [fn([u8; 3]) -> [u8; 3]; 4] =
            [|rgb| rgb, |[r, g, b]| [r + 1, g, b], |[r, g, b]| [b, r, g], |[_, g, _]| [g; 3]];
        for (number, change) in changes.into_iter().enumerate() {
            let picture = RgbImage::from_fn(64, 64, |x, y| {
                let wave = ((x / 6 * 3 + y / 6 * 5) % 17 * 10) as u8;
                change([60 + wave / 2, 20 + wave / 2, 90 + wave / 2]).into()
            });
            picture.save(temp.path().join(format!("{number}.png"))).unwrap();
        }
        let rows = (0..5).map(|number| NewSample {
            path: format!("{number}.png").into(),
            label: None,
            split: Split::None,
        });
        let manifest = Manifest::new(temp.path(), rows);
        let ids: Vec<SampleId> = manifest.ids().collect();
        let mut file_metadata = FileMetadata::default();
        let damage = Damage { share: 0.1, from: 0.9, at_end: true, garbled: false, detail: false };
        file_metadata.remarks.insert(ids[1], vec![Remark::Damaged(damage)]);
        let kept = look_at(&manifest, &file_metadata, &ids);
        let better = |one: usize, other: usize| kept[&ids[one]].kept > kept[&ids[other]].kept;
        assert!(better(0, 2), "two agree");
        assert!(better(2, 3), "gray");
        assert!(better(0, 1), "damaged");
        assert!(!is_whole(&file_metadata, ids[1]) && is_whole(&file_metadata, ids[0]));
        assert!(!better(4, 3), "a file that is not there has no color either");
    }
    /// Of copies of one size, of which a noisy one has the most bytes.
    #[test]
    fn detail_is_what_is_left_of_noise_and_colors_come_before_it() {
        let temp = tempfile::tempdir().unwrap();
        // Noise is measured where nothing else is: patches are larger than the parts that are looked at.
        let level = |x: u32, y: u32| ((x / 36 * 31 + y / 44 * 57) % 160) as u8 + 30;
        let picture = |of: &dyn Fn(u32, u32) -> [u8; 3]| RgbImage::from_fn(180, 180, |x, y| of(x, y).into());
        let color = |x: u32, y: u32| [level(x, y), level(x, y) / 2 + 40, 220 - level(x, y)];
        let noise = |x: u32, y: u32| {
            let mixed = (x * 180 + y).wrapping_mul(2_654_435_761);
            (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519) >> 27
        };
        let noisy = picture(&|x, y| color(x, y).map(|level| level.saturating_add(noise(x, y) as u8)));
        let gray = picture(&|x, y| [color(x, y)[1]; 3]);
        let soft = image::imageops::blur(&picture(&color), 2.0);
        for (number, image) in [picture(&color), noisy, gray, soft].into_iter().enumerate() {
            image.save(temp.path().join(format!("{number}.png"))).unwrap();
        }
        let rows = (0..4).map(|number| NewSample {
            path: format!("{number}.png").into(),
            label: None,
            split: Split::None,
        });
        let manifest = Manifest::new(temp.path(), rows);
        let ids: Vec<SampleId> = manifest.ids().collect();
        let looked = look_at(&manifest, &FileMetadata::default(), &ids);
        let sight = |row: usize| looked[&ids[row]].kept.in_sight();
        assert!(sight(0) > sight(1), "noise");
        assert!(sight(0) > sight(2) && sight(3) > sight(2), "gray");
        let sharper = |row: usize| looked[&ids[row]].sharper;
        assert_eq!((sharper(0), sharper(1), sharper(2)), (0, 0, 0), "noise and gray are as sharp");
        assert_eq!(sharper(3), 3, "blur");
    }
}
