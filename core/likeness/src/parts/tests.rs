use super::*;
use crate::tests::{Picture, changed, letter, of, resized, scene, sketched, x_ray};

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

fn found(pictures: &[Picture]) -> Vec<Part> {
    let sketches: Vec<Vec<u8>> = pictures.iter().map(sketched).collect();
    let records: Vec<&[u8]> = sketches.iter().map(Vec::as_slice).collect();
    parts(&records, true, &|_, _| true, &|| Ok::<(), ()>(())).unwrap()
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
