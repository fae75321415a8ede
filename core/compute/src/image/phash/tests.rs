use super::*;
use crate::hamming::near_pairs;
use crate::image::decode::decode;
use crate::job::Job;
use rayon::prelude::*;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

#[derive(Deserialize)]
struct Fixture {
    kind: String,
    seed: u32,
    width: u32,
    height: u32,
    phash: String,
    dhash: String,
}

/// A triangle wave between 0 and 255.
fn wave(position: u32, period: u32) -> u32 {
    let place = position % (2 * period);
    (if place < period { place } else { 2 * period - place }) * 255 / period
}

/// The picture that `make_hash_fixtures.py` makes.
fn made(seed: u32, width: u32, height: u32) -> RgbImage {
    let mut state = seed.wrapping_mul(2_654_435_761);
    let mut roll = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    let mut four =
        || [(); 4].map(|()| (roll() % 7, roll() % 7, 20 + roll() % (width + height), roll() % 500));
    let waves = [four(), four(), four()];
    let mut image = RgbImage::new(width, height);
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        for (value, colour) in pixel.0.iter_mut().zip(&waves) {
            let total: u32 =
                colour.iter().map(|&(a, b, period, start)| wave(x * a + y * b + start, period)).sum();
            *value = ((total * 15 + (roll() % 256) * 4) / 64) as u8;
        }
    }
    image
}

#[test]
fn hashes_are_imagehash_s_bit_for_bit() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/hashes.json");
    let fixtures: Vec<Fixture> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert!(fixtures.len() >= 60);
    for fixture in fixtures {
        let image = match fixture.kind.as_str() {
            "flat" => {
                RgbImage::from_pixel(fixture.width, fixture.height, image::Rgb([fixture.seed as u8; 3]))
            }
            _ => made(fixture.seed, fixture.width, fixture.height),
        };
        let what = format!("{} {} ({} x {})", fixture.kind, fixture.seed, fixture.width, fixture.height);
        assert_eq!(format!("{:016x}", phash(&image)), fixture.phash, "phash of {what}");
        assert_eq!(format!("{:016x}", dhash(&image)), fixture.dhash, "dhash of {what}");
    }
}

#[test]
fn luma_is_pillow_s() {
    let image = RgbImage::from_raw(2, 2, vec![255, 255, 255, 1, 2, 3, 255, 0, 0, 0, 0, 255]).unwrap();
    assert_eq!(luma(&image), [255, 2, 76, 29]);
}

/// Where data for tests lies beside the repository.
fn shared_data() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let data = std::env::var_os("CHAFFINCH_SHARED").map_or_else(beside, PathBuf::from).join("data");
    if !data.is_dir() {
        eprintln!("SKIPPED: there is no {}; set CHAFFINCH_SHARED", data.display());
        return None;
    }
    Some(data)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    walk.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

/// The published leak between CIFAR-10's halves: 120 pairs with 103 test images, three of them equal.
#[test]
fn cifar_10_leaks_what_is_published() {
    let Some(data) = shared_data() else { return };
    let place = tempfile::tempdir().unwrap();
    let archive = data.join("cifar10-jpeg.tar.xz");
    let unpacked = Command::new("tar").arg("-xJf").arg(&archive).arg("-C").arg(place.path()).status();
    if !unpacked.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: {} cannot be unpacked here", archive.display());
        return;
    }
    let paths = files(place.path());
    assert_eq!(paths.len(), 60_000);
    let is_test: Vec<bool> =
        paths.iter().map(|path| path.components().any(|part| part.as_os_str() == "test")).collect();
    let hash = |path: &PathBuf| phash(&decode(&std::fs::read(path).unwrap()).unwrap().image);
    let hashes: Vec<u64> = paths.par_iter().map(hash).collect();
    let stop = AtomicBool::new(false);
    let pairs = near_pairs(&hashes, &|_| true, 5, &Job::new(&stop, &|_, _| {})).unwrap();
    let across =
        |pair: &&chaffinch_plugin::HashPair| is_test[pair.first as usize] != is_test[pair.second as usize];
    let leaks: Vec<_> = pairs.iter().filter(across).collect();
    let tests: BTreeSet<u32> = leaks
        .iter()
        .flat_map(|pair| [pair.first, pair.second])
        .filter(|&row| is_test[row as usize])
        .collect();
    let equal = leaks.iter().filter(|pair| pair.distance == 0).count();
    eprintln!("{} pairs, {} test images, {equal} at distance 0", leaks.len(), tests.len());
    assert!((119..=121).contains(&leaks.len()), "{} pairs", leaks.len());
    assert!((102..=104).contains(&tests.len()), "{} test images", tests.len());
}
