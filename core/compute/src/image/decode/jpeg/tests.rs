use super::{Damage, Extent};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use std::path::PathBuf;

fn extent(bytes: &[u8]) -> Extent {
    super::extent(bytes).0
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/images").join(name)).unwrap()
}

/// A picture with enough in it for a kilobyte or two of data.
fn picture() -> Vec<u8> {
    let image = RgbImage::from_fn(160, 120, |x, y| {
        let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 7 & 63;
        Rgb([(x + noise) as u8, (y * 2) as u8, (noise * 3) as u8])
    });
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 85).encode_image(&image).unwrap();
    bytes
}

/// Where the compressed data of the first scan begin.
fn data_of(jpeg: &[u8]) -> usize {
    let scan = jpeg.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    scan + 2 + usize::from(u16::from_be_bytes([jpeg[scan + 2], jpeg[scan + 3]]))
}

fn damage(bytes: &[u8]) -> Damage {
    match extent(bytes) {
        Extent::Part(damage) => damage,
        other => panic!("{other:?}"),
    }
}

#[test]
fn whole_files_are_whole() {
    for name in ["baseline.jpg", "progressive.jpg", "turned.jpg", "cmyk.jpg", "gray.jpg"] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/images").join(name);
        if path.exists() {
            assert_eq!(extent(&file(name)), Extent::Whole, "{name}");
        }
    }
    let whole = picture();
    assert_eq!(extent(&whole), Extent::Whole);
    assert_eq!(extent(&whole[..whole.len() - 2]), Extent::Whole, "only the end marker is lost");
    assert_eq!(extent(&[&whole[..], b"\xff\xd8 and more"].concat()), Extent::Whole);
}

#[test]
fn what_is_cut_off_is_the_lower_part() {
    let whole = picture();
    let start = data_of(&whole);
    let mut before = 1.0;
    for tenth in 1..10 {
        let cut = start + (whole.len() - start) * tenth / 10;
        for end in [&b""[..], b"\xff\xd9"] {
            let damage = damage(&[&whole[..cut], end].concat());
            assert!(damage.at_end && !damage.garbled && !damage.detail, "{damage:?}");
            let expected = 1.0 - tenth as f32 / 10.0;
            assert!((damage.share - expected).abs() < 0.1 && damage.share <= before, "{tenth}: {damage:?}");
            before = damage.share;
        }
    }
    assert_eq!(extent(&whole[..start]), Extent::Nothing);
    assert_eq!(extent(&whole[..40]), Extent::Nothing);
}

#[test]
fn a_hole_counts_from_where_it_begins() {
    let whole = picture();
    let start = data_of(&whole);
    let middle = start + (whole.len() - start) / 2;
    for value in [0_u8, 0x55, 0xaa] {
        let mut bytes = whole.clone();
        let end = bytes.len() - 2;
        bytes[middle..end].fill(value);
        let damage = damage(&bytes);
        assert!((0.4..0.6).contains(&damage.share), "{value}: {damage:?}");
        assert!(damage.to_string().starts_with("the lower "), "{damage}");
    }
}

#[test]
fn garbled_data_do_not_pass() {
    let whole = picture();
    let start = data_of(&whole);
    let mut state = 12_345_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    for part in 1..8 {
        let at = start + (whole.len() - start) * part / 9;
        let mut bytes = whole.clone();
        bytes[at..at + 200].iter_mut().for_each(|byte| *byte = random());
        assert!(matches!(extent(&bytes), Extent::Part(_)), "noise in part {part}: {:?}", extent(&bytes));
        let cut = [&whole[..at], &whole[at + 100..]].concat();
        assert!(matches!(extent(&cut), Extent::Part(_)), "100 bytes lost in part {part}: {:?}", extent(&cut));
    }
}

#[test]
fn progressive_files_lose_detail_first() {
    let whole = file("progressive.jpg");
    let start = data_of(&whole);
    let mut kinds = Vec::new();
    for cut in start + 1..whole.len() - 2 {
        match extent(&whole[..cut]) {
            Extent::Part(damage) => kinds.push(damage.detail),
            Extent::Nothing => assert!(kinds.is_empty(), "cut at {cut}"),
            other => panic!("cut at {cut}: {other:?}"),
        }
    }
    assert!(kinds.first() == Some(&false) && kinds.last() == Some(&true), "{kinds:?}");
    assert!(kinds.is_sorted(), "once the first scan is complete, only detail is lost");
}

/// A share of the picture is only said where the rest of it has all of its detail.
#[test]
fn where_whole_scans_are_missing_no_part_is_said_to_have_its_detail() {
    let whole = file("progressive.jpg");
    let last_scan = whole.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
    let mut parts = 0;
    for cut in data_of(&whole) + 1..whole.len() - 2 {
        let Extent::Part(damage) = extent(&whole[..cut]) else { continue };
        if damage.detail && damage.share < 1.0 {
            assert!(cut > last_scan, "cut at {cut}, before the last scan: {damage:?}");
            parts += 1;
        }
    }
    assert!(parts > 0, "in the last scan, a part has all of it");
}

#[test]
fn kinds_that_are_not_read_have_names() {
    let mut bytes = picture();
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    for (marker, name) in [(0xc3, "lossless JPEG"), (0xc9, "arithmetic-coded JPEG"), (0xf7, "JPEG-LS")] {
        bytes[frame + 1] = marker;
        assert_eq!(extent(&bytes), Extent::NotRead(name));
    }
}

/// A baseline JPEG with restart markers, made of another one by hand: every unit is its own interval.
#[test]
fn restart_markers_bound_the_damage() {
    // A gray 8 x 64 picture of eight blocks that are all one DC difference of zero and an end of block.
    let mut bytes = b"\xff\xd8\xff\xdb\0\x43\0".to_vec();
    bytes.extend([1; 64]);
    bytes.extend(b"\xff\xc0\0\x0b\x08\0\x40\0\x08\x01\x01\x11\0");
    for class in [0x00, 0x10] {
        // One code of one bit: 0.
        bytes.extend([0xff, 0xc4, 0, 20, class, 1]);
        bytes.extend([0; 15]);
        bytes.push(0);
    }
    bytes.extend(b"\xff\xdd\0\x04\0\x01\xff\xda\0\x08\x01\x01\0\0\x3f\0");
    let head = bytes.len();
    for number in 0..8_u8 {
        bytes.push(0x3f);
        bytes.extend([0xff, if number < 7 { 0xd0 + number } else { 0xd9 }]);
    }
    assert_eq!(extent(&bytes), Extent::Whole);
    let mut swapped = bytes.clone();
    swapped.swap(head + 3 * 3 + 2, head + 3 * 4 + 2);
    assert!(damage(&swapped).garbled);
    let missing = [&bytes[..head + 9], &bytes[head + 12..]].concat();
    let damage = damage(&missing);
    assert!(damage.share > 0.0 && (0.3..0.6).contains(&damage.from), "{damage:?}");
}

/// A picture of smooth shapes with a little noise, as photographs are.
fn photograph() -> Vec<u8> {
    let image = RgbImage::from_fn(320, 240, |x, y| {
        let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 9 & 7;
        let wave = |a: f32, b: f32| 100.0 + 50.0 * (x as f32 / a).sin() * (y as f32 / b).cos();
        Rgb([wave(60.0, 45.0), wave(90.0, 70.0), wave(50.0, 90.0)].map(|value| (value + noise as f32) as u8))
    });
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 85).encode_image(&image).unwrap();
    bytes
}

/// Codes find back into step after a wrong bit, with nothing missing at the end, and all that follows has another brightness or color.
#[test]
fn a_wrong_bit_that_changes_all_below_is_noticed() {
    let whole = photograph();
    let decode = |bytes: &[u8]| crate::image::decode::decode(bytes).unwrap().image.into_raw();
    let right = decode(&whole);
    let start = data_of(&whole);
    let (mut changed, mut noticed, mut told) = (0, 0, 0);
    for at in (start + (whole.len() - start) / 4..whole.len() * 3 / 4).step_by(13) {
        if whole[at - 1..at + 2].contains(&0xff) || whole[at] ^ 0x10 == 0xff {
            continue;
        }
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        let wrong: Vec<bool> = decode(&bytes)
            .chunks(3)
            .zip(right.chunks(3))
            .map(|(a, b)| (0..3).any(|c| a[c].abs_diff(b[c]) > 20))
            .collect();
        let share = wrong.iter().filter(|wrong| **wrong).count() as f32 / wrong.len() as f32;
        match extent(&bytes) {
            Extent::Whole => changed += usize::from(share > 0.2),
            Extent::Part(damage) => {
                changed += usize::from(share > 0.2);
                noticed += usize::from(share > 0.2);
                let first = wrong.iter().position(|wrong| *wrong).unwrap_or(0) as f32 / wrong.len() as f32;
                told += usize::from(share > 0.2 && (damage.share + first - 1.0).abs() < 0.1);
            }
            other => panic!("{other:?}"),
        }
    }
    println!("{changed} with much changed, {noticed} noticed, of {told} the share is told");
    assert!(
        changed >= 20 && noticed * 10 >= changed * 8 && told * 10 >= noticed * 7,
        "{changed} {noticed} {told}"
    );
}

/// What is drawn or put together has edges at the borders of blocks, and no seam that begins anywhere.
#[test]
fn edges_from_side_to_side_are_no_damage() {
    for quality in [50, 90] {
        // Without noise, a drawing of one color with a step.
        let drawn = RgbImage::from_fn(320, 240, |x, y| {
            Rgb([if y >= 128 || y >= 112 && x >= 160 { 200 } else { 40 }, 90, 90])
        });
        let level = RgbImage::from_fn(320, 240, |x, y| {
            let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 9 & 7;
            Rgb([if y < 128 { 60 } else { 160 }, 90, 90].map(|value| value + noise as u8))
        });
        for image in [&drawn, &level] {
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image).unwrap();
            assert_eq!(extent(&bytes), Extent::Whole);
        }
    }
}
