//! Pairs of samples with near embeddings.

use crate::words::plural;
use chaffinch_plugin::prelude::*;
use std::collections::BTreeSet;

/// Number of neighbors of every sample to look at first.
const NEIGHBORS: usize = 10;
/// With more pairs than this, they are no longer copies.
const MAX_PAIRS: usize = 5_000_000;
/// Similarities computed at once for samples with more copies than [`NEIGHBORS`].
const MAX_BLOCK: usize = 1 << 24;
/// Cosines at which the note counts pairs.
const STEPS: [f32; 5] = [0.8, 0.85, 0.9, 0.95, 0.99];

/// All pairs with near embeddings, sorted; the second is the later sample.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    pub(crate) all: Vec<(u32, u32, f32)>,
    /// The minimum cosine of a pair.
    least: f32,
}

impl Pairs {
    /// Finds all pairs with a cosine of at least `cosine`, and those whose distance is less than `share` of the
    /// median distance to the nearest neighbor.
    pub(crate) fn find(view: &View<'_>, cosine: f32, share: f32) -> Result<Pairs> {
        let neighbors = view.neighbors(NEIGHBORS)?;
        let relative = 1.0 - share * median_nearest(neighbors, view.len());
        let near = |similarity: f32| (cosine < 1.0 && similarity >= cosine) || similarity > relative;
        let mut pairs = BTreeSet::new();
        let mut crowded = Vec::new();
        for sample in (0..view.len()).filter(|&sample| view.decodable(sample)) {
            let mut found = 0;
            for (other, similarity) in neighbors.of(sample).take_while(|&(_, similarity)| near(similarity)) {
                insert(&mut pairs, sample, other, similarity)?;
                found += 1;
            }
            if found == NEIGHBORS {
                crowded.push(sample as u32);
            }
        }
        // If all neighbors of a sample are near, it may have more than were requested.
        let everyone: Vec<u32> =
            (0..view.len()).filter(|&sample| view.decodable(sample)).map(|sample| sample as u32).collect();
        for rows in crowded.chunks((MAX_BLOCK / everyone.len().max(1)).max(1)) {
            view.checkpoint()?;
            let block = view.block(rows, &everyone)?;
            for (&sample, row) in rows.iter().zip(block.chunks_exact(everyone.len())) {
                for (&other, &similarity) in everyone.iter().zip(row) {
                    if other != sample && near(similarity) {
                        insert(&mut pairs, sample as usize, other as usize, similarity)?;
                    }
                }
            }
        }
        let all = pairs.into_iter().map(|(a, b, bits)| (a, b, f32::from_bits(bits)));
        // The block and the neighbors may differ in the last bit; either will do.
        let mut all: Vec<(u32, u32, f32)> = all.collect();
        all.dedup_by_key(|pair| (pair.0, pair.1));
        Ok(Pairs { all, least: relative.min(cosine) })
    }

    /// How many pairs there are above some cosines, how many samples are the later of one, and how many are not.
    pub(crate) fn note(&self, count: usize) -> String {
        let mut steps: Vec<f32> = STEPS.into_iter().filter(|&step| step >= self.least).collect();
        if steps.first() != Some(&self.least) {
            steps.insert(0, self.least);
        }
        let line = |step: &f32| {
            let above: Vec<u32> = self.all.iter().filter(|pair| pair.2 >= *step).map(|pair| pair.1).collect();
            let later = above.iter().collect::<BTreeSet<_>>().len();
            let pairs = plural(above.len(), "pair");
            format!("cosine {step:.2}: {pairs}, {later} repeat an earlier picture, {} left", count - later)
        };
        steps.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

fn insert(pairs: &mut BTreeSet<(u32, u32, u32)>, a: usize, b: usize, similarity: f32) -> Result<()> {
    if pairs.len() >= MAX_PAIRS {
        return Err(Error::new(format!(
            "more than {MAX_PAIRS} pairs have near embeddings; raise 'semantic' or lower 'nearest-share'"
        )));
    }
    pairs.insert((a.min(b) as u32, a.max(b) as u32, similarity.clamp(0.0, 1.0).to_bits()));
    Ok(())
}

/// The median cosine distance of a sample to its nearest neighbor.
fn median_nearest(neighbors: Neighbors<'_>, count: usize) -> f32 {
    let mut nearest: Vec<f32> = (0..count)
        .filter_map(|sample| neighbors.of(sample).next())
        .map(|(_, similarity)| (1.0 - similarity).max(0.0))
        .collect();
    if nearest.is_empty() {
        return 0.0;
    }
    nearest.sort_by(f32::total_cmp);
    let (low, high) = ((nearest.len() - 1) / 2, nearest.len() / 2);
    f32::midpoint(nearest[low], nearest[high])
}
