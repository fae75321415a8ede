//! Every pair of rows, block by block.

use super::best::{Best, Places, SLACK};
use super::bound::Bound;
use super::{BLOCK, Set};
use crate::job::Job;
use crate::linear::matmul_transposed;
use crate::{Error, Result};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Makes the lists exact: offers each row all others whose bound could beat its current list.
pub(super) fn complete(set: Set<'_>, best: Best, job: &Job<'_>) -> Result<Best> {
    let bound = Bound::new(set, &best);
    let (k, width) = (best.k, bound.width());
    let blocks = best.into_blocks();
    let pairs = pairs_of_blocks(blocks.len());
    let (done, total) = (AtomicU64::new(0), pairs.len() as u64);
    let work = |(product, thresholds): &mut (Vec<f32>, Vec<f32>), &(left, right): &(usize, usize)| {
        job.checkpoint()?;
        let length = |block: usize| (set.len() - block * BLOCK).min(BLOCK);
        let (m, n) = (length(left), length(right));
        product.resize(m * n, 0.0);
        bound.with_block(set, left, |a| {
            bound.with_block(set, right, |b| matmul_transposed(a, m, b, n, width, product));
        });
        let (first_left, first_right) = ((left * BLOCK) as u32, (right * BLOCK) as u32);
        let mut best = lock(&blocks[left]);
        for (row, quick) in product.chunks_exact(n).enumerate() {
            best.offer_all(set, row, first_left + row as u32, quick, &Places::From(first_right));
        }
        drop(best);
        if left != right {
            let mut best = lock(&blocks[right]);
            thresholds.clear();
            thresholds.extend((0..n).map(|row| best.worst(row) - SLACK));
            for (row, quick) in product.chunks_exact(n).enumerate() {
                let candidate = first_left + row as u32;
                best.offer_to_all(set, &Places::From(first_right), candidate, quick, thresholds);
            }
        }
        job.progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        Ok::<(), Error>(())
    };
    pairs.par_iter().with_max_len(1).try_for_each_init(Default::default, work)?;
    Ok(Best::from_blocks(k, blocks))
}

fn lock(best: &Mutex<Best>) -> std::sync::MutexGuard<'_, Best> {
    best.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every pair of blocks once, in an order that avoids contention for the same block: round by round, block `i` with
/// block `i + step`.
fn pairs_of_blocks(count: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::with_capacity(count * (count + 1) / 2);
    for step in 0..count {
        pairs.extend((0..count - step).map(|block| (block, block + step)));
    }
    pairs
}
