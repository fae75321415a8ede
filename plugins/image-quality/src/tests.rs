use super::ImageQuality;
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::{MemoryHost, Outcome, Picture};

/// A number that looks random, by another one.
fn mixed(number: u64) -> u64 {
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 27)
}

/// A lively, sharp, colored picture.
fn fine(width: u32, height: u32, seed: u32) -> Picture {
    Picture::from_fn(width, height, |x, y| {
        // Half of it is even: a picture that is restless all over is noisy.
        if 9 * y < 5 * height {
            let level = 255 * x / width;
            return [level as u8, 255 - level as u8, (seed * 37 + level / 2) as u8];
        }
        let noise = mixed(u64::from(y) << 40 | u64::from(x) << 20 | u64::from(seed));
        // Neither black nor white.
        [24, 16, 8].map(|bits| 20 + ((noise >> bits) as u8) / 5 * 4)
    })
}

fn gray(picture: &Picture) -> Picture {
    Picture::from_fn(picture.width, picture.height, |x, y| {
        [picture.rgb[((y * picture.width + x) * 3) as usize]; 3]
    })
}

/// Fine pictures and behind them the odd ones.
fn among(count: u32, odd: Vec<Picture>) -> MemoryHost {
    MemoryHost::new().pictures((0..count).map(|seed| fine(32, 32, seed)).chain(odd).collect())
}

fn reason(outcome: &Outcome, sample: usize) -> &str {
    outcome.issue(sample).map_or("", |issue| issue.reason.as_str())
}

#[test]
fn fine_pictures_are_not_flagged() {
    let outcome = among(20, Vec::new()).run(&ImageQuality);
    assert_eq!(outcome.error, None);
    assert!(outcome.flagged(0.5).is_empty());
    assert!(outcome.scores.iter().all(|score| score.is_some_and(|score| score > 0.55)));
    assert_eq!(outcome.note("summary"), Some("no poor pictures found"));
}

/// Pure white rounds to a step of brightness above 1, in pictures of all sizes and however much of them is white.
#[test]
fn white_pictures_have_scores() {
    let white = |side: u32, spots: u32| {
        Picture::from_fn(side, side, move |x, y| if y * side + x < spots { [0, 90, 200] } else { [255; 3] })
    };
    let all = [(32, 0), (32, 30), (64, 0), (64, 100), (100, 400), (300, 4_000)];
    let outcome = among(90, all.iter().map(|&(side, spots)| white(side, spots)).collect()).run(&ImageQuality);
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.note("not scored"), None);
    for (sample, (side, spots)) in (90..96).zip(all) {
        let score = outcome.scores[sample].unwrap();
        assert!((0.0..0.5).contains(&score), "{side} with {spots} spots: {score}");
        assert!(
            reason(&outcome, sample).contains("almost white") || spots == 0,
            "{}",
            reason(&outcome, sample)
        );
    }
}

#[test]
fn no_summary_clears_what_was_not_read() {
    let mut known = vec![true; 20];
    known[3] = false;
    let outcome = among(20, Vec::new()).decodable(&known).run(&ImageQuality);
    let expected = "no poor pictures found; 1 file could not be read and was not checked";
    assert_eq!(outcome.note("summary"), Some(expected));
}

#[test]
fn each_fault_is_named_with_its_value() {
    let black = Picture::from_fn(32, 32, |x, y| [((x * y) % 9) as u8, (x % 7) as u8, (y % 8) as u8]);
    let white =
        Picture::from_fn(32, 32, |x, y| [255 - (x % 5) as u8, 255 - (y % 4) as u8, 250 + (x * y % 6) as u8]);
    let blurry = Picture::from_fn(32, 32, |x, y| [(x * 4 + y) as u8, (y * 5) as u8, (x * 3 + 40) as u8]);
    let odd = vec![
        fine(200, 200, 1),
        fine(32, 8, 2),
        black,
        white,
        Picture::from_fn(32, 32, |_, _| [10, 200, 90]),
        gray(&fine(32, 32, 3)),
        blurry,
        fine(16, 16, 4),
    ];
    let outcome = among(92, odd).run(&ImageQuality);
    assert_eq!(outcome.flagged(0.5), (92..100).collect::<Vec<_>>());
    assert_eq!(reason(&outcome, 92), "much larger than the others: 200 x 200 among pictures of 32 x 32");
    assert_eq!(outcome.scores[92], Some(0.5 * 32.0 / 200.0));
    assert_eq!(
        reason(&outcome, 93),
        "smaller than the others: 32 x 8 among pictures of 32 x 32; odd shape: 32 x 8, 4.0 times as wide as high"
    );
    assert!(reason(&outcome, 94).contains("dark: 99 % of its pixels have at most 2 % of full brightness"));
    assert!(reason(&outcome, 95).contains("almost white: 95 % of its pixels have at least 99 %"));
    assert!(reason(&outcome, 96).contains("one flat color: its pixels vary by 0.0 of 255 levels"));
    assert!(reason(&outcome, 96).contains("hardly any information: 1.6 bits, fewer than 3.0"));
    assert_eq!(reason(&outcome, 97), "gray: stored as color but has none, unlike most others");
    assert!(reason(&outcome, 98).starts_with("blurry: sharpness 0."), "{}", reason(&outcome, 98));
    assert!(reason(&outcome, 99).starts_with("smaller than the others: 16 x 16 among pictures of 32 x 32"));
    let summary = outcome.note("summary").unwrap();
    assert!(
        summary.starts_with("8 poor pictures: flat 3, dark 1, light 1, low information 1, "),
        "{summary}"
    );
}

#[test]
fn what_the_file_says_of_itself() {
    let source = |format, named, channels, orientation, frames| Source {
        format,
        named,
        channels,
        orientation,
        frames,
    };
    let mut sources = vec![source(1, 1, 3, 1, 1); 60];
    sources[3] = source(2, 1, 3, 1, 1);
    sources[4] = source(1, 1, 3, 6, 1);
    sources[5] = source(3, 3, 4, 1, 2);
    sources[6] = source(1, 1, 1, 1, 1);
    sources[7] = source(1, 0, 3, 0, 0);
    sources[8] = source(7, 9, 3, 1, 1);
    let mut pictures: Vec<Picture> = (0..60).map(|seed| fine(32, 32, seed)).collect();
    pictures[6] = gray(&pictures[6]);
    let host = || MemoryHost::new().pictures(pictures.clone()).sources(&sources);
    let outcome = host().run(&ImageQuality);
    assert_eq!(outcome.flagged(0.5), [3, 4, 5, 6, 8]);
    assert_eq!(reason(&outcome, 3), "wrong extension: named as a JPEG but it is a PNG");
    assert_eq!(reason(&outcome, 8), "wrong extension: named as an AVIF but it is a JPEG XL");
    assert_eq!(reason(&outcome, 4), "not stored upright: EXIF orientation 6, which programs may ignore");
    assert_eq!(reason(&outcome, 5), "animated: only its first frame was checked");
    assert_eq!(reason(&outcome, 6), "gray: stored without color, unlike most others");
    let off = ["grayscale", "wrong-extension", "animated", "rotated"];
    let quiet = off.into_iter().fold(host(), |host, name| host.param(name, 0.0));
    assert!(quiet.run(&ImageQuality).flagged(0.5).is_empty());
}

#[test]
fn what_most_have_is_a_property_of_the_dataset() {
    let grays = |count: u32| (0..count).map(|seed| gray(&fine(32, 32, seed + 500))).collect();
    let gray = |fine, odd| among(fine, grays(odd)).param("gray-prevalence", 1.0);
    assert_eq!(gray(90, 10).run(&ImageQuality).flagged(0.5).len(), 10);
    let outcome = gray(89, 11).run(&ImageQuality);
    assert!(outcome.flagged(0.5).is_empty());
    assert_eq!(
        outcome.note("summary"),
        Some(
            "no poor pictures found; a property of these 100 pictures and not flagged as such: gray stored as color 11"
        )
    );
    assert_eq!(
        outcome.note("remark"),
        Some(
            "11 of 100 pictures (11 %) have the fault 'gray stored as color', more than the 10 % of the setting \
             gray-prevalence: none is flagged for it"
        )
    );
    assert_eq!(outcome.note("warning"), None);
    let dark = || Picture::from_fn(32, 32, |x, y| [(x % 3) as u8, (y % 3) as u8, 0]);
    let black = among(8, (0..12).map(|_| dark()).collect()).run(&ImageQuality);
    assert!(black.note("warning").unwrap().contains("12 of 20 pictures (60 %) have the fault 'dark'"));
    assert_eq!(gray(89, 11).param("prevalence", 1.0).run(&ImageQuality).flagged(0.5).len(), 11);
    assert!(among(96, grays(4)).run(&ImageQuality).flagged(0.5).is_empty(), "more than a hundredth");
    // Three of a handful are flagged however large their share is.
    assert_eq!(among(4, grays(3)).run(&ImageQuality).flagged(0.5).len(), 3);

    // Gray stored without color makes a gray dataset, in which gray stored as color is nothing odd.
    let mut sources = vec![Source { channels: 3, ..Source::default() }; 100];
    sources[80..99].fill(Source { channels: 1, ..Source::default() });
    let outcome = among(80, grays(20)).sources(&sources).run(&ImageQuality);
    assert!(outcome.flagged(0.5).is_empty());
}

#[test]
fn sizes_are_odd_by_their_quartiles() {
    let mut pictures: Vec<Picture> = (0..60).map(|seed| fine(28 + seed % 9, 28 + seed % 7, seed)).collect();
    pictures.push(fine(150, 150, 99));
    let host = || MemoryHost::new().pictures(pictures.clone());
    let outcome = host().run(&ImageQuality);
    assert_eq!(outcome.flagged(0.5), [60]);
    assert!(
        reason(&outcome, 60).starts_with("much larger than the others: 150 x 150 among pictures of about 3")
    );
    let outcome = host().param("odd-size", 100.0).run(&ImageQuality);
    assert!(!reason(&outcome, 60).contains("larger"));
}

#[test]
fn hardly_any_input_is_no_trouble() {
    let nothing = MemoryHost::new().pictures(Vec::new()).run(&ImageQuality);
    assert_eq!((nothing.error, nothing.scores.len()), (None, 0));

    let empty = Picture { width: 0, height: 0, rgb: Vec::new() };
    let pictures = vec![fine(1, 1, 1), empty, fine(1, 400, 2), fine(2, 2, 3)];
    let all = MemoryHost::new().pictures(pictures.clone()).run(&ImageQuality);
    assert!(all.error.is_none() && all.scores.iter().all(Option::is_some), "{all:?}");
    let one = MemoryHost::new().pictures(pictures[..1].to_vec()).run(&ImageQuality);
    assert!(one.error.is_none() && one.scores[0].is_some());

    let unreadable = MemoryHost::new().pictures(pictures).decodable(&[false; 4]).run(&ImageQuality);
    assert_eq!((unreadable.error, unreadable.scores), (None, vec![None; 4]));

    for param in <ImageQuality as Detector>::INFO.parameters() {
        for value in [param.bounds().0, param.bounds().1] {
            let outcome = among(9, vec![fine(1, 1, 1)]).param(param.name(), value).run(&ImageQuality);
            assert_eq!(outcome.error, None, "{} = {value}", param.name());
        }
    }
}

#[test]
fn a_stop_is_obeyed() {
    assert!(among(4, Vec::new()).stop_after(0).run(&ImageQuality).stopped);
}

fn changed(picture: &Picture, change: impl Fn(usize, u8) -> u8) -> Picture {
    let rgb = picture.rgb.iter().enumerate().map(|(at, &value)| change(at, value)).collect();
    Picture { rgb, ..picture.clone() }
}

/// Even random numbers below 1 by place.
fn random(at: usize) -> f64 {
    (mixed(at as u64) >> 40) as f64 / (1_u64 << 24) as f64
}

#[test]
fn new_faults_are_named_with_their_values() {
    for side in [32, 96, 250] {
        let own = fine(side, side, 7);
        let normal = |at: usize| (0..12).map(|n| random(at * 12 + n)).sum::<f64>() - 6.0;
        let noisy = changed(&own, |at, value| (f64::from(value) + 25.0 * normal(at)).clamp(0.0, 255.0) as u8);
        let specked = changed(&own, |at, value| match random(at / 3) {
            low if low < 0.015 => 0,
            high if high > 0.985 => 255,
            _ => value,
        });
        let faint = changed(&own, |_, value| 110 + value / 10);
        let cut = Picture::from_fn(side, side, |x, y| match y < side / 2 {
            true => {
                std::array::from_fn(|channel| own.rgb[((side - 1 - y) * side + x) as usize * 3 + channel])
            }
            false => [128; 3],
        });
        let boxed = Picture::from_fn(side, side, |x, y| match (side / 8..side - side / 8).contains(&x) {
            true => std::array::from_fn(|channel| own.rgb[(y * side + x) as usize * 3 + channel]),
            false => [0; 3],
        });
        let others = (0..60).map(|seed| fine(side, side, seed));
        let pictures = others.chain([noisy, specked, faint, cut, boxed]).collect();
        let outcome = MemoryHost::new().pictures(pictures).run(&ImageQuality);
        assert_eq!(
            outcome.flagged(0.5),
            (60..65).collect::<Vec<_>>(),
            "{side}: {:?}",
            outcome.note("summary")
        );
        assert!(reason(&outcome, 60).contains("noisy: noise of "), "{side}: {}", reason(&outcome, 60));
        assert!(reason(&outcome, 61).contains("salt and pepper: "), "{side}: {}", reason(&outcome, 61));
        assert!(
            reason(&outcome, 62).contains("low contrast: 98 % of its pixels"),
            "{}",
            reason(&outcome, 62)
        );
        assert!(reason(&outcome, 63).contains("cut off: 50 % at the bottom"), "{}", reason(&outcome, 63));
        assert!(
            reason(&outcome, 64).contains("bars of one color at the edges: 25 %"),
            "{}",
            reason(&outcome, 64)
        );
        let off = [
            ("noise", 0.0),
            ("salt-and-pepper", 0.0),
            ("low-contrast", 0.0),
            ("cut-off", 1.0),
            ("bars", 1.0),
            ("low-information", 0.0),
            ("blurry", 0.0),
        ];
        let pictures =
            (0..60).map(|seed| fine(side, side, seed)).chain([changed(&own, |_, value| 110 + value / 10)]);
        let host = MemoryHost::new().pictures(pictures.collect());
        let quiet =
            off.into_iter().fold(host, |host, (name, value)| host.param(name, value)).run(&ImageQuality);
        assert!(quiet.flagged(0.5).is_empty(), "{side}: {:?}", quiet.note("summary"));
    }
}

#[test]
fn the_extreme_ones_are_flagged_where_many_have_a_fault() {
    // A fifth is a little smaller, and one is much larger.
    let pictures = |huge: bool| {
        let usual = (0..80).map(|seed| fine(40, 40, seed));
        let smaller = (0..20).map(|seed| fine(36, 36, seed));
        MemoryHost::new().pictures(usual.chain(smaller).chain(huge.then(|| fine(400, 400, 1))).collect())
    };
    assert!(pictures(false).run(&ImageQuality).flagged(0.5).is_empty());
    let outcome = pictures(true).run(&ImageQuality);
    assert_eq!(outcome.flagged(0.5), [100]);
    let remark = outcome.note("remark").unwrap();
    assert!(remark.contains("21 of 101 pictures (20.8 %) have the fault 'odd size'"), "{remark}");
    assert!(remark.ends_with("only the most extreme one is flagged for it"), "{remark}");
    assert!(outcome.note("summary").unwrap().starts_with("1 poor picture: odd size 1; a property of"));
}

#[test]
fn gray_pictures_are_flagged_in_a_class_that_has_hardly_any() {
    // Radiographs are gray; of the photographs one in 200 is.
    let class = |row: u32| u32::from(row >= 200);
    let picture =
        |row: u32| if row >= 200 || row == 17 { gray(&fine(32, 32, row)) } else { fine(32, 32, row) };
    let host = MemoryHost::new().pictures((0..400).map(picture).collect());
    let outcome = host
        .classes(&["photograph", "radiograph"])
        .labels(&(0..400).map(class).collect::<Vec<_>>())
        .run(&ImageQuality);
    assert_eq!(outcome.flagged(0.5), [17]);
    // Spread over the classes alike, none is odd.
    let alike = MemoryHost::new().pictures(
        (0..400).map(|row| if row % 7 == 0 { gray(&fine(32, 32, row)) } else { fine(32, 32, row) }).collect(),
    );
    let outcome = alike
        .classes(&["photograph", "radiograph"])
        .labels(&(0..400).map(class).collect::<Vec<_>>())
        .run(&ImageQuality);
    assert!(outcome.flagged(0.5).is_empty(), "{:?}", outcome.note("summary"));
}

/// What read the file says how much of it is lost.
#[test]
fn what_decoding_says_is_damaged_gets_no_second_number() {
    let cut = |seed: u32| {
        let own = fine(64, 64, seed);
        Picture::from_fn(64, 64, |x, y| match y < 32 {
            true => std::array::from_fn(|channel| own.rgb[(y * 64 + x) as usize * 3 + channel]),
            false => [128; 3],
        })
    };
    let pictures: Vec<Picture> = (0..60).map(|seed| fine(64, 64, seed)).chain([cut(90), cut(91)]).collect();
    let mut damaged = vec![1.0; 62];
    damaged[60] = 0.05;
    let outcome = MemoryHost::new().pictures(pictures).scores_of("damaged", &damaged).run(&ImageQuality);
    assert_eq!(outcome.error, None);
    let said = |sample: usize| outcome.issue(sample).is_some_and(|issue| issue.reason.contains("cut off"));
    assert_eq!((said(60), said(61)), (false, true), "{:?}", outcome.issues);
}
