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
        let lossy = seen.name.ends_with(".jpg") || seen.name.starts_with("lossy");
        assert!(difference <= if lossy { 8 } else { 0 }, "{} differs by {difference}", seen.name);
    }
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
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        assert_eq!(decode(bytes.get_ref()).unwrap().image.get_pixel(2, 1).0, expected);
    }
}

#[test]
fn formats_are_told_by_content() {
    assert_eq!(decode(&file("turned.png")).unwrap().format, "PNG");
    assert_eq!(decode(&file("animated.webp")).unwrap().format, "WebP");
    assert_eq!(decode(b"").unwrap_err().to_string(), "the file is empty");
    assert!(
        decode(b"<html>not found</html>").unwrap_err().to_string().starts_with("the file is not a picture")
    );
}

#[test]
fn what_is_cut_short_is_refused_and_what_follows_is_ignored() {
    for seen in all() {
        let whole = file(&seen.name);
        let error = decode(&whole[..whole.len() / 2]).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), CUT_SHORT, "{}", seen.name);
        let longer = [whole.as_slice(), &[0; 7], b"\xff\xd8\xff junk"].concat();
        assert!(decode(&longer).is_ok(), "{} with something behind it", seen.name);
    }
}

#[test]
fn no_part_of_a_jpeg_is_a_picture() {
    for name in ["baseline.jpg", "progressive.jpg", "turned.jpg", "cmyk.jpg"] {
        let whole = file(name);
        assert!((2..whole.len()).all(|cut| decode(&whole[..cut]).is_err()), "{name}");
        let hole = [&whole[..whole.len() / 2], &vec![0; whole.len() / 2]].concat();
        assert_eq!(
            decode(&hole).unwrap_err().to_string(),
            CUT_SHORT,
            "{name} with zeros in place of its end"
        );
    }
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
