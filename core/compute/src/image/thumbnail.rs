//! Thumbnails.

use super::resample::{Filter, resize};
use image::RgbImage;

/// The picture scaled down to fit into `max_width` x `max_height`, preserving its aspect ratio. Never enlarged.
pub fn fit(image: &RgbImage, max_width: u32, max_height: u32) -> RgbImage {
    let (width, height) = fitted(image.width(), image.height(), max_width.max(1), max_height.max(1));
    if (width, height) == image.dimensions() {
        return image.clone();
    }
    // A much larger picture is first averaged down to three times the size, which looks the same as using the filter
    // throughout, but takes a fraction of the time.
    let (rough_width, rough_height) = (width.saturating_mul(3), height.saturating_mul(3));
    if image.width() / 2 > rough_width && image.height() / 2 > rough_height {
        let rough = resize(image, rough_width, rough_height, Filter::Box);
        return resize(&rough, width, height, Filter::Lanczos);
    }
    resize(image, width, height, Filter::Lanczos)
}

/// The picture with at most `side` pixels on its longer side; `None` if it is not larger, or `side` is 0.
pub fn smaller(image: &RgbImage, side: u32) -> Option<RgbImage> {
    (side > 0 && image.width().max(image.height()) > side).then(|| fit(image, side, side))
}

/// The size that fits, at least one pixel each way.
fn fitted(width: u32, height: u32, max_width: u32, max_height: u32) -> (u32, u32) {
    if width <= max_width && height <= max_height {
        return (width, height);
    }
    let scale = |length: u32, to: u32, from: u32| {
        let (length, to, from) = (u64::from(length), u64::from(to), u64::from(from));
        (((length * to * 2 + from) / (2 * from)) as u32).max(1)
    };
    if u64::from(max_width) * u64::from(height) <= u64::from(max_height) * u64::from(width) {
        (max_width, scale(height, max_width, width).min(max_height))
    } else {
        (scale(width, max_height, height).min(max_width), max_height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn proportions_are_kept() {
        assert_eq!(fitted(400, 300, 100, 100), (100, 75));
        assert_eq!(fitted(300, 400, 100, 100), (75, 100));
        assert_eq!(fitted(32, 32, 100, 100), (32, 32));
        assert_eq!(fitted(10_000, 1, 100, 100), (100, 1));
    }

    #[test]
    fn a_flat_picture_stays_flat() {
        let image = RgbImage::from_pixel(1000, 800, image::Rgb([10, 200, 90]));
        let small = fit(&image, 40, 40);
        assert_eq!(small.dimensions(), (40, 32));
        assert!(small.pixels().all(|pixel| pixel.0 == [10, 200, 90]));
        assert_eq!(fit(&small, 400, 400), small);
    }

    proptest! {
        #[test]
        fn it_always_fits(width in 1_u32..5000, height in 1_u32..5000, w in 1_u32..500, h in 1_u32..500) {
            let (new_width, new_height) = fitted(width, height, w, h);
            prop_assert!(new_width >= 1 && new_height >= 1 && new_width <= w.min(width) && new_height <= h.min(height));
            prop_assert!(new_width == w || new_height == h || (new_width, new_height) == (width, height));
        }
    }
}
