//! A part of CIFAR-10's test images with known faults in it.
//!
//! The images are not in the repository: see [`crate::artefacts::shared_data`]. Copies and swaps are drawn by a
//! fixed generator, so that a seed always gives the same dataset.

use crate::artefacts::{keep_dir, shared_data};
use crate::pictures::{CLASSES, encoded};
use crate::random::Random;
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The planted faults, as paths in the dataset.
#[derive(Debug, Default)]
pub struct Planted {
    /// All samples, planted ones included.
    pub samples: usize,
    /// Exact copies, each with its original.
    pub copies: Vec<(String, String)>,
    /// Images re-encoded in another quality, format or size, each with its original.
    pub near: Vec<(String, String)>,
    /// Images in the folder of another class, each with its true class.
    pub swapped: Vec<(String, String)>,
    /// Photos of cats and dogs in the folder of another class.
    pub foreign: Vec<String>,
    /// Files that are not images.
    pub broken: Vec<String>,
}

/// Unpacks a member of an archive once into cargo's target folder, and marks that with the name `ready`.
pub fn unpacked(archive: &Path, member: &str, ready: &str) -> PathBuf {
    let folder = keep_dir("shared-data");
    let mark = folder.join(format!("{ready}.ready"));
    if !mark.is_file() {
        let status = Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(&folder).arg(member).status();
        assert!(status.is_ok_and(|status| status.success()), "tar cannot unpack {}", archive.display());
        fs::write(&mark, "").unwrap();
    }
    folder.join(member)
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    files
}

/// The folders that [`plant`] draws from: CIFAR-10's test images, and photos of cats and dogs.
pub fn sources() -> (PathBuf, PathBuf) {
    let (cifar, pets) = (shared_data("cifar10-jpeg.tar.xz"), shared_data("cats-dogs-1200.tar"));
    (unpacked(&cifar, "cifar10/test", "cifar10-test"), unpacked(&pets, "train", "cats-dogs"))
}

/// CIFAR-10's images, train and test, as folders of classes.
pub fn cifar10() -> (PathBuf, PathBuf) {
    let archive = shared_data("cifar10-jpeg.tar.xz");
    let part = |split: &str| unpacked(&archive, &format!("cifar10/{split}"), &format!("cifar10-{split}"));
    (part("train"), part("test"))
}

/// Writes 2,000 images into class folders below `folder`, and plants the faults among them.
pub fn plant((cifar, pets): &(PathBuf, PathBuf), folder: &Path, seed: u64) -> Planted {
    let mut random = Random::new(seed);
    let mut planted = Planted::default();
    let mut images: Vec<(usize, String)> = Vec::new();
    for (class, name) in CLASSES.iter().enumerate() {
        fs::create_dir_all(folder.join(name)).unwrap();
        let mut files = listed(&cifar.join(name));
        random.shuffle(&mut files);
        for file in files.iter().take(200) {
            let path = format!("{name}/{}", file.file_name().unwrap().to_str().unwrap());
            fs::copy(file, folder.join(&path)).unwrap();
            images.push((class, path));
        }
    }
    planted.samples = images.len();
    random.shuffle(&mut images);
    // Each image gets at most one fault.
    let mut rest = images.into_iter();
    let other = |random: &mut Random, not: &[usize]| loop {
        let class = random.below(CLASSES.len());
        if !not.contains(&class) {
            return class;
        }
    };
    // File names reveal nothing: they are numbers like those of the dataset.
    let mut taken = BTreeSet::new();
    let mut name = |random: &mut Random, class: usize, extension: &str| loop {
        let path = format!("{}/{:04}.{extension}", CLASSES[class], random.below(10_000));
        if !folder.join(&path).exists() && taken.insert(path.clone()) {
            return path;
        }
    };
    for _ in 0..20 {
        let (class, original) = rest.next().unwrap();
        let path = name(&mut random, class, "jpg");
        fs::copy(folder.join(&original), folder.join(&path)).unwrap();
        planted.copies.push((path, original));
    }
    for number in 0..20 {
        let (class, original) = rest.next().unwrap();
        let picture = image::open(folder.join(&original)).unwrap().to_rgb8();
        let resized = |side| image::imageops::resize(&picture, side, side, FilterType::CatmullRom);
        let (extension, bytes) = match number % 4 {
            0 => ("jpg", jpeg(&picture, 60)),
            1 => ("png", encoded(&picture, ImageFormat::Png)),
            2 => ("jpg", jpeg(&resized(64), 90)),
            _ => ("png", encoded(&resized(40), ImageFormat::Png)),
        };
        let path = name(&mut random, class, extension);
        fs::write(folder.join(&path), bytes).unwrap();
        planted.near.push((path, original));
    }
    for _ in 0..30 {
        let (class, original) = rest.next().unwrap();
        let target = other(&mut random, &[class]);
        let path = name(&mut random, target, "jpg");
        fs::rename(folder.join(&original), folder.join(&path)).unwrap();
        planted.swapped.push((path, CLASSES[class].into()));
    }
    let mut photos = listed(pets);
    random.shuffle(&mut photos);
    for (number, photo) in photos.iter().take(20).enumerate() {
        // Not cat or dog, where they would not be foreign.
        let class = other(&mut random, &[3, 5]);
        let path = name(&mut random, class, "jpg");
        if number % 2 == 0 {
            fs::copy(photo, folder.join(&path)).unwrap();
        } else {
            let small = image::open(photo).unwrap().resize_exact(32, 32, FilterType::CatmullRom).to_rgb8();
            fs::write(folder.join(&path), jpeg(&small, 92)).unwrap();
        }
        planted.foreign.push(path);
    }
    for number in 0..10 {
        let whole = fs::read(folder.join(&rest.next().unwrap().1)).unwrap();
        let noise: Vec<u8> = (0..900).map(|_| random.bits() as u8).collect();
        let bytes = match number % 5 {
            0 => Vec::new(),
            1 => b"This is a note and not a picture.\n".to_vec(),
            2 => noise,
            3 => whole[..whole.len() / 2].to_vec(),
            _ => whole[..60].to_vec(),
        };
        let class = random.below(CLASSES.len());
        let path = name(&mut random, class, "jpg");
        fs::write(folder.join(&path), bytes).unwrap();
        planted.broken.push(path);
    }
    planted.samples += 20 + 20 + 20 + 10;
    planted
}

fn jpeg(picture: &image::RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality);
    DynamicImage::ImageRgb8(picture.clone()).write_with_encoder(encoder).unwrap();
    bytes
}

/// How many of each kind are in a list of paths, as kind, found and planted. A copy counts as found if it or
/// its original is listed, because two equal files do not show which one is the copy; the kinds
/// `… themselves` count the planted file only.
pub fn found(planted: &Planted, listed: &BTreeSet<String>) -> BTreeMap<&'static str, (usize, usize)> {
    let single = |paths: &mut dyn Iterator<Item = &String>| {
        let all: Vec<bool> = paths.map(|path| listed.contains(path)).collect();
        (all.iter().filter(|&&is| is).count(), all.len())
    };
    let pairs: Vec<&(String, String)> = planted.copies.iter().chain(&planted.near).collect();
    let either = |all: &[&(String, String)]| {
        (all.iter().filter(|pair| listed.contains(&pair.0) || listed.contains(&pair.1)).count(), all.len())
    };
    BTreeMap::from([
        ("copies", either(&pairs)),
        ("copies exact", either(&planted.copies.iter().collect::<Vec<_>>())),
        ("copies re-encoded or resized", either(&planted.near.iter().collect::<Vec<_>>())),
        ("copies themselves", single(&mut pairs.iter().map(|pair| &pair.0))),
        ("swapped", single(&mut planted.swapped.iter().map(|pair| &pair.0))),
        ("foreign", single(&mut planted.foreign.iter())),
        ("broken", single(&mut planted.broken.iter())),
    ])
}
