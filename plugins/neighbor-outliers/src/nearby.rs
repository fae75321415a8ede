//! The nearest neighbors of every sample: among all, or in a large dataset among a drawn part.

use chaffinch_plugin::prelude::*;

/// Similarities computed at once.
const MAX_BLOCK: usize = 1 << 24;

/// What cosines and numbers of the same embedding may differ by.
const SAME: f32 = 1e-5;

/// Nearest neighbors, nearest first.
pub(crate) enum Nearby<'a> {
    /// Among all samples, computed by the host for all detectors.
    All(Neighbors<'a>),
    /// Among drawn samples: `k` a sample, `u32::MAX` if there are fewer.
    Drawn { k: usize, found: Vec<(u32, f32)> },
}

impl<'a> Nearby<'a> {
    /// Finds the `k` nearest of every sample. Above `references` samples each is compared with that many, drawn evenly from
    /// the whole list: not all of them, but the time is predictable, whatever the embeddings.
    ///
    /// # Errors
    /// When all are the same: then the nearest ones are any.
    pub(crate) fn find(view: &View<'a>, k: usize, references: usize) -> Result<Nearby<'a>> {
        let found = Nearby::search(view, k, references)?;
        let as_near = |(_, similarity): (usize, f32)| similarity >= 1.0 - SAME;
        if (0..view.len()).all(|sample| found.of(sample).all(as_near)) && is_one(view)? {
            return Err(Error::new(
                "the embeddings of all pictures are the same, so none is nearer than another",
            ));
        }
        Ok(found)
    }

    fn search(view: &View<'a>, k: usize, references: usize) -> Result<Nearby<'a>> {
        let usable: Vec<u32> =
            (0..view.len()).filter(|&sample| view.decodable(sample)).map(|sample| sample as u32).collect();
        if usable.len() <= references {
            return Ok(Nearby::All(view.neighbors(k)?));
        }
        // By content, so that other names of the files draw the same samples.
        let mut by_content: Vec<usize> = usable.iter().map(|&sample| sample as usize).collect();
        view.sort_by_content(&mut by_content);
        let drawn = drawn(&by_content, references);
        let mut found = vec![(u32::MAX, f32::NEG_INFINITY); view.len() * k];
        for (chunk, rows) in usable.chunks((MAX_BLOCK / drawn.len()).max(1)).enumerate() {
            view.checkpoint()?;
            let block = view.block(rows, &drawn)?;
            for (&sample, similarities) in rows.iter().zip(block.chunks_exact(drawn.len())) {
                let best = &mut found[sample as usize * k..(sample as usize + 1) * k];
                for (&other, &similarity) in drawn.iter().zip(similarities) {
                    if similarity > best[k - 1].1 && other != sample {
                        let index = best.partition_point(|&(_, known)| known >= similarity);
                        best[index..].rotate_right(1);
                        best[index] = (other, similarity);
                    }
                }
            }
            view.progress((chunk * rows.len()).min(usable.len()), usable.len());
        }
        Ok(Nearby::Drawn { k, found })
    }

    /// The neighbors of one sample.
    pub(crate) fn of(&self, sample: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let (all, drawn) = match self {
            Nearby::All(neighbors) => (Some(neighbors.of(sample)), &[][..]),
            Nearby::Drawn { k, found } => (None, &found[sample * k..(sample + 1) * k]),
        };
        let drawn = drawn.iter().filter(|(other, _)| *other != u32::MAX);
        all.into_iter().flatten().chain(drawn.map(|&(other, similarity)| (other as usize, similarity)))
    }
}

/// Whether all embeddings are that of the first picture. Several pictures with many copies each have neighbors as near as these.
fn is_one(view: &View<'_>) -> Result<bool> {
    let rows = view.embeddings()?;
    let mut usable = (0..view.len()).filter(|&sample| view.decodable(sample));
    let Some(first) = usable.next() else { return Ok(false) };
    let mut others = usable.peekable();
    let several = others.peek().is_some();
    Ok(several
        && others
            .all(|sample| rows.row(sample).iter().zip(rows.row(first)).all(|(a, b)| (a - b).abs() <= SAME)))
}

/// `count` samples, one from each section of the list, at a position that files in a regular order cannot be in step
/// with (SplitMix64; Steele, Lea and Flood, 2014).
fn drawn(samples: &[usize], count: usize) -> Vec<u32> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let pick = |index: usize| {
        let (from, to) = (index * samples.len() / count, (index + 1) * samples.len() / count);
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        samples[from + ((mixed ^ (mixed >> 31)) % (to - from).max(1) as u64) as usize] as u32
    };
    (0..count).map(pick).collect()
}
