use super::*;
use crate::spectrum::Spectrum;
use crate::tests::{Picture, changed, letter, of, resized, scene, sketched, x_ray};
use crate::turn;

fn pixel((rgb, width, _): &Picture, x: usize, y: usize) -> [u8; 3] {
    let at = (y * width + x) * 3;
    [rgb[at], rgb[at + 1], rgb[at + 2]]
}

/// The part that is left when shares of the sides are cut off.
fn cropped(picture: &Picture, [left, right, top, bottom]: [f32; 4]) -> Picture {
    let (width, height) = (picture.1 as f32, picture.2 as f32);
    let (x, y) = ((left * width) as usize, (top * height) as usize);
    let (to_x, to_y) = (((1.0 - right) * width) as usize, ((1.0 - bottom) * height) as usize);
    of(to_x - x, to_y - y, |u, v| pixel(picture, x + u, y + v))
}

fn bordered(picture: &Picture, share: f32, color: u8) -> Picture {
    let wide = (share * picture.1.min(picture.2) as f32) as usize;
    of(picture.1 + 2 * wide, picture.2 + 2 * wide, |x, y| {
        let inside = (wide..wide + picture.1).contains(&x) && (wide..wide + picture.2).contains(&y);
        if inside { pixel(picture, x - wide, y - wide) } else { [color; 3] }
    })
}

fn mirrored(picture: &Picture) -> Picture {
    of(picture.1, picture.2, |x, y| pixel(picture, picture.1 - 1 - x, y))
}

fn quarter(picture: &Picture) -> Picture {
    of(picture.2, picture.1, |x, y| pixel(picture, y, picture.2 - 1 - x))
}

fn search(pictures: &[Picture]) -> Found {
    let sketches: Vec<Vec<u8>> = pictures.iter().map(sketched).collect();
    let records: Vec<&[u8]> = sketches.iter().map(Vec::as_slice).collect();
    parts(&records, true, &|_, _| true, &|| Ok::<(), ()>(())).unwrap()
}

fn found(pictures: &[Picture]) -> Vec<Part> {
    search(pictures).parts
}

/// A disc, a ring, a square or stripes in two colors with a grain: every picture another, and all of one kind near each other.
fn pattern(number: u32) -> Picture {
    let mut state = number.wrapping_mul(0x9e37_79b9).wrapping_add(7);
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / (1 << 24) as f32
    };
    let (x0, y0, size) = (0.3 + 0.4 * next(), 0.3 + 0.4 * next(), 0.15 + 0.15 * next());
    of(32, 32, |x, y| {
        let (u, v) = (x as f32 / 32.0 - x0, y as f32 / 32.0 - y0);
        let inside = match number % 5 {
            0 => u.hypot(v) < size,
            1 => (size / 2.0..size).contains(&u.hypot(v)),
            2 => u.abs().max(v.abs()) < size,
            3 => (u * 20.0).sin() > 0.0,
            _ => u.abs() < size / 3.0 || v.abs() < size / 3.0,
        };
        let grain = 36.0 * (next() - 0.5);
        if inside { [220.0, 60.0, 120.0] } else { [60.0, 160.0, 90.0] }.map(|level| (level + grain) as u8)
    })
}

/// A thing with much to see in it before one of many grounds, mirrored for every other.
fn thing_before(ground: u32) -> Picture {
    let thing = scene(200, 150, 900);
    let around = scene(40, 30, 1000 + ground);
    let (left, wide) = (30 + 8 * (ground as usize % 4), 120 + 12 * (ground as usize % 3));
    of(240, 180, |x, y| {
        let (u, v) = ((x as f32 - left as f32) / wide as f32, (y as f32 - 20.0) / (0.75 * wide as f32));
        let inside = (u - 0.5).hypot(v - 0.5) < 0.5;
        if !inside {
            // A wall: nearly flat, with soft spots.
            return pixel(&around, x / 6, y / 6).map(|level| 150 + level / 10);
        }
        let u = if ground.is_multiple_of(2) { u } else { 1.0 - u };
        pixel(&thing, (u * 199.0) as usize, (v * 149.0) as usize)
    })
}

/// A kind of change, its name, and what is around the original in it or around it in the original.
type Change = (&'static str, fn(&Picture) -> Picture, Around);

const CHANGES: [Change; 10] = [
    ("crop in the middle", |one| cropped(one, [0.05; 4]), Around::Picture),
    ("crop on one side", |one| cropped(one, [0.1, 0.0, 0.0, 0.0]), Around::Picture),
    ("crop in a corner", |one| cropped(one, [0.1, 0.0, 0.0, 0.1]), Around::Picture),
    ("crop anywhere", |one| cropped(one, [0.02, 0.08, 0.09, 0.03]), Around::Picture),
    ("crop of a tenth each", |one| cropped(one, [0.1; 4]), Around::Picture),
    ("black border", |one| bordered(one, 0.1, 0), Around::Border),
    ("white border", |one| bordered(one, 0.07, 255), Around::Border),
    ("mirrored crop", |one| mirrored(&cropped(one, [0.05; 4])), Around::Picture),
    ("turned with a border", |one| quarter(&bordered(one, 0.06, 128)), Around::Border),
    (
        "crop, smaller and lighter",
        |one| {
            let crop = cropped(one, [0.1, 0.0, 0.06, 0.04]);
            changed(&resized(&crop, crop.1 * 3 / 5, crop.2 * 3 / 5), |value| 25.0 + 0.85 * value)
        },
        Around::Picture,
    ),
];

#[test]
fn parts_are_found_among_others_and_nothing_else() {
    let mut missed = Vec::new();
    for round in 0..4 {
        let number = CHANGES.len();
        let originals: Vec<Picture> =
            (0..2 * number as u32).map(|seed| scene(240, 180, 100 * round + seed)).collect();
        let copies = originals.iter().zip(CHANGES).map(|(original, (_, change, _))| change(original));
        let all: Vec<Picture> = copies.chain(originals.iter().cloned()).collect();
        let parts = found(&all);
        for (copy, (name, _, around)) in CHANGES.into_iter().enumerate() {
            let is_pair = |part: &&Part| {
                (part.whole.min(part.part) as usize, part.whole.max(part.part) as usize)
                    == (copy, number + copy)
            };
            match parts.iter().find(is_pair) {
                None => missed.push((name, round)),
                Some(part) => assert_eq!(part.around, around, "{name}: {part:?}"),
            }
        }
        let wrong = |part: &&Part| part.whole.abs_diff(part.part) as usize != number;
        let wrong: Vec<&Part> = parts.iter().filter(wrong).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
    assert!(missed.len() * 20 <= CHANGES.len() * 4, "{missed:?}");
}

#[test]
fn templates_flat_pictures_and_bursts_have_no_parts() {
    let letters: Vec<Picture> = (0..40).map(|seed| letter(180, 240, 100 + 7 * seed)).collect();
    assert_eq!(found(&letters), [], "letters");
    let x_rays: Vec<Picture> = (0..30).map(|seed| x_ray(180, 240, 100 + 7 * seed)).collect();
    assert_eq!(found(&x_rays), [], "x-rays");
    let flat: Vec<Picture> = (0..30_u8)
        .map(|seed| of(90, 60, |x, y| [200 + (seed + (x * 3 + y * 7) as u8 % 3) % 40; 3]))
        .chain((0..30).map(|seed| of(90, 60, |x, y| [(100 + seed + x + (y * seed) / 40) as u8; 3])))
        .collect();
    assert_eq!(found(&flat), [], "flat pictures and skies");
    let burst: Vec<Picture> = (0..6)
        .map(|frame| {
            let still = scene(240, 180, 3);
            of(240, 180, |x, y| {
                let moving = (30 + 30 * frame..75 + 30 * frame).contains(&x) && (60..130).contains(&y);
                if moving { [250, (x * 3 + frame * 40) as u8, 20] } else { pixel(&still, x, y) }
            })
        })
        .collect();
    assert_eq!(found(&burst), [], "a burst");
}

#[test]
fn one_thing_before_other_grounds_has_no_parts() {
    let pictures: Vec<Picture> = (0..24).map(thing_before).collect();
    assert_eq!(found(&pictures), []);
}

/// With a grain of soft spots all over, as photographs have it.
fn grained(picture: &Picture, seed: u32) -> Picture {
    let spots = scene(60, 45, 3000 + seed);
    of(picture.1, picture.2, |x, y| {
        let spot = pixel(&spots, (x * 7 + y * 3) / 11 % 60, (y * 5 + x) / 9 % 45)[0];
        pixel(picture, x, y).map(|level| (f32::from(level) * 0.8 + 0.2 * f32::from(spot)) as u8)
    })
}

#[test]
fn a_crop_by_a_little_is_found() {
    let originals: Vec<Picture> = (0..20).map(|seed| grained(&scene(240, 180, 500 + seed), seed)).collect();
    let crops = originals.iter().map(|one| cropped(one, [0.02, 0.025, 0.03, 0.015]));
    let all: Vec<Picture> = crops.chain(originals.iter().cloned()).collect();
    let parts = found(&all);
    assert!(parts.iter().all(|part| part.whole.abs_diff(part.part) == 20), "{parts:?}");
    assert!(parts.len() >= 18, "{}", parts.len());
}

#[test]
fn the_work_grows_with_the_number_of_pictures_whatever_they_show() {
    let work = |count: u32| {
        let pictures: Vec<Picture> = (0..count).map(pattern).collect();
        let found = search(&pictures);
        assert_eq!(found.parts, [], "{count}");
        (found.work, found.crowded)
    };
    let counts: &[u32] = if cfg!(debug_assertions) { &[250, 1_000] } else { &[1_000, 4_000, 32_000] };
    for &count in counts {
        let (Work { looked_up, fitted }, crowded) = work(count);
        println!("{count} patterns: {looked_up} entries looked up, {fitted} pairs fitted, {crowded} crowded");
        assert!(looked_up <= 30_000 * u64::from(count), "{count}: {looked_up}");
        assert!(fitted <= 6 * u64::from(count), "{count}: {fitted}");
        assert!(crowded > 0, "{count}: patterns are near many others, and that is told");
    }
}

#[test]
fn turns_are_the_same_in_places_and_in_spectra() {
    let first = scene(200, 200, 4);
    let sketch = sketched(&first);
    let whole = Window { across: (0.0, 1.0), down: (0.0, 1.0) };
    let spectrum = Spectrum::new(&Read::new(&sketch).unwrap(), whole).unwrap();
    for turn in turn::ALL {
        let seen = of(200, 200, |x, y| {
            let (u, v) = turn::cell(turn, (x, y), 200);
            pixel(&first, u, v)
        });
        let sketch = sketched(&seen);
        let other = Spectrum::new(&Read::new(&sketch).unwrap(), whole).unwrap();
        assert!(spectrum.turned(turn).cosine(&other) > 0.999, "{turn}");
    }
}
