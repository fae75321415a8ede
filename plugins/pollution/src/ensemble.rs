//! The ensemble of one class: training sets, members, gate and verdicts.

use crate::Settings;
use crate::classes::{Class, MIN_CLASS};
use crate::member::{Examples, Features, Member, Space, sigmoid};
use crate::rng::Rng;
use crate::texts::Texts;
use chaffinch_plugin::prelude::*;

/// How often an example counts that a person decided.
const DECIDED: usize = 5;
/// Typical samples from which a member takes only half, so that the other half can be judged by it.
const ENOUGH: usize = 2 * MIN_CLASS;

/// What all classes share.
pub(crate) struct Data<'a> {
    pub(crate) rows: Matrix<'a>,
    pub(crate) classes: &'a [Class],
    pub(crate) texts: Option<&'a Texts>,
}

impl Data<'_> {
    fn space(&self, label: usize, features: Features) -> Space<'_> {
        Space { features, class: &self.classes[label], label, texts: self.texts }
    }
}

/// The classifiers of one class and what they say of its samples.
pub(crate) struct Ensemble {
    members: Vec<Member>,
    /// One classifier that says the mean of what they say, where all look at embeddings.
    mean: Option<Member>,
    /// Share of the class that each member calls clean.
    pub(crate) clean: Vec<f32>,
    /// How many joined.
    pub(crate) joined: usize,
    /// P(clean) of each sample of the class.
    pub(crate) scores: Vec<f32>,
    /// How many of the members that count reject each sample.
    pub(crate) rejections: Vec<usize>,
}

impl Ensemble {
    /// Trains the members of one class and lets them judge it. A class too small has none.
    pub(crate) fn train(
        data: &Data<'_>,
        settings: &Settings,
        label: usize,
        view: &View<'_>,
    ) -> Result<Option<Ensemble>> {
        let class = &data.classes[label];
        if class.ids.len() < MIN_CLASS || class.typical.is_empty() {
            return Ok(None);
        }
        let mut members = Vec::new();
        for &features in &settings.features {
            for member in 0..settings.members {
                view.checkpoint()?;
                members.push(train_member(data, settings, label, features, member)?);
            }
        }
        Ok(Some(Ensemble::judge(data, settings, label, members)))
    }

    fn judge(data: &Data<'_>, settings: &Settings, label: usize, members: Vec<Member>) -> Ensemble {
        let class = &data.classes[label];
        let prior = (settings.clean_share / (1.0 - settings.clean_share)).ln();
        let limit = (settings.threshold / (1.0 - settings.threshold)).ln();
        let logits: Vec<Vec<f32>> = members
            .iter()
            .map(|member| {
                let space = data.space(label, member.features);
                class
                    .ids
                    .iter()
                    .map(|&id| prior + member.logit(space, data.rows.row(id as usize), true))
                    .collect()
            })
            .collect();
        let unseen = |member: usize, place: usize| !members[member].has_seen(class.ids[place]);
        let clean: Vec<f32> = (0..members.len())
            .map(|member| {
                let judged: Vec<usize> =
                    (0..class.ids.len()).filter(|&place| unseen(member, place)).collect();
                let accepted = judged.iter().filter(|&&place| logits[member][place] >= limit).count();
                accepted as f32 / judged.len().max(1) as f32
            })
            .collect();
        let passed: Vec<usize> = (0..members.len()).filter(|&member| clean[member] > settings.gate).collect();
        let counting: Vec<usize> =
            if passed.is_empty() { (0..members.len()).collect() } else { passed.clone() };
        // Those that were trained on a sample judge it only where all were.
        let judges = |place: usize| {
            let out: Vec<usize> = counting.iter().copied().filter(|&member| unseen(member, place)).collect();
            if out.is_empty() { counting.clone() } else { out }
        };
        let mut verdicts: Vec<f32> = (0..class.ids.len())
            .map(|place| {
                let said = judges(place).into_iter().map(|member| logits[member][place]);
                if passed.is_empty() {
                    let said: Vec<f32> = said.collect();
                    said.iter().sum::<f32>() / said.len() as f32
                } else {
                    said.fold(f32::INFINITY, f32::min)
                }
            })
            .collect();
        if passed.is_empty() {
            move_to_gate(&mut verdicts, settings.gate, limit);
        }
        let rejects = |place: usize| counting.iter().filter(|&&member| logits[member][place] < limit).count();
        let rejections = (0..class.ids.len()).map(rejects).collect();
        let scores = verdicts.iter().map(|&logit| sigmoid(logit)).collect();
        let mean = Member::mean(&members);
        Ensemble { members, mean, clean, joined: passed.len(), scores, rejections }
    }

    /// How many members count.
    pub(crate) fn counting(&self) -> usize {
        if self.joined == 0 { self.members.len() } else { self.joined }
    }

    /// Mean logit that a vector belongs to this class, among as many that do not.
    pub(crate) fn claim(&self, data: &Data<'_>, label: usize, vector: &[f32], member: bool) -> f32 {
        self.mean.as_ref().map_or_else(
            || {
                let logit = |m: &Member| m.logit(data.space(label, m.features), vector, member);
                self.members.iter().map(logit).sum::<f32>() / self.members.len().max(1) as f32
            },
            |mean| mean.logit(data.space(label, mean.features), vector, member),
        )
    }
}

/// Moves logits up until only `1 - gate` of them lie below `limit`.
fn move_to_gate(logits: &mut [f32], gate: f32, limit: f32) {
    let mut sorted = logits.to_vec();
    sorted.sort_by(f32::total_cmp);
    let place = ((1.0 - gate) * sorted.len() as f32) as usize;
    let shift = (limit - sorted[place.min(sorted.len() - 1)]).max(0.0);
    logits.iter_mut().for_each(|logit| *logit += shift);
}

fn train_member(
    data: &Data<'_>,
    settings: &Settings,
    label: usize,
    features: Features,
    number: usize,
) -> Result<Member> {
    let class = &data.classes[label];
    let space = data.space(label, features);
    let mut rng = Rng::new(label, number);
    let mut examples = Examples::default();
    let mut seen: Vec<u32> = Vec::new();

    // Clean: half of the typical samples, and texts about the class.
    let half = if class.typical.len() >= ENOUGH { class.typical.len() / 2 } else { class.typical.len() };
    let clean = rng.take(&class.typical, half.min(settings.max_training / 2));
    for &id in &clean {
        examples.push(&space.of(data.rows.row(id as usize), true), true);
    }
    let few = (clean.len() / 4).max(4);
    if let Some(texts) = data.texts {
        let positive = &texts.positive[label];
        for row in rng.take(&(0..positive.rows() as u32).collect::<Vec<_>>(), few) {
            examples.push(&space.of(positive.row(row as usize), false), true);
        }
    }
    // Polluted: typical samples of other classes, unrelated texts, random vectors.
    for id in others(data, label, clean.len(), &mut rng) {
        examples.push(&space.of(data.rows.row(id as usize), false), false);
    }
    if let Some(texts) = data.texts {
        for row in rng.take(&(0..texts.unrelated.rows() as u32).collect::<Vec<_>>(), few) {
            examples.push(&space.of(texts.unrelated.row(row as usize), false), false);
        }
    }
    for _ in 0..few {
        examples.push(&space.of(&random_unit(data.rows.cols(), &mut rng), false), false);
    }
    // What a person said.
    for (ids, is_clean) in [(&class.kept, true), (&class.rejected, false)] {
        for &id in ids {
            let row = space.of(data.rows.row(id as usize), class.ids.binary_search(&id).is_ok());
            (0..DECIDED).for_each(|_| examples.push(&row, is_clean));
            seen.push(id);
        }
    }
    seen.extend(clean);
    Member::train(features, examples, seen)
}

/// `count` typical samples of the other classes, as evenly from each as can be.
fn others(data: &Data<'_>, label: usize, count: usize, rng: &mut Rng) -> Vec<u32> {
    let mut pools: Vec<Vec<u32>> = Vec::new();
    for (other, class) in data.classes.iter().enumerate() {
        if other != label && !class.typical.is_empty() {
            pools.push(class.typical.clone());
        }
    }
    let mut taken = Vec::with_capacity(count);
    while taken.len() < count && !pools.is_empty() {
        // Which classes give one more than others is chance, and so is the order.
        let many = pools.len();
        let start = rng.below(many);
        for step in 0..many {
            let pool = &mut pools[(start + step) % many];
            if taken.len() < count && !pool.is_empty() {
                let place = rng.below(pool.len());
                taken.push(pool.swap_remove(place));
            }
        }
        pools.retain(|pool| !pool.is_empty());
    }
    taken
}

fn random_unit(dim: usize, rng: &mut Rng) -> Vec<f32> {
    let mut vector: Vec<f32> = (0..dim).map(|_| rng.signed()).collect();
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    vector.iter_mut().for_each(|x| *x /= norm);
    vector
}
