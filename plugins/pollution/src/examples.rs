//! The training sets, which are built automatically.

use crate::classes::{Class, MIN_CLASS};
use crate::member::{Example, Features, Space};
use crate::rng::Rng;
use crate::stablelabel::{self, Drawn};
use crate::texts::Texts;
use crate::{Method, Settings};
use chaffinch_plugin::Matrix;

/// What all classes share.
pub(crate) struct Data<'a> {
    pub(crate) rows: Matrix<'a>,
    pub(crate) classes: &'a [Class],
    pub(crate) texts: Option<&'a Texts>,
}

impl Data<'_> {
    pub(crate) fn space(&self, label: usize, features: Features) -> Space<'_> {
        Space { features, class: &self.classes[label], label, texts: self.texts }
    }
}

/// From this many typical samples on, a member trains on only half, so that it can judge the other half.
const ENOUGH: usize = 2 * MIN_CLASS;

/// The examples of one member, followed by the reviewer's decisions.
pub(crate) fn make(
    data: &Data<'_>,
    settings: &Settings,
    label: usize,
    features: Features,
    rng: &mut Rng,
) -> Vec<Example> {
    let mut set = Set { data, label, features, examples: Vec::new() };
    match settings.method {
        Method::Logistic => set.varied(settings, rng),
        Method::StableLabel => set.published(settings, rng),
    }
    set.decided();
    set.examples
}

struct Set<'a> {
    data: &'a Data<'a>,
    label: usize,
    features: Features,
    examples: Vec<Example>,
}

impl Set<'_> {
    fn vector(&mut self, vector: &[f32], clean: bool) {
        let row = self.data.space(self.label, self.features).of(vector, false);
        self.examples.push(Example { row, clean, id: None, decided: false });
    }

    fn sample(&mut self, id: u32, clean: bool, decided: bool) {
        let member = self.data.classes[self.label].ids.binary_search(&id).is_ok();
        let row = self.data.space(self.label, self.features).of(self.data.rows.row(id as usize), member);
        self.examples.push(Example { row, clean, id: Some(id), decided });
    }

    /// Half of the typical samples and texts of the class; against typical samples of others, unrelated texts and
    /// random vectors. Each member draws its own.
    fn varied(&mut self, settings: &Settings, rng: &mut Rng) {
        let typical = &self.data.classes[self.label].typical;
        let half = if typical.len() >= ENOUGH { typical.len() / 2 } else { typical.len() };
        let clean = rng.take(typical, half.min(settings.max_training / 2));
        clean.iter().for_each(|&id| self.sample(id, true, false));
        let few = (clean.len() / 4).max(4);
        if let Some(texts) = self.data.texts {
            let positive = &texts.positive[self.label];
            for row in rng.take(&(0..positive.rows() as u32).collect::<Vec<_>>(), few) {
                self.vector(positive.row(row as usize), true);
            }
        }
        for id in self.others(clean.len(), rng) {
            self.sample(id, false, false);
        }
        if let Some(texts) = self.data.texts {
            for row in rng.take(&(0..texts.unrelated.rows() as u32).collect::<Vec<_>>(), few) {
                self.vector(texts.unrelated.row(row as usize), false);
            }
        }
        for _ in 0..few {
            let vector = rng.unit(self.data.rows.cols());
            self.vector(&vector, false);
        }
    }

    fn published(&mut self, settings: &Settings, rng: &mut Rng) {
        let class = &self.data.classes[self.label];
        let texts = self.data.texts;
        let from = stablelabel::Sources {
            label: self.label,
            typical: &class.typical,
            samples: class.ids.len(),
            texts: texts.map(|texts| (&texts.positive[self.label], &texts.unrelated)),
            names: texts.and_then(|texts| texts.names.as_ref()),
            dim: self.data.rows.cols(),
            most: settings.max_training / 2,
        };
        for drawn in stablelabel::draw(&from, rng) {
            match drawn {
                Drawn::Sample(id) => self.sample(id, true, false),
                Drawn::Vector(vector, clean) => self.vector(&vector, clean),
            }
        }
    }

    fn decided(&mut self) {
        let class = &self.data.classes[self.label];
        for (ids, clean) in [(&class.kept, true), (&class.rejected, false)] {
            for &id in ids {
                // A decision takes precedence over an automatic example.
                self.examples.retain(|example| example.id != Some(id));
                self.sample(id, clean, true);
            }
        }
    }

    /// `count` typical samples of the other classes, distributed as evenly as possible.
    fn others(&self, count: usize, rng: &mut Rng) -> Vec<u32> {
        let mut pools: Vec<Vec<u32>> = Vec::new();
        for (other, class) in self.data.classes.iter().enumerate() {
            if other != self.label && !class.typical.is_empty() {
                pools.push(class.typical.clone());
            }
        }
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count && !pools.is_empty() {
            // Which classes provide one more than others is random, and so is the order.
            let many = pools.len();
            let start = rng.below(many);
            for step in 0..many {
                let pool = &mut pools[(start + step) % many];
                if taken.len() < count && !pool.is_empty() {
                    let index = rng.below(pool.len());
                    taken.push(pool.swap_remove(index));
                }
            }
            pools.retain(|pool| !pool.is_empty());
        }
        taken
    }
}
