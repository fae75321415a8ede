//! Texts that stand for a class, and texts that stand for none of the classes.

use crate::Method;
use crate::rng::Rng;
use crate::stablelabel;
use crate::templates::{fill, word};
use chaffinch_plugin::prelude::*;

/// Prompts of a class used at most.
const MAX_PROMPTS: usize = 48;
/// Random words among the unrelated texts.
const RANDOM_WORDS: usize = 16;

/// What a picture of a class may show.
const POSITIVE: [&str; 8] = [
    "a {}",
    "a picture of {}",
    "a picture of many {}s",
    "a picture of people with {}",
    "a picture of {} with objects",
    "a picture of {} in nature",
    "{} picture",
    "a drawing of {}",
];

/// The prompts whose probabilities are engineered features.
const FEATURES: [&str; 6] = [
    "a picture of {}",
    "a picture of {}s",
    "a picture of person with {}",
    "a drawing of {}",
    "a picture of something",
    "a picture of nothing",
];

/// Everyday things of many kinds.
const NOUNS: [&str; 40] = [
    "apple",
    "bed",
    "bicycle",
    "book",
    "bottle",
    "bread",
    "bridge",
    "building",
    "cake",
    "carpet",
    "chair",
    "church",
    "city",
    "cloud",
    "coffee",
    "computer",
    "cup",
    "dance",
    "desert",
    "door",
    "dress",
    "fire",
    "flower",
    "food",
    "furniture",
    "guitar",
    "hand",
    "hat",
    "house",
    "lamp",
    "letter",
    "map",
    "money",
    "mountain",
    "newspaper",
    "phone",
    "shoe",
    "table",
    "text",
    "window",
];

/// The vectors of all texts, row by row; empty if the model reads no text.
pub(crate) struct Texts {
    /// For each class, what it may show.
    pub(crate) positive: Vec<OwnedMatrix>,
    /// For each class the prompts of the engineered features.
    pub(crate) features: Vec<OwnedMatrix>,
    /// For each class a picture of it, where the published recipe sets classes against each other by name.
    pub(crate) names: Option<OwnedMatrix>,
    /// Unrelated texts, the same for all classes.
    pub(crate) unrelated: OwnedMatrix,
    /// The model's logit scale.
    pub(crate) scale: f32,
}

impl Texts {
    /// Embeds all texts; `None` if the model has no text tower, or the names of classes are not words.
    pub(crate) fn read(view: &View<'_>, method: Method) -> Result<Option<Texts>> {
        match view.prompts(0) {
            Err(error) if error.is_missing() => return Ok(None),
            _ => {}
        }
        let names: Vec<String> =
            (0..view.class_count()).map(|label| view.class_name(label as u32).into()).collect();
        let unrelated = match method {
            Method::Logistic => unrelated(&names, &[], RANDOM_WORDS),
            Method::StableLabel => unrelated(&names, &stablelabel::MORE_NOUNS, stablelabel::WORDS),
        };
        let unrelated = match view.embed_texts(&unrelated) {
            Ok(vectors) => vectors,
            Err(error) if error.is_missing() => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut texts = Texts {
            positive: Vec::new(),
            features: Vec::new(),
            names: None,
            unrelated,
            scale: view.model()?.1,
        };
        if method == Method::StableLabel {
            let pictures: Vec<String> = names.iter().map(|name| format!("a picture of {name}")).collect();
            texts.names = Some(view.embed_texts(&pictures)?);
        }
        for (label, name) in names.iter().enumerate() {
            view.checkpoint()?;
            let positive = match method {
                Method::Logistic => {
                    let mut texts = fill(&POSITIVE, name);
                    texts.extend(view.prompts(label as u32)?.into_iter().take(MAX_PROMPTS));
                    texts
                }
                Method::StableLabel => stablelabel::about(label, name),
            };
            texts.positive.push(view.embed_texts(&positive)?);
            texts.features.push(view.embed_texts(&fill(&FEATURES, name))?);
        }
        Ok(Some(texts))
    }
}

/// Pictures of things that are not a class, these among them, and that many random words.
fn unrelated(names: &[String], more: &[&str], words: usize) -> Vec<String> {
    let named = |noun: &str| names.iter().any(|name| name.to_lowercase().contains(noun));
    let nouns = NOUNS.iter().chain(more).filter(|noun| !named(noun));
    let mut texts: Vec<String> = nouns.map(|noun| format!("a picture of {noun}")).collect();
    let mut rng = Rng::new(usize::MAX >> 24, 0);
    texts.extend((0..words).map(|_| word(&mut rng)));
    texts
}

#[cfg(test)]
mod tests {
    use super::{RANDOM_WORDS, unrelated};

    #[test]
    fn no_class_is_called_unrelated() {
        let texts = unrelated(&["Coffee cup".into(), "cat".into()], &[], RANDOM_WORDS);
        assert_eq!(texts.len(), 38 + RANDOM_WORDS);
        assert!(!texts.contains(&"a picture of cup".to_owned()));
        assert_eq!(texts, unrelated(&["Coffee cup".into(), "cat".into()], &[], RANDOM_WORDS));
    }
}
