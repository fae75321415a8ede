//! Precision-recall curves.

use super::{Judged, metrics};

/// One point on a curve: what is found when reviewing everything with this score or worse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Share of the known errors that are found.
    pub recall: f64,
    /// Share of errors among the reviewed samples.
    pub precision: f64,
}

/// Precision over recall, starting from the worst score. Recall is over all known errors, so the curve of a detector
/// that does not score all samples ends before 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// One point for each distinct score at which more is found.
    pub points: Vec<Point>,
    /// The point at the threshold; `None` if nothing is flagged.
    pub threshold: Option<Point>,
}

impl Curve {
    pub(super) fn new(rows: &[Judged], n_errors: usize) -> Curve {
        let quality: Vec<f64> = rows.iter().map(|row| row.quality).collect();
        let order = metrics::worst_first(&quality);
        let point = |found: usize, seen: usize| Point {
            recall: found as f64 / n_errors.max(1) as f64,
            precision: found as f64 / seen.max(1) as f64,
        };
        let (mut seen, mut found) = (0, 0);
        let mut points = Vec::new();
        for tied in order.chunk_by(|&a, &b| quality[a] == quality[b]) {
            let gained = tied.iter().filter(|&&row| rows[row].error).count();
            seen += tied.len();
            found += gained;
            if gained > 0 {
                points.push(point(found, seen));
            }
        }
        let flagged = rows.iter().filter(|row| row.flagged).count();
        let right = rows.iter().filter(|row| row.flagged && row.error).count();
        Curve { points, threshold: (flagged > 0).then(|| point(right, flagged)) }
    }

    /// The highest precision at this recall or higher; `None` beyond the end of the curve.
    pub fn best_precision(&self, recall: f64) -> Option<f64> {
        let reached = self.points.iter().filter(|point| point.recall >= recall - 1e-12);
        reached.map(|point| point.precision).reduce(f64::max)
    }

    /// At most `count` of the points, including the first and the last.
    #[must_use]
    pub fn thinned(&self, count: usize) -> Vec<Point> {
        let last = self.points.len().saturating_sub(1);
        if last < count {
            return self.points.clone();
        }
        (0..count).map(|index| self.points[index * last / (count - 1).max(1)]).collect()
    }
}
