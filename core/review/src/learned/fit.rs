//! A logistic regression that starts from the rank, and is held to it by a penalty that decisions outweigh one by one.

use super::evidence::SAYS;
use crate::Result;
use chaffinch_compute::lbfgs::{Limits, minimize};
use chaffinch_compute::{Error, sorting::Unwanted};

/// What each part is expected to be off by, in log-odds, before any decision: the penalties are the inverse squares. The rank as a
/// whole is stretched little, a detector can be worth much more or less than the rank takes it for, classes differ less.
const STRETCH: f64 = 0.5;
const DETECTOR: f64 = 1.5;
const CLASS: f64 = 0.7;
/// How many are bad at all is not known before.
const BIAS: f64 = 30.0;

const LIMITS: Limits = Limits { steps: 200, gradient: 1e-6, decrease: 1e-10 };

/// A decided sample.
#[derive(Debug, Clone)]
pub(super) struct Decided {
    pub(super) row: u32,
    pub(super) bad: bool,
    /// See [`Ranked::log_odds`](super::evidence::Ranked::log_odds).
    pub(super) ranked: f64,
    /// What each detector says.
    pub(super) says: Vec<[f64; SAYS]>,
    /// The index of its class.
    pub(super) class: Option<u32>,
}

/// What was learned.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitted {
    bias: f64,
    /// How much more the rank says than it is taken to.
    stretch: f64,
    /// By detector.
    pub(super) detectors: Vec<[f64; SAYS]>,
    /// By class.
    pub(super) classes: Vec<f64>,
}

impl Fitted {
    /// Learns from decisions on samples that this many detectors judged, of this many classes. The same decisions in the same order
    /// give the same bytes.
    ///
    /// # Errors
    /// [`Error::Stopped`](crate::Error::Stopped) once it is no longer wanted.
    pub(super) fn of(
        decided: &[&Decided],
        detectors: usize,
        classes: usize,
        unwanted: Unwanted<'_>,
    ) -> Result<Fitted> {
        let mut x = vec![0.0; 2 + detectors * SAYS + classes];
        let spread = |index: usize| match index {
            0 => BIAS,
            1 => STRETCH,
            _ if index < 2 + detectors * SAYS => DETECTOR,
            _ => CLASS,
        };
        let penalties: Vec<f64> = (0..x.len()).map(|index| spread(index).powi(-2)).collect();
        minimize(&mut x, LIMITS, |_, x, gradient| {
            if unwanted() {
                return Err(Error::Stopped);
            }
            let mut value = 0.0;
            for ((x, penalty), slope) in x.iter().zip(&penalties).zip(&mut *gradient) {
                value += 0.5 * penalty * x * x;
                *slope = penalty * x;
            }
            for one in decided {
                let sum = Fitted::sum(x, one, detectors);
                let sign = if one.bad { 1.0 } else { -1.0 };
                value += softplus(-sign * sum);
                // Of the loss by the sum.
                let slope = -sign / (1.0 + (sign * sum).exp());
                gradient[0] += slope;
                gradient[1] += slope * one.ranked;
                for (to, says) in gradient[2..].iter_mut().zip(one.says.as_flattened()) {
                    *to += slope * says;
                }
                if let Some(class) = one.class {
                    gradient[2 + detectors * SAYS + class as usize] += slope;
                }
            }
            Ok(value)
        })?;
        let (of_detectors, of_classes) = x[2..].split_at(detectors * SAYS);
        Ok(Fitted {
            bias: x[0],
            stretch: x[1],
            detectors: of_detectors.as_chunks::<SAYS>().0.to_vec(),
            classes: of_classes.to_vec(),
        })
    }

    fn sum(x: &[f64], one: &Decided, detectors: usize) -> f64 {
        let says: f64 = x[2..].iter().zip(one.says.as_flattened()).map(|(x, says)| x * says).sum();
        let class = one.class.map_or(0.0, |class| x[2 + detectors * SAYS + class as usize]);
        x[0] + (1.0 + x[1]) * one.ranked + says + class
    }

    /// The log-odds that a sample is bad.
    pub(super) fn log_odds(&self, ranked: f64, moved: f64) -> f64 {
        self.bias + (1.0 + self.stretch) * ranked + moved
    }

    /// What the class adds.
    pub(super) fn class(&self, class: Option<u32>) -> f64 {
        class.and_then(|class| self.classes.get(class as usize)).copied().unwrap_or_default()
    }

    /// What all but the rank adds.
    pub(super) fn moved(&self, one: &Decided) -> f64 {
        let detectors = self.detectors.iter().zip(&one.says).map(|(weights, says)| said(weights, *says));
        detectors.sum::<f64>() + self.class(one.class)
    }
}

/// What a detector with these weights adds to the log-odds where it says this.
pub(super) fn said(weights: &[f64; SAYS], says: [f64; SAYS]) -> f64 {
    weights.iter().zip(says).map(|(weight, says)| weight * says).sum()
}

/// `ln(1 + exp(x))`, without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
