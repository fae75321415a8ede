//! Properties of pictures that say nothing of what they show: from the files' metadata, from a look at some of the pictures,
//! and from detectors.

use super::look::Inputs;
use crate::Result;
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::job::Job;
use chaffinch_data::pictures;
use chaffinch_protocol::sample::SampleId;
use rayon::prelude::*;

/// Pictures that are read, evenly spaced over the dataset.
const READ: usize = 2_000;
/// Pixels of a picture that are looked at, about: every so many-th row and column.
const LOOKED_AT: f64 = 65_536.0;

/// A property: its name, and its value for each sample, NaN where it is unknown.
pub(super) struct Property {
    pub(super) name: String,
    pub(super) values: Vec<f64>,
}

/// What is measured of pixels.
const OF_PIXELS: [&str; 6] = ["brightness", "darkest", "brightest", "contrast", "colorfulness", "sharpness"];

/// All properties.
pub(super) fn properties(inputs: &Inputs<'_>, job: &Job<'_>) -> Result<Vec<Property>> {
    let mut all = of_files(inputs);
    all.extend(of_pixels(inputs, job)?);
    for (detector, result) in inputs.results.iter().filter(|(_, result)| result.record().imported.is_empty())
    {
        for name in result.attributes() {
            let value = |row: usize| result.attribute(name, SampleId(row as u32)).map_or(f64::NAN, f64::from);
            let values = (0..inputs.manifest.len()).map(value).collect();
            all.push(Property { name: format!("{detector}.{name}"), values });
        }
    }
    Ok(all)
}

fn of_files(inputs: &Inputs<'_>) -> Vec<Property> {
    let metadata = inputs.file_metadata;
    let values = |of: fn(f64, f64, f64) -> f64| -> Vec<f64> {
        let value = |row: usize| {
            if row >= metadata.len() || !metadata.decodable(SampleId(row as u32)) {
                return f64::NAN;
            }
            let size = metadata.dimensions.get(row);
            let (width, height) = (f64::from(size.width), f64::from(size.height));
            if width * height > 0.0 { of(width, height, size.bytes as f64) } else { f64::NAN }
        };
        (0..inputs.manifest.len()).map(value).collect()
    };
    let property = |name: &str, values: Vec<f64>| Property { name: name.to_owned(), values };
    vec![
        property("size", values(|width, height, _| (width * height).sqrt())),
        property("aspect_ratio", values(|width, height, _| width / height)),
        property("bytes_per_pixel", values(|width, height, bytes| bytes / (width * height))),
    ]
}

/// A picture that cannot be read any more has no properties.
fn of_pixels(inputs: &Inputs<'_>, job: &Job<'_>) -> Result<Vec<Property>> {
    let manifest = inputs.manifest;
    let known: Vec<SampleId> = manifest
        .ids()
        .filter(|id| id.index() < inputs.file_metadata.len() && inputs.file_metadata.decodable(*id))
        .collect();
    let take = known.len().min(READ);
    let measured = |at: usize| -> Result<(SampleId, Option<[f64; 6]>)> {
        job.checkpoint()?;
        let id = known[at * known.len() / take];
        let decoded = pictures::decode(&manifest.source(id), manifest.rendering());
        Ok((id, decoded.ok().and_then(|decoded| measure(&decoded.image))))
    };
    let found: Vec<(SampleId, Option<[f64; 6]>)> =
        (0..take).into_par_iter().map(measured).collect::<Result<_>>()?;
    let property = |(at, name): (usize, &&str)| {
        let mut values = vec![f64::NAN; manifest.len()];
        for (id, numbers) in &found {
            values[id.index()] = numbers.map_or(f64::NAN, |numbers| numbers[at]);
        }
        Property { name: (*name).to_owned(), values }
    };
    Ok(OF_PIXELS.iter().enumerate().map(property).collect())
}

/// Mean, 5th and 99th percentile and deviation of the brightness, the mean distance of a pixel's channels, and the mean step
/// between neighboring pixels in multiples of the deviation: 0 to 1 but for the last.
fn measure(image: &RgbImage) -> Option<[f64; 6]> {
    let (width, height) = image.dimensions();
    let step = (f64::from(width) * f64::from(height) / LOOKED_AT).sqrt().ceil().max(1.0) as u32;
    let light = |x: u32, y: u32| {
        let [r, g, b] = image.get_pixel(x, y).0.map(f64::from);
        (0.241 * r * r + 0.691 * g * g + 0.068 * b * b).sqrt() / 255.0
    };
    let mut all = Vec::new();
    let (mut colors, mut steps, mut pairs) = (0.0, 0.0, 0.0);
    for y in (0..height).step_by(step as usize) {
        for x in (0..width).step_by(step as usize) {
            let own = light(x, y);
            let channels = image.get_pixel(x, y).0;
            let (least, most) = (channels.iter().min()?, channels.iter().max()?);
            colors += f64::from(most - least) / 255.0;
            if x + 1 < width {
                steps += (light(x + 1, y) - own).abs();
                pairs += 1.0;
            }
            all.push(own);
        }
    }
    let count = all.len() as f64;
    let mean = all.iter().sum::<f64>() / count;
    let deviation = (all.iter().map(|own| (own - mean).powi(2)).sum::<f64>() / count).sqrt();
    all.sort_by(f64::total_cmp);
    let at = |share: f64| all.get((share * (count - 1.0)) as usize).copied();
    let sharpness = if deviation > 0.0 && pairs > 0.0 { steps / pairs / deviation } else { 0.0 };
    Some([mean, at(0.05)?, at(0.99)?, deviation, colors / count, sharpness])
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_compute::image::RgbImage;

    fn picture(of: impl Fn(u32, u32) -> [u8; 3]) -> [f64; 6] {
        let mut image = RgbImage::new(40, 30);
        image.enumerate_pixels_mut().for_each(|(x, y, pixel)| pixel.0 = of(x, y));
        measure(&image).unwrap()
    }

    #[test]
    fn a_property_follows_what_it_is_named_after() {
        let [gray, darkest, brightest, contrast, color, sharp] = picture(|_, _| [128; 3]);
        assert!((gray - 128.0 / 255.0).abs() < 1e-9 && (darkest - brightest).abs() < 1e-9);
        assert!(contrast < 1e-9 && color < 1e-9 && sharp < 1e-9);
        assert!(picture(|_, _| [250, 10, 10])[4] > 0.9);
        let fine = picture(|x, _| if x % 2 == 0 { [255; 3] } else { [0; 3] });
        let coarse = picture(|x, _| if x < 20 { [255; 3] } else { [0; 3] });
        assert!(fine[5] > 10.0 * coarse[5] && (fine[3] - coarse[3]).abs() < 1e-9);
        assert!(measure(&RgbImage::new(0, 0)).is_none());
    }
}
