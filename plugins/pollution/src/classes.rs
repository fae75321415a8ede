//! The properties of each class before training.

use chaffinch_plugin::prelude::*;

/// The smallest class that is judged, and the minimum number of typical samples.
pub(crate) const MIN_CLASS: usize = 8;

/// One class.
#[derive(Default)]
pub(crate) struct Class {
    /// Its samples, sorted.
    pub(crate) ids: Vec<u32>,
    /// Sum of their embeddings.
    pub(crate) sum: Vec<f32>,
    /// The typical samples, from the middle ranks of average similarity, in an order that the names of files do not
    /// change.
    pub(crate) typical: Vec<u32>,
    /// Samples the reviewer kept in it or moved into it.
    pub(crate) kept: Vec<u32>,
    /// Samples the reviewer took out of it, in the order of their content.
    pub(crate) rejected: Vec<u32>,
}

impl Class {
    /// Average cosine of a unit vector to the class; `member` where the vector is one of its own, which is left out.
    /// The sum of all cosines is the product with the sum of all vectors, so no pair is ever computed.
    pub(crate) fn average(&self, vector: &[f32], member: bool) -> f32 {
        let own = if member { 1.0 } else { 0.0 };
        (dot(vector, &self.sum) - own) / (self.ids.len() as f32 - own).max(1.0)
    }
}

/// Reads all classes.
pub(crate) fn read(view: &View<'_>, rows: Matrix<'_>) -> Result<Vec<Class>> {
    let mut classes: Vec<Class> = Vec::new();
    for members in view.members_by_content() {
        let mut ids: Vec<u32> = members.iter().map(|&sample| sample as u32).collect();
        ids.sort_unstable();
        let mut sum = vec![0.0; rows.cols()];
        for &sample in &members {
            sum.iter_mut().zip(rows.row(sample)).for_each(|(sum, x)| *sum += x);
        }
        classes.push(Class { ids, sum, ..Class::default() });
    }
    let mut decided: Vec<usize> =
        (0..view.len()).filter(|&at| view.decodable(at) && view.decision(at).is_some()).collect();
    view.sort_by_content(&mut decided);
    for sample in decided {
        let label = view.labels()[sample];
        let moved_to = match view.decision(sample) {
            Some(Decided::Keep) => Some(label),
            Some(Decided::Relabel(to)) => Some(to),
            Some(Decided::Remove) => None,
            Some(Decided::Unsure) | None => continue,
        };
        if let Some(class) = moved_to.and_then(|to| classes.get_mut(to as usize)) {
            class.kept.push(sample as u32);
        }
        if moved_to != Some(label)
            && let Some(class) = classes.get_mut(label as usize)
        {
            class.rejected.push(sample as u32);
        }
    }
    for class in &mut classes {
        view.checkpoint()?;
        class.typical = typical(view, class, rows);
        forget_copies(view, class, rows)?;
    }
    Ok(classes)
}

/// A copy is nearer than this part of the distance to the [`OTHERS`]-th nearest (the ratio test of Lowe, Distinctive image
/// features, IJCV 2004): what is near depends on model and class.
const RATIO: f32 = 0.3;
/// Which of the nearest is taken for no copy.
const OTHERS: usize = 10;
/// Pairs that are compared at most in a class.
const PAIRS: usize = 1 << 25;

/// Takes back what was removed although a copy of it stays: it was removed for being one, and not for what it shows.
fn forget_copies(view: &View<'_>, class: &mut Class, rows: Matrix<'_>) -> Result<()> {
    if class.rejected.is_empty() {
        return Ok(());
    }
    let stays =
        |id: &&u32| !matches!(view.decision(**id as usize), Some(Decided::Remove | Decided::Relabel(_)));
    let staying: Vec<u32> = class.ids.iter().filter(stays).copied().collect();
    if staying.len() < OTHERS {
        return Ok(());
    }
    let mut kept = Vec::with_capacity(class.rejected.len());
    for (number, &id) in class.rejected.iter().enumerate() {
        view.checkpoint()?;
        let removed = view.decision(id as usize) == Some(Decided::Remove);
        if !removed || number * staying.len() > PAIRS || !has_copy(id, &staying, rows) {
            kept.push(id);
        }
    }
    class.rejected = kept;
    Ok(())
}

fn has_copy(id: u32, others: &[u32], rows: Matrix<'_>) -> bool {
    let own = rows.row(id as usize);
    let apart = |&other: &u32| (1.0 - dot(own, rows.row(other as usize))).max(0.0);
    let mut apart: Vec<f32> = others.iter().filter(|other| **other != id).map(apart).collect();
    if apart.len() < OTHERS {
        return false;
    }
    let (nearest, tenth, _) = apart.select_nth_unstable_by(OTHERS - 1, f32::total_cmp);
    nearest.iter().copied().fold(*tenth, f32::min) <= RATIO * *tenth
}

/// The samples with ranks from one half to two thirds of average similarity, lowest first.
fn typical(view: &View<'_>, class: &Class, rows: Matrix<'_>) -> Vec<u32> {
    let average = |id: u32| class.average(rows.row(id as usize), true);
    let mut rejected = class.rejected.clone();
    rejected.sort_unstable();
    let mut ranked: Vec<(f32, u32)> = class
        .ids
        .iter()
        .filter(|id| rejected.binary_search(id).is_err())
        .map(|&id| (average(id), id))
        .collect();
    let content = |id: u32| view.content_hashes().get(id as usize);
    ranked.sort_by(|a, b| {
        a.0.total_cmp(&b.0).then_with(|| content(a.1).cmp(&content(b.1))).then(a.1.cmp(&b.1))
    });
    let n = ranked.len();
    let to = (4 * n / 6).max(n / 2 + MIN_CLASS).min(n);
    let from = (3 * n / 6).min(to.saturating_sub(MIN_CLASS));
    ranked[from..to].iter().map(|&(_, id)| id).collect()
}

/// A dot product in eight lanes, which the compiler turns into vector instructions.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    let mut lanes = [0.0_f32; 8];
    for (x, y) in a8.zip(b8) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    lanes.iter().sum::<f32>() + rest
}
