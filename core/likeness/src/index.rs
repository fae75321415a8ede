//! Finds spectra that are near each other without comparing all pairs: a few tables of bits of the spectra, each asked for the
//! bits of a window and for those with its least certain bits inverted (multi-probe locality-sensitive hashing, Lv and others
//! 2007).

use crate::spectrum::{COUNT, Spectrum};
use crate::turn;

/// Tables, each with other bits.
const TABLES: usize = 6;
/// Bits that are inverted in turn, all ways.
const UNCERTAIN: usize = 3;
/// More pictures under one key are a template: any of them is near all others.
const CROWD: usize = 48;
/// Of the bits of two spectra that are near.
const MOST_DIFFERING: u32 = 10;
/// Below this share of a spectrum's length, an amplitude may have the other sign in a copy.
const UNSURE: f32 = 0.05;

/// Whole pictures by the bits of their spectra.
pub(crate) struct Index {
    tables: Vec<Table>,
    /// The bits of each picture in its normal turn.
    bits: Vec<u64>,
    turned: bool,
}

struct Table {
    /// Which amplitudes make the key.
    from: Vec<usize>,
    /// The bit of each amplitude in the key; 0 if it has none.
    bits: [usize; COUNT],
    /// Where the pictures of each key start.
    starts: Vec<u32>,
    pictures: Vec<u32>,
}

impl Index {
    /// Indexes pictures; one without a spectrum is never found.
    pub(crate) fn new(spectra: &[Option<Spectrum>], turned: bool) -> Index {
        let normal = |spectrum: &Spectrum| if turned { spectrum.turned(normal(spectrum)) } else { *spectrum };
        let bits: Vec<u64> =
            spectra.iter().map(|spectrum| spectrum.as_ref().map_or(0, |one| normal(one).bits())).collect();
        let width = width(spectra.len());
        let tables = (0..TABLES).map(|table| Table::new(table, width, spectra, &bits)).collect();
        Index { tables, bits, turned }
    }

    /// Calls `found` with pictures whose spectrum, turned as need be, has at least this cosine with a window's: now and then
    /// twice with the same one. Looks at no more entries than are `left`, and takes those that it looked at off.
    pub(crate) fn near(
        &self,
        spectra: &[Option<Spectrum>],
        window: &Spectrum,
        least: f32,
        left: &mut u64,
        mut found: impl FnMut(usize),
    ) {
        let mut pictures: Vec<u32> = Vec::new();
        for window in if self.turned { normals(window) } else { vec![*window] } {
            pictures.clear();
            let bits = window.bits();
            let certain = window.by_certainty();
            for table in &self.tables {
                let key = table.key(bits);
                let near = table.probes(&certain).into_iter().flat_map(|probe| table.pictures(key ^ probe));
                for picture in near.take(usize::try_from(*left).unwrap_or(usize::MAX)) {
                    *left -= 1;
                    if (self.bits[*picture as usize] ^ bits).count_ones() <= MOST_DIFFERING {
                        pictures.push(*picture);
                    }
                }
            }
            pictures.sort_unstable();
            pictures.dedup();
            for picture in pictures.iter().map(|&picture| picture as usize) {
                let Some(spectrum) = &spectra[picture] else { continue };
                let cosine = match self.turned {
                    true => spectrum.turned(normal(spectrum)).cosine(&window),
                    false => spectrum.cosine(&window),
                };
                if cosine >= least {
                    found(picture);
                }
            }
        }
    }
}

/// Bits of the keys for so many pictures. With more, fewer pictures that are not near are looked at, and from 20 on fewer that are
/// are found: 1,812 of 2,000 planted copies with 15, 1,811 with 20, 1,779 with 22, and 1,719 with 24 bits among 25,000 photographs
/// of 32 x 32 pixels, of which 7,300, 340, 135 and 50 entries were looked at for each.
fn width(pictures: usize) -> usize {
    let log = pictures.max(1).ilog2() as usize;
    (log + 6).min(20).max(log + 3).min(24)
}

impl Table {
    fn new(number: usize, width: usize, spectra: &[Option<Spectrum>], bits: &[u64]) -> Table {
        // The first two say only which turn is the normal one.
        let mut from: Vec<usize> = (2..COUNT).collect();
        let mut state = 0x9e37_79b9_u32.wrapping_mul(number as u32 + 1);
        // Lower frequencies are surer: only as many are drawn from as leave a choice.
        from.truncate((width + 10).min(COUNT - 2));
        for at in (1..from.len()).rev() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            from.swap(at, (state >> 8) as usize % (at + 1));
        }
        from.truncate(width);
        let mut places = [0; COUNT];
        from.iter().enumerate().for_each(|(at, &from)| places[from] = 1 << at);
        let mut table = Table { from, bits: places, starts: vec![0; (1 << width) + 1], pictures: Vec::new() };
        let kept = || spectra.iter().zip(bits).enumerate().filter(|(_, (spectrum, _))| spectrum.is_some());
        kept().for_each(|(_, (_, &bits))| {
            let key = table.key(bits);
            table.starts[key + 1] += 1;
        });
        for key in 1..table.starts.len() {
            table.starts[key] += table.starts[key - 1];
        }
        let mut next = table.starts.clone();
        table.pictures = vec![0; next[1 << width] as usize];
        for (picture, (_, &bits)) in kept() {
            let at = &mut next[table.key(bits)];
            table.pictures[*at as usize] = picture as u32;
            *at += 1;
        }
        table
    }

    fn key(&self, bits: u64) -> usize {
        self.from.iter().enumerate().fold(0, |key, (at, &from)| key | ((bits >> from & 1) as usize) << at)
    }

    /// The keys near a key, as differences from it.
    fn probes(&self, certain: &[u8; COUNT]) -> [usize; 1 << UNCERTAIN] {
        // The keys' bits of the least certain amplitudes.
        let bits = certain.iter().map(|&amplitude| self.bits[usize::from(amplitude)]).filter(|&bit| bit != 0);
        let mut probes = [0; 1 << UNCERTAIN];
        for (at, bit) in bits.take(UNCERTAIN).enumerate() {
            for chosen in 0..1 << at {
                probes[chosen | 1 << at] = probes[chosen] | bit;
            }
        }
        probes
    }

    fn pictures(&self, key: usize) -> &[u32] {
        let (start, end) = (self.starts[key] as usize, self.starts[key + 1] as usize);
        if end - start > CROWD { &[] } else { &self.pictures[start..end] }
    }
}

/// The turn that brings a picture into the same position whatever its turn was: the lowest frequency across is the stronger one,
/// and both are positive.
fn normal(spectrum: &Spectrum) -> u8 {
    let exchanged = spectrum.0[ACROSS].abs() < spectrum.0[DOWN].abs();
    let (across, down) = if exchanged { (DOWN, ACROSS) } else { (ACROSS, DOWN) };
    u8::from(spectrum.0[across] < 0.0) | u8::from(spectrum.0[down] < 0.0) << 1 | u8::from(exchanged) << 2
}

const ACROSS: usize = 0;
const DOWN: usize = 1;

/// The window in its normal turn, and in those that a slightly other window might have.
fn normals(spectrum: &Spectrum) -> Vec<Spectrum> {
    let surest = normal(spectrum);
    let (across, down) = (spectrum.0[ACROSS], spectrum.0[DOWN]);
    let (across, down) = if surest & 4 == 0 { (across, down) } else { (down, across) };
    let unsure = u8::from(across.abs() < UNSURE)
        | u8::from(down.abs() < UNSURE) << 1
        | u8::from((across.abs() - down.abs()).abs() < UNSURE) << 2;
    turn::ALL
        .filter(|flips| flips & !unsure == 0)
        .map(|flips| {
            let turned = spectrum.turned(surest);
            turned.turned(flips)
        })
        .collect()
}
