//! How much of a JPEG's picture its file holds.
//!
//! Decoders fill what is missing with something and say nothing, as most browsers want it. Here the compressed data are
//! walked through a second time, without computing a pixel: every scan must have exactly the codes that its part of the
//! picture needs (ITU-T T.81, annexes F and G).

mod bits;
mod drift;
mod huffman;

use super::remark::Damage;
use bits::Bits;
use drift::Constants;
use huffman::{Band, Garbled, Table, block, constant};
use std::ops::Range;

/// Bytes of one value in compressed data that are taken for a hole in the file, if the data turn out to be damaged.
const HOLE: usize = 32;
/// Bytes left over behind the last code that are taken for damage rather than a writer's habit.
const LEFT_OVER: usize = 3;
/// The share of a picture below which what is missing at its end was not cut off.
const SLIPPED: f32 = 0.05;
/// More scans than any writer makes are an attack.
const MOST_SCANS: usize = 400;
/// The most blocks whose coefficients are remembered: those of the largest picture that is decoded.
const MOST_BLOCKS: usize = 1 << 24;

/// What a file holds of its picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// A part.
    Part(Damage),
    /// No part, or not even the description of one.
    Nothing,
    /// Its data cannot be followed, so nothing is known.
    Unknown,
    /// A kind of JPEG that is not read, with its name.
    NotRead(&'static str),
}

/// Walks through a JPEG. The second number is where what a decoder can follow ends.
pub(super) fn extent(bytes: &[u8]) -> (Extent, usize) {
    let mut walk = Walk::default();
    let mut usable = 2;
    let extent = walk.through(bytes, &mut usable);
    (extent, usable)
}

impl Walk {
    fn through(&mut self, bytes: &[u8], usable: &mut usize) -> Extent {
        let walk = self;
        let mut at = 2;
        loop {
            *usable = at;
            // A marker is 0xff, any number of times, followed by anything but 0 or 0xff.
            let Some((marker, behind)) = next_marker(bytes, at) else {
                return walk.end(false);
            };
            at = behind;
            match marker {
                0xd9 => return walk.end(true),
                0x01 | 0xd0..=0xd8 => continue,
                _ => {}
            }
            let length = bytes.get(at..at + 2).map(|two| usize::from(u16::from_be_bytes([two[0], two[1]])));
            let segment = length.and_then(|length| bytes.get(at + 2..at + length.max(2)));
            let Some(segment) = segment else { return walk.end(false) };
            at += segment.len() + 2;
            let known = match marker {
                0xc0..=0xc2 if segment.first().is_some_and(|&bits| bits > 8) => {
                    return Extent::NotRead("JPEG of more than 8 bits");
                }
                0xc0..=0xc2 => {
                    walk.progressive = marker == 0xc2;
                    walk.frame(segment)
                }
                0xc3 | 0xcb => return Extent::NotRead("lossless JPEG"),
                0xc5..=0xc7 | 0xcd..=0xcf => return Extent::NotRead("hierarchical JPEG"),
                0xc9 | 0xca => return Extent::NotRead("arithmetic-coded JPEG"),
                0xf7 => return Extent::NotRead("JPEG-LS"),
                0xc4 => walk.tables(segment),
                0xdb => walk.steps(segment),
                0xdd => {
                    walk.interval =
                        segment.get(..2).map_or(0, |two| usize::from(u16::from_be_bytes([two[0], two[1]])));
                    Some(())
                }
                0xda => match walk.scan(segment, bytes, at) {
                    Some(Scanned::To(end)) => {
                        at = end;
                        Some(())
                    }
                    Some(Scanned::Damaged(damage)) => {
                        *usable = bytes.len();
                        return Extent::Part(damage);
                    }
                    Some(Scanned::Nothing) => return Extent::Nothing,
                    None => None,
                },
                _ => Some(()),
            };
            if known.is_none() {
                return Extent::Unknown;
            }
        }
    }
}

/// Whether another scan begins somewhere in these bytes.
fn has_scan(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == [0xff, 0xda])
}

/// The next marker at or behind `at`, and where it ends.
fn next_marker(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let rest = bytes.get(at..)?;
    let found = rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))?;
    Some((rest[found + 1], at + found + 2))
}

/// One color channel.
#[derive(Default)]
struct Component {
    id: u8,
    across: usize,
    down: usize,
    /// Blocks in a row and rows of blocks, without the filling at the edges.
    blocks: (usize, usize),
    /// Blocks in a row, with the filling.
    stride: usize,
    /// Its table of quantization.
    table: usize,
    /// The sum of the differences of constants up to the last block, and what it is in each block of a sequential picture.
    last: i32,
    constants: Vec<i16>,
    /// Per block of a progressive picture, which coefficients are not zero.
    set: Vec<u64>,
    /// Of each coefficient, how many of its lowest bits are still missing; `None` if all.
    missing: Vec<Option<u8>>,
}

#[derive(Default)]
struct Walk {
    components: Vec<Component>,
    progressive: bool,
    /// Units of interleaved data in a row, and rows of them.
    units: (usize, usize),
    dc: [Option<Table>; 4],
    ac: [Option<Table>; 4],
    interval: usize,
    scans: usize,
    /// By table of quantization, the step of the constants.
    steps: [u16; 4],
}

/// How the walk through one scan ended.
enum Scanned {
    /// At the marker behind it.
    To(usize),
    Damaged(Damage),
    Nothing,
}

/// The first thing wrong with a scan.
struct Wrong {
    /// The number of the unit in which it was noticed.
    unit: usize,
    /// Units from there on that have no data of their own; the others have wrong ones.
    lost: usize,
    garbled: bool,
    /// The compressed data of the interval in which it was noticed.
    data: Range<usize>,
}

impl Walk {
    fn frame(&mut self, segment: &[u8]) -> Option<()> {
        if !self.components.is_empty() {
            return None;
        }
        let [bits, h1, h2, w1, w2, count, rest @ ..] = segment else { return None };
        let (height, width) =
            (usize::from(u16::from_be_bytes([*h1, *h2])), usize::from(u16::from_be_bytes([*w1, *w2])));
        let rest = rest.get(..3 * usize::from(*count))?;
        let each = rest
            .chunks_exact(3)
            .map(|three| (three[0], usize::from(three[1] >> 4), usize::from(three[1] & 15), three[2]));
        let proper = |(_, across, down, _): (u8, usize, usize, u8)| {
            (1..=4).contains(&across) && (1..=4).contains(&down)
        };
        if *bits != 8 || width == 0 || height == 0 || !(1..=4).contains(count) || !each.clone().all(proper) {
            return None;
        }
        let most = (each.clone().map(|one| one.1).max()?, each.clone().map(|one| one.2).max()?);
        self.units = (width.div_ceil(8 * most.0), height.div_ceil(8 * most.1));
        for (id, across, down, table) in each {
            let blocks = ((width * across).div_ceil(8 * most.0), (height * down).div_ceil(8 * most.1));
            let stride = self.units.0 * across;
            let all = stride * self.units.1 * down;
            if self.progressive && all > MOST_BLOCKS {
                return None;
            }
            self.components.push(Component {
                id,
                across,
                down,
                blocks,
                stride,
                table: usize::from(table & 3),
                last: 0,
                constants: if self.progressive { Vec::new() } else { vec![0; all.min(MOST_BLOCKS)] },
                set: Vec::new(),
                missing: vec![None; 64],
            });
        }
        Some(())
    }

    fn steps(&mut self, mut segment: &[u8]) -> Option<()> {
        while let [head, rest @ ..] = segment {
            let (step, length) = match (head >> 4, rest) {
                (0, [step, ..]) => (u16::from(*step), 64),
                (1, [high, low, ..]) => (u16::from_be_bytes([*high, *low]), 128),
                _ => return Some(()),
            };
            *self.steps.get_mut(usize::from(head & 15))? = step;
            segment = rest.get(length..).unwrap_or_default();
        }
        Some(())
    }

    fn tables(&mut self, mut segment: &[u8]) -> Option<()> {
        while let [head, rest @ ..] = segment {
            let counts: &[u8; 16] = rest.get(..16)?.try_into().ok()?;
            let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let symbols = rest.get(16..16 + total)?;
            let tables = if head >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(usize::from(head & 15))? = Some(Table::new(counts, symbols)?);
            segment = &rest[16 + total..];
        }
        Some(())
    }

    /// Walks through the scan whose header is `segment` and whose data begin at `at`. `None` if its header says what
    /// cannot be.
    fn scan(&mut self, segment: &[u8], bytes: &[u8], at: usize) -> Option<Scanned> {
        self.scans += 1;
        let [count, rest @ ..] = segment else { return None };
        let count = usize::from(*count);
        if self.scans > MOST_SCANS || !(1..=4).contains(&count) || rest.len() < 2 * count + 3 {
            return None;
        }
        let mut members = Vec::new();
        for pair in rest[..2 * count].chunks_exact(2) {
            let component = self.components.iter().position(|one| one.id == pair[0])?;
            members.push((component, usize::from(pair[1] >> 4), usize::from(pair[1] & 15)));
        }
        let [first, last, precision] = <[u8; 3]>::try_from(&rest[2 * count..2 * count + 3]).ok()?;
        let (high, low) = (precision >> 4, precision & 15);
        let (first, last) = if self.progressive { (first, last) } else { (0, 63) };
        if first > last
            || last > 63
            || (self.progressive && first == 0 && last != 0)
            || (first > 0 && count > 1)
        {
            return None;
        }
        let low = if self.progressive { low } else { 0 };
        let shape = Shape { members, first, last, low, refining: self.progressive && high > 0 };
        let end = bytes.len();
        match self.walk_scan(&shape, bytes, at..end)? {
            Ok(end) => {
                if let Some(unit) = self.constants(&shape).and_then(|all| all.seam(shape.units(self).0)) {
                    return Some(Scanned::Damaged(self.garbled_from(&shape, unit)));
                }
                for &(component, ..) in &shape.members {
                    self.components[component].missing[usize::from(first)..=usize::from(last)]
                        .fill(Some(low));
                }
                Some(Scanned::To(end))
            }
            Err(wrong) => Some(self.judge(&shape, bytes, at, &wrong)),
        }
    }

    /// What a scan with something wrong leaves of the picture.
    fn judge(&mut self, shape: &Shape, bytes: &[u8], at: usize, wrong: &Wrong) -> Scanned {
        let total = shape.units(self).0 * shape.units(self).1;
        // A hole in the file decodes to something for a while; what is behind it is no better.
        let (mut from, mut lost) = (wrong.unit, wrong.lost);
        if let Some(hole) = hole(&bytes[wrong.data.clone()]).filter(|_| !shape.refining) {
            let end = wrong.data.start + hole;
            if let Some(Err(earlier)) = self.walk_scan(shape, &bytes[..end], at..end)
                && earlier.unit < from
            {
                lost += from - earlier.unit;
                from = earlier.unit;
            }
        }
        let share = |units: usize| (units as f32 / total.max(1) as f32).clamp(0.0, 1.0);
        if let Some(constants) = self.constants(shape) {
            let across = shape.units(self).0;
            let seam = constants.seam(across).filter(|unit| *unit < from);
            // Little that is missing before a proper end was not cut off: the codes were out of step before.
            let slipped =
                wrong.garbled || share(lost) < SLIPPED && bytes[wrong.data.end..].starts_with(&[0xff, 0xd9]);
            let seam = seam.or_else(|| constants.break_in(across, from).filter(|_| slipped));
            if let Some(unit) = seam {
                return Scanned::Damaged(self.garbled_from(shape, unit));
            }
            if slipped && share(lost) < SLIPPED {
                let damage =
                    Damage { share: 0.0, from: share(from), at_end: false, garbled: true, detail: false };
                return Scanned::Damaged(damage);
            }
        }
        let begun = !shape.first_pass() || self.components.iter().any(|one| one.missing[0].is_some());
        if from == 0 && lost == total && !begun {
            return Scanned::Nothing;
        }
        // Scans that are not there at all are missing from the whole picture, also from the part that this one reached.
        if begun && !self.is_last(shape) && !has_scan(&bytes[wrong.data.end.min(bytes.len())..]) {
            let damage = Damage { share: 1.0, from: 0.0, at_end: true, garbled: wrong.garbled, detail: true };
            return Scanned::Damaged(damage);
        }
        let at_end = from + lost >= total;
        let damage =
            Damage { share: share(lost), from: share(from), at_end, garbled: wrong.garbled, detail: begun };
        Scanned::Damaged(damage)
    }

    /// Whether a scan is the only one that is left: with it, nothing would be missing.
    fn is_last(&self, shape: &Shape) -> bool {
        let own = |component: usize, coefficient: usize| {
            shape.members.iter().any(|member| member.0 == component)
                && (usize::from(shape.first)..=usize::from(shape.last)).contains(&coefficient)
        };
        let complete = |(number, component): (usize, &Component)| {
            let all = component.missing.iter().enumerate();
            all.map(
                |(coefficient, missing)| if own(number, coefficient) { Some(shape.low) } else { *missing },
            )
            .all(|missing| missing == Some(0))
        };
        self.components.iter().enumerate().all(complete)
    }

    /// From a unit on, what was decoded is not the picture.
    fn garbled_from(&self, shape: &Shape, unit: usize) -> Damage {
        let total = shape.units(self).0 * shape.units(self).1;
        let from = unit as f32 / total.max(1) as f32;
        Damage { share: 1.0 - from, from, at_end: true, garbled: true, detail: false }
    }

    /// The constants of a scan's units; `None` where they are not one sum from the first to the last.
    fn constants(&self, shape: &Shape) -> Option<Constants> {
        if self.progressive || self.interval > 0 {
            return None;
        }
        let (across, down) = shape.units(self);
        let single = shape.members.len() == 1;
        let of = |&(number, ..): &(usize, usize, usize)| {
            let component = &self.components[number];
            let (h, v) = if single { (1, 1) } else { (component.across, component.down) };
            let step = f32::from(*self.steps.get(component.table)?) / 8.0;
            let unit = |unit: usize| {
                let (x, y) = (unit % across * h, unit / across * v);
                let blocks = (0..h * v).map(|block| (y + block / h) * component.stride + x + block % h);
                let sum: i32 =
                    blocks.map(|at| component.constants.get(at).map_or(0, |&value| i32::from(value))).sum();
                sum as f32 * step / (h * v) as f32
            };
            Some((0..across * down).map(unit).collect())
        };
        Some(Constants { of: shape.members.iter().map(of).collect::<Option<_>>()? })
    }

    /// Returns where the scan ends, or the first thing that is wrong with it; `None` if a table is missing.
    fn walk_scan(&mut self, shape: &Shape, bytes: &[u8], data: Range<usize>) -> Option<Result<usize, Wrong>> {
        let (across, down) = shape.units(self);
        let total = across * down;
        let size = if self.interval == 0 { total } else { self.interval };
        let (mut unit, mut at) = (0, data.start);
        let mut earlier: Option<Wrong> = None;
        for number in 0_usize.. {
            let upto = total.min(unit + size);
            let mut bits = Bits::new(&bytes[..data.end], at);
            let ended = self.walk_interval(shape, across, unit..upto, &mut bits)?;
            let (left, end) = bits.rest();
            let wrong = {
                let data = at..end;
                move |unit: usize, lost: usize, garbled: bool| Wrong {
                    unit,
                    lost,
                    garbled,
                    data: data.clone(),
                }
            };
            match ended {
                Some((from, garbled)) => {
                    let found = wrong(from, upto - from, garbled);
                    add(&mut earlier, found);
                }
                None if left >= LEFT_OVER => add(&mut earlier, wrong(upto, 0, true)),
                None => {}
            }
            at = end;
            unit = upto;
            if unit >= total {
                break;
            }
            match next_marker(&bytes[..data.end], end) {
                Some((marker @ 0xd0..=0xd7, behind)) => {
                    at = behind;
                    // Numbers that are skipped are intervals that are not there.
                    let skipped = (usize::from(marker - 0xd0) + 8 - number % 8) % 8;
                    if skipped > 0 {
                        let gone = if skipped < 4 { (skipped * size).min(total - unit) } else { 0 };
                        add(&mut earlier, wrong(unit, gone, true));
                        // The numbers that follow count on from the one that was found.
                        return Some(Err(earlier.take().map_or(
                            wrong(unit, total - unit, true),
                            |mut first| {
                                first.lost = total - first.unit;
                                first
                            },
                        )));
                    }
                }
                _ => {
                    add(&mut earlier, wrong(unit, total - unit, false));
                    break;
                }
            }
        }
        Some(earlier.map_or(Ok(at), Err))
    }

    /// The unit in which the data ended, and whether they were garbled rather than short.
    fn walk_interval(
        &mut self,
        shape: &Shape,
        across: usize,
        units: Range<usize>,
        bits: &mut Bits<'_>,
    ) -> Option<Option<(usize, bool)>> {
        self.components.iter_mut().for_each(|component| component.last = 0);
        let mut band = Band { first: u32::from(shape.first.max(1)), last: u32::from(shape.last), empty: 0 };
        for unit in units {
            let walked = match shape.members.as_slice() {
                &[(component, dc, ac)] => {
                    let (x, y) = (unit % across, unit / across);
                    self.step(shape, (component, dc, ac), (x, y), &mut band, bits)?
                }
                members => {
                    self.interleaved(shape, members, (unit % across, unit / across), &mut band, bits)?
                }
            };
            if walked.is_err() {
                return Some(Some((unit, !bits.overrun())));
            }
            if bits.overrun() {
                return Some(Some((unit, false)));
            }
        }
        Some(None)
    }

    fn interleaved(
        &mut self,
        shape: &Shape,
        members: &[(usize, usize, usize)],
        (x, y): (usize, usize),
        band: &mut Band,
        bits: &mut Bits<'_>,
    ) -> Option<Result<(), Garbled>> {
        for &member in members {
            let (across, down) = (self.components[member.0].across, self.components[member.0].down);
            for (v, h) in (0..down).flat_map(|v| (0..across).map(move |h| (v, h))) {
                if self.step(shape, member, (x * across + h, y * down + v), band, bits)?.is_err() {
                    return Some(Err(Garbled));
                }
            }
        }
        Some(Ok(()))
    }

    /// One block; `None` if its table is missing.
    #[inline]
    fn step(
        &mut self,
        shape: &Shape,
        (component, dc, ac): (usize, usize, usize),
        (x, y): (usize, usize),
        band: &mut Band,
        bits: &mut Bits<'_>,
    ) -> Option<Result<(), Garbled>> {
        if !self.progressive {
            let difference = block(bits, self.dc.get(dc)?.as_ref()?, self.ac.get(ac)?.as_ref()?);
            let component = &mut self.components[component];
            return Some(difference.map(|difference| {
                component.last += difference;
                let at = y * component.stride + x;
                if let Some(constant) = component.constants.get_mut(at) {
                    *constant = component.last.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
                }
            }));
        }
        if shape.first == 0 {
            if shape.refining {
                bits.take(1);
                return Some(Ok(()));
            }
            return Some(constant(bits, self.dc.get(dc)?.as_ref()?));
        }
        let ac = self.ac.get(ac)?.as_ref()?;
        let rows = self.units.1;
        let component = &mut self.components[component];
        if component.set.is_empty() {
            component.set = vec![0; component.stride * rows * component.down];
        }
        let set = component.set.get_mut(y * component.stride + x)?;
        Some(if shape.refining { band.refine(bits, ac, set) } else { band.begin(bits, ac, set) })
    }

    /// The file ends, with or without saying so.
    fn end(&self, properly: bool) -> Extent {
        let bare = |component: &Component| component.missing[0].is_none();
        if self.components.is_empty() || self.components.iter().all(bare) {
            return Extent::Nothing;
        }
        let whole = |component: &Component| component.missing.iter().all(|missing| *missing == Some(0));
        if self.components.iter().any(bare) || !(properly || self.components.iter().all(whole)) {
            let damage = Damage { share: 1.0, from: 0.0, at_end: true, garbled: false, detail: true };
            return Extent::Part(damage);
        }
        Extent::Whole
    }
}

/// What a scan has of the picture.
struct Shape {
    /// Components and their tables.
    members: Vec<(usize, usize, usize)>,
    first: u8,
    last: u8,
    /// Lowest bits that it leaves to later scans.
    low: u8,
    refining: bool,
}

impl Shape {
    /// Units in a row, and rows of them.
    fn units(&self, walk: &Walk) -> (usize, usize) {
        match self.members.as_slice() {
            &[(component, ..)] => walk.components[component].blocks,
            _ => walk.units,
        }
    }

    /// Whether it has what makes a picture at all.
    fn first_pass(&self) -> bool {
        self.first == 0 && !self.refining
    }
}

/// Adds what is wrong to what was wrong before.
fn add(earlier: &mut Option<Wrong>, found: Wrong) {
    match earlier {
        Some(first) => {
            first.lost += found.lost;
            first.garbled |= found.garbled;
        }
        None => *earlier = Some(found),
    }
}

/// Where the longest run of one byte begins, if it is long enough for a hole.
fn hole(data: &[u8]) -> Option<usize> {
    let (mut start, mut longest) = (0, None::<(usize, usize)>);
    for run in data.chunk_by(|a, b| a == b) {
        if run.len() >= HOLE && longest.is_none_or(|(length, _)| run.len() > length) {
            longest = Some((run.len(), start));
        }
        start += run.len();
    }
    longest.map(|(_, start)| start)
}

#[cfg(test)]
mod tests;
