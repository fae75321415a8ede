//! Pictures of one folder that are unlike everything in another: those of `test` or `validation` against those of `train`.

use chaffinch_plugin::prelude::*;

/// Compares samples of other splits with those of the training split.
pub struct OutOfDistribution;

const DOCS: &str = "# What it finds
Pictures outside the training split that are further from it than its own pictures are from each other.

# Why it matters
A model is asked about pictures that it has seen nothing like; what it answers there is a guess.

# Score
Among the training pictures, the share that is at least as far from the others of the split: a conformal p-value. The distance
is the mean cosine distance to the k nearest.

# Parameters
k: how many of the nearest count.

# Blind spots
It needs a training split. With few training pictures the score is coarse: of 99 it is never below 0.01.
";

/// Rows that are compared at once.
const ROWS: usize = 256;

impl Detector for OutOfDistribution {
    const INFO: Info = Info::new("out-of-distribution", "Unlike every picture of the training split")
        .version("1.0.0")
        .docs(DOCS)
        .needs(Needs::EMBEDDINGS)
        .threshold(0.05)
        .params(&[Param::integer("k", 5, 1, 100, "How many of the nearest training pictures count")]);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let k = view.count("k")?;
        let all = || (0..view.len()).filter(|&sample| view.decodable(sample));
        let known: Vec<u32> = all().filter(|&s| view.split(s) == Split::Train).map(|s| s as u32).collect();
        let others: Vec<u32> = all().filter(|&s| view.split(s) != Split::Train).map(|s| s as u32).collect();
        if known.len() <= k {
            return Err(Error::missing(format!("the training split must have more than {k} pictures; it has {}", known.len())));
        }
        let mut usual = distances(view, &known, &known, k)?;
        usual.sort_by(f32::total_cmp);
        for (&sample, distance) in others.iter().zip(distances(view, &others, &known, k)?) {
            let further = usual.len() - usual.partition_point(|&other| other < distance);
            let score = (1 + further) as f32 / (1 + usual.len()) as f32;
            let reason = format!("only {further} of {} training pictures are as far from the others", usual.len());
            report.issue(Issue::new(sample as usize, Score::clamp(score)?).reason(&reason))?;
        }
        Ok(())
    }
}

/// For each row the mean distance to the k nearest columns, without itself.
fn distances(view: &View<'_>, rows: &[u32], cols: &[u32], k: usize) -> Result<Vec<f32>> {
    let mut out = Vec::with_capacity(rows.len());
    for part in rows.chunks(ROWS) {
        view.checkpoint()?;
        view.progress(out.len(), rows.len());
        let cosines = view.block(part, cols)?;
        for (row, &sample) in cosines.chunks_exact(cols.len()).zip(part) {
            let near = row.iter().zip(cols).filter(|(_, other)| **other != sample);
            let mut far: Vec<f32> = near.map(|(cosine, _)| 1.0 - cosine).collect();
            far.sort_by(f32::total_cmp);
            out.push(far[..k].iter().sum::<f32>() / k as f32);
        }
    }
    Ok(out)
}

export_detector!(OutOfDistribution);

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_plugin::testing::MemoryHost;

    #[test]
    fn what_is_unlike_the_training_split_is_flagged() {
        let mut rows = Vec::new();
        let mut splits = Vec::new();
        for sample in 0..60 {
            rows.extend([1.0, (sample % 7) as f32 * 0.02, 0.0]);
            splits.push(if sample < 50 { Split::Train } else { Split::Test });
        }
        rows.extend([0.0, 0.0, 1.0]);
        splits.push(Split::Test);
        let outcome = MemoryHost::new().embeddings(&rows, 3).splits(&splits).run(&OutOfDistribution);
        assert_eq!(outcome.flagged(0.05), [60]);
        assert_eq!(outcome.scores[0], None, "what is known is not judged");
    }
}
