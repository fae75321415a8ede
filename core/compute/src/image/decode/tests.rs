use super::*;
use proptest::prelude::*;
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Deserialize)]
struct Seen {
    name: String,
    width: u32,
    height: u32,
    rgb: String,
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/images")
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(name)).unwrap()
}

fn all() -> Vec<Seen> {
    serde_json::from_slice(&file("pixels.json")).unwrap()
}

#[test]
fn every_kind_is_what_pillow_sees() {
    for seen in all() {
        let decoded = decode(&file(&seen.name)).unwrap_or_else(|error| panic!("{}: {error}", seen.name));
        assert_eq!(decoded.image.dimensions(), (seen.width, seen.height), "{}", seen.name);
        let expected = seen
            .rgb
            .as_bytes()
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap());
        let difference =
            decoded.image.as_raw().iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max().unwrap();
        assert!(
            difference <= if seen.name.starts_with("lossy") { 8 } else { 0 },
            "{} differs by {difference}",
            seen.name
        );
    }
}

/// The bytes of a PNG.
fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn sixteen_bits_keep_their_upper_byte() {
    let deep =
        image::ImageBuffer::from_fn(3, 2, |x, y| image::Rgb([x as u16 * 0x1234, y as u16 * 0xfedc, 0x00ff]));
    let gray = image::ImageBuffer::from_fn(3, 2, |x, _| image::Luma([x as u16 * 0x5566]));
    for (image, expected) in [
        (DynamicImage::ImageRgb16(deep), [0x24, 0xfe, 0]),
        (DynamicImage::ImageLuma16(gray), [0xaa, 0xaa, 0xaa]),
    ] {
        let decoded = decode(&png(image)).unwrap();
        let remarks = vec![Remark::Deep { bits: 16, range: 16 }];
        assert_eq!((decoded.image.get_pixel(2, 1).0, decoded.remarks), (expected, remarks));
    }
}

#[test]
fn sixteen_bits_that_use_a_part_of_their_range_are_stretched() {
    for (highest, bits) in [(255_u16, 8_u8), (1023, 10), (4095, 12), (16_383, 14)] {
        let gray =
            image::ImageBuffer::from_fn(3, 1, |x, _| image::Luma([[0, highest / 2, highest][x as usize]]));
        let color =
            image::ImageBuffer::from_fn(3, 1, |x, _| image::Rgb([[0, highest / 2, highest][x as usize]; 3]));
        for image in [DynamicImage::ImageLuma16(gray), DynamicImage::ImageRgb16(color)] {
            for image in [image.clone(), DynamicImage::ImageRgba16(image.to_rgba16())] {
                let decoded = decode(&png(image)).unwrap();
                let row: Vec<u8> = decoded.image.pixels().map(|pixel| pixel.0[1]).collect();
                assert_eq!(row, [0, 127, 255], "{bits} bits");
                assert_eq!(decoded.remarks, [Remark::Deep { bits, range: bits }]);
            }
        }
    }
    let black = image::ImageBuffer::from_pixel(3, 1, image::Luma([0_u16]));
    assert_eq!(decode(&png(DynamicImage::ImageLuma16(black))).unwrap().remarks, []);
}

#[test]
fn pictures_of_one_sensor_share_a_range() {
    let frame = |highest: u16| {
        png(DynamicImage::ImageLuma16(image::ImageBuffer::from_fn(3, 1, |x, _| {
            image::Luma([[0, 2048, highest][x as usize]])
        })))
    };
    let (dark, light) = (frame(4000), frame(4100));
    let mut depths = Depths::default();
    for file in [&dark, &light] {
        depths.add(depth_of(Cursor::new(file)).unwrap());
    }
    assert_eq!(depths.to_string(), "12-14");
    let shown = |file: &[u8]| decode_on(file, Rendering { depths, ..Rendering::default() }).unwrap();
    assert_eq!(shown(&dark).image.get_pixel(1, 0), shown(&light).image.get_pixel(1, 0));
    assert_eq!(shown(&dark).remarks, [Remark::Deep { bits: 12, range: 14 }]);
    // What is black, is of 8 bits, is broken or is not a picture.
    let eight = png(RgbImage::new(3, 1));
    for file in [&frame(0)[..0], &eight, &dark[..50], b"GIF89a", b""] {
        assert_eq!(depth_of(Cursor::new(file)), None);
    }
}

#[test]
fn transparency_is_dropped_or_put_on_a_ground() {
    // Black ink, whose shape is in the transparency.
    let ink = image::RgbaImage::from_fn(20, 20, |x, y| image::Rgba([0, 0, 0, if x > y { 255 } else { 0 }]));
    let dropped = decode(&png(ink.clone())).unwrap();
    assert!(dropped.image.pixels().all(|pixel| pixel.0 == [0; 3]), "as Pillow's convert does");
    assert_eq!(dropped.remarks, [Remark::Flattened]);
    let on_white = decode_on(&png(ink), Ground::Color([255, 250, 240])).unwrap();
    assert_eq!(
        (on_white.image.get_pixel(9, 3).0, on_white.image.get_pixel(3, 9).0),
        ([0; 3], [255, 250, 240])
    );
    assert_eq!(on_white.remarks, []);
    let half = image::RgbaImage::from_pixel(4, 4, image::Rgba([100, 0, 0, 128]));
    let decoded = decode(&png(half.clone())).unwrap();
    assert_eq!(
        (decoded.image.get_pixel(0, 0).0, decoded.remarks),
        ([100, 0, 0], vec![]),
        "flat as it stands"
    );
    assert_eq!(decode_on(&png(half), Ground::Color([0; 3])).unwrap().image.get_pixel(0, 0).0, [50, 0, 0]);
}

#[test]
fn grounds_are_written_as_they_are_read() {
    for (text, ground) in [("dropped", Ground::Dropped), ("#0a80ff", Ground::Color([10, 128, 255]))] {
        assert_eq!((text.parse(), ground.to_string().as_str()), (Ok(ground), text));
    }
    assert_eq!("white".parse(), Ok(Ground::Color([255; 3])));
    for wrong in ["", "#fff", "grey", "#12345g", "+12345"] {
        assert!(wrong.parse::<Ground>().is_err(), "{wrong}");
    }
}

#[test]
fn formats_that_are_not_read_are_not_broken() {
    for (bytes, format) in [
        (&b"\0\0\0\x1cftypavif\0\0\0\0mif1miafMA1B"[..], "AVIF"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0heicmif1", "HEIC"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    ] {
        let error = decode(bytes).unwrap_err();
        assert_eq!(error.remark(), Some(Remark::NotRead(format.into())));
        assert_eq!(error.to_string(), format!("it is a picture in the {format} format, which is not read"));
    }
    assert_eq!(decode(b"<html>").unwrap_err().remark(), None);
    assert_eq!(decode(&file("rgb.bmp")[..30]).unwrap_err().remark(), None);
}

#[test]
fn jpeg_xl_is_read() {
    use zune_core::bit_depth::BitDepth;
    use zune_core::colorspace::ColorSpace;
    use zune_core::options::EncoderOptions;
    let image = RgbImage::from_fn(70, 41, |x, y| image::Rgb([(x * 3) as u8, (y * 5) as u8, (x ^ y) as u8]));
    let options = EncoderOptions::new(70, 41, ColorSpace::RGB, BitDepth::Eight);
    let mut bytes = Vec::new();
    zune_jpegxl::JxlSimpleEncoder::new(image.as_raw(), options).encode(&mut bytes).unwrap();
    let decoded = decode(&bytes).unwrap();
    assert_eq!((decoded.format, decoded.stored.channels, decoded.image), ("JPEG XL", 3, image));
    for cut in (2..bytes.len() - 1).step_by(7) {
        assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    for at in 2..bytes.len() {
        bytes[at] ^= 0x5a;
        let _ = decode(&bytes);
        bytes[at] ^= 0x5a;
    }
}

#[test]
fn big_tiffs_are_tiffs() {
    // The header of a BigTIFF, one directory with eight entries, and two pixels of gray.
    let mut bytes = b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0".to_vec();
    let entries = [(256_u16, 2_u64), (257, 1), (258, 8), (259, 1), (262, 1), (273, 0), (278, 1), (279, 2)];
    let data = 16 + 8 + 20 * entries.len() as u64 + 8;
    bytes.extend((entries.len() as u64).to_le_bytes());
    for (tag, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(4_u16.to_le_bytes());
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend(if tag == 273 { data } else { value }.to_le_bytes());
    }
    bytes.extend([0; 8]);
    bytes.extend([7, 200]);
    let decoded = decode(&bytes).unwrap();
    assert_eq!((decoded.format, decoded.image.into_raw()), ("TIFF", vec![7, 7, 7, 200, 200, 200]));
}

#[test]
fn formats_are_told_by_content() {
    assert_eq!(decode(&file("turned.png")).unwrap().format, "PNG");
    assert_eq!(decode(&file("animated.webp")).unwrap().format, "WebP");
    assert_eq!(decode(b"").unwrap_err().to_string(), "the file is empty");
    assert!(decode(b"<html>not found</html>").unwrap_err().to_string().contains("an HTML page"));
}

#[test]
fn what_is_cut_short_is_refused_or_damaged_and_what_follows_is_ignored() {
    for seen in all() {
        let whole = file(&seen.name);
        match decode(&whole[..whole.len() / 2]) {
            Err(error) => assert_eq!(error.to_string(), CUT_SHORT, "{}", seen.name),
            Ok(decoded) => {
                assert_eq!(decoded.image.dimensions(), (seen.width, seen.height), "{}", seen.name);
                assert!(
                    matches!(decoded.remarks[..], [Remark::Damaged(_)]),
                    "{}: {:?}",
                    seen.name,
                    decoded.remarks
                );
            }
        }
        let longer = [whole.as_slice(), &[0; 7], b"\xff\xd8\xff junk"].concat();
        let decoded = decode(&longer).unwrap_or_else(|error| panic!("{}: {error}", seen.name));
        assert!(decoded.remarks.iter().all(|remark| !matches!(remark, Remark::Damaged(_))), "{}", seen.name);
    }
}

#[test]
fn no_part_of_a_jpeg_passes_for_the_whole() {
    for name in ["baseline.jpg", "progressive.jpg", "turned.jpg", "cmyk.jpg"] {
        let whole = file(name);
        let upright = decode(&whole).unwrap().image.dimensions();
        for cut in 2..whole.len() - 2 {
            match decode(&whole[..cut]) {
                Err(_) => {}
                Ok(decoded) => {
                    assert_eq!(decoded.image.dimensions(), upright, "{name} cut at {cut}");
                    assert!(matches!(decoded.remarks[..], [Remark::Damaged(_)]), "{name} cut at {cut}");
                }
            }
        }
        let hole = [&whole[..whole.len() / 2], &vec![0; whole.len() / 2]].concat();
        let decoded = decode(&hole).map(|decoded| decoded.remarks);
        assert!(
            decoded.is_err() || matches!(decoded.as_deref(), Ok([Remark::Damaged(_)])),
            "{name}: {decoded:?}"
        );
    }
}

#[test]
fn the_rows_that_are_left_of_a_png_are_shown() {
    let image = RgbImage::from_fn(64, 100, |x, y| image::Rgb([(x * y) as u8, (x ^ y) as u8, (y * 3) as u8]));
    let whole = png(image.clone());
    let decoded = decode(&whole[..whole.len() / 2]).unwrap();
    let [Remark::Damaged(damage)] = decoded.remarks[..] else { panic!("{:?}", decoded.remarks) };
    assert!((0.3..0.7).contains(&damage.share) && !damage.garbled, "{damage:?}");
    let kept = (100.0 * (1.0 - damage.share)) as u32 - 1;
    assert!((0..kept).all(|y| (0..64).all(|x| decoded.image.get_pixel(x, y) == image.get_pixel(x, y))));
    assert_eq!(decoded.image.get_pixel(63, 99).0, [128; 3]);
    assert_eq!(decode(&whole[..40]).unwrap_err().to_string(), CUT_SHORT);
}

#[test]
fn bombs_are_refused_before_memory_is_taken() {
    let mut bmp = file("rgb.bmp");
    bmp[18..26].copy_from_slice(&[0, 0, 1, 0, 0, 0, 1, 0]);
    let error = decode(&bmp).unwrap_err().to_string();
    assert!(error.contains("65536 x 65536 pixels") || error.contains("too large"), "{error}");
    let mut gif = file("animated.gif");
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert!(decode(&gif).is_err());
    let mut jpeg = file("baseline.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    assert!(decode(&jpeg).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_brings_it_down(which in 0_usize..22, flips in proptest::collection::vec((any::<u32>(), any::<u8>()), 1..12)) {
        let seen = all();
        let mut bytes = file(&seen[which % seen.len()].name);
        let length = bytes.len();
        for (offset, value) in flips {
            bytes[offset as usize % length] = value;
        }
        if let Err(error) = decode(&bytes) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

/// The bytes of a picture in any format.
fn encoded(image: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(image.clone()).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn a_hole_of_zeros_at_the_end_never_passes() {
    let image = RgbImage::from_fn(96, 80, |x, y| {
        image::Rgb([(x * 2 + 40) as u8, (y * 2 + 50) as u8, ((x * 7) ^ (y * 5)) as u8 | 1])
    });
    let lossy = file("lossy.webp");
    for (name, whole) in [
        ("BMP", encoded(&image, ImageFormat::Bmp)),
        ("TIFF", encoded(&image, ImageFormat::Tiff)),
        ("GIF", encoded(&image, ImageFormat::Gif)),
        ("WebP", encoded(&image, ImageFormat::WebP)),
        ("lossy WebP", lossy),
    ] {
        assert!(decode(&whole).unwrap().remarks.is_empty(), "{name}");
        // The lossy one is small.
        for part in [0.4, 0.6, 0.8].into_iter().filter(|part| whole.len() > 1000 || *part < 0.7) {
            let left = (whole.len() as f64 * part) as usize;
            let mut hole = whole[..left].to_vec();
            hole.resize(whole.len(), 0);
            if let Ok(decoded) = decode(&hole) {
                let [Remark::Damaged(damage)] = decoded.remarks[..] else {
                    panic!("{name} up to {part}: {:?}", decoded.remarks)
                };
                assert!((f64::from(damage.share) - (1.0 - part)).abs() < 0.15, "{name}: {damage:?}");
            }
        }
    }
}

#[test]
fn black_is_no_hole() {
    // A lamp in a dark room, a black lower half, and a black picture.
    let lamp =
        |x: u32, y: u32| if (x as i32 - 40).pow(2) + (y as i32 - 20).pow(2) < 200 { 220_u8 } else { 0 };
    for light in [&lamp as &dyn Fn(u32, u32) -> u8, &|_, y| if y < 40 { 200 } else { 0 }, &|_, _| 0] {
        let image = RgbImage::from_fn(96, 80, |x, y| image::Rgb([light(x, y); 3]));
        for format in [ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::Gif, ImageFormat::WebP] {
            assert_eq!(decode(&encoded(&image, format)).unwrap().remarks, [], "{format:?}");
        }
    }
}
