//! The recipe's training set.

use crate::Settings;
use crate::examples::{Set, random_unit};
use crate::rng::Rng;

/// Names of other classes among the texts about something else, at most.
const MAX_NAMES: usize = 100;

impl Set<'_> {
    /// The recipe's set, the same for all members: the samples of the middle ranks of average similarity and all
    /// texts of the class; against texts about something else and random vectors, as many as make up for two ninths
    /// of the class. Other classes' samples are not looked at.
    pub(crate) fn published(&mut self, settings: &Settings, rng: &mut Rng) {
        let class = &self.data.classes[self.label];
        let most = settings.max_training / 2;
        rng.take(&class.typical, most).into_iter().for_each(|id| self.sample(id, true, false));
        let (mut positive, mut negative) = (0, 0);
        if let Some(texts) = self.data.texts {
            let own = &texts.positive[self.label];
            (positive, negative) = (own.rows(), texts.unrelated.rows());
            (0..positive).for_each(|row| self.vector(own.row(row), true));
            (0..negative).for_each(|row| self.vector(texts.unrelated.row(row), false));
            if let Some(names) = &texts.names {
                let others = (0..names.rows()).filter(|&other| other != self.label).take(MAX_NAMES);
                for other in others.collect::<Vec<_>>() {
                    self.vector(names.row(other), false);
                    negative += 1;
                }
            }
        }
        let random = (4 * class.ids.len() / 18 + positive).saturating_sub(negative).min(most);
        for _ in 0..random.max(4) {
            let vector = random_unit(self.data.rows.cols(), rng);
            self.vector(&vector, false);
        }
    }
}
