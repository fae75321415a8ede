//! Which pictures may be parts of which others, and where: a bounded number for each picture, so that the work grows with the number
//! of pictures only, whatever they show.

use crate::index::Index;
use crate::parallel;
use crate::repeats::repeats;
use crate::sketch::{Read, SIDE};
use crate::spectrum::{Basis, Span, Spectrum, Window};
use crate::turn;
use std::collections::BTreeMap;

/// Spans of a side that are looked up; what is between them is near enough to one.
const SPANS: [Span; 7] =
    [(0.0, 1.0), (0.0, 0.9), (0.05, 0.95), (0.1, 1.0), (0.0, 0.8), (0.1, 0.9), (0.2, 1.0)];
/// The least cosine of spectra that are looked at closer.
const NEAR: f32 = 0.8;
/// Pictures that one picture is looked at closer with: those with the nearest spectra.
const CLOSEST: usize = 6;
/// Entries of the index that are looked at for one picture.
const LOOKED_UP: u64 = 30_000;
/// Pictures that are looked at before asking again whether to go on.
pub(crate) const AT_ONCE: usize = 1024;
/// Levels of contrast in a border.
pub(crate) const PLAIN: f32 = 6.0;

/// What was done, to be counted: it grows with the number of pictures, and not with how alike they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Entries of the index that were looked at.
    pub looked_up: u64,
    /// Pairs of pictures that were looked at closer.
    pub fitted: u64,
}

/// A picture that may be a part of another.
pub(crate) struct Candidate {
    pub(crate) whole: u32,
    pub(crate) part: u32,
    /// Where about the part is.
    pub(crate) window: Window,
    /// How it is turned.
    pub(crate) turn: u8,
}

/// All candidates.
pub(crate) struct Candidates {
    /// By whole, then by part.
    pub(crate) all: Vec<Candidate>,
    /// Pictures that are near more others than were looked at.
    pub(crate) crowded: usize,
    pub(crate) looked_up: u64,
}

/// The surest of the windows of one picture that are near another picture.
struct Best {
    cosine: f32,
    window: Window,
    turn: u8,
}

pub(crate) fn candidates<E>(
    records: &[&[u8]],
    turned: bool,
    wanted: &(dyn Fn(u32, u32) -> bool + Sync),
    going_on: &dyn Fn() -> Result<(), E>,
) -> Result<Candidates, E> {
    let whole = |picture: &Read<'_>| Spectrum::new(picture, Window::WHOLE);
    let spectrum = |at: usize| Read::new(records[at]).as_ref().and_then(whole);
    let spectra: Vec<Option<Spectrum>> = parallel::map(0..records.len(), spectrum);
    // What repeats itself fits in many places and tells nothing.
    let telling = |at: usize| Read::new(records[at]).is_some_and(|picture| !repeats(&picture));
    let part = |at: usize| spectra[at].filter(|_| telling(at));
    let parts: Vec<Option<Spectrum>> = parallel::map(0..records.len(), part);
    let index = Index::new(&parts, turned);
    let spans = SPANS.map(Basis::new);
    let search =
        Search { records, spectra: &spectra, parts: &parts, index: &index, spans: &spans, turned, wanted };
    let mut candidates = Candidates { all: Vec::new(), crowded: 0, looked_up: 0 };
    for start in (0..records.len()).step_by(AT_ONCE) {
        going_on()?;
        let several = start..records.len().min(start + AT_ONCE);
        for near in parallel::map(several, |at| search.near(at)) {
            candidates.looked_up += near.looked_up;
            candidates.crowded += usize::from(near.crowded);
            candidates.all.extend(near.candidates);
        }
    }
    Ok(candidates)
}

/// What is looked up for each picture.
struct Search<'a> {
    records: &'a [&'a [u8]],
    spectra: &'a [Option<Spectrum>],
    /// The spectra of those that may be parts.
    parts: &'a [Option<Spectrum>],
    index: &'a Index,
    spans: &'a [Basis],
    turned: bool,
    wanted: &'a (dyn Fn(u32, u32) -> bool + Sync),
}

/// What was found for one picture.
#[derive(Default)]
struct Near {
    /// By part.
    candidates: Vec<Candidate>,
    /// Whether there were more than were looked at.
    crowded: bool,
    looked_up: u64,
}

impl Search<'_> {
    /// The pictures that may be parts of one.
    fn near(&self, at: usize) -> Near {
        let picture = Read::new(self.records[at]).filter(|_| self.spectra[at].is_some());
        let Some(picture) = picture else { return Near::default() };
        let turns = || if self.turned { turn::ALL } else { 0..1 };
        let mut near: BTreeMap<u32, Best> = BTreeMap::new();
        let mut left = LOOKED_UP;
        for (window, spectrum) in windows(&picture, self.spans) {
            let mut found = Vec::new();
            self.index.near(self.parts, &spectrum, NEAR, &mut left, |other| found.push(other));
            found.sort_unstable();
            found.dedup();
            let wanted = |other: &usize| *other != at && (self.wanted)(at as u32, *other as u32);
            for other in found.into_iter().filter(wanted) {
                let Some(part) = &self.parts[other] else { continue };
                let cosines = turns().map(|turn| (spectrum.cosine(&part.turned(turn)), turn));
                let best = cosines.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
                let Some((cosine, turn)) = best.filter(|(cosine, _)| *cosine >= NEAR) else { continue };
                let known = near.entry(other as u32).or_insert(Best { cosine, window, turn });
                if cosine > known.cosine {
                    *known = Best { cosine, window, turn };
                }
            }
        }
        let crowded = left == 0 || near.len() > CLOSEST;
        let mut near: Vec<(u32, Best)> = near.into_iter().collect();
        near.sort_by(|a, b| b.1.cosine.total_cmp(&a.1.cosine).then(a.0.cmp(&b.0)));
        near.truncate(CLOSEST);
        near.sort_by_key(|(part, _)| *part);
        let whole = at as u32;
        let candidates =
            near.into_iter().map(|(part, Best { window, turn, .. })| Candidate { whole, part, window, turn });
        Near { candidates: candidates.collect(), crowded, looked_up: LOOKED_UP - left }
    }
}

/// The windows of a picture that are looked up: that without a border first, if there is one, then the whole.
fn windows(picture: &Read<'_>, spans: &[Basis]) -> impl Iterator<Item = (Window, Spectrum)> {
    let grid =
        Spectrum::grid(picture, spans, spans).into_iter().enumerate().filter_map(|(number, spectrum)| {
            let window = Window { across: SPANS[number % SPANS.len()], down: SPANS[number / SPANS.len()] };
            Some((window, spectrum?))
        });
    let inside = trimmed(picture).and_then(|window| Some((window, Spectrum::new(picture, window)?)));
    inside.into_iter().chain(grid)
}

/// The window without rows and columns of one color at the sides, if there are any.
fn trimmed(picture: &Read<'_>) -> Option<Window> {
    let side = SIDE;
    let plain = |cells: &mut dyn Iterator<Item = u8>| {
        let (least, most) = cells.fold((u8::MAX, 0), |(least, most), cell| (least.min(cell), most.max(cell)));
        f32::from(most.saturating_sub(least)) <= PLAIN
    };
    let row = |y: usize| plain(&mut (0..side).map(|x| picture.cells()[y * side + x]));
    let column = |x: usize| plain(&mut (0..side).map(|y| picture.cells()[y * side + x]));
    let span = |plain: &dyn Fn(usize) -> bool| {
        let from = (0..side / 3).take_while(|&at| plain(at)).count();
        let to = (0..side / 3).take_while(|&at| plain(side - 1 - at)).count();
        // The next cell is a bit of both, and a trace of a border in the window is more than is missed of the picture.
        let outside = |cells: usize| if cells == 0 { 0.0 } else { (cells + 1) as f32 / side as f32 };
        (outside(from), 1.0 - outside(to))
    };
    let window = Window { across: span(&column), down: span(&row) };
    (window.area() < 1.0).then_some(window)
}
