//! Text search in paths.

use super::rows::Bits;
use crate::Result;
use chaffinch_compute::sorting::Unwanted;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::SampleId;
use memchr::memmem::Finder;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A case-insensitive search text.
pub(super) struct Needle {
    lower: String,
    /// Its longest part without letters, which is fastest to find, and where it begins.
    anchor: Option<(Finder<'static>, usize)>,
}

impl Needle {
    pub(super) fn new(text: &str) -> Needle {
        let lower = text.to_lowercase();
        let mut at = 0;
        let parts = lower.as_bytes().chunk_by(|a, b| a.is_ascii_alphabetic() == b.is_ascii_alphabetic());
        let placed = parts.map(|part| {
            at += part.len();
            (part, at - part.len())
        });
        let caseless = placed.filter(|(part, _)| part.len() > 1 && !part[0].is_ascii_alphabetic());
        let longest = caseless.max_by_key(|(part, _)| part.len());
        let anchor = longest.map(|(part, offset)| (Finder::new(part).into_owned(), offset));
        Needle { lower, anchor }
    }

    /// Whether one path contains it.
    pub(super) fn is_in(&self, path: &Path) -> bool {
        let bytes = path.as_os_str().as_bytes();
        if self.lower.is_ascii() { self.find(bytes, 0).is_some() } else { self.is_in_text(path) }
    }

    /// For non-ASCII text, case is more than one bit.
    fn is_in_text(&self, path: &Path) -> bool {
        path.to_string_lossy().to_lowercase().contains(&self.lower)
    }

    /// The rows whose paths contain it, or with `negated` those whose paths do not.
    ///
    /// # Errors
    /// [`Error::Stopped`](crate::Error::Stopped) once they are no longer wanted.
    pub(super) fn rows(&self, manifest: &Manifest, negated: bool, unwanted: Unwanted<'_>) -> Result<Bits> {
        let (bytes, ends) = manifest.path_columns();
        let rarest = self.rarest(bytes);
        Bits::new(manifest.len(), unwanted, |first, found| {
            if self.lower.is_ascii() {
                let start = if first == 0 { 0 } else { ends[first - 1] as usize };
                let ends = &ends[first..first + found.len()];
                let end = ends.last().map_or(start, |&end| end as usize);
                let ends = ends.iter().map(|&end| end as usize - start);
                self.mark(&bytes[start..end], ends, rarest, found);
            } else {
                for (row, found) in (first as u32..).zip(&mut *found) {
                    *found = self.is_in_text(manifest.path(SampleId(row)));
                }
            }
            if negated {
                found.iter_mut().for_each(|found| *found = !*found);
            }
        })
    }

    /// Marks the paths that contain it, among concatenated paths.
    fn mark(&self, bytes: &[u8], ends: impl Iterator<Item = usize>, rarest: usize, found: &mut [bool]) {
        let mut offset = 0;
        let mut next = self.find_from(bytes, 0, rarest);
        for (end, found) in ends.zip(found) {
            // A match across two paths counts for neither.
            while let Some(start) = next.filter(|&start| start < end && start + self.lower.len() > end) {
                next = self.find_from(bytes, start + 1, rarest);
            }
            if next.is_some_and(|start| start >= offset && start < end) || self.lower.is_empty() {
                *found = true;
                next = self.find_from(bytes, end, rarest);
            }
            offset = end;
        }
    }

    fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        self.find_from(bytes, from, 0)
    }

    /// The first match at or after `from`, found via the part without letters or the byte at `pivot`.
    fn find_from(&self, bytes: &[u8], from: usize, pivot: usize) -> Option<usize> {
        let needle = self.lower.as_bytes();
        let Some(&byte) = needle.get(pivot) else { return Some(from) };
        let mut start = from;
        loop {
            start += match &self.anchor {
                Some((finder, offset)) => finder.find(bytes.get(start + offset..)?)?,
                None => memchr::memchr2(byte, byte.to_ascii_uppercase(), bytes.get(start + pivot..)?)?,
            };
            if bytes.get(start..start + needle.len())?.eq_ignore_ascii_case(needle) {
                return Some(start);
            }
            start += 1;
        }
    }

    /// The index of the byte that is rarest in a sample of the paths.
    fn rarest(&self, bytes: &[u8]) -> usize {
        let middle = bytes.len() / 2;
        let some = &bytes[middle..bytes.len().min(middle + (1 << 14))];
        let count = |byte: u8| some.iter().filter(|other| other.eq_ignore_ascii_case(&byte)).count();
        let places = self.lower.bytes().take(64).enumerate();
        places.min_by_key(|&(_, byte)| count(byte)).map_or(0, |(offset, _)| offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::manifest::NewSample;
    use chaffinch_protocol::sample::Split;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn going_through_all_paths_finds_what_looking_at_each_does(
            paths in prop::collection::vec("[aBb12é/]{1,6}", 0..40),
            text in "[abB12É]{0,3}",
        ) {
            let sample = |path: &String| NewSample { path: path.into(), label: None, split: Split::None };
            let manifest = Manifest::new("/data", paths.iter().map(sample));
            let needle = Needle::new(&text);
            let expected: Vec<bool> =
                paths.iter().map(|path| path.to_lowercase().contains(&text.to_lowercase())).collect();
            let each: Vec<bool> = manifest.ids().map(|id| needle.is_in(manifest.path(id))).collect();
            prop_assert_eq!(&each, &expected);
            for negated in [false, true] {
                let found = needle.rows(&manifest, negated, &|| false).unwrap();
                let all: Vec<bool> = manifest.ids().map(|id| found.has(id.0) != negated).collect();
                prop_assert_eq!(&all, &expected);
            }
        }
    }
}
