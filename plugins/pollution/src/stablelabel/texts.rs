//! The recipe's texts.

use crate::rng::Rng;
use crate::templates::{fill, word};

/// Random words among the unrelated texts.
pub(crate) const WORDS: usize = 1000;

/// Texts about a class.
const FIXED: [&str; 11] = [
    "a {}",
    "a picture of {}",
    "a picture of people with {}",
    "a picture of {} playing",
    "a picture of {} sleeping",
    "{} picture",
    "{} drawing",
    "a drawing of {}",
    "a picture of many {}s",
    "a picture of {} with objects",
    "a picture of {} in nature",
];
/// Prefixes for random words, a hundred of each.
const VARIED: [&str; 5] = [
    "a picture of {}",
    "a picture of people with {}",
    "a picture of {} with objects",
    "a picture of many {}s",
    "a picture of {} with",
];
const VARIATIONS: usize = 100;

/// Things that are no class, besides those of the other method.
pub(crate) const MORE_NOUNS: [&str; 63] = [
    "airport", "anchor", "arrow", "balloon", "banana", "basket", "bench", "bell", "blanket", "boot", "bowl",
    "brick", "brush", "bucket", "button", "camera", "candle", "castle", "chain", "clock", "coin", "crown",
    "curtain", "desk", "diamond", "drum", "envelope", "fence", "fork", "fountain", "garden", "glass",
    "glove", "hammer", "helmet", "honey", "island", "jacket", "key", "kite", "ladder", "leaf", "lemon",
    "mirror", "needle", "ocean", "painting", "pencil", "piano", "pillow", "pipe", "plate", "river", "rope",
    "ruler", "sandwich", "scissors", "spoon", "statue", "stone", "tent", "umbrella", "violin",
];

/// The texts about a class.
pub(crate) fn about(label: usize, name: &str) -> Vec<String> {
    let mut texts = fill(&FIXED, name);
    let mut rng = Rng::new(label, usize::MAX >> 44);
    for text in fill(&VARIED, name) {
        texts.extend((0..VARIATIONS).map(|_| format!("{text} {}", word(&mut rng))));
    }
    texts
}
