//! The depths of a dataset's 16-bit pictures, which must be known before the first of them is shown.

use super::known::Known;
use super::unfinished::Recovered;
use crate::file_metadata::FileMetadata;
use crate::manifest::Manifest;
use crate::{Error, Result};
use chaffinch_compute::image::decode::{Depths, Remark, depth_of};
use chaffinch_compute::job::Job;
use chaffinch_protocol::sample::SampleId;
use chaffinch_sources::Kind;
use rayon::prelude::*;
use std::ffi::OsStr;
use std::io::BufReader;
use std::path::Path;

/// Extensions of files that may have 16 bits per channel.
const DEEP: [&str; 5] = ["png", "apng", "tif", "tiff", "btf"];

/// Finds the depths of all 16-bit pictures. Only these are decoded, and those that were read before and have not changed
/// are not even opened. The order of files does not matter.
///
/// # Errors
/// Only when stopped.
pub fn depths(
    manifest: &Manifest,
    previous: Option<(&Manifest, &FileMetadata)>,
    job: &Job<'_>,
) -> Result<Depths> {
    let known = Known::new(manifest, previous, None, Recovered::default());
    let one = |row: u32| {
        if job.stopped() {
            return Err(Error::Stopped);
        }
        let id = SampleId(row);
        if !may_be_deep(manifest.path(id)) {
            return Ok(None);
        }
        let source = manifest.source(id);
        let Some(stamp) = source.stamp().ok().filter(|stamp| stamp.kind == Kind::Bytes) else {
            return Ok(None);
        };
        let found = known.row(id, stamp);
        Ok(match found {
            Some(known) => known.row.remarks.iter().find_map(|remark| match remark {
                Remark::Deep { bits, .. } => Some(*bits),
                _ => None,
            }),
            None if stamp.is_too_large() => None,
            None => source.open().ok().and_then(|bytes| depth_of(BufReader::new(bytes))),
        })
    };
    let used: Vec<Option<u8>> = (0..manifest.len() as u32).into_par_iter().map(one).collect::<Result<_>>()?;
    let mut depths = Depths::default();
    used.into_iter().flatten().for_each(|bits| depths.add(bits));
    Ok(depths)
}

fn may_be_deep(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| DEEP.iter().any(|deep| extension.eq_ignore_ascii_case(deep)))
}
