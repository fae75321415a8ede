//! Pictures over links: the first one after a key, and a key held down.

use super::keys::quit;
use super::screen::all_samples;
use super::{Report, Scale, milliseconds, percentile};
use crate::answers::Manner;
use crate::graphics::{self, Kitty};
use crate::link::Link;
use crate::process;
use crate::random::Random;
use crate::sandbox::Sandbox;
use crate::terminal::{Record, Terminal};
use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const SIDE: u32 = 600;
const SIZE: (u16, u16) = (180, 60);

/// Pictures other than the main one are smaller than this.
const SMALL: u32 = 140;

/// Something as smooth as a photo, with edges and a little noise.
fn photo(number: u64) -> RgbImage {
    let mut random = Random::new(number);
    let waves: Vec<[f32; 4]> = (0..6)
        .map(|_| {
            [
                random.between(1.0, 9.0),
                random.between(1.0, 9.0),
                random.between(0.0, 6.0),
                random.between(5.0, 30.0),
            ]
        })
        .collect();
    let (cx, cy, r) = (random.between(0.3, 0.7), random.between(0.3, 0.7), random.between(0.1, 0.3));
    let base = [random.between(60.0, 190.0), random.between(60.0, 190.0), random.between(60.0, 190.0)];
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let (u, v) = (x as f32 / SIDE as f32, y as f32 / SIDE as f32);
        let wave: f32 = waves.iter().map(|[a, b, c, d]| (u * a + v * b + c).sin() * d).sum();
        let disc = if (u - cx).hypot(v - cy) < r { 55.0 } else { 0.0 };
        let noise = random.between(-2.5, 2.5);
        let channel =
            |n: usize| (base[n] + wave * [0.8, 0.6, -0.5][n] + disc + noise).clamp(0.0, 255.0) as u8;
        Rgb([channel(0), channel(1), channel(2)])
    })
}

fn scanned(count: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    for number in 0..count {
        let folder = sandbox.data().join(["cat", "dog"][number % 2]);
        std::fs::create_dir_all(&folder).unwrap();
        photo(number as u64).save(folder.join(format!("{number:04}.png"))).unwrap();
    }
    sandbox.scan();
    sandbox
}

fn open(sandbox: &Sandbox, link: Link) -> Terminal {
    let mut command = sandbox.command(["open", sandbox.session().to_str().unwrap()]);
    command.env("TERM", "xterm-256color").env("COLORTERM", "truecolor");
    let terminal = Terminal::start_over(&command, SIZE, Manner::kitty(), link);
    all_samples(&terminal);
    terminal.settle(Duration::from_millis(2_500));
    terminal
}

/// Main pictures whose last byte came after an offset in the recording: when, bytes of the file, and the picture.
fn transmitted(record: &Record, from: usize) -> Vec<(Instant, usize, RgbImage)> {
    let (mut all, mut data, mut at) = (Vec::new(), Vec::new(), from);
    let bytes = &record.bytes;
    while let Some(start) = find(&bytes[at..], b"\x1b_G").map(|n| n + at) {
        let Some(end) = find(&bytes[start..], b"\x1b\\").map(|n| n + start) else { break };
        let body = &bytes[start + 3..end];
        at = end + 2;
        let Some(cut) = body.iter().position(|byte| *byte == b';') else {
            // An aborted one.
            data.clear();
            continue;
        };
        let keys = String::from_utf8_lossy(&body[..cut]).into_owned();
        if keys.contains("a=q") {
            continue;
        }
        if keys.contains("a=") {
            data.clear();
        }
        data.extend_from_slice(&body[cut + 1..]);
        if !keys.split(',').any(|key| key == "m=1") {
            let file = graphics::unbase64(&std::mem::take(&mut data));
            if let Ok(image) = image::load_from_memory(&file)
                && image.width() > SMALL
            {
                all.push((record.came(at - 1), file.len(), image.into_rgb8()));
            }
        }
    }
    all
}

/// When a picture was first placed next to the list after this time, whether sent then or already there.
fn shown_after(record: &Record, moment: Instant) -> Option<Instant> {
    let bytes = &record.bytes;
    let mut at = 0;
    while let Some(start) = find(&bytes[at..], b"\x1b_Ga=p,").map(|n| n + at) {
        let end = find(&bytes[start..], b"\x1b\\").map_or(bytes.len(), |n| n + start);
        // The main picture is the first placement of its image; those of neighbors have higher numbers.
        let main = find(&bytes[start..end], b",p=1,").is_some();
        let came = record.came(end.min(bytes.len() - 1));
        if main && came > moment {
            return Some(came);
        }
        at = end;
    }
    None
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Structural similarity of the brightness of two pictures of one size, over squares of eight pixels.
fn similarity(a: &RgbImage, b: &RgbImage) -> f64 {
    let luma = |p: &Rgb<u8>| 0.299 * f64::from(p[0]) + 0.587 * f64::from(p[1]) + 0.114 * f64::from(p[2]);
    let (c1, c2) = (6.5025, 58.5225);
    let (mut sum, mut count) = (0.0, 0.0);
    for y in (0..a.height().saturating_sub(7)).step_by(8) {
        for x in (0..a.width().saturating_sub(7)).step_by(8) {
            let square = |image: &RgbImage| -> Vec<f64> {
                (0..64).map(|n| luma(image.get_pixel(x + n % 8, y + n / 8))).collect()
            };
            let (p, q) = (square(a), square(b));
            let mean = |v: &[f64]| v.iter().sum::<f64>() / 64.0;
            let (m, n) = (mean(&p), mean(&q));
            let vary = |v: &[f64], m: f64, w: &[f64], n: f64| {
                v.iter().zip(w).map(|(a, b)| (a - m) * (b - n)).sum::<f64>() / 63.0
            };
            let (vp, vq, cov) = (vary(&p, m, &p, m), vary(&q, n, &q, n), vary(&p, m, &q, n));
            sum += (2.0 * m * n + c1) * (2.0 * cov + c2) / ((m * m + n * n + c1) * (vp + vq + c2));
            count += 1.0;
        }
    }
    sum / f64::max(count, 1.0)
}

/// The picture file named at the cursor by the message line or the list, decoded.
fn original(sandbox: &Sandbox, path: &str) -> RgbImage {
    image::open(sandbox.data().join(path)).unwrap().into_rgb8()
}

pub(super) fn first_picture(scale: Scale) -> Report {
    let mut report = Report::default();
    let count = scale.of(400, 90);
    let sandbox = scanned(count);
    let order: Vec<String> = {
        let session = sandbox.session();
        let ran = sandbox.ok(["rank", session.to_str().unwrap(), "--all", "--top", "0", "--format", "csv"]);
        crate::sandbox::table(&ran.stdout).into_iter().map(|row| row["path"].clone()).collect()
    };
    // Link, and what L0, L1 and L2 may take beyond the round trip.
    let links: [(u64, f64, [Option<f64>; 3]); 2] =
        [(100, 10.0, [Some(40.0), Some(100.0), Some(350.0)]), (100, 1.0, [Some(150.0), Some(550.0), None])];
    let (mut alike, mut sizes, mut widths) = (BTreeMap::<usize, Vec<f64>>::new(), Vec::new(), Vec::new());
    for (turn, (trip, megabits, limits)) in links.into_iter().enumerate() {
        let terminal = open(&sandbox, Link::new(trip, megabits));
        let mut times: [Vec<f64>; 3] = Default::default();
        for step in 0..scale.of(20, 2) {
            // Far from what was made ready, and not where the last terminal was left: the next one opens there, and
            // its picture is not sent a second time.
            let row = 25 + step * 17 + turn * 7;
            terminal.keys(&format!(":{row}"));
            std::thread::sleep(Duration::from_millis(300));
            let from = terminal.record().bytes.len();
            let pressed = Instant::now();
            terminal.keys("\r");
            let came = process::wait_for(Duration::from_secs(20), || {
                transmitted(&terminal.record(), from).len() >= 2
            });
            let record = terminal.record();
            let seen: Vec<_> = transmitted(&record, from)
                .into_iter()
                .map(|(_, bytes, image)| (bytes, image.width()))
                .collect();
            assert!(
                came.is_ok(),
                "row {row}: no two pictures over {megabits} Mbit/s, but {seen:?}\n{}",
                terminal.screen()
            );
            let blocks = |from: usize, to: usize| {
                record.bytes[from..to].windows(3).filter(|w| *w == "▀".as_bytes()).count()
            };
            let mut start = from;
            for (at, end) in record.frames().into_iter().filter(|(_, end)| *end > from) {
                // The frame with the picture in characters, and not one that only moves the list.
                if blocks(start, end) > 40 {
                    times[0].push(milliseconds(at - pressed) - trip as f64);
                    break;
                }
                start = end;
            }
            let path = &order[row - 1];
            let reference = original(&sandbox, path);
            for (level, (at, bytes, image)) in transmitted(&record, from).into_iter().take(2).enumerate() {
                times[level + 1].push(milliseconds(at - pressed) - trip as f64);
                let (width, height) = (reference.width(), reference.height());
                let shown = resize(&image, width, height, FilterType::Triangle);
                alike.entry(level + 1).or_default().push(similarity(&shown, &reference));
                if level == 1 {
                    widths.push(f64::from(image.width()));
                    sizes.push(bytes as f64 * 4.0 / 3.0);
                }
            }
            terminal.settle(Duration::from_millis(1_200));
        }
        for (level, times) in times.into_iter().enumerate() {
            let mut times = times;
            times.sort_by(f64::total_cmp);
            let what = format!(
                "{trip} ms, {megabits} Mbit/s: L{level} beyond the round trip, median of {}",
                times.len()
            );
            report.time(what, percentile(&times, 0.5), "ms", limits[level]);
            let what = format!("{trip} ms, {megabits} Mbit/s: L{level} beyond the round trip, maximum");
            report.time(what, percentile(&times, 1.0), "ms", None);
        }
        quit(terminal);
    }
    for (level, mut all) in alike {
        all.sort_by(f64::total_cmp);
        // As a distance, so that lower is better, as everywhere.
        report.count(
            format!("L{level}: 1 - SSIM to the original, most"),
            1.0 - all[0],
            "",
            Some([0.0, 0.25, 0.1][level]),
        );
    }
    sizes.sort_by(f64::total_cmp);
    report.count("L2 picture, pixels across", widths.iter().copied().fold(0.0, f64::max), "px", None);
    report.count("L2 picture, most", percentile(&sizes, 1.0) / 1e3, "kB", Some(200.0));
    report
}

pub(super) fn held_key(scale: Scale) -> Report {
    let mut report = Report::default();
    let sandbox = scanned(scale.of(300, 90));
    for round in 0..scale.of(3, 1) {
        let terminal = open(&sandbox, Link::new(100, 1.0));
        let keys = scale.of(150, 45);
        terminal.settle(Duration::from_millis(1_500));
        let from = terminal.record().bytes.len();
        let before = Kitty::read(&terminal.tap()).sent.len();
        terminal.most_on_the_way();
        for _ in 0..keys {
            terminal.keys("j");
            std::thread::sleep(Duration::from_micros(33_333));
        }
        let released = Instant::now();
        let place = format!("{}/", keys + 1);
        let frames = || super::screen::frames(&terminal.record(), SIZE.0, SIZE.1);
        terminal.wait("the last row", |screen| screen.contains(&place));
        let row = frames()
            .iter()
            .find(|frame| frame.place().is_some_and(|shown| shown.starts_with(&place)))
            .map(|frame| frame.at);
        let shown = || shown_after(&terminal.record(), released);
        let came = process::wait_for(Duration::from_secs(20), || shown().is_some());
        let record = terminal.record();
        let after = |at: Instant| (milliseconds(at.saturating_duration_since(released)) - 100.0).max(0.0);
        let what = format!("round {}", round + 1);
        report.time(
            format!("{what}: the last row beyond the round trip"),
            row.map_or(f64::NAN, after),
            "ms",
            Some(400.0),
        );
        let picture = shown();
        report.time(
            format!("{what}: its picture beyond the round trip"),
            picture.map_or(f64::NAN, after),
            "ms",
            Some(400.0),
        );
        assert!(came.is_ok(), "no picture of the last row\n{}", terminal.screen());
        let most = terminal.most_on_the_way();
        let end = record.bytes.len();
        let sent = Kitty::read(&record.bytes).sent.len() - before;
        report.count(format!("{what}: pictures sent"), sent as f64, "", Some(2.0));
        report.count(format!("{what}: sent in all"), (end - from) as f64 / 1e3, "kB", Some(250.0));
        report.count(format!("{what}: most on the way at once"), most as f64 / 1024.0, "KiB", Some(64.0));
        quit(terminal);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_like_itself_and_less_like_another() {
        let (a, b) = (photo(1), photo(2));
        assert!((similarity(&a, &a) - 1.0).abs() < 1e-9);
        assert!(similarity(&a, &b) < 0.9);
    }
}
