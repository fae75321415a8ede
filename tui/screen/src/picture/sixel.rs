//! Sixels: six pixels below each other in one character, color by color, run by run.

use super::palette::Indexed;
use std::fmt::Write;

/// A picture as a device control string, ready to be written where the cursor is.
pub(super) fn encode(picture: &Indexed) -> String {
    let width = picture.width as usize;
    let mut out = format!("\x1bP0;1;0q\"1;1;{};{}", picture.width, picture.height);
    for (index, [r, g, b]) in picture.colors.iter().enumerate() {
        let percent = |value: u8| (u32::from(value) * 100 + 127) / 255;
        let _ = write!(out, "#{index};2;{};{};{}", percent(*r), percent(*g), percent(*b));
    }
    if width > 0 {
        let mut columns = vec![0_u8; width * picture.colors.len()];
        for (at, band) in picture.places.chunks(width * 6).enumerate() {
            if at > 0 {
                out.push('-');
            }
            band_of(band, width, &mut columns, &mut out);
        }
    }
    out.push_str("\x1b\\");
    out
}

/// One band of six rows. `columns` has a row of zeros for every color, and is left so.
fn band_of(band: &[u8], width: usize, columns: &mut [u8], out: &mut String) {
    let mut used = [false; 256];
    for (row, places) in band.chunks(width).enumerate() {
        for (x, index) in places.iter().enumerate() {
            used[usize::from(*index)] = true;
            columns[usize::from(*index) * width + x] |= 1 << row;
        }
    }
    let mut first = true;
    for index in (0..256).filter(|index| used[*index]) {
        if !std::mem::take(&mut first) {
            out.push('$');
        }
        let _ = write!(out, "#{index}");
        let line = &mut columns[index * width..(index + 1) * width];
        runs(line, out);
        line.fill(0);
    }
}

/// Run-length encoding; empty cells at the end are left out.
fn runs(line: &[u8], out: &mut String) {
    let end = line.iter().rposition(|bits| *bits != 0).map_or(0, |last| last + 1);
    for run in line[..end].chunk_by(|a, b| a == b) {
        let sign = char::from(b'?' + run[0]);
        if run.len() > 3 {
            let _ = write!(out, "!{}{sign}", run.len());
        } else {
            out.extend(std::iter::repeat_n(sign, run.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::palette::reduce;
    use crate::picture::tests::photo;
    use proptest::prelude::*;

    /// Reads sixels back: colors in percent, by pixel.
    fn decode(text: &str) -> (usize, usize, Vec<Option<[u32; 3]>>) {
        let body = text.strip_prefix("\x1bP0;1;0q\"1;1;").unwrap().strip_suffix("\x1b\\").unwrap();
        let bytes = body.as_bytes();
        let mut at = 0;
        let number = |at: &mut usize| {
            let start = *at;
            while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            body[start..*at].parse::<usize>().unwrap()
        };
        let width = number(&mut at);
        at += 1;
        let height = number(&mut at);
        let mut pixels = vec![None; width * height];
        let mut colors = vec![[0; 3]; 256];
        let (mut color, mut x, mut top) = (0, 0, 0);
        while at < bytes.len() {
            let sign = bytes[at];
            at += 1;
            match sign {
                b'#' => {
                    color = number(&mut at);
                    if bytes.get(at) == Some(&b';') {
                        at += 3;
                        colors[color] = [(); 3].map(|()| {
                            let percent = number(&mut at) as u32;
                            at += usize::from(bytes.get(at) == Some(&b';'));
                            percent
                        });
                    }
                }
                b'$' => x = 0,
                b'-' => (x, top) = (0, top + 6),
                _ => {
                    let (count, sign) = if sign == b'!' {
                        let count = number(&mut at);
                        at += 1;
                        (count, bytes[at - 1])
                    } else {
                        (1, sign)
                    };
                    for _ in 0..count {
                        for row in (0..6).filter(|row| (sign - b'?') >> row & 1 == 1) {
                            pixels[(top + row) * width + x] = Some(colors[color]);
                        }
                        x += 1;
                    }
                }
            }
        }
        (width, height, pixels)
    }

    fn expected(picture: &Indexed) -> Vec<Option<[u32; 3]>> {
        let percent = |color: [u8; 3]| color.map(|value| (u32::from(value) * 100 + 127) / 255);
        picture.places.iter().map(|index| Some(percent(picture.colors[usize::from(*index)]))).collect()
    }

    #[test]
    fn a_photo_comes_back() {
        let picture = reduce(&photo(97, 61), 256);
        let (width, height, pixels) = decode(&encode(&picture));
        assert_eq!((width, height), (97, 61));
        assert!(pixels == expected(&picture));
    }

    proptest! {
        #[test]
        fn any_picture_comes_back(
            width in 1_u32..40,
            height in 1_u32..20,
            colors in 1_u8..9,
            seed in any::<u64>(),
        ) {
            let count = (width * height) as usize;
            let mut state = seed | 1;
            let places: Vec<u8> = (0..count)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    ((state >> 40) as u8) % colors
                })
                .collect();
            let colors = (0..colors).map(|n| [n * 30, 255 - n, n]).collect();
            let picture = Indexed { width, height, colors, places, exact: true };
            let (got_width, got_height, pixels) = decode(&encode(&picture));
            prop_assert_eq!((got_width, got_height), (width as usize, height as usize));
            prop_assert_eq!(pixels, expected(&picture));
        }
    }

    #[test]
    fn a_flat_picture_is_a_few_bytes() {
        let picture = Indexed {
            width: 600,
            height: 600,
            colors: vec![[1, 2, 3]],
            places: vec![0; 360_000],
            exact: true,
        };
        assert!(encode(&picture).len() < 1_000);
    }
}
