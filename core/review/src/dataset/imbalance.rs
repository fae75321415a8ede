//! Classes with far fewer samples than the others: Datalab's `class_imbalance`.

use super::counts::{percent, plural};
use super::look::Look;
use super::{Found, Kind, Unchecked, because, calibrated};
use chaffinch_compute::job::Job;

pub(super) const KIND: Kind = Kind { name: "class_imbalance", title: "Class imbalance", find };

/// The share of an even part below which a class is too rare.
const THRESHOLD: f64 = 0.1;

/// The rarest class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rarest {
    /// Its index; of several, the first.
    pub(super) class: u32,
    /// Its share of the labeled samples, which is Datalab's score.
    pub(super) share: f64,
    /// The share below which Datalab calls it an issue.
    pub(super) threshold: f64,
}

/// The rarest of the classes that have samples; `None` without labels. Labels out of range are none.
pub(super) fn rarest(labels: &[u32], classes: usize) -> Option<Rarest> {
    let counts = by_class(labels, classes);
    let total: u64 = counts.iter().sum();
    let present = (0..).zip(&counts).filter(|(_, count)| **count > 0);
    let (class, count) = present.clone().min_by_key(|(_, count)| **count)?;
    let threshold = THRESHOLD / present.count() as f64;
    Some(Rarest { class, share: *count as f64 / total as f64, threshold })
}

fn by_class(labels: &[u32], classes: usize) -> Vec<u64> {
    let mut counts = vec![0; classes];
    for &label in labels {
        if let Some(count) = counts.get_mut(label as usize) {
            *count += 1;
        }
    }
    counts
}

fn find(look: &Look<'_>, _job: &Job<'_>) -> Result<Vec<Found>, Unchecked> {
    let labels = look.inputs.manifest.labels();
    let counts = by_class(labels, look.class_count());
    let total: u64 = counts.iter().sum();
    let several = counts.iter().filter(|count| **count > 0).count();
    let Some(rarest) = rarest(labels, look.class_count()).filter(|_| several > 1) else {
        return because("there are fewer than two classes with samples");
    };
    if rarest.share >= rarest.threshold {
        return Ok(Vec::new());
    }
    let share = |class: u32| counts[class as usize] as f64 / total as f64;
    let mut rare: Vec<u32> = (0..counts.len() as u32).filter(|&class| counts[class as usize] > 0).collect();
    rare.retain(|&class| share(class) < rarest.threshold);
    rare.sort_by_key(|&class| counts[class as usize]);
    let most = counts.iter().max().copied().unwrap_or(0);
    let others = match rare.len() {
        1 => String::new(),
        many => format!(", and {} more are rare", plural(many as u64 - 1, "class", "classes")),
    };
    let text = format!(
        "The class {} has {} ({} of all), where an even share is {}{others}",
        look.class(rarest.class),
        plural(counts[rarest.class as usize], "sample", "samples"),
        percent(rarest.share),
        percent(1.0 / several as f64)
    );
    let samples = (0_u32..).zip(labels).filter(|(_, label)| rare.contains(label)).map(|(row, _)| row);
    Ok(vec![
        Found::new(calibrated(rarest.share, rarest.threshold), text)
            .figure("datalab_score", rarest.share)
            .figure("threshold", rarest.threshold)
            .figure("smallest_class", counts[rarest.class as usize] as f64)
            .figure("largest_class", most as f64)
            .samples(samples)
            .classes(rare.iter().copied()),
    ])
}
