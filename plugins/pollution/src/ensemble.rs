//! The ensemble of one class: members, gate and verdicts.

use crate::classes::MIN_CLASS;
use crate::examples::{self, Data};
use crate::member::{Example, Kind, Member, Model};
use crate::rng::Rng;
use crate::stablelabel::sigmoid;
use crate::{Method, Settings};
use chaffinch_plugin::prelude::*;

/// The share of its class that a support vector classifier must call clean to join.
const SIGMOID_GATE: f32 = 0.8;

/// The classifiers of one class and their results for its samples.
pub(crate) struct Ensemble {
    pub(crate) members: Vec<Member>,
    /// A single classifier that equals their mean, if all are linear in the embedding.
    mean: Option<Member>,
    /// Share of the class that each member calls clean.
    pub(crate) clean: Vec<f32>,
    /// How many joined.
    pub(crate) joined: usize,
    /// P(clean) of each sample of the class.
    pub(crate) scores: Vec<f32>,
    /// How many of the joined members reject each sample.
    pub(crate) rejections: Vec<usize>,
}

/// Trains the members of one class; none if the class is too small.
pub(crate) fn train(
    data: &Data<'_>,
    settings: &Settings,
    label: usize,
    view: &View<'_>,
) -> Result<Vec<Member>> {
    let class = &data.classes[label];
    if class.ids.len() < MIN_CLASS || class.typical.is_empty() {
        return Ok(Vec::new());
    }
    let mut members = Vec::new();
    for &features in &settings.features {
        for number in 0..settings.members {
            view.checkpoint()?;
            let mut rng = Rng::new(label, number);
            let examples = examples::make(data, settings, label, features, &mut rng);
            let kind = settings.method.kind();
            members.push(Member::train(kind, features, examples.iter(), &mut rng)?);
        }
        if settings.method == Method::StableLabel && settings.support_vectors {
            view.checkpoint()?;
            let mut rng = Rng::new(label, 0);
            let examples = examples::make(data, settings, label, features, &mut rng);
            members.push(Member::train(Kind::Sigmoid, features, examples.iter(), &mut rng)?);
        }
    }
    Ok(members)
}

impl Ensemble {
    /// Has the members judge their class.
    pub(crate) fn judge(
        data: &Data<'_>,
        settings: &Settings,
        label: usize,
        members: Vec<Member>,
    ) -> Ensemble {
        let class = &data.classes[label];
        let (prior, limit) = (settings.prior(), settings.limit());
        let logits: Vec<Vec<f32>> = members
            .iter()
            .map(|member| {
                let space = data.space(label, member.features);
                // A support vector classifier has no probability: it rejects what is on the other side.
                let prior = match member.model {
                    Model::Sigmoid(_) => limit,
                    _ => prior,
                };
                class
                    .ids
                    .iter()
                    .map(|&id| prior + member.logit(space, data.rows.row(id as usize), true))
                    .collect()
            })
            .collect();
        // In the published recipe, members also judge samples they were trained on.
        let aside = settings.method == Method::Logistic;
        let unseen = |member: usize, index: usize| !(aside && members[member].has_seen(class.ids[index]));
        let clean: Vec<f32> = (0..members.len())
            .map(|member| {
                let judged: Vec<usize> =
                    (0..class.ids.len()).filter(|&index| unseen(member, index)).collect();
                let accepted = judged.iter().filter(|&&index| logits[member][index] >= limit).count();
                accepted as f32 / judged.len().max(1) as f32
            })
            .collect();
        let gate = |member: usize| match members[member].model {
            Model::Sigmoid(_) => settings.gate.min(SIGMOID_GATE),
            _ => settings.gate,
        };
        let passed: Vec<usize> = (0..members.len()).filter(|&member| clean[member] > gate(member)).collect();
        let counting: Vec<usize> =
            if passed.is_empty() { (0..members.len()).collect() } else { passed.clone() };
        // Members trained on a sample judge it only if all were.
        let judges = |index: usize| {
            let out: Vec<usize> = counting.iter().copied().filter(|&member| unseen(member, index)).collect();
            if out.is_empty() { counting.clone() } else { out }
        };
        let mut verdicts: Vec<f32> = (0..class.ids.len())
            .map(|index| {
                let said = judges(index).into_iter().map(|member| logits[member][index]);
                if passed.is_empty() {
                    let said: Vec<f32> = said.collect();
                    said.iter().sum::<f32>() / said.len() as f32
                } else {
                    said.fold(f32::INFINITY, f32::min)
                }
            })
            .collect();
        if passed.is_empty() {
            // Without members the published rule flags nothing.
            // Slightly above the limit, so that rounding to a score does not undo it.
            let (gate, limit) = if aside { (settings.gate, limit) } else { (1.0, limit + 1e-3) };
            move_to_gate(&mut verdicts, gate, limit);
        }
        let rejects = |index: usize| counting.iter().filter(|&&member| logits[member][index] < limit).count();
        let rejections = (0..class.ids.len()).map(rejects).collect();
        let shift = settings.shift();
        let scores = verdicts.iter().map(|&logit| sigmoid(logit + shift)).collect();
        let mean = Member::mean(&members);
        Ensemble { members, mean, clean, joined: passed.len(), scores, rejections }
    }

    /// How many members joined.
    pub(crate) fn counting(&self) -> usize {
        if self.joined == 0 { self.members.len() } else { self.joined }
    }

    /// Mean logit that a vector belongs to this class, for equal priors.
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

/// Shifts logits up until only `1 - gate` of them are below `limit`.
fn move_to_gate(logits: &mut [f32], gate: f32, limit: f32) {
    let mut sorted = logits.to_vec();
    sorted.sort_by(f32::total_cmp);
    let index = ((1.0 - gate) * sorted.len() as f32) as usize;
    let shift = (limit - sorted[index.min(sorted.len() - 1)]).max(0.0);
    logits.iter_mut().for_each(|logit| *logit += shift);
}

/// The result for an example from a classifier that was not trained on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeldOut {
    pub(crate) logit: f32,
    pub(crate) clean: bool,
    pub(crate) decided: bool,
}

/// Cross-validation of one class: its first member is retrained once per fold, without that part of the examples,
/// which it then judges.
pub(crate) fn cross_validate(
    data: &Data<'_>,
    settings: &Settings,
    label: usize,
    view: &View<'_>,
) -> Result<Vec<HeldOut>> {
    let class = &data.classes[label];
    if settings.folds < 2 || class.ids.len() < MIN_CLASS || class.typical.is_empty() {
        return Ok(Vec::new());
    }
    let features = settings.features[0];
    let mut rng = Rng::new(label, 0);
    let examples = examples::make(data, settings, label, features, &mut rng);
    // Clean and polluted, by rule and decided: each kind is distributed evenly.
    let mut dealt = [0_usize; 4];
    let folds: Vec<usize> = examples
        .iter()
        .map(|example| {
            let turn = &mut dealt[usize::from(example.clean) + 2 * usize::from(example.decided)];
            *turn += 1;
            *turn % settings.folds
        })
        .collect();
    let mut held = Vec::new();
    for fold in 0..settings.folds {
        view.checkpoint()?;
        let kept = |wanted: bool| {
            let pairs = examples.iter().zip(&folds);
            pairs.filter(move |(_, index)| (**index == fold) != wanted).map(|(example, _)| example)
        };
        // If a fold holds all examples of one kind, there are too few to say anything.
        let Ok(member) = Member::train(settings.method.kind(), features, kept(true), &mut rng) else {
            continue;
        };
        held.extend(kept(false).map(|example: &Example| {
            let row: Vec<f32> = example.row.iter().map(|&x| x as f32).collect();
            HeldOut { logit: member.logit_of(&row), clean: example.clean, decided: example.decided }
        }));
    }
    Ok(held)
}
