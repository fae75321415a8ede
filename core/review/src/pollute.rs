//! Plants known faults in a dataset, to measure detectors.
//!
//! First, [`plan`] draws a plan, which needs no files; then [`write()`] makes a copy of the dataset according to it.
//! The original is never modified. The same dataset, recipe and seed always give the same plan: random numbers come
//! from ChaCha8, and samples are taken in manifest order.
//!
//! Each sample gets at most one fault. Label noise follows the usual definitions: *symmetric* gives a share of all
//! samples a class drawn from all (the convention of learning with noisy labels, where some keep theirs) or from the
//! others; *asymmetric* gives a share of each class one confusable class (CIFAR-10: truck to automobile, bird to
//! airplane, deer to horse, cat to dog and back); a *matrix* gives the probability of each given class for each true
//! one (cleanlab's noise matrix: columns are true classes and sum to 1); *given* labels replay noise that depends on
//! each image.

mod poor;
mod write;

pub use write::{DATA, LIST, PolluteReport, TRUTH, write};

use crate::{Error, Result};
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::{LabelId, SampleId};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;

/// Which labels become wrong.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum LabelNoise {
    /// None.
    #[default]
    None,
    /// A share of all samples gets a class drawn evenly: from the others, or from all where `same_too` is set.
    Symmetric {
        /// Of all labeled samples, 0..=1.
        share: f64,
        /// Whether the true class may be drawn too.
        same_too: bool,
    },
    /// In each pair, a share of the first class gets the second one as label.
    Asymmetric {
        /// Of each class, 0..=1.
        share: f64,
        /// True class, given class.
        pairs: Vec<(LabelId, LabelId)>,
    },
    /// `matrix[given][true]` is the probability of a given class for a true one.
    Matrix(Vec<Vec<f64>>),
    /// Each sample's given label; `None` leaves it unchanged.
    Given(Vec<Option<LabelId>>),
}

/// Which faults to plant.
#[derive(Debug, Clone, Default)]
pub struct Recipe {
    /// Seed of the random numbers.
    pub seed: u64,
    /// Wrong labels.
    pub labels: LabelNoise,
    /// Exact copies.
    pub copies: usize,
    /// Copies re-encoded as JPEG at quality 60, every second one resized.
    pub reencoded: usize,
    /// Samples to blur.
    pub blurred: usize,
    /// Samples to darken.
    pub dark: usize,
    /// Samples to truncate to the first half of their file.
    pub truncated: usize,
    /// Samples with strong noise.
    pub noisy: usize,
    /// Samples with black and white specks.
    pub specked: usize,
    /// Samples to compress until blocks show.
    pub blocky: usize,
    /// Samples to take the contrast from.
    pub faint: usize,
    /// Samples to blur along one direction.
    pub moved: usize,
    /// Samples whose lower third is filled with gray.
    pub cut: usize,
    /// Samples with black bars above and below.
    pub boxed: usize,
    /// Foreign images that may be planted.
    pub strangers: Vec<PathBuf>,
    /// Number of foreign images to plant.
    pub foreign: usize,
}

/// What is wrong with a planted sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its label.
    Label,
    /// It is an exact copy.
    Copy,
    /// It is a re-encoded copy.
    Reencoded,
    /// It is blurred.
    Blurred,
    /// It is dark.
    Dark,
    /// Half of the file is missing.
    Truncated,
    /// There is noise all over it.
    Noise,
    /// It has black and white specks all over.
    Specks,
    /// It is compressed until blocks show.
    Blocks,
    /// Hardly any contrast is left.
    LowContrast,
    /// It is blurred along one direction.
    MotionBlur,
    /// Its lower third is filled with gray.
    Cut,
    /// It has black bars above and below.
    Bars,
    /// It is a foreign image.
    Foreign,
}

impl Fault {
    /// Its name in the list of planted faults.
    pub const fn name(self) -> &'static str {
        match self {
            Fault::Label => "label",
            Fault::Copy => "copy",
            Fault::Reencoded => "reencoded",
            Fault::Blurred => "blurred",
            Fault::Dark => "dark",
            Fault::Truncated => "truncated",
            Fault::Noise => "noise",
            Fault::Specks => "salt-and-pepper",
            Fault::Blocks => "jpeg-blocks",
            Fault::LowContrast => "low-contrast",
            Fault::MotionBlur => "motion-blur",
            Fault::Cut => "cut-off",
            Fault::Bars => "bars",
            Fault::Foreign => "foreign",
        }
    }
}

/// One planted fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// What is wrong.
    pub fault: Fault,
    /// The source sample; `None` for a foreign image.
    pub sample: Option<SampleId>,
    /// The file of a foreign image.
    pub stranger: Option<PathBuf>,
    /// The sample into whose split a foreign image comes; `None` if the dataset has no splits.
    pub beside: Option<SampleId>,
    /// Its given label.
    pub label: Option<LabelId>,
}

/// The faults of a dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Sorted by kind, then by sample.
    pub planted: Vec<Planted>,
}

/// The number of foreign images that make up a portion `p` of a dataset with `n` other samples.
///
/// # Errors
/// When `portion` is not in 0..1.
pub fn portion(p: f64, n: usize) -> Result<usize> {
    if !(0.0..1.0).contains(&p) {
        return Err(Error::Invalid(format!("a fraction of {p} is not in the range 0..1")));
    }
    Ok((n as f64 / (1.0 - p)).round() as usize - n)
}

/// Draws the faults.
///
/// # Errors
/// When a share is out of range, a matrix does not match the classes, or there are too few samples or foreign images.
pub fn plan(manifest: &Manifest, recipe: &Recipe) -> Result<Plan> {
    let mut random = ChaCha8Rng::seed_from_u64(recipe.seed);
    let mut planted = Vec::new();
    for (sample, label) in wrong_labels(manifest, &recipe.labels, &mut random)? {
        planted.push(Planted {
            fault: Fault::Label,
            sample: Some(sample),
            stranger: None,
            beside: None,
            label: Some(label),
        });
    }
    let taken: std::collections::BTreeSet<u32> =
        planted.iter().filter_map(|planted| Some(planted.sample?.0)).collect();
    let mut rest: Vec<SampleId> = manifest.ids().filter(|id| !taken.contains(&id.0)).collect();
    rest.shuffle(&mut random);
    let mut rest = rest.into_iter();
    for (fault, wanted) in [
        (Fault::Copy, recipe.copies),
        (Fault::Reencoded, recipe.reencoded),
        (Fault::Blurred, recipe.blurred),
        (Fault::Dark, recipe.dark),
        (Fault::Truncated, recipe.truncated),
        (Fault::Noise, recipe.noisy),
        (Fault::Specks, recipe.specked),
        (Fault::Blocks, recipe.blocky),
        (Fault::LowContrast, recipe.faint),
        (Fault::MotionBlur, recipe.moved),
        (Fault::Cut, recipe.cut),
        (Fault::Bars, recipe.boxed),
    ] {
        let mut some: Vec<SampleId> = rest.by_ref().take(wanted).collect();
        if some.len() < wanted {
            return Err(Error::Invalid(format!(
                "there are not enough samples without a fault to plant {wanted} of kind '{}'",
                fault.name()
            )));
        }
        some.sort_unstable();
        planted.extend(some.into_iter().map(|sample| Planted {
            fault,
            sample: Some(sample),
            stranger: None,
            beside: None,
            label: manifest.label(sample),
        }));
    }
    planted.extend(foreign(manifest, recipe, &mut random)?);
    Ok(Plan { planted })
}

fn foreign(manifest: &Manifest, recipe: &Recipe, random: &mut ChaCha8Rng) -> Result<Vec<Planted>> {
    if recipe.foreign > recipe.strangers.len() {
        return Err(Error::Invalid(format!(
            "cannot plant {} foreign images, there are only {} to choose from",
            recipe.foreign,
            recipe.strangers.len()
        )));
    }
    let mut strangers: Vec<usize> = (0..recipe.strangers.len()).collect();
    strangers.shuffle(random);
    strangers.truncate(recipe.foreign);
    strangers.sort_unstable();
    let classes = manifest.classes().len() as u32;
    let split: Vec<SampleId> =
        manifest.ids().filter(|id| !manifest.split_as_written(*id).is_empty()).collect();
    let planted = strangers.into_iter().map(|stranger| {
        let label = (classes > 0).then(|| LabelId(random.random_range(0..classes)));
        let same: Vec<SampleId> = split.iter().copied().filter(|id| manifest.label(*id) == label).collect();
        let among = if same.is_empty() { &split } else { &same };
        let beside = (!among.is_empty()).then(|| among[random.random_range(0..among.len())]);
        let stranger = Some(recipe.strangers[stranger].clone());
        Planted { fault: Fault::Foreign, sample: None, stranger, beside, label }
    });
    Ok(planted.collect())
}

/// Samples whose label changes, in manifest order.
fn wrong_labels(
    manifest: &Manifest,
    noise: &LabelNoise,
    random: &mut ChaCha8Rng,
) -> Result<Vec<(SampleId, LabelId)>> {
    let classes = manifest.classes().len();
    let labeled: Vec<(SampleId, LabelId)> =
        manifest.ids().filter_map(|id| Some((id, manifest.label(id)?))).collect();
    let share_of = |share: f64, count: usize| {
        if (0.0..=1.0).contains(&share) {
            return Ok((share * count as f64) as usize);
        }
        Err(Error::Invalid(format!("a share of {share} is not in the range 0..=1")))
    };
    let mut wrong = match noise {
        LabelNoise::None => Vec::new(),
        LabelNoise::Symmetric { share, same_too } => {
            let wanted = share_of(*share, labeled.len())?;
            if classes < 2 && wanted > 0 {
                return Err(Error::Invalid("wrong labels need at least two classes".into()));
            }
            let mut order: Vec<usize> = (0..labeled.len()).collect();
            order.shuffle(random);
            let others = if *same_too { classes } else { classes.saturating_sub(1) } as u32;
            let mut wrong = Vec::with_capacity(wanted);
            for &drawn_index in &order[..wanted] {
                let (sample, label) = labeled[drawn_index];
                let drawn = random.random_range(0..others);
                let given = if !*same_too && drawn >= label.0 { drawn + 1 } else { drawn };
                wrong.push((sample, LabelId(given)));
            }
            wrong
        }
        LabelNoise::Asymmetric { share, pairs } => {
            let mut wrong = Vec::new();
            for &(from, to) in pairs {
                let mut members: Vec<SampleId> =
                    labeled.iter().filter(|(_, label)| *label == from).map(|(sample, _)| *sample).collect();
                members.shuffle(random);
                let wanted = share_of(*share, members.len())?;
                wrong.extend(members.into_iter().take(wanted).map(|sample| (sample, to)));
            }
            wrong
        }
        LabelNoise::Matrix(matrix) => {
            check_matrix(matrix, classes)?;
            let draw = |(sample, label): (SampleId, LabelId), random: &mut ChaCha8Rng| {
                let mut left: f64 = random.random();
                let column = label.index();
                let given = (0..classes).find(|&given| {
                    left -= matrix[given][column];
                    left < 0.0
                });
                (sample, given.map_or(label, |given| LabelId(given as u32)))
            };
            labeled.iter().map(|&pair| draw(pair, random)).collect()
        }
        LabelNoise::Given(labels) => {
            if labels.len() != manifest.len() {
                return Err(Error::Invalid(
                    "the number of given labels differs from the number of samples".into(),
                ));
            }
            manifest.ids().filter_map(|id| Some((id, labels[id.index()]?))).collect()
        }
    };
    wrong.retain(|(sample, given)| manifest.label(*sample) != Some(*given));
    wrong.sort_unstable_by_key(|(sample, _)| *sample);
    wrong.dedup_by_key(|(sample, _)| *sample);
    Ok(wrong)
}

fn check_matrix(matrix: &[Vec<f64>], classes: usize) -> Result<()> {
    if matrix.len() != classes || matrix.iter().any(|row| row.len() != classes) {
        return Err(Error::Invalid(format!(
            "the noise matrix must be {classes} by {classes}, with one row per class"
        )));
    }
    for class in 0..classes {
        let column = matrix.iter().map(|row| row[class]);
        if column.clone().any(|share| !(0.0..=1.0).contains(&share)) {
            return Err(Error::Invalid("the noise matrix has a value that is not a probability".into()));
        }
        let sum: f64 = column.sum();
        if (sum - 1.0).abs() > 1e-3 {
            return Err(Error::Invalid(format!(
                "column {} of the noise matrix sums to {sum:.4}, not 1 (columns are the true classes)",
                class + 1
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
