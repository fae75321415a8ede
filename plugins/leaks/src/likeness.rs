//! How alike two pictures of different sets are.

use chaffinch_likeness::Look;
use chaffinch_plugin::Orientation;

/// The scores of pictures that are alike only, from the surest on.
const ALIKE: (f32, f32) = (0.41, 0.49);
/// The score of the least similar semantic copy, and of the most similar one.
const SEMANTIC: (f32, f32) = (0.4, 0.3);
/// The highest score of the same picture.
const MOST_SAME: f32 = 0.25;

/// How alike two pictures are, surest first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Likeness {
    /// The same bytes.
    Exact,
    /// Near hashes.
    Near {
        /// Share of the bits of both hashes that differ.
        bits: f32,
        /// What one of the pictures is turned by.
        orientation: Orientation,
        /// What the second look at the pixels says.
        look: Look,
        /// How far apart the small copies of both are, 0 to 1.
        apart: f32,
    },
    /// One is a part of the other.
    Part {
        /// Whether the later picture is the one that has more.
        more: bool,
        /// Whether what the other has more is a border.
        border: bool,
        /// What the part is turned by.
        orientation: Orientation,
        /// Of the part with its place in the other.
        correlation: f32,
    },
    /// The cosine of the embeddings, with the minimum that counts.
    Semantic {
        /// The cosine.
        cosine: f32,
        /// The minimum.
        least: f32,
    },
}

impl Likeness {
    pub(crate) fn score(self) -> f32 {
        let alike = |share: f32| ALIKE.0 + (ALIKE.1 - ALIKE.0) * share.min(1.0);
        match self {
            Likeness::Exact => 0.0,
            Likeness::Near { bits, look, apart, .. } => match look {
                Look::SamePixels | Look::SamePicture => ((bits + apart) / 2.0).min(MOST_SAME),
                Look::Alike => alike((bits + apart) / 2.0),
            },
            Likeness::Part { correlation, .. } => alike((1.0 - correlation).max(0.0) / 2.0),
            Likeness::Semantic { cosine, least } => {
                let far = ((1.0 - cosine) / (1.0 - least).max(f32::EPSILON)).clamp(0.0, 1.0);
                SEMANTIC.1 + (SEMANTIC.0 - SEMANTIC.1) * far
            }
        }
    }

    /// 1 for the same picture.
    pub(crate) fn similarity(self) -> f32 {
        match self {
            Likeness::Exact => 1.0,
            Likeness::Near { bits, .. } => 1.0 - bits,
            Likeness::Part { correlation, .. } => correlation,
            Likeness::Semantic { cosine, .. } => cosine,
        }
    }
}
