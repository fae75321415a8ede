use super::*;

/// Numbers that look random.
struct Random(u32);

impl Random {
    fn next(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % below
    }
}

pub(crate) type Picture = (Vec<u8>, usize, usize);

pub(crate) fn of(width: usize, height: usize, mut pixel: impl FnMut(usize, usize) -> [u8; 3]) -> Picture {
    ((0..width * height).flat_map(|at| pixel(at % width, at / width)).collect(), width, height)
}

/// A scene with large and small things in it.
pub(crate) fn scene(width: usize, height: usize, seed: u32) -> Picture {
    let mut random = Random(seed);
    let things: Vec<(f32, f32, f32, [f32; 3])> = (0..24)
        .map(|thing| {
            let mut part = || random.next(1000) as f32 / 1000.0;
            let radius = 0.3 / (1.0 + thing as f32 / 3.0);
            (part(), part(), radius, [255.0 * part(), 255.0 * part(), 255.0 * part()])
        })
        .collect();
    of(width, height, |x, y| {
        let (u, v) = ((x as f32 + 0.5) / width as f32, (y as f32 + 0.5) / height as f32);
        let top = things.iter().rev().find(|thing| (thing.0 - u).hypot(thing.1 - v) < thing.2);
        let ground = [90.0 + 100.0 * u, 120.0, 200.0 - 120.0 * v];
        top.map_or(ground, |thing| thing.3).map(|value| value as u8)
    })
}

/// Lines of text below a head that all letters share.
pub(crate) fn letter(width: usize, height: usize, seed: u32) -> Picture {
    let mut page = vec![[255_u8; 3]; width * height];
    let mut words = |seed: u32, top: usize, lines: usize| {
        let mut random = Random(seed);
        for line in 0..lines {
            let y0 = top + line * height / 40;
            let end = width / 10 + (width * 8 / 10) * (6 + random.next(5) as usize) / 10;
            let mut x = width / 10;
            while x < end {
                let length = width * (2 + random.next(7) as usize) / 100;
                for (x, y) in
                    (y0..y0 + height / 90).flat_map(|y| (x..(x + length).min(end)).map(move |x| (x, y)))
                {
                    if (x * 7 + y * 3 + length) % 4 < 2 {
                        page[y * width + x.min(width - 1)] = [30; 3];
                    }
                }
                x += length + width / 100;
            }
        }
    };
    words(1, height / 20, 4);
    words(seed, height / 4, 26);
    (page.concat(), width, height)
}

/// A chest with ribs: every patient a little different.
pub(crate) fn x_ray(width: usize, height: usize, seed: u32) -> Picture {
    let mut random = Random(seed);
    let mut near = |middle: f32, by: f32| middle + by * (random.next(2001) as f32 / 1000.0 - 1.0);
    let (left, right, size) = (near(0.32, 0.02), near(0.68, 0.02), near(0.2, 0.015));
    let heart = (near(0.56, 0.03), near(0.62, 0.03), near(0.12, 0.02));
    let (ribs, bend) = (near(13.0, 1.0), near(0.8, 0.2));
    of(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        let lung = |middle: f32| ((u - middle) / size).hypot((v - 0.5) / (1.8 * size)) < 1.0;
        let mut value = 150.0 - 60.0 * (v - 0.5).abs();
        if lung(left) || lung(right) {
            value = 60.0 + 35.0 * ((v + bend * (u - 0.5).abs()) * ribs * 3.0).sin().max(0.0);
        }
        if ((u - heart.0) / heart.2).hypot((v - heart.1) / heart.2) < 1.0 {
            value = 185.0;
        }
        [value as u8; 3]
    })
}

pub(crate) fn sketched((rgb, width, height): &Picture) -> Vec<u8> {
    let mut record = vec![0; BYTES];
    sketch(rgb, *width, *height, &mut record);
    record
}

fn look(a: &Picture, b: &Picture) -> Look {
    compare(&sketched(a), &sketched(b))
}

/// Averaged down, or repeated up, with linear steps between.
pub(crate) fn resized(picture: &Picture, width: usize, height: usize) -> Picture {
    let (rgb, w, h) = picture;
    let at =
        |x: usize, y: usize, channel: usize| f32::from(rgb[(y.min(h - 1) * w + x.min(w - 1)) * 3 + channel]);
    let steps = 3;
    of(width, height, |x, y| {
        std::array::from_fn(|channel| {
            let mut sum = 0.0;
            for (i, j) in (0..steps).flat_map(|i| (0..steps).map(move |j| (i, j))) {
                let part = |cell: usize, step: usize, to: usize, from: usize| {
                    ((cell as f32 + (step as f32 + 0.5) / steps as f32) * from as f32 / to as f32 - 0.5)
                        .max(0.0)
                };
                let (u, v) = (part(x, i, width, *w), part(y, j, height, *h));
                let (x0, y0, fx, fy) = (u as usize, v as usize, u.fract(), v.fract());
                let row = |y: usize| at(x0, y, channel) * (1.0 - fx) + at(x0 + 1, y, channel) * fx;
                sum += row(y0) * (1.0 - fy) + row(y0 + 1) * fy;
            }
            (sum / (steps * steps) as f32).round() as u8
        })
    })
}

pub(crate) fn changed((rgb, width, height): &Picture, change: impl Fn(f32) -> f32) -> Picture {
    (rgb.iter().map(|&value| change(f32::from(value)).clamp(0.0, 255.0) as u8).collect(), *width, *height)
}

#[test]
fn the_same_pixels_are_told_from_the_same_picture() {
    let first = scene(300, 200, 1);
    assert_eq!(look(&first, &first.clone()), Look::SamePixels);
    let mut other = first.clone();
    other.0[5] ^= 1;
    assert_eq!(look(&first, &other), Look::SamePicture);
    let turned_size = (first.0.clone(), 200, 300);
    assert_ne!(look(&first, &turned_size), Look::SamePixels);
    assert_eq!(compare(&[], &sketched(&first)), Look::Alike);
    assert_eq!(compare(&[0; BYTES], &[0; BYTES]), Look::Alike, "nothing was seen of either");
}

#[test]
fn saving_again_makes_the_same_picture() {
    for seed in 0..8 {
        for (width, height) in [(32, 32), (64, 48), (300, 200)] {
            let first = scene(width, height, seed);
            let mut random = Random(seed);
            let noise: Vec<f32> = (0..first.0.len()).map(|_| random.next(9) as f32 - 4.0).collect();
            let noisy = first
                .0
                .iter()
                .zip(noise)
                .map(|(&value, noise)| (f32::from(value) + noise).clamp(0.0, 255.0) as u8);
            let noisy: Picture = (noisy.collect(), width, height);
            assert_eq!(look(&first, &noisy), Look::SamePicture, "noise, {width} x {height}, {seed}");
            for (w, h) in
                [(width * 5 / 4, height * 5 / 4), (width * 2, height * 2), (width * 4 / 5, height * 4 / 5)]
            {
                let other = resized(&first, w, h);
                assert_eq!(
                    look(&first, &other),
                    Look::SamePicture,
                    "{width} x {height} as {w} x {h}, {seed}"
                );
            }
            let lighter = changed(&first, |value| 20.0 + value * 0.85);
            assert_eq!(look(&first, &lighter), Look::SamePicture, "lighter, {width} x {height}, {seed}");
        }
    }
}

#[test]
fn letters_and_x_rays_on_one_template_are_only_alike() {
    for (kind, make, count) in
        [("letter", letter as fn(usize, usize, u32) -> Picture, 40_u32), ("x-ray", x_ray, 30)]
    {
        for (width, height) in [(240, 320), (600, 800)] {
            let sketches: Vec<Vec<u8>> =
                (0..count).map(|seed| sketched(&make(width, height, 100 + 7 * seed))).collect();
            let pairs = (0..sketches.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
            let same: Vec<(usize, usize)> =
                pairs.filter(|&(a, b)| compare(&sketches[a], &sketches[b]) != Look::Alike).collect();
            assert_eq!(same, [], "{kind} of {width} x {height}");
            let copy = sketched(&resized(&make(width, height, 100), width * 3 / 4, height * 3 / 4));
            assert_eq!(compare(&sketches[0], &copy), Look::SamePicture, "a {kind} scaled down");
        }
    }
}

#[test]
fn one_thing_that_moved_makes_another_picture() {
    let first = scene(400, 300, 3);
    let moved = |by: usize| {
        let mut picture = first.clone();
        for (x, y) in (100..140).flat_map(|y| (200..240).map(move |x| (x, y))) {
            let at = (y * 400 + x + by) * 3;
            picture.0[at..at + 3].copy_from_slice(&[250, 20, 20]);
        }
        picture
    };
    assert_eq!(look(&moved(0), &moved(20)), Look::Alike);
    assert_eq!(look(&moved(0), &moved(0)), Look::SamePixels);
    let recolored = of(400, 300, |x, y| {
        let at = (y * 400 + x) * 3;
        [first.0[at + 2], first.0[at + 1], first.0[at]]
    });
    assert_eq!(look(&first, &recolored), Look::Alike, "a product in another color");
}

#[test]
fn turned_copies_are_found_when_asked_for() {
    let first = scene(128, 128, 5);
    let pixel = |x: usize, y: usize| {
        let at = (y * 128 + x) * 3;
        [first.0[at], first.0[at + 1], first.0[at + 2]]
    };
    for turned in [
        of(128, 128, |x, y| pixel(127 - x, y)),
        of(128, 128, |x, y| pixel(x, 127 - y)),
        of(128, 128, |x, y| pixel(y, 127 - x)),
        of(128, 128, |x, y| pixel(127 - y, 127 - x)),
    ] {
        let (a, b) = (sketched(&first), sketched(&turned));
        assert_eq!((compare(&a, &b), compare_turned(&a, &b)), (Look::Alike, Look::SamePicture));
    }
    assert_eq!(compare_turned(&sketched(&first), &sketched(&scene(128, 128, 6))), Look::Alike);
}
