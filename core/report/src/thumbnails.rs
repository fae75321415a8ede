//! The pictures of suspects, small enough for a report.

use crate::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chaffinch_compute::image::{RgbImage, thumbnail};
use chaffinch_compute::job::Job;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::pictures;
use chaffinch_protocol::sample::SampleId;
use image::codecs::jpeg::JpegEncoder;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// JPEG quality: faults can be seen, and thousands of pictures fit into one file.
const QUALITY: u8 = 72;

/// Each sample's picture as JPEG in base64, at most `side` pixels wide and high; empty where there is none.
pub(crate) fn thumbnails(
    manifest: &Manifest,
    samples: &[SampleId],
    side: u32,
    job: &Job<'_>,
) -> Result<Vec<String>> {
    let (done, total) = (AtomicU64::new(0), samples.len() as u64);
    let one = |id: &SampleId| {
        if job.stopped() {
            return Err(Error::Stopped);
        }
        let text = picture(manifest, *id, side).unwrap_or_default();
        job.progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        Ok(text)
    };
    if side == 0 {
        return Ok(vec![String::new(); samples.len()]);
    }
    samples.par_iter().map(one).collect()
}

/// `None` for a file that cannot be read or decoded: the report says so of it elsewhere.
fn picture(manifest: &Manifest, id: SampleId, side: u32) -> Option<String> {
    let decoded = pictures::decode(&manifest.source(id), manifest.rendering()).ok()?;
    jpeg(&thumbnail::fit(&decoded.image, side, side)).map(|bytes| STANDARD.encode(bytes))
}

fn jpeg(image: &RgbImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(image).ok()?;
    Some(bytes)
}
