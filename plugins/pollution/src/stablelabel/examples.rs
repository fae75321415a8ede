//! The recipe's training set, the same for all members: the samples of the middle ranks of average similarity and all texts
//! of the class; against texts about something else and random vectors, as many as make up for two ninths of the class. Other
//! classes' samples are not looked at.

use crate::rng::Rng;
use chaffinch_plugin::OwnedMatrix;

/// Names of other classes among the texts about something else, at most.
const MAX_NAMES: usize = 100;

/// What a set is made of.
pub(crate) struct Sources<'a> {
    /// The class.
    pub(crate) label: usize,
    /// Its samples of the middle ranks, and how many it has in all.
    pub(crate) typical: &'a [u32],
    pub(crate) samples: usize,
    /// The vectors of texts about it, of unrelated ones, and of the names of all classes.
    pub(crate) texts: Option<(&'a OwnedMatrix, &'a OwnedMatrix)>,
    pub(crate) names: Option<&'a OwnedMatrix>,
    /// Numbers in a vector.
    pub(crate) dim: usize,
    /// Samples at most, and random vectors at most.
    pub(crate) most: usize,
}

/// One example of a set.
pub(crate) enum Drawn {
    /// A clean sample.
    Sample(u32),
    /// A vector, and whether it is clean.
    Vector(Vec<f32>, bool),
}

/// Makes the set.
pub(crate) fn draw(from: &Sources<'_>, rng: &mut Rng) -> Vec<Drawn> {
    let mut set: Vec<Drawn> = rng.take(from.typical, from.most).into_iter().map(Drawn::Sample).collect();
    let (mut positive, mut negative) = (0, 0);
    if let Some((own, unrelated)) = from.texts {
        (positive, negative) = (own.rows(), unrelated.rows());
        set.extend((0..positive).map(|row| Drawn::Vector(own.row(row).to_vec(), true)));
        set.extend((0..negative).map(|row| Drawn::Vector(unrelated.row(row).to_vec(), false)));
        if let Some(names) = from.names {
            let others = (0..names.rows()).filter(|&other| other != from.label).take(MAX_NAMES);
            let before = set.len();
            set.extend(others.map(|other| Drawn::Vector(names.row(other).to_vec(), false)));
            negative += set.len() - before;
        }
    }
    let random = (4 * from.samples / 18 + positive).saturating_sub(negative).min(from.most);
    set.extend((0..random.max(4)).map(|_| Drawn::Vector(rng.unit(from.dim), false)));
    set
}
