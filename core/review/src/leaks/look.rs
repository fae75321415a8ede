//! A second look at pairs that were found by hashes or embeddings: are they the same picture?

use super::{Leak, Likeness, Method, Side};
use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_data::pictures;
use chaffinch_likeness::{BYTES, Look, compare, sketch};
use chaffinch_protocol::sample::SampleId;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Reads each picture of these pairs once more and writes into each pair how alike its pictures are.
pub(super) fn look_twice(leaks: &mut [Leak], train: Side<'_>, test: Side<'_>, job: &Job<'_>) -> Result<()> {
    let ids = |of: fn(&Leak) -> SampleId| -> BTreeSet<SampleId> {
        leaks.iter().filter(|leak| leak.method != Method::Exact).map(of).collect()
    };
    let train = sketches(train, ids(|leak| leak.train), job)?;
    let test = sketches(test, ids(|leak| leak.test), job)?;
    for leak in leaks.iter_mut().filter(|leak| leak.method != Method::Exact) {
        let both = train.get(&leak.train).zip(test.get(&leak.test));
        leak.likeness = match both.map(|(train, test)| compare(train, test)) {
            Some(Look::SamePixels) => Likeness::SamePixels,
            Some(Look::SamePicture) => Likeness::SamePicture,
            Some(Look::Alike) => Likeness::Alike,
            None => Likeness::Unknown,
        };
    }
    Ok(())
}

/// Small copies of some pictures, without those that cannot be read any more.
fn sketches(side: Side<'_>, ids: BTreeSet<SampleId>, job: &Job<'_>) -> Result<BTreeMap<SampleId, Vec<u8>>> {
    let ids: Vec<SampleId> = ids.into_iter().filter(|&id| side.file_metadata.decodable(id)).collect();
    let sketched = |&id: &SampleId| -> Result<Option<(SampleId, Vec<u8>)>> {
        job.checkpoint()?;
        let decoded = pictures::decode(&side.manifest.source(id), side.manifest.rendering());
        let Ok(picture) = decoded else { return Ok(None) };
        let (width, height) = (picture.image.width() as usize, picture.image.height() as usize);
        let mut record = vec![0; BYTES];
        sketch(picture.image.as_raw(), width, height, &mut record);
        Ok(Some((id, record)))
    };
    let found: Vec<Option<(SampleId, Vec<u8>)>> = ids.par_iter().map(sketched).collect::<Result<_>>()?;
    Ok(found.into_iter().flatten().collect())
}
