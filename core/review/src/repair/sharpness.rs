//! How much detail a picture has.

use chaffinch_data::manifest::Manifest;
use chaffinch_data::pictures;
use chaffinch_protocol::sample::SampleId;

/// The mean square of the Laplacian of the gray values, times the number of pixels: what is scaled up gains pixels and
/// loses detail in each of them. `None` if the picture cannot be read.
pub(super) fn sharpness(manifest: &Manifest, id: SampleId) -> Option<f64> {
    let decoded = pictures::decode(&manifest.source(id), manifest.rendering()).ok()?;
    let image = &decoded.image;
    let (width, height) = (image.width() as usize, image.height() as usize);
    let gray: Vec<i32> = (image.as_raw().chunks_exact(3))
        .map(|p| (299 * i32::from(p[0]) + 587 * i32::from(p[1]) + 114 * i32::from(p[2])) / 1000)
        .collect();
    if width < 3 || height < 3 {
        return Some(0.0);
    }
    let mut sum = 0.0;
    for y in 1..height - 1 {
        let row = |y: usize| &gray[y * width..(y + 1) * width];
        let (above, here, below) = (row(y - 1), row(y), row(y + 1));
        for x in 1..width - 1 {
            let edge = 4 * here[x] - here[x - 1] - here[x + 1] - above[x] - below[x];
            sum += f64::from(edge) * f64::from(edge);
        }
    }
    Some(sum)
}
