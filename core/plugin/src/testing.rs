//! An in-memory host, so that a detector can be tested without files, models or a library.
//!
//! ```
//! use chaffinch_plugin::prelude::*;
//! use chaffinch_plugin::testing::MemoryHost;
//!
//! /// Finds samples whose class has only one member.
//! struct Lonely;
//!
//! impl Detector for Lonely {
//!     const INFO: Info = Info::new("lonely", "The class has one member only");
//!
//!     fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
//!         for class in view.members().iter().filter(|class| class.len() == 1) {
//!             report.issue(Issue::new(class[0], Score::WORST).reason("is alone in its class"))?;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let outcome = MemoryHost::new().classes(&["cat", "dog"]).labels(&[0, 0, 1]).run(&Lonely);
//! assert_eq!(outcome.issue(2).unwrap().reason, "is alone in its class");
//! assert!(outcome.issue(0).is_none());
//! ```
//!
//! It does everything by brute force, and accepts and refuses the same as the real host: both are behind the same checks.

mod exported;
mod memory_host;
mod noise;
mod npy;
mod services;

pub use exported::exported;
pub use memory_host::MemoryHost;
pub use noise::Noise;
pub use npy::npy;

use crate::Severity;
use std::collections::BTreeMap;

/// One decoded image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height * 3` bytes, RGB, row by row.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// An image from a function of x and y.
    pub fn from_fn(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Picture {
        let pixel = &pixel;
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
        Picture { width, height, rgb }
    }

    /// Nearest-pixel shrinking, enough for tests.
    fn shrunk(&self, max_side: u32) -> Picture {
        let longer = self.width.max(self.height);
        if max_side == 0 || longer <= max_side {
            return self.clone();
        }
        let (width, height) =
            ((self.width * max_side / longer).max(1), (self.height * max_side / longer).max(1));
        Picture::from_fn(width, height, |x, y| {
            let at = (y * self.height / height * self.width + x * self.width / width) as usize * 3;
            [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
        })
    }
}

/// A detector's result for one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedIssue {
    /// The sample.
    pub sample: usize,
    /// 0 = surely an issue, 1 = surely fine.
    pub score: f32,
    /// The suggested label.
    pub suggested: Option<u32>,
    /// Its group within the detector.
    pub group: Option<u32>,
    /// Evidence: other samples with their similarity.
    pub related: Vec<(usize, f32)>,
    /// The reason.
    pub reason: String,
}

/// Something about the dataset as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedFinding {
    /// How much it matters.
    pub severity: Severity,
    /// One sentence.
    pub text: String,
    /// Samples that show it.
    pub evidence: Vec<u32>,
}

/// A part of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedRegion {
    /// The left, top, right and bottom edges in fractions of the picture.
    pub edges: [f32; 4],
    /// What is there, possibly empty.
    pub label: String,
}

/// The results of a run.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The last score of each sample, `None` if it has none.
    pub scores: Vec<Option<f32>>,
    /// The last issue written for each sample, in sample order.
    pub issues: Vec<OwnedIssue>,
    /// Name and text of each note, in the order of writing.
    pub notes: Vec<(String, String)>,
    /// The attributes by name: unit and a value for each sample, NaN where there is none.
    pub attributes: BTreeMap<String, (String, Vec<f32>)>,
    /// What was found about the dataset as a whole, in the order of writing.
    pub findings: Vec<OwnedFinding>,
    /// The regions of samples that have some.
    pub regions: BTreeMap<usize, Vec<OwnedRegion>>,
    /// Bytes kept by name, if the run succeeded.
    pub kept: BTreeMap<String, Vec<u8>>,
    /// Lines written to the log.
    pub log: Vec<String>,
    /// Why the run failed: the detector's own error, or the host's reason to refuse what it wrote.
    pub error: Option<String>,
    /// Whether the detector stopped on request.
    pub stopped: bool,
}

impl Outcome {
    /// The issue of one sample.
    pub fn issue(&self, sample: usize) -> Option<&OwnedIssue> {
        self.issues.iter().find(|issue| issue.sample == sample)
    }

    /// The text of one note.
    pub fn note(&self, name: &str) -> Option<&str> {
        self.notes.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// The samples with a score below the threshold.
    pub fn flagged(&self, threshold: f32) -> Vec<usize> {
        let below =
            |(sample, score): (usize, &Option<f32>)| score.is_some_and(|s| s < threshold).then_some(sample);
        self.scores.iter().enumerate().filter_map(below).collect()
    }
}

fn normalize(vector: &mut [f32]) {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm > 0.0 {
        vector.iter_mut().for_each(|x| *x /= norm);
    }
}

/// A dot product in eight lanes, which the compiler turns into vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    let mut lanes = [0.0_f32; 8];
    for (x, y) in a8.zip(b8) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    lanes.iter().sum::<f32>() + rest
}
