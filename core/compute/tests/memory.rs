//! Every picture takes less memory than it was admitted with: allocations are counted byte by byte.
#![allow(unsafe_code)] // An allocator that counts can only be written so.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_compute::image::decode::{Ground, decode, decode_on};
use chaffinch_compute::memory::shares;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Cursor;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The system's allocator, with a count of what is taken now and was taken at most.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn add(bytes: usize) {
    MOST.fetch_max(NOW.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: everything is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // In place, as the system's allocator does it with what is large.
        if size > layout.size() {
            add(size - layout.size());
        } else {
            NOW.fetch_sub(layout.size() - size, Relaxed);
        }
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SIDE: (u32, u32) = (1600, 1200);

fn noise(x: u32, y: u32) -> u8 {
    (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503).wrapping_add(x * y)).to_le_bytes()[1]
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG with the orientation of a picture that was taken upright, in its metadata.
fn turned(bytes: &[u8]) -> Vec<u8> {
    let exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&bytes[..2], &[0xff, 0xe1], &length, exif, &bytes[2..]].concat()
}

fn pictures() -> Vec<(String, Vec<u8>)> {
    let (width, height) = SIDE;
    let rgb = RgbImage::from_fn(width, height, |x, y| Rgb([noise(x, y), x as u8, noise(y, x)]));
    let rgba = ImageBuffer::from_fn(width, height, |x, y| Rgba([noise(x, y), x as u8, y as u8, noise(y, x)]));
    let gray = ImageBuffer::from_fn(width, height, |x, y| Luma([noise(x, y)]));
    let gray_alpha = ImageBuffer::from_fn(width, height, |x, y| LumaA([noise(x, y), noise(y, x)]));
    let deep = |x, y| u16::from(noise(x, y)) * 257;
    let rgb16 = ImageBuffer::from_fn(width, height, |x, y| Rgb([deep(x, y), deep(y, x), 9]));
    let rgba16 = ImageBuffer::from_fn(width, height, |x, y| Rgba([deep(x, y), 1, deep(y, x), deep(x, x)]));
    let gray16 = ImageBuffer::from_fn(width, height, |x, y| Luma([deep(x, y)]));
    let flat = RgbImage::from_pixel(width, height, Rgb([7, 8, 9]));
    let mut all = Vec::new();
    let kinds: [(&str, DynamicImage); 8] = [
        ("RGB", rgb.clone().into()),
        ("RGBA", rgba.clone().into()),
        ("gray", gray.clone().into()),
        ("gray with alpha", gray_alpha.into()),
        ("deep RGB", rgb16.into()),
        ("deep RGBA", rgba16.into()),
        ("deep gray", gray16.into()),
        ("flat", flat.into()),
    ];
    for (kind, image) in kinds {
        let is = |kinds: &[&str]| kinds.contains(&kind);
        for format in
            [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Gif]
        {
            let has = match format {
                ImageFormat::Png => true,
                ImageFormat::Tiff => !is(&["gray with alpha"]),
                ImageFormat::Bmp => is(&["RGB", "RGBA", "gray", "flat"]),
                _ => is(&["RGB", "RGBA", "flat"]),
            };
            if has {
                all.push((format!("{kind} {format:?}"), encoded(image.clone(), format)));
            }
        }
        if is(&["RGB", "gray", "flat"]) {
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(&image).unwrap();
            all.push((format!("{kind} JPEG, turned"), turned(&bytes)));
            all.push((format!("{kind} JPEG"), bytes));
        }
    }
    // Scaled up from fixtures, whose kinds nothing here can write: their headers are what counts.
    for name in ["progressive.jpg", "cmyk.jpg", "lossy.webp", "interlaced.png"] {
        let path = format!("{}/fixtures/images/{name}", env!("CARGO_MANIFEST_DIR"));
        if let Ok(bytes) = std::fs::read(path) {
            all.push((name.to_owned(), bytes));
        }
    }
    let mut jxl = Vec::new();
    let encoded = zune_jpegxl::JxlSimpleEncoder::new(
        rgb.as_raw(),
        zune_core::options::EncoderOptions::new(
            width as usize,
            height as usize,
            zune_core::colorspace::ColorSpace::RGB,
            zune_core::bit_depth::BitDepth::Eight,
        ),
    )
    .encode(&mut jxl);
    encoded.unwrap();
    all.push(("JPEG XL".into(), jxl));
    all
}

/// One test, because the counts are those of the process.
#[test]
fn no_picture_takes_more_than_it_was_admitted_with() {
    let mut wrong = Vec::new();
    for (name, bytes) in pictures() {
        for ground in [Ground::Dropped, Ground::Color([255; 3])] {
            shares().pictures().forget_highest();
            let before = NOW.load(Relaxed);
            MOST.store(before, Relaxed);
            let decoded = decode_on(&bytes, ground).unwrap_or_else(|error| panic!("{name}: {error}"));
            let taken = (MOST.load(Relaxed) - before) as u64;
            let admitted = shares().pictures().highest();
            let pixels = u64::from(decoded.image.width()) * u64::from(decoded.image.height());
            println!(
                "{name:28} {:6.2} bytes a pixel, admitted with {:6.2}",
                taken as f64 / pixels as f64,
                admitted as f64 / pixels as f64
            );
            if taken > admitted {
                wrong.push(format!("{name} took {taken} bytes and was admitted with {admitted}"));
            }
            drop(decoded);
            assert_eq!(shares().pictures().held(), 0, "{name}: all is returned");
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    // What is refused holds nothing.
    assert!(decode(b"\x89PNG\r\n\x1a\n and no more").is_err());
    assert_eq!(shares().pictures().held(), 0);
}
