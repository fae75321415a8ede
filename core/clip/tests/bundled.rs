//! The models inside the program.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // Helpers of tests fail and tell as tests do.

use chaffinch_clip::{Bundled, DeviceChoice, ModelSource, load};
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::image::RgbImage;

#[test]
fn bundled_models_embed_pictures_and_prompts() {
    for bundled in Bundled::ALL {
        let model = load(&ModelSource::Bundled(bundled), DeviceChoice::Auto).unwrap();
        assert_eq!(model.name(), bundled.name());
        let image = RgbImage::from_fn(50, 40, |x, y| image::Rgb([(x * 5) as u8, (y * 6) as u8, 90]));
        let pixels = model.preprocess(&image);
        assert_eq!(pixels.len(), model.input_len());
        let vector = model.embed_images(&pixels, 1).unwrap();
        let texts = model.embed_texts(&["a photo of a cat", "a photo of a truck", ""]).unwrap();
        assert_eq!((vector.len(), texts.len()), (model.dim(), 3 * model.dim()));
        for row in vector.chunks(model.dim()).chain(texts.chunks(model.dim())) {
            let length: f32 = row.iter().map(|x| x * x).sum();
            assert!((length - 1.0).abs() < 1e-5, "{length}");
        }
        assert!(model.logit_scale() > 1.0);
        assert!(model.embed_images(&pixels, 2).is_err());
        assert!(model.embed_images(&[], 0).unwrap().is_empty());
        let again = load(&ModelSource::Bundled(bundled), DeviceChoice::Cpu).unwrap();
        assert_eq!(again.fingerprint(), model.fingerprint());
    }
}

/// Rates on this machine; run with `--ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn rate_of_the_small_model() {
    rate(Bundled::Small, 32, 1024);
}

#[test]
#[ignore = "a measurement"]
fn rate_of_the_photo_model() {
    rate(Bundled::Photo, 224, 64);
}

fn rate(bundled: Bundled, side: u32, count: usize) {
    let model = load(&ModelSource::Bundled(bundled), DeviceChoice::Cpu).unwrap();
    let image = RgbImage::from_fn(side, side, |x, y| image::Rgb([(x * 5) as u8, (y * 6) as u8, 90]));
    let pixels = model.preprocess(&image).repeat(count);
    let start = std::time::Instant::now();
    model.embed_images(&pixels, count).unwrap();
    let rate = count as f64 / start.elapsed().as_secs_f64();
    println!("{bundled}: {rate:.0} images/s on {}", model.device());
}
