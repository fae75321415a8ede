//! Converts prompts to token ids.
//!
//! Uses the crate `tokenizers` with the checkpoint's `tokenizer.json`, which matches the reference implementation. For
//! checkpoints with only `vocab.json` and `merges.txt`, it builds the `tokenizer.json` that the reference
//! implementation would.

use crate::config::Cleaning;
use crate::error::ClipError;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use tokenizers::Tokenizer;

/// Tokens that a tokenizer puts around the words of a text, and in front of the first of them, at the most.
const MOST_SPECIAL: usize = 4;

/// Lengths are rounded up to a multiple of this, so that prompts can be batched.
const STEP: usize = 8;

/// Splits text as CLIP's vocabulary was made: words, single digits, runs of other signs.
const SPLIT: &str = concat!(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|",
    r"[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
);

/// A checkpoint's tokenizer, configured for its text tower.
pub(crate) struct ClipTokenizer {
    tokenizer: Tokenizer,
    /// Text that would become a special token, such as `<|endoftext|>`, in lower case.
    special: Vec<String>,
    context: usize,
    /// The padding up to the full context; without it inputs keep their length.
    padding: Option<(u32, bool)>,
    /// The token that ends a text, where the tokenizer does not add it by itself.
    end: Option<u32>,
    cleaning: Cleaning,
}

/// How texts are padded, before the tokenizer's own files are looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Padding {
    /// The token that the model's configuration names.
    pub(crate) id: Option<u32>,
}

/// The padding token of the first SigLIP, which its configurations do not write down.
const USUAL_PADDING: u32 = 1;

/// What a `tokenizer_config.json` says about padding and ends of texts.
#[derive(Default)]
struct Described {
    padding: Option<String>,
    left: bool,
    end: Option<String>,
}

impl Described {
    fn new(text: Option<&str>) -> Described {
        let whole: Value = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let token = |name: &str| {
            let value = &whole[name];
            value.as_str().or_else(|| value["content"].as_str()).map(str::to_owned)
        };
        Described {
            padding: token("pad_token"),
            left: whole["padding_side"] == "left",
            end: token("eos_token").filter(|_| whole["add_eos_token"] == true),
        }
    }
}

impl ClipTokenizer {
    /// From the text of a `tokenizer.json`; `path` is for messages. `context` is the longest input of the tower in
    /// tokens. With `padding`, all inputs are padded to it, as SigLIP requires: with the token that the text of a
    /// `tokenizer_config.json` names, or else the model's configuration, or else the tokenizer itself, or else `<pad>`,
    /// but `</s>` where that is token 1, as in the first SigLIP.
    ///
    /// # Errors
    /// When the text is not a valid tokenizer, or the padding is not a token of it.
    pub(crate) fn from_json(
        text: &[u8],
        path: &Path,
        context: usize,
        padding: Option<Padding>,
        described: Option<&str>,
    ) -> Result<ClipTokenizer, ClipError> {
        let wrong = |reason: String| ClipError::Tokenizer { path: path.into(), reason };
        let read = caught(|| Tokenizer::from_bytes(text).map_err(|error| error.to_string()));
        let mut tokenizer = read.map_err(|why| wrong(format!("it is not a tokenizer: {why}")))?;
        let own = tokenizer.get_padding().map(|padding| padding.pad_id);
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| wrong(error.to_string()))?;
        let added = tokenizer.get_added_tokens_decoder();
        let special = added.values().filter(|token| token.special);
        let mut special: Vec<String> = special.map(|token| token.content.to_ascii_lowercase()).collect();
        special.retain(|text| !text.trim().is_empty());
        special.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        let described = Described::new(described);
        let padding = match padding {
            None => None,
            Some(Padding { id }) => {
                let named = described.padding.as_deref().map(|token| {
                    let id = tokenizer.token_to_id(token);
                    id.ok_or_else(|| {
                        wrong(format!("it lacks the padding token {token:?} of tokenizer_config.json"))
                    })
                });
                let first = || tokenizer.id_to_token(USUAL_PADDING).is_some_and(|token| token == "</s>");
                let word = || tokenizer.token_to_id("<pad>").filter(|_| !first());
                let id = named.transpose()?.or(id).or(own).or_else(word).unwrap_or(USUAL_PADDING);
                if tokenizer.id_to_token(id).is_none() {
                    return Err(wrong(format!("it has no token {id}, with which texts would be padded")));
                }
                Some((id, described.left))
            }
        };
        let end = described.end.as_deref().filter(|_| padding.is_some());
        let end = end.and_then(|token| tokenizer.token_to_id(token));
        Ok(ClipTokenizer { tokenizer, special, context, padding, end, cleaning: Cleaning::None })
    }

    /// The same with something done to texts first.
    pub(crate) fn cleaned(self, cleaning: Cleaning) -> ClipTokenizer {
        ClipTokenizer { cleaning, ..self }
    }

    /// The longest input in tokens.
    pub(crate) fn context(&self) -> usize {
        self.context
    }

    /// With what inputs are padded to the full context: token, its text, and whether it goes in front.
    pub(crate) fn padding(&self) -> Option<(u32, String, bool)> {
        let (id, left) = self.padding?;
        Some((id, self.tokenizer.id_to_token(id).unwrap_or_default(), left))
    }

    /// Words for what differs from how the first SigLIP pads its texts.
    pub(crate) fn unusual(&self) -> Option<String> {
        let (id, left) = self.padding.filter(|padding| *padding != (USUAL_PADDING, false))?;
        Some(format!("padding {id} {left}"))
    }

    /// From `vocab.json` and `merges.txt`, as the reference implementation reads them for CLIP.
    ///
    /// # Errors
    /// When one of them is invalid, or the vocabulary lacks CLIP's two special tokens.
    pub(crate) fn from_vocabulary(
        vocabulary: &str,
        merges: &str,
        path: &Path,
        context: usize,
    ) -> Result<ClipTokenizer, ClipError> {
        let wrong = |reason: String| ClipError::Tokenizer { path: path.into(), reason };
        let vocabulary: Value = serde_json::from_str(vocabulary)
            .map_err(|error| wrong(format!("it is not a vocabulary: {error}")))?;
        let id = |token: &str| vocabulary.get(token).and_then(Value::as_u64);
        let (start, end) = ("<|startoftext|>", "<|endoftext|>");
        let (Some(start_id), Some(end_id)) = (id(start), id(end)) else {
            return Err(wrong(format!("it lacks the token {start} or {end}")));
        };
        let merges: Vec<&str> =
            merges.lines().filter(|line| !line.starts_with("#version") && !line.trim().is_empty()).collect();
        let added = |id: u64, content: &str| {
            json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true})
        };
        let whole = json!({
            "version": "1.0", "truncation": null, "padding": null,
            "added_tokens": [added(start_id, start), added(end_id, end)],
            "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "NFC"},
                {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
                {"type": "Lowercase"},
            ]},
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Removed", "invert": true},
                {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
            ]},
            "post_processor": {"type": "RobertaProcessing", "sep": [end, end_id], "cls": [start, start_id],
                "trim_offsets": false, "add_prefix_space": false},
            "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
            "model": {"type": "BPE", "dropout": null, "unk_token": end, "continuing_subword_prefix": "",
                "end_of_word_suffix": "</w>", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
                "vocab": vocabulary, "merges": merges},
        });
        ClipTokenizer::from_json(whole.to_string().as_bytes(), path, context, None, None)
    }

    /// The largest possible id.
    pub(crate) fn largest_id(&self) -> u32 {
        self.tokenizer.get_vocab(true).into_values().max().unwrap_or(0)
    }

    /// Token ids of a prompt, start and end of text included, at most the tower's context: a prompt that is too long is
    /// truncated, but keeps the end token. Special tokens written out in the prompt are replaced by a space, since they
    /// are not words. The length is a multiple of 8 or the context; the rest repeats the last token, which CLIP's text
    /// tower ignores.
    ///
    /// # Errors
    /// A sentence, when the tokenizer fails.
    pub(crate) fn encode(&self, prompt: &str) -> Result<Vec<u32>, String> {
        let (mut ids, _) = self.tokens(prompt)?;
        let Some(&last) = ids.last() else { return Err(format!("the prompt {prompt:?} has no tokens")) };
        if ids.len() > self.context {
            ids.truncate(self.context - 1);
            ids.push(last);
        }
        let length = match self.padding {
            Some(_) => self.context,
            None => ids.len().next_multiple_of(STEP).min(self.context),
        };
        match self.padding {
            Some((id, true)) => ids.splice(0..0, vec![id; length.saturating_sub(ids.len())]).for_each(drop),
            Some((id, false)) => ids.resize(length, id),
            None => ids.resize(length, last),
        }
        Ok(ids)
    }

    /// How many tokens of a prompt [`ClipTokenizer::encode`] keeps from its beginning, the start of text not among them; `None`
    /// if it keeps all.
    pub(crate) fn cut(&self, prompt: &str) -> Option<usize> {
        // A token is at least a byte of these, and most prompts are this short.
        if prompt.is_ascii() && prompt.len() + MOST_SPECIAL <= self.context {
            return None;
        }
        let (ids, special) = self.tokens(prompt).ok()?;
        let kept = self.context.saturating_sub(1);
        let words = || special.iter().take(kept).filter(|special| !**special).count();
        (ids.len() > self.context).then(words)
    }

    /// All tokens of a prompt, and which of them are none of its words.
    fn tokens(&self, prompt: &str) -> Result<(Vec<u32>, Vec<bool>), String> {
        let text = clean(&self.without_special(prompt), self.cleaning);
        let encoding = caught(|| self.tokenizer.encode(text, true).map_err(|error| error.to_string()));
        let encoding = encoding.map_err(|why| format!("cannot tokenize the prompt {prompt:?}: {why}"))?;
        let mut ids = encoding.get_ids().to_vec();
        let mut special: Vec<bool> =
            encoding.get_special_tokens_mask().iter().map(|mask| *mask != 0).collect();
        if let Some(end) = self.end.filter(|end| ids.last() != Some(end)) {
            ids.push(end);
            special.push(true);
        }
        Ok((ids, special))
    }

    fn without_special(&self, prompt: &str) -> String {
        let mut prompt = prompt.to_owned();
        for special in &self.special {
            // Lower case of ASCII keeps all positions. The space that is left cannot join two halves to a new one.
            while let Some(start) = prompt.to_ascii_lowercase().find(special) {
                prompt.replace_range(start..start + special.len(), " ");
            }
        }
        prompt
    }
}

/// Runs code of the tokenizers crate, some of which panics on a file that is none.
fn caught<T>(run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let failed = |_| Err("the library that reads tokenizers fails on it".to_owned());
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(failed)
}

/// Prepares a text as the model's training did.
fn clean(text: &str, cleaning: Cleaning) -> String {
    let lower = |text: &str| -> String { text.chars().flat_map(char::to_lowercase).collect() };
    match cleaning {
        Cleaning::None => text.to_owned(),
        Cleaning::Lower => lower(text),
        Cleaning::Canonical => {
            let bare: String = text.replace('_', " ").chars().filter(|c| !c.is_ascii_punctuation()).collect();
            lower(&bare).split_whitespace().collect::<Vec<_>>().join(" ")
        }
    }
}

#[cfg(test)]
mod tests;
