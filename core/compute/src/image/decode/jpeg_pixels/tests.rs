use crate::image::decode::{Remark, decode};
use proptest::prelude::*;
use serde::Deserialize;
use std::path::PathBuf;

/// What Pillow sees, by `scripts/fixtures/make_jpeg_fixtures.py`.
#[derive(Deserialize)]
struct Seen {
    name: String,
    width: u32,
    height: u32,
    blake3: Option<String>,
    /// Of pictures that are read by another decoder, the pixels.
    rgb: Option<String>,
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/jpeg").join(name)).unwrap()
}

fn all() -> Vec<Seen> {
    serde_json::from_slice(&file("pixels.json")).unwrap()
}

#[test]
fn every_byte_is_pillows() {
    let all = all();
    assert!(all.len() > 50);
    for seen in &all {
        let Some(digest) = &seen.blake3 else { continue };
        let decoded = decode(&file(&seen.name)).unwrap_or_else(|error| panic!("{}: {error}", seen.name));
        assert_eq!(decoded.image.dimensions(), (seen.width, seen.height), "{}", seen.name);
        assert_eq!(blake3::hash(decoded.image.as_raw()).to_string(), *digest, "{}", seen.name);
        assert_eq!(decoded.remarks, [], "{}", seen.name);
        let channels = match seen.name.split('-').next() {
            Some("l") => 1,
            Some(name) if name.contains("cmyk") || name.contains("ycck") => 5,
            _ => 3,
        };
        assert_eq!(decoded.stored.channels, channels, "{}", seen.name);
    }
}

#[test]
fn four_channels_of_different_sizes_are_read() {
    let mixed: Vec<Seen> = all().into_iter().filter(|seen| seen.rgb.is_some()).collect();
    assert_eq!(mixed.len(), 2);
    for seen in mixed {
        let decoded = decode(&file(&seen.name)).unwrap();
        assert_eq!(decoded.image.dimensions(), (seen.width, seen.height), "{}", seen.name);
        assert_eq!((decoded.stored.channels, &decoded.remarks), (5, &Vec::new()), "{}", seen.name);
        let digits = seen.rgb.unwrap();
        let expected = digits
            .as_bytes()
            .as_chunks::<2>()
            .0
            .iter()
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap());
        let differences = decoded.image.as_raw().iter().zip(expected).map(|(a, b)| u32::from(a.abs_diff(b)));
        let mean = f64::from(differences.sum::<u32>()) / decoded.image.as_raw().len() as f64;
        assert!(mean < 12.0, "{}: {mean}", seen.name);
    }
}

#[test]
fn what_is_lost_is_gray_and_the_rest_is_as_it_was() {
    let whole = file("optimized.jpg");
    let picture = decode(&whole).unwrap().image;
    let cut = decode(&whole[..whole.len() * 3 / 4]).unwrap();
    let [Remark::Damaged(damage)] = cut.remarks[..] else { panic!("{:?}", cut.remarks) };
    assert!((0.05..0.6).contains(&damage.share), "{damage:?}");
    // Whole rows of blocks above the damage.
    let kept = ((damage.from * 47.0) as u32 / 8).saturating_sub(1) * 8;
    assert!(kept > 0);
    assert!((0..kept).all(|y| (0..31).all(|x| cut.image.get_pixel(x, y) == picture.get_pixel(x, y))));
    let corner = cut.image.get_pixel(30, 46).0;
    assert_eq!(corner, [128; 3]);
}

#[test]
fn sizes_and_scans_are_bounded_before_memory_is_taken() {
    let with_size = |name: &str, size: [u8; 4]| {
        let mut bytes = file(name);
        let frame =
            bytes.windows(2).position(|pair| pair[0] == 0xff && (0xc0..=0xc2).contains(&pair[1])).unwrap();
        bytes[frame + 5..frame + 9].copy_from_slice(&size);
        decode(&bytes)
    };
    for name in ["optimized.jpg", "progressive-420-q100-31x47.jpg", "l-q75.jpg", "cmyk-q75.jpg"] {
        let error = with_size(name, [0xff; 4]).unwrap_err().to_string();
        assert!(error.contains("65535 x 65535 pixels") || error.contains("ends before"), "{name}: {error}");
        assert!(with_size(name, [0; 4]).is_err(), "{name}");
    }
    // The same last scan over and over, which is refused or read in a moment.
    let whole = file("progressive-444-q92-7x9.jpg");
    let last = whole.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
    let scan = &whole[last..whole.len() - 2];
    let bomb = [&whole[..last], &scan.repeat(20_000), b"\xff\xd9"].concat();
    if let Ok(decoded) = decode(&bomb) {
        assert_eq!(decoded.image.dimensions(), (7, 9));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Changed, cut and doubled parts: an error that says something, or a picture of the size that the file says.
    #[test]
    fn hostile_files_are_errors_or_pictures(
        which in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        doubled in prop::option::of((any::<prop::sample::Index>(), 1_usize..64)),
    ) {
        let all = all();
        let mut bytes = file(&which.get(&all).name);
        for (place, value) in flips {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }
        if let Some((place, length)) = doubled {
            let at = place.index(bytes.len());
            let part = bytes[at..(at + length).min(bytes.len())].to_vec();
            bytes.splice(at..at, part);
        }
        if let Some(place) = cut {
            bytes.truncate(place.index(bytes.len()));
        }
        match decode(&bytes) {
            Ok(decoded) => prop_assert!(decoded.image.width() > 0 && decoded.image.height() > 0),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
