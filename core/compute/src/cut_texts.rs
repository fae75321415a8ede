//! Says which texts are longer than a model reads, which the vectors of their beginnings do not show.

use crate::embedding::Embedder;

/// Characters of a text that are quoted.
const SHOWN: usize = 40;

/// That a model reads only the beginning of some of these texts: names the first of them and counts the others. `None` if it
/// reads all of them to their ends.
pub fn words<'a>(model: &dyn Embedder, texts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut cut = texts.into_iter().filter_map(|text| Some((text, model.reads_only(text)?)));
    let (first, tokens) = cut.next()?;
    let more = match cut.count() {
        0 => String::new(),
        1 => " and of 1 more text".to_owned(),
        more => format!(" and of {more} more texts"),
    };
    let (name, first) = (model.name(), beginning(first));
    Some(format!(
        "the model {name} reads only the first {tokens} tokens of '{first}'{more}; the rest is ignored"
    ))
}

/// The beginning of a text, on one line.
fn beginning(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let shown: String = text.chars().take(SHOWN).map(plain).collect();
    let rest = text.chars().nth(SHOWN).is_some();
    if rest { format!("{} …", shown.trim_end()) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding::{EmbedError, ModelFingerprint};
    use crate::image::RgbImage;

    /// Reads three words.
    struct Short(ModelFingerprint);

    impl Embedder for Short {
        fn name(&self) -> &str {
            "short"
        }

        fn fingerprint(&self) -> &ModelFingerprint {
            &self.0
        }

        fn dim(&self) -> usize {
            1
        }

        fn device(&self) -> String {
            String::new()
        }

        fn batch_size(&self) -> usize {
            1
        }

        fn input_len(&self) -> usize {
            0
        }

        fn preprocess(&self, _: &RgbImage) -> Vec<u8> {
            Vec::new()
        }

        fn embed_images(&self, _: &[u8], _: usize) -> Result<Vec<f32>, EmbedError> {
            Ok(Vec::new())
        }

        fn embed_texts(&self, texts: &[&str]) -> Result<Vec<f32>, EmbedError> {
            Ok(vec![1.0; texts.len()])
        }

        fn reads_only(&self, text: &str) -> Option<usize> {
            (text.split_whitespace().count() > 3).then_some(3)
        }

        fn logit_scale(&self) -> f32 {
            1.0
        }
    }

    #[test]
    fn the_first_text_that_is_too_long_is_named_and_the_others_are_counted() {
        let model = Short(ModelFingerprint::stored("short"));
        let long = "one two three four".repeat(9);
        let said = |texts: &[&str]| words(&model, texts.iter().copied());
        assert_eq!(said(&["one", "one two three"]), None);
        assert_eq!(
            said(&["one", "one two\nthree four"]).unwrap(),
            "the model short reads only the first 3 tokens of 'one two three four'; the rest is ignored"
        );
        let several = said(&[&long, "a b c d", "one"]).unwrap();
        assert!(
            several.contains("of 'one two three fourone two three fourone …' and of 1 more text;"),
            "{several}"
        );
        assert!(said(&[&long, &long, &long]).unwrap().contains(" and of 2 more texts;"));
    }
}
