//! Second looks at pairs. Files with the same bytes look the same, so that a hundred thousand copies of one picture that is near
//! another are looked at once and not a hundred thousand times.

use chaffinch_likeness::{BYTES, Look, compare, compare_turned, distance};
use std::collections::BTreeMap;

/// The sketches of all samples, and what was seen of those that have copies.
pub(crate) struct Looks<'a> {
    records: &'a [&'a [u8]],
    /// The first sample with the same bytes as each, if there are several.
    shared: Vec<Option<u32>>,
    looks: BTreeMap<(u32, u32, bool), Look>,
    distances: BTreeMap<(u32, u32), f32>,
}

impl<'a> Looks<'a> {
    pub(crate) fn new(records: &'a [&'a [u8]], contents: &[[u8; 32]]) -> Looks<'a> {
        let mut members: BTreeMap<[u8; 32], Vec<u32>> = BTreeMap::new();
        for (sample, content) in (0..).zip(contents) {
            members.entry(*content).or_default().push(sample);
        }
        let mut shared = vec![None; contents.len()];
        for same in members.values().filter(|same| same.len() > 1) {
            same.iter().for_each(|&sample| shared[sample as usize] = Some(same[0]));
        }
        Looks { records, shared, looks: BTreeMap::new(), distances: BTreeMap::new() }
    }

    /// Compares two samples, of which one may be mirrored and turned.
    pub(crate) fn look(&mut self, a: u32, b: u32, turned: bool) -> Look {
        let (left, right) = (self.record(a), self.record(b));
        if left.len() < BYTES {
            return Look::Alike;
        }
        let see = || if turned { compare_turned(left, right) } else { compare(left, right) };
        match self.key(a, b) {
            Some((a, b)) => *self.looks.entry((a, b, turned)).or_insert_with(see),
            None => see(),
        }
    }

    /// How far apart the small copies of two samples are.
    pub(crate) fn distance(&mut self, a: u32, b: u32) -> f32 {
        let (left, right) = (self.record(a), self.record(b));
        match self.key(a, b) {
            Some(key) => *self.distances.entry(key).or_insert_with(|| distance(left, right)),
            None => distance(left, right),
        }
    }

    fn record(&self, sample: u32) -> &'a [u8] {
        self.records.get(sample as usize).copied().unwrap_or_default()
    }

    /// The first of the files with the same bytes as each of two; `None` if neither has a copy.
    fn key(&self, a: u32, b: u32) -> Option<(u32, u32)> {
        let first = |sample: u32| self.shared.get(sample as usize).copied().flatten();
        let (left, right) = (first(a), first(b));
        left.or(right)?;
        Some((left.unwrap_or(a), right.unwrap_or(b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_one_picture_are_looked_at_once() {
        let sketch = |shift: usize| {
            let rgb: Vec<u8> = (0..96 * 96)
                .flat_map(|at: usize| {
                    let level = ((at % 96) / 8 * 31 + (at / 96) / 8 * 47 + shift) as u8;
                    [level, level / 2, 255 - level]
                })
                .collect();
            let mut record = vec![0; BYTES];
            chaffinch_likeness::sketch(&rgb, 96, 96, &mut record);
            record
        };
        let (first, second) = (sketch(0), sketch(90));
        let mut records = vec![first.as_slice(); 300];
        records.push(&second);
        let mut contents = vec![[1; 32]; 300];
        contents.push([2; 32]);
        let mut looks = Looks::new(&records, &contents);
        for turned in [false, true] {
            let expected = if turned { compare_turned(&first, &second) } else { compare(&first, &second) };
            assert!((0..300).all(|copy| looks.look(copy, 300, turned) == expected));
        }
        let apart = distance(&first, &second);
        assert!((0..300).all(|copy| looks.distance(copy, 300) == apart));
        assert_eq!((looks.looks.len(), looks.distances.len()), (2, 1));
        // What has no copy is not kept.
        let mut alone = Looks::new(&records[299..], &contents[299..]);
        assert_eq!(alone.look(0, 1, false), compare(&first, &second));
        assert_eq!(alone.looks.len(), 0);
    }
}
