//! Sorts millions of paths on all cores; can be canceled within milliseconds.

use crate::Result;
use chaffinch_compute::sorting::{PART, Unwanted, sort, wanted};
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::SampleId;
use rayon::prelude::*;
use std::os::unix::ffi::OsStrExt;

/// Up to this many paths are compared directly.
const FEW: usize = 16;
/// Up to this many paths, a good part of each is kept in memory.
const MANY: usize = 1 << 21;
/// Bytes of a path that are compared at once for many paths, and kept in memory for fewer.
const WINDOW: usize = 4;
const WIDE: usize = 16;

/// Sorts rows by the bytes of their paths, equal ones by row.
///
/// # Errors
/// [`Error::Stopped`](crate::Error::Stopped) once it is no longer wanted.
pub(super) fn by_path(manifest: &Manifest, rows: &[u32], unwanted: Unwanted<'_>) -> Result<Vec<u32>> {
    let mut keys: Vec<u64> = rows.par_iter().map(|&row| u64::from(row)).collect();
    sort(&mut keys, unwanted)?;
    let paths = Paths { manifest, unwanted };
    // A folder's manifest is already in this order. Parts overlap by one row, so that their boundaries are checked too.
    let in_order = |start: usize| {
        let part = &keys[start..keys.len().min(start + PART + 1)];
        !unwanted() && part.windows(2).all(|pair| paths.path(pair[0]) <= paths.path(pair[1]))
    };
    if !(0..keys.len()).into_par_iter().step_by(PART).all(in_order) {
        paths.sort(&mut keys, None)?;
    }
    Ok(keys.into_par_iter().map(|key| key as u32).collect())
}

struct Paths<'a> {
    manifest: &'a Manifest,
    unwanted: Unwanted<'a>,
}

impl Paths<'_> {
    /// The path of the row in the lower half of a number.
    fn path(&self, key: u64) -> &[u8] {
        self.manifest.path(SampleId(key as u32)).as_os_str().as_bytes()
    }

    /// This many bytes of a row's path from an offset; zeros after its end.
    fn bytes<const N: usize>(&self, key: u64, start: usize) -> [u8; N] {
        let mut bytes = [0; N];
        let rest = self.path(key).get(start..).unwrap_or_default();
        let len = rest.len().min(N);
        bytes[..len].copy_from_slice(&rest[..len]);
        bytes
    }

    /// Sorts rows, given in ascending order in the lower halves, by their paths, whose first `common` bytes are known
    /// to be equal. Paths are read as rarely as possible, and in memory order, since reading them takes most of the
    /// time.
    fn sort(&self, keys: &mut [u64], common: Option<usize>) -> Result<()> {
        wanted(self.unwanted)?;
        if keys.len() <= FEW {
            self.compare(keys);
            return Ok(());
        }
        let start = common.unwrap_or_else(|| {
            let first = self.path(keys[0]);
            let same = |&key: &u64| first.iter().zip(self.path(key)).take_while(|(a, b)| a == b).count();
            keys.par_iter().with_min_len(PART).map(same).min().unwrap_or(0)
        });
        if keys.len() <= MANY {
            return self.sort_held(keys, start);
        }
        keys.par_iter_mut().with_min_len(PART).for_each(|key| {
            let window = u32::from_be_bytes(self.bytes::<WINDOW>(*key, start));
            *key = u64::from(window) << 32 | u64::from(*key as u32);
        });
        sort(keys, self.unwanted)?;
        let all = keys.len();
        let alike: Vec<&mut [u64]> =
            keys.chunk_by_mut(|a, b| a >> 32 == b >> 32).filter(|run| run.len() > 1).collect();
        alike.into_par_iter().try_for_each(|run| self.sort_alike(run, all, start + WINDOW))
    }

    /// The same with a part of each path in memory.
    fn sort_held(&self, keys: &mut [u64], start: usize) -> Result<()> {
        let held = |&key: &u64| (u128::from_be_bytes(self.bytes::<WIDE>(key, start)), key as u32);
        let mut parts: Vec<(u128, u32)> = keys.par_iter().with_min_len(PART).map(held).collect();
        wanted(self.unwanted)?;
        parts.par_sort_unstable();
        keys.iter_mut().zip(&parts).for_each(|(key, (_, row))| *key = u64::from(*row));
        let (all, mut rest) = (keys.len(), keys);
        for run in parts.chunk_by(|a, b| a.0 == b.0) {
            let (alike, behind) = rest.split_at_mut(run.len());
            self.sort_alike(alike, all, start + WIDE)?;
            rest = behind;
        }
        Ok(())
    }

    /// Sorts rows with equal parts.
    fn sort_alike(&self, run: &mut [u64], all: usize, common: usize) -> Result<()> {
        match run.len() {
            1 => {}
            // Many equal paths, or paths with zeros, which look like the end of a path.
            len if len == all => self.compare(run),
            _ => self.sort(run, Some(common))?,
        }
        Ok(())
    }

    fn compare(&self, keys: &mut [u64]) {
        keys.sort_unstable_by(|&a, &b| self.path(a).cmp(self.path(b)).then((a as u32).cmp(&(b as u32))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use chaffinch_data::manifest::NewSample;
    use chaffinch_protocol::sample::Split;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn paths_are_sorted_by_bytes_then_by_row(
            paths in prop::collection::vec("(a|b/){0,9}(é|a|\u{0}){0,3}", 0..200),
        ) {
            let sample = |path: &String| NewSample { path: path.into(), label: None, split: Split::None };
            let manifest = Manifest::new("/data", paths.iter().map(sample));
            let rows: Vec<u32> = (0..paths.len() as u32).rev().collect();
            let mut expected: Vec<u32> = (0..paths.len() as u32).collect();
            expected.sort_by_key(|&row| (paths[row as usize].as_bytes(), row));
            prop_assert_eq!(by_path(&manifest, &rows, &|| false).unwrap(), expected);
        }
    }

    #[test]
    fn many_paths_of_few_folders_are_sorted() {
        let count = 2 * PART as u32;
        let path = |row: u32| {
            let number = row.wrapping_mul(2_654_435_761) % 100_003;
            format!("train/class-{:03}/{number:08}.jpg", number % 7)
        };
        let sample = |row: u32| NewSample { path: path(row).into(), label: None, split: Split::None };
        let manifest = Manifest::new("/data", (0..count).map(sample));
        let rows: Vec<u32> = (0..count).collect();
        let mut expected = rows.clone();
        expected.sort_by_cached_key(|&row| (path(row), row));
        assert!(by_path(&manifest, &rows, &|| false).unwrap() == expected);
        assert!(matches!(by_path(&manifest, &rows, &|| true), Err(Error::Stopped)));
    }
}
