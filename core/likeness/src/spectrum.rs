//! The low frequencies of a window of a picture: what is compared to find pictures that are inside others.

use crate::sketch::{Read, SIDE};

/// Frequencies each way, from 0.
pub(crate) const BANDS: usize = 8;
/// Frequencies (down, across) with a sum of 1 to 7, lowest first: the finer ones do not survive a window that is a little off.
pub(crate) const FREQUENCIES: [(usize, usize); COUNT] = {
    let mut all = [(0, 0); COUNT];
    let (mut at, mut sum) = (0, 1);
    while sum < BANDS {
        let mut down = 0;
        while down <= sum {
            all[at] = (down, sum - down);
            at += 1;
            down += 1;
        }
        sum += 1;
    }
    all
};
/// Number of [`FREQUENCIES`].
pub(crate) const COUNT: usize = 35;

/// Shares of the sides that may be outside a window that is nearly the whole picture.
const NEARLY_WHOLE: f32 = 0.035;

/// A part of a side, as shares of it.
pub(crate) type Span = (f32, f32);

/// A part of a picture, as shares of its sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) across: Span,
    pub(crate) down: Span,
}

impl Window {
    /// The whole picture.
    pub(crate) const WHOLE: Window = Window { across: (0.0, 1.0), down: (0.0, 1.0) };

    /// Shares of the sides that are outside: left, right, above, and below.
    pub(crate) fn outside(self) -> [f32; 4] {
        [self.across.0, 1.0 - self.across.1, self.down.0, 1.0 - self.down.1]
    }

    /// Whether next to nothing is outside.
    pub(crate) fn is_nearly_whole(self) -> bool {
        self.outside().iter().all(|&share| share <= NEARLY_WHOLE)
    }

    /// Share of the picture's area.
    pub(crate) fn area(self) -> f32 {
        (self.across.1 - self.across.0) * (self.down.1 - self.down.0)
    }
}

/// Amplitudes of the low frequencies of a window, each times its frequency, since low frequencies are stronger in all pictures.
/// Of length 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spectrum(pub(crate) [f32; COUNT]);

impl Spectrum {
    /// As [`Spectrum::new`] for every pair of `down` and `across`, rows first.
    pub(crate) fn grid(picture: &Read<'_>, across: &[Basis], down: &[Basis]) -> Vec<Option<Spectrum>> {
        let rows: Vec<[[f32; BANDS]; SIDE]> = across.iter().map(|basis| basis.rows(picture)).collect();
        down.iter().flat_map(|basis| rows.iter().map(|rows| Spectrum::from_rows(rows, basis))).collect()
    }

    /// `None` if there is less contrast in the window than saving a picture adds to it.
    pub(crate) fn new(picture: &Read<'_>, window: Window) -> Option<Spectrum> {
        Spectrum::from_rows(&Basis::new(window.across).rows(picture), &Basis::new(window.down))
    }

    fn from_rows(rows: &[[f32; BANDS]; SIDE], down: &Basis) -> Option<Spectrum> {
        let mut all = [[0.0_f32; BANDS]; BANDS];
        for (row, shares) in rows.iter().zip(&down.0) {
            for (sums, share) in all.iter_mut().zip(shares) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += share * value;
                }
            }
        }
        let mut spectrum = FREQUENCIES
            .map(|(down, across)| all[down][across] * ((down * down + across * across) as f32).sqrt());
        let length = spectrum.iter().map(|value| value * value).sum::<f32>().sqrt();
        if length < LEAST {
            return None;
        }
        spectrum.iter_mut().for_each(|value| *value /= length);
        Some(Spectrum(spectrum))
    }

    /// The cosine with another.
    pub(crate) fn cosine(&self, other: &Spectrum) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }

    /// That of the picture seen through a turn: see [`crate::turn`].
    pub(crate) fn turned(&self, turn: u8) -> Spectrum {
        let mut turned = self.0;
        for (at, (value, &(down, across))) in turned.iter_mut().zip(&FREQUENCIES).enumerate() {
            let from = if turn & 4 == 0 { at } else { transposed(at) };
            let negative = (turn & 1 != 0 && across % 2 == 1) != (turn & 2 != 0 && down % 2 == 1);
            *value = if negative { -self.0[from] } else { self.0[from] };
        }
        Spectrum(turned)
    }

    /// The numbers of all amplitudes, smallest first.
    pub(crate) fn by_certainty(&self) -> [u8; COUNT] {
        let mut order = std::array::from_fn(|at| at as u8);
        let size = |at: u8| self.0[usize::from(at)].abs();
        order.sort_unstable_by(|&a, &b| size(a).total_cmp(&size(b)).then(a.cmp(&b)));
        order
    }

    /// A bit for each amplitude above zero.
    pub(crate) fn bits(&self) -> u64 {
        self.0.iter().enumerate().fold(0, |bits, (at, &value)| bits | u64::from(value > 0.0) << at)
    }
}

/// The least length of a spectrum, in levels.
const LEAST: f32 = 4.0;

/// Where the frequency with exchanged directions is.
fn transposed(at: usize) -> usize {
    let (down, across) = FREQUENCIES[at];
    let sum = down + across;
    // The frequencies with a smaller sum come first.
    sum * (sum + 1) / 2 - 1 + across
}

/// What each cell of a side adds to each frequency of a span.
#[derive(Clone, Debug)]
pub(crate) struct Basis([[f32; BANDS]; SIDE]);

impl Basis {
    pub(crate) fn new(span: Span) -> Basis {
        let (start, length) = (span.0, span.1 - span.0);
        let mut basis = [[0.0; BANDS]; SIDE];
        for (cell, shares) in basis.iter_mut().enumerate() {
            let place = |cell: usize| ((cell as f32 / SIDE as f32 - start) / length).clamp(0.0, 1.0);
            let (from, to) = (place(cell), place(cell + 1));
            for (frequency, share) in shares.iter_mut().enumerate() {
                // The integral of the cosine over the part of the cell that is inside.
                let turn = frequency as f32 * std::f32::consts::PI;
                *share = if frequency == 0 {
                    to - from
                } else {
                    std::f32::consts::SQRT_2 * ((turn * to).sin() - (turn * from).sin()) / turn
                };
            }
        }
        Basis(basis)
    }

    fn rows(&self, picture: &Read<'_>) -> [[f32; BANDS]; SIDE] {
        let mut rows = [[0.0; BANDS]; SIDE];
        for (row, cells) in rows.iter_mut().zip(picture.cells().chunks_exact(SIDE)) {
            for (&cell, shares) in cells.iter().zip(&self.0) {
                for (sum, share) in row.iter_mut().zip(shares) {
                    *sum += f32::from(cell) * share;
                }
            }
        }
        rows
    }
}
