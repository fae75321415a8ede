//! Looking for a text in paths.

use crate::manifest::Manifest;
use crate::sample::SampleId;
use rayon::prelude::*;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Rows that one thread takes at a time.
const CHUNK: usize = 1 << 15;

/// A text looked for without regard to case.
pub(super) struct Needle {
    lower: String,
}

impl Needle {
    pub(super) fn new(text: &str) -> Needle {
        Needle { lower: text.to_lowercase() }
    }

    /// Whether one path has it.
    pub(super) fn is_in(&self, path: &Path) -> bool {
        let bytes = path.as_os_str().as_bytes();
        if self.lower.is_ascii() { self.find(bytes, 0).is_some() } else { self.is_in_text(path) }
    }

    /// For text that is not plain ASCII, case is more than one bit.
    fn is_in_text(&self, path: &Path) -> bool {
        path.to_string_lossy().to_lowercase().contains(&self.lower)
    }

    /// For every row whether its path has it; anything once it is unwanted.
    pub(super) fn rows(&self, manifest: &Manifest, unwanted: &(dyn Fn() -> bool + Sync)) -> Vec<bool> {
        let mut found = vec![false; manifest.len()];
        let (bytes, ends) = manifest.path_columns();
        let rarest = self.rarest(bytes);
        found.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, found)| {
            let first = chunk * CHUNK;
            if unwanted() {
                return;
            }
            if !self.lower.is_ascii() {
                for (row, found) in found.iter_mut().enumerate() {
                    *found = self.is_in_text(manifest.path(SampleId((first + row) as u32)));
                }
                return;
            }
            let start = if first == 0 { 0 } else { ends[first - 1] as usize };
            let ends = &ends[first..first + found.len()];
            let end = ends.last().map_or(start, |&end| end as usize);
            let ends = ends.iter().map(|&end| end as usize - start);
            self.mark(&bytes[start..end], ends, rarest, found);
        });
        found
    }

    /// Marks the paths that have it, among paths laid one after another.
    fn mark(&self, bytes: &[u8], ends: impl Iterator<Item = usize>, rarest: usize, found: &mut [bool]) {
        let mut place = 0;
        let mut next = self.find_from(bytes, 0, rarest);
        for (end, found) in ends.zip(found) {
            // What begins in one path and ends in another is in neither.
            while let Some(start) = next.filter(|&start| start < end && start + self.lower.len() > end) {
                next = self.find_from(bytes, start + 1, rarest);
            }
            if next.is_some_and(|start| start >= place && start < end) || self.lower.is_empty() {
                *found = true;
                next = self.find_from(bytes, end, rarest);
            }
            place = end;
        }
    }

    fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        self.find_from(bytes, from, 0)
    }

    /// The first place at or after `from`, found by way of the byte at `pivot`.
    fn find_from(&self, bytes: &[u8], from: usize, pivot: usize) -> Option<usize> {
        let needle = self.lower.as_bytes();
        let Some(&byte) = needle.get(pivot) else { return Some(from) };
        let mut start = from;
        loop {
            let at = start + pivot;
            let offset = memchr::memchr2(byte, byte.to_ascii_uppercase(), bytes.get(at..)?)?;
            start += offset;
            if bytes.get(start..start + needle.len())?.eq_ignore_ascii_case(needle) {
                return Some(start);
            }
            start += 1;
        }
    }

    /// The place of the byte that is rarest in some of the paths.
    fn rarest(&self, bytes: &[u8]) -> usize {
        let middle = bytes.len() / 2;
        let some = &bytes[middle..bytes.len().min(middle + (1 << 14))];
        let count = |byte: u8| some.iter().filter(|other| other.eq_ignore_ascii_case(&byte)).count();
        let places = self.lower.bytes().take(64).enumerate();
        places.min_by_key(|&(_, byte)| count(byte)).map_or(0, |(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::NewSample;
    use crate::sample::Split;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn going_through_all_paths_finds_what_looking_at_each_does(
            paths in prop::collection::vec("[aBb1é/]{1,6}", 0..40),
            text in "[abB1É]{0,3}",
        ) {
            let sample = |path: &String| NewSample { path: path.into(), label: None, split: Split::None };
            let manifest = Manifest::new("/data", paths.iter().map(sample));
            let needle = Needle::new(&text);
            let expected: Vec<bool> =
                paths.iter().map(|path| path.to_lowercase().contains(&text.to_lowercase())).collect();
            let each: Vec<bool> = manifest.ids().map(|id| needle.is_in(manifest.path(id))).collect();
            prop_assert_eq!(&each, &expected);
            prop_assert_eq!(needle.rows(&manifest, &|| false), expected);
        }
    }
}
