#![doc = include_str!("docs.md")]
//!
//! Run its tests: `cargo test --release -p chaffinch-cluster-outliers`.

mod classes;
#[doc(hidden)] // For the benchmark in benches/.
pub mod fasterpam;
mod fence;
mod words;

use chaffinch_plugin::abi::Str;
use chaffinch_plugin::prelude::*;
use classes::Model;
use fence::Fence;

/// The smallest class that is judged.
const MIN_CLASS: usize = 4;
/// Samples scoring below this get a reason and evidence, so that they are there if the threshold moves.
const WORDS_BELOW: f32 = 0.75;
/// Rows of one block of similarities.
const BLOCK_ROWS: usize = 4096;

/// Finds samples far from all representatives of their class.
pub struct ClusterOutliers;

impl Detector for ClusterOutliers {
    const INFO: Info =
        Info::new("cluster-outliers", "Finds samples far from everything typical of their class")
            .version(env!("CARGO_PKG_VERSION"))
            .docs(include_str!("docs.md"))
            .needs(Needs::EMBEDDINGS.and(Needs::LABELS))
            .threshold(0.5)
            .params(&[
                Param::integer("clusters", 5, 0, 100, "Medoids per class; 0 chooses the elbow"),
                Param::number(
                    "c",
                    3.5,
                    0.1,
                    8.0,
                    "How many spreads below the class's median a sample may be",
                ),
                Param::choice(
                    "reference",
                    &[
                        Str::new("medoid"),
                        Str::new("mean"),
                        Str::new("median"),
                        Str::new("most-similar"),
                        Str::new("pairwise"),
                        Str::new("text"),
                    ],
                    "What a sample is compared with",
                )
                .needs(Needs::TEXTS),
                Param::flag("two-sided", false, "Also flag samples that are as far above the median"),
                Param::integer(
                    "max-matrix",
                    8000,
                    10,
                    30_000,
                    "Largest class for which all pairs are compared",
                ),
            ]);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        // Of several equally good medoids the first is taken, and sums are rounded in order.
        let members = view.members_by_content();
        if members.iter().all(|class| class.len() < MIN_CLASS) {
            return Err(Error::new(format!(
                "no class has {MIN_CLASS} labeled images, so there is nothing to compare with"
            )));
        }
        let mut scores = vec![f32::NAN; view.len()];
        let mut fences = Vec::new();
        let mut models = Vec::new();
        let settings = Settings::read(view)?;
        for (label, class) in members.iter().enumerate() {
            view.checkpoint()?;
            let (model, fence) = judge(view, &settings, label as u32, class, &mut scores)?;
            models.push(model);
            fences.push(fence);
            view.progress(label + 1, members.len());
        }
        report.scores(&scores)?;
        words::notes(view, report, &members, &models)?;
        words::issues(view, report, &scores, &models, &fences)
    }
}

export_detector!(ClusterOutliers);

/// The parameters of a run.
struct Settings {
    clusters: usize,
    c: f32,
    reference: usize,
    two_sided: bool,
    max_matrix: usize,
}

impl Settings {
    fn read(view: &View<'_>) -> Result<Settings> {
        Ok(Settings {
            clusters: view.count("clusters")?,
            c: view.number("c")? as f32,
            reference: view.choice("reference")?,
            two_sided: view.flag("two-sided")?,
            max_matrix: view.count("max-matrix")?,
        })
    }
}

/// Models one class and scores its samples. A class that is too small gets neither.
fn judge(
    view: &View<'_>,
    settings: &Settings,
    label: u32,
    class: &[usize],
    scores: &mut [f32],
) -> Result<(Option<Model>, Option<Fence>)> {
    if class.len() < MIN_CLASS {
        return Ok((None, None));
    }
    let ids: Vec<u32> = class.iter().map(|&sample| sample as u32).collect();
    let model = Model::fit(view, settings, &ids)?;
    let similarities = match settings.reference {
        0 => model.similarities(view, &ids)?,
        1 => classes::to_mean(view, class)?,
        2 => classes::to_median(view, class)?,
        3 => classes::to_most_similar(view, &ids, settings.max_matrix)?,
        4 => classes::pairwise(view, &ids, settings.max_matrix)?,
        _ => classes::to_text(view, label, class)?,
    };
    let own =
        if settings.reference == 0 { Fence::robust(&similarities) } else { Fence::standard(&similarities) };
    for (&sample, &similarity) in class.iter().zip(&similarities) {
        let z = own.below(similarity);
        let z = if settings.two_sided { z.abs() } else { z };
        scores[sample] = Score::clamp(1.0 / (1.0 + (z - settings.c).exp()))?.get();
    }
    // Reasons compare with medoids, whatever the reference.
    let fence = if settings.reference == 0 { own } else { Fence::robust(&model.similarities(view, &ids)?) };
    Ok((Some(model), Some(fence)))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
use chaffinch_plugin::testing::npy;

#[cfg(test)]
#[path = "../../../tests/src/paintings.rs"]
mod paintings;
