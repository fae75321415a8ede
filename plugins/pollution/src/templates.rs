//! Texts with a name or a random word in them.

use crate::rng::Rng;

/// Templates with the name of a class.
pub(crate) fn fill(templates: &[&str], name: &str) -> Vec<String> {
    templates.iter().map(|template| template.replace("{}", name)).collect()
}

/// A random word of two to ten letters.
pub(crate) fn word(rng: &mut Rng) -> String {
    let length = 2 + rng.below(9);
    (0..length).map(|_| char::from(b'A' + rng.below(26) as u8)).collect()
}
